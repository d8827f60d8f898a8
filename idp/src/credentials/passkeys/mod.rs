//! Passkeys (WebAuthn level 3): what a browser is asked, and whether its answer proves anything. The only module that
//! knows the library underneath. `docs/webauthn.md` lists the checks step by step.

mod asserting;
mod authenticators;
mod kept;
mod refusal;
mod registering;

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use platform::clock::{Clock, Timestamp};
use platform::seal::{same, sha256};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::{Host, Url};
use webauthn_rp::request::{AsciiDomain, RpId};

pub use self::asserting::{Answer, Asserting};
pub use self::authenticators::authenticator_name;
pub use self::refusal::Refusal;
pub use self::registering::{Holder, Registering};

/// How long a browser may take for its answer: people look for a key or a phone.
pub const LIFETIME: Duration = Duration::from_mins(5);

/// The longest answer that is read, in bytes.
pub const LONGEST_ANSWER: usize = 16 * 1024;

/// Who asks for passkeys: this server, under the name that its issuer has.
#[derive(Clone, Debug)]
pub struct RelyingParty {
    id: RpId,
    /// The only origin whose pages may have asked.
    origin: String,
    /// What the authenticator shows beside the person's name.
    name: String,
    clock: Clock,
}

impl RelyingParty {
    /// The relying party of an issuer: its host is the id, its origin the only one that counts. `None` if its host is
    /// an address: browsers bind passkeys to names only.
    pub fn new(issuer: &str, name: &str, clock: Clock) -> Option<Self> {
        let url = Url::parse(issuer).ok()?;
        let Host::Domain(host) = url.host()? else { return None };
        let id = RpId::Domain(AsciiDomain::try_from(host.to_owned()).ok()?);
        let origin = url.origin().ascii_serialization();
        Some(Self { id, origin, name: name.to_owned(), clock })
    }
}

/// What an answer must fit besides its challenge, kept with the challenge: where it was asked, and until when it counts.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Bound {
    /// SHA-256 of the caller's context.
    context: String,
    ends_at: Timestamp,
    /// The library's state with the challenge in it.
    state: String,
}

impl Bound {
    fn new(context: &str, clock: &Clock, state: &[u8]) -> Self {
        let state = URL_SAFE_NO_PAD.encode(state);
        Self { context: sha256(context), ends_at: clock.now().plus(LIFETIME), state }
    }

    /// The library's state, for an answer that comes in time and where it was asked.
    fn open(&self, context: &str, clock: &Clock) -> Result<Vec<u8>, Refusal> {
        if !same(&self.context, &sha256(context)) {
            return Err(Refusal::Elsewhere);
        }
        if clock.now() >= self.ends_at {
            return Err(Refusal::TooLate);
        }
        URL_SAFE_NO_PAD.decode(&self.state).map_err(|_| Refusal::Kept("challenge"))
    }
}

/// The library ends a challenge by the system's clock. It gets the longest time that it takes, some 49 days, and ours
/// is kept by the clock of this house.
const LIBRARY_MILLIS: std::num::NonZeroU32 = std::num::NonZeroU32::MAX;

/// The options for the browser, with the time that it really has.
fn in_time(mut options: Value) -> Value {
    options["timeout"] = Value::from(u64::try_from(LIFETIME.as_millis()).unwrap_or(u64::MAX));
    options
}
