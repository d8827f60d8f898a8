//! Step: a passkey, for who has no second factor that this sign-in takes. Making one proves nothing yet: it is asked for next.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use super::other_ways::OtherWays;
use crate::app::Shared;
use crate::domain::journey::Step;
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form, browser};
use crate::store::ephemeral::journeys::Open;
use crate::verification::passkeys::{self, Question};

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::AddPasskey;
}

/// `idp/signin_new_passkey.html`
#[derive(Clone, Debug, Serialize)]
pub struct NewPasskeyPage {
    pub action: String,
    pub errors: FieldErrors,
    pub question: Option<Question>,
    /// The account has one, which is not of the kind that is wanted.
    pub has_others: bool,
    pub other_ways: OtherWays,
    pub cancel_action: String,
}

impl NewPasskeyPage {
    pub fn sample() -> Self {
        Self {
            action: "/signin/new-passkey?journey=x".into(),
            errors: FieldErrors::of("", "passkey-not-made"),
            question: Some(Question::sample()),
            has_others: true,
            other_ways: OtherWays::sample(),
            cancel_action: "/signin/cancel?journey=x".into(),
        }
    }
}

fn context(open: &Open) -> String {
    format!("new passkey {} {}", open.id, open.journey.browser)
}

async fn page(
    app: &Shared,
    cx: &RequestContext,
    arrived: &Arrived,
    error: Option<&'static str>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let page = NewPasskeyPage {
        action: journey_url(paths::SIGNIN_NEW_PASSKEY, &arrived.open.id),
        errors: FieldErrors::default().and("", error),
        question: passkeys::ask_new(app, &account, &context(&arrived.open)).await?,
        has_others: account.factors.passkeys > 0,
        other_ways: OtherWays::of(arrived, Step::AddPasskey),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &arrived.open.id),
    };
    let cx = cx.at(&page.action);
    Ok(app.step_page(&cx, &arrived.open, page.errors.status(), "idp/signin_new_passkey.html", &page))
}

/// `GET /signin/new-passkey`: whoever proved in this journey the strongest that the account has.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    page(&app, &cx, &arrived, None).await
}

/// `POST /signin/new-passkey`: each question takes one answer; a second one at once finds the step done.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let [sealed, answer] = [names::SEALED, names::ANSWER].map(|name| fields.get(name).unwrap_or_default());
    let new = match passkeys::read_new(&app, &account, sealed, &context(&arrived.open), answer).await? {
        Ok(new) => new,
        Err(error) => return page(&app, &cx, &arrived, Some(error)).await,
    };
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else { return app.resume_after_race(&cx, &arrived.open.id).await };
    // Another request, or another sign-in, may have given the account something to prove with meanwhile.
    let now = app.store.hold_account(&mut write, &account.id).await?;
    if now.map(|now| now.factors) != Some(account.factors) {
        drop(write);
        return app.resume_after_race(&cx, &arrived.open.id).await;
    }
    if let Err(error) = passkeys::keep(&app, &mut write, &account, &new).await? {
        drop(write);
        return page(&app, &cx, &arrived, Some(error)).await;
    }
    let client_id = arrived.open.journey.client_id.clone();
    let what = Consequences {
        client_id: client_id.as_deref(),
        browser: &browser::label(&cx),
        ..Consequences::of(Change::PasskeyEnrolled, &account)
    };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    app.resume(&cx, arrived.open).await
}
