//! The key ring: keys are announced, sign, retire and go, sealed at rest. Owns which key signs and which
//! verify; what the tokens say is for `oauth`.
//!
//! Phases follow from times ([`Phase`]), so nodes agree without talking. What a process changes, every other one
//! knows at its next request: [`KeyRing::catch_up`].

mod client_keys;
mod error;
mod jwt;
mod material;
mod phase;
mod rotation;
#[cfg(test)]
mod tests;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet};
use platform::clock::{Clock, Timestamp};
use platform::document::Document;
use serde::Serialize;

pub use client_keys::ClientKeys;
pub use error::KeyError;
pub use material::Signer;
pub use phase::Phase;

use crate::config;
pub use crate::config::SigningAlgorithm as Algorithm;
use crate::protocol::jose::{Jwk, VerifyingKey};
use crate::store::Store;
use crate::store::keys::KeyRow;
use material::KeyPair;

/// How long a retired key stays published beyond the lifetime of what it signed: clocks differ, and an ID token
/// that expired is still good as `id_token_hint` at logout (RP-Initiated Logout section 2) that same day.
const MARGIN: Duration = Duration::from_hours(24);

type Result<T> = std::result::Result<T, KeyError>;

/// When a new key starts to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After relying parties had `keys.announce_hours` to fetch it.
    Announce,
    /// Once it was published for half a minute: an announced key if there is one, else a new one.
    Soon,
}

/// A key as the operator sees it.
#[derive(Clone, Debug, Serialize)]
pub struct KeyInfo {
    pub kid: String,
    pub algorithm: String,
    pub phase: Phase,
    pub announced_at: Timestamp,
    pub signs_from: Timestamp,
    pub retired_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
}

/// A key that was parsed once and stays as long as it is published.
#[derive(Clone)]
struct Entry {
    row: KeyRow,
    signer: Signer,
    verifier: VerifyingKey,
}

struct Snapshot {
    /// Of the table when it was read; a slow read never replaces a later one.
    version: i64,
    rows: Vec<KeyRow>,
    entries: Vec<Entry>,
    /// The published keys, a JWK set (RFC 7517 section 5).
    jwks: Document,
    /// Of the algorithms alone that every client knows.
    widely_known: Document,
}

struct Inner {
    store: Store,
    clock: Clock,
    announce: Duration,
    /// How long a key signs, if keys are rotated by schedule.
    rotate: Option<Duration>,
    keep: Duration,
    snapshot: RwLock<Arc<Snapshot>>,
}

/// A handle to the ring; clones share it.
#[derive(Clone)]
pub struct KeyRing(Arc<Inner>);

impl KeyRing {
    /// Reads the ring, and makes the first key of each algorithm if there is none.
    ///
    /// # Errors
    /// The store's, or if a key does not open under this root key.
    pub async fn open(store: Store, settings: &config::Keys, tokens: &config::Tokens) -> Result<Self> {
        let ring = Self::read(store, settings, tokens).await?;
        ring.ensure_signing().await?;
        Ok(ring)
    }

    /// Reads the ring, and makes nothing.
    ///
    /// # Errors
    /// The store's, or if a key does not open under this root key.
    pub async fn read(store: Store, settings: &config::Keys, tokens: &config::Tokens) -> Result<Self> {
        let longest = tokens.access_token_seconds.max(tokens.id_token_seconds);
        let ring = Self(Arc::new(Inner {
            clock: store.clock.clone(),
            store,
            announce: Duration::from_secs(u64::from(settings.announce_hours) * 3600),
            rotate: (settings.rotate_days > 0)
                .then(|| Duration::from_secs(u64::from(settings.rotate_days) * 86_400)),
            keep: Duration::from_secs(u64::from(longest)) + MARGIN,
            snapshot: RwLock::new(Arc::new(Snapshot {
                version: -1,
                rows: Vec::new(),
                entries: Vec::new(),
                jwks: jwks(&[])?,
                widely_known: jwks(&[])?,
            })),
        }));
        ring.refresh().await?;
        Ok(ring)
    }

    /// Reads the table again if any process has changed it. After this, what happened before the call holds here
    /// too: a revoked key neither signs nor verifies. Every request that may sign or verify begins with it.
    ///
    /// # Errors
    /// The store's; nobody knows then which keys are good.
    pub async fn catch_up(&self) -> Result<()> {
        self.catch_up_to(self.0.store.version_of_keys().await?).await
    }

    /// As [`KeyRing::catch_up`], by a version that was read just now.
    ///
    /// # Errors
    /// As [`KeyRing::catch_up`].
    pub async fn catch_up_to(&self, version: i64) -> Result<()> {
        if version == self.snapshot().version {
            return Ok(());
        }
        self.refresh().await
    }

    /// Reads the table again: keys that another process added sign and verify here too, revoked ones stop, and
    /// those that are past their time go.
    async fn refresh(&self) -> Result<()> {
        // Before the rows: what changes in between is read again, never missed.
        let version = self.0.store.version_of_keys().await?;
        let rows = self.0.store.signing_keys().await?;
        let now = self.0.clock.now();
        let old = self.snapshot();
        let mut entries = Vec::new();
        for row in &rows {
            // A later version of this program may keep keys of algorithms that this one does not know.
            if let Some(algorithm) = Algorithm::parse(&row.algorithm)
                && phase::phase(row, &rows, self.0.keep, now).is_published()
            {
                entries.push(self.entry(row, algorithm, &old)?);
            }
        }
        let is_as_before = entries.iter().map(|e| &e.row.kid).eq(old.entries.iter().map(|e| &e.row.kid));
        let (jwks, widely_known) = if is_as_before {
            (old.jwks.clone(), old.widely_known.clone())
        } else {
            let known = entries.iter().filter(|entry| entry.signer.algorithm.is_widely_known());
            (jwks(&entries)?, jwks(&known.cloned().collect::<Vec<_>>())?)
        };
        self.install(Snapshot { version, rows, entries, jwks, widely_known });
        Ok(())
    }

    fn install(&self, new: Snapshot) {
        let mut current = self.0.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if new.version >= current.version {
            *current = Arc::new(new);
        }
    }

    fn entry(&self, row: &KeyRow, algorithm: Algorithm, old: &Snapshot) -> Result<Entry> {
        if let Some(known) = old.entries.iter().find(|entry| entry.row.kid == row.kid) {
            return Ok(Entry { row: row.clone(), ..known.clone() });
        }
        let public: CoreJsonWebKey = serde_json::from_str(&row.public_jwk)?;
        let verifier = VerifyingKey::new(&serde_json::from_str::<Jwk>(&row.public_jwk)?, algorithm)
            .map_err(|_| KeyError::Crypto("a stored public key cannot be read"))?;
        let pair = KeyPair::from_pkcs8(algorithm, &self.0.store.open_signing_key(row)?)?;
        let signer = Signer {
            kid: row.kid.as_str().into(),
            algorithm,
            public: Arc::new(public),
            pair: Arc::new(pair),
        };
        Ok(Entry { row: row.clone(), signer, verifier })
    }

    /// Every key with its phase, revoked ones included, in the order in which they sign.
    pub fn list(&self) -> Vec<KeyInfo> {
        let (snapshot, now) = (self.snapshot(), self.0.clock.now());
        let info = |row: &KeyRow| KeyInfo {
            kid: row.kid.clone(),
            algorithm: row.algorithm.clone(),
            phase: phase::phase(row, &snapshot.rows, self.0.keep, now),
            announced_at: row.announced_at,
            signs_from: row.signs_from,
            retired_at: phase::retires_at(row, &snapshot.rows),
            revoked_at: row.revoked_at,
        };
        snapshot.rows.iter().map(info).collect()
    }

    /// The published keys as of the last [`KeyRing::catch_up`].
    pub fn jwks(&self) -> Document {
        self.snapshot().jwks.clone()
    }

    /// The same without keys that some clients do not know.
    pub fn widely_known_jwks(&self) -> Document {
        self.snapshot().widely_known.clone()
    }

    /// The key that signs with `alg` now. If none does, the one that is about to: the clock that let it sign at
    /// once, in the place of a revoked one, may be ahead of this one.
    ///
    /// # Errors
    /// [`KeyError::NoKey`] for an algorithm that this ring does not have.
    pub fn signing_key(&self, alg: &str) -> Result<Signer> {
        let (snapshot, now) = (self.snapshot(), self.0.clock.now());
        let is_in = |entry: &Entry, phase: Phase| {
            entry.row.algorithm == alg && phase::phase(&entry.row, &snapshot.rows, self.0.keep, now) == phase
        };
        let signing = snapshot.entries.iter().rfind(|entry| is_in(entry, Phase::Signing));
        let found = signing.or_else(|| snapshot.entries.iter().find(|entry| is_in(entry, Phase::Announced)));
        found.map(|entry| entry.signer.clone()).ok_or_else(|| KeyError::NoKey(alg.to_owned()))
    }

    fn published_key(&self, kid: &str) -> Option<VerifyingKey> {
        let (snapshot, now) = (self.snapshot(), self.0.clock.now());
        let entry = snapshot.entries.iter().find(|entry| entry.row.kid == kid)?;
        phase::phase(&entry.row, &snapshot.rows, self.0.keep, now)
            .is_published()
            .then(|| entry.verifier.clone())
    }

    fn find(&self, snapshot: &Snapshot, algorithm: Algorithm, wanted: Phase) -> Option<KeyRow> {
        let now = self.0.clock.now();
        let is_it = |row: &&KeyRow| {
            row.algorithm == algorithm.name() && phase::phase(row, &snapshot.rows, self.0.keep, now) == wanted
        };
        snapshot.rows.iter().find(is_it).cloned()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn jwks(entries: &[Entry]) -> Result<Document> {
    let keys = entries.iter().map(|entry| (*entry.signer.public).clone()).collect();
    Ok(Document::new(&CoreJsonWebKeySet::new(keys))?)
}
