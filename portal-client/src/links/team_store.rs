//! The rows of links, as a care team needs them. Every statement names the organisation: a team cannot reach
//! another's rows, whatever identifier it sends (T46).

use std::time::Duration;

use web::clock::Timestamp;

use super::code::ActivationCode;
use super::store::read;
use super::{Level, Link, Links};

impl Links {
    /// What an organisation has to do and has done: links that have not ended, newest first, then those
    /// that have.
    ///
    /// # Errors
    /// The database's.
    pub async fn of_organisation(&self, organisation: &str) -> Result<Vec<Link>, sqlx::Error> {
        let query = "SELECT * FROM links WHERE organisation = $1
             ORDER BY CASE WHEN ended_at IS NULL THEN 0 ELSE 1 END, requested_at DESC, id LIMIT 500";
        let rows = sqlx::query(query).bind(organisation).fetch_all(self.db.pool()).await?;
        rows.iter().map(read).collect()
    }

    /// One link of an organisation.
    ///
    /// # Errors
    /// The database's.
    pub async fn in_organisation(&self, id: &str, organisation: &str) -> Result<Option<Link>, sqlx::Error> {
        let query = "SELECT * FROM links WHERE id = $1 AND organisation = $2";
        let row = sqlx::query(query).bind(id).bind(organisation).fetch_optional(self.db.pool()).await?;
        row.as_ref().map(read).transpose()
    }

    /// Issues a code for a request, for this dossier at this level; the code before it is void. False if
    /// the request is not there to be opened any more.
    ///
    /// # Errors
    /// The database's.
    pub async fn issue_code(
        &self,
        link: &Link,
        code: &ActivationCode,
        dossier: &str,
        level: Level,
        lifetime: Duration,
        now: Timestamp,
    ) -> Result<bool, sqlx::Error> {
        let query = sqlx::query(
            "UPDATE links SET dossier_id = $1, level = $2, code_hash = $3, code_issued_at = $4,
               code_expires_at = $5, code_failures = 0
             WHERE id = $6 AND organisation = $7 AND activated_at IS NULL AND ended_at IS NULL",
        );
        let query = query
            .bind(dossier)
            .bind(level.word())
            .bind(self.codes.hash(&link.id, code))
            .bind(now.0)
            .bind(now.plus(lifetime).0)
            .bind(&link.id)
            .bind(&link.organisation);
        Ok(self.db.execute(query).await? == 1)
    }

    /// Makes the code of a request worthless; false if there was none.
    ///
    /// # Errors
    /// The database's.
    pub async fn void_code(&self, link: &Link) -> Result<bool, sqlx::Error> {
        let query = sqlx::query(
            "UPDATE links SET code_hash = NULL
             WHERE id = $1 AND organisation = $2 AND code_hash IS NOT NULL AND ended_at IS NULL",
        );
        Ok(self.db.execute(query.bind(&link.id).bind(&link.organisation)).await? == 1)
    }

    /// Sets how much an open link shows; false if it is not open.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_level(&self, link: &Link, level: Level) -> Result<bool, sqlx::Error> {
        let query = sqlx::query(
            "UPDATE links SET level = $1 WHERE id = $2 AND organisation = $3 AND ended_at IS NULL",
        );
        Ok(self.db.execute(query.bind(level.word()).bind(&link.id).bind(&link.organisation)).await? == 1)
    }
}

#[cfg(test)]
mod tests {
    use web::random::Random;

    use super::*;
    use crate::dossiers::identity::{BirthDate, Bsn};
    use crate::links::{NewRequest, Relation, State};
    use crate::session::Person;
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

    async fn requested(links: &Links) -> Link {
        let id = links.request("one", &person("s"), &request(), Timestamp(1)).await.unwrap();
        links.in_organisation(&id, "a").await.unwrap().unwrap()
    }

    async fn issue(links: &Links, link: &Link, seed: u64) -> ActivationCode {
        let code = ActivationCode::draw(&Random::seeded(seed));
        assert!(links.issue_code(link, &code, "d", Level::Full, DAYS, Timestamp(10)).await.unwrap());
        code
    }

    #[tokio::test]
    async fn a_request_is_opened_by_its_code_and_closed_by_its_end() {
        let store = Store::new().await;
        let links = Links::new(store.db.clone(), &store.root);
        let link = requested(&links).await;
        assert_eq!(link.state, State::Requested { code: None });
        // Asking again for the same client gives the same request.
        assert_eq!(links.request("two", &person("s"), &request(), Timestamp(2)).await.unwrap(), "one");
        let code = issue(&links, &link, 1).await;
        // Nobody else can use it, and nothing is open before it is used.
        assert!(!links.activate("one", &person("other"), &code, 5, Timestamp(11)).await.unwrap());
        assert!(links.opening("d", &person("s")).await.unwrap().is_none());
        assert!(links.activate("one", &person("s"), &code, 5, Timestamp(11)).await.unwrap());
        assert!(links.opening("d", &person("s")).await.unwrap().is_some());
        assert!(!links.activate("one", &person("s"), &code, 5, Timestamp(12)).await.unwrap(), "once");
        // T45: ended is gone at the next look, and can be asked for again.
        assert!(links.end("one", Timestamp(20)).await.unwrap());
        assert!(links.opening("d", &person("s")).await.unwrap().is_none());
        assert_eq!(links.request("three", &person("s"), &request(), Timestamp(21)).await.unwrap(), "three");
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
                let wrong = ActivationCode::typed("AAAA-AAAA");
                links.activate("one", &person("s"), &wrong, 5, Timestamp(11)).await.unwrap()
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
        assert!(!links.activate("one", &person("s"), &code, 5, Timestamp(12)).await.unwrap());
        // A new code starts over, and the old one stays void.
        let fresh = issue(&links, &link, 2).await;
        assert!(!links.activate("one", &person("s"), &code, 5, Timestamp(13)).await.unwrap());
        assert!(links.activate("one", &person("s"), &fresh, 5, Timestamp(14)).await.unwrap());
    }

    #[tokio::test]
    async fn a_code_expires_and_can_be_voided() {
        let store = Store::new().await;
        let links = Links::new(store.db.clone(), &store.root);
        let link = requested(&links).await;
        let code = issue(&links, &link, 1).await;
        let late = Timestamp(10).plus(DAYS);
        assert!(!links.activate("one", &person("s"), &code, 5, late).await.unwrap());
        assert!(links.void_code(&link).await.unwrap());
        assert!(!links.activate("one", &person("s"), &code, 5, Timestamp(11)).await.unwrap());
    }

    #[tokio::test]
    async fn t46_an_organisation_never_reaches_anothers_link() {
        let store = Store::new().await;
        let links = Links::new(store.db.clone(), &store.root);
        let mut link = requested(&links).await;
        assert!(links.of_organisation("b").await.unwrap().is_empty());
        assert!(links.in_organisation("one", "b").await.unwrap().is_none());
        link.organisation = "b".into();
        let code = ActivationCode::draw(&Random::seeded(3));
        assert!(!links.issue_code(&link, &code, "d", Level::Full, DAYS, Timestamp(10)).await.unwrap());
        assert!(!links.set_level(&link, Level::Limited).await.unwrap());
    }

    #[tokio::test]
    async fn t47_the_bsn_and_the_code_stand_in_no_column() {
        let store = Store::new().await;
        let links = Links::new(store.db.clone(), &store.root);
        let link = requested(&links).await;
        let code = issue(&links, &link, 1).await.grouped().replace('-', "");
        let row = sqlx::query("SELECT bsn, birth_date, match_hash, open_key, code_hash FROM links")
            .fetch_one(store.db.pool())
            .await
            .unwrap();
        for column in 0..5 {
            let value: String = sqlx::Row::get(&row, column);
            assert!(
                !value.contains("999990019") && !value.contains(&code) && !value.contains("1940"),
                "{value}"
            );
        }
        let (bsn, born) = links.reveal(&link).unwrap();
        assert_eq!((bsn.reveal(), born.iso().as_str()), ("999990019", "1940-02-01"));
    }
}
