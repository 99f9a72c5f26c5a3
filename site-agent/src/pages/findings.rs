//! The findings about an offered study as sections of a page.

use maud::{Markup, html};
use study::forecast::Foreseen;
use study::layout::MOST_WORDS;
use web::{Scroll, state};

use super::desk::time_of;
use crate::run::{Against, Counted, Findings, OwnCount, Verdict, WORD_BYTES};

/// What it is, and whether it can be approved.
pub(super) fn summary(findings: &Findings, needed: u32) -> Markup {
    html! {
        @match &findings.against {
            None => p.note data-tone="good" {
                "Nothing that can be said now stands against an approval. " a href="#decision" { "Go to the decision" }
            }
            Some(Against::Policy) => p.note data-tone="bad" {
                "This site's policy refuses the study. " a href="#policy" { "See which rule" }
            }
            Some(Against::Other(other)) => p.note data-tone="bad" { "It cannot be approved here: " (other) "." }
        }
        dl.facts {
            dt { "Question" } dd { (findings.question) }
            dt { "Run" } dd { (findings.name) }
            dt { "Protocol" } dd { code { (findings.protocol) } }
            dt { "Manifest" } dd { code { (findings.manifest) } }
            dt { "Offered until" } dd { (time_of(findings.expires)) }
            dt { "Approvals here" }
            dd {
                (findings.people.len()) " of " (needed)
                @for person in &findings.people {
                    ": " bdi { (person.name) } " (account " bdi { (person.account) } "), " (time_of(person.at))
                }
            }
        }
    }
}

/// Who takes part.
pub(super) fn members(findings: &Findings) -> Markup {
    let vouched = findings.members.iter().any(|member| member.vouched.is_some());
    html! {
        h2 { "Who takes part" }
        p {
            "Confirm each fingerprint with its site by another channel, such as the telephone: a coordinator that invents "
            "the other sites could read this site's sums."
        }
        (Scroll { caption: "Sites of the roster" }.table(&html! {
            thead { tr {
                th scope="col" { "Site" } th scope="col" { "Legal name" } th scope="col" { "Fingerprint" }
                @if vouched { th scope="col" { "Policy" } }
            } }
            tbody {
                @for member in &findings.members {
                    tr {
                        th scope="row" { (member.id) }
                        td { bdi { (member.legal_name) } }
                        td.text { code { (member.fingerprint) } }
                        @match member.vouched {
                            Some(true) => td { (state("good", "vouched for")) }
                            Some(false) => td { (state("bad", "not vouched for")) }
                            None => {}
                        }
                    }
                }
            }
        }))
    }
}

/// What is read and who counts.
pub(super) fn data(findings: &Findings) -> Markup {
    html! {
        h2 { "What is read here" }
        (Scroll { caption: "Columns of this site's file" }.table(&html! {
            thead { tr { th scope="col" { "Column" } th scope="col" { "Meaning" } } }
            tbody { @for (name, meaning) in &findings.columns { tr { th scope="row" { code { (name) } } td { (meaning) } } } }
        }))
        (Scroll { caption: "Who counts" }.table(&html! {
            thead { tr { th scope="col" { "Criterion" } th scope="col" { "Expression" } } }
            tbody {
                @for (meaning, expression) in &findings.criteria {
                    tr { th scope="row" { (meaning) } td.text { code { (expression) } } }
                }
            }
        }))
        @for (name, meaning) in &findings.scenarios {
            p { "And once more for scenario " code { (name) } ": " (meaning) }
        }
    }
}

/// What would leave.
pub(super) fn questions(findings: &Findings) -> Markup {
    let kinds = &findings.forecast.kinds;
    let opened = listed(kinds, |foreseen| foreseen.opened);
    let sealed = listed(kinds, |foreseen| foreseen.numbers - foreseen.opened);
    html! {
        h2 { "What would leave" }
        p { "Every number leaves under masks and is opened as a sum over all sites alone. No row leaves." }
        (Scroll { caption: "Round 1" }.table(&html! {
            thead { tr {
                th scope="col" { "Question" } th scope="col" class="number" { "Numbers" } th scope="col" { "In plain words" }
            } }
            tbody {
                @for asked in &findings.first {
                    tr {
                        th scope="row" { (asked.kind) }
                        td.number { (asked.words) }
                        td.text { (asked.sentence) }
                    }
                }
            }
        }))
        @if findings.first_of_scenarios > 0 {
            p { "And " (findings.first_of_scenarios) " such questions about the patients of the scenarios." }
        }
        (Scroll { caption: "Later rounds" }.table(&html! {
            thead { tr {
                th scope="col" { "Question" } th scope="col" class="number" { "From round" }
                th scope="col" class="number" { "How often" } th scope="col" class="number" { "Numbers each" }
                th scope="col" { "In plain words" }
            } }
            tbody { @for foreseen in findings.forecast.kinds.iter().filter(|f| f.round > 1) { (later(foreseen)) } }
        }))
        p.help {
            "As a run on invented patients shows, which took " (findings.forecast.rounds) " rounds. Real ones differ where a "
            "model needs more or fewer steps."
        }
        @for draws in &findings.draws { p { "Of these for " (draws) "." } }
        @if !findings.draws.is_empty() {
            p { "About " (findings.forecast.drawn) " numbers are about what is drawn; the sites alone open all of them." }
        }
        p {
            "Together about " (findings.forecast.numbers()) " numbers, " (megabytes(findings.forecast.numbers()))
            " from each site under masks; the largest round is round " (findings.forecast.largest.0) " with "
            (findings.forecast.largest.1) " numbers, " (megabytes(findings.forecast.largest.1)) "."
            @if findings.forecast.largest.1 > MOST_WORDS {
                " That is more than a round can carry (" (MOST_WORDS) "): the run would end there."
            }
            @for kind in &findings.forecast.beyond {
                " " (kind) " fits no number for the ranges of the dictionary: the run may end there."
            }
        }
        h3 { "Who can open the sums" }
        p {
            "The sites open every sum over all sites; the coordinator opens those of the list under opening = "
            (findings.release.opening.name()) ": " (findings.release.opening.sentence()) ". It gets the rest as a release: counts below " (findings.release.minimum_cell) " hidden, but for 0, curves stepping where "
            (findings.release.minimum_leavers) " patients of an arm have left; " (findings.release.curves.sentence()) "."
        }
        dl.facts {
            dt { "Opened by the coordinator too" } dd { (opened) }
            dt { "Opened by the sites alone" } dd { (sealed) }
        }
    }
}

/// "about 11912 numbers: LogisticStep, CoxStep" of the kinds with such numbers.
fn listed(kinds: &[Foreseen], numbers: impl Fn(&Foreseen) -> usize) -> String {
    let all: usize = kinds.iter().map(&numbers).sum();
    if all == 0 {
        return "nothing".to_owned();
    }
    let names = kinds.iter().filter(|kind| numbers(kind) > 0).map(|kind| kind.kind).collect::<Vec<_>>();
    format!("about {all} numbers: {}", names.join(", "))
}

fn megabytes(numbers: usize) -> String {
    format!("{:.2} MB", (numbers * WORD_BYTES) as f64 / 1e6)
}

fn later(foreseen: &Foreseen) -> Markup {
    let (least, most) = foreseen.words;
    html! {
        tr {
            th scope="row" { (foreseen.kind) }
            td.number { (foreseen.round) }
            td.number { @if foreseen.repeated { "about " } (foreseen.questions) }
            td.number { @if least != most { (least) " to " } (most) }
            td.text { (foreseen.sentence) }
        }
    }
}

/// This site's own counts.
pub(super) fn own(findings: &Findings) -> Markup {
    let Some(own) = &findings.own else { return html! {} };
    html! {
        h3 { "This site's own counts in round 1" }
        p {
            "They are shown here alone; the study opens sums over all sites. Counts below " (findings.minimum_cell)
            " are marked as small, unless they are 0."
        }
        (Scroll { caption: "Patients of this site" }.table(&html! {
            thead { tr {
                th scope="col" { "Count of" } th scope="col" class="number" { "Control" }
                th scope="col" class="number" { "Treated" } th scope="col" class="number" { "Neither" }
                th scope="col" class="number" { "Together" }
            } }
            tbody { @for count in own { (own_row(findings, count)) } }
        }))
    }
}

fn own_row(findings: &Findings, count: &OwnCount) -> Markup {
    let cells = match count.counted {
        Counted::Everybody { control, treated, neither } => [Some(control), Some(treated), Some(neither), None],
        Counted::Arms { control, treated } => [Some(control), Some(treated), None, None],
        Counted::Together(together) => [None, None, None, Some(together)],
    };
    html! {
        tr {
            th scope="row" { (count.of) }
            @for cell in cells {
                @match cell {
                    Some(n) if findings.is_small(n) => td.number.small { (n) " small" }
                    Some(n) => td.number { (n) }
                    None => td {}
                }
            }
        }
    }
}

/// The site's policy, rule by rule.
pub(super) fn verdicts(findings: &Findings) -> Markup {
    html! {
        h2 id="policy" { "This site's policy" }
        (Scroll { caption: "Rule by rule" }.table(&html! {
            thead { tr { th scope="col" { "Rule" } th scope="col" { "Says" } th scope="col" { "Now" } } }
            tbody {
                @for (rule, verdict) in &findings.verdicts {
                    tr {
                        th scope="row" { (rule.id()) }
                        td.text { (rule.sentence()) }
                        td {
                            @match verdict {
                                Verdict::Holds => (state("good", "holds")),
                                Verdict::Later => span.faint { "is checked " (rule.when().words()) },
                                Verdict::Refuses(refusal) => { (state("bad", "refuses")) " " (refusal) }
                            }
                        }
                    }
                }
            }
        }))
        p { "Values of this site that do not fit the dictionary: " (findings.bad_values.words()) "." }
    }
}
