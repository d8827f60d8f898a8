//! The clients of the configuration, ready for use.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Client, Portal};

/// A client as endpoints use it: its settings, its secret, its portal.
#[derive(Clone, Debug)]
pub struct Registered {
    pub client: Client,
    /// The secret's SHA-256, compared in constant time.
    pub secret_hash: Option<String>,
    pub portal: Arc<Portal>,
}

/// All clients by their id.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    clients: HashMap<String, Arc<Registered>>,
    first_portal: Arc<Portal>,
}

impl Registry {
    pub(super) fn new(portals: &[Portal], clients: HashMap<String, Arc<Registered>>) -> Self {
        Self { clients, first_portal: Arc::new(portals.first().cloned().unwrap_or_default()) }
    }

    pub fn client(&self, client_id: &str) -> Option<&Arc<Registered>> {
        self.clients.get(client_id)
    }

    /// The portal of a client; for pages that no client led to, the first of the configuration.
    pub fn portal_of(&self, client_id: Option<&str>) -> &Arc<Portal> {
        client_id
            .and_then(|id| self.clients.get(id))
            .map_or(&self.first_portal, |registered| &registered.portal)
    }

    pub fn clients(&self) -> impl Iterator<Item = &Arc<Registered>> {
        self.clients.values()
    }
}
