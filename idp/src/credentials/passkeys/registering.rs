//! Making a passkey (WebAuthn level 3 section 7.1): the options for `navigator.credentials.create`, and what the answer
//! gives.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::register::{
    CoseAlgorithmIdentifier, CoseAlgorithmIdentifiers, CredProtect, PublicKeyCredentialCreationOptions,
    RegistrationVerificationOptions,
};
use webauthn_rp::request::{ExtensionInfo, ExtensionReq};
use webauthn_rp::response::register::ser_relaxed::RegistrationRelaxed;
use webauthn_rp::{RegisteredCredential, RegistrationServerState};

use super::kept::{HANDLE, descriptor, from_backup, user_handle, write_id, write_key, write_transports};
use super::{Bound, LIBRARY_MILLIS, LONGEST_ANSWER, Refusal, RelyingParty, in_time};
use crate::domain::account::AccountId;
use crate::domain::passkey::{NewPasskey, Passkey};

/// Whom a passkey is made for. The names stand in the authenticator's own list and go nowhere else.
#[derive(Clone, Copy, Debug)]
pub struct Holder<'a> {
    pub account: &'a AccountId,
    /// What the holder signs in with, to tell two accounts apart.
    pub name: &'a str,
    pub display_name: &'a str,
}

/// A registration under way. The caller keeps it, and takes it away with the first answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Registering {
    account: AccountId,
    #[serde(flatten)]
    bound: Bound,
}

impl RelyingParty {
    /// Begins to make a passkey: what the page gives to the browser (`PublicKeyCredentialCreationOptionsJSON`), and what
    /// to keep. `existing` are those of the account, which no authenticator makes a second time. `context` says for which
    /// act, in which session and browser; the answer counts there only.
    ///
    /// # Errors
    /// [`Refusal::Kept`] if one of `existing` does not read.
    pub fn begin_registration(
        &self,
        holder: Holder<'_>,
        existing: &[Passkey],
        context: &str,
    ) -> Result<(Value, Registering), Refusal> {
        let handle = user_handle(holder.account);
        let exclude = existing.iter().map(descriptor).collect::<Result<_, _>>()?;
        // User verification and a discoverable credential required, attestation `none`, and `credProtect`: a security key
        // that is found tells nobody whose it is. It is not insisted on: phones and password managers do not know it, and
        // would make no passkey at all.
        let mut asked = PublicKeyCredentialCreationOptions::passkey(&self.id, (&handle).into(), exclude);
        asked.pub_key_cred_params = CoseAlgorithmIdentifiers::ALL.remove(CoseAlgorithmIdentifier::Es384);
        asked.extensions.cred_props = Some(ExtensionReq::Allow);
        asked.extensions.cred_protect =
            CredProtect::UserVerificationRequired(ExtensionInfo::AllowDontEnforceValue);
        asked.timeout = LIBRARY_MILLIS;
        let (state, options) = asked.start_ceremony().map_err(|_| Refusal::Kept("options"))?;
        let state = state.encode().map_err(|_| Refusal::Kept("clock"))?;
        let mut options = serde_json::to_value(&options).map_err(|_| Refusal::Kept("options"))?;
        // The library's own types take fewer names than people have.
        options["rp"]["name"] = self.name.as_str().into();
        options["user"]["name"] = holder.name.into();
        options["user"]["displayName"] = holder.display_name.into();
        let bound = Bound::new(context, &self.clock, &state);
        Ok((in_time(options), Registering { account: holder.account.clone(), bound }))
    }

    /// What the browser's answer (`RegistrationResponseJSON`) made for the account. Whether nobody else has the credential
    /// id is for the store to say, when it is inserted.
    ///
    /// # Errors
    /// [`Refusal`] says which check failed.
    pub fn finish_registration(
        &self,
        registering: &Registering,
        account: &AccountId,
        context: &str,
        answer: &str,
    ) -> Result<NewPasskey, Refusal> {
        if registering.account != *account {
            return Err(Refusal::OtherAccount);
        }
        let state = registering.bound.open(context, &self.clock)?;
        let state = RegistrationServerState::<HANDLE>::decode(state.as_slice());
        let state = state.map_err(|_| Refusal::Kept("challenge"))?;
        if answer.len() > LONGEST_ANSWER {
            return Err(Refusal::Form("too long".to_owned()));
        }
        let answer = serde_json::from_str::<RegistrationRelaxed>(answer);
        let answer = answer.map_err(|error| Refusal::Form(error.to_string()))?.0;
        let options = RegistrationVerificationOptions::<'_, '_, &str, &str> {
            allowed_origins: &[self.origin.as_str()],
            // Browsers add outputs that nobody asked for; they are not read.
            error_on_unsolicited_extensions: false,
            ..RegistrationVerificationOptions::default()
        };
        Ok(made(&state.verify(&self.id, &answer, &options)?))
    }
}

fn made(credential: &RegisteredCredential<'_, HANDLE>) -> NewPasskey {
    let dynamic = credential.dynamic_state();
    NewPasskey {
        id: write_id(&credential.id()),
        key: write_key(&credential.static_state()),
        counter: dynamic.sign_count,
        aaguid: uuid(credential.metadata().aaguid.data()),
        backup: from_backup(dynamic.backup),
        transports: write_transports(credential.transports()),
    }
}

/// Bytes as a UUID is written (RFC 9562 section 4).
fn uuid(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}
