//! Recovery codes: made and shown once, to who has just proved the strongest that the account has.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use platform::clock::Timestamp;
use platform::request::RequestContext;
use serde::Serialize;

use super::fresh::Fresh;
use crate::app::{ServiceError, Shared};
use crate::credentials::recovery_codes::RecoveryCode;
use crate::domain::account::Account;
use crate::effects::{Change, Consequences};
use crate::http::browser;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Form, SignedIn};
use crate::verification::recovery_codes;

const DAY: Duration = Duration::from_hours(24);
/// A set costs as much as ten passwords, and a mail.
const SETS_PER_DAY: u32 = 10;

/// `idp/account_recovery_codes.html`
#[derive(Clone, Debug, Serialize)]
pub struct RecoveryCodesPage {
    pub action: &'static str,
    /// How many are left of the set that there is.
    pub left: u32,
    /// When that one was made; empty if there is none.
    pub made: String,
    /// A new set, shown this once.
    pub codes: Vec<String>,
    /// The same as a file.
    pub download: String,
    /// There is nothing yet that they would stand in for.
    pub is_of_no_use: bool,
    pub back_url: &'static str,
}

impl RecoveryCodesPage {
    pub fn sample() -> Self {
        Self {
            action: paths::ACCOUNT_RECOVERY_CODES,
            left: 3,
            made: "22-11-2026 19:04".into(),
            codes: Vec::new(),
            download: String::new(),
            is_of_no_use: false,
            back_url: paths::ACCOUNT,
        }
    }

    /// With a set that was just made, and for who has nothing that codes could stand in for.
    pub fn other_samples() -> [Self; 2] {
        let made = Self {
            left: 10,
            codes: vec!["k7m-pw2qe-9xtab".into(); 10],
            download: file(&["k7m-pw2qe-9xtab".into()]),
            ..Self::sample()
        };
        [made, Self { left: 0, made: String::new(), is_of_no_use: true, ..Self::sample() }]
    }
}

/// The codes as a file, within the address of a link: no request fetches it.
fn file(codes: &[String]) -> String {
    let text = codes.join("\r\n");
    format!("data:text/plain;charset=utf-8,{}", utf8_percent_encode(&text, NON_ALPHANUMERIC))
}

async fn page(
    app: &Shared,
    cx: &RequestContext,
    account: &Account,
    codes: Vec<String>,
) -> Result<Response, ServiceError> {
    let made_at = app.store.recovery_codes_made_at(&account.id).await?;
    let page = RecoveryCodesPage {
        action: paths::ACCOUNT_RECOVERY_CODES,
        left: account.factors.recovery_codes,
        made: made_at.map(Timestamp::local_text).unwrap_or_default(),
        download: file(&codes),
        codes,
        is_of_no_use: account.factors.strongest().is_none(),
        back_url: paths::ACCOUNT,
    };
    Ok(app.page(cx, None, StatusCode::OK, "idp/account_recovery_codes.html", &page))
}

/// `GET /account/recovery-codes`: the holder, freshly signed in: how many are left, and the button that makes others.
pub async fn get(
    State(app): State<Shared>,
    Fresh(SignedIn { cx, account, .. }): Fresh,
) -> Result<Response, AppError> {
    Ok(page(&app, &cx, &account, Vec::new()).await?)
}

/// `POST /account/recovery-codes`: the holder, freshly signed in, ten times a day; the set before is void. Shown in the answer and never again:
/// a second click makes, and shows, another set.
pub async fn post(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, account, .. }), _): Form<Fresh>,
) -> Result<Response, AppError> {
    if account.factors.strongest().is_none() {
        return Ok(see_other(paths::ACCOUNT_RECOVERY_CODES));
    }
    if !app.within(&format!("recovery-codes:{}", account.id.0), SETS_PER_DAY, DAY).await? {
        return Err(AppError::TooMany(DAY));
    }
    let made = recovery_codes::make(&app).await?;
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else { return Ok(see_other(paths::ACCOUNT_RECOVERY_CODES)) };
    app.store.set_recovery_codes(&mut write, &account.id, &made.kept).await?;
    let what = Consequences {
        browser: &browser::label(&cx),
        ..Consequences::of(Change::RecoveryCodesMade, &account)
    };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    let account = app.store.account(&account.id).await?.unwrap_or(account);
    let codes = made.codes.iter().map(RecoveryCode::shown).collect();
    Ok(page(&app, &cx, &account, codes).await?)
}
