//! The pages of a sign-in. Each handler does four things: guard, act, save one proof, resume.

pub mod code;
pub mod consent;
pub mod new_password;
pub mod password;
pub mod phone;
pub mod terms;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::request::Visit;

use crate::app::{Answer, App, Shared, Trouble};
use crate::config::Client;
use crate::ephemeral::journeys::{self, Open};
use crate::form::Posted;
use crate::journey::{Next, Step};
use crate::oauth::resume::{Assessment, journey_url, see_other};
use crate::path;
use crate::protocol::error::ACCESS_DENIED;

/// A browser at the step where its journey is.
pub struct Arrived {
    pub open: Open,
    pub assessment: Assessment,
}

/// Lets a browser in at `step` only if that is what its journey asks for; otherwise says where to go.
///
/// # Errors
/// A backend's.
pub async fn arrive(app: &Shared, visit: &Visit, step: Step) -> Result<Result<Arrived, Response>, Trouble> {
    let Some(open) = app.journey_of(visit).await? else { return Ok(Err(app.journey_gone(visit).await?)) };
    let assessment = app.assess(visit, &open.journey).await?;
    if assessment.next == Next::Ask(step) {
        return Ok(Ok(Arrived { open, assessment }));
    }
    Ok(Err(app.resume(visit, open).await?))
}

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
    ///
    /// # Errors
    /// The database's.
    pub async fn about_client(&self, client: &Client) -> Result<AboutClient, Trouble> {
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
        visit: &Visit,
        open: &Open,
        status: StatusCode,
        template: &str,
        page: &impl Serialize,
    ) -> Response {
        self.client_page(visit, open.journey.client_id.as_deref(), status, template, page)
    }
}

/// Runs the handler of a step for a browser that is there, and shows the others where to go.
pub async fn at_step<'a, F>(
    app: &'a Shared,
    visit: &'a Visit,
    step: Step,
    act: impl FnOnce(Arrived) -> F + Send + 'a,
) -> Response
where
    F: Future<Output = Result<Response, Trouble>> + Send + 'a,
{
    run(app, visit, async move {
        match arrive(app, visit, step).await? {
            Ok(arrived) => act(arrived).await,
            Err(elsewhere) => Ok(elsewhere),
        }
    })
    .await
}

/// Runs a handler; trouble becomes a page.
pub async fn run<'a, F>(app: &'a Shared, visit: &'a Visit, handler: F) -> Response
where
    F: Future<Output = Result<Response, Trouble>> + Send + 'a,
{
    let answer: Answer<'a> = Box::pin(handler);
    match answer.await {
        Ok(response) => response,
        Err(trouble) => app.trouble(visit, &trouble),
    }
}

/// `GET /signin`: goes on with the journey in the URL; without one, begins a sign-in to the account page.
pub async fn enter(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    if let Err(wait) = app.flood.check(visit.address) {
        return app.too_many(&visit, wait);
    }
    run(&app, &visit, async {
        let open = match app.journey_of(&visit).await? {
            Some(open) => open,
            None => app.begin_journey(&visit, None, None).await?,
        };
        app.resume(&visit, open).await
    })
    .await
}

/// `GET /cookies`: anybody. A browser without our cookie is given one and sent here again; if it comes without one then
/// too, it keeps none. Any other came with a sign-in that is over.
pub async fn cookies(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    run(&app, &visit, async {
        if !visit.browser_is_new {
            return app.journey_gone(&visit).await;
        }
        if visit.query("tried") == "1" {
            return Ok(app.cookies_off(&visit));
        }
        // What stands in the URL is not trusted: only what can be the name of a journey goes along.
        let journey: String = visit.query("journey").chars().filter(|c| is_of_a_name(*c)).collect();
        Ok(see_other(&format!("{}&tried=1", journey_url(path::COOKIES, &journey))))
    })
    .await
}

/// Whether a character can stand in an identifier that this server made.
fn is_of_a_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// `POST /signin/cancel`: the person does not want to sign in; the portal is told (`access_denied`). Who came without
/// one is shown the way to it.
pub async fn cancel(State(app): State<Shared>, Extension(visit): Extension<Visit>, _: Posted) -> Response {
    run(&app, &visit, async {
        match app.journey_of(&visit).await? {
            Some(open) if open.journey.request.is_some() => app.refuse(&visit, &open, ACCESS_DENIED).await,
            Some(open) => {
                journeys::finish(&app.ephemeral, &open).await?;
                Ok(see_other(path::HOME))
            }
            None => app.journey_gone(&visit).await,
        }
    })
    .await
}
