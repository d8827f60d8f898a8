//! What the machine can do at most: the expensive parts alone, on every core, and the cheapest answer there is.

use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use axum::Router;
use axum::routing::get;
use idp::config::PasswordRules;
use rusqlite::Connection;

use crate::process::free_port;
use crate::provider::{Dialect, Plan, Provider};

/// As many threads as the server's password pool has.
pub fn threads() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}

/// Password hashes a second with the server's parameters, each thread with memory of its own that it reuses.
pub fn argon2(window: Duration) -> f64 {
    let rules = PasswordRules::default();
    let params = Params::new(rules.argon2_memory_kib, rules.argon2_iterations, 1, Some(32)).unwrap();
    rate(window, || {
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params.clone());
        let mut memory = vec![Block::default(); params.block_count()];
        move || {
            let mut output = [0; 32];
            argon2
                .hash_password_into_with_memory(b"Zonnig-Weer-Vandaag-8", &[7; 16], &mut output, &mut memory)
                .unwrap();
        }
    })
}

/// RS256 signatures a second with a key of 2048 bits.
pub fn rs256(window: Duration) -> f64 {
    let key = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let (random, message) = (SystemRandom::new(), [b'a'; 600]);
    rate(window, || {
        let (key, random) = (&key, &random);
        move || {
            let mut signature = [0; 256];
            key.sign(&RSA_PKCS1_SHA256, random, &message, &mut signature).unwrap();
        }
    })
}

/// ES256 signatures a second.
pub fn es256(window: Duration) -> f64 {
    let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let (random, message) = (SystemRandom::new(), [b'a'; 600]);
    rate(window, || {
        let (key, random) = (&key, &random);
        move || {
            key.sign(random, &message).unwrap();
        }
    })
}

/// Commits a second in SQLite, each of so many rows, and each on the disk before the next begins.
pub fn commits(window: Duration, rows: usize) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(folder.path().join("commits.db")).unwrap();
    connection
        .execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; \
             CREATE TABLE rows (id INTEGER PRIMARY KEY, value TEXT NOT NULL)",
        )
        .unwrap();
    let value = "a".repeat(300);
    let (start, mut count) = (Instant::now(), 0_u32);
    while start.elapsed() < window {
        connection.execute_batch("BEGIN IMMEDIATE").unwrap();
        for _ in 0..rows {
            let mut insert = connection.prepare_cached("INSERT INTO rows (value) VALUES (?1)").unwrap();
            insert.execute([&value]).unwrap();
        }
        connection.execute_batch("COMMIT").unwrap();
        count += 1;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

/// This program once more, which answers `hello` to everybody: the same axum, on all cores.
pub async fn hello() -> Provider {
    let port = free_port();
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.arg("hello").arg(port.to_string());
    let plan = Plan {
        name: "hello world".into(),
        command,
        port,
        dialect: Dialect::PLAIN,
        ready: "/",
        people: 0,
        beside: Vec::new(),
        folder: None,
        browsers: Vec::new(),
    };
    Provider::start(plan).await.unwrap()
}

/// Serves `hello` until it is ended.
pub fn serve_hello(port: u16) {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let router = Router::new().route("/", get(|| async { "hello" }));
        axum::serve(listener, router).await.unwrap();
    });
}

/// How often a second all threads together do the work, once each is warm.
fn rate<W: FnMut() + Send>(window: Duration, worker: impl Fn() -> W) -> f64 {
    thread::scope(|scope| {
        let running: Vec<_> = (0..threads())
            .map(|_| {
                let mut work = worker();
                scope.spawn(move || {
                    work();
                    let (start, mut count) = (Instant::now(), 0_u32);
                    while start.elapsed() < window {
                        work();
                        count += 1;
                    }
                    f64::from(count) / start.elapsed().as_secs_f64()
                })
            })
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}
