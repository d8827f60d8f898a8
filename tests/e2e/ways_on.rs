//! No page is a dead end: the way to the other server, out of a form, and to what helps; and what was done is said.

use std::time::Duration;

use platform::db::Query;
use reqwest::Method;
use tests::{Backend, Browser, Person, World};

use crate::acts::{another, at_sign_in, signed_in};
use crate::care::{BIRTH_DATE, BSN, UNKNOWN_BSN, activate, at_portal, issue_code, request, section};
use crate::desk::{REASON, at_desk, open, page_of};

/// The address that the element with this id leads to.
fn leads_to(browser: &Browser, id: &str) -> String {
    let element = browser.page.body.split(&format!("id=\"{id}\"")).nth(1).expect(id);
    element.split("href=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn my_account_and_the_portal_lead_to_each_other() {
    let world = World::new(Backend::Embedded).await;
    world.add(&Person::ANNA).await;
    let mut anna = world.browser();
    at_portal(&world, &mut anna, &Person::ANNA, "/").await;
    let account = leads_to(&anna, "my-account");
    assert_eq!(account, format!("{}/account?lang=nl", world.issuer));
    anna.open(&account).await;
    assert!(anna.has("signout"), "{}", anna.text());
    let back = format!("<a href=\"{}\">Naar ", world.portal_origin);
    assert!(anna.page.body.contains(&back), "{}", anna.page.body);

    // What she does there is said.
    anna.submit("forget-all", &[]).await;
    assert!(anna.text().contains("Opgeslagen. Wij zijn alle apparaten vergeten."), "{}", anna.text());
}

#[tokio::test]
async fn phone_and_code_pages_have_a_way_out() {
    let world = World::new(Backend::Embedded).await;
    let dora = Person { email: "dora@example.nl", phone: "+31612121212", ..Person::ANNA };
    let account = world.add(&dora).await;
    let mut write = world.idp.store.begin_write().await.unwrap();
    Query::new("UPDATE accounts SET phone_sealed = NULL, phone_verified_at = NULL WHERE id = $1")
        .bind(&account.id.0)
        .execute(&mut write)
        .await
        .unwrap();
    write.commit().await.unwrap();
    let mut out = at_sign_in(&world).await;
    out.give_password(&dora).await;
    assert!(out.has("phone"), "{}", out.text());
    out.submit("login-cancel", &[]).await;
    assert!(out.page.url.as_str().contains("/cb?error=access_denied"), "{}", out.page.url);
    let mut browser = at_sign_in(&world).await;
    browser.give_password(&dora).await;
    browser.submit("phone", &[("phone", "0612121212")]).await;
    assert!(browser.has("otp") && browser.has("login-cancel"), "{}", browser.text());
    browser.submit("login-cancel", &[]).await;
    assert!(browser.page.url.as_str().contains("access_denied"), "{}", browser.page.url);

    // Who came without a portal is shown the way to one.
    let mut browser = world.browser();
    open(&world, &mut browser, "/account").await;
    browser.submit("login-cancel", &[]).await;
    assert_eq!(browser.page.url.path(), "/", "{}", browser.text());
    assert_eq!(browser.page.status, 200);
}

#[tokio::test]
async fn after_five_wrong_codes_the_way_to_a_new_one_stands_there_in_place_of_the_field() {
    let world = World::with_waits(Backend::Embedded, |config| {
        for portal in &mut config.portals {
            portal.brand.helpdesk.phone = "085 000 00 00".into();
        }
    })
    .await;
    world.add(&Person::ANNA).await;
    let mut anna = at_sign_in(&world).await;
    anna.give_password(&Person::ANNA).await;
    for round in 1..=3 {
        let wrong = another(&world.code(Person::ANNA.phone).await);
        for _ in 1..=5 {
            anna.submit("otp-submit", &[("code", &wrong)]).await;
        }
        assert!(!anna.has("otp"), "round {round}: {}", anna.text());
        if round < 3 {
            assert!(
                anna.has("otp-resend") && anna.text().contains("Dit kan weer over 60"),
                "{}",
                anna.text()
            );
            // Loaded again, it says the same.
            let url = anna.page.url.to_string();
            anna.open(&url).await;
            assert!(!anna.has("otp") && anna.text().contains("Deze code werkt niet meer"), "{}", anna.text());
            world.advance(Duration::from_mins(1));
            anna.submit("otp-resend", &[]).await;
            assert!(anna.has("otp"), "{}", anna.text());
        }
    }
    // Fifteen in a day: nothing can be done here, but there is somebody to call, and a way out.
    let main = anna.page.body.split("<main").nth(1).unwrap().split("</main>").next().unwrap();
    assert!(main.contains("Vandaag kan dit niet meer") && main.contains("085 000 00 00"), "{main}");
    assert!(anna.has("login-cancel"), "{}", anna.text());
    assert_eq!(anna.page.body.matches("helpdesk-title\"").count(), 2, "{}", anna.page.body);

    // So it is with a code that is too old.
    let mut late = at_sign_in(&world).await;
    world.add(&Person::BRAM).await;
    late.give_password(&Person::BRAM).await;
    world.advance(Duration::from_mins(11));
    let url = late.page.url.to_string();
    late.open(&url).await;
    assert!(!late.has("otp") && late.has("otp-resend"), "{}", late.text());
    assert!(late.text().contains("Deze code is te oud"), "{}", late.text());
}

#[tokio::test]
async fn what_was_saved_is_said_and_what_ends_is_asked_first() {
    let world = World::new(Backend::Embedded).await;
    world.add(&Person::ANNA).await;
    world.add(&Person::CARLA).await;
    let (mut anna, mut carla) = (world.browser(), world.browser());
    at_portal(&world, &mut anna, &Person::ANNA, "/").await;
    let link = request(&mut anna, &world.portal_origin, BSN, BIRTH_DATE).await;
    anna.open(&format!("{}/", world.portal_origin)).await;
    assert!(anna.text().contains("Vul uw activatiecode in"), "{}", anna.text());
    at_portal(&world, &mut carla, &Person::CARLA, "/team").await;
    let code = issue_code(&world, &mut carla, &link, "full").await;
    activate(&mut anna, &world.portal_origin, &link, &code).await;
    assert!(anna.text().contains("U kunt dit dossier nu lezen"), "{}", anna.text());

    section(&world, &mut anna, "this-is-me").await;
    assert!(!anna.has("done"), "{}", anna.text());
    anna.submit("text", &[("text", "Koffie zonder suiker")]).await;
    assert!(anna.has("done") && anna.text().contains("Opgeslagen."), "{}", anna.text());
    section(&world, &mut anna, "reports").await;
    anna.submit("text", &[("text", "Het ging goed")]).await;
    assert!(anna.text().contains("Opgeslagen. Uw rapportage staat hieronder."), "{}", anna.text());
    section(&world, &mut anna, "appointments").await;
    anna.submit("title", &[("title", "Kapper"), ("date", "3-12-2026"), ("time", "9:30")]).await;
    assert!(anna.text().contains("Opgeslagen."), "{}", anna.text());
    assert!(anna.text().contains("Ja, verwijder de afspraak"), "{}", anna.text());
    let theirs = format!("{}/team/links/{}", world.portal_origin, link.trim_start_matches("/requests/"));
    carla.open(&theirs).await;
    carla.submit("team-level", &[("level", "limited"), ("reason", REASON)]).await;
    assert!(carla.has("done") && carla.text().contains("Opgeslagen."), "{}", carla.text());

    // A request is withdrawn by the button under the question.
    let link = request(&mut anna, &world.portal_origin, UNKNOWN_BSN, BIRTH_DATE).await;
    anna.open(&format!("{}{link}", world.portal_origin)).await;
    let question = anna.page.body.split("id=\"withdraw\"").nth(1).unwrap();
    assert!(question.contains("Weet u het zeker?") && question.contains("withdraw-confirm"), "{question}");
    anna.submit("withdraw-confirm", &[]).await;
    assert!(anna.text().contains("Uw aanvraag is ingetrokken."), "{}", anna.text());
}

#[tokio::test]
async fn who_registered_alone_is_seen_by_named_staff_only_and_told_who_can_help() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::CARLA).await;
        let page = page_of(&world, &Person::ANNA).await;
        // Nobody at a desk sees her, so the care team is no help with a number.
        let mut anna = at_sign_in(&world).await;
        anna.give_password(&Person::ANNA).await;
        assert!(
            anna.text().contains("Neem dan contact op met de helpdesk. Die controleert"),
            "{}",
            anna.text()
        );
        let mut carla = at_desk(&world, &Person::CARLA).await;
        assert!(!carla.text().contains(Person::ANNA.email), "{}", carla.text());
        open(&world, &mut carla, &page).await;
        assert_eq!(carla.page.status, 404);
        open(&world, &mut carla, &format!("{page}/block")).await;
        assert_eq!(carla.page.status, 404);

        // Carla is named: she sees her among the others, and can help. A colleague who is not named cannot.
        let world = World::with(backend, |config| {
            config.desk.self_registered = vec!["Carla@example.nl".into()];
        })
        .await;
        world.add(&Person::ANNA).await;
        world.add(&Person::CARLA).await;
        world.add(&Person::DIRK).await;
        let page = page_of(&world, &Person::ANNA).await;
        let mut anna = at_sign_in(&world).await;
        anna.give_password(&Person::ANNA).await;
        assert!(anna.text().contains("Vraag het zorgteam om een ander nummer"), "{}", anna.text());
        let mut carla = at_desk(&world, &Person::CARLA).await;
        assert!(carla.text().contains("heeft zelf een account gemaakt"), "{}", carla.text());
        open(&world, &mut carla, &format!("{page}/phone")).await;
        assert_eq!(carla.page.status, 200, "{}", carla.text());
        carla.submit("desk-submit", &[("phone", "0612121212"), ("reason", REASON)]).await;
        assert!(carla.text().contains("Het telefoonnummer is opgeslagen"), "{}", carla.text());
        let mut dirk = at_desk(&world, &Person::DIRK).await;
        assert!(!dirk.text().contains(Person::ANNA.email), "{}", dirk.text());
        let (url, fields) = carla.form_of("signout");
        assert!(url.path().ends_with("/sign-out") && !fields.is_empty());
        dirk.request(Method::GET, &carla.page.url.join(&page).unwrap(), None).await;
        assert_eq!(dirk.page.status, 404);
    }
}

#[tokio::test]
async fn the_account_page_of_another_session_shows_no_portal_of_this_one() {
    let world = World::new(Backend::Embedded).await;
    world.add(&Person::ANNA).await;
    let mut anna = signed_in(&world, &Person::ANNA).await;
    open(&world, &mut anna, "/account").await;
    assert!(anna.has("signout"), "{}", anna.text());
    assert_eq!(anna.page.body.matches(">Naar Mijn").count(), 1, "one way back: {}", anna.page.body);
}
