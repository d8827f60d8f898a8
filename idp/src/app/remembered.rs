//! What is read of the tables once a second at most: other nodes change it too, but nobody has to know that at once.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use platform::clock::Timestamp;

/// A yes or no of the tables, as it was read.
#[derive(Debug, Default)]
pub struct Remembered(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    known: Option<(Timestamp, bool)>,
    /// How often it was forgotten: what was read before that is not kept after it.
    forgotten: u64,
}

impl Remembered {
    const FOR: Duration = Duration::from_secs(1);

    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was read within the last second, or what `read` finds now.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn or_read<E>(
        &self,
        now: Timestamp,
        read: impl Future<Output = Result<bool, E>>,
    ) -> Result<bool, E> {
        let forgotten = {
            let slot = self.slot();
            if let Some((at, value)) = slot.known
                && at <= now
                && now < at.plus(Self::FOR)
            {
                return Ok(value);
            }
            slot.forgotten
        };
        let value = read.await?;
        let mut slot = self.slot();
        if slot.forgotten == forgotten {
            slot.known = Some((now, value));
        }
        Ok(value)
    }

    /// It may be otherwise from now on.
    pub fn forget(&self) {
        let mut slot = self.slot();
        slot.known = None;
        slot.forgotten += 1;
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;

    use super::*;

    async fn ask(remembered: &Remembered, at: i64, found: bool) -> bool {
        remembered.or_read(Timestamp(at), ready(Ok::<_, Infallible>(found))).await.unwrap()
    }

    #[tokio::test]
    async fn it_is_read_again_after_a_second_and_when_it_was_forgotten() {
        let remembered = Remembered::default();
        assert!(!ask(&remembered, 5_000, false).await);
        assert!(!ask(&remembered, 5_999, true).await);
        assert!(ask(&remembered, 6_000, true).await);
        // A clock that was set back knows nothing.
        assert!(!ask(&remembered, 4_000, false).await);
        remembered.forget();
        assert!(ask(&remembered, 4_001, true).await);
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let remembered = Remembered::default();
        let slow = async {
            remembered.forget();
            Ok::<_, Infallible>(false)
        };
        assert!(!remembered.or_read(Timestamp(5_000), slow).await.unwrap());
        assert!(ask(&remembered, 5_000, true).await);
    }
}
