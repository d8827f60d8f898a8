//! The HTTPS client for requests to registered addresses: logout endpoints and key sets of portals.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};
use web::config::ConfigError;

use crate::config::Config;

/// A portal that does not answer within this is tried again later.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that follows no redirect, and trusts `outbound.ca_file` besides the authorities of the system.
///
/// # Errors
/// For a certificate file that cannot be used.
pub fn client(config: &Config) -> Result<Client, ConfigError> {
    let mut builder = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
    let refused =
        |value: String, advice: String| ConfigError::refused(&config.path, "outbound.ca_file", value, advice);
    if let Some(file) = &config.outbound.ca_file {
        let file = config.path.parent().map_or_else(|| file.clone(), |folder| folder.join(file));
        let name = file.display().to_string();
        let pem = std::fs::read(&file)
            .map_err(|error| refused(name.clone(), format!("this file cannot be read: {error}")))?;
        let certificates = Certificate::from_pem_bundle(&pem)
            .ok()
            .filter(|certificates| !certificates.is_empty())
            .ok_or_else(|| refused(name, "write a file with one certificate or more in PEM form".into()))?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| refused("(any)".into(), format!("no HTTPS client can be made: {error}")))
}
