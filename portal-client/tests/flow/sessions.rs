//! How sessions begin and end: by the clock, by the person, by the provider.

use reqwest::StatusCode;

use crate::support::provider::Who;
use crate::support::{Browser, Portal};

/// Sends a logout token.
async fn tell(portal: &Portal, token: &str) -> StatusCode {
    let url = format!("{}/backchannel-logout", portal.origin);
    reqwest::Client::new().post(url).form(&[("logout_token", token)]).send().await.unwrap().status()
}

/// Presses the button of a page that says that a session ended.
async fn sign_in_again(browser: &mut Browser) -> (StatusCode, String) {
    let login = browser.between("id=\"login\" href=\"", "\"").unwrap();
    browser.get(&login.replace("&amp;", "&")).await
}

#[tokio::test]
async fn t32_t33_sessions_end_by_the_clock_by_the_person_and_by_the_provider() {
    let portal = Portal::start().await;
    let who = || Who::user("marjan", "Marjan");
    let mut user = portal.signed_in(who(), "/").await;
    portal.advance(14);
    user.get("/session").await;
    assert!(user.shows("\"remaining_seconds\":60"), "{}", user.page);
    portal.advance(1);
    assert_eq!(user.get("/request").await.1, "/signed-out");
    assert!(user.shows("Dat gebeurt als u een tijd niets doet"));

    // Extended by one action.
    let mut user = portal.signed_in(who(), "/").await;
    portal.advance(14);
    user.post("/session/extend", &[("return_to", "/")]).await;
    portal.advance(14);
    assert_eq!(user.get("/request").await.1, "/request");

    // Signing out here goes on to the provider with the ID token; then nothing is shown any more.
    user.post("/logout", &[]).await;
    assert!(user.shows("U bent uitgelogd"), "{}", user.page);
    assert!(portal.provider.asked("id_token_hint").unwrap().starts_with("ey"));
    assert_eq!(user.get("/session").await.0, StatusCode::OK);
    assert!(user.shows("\"remaining_seconds\":0"));

    // From behind, once.
    let mut user = portal.signed_in(who(), "/").await;
    let token = portal.provider.logout_token("marjan", "j1", false);
    assert_eq!(tell(&portal, &token).await, StatusCode::OK);
    assert_eq!(user.get("/request").await.1, "/signed-out");
    assert_eq!(tell(&portal, &token).await, StatusCode::BAD_REQUEST, "a replay");
    assert_eq!(tell(&portal, "a.b.c").await, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn t42_a_new_signing_key_needs_no_restart() {
    let portal = Portal::start().await;
    let user = portal.signed_in(Who::user("a", "Anna"), "/").await;
    assert!(user.shows("Anna"));
    portal.provider.rotate("2");
    portal.clock.advance(std::time::Duration::from_secs(1));
    let user = portal.signed_in(Who::user("b", "Bert"), "/").await;
    assert!(user.shows("Bert"), "{}", user.page);
    portal.provider.rotate("3");
    portal.clock.advance(std::time::Duration::from_secs(1));
    let token = portal.provider.logout_token("b", "j", false);
    assert_eq!(tell(&portal, &token).await, StatusCode::OK);
}

#[tokio::test]
async fn t42_a_revoked_key_is_gone_within_five_minutes_and_keys_are_not_asked_for_all_the_time() {
    let portal = Portal::start().await;
    let mut user = portal.signed_in(Who::user("a", "Anna"), "/").await;
    let forged = portal.provider.logout_token("a", "forged", false);
    let read = portal.provider.keys_read();
    portal.provider.rotate("2");
    portal.advance(4);
    for sub in ["b", "c", "d"] {
        portal.signed_in(Who::user(sub, "Bert"), "/").await;
    }
    assert_eq!(portal.provider.keys_read(), read + 1, "once, for the unknown one");
    portal.advance(1);
    assert_eq!(tell(&portal, &forged).await, StatusCode::BAD_REQUEST);
    portal.provider.rotate("3");
    let forged = portal.provider.logout_token("a", "forged too", false);
    portal.provider.rotate("4");
    portal.advance(5);
    assert_eq!(tell(&portal, &forged).await, StatusCode::BAD_REQUEST, "nobody else had to ask");
    let read = portal.provider.keys_read();
    portal.advance(4);
    assert_eq!(tell(&portal, "a.b.c").await, StatusCode::BAD_REQUEST);
    assert_eq!(user.get("/request").await.1, "/request");
    assert_eq!(portal.provider.keys_read(), read);

    // Keys that cannot be asked for again are believed no longer; signing out goes on without them.
    portal.provider.gives_no_keys(true);
    let token = portal.provider.logout_token("a", "good", false);
    portal.advance(1);
    assert_eq!(tell(&portal, &token).await, StatusCode::SERVICE_UNAVAILABLE);
    let away = portal.signed_in(Who::user("e", "Eef"), "/").await;
    assert!(away.shows("Inloggen lukt nu even niet"), "{}", away.page);
    portal.provider.gives_no_keys(false);
    portal.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(tell(&portal, &token).await, StatusCode::OK, "the provider tries again");
    assert_eq!(user.get("/request").await.1, "/signed-out");
}

#[tokio::test]
async fn a_sign_in_that_goes_wrong_says_what_to_do() {
    let portal = Portal::start().await;
    let mut browser = portal.browser();
    portal.provider.next_fails("access_denied");
    browser.get("/login").await;
    assert!(browser.shows("U bent gestopt met inloggen"));
    portal.provider.next_fails("temporarily_unavailable");
    assert_eq!(browser.get("/login").await.0, StatusCode::SERVICE_UNAVAILABLE);
    // A callback that did not start in this browser, or not at all.
    browser.get("/callback?code=x&state=y&iss=z").await;
    assert!(browser.shows("Het inloggen is niet afgemaakt"));
    // The page is in the visitor's language, and nobody is led elsewhere.
    browser.get("/nowhere?lang=en").await;
    assert!(browser.shows("This page does not exist"));
    let who = Who::user("a", "Anna");
    portal.provider.next_is(who);
    let (_, at) = browser.get("/login?return_to=//evil.example/").await;
    assert_eq!(at, "/");
}

#[tokio::test]
async fn t32_after_an_idle_end_one_click_is_not_enough() {
    let portal = Portal::start().await;
    let asked = |name: &str| portal.provider.asked(name);
    let mut user = portal.signed_in(Who::user("marjan", "Marjan"), "/").await;
    assert_eq!(asked("prompt"), None);
    portal.advance(15);
    assert_eq!(user.get("/request?x=1").await.1, "/signed-out");
    assert!(user.shows("Log dan opnieuw in met uw wachtwoord"), "{}", user.page);
    user.get("/signed-out?why=idle&return_to=/&lang=en").await;
    assert!(user.shows("sign in again with your password"));
    user.get("/signed-out?why=idle&return_to=/request&lang=nl").await;
    assert_eq!(sign_in_again(&mut user).await.1, "/request");
    assert_eq!((asked("prompt").as_deref(), asked("max_age").as_deref()), (Some("login"), Some("900")));
    // While the session lives, going to the desk asks for nothing of the kind.
    user.get("/login?return_to=/request").await;
    assert_eq!(asked("prompt"), None);

    // However somebody goes on from there: the button, the address, the welcome page.
    for path in ["/login", "/", "/request", "/signed-out", "/logout"] {
        portal.advance(15);
        user.get(path).await;
        if path != "/login" {
            user.get("/login").await;
        }
        assert_eq!(asked("prompt").as_deref(), Some("login"), "{path}");
        assert_eq!(user.get("/request").await.1, "/request");
    }

    // Without the portal's cookies the provider's session is recognised, and is not enough.
    portal.advance(15);
    let mut other = portal.browser();
    assert_eq!(other.get("/login?return_to=/request").await.1, "/signed-out");
    assert_eq!(asked("prompt"), None);
    assert!(other.shows("Log dan opnieuw in met uw wachtwoord"));
    assert_eq!(sign_in_again(&mut other).await.1, "/request");
    assert_eq!(asked("prompt").as_deref(), Some("login"));

    // A provider that passes the wish over signs nobody in.
    portal.provider.is_lax();
    portal.advance(15);
    user.get("/request").await;
    assert_eq!(sign_in_again(&mut user).await.0, StatusCode::BAD_GATEWAY);
    assert!(user.shows("Inloggen is niet gelukt"), "{}", user.page);
    assert_eq!(user.get("/request").await.0, StatusCode::BAD_GATEWAY, "nor the next time");
}

#[tokio::test]
async fn t33_a_logout_token_wins_from_a_sign_in_that_is_under_way() {
    for whole_person in [false, true] {
        let portal = Portal::start().await;
        let mut one = portal.signed_in(Who::user("marjan", "Marjan"), "/").await;
        portal.advance(1);
        let token = portal.provider.logout_token("marjan", "j", whole_person);
        portal.provider.meanwhile(format!("{}/backchannel-logout", portal.origin), token);
        let mut two = portal.browser();
        let (status, _) = two.get("/login").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(two.shows("Het inloggen is niet afgemaakt"), "{}", two.page);
        for browser in [&mut one, &mut two] {
            browser.get("/session").await;
            assert!(browser.shows("\"remaining_seconds\":0"), "{}", browser.page);
        }
        // That session at the provider opens nothing any more, however late it comes.
        if !whole_person {
            portal.advance(60);
            assert_eq!(two.get("/login?return_to=/request").await.0, StatusCode::BAD_REQUEST);
        }
        portal.advance(1);
        let mut three = portal.signed_in(Who::user("marjan", "Marjan"), "/").await;
        assert_eq!(three.get("/request").await.1, "/request", "a new one does");
    }
}

#[tokio::test]
async fn t33_a_sign_out_ends_at_a_page_of_the_portal_whatever_became_of_key_and_session() {
    for (rotated, ended, idle) in [
        (false, false, false),
        (false, true, false),
        (true, false, false),
        (true, true, false),
        (false, false, true),
        (true, false, true),
    ] {
        let case = format!("key rotated: {rotated}, session ended: {ended}, idle: {idle}");
        let portal = Portal::start().await;
        let mut user = portal.signed_in(Who::user("marjan", "Marjan"), "/").await;
        if rotated {
            portal.provider.rotate("2");
        }
        if ended {
            portal.provider.forgets("marjan");
        }
        portal.advance(if idle { 15 } else { 5 });
        let (status, at) = user.post("/logout", &[]).await;
        assert_eq!((status, at.as_str()), (StatusCode::OK, "/signed-out"), "{case}: {}", user.page);
        assert!(user.shows("U bent uitgelogd"), "{case}: {}", user.page);
        assert!(!portal.provider.knows("marjan"), "{case}");
        user.get("/session").await;
        assert!(user.shows("\"remaining_seconds\":0"), "{case}");
    }
}
