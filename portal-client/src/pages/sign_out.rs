//! Signing out: by the person, here and at the provider; and by the provider, from behind.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use platform::request::RequestContext;
use serde::Serialize;
use serde_json::json;

use super::{show, under_way};
use crate::app::App;
use crate::http::error::AppError;
use crate::http::extract::{Anybody, Caller, Query};
use crate::http::form::{Form, PostedLogoutToken};
use crate::http::{names, paths, session_cookie};
use crate::oidc::{Asked, OidcError, Pending, Purpose, SignInAnswer};

/// The question before signing out, for who typed the address.
#[derive(Debug, Serialize)]
pub struct Question {}

impl Question {
    const TEMPLATE: &'static str = "portal/sign_out.html";
}

/// The page after a session ended.
#[derive(Debug, Serialize)]
pub struct SignedOut {
    /// `portal-signed-out-WHY-title` and `-text` are its texts.
    why: &'static str,
    login_url: String,
}

impl SignedOut {
    const TEMPLATE: &'static str = "portal/signed_out.html";

    #[cfg(test)]
    pub(super) fn samples() -> Vec<(&'static str, serde_json::Value)> {
        let page = |why| json!(Self { why, login_url: paths::login("/") });
        let mut samples = ["done", "idle", "elsewhere"].map(|why| (Self::TEMPLATE, page(why))).to_vec();
        samples.push((Question::TEMPLATE, json!(Question {})));
        samples
    }
}

/// `GET /logout`: asks, because a link must not sign anybody out.
pub async fn question(
    State(app): State<Arc<App>>,
    Anybody { cx, session, .. }: Anybody,
) -> Result<Response, AppError> {
    Ok(match session {
        Some(session) => show(&app, &cx, Some(&session), StatusCode::OK, Question::TEMPLATE, &Question {}),
        None => Redirect::to(paths::SIGNED_OUT).into_response(),
    })
}

/// `POST /logout`: ends the session here, and goes on to end it at the provider.
pub async fn logout(
    State(app): State<Arc<App>>,
    Caller(cx): Caller,
    Form(_): Form,
) -> Result<Response, AppError> {
    let token = session_cookie::token(&cx);
    let hint = match &token {
        Some(token) => app.sessions.end(token, &app.random).await?,
        None => None,
    };
    let target = match hint {
        Some(hint) if app.provider.recognises(&hint).await => at_provider(&app, &cx, Some(&hint)).await,
        // The key of the ID token is gone, or the session here went before. The provider would ask, and keep the
        // person; with a new ID token it does neither.
        _ if token.is_some() || session_cookie::says_ended(&cx) => {
            let return_to = paths::SIGNED_OUT.to_owned();
            let asked = Asked { return_to, purpose: Purpose::SignOut, anew: false };
            let url = under_way::start(&app, &cx, asked).await;
            url.map_or_else(|_| paths::SIGNED_OUT.to_owned(), String::from)
        }
        _ => paths::SIGNED_OUT.to_owned(),
    };
    let mut response = Redirect::to(&target).into_response();
    session_cookie::clear(&cx, &mut response);
    Ok(response)
}

/// Goes on with a sign-out for which an ID token was asked first.
pub(super) async fn with_hint(
    app: &App,
    cx: &RequestContext,
    pending: &Pending,
    answer: SignInAnswer<'_>,
) -> Response {
    let target = match app.provider.hint(pending, answer).await {
        Ok(Some(hint)) => at_provider(app, cx, Some(&hint)).await,
        Ok(None) => paths::SIGNED_OUT.to_owned(),
        // The provider asks the person then.
        Err(error) => {
            tracing::info!(%error, "a sign-out goes on without an ID token");
            at_provider(app, cx, None).await
        }
    };
    Redirect::to(&target).into_response()
}

/// The address at the provider where a session ends, or our own page if there is none.
async fn at_provider(app: &App, cx: &RequestContext, hint: Option<&str>) -> String {
    let back = format!("{}{}", app.settings.origin, paths::SIGNED_OUT);
    // The state only comes back to a page that shows the same to everyone; it is sent for providers that
    // want one.
    let url = app.provider.sign_out_url(hint, &back, app.random.id(), cx.language).await;
    url.map_or_else(|| paths::SIGNED_OUT.to_owned(), String::from)
}

/// `GET /signed-out`: where sign-outs, and pages whose time ran out, end. Touches no session: another tab
/// may still be at work, and then this page says so.
pub async fn signed_out(
    State(app): State<Arc<App>>,
    Query(query): Query,
    Anybody { cx, token, session }: Anybody,
) -> Result<Response, AppError> {
    let return_to = paths::local(query.get(names::RETURN_TO).unwrap_or(paths::HOME));
    let lives = session.is_some();
    let page = SignedOut {
        why: match (lives, query.get(names::WHY)) {
            (true, _) => "elsewhere",
            (false, Some("idle")) => "idle",
            (false, _) => "done",
        },
        login_url: if lives { return_to.to_owned() } else { paths::login(return_to) },
    };
    let mut response = show(&app, &cx, None, StatusCode::OK, SignedOut::TEMPLATE, &page);
    if token.is_some() && !lives {
        session_cookie::forget(&cx, &mut response);
    }
    Ok(response)
}

/// `POST /backchannel-logout`: the provider ends a session (Back-Channel Logout 1.0 sections 2.5 to 2.8).
pub async fn backchannel(
    State(app): State<Arc<App>>,
    PostedLogoutToken(token): PostedLogoutToken,
) -> Result<Response, AppError> {
    let ended = end_from_behind(&app, &token).await.map_err(|error| AppError::from_behind(&error))?;
    tracing::info!(ended, "the provider ended sessions");
    Ok(([(header::CACHE_CONTROL, "no-store")], Json(json!({}))).into_response())
}

async fn end_from_behind(app: &App, token: &str) -> Result<u64, OidcError> {
    let token = app.provider.logout_token(token).await?;
    let trouble = |error: &dyn std::error::Error| OidcError::Unavailable(error.to_string());
    let mark = format!("logout-token:{}", platform::seal::sha256(&token.jti));
    if app.ephemeral.get(&mark).await.map_err(|error| trouble(&error))?.is_some() {
        return Err(OidcError::Invalid("this jti was used before".into()));
    }
    let (issuer, sid, sub) =
        (app.settings.provider.issuer.as_str(), token.sid.as_deref(), token.sub.as_deref());
    let ended =
        app.sessions.end_for(issuer, sid, sub, token.issued_at).await.map_err(|error| trouble(&error))?;
    // Marked once it is done: if that fails halfway, the provider tries again, and doing it twice ends no more.
    let lifetime = token.expires_at.since(app.clock.now());
    app.ephemeral.put(&mark, "", lifetime).await.map_err(|error| trouble(&error))?;
    Ok(ended)
}
