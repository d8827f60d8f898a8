//! Measures the identity provider. What it measures and how to read it: `README.md`.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a measurement ends at the first surprise")]
#![allow(clippy::cast_precision_loss, reason = "counts are small")]

mod engines;
mod figures;
mod fill;
mod http;
mod instructions;
mod load;
mod measure;
mod peers;
mod plot;
mod process;
mod provider;
mod raw;
mod report;
mod rotation;
mod server;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::process::ExitCode;

use measure::{Engine, Size};
use tokio::signal::unix::{SignalKind, signal};

const USAGE: &str = "bench report [--folder FOLDER] [--engine sqlite|postgres] [--accounts N] [--rounds N] \
                     [--seconds S] [--sign-ins N], or: smoke, or: instructions [--write], \
                     or: rotation [--rate N] [--seconds N]";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    if let ["hello", port] = words[..]
        && let Ok(port) = port.parse()
    {
        raw::serve_hello(port);
        return ExitCode::SUCCESS;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let run = || {
        runtime.block_on(async {
            let mut terminated = signal(SignalKind::terminate()).unwrap();
            // Whatever is dropped ends what it started.
            tokio::select! {
                good = chosen(&words) => good,
                _ = terminated.recv() => interrupted(),
                _ = tokio::signal::ctrl_c() => interrupted(),
            }
        })
    };
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(true) => ExitCode::SUCCESS,
        // A panic has said what it was.
        Ok(false) | Err(_) => ExitCode::FAILURE,
    }
}

fn interrupted() -> bool {
    eprintln!("bench: interrupted");
    false
}

/// Whether all is well.
async fn chosen(words: &[&str]) -> bool {
    match words {
        ["rotation", ..] => rotation::run(&rotation::Options::read()).await,
        ["smoke"] => smoke().await,
        ["instructions"] => instructions::run(false).await,
        ["instructions", "--write"] => instructions::run(true).await,
        ["counted", file, cookies, token] => instructions::counted(file, cookies, token).await,
        ["report", rest @ ..] => {
            let (folder, size) = options(rest);
            let measured = measure::measure(&size).await;
            report::write(&folder, &size, &measured);
            println!("\nwritten to {}", folder.display());
            true
        }
        _ => {
            eprintln!("{USAGE}");
            std::process::exit(2);
        }
    }
}

/// Everything once, as small as can be; what it finds is thrown away, but each figure must be there.
async fn smoke() -> bool {
    let size = Size {
        rounds: 1,
        seconds: 0.05,
        accounts: vec![40, 400],
        sign_ins: 130,
        engines: vec![Engine::Sqlite],
        peers: false,
    };
    let measured = measure::measure(&size).await;
    let folder = tempfile::tempdir().unwrap();
    report::write(folder.path(), &size, &measured);
    let missing = report::missing(&measured);
    for what in &missing {
        eprintln!("no figure: {what}");
    }
    missing.is_empty()
}

fn options(words: &[&str]) -> (PathBuf, Size) {
    let mut folder = PathBuf::from("tests/bench/report");
    let mut size = Size {
        rounds: 5,
        seconds: 2.0,
        accounts: vec![1_000, 100_000],
        sign_ins: 10_000,
        engines: Engine::ALL.to_vec(),
        peers: true,
    };
    for pair in words.chunks(2) {
        let (name, value) = (pair[0], pair.get(1).copied().unwrap_or_default());
        let number = value.parse::<usize>().ok();
        match (name, number) {
            ("--folder", _) if !value.is_empty() => folder = value.into(),
            ("--accounts", Some(number @ 1_001..=20_000_000)) => size.accounts.push(number),
            ("--engine", _) if ["sqlite", "postgres"].contains(&value) => {
                size.engines = vec![if value == "sqlite" { Engine::Sqlite } else { Engine::Postgres }];
                size.peers = false;
            }
            ("--rounds", Some(number @ 1..=100)) => size.rounds = number,
            ("--sign-ins", Some(number @ 1..=100_000)) => size.sign_ins = number,
            ("--seconds", _) if value.parse().is_ok_and(|seconds: f64| (0.05..60.0).contains(&seconds)) => {
                size.seconds = value.parse().unwrap();
            }
            _ => {
                eprintln!("{USAGE}");
                std::process::exit(2);
            }
        }
    }
    size.accounts.dedup();
    (folder, size)
}
