//! For this crate's own tests: a database in a temporary folder that goes with it.

use std::path::PathBuf;

use platform::db::Db;
use platform::random::Random;
use platform::seal::RootKey;

/// An empty database and a root key.
pub(crate) struct Store {
    pub db: Db,
    pub root: RootKey,
    folder: PathBuf,
}

impl Store {
    pub(crate) async fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("portal-test-{}", Random::system().id()));
        std::fs::create_dir_all(&folder).unwrap();
        let url = format!("sqlite:{}", folder.join("portal.db").display());
        let root = RootKey::new("0123456789abcdef0123456789abcdef").unwrap();
        let db = Db::open(&url, &crate::app::SCHEMA, &root).await.unwrap();
        Self { db, root, folder }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}
