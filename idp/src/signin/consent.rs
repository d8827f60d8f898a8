//! Step: may this client learn this? Asked for clients of others only.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::AboutClient;
use super::at_step::{AtStep, Page};
use crate::app::Shared;
use crate::config::ScopeSet;
use crate::domain::journey::{Method, Step};
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::error::CONSENT_DENIED;

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::Consent;
}

/// `idp/signin_consent.html`
#[derive(Clone, Debug, Serialize)]
pub struct ConsentPage {
    pub action: String,
    pub client: AboutClient,
    /// Text keys.
    pub scopes: Vec<String>,
    /// Scopes of the operator's own, by their names.
    pub other_scopes: Vec<String>,
}

/// The scopes that have a text.
const KNOWN: [&str; 7] = ["openid", "profile", "email", "phone", "address", "care_team", "offline_access"];

impl ConsentPage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/consent?journey=x".into(),
            client: AboutClient::sample(),
            scopes: KNOWN.map(|scope| format!("scope-{scope}")).to_vec(),
            other_scopes: vec!["reports".into()],
        }
    }
}

/// `GET /signin/consent`: whoever signed in in this journey.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    let scope = arrived
        .open
        .journey
        .request
        .as_ref()
        .map(AuthorizationRequest::scope_with_claims)
        .unwrap_or_default();
    let scope = ScopeSet::parse(&scope);
    let (known, others): (Vec<&str>, Vec<&str>) = scope.iter().partition(|scope| KNOWN.contains(scope));
    // It removed itself while the person was on the way.
    let Some(registered) = &arrived.assessment.client else { return app.journey_gone(&cx).await };
    let page = ConsentPage {
        action: journey_url(paths::SIGNIN_CONSENT, &arrived.open.id),
        client: app.about_client(&registered.client).await?,
        scopes: known.into_iter().map(|scope| format!("scope-{scope}")).collect(),
        other_scopes: others.into_iter().map(str::to_owned).collect(),
    };
    Ok(app.step_page(&cx, &arrived.open, StatusCode::OK, "idp/signin_consent.html", &page))
}

/// `POST /signin/consent`: twice at once writes the same answer twice.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    if fields.get(names::ACCEPT) != Some("yes") {
        return app.refuse(&cx, &arrived.open, CONSENT_DENIED).await;
    }
    if let (Some(account), Some(request)) = (&arrived.assessment.account, &arrived.open.journey.request) {
        app.store.keep_consent(&account.id, &request.client_id, &request.scope_with_claims()).await?;
    }
    arrived.open.journey.proofs.add(Method::Consent, app.clock.now());
    app.save_and_resume(&cx, arrived.open).await
}
