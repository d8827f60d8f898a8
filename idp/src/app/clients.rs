//! Clients: of the configuration, or registered by themselves; and what one knows a person by (OpenID Connect Core
//! section 8).

use std::sync::Arc;

use super::{App, ServiceError};
use crate::config::{Client, RegisteredClient, SubjectType};
use crate::domain::account::Account;

impl App {
    /// A client by its id.
    pub async fn client(&self, client_id: &str) -> Result<Option<Arc<RegisteredClient>>, ServiceError> {
        if let Some(known) = self.registry.client(client_id) {
            return Ok(Some(Arc::clone(known)));
        }
        if !self.config.registration.enabled || client_id.len() > 64 {
            return Ok(None);
        }
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
