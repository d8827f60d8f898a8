//! Several portals with rules of their own on one provider and one population of accounts.

use std::time::Duration;

use idp::config::{Client, Config, Portal, SignInPolicy, When};
use platform::config::Secret;
use platform::db::Query;
use reqwest::StatusCode;
use tests::{Backend, Browser, Person, RelyingParty, World};

use crate::acts::{at_sign_in, earned, is_back};

const MINUTE: Duration = Duration::from_mins(1);
const DAY: Duration = Duration::from_hours(24);

const PASSWORD: &str = "urn:voordeur:acr:password";
const KNOWN_DEVICE: &str = "urn:voordeur:acr:known-device";
const CODE: &str = "urn:voordeur:acr:code";

/// Adds a portal whose one client has its name.
fn add_portal(config: &mut Config, id: &str, policy: SignInPolicy) {
    let client = Client {
        client_id: id.into(),
        client_secret: Some(Secret::Literal("web-secret".into())),
        redirect_uris: vec!["http://127.0.0.1:9999/cb".into()],
        ..Client::default()
    };
    config.portals.push(Portal {
        id: id.into(),
        url: "http://127.0.0.1:9999".into(),
        policy,
        clients: vec![client],
        ..Portal::default()
    });
}

fn factor(when: When) -> SignInPolicy {
    SignInPolicy { second_factor: when.into(), ..SignInPolicy::default() }
}

fn client(world: &World, id: &str) -> RelyingParty {
    RelyingParty::new(&world.issuer, id, Some("web-secret"))
}

/// What a page of a sign-in asks; nothing if the browser is back at the client.
fn asks(browser: &Browser) -> &'static str {
    match browser {
        _ if is_back(browser) => "nothing",
        _ if browser.has("login-page") => "password",
        _ if browser.has("otp") => "code",
        _ => panic!("{}: {}", browser.page.url, browser.text()),
    }
}

async fn arrives(browser: &mut Browser, client: &RelyingParty) -> &'static str {
    browser.open(&client.authorize_url(&[])).await;
    asks(browser)
}

#[tokio::test]
async fn a_second_portal_asks_only_for_what_its_rules_add() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            add_portal(config, "easy", factor(When::Never));
            add_portal(config, "strict", factor(When::Always));
        })
        .await;
        world.add(&Person::ANNA).await;
        let (easy, strict) = (client(&world, "easy"), client(&world, "strict"));
        let mut browser = world.browser();

        // One portal is content with the password.
        assert_eq!(arrives(&mut browser, &easy).await, "password");
        browser.give_password(&Person::ANNA).await;
        assert_eq!(earned(&browser, &easy).await, (PASSWORD.into(), vec!["pwd".into()]));
        assert!(world.texts(Person::ANNA.phone).await.is_empty());

        // The other one adds the code, and does not ask the password again.
        let before = browser.clone();
        assert_eq!(arrives(&mut browser, &strict).await, "code");
        browser.give_code(&world, &Person::ANNA).await;
        let stepped_up = (CODE.to_owned(), vec!["pwd".to_owned(), "sms".into(), "mfa".into()]);
        assert_eq!(earned(&browser, &strict).await, stepped_up);
        assert_ne!(before.cookie("session"), browser.cookie("session"), "a new secret for what was proved");

        // From now on both let the session in as it is, and say what was done.
        world.advance(MINUTE);
        for portal in [&easy, &strict] {
            assert_eq!(arrives(&mut browser, portal).await, "nothing");
            assert_eq!(earned(&browser, portal).await, stepped_up);
        }

        // A code that a portal wants each time makes no device trusted; without the session it is asked again.
        let mut next_time = browser.clone();
        next_time.forget_cookie("session");
        assert_eq!(arrives(&mut next_time, &strict).await, "password");
        next_time.give_password(&Person::ANNA).await;
        assert_eq!(asks(&next_time), "code");
    }
}

#[tokio::test]
async fn t30_a_remembered_device_earns_less_and_a_portal_that_wants_more_gets_a_code_asked() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let web = world.relying_party();
        let mut browser = world.browser();
        assert_eq!(arrives(&mut browser, &web).await, "password");
        browser.sign_in(&world, &Person::ANNA).await;
        assert_eq!(earned(&browser, &web).await.0, CODE);

        // Asked by `acr_values`, and as an essential claim.
        let claims = format!(r#"{{"id_token":{{"acr":{{"essential":true,"value":"{CODE}"}}}}}}"#);
        for wish in [("acr_values", CODE), ("claims", claims.as_str())] {
            world.advance(2 * DAY);
            assert_eq!(arrives(&mut browser, &web).await, "password");
            browser.give_password(&Person::ANNA).await;
            assert_eq!(earned(&browser, &web).await, (KNOWN_DEVICE.into(), vec!["pwd".into()]));
            browser.open(&web.authorize_url(&[wish, ("prompt", "none")])).await;
            assert_eq!(web.answered(&browser, "error").as_deref(), Some("interaction_required"), "{wish:?}");
            browser.open(&web.authorize_url(&[wish])).await;
            assert_eq!(asks(&browser), "code", "{wish:?}");
            browser.give_code(&world, &Person::ANNA).await;
            assert_eq!(earned(&browser, &web).await.0, CODE, "{wish:?}");
        }
    }
}

#[tokio::test]
async fn a_device_is_remembered_no_longer_than_each_portal_lets_it_be() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            add_portal(config, "week", SignInPolicy { remember_days: Some(7), ..SignInPolicy::default() });
            add_portal(config, "year", SignInPolicy { remember_days: Some(365), ..SignInPolicy::default() });
        })
        .await;
        world.add(&Person::ANNA).await;
        let asks_after = async |browser: &Browser, portal: &str| {
            let mut browser = browser.clone();
            browser.forget_cookie("session");
            assert_eq!(arrives(&mut browser, &client(&world, portal)).await, "password");
            browser.give_password(&Person::ANNA).await;
            asks(&browser)
        };
        // The code is given where devices are remembered for a month.
        let mut browser = at_sign_in(&world).await;
        browser.sign_in(&world, &Person::ANNA).await;
        world.advance(6 * DAY);
        assert_eq!(asks_after(&browser, "week").await, "nothing");
        world.advance(DAY);
        assert_eq!(asks_after(&browser, "week").await, "code");
        assert_eq!(asks_after(&browser, "web").await, "nothing");
        world.advance(23 * DAY);
        assert_eq!(asks_after(&browser, "web").await, "code");
        assert_eq!(
            asks_after(&browser, "year").await,
            "code",
            "the month was that of the portal of the code"
        );
    }
}

#[tokio::test]
async fn t32_each_portal_has_its_own_idle_and_absolute_time() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            let quick = SignInPolicy { idle_minutes: Some(15), ..factor(When::Never) };
            add_portal(config, "quick", quick);
            let short = SignInPolicy { absolute_hours: Some(2), ..factor(When::Never) };
            add_portal(config, "short", short);
            add_portal(config, "easy", factor(When::Never));
        })
        .await;
        world.add(&Person::ANNA).await;
        let [quick, short, easy] = ["quick", "short", "easy"].map(|id| client(&world, id));
        let mut browser = world.browser();
        arrives(&mut browser, &easy).await;
        browser.give_password(&Person::ANNA).await;

        // Fourteen minutes without activity are fine everywhere; the visit itself is activity.
        world.advance(14 * MINUTE);
        assert_eq!(arrives(&mut browser, &quick).await, "nothing");
        world.advance(14 * MINUTE);
        assert_eq!(arrives(&mut browser, &quick).await, "nothing");

        // After fifteen the strict portal asks again. Coming by and going away is no proof, nor activity.
        world.advance(15 * MINUTE);
        for _ in 0..2 {
            assert_eq!(arrives(&mut browser, &quick).await, "password");
        }
        browser.open(&quick.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(quick.answered(&browser, "error").as_deref(), Some("login_required"));
        // For the other portal the session lives; that is activity, after which the strict one is content too.
        assert_eq!(arrives(&mut browser, &easy).await, "nothing");
        assert_eq!(arrives(&mut browser, &quick).await, "nothing");

        // Asking in the background is none, however often.
        for _ in 0..3 {
            world.advance(5 * MINUTE);
            browser.open(&easy.authorize_url(&[("prompt", "none")])).await;
            assert!(is_back(&browser), "{}", browser.page.url);
        }
        assert_eq!(arrives(&mut browser, &quick).await, "password");
        assert_eq!(arrives(&mut browser, &easy).await, "nothing");

        // Two hours after the password the portal with an absolute time asks again, whatever happened since.
        world.advance(61 * MINUTE);
        assert_eq!(
            arrives(&mut browser, &easy).await,
            "password",
            "an hour without activity ends the session"
        );
        browser.give_password(&Person::ANNA).await;
        for _ in 0..4 {
            world.advance(29 * MINUTE);
            assert_eq!(arrives(&mut browser, &short).await, "nothing");
        }
        world.advance(4 * MINUTE + Duration::from_secs(1));
        assert_eq!(arrives(&mut browser, &short).await, "password");
        assert_eq!(arrives(&mut browser, &easy).await, "nothing");
        // The proof for one portal counts at all of them.
        arrives(&mut browser, &short).await;
        browser.give_password(&Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        for portal in [&short, &quick, &easy] {
            assert_eq!(arrives(&mut browser, portal).await, "nothing");
        }
    }
}

#[tokio::test]
async fn a_forgotten_password_wants_user_name_and_address_where_the_rules_say_so() {
    const ANNA: Person = Person::ANNA;
    for backend in Backend::ALL {
        let world = World::with_preset("pluriform", backend, |_| ()).await;
        world.add(&ANNA).await;
        let sql = "UPDATE accounts SET username = 'anna.b' WHERE email = $1";
        world.idp.store.db().execute(Query::new(sql).bind(ANNA.email)).await.unwrap();
        let ask = async |username: &str, email: &str| {
            let mut browser = world.browser();
            browser.open(&format!("{}/forgot", world.issuer)).await;
            browser.submit("forgot-submit", &[("username", username), ("email", email)]).await;
            browser
        };
        let mut said = Vec::new();
        for (username, email) in
            [("anna.b", ANNA.email), ("Anna.B ", " Anna@Example.nl"), ("bram", ANNA.email)]
        {
            let page = ask(username, email).await;
            assert_eq!(page.page.status, StatusCode::OK);
            said.push(crate::acts::lasting(&page.page, ANNA.email));
        }
        let both = ask("anna.b", "somebody.else@example.nl").await;
        said.push(crate::acts::lasting(&both.page, "somebody.else@example.nl"));
        assert!(said.iter().all(|page| *page == said[0]), "the page tells nothing");
        assert_eq!(world.mails(ANNA.email).await.len(), 2, "one for each time that both fit");
        for (username, email, says) in [
            ("", ANNA.email, "Vul uw gebruikersnaam in."),
            ("anna.b", "", "Vul uw e‑mailadres in"),
            ("anna.b", "geen adres", "Vul een e‑mailadres in"),
        ] {
            let page = ask(username, email).await;
            assert_eq!(page.page.status, StatusCode::UNPROCESSABLE_ENTITY);
            assert!(page.text().contains(says), "{}", page.text());
        }
    }
}
