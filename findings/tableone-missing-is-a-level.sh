#!/usr/bin/env bash
# Subject:   the Python package tableone: standardised difference and test of a categorical variable with missing values
# Version:   tableone 0.9.6
# Behaviour: missing values are a level of their own ("None") in shares, test and standardised mean difference, unless rows with
#            them are dropped before. R's package of the same name leaves them out of all three by default (includeNA = FALSE), and
#            so does this one for numbers.
# Why here:  a table of balance made anew in Python from a hospital's file has other shares, another p value and another SMD
#            than the report: not because of an error, but because of who counts. docs/other-software.md says so.
# Source:    tableone on PyPI; Pollard et al., JAMIA Open 2018
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tableone==0.9.6 numpy==2.4.6 pandas==2.3.3 scipy==1.17.1 statsmodels==0.15.0
"$folder/venv/bin/python" -W ignore - << 'END'
from importlib.metadata import version
import numpy as np, pandas as pd
from tableone import TableOne

print("tableone", version("tableone"))
rows = pd.DataFrame({"arm": list("AAAAAABBBBBB"), "grade": ["x", "x", "y", "y", None, None, "x", "y", "y", "y", "y", None]})

def made(rows):
    table = TableOne(rows, columns=["grade"], categorical=["grade"], groupby="arm", smd=True, pval=True)
    print(table.tabulate(tablefmt="plain"), end="\n\n")
    return float(pd.to_numeric(table.tableone[("Grouped by arm", "SMD (A,B)")], errors="coerce").dropna().iloc[0])

every, known = made(rows), made(rows.dropna())
p, q = 2 / 4, 4 / 5
formula = abs(p - q) / np.sqrt((p * (1 - p) + q * (1 - q)) / 2)
print("SMD with missing values as they are", every, "- of the known ones", known, "- by the formula", round(formula, 3))
assert abs(known - formula) < 1e-3 and abs(every - formula) > 0.01, "missing values are left out now"
print("as described")
END
