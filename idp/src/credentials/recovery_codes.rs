//! Recovery codes: ten, for who lost the phone. Each is good for one use. Its first group says which of the ten it is; of
//! the rest only a slow hash is kept.

use platform::random::Random;
use platform::typed::code;

/// How many a set has.
pub const COUNT: usize = 10;
/// At so many left their holder is told.
pub const FEW: u32 = 3;
/// No letter or digit that is taken for another one: without l, o, 0 and 1.
const ALPHABET: &str = "abcdefghijkmnpqrstuvwxyz23456789";
const SELECTOR: usize = 3;
const SECRET: usize = 10;

/// A code as its holder sees it; never printed into a log.
#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryCode {
    selector: String,
    secret: String,
}

impl std::fmt::Debug for RecoveryCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RecoveryCode(..)")
    }
}

impl RecoveryCode {
    /// A set of [`COUNT`], of 50 bits each beside the selector.
    pub fn generate(random: &Random) -> Vec<Self> {
        let mut set: Vec<Self> = Vec::with_capacity(COUNT);
        while set.len() < COUNT {
            let selector = random.pick(SELECTOR, ALPHABET);
            if set.iter().all(|code| code.selector != selector) {
                set.push(Self { selector, secret: random.pick(SECRET, ALPHABET) });
            }
        }
        set
    }

    /// What was typed, if it can be a code: capitals, spaces and dashes are no mistake.
    pub fn parse(typed: &str) -> Option<Self> {
        let typed = code(typed).to_ascii_lowercase();
        let is_code = typed.len() == SELECTOR + SECRET && typed.chars().all(|c| ALPHABET.contains(c));
        is_code.then(|| Self { selector: typed[..SELECTOR].to_owned(), secret: typed[SELECTOR..].to_owned() })
    }

    /// Tells which one of a set it is.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// What is hashed.
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// As it is shown: `k7m-pw2qe-9xtab`.
    pub fn shown(&self) -> String {
        let (first, second) = self.secret.split_at(SECRET / 2);
        format!("{}-{first}-{second}", self.selector)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_ten_different_ones_that_are_read_however_they_were_copied() {
        let set = RecoveryCode::generate(&Random::seeded(3));
        assert_eq!(set.len(), COUNT);
        for (at, code) in set.iter().enumerate() {
            assert!(
                set[..at].iter().all(|other| other.selector != code.selector && other.secret != code.secret)
            );
            let shown = code.shown();
            for typed in [shown.clone(), shown.to_uppercase(), shown.replace('-', " "), format!(" {shown}\n")]
            {
                assert_eq!(RecoveryCode::parse(&typed).as_ref(), Some(code), "{typed:?}");
            }
            assert!(!format!("{code:?}").contains(code.secret()));
        }
        for wrong in
            ["", "123456", "k7m-pw2qe-9xta", "k7m-pw2qe-9xtab2", "k7m-pw2qe-9xta0", "k7m-pw2qe-9xta\u{e9}"]
        {
            assert_eq!(RecoveryCode::parse(wrong), None, "{wrong}");
        }
    }
}
