//! Clients that registered themselves, kept in memory until any node changes one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use platform::clock::Timestamp;

use crate::config::RegisteredClient;

/// How many there is room for; a provider with more reads some of them again.
const MOST: usize = 2_000;
/// A node of the version before this one tells nobody what it changes: so long at most that goes unseen.
const FOR: Duration = Duration::from_secs(10);

/// What was read of them since the last change.
#[derive(Debug, Default)]
pub struct KnownClients(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    version: i64,
    known: HashMap<String, (Timestamp, Arc<RegisteredClient>)>,
}

impl KnownClients {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets all if `version`, which was read in this request, is a later one.
    pub fn catch_up(&self, version: i64) {
        let mut slot = self.slot();
        if version > slot.version {
            slot.version = version;
            slot.known.clear();
        }
    }

    /// A client as it was after the last [`KnownClients::catch_up`] or later: kept, or what `read` finds now.
    ///
    /// # Errors
    /// Those of `read`.
    pub async fn or_read<E>(
        &self,
        client_id: &str,
        now: Timestamp,
        read: impl Future<Output = Result<Option<Arc<RegisteredClient>>, E>>,
    ) -> Result<Option<Arc<RegisteredClient>>, E> {
        let version = {
            let slot = self.slot();
            if let Some((at, client)) = slot.known.get(client_id)
                && *at <= now
                && now < at.plus(FOR)
            {
                return Ok(Some(Arc::clone(client)));
            }
            slot.version
        };
        let found = read.await?;
        let mut slot = self.slot();
        // What was read before a change is not kept after it.
        if let Some(client) = &found
            && slot.version == version
        {
            if slot.known.len() >= MOST {
                slot.known.clear();
            }
            slot.known.insert(client_id.to_owned(), (now, Arc::clone(client)));
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::ready;
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    /// A client of this name.
    fn named(name: &str) -> Arc<RegisteredClient> {
        let text = format!(
            "issuer = 'http://localhost:8080'\n[secrets]\nroot = '0123456789abcdef0123456789abcdef'\n[dev]\noutbox = true\n\
             [[portal]]\nid = 'tests'\nurl = 'http://127.0.0.1:9999'\nbrand.name = 'Testportaal'\n\
             [[portal.client]]\nclient_id = 'a'\nclient_name = '{name}'\nclient_secret = 'a-secret-of-a-client'\n\
             redirect_uris = ['http://127.0.0.1:9999/cb']\n"
        );
        let config = Config::parse(Path::new("idp.toml"), &text).unwrap();
        let registry = config.registry().unwrap();
        Arc::clone(registry.client("a").unwrap())
    }

    async fn ask(known: &KnownClients, at: i64, found: Option<&str>) -> Option<String> {
        let read = ready(Ok::<_, Infallible>(found.map(named)));
        let client = known.or_read("a", Timestamp(at), read).await.unwrap()?;
        Some(client.client.client_name.clone())
    }

    #[tokio::test]
    async fn a_client_is_kept_until_the_version_changes_or_its_time_is_over() {
        let known = KnownClients::default();
        known.catch_up(3);
        assert_eq!(ask(&known, 5_000, None).await, None);
        assert_eq!(
            ask(&known, 5_000, Some("one")).await.as_deref(),
            Some("one"),
            "who is not there is not kept"
        );
        assert_eq!(ask(&known, 14_999, None).await.as_deref(), Some("one"));
        assert_eq!(ask(&known, 4_999, Some("two")).await.as_deref(), Some("two"), "the clock was set back");
        assert_eq!(ask(&known, 14_999, Some("three")).await.as_deref(), Some("three"), "its time is over");
        // A request that came before the last change takes nothing back.
        known.catch_up(2);
        assert_eq!(ask(&known, 15_000, None).await.as_deref(), Some("three"));
        known.catch_up(4);
        assert_eq!(ask(&known, 15_000, None).await, None);
    }

    #[tokio::test]
    async fn what_was_read_before_a_change_is_not_kept_after_it() {
        let known = KnownClients::default();
        let slow = async {
            known.catch_up(1);
            Ok::<_, Infallible>(Some(named("before")))
        };
        assert!(known.or_read("a", Timestamp(5_000), slow).await.unwrap().is_some());
        assert_eq!(ask(&known, 5_000, Some("after")).await.as_deref(), Some("after"));
    }
}
