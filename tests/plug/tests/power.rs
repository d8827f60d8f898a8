//! The plug is pulled while units of work share commits: whoever was answered is there, whole, and nobody who was refused.

#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use platform::db::Query;
use platform::random::Random;
use plug::disk::{Disk, Image, Survives};
use plug::load::{FILE, Load, Promised, below, open};
use tempfile::tempdir;
use tokio::task::{JoinSet, LocalSet};

/// A moment at which the plug was pulled: what had been answered by then, and what the disk had.
struct Cut {
    promised: Promised,
    image: Image,
}

/// Rounds of load, each on a disk that was left by a cut of the round before.
const ROUNDS: usize = 4;
const CUTS: usize = 5;
const UNITS: usize = 2_600;
/// So many writes and syncs come from one cut to the next, at most.
const APART: u64 = 6_000;

/// Runs a load on what was on the disk; the cuts that were made meanwhile.
async fn pull(start: Option<&Cut>, seed: u64, units: usize, lie: Option<&'static str>) -> Vec<Cut> {
    let (folder, random) = (tempdir().unwrap(), Random::seeded(seed));
    if let Some(start) = start {
        start.image.lay(folder.path(), &Survives::Some(&random));
    }
    // What held before this round holds while it starts.
    let before = start.map(|cut| cut.promised.clone()).unwrap_or_default();
    let promised = Arc::new(Mutex::new(before.clone()));
    let cuts: Arc<Mutex<Vec<Cut>>> = Arc::default();
    let intervals = {
        let random = random.clone();
        std::iter::repeat_with(move || 1 + below(&random, APART))
    };
    let at_cut = {
        let (promised, cuts) = (Arc::clone(&promised), Arc::clone(&cuts));
        move |image: &Image| {
            // First what was promised: what is answered from here on may be lost.
            let promised = promised.lock().unwrap().clone();
            cuts.lock().unwrap().push(Cut { promised, image: image.clone() });
        }
    };
    let disk = Disk::watch(folder.path(), intervals, at_cut);
    if let Some(ending) = lie {
        disk.swallow_syncs(ending);
    }
    let db = open(folder.path()).await.unwrap();
    let found = Promised::of(&db, &before).await;
    *promised.lock().unwrap() = found;
    // Often, so that the file itself is written too, also between two cuts.
    db.execute(Query::new("PRAGMA wal_autocheckpoint = 40")).await.unwrap();
    let load = Load::new(&db, Arc::clone(&promised), random, 10_000);
    let enough = {
        let cuts = Arc::clone(&cuts);
        move |promised: &Promised| promised.durable >= units && cuts.lock().unwrap().len() >= CUTS
    };
    load.run(enough).await;
    assert_eq!(load.promised().refused, 0);
    db.close().await;
    if lie.is_none() {
        assert!(disk.syncs(FILE) > 10, "the log went into the file {} times", disk.syncs(FILE));
        is_seen_rightly(&disk.image(), folder.path());
    }
    // The last cut is after the end.
    let mut cuts = std::mem::take(&mut *cuts.lock().unwrap());
    cuts.push(Cut { promised: load.promised().clone(), image: disk.image() });
    cuts
}

/// With all that it saw, it has what the real disk has.
fn is_seen_rightly(image: &Image, real: &Path) {
    let laid = tempdir().unwrap();
    image.lay(laid.path(), &Survives::Everything);
    let files = |folder: &Path| -> BTreeMap<_, _> {
        let paths = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        paths.map(|path| (path.file_name().unwrap().to_owned(), std::fs::read(&path).unwrap())).collect()
    };
    assert!(files(laid.path()) == files(real), "the files were seen otherwise than they are");
}

/// What is wrong on disks that the cuts may have left.
async fn broken(cuts: &[Cut], seed: u64) -> Vec<String> {
    let random = Random::seeded(seed);
    let (mut checking, mut broken) = (JoinSet::new(), Vec::new());
    let checks = async {
        for (number, cut) in cuts.iter().enumerate() {
            for survives in [Survives::Nothing, Survives::Some(&random), Survives::Some(&random)] {
                let (folder, promised) = (tempdir().unwrap(), cut.promised.clone());
                cut.image.lay(folder.path(), &survives);
                checking.spawn_local(async move {
                    let broken = promised.broken_in(folder.path()).await;
                    broken.into_iter().map(move |what| format!("cut {number}: {what}")).collect::<Vec<_>>()
                });
            }
            // A few at once.
            while checking.len() > 6 {
                broken.extend(checking.join_next().await.unwrap().unwrap());
            }
        }
        broken.extend(checking.join_all().await.into_iter().flatten());
        broken
    };
    LocalSet::new().run_until(checks).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whoever_was_answered_before_the_plug_was_pulled_is_there_whole_and_nobody_who_was_refused() {
    let first = u64::from_le_bytes(Random::system().bytes());
    let (mut units, mut pulled, mut last): (usize, usize, Option<Cut>) = (0, 0, None);
    for round in 0..ROUNDS {
        let seed = first.wrapping_add(round as u64);
        let mut cuts = pull(last.as_ref(), seed, UNITS, None).await;
        let broken = broken(&cuts, seed).await;
        assert!(
            broken.is_empty(),
            "seed {seed}: {} things, {:#?}",
            broken.len(),
            &broken[..broken.len().min(10)]
        );
        units += cuts.last().unwrap().promised.durable;
        pulled += cuts.len();
        // Not the one after the end: it goes on where it was cut off.
        last = cuts.pop().and(cuts.pop());
    }
    assert!(units >= 10_000 && pulled >= 20, "{units} units, {pulled} cuts");
}

/// The test above is worth something: it sees what a disk lost that answers syncs and does nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_disk_that_lies_about_syncs_is_found_out() {
    for lie in ["-wal", ".db"] {
        let found = broken(&pull(None, 1, 500, Some(lie)).await, 1).await;
        let is_loss = |what: &String| {
            ["missing", "it does not open", "integrity_check"].iter().any(|loss| what.contains(loss))
        };
        assert!(found.iter().any(is_loss), "nothing was lost without syncs of {lie}");
    }
}

/// The first start makes the file and its tables; whatever a cut leaves of them, the next start goes on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_starts_after_the_plug_was_pulled_at_any_moment_of_its_first_start() {
    let folder = tempdir().unwrap();
    let cuts: Arc<Mutex<Vec<Cut>>> = Arc::default();
    let at_cut = {
        let cuts = Arc::clone(&cuts);
        move |image: &Image| {
            cuts.lock().unwrap().push(Cut { promised: Promised::default(), image: image.clone() });
        }
    };
    let _disk = Disk::watch(folder.path(), std::iter::repeat(1), at_cut);
    open(folder.path()).await.unwrap().close().await;
    let cuts = std::mem::take(&mut *cuts.lock().unwrap());
    let broken = broken(&cuts, 1).await;
    assert!(broken.is_empty(), "{broken:#?}");
}
