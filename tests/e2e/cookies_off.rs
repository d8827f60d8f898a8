//! A browser that keeps no cookies is told so, by both servers, and without a script.

use reqwest::header::LOCATION;
use reqwest::{Method, StatusCode};
use tests::{Backend, Browser, Person, World};
use url::Url;

use crate::care::at_portal;
use crate::desk::open;

const OFF: &str = "Cookies staan uit";

/// Opens an address as a browser does that keeps no cookies, and goes where it leads.
async fn open_without(browser: &mut Browser, url: &str) {
    let mut next = Url::parse(url).unwrap();
    for _ in 0..10 {
        browser.cookies.clear();
        browser.request(Method::GET, &next, None).await;
        let Some(target) = browser.page.headers.get(LOCATION) else { return };
        next = next.join(target.to_str().unwrap()).unwrap();
    }
    panic!("in a circle: {next}");
}

#[tokio::test]
async fn the_provider_says_that_cookies_are_off() {
    let world = World::new(Backend::Embedded).await;
    let start = world.relying_party().authorize_url(&[]);

    // On the way to the sign-in page, before there is a form at all.
    let mut browser = world.browser();
    open_without(&mut browser, &start).await;
    assert_eq!(browser.page.status, StatusCode::FORBIDDEN);
    assert!(browser.text().contains(OFF) && browser.text().contains("Zet cookies aan"), "{}", browser.text());
    assert!(!browser.has("login-page"));

    // At the first form of a page that needs none.
    for (path, id) in [("/register", "register-submit"), ("/forgot", "forgot-submit")] {
        let mut browser = world.browser();
        open(&world, &mut browser, path).await;
        let other = browser.clone();
        browser.cookies.clear();
        browser.send(id, &[("email", "anna@example.nl")]).await;
        assert_eq!(browser.page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(browser.text().contains(OFF), "{path}: {}", browser.text());

        // A form from another site comes without cookies too: that says nothing of the browser.
        let mut forged = other.clone();
        forged.cookies.clear();
        forged.extra_headers.push(("sec-fetch-site", "cross-site".into()));
        forged.send(id, &[("email", "anna@example.nl")]).await;
        assert_eq!(forged.page.status, StatusCode::FORBIDDEN, "{path}");
        assert!(!forged.text().contains(OFF), "{path}: {}", forged.text());
    }

    // Somebody else's browser, which keeps cookies, at the address of a sign-in.
    let mut anna = world.browser();
    anna.open(&start).await;
    let address = anna.page.url.to_string();
    let mut stranger = world.browser();
    stranger.open(&address).await;
    assert_eq!(stranger.page.status, StatusCode::GONE, "{}", stranger.text());
    assert!(!stranger.text().contains(OFF), "{}", stranger.text());
}

#[tokio::test]
async fn the_portal_says_that_cookies_are_off() {
    let world = World::new(Backend::Embedded).await;
    let back = format!("{}/callback?code=x&state=y", world.portal_origin);
    let mut browser = world.browser();
    open_without(&mut browser, &back).await;
    assert_eq!(browser.page.status, StatusCode::FORBIDDEN);
    assert!(browser.text().contains(OFF), "{}", browser.text());

    // A browser that keeps them came back in another one, or too late.
    let mut other = world.browser();
    other.open(&back).await;
    assert_eq!(other.page.status, StatusCode::BAD_REQUEST);
    assert!(other.text().contains("Het inloggen is niet afgemaakt"), "{}", other.text());

    // A form: that of the question on the way out.
    world.add(&Person::ANNA).await;
    at_portal(&world, &mut other, &Person::ANNA, "/").await;
    other.open(&format!("{}/logout", world.portal_origin)).await;
    other.cookies.clear();
    other.send("logout", &[]).await;
    assert!(other.page.status == StatusCode::FORBIDDEN && other.text().contains(OFF), "{}", other.text());
}
