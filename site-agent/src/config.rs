//! The agent's configuration file.

use std::fs;
use std::io;
use std::net::SocketAddr;
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
    /// Where the running agent serves its pages; none without it.
    pub pages: Option<Loopback>,
    /// The connection to the coordinator.
    #[serde(default)]
    pub connection: Connection,
}

/// An address that this machine alone can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SocketAddr")]
pub struct Loopback(SocketAddr);

impl Loopback {
    /// The address.
    pub fn address(self) -> SocketAddr {
        self.0
    }
}

impl TryFrom<SocketAddr> for Loopback {
    type Error = &'static str;

    fn try_from(address: SocketAddr) -> Result<Loopback, &'static str> {
        let own = address.ip().is_loopback();
        if own { Ok(Loopback(address)) } else { Err("pages are served on a loopback address alone, as 127.0.0.1:8480") }
    }
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
            pages: config.pages,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_for_this_machine_alone() {
        let read = |pages: &str| {
            toml::from_str::<Config>(&format!("state_dir = \"s\"\ndata = \"d\"\npages = \"{pages}\"")).map(|c| c.pages)
        };
        for own in ["127.0.0.1:8480", "127.9.9.9:1", "[::1]:8480"] {
            assert_eq!(read(own).unwrap().unwrap().address(), own.parse().unwrap());
        }
        for elsewhere in ["0.0.0.0:8480", "192.0.2.1:8480", "[::]:8480", "[2001:db8::1]:8480"] {
            let refused = read(elsewhere).unwrap_err().to_string();
            assert!(refused.contains("loopback address alone"), "{refused}");
        }
        assert!(read("localhost:8480").is_err(), "a name may mean something else tomorrow");
    }
}
