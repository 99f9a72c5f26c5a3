//! Multiple imputation: drawn coefficients, drawn values, pooled results.
//!
//! What the sites draw is made a second time here, from their rows, the harness' keys and the models of the plan. R gets
//! these values, fits every completed data set and pools; the study must end in the same numbers.

use std::collections::BTreeMap;
use std::fmt::Write;

use secagg::{Canonical, Draws};
use serde_json::Value;
use stats::impute::rows;
use stats::random::{chi_square, normal, uniform};
use study::cohort::{Cohort, Column, MISSING_LEVEL};
use study::imputation::{Drawn, DrawnModel, ImputationModel, Predictor};
use study::plan::Plan;
use study::protocol::{OutcomeKind, Protocol};
use study::results::{EstimateRow, Results, Variance};
use study::term::Term;

use entente_tests::federation::{Rows, draw_key, plain};

use super::{Worst, check_fixture, golden};
use crate::reference::{centre, cohorts, protocol_text, rows as reference_rows};

/// A study whose scenario `imputed` imputes these variables.
struct Case {
    name: &'static str,
    seed: u32,
    scenario: &'static str,
    rows: fn() -> Rows,
}

const FISH: Case = Case {
    name: "fish",
    seed: 7,
    scenario: r#"
[[scenario]]
name = "imputed"
without = ["FISH available"]
impute = ["fish"]
draws = 10
seed = 7
outcomes = ["pfs", "os", "response"]
models = ["iptw", "adjusted"]
"#,
    rows: reference_rows,
};

/// A number, a variable of three levels and one of two, one after the other, from models of their own in every draw.
const THREE: Case = Case {
    name: "three",
    seed: 11,
    scenario: r#"
[[scenario]]
name = "imputed"
without = ["FISH available"]
impute = ["crcl", "iss_stage", "fish"]
draws = 3
seed = 11
outcomes = ["pfs", "os", "response"]
models = ["iptw", "adjusted"]
"#,
    rows: || {
        let lost = |every: usize, column: &'static str| {
            move |rows: &Rows, row: usize| {
                if row % every == 3 { String::new() } else { rows.get(row, column).to_owned() }
            }
        };
        reference_rows().with("crcl", lost(5, "crcl")).with("iss_stage", lost(7, "iss_stage"))
    },
};

/// The study, run over 45 sites, with what the sites hold.
struct Ran {
    case: &'static Case,
    plan: Plan,
    cohorts: Vec<Cohort>,
    patients: Vec<Vec<String>>,
}

impl Ran {
    fn new(case: &'static Case) -> Ran {
        let text = protocol_text() + case.scenario;
        let protocol = Protocol::parse(&text).unwrap_or_else(|mistakes| panic!("{:#?}", mistakes.0));
        let sites = (case.rows)().split(45, centre);
        let cohorts = cohorts(&protocol, &sites);
        let of_site = |rows: &Rows| {
            let mut patients: Vec<String> = (0..rows.len()).map(|row| rows.get(row, "patient").to_owned()).collect();
            patients.sort();
            patients
        };
        let plan = plain(&protocol.into(), &cohorts).unwrap();
        Ran { case, plan, cohorts, patients: sites.iter().map(of_site).collect() }
    }

    fn index(&self) -> usize {
        self.plan.scenarios().position(|(scenario, _)| scenario.name == "imputed").unwrap()
    }

    fn protocol(&self) -> &Protocol {
        &self.plan.protocol().scenarios[self.index()].protocol
    }

    fn models(&self) -> &[Vec<std::sync::Arc<DrawnModel>>] {
        let (_, branch) = self.plan.scenarios().nth(self.index()).unwrap();
        branch.imputation().unwrap().models()
    }

    fn name(&self, model: &ImputationModel) -> &str {
        &self.protocol().dictionary.variable(model.variable).name
    }

    /// Every missing value as each draw has it.
    fn values(&self) -> String {
        let mut text = String::from("patient,draw,variable,value\n");
        for (site, (cohort, patients)) in self.cohorts.iter().zip(&self.patients).enumerate() {
            let key = draw_key(site as u16);
            for (number, models) in self.models().iter().enumerate() {
                let mut rows = cohort.scenarios[self.index()].clone();
                for drawn in models {
                    let label = Canonical::new("entente/v1/row draws")
                        .str("imputation")
                        .u32(self.case.seed)
                        .str("imputed")
                        .u32(number as u32)
                        .str(self.name(&drawn.model));
                    let mut draws = Draws::secret(&key, label);
                    for (i, patient) in patients.iter().enumerate() {
                        let word = draws.word();
                        if let Some(value) = self.draw(&mut rows, i, drawn, word) {
                            let name = self.name(&drawn.model);
                            writeln!(text, "{patient},{number},{name},{value}").unwrap();
                        }
                    }
                }
            }
        }
        text
    }

    /// Draws the value of a row if it is missing.
    fn draw(&self, rows: &mut Cohort, i: usize, DrawnModel { model, drawn }: &DrawnModel, word: u64) -> Option<String> {
        let x: Vec<f64> = model
            .predictors
            .iter()
            .zip(model.centre.iter().zip(&model.unit))
            .map(|(predictor, (centre, unit))| (self.predictor(rows, i, model, predictor) - centre) / unit)
            .collect();
        let variable = self.protocol().dictionary.variable(model.variable);
        match (&mut rows.columns[model.variable.0], drawn) {
            (Column::Levels(levels), Drawn::Levels(stages)) if levels[i] == MISSING_LEVEL => {
                let level = rows::level(&x, stages, uniform(word));
                levels[i] = level as u8;
                Some(variable.levels()[level].clone())
            }
            (Column::Numbers(numbers), Drawn::Number(draw)) if numbers[i].is_nan() => {
                let grid = variable.grid().unwrap().unwrap();
                let bin = rows::number(&x, draw, &grid, normal(word)).unwrap();
                numbers[i] = grid.value(bin as usize);
                Some(numbers[i].to_string())
            }
            _ => None,
        }
    }

    fn predictor(&self, rows: &Cohort, i: usize, model: &ImputationModel, predictor: &Predictor) -> f64 {
        let outcome = |index: &usize| match &self.protocol().outcomes[*index].kind {
            OutcomeKind::TimeToEvent(spec) => (spec, &rows.columns[spec.time.0], &rows.columns[spec.event.0]),
            OutcomeKind::Binary { .. } | OutcomeKind::Competing(_) => panic!("a time to event"),
        };
        match predictor {
            Predictor::Term(Term::Intercept) => 1.0,
            Predictor::Term(Term::Treatment) => f64::from(u8::from(rows.treated[i])),
            Predictor::Term(Term::Number(id)) => match &rows.columns[id.0] {
                Column::Numbers(numbers) => numbers[i],
                _ => panic!("a number"),
            },
            Predictor::Term(Term::Level(id, level)) => match &rows.columns[id.0] {
                Column::Levels(levels) => f64::from(u8::from(usize::from(levels[i]) == *level)),
                _ => panic!("a category"),
            },
            Predictor::Term(Term::Product(..)) => panic!("no product"),
            Predictor::Event(index) => match outcome(index) {
                (_, _, Column::Levels(event)) => f64::from(event[i]),
                _ => panic!("an event"),
            },
            Predictor::Hazard(index) => match outcome(index) {
                (spec, Column::Days(days), _) => model.hazards[index][spec.cell(days[i]) as usize],
                _ => panic!("days"),
            },
        }
    }

    /// The public variates of every draw, as the plan takes them.
    fn variates(&self) -> String {
        let mut text = String::from("draw,variable,level,kind,value\n");
        for (number, models) in self.models().iter().enumerate() {
            for drawn in models {
                let (name, q) = (self.name(&drawn.model), drawn.model.predictors.len());
                let levels = match &drawn.drawn {
                    Drawn::Levels(stages) => stages.len(),
                    Drawn::Number(_) => 1,
                };
                for level in 0..levels {
                    let label = Canonical::new("entente/v1/imputation parameters")
                        .str("relapsed-myeloma")
                        .str("imputed")
                        .u32(self.case.seed)
                        .u32(number as u32)
                        .str(name)
                        .u32(level as u32);
                    let mut draws = Draws::public(&label);
                    if let Drawn::Number(_) = &drawn.drawn {
                        let observed = self.observed(&drawn.model);
                        let value = chi_square(observed - q, || draws.word());
                        writeln!(text, "{number},{name},{level},chi_square,{value}").unwrap();
                    }
                    for _ in 0..q {
                        writeln!(text, "{number},{name},{level},z,{}", normal(draws.word())).unwrap();
                    }
                }
            }
        }
        text
    }

    fn observed(&self, model: &ImputationModel) -> usize {
        let cohorts = self.cohorts.iter().map(|cohort| &cohort.scenarios[self.index()]);
        cohorts
            .map(|rows| match rows.column(model.variable) {
                Column::Numbers(numbers) => numbers.iter().filter(|x| !x.is_nan()).count(),
                Column::Levels(_) | Column::Days(_) => 0,
            })
            .sum()
    }

    /// The drawn coefficients of every model against those of R, which centres and fits on its own.
    fn compare_coefficients(&self, worst: &mut Worst, golden: &Value) {
        for (number, models) in self.models().iter().enumerate() {
            for drawn in models {
                // for the columns as they are, not in their units
                let whole =
                    |beta: &[f64]| -> Vec<f64> { beta.iter().zip(&drawn.model.unit).map(|(b, u)| b / u).collect() };
                let got: Vec<f64> = match &drawn.drawn {
                    Drawn::Levels(stages) => stages
                        .iter()
                        .flat_map(|stage| match stage {
                            rows::Stage::Model(beta) => whole(beta),
                            rows::Stage::Never | rows::Stage::Always => panic!("a level that nobody or everybody has"),
                        })
                        .collect(),
                    Drawn::Number(draw) => whole(&draw.beta).into_iter().chain([draw.sigma]).collect(),
                };
                let at = format!("{} draw {number} {}", self.case.name, self.name(&drawn.model));
                let golden = golden["coefficients"][number][self.name(&drawn.model)].as_array().unwrap();
                assert_eq!(got.len(), golden.len(), "{at}");
                got.iter().zip(golden).for_each(|(got, golden)| worst.compare(&at, golden, *got));
            }
        }
    }
}

fn compare_pooled(worst: &mut Worst, results: &Results, golden: &Value) {
    let models = [("", "propensity"), ("pfs", "iptw"), ("pfs", "adjusted"), ("os", "iptw"), ("os", "adjusted")];
    for (outcome, model) in models.into_iter().chain([("response", "iptw"), ("response", "adjusted")]) {
        let section = if outcome.is_empty() { "propensity" } else { outcome };
        for variance in [Variance::Naive, Variance::Robust, Variance::MEstimation] {
            let golden = &golden[section][model][variance.name()];
            let Some(terms) = golden["estimate"].as_array() else { continue };
            let of_model = |row: &&EstimateRow| {
                (row.outcome.as_str(), &*row.model, row.variance) == (outcome, model, variance)
                    && row.ties.as_deref() != Some("breslow")
                    && !(model == "iptw" && row.term == "(intercept)")
            };
            let rows: Vec<&EstimateRow> = results.estimates.iter().filter(of_model).collect();
            assert_eq!(rows.len(), terms.len(), "{outcome} {model}");
            for (j, row) in rows.iter().enumerate() {
                let at = format!("{outcome} {model} {} {}", row.term, variance.name());
                let numbers = BTreeMap::from([
                    ("estimate", row.estimate),
                    ("std_error", row.std_error),
                    ("df", row.df.unwrap()),
                    ("fmi", row.fmi.unwrap()),
                    ("statistic", row.statistic),
                    ("p_value", row.p_value),
                    ("conf_low", row.conf_low),
                    ("conf_high", row.conf_high),
                ]);
                for (name, got) in numbers {
                    worst.compare(&format!("{at} {name}"), &golden[name][j], got);
                }
            }
        }
    }
}

fn check(case: &'static Case) {
    let ran = Ran::new(case);
    check_fixture(&format!("imputation_{}_values.csv", case.name), &ran.values());
    check_fixture(&format!("imputation_{}_variates.csv", case.name), &ran.variates());
    let golden = &golden("imputation.json")[case.name];
    let (mut coefficients, mut pooled) = (Worst::default(), Worst::default());
    ran.compare_coefficients(&mut coefficients, golden);
    let results = Results::of(&ran.plan);
    let scenario = &results.scenarios[ran.index()];
    assert!(scenario.results.fits.iter().all(|fit| fit.outcome_of_fit.is_ok() && fit.imputations.is_some()));
    compare_pooled(&mut pooled, &scenario.results, golden);
    println!(
        "{}: {} rounds; {} drawn coefficients equal R's, largest relative difference {:.1e}; {} pooled numbers, {:.1e}",
        case.name,
        ran.plan.progress().round - 1,
        coefficients.compared,
        coefficients.difference,
        pooled.compared,
        pooled.difference
    );
}

#[test]
fn one_imputed_variable_equals_pooled_r() {
    check(&FISH);
}

#[test]
fn a_chain_of_imputed_variables_equals_pooled_r() {
    check(&THREE);
}
