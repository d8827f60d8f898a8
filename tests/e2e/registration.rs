//! Clients that register themselves (RFC 7591) and look after themselves (RFC 7592).

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Person, RelyingParty, World};

use crate::keys::{node, serve};
use crate::receiver::verified;

const REDIRECT_URI: &str = "http://127.0.0.1:9999/cb";

struct Registrar {
    http: Client,
    url: String,
}

impl Registrar {
    async fn send(&self, method: Method, path: &str, token: &str, body: &Value) -> (StatusCode, Value) {
        let request = self.http.request(method, format!("{}{path}", self.url)).bearer_auth(token);
        let answer = request.json(body).send().await.unwrap();
        let status = answer.status();
        (status, answer.json().await.unwrap_or_default())
    }
}

async fn world(backend: Backend) -> (World, Registrar) {
    let world = World::with(backend, |config| {
        config.registration.enabled = true;
        config.registration.portal = "tests".into();
    })
    .await;
    let registrar = Registrar { http: Client::new(), url: format!("{}/clients", world.issuer) };
    let hour = Duration::from_hours(1);
    world.idp.store.add_initial_token("initial", "a supplier", 2, hour).await.unwrap();
    (world, registrar)
}

#[tokio::test]
async fn a_client_registers_signs_somebody_in_changes_itself_and_leaves() {
    for backend in Backend::ALL {
        let (world, registrar) = world(backend).await;
        world.add(&Person::ANNA).await;
        let metadata: Value = registrar
            .http
            .get(format!("{}/.well-known/openid-configuration", world.issuer))
            .send()
            .await
            .unwrap()
            .json()
            .await
            .unwrap();
        assert_eq!(metadata["registration_endpoint"], json!(registrar.url));

        let wanted = json!({
            "redirect_uris": [REDIRECT_URI],
            "client_name": "Nieuw portaal",
            "grant_types": ["authorization_code", "refresh_token"],
            "subject_type": "pairwise",
            "token_endpoint_auth_method": "client_secret_basic",
            "something_else": 1,
        });
        let (status, answer) = registrar.send(Method::POST, "", "initial", &wanted).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        assert_eq!(
            (answer["client_secret_expires_at"].clone(), answer.get("something_else")),
            (json!(0), None)
        );

        // Section 3.2.1: the client works at once; people are asked for consent.
        let portal = RelyingParty::new(&world.issuer, &text("client_id"), Some(&text("client_secret")));
        let mut browser = world.browser();
        browser.open(&portal.authorize_url(&[])).await;
        browser.sign_in(&world, &Person::ANNA).await;
        assert!(
            browser.has("consent-allow") && browser.text().contains("Nieuw portaal"),
            "{}",
            browser.text()
        );
        browser.submit("consent-allow", &[]).await;
        let code = portal.answered(&browser, "code").expect("a code");
        let tokens: Value = portal.redeem(&code).await.json().await.unwrap();
        let access_token = tokens["access_token"].as_str().unwrap();
        assert_eq!(portal.userinfo(access_token).await.status(), StatusCode::OK);
        let sub = portal.userinfo(access_token).await.json::<Value>().await.unwrap()["sub"].clone();
        assert_ne!(sub, json!(world.account(&Person::ANNA).await.subject.0), "pairwise");

        // RFC 7592: it reads and replaces its settings with its own token, and nobody else does.
        let (path, own) = (format!("/{}", text("client_id")), text("registration_access_token"));
        assert_eq!(text("registration_client_uri"), format!("{}{path}", registrar.url));
        let (status, read) = registrar.send(Method::GET, &path, &own, &Value::Null).await;
        assert_eq!((status, &read["client_name"]), (StatusCode::OK, &json!("Nieuw portaal")));
        for token in ["initial", "another"] {
            let (status, _) = registrar.send(Method::GET, &path, token, &Value::Null).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{token}");
        }
        let mut changed = wanted.clone();
        changed["client_id"] = json!(text("client_id"));
        changed["client_name"] = json!("Portaal twee");
        let (status, answer) = registrar.send(Method::PUT, &path, &own, &changed).await;
        assert_eq!((status, &answer["client_name"]), (StatusCode::OK, &json!("Portaal twee")), "{answer}");
        assert!(answer.get("client_secret").is_none(), "the secret stays, and is not shown again");
        changed["client_id"] = json!("web");
        assert_eq!(registrar.send(Method::PUT, &path, &own, &changed).await.0, StatusCode::BAD_REQUEST);

        let (status, _) = registrar.send(Method::DELETE, &path, &own, &Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        assert_eq!(portal.userinfo(access_token).await.status(), StatusCode::UNAUTHORIZED);
        let (status, _) = registrar.send(Method::GET, &path, &own, &Value::Null).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn what_a_client_changes_at_one_node_holds_at_the_next_request_to_another() {
    for backend in Backend::ALL {
        let (world, registrar) = world(backend).await;
        let (other, _stop) = serve(&node(&world).await).await;
        let wanted = json!({ "redirect_uris": [REDIRECT_URI], "grant_types": ["authorization_code", "refresh_token"] });
        let (status, answer) = registrar.send(Method::POST, "", "initial", &wanted).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let (id, secret, own) = (text("client_id"), text("client_secret"), text("registration_access_token"));
        let asks = async |origin: &str| {
            let request = registrar.http.post(format!("{origin}/token")).basic_auth(&id, Some(&secret));
            let form = [("grant_type", "refresh_token"), ("refresh_token", "not-one")];
            let answer = request.form(&form).send().await.unwrap();
            let status = answer.status();
            (status, answer.json::<Value>().await.unwrap()["error"].clone())
        };
        // Each node has it in memory now.
        for origin in [&world.issuer, &other, &world.issuer, &other] {
            assert_eq!(asks(origin).await, (StatusCode::BAD_REQUEST, json!("invalid_grant")), "{origin}");
        }

        let mut changed = wanted.clone();
        changed["client_id"] = json!(id);
        changed["grant_types"] = json!(["authorization_code"]);
        let (status, answer) = registrar.send(Method::PUT, &format!("/{id}"), &own, &changed).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        for origin in [&other, &world.issuer] {
            let refused = (StatusCode::BAD_REQUEST, json!("unauthorized_client"));
            assert_eq!(asks(origin).await, refused, "{origin}");
        }

        let (status, _) = registrar.send(Method::DELETE, &format!("/{id}"), &own, &Value::Null).await;
        assert_eq!(status, StatusCode::NO_CONTENT);
        for origin in [&other, &world.issuer] {
            let refused = (StatusCode::UNAUTHORIZED, json!("invalid_client"));
            assert_eq!(asks(origin).await, refused, "{origin}");
        }
    }
}

#[tokio::test]
async fn only_an_initial_access_token_registers_and_only_as_often_as_it_says() {
    for backend in Backend::ALL {
        let (world, registrar) = world(backend).await;
        let wanted = json!({ "redirect_uris": [REDIRECT_URI] });
        assert_eq!(registrar.send(Method::POST, "", "guess", &wanted).await.0, StatusCode::UNAUTHORIZED);
        // What is refused takes no use.
        for (refused, error) in [
            (json!({}), "invalid_redirect_uri"),
            (json!({ "redirect_uris": ["http://rp.example/cb"] }), "invalid_redirect_uri"),
            (json!({ "redirect_uris": ["https://rp.example/cb#fragment"] }), "invalid_redirect_uri"),
            (json!({ "redirect_uris": ["https://rp.example/cb\n"] }), "invalid_redirect_uri"),
            (json!({ "redirect_uris": ["https://rp.example/c b"] }), "invalid_redirect_uri"),
            (
                json!({ "redirect_uris": [REDIRECT_URI], "response_types": ["token"] }),
                "invalid_client_metadata",
            ),
            (
                json!({ "redirect_uris": [REDIRECT_URI], "token_endpoint_auth_method": "private_key_jwt" }),
                "invalid_client_metadata",
            ),
            (
                json!({ "redirect_uris": [REDIRECT_URI], "initiate_login_uri": "http://rp.example/login" }),
                "invalid_client_metadata",
            ),
            (json!({ "redirect_uris": "text" }), "invalid_client_metadata"),
            (json!([]), "invalid_client_metadata"),
        ] {
            let (status, answer) = registrar.send(Method::POST, "", "initial", &refused).await;
            assert_eq!(
                (status, &answer["error"]),
                (StatusCode::BAD_REQUEST, &json!(error)),
                "{refused} {answer}"
            );
        }
        // Of many at once as many win as it has uses.
        let one = || registrar.send(Method::POST, "", "initial", &wanted);
        let (a, b, c, d) = tokio::join!(one(), one(), one(), one());
        let statuses = [a.0, b.0, c.0, d.0];
        assert_eq!(
            statuses.iter().filter(|status| **status == StatusCode::CREATED).count(),
            2,
            "{statuses:?}"
        );
        // It ends by the clock too.
        let minute = Duration::from_mins(1);
        world.idp.store.add_initial_token("short", "a supplier", 2, minute).await.unwrap();
        world.advance(minute);
        assert_eq!(registrar.send(Method::POST, "", "short", &wanted).await.0, StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test]
async fn registration_is_off_unless_it_is_on() {
    let world = World::new(Backend::Embedded).await;
    let answer =
        Client::new().post(format!("{}/clients", world.issuer)).bearer_auth("x").send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn one_address_cannot_flood_the_endpoints_for_clients() {
    let world = World::with(Backend::Embedded, |config| config.limits.client_requests_per_minute = 3).await;
    let http = Client::new();
    let ask = || http.post(format!("{}/par", world.issuer)).form(&[("client_id", "spa")]).send();
    for _ in 0..3 {
        assert_eq!(ask().await.unwrap().status(), StatusCode::BAD_REQUEST);
    }
    let refused = ask().await.unwrap();
    assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
    assert!(refused.headers().contains_key("retry-after"));
    let error: Value = refused.json().await.unwrap();
    assert_eq!(error["error"], "temporarily_unavailable");
}

/// What a browser at `origin` is allowed at `/token`, before and after it asks.
async fn allowed(world: &World, origin: &str) -> [Option<String>; 2] {
    let http = Client::new();
    let url = format!("{}/token", world.issuer);
    let preflight = http.request(Method::OPTIONS, &url).header("access-control-request-method", "POST");
    let mut seen = Vec::new();
    for request in [preflight, http.post(&url).form(&[("grant_type", "x")])] {
        let answer = request.header("origin", origin).send().await.unwrap();
        let header = answer.headers().get("access-control-allow-origin");
        seen.push(header.map(|value| value.to_str().unwrap().to_owned()));
    }
    seen.try_into().unwrap()
}

/// A client in browsers calls from where it runs (Fetch Standard section 3.2), as those of the file do.
#[tokio::test]
async fn a_browser_client_that_registered_itself_may_call_from_its_origin() {
    for backend in Backend::ALL {
        let (world, registrar) = world(backend).await;
        let (spa, moved) = ("https://spa.example", "https://elsewhere.example:8443");
        assert_eq!(allowed(&world, spa).await, [None, None]);
        let metadata = |uris: &[&str], method: &str| json!({ "redirect_uris": uris, "token_endpoint_auth_method": method, "client_name": "Browser" });
        let uris = ["https://spa.example/cb", "https://spa.example/silent", "nl.example.app:/cb"];
        let (status, answer) = registrar.send(Method::POST, "", "initial", &metadata(&uris, "none")).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        let yes = |origin: &str| [Some(origin.to_owned()), Some(origin.to_owned())];
        assert_eq!(allowed(&world, spa).await, yes(spa));
        for other in ["https://spa.example:444", "http://spa.example", "https://x.spa.example", "null", moved]
        {
            assert_eq!(allowed(&world, other).await, [None, None], "{other}");
        }
        // It moves, it becomes a server with a secret, it leaves.
        let path = format!("/{}", answer["client_id"].as_str().unwrap());
        let own = answer["registration_access_token"].as_str().unwrap();
        let put = async |mut body: Value| {
            body["client_id"] = answer["client_id"].clone();
            let (status, answer) = registrar.send(Method::PUT, &path, own, &body).await;
            assert_eq!(status, StatusCode::OK, "{answer}");
        };
        let there = ["https://elsewhere.example:8443/cb"];
        put(metadata(&there, "none")).await;
        assert_eq!(allowed(&world, spa).await, [None, None]);
        assert_eq!(allowed(&world, moved).await, yes(moved));
        put(metadata(&there, "client_secret_basic")).await;
        assert_eq!(allowed(&world, moved).await, [None, None]);
        put(metadata(&there, "none")).await;
        assert_eq!(allowed(&world, moved).await, yes(moved));
        registrar.send(Method::DELETE, &path, own, &Value::Null).await;
        assert_eq!(allowed(&world, moved).await, [None, None]);
    }
}

/// A server of a client's: a picture, a document that only says so, and one that is too large.
async fn pictures() -> String {
    let png = [b"\x89PNG\r\n\x1a\n".as_slice(), b"picture"].concat();
    let large = [png.clone(), vec![0; 70_000]].concat();
    let router = axum::Router::new()
        .route("/logo.png", axum::routing::get(move || async move { png }))
        .route("/large.png", axum::routing::get(move || async move { large }))
        .route("/logo.svg", axum::routing::get(|| async { "<svg onload='alert(1)'/>" }));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

/// OpenID Connect Dynamic Client Registration 1.0 section 2: people see whom they go to, and the client's servers do
/// not see them.
#[tokio::test]
async fn logo_policy_and_terms_of_a_client_stand_on_the_sign_in_page() {
    for backend in Backend::ALL {
        let (world, registrar) = world(backend).await;
        let store = &world.idp.store;
        store.add_initial_token("more", "a supplier", 10, Duration::from_hours(1)).await.unwrap();
        let origin = pictures().await;
        let mut browser = world.browser();
        let name = "<b>Nieuw</b> & portaal";
        for (logo, is_shown) in
            [("/logo.png", true), ("/logo.svg", false), ("/large.png", false), ("/x", false)]
        {
            let wanted = json!({
                "redirect_uris": [REDIRECT_URI],
                "client_name": name,
                "logo_uri": format!("{origin}{logo}"),
                "policy_uri": "https://new.example/privacy?a=1&b='2'",
                "tos_uri": "https://new.example/terms",
            });
            let (status, answer) = registrar.send(Method::POST, "", "more", &wanted).await;
            assert_eq!(status, StatusCode::CREATED, "{answer}");
            assert_eq!(answer["logo_uri"], wanted["logo_uri"]);
            let text = |name: &str| answer[name].as_str().unwrap().to_owned();
            let portal = RelyingParty::new(&world.issuer, &text("client_id"), Some(&text("client_secret")));
            browser.open(&portal.authorize_url(&[])).await;
            assert!(browser.has("login-page") && browser.has("about-client"), "{}", browser.text());
            assert!(browser.text().contains(name), "{}", browser.text());
            let body = browser.page.body.clone();
            assert!(!body.contains("<b>Nieuw"), "{body}");
            for uri in ["https://new.example/privacy?a=1&b='2'", "https://new.example/terms"] {
                assert_eq!(links(&body, uri), 1, "{uri} in {body}");
            }
            // The picture is a copy, and the policy lets the browser fetch none from elsewhere.
            assert!(!body.contains(&origin), "{body}");
            let pictures = pictures_in(&body);
            assert_eq!(pictures.iter().any(|src| src.starts_with("data:image/png;base64,iVBOR")), is_shown);
            let policy = browser.page.headers["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("img-src 'self' data:;"), "{policy}");
        }
        // The portals of the file have a look of their own and say no more than before.
        browser.open(&world.relying_party().authorize_url(&[])).await;
        assert!(browser.has("login-page") && !browser.has("about-client"));
    }
}

fn links(body: &str, uri: &str) -> usize {
    let html = scraper::Html::parse_document(body);
    let anchors = scraper::Selector::parse("a[href]").unwrap();
    html.select(&anchors).filter(|anchor| anchor.attr("href") == Some(uri)).count()
}

fn pictures_in(body: &str) -> Vec<String> {
    let html = scraper::Html::parse_document(body);
    let pictures = scraper::Selector::parse("img").unwrap();
    html.select(&pictures).filter_map(|picture| picture.attr("src").map(str::to_owned)).collect()
}

async fn kinds_of_keys(world: &World) -> std::collections::BTreeSet<String> {
    let jwks: Value = reqwest::get(format!("{}/jwks", world.issuer)).await.unwrap().json().await.unwrap();
    jwks["keys"].as_array().unwrap().iter().map(|key| key["kty"].as_str().unwrap().to_owned()).collect()
}

/// RFC 8037: a kind of key that some clients stop at is there for those who ask for it, from when they do.
#[tokio::test]
async fn a_kind_of_key_that_few_know_is_published_where_a_client_asks_for_it() {
    const DAY: Duration = Duration::from_hours(24);
    for backend in Backend::ALL {
        let (world, registrar) = world(backend).await;
        world.add(&Person::ANNA).await;
        let (few, all) =
            (["EC", "RSA"].map(str::to_owned).into(), ["EC", "OKP", "RSA"].map(str::to_owned).into());
        assert_eq!(kinds_of_keys(&world).await, few);
        let wanted = json!({ "redirect_uris": [REDIRECT_URI], "id_token_signed_response_alg": "EdDSA" });
        let (status, answer) = registrar.send(Method::POST, "", "initial", &wanted).await;
        assert_eq!(status, StatusCode::CREATED, "{answer}");
        assert_eq!(kinds_of_keys(&world).await, all);
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        let portal = RelyingParty::new(&world.issuer, &text("client_id"), Some(&text("client_secret")));
        let mut browser = world.browser();
        browser.open(&portal.authorize_url(&[])).await;
        browser.sign_in(&world, &Person::ANNA).await;
        browser.submit("consent-allow", &[]).await;
        let code = portal.answered(&browser, "code").expect("a code");
        let tokens = tests::Tokens(portal.redeem(&code).await.json().await.unwrap());
        let (header, _) = verified(&world.issuer, tokens.get("id_token")).await;
        assert_eq!(header.alg, jsonwebtoken::Algorithm::EdDSA);

        // As long as it is there; and two days after, for what was signed.
        for _ in 0..3 {
            world.advance(DAY);
            world.idp.note_asked_algorithms().await.unwrap();
            assert_eq!(kinds_of_keys(&world).await, all);
        }
        let own = text("registration_access_token");
        registrar.send(Method::DELETE, &format!("/{}", text("client_id")), &own, &Value::Null).await;
        for expected in [&all, &few] {
            world.idp.note_asked_algorithms().await.unwrap();
            assert_eq!(kinds_of_keys(&world).await, *expected);
            world.advance(2 * DAY);
        }

        // A client of the file needs no more than to stand there; signed userinfo counts as well.
        for alg in ["id_token_signed_response_alg", "userinfo_signed_response_alg"] {
            let world = World::with(backend, |config| {
                let client = &mut config.portals.last_mut().unwrap().clients[0];
                let alg_of = if alg.starts_with("id") {
                    &mut client.id_token_signed_response_alg
                } else {
                    &mut client.userinfo_signed_response_alg
                };
                *alg_of = Some(idp::config::SigningAlgorithm::EdDsa);
            })
            .await;
            assert_eq!(kinds_of_keys(&world).await, all, "{alg}");
        }
    }
}

/// Back-Channel Logout 1.0 section 2.1: who has no logout is not told of the session; password managers find their page.
#[tokio::test]
async fn only_clients_with_a_logout_learn_the_session_and_the_password_page_is_well_known() {
    for backend in Backend::ALL {
        let (world, _) = world(backend).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        let with = world.relying_party().tokens(&world, &mut browser, &Person::ANNA).await;
        assert!(with.claims("id_token")["sid"].is_string());
        let portal = RelyingParty::new(&world.issuer, "web-es256", Some("web-secret"));
        let without = portal.tokens(&world, &mut browser, &Person::ANNA).await;
        assert_eq!(without.claims("id_token").get("sid"), None);
        // Its ID token is still a hint of who is meant.
        let hint = [("prompt", "none"), ("id_token_hint", without.get("id_token"))];
        browser.open(&portal.authorize_url(&hint)).await;
        assert!(portal.answered(&browser, "code").is_some());

        browser.open(&format!("{}/.well-known/change-password", world.issuer)).await;
        assert_eq!(browser.page.url.path(), "/account/password");
        let nothing = "resource-that-should-not-exist-whose-status-code-should-not-be-200";
        browser.open(&format!("{}/.well-known/{nothing}", world.issuer)).await;
        assert_eq!(browser.page.status, 404);
    }
}
