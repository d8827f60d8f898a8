//! Another e-mail address: a mail to the new one, whose button or code counts only for who is signed in to the account,
//! so that a stranger at a mistyped address gets nothing; both addresses are told.

use std::time::{Duration, Instant};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::links::token;
use platform::request::RequestContext;
use serde::Serialize;

use super::fresh::{Fresh, FreshOrKept, sign_in_for};
use crate::app::Shared;
use crate::app::notices::Mail;
use crate::domain::account::{Account, EmailAddress};
use crate::effects::{Change, Consequences};
use crate::http::extract::PerhapsSignedIn;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller, Form, SignedIn};
use crate::signin::register::confirm::ConfirmPage;
use crate::signin::register::email_error;
use crate::store::mail_links::Purpose;

/// No request is answered sooner: whether somebody has the address cannot be told from the time.
const ANSWER_TAKES: Duration = Duration::from_millis(150);

/// `idp/account_email.html`
#[derive(Clone, Debug, Serialize)]
pub struct EmailPage {
    pub action: &'static str,
    pub current: String,
    pub email: String,
    pub errors: FieldErrors,
}

impl EmailPage {
    pub fn sample() -> Self {
        Self {
            action: paths::ACCOUNT_EMAIL,
            current: "anna@example.nl".into(),
            email: "anna@example".into(),
            errors: FieldErrors::of("email", "email-invalid"),
        }
    }
}

fn page(
    app: &Shared,
    cx: &RequestContext,
    account: &Account,
    typed: &str,
    error: Option<&'static str>,
) -> Response {
    let page = EmailPage {
        action: paths::ACCOUNT_EMAIL,
        current: account.email.as_str().to_owned(),
        email: typed.chars().take(254).collect(),
        errors: FieldErrors::default().and("email", error),
    };
    app.page(cx, None, page.errors.status(), "idp/account_email.html", &page)
}

/// `GET /account/email`: the holder, freshly signed in.
pub async fn get(
    State(app): State<Shared>,
    Fresh(SignedIn { cx, account, .. }): Fresh,
) -> Result<Response, AppError> {
    let kept = app.kept_form(&cx).await?;
    Ok(page(&app, &cx, &account, &kept.plain(names::EMAIL), None))
}

/// `POST /account/email`: the holder, freshly signed in, within the limits on mails. An address that somebody else has
/// is answered alike, and its owner is told.
pub async fn post(
    State(app): State<Shared>,
    Form(FreshOrKept(SignedIn { cx, account, .. }), fields): Form<FreshOrKept>,
) -> Result<Response, AppError> {
    let answer_at = Instant::now() + ANSWER_TAKES;
    let typed = fields.plain(names::EMAIL);
    let typed = typed.as_str();
    let Some(email) = EmailAddress::parse(typed) else {
        return Ok(page(&app, &cx, &account, typed, Some(email_error(&fields))));
    };
    if email == account.email {
        return Ok(page(&app, &cx, &account, typed, Some("email-same")));
    }
    if !app.may_mail(&cx, &email, Purpose::EmailChange).await? {
        return Err(AppError::TooMany(Duration::from_hours(1)));
    }
    let id = app.open_waiting_page(&cx, &email, Some(&account), None, None).await?;
    let mut write = app.store.begin_write().await?;
    match app.store.confirmed_account_in(&mut write, &email).await? {
        Some(owner) => {
            let link = app.url(paths::SIGNIN);
            app.notify(&mut write, Mail::AlreadyRegistered, &owner, None, |notice| notice.link = link)
                .await?;
        }
        None => {
            app.mail_link(&mut write, Purpose::EmailChange, &account, &id, None, Some(&email)).await?;
        }
    }
    write.commit().await?;
    tokio::time::sleep_until(answer_at.into()).await;
    Ok(see_other(&app.waiting_url(&cx, None, paths::ACCOUNT_EMAIL_SENT, &id)))
}

/// `GET /account/email/sent`: the browser that asked.
pub async fn sent(
    State(app): State<Shared>,
    PerhapsSignedIn(cx): PerhapsSignedIn,
) -> Result<Response, AppError> {
    app.show_waiting(&cx, Purpose::EmailChange, FieldErrors::default()).await
}

/// `POST /account/email/sent`: the code of the mail, typed; five tries for each mail.
pub async fn type_code(
    State(app): State<Shared>,
    Form(SignedIn { cx, account, .. }, fields): Form<SignedIn>,
) -> Result<Response, AppError> {
    let token = app.token_for(&cx, Purpose::EmailChange, fields.trimmed(names::CODE)).await?;
    change(&app, &account, &token).await
}

/// `POST /account/email/resend`: after a wait, within the limits on mails.
pub async fn resend(
    State(app): State<Shared>,
    Form(PerhapsSignedIn(cx), fields): Form<PerhapsSignedIn>,
) -> Result<Response, AppError> {
    app.resend_mail(&cx, Purpose::EmailChange, &fields).await
}

/// `GET /account/email/confirm`: the holder; shows a button and changes nothing. Whoever is not signed in signs in
/// first, in this browser.
pub async fn confirm_page(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let token = cx.token();
    let Some(link) = app.store.peek_mail_link(Purpose::EmailChange, &token).await? else {
        return Err(AppError::LinkInvalid);
    };
    match SignedIn::of(&app, &cx).await? {
        Some(SignedIn { cx, account, .. }) if account.id == link.account_id => {
            let page = ConfirmPage {
                action: paths::ACCOUNT_EMAIL_CONFIRM.into(),
                token,
                lead: "change-email-confirm-lead",
                email: link.new_email.map(|email| email.as_str().to_owned()).unwrap_or_default(),
            };
            Ok(app.page(&cx, None, StatusCode::OK, "idp/confirm.html", &page))
        }
        Some(_) => Err(AppError::LinkInvalid),
        None => {
            let back = format!("{}?token={token}", paths::ACCOUNT_EMAIL_CONFIRM);
            sign_in_for(&app, &cx, &back, "").await
        }
    }
}

/// `POST /account/email/confirm`: the holder; the link works once.
pub async fn confirm(
    State(app): State<Shared>,
    Form(SignedIn { account, .. }, fields): Form<SignedIn>,
) -> Result<Response, AppError> {
    change(&app, &account, &token(fields.trimmed(names::TOKEN))).await
}

async fn change(app: &Shared, account: &Account, token: &str) -> Result<Response, AppError> {
    let mut write = app.store.begin_write().await?;
    let link = app.store.use_mail_link(&mut write, Purpose::EmailChange, token).await?;
    let link = link.filter(|link| link.account_id == account.id);
    let Some(email) = link.and_then(|link| link.new_email) else { return Err(AppError::LinkInvalid) };
    // A registration that nobody confirmed keeps no address from its owner.
    app.store.remove_unconfirmed_at(&mut write, &email).await?;
    match app.store.change_email(&mut write, &account.id, &account.email, &email).await {
        Ok(true) => {}
        Err(error) if !error.is_unique_violation() => return Err(error.into()),
        // Somebody else has it by now, or the account has another one.
        Ok(false) | Err(_) => return Err(AppError::LinkInvalid),
    }
    let what = Consequences { new_email: Some(&email), ..Consequences::of(Change::EmailChanged, account) };
    what.carry_out(app, &mut write).await?;
    write.commit().await?;
    Ok(see_other(&format!("{}?notice=email", paths::ACCOUNT)))
}
