//! Apps on phones and desks (RFC 8252): they are called back on a port that the system gave them, or by a scheme of
//! their own.

use idp::config::{Client, TokenEndpointAuthMethod};
use platform::config::Secret;
use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use tests::{Backend, Browser, Person, RelyingParty, World};
use url::{Url, form_urlencoded};

use crate::protocol_acts::{refused, shown};

fn app(client_id: &str, redirect_uris: &[&str]) -> Client {
    Client {
        client_id: client_id.into(),
        token_endpoint_auth_method: TokenEndpointAuthMethod::None,
        redirect_uris: redirect_uris.iter().map(|uri| (*uri).to_owned()).collect(),
        ..Client::default()
    }
}

/// Where a browser that is signed in is sent in the end. It does not go there: nobody listens, or it does not know
/// the scheme.
async fn answer_of(browser: &mut Browser, issuer: &str, url: &str) -> String {
    let mut next = Url::parse(url).unwrap();
    for _ in 0..10 {
        let page = browser.request(Method::GET, &next, None).await;
        let location = page.headers.get(LOCATION).unwrap_or_else(|| panic!("no redirect: {}", page.body));
        let location = location.to_str().unwrap().to_owned();
        if !location.starts_with(['/', '?']) && !location.starts_with(issuer) {
            return location;
        }
        next = next.join(&location).unwrap();
    }
    panic!("redirected in a circle: {next}");
}

fn code_of(answer: &str) -> String {
    let (_, query) = answer.split_once('?').unwrap_or_else(|| panic!("no answer: {answer}"));
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| name == "code").unwrap_or_else(|| panic!("no code: {answer}")).1.into_owned()
}

/// RFC 8252 sections 7.3 and 8.3: any port of this machine by its number, all else to the letter.
#[tokio::test]
async fn an_app_on_this_machine_is_called_back_on_any_port() {
    for backend in Backend::ALL {
        let web = Client {
            client_id: "server".into(),
            client_secret: Some(Secret::Literal("web-secret".into())),
            redirect_uris: vec!["http://127.0.0.1/cb".into()],
            ..Client::default()
        };
        let uris = ["http://127.0.0.1/cb", "http://[::1]:4000/cb?a=1", "http://localhost/cb"];
        let world = World::with_clients(backend, vec![app("desk", &uris), web]).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        world.relying_party().tokens(&world, &mut browser, &Person::ANNA).await;
        let desk = |uri: &str| RelyingParty {
            redirect_uri: uri.to_owned(),
            ..RelyingParty::new(&world.issuer, "desk", None)
        };
        for uri in [
            "http://127.0.0.1/cb",
            "http://127.0.0.1:51004/cb",
            "http://127.0.0.1:1/cb",
            "http://[::1]:4000/cb?a=1",
            "http://[::1]:65535/cb?a=1",
            "http://[::1]/cb?a=1",
            "http://localhost/cb",
        ] {
            let portal = desk(uri);
            let answer = answer_of(&mut browser, &world.issuer, &portal.authorize_url(&[])).await;
            let separator = if uri.contains('?') { '&' } else { '?' };
            assert!(answer.starts_with(&format!("{uri}{separator}")), "{uri}: {answer}");
            // The code is for that port, to the letter.
            let code = code_of(&answer);
            if uri.contains(":51004") {
                let other =
                    RelyingParty { redirect_uri: "http://127.0.0.1:51005/cb".into(), ..portal.clone() };
                assert_eq!(refused(other.redeem(&code).await).await, (400, "invalid_grant".into()));
            } else {
                assert_eq!(portal.redeem(&code).await.status(), StatusCode::OK, "{uri}");
            }
        }
        for uri in [
            "http://localhost:51004/cb",
            "http://127.0.0.1:51004/",
            "http://127.0.0.1:51004/cb/",
            "http://127.0.0.1:51004/cb?a=1",
            "http://127.0.0.1:51004/CB",
            "http://127.0.0.1:/cb",
            "http://127.0.0.1:0/cb",
            "http://127.0.0.1:65536/cb",
            "http://127.0.0.1:51004x/cb",
            "http://127.0.0.1:80@evil.example/cb",
            "http://127.0.0.1:51004@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
            "http://127.0.0.1:51004.evil.example/cb",
            "http://user@127.0.0.1:51004/cb",
            "http://127.0.0.2:51004/cb",
            "http://127.1:51004/cb",
            "https://127.0.0.1:51004/cb",
            "http://[::1]:4000/cb",
            "http://[0:0:0:0:0:0:0:1]:4000/cb?a=1",
            "http://127.0.0.1:51004\\@evil.example/cb",
        ] {
            browser.open(&desk(uri).authorize_url(&[])).await;
            shown(&browser, uri);
        }
        // A client with a secret runs on a server, whose port is known.
        let server = RelyingParty {
            redirect_uri: "http://127.0.0.1:51004/cb".into(),
            ..RelyingParty::new(&world.issuer, "server", Some("web-secret"))
        };
        browser.open(&server.authorize_url(&[])).await;
        shown(&browser, "a confidential client");
    }
}

/// RFC 8252 section 7.1.
#[tokio::test]
async fn an_app_is_called_back_by_its_own_scheme() {
    for backend in Backend::ALL {
        let uris = ["nl.example.app:/cb", "nl.example.app://signed-in/cb"];
        let world = World::with_clients(backend, vec![app("phone", &uris)]).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        world.relying_party().tokens(&world, &mut browser, &Person::ANNA).await;
        for uri in uris {
            let portal =
                RelyingParty { redirect_uri: uri.into(), ..RelyingParty::new(&world.issuer, "phone", None) };
            let answer = answer_of(&mut browser, &world.issuer, &portal.authorize_url(&[])).await;
            assert!(answer.starts_with(&format!("{uri}?")), "{answer}");
            assert!(answer.contains("state=the-state") && answer.contains("iss="), "{answer}");
            assert_eq!(portal.redeem(&code_of(&answer)).await.status(), StatusCode::OK);
            // A form cannot be sent there, so the error comes in the query.
            let url = portal.authorize_url(&[("response_mode", "form_post")]);
            let answer = answer_of(&mut browser, &world.issuer, &url).await;
            assert!(answer.starts_with(&format!("{uri}?")), "{answer}");
            assert!(answer.contains("error=invalid_request"), "{answer}");
        }
        for uri in ["nl.example.app:/cb/", "nl.example.app:/CB", "NL.example.app:/cb", "nl.example.app2:/cb"]
        {
            let portal =
                RelyingParty { redirect_uri: uri.into(), ..RelyingParty::new(&world.issuer, "phone", None) };
            browser.open(&portal.authorize_url(&[])).await;
            shown(&browser, uri);
        }
        // No web page is at `null`, which browsers name for many that are nobody's.
        let preflight = portal_preflight(&world, "null").await;
        assert_eq!(preflight, None);
    }
}

async fn portal_preflight(world: &World, origin: &str) -> Option<String> {
    let http = reqwest::Client::new();
    let request = http.request(Method::OPTIONS, format!("{}/token", world.issuer));
    let request = request.header("origin", origin).header("access-control-request-method", "POST");
    let answer = request.send().await.unwrap();
    answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
}
