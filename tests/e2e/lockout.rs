//! Threats against the lock on wrong passwords: T11 to T16.

use std::time::{Duration, Instant};

use idp::config::When;
use reqwest::StatusCode;
use tests::{Backend, Browser, Person, Tokens, World};

use crate::acts::{
    TIMED, at_once, at_sign_in, cookies_set, is_back, lasting, lock, noted, refused, signed_in,
    take_the_same_time,
};

const WRONG: &str = "Fout-Wachtwoord-99";
const HALF_AN_HOUR: Duration = Duration::from_mins(30);
const SECOND: Duration = Duration::from_secs(1);

fn behind_a_proxy(config: &mut idp::config::Config) {
    config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
}

fn from(browser: &Browser, address: &str) -> Browser {
    let mut browser = browser.clone();
    browser.extra_headers.retain(|(name, _)| *name != "x-forwarded-for");
    browser.extra_headers.push(("x-forwarded-for", address.to_owned()));
    browser
}

fn typed(person: &Person, password: &str) -> Vec<(&'static str, String)> {
    vec![("email", person.email.to_owned()), ("password", password.to_owned())]
}

/// Sent to the sign-in page by a portal that wants the password anew.
async fn ask_again(world: &World, browser: &mut Browser) {
    world.advance(SECOND);
    browser.open(&world.relying_party().authorize_url(&[("prompt", "login")])).await;
    assert!(browser.has("login-page"), "{}", browser.page.url);
}

#[tokio::test]
async fn t11_five_wrong_passwords_lock_for_exactly_the_set_time() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut browser = at_sign_in(&world).await;
        // Four are forgiven by the right one, and the count starts over.
        for _ in 0..4 {
            refused(&mut browser, &Person::ANNA, WRONG).await;
        }
        browser.give_password(&Person::ANNA).await;
        assert!(browser.has("otp"), "{}", browser.text());

        let mut browser = at_sign_in(&world).await;
        for _ in 0..4 {
            refused(&mut browser, &Person::ANNA, WRONG).await;
            world.advance(SECOND);
        }
        assert_eq!(noted(&world, &Person::ANNA, "locked").await, 0);
        refused(&mut browser, &Person::ANNA, WRONG).await;
        assert_eq!(noted(&world, &Person::ANNA, "locked").await, 1);

        // The right password does not open it, and asking does not prolong it.
        refused(&mut browser, &Person::ANNA, Person::ANNA.password).await;
        world.advance(HALF_AN_HOUR.checked_sub(SECOND).unwrap());
        refused(&mut browser, &Person::ANNA, Person::ANNA.password).await;
        world.advance(SECOND * 2);
        browser.sign_in(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());

        // The owner was told once.
        let mails = world.mails(Person::ANNA.email).await;
        assert_eq!(
            mails.iter().filter(|mail| mail.subject == "Inloggen is tijdelijk geblokkeerd").count(),
            1
        );
    }
}

#[tokio::test]
async fn t12_locked_wrong_blocked_and_unknown_cannot_be_told_apart() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let bram = world.add(&Person::BRAM).await;
        let carla = world.add(&Person::CARLA).await;
        lock(&world, &Person::BRAM).await;
        assert!(world.idp.store.locked_until(&bram.id, "").await.unwrap().is_some());
        let mut write = world.idp.store.begin_write().await.unwrap();
        world.idp.store.set_blocked(&mut write, &carla.id, true).await.unwrap();
        write.commit().await.unwrap();

        let tries = [
            ("wrong", Person::ANNA.email, WRONG),
            ("locked", Person::BRAM.email, Person::BRAM.password),
            ("blocked", Person::CARLA.email, Person::CARLA.password),
            ("unknown", "nobody@example.nl", WRONG),
        ];
        let mut times: [Vec<Duration>; 4] = Default::default();
        for _ in 0..TIMED {
            let mut answers = Vec::new();
            for (kind, (name, email, password)) in tries.into_iter().enumerate() {
                let mut browser = at_sign_in(&world).await;
                let started = Instant::now();
                browser.send("login-submit", &[("email", email), ("password", password)]).await;
                times[kind].push(started.elapsed());
                let page = &browser.page;
                let mut headers: Vec<String> = page.headers.keys().map(ToString::to_string).collect();
                headers.sort();
                answers.push((name, page.status, headers, cookies_set(page), lasting(page, email)));
            }
            for answer in &answers[1..] {
                let first = &answers[0];
                assert_eq!((answer.1, &answer.2, &answer.3), (first.1, &first.2, &first.3), "{}", answer.0);
                assert_eq!(answer.4, first.4, "{}", answer.0);
            }
            let mut write = world.idp.store.begin_write().await.unwrap();
            world.idp.store.unlock(&mut write, &anna.id).await.unwrap();
            write.commit().await.unwrap();
        }
        let kinds: Vec<_> = tries.map(|(name, ..)| name).into_iter().zip(times).collect();
        take_the_same_time(&kinds);
    }
}

#[tokio::test]
async fn t13_failures_from_fifty_addresses_lock_the_account() {
    for backend in Backend::ALL {
        let world = World::with(backend, behind_a_proxy).await;
        let anna = world.add(&Person::ANNA).await;
        let page = at_sign_in(&world).await;
        let crowd = (1..=50).map(|last| from(&page, &format!("203.0.113.{last}"))).collect();
        let done = at_once(crowd, "login-submit", |_| typed(&Person::ANNA, WRONG)).await;
        assert!(done.iter().all(|browser| browser.page.status == 422));
        assert!(world.idp.store.locked_until(&anna.id, "").await.unwrap().is_some());
        assert_eq!(noted(&world, &Person::ANNA, "sign-in-failed").await, 5);
        let mut elsewhere = from(&page, "198.51.100.1");
        refused(&mut elsewhere, &Person::ANNA, Person::ANNA.password).await;
    }
}

#[tokio::test]
async fn t13_one_address_that_tries_many_accounts_is_held_back() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            behind_a_proxy(config);
            config.limits.sign_ins_per_address_per_hour = 5;
        })
        .await;
        world.add(&Person::ANNA).await;
        let page = at_sign_in(&world).await;
        // An IPv4 address; and a household's IPv6 network, of which every address can be used.
        let spray: [fn(usize) -> String; 2] =
            [|_| "203.0.113.9".to_owned(), |number| format!("2001:db8:1:2::{number:x}")];
        for address in spray {
            for number in 1..=5 {
                let mut browser = from(&page, &address(number));
                let email = format!("nobody-{number}@example.nl");
                browser.submit("login-submit", &[("email", &email), ("password", WRONG)]).await;
                assert_eq!(browser.page.status, 422);
            }
            let mut sixth = from(&page, &address(6));
            sixth.give_password(&Person::ANNA).await;
            assert_eq!(sixth.page.status, 429, "{}", address(6));
            assert!(sixth.page.headers.contains_key("retry-after"));
        }
        // The account is as it was, and everybody else is served.
        let mut anna = from(&page, "2001:db8:1:3::1");
        anna.give_password(&Person::ANNA).await;
        assert!(anna.has("otp"), "{}", anna.text());
        world.advance(Duration::from_hours(1));
        let mut later = from(&at_sign_in(&world).await, "203.0.113.9");
        later.give_password(&Person::ANNA).await;
        assert!(later.has("otp"), "{}", later.text());
    }
}

#[tokio::test]
async fn t14_who_keeps_locking_an_account_keeps_its_owner_out_of_nothing() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let client = world.relying_party();
        let mut anna = world.browser();
        let mut tokens = client.tokens(&world, &mut anna, &Person::ANNA).await;
        for round in 1..=3 {
            lock(&world, &Person::ANNA).await;
            assert!(world.idp.store.locked_until(&account.id, "").await.unwrap().is_some());

            // Her session lives: at the account page, at another portal's request, at the portal she is in.
            anna.open(&format!("{}/account", world.issuer)).await;
            assert!(anna.text().contains(Person::ANNA.email), "{}", anna.text());
            anna.open(&client.authorize_url(&[])).await;
            assert!(is_back(&anna), "{}", anna.text());
            tokens = refresh(&world, &tokens).await.expect("a session that goes on");

            // Her device can sign in anew; that opens nothing for the stranger.
            ask_again(&world, &mut anna).await;
            anna.give_password(&Person::ANNA).await;
            assert!(is_back(&anna), "{}", anna.text());
            let mut stranger = at_sign_in(&world).await;
            refused(&mut stranger, &Person::ANNA, Person::ANNA.password).await;

            // And she is told.
            let mails = world.mails(Person::ANNA.email).await;
            let told = mails.iter().filter(|mail| mail.subject == "Inloggen is tijdelijk geblokkeerd");
            assert_eq!(told.count(), round);
            world.advance(HALF_AN_HOUR);
        }

        // A device that she knows locks itself, by a count of its own, and nobody else.
        ask_again(&world, &mut anna).await;
        for _ in 0..5 {
            refused(&mut anna, &Person::ANNA, WRONG).await;
        }
        refused(&mut anna, &Person::ANNA, Person::ANNA.password).await;
        let mut other = at_sign_in(&world).await;
        other.give_password(&Person::ANNA).await;
        assert!(other.has("otp"), "{}", other.text());
    }
}

#[tokio::test]
async fn t14_nor_where_a_code_is_asked_every_time() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            for portal in &mut config.portals {
                portal.policy.second_factor = When::Always.into();
                portal.policy.remember_days = None;
            }
        })
        .await;
        world.add(&Person::ANNA).await;
        let client = world.relying_party();
        let mut anna = world.browser();
        let tokens = client.tokens(&world, &mut anna, &Person::ANNA).await;
        assert!(anna.cookie("device").is_some());
        anna.open(&client.authorize_url(&[])).await;
        let code = client.answered(&anna, "code").unwrap();
        lock(&world, &Person::ANNA).await;
        refused(&mut at_sign_in(&world).await, &Person::ANNA, Person::ANNA.password).await;
        assert!(refresh(&world, &tokens).await.is_some());
        assert_eq!(client.redeem(&code).await.status(), StatusCode::OK);
        anna.open(&client.authorize_url(&[])).await;
        assert!(is_back(&anna), "{}", anna.text());
        // On the device that the account knows, the right password still opens the way to the code.
        world.advance(SECOND);
        anna.open(&client.authorize_url(&[("prompt", "login")])).await;
        anna.give_password(&Person::ANNA).await;
        assert!(anna.has("otp"), "{}", anna.text());
    }
}

async fn refresh(world: &World, tokens: &Tokens) -> Option<Tokens> {
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
    let answer = world.relying_party().token(&form).await;
    if answer.status() == StatusCode::OK { Some(Tokens(answer.json().await.unwrap())) } else { None }
}

async fn block(world: &World, person: &Person, blocked: bool) {
    let id = world.account(person).await.id;
    let mut write = world.idp.store.begin_write().await.unwrap();
    world.idp.store.set_blocked(&mut write, &id, blocked).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn t15_a_locked_or_blocked_account_gets_no_tokens() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        let client = world.relying_party();

        // Bram is blocked between the code and its redemption, and with a refresh token in hand.
        let mut bram = world.browser();
        let tokens = client.tokens(&world, &mut bram, &Person::BRAM).await;
        let code = client.code(&world, &mut bram, &Person::BRAM).await;
        let mut half_way = at_sign_in(&world).await;
        half_way.give_password(&Person::BRAM).await;
        block(&world, &Person::BRAM, true).await;
        assert_eq!(client.redeem(&code).await.status(), 400);
        assert!(refresh(&world, &tokens).await.is_none());
        assert_eq!(client.userinfo(tokens.get("access_token")).await.status(), 401);
        half_way.give_code(&world, &Person::BRAM).await;
        assert_eq!(client.answered(&half_way, "error").as_deref(), Some("access_denied"));
        bram.open(&client.authorize_url(&[])).await;
        assert!(!is_back(&bram), "{}", bram.page.url);

        // Anna's device is locked in the same moments.
        let mut anna = world.browser();
        let tokens = client.tokens(&world, &mut anna, &Person::ANNA).await;
        let code = client.code(&world, &mut anna, &Person::ANNA).await;
        ask_again(&world, &mut anna).await;
        let tries = vec![anna.clone(); 5];
        at_once(tries, "login-submit", |_| typed(&Person::ANNA, WRONG)).await;
        assert_eq!(client.redeem(&code).await.status(), 400);
        assert!(refresh(&world, &tokens).await.is_none());
        refused(&mut anna, &Person::ANNA, Person::ANNA.password).await;
    }
}

#[tokio::test]
async fn t15_only_the_clock_or_a_reset_opens_a_lock() {
    const NEW_PASSWORD: &str = "Gordijn-Paars-Fietst-91";
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let mut known = signed_in(&world, &Person::ANNA).await;
        lock(&world, &Person::ANNA).await;
        let until = world.idp.store.locked_until(&account.id, "").await.unwrap();
        assert!(until.is_some());

        // Not another browser, the right password, a sign-in from a known device, or asking for a new password.
        let mut stranger = at_sign_in(&world).await;
        refused(&mut stranger, &Person::ANNA, Person::ANNA.password).await;
        ask_again(&world, &mut known).await;
        known.give_password(&Person::ANNA).await;
        assert!(is_back(&known), "{}", known.text());
        let mut asking = world.browser();
        asking.open(&format!("{}/forgot", world.issuer)).await;
        asking.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        let link = world.link(Person::ANNA.email, "/reset").await;
        asking.open(&link).await;
        assert_eq!(world.idp.store.locked_until(&account.id, "").await.unwrap(), until);
        refused(&mut stranger, &Person::ANNA, Person::ANNA.password).await;

        // The reset itself does.
        asking.submit("reset-submit", &[("new_password", NEW_PASSWORD)]).await;
        let with_new = Person { password: NEW_PASSWORD, ..Person::ANNA };
        stranger.give_password(&with_new).await;
        assert!(stranger.has("otp"), "{}", stranger.text());

        // So does the clock.
        lock(&world, &with_new).await;
        refused(&mut at_sign_in(&world).await, &with_new, NEW_PASSWORD).await;
        world.advance(HALF_AN_HOUR);
        signed_in(&world, &with_new).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t16_of_twenty_wrong_passwords_at_once_five_are_checked() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let page = at_sign_in(&world).await;
        let done = at_once(vec![page; 20], "login-submit", |_| typed(&Person::ANNA, WRONG)).await;
        assert!(done.iter().all(|browser| browser.page.status == 422));
        // A failure is noted for each password that was looked at, and for no other.
        assert_eq!(noted(&world, &Person::ANNA, "sign-in-failed").await, 5);
        assert_eq!(noted(&world, &Person::ANNA, "locked").await, 1);
        assert_eq!(world.mails(Person::ANNA.email).await.len(), 1);
        let until = world.idp.store.locked_until(&account.id, "").await.unwrap();
        assert_eq!(until, Some(world.clock.now().plus(HALF_AN_HOUR)));

        // Also right after the lock: five, not one more.
        world.advance(HALF_AN_HOUR);
        let page = at_sign_in(&world).await;
        at_once(vec![page; 20], "login-submit", |_| typed(&Person::ANNA, WRONG)).await;
        assert_eq!(noted(&world, &Person::ANNA, "sign-in-failed").await, 10);
        assert_eq!(noted(&world, &Person::ANNA, "locked").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t16_a_right_password_among_twenty_is_one_of_five_or_fails() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        for right in [3, 19] {
            let noted_before = noted(&world, &Person::ANNA, "sign-in-failed").await;
            let mut pages = Vec::new();
            for _ in 0..20 {
                pages.push(at_sign_in(&world).await);
            }
            let password = |number| if number == right { Person::ANNA.password } else { WRONG };
            let done = at_once(pages, "login-submit", |n| typed(&Person::ANNA, password(n))).await;
            let inside = done.iter().filter(|browser| browser.has("otp")).count();
            let checked = noted(&world, &Person::ANNA, "sign-in-failed").await - noted_before;
            // It may have been looked at before the fifth failure; then the count began anew after it. Or the
            // lock was first, and stood: the right password failed like any other.
            assert!(
                inside <= 1 && checked <= if inside == 1 { 9 } else { 5 },
                "{inside} in, {checked} checked"
            );
            if inside == 0 {
                assert_eq!(checked, 5);
                assert!(world.idp.store.locked_until(&account.id, "").await.unwrap().is_some());
                refused(&mut at_sign_in(&world).await, &Person::ANNA, Person::ANNA.password).await;
            }
            world.advance(HALF_AN_HOUR);
        }
    }
}

#[tokio::test]
async fn t16_right_passwords_at_once_from_a_known_device_lock_it_for_nobody() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| config.lockout.failures = 3).await;
        world.add(&Person::ANNA).await;
        let known = signed_in(&world, &Person::ANNA).await;
        // Three tabs: the last try that begins would lock, if it were wrong.
        let mut tabs = Vec::new();
        for _ in 0..3 {
            let mut tab = known.clone();
            ask_again(&world, &mut tab).await;
            tabs.push(tab);
        }
        let tabs = at_once(tabs, "login-submit", |_| typed(&Person::ANNA, Person::ANNA.password)).await;
        // Whoever is looked at while that lock stands fails, as it says everywhere, and is written down.
        let inside = tabs.iter().filter(|tab| is_back(tab)).count();
        assert!(inside >= 1, "{}", tabs[0].text());
        assert_eq!(noted(&world, &Person::ANNA, "sign-in-failed").await, 3 - inside);
        assert_eq!(noted(&world, &Person::ANNA, "signed-in").await, 1 + inside);
        for tab in tabs.iter().filter(|tab| !is_back(tab)) {
            assert!(tab.has("login-page") && tab.page.status == StatusCode::UNPROCESSABLE_ENTITY);
        }
        let mut again = known.clone();
        ask_again(&world, &mut again).await;
        again.give_password(&Person::ANNA).await;
        assert!(is_back(&again), "{}", again.text());
    }
}
