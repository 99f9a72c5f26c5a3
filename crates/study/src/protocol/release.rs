//! What a run gives out, and from how many patients on.

/// `[release]`: who opens what, and the floors of what is given out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReleaseRules {
    /// What the coordinator opens.
    pub opening: ReleaseOpening,
    /// Counts below this are hidden, but for 0.
    pub minimum_cell: u32,
    /// Fewest patients of an arm, unless there are none, who leave between two released times of a curve.
    pub minimum_leavers: u32,
}

impl Default for ReleaseRules {
    fn default() -> Self {
        ReleaseRules { opening: ReleaseOpening::Totals, minimum_cell: 5, minimum_leavers: 5 }
    }
}

/// What the coordinator opens by itself; everything else it gets as a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReleaseOpening {
    /// Log likelihoods, scores, information and sandwich sums of the models.
    Totals,
    /// Nothing.
    Results,
}

impl ReleaseOpening {
    /// Both, the more open first.
    pub const ALL: [ReleaseOpening; 2] = [ReleaseOpening::Totals, ReleaseOpening::Results];

    /// Name in protocol and policy.
    pub fn name(self) -> &'static str {
        match self {
            ReleaseOpening::Totals => "totals",
            ReleaseOpening::Results => "results",
        }
    }
}
