//! What the care team does for the holders of accounts: who did what for whom and why is written down, the holder is
//! told (T46), and the desk opens a lock (T15).

use std::time::Duration;

use idp::desk::{OperatorAct, carry_out_as_operator};
use idp::domain::account::{AccountId, Role};
use idp::domain::factors::Factors;
use idp::domain::passkey::{Backup, NewPasskey};
use idp::domain::reason::Reason;
use idp::verification::invitations::By;
use tests::{Backend, Browser, Person, World};

use crate::acts::{at_once, at_sign_in, is_back, lock, noted, refused, signed_in};
use crate::desk::{REASON, at_desk, give_own_password, make, open, page_of, with_temporary_passwords};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
const NEW_EMAIL: &str = "dora.nieuw@example.nl";
const NEW_PHONE: &str = "+31633333333";
/// From then on who changed one way to an account may change the other one too.
const ALONE_AFTER: Duration = Duration::from_hours(7 * 24);
const NOTICE: &str = "Er is iets veranderd aan uw account";

/// Opens the page of something the team can do, from the page of the account, and does it.
async fn act(world: &World, staff: &mut Browser, page: &str, act: &str, typed: &[(&str, &str)]) {
    open(world, staff, page).await;
    assert!(staff.has(&format!("desk-act-{act}")), "{act}: {}", staff.text());
    open(world, staff, &format!("{page}/{act}")).await;
    let mut typed = typed.to_vec();
    if !typed.iter().any(|(name, _)| *name == "reason") {
        typed.push(("reason", REASON));
    }
    staff.submit("desk-submit", &typed).await;
    assert_eq!(staff.page.status, 200, "{act}: {}", staff.text());
    assert_eq!(staff.page.url.path(), page, "{act}: {}", staff.text());
}

/// Carla at her desk, with an account for Dora, who has chosen her password.
async fn with_dora(world: &World) -> (Browser, String) {
    world.add(&Person::CARLA).await;
    let mut carla = at_desk(world, &Person::CARLA).await;
    make(world, &mut carla, &DORA).await;
    give_own_password(world, &DORA).await;
    let page = page_of(world, &DORA).await;
    (carla, page)
}

/// The notices of the desk to an address.
async fn notices(world: &World, to: &str) -> Vec<String> {
    let mails = world.mails(to).await.into_iter().filter(|mail| mail.subject == NOTICE);
    mails.map(|mail| mail.text).collect()
}

async fn sessions(world: &World, person: &Person) -> usize {
    let id = world.account(person).await.id;
    world.idp.store.sessions(&id).await.unwrap().len()
}

#[tokio::test]
async fn t15_the_desk_opens_a_lock() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut carla, page) = with_dora(&world).await;
        open(&world, &mut carla, &page).await;
        assert!(!carla.has("desk-act-unlock"), "there is nothing to open");
        lock(&world, &DORA).await;
        refused(&mut at_sign_in(&world).await, &DORA, DORA.password).await;
        open(&world, &mut carla, "/desk").await;
        assert!(carla.text().contains("Inloggen kan even niet tot"), "{}", carla.text());

        act(&world, &mut carla, &page, "unlock", &[]).await;
        assert!(carla.text().contains("kan weer inloggen"), "{}", carla.text());
        signed_in(&world, &DORA).await;
        assert_eq!(noted(&world, &DORA, "unlocked").await, 1);
        assert!(notices(&world, DORA.email).await[0].contains("Inloggen weer mogelijk gemaakt"));

        // A click that comes late opens nothing and tells nobody anything.
        open(&world, &mut carla, &format!("{page}/unlock")).await;
        carla.submit("desk-submit", &[("reason", REASON)]).await;
        assert_eq!(noted(&world, &DORA, "unlocked").await, 1);
        assert_eq!(notices(&world, DORA.email).await.len(), 1);
    }
}

#[tokio::test]
async fn t15_the_desk_opens_what_wrong_codes_closed_too() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut carla, page) = with_dora(&world).await;
        // Three codes, five wrong tries each: no code is looked at any more today.
        let mut dora = at_sign_in(&world).await;
        dora.give_password(&DORA).await;
        for sent in 0..3 {
            if sent > 0 {
                dora.submit("otp-resend", &[]).await;
            }
            for _ in 0..5 {
                let right = world.code(DORA.phone).await;
                let wrong = if right == "111111" { "222222" } else { "111111" };
                dora.submit("otp-submit", &[("code", wrong)]).await;
            }
        }
        let mut again = at_sign_in(&world).await;
        again.give_password(&DORA).await;
        assert!(!is_back(&again) && noted(&world, &DORA, "code-limit").await == 1, "{}", again.text());

        open(&world, &mut carla, &page).await;
        assert!(carla.text().contains("Codes werken vandaag niet"), "{}", carla.text());
        act(&world, &mut carla, &page, "unlock", &[]).await;
        assert!(!carla.text().contains("Codes werken vandaag niet"), "{}", carla.text());
        assert_eq!(noted(&world, &DORA, "unlocked").await, 1);
        signed_in(&world, &DORA).await;
    }
}

#[tokio::test]
async fn t46_every_act_is_written_down_with_who_for_whom_and_why_and_the_holder_is_told() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut carla, page) = with_dora(&world).await;
        let (staff, dora) = (world.account(&Person::CARLA).await.id, world.account(&DORA).await.id);
        let mut browser = signed_in(&world, &DORA).await;
        lock(&world, &DORA).await;

        // Without a reason, or with a number in it, nothing happens.
        for (reason, says) in [("", "Schrijf kort op waarom"), ("nummer 999990019", "een lang nummer")] {
            open(&world, &mut carla, &format!("{page}/block")).await;
            carla.submit("desk-submit", &[("reason", reason)]).await;
            assert_eq!(carla.page.status, 422);
            assert!(carla.text().contains(says), "{}", carla.text());
        }
        assert!(world.account(&DORA).await.blocked_at.is_none());

        let acts = [
            ("unlock", "unlocked", "Inloggen weer mogelijk gemaakt"),
            ("sessions", "session-ended", "Sessie be"),
            ("phone", "phone-changed", "Telefoonnummer veranderd"),
            ("block", "blocked", "Account geblokkeerd"),
            ("unblock", "unblocked", "Blokkade van account opgeheven"),
            ("email", "email-changed", "E-mailadres veranderd"),
        ];
        for (number, (word, event, told)) in acts.into_iter().enumerate() {
            let reason = format!("reden voor {word}");
            if word == "email" {
                // She changed the phone number herself, and waits her time.
                world.advance(ALONE_AFTER);
                carla = at_desk(&world, &Person::CARLA).await;
            }
            let typed = [("phone", NEW_PHONE), ("email", NEW_EMAIL), ("reason", reason.as_str())];
            act(&world, &mut carla, &page, word, &typed).await;
            let entries = world.idp.store.audit(Some(&dora), 100).await.unwrap();
            let entry = entries.iter().find(|entry| entry.event == event).expect(event);
            assert_eq!(entry.actor_id.as_ref(), Some(&staff.0), "{word}");
            assert_eq!((entry.detail.as_str(), entry.at), (reason.as_str(), world.clock.now()), "{word}");
            let notices = notices(&world, DORA.email).await;
            assert_eq!(notices.len(), number + 1, "{word}");
            assert!(notices[number].contains(told) && notices[number].contains("Beste Dora"), "{notices:?}");
            // Who did it and why stands on the page of the account.
            assert!(carla.text().contains("Door Carla Voorbeeld"), "{}", carla.text());
            assert!(carla.text().contains(&reason), "{}", carla.text());
            world.advance(Duration::from_secs(30));
        }
        let entries = world.idp.store.audit(Some(&dora), 100).await.unwrap();
        let made = entries.iter().find(|entry| entry.event == "account-created").unwrap();
        assert_eq!((made.actor_id.as_ref(), made.detail.as_str()), (Some(&staff.0), REASON));
        // The new address is told as well, and the old number. Full numbers stand on no page.
        assert_eq!(notices(&world, NEW_EMAIL).await.len(), 1);
        assert!(world.texts(DORA.phone).await.last().unwrap().text.contains("ander telefoonnummer"));
        assert!(!carla.page.body.contains("33333333") && carla.text().contains("33"), "{}", carla.text());

        // She sees it too, with the reason.
        let moved = Person { email: NEW_EMAIL, phone: NEW_PHONE, ..DORA };
        open(&world, &mut browser, "/account").await;
        browser.sign_in(&world, &moved).await;
        assert!(browser.text().contains("Door een medewerker"), "{}", browser.text());
        assert!(browser.text().contains("reden voor block"), "{}", browser.text());
    }
}

#[tokio::test]
async fn t46_what_stood_on_the_old_phone_or_address_ends_with_it_and_so_does_all_when_it_is_blocked() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut carla, page) = with_dora(&world).await;
        let mut now = DORA;
        let changes = [
            ("phone", Person { phone: NEW_PHONE, ..DORA }),
            ("email", Person { phone: NEW_PHONE, email: NEW_EMAIL, ..DORA }),
            ("block", Person { phone: NEW_PHONE, email: NEW_EMAIL, ..DORA }),
        ];
        for (word, then) in changes {
            world.advance(if word == "email" { ALONE_AFTER } else { Duration::from_mins(5) });
            let client = world.relying_party();
            let mut browser = world.browser();
            let tokens = client.tokens(&world, &mut browser, &now).await;
            let mut forgot = world.browser();
            open(&world, &mut forgot, "/forgot").await;
            forgot.submit("forgot-submit", &[("email", now.email)]).await;
            let reset = world.link(now.email, "/reset").await;

            let mut carla = at_desk(&world, &Person::CARLA).await;
            act(&world, &mut carla, &page, word, &[("phone", then.phone), ("email", then.email)]).await;
            assert_eq!(sessions(&world, &then).await, 0, "{word}");
            assert!(world.idp.store.devices(&world.account(&then).await.id).await.unwrap().is_empty());
            let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
            assert_eq!(client.token(&form).await.status(), 400, "{word}");
            assert_eq!(forgot.open(&reset).await.status, 410, "{word}");
            open(&world, &mut browser, "/account").await;
            assert!(browser.has("login-page"), "{word}: {}", browser.text());
            now = then;
        }
        // A blocked account is refused like any; when the block is lifted she is in again, with a code to the new phone.
        refused(&mut at_sign_in(&world).await, &now, now.password).await;
        open(&world, &mut carla, &page).await;
        carla = at_desk(&world, &Person::CARLA).await;
        act(&world, &mut carla, &page, "unblock", &[]).await;
        signed_in(&world, &now).await;
        assert!(world.texts(NEW_PHONE).await.len() > 1);
    }
}

#[tokio::test]
async fn t56_nobody_at_the_desk_changes_phone_and_address_alone() {
    for backend in Backend::ALL {
        let pairs = [("phone", "email"), ("email", "phone"), ("factors", "email"), ("email", "factors")];
        for (first, second) in pairs {
            let world = World::new(backend).await;
            let (mut carla, page) = with_dora(&world).await;
            with_app(&world, &DORA).await;
            let typed = [("phone", NEW_PHONE), ("email", NEW_EMAIL), ("reason", REASON)];
            act(&world, &mut carla, &page, first, &typed).await;
            let before = world.idp.store.audit(None, 100).await.unwrap().len();
            world.advance(Duration::from_hours(7 * 24 - 1));
            let mut carla = at_desk(&world, &Person::CARLA).await;
            open(&world, &mut carla, &format!("{page}/{second}")).await;
            carla.submit("desk-submit", &typed).await;
            assert_eq!(carla.page.status, 422, "{first}: {}", carla.text());
            assert!(carla.text().contains("Laat een collega deze wijziging doen"), "{}", carla.text());
            let changed = event(second);
            let entries = world.idp.store.audit(None, 100).await.unwrap();
            assert!(entries.len() > before && entries.iter().all(|entry| entry.event != changed), "{first}");
            // What takes nothing over is hers to do.
            act(&world, &mut carla, &page, "block", &[]).await;
            act(&world, &mut carla, &page, "unblock", &[]).await;

            // A colleague may.
            let fleur = Person { email: "fleur@example.nl", phone: "+31644556677", ..Person::CARLA };
            world.add_as(&fleur, Role::CareTeam, Some("zonnehof")).await;
            let mut fleur = at_desk(&world, &fleur).await;
            act(&world, &mut fleur, &page, second, &typed).await;
            let then = Person { email: NEW_EMAIL, phone: NEW_PHONE, ..DORA };
            assert_eq!(noted(&world, &then, changed).await, 1);
        }
    }
}

/// What an act writes down.
fn event(act: &str) -> &'static str {
    match act {
        "phone" => "phone-changed",
        "email" => "email-changed",
        _ => "factors-removed",
    }
}

/// Gives an account an app, a passkey and recovery codes, as if its holder had made them.
async fn with_app(world: &World, person: &Person) {
    let id = world.account(person).await.id;
    let store = &world.idp.store;
    let mut write = store.begin_write().await.unwrap();
    store.set_app(&mut write, &id, b"12345678901234567890", 0).await.unwrap();
    let passkey = NewPasskey {
        id: "x".into(),
        key: "1.x".into(),
        counter: 0,
        aaguid: String::new(),
        backup: Backup::Bound,
        transports: Vec::new(),
    };
    store.insert_passkey(&mut write, &id, &passkey, None).await.unwrap();
    let codes = [("abc".to_owned(), "x".to_owned())];
    store.set_recovery_codes(&mut write, &id, &codes).await.unwrap();
    write.commit().await.unwrap();
}

#[tokio::test]
async fn who_lost_the_phone_with_everything_on_it_is_helped_by_the_desk_and_by_an_operator() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut carla, page) = with_dora(&world).await;
        open(&world, &mut carla, &page).await;
        assert!(!carla.has("desk-act-factors"), "there is nothing to take away");
        with_app(&world, &DORA).await;
        act(&world, &mut carla, &page, "factors", &[]).await;
        assert_eq!(world.account(&DORA).await.factors, Factors { sms: true, ..Factors::default() });
        let told = notices(&world, DORA.email).await.pop().unwrap();
        assert!(told.contains("App, passkeys en herstelcodes weggehaald"), "{told}");
        assert_eq!(sessions(&world, &DORA).await, 0);
        // The password and the phone are asked for, as before.
        signed_in(&world, &DORA).await;

        with_app(&world, &DORA).await;
        let id = world.account(&DORA).await.id;
        let by = AccountId("operator".into());
        let reason = Reason::parse("telefoon verloren").unwrap();
        let by = By { actor: &by, reason: &reason };
        let act = OperatorAct::ResetFactors;
        assert!(carry_out_as_operator(&world.idp, &id, act, by).await.unwrap());
        assert!(!carry_out_as_operator(&world.idp, &id, act, by).await.unwrap(), "nothing is left");
        assert_eq!(noted(&world, &DORA, "factors-removed").await, 2);
        assert_eq!(sessions(&world, &DORA).await, 0);
    }
}

/// Guessing at the desk who is in care elsewhere: few tries, many at once are as many, and each is seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t57_the_desk_is_told_of_few_addresses_that_cannot_be_and_each_is_written_down() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::DIRK).await;
        let (mut carla, page) = with_dora(&world).await;
        let staff = world.account(&Person::CARLA).await.id;
        let refused = async || {
            let entries = world.idp.store.audit(Some(&staff), 100).await.unwrap();
            entries.iter().filter(|entry| entry.event == "address-refused").count()
        };
        // What is free costs nothing, however often.
        for number in 0..7 {
            let free = format!("familie-{number}@example.nl");
            make(&world, &mut carla, &Person { email: free.leak(), ..DORA }).await;
        }
        assert_eq!(refused().await, 0);

        // Of somebody who registered alone, and of another team's staff: the same words, of each page.
        open(&world, &mut carla, &format!("{page}/email")).await;
        let change = carla.clone();
        for email in [Person::ANNA.email, Person::DIRK.email] {
            carla = change.clone();
            carla.submit("desk-submit", &[("email", email), ("reason", REASON)]).await;
            assert_eq!(carla.page.status, 422, "{}", carla.text());
            assert!(
                carla.text().contains("Met dit e‑mailadres kunnen wij geen account maken"),
                "{}",
                carla.text()
            );
        }
        assert_eq!(refused().await, 2);
        let typed = |_| vec![("email", Person::ANNA.email.to_owned()), ("reason", REASON.to_owned())];
        let done = at_once(vec![change.clone(); 12], "desk-submit", typed).await;
        let of = |status: u16| done.iter().filter(|browser| browser.page.status == status).count();
        assert_eq!((of(422), of(429)), (3, 9));
        assert_eq!(refused().await, 5);

        // Then nothing is looked up any more, not even what is free; tomorrow it is again.
        carla = change.clone();
        carla.submit("desk-submit", &[("email", NEW_EMAIL), ("reason", REASON)]).await;
        assert_eq!(carla.page.status, 429, "{}", carla.text());
        open(&world, &mut carla, "/account").await;
        assert!(carla.text().contains("waarmee geen account kan"), "{}", carla.text());
        world.advance(Duration::from_hours(25));
        let mut carla = at_desk(&world, &Person::CARLA).await;
        act(&world, &mut carla, &page, "email", &[("email", NEW_EMAIL)]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_clicks_at_once_do_a_thing_once() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut carla, page) = with_dora(&world).await;
        signed_in(&world, &DORA).await;
        let typed = |_| {
            vec![
                ("reason", REASON.to_owned()),
                ("phone", NEW_PHONE.to_owned()),
                ("email", NEW_EMAIL.to_owned()),
            ]
        };
        let then = Person { email: NEW_EMAIL, phone: NEW_PHONE, ..DORA };
        for (word, event) in [
            ("phone", "phone-changed"),
            ("block", "blocked"),
            ("unblock", "unblocked"),
            ("email", "email-changed"),
        ] {
            if word == "email" {
                assert_eq!(notices(&world, DORA.email).await.len(), 3);
                world.advance(ALONE_AFTER);
                carla = at_desk(&world, &Person::CARLA).await;
            }
            open(&world, &mut carla, &format!("{page}/{word}")).await;
            let clicks = at_once(vec![carla.clone(); 4], "desk-submit", typed).await;
            for click in &clicks {
                assert_eq!(click.page.status, 200, "{word}: {}", click.text());
                assert!(click.page.url.query().unwrap().contains(word), "{}", click.page.url);
            }
            let person = if word == "email" { &then } else { &DORA };
            assert_eq!(noted(&world, person, event).await, 1, "{word}");
        }
        assert_eq!(notices(&world, DORA.email).await.len(), 4);
        assert_eq!(notices(&world, NEW_EMAIL).await.len(), 1);

        // An address that somebody else has is not taken from them, and not told of.
        world.add(&Person::ANNA).await;
        open(&world, &mut carla, &format!("{page}/email")).await;
        carla.submit("desk-submit", &[("email", Person::ANNA.email), ("reason", REASON)]).await;
        assert_eq!(carla.page.status, 422);
        assert!(carla.text().contains("kunnen wij geen account maken"), "{}", carla.text());
        assert_eq!(world.account(&then).await.email.as_str(), NEW_EMAIL);
    }
}

#[tokio::test]
async fn t10_a_mistyped_address_loses_the_temporary_password_that_went_there() {
    for backend in Backend::ALL {
        let world = World::with(backend, with_temporary_passwords).await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        make(&world, &mut carla, &DORA).await;
        let page = page_of(&world, &DORA).await;
        let password_of = async |to: &str| {
            let mail =
                world.mails(to).await.into_iter().find(|mail| mail.text.contains("tijdelijke wachtwoord"));
            let mail = mail.expect("a mail with a password");
            let is_password = |word: &&str| word.len() == 14 && word.matches('-').count() == 2;
            mail.text.split_whitespace().find(is_password).unwrap().to_owned()
        };
        let old = password_of(DORA.email).await;
        act(&world, &mut carla, &page, "email", &[("email", NEW_EMAIL)]).await;

        // The stranger who got the mail is told no name, and the password opens nothing.
        let told = notices(&world, DORA.email).await;
        assert!(told.len() == 1 && !told[0].contains("Dora"), "{told:?}");
        let name = [("username", DORA.username())];
        let mut stranger = at_sign_in(&world).await;
        stranger.submit("login-submit", &[name[0], ("password", &old)]).await;
        assert_eq!(stranger.page.status, 422, "{}", stranger.text());
        let mut dora = at_sign_in(&world).await;
        dora.submit("login-submit", &[name[0], ("password", &password_of(NEW_EMAIL).await)]).await;
        assert!(dora.has("new_password"), "{}", dora.text());
        dora.submit("new_password", &[("new_password", DORA.password)]).await;
        dora.give_code(&world, &DORA).await;
        assert!(is_back(&dora), "{}", dora.text());
    }
}
