//! How many SMS leave in a day, over all nodes: `codes.total_per_day`. One is taken before a code is sent, and another one
//! whenever it goes out again by another gateway, because that is paid for too.

use std::time::Duration;

use platform::ephemeral::{Ephemeral, EphemeralError, Limit, Reserved};

const DAY: Duration = Duration::from_hours(24);
const KEY: &str = "sms-total";

/// The day's budget.
#[derive(Clone, Debug)]
pub struct Budget {
    ephemeral: Ephemeral,
    most: u32,
}

impl Budget {
    pub(super) fn new(ephemeral: Ephemeral, most: u32) -> Self {
        Self { ephemeral, most }
    }

    /// What an SMS takes.
    pub fn limit(&self) -> Limit<'static> {
        Limit { key: KEY, most: self.most, window: DAY }
    }

    /// Takes one more for a message that goes out again; `None` if none is left.
    pub(super) async fn take_again(&self) -> Option<Reserved> {
        match self.ephemeral.reserve(&[self.limit()]).await {
            Ok(Ok(taken)) => Some(taken),
            Ok(Err(_)) => {
                tracing::error!("the day's budget of SMS is used up; a message is not sent again");
                None
            }
            Err(error) => {
                tracing::error!(%error, "the day's budget of SMS cannot be read; a message is not sent again");
                None
            }
        }
    }

    /// Gives back what [`Budget::take_again`] took, of a message that did not go out again after all.
    pub(super) async fn give_back(&self, taken: Reserved) {
        if let Err(error) = self.ephemeral.give_back(taken).await {
            tracing::warn!(%error, "the day's budget of SMS cannot be written; it counts one too many");
        }
    }

    /// How many were sent, and how many may be.
    pub async fn used(&self) -> Result<(i64, i64), EphemeralError> {
        let used = self.ephemeral.get(KEY).await?.map_or(0, |counter| counter.version);
        Ok((used, self.most.into()))
    }
}
