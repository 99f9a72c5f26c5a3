"""Which calls of Python packages give the numbers of Entente, and which give others: what docs/other-software.md says.

Usage, from this folder, in an environment with the packages of other_software.txt: python other_software.py
Every line compares one call with the golden value that R computed and that Entente's tests hold to 1e-8. "same" and
"other" are expectations: the script fails when a version of a package changes its mind.
"""

import json
import sys
import warnings
from importlib.metadata import version

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")
import lifelines
import sksurv
import statsmodels
import statsmodels.api as sm
from lifelines import AalenJohansenFitter, CoxPHFitter, KaplanMeierFitter
from lifelines.statistics import logrank_test, proportional_hazard_test
from scipy import stats
from sksurv.metrics import concordance_index_censored
from sksurv.nonparametric import cumulative_incidence_competing_risks
from statsmodels.duration.survfunc import SurvfuncRight
from tableone import TableOne

failed = 0


def line(expectation, what, ours, theirs, bound):
    """One comparison; `bound` is the largest relative difference of "same", the smallest of "other"."""
    global failed
    ours, theirs = np.atleast_1d(np.asarray(ours, float)), np.atleast_1d(np.asarray(theirs, float))
    apart = float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(ours), 1e-12)))
    holds = apart <= bound if expectation == "same" else apart >= bound
    failed += not holds
    print(f"{'' if holds else 'CHANGED '}{expectation:5} {apart:9.1e}  {what}")


def same(what, ours, theirs, bound=1e-6):
    line("same", what, ours, theirs, bound)


def other(what, ours, theirs, bound):
    line("other", what, ours, theirs, bound)


def golden(name):
    with open(f"golden/{name}.json") as file:
        return json.load(file)


print(f"python {sys.version.split()[0]}, numpy {np.__version__}, pandas {pd.__version__}, statsmodels {statsmodels.__version__}, "
      f"lifelines {lifelines.__version__}, scikit-survival {sksurv.__version__}, tableone {version('tableone')}")

# ---- Rotterdam on months: 2,982 patients, many ties ----
r = pd.read_csv("rotterdam.csv")
r["tt"] = np.ceil(r.t / 30.4375)
r["mid"], r["large"] = (r.size_c == "20-50").astype(float), (r.size_c == ">50").astype(float)
columns = ["chemo", "age", "meno", "mid", "large", "nodes", "grade", "hormon"]
z = sm.add_constant(r[columns[1:]].astype(float))
R = golden("rotterdam")
month = R["month"]

score = sm.GLM(r.chemo, z, family=sm.families.Binomial()).fit(tol=1e-14)
same("propensity coefficients: GLM(Binomial)", R["propensity"]["estimate"], score.params)
same("propensity standard errors, naive: GLM(Binomial).bse", R["propensity"]["std_error"], score.bse, 1e-5)
e, share = score.fittedvalues, r.chemo.mean()
r["w"] = np.where(r.chemo == 1, share / e, (1 - share) / (1 - e))

x = r[columns].astype(float)
cox = sm.PHReg(r.tt, x, status=r.s, ties="efron").fit()
same("Cox, Efron: PHReg(ties='efron')", month["efron"]["estimate"], cox.params)
same("Cox, Breslow: PHReg(ties='breslow')", month["breslow"]["estimate"], sm.PHReg(r.tt, x, status=r.s, ties="breslow").fit().params)
same("Cox stratified by site: PHReg(strata=)", month["stratified_by_site"]["estimate"],
     sm.PHReg(r.tt, x, status=r.s, ties="efron", strata=r.site).fit().params)
for word in ("weights", "freq_weights"):
    weighted = sm.PHReg(r.tt, x, status=r.s, ties="efron", **{word: r.w}).fit()
    same(f"  PHReg({word}=w) is the fit without weights, and says nothing", cox.params, weighted.params, 1e-12)
other("weighted Cox: PHReg(weights=w)", month["efron_weighted"]["estimate"], weighted.params, 1e-2)

data = r[columns + ["tt", "s", "w", "site"]]


def lifelines_cox(rows, weighted, robust=True, **more):
    rows = rows if weighted else rows.drop(columns="w")
    fitter = CoxPHFitter()
    rows = rows if "strata" in more or "cluster_col" in more else rows.drop(columns="site")
    return fitter.fit(rows, "tt", "s", weights_col="w" if weighted else None, robust=robust, fit_options={"precision": 1e-12}, **more)


plain = lifelines_cox(data, False, robust=False)
same("Cox, Efron: lifelines", month["efron"]["estimate"], plain.params_, 1e-6)
same("its naive errors", month["efron"]["std_error"], plain.standard_errors_, 1e-6)
weighted = lifelines_cox(data, True)
same("weighted Cox, Efron: lifelines(weights_col=)", month["efron_weighted"]["estimate"], weighted.params_, 1e-6)
other("its robust errors, as rows come", month["efron_weighted"]["se_robust"], weighted.standard_errors_, 1e-5)
shuffled = lifelines_cox(data.sample(frac=1, random_state=1), True)
same("  the coefficients do not depend on the order of rows", weighted.params_, shuffled.params_, 1e-8)
other("  its robust errors depend on the order of rows with the same time", weighted.standard_errors_, shuffled.standard_errors_, 1e-6)
rows = data.drop(columns=["w", "site"])
test = proportional_hazard_test(plain, rows, time_transform="km").test_statistic
chisq = dict(zip(month["efron"]["zph_term"], month["efron"]["zph_chisq"]))
other("test of proportional hazards, km: lifelines (sum of scaled residuals, not the score test)", chisq["chemo"], test["chemo"], 1e-2)
mixed = data.sample(frac=1, random_state=1)
tests = [proportional_hazard_test(lifelines_cox(order, False), order.drop(columns=["w", "site"]), time_transform="km") for order in (data, mixed)]
other("  of a fit with robust errors it depends on the order of rows with the same time", *[t.test_statistic["chemo"] for t in tests], 1e-6)

predictor = x.to_numpy() @ np.asarray(month["efron"]["estimate"])
found = concordance_index_censored(r.s.astype(bool).to_numpy(), r.tt.to_numpy(), predictor)[0]
same("concordance: scikit-survival", month["efron"]["concordance"], found, 1e-6)

# ---- lung: curves ----
lung = pd.read_csv("lung.csv")
L = golden("lung")
curve = L["km_all"]
kaplan = KaplanMeierFitter().fit(lung.time, lung.status)
times = curve["log"]["times"]
same("Kaplan-Meier: lifelines", curve["log"]["survival"], kaplan.survival_function_at_times(times))
function = SurvfuncRight(lung.time, lung.status)
at = np.searchsorted(function.surv_times, times, side="right") - 1
same("Kaplan-Meier: statsmodels SurvfuncRight", curve["log"]["survival"], function.surv_prob[at])
same("its errors", curve["log"]["std_err_survival"], function.surv_prob_se[at])
same("lower limits: lifelines has log-log", curve["log_log"]["lower"], kaplan.confidence_interval_.iloc[:, 0].asof(times))
male, female = lung[lung.sex == 0], lung[lung.sex == 1]
same("log-rank: lifelines", L["log_rank_chisq"], logrank_test(male.time, female.time, male.status, female.status).test_statistic)

few = KaplanMeierFitter().fit(np.arange(1.0, 7), [1, 0, 1, 1, 0, 1], weights=np.full(6, 1.9))
variance = few._cumulative_sq_.to_numpy().ravel()[:-1]
n = few.event_table.at_risk.to_numpy()[:-1]
d = few.event_table.observed.to_numpy()[:-1]
same("weighted Kaplan-Meier, lifelines: Greenwood's sum with the risk sets cut to whole numbers", np.cumsum(d / (np.floor(n) * (np.floor(n) - d)))[1:], variance[1:])

# ---- Competing causes on months ----
C = golden("competing")["rotterdam"]["month"]
cause = np.where(r.s == 0, 0, np.where((r.death == 1) & (r.t == r.dtime), 2, 1))
arm = (r.chemo == 1).to_numpy()
whole = C["incidence"]["all"]
grid, incidence = cumulative_incidence_competing_risks(cause, r.tt.to_numpy())
at = np.searchsorted(grid, whole["times"], side="right") - 1
same("cumulative incidence: scikit-survival", whole["cause1"], incidence[1][at])
jittered = [AalenJohansenFitter(seed=seed).fit(r.tt, cause, 1).cumulative_density_.iloc[:, 0] for seed in (0, 1)]
other("cumulative incidence: lifelines moves ties by random", whole["cause1"][:4], [jittered[0].asof(t) for t in whole["times"][:4]], 1e-5)
other("  and depends on its seed", [jittered[0].asof(t) for t in whole["times"][:4]], [jittered[1].asof(t) for t in whole["times"][:4]], 1e-7)

# ---- Weighted logistic regression ----
M = golden("relapsed-myeloma")
m = pd.read_csv("relapsed-myeloma-596.csv")
m = m[m.fish.notna()].reset_index(drop=True)
m["a"] = (m.regimen == "IsaPd").astype(float)
Z = pd.DataFrame({"const": 1.0, "age": m.age, "female": (m.sex == "F") * 1.0, "crcl": m.crcl, "ii": (m.iss_stage == "II") * 1.0, "iii": (m.iss_stage == "III") * 1.0,
                  "ldh": m.ldh_high, "dara": 1 - m.dara_refr, "asct": 1 - m.asct, "fish": (m.fish == "high") * 1.0})
score = sm.GLM(m.a, Z, family=sm.families.Binomial()).fit(tol=1e-14)
same("propensity coefficients of the myeloma study: GLM(Binomial)", M["propensity"]["estimate"], score.params)
e, share = score.fittedvalues, m.a.mean()
w = np.where(m.a == 1, share / e, (1 - share) / (1 - e))
X = sm.add_constant(m[["a"]])
weighted = M["binary"]["response"]["iptw_stabilized"]
for word in ("var_weights", "freq_weights"):
    fit = sm.GLM(m.response, X, family=sm.families.Binomial(), **{word: w})
    naive, robust = fit.fit(tol=1e-14), fit.fit(tol=1e-14, cov_type="HC0")
    same(f"weighted logistic regression: GLM({word}=w)", weighted["log_odds_ratio"], naive.params["a"])
    same("its naive error", weighted["se_naive"], naive.bse["a"], 1e-5)
    (same if word == "var_weights" else other)(f"its HC0 with {word}", weighted["se_hc0"], robust.bse["a"], 1e-5 if word == "var_weights" else 1e-3)
age = M["baseline"]["age"]
treated, control = m.age[m.a == 1], m.age[m.a == 0]
test = stats.mannwhitneyu(treated, control, method="asymptotic", use_continuity=False)
same("Mann-Whitney: scipy, treated first", [age["mann_whitney_w"], age["mann_whitney_p"]], [test.statistic, test.pvalue], 1e-9)
same("quartiles: numpy's default", [age["control"][q] for q in ("q25", "median", "q75")], np.quantile(control, [0.25, 0.5, 0.75]), 1e-12)
table = pd.crosstab(m.response, m.a)
same("chi-square of a binary outcome: scipy chi2_contingency(correction=False)", M["binary"]["response"]["chi_square_p"], stats.chi2_contingency(table, correction=False)[1], 1e-9)

# ---- Differences between arms, missing values: tableone ----
few = pd.DataFrame({"arm": list("AAAAAABBBBBB"), "grade": ["x", "x", "y", "y", None, None, "x", "y", "y", "y", "y", None]})


def smd(rows):
    made = TableOne(rows, columns=["grade"], categorical=["grade"], groupby="arm", smd=True, pval=False)
    return float(pd.to_numeric(made.tableone[("Grouped by arm", "SMD (A,B)")], errors="coerce").dropna().iloc[0])


share = few.dropna().groupby("arm").grade.apply(lambda grade: np.mean(grade == "y"))
difference = abs(share["A"] - share["B"]) / np.sqrt((share["A"] * (1 - share["A"]) + share["B"] * (1 - share["B"])) / 2)
same("SMD of a category without missing rows: tableone", difference, smd(few.dropna()), 1e-3)
other("SMD of a category: tableone counts missing as a level", difference, smd(few), 1e-2)

print(f"\n{failed} expectations changed")
sys.exit(failed > 0)
