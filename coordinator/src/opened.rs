//! How many numbers of a run were opened, by whom, and of which kinds of question: read from the coordinator's ledger.

use std::collections::BTreeMap;

use study::layout::Layout;
use study::machine::coordinator::CoordinatorRecord;

/// Numbers over all sites, by who opened them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Numbers {
    /// Opened by the coordinator.
    pub opened: u64,
    /// Added by the coordinator, opened by the sites alone.
    pub sealed: u64,
}

impl Numbers {
    fn add(&mut self, more: Numbers) {
        self.opened += more.opened;
        self.sealed += more.sealed;
    }
}

/// Numbers by kind of question.
pub type Kinds = BTreeMap<String, Numbers>;

/// What the rounds of a run opened so far.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tally {
    /// Layout of the newest request.
    asked: Layout,
    rounds: Vec<Kinds>,
}

impl Tally {
    /// Takes the next record of the ledger.
    pub fn add(&mut self, record: &CoordinatorRecord) {
        match record {
            CoordinatorRecord::Requested { open } => self.asked = open.layout.clone(),
            CoordinatorRecord::Opened { .. } => self.rounds.push(kinds(&self.asked)),
            CoordinatorRecord::Approved { .. }
            | CoordinatorRecord::Withdrawn { .. }
            | CoordinatorRecord::Epoch { .. }
            | CoordinatorRecord::Agreed { .. }
            | CoordinatorRecord::Refused { .. }
            | CoordinatorRecord::Compared { .. }
            | CoordinatorRecord::Released { .. }
            | CoordinatorRecord::Closed { .. } => {}
        }
    }

    /// Layout of the newest request.
    pub fn asked(&self) -> &Layout {
        &self.asked
    }

    /// The kinds of each round, in order.
    pub fn rounds(&self) -> &[Kinds] {
        &self.rounds
    }

    /// The kinds of all rounds together.
    pub fn kinds(&self) -> Kinds {
        let mut all = Kinds::new();
        for (kind, numbers) in self.rounds.iter().flatten() {
            all.entry(kind.clone()).or_default().add(*numbers);
        }
        all
    }

    /// All numbers.
    pub fn numbers(&self) -> Numbers {
        self.rounds.iter().map(numbers).fold(Numbers::default(), |mut all, round| {
            all.add(round);
            all
        })
    }
}

/// All numbers of a round.
pub fn numbers(round: &Kinds) -> Numbers {
    round.values().fold(Numbers::default(), |mut all, kind| {
        all.add(*kind);
        all
    })
}

fn kinds(layout: &Layout) -> Kinds {
    let mut kinds = Kinds::new();
    for segment in layout.segments() {
        let words = u64::from(segment.words);
        let numbers =
            if segment.sealed { Numbers { opened: 0, sealed: words } } else { Numbers { opened: words, sealed: 0 } };
        kinds.entry(segment.kind.to_string()).or_default().add(numbers);
    }
    kinds
}
