//! Rows by the million: those of one person, written by the store, are multiplied within the database, so that all of them
//! read like real ones.
//!
//! Keys are random in reality, but millions of rows in random order would read and write a page of each index for each row.
//! So they come in a few sweeps, each in the order of its keys: pages are written where the last ones were, and what the
//! second sweep puts between the rows of the first splits them, as random keys would, so that an index is no fuller
//! than a real one.

use std::time::Duration;

use idp::domain::account::AccountId;
use idp::domain::journey::{Method, Proofs};
use idp::store::Store;
use idp::store::audit::Event;
use idp::store::grants::{GrantDetails, NewGrant, NewRefreshToken};
use idp::store::sessions::SignedIn;
use platform::db::{AssertSqlSafe, Engine, Query, file_of};
use platform::seal::sha256;

use crate::load::VERIFIER;
use crate::server::{APP, REDIRECT_URI};

/// What people did in a year: so many rows in the audit log each.
const AUDIT_ROWS: usize = 6;
const YEAR_MS: usize = 365 * 24 * 3_600_000;
/// How often the keys of a table are gone through: two leave an index three quarters full.
const SWEEPS: usize = 2;

/// The names of the expressions that make something another one's, by table.
type Columns = &'static [(&'static str, Own)];

/// What a column gets instead of the template's value.
#[derive(Clone, Copy)]
enum Own {
    /// A value of its own, as long as the template's; of account `i` it is known to the other tables.
    Scattered,
    /// The account's.
    OfAccount,
    Email,
    /// A moment in the year before the template's, later for each row.
    Earlier,
}

const TABLES: [(&str, Columns, usize); 6] = [
    ("accounts", &[("id", Own::Scattered), ("subject", Own::Scattered), ("email", Own::Email)], 1),
    (
        "devices",
        &[("id", Own::Scattered), ("account_id", Own::OfAccount), ("secret_hash", Own::Scattered)],
        1,
    ),
    (
        "sessions",
        &[
            ("id", Own::Scattered),
            ("secret_hash", Own::Scattered),
            ("account_id", Own::OfAccount),
            ("device_id", Own::OfAccount),
        ],
        1,
    ),
    (
        "grants",
        &[
            ("id", Own::Scattered),
            ("session_id", Own::OfAccount),
            ("account_id", Own::OfAccount),
            ("code_hash", Own::Scattered),
        ],
        1,
    ),
    ("refresh_tokens", &[("token_hash", Own::Scattered), ("grant_id", Own::OfAccount)], 1),
    ("audit", &[("id", Own::Scattered), ("account_id", Own::OfAccount), ("at", Own::Earlier)], AUDIT_ROWS),
];

/// Adds so many people to those of `account`'s database, each with a device, a session, a grant, a refresh token and
/// what they did in a year.
pub async fn fill(store: &Store, url: &str, account: &AccountId, count: usize) {
    let engine = store.db().engine();
    let keys = template(store, account).await;
    let mut statements = Vec::new();
    for ((table, own, each), (key, value)) in TABLES.iter().zip(&keys) {
        let select = format!("SELECT * FROM {table} WHERE {key} = '{value}'");
        let row = Query::new(AssertSqlSafe(select.clone())).fetch_one(store.db()).await.unwrap();
        let names = row.names();
        let values: Vec<String> = names
            .iter()
            .map(|name| match own.iter().find(|(column, _)| column == name) {
                Some((_, own)) => expression(*own, name, engine, count, *each),
                None => format!("t.{name}"),
            })
            .collect();
        let (names, values, rows) = (names.join(", "), values.join(", "), count * each);
        statements.push(match engine {
            Engine::Postgres => format!(
                "INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {rows}::BIGINT) AS s(i), \
                 ({select}) AS t"
            ),
            // Of the same table it would make a copy of all rows first.
            Engine::Sqlite => format!(
                "CREATE TEMP TABLE t AS {select};
                 WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows})
                 INSERT INTO main.{table} ({names}) SELECT {values} FROM s, t;
                 DROP TABLE t"
            ),
        });
    }
    match engine {
        Engine::Postgres => {
            statements.push("ANALYZE".into());
            let mut write = store.begin_write().await.unwrap();
            // Whether each row's account is there need not be asked; until the commit.
            let trusting = Query::new("SELECT set_config('session_replication_role', 'replica', TRUE)");
            trusting.fetch_one(&mut write).await.unwrap();
            for statement in statements {
                Query::new(AssertSqlSafe(statement)).execute(&mut write).await.unwrap();
            }
            write.commit().await.unwrap();
        }
        Engine::Sqlite => {
            store.db().close().await;
            let connection = rusqlite::Connection::open(file_of(url).unwrap()).unwrap();
            let fast = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; \
                        PRAGMA cache_size = -1000000";
            connection.execute_batch(fast).unwrap();
            for statement in statements {
                connection.execute_batch(&format!("BEGIN; {statement}; COMMIT")).unwrap();
            }
            connection.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        }
    }
}

/// Gives one person a row in each table, in the order of [`TABLES`]: the key of each.
async fn template(store: &Store, account: &AccountId) -> [(&'static str, String); 6] {
    let (session_secret, code, token) = ("a-template-session", "a-template-code", "a-template-token");
    let now = platform::clock::Clock::system().now();
    let device = store.devices(account).await.unwrap().remove(0).id;
    let mut write = store.begin_write().await.unwrap();
    let session = store.insert_session(
        &mut write,
        session_secret,
        &SignedIn {
            account_id: account,
            device_id: Some(&device),
            label: "Firefox, Linux",
            proofs: Proofs::default().with(Method::Password, now),
            lifetime: Duration::from_hours(12),
        },
    );
    let details = GrantDetails {
        nonce: Some("the-nonce".into()),
        acr: "urn:voordeur:acr:password".into(),
        amr: vec!["pwd".into()],
        auth_time: now,
        claims: idp::protocol::claims::RequestedClaims::default(),
        resource: None,
        jkt: None,
    };
    let challenge = sha256(VERIFIER);
    let grant = NewGrant {
        session_id: &session,
        account_id: account,
        client_id: APP[0].id,
        redirect_uri: REDIRECT_URI,
        scope: "openid offline_access",
        code_challenge: Some(&challenge),
        details: &details,
        code,
        code_lifetime: Duration::from_mins(1),
    };
    store.insert_grant(&mut write, &grant).unwrap();
    store.note(&mut write, Event::SignedIn, account, Some(APP[0].id), "Firefox, Linux");
    write.commit().await.unwrap();
    let grant = store.grant_of_code(code, APP[0].id).await.unwrap().expect("the grant").id;
    let expires_at = now.plus(Duration::from_hours(24 * 30));
    let refresh = NewRefreshToken { grant_id: &grant, token, expires_at };
    assert!(store.redeem_code(&grant, &details, Some(refresh)).await.unwrap(), "the code is new");
    [
        ("id", account.0.clone()),
        ("id", device),
        ("id", session),
        ("id", grant),
        ("token_hash", sha256(token)),
        ("account_id", account.0.clone()),
    ]
}

fn expression(own: Own, column: &str, engine: Engine, count: usize, each: usize) -> String {
    // Steps of an odd number through the numbers of 32 bits: none comes twice.
    let key = |i: &str, rows: usize| {
        let step = ((SWEEPS << 32) / rows) | 1;
        match engine {
            Engine::Postgres => format!("lpad(to_hex((({i}) * {step}) & 4294967295), 8, '0')"),
            Engine::Sqlite => format!("printf('%08x', (({i}) * {step}) & 4294967295)"),
        }
    };
    let rows = count * each;
    match own {
        Own::Scattered => format!("{} || substr(t.{column}, 9)", key("i", rows)),
        Own::OfAccount => {
            format!("{} || substr(t.{column}, 9)", key(&format!("(i - 1) % {count} + 1"), count))
        }
        Own::Email => "'gevuld-' || i || '@example.nl'".into(),
        Own::Earlier => format!("t.at - {YEAR_MS} + i * {YEAR_MS} / {rows}"),
    }
}
