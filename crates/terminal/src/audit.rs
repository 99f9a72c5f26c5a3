//! Bundles of ledgers: written to files, and verified. Both programs do it alike.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde_json::json;
use study::audit::{Bundle, Party, Report, verify};

use crate::{Answer, Failure};

/// Writes a bundle to a file that is not there yet.
pub fn write_bundle(bundle: &Bundle, run: &str, out: &Path) -> Result<Answer, Failure> {
    let write = || -> io::Result<()> {
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(out)?;
        file.write_all(&bundle.to_bytes())?;
        file.sync_all()
    };
    write().map_err(|e| Failure::operating_system("write the bundle", &e))?;
    let entries = bundle.entries.len();
    Ok(Answer::of(json!({ "run": run, "entries": entries })).line(format_args!("{run}: {entries} entries.")))
}

/// Reads and verifies bundles; the answer is the page. A bundle that does not hold is a failure with the page.
pub fn verify_bundles(paths: &[PathBuf]) -> Result<(Report, Answer), Failure> {
    let bundles: Vec<Bundle> = paths.iter().map(|path| read(path)).collect::<Result<_, _>>()?;
    let report = verify(&bundles);
    let page = report.page(|seconds| Timestamp::from_second(seconds.cast_signed()).unwrap_or_default().to_string());
    if !report.holds() {
        let hint = "compare with bundles of other parties, and do not publish the results";
        let failure = Failure::new("audit.findings", "the ledgers do not hold", hint);
        return Err(failure.with_details(page.lines().map(str::to_owned)));
    }
    let answer = Answer::of(data(&report)).text(&page);
    Ok((report, answer))
}

fn read(path: &Path) -> Result<Bundle, Failure> {
    let bytes = fs::read(path).map_err(|e| Failure::operating_system("read the bundle", &e))?;
    Bundle::from_bytes(&bytes).map_err(|place| {
        let message = format!("`{}` does not read: it is damaged at: {place}", path.display());
        Failure::new("audit.damaged", message, "ask the party for a new export")
    })
}

fn data(report: &Report) -> serde_json::Value {
    let bundles = report.bundles.iter().map(|b| {
        let refusals: Vec<_> = b.refusals.iter().map(|(rule, entry)| json!({ "rule": rule, "entry": entry })).collect();
        json!({
            "party": b.name,
            "site": matches!(b.party, Party::Site(_)),
            "entries": b.entries,
            "requests": b.requests,
            "rounds": b.rounds,
            "signatures": b.signatures,
            "opened": b.opened,
            "sealed": b.sealed,
            "people": b.people,
            "one_account": b.one_account,
            "fits": b.fits.map(|fits| json!({ "same": fits.same, "not_compared": fits.not_compared() })),
            "refusals": refusals,
            "closed": b.closed,
            "withdrawn": b.withdrawn,
        })
    });
    let signers = report
        .signers
        .iter()
        .map(|s| json!({ "party": s.party, "legal_name": s.legal_name, "fingerprint": s.fingerprint }));
    let signers: Vec<_> = signers.collect();
    json!({ "run": report.run, "signers": signers, "bundles": bundles.collect::<Vec<_>>(), "recomputed": report.recomputed })
}
