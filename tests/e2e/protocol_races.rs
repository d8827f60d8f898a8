//! The same code and the same refresh token, twice at the same moment, a thousand times (RFC 6749 section 4.1.2, RFC
//! 9700 section 4.14.2): one answer is a success, and then nothing of the grant is good.

use idp::config::Client;
use platform::config::Secret;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tests::{Backend, Person, RelyingParty, Tokens, World};
use tokio::task::JoinSet;

use crate::protocol_acts::refused;

const ROUNDS: usize = 1_000;
/// So many pairs are under way at once, as in a busy hour.
const SIDE_BY_SIDE: usize = 8;

async fn refresh(portal: &RelyingParty, token: &str) -> Response {
    portal.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

/// Of two answers the one success; the other is `invalid_grant`.
async fn one_success(one: Response, other: Response) -> Tokens {
    let (won, lost) = if one.status() == StatusCode::OK { (one, other) } else { (other, one) };
    assert_eq!(won.status(), StatusCode::OK, "nobody won");
    assert_eq!(refused(lost).await, (400, "invalid_grant".into()), "both won");
    Tokens(won.json().await.unwrap())
}

/// Whether the tokens of a grant are dead, each by itself.
async fn are_dead(portal: &RelyingParty, tokens: &Tokens) {
    let (userinfo, renewed) = tokio::join!(
        portal.userinfo(tokens.get("access_token")),
        refresh(portal, tokens.get("refresh_token"))
    );
    assert_eq!(userinfo.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused(renewed).await, (400, "invalid_grant".into()));
}

async fn code_twice(portal: RelyingParty, code: String) {
    let (one, other) = tokio::join!(portal.redeem(&code), portal.redeem(&code));
    let tokens = one_success(one, other).await;
    are_dead(&portal, &tokens).await;
    // And a third time changes nothing.
    assert_eq!(refused(portal.redeem(&code).await).await, (400, "invalid_grant".into()));
}

async fn refresh_token_twice(portal: RelyingParty, code: String) {
    let answer = portal.redeem(&code).await;
    assert_eq!(answer.status(), StatusCode::OK);
    let first = Tokens(answer.json::<Value>().await.unwrap());
    let token = first.get("refresh_token");
    let (one, other) = tokio::join!(refresh(&portal, token), refresh(&portal, token));
    let second = one_success(one, other).await;
    are_dead(&portal, &first).await;
    are_dead(&portal, &second).await;
}

/// Runs a race for each of a thousand codes that one signed-in browser gets silently.
async fn race<F>(backend: Backend, run: fn(RelyingParty, String) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    // With a grace both would win.
    let strict = Client {
        client_id: "strict".into(),
        client_secret: Some(Secret::Literal("web-secret".into())),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        id_token_signed_response_alg: Some(idp::config::SigningAlgorithm::Es256),
        refresh_grace_seconds: 0,
        ..Client::default()
    };
    let world = World::with_clients(backend, vec![strict]).await;
    world.add(&Person::ANNA).await;
    let portal = RelyingParty::new(&world.issuer, "strict", Some("web-secret"));
    let mut browser = world.browser();
    let kept = portal.tokens(&world, &mut browser, &Person::ANNA).await;
    let mut running = JoinSet::new();
    for _ in 0..ROUNDS {
        if running.len() == SIDE_BY_SIDE {
            running.join_next().await.unwrap().unwrap();
        }
        let code = portal.code(&world, &mut browser, &Person::ANNA).await;
        running.spawn(run(portal.clone(), code));
    }
    running.join_all().await;
    // The session and what else it granted live on.
    assert_eq!(portal.userinfo(kept.get("access_token")).await.status(), StatusCode::OK);
    assert_eq!(refresh(&portal, kept.get("refresh_token")).await.status(), StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t38_a_thousand_codes_twice_at_once_on_sqlite() {
    race(Backend::Embedded, code_twice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t38_a_thousand_codes_twice_at_once_on_postgresql_and_redis() {
    race(Backend::Servers, code_twice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t39_a_thousand_refresh_tokens_twice_at_once_on_sqlite() {
    race(Backend::Embedded, refresh_token_twice).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t39_a_thousand_refresh_tokens_twice_at_once_on_postgresql_and_redis() {
    race(Backend::Servers, refresh_token_twice).await;
}
