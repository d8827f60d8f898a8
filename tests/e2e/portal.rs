//! From a request to an open dossier through the real provider, and what nobody may learn on the way.

use std::io::Write;
use std::sync::{Arc, Mutex};

use portal_client::app::App as PortalApp;
use reqwest::{Method, StatusCode};
use sqlx::Row as _;
use tests::{Backend, Browser, Person, World};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;
use url::Url;
use web::db::{Db, Engine};
use web::random::Random;
use web::serve::Shutdown;

use crate::care::{
    BIRTH_DATE, BSN, DOSSIER, UNKNOWN_BSN, activate, ask, at_portal, issue_code, request, section,
    with_dossier,
};

/// The lines of the access log of the dossier, newest last: who, what, how it ended.
async fn looks(world: &World) -> Vec<(String, String, String)> {
    let rows = sqlx::query(
        "SELECT person_name, section, outcome FROM access_log WHERE dossier_id = $1 ORDER BY at, id",
    )
    .bind(DOSSIER)
    .fetch_all(world.portal.db.pool())
    .await
    .unwrap();
    rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

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
        assert!(anna.text().contains(BSN) && anna.text().contains("01-02-1940"), "{}", anna.text());
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

/// A second node of the portal on the state of the first; returns its origin.
async fn second_node(world: &World) -> String {
    let settings = world.portal.settings.clone();
    let app = PortalApp::new(settings, world.clock.clone(), Random::system()).await.unwrap();
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let origin = format!("http://localhost:{}", listener.local_addr().unwrap().port());
    let (stop, shutdown) = Shutdown::channel();
    let router = portal_client::router::router(Arc::new(app));
    tokio::spawn(async move {
        let _stop = stop;
        web::serve::serve(listener, router, shutdown).await
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
            pages.push(anna.page.body.replace(&link, "LINK"));
            anna.open(&format!("{node}{link}")).await;
            pages.push(anna.page.body.replace(&link, "LINK"));
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
        answers.push(anna.page.body.replace(&links[1], "LINK"));
        for attempt in 0..5 {
            activate(&mut anna, &nodes[attempt % 2], &links[0], "AAAA-AAAA").await;
            assert_eq!(anna.page.status, StatusCode::UNPROCESSABLE_ENTITY);
            answers.push(anna.page.body.replace(&links[0], "LINK"));
        }
        activate(&mut anna, &nodes[1], &links[0], &code).await;
        assert_eq!(anna.page.status, StatusCode::UNPROCESSABLE_ENTITY, "the right one came too late");
        answers.push(anna.page.body.replace(&links[0], "LINK"));
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

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Every value of every table, a line each.
async fn dump(db: &Db, into: &mut String) {
    let tables = match db.engine() {
        Engine::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table'",
        Engine::Postgres => {
            "SELECT CAST(table_name AS TEXT) FROM information_schema.tables WHERE table_schema = 'public'"
        }
    };
    for table in sqlx::query(tables).fetch_all(db.pool()).await.unwrap() {
        let table: String = table.get(0);
        if table.starts_with("_sqlx") || table.starts_with("sqlite_") {
            continue;
        }
        let sql = sqlx::AssertSqlSafe(format!("SELECT * FROM {table}"));
        for row in sqlx::query(sql).fetch_all(db.pool()).await.unwrap() {
            for column in 0..row.len() {
                let text = match row.try_get::<Option<String>, _>(column) {
                    Ok(text) => text.unwrap_or_default(),
                    Err(_) => row.get::<Option<i64>, _>(column).unwrap_or_default().to_string(),
                };
                let name = sqlx::Column::name(row.column(column));
                into.extend([table.as_str(), " ", name, ": ", &text, "\n"]);
            }
        }
    }
}

/// Every value in a Redis database, a line each.
async fn dump_redis(url: &str, into: &mut String) {
    let mut redis = redis::Client::open(url).unwrap().get_connection_manager().await.unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("*").query_async(&mut redis).await.unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let fields: Vec<String> = redis::cmd("HGETALL").arg(&key).query_async(&mut redis).await.unwrap();
        into.extend(["redis ", &key, ": ", &fields.join(" "), "\n"]);
    }
}

async fn dump_all(world: &World, into: &mut String) {
    dump(world.idp.store.db(), into).await;
    dump(&world.portal.db, into).await;
    if world.backend == Backend::Servers {
        dump_redis(&world.idp.config.ephemeral, into).await;
    }
}

/// Fails if a line of `text` holds one of the secrets: short codes as a word of their own, anything longer
/// anywhere, and numbers however their digits are grouped.
fn assert_clean(what: &str, text: &str, secrets: &[String]) {
    for line in text.lines() {
        let joined: String = line.chars().filter(|c| !matches!(c, ' ' | '-' | '.' | '(' | ')')).collect();
        for secret in secrets {
            let found = if secret.len() <= 8 && secret.bytes().all(|byte| byte.is_ascii_digit()) {
                line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == secret)
            } else {
                line.contains(secret.as_str()) || joined.contains(secret.as_str())
            };
            assert!(!found, "{what} holds '{secret}': {line}");
        }
    }
}

#[tokio::test]
async fn t47_no_secret_stands_in_a_log_a_subject_a_url_or_a_column() {
    for backend in Backend::ALL {
        // The servers of this world run on this test's thread, so the lines of no other test are among these.
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(
                "debug,sqlx=warn,hyper=warn,hyper_util=warn,reqwest=warn,html5ever=warn,selectors=warn",
            ))
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        // With one subscriber alone, tracing asks whichever thread comes first whether a line is wanted, and the
        // threads of other tests want none. A second one makes it ask this thread.
        let _second = tracing::Dispatch::new(tracing_subscriber::registry());

        let world = World::new(backend).await;
        world.add(&Person::CARLA).await;
        let dora =
            Person { email: "dora@example.nl", password: "Fiets-Molen-Regen-42", phone: "+31612121212" };
        let (mut browser, mut carla) = (world.browser(), world.browser());
        let mut state = String::new();
        let mut secrets: Vec<String> = Vec::new();
        let mut keep = |secret: &str| secrets.push(secret.to_owned());

        // Dora registers; the mail with its link and code waits, sealed.
        browser.open(&format!("{}/login", world.portal_origin)).await;
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
        dump_all(&world, &mut state).await;
        let link = world.link(dora.email, "/confirm").await;
        keep(link.split("token=").nth(1).unwrap());
        let mail = world.mails(dora.email).await.pop().unwrap();
        let digits = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
        let mailed = mail.text.lines().map(digits).find(|line| line.len() == 8).expect("a code to type");
        keep(&mailed);
        browser.open(&link).await;
        browser.submit("confirm-submit", &[]).await;

        // A wrong password, the right one, the phone, and a code that waits, sealed.
        browser
            .submit("login-submit", &[("email", dora.email), ("password", "Niet-Mijn-Wachtwoord-1")])
            .await;
        browser.give_password(&dora).await;
        browser.submit("phone", &[("phone", "06-12 12 12 12")]).await;
        assert!(browser.has("otp"), "{}", browser.text());
        dump_all(&world, &mut state).await;
        keep(&world.code(dora.phone).await);
        browser.give_code(&world, &dora).await;
        assert!(browser.has("dossier-request"), "{}", browser.text());

        // A second portal with tokens of its own, one of them used twice; a request that is refused.
        let portal = world.relying_party();
        let code = portal.code(&world, &mut browser, &dora).await;
        let tokens = tests::Tokens(portal.redeem(&code).await.json().await.unwrap());
        for name in ["access_token", "id_token", "refresh_token"] {
            keep(tokens.get(name));
        }
        keep(&code);
        keep(&portal.verifier);
        portal.userinfo(tokens.get("access_token")).await;
        portal.redeem(&code).await;
        portal
            .token(&[("grant_type", "refresh_token"), ("refresh_token", tokens.get("refresh_token"))])
            .await;
        browser.open(&portal.authorize_url(&[("redirect_uri", "http://evil.example/")])).await;

        // The dossier: asked for, opened, read, written in.
        let path = request(&mut browser, &world.portal_origin, BSN, BIRTH_DATE).await;
        dump_all(&world, &mut state).await;
        at_portal(&world, &mut carla, &Person::CARLA, "/team").await;
        let activation = issue_code(&world, &mut carla, &path, "full").await;
        keep(&activation);
        keep(&activation.replace('-', ""));
        activate(&mut browser, &world.portal_origin, &path, "AAAA-AAAA").await;
        activate(&mut browser, &world.portal_origin, &path, &activation).await;
        assert_eq!(section(&world, &mut browser, "medical").await, StatusCode::OK);

        // A forgotten password, with everything that follows.
        browser.open(&format!("{}/forgot", world.issuer)).await;
        browser.submit("forgot-submit", &[("email", dora.email)]).await;
        dump_all(&world, &mut state).await;
        keep(world.link(dora.email, "/reset").await.split("token=").nth(1).unwrap());

        for sms in world.idp.delivery.caught().iter().filter(|caught| caught.kind == "sms") {
            keep(sms.text.rsplit_once('#').unwrap().1);
        }
        for person in [&dora, &Person::CARLA] {
            keep(person.password);
            keep(&person.phone[3..]);
        }
        keep("Niet-Mijn-Wachtwoord-1");
        keep(BSN);
        // What marks a JWT of any kind.
        keep("eyJhbGci");
        keep("eyJ0eXAi");
        let mut cookies = secrets.clone();
        for browser in [&browser, &carla] {
            for name in ["session", "device", "portal-session", "browser"] {
                cookies.push(browser.cookie(name).unwrap_or_else(|| panic!("no cookie {name}")).to_owned());
            }
        }
        let secrets = cookies;
        dump_all(&world, &mut state).await;
        drop(guard);

        let log = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(log.contains("POST") && log.contains("/signin/password"), "the log was caught:\n{log}");
        assert!(state.contains("outbox payload_sealed") && state.contains("links match_hash"));
        assert_clean("a log line", &log, &secrets);
        assert_clean("the state", &state, &secrets);
        for caught in world.idp.delivery.caught() {
            assert_clean("a subject", &caught.subject, &secrets);
        }
        assert_urls_clean(&browser, &carla, &dora, &activation);
        let mails: String =
            world.mails(dora.email).await.iter().map(|mail| mail.text.clone() + "\n").collect();
        assert_clean(
            "a mail",
            &mails,
            &[BSN.to_owned(), dora.password.to_owned(), dora.phone[3..].to_owned()],
        );
    }
}

/// URLs hold mailed tokens and authorization codes, which is what those are for, and nothing else.
fn assert_urls_clean(browser: &Browser, carla: &Browser, dora: &Person, activation: &str) {
    let mut never = vec![BSN.to_owned(), activation.to_owned(), "AAAA-AAAA".into(), "eyJhbGci".into()];
    never.extend([dora.password, Person::CARLA.password, &dora.phone[3..], dora.email].map(str::to_owned));
    for url in browser.history.iter().chain(&carla.history) {
        let decoded: Vec<String> = url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
        let decoded = decoded.join(
            "
",
        );
        assert_clean("a URL", &format!("{url}\n{decoded}"), &never);
        if url.path().starts_with("/signin") {
            let names: Vec<String> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
            let known = ["journey", "notice", "resent"];
            assert!(names.iter().all(|name| known.contains(&name.as_str())), "{url}");
        }
    }
}
