//! Step: a passkey as second factor, after the password; and the question for who needs no password (`with_passkey.rs`).

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use super::other_ways::OtherWays;
use crate::app::{App, ServiceError, Shared};
use crate::config::Factor;
use crate::domain::journey::{Method, Step};
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};
use crate::store::ephemeral::journeys::Open;
use crate::verification::passkeys::{self, FAILED, Question};

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::Passkey;
}

/// `idp/signin_passkey.html`
#[derive(Clone, Debug, Serialize)]
pub struct PasskeyPage {
    pub action: String,
    pub errors: FieldErrors,
    pub question: Option<Question>,
    pub other_ways: OtherWays,
    pub cancel_action: String,
}

impl PasskeyPage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/passkey?journey=x".into(),
            errors: FieldErrors::of("", FAILED),
            question: Some(Question::sample()),
            other_ways: OtherWays::sample(),
            cancel_action: "/signin/cancel?journey=x".into(),
        }
    }
}

/// What an answer is bound to: the act, the journey and its browser.
pub(super) fn context(act: &str, open: &Open) -> String {
    format!("{act} {} {}", open.id, open.journey.browser)
}

/// Whether a passkey is all that a portal asks for.
pub(super) fn is_enough(arrived: &Arrived) -> bool {
    let rules = &arrived.assessment.portal.policy.second_factor;
    rules.passkey_alone && rules.methods.contains(&Factor::Passkey)
}

/// The question for who signs in with a passkey and nothing else, where that is enough.
pub fn question_for_anybody(app: &App, arrived: &Arrived) -> Result<Option<Question>, ServiceError> {
    if !is_enough(arrived) {
        return Ok(None);
    }
    passkeys::ask_anybody(app, &context("sign-in", &arrived.open))
}

async fn page(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    error: Option<&'static str>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let page = PasskeyPage {
        action: journey_url(paths::SIGNIN_PASSKEY, &arrived.open.id),
        errors: FieldErrors::default().and("", error),
        question: passkeys::ask(app, &account, &context("second factor", &arrived.open)).await?,
        other_ways: OtherWays::of(arrived, Step::Passkey),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &arrived.open.id),
    };
    let cx = cx.at(&page.action);
    Ok(app.step_page(&cx, &arrived.open, page.errors.status(), "idp/signin_passkey.html", &page))
}

/// `GET /signin/passkey`: whoever gave the password in this journey, of an account with passkeys.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    page(&app, &cx, &arrived, None).await
}

/// `POST /signin/passkey`: an answer of one of the account's passkeys; each question takes one.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let [sealed, answer] = [names::SEALED, names::ANSWER].map(|name| fields.get(name).unwrap_or_default());
    let context = context("second factor", &arrived.open);
    let error = match passkeys::prove(&app, Some(&account), sealed, &context, answer).await? {
        Ok((passkey, proven)) if passkeys::use_up(&app, &proven).await? => {
            let method = Method::Passkey { synced: passkey.backup.is_eligible() };
            arrived.open.journey.proofs.add(method, app.clock.now());
            return app.save_and_resume(&cx, arrived.open).await;
        }
        Ok(_) => FAILED,
        Err(error) => error,
    };
    app.outcomes.refused_try(error);
    page(&app, &cx, &arrived, Some(error)).await
}
