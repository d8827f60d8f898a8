//! The pages of a sign-in. Each handler does four things: guard, act, save one proof, resume.

pub mod app;
pub mod at_step;
pub mod code;
pub mod consent;
mod identified;
pub mod new_app;
pub mod new_passkey;
pub mod new_password;
pub mod other_ways;
pub mod passkey;
pub mod password;
pub mod phone;
pub mod recover;
pub mod recovery_code;
pub mod register;
pub mod terms;
pub mod with_passkey;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::request::RequestContext;
use serde::Serialize;

use crate::app::{App, ServiceError, Shared};
use crate::config::Client;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Caller, Form};
use crate::protocol::error::ACCESS_DENIED;
use crate::store::ephemeral::journeys::{self, Open};

/// What a client of others says of itself (OpenID Connect Dynamic Client Registration 1.0 section 2), on the pages
/// where people decide whether to go on to it.
#[derive(Clone, Debug, Serialize)]
pub struct AboutClient {
    pub name: String,
    /// A `data:` URI: no browser fetches it from the client.
    pub logo: Option<String>,
    pub uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
}

impl AboutClient {
    pub fn sample() -> Self {
        Self {
            name: "Voorbeeld".into(),
            logo: Some("data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=".into()),
            uri: Some("https://portal.example/".into()),
            policy_uri: Some("https://portal.example/privacy".into()),
            tos_uri: Some("https://portal.example/terms".into()),
        }
    }
}

impl App {
    /// What a client says of itself.
    pub async fn about_client(&self, client: &Client) -> Result<AboutClient, ServiceError> {
        let name = if client.client_name.is_empty() { &client.client_id } else { &client.client_name };
        let is_of_the_file = self.registry.client(&client.client_id).is_some();
        let logo = if is_of_the_file { None } else { self.store.client_logo(&client.client_id).await? };
        Ok(AboutClient {
            name: name.clone(),
            logo,
            uri: client.client_uri.clone(),
            policy_uri: client.policy_uri.clone(),
            tos_uri: client.tos_uri.clone(),
        })
    }

    /// A page of a sign-in; its form may end at the portal.
    pub fn step_page(
        &self,
        cx: &RequestContext,
        open: &Open,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Response {
        self.client_page(cx, open.journey.client_id.as_deref(), status, template, page)
    }
}

/// `GET /signin`: goes on with the journey in the URL; without one, begins a sign-in to the account page.
pub async fn enter(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    app.flood.check(cx.address).map_err(AppError::TooMany)?;

    let open = match app.journey_of(&cx).await? {
        Some(open) => open,
        None => app.begin_journey(&cx, None, None).await?,
    };
    app.resume(&cx, open).await
}

/// `GET /cookies`: anybody. A browser without our cookie is given one and sent here again; if it comes without one then
/// too, it keeps none. Any other came with a sign-in that is over.
pub async fn cookies(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    if !cx.browser_is_new {
        return app.journey_gone(&cx).await;
    }
    if cx.query("tried") == "1" {
        return Err(AppError::CookiesOff);
    }
    // What stands in the URL is not trusted: only what can be the name of a journey goes along.
    let journey: String = cx.query("journey").chars().filter(|c| is_of_a_name(*c)).collect();
    Ok(see_other(&format!("{}&tried=1", journey_url(paths::COOKIES, &journey))))
}

/// Whether a character can stand in an identifier that this server made.
fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// `POST /signin/cancel`: the person does not want to sign in; the portal is told (`access_denied`). Who came without
/// one is shown the way to it.
pub async fn cancel(
    State(app): State<Shared>,
    Form(Caller(cx), _): Form<Caller>,
) -> Result<Response, AppError> {
    match app.journey_of(&cx).await? {
        Some(open) if open.journey.request.is_some() => app.refuse(&cx, &open, ACCESS_DENIED).await,
        Some(open) => {
            journeys::finish(&app.ephemeral, &open).await?;
            Ok(see_other(paths::HOME))
        }
        None => app.journey_gone(&cx).await,
    }
}
