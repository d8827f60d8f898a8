//! OAuth and OpenID Connect as messages: what a request says, whether it may, and how errors look on the
//! wire. Pure; what is remembered and who is signed in stands elsewhere.

pub mod assertion;
pub mod authorization;
pub mod claims;
pub mod dpop;
pub mod error;
pub mod jose;
pub mod registration;
pub mod request_object;
#[cfg(test)]
mod samples;
pub mod token;

/// The `acr` values of this provider, from weak to strong (OpenID Connect Core section 2).
pub mod acr {
    /// A password alone.
    pub const PASSWORD: &str = "urn:voordeur:acr:password";
    /// A password on a device that received a code some days ago.
    pub const KNOWN_DEVICE: &str = "urn:voordeur:acr:known-device";
    /// A password and a fresh one-time code.
    pub const CODE: &str = "urn:voordeur:acr:code";

    pub const ALL: [&str; 3] = [PASSWORD, KNOWN_DEVICE, CODE];
}
