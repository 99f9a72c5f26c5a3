#!/usr/bin/env bash
# Subject:   statsmodels' Cox model, PHReg, and weights
# Version:   statsmodels 0.15.0
# Behaviour: PHReg has no case weights, and takes any keyword for them without a word: PHReg(..., weights=w) and
#            PHReg(..., freq_weights=w) give the coefficients of the fit without weights, bit for bit. GLM of the same package
#            weighs by freq_weights, and warns of a keyword that it does not know (weights=).
# Why here:  whoever repeats a weighted Cox model (iptw) of a report with PHReg gets the unadjusted hazard ratio and takes it
#            for the weighted one. docs/other-software.md names the calls that weigh.
# Source:    statsmodels.org, "statsmodels.duration.hazard_regression.PHReg" (its parameters have no weights)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check statsmodels==0.15.0 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
"$folder/venv/bin/python" - << 'END'
import warnings
import numpy as np, statsmodels, statsmodels.api as sm

print("statsmodels", statsmodels.__version__)
n = 200
x = (np.arange(n) % 2).astype(float)
time = 1 + (np.arange(n) * 7919 % 101) * (1.0 + 0.4 * x)
status = (np.arange(n) % 3 > 0).astype(int)
weight = 0.5 + (np.arange(n) * 31 % 17) / 4
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    plain = sm.PHReg(time, x[:, None], status=status, ties="efron").fit().params
    found = {word: sm.PHReg(time, x[:, None], status=status, ties="efron", **{word: weight}).fit().params
             for word in ("weights", "freq_weights")}
# what the weights ask for: rows repeated as often as four times the weight says, which leaves coefficients as they are
times = np.rint(weight * 4).astype(int)
repeated = sm.PHReg(np.repeat(time, times), np.repeat(x, times)[:, None], status=np.repeat(status, times), ties="breslow").fit().params
print("without weights          ", plain)
for word, params in found.items():
    print(f"{word + '=w':<25}", params)
print("rows repeated by weight  ", repeated)
print("warnings:", len(said))
assert all((params == plain).all() for params in found.values()), "weights count now"
assert not said, "it warns now"
assert abs(repeated[0] - plain[0]) > 1e-3
print("as described")
END
