//! Programs that take a toolchain which nothing else here needs: oauth2-proxy (Go) with `tests/clients/oauth2-proxy.cfg`, Dex (Go)
//! with `tests/clients/dex.yaml`, Keycloak (Java) with `tests/clients/keycloak-realm.json`, and Spring Boot (Java) with
//! `tests/clients/SpringPortal.java`. `tests/others` builds them and runs these tests.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use reqwest::{Method, StatusCode};
use serde_json::json;
use tests::{Backend, Browser, Person, RelyingParty, Tokens, World};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use crate::clients::{ORIGIN, SECRET, beside, folder, is_signed_in, prepared, rename, world};

async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// A running server. It is asked to end, for Keycloak's is a script, which has to end what it started.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").arg(self.0.id().to_string()).status();
        let _ = self.0.wait();
    }
}

/// Starts a server and waits until it listens; some take minutes where much else runs.
async fn up(mut command: Command, port: u16) -> Server {
    let mut server = Server(command.stdin(Stdio::null()).spawn().unwrap());
    for _ in 0..6000 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return server;
        }
        let ended = server.0.try_wait().unwrap();
        assert!(ended.is_none(), "it ended; its errors are above");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not come up; its errors are above");
}

/// A website that says who the proxy says is there.
async fn website() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://{}/", listener.local_addr().unwrap());
    let who = |headers: HeaderMap| async move {
        let text = |name: &str| headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        format!("<p id=\"website\">{} {}</p>", text("x-forwarded-user"), text("x-forwarded-email"))
    };
    tokio::spawn(async move { axum::serve(listener, Router::new().route("/", get(who))).await });
    origin
}

#[tokio::test]
#[ignore = "takes a Go toolchain: tests/others"]
async fn oauth2_proxy_in_front_of_a_website() {
    let port = free_port().await;
    let origin = format!("http://localhost:{port}");
    let world = world(Backend::Embedded, &[("https://proxy.example.nl", &origin)]).await;
    let mut command = Command::new(prepared("TEST_OAUTH2_PROXY"));
    command.arg("--config").arg(folder().join("oauth2-proxy.cfg"));
    for (name, value) in [
        ("OIDC_ISSUER_URL", world.issuer.as_str()),
        ("CLIENT_SECRET", SECRET),
        ("COOKIE_SECRET", "0123456789abcdef0123456789abcdef"),
        ("COOKIE_SECURE", "false"),
        ("REDIRECT_URL", &format!("{origin}/oauth2/callback")),
        ("HTTP_ADDRESS", &format!("127.0.0.1:{port}")),
        ("UPSTREAMS", &website().await),
        ("WHITELIST_DOMAINS", world.issuer.trim_start_matches("http://")),
    ] {
        command.env(format!("OAUTH2_PROXY_{name}"), value);
    }
    let _proxy = up(command, port).await;

    // A cancel is a page of the proxy's, and nobody is signed in.
    let mut browser = world.browser();
    browser.open(&format!("{origin}/")).await;
    browser.submit("login-cancel", &[]).await;
    assert_eq!(browser.page.status, StatusCode::FORBIDDEN, "{}", browser.text());

    browser.open(&format!("{origin}/")).await;
    browser.sign_in(&world, &Person::ANNA).await;
    let subject = world.account(&Person::ANNA).await.subject.0;
    let text = browser.text();
    assert!(browser.has("website") && text.contains(&subject) && text.contains(Person::ANNA.email), "{text}");

    // The way out: the proxy's session first, then ours, and back.
    let url = format!("{}/logout?client_id=my-proxy&post_logout_redirect_uri={origin}/", world.issuer);
    let out = Url::parse_with_params(&format!("{origin}/oauth2/sign_out"), [("rd", url.as_str())]).unwrap();
    browser.open(out.as_str()).await;
    browser.submit("logout-confirm", &[]).await;
    assert!(browser.has("login-page"), "{}: {}", browser.page.url, browser.text());
}

/// A file of `tests/clients` with other addresses, in the folder of this world.
fn rewritten(world: &World, name: &str, addresses: &[(&str, &str)]) -> PathBuf {
    let mut text = std::fs::read_to_string(folder().join(name)).unwrap();
    for (shown, real) in addresses {
        assert!(text.contains(shown), "{name} has no {shown}");
        text = text.replace(shown, real);
    }
    let file = world.folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[tokio::test]
#[ignore = "takes a Go toolchain: tests/others"]
async fn dex_between_us_and_an_app() {
    let port = free_port().await;
    let origin = format!("http://localhost:{port}");
    let world = world(Backend::Embedded, &[("https://dex.example.nl", &origin)]).await;
    let database = world.folder.join("dex.db");
    let addresses = [
        ("https://dex.example.nl", origin.as_str()),
        ("https://app-of-dex.example.nl", ORIGIN),
        ("dex.db", database.to_str().unwrap()),
    ];
    let mut command = Command::new(prepared("TEST_DEX"));
    command.args(["serve", "--web-http-addr", &format!("127.0.0.1:{port}")]);
    command.arg(rewritten(&world, "dex.yaml", &addresses));
    command.env("ISSUER", &world.issuer).env("CLIENT_SECRET", SECRET).env("APP_SECRET", SECRET);
    let _dex = up(command, port).await;

    // The app knows Dex only.
    let app = RelyingParty::new(&origin, "app-of-dex", Some(SECRET));
    let ask = app.authorize_url(&[("scope", "openid profile email offline_access")]);
    let ask = ask.replace("/authorize?", "/auth?");
    let mut browser = world.browser();
    browser.open(&ask).await;
    browser.submit("login-cancel", &[]).await;
    let text = browser.text();
    assert!(
        browser.page.url.as_str().starts_with(&format!("{origin}/callback?"))
            && text.contains("access_denied"),
        "{text}"
    );

    browser.open(&ask).await;
    browser.sign_in(&world, &Person::ANNA).await;
    let code = app.answered(&browser, "code").expect("a code of Dex");
    let tokens = Tokens(app.redeem(&code).await.json().await.unwrap());
    let claims = tokens.claims("id_token");
    assert_eq!((&claims["name"], &claims["email"]), (&json!("Anna Voorbeeld"), &json!(Person::ANNA.email)));
    assert_eq!((&claims["email_verified"], &claims["iss"]), (&json!(true), &json!(origin)));

    // Every refresh at Dex is one here, so the app hears of another name, and of an ended session.
    let refresh =
        async |token: &str| app.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
    rename(&world, "de Vries").await;
    let first = Tokens(refresh(tokens.get("refresh_token")).await.json().await.unwrap());
    assert_eq!(first.claims("id_token")["name"], "Anna de Vries");
    let second = Tokens(refresh(first.get("refresh_token")).await.json().await.unwrap());

    let logout = beside(&world, &mut browser).await;
    browser.open(&logout).await;
    assert!(!is_signed_in(&world, &browser).await);
    assert_ne!(refresh(second.get("refresh_token")).await.status(), StatusCode::OK);
}

#[tokio::test]
#[ignore = "takes a Java toolchain: tests/others"]
async fn keycloak_between_us_and_an_app() {
    let port = free_port().await;
    let origin = format!("http://localhost:{port}");
    let world = world(Backend::Embedded, &[("https://keycloak.example.nl", &origin)]).await;
    let home = prepared("TEST_KEYCLOAK");
    let realm = rewritten(&world, "keycloak-realm.json", &[("https://app-of-keycloak.example.nl", ORIGIN)]);
    std::fs::create_dir_all(home.join("data/import")).unwrap();
    std::fs::copy(realm, home.join("data/import/example-realm.json")).unwrap();
    let mut command = Command::new(home.join("bin/kc.sh"));
    command.args(["start-dev", "--import-realm", "--db=dev-mem", "--http-host=127.0.0.1"]);
    command.arg(format!("--http-port={port}")).env("ISSUER", &world.issuer).env("CLIENT_SECRET", SECRET);
    let _keycloak = up(command, port).await;

    // The app knows Keycloak only, and names us to it.
    let realm = format!("{origin}/realms/example/protocol/openid-connect");
    let app = RelyingParty::new(&realm, "app-of-keycloak", None);
    let ask = |changes: &[(&str, &str)]| {
        let mut all = vec![("scope", "openid profile email"), ("kc_idp_hint", "voordeur")];
        all.extend(changes);
        app.authorize_url(&all).replace("/authorize?", "/auth?")
    };
    let sign_in = async |browser: &mut Browser| {
        browser.open(&ask(&[])).await;
        browser.sign_in(&world, &Person::ANNA).await;
        let code = app.answered(browser, "code").expect("a code of Keycloak");
        Tokens(app.redeem(&code).await.json().await.unwrap())
    };
    let mut browser = world.browser();
    browser.open(&ask(&[])).await;
    assert!(browser.page.url.as_str().starts_with(&world.issuer), "{}: {}", browser.page.url, browser.text());
    browser.submit("login-cancel", &[]).await;
    assert!(browser.page.status == StatusCode::OK && browser.has("social-voordeur"), "{}", browser.page.body);

    // Nothing is asked between the sign-in here and the app, the first time either.
    let tokens = sign_in(&mut browser).await;
    let claims = tokens.claims("id_token");
    assert_eq!((&claims["name"], &claims["email"]), (&json!("Anna Voorbeeld"), &json!(Person::ANNA.email)));
    assert_eq!(claims["email_verified"], true);

    // Another portal of the same session signs out: Keycloak hears of it from behind. A session elsewhere goes on.
    let others = sign_in(&mut world.browser()).await;
    let logout = beside(&world, &mut browser).await;
    browser.open(&ask(&[("prompt", "none")])).await;
    assert!(app.answered(&browser, "code").is_some(), "{}", browser.page.url);
    browser.open(&logout).await;
    world.deliver().await;
    for (tokens, status) in [(tokens, StatusCode::BAD_REQUEST), (others, StatusCode::OK)] {
        let token = tokens.get("refresh_token");
        let answer = app.token(&[("grant_type", "refresh_token"), ("refresh_token", token)]).await;
        assert_eq!(answer.status(), status);
    }
    browser.open(&ask(&[("prompt", "none")])).await;
    assert_eq!(app.answered(&browser, "error").as_deref(), Some("login_required"));

    // A new name arrives with the next sign-in. Keycloak's way out ends the session here, and comes back to the app.
    rename(&world, "de Vries").await;
    let tokens = sign_in(&mut browser).await;
    assert_eq!(tokens.claims("id_token")["name"], "Anna de Vries");
    assert!(is_signed_in(&world, &browser).await);
    let hint = tokens.get("id_token");
    let bye = format!("{ORIGIN}/bye");
    let out = [("id_token_hint", hint), ("post_logout_redirect_uri", &bye)];
    browser.open(Url::parse_with_params(&format!("{realm}/logout"), out).unwrap().as_str()).await;
    assert_eq!(browser.page.url.as_str(), bye, "{}", browser.text());
    assert!(!is_signed_in(&world, &browser).await);
}

#[tokio::test]
#[ignore = "takes a Java toolchain: tests/others"]
async fn spring_boot_as_a_portal_and_as_an_api() {
    let port = free_port().await;
    let origin = format!("http://localhost:{port}");
    let world = world(Backend::Embedded, &[("https://spring.example.nl", &origin)]).await;
    let mut command = Command::new("java");
    command.arg("-jar").arg(prepared("TEST_SPRING")).arg(format!("--server.port={port}"));
    command.env("ISSUER", &world.issuer).env("CLIENT_SECRET", SECRET);
    let _spring = up(command, port).await;

    let mut browser = world.browser();
    browser.open(&format!("{origin}/")).await;
    browser.submit("login-cancel", &[]).await;
    assert!(browser.page.url.as_str().starts_with(&format!("{origin}/login?error")), "{}", browser.page.url);

    let enter = format!("{origin}/oauth2/authorization/voordeur");
    browser.open(&enter).await;
    assert!(browser.page.url.query().unwrap_or_default().contains("journey="), "{}", browser.page.url);
    browser.sign_in(&world, &Person::ANNA).await;
    browser.open(&format!("{origin}/")).await;
    let subject = world.account(&Person::ANNA).await.subject.0;
    let text = browser.text();
    assert!(browser.has("website") && text.contains(&subject) && text.contains(Person::ANNA.email), "{text}");

    // Another portal of the same session signs out: this one hears of it from behind.
    let logout = beside(&world, &mut browser).await;
    browser.open(&logout).await;
    world.deliver().await;
    browser.open(&format!("{origin}/")).await;
    assert!(!browser.has("website"), "{}", browser.text());

    // Its own way out ends the session at the provider.
    browser.open(&enter).await;
    browser.sign_in(&world, &Person::ANNA).await;
    assert!(is_signed_in(&world, &browser).await);
    browser.open(&format!("{origin}/logout")).await;
    let (_, rest) = browser.page.body.split_once("name=\"_csrf\"").expect("a form");
    let token = rest.split("value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let form = [("_csrf".to_owned(), token)];
    browser.request(Method::POST, &Url::parse(&format!("{origin}/logout")).unwrap(), Some(&form)).await;
    browser.follow().await;
    assert!(browser.has("bye"), "{}: {}", browser.page.url, browser.text());
    assert!(!is_signed_in(&world, &browser).await);

    // An access token opens the API; an ID token does not.
    let party = world.relying_party();
    let tokens = party.tokens(&world, &mut world.browser(), &Person::ANNA).await;
    for (token, status) in [("access_token", StatusCode::OK), ("id_token", StatusCode::UNAUTHORIZED)] {
        let asked = party.http.get(format!("{origin}/api/me")).bearer_auth(tokens.get(token));
        let answer = asked.send().await.unwrap();
        assert_eq!(answer.status(), status, "{token}");
    }
}
