//! Authenticator apps and recovery codes: T61 and T62. The app is `oathtool`.

use std::process::Command;
use std::time::Duration;

use idp::config::{Factor, SecondFactor, When};
use idp::delivery::Caught;
use reqwest::Method;
use scraper::{Html, Selector};
use tests::{Backend, Browser, Person, RelyingParty, World};

use crate::acts::{another, at_once, earned, is_back, noted, signed_in, without_phone};

const STEP: Duration = Duration::from_secs(30);
const CODE: &str = "urn:voordeur:acr:code";

/// What the app shows now.
fn shown(world: &World, key: &str) -> String {
    let now = format!("@{}", world.clock.now().0 / 1000);
    let output = Command::new("oathtool").args(["--totp", "--base32", "--now", &now, key]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

async fn open(world: &World, browser: &mut Browser, path: &str) {
    browser.open(&format!("{}{path}", world.issuer)).await;
}

/// What stands in the first element with an id.
fn element(browser: &Browser, id: &str) -> Vec<String> {
    let html = Html::parse_document(&browser.page.body);
    let selector = Selector::parse(&format!("[id='{id}']")).unwrap();
    let element = html.select(&selector).next().unwrap_or_else(|| panic!("no {id}: {}", browser.text()));
    element.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned).collect()
}

/// The key on the page that offers one.
fn key_on(browser: &Browser) -> String {
    element(browser, "app-key").join("").replace(' ', "")
}

/// Connects an app on the account page that is open; its key.
async fn connect(world: &World, browser: &mut Browser) -> String {
    open(world, browser, "/account/app").await;
    let key = key_on(browser);
    browser.submit("app-submit", &[("code", &shown(world, &key))]).await;
    assert!(browser.text().contains("Uw app is gekoppeld"), "{}", browser.text());
    key
}

/// Makes recovery codes on the account page that is open.
async fn make_codes(world: &World, browser: &mut Browser) -> Vec<String> {
    open(world, browser, "/account/recovery-codes").await;
    browser.submit("recovery-make", &[]).await;
    assert_eq!(browser.page.status, 200, "{}", browser.text());
    assert_eq!(browser.page.headers["cache-control"], "no-store");
    element(browser, "recovery-codes")
}

/// A browser that nobody knows, after the password, and the client that it came from.
async fn from_client(world: &World, person: &Person) -> (Browser, RelyingParty) {
    let client = world.relying_party();
    let mut browser = world.browser();
    browser.open(&client.authorize_url(&[])).await;
    browser.give_password(person).await;
    (browser, client)
}

/// A browser that nobody knows, after the password.
async fn after_password(world: &World, person: &Person) -> Browser {
    from_client(world, person).await.0
}

#[tokio::test]
async fn an_app_is_connected_and_its_codes_sign_in_without_sms() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        open(&world, &mut anna, "/account/app").await;
        let key = key_on(&anna);
        assert!(anna.has("app-qr"), "{}", anna.text());
        for (typed, says) in [("", "Vul de code in"), ("12345", "heeft 6 cijfers"), ("000000", "klopt niet")]
        {
            anna.submit("app-submit", &[("code", typed)]).await;
            assert_eq!(anna.page.status, 422);
            assert!(anna.text().contains(says), "{typed}: {}", anna.text());
            assert_eq!(key_on(&anna), key, "the key that is in the app already");
        }
        // As people read it out: in two halves.
        let code = shown(&world, &key);
        anna.submit("app-submit", &[("code", &format!("{} {}", &code[..3], &code[3..]))]).await;
        assert!(anna.text().contains("Uw app is gekoppeld"), "{}", anna.text());
        let mail = world.mails(Person::ANNA.email).await.pop().unwrap();
        assert_eq!(mail.subject, "Er is iets veranderd aan hoe u inlogt");
        assert!(mail.text.contains("App voor codes gekoppeld"), "{}", mail.text);

        // A code by SMS is not asked for any more; the code that connected the app is used up.
        let texts = world.texts(Person::ANNA.phone).await.len();
        let (mut browser, client) = from_client(&world, &Person::ANNA).await;
        assert!(browser.text().contains("Vul de code uit uw app in"), "{}", browser.text());
        browser.submit("otp-submit", &[("code", &code)]).await;
        assert!(browser.text().contains("al gebruikt"), "{}", browser.text());
        world.advance(STEP);
        browser.submit("otp-submit", &[("code", &another(&shown(&world, &key)))]).await;
        assert!(browser.page.status == 422 && browser.text().contains("klopt niet"), "{}", browser.text());
        browser.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        assert!(is_back(&browser), "{}", browser.text());
        let (acr, amr) = earned(&browser, &client).await;
        assert_eq!((acr.as_str(), amr.join(" ").as_str()), (CODE, "pwd otp mfa"));
        assert_eq!(world.texts(Person::ANNA.phone).await.len(), texts);

        // Who has the phone but not the app picks the other way.
        world.advance(STEP);
        let mut browser = after_password(&world, &Person::ANNA).await;
        browser.submit("way-code", &[]).await;
        browser.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());

        // That is not enough to change the app.
        let mut anna = browser;
        open(&world, &mut anna, "/account/app").await;
        assert!(!anna.has("app-remove"), "the code of the app itself is wanted: {}", anna.text());
    }
}

#[tokio::test]
async fn t61_what_one_can_prove_with_changes_only_after_the_strongest_that_there_is() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        let key = connect(&world, &mut anna).await;
        let pages = [
            "/account/app",
            "/account/app?new=1",
            "/account/recovery-codes",
            "/account/phone",
            "/account/email",
        ];
        // Whoever knows the password and has the phone gets to none of them: the app is asked for, and nothing else will do.
        for path in pages {
            let mut browser = world.browser();
            open(&world, &mut browser, path).await;
            browser.give_password(&Person::ANNA).await;
            assert!(browser.text().contains("Vul de code uit uw app in"), "{path}: {}", browser.text());
            assert!(!browser.has("other-ways"), "{path}: {}", browser.text());
            browser.submit("otp-submit", &[("code", &world.code(Person::ANNA.phone).await)]).await;
            assert!(browser.text().contains("Vul de code uit uw app in"), "{path}: {}", browser.text());
        }
        // A session of which the proof is too old changes nothing, with a form that was open meanwhile.
        world.advance(STEP);
        let mut early = after_password(&world, &Person::ANNA).await;
        early.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        open(&world, &mut early, "/account/app").await;
        let mut removing = early.clone();
        let mut making = early.clone();
        open(&world, &mut making, "/account/recovery-codes").await;
        world.advance(Duration::from_mins(5));
        removing.submit("app-remove", &[]).await;
        assert!(removing.has("login-page"), "{}", removing.text());
        making.submit("recovery-make", &[]).await;
        assert!(making.has("login-page"), "{}", making.text());
        let now = world.account(&Person::ANNA).await.factors;
        assert!(now.totp && now.recovery_codes == 0);

        // With the app: it is replaced, and taken away while there is a phone.
        world.advance(STEP);
        let mut anna = after_password(&world, &Person::ANNA).await;
        anna.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        open(&world, &mut anna, "/account/app?new=1").await;
        let next = key_on(&anna);
        assert_ne!(next, key);
        anna.submit("app-submit", &[("code", &shown(&world, &next))]).await;
        assert!(anna.text().contains("Uw app is gekoppeld"), "{}", anna.text());
        world.advance(STEP);
        let mut browser = after_password(&world, &Person::ANNA).await;
        browser.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        assert_eq!(browser.page.status, 422, "the one before is worth nothing");
        open(&world, &mut anna, "/account/app").await;
        let mut twice = anna.clone();
        anna.submit("app-remove", &[]).await;
        twice.submit("app-remove", &[]).await;
        for browser in [&anna, &twice] {
            assert!(browser.text().contains("De app is weggehaald"), "{}", browser.text());
        }
        assert_eq!(noted(&world, &Person::ANNA, "app-removed").await, 1);
        let browser = after_password(&world, &Person::ANNA).await;
        assert!(browser.has("otp-resend"), "SMS again: {}", browser.text());
    }
}

#[tokio::test]
async fn t61_the_last_second_factor_stays_where_a_portal_demands_one() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        without_phone(&world, &Person::ANNA).await;
        let (mut anna, client) = from_client(&world, &Person::ANNA).await;
        // She would rather have no SMS.
        anna.submit("way-new-app", &[]).await;
        let key = key_on(&anna);
        let mut twice = anna.clone();
        anna.submit("app-submit", &[("code", &shown(&world, &key))]).await;
        assert!(is_back(&anna), "{}", anna.text());
        let (acr, amr) = earned(&anna, &client).await;
        assert_eq!((acr.as_str(), amr.join(" ").as_str()), (CODE, "pwd otp mfa"));
        twice.submit("app-submit", &[("code", &shown(&world, &key))]).await;
        assert_eq!(noted(&world, &Person::ANNA, "app-added").await, 1);

        open(&world, &mut anna, "/account/app").await;
        assert!(anna.has("app-stays") && !anna.has("app-remove"), "{}", anna.text());
        // Nor by the form as it would be.
        let mut forced = anna.clone();
        open(&world, &mut forced, "/account").await;
        let (_, fields) = forced.form_of("signout");
        let url = format!("{}/account/app/remove", world.issuer).parse().unwrap();
        forced.request(Method::POST, &url, Some(&fields)).await;
        assert!(world.account(&Person::ANNA).await.factors.totp);
        // With a phone beside it, it may go.
        open(&world, &mut anna, "/account/phone").await;
        anna.submit("change-submit", &[("phone", Person::ANNA.phone)]).await;
        anna.give_code(&world, &Person::ANNA).await;
        open(&world, &mut anna, "/account/app").await;
        anna.submit("app-remove", &[]).await;
        assert!(!world.account(&Person::ANNA).await.factors.totp, "{}", anna.text());
    }
}

#[tokio::test]
async fn t62_an_apps_code_works_once_also_when_two_bring_it_at_once() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        let key = connect(&world, &mut anna).await;
        for _ in 0..5 {
            world.advance(STEP);
            let mut browsers = Vec::new();
            for _ in 0..4 {
                browsers.push(after_password(&world, &Person::ANNA).await);
            }
            let code = shown(&world, &key);
            let shown = at_once(browsers, "otp-submit", |_| vec![("code", code.clone())]).await;
            assert_eq!(shown.iter().filter(|browser| is_back(browser)).count(), 1);
            let rest = shown.iter().filter(|browser| browser.text().contains("al gebruikt")).count();
            assert_eq!(rest, 3);
        }
        // What was right counts as no wrong one: fifteen of those were refused, and the next is looked at.
        world.advance(STEP);
        let mut browser = after_password(&world, &Person::ANNA).await;
        browser.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

/// The last mail about a recovery code.
async fn last_told(world: &World) -> Caught {
    let mut mails = world.mails(Person::ANNA.email).await;
    mails.retain(|mail| mail.subject == "Er is ingelogd met een herstelcode");
    mails.pop().unwrap()
}

#[tokio::test]
async fn t62_a_recovery_code_works_once_also_in_two_tabs_and_its_holder_is_told() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        let old = make_codes(&world, &mut anna).await;
        let codes = make_codes(&world, &mut anna).await;
        assert_eq!((old.len(), codes.len()), (10, 10));
        // They are shown once, and kept as slow hashes.
        open(&world, &mut anna, "/account/recovery-codes").await;
        assert!(anna.has("recovery-left") && !anna.page.body.contains(&codes[0]), "{}", anna.text());
        for hash in crate::acts::column(&world, "SELECT hash FROM recovery_codes").await {
            assert!(hash.starts_with("$argon2id$"), "{hash}");
        }

        let at_code = async || {
            let (mut browser, client) = from_client(&world, &Person::ANNA).await;
            browser.submit("way-recovery-code", &[]).await;
            assert!(browser.has("recovery-submit"), "{}", browser.text());
            (browser, client)
        };
        let (mut browser, client) = at_code().await;
        for (typed, says) in [
            ("", "Vul een herstelcode in."),
            ("123456", "Dit is geen herstelcode"),
            (old[0].as_str(), "klopt niet, of is al gebruikt"),
        ] {
            browser.submit("recovery-submit", &[("code", typed)]).await;
            assert!(
                browser.page.status == 422 && browser.text().contains(says),
                "{typed}: {}",
                browser.text()
            );
        }
        browser.submit("recovery-submit", &[("code", &codes[0].to_uppercase().replace('-', " "))]).await;
        assert!(is_back(&browser), "{}", browser.text());
        let (acr, amr) = earned(&browser, &client).await;
        assert_eq!((acr.as_str(), amr.join(" ").as_str()), (CODE, "pwd otp mfa"));
        let mail = last_told(&world).await;
        assert!(mail.text.contains("U hebt nog 9 herstelcodes"), "{}", mail.text);
        assert!(!mail.text.contains("niet veel meer"), "{}", mail.text);

        // In two tabs at once, six times; at three left the mail says so.
        for code in &codes[1..7] {
            let tabs = vec![at_code().await.0, at_code().await.0];
            let shown = at_once(tabs, "recovery-submit", |_| vec![("code", code.clone())]).await;
            assert_eq!(shown.iter().filter(|browser| is_back(browser)).count(), 1);
        }
        let mail = last_told(&world).await;
        assert!(mail.text.contains("nog 3") && mail.text.contains("niet veel meer"), "{}", mail.text);
        assert_eq!(noted(&world, &Person::ANNA, "recovery-code-used").await, 7);
        open(&world, &mut anna, "/account").await;
        assert!(anna.text().contains("Nog 3 over. Maak nieuwe codes."), "{}", anna.text());
        // A set costs as much as ten passwords: there are ten a day, of which two are made.
        open(&world, &mut anna, "/account/recovery-codes").await;
        for made in 3..=11 {
            let mut again = anna.clone();
            again.submit("recovery-make", &[]).await;
            assert_eq!(again.page.status, if made <= 10 { 200 } else { 429 }, "{made}: {}", again.text());
        }
    }
}

#[tokio::test]
async fn wrong_codes_of_every_kind_count_together() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        let key = connect(&world, &mut anna).await;
        let codes = make_codes(&world, &mut anna).await;
        world.advance(STEP);
        let mut browser = after_password(&world, &Person::ANNA).await;
        for _ in 0..8 {
            browser.submit("otp-submit", &[("code", &another(&shown(&world, &key)))]).await;
        }
        browser.submit("way-recovery-code", &[]).await;
        for _ in 0..7 {
            browser.submit("recovery-submit", &[("code", &another(&codes[0]))]).await;
            assert!(browser.text().contains("klopt niet, of is al gebruikt"), "{}", browser.text());
        }
        // Now the right ones are not looked at either, in this sign-in or another one.
        browser.submit("recovery-submit", &[("code", &codes[0])]).await;
        assert!(browser.text().contains("te veel verkeerde codes"), "{}", browser.text());
        let mut other = after_password(&world, &Person::ANNA).await;
        other.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        assert!(other.text().contains("te veel verkeerde codes"), "{}", other.text());
        assert_eq!(noted(&world, &Person::ANNA, "code-limit").await, 1);
        // The day after they are.
        world.advance(Duration::from_hours(24));
        let mut other = after_password(&world, &Person::ANNA).await;
        other.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        assert!(is_back(&other), "{}", other.text());
    }
}

#[tokio::test]
async fn a_portal_that_takes_no_sms_has_an_app_connected_after_the_phone_was_proved() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            for portal in &mut config.portals {
                portal.policy.second_factor = SecondFactor {
                    when: When::Always,
                    methods: vec![Factor::Totp],
                    ..SecondFactor::default()
                };
            }
        })
        .await;
        world.add(&Person::ANNA).await;
        let mut anna = after_password(&world, &Person::ANNA).await;
        assert!(anna.has("otp-resend"), "the phone comes first: {}", anna.text());
        anna.give_code(&world, &Person::ANNA).await;
        let key = key_on(&anna);
        anna.submit("app-submit", &[("code", &shown(&world, &key))]).await;
        assert!(is_back(&anna), "{}", anna.text());
        world.advance(STEP);
        let mut anna = after_password(&world, &Person::ANNA).await;
        assert!(!anna.has("other-ways"), "{}", anna.text());
        anna.submit("otp-submit", &[("code", &shown(&world, &key))]).await;
        assert!(is_back(&anna), "{}", anna.text());
        // The page that offers a key is good for an hour.
        open(&world, &mut anna, "/account/app?new=1").await;
        let (offered, code) = (key_on(&anna), shown(&world, &key_on(&anna)));
        world.add(&Person::BRAM).await;
        let mut bram = after_password(&world, &Person::BRAM).await;
        bram.give_code(&world, &Person::BRAM).await;
        let (_, fields) = anna.form_of("app-submit");
        let sealed = &fields.iter().find(|(name, _)| name == "sealed").unwrap().1;
        bram.submit("app-submit", &[("code", &code), ("sealed", sealed)]).await;
        assert!(bram.text().contains("te lang open"), "what is another's is nothing here: {}", bram.text());
        anna.submit("app-submit", &[("code", &code), ("sealed", "nonsense")]).await;
        assert!(anna.text().contains("te lang open") && key_on(&anna) != offered, "{}", anna.text());
    }
}
