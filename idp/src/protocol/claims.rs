//! The `claims` parameter (OpenID Connect Core section 5.5), and which scope a claim belongs to (5.4).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::error::OAuthError;
use crate::config::ScopeSet;

/// What is asked of one claim; the spec's `null` asks for nothing in particular.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClaimRequest {
    pub essential: bool,
    pub value: Option<Value>,
    pub values: Vec<Value>,
}

impl ClaimRequest {
    /// Whether a value is one of those that are asked for; every value is, where none is named.
    pub fn accepts(&self, value: &str) -> bool {
        let mut named = self.value.iter().chain(&self.values).peekable();
        named.peek().is_none() || named.any(|wanted| wanted.as_str() == Some(value))
    }

    /// The values that are texts.
    pub fn texts(&self) -> Vec<String> {
        self.value.iter().chain(&self.values).filter_map(Value::as_str).map(str::to_owned).collect()
    }
}

type ClaimRequests = BTreeMap<String, Option<ClaimRequest>>;

/// The claims that a request asks for by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RequestedClaims {
    pub userinfo: ClaimRequests,
    pub id_token: ClaimRequests,
}

/// Standard claims with the scope that covers them (OpenID Connect Core sections 5.1 and 5.4).
const SCOPES: &[(&str, &[&str])] = &[
    (
        "profile",
        &[
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ],
    ),
    ("email", &["email", "email_verified"]),
    ("address", &["address"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("care_team", &["care_role", "care_organisation"]),
];

/// The claims of a scope.
pub fn of_scope(scope: &str) -> &'static [&'static str] {
    SCOPES.iter().find(|(name, _)| *name == scope).map_or(&[], |(_, claims)| claims)
}

/// The scope that covers a claim.
pub fn scope_of(claim: &str) -> Option<&'static str> {
    SCOPES.iter().find(|(_, claims)| claims.contains(&claim)).map(|(scope, _)| *scope)
}

/// Standard claims that an account may carry besides those that sign-in itself keeps.
const ADDITIONAL: [&str; 9] = [
    "middle_name",
    "nickname",
    "profile",
    "picture",
    "website",
    "gender",
    "birthdate",
    "zoneinfo",
    "address",
];

/// Whether these may be kept as further claims of an account, each of the type that OpenID Connect Core section
/// 5.1 gives it.
///
/// # Errors
/// Which one is wrong, and what it should be.
pub fn check_additional(claims: &Map<String, Value>) -> Result<(), String> {
    const ADDRESS: [&str; 6] =
        ["formatted", "street_address", "locality", "region", "postal_code", "country"];
    for (name, value) in claims {
        let is_right = match name.as_str() {
            "address" => value.as_object().is_some_and(|parts| {
                parts.iter().all(|(part, text)| ADDRESS.contains(&part.as_str()) && text.is_string())
            }),
            "birthdate" => value.as_str().is_some_and(is_birthdate),
            _ if ADDITIONAL.contains(&name.as_str()) => value.is_string(),
            _ => return Err(format!("{name} is not one of {}", ADDITIONAL.join(", "))),
        };
        if !is_right {
            return Err(format!("{name} has not the form of OpenID Connect Core section 5.1"));
        }
    }
    Ok(())
}

/// `YYYY-MM-DD` or `YYYY`.
fn is_birthdate(text: &str) -> bool {
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok() && text.len() == 10;
    day || (text.len() == 4 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

impl RequestedClaims {
    /// Reads the parameter. Members that are unknown here are left out, as the section wants.
    ///
    /// # Errors
    /// `invalid_request` for what is not the JSON that the section describes.
    pub fn parse(text: &str) -> Result<Self, OAuthError> {
        let malformed =
            OAuthError::new("invalid_request", "claims is not JSON as OpenID Connect Core 5.5 has it");
        let mut members: Map<String, Value> = serde_json::from_str(text).map_err(|_| malformed)?;
        // A member that is null asks for nothing; a list would pass for an object otherwise.
        members.retain(|_, value| !value.is_null());
        // JSON can spell out what no parameter may hold.
        let is_text = !Value::Object(members.clone()).to_string().contains('\u{FFFD}');
        if !is_text || members.values().any(|value| !value.is_object()) {
            return Err(malformed);
        }
        serde_json::from_value(Value::Object(members)).map_err(|_| malformed)
    }

    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// Leaves out the claims of scopes that the client may not have.
    pub fn keep_within(&mut self, scope: &ScopeSet) {
        let may = |claim: &String| scope_of(claim).is_none_or(|of| scope.contains(of));
        self.userinfo.retain(|claim, _| may(claim));
        self.id_token.retain(|claim, _| may(claim));
    }

    /// What is asked of a claim of the ID token, if it is asked for.
    pub fn in_id_token(&self, claim: &str) -> Option<ClaimRequest> {
        self.id_token.get(claim).map(|asked| asked.clone().unwrap_or_default())
    }

    /// The scopes that would cover what is asked for by name.
    pub fn scopes(&self) -> impl Iterator<Item = &'static str> {
        self.userinfo.keys().chain(self.id_token.keys()).filter_map(|claim| scope_of(claim))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_section_5_5_is_read() {
        let text = r#"{"userinfo":{"given_name":{"essential":true},"nickname":null,
            "http://example.info/claims/groups":null},
            "id_token":{"auth_time":{"essential":true},"acr":{"values":["a","b"]}},"future":{"x":1},"none":null}"#;
        let claims = RequestedClaims::parse(text).unwrap();
        assert_eq!(claims.in_id_token("acr").unwrap().texts(), ["a", "b"]);
        assert!(claims.in_id_token("auth_time").unwrap().essential);
        assert_eq!(claims.scopes().collect::<Vec<_>>(), ["profile", "profile"]);
        assert!(!claims.is_empty() && claims.userinfo["nickname"].is_none());
    }

    #[test]
    fn what_is_not_such_json_is_refused() {
        for text in [
            "",
            "[]",
            "{",
            "1",
            r#"{"userinfo":[]}"#,
            r#"{"userinfo":1}"#,
            r#"{"userinfo":{"name":1}}"#,
            r#"{"userinfo":{"\ufffd":null}}"#,
        ] {
            assert!(RequestedClaims::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn further_claims_of_an_account_have_their_types() {
        let check = |text: &str| check_additional(&serde_json::from_str(text).unwrap());
        let good = r#"{"nickname":"An","birthdate":"1950-02-28","address":{"locality":"Utrecht"}}"#;
        assert_eq!((check(good), check(r#"{"birthdate":"1950"}"#)), (Ok(()), Ok(())));
        for text in [
            r#"{"email":"a@b.nl"}"#,
            r#"{"nickname":1}"#,
            r#"{"birthdate":"1950-02-30"}"#,
            r#"{"address":"Utrecht"}"#,
            r#"{"address":{"planet":"Earth"}}"#,
        ] {
            assert!(check(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_request_for_a_claim_names_values_or_none() {
        let read = |text: &str| serde_json::from_str::<ClaimRequest>(text).unwrap();
        assert!(read("{}").accepts("x"));
        assert!(read(r#"{"value":"x"}"#).accepts("x") && !read(r#"{"value":"x"}"#).accepts("y"));
        assert!(read(r#"{"values":["x","y"]}"#).accepts("y"));
    }
}
