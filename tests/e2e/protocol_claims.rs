//! What a request says about the person and the sign-in: claims by name (OpenID Connect Core section 5.5), who is
//! expected (`id_token_hint`), and what a client asks for by default.

use std::time::Duration;

use idp::config::Client;
use platform::config::Secret;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Backend, Browser, Person, RelyingParty, Tokens, World};

const CODE: &str = "urn:voordeur:acr:code";
const KNOWN: &str = "urn:voordeur:acr:known-device";

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

/// The tokens of a code that the browser holds.
async fn redeemed(portal: &RelyingParty, browser: &Browser) -> Tokens {
    let code = portal.answered(browser, "code").unwrap_or_else(|| panic!("{}", browser.page.url));
    Tokens(portal.redeem(&code).await.json().await.unwrap())
}

async fn person(portal: &RelyingParty, tokens: &Tokens) -> Value {
    portal.userinfo(tokens.get("access_token")).await.json().await.unwrap()
}

/// OpenID Connect Core sections 5.4, 5.5 and 5.5.1.
#[tokio::test]
async fn claims_asked_for_by_name_come_where_they_were_asked_for() {
    for backend in Backend::ALL {
        let narrow = Client { scope: "openid email".into(), ..client("narrow") };
        let world = World::with_clients(backend, vec![narrow]).await;
        world.add(&Person::ANNA).await;
        let web = world.relying_party();
        let mut browser = world.browser();
        web.code(&world, &mut browser, &Person::ANNA).await;
        let ask = async |portal: &RelyingParty, browser: &mut Browser, claims: Value| {
            let claims = claims.to_string();
            browser.open(&portal.authorize_url(&[("scope", "openid"), ("claims", &claims)])).await;
            redeemed(portal, browser).await
        };
        let bare = ask(&web, &mut browser, json!({})).await;
        let sub = bare.claims("id_token")["sub"].clone();
        assert_eq!(person(&web, &bare).await, json!({ "sub": sub }));

        // At userinfo, essential or not, with or without a value; not in the ID token.
        let wish = json!({ "userinfo": {
            "name": { "essential": true }, "email": null, "phone_number": { "value": "+31600000000" },
            "nickname": { "essential": true }, "https://claims.example/unknown": null,
        } });
        let tokens = ask(&web, &mut browser, wish).await;
        assert_eq!(
            person(&web, &tokens).await,
            json!({ "sub": sub, "name": "Anna Voorbeeld", "email": Person::ANNA.email, "phone_number": Person::ANNA.phone })
        );
        let id_token = tokens.claims("id_token");
        assert!(id_token["name"].is_null() && id_token["email"].is_null(), "{id_token}");

        // In the ID token; not at userinfo.
        let wish = json!({ "id_token": { "given_name": null, "email_verified": { "essential": true }, "auth_time": { "essential": true }, "nickname": null } });
        let tokens = ask(&web, &mut browser, wish).await;
        let id_token = tokens.claims("id_token");
        assert_eq!((&id_token["given_name"], &id_token["email_verified"]), (&json!("Anna"), &json!(true)));
        assert!(id_token["auth_time"].is_i64() && id_token.get("nickname").is_none(), "{id_token}");
        assert_eq!(person(&web, &tokens).await, json!({ "sub": sub }));
        // What was asked for once stays so with refreshed tokens.
        let all =
            json!({ "id_token": { "given_name": null }, "userinfo": { "family_name": null } }).to_string();
        browser.open(&web.authorize_url(&[("scope", "openid offline_access"), ("claims", &all)])).await;
        let tokens = redeemed(&web, &browser).await;
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
        let tokens = Tokens(web.token(&form).await.json().await.unwrap());
        assert_eq!(tokens.claims("id_token")["given_name"], "Anna");
        assert_eq!(person(&web, &tokens).await, json!({ "sub": sub, "family_name": "Voorbeeld" }));

        // Claims of a scope that the client may not have are left out, wherever.
        let narrow = portal(&world, "narrow");
        let wish =
            json!({ "name": null, "email": null, "phone_number": null, "care_role": { "essential": true } });
        let tokens = ask(&narrow, &mut browser, json!({ "userinfo": wish, "id_token": wish })).await;
        assert_eq!(person(&narrow, &tokens).await, json!({ "sub": sub, "email": Person::ANNA.email }));
        let id_token = tokens.claims("id_token");
        assert!(id_token["name"].is_null() && id_token["phone_number"].is_null(), "{id_token}");
        // No claim takes the place of what the token says of itself.
        let wish = json!({ "id_token": { "iss": { "value": "x" }, "aud": { "value": "x" }, "exp": { "value": 1 }, "sub": null } });
        let id_token = ask(&web, &mut browser, wish).await.claims("id_token");
        assert_eq!((&id_token["iss"], &id_token["sub"]), (&json!(world.issuer), &sub));

        for malformed in ["[]", "{", "1", "\"x\"", r#"{"userinfo":[]}"#, r#"{"id_token":{"acr":1}}"#] {
            browser.open(&web.authorize_url(&[("claims", malformed)])).await;
            assert_eq!(web.answered(&browser, "error").as_deref(), Some("invalid_request"), "{malformed}");
        }
    }
}

/// OpenID Connect Core section 5.5: whoever consents is told of what is asked for by name too.
#[tokio::test]
async fn consent_names_the_scopes_behind_the_claims() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let third = portal(&world, "third-party");
        let mut browser = world.browser();
        world.relying_party().code(&world, &mut browser, &Person::ANNA).await;
        browser.open(&third.authorize_url(&[("scope", "openid")])).await;
        let asked_little = browser.text();
        browser.submit("consent-allow", &[]).await;
        assert!(third.answered(&browser, "code").is_some());

        let claims =
            json!({ "userinfo": { "email": null }, "id_token": { "phone_number": null } }).to_string();
        let with_claims = third.authorize_url(&[("scope", "openid"), ("claims", &claims)]);
        browser.open(&third.authorize_url(&[("scope", "openid email phone")])).await;
        let asked_by_scope = browser.text();
        assert_ne!(asked_by_scope, asked_little);
        browser.open(&format!("{with_claims}&prompt=none")).await;
        assert_eq!(third.answered(&browser, "error").as_deref(), Some("consent_required"));
        browser.open(&with_claims).await;
        assert_eq!(browser.text(), asked_by_scope, "the same question for the same data");
        browser.submit("consent-allow", &[]).await;
        let tokens = redeemed(&third, &browser).await;
        assert_eq!(tokens.claims("id_token")["phone_number"], Person::ANNA.phone);
        assert_eq!(person(&third, &tokens).await["email"], Person::ANNA.email);
        browser.open(&format!("{with_claims}&prompt=none")).await;
        assert!(third.answered(&browser, "code").is_some(), "given once");
    }
}

/// OpenID Connect Core sections 5.5.1.1 and 3.1.2.6; `acr` is met, or the request fails if it was essential.
#[tokio::test]
async fn an_essential_acr_is_met_or_the_request_fails() {
    for backend in Backend::ALL {
        let strong = Client { default_acr_values: vec![CODE.into()], ..client("strong") };
        let world = World::with_clients(backend, vec![strong]).await;
        world.add(&Person::ANNA).await;
        let web = world.relying_party();
        let mut browser = world.browser();
        web.code(&world, &mut browser, &Person::ANNA).await;
        let acr = |wish: Value| json!({ "id_token": { "acr": wish } }).to_string();
        // A new sign-in on the known device: no code was given in this session.
        let weaken = async |browser: &mut Browser| {
            world.advance(Duration::from_mins(2));
            browser.forget_cookie("session");
            browser.open(&web.authorize_url(&[])).await;
            browser.give_password(&Person::ANNA).await;
            assert_eq!(redeemed(&web, browser).await.claims("id_token")["acr"], KNOWN);
        };
        let wishes = [
            json!({ "essential": true, "value": CODE }),
            json!({ "essential": true, "values": [CODE, "urn:unknown"] }),
        ];
        for wish in wishes {
            weaken(&mut browser).await;
            let claims = acr(wish.clone());
            browser.open(&web.authorize_url(&[("claims", &claims), ("prompt", "none")])).await;
            assert_eq!(web.answered(&browser, "error").as_deref(), Some("interaction_required"), "{wish}");
            browser.open(&web.authorize_url(&[("claims", &claims)])).await;
            assert!(browser.has("otp"), "{wish}: {}", browser.text());
            browser.give_code(&world, &Person::ANNA).await;
            assert_eq!(redeemed(&web, &browser).await.claims("id_token")["acr"], CODE, "{wish}");
            // From now on it is met without a question, and prompt=none gets it.
            browser.open(&web.authorize_url(&[("claims", &claims), ("prompt", "none")])).await;
            assert_eq!(redeemed(&web, &browser).await.claims("id_token")["acr"], CODE, "{wish}");
        }
        // One that cannot be met by anybody: told at once, by either way that asks for it.
        for wish in [
            json!({ "essential": true, "value": "urn:unknown" }),
            json!({ "essential": true, "values": ["urn:a", "urn:b"] }),
        ] {
            browser.open(&web.authorize_url(&[("claims", &acr(wish.clone()))])).await;
            let error = web.answered(&browser, "error");
            assert_eq!(error.as_deref(), Some("unmet_authentication_requirements"), "{wish}");
        }
        // Voluntary ones hinder nobody, and the token says what it was.
        weaken(&mut browser).await;
        let voluntary = acr(json!({ "value": "urn:unknown" }));
        for changes in [
            vec![("acr_values", "urn:unknown urn:else")],
            vec![("claims", voluntary.as_str())],
            vec![(
                "acr_values",
                "urn:voordeur:acr:password urn:voordeur:acr:known-device urn:voordeur:acr:code",
            )],
        ] {
            browser.open(&web.authorize_url(&changes)).await;
            assert_eq!(redeemed(&web, &browser).await.claims("id_token")["acr"], KNOWN, "{changes:?}");
        }
        // RFC 7591 / Registration section 2: `default_acr_values` count for requests that name none.
        let strong = portal(&world, "strong");
        browser.open(&strong.authorize_url(&[("acr_values", KNOWN)])).await;
        assert_eq!(redeemed(&strong, &browser).await.claims("id_token")["acr"], KNOWN);
        browser.open(&strong.authorize_url(&[])).await;
        assert!(browser.has("otp"), "{}", browser.text());
        browser.give_code(&world, &Person::ANNA).await;
        assert_eq!(redeemed(&strong, &browser).await.claims("id_token")["acr"], CODE);
    }
}

/// OpenID Connect Core sections 3.1.2.1 (`id_token_hint`) and 5.5.1 (`sub` with a value).
#[tokio::test]
async fn a_request_for_somebody_else_than_who_is_signed_in_is_refused() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (anna, bram) = (world.add(&Person::ANNA).await, world.add(&Person::BRAM).await);
        let (web, es256) = (world.relying_party(), portal(&world, "web-es256"));
        let (mut browser, mut other) = (world.browser(), world.browser());
        let of_anna = web.tokens(&world, &mut browser, &Person::ANNA).await;
        let of_bram = web.tokens(&world, &mut other, &Person::BRAM).await;
        let hint = of_anna.get("id_token");
        // Hours later the ID token has long expired; as a hint it is as good as ever.
        world.advance(Duration::from_mins(20));
        browser.open(&web.authorize_url(&[("id_token_hint", hint), ("prompt", "none")])).await;
        let again = redeemed(&web, &browser).await;
        let (old, new) = (of_anna.claims("id_token"), again.claims("id_token"));
        assert_eq!((&old["sub"], &old["auth_time"]), (&new["sub"], &new["auth_time"]));

        for prompt in ["none", ""] {
            let changes = [("id_token_hint", of_bram.get("id_token")), ("prompt", prompt)];
            browser.open(&web.authorize_url(&changes)).await;
            assert_eq!(web.answered(&browser, "error").as_deref(), Some("login_required"), "{prompt}");
        }
        // Of another client, changed, or not one of ours: no hint at all.
        let (head, _) = hint.rsplit_once('.').unwrap();
        let unsigned = format!("{head}.");
        for (portal, hint) in
            [(&es256, hint), (&web, unsigned.as_str()), (&web, "x"), (&web, of_anna.get("access_token"))]
        {
            browser.open(&portal.authorize_url(&[("id_token_hint", hint), ("prompt", "none")])).await;
            assert_eq!(portal.answered(&browser, "error").as_deref(), Some("invalid_request"), "{hint}");
            assert_eq!(portal.answered(&browser, "state").as_deref(), Some("the-state"));
        }
        // By claim.
        let sub = |value: &str| json!({ "id_token": { "sub": { "value": value } } }).to_string();
        let (hers, his) = (sub(&anna.subject.0), sub(&bram.subject.0));
        browser.open(&web.authorize_url(&[("claims", &hers), ("prompt", "none")])).await;
        assert_eq!(redeemed(&web, &browser).await.claims("id_token")["sub"], json!(anna.subject.0));
        for claims in [his.as_str(), &sub("nobody")] {
            browser.open(&web.authorize_url(&[("claims", claims), ("prompt", "none")])).await;
            assert_eq!(web.answered(&browser, "error").as_deref(), Some("login_required"), "{claims}");
        }
        // Somebody who is expected but signs in as somebody else is not it either.
        let mut stranger = world.browser();
        stranger.open(&web.authorize_url(&[("claims", &hers)])).await;
        stranger.sign_in(&world, &Person::BRAM).await;
        assert_eq!(web.answered(&stranger, "error").as_deref(), Some("login_required"));
    }
}

/// OpenID Connect Registration section 2: `default_max_age`; a request's own `max_age` goes before it.
#[tokio::test]
async fn a_clients_default_max_age_counts_where_a_request_names_none() {
    for backend in Backend::ALL {
        let careful = Client { default_max_age: Some(60), ..client("careful") };
        let world = World::with_clients(backend, vec![careful]).await;
        world.add(&Person::ANNA).await;
        let careful = portal(&world, "careful");
        let mut browser = world.browser();
        let first = careful.tokens(&world, &mut browser, &Person::ANNA).await.claims("id_token");
        world.advance(Duration::from_mins(1));
        browser.open(&careful.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(redeemed(&careful, &browser).await.claims("id_token")["auth_time"], first["auth_time"]);
        world.advance(Duration::from_secs(1));
        browser.open(&careful.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(careful.answered(&browser, "error").as_deref(), Some("login_required"));
        browser.open(&careful.authorize_url(&[("max_age", "10000"), ("prompt", "none")])).await;
        assert!(careful.answered(&browser, "code").is_some());
        browser.open(&careful.authorize_url(&[])).await;
        browser.give_password(&Person::ANNA).await;
        let code = careful.answered(&browser, "code").unwrap();
        let answer = careful.redeem(&code).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let claims = Tokens(answer.json().await.unwrap()).claims("id_token");
        assert_eq!(claims["auth_time"], json!(world.clock.now().seconds()));
    }
}
