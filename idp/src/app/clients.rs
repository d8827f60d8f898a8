//! Clients: of the configuration, or registered by themselves; and what one knows a person by (OpenID Connect Core
//! section 8).

use std::sync::Arc;

use super::{App, ServiceError};
use crate::config::{Client, RegisteredClient, SubjectType};
use crate::domain::account::Account;

type Found = Result<Option<Arc<RegisteredClient>>, ServiceError>;

impl App {
    /// A client by its id, as it is now.
    pub async fn client(&self, client_id: &str) -> Found {
        self.configured_or(client_id, self.read_client(client_id)).await
    }

    /// The same in a request that began with catching up (`router`): as the client was then, or later.
    pub async fn known_client(&self, client_id: &str) -> Found {
        let read = self.read_client(client_id);
        let kept = self.known_clients.or_read(client_id, self.clock.now(), read);
        self.configured_or(client_id, kept).await
    }

    /// A client of the configuration, or what `registered` finds.
    async fn configured_or(&self, client_id: &str, registered: impl Future<Output = Found>) -> Found {
        if let Some(known) = self.registry.client(client_id) {
            return Ok(Some(Arc::clone(known)));
        }
        if !self.config.registration.enabled || client_id.len() > 64 {
            return Ok(None);
        }
        registered.await
    }

    async fn read_client(&self, client_id: &str) -> Found {
        let row = self.store.registered_client(client_id).await?;
        Ok(row.map(|row| self.registry.registered(row.client, row.secret_hash)))
    }

    /// The `sub` of an account as this client sees it. Clients of one sector see the same one; what one sector
    /// sees tells nothing about another's.
    pub fn subject_for(&self, client: &Client, account: &Account) -> String {
        match client.subject_type {
            SubjectType::Public => account.subject.0.clone(),
            SubjectType::Pairwise => {
                self.pairwise.hash(&format!("{}\n{}", client.sector(), account.subject.0))
            }
        }
    }
}
