//! What is kept of a passkey, to and from the library's own types.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::PublicKeyCredentialDescriptor;
use webauthn_rp::request::register::UserHandle;
use webauthn_rp::response::register::{CompressedPubKey, StaticState, UncompressedPubKey};
use webauthn_rp::response::{AuthTransports, Backup as Theirs, CredentialId};

use super::Refusal;
use crate::domain::account::AccountId;
use crate::domain::passkey::{Backup, Passkey};

/// The bytes of a user handle.
pub(super) const HANDLE: usize = 32;

/// A public key as it is kept.
pub(super) type Key = CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>;

/// The form in which keys are kept, so that another one can stand beside it one day.
const FORM: &str = "1.";

/// What an authenticator knows an account by. It shows nothing of the person, and nothing of ours: the id of an account
/// is 128 random bits, and this is its hash.
pub(super) fn user_handle(account: &AccountId) -> UserHandle<HANDLE> {
    let hash = digest(&SHA256, format!("passkey of {}", account.0).as_bytes());
    let mut bytes = [0; HANDLE];
    bytes.copy_from_slice(hash.as_ref());
    let Ok(handle) = UserHandle::decode(bytes);
    handle
}

/// The text of a key.
pub(super) fn write_key(key: &StaticState<UncompressedPubKey<'_>>) -> String {
    let Ok(bytes) = key.encode();
    format!("{FORM}{}", URL_SAFE_NO_PAD.encode(bytes))
}

/// The key of a text that [`write_key`] made.
pub(super) fn read_key(text: &str) -> Result<StaticState<Key>, Refusal> {
    let bytes = text.strip_prefix(FORM).and_then(|text| URL_SAFE_NO_PAD.decode(text).ok());
    let state = bytes.and_then(|bytes| StaticState::decode(&bytes).ok());
    state.ok_or(Refusal::Kept("key"))
}

/// The bytes of a credential id.
pub(super) fn read_id(id: &str) -> Result<CredentialId<Vec<u8>>, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(id).ok();
    bytes.and_then(|bytes| CredentialId::decode(bytes).ok()).ok_or(Refusal::Kept("credential id"))
}

/// The text of a credential id.
pub(super) fn write_id(id: &CredentialId<&[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(id.as_ref())
}

/// The names of transports.
pub(super) fn write_transports(transports: AuthTransports) -> Vec<String> {
    let names = serde_json::to_value(transports).unwrap_or_default();
    serde_json::from_value(names).unwrap_or_default()
}

/// Whether it can be copied, in the library's words.
pub(super) fn to_backup(backup: Backup) -> Theirs {
    match backup {
        Backup::Bound => Theirs::NotEligible,
        Backup::Eligible => Theirs::Eligible,
        Backup::BackedUp => Theirs::Exists,
    }
}

/// The same the other way.
pub(super) fn from_backup(backup: Theirs) -> Backup {
    match backup {
        Theirs::NotEligible => Backup::Bound,
        Theirs::Eligible => Backup::Eligible,
        Theirs::Exists => Backup::BackedUp,
    }
}

/// How a browser may find a passkey.
pub(super) fn descriptor(passkey: &Passkey) -> Result<PublicKeyCredentialDescriptor<Vec<u8>>, Refusal> {
    let names = serde_json::to_value(&passkey.transports).unwrap_or_default();
    let transports = serde_json::from_value(names).map_err(|_| Refusal::Kept("transports"))?;
    Ok(PublicKeyCredentialDescriptor { id: read_id(&passkey.id)?, transports })
}
