//! What stands in no log, mail subject, URL or unsealed column, after somebody did everything once.

use platform::db::{AssertSqlSafe, Db, Query};
use reqwest::StatusCode;
use tests::{Backend, Browser, Person, World};

use crate::acts::tables;
use crate::care::{BIRTH_DATE, BSN, activate, at_portal, issue_code, request, section};
use crate::desk::{mailed_password, make, open, page_of};
use crate::log_lines::Log;

/// Every value of every table, a line each.
async fn dump(db: &Db, into: &mut String) {
    for table in tables(db).await {
        let sql = AssertSqlSafe(format!("SELECT * FROM {table}"));
        for row in Query::new(sql).fetch_all(db).await.unwrap() {
            for (column, name) in row.names().iter().enumerate() {
                let text = match row.try_get::<Option<String>, _>(column) {
                    Ok(text) => text.unwrap_or_default(),
                    Err(_) => row.try_get::<Option<i64>, _>(column).unwrap().unwrap_or_default().to_string(),
                };
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
        let kept = Log::keep();
        let world = World::with(backend, |config| {
            config.accounts.first_password = idp::config::FirstPassword::Temporary;
        })
        .await;
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

        // The desk makes an account; the mail with its password waits, sealed. Numbers are searched for and given as reasons.
        let eva = Person { email: "eva@example.nl", phone: "+31613131313", ..dora };
        open(&world, &mut carla, "/desk").await;
        carla.submit("desk-search", &[("search", BSN)]).await;
        assert!(carla.has("desk-new"), "{}", carla.text());
        make(&world, &mut carla, &eva).await;
        dump_all(&world, &mut state).await;
        keep(mailed_password(&world, &eva).await);
        open(&world, &mut carla, &format!("{}/block", page_of(&world, &eva).await)).await;
        carla.submit("desk-submit", &[("reason", &format!("bewoner {BSN}"))]).await;
        assert_eq!(carla.page.status, StatusCode::UNPROCESSABLE_ENTITY);
        keep(&eva.phone[3..]);

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

        let log = kept.text();
        drop(kept);
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
