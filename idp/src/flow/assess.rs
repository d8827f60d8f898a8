//! What a journey comes to at this moment: reads everything that the decision needs, and lets the list decide.

use std::sync::Arc;

use platform::request::RequestContext;

use crate::app::{App, ServiceError};
use crate::config::{Portal, RegisteredClient, ScopeSet};
use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::domain::journey::{Begun, Facts, Journey, Next, Proofs, Requirements, Step, WantedAcr, next};
use crate::http::names;
use crate::protocol::authorization::AuthorizationRequest;
use crate::store::accounts::Name;

/// What a journey comes to at this moment.
pub struct Assessment {
    pub next: Next,
    /// The ways to go on from here, if it is a second factor that is asked for.
    pub ways: Vec<Step>,
    pub facts: Option<Facts>,
    pub account: Option<Account>,
    pub device: Option<Device>,
    /// Whose rules hold.
    pub portal: Arc<Portal>,
    pub client: Option<Arc<RegisteredClient>>,
}

impl App {
    /// Reads everything that the decision needs, and decides.
    pub async fn assess(&self, cx: &RequestContext, journey: &Journey) -> Result<Assessment, ServiceError> {
        self.assess_knowing(cx, journey, None).await
    }

    /// As [`App::assess`], with account and device as they were just read.
    pub(super) async fn assess_knowing(
        &self,
        cx: &RequestContext,
        journey: &Journey,
        known: Option<(Account, Option<Device>)>,
    ) -> Result<Assessment, ServiceError> {
        let client = match &journey.client_id {
            Some(id) => self.client(id).await?,
            None => None,
        };
        let portal = Arc::clone(self.registry.portal_of(journey.client_id.as_deref()));
        let asks_consent =
            journey.request.is_some() && client.as_ref().is_some_and(|client| client.client.consent);
        let wanted =
            journey.request.as_ref().map(|request| self.wanted_acr(request, &portal)).unwrap_or_default();
        let begun = Begun { at: journey.created_at, session_seen_at: journey.session_seen_at };
        let requirements = Requirements::new(
            &portal.policy,
            &self.config.sessions,
            journey.request.as_ref(),
            wanted,
            asks_consent,
            begun,
        );
        let requirements = match journey.step_up_to {
            Some(_) => requirements.stepping_up(journey.created_at),
            None => requirements,
        };
        let found = match (&journey.account_id, known) {
            (Some(id), Some((account, device))) if account.id == *id => Some((account, device)),
            (Some(id), _) => {
                let secret = cx.cookie(names::DEVICE_COOKIE);
                self.store.account_and_device(&Name::Id(id), secret.as_deref()).await?
            }
            (None, _) => None,
        };
        let Some((account, device)) = found else {
            let next = next(&requirements, &journey.proofs, None);
            return Ok(Assessment {
                next,
                ways: Vec::new(),
                facts: None,
                account: None,
                device: None,
                portal,
                client,
            });
        };
        let consented = match (&journey.request, asks_consent) {
            (Some(request), true) => {
                self.store.consented_scope(&account.id, &request.client_id).await?.is_some_and(|given| {
                    ScopeSet::parse(&request.scope_with_claims()).is_subset(&ScopeSet::parse(&given))
                })
            }
            _ => false,
        };
        let terms_accepted = match requirements.terms() {
            Some(digest) => self.store.has_accepted_terms(&account.id, &portal.id, digest).await?,
            None => false,
        };
        // OpenID Connect Core section 3.1.2.1: the request names who is expected.
        let expected = journey.request.as_ref().and_then(|request| request.expected_subject.as_ref());
        let is_expected = match (expected, &client) {
            (Some(expected), Some(client)) => *expected == self.subject_for(&client.client, &account),
            _ => true,
        };
        let facts = Facts {
            role: account.role,
            is_expected,
            email_verified: account.email_verified_at.is_some(),
            blocked: account.blocked_at.is_some(),
            must_replace_password: account.temporary_password_until.is_some(),
            factors: account.factors,
            proves_number: journey.pending_phone.is_some(),
            chosen: journey.chosen,
            device_trusted: device
                .as_ref()
                .is_some_and(|device| requirements.trusts(device, self.clock.now())),
            terms_accepted,
            consented,
        };
        // Whoever changed the password ended every sign-in that stood on the one before.
        let is_current = account.credential_version() == journey.credential_version;
        let proofs = if is_current { journey.proofs.clone() } else { Proofs::default() };
        let next = next(&requirements, &proofs, Some(&facts));
        let ways = match next {
            Next::Ask(_) => requirements.ways(&proofs, &facts),
            Next::Issue | Next::Refuse(_) => Vec::new(),
        };
        Ok(Assessment { next, ways, facts: Some(facts), account: Some(account), device, portal, client })
    }

    /// The authentication context classes that a request asks for, as far as they mean anything here.
    fn wanted_acr(&self, request: &AuthorizationRequest, portal: &Portal) -> WantedAcr {
        let (acr, most) = (&self.config.acr, portal.policy.second_factor.most());
        let claim = request.claims.in_id_token("acr").unwrap_or_default();
        let unreachable =
            claim.essential && !acr.reachable(most).into_iter().any(|value| claim.accepts(value));
        WantedAcr { least: acr.least(&request.wanted_acrs()), unreachable }
    }
}
