//! Who looked where: one row for every look at a dossier, allowed or refused, with the fields that NEN 7513
//! asks for. Rows are only ever added, and removed once they are older than the configuration wants.

use platform::clock::Timestamp;
use platform::db::{Db, Query, Row, Write};
use platform::request_log::current_request;

use crate::dossiers::Section;
use crate::links::Act;
use crate::session::Person;

/// How a look ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    Refused,
}

impl Outcome {
    pub fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
        }
    }
}

/// A look, as it happens.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    pub person: &'a Person,
    /// The relation by which the person had access; `None` if there was no access at all.
    pub relation: Option<&'static str>,
    /// The link that gave access; empty if there was none.
    pub link: &'a str,
    pub organisation: &'a str,
    pub dossier: &'a str,
    pub section: Section,
    pub act: Act,
    pub outcome: Outcome,
}

/// What one person did in one section on one day, in one way: of many looks the number, the first and the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    pub first_at: Timestamp,
    pub last_at: Timestamp,
    pub count: i64,
    pub person_name: String,
    pub relation: String,
    pub section: String,
    pub action: String,
    pub outcome: String,
}

/// Where a page of the log goes on: the looks before a moment, and how many groups of its day were shown already.
/// Rows are only added, so what lies before a moment stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub before: Timestamp,
    pub skip: i64,
}

/// A page of the log, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeenPage {
    pub seen: Vec<Seen>,
    pub next: Option<Cursor>,
}

/// Groups on a page.
const GROUPS: u32 = 100;
/// Days on a page.
const DAYS: usize = 31;

/// The log in the database.
#[derive(Clone, Debug)]
pub struct AccessLog(Db);

impl AccessLog {
    pub fn new(db: Db) -> Self {
        Self(db)
    }

    /// Removes the rows from before a moment.
    pub async fn forget(&self, before: Timestamp) -> Result<u64, sqlx::Error> {
        let text = "DELETE FROM access_log WHERE id IN
                      (SELECT id FROM access_log WHERE at < $1 ORDER BY at LIMIT 100)";
        self.0.remove_in_pieces(Query::new(text).bind(before.0)).await
    }

    /// Adds a row. Whoever shows a dossier does this first: what cannot be logged is not shown.
    pub async fn add(&self, id: &str, look: Look<'_>, now: Timestamp) -> Result<(), sqlx::Error> {
        self.0.execute(insert(id, look, now)).await.map(|_| ())
    }

    /// Adds a row to the transaction of what it is about: neither stands without the other.
    pub async fn add_to(
        &self,
        write: &mut Write,
        id: &str,
        look: Look<'_>,
        now: Timestamp,
    ) -> Result<(), sqlx::Error> {
        insert(id, look, now).execute(write).await.map(|_| ())
    }

    /// A page of who looked in a dossier. Reloading a page a thousand times makes a number larger, and pushes nobody
    /// out of sight.
    pub async fn seen(&self, dossier: &str, from: Cursor) -> Result<SeenPage, sqlx::Error> {
        let mut page = SeenPage::default();
        let mut cursor = from;
        let mut room = GROUPS;
        for _ in 0..DAYS {
            let Some(latest) = self.latest(dossier, cursor.before).await? else { return Ok(page) };
            let start = start_of_day(latest);
            // One more than there is room for tells whether there are more.
            let groups = self.of_day(dossier, start, cursor, room + 1).await?;
            for seen in groups {
                if room == 0 {
                    page.next = Some(cursor);
                    return Ok(page);
                }
                page.seen.push(seen);
                cursor.skip += 1;
                room -= 1;
            }
            cursor = Cursor { before: start, skip: 0 };
            if room == 0 {
                break;
            }
        }
        page.next = self.latest(dossier, cursor.before).await?.map(|_| cursor);
        Ok(page)
    }

    async fn latest(&self, dossier: &str, before: Timestamp) -> Result<Option<Timestamp>, sqlx::Error> {
        let query = Query::new("SELECT MAX(at) FROM access_log WHERE dossier_id = $1 AND at < $2");
        let row = query.bind(dossier).bind(before.0).fetch_one(&self.0).await?;
        Ok(row.try_get::<Option<i64>, _>(0)?.map(Timestamp))
    }

    async fn of_day(
        &self,
        dossier: &str,
        start: Timestamp,
        cursor: Cursor,
        limit: u32,
    ) -> Result<Vec<Seen>, sqlx::Error> {
        let rows = Query::new(
            "SELECT MIN(at), MAX(at), COUNT(*), person_name, relation, section, action, outcome FROM access_log
             WHERE dossier_id = $1 AND at >= $2 AND at < $3
             GROUP BY iss, sub, person_name, relation, section, action, outcome
             ORDER BY MAX(at) DESC, iss, sub, person_name, relation, section, action, outcome LIMIT $4 OFFSET $5",
        )
        .bind(dossier)
        .bind(start.0)
        .bind(cursor.before.0)
        .bind(i64::from(limit))
        .bind(cursor.skip)
        .fetch_all(&self.0)
        .await?;
        let seen = |row: &Row| -> Result<Seen, sqlx::Error> {
            Ok(Seen {
                first_at: Timestamp(row.try_get(0)?),
                last_at: Timestamp(row.try_get(1)?),
                count: row.try_get(2)?,
                person_name: row.try_get(3)?,
                relation: row.try_get(4)?,
                section: row.try_get(5)?,
                action: row.try_get(6)?,
                outcome: row.try_get(7)?,
            })
        };
        rows.iter().map(seen).collect()
    }
}

fn insert(id: &str, look: Look<'_>, now: Timestamp) -> Query {
    Query::new(
        "INSERT INTO access_log (id, at, iss, sub, person_name, relation, link_id, organisation,
           dossier_id, section, action, outcome, request_id)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(id)
    .bind(now.0)
    .bind(&look.person.iss)
    .bind(&look.person.sub)
    .bind(&look.person.name)
    .bind(look.relation.unwrap_or("none"))
    .bind(look.link)
    .bind(look.organisation)
    .bind(look.dossier)
    .bind(look.section.slug())
    .bind(look.act.word())
    .bind(look.outcome.word())
    .bind(current_request())
}

/// Midnight in the Netherlands at the start of the day of a moment.
fn start_of_day(at: Timestamp) -> Timestamp {
    let zoned = jiff::Timestamp::from_millisecond(at.0).and_then(|at| at.in_tz("Europe/Amsterdam"));
    let midnight = zoned.and_then(|zoned| zoned.start_of_day());
    midnight.map_or(at, |midnight| Timestamp(midnight.timestamp().as_millisecond()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOON: Timestamp = Timestamp(1_795_000_000_000);
    const DAY: Duration = Duration::from_hours(24);
    const NEWEST: Cursor = Cursor { before: Timestamp(i64::MAX), skip: 0 };

    fn person(name: &str) -> Person {
        Person { iss: "i".into(), sub: name.to_lowercase(), name: name.into(), email: String::new() }
    }

    fn look(person: &Person) -> Look<'_> {
        Look {
            person,
            relation: Some("client"),
            link: "l",
            organisation: "a",
            dossier: "d",
            section: Section::Medical,
            act: Act::Read,
            outcome: Outcome::Allowed,
        }
    }

    /// Every page, one after the other.
    async fn all(log: &AccessLog) -> Vec<Seen> {
        let (mut seen, mut cursor) = (Vec::new(), Some(NEWEST));
        while let Some(at) = cursor {
            let page = log.seen("d", at).await.unwrap();
            assert!(page.seen.len() <= GROUPS as usize);
            seen.extend(page.seen);
            cursor = page.next;
        }
        seen
    }

    #[tokio::test]
    async fn t44_refused_looks_are_kept_beside_allowed_ones() {
        let store = crate::testing::Store::new().await;
        let log = AccessLog::new(store.db.clone());
        let piet = person("Piet");
        log.add("1", look(&piet), Timestamp(1)).await.unwrap();
        let refused = Look { outcome: Outcome::Refused, relation: None, link: "", ..look(&piet) };
        log.add("2", refused, Timestamp(2)).await.unwrap();
        let entries = log.seen("d", NEWEST).await.unwrap().seen;
        let outcomes: Vec<&str> = entries.iter().map(|entry| entry.outcome.as_str()).collect();
        assert_eq!(outcomes, ["refused", "allowed"]);
        assert_eq!((entries[0].relation.as_str(), entries[0].section.as_str()), ("none", "medical"));
    }

    #[tokio::test]
    async fn t44_who_reloads_a_page_pushes_nobody_out_of_sight() {
        let store = crate::testing::Store::new().await;
        let log = AccessLog::new(store.db.clone());
        let (nosy, joke) = (person("Nosy"), person("Joke"));
        log.add("first", look(&joke), NOON).await.unwrap();
        for n in 0..300 {
            let at = NOON.plus(Duration::from_secs(n + 1));
            log.add(&format!("n{n}"), look(&nosy), at).await.unwrap();
        }
        let page = log.seen("d", NEWEST).await.unwrap();
        let names: Vec<(&str, i64)> =
            page.seen.iter().map(|seen| (seen.person_name.as_str(), seen.count)).collect();
        assert_eq!(names, [("Nosy", 300), ("Joke", 1)]);
        assert_eq!(page.seen[0].first_at, NOON.plus(Duration::from_secs(1)));
        assert_eq!(page.seen[0].last_at, NOON.plus(Duration::from_mins(5)));
        assert_eq!(page.next, None);
    }

    #[tokio::test]
    async fn a_look_stands_on_one_page_however_many_people_and_days_there_are() {
        let store = crate::testing::Store::new().await;
        let log = AccessLog::new(store.db.clone());
        // A crowd on one day, all at one moment; and one person on each of fifty days before it.
        for n in 0..230 {
            log.add(&format!("c{n}"), look(&person(&format!("Crowd {n}"))), NOON).await.unwrap();
        }
        for n in 1..=50 {
            log.add(&format!("d{n}"), look(&person("Daily")), NOON.minus(DAY * n)).await.unwrap();
        }
        let seen = all(&log).await;
        assert_eq!(seen.len(), 280);
        let names: std::collections::BTreeSet<String> =
            seen.iter().map(|seen| format!("{} {}", seen.person_name, seen.last_at.0)).collect();
        assert_eq!(names.len(), 280, "none twice");
        assert!(seen.is_sorted_by(|one, other| one.last_at >= other.last_at));
    }

    #[tokio::test]
    async fn a_day_begins_at_midnight_in_the_netherlands() {
        let store = crate::testing::Store::new().await;
        let log = AccessLog::new(store.db.clone());
        let piet = person("Piet");
        // 22:59 and 23:01 UTC lie on both sides of a Dutch midnight in winter.
        let midnight = Timestamp(1_794_956_400_000);
        assert_eq!(midnight.local_text(), "18-11-2026 00:00");
        log.add("1", look(&piet), midnight.minus(Duration::from_mins(1))).await.unwrap();
        log.add("2", look(&piet), midnight).await.unwrap();
        log.add("3", look(&piet), midnight.plus(Duration::from_mins(1))).await.unwrap();
        let counts: Vec<i64> = all(&log).await.iter().map(|seen| seen.count).collect();
        assert_eq!(counts, [2, 1]);
    }
}
