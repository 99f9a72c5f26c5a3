//! The words of an eligibility expression: declared columns, allowed functions, operators, and nothing else.

use study::dictionary::Dictionary;

use super::expression::Refusal;
use super::nearest::nearest;

/// Deterministic functions of `SQLite` that need no more memory than their arguments.
pub(super) const FUNCTIONS: [&str; 20] = [
    "abs", "round", "sign", "min", "max", "coalesce", "ifnull", "nullif", "iif", "length", "lower", "upper", "trim",
    "ltrim", "rtrim", "substr", "instr", "like", "glob", "typeof",
];

/// Words that belong to expressions.
const OPERATORS: [&str; 23] = [
    "and", "or", "not", "is", "null", "isnull", "notnull", "in", "between", "like", "glob", "escape", "case", "when",
    "then", "else", "end", "cast", "as", "integer", "real", "text", "collate",
];

/// Further words: truth values and the collation that ignores case.
const CONSTANTS: [&str; 3] = ["true", "false", "nocase"];

/// Splits the text into words and refuses every one that is not known.
pub(super) fn check(dictionary: &Dictionary, expression: &str) -> Result<(), Refusal> {
    let mut rest = expression;
    let mut depth = 0_u32;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '-' if rest.starts_with("--") => return Err(Refusal::Comment),
            '/' if rest.starts_with("/*") => return Err(Refusal::Comment),
            ';' => return Err(Refusal::Statements),
            '\'' => quoted(rest, '\'')?.len() + 2,
            '"' => {
                let name = quoted(rest, '"')?;
                check_column(dictionary, name)?;
                name.len() + 2
            }
            '(' => {
                depth += 1;
                1
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or(Refusal::Unbalanced)?;
                1
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                check_word(dictionary, &rest[..end], rest[end..].trim_start().starts_with('('))?;
                end
            }
            c if c.is_ascii_digit() => number(rest),
            c if c.is_ascii_whitespace() || "+-*/%<>=!|&~,.".contains(c) => 1,
            _ => return Err(Refusal::Character),
        };
        rest = &rest[length..];
    }
    if depth == 0 { Ok(()) } else { Err(Refusal::Unbalanced) }
}

/// What stands between the quotation mark at the start and the next one. A doubled mark inside a text simply begins
/// another quoted piece, which changes nothing about where the text ends.
fn quoted(rest: &str, mark: char) -> Result<&str, Refusal> {
    rest[1..].split_once(mark).map(|(inside, _)| inside).ok_or(Refusal::Unbalanced)
}

/// Length of a number with its fraction and exponent.
fn number(rest: &str) -> usize {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
    let signed = rest[..end].ends_with(['e', 'E']) && rest[end..].starts_with(['+', '-']);
    let digits = |from: usize| rest[from..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |n| from + n);
    if signed { digits(end + 1) } else { end }
}

fn check_word(dictionary: &Dictionary, word: &str, call: bool) -> Result<(), Refusal> {
    let lower = word.to_ascii_lowercase();
    let known = |list: &[&str]| list.contains(&lower.as_str());
    if known(&OPERATORS) || (call && known(&FUNCTIONS)) || (!call && known(&CONSTANTS)) {
        return Ok(());
    }
    match lower.as_str() {
        "select" | "values" | "with" | "exists" => Err(Refusal::Subquery),
        _ if call => Err(Refusal::Function(word.to_owned())),
        _ => check_column(dictionary, word),
    }
}

fn check_column(dictionary: &Dictionary, name: &str) -> Result<(), Refusal> {
    let mut names = dictionary.variables().iter().map(|v| v.name.as_str());
    if names.clone().any(|n| n.eq_ignore_ascii_case(name)) {
        return Ok(());
    }
    Err(Refusal::Column(name.to_owned(), nearest(name, &mut names).map(str::to_owned)))
}
