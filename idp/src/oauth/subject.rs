//! What a client knows a person by (OpenID Connect Core section 8).

use crate::app::App;
use crate::config::{Client, SubjectType};
use crate::domain::account::Account;

impl App {
    /// The `sub` of an account as this client sees it. Clients of one sector see the same one; what one sector
    /// sees tells nothing about another's.
    pub fn subject_for(&self, client: &Client, account: &Account) -> String {
        match client.subject_type {
            SubjectType::Public => account.subject.0.clone(),
            SubjectType::Pairwise => {
                self.pairwise.hash(&format!("{}\n{}", client.sector(), account.subject.0))
            }
        }
    }
}
