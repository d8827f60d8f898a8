//! Signing in: off to the provider, and back with what it says.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use platform::request::RequestContext;

use super::{sign_out, under_way};
use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::{Anybody, Caller, FewSignIns, Query};
use crate::http::{names, paths, session_cookie};
use crate::oidc::{Asked, Purpose, SignInAnswer};
use crate::session::Start;

/// Bytes of a path to return to. It is kept while the sign-in lasts, and anybody may name one.
const LONGEST_PATH: usize = 2_000;

/// `GET /login`: starts a sign-in. The desk's pages ask for the second factor and the role; after a session that
/// ended without a sign-out, a new proof is asked for, since the provider's may live on.
pub async fn login(
    State(app): State<Arc<App>>,
    _: FewSignIns,
    Query(wanted): Query,
    Anybody { cx, token, session }: Anybody,
) -> Result<Response, AppError> {
    let return_to =
        wanted.get(names::RETURN_TO).filter(|path| path.len() <= LONGEST_PATH).unwrap_or(paths::HOME);
    let return_to = paths::local(return_to).to_owned();
    let team = return_to == paths::TEAM || return_to.starts_with("/team/") || return_to.starts_with("/team?");
    let has_ended = token.is_some() && session.is_none();
    let asked = Asked {
        return_to,
        purpose: if team { Purpose::Team } else { Purpose::Person },
        anew: has_ended || session_cookie::says_ended(&cx),
    };
    let url = under_way::start(&app, &cx, asked).await?;
    Ok(Redirect::to(url.as_str()).into_response())
}

/// `GET /cookies`: anybody. A browser without our cookie is given one and sent here again; if it comes without one then
/// too, it keeps none. Any other came back with a sign-in that is not known here.
///
/// # Errors
/// [`AppError::CookiesOff`] or [`AppError::LostSignIn`].
pub async fn cookies(Caller(cx): Caller) -> Result<Response, AppError> {
    if !cx.browser_is_new {
        return Err(AppError::LostSignIn);
    }
    if cx.query(names::TRIED) == "1" {
        return Err(AppError::CookiesOff);
    }
    Ok(Redirect::to(&format!("{}?{}=1", paths::COOKIES, names::TRIED)).into_response())
}

/// `GET /callback`: ends a sign-in.
pub async fn callback(
    State(app): State<Arc<App>>,
    _: FewSignIns,
    Query(answer): Query,
    Caller(cx): Caller,
) -> Result<Response, AppError> {
    let Some(pending) = under_way::take(&app, &cx, answer.get(names::STATE)).await? else {
        return already_in(&app, &cx).await;
    };
    let said = SignInAnswer {
        code: answer.get(names::CODE),
        iss: answer.get(names::ISS),
        error: answer.get(names::ERROR),
    };
    if pending.asked.purpose == Purpose::SignOut {
        return Ok(sign_out::with_hint(&app, &cx, &pending, said).await);
    }
    let sign_in = app.provider.finish(&pending, said).await?;
    let old = session_cookie::token(&cx);
    let token = match app.sessions.start(&app.random, &sign_in, old.as_deref()).await? {
        Start::Begun(token) => token,
        Start::Ended => return Err(AppError::LostSignIn),
        Start::ProofTooOld => return Err(AppError::SessionEnded(pending.asked.return_to)),
    };
    app.outcomes.signed_in();
    let mut response = Redirect::to(&pending.asked.return_to).into_response();
    session_cookie::begin(&cx, &mut response, &token);
    Ok(response)
}

/// A page loaded twice, or the back button: whoever is signed in just goes on.
async fn already_in(app: &App, cx: &RequestContext) -> Result<Response, AppError> {
    let session = match session_cookie::token(cx) {
        Some(token) => app.sessions.peek(&token).await?,
        None => None,
    };
    match session {
        Some(_) => Ok(Redirect::to(paths::HOME).into_response()),
        None => Err(AppError::LostSignIn),
    }
}
