//! What only somebody may do who signed in a moment ago, with the strongest second factor that the account has: a session
//! that was left open is not enough (OWASP ASVS 5 section 7.5).

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::Response;
use platform::clock::Timestamp;
use platform::db::Write;
use platform::kept;
use platform::request::RequestContext;

use crate::app::{ServiceError, Shared};
use crate::domain::account::Account;
use crate::domain::journey::Method;
use crate::http::extract::Sent;
use crate::http::paths;
use crate::http::{AppError, Caller, SignedIn};
use crate::store::sessions::{self, Session};

const FRESH: Duration = Duration::from_mins(5);

fn is_fresh(session: &Session, account: &Account, now: Timestamp) -> bool {
    let fresh = |at: Timestamp| at.plus(FRESH) > now;
    session.authenticated_at().is_some_and(fresh)
        && account.factors.strongest().is_none_or(|kind| session.proofs.as_strong_as(kind).is_some_and(fresh))
}

/// Adds what was proved on a page of the account to the session, which goes on under another secret; `None` if it has
/// ended meanwhile.
pub async fn prove(
    app: &Shared,
    write: &mut Write,
    session: &Session,
    method: Method,
) -> Result<Option<String>, ServiceError> {
    let secret = app.random.token();
    let signed_in = sessions::SignedIn {
        account_id: &session.account_id,
        device_id: session.device_id.as_deref(),
        label: &session.label,
        proofs: session.proofs.clone().with(method, app.clock.now()),
        lifetime: Duration::ZERO,
    };
    let lives = app.store.renew_session(write, &session.id, &secret, &signed_in).await?;
    Ok(lives.then_some(secret))
}

/// Somebody who signed in a moment ago; anybody else signs in first and comes back to the page.
pub struct Fresh(pub SignedIn);

/// As [`Fresh`]; a form that is sent too late is there again after the sign-in. For what holds no secret.
pub struct FreshOrKept(pub SignedIn);

impl FromRequestParts<Shared> for Fresh {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        parts.extensions.remove::<Sent>();
        FreshOrKept::from_request_parts(parts, app).await.map(|FreshOrKept(holder)| Self(holder))
    }
}

impl FromRequestParts<Shared> for FreshOrKept {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let identifier = match SignedIn::of(app, &cx).await? {
            Some(holder) if is_fresh(&holder.session, &holder.account, app.clock.now()) => {
                return Ok(Self(holder));
            }
            Some(holder) => holder.account.identifier(app.config.accounts.identifier).to_owned(),
            None => String::new(),
        };
        Err(sign_in_and_return(app, &cx, parts.extensions.get(), &identifier).await)
    }
}

/// The way to a fresh sign-in that comes back to the page of this request, where a form that was `sent` is there again.
pub async fn sign_in_and_return(
    app: &Shared,
    cx: &RequestContext,
    sent: Option<&Sent>,
    identifier: &str,
) -> AppError {
    let page = paths::page_of(cx.uri.path());
    let page = match sent {
        Some(Sent(form)) => app.keep_form(cx, page, form, true).await,
        // The page itself, with the form that it is to show again if it names one.
        None => Ok(match cx.uri.path_and_query() {
            Some(here) if here.path() == page && kept::is_back(cx) => here.as_str().to_owned(),
            _ => page.to_owned(),
        }),
    };
    let page = match page {
        Ok(page) => page,
        Err(trouble) => return trouble.into(),
    };
    match sign_in_for(app, cx, &page, identifier).await {
        Ok(response) => AppError::instead(response),
        Err(error) => error,
    }
}

/// Begins a fresh sign-in that ends at `page`.
pub async fn sign_in_for(
    app: &Shared,
    cx: &RequestContext,
    page: &str,
    identifier: &str,
) -> Result<Response, AppError> {
    let mut open = app.begin_journey(cx, None, None).await?;
    open.journey.step_up_to = Some(page.to_owned());
    identifier.clone_into(&mut open.journey.identifier);
    app.save_and_resume(cx, open).await
}
