//! Golden entries of one model against its rows in `estimates.csv` and `fits.csv`.

use stats::inference;

use super::comparison::Comparison;
use super::files::{Files, Row};

/// Which rows of the result files a golden model is.
#[derive(Clone, Copy)]
pub(super) struct Model<'a> {
    pub analysis: &'a str,
    pub outcome: &'a str,
    pub name: &'a str,
    /// Empty for models without ties.
    pub ties: &'a str,
    /// Name in results of a golden term, or of a variable with several columns.
    pub term: fn(&str) -> Option<String>,
}

impl Model<'_> {
    fn keys(&self) -> [(&str, &str); 4] {
        [("analysis", self.analysis), ("outcome", self.outcome), ("model", self.name), ("ties", self.ties)]
    }

    pub(super) fn estimate<'f>(&self, files: &'f Files, term: &str, variance: &str) -> Result<Row<'f>, String> {
        let [analysis, outcome, model, ties] = self.keys();
        files.estimates.row(&[analysis, outcome, model, ties, ("term", term), ("variance", variance)])
    }

    /// Name in results of a variable that R tests as a whole.
    fn variable(&self, golden: &str) -> Option<String> {
        let term = (self.term)(golden)?;
        Some(term.split(':').next().unwrap_or_default().to_owned())
    }

    fn fit<'f>(&self, files: &'f Files) -> Result<Row<'f>, String> {
        files.fits.row(&self.keys())
    }
}

/// A row, or what was looked for in vain.
type Found<'a> = Result<Row<'a>, String>;

fn cell(row: &Found<'_>, column: &str) -> Result<f64, String> {
    row.as_ref().map_err(Clone::clone).and_then(|row| row.number(column))
}

/// R's coefficient table: every term with its naive standard error; and no term more than R has, but for effects within
/// levels, which are combinations of terms (`golden/modification.json`).
pub(super) fn coefficients(comparison: &mut Comparison<'_>, files: &Files, model: &Model<'_>, at: &str) {
    let golden_terms = comparison.texts(&format!("{at}/term"));
    let mut terms = Vec::new();
    for (i, golden_term) in golden_terms.iter().enumerate() {
        let Some(term) = (model.term)(golden_term) else {
            comparison.missing(format!("{at}: no term of results is R's `{golden_term}`"));
            continue;
        };
        let row = model.estimate(files, &term, "naive");
        let pointer = |comparison: &Comparison<'_>, column: &str| comparison.item(&format!("{at}/{column}"), i);
        let estimate = pointer(comparison, "estimate");
        let value = comparison.peek(&estimate);
        comparison.number(&estimate, cell(&row, "estimate"));
        let std_error = comparison.peek(&pointer(comparison, "std_error"));
        for column in ["std_error", "statistic", "p_value", "conf_low", "conf_high"] {
            let pointer = pointer(comparison, column);
            comparison.number(&pointer, cell(&row, column));
        }
        ratios(comparison, &format!("{at} {term}"), value, std_error, &row);
        terms.push(term);
    }
    let keys = model.keys();
    for row in files.estimates.rows().filter(|row| row.is(&keys)) {
        if !terms.iter().any(|term| term == row.text("term")) && !row.text("term").contains(" at ") {
            comparison.missing(format!("{at}: R has no term `{}`", row.text("term")));
        }
    }
    if terms.is_empty() {
        comparison.missing(format!("{at}: no coefficient"));
    }
}

/// A list of standard errors of another variance, in the order of the coefficient table at `table`.
pub(super) fn std_errors(
    comparison: &mut Comparison<'_>,
    files: &Files,
    model: &Model<'_>,
    table: &str,
    list: &str,
    variance: &str,
) {
    for (i, golden_term) in comparison.texts(&format!("{table}/term")).into_iter().enumerate() {
        let term = (model.term)(golden_term).unwrap_or_default();
        let estimate = comparison.peek(&comparison.item(&format!("{table}/estimate"), i));
        let pointer = comparison.item(list, i);
        std_error(comparison, files, model, &term, variance, &pointer, estimate);
    }
}

/// One standard error, and the test and intervals that follow from it and the golden estimate.
fn std_error(
    comparison: &mut Comparison<'_>,
    files: &Files,
    model: &Model<'_>,
    term: &str,
    variance: &str,
    pointer: &str,
    estimate: f64,
) {
    let row = model.estimate(files, term, variance);
    let std_error = comparison.peek(pointer);
    comparison.number(pointer, cell(&row, "std_error"));
    comparison.derived(&format!("{pointer} estimate"), estimate, cell(&row, "estimate"));
    test_and_limits(comparison, pointer, estimate, std_error, &row);
    ratios(comparison, pointer, estimate, std_error, &row);
}

/// Wald test and interval of an estimate's row, from estimate and standard error.
fn test_and_limits(comparison: &mut Comparison<'_>, name: &str, estimate: f64, std_error: f64, row: &Found<'_>) {
    let wald = inference::wald(estimate, std_error);
    let derived = [
        ("statistic", wald.statistic),
        ("p_value", wald.p_value),
        ("conf_low", wald.conf_low),
        ("conf_high", wald.conf_high),
    ];
    for (column, expected) in derived {
        comparison.derived(&format!("{name} {column}"), expected, cell(row, column));
    }
}

/// Ratio and its interval of an estimate's row, from estimate and standard error.
fn ratios(comparison: &mut Comparison<'_>, name: &str, estimate: f64, std_error: f64, row: &Found<'_>) {
    let wald = inference::wald(estimate, std_error);
    let derived = [("ratio", estimate), ("ratio_low", wald.conf_low), ("ratio_high", wald.conf_high)];
    for (column, log) in derived {
        comparison.derived(&format!("{name} {column}"), log.exp(), cell(row, column));
    }
}

/// The weighted model of the treatment alone, under every variance that R has.
pub(super) fn weighted_treatment(
    comparison: &mut Comparison<'_>,
    files: &Files,
    model: &Model<'_>,
    at: &str,
    names: [&str; 2],
) {
    let term = (model.term)("a").unwrap_or_default();
    let row = model.estimate(files, &term, "naive");
    let [estimate, ratio] = names.map(|name| format!("{at}/{name}"));
    let value = comparison.peek(&estimate);
    comparison.number(&estimate, cell(&row, "estimate"));
    if comparison.has(&ratio) {
        comparison.number(&ratio, cell(&row, "ratio"));
    }
    let variances = [
        ("se_naive", "naive"),
        ("se_robust", "robust"),
        ("se_hc0", "robust"),
        ("se_survey", "survey"),
        ("se_m_estimation", "m_estimation"),
    ];
    for (name, variance) in variances {
        let pointer = format!("{at}/{name}");
        if comparison.has(&pointer) {
            std_error(comparison, files, model, &term, variance, &pointer, value);
        }
    }
    let intercept = format!("{at}/intercept");
    if comparison.has(&intercept) {
        comparison.number(&intercept, cell(&model.estimate(files, "(intercept)", "naive"), "estimate"));
    }
    if comparison.has(&format!("{at}/loglik")) {
        loglik(comparison, files, model, at);
    }
}

/// Log likelihoods of the empty model and at the maximum.
fn loglik(comparison: &mut Comparison<'_>, files: &Files, model: &Model<'_>, at: &str) {
    let fit = model.fit(files);
    comparison.number(&format!("{at}/loglik/0"), cell(&fit, "loglik_null"));
    comparison.number(&format!("{at}/loglik/1"), cell(&fit, "loglik"));
}

/// A Cox model: coefficient table, log likelihoods and tests.
pub(super) fn cox(comparison: &mut Comparison<'_>, files: &Files, model: &Model<'_>, at: &str) {
    coefficients(comparison, files, model, at);
    loglik(comparison, files, model, at);
    let fit = model.fit(files);
    for (name, column) in
        [("score_test", "score_statistic"), ("wald_test", "wald_statistic"), ("n", "n"), ("events", "events")]
    {
        comparison.number(&format!("{at}/{name}"), cell(&fit, column));
    }
    proportional_hazards(comparison, files, model, at);
    let both = |fit: &Row<'_>| Ok([fit.number("concordance")?, fit.number("concordance_bound")?]);
    comparison.bounded(&format!("{at}/concordance"), fit.as_ref().map_err(Clone::clone).and_then(both));
    if comparison.has(&format!("{at}/se_robust")) {
        std_errors(comparison, files, model, at, &format!("{at}/se_robust"), "robust");
    } else {
        let difference = comparison.peek(&format!("{at}/loglik/1")) - comparison.peek(&format!("{at}/loglik/0"));
        likelihood_ratio(comparison, &fit, at, 2.0 * difference);
    }
}

/// A Fine-Gray model: coefficient table with robust errors, log likelihoods and tests.
pub(super) fn fine_gray(comparison: &mut Comparison<'_>, files: &Files, model: &Model<'_>, at: &str) {
    coefficients(comparison, files, model, at);
    loglik(comparison, files, model, at);
    let fit = model.fit(files);
    comparison.number(&format!("{at}/score_test"), cell(&fit, "score_statistic"));
    comparison.number(&format!("{at}/wald_test_robust"), cell(&fit, "wald_statistic"));
    std_errors(comparison, files, model, at, &format!("{at}/se_robust"), "robust");
}

/// R's table of `cox.zph` with its default transform: every term, then all together; and no term more than R has.
fn proportional_hazards(comparison: &mut Comparison<'_>, files: &Files, model: &Model<'_>, at: &str) {
    let [_, outcome, name, ties] = model.keys();
    let of = [("name", "zph_km"), outcome, name, ties];
    let golden_terms = comparison.texts(&format!("{at}/zph_term"));
    for (i, golden) in golden_terms.iter().enumerate() {
        let term = if *golden == "GLOBAL" { Some("global".to_owned()) } else { model.variable(golden) };
        let Some(term) = term else {
            comparison.missing(format!("{at}: no variable is R's `{golden}`"));
            continue;
        };
        let row = files.tests.row(&[of[0], of[1], of[2], of[3], ("term", &term)]);
        for (list, column) in [("zph_chisq", "statistic"), ("zph_df", "df"), ("zph_p", "p_value")] {
            let pointer = comparison.item(&format!("{at}/{list}"), i);
            comparison.number(&pointer, cell(&row, column));
        }
    }
    let rows = files.tests.rows().filter(|row| row.is(&of)).count();
    if rows != golden_terms.len() {
        comparison.missing(format!("{at}: {rows} tests of proportional hazards, R has {}", golden_terms.len()));
    }
}

/// A logistic model without weights: coefficient table and deviances.
pub(super) fn logistic(comparison: &mut Comparison<'_>, files: &Files, model: &Model<'_>, at: &str) {
    coefficients(comparison, files, model, at);
    let fit = model.fit(files);
    let (deviance, null) = (format!("{at}/deviance"), format!("{at}/null_deviance"));
    let values = [comparison.peek(&null), comparison.peek(&deviance)];
    comparison.number(&deviance, cell(&fit, "deviance"));
    comparison.number(&null, cell(&fit, "deviance_null"));
    comparison.derived(&format!("{at} loglik_null"), -values[0] / 2.0, cell(&fit, "loglik_null"));
    comparison.derived(&format!("{at} loglik"), -values[1] / 2.0, cell(&fit, "loglik"));
    likelihood_ratio(comparison, &fit, at, values[0] - values[1]);
}

fn likelihood_ratio(comparison: &mut Comparison<'_>, fit: &Found<'_>, at: &str, statistic: f64) {
    let slopes = comparison.texts(&format!("{at}/term")).into_iter().filter(|t| *t != "(Intercept)").count();
    let p_value = inference::chi_square_upper(statistic, slopes);
    comparison.derived(&format!("{at} lr_statistic"), statistic, cell(fit, "lr_statistic"));
    comparison.derived(&format!("{at} lr_df"), slopes as f64, cell(fit, "lr_df"));
    comparison.derived(&format!("{at} lr_p"), p_value, cell(fit, "lr_p"));
}

/// Every model has converged, and the counts of its estimates are those of its fit.
pub(super) fn agree(comparison: &mut Comparison<'_>, files: &Files) {
    let keys = ["analysis", "outcome", "cause", "model", "ties"];
    for fit in files.fits.rows() {
        let wanted = keys.map(|key| (key, fit.text(key)));
        let name: Vec<&str> = wanted.iter().map(|(_, text)| *text).filter(|text| !text.is_empty()).collect();
        if fit.text("converged") != "TRUE" {
            comparison.missing(format!("{}: {}", name.join(" "), fit.text("notes")));
        }
        for row in files.estimates.rows().filter(|row| row.is(&wanted)) {
            for column in ["n", "events"] {
                let what = format!("{} {} {} {column}", name.join(" "), row.text("term"), row.text("variance"));
                match fit.number(column) {
                    Ok(expected) => comparison.derived(&what, expected, row.number(column)),
                    Err(why) => comparison.missing(why),
                }
            }
        }
    }
}
