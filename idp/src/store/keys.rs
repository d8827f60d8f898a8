//! The table `signing_keys`: times and sealed key material. What phase a key is in, `keys` decides.

use platform::clock::Timestamp;
use platform::db::{Query, Row, Write};
use zeroize::Zeroizing;

use super::{Result, Store};

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    pub kid: String,
    /// The `alg` value of RFC 7518 section 3.1.
    pub algorithm: String,
    /// PKCS#8, sealed; empty once the key is revoked.
    pub private_sealed: String,
    /// The public half as a JWK (RFC 7517).
    pub public_jwk: String,
    pub announced_at: Timestamp,
    pub signs_from: Timestamp,
    pub retired_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// How many keys of its algorithm came before, and one; zero if an earlier version of this program made it.
    pub generation: i64,
}

/// A key that was just made.
pub struct NewKey {
    pub kid: String,
    pub algorithm: &'static str,
    pub private_pkcs8: Zeroizing<Vec<u8>>,
    pub public_jwk: String,
    pub signs_from: Timestamp,
    pub generation: i64,
}

/// Each stands for the last change of its kind, by whichever process: what was read when it was the same still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Versions {
    /// Of the key ring.
    pub keys: i64,
    /// Of the clients that registered themselves.
    pub clients: i64,
}

/// What signs in the place of a key that is revoked.
pub enum Successor {
    /// The announced key of this kid.
    Announced(String),
    New(NewKey),
}

fn key_row(row: &Row) -> Result<KeyRow> {
    let time =
        |name: &str| -> Result<Option<Timestamp>> { Ok(row.try_get::<Option<i64>, _>(name)?.map(Timestamp)) };
    Ok(KeyRow {
        kid: row.try_get("kid")?,
        algorithm: row.try_get("algorithm")?,
        private_sealed: row.try_get("private_sealed")?,
        public_jwk: row.try_get("public_jwk")?,
        announced_at: Timestamp(row.try_get("announced_at")?),
        signs_from: Timestamp(row.try_get("signs_from")?),
        retired_at: time("retired_at")?,
        revoked_at: time("revoked_at")?,
        generation: row.try_get::<Option<i64>, _>("generation")?.unwrap_or(0),
    })
}

impl Store {
    /// Every key that was not removed yet, revoked ones included.
    pub async fn signing_keys(&self) -> Result<Vec<KeyRow>> {
        let text = "SELECT kid, algorithm, private_sealed, public_jwk, announced_at, signs_from, retired_at, revoked_at, generation \
                    FROM signing_keys ORDER BY signs_from, COALESCE(generation, 0), kid";
        Query::new(text).fetch_all(&self.db).await?.iter().map(key_row).collect()
    }

    /// The private half of a key, as PKCS#8.
    ///
    /// # Errors
    /// If it was sealed under another root key.
    pub fn open_signing_key(&self, row: &KeyRow) -> Result<Zeroizing<Vec<u8>>> {
        Ok(Zeroizing::new(self.root.sealer("signing key").open(&row.private_sealed)?))
    }

    /// Which change of the keys was the last. A copy that an older program made has this column too.
    pub async fn version_of_keys(&self) -> Result<i64> {
        let text = "SELECT version FROM signing_keys_version WHERE id = 1";
        Ok(Query::new(text).fetch_one(&self.db).await?.try_get(0)?)
    }

    /// Which changes were the last.
    pub async fn versions(&self) -> Result<Versions> {
        let text = "SELECT version, clients_version FROM signing_keys_version WHERE id = 1";
        let row = Query::new(text).fetch_one(&self.db).await?;
        Ok(Versions { keys: row.try_get(0)?, clients: row.try_get(1)? })
    }

    /// Adds a key. False if another process has added one of this generation.
    pub async fn add_signing_key(&self, key: &NewKey) -> Result<bool> {
        let mut write = self.db.begin_write().await?;
        let added = self.insert_signing_key(&mut write, key).await?;
        changed(write, added).await
    }

    async fn insert_signing_key(&self, write: &mut Write, key: &NewKey) -> Result<bool> {
        let text = "INSERT INTO signing_keys \
                    (kid, algorithm, private_sealed, public_jwk, announced_at, signs_from, generation) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (algorithm, generation) DO NOTHING";
        let insert = Query::new(text)
            .bind(key.kid.as_str())
            .bind(key.algorithm)
            .bind(self.root.sealer("signing key").seal(&key.private_pkcs8))
            .bind(key.public_jwk.as_str())
            .bind(self.clock.now().0)
            .bind(key.signs_from.0)
            .bind(key.generation);
        Ok(insert.execute(write).await? == 1)
    }

    /// Lets a key that waits sign from `at` on. False if it does not wait any more.
    pub async fn promote_signing_key(&self, kid: &str, at: Timestamp) -> Result<bool> {
        let mut write = self.db.begin_write().await?;
        let promoted = promote(&mut write, kid, at).await?;
        changed(write, promoted).await
    }

    /// Revokes a key and destroys its private half; in the same moment `successor` takes over, so that no process
    /// ever finds nothing to sign with. False, and nothing done, if the key cannot be revoked or the successor is
    /// not what it was.
    pub async fn revoke_signing_key(&self, kid: &str, successor: Option<&Successor>) -> Result<bool> {
        let now = self.clock.now();
        let mut write = self.db.begin_write().await?;
        let text = "UPDATE signing_keys SET revoked_at = $1, private_sealed = '' WHERE kid = $2 AND revoked_at IS NULL";
        let revoke = Query::new(text).bind(now.0).bind(kid);
        let revoked = revoke.execute(&mut write).await? == 1;
        let succeeded = match successor {
            None => true,
            Some(Successor::Announced(kid)) => promote(&mut write, kid, now).await?,
            Some(Successor::New(key)) => self.insert_signing_key(&mut write, key).await?,
        };
        changed(write, revoked && succeeded).await
    }

    /// Writes down that a successor took over at `at`.
    pub async fn retire_signing_key(&self, kid: &str, at: Timestamp) -> Result<()> {
        let text = "UPDATE signing_keys SET retired_at = $1 WHERE kid = $2 AND retired_at IS NULL";
        self.db.execute(Query::new(text).bind(at.0).bind(kid)).await?;
        Ok(())
    }

    /// Removes the keys that were retired or revoked before `before`.
    pub async fn remove_signing_keys(&self, before: Timestamp) -> Result<u64> {
        let text = "DELETE FROM signing_keys WHERE retired_at <= $1 OR revoked_at <= $1";
        Ok(self.db.execute(Query::new(text).bind(before.0)).await?)
    }
}

async fn promote(write: &mut Write, kid: &str, at: Timestamp) -> Result<bool> {
    let text =
        "UPDATE signing_keys SET signs_from = $1 WHERE kid = $2 AND signs_from > $1 AND revoked_at IS NULL";
    let update = Query::new(text).bind(at.0).bind(kid);
    Ok(update.execute(write).await? == 1)
}

/// Lets every process know of a change, in its own transaction; rolls back if there was none.
async fn changed(mut write: Write, changed: bool) -> Result<bool> {
    if changed {
        let text = "UPDATE signing_keys_version SET version = version + 1 WHERE id = 1";
        Query::new(text).execute(&mut write).await?;
        write.commit().await?;
    }
    Ok(changed)
}
