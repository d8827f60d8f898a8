//! The one place that reads, verifies and writes JSON Web Tokens, of whomever they are. jsonwebtoken reads them and
//! verifies with aws-lc-rs, which the keys of [`crate::keys`] sign with too. What the claims must say is for others.

mod claims;
mod of_clients;
mod token;

pub use claims::{Claims, SKEW, expiry, is_for, is_in_time, issued_at, not_before, text};
pub use jsonwebtoken::jwk::{Jwk, JwkSet};
pub use of_clients::{Kind, verify};
pub use token::{JoseError, Unverified, VerifyingKey, compact, thumbprint, unverified_claims};
