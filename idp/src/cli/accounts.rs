//! `idp accounts create | remove-phone | reset-factors`

use std::io::Read as _;

use platform::db::Needs;

use super::command::{At, Outcome};
use super::open::{operator, with_new_tables, with_tables};
use crate::app::{App, ServiceError};
use crate::config::Config;
use crate::credentials::passwords::PasswordPool;
use crate::credentials::policy;
use crate::desk;
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
    #[arg(long)]
    account: String,
    /// Why; it stands in the audit log, and the holder can read it.
    #[arg(long)]
    reason: String,
}

/// Takes the phone number away from an account whose holder has it no more.
pub(super) async fn remove_phone(whose: OnePerson) -> Outcome {
    whose
        .change(
            async |app, id, by| desk::remove_phone(app, id, by).await,
            "this account has no phone number",
            "The phone number is removed, the sessions have ended, the holder gets a mail and an SMS.",
        )
        .await
}

/// Takes app, passkeys and recovery codes away from an account whose holder has lost them.
pub(super) async fn reset_factors(whose: OnePerson) -> Outcome {
    whose
        .change(
            async |app, id, by| desk::reset_factors(app, id, by).await,
            "this account has no app, no passkey and no recovery codes",
            "App, passkeys and recovery codes are removed, the sessions have ended, the holder gets a mail.",
        )
        .await
}

impl OnePerson {
    /// Changes the account; `nothing` says that there was nothing to change, `done` that it is done.
    async fn change(
        self,
        change: impl AsyncFnOnce(&App, &AccountId, By<'_>) -> Result<bool, ServiceError>,
        nothing: &str,
        done: &str,
    ) -> Outcome {
        let Self { at, account, reason } = self;
        let reason = Reason::parse(&reason).map_err(|error| format!("--reason: {error}"))?;
        with_tables(&at.config, Needs::Current, async |tables| {
            let found = find(&tables.store, &account).await?;
            let id = found.ok_or_else(|| format!("--account {account}: there is no such account"))?;
            let app = App::on(tables.config.clone(), tables.store.clone()).await?;
            let actor = AccountId(operator());
            if !change(&app, &id, By { actor: &actor, reason: &reason }).await? {
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
