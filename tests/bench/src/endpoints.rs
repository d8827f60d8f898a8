//! What each endpoint does a second, on a database that is on the disk, beside what the machine does at most.

use std::net::TcpListener;
use std::process::{Child, Command};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use axum::Router;
use axum::routing::get;

use crate::http::Connection;
use crate::load::Load;
use crate::server::Server;
use crate::{WINDOW, median, raw, share_of};

/// Requests at once.
const AT_ONCE: usize = 16;
/// Each figure is the median of this many rounds, each between two windows of its raw limit.
const ROUNDS: usize = 5;

/// A figure, and what it is compared with.
struct Row {
    what: String,
    /// A second.
    rate: f64,
    against: &'static str,
    raw: f64,
    share: f64,
    /// Of the server, for each operation: processor time in microseconds, and how often its threads gave the processor away.
    cpu: f64,
    switches: f64,
}

/// Answers `hello` on a port of its own, in this program once more: the same axum, on all cores.
struct Hello {
    child: Child,
    port: u16,
}

impl Hello {
    async fn start() -> Self {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let mut command = Command::new(std::env::current_exe().unwrap());
        let child = command.arg("hello").arg(port.to_string()).spawn().unwrap();
        while Connection::open(port).await.is_err() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Self { child, port }
    }
}

impl Drop for Hello {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves `hello` until it is ended.
pub fn hello(port: u16) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let router = Router::new().route("/", get(|| async { "hello" }));
        axum::serve(listener, router).await.unwrap();
    });
}

/// Measures everything and prints a table.
pub async fn run() {
    let server = Server::start(400).await;
    let mut load = Load::new(server.port, AT_ONCE);
    let journeys = load.prepare_sign_ins(0..400).await;
    load.sign_in(journeys).await;
    let hello = Hello::start().await;
    let plain = Load::new(hello.port, AT_ONCE);

    let mut rows = Vec::new();
    let hellos = async || plain.get("/", 60_000).await;
    for target in ["/.well-known/openid-configuration", "/jwks"] {
        rows.push(
            measure(&server, target, "hello world", 20_000, hellos, async || load.get(target, 20_000).await)
                .await,
        );
    }
    let signing = async || raw::rs256(WINDOW);
    let machine = async || load.client_credentials(1_500).await;
    rows.push(measure(&server, "client credentials", "RS256", 1_500, signing, machine).await);
    rows.push(measure(&server, "silent flow", "RS256", 600, signing, async || load.silent(600).await).await);
    let tokens: &'static Mutex<Vec<String>> =
        Box::leak(Box::new(Mutex::new(load.refresh_tokens(AT_ONCE).await)));
    let refreshing = async || load.refresh(tokens, 800).await;
    rows.push(measure(&server, "refresh", "RS256", 800, signing, refreshing).await);

    println!("\n{} cores, {AT_ONCE} requests at once, RS256 for ID tokens\n", raw::threads());
    println!(
        "{:<36}{:>12}{:>14}{:>12}{:>9}{:>12}{:>11}",
        "", "measured", "compared with", "a second", "share", "CPU each", "switches"
    );
    for Row { what, rate, against, raw, share, cpu, switches } in rows {
        let (share, cpu) = (format!("{:.1} %", share * 100.0), format!("{cpu:.0} us"));
        println!("{what:<36}{rate:>10.0}/s{against:>14}{raw:>12.0}{share:>9}{cpu:>12}{switches:>11.1}");
    }
    println!("\nresident after it: {:.1} MB", server.resident_mb());
    let started = restart(server).await;
    println!("start to first answer, with this database: {:.0} ms", started.as_secs_f64() * 1e3);
}

async fn measure(
    server: &Server,
    what: &str,
    against: &'static str,
    count: usize,
    limit: impl AsyncFn() -> f64,
    work: impl AsyncFn() -> f64,
) -> Row {
    let (mut raw, mut rates, mut cpu, mut switches) = (vec![limit().await], vec![], vec![], vec![]);
    for round in 1..=ROUNDS {
        println!("{what}, round {round}");
        let (ticks, given) = (server.ticks(), server.switches());
        rates.push(work().await);
        // A clock tick is a hundredth of a second.
        cpu.push((server.ticks() - ticks) as f64 * 10_000.0 / count as f64);
        switches.push((server.switches() - given) as f64 / count as f64);
        raw.push(limit().await);
    }
    let [limit, share] = share_of(&raw, &rates);
    let (rate, cpu, switches) = (median(rates), median(cpu), median(switches));
    Row { what: what.to_owned(), rate, against, raw: limit, share, cpu, switches }
}

/// How long a start takes until somebody is answered.
async fn restart(server: Server) -> Duration {
    let (command, port) = server.end();
    let started = Instant::now();
    let _running = command.spawn();
    loop {
        if let Ok(mut connection) = Connection::open(port).await
            && connection.get("/readyz", "").await.is_ok_and(|answer| answer.status == 200)
        {
            return started.elapsed();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
