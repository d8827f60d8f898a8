//! In which phase a key is: a pure function of the times of all keys and the present.

use std::time::Duration;

use platform::clock::Timestamp;
use serde::Serialize;

use crate::store::keys::KeyRow;

/// Where a key stands in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Phase {
    /// Published, so that relying parties have it before its first signature.
    Announced,
    /// The one that signs for its algorithm.
    Signing,
    /// A successor signs; still published, because what it signed may still be valid.
    Retired,
    /// Nothing it signed can be valid; it goes at the next refresh.
    Removed,
    /// Withdrawn by hand: not published, verifies nothing.
    Revoked,
}

impl Phase {
    /// Whether keys in this phase stand in the JWK set and verify.
    pub fn is_published(self) -> bool {
        matches!(self, Self::Announced | Self::Signing | Self::Retired)
    }
}

/// When `key` stops signing: when it was retired, or when the next key of its algorithm starts. A successor
/// that was revoked after it had started counts: a key that was retired never signs again.
pub(super) fn retires_at(key: &KeyRow, all: &[KeyRow]) -> Option<Timestamp> {
    let order = |row: &KeyRow| (row.signs_from, row.generation, row.kid.clone());
    let started = |row: &KeyRow| row.revoked_at.is_none_or(|revoked| revoked > row.signs_from);
    let successor = all
        .iter()
        .filter(|row| row.algorithm == key.algorithm && order(row) > order(key) && started(row))
        .map(|row| row.signs_from)
        .min();
    [key.retired_at, successor].into_iter().flatten().min()
}

/// The phase of `key` at `now`; `keep` is how long a key stays published after it retired.
pub(super) fn phase(key: &KeyRow, all: &[KeyRow], keep: Duration, now: Timestamp) -> Phase {
    if key.revoked_at.is_some() {
        return Phase::Revoked;
    }
    if now < key.signs_from {
        return Phase::Announced;
    }
    match retires_at(key, all) {
        Some(retired) if now >= retired.plus(keep) => Phase::Removed,
        Some(retired) if now >= retired => Phase::Retired,
        _ => Phase::Signing,
    }
}
