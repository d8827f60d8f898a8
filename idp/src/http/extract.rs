//! What handlers ask of a request before they run: that a form is ours and not one of a flood, that somebody is signed
//! in. What fails here is answered by [`AppError`].

use axum::body::to_bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use axum::http::request::Parts;
use platform::ending::Ending;
use platform::request::{Fields, RequestContext};

use super::error::AppError;
use super::names;
use super::pages::see_other;
use crate::app::{App, LARGEST_FORM, ServiceError, Shared};
use crate::domain::account::Account;
use crate::http::paths;
use crate::store::sessions::Session;

/// The visit, which the layer in front put there.
pub struct Caller(pub RequestContext);

impl FromRequestParts<Shared> for Caller {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, _: &Shared) -> Result<Self, AppError> {
        let cx = parts.extensions.get::<RequestContext>().cloned();
        cx.map(Self).ok_or_else(|| ServiceError::Other("a route without the visit layer".into()).into())
    }
}

/// The fields of a form that a page of ours showed to this browser, from where `T` says that it must come. The form is
/// looked at first: what is none of ours, or one of a flood, costs nothing more.
pub struct Form<T>(pub T, pub Fields);

/// The form of the request, for what keeps it until its sender has signed in.
#[derive(Clone)]
pub struct Sent(pub Fields);

impl<T> FromRequest<Shared> for Form<T>
where
    T: FromRequestParts<Shared, Rejection = AppError> + Send,
{
    type Rejection = AppError;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, AppError> {
        let (mut parts, body) = request.into_parts();
        let Caller(cx) = Caller::from_request_parts(&mut parts, app).await?;
        app.flood.check(cx.address).map_err(AppError::TooMany)?;
        let body = to_bytes(body, LARGEST_FORM).await.map_err(|_| AppError::BadForm)?;
        let fields = Fields::parse(&body).map_err(|_| AppError::BadForm)?;
        if cx.csrf_accepts(&fields) {
            parts.extensions.insert(Sent(fields.clone()));
            Ok(Self(T::from_request_parts(&mut parts, app).await?, fields))
        } else if cx.came_without_cookies() {
            Err(AppError::CookiesOff)
        } else {
            Err(AppError::PageTooOld)
        }
    }
}

/// Somebody who is signed in, whose session lives on from now; anybody else goes to the sign-in page.
pub struct SignedIn {
    /// Its pages warn before the session ends.
    pub cx: RequestContext,
    pub session: Session,
    pub account: Account,
}

impl SignedIn {
    /// Who is signed in in this browser.
    pub async fn of(app: &App, cx: &RequestContext) -> Result<Option<Self>, ServiceError> {
        let Some(session) = app.session_of(cx).await? else { return Ok(None) };
        let account = app.store.account(&session.account_id).await?;
        let Some(account) = account.filter(|account| account.blocked_at.is_none()) else { return Ok(None) };
        app.store.touch_session(&session.id).await?;
        let session = Session { last_seen_at: app.clock.now(), ..session };
        let cx = RequestContext { ending: Some(app.ending(&session)), ..cx.clone() };
        Ok(Some(Self { cx, session, account }))
    }
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let signed_in = Self::of(app, &cx).await?;
        signed_in.ok_or_else(|| AppError::instead(see_other(paths::SIGNIN)))
    }
}

/// A visit whose pages warn before the session ends, if there is one; extends nothing.
pub struct PerhapsSignedIn(pub RequestContext);

impl FromRequestParts<Shared> for PerhapsSignedIn {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let ending = app.session_of(&cx).await?.map(|session| app.ending(&session));
        Ok(Self(RequestContext { ending, ..cx }))
    }
}

/// How long before the end pages warn; half the idle time, where that is less.
const WARN: std::time::Duration = std::time::Duration::from_mins(2);

impl App {
    /// The live session of this browser.
    pub async fn session_of(&self, cx: &RequestContext) -> Result<Option<Session>, ServiceError> {
        let Some(secret) = cx.cookie(names::SESSION_COOKIE) else { return Ok(None) };
        Ok(self.store.session_by_secret(&secret, self.idle()).await?)
    }

    /// When a session ends, for the pages that warn before it.
    pub fn ending(&self, session: &Session) -> Ending {
        let idle = self.idle();
        let seen = (session.last_seen_at, idle);
        Ending::new(self.clock.now(), seen, session.expires_at, WARN.min(idle / 2), paths::SESSION_ENDED)
    }
}
