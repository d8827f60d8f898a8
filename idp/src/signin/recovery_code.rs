//! Step: one of the account's recovery codes, for who cannot give any other second factor.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use super::other_ways::OtherWays;
use crate::app::notices::Mail;
use crate::app::{ServiceError, Shared};
use crate::credentials::recovery_codes::{FEW, RecoveryCode};
use crate::domain::account::Account;
use crate::domain::journey::{Method, Step};
use crate::http::browser;
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};
use crate::store::audit::Event;
use crate::verification::apps::Given;
use crate::verification::wrong_codes::{self, LIMIT};

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::RecoveryCode;
}

/// `idp/signin_recovery_code.html`
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryCodePage {
    pub action: String,
    pub errors: FieldErrors,
    pub other_ways: OtherWays,
    pub cancel_action: String,
}

impl RecoveryCodePage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/recovery-code?journey=x".into(),
            errors: FieldErrors::of("code", "recovery-code-wrong"),
            other_ways: OtherWays::sample(),
            cancel_action: "/signin/cancel?journey=x".into(),
        }
    }
}

fn page(app: &Shared, cx: &RequestContext, arrived: &Arrived, error: Option<&'static str>) -> Response {
    let page = RecoveryCodePage {
        action: journey_url(paths::SIGNIN_RECOVERY_CODE, &arrived.open.id),
        errors: FieldErrors::default().and("code", error),
        other_ways: OtherWays::of(arrived, Step::RecoveryCode),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &arrived.open.id),
    };
    app.step_page(cx, &arrived.open, page.errors.status(), "idp/signin_recovery_code.html", &page)
}

/// `GET /signin/recovery-code`: whoever gave the password in this journey, of an account with codes left.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    Ok(page(&app, &cx, &arrived, None))
}

/// `POST /signin/recovery-code`: within the day's limit of wrong codes; of two that bring the same code at once one goes on.
/// The holder is told.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let typed = fields.get(names::CODE).unwrap_or_default();
    let client_id = arrived.open.journey.client_id.as_deref();
    match give(&app, &cx, &account, client_id, typed).await? {
        Given::Right => {
            arrived.open.journey.proofs.add(Method::RecoveryCode, app.clock.now());
            app.save_and_resume(&cx, arrived.open).await
        }
        Given::Refused(error) => {
            app.outcomes.refused_try(error);
            Ok(page(&app, &cx, &arrived, Some(error)))
        }
    }
}

/// Looks at a code, and uses it up if it is right.
async fn give(
    app: &Shared,
    cx: &RequestContext,
    account: &Account,
    client_id: Option<&str>,
    typed: &str,
) -> Result<Given, ServiceError> {
    if typed.trim().is_empty() {
        return Ok(Given::Refused("recovery-code-empty"));
    }
    let Some(code) = RecoveryCode::parse(typed) else {
        return Ok(Given::Refused("recovery-code-malformed"));
    };
    let Some(taken) = wrong_codes::take(app, &account.id).await? else { return Ok(Given::Refused(LIMIT)) };
    let hash = app.store.recovery_code(&account.id, code.selector()).await?;
    // One hash is computed, whether the account has a code that begins like this or not.
    let looked = app.passwords.verify(code.secret(), hash.as_deref()).await;
    let is_right = looked.as_ref().is_ok_and(|verdict| verdict.matches);
    // Where nobody looked at it, it was no try.
    wrong_codes::settle(app, &account.id, client_id, taken, looked.is_ok() && !is_right).await?;
    looked.map_err(|_| ServiceError::Busy)?;
    match hash.filter(|_| is_right) {
        Some(hash) => use_up(app, cx, account, client_id, &code, &hash).await,
        None => Ok(Given::Refused("recovery-code-wrong")),
    }
}

async fn use_up(
    app: &Shared,
    cx: &RequestContext,
    account: &Account,
    client_id: Option<&str>,
    code: &RecoveryCode,
    hash: &str,
) -> Result<Given, ServiceError> {
    let mut write = app.store.begin_write().await?;
    if !app.store.use_recovery_code(&mut write, &account.id, code.selector(), hash).await? {
        return Ok(Given::Refused("recovery-code-wrong"));
    }
    let left = app.store.recovery_codes_left(&mut write, &account.id).await?;
    app.store.note(&mut write, Event::RecoveryCodeUsed, &account.id, client_id, "");
    app.notify(&mut write, Mail::RecoveryCodeUsed, account, client_id, |notice| {
        notice.device = browser::label(cx);
        notice.left = left;
        notice.few = left <= FEW;
    })
    .await?;
    write.commit().await?;
    Ok(Given::Right)
}
