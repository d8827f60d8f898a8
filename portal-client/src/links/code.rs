//! Activation codes: eight characters that cannot be mistaken for one another, written in two groups, kept
//! as a keyed hash that is bound to the one request they are for.

use platform::random::Random;
use platform::seal::{Hasher, RootKey};
use platform::typed::code;

/// No 0 and O, 1, I and L, 2 and Z, 5 and S, 8 and B: a code is read out on the telephone and copied from paper.
const ALPHABET: &str = "34679ACDEFGHJKMNPQRTUVWXY";
const LENGTH: usize = 8;

/// A code as the care team passes it on. Never printed.
pub struct ActivationCode(String);

impl std::fmt::Debug for ActivationCode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ActivationCode(..)")
    }
}

impl ActivationCode {
    /// A new one: 25 to the power of 8 possibilities, of which a person may try five.
    pub fn draw(random: &Random) -> Self {
        Self(random.pick(LENGTH, ALPHABET))
    }

    /// `ABCD-EFGH`
    pub fn grouped(&self) -> String {
        format!("{}-{}", &self.0[..LENGTH / 2], &self.0[LENGTH / 2..])
    }

    /// What somebody typed, in either case, with spaces or dashes anywhere. `None` for a text that cannot be a code, of which
    /// no try is counted; it is `None` whatever the code is.
    pub fn typed(text: &str) -> Option<Self> {
        let typed = code(text).to_ascii_uppercase();
        (typed.len() == LENGTH && typed.chars().all(|c| ALPHABET.contains(c))).then_some(Self(typed))
    }
}

/// Makes and compares the hashes of codes.
#[derive(Clone, Debug)]
pub struct CodeHasher(Hasher);

impl CodeHasher {
    pub fn new(root: &RootKey) -> Self {
        Self(root.hasher("activation code"))
    }

    /// The hash under which a code of this link is stored.
    pub fn hash(&self, link: &str, code: &ActivationCode) -> String {
        self.0.hash(&format!("{link}\n{}", code.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_recognised_however_it_is_typed_and_only_for_its_request() {
        let hasher = CodeHasher::new(&RootKey::new("0123456789abcdef0123456789abcdef").unwrap());
        let code = ActivationCode::draw(&Random::seeded(7));
        let written = code.grouped();
        assert_eq!(written.len(), 9);
        let hash = hasher.hash("link", &code);
        for typed in [
            written.clone(),
            written.to_lowercase(),
            written.replace('-', " "),
            format!(" {written} "),
            format!("\u{202a}{}\u{202c}", written.replace('-', "\u{2011}")),
            written.chars().flat_map(|c| [c, '\u{200b}']).collect(),
        ] {
            let typed = ActivationCode::typed(&typed).unwrap();
            assert_eq!(hasher.hash("link", &typed), hash, "{typed:?}");
        }
        assert_ne!(hasher.hash("other", &code), hash);
        for typed in ["", "-", "ABCD-EFG", &format!("{written}A"), "ABCD-EFG0", "ABCD-EFG\u{c9}"] {
            assert!(ActivationCode::typed(typed).is_none(), "{typed}");
        }
        assert_eq!(format!("{code:?}"), "ActivationCode(..)");
    }
}
