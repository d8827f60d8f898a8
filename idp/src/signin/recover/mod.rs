//! A forgotten password: ask, mail, choose a new one. The page says the same whether the address is known or
//! not; choosing a new password signs nobody in and ends what was signed in.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::links::token;
use platform::request::RequestContext;
use serde::Serialize;

use crate::app::{ServiceError, Shared};
use crate::config::{Identifier, Recovery};
use crate::credentials::policy;
use crate::domain::account::{Account, EmailAddress};
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::journey_in;
use crate::http::{AppError, Caller, Form};
use crate::signin::new_password::personal;
use crate::signin::register::confirm::back_to_signin;
use crate::signin::register::email_error;
use crate::store::mail_links::{MailLink, Purpose};
use crate::verification::mail_codes::with_journey;

/// No request for a mail is answered sooner.
const ANSWER_TAKES: Duration = Duration::from_millis(150);

/// `idp/forgot.html`
#[derive(Clone, Debug, Serialize)]
pub struct ForgotPage {
    pub action: String,
    pub email: String,
    pub username: String,
    pub ask_username: bool,
    pub errors: FieldErrors,
    pub signin_url: String,
}

/// `idp/reset.html`
#[derive(Clone, Debug, Serialize)]
pub struct ResetPage {
    pub action: String,
    pub token: String,
    pub errors: FieldErrors,
    pub min_length: usize,
    pub rules: Vec<&'static str>,
    /// What the account signs in with, for a password manager.
    pub identifier: String,
}

impl ForgotPage {
    pub fn sample() -> Self {
        Self {
            action: "/forgot".into(),
            email: "anna@example".into(),
            username: "abakker".into(),
            ask_username: true,
            errors: FieldErrors::of("username", "username-missing").and("email", Some("email-invalid")),
            signin_url: "/signin".into(),
        }
    }
}

impl ResetPage {
    pub fn sample() -> Self {
        Self {
            action: paths::RESET.into(),
            token: "x".into(),
            errors: FieldErrors::of("new_password", "password-weak"),
            min_length: 12,
            rules: vec!["password-rule-classes"],
            identifier: "anna@example.nl".into(),
        }
    }
}

fn asks_username(app: &Shared) -> bool {
    app.config.accounts.recovery == Recovery::UsernameAndEmail
}

fn forgot_page(app: &Shared, journey: &str, email: &str, username: &str, errors: FieldErrors) -> ForgotPage {
    ForgotPage {
        action: with_journey(paths::FORGOT, journey),
        email: email.chars().take(254).collect(),
        username: username.chars().take(254).collect(),
        ask_username: asks_username(app),
        errors,
        signin_url: with_journey(paths::SIGNIN, journey),
    }
}

/// `GET /forgot`: anybody.
pub async fn get(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let open = app.journey_of(&cx).await?;
    let journey = journey_in(&cx);
    let identifier = open.as_ref().map(|open| open.journey.identifier.clone()).unwrap_or_default();
    let is_email = app.config.accounts.identifier == Identifier::Email;
    let (email, username) = if is_email { (identifier, String::new()) } else { (String::new(), identifier) };
    let kept = app.kept_form(&cx).await?;
    let or_kept =
        |known: String, name: &str| Some(kept.plain(name)).filter(|text| !text.is_empty()).unwrap_or(known);
    let (email, username) = (or_kept(email, names::EMAIL), or_kept(username, names::USERNAME));
    let page = forgot_page(&app, &journey, &email, &username, FieldErrors::default());
    let client_id = open.and_then(|open| open.journey.client_id);
    Ok(app.page(&cx, client_id.as_deref(), StatusCode::OK, "idp/forgot.html", &page))
}

/// `POST /forgot`: anybody, within the limits on mails; an account is never locked by it.
pub async fn post(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let started = Instant::now();
    let journey = journey_in(&cx);
    let client_id = app.journey_of(&cx).await?.and_then(|open| open.journey.client_id);
    let username = fields.plain(names::USERNAME);
    let email = EmailAddress::parse(fields.trimmed(names::EMAIL));
    let no_username = asks_username(&app) && username.is_empty();
    let Some(email) = email.clone().filter(|_| !no_username) else {
        let errors = FieldErrors::default()
            .and("username", no_username.then_some("username-missing"))
            .and("email", email.is_none().then(|| email_error(&fields)));
        let page = forgot_page(&app, &journey, &fields.plain(names::EMAIL), &username, errors);
        return Ok(app.page(
            &cx,
            client_id.as_deref(),
            StatusCode::UNPROCESSABLE_ENTITY,
            "idp/forgot.html",
            &page,
        ));
    };
    if !app.may_mail(&cx, &email, Purpose::Reset).await? {
        return Err(AppError::TooMany(Duration::from_hours(1)));
    }
    let account = app.store.account_by_email(&email).await?.filter(|account| {
        !asks_username(&app) || account.username.as_deref() == Some(username.to_lowercase().as_str())
    });
    let kept_journey = (!journey.is_empty()).then_some(journey.as_str());
    let id = app.open_waiting_page(&cx, &email, account.as_ref(), client_id.as_deref(), kept_journey).await?;
    if let Some(account) = account.filter(|account| account.blocked_at.is_none()) {
        let mut write = app.store.begin_write().await?;
        app.mail_link(&mut write, Purpose::Reset, &account, &id, client_id.as_deref(), None).await?;
        write.commit().await?;
    }
    tokio::time::sleep_until((started + ANSWER_TAKES).into()).await;
    Ok(see_other(&app.waiting_url(&cx, client_id.as_deref(), paths::FORGOT_SENT, &id)))
}

/// `GET /forgot/sent`: the browser that asked.
pub async fn sent(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    app.show_waiting(&cx, Purpose::Reset, FieldErrors::default()).await
}

/// `POST /forgot/sent`: the code of the mail, typed; five tries for each mail.
pub async fn type_code(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let token = app.token_for(&cx, Purpose::Reset, fields.trimmed(names::CODE)).await?;
    Ok(see_other(&reset_url(&app, &cx, None, &token)))
}

/// `POST /forgot/resend`: after a wait, within the limits on mails.
pub async fn resend(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    app.resend_mail(&cx, Purpose::Reset, &fields).await
}

/// What a link is good for, and for whom; nothing for an account that is blocked.
async fn link_of(app: &Shared, token: &str) -> Result<(MailLink, Account), AppError> {
    let link = app.store.peek_mail_link(Purpose::Reset, token).await?.ok_or(AppError::LinkInvalid)?;
    let account = app.store.account(&link.account_id).await?;
    let account = account.filter(|account| account.blocked_at.is_none()).ok_or(AppError::LinkInvalid)?;
    Ok((link, account))
}

fn reset_url(app: &Shared, cx: &RequestContext, client_id: Option<&str>, token: &str) -> String {
    app.url_at(app.portal_for(cx, client_id), &format!("{}?token={token}", paths::RESET))
}

fn reset_page(
    app: &Shared,
    cx: &RequestContext,
    token: &str,
    (link, account): &(MailLink, Account),
    error: Option<&'static str>,
) -> Response {
    let client_id = link.client_id.as_deref();
    let page = ResetPage {
        action: app.url_at(app.portal_for(cx, client_id), paths::RESET),
        token: token.to_owned(),
        errors: FieldErrors::default()
            .and("new_password", error)
            .with("min", &app.config.password.min_length),
        min_length: app.config.password.min_length,
        rules: policy::shown(&app.config.password),
        identifier: account.identifier(app.config.accounts.identifier).to_owned(),
    };
    let cx = cx.at(&reset_url(app, cx, client_id, token));
    app.client_page(&cx, client_id, page.errors.status(), "idp/reset.html", &page)
}

/// `GET /reset`: shows the form and uses nothing up.
pub async fn reset_get(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let token = cx.token();
    let found = link_of(&app, &token).await?;
    Ok(reset_page(&app, &cx, &token, &found, None))
}

/// `POST /reset`: a good password uses the link up; a refused one does not. Of two at once one wins.
pub async fn reset_post(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let token = token(fields.trimmed(names::TOKEN));
    let found = link_of(&app, &token).await?;
    let (link, account) = &found;
    let client_id = link.client_id.as_deref();
    let password = fields.get(names::NEW_PASSWORD).unwrap_or_default();
    if let Err(problem) = policy::check(password, &app.config.password, &personal(account)) {
        return Ok(reset_page(&app, &cx, &token, &found, Some(problem.key)));
    }
    let hash = app.passwords.hash(password).await.map_err(|_| ServiceError::Busy)?;
    let mut write = app.store.begin_write().await?;
    if app.store.use_mail_link(&mut write, Purpose::Reset, &token).await?.is_none() {
        drop(write);
        return Err(AppError::LinkInvalid);
    }
    app.store.set_password(&mut write, &account.id, &hash).await?;
    // Whoever reads the mail of this address has confirmed it.
    app.store.confirm_email(&mut write, &account.id, Some(&hash)).await?;
    let what = Consequences { client_id, ..Consequences::of(Change::PasswordReset, account) };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    back_to_signin(&app, &cx, account, link.client_id.clone(), "password-changed").await
}
