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
    /// What curves are made of.
    pub curves: ReleasedCurves,
}

impl Default for ReleaseRules {
    fn default() -> Self {
        ReleaseRules {
            opening: ReleaseOpening::Results,
            minimum_cell: 5,
            minimum_leavers: 5,
            curves: ReleasedCurves::Grid,
        }
    }
}

/// What the coordinator opens by itself; everything else it gets as a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReleaseOpening {
    /// Log likelihoods, scores, information and sandwich sums of the models that it fits again ([`crate::refit`]).
    Totals,
    /// Nothing.
    Results,
}

impl ReleaseOpening {
    /// Both, the more open first.
    pub const ALL: [ReleaseOpening; 2] = [ReleaseOpening::Totals, ReleaseOpening::Results];

    /// What it costs and what it gives, for the people who decide.
    pub fn sentence(self) -> &'static str {
        match self {
            ReleaseOpening::Totals => {
                "the coordinator reads log likelihoods, scores and information of the models at every step, from which \
                 somebody who knows nearly everything of a patient can work out the rest; in return it fits the models \
                 itself and publishes no release that differs"
            }
            ReleaseOpening::Results => {
                "the coordinator reads no sum; that the release follows from the sums is what all sites sign"
            }
        }
    }

    /// Name in protocol and policy.
    pub fn name(self) -> &'static str {
        match self {
            ReleaseOpening::Totals => "totals",
            ReleaseOpening::Results => "results",
        }
    }
}

/// From which table a released curve, and everything that is made of it, is estimated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReleasedCurves {
    /// From who leaves in each cell of the declared grid.
    Grid,
    /// From who leaves in each cell between two times that are given out.
    Merged,
}

impl ReleasedCurves {
    /// Both, the more telling first.
    pub const ALL: [ReleasedCurves; 2] = [ReleasedCurves::Grid, ReleasedCurves::Merged];

    /// What it costs and what it gives, for the people who decide.
    pub fn sentence(self) -> &'static str {
        match self {
            ReleasedCurves::Grid => {
                "curves are exact on the grid of time; from all their digits somebody can work out who leaves in which cell \
                 of the grid between two times that are given out"
            }
            ReleasedCurves::Merged => {
                "curves count whoever leaves between two times that are given out at the later one, and tell nothing that \
                 the counts beside them do not"
            }
        }
    }

    /// Name in protocol and policy.
    pub fn name(self) -> &'static str {
        match self {
            ReleasedCurves::Grid => "grid",
            ReleasedCurves::Merged => "merged",
        }
    }
}
