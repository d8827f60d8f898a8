//! The table `audit`: who did what to whose account, when. Never a secret, a code or a number in it.

use sqlx::Row as _;
use web::clock::Timestamp;
use web::db::Write;

use super::{Result, Store};
use crate::domain::account::AccountId;

/// What can happen to an account. The names are also those of the texts shown to its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    Registered,
    Confirmed,
    SignedIn,
    SignInFailed,
    Locked,
    PasswordChanged,
    PhoneAdded,
    PhoneChanged,
    EmailChanged,
    CodeLimit,
    DataDownloaded,
    AccountDeleted,
    DeviceRemembered,
    DeviceForgotten,
    SessionEnded,
    SignedOut,
    TermsAccepted,
    /// The care team made the account.
    AccountCreated,
    /// The care team sent the mail with which the account starts once more.
    InvitedAgain,
    Unlocked,
    Blocked,
    Unblocked,
}

impl Event {
    pub const ALL: [Self; 22] = [
        Self::Registered,
        Self::Confirmed,
        Self::SignedIn,
        Self::SignInFailed,
        Self::Locked,
        Self::PasswordChanged,
        Self::PhoneAdded,
        Self::PhoneChanged,
        Self::EmailChanged,
        Self::CodeLimit,
        Self::DataDownloaded,
        Self::AccountDeleted,
        Self::DeviceRemembered,
        Self::DeviceForgotten,
        Self::SessionEnded,
        Self::SignedOut,
        Self::TermsAccepted,
        Self::AccountCreated,
        Self::InvitedAgain,
        Self::Unlocked,
        Self::Blocked,
        Self::Unblocked,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Confirmed => "confirmed",
            Self::SignedIn => "signed-in",
            Self::SignInFailed => "sign-in-failed",
            Self::Locked => "locked",
            Self::PasswordChanged => "password-changed",
            Self::PhoneAdded => "phone-added",
            Self::PhoneChanged => "phone-changed",
            Self::EmailChanged => "email-changed",
            Self::CodeLimit => "code-limit",
            Self::DataDownloaded => "data-downloaded",
            Self::AccountDeleted => "account-deleted",
            Self::DeviceRemembered => "device-remembered",
            Self::DeviceForgotten => "device-forgotten",
            Self::SessionEnded => "session-ended",
            Self::SignedOut => "signed-out",
            Self::TermsAccepted => "terms-accepted",
            Self::AccountCreated => "account-created",
            Self::InvitedAgain => "invited-again",
            Self::Unlocked => "unlocked",
            Self::Blocked => "blocked",
            Self::Unblocked => "unblocked",
        }
    }
}

/// A row, as it is read back.
#[derive(Clone, Debug)]
pub struct Entry {
    pub at: Timestamp,
    pub event: String,
    pub account_id: Option<String>,
    /// Who did it, where that is not the holder.
    pub actor_id: Option<String>,
    pub client_id: Option<String>,
    pub detail: String,
}

impl Store {
    /// Adds a row for what the holder did, or somebody whom nobody knows, in the transaction that did it.
    pub fn note(
        &self,
        write: &mut Write,
        event: Event,
        account: &AccountId,
        client_id: Option<&str>,
        detail: &str,
    ) {
        self.note_by(write, None, event, account, client_id, detail);
    }

    /// As [`Store::note`], for what `actor` did to another's account.
    pub fn note_by(
        &self,
        write: &mut Write,
        actor: Option<&AccountId>,
        event: Event,
        account: &AccountId,
        client_id: Option<&str>,
        detail: &str,
    ) {
        write.later(
            "INSERT INTO audit (id, at, account_id, event, client_id, detail, actor_id)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            vec![
                self.random.id().into(),
                self.clock.now().0.into(),
                account.0.as_str().into(),
                event.as_str().into(),
                client_id.into(),
                detail.into(),
                actor.map(|actor| actor.0.as_str()).into(),
            ],
        );
    }

    /// The rows of an account, or of all, the newest first.
    ///
    /// # Errors
    /// The engine's.
    pub async fn audit(&self, account: Option<&AccountId>, limit: u32) -> Result<Vec<Entry>> {
        let query = match account {
            Some(account) => sqlx::query(
                "SELECT at, event, account_id, client_id, detail, actor_id FROM audit WHERE account_id = $1
                 ORDER BY at DESC LIMIT $2",
            )
            .bind(account.0.clone()),
            None => sqlx::query(
                "SELECT at, event, account_id, client_id, detail, actor_id FROM audit WHERE account_id IS NOT NULL OR $1 = ''
                 ORDER BY at DESC LIMIT $2",
            )
            .bind(String::new()),
        };
        let rows = query.bind(i64::from(limit)).fetch_all(self.db.pool()).await?;
        let entry = |row: &sqlx::any::AnyRow| {
            Ok(Entry {
                at: Timestamp(row.try_get(0)?),
                event: row.try_get(1)?,
                account_id: row.try_get(2)?,
                client_id: row.try_get(3)?,
                detail: row.try_get(4)?,
                actor_id: row.try_get(5)?,
            })
        };
        rows.iter().map(entry).collect()
    }
}
