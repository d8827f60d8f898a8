//! The commands of the binary.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use web::clock::Clock;
use web::random::Random;
use web::serve::Shutdown;

use crate::app::App;
use crate::config::{self, Settings};
use crate::dossiers::demo;
use crate::router::{metrics_router, router};

/// How often what has expired is removed.
const SWEEP: Duration = Duration::from_mins(1);
/// How often the stores are looked at, whether or not anybody asks.
const LOOK: Duration = Duration::from_secs(5);

/// Voordeur's portal: shows people the care dossiers that are linked to them.
#[derive(Debug, Parser)]
#[command(name = "portal-client", version)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the portal until SIGTERM or Ctrl-C.
    Serve {
        #[arg(long)]
        config: PathBuf,
    },
    /// Look at configurations.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// What the demonstration holds.
    #[command(subcommand)]
    Demo(DemoCommand),
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check a configuration file; says what is wrong with it.
    Check {
        #[arg(long)]
        config: PathBuf,
    },
    /// Print every key with its explanation and default.
    Example,
}

#[derive(Debug, Subcommand)]
enum DemoCommand {
    /// The dossiers that can be asked for.
    Dossiers {
        #[arg(long)]
        json: bool,
    },
}

type Outcome = Result<(), Box<dyn std::error::Error>>;

/// Runs a command; exit code 0 only on success.
pub async fn run(cli: Cli) -> ExitCode {
    let outcome = match cli.command {
        Command::Serve { config } => serve(&config).await,
        Command::Config(ConfigCommand::Check { config }) => check(&config),
        Command::Config(ConfigCommand::Example) => example(),
        Command::Demo(DemoCommand::Dossiers { json }) => dossiers(json),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("portal-client: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(path: &Path) -> Outcome {
    let settings = Settings::read(path)?;
    web::request_log::start(settings.log_json, &settings.log_level);
    let listen = settings.listen;
    let app = Arc::new(App::new(settings, Clock::system(), Random::system()).await?);
    let listener =
        TcpListener::bind(listen).await.map_err(|error| format!("cannot listen on {listen}: {error}"))?;
    let shutdown = Shutdown::on_signal();
    let sweeper = tokio::spawn(sweep(Arc::clone(&app), shutdown.clone()));
    let looker = tokio::spawn(look(Arc::clone(&app)));
    if let Some(at) = app.settings.metrics_listen {
        let own = TcpListener::bind(at)
            .await
            .map_err(|error| format!("{}: metrics_listen = {at}: {error}", path.display()))?;
        tokio::spawn(web::serve::serve(own, metrics_router(Arc::clone(&app)), shutdown.clone()));
    }
    tracing::info!(%listen, origin = %app.settings.origin, "serving");
    web::serve::serve(listener, router(Arc::clone(&app)), shutdown).await?;
    sweeper.abort();
    looker.abort();
    app.db.close().await;
    Ok(())
}

/// Nobody may be asking: the log tells it all the same, and the clock is compared.
async fn look(app: Arc<App>) {
    loop {
        app.health.report().await;
        tokio::time::sleep(LOOK).await;
    }
}

async fn sweep(app: Arc<App>, mut shutdown: Shutdown) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(SWEEP) => {}
            () = shutdown.requested() => return,
        }
        if let Err(error) = app.sweep().await {
            tracing::error!(%error, "what has expired could not be removed");
        }
    }
}

fn check(path: &Path) -> Outcome {
    let settings = Settings::read(path)?;
    println!(
        "{}: good. Portal at {}, signing in at {}.",
        path.display(),
        settings.origin,
        settings.provider.issuer.as_str()
    );
    Ok(())
}

fn example() -> Outcome {
    print!("{}", config::example()?);
    Ok(())
}

fn dossiers(json: bool) -> Outcome {
    let list = demo::list();
    if json {
        println!("{}", serde_json::to_string_pretty(&list)?);
    } else {
        for dossier in list {
            println!(
                "{}  {}  {:<10}  {}",
                dossier.bsn, dossier.birth_date, dossier.organisation, dossier.client_name
            );
        }
    }
    Ok(())
}
