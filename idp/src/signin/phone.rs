//! Step: a phone number for codes. It counts once a code that was sent to it has been given.

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use serde::Serialize;
use web::errors::FieldErrors;
use web::request::Visit;

use super::{Arrived, arrive, run};
use crate::app::{Shared, Trouble};
use crate::domain::phone::PhoneNumber;
use crate::form::Posted;
use crate::journey::{Next, Step};
use crate::oauth::resume::journey_url;
use crate::path;

/// `idp/signin_phone.html`
#[derive(Clone, Debug, Serialize)]
pub struct PhonePage {
    pub action: String,
    pub phone: String,
    pub errors: FieldErrors,
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
            cancel_action: "/signin/cancel?journey=x".into(),
            step: 1,
            steps: 2,
        }
    }
}

fn page(
    app: &Shared,
    visit: &Visit,
    arrived: &Arrived,
    typed: &str,
    error: Option<&'static str>,
) -> Response {
    let page = PhonePage {
        action: journey_url(path::SIGNIN_PHONE, &arrived.open.id),
        phone: typed.chars().take(40).collect(),
        errors: FieldErrors::default().and("phone", error),
        cancel_action: journey_url(path::SIGNIN_CANCEL, &arrived.open.id),
        step: 1,
        steps: 2,
    };
    app.step_page(visit, &arrived.open, page.errors.status(), "idp/signin_phone.html", &page)
}

/// As [`at_step`](super::at_step), also from the code page of a number that was given in this journey: it may be a
/// wrong one.
async fn here<'a, F>(
    app: &'a Shared,
    visit: &'a Visit,
    act: impl FnOnce(Arrived) -> F + Send + 'a,
) -> Response
where
    F: Future<Output = Result<Response, Trouble>> + Send + 'a,
{
    run(app, visit, async move {
        if let Some(mut open) = app.journey_of(visit).await?
            && open.journey.pending_phone.take().is_some()
        {
            let assessment = app.assess(visit, &open.journey).await?;
            if assessment.next == Next::Ask(Step::Phone) {
                return act(Arrived { open, assessment }).await;
            }
        }
        match arrive(app, visit, Step::Phone).await? {
            Ok(arrived) => act(arrived).await,
            Err(elsewhere) => Ok(elsewhere),
        }
    })
    .await
}

/// `GET /signin/phone`: whoever gave the password in this journey, of an account without a phone.
pub async fn get(State(app): State<Shared>, Extension(visit): Extension<Visit>) -> Response {
    here(&app, &visit, async |arrived| {
        let kept = app.kept_form(&visit).await?;
        Ok(page(&app, &visit, &arrived, &kept.plain("phone"), None))
    })
    .await
}

/// `POST /signin/phone`: sends a code, within the limits for numbers and accounts.
pub async fn post(
    State(app): State<Shared>,
    Extension(visit): Extension<Visit>,
    Posted(fields): Posted,
) -> Response {
    here(&app, &visit, async |mut arrived| {
        let typed = fields.plain("phone");
        let typed = typed.as_str();
        if typed.is_empty() {
            return Ok(page(&app, &visit, &arrived, "", Some("phone-empty")));
        }
        let Ok(number) = PhoneNumber::parse(typed) else {
            return Ok(page(&app, &visit, &arrived, typed, Some("phone-not-dutch-mobile")));
        };
        let journey = &mut arrived.open.journey;
        journey.pending_phone = Some(app.store.seal_phone(number.e164()));
        // A code for another number proves nothing of this one; the day's limits bound how many are sent.
        journey.code = None;
        app.save_and_resume(&visit, arrived.open).await
    })
    .await
}
