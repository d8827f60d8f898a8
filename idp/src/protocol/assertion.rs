//! Client assertions: `private_key_jwt` (RFC 7523 section 3, OpenID Connect Core section 9).

use super::error::OAuthError;
use super::jose::{self, Claims};

/// The `client_assertion_type` (RFC 7523 section 2.2).
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// The longest that an assertion may still be valid, in seconds: so long its `jti` is remembered.
const LONGEST: i64 = 3_600;

/// What has to be remembered of an assertion that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub jti: String,
    /// Until when it could be replayed, in seconds.
    pub until: i64,
}

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_client", description)
}

/// The client that an assertion, not verified yet, says it is of.
pub fn client_of(assertion: &str) -> Option<String> {
    jose::text(&jose::unverified_claims(assertion)?, "sub").map(str::to_owned)
}

/// Checks the claims of an assertion whose signature verified. `audiences` begins with the issuer; with `strict`
/// that alone counts, as a single text (FAPI 2.0 Security Profile section 5.3.2.1).
///
/// # Errors
/// `invalid_client`, with what is wrong.
pub fn check(
    claims: &Claims,
    client_id: &str,
    audiences: &[&str],
    strict: bool,
    now: i64,
) -> Result<Accepted, OAuthError> {
    if jose::text(claims, "iss") != Some(client_id) || jose::text(claims, "sub") != Some(client_id) {
        return Err(refused("iss and sub of the client assertion are not the client_id"));
    }
    let is_for_us = if strict {
        audiences.first().copied() == jose::text(claims, "aud")
    } else {
        jose::is_for(claims, audiences)
    };
    if !is_for_us {
        return Err(refused("the audience of the client assertion is not the issuer"));
    }
    let Some(expires) = jose::expiry(claims).filter(|_| jose::is_in_time(claims, now)) else {
        return Err(refused("the client assertion is expired, not valid yet, or lacks exp"));
    };
    if expires > now.saturating_add(LONGEST) {
        return Err(refused("the client assertion expires too far in the future"));
    }
    let jti = jose::text(claims, "jti").filter(|jti| jti.len() <= 256);
    let jti = jti.ok_or(refused("the client assertion lacks jti"))?.to_owned();
    Ok(Accepted { jti, until: expires.saturating_add(jose::SKEW) })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_000_000;

    fn check_with(changes: &Value, strict: bool) -> Result<Accepted, OAuthError> {
        let mut claims = json!({
            "iss": "c", "sub": "c", "aud": "https://op.example", "exp": NOW + 60, "iat": NOW, "jti": "1",
        });
        for (name, value) in changes.as_object().unwrap() {
            if value.is_null() {
                claims.as_object_mut().unwrap().remove(name);
            } else {
                claims[name] = value.clone();
            }
        }
        check(
            claims.as_object().unwrap(),
            "c",
            &["https://op.example", "https://op.example/token"],
            strict,
            NOW,
        )
    }

    #[test]
    fn t40_only_a_fresh_assertion_of_the_client_for_this_issuer_is_accepted() {
        assert_eq!(check_with(&json!({}), true), Ok(Accepted { jti: "1".into(), until: NOW + 70 }));
        assert!(check_with(&json!({ "nbf": NOW + 8 }), true).is_ok());
        for changes in [
            json!({ "iss": "d" }),
            json!({ "sub": "d" }),
            json!({ "sub": null }),
            json!({ "aud": null }),
            json!({ "aud": "https://other.example" }),
            json!({ "exp": null }),
            json!({ "exp": NOW - 300 }),
            json!({ "exp": NOW + 7_200 }),
            json!({ "nbf": NOW + 61 }),
            json!({ "iat": NOW + 61 }),
            json!({ "jti": null }),
            json!({ "jti": "" }),
        ] {
            assert_eq!(check_with(&changes, false).unwrap_err().error, "invalid_client", "{changes}");
        }
    }

    #[test]
    fn a_strict_audience_is_the_issuer_as_one_text() {
        for audience in [
            json!("https://op.example/token"),
            json!(["https://op.example"]),
            json!(["https://op.example", "https://other.example"]),
        ] {
            let changes = json!({ "aud": audience });
            assert!(check_with(&changes, true).is_err(), "{changes}");
            assert!(check_with(&changes, false).is_ok(), "{changes}");
        }
    }
}
