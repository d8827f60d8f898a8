//! Databases as a first start leaves them, made once for all tests and copied for each: tables, and keys to sign with, of
//! which the RSA ones cost more than most tests.

use std::path::Path;

use idp::config::Config;
use idp::keys::KeyRing;
use idp::store::Store;
use platform::clock::Clock;
use platform::random::Random;
use platform::seal::RootKey;
use tokio::sync::OnceCell;

use crate::world::server;

static FILE: OnceCell<Vec<u8>> = OnceCell::const_new();
static NAME: OnceCell<String> = OnceCell::const_new();

/// What a provider of `config` would make at its first start.
async fn start(config: &Config, root: &str, clock: &Clock) {
    let root = RootKey::new(root).unwrap();
    let store = Store::open(&config.database, clock.clone(), Random::system(), root).await.unwrap();
    KeyRing::open(store.clone(), &config.keys, &config.tokens).await.unwrap();
    store.db().close().await;
}

/// Makes the embedded database `file` of `config`.
pub async fn embedded(file: &Path, config: &Config, root: &str, clock: &Clock) {
    let first = async {
        Box::pin(start(config, root, clock)).await;
        std::fs::read(file).unwrap()
    };
    let content = FILE.get_or_init(|| first).await;
    std::fs::write(file, content).unwrap();
}

/// Makes a database on the test server.
pub async fn on_server(config: &Config, root: &str, clock: &Clock) -> String {
    let first = async {
        let mut config = config.clone();
        let name = create("").await;
        config.database = format!("{}/{name}", server("TEST_POSTGRES"));
        Box::pin(start(&config, root, clock)).await;
        name
    };
    let template = NAME.get_or_init(|| first).await;
    format!("{}/{}", server("TEST_POSTGRES"), create(&format!("TEMPLATE {template}")).await)
}

/// Makes a database on the test server; its name.
pub async fn create(like: &str) -> String {
    sqlx::any::install_default_drivers();
    let name = format!("test_{}", Random::system().digits(14));
    let pool = sqlx::AnyPool::connect(&format!("{}/postgres", server("TEST_POSTGRES"))).await.unwrap();
    let text = format!("CREATE DATABASE {name} {like}");
    sqlx::query(sqlx::AssertSqlSafe(text)).execute(&pool).await.unwrap();
    pool.close().await;
    name
}
