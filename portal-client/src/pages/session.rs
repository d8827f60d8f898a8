//! How long a session still has, for the script that warns; and the one action that extends it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Redirect, Response};
use platform::ending::{is_script, told};

use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::{Anybody, SignedIn};
use crate::http::form::Form;
use crate::http::{names, paths};

/// `GET /session`: the seconds left, without extending anything (T32); zero when it has ended.
pub async fn remaining(
    State(app): State<Arc<App>>,
    Anybody { session, .. }: Anybody,
) -> Result<Response, AppError> {
    let ending =
        session.map(|session| session.ending(app.settings.session, app.clock.now(), paths::SIGNED_OUT_IDLE));
    Ok(told(ending))
}

/// `POST /session/extend`: somebody is still there. A script gets the seconds left, a form goes back to
/// its page.
pub async fn extend(
    State(app): State<Arc<App>>,
    SignedIn { cx, session }: SignedIn,
    Form(fields): Form,
) -> Result<Response, AppError> {
    if is_script(&cx.headers) {
        return Ok(told(Some(session.ending(app.settings.session, app.clock.now(), paths::SIGNED_OUT_IDLE))));
    }
    let return_to = paths::local(fields.get(names::RETURN_TO).unwrap_or(paths::HOME));
    Ok(Redirect::to(return_to).into_response())
}
