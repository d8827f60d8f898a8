//! Request objects: an authorization request as a JWT that the client signed (RFC 9101, OpenID Connect Core
//! section 6.1).

use platform::request::Fields;
use serde_json::Value;

use super::error::OAuthError;
use super::jose::{self, Claims};

/// Claims about the object itself; everything else is a parameter of the request.
const ABOUT_ITSELF: [&str; 6] = ["iss", "aud", "exp", "nbf", "iat", "jti"];

pub const NOT_SIGNED: OAuthError =
    OAuthError::new("request_not_supported", "request objects have to be signed");

pub const MUST_BE_SIGNED: OAuthError = OAuthError::new(
    "invalid_request_object",
    "the request object is not signed, and this client agreed to sign",
);

/// The longest that a request object may be valid, and the oldest that it may be, in seconds (FAPI 2.0 Message
/// Signing section 5.3.1).
const LONGEST: i64 = 3_600;

const fn refused(description: &'static str) -> OAuthError {
    OAuthError::new("invalid_request_object", description)
}

/// The parameters of a request object whose signature verified. Only they count; what stood beside it is not
/// used (RFC 9101 section 6.3). With `strict` it has to have all that FAPI 2.0 Message Signing wants.
///
/// # Errors
/// `invalid_request_object`, with what is wrong.
pub fn parameters(
    claims: &Claims,
    client_id: &str,
    issuer: &str,
    strict: bool,
    now: i64,
) -> Result<Fields, OAuthError> {
    let may_lack = |name: &str| !strict && !claims.contains_key(name);
    if !may_lack("iss") && jose::text(claims, "iss") != Some(client_id) {
        return Err(refused("iss of the request object is not the client_id"));
    }
    if !may_lack("aud") && !jose::is_for(claims, &[issuer]) {
        return Err(refused("aud of the request object is not the issuer"));
    }
    if !jose::is_in_time(claims, now) || (strict && jose::expiry(claims).is_none()) {
        return Err(refused("the request object is expired, not valid yet, or lacks exp"));
    }
    if strict {
        is_recent(claims, now)?;
    }
    // RFC 9101 section 10.8: so it can never pass for an assertion of the client's.
    if jose::text(claims, "sub") == Some(client_id) {
        return Err(refused("sub of the request object is the client_id"));
    }
    if claims.contains_key("request") || claims.contains_key("request_uri") {
        return Err(refused("a request object holds no other one (RFC 9101 section 4)"));
    }
    if claims.get("client_id").is_some_and(|id| id.as_str() != Some(client_id)) {
        return Err(refused("client_id of the request object is another"));
    }
    let mut parameters = vec![("client_id".to_owned(), client_id.to_owned())];
    for (name, value) in claims {
        if ABOUT_ITSELF.contains(&name.as_str()) || name == "client_id" {
            continue;
        }
        let value = match value {
            Value::String(text) => text.clone(),
            Value::Number(_) | Value::Bool(_) | Value::Object(_) => value.to_string(),
            Value::Null | Value::Array(_) => {
                return Err(refused("a parameter of the request object is neither text, number nor object"));
            }
        };
        // As in forms and queries.
        if value.contains(['\0', '\u{FFFD}']) {
            return Err(refused("a parameter of the request object is not text"));
        }
        parameters.push((name.clone(), value));
    }
    Ok(parameters.into_iter().collect())
}

/// FAPI 2.0 Message Signing section 5.3.1: `nbf` is there and not over an hour old, `exp` not over an hour after it.
fn is_recent(claims: &Claims, now: i64) -> Result<(), OAuthError> {
    let not_before = jose::not_before(claims).ok_or(refused("the request object lacks nbf"))?;
    if now.saturating_sub(not_before) > LONGEST {
        return Err(refused("nbf of the request object is more than 60 minutes ago"));
    }
    if jose::expiry(claims).is_none_or(|expires| expires.saturating_sub(not_before) > LONGEST) {
        return Err(refused("exp of the request object is more than 60 minutes after nbf"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_000_000;

    fn read(claims: &Value, strict: bool) -> Result<Fields, &'static str> {
        parameters(claims.as_object().unwrap(), "c", "https://op.example", strict, NOW)
            .map_err(|error| error.error)
    }

    #[test]
    fn parameters_are_texts_whatever_their_json_type() {
        let claims = json!({
            "iss": "c", "aud": "https://op.example", "nbf": NOW, "exp": NOW + 60, "client_id": "c", "scope": "openid",
            "max_age": 60, "claims": { "userinfo": { "name": null } },
        });
        let fields = read(&claims, true).unwrap();
        assert_eq!(fields.get("max_age"), Some("60"));
        assert_eq!(fields.get("claims"), Some("{\"userinfo\":{\"name\":null}}"));
        assert_eq!((fields.get("client_id"), fields.get("exp")), (Some("c"), None));
    }

    #[test]
    fn faults_are_refused() {
        for claims in [
            json!({ "iss": "d" }),
            json!({ "aud": "https://other.example" }),
            json!({ "exp": NOW - 60 }),
            json!({ "nbf": NOW + 60 }),
            json!({ "request": "x" }),
            json!({ "request_uri": "x" }),
            json!({ "client_id": "d" }),
            json!({ "sub": "c" }),
            json!({ "scope": ["openid"] }),
            json!({ "state": null }),
            json!({ "state": "a\0b" }),
            json!({ "claims": { "userinfo": { "\u{FFFD}": null } } }),
        ] {
            assert_eq!(read(&claims, false), Err("invalid_request_object"), "{claims}");
        }
        assert!(read(&json!({ "scope": "openid" }), false).is_ok());
        assert!(read(&json!({ "scope": "openid" }), true).is_err());
    }

    #[test]
    fn a_strict_object_is_of_this_hour() {
        let with = |nbf: Value, exp: Value| {
            let claims = json!({ "iss": "c", "aud": "https://op.example", "nbf": nbf, "exp": exp });
            let mut claims = claims.as_object().unwrap().clone();
            claims.retain(|_, value| !value.is_null());
            (read(&Value::Object(claims.clone()), true).is_ok(), read(&Value::Object(claims), false).is_ok())
        };
        for (nbf, exp, strict) in [
            (json!(NOW), json!(NOW + 3_600), true),
            (json!(NOW - 3_600), json!(NOW - 1), true),
            (json!(NOW + 8), json!(NOW + 60), true),
            (json!(null), json!(NOW + 60), false),
            (json!(NOW), json!(NOW + 3_601), false),
            (json!(NOW - 3_601), json!(NOW - 1), false),
            (json!(NOW), json!(null), false),
        ] {
            assert_eq!(with(nbf.clone(), exp.clone()), (strict, true), "{nbf} {exp}");
        }
        assert_eq!(with(json!("now"), json!(NOW + 60)), (false, false));
    }
}
