//! What people do with forms: paste, press twice, go back, reload, change the language, and come back too late.

use std::time::Duration;

use platform::db::Query;
use reqwest::{Method, StatusCode};
use tests::{Backend, Browser, Person, World};
use url::Url;

use crate::acts::{
    at_once, at_sign_in, is_back, noted, signed_in, switch_language, temporary_until, typed_code_of,
};
use crate::care::{
    BIRTH_DATE, DOSSIER, activate, ask, at_portal, issue_code, request, section, with_dossier,
};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
const IDLE: Duration = Duration::from_mins(16);

/// A text as a phone copies it: marks of the writing direction around it, another dash and a zero width space in it.
fn pasted(text: &str) -> String {
    format!("\u{202a}{}\u{200b}\u{202c}", text.replace('-', "\u{2011}"))
}

/// Another keyboard's digits.
fn arabic(text: &str) -> String {
    let digit = |c: char| c.to_digit(10).and_then(|value| char::from_u32(0x660 + value)).unwrap_or(c);
    text.chars().map(digit).collect()
}

fn title(browser: &Browser) -> String {
    let title = browser.page.body.split_once("<title>").unwrap().1;
    title.split_once("</title>").unwrap().0.to_owned()
}

/// Whether a field has the error `says`: at the field, tied to it, in the summary that leads there, and in the title.
fn is_wrong_at(browser: &Browser, field: &str, says: &str) {
    let body = &browser.page.body;
    assert_eq!(browser.page.status, 422, "{}", browser.text());
    assert!(title(browser).starts_with("Fout: "), "{}", title(browser));
    assert!(body.contains(&format!("<a href=\"#{field}\">")), "{field}: the summary leads to it\n{body}");
    assert!(body.contains(&format!("id=\"{field}-error\"")), "{field}: a text of its own\n{body}");
    let input = body.split(&format!("id=\"{field}\"")).nth(1).unwrap().split('>').next().unwrap();
    assert!(input.contains(&format!("{field}-error")), "{field}: tied to it: {input}");
    assert!(browser.text().matches(says).count() >= 2, "{field}: {says}\n{}", browser.text());
}

async fn register(browser: &mut Browser, person: &Person) {
    let journey = browser.form_of("login-submit").0.query().unwrap().to_owned();
    browser.open(&format!("/register?{journey}")).await;
    let names = [("given_name", "Dora"), ("family_name", "de Vries")];
    browser
        .submit(
            "register-submit",
            &[names[0], names[1], ("email", person.email), ("password", person.password)],
        )
        .await;
    assert!(browser.has("confirm-resend"), "{}", browser.text());
}

#[tokio::test]
async fn what_phones_and_keyboards_add_is_no_mistake_and_what_cannot_be_right_is_no_try() {
    let world = World::new(Backend::Embedded).await;
    let mut dora = at_sign_in(&world).await;
    register(&mut dora, &Person { email: "dora@example.nl", ..DORA }).await;
    let mail = typed_code_of(world.mails(DORA.email).await.last().unwrap());
    // Eight tries at what cannot be a code: none of them counts.
    for typed in ["", "1234567", "123456789", "abcdefgh", "\u{200b}", "1234 567", "\u{660}\u{661}", "12-34"] {
        dora.submit("code", &[("code", typed)]).await;
        let says =
            if typed.trim_matches('\u{200b}').is_empty() { "Vul de code in." } else { "heeft 8 cijfers" };
        is_wrong_at(&dora, "code", says);
    }
    dora.submit("code", &[("code", &pasted(&arabic(&format!("{} {}", &mail[..4], &mail[4..]))))]).await;
    assert!(dora.has("login-page"), "{}", dora.text());

    dora.submit("login-submit", &[("email", &pasted(DORA.email)), ("password", DORA.password)]).await;
    assert!(dora.has("phone"), "{}", dora.text());
    dora.submit("phone", &[("phone", &pasted("(+31) 6 12-12 12 12"))]).await;
    assert!(dora.has("otp"), "{}", dora.text());
    for typed in ["", "12345", "1234567", "12345x", "\u{202e}", "\u{661}"] {
        dora.submit("otp-submit", &[("code", typed)]).await;
        assert_eq!(dora.page.status, 422, "{typed}");
    }
    let code = world.code(DORA.phone).await;
    dora.submit("otp-submit", &[("code", &pasted(&arabic(&code)))]).await;
    assert!(is_back(&dora), "{}", dora.text());
    assert_eq!(noted(&world, &DORA, "code-limit").await, 0);
}

#[tokio::test]
async fn empty_is_not_wrong_and_a_name_to_sign_in_with_that_cannot_be_one_is_no_failure() {
    let world = World::new(Backend::Embedded).await;
    world.add(&Person::ANNA).await;
    let mut browser = at_sign_in(&world).await;
    for _ in 0..6 {
        browser.submit("login-submit", &[("email", ""), ("password", "")]).await;
        is_wrong_at(&browser, "email", "Vul uw e‑mailadres in.");
        is_wrong_at(&browser, "password", "Vul een wachtwoord in.");
        browser.submit("login-submit", &[("email", "anna@10.0.0.1"), ("password", "x")]).await;
        is_wrong_at(&browser, "email", "bijvoorbeeld");
        browser.submit("login-submit", &[("email", Person::ANNA.email), ("password", "")]).await;
        is_wrong_at(&browser, "password", "Vul een wachtwoord in.");
    }
    assert_eq!(noted(&world, &Person::ANNA, "sign-in-failed").await, 0);
    // A temporary password as it comes out of a mail; a sign that we put into none is no try either.
    temporary_until(&world, &Person::ANNA, world.idp.clock.now().plus(Duration::from_hours(1))).await;
    let sql = "UPDATE accounts SET password_hash = $1 WHERE email = $2";
    let hash = world.idp.passwords.hash("k7mp-w2qe-9xta").await.unwrap();
    world.idp.store.db().execute(Query::new(sql).bind(hash).bind(Person::ANNA.email)).await.unwrap();
    for _ in 0..6 {
        browser
            .submit("login-submit", &[("email", Person::ANNA.email), ("password", "k7mp-w2qe-9xt0")])
            .await;
        assert_eq!(browser.page.status, 422);
    }
    let typed = pasted(" K7MP-w2qe-9xta");
    browser.submit("login-submit", &[("email", Person::ANNA.email), ("password", &typed)]).await;
    assert!(browser.has("new_password"), "{}", browser.text());
}

#[tokio::test]
async fn t55_a_name_with_hidden_marks_is_refused_with_the_reason() {
    let world = World::new(Backend::Embedded).await;
    let mut browser = at_sign_in(&world).await;
    let journey = browser.form_of("login-submit").0.query().unwrap().to_owned();
    browser.open(&format!("/register?{journey}")).await;
    for (given, family, field, says) in [
        ("An\u{202e}na", "Bakker", "given_name", "een teken dat u niet ziet"),
        ("Anna", "Bakker\u{200b}", "family_name", "een teken dat u niet ziet"),
        ("<b>Anna</b>", "Bakker", "given_name", "een teken dat niet kan"),
        ("Anna", "", "family_name", "Vul uw achternaam in."),
    ] {
        let typed = [
            ("given_name", given),
            ("family_name", family),
            ("email", DORA.email),
            ("password", DORA.password),
        ];
        browser.submit("register-submit", &typed).await;
        is_wrong_at(&browser, field, says);
        assert!(!browser.text().contains("Vul uw voornaam in."));
    }
    assert!(world.mails(DORA.email).await.is_empty());
}

#[tokio::test]
async fn an_older_mail_of_the_same_request_works_as_long_as_the_newer_and_nothing_that_clings_voids_a_link() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let mut anna = world.browser();
        anna.open(&format!("{}/forgot", world.issuer)).await;
        anna.submit("forgot-submit", &[("email", Person::ANNA.email)]).await;
        let older = world.link(Person::ANNA.email, "/reset").await;
        let older_code = typed_code_of(world.mails(Person::ANNA.email).await.last().unwrap());
        let minutes = u64::from(world.idp.config.accounts.reset_minutes);
        world.advance(Duration::from_mins(minutes - 5));
        anna.submit("reset-resend", &[]).await;
        let newer = world.link(Person::ANNA.email, "/reset").await;
        assert_ne!(older, newer);
        // Past the time of the older mail alone, within that of the newer.
        world.advance(Duration::from_mins(10));
        // The code of the older one works too, and takes nothing from the link in the mail.
        anna.submit("code", &[("code", &older_code)]).await;
        assert!(anna.has("reset-submit"), "{}", anna.text());
        let mut mail = world.browser();
        for tail in [
            ")",
            ".",
            ">",
            "%3E.",
            "&amp;utm_source=x",
            "&gt;",
            "%22)",
            "%E2%80%9D",
            "](x",
            "%0D%0A",
            "%E2%80%8B",
            "__",
        ] {
            mail.open(&format!("{older}{tail}")).await;
            assert!(mail.has("reset-submit"), "{tail}: {}", mail.text());
        }
        mail.open(&older.replace("?token=", "?lang=nl&amp;token=%3C")).await;
        assert!(mail.has("reset-submit"), "{}", mail.text());
        mail.submit("reset-submit", &[("new_password", "Wolken-Boven-Urk-19")]).await;
        assert!(mail.has("login-page"), "{}", mail.text());
        // What was used ends the other.
        anna.open(&newer).await;
        assert!(!anna.has("reset-submit"), "{}", anna.text());
        // An address with signs after it leads where it would without them, and to no other host.
        for path in ["/signin)", "/signin%3E.", "/forgot&gt;"] {
            anna.open(&format!("{}{path}", world.issuer)).await;
            assert_eq!(anna.page.status, 200, "{path}");
        }
        let away = Url::parse(&format!("{}//evil.example)", world.issuer)).unwrap();
        assert_eq!(world.browser().request(Method::GET, &away, None).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_equal_posts_at_once_end_at_the_same_page_of_the_provider() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        let same = |browsers: &[Browser]| {
            let places: Vec<String> = browsers.iter().map(|one| one.page.url.to_string()).collect();
            assert!(places.windows(2).all(|two| two[0] == two[1]), "{places:#?}");
            assert!(browsers.iter().all(|one| one.page.status == 200), "{}", browsers[1].text());
        };
        // Registering, and the button of the mail.
        let mut dora = at_sign_in(&world).await;
        let journey = dora.form_of("login-submit").0.query().unwrap().to_owned();
        dora.open(&format!("/register?{journey}")).await;
        let typed = |_| {
            let names = [("given_name", "Dora"), ("family_name", "de Vries")];
            [names[0], names[1], ("email", DORA.email), ("password", DORA.password)]
                .map(|(name, value)| (name, value.to_owned()))
                .to_vec()
        };
        same(&at_once(vec![dora.clone(); 2], "register-submit", typed).await);
        assert_eq!(world.mails(DORA.email).await.len(), 1, "one mail");
        dora.open(&world.link(DORA.email, "/confirm").await).await;
        same(&at_once(vec![dora.clone(); 2], "confirm-submit", |_| Vec::new()).await);

        // A forgotten password, and the new one.
        let mut anna = world.browser();
        anna.open(&format!("{}/forgot", world.issuer)).await;
        let typed = |_| vec![("email", Person::ANNA.email.to_owned())];
        let both = at_once(vec![anna.clone(); 2], "forgot-submit", typed).await;
        same(&both);
        assert_eq!(world.mails(Person::ANNA.email).await.len(), 1);
        // Sent again by two clicks: one more.
        world.advance(Duration::from_secs(61));
        let both = at_once(vec![both[0].clone(); 2], "reset-resend", |_| Vec::new()).await;
        same(&both);
        assert_eq!(world.mails(Person::ANNA.email).await.len(), 2);
        anna.open(&world.link(Person::ANNA.email, "/reset").await).await;
        let typed = |_| vec![("new_password", "Wolken-Boven-Urk-19".to_owned())];
        same(&at_once(vec![anna.clone(); 2], "reset-submit", typed).await);
        assert_eq!(noted(&world, &Person::ANNA, "password-changed").await, 1);

        // At the account: another password, and the end of it all.
        let anna = Person { password: "Wolken-Boven-Urk-19", ..Person::ANNA };
        let mut browser = signed_in(&world, &anna).await;
        browser.open(&format!("{}/account/password", world.issuer)).await;
        let typed = |_| {
            vec![
                ("password", anna.password.to_owned()),
                ("new_password", "Zeilen-Langs-Terhorne-3".to_owned()),
            ]
        };
        same(&at_once(vec![browser.clone(); 2], "change-submit", typed).await);
        browser.open(&format!("{}/account/delete", world.issuer)).await;
        let typed = |_| vec![("confirmation", pasted("verwijderen"))];
        let gone = at_once(vec![browser.clone(); 2], "delete-submit", typed).await;
        same(&gone);
        assert!(gone[0].page.url.path() == "/account/deleted" && gone[0].text().contains("verwijderd"));
    }
}

#[tokio::test]
async fn what_was_typed_survives_the_language_switch_and_secrets_do_not() {
    let world = World::new(Backend::Embedded).await;
    let mut browser = at_sign_in(&world).await;
    let journey = browser.form_of("login-submit").0.query().unwrap().to_owned();
    browser.open(&format!("/register?{journey}")).await;
    let typed = [
        ("given_name", "Zo\u{eb}"),
        ("family_name", "de Vries"),
        ("email", "zoe@example"),
        ("password", "Geheim-Woord-77"),
    ];
    browser.submit("register-submit", &typed[..3]).await;
    switch_language(&mut browser, &typed).await;
    assert!(browser.page.body.contains("<html lang=\"en\""), "{}", browser.text());
    assert_eq!((browser.page.status, browser.page.url.path()), (StatusCode::OK, "/register"));
    for (name, value) in &typed[..3] {
        let (_, fields) = browser.form_of("typed");
        assert!(fields.contains(&((*name).to_owned(), (*value).to_owned())), "{name}: {fields:?}");
    }
    assert!(!browser.page.body.contains("Geheim-Woord-77"));
    // It is this browser's alone.
    let kept = browser.page.url.to_string();
    let mut other = world.browser();
    other.open(&kept).await;
    assert!(other.page.status == 200 && !other.page.body.contains("zoe@example"), "{}", other.text());
}

#[tokio::test]
async fn a_form_of_a_session_that_ended_is_there_again_at_the_provider() {
    let world = World::with(Backend::Embedded, |config| config.sessions.idle_minutes = 15).await;
    world.add(&Person::ANNA).await;
    let mut anna = signed_in(&world, &Person::ANNA).await;
    anna.open(&format!("{}/account/email", world.issuer)).await;
    world.advance(IDLE);
    anna.submit("change-submit", &[("email", "nieuw@example.nl")]).await;
    assert!(anna.has("login-page"), "{}", anna.text());
    anna.sign_in(&world, &Person::ANNA).await;
    assert_eq!(anna.page.url.path(), "/account/email", "{}", anna.text());
    assert!(anna.page.body.contains("nieuw@example.nl") && anna.has("form-kept"), "{}", anna.text());
    // No address answers a browser with an empty page.
    for path in ["/register/resend", "/account/sign-out", "/assets/nothing.css", "/signin/cancel", "/kept"] {
        anna.extra_headers.push(("accept", "text/html".into()));
        anna.open(&format!("{}{path}", world.issuer)).await;
        assert!(
            anna.page.status.is_client_error() && anna.page.body.contains("<h1"),
            "{path}: {}",
            anna.page.status
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn pressing_twice_reloading_and_coming_back_too_late_at_the_portal() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::CARLA).await;
        let (mut anna, mut carla) = (world.browser(), world.browser());
        at_portal(&world, &mut anna, &Person::ANNA, "/").await;

        // The request: the number as it was pasted, the language changed on the way, confirmed twice.
        anna.open(&format!("{}/request", world.portal_origin)).await;
        anna.submit("request-submit", &[("bsn", ""), ("birth_date", "")]).await;
        for (field, says) in
            [("relation", "Kies wie u bent."), ("birth_date", "Vul de geboortedatum"), ("bsn", "Vul het BSN")]
        {
            is_wrong_at(&anna, field, says);
        }
        switch_language(&mut anna, &[("bsn", "999990019"), ("birth_date", "1-2-1940")]).await;
        assert!(
            anna.page.body.contains("<html lang=\"en\"") && anna.page.body.contains("999990019"),
            "{}",
            anna.text()
        );
        anna.open(&format!("{}/request?lang=nl", world.portal_origin)).await;
        ask(&mut anna, &world.portal_origin, &pasted(&arabic("9999-90-019")), &pasted("01-02-1940")).await;
        let overview = anna.page.url.to_string();
        let both = at_once(vec![anna.clone(); 2], "dossier-confirm", |_| Vec::new()).await;
        assert_eq!(both[0].page.url, both[1].page.url);
        assert!(both[0].page.url.path().ends_with("/sent"), "{}", both[1].text());
        anna.open(&overview).await;
        assert!(anna.page.url.path().ends_with("/sent"), "going back leads to what it became");
        let link = anna.page.url.path().trim_end_matches("/sent").to_owned();

        // The code stays on its page, through a reload and in the other language, and no second one is made.
        at_portal(&world, &mut carla, &Person::CARLA, "/team").await;
        let code = issue_code(&world, &mut carla, &link, "full").await;
        let page = carla.page.url.to_string();
        carla.open(&page).await;
        assert!(carla.page.body.contains(&code), "a reload shows it again");
        switch_language(&mut carla, &[]).await;
        assert!(
            carla.page.body.contains(&code) && carla.page.body.contains("<html lang=\"en\""),
            "{}",
            carla.text()
        );
        carla.open(&format!("{}?lang=nl", page.split('?').next().unwrap())).await;
        assert!(!carla.page.body.contains(&code), "no other page shows it");

        // What cannot be a code is no try; the code is typed as it was pasted, twice at once.
        for typed in ["", "ACDE-FG3", "ACDE-FG30", "ACDEFG345", "\u{200b}", "acde fg3!"] {
            activate(&mut anna, &world.portal_origin, &link, typed).await;
            is_wrong_at(
                &anna,
                "activation_code",
                if typed.len() < 5 { "Vul de activatiecode in." } else { "8 letters en cijfers" },
            );
        }
        let typed = |_| vec![("activation_code", pasted(&code))];
        anna.open(&format!("{}{link}", world.portal_origin)).await;
        let both = at_once(vec![anna.clone(); 2], "activate-submit", typed).await;
        assert!(
            both.iter().all(|one| one.page.url.path() == format!("/dossiers/{DOSSIER}/home")),
            "{}",
            both[1].text()
        );

        // A report that is sent twice stands once; the same words later are another one.
        section(&world, &mut anna, "reports").await;
        let typed = |_| vec![("text", "Moeder at goed.".to_owned())];
        let both = at_once(vec![anna.clone(); 2], "text", typed).await;
        assert_eq!(both[1].text().matches("Moeder at goed.").count(), 1, "{}", both[1].text());
        section(&world, &mut anna, "reports").await;
        anna.submit("text", &[("text", "Moeder at goed.")]).await;
        assert_eq!(anna.text().matches("Moeder at goed.").count(), 2, "{}", anna.text());
        anna.submit("text", &[("text", "")]).await;
        is_wrong_at(&anna, "text", "Schrijf eerst een tekst.");

        // An appointment whose new date is wrong is corrected, and stays one.
        section(&world, &mut anna, "appointments").await;
        anna.submit("title", &[("title", "Kapper"), ("date", "23-11-2027"), ("time", "9:30")]).await;
        let note = anna
            .page
            .body
            .split("name=\"note\" value=\"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap()
            .to_owned();
        let changed = [("title", "Kapper thuis"), ("date", "31-11-2027"), ("time", "")];
        anna.submit(
            &format!("title-{note}"),
            &[("title", changed[0].1), ("date", changed[1].1), ("time", changed[2].1)],
        )
        .await;
        is_wrong_at(&anna, "date", "Vul een datum in die bestaat");
        is_wrong_at(&anna, "time", "Vul de tijd in");
        anna.submit("date", &[("date", "30-11-2027"), ("time", "10:00")]).await;
        assert_eq!(anna.page.status, 200, "{}", anna.text());
        assert_eq!(anna.text().matches("Wijzigen (").count(), 1, "one appointment: {}", anna.text());
        let text = anna.text();
        assert!(text.contains("30 november 2027") && !text.contains("23 november 2027"), "{text}");

        // A text that is sent after the session ended is there again.
        section(&world, &mut anna, "my-life").await;
        world.advance(IDLE);
        anna.submit("text", &[("text", "Zij werkte in een bakkerij.")]).await;
        assert!(anna.page.url.path() == "/signed-out", "{}", anna.page.url);
        let on = anna.page.body.split("id=\"login\" href=\"").nth(1).unwrap().split('"').next().unwrap();
        let on = on.replace("&amp;", "&").replace("&#x2F;", "/").replace("&#x3D;", "=");
        anna.open(&on).await;
        if anna.has("login-page") {
            anna.give_password(&Person::ANNA).await;
        }
        if anna.has("otp") {
            anna.give_code(&world, &Person::ANNA).await;
        }
        assert_eq!(anna.page.url.path(), format!("/dossiers/{DOSSIER}/my-life"), "{}", anna.text());
        assert!(
            anna.page.body.contains("Zij werkte in een bakkerij.") && anna.has("form-kept"),
            "{}",
            anna.text()
        );
    }
}

#[tokio::test]
async fn a_life_story_has_a_writer_for_each_text() {
    let world = World::new(Backend::Embedded).await;
    let (mut anna, mut carla) = with_dossier(&world, "full").await;
    world.add(&Person::BRAM).await;
    let mut bram = world.browser();
    at_portal(&world, &mut bram, &Person::BRAM, "/").await;
    let link = request(&mut bram, &world.portal_origin, "999990019", BIRTH_DATE).await;
    let code = issue_code(&world, &mut carla, &link, "full").await;
    activate(&mut bram, &world.portal_origin, &link, &code).await;
    for (is_anna, text) in
        [(true, "Ze houdt van koffie."), (false, "Hij noemt haar Bep."), (false, "Hij noemt haar Betje.")]
    {
        let browser = if is_anna { &mut anna } else { &mut bram };
        section(&world, browser, "this-is-me").await;
        browser.submit("text", &[("text", text)]).await;
        assert_eq!(browser.page.status, 200, "{}", browser.text());
    }
    section(&world, &mut anna, "this-is-me").await;
    let text = anna.text();
    assert!(text.contains("Hij noemt haar Betje.") && !text.contains("Bep."), "{text}");
    assert!(anna.page.body.contains("Ze houdt van koffie.</textarea>"), "she changes her own");
    for own in ["Van Anna Voorbeeld Ze houdt van koffie.", "Van Bram Voorbeeld Hij noemt haar Betje."] {
        assert!(text.contains(own), "{own}: {text}");
    }
}
