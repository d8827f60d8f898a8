//! Every URL of this server, on one page.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Path, Request, State};
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{Redirect, Response};
use axum::routing::{get, post};
use axum::{Router, middleware};
use serde::Serialize;
use web::{assets, compress, headers, kept, links, look, once, request, request_log};

use crate::app::{LARGEST_FORM, Shared};
use crate::config::Portal;
use crate::http::{AppError, Caller, error};
use crate::oauth::{
    authorize, cors, discovery, introspect, logout, par, refusal, registration, token, userinfo,
};
use crate::register::confirm;
use crate::signin::{code, consent, new_password, password, phone, terms};
use crate::{account, desk, dev, http::kept as forms, operators, path, recover, register, reports, signin};

/// All routes with their layers.
pub fn router(app: &Shared) -> Router {
    let https = app.config.is_https();
    let metrics = app.config.metrics_listen.map(|_| app.metrics.clone());
    let log = request_log::RequestLog { random: app.random.clone(), metrics };
    Router::new()
        // Portals
        .route(path::CONFIGURATION, get(discovery::configuration))
        .route(path::OAUTH_CONFIGURATION, get(discovery::configuration))
        .route(path::JWKS, get(discovery::jwks))
        .route(path::AUTHORIZE, get(authorize::get).post(authorize::post))
        .route(path::LOGOUT, get(logout::get).post(logout::post))
        // Accounts
        .route(path::REGISTER, get(register::get).post(register::post))
        .route(path::REGISTER_SENT, get(confirm::sent).post(confirm::type_code))
        .route(path::REGISTER_RESEND, post(confirm::resend))
        .route(path::CONFIRM, get(confirm::page).post(confirm::post))
        .route(path::FORGOT, get(recover::get).post(recover::post))
        .route(path::FORGOT_SENT, get(recover::sent).post(recover::type_code))
        .route(path::FORGOT_RESEND, post(recover::resend))
        .route(path::RESET, get(recover::reset_get).post(recover::reset_post))
        .route(path::ACCOUNT, get(account::get))
        .route(path::ACCOUNT_FORGET_DEVICE, post(account::forget_device))
        .route(path::ACCOUNT_END_SESSION, post(account::end_sessions))
        .route(path::ACCOUNT_SIGN_OUT, post(account::sign_out))
        .route(path::ACCOUNT_EMAIL, get(account::email::get).post(account::email::post))
        .route(path::ACCOUNT_EMAIL_SENT, get(account::email::sent).post(account::email::type_code))
        .route(path::ACCOUNT_EMAIL_RESEND, post(account::email::resend))
        .route(path::ACCOUNT_EMAIL_CONFIRM, get(account::email::confirm_page).post(account::email::confirm))
        .route(path::ACCOUNT_PHONE, get(account::phone::get).post(account::phone::post))
        .route(path::ACCOUNT_PHONE_CODE, get(account::phone::code_get).post(account::phone::code_post))
        .route(path::ACCOUNT_PHONE_RESEND, post(account::phone::resend))
        .route(path::CHANGE_PASSWORD, get(|| async { Redirect::to(path::ACCOUNT_PASSWORD) }))
        .route(path::ACCOUNT_PASSWORD, get(account::password::get).post(account::password::post))
        .route(path::ACCOUNT_DOWNLOAD, get(account::leave::download_get).post(account::leave::download_post))
        .route(path::ACCOUNT_DELETE, get(account::leave::delete_get).post(account::leave::delete_post))
        .route(path::ACCOUNT_DELETED, get(account::leave::deleted))
        // The care team
        .route(path::DESK, get(desk::get))
        .route(path::DESK_SEARCH, post(desk::search))
        .route(path::DESK_NEW, get(desk::create::get).post(desk::create::post))
        .route(path::DESK_ACCOUNT, get(desk::member::get))
        .route(path::DESK_ACT, get(desk::act::get).post(desk::act::post))
        .route(path::HOME, get(home))
        // What stands above may sign or verify.
        .route_layer(middleware::from_fn_with_state(app.clone(), know_the_keys))
        // A sign-in
        .route(path::SIGNIN, get(signin::enter))
        .route(path::SIGNIN_PASSWORD, get(password::get).post(password::post))
        .route(path::SIGNIN_NEW_PASSWORD, get(new_password::get).post(new_password::post))
        .route(path::SIGNIN_PHONE, get(phone::get).post(phone::post))
        .route(path::SIGNIN_CODE, get(code::get).post(code::post))
        .route(path::SIGNIN_RESEND, post(code::resend))
        .route(path::SIGNIN_TERMS, get(terms::get).post(terms::post))
        .route(path::SIGNIN_CONSENT, get(consent::get).post(consent::post))
        .route(path::SIGNIN_CANCEL, post(signin::cancel))
        .route(path::COOKIES, get(signin::cookies))
        // SMS gateways
        .route(
            path::SMS_REPORT,
            get(reports::report).post(reports::report).layer(DefaultBodyLimit::max(reports::LARGEST)),
        )
        // The end of a session
        .route(path::SESSION, get(account::session::remaining))
        .route(path::SESSION_EXTEND, post(account::session::extend))
        .route(path::SESSION_ENDED, get(account::session::ended))
        // Operators
        .route(path::HEALTHZ, get(|| async { "ok" }))
        .route(path::READYZ, get(operators::ready))
        // Forms that somebody comes back to
        .route(kept::ROUTE, post(forms::keep))
        // Development
        .route(path::DEV_OUTBOX, get(dev::outbox))
        .route(path::DEV_OUTBOX_JSON, get(dev::outbox_json))
        .route(path::DEV_CLOCK, post(dev::advance))
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
        .route(path::TOKEN, post(token::post))
        .route(path::USERINFO, get(userinfo::get).post(userinfo::post))
        .route(path::REVOKE, post(introspect::revoke))
        .route_layer(middleware::from_fn_with_state(app.clone(), cors::allow))
        .route(path::PAR, post(par::post))
        .route(path::INTROSPECT, post(introspect::introspect))
        .route(path::CLIENTS, post(registration::register))
        .route(path::CLIENT, get(registration::read).put(registration::replace).delete(registration::remove))
        .route_layer(middleware::from_fn_with_state(app.clone(), know_the_keys))
        .route_layer(middleware::from_fn_with_state(app.clone(), refusal::hold_back))
}

/// The routes of the operators' own listener.
pub fn metrics_router(app: &Shared) -> Router {
    Router::new().route(path::METRICS, get(operators::metrics)).with_state(app.clone())
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
async fn home(State(app): State<Shared>, Caller(visit): Caller) -> Response {
    let portal = app.registry.portal_of(None);
    let page = HomePage { portal_url: portal.url.clone(), portal_name: portal.brand.name.clone() };
    app.page(&visit, None, StatusCode::OK, "idp/home.html", &page)
}

/// A key that was revoked before this request came is of no use in it, whichever process revoked it.
async fn know_the_keys(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, AppError> {
    app.keys.catch_up().await?;
    Ok(next.run(request).await)
}

/// `GET /brand/{*path}`: colour and logo of a portal; the same for everyone.
async fn brand(State(app): State<Shared>, Path(path): Path<String>, Caller(visit): Caller) -> Response {
    look::file(app.registry.portals().map(Portal::look), &path, &visit.query("v"))
}

/// A URL that exists, asked for in another way than it answers to.
async fn wrong_method() -> AppError {
    AppError::WrongMethod
}

async fn not_found() -> AppError {
    AppError::NotFound
}
