//! A PostgreSQL and a Redis of the bench's own, on free ports, in folders that go with them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::process::{Process, free_port};

/// As Debian sets it up: every commit is on the disk before it is answered.
pub struct Postgres {
    process: Process,
    programs: PathBuf,
    port: u16,
    _folder: TempDir,
}

/// Keeps what it is told in memory only.
pub struct Redis {
    process: Process,
    port: u16,
    _folder: TempDir,
}

fn run(command: &mut Command) -> Result<Output, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if output.status.success() {
        return Ok(output);
    }
    Err(format!("{}: {}", command.get_program().display(), String::from_utf8_lossy(&output.stderr)))
}

async fn answers(port: u16) -> Result<(), String> {
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(20) {
        if TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err(format!("nothing answers on port {port}"))
}

impl Postgres {
    /// Makes and starts an empty server of the newest version that is installed.
    ///
    /// # Errors
    /// None is installed, or it does not start.
    pub async fn start() -> Result<Self, String> {
        let versions = fs::read_dir("/usr/lib/postgresql").map_err(|_| "PostgreSQL is not installed")?;
        let mut versions: Vec<u32> =
            versions.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        versions.sort_unstable();
        let version = versions.last().ok_or("PostgreSQL is not installed")?;
        let programs = PathBuf::from(format!("/usr/lib/postgresql/{version}/bin"));
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        // It refuses to run as root.
        let is_root = rustix::process::getuid().is_root();
        let program = |name: &str| {
            let program = programs.join(name);
            if !is_root {
                return Command::new(program);
            }
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        };
        let data = folder.path().join("data");
        if is_root {
            let readable = fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755));
            readable.and_then(|()| fs::create_dir(&data)).map_err(|error| error.to_string())?;
            run(Command::new("chown").arg("postgres:postgres").arg(&data))?;
        }
        run(program("initdb")
            .arg("-D")
            .arg(&data)
            .args(["-U", "bench", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"])
            .current_dir("/"))?;
        let port = free_port();
        let log = fs::File::create(folder.path().join("log")).map_err(|error| error.to_string())?;
        let process = Process::start_tidy(
            program("postgres")
                .arg("-D")
                .arg(&data)
                .args(["-p", &port.to_string(), "-c", "listen_addresses=127.0.0.1"])
                .args(["-c", "unix_socket_directories=", "-c", "max_connections=200"])
                .current_dir("/")
                .stdout(Stdio::null())
                .stderr(log),
        );
        let process = process.map_err(|error| error.to_string())?;
        answers(port).await?;
        Ok(Self { process, programs, port, _folder: folder })
    }

    /// Makes an empty database; its address.
    pub async fn database(&self, name: &str) -> String {
        let started = Instant::now();
        loop {
            let made = run(Command::new(self.programs.join("createdb"))
                .args(["-h", "127.0.0.1", "-U", "bench", "-p", &self.port.to_string(), name])
                .current_dir("/"));
            match made {
                Ok(_) => return format!("postgres://bench@127.0.0.1:{}/{name}", self.port),
                // It answers a moment before it lets anybody in.
                Err(error) => assert!(started.elapsed() < Duration::from_secs(20), "{error}"),
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }
}

impl Redis {
    /// Starts an empty one.
    ///
    /// # Errors
    /// It is not installed, or does not start.
    pub async fn start() -> Result<Self, String> {
        if !Path::new("/usr/bin/redis-server").exists() {
            return Err("Redis is not installed".into());
        }
        let folder = tempfile::tempdir().map_err(|error| error.to_string())?;
        let port = free_port();
        let mut command = Command::new("/usr/bin/redis-server");
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--port", &port.to_string()])
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null());
        let process = Process::start_tidy(&mut command).map_err(|error| error.to_string())?;
        answers(port).await?;
        Ok(Self { process, port, _folder: folder })
    }

    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }
}
