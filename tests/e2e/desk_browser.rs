//! The care team's desk in a real browser: a nurse makes an account on a phone, in Dutch, and at a desk, in English;
//! the new user signs in with what the mail says.

use platform::language::Language;
use tests::{Backend, Chromium, Look, Person, World};

use crate::acts::lock;
use crate::desk::with_temporary_passwords;

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };

const PHONE: Look = Look { language: Language::Nl, phone: true, scripts: true };
const DESK: Look = Look { language: Language::En, phone: false, scripts: true };

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_makes_an_account() {
    for look in [PHONE, DESK] {
        story(look).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_desk_makes_an_account_without_scripts() {
    story(Look { scripts: false, ..PHONE }).await;
}

async fn sign_in(browser: &Chromium, world: &World, person: &Person) {
    browser.write("#username", person.username()).await;
    browser.write("#password", person.password).await;
    browser.send("#login-submit").await;
    let code = world.code(person.phone).await;
    browser.write("#otp", &code).await;
    browser.send("#otp-submit").await;
}

async fn story(look: Look) {
    let world = World::with_waits(Backend::Embedded, with_temporary_passwords).await;
    world.add(&Person::CARLA).await;
    let mut carla = Chromium::start(look).await;
    carla.start_pictures_at(200);
    carla.open(&format!("{}/desk", world.issuer)).await;
    sign_in(&carla, &world, &Person::CARLA).await;
    carla.look("desk-empty", "#desk-new").await;

    carla.send("#desk-new").await;
    carla.look("desk-create", "#desk-create").await;
    carla.write("#given_name", "Dora").await;
    carla.write("#email", "dora@example").await;
    carla.write("#phone", "030-2345678").await;
    carla.send("#desk-create").await;
    carla.look("desk-create-wrong", ".error-summary").await;
    carla.write("#family_name", "de Vries").await;
    carla.write("#email", DORA.email).await;
    carla.write("#username", "dora").await;
    carla.write("#phone", "06-12 12 12 12").await;
    if look.language == Language::En {
        carla.click("#language-en").await;
    }
    carla.write("#reason", "dochter van mevrouw de Wit, is contactpersoon").await;
    carla.send("#desk-create").await;
    carla.look("desk-created", "#desk-act-mail").await;

    // The mail, and the first sign-in with what it says.
    let mail = world.mails(DORA.email).await.pop().unwrap();
    let is_password = |word: &&str| word.len() == 14 && word.matches('-').count() == 2;
    let password = mail.text.split_whitespace().find(is_password).unwrap().to_owned();
    let mut dora = Chromium::start(look).await;
    dora.start_pictures_at(220);
    let file = world.folder.join("mail.html");
    std::fs::write(&file, &mail.html).unwrap();
    dora.open(&format!("file://{}", file.display())).await;
    dora.look("desk-mail", "body").await;
    dora.open(&format!("{}/signin", world.issuer)).await;
    dora.write("#username", "dora").await;
    dora.write("#password", &password).await;
    dora.send("#login-submit").await;
    dora.look("desk-new-password", "#new_password").await;
    dora.write("#new_password", DORA.password).await;
    dora.send("main form button.button").await;
    let code = world.code(DORA.phone).await;
    dora.write("#otp", &code).await;
    dora.send("#otp-submit").await;
    dora.find("#signout").await;

    // She locks herself out on another device and calls.
    lock_by_name(&world).await;
    carla.send(".site-nav a[href='/desk']").await;
    carla.write("#search", "vries").await;
    carla.send("#desk-search").await;
    carla.look("desk-found", "main .rows a").await;
    carla.send("main .rows a").await;
    carla.look("desk-account-locked", "#desk-act-unlock").await;
    carla.send("#desk-act-unlock").await;
    carla.send("#desk-submit").await;
    carla.look("desk-unlock-no-reason", ".error-summary").await;
    carla.write("#reason", "gebeld, stem herkend").await;
    carla.send("#desk-submit").await;
    carla.look("desk-unlocked", ".notice-good").await;
    carla.send("#desk-act-block").await;
    carla.look("desk-block", "#desk-submit").await;
    carla.write("#reason", "telefoon gestolen").await;
    carla.send("#desk-submit").await;
    carla.look("desk-blocked", "#desk-act-unblock").await;
    carla.send("#desk-act-email").await;
    carla.look("desk-email", "#email").await;

    // What is not for everybody.
    let mut anna = Chromium::start(look).await;
    anna.start_pictures_at(240);
    world.add(&Person::ANNA).await;
    anna.open(&format!("{}/desk", world.issuer)).await;
    sign_in(&anna, &world, &Person::ANNA).await;
    anna.look("desk-refused", "h1").await;
    carla.open(&format!("{}/account", world.issuer)).await;
    carla.look("desk-own-account", "a[href='/desk']").await;
}

/// Five wrong passwords from a browser that nobody knows.
async fn lock_by_name(world: &World) {
    lock(world, &DORA).await;
    let id = world.account(&DORA).await.id;
    assert!(world.idp.store.locked_until(&id, "").await.unwrap().is_some());
}
