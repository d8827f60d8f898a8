//! Each preset in a real browser, on a phone and in Dutch, from first contact to signed out; and two portals with rules
//! of their own on one provider. (`puur-van-jou` is walked from end to end in `browser.rs`.)

use std::path::Path;
use std::time::Duration;

use idp::config::{Client, Config, Portal, SignInPolicy, Terms, When};
use platform::config::Secret;
use platform::language::Language;
use platform::look::Brand;
use tests::{Backend, Chromium, Look, Person, World, origin_of};

use crate::desk::{at_desk, mailed_password, make};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
const PHONE: Look = Look { language: Language::Nl, phone: true, scripts: true };
const MINUTE: Duration = Duration::from_mins(1);

/// Fills in the sign-in page that is shown and sends it.
async fn give_password(browser: &Chromium, field: &str, name: &str, password: &str) {
    browser.write(field, name).await;
    browser.write("#password", password).await;
    browser.send("#login-submit").await;
}

/// Types the code that was sent to a number.
async fn give_code(browser: &Chromium, world: &World, number: &str) {
    let code = world.code(number).await;
    browser.write("#otp", &code).await;
    browser.send("#otp-submit").await;
}

/// The values of a configuration file or of the printed example, each with its section.
fn values(text: &str) -> Vec<(&str, &str)> {
    let mut section = "";
    let mut found = Vec::new();
    for line in text.lines().map(|line| line.trim_start_matches('#')) {
        if line.starts_with('[') {
            section = line;
        } else if line.contains(" = ") && !line.starts_with(' ') {
            found.push((section, line));
        }
    }
    found
}

#[test]
fn a_preset_states_only_what_differs_from_the_defaults() {
    let example = Config::example().unwrap();
    let defaults = values(&example);
    assert!(defaults.contains(&("[lockout]", "failures = 5")), "{defaults:?}");
    for preset in ["puur-van-jou", "pluriform", "mijn-ecd"] {
        let file = format!("{}/../deploy/presets/{preset}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(file).unwrap();
        for stated in values(&text) {
            // What is not set by default is shown with a value all the same.
            let is_unset = stated == ("[portal.policy]", "idle_minutes = 15");
            assert!(is_unset || !defaults.contains(&stated), "{preset}: {stated:?} is the default");
        }
    }
}

#[test]
fn a_preset_with_a_mistake_is_refused_with_file_key_value_and_what_to_write() {
    let mistakes = [
        ("puur-van-jou", "minutes = 30", "minutes = 0", "lockout.minutes = 0: write a number from 1 to 1440"),
        (
            "puur-van-jou",
            "[lockout]",
            "codes.digits = 3\n[lockout]",
            "codes.digits = 3: write a number from 6 to 10",
        ),
        (
            "puur-van-jou",
            "[lockout]",
            "accounts.identifier = \"username\"\n[lockout]",
            "accounts.registration = true: ",
        ),
        (
            "puur-van-jou",
            "[[portal.client]]",
            "[portal.policy]\nsecond_factor = \"always\"\nremember_days = 30\n[[portal.client]]",
            "portal.policy.remember_days of puur-van-jou = 30: ",
        ),
        (
            "pluriform",
            "min_length = 8",
            "min_length = 5",
            "password.min_length = 5: write a number from 8 to 64",
        ),
        ("pluriform", "\"always\"", "\"never\"", "portal.policy.code_prefix_digits of pluriform = 4: "),
        (
            "pluriform",
            "identifier = \"username\"",
            "identifier = \"email\"",
            "accounts.recovery = username_and_email: ",
        ),
        (
            "pluriform",
            "idle_minutes = 15",
            "idle_minutes = 90",
            "portal.policy.idle_minutes of pluriform = 90: ",
        ),
        ("mijn-ecd", "\nidle_minutes = 15", "\nidle_minutes = 0", "sessions.idle_minutes = 0: "),
        ("mijn-ecd", "public_computer", "publieke_computer", "publieke_computer"),
        (
            "mijn-ecd",
            "registration = false",
            "registration = false\nfirst_password = \"invited\"",
            "unknown variant `invited`",
        ),
    ];
    for (preset, good, bad, says) in mistakes {
        let file = format!("{}/../deploy/presets/{preset}.toml", env!("CARGO_MANIFEST_DIR"));
        let text = format!("dev.outbox = true\n{}", std::fs::read_to_string(file).unwrap());
        let path = Path::new("idp.toml");
        assert!(Config::parse(path, &text).is_ok(), "{preset}");
        assert_eq!(text.matches(good).count(), 1, "{preset}: {good}");
        let error = Config::parse(path, &text.replace(good, bad)).unwrap_err().to_string();
        assert!(error.starts_with("idp.toml: ") && error.contains(says), "{preset}, {bad}: {error}");
        // A word or key that nobody knows comes with its line, and the ones that there are.
        assert!(
            error.contains("write") || (error.contains("line ") && error.contains("expected")),
            "{error}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pluriform_from_first_contact_to_signed_out() {
    let world = World::with_preset("pluriform", Backend::Embedded, |_| ()).await;
    world.add(&Person::CARLA).await;
    let mut carla = at_desk(&world, &Person::CARLA).await;
    make(&world, &mut carla, &DORA).await;
    let temporary = mailed_password(&world, &DORA).await;

    // The first sign-in: the temporary password is replaced, by one of the kinds of character that are asked.
    let mut browser = Chromium::start(PHONE).await;
    browser.start_pictures_at(300);
    browser.open(&world.portal_origin).await;
    browser.send("#login").await;
    assert!(!browser.has("a[href^='/register']").await, "nobody registers here");
    browser.look("pluriform-sign-in", "#username").await;
    give_password(&browser, "#username", "dora", temporary).await;
    browser.write("#new_password", "alleenkleineletters").await;
    browser.send("main form button.button").await;
    browser.look("pluriform-new-password", ".error-summary").await;
    browser.write("#new_password", "Zonnige-dag").await;
    browser.send("main form button.button").await;

    // The code is sent when she asks for it; the page shows how it begins.
    browser.look("pluriform-code-request", "#otp-request").await;
    assert!(world.texts(DORA.phone).await.is_empty());
    assert_eq!(browser.find("#otp-request").await.text().await.unwrap(), "sms-inlogcode aanvragen");
    browser.send("#otp-request").await;
    browser.look("pluriform-code", "#otp-prefix").await;
    let prefix = browser.find("#otp-prefix").await.text().await.unwrap();
    let text = world.texts(DORA.phone).await.pop().unwrap().text;
    assert!(prefix.len() == 5 && text.contains(&prefix), "{prefix} in {text}");
    browser.write("#otp", "9999-123456").await;
    browser.send("#otp-submit").await;
    browser.look("pluriform-code-of-another-page", ".error-summary").await;
    give_code(&browser, &world, DORA.phone).await;
    browser.look("pluriform-portal", "#dossier-request").await;

    // Out, and in again: the code each time, also at once on the same phone.
    browser.send("#logout").await;
    browser.look("pluriform-signed-out", "#signed-out-page").await;
    browser.send("#login").await;
    give_password(&browser, "#username", "dora", "Zonnige-dag").await;
    browser.send("#otp-request").await;
    give_code(&browser, &world, DORA.phone).await;
    browser.find("#dossier-request").await;
    browser.send("#logout").await;

    // The password forgotten: user name and address.
    browser.send("#login").await;
    give_password(&browser, "#username", "dora", "Verkeerd-wachtwoord").await;
    browser.look("pluriform-refused", ".error-summary").await;
    browser.send("a[href^='/forgot']").await;
    browser.send("#forgot-submit").await;
    browser.look("pluriform-forgot", ".error-summary").await;
    browser.write("#username", "dora").await;
    browser.write("#email", DORA.email).await;
    browser.send("#forgot-submit").await;
    browser.open(&world.link(DORA.email, "/reset").await).await;
    browser.write("#new_password", "Regen-morgen").await;
    browser.send("#reset-submit").await;
    give_password(&browser, "#username", "dora", "Regen-morgen").await;
    browser.send("#otp-request").await;
    give_code(&browser, &world, DORA.phone).await;
    browser.find("#dossier-request").await;
    browser.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mijn_ecd_from_first_contact_to_signed_out() {
    let world = World::with_preset("mijn-ecd", Backend::Embedded, |_| ()).await;
    world.add(&Person::CARLA).await;
    let mut carla = at_desk(&world, &Person::CARLA).await;
    make(&world, &mut carla, &DORA).await;

    // The mail leads to 'Wachtwoord opvragen', the next one to the first password.
    let mut browser = Chromium::start(PHONE).await;
    browser.start_pictures_at(330);
    browser.open(&world.link(DORA.email, "/forgot").await).await;
    browser.write("#email", DORA.email).await;
    browser.look("mijn-ecd-first-password", "#forgot-submit").await;
    browser.send("#forgot-submit").await;
    browser.look("mijn-ecd-mail-sent", "h1").await;
    browser.open(&world.link(DORA.email, "/reset").await).await;
    browser.write("#new_password", DORA.password).await;
    browser.send("#reset-submit").await;
    browser.find("#login-page").await;

    // At the portal, on a computer of the library.
    browser.open(&world.portal_origin).await;
    browser.send("#login").await;
    browser.click("#public-computer").await;
    browser.look("mijn-ecd-sign-in", "#public-computer").await;
    give_password(&browser, "#email", DORA.email, DORA.password).await;
    browser.look("mijn-ecd-portal", "#dossier-request").await;
    assert!(world.texts(DORA.phone).await.is_empty(), "no code here");
    let cookies = browser.tab.get_all_cookies().await.unwrap();
    assert!(cookies.iter().all(|cookie| cookie.name != "voordeur-device"), "{cookies:?}");

    // Activity keeps her in; without any she is out after a quarter of an hour.
    for _ in 0..3 {
        world.advance(10 * MINUTE);
        browser.open(&world.portal_origin).await;
        browser.find("#dossier-request").await;
    }
    world.advance(15 * MINUTE);
    browser.open(&format!("{}/request", world.portal_origin)).await;
    browser.look("mijn-ecd-idle", "#login").await;
    browser.send("#login").await;
    browser.find("#login-page").await;
    give_password(&browser, "#email", DORA.email, DORA.password).await;
    browser.find("#request-submit").await;
    browser.send("#logout").await;
    browser.look("mijn-ecd-signed-out", "#signed-out-page").await;
    browser.send("#login").await;
    browser.find("#login-page").await;
    browser.assert_quiet().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_portal_of_the_same_provider_asks_for_what_it_adds() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = origin_of(&listener);
    let brand = Brand { name: "Zorg in Zicht".into(), color: "#5a2d82".into(), ..Brand::default() };
    let world = World::with_waits(Backend::Embedded, |config| {
        config.portals[0].policy = SignInPolicy { second_factor: When::Never.into(), ..SignInPolicy::default() };
        let text = "U leest alleen dossiers van mensen voor wie u zorgt.\n\nU geeft uw wachtwoord en uw codes aan niemand.";
        let terms = Terms { version: "2027-01".into(), text_nl: text.into(), ..Terms::default() };
        let client = Client {
            client_id: "second".into(),
            redirect_uris: vec![format!("{origin}/callback")],
            post_logout_redirect_uris: vec![format!("{origin}/signed-out")],
            backchannel_logout_uri: Some(format!("{origin}/backchannel-logout")),
            initiate_login_uri: Some(format!("{origin}/login")),
            client_secret: Some(Secret::Literal("secret-of-a-portal-in-tests-0123456789".into())),
            scope: config.portals[0].clients[0].scope.clone(),
            ..Client::default()
        };
        config.portals.push(Portal {
            id: "second".into(),
            url: origin.clone(),
            brand: brand.clone(),
            policy: SignInPolicy {
                second_factor: When::Always.into(),
                code_on_request: true,
                code_prefix_digits: 4,
                terms: Some(terms),
                ..SignInPolicy::default()
            },
            clients: vec![client],
            ..Portal::default()
        });
    })
    .await;
    world.open_portal(listener, "second", brand).await;
    world.add(&Person::ANNA).await;

    // At the first portal the password is enough.
    let mut browser = Chromium::start(PHONE).await;
    browser.start_pictures_at(360);
    browser.open(&world.portal_origin).await;
    browser.send("#login").await;
    give_password(&browser, "#email", Person::ANNA.email, Person::ANNA.password).await;
    browser.find("#dossier-request").await;

    // The second one knows who she is, and adds a code and its terms; it looks like itself.
    browser.open(&origin).await;
    browser.look("second-welcome", "#login").await;
    browser.send("#login").await;
    browser.look("second-code-request", "#otp-request").await;
    assert!(browser.text().await.contains("Zorg in Zicht"));
    browser.send("#otp-request").await;
    give_code(&browser, &world, Person::ANNA.phone).await;
    browser.look("second-terms", "#terms-submit").await;
    browser.send("#terms-submit").await;
    browser.look("second-terms-not-accepted", ".error-summary").await;
    browser.click("#accept").await;
    browser.send("#terms-submit").await;
    browser.look("second-portal", "#dossier-request").await;
    assert!(browser.url().await.starts_with(&origin));

    // Both are open now, and nothing is asked again. Signing out at one signs out at the other.
    for portal in [&world.portal_origin, &origin] {
        browser.open(portal).await;
        browser.find("#dossier-request").await;
    }
    browser.send("#logout").await;
    browser.find("#signed-out-page").await;
    world.deliver().await;
    browser.open(&world.portal_origin).await;
    browser.look("second-signed-out-at-the-first", "#login").await;

    // The next time the second one asks everything but the terms.
    browser.open(&origin).await;
    browser.send("#login").await;
    give_password(&browser, "#email", Person::ANNA.email, Person::ANNA.password).await;
    browser.send("#otp-request").await;
    give_code(&browser, &world, Person::ANNA.phone).await;
    browser.find("#dossier-request").await;
    browser.assert_quiet().await;
}
