//! The disk is full while units of work share commits. It is a small one of its own, in memory, that only this test sees.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::fs::File;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use platform::random::Random;
use plug::load::{Load, Promised, open};
use tempfile::tempdir;

const NAME: &str = "whoever_is_answered_while_the_disk_is_full_is_there_and_with_room_it_goes_on";
/// Where the small disk is; set in the process that sees it.
const DISK: &str = "PLUG_DISK";
const SIZE: &str = "size=200m,mode=700";

/// How often the disk is filled.
const FILLINGS: usize = 3;
/// So many units are durable before each filling and after the last one, at least.
const UNITS: usize = 300;
/// So many are refused before there is room again.
const REFUSED: usize = 100;
/// With some of these in one commit, SQLite writes to the log before it; so some fail there, and some at the commit.
const LARGE: usize = 600_000;

/// Runs this test again in a mount namespace of its own: what is mounted there ends with it.
fn in_a_namespace() {
    let unshare = |user: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(user).arg("--mount");
        command
    };
    let as_root = ["--user", "--map-root-user"];
    let ways = [&as_root[..0], &as_root[..]];
    let tried =
        ways.map(|way| unshare(way).args(["mount", "-t", "tmpfs", "tmpfs", "/tmp"]).output().unwrap());
    let Some(way) = tried.iter().position(|tried| tried.status.success()) else {
        let said = tried.map(|tried| String::from_utf8_lossy(&tried.stderr).trim().to_owned());
        panic!(
            "this test mounts a small disk: run it as root, or where a user may make namespaces: {said:?}"
        );
    };
    let folder = tempdir().unwrap();
    let script = format!("mount -t tmpfs -o {SIZE} tmpfs \"$0\" && exec \"$@\"");
    let mut command = unshare(ways[way]);
    command.args(["sh", "-c", &script]).arg(folder.path()).arg(std::env::current_exe().unwrap());
    let output = command.args(["--exact", NAME, "--nocapture"]).env(DISK, folder.path()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// Takes all room that is left.
fn fill(file: &Path) {
    let mut file = File::create(file).unwrap();
    for length in [1 << 20, 1 << 12] {
        let filled = loop {
            if let Err(error) = file.write_all(&vec![0; length]) {
                break error;
            }
        };
        assert_eq!(filled.kind(), ErrorKind::StorageFull);
    }
}

/// Fills the disk and makes room again, as the answers come.
struct Filling {
    ballast: PathBuf,
    is_full: bool,
    fillings: usize,
    /// How much had been answered when this last changed.
    durable: usize,
    refused: usize,
}

impl Filling {
    /// Looks at what was answered; whether it was all.
    fn is_over(&mut self, promised: &Promised) -> bool {
        let (durable, refused) = (promised.durable - self.durable, promised.refused - self.refused);
        if !self.is_full && durable >= UNITS {
            if self.fillings == FILLINGS {
                return true;
            }
            fill(&self.ballast);
            self.fillings += 1;
        } else if self.is_full && refused >= REFUSED {
            std::fs::remove_file(&self.ballast).unwrap();
        } else {
            return false;
        }
        self.is_full = !self.is_full;
        (self.durable, self.refused) = (promised.durable, promised.refused);
        false
    }
}

async fn story(disk: &Path) {
    let db = open(disk).await.unwrap();
    let load = Load::new(&db, Arc::default(), Random::system(), LARGE);
    let ballast = disk.join("ballast");
    let filling = Filling { ballast, is_full: false, fillings: 0, durable: 0, refused: 0 };
    let filling = Arc::new(Mutex::new(filling));
    load.run(move |promised| filling.lock().unwrap().is_over(promised)).await;

    let promised = load.promised().clone();
    let broken = promised.broken(&db).await;
    assert!(broken.is_empty(), "{broken:#?}");
    db.close().await;
    let broken = promised.broken_in(disk).await;
    assert!(broken.is_empty(), "after a restart: {broken:#?}");
    println!("{} durable, {} refused", promised.durable, promised.refused);
}

#[test]
fn whoever_is_answered_while_the_disk_is_full_is_there_and_with_room_it_goes_on() {
    let Some(disk) = std::env::var_os(DISK) else { return in_a_namespace() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap();
    runtime.block_on(story(Path::new(&disk)));
}
