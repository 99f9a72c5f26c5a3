//! A federation in a loop: sites answer, plain f64 totals are added, the estimator is told.

use stats::cox::{self, CoxRows, Ties};
use stats::design::Design;
use stats::fit::{
    CoxAsk, CoxFit, Fit, LogisticAsk, LogisticFit, MeatRequest, State, StratifiedCoxAsk, StratifiedCoxFit, Why,
};
use stats::influence::{self, MeatKind, PropensityRows, meat_len};
use stats::logistic::{self, LogisticRows};
use stats::total::{Plain, Total};
use stats::weights::Scheme;

/// Rows of one study or one site, in one order.
#[derive(Clone, Default)]
pub struct Rows {
    pub columns: Vec<Vec<f64>>,
    pub y: Vec<f64>,
    pub exit: Vec<u32>,
    pub event: Vec<bool>,
    pub w: Option<Vec<f64>>,
    pub entry: Option<Vec<u32>>,
    pub propensity: Option<Propensity>,
}

/// Propensity scores of the rows and the model they come from.
#[derive(Clone)]
pub struct Propensity {
    pub z: Vec<Vec<f64>>,
    pub treated: Vec<bool>,
    pub e: Vec<f64>,
    pub scheme: Scheme,
}

impl Rows {
    /// Rows in the given order; an index may occur more than once.
    pub fn pick(&self, order: &[usize]) -> Self {
        Self {
            columns: self.columns.iter().map(|column| picked(column, order)).collect(),
            y: picked(&self.y, order),
            exit: picked(&self.exit, order),
            event: picked(&self.event, order),
            w: self.w.as_ref().map(|w| picked(w, order)),
            entry: self.entry.as_ref().map(|entry| picked(entry, order)),
            propensity: self.propensity.as_ref().map(|ps| Propensity {
                z: ps.z.iter().map(|column| picked(column, order)).collect(),
                treated: picked(&ps.treated, order),
                e: picked(&ps.e, order),
                scheme: ps.scheme,
            }),
        }
    }

    /// One site per name of `names`, in the order of first appearance.
    pub fn split<T: PartialEq + Copy>(&self, names: &[T]) -> Vec<Self> {
        let mut sites: Vec<(T, Vec<usize>)> = Vec::new();
        for (i, name) in names.iter().enumerate() {
            match sites.iter_mut().find(|(known, _)| known == name) {
                Some((_, rows)) => rows.push(i),
                None => sites.push((*name, vec![i])),
            }
        }
        sites.iter().map(|(_, rows)| self.pick(rows)).collect()
    }

    pub fn design(&self) -> Design {
        design(&self.columns)
    }

    pub fn logistic<T>(&self, body: impl FnOnce(&LogisticRows<'_>) -> T) -> T {
        body(&LogisticRows { x: &self.design(), y: &self.y, w: self.w.as_deref() })
    }

    pub fn cox<T>(&self, body: impl FnOnce(&CoxRows<'_>) -> T) -> T {
        let x = self.design();
        let entry = self.entry.as_deref();
        body(&CoxRows { x: &x, exit: &self.exit, event: &self.event, w: self.w.as_deref(), entry })
    }

    fn meat(&self, residuals: &Design, kind: &MeatKind, total: &mut dyn Total) {
        let z = self.propensity.as_ref().map(|ps| design(&ps.z));
        let ps = self.propensity.as_ref().zip(z.as_ref()).map(|(ps, z)| PropensityRows {
            z,
            treated: &ps.treated,
            e: &ps.e,
            scheme: ps.scheme,
        });
        influence::meat(residuals, self.w.as_deref(), kind, ps.as_ref(), total);
    }
}

fn picked<T: Copy>(values: &[T], order: &[usize]) -> Vec<T> {
    if values.is_empty() { Vec::new() } else { order.iter().map(|&i| values[i]).collect() }
}

/// Columns side by side.
pub fn design(columns: &[Vec<f64>]) -> Design {
    let rows = columns.first().map_or(0, Vec::len);
    let values = (0..rows).flat_map(|i| columns.iter().map(move |column| column[i])).collect();
    Design::new(rows, columns.len(), values)
}

/// Columns centred at their means, the means, and the standard deviations.
pub fn centred(columns: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
    let mut result = (Vec::new(), Vec::new(), Vec::new());
    for column in columns {
        let n = column.len() as f64;
        let mean = column.iter().sum::<f64>() / n;
        let shifted: Vec<f64> = column.iter().map(|x| x - mean).collect();
        result.2.push((shifted.iter().map(|x| x * x).sum::<f64>() / n).sqrt());
        result.0.push(shifted);
        result.1.push(mean);
    }
    result
}

/// The same with an intercept in front.
pub fn with_intercept(columns: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<f64>, Vec<f64>) {
    let (mut shifted, mut centre, mut scale) = centred(columns);
    shifted.insert(0, vec![1.0; shifted.first().map_or(0, Vec::len)]);
    centre.insert(0, 0.0);
    scale.insert(0, 1.0);
    (shifted, centre, scale)
}

pub fn naive() -> MeatRequest {
    MeatRequest::none()
}

pub fn robust() -> MeatRequest {
    MeatRequest { kind: MeatKind { robust: true, cluster: false, m_estimation: None }, ..naive() }
}

/// Sums over sites, in the order of the sites.
pub fn summed(sites: &[Rows], words: usize, mut answer: impl FnMut(&Rows, &mut Plain)) -> Vec<f64> {
    let mut sum = Plain::zero(words);
    for site in sites {
        let mut own = Plain::zero(words);
        answer(site, &mut own);
        sum.add(0, &own.0);
    }
    sum.0
}

pub fn fit_logistic(sites: &[Rows], scale: &[f64], meat: MeatRequest) -> Result<Fit, Why> {
    let q = scale.len();
    let mut fit = LogisticFit::new(q, scale.to_vec(), meat);
    loop {
        let sums = match fit.state() {
            State::Ask(LogisticAsk::Step { beta }) => summed(sites, logistic::step_len(q), |site, total| {
                site.logistic(|rows| logistic::step(rows, beta, total));
            }),
            State::Ask(LogisticAsk::Meat { beta, kind }) => summed(sites, meat_len(q, kind), |site, total| {
                let residuals = site.logistic(|rows| logistic::logistic_residuals(rows, beta));
                site.meat(&residuals, kind, total);
            }),
            State::Done(fit) => return Ok(fit.clone()),
            State::Failed(why) => return Err(why.clone()),
        };
        fit.tell(&sums);
    }
}

pub fn fit_cox(sites: &[Rows], scale: &[f64], ties: Ties, meat: MeatRequest) -> Result<Fit, Why> {
    let p = scale.len();
    let cells = sites.iter().flat_map(|site| &site.exit).max().map_or(0, |last| last + 1);
    let deaths = summed(sites, cells as usize, |site, total| {
        site.cox(|rows| cox::deaths(rows, cells as usize, total));
    });
    let weighted = sites.iter().any(|site| site.w.is_some());
    let mut fit = CoxFit::new(p, scale.to_vec(), (0..cells).collect(), deaths, ties, weighted, meat);
    loop {
        let sums = match fit.state() {
            State::Ask(CoxAsk::DeathWeights { cells }) => summed(sites, cells.len(), |site, total| {
                site.cox(|rows| cox::death_weights(rows, cells, total));
            }),
            State::Ask(CoxAsk::Risk { events, beta }) => summed(sites, cox::risk_len(p, events), |site, total| {
                site.cox(|rows| cox::risk(rows, events, beta, total));
            }),
            State::Ask(CoxAsk::Step { events, curves, beta }) => {
                let mut sums = summed(sites, cox::step_len(p), |site, total| {
                    site.cox(|rows| cox::step(rows, events, curves, beta, total));
                });
                for (sum, correction) in sums.iter_mut().zip(curves.correction()) {
                    *sum += correction;
                }
                sums
            }
            State::Ask(CoxAsk::Meat { events, curves, beta, kind }) => {
                summed(sites, meat_len(p, kind), |site, total| {
                    let residuals = site.cox(|rows| cox::score_residuals(rows, events, curves, beta));
                    site.meat(&residuals, kind, total);
                })
            }
            State::Done(fit) => return Ok(fit.clone()),
            State::Failed(why) => return Err(why.clone()),
        };
        fit.tell(&sums);
    }
}

pub fn fit_stratified(sites: &[Rows], scale: &[f64], ties: Ties) -> Result<Fit, Why> {
    let p = scale.len();
    let mut fit = StratifiedCoxFit::new(p, scale.to_vec());
    loop {
        let sums = match fit.state() {
            State::Ask(StratifiedCoxAsk::Step { beta }) => summed(sites, cox::step_len(p), |site, total| {
                site.cox(|rows| cox::stratified_step(rows, ties, beta, total));
            }),
            State::Done(fit) => return Ok(fit.clone()),
            State::Failed(why) => return Err(why.clone()),
        };
        fit.tell(&sums);
    }
}
