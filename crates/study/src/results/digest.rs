//! Digest of what a plan ended with: counts, sums and plain-f64 quantities. p values and intervals follow from them and
//! are derived after agreement.

use secagg::{Canonical, Digest};
use stats::competing::CauseTable;
use stats::fit::Fit;
use stats::matrix::Matrix;
use stats::survival::{ArmTable, Tally};

use crate::cohort::FlowCount;
use crate::plan::{Branch, CheckSums, Contrast, Events, FitOutcome, Imputation, Plan};
use crate::question::transform_code;

/// Digest of the results of one run; every party computes it from its own plan.
pub fn results_digest(manifest: &Digest, plan: &Plan) -> Digest {
    let out = Canonical::new("entente/v1/results").digest_field(manifest);
    let out = write_branch(out, plan.main());
    out.list(plan.scenarios(), |out, (scenario, branch)| write_branch(out.str(&scenario.name), branch))
        .option(plan.bootstrap(), |out, bootstrap| out.list(bootstrap.replicates(), write_fits))
        .digest()
}

fn write_branch(mut out: Canonical, branch: &Branch) -> Canonical {
    if let Some(trimming) = branch.trimming() {
        out = out.list(trimming.facts().map_or(&[][..], |facts| &facts.flow), write_flow);
        out = write_outcome(out, trimming.outcome());
    }
    if let Some(facts) = branch.facts() {
        out = out.list(&facts.flow, write_flow);
        out = out.list(&facts.levels, |out, (id, arms)| {
            arms.iter().fold(out.u32(id.0 as u32), |out, arm| out.list(arm, |out, n| out.u64(*n)))
        });
        out = out.list(&facts.events, |out, (outcome, events)| write_events(out.u32(*outcome as u32), events));
        out = out.list(&facts.causes, |out, (outcome, causes)| {
            let out = out.u32(*outcome as u32).u64(causes.missing).u64(causes.beyond);
            out.option(causes.table().ok(), write_causes)
        });
    }
    for summary in branch.weight_summaries() {
        out = out.str(summary.weighting.name()).option(summary.bounds, |out, (low, high)| out.f64(low).f64(high));
        out = summary.arms.iter().flatten().fold(out, |out, x| out.f64(*x));
        out = out.list(&summary.counts, |out, x| out.f64(*x)).list(&summary.truncated, |out, x| out.f64(*x));
    }
    if let Some(scores) = branch.scores() {
        out = out.list(&scores.histogram, |out, bin| bin.iter().fold(out, |out, x| out.f64(*x)));
        out = out.list(&scores.overlap, |out, x| out.f64(*x));
    }
    for sums in branch.baseline() {
        out = out.u32(sums.variable.0 as u32).f64(sums.centre).f64(sums.unit);
        for words in [&sums.histogram, &sums.moments, &sums.weighted] {
            out = out.list(words, |out, x| out.f64(*x));
        }
    }
    for counts in branch.subgroups() {
        out = counts.write(out);
    }
    for (_, outcome) in branch.curves() {
        out = match outcome {
            None => out.u8(0),
            Some(Err(failure)) => out.u8(1).str(failure.code()).str(&failure.to_string()),
            Some(Ok(table)) => write_table(out.u8(2), table),
        };
    }
    for (_, _, outcome) in branch.standardised() {
        out = match outcome {
            None => out.u8(0),
            Some(Err(failure)) => out.u8(1).str(failure.code()).str(&failure.to_string()),
            Some(Ok(contrasts)) => out.u8(2).list(contrasts, write_contrast),
        };
    }
    for (_, outcome) in branch.incidences() {
        out = match outcome {
            None => out.u8(0),
            Some(Err(failure)) => out.u8(1).str(failure.code()).str(&failure.to_string()),
            Some(Ok(table)) => write_causes(out.u8(2), table),
        };
    }
    for (key, outcome) in branch.fits() {
        out = write_outcome(out, outcome).option(branch.checks(key), write_checks);
    }
    out.option(branch.imputation(), write_imputation)
}

fn write_imputation(out: Canonical, imputation: &Imputation) -> Canonical {
    out.list(imputation.models(), |out, models| out.list(models, |out, model| model.write(out)))
        .option(imputation.failure(), |out, failure| out.str(failure.code()).str(&failure.to_string()))
        .list(imputation.draws(), write_fits)
}

fn write_fits(out: Canonical, branch: &Branch) -> Canonical {
    branch.fits().fold(out, |out, (_, outcome)| write_outcome(out, outcome))
}

fn write_checks(out: Canonical, checks: &CheckSums) -> Canonical {
    let out = out.list(&*checks.beta, |out, x| out.f64(*x)).list(&checks.trends, |out, (transform, trend)| {
        let out = out.u8(transform_code(*transform));
        match trend {
            Ok(words) => out.u8(1).list(words, |out, x| out.f64(*x)),
            Err(why) => out.u8(0).str(&why.to_string()),
        }
    });
    out.bool(checks.exact)
        .option(checks.pairs, |out, pairs| out.f64(pairs.concordant).f64(pairs.discordant).f64(pairs.tied))
}

fn write_flow(out: Canonical, count: &FlowCount) -> Canonical {
    out.u64(count.control).u64(count.treated).u64(count.neither)
}

fn write_outcome(out: Canonical, outcome: Option<FitOutcome<'_>>) -> Canonical {
    match outcome {
        None => out.u8(0),
        Some(FitOutcome::Failed(failure)) => out.u8(1).str(failure.code()).str(&failure.to_string()),
        Some(FitOutcome::Fitted(fit)) => write_fit(out.u8(2), fit),
    }
}

fn write_events(out: Canonical, events: &Events) -> Canonical {
    let counts = [events.censored, events.events].concat();
    let out = counts.iter().fold(out, |out, n| out.u64(*n)).u64(events.missing).u64(events.beyond);
    out.list(events.cells.iter().zip(&events.deaths), |out, (cell, d)| out.u32(*cell).f64(*d))
}

fn tally(out: Canonical, tally: Tally) -> Canonical {
    out.f64(tally.n).f64(tally.w).f64(tally.w2)
}

fn write_causes(out: Canonical, table: &CauseTable) -> Canonical {
    out.list(table.cells(), |out, arms| {
        arms.iter().fold(out, |out, leavers| {
            leavers.causes.iter().fold(tally(out, leavers.censored), |out, cause| tally(out, *cause))
        })
    })
}

fn write_table(out: Canonical, table: &ArmTable) -> Canonical {
    out.list(table.cells(), |out, arms| {
        arms.iter().fold(out, |out, leavers| tally(tally(out, leavers.events), leavers.censored))
    })
}

fn write_contrast(out: Canonical, contrast: &Contrast) -> Canonical {
    let out = out.option(contrast.cell, Canonical::u32).str(contrast.variance.name());
    let out = out.f64(contrast.means.treated).f64(contrast.means.control);
    contrast.means.covariance.iter().fold(out, |out, x| out.f64(*x))
}

fn write_fit(out: Canonical, fit: &Fit) -> Canonical {
    let out = out.list(&fit.beta, |out, x| out.f64(*x)).list(&fit.information, |out, x| out.f64(*x));
    // which bits "not a number" gets in arithmetic is the machine's choice
    let same = |x: f64| if x.is_nan() { f64::NAN } else { x };
    let matrix = |out: Canonical, m: &Matrix| out.list(m.values(), |out, x| out.f64(same(*x)));
    let out = matrix(out, &fit.naive)
        .option(fit.robust.as_ref(), matrix)
        .option(fit.cluster.as_ref(), matrix)
        .option(fit.clusters, Canonical::f64)
        .option(fit.m_estimation.as_ref(), matrix);
    out.f64(fit.loglik_null)
        .f64(fit.loglik)
        .option(fit.score_test, Canonical::f64)
        .f64(fit.wald_test)
        .u32(fit.iterations as u32)
        .option(fit.penalised, |out, p| out.f64(p.loglik).option(p.df, Canonical::f64))
}
