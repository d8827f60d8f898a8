//! oauth2-proxy with `tests/clients/oauth2-proxy.cfg` in front of a website. It is a program of its own that `tests/others`
//! builds: it takes a Go toolchain, which nothing else here needs.

use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::http::HeaderMap;
use axum::routing::get;
use reqwest::StatusCode;
use tests::{Backend, Person};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use url::Url;

use crate::clients::{SECRET, folder, prepared, world};

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
#[ignore = "takes oauth2-proxy: tests/others"]
async fn oauth2_proxy_in_front_of_a_website() {
    let port = TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port();
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
    let _proxy = command.stdin(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    let mut is_up = false;
    for _ in 0..200 {
        is_up = is_up || TcpStream::connect(("127.0.0.1", port)).await.is_ok();
        if !is_up {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
    assert!(is_up, "oauth2-proxy comes up");

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
