//! The binary `idp`.

use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Requests may use every core; password hashing has threads of its own, which get what requests leave over
/// ([`platform::priority`]). `TOKIO_WORKER_THREADS` says otherwise.
fn main() -> ExitCode {
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(idp::cli::main()),
        Err(error) => {
            eprintln!("idp: cannot start: {error}");
            ExitCode::FAILURE
        }
    }
}
