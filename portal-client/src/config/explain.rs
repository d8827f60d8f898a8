//! What every key of the configuration means, and the example file that is made of it.

use platform::config::Secret;

use super::{Config, Organisation};

/// The example configuration: every key with its explanation and default.
///
/// # Errors
/// A key that has no explanation.
pub fn example() -> Result<String, String> {
    let body = platform::config::example(&documented(), explain)?;
    Ok(format!(
        "# Every key of the portal's configuration, with its default.\n\
         # Written by: portal-client config example\n\n{body}"
    ))
}

/// As [`example`], for programs.
pub fn example_json() -> Result<serde_json::Value, String> {
    platform::config::example_json(&documented(), explain)
}

/// Every key with a value.
fn documented() -> Config {
    let mut config = Config::default();
    config.organisations.push(Organisation {
        id: "zonnehof".into(),
        name: "Zorggroep Zonnehof".into(),
        contact_nl: "Mail of bel uw contactpersoon op de locatie.".into(),
        contact_en: "Mail or call your contact at the location.".into(),
        mention_nl: "Noem de naam van de cliënt en de locatie.".into(),
        mention_en: "Mention the client's name and the location.".into(),
        duration_nl: "Meestal hoort u binnen drie werkdagen iets.".into(),
        duration_en: "You will usually hear from us within three working days.".into(),
    });
    config.metrics_listen = Some("127.0.0.1:9091".into());
    config.oidc.client_secret = Secret::Env { env: "PORTAL_CLIENT_SECRET".into() };
    config.brand.logo = Some("logo.svg".into());
    config
}

fn explain(key: &str) -> Option<&'static str> {
    Some(match key {
        "origin" => {
            "The address of the portal as browsers see it: scheme, host, port. Plain http only on loopback.\n\
             Register at the identity provider: ORIGIN/callback (redirect_uris), ORIGIN/signed-out\n\
             (post_logout_redirect_uris) and ORIGIN/backchannel-logout (backchannel_logout_uri)."
        }
        "listen" => "Where the portal listens: address and port. TLS is the business of the proxy in front.",
        "metrics_listen" => "Where /metrics is served; nowhere unless set.",
        "database" => {
            "sqlite:FILE or postgres://HOST/NAME. With a password in it: { file = \"...\" } or { env = \"...\" }."
        }
        "ephemeral" => {
            "Where values with an expiry live: \"database\", or redis://HOST/NUMBER (rediss:// for TLS) shared by all nodes.\n\
             With a password in it: { file = \"...\" } or { env = \"...\" }."
        }
        "default_language" => "The language for browsers that ask for none of ours: \"nl\" or \"en\".",
        "brand_folder" => "A folder with templates that replace the built-in ones of the same name.",
        "trusted_proxies" => {
            "Networks of the proxies in front, such as \"10.0.0.0/8\"; only they are believed in X-Forwarded-For and Forwarded."
        }
        "demo" => "Show the built-in dossiers of people who do not exist. Never together with real dossiers.",
        "secrets" => "Secrets; each stands outside this file, as { file = \"...\" } or { env = \"...\" }.",
        "secrets.root" => {
            "The secret from which the keys for sealing and matching are made; 32 characters or more.\n\
             Keep it: without it, requests for access in the database cannot be read.\n\
             Make one with: openssl rand -base64 32"
        }
        "oidc" => "The identity provider and what this portal is called there.",
        "oidc.issuer" => "The issuer, exactly as it stands in the provider's discovery document.",
        "oidc.client_id" => "The client_id this portal has at the provider.",
        "oidc.client_secret" => "The client_secret that goes with it (client_secret_basic).",
        "secrets.root.env" | "oidc.client_secret.env" => "The environment variable that holds it.",
        "oidc.team_acr" => {
            "The `acr` values with which staff get to the team's pages, the weakest first: what the provider's [acr] calls\n\
             `code`, and what is stronger. The first one is asked for."
        }
        "oidc.extra_ca" => {
            "A PEM file with certificates to trust besides the system's, for the provider's TLS."
        }
        "session" => "How long somebody stays signed in.",
        "session.idle_minutes" => "Minutes without activity after which the session ends (1440 at most).",
        "session.warn_seconds" => "How long before that end the page warns; at least 60.",
        "session.absolute_hours" => "Hours after which a session ends whatever happens (720 at most).",
        "session.keep_provider_session" => {
            "Whether the provider's session stays while somebody is active here: by refreshing a token of the scope\n\
             offline_access, which the client needs. At a provider of ours the portal's policy has refresh_is_activity."
        }
        "limits" => "How often something may be tried.",
        "limits.posts_per_minute" => "Forms sent a minute per address and per process; 0 lifts the limit.",
        "limits.sign_ins_per_minute" => {
            "Sign-ins started a minute per address and per process; 0 lifts the limit."
        }
        "limits.requests_per_account" => "Requests for access per account and day, over all nodes.",
        "limits.requests_per_address" => "Requests for access per address and day, over all nodes.",
        "limits.activations_per_account" => "Activation codes tried per account and day, over all nodes.",
        "limits.open_per_address" => {
            "Sign-ins under way from one network address, over all nodes, each for two hours at most."
        }
        "limits.open_in_all" => "The same from all addresses together; each takes 4 kB at most.",
        "limits.code_days" => "Days that an activation code is valid (365 at most).",
        "limits.code_attempts" => "Wrong attempts after which an activation code is void.",
        "retention" => "For how long what people did is kept. Zero keeps it for ever.",
        "retention.audit_days" => "Days after which a row is removed that says who did what to a link.",
        "retention.access_log_days" => {
            "Days after which a row is removed that says who looked where; 1825 (five years) or more."
        }
        "log" => "The request log, on standard output.",
        "log.json" => "JSON lines; false gives plain lines for a person who watches.",
        "log.level" => "error, warn, info, debug or trace.",
        "dev" => "For development only; refused unless origin and listen are loopback.",
        "dev.clock" => {
            "Open POST /dev/clock/advance (form field seconds), which moves the portal's clock forward."
        }
        "dev.literal_secrets" => "Allow secrets in this file itself.",
        "brand" => "The look of the portal.",
        "brand.name" => "The name at the top of every page.",
        "brand.logo" => {
            "A logo beside that name: an SVG or PNG file of at most 200 KB, relative to this file. Unset: a drawn door."
        }
        "brand.color" => "#rrggbb of buttons and links; white text must be readable on it.",
        "brand.helpdesk" => "Whom people can ask, shown where they may get stuck. Empty lines are left out.",
        "brand.helpdesk.text_nl" => "A sentence about the helpdesk, in Dutch.",
        "brand.helpdesk.phone" => "Telephone number.",
        "brand.helpdesk.hours_nl" => "Opening hours, in Dutch.",
        "brand.helpdesk.email" => "Mail address.",
        "organisations" => {
            "The care organisations whose dossiers can be asked for, one section each. Their own texts\n\
             stand on the page that follows a request for access."
        }
        "organisations.id" => {
            "Lower-case letters, digits, dashes; what the provider calls care_organisation."
        }
        "organisations.name" => "The name people know.",
        "organisations.contact_nl" => "After a request: whom to write or call, in Dutch.",
        "organisations.mention_nl" => "After a request: what to mention, in Dutch.",
        "organisations.duration_nl" => "After a request: how long it usually takes, in Dutch.",
        "brand.helpdesk.text_en"
        | "brand.helpdesk.hours_en"
        | "organisations.contact_en"
        | "organisations.mention_en"
        | "organisations.duration_en" => "The same in English.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn the_example_file_is_what_the_program_writes() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/portal.example.toml");
        let written = std::fs::read_to_string(file).unwrap_or_default();
        let hint = "run: cargo run -p portal-client -- config example > deploy/portal.example.toml";
        assert_eq!(written, example().unwrap(), "{hint}");
    }

    #[test]
    fn the_example_with_its_comments_taken_off_is_a_configuration() {
        let bare: String = example()
            .unwrap()
            .lines()
            .filter_map(|line| line.strip_prefix('#'))
            .filter(|line| !line.starts_with(' '))
            .fold(String::new(), |text, line| text + line + "\n");
        let config: Config = platform::config::parse(Path::new("portal.toml"), &bare).unwrap();
        assert_eq!(config.organisations.len(), 1);
    }
}
