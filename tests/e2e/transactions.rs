//! Write transactions, on both engines: all or nothing, however they end, and the next writer is never kept waiting.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use idp::domain::account::AccountId;
use idp::store::Store;
use idp::store::audit::Event;
use platform::db::Query;
use tests::{Backend, Person, World};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let mut write = world.idp.store.begin_write().await.unwrap();
        world.idp.store.set_blocked(&mut write, &account.id, true).await.unwrap();
        drop(write);
        assert!(world.account(&Person::ANNA).await.blocked_at.is_none());
    }
}

/// What stands in the audit log of an account, in alphabetical order.
async fn noted(store: &Store, id: &AccountId) -> Vec<String> {
    let rows = store.audit(Some(id), 100).await.unwrap();
    let mut details: Vec<_> = rows.into_iter().map(|row| row.detail).collect();
    details.sort();
    details
}

#[tokio::test]
async fn a_transaction_that_begins_with_guards_needs_all_of_them() {
    const MARK: &str = "UPDATE accounts SET family_name = $1 WHERE id = $2 AND given_name = $3 RETURNING id";
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let store = &world.idp.store;
        let hash = anna.password_hash.as_deref();
        let guard = |given_name: &str| Query::new(MARK).bind("Anders").bind(&anna.id.0).bind(given_name);
        // The guard holds and the password is another one; the password is right and the guard does not hold.
        assert!(store.begin_holding(&anna.id, Some("another"), [guard("Anna")]).await.unwrap().is_none());
        assert!(store.begin_holding(&anna.id, hash, [guard("Bram")]).await.unwrap().is_none());
        assert_eq!(world.account(&Person::ANNA).await.family_name, anna.family_name);

        let mut write = store.begin_holding(&anna.id, hash, [guard("Anna")]).await.unwrap().unwrap();
        store.note(&mut write, Event::SignedIn, &anna.id, None, "held");
        write.commit().await.unwrap();
        assert_eq!(world.account(&Person::ANNA).await.family_name, "Anders");
        assert_eq!(noted(store, &anna.id).await, ["held"]);
    }
}

/// Whether the future ends when it is polled so often; it is dropped if not.
async fn polled(future: impl Future<Output = ()>, times: u32) -> bool {
    let (mut future, mut left) = (pin!(future), times);
    poll_fn(|context| {
        left -= 1;
        match future.as_mut().poll(context) {
            Poll::Ready(()) => Poll::Ready(true),
            Poll::Pending if left == 0 => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

#[tokio::test]
async fn a_transaction_whose_request_goes_away_is_whole_or_absent() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let store = &world.idp.store;
        let both = async || {
            let mut write = store.begin_write().await.unwrap();
            store.touch_device(&mut write, "none");
            store.set_blocked(&mut write, &anna.id, false).await.unwrap();
            store.note(&mut write, Event::SignedIn, &anna.id, None, "one");
            store.note(&mut write, Event::SignedIn, &anna.id, None, "two");
            write.commit().await.unwrap();
        };
        // Dropped after each number of steps that it takes, until it takes no more. On a busy machine answers may be there
        // before they are waited for; then all of it is tried again.
        let (mut finished, mut dropped) = (0, 0);
        for _ in 0..100 {
            let until = finished + 3;
            for steps in 1.. {
                if polled(both(), steps).await {
                    finished += 1;
                } else {
                    dropped += 1;
                }
                let details = noted(store, &anna.id).await;
                let count = |word: &str| details.iter().filter(|detail| *detail == word).count();
                assert_eq!(count("one"), count("two"), "{backend:?} after {steps} steps");
                assert!(count("one") >= finished);
                if finished == until {
                    break;
                }
            }
            if dropped >= 2 {
                break;
            }
        }
        // It waits for its beginning and for its end at least.
        assert!(dropped >= 2, "{backend:?}: only {dropped} were dropped");
        both().await;
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_outside_the_runtime_is_rolled_back() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let mut write = world.idp.store.begin_write().await.unwrap();
        world.idp.store.set_blocked(&mut write, &anna.id, true).await.unwrap();
        std::thread::spawn(move || drop(write)).join().unwrap();
        let mut write = world.idp.store.begin_write().await.unwrap();
        world.idp.store.set_password(&mut write, &anna.id, "another").await.unwrap();
        write.commit().await.unwrap();
        assert!(world.account(&Person::ANNA).await.blocked_at.is_none());
    }
}

#[tokio::test]
async fn what_is_kept_for_the_commit_happens_in_order_and_with_it_only() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await;
        let store = &world.idp.store;
        let begun = async || {
            let mut write = store.begin_write().await.unwrap();
            for detail in ["one", "$1; two", "three"] {
                store.note(&mut write, Event::SignedIn, &anna.id, None, detail);
            }
            write.later(
                Query::new(
                    "UPDATE audit SET detail = 'was ' || detail WHERE account_id = $2 AND detail = $1",
                )
                .bind("one")
                .bind(anna.id.0.as_str()),
            );
            write
        };
        drop(begun().await);
        assert!(noted(store, &anna.id).await.is_empty(), "nothing without the commit");

        begun().await.commit().await.unwrap();
        assert_eq!(noted(store, &anna.id).await, ["$1; two", "three", "was one"]);

        // One that fails takes the others with it.
        let mut write = store.begin_write().await.unwrap();
        store.note(&mut write, Event::SignedIn, &anna.id, None, "four");
        write.later(Query::new("INSERT INTO audit (id) VALUES ($1)").bind(None::<&str>));
        assert!(write.commit().await.is_err());
        assert_eq!(noted(store, &anna.id).await.len(), 3);
    }
}

#[tokio::test]
async fn a_statement_that_fails_at_its_commit_says_so() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let db = world.idp.store.db();
        for table in [
            "CREATE TABLE whole (id TEXT PRIMARY KEY)",
            "CREATE TABLE part (id TEXT PRIMARY KEY, whole TEXT REFERENCES whole(id) DEFERRABLE INITIALLY DEFERRED)",
        ] {
            db.execute(Query::new(table)).await.unwrap();
        }
        let insert = || Query::new("INSERT INTO part (id, whole) VALUES ('a', 'none') RETURNING id");
        assert!(db.execute_returning(insert()).await.is_err(), "{backend:?}");
        assert!(db.execute(insert()).await.is_err(), "{backend:?}");
        assert!(Query::new("SELECT id FROM part").fetch_all(db).await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_is_not_asked_for_again() {
    let world = World::new(Backend::Servers).await;
    for _ in 0..2 {
        // A column of no kind that there is here, on a new connection and on one that was used.
        let answer = Query::new("SELECT pg_sleep(0)").fetch_all(world.idp.store.db());
        let answer = tokio::time::timeout(Duration::from_secs(10), answer).await.expect("an answer");
        assert!(matches!(answer, Err(sqlx::Error::ColumnDecode { .. })), "{answer:?}");
    }
}

#[tokio::test]
async fn connections_that_the_server_closed_are_not_used_again() {
    let world = World::new(Backend::Servers).await;
    let db = world.idp.store.db();
    let all = async || {
        let mut open = Vec::new();
        for _ in 0..8 {
            open.push(db.begin_write().await.unwrap());
        }
        for write in &mut open {
            Query::new("SELECT 1").execute(write).await.unwrap();
        }
        for write in open {
            write.commit().await.unwrap();
        }
    };
    all().await;
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                  WHERE datname = current_database() AND pid <> pg_backend_pid()";
    assert!(Query::new(others).fetch_all(db).await.unwrap().len() >= 7);
    all().await;
}

/// Passes bytes on to the test PostgreSQL, until those connections that are open fall silent.
struct Between {
    port: u16,
    silence: watch::Sender<u32>,
}

impl Between {
    async fn start() -> Self {
        let server = std::env::var("TEST_POSTGRES").unwrap();
        let server = server.rsplit('@').next().unwrap().to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (silence, silent) = watch::channel(0);
        tokio::spawn(async move {
            while let Ok((mut client, _)) = listener.accept().await {
                let mut server = TcpStream::connect(&server).await.unwrap();
                let mut silent = silent.clone();
                silent.mark_unchanged();
                tokio::spawn(async move {
                    tokio::select! {
                        _ = copy_bidirectional(&mut client, &mut server) => {}
                        _ = silent.changed() => std::future::pending().await,
                    }
                });
            }
        });
        Self { port, silence }
    }
}

#[tokio::test]
async fn a_server_that_falls_silent_holds_up_nobody_for_good() {
    let between = Between::start().await;
    let world = World::with(Backend::Servers, |config| {
        let name = config.database.rsplit('/').next().unwrap();
        config.database = format!("postgres://test@127.0.0.1:{}/{name}", between.port);
    })
    .await;
    let anna = world.add(&Person::ANNA).await;
    let store = &world.idp.store;
    // As many as may write at once are in a transaction; one more connection lies idle.
    let mut open = Vec::new();
    for _ in 0..8 {
        let mut write = store.begin_write().await.unwrap();
        store.note(&mut write, Event::SignedIn, &anna.id, None, "lost");
        open.push(write);
    }
    Query::new("SELECT 1").fetch_all(store.db()).await.unwrap();
    between.silence.send_modify(|times| *times += 1);
    drop(open);
    let patience = Duration::from_secs(30);
    let again = tokio::time::timeout(patience, async {
        loop {
            if let Ok(mut write) = store.begin_write().await {
                store.note(&mut write, Event::SignedIn, &anna.id, None, "again");
                if write.commit().await.is_ok() {
                    return;
                }
            }
        }
    });
    again.await.expect("a writer gets through");
    assert_eq!(noted(store, &anna.id).await, ["again"]);
}
