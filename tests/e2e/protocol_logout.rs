//! The certification modules of RP-Initiated Logout 1.0, one by one, and of Config OP.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use idp::config::SigningAlgorithm;
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Backend, Browser, Key, Person, World};
use url::Url;

const BYE: &str = "http://127.0.0.1:9999/bye";

pub async fn is_signed_in(world: &World, browser: &Browser) -> bool {
    let portal = world.relying_party();
    let mut browser = browser.clone();
    browser.open(&portal.authorize_url(&[("prompt", "none")])).await;
    let error = portal.answered(&browser, "error");
    assert!(error.is_none() || error.as_deref() == Some("login_required"));
    error.is_none()
}

/// RP-Initiated Logout 1.0 sections 2 to 4.
#[tokio::test]
async fn a_logout_redirects_with_a_good_hint_to_a_registered_uri_only() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let portal = world.relying_party();
        let at = format!("{}/logout", world.issuer);
        let mut signed_in = world.browser();
        let hint = portal.tokens(&world, &mut signed_in, &Person::ANNA).await.get("id_token").to_owned();
        // From now on a silent sign-in proves nothing new, so the session keeps its secret.
        world.advance(std::time::Duration::from_secs(1));
        let (head, signature) = hint.rsplit_once('.').unwrap();
        let (_, payload) = head.split_once('.').unwrap();
        let none = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "typ": "JWT" }).to_string());
        let (unsigned, kept) = (format!("{none}.{payload}."), format!("{none}.{payload}.{signature}"));
        let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
        let foreign = Key::new(SigningAlgorithm::Rs256).sign("JWT", &claims);
        let with = |pairs: &[(&str, &str)]| String::from(Url::parse_with_params(&at, pairs).unwrap());

        // Never a redirect: a question first, or the page that says that it happened.
        for pairs in [
            vec![],
            vec![("state", "s")],
            vec![("post_logout_redirect_uri", BYE)],
            vec![("post_logout_redirect_uri", BYE), ("state", "s")],
            vec![("post_logout_redirect_uri", BYE), ("client_id", "web")],
            vec![
                ("id_token_hint", hint.as_str()),
                ("post_logout_redirect_uri", "http://127.0.0.1:9999/bye?a=1"),
            ],
            vec![("id_token_hint", &hint), ("post_logout_redirect_uri", "http://127.0.0.1:9999/other")],
            vec![("id_token_hint", &hint), ("post_logout_redirect_uri", "http://127.0.0.1:9999/cb")],
            vec![("id_token_hint", &unsigned), ("post_logout_redirect_uri", BYE)],
            vec![("id_token_hint", &kept), ("post_logout_redirect_uri", BYE)],
            vec![("id_token_hint", &foreign), ("post_logout_redirect_uri", BYE)],
            vec![("id_token_hint", "x"), ("post_logout_redirect_uri", BYE)],
        ] {
            let mut browser = signed_in.clone();
            browser.open(&with(&pairs)).await;
            assert_eq!(browser.page.status, StatusCode::OK);
            assert!(browser.has("logout-confirm"), "{pairs:?}: {}", browser.text());
            assert!(is_signed_in(&world, &browser).await, "asked, not done: {pairs:?}");
        }
        // Answered with yes, it happens, and leads nowhere else.
        let mut asked = signed_in.clone();
        asked.open(&with(&[("post_logout_redirect_uri", BYE), ("state", "s")])).await;
        asked.submit("logout-confirm", &[]).await;
        assert!(asked.has("logged-out-page"), "{}", asked.text());
        assert!(!is_signed_in(&world, &signed_in).await);
        // Nobody is signed in: nothing to ask, and still no redirect without a hint.
        asked.open(&with(&[("post_logout_redirect_uri", BYE)])).await;
        assert!(asked.has("logged-out-page"), "{}", asked.text());

        // By GET and by POST, with state and without; the hint expired long ago.
        for by_post in [false, true] {
            for state in [Some("the state & more"), None] {
                world.advance(std::time::Duration::from_mins(10));
                let mut browser = signed_in.clone();
                let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
                world.advance(std::time::Duration::from_mins(10));
                let mut pairs =
                    vec![("id_token_hint", tokens.get("id_token")), ("post_logout_redirect_uri", BYE)];
                pairs.extend(state.map(|state| ("state", state)));
                if by_post {
                    let form: Vec<_> =
                        pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
                    let url = Url::parse(&at).unwrap();
                    browser.request(reqwest::Method::POST, &url, Some(&form)).await;
                    browser.follow().await;
                } else {
                    browser.open(&with(&pairs)).await;
                }
                let back = Url::parse(BYE).unwrap();
                assert_eq!((browser.page.url.host(), browser.page.url.path()), (back.host(), back.path()));
                let answer: Vec<_> = browser.page.url.query_pairs().into_owned().collect();
                let expected: Vec<_> =
                    state.map(|state| ("state".to_owned(), state.to_owned())).into_iter().collect();
                assert_eq!(answer, expected, "the state as it came and nothing else");
                assert!(!is_signed_in(&world, &browser).await);
            }
        }
    }
}

/// OpenID Connect Discovery 1.0 sections 3 and 4.3, RFC 8414 section 2: what the Config OP plan looks at.
#[tokio::test]
async fn the_metadata_is_complete_and_well_formed() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let url = format!("{}/.well-known/openid-configuration", world.issuer);
        let metadata: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
        assert_eq!(metadata["issuer"], json!(url.trim_end_matches("/.well-known/openid-configuration")));
        let list = |name: &str| {
            let list = metadata[name].as_array().unwrap_or_else(|| panic!("{name} is missing"));
            list.iter().map(|value| value.as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert!(list("id_token_signing_alg_values_supported").contains(&"RS256".into()));
        assert!(list("request_object_signing_alg_values_supported").contains(&"RS256".into()));
        assert!(!list("request_object_signing_alg_values_supported").contains(&"none".into()));
        assert!(list("scopes_supported").contains(&"openid".into()));
        assert!(!list("grant_types_supported").is_empty());
        for claim in
            ["sub", "iss", "auth_time", "acr", "name", "email", "address", "phone_number", "updated_at"]
        {
            assert!(list("claims_supported").contains(&claim.into()), "{claim}");
        }
        assert_eq!(list("ui_locales_supported"), ["nl", "en"], "BCP 47");
        // Nothing that no standard knows, nothing that is null, and every address is this server's.
        let known = "issuer authorization_endpoint token_endpoint userinfo_endpoint jwks_uri scopes_supported \
             response_types_supported response_modes_supported grant_types_supported acr_values_supported \
             subject_types_supported id_token_signing_alg_values_supported userinfo_signing_alg_values_supported \
             request_object_signing_alg_values_supported token_endpoint_auth_methods_supported \
             token_endpoint_auth_signing_alg_values_supported display_values_supported claim_types_supported \
             claims_supported ui_locales_supported claims_parameter_supported request_parameter_supported \
             request_uri_parameter_supported require_request_uri_registration end_session_endpoint \
             pushed_authorization_request_endpoint introspection_endpoint revocation_endpoint \
             introspection_endpoint_auth_methods_supported introspection_endpoint_auth_signing_alg_values_supported \
             revocation_endpoint_auth_methods_supported revocation_endpoint_auth_signing_alg_values_supported \
             dpop_signing_alg_values_supported code_challenge_methods_supported prompt_values_supported \
             authorization_response_iss_parameter_supported backchannel_logout_supported \
             backchannel_logout_session_supported";
        for (name, value) in metadata.as_object().unwrap() {
            assert!(known.split_whitespace().any(|known| known == name), "{name} is not registered");
            assert!(!value.is_null(), "{name}");
            if name.ends_with("_endpoint") || name == "jwks_uri" {
                assert!(
                    value.as_str().unwrap().starts_with(&format!("{}/", world.issuer)),
                    "{name}: {value}"
                );
            }
        }
        // The keys of each family that the profiles ask for.
        let jwks: Value =
            reqwest::get(metadata["jwks_uri"].as_str().unwrap()).await.unwrap().json().await.unwrap();
        for (kty, alg) in [("RSA", "RS256"), ("RSA", "PS256"), ("EC", "ES256")] {
            let keys = jwks["keys"].as_array().unwrap();
            assert!(keys.iter().any(|key| key["kty"] == kty && key["alg"] == alg), "{alg}");
        }
    }
}
