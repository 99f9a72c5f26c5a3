//! The agent's configuration file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::connect::Options;

/// Where it is looked for when no `--config` is given.
pub const DEFAULT_PATH: &str = "/etc/entente/agent.toml";

/// Paths are taken relative to the folder of the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of keys, approved runs and journals; owned by the agent's user alone.
    pub state_dir: PathBuf,
    /// The site's table: one CSV file, one row per patient.
    pub data: PathBuf,
    /// The site's policy; without it the strict default holds.
    pub policy: Option<PathBuf>,
    /// The connection to the coordinator.
    #[serde(default)]
    pub connection: Connection,
}

/// What may be said about the connection.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Another address of the coordinator than its enrolment package gives.
    pub url: Option<String>,
    /// A proxy that opens tunnels with CONNECT: `http://HOST:PORT`.
    pub https_proxy: Option<String>,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("`{path}` cannot be read ({kind})")]
    File {
        /// As given.
        path: String,
        /// What kind of error.
        kind: io::ErrorKind,
    },
    /// It is no configuration.
    #[error("`{path}` is not a valid configuration: {message}")]
    Syntax {
        /// As given.
        path: String,
        /// Key and line.
        message: String,
    },
}

impl ConfigError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ConfigError::File { .. } => "config.file",
            ConfigError::Syntax { .. } => "config.syntax",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ConfigError::File { .. } => "name the right file with --config and check its permissions",
            ConfigError::Syntax { .. } => "compare it with deploy/agent.toml",
        }
    }
}

impl Config {
    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|e| ConfigError::File { path: shown.clone(), kind: e.kind() })?;
        let config: Config =
            toml::from_str(&text).map_err(|e| ConfigError::Syntax { path: shown, message: e.to_string() })?;
        let base = path.parent().unwrap_or(Path::new("."));
        Ok(Config {
            state_dir: base.join(&config.state_dir),
            data: base.join(&config.data),
            policy: config.policy.map(|p| base.join(p)),
            connection: config.connection,
        })
    }

    /// Text of the policy file; empty without one.
    pub fn policy_text(&self) -> Result<String, ConfigError> {
        let Some(path) = &self.policy else { return Ok(String::new()) };
        let shown = path.display().to_string();
        fs::read_to_string(path).map_err(|e| ConfigError::File { path: shown, kind: e.kind() })
    }

    /// Options of the connection.
    pub fn options(&self) -> Options {
        Options {
            url: self.connection.url.clone(),
            https_proxy: self.connection.https_proxy.clone(),
            ..Options::default()
        }
    }
}
