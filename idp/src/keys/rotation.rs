//! How keys come and go: by schedule, by hand, and at once in an emergency. Several processes may do any of
//! this at the same moment: each change is guarded in the database, and whoever loses looks again.

use std::time::Duration;

use platform::clock::Timestamp;
use tokio::task::JoinSet;

use super::material::KeyPair;
use super::{Algorithm, KeyError, KeyRing, Phase, Result, Snapshot, When, phase};
use crate::store::keys::{KeyRow, NewKey, Successor};

/// How long a key is published at least before it signs, but in the place of a revoked one. A relying party that
/// meets an unknown key reads the key set again, but many do so twice a minute at most: what they read last has it then.
const SETTLE: Duration = Duration::from_secs(35);

impl KeyRing {
    /// What is due: announces successors by schedule, and removes what can be of no use any more.
    ///
    /// # Errors
    /// The store's.
    pub async fn maintain(&self) -> Result<()> {
        self.refresh().await?;
        self.ensure_signing().await?;
        if let Some(rotate) = self.0.rotate {
            let now = self.0.clock.now();
            for algorithm in Algorithm::ALL {
                let due = |row: KeyRow| row.signs_from.plus(rotate) <= now.plus(self.0.announce);
                if self.find(&self.snapshot(), algorithm, Phase::Signing).is_some_and(due) {
                    self.announce(algorithm).await?;
                }
            }
        }
        self.tidy().await
    }

    /// Makes a key for each algorithm that has none to sign with.
    pub(super) async fn ensure_signing(&self) -> Result<()> {
        // Side by side: finding the primes of an RSA key keeps a core busy.
        let mut making = JoinSet::new();
        for algorithm in Algorithm::ALL {
            if self.find(&self.snapshot(), algorithm, Phase::Signing).is_none() {
                let ring = self.clone();
                making.spawn(async move { ring.next_signs(algorithm, ring.0.clock.now()).await });
            }
        }
        while let Some(made) = making.join_next().await {
            made.map_err(|_| KeyError::Crypto("a key cannot be generated"))??;
        }
        Ok(())
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
            When::Announce => self.announce(algorithm).await,
            When::Soon => {
                let waiting = self.find(&self.snapshot(), algorithm, Phase::Announced);
                let published = waiting.map_or(now, |waiting| waiting.announced_at);
                self.next_signs(algorithm, now.max(published.plus(SETTLE))).await
            }
        }
    }

    /// Withdraws a key at once, on every node. If it was the one that signed, the announced one signs from the
    /// same moment on, or a new one.
    ///
    /// # Errors
    /// [`KeyError::UnknownKid`], or the store's.
    pub async fn revoke(&self, kid: &str) -> Result<()> {
        loop {
            self.refresh().await?;
            let (snapshot, now) = (self.snapshot(), self.0.clock.now());
            let found = snapshot.rows.iter().find(|row| row.kid == kid && row.revoked_at.is_none());
            let row = found.ok_or_else(|| KeyError::UnknownKid(kid.to_owned()))?;
            let signs = phase::phase(row, &snapshot.rows, self.0.keep, now) == Phase::Signing;
            let successor = match Algorithm::parse(&row.algorithm).filter(|_| signs) {
                None => None,
                Some(algorithm) => Some(match self.find(&snapshot, algorithm, Phase::Announced) {
                    Some(waiting) => Successor::Announced(waiting.kid),
                    None => Successor::New(self.make(&snapshot, algorithm, now).await?),
                }),
            };
            if self.0.store.revoke_signing_key(kid, successor.as_ref()).await? {
                tracing::warn!(kid, algorithm = row.algorithm, "a signing key was revoked");
                self.refresh().await?;
                return self.ensure_signing().await;
            }
        }
    }

    async fn announce(&self, algorithm: Algorithm) -> Result<String> {
        self.waiting_or_new(algorithm, self.0.clock.now().plus(self.0.announce)).await
    }

    /// Lets the announced key sign from `at` on, or a new one.
    async fn next_signs(&self, algorithm: Algorithm, at: Timestamp) -> Result<String> {
        let kid = self.waiting_or_new(algorithm, at).await?;
        // Does nothing to a key that signs by then.
        if self.0.store.promote_signing_key(&kid, at).await? {
            self.refresh().await?;
        }
        Ok(kid)
    }

    /// The kid of the announced key; without one, of a new key that signs from `signs_from` on, or of the one that
    /// another process added first.
    async fn waiting_or_new(&self, algorithm: Algorithm, signs_from: Timestamp) -> Result<String> {
        let seen = self.snapshot();
        if let Some(waiting) = self.find(&seen, algorithm, Phase::Announced) {
            return Ok(waiting.kid);
        }
        let key = self.make(&seen, algorithm, signs_from).await?;
        let is_ours = self.0.store.add_signing_key(&key).await?;
        self.refresh().await?;
        if is_ours {
            let signs_from = signs_from.rfc3339();
            tracing::info!(kid = key.kid, algorithm = key.algorithm, signs_from, "a signing key was added");
            return Ok(key.kid);
        }
        let is_it = |row: &&KeyRow| row.algorithm == key.algorithm && row.generation == key.generation;
        let first = self.snapshot().rows.iter().find(is_it).map(|row| row.kid.clone());
        first.ok_or_else(|| KeyError::NoKey(algorithm.to_string()))
    }

    /// A key that would come next after those that were seen.
    async fn make(&self, seen: &Snapshot, algorithm: Algorithm, signs_from: Timestamp) -> Result<NewKey> {
        let of_algorithm = seen.rows.iter().filter(|row| row.algorithm == algorithm.name());
        let generation = of_algorithm.map(|row| row.generation).max().unwrap_or(0) + 1;
        let pair = tokio::task::spawn_blocking(move || KeyPair::generate(algorithm))
            .await
            .map_err(|_| KeyError::Crypto("a key cannot be generated"))??;
        let kid = self.0.store.random.id();
        let public_jwk = serde_json::to_string(&pair.public_jwk(&kid, algorithm)?)?;
        let (algorithm, private_pkcs8) = (algorithm.name(), pair.to_pkcs8()?);
        Ok(NewKey { kid, algorithm, private_pkcs8, public_jwk, signs_from, generation })
    }

    /// Writes down what follows from the times: who retired when, and that the past ones are gone.
    async fn tidy(&self) -> Result<()> {
        let (snapshot, now) = (self.snapshot(), self.0.clock.now());
        for row in snapshot.rows.iter().filter(|row| row.retired_at.is_none() && row.revoked_at.is_none()) {
            if let Some(at) = phase::retires_at(row, &snapshot.rows).filter(|at| *at <= now) {
                self.0.store.retire_signing_key(&row.kid, at).await?;
            }
        }
        let before = now.minus(self.0.keep);
        let past = |at: Option<Timestamp>| at.is_some_and(|at| at <= before);
        if snapshot.rows.iter().any(|row| past(row.retired_at) || past(row.revoked_at)) {
            self.0.store.remove_signing_keys(before).await?;
            self.refresh().await?;
        }
        Ok(())
    }
}
