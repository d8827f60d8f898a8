//! The HTTPS client for requests to registered addresses: logout endpoints and key sets of portals.

use std::time::Duration;

use platform::check::{self, Place};
use platform::config::ConfigError;
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client};

use crate::config::Config;

/// A portal that does not answer within this is tried again later.
const TIMEOUT: Duration = Duration::from_secs(10);

/// A client that follows no redirect, and trusts `outbound.ca_file` besides the authorities of the system.
///
/// # Errors
/// For a certificate file that cannot be used.
pub fn client(config: &Config) -> Result<Client, ConfigError> {
    let mut builder = Client::builder().timeout(TIMEOUT).redirect(Policy::none());
    let at = Place::new(&config.path, "outbound.ca_file");
    let mut named = "(any)".to_owned();
    if let Some(file) = &config.outbound.ca_file {
        named = at.beside(file).display().to_string();
        let pem = check::certificates(at, file)?;
        let certificates =
            Certificate::from_pem_bundle(&pem).map_err(|error| unusable(at, &named, &error))?;
        builder = builder.tls_certs_merge(certificates);
    }
    builder.build().map_err(|error| unusable(at, &named, &error))
}

fn unusable(at: Place<'_>, named: &str, error: &reqwest::Error) -> ConfigError {
    at.remark(named, format!("no HTTPS client can be made with it: {error:?}"))
}
