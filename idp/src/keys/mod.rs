//! The key ring: keys are announced, sign, retire and go, sealed at rest. Owns which key signs and which
//! verify; what the tokens say is for `oauth`.
//!
//! Phases follow from times ([`Phase`]), so nodes agree without talking: each re-reads the table now and then
//! and picks the same key. Nothing here needs a lock in the database: two nodes that make the first keys at once
//! leave two keys of an algorithm, both published, of which every node lets the later one sign.

mod client_keys;
mod jwt;
mod material;
mod phase;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use jsonwebtoken::DecodingKey;
use openidconnect::core::{CoreJsonWebKey, CoreJsonWebKeySet};
use serde::Serialize;
use web::clock::{Clock, Timestamp};

pub use client_keys::ClientKeys;
pub use jwt::TokenError;
pub use material::{Algorithm, Signer};
pub use phase::Phase;

use crate::config;
use crate::store::keys::{KeyRow, NewKey};
use crate::store::{Store, StoreError};
use material::KeyPair;

/// How long a retired key stays published beyond the lifetime of what it signed: clocks differ, and an ID token
/// that expired is still good as `id_token_hint` at logout (RP-Initiated Logout section 2) that same day.
const MARGIN: Duration = Duration::from_hours(24);

/// Why a key could not be made, read or used.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("signing keys: {0}")]
    Crypto(&'static str),
    #[error("signing keys: {0}")]
    Json(#[from] serde_json::Error),
    #[error("there is no signing key for the algorithm '{0}'")]
    NoKey(String),
    #[error("there is no key '{0}' that could be revoked")]
    UnknownKid(String),
}

type Result<T> = std::result::Result<T, KeyError>;

/// When a new key starts to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// After relying parties had `keys.announce_hours` to fetch it.
    Announce,
    /// As soon as every node has read it: an announced key if there is one, else a new one. A node that does not
    /// know the key yet would refuse its tokens.
    Now,
}

/// The published keys, ready to send.
#[derive(Clone, Debug)]
pub struct Jwks {
    /// A JWK set (RFC 7517 section 5).
    pub json: Arc<str>,
    /// A strong entity tag with its quotes (RFC 9110 section 8.8.3).
    pub etag: Arc<str>,
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
    verifier: DecodingKey,
}

struct Snapshot {
    /// Counts the reads of the table; a slow read never replaces a later one.
    read: u64,
    rows: Vec<KeyRow>,
    entries: Vec<Entry>,
    jwks: Jwks,
}

struct Inner {
    store: Store,
    clock: Clock,
    announce: Duration,
    /// Within which every node reads the table again.
    spread: Duration,
    keep: Duration,
    reads: AtomicU64,
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
        let longest = tokens.access_token_seconds.max(tokens.id_token_seconds);
        let ring = Self(Arc::new(Inner {
            clock: store.clock.clone(),
            store,
            announce: Duration::from_secs(u64::from(settings.announce_hours) * 3600),
            spread: Duration::from_secs(u64::from(settings.refresh_seconds) + 1),
            keep: Duration::from_secs(u64::from(longest)) + MARGIN,
            reads: AtomicU64::new(0),
            snapshot: RwLock::new(Arc::new(Snapshot {
                read: 0,
                rows: Vec::new(),
                entries: Vec::new(),
                jwks: jwks(&[])?,
            })),
        }));
        ring.refresh().await?;
        for algorithm in Algorithm::ALL {
            if ring.find(algorithm, Phase::Signing).is_none() {
                ring.next_signs(algorithm, ring.0.clock.now()).await?;
            }
        }
        Ok(ring)
    }

    /// Reads the table again: keys that another process added sign and verify here too, revoked ones stop, and
    /// those that are past their time go.
    ///
    /// # Errors
    /// The store's; the ring stays as it was.
    pub async fn refresh(&self) -> Result<()> {
        let read = self.0.reads.fetch_add(1, Ordering::SeqCst) + 1;
        let rows = self.0.store.signing_keys().await?;
        let now = self.0.clock.now();
        let old = self.snapshot();
        let mut entries = Vec::new();
        for row in &rows {
            if phase::phase(row, &rows, self.0.keep, now).is_published() {
                entries.push(self.entry(row, &old)?);
            }
        }
        let jwks = if entries.iter().map(|e| &e.row.kid).eq(old.entries.iter().map(|e| &e.row.kid)) {
            old.jwks.clone()
        } else {
            jwks(&entries)?
        };
        self.install(Snapshot { read, rows: rows.clone(), entries, jwks });
        self.tidy(&rows, now).await
    }

    fn install(&self, new: Snapshot) {
        let mut current = self.0.snapshot.write().unwrap_or_else(PoisonError::into_inner);
        if new.read > current.read {
            *current = Arc::new(new);
        }
    }

    /// Writes down what follows from the times: who retired when, and that the past ones are gone.
    async fn tidy(&self, rows: &[KeyRow], now: Timestamp) -> Result<()> {
        for row in rows.iter().filter(|row| row.retired_at.is_none() && row.revoked_at.is_none()) {
            if let Some(at) = phase::retires_at(row, rows).filter(|at| *at <= now) {
                self.0.store.retire_signing_key(&row.kid, at).await?;
            }
        }
        let before = now.minus(self.0.keep);
        let past = |at: Option<Timestamp>| at.is_some_and(|at| at <= before);
        if rows.iter().any(|row| past(row.retired_at) || past(row.revoked_at)) {
            self.0.store.remove_signing_keys(before).await?;
        }
        Ok(())
    }

    fn entry(&self, row: &KeyRow, old: &Snapshot) -> Result<Entry> {
        if let Some(known) = old.entries.iter().find(|entry| entry.row.kid == row.kid) {
            return Ok(Entry { row: row.clone(), ..known.clone() });
        }
        let algorithm =
            Algorithm::parse(&row.algorithm).ok_or_else(|| KeyError::NoKey(row.algorithm.clone()))?;
        let public: CoreJsonWebKey = serde_json::from_str(&row.public_jwk)?;
        let verifier = jwt::decoding_key(&public)?;
        let pair = KeyPair::from_pkcs8(algorithm, &self.0.store.open_signing_key(row)?)?;
        let signer = Signer {
            kid: row.kid.as_str().into(),
            algorithm,
            public: Arc::new(public),
            pair: Arc::new(pair),
        };
        Ok(Entry { row: row.clone(), signer, verifier })
    }

    /// Brings a new key into the ring; returns its kid. Announcing twice leaves it at the first: the one that
    /// waits already is returned.
    ///
    /// # Errors
    /// The store's.
    pub async fn rotate(&self, algorithm: Algorithm, when: When) -> Result<String> {
        self.refresh().await?;
        let now = self.0.clock.now();
        match when {
            When::Now => self.next_signs(algorithm, now.plus(self.0.spread)).await,
            When::Announce => match self.find(algorithm, Phase::Announced) {
                Some(waiting) => Ok(waiting.kid),
                None => self.add(algorithm, now.plus(self.0.announce)).await,
            },
        }
    }

    /// Withdraws a key at once. If it was the one that signed, the next announced one signs from now on, or a
    /// new one.
    ///
    /// # Errors
    /// [`KeyError::UnknownKid`], or the store's.
    pub async fn revoke(&self, kid: &str) -> Result<()> {
        if !self.0.store.revoke_signing_key(kid).await? {
            return Err(KeyError::UnknownKid(kid.to_owned()));
        }
        self.refresh().await?;
        for algorithm in Algorithm::ALL {
            if self.find(algorithm, Phase::Signing).is_none() {
                self.next_signs(algorithm, self.0.clock.now()).await?;
            }
        }
        Ok(())
    }

    /// Lets the announced key sign from `at` on, or a new one.
    async fn next_signs(&self, algorithm: Algorithm, at: Timestamp) -> Result<String> {
        match self.find(algorithm, Phase::Announced) {
            Some(waiting) if waiting.signs_from <= at => Ok(waiting.kid),
            Some(waiting) if self.0.store.promote_signing_key(&waiting.kid, at).await? => {
                self.refresh().await?;
                Ok(waiting.kid)
            }
            _ => self.add(algorithm, at).await,
        }
    }

    async fn add(&self, algorithm: Algorithm, signs_from: Timestamp) -> Result<String> {
        let pair = tokio::task::spawn_blocking(move || KeyPair::generate(algorithm))
            .await
            .map_err(|_| KeyError::Crypto("a key cannot be generated"))??;
        let kid = self.0.store.random.id();
        let public_jwk = serde_json::to_string(&pair.public_jwk(&kid, algorithm)?)?;
        let (algorithm, private_pkcs8) = (algorithm.name(), pair.to_pkcs8()?);
        let key = NewKey { kid: kid.clone(), algorithm, private_pkcs8, public_jwk, signs_from };
        self.0.store.add_signing_key(&key).await?;
        self.refresh().await?;
        Ok(kid)
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

    /// The published keys as of the last refresh.
    pub fn jwks(&self) -> Jwks {
        self.snapshot().jwks.clone()
    }

    /// The key that signs with `alg` now.
    ///
    /// # Errors
    /// [`KeyError::NoKey`] for an algorithm that this ring does not have.
    pub fn signing_key(&self, alg: &str) -> Result<Signer> {
        let (snapshot, now) = (self.snapshot(), self.0.clock.now());
        let signs = |entry: &&Entry| {
            entry.row.algorithm == alg
                && phase::phase(&entry.row, &snapshot.rows, self.0.keep, now) == Phase::Signing
        };
        let found = snapshot.entries.iter().rfind(signs);
        found.map(|entry| entry.signer.clone()).ok_or_else(|| KeyError::NoKey(alg.to_owned()))
    }

    fn published_key(&self, kid: &str) -> Option<(Algorithm, DecodingKey)> {
        let (snapshot, now) = (self.snapshot(), self.0.clock.now());
        let entry = snapshot.entries.iter().find(|entry| entry.row.kid == kid)?;
        phase::phase(&entry.row, &snapshot.rows, self.0.keep, now)
            .is_published()
            .then(|| (entry.signer.algorithm, entry.verifier.clone()))
    }

    fn find(&self, algorithm: Algorithm, wanted: Phase) -> Option<KeyRow> {
        let (snapshot, now) = (self.snapshot(), self.0.clock.now());
        let is_it = |row: &&KeyRow| {
            row.algorithm == algorithm.name() && phase::phase(row, &snapshot.rows, self.0.keep, now) == wanted
        };
        snapshot.rows.iter().find(is_it).cloned()
    }

    fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.0.snapshot.read().unwrap_or_else(PoisonError::into_inner))
    }
}

fn jwks(entries: &[Entry]) -> Result<Jwks> {
    let keys = entries.iter().map(|entry| (*entry.signer.public).clone()).collect();
    let json = serde_json::to_string(&CoreJsonWebKeySet::new(keys))?;
    let etag = format!("\"{}\"", web::seal::sha256(&json));
    Ok(Jwks { json: json.into(), etag: etag.into() })
}
