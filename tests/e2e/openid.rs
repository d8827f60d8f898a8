//! OpenID Connect as a well-behaved portal sees it: what it asks for and what it gets.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Person, RelyingParty, Tokens, World};
use url::Url;

use crate::receiver::verified;

fn names(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn words(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect()
}

/// The left half of the SHA-256 (OpenID Connect Core section 3.1.3.6).
fn left_half(access_token: &str) -> String {
    let digest = URL_SAFE_NO_PAD.decode(platform::seal::sha256(access_token)).unwrap();
    URL_SAFE_NO_PAD.encode(&digest[..16])
}

#[tokio::test]
async fn an_id_token_says_who_when_and_how_and_nothing_else() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let anna = world.account(&Person::ANNA).await;
        let mut browser = world.browser();
        let started = world.clock.now().seconds();
        for (client, algorithm) in [("web", "RS256"), ("web-es256", "ES256")] {
            let portal = RelyingParty::new(&world.issuer, client, Some("web-secret"));
            let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
            let (header, claims) = verified(&world.issuer, tokens.get("id_token")).await;
            assert_eq!(format!("{:?}", header.alg), algorithm);
            // The session is named to who can be told that it ended.
            let session = if client == "web" { " sid" } else { "" };
            let minimal = format!("iss sub aud exp iat auth_time nonce acr amr azp at_hash{session}");
            assert_eq!(names(&claims), minimal.split(' ').collect(), "{claims}");
            assert_eq!(claims["iss"], json!(world.issuer));
            assert_eq!(claims["sub"], json!(anna.subject.0));
            assert!(claims["aud"] == json!(client) || claims["aud"] == json!([client]), "{claims}");
            assert_eq!((&claims["azp"], &claims["nonce"]), (&json!(client), &json!("the-nonce")));
            assert_eq!(claims["auth_time"], json!(started), "the time of the password");
            assert_eq!(claims["exp"].as_i64().unwrap(), claims["iat"].as_i64().unwrap() + 300);
            assert_eq!(claims["acr"], "urn:voordeur:acr:code");
            assert_eq!(claims["at_hash"], json!(left_half(tokens.get("access_token"))));

            // RFC 9068: the access token is another kind, for the provider itself.
            let (header, claims) = verified(&world.issuer, tokens.get("access_token")).await;
            assert_eq!(header.typ.as_deref(), Some("at+jwt"));
            assert_eq!((&claims["aud"], &claims["client_id"]), (&json!(world.issuer), &json!(client)));
            assert!(
                claims["email"].is_null() && claims["name"].is_null() && claims["phone_number"].is_null()
            );

            // The person is told of at userinfo, by scope and with the right types.
            let person: Value = portal.userinfo(tokens.get("access_token")).await.json().await.unwrap();
            assert_eq!(person["email_verified"], json!(true));
            assert_eq!(person["phone_number"], json!(Person::ANNA.phone));
            assert!(person["updated_at"].is_i64() && person["preferred_username"].is_null(), "{person}");
            world.advance(Duration::from_secs(30));
        }
        // Scopes that were not asked for are not told.
        let portal = world.relying_party();
        browser.open(&portal.authorize_url(&[("scope", "openid unknown care_team")])).await;
        let tokens = portal.redeem(&portal.answered(&browser, "code").unwrap()).await;
        let tokens = Tokens(tokens.json().await.unwrap());
        assert_eq!(tokens.get("scope"), "openid");
        assert!(tokens.0["refresh_token"].is_null(), "offline_access was not asked for");
        let person: Value = portal.userinfo(tokens.get("access_token")).await.json().await.unwrap();
        assert_eq!(person, json!({ "sub": anna.subject.0 }));
    }
}

#[tokio::test]
async fn prompt_and_max_age_decide_whether_somebody_is_asked() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();

        // Nobody is signed in: a silent request says so, to the portal.
        browser.open(&portal.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(portal.answered(&browser, "error").as_deref(), Some("login_required"));
        assert_eq!(portal.answered(&browser, "iss").as_deref(), Some(world.issuer.as_str()));
        assert_eq!(portal.answered(&browser, "state").as_deref(), Some("the-state"));

        let first = portal.tokens(&world, &mut browser, &Person::ANNA).await.claims("id_token");
        world.advance(Duration::from_mins(3));

        // Silently: the same sign-in, at the same time.
        browser.open(&portal.authorize_url(&[("prompt", "none")])).await;
        let code = portal.answered(&browser, "code").unwrap();
        let silent = Tokens(portal.redeem(&code).await.json().await.unwrap()).claims("id_token");
        assert_eq!((&silent["auth_time"], &silent["sid"]), (&first["auth_time"], &first["sid"]));

        // An age that is not reached asks nobody; one that is passed asks again, and silently that is an error.
        browser.open(&portal.authorize_url(&[("max_age", "3600")])).await;
        assert!(portal.answered(&browser, "code").is_some());
        browser.open(&portal.authorize_url(&[("max_age", "60"), ("prompt", "none")])).await;
        assert_eq!(portal.answered(&browser, "error").as_deref(), Some("login_required"));
        for changes in
            [[("max_age", "60")], [("prompt", "login")], [("prompt", "select_account")], [("max_age", "0")]]
        {
            world.advance(Duration::from_mins(2));
            browser.open(&portal.authorize_url(&changes)).await;
            browser.give_password(&Person::ANNA).await;
            let code = portal.answered(&browser, "code").unwrap_or_else(|| panic!("{changes:?}"));
            let again = Tokens(portal.redeem(&code).await.json().await.unwrap()).claims("id_token");
            assert_eq!(again["auth_time"], json!(world.clock.now().seconds()), "{changes:?}");
        }

        // Somebody else than the portal expects.
        world.add(&Person::BRAM).await;
        let mut other = world.browser();
        let bram = portal.tokens(&world, &mut other, &Person::BRAM).await;
        browser
            .open(&portal.authorize_url(&[("prompt", "none"), ("id_token_hint", bram.get("id_token"))]))
            .await;
        assert_eq!(portal.answered(&browser, "error").as_deref(), Some("login_required"));

        // Contradictions and what is not supported, each by its name.
        for (changes, error) in [
            (("prompt", "none login"), "invalid_request"),
            (("max_age", "soon"), "invalid_request"),
            (("response_type", "token"), "unsupported_response_type"),
            (("response_type", ""), "invalid_request"),
            (("request", "e30.e30."), "request_not_supported"),
            (("request_uri", "https://rp.example/r"), "request_uri_not_supported"),
            (("scope", "profile"), "invalid_scope"),
        ] {
            browser.open(&portal.authorize_url(&[changes])).await;
            assert_eq!(portal.answered(&browser, "error").as_deref(), Some(error), "{changes:?}");
            assert_eq!(portal.answered(&browser, "iss").as_deref(), Some(world.issuer.as_str()));
        }
        // Unknown parameters are ignored, a repeated one is refused here.
        browser.open(&portal.authorize_url(&[("display", "popup"), ("whatever", "1")])).await;
        assert!(portal.answered(&browser, "code").is_some());
        let repeated = format!("{}&scope=openid", portal.authorize_url(&[]));
        browser.open(&repeated).await;
        assert!(browser.has("op-error"), "{}", browser.text());
    }
}

#[tokio::test]
async fn consent_is_asked_of_third_parties_once_and_can_be_denied() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = RelyingParty::new(&world.issuer, "third-party", Some("web-secret"));
        let mut browser = world.browser();
        browser.open(&portal.authorize_url(&[])).await;
        browser.sign_in(&world, &Person::ANNA).await;
        assert!(browser.has("consent-allow") && browser.text().contains("Derde"), "{}", browser.text());
        let mut silent = browser.clone();
        browser.submit("consent-deny", &[]).await;
        assert_eq!(portal.answered(&browser, "error").as_deref(), Some("access_denied"));

        // The sign-in did not end, so nobody is signed in; once she is, silence still needs her consent.
        silent.open(&portal.authorize_url(&[])).await;
        if silent.has("login-page") {
            silent.give_password(&Person::ANNA).await;
            if silent.has("otp") {
                world.advance(Duration::from_mins(2));
                silent.submit("otp-resend", &[]).await;
                silent.give_code(&world, &Person::ANNA).await;
            }
        }
        assert!(silent.has("consent-allow"), "{}", silent.text());
        silent.submit("consent-allow", &[]).await;
        let code = portal.answered(&silent, "code").unwrap();
        let tokens = Tokens(portal.redeem(&code).await.json().await.unwrap());
        assert_eq!(portal.userinfo(tokens.get("access_token")).await.status(), StatusCode::OK);
        silent.open(&portal.authorize_url(&[("prompt", "none")])).await;
        assert!(portal.answered(&silent, "code").is_some(), "given once");
        // She takes it back: what the client got is worth nothing, and it asks again.
        let mut account = silent.clone();
        account.open(&format!("{}/account", world.issuer)).await;
        let mut twice = account.clone();
        account.submit("withdraw-1", &[]).await;
        assert!(account.text().contains("Ingetrokken"), "{}", account.text());
        assert!(
            account.text().contains("Toestemming om gegevens te delen ingetrokken"),
            "{}",
            account.text()
        );
        twice.submit("withdraw-1", &[]).await;
        assert!(!account.has("withdraw-1") && !twice.has("withdraw-1"));
        assert_eq!(portal.userinfo(tokens.get("access_token")).await.status(), StatusCode::UNAUTHORIZED);
        silent.open(&portal.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(portal.answered(&silent, "error").as_deref(), Some("consent_required"));
        silent.open(&portal.authorize_url(&[])).await;
        silent.submit("consent-allow", &[]).await;
        assert!(portal.answered(&silent, "code").is_some(), "{}", silent.text());
        silent.open(&portal.authorize_url(&[("prompt", "consent")])).await;
        assert!(silent.has("consent-allow"), "asked for by name");
        silent.open(&portal.authorize_url(&[("prompt", "none"), ("scope", "openid email")])).await;
        assert!(portal.answered(&silent, "code").is_some(), "less than was given");

        // Whoever cancels goes back to the portal too.
        let mut stranger = world.browser();
        stranger.open(&portal.authorize_url(&[("state", "s2")])).await;
        stranger.submit("login-cancel", &[]).await;
        assert_eq!(portal.answered(&stranger, "error").as_deref(), Some("access_denied"));
        assert_eq!(portal.answered(&stranger, "state").as_deref(), Some("s2"));
    }
}

#[tokio::test]
async fn state_and_nonce_come_back_whole_in_either_response_mode() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let mut browser = world.browser();
        portal.code(&world, &mut browser, &Person::ANNA).await;
        let odd = format!("{}<\"'&=+%20 é😀#?/>", "x".repeat(350));
        for (state, nonce) in [("s".repeat(128), "n".repeat(384)), (odd.clone(), odd)] {
            browser.open(&portal.authorize_url(&[("state", &state), ("nonce", &nonce)])).await;
            assert_eq!(portal.answered(&browser, "state").as_deref(), Some(state.as_str()));
            assert_eq!(portal.answered(&browser, "iss").as_deref(), Some(world.issuer.as_str()));
            let code = portal.answered(&browser, "code").unwrap();
            let tokens = Tokens(portal.redeem(&code).await.json().await.unwrap());
            assert_eq!(tokens.claims("id_token")["nonce"], json!(nonce));

            // As a form: nothing of the answer stands in a URL.
            let changes = [("state", state.as_str()), ("nonce", &nonce), ("response_mode", "form_post")];
            browser.open(&portal.authorize_url(&changes)).await;
            assert_eq!(browser.page.status, StatusCode::OK);
            let (action, fields) = browser.form_of("form-post");
            assert_eq!(action.as_str(), portal.redirect_uri);
            let field = |name: &str| fields.iter().find(|(known, _)| known == name).unwrap().1.clone();
            assert_eq!((field("state"), field("iss")), (state, world.issuer.clone()));
            assert_eq!(portal.redeem(&field("code")).await.status(), StatusCode::OK);
            let policy = browser.page.headers["content-security-policy"].to_str().unwrap();
            assert!(!policy.contains("form-action"), "{policy}");
        }
        // Errors too.
        browser
            .open(&portal.authorize_url(&[("response_mode", "form_post"), ("response_type", "token")]))
            .await;
        let (action, fields) = browser.form_of("form-post");
        assert_eq!(action.as_str(), portal.redirect_uri);
        assert!(fields.contains(&("error".into(), "unsupported_response_type".into())), "{fields:?}");
        browser.open(&portal.authorize_url(&[("response_mode", "fragment")])).await;
        assert_eq!(portal.answered(&browser, "error").as_deref(), Some("invalid_request"));

        // A request by POST from the portal's own page, without any token of ours.
        let url = Url::parse(&portal.authorize_url(&[])).unwrap();
        let form: Vec<_> = url.query_pairs().into_owned().collect();
        let at = Url::parse(&format!("{}/authorize", world.issuer)).unwrap();
        browser.request(Method::POST, &at, Some(&form)).await;
        assert_eq!(browser.page.status, StatusCode::SEE_OTHER);
        browser.follow().await;
        assert!(portal.answered(&browser, "code").is_some());
    }
}

#[tokio::test]
async fn discovery_says_what_is_true() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let http = world.relying_party().http;
        let get = |path: &str| http.get(format!("{}{path}", world.issuer)).send();
        let answer = get("/.well-known/openid-configuration").await.unwrap();
        assert!(answer.headers()["cache-control"].to_str().unwrap().contains("max-age"));
        let metadata: Value = answer.json().await.unwrap();
        assert_eq!(metadata["issuer"], json!(world.issuer), "to the letter");

        // Every endpoint that it names is there, and none that is there is missing.
        for (name, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("userinfo_endpoint", "/userinfo"),
            ("jwks_uri", "/jwks"),
            ("end_session_endpoint", "/logout"),
        ] {
            assert_eq!(metadata[name], json!(format!("{}{path}", world.issuer)), "{name}");
            assert_ne!(get(path).await.unwrap().status(), StatusCode::NOT_FOUND, "{path}");
        }
        let optional = [
            ("pushed_authorization_request_endpoint", "/par"),
            ("introspection_endpoint", "/introspect"),
            ("revocation_endpoint", "/revoke"),
        ];
        for (name, path) in optional {
            let is_there = get(path).await.unwrap().status() != StatusCode::NOT_FOUND;
            assert_eq!(metadata[name].is_string(), is_there, "{name}");
        }

        assert_eq!(words(&metadata["response_types_supported"]), ["code"]);
        assert_eq!(words(&metadata["response_modes_supported"]), ["query", "form_post"]);
        assert_eq!(
            words(&metadata["grant_types_supported"]),
            ["authorization_code", "refresh_token", "client_credentials"]
        );
        assert_eq!(words(&metadata["code_challenge_methods_supported"]), ["S256"]);
        assert_eq!(words(&metadata["subject_types_supported"]), ["public", "pairwise"]);
        for name in ["authorization_response_iss_parameter_supported", "backchannel_logout_supported"] {
            assert_eq!(metadata[name], json!(true), "{name}");
        }
        assert_eq!(metadata["backchannel_logout_session_supported"], json!(true));
        for (name, supported) in [
            ("request_parameter_supported", true),
            ("claims_parameter_supported", true),
            ("request_uri_parameter_supported", false),
        ] {
            assert_eq!(metadata[name], json!(supported), "{name}");
        }

        // The keys: an algorithm that is named can be verified, and no private part is published.
        let answer = get("/jwks").await.unwrap();
        let etag = answer.headers()["etag"].clone();
        let jwks: Value = answer.json().await.unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        let algorithms: BTreeSet<&str> = keys.iter().map(|key| key["alg"].as_str().unwrap()).collect();
        let named: BTreeSet<&str> =
            words(&metadata["id_token_signing_alg_values_supported"]).into_iter().collect();
        assert_eq!(algorithms, named);
        assert!(named.contains("RS256"));
        let kids: BTreeSet<&str> = keys.iter().map(|key| key["kid"].as_str().unwrap()).collect();
        assert_eq!(kids.len(), keys.len(), "each has a kid of its own");
        for key in keys {
            assert_eq!(key["use"], "sig");
            for private in ["d", "p", "q", "dp", "dq", "qi", "k"] {
                assert!(key[private].is_null(), "{private}");
            }
        }
        let again =
            http.get(format!("{}/jwks", world.issuer)).header("if-none-match", etag).send().await.unwrap();
        assert_eq!(again.status(), StatusCode::NOT_MODIFIED);
    }
}
