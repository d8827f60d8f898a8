//! What a disk would have after a power cut. It knows, for every file that SQLite has in a watched folder, what was synced,
//! and what was done to it since; [`Image`] is that at one moment, and lays a disk that could have been left.
//!
//! Where it is not certain what a disk does, this one does the worse thing:
//!
//! - A write is safe once a sync of its file has begun after it and ended; until then each of its sectors may be there or
//!   not, by itself, in any order, also when a later one is there. A truncation is one more such thing.
//! - A name, new or removed, is safe once its folder was synced: SQLite does that with a removal that asks for it, and with
//!   the first sync of a journal or a log that it made (`UNIXFILE_DIRSYNC` in its `os_unix.c`). Until then any of the files
//!   that had the name since the last sync may have it, or none. So has what others made, such as the database itself: a
//!   file of that name is not there before its folder was synced.
//! - Index files of shared memory (`-shm`) are on no disk.
//!
//! In two things it is as kind as SQLite asks for: a sector is written or is not, and bytes beside a write stay what they were
//! (`SQLITE_IOCAP_POWERSAFE_OVERWRITE`, which SQLite takes for granted on this system).

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use platform::random::Random;

use crate::load::below;
use crate::vfs;

const SECTOR: usize = 512;

/// What was done to a file.
#[derive(Clone)]
enum Change {
    Write { at: usize, bytes: Vec<u8> },
    Truncate(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { at, bytes } => {
                let end = at + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*at..end].copy_from_slice(bytes);
            }
            Self::Truncate(length) => content.truncate(*length),
        }
    }

    /// The parts of it that happen by themselves.
    fn torn(&self) -> Vec<Self> {
        let Self::Write { at, bytes } = self else { return vec![self.clone()] };
        let mut parts = Vec::new();
        let mut from = 0;
        while from < bytes.len() {
            let to = bytes.len().min(from + SECTOR - (at + from) % SECTOR);
            parts.push(Self::Write { at: at + from, bytes: bytes[from..to].to_vec() });
            from = to;
        }
        parts
    }
}

/// The content of a file, whatever its name.
#[derive(Clone, Default)]
struct Content {
    synced: Vec<u8>,
    /// In their order, each with its number.
    unsynced: Vec<(u64, Change)>,
}

/// What is on the disk, and what is on its way there.
#[derive(Clone, Default)]
pub struct Image {
    contents: Vec<Content>,
    /// For each name what it led to, first at the last sync of the folder, then at each change since; nothing where there was
    /// no such file.
    names: BTreeMap<String, Vec<Option<usize>>>,
}

/// What a disk has of what was not synced.
pub enum Survives<'r> {
    Nothing,
    Everything,
    /// Any part of it.
    Some(&'r Random),
}

impl Image {
    /// Makes the files that a disk could have now.
    pub fn lay(&self, folder: &Path, survives: &Survives) {
        for (name, led_to) in &self.names {
            let index = match survives {
                Survives::Nothing => 0,
                Survives::Everything => led_to.len() - 1,
                Survives::Some(random) => usize::try_from(below(random, led_to.len() as u64)).unwrap(),
            };
            if let Some(content) = led_to[index] {
                let content = self.contents[content].after(survives);
                std::fs::write(folder.join(name), content).unwrap();
            }
        }
    }

    fn current(&self, name: &str) -> Option<usize> {
        self.names.get(name)?.last().copied()?
    }

    fn name(&mut self, name: &str, content: Option<usize>) {
        self.names.entry(name.to_owned()).or_insert_with(|| vec![None]).push(content);
    }

    fn sync_folder(&mut self) {
        for led_to in self.names.values_mut() {
            led_to.drain(..led_to.len() - 1);
        }
    }
}

impl Content {
    fn after(&self, survives: &Survives) -> Vec<u8> {
        let mut content = self.synced.clone();
        let all = self.unsynced.iter().map(|(_, change)| change);
        match survives {
            Survives::Nothing => {}
            Survives::Everything => all.for_each(|change| change.apply(&mut content)),
            Survives::Some(random) => {
                let mut parts: Vec<Change> = all.flat_map(Change::torn).collect();
                for index in (1..parts.len()).rev() {
                    parts.swap(index, usize::try_from(below(random, index as u64 + 1)).unwrap());
                }
                // A disk that had done little, or nearly all.
                let kept = [2, 8, 14, 15][usize::try_from(below(random, 4)).unwrap()];
                parts.retain(|_| below(random, 16) < kept);
                for part in &parts {
                    part.apply(&mut content);
                }
            }
        }
        content
    }
}

/// Called at a cut, before anything else happens to the disk.
type AtCut = Box<dyn FnMut(&Image) + Send>;

struct State {
    image: Image,
    changes: u64,
    syncs: BTreeMap<String, u64>,
    /// Syncs of names that end so are answered and not done.
    swallowed: Option<&'static str>,
    until_cut: u64,
    intervals: Box<dyn Iterator<Item = u64> + Send>,
    at_cut: AtCut,
}

impl State {
    /// Something has begun or ended: the plug may be pulled here.
    fn step(&mut self) {
        self.until_cut -= 1;
        if self.until_cut == 0 {
            self.until_cut = self.intervals.next().unwrap_or(u64::MAX);
            (self.at_cut)(&self.image);
        }
    }
}

/// A folder whose files are watched.
pub struct Disk {
    folder: PathBuf,
    state: Mutex<State>,
}

static WATCHED: Mutex<Vec<Arc<Disk>>> = Mutex::new(Vec::new());

impl Disk {
    /// Watches what SQLite does to files of a folder from now on. What is in it is synced. `at_cut` is called after as many
    /// writes, truncations, removals and begins and ends of syncs as `intervals` says, each time from the last on.
    pub fn watch(
        folder: &Path,
        mut intervals: impl Iterator<Item = u64> + Send + 'static,
        at_cut: impl FnMut(&Image) + Send + 'static,
    ) -> Arc<Self> {
        vfs::register();
        // SQLite names files so.
        let folder = folder.canonicalize().unwrap();
        let mut image = Image::default();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let content = Content { synced: std::fs::read(entry.path()).unwrap(), unsynced: Vec::new() };
            image.contents.push(content);
            let name = entry.file_name().into_string().unwrap();
            image.names.insert(name, vec![Some(image.contents.len() - 1)]);
        }
        let state = State {
            image,
            changes: 0,
            syncs: BTreeMap::new(),
            swallowed: None,
            until_cut: intervals.next().unwrap_or(u64::MAX),
            intervals: Box::new(intervals),
            at_cut: Box::new(at_cut),
        };
        let disk = Arc::new(Self { folder, state: Mutex::new(state) });
        WATCHED.lock().unwrap().push(Arc::clone(&disk));
        disk
    }

    /// From now on it answers syncs of files whose name ends so, and does nothing: a disk that lies.
    pub fn swallow_syncs(&self, ending: &'static str) {
        self.state().swallowed = Some(ending);
    }

    /// What is on it now.
    pub fn image(&self) -> Image {
        self.state().image.clone()
    }

    /// How often a file was synced.
    pub fn syncs(&self, name: &str) -> u64 {
        self.state().syncs.get(name).copied().unwrap_or_default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The disk and the name there of a file, if it is watched.
    pub(crate) fn of(file: &Path) -> Option<(Arc<Self>, String)> {
        let folder = file.parent()?;
        let disk = WATCHED.lock().unwrap().iter().find(|disk| disk.folder == folder).cloned()?;
        Some((disk, file.file_name().and_then(OsStr::to_str)?.to_owned()))
    }

    /// SQLite has opened a file, and may have made it; its content.
    pub(crate) fn opened(&self, name: &str) -> usize {
        let mut state = self.state();
        if let Some(content) = state.image.current(name) {
            return content;
        }
        // It is new here, so nobody holds a lock on it that would be given up when this closes it.
        let bytes = std::fs::read(self.folder.join(name)).unwrap();
        state.changes += 1;
        let unsynced = vec![(state.changes, Change::Write { at: 0, bytes })];
        state.image.contents.push(Content { synced: Vec::new(), unsynced });
        let content = state.image.contents.len() - 1;
        state.image.name(name, Some(content));
        state.step();
        content
    }

    pub(crate) fn removed(&self, name: &str, and_synced: bool) {
        let mut state = self.state();
        state.image.name(name, None);
        if and_synced {
            state.step();
            state.image.sync_folder();
        }
        state.step();
    }

    pub(crate) fn wrote(&self, content: usize, at: usize, bytes: &[u8]) {
        self.changed(content, Change::Write { at, bytes: bytes.to_vec() });
    }

    pub(crate) fn truncated(&self, content: usize, length: usize) {
        self.changed(content, Change::Truncate(length));
    }

    fn changed(&self, content: usize, change: Change) {
        let mut state = self.state();
        state.changes += 1;
        let number = state.changes;
        state.image.contents[content].unsynced.push((number, change));
        state.step();
    }

    /// A sync begins; the last change that it makes safe.
    pub(crate) fn sync_begins(&self) -> u64 {
        let mut state = self.state();
        state.step();
        state.changes
    }

    /// A sync has ended, and that of the folder with it if it does that too.
    pub(crate) fn synced(&self, name: &str, content: usize, up_to: u64, and_folder: bool) {
        let mut state = self.state();
        if state.swallowed.is_some_and(|ending| name.ends_with(ending)) {
            return;
        }
        *state.syncs.entry(name.to_owned()).or_default() += 1;
        let Content { synced, unsynced } = &mut state.image.contents[content];
        let safe = unsynced.partition_point(|(number, _)| *number <= up_to);
        for (_, change) in unsynced.drain(..safe) {
            change.apply(synced);
        }
        if and_folder {
            state.image.sync_folder();
        }
        state.step();
    }
}
