//! The coordinator's configuration file.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::pages::Address;

/// Where it is looked for when no `--config` is given.
pub const DEFAULT_PATH: &str = "/etc/entente/coordinator.toml";

/// Paths are taken relative to the folder of the configuration file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Folder of keys, enrolled sites and the journal; owned by the coordinator's user alone.
    pub state_dir: PathBuf,
    /// Name that the sites will recognise.
    pub name: String,
    /// DNS names or addresses by which sites reach it.
    pub hosts: Vec<String>,
    /// Where sites connect: `https://HOST:PORT`.
    pub url: String,
    /// Address to listen on.
    pub listen: SocketAddr,
    /// Address of the pages for people; no pages without it.
    pub web_listen: Option<SocketAddr>,
    /// Further `HOST:PORT` under which browsers reach the pages, behind a firewall that forwards another port.
    #[serde(default)]
    pub web_hosts: Vec<String>,
    /// Certificate (PEM) of the pages that browsers trust already, instead of the built-in authority's.
    pub web_certificate: Option<PathBuf>,
    /// Its private key (PEM).
    pub web_key: Option<PathBuf>,
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
    /// A certificate of the pages without its key, or a key without its certificate.
    #[error("`web_certificate` and `web_key` stand together or not at all")]
    Pair,
}

impl ConfigError {
    /// Stable code.
    pub fn code(&self) -> &'static str {
        match self {
            ConfigError::File { .. } => "config.file",
            ConfigError::Syntax { .. } => "config.syntax",
            ConfigError::Pair => "config.pair",
        }
    }

    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            ConfigError::File { .. } => "name the right file with --config and check its permissions",
            ConfigError::Syntax { .. } | ConfigError::Pair => "compare it with deploy/coordinator.toml",
        }
    }
}

impl Config {
    /// Where the pages are, if there are to be any.
    pub fn pages(&self) -> Option<Address> {
        let Config { name, hosts, web_listen, web_hosts, web_certificate, web_key, .. } = self;
        Some(Address {
            listen: (*web_listen)?,
            name: name.clone(),
            hosts: hosts.clone(),
            further: web_hosts.clone(),
            certificate: web_certificate.clone().zip(web_key.clone()),
        })
    }

    /// Reads a configuration file.
    pub fn read(path: &Path) -> Result<Config, ConfigError> {
        let shown = path.display().to_string();
        let text = fs::read_to_string(path).map_err(|e| ConfigError::File { path: shown.clone(), kind: e.kind() })?;
        let config: Config =
            toml::from_str(&text).map_err(|e| ConfigError::Syntax { path: shown, message: e.to_string() })?;
        if config.web_certificate.is_some() != config.web_key.is_some() {
            return Err(ConfigError::Pair);
        }
        let base = path.parent().unwrap_or(Path::new("."));
        let beside = |path: &PathBuf| base.join(path);
        Ok(Config {
            state_dir: beside(&config.state_dir),
            web_certificate: config.web_certificate.as_ref().map(beside),
            web_key: config.web_key.as_ref().map(beside),
            ..config
        })
    }
}
