//! The table `refused_addresses`: where the last mail did not go, for whoever can ask the person for another address.

use std::time::Duration;

use platform::clock::Timestamp;
use platform::db::Query;

use super::{Result, Store, StoreError};

/// Why the last mail for an address did not arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undelivered {
    /// Its mail server refused it for good.
    Refused,
    /// Nobody took it for as long as it was of use.
    Late,
}

impl Undelivered {
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Late => "late",
        }
    }
}

impl Store {
    fn refused_key(&self, address: &str) -> String {
        self.root.hasher("refused address").hash(&address.to_lowercase())
    }

    /// The last mail for `address` did not arrive.
    pub async fn note_undelivered(&self, address: &str, reason: Undelivered) -> Result<()> {
        let text = "INSERT INTO refused_addresses (address_hash, at, reason) VALUES ($1, $2, $3) \
                    ON CONFLICT (address_hash) DO UPDATE SET at = excluded.at, reason = excluded.reason";
        let query = Query::new(text).bind(self.refused_key(address)).bind(self.clock.now().0);
        self.db.execute(query.bind(reason.name())).await?;
        Ok(())
    }

    /// A mail for `address` arrived: what was noted of it is over.
    pub async fn note_delivered(&self, address: &str) -> Result<()> {
        let query = Query::new("DELETE FROM refused_addresses WHERE address_hash = $1");
        self.db.execute(query.bind(self.refused_key(address))).await?;
        Ok(())
    }

    /// Since when mail for `address` does not arrive, and why; `None` if the last one did, or none was sent lately.
    pub async fn undelivered(&self, address: &str) -> Result<Option<(Timestamp, Undelivered)>> {
        let query = Query::new("SELECT at, reason FROM refused_addresses WHERE address_hash = $1");
        let row = query.bind(self.refused_key(address)).fetch_optional(&self.db).await?;
        row.map(|row| {
            let reason = match row.try_get("reason")? {
                "refused" => Undelivered::Refused,
                "late" => Undelivered::Late,
                _ => return Err(StoreError::Corrupt("refused_addresses.reason")),
            };
            Ok((Timestamp(row.try_get("at")?), reason))
        })
        .transpose()
    }

    /// Forgets what was noted longer than `keep` ago.
    pub async fn remove_undelivered(&self, keep: Duration) -> Result<u64> {
        let query = Query::new(
            "DELETE FROM refused_addresses WHERE address_hash IN
               (SELECT address_hash FROM refused_addresses WHERE at < $1 ORDER BY at LIMIT 100)",
        );
        Ok(self.db.remove_in_pieces(query.bind(self.clock.now().minus(keep).0)).await?)
    }
}
