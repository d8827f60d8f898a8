//! Passkeys in sign-ins and on the account page, over HTTP: T60 and T61. The authenticator is one of these tests.

use std::time::Duration;

use idp::config::{Factor, SecondFactor, When};
use reqwest::Method;
use scraper::{Html, Selector};
use serde_json::Value;
use tests::{Authenticator, Backend, Browser, Person, RelyingParty, World};

use crate::acts::{at_once, earned, is_back, lock, noted, signed_in, without_phone};

/// What the page asks the browser for.
fn question(browser: &Browser, kind: &str) -> Value {
    let html = Html::parse_document(&browser.page.body);
    let selector = Selector::parse(&format!("form[data-passkey='{kind}']")).unwrap();
    let form = html.select(&selector).next().unwrap_or_else(|| panic!("no {kind}: {}", browser.text()));
    serde_json::from_str(form.attr("data-options").unwrap()).unwrap()
}

async fn open(world: &World, browser: &mut Browser, path: &str) {
    browser.open(&format!("{}{path}", world.issuer)).await;
}

/// A browser that nobody knows at the sign-in page, and the client that it came from.
async fn at_door(world: &World) -> (Browser, RelyingParty) {
    let client = world.relying_party();
    let mut browser = world.browser();
    browser.open(&client.authorize_url(&[])).await;
    assert!(browser.has("login-page"), "{}", browser.text());
    (browser, client)
}

/// Presses the button of the page that is open, and does what it asks.
async fn use_passkey(browser: &mut Browser, id: &'static str, by: &mut Authenticator) {
    let answer = by.get(&question(browser, "get")).to_string();
    browser.submit(id, &[("answer", &answer)]).await;
}

async fn make_passkey(browser: &mut Browser, by: &mut Authenticator) {
    let answer = by.create(&question(browser, "create")).to_string();
    browser.submit("passkey-make", &[("answer", &answer)]).await;
}

/// Makes one on the account page of a browser that has just signed in.
async fn add_passkey(world: &World, browser: &mut Browser, by: &mut Authenticator) {
    open(world, browser, "/account/passkeys").await;
    // Phones and password managers do not know this protection: where it is insisted on, browsers make none there.
    assert_ne!(question(browser, "create")["extensions"]["enforceCredentialProtectionPolicy"], true);
    make_passkey(browser, by).await;
    assert!(browser.text().contains("Uw passkey is gemaakt"), "{}", browser.text());
}

#[tokio::test]
async fn a_passkey_is_the_whole_sign_in_and_tells_which_kind_it_is() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        for (synced, acr, amr) in [(true, "phr", "pop swk user mfa"), (false, "phrh", "pop hwk user mfa")] {
            let mut anna = signed_in(&world, &Person::ANNA).await;
            let mut by = if synced {
                Authenticator::synced(&world.issuer)
            } else {
                Authenticator::device_bound(&world.issuer)
            };
            add_passkey(&world, &mut anna, &mut by).await;
            let mail = world.mails(Person::ANNA.email).await.pop().unwrap();
            assert!(mail.text.contains("Passkey gemaakt"), "{}", mail.text);

            // No address, no password, no SMS.
            let texts = world.texts(Person::ANNA.phone).await.len();
            let (mut browser, client) = at_door(&world).await;
            use_passkey(&mut browser, "passkey-signin", &mut by).await;
            assert!(is_back(&browser), "{}", browser.text());
            let (reached, methods) = earned(&browser, &client).await;
            assert_eq!((reached.as_str(), methods.join(" ").as_str()), (acr, amr));
            assert_eq!(world.texts(Person::ANNA.phone).await.len(), texts);
            // The account is open to what it proved, also where something fresh is wanted.
            open(&world, &mut browser, "/account/passkeys").await;
            let row = if synced { "Werkt op al uw apparaten" } else { "Blijft op één apparaat" };
            assert!(browser.text().contains(row), "{}", browser.text());
            browser.submit("rename-1", &[("name", "Telefoon van Anna")]).await;
            assert!(browser.text().contains("Telefoon van Anna"), "{}", browser.text());
            browser.submit("remove-1", &[]).await;
            assert!(browser.text().contains("De passkey is weggehaald"), "{}", browser.text());
            // It is worth nothing from then on.
            let (mut browser, _) = at_door(&world).await;
            use_passkey(&mut browser, "passkey-signin", &mut by).await;
            assert!(
                browser.page.status == 422 && browser.text().contains("hoort niet meer"),
                "{}",
                browser.text()
            );
        }
    }
}

#[tokio::test]
async fn a_passkey_is_asked_for_after_the_password_and_another_way_can_be_picked() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut by = Authenticator::synced(&world.issuer);
        add_passkey(&world, &mut signed_in(&world, &Person::ANNA).await, &mut by).await;
        let (mut browser, client) = at_door(&world).await;
        browser.give_password(&Person::ANNA).await;
        assert!(browser.text().contains("Log in met uw passkey"), "{}", browser.text());
        let mut other = browser.clone();
        use_passkey(&mut browser, "passkey-use", &mut by).await;
        assert!(is_back(&browser), "{}", browser.text());
        let (acr, amr) = earned(&browser, &client).await;
        assert_eq!((acr.as_str(), amr.join(" ").as_str()), ("phr", "pwd pop swk user mfa"));
        // The other tab finds the sign-in done; a new one takes SMS.
        use_passkey(&mut other, "passkey-use", &mut by).await;
        let (mut browser, _) = at_door(&world).await;
        browser.give_password(&Person::ANNA).await;
        browser.submit("way-code", &[]).await;
        browser.give_code(&world, &Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        // Where a portal asks for nothing, a password alone is worth nothing all the same, to who chose a passkey.
        let easy = World::with(backend, |config| {
            config.portals.iter_mut().for_each(|portal| portal.policy.second_factor = When::Never.into());
        })
        .await;
        easy.add(&Person::ANNA).await;
        let (mut browser, _) = at_door(&easy).await;
        browser.give_password(&Person::ANNA).await;
        assert!(is_back(&browser), "{}", browser.text());
        let mut by = Authenticator::synced(&easy.issuer);
        open(&easy, &mut browser, "/account/passkeys").await;
        browser.give_code(&easy, &Person::ANNA).await;
        make_passkey(&mut browser, &mut by).await;
        let (mut thief, _) = at_door(&easy).await;
        thief.give_password(&Person::ANNA).await;
        assert!(thief.text().contains("Log in met uw passkey"), "{}", thief.text());
    }
}

#[tokio::test]
async fn t60_a_proof_counts_in_its_own_journey_for_its_own_act_and_once() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        let mut annas = Authenticator::synced(&world.issuer);
        let mut brams = Authenticator::synced(&world.issuer);
        add_passkey(&world, &mut signed_in(&world, &Person::ANNA).await, &mut annas).await;
        add_passkey(&world, &mut signed_in(&world, &Person::BRAM).await, &mut brams).await;
        let failed = |browser: &Browser| {
            assert!(browser.page.status == 422 && !is_back(browser), "{}", browser.text());
            browser.text()
        };

        // Bram's passkey in Anna's sign-in, whatever it says of itself.
        let (mut browser, _) = at_door(&world).await;
        browser.give_password(&Person::ANNA).await;
        let mut options = question(&browser, "get");
        options["allowCredentials"] = serde_json::json!([]);
        let answer = brams.get(&options).to_string();
        browser.submit("passkey-use", &[("answer", &answer)]).await;
        assert!(failed(&browser).contains("Het lukte niet met deze passkey"));

        // The question and answer of one sign-in in another one, and in another browser.
        let (one, _) = at_door(&world).await;
        let (mut other, _) = at_door(&world).await;
        let answer = annas.get(&question(&one, "get")).to_string();
        let (_, fields) = one.form_of("passkey-signin");
        let sealed = fields.iter().find(|(name, _)| name == "sealed").unwrap().1.clone();
        other.submit("passkey-signin", &[("answer", &answer), ("sealed", &sealed)]).await;
        failed(&other);
        // The one of the second factor in place of the whole sign-in, and the other way round.
        let (mut second, _) = at_door(&world).await;
        let mut door = second.clone();
        second.give_password(&Person::ANNA).await;
        let answer = annas.get(&question(&second, "get")).to_string();
        let (_, fields) = second.form_of("passkey-use");
        let sealed = fields.iter().find(|(name, _)| name == "sealed").unwrap().1.clone();
        door.submit("passkey-signin", &[("answer", &answer), ("sealed", &sealed)]).await;
        assert!(!is_back(&door), "{}", door.text());

        // An answer that was right, again: of the same question nothing more is taken.
        let (mut browser, _) = at_door(&world).await;
        let answer = annas.get(&question(&browser, "get")).to_string();
        let mut again = browser.clone();
        browser.submit("passkey-signin", &[("answer", &answer)]).await;
        assert!(is_back(&browser), "{}", browser.text());
        again.submit("passkey-signin", &[("answer", &answer)]).await;
        assert!(again.page.url.path() != "/cb", "{}", again.page.url);
        // Of four at once one is taken.
        let (browser, _) = at_door(&world).await;
        let answer = annas.get(&question(&browser, "get")).to_string();
        let before = noted(&world, &Person::ANNA, "signed-in").await;
        at_once(vec![browser; 4], "passkey-signin", |_| vec![("answer", answer.clone())]).await;
        assert_eq!(noted(&world, &Person::ANNA, "signed-in").await, before + 1);

        // A question ends after five minutes; a page of somebody else's, and nobody at the authenticator.
        let (mut browser, _) = at_door(&world).await;
        let asked = question(&browser, "get");
        world.advance(Duration::from_mins(5));
        browser.submit("passkey-signin", &[("answer", &annas.get(&asked).to_string())]).await;
        assert!(failed(&browser).contains("te lang open"));
        annas.origin = "https://inloggen.example.com".into();
        use_passkey(&mut browser, "passkey-signin", &mut annas).await;
        failed(&browser);
        annas.origin.clone_from(&world.issuer);
        annas.verified = false;
        use_passkey(&mut browser, "passkey-signin", &mut annas).await;
        failed(&browser);
        annas.verified = true;
        for nonsense in ["", "{}", "nonsense", "null", "[]", "{\"id\":\"\",\"response\":{}}"] {
            browser.submit("passkey-signin", &[("answer", nonsense)]).await;
            failed(&browser);
        }
        browser.submit("passkey-signin", &[("answer", &"x".repeat(100_000))]).await;
        failed(&browser);
        // After all that the right one still opens.
        use_passkey(&mut browser, "passkey-signin", &mut annas).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

#[tokio::test]
async fn t60_a_counter_that_falls_back_is_refused_or_noted_and_its_holder_is_told() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let told = async || {
            let mails = world.mails(Person::ANNA.email).await;
            mails.iter().filter(|mail| mail.text.contains("kopie te zijn van uw passkey")).count()
        };
        let mut bound = Authenticator::device_bound(&world.issuer);
        add_passkey(&world, &mut signed_in(&world, &Person::ANNA).await, &mut bound).await;
        for _ in 0..3 {
            let (mut browser, _) = at_door(&world).await;
            use_passkey(&mut browser, "passkey-signin", &mut bound).await;
            assert!(is_back(&browser), "{}", browser.text());
        }
        assert_eq!(told().await, 0);
        bound.counter = 1;
        for _ in 0..2 {
            let (mut browser, _) = at_door(&world).await;
            use_passkey(&mut browser, "passkey-signin", &mut bound).await;
            assert!(browser.text().contains("kopie van te zijn"), "{}", browser.text());
            bound.counter = 1;
        }
        assert_eq!((told().await, noted(&world, &Person::ANNA, "passkey-copied").await), (1, 2));

        // One that is synced may have two counters.
        let mut synced = Authenticator::synced(&world.issuer);
        synced.step = 1;
        synced.counter = 9;
        let mut anna = at_door(&world).await.0;
        bound.counter = 50;
        use_passkey(&mut anna, "passkey-signin", &mut bound).await;
        add_passkey(&world, &mut anna, &mut synced).await;
        synced.counter = 3;
        let (mut browser, _) = at_door(&world).await;
        use_passkey(&mut browser, "passkey-signin", &mut synced).await;
        assert!(is_back(&browser), "{}", browser.text());
        assert_eq!((told().await, noted(&world, &Person::ANNA, "passkey-copied").await), (2, 3));
    }
}

#[tokio::test]
async fn t61_a_passkey_is_made_only_after_the_strongest_that_there_is() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        // The password alone leads nowhere.
        let mut thief = world.browser();
        open(&world, &mut thief, "/account/passkeys").await;
        thief.give_password(&Person::ANNA).await;
        assert!(thief.has("otp-resend"), "{}", thief.text());
        // Nor does a page that was open when the proof was fresh.
        let mut anna = signed_in(&world, &Person::ANNA).await;
        open(&world, &mut anna, "/account/passkeys").await;
        let mut late = anna.clone();
        world.advance(Duration::from_mins(5));
        make_passkey(&mut late, &mut Authenticator::synced(&world.issuer)).await;
        assert!(late.has("login-page"), "{}", late.text());
        assert_eq!(world.account(&Person::ANNA).await.factors.passkeys, 0);

        // With one, the phone is not enough any more.
        let mut by = Authenticator::synced(&world.issuer);
        add_passkey(&world, &mut signed_in(&world, &Person::ANNA).await, &mut by).await;
        let mut thief = world.browser();
        open(&world, &mut thief, "/account/passkeys").await;
        thief.give_password(&Person::ANNA).await;
        assert!(thief.has("passkey-use") && !thief.has("other-ways"), "{}", thief.text());
        // Another's passkey is none of mine to name or remove.
        world.add(&Person::BRAM).await;
        let id =
            world.idp.store.passkeys(&world.account(&Person::ANNA).await.id).await.unwrap()[0].id.clone();
        let mut bram = signed_in(&world, &Person::BRAM).await;
        add_passkey(&world, &mut bram, &mut Authenticator::synced(&world.issuer)).await;
        bram = {
            let (mut browser, _) = at_door(&world).await;
            browser.give_password(&Person::BRAM).await;
            browser
        };
        assert!(bram.has("passkey-use"), "{}", bram.text());
        bram.submit("way-code", &[]).await;
        bram.give_code(&world, &Person::BRAM).await;
        open(&world, &mut bram, "/account").await;
        let (_, mut fields) = bram.form_of("signout");
        fields.push(("id".into(), id));
        fields.push(("name".into(), "Van Bram".into()));
        for act in ["rename", "remove"] {
            let url = format!("{}/account/passkeys/{act}", world.issuer).parse().unwrap();
            bram.request(Method::POST, &url, Some(&fields)).await;
        }
        let passkeys = world.idp.store.passkeys(&world.account(&Person::ANNA).await.id).await.unwrap();
        assert!(passkeys.len() == 1 && passkeys[0].name.is_none());
    }
}

#[tokio::test]
async fn t61_the_last_passkey_stays_where_a_portal_takes_nothing_else() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            for portal in &mut config.portals {
                let methods = vec![Factor::Passkey];
                portal.policy.second_factor =
                    SecondFactor { when: When::Always, methods, ..SecondFactor::default() };
            }
        })
        .await;
        world.add(&Person::ANNA).await;
        without_phone(&world, &Person::ANNA).await;
        // Who has none makes one on the way in, and uses it.
        let mut by = Authenticator::synced(&world.issuer);
        let (mut browser, client) = at_door(&world).await;
        browser.give_password(&Person::ANNA).await;
        make_passkey(&mut browser, &mut by).await;
        assert!(browser.text().contains("Log in met uw passkey"), "{}", browser.text());
        use_passkey(&mut browser, "passkey-use", &mut by).await;
        assert!(is_back(&browser), "{}", browser.text());
        assert_eq!(earned(&browser, &client).await.0, "phr");
        open(&world, &mut browser, "/account/passkeys").await;
        assert!(
            !browser.has("remove-1") && browser.text().contains("Weghalen kan nu niet"),
            "{}",
            browser.text()
        );
        let (_, mut fields) = browser.form_of("rename-1");
        fields.retain(|(name, _)| name != "name");
        let url = format!("{}/account/passkeys/remove", world.issuer).parse().unwrap();
        let mut forced = browser.clone();
        forced.request(Method::POST, &url, Some(&fields)).await;
        assert_eq!(world.account(&Person::ANNA).await.factors.passkeys, 1);
        // With a second one the first may go.
        let mut another = Authenticator::device_bound(&world.issuer);
        add_passkey(&world, &mut browser, &mut another).await;
        open(&world, &mut browser, "/account/passkeys").await;
        browser.submit("remove-1", &[]).await;
        assert_eq!(world.account(&Person::ANNA).await.factors.passkeys, 1, "{}", browser.text());
    }
}

#[tokio::test]
async fn who_locks_an_account_locks_no_passkey_out_and_a_blocked_one_opens_nothing() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut by = Authenticator::synced(&world.issuer);
        add_passkey(&world, &mut signed_in(&world, &Person::ANNA).await, &mut by).await;
        lock(&world, &Person::ANNA).await;
        let (mut browser, client) = at_door(&world).await;
        use_passkey(&mut browser, "passkey-signin", &mut by).await;
        assert!(is_back(&browser), "{}", browser.text());
        assert_eq!(earned(&browser, &client).await.0, "phr");
        let id = world.account(&Person::ANNA).await.id;
        let mut write = world.idp.store.begin_write().await.unwrap();
        world.idp.store.set_blocked(&mut write, &id, true).await.unwrap();
        write.commit().await.unwrap();
        let (mut browser, _) = at_door(&world).await;
        use_passkey(&mut browser, "passkey-signin", &mut by).await;
        assert!(browser.text().contains("Het lukte niet met deze passkey"), "{}", browser.text());
    }
}

#[tokio::test]
async fn a_request_for_what_resists_phishing_gets_a_passkey_made_and_asked_for() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let client = world.relying_party();
        let mut browser = world.browser();
        browser.open(&client.authorize_url(&[("acr_values", "phr")])).await;
        browser.give_password(&Person::ANNA).await;
        browser.give_code(&world, &Person::ANNA).await;
        let mut by = Authenticator::synced(&world.issuer);
        make_passkey(&mut browser, &mut by).await;
        use_passkey(&mut browser, "passkey-use", &mut by).await;
        assert!(is_back(&browser), "{}", browser.text());
        let (acr, amr) = earned(&browser, &client).await;
        assert_eq!((acr.as_str(), amr.join(" ").as_str()), ("phr", "pwd sms pop swk user mfa"));
        // In the same session one that stays in a device is still asked for.
        let client = world.relying_party();
        browser.open(&client.authorize_url(&[("acr_values", "phrh"), ("prompt", "none")])).await;
        assert_eq!(client.answered(&browser, "error").as_deref(), Some("interaction_required"));
        browser.open(&client.authorize_url(&[("acr_values", "phrh")])).await;
        assert!(browser.has("passkey-another"), "{}", browser.text());
    }
}

#[tokio::test]
async fn where_a_passkey_is_not_enough_alone_it_comes_after_the_password() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            for portal in &mut config.portals {
                portal.policy.second_factor =
                    SecondFactor { passkey_alone: false, ..SecondFactor::default() };
            }
        })
        .await;
        world.add(&Person::ANNA).await;
        let mut by = Authenticator::synced(&world.issuer);
        add_passkey(&world, &mut signed_in(&world, &Person::ANNA).await, &mut by).await;
        let (mut browser, _) = at_door(&world).await;
        assert!(!browser.has("passkey-signin"), "{}", browser.text());
        browser.give_password(&Person::ANNA).await;
        use_passkey(&mut browser, "passkey-use", &mut by).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}
