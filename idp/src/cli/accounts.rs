//! `idp accounts`: making an account, and what an operator does to one, with a line in the audit log for each.

use std::io::Read as _;

use platform::clock::Timestamp;
use platform::db::Needs;
use platform::typed::has_hidden_marks;

use super::command::{At, Outcome};
use super::open::{operator, with_new_tables, with_tables};
use crate::account::leave::everything;
use crate::app::App;
use crate::config::Config;
use crate::credentials::passwords::PasswordPool;
use crate::credentials::policy;
use crate::desk::{self, OperatorAct};
use crate::domain::account::{AccountId, EmailAddress, Role, parse_name};
use crate::domain::phone::PhoneNumber;
use crate::domain::reason::Reason;
use crate::protocol::claims::check_additional;
use crate::store::accounts::{Name, NewAccount};
use crate::store::audit::Event;
use crate::store::{Store, StoreError};
use crate::verification::invitations::By;

#[derive(Debug, clap::Args)]
pub(super) struct Create {
    #[command(flatten)]
    at: At,
    #[arg(long)]
    email: String,
    #[arg(long)]
    given_name: String,
    #[arg(long)]
    family_name: String,
    #[arg(long)]
    username: Option<String>,
    /// A Dutch mobile number, for codes.
    #[arg(long)]
    phone: Option<String>,
    /// user, care_team or administrator.
    #[arg(long, default_value = "user")]
    role: String,
    /// Where a care_team member or administrator works; of a user, whose care team sees the account at its desk.
    #[arg(long)]
    organisation: Option<String>,
    /// nl or en.
    #[arg(long, default_value = "nl")]
    language: String,
    /// A JSON file with further standard claims (OpenID Connect Core section 5.1): nickname, address, ...
    #[arg(long)]
    claims: Option<std::path::PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(super) struct OnePerson {
    #[command(flatten)]
    at: At,
    /// The account: its e-mail address, user name or id.
    #[arg(long, allow_hyphen_values = true)]
    account: String,
    /// Why; it stands in the audit log, and the holder can read it.
    #[arg(long)]
    reason: String,
    /// Who does it, for the audit log; the name of the system's user unless given.
    #[arg(long)]
    by: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct Whose {
    #[command(flatten)]
    at: At,
    /// The account: its e-mail address, user name or id.
    #[arg(long, allow_hyphen_values = true)]
    account: String,
}

/// Does something to one account; `nothing` says that there was nothing to do, `done` that it is done.
pub(super) async fn change(whose: OnePerson, act: OperatorAct) -> Outcome {
    let OnePerson { at, account, reason, by } = whose;
    let reason = Reason::parse(&reason).map_err(|error| format!("--reason: {error}"))?;
    let (nothing, done) = words(act);
    with_tables(&at.config, Needs::Current, async |tables| {
        let found = find(&tables.store, &account).await?;
        let id = found.ok_or_else(|| format!("--account {account}: there is no such account"))?;
        let app = App::on(tables.config.clone(), tables.store.clone()).await?;
        let actor = AccountId(named(by.as_deref())?);
        if !desk::carry_out_as_operator(&app, &id, act, By { actor: &actor, reason: &reason }).await? {
            return Err(format!("--account {account}: {nothing}").into());
        }
        if at.json {
            println!("{}", serde_json::json!({ "account": id.0 }));
        } else {
            println!("{done}");
        }
        Ok(())
    })
    .await
}

/// What is said where there was nothing to do, and where it is done.
fn words(act: OperatorAct) -> (&'static str, &'static str) {
    match act {
        OperatorAct::RemovePhone => (
            "this account has no phone number",
            "The phone number is removed, the sessions have ended, the holder gets a mail and an SMS.",
        ),
        OperatorAct::ResetFactors => (
            "this account has no app, no passkey and no recovery codes",
            "App, passkeys and recovery codes are removed, the sessions have ended, the holder gets a mail.",
        ),
        OperatorAct::Block => (
            "this account is blocked already",
            "The account is blocked, the sessions have ended, the holder gets a mail.",
        ),
        OperatorAct::Unblock => {
            ("this account is not blocked", "The account is no longer blocked, the holder gets a mail.")
        }
        OperatorAct::Unlock => {
            ("this account is not locked", "The account is no longer locked, the holder gets a mail.")
        }
        OperatorAct::EndSessions => {
            ("nobody is signed in to this account", "The sessions have ended, the holder gets a mail.")
        }
        OperatorAct::Delete => (
            "this account is gone already",
            "The account is deleted with all that belongs to it, the sessions have ended, the holder gets a mail.",
        ),
    }
}

/// Who does it: the name that was given, or the system's.
fn named(by: Option<&str>) -> Result<String, String> {
    match by {
        None => Ok(operator()),
        Some(name) if (1..=60).contains(&name.chars().count()) && !has_hidden_marks(name) => {
            Ok(format!("operator:{name}"))
        }
        Some(_) => Err("--by: write a name of 1 to 60 characters".into()),
    }
}

/// Says how an account stands, without what is kept of its holder's life.
pub(super) async fn show(whose: Whose) -> Outcome {
    let Whose { at, account } = whose;
    with_tables(&at.config, Needs::Current, async |tables| {
        let store = &tables.store;
        let found = find(store, &account).await?;
        let id = found.ok_or_else(|| format!("--account {account}: there is no such account"))?;
        let (found, sessions) = (store.account(&id).await?, store.sessions(&id).await?);
        let found = found.ok_or_else(|| format!("--account {account}: there is no such account"))?;
        let lock = store.latest_lock(&id).await?;
        let factors = found.factors;
        let shown = serde_json::json!({
            "account": id.0, "email": found.email.as_str(), "username": found.username,
            "role": found.role, "organisation": found.organisation,
            "email_confirmed_at": found.email_verified_at.map(Timestamp::rfc3339),
            "blocked_at": found.blocked_at.map(Timestamp::rfc3339),
            "locked_until": lock.map(Timestamp::rfc3339),
            "phone": factors.sms, "app": factors.totp, "passkeys": factors.passkeys,
            "recovery_codes": factors.recovery_codes, "sessions": sessions.len(),
            "created_at": found.created_at.rfc3339(),
        });
        if at.json {
            println!("{}", serde_json::to_string_pretty(&shown)?);
        } else if let Some(fields) = shown.as_object() {
            for (name, value) in fields.iter().filter(|(_, value)| !value.is_null()) {
                let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                println!("{:<20} {text}", name.replace('_', " "));
            }
        }
        Ok(())
    })
    .await
}

/// Prints all that is kept of one person, as JSON: what the holder gets with 'Gegevens downloaden'.
pub(super) async fn export(whose: OnePerson) -> Outcome {
    let OnePerson { at, account, reason, by } = whose;
    let reason = Reason::parse(&reason).map_err(|error| format!("--reason: {error}"))?;
    with_tables(&at.config, Needs::Current, async |tables| {
        let found = find(&tables.store, &account).await?;
        let id = found.ok_or_else(|| format!("--account {account}: there is no such account"))?;
        let app = App::on(tables.config.clone(), tables.store.clone()).await?;
        let actor = AccountId(named(by.as_deref())?);
        // What is to be read is written down before it is read.
        let mut write = app.store.begin_write().await?;
        let detail = reason.as_str();
        app.store.note_by(&mut write, Some(&actor), Event::DataDownloaded, &id, None, detail);
        write.commit().await?;
        let found = app.store.account(&id).await?;
        let found = found.ok_or_else(|| format!("--account {account}: there is no such account"))?;
        println!("{}", serde_json::to_string_pretty(&everything(&app, &found).await?)?);
        Ok(())
    })
    .await
}

/// The account that an operator names, by its address, its user name or its id.
pub(super) async fn find(store: &Store, name: &str) -> Result<Option<AccountId>, StoreError> {
    let id = AccountId(name.to_owned());
    let names = match EmailAddress::parse(name) {
        Some(email) => vec![Name::Email(email)],
        None => vec![Name::Id(&id), Name::Username(name)],
    };
    for name in &names {
        if let Some((account, _)) = store.account_and_device(name, None).await? {
            return Ok(Some(account.id));
        }
    }
    Ok(None)
}

pub(super) async fn create(arguments: Create) -> Outcome {
    let path = arguments.at.config.clone();
    with_new_tables(&path, async |tables| create_in(&tables.config, &tables.store, arguments).await).await
}

async fn create_in(config: &Config, store: &Store, arguments: Create) -> Outcome {
    let email = EmailAddress::parse(&arguments.email).ok_or("--email: this is not an e-mail address")?;
    let given_name = parse_name(&arguments.given_name).map_err(|error| format!("--given-name: {error}"))?;
    let family_name =
        parse_name(&arguments.family_name).map_err(|error| format!("--family-name: {error}"))?;
    let role = Role::parse(&arguments.role).ok_or("--role: write user, care_team or administrator")?;
    if role.is_staff() && arguments.organisation.is_none() {
        return Err("--role care_team and administrator need --organisation".into());
    }
    let language =
        platform::language::Language::from_tag(&arguments.language).ok_or("--language: write nl or en")?;
    let phone_sealed = match &arguments.phone {
        Some(phone) => {
            let number =
                PhoneNumber::parse(phone).map_err(|_| "--phone: write a Dutch mobile number (06...)")?;
            Some(store.seal_phone(number.e164()))
        }
        None => None,
    };
    let claims = arguments.claims.as_deref().map(read_claims).transpose()?;
    let mut password = String::new();
    std::io::stdin().read_to_string(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']);
    let personal = [email.as_str(), given_name.as_str(), family_name.as_str()];
    policy::check(password, &config.password, &personal)
        .map_err(|problem| format!("the password on standard input was refused: {}", problem.key))?;
    let pool = PasswordPool::new(&config.password, platform::random::Random::system())?;
    let new = NewAccount {
        given_name,
        family_name,
        email,
        email_is_confirmed: true,
        username: arguments.username.map(|name| name.to_lowercase()),
        password_hash: Some(pool.hash(password).await?),
        phone_sealed,
        role,
        organisation: arguments.organisation,
        language,
    };
    let mut write = store.begin_write().await?;
    let id = match store.insert_account(&mut write, &new).await {
        Ok(id) => id,
        Err(error) if error.is_unique_violation() => {
            return Err("an account with this e-mail address or user name exists already".into());
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(claims) = &claims {
        store.set_claims(&mut write, &id, claims).await?;
    }
    let actor = AccountId(operator());
    store.note_by(&mut write, Some(&actor), Event::Registered, &id, None, "created on the command line");
    write.commit().await?;
    println!("{}", serde_json::json!({ "account": id.0 }));
    Ok(())
}

fn read_claims(
    file: &std::path::Path,
) -> Result<serde_json::Map<String, serde_json::Value>, Box<dyn std::error::Error>> {
    let refused = |what: &dyn std::fmt::Display| format!("--claims: {}: {what}", file.display());
    let text = std::fs::read_to_string(file).map_err(|error| refused(&error))?;
    let claims = serde_json::from_str(&text).map_err(|error| refused(&error))?;
    check_additional(&claims).map_err(|error| refused(&error))?;
    Ok(claims)
}
