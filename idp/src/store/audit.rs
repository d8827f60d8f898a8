//! The table `audit`: who did what to whose account, when. Never a secret, a code or a number in it.

use std::fmt::Write as _;

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Value, Write};
use platform::request_log::current_request;

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
    /// An operator took the number away, for a holder who has it no more.
    PhoneRemoved,
    EmailChanged,
    /// An authenticator app was added, or replaced.
    AppAdded,
    AppRemoved,
    RecoveryCodesMade,
    RecoveryCodeUsed,
    PasskeyAdded,
    PasskeyRemoved,
    /// The counter of one fell back: there may be a second copy.
    PasskeyCopied,
    /// The care team, or an operator, took app, passkeys and recovery codes away.
    FactorsRemoved,
    CodeLimit,
    DataDownloaded,
    AccountDeleted,
    DeviceRemembered,
    DeviceForgotten,
    SessionEnded,
    SignedOut,
    TermsAccepted,
    ConsentWithdrawn,
    /// The care team made the account.
    AccountCreated,
    /// The care team sent the mail with which the account starts once more.
    InvitedAgain,
    Unlocked,
    Blocked,
    Unblocked,
    /// Somebody at the desk asked for an address that is in use where they see nobody; of their own account.
    AddressRefused,
}

impl Event {
    pub const ALL: [Self; 33] = [
        Self::Registered,
        Self::Confirmed,
        Self::SignedIn,
        Self::SignInFailed,
        Self::Locked,
        Self::PasswordChanged,
        Self::PhoneAdded,
        Self::PhoneChanged,
        Self::PhoneRemoved,
        Self::EmailChanged,
        Self::AppAdded,
        Self::AppRemoved,
        Self::RecoveryCodesMade,
        Self::RecoveryCodeUsed,
        Self::PasskeyAdded,
        Self::PasskeyRemoved,
        Self::PasskeyCopied,
        Self::FactorsRemoved,
        Self::CodeLimit,
        Self::DataDownloaded,
        Self::AccountDeleted,
        Self::DeviceRemembered,
        Self::DeviceForgotten,
        Self::SessionEnded,
        Self::SignedOut,
        Self::TermsAccepted,
        Self::ConsentWithdrawn,
        Self::AccountCreated,
        Self::InvitedAgain,
        Self::Unlocked,
        Self::Blocked,
        Self::Unblocked,
        Self::AddressRefused,
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
            Self::PhoneRemoved => "phone-removed",
            Self::EmailChanged => "email-changed",
            Self::AppAdded => "app-added",
            Self::AppRemoved => "app-removed",
            Self::RecoveryCodesMade => "recovery-codes-made",
            Self::RecoveryCodeUsed => "recovery-code-used",
            Self::PasskeyAdded => "passkey-added",
            Self::PasskeyRemoved => "passkey-removed",
            Self::PasskeyCopied => "passkey-copied",
            Self::FactorsRemoved => "factors-removed",
            Self::CodeLimit => "code-limit",
            Self::DataDownloaded => "data-downloaded",
            Self::AccountDeleted => "account-deleted",
            Self::DeviceRemembered => "device-remembered",
            Self::DeviceForgotten => "device-forgotten",
            Self::SessionEnded => "session-ended",
            Self::SignedOut => "signed-out",
            Self::TermsAccepted => "terms-accepted",
            Self::ConsentWithdrawn => "consent-withdrawn",
            Self::AccountCreated => "account-created",
            Self::InvitedAgain => "invited-again",
            Self::Unlocked => "unlocked",
            Self::Blocked => "blocked",
            Self::Unblocked => "unblocked",
            Self::AddressRefused => "address-refused",
        }
    }
}

/// What an operator does on the command line, to no account in particular.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    BackupMade,
    BackupRestored,
    AuditExported,
    KeysRotated,
    KeyRevoked,
    RegistrationTokenMade,
    SchemaChanged,
}

impl Operation {
    pub const ALL: [Self; 7] = [
        Self::BackupMade,
        Self::BackupRestored,
        Self::AuditExported,
        Self::KeysRotated,
        Self::KeyRevoked,
        Self::RegistrationTokenMade,
        Self::SchemaChanged,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackupMade => "backup-made",
            Self::BackupRestored => "backup-restored",
            Self::AuditExported => "audit-exported",
            Self::KeysRotated => "keys-rotated",
            Self::KeyRevoked => "key-revoked",
            Self::RegistrationTokenMade => "registration-token-made",
            Self::SchemaChanged => "schema-changed",
        }
    }
}

/// Which rows are asked for; each part narrows them.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub account: Option<AccountId>,
    pub event: Option<String>,
    pub from: Option<Timestamp>,
    /// Rows before this moment.
    pub until: Option<Timestamp>,
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
    /// Of the account, at the time; of what an earlier version wrote, of today.
    pub organisation: Option<String>,
    /// The identifier of the request that did it, as the log has it.
    pub request_id: Option<String>,
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
        let query = Query::new(
            "INSERT INTO audit (id, at, account_id, event, client_id, detail, actor_id, request_id, organisation)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, (SELECT organisation FROM accounts WHERE id = $3))",
        );
        let query = query
            .bind(self.random.id())
            .bind(self.clock.now().0)
            .bind(&account.0)
            .bind(event.as_str())
            .bind(client_id)
            .bind(detail)
            .bind(actor.map(|actor| actor.0.as_str()))
            .bind(current_request().as_deref());
        write.later(query);
    }

    /// Adds a row for what an operator did on the command line. It uses the oldest columns alone: a backup is made of
    /// whatever schema there is.
    pub async fn note_operation(&self, operator: &str, operation: Operation, detail: &str) -> Result<()> {
        let text = "INSERT INTO audit (id, at, actor_id, event, detail) VALUES ($1, $2, $3, $4, $5)";
        let query = Query::new(text)
            .bind(self.random.id())
            .bind(self.clock.now().0)
            .bind(operator)
            .bind(operation.as_str())
            .bind(detail);
        self.db.execute(query).await?;
        Ok(())
    }

    /// When `actor` last did one of these to an account, as it is for this transaction, which holds the account.
    pub async fn last_act(
        &self,
        write: &mut Write,
        account: &AccountId,
        actor: &AccountId,
        events: &[Event],
    ) -> Result<Option<Timestamp>> {
        let mut last = None;
        for event in events {
            let sql = "SELECT MAX(at) FROM audit WHERE account_id = $1 AND actor_id = $2 AND event = $3";
            let query = Query::new(sql).bind(&account.0).bind(&actor.0).bind(event.as_str());
            let at: Option<i64> = query.fetch_one(&mut *write).await?.try_get(0)?;
            last = last.max(at.map(Timestamp));
        }
        Ok(last)
    }

    /// The rows of an account, or of all, the newest first.
    pub async fn audit(&self, account: Option<&AccountId>, limit: u32) -> Result<Vec<Entry>> {
        self.audit_of(&Filter { account: account.cloned(), ..Filter::default() }, limit).await
    }

    /// The rows that a filter leaves, the newest first.
    pub async fn audit_of(&self, filter: &Filter, limit: u32) -> Result<Vec<Entry>> {
        // Only the conditions that are wanted, so that the engine takes the index that fits.
        let conditions = [
            ("account_id = ", filter.account.as_ref().map(|account| Value::from(account.0.as_str()))),
            ("event = ", filter.event.as_deref().map(Value::from)),
            ("at >= ", filter.from.map(|from| Value::from(from.0))),
            ("at < ", filter.until.map(|until| Value::from(until.0))),
        ];
        let (mut text, mut values) = (SELECT.to_owned(), Vec::new());
        for (condition, value) in conditions {
            let Some(value) = value else { continue };
            values.push(value);
            let word = if values.len() == 1 { "WHERE" } else { "AND" };
            let _ = write!(text, " {word} audit.{condition}${}", values.len());
        }
        let _ = write!(text, " ORDER BY at DESC, audit.id DESC LIMIT {limit}");
        let rows = Query::new(AssertSqlSafe(text)).bind_all(values).fetch_all(&self.db).await?;
        rows.iter().map(entry).collect()
    }

    /// Removes the rows from before a moment.
    pub async fn remove_audit(&self, before: Timestamp) -> Result<u64> {
        let text = "DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE at < $1 ORDER BY at LIMIT 100)";
        Ok(self.db.remove_in_pieces(Query::new(text).bind(before.0)).await?)
    }
}

/// The organisation of a row that an earlier version wrote is that of its account.
const SELECT: &str = "SELECT at, event, account_id, client_id, detail, actor_id,
       COALESCE(audit.organisation, accounts.organisation), request_id
     FROM audit LEFT JOIN accounts ON accounts.id = account_id";

fn entry(row: &Row) -> Result<Entry> {
    Ok(Entry {
        at: Timestamp(row.try_get(0)?),
        event: row.try_get(1)?,
        account_id: row.try_get(2)?,
        client_id: row.try_get(3)?,
        detail: row.try_get(4)?,
        actor_id: row.try_get(5)?,
        organisation: row.try_get(6)?,
        request_id: row.try_get(7)?,
    })
}
