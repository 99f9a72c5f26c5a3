//! Progress of runs on a terminal: a bar for each, with its round, its fitted models and whom it waits for.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::hub::RunReport;

/// What is shown where standard error is no terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Elsewhere {
    /// One line for each round.
    Lines,
    /// Nothing: the log says enough.
    Nothing,
}

/// Bars on standard error.
#[derive(Debug)]
pub struct Progress {
    bars: Option<MultiProgress>,
    elsewhere: Elsewhere,
    shown: Mutex<Shown>,
}

#[derive(Debug, Default)]
struct Shown {
    message: Option<ProgressBar>,
    runs: BTreeMap<String, ProgressBar>,
    rounds: BTreeMap<String, u32>,
}

impl Progress {
    /// Bars if standard error is a terminal, else what `elsewhere` says.
    pub fn new(elsewhere: Elsewhere) -> Progress {
        let bars = io::stderr().is_terminal().then(MultiProgress::new);
        Progress { bars, elsewhere, shown: Mutex::default() }
    }

    /// The bars, for who writes lines above them; none where standard error is no terminal.
    pub fn bars(&self) -> Option<MultiProgress> {
        self.bars.clone()
    }

    /// What goes on beside the runs.
    pub fn say(&self, message: &str) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        match &self.bars {
            Some(bars) => {
                let bar = shown.message.get_or_insert_with(|| spinner(bars));
                bar.set_message(message.to_owned());
            }
            None if self.elsewhere == Elsewhere::Lines => write_line(message),
            None => {}
        }
    }

    /// A run moved.
    pub fn run(&self, report: &RunReport) {
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bars) = &self.bars {
            if report.waiting == "nothing" {
                // A run that was finished before this program started had no bar, and needs no word.
                if let Some(bar) = shown.runs.remove(&report.run) {
                    bars.remove(&bar);
                    let _ = bars.println(format!("{}: finished, {}", report.run, line(report)));
                }
            } else {
                draw(shown.runs.entry(report.run.clone()).or_insert_with(|| bar(bars, report)), report);
            }
        } else if self.elsewhere == Elsewhere::Lines {
            let before = shown.rounds.insert(report.run.clone(), report.round);
            if before != Some(report.round) {
                write_line(&line(report));
            }
        }
    }

    /// Takes everything off the terminal.
    pub fn end(&self) {
        if let Some(bars) = &self.bars {
            // What cannot be cleared stays on the screen and harms nothing.
            let _ = bars.clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.end();
    }
}

fn spinner(bars: &MultiProgress) -> ProgressBar {
    let bar = bars.add(ProgressBar::new_spinner());
    bar.set_style(style("{spinner} {elapsed:>4} {msg}"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

fn bar(bars: &MultiProgress, report: &RunReport) -> ProgressBar {
    let bar = bars.add(ProgressBar::new(u64::from(report.models)));
    // A study of curves alone has no model that could be counted.
    let counted = if report.models == 0 { "{prefix} {msg}" } else { "{prefix} [{bar:24}] {pos}/{len} models, {msg}" };
    bar.set_style(style(counted).progress_chars("=> "));
    bar.set_prefix(report.run.clone());
    bar
}

fn style(template: &str) -> ProgressStyle {
    // The templates above are well formed; a bar without them still counts.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

fn draw(bar: &ProgressBar, report: &RunReport) {
    bar.set_length(u64::from(report.models));
    bar.set_position(u64::from(report.fitted + report.failed));
    let failed = if report.failed > 0 { format!("{} failed, ", report.failed) } else { String::new() };
    let problem = report.problem.as_ref().map(|(code, message)| format!("stopped: {message} [{code}]"));
    let doing = problem.unwrap_or_else(|| waits(report));
    bar.set_message(format!("{failed}round {}; {doing}", report.round));
}

/// One round, where nothing can be drawn.
fn line(report: &RunReport) -> String {
    let RunReport { round, models, fitted, failed, .. } = report;
    let failed = if *failed > 0 { format!(", {failed} failed") } else { String::new() };
    format!("round {round}: {fitted} of {models} models fitted{failed}")
}

/// Whom a run waits for, and for what.
fn waits(report: &RunReport) -> String {
    match report.sites.as_slice() {
        [] => "finishing".into(),
        few if few.len() <= 4 => format!("waiting for {} of {}", report.waiting, few.join(", ")),
        many => {
            format!("waiting for {} of {} and {} more", report.waiting, many[..3].join(", "), many.len() - 3)
        }
    }
}

fn write_line(text: &str) {
    let _ = writeln!(io::stderr(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(waiting: &str, sites: &[&str]) -> RunReport {
        RunReport {
            run: "trial-0a1b2c3d".into(),
            round: 7,
            models: 56,
            fitted: 12,
            failed: 1,
            waiting: waiting.into(),
            sites: sites.iter().map(|&site| site.to_owned()).collect(),
            problem: None,
            opened: 0,
            sealed: 0,
            bytes_per_site: 0,
        }
    }

    #[test]
    fn a_run_names_a_few_sites_that_it_waits_for_and_counts_the_others() {
        assert_eq!(waits(&report("approval", &["A", "B"])), "waiting for approval of A, B");
        let five = report("message", &["A", "B", "C", "D", "E"]);
        assert_eq!(waits(&five), "waiting for message of A, B, C and 2 more");
        assert_eq!(waits(&report("message", &[])), "finishing");
        assert_eq!(line(&five), "round 7: 12 of 56 models fitted, 1 failed");
    }

    #[test]
    fn a_bar_stands_at_the_models_that_are_done_and_says_what_goes_on() {
        let bar = ProgressBar::hidden();
        draw(&bar, &report("message", &["A"]));
        assert_eq!((bar.position(), bar.length()), (13, Some(56)));
        assert_eq!(bar.message(), "1 failed, round 7; waiting for message of A");
        let problem = Some(("approve.rejected".into(), "site A rejects the study".into()));
        draw(&bar, &RunReport { problem, ..report("message", &["A"]) });
        assert!(bar.message().ends_with("round 7; stopped: site A rejects the study [approve.rejected]"));
    }
}
