//! A write transaction. What it costs on SQLite are round trips to the connection's thread: its begin, its first
//! statement, what may wait for the end, and its commit go together as far as they can.

use std::fmt::Write as _;

use deadpool::managed::Object;
use sqlx::any::AnyArguments;
use sqlx::query::Query;
use sqlx::{Any, AnyConnection};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Engine;
use super::pool::{Connector, WAIT};

/// A value of a statement that runs with others.
#[derive(Clone, Debug)]
pub enum Value {
    Text(Option<String>),
    Number(Option<i64>),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(text.to_owned()))
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(Some(text))
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(str::to_owned))
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Value {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

/// A statement and its values.
pub type Statement = (&'static str, Vec<Value>);

/// A transaction that may write. Dropped without [`Write::commit`], it is rolled back.
pub struct Write {
    /// Absent once the transaction has ended.
    connection: Option<Object<Connector>>,
    engine: Engine,
    later: Vec<Statement>,
    permit: Option<OwnedSemaphorePermit>,
}

impl Write {
    pub(super) fn new(connection: Object<Connector>, engine: Engine, permit: OwnedSemaphorePermit) -> Self {
        Self { connection: Some(connection), engine, later: Vec::new(), permit: Some(permit) }
    }

    /// Begins; on SQLite it takes the write lock at once.
    pub(super) async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let engine = self.engine;
        let connection = self.opening();
        match engine {
            Engine::Sqlite => sqlx::query("BEGIN IMMEDIATE").execute(connection).await?,
            Engine::Postgres => sqlx::raw_sql("BEGIN").execute(connection).await?,
        };
        Ok(())
    }

    /// Begins with guarded statements, each about one row and with `RETURNING`; whether each of them changed its row.
    pub(super) async fn begin_if(&mut self, guards: Vec<Statement>) -> Result<bool, sqlx::Error> {
        if self.engine == Engine::Postgres {
            self.begin().await?;
            for (sql, values) in guards {
                if bound(sqlx::query(sql), values).fetch_optional(self.connection()).await?.is_none() {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        let count = guards.len();
        let (sql, values) = joined(guards);
        let sql = sqlx::AssertSqlSafe(format!("BEGIN IMMEDIATE;\n{sql}"));
        Ok(bound(sqlx::query(sql), values).fetch_all(self.opening()).await?.len() == count)
    }

    /// The connection, from now on in a transaction as far as anybody knows.
    fn opening(&mut self) -> &mut AnyConnection {
        let connection = self.connection.as_mut().expect(ENDED);
        connection.in_transaction = true;
        &mut connection.raw
    }

    /// The connection to run statements on.
    pub fn connection(&mut self) -> &mut AnyConnection {
        &mut self.connection.as_mut().expect(ENDED).raw
    }

    /// Keeps a statement until the commit, for rows that nothing in this transaction reads or counts. On SQLite all that
    /// were kept are one round trip with the commit: each costs two changes of thread, more than the statement itself.
    pub fn later(&mut self, sql: &'static str, values: Vec<Value>) {
        self.later.push((sql, values));
    }

    /// Makes it all durable. A transaction in which a statement failed must be dropped: PostgreSQL answers its commit as if
    /// it were one.
    ///
    /// # Errors
    /// The engine's; nothing was written then, unless the connection to a server was lost at this moment.
    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        let later = std::mem::take(&mut self.later);
        match self.engine {
            Engine::Sqlite => {
                let (mut sql, values) = joined(later);
                sql.push_str("COMMIT");
                bound(sqlx::query(sqlx::AssertSqlSafe(sql)), values).execute(self.connection()).await?;
            }
            Engine::Postgres => {
                for (sql, values) in later {
                    bound(sqlx::query(sql), values).execute(self.connection()).await?;
                }
                sqlx::raw_sql("COMMIT").execute(self.connection()).await?;
            }
        }
        if let Some(mut connection) = self.connection.take() {
            connection.in_transaction = false;
        }
        Ok(())
    }
}

const ENDED: &str = "only a commit, which takes the transaction with it, takes its connection";

impl Drop for Write {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let permit = self.permit.take();
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            // Closing it rolls back.
            drop(Object::take(connection));
            return;
        };
        runtime.spawn(async move {
            let rollback = sqlx::raw_sql("ROLLBACK").execute(&mut connection.raw);
            if matches!(timeout(WAIT, rollback).await, Ok(Ok(_))) {
                connection.in_transaction = false;
                drop(connection);
            } else {
                drop(Object::take(connection));
            }
            // The next writer waits until now.
            drop(permit);
        });
    }
}

/// A query with its values, in their order.
pub fn bound(query: Query<'_, Any, AnyArguments>, values: Vec<Value>) -> Query<'_, Any, AnyArguments> {
    values.into_iter().fold(query, |query, value| match value {
        Value::Text(text) => query.bind(text),
        Value::Number(number) => query.bind(number),
    })
}

/// Statements as one text, whose placeholders count on from one to the next.
fn joined(statements: Vec<Statement>) -> (String, Vec<Value>) {
    let (mut text, mut all) = (String::new(), Vec::new());
    for (sql, values) in statements {
        let mut parts = sql.split('$');
        text.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: usize = part[..digits].parse().unwrap_or(0);
            let _ = write!(text, "${}{}", number + all.len(), &part[digits..]);
        }
        text.push_str(";\n");
        all.extend(values);
    }
    (text, all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn joined_statements_count_their_placeholders_on() {
        let (text, values) = joined(vec![
            ("INSERT INTO a VALUES ($1, $2, $1)", vec!["x".into(), 1.into()]),
            ("DELETE FROM b", Vec::new()),
            ("UPDATE c SET d = $2 WHERE e = $1", vec![None::<&str>.into(), 2.into()]),
        ]);
        assert_eq!(
            text,
            "INSERT INTO a VALUES ($1, $2, $1);\nDELETE FROM b;\nUPDATE c SET d = $4 WHERE e = $3;\n"
        );
        assert_eq!(values.len(), 4);
    }
}
