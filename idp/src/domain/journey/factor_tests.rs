//! Every set of second factors that an account can have, at portals of every kind, for every `acr` that a request can ask
//! for: what is asked, what is earned, and that nothing is earned which was not proved.

use super::*;
use crate::config::{Assurance, Factor, Levels, SecondFactor, Sessions, SignInPolicy, When};
use crate::domain::account::Role;
use crate::domain::factors::Factors;

const START: Timestamp = Timestamp(1_000_000_000);
const LATER: Timestamp = Timestamp(1_000_060_000);
const BOOLS: [bool; 2] = [false, true];
const WANTED: [Option<Assurance>; 6] = [
    None,
    Some(Assurance::Password),
    Some(Assurance::KnownDevice),
    Some(Assurance::Code),
    Some(Assurance::Strong),
    Some(Assurance::Hardware),
];

/// Every set of kinds, in the order in which portals offer them.
fn kinds() -> Vec<Vec<Factor>> {
    let all = [Factor::Passkey, Factor::Totp, Factor::Sms];
    let chosen = |bits: u32| all.into_iter().enumerate().filter(move |(at, _)| bits >> at & 1 == 1);
    (1..8).map(|bits| chosen(bits).map(|(_, kind)| kind).collect()).collect()
}

fn everybodys_factors() -> Vec<Factors> {
    let mut all = Vec::new();
    for bits in 0..16_u32 {
        let bit = |n: u32| bits >> n & 1 == 1;
        for (passkeys, bound_passkeys) in [(0, 0), (1, 0), (1, 1), (2, 1)] {
            let recovery_codes = if bit(2) { 10 } else { 0 };
            all.push(Factors { sms: bit(0), totp: bit(1), passkeys, bound_passkeys, recovery_codes });
        }
    }
    all.dedup();
    all
}

fn facts(factors: Factors, device_trusted: bool) -> Facts {
    Facts {
        role: Role::User,
        is_expected: true,
        email_verified: true,
        blocked: false,
        must_replace_password: false,
        factors,
        proves_number: false,
        chosen: None,
        device_trusted,
        terms_accepted: true,
        consented: true,
    }
}

fn requirements(rules: &SecondFactor, wanted: Option<Assurance>) -> Requirements {
    let policy = SignInPolicy { second_factor: rules.clone(), ..SignInPolicy::default() };
    let wanted = WantedAcr { least: wanted, unreachable: false };
    let begun = Begun { at: START, session_seen_at: None };
    Requirements::new(&policy, &Sessions::default(), None, wanted, false, begun)
}

/// Does what a step asks, as its page would; `synced` is what a passkey turns out to be where that is open.
fn obey(step: Step, synced: bool, proofs: &mut Proofs, facts: &mut Facts) {
    match step {
        Step::Password => *proofs = Proofs::default().with(Method::Password, LATER),
        Step::Code => {
            assert!(facts.factors.sms || facts.proves_number);
            facts.factors.sms = true;
            proofs.add(Method::Sms, LATER);
        }
        Step::Totp => {
            assert!(facts.factors.totp);
            proofs.add(Method::Totp, LATER);
        }
        Step::Passkey => {
            let Factors { passkeys, bound_passkeys: bound, .. } = facts.factors;
            assert!(passkeys > 0);
            let synced = if synced { passkeys > bound } else { bound == 0 };
            proofs.add(Method::Passkey { synced }, LATER);
        }
        Step::RecoveryCode => {
            assert!(facts.factors.recovery_codes > 0);
            facts.factors.recovery_codes -= 1;
            proofs.add(Method::RecoveryCode, LATER);
        }
        Step::Phone => facts.proves_number = true,
        Step::AddTotp => {
            facts.factors.totp = true;
            proofs.add(Method::Totp, LATER);
        }
        Step::AddPasskey => {
            facts.factors.passkeys += 1;
            facts.factors.bound_passkeys += u32::from(!synced);
        }
        other => panic!("{other:?} is not about second factors"),
    }
}

/// The steps of somebody who takes whatever is offered first, and what they come to.
fn walk(needs: &Requirements, facts: &Facts, synced: bool) -> (Vec<Step>, Proofs, Facts) {
    let (mut proofs, mut facts, mut steps) = (Proofs::default(), facts.clone(), Vec::new());
    while let Next::Ask(step) = next(needs, &proofs, Some(&facts)) {
        steps.push(step);
        assert!(steps.len() < 8, "no end: {steps:?} {facts:?}");
        obey(step, synced, &mut proofs, &mut facts);
    }
    assert_eq!(next(needs, &proofs, Some(&facts)), Next::Issue);
    (steps, proofs, facts)
}

#[test]
fn whatever_somebody_has_they_come_in_where_they_take_what_is_offered_and_earn_what_was_asked() {
    let mut walks = 0;
    for methods in kinds() {
        for when in [When::Never, When::NewDevice, When::Always] {
            let rules = SecondFactor { when, methods: methods.clone(), ..SecondFactor::default() };
            for (wanted, factors) in
                WANTED.into_iter().flat_map(|a| everybodys_factors().into_iter().map(move |b| (a, b)))
            {
                for trusted in BOOLS {
                    walks += 1;
                    let needs = requirements(&rules, wanted);
                    let described = format!("{rules:?} {wanted:?} {factors:?} trusted {trusted}");
                    let (steps, proofs, _) = walk(&needs, &facts(factors, trusted), false);
                    let earned = proofs.assurance(rules.levels, trusted);
                    // What was asked for by name is earned, as far as this portal can give it.
                    let reachable = wanted.unwrap_or(Assurance::Password).min(rules.most());
                    assert!(earned >= reachable, "{described}: {steps:?} earned {earned:?}");
                    // A second factor where the portal, or the holder's choice, asks for one.
                    let asks = match when {
                        When::Always => true,
                        When::NewDevice => !trusted,
                        When::Never => factors.has_chosen() && !trusted,
                    };
                    assert!(
                        !asks || proofs.earned(rules.levels, &methods).is_some(),
                        "{described}: {steps:?}"
                    );
                    // Nothing is made by who has not proved the strongest that there was.
                    let makes = |step: &&Step| matches!(step, Step::Phone | Step::AddTotp | Step::AddPasskey);
                    if let (Some(_), Some(kind)) = (steps.iter().find(makes), factors.strongest()) {
                        let at = steps.iter().position(|step| makes(&step)).unwrap();
                        let before = &steps[..at];
                        let proof = [Step::Code, Step::Totp, Step::Passkey][kind as usize];
                        assert!(before.contains(&proof), "{described}: {steps:?}");
                    }
                }
            }
        }
    }
    assert!(walks > 7_000, "{walks}");
}

#[test]
fn no_proof_earns_more_than_its_kind() {
    let levels = Levels::default();
    let password = Proofs::default().with(Method::Password, START);
    for (method, earned) in [
        (Method::Sms, Assurance::Code),
        (Method::Totp, Assurance::Code),
        (Method::RecoveryCode, Assurance::Code),
        (Method::Passkey { synced: true }, Assurance::Strong),
        (Method::Passkey { synced: false }, Assurance::Hardware),
        (Method::Consent, Assurance::Password),
        (Method::NewPassword, Assurance::Password),
    ] {
        assert_eq!(
            password.clone().with(method.clone(), START).assurance(levels, false),
            earned,
            "{method:?}"
        );
    }
    let low = Levels { passkey: Assurance::Code, synced_passkey: Assurance::Code, ..levels };
    let passkey = Proofs::default().with(Method::Passkey { synced: false }, START);
    assert_eq!(passkey.assurance(low, false), Assurance::Code, "as the portal counts it");
}

#[test]
fn amr_says_what_was_proved_by_the_names_of_rfc_8176() {
    let amr = |methods: &[Method]| {
        let proofs = methods.iter().fold(Proofs::default(), |all, method| all.with(method.clone(), START));
        proofs.amr().join(" ")
    };
    assert_eq!(amr(&[Method::Password]), "pwd");
    assert_eq!(amr(&[Method::Sms, Method::Password]), "pwd sms mfa");
    assert_eq!(amr(&[Method::Password, Method::Totp]), "pwd otp mfa");
    assert_eq!(amr(&[Method::Password, Method::RecoveryCode]), "pwd otp mfa");
    assert_eq!(amr(&[Method::Passkey { synced: true }]), "pop swk user mfa");
    assert_eq!(amr(&[Method::Passkey { synced: false }]), "pop hwk user mfa");
    assert_eq!(amr(&[Method::Password, Method::Passkey { synced: false }]), "pwd pop hwk user mfa");
}

/// Of a corner: what the account has, when and what the portal asks, what the request asks, and the steps.
type Corner<'a> = (Factors, When, &'a [Factor], Option<Assurance>, Vec<Step>);

/// The corners, written by hand: what the account has, what the portal asks, what the request asks, and the steps.
#[test]
fn the_corners_are_as_they_were_written_down() {
    use Step::{AddPasskey, AddTotp, Code, Passkey, Password, Phone, RecoveryCode, Totp};
    let nothing = Factors::default();
    let sms = Factors { sms: true, ..nothing };
    let app = Factors { totp: true, ..nothing };
    let both = Factors { sms: true, totp: true, ..nothing };
    let bound = Factors { passkeys: 1, bound_passkeys: 1, ..nothing };
    let synced = Factors { passkeys: 1, ..nothing };
    let all = Factors { sms: true, totp: true, passkeys: 1, bound_passkeys: 1, recovery_codes: 10 };
    let usual: &[Factor] = &[Factor::Passkey, Factor::Totp, Factor::Sms];
    let only_sms: &[Factor] = &[Factor::Sms];
    let only_app: &[Factor] = &[Factor::Totp];
    let only_passkey: &[Factor] = &[Factor::Passkey];
    let strong = Some(Assurance::Strong);
    let (never, always) = (When::Never, When::Always);
    let cases: Vec<Corner<'_>> = vec![
        // Who has nothing gives a number, as ever; where that is not taken, the first kind that is.
        (nothing, always, usual, None, vec![Password, Phone, Code]),
        (nothing, always, only_app, None, vec![Password, AddTotp]),
        (nothing, always, only_passkey, None, vec![Password, AddPasskey, Passkey]),
        (nothing, never, usual, None, vec![Password]),
        (nothing, never, usual, Some(Assurance::Code), vec![Password, Phone, Code]),
        (nothing, never, usual, strong, vec![Password, AddPasskey, Passkey]),
        // What there is comes in the portal's order.
        (sms, always, usual, None, vec![Password, Code]),
        (app, always, usual, None, vec![Password, Totp]),
        (both, always, usual, None, vec![Password, Totp]),
        (all, always, usual, None, vec![Password, Passkey]),
        (all, always, only_sms, None, vec![Password, Code]),
        // The holder's own choice holds where a portal asks for nothing.
        (sms, never, usual, None, vec![Password]),
        (app, never, usual, None, vec![Password, Totp]),
        (bound, never, usual, None, vec![Password, Passkey]),
        // What the portal does not take is asked for before another one is made.
        (sms, always, only_app, None, vec![Password, Code, AddTotp]),
        (app, always, only_sms, None, vec![Password, Totp, Phone, Code]),
        (both, always, only_passkey, None, vec![Password, Totp, AddPasskey, Passkey]),
        (sms, never, usual, strong, vec![Password, Code, AddPasskey, Passkey]),
        // A portal that can give no more is asked for no more.
        (sms, never, only_sms, strong, vec![Password, Code]),
        // A passkey that goes from device to device is not one that stays.
        (synced, never, usual, strong, vec![Password, Passkey]),
        (synced, never, usual, Some(Assurance::Hardware), vec![Password, Passkey, AddPasskey, Passkey]),
        (bound, never, usual, Some(Assurance::Hardware), vec![Password, Passkey]),
    ];
    for (factors, when, methods, wanted, expected) in cases {
        let rules = SecondFactor { when, methods: methods.to_vec(), ..SecondFactor::default() };
        let mut here = facts(factors, false);
        let needs = requirements(&rules, wanted);
        let mut proofs = Proofs::default();
        let mut steps = Vec::new();
        while let Next::Ask(step) = next(&needs, &proofs, Some(&here)) {
            steps.push(step);
            assert!(steps.len() < 8, "{factors:?} {when:?} {methods:?} {wanted:?}: {steps:?}");
            obey(step, false, &mut proofs, &mut here);
        }
        assert_eq!(steps, expected, "{factors:?} {when:?} {methods:?} {wanted:?}");
    }
    // Recovery codes are a way among others, and none to what is more than a code.
    let rules = SecondFactor::from(When::Always);
    let password = Proofs::default().with(Method::Password, LATER);
    let ways = |wanted, factors| requirements(&rules, wanted).ways(&password, &facts(factors, false));
    assert_eq!(ways(None, all), [Passkey, Totp, Code, RecoveryCode]);
    assert_eq!(ways(strong, all), [Passkey]);
    let lost = Factors { recovery_codes: 1, ..both };
    assert_eq!(ways(strong, lost), [Totp, RecoveryCode], "before a passkey is made");
}

#[test]
fn a_passkey_alone_is_enough_where_the_portal_says_so() {
    for passkey_alone in BOOLS {
        for when in [When::Never, When::NewDevice, When::Always] {
            let rules = SecondFactor { when, passkey_alone, ..SecondFactor::default() };
            let has = Factors { passkeys: 1, ..Factors::default() };
            let proofs = Proofs::default().with(Method::Passkey { synced: true }, LATER);
            let next = next(&requirements(&rules, None), &proofs, Some(&facts(has, false)));
            let expected = if passkey_alone { Next::Issue } else { Next::Ask(Step::Password) };
            assert_eq!(next, expected, "{rules:?}");
        }
    }
    // One that stands for nothing here is no second factor either: only a password is asked for, and what is taken.
    let rules = SecondFactor { methods: vec![Factor::Sms], when: When::Always, ..SecondFactor::default() };
    let has = Factors { sms: true, passkeys: 1, ..Factors::default() };
    let proofs = Proofs::default().with(Method::Passkey { synced: true }, LATER);
    assert_eq!(next(&requirements(&rules, None), &proofs, Some(&facts(has, false))), Next::Ask(Step::Code));
}

#[test]
fn the_way_that_was_picked_is_asked_for_as_long_as_it_is_open() {
    let rules = SecondFactor::from(When::Always);
    let has = Factors { sms: true, totp: true, recovery_codes: 1, ..Factors::default() };
    let password = Proofs::default().with(Method::Password, LATER);
    for (chosen, asked) in [
        (Step::Code, Step::Code),
        (Step::RecoveryCode, Step::RecoveryCode),
        // What is not open to this account, and what is no way at all.
        (Step::Passkey, Step::Totp),
        (Step::Phone, Step::Totp),
        (Step::AddPasskey, Step::Totp),
        (Step::Consent, Step::Totp),
    ] {
        let here = Facts { chosen: Some(chosen), ..facts(has, false) };
        assert_eq!(next(&requirements(&rules, None), &password, Some(&here)), Next::Ask(asked), "{chosen:?}");
    }
}

#[test]
fn stepping_up_takes_the_strongest_kind_or_a_recovery_code() {
    for factors in everybodys_factors() {
        let needs = requirements(&SecondFactor::from(When::Never), None).stepping_up(START);
        let here = facts(factors, true);
        let given = [
            (Factor::Sms, Method::Sms),
            (Factor::Totp, Method::Totp),
            (Factor::Passkey, Method::Passkey { synced: true }),
        ];
        for (kind, method) in given {
            let proofs = Proofs::default().with(Method::Password, LATER).with(method.clone(), LATER);
            let is_enough = factors.strongest().is_none_or(|strongest| kind >= strongest);
            let issued = next(&needs, &proofs, Some(&here)) == Next::Issue;
            assert_eq!(issued, is_enough, "{factors:?} {method:?}");
            // What was proved before this began does not count.
            let old = Proofs::default()
                .with(Method::Password, LATER)
                .with(method, START.minus(std::time::Duration::from_secs(1)));
            let issued = next(&needs, &old, Some(&here)) == Next::Issue;
            assert_eq!(issued, factors.strongest().is_none(), "{factors:?}");
        }
        let code = Proofs::default().with(Method::Password, LATER).with(Method::RecoveryCode, LATER);
        assert_eq!(next(&needs, &code, Some(&here)), Next::Issue, "{factors:?}");
        let password = Proofs::default().with(Method::Password, LATER);
        let (steps, _, _) = walk(&needs, &here, false);
        assert_eq!(steps.len(), 1 + usize::from(factors.strongest().is_some()), "{factors:?} {steps:?}");
        assert_eq!(next(&needs, &password, Some(&here)) == Next::Issue, factors.strongest().is_none());
    }
}

#[test]
fn a_number_that_was_typed_counts_for_nothing_where_the_account_has_something_to_prove_with() {
    let rules = SecondFactor { when: When::Always, methods: vec![Factor::Sms], ..SecondFactor::default() };
    let needs = requirements(&rules, None);
    let password = Proofs::default().with(Method::Password, LATER);
    let typed = |factors| Facts { proves_number: true, ..facts(factors, false) };
    assert_eq!(next(&needs, &password, Some(&typed(Factors::default()))), Next::Ask(Step::Code));
    // Its holder connected an app meanwhile: that comes first.
    let app = Factors { totp: true, ..Factors::default() };
    assert_eq!(next(&needs, &password, Some(&typed(app))), Next::Ask(Step::Totp));
    let proved = password.with(Method::Totp, LATER);
    assert_eq!(next(&needs, &proved, Some(&typed(app))), Next::Ask(Step::Code));
}
