//! When a message that did not go out is tried again, and when it is given up. Pure.

use std::time::Duration;

use super::Kind;

/// The wait after the first failure; each next one waits twice as long.
const FIRST: Duration = Duration::from_secs(2);

/// The wait after a mail that the server may have, though it did not say so. RFC 5321 section 4.5.4.1 asks for half an hour;
/// sooner, people get the same mail again and again.
const FIRST_IN_DOUBT: Duration = Duration::from_mins(30);
const LONGEST_IN_DOUBT: Duration = Duration::from_hours(8);

/// How old a message may get. A one-time code is dead after ten minutes; a mail about an account is worth two
/// days of an outage; a session of a portal that did not hear of a logout ends by itself within a day.
pub(super) fn max_age(kind: Kind) -> Duration {
    match kind {
        Kind::Sms => Duration::from_mins(10),
        Kind::Logout => Duration::from_hours(24),
        Kind::Mail => Duration::from_hours(48),
    }
}

fn longest_wait(kind: Kind) -> Duration {
    match kind {
        Kind::Sms => Duration::from_secs(30),
        Kind::Logout => Duration::from_mins(5),
        Kind::Mail => Duration::from_mins(30),
    }
}

/// How long to wait after attempt number `attempts`, of a message that is `age` old; `None` to give it up.
/// `chance` is a random number: between half of the wait and all of it, so that what failed together does not
/// come back together.
pub(super) fn wait(kind: Kind, attempts: u32, age: Duration, chance: u16) -> Option<Duration> {
    let doubled = FIRST.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let half = doubled.min(longest_wait(kind)) / 2;
    let wait = half + half.mul_f64(f64::from(chance) / f64::from(u16::MAX));
    (age + wait <= max_age(kind)).then_some(wait)
}

/// As [`wait`], where the message may have arrived. Never by chance sooner.
pub(super) fn wait_in_doubt(kind: Kind, attempts: u32, age: Duration) -> Option<Duration> {
    let doubled = FIRST_IN_DOUBT.saturating_mul(2_u32.saturating_pow(attempts.saturating_sub(1)));
    let wait = doubled.min(LONGEST_IN_DOUBT);
    (age + wait <= max_age(kind)).then_some(wait)
}

/// How long an SMS gateway that failed is passed over, first and at most.
pub(super) fn gateway_pauses() -> (Duration, Duration) {
    (Duration::from_secs(10), Duration::from_mins(5))
}

/// How long an address of logout tokens that failed is left alone, first and at most: never longer than the message that
/// failed waits itself.
pub(super) fn lane_pauses() -> (Duration, Duration) {
    (FIRST / 2, longest_wait(Kind::Logout) / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit() {
        let longest = |attempts| wait(Kind::Mail, attempts, Duration::ZERO, u16::MAX).unwrap().as_secs();
        let waits: Vec<u64> = (1..=13).map(longest).collect();
        assert_eq!(waits, [2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 1800, 1800, 1800]);
        assert_eq!(longest(u32::MAX), 1800);
        assert_eq!(wait(Kind::Mail, 3, Duration::ZERO, 0).unwrap(), Duration::from_secs(4), "half at least");
    }

    #[test]
    fn a_mail_that_may_have_arrived_waits_for_half_an_hour_and_longer() {
        let minutes =
            |attempts| wait_in_doubt(Kind::Mail, attempts, Duration::ZERO).map(|wait| wait.as_secs() / 60);
        assert_eq!([1, 2, 3, 4, 5, 6].map(minutes), [30, 60, 120, 240, 480, 480].map(Some));
        assert_eq!(wait_in_doubt(Kind::Mail, 1, Duration::from_hours(48)), None);
    }

    #[test]
    fn a_message_is_given_up_when_nobody_needs_it_any_more() {
        for (kind, minutes) in [(Kind::Sms, 10), (Kind::Logout, 24 * 60), (Kind::Mail, 48 * 60)] {
            let age = Duration::from_mins(minutes);
            assert!(wait(kind, 1, age.saturating_sub(Duration::from_secs(3)), u16::MAX).is_some());
            assert!(wait(kind, 1, age, 0).is_none());
        }
        let (mut age, mut tries) = (Duration::ZERO, 1);
        while let Some(next) = wait(Kind::Sms, tries, age, u16::MAX) {
            (age, tries) = (age + next, tries + 1);
        }
        assert!(tries > 15, "an SMS is tried often while its code lives: {tries}");
    }
}
