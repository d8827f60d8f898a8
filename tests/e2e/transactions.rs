//! Write transactions, on both engines: all or nothing, however they end, and the next writer is never kept waiting.

use idp::domain::account::AccountId;
use idp::store::Store;
use idp::store::audit::Event;
use tests::{Backend, Person, World};
use tokio::task::yield_now;

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
        let guard =
            |given_name: &str| (MARK, vec!["Anders".into(), anna.id.0.as_str().into(), given_name.into()]);
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
        // The longer it is waited for, the further it comes; somewhere in between it is dropped in the middle.
        let (mut finished, mut dropped) = (0, 0);
        for turns in (0..).step_by(3) {
            let wait = async {
                for _ in 0..turns {
                    yield_now().await;
                }
            };
            tokio::select! {
                biased;
                () = both() => finished += 1,
                () = wait => dropped += 1,
            }
            let details = noted(store, &anna.id).await;
            let count = |word: &str| details.iter().filter(|detail| *detail == word).count();
            assert_eq!(count("one"), count("two"), "{backend:?} after {turns} turns");
            assert!(count("one") >= finished);
            if finished == 3 {
                break;
            }
        }
        assert!(dropped > 3, "{backend:?}: only {dropped} were dropped");
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
                "UPDATE audit SET detail = 'was ' || detail WHERE account_id = $2 AND detail = $1",
                vec!["one".into(), anna.id.0.as_str().into()],
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
        write.later("INSERT INTO audit (id) VALUES ($1)", vec![None::<&str>.into()]);
        assert!(write.commit().await.is_err());
        assert_eq!(noted(store, &anna.id).await.len(), 3);
    }
}
