//! Rows from equations: damped Gauss-Newton (Levenberg 1944, Marquardt 1963).

use stats::design::Design;
use stats::linear::{LinearRows, normal_equations, normal_equations_len};
use stats::packed::{Factor, packed_at};
use stats::total::Plain;

use super::evidence::Evidence;
use super::rows::Rows;

/// How an attack ended.
#[derive(Debug, Clone)]
pub struct Solution {
    /// The rows that it ended with.
    pub rows: Rows,
    /// Equations and unknowns.
    pub size: (usize, usize),
    /// Steps that were tried.
    pub steps: usize,
    /// Largest difference between an opened number and that of the rows, in units of the change that one standard
    /// deviation in every unknown makes.
    pub misfit: f64,
}

/// Damping at the start, and the smallest that the factor still takes.
const DAMPING: (f64, f64) = (1e-3, 1e-10);

/// Changes the columns `unknown` of `rows` until they explain the evidence, or `steps` are used up. `units` are the
/// standard deviations of these columns.
pub fn solve(evidence: &[Evidence], rows: &Rows, unknown: &[usize], units: &[f64], steps: usize) -> Solution {
    let unknown: Vec<(usize, f64)> = unknown.iter().copied().zip(units.iter().copied()).collect();
    let mut problem = Problem { evidence, unknown, scale: Vec::new() };
    let (mut now, mut damping) = (rows.clone(), DAMPING.0);
    let mut jacobian = problem.jacobian(&now.values);
    problem.scale = scale(&jacobian, problem.unknowns(&now));
    let mut residuals = problem.residuals(&now.values);
    let mut normal = problem.normal(&jacobian, &residuals, &now);
    let mut tried = 0;
    while tried < steps {
        tried += 1;
        let step = normal.step(damping);
        let next = step.as_ref().map(|step| problem.moved(&now, step));
        let better = next.and_then(|rows| {
            let residuals = problem.residuals(&rows.values);
            (square(&residuals) < square(&normal.residuals)).then_some((rows, residuals))
        });
        let Some((rows, left)) = better else {
            damping *= 8.0;
            if damping > 1e8 {
                break;
            }
            continue;
        };
        let settled = step.iter().flatten().all(|d| d.abs() < 1e-9);
        (now, residuals) = (rows, left);
        damping = (damping / 10.0).max(DAMPING.1);
        if settled {
            break;
        }
        jacobian = problem.jacobian(&now.values);
        normal = problem.normal(&jacobian, &residuals, &now);
    }
    let misfit = residuals.iter().fold(0.0, |largest: f64, r| largest.max(r.abs()));
    Solution { size: (residuals.len(), problem.unknowns(&now)), rows: now, steps: tried, misfit }
}

struct Problem<'a> {
    evidence: &'a [Evidence],
    unknown: Vec<(usize, f64)>,
    /// One factor per equation: differences count in units of what the rows could change.
    scale: Vec<f64>,
}

/// J'J packed and J'r; with fewer equations than unknowns J J' packed, and J.
struct Normal {
    gram: Vec<f64>,
    slope: Vec<f64>,
    residuals: Vec<f64>,
    /// Derivatives by unknown.
    turned: Option<Vec<f64>>,
}

impl Problem<'_> {
    fn unknowns(&self, rows: &Rows) -> usize {
        rows.values.len() * self.unknown.len()
    }

    /// Opened minus predicted words, scaled.
    fn residuals(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        let difference = |evidence: &Evidence| {
            let predicted = evidence.predict(rows);
            evidence.words.iter().zip(predicted).map(|(word, predicted)| word - predicted).collect::<Vec<f64>>()
        };
        self.evidence.iter().flat_map(difference).zip(&self.scale).map(|(r, scale)| r * scale).collect()
    }

    /// Derivatives, equation by equation.
    fn jacobian(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        let unknowns = rows.len() * self.unknown.len();
        let mut jacobian = vec![0.0; self.evidence.iter().map(|e| e.words.len()).sum::<usize>() * unknowns];
        let mut first = 0;
        for evidence in self.evidence {
            evidence.derive(rows, &self.unknown, |k, words| {
                for (at, word) in words.into_iter().enumerate() {
                    jacobian[(first + at) * unknowns + k] = word;
                }
            });
            first += evidence.words.len();
        }
        jacobian
    }

    fn normal(&self, jacobian: &[f64], residuals: &[f64], rows: &Rows) -> Normal {
        let (equations, unknowns) = (residuals.len(), self.unknowns(rows));
        let scaled = |equation: usize, k: usize| self.scale[equation] * jacobian[equation * unknowns + k];
        if equations < unknowns {
            let turned: Vec<f64> = (0..unknowns)
                .flat_map(|k| (0..equations).map(move |equation| (equation, k)))
                .map(|(e, k)| scaled(e, k))
                .collect();
            let (_, gram) = gram(&Design::new(unknowns, equations, turned.clone()), &vec![0.0; unknowns]);
            return Normal { gram, slope: residuals.to_vec(), residuals: residuals.to_vec(), turned: Some(turned) };
        }
        let values =
            (0..equations).flat_map(|equation| (0..unknowns).map(move |k| (equation, k))).map(|(e, k)| scaled(e, k));
        let (slope, gram) = gram(&Design::new(equations, unknowns, values.collect()), residuals);
        Normal { gram, slope, residuals: residuals.to_vec(), turned: None }
    }

    /// The rows after a step, in units of the unknowns.
    fn moved(&self, rows: &Rows, step: &[f64]) -> Rows {
        let mut moved = rows.clone();
        for (row, step) in moved.values.iter_mut().zip(step.chunks(self.unknown.len())) {
            for ((column, unit), step) in self.unknown.iter().zip(step) {
                row[*column] += step * unit;
            }
        }
        moved
    }
}

/// X'y and X'X packed.
fn gram(x: &Design, y: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let columns = x.columns();
    let mut total = Plain::zero(normal_equations_len(columns));
    normal_equations(&LinearRows { x, y, w: None }, &mut total);
    let (slope, gram) = total.0[2..].split_at(columns);
    (slope.to_vec(), gram.to_vec())
}

impl Normal {
    /// Solves (J'J + damping diag) step = J'r; none where that is singular.
    fn step(&self, damping: f64) -> Option<Vec<f64>> {
        let n = self.slope.len();
        let mut damped = self.gram.clone();
        let largest = (0..n).map(|k| self.gram[packed_at(k, k, n)]).fold(0.0, f64::max);
        for k in 0..n {
            let diagonal = &mut damped[packed_at(k, k, n)];
            // an unknown without influence stays where it is
            *diagonal += damping * diagonal.max(1e-9 * largest);
        }
        let solved = Factor::new(&damped, n).ok()?.solve(&self.slope);
        Some(match &self.turned {
            None => solved,
            Some(turned) => turned.chunks(n).map(|by| by.iter().zip(&solved).map(|(x, s)| x * s).sum()).collect(),
        })
    }
}

fn square(residuals: &[f64]) -> f64 {
    residuals.iter().map(|r| r * r).sum()
}

/// One over the length of each equation's derivatives; 0 for one that no unknown changes.
fn scale(jacobian: &[f64], unknowns: usize) -> Vec<f64> {
    let length = |row: &[f64]| square(row).sqrt();
    jacobian.chunks(unknowns).map(length).map(|l| if l > 1e-12 { 1.0 / l } else { 0.0 }).collect()
}
