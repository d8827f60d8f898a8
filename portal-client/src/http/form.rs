//! Forms, as handlers ask for them: from a page of ours and not one of a flood, or whoever sent them.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts as _, Request};
use axum::http::header;
use platform::request::Fields;

use super::error::AppError;
use super::extract::Caller;
use super::names;
use crate::app::App;
use crate::oidc::OidcError;

/// A form that a page of ours sent from this browser.
pub struct Form(pub Fields);

impl FromRequest<Arc<App>> for Form {
    type Rejection = AppError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, AppError> {
        let (mut parts, body) = request.into_parts();
        let Caller(cx) = Caller::from_request_parts(&mut parts, app).await?;
        app.posts.check(cx.address).map_err(|wait| AppError::TooMany(wait.as_secs() + 1))?;
        let fields = read(Request::from_parts(parts, body), app).await?;
        if cx.csrf_accepts(&fields) {
            Ok(Self(fields))
        } else if cx.came_without_cookies() {
            Err(AppError::CookiesOff)
        } else {
            Err(AppError::ForeignForm)
        }
    }
}

/// A form, whoever sent it.
pub struct AnyForm(pub Fields);

impl FromRequest<Arc<App>> for AnyForm {
    type Rejection = AppError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, AppError> {
        read(request, app).await.map(Self)
    }
}

/// The logout token that a provider posted (Back-Channel Logout 1.0 section 2.5), as it came.
pub struct PostedLogoutToken(pub String);

impl FromRequest<Arc<App>> for PostedLogoutToken {
    type Rejection = AppError;

    async fn from_request(request: Request, app: &Arc<App>) -> Result<Self, AppError> {
        let refused = |why: &str| AppError::from_behind(&OidcError::Invalid(why.into()));
        let fields = read(request, app).await.map_err(|_| refused("the body is no form"))?;
        let token = fields.get(names::LOGOUT_TOKEN).ok_or_else(|| refused("no logout_token"))?;
        Ok(Self(token.to_owned()))
    }
}

/// The fields of an `application/x-www-form-urlencoded` body.
async fn read(request: Request, app: &Arc<App>) -> Result<Fields, AppError> {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Err(AppError::BadInput);
    }
    let bytes = Bytes::from_request(request, app).await.map_err(|_| AppError::BadInput)?;
    Fields::parse(&bytes).map_err(|_| AppError::BadInput)
}
