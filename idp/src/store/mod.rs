//! Durable rows, one file an aggregate. SQL stands here and nowhere else; what it means is decided above.

use std::sync::Arc;

use include_dir::{Dir, include_dir};
use platform::clock::Clock;
use platform::db::{Db, Found, Needs, OpenError, Schema};
use platform::random::Random;
use platform::seal::{RootKey, SealError};
use tokio::sync::Notify;

pub mod accounts;
pub mod audit;
pub mod claims;
pub mod clients;
pub mod devices;
pub mod ephemeral;
pub mod grants;
pub mod history;
pub mod keys;
pub mod lockouts;
pub mod mail_links;
pub mod members;
pub mod outbox;
pub mod passkeys;
pub mod recovery_codes;
pub mod refused;
pub mod sessions;
pub mod sms;
pub mod temporary_passwords;
pub mod terms;
pub mod totp;

static MIGRATIONS: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/../migrations/idp");

/// The tables of this program.
pub static SCHEMA: Schema = Schema {
    program: "idp",
    migrations: &MIGRATIONS,
    witness: ("SELECT private_sealed FROM signing_keys WHERE private_sealed <> '' LIMIT 1", "signing key"),
    counted: &["accounts", "devices", "passkeys", "sessions", "signing_keys", "audit"],
};

/// Why a row could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("database: {0}")]
    Sql(#[from] sqlx::Error),
    #[error("sealed value: {0}; was secrets.root changed?")]
    Sealed(#[from] SealError),
    #[error("a row says what this program never writes: {0}")]
    Corrupt(&'static str),
}

impl StoreError {
    /// Whether the row would break a uniqueness rule.
    pub fn is_unique_violation(&self) -> bool {
        matches!(self, Self::Sql(sqlx::Error::Database(error)) if error.is_unique_violation())
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// Kinds of messages in the outbox: mails, SMS, logout tokens.
const KINDS: usize = 3;

/// All tables of the identity provider.
#[derive(Clone, Debug)]
pub struct Store {
    pub(crate) db: Db,
    pub(crate) clock: Clock,
    pub(crate) random: Random,
    pub(crate) root: RootKey,
    /// Who waits for messages in the outbox, by their kind.
    pub(crate) outbox: [Arc<Notify>; KINDS],
}

impl Store {
    /// Opens the database at `url` for a server: makes it if it is not there, and brings its tables up to date.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong.
    pub async fn open(
        url: &str,
        clock: Clock,
        random: Random,
        root: RootKey,
    ) -> std::result::Result<Self, OpenError> {
        let db = Db::open(url, &SCHEMA, &root).await?;
        Ok(Self { db, clock, random, root, outbox: Default::default() })
    }

    /// Opens the database at `url` for a command, which makes nothing and leaves its tables as they are.
    ///
    /// # Errors
    /// [`OpenError`] names what is wrong.
    pub async fn open_existing(
        url: &str,
        (clock, random, root): (Clock, Random, RootKey),
        needs: Needs,
    ) -> std::result::Result<(Self, Found), OpenError> {
        let (db, found) = Db::open_existing(url, &SCHEMA, &root, needs).await?;
        Ok((Self { db, clock, random, root, outbox: Default::default() }, found))
    }

    /// The tables in a database that is open already, such as a copy that is looked at.
    pub fn within(db: Db, clock: Clock, random: Random, root: RootKey) -> Self {
        Self { db, clock, random, root, outbox: Default::default() }
    }

    /// The root key.
    pub fn root(&self) -> &RootKey {
        &self.root
    }

    /// The database handle, for expiring values that share it.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// A transaction that may write.
    pub async fn begin_write(&self) -> Result<platform::db::Write> {
        Ok(self.db.begin_write().await?)
    }
}
