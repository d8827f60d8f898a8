//! The ordered list of what a sign-in needs, and the steps that meet it. A new rule is a new entry; a new step is a variant
//! with its page, and an entry.

use std::time::Duration;

use platform::clock::Timestamp;
use serde::{Deserialize, Serialize};

use super::proofs::{Method, Proofs};
use crate::config::{Assurance, Factor, SecondFactor, Sessions, SignInPolicy, Terms, When};
use crate::domain::account::Role;
use crate::domain::device::Device;
use crate::domain::factors::Factors;
use crate::protocol::authorization::AuthorizationRequest;
use crate::protocol::error::{self, OAuthError};

/// A page that the person has to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Step {
    Password,
    ConfirmMail,
    NewPassword,
    Passkey,
    Totp,
    Code,
    RecoveryCode,
    Phone,
    AddPasskey,
    AddTotp,
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
            Self::Passkey => "/signin/passkey",
            Self::Totp => "/signin/app",
            Self::RecoveryCode => "/signin/recovery-code",
            Self::AddPasskey => "/signin/new-passkey",
            Self::AddTotp => "/signin/new-app",
            Self::Terms => "/signin/terms",
            Self::Consent => "/signin/consent",
        }
    }

    /// Where a second factor of this kind is given.
    const fn of(factor: Factor) -> Self {
        match factor {
            Factor::Sms => Self::Code,
            Factor::Totp => Self::Totp,
            Factor::Passkey => Self::Passkey,
        }
    }

    /// Where the first one of this kind is made.
    const fn adding(factor: Factor) -> Self {
        match factor {
            Factor::Sms => Self::Phone,
            Factor::Totp => Self::AddTotp,
            Factor::Passkey => Self::AddPasskey,
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
    /// What the account has to prove with.
    pub factors: Factors,
    /// A phone number was given in this journey, for codes that prove it.
    pub proves_number: bool,
    /// The way that the person picked in place of the one that was offered.
    pub chosen: Option<Step>,
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
    /// The strongest kind of second factor that the account has is asked for.
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
    step: fn(&Requirements, &Proofs, Option<&Facts>) -> Option<Step>,
    /// What the client is told where nothing can, or nobody may be asked (`prompt=none`).
    error: OAuthError,
}

/// In the order in which they are looked at, and a person meets them.
const LIST: &[Requirement] = &[
    Requirement {
        name: "reachable",
        reason: "an acr value that is essential is given or refused (OpenID Connect Core 5.5.1.1)",
        unmet: |needs, _, _| needs.unreachable,
        step: |_, _, _| None,
        error: error::UNREACHABLE_ACR,
    },
    Requirement {
        name: "expected person",
        reason: "the request names who is expected; somebody else is not it (OpenID Connect Core 3.1.2.1)",
        unmet: |_, _, facts| facts.is_some_and(|facts| !facts.is_expected),
        step: |_, _, _| None,
        error: error::LOGIN_REQUIRED,
    },
    Requirement {
        name: "not blocked",
        reason: "the care team blocked the account",
        unmet: |_, _, facts| facts.is_some_and(|facts| facts.blocked),
        step: |_, _, _| None,
        error: error::ACCESS_DENIED,
    },
    Requirement {
        name: "password",
        reason: "who somebody is was proved recently enough (OpenID Connect Core 3.1.2.3)",
        unmet: |needs, proofs, facts| facts.is_none() || !needs.identifies(proofs),
        step: |_, _, _| Some(Step::Password),
        error: error::LOGIN_REQUIRED,
    },
    Requirement {
        name: "confirmed address",
        reason: "the address of the account is its holder's",
        unmet: |_, _, facts| facts.is_some_and(|facts| !facts.email_verified),
        step: |_, _, _| Some(Step::ConfirmMail),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "own password",
        reason: "somebody else knows a temporary password",
        unmet: |_, proofs, facts| {
            facts.is_some_and(|facts| facts.must_replace_password)
                && proofs.at(&Method::NewPassword).is_none()
        },
        step: |_, _, _| Some(Step::NewPassword),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "second factor",
        reason: "the portal's policy, the request, the holder's choice or a new device asks for one",
        unmet: |needs, proofs, facts| facts.is_some_and(|facts| !needs.ways(proofs, facts).is_empty()),
        step: |needs, proofs, facts| needs.second_factor(proofs, facts?),
        error: error::INTERACTION_REQUIRED,
    },
    Requirement {
        name: "terms",
        reason: "the portal's terms of use changed, or are new to the person; shown to nobody unknown",
        unmet: |needs, _, facts| needs.terms.is_some() && facts.is_some_and(|facts| !facts.terms_accepted),
        step: |_, _, _| Some(Step::Terms),
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
        step: |_, _, _| Some(Step::Consent),
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
    match (unmet.step)(requirements, proofs, facts) {
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
            second_factor: policy.second_factor.clone(),
            fresh_after,
            wanted: wanted.least.map(|least| least.min(policy.second_factor.most())),
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

    /// Whether who somebody is was proved recently enough, in a way that is enough here.
    fn identifies(&self, proofs: &Proofs) -> bool {
        let fresh = proofs.since(self.fresh_after);
        if self.second_factor.passkey_alone {
            fresh.authenticated_at().is_some()
        } else {
            fresh.at(&Method::Password).is_some() || fresh.upstream().is_some()
        }
    }

    /// Where the second factor is given, or made first, that is still missing; none if there is enough.
    fn second_factor(&self, proofs: &Proofs, facts: &Facts) -> Option<Step> {
        let ways = self.ways(proofs, facts);
        facts.chosen.filter(|chosen| ways.contains(chosen)).or(ways.first().copied())
    }

    /// Every way on from here to the second factor that is still missing, the one that is offered first in front; none if
    /// there is enough.
    pub fn ways(&self, proofs: &Proofs, facts: &Facts) -> Vec<Step> {
        let fresh = proofs.since(self.fresh_after);
        if self.steps_up {
            return match facts.factors.strongest() {
                Some(kind) if fresh.as_strong_as(kind).is_none() => Self::proving(kind, facts),
                _ => Vec::new(),
            };
        }
        let Some(least) = self.least(facts) else { return Vec::new() };
        let rules = &self.second_factor;
        let earned = fresh.earned(rules.levels, &rules.methods).max(fresh.upstream());
        if earned >= Some(least) {
            return Vec::new();
        }
        let mut ways: Vec<Step> = self
            .taken(least)
            .filter(|kind| self.reaches(*kind, least, &facts.factors))
            .map(Step::of)
            .collect();
        if !ways.is_empty() {
            if least <= Assurance::Code && facts.factors.recovery_codes > 0 {
                ways.push(Step::RecoveryCode);
            }
            return ways;
        }
        // What is missing is made here, which takes the strongest that there is.
        if let Some(kind) = facts.factors.strongest().filter(|kind| fresh.as_strong_as(*kind).is_none()) {
            return Self::proving(kind, facts);
        }
        let (number, others): (Vec<_>, Vec<_>) = self.taken(least).partition(|kind| *kind == Factor::Sms);
        let number = number.into_iter().map(|_| if facts.proves_number { Step::Code } else { Step::Phone });
        number.chain(others.into_iter().map(Step::adding)).collect()
    }

    /// The ways to prove the strongest kind that somebody has.
    fn proving(kind: Factor, facts: &Facts) -> Vec<Step> {
        let code = (facts.factors.recovery_codes > 0).then_some(Step::RecoveryCode);
        [Step::of(kind)].into_iter().chain(code).collect()
    }

    /// The kinds that are taken here and can earn `least`, in their order.
    fn taken(&self, least: Assurance) -> impl Iterator<Item = Factor> {
        let rules = &self.second_factor;
        rules.methods.iter().copied().filter(move |kind| rules.levels.of(*kind) >= least)
    }

    /// Whether what somebody has of a kind can earn `least`.
    fn reaches(&self, kind: Factor, least: Assurance, factors: &Factors) -> bool {
        let levels = &self.second_factor.levels;
        match kind {
            Factor::Passkey => {
                (factors.bound_passkeys > 0 && levels.passkey >= least)
                    || (factors.passkeys > factors.bound_passkeys && levels.synced_passkey >= least)
            }
            Factor::Sms | Factor::Totp => factors.has(kind) && levels.of(kind) >= least,
        }
    }

    /// The least rung that a second factor has to earn; none where none is asked for.
    fn least(&self, facts: &Facts) -> Option<Assurance> {
        let rules = &self.second_factor;
        let by_name = match self.wanted {
            Some(Assurance::KnownDevice) => (!facts.device_trusted).then_some(Assurance::Code),
            Some(Assurance::Password) | None => None,
            Some(more) => Some(more),
        };
        let on_new_devices = match rules.when {
            When::Always => return by_name.max(self.weakest()),
            When::NewDevice => true,
            // Who sees other people's data always has a second factor, and so has who chose a strong one.
            When::Never => facts.role.is_staff() || facts.factors.has_chosen(),
        };
        if on_new_devices && !facts.device_trusted { by_name.max(self.weakest()) } else { by_name }
    }

    /// What the weakest kind earns that is taken here.
    fn weakest(&self) -> Option<Assurance> {
        let levels = &self.second_factor.levels;
        let least = |kind: &Factor| match kind {
            Factor::Passkey => levels.passkey.min(levels.synced_passkey),
            Factor::Sms | Factor::Totp => levels.of(*kind),
        };
        self.second_factor.methods.iter().map(least).min()
    }
}
