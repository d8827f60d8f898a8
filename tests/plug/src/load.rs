//! Units of work of every kind from many tasks at once, what was promised to them, and whether a database keeps it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use include_dir::{Dir, DirEntry, File};
use platform::db::{Db, OpenError, Query, Schema};
use platform::random::Random;
use platform::seal::RootKey;
use tokio::task::{JoinSet, yield_now};

/// So many tasks write at once.
pub const TASKS: i64 = 48;

/// Rows of a unit that has two are in `left_half` and `right_half`, with the same number; `single` is for units of one statement.
const TABLES: &str = "CREATE TABLE facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
    CREATE TABLE left_half (k TEXT PRIMARY KEY, n BIGINT NOT NULL, filling TEXT);
    CREATE TABLE right_half (k TEXT PRIMARY KEY, n BIGINT NOT NULL);
    CREATE TABLE single (k TEXT PRIMARY KEY, n BIGINT NOT NULL);
    INSERT INTO left_half (k, n) VALUES ('taken', 0);
    INSERT INTO right_half (k, n) VALUES ('taken', 0);";
static FILES: [DirEntry<'static>; 1] = [DirEntry::File(File::new("0001_load.sql", TABLES.as_bytes()))];
static MIGRATIONS: Dir<'static> = Dir::new("", &FILES);
static SCHEMA: Schema = Schema {
    program: "plug",
    migrations: &MIGRATIONS,
    witness: ("SELECT value FROM facts LIMIT 1", "nothing"),
    counted: &[],
};

pub const FILE: &str = "test.db";

/// Opens the database in a folder as a server does, and makes it if there is none.
///
/// # Errors
/// As [`Db::open`].
pub async fn open(folder: &Path) -> Result<Db, OpenError> {
    let root = RootKey::new("0123456789abcdef0123456789abcdef").unwrap();
    Db::open(&format!("sqlite:{}", folder.join(FILE).display()), &SCHEMA, &root).await
}

/// What was answered so far.
#[derive(Clone, Debug, Default)]
pub struct Promised {
    /// Keys of units of two rows.
    whole: BTreeSet<String>,
    /// Keys of units of one.
    single: BTreeSet<String>,
    /// How far each task has counted.
    counted: BTreeMap<String, i64>,
    /// Keys whose unit was left or refused, or whose removal was answered.
    absent: BTreeSet<String>,
    /// So many units were answered as durable.
    pub durable: usize,
    /// So many were refused that had nothing wrong.
    pub refused: usize,
}

impl Promised {
    /// What is in a database has been promised from now on, as is what was promised not to be there.
    pub async fn of(db: &Db, before: &Self) -> Self {
        let found = Found::read(db).await;
        let counted = found.left.iter().filter(|(key, _)| key.starts_with("count-"));
        Self {
            counted: counted.map(|(key, n)| (key.clone(), *n)).collect(),
            whole: found.left.into_keys().filter(|key| !key.starts_with("count-")).collect(),
            single: found.single.into_keys().collect(),
            absent: before.absent.clone(),
            ..Self::default()
        }
    }

    /// What is wrong in the database of a folder, as a server that starts there finds it.
    pub async fn broken_in(&self, folder: &Path) -> Vec<String> {
        let db = match open(folder).await {
            Ok(db) => db,
            Err(error) => return vec![format!("it does not open: {error}")],
        };
        let broken = self.broken(&db).await;
        db.close().await;
        broken
    }

    /// What is wrong in a database.
    pub async fn broken(&self, db: &Db) -> Vec<String> {
        let verdict = match db.apart(Query::new("PRAGMA integrity_check")).await {
            Ok(rows) => rows[0].try_get::<String, _>(0).unwrap(),
            Err(error) => error.to_string(),
        };
        if verdict != "ok" {
            return vec![format!("integrity_check: {verdict}")];
        }
        let found = Found::read(db).await;
        let mut broken = Vec::new();
        for key in found.left.keys().chain(found.right.keys()) {
            let (left, right) = (found.left.get(key), found.right.get(key));
            if left != right {
                broken.push(format!("half of a unit: {key} is {left:?} and {right:?}"));
            }
        }
        let missing = self.whole.iter().filter(|key| !found.left.contains_key(*key));
        let missing = missing.chain(self.single.iter().filter(|key| !found.single.contains_key(*key)));
        broken.extend(missing.map(|key| format!("missing: {key}")));
        for (key, promised) in &self.counted {
            let found = found.left.get(key).copied().unwrap_or_default();
            if found < *promised {
                broken.push(format!("missing: {key} is {found} and was {promised}"));
            }
        }
        for key in found.left.keys().chain(found.right.keys()).chain(found.single.keys()) {
            if self.absent.contains(key) || key.starts_with("dropped-") || key.starts_with("collides-") {
                broken.push(format!("should be absent: {key}"));
            }
        }
        broken
    }
}

/// All that is in a database.
struct Found {
    left: BTreeMap<String, i64>,
    right: BTreeMap<String, i64>,
    single: BTreeMap<String, i64>,
}

impl Found {
    async fn read(db: &Db) -> Self {
        let table = async |query: &'static str| {
            let rows = db.apart(Query::new(query)).await.unwrap();
            rows.iter().map(|row| (row.try_get("k").unwrap(), row.try_get("n").unwrap())).collect()
        };
        Self {
            left: table("SELECT k, n FROM left_half").await,
            right: table("SELECT k, n FROM right_half").await,
            single: table("SELECT k, n FROM single").await,
        }
    }
}

/// The tasks that write.
#[derive(Clone)]
pub struct Load {
    db: Db,
    promised: Arc<Mutex<Promised>>,
    random: Random,
    /// Bytes that a large unit has.
    large: usize,
}

/// What a unit of work does.
#[derive(Clone, Copy, Debug)]
enum Work {
    Pair,
    Large,
    Guarded,
    Single,
    Returning,
    Count,
    Remove,
    Drop,
    Collide,
}

const WORK: [Work; 12] = [
    Work::Pair,
    Work::Pair,
    Work::Guarded,
    Work::Single,
    Work::Single,
    Work::Returning,
    Work::Count,
    Work::Count,
    Work::Remove,
    Work::Drop,
    Work::Collide,
    Work::Large,
];

impl Load {
    pub fn new(db: &Db, promised: Arc<Mutex<Promised>>, random: Random, large: usize) -> Self {
        Self { db: db.clone(), promised, random, large }
    }

    pub fn promised(&self) -> MutexGuard<'_, Promised> {
        self.promised.lock().unwrap()
    }

    /// Writes until it is enough, which is asked before each unit; all units that were begun end before this does.
    pub async fn run(&self, enough: impl Fn(&Promised) -> bool + Clone + Send + 'static) {
        let mut running = JoinSet::new();
        for task in 0..TASKS {
            let (load, enough) = (self.clone(), enough.clone());
            running.spawn(async move {
                let mut own = Vec::new();
                while !enough(&load.promised()) {
                    load.unit(task, &mut own).await;
                }
            });
        }
        while let Some(task) = running.join_next().await {
            task.unwrap();
        }
    }

    /// One unit; `own` are keys that this task may remove.
    async fn unit(&self, task: i64, own: &mut Vec<String>) {
        let work = WORK[usize::try_from(below(&self.random, WORK.len() as u64)).unwrap()];
        let id = self.random.id();
        match work {
            Work::Pair | Work::Guarded | Work::Large => {
                let key = format!("pair-{id}");
                let filling =
                    if matches!(work, Work::Large) { "x".repeat(self.large) } else { String::new() };
                let done = self.pair(&key, task, &filling, matches!(work, Work::Guarded)).await;
                let found = self.answered(done.is_ok(), &key, |promised| promised.whole.insert(key.clone()));
                if found {
                    self.finds("SELECT n FROM right_half WHERE k = $1", &key).await;
                    own.push(key);
                }
            }
            Work::Single | Work::Returning => {
                let key = format!("single-{id}");
                let query = Query::new("INSERT INTO single (k, n) VALUES ($1, $2) RETURNING n");
                let query = query.bind(&key).bind(task);
                let done = match work {
                    Work::Single => self.db.execute(query).await.map(|_| ()),
                    _ => self.db.execute_returning(query).await.map(|_| ()),
                };
                self.answered(done.is_ok(), &key, |promised| promised.single.insert(key.clone()));
            }
            Work::Count => {
                let key = format!("count-{task}");
                let done = self.count(&key).await;
                let mut promised = self.promised();
                let before = promised.counted.get(&key).copied().unwrap_or_default();
                match done {
                    Ok(counted) => {
                        // Nobody else counts this, and what was refused left nothing.
                        assert_eq!(counted, before + 1);
                        promised.counted.insert(key, counted);
                        promised.durable += 1;
                    }
                    Err(_) => promised.refused += 1,
                }
            }
            Work::Remove => {
                let Some(key) = own.pop() else { return };
                // From here until the answer it may be there or not.
                self.promised().whole.remove(&key);
                let done = self.remove(&key).await;
                let mut promised = self.promised();
                if done.is_ok() {
                    promised.absent.insert(key);
                    promised.durable += 1;
                } else {
                    promised.whole.insert(key);
                    promised.refused += 1;
                }
            }
            Work::Drop => {
                let left = async {
                    let mut write = self.db.begin_write().await?;
                    let query = Query::new("INSERT INTO left_half (k, n) VALUES ($1, $2)");
                    query.bind(format!("dropped-{id}")).bind(task).execute(&mut write).await?;
                    yield_now().await;
                    write.later(insert_right(&format!("dropped-{id}"), task));
                    Ok::<(), sqlx::Error>(())
                };
                let _ = left.await;
            }
            Work::Collide => {
                let collides = async {
                    let mut write = self.db.begin_write().await?;
                    insert_right(&format!("collides-{id}"), task).execute(&mut write).await?;
                    insert_right("taken", task).execute(&mut write).await?;
                    write.commit().await
                };
                assert!(collides.await.is_err(), "that key is taken");
            }
        }
    }

    /// Notes an answer; whether it was that the unit is durable.
    fn answered(&self, is_durable: bool, key: &str, keep: impl FnOnce(&mut Promised) -> bool) -> bool {
        let mut promised = self.promised();
        if is_durable {
            keep(&mut promised);
            promised.durable += 1;
        } else {
            promised.absent.insert(key.to_owned());
            promised.refused += 1;
        }
        is_durable
    }

    async fn pair(&self, key: &str, n: i64, filling: &str, guarded: bool) -> Result<(), sqlx::Error> {
        let left = Query::new("INSERT INTO left_half (k, n, filling) VALUES ($1, $2, $3) RETURNING k");
        let left = left.bind(key).bind(n).bind(filling);
        let mut write = if guarded {
            let mut write = self.db.begin_write_if(vec![left]).await?.expect("it gives a row");
            write.later(insert_right(key, n));
            write
        } else {
            let mut write = self.db.begin_write().await?;
            left.execute(&mut write).await?;
            // Others come and wait meanwhile.
            yield_now().await;
            insert_right(key, n).execute(&mut write).await?;
            write
        };
        yield_now().await;
        write.wakes(&Arc::default());
        write.commit().await
    }

    async fn count(&self, key: &str) -> Result<i64, sqlx::Error> {
        let mut write = self.db.begin_write().await?;
        let mut counted = 0;
        for query in [
            "INSERT INTO left_half (k, n) VALUES ($1, 1) ON CONFLICT (k) DO UPDATE SET n = left_half.n + 1 RETURNING n",
            "INSERT INTO right_half (k, n) VALUES ($1, 1) ON CONFLICT (k) DO UPDATE SET n = right_half.n + 1 RETURNING n",
        ] {
            counted = Query::new(query).bind(key).fetch_one(&mut write).await?.try_get(0)?;
            yield_now().await;
        }
        write.commit().await?;
        Ok(counted)
    }

    async fn remove(&self, key: &str) -> Result<(), sqlx::Error> {
        let mut write = self.db.begin_write().await?;
        for query in ["DELETE FROM left_half WHERE k = $1", "DELETE FROM right_half WHERE k = $1"] {
            assert_eq!(Query::new(query).bind(key).execute(&mut write).await?, 1);
        }
        write.commit().await
    }

    /// Whoever was answered finds it.
    async fn finds(&self, query: &'static str, key: &str) {
        let row = Query::new(query).bind(key).fetch_optional(&self.db).await.unwrap();
        assert!(row.is_some(), "{key} was answered and cannot be read");
    }
}

/// A number below `below`, of a generator that may be seeded.
pub fn below(random: &Random, below: u64) -> u64 {
    u64::from_le_bytes(random.bytes()) % below
}

fn insert_right(key: &str, n: i64) -> Query {
    Query::new("INSERT INTO right_half (k, n) VALUES ($1, $2)").bind(key).bind(n)
}
