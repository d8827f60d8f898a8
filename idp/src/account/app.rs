//! The authenticator app: made, replaced and taken away, by who has just proved the strongest that the account has.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::clock::Timestamp;
use platform::request::{RequestContext, append};
use serde::Serialize;

use super::fresh::{self, Fresh};
use super::leaving::leaves_enough;
use crate::app::Shared;
use crate::config::Factor;
use crate::domain::account::Account;
use crate::domain::factors::Factors;
use crate::domain::journey::Method;
use crate::effects::{Change, Consequences};
use crate::http::browser;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Form, SignedIn};
use crate::signin::new_app::NewAppPage;
use crate::verification::apps::Offered;

/// `idp/account_app.html`
#[derive(Clone, Debug, Serialize)]
pub struct AppPage {
    pub since: String,
    /// Empty if it was not used yet.
    pub last_used: String,
    pub remove_action: &'static str,
    pub replace_url: String,
    /// Why it cannot be taken away: a text key.
    pub stays: Option<&'static str>,
    pub back_url: &'static str,
}

impl AppPage {
    pub fn sample() -> Self {
        Self {
            since: "22-11-2026 19:04".into(),
            last_used: "23-11-2026 19:04".into(),
            remove_action: paths::ACCOUNT_APP_REMOVE,
            replace_url: "/account/app?new=1".into(),
            stays: Some("factor-stays"),
            back_url: paths::ACCOUNT,
        }
    }
}

fn offer(
    app: &Shared,
    cx: &RequestContext,
    account: &Account,
    offered: &Offered,
    error: Option<&'static str>,
) -> Response {
    let page = NewAppPage {
        action: paths::ACCOUNT_APP.to_owned(),
        back_url: Some(paths::ACCOUNT),
        ..NewAppPage::of(offered, &app.brand(None).name, account, error)
    };
    app.page(cx, None, page.errors.status(), "idp/new_app.html", &page)
}

/// Without an app: whether the holder may take it away.
fn without(factors: &Factors) -> Factors {
    Factors { totp: false, ..*factors }
}

/// `GET /account/app`: the holder, freshly signed in: the app that there is, or the key for one (`new=1` for another one).
pub async fn get(
    State(app): State<Shared>,
    Fresh(SignedIn { cx, account, .. }): Fresh,
) -> Result<Response, AppError> {
    let known = app.store.app(&account.id).await?.filter(|_| cx.query("new") != "1");
    let Some(known) = known else {
        return Ok(offer(&app, &cx, &account, &Offered::new(&app, &account), None));
    };
    let may_go = leaves_enough(&app, &account, Factor::Totp, &without(&account.factors)).await?;
    let page = AppPage {
        since: known.created_at.local_text(),
        last_used: known.last_used_at.map(Timestamp::local_text).unwrap_or_default(),
        remove_action: paths::ACCOUNT_APP_REMOVE,
        replace_url: format!("{}?new=1", paths::ACCOUNT_APP),
        stays: (!may_go).then_some("factor-stays"),
        back_url: paths::ACCOUNT,
    };
    Ok(app.page(&cx, None, StatusCode::OK, "idp/account_app.html", &page))
}

/// `POST /account/app`: the holder, freshly signed in; the first code of the new app.
pub async fn post(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, session, account }), fields): Form<Fresh>,
) -> Result<Response, AppError> {
    let sent = fields.get(names::SEALED).and_then(|sealed| Offered::sent(&app, &account, sealed));
    let Some(offered) = sent else {
        return Ok(offer(&app, &cx, &account, &Offered::new(&app, &account), Some("app-key-old")));
    };
    let step = match offered.step_of(&app, fields.get(names::CODE).unwrap_or_default()) {
        Ok(step) => step,
        Err(error) => return Ok(offer(&app, &cx, &account, &offered, Some(error))),
    };
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else { return Ok(see_other(paths::ACCOUNT_APP)) };
    app.store.set_app(&mut write, &account.id, offered.key(), step).await?;
    let what = Consequences { browser: &browser::label(&cx), ..Consequences::of(Change::AppAdded, &account) };
    what.carry_out(&app, &mut write).await?;
    let secret = fresh::prove(&app, &mut write, &session, Method::Totp).await?;
    write.commit().await?;
    let mut response = super::done("app");
    if let Some(secret) = secret {
        append(&mut response, cx.front.cookies.set(names::SESSION_COOKIE, &secret, None));
    }
    Ok(response)
}

/// `POST /account/app/remove`: the holder, freshly signed in, unless a portal of theirs could not be entered any more.
pub async fn remove(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, account, .. }), _): Form<Fresh>,
) -> Result<Response, AppError> {
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else { return Ok(see_other(paths::ACCOUNT_APP)) };
    // As it is now: another request may have taken something away.
    let now = app.store.hold_account(&mut write, &account.id).await?.unwrap_or(account);
    if !leaves_enough(&app, &now, Factor::Totp, &without(&now.factors)).await? {
        return Ok(see_other(paths::ACCOUNT_APP));
    }
    if app.store.remove_app(&mut write, &now.id).await? {
        let what =
            Consequences { browser: &browser::label(&cx), ..Consequences::of(Change::AppRemoved, &now) };
        what.carry_out(&app, &mut write).await?;
        write.commit().await?;
    }
    Ok(super::done("app-removed"))
}
