//! Step: an authenticator app, for who has no second factor that this sign-in takes. The first code proves it.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use super::other_ways::OtherWays;
use crate::app::Shared;
use crate::credentials::app_codes::{DIGITS, Picture};
use crate::domain::account::Account;
use crate::domain::journey::{Method, Step};
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form, browser};
use crate::verification::apps::Offered;

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::AddTotp;
}

/// `idp/new_app.html`, in a sign-in and on the account page.
#[derive(Clone, Debug, Serialize)]
pub struct NewAppPage {
    pub action: String,
    pub errors: FieldErrors,
    /// Carries the key to the request that brings the first code.
    pub sealed: String,
    pub key: String,
    pub picture: Option<Picture>,
    /// Opens an app on this device.
    pub url: String,
    pub other_ways: OtherWays,
    /// Ends the sign-in; empty where the page belongs to none.
    pub cancel_action: String,
    /// Where who does not want to go on goes, where the page belongs to no sign-in.
    pub back_url: Option<&'static str>,
}

impl NewAppPage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/new-app?journey=x".into(),
            errors: FieldErrors::of("otp", "app-code-wrong").with("digits", &DIGITS),
            sealed: "x".into(),
            key: "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ".into(),
            picture: crate::credentials::app_codes::picture("otpauth://totp/x"),
            url: "otpauth://totp/x".into(),
            other_ways: OtherWays::sample(),
            cancel_action: "/signin/cancel?journey=x".into(),
            back_url: None,
        }
    }

    /// The page for a key that is offered to an account; `name` is what the app shows.
    pub fn of(offered: &Offered, name: &str, account: &Account, error: Option<&'static str>) -> Self {
        Self {
            action: String::new(),
            errors: FieldErrors::default().and("otp", error).with("digits", &DIGITS),
            sealed: offered.sealed.clone(),
            key: offered.in_groups(),
            picture: offered.picture(name, account),
            url: offered.url(name, account),
            other_ways: OtherWays::default(),
            cancel_action: String::new(),
            back_url: None,
        }
    }
}

fn page(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    (offered, account): (&Offered, &Account),
    error: Option<&'static str>,
) -> Response {
    let brand = app.brand(arrived.open.journey.client_id.as_deref());
    let page = NewAppPage {
        action: journey_url(paths::SIGNIN_NEW_APP, &arrived.open.id),
        other_ways: OtherWays::of(arrived, Step::AddTotp),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &arrived.open.id),
        ..NewAppPage::of(offered, &brand.name, account, error)
    };
    app.step_page(cx, &arrived.open, page.errors.status(), "idp/new_app.html", &page)
}

/// `GET /signin/new-app`: whoever proved in this journey all that the account has to prove with. Each time another key.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let offered = Offered::new(&app, &account);
    Ok(page(&app, &cx, &arrived, (&offered, &account), None))
}

/// `POST /signin/new-app`: the first code; a second one at once finds the step done.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let sent = fields.get(names::SEALED).and_then(|sealed| Offered::sent(&app, &account, sealed));
    let Some(offered) = sent else {
        let offered = Offered::new(&app, &account);
        return Ok(page(&app, &cx, &arrived, (&offered, &account), Some("app-key-old")));
    };
    let step = match offered.step_of(&app, fields.get(names::CODE).unwrap_or_default()) {
        Ok(step) => step,
        Err(error) => return Ok(page(&app, &cx, &arrived, (&offered, &account), Some(error))),
    };
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else { return app.resume_after_race(&cx, &arrived.open.id).await };
    // Another request, or another sign-in, may have given the account something to prove with meanwhile.
    let now = app.store.hold_account(&mut write, &account.id).await?;
    if now.map(|now| now.factors) != Some(account.factors) {
        drop(write);
        return app.resume_after_race(&cx, &arrived.open.id).await;
    }
    app.store.set_app(&mut write, &account.id, offered.key(), step).await?;
    let client_id = arrived.open.journey.client_id.clone();
    let what = Consequences {
        client_id: client_id.as_deref(),
        browser: &browser::label(&cx),
        ..Consequences::of(Change::AppEnrolled, &account)
    };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    arrived.open.journey.proofs.add(Method::Totp, app.clock.now());
    app.save_and_resume(&cx, arrived.open).await
}
