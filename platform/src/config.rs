//! Configuration files: TOML into typed settings. An unknown key is an error that names file, line and
//! key; secrets stand outside the file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Why a configuration was refused; the text is for the operator who wrote it.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the configuration file {}: {error}", path.display())]
    Unreadable { path: PathBuf, error: std::io::Error },
    #[error("{}: {message}", path.display())]
    Malformed { path: PathBuf, message: String },
    #[error("{}: {key} = {value}: {advice}", path.display())]
    Refused { path: PathBuf, key: String, value: String, advice: String },
}

impl ConfigError {
    /// A value that is well-formed and still cannot be used: which key, what it says, what to write instead.
    pub fn refused(path: &Path, key: &str, value: impl std::fmt::Display, advice: impl Into<String>) -> Self {
        let (path, key) = (path.to_owned(), key.to_owned());
        Self::Refused { path, key, value: value.to_string(), advice: advice.into() }
    }

    /// For programs that read it.
    pub fn to_json(&self) -> serde_json::Value {
        let error = self.to_string();
        match self {
            Self::Refused { path, key, value, advice } => {
                serde_json::json!({ "error": error, "file": path, "key": key, "value": value, "advice": advice })
            }
            Self::Unreadable { path, .. } | Self::Malformed { path, .. } => {
                serde_json::json!({ "error": error, "file": path })
            }
        }
    }
}

/// Reads `path` into `T`, whose types deny unknown fields.
///
/// # Errors
/// [`ConfigError`] with the line, if the file says something that `T` does not know.
pub fn load<T: DeserializeOwned>(path: &Path) -> Result<T, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::Unreadable { path: path.to_owned(), error })?;
    parse(path, &text)
}

/// As [`load`], from text that was read already; `path` only names it in errors.
pub fn parse<T: DeserializeOwned>(path: &Path, text: &str) -> Result<T, ConfigError> {
    toml::from_str(text)
        .map_err(|error| ConfigError::Malformed { path: path.to_owned(), message: error.to_string() })
}

/// A secret: the name of a file or environment variable that holds it, or (in development only) itself.
#[derive(Clone, Deserialize, Serialize, PartialEq, Eq)]
#[serde(untagged)]
pub enum Secret {
    File { file: PathBuf },
    Env { env: String },
    Literal(String),
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File { file } => write!(f, "{{ file = {} }}", file.display()),
            Self::Env { env } => write!(f, "{{ env = {env} }}"),
            Self::Literal(_) => f.write_str("(hidden)"),
        }
    }
}

impl Secret {
    /// The file that holds it, if one does.
    pub fn file(&self, config: &Path) -> Option<PathBuf> {
        match self {
            Self::File { file } => Some(config.parent().unwrap_or(Path::new(".")).join(file)),
            Self::Env { .. } | Self::Literal(_) => None,
        }
    }

    /// An address that may hold a password, such as that of a database: one without may stand in the file itself.
    pub fn reveal_address(&self, config: &Path, key: &str, development: bool) -> Result<String, ConfigError> {
        match self {
            Self::Literal(text) if !text.is_empty() && !holds_password(text) => Ok(text.clone()),
            other => other.reveal(config, key, development),
        }
    }

    /// The secret itself, without the line end that editors add. A relative file name is relative to
    /// the configuration file.
    ///
    /// # Errors
    /// [`ConfigError::Refused`] if it is not there, empty, or literal outside development.
    pub fn reveal(&self, config: &Path, key: &str, development: bool) -> Result<String, ConfigError> {
        let (value, named) = match self {
            Self::Literal(value) if development => (value.clone(), "(literal)".to_owned()),
            Self::Literal(_) => {
                let advice = "a secret does not stand in the file itself; write { file = \"...\" } or { env = \"...\" }";
                return Err(ConfigError::refused(config, key, "(hidden)", advice));
            }
            Self::Env { env } => {
                let named = format!("{{ env = \"{env}\" }}");
                let missing =
                    |_| ConfigError::refused(config, key, &named, "this environment variable is not set");
                (std::env::var(env).map_err(missing)?, named)
            }
            Self::File { file } => {
                let file = config.parent().unwrap_or(Path::new(".")).join(file);
                let named = format!("{{ file = \"{}\" }}", file.display());
                let unreadable = |error| {
                    ConfigError::refused(config, key, &named, format!("this file cannot be read: {error}"))
                };
                (std::fs::read_to_string(&file).map_err(unreadable)?, named)
            }
        };
        let value = value.trim_end_matches(['\r', '\n']).to_owned();
        if value.is_empty() {
            return Err(ConfigError::refused(config, key, named, "the secret is empty"));
        }
        Ok(value)
    }
}

/// Whether an address holds a password: before the host, or as a parameter of PostgreSQL's.
fn holds_password(address: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return address.contains('@') };
    url.password().is_some() || url.query_pairs().any(|(name, _)| name == "password")
}

/// The section `[log]`.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    pub json: bool,
    pub level: Level,
}

impl Default for Log {
    fn default() -> Self {
        Self { json: true, level: Level::Info }
    }
}

/// How much is logged: this and what is worse.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warn,
    Info,
    Debug,
    Trace,
}

impl Level {
    /// As the file has it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Writes a configuration example: every key of `defaults` with its explanation and default value, the
/// keys themselves commented out. `explain` answers for dotted keys, sections included.
///
/// # Errors
/// The first dotted key that `explain` knows nothing of.
pub fn example<T: Serialize>(
    defaults: &T,
    explain: impl Fn(&str) -> Option<&'static str>,
) -> Result<String, String> {
    let table = toml::Table::try_from(defaults).map_err(|error| error.to_string())?;
    let mut out = String::new();
    write_example(&table, "", &explain, &mut out)?;
    Ok(out)
}

fn write_example(
    table: &toml::Table,
    prefix: &str,
    explain: &impl Fn(&str) -> Option<&'static str>,
    out: &mut String,
) -> Result<(), String> {
    let dotted = |key: &str| if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") };
    let comment = |key: &str, out: &mut String| -> Result<(), String> {
        let text = explain(key).ok_or_else(|| format!("no explanation of '{key}'"))?;
        for line in text.lines() {
            out.push_str("# ");
            out.push_str(line);
            out.push('\n');
        }
        Ok(())
    };
    for (key, value) in table.iter().filter(|(_, value)| !value.is_table() && !is_table_list(value)) {
        comment(&dotted(key), out)?;
        let _ = write!(out, "#{key} = {value}\n\n");
    }
    for (key, value) in table {
        let (header, inner) = match value {
            toml::Value::Table(inner) => (format!("[{}]", dotted(key)), inner),
            toml::Value::Array(list) if is_table_list(value) => match list.first() {
                Some(toml::Value::Table(inner)) => (format!("[[{}]]", dotted(key)), inner),
                _ => continue,
            },
            _ => continue,
        };
        comment(&dotted(key), out)?;
        let _ = write!(out, "#{header}\n\n");
        write_example(inner, &dotted(key), explain, out)?;
    }
    Ok(())
}

/// As [`example`], for programs: each key with its explanation and its default, if it has one.
pub fn example_json<T: Serialize>(
    defaults: &T,
    explain: impl Fn(&str) -> Option<&'static str>,
) -> Result<serde_json::Value, String> {
    let mut keys = Vec::new();
    // By way of TOML, which keeps the order of the file.
    let text = toml::to_string(defaults).map_err(|error| error.to_string())?;
    let table: toml::Value = toml::from_str(&text).map_err(|error| error.to_string())?;
    list_keys(&table, "", &explain, &mut keys)?;
    Ok(keys.into())
}

fn list_keys(
    value: &toml::Value,
    key: &str,
    explain: &impl Fn(&str) -> Option<&'static str>,
    keys: &mut Vec<serde_json::Value>,
) -> Result<(), String> {
    let table = match value {
        toml::Value::Array(list) => list.first().and_then(toml::Value::as_table),
        value => value.as_table(),
    };
    if !key.is_empty() {
        let text = explain(key).ok_or_else(|| format!("no explanation of '{key}'"))?;
        let default = table.is_none().then_some(value);
        keys.push(serde_json::json!({ "key": key, "explanation": text, "default": default }));
    }
    table.into_iter().flatten().try_for_each(|(name, value)| {
        let dotted = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
        list_keys(value, &dotted, explain, keys)
    })
}

fn is_table_list(value: &toml::Value) -> bool {
    matches!(value, toml::Value::Array(list) if list.first().is_some_and(toml::Value::is_table))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        listen: String,
        limits: Limits,
    }

    #[derive(Debug, Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Limits {
        per_minute: u32,
    }

    #[test]
    fn an_unknown_key_is_refused_with_file_line_and_key() {
        let text = "listen = 'a'\n[limits]\nper_minute = 3\nper_minut = 4\n";
        let error = parse::<Sample>(Path::new("idp.toml"), text).unwrap_err().to_string();
        assert!(
            error.contains("idp.toml") && error.contains("line 4") && error.contains("per_minut"),
            "{error}"
        );
    }

    #[test]
    fn a_literal_secret_is_refused_outside_development_and_never_shown() {
        let secret = Secret::Literal("hunter2".into());
        let error = secret.reveal(Path::new("idp.toml"), "secrets.root", false).unwrap_err().to_string();
        assert!(
            error.contains("secrets.root") && error.contains("{ file") && !error.contains("hunter2"),
            "{error}"
        );
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(secret.reveal(Path::new("idp.toml"), "secrets.root", true).unwrap(), "hunter2");
    }

    #[test]
    fn an_address_stands_in_the_file_itself_unless_it_holds_a_password() {
        let shown = |text: &str| {
            let address = Secret::Literal(text.into());
            address.reveal_address(Path::new("idp.toml"), "database", false)
        };
        for open in ["database", "sqlite:idp.db", "postgres://voordeur@db/idp", "redis://cache:6379/1"] {
            assert_eq!(shown(open).unwrap(), open);
        }
        for secret in [
            "postgres://voordeur:hunter2@db/idp",
            "postgres:///idp?password=hunter2",
            "rediss://:hunter2@cache",
            "",
        ] {
            let error = shown(secret).unwrap_err().to_string();
            assert!(error.contains("database = ") && !error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn a_level_that_is_none_is_refused() {
        assert_eq!(parse::<Log>(Path::new("idp.toml"), "level = 'debug'").unwrap().level.name(), "debug");
        for level in ["verbose", "", "INFO", "info,hyper=trace", "off", "3"] {
            let text = format!("json = true\nlevel = '{level}'\n");
            let error = parse::<Log>(Path::new("idp.toml"), &text).unwrap_err().to_string();
            assert!(error.contains("line 2") && error.contains("`warn`"), "{error}");
        }
    }

    #[test]
    fn an_example_explains_each_key_and_fails_on_one_without_explanation() {
        let sample = Sample { listen: "127.0.0.1:8080".into(), limits: Limits { per_minute: 5 } };
        let text = example(&sample, |key| Some(if key == "limits" { "Limits." } else { "A key." })).unwrap();
        assert!(text.contains("#listen = \"127.0.0.1:8080\"") && text.contains("#[limits]"), "{text}");
        let json = example_json(&sample, |_| Some("A key.")).unwrap();
        assert_eq!(json[2]["key"], "limits.per_minute");
        assert_eq!(
            (&json[0]["default"], &json[1]["default"]),
            (&"127.0.0.1:8080".into(), &serde_json::Value::Null)
        );
        let missing = example(&sample, |key| (key != "limits.per_minute").then_some("x")).unwrap_err();
        assert!(missing.contains("limits.per_minute"));
    }
}
