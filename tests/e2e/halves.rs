//! A code in two halves, sent on request: so that people see that an SMS belongs to the page in front of them.

use std::time::Duration;

use tests::{Backend, Browser, Person, World};

use crate::acts::{another, at_once, at_sign_in, is_back};

const MINUTE: Duration = Duration::from_mins(1);

async fn world(backend: Backend) -> World {
    let world = World::with_waits(backend, |config| {
        let policy = &mut config.portals.last_mut().unwrap().policy;
        policy.second_factor = idp::config::When::Always.into();
        policy.code_on_request = true;
        policy.code_prefix_digits = 4;
    })
    .await;
    world.add(&Person::ANNA).await;
    world
}

/// At the page that offers to send a code.
async fn at_request(world: &World) -> Browser {
    let mut browser = at_sign_in(world).await;
    browser.give_password(&Person::ANNA).await;
    assert!(browser.has("otp-request") && !browser.has("otp"), "{}", browser.text());
    browser
}

/// What stands before the dash on the page.
fn prefix_on(browser: &Browser) -> String {
    let (_, rest) = browser.page.body.split_once("id=\"otp-prefix\">").expect("the first half");
    rest.split_once("-</span>").unwrap().0.to_owned()
}

#[tokio::test]
async fn a_code_in_two_halves_is_sent_when_asked_for_and_shows_which_page_it_belongs_to() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let mut browser = at_request(&world).await;
        assert!(browser.text().contains("sms-inlogcode aanvragen"), "{}", browser.text());
        // Looking at the page again sends nothing either.
        let here = browser.page.url.to_string();
        browser.open(&here).await;
        assert!(world.texts(Person::ANNA.phone).await.is_empty(), "nothing is sent before it is asked for");

        browser.submit("otp-request", &[]).await;
        assert!(browser.has("otp"), "{}", browser.text());
        let text = world.texts(Person::ANNA.phone).await.pop().unwrap().text;
        let (prefix, code) = (prefix_on(&browser), world.code(Person::ANNA.phone).await);
        assert!(prefix.len() == 4 && prefix.bytes().all(|byte| byte.is_ascii_digit()), "{prefix}");
        assert!(code.len() == 6 && text.contains(&format!("{prefix}-{code}")), "{text}");
        assert!(text.ends_with(&format!("@localhost #{code}")), "browsers fill in what is typed: {text}");
        assert!(!browser.text().contains("nieuwe code. De vorige"), "{}", browser.text());

        // What follows the dash is enough, and what was wrong is said.
        browser.submit("otp-submit", &[("code", &another(&code))]).await;
        assert!(browser.text().contains("klopt niet"), "{}", browser.text());
        assert_eq!(prefix_on(&browser), prefix);
        // The first half alone is no code, and counts as no try.
        browser.submit("otp-submit", &[("code", &prefix)]).await;
        assert!(browser.text().contains("De code heeft 6 cijfers"), "{}", browser.text());
        // The code of another page is recognised, and not looked at.
        let other = format!("{}-{code}", another(&prefix));
        browser.submit("otp-submit", &[("code", &other)]).await;
        assert!(browser.text().contains(&format!("begint met {prefix}")), "{}", browser.text());
        browser.submit("otp-submit", &[("code", &code)]).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

#[tokio::test]
async fn the_whole_code_may_be_typed_too() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let mut browser = at_request(&world).await;
        browser.submit("otp-request", &[]).await;
        let whole = format!("{} - {}", prefix_on(&browser), world.code(Person::ANNA.phone).await);
        browser.submit("otp-submit", &[("code", &whole)]).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

#[tokio::test]
async fn t20_asking_twice_at_once_or_on_two_pages_sends_one_code_a_wait() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let (first, mut second) = (at_request(&world).await, at_request(&world).await);
        let pages = at_once(vec![first.clone(); 4], "otp-request", |_| Vec::new()).await;
        assert!(pages.iter().all(|page| page.has("otp")), "{}", pages[0].text());
        assert_eq!(world.texts(Person::ANNA.phone).await.len(), 1);

        // The other page is told that a code is on its way elsewhere, and can ask after the wait.
        second.submit("otp-request", &[]).await;
        assert!(second.text().contains("hoort bij de pagina waar u toen was"), "{}", second.text());
        assert_eq!(world.texts(Person::ANNA.phone).await.len(), 1);
        world.advance(MINUTE);
        let here = second.page.url.to_string().replace("/resend", "");
        second.open(&here).await;
        second.submit("otp-request", &[]).await;
        let texts = world.texts(Person::ANNA.phone).await;
        assert_eq!(texts.len(), 2);
        // Each page shows the half of its own code, by which one sees which SMS is whose.
        let (here, there) = (prefix_on(&second), prefix_on(&pages[0]));
        assert!(texts[0].text.contains(&format!("{there}-")) && texts[1].text.contains(&format!("{here}-")));
        let code = world.code(Person::ANNA.phone).await;
        second.submit("otp-submit", &[("code", &code)]).await;
        assert!(is_back(&second), "{}", second.text());
    }
}
