//! The binary `idp`.

use std::process::ExitCode;
use std::thread::available_parallelism;

/// Half of the cores take requests, at least one: what they do is short, and while people sign in, password hashing,
/// which has threads of its own, wants all the cores. `TOKIO_WORKER_THREADS` says otherwise.
fn main() -> ExitCode {
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if std::env::var_os("TOKIO_WORKER_THREADS").is_none() {
        runtime.worker_threads(available_parallelism().map_or(1, usize::from).div_ceil(2));
    }
    match runtime.enable_all().build() {
        Ok(runtime) => runtime.block_on(idp::cli::main()),
        Err(error) => {
            eprintln!("idp: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
