//! The clients of the configuration, ready for use.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use platform::check::{self, Place};
use platform::config::ConfigError;
use platform::look::Logo;

use super::{Client, Config, Factor, Portal};

/// A client as endpoints use it: its settings, its secret, its portal.
#[derive(Clone, Debug)]
pub struct RegisteredClient {
    pub client: Client,
    /// The secret's SHA-256, compared in constant time.
    pub secret_hash: Option<String>,
    pub portal: Arc<Portal>,
}

/// All clients by their id.
#[derive(Clone, Debug)]
pub struct Registry {
    clients: HashMap<String, Arc<RegisteredClient>>,
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
        clients: HashMap<String, Arc<RegisteredClient>>,
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
    pub fn registered(&self, client: Client, secret_hash: Option<String>) -> Arc<RegisteredClient> {
        Arc::new(RegisteredClient { client, secret_hash, portal: Arc::clone(&self.of_registered) })
    }

    pub fn client(&self, client_id: &str) -> Option<&Arc<RegisteredClient>> {
        self.clients.get(client_id)
    }

    /// The portal of a client; for pages that no client led to, the first of the configuration.
    pub fn portal_of(&self, client_id: Option<&str>) -> &Arc<Portal> {
        match client_id {
            None => &self.first_portal,
            Some(id) => self.clients.get(id).map_or(&self.of_registered, |registered| &registered.portal),
        }
    }

    /// The portal with this id.
    pub fn portal(&self, id: &str) -> Option<&Arc<Portal>> {
        self.portals.iter().find(|portal| portal.id == id)
    }

    pub fn portals(&self) -> impl Iterator<Item = &Portal> {
        self.portals.iter().map(Arc::as_ref)
    }

    /// Whether a public client, which runs in browsers, is at this origin.
    pub fn is_public_origin(&self, origin: &str) -> bool {
        self.public_origins.contains(origin)
    }

    pub fn clients(&self) -> impl Iterator<Item = &Arc<RegisteredClient>> {
        self.clients.values()
    }
}

impl Config {
    /// The clients of all portals, with their secrets read, and the portals with their logos.
    ///
    /// # Errors
    /// If a secret or a logo cannot be read.
    pub fn registry(&self) -> Result<Registry, ConfigError> {
        let (mut portals, mut clients) = (Vec::new(), HashMap::new());
        for portal in &self.portals {
            let key = format!("portal.brand.logo of {}", portal.id);
            let logo = Logo::read(&self.path, &key, &portal.brand)?;
            let mut portal_here = Portal { logo, ..portal.clone() };
            if !self.has_passkeys() {
                portal_here.policy.second_factor.methods.retain(|method| *method != Factor::Passkey);
            }
            let shared = Arc::new(portal_here);
            for client in &portal.clients {
                let key = format!("portal.client.client_secret of {}", client.client_id);
                let secret =
                    client.client_secret.as_ref().map(|secret| self.reveal(secret, &key)).transpose()?;
                if let Some(secret) = secret.as_deref().filter(|_| !self.dev.is_on()) {
                    check::secret(Place::new(&self.path, &key), secret)?;
                }
                let secret_hash = secret.map(|secret| platform::seal::sha256(&secret));
                let registered =
                    RegisteredClient { client: client.clone(), secret_hash, portal: Arc::clone(&shared) };
                clients.insert(client.client_id.clone(), Arc::new(registered));
            }
            portals.push(shared);
        }
        Ok(Registry::new(portals, &self.registration.portal, clients))
    }
}
