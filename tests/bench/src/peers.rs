//! Other people's providers, set up as ours is: the same clients, keys of the same kinds, passwords of the same cost.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::{fs, io};

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{KeyPair as _, RsaKeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use idp::config::PasswordRules;
use serde_json::json;

use crate::http::Connection;
use crate::load::Operation;
use crate::process::free_port;
use crate::provider::{Dialect, Plan, Provider};
use crate::server::{APP, Algorithm, Client, MACHINE, PASSWORD, REDIRECT_URI, RESOURCE, WEB};

/// Browsers in which Glewlwyd's person is signed in.
const GLEWLWYDS_BROWSERS: usize = 20;

/// The npm package `oidc-provider`, which `run` installed, with so many people and grants in its memory.
///
/// # Errors
/// It is not installed, or does not start.
pub async fn oidc_provider(people: usize, grants: usize) -> Result<Provider, String> {
    let folder =
        PathBuf::from(std::env::var("BENCH_PEERS").map_err(|_| "tests/bench/run did not install it")?);
    let manifest = folder.join("node_modules/oidc-provider/package.json");
    let manifest = fs::read_to_string(manifest).map_err(|_| "npm did not install it")?;
    let manifest: serde_json::Value = serde_json::from_str(&manifest).map_err(|error| error.to_string())?;
    let version = manifest["version"].as_str().unwrap_or_default();
    let node = Command::new("node").arg("--version").output().map_err(|error| format!("node: {error}"))?;
    let node = String::from_utf8_lossy(&node.stdout).trim().to_owned();
    let clients = Algorithm::ALL.iter().flat_map(|algorithm| {
        let which = *algorithm as usize;
        let person = |client: Client, grants: &[&str]| {
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
        name: format!("oidc-provider {version} on Node.js {node}"),
        command,
        port,
        dialect: Dialect::PLAIN,
        ready: "/.well-known/openid-configuration",
        people,
        beside: Vec::new(),
        folder: None,
        browsers: Vec::new(),
    };
    Provider::start(plan).await
}

/// What Glewlwyd can be asked for in the same way as ours.
pub fn glewlwyd_does(operation: Operation) -> bool {
    !matches!(
        operation,
        Operation::SignIn
            | Operation::Introspection
            | Operation::Silent(Algorithm::Es256)
            | Operation::Refresh(Algorithm::Es256)
            | Operation::ClientCredentials(Algorithm::Es256)
    )
}

/// Debian's package `glewlwyd`, on SQLite, with one person who is signed in in several browsers.
///
/// # Errors
/// It is not installed, or does not start.
pub async fn glewlwyd() -> Result<Provider, String> {
    let tables = "/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3";
    let tables = fs::read_to_string(tables).map_err(|_| "it is not installed")?;
    let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
    let (database, file) = (folder.path().join("glewlwyd.db"), folder.path().join("glewlwyd.conf"));
    let filled = rusqlite::Connection::open(&database).and_then(|database| database.execute_batch(&tables));
    filled.map_err(|error| error.to_string())?;
    let port = free_port();
    let modules = "/usr/lib/glewlwyd";
    let configuration = format!(
        "port={port}\nexternal_url=\"http://localhost:{port}\"\nlogin_url=\"login.html\"\napi_prefix=\"api\"\n\
         log_mode=\"console\"\nlog_level=\"ERROR\"\ncookie_domain=\"localhost\"\ncookie_secure=0\n\
         session_expiration=2419200\nsession_key=\"GLEWLWYD2_SESSION_ID\"\nadmin_scope=\"g_admin\"\n\
         profile_scope=\"g_profile\"\nuser_module_path=\"{modules}/user\"\nclient_module_path=\"{modules}/client\"\n\
         user_auth_scheme_module_path=\"{modules}/scheme\"\nplugin_module_path=\"{modules}/plugin\"\n\
         hash_algorithm=\"SHA512\"\ndatabase={{type=\"sqlite3\" path=\"{}\"}};\n",
        database.display()
    );
    fs::write(&file, configuration).map_err(|error| error.to_string())?;
    let mut command = Command::new("glewlwyd");
    command.arg("--config-file").arg(&file).stdout(Stdio::null()).stderr(Stdio::null());
    let version = Command::new("glewlwyd").arg("--version").output().map_err(|error| error.to_string())?;
    let plan = Plan {
        name: format!("glewlwyd {}", String::from_utf8_lossy(&version.stdout).trim()),
        command,
        port,
        dialect: Dialect {
            prefix: "/api/oidc",
            authorize: "/auth",
            silently: "&g_continue",
            refreshes_id_token: false,
            forgets_codes: true,
        },
        ready: "/config",
        people: GLEWLWYDS_BROWSERS,
        beside: Vec::new(),
        folder: Some(folder),
        browsers: Vec::new(),
    };
    let mut provider = Provider::start(plan).await?;
    let browsers = set_up_glewlwyd(port).await.map_err(|error| error.to_string())?;
    provider.plan.browsers = browsers;
    provider.plan.ready = "/api/oidc/.well-known/openid-configuration";
    Ok(provider)
}

/// Adds the plugin, the clients and a person by its interface; the cookies of the person's browsers.
async fn set_up_glewlwyd(port: u16) -> io::Result<Vec<String>> {
    let pem = |label: &str, der: &[u8]| {
        format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
    };
    let key = RsaKeyPair::generate(KeySize::Rsa2048).expect("a key");
    let private: Pkcs8V1Der<'_> = key.as_der().expect("a key in DER");
    let public: PublicKeyX509Der<'_> = key.public_key().as_der().expect("a key in DER");
    let plugin = json!({
        "module": "oidc", "name": "oidc", "display_name": "oidc", "order_rank": 0, "readonly": false,
        "parameters": {
            "iss": format!("http://localhost:{port}/api/oidc"), "subject-type": "public",
            "jwt-type": "rsa", "jwt-key-size": "256", "jwks-show": true,
            "key": pem("PRIVATE KEY", private.as_ref()), "cert": pem("PUBLIC KEY", public.as_ref()),
            "access-token-duration": 300, "refresh-token-duration": 2_592_000, "code-duration": 60,
            "refresh-token-rolling": true, "refresh-token-one-use": "always",
            "allow-non-oidc": true, "auth-type-code-enabled": true, "auth-type-token-enabled": false,
            "auth-type-id-token-enabled": true, "auth-type-none-enabled": false,
            "auth-type-password-enabled": false, "auth-type-client-enabled": true,
            "auth-type-device-enabled": false, "auth-type-refresh-enabled": true,
            "pkce-allowed": true, "pkce-method-plain-allowed": false,
            "scope": [], "additional-parameters": [], "claims": [],
        },
    });
    let scope =
        |name: &str| json!({ "name": name, "display_name": name, "password_required": false, "scheme": {} });
    let client = |client: Client, grants: &[&str], scopes: &[&str]| {
        json!({
            "client_id": client.id, "name": client.id, "confidential": true, "enabled": true,
            "password": client.secret, "client_secret": client.secret, "scope": scopes,
            "redirect_uri": [REDIRECT_URI], "authorization_type": grants,
            "token_endpoint_auth_method": ["client_secret_basic"],
        })
    };
    let person = json!({
        "username": "persoon", "name": "Anna Voorbeeld", "email": "persoon@example.nl", "enabled": true,
        "password": PASSWORD, "scope": ["openid", "offline_access", "g_profile"],
    });
    let code = ["code", "refresh_token"];
    let to_add = [
        ("mod/plugin", plugin),
        ("scope", scope("offline_access")),
        ("scope", scope("api")),
        ("client", client(WEB[0], &code, &[])),
        ("client", client(APP[0], &code, &[])),
        ("client", client(MACHINE[0], &["client_credentials"], &["api"])),
        ("user", person),
    ];
    let mut connection = Connection::open(port).await?;
    // The administrator that its tables begin with.
    let operator = sign_in_at_glewlwyd(&mut connection, "admin", "password").await?;
    for (kind, what) in to_add {
        let target = format!("/api/{kind}/");
        let answer = connection.json("POST", &target, &operator, &what.to_string()).await?;
        assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    }
    let mut browsers = Vec::new();
    for _ in 0..GLEWLWYDS_BROWSERS {
        browsers.push(sign_in_at_glewlwyd(&mut connection, "persoon", PASSWORD).await?);
    }
    let granted = json!({ "scope": "openid offline_access" }).to_string();
    for client in [WEB[0], APP[0]] {
        let target = format!("/api/auth/grant/{}/", client.id);
        let answer = connection.json("PUT", &target, &browsers[0], &granted).await?;
        assert_eq!(answer.status, 200, "{target}: {}", answer.body);
    }
    Ok(browsers)
}

/// The cookie of a browser.
async fn sign_in_at_glewlwyd(connection: &mut Connection, name: &str, password: &str) -> io::Result<String> {
    let who = json!({ "username": name, "password": password }).to_string();
    let answer = connection.json("POST", "/api/auth/", "", &who).await?;
    assert_eq!(answer.status, 200, "{}", answer.body);
    Ok(answer.cookies())
}
