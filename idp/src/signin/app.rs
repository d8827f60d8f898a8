//! Step: a code of the account's authenticator app.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use super::other_ways::OtherWays;
use crate::app::Shared;
use crate::credentials::app_codes::DIGITS;
use crate::domain::journey::{Method, Step};
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};
use crate::verification::apps::{self, Given};

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::Totp;
}

/// `idp/signin_app.html`
#[derive(Clone, Debug, Serialize)]
pub struct AppPage {
    pub action: String,
    pub errors: FieldErrors,
    pub other_ways: OtherWays,
    pub cancel_action: String,
}

impl AppPage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/app?journey=x".into(),
            errors: FieldErrors::of("otp", "app-code-wrong").with("digits", &DIGITS),
            other_ways: OtherWays::sample(),
            cancel_action: "/signin/cancel?journey=x".into(),
        }
    }
}

fn page(app: &Shared, cx: &RequestContext, arrived: &Arrived, error: Option<&'static str>) -> Response {
    let page = AppPage {
        action: journey_url(paths::SIGNIN_APP, &arrived.open.id),
        errors: FieldErrors::default().and("otp", error).with("digits", &DIGITS),
        other_ways: OtherWays::of(arrived, Step::Totp),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &arrived.open.id),
    };
    app.step_page(cx, &arrived.open, page.errors.status(), "idp/signin_app.html", &page)
}

/// `GET /signin/app`: whoever gave the password in this journey, of an account with an app.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    Ok(page(&app, &cx, &arrived, None))
}

/// `POST /signin/app`: within the day's limit of wrong codes; of two that bring the same code at once one goes on.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let typed = fields.get(names::CODE).unwrap_or_default();
    let client_id = arrived.open.journey.client_id.as_deref();
    match apps::give(&app, &account, client_id, typed).await? {
        Given::Right => {
            arrived.open.journey.proofs.add(Method::Totp, app.clock.now());
            app.save_and_resume(&cx, arrived.open).await
        }
        Given::Refused(error) => {
            app.outcomes.refused_try(error);
            Ok(page(&app, &cx, &arrived, Some(error)))
        }
    }
}
