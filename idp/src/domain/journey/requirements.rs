//! The ordered list of what a sign-in needs, and the steps that meet it. A new rule is a new entry; a new step is a variant
//! with its page, and an entry.

use std::time::Duration;

use platform::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::proofs::{Method, Proofs};
use crate::config::{Assurance, SecondFactor, Sessions, SignInPolicy, Terms};
use crate::domain::account::Role;
use crate::domain::device::Device;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::error::{self, OAuthError};

/// A page that the person has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    Password,
    ConfirmMail,
    NewPassword,
    Phone,
    Code,
    Terms,
    Consent,
}

impl Step {
    /// Where its page is.
    pub const fn path(self) -> &'static str {
        match self {
            Self::Password => "/signin/password",
            Self::ConfirmMail => "/register/sent",
            Self::NewPassword => "/signin/new-password",
            Self::Phone => "/signin/phone",
            Self::Code => "/signin/code",
            Self::Terms => "/signin/terms",
            Self::Consent => "/signin/consent",
        }
    }
}

/// What is true of the account and the browser at this moment, read anew at every step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    pub role: Role,
    /// The account is whom the request expects, if it names somebody.
    pub is_expected: bool,
    pub email_verified: bool,
    pub blocked: bool,
    pub must_replace_password: bool,
    /// The account has a phone number that received a code before, or this journey has a number to prove.
    pub has_phone: bool,
    /// This browser is known to this account and its remembered time is not over.
    pub device_trusted: bool,
    /// The person agreed to the portal's terms of use as they are now.
    pub terms_accepted: bool,
    /// The person let this client have all that it asks for, earlier.
    pub consented: bool,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    Ask(Step),
    Issue,
    Refuse(OAuthError),
}

/// What one sign-in needs, resolved from the portal's policy and the request.
#[derive(Clone, Debug)]
pub struct Requirements {
    second_factor: SecondFactor,
    /// Proofs older than this do not count: `prompt=login` and `max_age`.
    fresh_after: Timestamp,
    /// The assurance that is asked for by name.
    wanted: Option<Assurance>,
    /// None of the values that the request calls essential can be reached here.
    unreachable: bool,
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

/// One thing that a sign-in needs.
struct Requirement {
    name: &'static str,
    /// Why, and where that stands.
    reason: &'static str,
    /// Whether it still has to happen; of an account that is not known yet there are no facts.
    unmet: fn(&Requirements, &Proofs, Option<&Facts>) -> bool,
    /// The page that meets it; none if nothing here can.
    step: Option<Step>,
    /// What the client is told where nothing can, or nobody may be asked (`prompt=none`).
    error: OAuthError,
}

/// In the order in which they are looked at, and a person meets them.
const LIST: &[Requirement] = &[
    Requirement {
        name: "reachable",
        reason: "an acr value that is essential is given or refused (OpenID Connect Core 5.5.1.1)",
        unmet: |needs, _, _| needs.unreachable,
        step: None,
        error: error::UNREACHABLE_ACR,
    },
    Requirement {
        name: "expected person",
        reason: "the request names who is expected; somebody else is not it (OpenID Connect Core 3.1.2.1)",
        unmet: |_, _, facts| facts.is_some_and(|facts| !facts.is_expected),
        step: None,
        error: error::LOGIN_REQUIRED,
    },
    Requirement {
        name: "not blocked",
        reason: "the care team blocked the account",
        unmet: |_, _, facts| facts.is_some_and(|facts| facts.blocked),
        step: None,
        error: error::ACCESS_DENIED,
    },
    Requirement {
        name: "password",
        reason: "who somebody is was proved recently enough (OpenID Connect Core 3.1.2.3)",
        unmet: |needs, proofs, facts| facts.is_none() || !needs.is_fresh(proofs.authenticated_at()),
        step: Some(Step::Password),
        error: error::LOGIN_REQUIRED,
    },
    Requirement {
        name: "confirmed address",
        reason: "the address of the account is its holder's",
        unmet: |_, _, facts| facts.is_some_and(|facts| !facts.email_verified),
        step: Some(Step::ConfirmMail),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "own password",
        reason: "somebody else knows a temporary password",
        unmet: |_, proofs, facts| {
            facts.is_some_and(|facts| facts.must_replace_password)
                && proofs.at(&Method::NewPassword).is_none()
        },
        step: Some(Step::NewPassword),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "phone",
        reason: "a code goes to a number",
        unmet: |needs, proofs, facts| {
            facts.is_some_and(|facts| needs.code(proofs, facts) && !facts.has_phone)
        },
        step: Some(Step::Phone),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "code",
        reason: "the portal's policy, the request or a new device asks for a second factor",
        unmet: |needs, proofs, facts| facts.is_some_and(|facts| needs.code(proofs, facts)),
        step: Some(Step::Code),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "terms",
        reason: "the portal's terms of use changed, or are new to the person; shown to nobody unknown",
        unmet: |needs, _, facts| needs.terms.is_some() && facts.is_some_and(|facts| !facts.terms_accepted),
        step: Some(Step::Terms),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "consent",
        reason: "a client of others learns what its person let it (OpenID Connect Core 3.1.2.4)",
        unmet: |needs, proofs, facts| {
            needs.asks_consent
                && proofs.at(&Method::Consent).is_none()
                && (needs.consent_again || facts.is_some_and(|facts| !facts.consented))
        },
        step: Some(Step::Consent),
        error: error::CONSENT_REQUIRED,
    },
];

/// When a journey began, and on what.
#[derive(Clone, Copy, Debug)]
pub struct Begun {
    pub at: Timestamp,
    /// When the session of the browser had last been active, if it had one.
    pub session_seen_at: Option<Timestamp>,
}

/// What a request asks for by the names of authentication context classes.
#[derive(Clone, Copy, Debug, Default)]
pub struct WantedAcr {
    /// The least of those that it would like.
    pub least: Option<Assurance>,
    /// It calls some essential, and none of them can be reached here.
    pub unreachable: bool,
}

/// What comes next: what the first requirement that is not met asks for. The only place where the order is decided. `facts`
/// is absent until an account is known.
pub fn next(requirements: &Requirements, proofs: &Proofs, facts: Option<&Facts>) -> Next {
    let Some(unmet) = LIST.iter().find(|requirement| (requirement.unmet)(requirements, proofs, facts)) else {
        return Next::Issue;
    };
    match unmet.step {
        Some(step) if !requirements.silent => Next::Ask(step),
        _ => {
            tracing::debug!(requirement = unmet.name, why = unmet.reason, "a sign-in is refused");
            Next::Refuse(unmet.error)
        }
    }
}

impl Requirements {
    /// What `request` (none: a sign-in to the account page) needs at a portal with `policy`, of a provider with
    /// `sessions`.
    pub fn new(
        policy: &SignInPolicy,
        sessions: &Sessions,
        request: Option<&AuthorizationRequest>,
        wanted: WantedAcr,
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
            wanted: wanted.least,
            unreachable: wanted.unreachable,
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
        device.is_trusted_for(self.trusts_for, now)
    }

    /// Names the terms of use that have to be agreed to, if there are any.
    pub fn terms(&self) -> Option<&str> {
        self.terms.as_deref()
    }

    fn is_fresh(&self, proof: Option<Timestamp>) -> bool {
        proof.is_some_and(|at| at >= self.fresh_after)
    }

    /// Whether a code still has to be given.
    fn code(&self, proofs: &Proofs, facts: &Facts) -> bool {
        let upstream = proofs.since(self.fresh_after).upstream();
        if self.is_fresh(proofs.at(&Method::Sms)) || upstream >= Some(Assurance::Code) {
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
