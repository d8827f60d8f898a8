//! Room for what people leave here who have proved nothing: sign-ins that they begin, requests that public clients push,
//! pages that wait for a mail. Bounded for each network address and in all, and each of a bounded size, so that nobody
//! can fill the store. docs/decisions/0022 says why so.

use std::net::IpAddr;
use std::time::Duration;

use platform::ephemeral::Limit;
use serde::Serialize;

use crate::app::{App, ServiceError};

/// Bytes of a request that is kept, as JSON. Those of libraries have one or two thousand.
const LARGEST: usize = 8 * 1024;

/// What is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    SignIn,
    PushedRequest,
    WaitingPage,
    KeptForm,
}

impl Left {
    fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign-ins",
            Self::PushedRequest => "pushed",
            Self::WaitingPage => "waiting",
            Self::KeptForm => "kept",
        }
    }
}

impl App {
    /// Takes room for one more thing that stays for `lifetime`.
    ///
    /// # Errors
    /// [`ServiceError::Full`] if there is none, for this address or at all; or the backend's.
    pub async fn take_room(
        &self,
        left: Left,
        address: IpAddr,
        lifetime: Duration,
    ) -> Result<(), ServiceError> {
        let limits = &self.config.limits;
        let (here, all) =
            (self.address_key(&format!("room-{}", left.name()), address), format!("room-{}", left.name()));
        let bounds = [
            Limit { key: &here, most: limits.open_per_address, window: lifetime },
            Limit { key: &all, most: limits.open_in_all, window: lifetime },
        ];
        let Err(full) = self.ephemeral.reserve(&bounds).await? else { return Ok(()) };
        if full.index == 1 {
            tracing::error!(kind = left.name(), "no room is left for anybody (limits.open_in_all)");
        } else {
            tracing::warn!(kind = left.name(), "no room is left for an address (limits.open_per_address)");
        }
        Err(ServiceError::Full(full.until.since(self.clock.now())))
    }
}

/// Whether a request is small enough to be kept.
pub fn fits(request: &impl Serialize) -> bool {
    serde_json::to_vec(request).is_ok_and(|value| value.len() <= LARGEST)
}
