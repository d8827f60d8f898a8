//! The clients of the configuration, ready for use.

use std::collections::{HashMap, HashSet};
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
#[derive(Clone, Debug)]
pub struct Registry {
    clients: HashMap<String, Arc<Registered>>,
    portals: Vec<Arc<Portal>>,
    first_portal: Arc<Portal>,
    /// That of clients which registered themselves.
    of_registered: Arc<Portal>,
    public_origins: HashSet<String>,
}

impl Registry {
    pub(super) fn new(
        mut portals: Vec<Arc<Portal>>,
        of_registered: &str,
        clients: HashMap<String, Arc<Registered>>,
    ) -> Self {
        if portals.is_empty() {
            // The provider's own pages have a look all the same, and its files an address.
            portals.push(Arc::new(Portal { id: "voordeur".into(), ..Portal::default() }));
        }
        let first_portal = Arc::clone(&portals[0]);
        let of_registered = portals.iter().find(|portal| portal.id == of_registered);
        let of_registered = Arc::clone(of_registered.unwrap_or(&first_portal));
        let public = clients.values().filter(|registered| registered.client.is_public());
        let public_origins = public.flat_map(|one| one.client.origins()).collect();
        Self { clients, portals, first_portal, of_registered, public_origins }
    }

    /// A client that registered itself, ready for use.
    pub fn registered(&self, client: Client, secret_hash: Option<String>) -> Arc<Registered> {
        Arc::new(Registered { client, secret_hash, portal: Arc::clone(&self.of_registered) })
    }

    pub fn client(&self, client_id: &str) -> Option<&Arc<Registered>> {
        self.clients.get(client_id)
    }

    /// The portal of a client; for pages that no client led to, the first of the configuration.
    pub fn portal_of(&self, client_id: Option<&str>) -> &Arc<Portal> {
        match client_id {
            None => &self.first_portal,
            Some(id) => self.clients.get(id).map_or(&self.of_registered, |registered| &registered.portal),
        }
    }

    pub fn portals(&self) -> impl Iterator<Item = &Portal> {
        self.portals.iter().map(Arc::as_ref)
    }

    /// Whether a public client, which runs in browsers, is at this origin.
    pub fn is_public_origin(&self, origin: &str) -> bool {
        self.public_origins.contains(origin)
    }

    pub fn clients(&self) -> impl Iterator<Item = &Arc<Registered>> {
        self.clients.values()
    }
}
