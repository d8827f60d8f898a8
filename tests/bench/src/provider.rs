//! A provider that runs, ours or another's: where it answers, what it uses, and its end.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::http::Connection;
use crate::process::{self, Process};

/// How long a start may take: one that fills its memory first takes long.
const PATIENCE: Duration = Duration::from_mins(3);

/// What is particular to it.
#[derive(Clone, Copy)]
pub struct Dialect {
    /// What stands before the paths of its endpoints.
    pub prefix: &'static str,
    /// Where a code is asked for.
    pub authorize: &'static str,
    /// What stands behind a request for a code, if that is to be answered without a page.
    pub silently: &'static str,
    /// Refreshing gives an ID token too.
    pub refreshes_id_token: bool,
    /// Now and then it refuses a code that it has just given out.
    pub forgets_codes: bool,
}

impl Dialect {
    /// Ours.
    pub const PLAIN: Self = Self {
        prefix: "",
        authorize: "/authorize",
        silently: "",
        refreshes_id_token: true,
        forgets_codes: false,
    };
}

/// What it is and how it is started.
pub struct Plan {
    pub name: String,
    pub command: Command,
    pub port: u16,
    /// Where it is not like ours.
    pub dialect: Dialect,
    /// Answers 200 once the rest does.
    pub ready: &'static str,
    /// How many people it knows.
    pub people: usize,
    /// Programs that keep its data.
    pub beside: Vec<u32>,
    /// Its files, which go with it.
    pub folder: Option<TempDir>,
    /// People come with the cookies of browsers that signed in, where it has no form to sign in with.
    pub browsers: Vec<String>,
}

/// Ends with this value.
pub struct Provider {
    process: Option<Process>,
    pub plan: Plan,
}

/// What it used so far.
#[derive(Clone, Copy)]
pub struct Usage {
    pub ticks: u64,
    /// Of the programs that keep its data.
    pub ticks_beside: u64,
    pub switches: u64,
}

impl Provider {
    /// Starts it and waits for its first answer.
    ///
    /// # Errors
    /// It does not start, or does not answer; says so.
    pub async fn start(plan: Plan) -> Result<Self, String> {
        let mut provider = Self { process: None, plan };
        provider.restart().await?;
        Ok(provider)
    }

    /// Ends it if it runs, and starts it; how long it took until somebody was answered.
    ///
    /// # Errors
    /// As [`Provider::start`].
    pub async fn restart(&mut self) -> Result<Duration, String> {
        self.process = None;
        let name = self.plan.name.clone();
        let started = Instant::now();
        let process = Process::start(&mut self.plan.command).map_err(|error| format!("{name}: {error}"))?;
        let process = self.process.insert(process);
        while started.elapsed() < PATIENCE {
            if let Ok(mut connection) = Connection::open(self.plan.port).await
                && connection.get(self.plan.ready, "").await.is_ok_and(|answer| answer.status == 200)
            {
                return Ok(started.elapsed());
            }
            if process.has_ended() {
                return Err(format!("{name} ended at its start"));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Err(format!("{name} does not answer"))
    }

    pub fn folder(&self) -> &Path {
        self.plan.folder.as_ref().expect("one that was made for it").path()
    }

    fn id(&self) -> u32 {
        self.process.as_ref().expect("it runs until it is dropped").id()
    }

    pub fn usage(&self) -> Usage {
        Usage {
            ticks: process::ticks(self.id()),
            ticks_beside: self.plan.beside.iter().map(|id| process::ticks(*id)).sum(),
            switches: process::switches(self.id()),
        }
    }

    /// The memory that is resident now, in MB of 1,000,000 bytes.
    pub fn resident_mb(&self) -> f64 {
        process::resident_mb(self.id())
    }

    /// What it used so far, by process: those that keep data may be shared with others.
    pub fn ticks_by_process(&self) -> BTreeMap<u32, u64> {
        let ids = self.plan.beside.iter().copied().chain([self.id()]);
        ids.map(|id| (id, process::ticks(id))).collect()
    }
}
