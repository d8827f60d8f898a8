//! Folders that go away.

use std::path::{Path, PathBuf};

use platform::random::Random;

/// An empty folder; it goes with this value, and what is in it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("voordeur-plug-{}", Random::system().id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self(folder.canonicalize().unwrap())
    }

    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Default for Folder {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A number below `below`, of a generator that may be seeded.
pub fn below(random: &Random, below: u64) -> u64 {
    u64::from_le_bytes(random.bytes()) % below
}
