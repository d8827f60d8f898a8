//! Using a passkey (WebAuthn level 3 section 7.2): the options for `navigator.credentials.get`, and what the answer
//! proves.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::{
    AllowedCredentials, AuthenticationVerificationOptions, AuthenticatorAttachmentEnforcement,
    SignatureCounterEnforcement,
};
use webauthn_rp::request::{Credentials as _, UserVerificationRequirement};
use webauthn_rp::response::AuthenticatorAttachment;
use webauthn_rp::response::auth::ser_relaxed::AuthenticationRelaxed;
use webauthn_rp::response::register::DynamicState;
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthenticationServerState, DiscoverableCredentialRequestOptions,
    NonDiscoverableAuthenticationServerState, NonDiscoverableCredentialRequestOptions,
};

use super::kept::{HANDLE, Key, descriptor, from_backup, read_id, read_key, to_backup, user_handle};
use super::{Bound, LIBRARY_MILLIS, LONGEST_ANSWER, Refusal, RelyingParty, in_time};
use crate::domain::account::AccountId;
use crate::domain::passkey::{Passkey, Proven};

/// A proof that was asked for. The caller keeps it, and takes it away with the first answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Asserting {
    /// Whose passkeys were asked for; `None`: whoever has one.
    account: Option<AccountId>,
    #[serde(flatten)]
    bound: Bound,
}

/// A browser's answer (`AuthenticationResponseJSON`), read so far that its passkey can be looked up.
#[derive(Clone, Debug)]
pub struct Answer {
    text: String,
    id: String,
    says_who: bool,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// [`Refusal::Form`] if it is none, or far too long.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Response {
            user_handle: Option<String>,
        }
        #[derive(Deserialize)]
        struct Read {
            id: String,
            response: Response,
        }
        if text.len() > LONGEST_ANSWER {
            return Err(Refusal::Form("too long".to_owned()));
        }
        let read: Read = serde_json::from_str(text).map_err(|error| Refusal::Form(error.to_string()))?;
        Ok(Self { text: text.to_owned(), id: read.id, says_who: read.response.user_handle.is_some() })
    }

    /// The credential id, as it is kept.
    pub fn credential_id(&self) -> &str {
        &self.id
    }
}

impl RelyingParty {
    /// Asks whoever sits there for a passkey, for a sign-in without a name: what the page gives to the browser
    /// (`PublicKeyCredentialRequestOptionsJSON`), also for suggestions in a field (conditional mediation), and what to keep.
    /// `context` says for which act, in which journey and browser; the answer counts there only.
    ///
    /// # Errors
    /// [`Refusal::Kept`] if the library cannot begin.
    pub fn begin_assertion(&self, context: &str) -> Result<(Value, Asserting), Refusal> {
        let mut asked = DiscoverableCredentialRequestOptions::passkey(&self.id);
        asked.0.timeout = LIBRARY_MILLIS;
        let (state, options) = asked.start_ceremony().map_err(|_| Refusal::Kept("options"))?;
        let state = state.encode().map_err(|_| Refusal::Kept("clock"))?;
        let options = serde_json::to_value(&options).map_err(|_| Refusal::Kept("options"))?;
        Ok((in_time(options), Asserting { account: None, bound: Bound::new(context, &self.clock, &state) }))
    }

    /// As [`Self::begin_assertion`], of one account that is known already: one of `passkeys`, all of this account.
    ///
    /// # Errors
    /// [`Refusal::NotOffered`] if there are none, [`Refusal::Kept`] if one does not read.
    pub fn begin_assertion_of(
        &self,
        account: &AccountId,
        passkeys: &[Passkey],
        context: &str,
    ) -> Result<(Value, Asserting), Refusal> {
        let mut allowed = AllowedCredentials::with_capacity(passkeys.len());
        for passkey in passkeys {
            allowed.push(descriptor(passkey)?.into());
        }
        let asked = NonDiscoverableCredentialRequestOptions::second_factor(&self.id, allowed);
        let mut asked = asked.map_err(|_| Refusal::NotOffered)?;
        asked.options().user_verification = UserVerificationRequirement::Required;
        asked.options().timeout = LIBRARY_MILLIS;
        let (state, options) = asked.start_ceremony().map_err(|_| Refusal::Kept("options"))?;
        let state = state.encode().map_err(|_| Refusal::Kept("clock"))?;
        let options = serde_json::to_value(&options).map_err(|_| Refusal::Kept("options"))?;
        let bound = Bound::new(context, &self.clock, &state);
        Ok((in_time(options), Asserting { account: Some(account.clone()), bound }))
    }

    /// What an answer proves, checked against the passkey that has its credential id. The caller then writes the counter,
    /// as a condition of what follows.
    ///
    /// # Errors
    /// [`Refusal`] says which check failed. After [`Refusal::CounterFellBack`] the holder is told.
    pub fn finish_assertion(
        &self,
        asserting: &Asserting,
        context: &str,
        answer: &Answer,
        passkey: &Passkey,
    ) -> Result<Proven, Refusal> {
        if asserting.account.as_ref().is_some_and(|account| *account != passkey.account_id) {
            return Err(Refusal::OtherAccount);
        }
        let state = asserting.bound.open(context, &self.clock)?;
        let id = read_id(&passkey.id)?;
        let handle = user_handle(&passkey.account_id);
        let before = DynamicState {
            user_verified: true,
            backup: to_backup(passkey.backup),
            sign_count: passkey.counter,
            authenticator_attachment: AuthenticatorAttachment::None,
        };
        let kept = AuthenticatedCredential::new((&id).into(), &handle, read_key(&passkey.key)?, before);
        let mut kept: AuthenticatedCredential<'_, '_, HANDLE, Key> = kept?;
        let options = AuthenticationVerificationOptions::<'_, '_, &str, &str> {
            allowed_origins: &[self.origin.as_str()],
            // That it may be copied, or not, does not change; whether it was copied may.
            backup_requirement: None,
            error_on_unsolicited_extensions: false,
            // A phone is inside one computer and outside the next.
            auth_attachment_enforcement: AuthenticatorAttachmentEnforcement::Ignore(false),
            sig_counter_enforcement: if passkey.backup.is_eligible() {
                SignatureCounterEnforcement::Update
            } else {
                SignatureCounterEnforcement::Fail
            },
            ..AuthenticationVerificationOptions::default()
        };
        let unread = |error: serde_json::Error| Refusal::Form(error.to_string());
        let unkept = Refusal::Kept("challenge");
        let said = if asserting.account.is_none() {
            // The library takes one for granted here, and panics without.
            if !answer.says_who {
                return Err(Refusal::Form("userHandle is missing".to_owned()));
            }
            let state = DiscoverableAuthenticationServerState::decode(&state).map_err(|_| unkept)?;
            let answer: AuthenticationRelaxed<HANDLE, true> =
                serde_json::from_str(&answer.text).map_err(unread)?;
            state.verify(&self.id, &answer.0, &mut kept, &options)?;
            counter(answer.0.response().authenticator_data())
        } else {
            let state = NonDiscoverableAuthenticationServerState::decode(&state).map_err(|_| unkept)?;
            let answer: AuthenticationRelaxed<HANDLE, false> =
                serde_json::from_str(&answer.text).map_err(unread)?;
            state.verify(&self.id, &answer.0, &mut kept, &options)?;
            counter(answer.0.response().authenticator_data())
        };
        let after = kept.dynamic_state();
        Ok(Proven {
            id: passkey.id.clone(),
            account_id: passkey.account_id.clone(),
            counter_seen: passkey.counter,
            counter: after.sign_count,
            backup: from_backup(after.backup),
            fell_back: passkey.counter != 0 && said <= passkey.counter,
        })
    }
}

/// What the authenticator counts (WebAuthn level 3 section 6.1): four bytes after the hash and the flags.
fn counter(authenticator_data: &[u8]) -> u32 {
    let bytes = authenticator_data.get(33..).and_then(|rest| rest.first_chunk::<4>());
    bytes.map_or(0, |bytes| u32::from_be_bytes(*bytes))
}
