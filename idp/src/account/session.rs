//! How long the holder's session still has, for the script that warns; the one action that extends it; and the page
//! that is there when it has ended.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::ending::{is_script, told};
use platform::local_path::local_path;
use platform::request::append;
use serde::Serialize;

use crate::app::Shared;
use crate::http::kept::ended_url;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller, Form, SignedIn};

/// `idp/session_ended.html`
#[derive(Clone, Debug, Serialize)]
pub struct EndedPage {
    /// `session-WHY-title`, `-text` and `-button` are its texts: `ended`, or `elsewhere` if another window goes on.
    pub why: &'static str,
    pub go_on_url: String,
}

impl EndedPage {
    pub fn sample() -> Self {
        Self { why: "ended", go_on_url: paths::SIGNIN.into() }
    }
}

/// `GET /session`: the seconds left, without extending anything (T32); zero when it has ended.
pub async fn remaining(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let session = app.session_of(&cx).await?;
    Ok(told(session.map(|session| app.ending(&session))))
}

/// `POST /session/extend`: the holder is still there. A script gets the seconds left, a form goes back to its page
/// (`return_to`).
pub async fn extend(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let session = SignedIn::of(&app, &cx).await?.map(|holder| holder.session);
    if is_script(&cx.headers) {
        return Ok(told(session.map(|session| app.ending(&session))));
    }
    let return_to = fields.get(names::RETURN_TO).and_then(local_path).unwrap_or(paths::ACCOUNT);
    Ok(see_other(&if session.is_some() { return_to.to_owned() } else { ended_url(return_to) }))
}

/// `GET /session/ended`: where pages go whose time ran out. Extends nothing: another window may still be at work,
/// and then this page says so.
pub async fn ended(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let lives = app.session_of(&cx).await?.is_some();
    let return_to = cx.query("return_to");
    let page = if lives {
        let go_on_url = local_path(&return_to).unwrap_or(paths::ACCOUNT).to_owned();
        EndedPage { why: "elsewhere", go_on_url }
    } else {
        // These pages ask for a sign-in themselves, and are there again after it.
        let comes_back = |page: &&str| page.starts_with("/account/") || page.starts_with(paths::DESK);
        let go_on_url = local_path(&return_to).filter(comes_back).unwrap_or(paths::SIGNIN).to_owned();
        EndedPage { why: "ended", go_on_url }
    };
    let mut response = app.page(&cx, None, StatusCode::OK, "idp/session_ended.html", &page);
    if !lives && cx.cookie(names::SESSION_COOKIE).is_some() {
        // A stale cookie traps nobody.
        append(&mut response, cx.front.cookies.clear(names::SESSION_COOKIE));
    }
    Ok(response)
}
