//! The portal's journeys, told from the browser, against a provider in this process.

#![allow(clippy::unwrap_used, reason = "a test stops where something is missing")]

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

#[tokio::test]
async fn a_daughter_asks_for_access_and_reads_the_dossier_once_the_team_let_her() {
    let portal = Portal::start().await;
    let mut user = portal.signed_in(Who::user("marjan", "Marjan de Wit"), "/").await;
    assert!(user.shows("Dag Marjan de Wit") && user.shows("id=\"dossier-request\""), "{}", user.page);

    // A number that fails the eleven-test is refused at once; what was typed is kept in the page.
    let (status, _) = ask(&mut user, "999990018").await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(user.shows("value=\"999990018\"") && user.shows("value=\"1-2-1940\"") && user.shows("bsn-error"));

    let (_, at) = ask(&mut user, BSN).await;
    assert_eq!(at, "/request/overview");
    assert!(user.shows(BSN) && user.shows("01-02-1940") && user.shows("id=\"dossier-confirm\""));
    let (status, at) = confirm(&mut user).await;
    assert!(status == StatusCode::OK && at.ends_with("/sent") && user.shows("teamleider"), "{}", user.page);
    let known = user.page.clone();
    let link = at.trim_start_matches("/requests/").trim_end_matches("/sent").to_owned();

    // T43: a combination that nobody has gets the same answer, and the same tile.
    ask(&mut user, UNKNOWN_BSN).await;
    let (_, at) = confirm(&mut user).await;
    let other = at.trim_start_matches("/requests/").trim_end_matches("/sent").to_owned();
    assert_eq!(known, user.page.replace(&other, &link));
    user.get("/").await;
    assert!(!user.shows("de Wit-Bakker"), "a request shows nothing of the client");

    // The team gives a code for the one that is a client, and cannot for the other.
    let mut team = portal.signed_in(Who::team("sanne", "Sanne Visser", "zonnehof"), "/team").await;
    assert_eq!(portal.provider.asked("acr_values").as_deref(), Some("urn:voordeur:acr:code"));
    team.get(&format!("/team/links/{other}")).await;
    assert!(team.shows("Geen cliënt gevonden") && !team.shows(UNKNOWN_BSN));
    let (status, _) =
        team.post(&format!("/team/links/{other}/code"), &[("level", "full"), ("reason", "gebeld")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let path = format!("/team/links/{link}");
    team.get(&path).await;
    let (status, _) = team.post(&format!("{path}/code"), &[("level", "full"), ("reason", "")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "every act has a reason");
    team.post(&format!("{path}/code"), &[("level", "full"), ("reason", "gebeld")]).await;
    let code = team.between("id=\"activation-code\">", "<").unwrap();
    team.get(&path).await;
    assert!(!team.shows(&code), "the code is shown once");

    user.get(&format!("/requests/{link}")).await;
    let activate = format!("/requests/{link}/activate");
    let (status, _) = user.post(&activate, &[("activation_code", "AAAA-AAAA")]).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let (_, at) = user.post(&activate, &[("activation_code", &code)]).await;
    assert_eq!(at, "/dossiers/d4k7tq/home");
    for section in [
        "this-is-me",
        "my-life",
        "appointments",
        "medical",
        "documents",
        "reports",
        "care-plan",
        "access",
        "views",
    ] {
        let (status, _) = user.get(&format!("/dossiers/d4k7tq/{section}")).await;
        assert_eq!(status, StatusCode::OK, "{section}");
    }
    assert!(user.shows("Marjan de Wit"), "she sees that she looked");
}

#[tokio::test]
async fn t44_t45_a_hidden_section_is_refused_and_logged_and_ended_access_is_gone_at_once() {
    let portal = Portal::start().await;
    let (mut user, mut team, link) = with_dossier(&portal).await;
    assert_eq!(user.get("/dossiers/d4k7tq/medical").await.0, StatusCode::OK);
    team.get(&link).await;
    team.post(&format!("{link}/level"), &[("level", "limited"), ("reason", "op verzoek")]).await;
    assert_eq!(user.get("/dossiers/d4k7tq/medical").await.0, StatusCode::FORBIDDEN);
    assert_eq!(user.get("/dossiers/d4k7tq/this-is-me").await.0, StatusCode::OK);
    assert_eq!(
        user.post("/dossiers/d4k7tq/this-is-me", &[("text", "Houdt van <koffie>")]).await.0,
        StatusCode::OK
    );
    assert!(user.shows("Houdt van &lt;koffie&gt;"));
    assert_eq!(user.post("/dossiers/d4k7tq/reports", &[("text", "x")]).await.0, StatusCode::FORBIDDEN);
    // Somebody else's, and one that does not exist.
    assert_eq!(user.get("/dossiers/h2m9xw/home").await.0, StatusCode::FORBIDDEN);
    assert_eq!(user.get("/dossiers/nope/home").await.0, StatusCode::FORBIDDEN);
    let refused = portal.app.access_log.of_dossier("h2m9xw", 9).await.unwrap();
    assert_eq!((refused[0].outcome.as_str(), refused[0].relation.as_str()), ("refused", "none"));
    let refused = portal.app.access_log.of_dossier("d4k7tq", 99).await.unwrap();
    assert_eq!(refused.iter().filter(|entry| entry.outcome == "refused").count(), 2);

    team.get(&link).await;
    team.post(&format!("{link}/end"), &[("reason", "op verzoek")]).await;
    assert_eq!(user.get("/dossiers/d4k7tq/home").await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn t46_the_desk_needs_role_and_second_factor_and_sees_its_own_organisation_only() {
    let portal = Portal::start().await;
    let mut member = portal.signed_in(Who::team("sanne", "Sanne Visser", "zonnehof"), "/").await;
    ask(&mut member, BSN).await;
    confirm(&mut member).await;
    let id = {
        member.get("/team").await;
        member.between("href=\"/team/links/", "\"").unwrap()
    };
    let path = format!("/team/links/{id}");
    member.get(&path).await;
    assert!(member.shows("Dit is uw eigen aanvraag"));
    let (status, _) =
        member.post(&format!("{path}/code"), &[("level", "full"), ("reason", "voor mezelf")]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);

    let mut weak = Who::team("joke", "Joke", "zonnehof");
    weak.acr = "urn:voordeur:acr:password";
    let browser = portal.signed_in(weak, "/team").await;
    assert!(browser.shows("Een extra code is nodig"));
    let browser = portal.signed_in(Who { care: None, ..Who::team("piet", "Piet", "") }, "/team").await;
    assert!(browser.shows("Alleen voor het zorgteam"));
    let mut other = portal.signed_in(Who::team("fleur", "Fleur", "de-linde"), "/team").await;
    assert!(!other.shows("Sanne"));
    assert_eq!(other.get(&path).await.0, StatusCode::NOT_FOUND);
    let (status, _) = other.post(&format!("{path}/end"), &[("reason", "proberen")]).await;
    assert!(status == StatusCode::NOT_FOUND || status == StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn t32_t33_sessions_end_by_the_clock_by_the_person_and_by_the_provider() {
    let portal = Portal::start().await;
    let who = || Who::user("marjan", "Marjan");
    let mut user = portal.signed_in(who(), "/").await;
    portal.advance(14);
    user.get("/session").await;
    assert!(user.shows("\"remaining_seconds\":60"), "{}", user.page);
    portal.advance(1);
    assert_eq!(user.get("/request").await.1, "/signed-out");
    assert!(user.shows("Dat gebeurt als u een tijd niets doet"));

    // Extended by one action.
    let mut user = portal.signed_in(who(), "/").await;
    portal.advance(14);
    user.post("/session/extend", &[("return_to", "/")]).await;
    portal.advance(14);
    assert_eq!(user.get("/request").await.1, "/request");

    // Signing out here goes on to the provider with the ID token; then nothing is shown any more.
    user.post("/logout", &[]).await;
    assert!(user.shows("U bent uitgelogd"), "{}", user.page);
    assert!(portal.provider.asked("id_token_hint").unwrap().starts_with("ey"));
    assert_eq!(user.get("/session").await.0, StatusCode::OK);
    assert!(user.shows("\"remaining_seconds\":0"));

    // From behind, once.
    let mut user = portal.signed_in(who(), "/").await;
    let token = portal.provider.logout_token("sid-marjan", "j1");
    let send = |token: String| {
        let url = format!("{}/backchannel-logout", portal.origin);
        reqwest::Client::new().post(url).form(&[("logout_token", token)]).send()
    };
    assert_eq!(send(token.clone()).await.unwrap().status(), StatusCode::OK);
    assert_eq!(user.get("/request").await.1, "/signed-out");
    assert_eq!(send(token).await.unwrap().status(), StatusCode::BAD_REQUEST, "a replay");
    assert_eq!(send("a.b.c".into()).await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn t42_a_new_signing_key_needs_no_restart() {
    let portal = Portal::start().await;
    let user = portal.signed_in(Who::user("a", "Anna"), "/").await;
    assert!(user.shows("Anna"));
    portal.provider.rotate("2");
    let user = portal.signed_in(Who::user("b", "Bert"), "/").await;
    assert!(user.shows("Bert"), "{}", user.page);
    portal.provider.rotate("3");
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let token = portal.provider.logout_token("sid-b", "j");
    let url = format!("{}/backchannel-logout", portal.origin);
    let answer = reqwest::Client::new().post(url).form(&[("logout_token", token)]).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_sign_in_that_goes_wrong_says_what_to_do() {
    let portal = Portal::start().await;
    let mut browser = portal.browser();
    portal.provider.next_fails("access_denied");
    browser.get("/login").await;
    assert!(browser.shows("U bent gestopt met inloggen"));
    portal.provider.next_fails("temporarily_unavailable");
    assert_eq!(browser.get("/login").await.0, StatusCode::SERVICE_UNAVAILABLE);
    // A callback that did not start in this browser, or not at all.
    browser.get("/callback?code=x&state=y&iss=z").await;
    assert!(browser.shows("Het inloggen is niet afgemaakt"));
    // The page is in the visitor's language, and nobody is led elsewhere.
    browser.get("/nowhere?lang=en").await;
    assert!(browser.shows("This page does not exist"));
    let who = Who::user("a", "Anna");
    portal.provider.next_is(who);
    let (_, at) = browser.get("/login?return_to=//evil.example/").await;
    assert_eq!(at, "/");
}

#[tokio::test]
async fn t35_t43_every_page_is_guarded_and_tries_are_few() {
    let portal = Portal::start().await;
    let mut user = portal.signed_in(Who::user("marjan", "Marjan"), "/").await;
    let answer = user.client.get(format!("{}/", portal.origin)).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(header("cache-control"), "no-store");
    assert!(
        header("content-security-policy").contains(&format!("form-action 'self' {}", portal.provider.issuer))
    );
    assert!(!header("content-security-policy").contains("unsafe"));

    // A form without the token, and what is no form.
    let url = format!("{}/logout", portal.origin);
    assert_eq!(
        user.client.post(&url).form(&[("a", "b")]).send().await.unwrap().status(),
        StatusCode::FORBIDDEN
    );
    assert_eq!(user.client.post(&url).body("{}").send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(user.client.put(&url).send().await.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    user.get("/request").await;
    for bad in ["", "\u{0}", "<script>", &"9".repeat(100_000)] {
        let fields = [("relation", bad), ("birth_date", bad), ("bsn", bad), ("organisation", bad)];
        let token = user.page.clone();
        let (status, _) = user.post("/request", &fields).await;
        assert!(status.is_client_error(), "{status}");
        assert!(!user.shows("<script>"));
        user.page = token;
    }

    for attempt in 1..=6 {
        ask(&mut user, if attempt % 2 == 0 { BSN } else { UNKNOWN_BSN }).await;
        let (status, _) = confirm(&mut user).await;
        let expected = if attempt <= 5 { StatusCode::OK } else { StatusCode::TOO_MANY_REQUESTS };
        assert_eq!(status, expected, "attempt {attempt}");
    }
    portal.advance(14);
    user.get("/").await;
}
