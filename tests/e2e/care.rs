//! People at the portal: asking for access to a dossier, letting somebody in, reading.

use reqwest::StatusCode;
use tests::{Browser, Person, World};

/// A client of the demonstration at Zonnehof, and a number that nobody there has.
pub const BSN: &str = "999990019";
pub const UNKNOWN_BSN: &str = "999990032";
pub const BIRTH_DATE: &str = "1-2-1940";
pub const DOSSIER: &str = "d4k7tq";

/// Signs a person in at the portal, on the way to `path`.
pub async fn at_portal(world: &World, browser: &mut Browser, person: &Person, path: &str) {
    browser.open(&format!("{}/login?return_to={path}", world.portal_origin)).await;
    if browser.has("login-page") {
        browser.give_password(person).await;
    }
    if browser.has("otp") {
        browser.give_code(world, person).await;
    }
    assert_eq!(browser.page.status, StatusCode::OK, "{}", browser.text());
    assert!(browser.page.url.as_str().starts_with(&world.portal_origin), "{}", browser.page.url);
}

/// Fills in the request and stops at the overview.
pub async fn ask(browser: &mut Browser, origin: &str, bsn: &str, birth_date: &str) {
    browser.open(&format!("{origin}/request")).await;
    let fields = [
        ("relation", "representative"),
        ("birth_date", birth_date),
        ("bsn", bsn),
        ("organisation", "zonnehof"),
    ];
    browser.submit("request-submit", &fields).await;
}

/// Asks and confirms; returns the path of the request.
pub async fn request(browser: &mut Browser, origin: &str, bsn: &str, birth_date: &str) -> String {
    ask(browser, origin, bsn, birth_date).await;
    assert!(browser.has("dossier-confirm"), "{}", browser.text());
    browser.submit("dossier-confirm", &[]).await;
    assert_eq!(browser.page.status, StatusCode::OK, "{}", browser.text());
    browser.page.url.path().trim_end_matches("/sent").to_owned()
}

/// Issues a code for a request at the desk where this browser is signed in.
pub async fn issue_code(world: &World, desk: &mut Browser, request: &str, level: &str) -> String {
    let link = request.trim_start_matches("/requests/");
    desk.open(&format!("{}/team/links/{link}", world.portal_origin)).await;
    desk.submit("team-issue", &[("level", level), ("reason", "Gebeld met de familie")]).await;
    assert_eq!(desk.page.status, StatusCode::OK, "{}", desk.text());
    let code = desk.page.body.split("id=\"activation-code\">").nth(1).expect("a code");
    code.split('<').next().unwrap().to_owned()
}

/// Types an activation code on the page of a request.
pub async fn activate(browser: &mut Browser, origin: &str, request: &str, code: &str) {
    browser.open(&format!("{origin}{request}")).await;
    browser.submit("activate-submit", &[("activation_code", code)]).await;
}

/// Opens a section of the dossier; says with which status it answers.
pub async fn section(world: &World, browser: &mut Browser, section: &str) -> StatusCode {
    browser.open(&format!("{}/dossiers/{DOSSIER}/{section}", world.portal_origin)).await;
    browser.page.status
}

/// Anna at the portal with the dossier open at `level`, and Carla at her desk.
pub async fn with_dossier(world: &World, level: &str) -> (Browser, Browser) {
    world.add(&Person::ANNA).await;
    world.add(&Person::CARLA).await;
    let (mut anna, mut carla) = (world.browser(), world.browser());
    at_portal(world, &mut anna, &Person::ANNA, "/").await;
    let link = request(&mut anna, &world.portal_origin, BSN, BIRTH_DATE).await;
    at_portal(world, &mut carla, &Person::CARLA, "/team").await;
    let code = issue_code(world, &mut carla, &link, level).await;
    activate(&mut anna, &world.portal_origin, &link, &code).await;
    assert_eq!(anna.page.url.path(), format!("/dossiers/{DOSSIER}/home"), "{}", anna.text());
    (anna, carla)
}
