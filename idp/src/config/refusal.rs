//! How a rule refuses a value.

use platform::config::ConfigError;

use super::Config;

impl Config {
    /// Refuses a value: the error names the file, the key, the value and what to write instead.
    pub(super) fn refuse<T>(
        &self,
        key: &str,
        value: impl std::fmt::Display,
        advice: &str,
    ) -> Result<T, ConfigError> {
        Err(ConfigError::refused(&self.path, key, value, advice))
    }

    /// Refuses a number that is not from `low` to `high`.
    pub(super) fn between(&self, key: &str, value: u32, low: u32, high: u32) -> Result<(), ConfigError> {
        if (low..=high).contains(&value) {
            return Ok(());
        }
        self.refuse(key, value, &format!("write a number from {low} to {high}"))
    }
}
