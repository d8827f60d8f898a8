//! Secrets at rest: one root key from the configuration, from which a key for each purpose is derived
//! (HKDF-SHA-256, RFC 5869), sealing of values (AES-256-GCM with a random nonce) and keyed hashes
//! (HMAC-SHA-256) of values that only have to be recognised.

use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::{digest, hkdf, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// The root secret of a server, at least 32 bytes. Never printed.
#[derive(Clone)]
pub struct RootKey(Vec<u8>);

impl std::fmt::Debug for RootKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RootKey(..)")
    }
}

/// Why a root key or a sealed value was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SealError {
    #[error("the root key has {0} bytes and needs at least 32; make one with: openssl rand -base64 32")]
    KeyTooShort(usize),
    #[error(
        "a sealed value does not open: it was sealed with another key or for another purpose, or altered"
    )]
    DoesNotOpen,
}

impl RootKey {
    /// Takes the secret as it stands in the configuration: any text of 32 bytes or more.
    ///
    /// # Errors
    /// [`SealError::KeyTooShort`] below 32 bytes.
    pub fn new(secret: &str) -> Result<Self, SealError> {
        let secret = secret.trim();
        if secret.len() < 32 {
            return Err(SealError::KeyTooShort(secret.len()));
        }
        Ok(Self(secret.as_bytes().to_vec()))
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        let mut out = [0; 32];
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, b"voordeur").extract(&self.0);
        let filled = extracted
            .expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)
            .and_then(|key_material| key_material.fill(&mut out));
        debug_assert!(filled.is_ok(), "32 bytes is the length that HKDF-SHA-256 was asked for");
        out
    }

    /// A key that seals values of one purpose.
    pub fn sealer(&self, purpose: &str) -> Sealer {
        Sealer { key: self.derive(&format!("seal {purpose}")), purpose: purpose.to_owned() }
    }

    /// A key that hashes values of one purpose.
    pub fn hasher(&self, purpose: &str) -> Hasher {
        Hasher(hmac::Key::new(hmac::HMAC_SHA256, &self.derive(&format!("hash {purpose}"))))
    }
}

/// Seals and opens values of one purpose; a value sealed for another purpose does not open.
#[derive(Clone)]
pub struct Sealer {
    key: [u8; 32],
    purpose: String,
}

impl std::fmt::Debug for Sealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sealer({})", self.purpose)
    }
}

impl Sealer {
    fn cipher(&self) -> RandomizedNonceKey {
        RandomizedNonceKey::new(&AES_256_GCM, &self.key).expect("the derived key has AES-256's length")
    }

    /// Nonce, ciphertext and tag in URL-safe base64.
    pub fn seal(&self, plain: &[u8]) -> String {
        let mut buffer = plain.to_vec();
        let nonce = self
            .cipher()
            .seal_in_place_append_tag(Aad::from(self.purpose.as_bytes()), &mut buffer)
            .expect("a value far below the 64 GiB limit of AES-GCM seals");
        let mut out = nonce.as_ref().to_vec();
        out.append(&mut buffer);
        URL_SAFE_NO_PAD.encode(out)
    }

    /// The value that [`Sealer::seal`] was given.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`] for anything that this key and purpose did not seal.
    pub fn open(&self, sealed: &str) -> Result<Vec<u8>, SealError> {
        let bytes = URL_SAFE_NO_PAD.decode(sealed).map_err(|_| SealError::DoesNotOpen)?;
        let (nonce, rest) = bytes.split_first_chunk::<12>().ok_or(SealError::DoesNotOpen)?;
        let mut buffer = rest.to_vec();
        let plain = self
            .cipher()
            .open_in_place(Nonce::from(nonce), Aad::from(self.purpose.as_bytes()), &mut buffer)
            .map_err(|_| SealError::DoesNotOpen)?;
        Ok(plain.to_vec())
    }

    /// As [`Sealer::open`], for text.
    ///
    /// # Errors
    /// [`SealError::DoesNotOpen`], also for a value that is not UTF-8.
    pub fn open_text(&self, sealed: &str) -> Result<String, SealError> {
        String::from_utf8(self.open(sealed)?).map_err(|_| SealError::DoesNotOpen)
    }
}

/// Keyed hashes of one purpose.
#[derive(Clone, Debug)]
pub struct Hasher(hmac::Key);

impl Hasher {
    /// HMAC-SHA-256 in URL-safe base64.
    pub fn hash(&self, value: &str) -> String {
        URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, value.as_bytes()))
    }

    /// Whether `value` hashes to `hash`, compared in constant time.
    pub fn matches(&self, value: &str, hash: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(hash)
            .is_ok_and(|expected| hmac::verify(&self.0, value.as_bytes(), &expected).is_ok())
    }
}

/// SHA-256 in URL-safe base64, for secrets that are random themselves (tokens of 256 bits).
pub fn sha256(value: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, value.as_bytes()))
}

/// Whether two texts are equal, in a time that does not tell where they differ.
pub fn same(left: &str, right: &str) -> bool {
    use subtle::ConstantTimeEq as _;
    left.as_bytes().ct_eq(right.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> RootKey {
        RootKey::new("0123456789abcdef0123456789abcdef").unwrap()
    }

    #[test]
    fn what_was_sealed_opens_for_its_purpose_only() {
        let sealed = root().sealer("phone").seal(b"+31612345678");
        assert_eq!(root().sealer("phone").open_text(&sealed).unwrap(), "+31612345678");
        assert_eq!(root().sealer("mail").open(&sealed), Err(SealError::DoesNotOpen));
        assert_ne!(sealed, root().sealer("phone").seal(b"+31612345678"), "every sealing has its own nonce");
    }

    #[test]
    fn an_altered_or_foreign_value_does_not_open() {
        let sealed = root().sealer("phone").seal(b"+31612345678");
        let flipped = if sealed.ends_with('A') { "B" } else { "A" };
        let altered = format!("{}{flipped}", &sealed[..sealed.len() - 1]);
        for value in [altered.as_str(), "", "short", "not base64 !"] {
            assert_eq!(root().sealer("phone").open(value), Err(SealError::DoesNotOpen));
        }
    }

    #[test]
    fn a_keyed_hash_recognises_its_value() {
        let hasher = root().hasher("code");
        assert!(hasher.matches("123456", &hasher.hash("123456")));
        assert!(!hasher.matches("123457", &hasher.hash("123456")));
        assert!(!root().hasher("other").matches("123456", &hasher.hash("123456")));
        assert!(!hasher.matches("123456", "not base64 !"));
    }

    #[test]
    fn a_short_root_key_is_refused() {
        assert_eq!(RootKey::new("short").unwrap_err(), SealError::KeyTooShort(5));
    }
}
