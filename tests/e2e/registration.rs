//! Clients that register themselves (RFC 7591) and look after themselves (RFC 7592).

use std::time::Duration;

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Person, RelyingParty, World};

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
