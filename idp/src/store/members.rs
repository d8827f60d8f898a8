//! The accounts of users that one organisation's care team made, as that team sees them; for staff who were named for
//! it, also those of people who registered themselves. Accounts of staff and of other organisations do not exist here,
//! so that nothing above can forget to leave them out.

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Write};

use super::accounts::{COLUMNS, account};
use super::{Result, Store};
use crate::domain::account::{Account, AccountId};
use crate::domain::search::{fold, search_name};

/// An account with what its care team wants to know at a glance.
#[derive(Clone, Debug)]
pub struct Member {
    pub account: Account,
    /// The end of the latest lock, if one holds.
    pub locked_until: Option<Timestamp>,
    pub last_signed_in_at: Option<Timestamp>,
    /// No code of theirs is looked at today. Not a matter of these tables; false in lists.
    pub codes_closed: bool,
}

/// Whose accounts somebody at the desk may see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub organisation: &'a str,
    /// Whether people who registered themselves, and so belong to no organisation, are among them.
    pub self_registered: bool,
}

/// The accounts in a [`Scope`]; its two parameters stand at these numbers.
fn within(organisation: u8, self_registered: u8) -> String {
    format!(
        "role = 'user' AND (organisation = ${organisation} OR (organisation IS NULL AND ${self_registered} = 1))"
    )
}

/// The columns of a [`Member`]; `$1` is now.
const SEEN: &str = "(SELECT MAX(lockouts.locked_until) FROM lockouts
       WHERE lockouts.account_id = accounts.id AND lockouts.locked_until > $1) AS locked_until,
     (SELECT MAX(audit.at) FROM audit
       WHERE audit.account_id = accounts.id AND audit.event = 'signed-in') AS last_signed_in_at";

fn member(row: &Row) -> Result<Member> {
    let time =
        |name: &str| -> Result<Option<Timestamp>> { Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp)) };
    Ok(Member {
        account: account(row)?,
        locked_until: time("locked_until")?,
        last_signed_in_at: time("last_signed_in_at")?,
        codes_closed: false,
    })
}

/// A pattern of LIKE for texts that hold `text`, with `!` before what LIKE would read as a sign.
fn holding(text: &str) -> String {
    let mut pattern = String::from("%");
    for c in text.chars() {
        if "!%_".contains(c) {
            pattern.push('!');
        }
        pattern.push(c);
    }
    pattern + "%"
}

impl Store {
    /// The members in a scope whose name, address or user name holds `search` (empty: all), by family name.
    pub async fn members(
        &self,
        scope: Scope<'_>,
        search: &str,
        limit: i64,
        offset: i64,
    ) -> Result<Vec<Member>> {
        let within = within(2, 7);
        let sql = format!(
            "SELECT {COLUMNS}, {SEEN} FROM accounts
             WHERE {within}
               AND (search_name LIKE $3 ESCAPE '!' OR email LIKE $4 ESCAPE '!' OR username LIKE $4 ESCAPE '!')
             ORDER BY LOWER(family_name), LOWER(given_name), id LIMIT $5 OFFSET $6"
        );
        let query = Query::new(AssertSqlSafe(sql))
            .bind(self.clock.now().0)
            .bind(scope.organisation)
            .bind(holding(&fold(search)))
            .bind(holding(&search.to_lowercase()))
            .bind(limit)
            .bind(offset)
            .bind(i64::from(scope.self_registered));
        query.fetch_all(&self.db).await?.iter().map(member).collect()
    }

    /// Writes down what names are found by where the version before did not; a piece of them at a time. True if there
    /// may be more.
    pub async fn fill_search_names(&self) -> Result<bool> {
        const PIECE: usize = 200;
        let rows =
            Query::new("SELECT id, given_name, family_name FROM accounts WHERE search_name IS NULL LIMIT $1")
                .bind(i64::try_from(PIECE).unwrap_or(i64::MAX))
                .fetch_all(&self.db)
                .await?;
        let mut write = self.begin_write().await?;
        for row in &rows {
            let (given, family): (String, String) = (row.try_get("given_name")?, row.try_get("family_name")?);
            let id: String = row.try_get("id")?;
            let sql = "UPDATE accounts SET search_name = $1 WHERE id = $2 AND search_name IS NULL";
            write.later(Query::new(sql).bind(search_name(&given, &family)).bind(id));
        }
        write.commit().await?;
        Ok(rows.len() == PIECE)
    }

    /// Seals what somebody typed at the desk: people search for numbers too, which never stand unsealed.
    pub fn seal_for_desk(&self, typed: &str) -> String {
        self.root.sealer("desk").seal(typed.as_bytes())
    }

    /// What was typed, in its sealed form.
    ///
    /// # Errors
    /// If it was sealed under another root key.
    pub fn open_for_desk(&self, sealed: &str) -> Result<String> {
        Ok(self.root.sealer("desk").open_text(sealed)?)
    }

    /// One member in a scope.
    pub async fn member(&self, scope: Scope<'_>, id: &AccountId) -> Result<Option<Member>> {
        let within = within(2, 4);
        let sql = format!("SELECT {COLUMNS}, {SEEN} FROM accounts WHERE id = $3 AND {within}");
        let query = Query::new(AssertSqlSafe(sql));
        let query = query.bind(self.clock.now().0).bind(scope.organisation).bind(&id.0);
        let query = query.bind(i64::from(scope.self_registered));
        query.fetch_optional(&self.db).await?.as_ref().map(member).transpose()
    }

    /// The account of a member, held as it is until the transaction ends: who changes it at the same moment waits, and
    /// then sees what this transaction made of it.
    pub async fn hold_member(
        &self,
        write: &mut Write,
        scope: Scope<'_>,
        id: &AccountId,
    ) -> Result<Option<Account>> {
        let within = within(1, 3);
        let sql = format!(
            "UPDATE accounts SET updated_at = updated_at WHERE id = $2 AND {within} RETURNING {COLUMNS}"
        );
        let query = Query::new(AssertSqlSafe(sql)).bind(scope.organisation).bind(&id.0);
        let query = query.bind(i64::from(scope.self_registered));
        query.fetch_optional(&mut *write).await?.as_ref().map(account).transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_read_to_the_letter() {
        assert_eq!(holding("50%_!"), "%50!%!_!!%");
    }
}
