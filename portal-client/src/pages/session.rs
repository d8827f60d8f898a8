//! How long a session still has, for the script that warns; and the one action that extends it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use web::ending::{is_script, told};

use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::{Caller, Form, SignedIn};
use crate::http::{paths, session_cookie};

/// `GET /session`: the seconds left, without extending anything (T32); zero when it has ended.
pub async fn remaining(State(app): State<Arc<App>>, Caller(visit): Caller) -> Result<Response, AppError> {
    let session = match session_cookie::token(&visit) {
        Some(token) => app.sessions.peek(&token).await?,
        None => None,
    };
    Ok(told(
        session.map(|session| session.ending(app.settings.session, app.clock.now(), paths::SIGNED_OUT_IDLE)),
    ))
}

/// `POST /session/extend`: somebody is still there. A script gets the seconds left, a form goes back to
/// its page.
pub async fn extend(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Form(fields): Form,
) -> Result<Response, AppError> {
    if is_script(&signed_in.visit.headers) {
        return Ok(told(Some(signed_in.session.ending(
            app.settings.session,
            app.clock.now(),
            paths::SIGNED_OUT_IDLE,
        ))));
    }
    let return_to = paths::local(fields.get("return_to").unwrap_or(paths::HOME));
    Ok(Redirect::to(return_to).into_response())
}
