//! Sending one-time codes: which number, how often, how many in a day. Bound to the journey and its browser.

use std::time::Duration;

use web::clock::Timestamp;

use crate::app::{App, Trouble};
use crate::domain::account::Account;
use crate::ephemeral::journeys::{self, Open};
use crate::journey::SentCode;

const DAY: Duration = Duration::from_hours(24);

/// What asking for a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    Sent,
    /// Another request of the same journey was first.
    Overtaken,
    TooSoon,
    /// One of the day's limits is reached.
    LimitReached,
}

/// What a code's keyed hash is bound to.
pub fn context(open: &Open) -> String {
    format!("{} {}", open.id, open.journey.browser)
}

/// When the next code may be sent.
pub fn next_at(app: &App, sent: &SentCode) -> Timestamp {
    sent.sent_at.plus(Duration::from_secs(app.config.codes.resend_seconds.into()))
}

/// Sends a new code, which replaces the one before.
///
/// # Errors
/// A backend's.
pub async fn send(app: &App, open: &mut Open, account: &Account) -> Result<Sending, Trouble> {
    let now = app.clock.now();
    if open.journey.code.as_ref().is_some_and(|sent| now < next_at(app, sent)) {
        return Ok(Sending::TooSoon);
    }
    let Some(sealed) = account.verified_phone().or(open.journey.pending_phone.as_deref()) else {
        return Ok(Sending::LimitReached);
    };
    let e164 = app.store.open_phone(sealed)?;
    let rules = &app.config.codes;
    // A number that somebody typed is counted apart from one that its holder has proved: whoever types mine
    // uses nothing up of what I may be sent.
    let proved = if account.verified_phone().is_some() { "proved" } else { "typed" };
    let number = format!("sms-number-{proved}:{}", app.lookup.hash(&e164));
    let holder = format!("sms-account:{}", account.id.0);
    for (key, limit) in [(number.as_str(), rules.per_number_per_day), (&holder, rules.per_account_per_day)] {
        if app.is_exhausted(key, limit).await? {
            return Ok(Sending::LimitReached);
        }
    }
    if !app.within("sms-total", rules.total_per_day, DAY).await? {
        tracing::error!(
            limit = rules.total_per_day,
            "the day's budget of SMS is used up (codes.total_per_day)"
        );
        return Ok(Sending::LimitReached);
    }
    let (code, hash) = app.codes.issue(&context(open));
    open.journey.code = Some(SentCode {
        hash,
        sent_at: now,
        expires_at: now.plus(Duration::from_secs(u64::from(rules.minutes) * 60)),
        tries_left: rules.tries,
    });
    if !journeys::save(&app.ephemeral, open, app.journey_lifetime()).await? {
        return Ok(Sending::Overtaken);
    }
    let is_within = app.within(&number, rules.per_number_per_day, DAY).await?
        && app.within(&holder, rules.per_account_per_day, DAY).await?;
    if !is_within {
        return Ok(Sending::LimitReached);
    }
    let mut write = app.store.begin_write().await?;
    app.send_code(&mut write, &e164, &code, account.language, open.journey.client_id.as_deref()).await?;
    write.commit().await?;
    app.delivery.wake();
    Ok(Sending::Sent)
}
