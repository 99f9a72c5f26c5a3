//! What every section reads: the results with their labels, and each number with its place in `results.json`.

use study::dictionary::Kind;
use study::protocol::Protocol;
use study::results::{EstimateRow, Results, TestRow};

use crate::labels::{self, Labels};
use crate::number::{self, Count};
use crate::table::{Cell, Number, Piece, Unit};
use crate::{Provenance, Published};

/// The input of a report.
pub(crate) struct Page<'a> {
    pub(crate) results: &'a Results,
    pub(crate) protocol: &'a Protocol,
    pub(crate) provenance: &'a Provenance,
    pub(crate) published: Option<&'a Published>,
    pub(crate) labels: Labels,
}

/// A list of rows of the results with its name in `results.json`.
pub(crate) struct Rows<T>(pub(crate) &'static str, pub(crate) fn(&Results) -> &[T]);

pub(crate) const ESTIMATES: Rows<EstimateRow> = Rows("estimates", |r| &r.estimates);
pub(crate) const TESTS: Rows<TestRow> = Rows("tests", |r| &r.tests);
pub(crate) const FITS: Rows<study::results::FitRow> = Rows("fits", |r| &r.fits);
pub(crate) const FLOW: Rows<study::results::FlowRow> = Rows("flow", |r| &r.flow);
pub(crate) const OUTCOMES: Rows<study::results::OutcomeRow> = Rows("outcomes", |r| &r.outcomes);
pub(crate) const WEIGHTS: Rows<study::results::WeightRow> = Rows("weights", |r| &r.weights);
pub(crate) const HISTOGRAM: Rows<study::results::HistogramRow> = Rows("propensity_histogram", |r| &r.histogram);
pub(crate) const OVERLAP: Rows<study::results::OverlapRow> = Rows("overlap", |r| &r.overlap);
pub(crate) const SUBGROUPS: Rows<study::results::SubgroupRow> = Rows("subgroups", |r| &r.subgroups);
pub(crate) const BALANCE: Rows<study::results::BalanceRow> = Rows("balance", |r| &r.balance);
pub(crate) const SURVIVAL: Rows<study::results::SurvivalRow> = Rows("survival", |r| &r.survival);
pub(crate) const MEDIANS: Rows<study::results::MedianRow> = Rows("medians", |r| &r.medians);
pub(crate) const EFFECTS: Rows<study::results::EffectRow> = Rows("effects", |r| &r.effects);
pub(crate) const INCIDENCE: Rows<study::results::IncidenceRow> = Rows("incidence", |r| &r.incidences);

impl Page<'_> {
    /// Where `results.json` holds a column of a row. The main analysis comes first, then the scenarios.
    pub(crate) fn pointer<T>(&self, rows: &Rows<T>, row: &T, column: &str) -> String {
        let mut before = 0;
        for results in std::iter::once(self.results).chain(self.results.scenarios.iter().map(|s| &s.results)) {
            let all = (rows.1)(results);
            if let Some(at) = all.iter().position(|other| std::ptr::eq(other, row)) {
                before += at;
                break;
            }
            before += all.len();
        }
        format!("/{}/{before}/{column}", rows.0)
    }

    fn number<T>(&self, text: &str, value: f64, unit: Unit, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        let from = self.pointer(rows, row, column);
        Number { text: number::typeset(text), value, from, unit }.into()
    }

    /// A count; one that is hidden says so.
    pub(crate) fn count<T>(&self, n: impl Into<Count>, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        let n = n.into();
        match n.known() {
            Some(known) => self.number(&n.to_string(), known as f64, Unit::Plain, rows, row, column),
            None => Cell::hidden(),
        }
    }

    /// "113/147 (76.9%)".
    pub(crate) fn share<T>(
        &self,
        [events, n]: [Count; 2],
        rows: &Rows<T>,
        row: &T,
        [of_events, of_n]: [&str; 2],
    ) -> Cell {
        let cell = self.count(events, rows, row, of_events).and_text("/").and(self.count(n, rows, row, of_n));
        match number::percent(events, n) {
            Some(percent) => cell.and_text(format!(" ({percent:.1}%)")),
            None => cell,
        }
    }

    /// A number with so many decimals.
    pub(crate) fn decimals<T>(&self, x: f64, decimals: usize, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        if !x.is_finite() {
            return Cell::none();
        }
        self.number(&format!("{x:.decimals$}"), x, Unit::Plain, rows, row, column)
    }

    /// The same of a number that may not be there.
    pub(crate) fn maybe<T>(&self, x: Option<f64>, decimals: usize, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        x.map_or_else(Cell::none, |x| self.decimals(x, decimals, rows, row, column))
    }

    /// The same of a number that a floor may hide.
    pub(crate) fn known<T>(&self, x: Option<f64>, decimals: usize, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        x.map_or_else(Cell::hidden, |x| self.decimals(x, decimals, rows, row, column))
    }

    /// Without its sign.
    pub(crate) fn absolute<T>(&self, x: Option<f64>, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        match x.filter(|x| x.is_finite()) {
            Some(x) => self.number(&format!("{:.3}", x.abs()), x.abs(), Unit::Absolute, rows, row, column),
            None => Cell::none(),
        }
    }

    /// A proportion in percent with one decimal.
    pub(crate) fn percent<T>(&self, x: f64, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        self.number(&format!("{:.1}", 100.0 * x), x, Unit::Percent, rows, row, column)
    }

    /// Days as months with one decimal.
    pub(crate) fn months<T>(&self, days: f64, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        self.number(&format!("{:.1}", self.in_months(days)), days, Unit::Months, rows, row, column)
    }

    /// Days as years of 365.25 days with one decimal.
    pub(crate) fn years<T>(&self, days: f64, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        self.number(&format!("{:.1}", days / 365.25), days, Unit::Years, rows, row, column)
    }

    /// Days in months.
    pub(crate) fn in_months(&self, days: f64) -> f64 {
        days / self.protocol.month_days
    }

    /// "0.047", "<0.001".
    pub(crate) fn p<T>(&self, p: f64, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        if p.is_nan() {
            return Cell::none();
        }
        let text = number::p_value(p).replace("p = ", "").replace("p < ", "<");
        self.number(&text, p, Unit::Plain, rows, row, column)
    }

    /// "p = 0.047", "p < 0.001".
    pub(crate) fn p_words<T>(&self, p: f64, rows: &Rows<T>, row: &T, column: &str) -> Cell {
        let cell = self.p(p, rows, row, column);
        match &cell.0[..] {
            [Piece::Number(n)] if n.text.starts_with('<') => {
                let shown = Number { text: n.text.replace('<', "< "), ..n.clone() };
                Cell::text("p ").and(shown.into())
            }
            _ => Cell::text("p = ").and(cell),
        }
    }

    /// A ratio and its limits.
    pub(crate) fn ratio_parts(&self, row: &EstimateRow) -> [Cell; 3] {
        let (_, digits) = self.labels.term(&row.term);
        let parts = [(row.estimate, "ratio"), (row.conf_low, "ratio_low"), (row.conf_high, "ratio_high")];
        parts.map(|(log, column)| {
            let text = number::ratio(log, digits);
            if !log.exp().is_finite() {
                return Cell::text(text);
            }
            self.number(&text, log.exp(), Unit::Plain, &ESTIMATES, row, column)
        })
    }

    /// "0.55 (0.41–0.75)" of a row of estimates.
    pub(crate) fn ratio(&self, row: &EstimateRow) -> Cell {
        let [ratio, low, high] = self.ratio_parts(row);
        if row.std_error.is_nan() {
            return ratio.and_text(" (no interval)");
        }
        ratio.and_text(" (").and(low).and_text("–").and(high).and_text(")")
    }

    /// Ratio with interval, and its p value on a line of its own.
    pub(crate) fn effect(&self, row: &EstimateRow) -> Cell {
        if row.std_error.is_nan() {
            return self.ratio(row);
        }
        self.ratio(row).and_line(self.p_words(row.p_value, &ESTIMATES, row, "p_value"))
    }

    /// Label of an outcome's name, with that of a cause.
    pub(crate) fn outcome(&self, name: &str, cause: &str) -> String {
        labels::event(self.protocol, name, cause)
    }

    /// Label of a level of a categorical variable.
    pub(crate) fn level(&self, variable: &str, level: &str) -> String {
        let variable = self.protocol.dictionary.find(variable).map(|id| self.protocol.dictionary.variable(id));
        match variable.map(|variable| &variable.kind) {
            Some(Kind::Categorical { levels, labels, .. }) => {
                let at = levels.iter().position(|other| other == level);
                labels::plain(at.map_or(level, |at| labels[at].as_str()))
            }
            _ => labels::plain(level),
        }
    }

    /// Control and treated arm.
    pub(crate) fn arms(&self) -> &[String; 2] {
        self.labels.arms()
    }

    /// Names of the arms in results: levels of the treatment.
    pub(crate) fn arm_levels(&self) -> [&str; 2] {
        let arm = &self.protocol.treatment;
        let levels = self.protocol.dictionary.variable(arm.variable).levels();
        [&levels[arm.control], &levels[arm.treated]]
    }

    /// "IsaPd vs EloPd".
    pub(crate) fn contrast(&self) -> String {
        self.labels.term(self.labels.treatment()).0
    }

    /// Number of patients that are analysed, by the last step of the flow chart.
    pub(crate) fn analysed(&self) -> Option<Count> {
        self.results.flow.last().map(|row| row.n.into())
    }
}
