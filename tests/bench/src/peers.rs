//! Another provider, set up as ours is: the same clients, keys of the same kinds, passwords of the same cost.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use idp::config::PasswordRules;
use serde_json::json;

use crate::process::free_port;
use crate::provider::{Plan, Provider};
use crate::server::{APP, Algorithm, MACHINE, PASSWORD, REDIRECT_URI, RESOURCE, WEB};

/// The npm package `oidc-provider`, which `run` installed, with so many people and grants in its memory.
///
/// # Errors
/// It is not installed, or does not start.
pub async fn oidc_provider(people: usize, grants: usize) -> Result<Provider, String> {
    let folder =
        PathBuf::from(std::env::var("BENCH_PEERS").map_err(|_| "tests/bench/run did not install it")?);
    let manifest = folder.join("node_modules/oidc-provider/package.json");
    let manifest = std::fs::read_to_string(manifest).map_err(|_| "npm did not install it")?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).map_err(|error| error.to_string())?;
    let version = manifest["version"].as_str().unwrap_or_default();
    let clients = Algorithm::ALL.iter().flat_map(|algorithm| {
        let which = *algorithm as usize;
        let person = |client: crate::server::Client, grants: &[&str]| {
            json!({
                "client_id": client.id, "client_secret": client.secret, "redirect_uris": [REDIRECT_URI],
                "grant_types": grants, "id_token_signed_response_alg": algorithm.name(),
            })
        };
        let machine = json!({
            "client_id": MACHINE[which].id, "client_secret": MACHINE[which].secret, "redirect_uris": [],
            "response_types": [], "grant_types": ["client_credentials"], "scope": "api",
            "id_token_signed_response_alg": algorithm.name(),
        });
        [
            person(WEB[which], &["authorization_code"]),
            person(APP[which], &["authorization_code", "refresh_token"]),
            machine,
        ]
    });
    let clients: Vec<_> = clients.collect();
    let rules = PasswordRules::default();
    let argon2 = json!({ "memoryCost": rules.argon2_memory_kib, "timeCost": rules.argon2_iterations });
    let port = free_port();
    let mut command = Command::new("node");
    command
        .arg(folder.join("oidc-provider.mjs"))
        .args([usize::from(port), people, grants].map(|number| number.to_string()))
        .arg(PASSWORD)
        .env("NODE_ENV", "production")
        .env("BENCH_ARGON2", argon2.to_string())
        .env(
            "BENCH_CLIENTS",
            json!({ "redirectUri": REDIRECT_URI, "resource": RESOURCE, "clients": clients }).to_string(),
        )
        .stdout(Stdio::null());
    let plan = Plan {
        name: format!("oidc-provider {version}"),
        command,
        port,
        prefix: "",
        ready: "/.well-known/openid-configuration",
        people,
        beside: Vec::new(),
        folder: None,
        browsers: Vec::new(),
    };
    Provider::start(plan).await
}
