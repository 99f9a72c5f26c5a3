//! The plan: the whole analysis as one state machine that every party runs on the same sums.
//!
//! [`Plan::ask`] gives the questions of the next round, [`Plan::tell`] advances on the opened sums. The main analysis and
//! every scenario of the protocol are a [`Branch`] each, and so is every replicate of a bootstrap; all that are under way,
//! and in them all models that are ready, ask in the same round. The plan knows no network, clock, file or random source, so two parties that hold the same
//! protocol and the same sums hold the same plan.

mod baseline;
mod bootstrap;
mod branch;
mod causes;
mod check;
mod curve;
mod design;
mod facts;
mod failure;
mod fine_gray;
mod hint;
mod imputation;
mod incidence;
mod standardise;
mod step;
mod subgroups;
mod trimming;
mod unit;
mod weighting;

use std::sync::Arc;

pub use baseline::BaselineSums;
pub use bootstrap::Bootstrap;
pub use branch::Branch;
pub use causes::Causes;
pub use check::CheckSums;
pub use curve::CurveKey;
pub(crate) use design::combination;
pub use design::{LeftOut, Reason};
pub use facts::{Events, Facts};
pub use failure::{Arms, Failure, Predicted};
pub use hint::Family;
pub use imputation::Imputation;
pub(crate) use imputation::covariates;
pub use incidence::IncidenceKey;
pub use standardise::{Contrast, MeansVariance, Target};
pub use step::ROUND_WORDS;
pub use subgroups::SubgroupCounts;
pub use trimming::Trimming;
pub use unit::{FitKey, FitOutcome};
pub use weighting::{Scores, WeightSummary};

use crate::protocol::{Analysis, AnalysisKind, EffectModifier, Model, Protocol, Scenario};
use crate::term::Term;
use crate::view::{Asked, View};
use step::Step;

/// Version of questions, arithmetic and order; parties with different versions never meet in one study.
pub const PLAN_VERSION: u32 = 8;

/// Where the plan stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Number of the next round, from 1.
    pub round: u32,
    /// Declared models, those of propensity scores included.
    pub models: usize,
    /// Models that are fitted.
    pub fitted: usize,
    /// Models that ended in a typed failure.
    pub failed: usize,
}

/// The replicated plan of one study.
#[derive(Debug, Clone)]
pub struct Plan {
    protocol: Arc<Protocol>,
    round: u32,
    main: Branch,
    scenarios: Vec<Branch>,
    bootstrap: Option<Bootstrap>,
    step: Step,
    questions: Arc<[Asked]>,
    words: usize,
}

impl Plan {
    /// The plan of a protocol before its first round.
    pub fn new(protocol: Arc<Protocol>) -> Plan {
        let mut main = Branch::new(Arc::clone(&protocol), None, View::default());
        let scenario = |(index, scenario): (usize, &Scenario)| Branch::of_scenario(index, scenario);
        let mut scenarios: Vec<Branch> = protocol.scenarios.iter().enumerate().map(scenario).collect();
        let models = main.number(0);
        scenarios.iter_mut().fold(models, |first, branch| branch.number(first));
        let bootstrap = protocol.bootstrap.as_ref().map(Bootstrap::new);
        let (step, questions) = (Step::default(), Arc::default());
        let mut plan = Plan { protocol, round: 1, main, scenarios, bootstrap, step, questions, words: 0 };
        plan.collect();
        plan.prepare();
        plan
    }

    fn branches(&self) -> impl Iterator<Item = &Branch> {
        std::iter::once(&self.main).chain(&self.scenarios)
    }

    /// The questions of the next round; empty when the plan is done.
    pub fn ask(&self) -> &Arc<[Asked]> {
        &self.questions
    }

    /// Number of words of the next round.
    pub fn words(&self) -> usize {
        self.words
    }

    /// Number of words of this round and of those that belong together with it.
    pub fn step_words(&self) -> usize {
        self.step.words()
    }

    /// Collects what all branches ask next.
    fn collect(&mut self) {
        let replicates = self.bootstrap.iter().flat_map(Bootstrap::ask);
        let questions: Vec<Asked> = self.branches().flat_map(Branch::ask).chain(replicates).collect();
        self.step = Step::new(questions, &self.protocol);
    }

    fn prepare(&mut self) {
        (self.questions, self.words) = self.step.round();
    }

    /// Advances on the opened sums of the round that [`Plan::ask`] asked.
    ///
    /// # Panics
    /// When the number of sums is not [`Plan::words`]: the caller checks lengths before.
    pub fn tell(&mut self, sums: &[f64]) {
        assert_eq!(sums.len(), self.words, "the caller checks the number of words");
        self.round += 1;
        if let Some(sums) = self.step.tell(sums) {
            self.advance(&sums);
            self.collect();
        }
        self.prepare();
    }

    fn advance(&mut self, sums: &[f64]) {
        let mut rest = self.main.tell(sums);
        for scenario in &mut self.scenarios {
            rest = scenario.tell(rest);
        }
        if let Some(bootstrap) = &mut self.bootstrap {
            rest = bootstrap.tell(rest);
            self.main.shared_facts().into_iter().for_each(|facts| bootstrap.begin(facts));
        }
        assert!(rest.is_empty(), "every branch takes what it asked for");
    }

    /// Is there nothing left to ask?
    pub fn done(&self) -> bool {
        self.questions.is_empty()
    }

    /// Where the plan stands.
    pub fn progress(&self) -> Progress {
        let draws = self.branches().filter_map(Branch::imputation).flat_map(Imputation::draws);
        let outcomes: Vec<_> = self.branches().chain(draws).flat_map(Branch::fits).map(|(_, o)| o).collect();
        Progress {
            round: self.round,
            models: outcomes.len(),
            fitted: outcomes.iter().filter(|o| matches!(o, Some(FitOutcome::Fitted(_)))).count(),
            failed: outcomes.iter().filter(|o| matches!(o, Some(FitOutcome::Failed(_)))).count(),
        }
    }

    /// The protocol it was made from.
    pub fn protocol(&self) -> &Arc<Protocol> {
        &self.protocol
    }

    /// The main analysis.
    pub fn main(&self) -> &Branch {
        &self.main
    }

    /// Every scenario with its analysis, in the order of the protocol.
    pub fn scenarios(&self) -> impl ExactSizeIterator<Item = (&Scenario, &Branch)> {
        self.protocol.scenarios.iter().zip(&self.scenarios)
    }

    /// The replicates of the main analysis.
    pub fn bootstrap(&self) -> Option<&Bootstrap> {
        self.bootstrap.as_ref()
    }
}

/// Design columns of a model, in the order of its coefficients.
fn model_terms(protocol: &Protocol, analysis: &Analysis, model: Model, modifier: Option<&EffectModifier>) -> Vec<Term> {
    let mut terms = Vec::new();
    if analysis.kind == AnalysisKind::Logistic {
        terms.push(Term::Intercept);
    }
    terms.push(Term::Treatment);
    let adjusted = matches!(
        model,
        Model::Adjusted | Model::Stratified | Model::IptwAdjusted | Model::Interaction | Model::Firth | Model::Ridge
    );
    if adjusted {
        terms.extend(analysis.covariates.iter().flat_map(|id| Term::of_variable(protocol, *id)));
    }
    if let Some(modifier) = modifier {
        let columns = Term::of_variable(protocol, modifier.variable);
        for column in &columns {
            if !terms.contains(column) {
                terms.push(column.clone());
            }
        }
        terms.extend(columns.into_iter().map(|l| Term::Product(Box::new(Term::Treatment), Box::new(l))));
    }
    terms
}
