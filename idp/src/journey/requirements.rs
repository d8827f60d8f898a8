//! The ordered list of what a sign-in needs. A new rule is a new entry.

use std::time::Duration;

use web::clock::Timestamp;

use super::{Facts, Proofs, Step};
use crate::config::{SecondFactor, SignInPolicy};
use crate::protocol::acr;
use crate::protocol::authorization::AuthorizationRequest;

/// What one sign-in needs, resolved from the portal's policy and the request.
#[derive(Clone, Debug)]
pub struct Requirements {
    second_factor: SecondFactor,
    /// Proofs older than this do not count: `prompt=login` and `max_age`.
    fresh_after: Timestamp,
    /// A code in this session is asked for by name.
    wants_code: bool,
    asks_consent: bool,
    consent_again: bool,
    silent: bool,
}

struct Requirement {
    step: Step,
    /// Whether it still has to happen.
    unmet: fn(&Requirements, &Proofs, &Facts) -> bool,
}

/// In the order in which a person meets them.
const LIST: &[Requirement] = &[
    // OpenID Connect Core section 3.1.2.3: authenticate unless it was done recently enough.
    Requirement { step: Step::Password, unmet: |needs, proofs, _| !needs.is_fresh(proofs.password_at) },
    Requirement { step: Step::ConfirmMail, unmet: |_, _, facts| !facts.email_confirmed },
    Requirement {
        step: Step::NewPassword,
        unmet: |_, proofs, facts| facts.must_replace_password && proofs.new_password_at.is_none(),
    },
    Requirement {
        step: Step::Phone,
        unmet: |needs, proofs, facts| needs.code(proofs, facts) && !facts.has_phone,
    },
    Requirement { step: Step::Code, unmet: Requirements::code },
    Requirement {
        step: Step::Consent,
        unmet: |needs, proofs, facts| {
            needs.asks_consent && proofs.consent_at.is_none() && (needs.consent_again || !facts.consented)
        },
    },
];

impl Requirements {
    /// What `request` (none: a sign-in to the account page) needs at a portal with `policy`. `started_at`
    /// is when the journey began.
    pub fn new(
        policy: &SignInPolicy,
        request: Option<&AuthorizationRequest>,
        asks_consent: bool,
        started_at: Timestamp,
    ) -> Self {
        let prompt = request.map(|request| request.prompt).unwrap_or_default();
        let max_age = request.and_then(|request| request.max_age);
        let fresh_after = match max_age {
            _ if prompt.login || prompt.select_account => started_at,
            Some(seconds) => started_at.minus(Duration::from_secs(seconds.into())),
            None => Timestamp(i64::MIN),
        };
        Self {
            second_factor: policy.second_factor,
            fresh_after,
            wants_code: request.is_some_and(|request| wants_code(&request.wanted_acrs())),
            asks_consent,
            consent_again: prompt.consent,
            silent: prompt.none,
        }
    }

    pub(super) fn silent(&self) -> bool {
        self.silent
    }

    pub(super) fn first_unmet(&self, proofs: &Proofs, facts: &Facts) -> Option<Step> {
        LIST.iter()
            .find(|requirement| (requirement.unmet)(self, proofs, facts))
            .map(|requirement| requirement.step)
    }

    fn is_fresh(&self, proof: Option<Timestamp>) -> bool {
        proof.is_some_and(|at| at >= self.fresh_after)
    }

    /// Whether a code still has to be given.
    fn code(&self, proofs: &Proofs, facts: &Facts) -> bool {
        if self.is_fresh(proofs.code_at) {
            return false;
        }
        if self.wants_code {
            return true;
        }
        match self.second_factor {
            SecondFactor::Always => true,
            SecondFactor::NewDevice => !facts.device_trusted,
            // Who sees other people's data always has a second factor; a known device may be one.
            SecondFactor::Never => facts.role.is_staff() && !facts.device_trusted,
        }
    }
}

/// `acr_values` are in order of preference (OpenID Connect Core section 3.1.2.1): a weaker value that is
/// asked for as well makes the code optional.
fn wants_code(acr_values: &[String]) -> bool {
    let known: Vec<&str> =
        acr_values.iter().map(String::as_str).filter(|value| acr::ALL.contains(value)).collect();
    !known.is_empty() && known.iter().all(|value| *value == acr::CODE)
}
