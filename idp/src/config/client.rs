//! OAuth clients: their settings, each a client's own, with the names of RFC 7591 client metadata; and the
//! profiles that set several at once.

use jsonwebtoken::jwk::JwkSet;
use platform::config::Secret;
use serde::{Deserialize, Serialize};

use super::SigningAlgorithm;

/// How a client authenticates at the endpoints that it calls itself (OpenID Connect Core section 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenEndpointAuthMethod {
    #[default]
    ClientSecretBasic,
    ClientSecretPost,
    /// A signed assertion (RFC 7523 section 2.2).
    PrivateKeyJwt,
    /// A public client; it must use PKCE.
    None,
}

/// What a client may present at the token endpoint (RFC 7591 section 2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    AuthorizationCode,
    RefreshToken,
    ClientCredentials,
}

impl GrantType {
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// The `grant_type` value.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The grant of that `grant_type` value, if it is one of these.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.name() == name)
    }
}

/// What kind of `sub` a client sees (OpenID Connect Core section 8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectType {
    #[default]
    Public,
    Pairwise,
}

/// A set of rules that other parties wrote down; it sets several fields of a client at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Profile {
    /// FAPI 2.0 Security Profile (Final), with private_key_jwt and DPoP.
    Fapi2,
    /// The Dutch government's assurance profiles for OAuth 2.0 and OpenID Connect.
    NlGov,
}

/// An OAuth client, with the names of RFC 7591 client metadata where that has one.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Client {
    pub client_id: String,
    pub client_name: String,
    pub client_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub profile: Option<Profile>,
    pub client_secret: Option<Secret>,
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    pub token_endpoint_auth_signing_alg: Option<SigningAlgorithm>,
    pub jwks: Option<JwkSet>,
    pub jwks_uri: Option<String>,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub initiate_login_uri: Option<String>,
    pub grant_types: Vec<GrantType>,
    pub scope: String,
    /// RFC 8707: the resources it may ask tokens for.
    pub resources: Vec<String>,
    /// The resource that this client is; it may introspect tokens for it.
    pub serves: Option<String>,
    pub subject_type: SubjectType,
    pub sector_identifier_uri: Option<String>,
    pub id_token_signed_response_alg: Option<SigningAlgorithm>,
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    pub request_object_signing_alg: Option<SigningAlgorithm>,
    pub require_signed_request_object: bool,
    pub require_pushed_authorization_requests: bool,
    pub dpop_bound_access_tokens: bool,
    pub require_pkce: bool,
    /// Whether the audience of its assertions is the issuer alone, as one string.
    pub strict_assertion_audience: bool,
    pub rotate_refresh_tokens: bool,
    /// For how long a refresh token that was used may come again: from another tab, or after a lost answer.
    pub refresh_grace_seconds: u32,
    pub access_token_seconds: Option<u32>,
    pub refresh_token_days: Option<u32>,
    pub default_max_age: Option<u32>,
    pub default_acr_values: Vec<String>,
    /// Whether the person is asked before this client learns anything. First-party portals skip it.
    pub consent: bool,
    /// Whether the claims of its scopes stand in its ID tokens too: some libraries look there only.
    pub claims_in_id_token: bool,
    /// Whether the token response says `session_state`, the session as logout tokens name it. Keycloak as a relying
    /// party finds its session by that.
    pub session_state_in_token_response: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self {
            client_id: String::new(),
            client_name: String::new(),
            client_uri: None,
            policy_uri: None,
            tos_uri: None,
            profile: None,
            client_secret: None,
            token_endpoint_auth_method: TokenEndpointAuthMethod::default(),
            token_endpoint_auth_signing_alg: None,
            jwks: None,
            jwks_uri: None,
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            backchannel_logout_uri: None,
            initiate_login_uri: None,
            grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
            scope: "openid profile email phone address offline_access".into(),
            resources: Vec::new(),
            serves: None,
            subject_type: SubjectType::Public,
            sector_identifier_uri: None,
            id_token_signed_response_alg: None,
            userinfo_signed_response_alg: None,
            request_object_signing_alg: None,
            require_signed_request_object: false,
            require_pushed_authorization_requests: false,
            dpop_bound_access_tokens: false,
            require_pkce: true,
            strict_assertion_audience: false,
            rotate_refresh_tokens: true,
            refresh_grace_seconds: 10,
            access_token_seconds: None,
            refresh_token_days: None,
            default_max_age: None,
            default_acr_values: Vec::new(),
            consent: false,
            claims_in_id_token: false,
            session_state_in_token_response: false,
        }
    }
}

impl Client {
    /// Lets the profile set what it demands. What the file says against it is found by the checks that follow.
    pub fn apply_profile(&mut self) {
        match self.profile {
            None => {}
            Some(Profile::Fapi2) => {
                self.require_pkce = true;
                self.require_pushed_authorization_requests = true;
                self.dpop_bound_access_tokens = true;
                self.strict_assertion_audience = true;
                // FAPI 2.0 Security Profile section 5.3.2.1: no rotation but in extraordinary circumstances.
                self.rotate_refresh_tokens = false;
            }
            Some(Profile::NlGov) => {
                self.require_pkce = true;
                self.strict_assertion_audience = true;
                // NL GOV for OpenID Connect 1.0.1, Pairwise Identifiers: portals must not match people up.
                self.subject_type = SubjectType::Pairwise;
            }
        }
    }

    /// What ID tokens, logout tokens and access tokens of this client are signed with.
    pub fn signing_alg(&self) -> SigningAlgorithm {
        let default = if self.profile.is_some() { SigningAlgorithm::Ps256 } else { SigningAlgorithm::Rs256 };
        self.id_token_signed_response_alg.unwrap_or(default)
    }

    /// Whether anything of it is signed with this algorithm.
    pub fn asks_for(&self, algorithm: SigningAlgorithm) -> bool {
        self.signing_alg() == algorithm || self.userinfo_signed_response_alg == Some(algorithm)
    }

    /// Whether it takes part in signing out: then its ID tokens say which session they are of.
    pub fn has_logout(&self) -> bool {
        self.backchannel_logout_uri.is_some() || !self.post_logout_redirect_uris.is_empty()
    }

    pub fn is_public(&self) -> bool {
        self.token_endpoint_auth_method == TokenEndpointAuthMethod::None
    }

    /// The origins of its redirect URIs: where a public client runs, if that is in browsers. An app's own scheme has
    /// none; `null`, which browsers send for many things, is never one.
    pub fn origins(&self) -> Vec<String> {
        let origin = |uri: &String| Some(url::Url::parse(uri).ok()?.origin()).filter(url::Origin::is_tuple);
        self.redirect_uris.iter().filter_map(origin).map(|origin| origin.ascii_serialization()).collect()
    }

    pub fn may(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether it has keys of its own, to sign with.
    pub fn has_keys(&self) -> bool {
        self.jwks.is_some() || self.jwks_uri.is_some()
    }

    /// The sector of its pairwise subjects (OpenID Connect Core section 8.1): a host.
    pub fn sector(&self) -> String {
        let uri = self.sector_identifier_uri.as_ref().or_else(|| self.redirect_uris.first());
        let host = uri.and_then(|uri| Some(url::Url::parse(uri).ok()?.host_str()?.to_owned()));
        host.unwrap_or_else(|| self.client_id.clone())
    }
}
