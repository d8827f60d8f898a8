//! Why a passkey's answer proves nothing: a closed list, for the log and for tests. People are told one thing only.

use webauthn_rp::CredentialErr;
use webauthn_rp::response::auth::error::{AuthCeremonyErr, AuthenticatorDataErr};
use webauthn_rp::response::register::error::{
    AttestationObjectErr, AuthenticatorDataErr as NewAuthenticatorDataErr, RegCeremonyErr,
};

/// Why an answer was refused. The texts hold nothing of the answer but what the library says of its form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it came after its time")]
    TooLate,
    #[error("it was asked for another act, another sign-in or another browser")]
    Elsewhere,
    #[error("it is no answer of a browser: {0}")]
    Form(String),
    #[error("the client data cannot be read: {0}")]
    ClientData(String),
    #[error("it answers another challenge")]
    Challenge,
    #[error("the page that asked is none of this server")]
    Origin,
    #[error("the page that asked stood inside a page of somebody else")]
    CrossOrigin,
    #[error("the authenticator answered for another server")]
    RelyingParty,
    #[error("nobody touched the authenticator")]
    NotPresent,
    #[error("the authenticator did not make sure who used it")]
    NotVerified,
    #[error("it says that it was copied, and that it cannot be")]
    BackedUpWithoutEligibility,
    #[error("whether it may be copied has changed since it was made")]
    EligibilityChanged,
    #[error("its key is of a kind that was not asked for")]
    Algorithm,
    #[error("the authenticator's data cannot be read: {0}")]
    AuthenticatorData(String),
    #[error("its attestation is of a form that was not asked for, or wrong: {0}")]
    Attestation(String),
    #[error("its key is none: {0}")]
    Key(String),
    #[error("the authenticator does not keep it: it can be found by its id only")]
    NotDiscoverable,
    #[error("an extension is not as asked: {0}")]
    Extension(String),
    #[error("the signature is not of this key, or not over this answer")]
    Signature,
    #[error("it is none of the passkeys that were asked for")]
    NotOffered,
    #[error("it is the passkey of another account")]
    OtherAccount,
    /// The signature was right: the caller tells the holder.
    #[error(
        "its counter is not above the one before: there may be a second copy of a key that cannot be copied"
    )]
    CounterFellBack,
    #[error("what is kept cannot be read: {0}")]
    Kept(&'static str),
}

impl From<CredentialErr> for Refusal {
    fn from(error: CredentialErr) -> Self {
        match error {
            CredentialErr::ResidentKeyRequiredServerCredentialCreated => Self::NotDiscoverable,
            other => Self::Extension(other.to_string()),
        }
    }
}

impl From<RegCeremonyErr> for Refusal {
    fn from(error: RegCeremonyErr) -> Self {
        use RegCeremonyErr as Theirs;
        match error {
            Theirs::Timeout => Self::TooLate,
            Theirs::CollectedClientData(error) => Self::ClientData(error.to_string()),
            Theirs::CollectedClientDataRelaxed(error) => Self::ClientData(error.to_string()),
            Theirs::AttestationObject(AttestationObjectErr::AuthData(
                NewAuthenticatorDataErr::BackupWithoutEligibility,
            )) => Self::BackedUpWithoutEligibility,
            Theirs::AttestationObject(AttestationObjectErr::AuthData(error)) => {
                Self::AuthenticatorData(error.to_string())
            }
            Theirs::AttestationObject(error) => Self::Attestation(error.to_string()),
            Theirs::PubKey(error) => Self::Key(error.to_string()),
            Theirs::AttestationSignature => Self::Attestation("signature".to_owned()),
            Theirs::OriginMismatch => Self::Origin,
            Theirs::CrossOrigin | Theirs::TopOriginMismatch => Self::CrossOrigin,
            Theirs::ChallengeMismatch => Self::Challenge,
            Theirs::RpIdHashMismatch => Self::RelyingParty,
            Theirs::UserNotPresent => Self::NotPresent,
            Theirs::UserNotVerified => Self::NotVerified,
            Theirs::BackupEligible | Theirs::BackupNotEligible | Theirs::BackupDoesNotExist => {
                Self::EligibilityChanged
            }
            Theirs::MissingAuthenticatorAttachment | Theirs::AuthenticatorAttachmentMismatch => {
                Self::Form("authenticatorAttachment".to_owned())
            }
            Theirs::Extension(error) => Self::Extension(error.to_string()),
            Theirs::PublicKeyAlgorithmMismatch => Self::Algorithm,
            Theirs::Credential(error) => error.into(),
        }
    }
}

impl From<AuthCeremonyErr> for Refusal {
    fn from(error: AuthCeremonyErr) -> Self {
        use AuthCeremonyErr as Theirs;
        match error {
            Theirs::Timeout => Self::TooLate,
            Theirs::CollectedClientData(error) => Self::ClientData(error.to_string()),
            Theirs::CollectedClientDataRelaxed(error) => Self::ClientData(error.to_string()),
            Theirs::AuthenticatorData(AuthenticatorDataErr::UserNotPresent) => Self::NotPresent,
            Theirs::AuthenticatorData(AuthenticatorDataErr::BackupWithoutEligibility) => {
                Self::BackedUpWithoutEligibility
            }
            Theirs::AuthenticatorData(error) => Self::AuthenticatorData(error.to_string()),
            Theirs::PubKey(_) => Self::Kept("key"),
            Theirs::AssertionSignature => Self::Signature,
            Theirs::OriginMismatch => Self::Origin,
            Theirs::CrossOrigin | Theirs::TopOriginMismatch => Self::CrossOrigin,
            Theirs::ChallengeMismatch => Self::Challenge,
            Theirs::RpIdHashMismatch => Self::RelyingParty,
            Theirs::UserNotVerified => Self::NotVerified,
            Theirs::BackupEligible | Theirs::BackupNotEligible | Theirs::BackupDoesNotExist => {
                Self::EligibilityChanged
            }
            Theirs::MissingAuthenticatorAttachment | Theirs::AuthenticatorAttachmentMismatch => {
                Self::Form("authenticatorAttachment".to_owned())
            }
            Theirs::Extension(error) => Self::Extension(error.to_string()),
            Theirs::SignatureCounter => Self::CounterFellBack,
            Theirs::UserHandleMismatch => Self::OtherAccount,
            Theirs::CredentialIdMismatch | Theirs::NoMatchingAllowedCredential => Self::NotOffered,
            Theirs::MissingUserHandle => Self::Form("userHandle".to_owned()),
            Theirs::Credential(error) => error.into(),
        }
    }
}
