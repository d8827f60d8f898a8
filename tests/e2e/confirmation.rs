//! Registrations of other people's addresses, and mail that a stranger asks for: T01, T02 and T07.

use std::time::Duration;

use idp::domain::account::{Account, EmailAddress};
use tests::{Backend, Browser, Person, World};

use crate::acts::{
    LINK_INVALID, NOT_SIGNED_IN, at_sign_in, cookies_set, lasting, noted, refused, signed_in,
    switch_language, typed_code_of,
};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
const THIEF: Person = Person { password: "Sluipweg-Kelder-Raam-66", ..DORA };
const DAY: Duration = Duration::from_hours(24);

/// A browser that registered this address with this password, on the page that waits for the mail.
async fn registered(world: &World, person: &Person) -> Browser {
    let mut browser = at_sign_in(world).await;
    register(&mut browser, person).await;
    browser
}

async fn register(browser: &mut Browser, person: &Person) {
    let journey = browser.form_of("login-submit").0.query().unwrap().to_owned();
    browser.open(&format!("/register?{journey}")).await;
    let names = [("given_name", "Dora"), ("family_name", "de Vries")];
    let typed = [names[0], names[1], ("email", person.email), ("password", person.password)];
    browser.submit("register-submit", &typed).await;
    assert!(browser.has("confirm-resend"), "{}", browser.text());
}

async fn pressed(world: &World, link: &str) -> Browser {
    let mut browser = world.browser();
    browser.open(link).await;
    browser.submit("confirm-submit", &[]).await;
    browser
}

async fn find(world: &World, email: &str) -> Option<Account> {
    world.idp.store.account_by_email(&EmailAddress::parse(email).unwrap()).await.unwrap()
}

async fn is_confirmed(world: &World) -> bool {
    world.account(&DORA).await.email_verified_at.is_some()
}

#[tokio::test]
async fn t01_who_registers_a_strangers_address_gets_nothing_from_its_owners_click() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let mut thief = registered(&world, &THIEF).await;
        // The owner, who never registered, presses the button of the mail.
        let mut dora = pressed(&world, &world.link(DORA.email, "/confirm").await).await;
        assert!(dora.has("login-page"), "{}", dora.text());

        // The thief's password opens nothing: neither where it was chosen, nor elsewhere.
        thief.open(&world.relying_party().authorize_url(&[])).await;
        thief.give_password(&THIEF).await;
        assert!(thief.has("confirm-resend") && !thief.has("phone"), "{}", thief.text());
        refused(&mut at_sign_in(&world).await, &THIEF, THIEF.password).await;
        assert!(!is_confirmed(&world).await);

        // She chooses a password by mail, and the account is hers alone.
        dora.open(&format!("{}/forgot", world.issuer)).await;
        dora.submit("forgot-submit", &[("email", DORA.email)]).await;
        dora.open(&world.link(DORA.email, "/reset").await).await;
        dora.submit("reset-submit", &[("new_password", DORA.password)]).await;
        dora.give_password(&DORA).await;
        assert!(dora.has("phone"), "{}", dora.text());
        assert!(is_confirmed(&world).await);
        thief.open(&world.relying_party().authorize_url(&[])).await;
        thief.give_password(&THIEF).await;
        assert!(!thief.has("phone"), "{}", thief.text());
        // Nor does the code of the older mail, should the thief have seen it.
        let mails = world.mails(DORA.email).await;
        assert!(mails[0].subject.starts_with("Bevestig"));
        if thief.has("code") {
            thief.submit("code", &[("code", &typed_code_of(&mails[0]))]).await;
            assert_eq!(thief.page.status, 422, "{}", thief.text());
        }
    }
}

#[tokio::test]
async fn t01_a_later_registration_ends_the_link_the_code_and_the_password_of_an_earlier_one() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let mut first = registered(&world, &THIEF).await;
        let old_link = world.link(DORA.email, "/confirm").await;
        let old_code = typed_code_of(world.mails(DORA.email).await.last().unwrap());
        let mut dora = registered(&world, &DORA).await;

        let stale = pressed_or_gone(&world, &old_link).await;
        assert!(stale.text().contains(LINK_INVALID), "{}", stale.text());
        first.submit("code", &[("code", &old_code)]).await;
        assert_eq!(first.page.status, 422, "{}", first.text());
        // The first page sends no mail that would confirm the password of the second.
        world.advance(Duration::from_secs(61));
        first.submit("confirm-resend", &[]).await;
        assert_eq!(world.mails(DORA.email).await.len(), 2);

        let code = typed_code_of(world.mails(DORA.email).await.last().unwrap());
        dora.submit("code", &[("code", &code)]).await;
        assert!(dora.has("login-page"), "{}", dora.text());
        assert!(dora.page.body.contains(DORA.email), "what she signs in with is filled in");
        dora.give_password(&DORA).await;
        assert!(dora.has("phone"), "{}", dora.text());
        refused(&mut at_sign_in(&world).await, &THIEF, THIEF.password).await;
    }
}

async fn pressed_or_gone(world: &World, link: &str) -> Browser {
    let mut browser = world.browser();
    browser.open(link).await;
    if browser.has("confirm-submit") {
        browser.submit("confirm-submit", &[]).await;
    }
    browser
}

#[tokio::test]
async fn t01_signing_in_after_a_registration_tells_no_free_address_from_a_taken_one() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut seen = Vec::new();
        for email in [Person::ANNA.email, DORA.email] {
            let person = Person { email, ..THIEF };
            let mut browser = registered(&world, &person).await;
            let mut answers = Vec::new();
            // In the browser that registered: the right password of the registration, and another one.
            for password in [THIEF.password, "Iets-Anders-Verzonnen-12"] {
                browser.open(&world.relying_party().authorize_url(&[])).await;
                browser.send("login-submit", &[("email", email), ("password", password)]).await;
                answers.push((browser.page.status, cookies_set(&browser.page)));
                browser.follow().await;
                answers.push((browser.page.status, vec![lasting(&browser.page, email)]));
            }
            assert!(browser.text().contains(NOT_SIGNED_IN), "{}", browser.text());
            // In another one.
            let mut other = at_sign_in(&world).await;
            refused(&mut other, &person, THIEF.password).await;
            answers.push((other.page.status, vec![lasting(&other.page, email)]));
            seen.push(answers);
        }
        assert_eq!(seen[0], seen[1]);
        assert!(find(&world, DORA.email).await.unwrap().email_verified_at.is_none());
    }
}

#[tokio::test]
async fn t02_a_code_typed_where_one_registered_works_after_the_button_was_pressed_elsewhere() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let mut laptop = registered(&world, &DORA).await;
        let phone = pressed(&world, &world.link(DORA.email, "/confirm").await).await;
        assert!(phone.text().contains("Log hier in met het wachtwoord dat u koos"), "{}", phone.text());
        // She goes on at the laptop, which says what to do.
        let waiting = laptop.page.url.clone();
        laptop.open(&world.relying_party().authorize_url(&[])).await;
        laptop.give_password(&DORA).await;
        assert_eq!(laptop.page.url, waiting);
        assert!(laptop.text().contains("typ hier de code uit de mail"), "{}", laptop.text());
        let code = typed_code_of(&world.mails(DORA.email).await[0]);
        laptop.submit("code", &[("code", &code)]).await;
        assert!(is_confirmed(&world).await, "{}", laptop.text());
        laptop.give_password(&DORA).await;
        assert!(laptop.has("phone"), "{}", laptop.text());
        // Trying early was no failure.
        assert_eq!(noted(&world, &DORA, "sign-in-failed").await, 0);
    }
}

#[tokio::test]
async fn t07_a_stranger_uses_up_no_mail_of_the_owner() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            config.limits.mails_per_address_per_hour = 0;
        })
        .await;
        world.add(&Person::ANNA).await;
        let laptop = signed_in(&world, &Person::ANNA).await;
        let forgot = async |mut browser: Browser, address: &str| {
            browser.extra_headers.retain(|(name, _)| *name != "x-forwarded-for");
            browser.extra_headers.push(("x-forwarded-for", address.to_owned()));
            browser.open(&format!("{}/forgot", world.issuer)).await;
            browser.submit("forgot-submit", &[("email", Person::ANNA.email)]).await.status.as_u16()
        };
        // One stranger, from one address: five. She, at home, still gets hers.
        for number in 0..7 {
            let expected = if number < 5 { 200 } else { 429 };
            assert_eq!(forgot(world.browser(), "198.51.100.1").await, expected, "{number}");
        }
        assert_eq!(forgot(world.browser(), "203.0.113.5").await, 200);
        // Strangers from many addresses: as many as all together may, and no more for anybody nobody knows.
        let mut accepted = 6;
        for number in 0..30 {
            accepted += usize::from(forgot(world.browser(), &format!("198.18.0.{number}")).await == 200);
        }
        assert_eq!(accepted, 20);
        assert_eq!(forgot(world.browser(), "203.0.113.5").await, 429);
        // A device of hers has a count of its own, from whatever address.
        assert_eq!(forgot(laptop.clone(), "198.51.100.1").await, 200);
        // And so has who is signed in, where no device is remembered.
        let mut signed_in_only = laptop;
        signed_in_only.cookies.get_mut("localhost").unwrap().remove("device");
        assert_eq!(forgot(signed_in_only, "198.51.100.1").await, 200);
        let resets = world.mails(Person::ANNA.email).await;
        assert_eq!(resets.iter().filter(|mail| mail.subject == "Kies een nieuw wachtwoord").count(), 22);
        // And what is asked of one kind uses nothing up of another.
        let mut again = at_sign_in(&world).await;
        register(&mut again, &Person::ANNA).await;
    }
}

#[tokio::test]
async fn a_new_password_by_mail_is_sent_and_sent_again_before_a_confirmation_too() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        registered(&world, &DORA).await;
        let mut browser = world.browser();
        browser.open(&format!("{}/forgot", world.issuer)).await;
        browser.submit("forgot-submit", &[("email", DORA.email)]).await;
        world.advance(Duration::from_secs(61));
        browser.submit("reset-resend", &[]).await;
        let mails = world.mails(DORA.email).await;
        assert_eq!(mails.iter().filter(|mail| mail.subject == "Kies een nieuw wachtwoord").count(), 2);
    }
}

#[tokio::test]
async fn an_unconfirmed_account_is_removed_a_week_after_its_last_mail_and_old_links_with_time() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        registered(&world, &DORA).await;
        world.advance(DAY * 6);
        // The mail was lost; on the sixth day she registers again.
        let mut dora = registered(&world, &DORA).await;
        world.advance(Duration::from_hours(23));
        idp::operators::jobs::clean_up(&world.idp).await.unwrap();
        let link = world.link(DORA.email, "/confirm").await;
        world.advance(Duration::from_mins(59));
        idp::operators::jobs::clean_up(&world.idp).await.unwrap();
        dora.open(&link).await;
        assert!(dora.has("confirm-submit"), "{}", dora.text());

        world.advance(DAY * 8);
        idp::operators::jobs::clean_up(&world.idp).await.unwrap();
        assert!(find(&world, DORA.email).await.is_none());
        assert!(find(&world, Person::ANNA.email).await.is_some());

        // A used link of an account that stays.
        let mut anna = world.browser();
        anna.open(&format!("{}/forgot", world.issuer)).await;
        anna.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        let count = async || crate::acts::column(&world, "SELECT token_hash FROM mail_links").await.len();
        assert_eq!(count().await, 1);
        world.advance(DAY * 9);
        idp::operators::jobs::clean_up(&world.idp).await.unwrap();
        assert_eq!(count().await, 0);
    }
}

#[tokio::test]
async fn a_form_after_a_mail_may_end_at_the_portal() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let policy =
            |browser: &Browser| browser.page.headers["content-security-policy"].to_str().unwrap().to_owned();
        let mut dora = registered(&world, &DORA).await;
        let leads_back = |browser: &Browser| !policy(browser).contains("form-action");
        assert!(leads_back(&dora), "{}", policy(&dora));
        let mut elsewhere = world.browser();
        elsewhere.open(&world.link(DORA.email, "/confirm").await).await;
        assert!(leads_back(&elsewhere), "{}", policy(&elsewhere));
        dora.open(&world.relying_party().authorize_url(&[])).await;
        let journey = dora.form_of("login-submit").0.query().unwrap().to_owned();
        dora.open(&format!("/forgot?{journey}")).await;
        dora.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        assert!(leads_back(&dora), "{}", policy(&dora));
        elsewhere.open(&world.link(Person::ANNA.email, "/reset").await).await;
        assert!(leads_back(&elsewhere), "{}", policy(&elsewhere));
        // A password manager learns whose password it is.
        assert!(elsewhere.page.body.contains("autocomplete=\"username\""));
        assert!(elsewhere.page.body.contains(Person::ANNA.email));
    }
}

/// Follows the link to the other language.
async fn in_english(browser: &mut Browser) {
    if let Some((_, link)) = browser.page.body.split_once("class=\"language-switch\" href=\"") {
        let url = link.split('"').next().unwrap().replace("&amp;", "&").replace("&#x2F;", "/");
        browser.open(&url).await;
    } else {
        switch_language(browser, &[]).await;
    }
    assert!(browser.page.body.contains("<html lang=\"en\""), "{}", browser.text());
}

#[tokio::test]
async fn the_other_language_is_one_click_away_after_every_form() {
    for backend in Backend::ALL {
        let world = World::with_waits(backend, |_| ()).await;
        world.add(&Person::ANNA).await;
        // Sent again too soon, on the page of the code and on those of mails.
        let mut browser = at_sign_in(&world).await;
        browser.give_password(&Person::ANNA).await;
        browser.submit("otp-resend", &[]).await;
        assert_eq!(browser.page.status, 422);
        in_english(&mut browser).await;
        assert!(browser.has("otp"), "{}", browser.text());
        let mut browser = registered(&world, &DORA).await;
        browser.submit("confirm-resend", &[]).await;
        assert_eq!(browser.page.status, 422);
        in_english(&mut browser).await;
        assert!(browser.has("confirm-resend"), "{}", browser.text());
        // A wrong password, a code that is wrong.
        let mut browser = at_sign_in(&world).await;
        refused(&mut browser, &Person::ANNA, "Fout-Wachtwoord-99").await;
        in_english(&mut browser).await;
        assert!(browser.has("login-page"), "{}", browser.text());
        // A password that is refused after a mail: the link's token is not in the address of the form.
        let mut browser = world.browser();
        browser.open(&format!("{}/forgot", world.issuer)).await;
        browser.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        browser.open(&world.link(Person::ANNA.email, "/reset").await).await;
        browser.submit("reset-submit", &[("new_password", "kort")]).await;
        assert_eq!(browser.page.status, 422);
        in_english(&mut browser).await;
        assert!(browser.has("reset-submit"), "{}", browser.text());
        // A page that only says what is wrong, in answer to a form whose target shows nothing by itself.
        world.advance(Duration::from_mins(1));
        let mut browser = signed_in(&world, &Person::ANNA).await;
        let target = format!("{}/account/sessions/end", world.issuer).parse().unwrap();
        browser.request(reqwest::Method::POST, &target, Some(&[])).await;
        assert_eq!(browser.page.status, 403);
        in_english(&mut browser).await;
        assert_eq!(browser.page.status, 200, "{}", browser.text());
    }
}
