//! Pages of both programs in a real browser: every `tests/browser/*.test.mjs`.
//!
//! They need Node.js, Chromium and `npm ci` in `tests/browser`. Where one is missing the test says so and holds nothing;
//! with `ENTENTE_BROWSER=required`, as in `.ci/run`, it fails.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where the browser is looked for, unless `ENTENTE_CHROMIUM` says where.
const CHROMIUM: [&str; 3] = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("browser")
}

/// The browser, if everything is there; otherwise what is missing.
fn browser() -> Result<PathBuf, &'static str> {
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Err("Node.js (`apt-get install nodejs npm`)");
    }
    if !folder().join("node_modules/playwright-core").exists() {
        return Err("the packages (`npm ci` in tests/browser)");
    }
    let named = std::env::var_os("ENTENTE_CHROMIUM").map(PathBuf::from);
    let found = named.into_iter().chain(CHROMIUM.map(PathBuf::from)).find(|path| path.exists());
    found.ok_or("Chromium (`apt-get install chromium`)")
}

/// The files of tests in order.
fn subjects() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = entries.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    found.sort();
    found
}

#[test]
fn pages_hold_in_a_real_browser() {
    let chromium = match browser() {
        Ok(chromium) => chromium,
        Err(missing) => {
            assert!(std::env::var_os("ENTENTE_BROWSER").is_none_or(|v| v != "required"), "missing: {missing}");
            // not by a macro: the harness would keep it to itself
            let _ = writeln!(std::io::stderr(), "browser tests are skipped; missing: {missing}");
            return;
        }
    };
    let subjects = subjects();
    assert!(!subjects.is_empty(), "no tests in {}", folder().display());
    for subject in subjects {
        let output = Command::new("node")
            // a page that never answers is a failure with a name
            .args(["--test", "--test-reporter=tap", "--test-timeout=300000"])
            .arg(&subject)
            .env("ENTENTE_PARTY", env!("CARGO_BIN_EXE_party"))
            .env("ENTENTE_CHROMIUM", &chromium)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{}:\n{said}", subject.display());
        assert!(said.contains("# skipped 0") && !said.contains("# pass 0"), "{}:\n{said}", subject.display());
    }
}
