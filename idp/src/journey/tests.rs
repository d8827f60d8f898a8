//! Every combination of policy, request, proofs and facts: nothing is issued without what was required,
//! and every journey ends.

use super::*;
use crate::config::{AcrNames, SecondFactor, SignInPolicy};
use crate::protocol::authorization::{Arrival, ReturnAddress, read};

const START: Timestamp = Timestamp(1_000_000_000);
const BEFORE: Timestamp = Timestamp(1_000_000_000 - 3_600_000);
const LATER: Timestamp = Timestamp(1_000_000_000 + 60_000);
const CODE: &str = "urn:voordeur:acr:code";
const BOOLS: [bool; 2] = [false, true];

/// The dimensions of a case; each is checked on its own below.
#[derive(Clone, Debug)]
struct Case {
    factor: SecondFactor,
    prompt: &'static str,
    max_age: Option<u32>,
    acr_values: &'static str,
    asks_consent: bool,
    proofs: Proofs,
    facts: Facts,
}

impl Case {
    fn requirements(&self) -> Requirements {
        let policy = SignInPolicy { second_factor: self.factor, ..SignInPolicy::default() };
        let client = crate::config::Client {
            redirect_uris: vec!["https://rp.example/cb".into()],
            require_pkce: false,
            ..Default::default()
        };
        let max_age = self.max_age.map(|seconds| seconds.to_string()).unwrap_or_default();
        let fields = [
            ("redirect_uri", "https://rp.example/cb"),
            ("response_type", "code"),
            ("scope", "openid"),
            ("prompt", self.prompt),
            ("max_age", &max_age),
            ("acr_values", self.acr_values),
        ]
        .into_iter()
        .collect();
        let address = ReturnAddress::of(&fields, &client).unwrap();
        let request = read(&fields, &client, address, Arrival::default()).unwrap();
        let wanted = AcrNames::default().least(&request.wanted_acrs());
        Requirements::new(&policy, Some(&request), wanted, self.asks_consent, START)
    }
}

fn all_cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let moments = [None, Some(BEFORE), Some(LATER)];
    for factor in [SecondFactor::Never, SecondFactor::NewDevice, SecondFactor::Always] {
        for prompt in ["", "none", "login", "consent"] {
            for max_age in [None, Some(10), Some(100_000)] {
                for acr_values in ["", CODE, "urn:voordeur:acr:code urn:voordeur:acr:known-device", "unknown"]
                {
                    for asks_consent in BOOLS {
                        for password_at in moments {
                            for code_at in moments {
                                for bits in 0..256_u32 {
                                    let bit = |n: u32| bits >> n & 1 == 1;
                                    cases.push(Case {
                                        factor,
                                        prompt,
                                        max_age,
                                        acr_values,
                                        asks_consent,
                                        proofs: Proofs {
                                            password_at,
                                            upstream: None,
                                            new_password_at: bit(0).then_some(LATER),
                                            code_at,
                                            consent_at: bit(1).then_some(LATER),
                                        },
                                        facts: Facts {
                                            role: if bit(2) { Role::CareTeam } else { Role::User },
                                            email_confirmed: bit(3),
                                            blocked: false,
                                            must_replace_password: bit(4),
                                            has_phone: bit(5),
                                            device_trusted: bit(6),
                                            consented: bit(7),
                                        },
                                    });
                                }
                            }
                        }
                    }
                }
            }
        }
    }
    cases
}

/// What must hold whenever a code is issued, said a second time and independently of the list.
fn may_issue(case: &Case) -> bool {
    let oldest = match (case.prompt, case.max_age) {
        ("login", _) => START.0,
        (_, Some(seconds)) => START.0 - i64::from(seconds) * 1000,
        _ => i64::MIN,
    };
    let fresh = |at: Option<Timestamp>| at.is_some_and(|at| at.0 >= oldest);
    let needs_code = case.acr_values == CODE
        || (case.acr_values.ends_with("known-device") && !case.facts.device_trusted)
        || case.factor == SecondFactor::Always
        || (case.factor == SecondFactor::NewDevice && !case.facts.device_trusted)
        || (case.facts.role == Role::CareTeam && !case.facts.device_trusted);
    let needs_consent = case.asks_consent && (case.prompt == "consent" || !case.facts.consented);
    fresh(case.proofs.password_at)
        && case.facts.email_confirmed
        && (!case.facts.must_replace_password || case.proofs.new_password_at.is_some())
        && (!needs_code || fresh(case.proofs.code_at))
        && (!needs_consent || case.proofs.consent_at.is_some())
}

#[test]
fn issue_comes_exactly_when_every_required_proof_is_there() {
    let cases = all_cases();
    assert!(cases.len() > 600_000);
    for case in cases {
        let issued = next(&case.requirements(), &case.proofs, Some(&case.facts)) == Next::Issue;
        assert_eq!(issued, may_issue(&case), "{case:?}");
    }
}

#[test]
fn a_silent_request_never_asks_and_a_blocked_account_is_never_issued() {
    for case in all_cases() {
        let requirements = case.requirements();
        if case.prompt == "none" {
            assert!(
                !matches!(next(&requirements, &case.proofs, Some(&case.facts)), Next::Ask(_)),
                "{case:?}"
            );
        }
        let blocked = Facts { blocked: true, ..case.facts.clone() };
        assert!(matches!(next(&requirements, &case.proofs, Some(&blocked)), Next::Refuse(_)), "{case:?}");
    }
}

#[test]
fn who_does_what_is_asked_arrives_in_at_most_six_steps() {
    for mut case in all_cases().into_iter().filter(|case| case.prompt != "none") {
        let requirements = case.requirements();
        for _ in 0..6 {
            match next(&requirements, &case.proofs, Some(&case.facts)) {
                Next::Ask(Step::Password) => case.proofs.password_at = Some(LATER),
                Next::Ask(Step::ConfirmMail) => case.facts.email_confirmed = true,
                Next::Ask(Step::NewPassword) => case.proofs.new_password_at = Some(LATER),
                Next::Ask(Step::Phone) => case.facts.has_phone = true,
                Next::Ask(Step::Code) => case.proofs.code_at = Some(LATER),
                Next::Ask(Step::Consent) => case.proofs.consent_at = Some(LATER),
                Next::Issue | Next::Refuse(_) => break,
            }
        }
        assert_eq!(next(&requirements, &case.proofs, Some(&case.facts)), Next::Issue, "{case:?}");
    }
}

#[test]
fn without_an_account_the_password_comes_first() {
    let requirements = Requirements::new(&SignInPolicy::default(), None, None, false, START);
    assert_eq!(next(&requirements, &Proofs::default(), None), Next::Ask(Step::Password));
}

#[test]
fn a_remembered_device_earns_less_than_a_fresh_code() {
    let facts = Facts {
        role: Role::User,
        email_confirmed: true,
        blocked: false,
        must_replace_password: false,
        has_phone: true,
        device_trusted: true,
        consented: false,
    };
    let password = Proofs { password_at: Some(START), ..Proofs::default() };
    let code = Proofs { code_at: Some(START), ..password.clone() };
    assert_eq!(earned(&password, &facts), Assurance::KnownDevice);
    assert_eq!(earned(&code, &facts), Assurance::Code);
    assert_eq!(earned(&password, &Facts { device_trusted: false, ..facts }), Assurance::Password);
    assert_eq!(earned_amr(&code), ["pwd", "sms", "mfa"]);
}

#[test]
fn stepping_up_asks_password_and_code_whatever_the_portals_policy() {
    for case in all_cases().into_iter().filter(|case| case.prompt.is_empty() && case.facts.email_confirmed) {
        let requirements = case.requirements().stepping_up(START);
        let issued = next(&requirements, &case.proofs, Some(&case.facts)) == Next::Issue;
        let fresh = |at: Option<Timestamp>| at.is_some_and(|at| at >= START);
        let proved = fresh(case.proofs.password_at) && (fresh(case.proofs.code_at) || !case.facts.has_phone);
        assert!(proved || !issued, "{case:?}");
    }
}

#[test]
fn another_identity_providers_proof_stands_for_the_password_and_if_it_is_sure_enough_for_the_code() {
    let without = |case: &Case| case.proofs.password_at.is_none() && case.proofs.code_at.is_none();
    for case in all_cases().into_iter().filter(without) {
        for at in [BEFORE, LATER] {
            for assurance in [Assurance::Password, Assurance::Strong] {
                let upstream = Some(Upstream { at, assurance, amr: vec!["swk".into()] });
                let proofs = Proofs { upstream, ..case.proofs.clone() };
                // The same proofs as if they had been given here.
                let code_at = (assurance >= Assurance::Code).then_some(at);
                let own = Proofs { password_at: Some(at), code_at, ..case.proofs.clone() };
                let requirements = case.requirements();
                assert_eq!(
                    next(&requirements, &proofs, Some(&case.facts)),
                    next(&requirements, &own, Some(&case.facts)),
                    "{case:?}"
                );
            }
        }
    }
    let upstream = Some(Upstream { at: LATER, assurance: Assurance::Strong, amr: vec!["swk".into()] });
    let proofs = Proofs { upstream, ..Proofs::default() };
    assert_eq!((proofs.authenticated_at(), earned_amr(&proofs)), (Some(LATER), vec!["swk".to_owned()]));
}
