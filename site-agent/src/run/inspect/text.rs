//! The findings as one page of plain words for a terminal.

use std::fmt::Write;

use study::forecast::{Forecast, Foreseen};
use study::layout::MOST_WORDS;
use study::protocol::ReleaseRules;

use super::{Against, Counted, Findings, Verdict};

/// Bytes of a masked number.
pub(crate) const WORD_BYTES: usize = 16;

/// The whole page.
pub(super) fn page(findings: &Findings) -> String {
    let mut page = String::new();
    head(&mut page, findings);
    data(&mut page, findings);
    first_round(&mut page, findings);
    later_rounds(&mut page, findings);
    own(&mut page, findings);
    noticed(&mut page, findings);
    verdicts(&mut page, findings);
    page
}

fn head(page: &mut String, findings: &Findings) {
    line(page, format_args!("{} ({})", findings.title, findings.name));
    line(page, format_args!("Question: {}", findings.question));
    line(page, format_args!("Protocol digest: {}", findings.protocol));
    line(page, format_args!("Manifest digest: {}", findings.manifest));
    line(page, format_args!("Sites ({}); confirm each fingerprint by another channel:", findings.members.len()));
    for member in &findings.members {
        let vouched = match member.vouched {
            None => "",
            Some(true) => "  vouched for",
            Some(false) => "  NOT vouched for",
        };
        line(page, format_args!("  {:<12} {:<40} {}{vouched}", member.id, member.legal_name, member.fingerprint));
    }
    for person in &findings.people {
        line(page, format_args!("Approved by {} ({}), as the first of two people.", person.name, person.account));
    }
}

fn data(page: &mut String, findings: &Findings) {
    line(page, format_args!("\nColumns read:"));
    for (name, meaning) in &findings.columns {
        line(page, format_args!("  {name:<20} {meaning}"));
    }
    line(page, format_args!("Who counts:"));
    for (meaning, expression) in &findings.criteria {
        line(page, format_args!("  {meaning:<40} {expression}"));
    }
    for (name, meaning) in &findings.scenarios {
        line(page, format_args!("  and once more for scenario `{name}`: {meaning}"));
    }
}

fn first_round(page: &mut String, findings: &Findings) {
    line(page, format_args!("\nRound 1 asks; every number leaves under masks and is opened as a sum over all sites:"));
    for asked in &findings.first {
        line(page, format_args!("  {:<16} {:>6} numbers  {}", asked.kind, asked.words, asked.sentence));
    }
    if findings.first_of_scenarios > 0 {
        let more = findings.first_of_scenarios;
        line(page, format_args!("  and {more} such questions about the patients of the scenarios"));
    }
}

fn later_rounds(page: &mut String, findings: &Findings) {
    let rounds = findings.forecast.rounds;
    line(page, format_args!("\nLater rounds ask, as a run on invented patients shows (it took {rounds} rounds;"));
    line(page, format_args!("real ones differ where a model needs more or fewer steps):"));
    for foreseen in findings.forecast.kinds.iter().filter(|foreseen| foreseen.round > 1) {
        let Foreseen { kind, sentence, repeated, questions, words: (least, most), .. } = foreseen;
        let shape = if least == most { format!("{most}") } else { format!("{least} to {most}") };
        let often = if *repeated { "about " } else { "" };
        let begin = foreseen.round;
        line(page, format_args!("  {kind:<22} {often}{questions} times {shape} numbers, from round {begin}"));
        line(page, format_args!("  {:<22} {sentence}", ""));
    }
    if !findings.draws.is_empty() {
        line(
            page,
            format_args!(
                "  about {} of these numbers, all opened by the sites alone, are for",
                findings.forecast.drawn
            ),
        );
    }
    for draws in &findings.draws {
        line(page, format_args!("    {draws}"));
    }
    sizes(page, &findings.forecast);
    openers(page, findings);
}

/// How much leaves under masks.
fn sizes(page: &mut String, forecast: &Forecast) {
    let (all, (round, most)) = (forecast.numbers(), forecast.largest);
    let megabytes = |numbers: usize| (numbers * WORD_BYTES) as f64 / 1e6;
    line(page, format_args!("Together about {all} numbers, {:.2} MB from each site under masks;", megabytes(all)));
    line(page, format_args!("the largest round is round {round} with {most} numbers, {:.2} MB.", megabytes(most)));
    if most > MOST_WORDS {
        line(page, format_args!("  That is more than a round can carry ({MOST_WORDS}): the run would end there."));
    }
    for kind in &forecast.beyond {
        line(page, format_args!("  {kind} fits no number for the ranges of the dictionary: the run may end there."));
    }
}

/// Who would read how many numbers of which kind under the study's opening.
fn openers(page: &mut String, findings: &Findings) {
    let ReleaseRules { opening, minimum_cell, minimum_leavers, curves } = findings.release;
    line(page, format_args!("Who can open the sums, under opening = \"{}\":", opening.name()));
    line(page, format_args!("  {}", opening.sentence()));
    let kinds = &findings.forecast.kinds;
    let opened: usize = kinds.iter().map(|foreseen| foreseen.opened).sum();
    if opened == 0 {
        line(page, format_args!("  the coordinator: no number, only the results that all sites sign"));
    } else {
        line(page, format_args!("  the coordinator: about {opened} numbers over all sites"));
        for Foreseen { kind, opened, .. } in kinds.iter().filter(|foreseen| foreseen.opened > 0) {
            line(page, format_args!("    {opened:>8} of {kind}"));
        }
    }
    let sealed = kinds.iter().filter(|foreseen| foreseen.numbers > foreseen.opened);
    let names = sealed.clone().map(|foreseen| foreseen.kind).collect::<Vec<_>>().join(", ");
    let numbers: usize = sealed.map(|foreseen| foreseen.numbers - foreseen.opened).sum();
    line(page, format_args!("  the sites alone: about {numbers} numbers of {names}"));
    line(
        page,
        format_args!("  The coordinator gets the rest as a release: counts below {minimum_cell} hidden, but for 0,"),
    );
    line(page, format_args!("  curves stepping where {minimum_leavers} patients of an arm have left;"));
    line(page, format_args!("  {}.", curves.sentence()));
    let variables = findings.columns.len();
    line(
        page,
        format_args!(
            "  Each patient has {variables} values in the data dictionary: the more numbers beside patients x"
        ),
    );
    line(
        page,
        format_args!(
            "  {variables}, the more can be worked out. The results say both; docs/threat-model.md says what was tried."
        ),
    );
}

fn own(page: &mut String, findings: &Findings) {
    let Some(own) = &findings.own else { return };
    let minimum = findings.minimum_cell;
    line(page, format_args!("\nThis site's own counts in round 1 (the study opens sums over all sites alone;"));
    line(page, format_args!("* marks a count from 1 to {} here):", minimum.saturating_sub(1)));
    for count in own {
        let columns = match count.counted {
            Counted::Everybody { .. } => " (control, treated, neither)",
            Counted::Arms { .. } => " (control, treated)",
            Counted::Together(_) => "",
        };
        let shown = |n: &f64| if findings.is_small(*n) { format!("{n}*") } else { format!("{n}") };
        let values: Vec<String> = count.counted.values().iter().map(shown).collect();
        line(page, format_args!("  {:<48} {}", format!("{}{columns}", count.of), values.join("  ")));
    }
    for warning in &findings.warnings {
        line(page, format_args!("  warning: {warning}"));
    }
}

fn noticed(page: &mut String, findings: &Findings) {
    if findings.warnings.is_empty() {
        return;
    }
    line(page, format_args!("\nNoticed in this site's file:"));
    for warning in &findings.warnings {
        line(page, format_args!("  {:<22} {warning}", warning.code()));
    }
}

fn verdicts(page: &mut String, findings: &Findings) {
    line(page, format_args!("\nThis site's policy, rule by rule:"));
    for (rule, verdict) in &findings.verdicts {
        let verdict = match verdict {
            Verdict::Holds => "holds".to_owned(),
            Verdict::Refuses(refusal) => format!("REFUSES: {refusal}"),
            Verdict::Later => format!("is checked {}", rule.when().words()),
        };
        line(page, format_args!("  {:<28} {verdict}", rule.id()));
        line(page, format_args!("  {:<28} {}", "", rule.sentence()));
    }
    line(page, format_args!("Values of this site that do not fit the dictionary: {}.", findings.bad_values.words()));
    match &findings.against {
        None => line(page, format_args!("Nothing that can be said now stands against an approval.")),
        Some(Against::Policy) => line(page, format_args!("It cannot be approved here.")),
        Some(Against::Other(other)) => line(page, format_args!("It cannot be approved here: {other}.")),
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    writeln!(page, "{text}").expect("a text grows");
}
