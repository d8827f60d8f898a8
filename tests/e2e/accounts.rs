//! Threats against registration, mailed links and passwords: T01 to T10.

use std::time::{Duration, Instant};

use idp::store::mail_links::Purpose;
use reqwest::Method;
use tests::{Backend, Browser, Person, World};
use url::Url;

use crate::acts::{
    LINK_INVALID, NOT_SIGNED_IN, TIMED, at_once, at_sign_in, cookies_set, is_back, lasting, noted, refused,
    signed_in, take_the_same_time, temporary_until, typed_code_of,
};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
const NEW_PASSWORD: &str = "Gordijn-Paars-Fietst-91";

fn no_mail_limits(config: &mut idp::config::Config) {
    config.limits.mails_per_account_per_day = 0;
    config.limits.mails_per_address_per_hour = 0;
}

async fn register(world: &World, browser: &mut Browser, email: &str, password: &str) {
    browser.open(&format!("{}/register", world.issuer)).await;
    send_registration(browser, email, password).await;
    browser.follow().await;
}

async fn send_registration(browser: &mut Browser, email: &str, password: &str) {
    let form =
        [("given_name", "Dora"), ("family_name", "de Vries"), ("email", email), ("password", password)];
    browser.send("register-submit", &form).await;
}

async fn forgot(world: &World, browser: &mut Browser, email: &str) {
    browser.open(&format!("{}/forgot", world.issuer)).await;
    browser.submit("forgot-submit", &[("email", email)]).await;
}

async fn is_confirmed(world: &World, person: &Person) -> bool {
    world.account(person).await.email_verified_at.is_some()
}

#[tokio::test]
async fn t01_registering_a_known_address_looks_the_same_and_tells_its_owner() {
    for backend in Backend::ALL {
        let world = World::with(backend, no_mail_limits).await;
        world.add(&Person::ANNA).await;
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..TIMED {
            let unknown = format!("nobody-{round}@example.nl");
            let mut seen = Vec::new();
            for (kind, email) in [Person::ANNA.email, &unknown].into_iter().enumerate() {
                let mut browser = world.browser();
                browser.open(&format!("{}/register", world.issuer)).await;
                let started = Instant::now();
                send_registration(&mut browser, email, DORA.password).await;
                times[kind].push(started.elapsed());
                let answer = (browser.page.status, cookies_set(&browser.page));
                browser.follow().await;
                let waiting = lasting(&browser.page, email);
                // Sending again, and a wrong code, tell no more.
                world.advance(Duration::from_secs(61));
                browser.submit("confirm-resend", &[]).await;
                let again = lasting(&browser.page, email);
                browser.submit("code", &[("code", "00000000")]).await;
                seen.push((answer, waiting, again, browser.page.status, lasting(&browser.page, email)));
            }
            assert_eq!(seen[0], seen[1]);
        }
        let [known, unknown] = times;
        take_the_same_time(&[("known", known), ("unknown", unknown)]);

        // The owner is told, gets nothing to confirm, and has her own password still; the stranger's opens nothing.
        let mails = world.mails(Person::ANNA.email).await;
        assert!(mails.iter().all(|mail| mail.subject == "U heeft al een account"), "{mails:?}");
        assert!(!mails.is_empty() && mails.iter().all(|mail| !mail.text.contains("/confirm")));
        let mut stranger = at_sign_in(&world).await;
        refused(&mut stranger, &Person::ANNA, DORA.password).await;
        signed_in(&world, &Person::ANNA).await;
        assert_eq!(world.account(&Person::ANNA).await.given_name, "Anna");
    }
}

#[tokio::test]
async fn t02_looking_at_a_mailed_link_confirms_nothing_and_the_button_works_once() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let mut dora = world.browser();
        register(&world, &mut dora, DORA.email, DORA.password).await;
        let link = world.link(DORA.email, "/confirm").await;

        // A mail scanner opens the link, over and over.
        let url = Url::parse(&link).unwrap();
        for method in [Method::GET, Method::HEAD, Method::GET, Method::HEAD, Method::GET] {
            assert_eq!(world.browser().request(method, &url, None).await.status, 200);
        }
        assert!(!is_confirmed(&world, &DORA).await);

        // Two pages with the button are open; the first press counts, the second one finds the link used.
        let (mut phone, mut second) = (world.browser(), world.browser());
        phone.open(&link).await;
        second.open(&link).await;
        phone.submit("confirm-submit", &[]).await;
        assert!(phone.has("login-page"), "{}", phone.text());
        assert!(phone.page.body.contains(DORA.email), "what she signs in with is filled in");
        assert!(!phone.page.url.as_str().contains("dora"), "{}", phone.page.url);
        second.submit("confirm-submit", &[]).await;
        assert_eq!(second.page.status, 410);
        assert!(second.text().contains(LINK_INVALID), "{}", second.text());
        let mut again = phone.clone();
        assert_eq!(again.open(&link).await.status, 410);
        // On another device than the one that registered, the password makes it complete.
        assert!(!is_confirmed(&world, &DORA).await);
        phone.give_password(&DORA).await;
        assert!(phone.has("phone"), "{}", phone.text());
        assert!(is_confirmed(&world, &DORA).await);
        assert_eq!(noted(&world, &DORA, "confirmed").await, 1);

        // Who reads mail elsewhere types the code of the mail on the page that waits for it.
        let eva = Person { email: "eva@example.nl", ..DORA };
        let mut browser = world.browser();
        register(&world, &mut browser, eva.email, eva.password).await;
        let waiting = browser.clone();
        let code = typed_code_of(&world.mails(eva.email).await[0]);
        browser.submit("code", &[("code", "12345")]).await;
        assert!(!is_confirmed(&world, &eva).await);
        browser.submit("code", &[("code", &format!("{} {}", &code[..4], &code[4..]))]).await;
        assert!(is_confirmed(&world, &eva).await, "{}", browser.text());
        // The code, too, works once.
        let mut again = waiting;
        again.submit("code", &[("code", &code)]).await;
        assert_eq!(again.page.status, 422, "{}", again.text());
        // And the code of the page is worth nothing to a browser that did not ask for the mail.
        assert_eq!(world.browser().open(again.page.url.as_str()).await.status, 410);
    }
}

#[tokio::test]
async fn t03_a_forged_host_changes_no_link_and_a_forged_address_no_limit() {
    let forged = |browser: &mut Browser| {
        browser.extra_headers.extend([
            ("host", "evil.example".to_owned()),
            ("x-forwarded-host", "evil.example".to_owned()),
            ("x-forwarded-proto", "http".to_owned()),
            ("forwarded", "host=evil.example;proto=http".to_owned()),
        ]);
    };
    for backend in Backend::ALL {
        let origin = "https://login.localhost";
        let world = World::with(backend, |config| {
            config.issuer = origin.into();
            config.limits.mails_per_address_per_hour = 4;
        })
        .await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        forged(&mut browser);
        register(&world, &mut browser, DORA.email, DORA.password).await;
        assert!(browser.text().contains(DORA.email), "{}", browser.text());
        forgot(&world, &mut browser, Person::ANNA.email).await;
        for to in [DORA.email, Person::ANNA.email] {
            let mails = world.mails(to).await;
            let mail = mails.last().unwrap();
            assert!(mail.text.contains(&format!("{origin}/")), "{}", mail.text);
            assert!(!format!("{} {}", mail.text, mail.html).contains("evil.example"));
        }
        let configuration = browser.open(&format!("{}/.well-known/openid-configuration", world.issuer)).await;
        assert!(configuration.body.contains(origin) && !configuration.body.contains("evil.example"));
        browser.open(&world.relying_party().authorize_url(&[])).await;
        assert!(browser.has("login-page") && !browser.page.body.contains("evil.example"));

        // Nobody here is a trusted proxy: another X-Forwarded-For is not another address.
        let mut statuses = Vec::new();
        for last in 1..=4 {
            let mut browser = world.browser();
            browser.extra_headers.push(("x-forwarded-for", format!("198.51.100.{last}")));
            forgot(&world, &mut browser, &format!("nobody-{last}@example.nl")).await;
            statuses.push(browser.page.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 429, 429]);

        // Behind a proxy that is configured it is.
        let world = World::with(backend, |config| {
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            config.limits.mails_per_address_per_hour = 1;
        })
        .await;
        for (address, status) in [("198.51.100.1", 200), ("198.51.100.1", 429), ("198.51.100.2", 200)] {
            let mut browser = world.browser();
            browser.extra_headers.push(("x-forwarded-for", address.into()));
            forgot(&world, &mut browser, &format!("{status}-{address}@example.nl")).await;
            assert_eq!(browser.page.status, status, "{address}");
        }
    }
}

#[tokio::test]
async fn t04_a_page_with_a_token_in_its_url_leaves_no_trace() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut browser = world.browser();
        register(&world, &mut browser, DORA.email, DORA.password).await;
        forgot(&world, &mut browser, Person::ANNA.email).await;
        let confirm = world.link(DORA.email, "/confirm").await;
        let reset = world.link(Person::ANNA.email, "/reset").await;
        for link in [confirm.as_str(), &reset, &format!("{confirm}x"), &format!("{reset}x")] {
            let page = world.browser().open(link).await.clone();
            assert_eq!(page.headers["cache-control"], "no-store", "{link}");
            assert_eq!(page.headers["referrer-policy"], "no-referrer", "{link}");
            // Nothing of another origin is loaded, so nobody else sees the address either.
            assert!(!page.body.contains("src=\"http") && !page.body.contains("src=\"//"), "{link}");
            assert!(page.headers["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        }
        // After the button, the address bar no longer holds the token.
        browser.open(&confirm).await;
        let page = browser.submit("confirm-submit", &[]).await;
        assert!(!page.url.as_str().contains("token"), "{}", page.url);
    }
}

#[tokio::test]
async fn t05_a_reset_link_that_is_used_or_too_old_is_refused() {
    for backend in Backend::ALL {
        let world = World::with(backend, no_mail_limits).await;
        world.add(&Person::ANNA).await;
        let with_new = Person { password: NEW_PASSWORD, ..Person::ANNA };
        let mut browser = world.browser();
        forgot(&world, &mut browser, Person::ANNA.email).await;
        let link = world.link(Person::ANNA.email, "/reset").await;

        // Two pages are open. A refused password uses nothing up; the first good one does.
        let (mut first, mut second) = (world.browser(), world.browser());
        first.open(&link).await;
        second.open(&link).await;
        first.submit("reset-submit", &[("new_password", "kort")]).await;
        assert_eq!(first.page.status, 422);
        first.submit("reset-submit", &[("new_password", NEW_PASSWORD)]).await;
        assert!(first.has("login-page"), "{}", first.text());
        second.submit("reset-submit", &[("new_password", "Stranger-Chosen-This-77")]).await;
        assert_eq!(second.page.status, 410);
        assert_eq!(second.open(&link).await.status, 410);
        assert!(
            world.idp.passwords.verify(NEW_PASSWORD, hash(&world).await.as_deref()).await.unwrap().matches
        );

        // A newer mail ends the older one.
        forgot(&world, &mut browser, Person::ANNA.email).await;
        let older = world.link(Person::ANNA.email, "/reset").await;
        forgot(&world, &mut browser, Person::ANNA.email).await;
        let newer = world.link(Person::ANNA.email, "/reset").await;
        assert_ne!(older, newer);
        assert_eq!(world.browser().open(&older).await.status, 410);

        // A second before its hour is over the newer one shows the form; then even that form is too old.
        world.advance(Duration::from_secs(59 * 60 + 59));
        let mut slow = world.browser();
        assert_eq!(slow.open(&newer).await.status, 200);
        world.advance(Duration::from_secs(1));
        slow.submit("reset-submit", &[("new_password", "Too-Late-For-This-55")]).await;
        assert_eq!(slow.page.status, 410);
        assert_eq!(world.browser().open(&newer).await.status, 410);
        signed_in(&world, &with_new).await;

        // A link for one thing is none for another.
        let token = newer.split_once("token=").unwrap().1;
        assert!(world.idp.store.peek_mail_link(Purpose::Confirm, token).await.unwrap().is_none());
    }
}

async fn hash(world: &World) -> Option<String> {
    world.account(&Person::ANNA).await.password_hash
}

#[tokio::test]
async fn t06_after_a_reset_nothing_of_before_is_left() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let with_new = Person { password: NEW_PASSWORD, ..Person::ANNA };
        // Anna is signed in on her laptop, and somebody who knows her password on a laptop of theirs.
        let client = world.relying_party();
        let (mut laptop, mut thief) = (world.browser(), world.browser());
        let own = client.tokens(&world, &mut laptop, &Person::ANNA).await;
        let stolen = client.tokens(&world, &mut thief, &Person::ANNA).await;
        assert_eq!(client.userinfo(stolen.get("access_token")).await.status(), 200);

        // She asks for a new password on the laptop.
        forgot(&world, &mut laptop, Person::ANNA.email).await;
        laptop.open(&world.link(Person::ANNA.email, "/reset").await).await;
        laptop.submit("reset-submit", &[("new_password", NEW_PASSWORD)]).await;

        // It signs nobody in, and what was open is closed, for her and for the thief.
        assert!(laptop.has("login-page"), "{}", laptop.text());
        for (browser, tokens) in [(&mut laptop, &own), (&mut thief, &stolen)] {
            browser.open(&format!("{}/account", world.issuer)).await;
            assert!(browser.has("login-page"), "{}", browser.text());
            let refresh = tokens.get("refresh_token");
            let answer = client.token(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
            assert_eq!(answer.status(), 400);
            assert_eq!(client.userinfo(tokens.get("access_token")).await.status(), 401);
        }
        refused(&mut thief, &Person::ANNA, Person::ANNA.password).await;

        // The laptop was known; the new password alone is not enough there any more.
        let account = world.account(&Person::ANNA).await;
        assert!(world.idp.store.devices(&account.id).await.unwrap().is_empty());
        laptop.open(&client.authorize_url(&[])).await;
        laptop.give_password(&with_new).await;
        assert!(laptop.has("otp"), "{}", laptop.text());
        laptop.give_code(&world, &with_new).await;
        assert!(is_back(&laptop));
        let mails = world.mails(Person::ANNA.email).await;
        assert_eq!(mails.iter().filter(|mail| mail.subject == "Uw wachtwoord is veranderd").count(), 1);
    }
}

#[tokio::test]
async fn t06_a_sign_in_that_was_under_way_ends_with_the_old_password() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        // A thief gave the stolen password and waits at the code page.
        let mut thief = at_sign_in(&world).await;
        thief.give_password(&Person::ANNA).await;
        assert!(thief.has("otp"));
        let code = world.code(Person::ANNA.phone).await;

        let mut anna = world.browser();
        forgot(&world, &mut anna, Person::ANNA.email).await;
        anna.open(&world.link(Person::ANNA.email, "/reset").await).await;
        anna.submit("reset-submit", &[("new_password", NEW_PASSWORD)]).await;

        // What the old password proved is gone: even with the code there is no way on.
        thief.submit("otp-submit", &[("code", &code)]).await;
        assert!(thief.has("login-page"), "{}", thief.text());
        refused(&mut thief, &Person::ANNA, Person::ANNA.password).await;
    }
}

#[tokio::test]
async fn t07_a_hundred_requests_for_mail_are_capped_and_lock_nobody() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
            config.limits.mails_per_address_per_hour = 8;
        })
        .await;
        world.add(&Person::ANNA).await;
        let from = |browser: &mut Browser, number: usize| {
            browser.extra_headers.retain(|(name, _)| *name != "x-forwarded-for");
            let address = format!("198.{}.100.{}", 18 + number / 250, number % 250);
            browser.extra_headers.push(("x-forwarded-for", address));
        };

        // For one account, from a hundred addresses: twenty mails a day, and the same answers for nobody's address.
        for email in [Person::ANNA.email, "nobody@example.nl"] {
            let mut page = world.browser();
            page.open(&format!("{}/forgot", world.issuer)).await;
            let offset = email.len() * 100;
            let crowd = (0..100).map(|number| {
                let mut browser = page.clone();
                from(&mut browser, offset + number);
                browser
            });
            // Each of a page of its own.
            let fields = |number: usize| vec![("email", email.to_owned()), ("once", number.to_string())];
            let done = at_once(crowd.collect(), "forgot-submit", fields).await;
            let accepted = done.iter().filter(|browser| browser.page.status == 200).count();
            let held_back = done.iter().filter(|browser| browser.page.status == 429).count();
            assert_eq!((accepted, held_back), (20, 80), "{email}");
        }
        assert_eq!(world.mails(Person::ANNA.email).await.len(), 20);

        // From one address, for a hundred accounts.
        let mut page = world.browser();
        from(&mut page, 5_000);
        page.open(&format!("{}/forgot", world.issuer)).await;
        let email = |number: usize| vec![("email", format!("nobody-{number}@example.nl"))];
        let done = at_once(vec![page; 100], "forgot-submit", email).await;
        assert_eq!(done.iter().filter(|browser| browser.page.status == 200).count(), 8);

        // A hundred times 'send again' on the page that waits for a confirmation.
        let mut dora = world.browser();
        from(&mut dora, 6_000);
        register(&world, &mut dora, DORA.email, DORA.password).await;
        for number in 0..100 {
            world.advance(Duration::from_secs(61));
            let mut once = dora.clone();
            from(&mut once, 6_000 + number / 4);
            // The page as it stands now: an older one knows of an earlier mail, and is a second click.
            let waiting = once.page.url.to_string();
            once.open(&waiting).await;
            once.submit("confirm-resend", &[]).await;
        }
        assert_eq!(world.mails(DORA.email).await.len(), 20);

        // The accounts are as they were.
        signed_in(&world, &Person::ANNA).await;
        dora.open(&world.link(DORA.email, "/confirm").await).await;
        dora.submit("confirm-submit", &[]).await;
        assert!(is_confirmed(&world, &DORA).await);
        // And the next day a mail is sent again.
        world.advance(Duration::from_hours(24));
        forgot(&world, &mut dora, Person::ANNA.email).await;
        assert_eq!(dora.page.status, 200);
    }
}

#[tokio::test]
async fn t08_a_bad_password_is_refused_with_the_reason_and_an_unusual_one_is_welcome() {
    let (short, common, weak, own) = (
        "Dit wachtwoord is te kort",
        "Veel mensen gebruiken dit wachtwoord",
        "Dit wachtwoord is makkelijk te raden",
        "staat in dit wachtwoord",
    );
    let refusals = [
        ("", "Kies een wachtwoord."),
        ("Xk7#qLp9-vB", short),
        ("Welkom123456", common),
        ("P@ssw0rd2026", common),
        ("correcthorsebatterystaple", common),
        ("aaaaaaaaaaaaaaaa", weak),
        ("abcabcabcabcabc", weak),
        ("dora houdt van lange soep", own),
    ];
    let welcome = [
        "de zeën 🌊 zijn vandaag rustig, zei zij gisteren tegen haar broer",
        "zeeën 🌊 klotsen",
        "paars gordijn fietst",
    ];
    assert!(welcome[0].chars().count() >= 64);
    for backend in Backend::ALL {
        let world = World::with(backend, no_mail_limits).await;
        let mut browser = world.browser();
        for (password, reason) in refusals {
            register(&world, &mut browser, DORA.email, password).await;
            assert_eq!(browser.page.status, 422, "{password}");
            assert!(browser.text().contains(reason), "{password}: {}", browser.text());
            assert!(password.is_empty() || !browser.page.body.contains(password), "the page repeats it");
        }
        assert!(world.mails(DORA.email).await.is_empty());

        let people = ["eva@example.nl", "fred@example.nl", "gerda@example.nl"];
        for (password, email) in welcome.into_iter().zip(people) {
            let mut browser = world.browser();
            register(&world, &mut browser, email, password).await;
            browser.open(&world.link(email, "/confirm").await).await;
            browser.submit("confirm-submit", &[]).await;
            // On one keyboard an ë is one character, on another one two.
            let typed = password.replace('ë', "e\u{308}");
            browser.submit("login-submit", &[("email", email), ("password", &typed)]).await;
            assert!(browser.has("phone"), "{password}: {}", browser.text());
        }

        // The same rule holds for a new password by mail.
        let mut browser = world.browser();
        forgot(&world, &mut browser, "eva@example.nl").await;
        browser.open(&world.link("eva@example.nl", "/reset").await).await;
        for (password, reason) in &refusals[..6] {
            browser.submit("reset-submit", &[("new_password", password)]).await;
            assert!(browser.text().contains(reason), "{password}: {}", browser.text());
        }
    }
}

#[tokio::test]
async fn t09_the_hundredth_character_of_a_password_counts() {
    const LONG: &str = "zeven paarse gordijnen fietsen langs de kade en zingen samen een lied over regen, molens \
                        en tulpen in de verre polder";
    let wrong: String =
        LONG.chars().enumerate().map(|(at, c)| if at == 99 && c != 'x' { 'x' } else { c }).collect();
    assert!(LONG.len() > 100 && wrong != LONG && wrong[..99] == LONG[..99]);
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = Person { password: LONG, ..Person::ANNA };
        world.add(&anna).await;
        let mut browser = at_sign_in(&world).await;
        refused(&mut browser, &anna, &wrong).await;
        refused(&mut browser, &anna, &LONG[..99]).await;
        browser.sign_in(&world, &anna).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

#[tokio::test]
async fn t10_a_temporary_password_must_be_replaced_and_expires() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        let week = world.clock.now().plus(Duration::from_hours(7 * 24));
        temporary_until(&world, &Person::ANNA, week).await;
        temporary_until(&world, &Person::BRAM, week).await;

        // It opens one page, once: the one where it is replaced. There is no way past that page.
        let mut anna = at_sign_in(&world).await;
        let mut colleague = at_sign_in(&world).await;
        anna.give_password(&Person::ANNA).await;
        assert!(anna.has("new_password"), "{}", anna.text());
        refused(&mut colleague, &Person::ANNA, Person::ANNA.password).await;
        let code_page = anna.page.url.as_str().replace("new-password", "code");
        anna.open(&code_page).await;
        assert!(anna.has("new_password"), "{}", anna.text());
        assert!(world.texts(Person::ANNA.phone).await.is_empty());
        // Not by a weak password, and not by itself: the colleague who handed it out knows it.
        for (password, reason) in [("kort", "te kort"), (Person::ANNA.password, "Dit is uw oude wachtwoord")]
        {
            anna.submit("new_password", &[("new_password", password)]).await;
            assert!(anna.text().contains(reason), "{}", anna.text());
            assert!(world.account(&Person::ANNA).await.temporary_password_until.is_some());
        }
        let with_new = Person { password: NEW_PASSWORD, ..Person::ANNA };
        anna.submit("new_password", &[("new_password", NEW_PASSWORD)]).await;
        assert!(anna.has("otp"), "{}", anna.text());
        anna.give_code(&world, &with_new).await;
        assert!(is_back(&anna));

        // From then on it is worth nothing at all.
        refused(&mut colleague, &Person::ANNA, Person::ANNA.password).await;
        signed_in(&world, &with_new).await;

        // Bram waits too long: his works a second before its end, and then fails like any wrong password.
        world.advance(Duration::from_secs(7 * 24 * 3600 - 1));
        let mut bram = at_sign_in(&world).await;
        bram.give_password(&Person::BRAM).await;
        assert!(bram.has("new_password"), "{}", bram.text());
        world.advance(Duration::from_secs(1));
        let mut bram = at_sign_in(&world).await;
        bram.give_password(&Person::BRAM).await;
        assert!(bram.text().contains(NOT_SIGNED_IN), "{}", bram.text());
    }
}
