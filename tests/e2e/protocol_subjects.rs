//! Who a client knows a person as (OpenID Connect Core section 8), userinfo that is signed (section 5.3.2), and
//! clients that run in a browser of another origin.

use idp::config::{Client, SigningAlgorithm, SubjectType};
use platform::config::Secret;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Person, RelyingParty, Tokens, World};

use crate::receiver::{Receiver, verified};

fn client(client_id: &str) -> Client {
    Client {
        client_id: client_id.into(),
        client_secret: Some(Secret::Literal("web-secret".into())),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        post_logout_redirect_uris: vec!["http://127.0.0.1:9999/bye".into()],
        ..Client::default()
    }
}

fn portal(world: &World, client_id: &str) -> RelyingParty {
    RelyingParty::new(&world.issuer, client_id, Some("web-secret"))
}

/// OpenID Connect Core sections 8 and 8.1.
#[tokio::test]
async fn a_pairwise_subject_is_the_same_within_its_sector_and_another_elsewhere() {
    for backend in Backend::ALL {
        let receiver = Receiver::start().await;
        let pairwise = |id: &str, sector: &str| Client {
            subject_type: SubjectType::Pairwise,
            sector_identifier_uri: Some(sector.to_owned()),
            backchannel_logout_uri: Some(receiver.uri.clone()),
            ..client(id)
        };
        let (red, blue) = ("https://red.example/sector.json", "https://blue.example/sector.json");
        // By its redirect URI the third is of the sector 127.0.0.1.
        let own = Client { sector_identifier_uri: None, ..pairwise("own", red) };
        let clients = vec![pairwise("red-1", red), pairwise("red-2", red), pairwise("blue", blue), own];
        let world = World::with_clients(backend, clients).await;
        let anna = world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        let mut browser = world.browser();
        let mut subjects = Vec::new();
        for id in ["red-1", "red-2", "blue", "own"] {
            let portal = portal(&world, id);
            let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
            let sub = tokens.claims("id_token")["sub"].as_str().unwrap().to_owned();
            assert!(sub.len() >= 32 && sub.len() <= 255 && sub.is_ascii(), "{sub}");
            // The same one in every place.
            assert_eq!(tokens.claims("access_token")["sub"], json!(sub));
            let person: Value = portal.userinfo(tokens.get("access_token")).await.json().await.unwrap();
            assert_eq!(person["sub"], json!(sub));
            let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
            let tokens = Tokens(portal.token(&form).await.json().await.unwrap());
            assert_eq!(tokens.claims("id_token")["sub"], json!(sub));
            let request = portal.http.post(format!("{}/introspect", world.issuer));
            let request = request.basic_auth(id, Some("web-secret"));
            let request = request.form(&[("token", tokens.get("refresh_token"))]);
            let known: Value = request.send().await.unwrap().json().await.unwrap();
            assert_eq!(known["sub"], json!(sub));
            // It is how the client says who it expects.
            let claims = json!({ "id_token": { "sub": { "value": sub } } }).to_string();
            for changes in [("id_token_hint", tokens.get("id_token")), ("claims", claims.as_str())] {
                browser.open(&portal.authorize_url(&[("prompt", "none"), changes])).await;
                assert!(portal.answered(&browser, "code").is_some(), "{id} {}", changes.0);
            }
            // The subject that others know is nobody here.
            let public = json!({ "id_token": { "sub": { "value": anna.subject.0 } } }).to_string();
            browser.open(&portal.authorize_url(&[("prompt", "none"), ("claims", &public)])).await;
            assert_eq!(portal.answered(&browser, "error").as_deref(), Some("login_required"));
            subjects.push((sub, tokens));
        }
        let sub = |at: usize| subjects[at].0.as_str();
        assert_eq!(sub(0), sub(1), "one sector");
        for (one, other) in [(0, 2), (0, 3), (2, 3)] {
            assert_ne!(sub(one), sub(other));
        }
        assert!(subjects.iter().all(|(sub, _)| !sub.contains(&anna.subject.0)));

        // Somebody else is somebody else, in the same sector too.
        let mut other = world.browser();
        let red = portal(&world, "red-1");
        let bram = red.tokens(&world, &mut other, &Person::BRAM).await.claims("id_token");
        assert_ne!(bram["sub"], json!(sub(0)));

        // Each is told of the logout by the name that it knows.
        let logout = format!("{}/logout?id_token_hint={}", world.issuer, subjects[2].1.get("id_token"));
        browser.open(&logout).await;
        assert!(browser.has("logged-out-page"), "{}", browser.text());
        world.deliver().await;
        let mut told = Vec::new();
        for token in receiver.told() {
            let (_, claims) = verified(&world.issuer, &token).await;
            told.push((
                claims["aud"].as_str().unwrap().to_owned(),
                claims["sub"].as_str().unwrap().to_owned(),
            ));
        }
        told.sort();
        let expected: Vec<(String, String)> = [("blue", 2), ("own", 3), ("red-1", 0), ("red-2", 1)]
            .map(|(id, at)| (id.to_owned(), sub(at).to_owned()))
            .to_vec();
        assert_eq!(told, expected);
    }
}

/// OpenID Connect Core section 5.3.2: signed in the client's algorithm, with issuer and audience.
#[tokio::test]
async fn userinfo_is_signed_for_a_client_that_wants_it() {
    for backend in Backend::ALL {
        let clients = SigningAlgorithm::ALL.map(|algorithm| Client {
            userinfo_signed_response_alg: Some(algorithm),
            ..client(algorithm.name())
        });
        let world = World::with_clients(backend, clients.to_vec()).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        for algorithm in SigningAlgorithm::ALL {
            let id = algorithm.name();
            let portal = portal(&world, id);
            let tokens = portal.tokens(&world, &mut browser, &Person::ANNA).await;
            let answer = portal.userinfo(tokens.get("access_token")).await;
            assert_eq!(answer.status(), StatusCode::OK);
            assert_eq!(answer.headers()["content-type"], "application/jwt");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let token = answer.text().await.unwrap();
            let (header, claims) = verified(&world.issuer, &token).await;
            assert_eq!(format!("{:?}", header.alg), id);
            assert_eq!((&claims["iss"], &claims["aud"]), (&json!(world.issuer), &json!(id)));
            assert_eq!(claims["sub"], tokens.claims("id_token")["sub"]);
            assert_eq!(claims["email"], Person::ANNA.email);
            // It opens nothing, and is no hint of an ID token's.
            assert_eq!(portal.userinfo(&token).await.status(), StatusCode::UNAUTHORIZED);
            browser.open(&format!("{}/logout?id_token_hint={token}", world.issuer)).await;
            assert!(browser.has("logout-confirm"), "{}", browser.text());
            assert_eq!(portal.userinfo("x").await.status(), StatusCode::UNAUTHORIZED);
        }
        // Who did not ask for it gets JSON.
        let web = world.relying_party();
        let tokens = web.tokens(&world, &mut browser, &Person::ANNA).await;
        let answer = web.userinfo(tokens.get("access_token")).await;
        assert_eq!(answer.headers()["content-type"], "application/json");
    }
}

fn header<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    answer.headers().get(name).map(|value| value.to_str().unwrap())
}

/// Fetch Standard section 3.2; draft OAuth 2.0 for Browser-Based Applications: only origins of public clients, and
/// never with the browser's credentials.
#[tokio::test]
async fn browsers_may_call_from_the_origins_of_public_clients_only() {
    for backend in Backend::ALL {
        let spa = Client {
            token_endpoint_auth_method: idp::config::TokenEndpointAuthMethod::None,
            client_secret: None,
            redirect_uris: vec!["https://spa.example/cb".into()],
            ..client("page")
        };
        let app = Client { redirect_uris: vec!["https://app.example/cb".into()], ..client("app") };
        let world = World::with_clients(backend, vec![spa, app]).await;
        let http = world.relying_party().http;
        let send = async |method: Method, path: &str, origin: &str| {
            let request = http.request(method, format!("{}{path}", world.issuer)).header("origin", origin);
            let request = request.header("access-control-request-method", "POST");
            request.header("access-control-request-headers", "authorization,dpop").send().await.unwrap()
        };
        let strangers = [
            "https://app.example",
            "https://evil.example",
            "https://spa.example.evil.example",
            "http://spa.example",
            "https://spa.example:444",
            "https://SPA.example",
            "null",
        ];
        for path in ["/token", "/userinfo", "/revoke"] {
            for origin in ["https://spa.example", "http://127.0.0.1:9999"] {
                let answer = send(Method::OPTIONS, path, origin).await;
                assert!(answer.status().is_success(), "{path}");
                assert_eq!(header(&answer, "access-control-allow-origin"), Some(origin));
                let methods = header(&answer, "access-control-allow-methods").unwrap();
                assert!(methods.contains("POST"), "{methods}");
                let headers = header(&answer, "access-control-allow-headers").unwrap().to_lowercase();
                assert!(["authorization", "content-type", "dpop"].iter().all(|name| headers.contains(name)));
                assert_eq!(header(&answer, "access-control-allow-credentials"), None);
                assert!(header(&answer, "vary").unwrap().to_lowercase().contains("origin"));
                // Of the answer itself the client may read why it was refused.
                let answer = send(Method::POST, path, origin).await;
                assert!(answer.status().is_client_error());
                assert_eq!(header(&answer, "access-control-allow-origin"), Some(origin));
                assert_eq!(header(&answer, "access-control-expose-headers"), Some("WWW-Authenticate"));
                assert_eq!(header(&answer, "access-control-allow-credentials"), None);
            }
            for origin in strangers {
                for method in [Method::OPTIONS, Method::POST] {
                    let answer = send(method, path, origin).await;
                    let named =
                        answer.headers().keys().any(|name| name.as_str().starts_with("access-control-"));
                    assert!(!named, "{path} {origin}");
                    assert!(header(&answer, "vary").unwrap().to_lowercase().contains("origin"));
                }
            }
        }
        // Pages, and what only servers call, are for nobody.
        for path in ["/authorize", "/par", "/introspect", "/logout", "/account", "/signin/password"] {
            for method in [Method::OPTIONS, Method::GET, Method::POST] {
                let answer = send(method, path, "https://spa.example").await;
                assert_eq!(header(&answer, "access-control-allow-origin"), None, "{path}");
            }
        }
        // What is public is for everybody, and carries no credentials.
        for path in ["/.well-known/openid-configuration", "/jwks"] {
            let answer = send(Method::GET, path, "https://evil.example").await;
            assert_eq!(header(&answer, "access-control-allow-origin"), Some("*"), "{path}");
            assert_eq!(header(&answer, "access-control-allow-credentials"), None);
        }
    }
}
