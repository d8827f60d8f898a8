//! What is wrong with what was filled in: which field, and the text that says what to do about it. One list feeds the summary
//! above a form, the line at each field and the title of the page (`ui.error_summary`, `ui.field` and their sisters in
//! `templates/components.html`), so that none of the three can be forgotten.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// The fields that are wrong, in the order of the page. What serialises is nothing, or `list`, `of` (the text key by field)
/// and `values` (for the texts).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldErrors {
    list: Vec<FieldError>,
    values: BTreeMap<&'static str, String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct FieldError {
    /// The id of the field, and its name; empty for what is wrong with the form as a whole.
    field: &'static str,
    /// A text key.
    key: &'static str,
}

impl FieldErrors {
    /// One error. An empty `field` is the form as a whole.
    pub fn of(field: &'static str, key: &'static str) -> Self {
        Self::default().and(field, Some(key))
    }

    /// The same with an error of one more field, if there is one.
    #[must_use]
    pub fn and(mut self, field: &'static str, key: Option<&'static str>) -> Self {
        self.list.extend(key.map(|key| FieldError { field, key }));
        self
    }

    /// The same with a value that its texts name.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.values.insert(name, value.to_string());
        self
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The text key of a field's error.
    pub fn key(&self, field: &str) -> Option<&'static str> {
        self.list.iter().find(|error| error.field == field).map(|error| error.key)
    }

    /// A page with an error is not a success.
    pub fn status(&self) -> StatusCode {
        if self.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY }
    }
}

impl Serialize for FieldErrors {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_empty() {
            return serializer.serialize_none();
        }
        let of: BTreeMap<&str, &str> = self.list.iter().map(|error| (error.field, error.key)).collect();
        let mut errors = serializer.serialize_struct("FieldErrors", 3)?;
        errors.serialize_field("list", &self.list)?;
        errors.serialize_field("of", &of)?;
        errors.serialize_field("values", &self.values)?;
        errors.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_keeps_its_order_and_nothing_wrong_is_nothing() {
        let errors =
            FieldErrors::of("email", "email-invalid").and("phone", None).and("code", Some("code-empty"));
        let errors = errors.with("digits", &6);
        assert_eq!((errors.key("email"), errors.key("phone")), (Some("email-invalid"), None));
        assert_eq!(errors.status(), StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(
            serde_json::json!(errors),
            serde_json::json!({
                "list": [{ "field": "email", "key": "email-invalid" }, { "field": "code", "key": "code-empty" }],
                "of": { "email": "email-invalid", "code": "code-empty" },
                "values": { "digits": "6" },
            })
        );
        assert_eq!(serde_json::json!(FieldErrors::default()), serde_json::Value::Null);
        assert_eq!(FieldErrors::default().status(), StatusCode::OK);
    }
}
