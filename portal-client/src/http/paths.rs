//! The portal's URLs, for redirects and tests. Patterns with `{...}` are filled in by the functions below.

use platform::local_path::local_path;

use super::names;

pub const HOME: &str = "/";
pub const LOGIN: &str = "/login";
pub const CALLBACK: &str = "/callback";
pub const LOGOUT: &str = "/logout";
/// Finds out whether a browser keeps cookies.
pub const COOKIES: &str = "/cookies";
pub const SIGNED_OUT: &str = "/signed-out";
/// The same after a session that ended by itself.
pub const SIGNED_OUT_IDLE: &str = "/signed-out?why=idle";
pub const BACKCHANNEL_LOGOUT: &str = "/backchannel-logout";
pub const SESSION: &str = "/session";
pub const SESSION_EXTEND: &str = "/session/extend";
pub const REQUEST: &str = "/request";
pub const REQUEST_OVERVIEW: &str = "/request/overview";
pub const REQUESTED: &str = "/requests/{link}";
pub const REQUESTED_SENT: &str = "/requests/{link}/sent";
pub const REQUESTED_ACTIVATE: &str = "/requests/{link}/activate";
pub const REQUESTED_WITHDRAW: &str = "/requests/{link}/withdraw";
pub const DOSSIER: &str = "/dossiers/{dossier}";
pub const SECTION: &str = "/dossiers/{dossier}/{section}";
pub const TEAM: &str = "/team";
pub const TEAM_LINK: &str = "/team/links/{link}";
pub const TEAM_ACT: &str = "/team/links/{link}/{act}";
pub const HEALTHZ: &str = "/healthz";
pub const READYZ: &str = "/readyz";
pub const METRICS: &str = "/metrics";
pub const ASSET: &str = "/assets/{*path}";
pub const DEV_CLOCK: &str = "/dev/clock/advance";

/// The page of a person's own request.
pub fn requested(link: &str) -> String {
    REQUESTED.replace("{link}", link)
}

/// What happens next, after a request.
pub fn requested_sent(link: &str) -> String {
    REQUESTED_SENT.replace("{link}", link)
}

/// A section of a dossier.
pub fn section(dossier: &str, section: &str) -> String {
    SECTION.replace("{dossier}", dossier).replace("{section}", section)
}

/// A link at the care team's desk.
pub fn team_link(link: &str) -> String {
    TEAM_LINK.replace("{link}", link)
}

/// A URL of this portal that starts a sign-in and returns to `return_to`.
pub fn login(return_to: &str) -> String {
    with_return(LOGIN, return_to)
}

/// The signed-out page, whose button returns to `return_to`; `why` is a word it explains.
pub fn signed_out(why: &str, return_to: &str) -> String {
    format!("{}&{}={why}", with_return(SIGNED_OUT, return_to), names::WHY)
}

/// The page on which the form of an address stands that answers to forms alone; any other address is its own. The other
/// language, and a sign-in that comes back, lead there.
pub fn page_of(path_and_query: &str) -> &str {
    let path = path_and_query.split('?').next().unwrap_or_default();
    let parent = || path.rsplit_once('/').map_or(HOME, |(parent, _)| parent);
    let parts: Vec<&str> = path.split('/').skip(1).collect();
    match parts.as_slice() {
        ["requests", _, "activate" | "withdraw"] | ["team", "links", _, _] => parent(),
        ["session", "extend"] | ["kept"] => HOME,
        ["request", "overview"] => REQUEST,
        _ => path_and_query,
    }
}

fn with_return(path: &str, return_to: &str) -> String {
    let query = url::form_urlencoded::Serializer::new(String::new())
        .append_pair(names::RETURN_TO, return_to)
        .finish();
    format!("{path}?{query}")
}

/// Whether a text from a URL can be an identifier of a link or a dossier. Nothing else goes into a `Location` or a
/// query: a header holds no control characters, and PostgreSQL no NUL.
pub fn is_identifier(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
}

/// A path on this portal to return to; anything else becomes the landing page.
pub fn local(path: &str) -> &str {
    local_path(path).unwrap_or(HOME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_stands_on_a_page() {
        for (target, page) in [
            ("/requests/x/activate", "/requests/x"),
            ("/requests/x/withdraw", "/requests/x"),
            ("/team/links/x/code?page=2", "/team/links/x"),
            ("/request/overview", "/request"),
            ("/session/extend", "/"),
            ("/dossiers/d/reports?page=2", "/dossiers/d/reports?page=2"),
            ("/requests/x/sent", "/requests/x/sent"),
        ] {
            assert_eq!(page_of(target), page);
        }
    }

    #[test]
    fn only_paths_of_this_portal_are_returned_to() {
        assert_eq!(local("/dossiers/d/home?lang=nl"), "/dossiers/d/home?lang=nl");
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil",
            "evil",
            "/é",
            "/a\nb",
        ] {
            assert_eq!(local(path), HOME, "{path:?}");
        }
        assert_eq!(local("/%2F/evil"), "/%2F/evil", "stays on this host");
    }
}
