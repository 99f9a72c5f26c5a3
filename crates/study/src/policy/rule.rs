//! The rules that a policy is made of.

/// One rule of a site's policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Smallest roster.
    MinimumSites,
    /// Fewest analysed patients over all sites.
    MinimumPatients,
    /// Smallest count over all sites.
    MinimumCell,
    /// Smallest count of two levels at once.
    MinimumPair,
    /// Analysed patients for each parameter of a model.
    RowsPerParameter,
    /// Events for each parameter of a model.
    EventsPerParameter,
    /// Finest time grid.
    FinestGridDays,
    /// Fewest leavers in a cell of a released curve.
    MinimumLeavers,
    /// What the coordinator opens.
    Opening,
    /// What curves are made of.
    Curves,
    /// Variables that may be used.
    Variables,
    /// Rounds of one run.
    MaximumRounds,
    /// Runs of one study.
    MaximumRuns,
    /// Cohorts that differ by a few patients.
    Differencing,
    /// People who approve.
    Approvals,
    /// Validity of an approval.
    ApprovalDays,
}

impl Rule {
    /// All rules, in the order in which they are checked and documented.
    pub const ALL: [Rule; 16] = [
        Rule::MinimumSites,
        Rule::MinimumPatients,
        Rule::MinimumCell,
        Rule::MinimumPair,
        Rule::RowsPerParameter,
        Rule::EventsPerParameter,
        Rule::FinestGridDays,
        Rule::MinimumLeavers,
        Rule::Opening,
        Rule::Curves,
        Rule::Variables,
        Rule::MaximumRounds,
        Rule::MaximumRuns,
        Rule::Differencing,
        Rule::Approvals,
        Rule::ApprovalDays,
    ];

    /// Stable id, as refusals name it.
    pub fn id(self) -> &'static str {
        match self {
            Rule::MinimumSites => "policy.minimum_sites",
            Rule::MinimumPatients => "policy.minimum_patients",
            Rule::MinimumCell => "policy.minimum_cell",
            Rule::MinimumPair => "policy.minimum_pair",
            Rule::RowsPerParameter => "policy.rows_per_parameter",
            Rule::EventsPerParameter => "policy.events_per_parameter",
            Rule::FinestGridDays => "policy.finest_grid_days",
            Rule::MinimumLeavers => "policy.minimum_leavers",
            Rule::Opening => "policy.opening",
            Rule::Curves => "policy.curves",
            Rule::Variables => "policy.variables",
            Rule::MaximumRounds => "policy.maximum_rounds",
            Rule::MaximumRuns => "policy.maximum_runs",
            Rule::Differencing => "policy.differencing",
            Rule::Approvals => "policy.approvals",
            Rule::ApprovalDays => "policy.approval_days",
        }
    }

    /// What it asks for, in one sentence for the people who approve; `docs/operator-guide.md` has the same.
    pub fn sentence(self) -> &'static str {
        match self {
            Rule::MinimumSites => "A study has at least so many sites that this site vouches for.",
            Rule::MinimumPatients => "A model starts only when so many patients are analysed over all sites.",
            Rule::MinimumCell => {
                "The study hides counts below this, and no model tells of fewer patients, unless of none."
            }
            Rule::MinimumPair => "No two levels of two covariates meet in fewer patients than this, unless in none.",
            Rule::RowsPerParameter => "A model has so many analysed patients for each of its parameters.",
            Rule::EventsPerParameter => "A model has so many events for each of its parameters.",
            Rule::FinestGridDays => "Time is cut into cells of at least so many days, by all outcomes together.",
            Rule::MinimumLeavers => "Released times lie apart by so many patients of an arm who leave, or by none.",
            Rule::Opening => "The coordinator opens no more than this by itself.",
            Rule::Curves => "Curves are made of no finer cells than this.",
            Rule::Variables => "A study uses only the variables that this site lists.",
            Rule::MaximumRounds => "A run ends after so many rounds.",
            Rule::MaximumRuns => "One study is approved at most so many times.",
            Rule::Differencing => {
                "No two sets of analysed patients, or of events, differ by a few patients or one site."
            }
            Rule::Approvals => "So many different people approve, each by an account of their own.",
            Rule::ApprovalDays => "An approval ends after so many days.",
        }
    }

    /// When it is checked.
    pub fn when(self) -> When {
        match self {
            Rule::MinimumSites
            | Rule::MinimumCell
            | Rule::FinestGridDays
            | Rule::MinimumLeavers
            | Rule::Opening
            | Rule::Curves
            | Rule::Variables => When::BeforeApproval,
            Rule::MinimumPatients | Rule::MinimumPair | Rule::RowsPerParameter | Rule::EventsPerParameter => {
                When::AfterFirstRound
            }
            Rule::MaximumRuns | Rule::Differencing | Rule::Approvals => When::AtApproval,
            Rule::MaximumRounds | Rule::ApprovalDays => When::EveryRound,
        }
    }
}

/// When a rule is checked first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// From the manifest and the protocol alone; again at every new key agreement.
    BeforeApproval,
    /// With the site's file and what it approved before.
    AtApproval,
    /// On the counts that the first round opened, before any model starts.
    AfterFirstRound,
    /// Whenever the site is asked.
    EveryRound,
}

impl When {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            When::BeforeApproval => "before approval",
            When::AtApproval => "at approval, with the file",
            When::AfterFirstRound => "after the first round, before any model",
            When::EveryRound => "at every round",
        }
    }
}
