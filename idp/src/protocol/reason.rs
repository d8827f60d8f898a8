//! Why a client's request is refused, where its answer says less: a closed list, for the log.

/// What it was exactly. The client may not be told which of several, so all of one kind share an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    UnknownClient,
    WrongSecret,
    WrongSecretAndMethod,
    PublicClientWithProof,
    NoClientAuthentication,
    SecretForAssertion,
    AssertionForSecret,
    UnknownCode,
    CodeReplayed,
    CodeRaced,
    CodeMismatch,
    NotEntitled,
    RefreshTokenReplayed,
    RefreshTokenRaced,
}

impl Reason {
    /// What the log says.
    pub const fn text(self) -> &'static str {
        match self {
            Self::UnknownClient => "there is no client with this client_id",
            Self::WrongSecret => "the client secret is wrong",
            Self::WrongSecretAndMethod => {
                "the client secret is wrong, and not where token_endpoint_auth_method puts it"
            }
            Self::PublicClientWithProof => {
                "it is a public client (token_endpoint_auth_method = \"none\") and sent a proof"
            }
            Self::NoClientAuthentication => "it sent neither a secret nor an assertion",
            Self::SecretForAssertion => "it sent a secret; its token_endpoint_auth_method is private_key_jwt",
            Self::AssertionForSecret => {
                "it sent an assertion; its token_endpoint_auth_method is one with a secret"
            }
            Self::UnknownCode => "the code is not known, too old, or another client's",
            Self::CodeReplayed => "an authorization code was used twice",
            Self::CodeRaced => "an authorization code was used twice at once",
            Self::CodeMismatch => {
                "code_verifier, redirect_uri, the key of the proof, or the time does not fit the code"
            }
            Self::NotEntitled => "the session ended, or the account is blocked or locked",
            Self::RefreshTokenReplayed => "a refresh token was used twice",
            Self::RefreshTokenRaced => "a refresh token was used twice at once",
        }
    }
}
