//! The warning on a page of a session that is about to end.

use serde::Serialize;

use crate::ending::Ending;
use crate::kept;
use crate::local_path::local_path;
use crate::request::RequestContext;

/// What the warning on a page knows.
#[derive(Serialize)]
pub(crate) struct Warning {
    #[serde(flatten)]
    ending: Ending,
    /// For a text: the minutes that are left, the last one whole.
    minutes: u64,
    /// The page it stands on, to come back to.
    here: String,
    ended_url: String,
    /// Where a form is sent that stands half filled in on the page when it is over.
    keep_url: String,
}

impl Warning {
    pub(crate) fn new(cx: &RequestContext, ending: Ending) -> Self {
        let here = cx.uri.path_and_query().and_then(|here| local_path(here.as_str())).unwrap_or("/");
        let query =
            url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", here).finish();
        // A slash may stand in a query as it is (RFC 3986 section 3.4).
        let query = query.replace("%2F", "/");
        let joint = if ending.after.contains('?') { '&' } else { '?' };
        Self {
            ending,
            minutes: ending.ends_in.div_ceil(60),
            here: here.to_owned(),
            ended_url: format!("{}{joint}{query}", ending.after),
            keep_url: kept::url(cx, &[("away", "1")]),
        }
    }
}
