//! Authenticator apps: an app is shown its key, proves with a code that it has it, and proves with codes from then on.

use platform::clock::Timestamp;
use platform::seal::Sealer;
use platform::typed::code;

use super::wrong_codes::{self, LIMIT};
use crate::app::{App, ServiceError};
use crate::credentials::app_codes::{AppKey, DIGITS, Picture, picture};
use crate::domain::account::Account;

/// For how long a key that was shown can be taken into use, in milliseconds.
const SHOWN_FOR: i64 = 3_600_000;

/// What a try at a code came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Given {
    Right,
    /// The text key that says why not.
    Refused(&'static str),
}

/// Looks at a code of the account's app, and uses it up if it is right; of two that bring the same one at once one is
/// right.
pub async fn give(
    app: &App,
    account: &Account,
    client_id: Option<&str>,
    typed: &str,
) -> Result<Given, ServiceError> {
    if let Err(text) = form(typed) {
        return Ok(Given::Refused(text));
    }
    let Some(known) = app.store.app(&account.id).await? else { return Ok(Given::Refused("app-gone")) };
    let Some(taken) = wrong_codes::take(app, &account.id).await? else { return Ok(Given::Refused(LIMIT)) };
    let step = AppKey::of(known.key).step_of(typed, app.clock.now());
    let given = match step {
        None => Given::Refused("app-code-wrong"),
        Some(step) => {
            let mut write = app.store.begin_write().await?;
            let is_new = app.store.use_app_step(&mut write, &account.id, step).await?;
            write.commit().await?;
            if is_new { Given::Right } else { Given::Refused("app-code-used") }
        }
    };
    wrong_codes::settle(app, &account.id, client_id, taken, step.is_none()).await?;
    Ok(given)
}

/// Whether a text can be a code; else why not.
fn form(typed: &str) -> Result<(), &'static str> {
    let typed = code(typed);
    match typed.len() {
        0 => Err("code-empty"),
        DIGITS if typed.bytes().all(|byte| byte.is_ascii_digit()) => Ok(()),
        _ => Err("app-code-malformed"),
    }
}

/// A key on its way into an app.
pub struct Offered {
    key: AppKey,
    /// The key, sealed for this account and this hour: the page carries it to the request that brings the first code.
    pub sealed: String,
}

impl Offered {
    fn sealer(app: &App) -> Sealer {
        app.store.root().sealer("an app's key on a page")
    }

    /// A new one.
    pub fn new(app: &App, account: &Account) -> Self {
        let key = AppKey::generate(&app.random);
        let until = app.clock.now().0 + SHOWN_FOR;
        let mut plain = format!("{} {until} ", account.id.0).into_bytes();
        plain.extend_from_slice(key.bytes());
        Self { sealed: Self::sealer(app).seal(&plain), key }
    }

    /// The one that a page of this account carried, if it is not too old.
    pub fn sent(app: &App, account: &Account, sealed: &str) -> Option<Self> {
        let plain = Self::sealer(app).open(sealed).ok()?;
        let mut parts = plain.splitn(3, |byte| *byte == b' ');
        let (id, until, key) = (parts.next()?, parts.next()?, parts.next()?);
        let until: i64 = std::str::from_utf8(until).ok()?.parse().ok()?;
        let is_good = id == account.id.0.as_bytes() && app.clock.now() < Timestamp(until);
        is_good.then(|| Self { key: AppKey::of(key.to_vec().into()), sealed: sealed.to_owned() })
    }

    /// For who types it.
    pub fn in_groups(&self) -> String {
        self.key.in_groups()
    }

    /// For who points a camera at it; `name` is what the app shows beside its codes.
    pub fn picture(&self, name: &str, account: &Account) -> Option<Picture> {
        picture(&self.key.url(name, account.email.as_str()))
    }

    /// For who reads the page on the phone with the app: a link that opens it.
    pub fn url(&self, name: &str, account: &Account) -> String {
        self.key.url(name, account.email.as_str())
    }

    /// The key, to be kept once a code has shown that an app has it.
    pub fn key(&self) -> &[u8] {
        self.key.bytes()
    }

    /// The step of a typed code, if the app that made it has this key; else the text key that says why not.
    pub fn step_of(&self, app: &App, typed: &str) -> Result<i64, &'static str> {
        form(typed)?;
        self.key.step_of(typed, app.clock.now()).ok_or("app-code-wrong")
    }
}
