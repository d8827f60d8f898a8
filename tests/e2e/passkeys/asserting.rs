//! What is wrong with a proof only (WebAuthn level 3 section 7.2).

use idp::credentials::passkeys::Refusal;
use idp::domain::passkey::{Backup, Passkey};
use tests::{Algorithm, Authenticator};

use super::{HERE, ORIGIN, Server, anna, bram, refused};

#[tokio::test]
async fn t60_whether_a_passkey_may_be_copied_never_changes() {
    assert_eq!(refused(|one| one.eligible = true), Refusal::EligibilityChanged);
    let server = Server::new();
    let mut synced = Authenticator::synced(ORIGIN);
    let passkey = server.passkey(&anna(), &mut synced);
    (synced.eligible, synced.backed_up) = (false, false);
    assert_eq!(server.proven(&passkey, &mut synced).unwrap_err(), Refusal::EligibilityChanged);
    // Whether it was copied may change, and is told.
    (synced.eligible, synced.backed_up) = (true, false);
    assert_eq!(server.proven(&passkey, &mut synced).unwrap().backup, Backup::Eligible);
    let passkey = Passkey { backup: Backup::Eligible, ..passkey };
    synced.backed_up = true;
    assert_eq!(server.proven(&passkey, &mut synced).unwrap().backup, Backup::BackedUp);
}

#[tokio::test]
async fn t60_a_passkey_that_was_not_asked_for_is_refused() {
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    let [first, second] = [0; 2].map(|_| server.passkey(&anna(), &mut one));
    // Asked for the first one; the second one, which is the account's too, answers.
    let only = std::slice::from_ref(&first);
    let (options, state) = server.party.begin_assertion_of(&anna(), only, HERE).unwrap();
    let answer = one.get_with(1, &options);
    assert_eq!(server.finished(&state, &answer, &second).unwrap_err(), Refusal::NotOffered);
    // And an answer that names another passkey than the one it is checked with.
    let (options, state) = server.party.begin_assertion(HERE).unwrap();
    let answer = one.get_with(1, &options);
    assert_eq!(server.finished(&state, &answer, &first).unwrap_err(), Refusal::NotOffered);
}

#[tokio::test]
async fn t60_a_passkey_of_another_account_is_refused() {
    let server = Server::new();
    let mut hers = Authenticator::device_bound(ORIGIN);
    let mut his = Authenticator::device_bound(ORIGIN);
    let of_anna = server.passkey(&anna(), &mut hers);
    let of_bram = server.passkey(&bram(), &mut his);

    // Bram's password was given; Anna's passkey answers.
    let only = std::slice::from_ref(&of_bram);
    let (options, state) = server.party.begin_assertion_of(&bram(), only, HERE).unwrap();
    let answer = hers.get_with(0, &options);
    assert_eq!(server.finished(&state, &answer, &of_anna).unwrap_err(), Refusal::OtherAccount);

    // A user handle of somebody else, also where the account was known before.
    hers.lies.user_handle = Some(Some(his.credentials[0].user_handle.clone()));
    assert_eq!(server.proven(&of_anna, &mut hers).unwrap_err(), Refusal::OtherAccount);
    // A row that says another holder than the credential was made for.
    hers.lies.user_handle = None;
    let moved = Passkey { account_id: bram(), ..of_anna.clone() };
    assert_eq!(server.proven(&moved, &mut hers).unwrap_err(), Refusal::OtherAccount);

    // Whoever signs in without a name must say who it is; whose account is known need not.
    hers.lies.user_handle = Some(None);
    let (options, state) = server.party.begin_assertion(HERE).unwrap();
    let nobody = server.finished(&state, &hers.get(&options), &of_anna);
    assert!(matches!(nobody, Err(Refusal::Form(_))), "{nobody:?}");
    let only = std::slice::from_ref(&of_anna);
    let (options, state) = server.party.begin_assertion_of(&anna(), only, HERE).unwrap();
    assert!(server.finished(&state, &hers.get(&options), &of_anna).is_ok());

    // A registration that somebody else began.
    let (options, state) = server.ask_new(&anna(), &[]);
    let answer = his.create(&options).to_string();
    let made = server.party.finish_registration(&state, &bram(), HERE, &answer);
    assert_eq!(made.unwrap_err(), Refusal::OtherAccount);
}

#[tokio::test]
async fn t60_a_signature_that_is_wrong_is_refused() {
    for algorithm in [Algorithm::Es256, Algorithm::EdDsa, Algorithm::Rs256] {
        let server = Server::new();
        let mut one = Authenticator::device_bound(ORIGIN);
        one.algorithm = algorithm;
        let passkey = server.passkey(&anna(), &mut one);
        server.passkey(&anna(), &mut one);
        // The other key signs, in the name of the first one.
        one.lies.signs_with = Some(1);
        let (options, state) = server.party.begin_assertion(HERE).unwrap();
        let answer = one.get_with(0, &options);
        assert_eq!(server.finished(&state, &answer, &passkey).unwrap_err(), Refusal::Signature);
        one.lies.signs_with = None;
        one.lies.breaks_signature = true;
        let answer = one.get_with(0, &options);
        assert_eq!(server.finished(&state, &answer, &passkey).unwrap_err(), Refusal::Signature);
    }
}

#[tokio::test]
async fn t60_what_was_signed_cannot_be_changed_afterwards() {
    let server = Server::new();
    let mut one = Authenticator::device_bound(ORIGIN);
    let passkey = server.passkey(&anna(), &mut one);
    let (options, state) = server.party.begin_assertion(HERE).unwrap();
    // Of two answers to one challenge, each with the other's part.
    let [first, second] = [0; 2].map(|_| one.get(&options));
    for part in ["authenticatorData", "signature"] {
        let mut mixed = first.clone();
        mixed["response"][part] = second["response"][part].clone();
        assert_eq!(server.finished(&state, &mixed, &passkey).unwrap_err(), Refusal::Signature, "{part}");
    }
    one.lies.cross_origin = Some(true);
    let framed = one.get(&options);
    let mut mixed = framed.clone();
    mixed["response"]["clientDataJSON"] = first["response"]["clientDataJSON"].clone();
    assert_eq!(server.finished(&state, &mixed, &passkey).unwrap_err(), Refusal::Signature);
}

#[tokio::test]
async fn t60_a_counter_that_falls_back_is_refused_or_told() {
    let server = Server::new();
    // A copy of a key that cannot be copied: whoever comes second is behind or beside the first.
    for counter in [0, 4, 5] {
        let mut one = Authenticator::device_bound(ORIGIN);
        let passkey = Passkey { counter: 5, ..server.passkey(&anna(), &mut one) };
        (one.counter, one.step) = (counter, 0);
        assert_eq!(server.proven(&passkey, &mut one).unwrap_err(), Refusal::CounterFellBack, "{counter}");
        one.counter = 6;
        let proven = server.proven(&passkey, &mut one).unwrap();
        assert_eq!((proven.counter, proven.fell_back), (6, false));
    }
    // A synced one has copies by nature; it is only noted.
    for (counter, written) in [(0, 5), (4, 4), (5, 5)] {
        let mut one = Authenticator::synced(ORIGIN);
        let passkey = Passkey { counter: 5, ..server.passkey(&anna(), &mut one) };
        one.counter = counter;
        let proven = server.proven(&passkey, &mut one).unwrap();
        assert_eq!((proven.counter_seen, proven.counter, proven.fell_back), (5, written, true));
    }
    // One that never counts is never behind.
    let mut one = Authenticator::device_bound(ORIGIN);
    (one.counter, one.step) = (0, 0);
    let passkey = server.passkey(&anna(), &mut one);
    assert!(!server.proven(&passkey, &mut one).unwrap().fell_back);
}
