//! The portal's journeys, told from the browser, against a provider in this process.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod access;
mod guards;
mod sessions;
mod support;

use reqwest::StatusCode;
use support::provider::Who;
use support::{Browser, Portal};

const BSN: &str = "999990019";
const UNKNOWN_BSN: &str = "999990032";

async fn ask(browser: &mut Browser, bsn: &str) -> (StatusCode, String) {
    browser.get("/request").await;
    let fields = [
        ("relation", "representative"),
        ("birth_date", "1-2-1940"),
        ("bsn", bsn),
        ("organisation", "zonnehof"),
    ];
    browser.post("/request", &fields).await
}

async fn confirm(browser: &mut Browser) -> (StatusCode, String) {
    let draft = browser.between("name=\"draft\" value=\"", "\"").unwrap();
    browser.post("/request/overview", &[("draft", &draft)]).await
}

/// Issues a code for the first request on the desk and returns it with the link's path.
async fn issue(team: &mut Browser, level: &str) -> (String, String) {
    team.get("/team").await;
    let link = team.between("href=\"/team/links/", "\"").unwrap();
    let path = format!("/team/links/{link}");
    team.get(&path).await;
    let (status, _) = team.post(&format!("{path}/code"), &[("level", level), ("reason", "gebeld")]).await;
    assert_eq!(status, StatusCode::OK, "{}", team.page);
    (team.between("id=\"activation-code\">", "<").unwrap(), path)
}

async fn with_dossier(portal: &Portal) -> (Browser, Browser, String) {
    let mut user = portal.signed_in(Who::user("marjan", "Marjan de Wit"), "/").await;
    ask(&mut user, BSN).await;
    confirm(&mut user).await;
    let mut team = portal.signed_in(Who::team("sanne", "Sanne Visser", "zonnehof"), "/team").await;
    let (code, link) = issue(&mut team, "full").await;
    user.get("/").await;
    let path = user.between("id=\"dossier-tile-1\" href=\"", "\"").unwrap();
    user.get(&path).await;
    let (status, at) =
        user.post(&format!("{path}/activate"), &[("activation_code", &code.to_lowercase())]).await;
    assert_eq!((status, at.as_str()), (StatusCode::OK, "/dossiers/d4k7tq/home"), "{}", user.page);
    (user, team, link)
}
