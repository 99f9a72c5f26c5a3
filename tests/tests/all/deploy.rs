//! The samples in `deploy/` are what the programs read, and say what the programs do.

use std::fs;
use std::path::{Path, PathBuf};

use study::policy::Policy;

fn deploy(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(deploy(name)).unwrap_or_else(|e| panic!("deploy/{name}: {e}"))
}

/// The value of a key in a systemd unit.
fn unit_value<'a>(unit: &'a str, key: &str) -> Vec<&'a str> {
    unit.lines().filter_map(|line| line.strip_prefix(key)?.strip_prefix('=')).collect()
}

#[test]
fn the_coordinators_sample_is_read() {
    let config = coordinator::config::Config::read(&deploy("coordinator.toml")).expect("a valid configuration");
    assert_eq!(config.state_dir, Path::new("/var/lib/entente-coordinator"));
    assert!(config.hosts.iter().any(|host| config.url.contains(host)), "the url has a host of the certificate");
    assert!(config.url.ends_with(&format!(":{}", config.listen.port())));
    assert!(config.pages().is_none(), "no pages unless somebody asks for them");
    let spoken: String = read("coordinator.toml").lines().map(|l| uncommented(l) + "\n").collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("coordinator.toml");
    fs::write(&path, &spoken).expect("a file is written");
    let pages = coordinator::config::Config::read(&path).expect("commented keys are keys").pages().expect("pages");
    assert_eq!(pages.origins(pages.listen.port()), ["entente.example.org:8444", "entente.example.org"]);
    assert!(pages.certificate.is_some());
    let half: Vec<&str> = spoken.lines().filter(|line| !line.starts_with("web_key")).collect();
    fs::write(&path, half.join("\n")).expect("a file is written");
    assert_eq!(coordinator::config::Config::read(&path).expect_err("a certificate without key").code(), "config.pair");
}

#[test]
fn the_agents_sample_is_read() {
    let config = site_agent::config::Config::read(&deploy("agent.toml")).expect("a valid configuration");
    assert_eq!(config.state_dir, Path::new("/var/lib/entente-agent"));
    assert_eq!(config.policy, Some(deploy("policy.toml")));
    assert_eq!(config.policy_text().expect("the sample policy beside it"), read("policy.toml"));
    // Every line that a site may need is in the sample, and its comments hold valid values.
    let spoken: String = read("agent.toml").lines().map(|l| uncommented(l) + "\n").collect();
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("agent.toml");
    fs::write(&path, spoken).expect("a file is written");
    let config = site_agent::config::Config::read(&path).expect("commented keys are keys");
    assert!(config.connection.url.is_some() && config.connection.https_proxy.is_some());
    let pages = config.pages.expect("a line for the pages").address();
    let unit = read("systemd/entente-agent-pages.conf");
    assert_eq!(unit_value(&unit, "SocketBindAllow"), [format!("ipv4:tcp:{}", pages.port())]);
    let data = config.data.parent().expect("the folder of the export");
    assert_eq!(unit_value(&unit, "ReadOnlyPaths"), [data.to_str().expect("a text")]);
}

/// A commented-out `key = value` without its comment mark; other lines as they are.
fn uncommented(line: &str) -> String {
    let key =
        |text: &str| text.split_once(" = ").is_some_and(|(k, _)| k.chars().all(|c| c.is_ascii_lowercase() || c == '_'));
    line.strip_prefix("# ").filter(|text| key(text)).unwrap_or(line).to_owned()
}

#[test]
fn the_policys_sample_is_the_strict_default() {
    let sample = Policy::parse(&read("policy.toml")).expect("a valid policy");
    assert_eq!(sample, Policy::default());
    let spoken: String = read("policy.toml").lines().map(|l| uncommented(l) + "\n").collect();
    let restricted = Policy::parse(&spoken).expect("the commented key is a key");
    assert!(restricted.variables.is_some());
}

#[test]
fn units_start_the_programs_with_their_samples() {
    for (unit, config, state) in [
        ("systemd/entente-coordinator.service", "coordinator.toml", "entente-coordinator"),
        ("systemd/entente-agent.service", "agent.toml", "entente-agent"),
    ] {
        let text = read(unit);
        assert!(unit_value(&text, "ExecStart")[0].contains(&format!("--config /etc/entente/{config} ")), "{unit}");
        assert_eq!(unit_value(&text, "StateDirectory"), [state], "{unit}");
        assert_eq!(unit_value(&text, "User"), [state], "{unit}");
        assert!(read(config).contains(&format!("state_dir = \"/var/lib/{state}\"")), "{unit}");
        for hardening in ["NoNewPrivileges=yes", "ProtectSystem=strict", "MemoryDenyWriteExecute=yes", "LimitCORE=0"] {
            assert!(text.lines().any(|line| line == hardening), "{unit} lacks {hardening}");
        }
    }
}
