//! `idp accounts create`

use std::io::Read as _;

use super::{At, Outcome, open_store};
use crate::credentials::passwords::PasswordPool;
use crate::credentials::policy;
use crate::domain::account::{EmailAddress, Role, parse_name};
use crate::domain::phone::PhoneNumber;
use crate::protocol::claims::check_additional;
use crate::store::accounts::NewAccount;
use crate::store::audit::Event;

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

pub(super) async fn create(arguments: Create) -> Outcome {
    let (config, store) = open_store(&arguments.at.config).await?;
    let email = EmailAddress::parse(&arguments.email).ok_or("--email: this is not an e-mail address")?;
    let given_name = parse_name(&arguments.given_name).map_err(|error| format!("--given-name: {error}"))?;
    let family_name =
        parse_name(&arguments.family_name).map_err(|error| format!("--family-name: {error}"))?;
    let role = Role::parse(&arguments.role).ok_or("--role: write user, care_team or administrator")?;
    if role.is_staff() && arguments.organisation.is_none() {
        return Err("--role care_team and administrator need --organisation".into());
    }
    let language =
        web::language::Language::from_tag(&arguments.language).ok_or("--language: write nl or en")?;
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
    let pool = PasswordPool::new(&config.password, web::random::Random::system())?;
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
    store.note(&mut write, Event::Registered, &id, None, "created on the command line");
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
