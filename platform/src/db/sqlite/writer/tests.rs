//! Units of work that share a commit: all of one or nothing of it, and nobody answered too early.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::error::{DatabaseError as _, ErrorKind};
use tokio::task::{JoinSet, yield_now};

use super::*;
use crate::db::query::Query;
use crate::db::sqlite::Sqlite;
use crate::random::Random;

/// A database with one table, in a folder that goes away.
struct Place {
    folder: PathBuf,
    db: Sqlite,
    commits: Arc<AtomicUsize>,
}

impl Place {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("voordeur-db-{}", Random::system().id()));
        std::fs::create_dir_all(&folder).unwrap();
        let file = folder.join("test.db");
        std::fs::File::create(&file).unwrap();
        let db = Sqlite::open(&format!("file:{}?mode=rw", file.display()), true).unwrap();
        let commits = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&commits);
        let hook = move || {
            count.fetch_add(1, Ordering::Relaxed);
            false
        };
        db.writer.state().raw().unwrap().commit_hook(Some(hook)).unwrap();
        let place = Self { folder, db, commits };
        place.outside().execute_batch("CREATE TABLE t (k TEXT PRIMARY KEY, n BIGINT)").unwrap();
        place
    }

    /// A connection of another process, as far as SQLite can tell.
    fn outside(&self) -> Connection {
        Connection::open(self.folder.join("test.db")).unwrap()
    }

    /// How often the connection that writes has committed.
    fn commits(&self) -> usize {
        self.commits.load(Ordering::Relaxed)
    }

    /// What is durable.
    fn keys(&self) -> Vec<String> {
        let raw = self.outside();
        let mut statement = raw.prepare("SELECT k FROM t ORDER BY k").unwrap();
        statement.query_map([], |row| row.get(0)).unwrap().map(std::result::Result::unwrap).collect()
    }

    /// Runs units that all came before the first of them began: one transaction, as long as none leaves it. How each ended.
    async fn at_once(&self, units: Vec<Work>) -> Vec<Ended> {
        let turn = permit(&self.db.writer.turn).await.unwrap();
        let mut running = Vec::new();
        for work in units {
            let db = self.db.clone();
            running.push(tokio::spawn(async move { work.run(&db).await }));
            yield_now().await;
        }
        drop(turn);
        let mut ended = Vec::new();
        for unit in running {
            ended.push(unit.await.unwrap());
        }
        ended
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[derive(Clone, Copy)]
enum Work {
    /// Inserts this key and commits.
    Insert(&'static str),
    /// Inserts this key and goes away.
    Leave(&'static str),
    /// Inserts a key, and another one that is there already.
    Collide(&'static str, &'static str),
    /// Inserts so many bytes.
    Large(&'static str, usize),
}

#[derive(Debug, PartialEq, Eq)]
enum Ended {
    Durable,
    Left,
    Refused(ErrorKind, String),
}

impl Work {
    async fn run(self, db: &Sqlite) -> Ended {
        let mut unit = db.writer.begin(true).await.unwrap();
        let refused = |error: SqliteError| Ended::Refused(error.kind(), error.code.to_string());
        let keys = match self {
            Self::Insert(key) | Self::Leave(key) => vec![key.to_owned()],
            Self::Collide(first, second) => vec![first.to_owned(), second.to_owned()],
            Self::Large(key, bytes) => vec![format!("{key}{}", "x".repeat(bytes))],
        };
        for key in keys {
            if let Err(error) = unit.run(&insert(&key)) {
                return refused(error);
            }
            // Others get their turn to wait, not to write.
            yield_now().await;
        }
        if matches!(self, Self::Leave(_)) {
            return Ended::Left;
        }
        match unit.commit().await {
            Ok(()) => Ended::Durable,
            Err(sqlx::Error::Database(error)) => {
                Ended::Refused(error.kind(), error.code().unwrap_or_default().into_owned())
            }
            Err(error) => panic!("{error}"),
        }
    }
}

fn insert(key: &str) -> Query {
    // Its placeholders come in another order than their numbers.
    Query::new("INSERT INTO t (n, k) VALUES ($2, $1)").bind(key).bind(1)
}

#[tokio::test]
async fn whoever_is_answered_is_there_and_commits_are_fewer_than_units() {
    let place = Place::new();
    let mut units = JoinSet::new();
    for index in 0..300 {
        let db = place.db.clone();
        units.spawn(async move {
            let key = format!("{index:03}");
            let mut unit = db.writer.begin(true).await.unwrap();
            unit.run(&insert(&key)).unwrap();
            yield_now().await;
            unit.run(&Query::new("UPDATE t SET n = 2 WHERE k = $1").bind(key.as_str())).unwrap();
            unit.commit().await.unwrap();
            key
        });
    }
    while let Some(key) = units.join_next().await {
        let raw = place.outside();
        let n: i64 = raw.query_row("SELECT n FROM t WHERE k = ?1", [key.unwrap()], |row| row.get(0)).unwrap();
        assert_eq!(n, 2);
    }
    assert_eq!(place.keys().len(), 300);
    let commits = place.commits();
    assert!((1..100).contains(&commits), "{commits} commits");
}

#[tokio::test]
async fn units_that_wait_together_are_one_commit() {
    let place = Place::new();
    let work = ["a", "b", "c", "d"].map(Work::Insert).to_vec();
    assert!(place.at_once(work).await.iter().all(|ended| *ended == Ended::Durable));
    assert_eq!((place.keys().len(), place.commits()), (4, 1));
}

#[tokio::test]
async fn a_unit_that_fails_or_is_dropped_takes_nobody_with_it() {
    let place = Place::new();
    let work = [
        Work::Insert("a"),
        Work::Leave("b"),
        Work::Collide("c", "a"),
        Work::Insert("d"),
        Work::Leave("e"),
        Work::Insert("f"),
    ];
    let collided = Ended::Refused(ErrorKind::UniqueViolation, ffi::SQLITE_CONSTRAINT_PRIMARYKEY.to_string());
    assert_eq!(
        place.at_once(work.to_vec()).await,
        [Ended::Durable, Ended::Left, collided, Ended::Durable, Ended::Left, Ended::Durable]
    );
    assert_eq!(place.keys(), ["a", "d", "f"]);
}

#[tokio::test]
async fn a_disk_that_fills_up_in_the_middle_refuses_and_loses_nothing() {
    let place = Place::new();
    assert_eq!(place.at_once(vec![Work::Insert("before")]).await, [Ended::Durable]);
    {
        let state = place.db.writer.state();
        let raw = state.raw().unwrap();
        let pages: i64 = raw.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
        raw.query_row(&format!("PRAGMA max_page_count = {}", pages + 2), [], |_| Ok(())).unwrap();
    }
    let work = vec![Work::Insert("small"), Work::Large("large", 100_000), Work::Insert("after")];
    let ended = place.at_once(work).await;
    assert_eq!(ended[1], Ended::Refused(ErrorKind::Other, ffi::SQLITE_FULL.to_string()));
    // SQLite gave up the whole transaction, so those before it were refused; who came after began anew.
    assert_eq!(ended[0], ended[1]);
    assert_eq!(ended[2], Ended::Durable);
    // Each that was told so is there, and none else.
    let mut wanted = vec!["before".to_owned()];
    for (ended, key) in ended.iter().zip(["small", "large", "after"]) {
        if *ended == Ended::Durable {
            wanted.push(key.to_owned());
        }
    }
    wanted.sort();
    assert_eq!(place.keys(), wanted);
}

#[tokio::test]
async fn when_the_commit_fails_all_that_waited_are_refused_and_absent() {
    let place = Place::new();
    let tables = "CREATE TABLE whole (k TEXT PRIMARY KEY);
                  CREATE TABLE part (k TEXT REFERENCES whole(k) DEFERRABLE INITIALLY DEFERRED)";
    place.outside().execute_batch(tables).unwrap();
    let db = place.db.clone();
    let turn = permit(&db.writer.turn).await.unwrap();
    let spawn = |query: Query| {
        let db = db.clone();
        tokio::spawn(async move {
            let mut unit = db.writer.begin(true).await.unwrap();
            unit.run(&query).unwrap();
            unit.commit().await
        })
    };
    // What makes the commit fail is a constraint that is looked at there only; the programs have none.
    let queries = [insert("a"), Query::new("INSERT INTO part (k) VALUES ('none')"), insert("b")];
    let mut units = Vec::new();
    for query in queries {
        units.push(spawn(query));
        yield_now().await;
    }
    drop(turn);
    for unit in units {
        assert!(unit.await.unwrap().is_err());
    }
    assert!(place.keys().is_empty());
    assert_eq!(place.at_once(vec![Work::Insert("c")]).await, [Ended::Durable], "and it goes on");
}

#[tokio::test]
async fn whoever_gives_way_to_another_finds_what_that_one_did() {
    let place = Place::new();
    for round in 0..200 {
        let key = format!("{round:03}");
        let racing = |db: Sqlite, key: String| async move {
            let mut unit = db.writer.begin(true).await.unwrap();
            let sql = "INSERT INTO t (k, n) VALUES ($1, 1) ON CONFLICT (k) DO NOTHING RETURNING k";
            let (rows, _) = unit.run(&Query::new(sql).bind(key.as_str())).unwrap();
            if !rows.is_empty() {
                unit.commit().await.unwrap();
                return true;
            }
            drop(unit);
            let found = db.read(&Query::new("SELECT n FROM t WHERE k = $1").bind(key)).unwrap();
            assert_eq!(found.len(), 1, "the other one did it");
            false
        };
        let [first, second] = [0, 1].map(|_| tokio::spawn(racing(place.db.clone(), key.clone())));
        assert_ne!(first.await.unwrap(), second.await.unwrap());
    }
}

#[tokio::test]
async fn who_reads_beside_a_unit_waits_for_nobody_behind_it() {
    let place = Place::new();
    let turn = permit(&place.db.writer.turn).await.unwrap();
    let spawn = |work: Work| {
        let db = place.db.clone();
        tokio::spawn(async move { work.run(&db).await })
    };
    let durable = spawn(Work::Insert("a"));
    yield_now().await;
    let left = spawn(Work::Leave("b"));
    yield_now().await;
    let db = place.db.clone();
    let reading = tokio::spawn(async move {
        let unit = db.writer.begin(true).await.unwrap();
        let found = db.read(&Query::new("SELECT k FROM t")).unwrap();
        unit.commit().await.unwrap();
        found.len()
    });
    yield_now().await;
    drop(turn);
    let found = tokio::time::timeout(Duration::from_secs(5), reading).await.expect("no standstill");
    assert_eq!(found.unwrap(), 1, "what the one before it had seen");
    assert_eq!((durable.await.unwrap(), left.await.unwrap()), (Ended::Durable, Ended::Left));
}

#[tokio::test]
async fn another_process_that_writes_is_waited_for() {
    let place = Place::new();
    let other = place.outside();
    other.execute_batch("BEGIN IMMEDIATE; INSERT INTO t (k, n) VALUES ('other', 1)").unwrap();
    let db = place.db.clone();
    let waiting = tokio::spawn(async move { Work::Insert("own").run(&db).await });
    while place.db.writer.turn.available_permits() > 0 {
        yield_now().await;
    }
    // Whoever reads goes on meanwhile.
    assert!(place.db.read(&Query::new("SELECT k FROM t")).unwrap().is_empty());
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(waiting.await.unwrap(), Ended::Durable);
    assert_eq!(place.keys(), ["other", "own"]);
}

#[tokio::test]
async fn a_reader_writes_nothing_and_nobody_reads_after_the_end() {
    let place = Place::new();
    let error = place.db.read(&insert("a")).unwrap_err();
    assert_eq!(error.code & 0xff, ffi::SQLITE_READONLY);
    place.db.close().await;
    assert!(place.db.read(&Query::new("SELECT k FROM t")).is_err());
    assert!(place.db.writer.begin(true).await.is_err());
    assert!(!place.folder.join("test.db-wal").exists(), "the log is in the file");
}
