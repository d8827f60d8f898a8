//! What fails is seen: by readiness, in metrics, in the log, and by the person in words.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use platform::clock::{Clock, Timestamp};
use platform::db::{AssertSqlSafe, Query};
use platform::health::Health;
use platform::random::Random;
use platform::shutdown::Shutdown;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use tests::{Backend, Person, RelyingParty, World};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::log_lines::Log;

/// What somebody gives up after who waits for an answer that never comes.
const LONG: Duration = Duration::from_secs(20);

async fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).await.unwrap().local_addr().unwrap().port()
}

/// A Redis of one test's own, that can be killed; it keeps what it was told.
async fn redis(port: u16, folder: &Path) -> Child {
    let child = Command::new("redis-server")
        .args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--appendonly", "yes"])
        .args(["--appendfsync", "always", "--save", "", "--dir"])
        .arg(folder)
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .unwrap();
    for _ in 0..200 {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return child;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no Redis on port {port}");
}

/// What a server says of itself: its status, the backend and the reason.
async fn ready(origin: &str) -> (StatusCode, String, String) {
    let answer = reqwest::get(format!("{origin}/readyz")).await.unwrap();
    let status = answer.status();
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["ready"], status == StatusCode::OK, "{body}");
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    (status, text("backend"), text("reason"))
}

/// Waits until a server says this of itself; a look holds for a second.
async fn becomes(origin: &str, expected: (StatusCode, &str, &str)) {
    let mut last = None;
    for _ in 0..100 {
        let (status, backend, reason) = ready(origin).await;
        if (status, backend.as_str(), reason.as_str()) == expected {
            return;
        }
        last = Some((status, backend, reason));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{last:?} is not {expected:?}");
}

const READY: (StatusCode, &str, &str) = (StatusCode::OK, "", "");

#[tokio::test]
async fn t53_metric_series_are_not_made_by_strangers() {
    let world = World::with(Backend::Embedded, |config| {
        config.metrics_listen = Some("127.0.0.1:1".parse().unwrap());
    })
    .await;
    let http = reqwest::Client::new();
    let origins = [world.issuer.clone(), world.portal_origin.clone()];
    let send = async |number: usize| {
        for origin in &origins {
            let method = Method::from_bytes(format!("MADEUP{number}").as_bytes()).unwrap();
            http.request(method.clone(), format!("{origin}/")).send().await.unwrap();
            http.request(method, format!("{origin}/made/up/{number}")).send().await.unwrap();
        }
        let client = RelyingParty::new(&world.issuer, &format!("client-{number}"), Some("x"));
        client.token(&[("grant_type", "authorization_code"), ("code", "x")]).await;
        let named = [("client_id", format!("client-{number}")), ("token", "x".into())];
        http.post(format!("{}/introspect", world.issuer)).form(&named).send().await.unwrap();
        for path in ["/authorize?", "/logout?id_token_hint=x&"] {
            let url = format!("{}{path}client_id=client-{number}", world.issuer);
            http.get(url).send().await.unwrap();
        }
    };
    let series = || {
        let text = [world.idp.metrics.text(), world.portal.metrics.text()].concat();
        assert!(!text.contains("MADEUP") && !text.contains("made/up") && !text.contains("client-"), "{text}");
        text.lines().filter(|line| !line.starts_with('#')).count()
    };
    send(0).await;
    let first = series();
    for number in 1..30 {
        send(number).await;
    }
    assert_eq!(series(), first);
    // Connections that could not be accepted are seen at both servers.
    for metrics in [&world.idp.metrics, &world.portal.metrics] {
        assert!(metrics.text().contains("http_accept_errors_total 0"));
    }
    let text = world.idp.metrics.text();
    for line in [
        "http_requests_total{method=\"other\",route=\"/\",status=\"405\"} 30",
        "client_requests_total{endpoint=\"token\",client=\"other\",outcome=\"invalid_client\"} 30",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[tokio::test]
async fn an_embedded_database_that_is_full_locked_or_gone_is_not_ready_and_says_which() {
    let world = World::new(Backend::Embedded).await;
    for (db, origin, file) in [
        (world.idp.store.db(), &world.issuer, "idp.db"),
        (&world.portal.db, &world.portal_origin, "portal.db"),
    ] {
        // Full, as SQLite sees it on the connection that writes.
        let limit = async |pages: &str| {
            let sql = AssertSqlSafe(format!("PRAGMA max_page_count = {pages}"));
            db.execute(Query::new(sql)).await.unwrap();
        };
        db.apart(Query::new("VACUUM")).await.unwrap();
        limit("1").await;
        assert_eq!(
            ready(origin).await,
            (StatusCode::SERVICE_UNAVAILABLE, "database".into(), "disk full".into())
        );
        limit("4294967294").await;
        becomes(origin, READY).await;

        // Another program holds it.
        let path = world.folder.join(file);
        let other = format!("sqlite:{}", path.display());
        let mut other = <sqlx::AnyConnection as sqlx::Connection>::connect(&other).await.unwrap();
        sqlx::query("BEGIN IMMEDIATE").execute(&mut other).await.unwrap();
        becomes(origin, (StatusCode::SERVICE_UNAVAILABLE, "database", "locked")).await;
        sqlx::query("ROLLBACK").execute(&mut other).await.unwrap();
        becomes(origin, READY).await;

        // It is gone, though SQLite goes on writing to what has no name any more.
        let away = path.with_extension("away");
        std::fs::rename(&path, &away).unwrap();
        becomes(origin, (StatusCode::SERVICE_UNAVAILABLE, "database", "the file is gone")).await;
        // Another file in its place is not it.
        std::fs::copy(&away, &path).unwrap();
        becomes(origin, (StatusCode::SERVICE_UNAVAILABLE, "database", "the file is gone")).await;
        std::fs::rename(&away, &path).unwrap();
        becomes(origin, READY).await;
        // Its log belongs to it.
        let log = world.folder.join(format!("{file}-wal"));
        std::fs::remove_file(log).unwrap();
        becomes(origin, (StatusCode::SERVICE_UNAVAILABLE, "database", "the file is gone")).await;
    }
    let text = [world.idp.metrics.text(), world.portal.metrics.text()].concat();
    assert_eq!(text.matches("\nready 0").count(), 2, "{text}");
    assert_eq!(text.matches("backend_up{backend=\"database\"} 0").count(), 2, "{text}");
}

#[tokio::test]
async fn a_journey_goes_on_after_redis_was_away_and_a_cut_connection_costs_nobody_a_page() {
    let folder = std::env::temp_dir().join(format!("voordeur-test-{}", Random::system().id()));
    std::fs::create_dir_all(&folder).unwrap();
    let port = free_port().await;
    let mut server = redis(port, &folder).await;
    let world = World::with(Backend::Servers, |config| {
        config.ephemeral = format!("redis://127.0.0.1:{port}/0");
    })
    .await;
    world.add(&Person::ANNA).await;
    let portal = world.relying_party();
    let mut browser = world.browser();
    browser.open(&portal.authorize_url(&[])).await;
    assert!(browser.has("login-page"), "{}", browser.text());

    // Every connection is cut: whoever comes next notices nothing.
    let at = format!("redis://127.0.0.1:{port}/0");
    let mut operator = redis::Client::open(at).unwrap().get_connection_manager().await.unwrap();
    for _ in 0..3 {
        let kill = redis::cmd("CLIENT").arg(&["KILL", "TYPE", "normal"]).to_owned();
        kill.query_async::<i64>(&mut operator).await.unwrap();
        browser.open(browser.page.url.to_string().as_str()).await;
        assert_eq!(browser.page.status, StatusCode::OK, "{}", browser.text());
        assert!(browser.has("login-page"), "{}", browser.text());
    }

    // It dies. The page says so and leads back to where the person was; what is redirected is counted as what it is.
    server.kill().await.unwrap();
    let form = browser.form_of("login-submit");
    browser
        .submit("login-submit", &[("email", Person::ANNA.email), ("password", Person::ANNA.password)])
        .await;
    assert_eq!(browser.page.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(browser.text().contains("Er ging iets mis bij ons"), "{}", browser.text());
    let back = form.0.to_string().trim_start_matches(&world.issuer).to_owned();
    let link = format!("href=\"{}\"", back.replace('&', "&amp;"));
    assert!(browser.page.body.contains(&link), "{link} in {}", browser.page.body);
    let mut other = world.browser();
    other.open(&portal.authorize_url(&[])).await;
    assert_eq!(portal.answered(&other, "error").as_deref(), Some("server_error"));
    assert_eq!(
        ready(&world.issuer).await,
        (StatusCode::SERVICE_UNAVAILABLE, "redis".into(), "refuses connections".into())
    );
    let text = world.idp.metrics.text();
    for line in [
        "sign_ins_total{portal=\"tests\",outcome=\"server_error\"} 1",
        "failures_total{cause=\"redis\"} 2",
        "error_pages_total{outcome=\"server-error\"} 1",
        "backend_up{backend=\"redis\"} 0",
        "backend_up{backend=\"database\"} 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }

    // It is back: so is the sign-in, at once.
    let _server = redis(port, &folder).await;
    browser.open(&format!("{}{back}", world.issuer)).await;
    browser.sign_in(&world, &Person::ANNA).await;
    assert!(portal.answered(&browser, "code").is_some(), "{}", browser.text());
    becomes(&world.issuer, READY).await;
    assert!(world.idp.metrics.text().contains("sign_ins_total{portal=\"tests\",outcome=\"signed_in\"} 1"));
    let _ = std::fs::remove_dir_all(&folder);
}

#[tokio::test]
async fn a_scrape_does_not_wait_for_a_database_that_hangs() {
    let world = World::new(Backend::Servers).await;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    let (_stop, shutdown) = Shutdown::channel();
    tokio::spawn(platform::serve::serve(listener, idp::router::metrics_router(&world.idp), shutdown));

    // Whoever touches these tables waits until this transaction ends, which it does not.
    let mut other =
        <sqlx::AnyConnection as sqlx::Connection>::connect(&world.idp.config.database).await.unwrap();
    sqlx::raw_sql("BEGIN; LOCK TABLE outbox, ephemeral IN ACCESS EXCLUSIVE MODE")
        .execute(&mut other)
        .await
        .unwrap();
    for _ in 0..3 {
        let text = timeout(LONG, async { reqwest::get(&url).await.unwrap().text().await.unwrap() }).await;
        assert!(text.expect("an answer").contains("# TYPE sign_ins"));
    }
    let (status, backend, reason) = timeout(LONG, ready(&world.issuer)).await.expect("an answer");
    assert_eq!((status, backend.as_str()), (StatusCode::SERVICE_UNAVAILABLE, "database"));
    assert_eq!(reason, "no answer in time");
    sqlx::raw_sql("ROLLBACK").execute(&mut other).await.unwrap();
    becomes(&world.issuer, READY).await;
}

#[tokio::test]
async fn a_node_whose_clock_is_not_the_databases_stops_being_ready() {
    let world = World::new(Backend::Servers).await;
    let now = Clock::system().now();
    let minutes = |minutes: i64| Clock::fixed(Timestamp(now.0 + minutes * 60_000));
    for (clock, compares, ready) in [
        (Clock::system(), true, true),
        (minutes(2), true, false),
        (minutes(-2), true, false),
        // A development configuration moves its clock by hand.
        (minutes(2), false, true),
    ] {
        let (idp, random) = (&world.idp, Random::system());
        let (db, ephemeral) = (idp.store.db(), &idp.ephemeral);
        let health =
            Health::new(db, &idp.config.database, ephemeral, &clock, &random, compares).await.unwrap();
        let report = health.report().await;
        assert_eq!(report.is_ready(), ready, "{clock:?} {report:?}");
        if !ready {
            assert_eq!(report.troubles[0].backend, "clock");
        }
    }
}

#[tokio::test]
async fn every_refusal_leaves_its_reason_client_and_identifier_in_the_log() {
    let log = Log::keep();
    let world = World::with(Backend::Embedded, |config| config.registration.enabled = true).await;
    let http = reqwest::Client::new();
    let url = |path: &str| format!("{}{path}", world.issuer);
    let secret = Some("web-secret");
    let form = |path: &str, form: &[(&str, &str)]| http.post(url(path)).basic_auth("web", secret).form(form);
    let code = [("grant_type", "authorization_code"), ("code", "x")];
    for (request, client, words) in [
        (form("/token", &code), "web", "the code is not known"),
        (form("/token", &[]), "web", "grant_type is missing"),
        (http.post(url("/token")).basic_auth("nobody", secret).form(&code), "nobody", "client"),
        (http.post(url("/token")).form(&[("client_id", "a\nb")]), "(none)", ""),
        (form("/introspect", &[]), "web", "token is missing"),
        (http.post(url("/introspect")).form(&[("client_id", "spa"), ("token", "x")]), "spa", ""),
        (form("/revoke", &[]), "web", "token is missing"),
        (form("/par", &[("request_uri", "x")]), "web", "request_uri cannot be pushed"),
        (http.get(url("/logout?client_id=web&id_token_hint=x")), "web", "id_token_hint is not"),
        (http.get(url("/logout?client_id=web&post_logout_redirect_uri=https://x")), "web", "not among"),
        (http.get(url("/authorize?client_id=web")), "web", "redirect_uri"),
        (http.post(url("/clients")).body("{}"), "(none)", "the token is missing"),
        (http.get(url("/clients/x")).bearer_auth("y"), "x", "the token is missing"),
    ] {
        let request = request.build().unwrap();
        let what = format!("{} {}", request.method(), request.url());
        let answer = http.execute(request).await.unwrap();
        let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
        let log = log.text();
        let of_request: Vec<&str> = log.lines().filter(|line| line.contains(&id)).collect();
        let is_told = |line: &&str| {
            line.contains(&format!("client=\"{client}\"")) && line.contains("reason=") && line.contains(words)
        };
        assert!(of_request.iter().any(is_told), "{what}: {client}, {words} in {of_request:#?}");
    }
}
