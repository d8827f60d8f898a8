//! Sign-ins under way: what is needed to end one is kept, sealed, until its browser comes back with it.

use std::time::Duration;

use platform::ephemeral::Limit;
use platform::rate_limiter::rate_limit_key;
use platform::request::RequestContext;
use platform::seal::sha256;
use serde::{Deserialize, Serialize};
use url::Url;

use crate::app::App;
use crate::http::error::AppError;
use crate::oidc::{Asked, Pending};

/// How long a sign-in may take: somebody may have to make an account and find the mail first.
const PATIENCE: Duration = Duration::from_hours(2);

/// A sign-in under way and the browser it started in.
#[derive(Serialize, Deserialize)]
struct Kept {
    pending: Pending,
    browser: String,
}

/// Where the browser goes; what is needed to end the sign-in is kept, bound to this browser.
pub(crate) async fn start(app: &App, cx: &RequestContext, asked: Asked) -> Result<Url, AppError> {
    let (here, limits) = (format!("room-sign-ins:{}", rate_limit_key(cx.address)), &app.settings.limits);
    let room = [
        Limit { key: &here, most: limits.open_per_address, window: PATIENCE },
        Limit { key: "room-sign-ins", most: limits.open_in_all, window: PATIENCE },
    ];
    // Who has proved nothing begins them: docs/decisions/0022.
    if let Err(full) = app.ephemeral.reserve(&room).await? {
        return Err(AppError::TooMany(full.until.since(app.clock.now()).as_secs() + 1));
    }
    let (url, pending) = app.provider.start(asked, cx.language, &app.random).await?;
    let key = pending_key(&pending.state);
    let kept = Kept { pending, browser: sha256(&cx.browser) };
    let sealed = app.drafts.seal(&serde_json::to_vec(&kept)?);
    app.ephemeral.put(&key, &sealed, PATIENCE).await?;
    Ok(url)
}

/// Takes the sign-in that this `state` belongs to, once, and in the browser where it started.
pub(crate) async fn take(
    app: &App,
    cx: &RequestContext,
    state: Option<&str>,
) -> Result<Option<Pending>, AppError> {
    let Some(state) = state else { return Ok(None) };
    let Some(sealed) = app.ephemeral.take(&pending_key(state)).await? else { return Ok(None) };
    let opened = app.drafts.open(&sealed)?;
    // One that another version of this program kept is started over.
    let Ok(kept) = serde_json::from_slice::<Kept>(&opened) else { return Ok(None) };
    Ok(platform::seal::same(&kept.browser, &sha256(&cx.browser)).then_some(kept.pending))
}

fn pending_key(state: &str) -> String {
    format!("sign-in:{}", sha256(state))
}
