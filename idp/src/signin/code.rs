//! Step: the one-time code. Bound to this journey and this browser; its failures have a count of their own.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use super::other_ways::OtherWays;
use crate::app::{App, ServiceError, Shared};
use crate::domain::account::Account;
use crate::domain::journey::{Method, Step};
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};
use crate::store::ephemeral::journeys::{self, Open};
use crate::verification::codes::{self, Sending, Try};

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::Code;
}

/// `idp/signin_code.html`
#[derive(Clone, Debug, Serialize)]
pub struct CodePage {
    pub action: String,
    pub resend_action: String,
    /// [`codes::mark`]
    pub resend_after: String,
    pub masked_phone: String,
    /// The digits of the code that stand on the page; empty for a code in one piece.
    pub code_prefix: String,
    /// Nothing was sent yet: the page offers a button that does.
    pub on_request: bool,
    pub errors: FieldErrors,
    /// Why there is nothing to do here today; the page offers nothing else then.
    pub closed: Option<&'static str>,
    /// No code can be given any more, of the one that was sent: the page offers another one in place of the field.
    pub is_over: bool,
    /// The SMS does not get out: no gateway takes it.
    pub is_stuck: bool,
    /// Why no other code is sent today.
    pub limit: Option<&'static str>,
    pub notice: Option<&'static str>,
    pub tries_left: Option<u32>,
    pub resend_in_seconds: u64,
    pub another_number_url: Option<String>,
    /// Who can give a holder another number: a text key.
    pub number_help: &'static str,
    pub other_ways: OtherWays,
    /// Ends the sign-in; empty where the page belongs to none.
    pub cancel_action: String,
    /// Where who does not want to go on goes, where the page belongs to no sign-in.
    pub back_url: Option<&'static str>,
    pub digits: usize,
    pub minutes: u32,
    pub step: u8,
    pub steps: u8,
}

impl CodePage {
    /// The page once the code has ended, and once there is nothing to do here today.
    pub fn other_samples() -> [Self; 2] {
        let over = Self { errors: FieldErrors::of("", "code-ended"), is_over: true, ..Self::sample() };
        let closed =
            Self { errors: FieldErrors::default(), closed: Some("code-limit-wrong"), ..Self::sample() };
        [over, closed]
    }

    pub fn sample() -> Self {
        Self {
            action: "/signin/code?journey=x".into(),
            resend_action: "/signin/code/resend?journey=x".into(),
            resend_after: "0".into(),
            masked_phone: "06 \u{2022}\u{2022}\u{2022}\u{2022} \u{2022}\u{2022}78".into(),
            code_prefix: "4711".into(),
            on_request: false,
            errors: FieldErrors::of("otp", "code-wrong").with("tries", &4),
            closed: None,
            is_over: false,
            is_stuck: false,
            limit: None,
            notice: Some("code-resent"),
            tries_left: Some(4),
            resend_in_seconds: 42,
            another_number_url: Some("/signin/phone?journey=x".into()),
            number_help: "no-sms-number",
            other_ways: OtherWays::sample(),
            cancel_action: "/signin/cancel?journey=x".into(),
            back_url: None,
            digits: 6,
            minutes: 10,
            step: 2,
            steps: 2,
        }
    }
}

/// What the page of a code shows at this moment.
pub async fn code_page(
    app: &App,
    cx: &RequestContext,
    open: &Open,
    account: &Account,
    error: Option<&'static str>,
) -> Result<CodePage, ServiceError> {
    let journey = &open.journey;
    let standing = codes::standing(app, open, account).await?;
    let pending = journey.pending_phone.as_deref();
    let sealed = pending.or(account.verified_phone());
    let wait = standing.wait;
    let stays = standing.has_code && !standing.is_closed;
    let enrols = pending.is_some();
    // A code that was asked for on another page is on its way: this page has to wait for the next.
    let on_request = journey.code.is_none() && !enrols && wait.is_zero();
    let prefix = journey.code.as_ref().and_then(|sent| sent.prefix.clone());
    let tries_left = journey.code.as_ref().map(|sent| sent.tries_left);
    let is_over = journey.code.is_some() && !standing.has_code;
    let error = error.or_else(|| over_error(open).filter(|_| is_over));
    // Where the page has no field, or the error is not about what was typed there, the summary says it alone.
    let field = if on_request || is_over || error == Some("resend-too-soon") { "" } else { "otp" };
    Ok(CodePage {
        action: journey_url(paths::SIGNIN_CODE, &open.id),
        resend_action: journey_url(paths::SIGNIN_RESEND, &open.id),
        resend_after: codes::mark(open),
        masked_phone: sealed.map(|sealed| app.masked_phone(sealed)).transpose()?.unwrap_or_default(),
        code_prefix: prefix.clone().unwrap_or_default(),
        on_request,
        errors: FieldErrors::default()
            .and(field, error)
            .with("tries", &tries_left.unwrap_or_default())
            .with("digits", &app.config.codes.digits)
            .with("prefix", &prefix.as_deref().unwrap_or_default()),
        closed: standing.limit.filter(|_| !stays),
        is_over,
        limit: standing.limit,
        is_stuck: standing.is_stuck,
        notice: match &journey.code {
            None => (!on_request && error != Some("code-elsewhere")).then_some("code-elsewhere"),
            Some(_) if error.is_some() || standing.is_stuck => None,
            Some(_) => (cx.query("resent") == "1").then_some("code-resent"),
        },
        tries_left,
        resend_in_seconds: wait.as_secs() + u64::from(wait.subsec_millis() > 0),
        another_number_url: enrols.then(|| journey_url(paths::SIGNIN_PHONE, &open.id)),
        number_help: number_help(app, account, enrols),
        other_ways: OtherWays::default(),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &open.id),
        back_url: None,
        digits: app.config.codes.digits,
        minutes: app.config.codes.minutes,
        // The page before it that has steps is the one of the number; without it this is no step of anything.
        step: if enrols { 2 } else { 1 },
        steps: if enrols { 2 } else { 1 },
    })
}

/// Why the code that was sent is not looked at any more.
fn over_error(open: &Open) -> Option<&'static str> {
    let sent = open.journey.code.as_ref()?;
    Some(if sent.tries_left == 0 { "code-ended" } else { "code-expired" })
}

/// Who can give this holder another number: a number that was typed a moment ago is the holder's own to correct; else
/// the care team, where one has the account at its desk.
fn number_help(app: &App, account: &Account, enrols: bool) -> &'static str {
    if enrols {
        "no-sms-number-own"
    } else if account.organisation.is_some() || app.config.desk.is_open_for_self_registered() {
        "no-sms-number"
    } else {
        "no-sms-number-helpdesk"
    }
}

async fn page(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    error: Option<&'static str>,
) -> Result<Response, AppError> {
    let Arrived { open, assessment } = arrived;
    let Some(account) = &assessment.account else {
        return Err(AppError::JourneyExpired(open.journey.client_id.clone()));
    };
    let page = CodePage {
        other_ways: OtherWays::of(arrived, Step::Code),
        ..code_page(app, cx, open, account, error).await?
    };
    let cx = cx.at(&page.action);
    Ok(app.step_page(&cx, open, page.errors.status(), "idp/signin_code.html", &page))
}

/// `GET /signin/code`: whoever gave the password in this journey. Shows the page; sends nothing.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    page(&app, &cx, &arrived, None).await
}

/// `POST /signin/code`: five wrong ones end a code.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let typed = fields.get(names::CODE).unwrap_or_default();
    for _ in 0..20 {
        if let Some(response) = attempt(&app, &cx, arrived, typed).await? {
            return Ok(response);
        }
        // Overtaken by a try that counted: the journey is read anew.
        arrived = Arrived::at(&app, &cx, Step::Code).await?;
    }
    Err(AppError::TooMany(Duration::from_secs(5)))
}

/// One try; `None` if another request changed the journey meanwhile.
async fn attempt(
    app: &Shared,
    cx: &RequestContext,
    mut arrived: Arrived,
    typed: &str,
) -> Result<Option<Response>, AppError> {
    let account = arrived.account()?;
    match codes::give(app, &mut arrived.open, &account, typed).await? {
        Try::Right => {}
        Try::Refused(error) => {
            app.outcomes.refused_try(error);
            return page(app, cx, &arrived, Some(error)).await.map(Some);
        }
        Try::Overtaken => return Ok(None),
    }
    let journey = &mut arrived.open.journey;
    journey.proofs.add(Method::Sms, app.clock.now());
    // The phone first: a proof without the phone it stands on would let the next one enrol another.
    if let Some(sealed) = journey.pending_phone.take()
        && !enrol(app, &account, &sealed, journey.client_id.as_deref()).await?
    {
        // The account got its phone elsewhere meanwhile; a code on that one is asked for.
        journey.proofs.remove(&Method::Sms);
    }
    if !journeys::save(&app.ephemeral, &mut arrived.open, app.journey_lifetime()).await? {
        return Ok(None);
    }
    app.resume(cx, arrived.open).await.map(Some)
}

/// Makes a number that received the right code the account's; false if the account has one by now.
async fn enrol(
    app: &Shared,
    account: &Account,
    sealed: &str,
    client_id: Option<&str>,
) -> Result<bool, ServiceError> {
    if account.phone_sealed.as_deref() == Some(sealed) {
        // A try that was overtaken after this had been written.
        return Ok(true);
    }
    let mut write = app.store.begin_write().await?;
    if !app.store.enrol_phone(&mut write, &account.id, sealed).await? {
        return Ok(false);
    }
    let what = Consequences { client_id, ..Consequences::of(Change::PhoneEnrolled, account) };
    what.carry_out(app, &mut write).await?;
    write.commit().await?;
    Ok(true)
}

/// `POST /signin/code/resend`: the first code where it is sent on request, or another one; after a wait, within the day's
/// limits; a double click sends one.
pub async fn resend(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let before = arrived.open.journey.code.clone();
    let url = journey_url(paths::SIGNIN_CODE, &arrived.open.id);
    if fields.get(names::AFTER).is_some_and(|shown| shown != codes::mark(&arrived.open)) {
        // The second click on a page whose first one has sent a code.
        return Ok(see_other(&url));
    }
    let sending = codes::send(&app, &mut arrived.open, &account).await?;
    if sending == Sending::TooSoon {
        // The other click of a double one may have been first.
        let Some(now) = app.journey_of(&cx).await? else {
            return Err(AppError::JourneyExpired(None));
        };
        if now.journey.code == before {
            return page(&app, &cx, &arrived, Some("resend-too-soon")).await;
        }
    }
    if sending == Sending::LimitReached {
        return page(&app, &cx, &arrived, None).await;
    }
    Ok(see_other(&if before.is_some() { format!("{url}&resent=1") } else { url }))
}
