//! The care team's desk: how an account that it makes starts (T10). What the stories of the desk share stands here.

use std::time::Duration;

use idp::config::{Config, FirstPassword, Identifier, Recovery};
use tests::{Backend, Browser, Person, World};

use crate::acts::{NOT_SIGNED_IN, at_once, at_sign_in, is_back, refused, signed_in};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
const HOUR: Duration = Duration::from_hours(1);
pub const REASON: &str = "dochter is contactpersoon";

/// As in the preset `pluriform`: user names, and a temporary password by mail.
pub fn with_temporary_passwords(config: &mut Config) {
    config.accounts.registration = false;
    config.accounts.identifier = Identifier::Username;
    config.accounts.recovery = Recovery::UsernameAndEmail;
    config.accounts.first_password = FirstPassword::Temporary;
}

/// A browser in which somebody has signed in at the desk.
pub async fn at_desk(world: &World, person: &Person) -> Browser {
    let mut browser = world.browser();
    open(world, &mut browser, "/desk").await;
    browser.sign_in(world, person).await;
    assert!(browser.has("desk-new"), "{}", browser.text());
    browser
}

pub async fn open(world: &World, browser: &mut Browser, path: &str) {
    browser.open(&format!("{}{path}", world.issuer)).await;
}

/// What is filled in to make an account for a person.
pub fn form(person: &Person) -> Vec<(&'static str, String)> {
    vec![
        ("given_name", "Dora".into()),
        ("family_name", "de Vries".into()),
        ("email", person.email.into()),
        ("username", person.username().into()),
        ("phone", person.phone.into()),
        ("reason", REASON.into()),
    ]
}

/// Makes an account for a person; ends at its page.
pub async fn make(world: &World, staff: &mut Browser, person: &Person) {
    open(world, staff, "/desk/accounts/new").await;
    let form = form(person);
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
    staff.submit("desk-create", &form).await;
}

/// The path of the page of a person's account.
pub async fn page_of(world: &World, person: &Person) -> String {
    format!("/desk/accounts/{}", world.account(person).await.id.0)
}

/// The temporary password in the newest mail to a person.
pub async fn mailed_password(world: &World, person: &Person) -> &'static str {
    let mail = world.mails(person.email).await.pop().expect("a mail");
    let is_password = |word: &&str| word.len() == 14 && word.matches('-').count() == 2;
    let password = mail.text.split_whitespace().find(is_password).expect("a temporary password");
    assert!(!mail.subject.contains(password) && mail.html.contains(password));
    password.to_owned().leak()
}

async fn refused_everywhere(world: &World, person: &Person) {
    let mut browser = at_sign_in(world).await;
    browser.give_password(person).await;
    assert_eq!(browser.page.status, 422, "{}", browser.text());
    assert!(browser.text().contains(NOT_SIGNED_IN), "{}", browser.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn t10_a_temporary_password_works_once_is_replaced_by_another_and_staff_never_see_it() {
    for backend in Backend::ALL {
        let world = World::with(backend, with_temporary_passwords).await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        // She can choose no password, whatever she sends along.
        open(&world, &mut carla, "/desk/accounts/new").await;
        assert!(!carla.has("password") && !carla.has("new_password"));
        make(&world, &mut carla, &DORA).await;
        assert!(carla.text().contains("Het account is gemaakt"), "{}", carla.text());
        let mut seen = vec![carla.page.body.clone()];
        for path in ["/desk", &page_of(&world, &DORA).await] {
            open(&world, &mut carla, path).await;
            assert!(carla.text().contains("Nog niet ingelogd"), "{}", carla.text());
            seen.push(carla.page.body.clone());
        }
        let temporary = Person { password: mailed_password(&world, &DORA).await, ..DORA };
        assert!(world.mails(DORA.email).await[0].text.contains(DORA.username()));
        assert!(seen.iter().all(|body| !body.contains(temporary.password)));

        // Two sign-ins bring it at the same moment: one is let in, the other one fails like any.
        let browsers = vec![at_sign_in(&world).await, at_sign_in(&world).await];
        let typed =
            |_| vec![("username", DORA.username().to_owned()), ("password", temporary.password.to_owned())];
        let done = at_once(browsers, "login-submit", typed).await;
        let (mut inside, outside): (Vec<_>, Vec<_>) =
            done.into_iter().partition(|browser| browser.has("new_password"));
        assert_eq!((inside.len(), outside.len()), (1, 1));
        assert_eq!(outside[0].page.status, 422);
        assert!(outside[0].text().contains(NOT_SIGNED_IN), "{}", outside[0].text());
        refused_everywhere(&world, &temporary).await;
        open(&world, &mut carla, &page_of(&world, &DORA).await).await;
        assert!(carla.text().contains("Tijdelijk wachtwoord werkt niet meer"), "{}", carla.text());

        // Who was let in is at the page that replaces it, and replaces it by another one.
        let mut dora = inside.remove(0);
        dora.submit("new_password", &[("new_password", temporary.password)]).await;
        assert!(dora.text().contains("Dit is uw oude wachtwoord"), "{}", dora.text());
        dora.submit("new_password", &[("new_password", DORA.password)]).await;
        assert!(dora.has("otp"), "{}", dora.text());
        dora.give_code(&world, &DORA).await;
        assert!(is_back(&dora), "{}", dora.text());
        refused_everywhere(&world, &temporary).await;
        signed_in(&world, &DORA).await;

        // From then on the password is hers: the desk sends no other.
        let page = page_of(&world, &DORA).await;
        open(&world, &mut carla, &page).await;
        assert!(carla.text().contains("Actief") && !carla.has("desk-act-mail"), "{}", carla.text());
        let mails = world.mails(DORA.email).await.len();
        open(&world, &mut carla, &format!("{page}/mail")).await;
        carla.submit("desk-submit", &[("reason", REASON)]).await;
        assert!(!carla.text().contains("Wij sturen de mail"), "{}", carla.text());
        assert_eq!(world.mails(DORA.email).await.len(), mails);
        signed_in(&world, &DORA).await;
    }
}

#[tokio::test]
async fn t10_a_temporary_password_expires_and_a_new_one_ends_the_one_before() {
    for backend in Backend::ALL {
        let world = World::with(backend, with_temporary_passwords).await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        make(&world, &mut carla, &DORA).await;
        let eva = Person { email: "eva@example.nl", phone: "+31613131313", ..DORA };
        make(&world, &mut carla, &eva).await;
        let first = Person { password: mailed_password(&world, &DORA).await, ..DORA };
        let of_eva = Person { password: mailed_password(&world, &eva).await, ..eva };

        // A second before its end it works, at its end it does not.
        world.advance(Duration::from_secs(72 * 3600 - 1));
        let mut browser = at_sign_in(&world).await;
        browser.give_password(&of_eva).await;
        assert!(browser.has("new_password"), "{}", browser.text());
        world.advance(Duration::from_secs(1));
        refused_everywhere(&world, &first).await;

        // The desk sends another one; a double click sends one mail.
        let page = page_of(&world, &DORA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        open(&world, &mut carla, &page).await;
        assert!(carla.text().contains("Tijdelijk wachtwoord werkt niet meer"), "{}", carla.text());
        open(&world, &mut carla, &format!("{page}/mail")).await;
        let reason = |_| vec![("reason", "mail niet gevonden".to_owned())];
        let clicks = at_once(vec![carla.clone(), carla], "desk-submit", reason).await;
        assert!(clicks.iter().all(|click| click.text().contains("Wij sturen de mail opnieuw")));
        assert_eq!(world.mails(DORA.email).await.len(), 2);
        let second = Person { password: mailed_password(&world, &DORA).await, ..DORA };
        refused_everywhere(&world, &first).await;
        let mut dora = at_sign_in(&world).await;
        dora.give_password(&second).await;
        assert!(dora.has("new_password"), "{}", dora.text());

        // While she thinks of a password the desk sends a third: what she began with the second one is over.
        world.advance(Duration::from_mins(2));
        let mut carla = at_desk(&world, &Person::CARLA).await;
        open(&world, &mut carla, &format!("{page}/mail")).await;
        carla.submit("desk-submit", &[("reason", "mail niet gevonden")]).await;
        dora.submit("new_password", &[("new_password", DORA.password)]).await;
        assert!(dora.has("login-page"), "{}", dora.text());
        refused_everywhere(&world, &DORA).await;

        // And without the desk, a forgotten-password mail is the way out.
        let mut browser = world.browser();
        open(&world, &mut browser, "/forgot").await;
        browser.submit("forgot-submit", &[("username", DORA.username()), ("email", DORA.email)]).await;
        browser.open(&world.link(DORA.email, "/reset").await).await;
        browser.submit("reset-submit", &[("new_password", DORA.password)]).await;
        signed_in(&world, &DORA).await;
    }
}

#[tokio::test]
async fn t10_where_the_holder_chooses_the_first_password_the_mail_holds_none() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        open(&world, &mut carla, "/desk/accounts/new").await;
        assert!(!carla.has("username"), "people sign in with their address here");
        make(&world, &mut carla, &DORA).await;
        assert!(carla.text().contains("Het account is gemaakt"), "{}", carla.text());
        let mail = world.mails(DORA.email).await.pop().unwrap();
        assert!(mail.text.contains(&format!("{}/forgot", world.issuer)), "{}", mail.text);
        // At a mistyped address a stranger learns no name.
        assert!(!mail.text.contains("Dora") && !mail.html.contains("Dora"), "{}", mail.text);

        // Nobody signs in without a password, not even with none; the account waits for its holder.
        for password in [" ", "wachtwoord", DORA.password] {
            refused(&mut at_sign_in(&world).await, &DORA, password).await;
        }
        world.advance(30 * 24 * HOUR);
        idp::operators::jobs::clean_up(&world.idp).await.unwrap();
        let mut dora = world.browser();
        open(&world, &mut dora, "/forgot").await;
        dora.submit("forgot-submit", &[("email", DORA.email)]).await;
        dora.open(&world.link(DORA.email, "/reset").await).await;
        dora.submit("reset-submit", &[("new_password", DORA.password)]).await;
        // The codes go to the phone that the care worker wrote down.
        signed_in(&world, &DORA).await;
    }
}

/// Sets a password as if its holder had chosen it.
pub async fn give_own_password(world: &World, person: &Person) {
    let hash = world.idp.passwords.hash(person.password).await.unwrap();
    let id = world.account(person).await.id;
    let mut write = world.idp.store.begin_write().await.unwrap();
    world.idp.store.set_password(&mut write, &id, &hash).await.unwrap();
    write.commit().await.unwrap();
}
