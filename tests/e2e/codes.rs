//! Threats against one-time codes and the numbers they go to: T17 to T23.

use std::time::Duration;

use platform::seal::sha256;
use tests::{Backend, Browser, Person, World};

use crate::acts::{another, at_once, at_sign_in, code_of, is_back, noted, signed_in, without_phone};

const MINUTE: Duration = Duration::from_mins(1);
const SECOND: Duration = Duration::from_secs(1);

async fn at_code_page(world: &World, person: &Person) -> Browser {
    let mut browser = at_sign_in(world).await;
    browser.give_password(person).await;
    assert!(browser.has("otp"), "{}", browser.text());
    browser
}

/// Gives the password, and finds that there is nothing to do today.
async fn closed(world: &World, person: &Person) -> Browser {
    let mut browser = at_sign_in(world).await;
    browser.give_password(person).await;
    assert!(browser.has("code-closed"), "{}", browser.text());
    assert!(!browser.has("otp") && !browser.has("otp-resend"), "{}", browser.text());
    browser
}

async fn sent(world: &World, person: &Person) -> usize {
    world.texts(person.phone).await.len()
}

async fn wrong_code(world: &World, browser: &mut Browser, person: &Person) {
    let wrong = another(&world.code(person.phone).await);
    browser.submit("otp-submit", &[("code", &wrong)]).await;
    assert_eq!(browser.page.status, 422, "{}", browser.text());
}

#[tokio::test]
async fn t17_a_new_code_does_not_forgive_wrong_ones() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        // A thief with the password asks for a new code after every five guesses, also in a new sign-in.
        let mut thief = at_code_page(&world, &Person::ANNA).await;
        for round in 1..=3 {
            let mut late = thief.clone();
            for guess in 1..=5 {
                wrong_code(&world, &mut thief, &Person::ANNA).await;
                let says = match (round, guess) {
                    (3, 5) => "Er zijn vandaag te veel verkeerde codes ingevuld",
                    (_, 5) => "Deze code werkt niet meer",
                    _ => "klopt niet",
                };
                assert!(thief.text().contains(says), "round {round}, guess {guess}: {}", thief.text());
            }
            if round == 3 {
                break;
            }
            // The sixth is not looked at, be it the right one.
            late.give_code(&world, &Person::ANNA).await;
            assert!(late.text().contains("Deze code werkt niet meer"), "{}", late.text());
            if round == 2 {
                thief = at_code_page(&world, &Person::ANNA).await;
            } else {
                world.advance(MINUTE);
                thief.submit("otp-resend", &[]).await;
            }
        }
        // Fifteen in a day: nothing is offered any more, here or in a sign-in begun anew.
        assert!(!thief.has("otp") && !thief.has("otp-resend"), "{}", thief.text());
        assert!(
            thief.text().contains("Er zijn vandaag te veel verkeerde codes ingevuld"),
            "{}",
            thief.text()
        );
        let sms = sent(&world, &Person::ANNA).await;
        let anew = closed(&world, &Person::ANNA).await;
        assert!(anew.text().contains("Er zijn vandaag te veel verkeerde codes ingevuld"), "{}", anew.text());
        // No other code is sent, and it is written down once.
        assert_eq!(sent(&world, &Person::ANNA).await, sms);
        assert_eq!(noted(&world, &Person::ANNA, "code-limit").await, 1);
        world.advance(Duration::from_hours(24));
        signed_in(&world, &Person::ANNA).await;
    }
}

#[tokio::test]
async fn t18_a_code_is_random_kept_as_a_hash_short_lived_and_works_once() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut browser = at_code_page(&world, &Person::ANNA).await;
        let first = world.code(Person::ANNA.phone).await;
        let journey =
            browser.page.url.query_pairs().find(|(name, _)| name == "journey").unwrap().1.into_owned();
        let kept = world.idp.ephemeral.get(&format!("journey:{journey}")).await.unwrap().unwrap().value;
        assert!(kept.contains("hash"), "{kept}");
        // Six digits could be tried against a plain hash in a second; this one has a key.
        assert!(!kept.contains(&first) && !kept.contains(&sha256(&first)), "{kept}");

        // A second before ten minutes are over it would work; a wrong try shows that it lives. Then it is too old.
        world.advance(Duration::from_secs(10 * 60 - 1));
        wrong_code(&world, &mut browser, &Person::ANNA).await;
        assert!(browser.text().contains("klopt niet"), "{}", browser.text());
        world.advance(SECOND);
        browser.submit("otp-submit", &[("code", &first)]).await;
        assert!(browser.text().contains("Deze code is te oud"), "{}", browser.text());
        browser.submit("otp-resend", &[]).await;
        let second = world.code(Person::ANNA.phone).await;
        assert_ne!(first, second);
        for code in [&first, &second] {
            assert!(code.len() == 6 && code.bytes().all(|byte| byte.is_ascii_digit()), "{code}");
        }
        browser.submit("otp-submit", &[("code", &first)]).await;
        assert!(browser.text().contains("klopt niet"), "the old code lives: {}", browser.text());

        // Another browser that knows the address of the page and the code is shown nothing.
        let mut thief = at_sign_in(&world).await;
        thief.open(browser.page.url.as_str()).await;
        assert_eq!(thief.page.status, 410, "{}", thief.text());
        let mut thief = at_code_page(&world, &Person::ANNA).await;
        let (_, mut fields) = thief.form_of("otp-submit");
        fields.retain(|(name, _)| name != "code");
        fields.push(("code".into(), second.clone()));
        let (target, _) = browser.form_of("otp-submit");
        assert_eq!(thief.request(reqwest::Method::POST, &target, Some(&fields)).await.status, 410);

        // With 9:59 on the clock it signs in, once: not a copy of the same browser a moment later.
        world.advance(Duration::from_secs(10 * 60 - 1));
        let mut copy = browser.clone();
        browser.submit("otp-submit", &[("code", &second)]).await;
        assert!(is_back(&browser), "{}", browser.text());
        copy.submit("otp-submit", &[("code", &second)]).await;
        assert!(!is_back(&copy) && copy.cookie("session").is_none(), "{}", copy.text());

        // Nor two copies in the same moment.
        let page = at_code_page(&world, &Person::ANNA).await;
        let code = world.code(Person::ANNA.phone).await;
        let done = at_once(vec![page; 5], "otp-submit", |_| vec![("code", code.clone())]).await;
        assert_eq!(done.iter().filter(|browser| is_back(browser)).count(), 1);
    }
}

#[tokio::test]
async fn t19_the_code_of_one_sign_in_is_none_in_another() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        // Two tabs of the same browser.
        let mut tab = at_sign_in(&world).await;
        let (mut one, mut two) = (tab.clone(), tab.clone());
        two.open(&world.relying_party().authorize_url(&[])).await;
        one.give_password(&Person::ANNA).await;
        two.give_password(&Person::ANNA).await;
        let codes: Vec<String> = world.texts(Person::ANNA.phone).await.iter().map(code_of).collect();
        assert_eq!(codes.len(), 2);
        for (page, others) in [(&mut one, &codes[1]), (&mut two, &codes[0])] {
            page.submit("otp-submit", &[("code", others)]).await;
            assert_eq!(page.page.status, 422, "{}", page.text());
            assert!(page.text().contains("klopt niet"), "{}", page.text());
        }
        // In its own it works.
        one.submit("otp-submit", &[("code", &codes[0])]).await;
        assert!(is_back(&one), "{}", one.text());

        // A code for one number proves no other one.
        without_phone(&world, &Person::ANNA).await;
        tab.open(&world.relying_party().authorize_url(&[])).await;
        tab.give_password(&Person::ANNA).await;
        tab.submit("phone", &[("phone", "0611111111")]).await;
        let code = world.code("+31611111111").await;
        let another_number = tab.page.url.as_str().replace("/code", "/phone");
        tab.open(&another_number).await;
        tab.submit("phone", &[("phone", "0622222222")]).await;
        tab.submit("otp-submit", &[("code", &code)]).await;
        assert!(tab.has("otp") && !is_back(&tab), "{}", tab.text());
        assert!(world.account(&Person::ANNA).await.phone_verified_at.is_none());
    }
}

#[tokio::test]
async fn t20_a_code_is_sent_again_after_a_wait_and_once_for_a_double_click() {
    for backend in Backend::ALL {
        let world = World::with_waits(backend, |_| ()).await;
        world.add(&Person::ANNA).await;
        // A double click on the password: one SMS.
        let page = at_sign_in(&world).await;
        let password = |_| {
            vec![("email", Person::ANNA.email.to_owned()), ("password", Person::ANNA.password.to_owned())]
        };
        let mut done = at_once(vec![page; 2], "login-submit", password).await;
        assert!(done.iter().all(|browser| browser.has("otp")), "{}", done[0].text());
        assert_eq!(sent(&world, &Person::ANNA).await, 1);

        // Too soon, until a minute is over; looking at the page again sends nothing either.
        let mut browser = done.pop().unwrap();
        browser.open(browser.page.url.clone().as_str()).await;
        world.advance(MINUTE.checked_sub(SECOND).unwrap());
        browser.submit("otp-resend", &[]).await;
        assert!(browser.text().contains("U vroeg net al een code aan"), "{}", browser.text());
        assert_eq!(sent(&world, &Person::ANNA).await, 1);
        world.advance(SECOND);
        let done = at_once(vec![browser; 5], "otp-resend", |_| Vec::new()).await;
        assert_eq!(sent(&world, &Person::ANNA).await, 2);
        // The one that was sent works, for whichever page it is typed on.
        let mut browser = done.into_iter().next_back().unwrap();
        browser.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

#[tokio::test]
async fn t20_a_sign_in_begun_anew_sends_no_other_code_within_the_wait() {
    for backend in Backend::ALL {
        let world = World::with_waits(backend, |_| ()).await;
        world.add(&Person::ANNA).await;
        let mut first = at_code_page(&world, &Person::ANNA).await;
        let mut second = at_code_page(&world, &Person::ANNA).await;
        assert_eq!(sent(&world, &Person::ANNA).await, 1);
        // The new page says so, and when.
        assert!(second.text().contains("Die code hoort bij de pagina waar u toen was"), "{}", second.text());
        assert!(second.page.body.contains("data-countdown=\"60\""), "{}", second.text());
        second.submit("otp-submit", &[("code", "123456")]).await;
        assert_eq!(second.page.status, 422, "{}", second.text());
        world.advance(MINUTE.checked_sub(SECOND).unwrap());
        second.submit("otp-resend", &[]).await;
        assert!(second.text().contains("U vroeg net al een code aan"), "{}", second.text());
        assert_eq!(sent(&world, &Person::ANNA).await, 1);
        // The first code still works where it belongs; after the wait the other page gets one.
        first.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&first), "{}", first.text());
        world.advance(SECOND);
        second.submit("otp-resend", &[]).await;
        assert_eq!(sent(&world, &Person::ANNA).await, 2);
        second.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&second), "{}", second.text());
        // The number of somebody else is not held up by it.
        world.add(&Person::BRAM).await;
        at_code_page(&world, &Person::BRAM).await;
        assert_eq!(sent(&world, &Person::BRAM).await, 1);
    }
}

#[tokio::test]
async fn t20_links_that_ask_for_a_code_send_one_a_wait_and_no_more_than_others() {
    for backend in Backend::ALL {
        let world = World::with_waits(backend, |config| config.codes.per_account_per_day = 4).await;
        world.add(&Person::ANNA).await;
        // Signed in on a known device, with the password alone.
        let mut browser = signed_in(&world, &Person::ANNA).await;
        browser.forget_cookie("session");
        world.advance(MINUTE);
        browser.open(&world.relying_party().authorize_url(&[])).await;
        browser.give_password(&Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        // A page of somebody else's sends her browser here over and over.
        let portal = world.relying_party();
        let stepping = [("acr_values", "urn:voordeur:acr:code")];
        for _ in 0..5 {
            world.advance(SECOND);
            browser.open(&portal.authorize_url(&stepping)).await;
            assert!(browser.has("otp"), "{}", browser.text());
        }
        assert_eq!(sent(&world, &Person::ANNA).await, 2);
        for _ in 0..5 {
            world.advance(MINUTE);
            browser.open(&portal.authorize_url(&stepping)).await;
        }
        assert_eq!(sent(&world, &Person::ANNA).await, 4);
        assert!(browser.has("code-closed"), "{}", browser.text());
    }
}

#[tokio::test]
async fn t20_the_sms_to_one_number_and_for_one_account_are_capped_a_day() {
    for backend in Backend::ALL {
        // A number that two people share.
        let world = World::with(backend, |config| config.codes.per_number_per_day = 3).await;
        let bram = Person { phone: Person::ANNA.phone, ..Person::BRAM };
        world.add(&Person::ANNA).await;
        world.add(&bram).await;
        at_code_page(&world, &Person::ANNA).await;
        at_code_page(&world, &Person::ANNA).await;
        let mut last = at_code_page(&world, &bram).await;
        for person in [&Person::ANNA, &bram] {
            let without = closed(&world, person).await;
            assert!(
                without.text().contains("U kreeg vandaag al het hoogste aantal codes"),
                "{}",
                without.text()
            );
            assert_eq!(noted(&world, person, "code-limit").await, 1);
        }
        // Where a code is under way it can be given, and no other one is offered.
        last.open(last.page.url.clone().as_str()).await;
        assert!(last.has("otp") && !last.has("otp-resend"), "{}", last.text());
        assert_eq!(sent(&world, &bram).await, 3);
        // The last code that was sent still works, and tomorrow there are new ones.
        last.give_code(&world, &bram).await;
        assert!(is_back(&last), "{}", last.text());
        world.advance(Duration::from_hours(24));
        at_code_page(&world, &Person::ANNA).await;
        assert_eq!(sent(&world, &Person::ANNA).await, 4);

        // One account that sends codes all over the country.
        let world = World::with(backend, |config| config.codes.per_account_per_day = 3).await;
        world.add(&Person::ANNA).await;
        without_phone(&world, &Person::ANNA).await;
        let mut browser = at_sign_in(&world).await;
        browser.give_password(&Person::ANNA).await;
        let page = browser.page.url.to_string();
        for number in 1..=5 {
            browser.open(&page).await;
            browser.submit("phone", &[("phone", &format!("061111111{number}"))]).await;
            world.advance(MINUTE);
        }
        let mut all = 0;
        for number in 1..=5 {
            all += world.texts(&format!("+3161111111{number}")).await.len();
        }
        assert_eq!(all, 3);
    }
}

#[tokio::test]
async fn t20_all_sms_together_have_a_budget() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| config.codes.total_per_day = 2).await;
        for person in [Person::ANNA, Person::BRAM] {
            world.add(&person).await;
            at_code_page(&world, &person).await;
        }
        world.add(&Person::CARLA).await;
        let carla = closed(&world, &Person::CARLA).await;
        assert!(carla.text().contains("Wij kunnen nu geen SMS sturen"), "{}", carla.text());
        let numbers = [sent(&world, &Person::ANNA).await, sent(&world, &Person::BRAM).await];
        assert_eq!((numbers, sent(&world, &Person::CARLA).await), ([1, 1], 0));
        world.advance(Duration::from_hours(24));
        signed_in(&world, &Person::CARLA).await;
    }
}

#[tokio::test]
async fn t21_wrong_codes_and_wrong_passwords_are_counted_apart() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        // Four wrong passwords, then the right one and four wrong codes: neither is near its end.
        let mut browser = at_sign_in(&world).await;
        let wrong = |_| vec![("email", Person::ANNA.email.to_owned()), ("password", "Fout-1".to_owned())];
        at_once(vec![browser.clone(); 4], "login-submit", wrong).await;
        browser.give_password(&Person::ANNA).await;
        for _ in 0..4 {
            wrong_code(&world, &mut browser, &Person::ANNA).await;
        }
        assert!(browser.text().contains('1'), "one try is left: {}", browser.text());
        wrong_code(&world, &mut browser, &Person::ANNA).await;
        assert!(browser.text().contains("Deze code werkt niet meer"), "{}", browser.text());

        // The code has ended; the password is not locked, and the owner signs in with a code of her own.
        assert!(world.idp.store.locked_until(&account.id, "").await.unwrap().is_none());
        assert_eq!(noted(&world, &Person::ANNA, "locked").await, 0);
        signed_in(&world, &Person::ANNA).await;

        // Of twenty wrong codes at once five are looked at.
        let page = at_code_page(&world, &Person::ANNA).await;
        let right = world.code(Person::ANNA.phone).await;
        let wrong = another(&right);
        let mut after = page.clone();
        let done = at_once(vec![page; 20], "otp-submit", |_| vec![("code", wrong.clone())]).await;
        assert!(done.iter().all(|browser| !is_back(browser)));
        after.submit("otp-submit", &[("code", &right)]).await;
        assert!(after.text().contains("Deze code werkt niet meer"), "{}", after.text());
        let counted = world.idp.ephemeral.get(&format!("code-failures:{}", account.id.0)).await.unwrap();
        assert_eq!(counted.map(|counter| counter.version), Some(10));
    }
}

#[tokio::test]
async fn t22_an_sms_names_nobody_and_binds_the_code_to_this_site() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| config.issuer = "https://login.localhost".into()).await;
        world.add(&Person::ANNA).await;
        let browser = at_code_page(&world, &Person::ANNA).await;
        let texts = world.texts(Person::ANNA.phone).await;
        let text = &texts[0].text;
        let code = code_of(&texts[0]);
        assert_eq!(text.lines().last(), Some(format!("@login.localhost #{code}").as_str()));
        assert_eq!(text.matches(&code).count(), 2, "{text}");
        // What the portal is called is its own choice; it says where the code belongs.
        let brand = world.idp.brand(Some(&world.relying_party().client_id)).name.clone();
        assert!(text.starts_with(&format!("Uw code om in te loggen bij {brand} is {code}.")), "{text}");
        let lower = text.replace(&brand, "").to_lowercase();
        for word in
            ["anna", "voorbeeld", "example.nl\n", "zorg", "dossier", "cliënt", "portaal", "care", "http"]
        {
            assert!(!lower.contains(word), "{word}: {text}");
        }
        assert!(!text.contains(&Person::ANNA.phone[4..]), "{text}");
        // The field says that it takes such a code.
        assert!(browser.page.body.contains("autocomplete=\"one-time-code\""));
    }
}

#[tokio::test]
async fn an_sms_fits_one_message_whatever_the_portal_is_called_and_ends_with_the_line_for_browsers() {
    let long = "Stichting Zorggroep Noord- en Zuid-Holland, Cliëntportaal";
    for (brand, says) in [
        ("Cliëntportaal ’s Heeren Loo – Zuid", "bij Clientportaal 's Heeren Loo - Zuid is "),
        (long, "bij Stichting Zorggroep Noord- en "),
        ("Портал 中文", "Uw code is "),
    ] {
        for host in [
            "https://login.localhost",
            "https://inloggen.mijn.zeer-lange-naam-van-een-zorginstelling.localhost",
        ] {
            let world = World::with(Backend::Embedded, |config| {
                config.issuer = host.into();
                for portal in &mut config.portals {
                    portal.brand.name = brand.into();
                }
            })
            .await;
            world.add(&Person::ANNA).await;
            at_code_page(&world, &Person::ANNA).await;
            let sms = world.texts(Person::ANNA.phone).await.pop().unwrap();
            let length = idp::domain::gsm7::length(&sms.text);
            assert!(length.is_some_and(|length| length <= 160), "{length:?}: {}", sms.text);
            let code = code_of(&sms);
            let host = host.trim_start_matches("https://");
            assert_eq!(sms.text.lines().last(), Some(format!("@{host} #{code}").as_str()));
            assert!(host.len() > 20 || sms.text.contains(says), "{}", sms.text);
        }
    }
}

#[tokio::test]
async fn an_sms_says_whether_it_is_for_a_new_number_and_tells_the_old_one_whom_to_call() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            for portal in &mut config.portals {
                portal.brand.name = "Voorbeeldhuis".into();
                portal.brand.helpdesk.phone = "088-1234567".into();
            }
        })
        .await;
        world.add(&Person::ANNA).await;
        without_phone(&world, &Person::ANNA).await;
        let mut browser = at_sign_in(&world).await;
        browser.give_password(&Person::ANNA).await;
        browser.submit("phone", &[("phone", "06-44444444")]).await;
        let text = world.texts("+31644444444").await.pop().unwrap().text;
        assert!(text.starts_with("Uw code om dit nummer te bevestigen bij Voorbeeldhuis is "), "{text}");

        let holder = world.account(&Person::ANNA).await;
        let mut write = world.idp.store.begin_write().await.unwrap();
        let language = platform::language::Language::Nl;
        world.idp.tell_old_number(&mut write, Person::ANNA.phone, language, "phone_changed").await.unwrap();
        world
            .idp
            .notify(&mut write, idp::app::notices::Mail::PhoneChanged, &holder, None, |_| ())
            .await
            .unwrap();
        write.commit().await.unwrap();
        let text = world.texts(Person::ANNA.phone).await.pop().unwrap().text;
        assert!(text.contains("Voorbeeldhuis") && text.ends_with("Bel 088-1234567."), "{text}");
        let mail = world.mails(Person::ANNA.email).await.pop().unwrap();
        for form in [&mail.text, &mail.html] {
            assert!(form.contains("Bel dan meteen 088-1234567"), "{form}");
        }
    }
}

#[tokio::test]
async fn t23_codes_go_to_dutch_mobile_numbers_only() {
    let mobile = [
        "06-12345678",
        "0612345678",
        "+31 6 12345678",
        "0031612345678",
        "06 12 34 56 78",
        "+31 (0)6 12345678",
    ];
    let others = [
        ("030-2345678", "a landline"),
        ("+31 20 624 1111", "a landline"),
        ("097012345678", "machine to machine"),
        ("+3197012345678", "machine to machine"),
        ("0662345678", "a pager"),
        ("085-1234567", "VoIP"),
        ("091-1234567", "VoIP"),
        ("084-1234567", "a personal number"),
        ("0800-1234", "a free number"),
        ("0900-8844", "a paid number"),
        ("088-1234567", "a company"),
        ("14030", "a municipality"),
        ("112", "an emergency number"),
        ("+32 470 12 34 56", "Belgian"),
        ("0049 1512 3456789", "German"),
        ("+44 7911 123456", "British"),
        ("061234567", "too short"),
        ("06123456789", "too long"),
        ("06-ABCDEFGH", "letters"),
        ("0612345678,0687654321", "two numbers"),
        ("<script>0612345678</script>", "a script"),
    ];
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        without_phone(&world, &Person::ANNA).await;
        let mut browser = at_sign_in(&world).await;
        browser.give_password(&Person::ANNA).await;
        for (number, what) in others {
            browser.submit("phone", &[("phone", number)]).await;
            assert_eq!(browser.page.status, 422, "{what}: {number}");
            let says = "Vul een Nederlands mobiel nummer in dat begint met 06";
            assert!(browser.text().contains(says), "{what}: {}", browser.text());
        }
        world.deliver().await;
        assert!(world.idp.delivery.caught().iter().all(|caught| caught.kind != "sms"));

        // However it is written, it is the same number.
        let start = browser.page.url.to_string();
        for number in mobile {
            browser.open(&start).await;
            browser.submit("phone", &[("phone", number)]).await;
            assert!(browser.has("otp"), "{number}: {}", browser.text());
            world.advance(MINUTE);
        }
        assert_eq!(world.texts("+31612345678").await.len(), mobile.len());
        // It is shown masked, and counts once its code was given.
        assert!(!browser.page.body.contains("345678"), "{}", browser.text());
        assert!(world.account(&Person::ANNA).await.verified_phone().is_none());
        browser.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        assert!(world.account(&Person::ANNA).await.verified_phone().is_some());
    }
}
