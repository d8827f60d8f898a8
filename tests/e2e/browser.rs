//! The journeys in a real browser, with scripts and without: on a phone in Dutch, at a desk in English.

use std::time::Duration;

use platform::language::Language;
use tests::{Backend, Chromium, Look, Person, World};

const DAY: Duration = Duration::from_hours(24);
const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };

const PHONE: Look = Look { language: Language::Nl, phone: true, scripts: true };
const PHONE_WITHOUT_SCRIPTS: Look = Look { scripts: false, ..PHONE };
const DESK: Look = Look { language: Language::En, phone: false, scripts: true };

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_journey_on_a_phone() {
    journey(PHONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_journey_on_a_phone_without_scripts() {
    journey(PHONE_WITHOUT_SCRIPTS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_whole_journey_at_a_desk_in_english() {
    journey(DESK).await;
}

/// Fills in the sign-in page that is shown and sends it.
async fn give_password(browser: &Chromium, person: &Person) {
    browser.write("#email", person.email).await;
    browser.write("#password", person.password).await;
    browser.send("#login-submit").await;
}

/// Types the code that was sent to the person's phone.
async fn give_code(browser: &Chromium, world: &World, person: &Person) {
    let code = world.code(person.phone).await;
    browser.write("#otp", &code).await;
    browser.send("#otp-submit").await;
}

/// From the portal to a new account, with its mail confirmed; ends at the sign-in page.
async fn register(browser: &mut Chromium, world: &World, look: Look) {
    browser.open(&world.portal_origin).await;
    browser.look("welcome", "#login").await;
    browser.send("#login").await;
    browser.look("sign-in", "#login-page").await;
    let register = browser.find("a[href^='/register']").await.text().await.unwrap();
    if look.language == Language::Nl {
        assert_eq!(register, "Nieuw account aanmaken");
    }
    browser.send("a[href^='/register']").await;
    browser.write("#given_name", "Dora").await;
    browser.write("#family_name", "de Vries").await;
    browser.write("#email", DORA.email).await;
    browser.write("#password", DORA.password).await;
    if look.scripts {
        the_eye_shows_and_hides(browser).await;
    } else {
        assert!(!browser.find("#password").await.prop("type").await.unwrap().unwrap().contains("text"));
    }
    browser.look("register", "#register-submit").await;
    browser.send("#register-submit").await;
    browser.look("register-sent", "#confirm-resend").await;
    assert!(browser.text().await.contains(DORA.email));

    // The mail as a person sees it, then its link in the same browser.
    let mail = world.mails(DORA.email).await.pop().unwrap();
    let file = world.folder.join("mail.html");
    std::fs::write(&file, mail.html).unwrap();
    browser.open(&format!("file://{}", file.display())).await;
    browser.look("mail", "body").await;
    browser.open(&world.link(DORA.email, "/confirm").await).await;
    browser.look("confirm", "#confirm-submit").await;
    browser.send("#confirm-submit").await;
    browser.look("sign-in-after-confirm", "#login-page").await;
}

/// The eye beside a password turns it readable and back, and says so.
async fn the_eye_shows_and_hides(browser: &Chromium) {
    let password = browser.find("#password").await;
    let eye = browser.find(".reveal").await;
    let before = eye.text().await.unwrap();
    eye.click().await.unwrap();
    assert_eq!(password.prop("type").await.unwrap().as_deref(), Some("text"));
    assert_ne!(eye.text().await.unwrap(), before);
    eye.click().await.unwrap();
    assert_eq!(password.prop("type").await.unwrap().as_deref(), Some("password"));
    assert_eq!(eye.text().await.unwrap(), before);
}

async fn journey(look: Look) {
    let world = World::with_waits(Backend::Embedded, |_| ()).await;
    world.add(&Person::CARLA).await;
    let mut browser = Chromium::start(look).await;
    register(&mut browser, &world, look).await;

    // The first sign-in asks for a phone number and sends a code to it; an impatient finger sends one code.
    give_password(&browser, &DORA).await;
    browser.write("#phone", "06-12 12 12 12").await;
    browser.look("phone", "#phone").await;
    if look.scripts {
        browser
            .tab
            .execute(
                "const b = document.querySelector('main form button'); b.click(); b.click();",
                Vec::new(),
            )
            .await
            .unwrap();
    } else {
        browser.send("main form button").await;
    }
    browser.find("#otp").await;
    assert_eq!(world.texts(DORA.phone).await.len(), 1, "one code for one number");
    let code = browser.find("#otp").await;
    assert_eq!(code.attr("autocomplete").await.unwrap().as_deref(), Some("one-time-code"));
    assert_eq!(code.attr("inputmode").await.unwrap().as_deref(), Some("numeric"));
    browser.look("code", "#otp").await;
    give_code(&browser, &world, &DORA).await;
    browser.look("portal", "#dossier-request").await;
    assert!(browser.url().await.starts_with(&world.portal_origin));

    // Asking for access to her mother's dossier.
    browser.send("#dossier-request").await;
    browser.click("#relation-representative").await;
    browser.write("#birth_date", "01-02-1940").await;
    browser.write("#bsn", "999990019").await;
    browser.click("#organisation option[value='zonnehof']").await;
    browser.look("request", "#request-submit").await;
    browser.send("#request-submit").await;
    browser.look("request-overview", "#dossier-confirm").await;
    browser.send("#dossier-confirm").await;
    browser.look("request-sent", "main ol").await;
    browser.send("main .actions a").await;
    browser.look("portal-requested", "#dossier-tile-1").await;
    browser.send("#dossier-tile-1").await;
    browser.look("activate", "#activate-submit").await;

    // The care team checks the request and issues the code.
    let activation = issue_activation_code(&world, look).await;
    browser.write("#activation_code", "AAAA-BBBB").await;
    browser.send("#activate-submit").await;
    browser.look("activate-wrong", ".error-summary").await;
    browser.write("#activation_code", &activation).await;
    browser.send("#activate-submit").await;
    if browser.has("#dossier-tile-1").await {
        browser.look("portal-open", "#dossier-tile-1").await;
        browser.send("#dossier-tile-1").await;
    }
    browser.look("dossier", ".section-nav").await;
    browser.send(".section-nav a[href$='/reports']").await;
    browser.look("dossier-reports", ".section-title").await;
    assert!(browser.text().await.contains("wandelclub"));
    for section in ["this-is-me", "appointments", "care-plan", "access"] {
        let there = browser.url().await.replace("/reports", &format!("/{section}"));
        browser.open(&there).await;
        browser.look(&format!("dossier-{section}"), ".section-title").await;
        browser.tab.back().await.unwrap();
        browser.find(".section-title").await;
    }
    browser.assert_quiet().await;
    if look.scripts {
        the_session_warns_and_can_be_extended(&mut browser, &world).await;
    }

    // Out, and in again on the same device: the password is enough.
    browser.open(&world.portal_origin).await;
    browser.send("#logout").await;
    browser.look("signed-out", "#signed-out-page").await;
    world.advance(20 * DAY);
    browser.send("#login").await;
    give_password(&browser, &DORA).await;
    browser.look("portal-again", "#dossier-tile-1").await;
    assert!(browser.url().await.starts_with(&world.portal_origin));

    browser.open(&format!("{}/account", world.issuer)).await;
    browser.look("account", "main").await;

    // The month over: the code again.
    browser.open(&world.portal_origin).await;
    browser.send("#logout").await;
    world.advance(11 * DAY);
    browser.send("#login").await;
    give_password(&browser, &DORA).await;
    browser.find("#otp").await;
    give_code(&browser, &world, &DORA).await;
    browser.find("#dossier-tile-1").await;
    browser.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn my_account_is_changed_on_a_phone() {
    changes(PHONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn my_account_is_changed_at_a_desk_in_english() {
    changes(DESK).await;
}

/// Another address, phone and password, and then away.
async fn changes(look: Look) {
    let world = World::with_waits(Backend::Embedded, |_| ()).await;
    world.add(&Person::ANNA).await;
    let mut browser = Chromium::start(look).await;
    browser.start_pictures_at(100);
    browser.open(&format!("{}/account", world.issuer)).await;
    give_password(&browser, &Person::ANNA).await;
    give_code(&browser, &world, &Person::ANNA).await;

    browser.send("a[href='/account/email']").await;
    browser.look("account-email", "#change-submit").await;
    browser.write("#email", "geen adres").await;
    browser.send("#change-submit").await;
    browser.look("account-email-wrong", ".error-summary").await;
    browser.write("#email", "anna.nieuw@example.nl").await;
    browser.send("#change-submit").await;
    browser.look("account-email-sent", "#email-resend").await;
    browser.open(&world.link("anna.nieuw@example.nl", "/account/email/confirm").await).await;
    browser.look("account-email-confirm", "#confirm-submit").await;
    browser.send("#confirm-submit").await;
    browser.look("account-email-done", "#signout").await;

    browser.send("a[href='/account/phone']").await;
    browser.write("#phone", "06-33333333").await;
    browser.look("account-phone", "#change-submit").await;
    browser.send("#change-submit").await;
    browser.look("account-phone-code", "#otp").await;
    let anna = Person { email: "anna.nieuw@example.nl", phone: "+31633333333", ..Person::ANNA };
    give_code(&browser, &world, &anna).await;
    browser.look("account-phone-done", "#signout").await;

    // Later she is asked who she is, and a code that was sent a moment ago is not sent again.
    world.advance(Duration::from_mins(6));
    browser.send("a[href='/account/password']").await;
    browser.look("account-sign-in", "#login-page").await;
    give_password(&browser, &anna).await;
    browser.find("#otp").await;
    let mut other = Chromium::start(look).await;
    other.start_pictures_at(120);
    other.open(&format!("{}/account", world.issuer)).await;
    give_password(&other, &anna).await;
    other.look("code-elsewhere", "#otp").await;
    give_code(&browser, &world, &anna).await;
    browser.write("#password", "Verkeerd-Wachtwoord-1").await;
    browser.write("#new_password", "Tafel-Stoel-Kast-2026").await;
    browser.send("#change-submit").await;
    browser.look("account-password-wrong", ".error-summary").await;
    browser.write("#password", anna.password).await;
    browser.write("#new_password", "Tafel-Stoel-Kast-2026").await;
    browser.send("#change-submit").await;
    browser.look("account-password-done", "#signout").await;

    browser.send("a[href='/account/delete']").await;
    browser.send("#delete-submit").await;
    browser.look("account-delete", ".error-summary").await;
    let confirmation = if look.language == Language::Nl { "verwijderen" } else { "delete" };
    browser.write("#confirmation", confirmation).await;
    browser.send("#delete-submit").await;
    browser.look("account-deleted", "h1").await;
}

/// Carla signs in at the team's desk with a browser of her own and issues the code for the one request.
async fn issue_activation_code(world: &World, look: Look) -> String {
    let mut browser = Chromium::start(look).await;
    browser.start_pictures_at(60);
    browser.open(&format!("{}/team", world.portal_origin)).await;
    if browser.has("#login").await {
        browser.send("#login").await;
    }
    give_password(&browser, &Person::CARLA).await;
    browser.look("team-code", "#otp").await;
    give_code(&browser, world, &Person::CARLA).await;
    browser.look("team", "a[href^='/team/links/']").await;
    browser.send("a[href^='/team/links/']").await;
    browser.look("team-request", "#team-issue").await;
    browser.send("#team-issue").await;
    browser.look("team-no-reason", ".error-summary").await;
    browser.write("#reason", "Gebeld met de dochter, legitimatie gezien").await;
    browser.send("#team-issue").await;
    browser.look("team-issued", "#activation-code").await;
    browser.find("#activation-code").await.text().await.unwrap()
}

/// Thirteen minutes pass for the page and for the server: the page asks whether the person is still there.
async fn the_session_warns_and_can_be_extended(browser: &mut Chromium, world: &World) {
    // Loaded anew: a page that the browser had kept in memory loads itself again, with a clock of its own.
    browser.open(&browser.url().await).await;
    browser.find(".section-title").await;
    world.advance(Duration::from_mins(13) + Duration::from_secs(30));
    let later = "const now = Date.now; Date.now = () => now() + (13 * 60 + 30) * 1000;";
    browser.tab.execute(later, Vec::new()).await.unwrap();
    browser.look("session-warning", "#session-extend").await;
    let answer = "const done = arguments[arguments.length - 1];
        const dialog = document.getElementById('session-warning');
        dialog.addEventListener('close', () => done(dialog.open), { once: true });
        document.getElementById('session-extend').click();";
    let open = browser.tab.execute_async(answer, Vec::new()).await.unwrap();
    assert!(!open.convert::<bool>().unwrap(), "the question is answered");
    // Two minutes later the session would have ended without the answer.
    world.advance(Duration::from_mins(2));
    browser.open(&world.portal_origin).await;
    browser.find("#dossier-tile-1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_explained() {
    for look in [PHONE, DESK] {
        mistakes(look).await;
    }
}

async fn mistakes(look: Look) {
    let world = World::with_waits(Backend::Embedded, |_| ()).await;
    world.add(&Person::ANNA).await;
    let mut browser = Chromium::start(look).await;
    browser.start_pictures_at(80);

    // An authorization request that must not be answered by a redirect.
    browser.open(&format!("{}/authorize?client_id=nobody&response_type=code", world.issuer)).await;
    browser.look("op-error", "#op-error").await;
    browser.open(&format!("{}/nowhere", world.issuer)).await;
    browser.look("not-found", "h1").await;

    // An empty registration, then a link that is used twice.
    browser.open(&format!("{}/login", world.portal_origin)).await;
    browser.send("a[href^='/register']").await;
    browser.send("#register-submit").await;
    browser.look("register-empty", ".error-summary").await;
    browser.write("#given_name", "Dora").await;
    browser.write("#family_name", "de Vries").await;
    browser.write("#email", DORA.email).await;
    browser.write("#password", "wachtwoord12").await;
    browser.send("#register-submit").await;
    browser.look("register-weak", ".error-summary").await;
    browser.write("#password", DORA.password).await;
    browser.send("#register-submit").await;
    let link = world.link(DORA.email, "/confirm").await;
    browser.open(&link).await;
    browser.send("#confirm-submit").await;
    browser.find("#login-page").await;
    browser.open(&link).await;
    if browser.has("#confirm-submit").await {
        browser.send("#confirm-submit").await;
    }
    browser.look("link-used", "h1").await;

    // Wrong password, bad phone numbers, wrong codes.
    browser.open(&format!("{}/login", world.portal_origin)).await;
    give_password(&browser, &Person { password: "Verkeerd-Wachtwoord-1", ..DORA }).await;
    browser.look("wrong-password", ".error-summary").await;
    give_password(&browser, &DORA).await;
    browser.write("#phone", "020-1234567").await;
    browser.send("main form button").await;
    browser.look("bad-phone", ".error-summary").await;
    browser.write("#phone", "0612121212").await;
    browser.send("main form button").await;
    browser.find("#otp").await;
    let wrong = if world.code(DORA.phone).await == "000000" { "000001" } else { "000000" };
    browser.write("#otp", wrong).await;
    browser.send("#otp-submit").await;
    browser.look("wrong-code", ".error-summary").await;
    for _ in 0..4 {
        browser.write("#otp", wrong).await;
        browser.send("#otp-submit").await;
    }
    browser.look("code-ended", ".error-summary").await;
    world.advance(Duration::from_mins(2));
    browser.tab.refresh().await.unwrap();
    browser.send("#otp-resend").await;
    browser.look("code-resent", "#otp").await;
    give_code(&browser, &world, &DORA).await;

    // A BSN that fails the eleven-test.
    browser.send("#dossier-request").await;
    browser.click("#relation-client").await;
    browser.write("#birth_date", "31-02-1940").await;
    browser.write("#bsn", "123456789").await;
    browser.send("#request-submit").await;
    browser.look("bad-bsn", ".error-summary").await;

    // Forgotten password.
    browser.open(&world.portal_origin).await;
    browser.send("#logout").await;
    browser.send("#login").await;
    browser.send("a[href^='/forgot']").await;
    browser.look("forgot", "#email").await;
    browser.write("#email", DORA.email).await;
    browser.send("main form button").await;
    browser.look("forgot-sent", "h1").await;
    browser.open(&world.link(DORA.email, "/reset").await).await;
    browser.look("reset", "#new_password").await;
    browser.write("#new_password", "Tafel-Stoel-Kast-2026").await;
    browser.send("#reset-submit").await;
    browser.look("reset-done", "h1").await;
}
