//! In development, mails and SMS land in a list instead of going out (`[dev] outbox = true`).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use platform::clock::Timestamp;
use serde::Serialize;

use super::Message;

/// The oldest go beyond this many.
const KEPT: usize = 1_000;

/// A message as a developer sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Caught {
    pub id: String,
    /// `mail` or `sms`.
    pub kind: &'static str,
    pub to: String,
    /// Empty for an SMS, as is `html`.
    pub subject: String,
    pub text: String,
    pub html: String,
    /// When it was caught, in RFC 3339 form.
    pub created_at: String,
}

#[derive(Default)]
pub(super) struct CaughtList(Mutex<VecDeque<Caught>>);

impl CaughtList {
    pub(super) fn add(&self, id: &str, message: &Message, now: Timestamp) {
        let (to, subject, text, html) = match message {
            Message::Mail { to, subject, text, html } => (to, subject.as_str(), text, html.as_str()),
            Message::Sms { to, text } => (to, "", text, ""),
            Message::Logout { .. } => return,
        };
        let caught = Caught {
            id: id.to_owned(),
            kind: message.kind().name(),
            to: to.clone(),
            subject: subject.to_owned(),
            text: text.clone(),
            html: html.to_owned(),
            created_at: now.rfc3339(),
        };
        let mut list = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        list.push_back(caught);
        if list.len() > KEPT {
            list.pop_front();
        }
    }

    pub(super) fn all(&self) -> Vec<Caught> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}
