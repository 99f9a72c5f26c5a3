//! The language of criteria: what it takes, what it refuses and with which advice, and that nothing is left to fail at a site.

use proptest::prelude::*;
use rusqlite::Connection;
use study::dictionary::{Dictionary, VariableId};
use study::expression::Expression;
use study::protocol::Protocol;

/// Columns of each kind; some have names that are words of this language or of SQL.
fn dictionary() -> Dictionary {
    dictionary_with(&[])
}

/// The same with further binary columns.
fn dictionary_with(more: &[&str]) -> Dictionary {
    let number = |name: &str, low: i32, high: i32| {
        format!("[[variable]]\nname = \"{name}\"\nkind = \"continuous\"\nrange = [{low}, {high}]\n")
    };
    let levels =
        |name: &str, levels: &str| format!("[[variable]]\nname = \"{name}\"\nkind = \"categorical\"\n{levels}\n");
    let binary = |name: &str| format!("[[variable]]\nname = \"{name}\"\nkind = \"binary\"\n");
    let counts: Vec<String> = (0..=12).map(|n| format!("\"{n}\"")).collect();
    let text = [
        "[study]\nid = \"t\"\ntitle = \"t\"\npatient = \"pid\"\n".to_owned(),
        number("age", 18, 110),
        number("weight", 30, 200),
        number("height", 120, 220) + "resolution = 1\n",
        number("hb", 2, 25) + "resolution = 0.1\n",
        number("bmi", 10, 80) + "resolution = 1\nrounded = true\n",
        levels("stage", "levels = [\"I\", \"II\", \"III\"]\nlabels = [\"one\", \"two\", \"three\"]"),
        levels("nodes", &format!("levels = [{}]", counts.join(", "))),
        levels("side", "levels = [\"left\", \"right\"]"),
        levels("other_side", "levels = [\"left\", \"right\"]"),
        binary("arm") + "labels = [\"drug B\", \"drug A\"]\n",
        binary("diabetes"),
        "[[variable]]\nname = \"days\"\nkind = \"days\"\nmax = 1000\n".to_owned(),
        ["group", "order", "index", "select", "values", "case", "not", "end", "in", "min"].map(binary).concat(),
        more.iter().map(|name| binary(name)).collect(),
        "[treatment]\nvariable = \"arm\"\ntreated = \"1\"\ncontrol = \"0\"\n\
         [[outcome]]\nname = \"o\"\nkind = \"binary\"\nvariable = \"diabetes\"\n\
         [[analysis]]\nkind = \"logistic\"\noutcome = \"o\"\nmodels = [\"unadjusted\"]\n"
            .to_owned(),
    ];
    Protocol::parse(&text.concat()).unwrap_or_else(|m| panic!("{:#?}", m.0)).dictionary
}

fn parse(text: &str) -> Result<Expression, Vec<String>> {
    Expression::parse(text, &dictionary(), &|_| false)
        .map_err(|mistakes| mistakes.iter().map(|mistake| mistake.placed(text)).collect())
}

/// One row: a number, or a level, or nothing, by name.
type Row<'r> = &'r [(&'r str, &'r str)];

fn value(dictionary: &Dictionary, row: Row<'_>, id: VariableId) -> f64 {
    let variable = dictionary.variable(id);
    let Some((_, text)) = row.iter().find(|(name, _)| *name == variable.name) else { return f64::NAN };
    match variable.levels().iter().position(|level| level == text) {
        Some(level) => level as f64,
        None => text.parse().expect("a number"),
    }
}

/// Is it true for a row? None where it is neither true nor false.
fn truth(text: &str, row: Row<'_>) -> Option<bool> {
    let dictionary = dictionary();
    let is = |text: &str| {
        let expression = Expression::parse(text, &dictionary, &|_| false);
        let expression = expression.unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
        expression.holds(&|id| value(&dictionary, row, id))
    };
    // `values` is missing for all rows here; with it, the negation is a condition that somebody could meet
    match (is(text), is(&format!("NOT ({text}) OR values"))) {
        (true, false) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
        (true, true) => panic!("{text} is true and false"),
    }
}

const PATIENT: Row<'static> =
    &[("age", "61.5"), ("weight", "80"), ("stage", "II"), ("nodes", "11"), ("arm", "1"), ("days", "3"), ("group", "1")];

#[test]
fn what_is_true_of_a_patient() {
    for (text, expected) in [
        ("age > 61", Some(true)),
        ("age >= 2.5e+1 AND age <> 61", Some(true)),
        ("age == 61.5", Some(true)),
        ("age != 61.5", Some(false)),
        ("\"AGE\" = 61.5", Some(true)),
        ("61 < Age", Some(true)),
        ("NOT age < 61", Some(true)),
        ("age BETWEEN 61.5 AND 70", Some(true)),
        ("age NOT BETWEEN 61.5 AND 70", Some(false)),
        ("age IN (60, 61.5)", Some(true)),
        ("age NOT IN (60, 61)", Some(true)),
        // whole numbers divide as real ones
        ("days / 2 = 1.5", Some(true)),
        ("1 / 2 * age > 30", Some(true)),
        ("age - 1 - 1 < 60", Some(true)),
        ("2 + 3 * weight = 242", Some(true)),
        ("-weight < -79 AND +weight > 79", Some(true)),
        ("weight / (age - 61.5) > 1", None),
        ("weight / (age - 61.5) IS NULL", Some(true)),
        // levels
        ("stage = 'II'", Some(true)),
        ("'II' <> stage", Some(false)),
        ("stage IN ('I', 'III')", Some(false)),
        ("nodes IN ('4', '5', '6', '7', '8', '9', '10', '11', '12')", Some(true)),
        ("stage IS NOT NULL AND stage NOTNULL AND NOT stage ISNULL", Some(true)),
        ("side = 'left'", None),
        ("side <> 'left'", None),
        ("side IN ('left') OR side IS NULL", Some(true)),
        ("side = other_side OR age > 60", Some(true)),
        ("coalesce(side, 'left') = 'left'", Some(true)),
        ("nullif(stage, 'II') IS NULL", Some(true)),
        ("CASE WHEN age > 60 THEN 'old' WHEN age > 40 THEN 'middle' ELSE 'young' END IN ('old', 'middle')", Some(true)),
        ("CASE stage WHEN 'I' THEN 1 WHEN 'II' THEN 2 ELSE 3 END = 2", Some(true)),
        ("CASE WHEN side = 'left' THEN age > 20 END", None),
        ("iif(side = 'left', 1, 0) = 0", Some(true)),
        // binary variables are truths, 0 and 1
        ("arm", Some(true)),
        ("NOT arm", Some(false)),
        ("arm = 1", Some(true)),
        ("arm = TRUE", Some(true)),
        ("diabetes", None),
        ("diabetes IS TRUE", Some(false)),
        ("diabetes IS NOT FALSE", Some(true)),
        ("arm OR diabetes", Some(true)),
        ("NOT arm AND diabetes", Some(false)),
        ("arm AND diabetes", None),
        ("(age > 60) + (stage = 'III') + arm >= 2", Some(true)),
        ("CASE WHEN age > 60 THEN 1 ELSE 0 END", Some(true)),
        // functions
        ("abs(-age) = age + 0", Some(true)),
        ("round(age) = 62 AND round(age / 7, 2) = 8.79 AND floor(age) = 61 AND ceil(age) = 62", Some(true)),
        ("sqrt(weight + 1) = 9 AND sign(60 - age) = -1", Some(true)),
        ("min(age, weight, 70) = 61.5 AND MAX(age, weight) = 80", Some(true)),
        ("ifnull(diabetes, arm) = 1", Some(true)),
        ("sqrt(60 - age) IS NULL", Some(true)),
        // names that are words elsewhere
        ("group = 1", Some(true)),
        ("order = 1 OR index = 1 OR select = 1 OR values IS NULL", Some(true)),
        ("case = 1 OR \"case\" IS NULL", Some(true)),
        ("not IS NULL OR not not", Some(true)),
        ("end IS NULL AND in IS NULL AND CASE WHEN end IS NULL THEN 1 ELSE end END", Some(true)),
        ("min IS NULL AND MIN(age, 60) = 60", Some(true)),
        ("\"group\" = 1 AND \"not\" IS NULL", Some(true)),
        ("age > 60\n  AND\tweight > 70", Some(true)),
    ] {
        assert_eq!(truth(text, PATIENT), expected, "{text}");
    }
}

#[test]
fn an_expression_names_its_variables_and_no_text_in_quotes() {
    let dictionary = dictionary();
    let names = |text: &str| {
        let expression = parse(text).unwrap();
        expression.variables().into_iter().map(|id| dictionary.variable(id).name.clone()).collect::<Vec<_>>()
    };
    assert_eq!(names("weight > 70 AND (AGE > 60 OR age IS NULL)"), ["age", "weight"]);
    assert_eq!(names("CASE WHEN age > 60 THEN 'weight' ELSE 'stage' END = 'weight'"), ["age"]);
}

/// What stands in the text, and what is said of it.
const REFUSED: &[(&str, &[&str])] = &[
    // text against number, number against text, order on levels
    (
        "nodes >= 4",
        &[
            "at character 1: `nodes` is categorical, and its levels are texts without an order, so that `>=` means nothing; list the levels that are meant, such as `nodes IN ('4', '5', '6', '7', '8', '9', '10', '11', '12')`, or declare it with kind = \"continuous\" and a `range`",
        ],
    ),
    ("4 <= nodes", &["`nodes IN ('4', '5', '6', '7', '8', '9', '10', '11', '12')`"]),
    ("nodes >= '4'", &["`nodes IN ('4', '5', '6', '7', '8', '9', '10', '11', '12')`"]),
    (
        "nodes BETWEEN 4 AND 6",
        &["nothing lies between two; list the levels that are meant, such as `nodes IN ('4', '5', '6')`"],
    ),
    (
        "nodes = 4",
        &["`nodes` is categorical, its levels are texts, and `4` is a number; write the level, `nodes = '4'`"],
    ),
    ("nodes IN (4, '5')", &["at character 11"]),
    ("nodes + 1 > 4", &["`nodes` is a level, with which nothing is calculated; declare it with kind = \"continuous\""]),
    ("stage > 'I'", &["`stage IN ('II', 'III')`"]),
    (
        "max(stage, 'I') = 'I'",
        &["`stage` is a level, with which nothing is calculated", "`'I'` is a text where a number is wanted"],
    ),
    ("age > '60'", &["at character 7: `age` is a number and '60' a text; write `60` without quotation marks"]),
    ("age = 'old'", &["write a number, or declare the column with kind = \"categorical\""]),
    ("arm = 'drug A'", &["`arm` is a number and 'drug A' a text; it is binary; write `1` for 'drug A'"]),
    ("arm = '1'", &["write `1` for '1'"]),
    ("arm = 'yes'", &["it is binary, 0 for drug B, 1 for drug A"]),
    ("stage", &["`stage` is a level and neither true nor false; compare it, such as `stage = 'I'`"]),
    ("age", &["`age` is a number and neither true nor false; compare it, such as `age > 0`"]),
    ("age AND weight > 50", &["`age` is a number and neither true nor false"]),
    ("'I'", &["`'I'` is a text and neither true nor false"]),
    ("'a' = 'b'", &["two texts are compared"]),
    ("side = stage", &["`side` and `stage` have different levels"]),
    ("coalesce(age, 'old') = 'old'", &["gives a number for some rows and a text for others"]),
    ("coalesce(side, stage) = 'I'", &["gives levels of different columns"]),
    // levels and columns that are not there
    ("stage = 'IV'", &["at character 9: 'IV' is not a level of `stage` (levels: I, II, III); did you mean 'I'?"]),
    ("stage = 'two'", &["did you mean 'II'?"]),
    ("stage IN ('I', 'IIII')", &["at character 16: 'IIII' is not a level of `stage`"]),
    ("nodes = '04'", &["did you mean '4'?"]),
    ("CASE stage WHEN 'X' THEN 1 ELSE 0 END = 1", &["'X' is not a level of `stage`"]),
    ("coalesce(stage, 'unknown') = 'I'", &["'unknown' is not a level of `stage`"]),
    ("CASE WHEN age > 60 THEN 'old' ELSE 'young' END = 'olds'", &["did you mean 'old'?"]),
    ("agee > 60", &["at character 1: `agee` is not a declared [[variable]]; did you mean `age`?"]),
    ("stage = II", &["`II` is not a declared [[variable]]; the level of `stage` is written 'II' in single quotes"]),
    ("stage = \"II\"", &["the level of `stage` is written 'II' in single quotes"]),
    ("agee > 60 AND stage = 'IV' AND age > 'x'", &["`agee`", "'IV'", "'x'"]),
    // the same for every row
    (
        "age >= 10",
        &["`age >= 10` is always true unless something is missing (`age` goes from 18 to 110); mend the number"],
    ),
    ("age < 10", &["`age < 10` is never true (`age` goes from 18 to 110)"]),
    ("age > 110", &["is true for no row within the declared ranges and levels"]),
    ("age IN (5, 60)", &["at character 9: `5` is never true"]),
    ("days = 10.5", &["is never true (`days` has whole days from 0 to 1000)"]),
    ("arm = 2", &["is never true (`arm` is 0 or 1)"]),
    ("arm >= 0", &["always true"]),
    ("weight / 100 > 5", &["is never true"]),
    ("age = NULL", &["a comparison with `NULL` is never true; write `age IS NULL`"]),
    ("age <> NULL", &["write `age IS NOT NULL`"]),
    ("age IN (60, NULL)", &["a comparison with `NULL` is never true"]),
    ("age > 60 AND NULL", &["`NULL` is neither true nor false"]),
    ("age + NULL > 3", &["`NULL` makes all that is calculated with it missing"]),
    ("NULL IS NULL", &["is the same for every row"]),
    ("TRUE", &["is true for every row and leaves nobody out"]),
    ("1", &["is true for every row"]),
    ("0", &["is true for no row"]),
    ("1 = 1", &["is always true"]),
    ("age > 60 OR TRUE", &["true for every row"]),
    ("age IS NULL OR age IS NOT NULL", &["is never false, as one of its parts always holds; was `AND` meant?"]),
    ("stage <> 'I' OR stage <> 'II'", &["is never false"]),
    ("stage = 'I' AND stage = 'II'", &["is never true, as its parts exclude each other; was `OR` meant?"]),
    ("age > 60 AND age < 50", &["is never true"]),
    ("weight > 50 OR (age > 60 AND age < 50)", &["at character 16: `(age > 60 AND age < 50)` is never true"]),
    ("age BETWEEN 65 AND 18", &["the second bound is below the first"]),
    ("age = age", &["has the same at both sides"]),
    ("age / 0 > 1", &["divides by zero"]),
    ("stage IN ('I', 'I')", &["stands twice in the list"]),
    // the same for every row, as what stands on both sides, or in a product, is the same value
    ("age * age >= 0", &["is always true unless something is missing (`age` goes from 18 to 110); mend the number"]),
    ("(age - 60) * (age - 60) >= 0", &["is always true unless something is missing"]),
    ("(age - 60) * (60 - age) > 0", &["is never true"]),
    ("abs(age - weight) >= 0", &["always true"]),
    ("abs(age - 60) < 0", &["never true"]),
    ("age - age = 0", &["always true"]),
    ("age - age <> 0", &["never true"]),
    ("age / age = 1", &["always true"]),
    ("age * 2 / age = 2", &["always true"]),
    ("age + 1 > age", &["always true"]),
    ("age + 0.1 + 0.2 = age + 0.3", &["always true"]),
    ("2 * age > age", &["always true"]),
    ("age + weight - age > 20", &["always true"]),
    ("age * 1 = age", &["always true"]),
    ("weight * age = weight * age + 1", &["never true"]),
    ("sqrt(age) < 0", &["never true"]),
    ("sign(age - 60) IN (-1, 0, 1)", &["always true"]),
    ("min(age, 70) <= 70", &["always true"]),
    // what a function or a choice of values can give
    ("nullif(age, 50) = 50", &["is never true, whatever a row holds"]),
    ("nullif(stage, 'I') = 'I'", &["is never true, whatever a row holds"]),
    ("coalesce(arm, 0) >= 0", &["always true"]),
    ("CASE WHEN age > 60 THEN 'old' ELSE 'young' END IN ('old', 'young')", &["always true"]),
    ("iif(age > 60, 1, 2) IN (1, 2)", &["always true"]),
    ("iif(age > 60, 1, 2) = 1.5", &["never true"]),
    ("max(age, 60) < 60", &["never true"]),
    ("-age < 0", &["always true"]),
    ("(age > 60) + arm IN (0, 1, 2)", &["always true"]),
    // all levels, and both of two
    (
        "stage IN ('I', 'II', 'III')",
        &[
            "is always true unless something is missing; mend it, or leave it out; `stage IS NOT NULL` asks whether there is a value",
        ],
    ),
    ("stage NOT IN ('I', 'II', 'III')", &["at character 1: `stage NOT IN ('I', 'II', 'III')` is never true"]),
    ("NOT stage IN ('I', 'II', 'III')", &["at character 5: `stage IN ('I', 'II', 'III')` is always true unless"]),
    ("NOT age = 500", &["at character 5: `age = 500` is never true"]),
    ("age NOT BETWEEN 500 AND 600", &["`age NOT BETWEEN 500 AND 600` is always true"]),
    ("age BETWEEN 500 AND 600", &["`age BETWEEN 500 AND 600` is never true"]),
    ("age BETWEEN 0 AND 500", &["`age BETWEEN 0 AND 500` is always true"]),
    ("age NOT BETWEEN 0 AND 500", &["`age NOT BETWEEN 0 AND 500` is never true"]),
    ("age > 60 AND side IN ('left', 'right')", &["at character 14: `side IN ('left', 'right')` is always true"]),
    ("arm IN (0, 1)", &["`arm IS NOT NULL` asks whether there is a value"]),
    ("arm NOT IN (0, 1)", &["never true"]),
    ("arm OR NOT arm", &["is never false"]),
    // what lies between two steps of a grid
    (
        "height = 165.5",
        &[
            "is never true (`height` goes from 120 to 220 in steps of 1); mend the number, or `range` and `resolution` of the column",
        ],
    ),
    ("height <> 165.5", &["always true"]),
    ("height IN (165, 165.5)", &["at character 17: `165.5` is never true"]),
    ("hb = 9.25", &["is never true (`hb` goes from 2 to 25 in steps of 0.1)"]),
    ("height + days = 200.5", &["never true"]),
    // other ways to write
    ("18 <= age <= 65", &["at character 11: comparisons do not follow one another; write `18 <= age AND age <= 65`"]),
    ("age > 60 IS NULL", &["comparisons do not follow one another"]),
    ("age =< 60", &["`=<` is not part of the language; write `<=`"]),
    ("age => 60", &["write `>=`"]),
    ("age ≥ 60", &["write `>=`"]),
    ("age > 60 && arm", &["write `AND`"]),
    ("age > 60 || arm", &["write `OR`"]),
    ("!arm", &["write `NOT`"]),
    ("age % 2 = 0", &["there is no remainder"]),
    ("age ** 2 > 5", &["there is no power"]),
    ("age > 1,5", &["a number takes a decimal point"]),
    ("age > 18 years", &["the expression has ended here, and `years` follows"]),
    ("age > 18years", &["`18years` is neither a number nor a name"]),
    ("age > 1e999", &["is too large for a number"]),
    ("stage = ‘I’", &["a level takes straight single quotes"]),
    ("age > 60 -- old", &["comments stand in the file"]),
    ("age > 60 /* old */", &["comments stand in the file"]),
    ("age > 60;", &["without a semicolon"]),
    ("(age > 60", &["at character 1: the parenthesis is not closed"]),
    ("age > 60)", &["at character 9: the expression has ended here, and `)` follows; remove the parenthesis"]),
    ("stage = 'I", &["at character 9: the text has no quotation mark at its end"]),
    ("stage IS 'I'", &["is wanted after `IS`; compare values with `=`"]),
    ("stage IN 'I'", &["a list in parentheses is wanted after `IN`"]),
    ("stage LIKE 'I%'", &["levels have no patterns; list those that are meant"]),
    ("length(stage) > 1", &["`length` is no function of the language; a level is compared whole"]),
    ("cast(age AS integer) > 1", &["the dictionary gives each column its type"]),
    ("random() > 0", &["`random` has no arguments that can be read"]),
    ("log(age) > 1", &["`log` is no function of the language"]),
    ("max(age) > 1", &["`max` takes two arguments or more, of the same row, and 1 stand here"]),
    ("round(age, weight) > 1", &["the decimals of `round` are a whole number"]),
    ("(SELECT 1)", &["the parenthesis could close here, and `1` follows"]),
    ("age IN (SELECT 1 FROM t)", &["`1` follows"]),
    ("with = 1", &["a value is wanted here, and `with` follows; there are no queries"]),
    ("EXISTS (SELECT 1)", &["`EXISTS` has no arguments that can be read"]),
    ("CASE WHEN age > 60 THEN 1", &["`END` is wanted here; write `CASE WHEN"]),
    ("age >", &["a value is wanted here, and the text ends"]),
    ("AND age > 60", &["it joins two conditions"]),
    ("age > 60 AND\nstage = 'IV'", &["at line 2 of the text, character 9: 'IV' is not a level"]),
    ("pid = 1", &["`pid` is not a declared [[variable]]"]),
];

#[test]
fn what_is_refused_says_where_and_what_to_do() {
    for (text, expected) in REFUSED {
        let Err(mistakes) = parse(text) else { panic!("{text} is taken") };
        assert_eq!(mistakes.len(), expected.len(), "{text}: {mistakes:#?}");
        for (mistake, expected) in mistakes.iter().zip(*expected) {
            assert!(mistake.contains(expected), "{text}: {mistake}");
            assert!(mistake.contains("; "), "{mistake} gives no advice");
        }
    }
}

#[test]
fn a_column_may_have_the_name_of_a_constant() {
    let dictionary = dictionary_with(&["null", "true"]);
    let parse = |text: &str| Expression::parse(text, &dictionary, &|_| false);
    for text in ["null = 1", "NOT true", "age > 60 AND (weight > 50 OR null)"] {
        let mistakes = parse(text).unwrap_err();
        assert!(
            mistakes[0].message.contains("is a word of the language and a declared column; write \""),
            "{mistakes:?}"
        );
    }
    for text in ["\"null\" = 1", "NOT \"true\"", "\"null\" IS NOT NULL", "\"true\" IS TRUE"] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
}

#[test]
fn a_criterion_may_say_the_range_once_more_and_leave_out_who_is_beside_it() {
    for text in [
        "age >= 18",
        "age > 17",
        "age BETWEEN 18 AND 110",
        "age BETWEEN 0 AND 60",
        "age NOT BETWEEN 60 AND 500",
        "NOT age < 18",
        "days >= 0",
        "age <= 110",
        "days BETWEEN 0 AND 1000",
    ] {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
    assert_eq!(truth("age >= 18", &[("age", "17")]), Some(false));
}

/// Conditions that somebody could mean, near to those that are the same for every row.
const SOUND: &[&str] = &[
    "age > 60",
    "age >= 18 AND age <= 80",
    "age BETWEEN 18 AND 75",
    "NOT (age < 18 OR age > 75)",
    "age IN (60, 61.5)",
    "height = 165",
    "height > 165.5",
    "height IN (165, 166)",
    "height NOT IN (165, 166)",
    "height BETWEEN 160.5 AND 170.5",
    "hb = 9.2",
    "hb = 0.1 * 92",
    "hb <> 9.3",
    "bmi = 24.5",
    "age * age > 3600",
    "weight / (height * height) * 10000 >= 18.5",
    "weight / (height / 100 * height / 100) < 30",
    "(age - 60) * (age - 60) <= 25",
    "(age - 60) * (weight - 60) >= 0",
    "abs(age - 60) <= 5",
    "abs(age - weight) > 0",
    "age - weight > 0",
    "age + weight > weight + 60",
    "age - weight = weight - age",
    "2 * age > weight",
    "age / weight = 1",
    "age * weight >= 2000",
    "sqrt(weight * height / 3600) < 2.2",
    "sign(age - 60) IN (0, 1)",
    "round(age) = age",
    "floor(age) = 60",
    "min(age, 70) = 70",
    "max(age, weight) >= 60",
    "nullif(age, 50) > 40",
    "nullif(age, 50) <> 50",
    "nullif(stage, 'I') IS NOT NULL",
    "coalesce(age, 0) >= 18",
    "coalesce(stage, 'I') <> 'I'",
    "coalesce(arm, 0) = 0",
    "coalesce(diabetes, arm) IN (1)",
    "stage IN ('I', 'II')",
    "stage NOT IN ('III')",
    "stage IS NOT NULL",
    "arm",
    "arm = 1 OR diabetes = 1",
    "arm <> diabetes",
    "arm = diabetes AND age > 60",
    "diabetes IS NOT NULL AND age IS NOT NULL",
    "CASE WHEN age > 60 THEN 1 END",
    "CASE WHEN stage = 'I' THEN age > 20 WHEN stage = 'II' THEN age > 30 ELSE age > 40 END",
    "CASE stage WHEN 'I' THEN 0 WHEN 'II' THEN 1 ELSE 2 END IN (0, 2)",
    "iif(arm, days > 30, days > 60)",
    "iif(age > 60, 1, 2) = 1",
    "(age > 60) + (stage = 'III') + arm IN (2, 3)",
    "(age > 60) = arm",
    "age > 60 OR age IS NULL",
    "days - 30 > 0",
    "days / 30.4375 <= 12",
    "days = 0",
    "days IN (0, 1)",
    "-age < -60",
    "side = other_side",
    "side = other_side OR side IS NULL",
];

#[test]
fn what_somebody_could_mean_is_taken() {
    for text in SOUND {
        assert!(parse(text).is_ok(), "{text}: {:?}", parse(text));
    }
}

#[test]
fn depth_and_length_are_bounded() {
    let nested =
        |open: &str, times: usize, close: &str| format!("{}age > 60{}", open.repeat(times), close.repeat(times));
    for (open, close) in
        [("(", ")"), ("NOT ", ""), ("NOT (", ")"), ("(arm OR ", ")"), ("CASE WHEN arm THEN diabetes ELSE ", " END")]
    {
        assert!(parse(&nested(open, 15, close)).is_ok(), "{:?}", parse(&nested(open, 15, close)));
        let mistakes = parse(&nested(open, 200, close)).unwrap_err();
        assert!(mistakes[0].contains("operations stand inside of one another"), "{mistakes:?}");
    }
    for text in [format!("age > {}60", "- ".repeat(200)), format!("age{} > 60", " + 1".repeat(200))] {
        assert!(parse(&text).unwrap_err()[0].contains("operations stand inside of one another"), "{text}");
    }
    let joined: Vec<String> = (19..400).map(|n| format!("age = {}.5", n % 90 + 19)).collect();
    assert!(parse(&joined.join(" OR ")).is_ok(), "{:?}", parse(&joined.join(" OR ")));
    assert!(parse(&"age > 60 AND ".repeat(1_000)).unwrap_err()[0].contains("are too long"));
}

/// A number as SQLite calculates it, too: every constant has a point, so that it divides as here.
fn numbers() -> impl Strategy<Value = String> + Clone {
    prop_oneof![
        Just("age".to_owned()),
        Just("weight".to_owned()),
        Just("days".to_owned()),
        (0..2000_i32).prop_map(|n| format!("{:?}", f64::from(n) / 8.0)),
    ]
    .prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/"]), inner.clone())
                .prop_map(|(a, operator, b)| format!("({a} {operator} {b})")),
            inner.clone().prop_map(|a| format!("(-{a})")),
            (prop::sample::select(vec!["abs", "round"]), inner.clone()).prop_map(|(name, a)| format!("{name}({a})")),
            (prop::sample::select(vec!["min", "max", "coalesce", "nullif"]), inner.clone(), inner.clone())
                .prop_map(|(name, a, b)| format!("{name}({a}, {b})")),
            (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("CASE WHEN {a} > {b} THEN {b} ELSE {c} END")),
        ]
    })
}

/// A condition as SQLite writes it, too.
fn conditions() -> impl Strategy<Value = String> {
    let number = numbers();
    let comparison = || prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">=", "==", "!="]);
    let level = prop::sample::select(vec!["'I'", "'II'", "'III'"]);
    let leaf = prop_oneof![
        (number.clone(), comparison(), number.clone()).prop_map(|(a, c, b)| format!("{a} {c} {b}")),
        (number.clone(), number.clone(), number.clone()).prop_map(|(a, b, c)| format!("{a} BETWEEN {b} AND {c}")),
        (number.clone(), number.clone(), number.clone()).prop_map(|(a, b, c)| format!("{a} NOT IN ({b}, {c})")),
        number.prop_map(|a| format!("{a} IS NULL")),
        Just("arm".to_owned()),
        Just("diabetes IS NOT TRUE".to_owned()),
        (level.clone(), level).prop_map(|(a, b)| format!("stage IN ({a}, coalesce(stage, {b}))")),
        prop::sample::select(vec!["stage = 'I'", "'III' <> stage", "stage IS NOT NULL"]).prop_map(str::to_owned),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} AND {b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} OR {b})")),
            inner.clone().prop_map(|a| format!("NOT ({a})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("iif({a}, {b}, {c})")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("CASE WHEN {a} THEN {b} END")),
        ]
    })
}

/// Rows of every kind: numbers inside and outside of ranges, levels, missing.
fn rows() -> Vec<[Option<f64>; 6]> {
    let (mut state, mut rows) = (7_u64, Vec::new());
    let mut next = |values: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % values
    };
    for _ in 0..60 {
        let mut number = |values: u64, unit: f64, low: f64| {
            let value = next(values + values / 5);
            (value < values).then_some(low + value as f64 * unit)
        };
        rows.push([
            number(800, 0.125, 15.0),
            number(400, 0.5, 20.0),
            number(1100, 1.0, 0.0),
            number(2, 1.0, 0.0).filter(|x| *x < 2.0),
            number(2, 1.0, 0.0),
            number(3, 1.0, 0.0),
        ]);
    }
    // the ends, and nothing at all
    rows.extend([[Some(18.0), Some(30.0), Some(0.0), Some(0.0), None, Some(2.0)], [None; 6], [Some(0.0); 6]]);
    rows
}

const COLUMNS: [&str; 6] = ["age", "weight", "days", "arm", "diabetes", "stage"];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    /// What passes the check gives at every row what SQLite gives, for which `holds` was written by others.
    #[test]
    fn what_passes_is_evaluated_as_by_sqlite(text in conditions()) {
        let dictionary = dictionary();
        let parsed = Expression::parse(&text, &dictionary, &|_| false);
        prop_assume!(parsed.is_ok());
        let expression = parsed.expect("was assumed");
        let db = Connection::open_in_memory().expect("SQLite opens");
        db.execute_batch("CREATE TABLE t (age REAL, weight REAL, days REAL, arm INTEGER, diabetes INTEGER, stage TEXT)").expect("a table");
        for (at, row) in rows().iter().enumerate() {
            let stage = row[5].map(|level| ["I", "II", "III"][level as usize]);
            db.execute("DELETE FROM t", []).expect("empty");
            db.execute("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", (row[0], row[1], row[2], row[3].map(|x| x as i64), row[4].map(|x| x as i64), stage)).expect("a row");
            let theirs: i64 = db.query_row(&format!("SELECT count(*) FROM t WHERE ({text})"), [], |r| r.get(0)).expect("SQLite reads it");
            let ours = expression.holds(&|id| {
                let at = COLUMNS.iter().position(|name| *name == dictionary.variable(id).name).expect("a column");
                row[at].unwrap_or(f64::NAN)
            });
            prop_assert_eq!(ours, theirs == 1, "{} at row {} {:?}", text, at, row);
        }
    }

    /// What is refused as the same for every row is so for SQLite, at every row within the ranges. Without division, which rounds.
    #[test]
    fn what_is_the_same_for_every_row_is_so_for_sqlite(
        a in numbers(), comparison in prop::sample::select(vec!["=", "<>", "<", "<=", ">", ">="]), b in numbers(),
    ) {
        let text = format!("{a} {comparison} {b}");
        prop_assume!(!text.contains('/'));
        let Err(mistakes) = parse(&text) else { return Ok(()) };
        let [mistake] = mistakes.as_slice() else { return Ok(()) };
        let never = mistake.contains(" is never true");
        let whole = |verdict: &str| mistake.starts_with(&format!("at character 1: `{text}` is {verdict}"));
        prop_assume!(whole("never true") || whole("always true unless"));
        let db = Connection::open_in_memory().expect("SQLite opens");
        db.execute_batch("CREATE TABLE t (age REAL, weight REAL, days REAL)").expect("a table");
        let inside = |x: Option<f64>, low: f64, high: f64| x.is_none_or(|x| (low..=high).contains(&x));
        for row in rows() {
            if inside(row[0], 18.0, 110.0) && inside(row[1], 30.0, 200.0) && inside(row[2], 0.0, 1000.0) {
                db.execute("INSERT INTO t VALUES (?, ?, ?)", (row[0], row[1], row[2])).expect("a row");
            }
        }
        let others = if never { text.clone() } else { format!("NOT ({text})") };
        let others: i64 = db.query_row(&format!("SELECT count(*) FROM t WHERE {others}"), [], |r| r.get(0)).expect("a count");
        prop_assert_eq!(others, 0, "{}: {}", text, mistake);
    }

    /// Any text ends in an expression or in mistakes with a place inside of it.
    #[test]
    fn any_text_ends_in_a_value_or_mistakes(
        pieces in prop::collection::vec(prop::sample::select(vec![
            "age", "stage", "arm", "'I'", "'", "\"", "(", ")", ",", "=", "<", "NOT", "AND", "OR", "IN", "IS", "NULL", "BETWEEN",
            "CASE", "WHEN", "THEN", "ELSE", "END", "1", "0.5", "-", "+", "/", "*", "min", "coalesce", "round", "end", "é", "’", "\n",
        ]), 0..24),
        glue in prop::sample::select(vec!["", " "]),
    ) {
        let text = pieces.join(glue);
        match Expression::parse(&text, &dictionary(), &|_| false) {
            Ok(expression) => {
                for x in [f64::NAN, 0.0, 1.0, -1e300, 1e300] {
                    let _: bool = expression.holds(&|_| x);
                }
            }
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                for mistake in mistakes {
                    prop_assert!(mistake.at <= text.len());
                    prop_assert!(mistake.placed(&text).contains("; "), "{}", mistake.placed(&text));
                }
            }
        }
    }
}
