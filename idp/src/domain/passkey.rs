//! Passkeys of an account: what is kept of a WebAuthn credential. Its private key never leaves the authenticator.

use platform::clock::Timestamp;

use crate::domain::account::AccountId;

/// How many passkeys an account may have.
pub const MOST: usize = 20;

/// The longest name that a holder may give one, in characters.
pub const LONGEST_NAME: usize = 64;

/// Whether a passkey can be copied, for example to the other devices of its holder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backup {
    /// It stays in its authenticator. This never changes, nor does the opposite.
    Bound,
    /// It may be copied, and was not yet as far as the authenticator knows.
    Eligible,
    /// It was copied.
    BackedUp,
}

impl Backup {
    /// Whether it may be copied: a passkey that is synced, or may be one day.
    pub fn is_eligible(self) -> bool {
        self != Self::Bound
    }
}

/// What registering one gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPasskey {
    /// The credential id, in URL-safe base64 without padding. No other credential of this server has it.
    pub id: String,
    /// The public key and what else is needed to check a proof, as the checking module wrote it.
    pub key: String,
    /// How many proofs the authenticator says it gave; 0 if it does not count.
    pub counter: u32,
    /// The model of the authenticator, as a UUID; all zeros if it does not say.
    pub aaguid: String,
    pub backup: Backup,
    /// How a browser may reach the authenticator (`internal`, `hybrid`, `usb`, ...): a hint for the next time.
    pub transports: Vec<String>,
}

/// A passkey as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passkey {
    pub id: String,
    pub account_id: AccountId,
    pub key: String,
    pub counter: u32,
    /// As its holder named it; `None` until somebody does.
    pub name: Option<String>,
    pub aaguid: String,
    pub backup: Backup,
    pub transports: Vec<String>,
    pub created_at: Timestamp,
    pub last_used_at: Option<Timestamp>,
}

/// A proof that was checked: the authenticator has the key, and knows the person by a PIN, finger or face.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    pub id: String,
    pub account_id: AccountId,
    /// The counter that the row had when the proof was checked; it must have it still when the new one is written.
    pub counter_seen: u32,
    /// The counter to write.
    pub counter: u32,
    pub backup: Backup,
    /// Whether the counter is not above the one before: a sign of a second copy, which a synced passkey may have.
    pub fell_back: bool,
}
