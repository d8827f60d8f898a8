//! From a request to an open dossier, and what nobody may learn on the way.

use std::sync::Arc;

use platform::random::Random;
use platform::shutdown::Shutdown;
use portal_client::app::App;
use reqwest::StatusCode;
use tests::{Backend, Person, World};
use tokio::net::TcpListener;

use super::looks;
use crate::acts::lasting;
use crate::care::{
    BIRTH_DATE, BSN, DOSSIER, UNKNOWN_BSN, activate, ask, at_portal, issue_code, request, section,
};

#[tokio::test]
async fn a_request_becomes_an_open_dossier_by_the_care_teams_code() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::CARLA).await;
        let (mut anna, mut carla) = (world.browser(), world.browser());

        // Anna fills in the form, looks it over, and confirms.
        at_portal(&world, &mut anna, &Person::ANNA, "/").await;
        ask(&mut anna, &world.portal_origin, BSN, BIRTH_DATE).await;
        assert!(anna.text().contains(BSN) && anna.text().contains("1 februari 1940"), "{}", anna.text());
        anna.submit("dossier-confirm", &[]).await;
        let link = anna.page.url.path().trim_end_matches("/sent").to_owned();
        assert!(anna.text().contains("Zorggroep Zonnehof"), "{}", anna.text());
        anna.open(&format!("{}/", world.portal_origin)).await;
        assert!(anna.has("dossier-tile-1") && !anna.text().contains("de Wit-Bakker"), "{}", anna.text());
        assert_eq!(section(&world, &mut anna, "home").await, StatusCode::FORBIDDEN, "nothing is open yet");

        // Carla of the care team signs in with her second factor, and gives a code.
        at_portal(&world, &mut carla, &Person::CARLA, "/team").await;
        assert!(carla.text().contains("Anna Voorbeeld"), "{}", carla.text());
        let code = issue_code(&world, &mut carla, &link, "full").await;

        // Anna types it as one types a code, and reads.
        activate(&mut anna, &world.portal_origin, &link, "AAAA-AAAA").await;
        assert_eq!(anna.page.status, StatusCode::UNPROCESSABLE_ENTITY);
        activate(&mut anna, &world.portal_origin, &link, &code.to_lowercase().replace('-', " ")).await;
        assert_eq!(anna.page.url.path(), format!("/dossiers/{DOSSIER}/home"), "{}", anna.text());
        for name in ["this-is-me", "appointments", "medical", "documents", "reports", "care-plan", "access"] {
            assert_eq!(section(&world, &mut anna, name).await, StatusCode::OK, "{name}");
        }
        // Who looked is written down, and shown.
        assert_eq!(section(&world, &mut anna, "views").await, StatusCode::OK);
        assert!(anna.text().contains("Anna Voorbeeld"), "{}", anna.text());
        let looks = looks(&world).await;
        let refused = looks.iter().filter(|(_, _, outcome)| outcome == "refused").count();
        assert_eq!((refused, looks.len()), (1, 10), "{looks:?}");
    }
}

/// A second node of the portal on the state of the first; returns its origin.
async fn second_node(world: &World) -> String {
    let settings = world.portal.settings.clone();
    let app = App::new(settings, world.clock.clone(), Random::system()).await.unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let (stop, shutdown) = Shutdown::channel();
    let router = portal_client::router::router(Arc::new(app));
    tokio::spawn(async move {
        let _stop = stop;
        platform::serve::serve(listener, router, shutdown).await;
    });
    origin
}

#[tokio::test]
async fn t43_what_was_wrong_is_not_told_and_tries_are_few_on_all_nodes_together() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        world.add(&Person::ANNA).await;
        world.add(&Person::CARLA).await;
        let nodes = [world.portal_origin.clone(), second_node(&world).await];
        let mut anna = world.browser();
        at_portal(&world, &mut anna, &Person::ANNA, "/").await;

        // The right combination, a wrong number, a wrong date: the same page, and the same tile.
        let mut pages = Vec::new();
        let mut links = Vec::new();
        let tries = [(BSN, BIRTH_DATE), (UNKNOWN_BSN, BIRTH_DATE), (BSN, "2-2-1940")];
        for (node, (bsn, birth_date)) in nodes.iter().cycle().zip(tries) {
            let link = request(&mut anna, node, bsn, birth_date).await;
            pages.push(lasting(&anna.page, &link));
            anna.open(&format!("{node}{link}")).await;
            pages.push(lasting(&anna.page, &link));
            links.push(link);
        }
        assert_eq!(pages[0..2], pages[2..4]);
        assert_eq!(pages[0..2], pages[4..6]);

        // Five a day, whichever node they come to; the sixth is refused even if it is right.
        for node in &nodes {
            request(&mut anna, node, UNKNOWN_BSN, "3-3-1933").await;
        }
        ask(&mut anna, &nodes[0], BSN, BIRTH_DATE).await;
        anna.submit("dossier-confirm", &[]).await;
        assert_eq!(anna.page.status, StatusCode::TOO_MANY_REQUESTS, "{}", anna.text());

        // One sentence for every wrong activation code: no code issued, a wrong one, one that is spent.
        let mut carla = world.browser();
        at_portal(&world, &mut carla, &Person::CARLA, "/team").await;
        let code = issue_code(&world, &mut carla, &links[0], "full").await;
        let mut answers = Vec::new();
        activate(&mut anna, &nodes[0], &links[1], &code).await;
        answers.push(lasting(&anna.page, &links[1]));
        for attempt in 0..5 {
            activate(&mut anna, &nodes[attempt % 2], &links[0], "AAAA-AAAA").await;
            assert_eq!(anna.page.status, StatusCode::UNPROCESSABLE_ENTITY);
            answers.push(lasting(&anna.page, &links[0]));
        }
        activate(&mut anna, &nodes[1], &links[0], &code).await;
        assert_eq!(anna.page.status, StatusCode::UNPROCESSABLE_ENTITY, "the right one came too late");
        answers.push(lasting(&anna.page, &links[0]));
        answers.dedup();
        assert_eq!(answers.len(), 1);
        assert_eq!(section(&world, &mut anna, "home").await, StatusCode::FORBIDDEN);

        // Somebody else's request is not there at all.
        world.add(&Person::BRAM).await;
        let mut bram = world.browser();
        at_portal(&world, &mut bram, &Person::BRAM, "/").await;
        bram.open(&format!("{}{}", world.portal_origin, links[0])).await;
        assert_eq!(bram.page.status, StatusCode::NOT_FOUND);
    }
}
