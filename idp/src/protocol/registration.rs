//! Client metadata as a client sends it and gets it back (RFC 7591 sections 2 and 3.2, OpenID Connect Dynamic
//! Client Registration 1.0 section 2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::jose::JwkSet;
use crate::config::{Client, GrantType, ScopeSet, SigningAlgorithm, SubjectType, TokenEndpointAuthMethod};

/// What a client may say of itself. What it says beyond that is left out, as RFC 7591 section 2 wants.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClientMetadata {
    pub client_name: Option<String>,
    pub client_uri: Option<String>,
    pub logo_uri: Option<String>,
    pub policy_uri: Option<String>,
    pub tos_uri: Option<String>,
    pub redirect_uris: Vec<String>,
    pub post_logout_redirect_uris: Vec<String>,
    pub backchannel_logout_uri: Option<String>,
    pub backchannel_logout_session_required: Option<bool>,
    pub initiate_login_uri: Option<String>,
    pub response_types: Option<Vec<String>>,
    pub grant_types: Option<Vec<GrantType>>,
    pub scope: Option<String>,
    pub token_endpoint_auth_method: TokenEndpointAuthMethod,
    pub token_endpoint_auth_signing_alg: Option<SigningAlgorithm>,
    pub jwks: Option<JwkSet>,
    pub jwks_uri: Option<String>,
    pub subject_type: SubjectType,
    pub sector_identifier_uri: Option<String>,
    pub id_token_signed_response_alg: Option<SigningAlgorithm>,
    pub userinfo_signed_response_alg: Option<SigningAlgorithm>,
    pub request_object_signing_alg: Option<SigningAlgorithm>,
    pub require_signed_request_object: bool,
    pub require_pushed_authorization_requests: bool,
    pub dpop_bound_access_tokens: bool,
    pub default_max_age: Option<u32>,
    pub default_acr_values: Vec<String>,
}

/// The scopes that a client that registered itself may ask for: about people, never about care teams.
const SCOPES: [&str; 6] = ["openid", "profile", "email", "phone", "address", "offline_access"];

impl ClientMetadata {
    /// The settings that come of it. People are always asked for consent; PKCE is demanded if `require_pkce`.
    ///
    /// # Errors
    /// What cannot be had, for `invalid_client_metadata`.
    pub fn into_client(self, client_id: String, require_pkce: bool) -> Result<Client, &'static str> {
        if self.response_types.as_ref().is_some_and(|types| types != &["code"]) {
            return Err("response_types can only be [\"code\"]");
        }
        let grant_types = self.grant_types.unwrap_or_else(|| vec![GrantType::AuthorizationCode]);
        if grant_types.contains(&GrantType::ClientCredentials) {
            return Err("client_credentials is not for clients that register themselves");
        }
        let asked = self.scope.as_deref().map(ScopeSet::parse);
        let scope: Vec<&str> = SCOPES
            .into_iter()
            .filter(|scope| asked.as_ref().is_none_or(|asked| asked.contains(scope)))
            .collect();
        if [&self.client_name, &self.client_uri, &self.logo_uri, &self.policy_uri, &self.tos_uri]
            .into_iter()
            .flatten()
            .any(|text| text.len() > 512)
            || self.redirect_uris.len() + self.post_logout_redirect_uris.len() > 40
        {
            return Err("a value is too long");
        }
        // People read it where they are asked for their consent.
        if self.client_name.as_deref().is_some_and(platform::typed::has_hidden_marks) {
            return Err("client_name holds marks that nobody sees");
        }
        Ok(Client {
            client_name: self.client_name.unwrap_or_else(|| client_id.clone()),
            client_id,
            client_uri: self.client_uri,
            policy_uri: self.policy_uri,
            tos_uri: self.tos_uri,
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            token_endpoint_auth_signing_alg: self.token_endpoint_auth_signing_alg,
            jwks: self.jwks,
            jwks_uri: self.jwks_uri,
            redirect_uris: self.redirect_uris,
            post_logout_redirect_uris: self.post_logout_redirect_uris,
            backchannel_logout_uri: self.backchannel_logout_uri,
            initiate_login_uri: self.initiate_login_uri,
            grant_types,
            scope: scope.join(" "),
            subject_type: self.subject_type,
            sector_identifier_uri: self.sector_identifier_uri,
            id_token_signed_response_alg: self.id_token_signed_response_alg,
            userinfo_signed_response_alg: self.userinfo_signed_response_alg,
            request_object_signing_alg: self.request_object_signing_alg,
            require_signed_request_object: self.require_signed_request_object,
            require_pushed_authorization_requests: self.require_pushed_authorization_requests,
            dpop_bound_access_tokens: self.dpop_bound_access_tokens,
            require_pkce: require_pkce || self.token_endpoint_auth_method == TokenEndpointAuthMethod::None,
            default_max_age: self.default_max_age,
            default_acr_values: self.default_acr_values,
            consent: true,
            ..Client::default()
        })
    }

    /// What a registered client is told of itself (RFC 7591 section 3.2.1).
    pub fn of(client: &Client, logo_uri: Option<String>) -> Self {
        let client = client.clone();
        Self {
            client_name: Some(client.client_name),
            client_uri: client.client_uri,
            logo_uri,
            policy_uri: client.policy_uri,
            tos_uri: client.tos_uri,
            redirect_uris: client.redirect_uris,
            post_logout_redirect_uris: client.post_logout_redirect_uris,
            backchannel_logout_session_required: client.backchannel_logout_uri.is_some().then_some(true),
            backchannel_logout_uri: client.backchannel_logout_uri,
            initiate_login_uri: client.initiate_login_uri,
            response_types: Some(vec!["code".into()]),
            grant_types: Some(client.grant_types),
            scope: Some(client.scope),
            token_endpoint_auth_method: client.token_endpoint_auth_method,
            token_endpoint_auth_signing_alg: client.token_endpoint_auth_signing_alg,
            jwks: client.jwks,
            jwks_uri: client.jwks_uri,
            subject_type: client.subject_type,
            sector_identifier_uri: client.sector_identifier_uri,
            id_token_signed_response_alg: Some(client.id_token_signed_response_alg.unwrap_or_default()),
            userinfo_signed_response_alg: client.userinfo_signed_response_alg,
            request_object_signing_alg: client.request_object_signing_alg,
            require_signed_request_object: client.require_signed_request_object,
            require_pushed_authorization_requests: client.require_pushed_authorization_requests,
            dpop_bound_access_tokens: client.dpop_bound_access_tokens,
            default_max_age: client.default_max_age,
            default_acr_values: client.default_acr_values,
        }
    }
}

/// A picture as a `data:` URI (RFC 2397), by what it is and not by what its server calls it. An SVG is a document that
/// can do more than show, so it is none.
///
/// # Errors
/// If it is not a picture of a kind that every browser shows.
pub fn as_data_uri(picture: &[u8]) -> Result<String, &'static str> {
    let is_webp = picture.starts_with(b"RIFF") && picture.get(8..12) == Some(b"WEBP");
    let kind = match picture {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', b'7' | b'9', b'a', ..] => "image/gif",
        _ if is_webp => "image/webp",
        _ => return Err("the answer is no PNG, JPEG, GIF or WebP picture"),
    };
    Ok(format!("data:{kind};base64,{}", STANDARD.encode(picture)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn client(metadata: serde_json::Value) -> Result<Client, &'static str> {
        serde_json::from_value::<ClientMetadata>(metadata).unwrap().into_client("id".into(), true)
    }

    #[test]
    fn metadata_becomes_settings_and_is_told_back() {
        let client = client(json!({
            "redirect_uris": ["https://rp.example/cb"],
            "scope": "openid care_team email",
            "unknown": { "x": 1 },
        }))
        .unwrap();
        assert_eq!(
            (client.scope.as_str(), client.consent, client.require_pkce),
            ("openid email", true, true)
        );
        let told = serde_json::to_value(ClientMetadata::of(&client, None)).unwrap();
        assert_eq!(told["grant_types"], json!(["authorization_code"]));
        assert_eq!(told["token_endpoint_auth_method"], "client_secret_basic");
        assert_eq!(told["id_token_signed_response_alg"], "RS256");
    }

    #[test]
    fn a_picture_is_known_by_what_it_is() {
        let png = as_data_uri(b"\x89PNG\r\n\x1a\n...").unwrap();
        assert!(png.starts_with("data:image/png;base64,iVBORw0KGgo"), "{png}");
        assert!(as_data_uri(b"GIF89a...").unwrap().starts_with("data:image/gif;"));
        assert!(as_data_uri(b"\xff\xd8\xff\xe0").unwrap().starts_with("data:image/jpeg;"));
        assert!(as_data_uri(b"RIFF\0\0\0\0WEBPVP8").unwrap().starts_with("data:image/webp;"));
        for other in [&b""[..], b"<svg/>", b"<html>", b"RIFF", b"GIF90a", b"\x89PNG"] {
            assert!(as_data_uri(other).is_err(), "{other:?}");
        }
    }

    #[test]
    fn what_cannot_be_had_is_refused() {
        for metadata in [
            json!({ "response_types": ["token"] }),
            json!({ "grant_types": ["client_credentials"] }),
            json!({ "client_name": "x".repeat(600) }),
            json!({ "client_name": "Portaal\u{202e}" }),
            json!({ "logo_uri": "x".repeat(600) }),
        ] {
            assert!(client(metadata.clone()).is_err(), "{metadata}");
        }
    }
}
