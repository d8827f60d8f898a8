//! Refresh tokens (RFC 6749 section 6, RFC 9700 section 4.14.2, OpenID Connect Core section 11).

use std::time::Duration;

use idp::config::{Client, SigningAlgorithm};
use platform::config::Secret;
use reqwest::{Response, StatusCode};
use serde_json::json;
use tests::{Backend, Key, Person, RelyingParty, SigningClient, Tokens, World};

use crate::acts::set_column;
use crate::protocol_acts::{fapi, refused};

const DAY: Duration = Duration::from_hours(24);

fn client(client_id: &str) -> Client {
    Client {
        client_id: client_id.into(),
        client_secret: Some(Secret::Literal("web-secret".into())),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        ..Client::default()
    }
}

fn portal(world: &World, client_id: &str) -> RelyingParty {
    RelyingParty::new(&world.issuer, client_id, Some("web-secret"))
}

async fn refresh(portal: &RelyingParty, token: &str) -> Response {
    portal.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await
}

/// The tokens of a refresh that succeeds; each has a new ID token of the same sign-in (Core section 12.2).
async fn renewed(portal: &RelyingParty, old: &Tokens) -> Tokens {
    let answer = refresh(portal, old.get("refresh_token")).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let new = Tokens(answer.json().await.unwrap());
    let (before, after) = (old.claims("id_token"), new.claims("id_token"));
    for claim in ["iss", "sub", "aud", "azp", "auth_time", "acr", "amr", "sid"] {
        assert_eq!(before[claim], after[claim], "{claim}");
    }
    assert!(after["iat"].as_i64() >= before["iat"].as_i64());
    new
}

async fn is_dead(portal: &RelyingParty, tokens: &Tokens) {
    let answer = refresh(portal, tokens.get("refresh_token")).await;
    assert_eq!(refused(answer).await, (400, "invalid_grant".into()));
    let answer = portal.userinfo(tokens.get("access_token")).await;
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
}

/// RFC 9700 section 4.14.2: rotation, and what is used twice ends the family; but two tabs, or an answer that was
/// lost, are no theft, for the seconds that the client's setting gives.
#[tokio::test]
async fn within_the_grace_nobody_is_signed_out_and_after_it_the_family_ends() {
    const GRACE: Duration = Duration::from_secs(30);
    for backend in Backend::ALL {
        let patient = Client { refresh_grace_seconds: 30, ..client("patient") };
        let strict = Client { refresh_grace_seconds: 0, ..client("strict") };
        let world = World::with_clients(backend, vec![patient, strict]).await;
        world.add(&Person::ANNA).await;
        let patient = portal(&world, "patient");
        let mut browser = world.browser();

        // Twice at once, as two tabs do it: each goes on with what it got, for as long as it likes.
        let first = patient.tokens(&world, &mut browser, &Person::ANNA).await;
        let (one, other) = tokio::join!(renewed(&patient, &first), renewed(&patient, &first));
        assert_ne!(one.get("refresh_token"), other.get("refresh_token"));
        let one = renewed(&patient, &one).await;
        let other = renewed(&patient, &other).await;
        world.advance(GRACE * 2);
        let one = renewed(&patient, &one).await;
        let other = renewed(&patient, &other).await;
        for tokens in [&one, &other] {
            let answer = patient.userinfo(tokens.get("access_token")).await;
            assert_eq!(answer.status(), StatusCode::OK);
        }
        // What one of them gives back ends for both: it is one sign-in.
        let form = [("token", one.get("refresh_token"))];
        let revoke = patient.http.post(format!("{}/revoke", world.issuer)).form(&form);
        let answer = revoke.basic_auth("patient", Some("web-secret")).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        is_dead(&patient, &one).await;
        is_dead(&patient, &other).await;

        // Ten at once, and again at the last moment, also when the successor is in use already.
        let first = patient.tokens(&world, &mut browser, &Person::ANNA).await;
        let mut all = at_once(&patient, &first, 10).await;
        world.advance(GRACE.saturating_sub(Duration::from_secs(1)));
        let used = renewed(&patient, &all.pop().unwrap()).await;
        all.push(renewed(&patient, &first).await);
        all.push(used);
        for tokens in &mut all {
            *tokens = renewed(&patient, tokens).await;
        }
        // The grace counts from the first use, however often the token came since; then the whole family ends.
        world.advance(Duration::from_secs(1));
        is_dead(&patient, &first).await;
        for tokens in &all {
            is_dead(&patient, tokens).await;
        }

        // A used successor that comes late ends the others too.
        let first = patient.tokens(&world, &mut browser, &Person::ANNA).await;
        let (one, other) = (renewed(&patient, &first).await, renewed(&patient, &first).await);
        let third = renewed(&patient, &one).await;
        world.advance(GRACE);
        is_dead(&patient, &one).await;
        is_dead(&patient, &third).await;
        is_dead(&patient, &other).await;

        // The grace gives nothing that the token itself would not give any more.
        let first = patient.tokens(&world, &mut browser, &Person::ANNA).await;
        let second = renewed(&patient, &first).await;
        browser.open(&format!("{}/logout?id_token_hint={}", world.issuer, second.get("id_token"))).await;
        assert_eq!(refused(refresh(&patient, first.get("refresh_token")).await).await.0, 400);
        is_dead(&patient, &second).await;

        // With a grace of 0 the second use ends all, at once as later. Another sign-in is another family.
        let strict = portal(&world, "strict");
        let kept = strict.tokens(&world, &mut browser, &Person::ANNA).await;
        let first = strict.tokens(&world, &mut browser, &Person::ANNA).await;
        let second = renewed(&strict, &first).await;
        is_dead(&strict, &first).await;
        is_dead(&strict, &second).await;
        renewed(&strict, &kept).await;
    }
}

/// The tokens of `count` refreshes at once.
async fn at_once(portal: &RelyingParty, tokens: &Tokens, count: usize) -> Vec<Tokens> {
    let mut running = tokio::task::JoinSet::new();
    for _ in 0..count {
        let (portal, tokens) = (portal.clone(), tokens.clone());
        running.spawn(async move { renewed(&portal, &tokens).await });
    }
    running.join_all().await
}

/// Who sets nothing has a grace that two tabs need, and no more; self-registered clients the same.
#[tokio::test]
async fn the_default_grace_is_ten_seconds() {
    assert_eq!(Client::default().refresh_grace_seconds, 10);
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let (web, mut browser) = (world.relying_party(), world.browser());
        let first = web.tokens(&world, &mut browser, &Person::ANNA).await;
        let (one, other) = tokio::join!(renewed(&web, &first), renewed(&web, &first));
        world.advance(Duration::from_secs(9));
        let third = renewed(&web, &first).await;
        let one = renewed(&web, &one).await;
        world.advance(Duration::from_secs(1));
        is_dead(&web, &first).await;
        for tokens in [&one, &other, &third] {
            is_dead(&web, tokens).await;
        }
    }
}

/// The client's own limit, the idle limit, and that each is the clock's to decide.
#[tokio::test]
async fn a_refresh_token_ends_when_unused_and_in_any_case() {
    for backend in Backend::ALL {
        let short = Client { refresh_token_days: Some(3), ..client("short") };
        let (key, fapi) = fapi("fapi", SigningAlgorithm::Es256);
        let world = World::with_clients(backend, vec![short, fapi]).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        let second = Duration::from_secs(1);

        // Unused: 14 days, whatever the session does.
        let web = world.relying_party();
        let (used, unused) = (
            web.tokens(&world, &mut browser, &Person::ANNA).await,
            web.tokens(&world, &mut browser, &Person::ANNA).await,
        );
        world.advance((14 * DAY).saturating_sub(second));
        let used = renewed(&web, &used).await;
        world.advance(second);
        assert_eq!(
            refused(refresh(&web, unused.get("refresh_token")).await).await,
            (400, "invalid_grant".into())
        );
        // Used: 30 days, counted from the sign-in.
        world.advance(13 * DAY);
        let used = renewed(&web, &used).await;
        world.advance((3 * DAY).saturating_sub(second));
        let used = renewed(&web, &used).await;
        world.advance(second);
        assert_eq!(
            refused(refresh(&web, used.get("refresh_token")).await).await,
            (400, "invalid_grant".into())
        );

        // A client's own number of days.
        let short = portal(&world, "short");
        let tokens = short.tokens(&world, &mut browser, &Person::ANNA).await;
        world.advance(2 * DAY);
        let tokens = renewed(&short, &tokens).await;
        world.advance(DAY);
        assert_eq!(
            refused(refresh(&short, tokens.get("refresh_token")).await).await,
            (400, "invalid_grant".into())
        );

        // One that does not rotate has the same limits (FAPI 2.0 Security Profile section 5.3.2.1).
        let fapi = SigningClient::new(&world, "fapi", &key, Some(&Key::new(SigningAlgorithm::Es256)));
        let tokens = fapi.tokens(&world, &mut browser).await;
        let token = tokens.get("refresh_token");
        for days in [13, 13, 3] {
            world.advance(days * DAY);
            assert_eq!(fapi.refresh(token).await.status(), StatusCode::OK, "{days}");
        }
        world.advance(DAY);
        assert_eq!(refused(fapi.refresh(token).await).await, (400, "invalid_grant".into()));
        let tokens = fapi.tokens(&world, &mut browser).await;
        world.advance(14 * DAY);
        let answer = fapi.refresh(tokens.get("refresh_token")).await;
        assert_eq!(refused(answer).await, (400, "invalid_grant".into()));
    }
}

/// FAPI 2.0 Security Profile section 5.3.2.1: no rotation, so no answer can be lost.
#[tokio::test]
async fn a_fapi_client_keeps_its_refresh_token() {
    for backend in Backend::ALL {
        let (key, client) = fapi("fapi", SigningAlgorithm::Ps256);
        let world = World::with_clients(backend, vec![client]).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        let client = SigningClient::new(&world, "fapi", &key, Some(&Key::new(SigningAlgorithm::Es256)));
        let tokens = client.tokens(&world, &mut browser).await;
        for _ in 0..3 {
            let answer = client.refresh(tokens.get("refresh_token")).await;
            assert_eq!(answer.status(), StatusCode::OK);
            let new = Tokens(answer.json().await.unwrap());
            assert!(
                new.0["refresh_token"].is_null() || new.get("refresh_token") == tokens.get("refresh_token")
            );
            assert_eq!(new.get("token_type"), "DPoP");
            world.advance(Duration::from_secs(30));
        }
        // Twice at once, as a client with several servers does it.
        let (one, other) = tokio::join!(
            client.refresh(tokens.get("refresh_token")),
            client.refresh(tokens.get("refresh_token"))
        );
        assert_eq!((one.status(), other.status()), (StatusCode::OK, StatusCode::OK));
    }
}

/// OpenID Connect Core section 11: offline access is for when nobody is there any more; a logout ends it all the same.
#[tokio::test]
async fn offline_access_outlives_the_sessions_time_but_not_its_end() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let web = world.relying_party();
        let mut browser = world.browser();
        let tokens = web.tokens(&world, &mut browser, &Person::ANNA).await;
        browser.open(&web.authorize_url(&[("scope", "openid email")])).await;
        let online = Tokens(web.redeem(&web.answered(&browser, "code").unwrap()).await.json().await.unwrap());
        assert!(online.0["refresh_token"].is_null(), "it did not ask for offline_access");
        assert_eq!(web.userinfo(online.get("access_token")).await.status(), StatusCode::OK);

        // The session's time is over: silence fails, offline access does not.
        world.advance(2 * DAY);
        browser.open(&web.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(web.answered(&browser, "error").as_deref(), Some("login_required"));
        let tokens = renewed(&web, &tokens).await;
        assert_eq!(web.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);

        // A logout by the portal, of that session that nobody has a cookie for any more.
        let hint = tokens.get("id_token").to_owned();
        let ended = web.tokens(&world, &mut browser, &Person::ANNA).await;
        browser.open(&format!("{}/logout?id_token_hint={}", world.issuer, ended.get("id_token"))).await;
        assert!(browser.has("logged-out-page"), "{}", browser.text());
        is_dead(&web, &ended).await;
        let mut nobody = world.browser();
        nobody.open(&format!("{}/logout?id_token_hint={hint}", world.issuer)).await;
        assert!(nobody.has("logged-out-page"), "{}", nobody.text());
        is_dead(&web, &tokens).await;
    }
}

/// RFC 6749 section 6.
#[tokio::test]
async fn less_than_was_granted_may_be_asked_for_and_the_rest_is_kept() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let web = world.relying_party();
        let mut browser = world.browser();
        let first = web.tokens(&world, &mut browser, &Person::ANNA).await;
        let with_scope = async |token: &str, scope: &str| {
            web.token(&[("grant_type", "refresh_token"), ("refresh_token", token), ("scope", scope)]).await
        };
        // More is refused and uses nothing up.
        for scope in ["openid address", "openid care_team", "openid unknown", "admin"] {
            let answer = with_scope(first.get("refresh_token"), scope).await;
            assert_eq!(refused(answer).await, (400, "invalid_scope".into()), "{scope}");
        }
        let answer = with_scope(first.get("refresh_token"), "openid email").await;
        let narrow = Tokens(answer.json().await.unwrap());
        let words: std::collections::BTreeSet<&str> = narrow.get("scope").split(' ').collect();
        assert_eq!(words, ["email", "openid"].into());
        let person: serde_json::Value = web.userinfo(narrow.get("access_token")).await.json().await.unwrap();
        assert!(person["email"].is_string() && person["name"].is_null(), "{person}");
        // Its refresh token still has it all.
        let all = renewed(&web, &narrow).await;
        assert_eq!(all.get("scope"), first.get("scope"));

        // Another client's, no token at all, a token of another kind.
        let other = portal(&world, "web-es256");
        assert_eq!(
            refused(refresh(&other, all.get("refresh_token")).await).await,
            (400, "invalid_grant".into())
        );
        for wrong in ["x", all.get("access_token"), all.get("id_token")] {
            assert_eq!(refused(refresh(&web, wrong).await).await, (400, "invalid_grant".into()));
        }
        assert_eq!(refused(refresh(&web, "").await).await, (400, "invalid_request".into()));
        let all = renewed(&web, &all).await;

        // A blocked account gets nothing, and everything back when it is unblocked.
        let block = "UPDATE accounts SET blocked_at = $1 WHERE email = $2";
        set_column(&world, &Person::ANNA, block, Some(world.clock.now().0)).await;
        assert_eq!(
            refused(refresh(&web, all.get("refresh_token")).await).await,
            (400, "invalid_grant".into())
        );
        assert_eq!(web.userinfo(all.get("access_token")).await.status(), StatusCode::UNAUTHORIZED);
        set_column(&world, &Person::ANNA, block, None).await;
        let all = renewed(&web, &all).await;
        assert_eq!(web.userinfo(all.get("access_token")).await.status(), StatusCode::OK);
    }
}

/// RFC 6749 sections 4.1.3, 5.1 and 5.2 at `/token`, whatever is sent.
#[tokio::test]
async fn a_token_request_that_is_none_is_told_so() {
    for backend in Backend::ALL {
        let machine = Client {
            redirect_uris: vec![],
            grant_types: vec![idp::config::GrantType::ClientCredentials],
            ..client("machine")
        };
        let world = World::with_clients(backend, vec![machine]).await;
        let web = world.relying_party();
        for (form, error) in [
            (vec![], "invalid_request"),
            (vec![("grant_type", "")], "invalid_request"),
            (
                vec![("grant_type", "password"), ("username", "a"), ("password", "b")],
                "unsupported_grant_type",
            ),
            (vec![("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer")], "unsupported_grant_type"),
            (vec![("grant_type", "client_credentials")], "unauthorized_client"),
            (vec![("grant_type", "authorization_code")], "invalid_request"),
            (vec![("grant_type", "authorization_code"), ("code", "x")], "invalid_grant"),
            (vec![("grant_type", "authorization_code"), ("grant_type", "refresh_token")], "invalid_request"),
        ] {
            assert_eq!(refused(web.token(&form).await).await, (400, error.into()), "{form:?}");
        }
        let machine = portal(&world, "machine");
        for grant_type in ["authorization_code", "refresh_token"] {
            let form = [("grant_type", grant_type), ("code", "x"), ("refresh_token", "x")];
            assert_eq!(refused(machine.token(&form).await).await, (400, "unauthorized_client".into()));
        }
        browser_sees_no_code(&world, &machine).await;
        let json = web.http.post(format!("{}/token", world.issuer)).basic_auth("web", Some("web-secret"));
        let json = json.json(&json!({ "grant_type": "refresh_token" })).send().await.unwrap();
        assert_eq!(refused(json).await, (400, "invalid_request".into()));
        let answer =
            web.http.get(format!("{}/token?grant_type=refresh_token", world.issuer)).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
}

/// A machine has no redirect URI, so `/authorize` has nowhere to send it.
async fn browser_sees_no_code(world: &World, machine: &RelyingParty) {
    let mut browser = world.browser();
    browser.open(&machine.authorize_url(&[])).await;
    crate::protocol_acts::shown(&browser, "a machine");
}
