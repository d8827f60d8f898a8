//! From a request to a dossier and back: what the care team does, and what each level opens.

use platform::clock::{Clock, Timestamp};
use platform::db::{AssertSqlSafe, Query};
use portal_client::access_log::Cursor;
use portal_client::links::{Level, Link, State};
use reqwest::StatusCode;

use crate::support::Portal;
use crate::support::provider::Who;
use crate::{BSN, UNKNOWN_BSN, ask, confirm, issue, with_dossier};

const NEWEST: Cursor = Cursor { before: Timestamp(i64::MAX), skip: 0 };

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
    assert!(user.shows(BSN) && user.shows("1 februari 1940") && user.shows("id=\"dossier-confirm\""));
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
    let named = format!("BSN {BSN} klopt");
    team.post(&format!("{path}/code"), &[("level", "full"), ("reason", &named)]).await;
    assert!(team.shows("Zet geen BSN in de reden") && !team.shows("activation-code"), "{}", team.page);
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
    for other in ["h2m9xw", "nope"] {
        let refused = portal.app.access_log.seen(other, NEWEST).await.unwrap().seen;
        assert_eq!((refused[0].outcome.as_str(), refused[0].relation.as_str()), ("refused", "none"));
    }
    let seen = portal.app.access_log.seen("d4k7tq", NEWEST).await.unwrap().seen;
    assert_eq!(seen.iter().filter(|entry| entry.outcome == "refused").count(), 2);
    // What cannot be kept was not written; the page that says so was read.
    let writes = async || {
        let seen = portal.app.access_log.seen("d4k7tq", NEWEST).await.unwrap().seen;
        let of = |action: &str| -> i64 {
            let rows = seen.iter().filter(|entry| entry.section == "my-life" && entry.action == action);
            rows.map(|entry| entry.count).sum()
        };
        (of("write"), of("read"))
    };
    user.get("/dossiers/d4k7tq/this-is-me").await;
    let (status, _) = user.post("/dossiers/d4k7tq/my-life", &[("text", " ")]).await;
    assert_eq!((status, writes().await), (StatusCode::UNPROCESSABLE_ENTITY, (0, 1)));
    user.post("/dossiers/d4k7tq/my-life", &[("text", "Geboren in Hoorn")]).await;
    assert_eq!(writes().await, (1, 2), "written, and shown");

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

/// A provider with names of its own for how somebody signed in.
#[tokio::test]
async fn staff_get_in_under_the_providers_own_names_and_with_more_than_is_asked_for() {
    let clock = Clock::fixed(Timestamp(1_795_000_000_000));
    let names = ["https://acr.example/code", "https://acr.example/strong"];
    let portal =
        Portal::with(0, clock, |config| config.oidc.team_acr = names.map(str::to_owned).to_vec()).await;
    for acr in names {
        let browser = portal.signed_in(Who { acr, ..Who::team("joke", "Joke", "zonnehof") }, "/team").await;
        assert!(!browser.shows("Een extra code is nodig"), "{acr}");
        assert_eq!(portal.provider.asked("acr_values").as_deref(), Some(names[0]));
    }
    for acr in ["https://acr.example/password", "urn:voordeur:acr:code"] {
        let browser = portal.signed_in(Who { acr, ..Who::team("joke", "Joke", "zonnehof") }, "/team").await;
        assert!(browser.shows("Een extra code is nodig"), "{acr}");
    }
}

/// The one link of 'zonnehof', if there is one.
async fn link_of(portal: &Portal) -> Option<Link> {
    let page = portal_client::paging::Page::FIRST;
    portal.app.links.of_organisation("zonnehof", page).await.unwrap().rows.into_iter().next()
}

/// Takes a table away, so that what writes to it fails, or puts it back.
async fn set_away(portal: &Portal, table: &str, away: bool) {
    let (from, to) = if away {
        (table.to_owned(), format!("{table}_away"))
    } else {
        (format!("{table}_away"), table.to_owned())
    };
    let sql = AssertSqlSafe(format!("ALTER TABLE {from} RENAME TO {to}"));
    portal.app.db.execute(Query::new(sql)).await.unwrap();
}

#[tokio::test]
async fn t46_no_act_stands_without_its_line() {
    let portal = Portal::start().await;
    let mut user = portal.signed_in(Who::user("marjan", "Marjan de Wit"), "/").await;
    let mut team = portal.signed_in(Who::team("sanne", "Sanne Visser", "zonnehof"), "/team").await;
    let fails = StatusCode::INTERNAL_SERVER_ERROR;

    // Asking.
    ask(&mut user, BSN).await;
    set_away(&portal, "audit", true).await;
    assert_eq!(confirm(&mut user).await.0, fails);
    assert_eq!(link_of(&portal).await, None);
    set_away(&portal, "audit", false).await;
    ask(&mut user, BSN).await;
    confirm(&mut user).await;
    let asked = link_of(&portal).await.unwrap();
    let (path, own) = (format!("/team/links/{}", asked.id), format!("/requests/{}", asked.id));

    // Issuing a code, voiding it, rejecting, withdrawing.
    team.get("/team").await;
    user.get("/").await;
    let full = [("level", "full"), ("reason", "gebeld")];
    let (team_token, user_token) = (team.page.clone(), user.page.clone());
    set_away(&portal, "audit", true).await;
    for act in ["code", "end"] {
        team.page.clone_from(&team_token);
        assert_eq!(team.post(&format!("{path}/{act}"), &full).await.0, fails, "{act}");
    }
    assert_eq!(user.post(&format!("{own}/withdraw"), &[]).await.0, fails);
    assert_eq!(link_of(&portal).await.unwrap(), asked);
    set_away(&portal, "audit", false).await;
    let (code, _) = issue(&mut team, "full").await;
    let issued = link_of(&portal).await.unwrap();
    set_away(&portal, "audit", true).await;
    team.page.clone_from(&team_token);
    assert_eq!(team.post(&format!("{path}/void"), &full).await.0, fails);
    user.page.clone_from(&user_token);
    let typed = [("activation_code", code.as_str())];
    assert_eq!(user.post(&format!("{own}/activate"), &typed).await.0, fails);
    assert_eq!(link_of(&portal).await.unwrap(), issued, "not open, and no try is lost");
    set_away(&portal, "audit", false).await;
    user.page.clone_from(&user_token);
    assert_eq!(user.post(&format!("{own}/activate"), &typed).await.1, "/dossiers/d4k7tq/home");

    // Setting the level, ending access: from the desk, and by the family.
    set_away(&portal, "audit", true).await;
    for act in ["level", "end"] {
        team.page.clone_from(&team_token);
        let fields = [("level", "limited"), ("reason", "gebeld")];
        assert_eq!(team.post(&format!("{path}/{act}"), &fields).await.0, fails, "{act}");
    }
    user.page.clone_from(&user_token);
    assert_eq!(user.post("/dossiers/d4k7tq/access", &[("link", &asked.id)]).await.0, fails);
    let link = link_of(&portal).await.unwrap();
    assert!(matches!(link.state, State::Active { .. }) && link.level == Level::Full, "{link:?}");
    set_away(&portal, "audit", false).await;

    // Writing in the dossier, and its line in the access log.
    set_away(&portal, "access_log", true).await;
    for (section, fields) in [
        ("reports", vec![("text", "Alles goed")]),
        ("my-life", vec![("text", "Geboren in Hoorn")]),
        ("appointments", vec![("date", "1-12-2026"), ("time", "9:30"), ("title", "Kapper")]),
        ("access", vec![("link", asked.id.as_str())]),
    ] {
        user.page.clone_from(&user_token);
        assert_eq!(user.post(&format!("/dossiers/d4k7tq/{section}"), &fields).await.0, fails, "{section}");
    }
    set_away(&portal, "access_log", false).await;
    let notes = Query::new("SELECT id FROM notes").fetch_all(&portal.app.db).await.unwrap();
    assert!(notes.is_empty());
    assert!(matches!(link_of(&portal).await.unwrap().state, State::Active { .. }));
}

#[tokio::test]
async fn t44_who_looked_can_be_read_to_the_end() {
    let portal = Portal::start().await;
    let (mut user, _, _) = with_dossier(&portal).await;
    let person = |n: usize| portal_client::session::Person {
        iss: "i".into(),
        sub: format!("s{n}"),
        name: format!("Kijker {n:03}"),
        email: String::new(),
    };
    for n in 0..250 {
        let person = person(n);
        let look = portal_client::access_log::Look {
            person: &person,
            relation: None,
            link: "",
            organisation: "zonnehof",
            dossier: "d4k7tq",
            section: portal_client::dossiers::Section::Home,
            act: portal_client::links::Act::Read,
            outcome: portal_client::access_log::Outcome::Refused,
        };
        portal.app.access_log.add(&format!("x{n}"), look, portal.clock.now()).await.unwrap();
    }
    portal.advance(1);
    for _ in 0..30 {
        user.get("/dossiers/d4k7tq/views").await;
    }
    assert!(user.shows("30 keer tussen"), "{}", user.page);
    let mut names = std::collections::BTreeSet::new();
    let mut pages = 1;
    loop {
        names.extend(user.page.split("Kijker ").skip(1).map(|rest| rest[..3].to_owned()));
        let Some(older) = user.between("id=\"views-older\" href=\"", "\"") else { break };
        user.get(&older.replace("&amp;", "&")).await;
        assert!(user.shows("id=\"views-newest\""));
        pages += 1;
    }
    assert_eq!((names.len(), pages), (250, 3));
    for odd in ["?before=x", "?before=1&skip=-1", "?skip=99999999999999999999"] {
        let (status, _) = user.get(&format!("/dossiers/d4k7tq/views{odd}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{odd}");
    }
}

#[tokio::test]
async fn who_writes_much_hides_nobodys_report() {
    let portal = Portal::start().await;
    let (mut user, _, _) = with_dossier(&portal).await;
    let writer =
        portal_client::dossiers::notes::Writer { iss: "i", sub: "s", name: "Veel", dossier: "d4k7tq" };
    let kind = portal_client::dossiers::notes::Kind::Report;
    for n in 0..250 {
        let mut write = portal.app.db.begin_write().await.unwrap();
        let (id, text, at) = (format!("r{n}"), format!("Verslag {n:03}."), Timestamp(1000 + n));
        portal.app.notes.write(&mut write, &id, writer, kind, &text, at).await.unwrap();
        write.commit().await.unwrap();
    }
    user.get("/dossiers/d4k7tq/reports").await;
    let mut texts = Vec::new();
    loop {
        texts.extend(user.page.split("Verslag ").skip(1).map(|rest| rest[..3].to_owned()));
        let Some(next) = user.between("id=\"page-next\" href=\"", "\"") else { break };
        user.get(&next).await;
    }
    texts.dedup();
    assert_eq!((texts.len(), texts[0].as_str(), texts[249].as_str()), (250, "249", "000"));
}

#[tokio::test]
async fn a_row_says_in_which_request_it_came_about() {
    let portal = Portal::start().await;
    let (user, _team, _) = with_dossier(&portal).await;
    let url = format!("{}/dossiers/d4k7tq/home", user.origin);
    let answer = user.client.get(url).send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    let of_request = Query::new("SELECT id FROM access_log WHERE request_id = $1").bind(id);
    assert_eq!(of_request.fetch_all(&portal.app.db).await.unwrap().len(), 1);
    for table in ["audit", "access_log"] {
        let sql = format!("SELECT id FROM {table} WHERE request_id IS NULL");
        let without = Query::new(AssertSqlSafe(sql)).fetch_all(&portal.app.db).await.unwrap();
        assert!(without.is_empty(), "{table}");
    }
}
