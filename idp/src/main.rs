//! The binary `idp`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    idp::cli::main().await
}
