//! Who may look where, who may act at the desk, and that it is written down.

use reqwest::{Method, StatusCode};
use tests::{Backend, Person, World};
use url::Url;

use super::looks;
use crate::care::{DOSSIER, at_portal, section, with_dossier};

#[tokio::test]
async fn t46_the_desk_opens_to_a_role_with_a_second_factor_only() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut anna, mut carla) = with_dossier(&world, "full").await;
        anna.open(&format!("{}/team", world.portal_origin)).await;
        if anna.has("otp") {
            anna.give_code(&world, &Person::ANNA).await;
        }
        assert_eq!(anna.page.status, StatusCode::FORBIDDEN, "{}", anna.text());

        // Carla on her known device: a password is enough for the portal, not for the desk.
        carla.submit("logout", &[]).await;
        carla.open(&format!("{}/login", world.portal_origin)).await;
        carla.give_password(&Person::CARLA).await;
        assert!(carla.has("dossier-request"), "{}", carla.text());
        world.advance(std::time::Duration::from_mins(2));
        carla.open(&format!("{}/team", world.portal_origin)).await;
        assert!(carla.has("otp"), "{}", carla.text());
        carla.give_code(&world, &Person::CARLA).await;
        assert_eq!(carla.page.url.path(), "/team", "{}", carla.text());
        assert_eq!(carla.page.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn t44_anothers_dossier_and_a_hidden_section_are_refused_and_written_down() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut anna, mut carla) = with_dossier(&world, "limited").await;
        world.add(&Person::BRAM).await;
        let mut bram = world.browser();
        at_portal(&world, &mut bram, &Person::BRAM, "/").await;
        let before = looks(&world).await.len();
        world.advance(std::time::Duration::from_secs(1));

        // By its URL, and by a form to it.
        assert_eq!(section(&world, &mut anna, "this-is-me").await, StatusCode::OK);
        assert!(!anna.page.body.contains("/medical"), "the menu does not name it");
        assert_eq!(section(&world, &mut anna, "medical").await, StatusCode::FORBIDDEN);
        assert!(!anna.text().contains("de Wit-Bakker"), "{}", anna.text());
        assert_eq!(section(&world, &mut bram, "home").await, StatusCode::FORBIDDEN);
        let hidden = bram.text();
        bram.open(&format!("{}/dossiers/nothing/home", world.portal_origin)).await;
        assert_eq!(bram.text(), hidden, "whether there is such a dossier is not told");
        bram.open(&format!("{}/", world.portal_origin)).await;
        let (_, csrf) = bram.form_of("logout");
        let form: Vec<_> = csrf.into_iter().chain([("text".into(), "Ik was hier".into())]).collect();
        let url = Url::parse(&format!("{}/dossiers/{DOSSIER}/this-is-me", world.portal_origin)).unwrap();
        bram.request(Method::POST, &url, Some(&form)).await;
        assert_eq!(bram.page.status, StatusCode::FORBIDDEN, "{}", bram.text());
        // Carla issues codes; that opens no dossier to her.
        assert_eq!(section(&world, &mut carla, "home").await, StatusCode::FORBIDDEN);

        let written: Vec<_> = looks(&world).await.split_off(before);
        let line = |name: &str, section: &str, outcome: &str| {
            (format!("{name} Voorbeeld"), section.to_owned(), outcome.to_owned())
        };
        let mut expected = vec![
            line("Anna", "this-is-me", "allowed"),
            line("Anna", "medical", "refused"),
            line("Bram", "home", "refused"),
            line("Bram", "this-is-me", "refused"),
            line("Carla", "home", "refused"),
        ];
        let mut written = written;
        written.sort();
        expected.sort();
        assert_eq!(written, expected);
    }
}

#[tokio::test]
async fn t45_access_that_is_ended_is_gone_at_the_next_request() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let (mut anna, mut carla) = with_dossier(&world, "full").await;
        assert_eq!(section(&world, &mut anna, "medical").await, StatusCode::OK);
        assert_eq!(section(&world, &mut anna, "reports").await, StatusCode::OK);
        let written = anna.form_of("text");

        // Less, at once; and without a reason not at all.
        carla.open(&format!("{}/team", world.portal_origin)).await;
        let link = carla.page.body.split("href=\"/team/links/").nth(1).unwrap().split('"').next().unwrap();
        let link = format!("{}/team/links/{link}", world.portal_origin);
        carla.open(&link).await;
        carla.send("team-level", &[("level", "limited"), ("reason", "")]).await;
        assert_eq!(carla.page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", carla.text());
        assert_eq!(section(&world, &mut anna, "medical").await, StatusCode::OK);
        carla.open(&link).await;
        carla.submit("team-level", &[("level", "limited"), ("reason", "Op verzoek van de cliënt")]).await;
        assert!(carla.text().contains("Op verzoek van de cliënt"), "{}", carla.text());
        assert_eq!(section(&world, &mut anna, "medical").await, StatusCode::FORBIDDEN);
        assert_eq!(section(&world, &mut anna, "home").await, StatusCode::OK);

        // Nothing, at once: not by a page that is open still, and the dossier's name is gone from her own pages.
        let (_, mut offered) = carla.form_of("team-end");
        offered.retain(|(name, _)| name != "reason");
        let fields: Vec<_> = offered.iter().cloned().chain([("reason".into(), "Verhuisd".into())]).collect();
        carla.request(Method::POST, &Url::parse(&format!("{link}/end")).unwrap(), Some(&fields)).await;
        assert_eq!(carla.page.status, StatusCode::SEE_OTHER, "{}", carla.text());
        assert_eq!(section(&world, &mut anna, "home").await, StatusCode::FORBIDDEN);
        let (action, mut fields) = written;
        fields.retain(|(name, _)| name == "csrf");
        fields.push(("text".into(), "Nog iets".into()));
        anna.request(Method::POST, &action, Some(&fields)).await;
        assert_eq!(anna.page.status, StatusCode::FORBIDDEN);
        anna.open(&format!("{}/", world.portal_origin)).await;
        assert!(!anna.has("dossier-tile-1"), "{}", anna.text());
        // The level of what has ended cannot be set any more, though an open page still offers it.
        let fields: Vec<_> = offered.into_iter().chain([("reason".into(), "Toch wel".into())]).collect();
        carla.request(Method::POST, &Url::parse(&format!("{link}/level")).unwrap(), Some(&fields)).await;
        assert_eq!(carla.page.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", carla.text());
        assert!(carla.text().contains("Dit kan niet meer"), "{}", carla.text());
        assert_eq!(section(&world, &mut anna, "home").await, StatusCode::FORBIDDEN);
    }
}
