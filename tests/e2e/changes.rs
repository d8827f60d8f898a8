//! What the holder changes at `/account`, and leaving: T24 and T28; and a reset that races a sign-in (T06).

use std::time::Duration;

use serde_json::Value;
use tests::{Backend, Browser, Person, World};

use crate::acts::{
    another, at_once, at_sign_in, is_back, noted, refused, set_column, signed_in, typed_code_of,
};

const NEW_EMAIL: &str = "anna.nieuw@example.nl";
const NEW_PASSWORD: &str = "Gordijn-Paars-Fietst-91";
const NEW_PHONE: &str = "+31633333333";
const MINUTE: Duration = Duration::from_mins(1);

async fn subjects(world: &World, to: &str) -> Vec<String> {
    world.mails(to).await.into_iter().map(|mail| mail.subject).collect()
}

async fn open(world: &World, browser: &mut Browser, path: &str) {
    browser.open(&format!("{}{path}", world.issuer)).await;
}

async fn sessions(world: &World, person: &Person) -> usize {
    let id = world.account(person).await.id;
    world.idp.store.sessions(&id).await.unwrap().len()
}

#[tokio::test]
async fn t24_every_change_wants_a_fresh_sign_in_with_a_code() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let pages = ["/account/email", "/account/phone", "/account/password", "/account/delete"];
        // Nobody signed in: the sign-in page.
        for path in pages {
            let mut stranger = world.browser();
            open(&world, &mut stranger, path).await;
            assert!(stranger.has("login-page"), "{path}: {}", stranger.text());
        }
        // Five minutes after a sign-in, in a session and on a device that are known: password and code all the same.
        let browser = signed_in(&world, &Person::ANNA).await;
        world.advance(Duration::from_secs(299));
        let mut early = browser.clone();
        open(&world, &mut early, pages[0]).await;
        assert!(early.has("change-submit"), "{}", early.text());
        world.advance(Duration::from_secs(1));
        for path in pages {
            let mut browser = browser.clone();
            open(&world, &mut browser, path).await;
            assert!(browser.has("login-page"), "{path}: {}", browser.text());
            assert!(browser.page.body.contains(Person::ANNA.email), "who it is stands there already");
            browser.give_password(&Person::ANNA).await;
            assert!(browser.has("otp"), "{path}: {}", browser.text());
        }
        // The form that was open meanwhile changes nothing.
        early.submit("change-submit", &[("email", NEW_EMAIL)]).await;
        assert!(early.has("login-page"), "{}", early.text());
        assert!(world.mails(NEW_EMAIL).await.is_empty());
        // After the sign-in one is at the page that one wanted.
        early.sign_in(&world, &Person::ANNA).await;
        assert!(early.page.url.path() == "/account/email" && early.has("change-submit"), "{}", early.text());
    }
}

#[tokio::test]
async fn t24_a_new_address_is_confirmed_by_its_owner_and_both_addresses_are_told() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        open(&world, &mut anna, "/account/email").await;
        for (typed, says) in [("geen adres", "Vul een e"), (Person::ANNA.email, "Dit is al uw e")] {
            anna.submit("change-submit", &[("email", typed)]).await;
            assert!(anna.page.status == 422 && anna.text().contains(says), "{}", anna.text());
        }
        anna.submit("change-submit", &[("email", NEW_EMAIL)]).await;
        assert!(anna.text().contains(NEW_EMAIL) && anna.has("email-resend"), "{}", anna.text());
        // A link for the old address must not outlive it.
        let mut thief = world.browser();
        open(&world, &mut thief, "/forgot").await;
        thief.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        let reset = world.link(Person::ANNA.email, "/reset").await;

        // Who is not signed in to the account gets nothing from the link: at a mistyped address lives a stranger.
        let link = world.link(NEW_EMAIL, "/account/email/confirm").await;
        let mut stranger = world.browser();
        stranger.open(&link).await;
        assert!(stranger.has("login-page"), "{}", stranger.text());
        let mut bram = signed_in(&world, &Person::BRAM).await;
        bram.open(&link).await;
        assert_eq!(bram.page.status, 410, "{}", bram.text());
        let (target, fields) = (link.parse::<url::Url>().unwrap(), {
            let mut own = bram.clone();
            open(&world, &mut own, "/account").await;
            let mut fields = own.form_of("signout").1;
            fields.push(("token".into(), link.split_once("token=").unwrap().1.to_owned()));
            fields
        });
        bram.request(reqwest::Method::POST, &target, Some(&fields)).await;
        assert_eq!(bram.page.status, 410, "{}", bram.text());
        assert_eq!(world.account(&Person::ANNA).await.email.as_str(), Person::ANNA.email);

        // Looking changes nothing; her button does, once.
        anna.open(&link).await;
        assert!(anna.text().contains(NEW_EMAIL), "{}", anna.text());
        assert_eq!(world.account(&Person::ANNA).await.email.as_str(), Person::ANNA.email);
        let mut twice = anna.clone();
        anna.submit("confirm-submit", &[]).await;
        assert!(anna.text().contains("mailadres is veranderd"), "{}", anna.text());
        // The second of two clicks sees what the first one came to.
        twice.submit("confirm-submit", &[]).await;
        assert!(twice.text().contains("mailadres is veranderd"), "{}", twice.text());
        let renamed = Person { email: NEW_EMAIL, ..Person::ANNA };
        assert!(world.account(&renamed).await.email_verified_at.is_some());
        assert_eq!(noted(&world, &renamed, "email-changed").await, 1);
        for to in [Person::ANNA.email, NEW_EMAIL] {
            assert_eq!(subjects(&world, to).await.last().unwrap(), "Uw e-mailadres is veranderd", "{to}");
        }
        assert_eq!(thief.open(&reset).await.status, 410);
        refused(&mut at_sign_in(&world).await, &Person::ANNA, Person::ANNA.password).await;
        signed_in(&world, &renamed).await;
    }
}

#[tokio::test]
async fn t24_an_address_of_somebody_else_is_not_told_and_not_taken() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::BRAM).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        let mut pages = Vec::new();
        for email in [Person::BRAM.email, NEW_EMAIL] {
            open(&world, &mut anna, "/account/email").await;
            anna.submit("change-submit", &[("email", email)]).await;
            let asked = crate::acts::lasting(&anna.page, email);
            world.advance(MINUTE);
            anna.submit("email-resend", &[]).await;
            pages.push((asked, crate::acts::lasting(&anna.page, email)));
        }
        assert_eq!(pages[0], pages[1]);
        assert_eq!(subjects(&world, Person::BRAM.email).await, ["U heeft al een account"]);
        // The code of the mail is as good as its button; here on a registration that nobody ever confirmed.
        let mut squatter = world.browser();
        open(&world, &mut squatter, "/register").await;
        let names = [("given_name", "Kees"), ("family_name", "Kraker")];
        let typed = [names[0], names[1], ("email", NEW_EMAIL), ("password", NEW_PASSWORD)];
        squatter.submit("register-submit", &typed).await;
        let mails = world.mails(NEW_EMAIL).await;
        let change = mails.iter().rfind(|mail| mail.subject == "Bevestig uw nieuwe e-mailadres").unwrap();
        let code = typed_code_of(change);
        anna.submit("code", &[("code", &another(&code))]).await;
        assert_eq!(anna.page.status, 422, "{}", anna.text());
        anna.submit("code", &[("code", &code)]).await;
        assert!(anna.has("signout"), "{}", anna.text());
        assert_eq!(world.account(&Person { email: NEW_EMAIL, ..Person::ANNA }).await.given_name, "Anna");
    }
}

#[tokio::test]
async fn t24_a_new_phone_gives_its_code_and_both_sides_are_told() {
    for backend in Backend::ALL {
        let world = World::with_waits(backend, |_| ()).await;
        world.add(&Person::ANNA).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        open(&world, &mut anna, "/account/phone").await;
        for (typed, says) in [
            ("", "Vul uw mobiele telefoonnummer in"),
            ("020-1234567", "Vul een Nederlands mobiel nummer in"),
            ("06 12345678", "Dit is al uw telefoonnummer"),
        ] {
            anna.submit("change-submit", &[("phone", typed)]).await;
            assert!(anna.page.status == 422 && anna.text().contains(says), "{typed}: {}", anna.text());
        }
        anna.submit("change-submit", &[("phone", "06-33333333")]).await;
        assert!(anna.has("otp"), "{}", anna.text());
        // Until its code is given the number is nobody's, and the page of a sign-in does not take the code.
        let code = world.code(NEW_PHONE).await;
        let mut sideways = anna.clone();
        let other = anna.page.url.as_str().replace("/account/phone/code", "/signin/code");
        sideways.open(&other).await;
        assert!(!sideways.has("otp"), "{}", sideways.text());
        assert!(sideways.has("login-page"), "{}", sideways.text());
        anna.submit("otp-resend", &[]).await;
        assert!(anna.text().contains("U vroeg net al een code aan"), "{}", anna.text());
        anna.submit("otp-submit", &[("code", &another(&code))]).await;
        assert!(anna.text().contains("klopt niet"), "{}", anna.text());
        // Another browser that knows the address and the code is not hers.
        let mut thief = world.browser();
        thief.open(anna.page.url.as_str()).await;
        assert!(thief.has("login-page"), "{}", thief.text());
        let done = at_once(vec![anna; 3], "otp-submit", |_| vec![("code", code.clone())]).await;
        let mut anna = done.into_iter().find(|browser| browser.has("signout")).expect("changed");
        assert!(anna.text().contains("\u{2022}33"), "{}", anna.text());
        let with_new = Person { phone: NEW_PHONE, ..Person::ANNA };
        assert_eq!(noted(&world, &with_new, "phone-changed").await, 1);
        assert_eq!(
            subjects(&world, Person::ANNA.email).await.last().unwrap(),
            "Uw telefoonnummer is veranderd"
        );
        let told = world.texts(Person::ANNA.phone).await.pop().unwrap().text;
        assert!(told.contains("ander telefoonnummer") && !told.contains("33333333"), "{told}");

        // Her own device asks for a code again, on the new number.
        anna.close();
        world.advance(MINUTE);
        anna.open(&world.relying_party().authorize_url(&[("prompt", "login")])).await;
        anna.give_password(&with_new).await;
        assert!(anna.has("otp"), "{}", anna.text());
        anna.give_code(&world, &with_new).await;
        assert!(is_back(&anna), "{}", anna.text());
    }
}

#[tokio::test]
async fn t24_a_new_password_wants_the_current_one_and_ends_the_other_sessions() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut laptop = signed_in(&world, &Person::ANNA).await;
        let mut phone = signed_in(&world, &Person::ANNA).await;
        open(&world, &mut laptop, "/account/password").await;
        let own = Person::ANNA.password;
        for (current, new, says) in [
            (own, "kort", "Dit wachtwoord is te kort"),
            ("Fout-Wachtwoord-99", NEW_PASSWORD, "Dit wachtwoord klopt niet"),
            ("", NEW_PASSWORD, "Vul uw huidige wachtwoord in"),
            (own, own, "Dit is uw oude wachtwoord"),
        ] {
            laptop.submit("change-submit", &[("password", current), ("new_password", new)]).await;
            assert!(laptop.page.status == 422 && laptop.text().contains(says), "{}", laptop.text());
        }
        laptop.submit("change-submit", &[("password", own), ("new_password", NEW_PASSWORD)]).await;
        assert!(laptop.text().contains("Uw wachtwoord is veranderd"), "{}", laptop.text());
        assert_eq!(sessions(&world, &Person::ANNA).await, 1);
        open(&world, &mut phone, "/account").await;
        assert!(phone.has("login-page"), "{}", phone.text());
        assert_eq!(subjects(&world, Person::ANNA.email).await.last().unwrap(), "Uw wachtwoord is veranderd");
        // Remembered devices ask for a code again; the old password opens nothing.
        refused(&mut phone, &Person::ANNA, own).await;
        let with_new = Person { password: NEW_PASSWORD, ..Person::ANNA };
        phone.give_password(&with_new).await;
        assert!(phone.has("otp"), "{}", phone.text());

        // Guesses at the current password lock, as at the sign-in page.
        open(&world, &mut laptop, "/account/password").await;
        for _ in 0..5 {
            laptop.submit("change-submit", &[("password", "Raad-Maar-Raak-1"), ("new_password", own)]).await;
        }
        laptop.submit("change-submit", &[("password", NEW_PASSWORD), ("new_password", own)]).await;
        assert_eq!(laptop.page.status, 422, "{}", laptop.text());
        assert_eq!(noted(&world, &Person::ANNA, "locked").await, 1);
    }
}

/// Columns of an account, each with its name in the download; without one what only serves to recognise a secret, or to
/// find the row.
const COLUMNS: [(&str, Option<&str>); 20] = [
    ("id", None),
    ("subject", Some("subject")),
    ("given_name", Some("given_name")),
    ("family_name", Some("family_name")),
    ("email", Some("email")),
    ("email_confirmed_at", Some("email_confirmed_at")),
    ("username", Some("username")),
    ("password_hash", None),
    ("temporary_password_until", None),
    ("temporary_password_used_at", None),
    ("phone_sealed", Some("phone_number")),
    ("phone_verified_at", Some("phone_verified_at")),
    ("role", Some("role")),
    ("organisation", Some("organisation")),
    ("language", Some("language")),
    ("blocked_at", None),
    ("claims_sealed", Some("claims")),
    ("created_at", Some("created_at")),
    ("updated_at", Some("updated_at")),
    // The name once more, as the desk looks for it.
    ("search_name", None),
];

/// A column that is new is in the download, or stands among those that are not.
async fn nothing_is_forgotten(world: &World, download: &Value) {
    let there = crate::acts::column(world, "SELECT name FROM pragma_table_info('accounts')").await;
    let unknown: Vec<_> =
        there.iter().filter(|name| !COLUMNS.iter().any(|(known, _)| *known == name.as_str())).collect();
    assert!(unknown.is_empty(), "not in the download, and not said why: {unknown:?}");
    for (column, name) in COLUMNS {
        assert!(there.iter().any(|there| there == column), "{column} is gone");
        if let Some(name) = name {
            assert!(download["account"].get(name).is_some(), "{name} is not in the download");
        }
    }
}

/// Every table that knows an account has forgotten it, but the audit log.
async fn nothing_is_left(world: &World, account: &str) {
    let sql = "SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) p ON p.name = 'account_id'
               WHERE m.type = 'table' AND m.name <> 'audit'";
    let tables = crate::acts::column(world, sql).await;
    assert!(tables.len() > 5, "{tables:?}");
    for table in tables {
        let rows = format!("SELECT account_id FROM {table} WHERE account_id = '{account}'");
        assert!(crate::acts::column(world, &rows).await.is_empty(), "{table} remembers the account");
    }
}

#[tokio::test]
async fn the_holder_takes_the_data_along_and_leaves() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let client = world.relying_party();
        let mut anna = world.browser();
        let tokens = client.tokens(&world, &mut anna, &Person::ANNA).await;
        // Whoever finds the browser open an hour later takes nothing along.
        world.clock.advance(Duration::from_mins(6));
        let mut later = anna.clone();
        open(&world, &mut later, "/account/download").await;
        assert!(later.has("login-page"), "{}", later.text());
        open(&world, &mut anna, "/account/download").await;
        anna.sign_in(&world, &Person::ANNA).await;
        anna.submit("download-submit", &[]).await;
        let header = |name: &str| anna.page.headers[name].to_str().unwrap().to_owned();
        assert!(header("content-disposition").starts_with("attachment"), "{:?}", anna.page.headers);
        assert_eq!(
            (header("content-type").as_str(), header("cache-control").as_str()),
            ("application/json", "no-store")
        );
        let data: Value = serde_json::from_str(&anna.page.body).unwrap();
        assert_eq!(data["account"]["email"], Person::ANNA.email);
        assert_eq!(data["account"]["phone_number"], Person::ANNA.phone);
        assert_eq!(data["sessions"][0]["clients"][0], "web");
        assert_eq!(data["devices"].as_array().unwrap().len(), 1);
        assert!(data["history"].as_array().unwrap().iter().any(|entry| entry["event"] == "signed-in"));
        if backend == Backend::Embedded {
            nothing_is_forgotten(&world, &data).await;
        }
        for secret in ["argon2", anna.cookie("session").unwrap(), anna.cookie("device").unwrap()] {
            assert!(!anna.page.body.contains(secret), "{secret}");
        }
        let mut stranger = world.browser();
        open(&world, &mut stranger, "/account/download").await;
        assert!(stranger.has("login-page"), "{}", stranger.text());

        // Leaving wants the word, and ends everything.
        open(&world, &mut anna, "/account/delete").await;
        anna.submit("delete-submit", &[("confirmation", "ja")]).await;
        assert_eq!(anna.page.status, 422, "{}", anna.text());
        anna.submit("delete-submit", &[("confirmation", " verwijderen ")]).await;
        assert!(
            anna.page.status == 200 && anna.text().contains("Uw account is verwijderd"),
            "{}",
            anna.text()
        );
        assert!(anna.cookie("session").is_none() && anna.cookie("device").is_none());
        assert!(world.idp.store.account(&account.id).await.unwrap().is_none());
        assert_eq!(subjects(&world, Person::ANNA.email).await.last().unwrap(), "Uw account is verwijderd");
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))];
        assert_eq!(client.token(&refresh).await.status(), 400);
        assert_eq!(client.userinfo(tokens.get("access_token")).await.status(), 401);
        let kept = world.idp.store.audit(Some(&account.id), 100).await.unwrap();
        assert_eq!(kept[..].iter().filter(|entry| entry.event == "account-deleted").count(), 1);
        for table in ["SELECT id FROM sessions", "SELECT id FROM devices", "SELECT id FROM grants"] {
            assert!(crate::acts::column(&world, table).await.is_empty(), "{table}");
        }
        if backend == Backend::Embedded {
            nothing_is_left(&world, &account.id.0).await;
        }
        refused(&mut at_sign_in(&world).await, &Person::ANNA, Person::ANNA.password).await;
        // Somebody may use the address again, as somebody else.
        assert_ne!(world.add(&Person::ANNA).await.subject, account.subject);
    }
}

#[tokio::test]
async fn t06_no_sign_in_survives_a_reset_that_it_races() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            config.limits.mails_per_account_per_day = 0;
            config.limits.mails_per_address_per_hour = 0;
            config.codes.per_number_per_day = 1_000;
            config.codes.per_account_per_day = 1_000;
        })
        .await;
        world.add(&Person::ANNA).await;
        let passwords = [Person::ANNA.password, NEW_PASSWORD];
        for round in 0..25 {
            let with_old = Person { password: passwords[round % 2], ..Person::ANNA };
            let mut thief = at_sign_in(&world).await;
            thief.give_password(&with_old).await;
            assert!(thief.has("otp"), "{}", thief.text());
            let code = world.code(Person::ANNA.phone).await;
            let mut anna = world.browser();
            open(&world, &mut anna, "/forgot").await;
            anna.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
            anna.open(&world.link(Person::ANNA.email, "/reset").await).await;
            // The hash of the new password takes a while: the code comes a little after the reset was sent.
            let (mut one, typed) = (thief.clone(), code.clone());
            let signing = async move {
                tokio::time::sleep(Duration::from_millis(3 * round as u64)).await;
                one.send("otp-submit", &[("code", &typed)]).await;
                one
            };
            let chosen = [("new_password", passwords[(round + 1) % 2])];
            let (_, mut one) = tokio::join!(anna.submit("reset-submit", &chosen), signing);
            assert!(anna.has("login-page"), "{}", anna.text());
            assert_eq!(sessions(&world, &Person::ANNA).await, 0, "round {round}");
            open(&world, &mut one, "/account").await;
            assert!(!one.has("signout"), "round {round}: {}", one.text());
        }
    }
}

#[tokio::test]
async fn what_somebody_else_ends_is_written_down_as_theirs() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let bram = world.add(&Person::BRAM).await;
        // Anna forgot to sign out at a computer where Bram signs in next.
        let mut browser = signed_in(&world, &Person::ANNA).await;
        world.advance(Duration::from_secs(1));
        browser.open(&world.relying_party().authorize_url(&[("prompt", "login")])).await;
        browser.sign_in(&world, &Person::BRAM).await;
        assert!(is_back(&browser), "{}", browser.text());
        let entries = world.idp.store.audit(Some(&anna.id), 10).await.unwrap();
        let ended = entries.iter().find(|entry| entry.event == "signed-out").unwrap();
        assert_eq!(ended.actor_id.as_deref(), Some(bram.id.0.as_str()));
        let own = entries.iter().find(|entry| entry.event == "signed-in").unwrap();
        assert_eq!(own.actor_id, None);
    }
}

#[tokio::test]
async fn a_change_without_a_phone_wants_the_password_alone_where_no_code_is_asked() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            for portal in &mut config.portals {
                portal.policy.second_factor = idp::config::When::Never.into();
                portal.policy.remember_days = None;
            }
        })
        .await;
        world.add(&Person::ANNA).await;
        let sql = "UPDATE accounts SET phone_sealed = NULL, phone_verified_at = $1 WHERE email = $2";
        set_column(&world, &Person::ANNA, sql, None).await;
        let mut anna = world.browser();
        open(&world, &mut anna, "/account").await;
        anna.give_password(&Person::ANNA).await;
        assert!(anna.has("signout"), "{}", anna.text());
        world.advance(MINUTE * 6);
        open(&world, &mut anna, "/account/phone").await;
        anna.give_password(&Person::ANNA).await;
        assert!(anna.page.url.path() == "/account/phone", "{}", anna.text());
        anna.submit("change-submit", &[("phone", "06-33333333")]).await;
        let code = world.code(NEW_PHONE).await;
        anna.submit("otp-submit", &[("code", &code)]).await;
        assert!(anna.text().contains("Uw telefoonnummer is opgeslagen"), "{}", anna.text());
        assert_eq!(
            subjects(&world, Person::ANNA.email).await.last().unwrap(),
            "Uw telefoonnummer is toegevoegd"
        );
    }
}

#[tokio::test]
async fn t24_a_code_on_its_way_to_the_old_phone_proves_nothing_any_more() {
    for backend in Backend::ALL {
        let world = World::with_waits(backend, |_| ()).await;
        let account = world.add(&Person::ANNA).await;
        let mut thief = world.browser();
        thief.open(&world.relying_party().authorize_url(&[])).await;
        thief.give_password(&Person::ANNA).await;
        let code = world.code(Person::ANNA.phone).await;

        // The owner has a new phone by now; the thief has the old one, with the code on it.
        let mut write = world.idp.store.begin_write().await.unwrap();
        let sealed = world.idp.store.seal_phone(Person::BRAM.phone);
        world.idp.store.change_phone(&mut write, &account.id, &sealed).await.unwrap();
        write.commit().await.unwrap();
        thief.submit("otp-submit", &[("code", &code)]).await;
        assert!(thief.text().contains("Deze code is te oud"), "{}", thief.text());

        // The next one goes to the new phone.
        thief.submit("otp-resend", &[]).await;
        assert_eq!(world.texts(Person::ANNA.phone).await.len(), 1);
        thief.give_code(&world, &Person { phone: Person::BRAM.phone, ..Person::ANNA }).await;
        assert!(world.relying_party().answered(&thief, "code").is_some());
    }
}

#[tokio::test]
async fn t58_a_strangers_wrong_passwords_push_nothing_out_of_the_history() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        // Ten days of five tries, each of which locks, from wherever.
        for _ in 0..10 {
            world.clock.advance(Duration::from_hours(24));
            let mut stranger = at_sign_in(&world).await;
            for _ in 0..5 {
                refused(&mut stranger, &Person::ANNA, "Raad-Maar-Raak-1").await;
            }
        }
        open(&world, &mut anna, "/account").await;
        if anna.has("login-page") {
            anna.sign_in(&world, &Person::ANNA).await;
        }
        let text = anna.text();
        assert!(text.contains("Ingelogd op een nieuw apparaat"), "what she did ten days ago: {text}");
        assert_eq!(text.matches("5 keer op deze dag").count(), 10, "{text}");
        // Nor out of what she can take along.
        open(&world, &mut anna, "/account/download").await;
        anna.give_code(&world, &Person::ANNA).await;
        anna.submit("download-submit", &[]).await;
        let data: Value = serde_json::from_str(&anna.page.body).unwrap();
        let history = data["history"].as_array().unwrap();
        let failed = history.iter().filter(|entry| entry["event"] == "sign-in-failed");
        assert_eq!(failed.map(|entry| entry["times"].as_i64().unwrap()).sum::<i64>(), 50);
    }
}
