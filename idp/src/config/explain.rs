//! The generated example, and what each key means in it. A key without a line here fails a test.

use std::net::SocketAddr;

use platform::config::Secret;
use platform::look::Brand;

use super::{
    Client, Config, Desk, Mail, Organisation, Outbound, Portal, Profile, SignInPolicy, SigningAlgorithm, Sms,
    SmsGateway, Terms, sms,
};

impl Config {
    /// The example file: every key with its explanation and default.
    ///
    /// # Errors
    /// The first key without an explanation.
    pub fn example() -> Result<String, String> {
        platform::config::example(&Self::documented(), explain)
    }

    /// As [`Config::example`], for programs.
    pub fn example_json() -> Result<serde_json::Value, String> {
        platform::config::example_json(&Self::documented(), explain)
    }

    fn documented() -> Self {
        // Keys that have no default get a value to show.
        let secret = |file: &str| Some(Secret::File { file: file.into() });
        let client = Client {
            client_secret: secret("portal-client.secret"),
            backchannel_logout_uri: Some("https://portal.example.nl/backchannel-logout".into()),
            initiate_login_uri: Some("https://portal.example.nl/login".into()),
            client_uri: Some("https://portal.example.nl".into()),
            policy_uri: Some("https://portal.example.nl/privacy".into()),
            tos_uri: Some("https://portal.example.nl/terms".into()),
            profile: Some(Profile::Fapi2),
            token_endpoint_auth_signing_alg: Some(SigningAlgorithm::Es256),
            jwks: Some(jsonwebtoken::jwk::JwkSet { keys: Vec::new() }),
            jwks_uri: Some("https://portal.example.nl/jwks".into()),
            serves: Some("https://api.example.nl".into()),
            sector_identifier_uri: Some("https://portal.example.nl/redirect-uris".into()),
            id_token_signed_response_alg: Some(SigningAlgorithm::Rs256),
            userinfo_signed_response_alg: Some(SigningAlgorithm::Rs256),
            request_object_signing_alg: Some(SigningAlgorithm::Rs256),
            access_token_seconds: Some(300),
            refresh_token_days: Some(30),
            default_max_age: Some(3_600),
            ..Client::default()
        };
        let policy = SignInPolicy {
            remember_days: Some(30),
            idle_minutes: Some(15),
            absolute_hours: Some(12),
            terms: Some(Terms { url: Some("https://portal.example.nl/terms".into()), ..Terms::default() }),
            ..SignInPolicy::default()
        };
        let brand = Brand { logo: Some("logo.svg".into()), ..Brand::default() };
        Self {
            metrics_listen: Some(SocketAddr::from(([127, 0, 0, 1], 9_090))),
            brand_folder: Some("brand".into()),
            mail: Mail {
                username: Some("voordeur".into()),
                password: secret("mail.password"),
                ca_file: Some("mail-ca.pem".into()),
                ..Mail::default()
            },
            sms: Sms { gateways: vec![SmsGateway::sample()], ..Sms::default() },
            desk: Desk {
                organisation: vec![Organisation { id: "zonnehof".into(), name: "Zorggroep Zonnehof".into() }],
                ..Desk::default()
            },
            outbound: Outbound { ca_file: Some("portals-ca.pem".into()) },
            portals: vec![Portal { clients: vec![client], policy, brand, ..Portal::default() }],
            ..Self::default()
        }
    }
}

/// The explanation of a dotted key.
pub(crate) fn explain(key: &str) -> Option<&'static str> {
    EXPLANATIONS.iter().chain(sms::EXPLANATIONS).find(|(known, _)| *known == key).map(|(_, text)| *text)
}

const EXPLANATIONS: &[(&str, &str)] = &[
    (
        "issuer",
        "The address people and portals reach this server at; it stands in every token and link.\nAn https origin without a path. Plain http is accepted on loopback only.",
    ),
    ("listen", "Where this server listens; a proxy in front of it ends TLS."),
    ("metrics_listen", "Where /metrics is served, on a port of its own; nowhere unless set."),
    (
        "database",
        "sqlite:FILE (relative to this file) or postgres://USER@HOST/DATABASE.\nWith a password in it: { file = \"...\" } or { env = \"...\" }.",
    ),
    (
        "ephemeral",
        "Where journeys, codes and counters are kept: \"database\", redis://HOST:PORT, or rediss://HOST:PORT (TLS).\nWith a password in it: { file = \"...\" } or { env = \"...\" }.",
    ),
    ("default_language", "The language for people whose browser asks for neither: \"nl\" or \"en\"."),
    (
        "brand_folder",
        "A folder whose templates replace those of the same name in the binary; relative to this file.",
    ),
    ("trusted_proxies", "Networks of the proxies in front; only they may say whom they forward for."),
    (
        "secrets",
        "Secrets stand outside this file: { file = \"...\" } (relative to this file) or { env = \"...\" }.",
    ),
    (
        "secrets.root",
        "The root key, from which the keys that seal and hash are derived. Make one with:\nopenssl rand -base64 32 > root.key. Keep a copy: without it the sealed data cannot be read.",
    ),
    ("secrets.root.file", "The file that holds the root key."),
    ("accounts", "How accounts start and are recovered."),
    ("accounts.registration", "Whether people may make an account themselves."),
    ("accounts.identifier", "What people sign in with: \"email\" or \"username\"."),
    (
        "accounts.first_password",
        "How somebody for whom a care team makes an account comes by a password. \"temporary\": a mail brings user name\nand a temporary password, to be replaced at the first sign-in. \"chosen\": through 'Wachtwoord opvragen'.",
    ),
    (
        "accounts.temporary_password_hours",
        "How long a temporary password works, in hours (1 to 336); it works once.",
    ),
    (
        "accounts.recovery",
        "What somebody who forgot the password fills in for a mail: \"email\" or \"username_and_email\".",
    ),
    ("accounts.confirm_hours", "How long a confirmation link works, in hours (1 to 168)."),
    ("accounts.reset_minutes", "How long a link to choose a new password works, in minutes (5 to 1440)."),
    ("desk", "What the care team's desk sees besides the accounts that its own organisation made."),
    (
        "desk.self_registered",
        "E-mail addresses of staff who also see, and can help, people who registered themselves: they belong to no\norganisation, so nobody sees them unless named here. Whoever is named can change their phone numbers and addresses.",
    ),
    ("desk.organisation", "What an organisation is called at its desk."),
    ("desk.organisation.id", "As accounts have it."),
    ("desk.organisation.name", "As people call it."),
    ("password", "Which passwords are accepted, and what hashing one costs."),
    ("password.min_length", "The least number of characters (8 to 64); the most is 128."),
    ("password.min_strength", "The least strength, from 0 (none asked) to 4 (very strong); see zxcvbn."),
    ("password.require_classes", "Whether upper case, lower case and a non-letter are demanded."),
    ("password.argon2_memory_kib", "Memory for hashing one password, in KiB (19456 or more)."),
    ("password.argon2_iterations", "Passes over that memory (2 or more)."),
    ("password.workers", "Threads that hash (at most 256); 0 means one for each core."),
    ("password.queue", "Sign-ins that may wait for a thread; one more is asked to come back (503)."),
    ("lockout", "What happens after wrong passwords."),
    ("lockout.failures", "Wrong passwords until an account locks (3 to 20)."),
    ("lockout.minutes", "Minutes until it opens by itself (1 to 1440)."),
    ("codes", "One-time codes by SMS."),
    ("codes.digits", "Digits of a code (6 to 10)."),
    ("codes.minutes", "How long a code works, in minutes (1 to 10)."),
    ("codes.tries", "Wrong codes until that code ends (1 to 5)."),
    ("codes.resend_seconds", "How long to wait before another code can be sent, in seconds (10 to 600)."),
    ("codes.per_number_per_day", "Codes sent to one phone number in a day."),
    ("codes.per_account_per_day", "Codes sent for one account in a day."),
    ("codes.total_per_day", "Codes sent in a day in all: the budget."),
    ("sessions", "How long people stay signed in here."),
    (
        "sessions.idle_minutes",
        "Minutes without activity that end a session (2 to 1440); people are warned two minutes before\nthat, or halfway if it is less than four.",
    ),
    ("sessions.absolute_hours", "Hours after which a session ends in any case (1 to 720)."),
    ("sessions.journey_minutes", "Minutes a sign-in may take from first page to last (10 to 1440)."),
    (
        "acr",
        "Under which name (`acr`) tokens tell how somebody signed in, from weak to strong; each another one.",
    ),
    ("acr.password", "A password alone."),
    ("acr.known_device", "A password on a device that received a code some days ago."),
    ("acr.code", "A password and a fresh one-time code."),
    ("acr.strong", "A passkey (`phr`: resistant to phishing)."),
    ("acr.hardware", "A passkey that stays in one device (`phrh`)."),
    ("tokens", "How long codes and tokens work."),
    ("tokens.code_seconds", "Authorization codes, in seconds (10 to 60)."),
    ("tokens.access_token_seconds", "Access tokens, in seconds (30 to 3600)."),
    ("tokens.id_token_seconds", "ID tokens, in seconds (30 to 3600)."),
    ("tokens.refresh_token_days", "Refresh tokens, in days (1 to 400)."),
    ("tokens.refresh_idle_days", "How many days a refresh token may lie unused."),
    (
        "tokens.pushed_request_seconds",
        "How long a pushed authorization request may wait for its visit, in seconds (60 to 90).",
    ),
    ("keys", "Signing keys."),
    (
        "keys.rotate_days",
        "How long a key signs before the next one takes over, in days. Servers see to it by\nthemselves; 0 leaves it to `idp keys rotate`.",
    ),
    (
        "keys.announce_hours",
        "How long a new key is published before it signs, in hours (192 or more), so that\nportals that keep the key set for a week know it.",
    ),
    ("limits", "Limits against floods (10000000 at most). Zero lifts one."),
    (
        "limits.client_requests_per_minute",
        "Requests of portals themselves (tokens, userinfo, pushed requests) from one address and process.\nZero lifts it.",
    ),
    (
        "limits.posts_per_minute",
        "Forms sent and sign-ins begun from one network address in a minute, for each server\nprocess; a whole care home may share one address.",
    ),
    ("limits.sign_ins_per_address_per_hour", "Wrong passwords from one network address in an hour."),
    (
        "limits.mails_per_account_per_day",
        "Mails of a kind asked for one e-mail address from one network address in a day; four times as many from all.",
    ),
    ("limits.mails_per_address_per_hour", "Mails asked from one network address in an hour."),
    (
        "limits.open_per_address",
        "What people without a session may leave open from one network address: sign-ins they begin\n(sessions.journey_minutes), requests that public clients push, pages that wait for a mail (a day).",
    ),
    ("limits.open_in_all", "The same from all addresses together; each takes 8 kB at most."),
    ("mail", "The mail server."),
    (
        "mail.from",
        "The sender of mails. A name with commas, dots or brackets stands in quotes: '\"Zorg, Noord\" <noreply@example.nl>'.",
    ),
    ("mail.host", "Name of the mail server."),
    ("mail.port", "Its port: 587 with starttls, 465 with tls."),
    ("mail.tls", "\"starttls\", \"tls\", or \"none\" (loopback only)."),
    ("mail.username", "User name at the mail server, with mail.password."),
    ("mail.password", "Password at the mail server: { file = \"...\" } or { env = \"...\" }."),
    (
        "mail.ca_file",
        "A PEM file with the authority that signed the mail server's certificate, if it is your own.",
    ),
    ("mail.timeout_seconds", "How long the mail server may take, in seconds (1 to 300)."),
    ("retention", "For how long what people did is kept. Zero keeps it for ever."),
    (
        "retention.audit_days",
        "Days after which a row of the audit log is removed: who signed in, changed what, helped whom.",
    ),
    (
        "retention.devices_days",
        "Days after its last use, and after it stopped being trusted, that a browser is forgotten.",
    ),
    ("log", "The log on standard output; docs/LOGGING.md says what stands in it."),
    ("log.json", "JSON lines, or plain lines for a person who watches."),
    ("log.level", "error, warn, info, debug or trace."),
    ("dev", "Development only. A server with any of these listens on loopback or not at all."),
    ("dev.outbox", "Mails and SMS are caught and shown at /dev/outbox instead of sent."),
    ("dev.fixed_code", "Every one-time code is this one; empty for random ones."),
    ("dev.clock", "POST /dev/clock/advance with seconds=N moves the server's clock."),
    ("outbound", "Requests that this server makes to portals: logout tokens, and portals' keys."),
    ("outbound.ca_file", "A PEM file with authorities to trust besides those of the system."),
    ("registration", "Clients that register themselves (RFC 7591), with an initial access token."),
    ("registration.enabled", "Whether they may. `idp registration token` makes initial access tokens."),
    (
        "registration.portal",
        "The id of the portal whose look and sign-in rules hold for them; unset, the first one.",
    ),
    ("registration.require_pkce", "Whether PKCE is demanded of them; public ones must use it anyway."),
    ("portal", "A portal: one look, one set of sign-in rules, its OAuth clients. Repeat for each."),
    ("portal.id", "A name of your own choice, unique in this file: letters, digits, dashes and underscores."),
    ("portal.url", "Where its front page is."),
    ("portal.brand", "What its pages look like."),
    ("portal.brand.name", "The name on its pages and in its mails."),
    (
        "portal.brand.logo",
        "A logo beside that name: an SVG or PNG file of at most 200 KB, relative to this file. Unset: a drawn door.",
    ),
    ("portal.brand.color", "The colour of buttons and links, #rrggbb; white text must be readable on it."),
    (
        "portal.brand.helpdesk",
        "Whom people can ask; shown where they may get stuck. Empty fields are left out.",
    ),
    ("portal.brand.helpdesk.text_nl", "A sentence in Dutch."),
    ("portal.brand.helpdesk.text_en", "The same in English."),
    ("portal.brand.helpdesk.phone", "A phone number."),
    ("portal.brand.helpdesk.hours_nl", "When it is answered, in Dutch."),
    ("portal.brand.helpdesk.hours_en", "The same in English."),
    ("portal.brand.helpdesk.email", "An e-mail address."),
    (
        "portal.languages",
        "The languages of its pages, the first one for who prefers none of them; empty for all: \"nl\", \"en\".",
    ),
    ("portal.policy", "The sign-in rules of this portal."),
    (
        "portal.policy.second_factor",
        "The second factor. `second_factor = \"always\"` alone stands for second_factor.when.",
    ),
    (
        "portal.policy.second_factor.when",
        "When it is asked: \"never\", \"new_device\" or \"always\". Staff, and who has a passkey or an authenticator app, are\nasked on new devices at least.",
    ),
    (
        "portal.policy.second_factor.methods",
        "Those that are taken, in the order in which they are offered: \"passkey\", \"totp\" (authenticator app), \"sms\".",
    ),
    (
        "portal.policy.second_factor.passkey_alone",
        "Whether who signs in with a passkey is asked for nothing else: no address, no password.",
    ),
    (
        "portal.policy.second_factor.levels",
        "Which rung of [acr] each earns. A code, by SMS or of an app, can be told to a stranger: \"code\" at most.",
    ),
    ("portal.policy.second_factor.levels.sms", "A code by SMS."),
    ("portal.policy.second_factor.levels.totp", "A code of an authenticator app."),
    ("portal.policy.second_factor.levels.synced_passkey", "A passkey that a password manager carries along."),
    ("portal.policy.second_factor.levels.passkey", "A passkey that stays in the device that made it."),
    (
        "portal.policy.remember_days",
        "With \"new_device\": days until a known device is asked again (1 to 400); unset, 30.",
    ),
    (
        "portal.policy.code_on_request",
        "Whether a code is sent only when the person asks for it with the button 'sms-inlogcode aanvragen'.",
    ),
    (
        "portal.policy.code_prefix_digits",
        "Digits of the code that stand on the page already (2 to 6), so that people see that an SMS belongs to it; they\ntype the codes.digits that follow the dash. 0: a code in one piece.",
    ),
    (
        "portal.policy.refresh_is_activity",
        "Whether a refresh of this portal's tokens counts as activity, so that the session stays while somebody uses the\nportal: for portals that refresh only then. With portal-client, set session.keep_provider_session in its file too.",
    ),
    ("portal.policy.public_computer", "Whether the sign-in page offers the box 'Publieke computer'."),
    (
        "portal.policy.idle_minutes",
        "Minutes without activity after which this portal wants the password again (1 to sessions.idle_minutes).",
    ),
    (
        "portal.policy.absolute_hours",
        "Hours after which this portal wants the password again in any case (1 to sessions.absolute_hours).",
    ),
    (
        "portal.policy.terms",
        "Terms of use, agreed to before the first sign-in ends and again for each version.",
    ),
    ("portal.policy.terms.version", "The version; another one asks everybody again."),
    (
        "portal.policy.terms.text_nl",
        "The terms, or what matters in them, in Dutch; an empty line between paragraphs.",
    ),
    ("portal.policy.terms.text_en", "The same in English."),
    ("portal.policy.terms.url", "Where the whole text is, if it is longer."),
    ("portal.client", "An OAuth client of this portal; the names are those of RFC 7591. Repeat for each."),
    ("portal.client.client_id", "Its identifier."),
    ("portal.client.client_name", "Its name, as people see it when asked for consent."),
    (
        "portal.client.client_secret",
        "Its secret: { file = \"...\" } or { env = \"...\" }. Public clients have none.",
    ),
    (
        "portal.client.token_endpoint_auth_method",
        "\"client_secret_basic\", \"client_secret_post\", \"private_key_jwt\", or \"none\" for a public client.",
    ),
    ("portal.client.redirect_uris", "Where people may be sent back to; compared to the letter."),
    (
        "portal.client.post_logout_redirect_uris",
        "Where people may be sent after signing out; compared to the letter.",
    ),
    (
        "portal.client.backchannel_logout_uri",
        "Where logout tokens are posted to (OpenID Connect Back-Channel Logout 1.0).",
    ),
    (
        "portal.client.initiate_login_uri",
        "Where a sign-in at this client starts (OpenID Connect Core section 4); people who end here\nwithout a request of the client's own, after confirming a mail elsewhere, are sent there.",
    ),
    ("portal.client.scope", "The scopes it may ask for."),
    ("portal.client.require_pkce", "Whether PKCE is demanded; leave it on."),
    (
        "portal.client.id_token_signed_response_alg",
        "What its tokens are signed with: \"RS256\", \"PS256\", \"ES256\" or \"EdDSA\".\nUnset: \"RS256\", or \"PS256\" with a profile.",
    ),
    ("portal.client.client_uri", "Its home page, linked where people are asked for consent."),
    ("portal.client.policy_uri", "Its privacy statement, linked there too."),
    ("portal.client.tos_uri", "Its terms, linked there too."),
    (
        "portal.client.profile",
        "A set of rules at once. \"fapi2\" (FAPI 2.0 Security Profile): PKCE, pushed requests, DPoP, assertions for\nthe issuer alone, no rotation of refresh tokens. \"nl-gov\" (the Dutch government's assurance profiles):\nPKCE, assertions for the issuer alone, state and nonce in every request, pairwise subjects, ID tokens with\njti and nbf and without amr. Both want private_key_jwt; nl-gov also takes public clients.",
    ),
    (
        "portal.client.token_endpoint_auth_signing_alg",
        "The one algorithm of its assertions; unset, any that is supported.",
    ),
    ("portal.client.jwks", "The public keys that it signs with, as a JWK set, if they never change."),
    ("portal.client.jwks.keys", "Its keys (RFC 7517)."),
    ("portal.client.jwks_uri", "Where its public keys are; they are read again when it uses a new one."),
    (
        "portal.client.grant_types",
        "\"authorization_code\", \"refresh_token\", and for machines \"client_credentials\".",
    ),
    (
        "portal.client.resources",
        "The resources it may ask access tokens for (RFC 8707), each an absolute URI.",
    ),
    ("portal.client.serves", "The resource that this client itself is: it may introspect tokens for it."),
    (
        "portal.client.subject_type",
        "\"public\": the same `sub` as other clients see; \"pairwise\": one of its own sector.",
    ),
    (
        "portal.client.sector_identifier_uri",
        "Names the sector of pairwise subjects by its host, where the redirect URIs have several.",
    ),
    ("portal.client.userinfo_signed_response_alg", "Set: userinfo is a JWT signed with this algorithm."),
    (
        "portal.client.request_object_signing_alg",
        "The one algorithm of its request objects; unset, any that is supported.",
    ),
    (
        "portal.client.require_signed_request_object",
        "Whether its requests have to be signed request objects (RFC 9101).",
    ),
    (
        "portal.client.require_pushed_authorization_requests",
        "Whether its requests have to be pushed first (RFC 9126).",
    ),
    (
        "portal.client.dpop_bound_access_tokens",
        "Whether its tokens are bound to a key of its own (DPoP, RFC 9449).",
    ),
    (
        "portal.client.strict_assertion_audience",
        "Whether the audience of its assertions is the issuer alone; else token and other endpoints will do.",
    ),
    (
        "portal.client.rotate_refresh_tokens",
        "Whether a refresh token is good for one use; using it again after the grace ends them all.",
    ),
    (
        "portal.client.refresh_grace_seconds",
        "For how many seconds a used refresh token may come again, from another tab or after a lost answer (0 to 60).",
    ),
    ("portal.client.access_token_seconds", "Other than tokens.access_token_seconds."),
    ("portal.client.refresh_token_days", "Other than tokens.refresh_token_days."),
    ("portal.client.default_max_age", "`max_age` in seconds of requests that say none."),
    ("portal.client.default_acr_values", "`acr_values` of requests that say none."),
    (
        "portal.client.consent",
        "Whether people are asked before it learns anything; on for clients of others.",
    ),
    (
        "portal.client.claims_in_id_token",
        "Whether name, e-mail address and the like stand in its ID tokens too, for libraries that look there only\n(Auth.js, Dex). Leave it off for others: ID tokens travel through the browser at logout.",
    ),
    (
        "portal.client.session_state_in_token_response",
        "Whether the token response has `session_state`, by which Keycloak before 26.7 as a relying party finds the\nsession that a logout token ends.",
    ),
    ("mail.password.file", "The file that holds it."),
    ("portal.client.client_secret.file", "The file that holds it."),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;

    /// Dotted keys with their values as they stand in a file.
    fn flatten(prefix: &str, value: &Value, out: &mut BTreeMap<String, String>) {
        match value {
            Value::Null => {}
            Value::Object(table) => table.iter().for_each(|(key, value)| {
                let dotted = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
                flatten(&dotted, value, out);
            }),
            Value::Array(list) if list.first().is_some_and(Value::is_object) => {
                flatten(prefix, &list[0], out);
            }
            value => {
                out.insert(prefix.to_owned(), value.to_string());
            }
        }
    }

    /// The keys that `docs/policies.md` speaks of.
    fn is_policy(key: &str) -> bool {
        let of_operators = ["argon2_memory_kib", "argon2_iterations", "workers", "queue"];
        let sections = [
            "accounts.",
            "desk.",
            "password.",
            "lockout.",
            "codes.",
            "sessions.",
            "portal.brand.",
            "portal.policy.",
        ];
        (key == "portal.languages" || sections.iter().any(|section| key.starts_with(section)))
            && !of_operators.iter().any(|name| key.ends_with(name))
    }

    #[test]
    fn every_policy_stands_in_the_document_with_its_default() {
        let config = Config { portals: vec![Portal::default()], ..Config::default() };
        let mut defaults = BTreeMap::new();
        flatten("", &serde_json::to_value(&config).unwrap(), &mut defaults);
        let sections = [
            "portal.brand.helpdesk",
            "portal.policy.terms",
            "portal.policy.second_factor",
            "portal.policy.second_factor.levels",
        ];
        let known: BTreeMap<&str, String> = EXPLANATIONS
            .iter()
            .map(|(key, _)| *key)
            .filter(|key| is_policy(key) && !sections.contains(key))
            .map(|key| (key, defaults.get(key).map_or("unset".to_owned(), |value| format!("`{value}`"))))
            .collect();
        assert!(known.len() > 40);
        let document =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/policies.md")).unwrap();
        let rows = document.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let key = cells.next()?.strip_suffix('`')?;
            let (default, text) = (cells.next()?, cells.next()?);
            assert!(text.len() > 5, "{key} has no text");
            is_policy(key).then(|| (key, default.to_owned()))
        });
        let mut documented = BTreeMap::new();
        for (key, default) in rows {
            assert!(documented.insert(key, default).is_none(), "{key} stands there twice");
        }
        assert_eq!(documented, known);
    }
}
