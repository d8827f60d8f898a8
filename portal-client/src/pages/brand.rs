//! The look of this portal, as files.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use platform::look;

use crate::app::App;
use crate::http::extract::Caller;
use crate::http::names;

/// `GET /brand/{*path}`: the colour and the logo of this portal.
pub async fn file(State(app): State<Arc<App>>, Path(path): Path<String>, Caller(cx): Caller) -> Response {
    look::file([app.settings.look()], &path, &cx.query(names::VERSION))
}
