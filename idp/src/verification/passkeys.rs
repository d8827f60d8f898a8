//! Passkeys, asked for and proved. A question goes to the page with its challenge sealed; it counts for one act in one place,
//! for some minutes, and for one answer.

use std::time::Duration;

use platform::db::Write;
use platform::seal::{Sealer, sha256};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::notices::Mail;
use crate::app::{App, ServiceError};
use crate::credentials::passkeys::{Answer, Asserting, Holder, LIFETIME, Refusal, Registering, RelyingParty};
use crate::domain::account::Account;
use crate::domain::passkey::{NewPasskey, Passkey, Proven};
use crate::store::audit::Event;
use crate::store::passkeys::Inserted;

/// The text for every answer that proves nothing; the log says why.
pub const FAILED: &str = "passkey-failed";
/// For an issuer that is an address: browsers bind passkeys to names only.
const NOT_HERE: &str = "passkey-not-here";

/// What a page gives to its script.
#[derive(Clone, Debug, Serialize)]
pub struct Question {
    /// `PublicKeyCredentialRequestOptionsJSON` or `PublicKeyCredentialCreationOptionsJSON`.
    pub options: String,
    /// What comes back with the answer, and nobody can read or make.
    pub sealed: String,
}

impl Question {
    pub fn sample() -> Self {
        Self { options: "{\"challenge\":\"<&>\"}".into(), sealed: "x".into() }
    }
}

fn sealer(app: &App) -> Sealer {
    app.store.root().sealer("a passkey's question on a page")
}

fn question(
    app: &App,
    (options, kept): (serde_json::Value, impl Serialize),
) -> Result<Question, ServiceError> {
    let kept = serde_json::to_vec(&kept).map_err(|error| ServiceError::Other(error.to_string()))?;
    Ok(Question { options: options.to_string(), sealed: sealer(app).seal(&kept) })
}

/// What was sealed into a page, if nobody answered it before.
async fn opened<T: DeserializeOwned>(app: &App, sealed: &str) -> Result<Option<T>, ServiceError> {
    let Ok(plain) = sealer(app).open(sealed) else { return Ok(None) };
    let Ok(kept) = serde_json::from_slice(&plain) else { return Ok(None) };
    let mark = format!("passkey-answered:{}", sha256(sealed));
    Ok(app.ephemeral.put_new(&mark, "", LIFETIME).await?.then_some(kept))
}

fn other(refusal: &Refusal) -> ServiceError {
    ServiceError::Other(format!("a passkey: {refusal}"))
}

/// The relying party that this provider is; none if its issuer has no name.
fn party(app: &App) -> Option<&RelyingParty> {
    app.passkeys.as_ref()
}

/// Asks whoever sits there, for a sign-in without a name.
pub fn ask_anybody(app: &App, context: &str) -> Result<Option<Question>, ServiceError> {
    let Some(party) = party(app) else { return Ok(None) };
    let asked = party.begin_assertion(context).map_err(|refusal| other(&refusal))?;
    question(app, asked).map(Some)
}

/// Asks the holder of an account.
pub async fn ask(app: &App, account: &Account, context: &str) -> Result<Option<Question>, ServiceError> {
    let Some(party) = party(app) else { return Ok(None) };
    let passkeys = app.store.passkeys(&account.id).await?;
    if passkeys.is_empty() {
        return Ok(None);
    }
    let asked =
        party.begin_assertion_of(&account.id, &passkeys, context).map_err(|refusal| other(&refusal))?;
    question(app, asked).map(Some)
}

/// Asks for a new passkey of an account.
pub async fn ask_new(app: &App, account: &Account, context: &str) -> Result<Option<Question>, ServiceError> {
    let Some(party) = party(app) else { return Ok(None) };
    let existing = app.store.passkeys(&account.id).await?;
    let name = account.full_name();
    let holder = Holder {
        account: &account.id,
        name: account.identifier(app.config.accounts.identifier),
        display_name: &name,
    };
    let asked = party.begin_registration(holder, &existing, context).map_err(|refusal| other(&refusal))?;
    question(app, asked).map(Some)
}

/// The passkey that an answer is of, and its proof; else the text key that says what is wrong.
pub type Proof = Result<(Passkey, Proven), &'static str>;

/// Looks at an answer; `account` is whose it has to be, where that is known. What it proved counts only if
/// [`use_up`] takes it.
pub async fn prove(
    app: &App,
    account: Option<&Account>,
    sealed: &str,
    context: &str,
    answer: &str,
) -> Result<Proof, ServiceError> {
    let Some(party) = party(app) else { return Ok(Err(NOT_HERE)) };
    let Some(asserting) = opened::<Asserting>(app, sealed).await? else { return Ok(Err("passkey-old")) };
    let answer = match Answer::parse(answer) {
        Ok(answer) => answer,
        Err(refusal) => return Ok(refused(&refusal)),
    };
    let known = app.store.passkey(answer.credential_id()).await?;
    let Some(passkey) = known else { return Ok(Err("passkey-unknown")) };
    if account.is_some_and(|account| account.id != passkey.account_id) {
        return Ok(refused(&Refusal::OtherAccount));
    }
    let proven = party.finish_assertion(&asserting, context, &answer, &passkey);
    let fell_back = match &proven {
        Ok(proven) => proven.fell_back,
        Err(refusal) => *refusal == Refusal::CounterFellBack,
    };
    if fell_back {
        tell_of_copy(app, &passkey).await?;
    }
    Ok(match proven {
        Ok(proven) => Ok((passkey, proven)),
        Err(refusal) => refused(&refusal),
    })
}

fn refused(refusal: &Refusal) -> Proof {
    tracing::info!(%refusal, "a passkey's answer is refused");
    Err(match refusal {
        Refusal::TooLate => "passkey-old",
        Refusal::CounterFellBack => "passkey-copied",
        _ => FAILED,
    })
}

/// The holder hears that there may be a second copy of a passkey.
async fn tell_of_copy(app: &App, passkey: &Passkey) -> Result<(), ServiceError> {
    let Some(account) = app.store.account(&passkey.account_id).await? else { return Ok(()) };
    // Once a day: whoever has the copy decides how often it is used.
    let mark = format!("passkey-copied:{}", sha256(&passkey.id));
    let is_news = app.ephemeral.put_new(&mark, "", Duration::from_hours(24)).await?;
    let mut write = app.store.begin_write().await?;
    app.store.note(&mut write, Event::PasskeyCopied, &account.id, None, "");
    if is_news {
        app.notify(&mut write, Mail::SecurityNotice, &account, None, |notice| {
            notice.event = format!("event-{}", Event::PasskeyCopied.as_str());
        })
        .await?;
    }
    write.commit().await?;
    Ok(())
}

/// Writes down that a passkey proved something; false if it is gone by now, or another answer with its counter was first.
pub async fn use_up(app: &App, proven: &Proven) -> Result<bool, ServiceError> {
    let mut write = app.store.begin_write().await?;
    let is_first = app.store.use_passkey(&mut write, proven).await?;
    write.commit().await?;
    Ok(is_first)
}

/// Reads the answer that made a new passkey; it is the account's once [`keep`] has kept it.
pub async fn read_new(
    app: &App,
    account: &Account,
    sealed: &str,
    context: &str,
    answer: &str,
) -> Result<Result<NewPasskey, &'static str>, ServiceError> {
    let Some(party) = party(app) else { return Ok(Err(NOT_HERE)) };
    let Some(registering) = opened::<Registering>(app, sealed).await? else { return Ok(Err("passkey-old")) };
    let made = party.finish_registration(&registering, &account.id, context, answer);
    Ok(made.map_err(|refusal| {
        tracing::info!(%refusal, "a new passkey is refused");
        if refusal == Refusal::TooLate { "passkey-old" } else { "passkey-not-made" }
    }))
}

/// Makes a new passkey the account's within a unit of work; else the text key that says why not.
pub async fn keep(
    app: &App,
    write: &mut Write,
    account: &Account,
    new: &NewPasskey,
) -> Result<Result<(), &'static str>, ServiceError> {
    Ok(match app.store.insert_passkey(write, &account.id, new, None).await? {
        Inserted::Yes => Ok(()),
        Inserted::TooMany => Err("passkey-too-many"),
        Inserted::Taken | Inserted::NoAccount => Err("passkey-not-made"),
    })
}
