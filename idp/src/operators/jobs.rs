//! What runs beside the requests: delivering, cleaning up, rotating keys.

use std::time::Duration;

use platform::shutdown::Shutdown;
use tokio::time::interval;

use crate::app::{ServiceError, Shared};

/// How long ended sessions, and grants with them, are kept: a replayed code must be recognised.
const KEEP_ENDED: Duration = Duration::from_hours(24 * 30);
/// How long an address may stay unconfirmed.
const KEEP_UNCONFIRMED: Duration = Duration::from_hours(24 * 7);

/// Starts every job; they end with the server.
pub fn start(app: &Shared, shutdown: &Shutdown) {
    let (deliverer, stop) = (app.clone(), shutdown.clone());
    tokio::spawn(async move { deliverer.delivery.run(stop).await });
    every(Duration::from_mins(1), app, shutdown, |app| async move {
        app.keys.maintain().await?;
        app.note_asked_algorithms().await
    });
    // Nobody may be asking: the log tells it all the same, and the clock is compared.
    every(Duration::from_secs(5), app, shutdown, |app| async move {
        app.health.report().await;
        Ok(())
    });
    every(Duration::from_mins(1), app, shutdown, |app| async move { sweep(&app).await });
    every(Duration::from_mins(10), app, shutdown, |app| async move { clean_up(&app).await });
}

/// Removes what has expired. Often, for anybody can make more of it.
pub async fn sweep(app: &Shared) -> Result<(), ServiceError> {
    app.flood.sweep();
    app.client_flood.sweep();
    app.once.sweep();
    app.ephemeral.sweep().await?;
    Ok(())
}

/// Removes what has served its time.
pub async fn clean_up(app: &Shared) -> Result<(), ServiceError> {
    let now = app.clock.now();
    app.store.remove_old_sessions(now.minus(KEEP_ENDED)).await?;
    app.store.remove_unconfirmed(now.minus(KEEP_UNCONFIRMED)).await?;
    app.store.remove_mail_links(now.minus(KEEP_UNCONFIRMED)).await?;
    app.store.remove_messages(KEEP_ENDED).await?;
    app.store.remove_undelivered(KEEP_ENDED).await?;
    app.store.remove_initial_tokens().await?;
    while app.store.fill_search_names().await? {}
    let days = |days: u32| (days > 0).then(|| now.minus(Duration::from_hours(24 * u64::from(days))));
    if let Some(before) = days(app.config.retention.audit_days) {
        app.store.remove_audit(before).await?;
    }
    if let Some(before) = days(app.config.retention.devices_days) {
        app.store.remove_devices(before).await?;
    }
    Ok(())
}

fn every<F, R>(period: Duration, app: &Shared, shutdown: &Shutdown, job: F)
where
    F: Fn(Shared) -> R + Send + 'static,
    R: Future<Output = Result<(), ServiceError>> + Send,
{
    let (app, mut stop) = (app.clone(), shutdown.clone());
    tokio::spawn(async move {
        let mut ticks = interval(period);
        loop {
            tokio::select! {
                () = stop.requested() => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = job(app.clone()).await {
                app.note("a job, which will be tried again,", &error);
            }
        }
    });
}
