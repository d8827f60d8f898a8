//! The ordered list of what a sign-in needs. A new rule is a new entry.

use std::time::Duration;

use web::clock::Timestamp;

use super::{Facts, Proofs, Step};
use crate::config::{Assurance, SecondFactor, Sessions, SignInPolicy, Terms};
use crate::domain::device::Device;
use crate::protocol::authorization::AuthorizationRequest;

/// What one sign-in needs, resolved from the portal's policy and the request.
#[derive(Clone, Debug)]
pub struct Requirements {
    second_factor: SecondFactor,
    /// Proofs older than this do not count: `prompt=login` and `max_age`.
    fresh_after: Timestamp,
    /// The assurance that is asked for by name.
    wanted: Option<Assurance>,
    /// A code is asked for wherever the account has a phone.
    steps_up: bool,
    /// For how long a code given on a device stands for one here.
    trusts_for: Duration,
    /// Names the terms of use that have to be agreed to.
    terms: Option<String>,
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
    Requirement {
        step: Step::Password,
        unmet: |needs, proofs, _| !needs.is_fresh(proofs.authenticated_at()),
    },
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
    // Shown to nobody who has not shown who they are.
    Requirement {
        step: Step::Terms,
        unmet: |needs, _, facts| needs.terms.is_some() && !facts.terms_accepted,
    },
    Requirement {
        step: Step::Consent,
        unmet: |needs, proofs, facts| {
            needs.asks_consent && proofs.consent_at.is_none() && (needs.consent_again || !facts.consented)
        },
    },
];

/// When a journey began, and on what.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    pub at: Timestamp,
    /// When the session of the browser had last been active, if it had one.
    pub session_seen_at: Option<Timestamp>,
}

impl Requirements {
    /// What `request` (none: a sign-in to the account page) needs at a portal with `policy`, of a provider with
    /// `sessions`. `wanted` is the least assurance that the request asks for by name.
    pub fn new(
        policy: &SignInPolicy,
        sessions: &Sessions,
        request: Option<&AuthorizationRequest>,
        wanted: Option<Assurance>,
        asks_consent: bool,
        begun: Begun,
    ) -> Self {
        let prompt = request.map(|request| request.prompt).unwrap_or_default();
        let max_age = request.and_then(|request| request.max_age);
        let was_idle =
            begun.session_seen_at.is_some_and(|seen| begun.at.since(seen) >= policy.idle(sessions));
        let fresh_after = if prompt.login || prompt.select_account || was_idle {
            begun.at
        } else {
            let longest = policy.absolute(sessions);
            let asked = max_age.map_or(longest, |seconds| Duration::from_secs(seconds.into()));
            begun.at.minus(asked.min(longest))
        };
        Self {
            second_factor: policy.second_factor,
            fresh_after,
            wanted,
            steps_up: false,
            trusts_for: policy.trusts_for(),
            terms: request.and(policy.terms.as_ref()).map(Terms::digest),
            asks_consent,
            consent_again: prompt.consent,
            silent: prompt.none,
        }
    }

    /// The same for a page of ours that wants a fresh sign-in.
    #[must_use]
    pub fn stepping_up(self, started_at: Timestamp) -> Self {
        Self { fresh_after: started_at, steps_up: true, ..self }
    }

    /// Whether a device makes a code unnecessary here: it is trusted where its code was given, and that was not too
    /// long ago for this portal.
    pub fn trusts(&self, device: &Device, now: Timestamp) -> bool {
        device.is_trusted(now) && device.code_at.is_none_or(|at| now < at.plus(self.trusts_for))
    }

    /// Names the terms of use that have to be agreed to, if there are any.
    pub fn terms(&self) -> Option<&str> {
        self.terms.as_deref()
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
        let upstream = proofs.upstream.as_ref().filter(|proof| self.is_fresh(Some(proof.at)));
        if self.is_fresh(proofs.code_at) || upstream.is_some_and(|proof| proof.assurance >= Assurance::Code) {
            return false;
        }
        let by_name = match self.wanted {
            Some(Assurance::Code | Assurance::Strong) => true,
            Some(Assurance::KnownDevice) => !facts.device_trusted,
            Some(Assurance::Password) | None => false,
        };
        if by_name || (self.steps_up && facts.has_phone) {
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
