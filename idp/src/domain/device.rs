//! Devices an account knows, and how a browser is described to its owner.

use std::time::Duration;

use platform::clock::Timestamp;

/// A browser that an account has signed in from with a code.
#[derive(Clone, Debug)]
pub struct Device {
    pub id: String,
    pub label: String,
    pub last_used_at: Timestamp,
    /// When the code was given that it is trusted for.
    pub code_at: Option<Timestamp>,
    pub trusted_until: Timestamp,
}

impl Device {
    /// Whether it still makes a code unnecessary, at the portal where the code was given.
    pub fn is_trusted(&self, now: Timestamp) -> bool {
        now < self.trusted_until
    }

    /// Whether it does so at a portal that takes codes which are no older than `takes`.
    pub fn is_trusted_for(&self, takes: Duration, now: Timestamp) -> bool {
        self.is_trusted(now) && self.code_at.is_none_or(|at| now < at.plus(takes))
    }
}

/// Describes a browser from its `User-Agent`, roughly: enough for its owner to recognise it, too little
/// to single it out.
pub fn label(user_agent: &str) -> String {
    let find = |names: &[(&'static str, &'static str)]| {
        names.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name)
    };
    let browser = find(&[
        ("Edg", "Edge"),
        ("OPR", "Opera"),
        ("SamsungBrowser", "Samsung Internet"),
        ("Firefox", "Firefox"),
        ("FxiOS", "Firefox"),
        ("Chrome", "Chrome"),
        ("CriOS", "Chrome"),
        ("Safari", "Safari"),
    ]);
    let system = find(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS X", "Mac"),
        ("CrOS", "Chromebook"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser}, {system}"),
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => "Browser".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn browsers_get_a_name_their_owner_knows() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0 Safari/537.36 Edg/130.0";
        assert_eq!(label(edge), "Edge, Windows");
        assert_eq!(
            label("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1"),
            "Safari, iPhone"
        );
        assert_eq!(label("<script>"), "Browser");
    }
}
