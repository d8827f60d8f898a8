//! Why a key could not be made, read or used.

use crate::store::StoreError;

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
