//! The flood guard in front: so many requests per client address, per process. Limits that must hold
//! across nodes are counters in [`crate::ephemeral`].

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota};

/// A limit on requests per address.
#[derive(Clone)]
pub struct RateLimiter {
    limiter: Option<Arc<DefaultKeyedRateLimiter<IpAddr>>>,
}

impl RateLimiter {
    /// Allows `per_minute` requests a minute for each address, all of them at once if need be; zero
    /// lifts the limit.
    pub fn per_minute(per_minute: u32) -> Self {
        let limiter = NonZeroU32::new(per_minute)
            .map(|rate| Arc::new(governor::RateLimiter::keyed(Quota::per_minute(rate))));
        Self { limiter }
    }

    /// Takes one request of `address` into account.
    ///
    /// # Errors
    /// How long to wait, when there were too many.
    pub fn check(&self, address: IpAddr) -> Result<(), Duration> {
        let Some(limiter) = &self.limiter else { return Ok(()) };
        limiter
            .check_key(&rate_limit_key(address))
            .map_err(|too_early| too_early.wait_time_from(DefaultClock::default().now()))
    }

    /// Forgets addresses that have been quiet.
    pub fn sweep(&self) {
        if let Some(limiter) = &self.limiter {
            limiter.retain_recent();
            limiter.shrink_to_fit();
        }
    }
}

/// What counts as one address: one household gets a /64 of IPv6 and may use any address of it (RFC 6177).
pub fn rate_limit_key(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_address_is_held_back_and_another_is_not() {
        let guard = RateLimiter::per_minute(3);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        assert!((0..3).all(|_| guard.check(one).is_ok()));
        assert!(guard.check(one).unwrap_err() > Duration::ZERO);
        assert!(guard.check("192.0.2.2".parse().unwrap()).is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_household_count_together() {
        let guard = RateLimiter::per_minute(1);
        assert!(guard.check("2001:db8:1:2::1".parse().unwrap()).is_ok());
        assert!(guard.check("2001:db8:1:2:ffff::9".parse().unwrap()).is_err());
        assert!(guard.check("2001:db8:1:3::1".parse().unwrap()).is_ok());
    }
}
