//! For machines: whether the process lives, whether it can serve, and the clock of a development setting.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::extract::read_form;
use super::failure::Failure;
use crate::app::App;

/// `GET /healthz`: the process answers.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the stores answer. The provider is not asked: the portal shows its own pages without it,
/// and the two may start in any order.
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    let database = sqlx::query("SELECT 1").execute(app.db.pool()).await.map_err(|error| error.to_string());
    let ephemeral = app.ephemeral.ping().await.map_err(|error| error.to_string());
    for (store, answer) in [("database", database.map(|_| ())), ("ephemeral", ephemeral)] {
        if let Err(cause) = answer {
            tracing::error!(store, %cause, "not ready");
            return (StatusCode::SERVICE_UNAVAILABLE, format!("{store} does not answer\n")).into_response();
        }
    }
    "ready\n".into_response()
}

/// `POST /dev/clock/advance`: moves the clock forward. Only routed in a development configuration.
pub async fn advance_clock(State(app): State<Arc<App>>, request: Request) -> Result<Response, Failure> {
    let fields = read_form(request, &app).await?;
    let seconds: u64 = fields.trimmed("seconds").parse().map_err(|_| Failure::BadInput)?;
    if seconds > 10 * 365 * 24 * 3600 {
        return Err(Failure::BadInput);
    }
    app.clock.advance(Duration::from_secs(seconds));
    Ok(Json(json!({ "now": app.clock.now().rfc3339() })).into_response())
}
