//! The commands of the binary.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Parser, Subcommand};
use platform::check::{self, Good, Place};
use platform::clock::Clock;
use platform::connections::Terms;
use platform::db::{self, Db, Found, Needs};
use platform::random::Random;
use platform::shutdown::Shutdown;
use serde_json::json;
use tokio::net::TcpListener;

use crate::app::{App, Parts, SCHEMA};
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
    /// Copy the embedded database to a file, while servers run.
    Backup {
        #[command(flatten)]
        at: At,
        /// The file to write; it must not exist.
        #[arg(long)]
        to: PathBuf,
    },
    /// Put a backup in the place of the database, while no server runs. What was there is kept beside it.
    Restore {
        #[command(flatten)]
        at: At,
        /// The file that `backup` wrote.
        #[arg(long)]
        from: PathBuf,
    },
    /// Look at configurations.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// What the demonstration holds.
    #[command(subcommand)]
    Demo(DemoCommand),
}

#[derive(Debug, clap::Args)]
struct At {
    /// The configuration file.
    #[arg(long)]
    config: PathBuf,
    /// Print JSON instead of lines.
    #[arg(long)]
    json: bool,
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
        Command::Backup { at, to } => backup(&at, &to).await,
        Command::Restore { at, from } => restore(&at, &from).await,
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
    platform::request_log::start(settings.log.json || json, settings.log.level.name());
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
        let router = metrics_router(Arc::clone(&app));
        tokio::spawn(platform::serve::serve_on(own, router, shutdown.clone(), Terms::of_operators()));
    }
    tracing::info!(%listen, origin = %app.settings.origin, "serving");
    let terms = Terms::new(app.connections.clone());
    platform::serve::serve_on(listener, router(Arc::clone(&app)), shutdown, terms).await;
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

/// Writes a copy that is whole, of one moment, while servers write.
async fn backup(at: &At, to: &Path) -> Outcome {
    let settings = Settings::check(&Config::read(&at.config)?, &at.config)?;
    let named = |error: String| format!("{}: database: {error}", at.config.display());
    let (db, found) = Db::open_existing(&settings.database, &SCHEMA, &settings.root, Needs::Any)
        .await
        .map_err(|error| named(error.to_string()))?;
    say(found);
    let copied = db::backup(&db, &SCHEMA, &settings.root, to).await;
    db.close().await;
    let copied = copied.map_err(|error| format!("--to: {error}"))?;
    if at.json {
        println!("{}", json!({ "file": to, "schema": copied.found.version, "rows": copied.rows() }));
    } else {
        println!("{}: good. {copied}", to.display());
        println!("Keep secrets.root as well, elsewhere: without it the sealed values cannot be read.");
    }
    Ok(())
}

/// Puts a backup where the configuration wants its database, once it is known to be good.
async fn restore(at: &At, from: &Path) -> Outcome {
    let settings = Settings::check(&Config::read(&at.config)?, &at.config)?;
    let now = Clock::system().now();
    let restored = db::restore(&settings.database, from, &SCHEMA, &settings.root, now, async |_| Ok(()))
        .await
        .map_err(|error| format!("{}: database: {error}", at.config.display()))?;
    say(restored.copied.found);
    let (file, copied, kept) = (&restored.file, &restored.copied, &restored.kept);
    if at.json {
        println!(
            "{}",
            json!({ "file": file, "schema": copied.found.version, "rows": copied.rows(), "kept": kept })
        );
        return Ok(());
    }
    println!("{}: restored from {}. {copied}", file.display(), from.display());
    for kept in kept {
        println!("What was there before: {}", kept.display());
    }
    Ok(())
}

/// Says on standard error which schema the database has.
fn say(found: Found) {
    eprintln!("portal-client: the database has schema {}; this program knows {}", found.version, found.known);
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
