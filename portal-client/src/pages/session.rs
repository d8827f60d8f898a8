//! How long a session still has, for the script that warns; and the one action that extends it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Redirect, Response};
use serde_json::json;

use super::extract::{Caller, Form, SignedIn};
use super::failure::Failure;
use crate::app::App;
use crate::{paths, session};

/// `GET /session`: the seconds left, without extending anything (T32); zero when it has ended.
pub async fn remaining(State(app): State<Arc<App>>, Caller(visit): Caller) -> Result<Response, Failure> {
    let session = match visit.cookie(session::COOKIE) {
        Some(token) => app.sessions.peek(&token).await?,
        None => None,
    };
    let ends_at = session.map(|session| session.ends_at(app.settings.session));
    let seconds = ends_at.map_or(0, |at| at.since(app.clock.now()).as_secs());
    Ok(Json(json!({ "remaining_seconds": seconds })).into_response())
}

/// `POST /session/extend`: somebody is still there. A script gets the seconds left, a form goes back to
/// its page.
pub async fn extend(
    State(app): State<Arc<App>>,
    signed_in: SignedIn,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let accepts = signed_in.visit.headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    if accepts.is_some_and(|accepts| accepts.starts_with("application/json")) {
        let ends_at = signed_in.session.ends_at(app.settings.session);
        let seconds = ends_at.since(app.clock.now()).as_secs();
        return Ok(Json(json!({ "remaining_seconds": seconds })).into_response());
    }
    let return_to = paths::local(fields.get("return_to").unwrap_or(paths::HOME));
    Ok(Redirect::to(return_to).into_response())
}
