//! The commands of the binary.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use tokio::net::TcpListener;
use web::check::{self, Good, Place};
use web::clock::Clock;
use web::random::Random;
use web::serve::Shutdown;

use crate::app::{App, Parts};
use crate::config::{self, Config, Settings};
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
        /// Log JSON lines, whatever the file says.
        #[arg(long)]
        json: bool,
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
        /// Print JSON instead of lines.
        #[arg(long)]
        json: bool,
        /// Do not ask whether PostgreSQL and Redis let the server in: for a machine that does not reach them.
        #[arg(long)]
        offline: bool,
    },
    /// Print every key with its explanation and default.
    Example {
        /// Print JSON instead of a file to start from.
        #[arg(long)]
        json: bool,
    },
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
        Command::Serve { config, json } => serve(&config, json).await,
        Command::Config(ConfigCommand::Check { config, json, offline }) => {
            check(&config, json, offline).await
        }
        Command::Config(ConfigCommand::Example { json }) => example(json),
        Command::Demo(DemoCommand::Dossiers { json }) => dossiers(json),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            check::print_error("portal-client", &*error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(path: &Path, json: bool) -> Outcome {
    let config = Config::read(path)?;
    let settings = Settings::check(&config, path)?;
    web::request_log::start(settings.log.json || json, settings.log.level.name());
    for warning in config::warnings(&config, &settings, path) {
        tracing::warn!(%warning, "the configuration works, but look at it again");
    }
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
    web::serve::serve(listener, router(Arc::clone(&app)), shutdown).await;
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

/// Does what a start does up to the first thing that it would change.
async fn check(path: &Path, json: bool, offline: bool) -> Outcome {
    let config = Config::read(path)?;
    let settings = Settings::check(&config, path)?;
    Parts::new(&settings, &Clock::system())?;
    check::can_listen(Place::new(path, "listen"), settings.listen)?;
    if !offline {
        check::postgres_answers(Place::new(path, "database"), &settings.database).await?;
        if let Some(redis) = &settings.redis {
            check::redis_answers(Place::new(path, "ephemeral"), redis).await?;
        }
    }
    let (origin, issuer) = (&settings.origin, settings.provider.issuer.as_str());
    let summary = format!("portal at {origin}, signing in at {issuer}");
    Good { summary, warnings: config::warnings(&config, &settings, path) }.print(path, json);
    Ok(())
}

fn example(json: bool) -> Outcome {
    if json {
        println!("{}", serde_json::to_string_pretty(&config::example_json()?)?);
    } else {
        print!("{}", config::example()?);
    }
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
