//! The portal as a relying party: what it knows of the provider, signing in, signing out, and the provider
//! ending a session from behind. Knows sessions only as what a sign-in comes to.

mod http;
mod logout_token;
mod provider;
mod sign_in;
mod sign_out;

pub use logout_token::LogoutToken;
pub use provider::Provider;
pub use sign_in::{Asked, Pending, Purpose, SignInAnswer};

/// Why a sign-in or sign-out did not work.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// The provider does not answer, or says that it cannot now.
    #[error("the provider is not available: {0}")]
    Unavailable(String),
    /// The provider ended the sign-in with an error code of RFC 6749 section 4.1.2.1 or OpenID Connect
    /// Core section 3.1.2.6.
    #[error("the provider answered '{0}'")]
    Refused(String),
    /// What the provider sent does not hold: a wrong issuer, nonce, signature, time.
    #[error("the provider's answer does not hold: {0}")]
    Invalid(String),
    /// By this machine's clock and the provider's together, what the provider sent cannot be valid now.
    #[error("{0}")]
    Clock(String),
    /// The sign-in was not done as strongly as was asked.
    #[error("the sign-in had acr '{0}'")]
    TooWeak(String),
}
