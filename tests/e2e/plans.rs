//! What statements cost does not grow with what others did: each finds its rows by an index. Told by the engines' own plans,
//! for every statement in the sources.

use std::collections::BTreeSet;
use std::fs;

use platform::db::{AssertSqlSafe, Db, Engine, Query};
use sqlx::Connection as _;
use tests::{Backend, World};

use crate::acts::tables;
use crate::architecture::{root, sources};

/// A statement that may walk a whole table: where it is, how it begins, and why.
const MAY_WALK: &[(&str, &str, &str)] = &[
    ("idp/src/store/members.rs", "SELECT *, ", "a word is looked for in all names of an organisation"),
    ("idp/src/store/members.rs", "SELECT id, given_name, ", "the first of what is left to do"),
    ("portal-client/src/app.rs", "SELECT bsn FROM links", "the first one"),
    ("idp/src/store/clients.rs", "DELETE FROM initial_access_tokens ", "as many as an operator made by hand"),
];

/// Indexes of a part of a table, which are read from their beginning: to find one row, or what is left to do.
const OF_A_PART: [&str; 2] = ["accounts_without_search_name", "links_with_bsn"];

/// Rows of each table on the server, so that its planner chooses as it would in use.
const ROWS: u32 = 60_000;

/// What stands in the braces of a statement that is put together; each of several is a statement.
fn filled(text: &str) -> Vec<String> {
    let within = match text {
        text if text.contains("{SEEN}") && text.contains("$6") => {
            "role = 'user' AND (organisation = $2 OR (organisation IS NULL AND $7 = 1))"
        }
        text if text.contains("{SEEN}") => {
            "role = 'user' AND (organisation = $2 OR (organisation IS NULL AND $4 = 1))"
        }
        _ => "role = 'user' AND (organisation = $1 OR (organisation IS NULL AND $3 = 1))",
    };
    let parts: &[(&str, &[&str])] = &[
        ("{COLUMNS}", &["*"]),
        ("{DEVICE_COLUMNS}", &["devices.*"]),
        ("{BY_ANYBODY}", &["('sign-in-failed', 'locked')"]),
        ("{DAY_MILLIS}", &["86400000"]),
        ("{table}", &["consents", "client_origins"]),
        ("{column}", &["id", "email", "username"]),
        (
            "{SEEN}",
            &["(SELECT MAX(lockouts.locked_until) FROM lockouts
               WHERE lockouts.account_id = accounts.id AND lockouts.locked_until > $1)"],
        ),
        ("{within}", &[within]),
        // Put together of the conditions that are wanted. One event among all, which an operator may ask for, walks.
        (
            "FROM audit LEFT JOIN accounts ON accounts.id = account_id",
            &[
                "FROM audit LEFT JOIN accounts ON accounts.id = account_id
                 WHERE audit.account_id = $1 ORDER BY at DESC, audit.id DESC LIMIT 100",
                "FROM audit LEFT JOIN accounts ON accounts.id = account_id
                 WHERE audit.at >= $1 AND audit.at < $2 ORDER BY at DESC, audit.id DESC LIMIT 100",
            ],
        ),
        ("{apart}", &["", "AND lane NOT IN ($3, $4)"]),
    ];
    let mut texts = vec![text.to_owned()];
    for (name, values) in parts {
        texts = texts
            .iter()
            .flat_map(|text| {
                let values = if text.contains(name) { *values } else { &[""] };
                values.iter().map(|value| text.replace(name, value)).collect::<Vec<_>>()
            })
            .collect();
    }
    texts
}

/// The string literals of a source that are statements.
fn statements(source: &str) -> Vec<String> {
    let source = source.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let begins = ["\"SELECT ", "\"INSERT ", "\"UPDATE ", "\"DELETE ", "\"WITH "];
    let found = begins.iter().flat_map(|word| source.match_indices(word)).map(|(at, _)| {
        let text = &source[at + 1..];
        let end = text.match_indices('"').find(|(at, _)| !text[..*at].ends_with('\\'));
        let literal = &text[..end.expect("an end of the literal").0];
        literal.replace("\\\n", "").split_whitespace().collect::<Vec<_>>().join(" ")
    });
    found.collect()
}

/// The statements of some folders, each with its file.
fn all(folders: &[&str]) -> Vec<(String, String)> {
    let files = folders.iter().flat_map(|folder| sources(&root().join(folder)));
    let files = files.filter(|file| !file.to_str().unwrap().contains("tests"));
    let mut all = Vec::new();
    for file in files {
        let name = file.strip_prefix(root()).unwrap().to_str().unwrap().to_owned();
        for text in statements(&fs::read_to_string(&file).unwrap()) {
            for text in filled(&text) {
                assert!(!text.contains('{'), "{name}: what stands in the braces of {text}?");
                all.push((name.clone(), text));
            }
        }
    }
    all
}

/// How often the sources of some folders ask for something.
fn asked(folders: &[&str]) -> usize {
    let files = folders.iter().flat_map(|folder| sources(&root().join(folder)));
    let files = files.filter(|file| !file.to_str().unwrap().contains("tests"));
    files.map(|file| fs::read_to_string(file).unwrap().matches("Query::new(").count()).sum()
}

/// What a plan says that walks a table of `tables`.
fn walk(plan: &[String], tables: &BTreeSet<String>) -> Option<String> {
    let is_grown = |line: &str, word: &str| {
        let table = line.split(word).nth(1)?.split_whitespace().next()?.to_owned();
        tables.contains(&table).then_some(table)
    };
    plan.iter().enumerate().find_map(|(index, line)| {
        let of_sqlite = line.starts_with("SCAN ").then(|| is_grown(line, "SCAN ")).flatten();
        let of_postgres = line.contains("Seq Scan on ").then(|| is_grown(line, "Seq Scan on ")).flatten();
        // An index that is read from one end to the other.
        let conditions = plan[index + 1..].iter().take_while(|line| !line.contains("->"));
        let is_bound = conditions.into_iter().any(|line| line.contains("Index Cond"));
        let whole = (line.contains("Index Scan") || line.contains("Index Only Scan")) && !is_bound;
        let of_index = whole.then(|| is_grown(line, " on ")).flatten();
        let found = of_sqlite.or(of_postgres).or(of_index).map(|_| line.trim().to_owned());
        found.filter(|line| !OF_A_PART.iter().any(|index| line.contains(index)))
    })
}

/// The tables that grow: not those that are as large as the configuration, or smaller.
async fn growing(db: &Db) -> BTreeSet<String> {
    let small = ["signing_keys", "facts", "clients", "client_origins"];
    tables(db).await.into_iter().filter(|name| !small.contains(&name.as_str())).collect()
}

/// Fills a table with rows of different texts and numbers, and nothing in half of what may be empty. What belongs together in
/// two tables does not.
async fn fill(connection: &mut sqlx::AnyConnection, table: &str) {
    let columns = "SELECT CAST(column_name AS TEXT), CAST(data_type AS TEXT), CAST(is_nullable AS TEXT)
                   FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1";
    let columns = sqlx::query(columns).bind(table).fetch_all(&mut *connection).await.unwrap();
    let (mut names, mut values) = (Vec::new(), Vec::new());
    for column in &columns {
        let [name, kind, may_be_empty] = [0, 1, 2].map(|index| sqlx::Row::get::<String, _>(column, index));
        let value = if kind == "bigint" { "row".to_owned() } else { format!("md5('{name}' || row)") };
        let empty = may_be_empty == "YES";
        values.push(if empty { format!("CASE WHEN row % 2 = 0 THEN {value} END") } else { value });
        names.push(name);
    }
    let (names, values) = (names.join(", "), values.join(", "));
    let sql = format!(
        "SET session_replication_role = replica;
         INSERT INTO {table} ({names}) SELECT {values} FROM generate_series(1, {ROWS}) AS row ON CONFLICT DO NOTHING;
         ANALYZE {table}"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(connection).await.unwrap();
}

async fn plan_of_sqlite(db: &Db, sql: &str) -> Result<Vec<String>, String> {
    let placeholders = (1..30).filter(|number| sql.contains(&format!("${number}"))).count();
    let query = Query::new(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}")));
    let query = (0..placeholders.max(12)).fold(query, |query, _| query.bind(None::<&str>));
    let rows = query.fetch_all(db).await.map_err(|error| error.to_string())?;
    Ok(rows.iter().map(|row| row.try_get("detail").unwrap()).collect())
}

async fn plan_of_postgres(connection: &mut sqlx::AnyConnection, sql: &str) -> Result<Vec<String>, String> {
    let most = (1..30).rev().find(|number| sql.contains(&format!("${number}"))).unwrap_or(0);
    let nulls = vec!["NULL"; most].join(", ");
    let values = if most == 0 { String::new() } else { format!("({nulls})") };
    let run = async |connection: &mut sqlx::AnyConnection, text: String| {
        sqlx::raw_sql(AssertSqlSafe(text)).fetch_all(connection).await
    };
    run(connection, format!("PREPARE one AS {sql}")).await.map_err(|error| error.to_string())?;
    let rows = run(connection, format!("EXPLAIN EXECUTE one{values}")).await;
    run(connection, "DEALLOCATE one".to_owned()).await.unwrap();
    let rows = rows.map_err(|error| error.to_string())?;
    Ok(rows.iter().map(|row| sqlx::Row::get(row, 0)).collect())
}

#[tokio::test]
async fn no_statement_walks_a_table_that_grows() {
    let mut walks = BTreeSet::new();
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let stores = [
            (world.idp.store.db(), &world.idp.config.database, vec!["idp/src", "platform/src/ephemeral"]),
            (
                &world.portal.db,
                &world.portal.settings.database,
                vec!["portal-client/src", "platform/src/ephemeral"],
            ),
        ];
        for (db, url, folders) in stores {
            let (tables, all) = (growing(db).await, all(&folders));
            assert!(all.len() >= asked(&folders), "{folders:?}: only {} statements were found", all.len());
            let mut postgres = None;
            if db.engine() == Engine::Postgres {
                let mut connection = sqlx::AnyConnection::connect(url).await.unwrap();
                for table in &tables {
                    fill(&mut connection, table).await;
                }
                sqlx::raw_sql("SET plan_cache_mode = force_generic_plan")
                    .execute(&mut connection)
                    .await
                    .unwrap();
                postgres = Some(connection);
            }
            for (file, sql) in all {
                let plan = match &mut postgres {
                    None => plan_of_sqlite(db, &sql).await,
                    Some(connection) => plan_of_postgres(connection, &sql).await,
                };
                let plan = plan.unwrap_or_else(|error| panic!("{file}: {sql}: {error}"));
                let may =
                    MAY_WALK.iter().any(|(where_, begins, _)| *where_ == file && sql.starts_with(begins));
                if let Some(line) = walk(&plan, &tables).filter(|_| !may) {
                    walks.insert(format!("{file}: {sql}\n    {line}"));
                }
            }
        }
    }
    assert!(walks.is_empty(), "{}", walks.into_iter().collect::<Vec<_>>().join("\n"));
}
