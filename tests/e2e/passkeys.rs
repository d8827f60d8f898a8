//! Threat T60: a passkey's proof counts only for whom, where, when and for what it was asked. The checks of WebAuthn level 3
//! sections 7.1 and 7.2, each with the answer that it refuses; `docs/webauthn.md` says which test stands for which step.

mod answers;
mod asserting;
mod kept;
mod registering;

use std::time::Duration;

use idp::credentials::passkeys::{
    Answer, Asserting, Holder, LIFETIME, LONGEST_ANSWER, Refusal, Registering, RelyingParty,
};
use idp::domain::account::AccountId;
use idp::domain::passkey::{Backup, NewPasskey, Passkey, Proven};
use platform::clock::{Clock, Timestamp};
use serde_json::{Value, json};
use tests::{Algorithm, Authenticator};

const ORIGIN: &str = "https://inloggen.example.nl";
const HERE: &str = "sign-in of this journey in this browser";

/// A server that asks for passkeys, and its people.
struct Server {
    clock: Clock,
    party: RelyingParty,
}

fn anna() -> AccountId {
    AccountId("AAAAAAAAAAAAAAAAAAAAAA".into())
}

fn bram() -> AccountId {
    AccountId("BBBBBBBBBBBBBBBBBBBBBB".into())
}

/// As the store gives it back.
fn kept(new: NewPasskey, account: &AccountId) -> Passkey {
    Passkey {
        id: new.id,
        account_id: account.clone(),
        key: new.key,
        counter: new.counter,
        name: None,
        aaguid: new.aaguid,
        backup: new.backup,
        transports: new.transports,
        created_at: Timestamp(0),
        last_used_at: None,
    }
}

impl Server {
    fn new() -> Self {
        let clock = Clock::fixed(Timestamp(1_795_000_000_000));
        let party = RelyingParty::new(ORIGIN, "Voorbeeldzorg", clock.clone()).unwrap();
        Self { clock, party }
    }

    fn ask_new(&self, account: &AccountId, existing: &[Passkey]) -> (Value, Registering) {
        let holder = Holder { account, name: "anna@example.nl", display_name: "Anna Voorbeeld" };
        self.party.begin_registration(holder, existing, HERE).unwrap()
    }

    fn registered(&self, account: &AccountId, by: &mut Authenticator) -> Result<NewPasskey, Refusal> {
        let (options, state) = self.ask_new(account, &[]);
        let answer = by.create(&options).to_string();
        self.party.finish_registration(&state, account, HERE, &answer)
    }

    /// A passkey of an account.
    fn passkey(&self, account: &AccountId, by: &mut Authenticator) -> Passkey {
        kept(self.registered(account, by).unwrap(), account)
    }

    fn finished(&self, state: &Asserting, answer: &Value, passkey: &Passkey) -> Result<Proven, Refusal> {
        let answer = Answer::parse(&answer.to_string())?;
        self.party.finish_assertion(state, HERE, &answer, passkey)
    }

    /// A proof of whoever sits there, and one that was asked of the account alone: both say the same.
    fn proven(&self, passkey: &Passkey, by: &mut Authenticator) -> Result<Proven, Refusal> {
        let before = by.counter;
        let (options, state) = self.party.begin_assertion(HERE).unwrap();
        let anybody = self.finished(&state, &by.get(&options), passkey);
        by.counter = before;
        let all = std::slice::from_ref(passkey);
        let (options, state) = self.party.begin_assertion_of(&passkey.account_id, all, HERE).unwrap();
        let known = self.finished(&state, &by.get(&options), passkey);
        assert_eq!(anybody, known);
        known
    }
}

/// What an authenticator says of a new passkey, with one thing wrong.
fn refused_new(change: impl FnOnce(&mut Authenticator)) -> Refusal {
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    change(&mut one);
    server.registered(&anna(), &mut one).unwrap_err()
}

/// What an authenticator says with a passkey that was rightly made, with one thing wrong.
fn refused(change: impl FnOnce(&mut Authenticator)) -> Refusal {
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    let passkey = server.passkey(&anna(), &mut one);
    assert!(server.proven(&passkey, &mut one).is_ok());
    change(&mut one);
    server.proven(&passkey, &mut one).unwrap_err()
}

/// The refusals of the same thing wrong with a new passkey and with one in use.
fn both(change: impl Fn(&mut Authenticator)) -> [Refusal; 2] {
    [refused_new(&change), refused(&change)]
}

/// Whether what the authenticator itself said could not be read: the library sees some of it with the browser's JSON.
fn is_unreadable(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::Form(_) | Refusal::AuthenticatorData(_) | Refusal::Attestation(_) | Refusal::Key(_)
    )
}

#[tokio::test]
async fn a_browser_is_asked_for_what_proves_somebody() {
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    let passkey = server.passkey(&anna(), &mut one);
    let (options, state) = server.ask_new(&anna(), std::slice::from_ref(&passkey));
    assert_eq!(options["rp"], json!({ "id": "inloggen.example.nl", "name": "Voorbeeldzorg" }));
    assert_eq!(options["user"]["name"], "anna@example.nl");
    assert_eq!(options["user"]["displayName"], "Anna Voorbeeld");
    let algorithms: Vec<i64> = options["pubKeyCredParams"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["alg"].as_i64().unwrap())
        .collect();
    assert_eq!(algorithms, [-8, -7, -257]);
    assert_eq!(options["attestation"], "none");
    assert_eq!(options["timeout"], 300_000);
    let wanted = &options["authenticatorSelection"];
    assert_eq!(
        (&wanted["residentKey"], &wanted["requireResidentKey"], &wanted["userVerification"]),
        (&json!("required"), &json!(true), &json!("required"))
    );
    assert_eq!(options["excludeCredentials"][0]["id"], passkey.id);
    assert_eq!(options["excludeCredentials"][0]["transports"], json!(["hybrid", "internal"]));

    // The handle is the account's, shows nothing of it, and is another's for another account.
    let handle = options["user"]["id"].as_str().unwrap().to_owned();
    assert_eq!(handle, server.ask_new(&anna(), &[]).0["user"]["id"]);
    assert_ne!(handle, server.ask_new(&bram(), &[]).0["user"]["id"]);
    assert!(handle.len() == 43 && !handle.contains("AAAA"), "{handle}");
    // Each challenge is new, and what is kept of it goes to another node and comes back.
    assert_ne!(options["challenge"], server.ask_new(&anna(), &[]).0["challenge"]);
    let state: Registering = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    let answer = one.create(&options).to_string();
    let second = server.party.finish_registration(&state, &anna(), HERE, &answer).unwrap();
    assert_ne!(second.id, passkey.id);

    let (options, _) = server.party.begin_assertion(HERE).unwrap();
    assert_eq!(
        (&options["rpId"], &options["userVerification"], &options["allowCredentials"], &options["timeout"]),
        (&json!("inloggen.example.nl"), &json!("required"), &json!([]), &json!(300_000))
    );
    let (options, state) =
        server.party.begin_assertion_of(&anna(), &[passkey.clone(), kept(second, &anna())], HERE).unwrap();
    assert_eq!(options["userVerification"], "required");
    assert_eq!(options["allowCredentials"].as_array().unwrap().len(), 2);
    let state: Asserting = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
    assert!(server.finished(&state, &one.get_with(0, &options), &passkey).is_ok());
    assert_eq!(server.party.begin_assertion_of(&anna(), &[], HERE).unwrap_err(), Refusal::NotOffered);
}

#[tokio::test]
async fn keys_of_every_algorithm_that_is_asked_for_prove_what_they_should() {
    let server = Server::new();
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        for mut one in [Authenticator::synced(ORIGIN), Authenticator::device_bound(ORIGIN)] {
            one.algorithm = algorithm;
            one.aaguid = *b"\xea\x9b\x8d\x66\x4d\x01\x1d\x21\x3c\xe4\xb6\xb4\x8c\xb5\x75\xd4";
            let passkey = server.passkey(&anna(), &mut one);
            assert_eq!(passkey.aaguid, "ea9b8d66-4d01-1d21-3ce4-b6b48cb575d4");
            assert_eq!(passkey.backup, if one.eligible { Backup::BackedUp } else { Backup::Bound });
            assert_eq!(passkey.transports, ["hybrid", "internal"]);
            let proven = server.proven(&passkey, &mut one).unwrap();
            assert_eq!((&proven.id, &proven.account_id), (&passkey.id, &anna()));
            assert_eq!((proven.counter_seen, proven.counter), (one.step, one.step * 2));
            assert!(!proven.fell_back, "{algorithm:?}");
        }
    }
}

#[tokio::test]
async fn an_issuer_without_a_name_has_no_passkeys_and_a_port_belongs_to_the_origin() {
    let clock = Clock::fixed(Timestamp(0));
    assert!(RelyingParty::new("http://127.0.0.1:8080", "x", clock.clone()).is_none());
    assert!(RelyingParty::new("https://[::1]", "x", clock.clone()).is_none());
    let party = RelyingParty::new("http://localhost:8080", "x", clock).unwrap();
    let holder = Holder { account: &anna(), name: "a", display_name: "b" };
    for (origin, is_right) in [
        ("http://localhost:8080", true),
        ("http://localhost", false),
        ("http://localhost:8081", false),
        ("https://localhost:8080", false),
    ] {
        let (options, state) = party.begin_registration(holder, &[], HERE).unwrap();
        let answer = Authenticator::synced(origin).create(&options).to_string();
        let made = party.finish_registration(&state, &anna(), HERE, &answer);
        assert_eq!(made.is_ok(), is_right, "{origin}");
    }
}

#[tokio::test]
async fn t60_what_is_no_answer_is_refused() {
    let server = Server::new();
    let (options, state) = server.ask_new(&anna(), &[]);
    let mut one = Authenticator::device_bound(ORIGIN);
    let right = one.create(&options);
    let finish =
        |answer: &Value| server.party.finish_registration(&state, &anna(), HERE, &answer.to_string());
    let without = |name: &str| {
        let mut answer = right.clone();
        answer["response"].as_object_mut().unwrap().remove(name);
        answer
    };
    let mut other_type = right.clone();
    other_type["type"] = json!("password");
    let mut other_id = right.clone();
    other_id["id"] = json!("AAAA");
    // Of an assertion, which has no attestation object.
    let asked = server.party.begin_assertion(HERE).unwrap().0;
    let asserted = one.get(&asked);
    for answer in [
        &json!(null),
        &json!({}),
        &without("clientDataJSON"),
        &without("attestationObject"),
        &other_type,
        &other_id,
        &asserted,
    ] {
        assert!(matches!(finish(answer), Err(Refusal::Form(_))), "{answer}");
    }
    // More than anybody needs is not read, and a little that nobody knows is.
    let with_more = |right: &Value, bytes: usize| {
        let mut answer = right.clone();
        answer["more"] = json!("x".repeat(bytes));
        answer
    };
    assert!(matches!(finish(&with_more(&right, LONGEST_ANSWER)), Err(Refusal::Form(_))));
    assert!(finish(&with_more(&right, 100)).is_ok());

    let passkey = server.passkey(&anna(), &mut one);
    let (options, state) = server.party.begin_assertion(HERE).unwrap();
    let right = one.get(&options);
    for name in ["clientDataJSON", "authenticatorData", "signature"] {
        let mut answer = right.clone();
        answer["response"].as_object_mut().unwrap().remove(name);
        assert!(matches!(server.finished(&state, &answer, &passkey), Err(Refusal::Form(_))), "{name}");
    }
    for text in ["", "null", "{}", "[]", &with_more(&right, LONGEST_ANSWER).to_string()] {
        assert!(matches!(Answer::parse(text), Err(Refusal::Form(_))), "{text}");
    }
    assert!(server.finished(&state, &with_more(&right, 100), &passkey).is_ok());
}

#[tokio::test]
async fn t60_a_proof_counts_where_it_was_asked_and_nowhere_else() {
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    let (options, state) = server.ask_new(&anna(), &[]);
    let answer = one.create(&options).to_string();
    let made = server.party.finish_registration(&state, &anna(), "another session", &answer);
    assert_eq!(made.unwrap_err(), Refusal::Elsewhere);

    let passkey = server.passkey(&anna(), &mut one);
    let (options, state) = server.party.begin_assertion(HERE).unwrap();
    let answer = Answer::parse(&one.get(&options).to_string()).unwrap();
    assert_eq!(answer.credential_id(), passkey.id);
    let there = server.party.finish_assertion(&state, "sign-in of another journey", &answer, &passkey);
    assert_eq!(there.unwrap_err(), Refusal::Elsewhere);
    // The answer of one journey, given in another one: there another challenge stands.
    let (_, other) = server.party.begin_assertion(HERE).unwrap();
    let replayed = server.party.finish_assertion(&other, HERE, &answer, &passkey);
    assert_eq!(replayed.unwrap_err(), Refusal::Challenge);
    assert!(server.party.finish_assertion(&state, HERE, &answer, &passkey).is_ok());
}

#[tokio::test]
async fn t60_an_answer_that_comes_too_late_is_refused() {
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    let passkey = server.passkey(&anna(), &mut one);
    let (new, registering) = server.ask_new(&anna(), &[]);
    let (old, asserting) = server.party.begin_assertion(HERE).unwrap();
    let made = one.create(&new).to_string();
    let proof = one.get_with(0, &old);
    server.clock.advance(LIFETIME.checked_sub(Duration::from_millis(1)).unwrap());
    assert!(server.party.finish_registration(&registering, &anna(), HERE, &made).is_ok());
    assert!(server.finished(&asserting, &proof, &passkey).is_ok());
    server.clock.advance(Duration::from_millis(1));
    let late = server.party.finish_registration(&registering, &anna(), HERE, &made);
    assert_eq!(late.unwrap_err(), Refusal::TooLate);
    assert_eq!(server.finished(&asserting, &proof, &passkey).unwrap_err(), Refusal::TooLate);
}
