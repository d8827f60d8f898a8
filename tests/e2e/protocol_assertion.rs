//! Client authentication with a key: `private_key_jwt` (RFC 7523, OpenID Connect Core section 9).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use idp::config::{Client, SigningAlgorithm};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tests::{Backend, Key, Person, SigningClient, World, borrowed};

use crate::protocol_acts::{fapi, refused};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `lenient` accepts the audiences of RFC 7523, `strict` the issuer alone; the key of `strict` is of its profile.
async fn world(backend: Backend) -> (World, SigningClient, SigningClient) {
    let key = Key::new(SigningAlgorithm::Es256);
    let (strict_key, strict) = fapi("strict", SigningAlgorithm::Es256);
    let world = World::with_clients(backend, vec![key.client("lenient"), strict]).await;
    world.add(&Person::ANNA).await;
    let dpop = Key::new(SigningAlgorithm::Es256);
    let lenient = SigningClient::new(&world, "lenient", &key, None);
    let strict = SigningClient::new(&world, "strict", &strict_key, Some(&dpop));
    (world, lenient, strict)
}

/// What `/par` and `/token` answer to an assertion. A refresh token that nobody has: authentication comes first.
async fn at_both(client: &SigningClient, assertion: impl Fn() -> String) -> [(u16, String); 2] {
    let proof = |path: &str| client.dpop.iter().map(|_| client.proof("POST", path, None)).collect::<Vec<_>>();
    let parameters = client.parameters(&[("state", "")]);
    let par = client.send_as(&assertion(), "/par", &borrowed(&parameters), &proof("/par")).await;
    let par = if par.status() == StatusCode::CREATED { (201, String::new()) } else { refused(par).await };
    let form = [("grant_type", "refresh_token"), ("refresh_token", "nobodys")];
    [par, refused(client.send_as(&assertion(), "/token", &form, &proof("/token")).await).await]
}

fn accepted() -> [(u16, String); 2] {
    [(201, String::new()), (400, "invalid_grant".into())]
}

fn no_client() -> [(u16, String); 2] {
    [(401, "invalid_client".into()), (401, "invalid_client".into())]
}

/// RFC 7523 section 3; FAPI 2.0 Security Profile section 5.3.2.1 for the audience.
#[tokio::test]
async fn an_assertion_is_for_this_issuer_now_and_by_the_clients_key() {
    for backend in Backend::ALL {
        let (world, lenient, strict) = world(backend).await;
        let (now, issuer) = (world.clock.now().seconds(), world.issuer.as_str());
        for client in [&lenient, &strict] {
            let id = client.portal.client_id.as_str();
            for changes in [
                json!({}),
                json!({ "nbf": now + 8, "iat": now + 8 }),
                json!({ "exp": now + 600 }),
                json!({ "iat": null }),
                json!({ "extra": { "deep": [1] } }),
            ] {
                assert_eq!(
                    at_both(client, || client.assertion(&changes)).await,
                    accepted(),
                    "{id} {changes}"
                );
            }
            for changes in [
                json!({ "nbf": now + 61 }),
                json!({ "iat": now + 61 }),
                json!({ "exp": now - 300 }),
                json!({ "exp": null }),
                json!({ "exp": "tomorrow" }),
                json!({ "jti": null }),
                json!({ "sub": null }),
                json!({ "iss": null }),
                json!({ "iss": "web" }),
                json!({ "sub": "web" }),
                json!({ "sub": if id == "strict" { "lenient" } else { "strict" } }),
                json!({ "aud": null }),
                json!({ "aud": [] }),
                json!({ "aud": "https://other.example" }),
                json!({ "aud": format!("{issuer}/authorize") }),
                json!({ "aud": ["https://other.example"] }),
            ] {
                assert_eq!(
                    at_both(client, || client.assertion(&changes)).await,
                    no_client(),
                    "{id} {changes}"
                );
            }
            // By another key, under the name of the right one too; by none; changed after it was signed.
            let mut other = client.clone();
            other.key = Key::new(SigningAlgorithm::Es256);
            assert_eq!(at_both(client, || other.assertion(&json!({}))).await, no_client());
            let kid = client.key.public()["kid"].clone();
            let header = json!({ "alg": "ES256", "kid": kid });
            let claims = || {
                let text = client.assertion(&json!({}));
                jsonwebtoken::dangerous::insecure_decode::<Value>(&text).unwrap().claims
            };
            assert_eq!(at_both(client, || other.key.sign_with_header(&header, &claims())).await, no_client());
            for header in [
                json!({ "alg": "none" }),
                json!({ "alg": "HS256", "kid": kid }),
                json!({ "alg": "RS256", "kid": kid }),
                json!({ "alg": "ES256", "kid": kid, "jwk": other.key.public() }),
                json!({ "alg": "ES256", "kid": kid, "crit": ["b64"], "b64": false }),
            ] {
                let made = || client.key.sign_with_header(&header, &claims());
                assert_eq!(at_both(client, made).await, no_client(), "{header}");
            }
            for text in ["", "x", "a.b.c", "e30.e30.", "e30.e30.e30"] {
                assert_eq!(at_both(client, || text.to_owned()).await, no_client(), "{text}");
            }
        }
        // RFC 7523 section 3 lets a client address the token endpoint; a strict client names the issuer, as text.
        for audience in [
            json!([issuer]),
            json!([issuer, "https://other.example"]),
            json!(format!("{issuer}/token")),
            json!([format!("{issuer}/token")]),
        ] {
            let changes = json!({ "aud": audience });
            assert_eq!(at_both(&lenient, || lenient.assertion(&changes)).await, accepted(), "{changes}");
            assert_eq!(at_both(&strict, || strict.assertion(&changes)).await, no_client(), "{changes}");
        }
        let changes = json!({ "aud": format!("{issuer}/par") });
        let [par, token] = at_both(&lenient, || lenient.assertion(&changes)).await;
        assert_eq!((par.0, token.0), (201, 401), "the URL of this endpoint, not of another");
        assert_eq!(at_both(&strict, || strict.assertion(&changes)).await, no_client());
    }
}

/// RFC 7523 section 3, item 7; T40.
#[tokio::test]
async fn t40_an_assertion_is_used_once_at_whichever_endpoint() {
    for backend in Backend::ALL {
        let (_world, lenient, strict) = world(backend).await;
        for client in [&lenient, &strict] {
            let once = client.assertion(&json!({}));
            let [par, token] = at_both(client, || once.clone()).await;
            assert_eq!((par.0, token), (201, (401, "invalid_client".into())));
            // Another assertion with the same jti is the same one.
            let again = || client.assertion(&json!({ "jti": "the-same" }));
            let [par, token] = at_both(client, again).await;
            assert_eq!((par.0, token), (201, (401, "invalid_client".into())));
        }
        // The number is each client's own: both have used it, and each only once.
        let one = lenient.assertion(&json!({ "jti": "shared" }));
        let two = strict.assertion(&json!({ "jti": "shared" }));
        assert_eq!(at_both(&lenient, || one.clone()).await[0].0, 201);
        assert_eq!(at_both(&strict, || two.clone()).await[0].0, 201);
        // At the same moment: one.
        let assertion = lenient.assertion(&json!({}));
        let parameters = lenient.parameters(&[]);
        let form = borrowed(&parameters);
        let push = || lenient.send_as(&assertion, "/par", &form, &[]);
        let (a, b, c) = tokio::join!(push(), push(), push());
        let taken = [a, b, c].iter().filter(|answer| answer.status() == StatusCode::CREATED).count();
        assert_eq!(taken, 1);
    }
}

/// RFC 6749 section 2.3, RFC 7521 section 4.2: one client, one method, its own.
#[tokio::test]
async fn a_client_authenticates_by_its_own_method_and_as_one_client() {
    for backend in Backend::ALL {
        let key = Key::new(SigningAlgorithm::Es256);
        let post: Client = Client {
            client_id: "post".into(),
            client_secret: Some(platform::config::Secret::Literal("post-secret".into())),
            token_endpoint_auth_method: idp::config::TokenEndpointAuthMethod::ClientSecretPost,
            redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
            ..Client::default()
        };
        let world = World::with_clients(backend, vec![key.client("signer"), post]).await;
        let client = SigningClient::new(&world, "signer", &key, None);
        let (grant, token) = (("grant_type", "refresh_token"), ("refresh_token", "nobodys"));
        let assertion = || client.assertion(&json!({}));
        let typed = ("client_assertion_type", ASSERTION_TYPE);

        // The assertion needs its type; the name beside it must be the same one.
        for (form, error) in [
            (vec![grant, token], (401, "invalid_client")),
            (vec![grant, token, ("client_id", "signer")], (401, "invalid_client")),
            (vec![grant, token, ("client_id", "signer"), typed], (401, "invalid_client")),
            (vec![grant, token, ("client_id", "signer"), ("client_secret", "")], (401, "invalid_client")),
            (vec![grant, token, ("client_id", "signer"), ("client_secret", "x")], (401, "invalid_client")),
            (
                vec![grant, token, ("client_id", "post"), ("client_secret", "post-secret")],
                (400, "invalid_grant"),
            ),
            (vec![grant, token, ("client_id", "post"), ("client_secret", "wrong")], (401, "invalid_client")),
            (vec![grant, token, ("client_id", "post")], (401, "invalid_client")),
            (
                vec![grant, token, ("client_id", "web"), ("client_secret", "web-secret")],
                (401, "invalid_client"),
            ),
            (vec![grant, token, ("client_id", "nobody"), ("client_secret", "x")], (401, "invalid_client")),
            (vec![grant, token, ("client_id", "spa"), ("client_secret", "x")], (401, "invalid_client")),
            (vec![grant, token, ("client_id", "spa")], (400, "invalid_grant")),
        ] {
            let answer = refused(client.send("/token", &form, &[]).await).await;
            assert_eq!((answer.0, answer.1.as_str()), error, "{form:?}");
        }
        let with = |extra: Vec<(&'static str, String)>| {
            let mut form = vec![(grant.0, grant.1.to_owned()), (token.0, token.1.to_owned())];
            form.extend(extra);
            let request = client.portal.http.post(format!("{}/token", world.issuer));
            request.form(&form)
        };
        let kind = || (typed.0, typed.1.to_owned());
        let signed = || ("client_assertion", assertion());
        let named = |id: &str| ("client_id", id.to_owned());
        let secret = || ("client_secret", "x".to_owned());
        let other_type =
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer".into());
        for (request, expected) in [
            (with(vec![kind(), signed(), named("signer")]), (400, "invalid_grant")),
            (with(vec![kind(), signed()]), (400, "invalid_grant")),
            (with(vec![signed()]), (401, "invalid_client")),
            (with(vec![other_type, signed()]), (401, "invalid_client")),
            (with(vec![kind(), signed(), named("post")]), (401, "invalid_client")),
            (with(vec![kind(), signed(), secret()]), (400, "invalid_request")),
            (with(vec![kind(), signed()]).basic_auth("signer", Some("x")), (400, "invalid_request")),
            (with(vec![]).basic_auth("signer", Some("x")), (401, "invalid_client")),
            (with(vec![]).basic_auth("post", Some("post-secret")), (401, "invalid_client")),
            (with(vec![named("web")]).basic_auth("web", Some("web-secret")), (400, "invalid_grant")),
            (with(vec![named("web-es256")]).basic_auth("web", Some("web-secret")), (401, "invalid_client")),
            (with(vec![]).header("authorization", "Bearer x"), (401, "invalid_client")),
            (with(vec![]).header("authorization", "Basic !"), (401, "invalid_client")),
        ] {
            let what = format!("{request:?}");
            let answer = refused(request.send().await.unwrap()).await;
            assert_eq!((answer.0, answer.1.as_str()), expected, "{what}");
        }
    }
}

/// FAPI 2.0 Security Profile section 5.4.1, OpenID Connect Core section 9: PS256, ES256 and EdDSA; RS256 for
/// clients without that profile; and one that was registered is the only one.
#[tokio::test]
async fn a_client_signs_in_the_algorithms_of_its_profile() {
    for backend in Backend::ALL {
        let keys = SigningAlgorithm::ALL.map(Key::new);
        let mut clients = Vec::new();
        for key in &keys {
            let name = key.algorithm.name();
            clients.push(key.client(&format!("plain-{name}")));
            clients.push(Client {
                profile: Some(idp::config::Profile::Fapi2),
                ..key.client(&format!("fapi-{name}"))
            });
            let only = Some(SigningAlgorithm::Ps256);
            clients.push(Client {
                token_endpoint_auth_signing_alg: only,
                ..key.client(&format!("only-{name}"))
            });
        }
        let world = World::with_clients(backend, clients).await;
        let dpop = Key::new(SigningAlgorithm::EdDsa);
        for key in &keys {
            let name = key.algorithm.name();
            let is_ps = key.algorithm == SigningAlgorithm::Ps256;
            for (kind, good) in [("plain", true), ("fapi", key.algorithm.is_fapi()), ("only", is_ps)] {
                let dpop = (kind == "fapi").then_some(&dpop);
                let client = SigningClient::new(&world, &format!("{kind}-{name}"), key, dpop);
                let expected = if good { accepted() } else { no_client() };
                assert_eq!(
                    at_both(&client, || client.assertion(&json!({}))).await,
                    expected,
                    "{kind} {name}"
                );
            }
        }
        // An RSA key serves the algorithm that was agreed on, whichever padding it could do.
        let rsa = keys[1].used_for(SigningAlgorithm::Rs256);
        let client = SigningClient::new(&world, "fapi-PS256", &rsa, Some(&dpop));
        assert_eq!(at_both(&client, || client.assertion(&json!({}))).await, no_client());
    }
}

/// OpenID Connect Core section 10.1.1: a client changes its keys by publishing others; nobody has to tell the provider.
#[tokio::test]
async fn a_key_that_is_not_known_yet_is_looked_up_where_the_client_publishes_its_keys() {
    for backend in Backend::ALL {
        let [old, new, other] = [0; 3].map(|_| Key::new(SigningAlgorithm::Es256));
        let published = Arc::new(Mutex::new(json!({ "keys": [old.public()] })));
        let answer = Arc::clone(&published);
        let router = axum::Router::new().route(
            "/jwks.json",
            axum::routing::get(move || async move { axum::Json(answer.lock().unwrap().clone()) }),
        );
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let uri = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let client = Client { jwks: None, jwks_uri: Some(uri), ..old.client("rotating") };
        let world = World::with_clients(backend, vec![client]).await;
        let by = |key: &Key| SigningClient::new(&world, "rotating", key, None);
        let is_let_in = async |key: &Key| {
            let client = by(key);
            at_both(&client, || client.assertion(&json!({}))).await == accepted()
        };
        assert!(is_let_in(&old).await && !is_let_in(&other).await);
        // The new one beside the old one, used a moment after somebody tried a key of nobody's.
        *published.lock().unwrap() = json!({ "keys": [old.public(), new.public()] });
        world.advance(Duration::from_secs(11));
        assert!(is_let_in(&new).await && is_let_in(&old).await);
        // The old one is withdrawn.
        *published.lock().unwrap() = json!({ "keys": [new.public()] });
        world.advance(Duration::from_mins(5));
        assert!(is_let_in(&new).await && !is_let_in(&old).await);
    }
}
