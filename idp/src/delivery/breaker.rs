//! Who failed is passed over for a while, and then tried again by one message; the others do not wait for the outcome.
//! Used for SMS gateways and for the addresses that logout tokens go to.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use platform::clock::Timestamp;

/// Somebody who failed.
struct Failing {
    times: u32,
    until: Timestamp,
    /// A message tries whether it works again.
    is_tried: bool,
}

/// What failed, by name. What works does not stand here.
pub(super) struct Breaker {
    first: Duration,
    longest: Duration,
    failing: Mutex<HashMap<String, Failing>>,
}

/// Leave to ask somebody once. Dropped without a verdict, as by a message that is no longer ours, it says nothing.
pub(super) struct Turn<'a> {
    breaker: &'a Breaker,
    name: &'a str,
    /// It is the one message that tries whether a failing one works again.
    is_try: bool,
}

impl Breaker {
    /// Passes over for `first` after the first failure, twice as long after each next one, at most for `longest`.
    pub(super) fn new(first: Duration, longest: Duration) -> Self {
        Self { first, longest, failing: Mutex::default() }
    }

    fn failing(&self) -> MutexGuard<'_, HashMap<String, Failing>> {
        self.failing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leave to ask `name` now, if it works or its while is over.
    pub(super) fn turn<'a>(&'a self, name: &'a str, now: Timestamp) -> Option<Turn<'a>> {
        self.admit(name, |failing| failing.until <= now)
    }

    /// The same before its while is over, for a message that has nobody else to turn to.
    pub(super) fn early_turn<'a>(&'a self, name: &'a str) -> Option<Turn<'a>> {
        self.admit(name, |_| true)
    }

    fn admit<'a>(&'a self, name: &'a str, is_due: impl Fn(&Failing) -> bool) -> Option<Turn<'a>> {
        let mut all = self.failing();
        let failing = all.get_mut(name);
        let is_try = failing.is_some();
        if let Some(failing) = failing {
            if failing.is_tried || !is_due(failing) {
                return None;
            }
            failing.is_tried = true;
        }
        Some(Turn { breaker: self, name, is_try })
    }

    /// Whether `name` works, as far as is known.
    pub(super) fn works(&self, name: &str) -> bool {
        !self.failing().contains_key(name)
    }

    /// Those that get no turn now.
    pub(super) fn held(&self, now: Timestamp) -> Vec<String> {
        let failing = self.failing();
        let held = failing.iter().filter(|(_, failing)| failing.is_tried || failing.until > now);
        held.map(|(name, _)| name.clone()).collect()
    }
}

impl Turn<'_> {
    pub(super) fn worked(self) {
        self.breaker.failing().remove(self.name);
    }

    pub(super) fn failed(self, now: Timestamp) {
        let mut all = self.breaker.failing();
        let failing =
            all.entry(self.name.to_owned()).or_insert(Failing { times: 0, until: now, is_tried: false });
        // Several that were on their way together fail together: that is one failure.
        if failing.until <= now || self.is_try {
            let pause = self.breaker.first.saturating_mul(2_u32.saturating_pow(failing.times));
            failing.until = now.plus(pause.min(self.breaker.longest));
            failing.times = failing.times.saturating_add(1);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.is_try
            && let Some(failing) = self.breaker.failing().get_mut(self.name)
        {
            failing.is_tried = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_failed_is_passed_over_and_then_tried_by_one() {
        let breaker = Breaker::new(Duration::from_secs(10), Duration::from_secs(30));
        let at = |seconds: i64| Timestamp(seconds * 1_000);
        let (one, two) = (breaker.turn("cm", at(0)).unwrap(), breaker.turn("cm", at(0)).unwrap());
        one.failed(at(1));
        two.failed(at(2));
        assert!(breaker.turn("cm", at(10)).is_none() && !breaker.works("cm"));
        assert_eq!(breaker.held(at(10)), ["cm"]);
        assert!(breaker.turn("other", at(10)).is_some(), "others are not concerned");
        let probe = breaker.turn("cm", at(11)).unwrap();
        assert!(breaker.turn("cm", at(12)).is_none() && breaker.early_turn("cm").is_none(), "by one");
        drop(probe);
        assert!(breaker.held(at(12)).is_empty(), "a try that came to nothing says nothing");
        breaker.turn("cm", at(12)).unwrap().failed(at(15));
        assert!(breaker.turn("cm", at(34)).is_none(), "twice as long");
        breaker.early_turn("cm").unwrap().failed(at(34));
        assert!(breaker.turn("cm", at(63)).is_none() && breaker.turn("cm", at(64)).is_some(), "at most 30 s");
        breaker.turn("cm", at(64)).unwrap().worked();
        assert!(breaker.works("cm") && breaker.held(at(64)).is_empty());
    }
}
