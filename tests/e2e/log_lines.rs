//! The log of a story, to be read afterwards.

use std::io::Write;
use std::sync::{Arc, Mutex};

use tracing_subscriber::EnvFilter;

/// Log lines, kept.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Keeps what is logged on this thread, where the servers of its world run too, as long as it lives: the lines of no
/// other test are among these.
pub struct Log {
    lines: Lines,
    _guard: tracing::subscriber::DefaultGuard,
    _second: tracing::Dispatch,
}

impl Log {
    pub fn keep() -> Self {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(EnvFilter::new(
                "debug,sqlx=warn,hyper=warn,hyper_util=warn,reqwest=warn,html5ever=warn,selectors=warn",
            ))
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        // With one subscriber alone, tracing asks whichever thread comes first whether a line is wanted, and the
        // threads of other tests want none. A second one makes it ask this thread.
        let second = tracing::Dispatch::new(tracing_subscriber::registry());
        Self { lines, _guard: guard, _second: second }
    }

    /// What was logged up to now.
    pub fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }
}
