//! The table `mail_links`: what a mailed link, or the code typed instead, is good for; once.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Write};
use platform::seal::sha256;

use super::{Result, Store};
use crate::domain::account::{AccountId, EmailAddress};

/// What a link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    Confirm,
    Reset,
    /// To a new address, for an account that has another one.
    EmailChange,
}

impl Purpose {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Reset => "reset",
            Self::EmailChange => "email-change",
        }
    }
}

/// What stands behind a link.
#[derive(Clone, Debug)]
pub struct MailLink {
    pub account_id: AccountId,
    /// The portal the person came from.
    pub client_id: Option<String>,
    /// The waiting page on which its code may be typed.
    pub page_id: String,
    /// The password that a confirmation counts for, as [`Account::credential_version`](crate::domain::account::Account).
    pub credential_version: Option<String>,
    /// What the account's address is to become.
    pub new_email: Option<EmailAddress>,
}

/// A link to be mailed.
#[derive(Clone, Debug)]
pub struct NewMailLink<'a> {
    pub purpose: Purpose,
    pub account_id: &'a AccountId,
    pub page_id: &'a str,
    pub token: &'a str,
    /// A keyed hash: the code is short.
    pub code_hash: &'a str,
    pub client_id: Option<&'a str>,
    pub lifetime: Duration,
    pub credential_version: Option<&'a str>,
    pub new_email: Option<&'a EmailAddress>,
}

const COLUMNS: &str = "account_id, client_id, page_id, password_mark, new_email";

fn link(row: &Row) -> Result<MailLink> {
    let new_email: Option<String> = row.try_get("new_email")?;
    Ok(MailLink {
        account_id: AccountId(row.try_get("account_id")?),
        client_id: row.try_get("client_id")?,
        page_id: row.try_get("page_id")?,
        credential_version: row.try_get("password_mark")?,
        new_email: new_email.map(EmailAddress::stored),
    })
}

impl Store {
    /// Adds a link. Earlier ones of the same waiting page are of the same request and work as long as this one: nobody
    /// knows which mail somebody opens. Others of that purpose for the account stop working.
    pub async fn insert_mail_link(&self, write: &mut Write, new: &NewMailLink<'_>) -> Result<()> {
        let now = self.clock.now();
        let query = Query::new(
            "UPDATE mail_links SET expires_at = CASE WHEN page_id = $1 THEN $2 ELSE $3 END
             WHERE account_id = $4 AND purpose = $5 AND expires_at > $3",
        );
        let query = query.bind(new.page_id).bind(now.plus(new.lifetime).0).bind(now.0);
        query.bind(&new.account_id.0).bind(new.purpose.as_str()).execute(write).await?;
        Query::new(
            "INSERT INTO mail_links
               (token_hash, purpose, account_id, page_id, code_hash, client_id, created_at, expires_at, password_mark,
                new_email)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(sha256(new.token))
        .bind(new.purpose.as_str())
        .bind(&new.account_id.0)
        .bind(new.page_id)
        .bind(new.code_hash)
        .bind(new.client_id)
        .bind(now.0)
        .bind(now.plus(new.lifetime).0)
        .bind(new.credential_version)
        .bind(new.new_email.map(EmailAddress::as_str))
        .execute(write)
        .await?;
        Ok(())
    }

    /// Ends all links of a purpose, and their codes.
    pub async fn void_mail_links(
        &self,
        write: &mut Write,
        account: &AccountId,
        purpose: Purpose,
    ) -> Result<()> {
        Query::new(
            "UPDATE mail_links SET expires_at = $1 WHERE account_id = $2 AND purpose = $3 AND expires_at > $1",
        )
        .bind(self.clock.now().0)
        .bind(&account.0)
        .bind(purpose.as_str())
        .execute(write)
        .await?;
        Ok(())
    }

    /// What a link would do; looking consumes nothing.
    pub async fn peek_mail_link(&self, purpose: Purpose, token: &str) -> Result<Option<MailLink>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM mail_links
             WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3"
        );
        let row = Query::new(AssertSqlSafe(sql))
            .bind(sha256(token))
            .bind(purpose.as_str())
            .bind(self.clock.now().0)
            .fetch_optional(&self.db)
            .await?;
        row.as_ref().map(link).transpose()
    }

    /// Uses a link up, and the others of its purpose with it.
    pub async fn use_mail_link(
        &self,
        write: &mut Write,
        purpose: Purpose,
        token: &str,
    ) -> Result<Option<MailLink>> {
        let sql = format!(
            "UPDATE mail_links SET used_at = $3
             WHERE token_hash = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > $3
             RETURNING {COLUMNS}"
        );
        let row = Query::new(AssertSqlSafe(sql))
            .bind(sha256(token))
            .bind(purpose.as_str())
            .bind(self.clock.now().0)
            .fetch_optional(&mut *write)
            .await?;
        let Some(link) = row.as_ref().map(link).transpose()? else { return Ok(None) };
        let query = Query::new(
            "UPDATE mail_links SET used_at = $1 WHERE account_id = $2 AND purpose = $3 AND used_at IS NULL",
        );
        let query = query.bind(self.clock.now().0).bind(&link.account_id.0).bind(purpose.as_str());
        query.execute(write).await?;
        Ok(Some(link))
    }

    /// Adds a link with a new token beside the one whose code was typed on its waiting page; false if the code is
    /// not that of a live link. The link in the mail works on: whichever is used first ends both. The code of a confirmation works after its button was pressed in another
    /// browser too: until the account is confirmed, both prove the same.
    pub async fn trade_code_for_token(
        &self,
        purpose: Purpose,
        page_id: &str,
        code_hash: &str,
        token: &str,
    ) -> Result<bool> {
        let query = Query::new(
            "INSERT INTO mail_links
               (token_hash, purpose, account_id, page_id, code_hash, client_id, created_at, expires_at, password_mark,
                new_email)
             SELECT $1, purpose, account_id, page_id, '', client_id, created_at, expires_at, password_mark, new_email
             FROM mail_links
             WHERE page_id = $2 AND code_hash = $3 AND purpose = $4 AND (used_at IS NULL OR purpose = 'confirm')
               AND expires_at > $5",
        );
        let query = query.bind(sha256(token)).bind(page_id).bind(code_hash).bind(purpose.as_str());
        Ok(self.db.execute(query.bind(self.clock.now().0)).await? == 1)
    }

    /// Removes links that ended before then; returns how many.
    pub async fn remove_mail_links(&self, ended_before: Timestamp) -> Result<u64> {
        let query = Query::new(
            "DELETE FROM mail_links WHERE token_hash IN
               (SELECT token_hash FROM mail_links WHERE expires_at < $1 ORDER BY expires_at LIMIT 100)",
        );
        Ok(self.db.remove_in_pieces(query.bind(ended_before.0)).await?)
    }
}
