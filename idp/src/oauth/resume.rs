//! Where every step of a sign-in comes back to: ask what comes next and go there. No step names another.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::request::{Visit, append};
use web::seal::{same, sha256};

use super::issue;
use crate::app::{App, Shared, Trouble};
use crate::config::{Portal, Registered, ScopeSet};
use crate::domain::account::Account;
use crate::domain::device::Device;
use crate::ephemeral::journeys::{self, Open};
use crate::http::pages::see_other;
use crate::http::{Answer, AppError};
use crate::journey::{Begun, Facts, Journey, Next, Proofs, Requirements, Step, WantedAcr, next};
use crate::path;
use crate::protocol::authorization::{AuthorizationRequest, ResponseMode, ReturnAddress};
use crate::protocol::error::OAuthError;
use crate::room::Left;
use crate::store::accounts::Name;

/// What a journey comes to at this moment.
pub struct Assessment {
    pub next: Next,
    pub facts: Option<Facts>,
    pub account: Option<Account>,
    pub device: Option<Device>,
    /// Whose rules hold.
    pub portal: Arc<Portal>,
    pub client: Option<Arc<Registered>>,
}

/// The URL of a page of a journey.
pub fn journey_url(path: &str, id: &str) -> String {
    let (random, portal) = journeys::parts(id);
    let url = format!("{path}?journey={random}");
    if portal.is_empty() { url } else { format!("{url}&{}={portal}", path::PORTAL) }
}

/// The id of the journey in the URL; empty if there is none.
pub fn journey_in(visit: &Visit) -> String {
    let random = visit.query("journey");
    if random.is_empty() { random } else { journeys::id_with(&random, &visit.query(path::PORTAL)) }
}

fn step_path(step: Step) -> &'static str {
    match step {
        Step::Password => path::SIGNIN_PASSWORD,
        Step::ConfirmMail => path::REGISTER_SENT,
        Step::NewPassword => path::SIGNIN_NEW_PASSWORD,
        Step::Phone => path::SIGNIN_PHONE,
        Step::Code => path::SIGNIN_CODE,
        Step::Terms => path::SIGNIN_TERMS,
        Step::Consent => path::SIGNIN_CONSENT,
    }
}

/// The cookie of a journey in which the password was given.
pub fn bond_cookie(id: &str) -> String {
    format!("sign-in-{id}")
}

impl App {
    /// How long a journey may take.
    pub fn journey_lifetime(&self) -> Duration {
        Duration::from_secs(u64::from(self.config.sessions.journey_minutes) * 60)
    }

    /// Begins a journey, with the proofs of the session that this browser has.
    ///
    /// # Errors
    /// A backend's.
    pub async fn begin_journey(
        &self,
        visit: &Visit,
        request: Option<AuthorizationRequest>,
        client_id: Option<String>,
    ) -> Result<Open, Trouble> {
        let session = self.session_of(visit).await?;
        if session.is_none() {
            self.take_room(Left::SignIn, visit.address, self.journey_lifetime()).await?;
        }
        let hint = request.as_ref().and_then(|request| request.login_hint.as_deref()).unwrap_or_default();
        let mut journey = Journey {
            identifier: hint.chars().take(254).collect(),
            client_id: request.as_ref().map(|request| request.client_id.clone()).or(client_id),
            request,
            browser: sha256(&visit.browser),
            account_id: None,
            proofs: Proofs::default(),
            password_mark: String::new(),
            pending_phone: None,
            code: None,
            session_id: None,
            session_seen_at: None,
            step_up_to: None,
            public_computer: false,
            is_bound: false,
            created_at: self.clock.now(),
        };
        if let Some(session) = session {
            if let Some(account) = self.store.account(&session.account_id).await? {
                journey.password_mark = account.password_mark();
            }
            journey.account_id = Some(session.account_id);
            journey.session_id = Some(session.id);
            journey.session_seen_at = Some(session.last_seen_at);
            journey.proofs = session.proofs;
        }
        let portal = self.registry.portal_of(journey.client_id.as_deref());
        let id = journeys::id_with(&self.random.id(), self.portal_mark(portal));
        Ok(journeys::begin(&self.ephemeral, id, journey, self.journey_lifetime()).await?)
    }

    /// A journey of this browser, if it lives. From the password on, the browser must also bring the cookie that it got
    /// for it: whoever planted another cookie here beforehand does not have that one.
    ///
    /// # Errors
    /// The backend's.
    pub async fn open_journey(&self, visit: &Visit, id: &str) -> Result<Option<Open>, Trouble> {
        let open = journeys::open(&self.ephemeral, id, &visit.browser).await?;
        Ok(open.filter(|open| {
            let brought = visit.cookie(&bond_cookie(&open.id)).unwrap_or_default();
            !open.journey.is_bound || same(&brought, &self.bond(visit, &open.id))
        }))
    }

    /// What a browser that gave the password in a journey shows from then on. It follows from the journey and the root key,
    /// so that two answers to a double click give the same.
    pub fn bond(&self, visit: &Visit, id: &str) -> String {
        self.lookup.hash(&format!("sign-in {id} {}", visit.browser))
    }

    /// The journey whose id stands in the query, if it is this browser's and lives.
    ///
    /// # Errors
    /// The backend's.
    pub async fn journey_of(&self, visit: &Visit) -> Result<Option<Open>, Trouble> {
        let id = journey_in(visit);
        let open = self.open_journey(visit, &id).await?;
        // Each step renews the value's expiry; the journey as a whole ends all the same.
        Ok(open.filter(|open| self.clock.now() < open.journey.created_at.plus(self.journey_lifetime())))
    }

    /// Reads everything that the decision needs, and decides.
    ///
    /// # Errors
    /// A backend's.
    pub async fn assess(&self, visit: &Visit, journey: &Journey) -> Result<Assessment, Trouble> {
        self.assess_knowing(visit, journey, None).await
    }

    /// As [`App::assess`], with account and device as they were just read.
    async fn assess_knowing(
        &self,
        visit: &Visit,
        journey: &Journey,
        known: Option<(Account, Option<Device>)>,
    ) -> Result<Assessment, Trouble> {
        let client = match &journey.client_id {
            Some(id) => self.client(id).await?,
            None => None,
        };
        let portal = Arc::clone(self.registry.portal_of(journey.client_id.as_deref()));
        let asks_consent =
            journey.request.is_some() && client.as_ref().is_some_and(|client| client.client.consent);
        let wanted = journey.request.as_ref().map(|request| self.wanted_acr(request)).unwrap_or_default();
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
                let secret = visit.cookie(path::DEVICE_COOKIE);
                self.store.account_and_device(&Name::Id(id), secret.as_deref()).await?
            }
            (None, _) => None,
        };
        let Some((account, device)) = found else {
            let next = next(&requirements, &journey.proofs, None);
            return Ok(Assessment { next, facts: None, account: None, device: None, portal, client });
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
            email_confirmed: account.email_confirmed_at.is_some(),
            blocked: account.blocked_at.is_some(),
            must_replace_password: account.temporary_password_until.is_some(),
            has_phone: account.verified_phone().is_some() || journey.pending_phone.is_some(),
            device_trusted: device
                .as_ref()
                .is_some_and(|device| requirements.trusts(device, self.clock.now())),
            terms_accepted,
            consented,
        };
        // Whoever changed the password ended every sign-in that stood on the one before.
        let is_current = account.password_mark() == journey.password_mark;
        let proofs = if is_current { journey.proofs.clone() } else { Proofs::default() };
        let next = next(&requirements, &proofs, Some(&facts));
        Ok(Assessment { next, facts: Some(facts), account: Some(account), device, portal, client })
    }

    /// The authentication context classes that a request asks for, as far as they mean anything here.
    fn wanted_acr(&self, request: &AuthorizationRequest) -> WantedAcr {
        let acr = &self.config.acr;
        let claim = request.claims.in_id_token("acr").unwrap_or_default();
        let unreachable = claim.essential && !acr.reachable().into_iter().any(|value| claim.accepts(value));
        WantedAcr { least: acr.least(&request.wanted_acrs()), unreachable }
    }

    /// Goes on with a journey.
    ///
    /// # Errors
    /// A backend's.
    pub fn resume<'a>(self: &'a Shared, visit: &'a Visit, open: Open) -> Answer<'a> {
        Box::pin(async move {
            let assessment = self.assess(visit, &open.journey).await?;
            self.proceed(visit, open, assessment).await
        })
    }

    /// Saves a journey and goes on; if another request was first, goes on from what that one saved.
    ///
    /// # Errors
    /// A backend's.
    pub fn save_and_resume<'a>(self: &'a Shared, visit: &'a Visit, open: Open) -> Answer<'a> {
        self.save_and_resume_knowing(visit, open, None)
    }

    /// As [`App::save_and_resume`], with account and device as they were just read; what must still be so when the
    /// sign-in ends is looked at again in the transaction that ends it.
    ///
    /// # Errors
    /// A backend's.
    pub fn save_and_resume_knowing<'a>(
        self: &'a Shared,
        visit: &'a Visit,
        mut open: Open,
        known: Option<(Account, Option<Device>)>,
    ) -> Answer<'a> {
        Box::pin(async move {
            let assessment = self.assess_knowing(visit, &open.journey, known).await?;
            // What ends now need not be saved first: ending it takes the version that was read.
            if assessment.next == Next::Issue
                || journeys::save(&self.ephemeral, &mut open, self.journey_lifetime()).await?
            {
                return self.proceed(visit, open, assessment).await;
            }
            self.resume_after_race(visit, &open.id).await
        })
    }

    /// Goes on from what another request made of the journey meanwhile.
    ///
    /// # Errors
    /// A backend's.
    pub async fn resume_after_race(self: &Shared, visit: &Visit, id: &str) -> Result<Response, AppError> {
        match self.open_journey(visit, id).await? {
            Some(current) => self.resume(visit, current).await,
            None => self.journey_gone(visit).await,
        }
    }

    async fn proceed(
        self: &Shared,
        visit: &Visit,
        mut open: Open,
        assessment: Assessment,
    ) -> Result<Response, AppError> {
        match assessment.next {
            Next::Refuse(error) => self.refuse(visit, &open, error).await,
            Next::Issue => Box::pin(issue::finish(self, visit, open, assessment)).await,
            Next::Ask(step) => {
                // Who typed a number to send it to has asked for the code by that.
                let waits = assessment.portal.policy.code_on_request && open.journey.pending_phone.is_none();
                let sends_code = step == Step::Code && open.journey.code.is_none() && !waits;
                if let Some(account) = assessment.account.as_ref().filter(|_| sends_code) {
                    // Boxed, as the end of a journey is: every step's handler contains this future.
                    Box::pin(crate::codes::send(self, &mut open, account)).await?;
                }
                let mut response = see_other(&journey_url(step_path(step), &open.id));
                if open.journey.is_bound {
                    let lifetime = (!open.journey.public_computer).then(|| self.journey_lifetime());
                    let bond = self.bond(visit, &open.id);
                    append(&mut response, visit.front.cookies.set(&bond_cookie(&open.id), &bond, lifetime));
                }
                Ok(response)
            }
        }
    }

    /// The answer for a journey that is not there: it ended in success a moment ago (a second click), or it is
    /// too old or another browser's.
    ///
    /// # Errors
    /// A backend's.
    pub async fn journey_gone(&self, visit: &Visit) -> Result<Response, AppError> {
        if visit.browser_is_new && visit.uri.path() != path::COOKIES {
            // Another browser's, or of one that keeps no cookies: the next request tells.
            return Ok(see_other(&journey_url(path::COOKIES, &journey_in(visit))));
        }
        let finished = journeys::finished(&self.ephemeral, &journey_in(visit)).await?;
        let is_finished = finished.is_some();
        let client_id = finished.filter(|client_id| !client_id.is_empty());
        if is_finished && self.session_of(visit).await?.is_some() {
            let client = match &client_id {
                Some(id) => self.client(id).await?,
                None => None,
            };
            let login = client.as_ref().and_then(|client| client.client.initiate_login_uri.as_deref());
            return Ok(see_other(login.unwrap_or(path::ACCOUNT)));
        }
        Err(AppError::JourneyExpired(client_id))
    }

    /// Ends a journey with an error for the client; without a client's request, with a page.
    ///
    /// # Errors
    /// The backend's.
    pub async fn refuse(&self, visit: &Visit, open: &Open, error: OAuthError) -> Result<Response, AppError> {
        journeys::finish(&self.ephemeral, open).await?;
        match &open.journey.request {
            Some(request) => Ok(self.answer_error(visit, &request.return_address, error)),
            None => Err(AppError::JourneyExpired(open.journey.client_id.clone())),
        }
    }

    /// An error, carried back to the client: counted here, for the redirect looks like any other.
    pub fn answer_error(&self, visit: &Visit, address: &ReturnAddress, error: OAuthError) -> Response {
        let client = address.client_id();
        self.outcomes.sign_in(&self.registry.portal_of(Some(client)).id, error.error);
        let (error_code, reason) = (error.error, error.reason());
        tracing::info!(client, error = error_code, reason, "a sign-in ends with an error for the portal");
        self.answer(visit, address, &[("error", error.error), ("error_description", error.error_description)])
    }

    /// An authorization response, in the response mode that the client asked for.
    pub fn answer(&self, visit: &Visit, address: &ReturnAddress, answer: &[(&str, &str)]) -> Response {
        let parameters = address.parameters(answer, &self.config.issuer);
        match address.response_mode() {
            ResponseMode::Query => see_other(&address.url_with(&parameters)),
            ResponseMode::FormPost => {
                let page = FormPostPage {
                    action: address.redirect_uri().to_owned(),
                    fields: parameters.into_iter().map(|(name, value)| FormField { name, value }).collect(),
                };
                let client_id = Some(address.client_id());
                self.client_page(visit, client_id, StatusCode::OK, "idp/form_post.html", &page)
            }
        }
    }
}

/// `idp/form_post.html` (OAuth 2.0 Form Post Response Mode section 2); a button serves browsers without
/// JavaScript.
#[derive(Clone, Debug, Serialize)]
pub struct FormPostPage {
    pub action: String,
    pub fields: Vec<FormField>,
}

#[derive(Clone, Debug, Serialize)]
pub struct FormField {
    pub name: String,
    pub value: String,
}

impl FormPostPage {
    pub fn sample() -> Self {
        let field = FormField { name: "code".into(), value: "abc".into() };
        Self { action: "https://portal.example/callback".into(), fields: vec![field] }
    }
}
