//! What handlers ask of a request before they run: who is calling, whether somebody is signed in or at the care team's desk,
//! and what the URL says. Forms are in [`super::form`].

use std::sync::Arc;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::Method;
use axum::http::request::Parts;
use platform::request::{Fields, RequestContext};
use tokio::time::timeout;

use super::error::AppError;
use super::{names, paths, session_cookie};
use crate::app::App;
use crate::paging::Page;
use crate::session::{Care, Session};
use crate::team::{NotAtDesk, desk};

/// How long a page waits for the provider to hear of somebody's activity.
const REFRESH_WAITS: Duration = Duration::from_secs(1);

/// The visit, which the layer in front put there.
pub struct Caller(pub RequestContext);

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<App>) -> Result<Self, AppError> {
        let cx = parts.extensions.get::<RequestContext>().map(|cx| at_page(cx, &parts.method));
        cx.map(Self).ok_or_else(|| AppError::Internal("a route without the visit layer".into()))
    }
}

/// The visit as if it had been to the page that a form stands on, for what links back from the answer to one.
pub fn at_page(cx: &RequestContext, method: &Method) -> RequestContext {
    let own = cx.uri.path_and_query().map_or(paths::HOME, |path| path.as_str());
    if method == Method::POST && own != "/kept" && !own.starts_with("/kept?") {
        cx.at(paths::page_of(own))
    } else {
        cx.clone()
    }
}

/// Somebody who is signed in, and whose session this request extends.
pub struct SignedIn {
    pub cx: RequestContext,
    pub session: Session,
}

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let own = cx.uri.path_and_query().map_or(paths::HOME, |path| path.as_str());
        let return_to = paths::local(own).to_owned();
        let Some(token) = session_cookie::token(&cx) else { return Err(AppError::SignIn(return_to)) };
        match app.sessions.touch(&token).await? {
            Some(session) => {
                keep_provider_session(app, &session).await;
                Ok(Self { cx, session })
            }
            None => Err(AppError::SessionEnded(return_to)),
        }
    }
}

/// Whoever is calling, with the session that their browser names if it lives. Extends nothing.
pub struct Anybody {
    pub cx: RequestContext,
    /// The browser's token, of a session that lives or is over.
    pub token: Option<String>,
    pub session: Option<Session>,
}

impl FromRequestParts<Arc<App>> for Anybody {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let token = session_cookie::token(&cx);
        let session = match &token {
            Some(token) => app.sessions.peek(token).await?,
            None => None,
        };
        Ok(Self { cx, token, session })
    }
}

/// Somebody at the care team's desk; who could be after another sign-in is sent to that.
pub struct AtDesk {
    pub cx: RequestContext,
    pub session: Session,
    pub care: Care,
}

impl FromRequestParts<Arc<App>> for AtDesk {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let SignedIn { cx, session } = SignedIn::from_request_parts(parts, app).await?;
        let care = desk(&session, &app.settings.provider.team_acr).cloned().map_err(|not| match not {
            NotAtDesk::StepUp => AppError::SignIn(paths::TEAM.to_owned()),
            NotAtDesk::NoRole => AppError::NotInTeam,
        })?;
        Ok(Self { cx, session, care })
    }
}

/// An address that does not flood us with sign-ins.
pub struct FewSignIns;

impl FromRequestParts<Arc<App>> for FewSignIns {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        app.sign_ins.check(cx.address).map_err(|wait| AppError::TooMany(wait.as_secs() + 1))?;
        Ok(Self)
    }
}

/// The query of the URL.
pub struct Query(pub Fields);

impl FromRequestParts<Arc<App>> for Query {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        query(&cx).map(Self)
    }
}

/// Tells the provider from time to time that somebody is here. Waits for its answer a little while, so that who goes on to
/// the provider's pages finds the session there; the person's page never fails by it.
async fn keep_provider_session(app: &Arc<App>, session: &Session) {
    if !app.sessions.is_refresh_due(session) {
        return;
    }
    let (app, session) = (Arc::clone(app), session.clone());
    // By itself: a browser that goes away must not cost the token that comes after.
    let refreshed = tokio::spawn(async move {
        let Some(token) = app.sessions.take_refresh_token(&session).await? else { return Ok(()) };
        match app.provider.refresh(&token).await {
            Ok(next) => app.sessions.keep_refresh_token(&session, next.as_deref()).await?,
            Err(error) => tracing::warn!(%error, "the provider was not told that somebody is active here"),
        }
        Ok::<(), sqlx::Error>(())
    });
    if let Ok(Ok(Err(error))) = timeout(REFRESH_WAITS, refreshed).await {
        tracing::error!(%error, "the refresh token of a session was not kept");
    }
}

/// The query of a URL, for what looks at it in some cases only.
///
/// # Errors
/// [`AppError::BadInput`] for a repeated parameter or one that is no text.
pub fn query(cx: &RequestContext) -> Result<Fields, AppError> {
    Fields::parse(cx.uri.query().unwrap_or_default().as_bytes()).map_err(|_| AppError::BadInput)
}

/// The page of a long list that a URL asks for.
///
/// # Errors
/// [`AppError::BadInput`] for what is no page.
pub fn page(cx: &RequestContext) -> Result<Page, AppError> {
    Page::parse(query(cx)?.trimmed(names::PAGE)).ok_or(AppError::BadInput)
}
