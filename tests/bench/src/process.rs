//! A program that the bench started: what it uses, as /proc tells, and its end.

use std::net::TcpListener;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, kill_process};

/// Ends with this value.
pub struct Process {
    child: Child,
    /// How it is asked to end; it is waited for in any case.
    by: Signal,
}

impl Process {
    /// Starts a program that may end at any moment.
    pub fn start(command: &mut Command) -> std::io::Result<Self> {
        Ok(Self { child: command.spawn()?, by: Signal::KILL })
    }

    /// Starts a program that cleans up after SIGINT.
    pub fn start_tidy(command: &mut Command) -> std::io::Result<Self> {
        Ok(Self { child: command.spawn()?, by: Signal::INT })
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // One that was waited for already has no id any more that a signal may be sent to.
        if !self.has_ended()
            && let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process(pid, self.by);
            let _ = self.child.wait();
        }
    }
}

/// A port that nobody listens on.
pub fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// How often the threads of a process gave the processor away by themselves.
pub fn switches(process: u32) -> u64 {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let of_task = |task: std::io::Result<std::fs::DirEntry>| {
        let status = std::fs::read_to_string(task.ok()?.path().join("status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
        line.trim().parse::<u64>().ok()
    };
    tasks.filter_map(of_task).sum()
}

/// The memory of a process that is resident now, in MB of 1,000,000 bytes.
pub fn resident_mb(process: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    let kib: f64 = line.trim().trim_end_matches(" kB").parse().unwrap();
    kib * 1_024.0 / 1e6
}

/// The processor time of a process, in clock ticks (a hundredth of a second), with that of its children: those that it
/// has, and those that it had and waited for (proc(5): fields 14 to 17 of `stat`).
pub fn ticks(process: u32) -> u64 {
    let children = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children"));
    let children = children.unwrap_or_default();
    let of_children = children.split_whitespace().filter_map(|child| ticks_of(child, 11..13));
    ticks_of(&process.to_string(), 11..15).unwrap_or_default() + of_children.sum::<u64>()
}

/// The processor time of the bench itself, in clock ticks.
pub fn own_ticks() -> u64 {
    ticks_of("self", 11..13).unwrap()
}

fn ticks_of(process: &str, fields: std::ops::Range<usize>) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let all: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    all.get(fields)?.iter().map(|field| field.parse::<u64>().ok()).sum()
}

/// What all cores did so far, in clock ticks: everything, and idling.
pub fn machine_ticks() -> [u64; 2] {
    let stat = std::fs::read_to_string("/proc/stat").unwrap();
    let cpu: Vec<u64> =
        stat.lines().next().unwrap().split_whitespace().skip(1).map(|field| field.parse().unwrap()).collect();
    // user nice system idle iowait irq softirq steal; the guest fields are in the first ones already.
    [cpu[..8].iter().sum(), cpu[3] + cpu[4]]
}
