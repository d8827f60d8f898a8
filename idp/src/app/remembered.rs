//! What is read of the tables once a second at most: other nodes change it too, but nobody has to know that at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use platform::clock::Timestamp;

/// A word of the tables, as it was read.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<Option<(Timestamp, bool)>>);

impl Remembered {
    const FOR: Duration = Duration::from_secs(1);

    fn slot(&self) -> MutexGuard<'_, Option<(Timestamp, bool)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read, if that was within the last second.
    pub fn at(&self, now: Timestamp) -> Option<bool> {
        self.slot().filter(|(read, _)| *read <= now && now < read.plus(Self::FOR)).map(|(_, value)| value)
    }

    /// It was read now.
    pub fn note(&self, now: Timestamp, value: bool) {
        *self.slot() = Some((now, value));
    }

    /// It may be otherwise now.
    pub fn forget(&self) {
        *self.slot() = None;
    }
}
