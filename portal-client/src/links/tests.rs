//! What happens to a link between its request and its end.

use std::time::Duration;

use platform::db::Query;
use platform::random::Random;

use super::code::ActivationCode;
use super::*;
use crate::dossiers::identity::{BirthDate, Bsn};
use crate::paging::Page;
use crate::testing::Store;

const DAYS: Duration = Duration::from_hours(14 * 24);

fn person(sub: &str) -> Person {
    Person { iss: "i".into(), sub: sub.into(), name: "Marjan".into(), email: "m@example.nl".into() }
}

fn request() -> NewRequest {
    NewRequest {
        relation: Relation::Representative,
        birth_date: BirthDate::from_iso("1940-02-01").unwrap(),
        bsn: Bsn::parse("999990019").unwrap(),
        organisation: "a".into(),
    }
}

async fn ask(links: &Links, id: &str, at: i64) -> String {
    let mut write = links.db.begin_write().await.unwrap();
    let id = links.request(&mut write, id, &person("s"), &request(), Timestamp(at)).await.unwrap();
    write.commit().await.unwrap();
    id
}

async fn requested(links: &Links) -> Link {
    let id = ask(links, "one", 1).await;
    links.in_organisation(&id, "a").await.unwrap().unwrap()
}

async fn is_issued(links: &Links, link: &Link, code: &ActivationCode) -> bool {
    let issued_at = Timestamp(10);
    let new = NewCode { code, dossier: "d", level: Level::Full, issued_at, expires_at: issued_at.plus(DAYS) };
    let mut write = links.db.begin_write().await.unwrap();
    let done = links.issue_code(&mut write, link, new).await.unwrap();
    write.commit().await.unwrap();
    done
}

async fn issue(links: &Links, link: &Link, seed: u64) -> ActivationCode {
    let code = ActivationCode::draw(&Random::seeded(seed));
    assert!(is_issued(links, link, &code).await);
    code
}

async fn is_activated(links: &Links, sub: &str, code: &ActivationCode, at: Timestamp) -> bool {
    let mut write = links.db.begin_write().await.unwrap();
    let done = links.activate(&mut write, "one", &person(sub), code, 5, at).await.unwrap();
    write.commit().await.unwrap();
    done
}

async fn is_set(links: &Links, link: &Link, level: Level) -> bool {
    let mut write = links.db.begin_write().await.unwrap();
    let done = links.set_level(&mut write, link, level).await.unwrap();
    write.commit().await.unwrap();
    done
}

#[tokio::test]
async fn a_request_is_opened_by_its_code_and_closed_by_its_end() {
    let store = Store::new().await;
    let links = Links::new(store.db.clone(), &store.root);
    let link = requested(&links).await;
    assert_eq!(link.state, State::Requested { code: None });
    // Asking again for the same client gives the same request.
    assert_eq!(ask(&links, "two", 2).await, "one");
    let code = issue(&links, &link, 1).await;
    // Nobody else can use it, and nothing is open before it is used.
    assert!(!is_activated(&links, "other", &code, Timestamp(11)).await);
    assert!(links.opening("d", &person("s")).await.unwrap().is_none());
    assert!(is_activated(&links, "s", &code, Timestamp(11)).await);
    assert!(links.opening("d", &person("s")).await.unwrap().is_some());
    assert!(!is_activated(&links, "s", &code, Timestamp(12)).await, "once");
    // T45: ended is gone at the next look, and can be asked for again.
    let mut write = store.db.begin_write().await.unwrap();
    assert!(links.end(&mut write, "one", Timestamp(20)).await.unwrap());
    write.commit().await.unwrap();
    assert!(links.opening("d", &person("s")).await.unwrap().is_none());
    assert_eq!(ask(&links, "three", 21).await, "three");
}

#[tokio::test]
async fn t43_a_code_is_void_after_five_wrong_ones_also_when_they_come_at_once() {
    let store = Store::new().await;
    let links = Links::new(store.db.clone(), &store.root);
    let link = requested(&links).await;
    let code = issue(&links, &link, 1).await;
    let tries = (0..20).map(|_| {
        let links = links.clone();
        tokio::spawn(async move {
            let wrong = ActivationCode::typed("AAAA-AAAA").unwrap();
            is_activated(&links, "s", &wrong, Timestamp(11)).await
        })
    });
    for attempt in tries.collect::<Vec<_>>() {
        assert!(!attempt.await.unwrap());
    }
    let State::Requested { code: Some(issued) } =
        links.in_organisation("one", "a").await.unwrap().unwrap().state
    else {
        panic!("the code is still there, spent")
    };
    assert_eq!(issued.failures, 5, "never more than five are looked at");
    assert!(!is_activated(&links, "s", &code, Timestamp(12)).await);
    // A new code starts over, and the old one stays void.
    let fresh = issue(&links, &link, 2).await;
    assert!(!is_activated(&links, "s", &code, Timestamp(13)).await);
    assert!(is_activated(&links, "s", &fresh, Timestamp(14)).await);
}

#[tokio::test]
async fn a_code_expires_and_can_be_voided() {
    let store = Store::new().await;
    let links = Links::new(store.db.clone(), &store.root);
    let link = requested(&links).await;
    let code = issue(&links, &link, 1).await;
    let late = Timestamp(10).plus(DAYS);
    assert!(!is_activated(&links, "s", &code, late).await);
    let mut write = store.db.begin_write().await.unwrap();
    assert!(links.void_code(&mut write, &link).await.unwrap());
    write.commit().await.unwrap();
    assert!(!is_activated(&links, "s", &code, Timestamp(11)).await);
}

#[tokio::test]
async fn t46_an_organisation_never_reaches_anothers_link() {
    let store = Store::new().await;
    let links = Links::new(store.db.clone(), &store.root);
    let mut link = requested(&links).await;
    assert!(links.of_organisation("b", Page::FIRST).await.unwrap().rows.is_empty());
    assert!(links.in_organisation("one", "b").await.unwrap().is_none());
    link.organisation = "b".into();
    let code = ActivationCode::draw(&Random::seeded(3));
    assert!(!is_issued(&links, &link, &code).await);
    assert!(!is_set(&links, &link, Level::Limited).await);
}

#[tokio::test]
async fn t47_the_bsn_and_the_code_stand_in_no_column() {
    let store = Store::new().await;
    let links = Links::new(store.db.clone(), &store.root);
    let link = requested(&links).await;
    let code = issue(&links, &link, 1).await.grouped().replace('-', "");
    let row = Query::new("SELECT bsn, birth_date, match_hash, open_key, code_hash FROM links")
        .fetch_one(&store.db)
        .await
        .unwrap();
    for column in 0..5 {
        let value: String = row.try_get(column).unwrap();
        assert!(!value.contains("999990019") && !value.contains(&code) && !value.contains("1940"), "{value}");
    }
    let (bsn, born) = links.reveal(&link).unwrap();
    assert_eq!((bsn.reveal(), born.iso().as_str()), ("999990019", "1940-02-01"));
}

#[tokio::test]
async fn t46_a_level_is_set_on_a_link_that_is_open_and_on_no_other() {
    let store = Store::new().await;
    let links = Links::new(store.db.clone(), &store.root);
    let link = requested(&links).await;
    assert!(!is_set(&links, &link, Level::Limited).await, "only asked for");
    let code = issue(&links, &link, 1).await;
    assert!(!is_set(&links, &link, Level::Limited).await, "a code was issued for full access");
    assert!(is_activated(&links, "s", &code, Timestamp(11)).await);
    assert_eq!(links.opening("d", &person("s")).await.unwrap().unwrap().level, Level::Full);
    assert!(is_set(&links, &link, Level::Limited).await);
    let mut write = store.db.begin_write().await.unwrap();
    assert!(links.end(&mut write, "one", Timestamp(20)).await.unwrap());
    write.commit().await.unwrap();
    assert!(!is_set(&links, &link, Level::Full).await, "ended");
}

#[tokio::test]
async fn the_list_of_a_team_has_every_link_on_one_page_and_what_waits_first() {
    let store = Store::new().await;
    let links = Links::new(store.db.clone(), &store.root);
    let code = issue(&links, &requested(&links).await, 1).await;
    assert!(is_activated(&links, "s", &code, Timestamp(11)).await);
    for n in 0..620 {
        let mut write = store.db.begin_write().await.unwrap();
        let (id, who) = (format!("r{n:03}"), person(&format!("s{n}")));
        links.request(&mut write, &id, &who, &request(), Timestamp(100 + n)).await.unwrap();
        if n % 2 == 0 {
            links.end(&mut write, &id, Timestamp(5000)).await.unwrap();
        }
        write.commit().await.unwrap();
    }
    let (mut seen, mut page) = (Vec::new(), Some(1));
    while let Some(number) = page {
        let asked = Page::parse(&number.to_string()).unwrap();
        let paged = links.of_organisation("a", asked).await.unwrap();
        seen.extend(paged.rows);
        page = paged.next;
    }
    let mut ids: Vec<&str> = seen.iter().map(|link| link.id.as_str()).collect();
    assert_eq!((ids[0], ids[310], ids[311], ids[620]), ("r619", "one", "r618", "r000"));
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 621, "none twice");
}
