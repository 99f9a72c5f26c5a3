//! Every mistake of a document: its line, its key, and what to do.

use study::protocol::Protocol;

use crate::sample::{edited, protocol};

/// A piece of the sample, what stands in its place, and every mistake that is reported then.
type Case = (&'static str, &'static str, &'static [&'static str]);

fn mistakes(text: &str) -> Vec<String> {
    Protocol::parse(text).err().map_or(Vec::new(), |mistakes| mistakes.0.iter().map(ToString::to_string).collect())
}

fn check(cases: &[Case]) {
    for (from, to, expected) in cases {
        let found = mistakes(&edited(from, to));
        assert_eq!(found, *expected, "{from:?} -> {to:?}");
        assert!(found.iter().all(|mistake| advises(mistake)), "{found:?}");
    }
}

/// Does a mistake say what to do, behind a semicolon or a question?
fn advises(mistake: &str) -> bool {
    mistake.split_once("; ").is_some_and(|(_, advice)| !advice.is_empty())
}

const THE_DOCUMENT_AND_ITS_HEAD: &[Case] = &[
    (
        "[study]\n",
        "[study\n",
        &[
            "line 1: (syntax): unclosed table, expected `]`; look at quotation marks, brackets and commas here and in the line above",
        ],
    ),
    (
        "months = 30.4375\n",
        "months = 30.4375\nmonths = 30\n",
        &["line 6: (syntax): duplicate key; keep one of the two"],
    ),
    ("id = \"sample\"\n", "", &["line 1: study.id: is missing; add a line such as `id = \"…\"`"]),
    (
        "id = \"sample\"\n",
        "id = 5\n",
        &["line 2: study.id: expected a string, got integer; write it in quotation marks, `id = \"…\"`"],
    ),
    ("id = \"sample\"\n", "id = \" \"\n", &["line 2: study.id: is empty; write a text between the quotation marks"]),
    (
        "id = \"sample\"\n",
        "id = \"Sample 1\"\n",
        &[
            "line 2: study.id: is no short name; use at most 64 lower-case letters, digits and hyphens, such as `sample-1`",
        ],
    ),
    (
        "title = \"A sample\"\n",
        "titel = \"A sample\"\n",
        &[
            "line 1: study.title: is missing; add a line such as `title = \"…\"`",
            "line 3: study.titel: is not a known key; did you mean `title`?",
        ],
    ),
    (
        "patient = \"patient\"",
        "patient = \"age\"",
        &["line 4: study.patient: is also declared as a [[variable]]; an identifier cannot be analysed"],
    ),
    (
        "months = 30.4375",
        "months = 12",
        &["line 5: study.months: expected the days of one month, 28 to 31; such as 30.4375"],
    ),
    (
        "months = 30.4375",
        "months = \"30\"",
        &[
            "line 5: study.months: expected a finite number, got string; write digits with a decimal point, without quotation marks",
        ],
    ),
    (
        "months = 30.4375",
        "months = inf",
        &[
            "line 5: study.months: expected a finite number, got float; write digits with a decimal point, without quotation marks",
        ],
    ),
    (
        "[trial]\nquestion = \"Does it help?\"\n",
        "trial = 1\n",
        &["line 7: study.trial: is not a known key; known: id, months, patient, title"],
    ),
    (
        "name = \"Eligibility\"\n",
        "",
        &["line 10: trial.element[1].name: is missing; add a line such as `name = \"…\"`"],
    ),
    (
        "name = \"Eligibility\"\n",
        "name = \"Eligibility\"\nnote = \"\"\n",
        &["line 12: trial.element[1].note: is not a known key; did you mean `name`?"],
    ),
    (
        "[[trial.element]]",
        "[trial.element]",
        &[
            "line 10: trial.element: expected tables headed [[trial.element]], got table; write `[[trial.element]]` above each",
        ],
    ),
    (
        "[study]\n",
        "[studies]\nx = 1\n[study]\n",
        &[
            "line 1: studies: is not a known key; known: analysis, bootstrap, eligibility, outcome, propensity, release, scenario, study, treatment, trial, variable",
        ],
    ),
    (
        "[study]\nid = \"sample\"\ntitle = \"A sample\"\npatient = \"patient\"\nmonths = 30.4375\n",
        "study = 1\n",
        &["line 1: study: expected a table, got integer; write `[study]` and its keys below"],
    ),
];

#[test]
fn the_document_and_its_head() {
    check(THE_DOCUMENT_AND_ITS_HEAD);
}

const VARIABLES: &[Case] = &[
    (
        "name = \"age\"",
        "name = \"2age\"",
        &[
            "line 21: variable[2].name: is no name of a variable; use a letter, then letters, digits and underscores, at most 63",
            "line 50: eligibility[1].require: at character 1: `age` is not a declared [[variable]]; did you mean `2age`?",
            "line 72: propensity.covariates: `age` is not a declared [[variable]]; did you mean `2age`?",
            "line 90: analysis[2].covariates: `age` is not a declared [[variable]]; did you mean `2age`?",
        ],
    ),
    (
        "name = \"age\"",
        "name = \"DRUG\"",
        &[
            "line 21: variable[2].name: `DRUG` is declared twice (case does not count); rename or remove one of them",
            "line 50: eligibility[1].require: at character 1: `age` is not a declared [[variable]]; did you mean `stage`?",
            "line 72: propensity.covariates: `age` is not a declared [[variable]]; did you mean `stage`?",
            "line 90: analysis[2].covariates: `age` is not a declared [[variable]]; did you mean `stage`?",
        ],
    ),
    (
        "name = \"age\"\nkind = \"continuous\"",
        "name = \"age\"\nkind = \"continous\"",
        &[
            "line 22: variable[2].kind: `continous` is not known (known: continuous, categorical, binary, days); did you mean `continuous`?",
        ],
    ),
    (
        "name = \"age\"\nkind = \"continuous\"",
        "name = \"age\"",
        &["line 20: variable[2].kind: is missing; use one of continuous, categorical, binary, days"],
    ),
    (
        "range = [18, 110]\n",
        "",
        &["line 20: variable[2].range: is missing; give the smallest and largest possible value, such as [18, 110]"],
    ),
    (
        "range = [18, 110]\n",
        "range = [110, 18]\n",
        &["line 24: variable[2].range: expected [smallest, largest] with smallest below largest; such as [18, 110]"],
    ),
    (
        "range = [18, 110]\n",
        "range = [18]\n",
        &["line 24: variable[2].range: expected [smallest, largest] with smallest below largest; such as [18, 110]"],
    ),
    (
        "range = [18, 110]\n",
        "range = [\"18\", 110]\n",
        &["line 24: variable[2].range: expected nothing but numbers in the list; write `range = [1, 2]`"],
    ),
    ("resolution = 0.1", "resolution = 0", &["line 25: variable[2].resolution: must be above zero; such as 0.1"]),
    (
        "levels = [\"none\", \"new\", \"other\"]",
        "",
        &["line 15: variable[1].levels: is missing; add a line such as `levels = [\"a\", \"b\"]`"],
    ),
    (
        "levels = [\"none\", \"new\", \"other\"]",
        "levels = []",
        &["line 18: variable[1].levels: is empty; name at least one"],
    ),
    (
        "levels = [\"none\", \"new\", \"other\"]",
        "levels = \"none\"",
        &["line 18: variable[1].levels: expected a list of strings, got string; write `levels = [\"a\", \"b\"]`"],
    ),
    (
        "levels = [\"none\", \"new\", \"other\"]",
        "levels = [\"none\", \"new\", \"new\"]",
        &["line 18: variable[1].levels: a level stands twice; name each once"],
    ),
    (
        "levels = [\"none\", \"new\", \"other\"]",
        "levels = [\"none\", \"new\", \"other \"]",
        &["line 18: variable[1].levels: a level is empty or has spaces at its ends; remove them here and in the file"],
    ),
    (
        "levels = [\"I\", \"II\", \"III\"]\nlabels = [\"one\", \"two\", \"three\"]",
        "levels = [\"I\"]",
        &["line 31: variable[3].levels: expected 2 to 200 levels; a column with more is no category"],
    ),
    (
        "labels = [\"one\", \"two\", \"three\"]",
        "labels = [\"one\", \"two\"]",
        &["line 32: variable[3].labels: 2 labels for 3 levels; give each level one, in the same order"],
    ),
    (
        "labels = [\"alive\", \"dead\"]",
        "labels = [\"alive\"]",
        &["line 46: variable[6].labels: a binary variable has two labels, for 0 and for 1; such as [\"no\", \"yes\"]"],
    ),
    ("max = 1000", "", &["line 38: variable[5].max: is missing; add a line such as `max = 365`"]),
    (
        "max = 1000",
        "max = 10.5",
        &["line 41: variable[5].max: expected a whole number that is not negative; write it without sign and decimals"],
    ),
    (
        "max = 1000",
        "max = -1",
        &["line 41: variable[5].max: expected a whole number that is not negative; write it without sign and decimals"],
    ),
    (
        "[[eligibility]]\nlabel = \"Adults\"\nrequire = \"age >= 18\"",
        "eligibility = [\"age >= 18\"]",
        &["line 48: variable[6].eligibility: is not a known key; known: codes, kind, label, labels, name"],
    ),
];

#[test]
fn variables() {
    check(VARIABLES);
}

const ELIGIBILITY_AND_TREATMENT: &[Case] = &[
    (
        "require = \"age >= 18\"",
        "requires = \"age >= 18\"",
        &[
            "line 48: eligibility[1].require: is missing; add a line such as `require = \"…\"`",
            "line 50: eligibility[1].requires: is not a known key; did you mean `require`?",
        ],
    ),
    (
        "[treatment]\nvariable = \"drug\"\ntreated = \"new\"\ncontrol = \"none\"\n",
        "",
        &["line 1: treatment: the table [treatment] is missing; add it with `variable`, `treated` and `control`"],
    ),
    (
        "variable = \"drug\"",
        "variable = \"drugs\"",
        &["line 53: treatment.variable: `drugs` is not a declared [[variable]]; did you mean `drug`?"],
    ),
    (
        "variable = \"drug\"",
        "variable = \"age\"",
        &["line 53: treatment.variable: is continuous or a time; the treatment must be categorical or binary"],
    ),
    (
        "treated = \"new\"",
        "treated = \"newer\"",
        &[
            "line 54: treatment.treated: `newer` is not a level of the treatment (levels: none, new, other); spell one of these exactly so",
        ],
    ),
    (
        "control = \"none\"",
        "control = \"new\"",
        &["line 55: treatment.control: both arms are the same level; name another one"],
    ),
];

#[test]
fn eligibility_and_treatment() {
    check(ELIGIBILITY_AND_TREATMENT);
}

const OUTCOMES: &[Case] = &[
    (
        "name = \"cure\"",
        "name = \"os\"",
        &[
            "line 63: outcome[2].name: `os` is declared twice; give one of them another name",
            "line 79: analysis[1].outcomes: `cure` is not a declared [[outcome]]; known: os",
            "line 86: analysis[2].outcome: `os` is binary; Cox regression wants a time to event",
        ],
    ),
    (
        "name = \"cure\"\nkind = \"binary\"",
        "name = \"cure\"\nkind = \"count\"",
        &["line 59: outcome[1].kind: `count` is not known (known: binary, time_to_event, competing); use one of these"],
    ),
    (
        "variable = \"cured\"",
        "variable = \"stage\"",
        &[
            "line 60: outcome[1].variable: `stage` must be declared with kind = \"binary\"; so declared: `cured`, `dead`",
        ],
    ),
    (
        "variable = \"cured\"",
        "variable = \"cure\"",
        &["line 60: outcome[1].variable: `cure` is not a declared [[variable]]; did you mean `cured`?"],
    ),
    (
        "time = \"days\"",
        "time = \"age\"",
        &["line 66: outcome[2].time: `age` must be declared with kind = \"days\"; so declared: `days`"],
    ),
    (
        "event = \"dead\"",
        "event = \"days\"",
        &["line 67: outcome[2].event: `days` must be declared with kind = \"binary\"; so declared: `cured`, `dead`"],
    ),
    (
        "grid_days = 10",
        "grid_days = 0.5",
        &["line 68: outcome[2].grid_days: must be at least one day; time is measured in whole days"],
    ),
    (
        "grid_days = 10\nhorizon_days = 900",
        "grid_days = 1\nhorizon_days = 200000",
        &["line 68: outcome[2].grid_days: 200001 time cells up to the horizon, at most 100000; choose wider cells"],
    ),
    (
        "horizon_days = 900",
        "horizon_days = 0",
        &["line 69: outcome[2].horizon_days: must be at least one day; such as 1826"],
    ),
    (
        "horizon_days = 900\n",
        "",
        &["line 62: outcome[2].horizon_days: is missing; add a line such as `horizon_days = 365`"],
    ),
];

#[test]
fn outcomes() {
    check(OUTCOMES);
}

const PROPENSITY: &[Case] = &[
    (
        "covariates = [\"age\", \"stage\"]",
        "covariates = []",
        &["line 72: propensity.covariates: is empty; name at least one"],
    ),
    (
        "covariates = [\"age\", \"stage\"]",
        "covariates = [\"age\", \"age\"]",
        &["line 72: propensity.covariates: `age` stands twice; name it once"],
    ),
    (
        "covariates = [\"age\", \"stage\"]",
        "covariates = [\"age\", \"days\"]",
        &["line 72: propensity.covariates: `days` is a time; a covariate is continuous, categorical or binary"],
    ),
    (
        "covariates = [\"age\", \"stage\"]",
        "covariates = [\"age\", \"drug\"]",
        &[
            "line 72: propensity.covariates: `drug` is the treatment and stands in every model already; leave it out here",
        ],
    ),
    (
        "covariates = [\"age\", \"stage\"]",
        "covariates = [\"age\", \"stages\"]",
        &["line 72: propensity.covariates: `stages` is not a declared [[variable]]; did you mean `stage`?"],
    ),
    (
        "estimand = \"ATE\"",
        "estimand = \"ATX\"",
        &["line 73: propensity.estimand: `ATX` is not known (known: ATE, ATT, ATC, ATO, ATM); did you mean `ATC`?"],
    ),
    (
        "estimand = \"ATE\"\nstabilized = false",
        "estimand = \"ATT\"\nstabilized = true",
        &[
            "line 74: propensity.stabilized: only weights of the average treatment effect (`ATE`) are stabilised; leave it out",
        ],
    ),
    (
        "bins = 10\n",
        "bins = 10\nsummaries = [\"ATT\", \"ATO\", \"ATT\"]\n",
        &["line 76: propensity.summaries: `ATT` stands twice; name it once"],
    ),
    (
        "bins = 10\n",
        "bins = 10\ntruncate = [0.99, 0.01]\n",
        &[
            "line 76: propensity.truncate: expected two numbers from 0 to 1, the first below the second; such as [0.05, 0.95]",
        ],
    ),
    (
        "bins = 10\n",
        "bins = 10\ntruncate = [0.01, 0.99]\ntruncate_type = 6\n",
        &["line 77: propensity.truncate_type: expected 3 or 7, as R counts the types of quantiles; 7 is the default"],
    ),
    (
        "bins = 10\n",
        "bins = 10\ntruncate_type = 3\nweight_max = 20\n",
        &[
            "line 76: propensity.truncate_type: stands without `truncate`; add it, such as `truncate = [0.01, 0.99]`, or leave this out",
            "line 77: propensity.weight_max: stands without `weight_resolution` or `truncate`; add one of them, or leave this out",
        ],
    ),
    (
        "bins = 10\n",
        "bins = 10\nweight_resolution = 0\n",
        &[
            "line 76: propensity.weight_resolution: the grid from 0 to `weight_max`: a value grid needs low below high and a resolution above zero; the default is 0.01",
        ],
    ),
    (
        "bins = 10\n",
        "bins = 10\nscore_bounds = [0.1]\n",
        &[
            "line 76: propensity.score_bounds: expected two numbers from 0 to 1, the first below the second; such as [0.05, 0.95]",
        ],
    ),
    (
        "models = [\"unadjusted\", \"iptw\", \"adjusted\", \"stratified\"]",
        "models = [\"iptw_att\", \"iptw_truncated\"]",
        &[
            "line 87: analysis[2].models: `iptw_truncated` needs `truncate` in [propensity]; add it, such as `truncate = [0.01, 0.99]`",
        ],
    ),
    (
        "stabilized = false",
        "stabilized = 0",
        &[
            "line 74: propensity.stabilized: expected true or false, got integer; write `stabilized = true` or `stabilized = false`",
        ],
    ),
    ("bins = 10", "bins = 1", &["line 75: propensity.bins: expected 2 to 1000 bins; such as 20"]),
];

#[test]
fn propensity() {
    check(PROPENSITY);
}

const ANALYSES: &[Case] = &[
    (
        "kind = \"logistic\"",
        "kind = \"logit\"",
        &[
            "line 78: analysis[1].kind: `logit` is not known (known: logistic, cox, fine_gray, kaplan_meier, cumulative_incidence, baseline); did you mean `logistic`?",
        ],
    ),
    (
        "outcomes = [\"cure\"]",
        "outcomes = [\"os\"]",
        &["line 79: analysis[1].outcomes: `os` is a time to event; logistic regression wants a binary outcome"],
    ),
    (
        "outcomes = [\"cure\"]",
        "outcomes = [\"cured\"]",
        &["line 79: analysis[1].outcomes: `cured` is not a declared [[outcome]]; did you mean `cure`?"],
    ),
    (
        "outcomes = [\"cure\"]\n",
        "",
        &["line 77: analysis[1].outcome: is missing; name one `outcome` or a list of `outcomes`"],
    ),
    (
        "outcome = \"os\"",
        "outcome = \"cure\"",
        &["line 86: analysis[2].outcome: `cure` is binary; Cox regression wants a time to event"],
    ),
    (
        "models = [\"unadjusted\", \"iptw\", \"adjusted\", \"stratified\"]",
        "models = [\"unadjusted\", \"iptv\"]",
        &[
            "line 87: analysis[2].models: `iptv` is not known (known: unadjusted, iptw, iptw_stabilized, iptw_unstabilized, iptw_att, iptw_atc, iptw_overlap, iptw_matching, iptw_truncated, adjusted, iptw_adjusted, stratified, iptw_interaction, firth); did you mean `iptw`?",
        ],
    ),
    (
        "models = [\"unadjusted\", \"iptw\", \"adjusted\", \"stratified\"]",
        "models = [\"unadjusted\", \"unadjusted\"]",
        &["line 87: analysis[2].models: `unadjusted` stands twice; name it once"],
    ),
    (
        "models = [\"unadjusted\", \"iptw\", \"iptw_stabilized\", \"iptw_adjusted\"]",
        "models = [\"stratified\", \"iptw\"]",
        &["line 80: analysis[1].models: `stratified` is a Cox model; use `adjusted` here"],
    ),
    (
        "[propensity]\ncovariates = [\"age\", \"stage\"]\nestimand = \"ATE\"\nstabilized = false\nbins = 10\n",
        "",
        &[
            "line 75: analysis[1].models: `iptw_adjusted` needs a [propensity] model; add one with `covariates`, or leave it out",
            "line 75: analysis[1].models: `iptw_stabilized` needs a [propensity] model; add one with `covariates`, or leave it out",
            "line 75: analysis[1].models: `iptw` needs a [propensity] model; add one with `covariates`, or leave it out",
            "line 75: analysis[1].models: an adjusted model needs `covariates` here or in [propensity]; add them, such as `covariates = [\"age\"]`",
            "line 82: analysis[2].models: `iptw` needs a [propensity] model; add one with `covariates`, or leave it out",
        ],
    ),
    (
        "models = [\"unadjusted\", \"iptw\", \"iptw_stabilized\", \"iptw_adjusted\"]",
        "models = [\"unadjusted\"]",
        &[
            "line 81: analysis[1].variance: `m_estimation` belongs to weighted models and none is declared; add one such as `iptw`, or leave it out",
        ],
    ),
    (
        "ties = \"breslow\"",
        "ties = \"exact\"",
        &["line 88: analysis[2].ties: `exact` is not known (known: efron, breslow); use one of these"],
    ),
    (
        "variance = [\"robust\"]",
        "variance = [\"survey\"]",
        &["line 89: analysis[2].variance: `survey` is a variance of logistic models; use `robust`"],
    ),
    (
        "variance = [\"robust\"]",
        "variance = [\"hc3\"]",
        &[
            "line 89: analysis[2].variance: `hc3` is not known (known: naive, robust, survey, cluster_site, m_estimation); use one of these",
        ],
    ),
    (
        "effect_modifier = \"stage\"",
        "effect_modifier = \"age\"",
        &["line 77: analysis[1].effect_at: is missing; give the values of `age` at which the effect is reported"],
    ),
    (
        "effect_modifier = \"stage\"",
        "effect_modifier = \"stag\"",
        &["line 82: analysis[1].effect_modifier: `stag` is not a declared [[variable]]; did you mean `stage`?"],
    ),
    (
        "ties = \"breslow\"",
        "tie = \"breslow\"",
        &["line 88: analysis[2].tie: is not a known key; did you mean `ties`?"],
    ),
    (
        "ties = \"breslow\"\nvariance = [\"robust\"]\ncovariates = [\"age\"]\n",
        "variance = [\"robust\"]\n\n[[analysis]]\nkind = \"cox\"\noutcome = \"os\"\nmodels = [\"unadjusted\"]\n",
        &[
            "line 93: analysis[3].models: an earlier [[analysis]] already fits one of these models to the same outcome; leave it out of one of them",
        ],
    ),
    (
        "ties = \"breslow\"\nvariance = [\"robust\"]\ncovariates = [\"age\"]",
        "covariates = [\"drug\"]",
        &[
            "line 88: analysis[2].covariates: `drug` is the treatment and stands in every model already; leave it out here",
        ],
    ),
    (
        "ties = \"breslow\"\nvariance = [\"robust\"]\ncovariates = [\"age\"]",
        "covariates = [\"age\", \"dead\"]",
        &[
            "line 88: analysis[2].covariates: `dead` is part of the outcome `os`; what happens after time zero is no covariate",
        ],
    ),
    (
        "effect_modifier = \"stage\"",
        "effect_modifier = \"drug\"",
        &["line 82: analysis[1].effect_modifier: `drug` is the treatment itself; name another variable"],
    ),
    (
        "outcomes = [\"cure\"]",
        "outcomes = [\"cure\", \"cure\"]",
        &["line 79: analysis[1].outcomes: `cure` stands twice; name it once"],
    ),
    (
        "outcomes = [\"cure\"]",
        "outcomes = [\"cures\"]",
        &["line 79: analysis[1].outcomes: `cures` is not a declared [[outcome]]; did you mean `cure`?"],
    ),
    (
        "outcomes = [\"cure\"]",
        "outcome = [\"cure\"]",
        &["line 79: analysis[1].outcome: expected a string, got array; write it in quotation marks, `outcome = \"…\"`"],
    ),
    (
        "outcomes = [\"cure\"]",
        "outcome = \"cure\"\noutcomes = [\"cure\"]",
        &["line 80: analysis[1].outcomes: stands beside `outcome`; use one of them"],
    ),
];

#[test]
fn analyses() {
    check(ANALYSES);
}

const FORMS: &[Case] = &[
    (
        "effect_modifier = \"stage\"",
        "effect_modifier = \"days\"",
        &[
            "line 82: analysis[1].effect_modifier: `days` is a time; an effect modifier is continuous, categorical or binary",
        ],
    ),
    (
        "effect_modifier = \"stage\"",
        "effect_modifiers = [\"stage\", \"drug\", \"stage\"]",
        &[
            "line 82: analysis[1].effect_modifiers: `drug` is the treatment itself; name another variable",
            "line 82: analysis[1].effect_modifiers: `stage` stands twice; name it once",
        ],
    ),
    (
        "effect_modifier = \"stage\"",
        "effect_modifier = \"stage\"\neffect_modifiers = [\"age\"]",
        &["line 83: analysis[1].effect_modifiers: stands beside `effect_modifier`; use one of them"],
    ),
    (
        "effect_modifier = \"stage\"",
        "effect_modifier = \"stage\"\neffect_at = [1]",
        &[
            "line 83: analysis[1].effect_at: belongs to one continuous effect modifier; a second one stands in an [[analysis]] of its own",
        ],
    ),
    (
        "effect_modifier = \"stage\"",
        "effect_modifier = \"age\"\neffect_at = [70, 60, 130]",
        &[
            "line 83: analysis[1].effect_at: 130 is outside of the range of `age`; it goes from 18 to 110",
            "line 83: analysis[1].effect_at: expected values in ascending order; such as [60, 70]",
        ],
    ),
    (
        "effect_modifier = \"stage\"",
        "ridge = 1",
        &[
            "line 81: analysis[1].variance: `ridge` has the naive variance only; declare it in an [[analysis]] of its own",
        ],
    ),
    (
        "variance = [\"robust\"]",
        "ridge = 1\nzph = [\"km\"]",
        &["line 90: analysis[2].zph: `ridge` has no checks; declare it in an [[analysis]] of its own"],
    ),
    (
        "effect_modifier = \"stage\"",
        "ridge = 0\nridge_scale = \"stadardised\"",
        &[
            "line 82: analysis[1].ridge: must be above zero; such as 1",
            "line 83: analysis[1].ridge_scale: `stadardised` is not known (known: standardised, raw); did you mean `standardised`?",
        ],
    ),
    (
        "effect_modifier = \"stage\"",
        "ridge_scale = \"raw\"",
        &[
            "line 82: analysis[1].ridge_scale: belongs to `ridge`, which is not declared; add `ridge`, or leave this out",
        ],
    ),
    (
        "models = [\"unadjusted\", \"iptw\", \"adjusted\", \"stratified\"]\nties = \"breslow\"\nvariance = [\"robust\"]",
        "models = [\"iptw_interaction\", \"firth\"]",
        &[
            "line 87: analysis[2].models: `firth` is a logistic model; a Cox model has `ridge`",
            "line 87: analysis[2].models: `iptw_interaction` needs `effect_modifier` or `effect_modifiers`; add one, or leave the model out",
        ],
    ),
    (
        "models = [\"unadjusted\", \"iptw\", \"iptw_stabilized\", \"iptw_adjusted\"]",
        "models = [\"iptw\", \"firth\"]",
        &[
            "line 81: analysis[1].variance: `firth` has the naive variance only; declare it in an [[analysis]] of its own",
        ],
    ),
    (
        "effect_modifier = \"stage\"\n",
        "effect_modifier = \"stage\"\n\n[[analysis]]\nkind = \"logistic\"\noutcome = \"cure\"\neffect_modifiers = [\"cured\", \"stage\"]\n",
        &[
            "line 84: analysis[2].models: an earlier [[analysis]] already fits one of these models to the same outcome; leave it out of one of them",
            "line 87: analysis[2].effect_modifiers: `cured` is part of the outcome `cure`; what happens after time zero modifies no effect",
        ],
    ),
    (
        "kind = \"cox\"\noutcome = \"os\"\nmodels = [\"unadjusted\", \"iptw\", \"adjusted\", \"stratified\"]\nties = \"breslow\"\nvariance = [\"robust\"]\ncovariates = [\"age\"]",
        "kind = \"kaplan_meier\"\noutcome = \"os\"\nties = \"efron\"",
        &["line 87: analysis[2].ties: belongs to `hazard_ratio = true`; add that, or leave `ties` out"],
    ),
];

#[test]
fn forms_of_models() {
    check(FORMS);
}

#[test]
fn an_empty_document_lacks_everything() {
    assert_eq!(
        mistakes(""),
        [
            "line 1: analysis: no [[analysis]] is declared; add one with `kind`, `outcome` and `models`",
            "line 1: study: the table [study] is missing; add it with `id`, `title` and `patient`",
            "line 1: treatment: the table [treatment] is missing; add it with `variable`, `treated` and `control`",
            "line 1: variable: no [[variable]] is declared; declare each column that is used",
        ]
    );
    let none = "study = []\nvariable = 1\noutcome = [1]\ntreatment = \"drug\"\nanalysis = {}\n";
    assert_eq!(
        mistakes(none),
        [
            "line 1: study: expected a table, got array; write `[study]` and its keys below",
            "line 2: variable: expected tables headed [[variable]], got integer; write `[[variable]]` above each",
            "line 2: variable: no [[variable]] is declared; declare each column that is used",
            "line 3: outcome[1]: expected a table; write its keys below a heading",
            "line 4: treatment: expected a table, got string; write `[treatment]` and its keys below",
            "line 5: analysis: expected tables headed [[analysis]], got table; write `[[analysis]]` above each",
        ]
    );
}

#[test]
fn mistakes_of_many_sections_come_out_together_in_the_order_of_the_file() {
    let text = edited("months = 30.4375", "months = 1")
        .replace("range = [18, 110]", "range = [18, 18]")
        .replace("grid_days = 10", "grid_day = 10")
        .replace("bins = 10", "bins = 0")
        .replace("ties = \"breslow\"", "ties = \"efro\"");
    let lines: Vec<usize> = Protocol::parse(&text).unwrap_err().0.iter().map(|m| m.line).collect();
    assert_eq!(lines, [5, 24, 68, 75, 88]);
    assert_eq!(Protocol::parse(&text).unwrap_err().to_string(), "5 mistakes in the document");
    assert_eq!(
        Protocol::parse(&edited("bins = 10", "bins = 0")).unwrap_err().to_string(),
        "one mistake in the document"
    );
}

#[test]
fn no_text_makes_the_parser_panic() {
    use proptest::test_runner::{Config, TestRunner};
    let lines: Vec<&str> = crate::sample::PROTOCOL.lines().collect();
    let edits = proptest::collection::vec((0..lines.len(), 0..lines.len(), 0..4_u8), 1..6);
    let config = Config { cases: 300, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&edits, |edits| {
            let mut lines = lines.clone();
            for (at, other, what) in edits {
                let last = lines.len() - 1;
                let (at, other) = (at.min(last), other.min(last));
                match what {
                    0 => drop(lines.remove(at)),
                    1 => lines.insert(at, lines[other]),
                    2 => lines[at] = &lines[at][..lines[at].len() / 2],
                    _ => lines.swap(at, other),
                }
            }
            if let Ok(parsed) = Protocol::parse(&lines.join("\n")) {
                assert!(!parsed.dictionary.variables().is_empty());
                assert_ne!(parsed.treatment.treated, parsed.treatment.control);
            }
            Ok(())
        })
        .unwrap();
    assert_eq!(protocol().id, "sample");
}

/// The sample with a survival analysis at its end, of these lines; the mistakes without their line.
fn curve(lines: &str) -> Vec<String> {
    let text = format!("{}\n[[analysis]]\nkind = \"kaplan_meier\"\n{lines}\n", crate::sample::PROTOCOL);
    mistakes(&text)
        .iter()
        .map(|m| m.split_once("analysis[3].").map_or(m.as_str(), |(_, rest)| rest).to_owned())
        .collect()
}

#[test]
fn survival_curves() {
    assert_eq!(curve("outcome = \"os\""), [""; 0]);
    let cases = [
        ("outcome = \"cure\"", "outcome: `cure` is binary; a survival curve wants a time to event"),
        ("outcomes = [\"oss\"]", "outcomes: `oss` is not a declared [[outcome]]; did you mean `os`?"),
        ("weighted = []", "weighted: is empty; write [false], [true] or [false, true]"),
        ("weighted = [true, true]", "weighted: a value stands twice; write [false], [true] or [false, true]"),
        (
            "weighted = true",
            "weighted: expected a list of true or false, got boolean; write `weighted = [false, true]`",
        ),
        ("times_days = [0]", "times_days: expected whole days from 1; such as [183, 365]"),
        ("times_days = [30.5]", "times_days: expected whole days from 1; such as [183, 365]"),
        ("times_days = [60, 30]", "times_days: must ascend; write the earlier day first"),
        (
            "times_days = [30, 901]",
            "times_days: 901 is beyond the horizon of 900 days; name an earlier day, or raise `horizon_days`",
        ),
        (
            "times_days = [31, 32]",
            "times_days: 31 and 32 are in one cell of the time grid; keep one of them, or make `grid_days` finer",
        ),
        ("rmst_days = 0", "rmst_days: expected whole days from 1; such as 365"),
        (
            "rmst_days = 901",
            "rmst_days: 901 is beyond the horizon of 900 days; name an earlier day, or raise `horizon_days`",
        ),
        (
            "conf_types = [\"loglog\"]",
            "conf_types: `loglog` is not known (known: log, log-log, plain); did you mean `log-log`?",
        ),
        ("conf_types = [\"log\", \"log\"]", "conf_types: `log` stands twice; name it once"),
        (
            "models = [\"unadjusted\"]",
            "models: is not a known key; known: conf_types, hazard_ratio, kind, outcome, outcomes, rmst_days, rmst_months, ties, times_days, times_months, weighted",
        ),
    ];
    for (line, expected) in cases {
        let outcome = if line.starts_with("outcome") { "" } else { "outcome = \"os\"\n" };
        assert_eq!(curve(&format!("{outcome}{line}")), [expected], "{line}");
    }
    let twice = "outcome = \"os\"\n[[analysis]]\nkind = \"kaplan_meier\"\noutcome = \"os\"\nweighted = [true, false]";
    assert!(curve(twice)[0].ends_with(
        "weighted: an earlier [[analysis]] already has this curve of the same outcome; leave it out of one of them"
    ));
}

/// The sample with these lines in one of its analyses; the mistakes without their line.
fn standardised(analysis: &str, lines: &str) -> Vec<String> {
    let found = mistakes(&edited(analysis, &format!("{analysis}{lines}\n")));
    found.iter().map(|m| m.split_once("].").map_or(m.as_str(), |(_, rest)| rest).to_owned()).collect()
}

#[test]
fn standardised_outcomes() {
    let (logistic, cox) = ("outcomes = [\"cure\"]\n", "ties = \"breslow\"\n");
    assert_eq!(standardised(logistic, "marginal = [\"aipw\", \"g_formula\"]"), [""; 0]);
    assert_eq!(standardised(cox, "standardise_days = [30, 900]\nstandardise_rmst_days = 365"), [""; 0]);
    let cases = [
        (
            logistic,
            "marginal = [\"gformula\"]",
            "marginal: `gformula` is not known (known: g_formula, aipw); did you mean `g_formula`?",
        ),
        (logistic, "marginal = [\"aipw\", \"aipw\"]", "marginal: `aipw` stands twice; name it once"),
        (logistic, "marginal = []", "marginal: is empty; name at least one"),
        (
            logistic,
            "marginal = true",
            "marginal: expected a list of strings, got boolean; write `marginal = [\"a\", \"b\"]`",
        ),
        (logistic, "standardise_days = [30]", "standardise_days: is of Cox models; logistic ones take `marginal`"),
        (cox, "marginal = [\"g_formula\"]", "marginal: is of logistic models; Cox models take `standardise_days`"),
        (cox, "standardise_days = [30.5]", "standardise_days: expected whole days from 1; such as [183, 365]"),
        (cox, "standardise_days = [60, 30]", "standardise_days: must ascend; write the earlier day first"),
        (
            cox,
            "standardise_days = [30, 901]",
            "standardise_days: 901 is beyond the horizon of 900 days; name an earlier day, or raise `horizon_days`",
        ),
        (
            cox,
            "standardise_days = [31, 32]",
            "standardise_days: 31 and 32 are in one cell of the time grid; keep one of them, or make `grid_days` finer",
        ),
        (cox, "standardise_rmst_days = 0", "standardise_rmst_days: expected whole days from 1; such as 365"),
        (
            cox,
            "standardise_rmst_days = 901",
            "standardise_rmst_days: 901 is beyond the horizon of 900 days; name an earlier day, or raise `horizon_days`",
        ),
    ];
    for (analysis, line, expected) in cases {
        assert_eq!(standardised(analysis, line), [expected], "{line}");
    }
    let alone = "models = [\"unadjusted\", \"iptw\", \"adjusted\", \"stratified\"]\n";
    let without = "models = [\"unadjusted\", \"iptw\", \"stratified\"]\nstandardise_days = [30]\n";
    let expected =
        "line 88: analysis[2].standardise_days: needs the model `adjusted`, or an effect modifier; add one of them";
    assert_eq!(mistakes(&edited(alone, without)), [expected]);
    let propensity =
        "[propensity]\ncovariates = [\"age\", \"stage\"]\nestimand = \"ATE\"\nstabilized = false\nbins = 10\n";
    let text = edited(propensity, "").replace(
        "models = [\"unadjusted\", \"iptw\", \"iptw_stabilized\", \"iptw_adjusted\"]",
        "models = [\"adjusted\"]\ncovariates = [\"age\"]\nmarginal = [\"aipw\"]",
    );
    assert!(
        mistakes(&text)
            .iter()
            .any(|m| m.ends_with("marginal: `aipw` needs a [propensity] model; add one, or use `g_formula`"))
    );
}

/// A competing outcome behind the sample, and an analysis of it.
const COMPETING: &str = r#"
[[variable]]
name = "why"
kind = "categorical"
levels = ["alive", "relapse", "death"]
[[outcome]]
name = "first"
kind = "competing"
time = "days"
status = "why"
censored = "alive"
causes = ["relapse", "death"]
grid_days = 10
horizon_days = 900
[[analysis]]
kind = "fine_gray"
outcome = "first"
cause = "relapse"
models = ["unadjusted", "adjusted"]
[[analysis]]
kind = "cumulative_incidence"
outcome = "first"
times_days = [300]
"#;

#[test]
fn competing_causes() {
    let with = |from: &str, to: &str| {
        assert!(from.is_empty() || COMPETING.matches(from).count() == 1, "{from}");
        let text = if from.is_empty() { COMPETING.to_owned() } else { COMPETING.replace(from, to) };
        let found = mistakes(&format!("{}{text}", crate::sample::PROTOCOL));
        found.iter().map(|m| m.splitn(3, ": ").nth(2).unwrap_or(m).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(with("", ""), [""; 0]);
    let cox = "kind = \"cox\"\noutcome = \"first\"\n";
    let cases = [
        (
            "status = \"why\"",
            "status = \"cured\"",
            "`cured` must be declared with kind = \"categorical\"; so declared: `drug`, `stage`, `why`",
        ),
        (
            "censored = \"alive\"",
            "censored = \"alife\"",
            "`alife` is not a level of `why` (levels: alive, relapse, death); did you mean `alive`?",
        ),
        (
            "[\"relapse\", \"death\"]",
            "[\"relapse\", \"dead\"]",
            "`dead` is not a level of `why` (levels: alive, relapse, death); did you mean `death`?",
        ),
        (
            "[\"relapse\", \"death\"]",
            "[\"relapse\"]",
            "`death` is a level of `why` and neither `censored` nor a cause; add it to `causes`",
        ),
        (
            "[\"relapse\", \"death\"]",
            "[\"relapse\", \"death\", \"death\"]",
            "`death` stands twice, or is the censored level; name each cause once",
        ),
        ("grid_days = 10", "grid_days = 0.5", "must be at least one day; time is measured in whole days"),
        (
            "cause = \"relapse\"",
            "cause = \"relaps\"",
            "`relaps` is not known (known: relapse, death); did you mean `relapse`?",
        ),
        ("cause = \"relapse\"\n", "", "is missing; name one of relapse, death"),
        ("\"unadjusted\", ", "\"stratified\", ", "`stratified` is a Cox model; use `adjusted` here"),
        (
            "cause = \"relapse\"",
            "cause = \"relapse\"\nvariance = [\"survey\"]",
            "`survey` is a variance of logistic models; use `robust`",
        ),
        (
            "cause = \"relapse\"",
            "cause = \"relapse\"\neffect_modifier = \"stage\"",
            "belongs to logistic and Cox regression; leave it out of `fine_gray`",
        ),
        (
            "kind = \"fine_gray\"\noutcome = \"first\"\ncause = \"relapse\"\n",
            cox,
            "is missing; name one of relapse, death",
        ),
        (
            "times_days = [300]",
            "times_days = [901]",
            "901 is beyond the horizon of 900 days; name an earlier day, or raise `horizon_days`",
        ),
        (
            "\"cumulative_incidence\"",
            "\"kaplan_meier\"",
            "`first` has competing causes; a survival curve wants a time to event",
        ),
        (
            "\"cumulative_incidence\"",
            "\"cumulative_incidences\"",
            "`cumulative_incidences` is not known (known: logistic, cox, fine_gray, kaplan_meier, cumulative_incidence, baseline); did you mean `cumulative_incidence`?",
        ),
        (
            "times_days = [300]",
            "times_days = [300]\nties = \"efron\"",
            "is not a known key; known: conf_types, kind, outcome, outcomes, times_days, times_months, weighted",
        ),
    ];
    for (from, to, expected) in cases {
        let found = with(from, to);
        assert!(found.iter().any(|mistake| mistake == expected), "{to}: {found:?}");
    }
    let logistic = mistakes(&format!(
        "{}{COMPETING}[[analysis]]\nkind = \"logistic\"\noutcome = \"first\"\nmodels = [\"unadjusted\"]\n\
        [[analysis]]\nkind = \"fine_gray\"\noutcome = \"os\"\nmodels = [\"unadjusted\"]\n\
        [[analysis]]\nkind = \"cumulative_incidence\"\noutcome = \"first\"\n",
        crate::sample::PROTOCOL
    ));
    let expected = [
        "`first` has competing causes; logistic regression wants a binary outcome",
        "`os` has no competing causes, which Fine-Gray regression wants; use `cox` or `logistic`",
        "an earlier [[analysis]] already has these incidences of the same outcome; leave it out of one of them",
    ];
    for expected in expected {
        assert!(logistic.iter().any(|mistake| mistake.ends_with(expected)), "{expected}: {logistic:?}");
    }
}
