//! Signing keys on several nodes: a year of rotation by schedule, and a revocation that holds everywhere at once.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::time::Duration;

use idp::app::{App, Shared};
use idp::keys::{Algorithm, KeyRing, Phase};
use platform::clock::Timestamp;
use platform::random::Random;
use platform::shutdown::Shutdown;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Backend, Person, RelyingParty, Tokens, World};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::acts::signs_with;
use crate::receiver::verified;

const HOUR: Duration = Duration::from_hours(1);

/// One more node on the databases of a world.
pub async fn node(world: &World) -> Shared {
    App::new(world.idp.config.clone(), world.clock.clone(), Random::system()).await.unwrap()
}

/// Lets a node answer requests, until the sender goes; its address.
pub async fn serve(node: &Shared) -> (String, watch::Sender<bool>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let (stop, shutdown) = Shutdown::channel();
    tokio::spawn(platform::serve::serve(listener, idp::router::router(node), shutdown));
    (origin, stop)
}

fn published(ring: &KeyRing) -> HashSet<String> {
    let set: Value = serde_json::from_slice(ring.jwks().json()).unwrap();
    set["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

/// The kids that sign now, by algorithm; panics unless there is exactly one of each.
fn signing(ring: &KeyRing) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for key in ring.list().into_iter().filter(|key| key.phase == Phase::Signing) {
        let other = found.insert(key.algorithm, key.kid);
        assert_eq!(other, None, "two keys sign");
    }
    let all: HashSet<&str> = Algorithm::ALL.map(Algorithm::name).into();
    assert_eq!(found.keys().map(String::as_str).collect::<HashSet<_>>(), all);
    found
}

#[tokio::test]
async fn t42_over_a_year_two_nodes_rotate_by_schedule_as_one() {
    // What a key signed may be asked about for this long: no token lives for more than an hour, and an ID token is a
    // hint for the rest of the day.
    let of_use = 24 * HOUR;
    let step = 12 * HOUR;
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let other = node(&world).await;
        let rings = [&world.idp.keys, &other.keys];
        let first = signing(rings[0]);
        let mut seen: HashMap<String, Timestamp> = HashMap::new();
        let mut signed: VecDeque<(Timestamp, String)> = VecDeque::new();
        let mut used: BTreeMap<String, Vec<String>> = BTreeMap::new();

        for _ in 0..(365 * 24 / 12) {
            let now = world.clock.now();
            // The jobs of both run at the same moment.
            let (one, two) = tokio::join!(rings[0].maintain(), rings[1].maintain());
            one.and(two).unwrap();
            for ring in rings {
                ring.catch_up().await.unwrap();
            }
            assert_eq!(published(rings[0]), published(rings[1]));
            for kid in published(rings[0]) {
                seen.entry(kid).or_insert(now);
            }
            let signs = signing(rings[0]);
            assert_eq!(signs, signing(rings[1]), "both sign with the same keys");
            for (algorithm, kid) in signs {
                let kids = used.entry(algorithm.clone()).or_default();
                if kids.last() != Some(&kid) {
                    if first[&algorithm] != kid {
                        let announced = now.since(seen[&kid]);
                        assert!(announced >= 192 * HOUR, "{kid} was published for {announced:?}");
                    }
                    kids.push(kid);
                }
            }
            let announced = rings[0].list().into_iter().filter(|key| key.phase == Phase::Announced);
            let of: Vec<String> = announced.map(|key| key.algorithm).collect();
            assert_eq!(of.len(), of.iter().collect::<HashSet<_>>().len(), "one announced key at a time");

            // Whatever either node signed within its time of use verifies at both.
            for (ring, algorithm) in rings.into_iter().zip(["RS256", "EdDSA"]) {
                let token = ring.sign_jwt(algorithm, "JWT", &json!({ "sub": "s1" })).unwrap();
                signed.push_back((now, token));
            }
            signed.retain(|(at, _)| now.since(*at) <= of_use);
            for (_, token) in &signed {
                assert!(rings.iter().all(|ring| ring.verify_jwt(token, "JWT").is_ok()));
            }
            world.advance(step);
        }

        for (algorithm, kids) in used {
            assert_eq!(kids.len(), 5, "{algorithm}: four rotations in a year of 90 days each");
            // Keys of the past are gone, from the key set and from the table.
            let table = rings[0].list();
            for past in &kids[..4] {
                assert!(!published(rings[1]).contains(past));
                assert!(table.iter().all(|key| key.kid != *past));
            }
        }
    }
}

/// The kid that signed a token.
fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token).unwrap().kid.unwrap()
}

#[tokio::test]
async fn t42_a_key_revoked_on_one_node_is_of_no_use_on_another_from_that_moment() {
    for backend in Backend::ALL {
        // The kind of key that signs all of a client's tokens.
        let world = World::with(backend, signs_with(Algorithm::Es256)).await;
        world.add(&Person::ANNA).await;
        let other = node(&world).await;
        let (origin, _stop) = serve(&other).await;
        let here = world.relying_party();
        let there = RelyingParty { issuer: origin.clone(), ..here.clone() };
        let mut browser = world.browser();

        // Signed here, good there.
        let tokens = here.tokens(&world, &mut browser, &Person::ANNA).await;
        let leaked = kid(tokens.get("access_token"));
        assert_eq!(kid(tokens.get("id_token")), leaked);
        assert_eq!(there.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);
        let code = here.code(&world, &mut browser, &Person::ANNA).await;

        // While the other node works, the key is revoked; no request to it fails but those with the key's tokens.
        let (sender, mut revoked) = watch::channel(false);
        let working = async {
            let mut refresh = tokens.get("refresh_token").to_owned();
            let mut after = 0;
            while after < 5 {
                after += u32::from(*revoked.borrow_and_update());
                let answer =
                    there.token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)]).await;
                assert_eq!(answer.status(), StatusCode::OK);
                let new = Tokens(answer.json().await.unwrap());
                if after > 0 {
                    assert_ne!(kid(new.get("access_token")), leaked);
                    assert_eq!(here.userinfo(new.get("access_token")).await.status(), StatusCode::OK);
                }
                new.get("refresh_token").clone_into(&mut refresh);
            }
        };
        let revoking = async {
            world.idp.keys.revoke(&leaked).await.unwrap();
            sender.send(true).unwrap();

            let jwks: Value = reqwest::get(format!("{origin}/jwks")).await.unwrap().json().await.unwrap();
            let kids: Vec<&str> =
                jwks["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap()).collect();
            assert!(kids.len() == 3 && !kids.contains(&leaked.as_str()), "{kids:?}");
            assert_eq!(there.userinfo(tokens.get("access_token")).await.status(), StatusCode::UNAUTHORIZED);
        };
        tokio::join!(working, revoking);

        let answer = there.redeem(&code).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let fresh = Tokens(answer.json().await.unwrap());
        let (header, _) = verified(&world.issuer, fresh.get("id_token")).await;
        let second = header.kid.unwrap();
        assert_ne!(second, leaked);
        assert_eq!(here.userinfo(fresh.get("access_token")).await.status(), StatusCode::OK);

        // The other way round, of the key that both sign with now.
        other.keys.revoke(&second).await.unwrap();
        assert_eq!(here.userinfo(fresh.get("access_token")).await.status(), StatusCode::UNAUTHORIZED);
        let tokens = here.tokens(&world, &mut browser, &Person::ANNA).await;
        assert!(![leaked, second].contains(&kid(tokens.get("id_token"))));
        assert_eq!(there.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);

        // A node that cannot ask whether a key was revoked uses none.
        other.store.db().close().await;
        for path in ["/jwks", "/userinfo"] {
            let request = here.http.get(format!("{origin}{path}")).bearer_auth(tokens.get("access_token"));
            let status = request.send().await.unwrap().status();
            assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "{path}");
        }
    }
}
