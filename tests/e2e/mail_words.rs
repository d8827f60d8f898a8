//! What mails say to whom: T54, and what the care team is told of an address that takes no mail.

use idp::store::refused::Undelivered;
use tests::{Backend, Person, World};

use crate::desk::{at_desk, make, open, page_of, with_temporary_passwords};

const DORA: Person =
    Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
const WORDS: [&str; 4] = ["Gefeliciteerd", "evil.example", "Dora", "de Vries"];

async fn is_silent(world: &World, mails: usize) {
    let all = world.mails(DORA.email).await;
    assert_eq!(all.len(), mails);
    for mail in &all {
        for word in WORDS {
            for form in [&mail.subject, &mail.text, &mail.html] {
                assert!(!form.contains(word), "{word} in {form}");
            }
        }
    }
}

#[tokio::test]
async fn t54_a_mail_to_an_unproved_address_holds_nothing_that_its_sender_chose() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let mut browser = world.browser();
        browser.open(&world.relying_party().authorize_url(&[])).await;
        let page = browser.page.body.replace("&amp;", "&");
        let start = page.find("/register").unwrap();
        let path: String = page[start..].chars().take_while(|letter| *letter != '"').collect();
        open(&world, &mut browser, &path).await;
        let form = [
            ("given_name", "Gefeliciteerd u won ga naar evil.example en vul uw code in"),
            ("family_name", "Gefeliciteerd"),
            ("email", DORA.email),
            ("password", DORA.password),
        ];
        browser.submit("register-submit", &form).await;
        let given = world.mails(DORA.email).await.len();
        // Whether such a name is taken at all is for the form to say.
        if given > 0 {
            is_silent(&world, 1).await;
        }
        let form = [("given_name", "Dora"), ("family_name", "de Vries")];
        let form: Vec<(&str, &str)> =
            form.into_iter().chain([("email", DORA.email), ("password", DORA.password)]).collect();
        if given == 0 {
            browser.submit("register-submit", &form).await;
            is_silent(&world, 1).await;
        }
    }
}

#[tokio::test]
async fn t54_nor_does_one_to_an_address_that_the_care_team_typed() {
    for backend in Backend::ALL {
        let world = World::with(backend, with_temporary_passwords).await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        make(&world, &mut carla, &DORA).await;
        is_silent(&world, 1).await;
    }
}

#[tokio::test]
async fn the_care_team_reads_that_an_address_takes_no_mail_until_one_arrives() {
    for backend in Backend::ALL {
        let world = World::with(backend, with_temporary_passwords).await;
        world.add(&Person::CARLA).await;
        let mut carla = at_desk(&world, &Person::CARLA).await;
        make(&world, &mut carla, &DORA).await;
        let page = page_of(&world, &DORA).await;
        let store = &world.idp.store;
        for (reason, says) in [
            (Undelivered::Refused, "neemt geen mail aan voor dit adres"),
            (Undelivered::Late, "kwam twee dagen lang niet aan"),
        ] {
            store.note_undelivered(DORA.email, reason).await.unwrap();
            open(&world, &mut carla, &page).await;
            assert!(carla.has("desk-mail-trouble") && carla.text().contains(says), "{}", carla.text());
        }
        store.note_delivered(DORA.email).await.unwrap();
        open(&world, &mut carla, &page).await;
        assert!(!carla.has("desk-mail-trouble"), "{}", carla.text());
    }
}
