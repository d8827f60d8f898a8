//! Step: replace a temporary password.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::at_step::{Arrived, AtStep, Page};
use crate::app::{ServiceError, Shared};
use crate::credentials::policy;
use crate::domain::account::Account;
use crate::domain::journey::{Method, Step};
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Form};

/// The step of these pages.
pub struct Here;

impl Page for Here {
    const STEP: Step = Step::NewPassword;
}

/// `idp/signin_new_password.html`
#[derive(Clone, Debug, Serialize)]
pub struct NewPasswordPage {
    pub action: String,
    pub errors: FieldErrors,
    pub cancel_action: String,
    /// What the holder signs in with, for a password manager.
    pub identifier: String,
    pub min_length: usize,
    pub rules: Vec<&'static str>,
}

impl NewPasswordPage {
    pub fn sample() -> Self {
        let rules = vec!["password-rule-classes"];
        Self {
            action: "/signin/new-password?journey=x".into(),
            errors: FieldErrors::of("new_password", "password-too-short").with("min", &12),
            cancel_action: "/signin/cancel?journey=x".into(),
            identifier: "anna@example.nl".into(),
            min_length: 12,
            rules,
        }
    }
}

/// What a password must not contain.
pub fn personal(account: &Account) -> Vec<&str> {
    let mut words = vec![account.email.as_str(), &account.given_name, &account.family_name];
    words.extend(account.username.as_deref());
    words
}

fn page(app: &Shared, cx: &RequestContext, arrived: &Arrived, error: Option<&'static str>) -> Response {
    let rules = &app.config.password;
    let account = arrived.assessment.account.as_ref();
    let identifier = account.map_or("", |account| account.identifier(app.config.accounts.identifier));
    let page = NewPasswordPage {
        action: journey_url(paths::SIGNIN_NEW_PASSWORD, &arrived.open.id),
        errors: FieldErrors::default().and("new_password", error).with("min", &rules.min_length),
        cancel_action: journey_url(paths::SIGNIN_CANCEL, &arrived.open.id),
        identifier: identifier.to_owned(),
        min_length: rules.min_length,
        rules: policy::shown(rules),
    };
    app.step_page(cx, &arrived.open, page.errors.status(), "idp/signin_new_password.html", &page)
}

/// `GET /signin/new-password`: whoever gave a temporary password in this journey.
pub async fn get(
    State(app): State<Shared>,
    AtStep { cx, arrived, .. }: AtStep<Here>,
) -> Result<Response, AppError> {
    Ok(page(&app, &cx, &arrived, None))
}

/// `POST /signin/new-password`: a second one at once finds the step done.
pub async fn post(
    State(app): State<Shared>,
    Form(AtStep { cx, mut arrived, .. }, fields): Form<AtStep<Here>>,
) -> Result<Response, AppError> {
    let account = arrived.account()?;
    let password = fields.get(names::NEW_PASSWORD).unwrap_or_default();
    if let Err(problem) = policy::check(password, &app.config.password, &personal(&account)) {
        return Ok(page(&app, &cx, &arrived, Some(problem.key)));
    }
    // Somebody else knows the temporary one.
    let old = account.password_hash.as_deref();
    if app.passwords.verify(password, old).await.map_err(|_| ServiceError::Busy)?.matches {
        return Ok(page(&app, &cx, &arrived, Some("password-same")));
    }
    let hash = app.passwords.hash(password).await.map_err(|_| ServiceError::Busy)?;
    let client_id = arrived.open.journey.client_id.clone();
    let Some(mut write) = app.store.begin_holding(&account.id, old, []).await? else {
        // Replaced by a second click, by another temporary one, or the account was blocked.
        return app.resume_after_race(&cx, &arrived.open.id).await;
    };
    app.store.set_password(&mut write, &account.id, &hash).await?;
    let what = Consequences {
        client_id: client_id.as_deref(),
        ..Consequences::of(Change::PasswordReplaced, &account)
    };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    let journey = &mut arrived.open.journey;
    journey.credential_version = Account { password_hash: Some(hash), ..account }.credential_version();
    journey.proofs.add(Method::NewPassword, app.clock.now());
    app.save_and_resume(&cx, arrived.open).await
}
