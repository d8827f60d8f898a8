//! What a client's settings may still get wrong.

use std::collections::HashSet;

use platform::check::is_loopback;
use platform::config::ConfigError;
use url::Url;

use super::{Client, Config, GrantType, Profile, SubjectType, TokenEndpointAuthMethod};

type Check = fn(&Config, &Client) -> Result<(), ConfigError>;

/// Of the clients of the file.
const CHECKS: &[Check] = &[
    names,
    secret,
    public,
    profile,
    keys,
    uris,
    no_star,
    sector,
    machine,
    lifetimes,
    defaults,
    resource_server,
];

/// Of clients that registered themselves: their secrets are ours, and the rest is not theirs to set.
const OF_REGISTERED: &[Check] = &[public, keys, uris, sector, machine, is_https];

impl Config {
    /// Checks a client that registers itself.
    ///
    /// # Errors
    /// The metadata field that is wrong, and what to send instead.
    pub fn check_registered(&self, client: &Client) -> Result<(), (String, String)> {
        let failed = OF_REGISTERED.iter().try_for_each(|check| check(self, client));
        failed.map_err(|error| match error {
            ConfigError::Refused { key, advice, .. } => {
                let field = key.trim_start_matches("portal.client.").split(' ').next().unwrap_or_default();
                (field.to_owned(), advice)
            }
            other => (String::new(), other.to_string()),
        })
    }
}

/// Strangers' addresses on this machine itself are for development alone.
fn is_https(config: &Config, client: &Client) -> Result<(), ConfigError> {
    let named = [
        ("jwks_uri", &client.jwks_uri),
        ("backchannel_logout_uri", &client.backchannel_logout_uri),
        ("initiate_login_uri", &client.initiate_login_uri),
        ("client_uri", &client.client_uri),
        ("policy_uri", &client.policy_uri),
        ("tos_uri", &client.tos_uri),
    ];
    for (name, uri) in named {
        if let Some(uri) = uri.as_ref().filter(|uri| !uri.starts_with("https://") && !config.dev.is_on()) {
            return config.refuse(&key(client, name), uri, "it must start with https://");
        }
    }
    Ok(())
}

pub(super) fn clients(config: &Config) -> Result<(), ConfigError> {
    let mut seen = HashSet::new();
    for client in config.portals.iter().flat_map(|portal| &portal.clients) {
        if client.client_id.is_empty() || !seen.insert(&client.client_id) {
            return config.refuse(
                "portal.client.client_id",
                &client.client_id,
                "give each client an id of its own",
            );
        }
        CHECKS.iter().try_for_each(|check| check(config, client))?;
    }
    Ok(())
}

fn key(client: &Client, name: &str) -> String {
    format!("portal.client.{name} of {}", client.client_id)
}

/// RFC 6749 appendix A: what an identifier and a scope are written with. A colon would end the identifier in the header
/// that many clients send it in.
fn names(config: &Config, client: &Client) -> Result<(), ConfigError> {
    let id = &client.client_id;
    if id.len() > 200 || !id.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') {
        let advice = "write at most 200 letters, digits and signs, without spaces and colons";
        return config.refuse("portal.client.client_id", id, advice);
    }
    let is_scope = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
    if !client.scope.bytes().all(is_scope) {
        return config.refuse(&key(client, "scope"), &client.scope, "write names with spaces between them");
    }
    if client.client_name.contains(char::is_control) {
        return config.refuse(&key(client, "client_name"), &client.client_name, "write it on one line");
    }
    Ok(())
}

/// What a client that says nothing is taken to ask for has to be known here, or it asks for nothing.
fn defaults(config: &Config, client: &Client) -> Result<(), ConfigError> {
    let unknown = |value: &&String| config.acr.least(std::slice::from_ref(*value)).is_none();
    match client.default_acr_values.iter().find(unknown) {
        Some(value) => {
            config.refuse(&key(client, "default_acr_values"), value, "write a name of the section [acr]")
        }
        None => Ok(()),
    }
}

/// Redirect URIs are compared to the letter (RFC 9700 section 2.1), so one with a star never matches.
fn no_star(config: &Config, client: &Client) -> Result<(), ConfigError> {
    let lists = [
        ("redirect_uris", &client.redirect_uris),
        ("post_logout_redirect_uris", &client.post_logout_redirect_uris),
    ];
    for (name, uris) in lists {
        if let Some(uri) = uris.iter().find(|uri| uri.contains('*')) {
            let advice = "a star stands for nothing here; write each whole address";
            return config.refuse(&key(client, name), uri, advice);
        }
    }
    Ok(())
}

fn secret(config: &Config, client: &Client) -> Result<(), ConfigError> {
    use TokenEndpointAuthMethod as Method;
    let wants_secret = match client.token_endpoint_auth_method {
        Method::ClientSecretBasic | Method::ClientSecretPost => true,
        Method::PrivateKeyJwt | Method::None => false,
    };
    if wants_secret == client.client_secret.is_some() {
        return Ok(());
    }
    let (value, advice) = if wants_secret {
        (
            "(not set)",
            "write { file = \"...\" }, or token_endpoint_auth_method = \"none\" for a public client",
        )
    } else {
        ("(set)", "a client with this token_endpoint_auth_method has no secret; leave it out")
    };
    config.refuse(&key(client, "client_secret"), value, advice)
}

fn public(config: &Config, client: &Client) -> Result<(), ConfigError> {
    if client.is_public() && !client.require_pkce {
        return config.refuse(
            &key(client, "require_pkce"),
            "false",
            "a public client must use PKCE (RFC 9700 section 2.1.1)",
        );
    }
    if client.is_public() && client.may(GrantType::ClientCredentials) {
        let advice =
            "a public client cannot prove who it is (RFC 6749 section 4.4); leave client_credentials out";
        return config.refuse(&key(client, "grant_types"), "client_credentials", advice);
    }
    Ok(())
}

fn profile(config: &Config, client: &Client) -> Result<(), ConfigError> {
    let Some(profile) = client.profile else { return Ok(()) };
    let method = client.token_endpoint_auth_method;
    let proves_key = method == TokenEndpointAuthMethod::PrivateKeyJwt;
    let may_be_public = profile == Profile::NlGov && client.is_public();
    if !(proves_key || may_be_public) {
        let advice = "this profile wants token_endpoint_auth_method = \"private_key_jwt\"";
        return config.refuse(&key(client, "token_endpoint_auth_method"), format!("{method:?}"), advice);
    }
    let algorithms = [
        ("id_token_signed_response_alg", client.id_token_signed_response_alg),
        ("token_endpoint_auth_signing_alg", client.token_endpoint_auth_signing_alg),
        ("request_object_signing_alg", client.request_object_signing_alg),
        ("userinfo_signed_response_alg", client.userinfo_signed_response_alg),
    ];
    for (name, algorithm) in algorithms {
        if let Some(algorithm) = algorithm.filter(|alg| profile == Profile::Fapi2 && !alg.is_fapi()) {
            let advice = "FAPI 2.0 has \"PS256\", \"ES256\" and \"EdDSA\" (section 5.4.1)";
            return config.refuse(&key(client, name), algorithm.name(), advice);
        }
    }
    Ok(())
}

fn keys(config: &Config, client: &Client) -> Result<(), ConfigError> {
    if client.jwks.is_some() && client.jwks_uri.is_some() {
        let advice = "set jwks or jwks_uri, not both (RFC 7591 section 2)";
        return config.refuse(&key(client, "jwks_uri"), "(set)", advice);
    }
    let signs = client.token_endpoint_auth_method == TokenEndpointAuthMethod::PrivateKeyJwt
        || client.require_signed_request_object;
    if signs && !client.has_keys() {
        let advice = "set jwks_uri (or jwks) to the keys that this client signs with";
        return config.refuse(&key(client, "jwks_uri"), "(not set)", advice);
    }
    if client.jwks.as_ref().is_some_and(|set| set.keys.is_empty()) {
        return config.refuse(&key(client, "jwks"), "(empty)", "write at least one key");
    }
    Ok(())
}

/// Whether a client may name this URI: https, or this machine itself.
pub fn is_client_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once("://") else { return false };
    // A parser finds the host also behind one slash, or three; a browser as well.
    let names_a_host = !rest.starts_with(['/', '?']) && !rest.is_empty();
    is_plain(uri)
        && names_a_host
        && Url::parse(uri).is_ok_and(|url| scheme == "https" || (scheme == "http" && is_loopback(&url)))
}

/// Whether an app may be called back at this URI (RFC 8252 section 7.1): a scheme of its maker's own, which is a
/// domain name backwards and so has a dot. `javascript:`, `data:` and the like have none.
pub(crate) fn is_private_use_uri(uri: &str) -> bool {
    let Some((scheme, rest)) = uri.split_once(':') else { return false };
    let is_label = |label: &str| {
        label.starts_with(|first: char| first.is_ascii_lowercase())
            && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    };
    let names_a_domain = scheme.contains('.') && scheme.split('.').all(is_label);
    names_a_domain && rest.starts_with('/') && is_plain(uri) && Url::parse(uri).is_ok()
}

/// Whether a URI holds nothing that a parser would take away or write otherwise, for it is compared and sent as it
/// stands (RFC 3986 section 2); nor a fragment, a user's name, or a star that somebody might take for any name.
fn is_plain(uri: &str) -> bool {
    let may_stand = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]@!$&'()+,;=%".contains(&byte);
    let authority = uri.split_once("://").map_or("", |(_, rest)| rest);
    let authority = authority.split(['/', '?']).next().unwrap_or_default();
    // `%2A` in a host is a star as well, and `%40` an at sign.
    uri.bytes().all(may_stand) && !authority.contains(['@', '%'])
}

fn uris(config: &Config, client: &Client) -> Result<(), ConfigError> {
    if client.redirect_uris.is_empty() && client.may(GrantType::AuthorizationCode) {
        return config.refuse(&key(client, "redirect_uris"), "[]", "write at least one redirect URI");
    }
    let lists = [
        ("redirect_uris", client.redirect_uris.iter().collect::<Vec<_>>()),
        ("post_logout_redirect_uris", client.post_logout_redirect_uris.iter().collect()),
        ("backchannel_logout_uri", client.backchannel_logout_uri.iter().collect()),
        ("initiate_login_uri", client.initiate_login_uri.iter().collect()),
        ("client_uri", client.client_uri.iter().collect()),
        ("policy_uri", client.policy_uri.iter().collect()),
        ("tos_uri", client.tos_uri.iter().collect()),
        ("jwks_uri", client.jwks_uri.iter().collect()),
        ("sector_identifier_uri", client.sector_identifier_uri.iter().collect()),
    ];
    for (name, uris) in lists {
        // RFC 8252 section 7.1; such an app keeps no secret, so PKCE is what protects its codes.
        let may_be_app = client.is_public() && name.ends_with("redirect_uris");
        let is_good = |uri: &str| is_client_uri(uri) || (may_be_app && is_private_use_uri(uri));
        if let Some(uri) = uris.into_iter().find(|uri| !is_good(uri)) {
            let advice = "write an absolute https URI as it is, without a fragment, user name or star (plain http is \
                          for loopback only; a scheme of an app's own has a dot, and is for public clients)";
            return config.refuse(&key(client, name), uri, advice);
        }
    }
    Ok(())
}

/// OpenID Connect Core section 8.1: with more than one host, a sector has to be named.
fn sector(config: &Config, client: &Client) -> Result<(), ConfigError> {
    if client.subject_type != SubjectType::Pairwise || client.sector_identifier_uri.is_some() {
        return Ok(());
    }
    let host = |uri: &String| Url::parse(uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let hosts: HashSet<_> = client.redirect_uris.iter().map(host).collect();
    if hosts.len() > 1 {
        let advice = "its redirect URIs are on several hosts, and its subjects pairwise: name the sector";
        return config.refuse(&key(client, "sector_identifier_uri"), "(not set)", advice);
    }
    Ok(())
}

fn machine(config: &Config, client: &Client) -> Result<(), ConfigError> {
    if client.grant_types.is_empty() {
        let advice = "write \"authorization_code\", \"refresh_token\" or \"client_credentials\"";
        return config.refuse(&key(client, "grant_types"), "[]", advice);
    }
    if client.may(GrantType::RefreshToken) && !client.may(GrantType::AuthorizationCode) {
        let advice = "refresh tokens come from authorization codes; add \"authorization_code\"";
        return config.refuse(&key(client, "grant_types"), "refresh_token", advice);
    }
    Ok(())
}

fn lifetimes(config: &Config, client: &Client) -> Result<(), ConfigError> {
    if let Some(seconds) = client.access_token_seconds {
        config.between(&key(client, "access_token_seconds"), seconds, 30, 3_600)?;
    }
    if let Some(days) = client.refresh_token_days {
        config.between(&key(client, "refresh_token_days"), days, 1, 400)?;
    }
    config.between(&key(client, "refresh_grace_seconds"), client.refresh_grace_seconds, 0, 60)
}

/// RFC 8707 section 2: an absolute URI without a fragment.
fn resource_server(config: &Config, client: &Client) -> Result<(), ConfigError> {
    for (name, uri) in client
        .resources
        .iter()
        .map(|uri| ("resources", uri))
        .chain(client.serves.iter().map(|uri| ("serves", uri)))
    {
        if Url::parse(uri).is_ok_and(|url| url.fragment().is_none()) && *uri != config.issuer {
            continue;
        }
        let advice = "write an absolute URI without a fragment, other than the issuer (RFC 8707 section 2)";
        return config.refuse(&key(client, name), uri, advice);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn redirect_uris_are_to_the_letter_and_of_nobody_else() {
        let portal = "[[portal]]\nid = 'p'\nurl = 'https://p.example'\n[[portal.client]]\nclient_id = 'c'\n";
        let public = "token_endpoint_auth_method = 'none'\n";
        let secret = "client_secret = 'a-long-enough-secret-for-everybody'\n";
        let is_good = |kind: &str, uri: &str| {
            let text = format!("[dev]\noutbox = true\n{portal}{kind}redirect_uris = ['{uri}']\n");
            Config::parse(Path::new("idp.toml"), &text).and_then(|config| config.check()).is_ok()
        };
        for uri in
            ["https://p.example/cb?a=1", "http://127.0.0.1/cb", "http://[::1]:80/cb", "http://localhost/"]
        {
            assert!(is_good(public, uri) && is_good(secret, uri), "{uri}");
        }
        for uri in ["nl.example.app:/cb", "nl.example.app://x/cb?a=1", "com.example-2.a:/"] {
            assert!(is_good(public, uri) && !is_good(secret, uri), "{uri}");
        }
        for uri in [
            "https://*.example.nl/cb",
            "https://%2A.example.nl/cb",
            "https://p.example/*",
            "https://user@p.example/cb",
            "https://user:secret@p.example/cb",
            "https://@p.example/cb",
            "https://p.example%40evil.example/cb",
            "https:/p.example/cb",
            "https:user@p.example/cb",
            "https:///p.example/cb",
            "https:/\\p.example/cb",
            "https://p.example\\@evil.example/cb",
            "https://p.example/cb#part",
            "https://p.example/c b",
            "https://p.example/<cb>",
            "http://p.example/cb",
            "ftp://p.example/cb",
            "myapp:/cb",
            "javascript:alert(1)",
            "data:text/html,x",
            "NL.example.app:/cb",
            "nl..app:/cb",
            ".nl.app:/cb",
            "nl.example.app:cb",
            "nl.example.app://user@x/cb",
            "nl.example.app:/cb#part",
            "nl.example.app:/*",
            "//p.example/cb",
            "/cb",
            "",
        ] {
            assert!(!is_good(public, uri) && !is_good(secret, uri), "{uri}");
        }
    }
}
