//! For machines: whether the process lives, whether it can serve, and the clock of a development setting.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::time::timeout;

use crate::app::App;
use crate::http::error::AppError;
use crate::http::form::AnyForm;
use crate::http::names;

/// How long a scrape waits for what has to be asked for; after that it shows what was seen last.
const SCRAPE_WAITS: Duration = Duration::from_millis(250);

/// `GET /healthz`: the process answers.
#[allow(clippy::unused_async, reason = "handlers are async")]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: whether the stores take what people write, and if not, which one does not and why. The provider is not
/// asked: the portal shows its own pages without it, and the two may start in any order.
pub async fn readyz(State(app): State<Arc<App>>) -> Response {
    app.health.report().await.response(&json!({}))
}

/// `GET /metrics`: what was counted, and what the last look at the stores came to; at once, whatever hangs.
pub async fn metrics(State(app): State<Arc<App>>) -> Response {
    let looking = Arc::clone(&app);
    // It goes on by itself if the scrape does not wait for its end: the next one shows what it saw.
    let _ = timeout(SCRAPE_WAITS, tokio::spawn(async move { looking.health.report().await })).await;
    app.metrics.response()
}

/// `POST /dev/clock/advance`: moves the clock forward. Only routed in a development configuration.
pub async fn advance_clock(
    State(app): State<Arc<App>>,
    AnyForm(fields): AnyForm,
) -> Result<Response, AppError> {
    let seconds: u64 = fields.trimmed(names::SECONDS).parse().map_err(|_| AppError::BadInput)?;
    if seconds > 10 * 365 * 24 * 3600 {
        return Err(AppError::BadInput);
    }
    app.clock.advance(Duration::from_secs(seconds));
    Ok(Json(json!({ "now": app.clock.now().rfc3339() })).into_response())
}
