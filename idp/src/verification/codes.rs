//! One-time codes on their way: which number, how often, how many in a day; and whether a typed one is right. Bound to
//! the journey and its browser.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::ephemeral::Limit;
use platform::typed::code;

use super::wrong_codes::{self, DAY, LIMIT, PER_DAY, failures, is_closed};
use crate::app::notices::CodeSms;
use crate::app::{App, ServiceError};
use crate::domain::account::Account;
use crate::domain::journey::OtpChallenge;
use crate::store::ephemeral::journeys::{self, Open};

/// What asking for a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    Sent,
    /// Another request of the same journey was first.
    Overtaken,
    TooSoon,
    /// One of the day's limits is reached; see [`standing`].
    LimitReached,
}

/// What a try at a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    Right,
    /// Not looked at, or wrong: the text key that says so.
    Refused(&'static str),
    /// Another request changed the journey meanwhile: read it anew.
    Overtaken,
}

/// What the page of a code may offer.
#[derive(Clone, Copy, Debug)]
pub struct Standing {
    /// A code was sent in this journey and can still be given.
    pub has_code: bool,
    /// Until another one may be sent to this number.
    pub wait: Duration,
    /// Why no other one is sent today: a text key.
    pub limit: Option<&'static str>,
    /// The SMS with the code does not get out.
    pub is_stuck: bool,
    /// The limit is of wrong codes: the code that was sent is not looked at either.
    pub is_closed: bool,
}

/// What a code's keyed hash is bound to.
fn context(open: &Open) -> String {
    format!("{} {}", open.id, open.journey.browser)
}

/// The counters of one number of one account.
struct Counters {
    number: String,
    holder: String,
    wait: String,
    failures: String,
}

impl Counters {
    /// A number that somebody typed is counted apart from one that its holder has proved: whoever types mine uses
    /// nothing up of what I may be sent.
    fn new(app: &App, account: &Account, e164: &str, is_proved: bool) -> Self {
        let hash = app.lookup.hash(e164);
        let kind = if is_proved { "proved" } else { "typed" };
        Self {
            number: format!("sms-number-{kind}:{hash}"),
            holder: format!("sms-account:{}", account.id.0),
            wait: format!("sms-wait:{}:{hash}", account.id.0),
            failures: failures(&account.id),
        }
    }

    /// What one more code takes of this day, and the text key for when there is none left of it.
    fn limits<'a>(&'a self, app: &App) -> [(Limit<'a>, &'static str); 3] {
        let rules = &app.config.codes;
        let day = |key, most| Limit { key, most, window: DAY };
        [
            (day(self.number.as_str(), rules.per_number_per_day), "code-limit-sent"),
            (day(self.holder.as_str(), rules.per_account_per_day), "code-limit-sent"),
            (app.delivery.budget().limit(), "sms-unavailable"),
        ]
    }

    /// Why the page offers no other code, as a text key. Only to be shown: what sends one takes it first.
    async fn limit(&self, app: &App) -> Result<Option<&'static str>, ServiceError> {
        if app.is_exhausted(&self.failures, PER_DAY).await? {
            return Ok(Some(LIMIT));
        }
        for (limit, text) in self.limits(app) {
            if app.is_exhausted(limit.key, limit.most).await? {
                return Ok(Some(text));
            }
        }
        Ok(None)
    }

    /// Since when a code is under way, and until when no other one is sent.
    async fn wait(&self, app: &App) -> Result<Duration, ServiceError> {
        let kept = app.ephemeral.get(&self.wait).await?.and_then(|kept| kept.value.parse().ok());
        Ok(kept.map_or(Duration::ZERO, |until| Timestamp(until).since(app.clock.now())))
    }
}

/// The number that a journey's codes go to: one that is to be proved in it, else the account's; and whether that one
/// was proved before.
fn number_of<'a>(open: &'a Open, account: &'a Account) -> Option<(&'a str, bool)> {
    let pending = open.journey.pending_phone.as_deref().map(|sealed| (sealed, false));
    pending.or(account.verified_phone().map(|sealed| (sealed, true)))
}

/// What may be offered on the page of the code.
pub async fn standing(app: &App, open: &Open, account: &Account) -> Result<Standing, ServiceError> {
    let now = app.clock.now();
    let has_code =
        open.journey.code.as_ref().is_some_and(|sent| sent.tries_left > 0 && now < sent.expires_at);
    let Some((sealed, is_proved)) = number_of(open, account) else {
        let is_stuck = false;
        return Ok(Standing { has_code, wait: Duration::ZERO, limit: None, is_stuck, is_closed: false });
    };
    let is_stuck = match &open.journey.code {
        Some(sent) => app.delivery.sms_is_stuck(&sent.message).await?,
        None => false,
    };
    let counters = Counters::new(app, account, &app.store.open_phone(sealed)?, is_proved);
    Ok(Standing {
        has_code,
        wait: counters.wait(app).await?,
        limit: counters.limit(app).await?,
        is_stuck,
        is_closed: is_closed(app, &account.id).await?,
    })
}

/// Names the code that a page knows of, for the form on it that asks for another one.
pub fn mark(open: &Open) -> String {
    open.journey.code.as_ref().map_or(0, |sent| sent.sent_at.0).to_string()
}

/// Sends a new code, which replaces the one before. Between two to one number of one account there is a wait, in
/// whatever journeys they are asked for. What it takes of the day's limits is taken first, and given back if no code is
/// sent.
pub async fn send(app: &App, open: &mut Open, account: &Account) -> Result<Sending, ServiceError> {
    let Some((sealed, is_proved)) = number_of(open, account) else { return Ok(Sending::LimitReached) };
    let e164 = app.store.open_phone(sealed)?;
    let counters = Counters::new(app, account, &e164, is_proved);
    if app.is_exhausted(&counters.failures, PER_DAY).await? {
        note_limit(app, open, account, LIMIT).await?;
        return Ok(Sending::LimitReached);
    }
    let limits = counters.limits(app);
    let reserved = match app.ephemeral.reserve(&limits.map(|(limit, _)| limit)).await? {
        Ok(reserved) => reserved,
        Err(full) => {
            note_limit(app, open, account, limits[full.index].1).await?;
            return Ok(Sending::LimitReached);
        }
    };
    let sending = send_within(app, open, account, &e164, &counters).await;
    if !matches!(sending, Ok(Sending::Sent)) {
        app.ephemeral.give_back(reserved).await?;
    }
    sending
}

/// Sends a code that the limits allow.
async fn send_within(
    app: &App,
    open: &mut Open,
    account: &Account,
    e164: &str,
    counters: &Counters,
) -> Result<Sending, ServiceError> {
    let rules = &app.config.codes;
    let now = app.clock.now();
    let wait = Duration::from_secs(rules.resend_seconds.into());
    if !counters.wait(app).await?.is_zero() {
        return Ok(Sending::TooSoon);
    }
    let message = app.store.message_id();
    let (code, hash) = app.codes.issue(&context(open));
    let prefix_digits = app.registry.portal_of(open.journey.client_id.as_deref()).policy.code_prefix_digits;
    let prefix = (prefix_digits > 0).then(|| app.random.digits(prefix_digits));
    let before = open.journey.code.replace(OtpChallenge {
        prefix: prefix.clone(),
        hash,
        number: app.lookup.hash(e164),
        message: message.clone(),
        sent_at: now,
        expires_at: now.plus(Duration::from_secs(u64::from(rules.minutes) * 60)),
        tries_left: rules.tries,
    });
    if !journeys::save(&app.ephemeral, open, app.journey_lifetime()).await? {
        return Ok(Sending::Overtaken);
    }
    // Only now: of two clicks on one page the second finds the code of the first.
    if !app.ephemeral.put_new(&counters.wait, &now.plus(wait).0.to_string(), wait).await? {
        open.journey.code = before;
        journeys::save(&app.ephemeral, open, app.journey_lifetime()).await?;
        return Ok(Sending::TooSoon);
    }
    let mut write = app.store.begin_write().await?;
    let sms = CodeSms {
        message: &message,
        e164,
        prefix: prefix.as_deref(),
        code: &code,
        is_for_number: open.journey.pending_phone.is_some(),
    };
    app.send_code(&mut write, &sms, account.language, open.journey.client_id.as_deref()).await?;
    write.commit().await?;
    Ok(Sending::Sent)
}

/// Looks at a typed code, at most five times for each that was sent. Whether it was right is told only to the request
/// that could record it, so tries at once count one by one; after the right one the journey has no code any more
/// and is the caller's to save.
pub async fn give(app: &App, open: &mut Open, account: &Account, typed: &str) -> Result<Try, ServiceError> {
    let typed = code(typed);
    if typed.is_empty() {
        return Ok(Try::Refused("code-empty"));
    }
    let typed = match open.journey.code.as_ref().and_then(|sent| sent.prefix.as_deref()) {
        // The whole code, with what stands on the page: of this page, or it is that of another.
        Some(prefix) if typed.len() == prefix.len() + app.config.codes.digits => {
            match typed.strip_prefix(prefix) {
                Some(rest) => rest.to_owned(),
                None => return Ok(Try::Refused("code-other-page")),
            }
        }
        _ => typed,
    };
    if typed.chars().count() != app.config.codes.digits || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok(Try::Refused("code-malformed"));
    }
    let Some(taken) = wrong_codes::take(app, &account.id).await? else {
        return Ok(Try::Refused(LIMIT));
    };
    let (given, is_wrong) = look_at(app, open, account, &typed).await?;
    let client_id = open.journey.client_id.as_deref();
    wrong_codes::settle(app, &account.id, client_id, taken, is_wrong).await?;
    Ok(given)
}

/// Looks at a code of the right form; and whether it was wrong, which counts.
async fn look_at(
    app: &App,
    open: &mut Open,
    account: &Account,
    typed: &str,
) -> Result<(Try, bool), ServiceError> {
    let refused = |text| Ok((Try::Refused(text), false));
    let Some((sealed, is_proved)) = number_of(open, account) else {
        return refused("code-elsewhere");
    };
    let e164 = app.store.open_phone(sealed)?;
    let counters = Counters::new(app, account, &e164, is_proved);
    let context = context(open);
    let Some(sent) = &mut open.journey.code else { return refused("code-elsewhere") };
    if sent.tries_left == 0 {
        return refused("code-ended");
    }
    if app.clock.now() >= sent.expires_at || sent.number != app.lookup.hash(&e164) {
        return refused("code-expired");
    }
    if app.codes.matches(&context, typed, &sent.hash) {
        // Nobody waits for this one any more: the next sign-in may get its own at once, within the day's limits.
        app.ephemeral.delete(&counters.wait).await?;
        open.journey.code = None;
        return Ok((Try::Right, false));
    }
    sent.tries_left -= 1;
    let ended = sent.tries_left == 0;
    if !journeys::save(&app.ephemeral, open, app.journey_lifetime()).await? {
        return Ok((Try::Overtaken, false));
    }
    Ok((Try::Refused(if ended { "code-ended" } else { "code-wrong" }), true))
}

/// Writes down, once a day, that an account reached a limit. The day's budget of all is the operator's.
async fn note_limit(app: &App, open: &Open, account: &Account, limit: &str) -> Result<(), ServiceError> {
    if limit == "sms-unavailable" {
        let limit = app.config.codes.total_per_day;
        tracing::error!(limit, "the day's budget of SMS is used up (codes.total_per_day)");
        return Ok(());
    }
    wrong_codes::note_limit(app, &account.id, open.journey.client_id.as_deref(), limit).await
}
