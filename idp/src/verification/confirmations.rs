//! Registrations under way: what the browser that registered remembers of it, and what the button of the mail
//! proves in another browser. A confirmation counts for the password of one registration, so that nobody's password
//! opens an account at an address that somebody else confirmed; docs/decisions/0008 says why.

use std::time::Duration;

use platform::db::Write;
use platform::request::RequestContext;
use serde::{Deserialize, Serialize};

use crate::app::{App, ServiceError};
use crate::domain::account::{Account, EmailAddress};
use crate::store::audit::Event;
use crate::store::mail_links::Purpose;

/// As long as the waiting page.
const LIFETIME: Duration = Duration::from_hours(24);

/// What the browser that registered an address remembers, alike for a free address and for a taken one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Registration {
    /// The waiting page.
    pub page_id: String,
    /// Of the password that was given with the registration.
    pub password_hash: String,
}

impl App {
    /// Remembers a registration in the browser that made it.
    pub async fn keep_registration(
        &self,
        cx: &RequestContext,
        email: &EmailAddress,
        registration: &Registration,
    ) -> Result<(), ServiceError> {
        let value = serde_json::to_string(registration).unwrap_or_default();
        Ok(self.ephemeral.put(&self.browser_key("registered", cx, email), &value, LIFETIME).await?)
    }

    /// The latest registration of an address in this browser.
    pub async fn registration_here(
        &self,
        cx: &RequestContext,
        email: &EmailAddress,
    ) -> Result<Option<Registration>, ServiceError> {
        let kept = self.ephemeral.get(&self.browser_key("registered", cx, email)).await?;
        Ok(kept.and_then(|kept| serde_json::from_str(&kept.value).ok()))
    }

    /// Remembers that the button of the confirmation mail was pressed in this browser, which is not the one that
    /// registered: it reads the mail, and has yet to know the password.
    pub async fn keep_pressed(&self, cx: &RequestContext, account: &Account) -> Result<(), ServiceError> {
        let key = self.browser_key("pressed", cx, &account.email);
        Ok(self.ephemeral.put(&key, &account.credential_version(), LIFETIME).await?)
    }

    /// Whether the button was pressed in this browser for the password that the account has.
    pub async fn was_pressed(&self, cx: &RequestContext, account: &Account) -> Result<bool, ServiceError> {
        let kept = self.ephemeral.get(&self.browser_key("pressed", cx, &account.email)).await?;
        Ok(kept.is_some_and(|kept| kept.value == account.credential_version()))
    }

    /// Confirms an account as it was read; its links and codes of that kind end. False if another registration
    /// changed it meanwhile.
    pub async fn confirm_account(
        &self,
        write: &mut Write,
        account: &Account,
        client_id: Option<&str>,
    ) -> Result<bool, ServiceError> {
        let hash = account.password_hash.as_deref();
        if !self.store.confirm_email(write, &account.id, hash).await? {
            return Ok(false);
        }
        self.store.void_mail_links(write, &account.id, Purpose::Confirm).await?;
        // Who tried too early, with the mail still on its way, starts with a clean count.
        self.store.unlock(write, &account.id).await?;
        self.store.note(write, Event::Confirmed, &account.id, client_id, "");
        Ok(true)
    }
}
