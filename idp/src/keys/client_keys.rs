//! The keys that clients sign with: written in the configuration, or read from the client's `jwks_uri`, which
//! is read again when it is old or the client signs with a key that is not known yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use platform::clock::{Clock, Timestamp};
use serde::de::DeserializeOwned;

use crate::config::{Client, SigningAlgorithm};
use crate::protocol::jose::{self, Claims, JoseError, JwkSet, Kind, Unverified};

/// A key that the client withdrew is good for at most this long.
const FRESH: Duration = Duration::from_mins(5);
/// How long keys serve while the client's server does not answer.
const STALE: Duration = Duration::from_mins(30);
/// An unknown key makes us ask again, but not more often than this.
const PATIENCE: Duration = Duration::from_secs(10);
/// The largest key set that is read, in bytes.
const LARGEST: usize = 64 * 1024;

#[derive(Clone, Default)]
struct Known {
    keys: Option<Arc<JwkSet>>,
    read_at: Option<Timestamp>,
    asked_at: Option<Timestamp>,
}

/// Where clients' keys come from.
pub struct ClientKeys {
    http: reqwest::Client,
    clock: Clock,
    /// By address. The inner lock is held while one request is on its way; others wait for its answer.
    known: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Known>>>>,
}

impl ClientKeys {
    pub fn new(http: reqwest::Client, clock: Clock) -> Self {
        Self { http, clock, known: Mutex::default() }
    }

    /// The claims of a token of this kind that `client` signed.
    ///
    /// # Errors
    /// [`JoseError`].
    pub async fn verify(
        &self,
        client: &Client,
        token: &str,
        allowed: &[SigningAlgorithm],
        kind: Kind,
    ) -> Result<Claims, JoseError> {
        if let Some(keys) = &client.jwks {
            return jose::verify(token, keys, allowed, kind);
        }
        let Some(uri) = &client.jwks_uri else { return Err(JoseError::UnknownKey) };
        // What cannot be one of the client's tokens makes us ask nobody.
        Unverified::parse(token)?.algorithm(allowed)?;
        let known = {
            let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(all.entry(uri.clone()).or_default())
        };
        let mut known = known.lock().await;
        self.refresh(uri, &mut known, FRESH).await;
        let verify = |known: &Known| {
            let keys = known.keys.as_ref().ok_or(JoseError::UnknownKey)?;
            jose::verify(token, keys, allowed, kind)
        };
        match verify(&known) {
            Err(JoseError::UnknownKey) => {
                self.refresh(uri, &mut known, Duration::ZERO).await;
                verify(&known)
            }
            other => other,
        }
    }

    /// Reads the set again if it is older than `age`, and nobody asked a moment ago.
    async fn refresh(&self, uri: &str, known: &mut Known, age: Duration) {
        let now = self.clock.now();
        let is_within = |at: Option<Timestamp>, span: Duration| at.is_some_and(|at| now < at.plus(span));
        if is_within(known.read_at, age) || is_within(known.asked_at, PATIENCE) {
            return;
        }
        known.asked_at = Some(now);
        match self.fetch_json::<JwkSet>(uri).await {
            Ok(keys) => {
                known.keys = Some(Arc::new(keys));
                known.read_at = Some(now);
            }
            Err(error) => {
                tracing::warn!(uri, error, "a client's keys cannot be read");
                if !is_within(known.read_at, STALE) {
                    known.keys = None;
                }
            }
        }
    }

    /// A JSON document at a registered address.
    ///
    /// # Errors
    /// What kept it from being read, without its content.
    pub async fn fetch_json<T: DeserializeOwned>(&self, uri: &str) -> Result<T, &'static str> {
        let body = self.fetch(uri).await?;
        serde_json::from_slice(&body).map_err(|_| "the answer is not the JSON it should be")
    }

    /// What lies at a registered address, of 64 KB at most.
    ///
    /// # Errors
    /// What kept it from being read, without its content.
    pub async fn fetch(&self, uri: &str) -> Result<Vec<u8>, &'static str> {
        let mut answer = self.http.get(uri).send().await.map_err(|_| "no answer")?;
        if !answer.status().is_success() {
            return Err("the answer is not a success");
        }
        let mut body = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|_| "the answer broke off")? {
            body.extend_from_slice(&part);
            if body.len() > LARGEST {
                return Err("the answer is too large");
            }
        }
        Ok(body)
    }
}
