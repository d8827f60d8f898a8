//! Passkeys, an authenticator app and recovery codes in a real browser, whose authenticator is Chromium's virtual one.

use std::process::Command;

use platform::language::Language;
use serde_json::{Value, json};
use tests::{Backend, Chromium, Look, Person, World};

const PHONE: Look = Look { language: Language::Nl, phone: true, scripts: true };
const PHONE_WITHOUT_SCRIPTS: Look = Look { scripts: false, ..PHONE };
const DESK: Look = Look { language: Language::En, phone: false, scripts: true };

/// An authenticator inside the browser's machine.
struct Virtual(String);

impl Virtual {
    /// One whose passkeys a password manager carries along (`synced`), or that keeps them.
    async fn of(browser: &Chromium, synced: bool) -> Self {
        let cdp = browser.tab.cdp();
        cdp.send_raw("WebAuthn.enable", json!({})).await.unwrap();
        let options = json!({ "options": {
            "protocol": "ctap2", "ctap2Version": "ctap2_1", "transport": "internal", "hasResidentKey": true,
            "hasUserVerification": true, "isUserVerified": true, "automaticPresenceSimulation": true,
            "defaultBackupEligibility": synced, "defaultBackupState": synced,
        } });
        let added = cdp.send_raw("WebAuthn.addVirtualAuthenticator", options).await.unwrap();
        Self(added["authenticatorId"].as_str().unwrap().to_owned())
    }

    async fn set(&self, browser: &Chromium, command: &str, mut values: Value) {
        values["authenticatorId"] = self.0.as_str().into();
        browser.tab.cdp().send_raw(&format!("WebAuthn.{command}"), values).await.unwrap();
    }

    /// The person cannot prove to the authenticator who they are.
    async fn knows_nobody(&self, browser: &Chromium) {
        self.set(browser, "setUserVerified", json!({ "isUserVerified": false })).await;
    }

    async fn taken_away(self, browser: &Chromium) {
        self.set(browser, "removeVirtualAuthenticator", json!({})).await;
    }
}

async fn give_password(browser: &Chromium, person: &Person) {
    browser.write("#email", person.email).await;
    browser.write("#password", person.password).await;
    browser.send("#login-submit").await;
}

/// Signs in with password and SMS to the account page.
async fn with_sms(browser: &Chromium, world: &World) {
    browser.open(&format!("{}/account", world.issuer)).await;
    give_password(browser, &Person::ANNA).await;
    let code = world.code(Person::ANNA.phone).await;
    browser.write("#otp", &code).await;
    browser.send("#otp-submit").await;
}

/// Forgets who was here, as another browser would be.
async fn anew(browser: &Chromium, url: &str) {
    browser.tab.delete_all_cookies().await.unwrap();
    browser.open(url).await;
}

async fn journey(look: Look) {
    let world = World::with_waits(Backend::Embedded, |_| ()).await;
    world.add(&Person::ANNA).await;
    let mut browser = Chromium::start(look).await;
    browser.start_pictures_at(70);
    let stranger = Virtual::of(&browser, look.phone).await;
    with_sms(&browser, &world).await;
    browser.look("account-ways", "#account-passkeys").await;
    browser.send("#account-passkeys").await;
    browser.look("passkeys-none", "#passkey-make").await;

    // Whom the authenticator does not know makes none; the page says so, and nothing is lost.
    stranger.knows_nobody(&browser).await;
    browser.click("#passkey-make").await;
    browser.look("passkey-not-made", "[data-passkey-trouble]").await;
    stranger.taken_away(&browser).await;
    let _authenticator = Virtual::of(&browser, look.phone).await;
    browser.send("#passkey-make").await;
    browser.look("passkey-made", ".notice-good").await;

    // The door opens by itself, as with a passkey that is chosen among the suggestions of the field: this authenticator
    // chooses at once.
    let account = format!("{}/account", world.issuer);
    anew(&browser, &account).await;
    browser.look("account-by-passkey", "#account-passkeys").await;

    // By the button, in a browser that has no suggestions.
    let source = "PublicKeyCredential.isConditionalMediationAvailable = undefined";
    let added = json!({ "source": source });
    browser.tab.cdp().send_raw("Page.addScriptToEvaluateOnNewDocument", added).await.unwrap();
    anew(&browser, &account).await;
    browser.look("sign-in-with-passkey", "#passkey-signin").await;
    let field = browser.find("#email").await.attr("autocomplete").await.unwrap();
    assert_eq!(field.as_deref(), Some("username webauthn"));
    browser.send("#passkey-signin").await;
    browser.find("#account-passkeys").await;

    // After the password, at the list of passkeys, which wants a fresh proof.
    anew(&browser, &format!("{}/account/passkeys", world.issuer)).await;
    give_password(&browser, &Person::ANNA).await;
    browser.look("passkey-asked", "#passkey-use").await;
    browser.send("#passkey-use").await;
    browser.look("passkeys", "#passkeys").await;
    browser.click("#passkeys summary").await;
    browser.write("#name-1", "Telefoon van Anna").await;
    browser.look("passkey-renaming", "#rename-1").await;
    browser.send("#rename-1").await;
    assert!(browser.text().await.contains("Telefoon van Anna"));
    browser.tab.refresh().await.unwrap();
    browser.click("#passkeys summary").await;
    browser.send("#remove-1").await;
    browser.look("passkey-removed", ".notice-good").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_on_a_phone() {
    journey(PHONE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_passkey_at_a_desk_in_english() {
    journey(DESK).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_and_recovery_codes_without_scripts_and_no_button_that_does_nothing() {
    let world = World::with_waits(Backend::Embedded, |_| ()).await;
    world.add(&Person::ANNA).await;
    let mut browser = Chromium::start(PHONE_WITHOUT_SCRIPTS).await;
    browser.start_pictures_at(90);
    browser.open(&format!("{}/account", world.issuer)).await;
    let is_seen = async |browser: &Chromium, css: &str| {
        browser.tab.find(thirtyfour::By::Css(css)).await.unwrap().is_displayed().await.unwrap()
    };
    assert!(!is_seen(&browser, "#passkey-signin").await);
    with_sms(&browser, &world).await;
    browser.open(&format!("{}/account/passkeys", world.issuer)).await;
    browser.look("passkeys-without-scripts", "h1").await;
    assert!(browser.text().await.contains("JavaScript") && !is_seen(&browser, "#passkey-make").await);

    browser.open(&format!("{}/account/app", world.issuer)).await;
    browser.look("new-app", "#app-qr").await;
    browser.click("details.more summary").await;
    let key = browser.find("#app-key").await.text().await.unwrap().replace(' ', "");
    browser.write("#otp", "123").await;
    browser.send("#app-submit").await;
    browser.look("new-app-wrong", ".error-summary").await;
    let shown = || {
        let now = format!("@{}", world.clock.now().0 / 1000);
        let ran = Command::new("oathtool").args(["--totp", "-b", "--now", &now, &key]).output().unwrap();
        String::from_utf8(ran.stdout).unwrap().trim().to_owned()
    };
    browser.write("#otp", &shown()).await;
    browser.send("#app-submit").await;
    browser.look("app-connected", ".notice-good").await;
    browser.send("#account-app").await;
    browser.look("app", "#app-replace").await;
    browser.open(&format!("{}/account/recovery-codes", world.issuer)).await;
    browser.look("recovery-codes-none", "#recovery-make").await;
    browser.send("#recovery-make").await;
    browser.look("recovery-codes", "#recovery-codes").await;
    let file = browser.find("#recovery-download").await.attr("href").await.unwrap().unwrap();
    assert!(file.starts_with("data:text/plain") && file.matches("%0D%0A").count() == 9, "{file}");
    let first = browser.find("#recovery-codes li").await.text().await.unwrap();

    world.advance(std::time::Duration::from_mins(1));
    anew(&browser, &world.portal_origin).await;
    browser.send("#login").await;
    give_password(&browser, &Person::ANNA).await;
    browser.look("app-code", "#otp-submit").await;
    browser.click("#other-ways summary").await;
    browser.look("other-ways", "#way-recovery-code").await;
    browser.send("#way-recovery-code").await;
    browser.write("#code", "herstel").await;
    browser.send("#recovery-submit").await;
    browser.look("recovery-code-wrong", ".error-summary").await;
    browser.write("#code", first.trim()).await;
    browser.send("#recovery-submit").await;
    assert!(browser.url().await.starts_with(&world.portal_origin), "{}", browser.text().await);
    for (name, subject) in [
        ("mail-security-notice", "Er is iets veranderd aan hoe u inlogt"),
        ("mail-recovery-code", "Er is ingelogd met een herstelcode"),
    ] {
        let mails = world.mails(Person::ANNA.email).await;
        let mail = mails.into_iter().rfind(|mail| mail.subject == subject).unwrap();
        let file = world.folder.join("mail.html");
        std::fs::write(&file, mail.html).unwrap();
        browser.open(&format!("file://{}", file.display())).await;
        browser.look(name, "body").await;
    }
}
