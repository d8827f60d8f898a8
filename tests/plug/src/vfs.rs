//! SQLite's own VFS, `unix`, with an ear at what changes the files of watched folders: <https://www.sqlite.org/vfs.html>.
//! It becomes the default one, so that nobody has to ask for it. A file keeps the shape that `unix` gave it, and the methods,
//! those for shared memory among them, but for the four that are listened to.

#![allow(unsafe_code, reason = "SQLite calls this, and it calls SQLite, by pointers")]

use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, Once};

use rusqlite::ffi;

use crate::disk::Disk;

static UNIX: AtomicPtr<ffi::sqlite3_vfs> = AtomicPtr::new(std::ptr::null_mut());
/// What `unix` gives files of a kind, databases or journals, and the same with an ear.
static METHODS: Mutex<Vec<[Methods; 2]>> = Mutex::new(Vec::new());
/// By the address of SQLite's handle.
static OPEN: Mutex<BTreeMap<usize, Open>> = Mutex::new(BTreeMap::new());

type Methods = &'static ffi::sqlite3_io_methods;

/// A handle of a watched file.
#[derive(Clone)]
struct Open {
    disk: Arc<Disk>,
    name: String,
    content: usize,
    unix: Methods,
    /// Whether its next sync is one of the folder too.
    syncs_folder: bool,
}

/// Makes it the default VFS of this process, once.
pub fn register() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the name is a string of C; what is found stays as long as the process.
        let unix = unsafe { ffi::sqlite3_vfs_find(c"unix".as_ptr()) };
        // SAFETY: as above; null is none.
        let mut own = *unsafe { unix.as_ref() }.expect("SQLite has its VFS for Unix");
        UNIX.store(unix, Ordering::SeqCst);
        own.zName = c"plug".as_ptr();
        own.pNext = std::ptr::null_mut();
        own.xOpen = Some(open);
        own.xDelete = Some(delete);
        // SAFETY: it is leaked, so it stays as long as the process.
        let registered = unsafe { ffi::sqlite3_vfs_register(Box::leak(Box::new(own)), 1) };
        assert_eq!(registered, ffi::SQLITE_OK);
    });
}

fn unix() -> *mut ffi::sqlite3_vfs {
    UNIX.load(Ordering::SeqCst)
}

/// The disk and the name of what SQLite names.
///
/// # Safety
/// The name is a string of C, or null.
unsafe fn watched(name: *const c_char) -> Option<(Arc<Disk>, String)> {
    if name.is_null() {
        return None;
    }
    // SAFETY: it is a string of C.
    let name = unsafe { CStr::from_ptr(name) };
    Disk::of(Path::new(OsStr::from_bytes(name.to_bytes())))
}

fn handle(file: *mut ffi::sqlite3_file) -> Open {
    OPEN.lock().unwrap()[&file.addr()].clone()
}

/// The methods of `unix` with four that listen.
fn listening(unix: Methods) -> Methods {
    let mut known = METHODS.lock().unwrap();
    if let Some([_, own]) = known.iter().find(|[known, _]| std::ptr::eq(*known, unix)) {
        return own;
    }
    let own = Box::leak(Box::new(ffi::sqlite3_io_methods {
        // That without memory maps of files: what changes a file comes by here.
        iVersion: 2,
        xClose: Some(close),
        xWrite: Some(write),
        xTruncate: Some(truncate),
        xSync: Some(sync),
        ..*unix
    }));
    known.push([unix, own]);
    own
}

unsafe extern "C" fn open(
    _: *mut ffi::sqlite3_vfs,
    name: ffi::sqlite3_filename,
    file: *mut ffi::sqlite3_file,
    flags: c_int,
    out: *mut c_int,
) -> c_int {
    let unix = unix();
    // SAFETY: SQLite's own arguments go to its own VFS.
    let opened = unsafe { (*unix).xOpen.unwrap()(unix, name, file, flags, out) };
    if opened != ffi::SQLITE_OK {
        return opened;
    }
    // SAFETY: the name is SQLite's.
    let Some((disk, name)) = (unsafe { watched(name) }) else { return opened };
    // SAFETY: the file is open, so it has methods; SQLite has them in its own static data.
    let unix: Methods = unsafe { &*(*file).pMethods };
    // SAFETY: these stay as long as the process.
    unsafe { (*file).pMethods = listening(unix) };
    let with_folder = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL | ffi::SQLITE_OPEN_SUPER_JOURNAL;
    let syncs_folder = flags & ffi::SQLITE_OPEN_CREATE != 0 && flags & with_folder != 0;
    let content = disk.opened(&name);
    OPEN.lock().unwrap().insert(file.addr(), Open { disk, name, content, unix, syncs_folder });
    opened
}

unsafe extern "C" fn delete(_: *mut ffi::sqlite3_vfs, name: *const c_char, sync_folder: c_int) -> c_int {
    let unix = unix();
    // SAFETY: SQLite's own arguments go to its own VFS.
    let deleted = unsafe { (*unix).xDelete.unwrap()(unix, name, sync_folder) };
    // SAFETY: the name is SQLite's.
    if let Some((disk, name)) = unsafe { watched(name) }
        && deleted == ffi::SQLITE_OK
    {
        disk.removed(&name, sync_folder != 0);
    }
    deleted
}

unsafe extern "C" fn close(file: *mut ffi::sqlite3_file) -> c_int {
    let open = OPEN.lock().unwrap().remove(&file.addr()).expect("it is open");
    // SAFETY: it was opened by `unix`.
    unsafe { open.unix.xClose.unwrap()(file) }
}

unsafe extern "C" fn write(
    file: *mut ffi::sqlite3_file,
    bytes: *const c_void,
    count: c_int,
    at: ffi::sqlite3_int64,
) -> c_int {
    let open = handle(file);
    // SAFETY: SQLite's own arguments, for a file that was opened by `unix`.
    let written = unsafe { open.unix.xWrite.unwrap()(file, bytes, count, at) };
    if written == ffi::SQLITE_OK {
        let count = usize::try_from(count).unwrap();
        // SAFETY: SQLite says that there are so many.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) };
        open.disk.wrote(open.content, usize::try_from(at).unwrap(), bytes);
    }
    written
}

unsafe extern "C" fn truncate(file: *mut ffi::sqlite3_file, length: ffi::sqlite3_int64) -> c_int {
    let open = handle(file);
    // SAFETY: SQLite's own arguments, for a file that was opened by `unix`.
    let truncated = unsafe { open.unix.xTruncate.unwrap()(file, length) };
    if truncated == ffi::SQLITE_OK {
        open.disk.truncated(open.content, usize::try_from(length).unwrap());
    }
    truncated
}

unsafe extern "C" fn sync(file: *mut ffi::sqlite3_file, flags: c_int) -> c_int {
    let open = handle(file);
    let up_to = open.disk.sync_begins();
    // SAFETY: SQLite's own arguments, for a file that was opened by `unix`.
    let synced = unsafe { open.unix.xSync.unwrap()(file, flags) };
    if synced == ffi::SQLITE_OK {
        open.disk.synced(&open.name, open.content, up_to, open.syncs_folder);
        if let Some(open) = OPEN.lock().unwrap().get_mut(&file.addr()) {
            open.syncs_folder = false;
        }
    }
    synced
}
