//! Sessions: their secret changes whenever more is proved, and their end reaches everybody.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::{Backend, Browser, Person, RelyingParty, Tokens, World};
use url::Url;

use crate::receiver::{Receiver, verified};

/// Whether somebody is signed in at the identity provider with what this browser holds.
async fn is_signed_in(world: &World, browser: &Browser) -> bool {
    let mut browser = browser.clone();
    let account = Url::parse(&format!("{}/account", world.issuer)).unwrap();
    browser.request(Method::GET, &account, None).await.status == StatusCode::OK
}

#[tokio::test]
async fn t31_every_proof_changes_the_session_secret_and_the_old_one_is_dead() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();

        // Somebody planted a cookie before the sign-in: it does not become the session's.
        let planted = "A".repeat(43);
        browser.set_cookie("session", &planted);
        portal.code(&world, &mut browser, &Person::ANNA).await;
        let first = browser.clone();
        assert_ne!(browser.cookie("session"), Some(planted.as_str()));
        assert!(is_signed_in(&world, &first).await);

        // Another code for the same session proves nothing new.
        world.advance(Duration::from_secs(1));
        portal.code(&world, &mut browser, &Person::ANNA).await;
        assert_eq!(browser.cookie("session"), first.cookie("session"));

        // The same person gives the password again: a new secret for the same session.
        browser.open(&portal.authorize_url(&[("prompt", "login")])).await;
        browser.give_password(&Person::ANNA).await;
        let code = portal.answered(&browser, "code").unwrap();
        let tokens = Tokens(portal.redeem(&code).await.json().await.unwrap());
        let (sid, weak) = (tokens.claims("id_token")["sid"].clone(), browser.clone());
        assert_eq!(tokens.claims("id_token")["acr"], "urn:voordeur:acr:known-device");
        assert_ne!(browser.cookie("session"), first.cookie("session"));
        assert!(!is_signed_in(&world, &first).await, "the secret of before is dead");

        // A portal that asks for more gets a code asked, and the secret changes once more.
        world.advance(Duration::from_mins(2));
        browser.open(&portal.authorize_url(&[("acr_values", "urn:voordeur:acr:code")])).await;
        assert!(browser.has("otp"), "{}", browser.text());
        assert!(is_signed_in(&world, &browser).await, "the session lives on meanwhile");
        browser.give_code(&world, &Person::ANNA).await;
        let code = portal.answered(&browser, "code").unwrap();
        let tokens = Tokens(portal.redeem(&code).await.json().await.unwrap());
        assert_eq!(tokens.claims("id_token")["acr"], "urn:voordeur:acr:code");
        assert_eq!(tokens.claims("id_token")["sid"], sid, "portals know it as the same session");
        assert_ne!(browser.cookie("session"), weak.cookie("session"));
        assert!(is_signed_in(&world, &browser).await);
        assert!(!is_signed_in(&world, &weak).await, "the secret of before the code is dead");

        // A sign-in of somebody else at this browser ends the session of the first.
        world.add(&Person::BRAM).await;
        let anna = browser.clone();
        browser.open(&portal.authorize_url(&[("prompt", "login")])).await;
        browser.sign_in(&world, &Person::BRAM).await;
        assert!(portal.answered(&browser, "code").is_some());
        assert!(!is_signed_in(&world, &anna).await);
        let late = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
        assert_eq!(portal.token(&late).await.status(), StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn t33_a_logout_reaches_the_back_button_the_old_cookie_and_every_portal() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let uri = receiver.uri.clone();
        let world = World::with(backend, |config| {
            for client in config.portals.iter_mut().flat_map(|portal| &mut portal.clients) {
                if ["web", "web-es256", "spa"].contains(&client.client_id.as_str()) {
                    client.backchannel_logout_uri = Some(uri.clone());
                }
            }
        })
        .await;
        world.add(&Person::ANNA).await;
        let anna = world.account(&Person::ANNA).await;
        let mut browser = world.browser();

        // One session, three portals: the real one and two more. A fourth one gets a code that it never redeems.
        browser.open(&format!("{}/login", world.portal_origin)).await;
        browser.sign_in(&world, &Person::ANNA).await;
        assert!(browser.has("dossier-request"), "{}", browser.text());
        let web = world.relying_party();
        let es256 = RelyingParty::new(&world.issuer, "web-es256", Some("web-secret"));
        let tokens = web.tokens(&world, &mut browser, &Person::ANNA).await;
        let other = es256.tokens(&world, &mut browser, &Person::ANNA).await;
        RelyingParty::new(&world.issuer, "spa", None).code(&world, &mut browser, &Person::ANNA).await;
        let sid = tokens.claims("id_token")["sid"].clone();
        assert_eq!(other.claims("id_token")["sid"], sid, "one session");
        assert_eq!(web.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);
        browser.open(&format!("{}/account", world.issuer)).await;
        assert_eq!(browser.page.status, StatusCode::OK);
        assert_eq!(browser.page.headers["cache-control"], "no-store", "the back button has nothing to show");
        let before = browser.clone();

        // The portal asks for the logout with its ID token, and the browser is back there at once.
        let logout = Url::parse_with_params(
            &format!("{}/logout", world.issuer),
            [
                ("id_token_hint", tokens.get("id_token")),
                ("post_logout_redirect_uri", "http://127.0.0.1:9999/bye"),
                ("state", "s & t"),
            ],
        );
        browser.open(logout.unwrap().as_str()).await;
        assert_eq!(browser.page.url.as_str(), "http://127.0.0.1:9999/bye?state=s+%26+t");
        assert_eq!(browser.cookie("session"), None);

        // At that moment everything of the session is dead.
        assert!(!is_signed_in(&world, &before).await, "the old cookie is refused");
        let mut old = before.clone();
        old.open(&web.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(web.answered(&old, "error").as_deref(), Some("login_required"));
        assert_eq!(web.userinfo(tokens.get("access_token")).await.status(), StatusCode::UNAUTHORIZED);
        assert_eq!(es256.userinfo(other.get("access_token")).await.status(), StatusCode::UNAUTHORIZED);
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
        assert_eq!(web.token(&refresh).await.status(), StatusCode::BAD_REQUEST);

        // And every portal that the session signed Anna in to is told, in its own algorithm.
        world.deliver().await;
        let told = receiver.told();
        assert_eq!(told.len(), 2, "the two that redeemed their codes");
        let mut audiences = Vec::new();
        for token in &told {
            let (header, claims) = verified(&world.issuer, token).await;
            assert_eq!(header.typ.as_deref(), Some("logout+jwt"));
            assert_eq!((&claims["iss"], &claims["sid"]), (&json!(world.issuer), &sid));
            assert_eq!(claims["sub"], json!(anna.subject.0));
            assert_eq!(claims["events"], json!({ "http://schemas.openid.net/event/backchannel-logout": {} }));
            let now = world.clock.now().seconds();
            assert!(claims["exp"].as_i64().unwrap() > now && claims["iat"].as_i64().unwrap() <= now);
            assert!(claims["jti"].is_string() && claims["nonce"].is_null(), "{claims}");
            audiences.push((claims["aud"].clone(), format!("{:?}", header.alg)));
        }
        audiences.sort_by_key(|(audience, _)| audience.to_string());
        let expected = [(json!("web"), "RS256".to_owned()), (json!("web-es256"), "ES256".to_owned())];
        assert_eq!(audiences, expected);

        // The real portal was told as well: its own cookie opens nothing any more.
        let mut portal = before.clone();
        portal.open(&format!("{}/request", world.portal_origin)).await;
        assert!(!portal.has("request-submit"), "{}", portal.text());
        assert_eq!(portal.page.url.path(), "/signed-out");

        // Logging out again is no error, and nobody is told twice.
        world.deliver().await;
        assert_eq!(receiver.told().len(), 2);
    }
}

#[tokio::test]
async fn t33_signing_out_at_the_portal_ends_the_session_at_the_provider() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        browser.open(&format!("{}/login", world.portal_origin)).await;
        browser.sign_in(&world, &Person::ANNA).await;
        let before = browser.clone();
        browser.submit("logout", &[]).await;
        assert_eq!(browser.page.url.path(), "/signed-out", "{}", browser.text());
        assert!(!is_signed_in(&world, &before).await);
        let mut portal = before.clone();
        portal.open(&format!("{}/request", world.portal_origin)).await;
        assert!(!portal.has("request-submit"), "the portal's old cookie is refused");
    }
}

#[tokio::test]
async fn t34_a_logout_that_nobody_proved_asks_first_and_leads_nowhere_else() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        let hint = tokens.get("id_token");
        for parameters in [
            vec![],
            vec![("post_logout_redirect_uri", "http://127.0.0.1:9999/bye")],
            vec![("id_token_hint", hint), ("post_logout_redirect_uri", "http://127.0.0.1:9999/bye/")],
            vec![("id_token_hint", hint), ("client_id", "spa")],
            vec![("id_token_hint", "eyJhbGciOiJub25lIn0.e30.")],
        ] {
            let url = Url::parse_with_params(&format!("{}/logout", world.issuer), &parameters).unwrap();
            browser.open(url.as_str()).await;
            assert!(browser.has("logout-confirm"), "{parameters:?}: {}", browser.text());
            assert!(is_signed_in(&world, &browser).await, "{parameters:?}");
        }
        browser.submit("logout-confirm", &[]).await;
        assert!(browser.has("logged-out-page"), "{}", browser.text());
        assert!(!is_signed_in(&world, &browser).await);
    }
}
