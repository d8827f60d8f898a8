//! Threats against remembered devices: T27 and T28; and against secrets that a browser brings: T49.

use std::time::Duration;

use idp::store::accounts::Name;
use platform::seal::sha256;
use tests::{Backend, Browser, Person, World};

use crate::acts::{at_sign_in, column, is_back, signed_in, without_phone};

const DAY: Duration = Duration::from_hours(24);

/// The same machine, after its session ended: only the device's cookie is left besides the browser's own.
fn next_time(browser: &Browser) -> Browser {
    let mut browser = browser.clone();
    browser.forget_cookie("session");
    browser
}

/// Gives the password; whether a code is asked then.
async fn is_asked_a_code(world: &World, browser: &mut Browser, person: &Person) -> bool {
    browser.open(&world.relying_party().authorize_url(&[])).await;
    browser.give_password(person).await;
    assert!(browser.has("otp") || is_back(browser), "{}", browser.text());
    browser.has("otp")
}

#[tokio::test]
async fn t27_a_known_device_signs_nobody_in_and_knows_its_own_people_only() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        let machine = signed_in(&world, &Person::ANNA).await;
        let secret = machine.cookie("device").expect("a device cookie").to_owned();

        // The secret alone opens nothing, and does not tell whose it is.
        let mut thief = world.browser();
        thief.set_cookie("device", &secret);
        for url in [world.relying_party().authorize_url(&[]), format!("{}/account", world.issuer)] {
            thief.open(&url).await;
            assert!(thief.has("login-page"), "{}", thief.text());
            assert!(!thief.page.body.contains(Person::ANNA.email));
        }
        // Silently neither.
        thief.open(&world.relying_party().authorize_url(&[("prompt", "none")])).await;
        assert_eq!(world.relying_party().answered(&thief, "error").as_deref(), Some("login_required"));

        // Anna needs no code there; Bram, at the same machine, does.
        assert!(!is_asked_a_code(&world, &mut next_time(&machine), &Person::ANNA).await);
        let mut bram = next_time(&machine);
        assert!(is_asked_a_code(&world, &mut bram, &Person::BRAM).await);
        bram.give_code(&world, &Person::BRAM).await;
        assert!(is_back(&bram), "{}", bram.text());
        // Now it knows both.
        for person in [&Person::ANNA, &Person::BRAM] {
            assert!(!is_asked_a_code(&world, &mut next_time(&bram), person).await, "{}", person.email);
        }

        // A secret that was never given out is not taken over as one, nor is it known.
        let mut forger = world.browser();
        forger.set_cookie("device", "short");
        assert!(is_asked_a_code(&world, &mut forger, &Person::ANNA).await);
        forger.give_code(&world, &Person::ANNA).await;
        assert_ne!(forger.cookie("device"), Some("short"));

        // The database holds hashes.
        let hashes = column(&world, "SELECT secret_hash FROM devices").await;
        let current = bram.cookie("device").expect("a device cookie");
        assert_eq!(hashes.len(), 3);
        assert!(hashes.contains(&sha256(current)) && !hashes.contains(&current.to_owned()));
        // With the code it became another one, for both of them: the one before is worth nothing.
        assert!(!hashes.contains(&sha256(&secret)));
    }
}

#[tokio::test]
async fn t49_a_device_cookie_that_was_planted_is_not_the_one_that_is_trusted() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        // Bram's own, and one of the right length that nobody ever got.
        let planted =
            [signed_in(&world, &Person::BRAM).await.cookie("device").unwrap().to_owned(), "A".repeat(43)];
        for planted in planted {
            let mut anna = world.browser();
            anna.set_cookie("device", &planted);
            assert!(is_asked_a_code(&world, &mut anna, &Person::ANNA).await);
            anna.give_code(&world, &Person::ANNA).await;
            assert!(is_back(&anna), "{}", anna.text());
            let own = anna.cookie("device").unwrap().to_owned();
            assert_ne!(own, planted);
            // Whoever planted it has nothing that spares Anna's code.
            let mut other = world.browser();
            other.set_cookie("device", &planted);
            assert!(is_asked_a_code(&world, &mut other, &Person::ANNA).await);
            // Her own does.
            assert!(!is_asked_a_code(&world, &mut next_time(&anna), &Person::ANNA).await);
        }
        // A code given anew on a known device makes another secret again, and is the same device.
        let mut anna = signed_in(&world, &Person::ANNA).await;
        let before =
            (anna.cookie("device").unwrap().to_owned(), column(&world, "SELECT id FROM devices").await);
        world.clock.advance(31 * DAY);
        assert!(is_asked_a_code(&world, &mut anna, &Person::ANNA).await);
        anna.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&anna), "{}", anna.text());
        assert_ne!(anna.cookie("device"), Some(before.0.as_str()));
        assert_eq!(column(&world, "SELECT id FROM devices").await.len(), before.1.len());
    }
}

#[tokio::test]
async fn t49_who_planted_the_browser_s_cookie_has_no_part_in_the_sign_in() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        // Both have the cookie that tells browsers apart, and Anna follows a link to a sign-in that was begun for her.
        let mut thief = world.browser();
        thief.open(&world.relying_party().authorize_url(&[])).await;
        let mut anna = world.browser();
        anna.set_cookie("browser", thief.cookie("browser").unwrap());
        anna.open(thief.page.url.as_str()).await;
        anna.give_password(&Person::ANNA).await;
        assert!(anna.has("otp"), "{}", anna.text());

        // From her password on it is hers alone: neither its pages nor the code are for somebody else.
        let code = world.code(Person::ANNA.phone).await;
        for page in [anna.page.url.as_str(), thief.page.url.as_str()] {
            let mut other = thief.clone();
            other.open(page).await;
            assert_eq!(other.page.status, 410, "{}", other.text());
        }
        let (action, mut fields) = anna.form_of("otp-submit");
        fields.retain(|(name, _)| name != "code");
        fields.push(("code".into(), code));
        thief.request(reqwest::Method::POST, &action, Some(&fields)).await;
        assert_eq!(thief.page.status, 410, "{}", thief.text());
        assert!(thief.cookie("session").is_none() && thief.cookie("device").is_none());

        // Hers goes on, also after a reload, and leaves no cookie behind.
        let here = anna.page.url.clone();
        anna.open(here.as_str()).await;
        anna.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&anna), "{}", anna.text());
        let jar = &anna.cookies["localhost"];
        assert!(!jar.keys().any(|name| name.starts_with("sign-in-")), "{jar:?}");
    }
}

#[tokio::test]
async fn t27_the_device_cookie_is_bound_to_its_host() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| config.issuer = "https://login.localhost".into()).await;
        world.add(&Person::ANNA).await;
        let mut browser = at_sign_in(&world).await;
        browser.give_password(&Person::ANNA).await;
        let code = world.code(Person::ANNA.phone).await;
        browser.send("otp-submit", &[("code", &code)]).await;
        let lines: Vec<&str> =
            browser.page.headers.get_all("set-cookie").iter().map(|line| line.to_str().unwrap()).collect();
        assert_eq!(lines.len(), 3, "the end of the sign-in's own, a session and a device");
        for (line, name) in lines.into_iter().zip(["__Host-sign-in-", "__Host-session=", "__Host-device="]) {
            assert!(line.starts_with(name), "{name}");
            for attribute in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
                assert!(line.contains(attribute), "{name}: {attribute}");
            }
            assert!(!line.contains("Domain"), "{name}");
        }
        // A cookie that a neighbour under the same domain could set is not read.
        let secret = browser.cookie("__Host-device").unwrap().to_owned();
        let mut forged = world.browser();
        forged.set_cookie("device", &secret);
        assert!(is_asked_a_code(&world, &mut forged, &Person::ANNA).await);
    }
}

#[tokio::test]
async fn t28_after_a_month_a_code_is_asked_again() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut machine = signed_in(&world, &Person::ANNA).await;
        world.deliver().await;
        // Using the device does not make the month longer.
        for _ in 0..2 {
            world.advance(DAY * 10);
            machine = next_time(&machine);
            assert!(!is_asked_a_code(&world, &mut machine, &Person::ANNA).await);
        }
        world.advance((DAY * 10).checked_sub(Duration::from_secs(1)).unwrap());
        assert!(!is_asked_a_code(&world, &mut next_time(&machine), &Person::ANNA).await);
        world.advance(Duration::from_secs(1));
        let mut machine = next_time(&machine);
        assert!(is_asked_a_code(&world, &mut machine, &Person::ANNA).await);
        machine.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&machine), "{}", machine.text());
        world.deliver().await;
        // Which begins a new month, of the same device: no second one is on the list, and no second mail was sent.
        world.advance(DAY * 29);
        assert!(!is_asked_a_code(&world, &mut next_time(&machine), &Person::ANNA).await);
        let account = world.account(&Person::ANNA).await;
        assert_eq!(world.idp.store.devices(&account.id).await.unwrap().len(), 1);
        let mails = world.mails(Person::ANNA.email).await;
        assert_eq!(mails.iter().filter(|mail| mail.subject == "Inloggen op een nieuw apparaat").count(), 1);
    }
}

#[tokio::test]
async fn t28_a_forgotten_device_or_a_new_password_asks_a_code_again() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let name = Name::Email(world.add(&Person::ANNA).await.email);
        world.add(&Person::BRAM).await;
        let (mut laptop, phone) =
            (signed_in(&world, &Person::ANNA).await, signed_in(&world, &Person::ANNA).await);
        let bram = signed_in(&world, &Person::BRAM).await;
        let known = world.idp.store.account_and_device(&name, phone.cookie("device")).await.unwrap();
        let phones = known.and_then(|(_, device)| device).unwrap();

        // Somebody else cannot forget it for her.
        forget(&world, &mut bram.clone(), &phones.id).await;
        assert!(!is_asked_a_code(&world, &mut next_time(&phone), &Person::ANNA).await);

        // On her laptop she forgets the phone that she lost; the laptop stays known.
        forget(&world, &mut laptop, &phones.id).await;
        assert!(is_asked_a_code(&world, &mut next_time(&phone), &Person::ANNA).await);
        assert!(!is_asked_a_code(&world, &mut next_time(&laptop), &Person::ANNA).await);

        // A new password by mail forgets every device of hers, and none of Bram's.
        laptop.open(&format!("{}/forgot", world.issuer)).await;
        laptop.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        laptop.open(&world.link(Person::ANNA.email, "/reset").await).await;
        laptop.submit("reset-submit", &[("new_password", "Gordijn-Paars-Fietst-91")]).await;
        let with_new = Person { password: "Gordijn-Paars-Fietst-91", ..Person::ANNA };
        assert!(is_asked_a_code(&world, &mut next_time(&laptop), &with_new).await);
        assert!(!is_asked_a_code(&world, &mut next_time(&bram), &Person::BRAM).await);
    }
}

#[tokio::test]
async fn t29_on_a_public_computer_nothing_outlives_the_browser() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            config.portals.iter_mut().for_each(|portal| portal.policy.public_computer = true);
        })
        .await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        // Bram once signed in here, and said that the computer is his; somebody chose a language.
        let mut browser = signed_in(&world, &Person::BRAM).await;
        browser.open(&format!("{}/logout?lang=nl", world.issuer)).await;
        browser.submit("logout-confirm", &[]).await;
        let mut closed = browser.clone();
        closed.close();
        for name in ["browser", "device", "language"] {
            assert!(closed.cookie(name).is_some(), "{name}");
        }
        // Anna, at the same machine, says that others use it too.
        browser.open(&world.relying_party().authorize_url(&[])).await;
        assert!(browser.has("public-computer"));
        let typed =
            [("email", Person::ANNA.email), ("password", Person::ANNA.password), ("public_computer", "1")];
        browser.submit("login-submit", &typed).await;
        browser.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        // Whatever she does then, also in another language.
        browser.open(&format!("{}/account?lang=en", world.issuer)).await;
        assert!(browser.has("signout"), "{}", browser.text());
        let account = world.account(&Person::ANNA).await;
        assert!(world.idp.store.devices(&account.id).await.unwrap().is_empty());
        browser.close();
        assert_eq!(browser.cookies["localhost"].len(), 0, "{:?}", browser.cookies);
        assert!(is_asked_a_code(&world, &mut browser, &Person::ANNA).await);

        // Without the tick it is a computer like any.
        browser.give_code(&world, &Person::ANNA).await;
        browser.close();
        assert!(browser.cookie("browser").is_some() && browser.cookie("device").is_some());
    }
}

#[tokio::test]
async fn a_first_phone_and_a_new_device_are_told_as_what_they_are() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        without_phone(&world, &Person::ANNA).await;
        let mut browser = at_sign_in(&world).await;
        browser.give_password(&Person::ANNA).await;
        browser.submit("phone", &[("phone", "0612345678")]).await;
        browser.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        let subjects = async || -> Vec<String> {
            world.mails(Person::ANNA.email).await.into_iter().map(|mail| mail.subject).collect()
        };
        assert_eq!(subjects().await, ["Uw telefoonnummer is toegevoegd", "Inloggen op een nieuw apparaat"]);
        // The same device, a month later with a code and at a portal that asks for one every time: no other mail.
        world.advance(DAY * 31);
        let mut browser = next_time(&browser);
        assert!(is_asked_a_code(&world, &mut browser, &Person::ANNA).await);
        browser.give_code(&world, &Person::ANNA).await;
        world.advance(Duration::from_secs(1));
        browser
            .open(
                &world
                    .relying_party()
                    .authorize_url(&[("acr_values", "urn:voordeur:acr:code"), ("prompt", "login")]),
            )
            .await;
        browser.sign_in(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        assert_eq!(subjects().await.len(), 2);
        // What the account page says of it is true of it: until when no code is asked.
        browser.open(&format!("{}/account", world.issuer)).await;
        assert!(browser.text().contains("Geen code nodig tot"), "{}", browser.text());
    }
}

/// Presses 'forget' for a device, as the account page offers it (or would, if it were one's own).
async fn forget(world: &World, browser: &mut Browser, id: &str) {
    browser.open(&format!("{}/account", world.issuer)).await;
    let (_, mut fields) = browser.form_of("signout");
    fields.push(("id".into(), id.to_owned()));
    let target = browser.page.url.join("/account/devices/forget").unwrap();
    browser.request(reqwest::Method::POST, &target, Some(&fields)).await;
    assert_eq!(browser.page.status, 303);
    browser.follow().await;
}
