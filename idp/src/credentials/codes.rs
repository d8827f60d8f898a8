//! One-time codes for SMS: made here, kept as a keyed hash that is bound to where the code may be used.

use platform::random::Random;
use platform::seal::Hasher;

/// Makes and checks codes. How long a code lives and how often it may be tried is the caller's to keep.
#[derive(Clone, Debug)]
pub struct OneTimeCodes {
    hasher: Hasher,
    random: Random,
    digits: usize,
    fixed: Option<String>,
}

impl OneTimeCodes {
    /// `fixed` is what every code is in a development configuration.
    pub fn new(hasher: Hasher, random: Random, digits: usize, fixed: Option<String>) -> Self {
        Self { hasher, random, digits, fixed }
    }

    /// A new code for `context` (which journey, which browser): the digits to send, and the hash to keep.
    pub fn issue(&self, context: &str) -> (String, String) {
        let code = self.fixed.clone().unwrap_or_else(|| self.random.digits(self.digits));
        let hash = self.hasher.hash(&bound(context, &code));
        (code, hash)
    }

    /// Whether `typed` is the code that [`Self::issue`] hashed for the same context. People type spaces and
    /// dashes into it; those do not count.
    pub fn matches(&self, context: &str, typed: &str, hash: &str) -> bool {
        let code: String = typed.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        code.len() == self.digits
            && code.bytes().all(|byte| byte.is_ascii_digit())
            && self.hasher.matches(&bound(context, &code), hash)
    }
}

/// A code has digits only, so no other context and code come out the same.
fn bound(context: &str, code: &str) -> String {
    format!("{context}\n{code}")
}

#[cfg(test)]
mod tests {
    use platform::seal::RootKey;

    use super::*;

    fn codes(fixed: Option<&str>) -> OneTimeCodes {
        let root = RootKey::new("0123456789abcdef0123456789abcdef").unwrap();
        OneTimeCodes::new(root.hasher("one-time code"), Random::seeded(7), 6, fixed.map(str::to_owned))
    }

    #[test]
    fn a_code_works_where_it_was_issued_and_nowhere_else() {
        let codes = codes(None);
        let (code, hash) = codes.issue("journey-a browser-a");
        assert_eq!(code.len(), 6);
        assert!(!hash.contains(&code));
        assert!(codes.matches("journey-a browser-a", &code, &hash));
        assert!(!codes.matches("journey-b browser-a", &code, &hash));
        assert!(!codes.matches("journey-a browser-b", &code, &hash));
        assert_ne!(codes.issue("journey-a browser-a").0, code);
    }

    #[test]
    fn spaces_and_dashes_do_not_matter_and_nothing_but_digits_is_tried() {
        let codes = codes(Some("123456"));
        let (code, hash) = codes.issue("c");
        assert_eq!(code, "123456");
        for typed in ["123456", " 123 456 ", "123-456", "123\u{a0}456"] {
            assert!(codes.matches("c", typed, &hash), "{typed}");
        }
        for typed in ["", "12345", "1234567", "654321", "12345x", "١٢٣٤٥٦", "c\n123456"] {
            assert!(!codes.matches("c", typed, &hash), "{typed}");
        }
        assert!(!codes.matches("c", "123456", "not a hash"));
    }
}
