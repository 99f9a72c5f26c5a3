//! What an attacker takes the patients to be, and how many of them are right.

use stats::weights::Scheme;
use study::cohort::{Cohort, Column};
use study::dictionary::VariableId;
use study::question::Weights;
use study::term::{Columns, Term};

/// One value per patient and column: guessed ones for an attacker, true ones for who counts.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The columns: treatment, numbers, levels.
    pub terms: Vec<Term>,
    /// Patient by patient.
    pub values: Vec<Vec<f64>>,
}

impl Rows {
    /// The patients as they are.
    ///
    /// # Panics
    /// When a term is a product.
    pub fn of(cohort: &Cohort, terms: Vec<Term>) -> Rows {
        let value = |term: &Term, patient: usize| match (term, term.variables().first()) {
            (Term::Intercept, _) => 1.0,
            (Term::Treatment, _) => f64::from(u8::from(cohort.treated[patient])),
            (Term::Number(_), Some(id)) => number(cohort, *id, patient),
            (Term::Level(_, level), Some(id)) => match cohort.column(*id) {
                Column::Levels(levels) => f64::from(u8::from(usize::from(levels[patient]) == *level)),
                Column::Numbers(_) | Column::Days(_) => panic!("a level of a number"),
            },
            _ => panic!("columns of rows are no products"),
        };
        let values = (0..cohort.rows()).map(|i| terms.iter().map(|term| value(term, i)).collect()).collect();
        Rows { terms, values }
    }

    /// Mean and standard deviation of a column.
    pub fn spread(&self, column: usize) -> (f64, f64) {
        let n = self.values.len() as f64;
        let mean = self.values.iter().map(|row| row[column]).sum::<f64>() / n;
        let squares = self.values.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>();
        (mean, (squares / n).sqrt())
    }

    /// How many of `truth` stand here: a row whose `columns` are all nearer than `tolerance` standard deviations, and
    /// whose other columns are the same.
    pub fn recovered(&self, truth: &Rows, columns: &[usize], tolerance: f64) -> usize {
        let near: Vec<f64> = (0..truth.terms.len())
            .map(|c| if columns.contains(&c) { tolerance * truth.spread(c).1 } else { 1e-12 })
            .collect();
        let same = |guess: &[f64], row: &[f64]| {
            guess.iter().zip(row).zip(&near).all(|((guess, row), near)| (guess - row).abs() <= *near)
        };
        truth.values.iter().filter(|row| self.values.iter().any(|guess| same(guess, row))).count()
    }
}

fn number(cohort: &Cohort, id: VariableId, patient: usize) -> f64 {
    match cohort.column(id) {
        Column::Numbers(values) => values[patient],
        Column::Levels(_) | Column::Days(_) => panic!("a number that is none"),
    }
}

/// Columns of a model by their places in [`Rows`].
#[derive(Debug, Clone)]
pub(super) struct Places {
    factors: Vec<Vec<usize>>,
    centre: Vec<f64>,
    unit: Vec<f64>,
}

impl Places {
    /// None when the model has a column that the rows do not have.
    pub(super) fn of(columns: &Columns, terms: &[Term]) -> Option<Places> {
        let factors: Option<_> = columns.terms.iter().map(|term| places(term, terms)).collect();
        Some(Places { factors: factors?, centre: columns.centre.clone(), unit: columns.unit.clone() })
    }

    pub(super) fn len(&self) -> usize {
        self.factors.len()
    }

    /// The centred columns of a patient.
    pub(super) fn of_patient(&self, patient: &[f64]) -> Vec<f64> {
        let product = |places: &Vec<usize>| places.iter().map(|at| patient[*at]).product::<f64>();
        let columns = self.factors.iter().zip(self.centre.iter().zip(&self.unit));
        columns.map(|(places, (centre, unit))| (product(places) - centre) / unit).collect()
    }
}

fn places(term: &Term, terms: &[Term]) -> Option<Vec<usize>> {
    match term {
        Term::Intercept => Some(Vec::new()),
        Term::Product(a, b) => Some([places(a, terms)?, places(b, terms)?].concat()),
        Term::Treatment | Term::Number(_) | Term::Level(..) => terms.iter().position(|t| t == term).map(|at| vec![at]),
    }
}

/// Weights of patients whose arm is known.
#[derive(Debug, Clone)]
pub(super) struct Weighting {
    score: Places,
    alpha: Vec<f64>,
    scheme: Scheme,
    arm: usize,
}

impl Weighting {
    pub(super) fn of(weights: &Weights, terms: &[Term]) -> Option<Weighting> {
        Some(Weighting {
            score: Places::of(&weights.propensity.columns, terms)?,
            alpha: weights.propensity.alpha.clone(),
            scheme: weights.scheme,
            arm: terms.iter().position(|t| *t == Term::Treatment)?,
        })
    }

    pub(super) fn of_patient(&self, patient: &[f64]) -> f64 {
        let eta = dot(&self.score.of_patient(patient), &self.alpha);
        self.scheme.weight(1.0 / (1.0 + (-eta).exp()), patient[self.arm] > 0.5)
    }
}

pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
