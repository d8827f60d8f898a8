//! Temporary passwords: made here, read by the holder in a mail and by nobody else. They carry somebody to the page that
//! replaces them, once.

use serde::Serialize;
use web::random::Random;

/// No letter or digit that is taken for another one: without l, o, 0 and 1.
const ALPHABET: &str = "abcdefghijkmnpqrstuvwxyz23456789";
const GROUPS: usize = 3;
const GROUP_LENGTH: usize = 4;

/// A temporary password; never printed, only put into a mail.
#[derive(Clone, Serialize)]
#[serde(transparent)]
pub struct TemporaryPassword(String);

impl std::fmt::Debug for TemporaryPassword {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TemporaryPassword(..)")
    }
}

impl TemporaryPassword {
    /// Twelve of 32 characters: 60 bits, in groups as people copy them (`k7mp-w2qe-9xta`).
    pub fn generate(random: &Random) -> Self {
        let group = |_| random.pick(GROUP_LENGTH, ALPHABET);
        Self((0..GROUPS).map(group).collect::<Vec<_>>().join("-"))
    }

    /// The password itself, to be hashed.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_sixty_bits_and_is_not_printed() {
        assert_eq!(ALPHABET.len(), 32, "five bits a character");
        let random = Random::seeded(1);
        let (one, other) = (TemporaryPassword::generate(&random), TemporaryPassword::generate(&random));
        assert_ne!(one.reveal(), other.reveal());
        assert_eq!(one.reveal().len(), 14);
        assert!(one.reveal().bytes().all(|byte| byte == b'-' || ALPHABET.as_bytes().contains(&byte)));
        assert!(!format!("{one:?}").contains(one.reveal()));
    }
}
