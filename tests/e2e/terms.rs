//! Terms of use: shown once before the first sign-in ends, and again when they change; what was agreed to is kept.

use idp::config::Terms;
use platform::db::Query;
use reqwest::StatusCode;
use tests::{Backend, Browser, Person, World};

use crate::acts::{at_once, at_sign_in, column, is_back, noted};

fn terms(version: &str) -> Terms {
    Terms {
        version: version.into(),
        text_nl: "U deelt uw\nwachtwoord met <niemand>.\n\nU leest alleen dossiers die van u zijn.".into(),
        text_en: "You share your password with nobody.".into(),
        url: Some("https://portal.example/voorwaarden".into()),
    }
}

async fn world(backend: Backend) -> World {
    let world = World::with(backend, |config| {
        config.portals.last_mut().unwrap().policy.terms = Some(terms("2027-01"));
    })
    .await;
    world.add(&Person::ANNA).await;
    world
}

/// Password and code given, at the page with the terms.
async fn at_terms(world: &World) -> Browser {
    let mut browser = at_sign_in(world).await;
    browser.sign_in(world, &Person::ANNA).await;
    assert!(browser.has("terms-submit"), "{}", browser.text());
    browser
}

#[tokio::test]
async fn terms_are_shown_once_and_what_was_agreed_to_is_kept() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let mut browser = at_terms(&world).await;
        let text = browser.text();
        for part in ["U deelt uw wachtwoord met <niemand>.", "versie 2027-01", "U leest alleen dossiers"] {
            assert!(text.contains(part), "{part} in {text}");
        }
        assert!(browser.page.body.contains("portal.example"), "the whole text is linked");
        // No session before everything is done.
        assert_eq!(browser.cookie("session"), None);

        // Going on without the tick is no agreement.
        browser.submit("terms-submit", &[]).await;
        assert_eq!(browser.page.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(browser.text().contains("Zet een vinkje"), "{}", browser.text());
        assert!(column(&world, "SELECT version FROM accepted_terms").await.is_empty());

        // A double click agrees once.
        let clicked = vec![browser.clone(), browser.clone()];
        let done = at_once(clicked, "terms-submit", |_| vec![("accept", "yes".into())]).await;
        assert!(done.iter().any(is_back), "{}", done[0].text());
        assert_eq!(column(&world, "SELECT version FROM accepted_terms").await, ["2027-01"]);
        assert_eq!(noted(&world, &Person::ANNA, "terms-accepted").await, 1);

        // Not asked again, on another device neither; and the holder can read what was agreed to.
        let mut elsewhere = at_sign_in(&world).await;
        elsewhere.sign_in(&world, &Person::ANNA).await;
        assert!(is_back(&elsewhere), "{}", elsewhere.text());
        elsewhere.open(&format!("{}/account/download", world.issuer)).await;
        elsewhere.submit("download-submit", &[]).await;
        let data: serde_json::Value = serde_json::from_str(&elsewhere.page.body).unwrap();
        assert_eq!(data["accepted_terms"][0]["version"], "2027-01", "{data}");
        // Another portal of the provider has no terms.
        let mut third = world.browser();
        third.open(&format!("{}/login", world.portal_origin)).await;
        third.sign_in(&world, &Person::ANNA).await;
        assert!(third.has("dossier-request"), "{}", third.text());
    }
}

#[tokio::test]
async fn terms_that_are_not_agreed_to_end_with_an_answer_for_the_portal() {
    for backend in Backend::ALL {
        let world = world(backend).await;
        let web = world.relying_party();
        let mut browser = at_terms(&world).await;
        browser.submit("login-cancel", &[]).await;
        assert_eq!(web.answered(&browser, "error").as_deref(), Some("access_denied"));

        // A portal without terms signs her in; one with terms gets no silent answer, and asks only for them.
        let mut browser = world.browser();
        browser.open(&format!("{}/login", world.portal_origin)).await;
        browser.sign_in(&world, &Person::ANNA).await;
        browser.open(&web.authorize_url(&[("prompt", "none")])).await;
        assert_eq!(web.answered(&browser, "error").as_deref(), Some("interaction_required"));
        browser.open(&web.authorize_url(&[])).await;
        assert!(browser.has("terms-submit"), "{}", browser.text());
        browser.submit("terms-submit", &[("accept", "yes")]).await;
        assert!(is_back(&browser), "{}", browser.text());
    }
}

#[tokio::test]
async fn terms_that_changed_are_shown_again_to_everybody() {
    let world = world(Backend::Embedded).await;
    let mut browser = at_terms(&world).await;
    assert!(!browser.text().contains("zijn veranderd"));
    browser.submit("terms-submit", &[("accept", "yes")]).await;
    assert!(is_back(&browser), "{}", browser.text());

    // As if that had been the version of the year before.
    let sql = "UPDATE accepted_terms SET version = '2026-01', digest = 'another' WHERE version = $1";
    assert_eq!(world.idp.store.db().execute(Query::new(sql).bind("2027-01")).await.unwrap(), 1);
    let mut again = world.browser();
    again.open(&world.relying_party().authorize_url(&[])).await;
    again.sign_in(&world, &Person::ANNA).await;
    assert!(again.text().contains("zijn veranderd") && again.text().contains("2027-01"), "{}", again.text());
    again.submit("terms-submit", &[("accept", "yes")]).await;
    assert!(is_back(&again), "{}", again.text());
    let mut versions = column(&world, "SELECT version FROM accepted_terms").await;
    versions.sort();
    assert_eq!(versions, ["2026-01", "2027-01"], "what was agreed to before stays written");
}
