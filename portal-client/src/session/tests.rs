//! Sessions by the clock, and what outlives them.

use std::time::Duration;

use platform::clock::Clock;
use platform::db::{Query, Row};
use platform::random::Random;

use super::*;
use crate::testing::Store;

const MINUTE: Duration = Duration::from_mins(1);

async fn sessions() -> (Store, Clock, Sessions) {
    let store = Store::new().await;
    let clock = Clock::fixed(START);
    let rules =
        SessionRules { idle: MINUTE * 15, warn: MINUTE * 2, absolute: MINUTE * 60, keeps_provider: true };
    let sessions = Sessions::new(store.db.clone(), clock.clone(), rules, &store.root);
    (store, clock, sessions)
}

const START: Timestamp = Timestamp(1_795_000_000_000);

/// A sign-in with a proof of the moment at which these tests start.
fn sign_in(sid: &str) -> SignIn {
    let person = Person { iss: "i".into(), sub: "s".into(), name: "Piet".into(), email: String::new() };
    let care = Some(Care { role: CareRole::CareTeam, organisation: "a".into() });
    SignIn {
        person,
        sid: sid.into(),
        acr: "code".into(),
        for_team: true,
        care,
        refresh_token: Some("refresh".into()),
        id_token: "ey.token".into(),
        issued_at: START,
        authenticated_at: Some(START),
    }
}

/// The same, with a proof of now.
fn anew(sid: &str, clock: &Clock) -> SignIn {
    SignIn { issued_at: clock.now(), authenticated_at: Some(clock.now()), ..sign_in(sid) }
}

/// The token of a session that has to begin.
async fn begun(sessions: &Sessions, sign_in: &SignIn, old: Option<&str>) -> String {
    match sessions.start(&Random::system(), sign_in, old).await.unwrap() {
        Start::Begun(token) => token,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn t32_idle_and_absolute_limits_hold_by_the_servers_clock_and_polling_extends_nothing() {
    let (_store, clock, sessions) = sessions().await;
    let token = begun(&sessions, &sign_in("1"), None).await;
    clock.advance(MINUTE * 14);
    assert!(sessions.touch(&token).await.unwrap().is_some());
    clock.advance(MINUTE * 14);
    // A page that asks how long there is left does not make it longer.
    assert!(sessions.peek(&token).await.unwrap().is_some());
    clock.advance(MINUTE);
    assert!(sessions.peek(&token).await.unwrap().is_none());
    assert!(sessions.touch(&token).await.unwrap().is_none(), "fifteen minutes idle");

    let token = begun(&sessions, &anew("1", &clock), None).await;
    for _ in 0..5 {
        clock.advance(MINUTE * 11);
        assert!(sessions.touch(&token).await.unwrap().is_some());
    }
    clock.advance(MINUTE * 5);
    assert!(sessions.touch(&token).await.unwrap().is_none(), "an hour in all");
    assert_eq!(sessions.sweep().await.unwrap(), 0, "what ended is remembered for a day");
    clock.advance(MINUTE * 60 * 24);
    assert_eq!(sessions.sweep().await.unwrap(), 2);
}

#[tokio::test]
async fn t31_a_sign_in_gives_a_new_session_and_the_old_one_is_dead() {
    let (store, _clock, sessions) = sessions().await;
    let old = begun(&sessions, &sign_in("1"), None).await;
    let new = begun(&sessions, &sign_in("1"), Some(&old)).await;
    assert!(sessions.touch(&old).await.unwrap().is_none());
    let session = sessions.touch(&new).await.unwrap().unwrap();
    assert_eq!(session.care.unwrap().organisation, "a");
    let stored = Query::new("SELECT token_hash, id_token FROM sessions").fetch_all(&store.db).await.unwrap();
    let text = |row: &Row, column: &str| row.try_get::<String, _>(column).unwrap();
    assert!(
        stored.iter().all(|row| text(row, "token_hash") != new && !text(row, "id_token").contains("ey."))
    );
    assert_eq!(sessions.end(&new, &Random::system()).await.unwrap().as_deref(), Some("ey.token"));
    assert!(sessions.touch(&new).await.unwrap().is_none());
}

#[tokio::test]
async fn the_provider_ends_sessions_by_sid_or_by_subject_and_never_all() {
    let (_store, clock, sessions) = sessions().await;
    let one = begun(&sessions, &sign_in("1"), None).await;
    let two = begun(&sessions, &sign_in("2"), None).await;
    assert_eq!(sessions.end_for("i", None, None, clock.now()).await.unwrap(), 0);
    assert_eq!(sessions.end_for("other", Some("1"), None, clock.now()).await.unwrap(), 0);
    assert_eq!(sessions.end_for("i", Some("1"), Some("s"), clock.now()).await.unwrap(), 1);
    assert!(sessions.peek(&one).await.unwrap().is_none());
    assert_eq!(sessions.end_for("i", None, Some("s"), clock.now()).await.unwrap(), 1);
    assert!(sessions.peek(&two).await.unwrap().is_none());
}

#[tokio::test]
async fn t32_after_an_idle_end_only_a_new_proof_opens_a_session() {
    let (_store, clock, sessions) = sessions().await;
    let random = Random::system();
    let token = begun(&sessions, &sign_in("1"), None).await;
    clock.advance(MINUTE * 10);
    assert!(sessions.touch(&token).await.unwrap().is_some());
    clock.advance(MINUTE * 15);
    // The provider's session lives on and signs in without a question; also after the row was swept over, without the
    // cookie, and though the provider was asked for a password at another portal while this one still lived.
    sessions.sweep().await.unwrap();
    let elsewhere = SignIn { authenticated_at: Some(START.plus(MINUTE * 20)), ..sign_in("1") };
    for stale in [&sign_in("1"), &SignIn { authenticated_at: None, ..sign_in("1") }, &elsewhere] {
        for old in [None, Some(token.as_str())] {
            assert_eq!(sessions.start(&random, stale, old).await.unwrap(), Start::ProofTooOld);
        }
    }
    // Another browser's session at the provider is another matter, though its cookie helps nobody; so is a new password.
    let other = begun(&sessions, &sign_in("2"), None).await;
    assert_eq!(sessions.start(&random, &sign_in("1"), Some(&other)).await.unwrap(), Start::ProofTooOld);
    let token = begun(&sessions, &anew("1", &clock), Some(&token)).await;
    // For the desk, the person comes by again while the session lives.
    clock.advance(MINUTE);
    begun(&sessions, &anew("1", &clock), Some(&token)).await;
}

#[tokio::test]
async fn t33_after_a_sign_out_that_the_provider_did_not_hear_of_a_new_proof_is_needed() {
    let (store, clock, sessions) = sessions().await;
    let token = begun(&sessions, &sign_in("1"), None).await;
    clock.advance(MINUTE);
    sessions.end(&token, &Random::system()).await.unwrap();
    assert!(sessions.touch(&token).await.unwrap().is_none());
    let again = sessions.start(&Random::system(), &sign_in("1"), None).await.unwrap();
    assert_eq!(again, Start::ProofTooOld);
    begun(&sessions, &anew("1", &clock), None).await;
    let left = Query::new("SELECT name || email || id_token FROM sessions WHERE ended_at IS NOT NULL")
        .fetch_all(&store.db)
        .await
        .unwrap();
    let left: Vec<String> = left.iter().map(|row| row.try_get(0).unwrap()).collect();
    assert_eq!(left, [""], "what stays names nobody");
}

#[tokio::test]
async fn t33_what_the_provider_ended_does_not_come_back_with_a_sign_in_that_was_under_way() {
    let (_store, clock, sessions) = sessions().await;
    let random = Random::system();
    let start = async |sign_in: SignIn| sessions.start(&random, &sign_in, None).await.unwrap();
    clock.advance(MINUTE);
    assert_eq!(sessions.end_for("i", Some("1"), Some("s"), clock.now()).await.unwrap(), 0);
    assert_eq!(start(sign_in("1")).await, Start::Ended);
    assert_eq!(start(anew("1", &clock)).await, Start::Ended, "that session is over for good");
    assert!(matches!(start(sign_in("2")).await, Start::Begun(_)), "another is not");
    // By the person: whatever was issued until then is over.
    assert_eq!(sessions.end_for("i", None, Some("s"), clock.now()).await.unwrap(), 1);
    assert_eq!(start(sign_in("3")).await, Start::Ended);
    clock.advance(MINUTE);
    assert!(matches!(start(anew("3", &clock)).await, Start::Begun(_)));
    // An older word from the provider that comes late takes nothing back.
    sessions.end_for("i", None, Some("s"), START).await.unwrap();
    let between = SignIn { issued_at: START.plus(MINUTE), ..sign_in("4") };
    assert_eq!(start(between).await, Start::Ended);
    // After a day it is forgotten.
    clock.advance(MINUTE * 60 * 25);
    sessions.sweep().await.unwrap();
    assert!(matches!(start(anew("1", &clock)).await, Start::Begun(_)));
}
