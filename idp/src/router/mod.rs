//! Every URL of this server, on one page.

#[cfg(test)]
mod samples;

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use platform::{assets, compress, headers, kept, links, look, once, request, request_log};
use serde::Serialize;

use crate::app::{LARGEST_FORM, Shared};
use crate::config::Portal;
use crate::http::{AppError, Caller, error};
use crate::http::{kept as forms, paths};
use crate::oauth::{
    authorize, cors, discovery, introspect, logout, par, refusal, registration, token, userinfo,
};
use crate::operators::{dev, reports};
use crate::signin::register::confirm;
use crate::signin::{
    code, consent, new_app, new_passkey, new_password, other_ways, passkey, password, phone, recovery_code,
    terms, with_passkey,
};
use crate::signin::{recover, register};
use crate::{account, desk, operators, signin};

/// All routes with their layers.
pub fn router(app: &Shared) -> Router {
    let https = app.config.is_https();
    let metrics = app.config.metrics_listen.map(|_| app.metrics.clone());
    let log = request_log::RequestLog { random: app.random.clone(), metrics };
    Router::new()
        // Portals
        .route(paths::JWKS, get(discovery::jwks))
        .route(paths::AUTHORIZE, get(authorize::get).post(authorize::post))
        .route(paths::LOGOUT, get(logout::get).post(logout::post))
        // Accounts
        .route(paths::REGISTER, get(register::get).post(register::post))
        .route(paths::REGISTER_SENT, get(confirm::sent).post(confirm::type_code))
        .route(paths::REGISTER_RESEND, post(confirm::resend))
        .route(paths::CONFIRM, get(confirm::page).post(confirm::post))
        .route(paths::FORGOT, get(recover::get).post(recover::post))
        .route(paths::FORGOT_SENT, get(recover::sent).post(recover::type_code))
        .route(paths::FORGOT_RESEND, post(recover::resend))
        .route(paths::RESET, get(recover::reset_get).post(recover::reset_post))
        .route(paths::ACCOUNT, get(account::get))
        .route(paths::ACCOUNT_FORGET_DEVICE, post(account::forget_device))
        .route(paths::ACCOUNT_END_SESSION, post(account::end_sessions))
        .route(paths::ACCOUNT_WITHDRAW, post(account::withdraw_consent))
        .route(paths::ACCOUNT_SIGN_OUT, post(account::sign_out))
        .route(paths::ACCOUNT_EMAIL, get(account::email::get).post(account::email::post))
        .route(paths::ACCOUNT_EMAIL_SENT, get(account::email::sent).post(account::email::type_code))
        .route(paths::ACCOUNT_EMAIL_RESEND, post(account::email::resend))
        .route(paths::ACCOUNT_EMAIL_CONFIRM, get(account::email::confirm_page).post(account::email::confirm))
        .route(paths::ACCOUNT_PHONE, get(account::phone::get).post(account::phone::post))
        .route(paths::ACCOUNT_PHONE_CODE, get(account::phone::code_get).post(account::phone::code_post))
        .route(paths::ACCOUNT_PHONE_RESEND, post(account::phone::resend))
        .route(paths::CHANGE_PASSWORD, get(|| async { Redirect::to(paths::ACCOUNT_PASSWORD) }))
        .route(paths::ACCOUNT_PASSWORD, get(account::password::get).post(account::password::post))
        .route(paths::ACCOUNT_PASSKEYS, get(account::passkeys::get).post(account::passkeys::post))
        .route(paths::ACCOUNT_PASSKEYS_RENAME, post(account::passkeys::rename))
        .route(paths::ACCOUNT_PASSKEYS_REMOVE, post(account::passkeys::remove))
        .route(paths::ACCOUNT_APP, get(account::app::get).post(account::app::post))
        .route(paths::ACCOUNT_APP_REMOVE, post(account::app::remove))
        .route(
            paths::ACCOUNT_RECOVERY_CODES,
            get(account::recovery_codes::get).post(account::recovery_codes::post),
        )
        .route(paths::ACCOUNT_DOWNLOAD, get(account::leave::download_get).post(account::leave::download_post))
        .route(paths::ACCOUNT_DELETE, get(account::leave::delete_get).post(account::leave::delete_post))
        .route(paths::ACCOUNT_DELETED, get(account::leave::deleted))
        // The care team
        .route(paths::DESK, get(desk::get))
        .route(paths::DESK_SEARCH, post(desk::search))
        .route(paths::DESK_NEW, get(desk::create::get).post(desk::create::post))
        .route(paths::DESK_ACCOUNT, get(desk::member::get))
        .route(paths::DESK_ACT, get(desk::act::get).post(desk::act::post))
        .route(paths::HOME, get(home))
        // What stands above may sign or verify, or knows clients.
        .route_layer(middleware::from_fn_with_state(app.clone(), catch_up))
        // What this server says of itself
        .route(paths::CONFIGURATION, get(discovery::configuration))
        .route(paths::OAUTH_CONFIGURATION, get(discovery::configuration))
        // A sign-in
        .route(paths::SIGNIN, get(signin::enter))
        .route(paths::SIGNIN_PASSWORD, get(password::get).post(password::post))
        .route(paths::SIGNIN_NEW_PASSWORD, get(new_password::get).post(new_password::post))
        .route(paths::SIGNIN_PHONE, get(phone::get).post(phone::post))
        .route(paths::SIGNIN_CODE, get(code::get).post(code::post))
        .route(paths::SIGNIN_RESEND, post(code::resend))
        .route(paths::SIGNIN_PASSKEY, get(passkey::get).post(passkey::post))
        .route(paths::SIGNIN_WITH_PASSKEY, post(with_passkey::post))
        .route(paths::SIGNIN_NEW_PASSKEY, get(new_passkey::get).post(new_passkey::post))
        .route(paths::SIGNIN_APP, get(signin::app::get).post(signin::app::post))
        .route(paths::SIGNIN_NEW_APP, get(new_app::get).post(new_app::post))
        .route(paths::SIGNIN_RECOVERY_CODE, get(recovery_code::get).post(recovery_code::post))
        .route(paths::SIGNIN_OTHER_WAY, post(other_ways::post))
        .route(paths::SIGNIN_TERMS, get(terms::get).post(terms::post))
        .route(paths::SIGNIN_CONSENT, get(consent::get).post(consent::post))
        .route(paths::SIGNIN_CANCEL, post(signin::cancel))
        .route(paths::COOKIES, get(signin::cookies))
        // SMS gateways
        .route(
            paths::SMS_REPORT,
            get(reports::report).post(reports::report).layer(DefaultBodyLimit::max(reports::LARGEST)),
        )
        // The end of a session
        .route(paths::SESSION, get(account::session::remaining))
        .route(paths::SESSION_EXTEND, post(account::session::extend))
        .route(paths::SESSION_ENDED, get(account::session::ended))
        // Operators
        .route(paths::HEALTHZ, get(|| async { "ok" }))
        .route(paths::READYZ, get(operators::ready))
        // Forms that somebody comes back to
        .route(kept::ROUTE, post(forms::keep))
        // Development
        .route(paths::DEV_OUTBOX, get(dev::outbox))
        .route(paths::DEV_OUTBOX_JSON, get(dev::outbox_json))
        .route(paths::DEV_CLOCK, post(dev::advance))
        // Files
        .route("/assets/{*path}", get(assets::asset))
        .route(look::ROUTE, get(brand))
        .fallback(not_found)
        .method_not_allowed_fallback(wrong_method)
        // After it: what has no handler here is for their own layers too, such as OPTIONS.
        .merge(for_clients(app))
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(middleware::from_fn_with_state(Arc::clone(&app.once), once::answer))
        .layer(middleware::from_fn_with_state(app.clone(), error::explain))
        .layer(middleware::from_fn(links::mend))
        .layer(middleware::from_fn_with_state(Arc::clone(&app.front), request::visit))
        .layer(middleware::from_fn(compress::pages))
        .layer(middleware::from_fn_with_state(https, headers::secure))
        .layer(middleware::from_fn_with_state(log, request_log::log))
        .with_state(app.clone())
}

/// The endpoints that clients call themselves; the first few also from browsers at other origins.
fn for_clients(app: &Shared) -> Router<Shared> {
    Router::new()
        .route(paths::TOKEN, post(token::post))
        .route(paths::USERINFO, get(userinfo::get).post(userinfo::post))
        .route(paths::REVOKE, post(introspect::revoke))
        .route_layer(middleware::from_fn_with_state(app.clone(), cors::allow))
        .route(paths::PAR, post(par::post))
        .route(paths::INTROSPECT, post(introspect::introspect))
        .route(paths::CLIENTS, post(registration::register))
        .route(paths::CLIENT, get(registration::read).put(registration::replace).delete(registration::remove))
        .route_layer(middleware::from_fn_with_state(app.clone(), catch_up))
        .route_layer(middleware::from_fn_with_state(app.clone(), refusal::hold_back))
}

/// The routes of the operators' own listener.
pub fn metrics_router(app: &Shared) -> Router {
    Router::new().route(paths::METRICS, get(operators::metrics)).with_state(app.clone())
}

/// `idp/home.html`
#[derive(Clone, Debug, Serialize)]
pub struct HomePage {
    pub portal_url: String,
    pub portal_name: String,
}

impl HomePage {
    pub fn sample() -> Self {
        Self { portal_url: "https://portal.example/".into(), portal_name: "Portaal".into() }
    }
}

/// `GET /`: people who came here by hand are shown the way to the portal.
async fn home(State(app): State<Shared>, Caller(cx): Caller) -> Response {
    let portal = app.registry.portal_of(None);
    let page = HomePage { portal_url: portal.url.clone(), portal_name: portal.brand.name.clone() };
    app.page(&cx, None, StatusCode::OK, "idp/home.html", &page)
}

/// A key that was revoked before this request came is of no use in it, whichever process revoked it; and a client is what it
/// was made before this request.
async fn catch_up(State(app): State<Shared>, request: Request, next: Next) -> Result<Response, AppError> {
    let versions = app.store.versions().await?;
    app.keys.catch_up_to(versions.keys).await?;
    app.known_clients.catch_up(versions.clients);
    Ok(next.run(request).await)
}

/// `GET /brand/{*path}`: colour and logo of a portal; the same for everyone.
async fn brand(State(app): State<Shared>, Path(path): Path<String>, Caller(cx): Caller) -> Response {
    look::file(app.registry.portals().map(Portal::look), &path, &cx.query("v"))
}

/// A URL that exists, asked for in another way than it answers to.
async fn wrong_method() -> AppError {
    AppError::WrongMethod
}

async fn not_found() -> AppError {
    AppError::NotFound
}
