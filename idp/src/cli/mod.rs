//! The command line. Exit code 0 only on success; errors name file, key and value.

mod accounts;
mod audit;
mod backup;
mod check;
mod command;
mod keys;
mod migrate;
mod open;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use platform::clock::Clock;
use platform::connections::Terms;
use platform::db::Needs;
use platform::random::Random;
use platform::shutdown::Shutdown;
use serde::Serialize;
use tokio::net::TcpListener;

use crate::app::App;
use crate::config::Config;
use crate::desk::OperatorAct;
use crate::operators::jobs;
use crate::router;
use crate::store::audit::Operation;
use command::{At, Outcome, print_rows};
use open::{operator, with_tables};

/// Voordeur: an OpenID Connect identity provider for care portals.
#[derive(Debug, Parser)]
#[command(name = "idp", version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve(At),
    /// Check the configuration, or print an example of it.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// List, rotate and revoke signing keys; running servers know at once.
    #[command(subcommand)]
    Keys(keys::Command),
    /// Create accounts.
    #[command(subcommand)]
    Accounts(AccountsCommand),
    /// Show the portals of the configuration.
    #[command(subcommand)]
    Portals(PortalsCommand),
    /// Let clients register themselves.
    #[command(subcommand)]
    Registration(RegistrationCommand),
    /// Export the audit log.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// Copy the embedded database to a file, while servers run.
    Backup {
        #[command(flatten)]
        at: At,
        /// The file to write; it must not exist.
        #[arg(long)]
        to: PathBuf,
    },
    /// Bring the schema of the database up to date, as `serve` of this version would. Asks first.
    Migrate {
        #[command(flatten)]
        at: At,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Put a backup in the place of the database, while no server runs. What was there is kept beside it.
    Restore {
        #[command(flatten)]
        at: At,
        /// The file that `backup` wrote.
        #[arg(long)]
        from: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say whether the server would start with this file.
    Check {
        #[command(flatten)]
        at: At,
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
enum AccountsCommand {
    /// Create a confirmed account; its password is read from standard input.
    Create(accounts::Create),
    /// Take the phone number away from an account whose holder has it no more. Its sessions end, the holder is told, and
    /// the next sign-in asks for a number.
    RemovePhone(accounts::OnePerson),
    /// Take app, passkeys and recovery codes away from an account whose holder has lost them. Its sessions end and the
    /// holder is told; the phone number stays.
    ResetFactors(accounts::OnePerson),
    /// Say how an account stands: locked, blocked, with what its holder can sign in, how many sessions there are.
    Show(accounts::Whose),
    /// Keep an account out. Its sessions end, the holder is told.
    Block(accounts::OnePerson),
    /// Lift a block.
    Unblock(accounts::OnePerson),
    /// Lift a lock after wrong passwords or codes.
    Unlock(accounts::OnePerson),
    /// Sign the holder out everywhere.
    EndSessions(accounts::OnePerson),
    /// Print all that is kept of the holder, as JSON.
    Export(accounts::OnePerson),
    /// Delete an account for good, with all that belongs to it but the audit log.
    Delete(accounts::OnePerson),
}

impl AccountsCommand {
    async fn run(self) -> Outcome {
        let (whose, act) = match self {
            Self::Create(create) => return accounts::create(create).await,
            Self::Show(whose) => return accounts::show(whose).await,
            Self::Export(whose) => return accounts::export(whose).await,
            Self::RemovePhone(whose) => (whose, OperatorAct::RemovePhone),
            Self::ResetFactors(whose) => (whose, OperatorAct::ResetFactors),
            Self::Block(whose) => (whose, OperatorAct::Block),
            Self::Unblock(whose) => (whose, OperatorAct::Unblock),
            Self::Unlock(whose) => (whose, OperatorAct::Unlock),
            Self::EndSessions(whose) => (whose, OperatorAct::EndSessions),
            Self::Delete(whose) => (whose, OperatorAct::Delete),
        };
        accounts::change(whose, act).await
    }
}

#[derive(Debug, Subcommand)]
enum RegistrationCommand {
    /// Make an initial access token and print it, this once.
    Token {
        #[command(flatten)]
        at: At,
        /// Whom it is for.
        #[arg(long)]
        note: String,
        /// For how many registrations it is good.
        #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
        uses: u32,
        /// For how many hours.
        #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8760))]
        hours: u32,
    },
}

#[derive(Debug, Subcommand)]
enum PortalsCommand {
    List(At),
}

#[derive(Debug, Subcommand)]
enum AuditCommand {
    /// Print the newest entries, one JSON object a line.
    Export(audit::Export),
}

/// Runs the command line of this process.
pub async fn main() -> ExitCode {
    let outcome = match Arguments::parse().command {
        Command::Serve(at) => serve(&at).await,
        Command::Config(ConfigCommand::Check { at, offline }) => check::check(&at, offline).await,
        Command::Config(ConfigCommand::Example { json }) => check::example(json),
        Command::Keys(command) => keys::run(command).await,
        Command::Portals(PortalsCommand::List(at)) => portals(&at),
        Command::Registration(RegistrationCommand::Token { at, note, uses, hours }) => {
            registration_token(&at, &note, uses, hours).await
        }
        Command::Accounts(command) => command.run().await,
        Command::Backup { at, to } => backup::backup(&at, &to).await,
        Command::Restore { at, from } => backup::restore(&at, &from).await,
        Command::Migrate { at, yes } => migrate::migrate(&at, yes).await,
        Command::Audit(AuditCommand::Export(export)) => audit::export(export).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            platform::check::print_error("idp", &*error);
            ExitCode::FAILURE
        }
    }
}

async fn serve(at: &At) -> Outcome {
    let path = at.config.as_path();
    let config = Config::load(path)?;
    platform::request_log::start(config.log.json || at.json, config.log.level.name());
    for warning in config.warnings() {
        tracing::warn!(%warning, "the configuration works, but look at it again");
    }
    let listen = config.listen;
    let app = App::new(config, Clock::system(), Random::system()).await?;
    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("{}: listen = {listen}: {error}", path.display()))?;
    let shutdown = Shutdown::on_signal();
    jobs::start(&app, &shutdown);
    if let Some(at) = app.config.metrics_listen {
        let own = TcpListener::bind(at)
            .await
            .map_err(|error| format!("{}: metrics_listen = {at}: {error}", path.display()))?;
        let (router, stop) = (router::metrics_router(&app), shutdown.clone());
        tokio::spawn(platform::serve::serve_on(own, router, stop, Terms::of_operators()));
    }
    tracing::info!(issuer = %app.config.issuer, %listen, "listening");
    let terms = Terms::new(app.connections.clone());
    platform::serve::serve_on(listener, router::router(&app), shutdown, terms).await;
    app.store.db().close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn registration_token(at: &At, note: &str, uses: u32, hours: u32) -> Outcome {
    with_tables(&at.config, Needs::Current, async |tables| {
        if !tables.config.registration.enabled {
            let advice = "registration.enabled = false: set it to true first, or nobody can use the token";
            return Err(advice.into());
        }
        let token = Random::system().token();
        let lifetime = std::time::Duration::from_hours(hours.into());
        tables.store.add_initial_token(&token, note, uses, lifetime).await?;
        tables.store.note_operation(&operator(), Operation::RegistrationTokenMade, note).await?;
        if at.json {
            println!("{}", serde_json::json!({ "initial_access_token": token }));
        } else {
            println!("{token}");
        }
        Ok(())
    })
    .await
}

fn portals(at: &At) -> Outcome {
    #[derive(Serialize)]
    struct Row {
        portal: String,
        url: String,
        clients: String,
    }
    let config = Config::load(&at.config)?;
    let rows: Vec<Row> = config
        .portals
        .iter()
        .map(|portal| Row {
            portal: portal.id.clone(),
            url: portal.url.clone(),
            clients: portal
                .clients
                .iter()
                .map(|client| client.client_id.clone())
                .collect::<Vec<_>>()
                .join(" "),
        })
        .collect();
    print_rows(&rows, at.json, |row| vec![row.portal.clone(), row.url.clone(), row.clients.clone()])
}
