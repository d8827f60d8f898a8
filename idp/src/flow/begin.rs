//! The beginning of a journey, and how its pages find it again.

use std::time::Duration;

use platform::request::RequestContext;
use platform::seal::{same, sha256};

use crate::app::room::Left;
use crate::app::{App, ServiceError};
use crate::domain::journey::{Journey, Proofs};
use crate::http::names;
use crate::http::paths::journey_in;
use crate::protocol::authorization::AuthorizationRequest;
use crate::store::accounts::Name;
use crate::store::ephemeral::journeys::{self, Open, Read};

impl App {
    /// How long a journey may take.
    pub fn journey_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.sessions.journey_minutes) * 60)
    }

    /// Begins a journey, with the proofs of the session that this browser has. It is kept once somebody is asked something.
    pub async fn begin_journey(
        &self,
        cx: &RequestContext,
        request: Option<AuthorizationRequest>,
        client_id: Option<String>,
    ) -> Result<Open, ServiceError> {
        let session = self.session_of(cx).await?;
        let hint = request.as_ref().and_then(|request| request.login_hint.as_deref()).unwrap_or_default();
        let mut journey = Journey {
            identifier: hint.chars().take(254).collect(),
            client_id: request.as_ref().map(|request| request.client_id.clone()).or(client_id),
            request,
            browser: sha256(&cx.browser),
            account_id: None,
            proofs: Proofs::default(),
            credential_version: String::new(),
            pending_phone: None,
            code: None,
            session_id: None,
            session_seen_at: None,
            step_up_to: None,
            public_computer: false,
            chosen: None,
            is_bound: false,
            created_at: self.clock.now(),
        };
        let mut read = None;
        if let Some(session) = session {
            journey.account_id = Some(session.account_id.clone());
            journey.session_id = Some(session.id.clone());
            journey.session_seen_at = Some(session.last_seen_at);
            journey.proofs = session.proofs.clone();
            let device = cx.cookie(names::DEVICE_COOKIE);
            let name = Name::Id(&session.account_id);
            let account = self.store.account_and_device(&name, device.as_deref()).await?;
            if let Some((account, _)) = &account {
                journey.credential_version = account.credential_version();
            }
            read = Some(Read { session, account });
        }
        let portal = self.registry.portal_of(journey.client_id.as_deref());
        let id = journeys::id_with(&self.random.id(), self.portal_mark(portal));
        Ok(Open::new(id, journey, read))
    }

    /// Saves a journey, over what was read of it; false if another request was first. Who begins one without a session takes
    /// room for it.
    pub async fn keep_journey(&self, cx: &RequestContext, open: &mut Open) -> Result<bool, ServiceError> {
        if !open.is_kept() && open.journey.session_id.is_none() {
            self.take_room(Left::SignIn, cx.address, self.journey_lifetime()).await?;
        }
        Ok(journeys::save(&self.ephemeral, open, self.journey_lifetime()).await?)
    }

    /// A journey of this browser, if it lives. From the password on, the browser must also bring the cookie that it got
    /// for it: whoever planted another cookie here beforehand does not have that one.
    pub async fn open_journey(&self, cx: &RequestContext, id: &str) -> Result<Option<Open>, ServiceError> {
        let open = journeys::open(&self.ephemeral, id, &cx.browser).await?;
        Ok(open.filter(|open| {
            let brought = cx.cookie(&names::bond_cookie(&open.id)).unwrap_or_default();
            !open.journey.is_bound || same(&brought, &self.bond(cx, &open.id))
        }))
    }

    /// What a browser that gave the password in a journey shows from then on. It follows from the journey and the root key,
    /// so that two answers to a double click give the same.
    pub fn bond(&self, cx: &RequestContext, id: &str) -> String {
        self.lookup.hash(&format!("sign-in {id} {}", cx.browser))
    }

    /// The journey whose id stands in the query, if it is this browser's and lives.
    pub async fn journey_of(&self, cx: &RequestContext) -> Result<Option<Open>, ServiceError> {
        let id = journey_in(cx);
        let open = self.open_journey(cx, &id).await?;
        // Each step renews the value's expiry; the journey as a whole ends all the same.
        Ok(open.filter(|open| self.clock.now() < open.journey.created_at.plus(self.journey_lifetime())))
    }
}
