//! What computes the same numbers on pooled rows in R, as far as this study has them.

use study::protocol::{AnalysisKind, OutcomeKind};

use crate::page::Page;
use crate::table::{Cell, Row, Table};

/// One row per method that the protocol declares.
pub(super) fn table(page: &Page<'_>) -> Table {
    let protocol = page.protocol;
    let kinds = |is: fn(&AnalysisKind) -> bool| protocol.analyses.iter().any(|analysis| is(&analysis.kind));
    let weighted = protocol.analyses.iter().flat_map(|a| &a.models).any(|model| model.weighted());
    let m_estimation = protocol.analyses.iter().any(|analysis| analysis.variances.m_estimation);
    let robust = protocol.analyses.iter().any(|analysis| analysis.variances.robust);
    let survey = protocol.analyses.iter().any(|analysis| analysis.variances.survey);
    let model = |name: &str| protocol.analyses.iter().flat_map(|a| &a.models).any(|model| model.name() == name);
    let modified = protocol.analyses.iter().any(|analysis| !analysis.effect_modifiers.is_empty());
    let standardised = protocol.analyses.iter().any(|analysis| !analysis.standardised.is_empty());
    let zph = protocol.analyses.iter().any(|analysis| !analysis.checks.zph.is_empty());
    let competing = protocol.outcomes.iter().any(|outcome| matches!(outcome.kind, OutcomeKind::Competing(_)));
    let imputed = protocol.scenarios.iter().any(|scenario| scenario.imputation.is_some());
    let all = [
        (
            !protocol.baselines.is_empty(),
            "Table 1, standardised differences",
            "quantile(type = 7), wilcox.test, chisq.test, fisher.test; tableone::CreateTableOne(smd = TRUE), cobalt::bal.tab",
        ),
        (protocol.propensity.is_some(), "Propensity score", "glm(treatment ~ covariates, binomial)"),
        (weighted, "Weights", "from fitted(glm) by their formula"),
        (kinds(|k| matches!(k, AnalysisKind::Logistic)), "Logistic models", "glm(outcome ~ terms, binomial, weights)"),
        (
            kinds(|k| matches!(k, AnalysisKind::Cox(_))),
            "Cox models",
            "survival::coxph(Surv(time, event) ~ terms, weights, robust = TRUE)",
        ),
        (
            kinds(|k| matches!(k, AnalysisKind::FineGray(_))),
            "Fine-Gray models",
            "survival::finegray, then coxph(weights = fgwt, cluster = id)",
        ),
        (model("stratified"), "Baseline hazard by site", "survival::coxph with strata(site)"),
        (model("firth"), "Firth's penalised likelihood", "logistf::logistf(pl = FALSE)"),
        (model("ridge"), "Ridge penalty", "survival::coxph with ridge(theta); logistic: direct maximisation"),
        (robust, "Robust variance", "sandwich::vcovHC(type = \"HC0\"); coxph(robust = TRUE)"),
        (survey, "Survey variance", "survey::svyglm"),
        (m_estimation, "M-estimation", "stacked estimating equations of propensity and outcome model"),
        (
            modified,
            "Effect modification",
            "coxph or glm with a product; vcov for combinations; anova for the likelihood ratio",
        ),
        (
            !protocol.curves.is_empty(),
            "Survival curves, medians, restricted means, log-rank",
            "survival::survfit(conf.type), summary(rmean), survdiff",
        ),
        (
            competing,
            "Cumulative incidences, Gray's test",
            "survival::survfit(Surv(time, factor(cause)) ~ arm); cmprsk::cuminc",
        ),
        (standardised, "Absolute risks", "means of predict(glm, newdata) and survfit(coxph, newdata)"),
        (zph, "Proportional hazards", "survival::cox.zph"),
        (imputed, "Pooling of imputed data", "mice::pool.scalar"),
    ];
    let rows = all.into_iter().filter(|(there, ..)| *there);
    Table {
        caption: "What computes the same on pooled rows".into(),
        header: ["Quantity", "In R"].map(str::to_owned).into(),
        rows: rows.map(|(_, what, r)| Row::new(what, vec![Cell::text(r)])).collect(),
        texts: 2,
        ..Table::default()
    }
}
