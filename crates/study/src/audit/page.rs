//! A verification as one page for a person.

use std::fmt::{self, Write};

use super::bundle::Party;
use super::findings::{Finding, Summary};
use super::{Report, Signer};

/// Most findings that are listed; the first ones say where it begins.
const LISTED: usize = 20;

impl Report {
    /// The page; `time` turns seconds since 1970 into text.
    pub fn page(&self, time: impl Fn(u64) -> String) -> String {
        let mut page = String::new();
        // writing to a string does not fail
        let _ = self.write(&mut page, &time);
        page
    }

    fn write(&self, out: &mut String, time: &dyn Fn(u64) -> String) -> fmt::Result {
        writeln!(out, "Audit of {}", self.run.as_deref().unwrap_or("a run whose manifest does not read"))?;
        if let Some(digest) = self.manifest {
            writeln!(out, "manifest {digest}")?;
        }
        if !self.signers.is_empty() {
            writeln!(
                out,
                "\nKeys, by which all signatures were verified: compare each with what its holder tells you"
            )?;
        }
        for Signer { party, legal_name, fingerprint } in &self.signers {
            let comma = if legal_name.is_empty() { "" } else { ", " };
            writeln!(out, "    {fingerprint}  {party}{comma}{}", visible(legal_name))?;
        }
        for summary in &self.bundles {
            writeln!(out)?;
            write_summary(out, summary, time)?;
        }
        if let Some(outcome) = &self.outcome {
            writeln!(out)?;
            let how = if self.recomputed {
                "computed again from the sums"
            } else {
                "read; a site's bundle would let it be computed again"
            };
            writeln!(out, "release {}", outcome.release.digest(&outcome.manifest.digest()))?;
            writeln!(out, "    {how}")?;
        }
        writeln!(out)?;
        match self.findings.len() {
            0 => writeln!(out, "Everything holds."),
            1 => writeln!(out, "One thing does not hold:"),
            n => writeln!(out, "{n} things do not hold:"),
        }?;
        for Finding { party, place, what } in self.findings.iter().take(LISTED) {
            let summary = self.bundles.iter().find(|summary| summary.party == *party);
            let name = summary.map_or_else(|| party_name(*party), |summary| summary.name.clone());
            writeln!(out, "    {name}, {place}: {what}")?;
        }
        if self.findings.len() > LISTED {
            writeln!(out, "    and {} more", self.findings.len() - LISTED)?;
        }
        Ok(())
    }
}

/// A name on one line, whatever a coordinator wrote into it.
fn visible(name: &str) -> String {
    let hides = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}')
    };
    name.chars().map(|c| if hides(c) { '\u{fffd}' } else { c }).collect()
}

fn party_name(party: Party) -> String {
    match party {
        Party::Coordinator => "coordinator".into(),
        Party::Site(index) => format!("site number {}", index + 1),
    }
}

fn write_summary(out: &mut String, summary: &Summary, time: &dyn Fn(u64) -> String) -> fmt::Result {
    writeln!(out, "{}", summary.name)?;
    let when = summary.times.map_or_else(String::new, |(first, last)| format!(", {} to {}", time(first), time(last)));
    writeln!(out, "    {} entries{when}", summary.entries)?;
    if !summary.people.is_empty() {
        writeln!(out, "    approved by {}", visible(&summary.people.join(", ")))?;
    }
    if let Some(account) = &summary.one_account {
        writeln!(out, "    two approvals by one account: {}", visible(account))?;
    }
    let Summary { epochs, requests, rounds, opened, sealed, signatures, .. } = summary;
    writeln!(out, "    {epochs} key agreements, {requests} requests, {rounds} sums, {signatures} signatures verified")?;
    match summary.party {
        Party::Site(_) => writeln!(out, "    {opened} numbers over all sites opened")?,
        Party::Coordinator => writeln!(out, "    {opened} numbers opened, {sealed} added without reading them")?,
    }
    if let Some(compared) = summary.fits {
        writeln!(out, "    {compared}")?;
    }
    for (rule, entry) in &summary.refusals {
        writeln!(out, "    refused: {rule} (entry {entry})")?;
    }
    let end = match (summary.closed, summary.withdrawn) {
        (true, false) => "all sites signed the same results",
        (true, true) => "all sites signed the same results; the approval was withdrawn",
        (false, true) => "the approval was withdrawn",
        (false, false) => "the run has not come to its end here",
    };
    writeln!(out, "    {end}")
}
