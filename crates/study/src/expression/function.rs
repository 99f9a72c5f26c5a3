//! The functions of the language.

/// One function. All take numbers and give a number, but for the last three, which give what they are given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    Abs,
    Round,
    Floor,
    Ceil,
    Sqrt,
    Sign,
    Min,
    Max,
    Coalesce,
    Nullif,
    Iif,
}

impl Function {
    /// All with their names; `ifnull` is `coalesce` of two.
    pub(super) const NAMES: [(&'static str, Function); 12] = [
        ("abs", Function::Abs),
        ("round", Function::Round),
        ("floor", Function::Floor),
        ("ceil", Function::Ceil),
        ("sqrt", Function::Sqrt),
        ("sign", Function::Sign),
        ("min", Function::Min),
        ("max", Function::Max),
        ("coalesce", Function::Coalesce),
        ("ifnull", Function::Coalesce),
        ("nullif", Function::Nullif),
        ("iif", Function::Iif),
    ];

    /// The function of a name, whatever its case.
    pub(super) fn find(name: &str) -> Option<Function> {
        Function::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, function)| *function)
    }

    /// How many arguments it takes, in numbers and in words.
    pub(super) fn arguments(self) -> (std::ops::RangeInclusive<usize>, &'static str) {
        match self {
            Function::Abs | Function::Floor | Function::Ceil | Function::Sqrt | Function::Sign => {
                (1..=1, "one argument")
            }
            Function::Round => (1..=2, "a number and, if you like, how many decimals"),
            Function::Min | Function::Max => (2..=100, "two arguments or more, of the same row"),
            Function::Coalesce => (2..=100, "two arguments or more"),
            Function::Nullif => (2..=2, "two arguments"),
            Function::Iif => (3..=3, "a condition and two values"),
        }
    }

    /// Those of its arguments of which it gives one, or from which it calculates: a condition is none.
    pub(super) fn values<T>(self, arguments: &[T]) -> &[T] {
        match (self, arguments) {
            (Function::Iif, [_, values @ ..]) => values,
            (Function::Nullif, [value, _]) => std::slice::from_ref(value),
            _ => arguments,
        }
    }

    /// Value of a function of numbers; of the others the argument that counts was found already.
    pub(super) fn value(self, arguments: &[f64]) -> f64 {
        let Some(&first) = arguments.first() else { return f64::NAN };
        // a missing argument makes the whole missing, which `f64::min` and `signum` would not
        if arguments.iter().any(|x| x.is_nan()) {
            return f64::NAN;
        }
        match self {
            Function::Abs => first.abs(),
            Function::Round => {
                let scale = 10_f64.powi(arguments.get(1).map_or(0, |decimals| *decimals as i32));
                (first * scale).round() / scale
            }
            Function::Floor => first.floor(),
            Function::Ceil => first.ceil(),
            Function::Sqrt => first.sqrt(),
            Function::Sign if first == 0.0 => 0.0,
            Function::Sign => first.signum(),
            Function::Min => arguments.iter().copied().fold(first, f64::min),
            Function::Max => arguments.iter().copied().fold(first, f64::max),
            Function::Coalesce | Function::Nullif | Function::Iif => first,
        }
    }
}

/// What to do in place of a function that other languages have.
pub(super) fn advice(name: &str) -> String {
    let known: Vec<&str> = Function::NAMES.iter().map(|(name, _)| *name).collect();
    match name.to_ascii_lowercase().as_str() {
        "length" | "lower" | "upper" | "trim" | "ltrim" | "rtrim" | "substr" | "substring" | "instr" | "like"
        | "glob" | "replace" | "concat" | "startswith" | "contains" | "grepl" => {
            "a level is compared whole; list those that are meant, `variable IN ('…', '…')`".into()
        }
        "cast" | "typeof" | "integer" | "real" | "int" | "float" | "numeric" => {
            "the dictionary gives each column its type; declare it with another `kind`".into()
        }
        "isnull" | "isna" | "is_na" | "isnan" => "write `x IS NULL`".into(),
        "notnull" | "notna" => "write `x IS NOT NULL`".into(),
        "if" | "if_else" | "ifelse" | "case_when" => {
            "write `iif(condition, a, b)` or `CASE WHEN … THEN … ELSE … END`".into()
        }
        "nvl" | "fillna" => "write `coalesce(x, value)`".into(),
        "least" | "pmin" => "write `min(a, b)`".into(),
        "greatest" | "pmax" => "write `max(a, b)`".into(),
        "ceiling" => "write `ceil(x)`".into(),
        "trunc" | "truncate" | "mod" | "pow" | "power" | "exp" | "log" | "ln" | "log10" | "log2" => {
            format!("the functions are {}; declare a variable for what is meant", known.join(", "))
        }
        "count" | "sum" | "avg" | "mean" | "median" | "total" => {
            "an expression sees one row; there is no sum over rows".into()
        }
        _ => crate::document::suggestion(name, known.into_iter()),
    }
}
