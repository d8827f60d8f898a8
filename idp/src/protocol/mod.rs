//! OAuth and OpenID Connect as messages: what a request says, whether it may, and how errors look on the
//! wire. Pure; what is remembered and who is signed in stands elsewhere.

pub mod assertion;
pub mod authorization;
pub mod claims;
pub mod dpop;
pub mod error;
pub mod jose;
pub mod reason;
pub mod redirect_uri;
pub mod registration;
pub mod request_object;
#[cfg(test)]
pub(crate) mod samples;
pub mod token;
