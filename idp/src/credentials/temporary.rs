//! Temporary passwords: made here, read by the holder in a mail and by nobody else. They carry somebody to the page that
//! replaces them, once.

use std::borrow::Cow;

use platform::random::Random;
use platform::typed::code;
use serde::Serialize;

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

    /// What was typed as the temporary password of somebody, as it was made: capitals, spaces, dashes and invisible marks
    /// out of a mail are no mistake. `None` for a text of its length that cannot be one.
    pub fn typed(text: &str) -> Option<Cow<'_, str>> {
        let code = code(text).to_ascii_lowercase();
        if code.len() != GROUPS * GROUP_LENGTH || !code.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            // Another password of theirs, most likely: it is looked at as it is, and counts.
            return Some(Cow::Borrowed(text));
        }
        code.bytes().all(|byte| ALPHABET.as_bytes().contains(&byte)).then(|| {
            let groups =
                [&code[..GROUP_LENGTH], &code[GROUP_LENGTH..2 * GROUP_LENGTH], &code[2 * GROUP_LENGTH..]];
            Cow::Owned(groups.join("-"))
        })
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

    #[test]
    fn it_is_recognised_however_it_was_copied() {
        for text in [
            "k7mp-w2qe-9xta",
            " K7MP-W2QE-9XTA\n",
            "\u{202a}k7mp\u{2011}w2qe\u{2013}9xta\u{202c}",
            "k7mp w2qe 9xta",
            "k7mpw2qe9xta.",
            "\u{ff4b}\u{ff17}mp-w2qe-9xta",
        ] {
            assert_eq!(TemporaryPassword::typed(text).as_deref(), Some("k7mp-w2qe-9xta"), "{text:?}");
        }
        for text in ["", "k7mp-w2qe", "Zonnig-Weer-Vandaag-8", " w\u{200b} "] {
            assert_eq!(TemporaryPassword::typed(text).as_deref(), Some(text), "as it is: {text:?}");
        }
        assert_eq!(TemporaryPassword::typed("k7mp-w2qe-9xt0"), None, "no 0 is made");
    }
}
