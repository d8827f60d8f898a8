//! The browser that a request comes from, in words.

use platform::request::RequestContext;

use crate::domain::device;

/// Describes it so that its owner recognises it (see [`device::label`]).
pub fn label(cx: &RequestContext) -> String {
    device::label(cx.headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default())
}
