//! The waiting page of a registration, and the confirmation. In the browser that registered the mail's button, or
//! its code, confirms at once; in another one the password that was given with the registration has to follow.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::errors::FieldErrors;
use platform::links::token;
use platform::request::RequestContext;
use serde::Serialize;

use crate::app::Shared;
use crate::domain::account::Account;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::paths::journey_url;
use crate::http::{AppError, Caller, Form};
use crate::store::ephemeral::waiting;
use crate::store::mail_links::Purpose;

/// `idp/confirm.html`
#[derive(Clone, Debug, Serialize)]
pub struct ConfirmPage {
    pub action: String,
    pub token: String,
    /// A text key.
    pub lead: &'static str,
    /// What an account's address is to become; empty for a registration.
    pub email: String,
}

impl ConfirmPage {
    pub fn sample() -> Self {
        Self { action: paths::CONFIRM.into(), token: "x".into(), lead: "confirm-lead", email: String::new() }
    }
}

/// `GET /register/sent`: the browser that registered.
pub async fn sent(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    app.show_waiting(&cx, Purpose::Confirm, FieldErrors::default()).await
}

/// `POST /register/sent`: the code of the mail, typed; five tries for each mail.
pub async fn type_code(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    let token = app.token_for(&cx, Purpose::Confirm, fields.trimmed(names::CODE)).await?;
    confirm(&app, &cx, &token).await
}

/// `POST /register/resend`: after a wait, within the limits on mails.
pub async fn resend(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    app.resend_mail(&cx, Purpose::Confirm, &fields).await
}

/// `GET /confirm`: shows a button and changes nothing, however often a mail scanner opens it.
pub async fn page(State(app): State<Shared>, Caller(cx): Caller) -> Result<Response, AppError> {
    let token = cx.token();
    let Some(link) = app.store.peek_mail_link(Purpose::Confirm, &token).await? else {
        return Err(AppError::LinkInvalid);
    };
    let client_id = link.client_id.as_deref();
    let action = app.url_at(app.portal_for(&cx, client_id), paths::CONFIRM);
    let page = ConfirmPage { action, token, lead: "confirm-lead", email: String::new() };
    Ok(app.client_page(&cx, client_id, StatusCode::OK, "idp/confirm.html", &page))
}

/// `POST /confirm`: the button; the link works once.
pub async fn post(
    State(app): State<Shared>,
    Form(Caller(cx), fields): Form<Caller>,
) -> Result<Response, AppError> {
    confirm(&app, &cx, &token(fields.trimmed(names::TOKEN))).await
}

async fn confirm(app: &Shared, cx: &RequestContext, token: &str) -> Result<Response, AppError> {
    let Some(link) = app.store.peek_mail_link(Purpose::Confirm, token).await? else {
        return Err(AppError::LinkInvalid);
    };
    let registered_here = waiting::get(&app.ephemeral, &link.page_id, &cx.browser).await?.is_some();
    let mut write = app.store.begin_write().await?;
    if app.store.use_mail_link(&mut write, Purpose::Confirm, token).await?.is_none() {
        return Err(AppError::LinkInvalid);
    }
    // The link is for the password of its own registration: a later one of the same address ended it.
    let account = app.store.account_in(&mut write, &link.account_id).await?.filter(|account| {
        account.email_verified_at.is_none()
            && link.credential_version.as_ref().is_none_or(|mark| *mark == account.credential_version())
    });
    let Some(account) = account else { return Err(AppError::LinkInvalid) };
    if registered_here {
        if !app.confirm_account(&mut write, &account, link.client_id.as_deref()).await? {
            return Err(AppError::LinkInvalid);
        }
        write.commit().await?;
        return back_to_signin(app, cx, &account, link.client_id, "confirmed").await;
    }
    app.store.unlock(&mut write, &account.id).await?;
    write.commit().await?;
    app.keep_pressed(cx, &account).await?;
    back_to_signin(app, cx, &account, link.client_id, "confirm-with-password").await
}

/// Back at the sign-in page, with the portal that the person came from, in this browser or another one, and with
/// what they sign in with filled in.
pub async fn back_to_signin(
    app: &Shared,
    cx: &RequestContext,
    account: &Account,
    client_id: Option<String>,
    notice: &str,
) -> Result<Response, AppError> {
    let kept = app.ephemeral.get(&app.browser_key("return", cx, &account.email)).await?;
    let journey = match kept {
        Some(kept) => app.open_journey(cx, &kept.value).await?,
        None => None,
    };
    let mut open = match journey {
        Some(open) => open,
        None => app.begin_journey(cx, None, client_id).await?,
    };
    open.journey.identifier = account.identifier(app.config.accounts.identifier).to_owned();
    // Only a convenience: whoever changed the journey meanwhile is not overtaken.
    app.keep_journey(cx, &mut open).await?;
    Ok(see_other(&format!("{}&notice={notice}", journey_url(paths::SIGNIN_PASSWORD, &open.id))))
}
