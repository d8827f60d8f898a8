//! Every combination of policy, request, proofs and facts: nothing is issued without what was required,
//! and every journey ends.

use std::time::Duration;

use super::*;
use crate::config::{AcrNames, Assurance, Levels, Sessions, SignInPolicy, Terms, When};
use crate::domain::account::Role;
use crate::domain::device::Device;
use crate::domain::factors::Factors;
use crate::protocol::authorization::{Arrival, ReturnAddress, read};

const START: Timestamp = Timestamp(1_000_000_000);
const LONG_BEFORE: Timestamp = Timestamp(1_000_000_000 - 3 * 3_600_000);
const BEFORE: Timestamp = Timestamp(1_000_000_000 - 3_600_000);
const JUST_BEFORE: Timestamp = Timestamp(1_000_000_000 - 60_000);
const LATER: Timestamp = Timestamp(1_000_000_000 + 60_000);
const CODE: &str = "urn:voordeur:acr:code";
const BOOLS: [bool; 2] = [false, true];

/// What a portal and its request ask; each dimension is checked on its own below.
#[derive(Clone, Copy, Debug)]
struct Asked {
    factor: When,
    prompt: &'static str,
    max_age: Option<u32>,
    acr_values: &'static str,
    asks_consent: bool,
    has_terms: bool,
    /// When the session that the browser came with had last been active.
    session_seen_at: Option<Timestamp>,
}

/// A person at one moment of a sign-in.
#[derive(Clone, Debug)]
struct Case {
    asked: Asked,
    proofs: Proofs,
    facts: Facts,
}

/// The portal of these cases: after half an hour without activity, or two hours, it asks again.
const IDLE: i64 = 30 * 60_000;
const ABSOLUTE: i64 = 2 * 3_600_000;

fn policy(asked: &Asked) -> SignInPolicy {
    let terms = Terms { version: "1".into(), text_nl: "Regels.".into(), ..Terms::default() };
    SignInPolicy {
        second_factor: asked.factor.into(),
        idle_minutes: Some(30),
        absolute_hours: Some(2),
        terms: asked.has_terms.then_some(terms),
        ..SignInPolicy::default()
    }
}

impl Asked {
    fn request(&self) -> AuthorizationRequest {
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
        read(&fields, &client, address, Arrival::default()).unwrap()
    }

    fn requirements(&self) -> Requirements {
        let request = self.request();
        let least = AcrNames::default().least(&request.wanted_acrs());
        let begun = Begun { at: START, session_seen_at: self.session_seen_at };
        let sessions = Sessions::default();
        Requirements::new(&policy(self), &sessions, Some(&request), wanted(least), self.asks_consent, begun)
    }
}

fn wanted(least: Option<Assurance>) -> WantedAcr {
    WantedAcr { least, ..WantedAcr::default() }
}

fn everything_asked() -> Vec<Asked> {
    let mut all = Vec::new();
    for factor in [When::Never, When::NewDevice, When::Always] {
        for prompt in ["", "none", "login", "consent"] {
            for max_age in [None, Some(10), Some(100_000)] {
                for acr_values in ["", CODE, "urn:voordeur:acr:code urn:voordeur:acr:known-device", "unknown"]
                {
                    for (asks_consent, has_terms) in BOOLS.into_iter().flat_map(|a| BOOLS.map(|b| (a, b))) {
                        for session_seen_at in [None, Some(JUST_BEFORE), Some(BEFORE)] {
                            all.push(Asked {
                                factor,
                                prompt,
                                max_age,
                                acr_values,
                                asks_consent,
                                has_terms,
                                session_seen_at,
                            });
                        }
                    }
                }
            }
        }
    }
    all
}

/// Those that were given.
fn proofs(given: impl IntoIterator<Item = (Method, Option<Timestamp>)>) -> Proofs {
    let given = given.into_iter().filter_map(|(method, at)| Some((method, at?)));
    given.fold(Proofs::default(), |proofs, (method, at)| proofs.with(method, at))
}

/// Every combination of proofs and facts, as each request sees it.
fn for_all_cases(mut look: impl FnMut(&Requirements, &Case)) {
    let moments = [None, Some(LONG_BEFORE), Some(BEFORE), Some(LATER)];
    for asked in everything_asked() {
        let requirements = asked.requirements();
        for (password_at, code_at) in moments.into_iter().flat_map(|a| moments.map(|b| (a, b))) {
            for bits in 0..512_u32 {
                let bit = |n: u32| bits >> n & 1 == 1;
                // What the request does not ask for makes no difference.
                if (!asked.asks_consent && (bit(1) || bit(7))) || (!asked.has_terms && bit(8)) {
                    continue;
                }
                let case = Case {
                    asked,
                    proofs: proofs([
                        (Method::Password, password_at),
                        (Method::NewPassword, bit(0).then_some(LATER)),
                        (Method::Sms, code_at),
                        (Method::Consent, bit(1).then_some(LATER)),
                    ]),
                    facts: Facts {
                        role: if bit(2) { Role::CareTeam } else { Role::User },
                        is_expected: true,
                        email_verified: bit(3),
                        blocked: false,
                        must_replace_password: bit(4),
                        factors: Factors { sms: bit(5), ..Factors::default() },
                        proves_number: false,
                        chosen: None,
                        device_trusted: bit(6),
                        consented: bit(7),
                        terms_accepted: bit(8),
                    },
                };
                look(&requirements, &case);
            }
        }
    }
}

/// What must hold whenever a code is issued, said a second time and independently of the list.
fn may_issue(Case { asked, proofs, facts }: &Case) -> bool {
    let was_idle = asked.session_seen_at.is_some_and(|seen| START.0 - seen.0 >= IDLE);
    let oldest = match asked.max_age {
        _ if asked.prompt == "login" || was_idle => START.0,
        Some(seconds) => START.0 - ABSOLUTE.min(i64::from(seconds) * 1000),
        None => START.0 - ABSOLUTE,
    };
    let fresh = |at: Option<Timestamp>| at.is_some_and(|at| at.0 >= oldest);
    let needs_code = asked.acr_values == CODE
        || (asked.acr_values.ends_with("known-device") && !facts.device_trusted)
        || asked.factor == When::Always
        || (asked.factor == When::NewDevice && !facts.device_trusted)
        || (facts.role == Role::CareTeam && !facts.device_trusted);
    let needs_consent = asked.asks_consent && (asked.prompt == "consent" || !facts.consented);
    fresh(proofs.at(&Method::Password))
        && facts.email_verified
        && (!facts.must_replace_password || proofs.at(&Method::NewPassword).is_some())
        && (!needs_code || fresh(proofs.at(&Method::Sms)))
        && (!asked.has_terms || facts.terms_accepted)
        && (!needs_consent || proofs.at(&Method::Consent).is_some())
}

#[test]
fn issue_comes_exactly_when_every_required_proof_is_there() {
    let mut cases = 0_u32;
    for_all_cases(|requirements, case| {
        cases += 1;
        let issued = next(requirements, &case.proofs, Some(&case.facts)) == Next::Issue;
        assert_eq!(issued, may_issue(case), "{case:?}");
    });
    assert!(cases > 4_000_000, "{cases}");
}

#[test]
fn a_silent_request_never_asks_and_a_blocked_account_is_never_issued() {
    for_all_cases(|requirements, case| {
        if case.asked.prompt == "none" {
            let next = next(requirements, &case.proofs, Some(&case.facts));
            assert!(!matches!(next, Next::Ask(_)), "{case:?}");
        }
        let blocked = Facts { blocked: true, ..case.facts.clone() };
        assert!(matches!(next(requirements, &case.proofs, Some(&blocked)), Next::Refuse(_)), "{case:?}");
    });
}

/// Does what a step asks.
fn obey(step: Step, proofs: &mut Proofs, facts: &mut Facts, now: Timestamp) {
    match step {
        Step::Password => {
            // A password begins anew, as its handler does.
            *proofs = Proofs::default().with(Method::Password, now);
        }
        Step::ConfirmMail => facts.email_verified = true,
        Step::NewPassword => proofs.add(Method::NewPassword, now),
        Step::Phone => facts.proves_number = true,
        Step::Code => proofs.add(Method::Sms, now),
        Step::Totp => proofs.add(Method::Totp, now),
        Step::Passkey => proofs.add(Method::Passkey { synced: false }, now),
        Step::RecoveryCode => {
            facts.factors.recovery_codes -= 1;
            proofs.add(Method::RecoveryCode, now);
        }
        Step::AddTotp => facts.factors.totp = true,
        Step::AddPasskey => {
            facts.factors.passkeys += 1;
            facts.factors.bound_passkeys += 1;
        }
        Step::Terms => facts.terms_accepted = true,
        Step::Consent => proofs.add(Method::Consent, now),
    }
}

#[test]
fn who_does_what_is_asked_arrives_in_at_most_seven_steps() {
    for_all_cases(|requirements, case| {
        if case.asked.prompt == "none" {
            return;
        }
        let Case { mut proofs, mut facts, .. } = case.clone();
        for _ in 0..7 {
            match next(requirements, &proofs, Some(&facts)) {
                Next::Ask(step) => obey(step, &mut proofs, &mut facts, LATER),
                Next::Issue | Next::Refuse(_) => break,
            }
        }
        assert_eq!(next(requirements, &proofs, Some(&facts)), Next::Issue, "{case:?}");
    });
}

#[test]
fn random_people_at_random_portals_find_no_dead_end_and_no_way_around() {
    let random = platform::random::Random::seeded(20_261_127);
    let below = |limit: u32| u32::from_be_bytes(random.bytes()) % limit;
    let maybe = |chance: u32| below(100) < chance;
    for walk in 0..20_000 {
        let days = below(60) + 1;
        let policy = SignInPolicy {
            second_factor: [When::Never, When::NewDevice, When::Always][below(3) as usize].into(),
            remember_days: maybe(50).then_some(days),
            idle_minutes: maybe(50).then(|| below(60) + 1),
            absolute_hours: maybe(50).then(|| below(12) + 1),
            terms: maybe(50).then(|| Terms { version: "1".into(), ..Terms::default() }),
            ..SignInPolicy::default()
        };
        let ago = |limit: u32| START.minus(Duration::from_secs(below(limit).into()));
        let seen_at = maybe(50).then(|| ago(7_200));
        // A session's proofs came before it was last seen.
        let earlier = |seen: Timestamp| seen.minus(Duration::from_secs(below(12 * 3_600).into()));
        let password_at = seen_at.map(earlier);
        let code_at = seen_at.filter(|_| maybe(50)).map(earlier);
        let device = maybe(50).then(|| Device {
            id: "d".into(),
            label: String::new(),
            last_used_at: START,
            code_at: maybe(80).then(|| ago(90 * 86_400)),
            trusted_until: ago(60 * 86_400).plus(Duration::from_hours(30 * 24)),
        });
        let begun = Begun { at: START, session_seen_at: seen_at };
        let asked = Asked {
            factor: policy.second_factor.when,
            prompt: ["", "login", "consent"][below(3) as usize],
            max_age: maybe(30).then(|| below(10_000)),
            acr_values: if maybe(20) { CODE } else { "" },
            asks_consent: maybe(30),
            has_terms: policy.terms.is_some(),
            session_seen_at: seen_at,
        };
        let request = asked.request();
        let least = AcrNames::default().least(&request.wanted_acrs());
        let sessions = Sessions::default();
        let requirements =
            Requirements::new(&policy, &sessions, Some(&request), wanted(least), asked.asks_consent, begun);
        let mut facts = Facts {
            is_expected: true,
            role: if maybe(20) { Role::CareTeam } else { Role::User },
            email_verified: maybe(80),
            blocked: false,
            must_replace_password: maybe(20),
            factors: Factors { sms: maybe(80), ..Factors::default() },
            proves_number: false,
            chosen: None,
            device_trusted: device.as_ref().is_some_and(|device| requirements.trusts(device, START)),
            consented: maybe(50),
            terms_accepted: maybe(50),
        };
        let known = device.as_ref().filter(|_| facts.device_trusted);
        let mut proofs = proofs([(Method::Password, password_at), (Method::Sms, code_at)]);
        let (start, mut done) = ((facts.clone(), proofs.clone()), Vec::new());
        while let Next::Ask(step) = next(&requirements, &proofs, Some(&facts)) {
            assert!(!done.contains(&step), "walk {walk}: {step:?} twice");
            // Nothing but what is asked leads on: every other thing that one can do leaves the question where it is.
            for other in
                [Step::Code, Step::Terms, Step::Consent, Step::NewPassword, Step::Phone, Step::ConfirmMail]
            {
                let (mut proofs, mut facts) = (proofs.clone(), facts.clone());
                // Without a number no code can be given.
                let is_possible = (step, other) != (Step::Phone, Step::Code);
                if other != step && is_possible {
                    obey(other, &mut proofs, &mut facts, LATER);
                    assert_eq!(
                        next(&requirements, &proofs, Some(&facts)),
                        Next::Ask(step),
                        "walk {walk}: {other:?}"
                    );
                }
            }
            obey(step, &mut proofs, &mut facts, LATER);
            done.push(step);
        }
        let described = format!("walk {walk}: {policy:?} {asked:?} {start:?} {device:?} did {done:?}");
        assert_eq!(next(&requirements, &proofs, Some(&facts)), Next::Issue, "{described}");
        // What was issued stands on proofs that this portal takes.
        let longest = policy.absolute(&sessions).as_secs();
        let age = |at: Option<Timestamp>| at.map(|at| START.since(at).as_secs());
        assert!(age(proofs.at(&Method::Password)).is_some_and(|age| age <= longest), "{described}");
        let has_code = age(proofs.at(&Method::Sms)).is_some_and(|age| age <= longest);
        let remembered = known.is_some_and(|device| {
            let limit = u64::from(policy.remember_days.unwrap_or(30)) * 86_400;
            START < device.trusted_until && age(device.code_at).is_none_or(|age| age < limit)
        });
        match policy.second_factor.when {
            When::Always => assert!(has_code, "{described}"),
            When::NewDevice => assert!(has_code || remembered, "{described}"),
            When::Never => assert!(has_code || remembered || facts.role == Role::User, "{described}"),
        }
        assert!(policy.terms.is_none() || facts.terms_accepted, "{described}");
    }
}

#[test]
fn without_an_account_the_password_comes_first() {
    let begun = Begun { at: START, session_seen_at: None };
    let requirements = Requirements::new(
        &SignInPolicy::default(),
        &Sessions::default(),
        None,
        WantedAcr::default(),
        false,
        begun,
    );
    assert_eq!(next(&requirements, &Proofs::default(), None), Next::Ask(Step::Password));
}

#[test]
fn a_remembered_device_earns_less_than_a_fresh_code() {
    let password = Proofs::default().with(Method::Password, START);
    let code = password.clone().with(Method::Sms, START);
    let levels = Levels::default();
    assert_eq!(password.assurance(levels, true), Assurance::KnownDevice);
    assert_eq!(code.assurance(levels, true), Assurance::Code);
    assert_eq!(password.assurance(levels, false), Assurance::Password);
    assert_eq!(code.amr(), ["pwd", "sms", "mfa"]);
}

#[test]
fn a_device_is_trusted_as_long_as_both_portals_let_it_be() {
    let day = |days: u64| Duration::from_hours(24 * days);
    let device = |code_at| Device {
        id: "d".into(),
        label: String::new(),
        last_used_at: START,
        code_at,
        trusted_until: START.plus(day(30)),
    };
    let trusts = |days: Option<u32>, code_at: Option<Timestamp>, now: Timestamp| {
        let policy = SignInPolicy { remember_days: days, ..SignInPolicy::default() };
        let begun = Begun { at: now, session_seen_at: None };
        Requirements::new(&policy, &Sessions::default(), None, WantedAcr::default(), false, begun)
            .trusts(&device(code_at), now)
    };
    let code_at = Some(START);
    assert!(trusts(None, code_at, START.plus(day(29))) && !trusts(None, code_at, START.plus(day(30))));
    assert!(trusts(Some(7), code_at, START.plus(day(6))) && !trusts(Some(7), code_at, START.plus(day(7))));
    // A portal that trusts for longer does not outdo the one where the code was given.
    assert!(!trusts(Some(60), code_at, START.plus(day(30))));
    // Of the version before, only the end is known.
    assert!(trusts(Some(7), None, START.plus(day(29))));
}

#[test]
fn stepping_up_asks_password_and_code_whatever_the_portals_policy() {
    for_all_cases(|_, case| {
        if !case.asked.prompt.is_empty() || !case.facts.email_verified || case.asked.max_age.is_some() {
            return;
        }
        let requirements = case.asked.requirements().stepping_up(START);
        let issued = next(&requirements, &case.proofs, Some(&case.facts)) == Next::Issue;
        let fresh = |at: Option<Timestamp>| at.is_some_and(|at| at >= START);
        let proved = fresh(case.proofs.at(&Method::Password))
            && (fresh(case.proofs.at(&Method::Sms)) || !case.facts.factors.sms);
        assert!(proved || !issued, "{case:?}");
    });
}

#[test]
fn another_identity_providers_proof_stands_for_the_password_and_if_it_is_sure_enough_for_the_code() {
    for_all_cases(|requirements, case| {
        if case.proofs.at(&Method::Password).is_some() || case.proofs.at(&Method::Sms).is_some() {
            return;
        }
        for at in [BEFORE, LATER] {
            for assurance in [Assurance::Password, Assurance::Strong] {
                let upstream = Method::Upstream { assurance, amr: vec!["swk".into()] };
                let proofs = case.proofs.clone().with(upstream, at);
                // The same proofs as if they had been given here.
                let mut own = case.proofs.clone().with(Method::Password, at);
                if assurance >= Assurance::Code {
                    own.add(Method::Sms, at);
                }
                assert_eq!(
                    next(requirements, &proofs, Some(&case.facts)),
                    next(requirements, &own, Some(&case.facts)),
                    "{case:?}"
                );
            }
        }
    });
    let upstream = Method::Upstream { assurance: Assurance::Strong, amr: vec!["swk".into()] };
    let proofs = Proofs::default().with(upstream, LATER);
    assert_eq!((proofs.authenticated_at(), proofs.amr()), (Some(LATER), vec!["swk".to_owned()]));
}

#[test]
fn somebody_else_than_expected_and_what_cannot_be_reached_are_refused_before_anything_is_asked() {
    let refused = |requirements: &Requirements, facts: Option<&Facts>| match next(
        requirements,
        &Proofs::default(),
        facts,
    ) {
        Next::Refuse(error) => error.error,
        other => panic!("{other:?}"),
    };
    let mut seen = 0;
    for_all_cases(|requirements, case| {
        if case.proofs != Proofs::default() {
            return;
        }
        seen += 1;
        let other = Facts { is_expected: false, ..case.facts.clone() };
        assert_eq!(refused(requirements, Some(&other)), "login_required");
        let unreachable = WantedAcr { least: None, unreachable: true };
        let begun = Begun { at: START, session_seen_at: None };
        let requirements =
            Requirements::new(&policy(&case.asked), &Sessions::default(), None, unreachable, false, begun);
        for facts in [None, Some(&case.facts), Some(&other)] {
            assert_eq!(refused(&requirements, facts), "unmet_authentication_requirements");
        }
    });
    assert!(seen > 1000, "{seen}");
}

#[test]
fn a_session_keeps_what_still_counts_and_reads_it_back() {
    let upstream = Method::Upstream { assurance: Assurance::Strong, amr: vec!["swk".into()] };
    let all = [
        (Method::Password, BEFORE),
        (Method::Sms, BEFORE),
        (upstream.clone(), LATER),
        (Method::NewPassword, LATER),
        (Method::Consent, LATER),
        (Method::Password, LATER),
    ];
    let kept = proofs(all.map(|(method, at)| (method, Some(at)))).for_session();
    assert_eq!(kept.at(&Method::Password), Some(LATER), "what is proved again counts from then");
    assert_eq!((kept.at(&Method::Sms), kept.at(&upstream)), (Some(BEFORE), Some(LATER)));
    assert_eq!((kept.at(&Method::Consent), kept.at(&Method::NewPassword)), (None, None));
    assert_eq!(serde_json::from_str::<Proofs>(&kept.to_json()).unwrap(), kept);
}

#[test]
fn a_journey_goes_on_at_servers_of_the_version_before_and_back() {
    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Kept(#[serde(with = "before")] Proofs);
    let upstream = Method::Upstream { assurance: Assurance::Strong, amr: vec!["swk".into()] };
    let all = Proofs::default()
        .with(Method::Password, BEFORE)
        .with(upstream, LATER)
        .with(Method::Sms, LATER)
        .with(Method::Consent, START);
    let mut written = serde_json::to_value(Kept(all.clone())).unwrap();
    assert_eq!(serde_json::from_value::<Kept>(written.clone()).unwrap(), Kept(all.clone()));
    // What the version before reads, and writes back without what it does not know.
    assert_eq!((&written["password_at"], &written["code_at"]), (&BEFORE.0.into(), &LATER.0.into()));
    written.as_object_mut().unwrap().remove("list");
    let Kept(back) = serde_json::from_value(written).unwrap();
    assert_eq!((back.amr(), back.authenticated_at()), (all.amr(), all.authenticated_at()));
    assert_eq!(back.at(&Method::Consent), Some(START));
}
