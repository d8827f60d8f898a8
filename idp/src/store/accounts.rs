//! The table `accounts`.

use platform::clock::Timestamp;
use platform::db::{AssertSqlSafe, Query, Row, Write};
use platform::language::Language;
use platform::seal::sha256;

use super::devices::{COLUMNS as DEVICE_COLUMNS, device};
use super::{Result, Store, StoreError};
use crate::domain::account::{Account, AccountId, EmailAddress, Role, SubjectId};
use crate::domain::device::Device;
use crate::domain::factors::Factors;
use crate::domain::search::search_name;

/// Of the table that they are of: others stand beside them.
pub(super) const COLUMNS: &str = "accounts.id, accounts.subject, accounts.given_name, accounts.family_name,
     accounts.email, accounts.email_confirmed_at, accounts.username, accounts.password_hash,
     accounts.temporary_password_until, accounts.temporary_password_used_at, accounts.phone_sealed, accounts.phone_verified_at,
     accounts.role, accounts.organisation, accounts.language, accounts.blocked_at,
     accounts.claims_sealed, accounts.created_at, accounts.updated_at,
     (SELECT COUNT(*) FROM totp WHERE totp.account_id = accounts.id) AS apps,
     (SELECT COUNT(*) FROM passkeys WHERE passkeys.account_id = accounts.id) AS passkeys,
     (SELECT COUNT(*) FROM passkeys
        WHERE passkeys.account_id = accounts.id AND passkeys.backup = 'bound') AS bound_passkeys,
     (SELECT COUNT(*) FROM recovery_codes
        WHERE recovery_codes.account_id = accounts.id AND recovery_codes.used_at IS NULL) AS recovery_codes";

/// What an account is looked for by.
#[derive(Clone, Debug)]
pub enum Name<'a> {
    Id(&'a AccountId),
    Email(EmailAddress),
    /// In whatever case.
    Username(&'a str),
}

/// What a new account starts with.
#[derive(Clone, Debug)]
pub struct NewAccount {
    pub given_name: String,
    pub family_name: String,
    pub email: EmailAddress,
    pub email_is_confirmed: bool,
    pub username: Option<String>,
    pub password_hash: Option<String>,
    /// Sealed by [`Store::seal_phone`]; counts as verified.
    pub phone_sealed: Option<String>,
    pub role: Role,
    /// As in [`Account`].
    pub organisation: Option<String>,
    pub language: Language,
}

/// The holder of a session, at this moment.
#[derive(Clone, Debug)]
pub struct Holder {
    pub account: Account,
    /// The session has neither ended nor reached its absolute limit.
    pub session_lives: bool,
    /// Tries from the known device of the session are locked out. The lock on all other devices is none of its: any
    /// stranger can bring it about.
    pub is_locked: bool,
}

pub(super) fn account(row: &Row) -> Result<Account> {
    let time =
        |name: &str| -> Result<Option<Timestamp>> { Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp)) };
    let count =
        |name: &str| -> Result<u32> { Ok(row.try_get::<i64, _>(name)?.try_into().unwrap_or(u32::MAX)) };
    let phone_verified_at = time("phone_verified_at")?;
    let phone_sealed: Option<String> = row.try_get("phone_sealed")?;
    let factors = Factors {
        sms: phone_verified_at.is_some() && phone_sealed.is_some(),
        totp: count("apps")? > 0,
        passkeys: count("passkeys")?,
        bound_passkeys: count("bound_passkeys")?,
        recovery_codes: count("recovery_codes")?,
    };
    let email: String = row.try_get("email")?;
    let role: String = row.try_get("role")?;
    let language: String = row.try_get("language")?;
    Ok(Account {
        id: AccountId(row.try_get("id")?),
        subject: SubjectId(row.try_get("subject")?),
        given_name: row.try_get("given_name")?,
        family_name: row.try_get("family_name")?,
        email: EmailAddress::stored(email),
        email_verified_at: time("email_confirmed_at")?,
        username: row.try_get("username")?,
        password_hash: row.try_get("password_hash")?,
        temporary_password_until: time("temporary_password_until")?,
        temporary_password_used_at: time("temporary_password_used_at")?,
        phone_sealed,
        claims_sealed: row.try_get("claims_sealed")?,
        phone_verified_at,
        factors,
        role: Role::parse(&role).ok_or(StoreError::Corrupt("accounts.role"))?,
        organisation: row.try_get("organisation")?,
        language: Language::from_tag(&language).unwrap_or_default(),
        blocked_at: time("blocked_at")?,
        created_at: Timestamp(row.try_get("created_at")?),
        updated_at: Timestamp(row.try_get("updated_at")?),
    })
}

impl Store {
    /// Adds an account; a known e-mail address or user name is a unique violation.
    pub async fn insert_account(&self, write: &mut Write, new: &NewAccount) -> Result<AccountId> {
        let now = self.clock.now().0;
        let id = AccountId(self.random.id());
        Query::new(
            "INSERT INTO accounts (id, subject, given_name, family_name, email, email_confirmed_at, username,
               password_hash, phone_sealed, phone_verified_at, role, organisation, language, created_at, updated_at,
               search_name)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        )
        .bind(&id.0)
        .bind(self.random.id())
        .bind(&new.given_name)
        .bind(&new.family_name)
        .bind(new.email.as_str())
        .bind(new.email_is_confirmed.then_some(now))
        .bind(&new.username)
        .bind(&new.password_hash)
        .bind(&new.phone_sealed)
        .bind(new.phone_sealed.is_some().then_some(now))
        .bind(new.role.as_str())
        .bind(&new.organisation)
        .bind(new.language.tag())
        .bind(now)
        .bind(now)
        .bind(search_name(&new.given_name, &new.family_name))
        .execute(write)
        .await?;
        Ok(id)
    }

    /// The account that `name` leads to, and the device that a browser with this secret is to it (another account's
    /// knowledge of it is none), in one query: each page of a sign-in needs both.
    pub async fn account_and_device(
        &self,
        name: &Name<'_>,
        device_secret: Option<&str>,
    ) -> Result<Option<(Account, Option<Device>)>> {
        let (column, value) = match name {
            Name::Id(id) => ("id", id.0.clone()),
            Name::Email(email) => ("email", email.as_str().to_owned()),
            Name::Username(username) => ("username", username.to_lowercase()),
        };
        let sql = format!(
            "SELECT {COLUMNS}, {DEVICE_COLUMNS}
             FROM accounts LEFT JOIN devices ON devices.account_id = accounts.id AND devices.secret_hash = $1
             WHERE accounts.{column} = $2"
        );
        let query = Query::new(AssertSqlSafe(sql)).bind(device_secret.map(sha256)).bind(value);
        let Some(row) = query.fetch_optional(&self.db).await? else { return Ok(None) };
        Ok(Some((account(&row)?, device(&row)?)))
    }

    /// The account of a session and how things stand for it, in one query.
    pub async fn holder(&self, id: &AccountId, session: &str) -> Result<Option<Holder>> {
        let sql = format!(
            "SELECT {COLUMNS}, sessions.id AS session_id, lockouts.locked_until
             FROM accounts
             LEFT JOIN sessions ON sessions.id = $2 AND sessions.ended_at IS NULL AND sessions.expires_at > $3
             LEFT JOIN lockouts ON lockouts.account_id = accounts.id AND lockouts.device_id = sessions.device_id
               AND lockouts.locked_until > $3
             WHERE accounts.id = $1"
        );
        let query = Query::new(AssertSqlSafe(sql)).bind(&id.0).bind(session).bind(self.clock.now().0);
        let Some(row) = query.fetch_optional(&self.db).await? else { return Ok(None) };
        Ok(Some(Holder {
            account: account(&row)?,
            session_lives: row.try_get::<Option<&str>, _>("session_id")?.is_some(),
            is_locked: row.try_get::<Option<i64>, _>("locked_until")?.is_some(),
        }))
    }

    async fn find_account(&self, column: &'static str, value: &str) -> Result<Option<Account>> {
        let sql = format!("SELECT {COLUMNS} FROM accounts WHERE {column} = $1");
        let row = Query::new(AssertSqlSafe(sql)).bind(value).fetch_optional(&self.db).await?;
        row.as_ref().map(account).transpose()
    }

    pub async fn account(&self, id: &AccountId) -> Result<Option<Account>> {
        self.find_account("id", &id.0).await
    }

    /// As [`Store::account`], as it is for this transaction.
    pub async fn account_in(&self, write: &mut Write, id: &AccountId) -> Result<Option<Account>> {
        let sql = format!("SELECT {COLUMNS} FROM accounts WHERE id = $1");
        let row = Query::new(AssertSqlSafe(sql)).bind(&id.0).fetch_optional(&mut *write).await?;
        row.as_ref().map(account).transpose()
    }

    /// The account whose holder confirmed this address, as it is for this transaction.
    pub async fn confirmed_account_in(
        &self,
        write: &mut Write,
        email: &EmailAddress,
    ) -> Result<Option<Account>> {
        let sql =
            format!("SELECT {COLUMNS} FROM accounts WHERE email = $1 AND email_confirmed_at IS NOT NULL");
        let query = Query::new(AssertSqlSafe(sql)).bind(email.as_str());
        query.fetch_optional(&mut *write).await?.as_ref().map(account).transpose()
    }

    /// Removes a registration of this address that nobody confirmed.
    pub async fn remove_unconfirmed_at(&self, write: &mut Write, email: &EmailAddress) -> Result<()> {
        let query = Query::new("DELETE FROM accounts WHERE email = $1 AND email_confirmed_at IS NULL");
        query.bind(email.as_str()).execute(write).await?;
        Ok(())
    }

    /// What the holder let clients have: client, scope, when.
    pub async fn consents(&self, id: &AccountId) -> Result<Vec<(String, String, Timestamp)>> {
        let sql = "SELECT client_id, scope, given_at FROM consents WHERE account_id = $1 ORDER BY given_at";
        let rows = Query::new(sql).bind(&id.0).fetch_all(&self.db).await?;
        rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?, Timestamp(row.try_get(2)?)))).collect()
    }

    /// A write transaction that holds an account as it is until it ends, if its password is still this one and nobody
    /// blocked it: who changes either waits for this transaction, or was first. `None` then, or if a row that one of
    /// the other `guards` is about is not as that one wants it.
    pub async fn begin_holding(
        &self,
        id: &AccountId,
        password_hash: Option<&str>,
        guards: impl IntoIterator<Item = Query>,
    ) -> Result<Option<Write>> {
        let sql = "UPDATE accounts SET updated_at = updated_at
                   WHERE id = $1 AND COALESCE(password_hash, '') = $2 AND blocked_at IS NULL RETURNING id";
        let holds = Query::new(sql).bind(&id.0).bind(password_hash.unwrap_or_default());
        let guards = guards.into_iter().chain([holds]).collect();
        Ok(self.db.begin_write_if(guards).await?)
    }

    pub async fn account_by_email(&self, email: &EmailAddress) -> Result<Option<Account>> {
        self.find_account("email", email.as_str()).await
    }

    /// Gives an account that was never confirmed new names and a new password; false if it has been
    /// confirmed meanwhile.
    pub async fn replace_unconfirmed(
        &self,
        write: &mut Write,
        id: &AccountId,
        new: &NewAccount,
    ) -> Result<bool> {
        let changed = Query::new(
            "UPDATE accounts SET given_name = $1, family_name = $2, password_hash = $3, language = $4, updated_at = $5,
               search_name = $7
             WHERE id = $6 AND email_confirmed_at IS NULL",
        )
        .bind(&new.given_name)
        .bind(&new.family_name)
        .bind(&new.password_hash)
        .bind(new.language.tag())
        .bind(self.clock.now().0)
        .bind(&id.0)
        .bind(search_name(&new.given_name, &new.family_name))
        .execute(write)
        .await?;
        Ok(changed == 1)
    }

    /// Notes that the owner of the address confirmed it for the account with this password; false if that was done
    /// before, or if the password is another one by now.
    pub async fn confirm_email(
        &self,
        write: &mut Write,
        id: &AccountId,
        password_hash: Option<&str>,
    ) -> Result<bool> {
        let sql = "UPDATE accounts SET email_confirmed_at = $1, updated_at = $1
                   WHERE id = $2 AND email_confirmed_at IS NULL AND COALESCE(password_hash, '') = $3";
        let query = Query::new(sql).bind(self.clock.now().0).bind(&id.0);
        let query = query.bind(password_hash.unwrap_or_default());
        Ok(query.execute(write).await? == 1)
    }

    /// Gives an account another address, which its holder has just confirmed; false if it has not the one that was
    /// to be replaced any more. An address of another account is a unique violation.
    pub async fn change_email(
        &self,
        write: &mut Write,
        id: &AccountId,
        old: &EmailAddress,
        new: &EmailAddress,
    ) -> Result<bool> {
        let sql = "UPDATE accounts SET email = $1, email_confirmed_at = $2, updated_at = $2 WHERE id = $3 AND email = $4";
        let query =
            Query::new(sql).bind(new.as_str()).bind(self.clock.now().0).bind(&id.0).bind(old.as_str());
        Ok(query.execute(write).await? == 1)
    }

    /// Gives an account another phone number, which has just received a code.
    pub async fn change_phone(&self, write: &mut Write, id: &AccountId, phone_sealed: &str) -> Result<()> {
        let sql =
            "UPDATE accounts SET phone_sealed = $1, phone_verified_at = $2, updated_at = $2 WHERE id = $3";
        let query = Query::new(sql).bind(phone_sealed).bind(self.clock.now().0).bind(&id.0);
        query.execute(write).await?;
        Ok(())
    }

    /// An account, held until `write` ends, so that nobody else changes it meanwhile.
    pub async fn hold_account(&self, write: &mut Write, id: &AccountId) -> Result<Option<Account>> {
        let sql = format!("UPDATE accounts SET updated_at = updated_at WHERE id = $1 RETURNING {COLUMNS}");
        let query = Query::new(AssertSqlSafe(sql)).bind(&id.0);
        query.fetch_optional(&mut *write).await?.as_ref().map(account).transpose()
    }

    /// Takes the phone number away from an account.
    pub async fn remove_phone(&self, write: &mut Write, id: &AccountId) -> Result<()> {
        let sql = "UPDATE accounts SET phone_sealed = NULL, phone_verified_at = NULL, updated_at = $1 WHERE id = $2";
        let query = Query::new(sql).bind(self.clock.now().0).bind(&id.0);
        query.execute(write).await?;
        Ok(())
    }

    /// Removes an account with everything that belongs to it but the audit log; false if it was gone.
    pub async fn delete_account(&self, write: &mut Write, id: &AccountId) -> Result<bool> {
        let query = Query::new("DELETE FROM accounts WHERE id = $1").bind(&id.0);
        Ok(query.execute(write).await? == 1)
    }

    /// Sets a password chosen by the holder; it is no longer a temporary one.
    pub async fn set_password(&self, write: &mut Write, id: &AccountId, hash: &str) -> Result<()> {
        let sql = "UPDATE accounts SET password_hash = $1, temporary_password_until = NULL,
                     temporary_password_used_at = NULL, updated_at = $2 WHERE id = $3";
        Query::new(sql).bind(hash).bind(self.clock.now().0).bind(&id.0).execute(write).await?;
        Ok(())
    }

    /// Replaces the hash of an unchanged password by one with today's parameters, unless the password was
    /// changed meanwhile.
    pub async fn upgrade_password_hash(&self, id: &AccountId, old: &str, new: &str) -> Result<()> {
        let query = Query::new("UPDATE accounts SET password_hash = $1 WHERE id = $2 AND password_hash = $3");
        self.db.execute(query.bind(new).bind(&id.0).bind(old)).await?;
        Ok(())
    }

    /// Sets the first phone number, which has just received a code; false if the account has one by now.
    pub async fn enrol_phone(&self, write: &mut Write, id: &AccountId, phone_sealed: &str) -> Result<bool> {
        let sql = "UPDATE accounts SET phone_sealed = $1, phone_verified_at = $2, updated_at = $2
                   WHERE id = $3 AND phone_verified_at IS NULL";
        let query = Query::new(sql).bind(phone_sealed).bind(self.clock.now().0).bind(&id.0);
        Ok(query.execute(write).await? == 1)
    }

    /// Blocks an account, or lifts the block.
    pub async fn set_blocked(&self, write: &mut Write, id: &AccountId, blocked: bool) -> Result<()> {
        let now = self.clock.now().0;
        let sql = "UPDATE accounts SET blocked_at = $1, updated_at = $2 WHERE id = $3";
        Query::new(sql).bind(blocked.then_some(now)).bind(now).bind(&id.0).execute(write).await?;
        Ok(())
    }

    /// Removes accounts whose address nobody confirmed, some time after the last mail that asked for it; returns
    /// how many.
    pub async fn remove_unconfirmed(&self, asked_before: Timestamp) -> Result<u64> {
        let query = Query::new(
            "DELETE FROM accounts WHERE id IN (SELECT id FROM accounts
               WHERE email_confirmed_at IS NULL AND created_at < $1
               AND (SELECT COUNT(*) FROM mail_links WHERE mail_links.account_id = accounts.id
                    AND mail_links.purpose = 'confirm' AND mail_links.created_at >= $1) = 0
               ORDER BY created_at LIMIT 100)",
        );
        Ok(self.db.remove_in_pieces(query.bind(asked_before.0)).await?)
    }

    /// Seals a phone number in E.164 form.
    pub fn seal_phone(&self, e164: &str) -> String {
        self.root.sealer("phone").seal(e164.as_bytes())
    }

    /// The number in E.164 form.
    ///
    /// # Errors
    /// If it was sealed under another root key.
    pub fn open_phone(&self, sealed: &str) -> Result<String> {
        Ok(self.root.sealer("phone").open_text(sealed)?)
    }
}
