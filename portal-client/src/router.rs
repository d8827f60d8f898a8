//! Every URL of the portal, on one page.

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::{Router, middleware};
use platform::assets::asset;
use platform::{compress, headers, kept, links, look, once, request, request_log};

use crate::app::{App, LARGEST_FORM};
use crate::http::paths;
use crate::pages::{
    activate, brand, dossier, failure, health, home, keep, request as ask, session, sign_in, sign_out, team,
    team_link, write,
};

/// The portal as a service, to be served with the peer's address (`platform::serve::serve` does that).
pub fn router(app: Arc<App>) -> Router {
    let pages = Router::new()
        .route(paths::HOME, get(home::home))
        .route(paths::LOGIN, get(sign_in::login))
        .route(paths::CALLBACK, get(sign_in::callback))
        .route(paths::COOKIES, get(sign_in::cookies))
        .route(paths::LOGOUT, get(sign_out::question).post(sign_out::logout))
        .route(paths::SIGNED_OUT, get(sign_out::signed_out))
        .route(paths::BACKCHANNEL_LOGOUT, post(sign_out::backchannel))
        .route(paths::SESSION, get(session::remaining))
        .route(paths::SESSION_EXTEND, post(session::extend))
        .route(kept::ROUTE, post(keep::keep))
        .route(paths::REQUEST, get(ask::form).post(ask::check))
        .route(paths::REQUEST_OVERVIEW, get(ask::overview).post(ask::confirm))
        .route(paths::REQUESTED, get(activate::page))
        .route(paths::REQUESTED_SENT, get(ask::sent))
        .route(paths::REQUESTED_ACTIVATE, post(activate::activate))
        .route(paths::REQUESTED_WITHDRAW, post(activate::withdraw))
        .route(paths::DOSSIER, get(dossier::first))
        .route(paths::SECTION, get(dossier::read).post(write::write))
        .route(paths::TEAM, get(team::list))
        .route(paths::TEAM_LINK, get(team_link::page))
        .route(paths::TEAM_ACT, post(team_link::act))
        .route(paths::HEALTHZ, get(health::healthz))
        .route(paths::READYZ, get(health::readyz))
        .route(look::ROUTE, get(brand::file))
        .route(paths::ASSET, get(asset));
    let pages = if app.settings.dev_clock {
        pages.route(paths::DEV_CLOCK, post(health::advance_clock))
    } else {
        pages
    };
    // From the inside out: a failure becomes a page, which needs the visit; headers go on everything; the
    // log sees what was answered.
    pages
        .fallback(failure::not_found)
        .method_not_allowed_fallback(failure::wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_FORM))
        .layer(middleware::from_fn_with_state(Arc::clone(&app.once), once::answer))
        .layer(middleware::from_fn_with_state(Arc::clone(&app), failure::render))
        .layer(middleware::from_fn(links::mend))
        .layer(middleware::from_fn_with_state(Arc::clone(&app.front), request::visit))
        .layer(middleware::from_fn(compress::pages))
        .layer(middleware::from_fn_with_state(app.settings.https, headers::secure))
        .layer(middleware::from_fn_with_state(
            request_log::RequestLog {
                random: app.random.clone(),
                metrics: app.settings.metrics_listen.map(|_| app.metrics.clone()),
            },
            request_log::log,
        ))
        .with_state(app)
}

/// The routes of the operators' own listener.
pub fn metrics_router(app: Arc<App>) -> Router {
    Router::new().route(paths::METRICS, get(health::metrics)).with_state(app)
}
