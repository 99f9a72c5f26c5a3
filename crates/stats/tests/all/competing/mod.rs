//! Competing risks: pooled R, other estimators in the same library, and itself under any split.

mod edges;
mod golden;
mod metamorphic;

use stats::competing::{
    CauseRows, CauseTable, FineGrayRows, Subdistribution, cause_table, cause_table_len, fine_gray_residuals,
    fine_gray_risk, fine_gray_risk_len, fine_gray_step,
};
use stats::cox::{Ties, step_len};
use stats::fit::{FineGrayAsk, FineGrayFit, Fit, MeatRequest, State, Why};
use stats::influence::{PropensityRows, meat, meat_len};
use stats::total::{Plain, Total};

use crate::sites::{self, Propensity, centred, design};
use crate::table::{Golden, Table};

/// The rows of a question with competing risks.
#[derive(Clone, Default)]
struct Rows {
    columns: Vec<Vec<f64>>,
    exit: Vec<u32>,
    cause: Vec<u8>,
    treated: Vec<bool>,
    w: Option<Vec<f64>>,
    propensity: Option<Propensity>,
}

impl Rows {
    fn len(&self) -> usize {
        self.exit.len()
    }

    fn pick(&self, order: &[usize]) -> Self {
        Self {
            columns: self.columns.iter().map(|column| order.iter().map(|&i| column[i]).collect()).collect(),
            exit: order.iter().map(|&i| self.exit[i]).collect(),
            cause: order.iter().map(|&i| self.cause[i]).collect(),
            treated: order.iter().map(|&i| self.treated[i]).collect(),
            w: self.w.as_ref().map(|w| order.iter().map(|&i| w[i]).collect()),
            propensity: sites::Rows { propensity: self.propensity.clone(), ..sites::Rows::default() }
                .pick(order)
                .propensity,
        }
    }

    /// The rows of each of `sites` sites, of which `site` names one per row.
    fn split(&self, sites: usize, site: impl Fn(usize) -> usize) -> Vec<Self> {
        (0..sites).map(|k| self.pick(&(0..self.len()).filter(|&i| site(i) == k).collect::<Vec<_>>())).collect()
    }

    fn unweighted(&self) -> Self {
        Self { w: None, ..self.clone() }
    }

    /// Columns centred, with their standard deviations.
    fn centred(self) -> (Self, Vec<f64>) {
        let (columns, _, scale) = centred(&self.columns);
        (Self { columns, ..self }, scale)
    }
}

/// The cells that hold every row.
fn cells(sites: &[Rows]) -> usize {
    sites.iter().flat_map(|site| &site.exit).max().map_or(0, |last| *last as usize + 1)
}

/// The table of two causes over all sites.
fn table(sites: &[Rows]) -> CauseTable {
    let (cells, weighted) = (cells(sites), sites[0].w.is_some());
    let words = cause_table_len(cells, 2, weighted);
    let sums = summed(sites, words, |site, total| {
        let rows = CauseRows { exit: &site.exit, cause: &site.cause, treated: &site.treated, w: site.w.as_deref() };
        cause_table(&rows, cells, 2, total);
    });
    CauseTable::new(cells, 2, weighted, &sums).expect("a table")
}

fn summed(sites: &[Rows], words: usize, mut answer: impl FnMut(&Rows, &mut Plain)) -> Vec<f64> {
    let mut sum = Plain::zero(words);
    for site in sites {
        let mut own = Plain::zero(words);
        answer(site, &mut own);
        sum.add(0, &own.0);
    }
    sum.0
}

fn fine_gray(sites: &[Rows], scale: &[f64], cause: u8, ties: Ties, request: MeatRequest) -> Result<Fit, Why> {
    let p = scale.len();
    let cells = Subdistribution::new(&table(sites), cause, ties);
    let mut fit = FineGrayFit::new(scale.to_vec(), cells, request);
    let with = |site: &Rows, body: &mut dyn FnMut(&FineGrayRows<'_>)| {
        let x = design(&site.columns);
        body(&FineGrayRows { x: &x, exit: &site.exit, cause: &site.cause, w: site.w.as_deref() });
    };
    loop {
        let sums = match fit.state() {
            State::Ask(FineGrayAsk::Risk { cells, beta }) => {
                summed(sites, fine_gray_risk_len(p, cells), |site, total| {
                    with(site, &mut |rows| fine_gray_risk(rows, cells, beta, total));
                })
            }
            State::Ask(FineGrayAsk::Step { cells, curves, beta }) => {
                let mut sums = summed(sites, step_len(p), |site, total| {
                    with(site, &mut |rows| fine_gray_step(rows, cells, curves, beta, total));
                });
                for (sum, correction) in sums.iter_mut().zip(curves.correction()) {
                    *sum += correction;
                }
                sums
            }
            State::Ask(FineGrayAsk::Meat { cells, curves, beta, kind }) => {
                summed(sites, meat_len(p, kind), |site, total| {
                    with(site, &mut |rows| {
                        let residuals = fine_gray_residuals(rows, cells, curves, beta);
                        let z = site.propensity.as_ref().map(|ps| design(&ps.z));
                        let ps = site.propensity.as_ref().zip(z.as_ref()).map(|(ps, z)| PropensityRows {
                            z,
                            treated: &ps.treated,
                            e: &ps.e,
                            scheme: ps.scheme,
                        });
                        meat(&residuals, site.w.as_deref(), kind, ps.as_ref(), total);
                    });
                })
            }
            State::Done(fit) => return Ok(fit.clone()),
            State::Failed(why) => return Err(why.clone()),
        };
        fit.tell(&sums);
    }
}

const MONTH: f64 = 30.4375;

fn exits(days: &[f64], grid: f64) -> Vec<u32> {
    days.iter().map(|t| (t / grid).ceil() as u32).collect()
}

/// Breast cancer: 1 relapse, 2 death without one; chemotherapy, age, meno, size in two columns, hormon.
fn rotterdam(grid: f64) -> Rows {
    let table = Table::read("rotterdam.csv");
    let [t, s, dtime, death, pid] = ["t", "s", "dtime", "death", "pid"].map(|name| table.numbers(name));
    let cause = |i: usize| match (s[i] == 1.0, death[i] == 1.0 && t[i] == dtime[i]) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    };
    let chemo = table.numbers("chemo");
    Rows {
        exit: exits(&t, grid),
        cause: (0..t.len()).map(cause).collect(),
        treated: chemo.iter().map(|a| *a == 1.0).collect(),
        w: Some(pid.iter().map(|pid| 0.5 + pid % 7.0 / 4.0).collect()),
        columns: vec![
            chemo,
            table.numbers("age"),
            table.numbers("meno"),
            table.is("size_c", "20-50"),
            table.is("size_c", ">50"),
            table.numbers("hormon"),
        ],
        propensity: None,
    }
}

/// Relapsed myeloma: 1 progression, 2 death without progression; regimen and age.
fn myeloma(grid: f64) -> Rows {
    let table = Table::read("relapsed-myeloma-596.csv").complete("fish");
    let (event, progression) = (table.numbers("pfs_event"), table.text("progression_date"));
    let cause = |i: usize| match (event[i] == 1.0, progression[i].is_empty()) {
        (false, _) => 0,
        (true, false) => 1,
        (true, true) => 2,
    };
    let regimen = table.is("regimen", "IsaPd");
    Rows {
        exit: exits(&table.numbers("pfs_days"), grid),
        cause: (0..event.len()).map(cause).collect(),
        treated: regimen.iter().map(|a| *a == 1.0).collect(),
        w: Some((1..=event.len()).map(|i| 0.5 + (i % 5) as f64 / 3.0).collect()),
        columns: vec![regimen, table.numbers("age")],
        propensity: None,
    }
}

/// Twenty rows with day 0, ties of every kind and weights.
fn few(golden: &Golden) -> Rows {
    let arm = golden.list("arm");
    Rows {
        exit: exits(&golden.list("time"), 1.0),
        cause: golden.list("cause").iter().map(|cause| *cause as u8).collect(),
        treated: arm.iter().map(|a| *a == 1.0).collect(),
        w: Some(golden.list("w")),
        columns: vec![arm, golden.list("z")],
        propensity: None,
    }
}
