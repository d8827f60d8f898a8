//! Passkeys in the database, on both engines: whose they are, how many, and how often a counter counts.

use idp::domain::account::AccountId;
use idp::domain::passkey::{Backup, MOST, NewPasskey, Proven};
use idp::store::passkeys::Inserted;
use tests::{Backend, Person, World};
use tokio::task::JoinSet;

fn new(id: &str) -> NewPasskey {
    NewPasskey {
        id: id.to_owned(),
        key: "1.AAAA".to_owned(),
        counter: u32::MAX - 1,
        aaguid: "cb69481e-8ff7-4039-93ec-0a2729a154a8".to_owned(),
        backup: Backup::Eligible,
        transports: vec!["hybrid".to_owned(), "internal".to_owned()],
    }
}

async fn inserted(world: &World, account: &AccountId, new: &NewPasskey) -> Inserted {
    let mut write = world.idp.store.begin_write().await.unwrap();
    let inserted = world.idp.store.insert_passkey(&mut write, account, new, None).await.unwrap();
    write.commit().await.unwrap();
    inserted
}

async fn used(world: &World, proven: &Proven) -> bool {
    let mut write = world.idp.store.begin_write().await.unwrap();
    let used = world.idp.store.use_passkey(&mut write, proven).await.unwrap();
    write.commit().await.unwrap();
    used
}

fn proven(id: &str, account: &AccountId, counter_seen: u32, counter: u32) -> Proven {
    let (id, account_id) = (id.to_owned(), account.clone());
    Proven { id, account_id, counter_seen, counter, backup: Backup::BackedUp, fell_back: false }
}

#[tokio::test]
async fn a_passkey_comes_back_as_it_was_given_is_renamed_and_goes() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let [anna, bram] = [world.add(&Person::ANNA).await.id, world.add(&Person::BRAM).await.id];
        let store = &world.idp.store;
        let given = new("first");
        assert_eq!(inserted(&world, &anna, &given).await, Inserted::Yes);
        let made_at = world.clock.now();
        let kept = store.passkey("first").await.unwrap().unwrap();
        assert_eq!(
            (&kept.account_id, &kept.name, kept.created_at, kept.last_used_at),
            (&anna, &None, made_at, None)
        );
        let back = NewPasskey {
            id: kept.id,
            key: kept.key,
            counter: kept.counter,
            aaguid: kept.aaguid,
            backup: kept.backup,
            transports: kept.transports,
        };
        assert_eq!(back, given);
        assert!(store.passkey("FIRST").await.unwrap().is_none());

        world.advance(std::time::Duration::from_mins(1));
        assert!(used(&world, &proven("first", &anna, u32::MAX - 1, u32::MAX)).await);
        let kept = store.passkey("first").await.unwrap().unwrap();
        assert_eq!((kept.counter, kept.backup), (u32::MAX, Backup::BackedUp));
        assert_eq!(kept.last_used_at, Some(world.clock.now()));

        // Nobody names or removes another's.
        let mut write = store.begin_write().await.unwrap();
        assert!(!store.rename_passkey(&mut write, &bram, "first", "x").await.unwrap());
        assert!(store.rename_passkey(&mut write, &anna, "first", "Telefoon").await.unwrap());
        assert_eq!(store.remove_passkeys(&mut write, &bram, Some("first")).await.unwrap(), 0);
        assert_eq!(store.remove_passkeys(&mut write, &bram, None).await.unwrap(), 0);
        write.commit().await.unwrap();
        let all = store.passkeys(&anna).await.unwrap();
        assert_eq!(all.iter().map(|one| one.name.as_deref()).collect::<Vec<_>>(), [Some("Telefoon")]);
        assert!(store.passkeys(&bram).await.unwrap().is_empty());

        inserted(&world, &anna, &new("second")).await;
        let mut write = store.begin_write().await.unwrap();
        assert_eq!(store.remove_passkeys(&mut write, &anna, Some("first")).await.unwrap(), 1);
        write.commit().await.unwrap();
        assert_eq!(store.passkeys(&anna).await.unwrap().len(), 1);
        // What is left goes with the account.
        let mut write = store.begin_write().await.unwrap();
        assert!(store.delete_account(&mut write, &anna).await.unwrap());
        write.commit().await.unwrap();
        assert!(store.passkey("second").await.unwrap().is_none());
        assert_eq!(inserted(&world, &anna, &new("third")).await, Inserted::NoAccount);
    }
}

#[tokio::test]
async fn t60_a_credential_of_somebody_else_is_not_registered_again() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let [anna, bram] = [world.add(&Person::ANNA).await.id, world.add(&Person::BRAM).await.id];
        assert_eq!(inserted(&world, &anna, &new("hers")).await, Inserted::Yes);
        let again = NewPasskey { key: "1.BBBB".to_owned(), ..new("hers") };
        for account in [&bram, &anna] {
            assert_eq!(inserted(&world, account, &again).await, Inserted::Taken);
        }
        let kept = world.idp.store.passkey("hers").await.unwrap().unwrap();
        assert_eq!((kept.account_id, kept.key), (anna, "1.AAAA".to_owned()));
    }
}

#[tokio::test]
async fn t60_of_two_proofs_with_one_counter_one_counts() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let [anna, bram] = [world.add(&Person::ANNA).await.id, world.add(&Person::BRAM).await.id];
        inserted(&world, &anna, &NewPasskey { counter: 7, ..new("counts") }).await;
        let mut tries = JoinSet::new();
        for counter in 8..28 {
            let (store, proven) = (world.idp.store.clone(), proven("counts", &anna, 7, counter));
            tries.spawn(async move {
                let mut write = store.begin_write().await.unwrap();
                let used = store.use_passkey(&mut write, &proven).await.unwrap();
                write.commit().await.unwrap();
                used
            });
        }
        assert_eq!(tries.join_all().await.into_iter().filter(|used| *used).count(), 1);
        let counter = world.idp.store.passkey("counts").await.unwrap().unwrap().counter;
        // Nor one that was proved for an account that it is not of, or that was removed meanwhile.
        assert!(!used(&world, &proven("counts", &bram, counter, counter + 1)).await);
        assert!(!used(&world, &proven("removed", &anna, 0, 0)).await);
        assert!(used(&world, &proven("counts", &anna, counter, counter + 1)).await);
        // One that does not count is never in its own way.
        inserted(&world, &anna, &NewPasskey { counter: 0, ..new("does-not") }).await;
        for _ in 0..2 {
            assert!(used(&world, &proven("does-not", &anna, 0, 0)).await);
        }
    }
}

#[tokio::test]
async fn an_account_has_at_most_twenty_passkeys_however_many_come_at_once() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let anna = world.add(&Person::ANNA).await.id;
        let mut tries = JoinSet::new();
        for number in 0..MOST + 5 {
            let (store, anna, new) = (world.idp.store.clone(), anna.clone(), new(&format!("n{number}")));
            tries.spawn(async move {
                let mut write = store.begin_write().await.unwrap();
                let inserted = store.insert_passkey(&mut write, &anna, &new, None).await.unwrap();
                write.commit().await.unwrap();
                inserted
            });
        }
        let came = tries.join_all().await;
        assert_eq!(came.iter().filter(|one| **one == Inserted::Yes).count(), MOST);
        assert_eq!(came.iter().filter(|one| **one == Inserted::TooMany).count(), 5);
        assert_eq!(world.idp.store.passkeys(&anna).await.unwrap().len(), MOST);
    }
}
