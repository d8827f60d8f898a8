use std::process::ExitCode;

use mimalloc::MiMalloc;

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    portal_client::cli::run(portal_client::cli::Cli::parse()).await
}
