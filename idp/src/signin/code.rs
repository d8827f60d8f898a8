//! Step: the one-time code. Bound to this journey and this browser; its failures have a count of their own.

use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use web::request::Visit;

use super::{Arrived, arrive, run};
use crate::app::{Shared, Trouble};
use crate::codes::{self, Sending};
use crate::domain::account::Account;
use crate::ephemeral::journeys;
use crate::form::Posted;
use crate::journey::Step;
use crate::notices::Mail;
use crate::oauth::resume::{journey_url, see_other};
use crate::path;
use crate::store::audit::Event;

/// `idp/signin_code.html`
#[derive(Clone, Debug, Serialize)]
pub struct CodePage {
    pub action: String,
    pub resend_action: String,
    pub masked_phone: String,
    pub error: Option<&'static str>,
    pub tries_left: Option<u32>,
    pub resend_in_seconds: u64,
    pub resent: bool,
    pub another_number_url: Option<String>,
    pub digits: usize,
    pub minutes: u32,
    pub step: u8,
    pub steps: u8,
}

impl CodePage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/code?journey=x".into(),
            resend_action: "/signin/code/resend?journey=x".into(),
            masked_phone: "06 \u{2022}\u{2022}\u{2022}\u{2022} \u{2022}\u{2022}78".into(),
            error: Some("code-wrong"),
            tries_left: Some(4),
            resend_in_seconds: 42,
            resent: true,
            another_number_url: Some("/signin/phone?journey=x".into()),
            digits: 6,
            minutes: 10,
            step: 3,
            steps: 3,
        }
    }
}

/// Wrong codes for one account in a day, over all journeys.
const WRONG_CODES_PER_DAY: u32 = 15;
const DAY: Duration = Duration::from_hours(24);

fn page(
    app: &Shared,
    visit: &Visit,
    arrived: &Arrived,
    error: Option<&'static str>,
) -> Result<Response, Trouble> {
    let Arrived { open, assessment } = arrived;
    let journey = &open.journey;
    let own = assessment.account.as_ref().and_then(|account| account.verified_phone());
    let sealed = own.or(journey.pending_phone.as_deref());
    let now = app.clock.now();
    let wait = journey.code.as_ref().map_or(Duration::ZERO, |sent| codes::next_at(app, sent).since(now));
    let enrols = own.is_none() && journey.pending_phone.is_some();
    let page = CodePage {
        action: journey_url(path::SIGNIN_CODE, &open.id),
        resend_action: journey_url(path::SIGNIN_RESEND, &open.id),
        masked_phone: sealed.map(|sealed| app.masked_phone(sealed)).transpose()?.unwrap_or_default(),
        error: error.or(journey.code.is_none().then_some("resend-limit")),
        tries_left: journey.code.as_ref().map(|sent| sent.tries_left),
        resend_in_seconds: wait.as_secs() + u64::from(wait.subsec_millis() > 0),
        resent: visit.query("resent") == "1" && error.is_none(),
        another_number_url: enrols.then(|| journey_url(path::SIGNIN_PHONE, &open.id)),
        digits: app.config.codes.digits,
        minutes: app.config.codes.minutes,
        step: if enrols { 3 } else { 2 },
        steps: if enrols { 3 } else { 2 },
    };
    let status = if error.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    Ok(app.step_page(visit, open, status, "idp/signin_code.html", &page))
}

/// `GET /signin/code`: whoever gave the password in this journey. Shows the page; sends nothing.
pub async fn get(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    run(&app, &visit, async {
        match arrive(&app, &visit, Step::Code).await? {
            Ok(arrived) => page(&app, &visit, &arrived, None),
            Err(elsewhere) => Ok(elsewhere),
        }
    })
    .await
}

/// `POST /signin/code`: five wrong ones end a code. Whether a try was right is told only to the request that
/// could record it, so tries at once count one by one.
pub async fn post(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    let typed: String =
        fields.get("code").unwrap_or_default().chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
    run(&app, &visit, async {
        // Each round reads the journey anew; who loses a round was overtaken by a try that counted.
        for _ in 0..20 {
            let arrived = match arrive(&app, &visit, Step::Code).await? {
                Ok(arrived) => arrived,
                Err(elsewhere) => return Ok(elsewhere),
            };
            if let Some(response) = attempt(&app, &visit, arrived, &typed).await? {
                return Ok(response);
            }
        }
        Ok(app.too_many(&visit, Duration::from_secs(5)))
    })
    .await
}

/// One try; `None` if another request changed the journey meanwhile.
async fn attempt(
    app: &Shared,
    visit: &Visit,
    mut arrived: Arrived,
    typed: &str,
) -> Result<Option<Response>, Trouble> {
    let Some(account) = arrived.assessment.account.clone() else {
        return Ok(Some(app.journey_expired(visit, None)));
    };
    if typed.is_empty() {
        return page(app, visit, &arrived, Some("code-empty")).map(Some);
    }
    if typed.chars().count() != app.config.codes.digits || !typed.bytes().all(|byte| byte.is_ascii_digit()) {
        return page(app, visit, &arrived, Some("code-malformed")).map(Some);
    }
    let now = app.clock.now();
    let failures = format!("code-failures:{}", account.id.0);
    let context = codes::context(&arrived.open);
    let Some(sent) = &mut arrived.open.journey.code else {
        return page(app, visit, &arrived, Some("resend-limit")).map(Some);
    };
    if sent.tries_left == 0 || app.is_exhausted(&failures, WRONG_CODES_PER_DAY).await? {
        return page(app, visit, &arrived, Some("code-ended")).map(Some);
    }
    if now >= sent.expires_at {
        return page(app, visit, &arrived, Some("code-expired")).map(Some);
    }
    if !app.codes.matches(&context, typed, &sent.hash) {
        sent.tries_left -= 1;
        let ended = sent.tries_left == 0;
        if !journeys::save(&app.ephemeral, &mut arrived.open, app.journey_lifetime()).await? {
            return Ok(None);
        }
        app.ephemeral.count(&failures, DAY).await?;
        let error = if ended { "code-ended" } else { "code-wrong" };
        return page(app, visit, &arrived, Some(error)).map(Some);
    }
    let journey = &mut arrived.open.journey;
    journey.code = None;
    journey.proofs.code_at = Some(now);
    // The phone first: a proof without the phone it stands on would let the next one enrol another.
    if let Some(sealed) = journey.pending_phone.take()
        && !enrol(app, &account, &sealed, journey.client_id.as_deref()).await?
    {
        // The account got its phone elsewhere meanwhile; a code on that one is asked for.
        journey.proofs.code_at = None;
    }
    if !journeys::save(&app.ephemeral, &mut arrived.open, app.journey_lifetime()).await? {
        return Ok(None);
    }
    app.resume(visit, arrived.open).await.map(Some)
}

/// Makes a number that received the right code the account's; false if the account has one by now.
async fn enrol(
    app: &Shared,
    account: &Account,
    sealed: &str,
    client_id: Option<&str>,
) -> Result<bool, Trouble> {
    if account.phone_sealed.as_deref() == Some(sealed) {
        // A try that was overtaken after this had been written.
        return Ok(true);
    }
    let mut write = app.store.begin_write().await?;
    if !app.store.enrol_phone(&mut write, &account.id, sealed).await? {
        return Ok(false);
    }
    app.store.note(&mut write, Event::PhoneChanged, &account.id, client_id, "").await?;
    app.notify(&mut write, Mail::PhoneChanged, account, client_id, |_| ()).await?;
    write.commit().await?;
    app.delivery.wake();
    Ok(true)
}

/// `POST /signin/code/resend`: after a wait, within the day's limits; a double click sends one.
pub async fn resend(State(app): State<Shared>, Extension(visit): Extension<Visit>, _: Posted) -> Response {
    run(&app, &visit, async {
        let mut arrived = match arrive(&app, &visit, Step::Code).await? {
            Ok(arrived) => arrived,
            Err(elsewhere) => return Ok(elsewhere),
        };
        let Some(account) = arrived.assessment.account.clone() else {
            return Ok(app.journey_expired(&visit, None));
        };
        match codes::send(&app, &mut arrived.open, &account).await? {
            Sending::Sent | Sending::Overtaken => {
                Ok(see_other(&format!("{}&resent=1", journey_url(path::SIGNIN_CODE, &arrived.open.id))))
            }
            Sending::TooSoon => page(&app, &visit, &arrived, Some("resend-too-soon")),
            Sending::LimitReached => page(&app, &visit, &arrived, Some("resend-limit")),
        }
    })
    .await
}
