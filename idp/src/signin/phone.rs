//! Step: a phone number for codes. It counts once a code that was sent to it has been given.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::Arrived;
use super::other_ways::OtherWays;
use crate::app::Shared;
use crate::domain::journey::{Next, Step};
use crate::domain::phone::PhoneNumber;
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Caller, Form};

/// `idp/signin_phone.html`
#[derive(Clone, Debug, Serialize)]
pub struct PhonePage {
    pub action: String,
    pub phone: String,
    pub errors: FieldErrors,
    pub other_ways: OtherWays,
    pub cancel_action: String,
    pub step: u8,
    pub steps: u8,
}

impl PhonePage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/phone?journey=x".into(),
            phone: "020 1234567".into(),
            errors: FieldErrors::of("phone", "phone-not-dutch-mobile"),
            other_ways: OtherWays::sample(),
            cancel_action: "/signin/cancel?journey=x".into(),
            step: 1,
            steps: 2,
        }
    }
}

fn page(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    typed: &str,
    error: Option<&'static str>,
) -> Response {
    let page = PhonePage {
        action: journey_url(paths::SIGNIN_PHONE, &arrived.open.id),
        phone: typed.chars().take(40).collect(),
        errors: FieldErrors::default().and("phone", error),
        other_ways: OtherWays::of(arrived, Step::Phone),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &arrived.open.id),
        step: 1,
        steps: 2,
    };
    app.step_page(cx, &arrived.open, page.errors.status(), "idp/signin_phone.html", &page)
}

/// A browser at this step, or at the code of a number that was given in this journey: it may be a wrong one.
pub struct AtPhone {
    cx: RequestContext,
    arrived: Arrived,
}

impl FromRequestParts<Shared> for AtPhone {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        if let Some(mut open) = app.journey_of(&cx).await?
            && open.journey.pending_phone.take().is_some()
        {
            let assessment = app.assess(&cx, &open.journey).await?;
            if assessment.next == Next::Ask(Step::Phone) {
                return Ok(Self { cx, arrived: Arrived { open, assessment } });
            }
        }
        let arrived = Arrived::at(app, &cx, Step::Phone).await?;
        Ok(Self { cx, arrived })
    }
}

/// `GET /signin/phone`: whoever gave the password in this journey, of an account without a phone.
pub async fn get(State(app): State<Shared>, AtPhone { cx, arrived }: AtPhone) -> Result<Response, AppError> {
    let kept = app.kept_form(&cx).await?;
    Ok(page(&app, &cx, &arrived, &kept.plain(names::PHONE), None))
}

/// `POST /signin/phone`: sends a code, within the limits for numbers and accounts.
pub async fn post(
    State(app): State<Shared>,
    Form(AtPhone { cx, mut arrived }, fields): Form<AtPhone>,
) -> Result<Response, AppError> {
    let typed = fields.plain(names::PHONE);
    let typed = typed.as_str();
    if typed.is_empty() {
        return Ok(page(&app, &cx, &arrived, "", Some("phone-empty")));
    }
    let Ok(number) = PhoneNumber::parse(typed) else {
        return Ok(page(&app, &cx, &arrived, typed, Some("phone-not-dutch-mobile")));
    };
    let journey = &mut arrived.open.journey;
    journey.pending_phone = Some(app.store.seal_phone(number.e164()));
    // A code for another number proves nothing of this one; the day's limits bound how many are sent.
    journey.code = None;
    app.save_and_resume(&cx, arrived.open).await
}
