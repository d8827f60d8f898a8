//! Signing in: off to the provider, and back with what it says.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use web::request::Visit;
use web::seal::sha256;

use super::extract::{Caller, query};
use super::failure::Failure;
use crate::app::App;
use crate::oidc::{Asked, Pending, SignInAnswer};
use crate::{paths, session};

/// How long a sign-in may take: somebody may have to make an account and find the mail first.
const PATIENCE: Duration = Duration::from_hours(2);

/// A sign-in under way and the browser it started in.
#[derive(Serialize, Deserialize)]
struct Kept {
    pending: Pending,
    browser: String,
}

/// `GET /login`: starts a sign-in and keeps what is needed to end it, bound to this browser. The desk's
/// pages ask for the second factor and the role.
pub async fn login(State(app): State<Arc<App>>, Caller(visit): Caller) -> Result<Response, Failure> {
    app.sign_ins.check(visit.address).map_err(|wait| Failure::TooMany(wait.as_secs() + 1))?;
    let return_to = paths::local(query(&visit)?.get("return_to").unwrap_or(paths::HOME)).to_owned();
    let team = return_to == paths::TEAM || return_to.starts_with("/team/") || return_to.starts_with("/team?");
    let (url, pending) = app.provider.start(Asked { return_to, team }, visit.language, &app.random).await?;
    let key = pending_key(&pending.state);
    let kept = Kept { pending, browser: sha256(&visit.browser) };
    let sealed = app.drafts.seal(&to_json(&kept)?);
    app.ephemeral.put(&key, &sealed, PATIENCE).await?;
    Ok(Redirect::to(url.as_str()).into_response())
}

/// `GET /callback`: ends a sign-in.
pub async fn callback(State(app): State<Arc<App>>, Caller(visit): Caller) -> Result<Response, Failure> {
    app.sign_ins.check(visit.address).map_err(|wait| Failure::TooMany(wait.as_secs() + 1))?;
    let answer = query(&visit)?;
    let Some(pending) = taken(&app, &visit, answer.get("state")).await? else {
        return already_in(&app, &visit).await;
    };
    let said = SignInAnswer { code: answer.get("code"), iss: answer.get("iss"), error: answer.get("error") };
    let sign_in = app.provider.finish(&pending, said).await?;
    let old = visit.cookie(session::COOKIE);
    let token = app.sessions.start(&app.random, &sign_in, old.as_deref()).await?;
    let mut response = Redirect::to(&pending.asked.return_to).into_response();
    let cookie = visit.front.cookies.set(session::COOKIE, &token, None);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// The sign-in that this `state` belongs to, once, and in the browser where it started.
async fn taken(app: &App, visit: &Visit, state: Option<&str>) -> Result<Option<Pending>, Failure> {
    let Some(state) = state else { return Ok(None) };
    let Some(sealed) = app.ephemeral.take(&pending_key(state)).await? else { return Ok(None) };
    let opened = app.drafts.open(&sealed).map_err(|error| Failure::Internal(error.to_string()))?;
    let kept: Kept = serde_json::from_slice(&opened).map_err(|error| Failure::Internal(error.to_string()))?;
    Ok(web::seal::same(&kept.browser, &sha256(&visit.browser)).then_some(kept.pending))
}

/// A page loaded twice, or the back button: whoever is signed in just goes on.
async fn already_in(app: &App, visit: &Visit) -> Result<Response, Failure> {
    let session = match visit.cookie(session::COOKIE) {
        Some(token) => app.sessions.peek(&token).await?,
        None => None,
    };
    match session {
        Some(_) => Ok(Redirect::to(paths::HOME).into_response()),
        None => Err(Failure::LostSignIn),
    }
}

fn pending_key(state: &str) -> String {
    format!("sign-in:{}", sha256(state))
}

/// A value as JSON, to be sealed.
pub(super) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, Failure> {
    serde_json::to_vec(value).map_err(|error| Failure::Internal(error.to_string()))
}
