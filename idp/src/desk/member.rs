//! The page of one account: how it stands, what its holder and the team did, and what the team can do.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use platform::clock::Timestamp;
use serde::Serialize;

use super::act::Act;
use super::{OneMember, Staff, state};
use crate::app::{App, ServiceError, Shared};
use crate::domain::account::AccountId;
use crate::http::AppError;
use crate::http::paths;
use crate::store::members::Member;

/// Lines of the history.
const HISTORY: u32 = 50;

/// `idp/desk_account.html`
#[derive(Clone, Debug, Serialize)]
pub struct MemberPage {
    pub back_url: &'static str,
    pub name: String,
    pub email: String,
    pub username: String,
    pub phone_masked: String,
    pub language: &'static str,
    pub state: &'static str,
    pub until: String,
    pub last_signed_in: String,
    /// Why mail for this address does not arrive: `desk-mail-WORD` is its text; and since when.
    pub mail_trouble: Option<MailTrouble>,
    pub acts: Vec<ActLink>,
    pub history: Vec<HistoryRow>,
    /// What was just done: `desk-notice-WORD` is its text.
    pub notice: Option<&'static str>,
}

/// The last mail for the address did not arrive.
#[derive(Clone, Debug, Serialize)]
pub struct MailTrouble {
    pub word: &'static str,
    pub at: String,
}

/// The way to something that the team can do: `desk-act-WORD-title` is its text.
#[derive(Clone, Debug, Serialize)]
pub struct ActLink {
    pub url: String,
    pub act: &'static str,
}

#[derive(Clone, Debug, Serialize)]
pub struct HistoryRow {
    pub at: String,
    /// A text key.
    pub event: String,
    pub detail: String,
    /// How often on that day; 1 for most.
    pub times: i64,
    /// Who did it, where that is not the holder; without a name for staff of elsewhere, or who left.
    pub by: Option<String>,
}

impl MemberPage {
    pub fn sample() -> Self {
        let row = |event: &str, detail: &str, by: Option<&str>| HistoryRow {
            at: "22-11-2026 19:04".into(),
            event: event.into(),
            detail: detail.into(),
            times: 1,
            by: by.map(str::to_owned),
        };
        let link = |act: Act| ActLink { url: "/desk/accounts/x/act".into(), act: act.word() };
        Self {
            back_url: paths::DESK,
            name: "Anna Bakker".into(),
            email: "anna@example.nl".into(),
            username: "abakker".into(),
            phone_masked: "06 \u{2022}\u{2022}\u{2022}\u{2022} \u{2022}\u{2022}78".into(),
            language: "nl",
            state: "locked",
            until: "22-11-2026 19:34".into(),
            last_signed_in: "22-11-2026 19:04".into(),
            mail_trouble: Some(MailTrouble { word: "refused", at: "22-11-2026 19:04".into() }),
            acts: Act::ALL.map(link).to_vec(),
            history: vec![
                row("event-unlocked", "gebeld met de dochter", Some("Carla Voorbeeld")),
                row("event-blocked", "telefoon gestolen", Some("")),
                row("event-device-remembered", "Chrome, Android", None),
            ],
            notice: Some("create"),
        }
    }
}

/// `GET /desk/accounts/ID`: staff, an account of their organisation; any other one is not there.
pub async fn get(
    State(app): State<Shared>,
    OneMember { staff, member }: OneMember,
) -> Result<Response, AppError> {
    let (cx, id) = (&staff.cx, &member.account.id);
    let (state, until) = state(&member, app.clock.now());
    let notice = cx.query("notice");
    let Member { account, last_signed_in_at, .. } = &member;
    let page = MemberPage {
        back_url: paths::DESK,
        name: account.full_name(),
        email: account.email.as_str().to_owned(),
        username: account.username.clone().unwrap_or_default(),
        phone_masked: account
            .verified_phone()
            .map(|sealed| app.masked_phone(sealed))
            .transpose()?
            .unwrap_or_default(),
        language: account.language.tag(),
        state,
        until,
        last_signed_in: last_signed_in_at.map(Timestamp::local_text).unwrap_or_default(),
        mail_trouble: app
            .store
            .undelivered(account.email.as_str())
            .await?
            .map(|(at, reason)| MailTrouble { word: reason.name(), at: at.local_text() }),
        acts: Act::ALL
            .into_iter()
            .filter(|act| act.makes_sense(&member))
            .map(|act| ActLink { url: act.url(id), act: act.word() })
            .collect(),
        history: history(&app, &staff, id).await?,
        notice: ["create"].into_iter().chain(Act::ALL.map(Act::word)).find(|word| *word == notice),
    };
    Ok(app.page(cx, None, StatusCode::OK, "idp/desk_account.html", &page))
}

async fn history(app: &App, staff: &Staff, id: &AccountId) -> Result<Vec<HistoryRow>, ServiceError> {
    let mut names = BTreeMap::new();
    let mut rows = Vec::new();
    for entry in app.store.history(id, HISTORY).await? {
        let by = match entry.actor_id {
            None => None,
            Some(actor) => {
                if !names.contains_key(&actor) {
                    let account = app.store.account(&AccountId(actor.clone())).await?;
                    let colleague = account
                        .filter(|account| account.organisation.as_ref() == Some(&staff.organisation))
                        .map(|account| account.full_name());
                    names.insert(actor.clone(), colleague.unwrap_or_default());
                }
                names.get(&actor).cloned()
            }
        };
        rows.push(HistoryRow {
            at: entry.at.local_text(),
            event: format!("event-{}", entry.event),
            detail: entry.detail,
            times: entry.times,
            by,
        });
    }
    Ok(rows)
}
