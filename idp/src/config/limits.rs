//! How much may come from one network address, and how much may be left here.

use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    pub posts_per_minute: u32,
    pub client_requests_per_minute: u32,
    pub sign_ins_per_address_per_hour: u32,
    pub mails_per_account_per_day: u32,
    pub mails_per_address_per_hour: u32,
    pub open_per_address: u32,
    pub open_in_all: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            posts_per_minute: 300,
            client_requests_per_minute: 6_000,
            sign_ins_per_address_per_hour: 200,
            mails_per_account_per_day: 5,
            mails_per_address_per_hour: 20,
            open_per_address: 1_000,
            open_in_all: 50_000,
        }
    }
}
