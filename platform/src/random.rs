//! The only source of randomness: the operating system's generator, or a seeded one in tests.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::rngs::{StdRng, SysRng};
use rand::{Rng, RngExt, SeedableRng, TryRng};

/// Hands out random bytes, identifiers, tokens and digits.
#[derive(Clone, Debug, Default)]
pub struct Random {
    seeded: Option<Arc<Mutex<StdRng>>>,
}

impl Random {
    /// The operating system's generator.
    pub fn system() -> Self {
        Self::default()
    }

    /// A generator whose output follows from `seed`; for tests only.
    pub fn seeded(seed: u64) -> Self {
        Self { seeded: Some(Arc::new(Mutex::new(StdRng::seed_from_u64(seed)))) }
    }

    /// Fills `target`.
    ///
    /// # Panics
    /// If the operating system has no randomness to give: nothing that follows would be safe.
    pub fn fill(&self, target: &mut [u8]) {
        match &self.seeded {
            Some(generator) => generator.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(target),
            None => SysRng.try_fill_bytes(target).expect("the operating system gives randomness"),
        }
    }

    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A secret of 256 bits in 43 URL-safe characters: authorization codes, tokens, cookies.
    pub fn token(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// An identifier of 128 bits in 22 URL-safe characters: row keys, `jti`, `sid`.
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.bytes::<16>())
    }

    /// `count` decimal digits, each equally likely.
    pub fn digits(&self, count: usize) -> String {
        self.pick(count, "0123456789")
    }

    /// `count` characters drawn evenly from `alphabet`, which must not be empty.
    pub fn pick(&self, count: usize, alphabet: &str) -> String {
        let characters: Vec<char> = alphabet.chars().collect();
        // A generator of its own, seeded from the source: `random_range` has no modulo bias.
        let mut generator = StdRng::from_seed(self.bytes());
        (0..count).map(|_| characters[generator.random_range(0..characters.len())]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_carry_256_bits_and_differ() {
        let random = Random::system();
        assert_eq!(random.token().len(), 43);
        assert_ne!(random.token(), random.token());
    }

    #[test]
    fn digits_are_digits_and_keep_their_leading_zeros() {
        let random = Random::seeded(1);
        let drawn: Vec<String> = (0..500).map(|_| random.digits(6)).collect();
        assert!(drawn.iter().all(|code| code.len() == 6 && code.bytes().all(|b| b.is_ascii_digit())));
        assert!(drawn.iter().any(|code| code.starts_with('0')));
    }
}
