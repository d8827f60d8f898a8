//! The holder's passkeys: made, named and taken away, by who has just proved the strongest that the account has.

use axum::extract::State;
use axum::response::Response;
use platform::clock::Timestamp;
use platform::errors::FieldErrors;
use platform::request::RequestContext;
use platform::typed::has_hidden_marks;
use serde::Serialize;

use super::fresh::Fresh;
use super::leaving::leaves_enough;
use crate::app::{ServiceError, Shared};
use crate::config::Factor;
use crate::credentials::passkeys::authenticator_name;
use crate::domain::account::Account;
use crate::domain::factors::Factors;
use crate::domain::passkey::{Backup, LONGEST_NAME, Passkey};
use crate::effects::{Change, Consequences};
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Form, SignedIn, browser};
use crate::store::sessions::Session;
use crate::verification::passkeys::{self, Question};

/// `idp/account_passkeys.html`
#[derive(Clone, Debug, Serialize)]
pub struct PasskeysPage {
    pub passkeys: Vec<PasskeyRow>,
    /// For another one; none where the server has no name of its own.
    pub question: Option<Question>,
    pub add_action: &'static str,
    pub rename_action: &'static str,
    pub remove_action: &'static str,
    pub errors: FieldErrors,
    /// Why the last one cannot be taken away: a text key.
    pub stays: Option<&'static str>,
    /// What was just done: a text key.
    pub notice: Option<&'static str>,
    pub back_url: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct PasskeyRow {
    pub id: String,
    /// What its holder calls it, or the authenticator's own name; empty if neither is known.
    pub name: String,
    pub made: String,
    /// Empty if it was not used yet.
    pub last_used: String,
    pub synced: bool,
}

impl PasskeysPage {
    pub fn sample() -> Self {
        Self {
            passkeys: vec![
                PasskeyRow {
                    id: "p".into(),
                    name: "iCloud-sleutelhanger".into(),
                    made: "22-11-2026 19:04".into(),
                    last_used: "23-11-2026 19:04".into(),
                    synced: true,
                },
                PasskeyRow {
                    id: "q".into(),
                    name: String::new(),
                    made: "22-11-2026 19:04".into(),
                    last_used: String::new(),
                    synced: false,
                },
            ],
            question: Some(Question::sample()),
            add_action: paths::ACCOUNT_PASSKEYS,
            rename_action: paths::ACCOUNT_PASSKEYS_RENAME,
            remove_action: paths::ACCOUNT_PASSKEYS_REMOVE,
            errors: FieldErrors::of("", "passkey-not-made"),
            stays: Some("factor-stays"),
            notice: Some("passkey-notice-named"),
            back_url: paths::ACCOUNT,
        }
    }
}

fn row(passkey: Passkey) -> PasskeyRow {
    let known = authenticator_name(&passkey.aaguid).unwrap_or_default();
    PasskeyRow {
        name: passkey.name.unwrap_or_else(|| known.to_owned()),
        id: passkey.id,
        made: passkey.created_at.local_text(),
        last_used: passkey.last_used_at.map(Timestamp::local_text).unwrap_or_default(),
        synced: passkey.backup.is_eligible(),
    }
}

fn context(session: &Session) -> String {
    format!("passkey of the account {}", session.id)
}

const NOTICES: [&str; 2] = ["passkey-notice-named", "passkey-notice-removed"];

/// What is left without one passkey.
fn without(factors: &Factors, passkey: &Passkey) -> Factors {
    let bound = u32::from(passkey.backup == Backup::Bound);
    Factors {
        passkeys: factors.passkeys.saturating_sub(1),
        bound_passkeys: factors.bound_passkeys.saturating_sub(bound),
        ..*factors
    }
}

async fn page(
    app: &Shared,
    cx: &RequestContext,
    (account, session): (&Account, &Session),
    error: Option<&'static str>,
) -> Result<Response, ServiceError> {
    let passkeys = app.store.passkeys(&account.id).await?;
    let may_go = match passkeys.as_slice() {
        [last] => leaves_enough(app, account, Factor::Passkey, &without(&account.factors, last)).await?,
        _ => true,
    };
    let notice = cx.query("notice");
    let page = PasskeysPage {
        passkeys: passkeys.into_iter().map(row).collect(),
        question: passkeys::ask_new(app, account, &context(session)).await?,
        add_action: paths::ACCOUNT_PASSKEYS,
        rename_action: paths::ACCOUNT_PASSKEYS_RENAME,
        remove_action: paths::ACCOUNT_PASSKEYS_REMOVE,
        errors: FieldErrors::default().and("", error).with("most", &LONGEST_NAME),
        stays: (!may_go).then_some("factor-stays"),
        notice: NOTICES.into_iter().find(|known| error.is_none() && known.ends_with(&format!("-{notice}"))),
        back_url: paths::ACCOUNT,
    };
    let cx = cx.at(paths::ACCOUNT_PASSKEYS);
    Ok(app.page(&cx, None, page.errors.status(), "idp/account_passkeys.html", &page))
}

fn done(notice: &str) -> Response {
    see_other(&format!("{}?notice={notice}", paths::ACCOUNT_PASSKEYS))
}

/// `GET /account/passkeys`: the holder, freshly signed in.
pub async fn get(
    State(app): State<Shared>,
    Fresh(SignedIn { cx, session, account }): Fresh,
) -> Result<Response, AppError> {
    Ok(page(&app, &cx, (&account, &session), None).await?)
}

/// `POST /account/passkeys`: the holder, freshly signed in; another passkey. Each question takes one answer.
pub async fn post(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, session, account }), fields): Form<Fresh>,
) -> Result<Response, AppError> {
    let [sealed, answer] = [names::SEALED, names::ANSWER].map(|name| fields.get(name).unwrap_or_default());
    let new = match passkeys::read_new(&app, &account, sealed, &context(&session), answer).await? {
        Ok(new) => new,
        Err(error) => return Ok(page(&app, &cx, (&account, &session), Some(error)).await?),
    };
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else { return Ok(see_other(paths::ACCOUNT_PASSKEYS)) };
    if let Err(error) = passkeys::keep(&app, &mut write, &account, &new).await? {
        drop(write);
        return Ok(page(&app, &cx, (&account, &session), Some(error)).await?);
    }
    let what =
        Consequences { browser: &browser::label(&cx), ..Consequences::of(Change::PasskeyAdded, &account) };
    what.carry_out(&app, &mut write).await?;
    write.commit().await?;
    // Not back to the list: that one is for who has proved the new one.
    Ok(super::done("passkey"))
}

/// `POST /account/passkeys/rename`: the holder, freshly signed in; one of their own.
pub async fn rename(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, session, account }), fields): Form<Fresh>,
) -> Result<Response, AppError> {
    let name = fields.plain(names::NAME);
    let error = match name.chars().count() {
        0 => Some("passkey-name-empty"),
        count if count > LONGEST_NAME => Some("passkey-name-long"),
        _ if has_hidden_marks(&name) => Some("name-hidden-marks"),
        _ => None,
    };
    if let Some(error) = error {
        return Ok(page(&app, &cx, (&account, &session), Some(error)).await?);
    }
    let mut write = app.store.begin_write().await?;
    let id = fields.get(names::ID).unwrap_or_default();
    app.store.rename_passkey(&mut write, &account.id, id, &name).await?;
    write.commit().await?;
    Ok(done("named"))
}

/// `POST /account/passkeys/remove`: the holder, freshly signed in; one of their own, unless a portal of theirs could not be
/// entered any more.
pub async fn remove(
    State(app): State<Shared>,
    Form(Fresh(SignedIn { cx, account, .. }), fields): Form<Fresh>,
) -> Result<Response, AppError> {
    let id = fields.get(names::ID).unwrap_or_default();
    let held = app.store.begin_holding(&account.id, account.password_hash.as_deref(), []).await?;
    let Some(mut write) = held else { return Ok(see_other(paths::ACCOUNT_PASSKEYS)) };
    // As it is now: another request may have taken something away.
    let now = app.store.hold_account(&mut write, &account.id).await?.unwrap_or(account);
    let theirs = app.store.passkey(id).await?.filter(|passkey| passkey.account_id == now.id);
    let Some(passkey) = theirs else { return Ok(done("removed")) };
    if !leaves_enough(&app, &now, Factor::Passkey, &without(&now.factors, &passkey)).await? {
        return Ok(see_other(paths::ACCOUNT_PASSKEYS));
    }
    if app.store.remove_passkeys(&mut write, &now.id, Some(id)).await? > 0 {
        let what =
            Consequences { browser: &browser::label(&cx), ..Consequences::of(Change::PasskeyRemoved, &now) };
        what.carry_out(&app, &mut write).await?;
        write.commit().await?;
    }
    Ok(done("removed"))
}
