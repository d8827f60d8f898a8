//! Which of this process' threads run first.

/// By how much a thread stands back for others, in the steps of `nice`: it gets about a tenth of a core that they want too,
/// and all of one that they do not.
const STANDS_BACK: i32 = 10;

/// Lets the thread that calls this stand back for all others. Where the system does not let it, all are equal.
pub fn stand_back() {
    // Linux has a priority for each thread, under its own number: setpriority(2).
    if let Err(error) = rustix::process::setpriority_process(Some(rustix::thread::gettid()), STANDS_BACK) {
        tracing::debug!(%error, "a thread keeps its priority");
    }
}
