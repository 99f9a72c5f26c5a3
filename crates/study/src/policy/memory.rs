//! What a site remembers of the runs that it approved, and how near a new one may come to them.
//!
//! Sums over two sets of patients that differ by one patient give that patient's values; sums over two rosters that
//! differ by one site give that site's. So a site keeps, for each run, which patients it analysed: marks that are
//! salted with a secret of the site and lead back to no identifier.

use std::collections::BTreeSet;

use secagg::canonical::CanonicalError;
use secagg::{Canonical, Digest, PublicIdentity, Reader};

use super::{Policy, PolicyRefusal};
use crate::manifest::Manifest;
use crate::plan::Plan;
use crate::protocol::{Protocol, TimeColumn, TimeGrid, narrowest};

const LABEL: &str = "entente/v1/remembered run/2";

/// Stands for one patient in a site's memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(pub [u8; 16]);

impl Mark {
    /// The mark of a patient's key under the site's secret.
    pub fn new(salt: &[u8; 32], key: &str) -> Mark {
        let digest = Canonical::new("entente/v1/patient mark").array(salt).str(key).digest();
        let mut mark = [0; 16];
        mark.copy_from_slice(&digest.0[..16]);
        Mark(mark)
    }
}

/// An outcome of a run: which days it tells apart on which column.
#[derive(Debug, Clone, PartialEq)]
pub struct Timed {
    /// Name of the days variable, which is a column of the site's file.
    pub time: String,
    /// Name of the outcome.
    pub outcome: String,
    /// Its cells and its horizon.
    pub grid: TimeGrid,
}

impl Timed {
    fn all(protocol: &Protocol) -> Vec<Timed> {
        let columns = protocol.time_columns();
        let of = |column: &TimeColumn| {
            let time = protocol.dictionary.variable(column.time).name.clone();
            let grids = protocol.grids_of(column).into_iter();
            let timed = |(outcome, grid): (usize, TimeGrid)| Timed {
                time: time.clone(),
                outcome: protocol.outcomes[outcome].name.clone(),
                grid,
            };
            grids.map(timed).collect::<Vec<_>>()
        };
        columns.iter().flat_map(of).collect()
    }
}

/// What a site remembers of one run.
#[derive(Clone, PartialEq)]
pub struct Remembered {
    /// Id of the study.
    pub study: String,
    /// Name of the run.
    pub run: String,
    /// Digest of the manifest.
    pub manifest: Digest,
    /// Identity keys of the roster.
    pub roster: Vec<PublicIdentity>,
    /// Columns of each model, for people: outcome, model and terms.
    pub models: Vec<String>,
    /// What the run tells of time: its outcomes by time column.
    pub times: Vec<Timed>,
    /// Marks of the analysed patients: of the main analysis, then of each scenario.
    pub cohorts: Vec<BTreeSet<Mark>>,
}

impl std::fmt::Debug for Remembered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Remembered({}, {} cohorts)", self.run, self.cohorts.len())
    }
}

impl Remembered {
    /// What is to be remembered of a run.
    pub fn new(manifest: &Manifest, protocol: &Protocol, cohorts: Vec<BTreeSet<Mark>>) -> Remembered {
        Remembered {
            study: manifest.study.clone(),
            run: manifest.name(),
            manifest: manifest.digest(),
            roster: manifest.roster.identities(),
            models: models(protocol),
            times: Timed::all(protocol),
            cohorts,
        }
    }

    /// Canonical bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        Canonical::new(LABEL)
            .str(&self.study)
            .str(&self.run)
            .digest_field(&self.manifest)
            .list(&self.roster, |out, key| out.array(&key.0))
            .list(&self.models, |out, model| out.str(model))
            .list(&self.times, |out, timed| {
                let Timed { time, outcome, grid: TimeGrid { days, horizon_days } } = timed;
                out.str(time).str(outcome).f64(*days).u32(*horizon_days)
            })
            .list(&self.cohorts, |out, marks| out.list(marks, |out, mark| out.array(&mark.0)))
            .finish()
    }

    /// Reads canonical bytes.
    pub fn from_bytes(bytes: &[u8]) -> Result<Remembered, CanonicalError> {
        let mut r = Reader::new(bytes, LABEL)?;
        let remembered = Remembered {
            study: r.str()?.to_owned(),
            run: r.str()?.to_owned(),
            manifest: r.digest()?,
            roster: r.list(|r| Ok(PublicIdentity(r.array()?)))?,
            models: r.list(|r| Ok(r.str()?.to_owned()))?,
            times: r.list(|r| {
                let (time, outcome) = (r.str()?.to_owned(), r.str()?.to_owned());
                Ok(Timed { time, outcome, grid: TimeGrid { days: r.f64()?, horizon_days: r.u32()? } })
            })?,
            cohorts: r.list(|r| Ok(r.list(|r| Ok(Mark(r.array()?)))?.into_iter().collect()))?,
        };
        r.finish()?;
        Ok(remembered)
    }

    /// By how many patients each cohort of this run differs here from those of an earlier one. A cohort that the earlier
    /// run has as well counts once, as 0: its sums are known already. Cohorts of other studies without a common patient
    /// have nothing to do with each other.
    fn differences(&self, earlier: &Remembered) -> Vec<usize> {
        let mut found = Vec::new();
        for own in &self.cohorts {
            let related = |other: &&BTreeSet<Mark>| self.study == earlier.study || !own.is_disjoint(other);
            let each = earlier.cohorts.iter().filter(related).map(|other| own.symmetric_difference(other).count());
            let each: Vec<usize> = each.collect();
            if each.contains(&0) { found.push(0) } else { found.extend(each) }
        }
        found
    }

    fn same_roster(&self, earlier: &Remembered) -> bool {
        let set = |run: &Remembered| run.roster.iter().map(|key| key.0).collect::<BTreeSet<_>>();
        set(self) == set(earlier)
    }
}

impl Policy {
    /// Holds a run that is to be approved against all that were approved before: number of runs of the study, and
    /// analysed patients of this site.
    pub fn check_memory(&self, run: &Remembered, earlier: &[Remembered]) -> Result<(), PolicyRefusal> {
        self.check_runs(run, earlier)?;
        self.check_nearness(run, earlier)
    }

    /// The number of runs of the study alone.
    pub fn check_runs(&self, run: &Remembered, earlier: &[Remembered]) -> Result<(), PolicyRefusal> {
        let others = earlier.iter().filter(|e| e.manifest != run.manifest && e.study == run.study).count();
        if others >= self.maximum_runs as usize {
            return Err(PolicyRefusal::Runs { study: run.study.clone(), maximum: self.maximum_runs });
        }
        Ok(())
    }

    /// The analysed patients alone.
    pub fn check_nearness(&self, run: &Remembered, earlier: &[Remembered]) -> Result<(), PolicyRefusal> {
        if self.allow_differencing {
            return Ok(());
        }
        for other in earlier.iter().filter(|e| e.manifest != run.manifest) {
            let differences = run.differences(other);
            if differences.iter().any(|n| (1..self.minimum_cell as usize).contains(n)) {
                return Err(PolicyRefusal::NearRun { run: other.run.clone(), minimum: self.minimum_cell });
            }
            let hidden = self.minimum_cell.max(1) as usize;
            if differences.iter().any(|n| *n < hidden) {
                self.check_days(run, other)?;
            }
            if !run.same_roster(other) && differences.iter().any(|n| *n < hidden) {
                return Err(PolicyRefusal::OtherRoster { run: other.run.clone() });
            }
        }
        Ok(())
    }
}

impl Policy {
    /// The days that two runs over nearly the same patients tell together.
    fn check_days(&self, run: &Remembered, earlier: &Remembered) -> Result<(), PolicyRefusal> {
        for timed in &run.times {
            let others = earlier.times.iter().filter(|other| other.time == timed.time);
            let grids: Vec<((), TimeGrid)> = others.chain([timed]).map(|timed| ((), timed.grid)).collect();
            if narrowest(&grids, self.finest_grid_days as u32).is_some() {
                let (run, time, outcome) = (earlier.run.clone(), timed.time.clone(), timed.outcome.clone());
                return Err(PolicyRefusal::GridOfRuns { run, time, outcome });
            }
        }
        Ok(())
    }
}

/// Outcome, model and columns of every model of a protocol and its scenarios.
fn models(protocol: &Protocol) -> Vec<String> {
    let plan = Plan::new(std::sync::Arc::new(protocol.clone()));
    let branches = std::iter::once(plan.main()).chain(plan.scenarios().map(|(_, branch)| branch));
    let keys = branches.flat_map(|branch| branch.fits().map(|(key, _)| (branch.protocol(), key)));
    keys.map(|(protocol, key)| {
        let terms: Vec<String> = key.terms.iter().map(|term| term.name(protocol)).collect();
        format!("{} {}: {}", key.outcome, key.model_name(), terms.join(", "))
    })
    .collect()
}
