//! Signing in: off to the provider, and back with what it says.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use url::Url;
use web::ephemeral::Limit;
use web::flood::household;
use web::request::{Visit, append};
use web::seal::sha256;

use super::extract::{Caller, query};
use super::failure::Failure;
use super::sign_out;
use crate::app::App;
use crate::oidc::{Asked, Pending, Purpose, SignInAnswer};
use crate::session::Start;
use crate::{paths, session};

/// How long a sign-in may take: somebody may have to make an account and find the mail first.
const PATIENCE: Duration = Duration::from_hours(2);

/// Bytes of a path to return to. It is kept while the sign-in lasts, and anybody may name one.
const LONGEST_PATH: usize = 2_000;

/// A sign-in under way and the browser it started in.
#[derive(Serialize, Deserialize)]
struct Kept {
    pending: Pending,
    browser: String,
}

/// `GET /login`: starts a sign-in. The desk's pages ask for the second factor and the role; after a session that
/// ended without a sign-out, a new proof is asked for, since the provider's may live on.
pub async fn login(State(app): State<Arc<App>>, Caller(visit): Caller) -> Result<Response, Failure> {
    app.sign_ins.check(visit.address).map_err(|wait| Failure::TooMany(wait.as_secs() + 1))?;
    let wanted = query(&visit)?;
    let return_to = wanted.get("return_to").filter(|path| path.len() <= LONGEST_PATH).unwrap_or(paths::HOME);
    let return_to = paths::local(return_to).to_owned();
    let team = return_to == paths::TEAM || return_to.starts_with("/team/") || return_to.starts_with("/team?");
    let has_ended = match visit.cookie(session::COOKIE) {
        Some(token) => app.sessions.peek(&token).await?.is_none(),
        None => false,
    };
    let asked = Asked {
        return_to,
        purpose: if team { Purpose::Team } else { Purpose::Person },
        anew: has_ended || visit.cookie(session::ENDED_COOKIE).is_some(),
    };
    let url = start(&app, &visit, asked).await?;
    Ok(Redirect::to(url.as_str()).into_response())
}

/// Where the browser goes; what is needed to end the sign-in is kept, bound to this browser.
///
/// # Errors
/// The provider's and the store's.
pub async fn start(app: &App, visit: &Visit, asked: Asked) -> Result<Url, Failure> {
    let (here, limits) = (format!("room-sign-ins:{}", household(visit.address)), &app.settings.limits);
    let room = [
        Limit { key: &here, most: limits.open_per_address, window: PATIENCE },
        Limit { key: "room-sign-ins", most: limits.open_in_all, window: PATIENCE },
    ];
    // Who has proved nothing begins them: docs/decisions/0022.
    if let Err(full) = app.ephemeral.reserve(&room).await? {
        return Err(Failure::TooMany(full.until.since(app.clock.now()).as_secs() + 1));
    }
    let (url, pending) = app.provider.start(asked, visit.language, &app.random).await?;
    let key = pending_key(&pending.state);
    let kept = Kept { pending, browser: sha256(&visit.browser) };
    let sealed = app.drafts.seal(&to_json(&kept)?);
    app.ephemeral.put(&key, &sealed, PATIENCE).await?;
    Ok(url)
}

/// `GET /cookies`: anybody. A browser without our cookie is given one and sent here again; if it comes without one then
/// too, it keeps none. Any other came back with a sign-in that is not known here.
///
/// # Errors
/// [`Failure::CookiesOff`] or [`Failure::LostSignIn`].
pub async fn cookies(Caller(visit): Caller) -> Result<Response, Failure> {
    if !visit.browser_is_new {
        return Err(Failure::LostSignIn);
    }
    if visit.query("tried") == "1" {
        return Err(Failure::CookiesOff);
    }
    Ok(Redirect::to(&format!("{}?tried=1", paths::COOKIES)).into_response())
}

/// `GET /callback`: ends a sign-in.
pub async fn callback(State(app): State<Arc<App>>, Caller(visit): Caller) -> Result<Response, Failure> {
    app.sign_ins.check(visit.address).map_err(|wait| Failure::TooMany(wait.as_secs() + 1))?;
    let answer = query(&visit)?;
    let Some(pending) = taken(&app, &visit, answer.get("state")).await? else {
        return already_in(&app, &visit).await;
    };
    let said = SignInAnswer { code: answer.get("code"), iss: answer.get("iss"), error: answer.get("error") };
    if pending.asked.purpose == Purpose::SignOut {
        return Ok(sign_out::with_hint(&app, &visit, &pending, said).await);
    }
    let sign_in = app.provider.finish(&pending, said).await?;
    let old = visit.cookie(session::COOKIE);
    let token = match app.sessions.start(&app.random, &sign_in, old.as_deref()).await? {
        Start::Begun(token) => token,
        Start::Ended => return Err(Failure::LostSignIn),
        Start::ProofTooOld => return Err(Failure::SessionEnded(pending.asked.return_to)),
    };
    app.outcomes.signed_in();
    let mut response = Redirect::to(&pending.asked.return_to).into_response();
    let cookies = visit.front.cookies;
    append(&mut response, cookies.set(session::COOKIE, &token, None));
    append(&mut response, cookies.clear(session::ENDED_COOKIE));
    Ok(response)
}

/// The sign-in that this `state` belongs to, once, and in the browser where it started.
async fn taken(app: &App, visit: &Visit, state: Option<&str>) -> Result<Option<Pending>, Failure> {
    let Some(state) = state else { return Ok(None) };
    let Some(sealed) = app.ephemeral.take(&pending_key(state)).await? else { return Ok(None) };
    let opened = app.drafts.open(&sealed).map_err(|error| Failure::Internal(error.to_string()))?;
    // One that another version of this program kept is started over.
    let Ok(kept) = serde_json::from_slice::<Kept>(&opened) else { return Ok(None) };
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
