//! What an account has to prove with, beside its password.

use crate::config::Factor;

/// What an account has, at the moment it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Factors {
    /// A phone number that received a code.
    pub sms: bool,
    /// An authenticator app.
    pub totp: bool,
    /// How many passkeys.
    pub passkeys: u32,
    /// How many of them stay in the device that made them.
    pub bound_passkeys: u32,
    /// How many recovery codes are not used yet.
    pub recovery_codes: u32,
}

impl Factors {
    pub fn has(&self, factor: Factor) -> bool {
        match factor {
            Factor::Sms => self.sms,
            Factor::Totp => self.totp,
            Factor::Passkey => self.passkeys > 0,
        }
    }

    /// The strongest kind; recovery codes are none of their own.
    pub fn strongest(&self) -> Option<Factor> {
        Factor::ALL.into_iter().rev().find(|factor| self.has(*factor))
    }

    /// Whether the holder chose something better than codes by SMS: a password alone is worth nothing from then on.
    pub fn has_chosen(&self) -> bool {
        self.totp || self.passkeys > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passkey_is_stronger_than_an_app_and_an_app_than_sms() {
        let all = Factors { sms: true, totp: true, passkeys: 1, ..Factors::default() };
        assert_eq!(all.strongest(), Some(Factor::Passkey));
        assert_eq!(Factors { passkeys: 0, ..all }.strongest(), Some(Factor::Totp));
        assert_eq!(
            Factors { sms: true, recovery_codes: 10, ..Factors::default() }.strongest(),
            Some(Factor::Sms)
        );
        let codes = Factors { recovery_codes: 10, ..Factors::default() };
        assert!(codes.strongest().is_none() && !codes.has_chosen());
    }
}
