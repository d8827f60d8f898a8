//! What the rules for accounts and the policies of portals may not say, alone or together.

use platform::config::ConfigError;
use url::Url;

use super::{Assurance, Config, Factor, Identifier, Portal, Recovery, Terms, When};

/// The rules of one population of accounts have to fit each other.
pub(super) fn accounts(config: &Config) -> Result<(), ConfigError> {
    let is_address = |text: &String| text.contains('@') && !text.contains(char::is_whitespace);
    if let Some(wrong) = config.desk.self_registered.iter().find(|named| !is_address(named)) {
        let advice = "write the e-mail address of a member of staff, such as \"carla@example.nl\"";
        return config.refuse("desk.self_registered", wrong, advice);
    }
    for organisation in &config.desk.organisation {
        let is_name = (1..=60).contains(&organisation.name.trim().chars().count());
        if organisation.id.is_empty() || !is_name || organisation.name.chars().any(char::is_control) {
            let advice = "write the id that accounts have, and a name of 1 to 60 characters";
            return config.refuse("desk.organisation", format!("{organisation:?}"), advice);
        }
        if config.desk.organisation.iter().filter(|other| other.id == organisation.id).count() > 1 {
            return config.refuse("desk.organisation.id", &organisation.id, "write each of them once");
        }
    }
    let rules = &config.accounts;
    if rules.registration && rules.identifier == Identifier::Username {
        let advice =
            "people who register choose no user name; write false, or accounts.identifier = \"email\"";
        return config.refuse("accounts.registration", rules.registration, advice);
    }
    if rules.recovery == Recovery::UsernameAndEmail && rules.identifier == Identifier::Email {
        let advice = "people who sign in with their address know no user name; write \"email\"";
        return config.refuse("accounts.recovery", "username_and_email", advice);
    }
    config.between("accounts.temporary_password_hours", rules.temporary_password_hours, 1, 336)
}

/// The policy of each portal has to fit itself and the provider.
pub(super) fn portals(config: &Config) -> Result<(), ConfigError> {
    for portal in &config.portals {
        second_factor(config, portal)?;
        remembering(config, portal)?;
        code(config, portal)?;
        times(config, portal)?;
        if let Some(terms) = &portal.policy.terms {
            self::terms(config, portal, terms)?;
        }
        look(config, portal)?;
    }
    Ok(())
}

/// The key as an operator finds it: which of the portals is meant.
fn key(portal: &Portal, name: &str) -> String {
    format!("portal.{name} of {}", portal.id)
}

fn remembering(config: &Config, portal: &Portal) -> Result<(), ConfigError> {
    let Some(days) = portal.policy.remember_days else { return Ok(()) };
    let key = key(portal, "policy.remember_days");
    if portal.policy.second_factor.when != When::NewDevice {
        let advice =
            "no device is remembered here; leave this out, or write policy.second_factor = \"new_device\"";
        return config.refuse(&key, days, advice);
    }
    config.between(&key, days, 1, 400)
}

fn second_factor(config: &Config, portal: &Portal) -> Result<(), ConfigError> {
    let rules = &portal.policy.second_factor;
    let methods = &rules.methods;
    let named = |name: &str| key(portal, &format!("policy.second_factor.{name}"));
    if methods.is_empty() || (1..methods.len()).any(|at| methods[..at].contains(&methods[at])) {
        let advice = "write each kind that is taken once: \"passkey\", \"totp\", \"sms\"";
        return config.refuse(&named("methods"), format!("{methods:?}"), advice);
    }
    if methods.as_slice() == [Factor::Passkey] && !config.has_passkeys() {
        let advice =
            "browsers bind passkeys to a name: write an issuer with one, or another method beside it";
        return config.refuse(&named("methods"), format!("{methods:?}"), advice);
    }
    let levels = &rules.levels;
    let limits = [
        ("levels.sms", levels.sms, Assurance::Code, "code"),
        ("levels.totp", levels.totp, Assurance::Code, "code"),
        ("levels.synced_passkey", levels.synced_passkey, Assurance::Strong, "strong"),
        ("levels.passkey", levels.passkey, Assurance::Hardware, "hardware"),
    ];
    for (name, level, most, word) in limits {
        // A second factor is more than a known device.
        if level > most || level < Assurance::Code {
            let advice = format!("write a rung from \"code\" to \"{word}\": more is not proved by it");
            return config.refuse(&named(name), format!("{level:?}"), &advice);
        }
    }
    Ok(())
}

fn code(config: &Config, portal: &Portal) -> Result<(), ConfigError> {
    let policy = &portal.policy;
    let prefix = policy.code_prefix_digits;
    let key_of_prefix = key(portal, "policy.code_prefix_digits");
    let sends_none =
        policy.second_factor.when == When::Never || !policy.second_factor.methods.contains(&Factor::Sms);
    if sends_none && (policy.code_on_request || prefix > 0) {
        let (name, value) = match prefix {
            0 => ("policy.code_on_request", "true".to_owned()),
            digits => ("policy.code_prefix_digits", digits.to_string()),
        };
        let advice =
            "this portal asks for no code by SMS; leave this out, or write another policy.second_factor";
        return config.refuse(&key(portal, name), value, advice);
    }
    if prefix != 0 && !(2..=6).contains(&prefix) {
        return config.refuse(&key_of_prefix, prefix, "write 0 for none, or a number from 2 to 6");
    }
    Ok(())
}

/// A portal may be stricter than the provider's own session, not more lenient.
fn times(config: &Config, portal: &Portal) -> Result<(), ConfigError> {
    let (policy, sessions) = (&portal.policy, &config.sessions);
    if let Some(minutes) = policy.idle_minutes {
        config.between(&key(portal, "policy.idle_minutes"), minutes, 1, sessions.idle_minutes)?;
    }
    if let Some(hours) = policy.absolute_hours {
        config.between(&key(portal, "policy.absolute_hours"), hours, 1, sessions.absolute_hours)?;
    }
    if policy.idle(sessions) > policy.absolute(sessions) {
        let minutes = policy.idle(sessions).as_secs() / 60;
        let advice = "nobody can be idle for longer than a session lasts; write fewer minutes";
        return config.refuse(&key(portal, "policy.idle_minutes"), minutes, advice);
    }
    Ok(())
}

fn terms(config: &Config, portal: &Portal, terms: &Terms) -> Result<(), ConfigError> {
    let is_word =
        (1..=40).contains(&terms.version.chars().count()) && !terms.version.contains(char::is_control);
    if !is_word {
        let advice = "write a version of 1 to 40 characters, such as \"2027-01\"";
        return config.refuse(&key(portal, "policy.terms.version"), &terms.version, advice);
    }
    if terms.text_nl.trim().is_empty() {
        let advice = "write what people agree to, in Dutch";
        return config.refuse(&key(portal, "policy.terms.text_nl"), "\"\"", advice);
    }
    match &terms.url {
        Some(url) if !Url::parse(url).is_ok_and(|url| url.scheme() == "https") => {
            config.refuse(&key(portal, "policy.terms.url"), url, "write an https address, or leave it out")
        }
        _ => Ok(()),
    }
}

fn look(config: &Config, portal: &Portal) -> Result<(), ConfigError> {
    portal.brand.check(&config.path, |name| key(portal, &format!("brand.{name}")))?;
    let languages = &portal.languages;
    if (1..languages.len()).any(|at| languages[..at].contains(&languages[at])) {
        let advice = "a language stands there twice; write each once";
        return config.refuse(&key(portal, "languages"), format!("{languages:?}"), advice);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn error(text: &str) -> String {
        let text = format!("dev.outbox = true\n{text}");
        Config::parse(Path::new("idp.toml"), &text).unwrap_err().to_string()
    }

    fn of_portal(text: &str) -> String {
        error(&format!("[[portal]]\nid = 'p'\nurl = 'https://p.example'\n{text}"))
    }

    #[test]
    fn rules_that_contradict_each_other_are_refused_with_what_to_write_instead() {
        let cases = [
            ("accounts.registration = true", error("accounts.identifier = 'username'\n")),
            ("accounts.recovery = username_and_email", error("accounts.recovery = 'username_and_email'\n")),
            ("accounts.temporary_password_hours = 0", error("accounts.temporary_password_hours = 0\n")),
            (
                "portal.policy.remember_days of p = 30",
                of_portal("policy.remember_days = 30\npolicy.second_factor = 'always'\n"),
            ),
            (
                "portal.policy.code_prefix_digits of p = 4",
                of_portal("policy.code_prefix_digits = 4\npolicy.second_factor = 'never'\n"),
            ),
            (
                "portal.policy.code_on_request of p = true",
                of_portal("policy.code_on_request = true\npolicy.second_factor = 'never'\n"),
            ),
            ("portal.policy.code_prefix_digits of p = 1", of_portal("policy.code_prefix_digits = 1\n")),
            (
                "portal.policy.code_on_request of p = true",
                of_portal("policy.code_on_request = true\npolicy.second_factor.methods = ['totp']\n"),
            ),
            (
                "portal.policy.second_factor.methods of p = [Passkey]",
                error(
                    "issuer = 'http://127.0.0.1:8080'\n[[portal]]\nid = 'p'\nurl = 'https://p.example'\n\
                     policy.second_factor.methods = ['passkey']\n",
                ),
            ),
            (
                "portal.policy.second_factor.methods of p = []",
                of_portal("policy.second_factor.methods = []\n"),
            ),
            (
                "portal.policy.second_factor.methods of p = [Sms, Sms]",
                of_portal("policy.second_factor.methods = ['sms', 'sms']\n"),
            ),
            (
                "portal.policy.second_factor.levels.sms of p = Strong",
                of_portal("policy.second_factor.levels.sms = 'strong'\n"),
            ),
            (
                "portal.policy.second_factor.levels.totp of p = Hardware",
                of_portal("policy.second_factor.levels.totp = 'hardware'\n"),
            ),
            (
                "portal.policy.second_factor.levels.synced_passkey of p = Hardware",
                of_portal("policy.second_factor.levels.synced_passkey = 'hardware'\n"),
            ),
            (
                "portal.policy.second_factor.levels.passkey of p = KnownDevice",
                of_portal("policy.second_factor.levels.passkey = 'known_device'\n"),
            ),
            ("portal.policy.idle_minutes of p = 61", of_portal("policy.idle_minutes = 61\n")),
            ("portal.policy.absolute_hours of p = 13", of_portal("policy.absolute_hours = 13\n")),
            ("portal.policy.terms.version of p", of_portal("policy.terms.text_nl = 'Regels.'\n")),
            ("portal.policy.terms.text_nl of p", of_portal("policy.terms.version = '1'\n")),
            (
                "portal.policy.terms.url of p = ftp://p.example/",
                of_portal(
                    "policy.terms = { version = '1', text_nl = 'Regels.', url = 'ftp://p.example/' }\n",
                ),
            ),
            ("portal.brand.name of p = : ", of_portal("brand.name = ''\n")),
            ("portal.languages of p = [Nl, Nl]", of_portal("languages = ['nl', 'nl']\n")),
            ("portal.brand.color of p = green", of_portal("brand.color = 'green'\n")),
            ("portal.brand.color of p = #ffcc00", of_portal("brand.color = '#ffcc00'\n")),
        ];
        for (start, error) in cases {
            assert!(error.starts_with(&format!("idp.toml: {start}")) && error.contains("write"), "{error}");
        }
        let long = error(
            "sessions = { idle_minutes = 90, absolute_hours = 1 }\n[[portal]]\nid = 'p'\nurl = 'https://p.example'\n",
        );
        assert!(long.contains("portal.policy.idle_minutes of p = 90"), "{long}");
    }
}
