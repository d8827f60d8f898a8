//! What operators do on the command line is written down, and what they ask of the audit log is answered.

use std::fs;
use std::time::Duration;

use platform::clock::Clock;
use serde_json::Value;
use sqlx::AnyConnection;
use sqlx::Connection as _;
use tests::{Backend, Person, World};

use crate::acts::{at_sign_in, is_back, lock, refused, signed_in};
use crate::data::Operator;

const DAY: Duration = Duration::from_hours(24);

/// The rows that an export with these words prints, the newest first.
fn export(operator: &Operator, words: &str) -> Vec<Value> {
    let ran = operator.run(&format!("audit export {words}"));
    assert!(ran.ok, "{ran:?}");
    ran.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// For nights without a desk: an account is looked at, kept out and let in, opened, signed out, exported and deleted, each with
/// who did it and why.
#[tokio::test]
async fn an_operator_helps_one_account_at_night_and_each_act_says_who_and_why() {
    for backend in Backend::ALL {
        let world = World::at(Clock::system(), backend, |_| ()).await;
        let id = world.add(&Person::ANNA).await.id;
        let mut anna = signed_in(&world, &Person::ANNA).await;
        let operator = beside(&world);
        let why = "--reason 'gebeld door de dochter' --by nachtdienst";
        let run = |words: &str| operator.run(&format!("accounts {words} --account anna@example.nl {why}"));
        let show = || {
            let ran = operator.run("accounts show --account anna@example.nl --json");
            serde_json::from_str::<Value>(&ran.out).unwrap_or_else(|_| panic!("{ran:?}"))
        };
        let shown = show();
        assert_eq!(
            (&shown["sessions"], &shown["phone"], &shown["locked_until"]),
            (&1.into(), &true.into(), &Value::Null)
        );
        assert!(operator.run("accounts show --account anna@example.nl").out.contains("anna@example.nl"));
        let ran = operator.run("accounts show --account niemand@example.nl");
        assert!(!ran.ok && ran.err.contains("no such account"), "{ran:?}");
        // One of so many ids begins with a hyphen.
        for command in ["accounts show --account", "audit export --account", "keys revoke --kid"] {
            let ran = operator.run(&format!("{command} -jtDsxVtO5kTwSkd6PHBg"));
            assert!(!ran.err.contains("unexpected argument"), "{ran:?}");
        }

        // A lock is opened, once.
        lock(&world, &Person::ANNA).await;
        assert!(show()["locked_until"].is_string());
        assert!(run("unlock").ok && show()["locked_until"].is_null());
        assert!(run("unlock").err.contains("not locked"));
        // Signed out everywhere.
        assert!(run("end-sessions").ok && show()["sessions"] == 0);
        anna.open(&format!("{}/account", world.issuer)).await;
        assert!(anna.has("login-page"), "{}", anna.text());
        assert!(run("end-sessions").err.contains("nobody is signed in"));
        // Kept out, and let in again.
        assert!(run("block").ok && show()["blocked_at"].is_string());
        refused(&mut at_sign_in(&world).await, &Person::ANNA, Person::ANNA.password).await;
        assert!(run("block").err.contains("blocked already"));
        assert!(run("unblock").ok && run("unblock").err.contains("not blocked"));
        signed_in(&world, &Person::ANNA).await;
        assert!(run("reset-factors").err.contains("no app, no passkey"));
        // What is kept, as the holder gets it; and a name that is none.
        let kept: Value = serde_json::from_str(&run("export").out).unwrap();
        assert_eq!(kept["account"]["email"], Person::ANNA.email);
        let nameless =
            operator.run("accounts block --account anna@example.nl --reason 'telefoon verloren' --by ''");
        assert!(!nameless.ok && nameless.err.contains("--by"), "{nameless:?}");
        // Gone, and everything with it.
        assert!(run("delete").ok);
        let ran = run("delete");
        assert!(!ran.ok && ran.err.contains("no such account"), "{ran:?}");
        assert!(world.idp.store.account(&id).await.unwrap().is_none());
        let subjects: Vec<String> =
            world.mails(Person::ANNA.email).await.into_iter().map(|mail| mail.subject).collect();
        assert!(subjects.contains(&"Uw account is verwijderd".to_owned()), "{subjects:?}");

        let rows = world.idp.store.audit(Some(&id), 100).await.unwrap();
        for event in
            ["unlocked", "session-ended", "blocked", "unblocked", "data-downloaded", "account-deleted"]
        {
            let row = rows.iter().find(|row| row.event == event && row.actor_id.is_some());
            let row = row.unwrap_or_else(|| panic!("{event}: {rows:?}"));
            assert_eq!(row.actor_id.as_deref(), Some("operator:nachtdienst"), "{event}");
            assert_eq!(row.detail, "gebeld door de dochter", "{event}");
        }
    }
}

#[test]
fn every_command_that_changes_or_copies_something_leaves_a_row_with_who_did_it() {
    let operator = Operator::new();
    let created = operator.create(&Person::ANNA);
    let id: Value = serde_json::from_str(&created.out).unwrap();
    for command in [
        "keys rotate --alg ES256",
        "registration token --note leverancier",
        "backup --to ../copy.db",
        "audit export",
        "accounts remove-phone --account anna@example.nl --reason 'telefoon verloren'",
        "restore --from ../copy.db",
    ] {
        if command.starts_with("restore") {
            // The backup is of before; what the live one says of it is read first.
            let rows = export(&operator, "");
            let events: Vec<&str> = rows.iter().map(|row| row["event"].as_str().unwrap()).collect();
            assert_eq!(
                events,
                [
                    "phone-removed",
                    "audit-exported",
                    "backup-made",
                    "registration-token-made",
                    "keys-rotated",
                    "registered"
                ]
            );
            assert!(rows.iter().all(|row| row["actor"] == "operator:beheer"), "{rows:?}");
            assert_eq!(rows[0]["detail"], "telefoon verloren");
        }
        let ran = operator.run(command);
        assert!(ran.ok, "{command}: {ran:?}");
    }
    let restored = export(&operator, "--event backup-restored");
    assert_eq!(restored.len(), 1);
    assert_eq!(
        (&restored[0]["actor"], &restored[0]["detail"]),
        (&"operator:beheer".into(), &"copy.db".into())
    );

    let kid = operator.run("keys list --json");
    let keys: Value = serde_json::from_str(&kid.out).unwrap();
    let kid = keys[0]["kid"].as_str().unwrap();
    assert!(operator.run(&format!("keys revoke --kid {kid}")).ok);
    assert_eq!(export(&operator, "--event key-revoked")[0]["detail"], kid);

    // Filters, alone and together; by address and by id.
    for account in ["anna@example.nl", "ANNA@example.nl", id["account"].as_str().unwrap()] {
        let rows = export(&operator, &format!("--account {account} --event registered"));
        assert_eq!(rows.len(), 1, "{account}");
    }
    let (at, later) = ("2020-01-01T00:00:00Z", "2020-01-02");
    assert!(export(&operator, &format!("--from {at} --until {later}")).is_empty());
    assert!(!export(&operator, "--from 2020-01-01").is_empty());
    for wrong in ["--from gisteren", "--event ingelogd", "--until 2020-13-01"] {
        assert!(!operator.run(&format!("audit export {wrong}")).ok, "{wrong}");
    }
}

/// Writes a configuration for the binary on the databases of a world.
fn beside(world: &World) -> Operator {
    let operator = Operator::new();
    operator.configure(&world.idp.config.database, "root.key");
    operator
}

#[tokio::test]
async fn a_row_says_in_which_request_and_organisation_it_came_about() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let carla = world.add(&Person::CARLA).await;
        signed_in(&world, &Person::CARLA).await;
        let rows = export(&beside(&world), &format!("--account {} --event signed-in", carla.id.0));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0]["organisation"], "zonnehof");
        assert!(rows[0]["request"].as_str().is_some_and(|id| id.len() > 10), "{rows:?}");
    }
}

#[tokio::test]
async fn rows_and_devices_go_when_the_configuration_says_so_and_not_a_day_before() {
    for backend in Backend::ALL {
        let world = World::with(backend, |config| {
            config.retention.audit_days = 120;
            config.retention.devices_days = 60;
        })
        .await;
        let anna = world.add(&Person::ANNA).await;
        let mut browser = signed_in(&world, &Person::ANNA).await;
        let count = async || {
            let rows = world.idp.store.audit(Some(&anna.id), 100).await.unwrap().len();
            (rows > 0, world.idp.store.devices(&anna.id).await.unwrap().len())
        };
        let clean_up = async || idp::operators::jobs::clean_up(&world.idp).await.unwrap();
        // The device was trusted for thirty days, and is kept for sixty more.
        world.advance(DAY * 90);
        clean_up().await;
        assert_eq!(count().await, (true, 1));
        world.advance(Duration::from_millis(1));
        clean_up().await;
        assert_eq!(count().await, (true, 0));
        world.advance(DAY * 30);
        clean_up().await;
        assert_eq!(count().await, (false, 0));
        // A browser that was forgotten is asked for a code again.
        browser.open(&world.relying_party().authorize_url(&[])).await;
        browser.give_password(&Person::ANNA).await;
        assert!(browser.has("otp"), "{}", browser.text());
    }
}

#[tokio::test]
async fn who_lost_the_phone_gets_in_with_another_after_an_operator_removed_it_and_is_told() {
    for backend in Backend::ALL {
        // The command has the system's clock.
        let world = World::at(Clock::system(), backend, |_| ()).await;
        let anna = world.add(&Person::ANNA).await;
        let mut browser = signed_in(&world, &Person::ANNA).await;
        let operator = beside(&world);
        for (words, why) in [
            ("--account niemand@example.nl --reason verloren", "no such account"),
            ("--account anna@example.nl --reason 0612345678", "--reason"),
        ] {
            let ran = operator.run(&format!("accounts remove-phone {words}"));
            assert!(!ran.ok && ran.err.contains(why), "{ran:?}");
        }
        let ran =
            operator.run("accounts remove-phone --account anna@example.nl --reason 'telefoon verloren'");
        assert!(ran.ok, "{ran:?}");
        let again =
            operator.run("accounts remove-phone --account anna@example.nl --reason 'telefoon verloren'");
        assert!(!again.ok && again.err.contains("no phone number"), "{again:?}");

        // The holder is told, at the address and at the number.
        let mail = world.mails(Person::ANNA.email).await.pop().unwrap();
        assert!(mail.text.contains("Telefoonnummer weggehaald"), "{}", mail.text);
        let sms = world.texts(Person::ANNA.phone).await.pop().unwrap();
        assert!(sms.text.contains("gebruikt dit telefoonnummer niet meer"), "{}", sms.text);

        // Sessions and known devices have ended; the password is asked, then a new number.
        assert!(world.idp.store.devices(&anna.id).await.unwrap().is_empty());
        browser.open(&world.relying_party().authorize_url(&[("prompt", "none")])).await;
        assert_eq!(world.relying_party().answered(&browser, "error").as_deref(), Some("login_required"));
        browser.open(&world.relying_party().authorize_url(&[])).await;
        browser.give_password(&Person::ANNA).await;
        assert!(!is_back(&browser) && browser.text().contains("telefoonnummer"), "{}", browser.text());
        let rows = export(&operator, "--event phone-removed");
        assert_eq!((&rows[0]["account"], &rows[0]["actor"]), (&anna.id.0.into(), &"operator:beheer".into()));
    }
}

/// Runs a statement on the embedded database of an operator.
async fn change(operator: &Operator, sql: &'static str) {
    sqlx::any::install_default_drivers();
    let url = format!("sqlite:{}", operator.file("idp.db").display());
    let mut connection = AnyConnection::connect(&url).await.unwrap();
    sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

#[tokio::test]
async fn only_serve_and_migrate_change_a_schema_and_every_other_command_says_which_it_found() {
    let operator = Operator::new();
    assert!(operator.create(&Person::ANNA).ok);
    // As the version before left it.
    change(
        &operator,
        "DROP TABLE facts; DROP INDEX audit_by_age; DROP INDEX devices_by_age;
         ALTER TABLE audit DROP COLUMN organisation; ALTER TABLE audit DROP COLUMN request_id;
         DROP INDEX grants_by_account; DROP INDEX grants_by_client; DROP INDEX consents_by_client;
         DROP INDEX accounts_unconfirmed; DROP INDEX accounts_without_search_name; DROP INDEX mail_links_by_expiry;
         DROP INDEX sessions_by_end; DROP INDEX sessions_by_expiry; DROP INDEX outbox_by_attempt_and_age;
         CREATE INDEX outbox_by_attempt ON outbox (next_attempt_at);
         DROP TABLE refused_addresses; ALTER TABLE outbox DROP COLUMN lane;
         DROP TABLE client_origins; DROP TABLE asked_algorithms; DROP TABLE totp;
         DROP TABLE recovery_codes;
         ALTER TABLE clients DROP COLUMN logo_uri; ALTER TABLE clients DROP COLUMN logo;
         ALTER TABLE sessions DROP COLUMN proofs; DROP TABLE passkeys;
         ALTER TABLE signing_keys_version DROP COLUMN clients_version;
         DELETE FROM _sqlx_migrations WHERE version >= 17",
    )
    .await;
    let before = fs::read(operator.file("idp.db")).unwrap();
    for command in ["keys list", "audit export", "registration token --note test"] {
        let ran = operator.run(command);
        assert!(!ran.ok && ran.err.contains("has schema 16, this program knows"), "{command}: {ran:?}");
    }
    assert!(!operator.create(&Person::BRAM).ok);
    let ran = operator.run("migrate");
    assert!(!ran.ok && ran.err.contains("--yes"), "{ran:?}");
    assert_eq!(fs::read(operator.file("idp.db")).unwrap(), before);

    // A backup is made of what there is, before going up; putting it back is going back.
    let ran = operator.run("backup --to ../before.db");
    assert!(ran.ok && ran.err.contains("has schema 16;") && ran.out.contains("Schema 16"), "{ran:?}");
    let ran = operator.run("migrate --yes");
    assert!(ran.ok && ran.out.contains("schema 16 to"), "{ran:?}");
    assert!(operator.run("migrate").out.contains("nothing to do"));
    assert_eq!(export(&operator, "--event schema-changed").len(), 1);
    let ran = operator.run("restore --from ../before.db");
    assert!(ran.ok && ran.out.contains("Schema 16"), "{ran:?}");
    assert!(operator.run("migrate --yes").ok);
    assert_eq!(operator.accounts(), 1);

    // A newer version was here. As long as it says that this one may, this one works; then no more.
    let newer = "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
                 VALUES (9999, 'of tomorrow', TRUE, x'00', 0)";
    change(&operator, newer).await;
    let ran = operator.run("keys list");
    assert!(ran.ok && ran.err.contains("has schema 9999; this program knows"), "{ran:?}");
    change(&operator, "UPDATE facts SET value = '9999' WHERE name = 'oldest_schema'").await;
    for command in ["serve", "keys list", "backup --to copy.db", "migrate --yes", "audit export"] {
        let ran = operator.run(command);
        assert!(!ran.ok && ran.err.contains("has schema 9999, this program knows"), "{command}: {ran:?}");
    }
}
