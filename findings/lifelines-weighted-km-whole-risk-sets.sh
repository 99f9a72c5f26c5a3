#!/usr/bin/env bash
# Subject:   lifelines' intervals of a weighted Kaplan-Meier curve (KaplanMeierFitter.fit, weights=)
# Version:   lifelines 0.30.3
# Behaviour: the curve itself is right, but the sum of Greenwood's formula behind its interval cuts every risk set to a whole
#            number and leaves the events as they are. Weights of 1.9 per patient give 1.9 / (11 (11 - 1.9)) where the formula
#            has 1.9 / (11.4 (11.4 - 1.9)), and where fewer than one weighted event is left over the sum turns negative. The
#            warning that it prints for weights that are not whole speaks of a biased variance, not of this.
# Why here:  a weighted survival curve is the usual picture of an emulated trial, and stabilised weights add up to about one
#            per patient: late risk sets are small numbers with decimals. Entente has the infinitesimal jackknife of R.
# Source:    lifelines.readthedocs.io, KaplanMeierFitter.fit, `weights`
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lifelines==0.30.3 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - << 'END'
import lifelines, numpy as np
from lifelines import KaplanMeierFitter

print("lifelines", lifelines.__version__)
time, event = np.arange(1.0, 7), np.array([1, 0, 1, 1, 0, 1])
fit = KaplanMeierFitter().fit(time, event, weights=np.full(6, 1.9))
z = 1.959963984540054
survival = fit.survival_function_.iloc[1:6, 0].to_numpy()
upper = fit.confidence_interval_.iloc[1:6, 1].to_numpy()
# the log-log interval solved for the variance of log S that it was made of
variance = ((np.log(-np.log(upper)) - np.log(-np.log(survival))) * np.log(survival) / z) ** 2
n = fit.event_table.at_risk.to_numpy()[1:6]
d = fit.event_table.observed.to_numpy()[1:6]
formula, whole = np.cumsum(d / (n * (n - d))), np.cumsum(d / (np.floor(n) * (np.floor(n) - d)))
print("at risk             ", n)
print("Greenwood's sum     ", formula)
print("with whole risk sets", whole)
print("behind the interval ", variance)
assert np.allclose(variance, whole, rtol=1e-6), "risk sets are no longer cut"
assert np.max(np.abs(variance / formula - 1)) > 0.05
print("as described")
END
