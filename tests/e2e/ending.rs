//! The end of the provider's own session: by itself, with a warning before it that one action answers.

use std::time::Duration;

use platform::language::Language;
use reqwest::header::{LOCATION, SET_COOKIE};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tests::{Backend, Browser, Chromium, Look, Person, World};
use url::Url;

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

/// Anna on her account page, at a provider whose sessions live for 15 idle minutes and an hour at most.
async fn at_account(backend: Backend) -> (World, Browser) {
    let world = World::with(backend, |config| {
        config.sessions.idle_minutes = 15;
        config.sessions.absolute_hours = 1;
    })
    .await;
    world.add(&Person::ANNA).await;
    let mut browser = world.browser();
    browser.open(&format!("{}/account", world.issuer)).await;
    browser.sign_in(&world, &Person::ANNA).await;
    assert!(browser.has("signout"), "{}", browser.text());
    (world, browser)
}

fn at(world: &World, path: &str) -> Url {
    Url::parse(&format!("{}{path}", world.issuer)).unwrap()
}

/// What the script hears when it asks.
async fn left(world: &World, browser: &Browser) -> Value {
    let mut browser = browser.clone();
    let page = browser.request(Method::GET, &at(world, "/session"), None).await;
    assert_eq!((page.status, page.headers["cache-control"].to_str().unwrap()), (StatusCode::OK, "no-store"));
    serde_json::from_str(&page.body).unwrap()
}

fn remaining(seconds: u64, can_extend: bool) -> Value {
    json!({ "remaining_seconds": seconds, "can_extend": can_extend })
}

/// The answer to the warning: by the script, or by its form alone.
async fn extend(world: &World, browser: &Browser, script: bool, changes: &[(&str, &str)]) -> Browser {
    let mut browser = browser.clone();
    let (_, mut fields) = browser.form_of("session-extend");
    for (name, value) in changes {
        fields.retain(|(known, _)| known != name);
        fields.push(((*name).to_owned(), (*value).to_owned()));
    }
    if script {
        browser.extra_headers.push(("accept", "application/json".into()));
    }
    browser.request(Method::POST, &at(world, "/session/extend"), Some(&fields)).await;
    browser
}

#[tokio::test]
async fn t32_asking_how_long_is_left_extends_nothing_and_one_action_does() {
    for backend in Backend::ALL {
        let (world, browser) = at_account(backend).await;
        assert_eq!(left(&world, &browser).await, remaining(900, true));

        // Asking every minute moves nothing.
        for minute in 1..=14 {
            world.advance(MINUTE);
            assert_eq!(left(&world, &browser).await, remaining(900 - 60 * minute, true));
        }
        // One action in the last minute does; a script hears how much, a form is back on its page.
        let told = extend(&world, &browser, true, &[]).await;
        assert_eq!(told.page.status, StatusCode::OK);
        assert_eq!(serde_json::from_str::<Value>(&told.page.body).unwrap(), remaining(900, true));
        world.advance(14 * MINUTE);
        let back = extend(&world, &browser, false, &[]).await;
        assert_eq!(back.page.status, StatusCode::SEE_OTHER);
        assert_eq!(back.page.headers[LOCATION], "/account");
        assert_eq!(left(&world, &browser).await, remaining(900, true));

        // It leads nowhere else.
        for target in ["https://evil.example/", "//evil.example", "/\\evil.example"] {
            let back = extend(&world, &browser, false, &[("return_to", target)]).await;
            assert_eq!(back.page.headers[LOCATION], "/account", "{target}");
        }

        // The end comes to the second, however often somebody asked.
        world.advance(14 * MINUTE + 59 * SECOND);
        assert_eq!(left(&world, &browser).await, remaining(1, true));
        world.advance(SECOND);
        assert_eq!(left(&world, &browser).await, remaining(0, false));
    }
}

#[tokio::test]
async fn t32_the_absolute_limit_cannot_be_extended_and_the_page_says_so() {
    for backend in Backend::ALL {
        let (world, mut browser) = at_account(backend).await;
        for _ in 0..5 {
            world.advance(10 * MINUTE);
            browser.open("/account").await;
        }
        assert_eq!(browser.page.status, StatusCode::OK);
        assert_eq!(left(&world, &browser).await, remaining(600, false));
        assert!(browser.text().contains("Over 10 minuten wordt u uitgelogd"), "{}", browser.text());
        let told = extend(&world, &browser, true, &[]).await;
        assert_eq!(serde_json::from_str::<Value>(&told.page.body).unwrap(), remaining(600, false));
        world.advance(10 * MINUTE);
        assert_eq!(left(&world, &browser).await, remaining(0, false));
        browser.open("/account").await;
        assert!(browser.has("login-page"), "{}", browser.text());
    }
}

#[tokio::test]
async fn t32_only_the_holders_own_page_extends_and_only_while_the_session_lives() {
    for backend in Backend::ALL {
        let (world, browser) = at_account(backend).await;

        // A form without the token of this browser, or of another one.
        world.advance(5 * MINUTE);
        let mut stranger = world.browser();
        stranger.open(&world.issuer).await;
        stranger.open("/signin").await;
        let (_, fields) = stranger.form_of("login-submit");
        let others = &fields.iter().find(|(name, _)| name == "csrf").unwrap().1;
        for token in ["", "x", others] {
            for script in [true, false] {
                let refused = extend(&world, &browser, script, &[("csrf", token)]).await;
                assert_eq!(refused.page.status, StatusCode::FORBIDDEN);
            }
        }
        assert_eq!(left(&world, &browser).await, remaining(600, true), "nothing was extended");

        // Somebody without a session is told that there is none, and begins none.
        assert_eq!(left(&world, &stranger).await, remaining(0, false));
        let mut other = browser.clone();
        other.forget_cookie("session");
        let told = extend(&world, &other, true, &[]).await;
        assert_eq!(serde_json::from_str::<Value>(&told.page.body).unwrap(), remaining(0, false));
        let sent = extend(&world, &other, false, &[]).await;
        assert_eq!(sent.page.headers[LOCATION], "/session/ended?return_to=%2Faccount");
        assert_eq!(sent.cookie("session"), None);

        // After the end nothing brings it back.
        world.advance(10 * MINUTE);
        let told = extend(&world, &browser, true, &[]).await;
        assert_eq!(serde_json::from_str::<Value>(&told.page.body).unwrap(), remaining(0, false));
        assert_eq!(left(&world, &browser).await, remaining(0, false));
    }
}

#[tokio::test]
async fn t32_a_page_leaves_by_itself_without_scripts_and_what_follows_says_how_to_go_on() {
    for backend in Backend::ALL {
        let (world, mut browser) = at_account(backend).await;
        browser.open("/account/email").await;
        assert!(browser.text().contains("Doet u 15 minuten niets op deze pagina? Dan wordt u uitgelogd."));
        let ended = "/session/ended?return_to=/account/email";
        let refresh = format!("<meta http-equiv=\"refresh\" content=\"901; url={ended}\">");
        assert!(browser.page.body.contains(&refresh), "{}", browser.page.body);
        assert!(browser.page.body.contains("data-warn=\"120\""));
        assert_eq!(browser.page.headers["cache-control"], "no-store", "the back button has nothing to show");

        // Another window is still at work: the page that leaves ends nothing and extends nothing.
        world.advance(10 * MINUTE);
        let mut page = browser.clone();
        page.open(ended).await;
        assert!(page.text().contains("In een ander venster bent u nog ingelogd"), "{}", page.text());
        assert!(page.page.body.contains("href=\"/account/email\"") && page.cookie("session").is_some());
        assert_eq!(left(&world, &browser).await, remaining(300, true));
        page.open("/session/ended?return_to=//evil.example").await;
        assert!(!page.page.body.contains("evil.example\""), "{}", page.page.body);

        // After the end: what happened, and the way in; the stale cookie is gone.
        world.advance(5 * MINUTE);
        browser.open(ended).await;
        assert!(browser.has("session-ended-page"));
        assert!(browser.text().contains("U bent uitgelogd"), "{}", browser.text());
        let cleared = browser.page.headers.get_all(SET_COOKIE).iter();
        assert!(cleared.into_iter().any(|line| line.to_str().unwrap().starts_with("voordeur-session=;")));
        assert_eq!(browser.cookie("session"), None);
        assert!(!browser.has("session-warning"), "nobody is signed in");
        browser.open("/signin").await;
        browser.sign_in(&world, &Person::ANNA).await;
        assert!(browser.has("signout"), "{}", browser.text());
    }
}

#[tokio::test]
async fn t32_a_short_idle_time_is_warned_about_halfway() {
    let world = World::with(Backend::Embedded, |config| config.sessions.idle_minutes = 2).await;
    world.add(&Person::ANNA).await;
    let mut browser = world.browser();
    browser.open(&format!("{}/account", world.issuer)).await;
    browser.sign_in(&world, &Person::ANNA).await;
    assert!(browser.page.body.contains("data-ends-in=\"120\" data-warn=\"60\""), "{}", browser.page.body);
}

/// Time passes for the server and for the page that is shown.
async fn wait(world: &World, browser: &Chromium, by: Duration) {
    world.advance(by);
    let later = format!("const now = Date.now; Date.now = () => now() + {};", by.as_millis());
    browser.tab.execute(&later, Vec::new()).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn t32_my_account_warns_on_a_phone_before_the_session_ends() {
    let world = World::with_waits(Backend::Embedded, |config| {
        config.sessions.idle_minutes = 15;
        config.sessions.absolute_hours = 1;
    })
    .await;
    world.add(&Person::ANNA).await;
    let mut browser = Chromium::start(Look { language: Language::Nl, phone: true, scripts: true }).await;
    browser.start_pictures_at(170);
    browser.open(&format!("{}/account", world.issuer)).await;
    browser.write("#email", Person::ANNA.email).await;
    browser.write("#password", Person::ANNA.password).await;
    browser.send("#login-submit").await;
    browser.write("#otp", &world.code(Person::ANNA.phone).await).await;
    browser.send("#otp-submit").await;
    browser.find("#signout").await;

    // Thirteen and a half minutes of nothing: the page asks, and one press of a button keeps her in.
    let press = "const done = arguments[arguments.length - 1];
        const dialog = document.getElementById('session-warning');
        dialog.addEventListener('close', () => done(dialog.open), { once: true });
        document.getElementById('session-extend').click();";
    wait(&world, &browser, 13 * MINUTE + 30 * SECOND).await;
    browser.look("account-warning", "#session-extend").await;
    assert!(browser.text().await.contains("Ik ben er nog"));
    assert!(!browser.tab.execute_async(press, Vec::new()).await.unwrap().convert::<bool>().unwrap());
    let said = "return document.getElementById('session-announce').textContent";
    let said = browser.tab.execute(said, Vec::new()).await.unwrap().convert::<String>().unwrap();
    assert_eq!(said, "U blijft ingelogd.", "screen readers hear it");
    world.advance(2 * MINUTE);
    browser.tab.refresh().await.unwrap();
    browser.find("#signout").await;

    // Near the hour nothing helps: the page says so, lets her finish, and leaves.
    for _ in 0..3 {
        world.advance(13 * MINUTE);
        browser.tab.refresh().await.unwrap();
        browser.find("#signout").await;
    }
    wait(&world, &browser, 4 * MINUTE).await;
    browser.look("account-last-warning", "#session-extend").await;
    assert!(browser.text().await.contains("U wordt zo uitgelogd"), "{}", browser.text().await);
    assert!(!browser.tab.execute_async(press, Vec::new()).await.unwrap().convert::<bool>().unwrap());
    browser.find("#signout").await;
    wait(&world, &browser, 2 * MINUTE).await;
    browser.look("account-ended", "#session-ended-page #go-on").await;
    browser.assert_quiet().await;

    // The back button shows nothing of it.
    browser.tab.back().await.unwrap();
    browser.find("body").await;
    assert!(!browser.text().await.contains(Person::ANNA.email), "{}", browser.text().await);
    browser.open(&format!("{}/session/ended", world.issuer)).await;
    browser.send("#go-on").await;
    browser.find("#login-page").await;
}
