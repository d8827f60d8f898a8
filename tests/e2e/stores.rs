//! One suite for both engines of a pair: the tables on SQLite and PostgreSQL, expiring values in SQL and Redis.

use std::time::Duration;

use idp::domain::account::EmailAddress;
use idp::domain::journey::{Method, Proofs};
use idp::protocol::claims::RequestedClaims;
use idp::store::grants::{GrantDetails, NewGrant, NewRefreshToken};
use idp::store::lockouts::Attempt;
use idp::store::sessions::SignedIn;
use platform::db::Query;
use tests::{Backend, Person, World};

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test]
async fn expiring_values_end_by_the_injected_clock() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let values = &world.idp.ephemeral;
        let key = |name: &str| format!("{name}:{}", world.issuer);
        let (a, once, counter) = (key("a"), key("once"), key("counter"));

        values.put(&a, "one", MINUTE).await.unwrap();
        assert_eq!(values.get(&a).await.unwrap().unwrap().value, "one");
        values.put(&a, "two", MINUTE).await.unwrap();
        let read = values.get(&a).await.unwrap().unwrap();
        assert_eq!(read.value, "two");

        // Of two that read the same version, one may write.
        assert!(values.swap(&a, read.version, "three", MINUTE).await.unwrap());
        assert!(!values.swap(&a, read.version, "four", MINUTE).await.unwrap());
        assert_eq!(values.get(&a).await.unwrap().unwrap().value, "three");

        // A mark is new once, and again when it has expired.
        assert!(values.put_new(&once, "x", MINUTE).await.unwrap());
        assert!(!values.put_new(&once, "x", MINUTE).await.unwrap());

        // A counter starts over when its window has passed.
        for expected in 1..=3 {
            assert_eq!(values.count(&counter, MINUTE).await.unwrap().count, expected);
        }

        // A millisecond before the end everything stands; at the end nothing does.
        world.advance(MINUTE.checked_sub(Duration::from_millis(1)).unwrap());
        assert!(values.get(&a).await.unwrap().is_some());
        world.advance(Duration::from_millis(1));
        assert!(values.get(&a).await.unwrap().is_none());
        assert!(!values.swap(&a, read.version + 1, "late", MINUTE).await.unwrap());
        assert!(values.take(&a).await.unwrap().is_none());
        assert!(values.put_new(&once, "x", MINUTE).await.unwrap());
        assert_eq!(values.count(&counter, MINUTE).await.unwrap().count, 1);
    }
}

#[tokio::test]
async fn a_value_is_taken_by_one_of_many_and_a_counter_loses_none() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let key = format!("taken:{}", world.issuer);
        world.idp.ephemeral.put(&key, "prize", MINUTE).await.unwrap();
        let mut takers = tokio::task::JoinSet::new();
        for _ in 0..20 {
            let (values, key) = (world.idp.ephemeral.clone(), key.clone());
            takers.spawn(async move {
                values.count(&format!("{key}:count"), MINUTE).await.unwrap();
                values.take(&key).await.unwrap().is_some()
            });
        }
        let taken = takers.join_all().await.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 1);
        assert_eq!(world.idp.ephemeral.count(&format!("{key}:count"), MINUTE).await.unwrap().count, 21);
    }
}

#[tokio::test]
async fn an_e_mail_address_and_a_user_name_belong_to_one_account() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let new = idp::store::accounts::NewAccount {
            given_name: "Iemand".into(),
            family_name: "Anders".into(),
            email: EmailAddress::parse("ANNA@example.nl").unwrap(),
            email_is_confirmed: false,
            username: None,
            password_hash: None,
            phone_sealed: None,
            role: idp::domain::account::Role::User,
            organisation: None,
            language: platform::language::Language::En,
        };
        let mut write = world.idp.store.begin_write().await.unwrap();
        let refused = world.idp.store.insert_account(&mut write, &new).await.unwrap_err();
        assert!(refused.is_unique_violation());
        drop(write);
        // A confirmed account is not given another's names.
        let mut write = world.idp.store.begin_write().await.unwrap();
        assert!(!world.idp.store.replace_unconfirmed(&mut write, &account.id, &new).await.unwrap());
        write.commit().await.unwrap();
        assert_eq!(world.account(&Person::ANNA).await.given_name, "Anna");
    }
}

#[tokio::test]
async fn tries_are_counted_exactly_however_many_come_at_once() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let mut tries = tokio::task::JoinSet::new();
        for _ in 0..30 {
            let (store, id) = (world.idp.store.clone(), account.id.clone());
            tries.spawn(async move { store.begin_attempt(&id, "", 5, MINUTE).await.unwrap() });
        }
        let tries = tries.join_all().await;
        assert_eq!(tries.iter().filter(|attempt| **attempt != Attempt::Locked).count(), 5);

        // The lock opens by the clock and not before; a device of one's own is counted apart.
        let store = &world.idp.store;
        assert!(matches!(
            store.begin_attempt(&account.id, "own", 5, MINUTE).await.unwrap(),
            Attempt::Allowed { locks_until: None }
        ));
        world.advance(MINUTE.checked_sub(Duration::from_millis(1)).unwrap());
        assert_eq!(store.begin_attempt(&account.id, "", 5, MINUTE).await.unwrap(), Attempt::Locked);
        world.advance(Duration::from_millis(1));
        assert!(matches!(
            store.begin_attempt(&account.id, "", 5, MINUTE).await.unwrap(),
            Attempt::Allowed { locks_until: None }
        ));
    }
}

#[tokio::test]
async fn a_code_is_redeemed_once_and_its_replay_revokes_the_grant() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let store = &world.idp.store;
        let details = GrantDetails {
            nonce: Some("n".into()),
            acr: "a".into(),
            amr: vec!["pwd".into()],
            auth_time: world.clock.now(),
            claims: RequestedClaims::default(),
            resource: None,
            jkt: None,
        };
        let signed_in = SignedIn {
            account_id: &account.id,
            device_id: None,
            label: "Firefox",
            proofs: Proofs::default().with(Method::Password, world.clock.now()),
            lifetime: MINUTE * 60,
        };
        let mut write = store.begin_write().await.unwrap();
        let session_id = store.insert_session(&mut write, "secret", &signed_in);
        // As a server of the version before, or the schema before, leaves it: with the columns alone.
        let code_at = world.clock.now();
        let before = store.insert_session(&mut write, "before", &signed_in);
        write.commit().await.unwrap();
        let mut write = store.begin_write().await.unwrap();
        let sql = "UPDATE sessions SET proofs = '[]', code_at = $1 WHERE id = $2";
        Query::new(sql).bind(code_at.0).bind(&before).execute(&mut write).await.unwrap();
        let read = store.session_in(&mut write, &before).await.unwrap().unwrap();
        assert_eq!(read.proofs, signed_in.proofs.clone().with(Method::Sms, code_at));
        for code in ["first", "late"] {
            let grant = NewGrant {
                session_id: &session_id,
                account_id: &account.id,
                client_id: "web",
                redirect_uri: "https://rp.example/cb",
                scope: "openid",
                code_challenge: None,
                details: &details,
                code,
                code_lifetime: MINUTE,
            };
            store.insert_grant(&mut write, &grant).unwrap();
        }
        write.commit().await.unwrap();

        // Another client finds nothing.
        assert!(store.grant_of_code("first", "other").await.unwrap().is_none());
        let grant = store.grant_of_code("first", "web").await.unwrap().unwrap();
        assert_eq!((&grant.details, grant.code_used_at), (&details, None));

        // Of two uses one wins; the refresh token is there only with it.
        let expires_at = world.clock.now().plus(MINUTE * 60);
        let new = |token| Some(NewRefreshToken { grant_id: &grant.id, token, expires_at });
        let bound = GrantDetails { jkt: Some("key".into()), ..details.clone() };
        assert!(store.redeem_code(&grant.id, &bound, new("r1")).await.unwrap());
        assert!(!store.redeem_code(&grant.id, &details, new("r0")).await.unwrap());
        assert!(store.refresh_token("r0", "web").await.unwrap().is_none());
        let first = store.refresh_token("r1", "web").await.unwrap().unwrap();
        assert_eq!(first.grant.details, bound);
        assert!(store.refresh_token("r1", "other").await.unwrap().is_none());

        // So it is with refresh tokens, and with none once the grant is revoked.
        let none = Duration::ZERO;
        assert!(store.rotate_refresh_token(&first.hash, none, new("r2").unwrap()).await.unwrap());
        assert!(!store.rotate_refresh_token(&first.hash, none, new("r3").unwrap()).await.unwrap());
        assert!(store.rotate_refresh_token(&first.hash, MINUTE, new("r3").unwrap()).await.unwrap());
        let second = store.refresh_token("r2", "web").await.unwrap().unwrap();
        store.revoke_grant(&grant.id).await.unwrap();
        assert!(!store.rotate_refresh_token(&second.hash, MINUTE, new("r4").unwrap()).await.unwrap());

        // Too late is too late.
        let late = store.grant_of_code("late", "web").await.unwrap().unwrap();
        world.advance(MINUTE);
        assert!(!store.redeem_code(&late.id, &details, None).await.unwrap());
    }
}

#[tokio::test]
async fn a_phone_number_is_sealed_in_its_column() {
    for backend in Backend::ALL {
        let world = World::new(backend).await;
        let account = world.add(&Person::ANNA).await;
        let sealed = account.phone_sealed.unwrap();
        assert!(!sealed.contains("612345678"));
        assert_eq!(world.idp.store.open_phone(&sealed).unwrap(), Person::ANNA.phone);
    }
}
