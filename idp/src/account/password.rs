//! Another password: the current one is asked, and counts as a try like any at the sign-in page. What stood on the old
//! one ends, but for the session in which it is changed.

use axum::extract::State;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use serde::Serialize;

use super::fresh::Fresh;
use crate::app::{ServiceError, Shared};
use crate::credentials::policy;
use crate::domain::account::Account;
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Form, SignedIn};
use crate::signin::new_password::personal;
use crate::signin::password::try_password;

/// `idp/account_password.html`
#[derive(Clone, Debug, Serialize)]
pub struct PasswordPage {
    pub action: &'static str,
    pub identifier: String,
    pub min_length: usize,
    pub rules: Vec<&'static str>,
    pub errors: FieldErrors,
}

impl PasswordPage {
    pub fn sample() -> Self {
        Self {
            action: paths::ACCOUNT_PASSWORD,
            identifier: "anna@example.nl".into(),
            min_length: 12,
            rules: vec!["password-rule-classes"],
            errors: FieldErrors::of("password", "current-password-wrong")
                .and("new_password", Some("password-too-short"))
                .with("min", &12),
        }
    }
}

fn page(app: &Shared, cx: &RequestContext, account: &Account, errors: FieldErrors) -> Response {
    let rules = &app.config.password;
    let page = PasswordPage {
        action: paths::ACCOUNT_PASSWORD,
        identifier: account.identifier(app.config.accounts.identifier).to_owned(),
        min_length: rules.min_length,
        rules: policy::shown(rules),
        errors: errors.with("min", &rules.min_length),
    };
    app.page(cx, None, page.errors.status(), "idp/account_password.html", &page)
}

/// `GET /account/password`: the holder, freshly signed in.
pub async fn get(State(app): State<Shared>, Fresh(SignedIn { cx, account, .. }): Fresh) -> Response {
    page(&app, &cx, &account, FieldErrors::default())
}

/// `POST /account/password`: the holder, freshly signed in, as often as the lockout lets.
pub async fn post(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, session, account }), fields): Form<Fresh>,
) -> Result<Response, AppError> {
    let (current, password) = (
        fields.get(names::PASSWORD).unwrap_or_default(),
        fields.get(names::NEW_PASSWORD).unwrap_or_default(),
    );
    let problem = policy::check(password, &app.config.password, &personal(&account)).err();
    let errors = FieldErrors::default()
        .and("password", current.is_empty().then_some("current-password-empty"))
        .and("new_password", problem.map(|problem| problem.key));
    if !errors.is_empty() {
        return Ok(page(&app, &cx, &account, errors));
    }
    let device = session.device_id.as_deref().unwrap_or_default();
    if try_password(&app, &account, device, current, true, None).await?.is_none() {
        let errors = FieldErrors::of("password", "current-password-wrong");
        return Ok(page(&app, &cx, &account, errors));
    }
    if current == password {
        let errors = FieldErrors::of("new_password", "password-same");
        return Ok(page(&app, &cx, &account, errors));
    }
    let hash = app.passwords.hash(password).await.map_err(|_| ServiceError::Busy)?;
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else {
        // Changed in another tab or by somebody else meanwhile; then this session has ended with that.
        return Ok(see_other(paths::ACCOUNT));
    };
    app.store.set_password(&mut write, &account.id, &hash).await?;
    let what =
        Consequences { session: Some(&session.id), ..Consequences::of(Change::PasswordChanged, &account) };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    Ok(see_other(&format!("{}?notice=password", paths::ACCOUNT)))
}
