//! The main story, without a browser's help: from the portal to a dossier.

use tests::{Backend, Person, World};

#[tokio::test]
async fn a_person_registers_confirms_signs_in_and_reads_a_dossier() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::CARLA).await;
        let dora =
            Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
        let mut browser = world.browser();

        // From the portal to the sign-in page, and on to a new account.
        browser.open(&format!("{}/", world.portal_origin)).await;
        browser.open(&format!("{}/login", world.portal_origin)).await;
        assert!(browser.has("login-page"), "{}", browser.text());
        let register = browser.page.body.split("href=\"").find(|rest| rest.starts_with("/register")).unwrap();
        let register = register.split('"').next().unwrap().replace("&amp;", "&");
        browser.open(&register).await;
        let form = [
            ("given_name", "Dora"),
            ("family_name", "de Vries"),
            ("email", dora.email),
            ("password", dora.password),
        ];
        browser.submit("register-submit", &form).await;
        assert!(browser.text().contains(dora.email), "{}", browser.text());

        // The mail's link shows a button; the button confirms, and the portal is still remembered.
        let link = world.link(dora.email, "/confirm").await;
        browser.open(&link).await;
        browser.submit("confirm-submit", &[]).await;
        assert!(browser.has("login-page"), "{}", browser.text());
        browser.give_password(&dora).await;
        assert!(browser.has("phone"), "{}", browser.text());
        browser.submit("phone", &[("phone", "06-12 12 12 12")]).await;
        assert!(browser.has("otp"), "{}", browser.text());
        browser.give_code(&world, &dora).await;
        assert!(browser.page.url.as_str().starts_with(&world.portal_origin), "{}", browser.page.url);
        assert!(browser.has("dossier-request"), "{}", browser.text());
    }
}
