//! Opened log likelihoods, scores and informations as equations in the rows behind them.

use stats::cox::{EventCells, Ties};
use stats::packed::packed_len;
use study::cohort::{Cohort, Column, MISSING_LEVEL};
use study::protocol::{OutcomeKind, Protocol};
use study::question::{CoxModel, LogisticModel, Question, Response};
use study::term::Term;

use super::rows::{Places, Weighting, dot};

/// What the attacker is told of each patient's follow-up, by outcome: cell, and whether it ends by the event.
#[derive(Debug, Clone, PartialEq)]
pub struct FollowUp(Vec<Option<Vec<(u32, bool)>>>);

impl FollowUp {
    /// Of the time-to-event outcomes of a protocol.
    pub fn of(protocol: &Protocol, cohort: &Cohort) -> FollowUp {
        let of_outcome = |kind: &OutcomeKind| {
            let OutcomeKind::TimeToEvent(t) = kind else { return None };
            let (Column::Days(days), Column::Levels(events)) = (cohort.column(t.time), cohort.column(t.event)) else {
                return None;
            };
            let event = |level: u8| level != MISSING_LEVEL && level == 1;
            Some(days.iter().zip(events).map(|(day, level)| (t.cell(*day), event(*level))).collect())
        };
        FollowUp(protocol.outcomes.iter().map(|outcome| of_outcome(&outcome.kind)).collect())
    }
}

/// One opened evaluation of one model.
#[derive(Debug, Clone)]
pub struct Evidence {
    /// Its words: log likelihood, score, information.
    pub words: Vec<f64>,
    columns: Places,
    beta: Vec<f64>,
    weighting: Option<Weighting>,
    form: Form,
}

#[derive(Debug, Clone)]
enum Form {
    /// Place of the outcome.
    Logistic(usize),
    Cox(Sets),
}

/// Who is at risk where, which is known.
#[derive(Debug, Clone)]
struct Sets {
    /// By patient: event cells at which it is at risk, and whether the last of them is its own.
    reached: Vec<(usize, bool)>,
    deaths: Vec<f64>,
    ties: Ties,
}

impl Evidence {
    /// The equations of an opened answer in rows with these columns; none for an answer that is used otherwise, or that
    /// needs what is not known.
    pub fn of(question: &Question, words: &[f64], terms: &[Term], follow_up: Option<&FollowUp>) -> Option<Evidence> {
        let (columns, weights, beta, form) = match question {
            Question::LogisticStep { model, beta } => {
                let LogisticModel { columns, weights, response } = &**model;
                let response = match response {
                    Response::Treatment => Term::Treatment,
                    Response::Binary(id) => Term::Level(*id, 1),
                };
                (columns, weights, beta, Form::Logistic(terms.iter().position(|t| *t == response)?))
            }
            Question::CoxStep { model, events, beta, .. } => {
                let CoxModel { columns, weights, outcome, .. } = &**model;
                (columns, weights, beta, Form::Cox(Sets::new(events, follow_up?.0[*outcome].as_ref()?)))
            }
            _ => return None,
        };
        let weighting = match weights {
            Some(weights) if follow_up.is_some() => Some(Weighting::of(weights, terms)?),
            Some(_) => return None,
            None => None,
        };
        let columns = Places::of(columns, terms)?;
        Some(Evidence { words: words.to_vec(), columns, beta: beta.clone(), weighting, form })
    }

    /// The words that these rows would have.
    pub(super) fn predict(&self, rows: &[Vec<f64>]) -> Vec<f64> {
        let mut parts = rows.iter().map(|row| self.part(row));
        match &self.form {
            Form::Logistic(_) => {
                let mut sum = vec![0.0; self.words.len()];
                parts.for_each(|part| add(&mut sum, 1.0, &part));
                sum
            }
            Form::Cox(sets) => {
                let parts: Vec<Vec<f64>> = parts.by_ref().collect();
                Totals::of(sets, &parts, self.columns.len()).words()
            }
        }
    }

    /// Derivatives of the words by each value of `unknown` (column and unit), patient by patient: gets the number of the
    /// unknown and the derivative.
    pub(super) fn derive(&self, rows: &[Vec<f64>], unknown: &[(usize, f64)], mut found: impl FnMut(usize, Vec<f64>)) {
        let totals = match &self.form {
            Form::Logistic(_) => None,
            Form::Cox(sets) => {
                let parts: Vec<Vec<f64>> = rows.iter().map(|row| self.part(row)).collect();
                Some((sets, Totals::of(sets, &parts, self.columns.len()).running()))
            }
        };
        for (i, row) in rows.iter().enumerate() {
            for (k, (column, unit)) in unknown.iter().enumerate() {
                let change = self.change(row, *column, *unit);
                let words = match &totals {
                    None => change,
                    Some((sets, running)) => running.change(sets.reached[i], &change),
                };
                found(i * unknown.len() + k, words);
            }
        }
    }

    /// Derivative of a patient's part by one of its values, per unit: differences of fourth order.
    fn change(&self, row: &[f64], column: usize, unit: f64) -> Vec<f64> {
        let mut changed = row.to_vec();
        let mut sum: Vec<f64> = Vec::new();
        for (steps, factor) in [(1.0, 8.0), (-1.0, -8.0), (2.0, -1.0), (-2.0, 1.0)] {
            changed[column] = row[column] + steps * STEP * unit;
            let part = self.part(&changed);
            sum.resize(part.len(), 0.0);
            add(&mut sum, factor / (12.0 * STEP), &part);
        }
        sum
    }

    /// What a patient adds by itself. Logistic: the words. Cox: w, w eta, w x; r, r x, r x x' with r = w exp(eta).
    fn part(&self, row: &[f64]) -> Vec<f64> {
        let x = self.columns.of_patient(row);
        let eta = dot(&x, &self.beta);
        let w = self.weighting.as_ref().map_or(1.0, |weighting| weighting.of_patient(row));
        match &self.form {
            Form::Logistic(response) => {
                let y = row[*response];
                let mu = 1.0 / (1.0 + (-eta).exp());
                let mut words = vec![w * (y * eta - eta.max(0.0) - (-eta.abs()).exp().ln_1p())];
                words.extend(x.iter().map(|x| w * (y - mu) * x));
                words.extend(outer(&x, w * mu * (1.0 - mu)));
                words
            }
            Form::Cox(_) => {
                let r = w * eta.exp();
                let mut part = vec![w, w * eta];
                part.extend(x.iter().map(|x| w * x));
                part.push(r);
                part.extend(x.iter().map(|x| r * x));
                part.extend(outer(&x, r));
                part
            }
        }
    }
}

/// Step of a difference, in units of a value.
const STEP: f64 = 1e-3;

/// x x' times a factor, packed.
fn outer(x: &[f64], factor: f64) -> impl Iterator<Item = f64> {
    x.iter().enumerate().flat_map(move |(i, a)| x[i..].iter().map(move |b| factor * a * b))
}

fn add(sum: &mut [f64], factor: f64, part: &[f64]) {
    for (sum, part) in sum.iter_mut().zip(part) {
        *sum += factor * part;
    }
}

impl Sets {
    fn new(events: &EventCells, follow_up: &[(u32, bool)]) -> Sets {
        let reached = |(cell, event): &(u32, bool)| (events.cells.partition_point(|c| c <= cell), *event);
        Sets { reached: follow_up.iter().map(reached).collect(), deaths: events.deaths.clone(), ties: events.ties }
    }
}

/// Sums over risk sets and over the deaths, by event cell; each as r, r x, r x x'.
#[derive(Debug)]
struct Totals<'a> {
    sets: &'a Sets,
    p: usize,
    /// sum w eta, sum w x over all deaths.
    linear: Vec<f64>,
    risk: Vec<Vec<f64>>,
    dead: Vec<Vec<f64>>,
    weight: Vec<f64>,
}

/// One denominator phi = S0 - c E0 of an event cell, which counts `each` times.
struct Denominator {
    c: f64,
    each: f64,
    phi: f64,
    /// (S1 - c E1) / phi and (S2 - c E2) / phi.
    mean: Vec<f64>,
    square: Vec<f64>,
}

impl<'a> Totals<'a> {
    fn of(sets: &'a Sets, parts: &[Vec<f64>], p: usize) -> Totals<'a> {
        let (d, width) = (sets.deaths.len(), 1 + p + packed_len(p));
        let mut totals = Totals {
            sets,
            p,
            linear: vec![0.0; 1 + p],
            risk: vec![vec![0.0; width]; d],
            dead: vec![vec![0.0; width]; d],
            weight: vec![0.0; d],
        };
        for (part, (reached, event)) in parts.iter().zip(&sets.reached) {
            let Some(last) = reached.checked_sub(1) else { continue };
            add(&mut totals.risk[last], 1.0, &part[2 + p..]);
            if *event {
                add(&mut totals.dead[last], 1.0, &part[2 + p..]);
                add(&mut totals.linear, 1.0, &part[1..2 + p]);
                totals.weight[last] += part[0];
            }
        }
        for j in (1..d).rev() {
            let (before, after) = totals.risk.split_at_mut(j);
            add(&mut before[j - 1], 1.0, &after[0]);
        }
        totals
    }

    fn denominators(&self, j: usize) -> Vec<Denominator> {
        let d = self.sets.deaths[j];
        let terms = match self.sets.ties {
            Ties::Efron => d as usize,
            Ties::Breslow => 1,
        };
        let p = self.p;
        let denominator = |l: usize| {
            let c = l as f64 / terms as f64;
            let set: Vec<f64> = self.risk[j].iter().zip(&self.dead[j]).map(|(s, e)| s - c * e).collect();
            let phi = set[0];
            let share = |part: &[f64]| part.iter().map(|s| s / phi).collect();
            let (mean, square) = (share(&set[1..=p]), share(&set[1 + p..]));
            Denominator { c, each: self.weight[j] / terms as f64, phi, mean, square }
        };
        (0..terms).map(denominator).collect()
    }

    fn words(&self) -> Vec<f64> {
        let p = self.p;
        let mut words = [self.linear.clone(), vec![0.0; packed_len(p)]].concat();
        for term in (0..self.weight.len()).flat_map(|j| self.denominators(j)) {
            words[0] -= term.each * term.phi.ln();
            add(&mut words[1..], -term.each, &term.mean);
            add(&mut words[1 + p..], term.each, &term.square);
            add_outer(&mut words[1 + p..], -term.each, &term.mean);
        }
        words
    }

    /// Sums over the event cells up to each, for derivatives.
    fn running(&self) -> Running {
        let p = self.p;
        let mut sum = Sum { a: 0.0, mean: vec![0.0; p], square: vec![0.0; packed_len(p)] };
        let mut running = Running { p, terms: Vec::new(), sums: vec![sum.clone()] };
        for j in 0..self.weight.len() {
            let terms = self.denominators(j);
            for Denominator { each, phi, mean, square, .. } in &terms {
                let a = each / phi;
                sum.a += a;
                add(&mut sum.mean, a, mean);
                add(&mut sum.square, a, square);
                add_outer(&mut sum.square, -2.0 * a, mean);
            }
            running.sums.push(sum.clone());
            running.terms.push(terms);
        }
        running
    }
}

fn add_outer(sum: &mut [f64], factor: f64, x: &[f64]) {
    for (sum, word) in sum.iter_mut().zip(outer(x, factor)) {
        *sum += word;
    }
}

/// sum W / phi; that times the means; that times (squares - 2 mean mean').
#[derive(Debug, Clone)]
struct Sum {
    a: f64,
    mean: Vec<f64>,
    square: Vec<f64>,
}

struct Running {
    p: usize,
    terms: Vec<Vec<Denominator>>,
    /// Over the first k event cells.
    sums: Vec<Sum>,
}

impl Running {
    /// Change of the words when the part of a patient, who reaches so many event cells, changes so.
    fn change(&self, (reached, event): (usize, bool), part: &[f64]) -> Vec<f64> {
        let p = self.p;
        let mut words = vec![0.0; 1 + p + packed_len(p)];
        let Some(last) = reached.checked_sub(1) else { return words };
        let r = &part[2 + p..];
        self.leave(&mut words, &self.sums[if event { last } else { reached }], r);
        if event {
            add(&mut words, 1.0, &part[1..2 + p]);
            let terms = &self.terms[last];
            for term in terms {
                let (a, own) = (term.each / term.phi, 1.0 - term.c);
                let mut square = term.square.clone();
                add_outer(&mut square, -2.0, &term.mean);
                let sum = Sum {
                    a: a * own,
                    mean: term.mean.iter().map(|m| a * own * m).collect(),
                    square: square.iter().map(|s| a * own * s).collect(),
                };
                self.leave(&mut words, &sum, r);
                // the patient's weight is a part of the weight of the deaths
                let each = part[0] / terms.len() as f64;
                words[0] -= each * term.phi.ln();
                add(&mut words[1..], -each, &term.mean);
                add(&mut words[1 + p..], each, &term.square);
                add_outer(&mut words[1 + p..], -each, &term.mean);
            }
        }
        words
    }

    /// Adds what denominators with these sums change by when the risk set changes by r, r x, r x x'.
    fn leave(&self, words: &mut [f64], sum: &Sum, r: &[f64]) {
        let p = self.p;
        words[0] -= sum.a * r[0];
        add(&mut words[1..=p], -sum.a, &r[1..=p]);
        add(&mut words[1..=p], r[0], &sum.mean);
        add(&mut words[1 + p..], sum.a, &r[1 + p..]);
        add(&mut words[1 + p..], -r[0], &sum.square);
        let mut at = 1 + p;
        for i in 0..p {
            for j in i..p {
                words[at] -= r[1 + i] * sum.mean[j] + sum.mean[i] * r[1 + j];
                at += 1;
            }
        }
    }
}
