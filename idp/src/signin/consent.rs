//! Step: may this client learn this? Asked for clients of others only.

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::request::Visit;

use super::at_step;
use crate::app::Shared;
use crate::config::ScopeSet;
use crate::form::Posted;
use crate::journey::Step;
use crate::oauth::resume::journey_url;
use crate::path;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::error::CONSENT_DENIED;

/// `idp/signin_consent.html`
#[derive(Clone, Debug, Serialize)]
pub struct ConsentPage {
    pub action: String,
    pub client_name: String,
    /// Text keys.
    pub scopes: Vec<String>,
}

impl ConsentPage {
    pub fn sample() -> Self {
        let scopes = ["openid", "profile", "email", "phone", "care_team", "offline_access"];
        Self {
            action: "/signin/consent?journey=x".into(),
            client_name: "Voorbeeld".into(),
            scopes: scopes.map(|scope| format!("scope-{scope}")).to_vec(),
        }
    }
}

/// `GET /signin/consent`: whoever signed in in this journey.
pub async fn get(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    at_step(&app, &visit, Step::Consent, async |arrived| {
        let scope = arrived
            .open
            .journey
            .request
            .as_ref()
            .map(AuthorizationRequest::scope_with_claims)
            .unwrap_or_default();
        let client = arrived.assessment.client.as_ref().map(|client| &client.client);
        let page = ConsentPage {
            action: journey_url(path::SIGNIN_CONSENT, &arrived.open.id),
            client_name: client
                .map(
                    |client| {
                        if client.client_name.is_empty() { &client.client_id } else { &client.client_name }
                    },
                )
                .cloned()
                .unwrap_or_default(),
            scopes: ScopeSet::parse(&scope).iter().map(|scope| format!("scope-{scope}")).collect(),
        };
        Ok(app.step_page(&visit, &arrived.open, StatusCode::OK, "idp/signin_consent.html", &page))
    })
    .await
}

/// `POST /signin/consent`: twice at once writes the same answer twice.
pub async fn post(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    at_step(&app, &visit, Step::Consent, async |mut arrived| {
        if fields.get("accept") != Some("yes") {
            return app.refuse(&visit, &arrived.open, CONSENT_DENIED).await;
        }
        if let (Some(account), Some(request)) = (&arrived.assessment.account, &arrived.open.journey.request) {
            app.store.keep_consent(&account.id, &request.client_id, &request.scope_with_claims()).await?;
        }
        arrived.open.journey.proofs.consent_at = Some(app.clock.now());
        app.save_and_resume(&visit, arrived.open).await
    })
    .await
}
