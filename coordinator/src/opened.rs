//! What a run has opened to the coordinator, question kind by question kind: the plan replayed over the journal.

use std::collections::BTreeMap;
use std::sync::Arc;

use secagg::open_unsealed;
use study::machine::coordinator::CoordinatorRecord;
use study::plan::Plan;
use study::protocol::Protocol;
use study::word;

/// Questions of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// How many were asked.
    pub questions: u64,
    /// How many numbers were opened, as sums over all sites.
    pub numbers: u64,
    /// What such a sum tells whoever opens it.
    pub sentence: &'static str,
}

/// Kinds by name.
pub type Kinds = BTreeMap<&'static str, Kind>;

/// What each round of a run opened, in order of the rounds. The records must be those of this protocol.
pub fn rounds(protocol: Arc<Protocol>, sites: usize, records: &[CoordinatorRecord]) -> Vec<Kinds> {
    let mut plan = Plan::new(protocol);
    let mut rounds = Vec::new();
    for record in records {
        let CoordinatorRecord::Opened { result, .. } = record else { continue };
        if result.sum.words.len() != plan.words() {
            break;
        }
        rounds.push(asked(&plan));
        let words: Vec<i128> = open_unsealed(&result.sum, &[]).into_iter().map(Option::unwrap_or_default).collect();
        plan.tell(&word::read(&words, sites));
    }
    rounds
}

/// All rounds together.
pub fn total(rounds: &[Kinds]) -> Kinds {
    let mut total = Kinds::new();
    for (name, kind) in rounds.iter().flatten() {
        add(&mut total, name, *kind);
    }
    total
}

fn asked(plan: &Plan) -> Kinds {
    let mut kinds = Kinds::new();
    for asked in plan.ask().iter() {
        let numbers = asked.words(plan.protocol()) as u64;
        add(&mut kinds, asked.question.kind(), Kind { questions: 1, numbers, sentence: asked.question.sentence() });
    }
    kinds
}

fn add(kinds: &mut Kinds, name: &'static str, more: Kind) {
    kinds
        .entry(name)
        .and_modify(|kind| {
            kind.questions += more.questions;
            kind.numbers += more.numbers;
        })
        .or_insert(more);
}
