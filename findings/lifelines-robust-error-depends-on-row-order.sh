#!/usr/bin/env bash
# Subject:   lifelines' robust standard errors of a Cox model (CoxPHFitter, robust=True) with tied times
# Version:   lifelines 0.30.3
# Behaviour: the same patients in another order give another robust error: rows with the same time are counted one after the
#            other, and each sees another risk set. Coefficients and naive errors do not change. With 200 rows on 12 months the
#            errors are up to some percent apart between two orders; the tests of proportional hazards of such a fit move too.
# Why here:  "robust" (Lin and Wei) of Entente is R's, in which tied rows are exchangeable. Hospitals' follow-up in months has
#            nothing but ties, and a hospital that sorts its export another way would get another interval.
# Source:    lifelines.readthedocs.io, CoxPHFitter.fit, `robust`; Lin and Wei, JASA 1989
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check lifelines==0.30.3 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1
"$folder/venv/bin/python" -W ignore - << 'END'
import lifelines, numpy as np, pandas as pd
from lifelines import CoxPHFitter

print("lifelines", lifelines.__version__)
i = np.arange(200)
rows = pd.DataFrame({"month": 1 + (i * 7919 % 12), "event": (i % 5 > 1).astype(int), "arm": (i % 2).astype(int), "age": 50 + (i * 37 % 29)})

def fit(rows, robust):
    found = CoxPHFitter().fit(rows, "month", "event", robust=robust, fit_options={"precision": 1e-12})
    return found.params_.to_numpy(), found.standard_errors_.to_numpy()

errors = {}
for seed in (None, 1, 2, 3):
    order = rows if seed is None else rows.sample(frac=1, random_state=seed)
    beta, robust = fit(order, True)
    _, naive = fit(order, False)
    errors[seed] = (beta, naive, robust)
    print("order", seed, "coefficients", beta, "naive", naive, "robust", robust)
first, others = errors[None], [errors[seed] for seed in (1, 2, 3)]
assert all(np.allclose(first[k], other[k], rtol=1e-8) for other in others for k in (0, 1))
assert max(np.max(np.abs(other[2] / first[2] - 1)) for other in others) > 1e-4, "the order no longer matters"
print("as described")
END
