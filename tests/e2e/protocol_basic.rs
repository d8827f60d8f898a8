//! The certification modules of the Basic and Form Post profiles that no other story tells: static clients, most of
//! them without PKCE, in either response mode.

use std::collections::BTreeSet;
use std::time::Duration;

use idp::config::{Client, TokenEndpointAuthMethod};
use platform::config::Secret;
use platform::db::Query;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Browser, Person, RelyingParty, Tokens, World};
use url::Url;

use crate::protocol_acts::refused;

const MODES: [&str; 2] = ["query", "form_post"];

/// What came back to the client, and how: nothing of a form's answer stands in a URL.
fn answer(portal: &RelyingParty, browser: &Browser, mode: &str) -> Vec<(String, String)> {
    if mode == "query" {
        return portal.answer(browser);
    }
    assert_eq!(browser.page.status, StatusCode::OK, "{}", browser.text());
    let (action, fields) = browser.form_of("form-post");
    assert_eq!(action.as_str(), portal.redirect_uri);
    for secret in fields.iter().filter(|(name, _)| name == "code") {
        assert!(!browser.history.iter().any(|url| url.as_str().contains(&secret.1)), "a code in a URL");
    }
    fields
}

fn answered(portal: &RelyingParty, browser: &Browser, mode: &str, name: &str) -> Option<String> {
    answer(portal, browser, mode).into_iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// `no-pkce` as the plan's first client, without PKCE and in one mode.
struct Plain {
    portal: RelyingParty,
    mode: &'static str,
}

impl Plain {
    fn new(world: &World, mode: &'static str) -> Self {
        Self { portal: RelyingParty::new(&world.issuer, "no-pkce", Some("web-secret")), mode }
    }

    fn url(&self, changes: &[(&str, &str)]) -> String {
        let mut all =
            vec![("code_challenge", ""), ("code_challenge_method", ""), ("response_mode", self.mode)];
        all.extend(changes);
        self.portal.authorize_url(&all)
    }

    async fn code(&self, world: &World, browser: &mut Browser, changes: &[(&str, &str)]) -> String {
        browser.open(&self.url(changes)).await;
        if browser.has("login-page") {
            browser.sign_in(world, &Person::ANNA).await;
        }
        answered(&self.portal, browser, self.mode, "code")
            .unwrap_or_else(|| panic!("no code for {changes:?}"))
    }

    async fn redeem(&self, code: &str) -> Tokens {
        let form = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", &self.portal.redirect_uri),
        ];
        let answer = self.portal.token(&form).await;
        assert_eq!(answer.status(), StatusCode::OK);
        Tokens(answer.json().await.unwrap())
    }

    async fn tokens(&self, world: &World, browser: &mut Browser, changes: &[(&str, &str)]) -> Tokens {
        let code = self.code(world, browser, changes).await;
        self.redeem(&code).await
    }
}

/// oidcc-server, -ensure-request-without-nonce, -alternate-happy-flow, -ensure-request-with-unknown-parameter, -display,
/// -ui-locales, -claims-locales, -login-hint, -ensure-request-with-acr-values, -response-type-missing.
#[tokio::test]
async fn a_plain_client_is_answered_in_either_mode() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut codes = BTreeSet::new();
        for mode in MODES {
            let client = Plain::new(&world, mode);
            let mut browser = world.browser();
            let code = client.code(&world, &mut browser, &[("scope", "openid")]).await;
            // RFC 6749 section 10.10: not to be guessed.
            assert!(code.len() >= 43 && codes.insert(code.clone()), "256 bits");
            let names: Vec<_> =
                answer(&client.portal, &browser, mode).into_iter().map(|(name, _)| name).collect();
            let expected = ["code", "state", "iss"];
            assert!(expected.iter().all(|name| names.iter().any(|known| known == name)), "{names:?}");
            assert_eq!(names.len(), expected.len(), "and nothing else: {names:?}");
            let tokens = client.redeem(&code).await;
            assert_eq!((tokens.get("token_type"), &tokens.0["expires_in"]), ("Bearer", &json!(300)));

            // The nonce is optional; without one there is none.
            let without = client.tokens(&world, &mut browser, &[("nonce", "")]).await;
            assert!(without.claims("id_token").get("nonce").is_none());
            // State too (RFC 6749 section 4.1.1).
            browser.open(&client.url(&[("state", "")])).await;
            assert_eq!(answered(&client.portal, &browser, mode, "state"), None);

            // What may stand in a request besides, in any order, is no error.
            for changes in [
                [("scope", "email openid phone profile")],
                [("display", "page")],
                [("display", "popup")],
                [("ui_locales", "se")],
                [("ui_locales", "de en nl")],
                [("claims_locales", "se")],
                [("login_hint", "buffy@example.com")],
                [(
                    "acr_values",
                    "urn:voordeur:acr:password urn:voordeur:acr:known-device urn:voordeur:acr:code",
                )],
                [("extra", "foobar")],
                [("max_age", "10000")],
            ] {
                let claims = client.tokens(&world, &mut browser, &changes).await.claims("id_token");
                assert_eq!(claims["acr"], "urn:voordeur:acr:code", "one of those that are supported");
            }
            let mut url = Url::parse(&client.url(&[])).unwrap();
            let mut pairs: Vec<_> = url.query_pairs().into_owned().collect();
            pairs.reverse();
            url.query_pairs_mut().clear().extend_pairs(pairs);
            browser.open(url.as_str()).await;
            assert!(answered(&client.portal, &browser, mode, "code").is_some());

            // Errors come the same way.
            for (changes, error) in [
                ([("response_type", "")], "invalid_request"),
                ([("response_type", "code token")], "unsupported_response_type"),
                ([("prompt", "none login")], "invalid_request"),
            ] {
                browser.open(&client.url(&changes)).await;
                assert_eq!(answered(&client.portal, &browser, mode, "error").as_deref(), Some(error));
                assert_eq!(answered(&client.portal, &browser, mode, "state").as_deref(), Some("the-state"));
            }
            let mut stranger = world.browser();
            stranger.open(&client.url(&[("prompt", "none")])).await;
            let error = answered(&client.portal, &stranger, mode, "error");
            assert_eq!(error.as_deref(), Some("login_required"));
            stranger.open(&client.url(&[("login_hint", "buffy@example.com")])).await;
            let (_, fields) = stranger.form_of("login-submit");
            assert!(fields.contains(&("email".into(), "buffy@example.com".into())), "{fields:?}");
            stranger.submit("login-cancel", &[]).await;
            assert_eq!(answered(&client.portal, &stranger, mode, "error").as_deref(), Some("access_denied"));
        }
        // A request by POST, without cookies of ours at all; then the person signs in.
        let client = Plain::new(&world, "form_post");
        let url = Url::parse(&client.url(&[])).unwrap();
        let form: Vec<_> = url.query_pairs().into_owned().collect();
        let mut stranger = world.browser();
        let at = Url::parse(&format!("{}/authorize", world.issuer)).unwrap();
        stranger.request(Method::POST, &at, Some(&form)).await;
        stranger.follow().await;
        stranger.sign_in(&world, &Person::ANNA).await;
        assert!(answered(&client.portal, &stranger, "form_post", "code").is_some());
    }
}

/// oidcc-prompt-login, -prompt-none-logged-in, -max-age-1, -max-age-10000, -id-token-hint.
#[tokio::test]
async fn auth_time_is_the_time_of_the_password_in_either_mode() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        for mode in MODES {
            let client = Plain::new(&world, mode);
            let mut browser = world.browser();
            let first = client.tokens(&world, &mut browser, &[("max_age", "10000")]).await;
            let claims = first.claims("id_token");
            world.advance(Duration::from_secs(2));
            let hint = first.get("id_token").to_owned();
            for changes in [
                vec![("max_age", "10000")],
                vec![("prompt", "none")],
                vec![("prompt", "none"), ("id_token_hint", hint.as_str())],
            ] {
                let again = client.tokens(&world, &mut browser, &changes).await.claims("id_token");
                assert_eq!((&again["sub"], &again["auth_time"]), (&claims["sub"], &claims["auth_time"]));
            }
            for changes in [[("max_age", "1")], [("prompt", "login")]] {
                world.advance(Duration::from_secs(2));
                browser.open(&client.url(&changes)).await;
                assert!(browser.has("login-page"), "{changes:?}: {}", browser.text());
                browser.give_password(&Person::ANNA).await;
                let code = answered(&client.portal, &browser, mode, "code").unwrap();
                let later = client.redeem(&code).await.claims("id_token");
                assert_eq!(later["auth_time"], json!(world.clock.now().seconds()), "{changes:?}");
                assert_eq!(later["sub"], claims["sub"]);
            }
            world.advance(Duration::from_mins(2));
        }
    }
}

/// oidcc-scope-profile, -email, -address, -phone, -all: every standard claim, of its type (OpenID Connect Core
/// sections 5.1 and 5.4).
#[tokio::test]
async fn every_standard_claim_comes_with_its_scope_and_of_its_type() {
    const PROFILE: &str = "name family_name given_name middle_name nickname preferred_username profile picture \
         website gender birthdate zoneinfo locale updated_at";
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let more = json!({
            "middle_name": "van", "nickname": "An", "profile": "https://anna.example/", "gender": "female",
            "picture": "https://anna.example/me.png", "website": "https://anna.example/", "zoneinfo": "Europe/Amsterdam",
            "birthdate": "1950-02-28",
            "address": { "street_address": "Dorpsstraat 1", "postal_code": "1234 AB", "locality": "Utrecht", "country": "NL" },
        });
        let mut write = world.idp.store.begin_write().await.unwrap();
        world.idp.store.set_claims(&mut write, &anna.id, more.as_object().unwrap()).await.unwrap();
        Query::new("UPDATE accounts SET username = 'anna' WHERE id = $1")
            .bind(&anna.id.0)
            .execute(&mut write)
            .await
            .unwrap();
        write.commit().await.unwrap();
        for mode in MODES {
            let client = Plain::new(&world, mode);
            let mut browser = world.browser();
            client.code(&world, &mut browser, &[]).await;
            for (scope, names) in [
                ("openid", String::new()),
                ("openid profile", PROFILE.to_owned()),
                ("openid email", "email email_verified".to_owned()),
                ("openid address", "address".to_owned()),
                ("openid phone", "phone_number phone_number_verified".to_owned()),
                (
                    "openid profile email address phone",
                    format!("{PROFILE} email email_verified address phone_number phone_number_verified"),
                ),
            ] {
                let tokens = client.tokens(&world, &mut browser, &[("scope", scope)]).await;
                let person: Value =
                    client.portal.userinfo(tokens.get("access_token")).await.json().await.unwrap();
                let known: BTreeSet<&str> = person.as_object().unwrap().keys().map(String::as_str).collect();
                let expected: BTreeSet<&str> = names.split_whitespace().chain(["sub"]).collect();
                assert_eq!(known, expected, "{scope}");
                for (name, value) in person.as_object().unwrap() {
                    let is_right = match name.as_str() {
                        "updated_at" => value.is_i64(),
                        "email_verified" | "phone_number_verified" => value.is_boolean(),
                        "address" => value["locality"] == "Utrecht",
                        _ => value.as_str().is_some_and(|text| !text.is_empty()),
                    };
                    assert!(is_right, "{name}: {value}");
                }
                // Never in the ID token with response type code (section 5.4).
                let minimal = "iss sub aud exp iat auth_time nonce acr amr azp sid at_hash";
                let claims = tokens.claims("id_token");
                for name in claims.as_object().unwrap().keys() {
                    assert!(minimal.split(' ').any(|known| known == name), "{name} in an ID token");
                }
                world.advance(Duration::from_secs(1));
            }
            world.advance(Duration::from_mins(2));
        }
    }
}

/// oidcc-server-client-secret-post, -refresh-token, -codereuse-30seconds.
#[tokio::test]
async fn a_client_with_its_secret_in_the_form_signs_in_refreshes_and_reuses_no_code() {
    for backend in Backend::ALL {
        let post = Client {
            client_id: "post".into(),
            client_secret: Some(Secret::Literal("post-secret".into())),
            token_endpoint_auth_method: TokenEndpointAuthMethod::ClientSecretPost,
            require_pkce: false,
            redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
            ..Client::default()
        };
        let world = World::with_clients(backend, vec![post]).await;
        world.add(&Person::ANNA).await;
        let portal = RelyingParty::new(&world.issuer, "post", None);
        let mut browser = world.browser();
        let code = async |browser: &mut Browser| {
            let bare = [("code_challenge", ""), ("code_challenge_method", ""), ("prompt", "consent")];
            browser.open(&portal.authorize_url(&bare)).await;
            if browser.has("login-page") {
                browser.sign_in(&world, &Person::ANNA).await;
            }
            portal.answered(browser, "code").unwrap()
        };
        let secret = ("client_secret", "post-secret");
        let redeem = async |code: &str| {
            let grant = ("grant_type", "authorization_code");
            portal.token(&[grant, ("code", code), ("redirect_uri", &portal.redirect_uri), secret]).await
        };
        let first = code(&mut browser).await;
        let tokens = Tokens(redeem(&first).await.json().await.unwrap());
        world.advance(Duration::from_secs(1));
        let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token")), secret];
        let answer = portal.token(&form).await;
        assert_eq!(
            (answer.status(), &answer.headers()["cache-control"]),
            (StatusCode::OK, &"no-store".parse().unwrap())
        );
        let renewed = Tokens(answer.json().await.unwrap());
        let (old, new) = (tokens.claims("id_token"), renewed.claims("id_token"));
        for name in ["iss", "sub", "aud", "azp", "auth_time"] {
            assert_eq!(old[name], new[name], "{name}");
        }
        assert!(new["iat"].as_i64() > old["iat"].as_i64());
        // Another client's refresh token.
        let plain = Plain::new(&world, "query").portal;
        let form = [("grant_type", "refresh_token"), ("refresh_token", renewed.get("refresh_token"))];
        assert_eq!(refused(plain.token(&form).await).await, (400, "invalid_grant".into()));

        // A code again, at once and after half a minute; its first tokens are dead then.
        for wait in [0, 30] {
            let code = code(&mut browser).await;
            let tokens = Tokens(redeem(&code).await.json().await.unwrap());
            world.advance(Duration::from_secs(wait));
            assert_eq!(refused(redeem(&code).await).await, (400, "invalid_grant".into()));
            let answer = portal.userinfo(tokens.get("access_token")).await;
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
    }
}

/// OpenID Connect Core section 3.1.2.1: a request by POST comes as a body, and a body may hold what a URL cannot.
#[tokio::test]
async fn a_posted_request_arrives_whole_in_a_browser_without_cookies() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let client = Plain::new(&world, "query");
        let url = Url::parse(&client.url(&[("state", "")])).unwrap();
        let at = format!("{}/authorize", world.issuer);
        for (raw, state) in [
            ("a\nb", "a\nb"),
            ("a#b", "a#b"),
            ("a?b", "a?b"),
            ("\u{e9}", "\u{e9}"),
            ("a\r\nx: y", "a\r\nx: y"),
        ] {
            let body = format!("state={raw}&{}", url.query().unwrap());
            let http =
                reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build();
            let request = http.unwrap().post(&at).header("content-type", "application/x-www-form-urlencoded");
            let answer = request.body(body).send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::SEE_OTHER, "{raw:?}");
            let mut browser = world.browser();
            browser
                .open(
                    answer.headers()["location"]
                        .to_str()
                        .map(|to| format!("{}{to}", world.issuer))
                        .unwrap()
                        .as_str(),
                )
                .await;
            browser.submit("login-cancel", &[]).await;
            assert_eq!(client.portal.answered(&browser, "state").as_deref(), Some(state), "{raw:?}");
        }
    }
}
