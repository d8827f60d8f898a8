//! The only source of 'now'. Everything that depends on time asks a [`Clock`] that was handed to it,
//! so a test moves the clock where it would otherwise have to wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A moment, in milliseconds since the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// Whole seconds since the Unix epoch, as `NumericDate` of RFC 7519 section 2 wants them.
    pub fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `duration` after this one; saturates.
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(millis(duration)))
    }

    /// The moment `duration` before this one; saturates.
    pub fn minus(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub(millis(duration)))
    }

    /// How long after `earlier` this moment is; zero if it is not after it.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same moment for a person in the Netherlands, e.g. `22-11-2026 19:04`.
    pub fn local_text(self) -> String {
        let Ok(moment) = jiff::Timestamp::from_millisecond(self.0) else { return String::new() };
        match moment.in_tz("Europe/Amsterdam") {
            Ok(zoned) => zoned.strftime("%d-%m-%Y %H:%M").to_string(),
            Err(_) => moment.to_string(),
        }
    }

    /// Its date in the Netherlands, e.g. `2026-11-22`.
    pub fn local_date(self) -> String {
        let moment = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        moment.in_tz("Europe/Amsterdam").map(|zoned| zoned.date().to_string()).unwrap_or_default()
    }

    /// A moment in RFC 3339 form, or a date: the midnight in the Netherlands with which it begins.
    pub fn parse(text: &str) -> Option<Self> {
        if let Ok(date) = text.parse::<jiff::civil::Date>()
            && text.len() == "2026-01-31".len()
        {
            let midnight = date.in_tz("Europe/Amsterdam").ok()?;
            return Some(Self(midnight.timestamp().as_millisecond()));
        }
        Some(Self(text.parse::<jiff::Timestamp>().ok()?.as_millisecond()))
    }

    /// The same moment in RFC 3339 form, in UTC.
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_millisecond(self.0).map(|t| t.to_string()).unwrap_or_default()
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Where 'now' comes from: the system's clock plus an offset that is zero outside tests and
/// development configurations, or a clock that stands still until it is moved.
#[derive(Clone, Debug)]
pub struct Clock {
    base: Base,
    offset_millis: Arc<AtomicI64>,
}

#[derive(Clone, Copy, Debug)]
enum Base {
    System,
    Fixed(Timestamp),
}

impl Clock {
    /// The system's clock.
    pub fn system() -> Self {
        Self { base: Base::System, offset_millis: Arc::default() }
    }

    /// A clock that shows `start` until it is advanced.
    pub fn fixed(start: Timestamp) -> Self {
        Self { base: Base::Fixed(start), offset_millis: Arc::default() }
    }

    /// Whether it stands still until it is moved, and is no machine's.
    pub fn is_fixed(&self) -> bool {
        matches!(self.base, Base::Fixed(_))
    }

    /// The present moment of this clock.
    pub fn now(&self) -> Timestamp {
        let base = match self.base {
            Base::System => system_now(),
            Base::Fixed(at) => at,
        };
        Timestamp(base.0 + self.offset_millis.load(Ordering::SeqCst))
    }

    /// Moves this clock, and every clone of it, forward.
    pub fn advance(&self, by: Duration) {
        self.offset_millis.fetch_add(millis(by), Ordering::SeqCst);
    }
}

#[allow(clippy::disallowed_methods, reason = "the one place that reads the system's clock")]
fn system_now() -> Timestamp {
    let elapsed = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp(millis(elapsed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_clock_moves_only_when_told_and_its_clones_with_it() {
        let clock = Clock::fixed(Timestamp(1_000));
        let clone = clock.clone();
        assert_eq!(clone.now(), Timestamp(1_000));
        clock.advance(Duration::from_secs(30));
        assert_eq!(clone.now(), Timestamp(31_000));
        assert_eq!(clone.now().since(Timestamp(1_000)), Duration::from_secs(30));
    }

    #[test]
    fn times_are_shown_as_they_are_on_a_dutch_wall_clock() {
        // 2026-07-01T10:00:00Z is noon in summer time; 2026-01-01T10:00:00Z is eleven in winter time.
        assert_eq!(Timestamp(1_782_900_000_000).local_text(), "01-07-2026 12:00");
        assert_eq!(Timestamp(1_767_261_600_000).local_text(), "01-01-2026 11:00");
    }

    #[test]
    fn a_moment_is_read_as_a_dutch_date_or_with_its_own_offset() {
        // Midnight in the Netherlands is 23:00 UTC in winter, 22:00 in summer.
        for (typed, moment) in [
            ("2026-01-01", "2025-12-31T23:00:00Z"),
            ("2026-07-01", "2026-06-30T22:00:00Z"),
            ("2026-07-01T12:00:00+02:00", "2026-07-01T10:00:00Z"),
        ] {
            assert_eq!(Timestamp::parse(typed).unwrap().rfc3339(), moment);
        }
        for typed in ["", "2026-13-01", "01-07-2026", "2026-07-01T12:00:00", "gisteren"] {
            assert_eq!(Timestamp::parse(typed), None, "{typed}");
        }
        assert_eq!(Timestamp::parse("2026-07-01").unwrap().local_date(), "2026-07-01");
    }
}
