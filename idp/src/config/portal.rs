//! Portals and their clients: who may send people here, and by which rules those sign in.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use web::config::Secret;
use web::pages::Brand;

/// A portal: one look, one set of sign-in rules, one or more OAuth clients.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Portal {
    pub id: String,
    pub url: String,
    pub brand: Brand,
    pub policy: SignInPolicy,
    #[serde(rename = "client")]
    pub clients: Vec<Client>,
}

/// When a second factor is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecondFactor {
    Never,
    /// On a device that the account does not know, or whose remembered time is over.
    #[default]
    NewDevice,
    Always,
}

/// The sign-in rules of a portal.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SignInPolicy {
    pub second_factor: SecondFactor,
    pub remember_days: u32,
    pub public_computer: bool,
}

impl Default for SignInPolicy {
    fn default() -> Self {
        Self { second_factor: SecondFactor::NewDevice, remember_days: 30, public_computer: false }
    }
}

/// How a client authenticates at the token endpoint (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    /// A public client; it must use PKCE.
    None,
}

/// An OAuth client, with the names of RFC 7591 client metadata.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    pub client_id: String,
    pub client_name: String,
    pub client_secret: Option<Secret>,
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub initiate_login_uri: Option<String>,
    pub scope: String,
    pub require_pkce: bool,
    pub id_token_signed_response_alg: String,
    /// Whether the person is asked before this client learns anything. First-party portals skip it.
    pub consent: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            client_name: String::new(),
            client_secret: None,
            token_endpoint_auth_method: TokenEndpointAuthMethod::default(),
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            initiate_login_uri: None,
            scope: "openid profile email phone offline_access".into(),
            require_pkce: true,
            id_token_signed_response_alg: "RS256".into(),
            consent: false,
        }
    }
}

/// A set of scope tokens (RFC 6749 section 3.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeSet(BTreeSet<String>);

impl ScopeSet {
    pub fn parse(scope: &str) -> Self {
        Self(scope.split_ascii_whitespace().map(str::to_owned).collect())
    }

    pub fn contains(&self, token: &str) -> bool {
        self.0.contains(token)
    }

    /// The tokens of this set that `other` has too.
    pub fn within(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }
}

impl std::fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.iter().map(String::as_str).collect::<Vec<_>>().join(" "))
    }
}

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
