//! What the team can do to an account, each on a page of its own that says what will happen and asks why.

use axum::extract::{FromRequestParts, State};
use axum::http::request::Parts;
use axum::response::Response;
use platform::dates::in_words;
use platform::ephemeral::Reserved;
use platform::errors::FieldErrors;
use platform::request::{Fields, RequestContext};
use serde::Serialize;

use super::carry_out::{Change, Outcome, carry_out};
use super::create::{is_elsewhere, reason_error, taken_error};
use super::{DAY, FreshStaff, MAILS_PER_DAY, OneMember, Staff, guess, member_id, member_url};
use crate::app::{App, ServiceError, Shared};
use crate::domain::account::{AccountId, EmailAddress};
use crate::domain::phone::PhoneNumber;
use crate::domain::reason::Reason;
use crate::http::names;
use crate::http::pages::see_other;
use crate::http::paths;
use crate::http::{AppError, Caller, Form};
use crate::signin::register::email_error;
use crate::store::members::Member;
use crate::verification::invitations::By;

/// One thing that can be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Sends the mail with which the account starts once more.
    Mail,
    Unlock,
    Phone,
    Email,
    /// Takes app, passkeys and recovery codes away.
    Factors,
    Sessions,
    Block,
    Unblock,
}

impl Act {
    pub const ALL: [Self; 8] = [
        Self::Mail,
        Self::Unlock,
        Self::Phone,
        Self::Email,
        Self::Factors,
        Self::Sessions,
        Self::Block,
        Self::Unblock,
    ];

    /// As it stands in URLs and text keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Unlock => "unlock",
            Self::Phone => "phone",
            Self::Email => "email",
            Self::Factors => "factors",
            Self::Sessions => "sessions",
            Self::Block => "block",
            Self::Unblock => "unblock",
        }
    }

    fn of(cx: &RequestContext) -> Option<Self> {
        let word = cx.uri.path().split('/').nth(4)?;
        Self::ALL.into_iter().find(|act| act.word() == word)
    }

    pub(super) fn url(self, id: &AccountId) -> String {
        paths::DESK_ACT.replace("{id}", &id.0).replace("{act}", self.word())
    }

    /// Whether there is anything to do; what is done all the same does nothing.
    pub(super) fn makes_sense(self, member: &Member) -> bool {
        let is_blocked = member.account.blocked_at.is_some();
        match self {
            Self::Mail => !is_blocked && !member.account.has_own_password(),
            Self::Unlock => !is_blocked && (member.locked_until.is_some() || member.codes_closed),
            Self::Phone | Self::Email => true,
            Self::Factors => member.account.factors.has_chosen() || member.account.factors.recovery_codes > 0,
            Self::Sessions | Self::Block => !is_blocked,
            Self::Unblock => is_blocked,
        }
    }
}

/// `idp/desk_act.html`; its texts are `desk-act-WORD-title`, `-lead` and `-submit`.
#[derive(Clone, Debug, Serialize)]
pub struct ActPage {
    pub action: String,
    pub back_url: String,
    pub act: &'static str,
    pub name: String,
    /// The address, or the masked number, that is to be changed; else empty.
    pub current: String,
    /// The address, where that is what changes; else empty.
    pub email: String,
    pub phone: String,
    pub reason: String,
    pub errors: FieldErrors,
}

impl ActPage {
    pub fn sample() -> Self {
        Self {
            action: "/desk/accounts/x/email".into(),
            back_url: "/desk/accounts/x".into(),
            act: "email",
            name: "Anna Bakker".into(),
            current: "anna@example.nl".into(),
            email: "anna@example".into(),
            phone: "020 1234567".into(),
            reason: "gebeld met de dochter".into(),
            errors: FieldErrors::of("email", "email-invalid").and("reason", Some("desk-reason-missing")),
        }
    }

    fn new(app: &App, act: Act, member: &Member, fields: &Fields) -> Result<Self, ServiceError> {
        let typed = |name: &str, most: usize| fields.line(name).chars().take(most).collect::<String>();
        let account = &member.account;
        let current = match act {
            Act::Email => account.email.as_str().to_owned(),
            Act::Phone => {
                let masked = account.verified_phone().map(|sealed| app.masked_phone(sealed)).transpose()?;
                masked.unwrap_or_default()
            }
            _ => String::new(),
        };
        Ok(Self {
            action: act.url(&member.account.id),
            back_url: member_url(&member.account.id),
            act: act.word(),
            name: account.full_name(),
            current,
            email: typed(names::EMAIL, 254),
            phone: typed(names::PHONE, 40),
            reason: typed(names::REASON, 300),
            errors: FieldErrors::default(),
        })
    }

    fn show(&self, app: &App, cx: &RequestContext) -> Response {
        app.page(cx, None, self.errors.status(), "idp/desk_act.html", self)
    }
}

/// Somebody at the desk, freshly signed in, with an account of their organisation before them; an account of another
/// organisation is not there, nor is one's own.
pub struct Here {
    act: Act,
    staff: Staff,
    member: Member,
}

impl FromRequestParts<Shared> for Here {
    type Rejection = AppError;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, AppError> {
        let Caller(cx) = Caller::from_request_parts(parts, app).await?;
        let (id, act) = member_id(&cx).zip(Act::of(&cx)).ok_or(AppError::NotFound)?;
        let FreshStaff(staff) = FreshStaff::from_request_parts(parts, app).await?;
        let OneMember { staff, member } = OneMember::of(app, staff, &id).await?;
        Ok(Self { act, staff, member })
    }
}

/// `GET /desk/accounts/ID/ACT`: staff, freshly signed in; changes nothing.
pub async fn get(State(app): State<Shared>, Here { act, staff, member }: Here) -> Result<Response, AppError> {
    let cx = &staff.cx;
    Ok(ActPage::new(&app, act, &member, &app.kept_form(cx).await?)?.show(&app, cx))
}

/// The change that was asked for and why, or the fields that are wrong.
fn read(act: Act, fields: &Fields) -> Result<(Change, Reason), FieldErrors> {
    let change = match act {
        Act::Mail => Ok(Change::Mail),
        Act::Unlock => Ok(Change::Unlock),
        Act::Factors => Ok(Change::Factors),
        Act::Sessions => Ok(Change::Sessions),
        Act::Block => Ok(Change::Block),
        Act::Unblock => Ok(Change::Unblock),
        Act::Phone => match fields.plain(names::PHONE).as_str() {
            "" => Err(("phone", "desk-phone-missing")),
            typed => {
                PhoneNumber::parse(typed).map(Change::Phone).map_err(|_| ("phone", "phone-not-dutch-mobile"))
            }
        },
        Act::Email => {
            let email = EmailAddress::parse(fields.trimmed(names::EMAIL)).map(Change::Email);
            email.ok_or_else(|| ("email", email_error(fields)))
        }
    };
    match (change, Reason::parse(fields.trimmed(names::REASON)).map_err(reason_error)) {
        (Ok(change), Ok(reason)) => Ok((change, reason)),
        (change, reason) => {
            let (field, key) = change.err().unzip();
            Err(FieldErrors::default().and(field.unwrap_or_default(), key).and("reason", reason.err()))
        }
    }
}

/// `POST /desk/accounts/ID/ACT`: staff, freshly signed in, within the day's limit on mails; blocking is never held
/// back. A second one at once finds it done and changes nothing.
pub async fn post(
    State(app): State<Shared>,
    Form(Here { act, staff, member }, fields): Form<Here>,
) -> Result<Response, AppError> {
    let refuse = |errors| -> Result<Response, AppError> {
        let page = ActPage::new(&app, act, &member, &fields)?;
        Ok(ActPage { errors, ..page }.show(&app, &staff.cx))
    };
    let (change, reason) = match read(act, &fields) {
        Ok(read) => read,
        Err(wrong) => return refuse(wrong),
    };
    let mails = format!("desk-mails:{}", staff.account.id.0);
    if !app.within(&mails, MAILS_PER_DAY, DAY).await? && act != Act::Block {
        return Err(AppError::DeskLimit);
    }
    let right = match &change {
        Change::Email(_) => match guess::take(&app, &staff).await? {
            Some(right) => right,
            None => return Err(AppError::DeskLimit),
        },
        _ => Reserved::default(),
    };
    let by = By { actor: &staff.account.id, reason: &reason };
    let outcome = carry_out(&app, staff.scope(), &member.account.id, &change, by).await?;
    let is_elsewhere = matches!(&outcome, Outcome::EmailTaken(owner) if is_elsewhere(&staff, owner));
    guess::settle(&app, &staff, right, is_elsewhere).await?;
    Ok(match outcome {
        Outcome::Done => see_other(&format!("{}?notice={}", member_url(&member.account.id), act.word())),
        // The page of the account shows why.
        Outcome::Overtaken => see_other(&member_url(&member.account.id)),
        Outcome::Limit => return Err(AppError::DeskLimit),
        Outcome::Gone => return Err(AppError::NotFound),
        Outcome::EmailTaken(owner) => {
            return refuse(FieldErrors::of("email", taken_error(&staff, &owner)));
        }
        Outcome::NeedsColleague(until) => {
            let until = in_words(&until.local_text(), staff.cx.language);
            return refuse(FieldErrors::of("", "desk-needs-colleague").with("until", &until));
        }
    })
}
