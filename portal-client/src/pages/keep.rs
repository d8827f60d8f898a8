//! Forms that somebody comes back to: who changes the language while writing, or was away until the session ended, finds the
//! text again.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use platform::kept::{self, Holder};
use platform::request::{Fields, RequestContext};

use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::Caller;
use crate::http::form::Form;
use crate::http::{names, paths, session_cookie};
use crate::session::Session;

fn person(iss: &str, sub: &str) -> Holder {
    Holder::Person(format!("{iss}\n{sub}"))
}

/// The form that a page is to show again; empty if there is none.
pub async fn kept_form(app: &App, cx: &RequestContext, session: &Session) -> Result<Fields, AppError> {
    Ok(app.kept.find(cx, &person(&session.person.iss, &session.person.sub)).await?)
}

/// Keeps a form of whoever is behind this browser's session, also of one that ended by itself; the address of `page` that
/// shows it again. For a browser without a session it is the page as it is.
pub async fn keep_form(
    app: &App,
    cx: &RequestContext,
    page: &str,
    form: &Fields,
    has_ended: bool,
) -> Result<String, AppError> {
    let behind = match session_cookie::token(cx) {
        Some(token) => app.sessions.person_behind(&token).await?,
        None => None,
    };
    match behind {
        Some((iss, sub)) => Ok(app.kept.keep(cx, &person(&iss, &sub), page, form, has_ended).await?),
        None => Ok(page.to_owned()),
    }
}

/// `POST /kept`: a form that its writer leaves for the other language, or that stood on the page when the session ended
/// (`away`). Goes back to its page, where it stands as it was.
pub async fn keep(
    State(app): State<Arc<App>>,
    Caller(cx): Caller,
    Form(fields): Form,
) -> Result<Response, AppError> {
    let page = kept::page_of(&cx).unwrap_or_else(|| paths::HOME.to_owned());
    let is_away = cx.query(names::AWAY) == "1";
    let page = keep_form(&app, &cx, &page, &fields, is_away).await?;
    Ok(if is_away {
        Redirect::to(&paths::signed_out("idle", &page)).into_response()
    } else {
        Redirect::to(&page).into_response()
    })
}
