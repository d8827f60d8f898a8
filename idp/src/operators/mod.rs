//! For those who run it: whether it can serve, what it has counted, what runs beside the requests, where gateways report,
//! and what only a development configuration has.

pub mod dev;
pub mod jobs;
pub mod reports;

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use tokio::time::timeout;

use crate::app::{App, Shared};
use crate::delivery::Kind;
use crate::keys::Phase;

/// How long a scrape waits for what has to be asked for; after that it shows what was seen last.
const SCRAPE_WAITS: Duration = Duration::from_millis(250);
/// A question to a backend that hangs is given up.
const PATIENCE: Duration = Duration::from_secs(3);

/// `GET /readyz`: whether this node can serve, and if not, which backend keeps it and why; tells how old the oldest mail
/// or SMS is that waits, in seconds. A logout token waits for a portal, which is not this node's trouble.
pub async fn ready(State(app): State<Shared>) -> Response {
    let report = app.health.report().await;
    let mut told = json!({});
    if report.is_ready()
        && let Ok(Some(oldest)) = timeout(PATIENCE, oldest_message(&app)).await
    {
        told = json!({ "outbox_age_seconds": oldest.as_secs() });
    }
    report.response(&told)
}

async fn oldest_message(app: &App) -> Option<Duration> {
    let mut oldest = Duration::ZERO;
    for kind in [Kind::Mail, Kind::Sms] {
        oldest = oldest.max(app.store.queue_age(kind).await.ok()?.unwrap_or_default());
    }
    Some(oldest)
}

/// `GET /metrics`: at once, whatever hangs.
pub async fn metrics(State(app): State<Shared>) -> Response {
    let looking = app.clone();
    // It goes on by itself if the scrape does not wait for its end: the next one shows what it saw.
    let _ = timeout(SCRAPE_WAITS, tokio::spawn(async move { observe(&looking).await })).await;
    app.outcomes.password_queue(app.passwords.waiting());
    let now = app.clock.now();
    for key in app.keys.list().into_iter().filter(|key| key.phase == Phase::Signing) {
        app.outcomes.key_age(&key.algorithm, now.seconds() - key.signs_from.seconds());
    }
    app.metrics.response()
}

/// Looks at what is shown and has to be asked for. A node without its backends is seen by their gauges.
pub async fn observe(app: &App) {
    if !app.health.report().await.is_ready() {
        return;
    }
    for kind in Kind::ALL {
        if let Ok(Ok(age)) = timeout(PATIENCE, app.store.queue_age(kind)).await {
            app.delivery.metrics().oldest(kind, age.unwrap_or_default());
        }
    }
    if let Ok(Ok((used, limit))) = timeout(PATIENCE, app.delivery.budget().used()).await {
        app.delivery.metrics().budget(used, limit);
    }
}
