//! From text to lexemes: numbers, texts, names and symbols.

use std::ops::Range;

use super::ExpressionMistake;

/// One lexeme.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lexeme {
    /// A number without a sign.
    Number(f64),
    /// A text in single quotes.
    Text(String),
    /// A word.
    Word(String),
    /// A name in double quotes.
    Quoted(String),
    /// `(`, `)`, `,`, an operator; the two spellings of equal and of not equal are one.
    Symbol(&'static str),
}

/// A lexeme and where it stands.
pub(super) type Placed = (Lexeme, Range<usize>);

/// Symbols with what they mean to the parser, longer ones first.
const SYMBOLS: [(&str, &str); 15] = [
    ("==", "="),
    ("!=", "<>"),
    ("<>", "<>"),
    ("<=", "<="),
    (">=", ">="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    (",", ","),
    ("+", "+"),
    ("-", "-"),
    ("*", "*"),
    ("/", "/"),
];

/// What other languages write, and what is written here.
const FOREIGN: [(&str, &str); 26] = [
    ("--", "comments stand in the file, after `#`, and not inside of an expression"),
    ("/*", "comments stand in the file, after `#`, and not inside of an expression"),
    ("=<", "write `<=`"),
    ("=>", "write `>=`"),
    ("<=>", "write `=`"),
    ("->", "an expression reads columns alone; write their names"),
    ("**", "there is no power; write the product, such as `height * height`"),
    ("//", "write `/`, which divides exactly; `floor(a / b)` gives the whole number below"),
    ("&", "write `AND` between two conditions"),
    ("||", "write `OR` between two conditions; texts are not joined"),
    ("|", "write `OR` between two conditions"),
    ("!", "write `NOT`, or `<>` for not equal"),
    ("~", "write `<>` for not equal, or `NOT`"),
    ("%", "there is no remainder; declare a variable for what is meant"),
    ("^", "there is no power; write the product, such as `height * height`"),
    (";", "write one expression without a semicolon"),
    ("≤", "write `<=`"),
    ("≥", "write `>=`"),
    ("≠", "write `<>`"),
    ("’", "a level takes straight single quotes, `'…'`"),
    ("‘", "a level takes straight single quotes, `'…'`"),
    ("“", "a level takes straight single quotes, `'…'`"),
    ("”", "a level takes straight single quotes, `'…'`"),
    ("`", "a name stands bare or in double quotes"),
    ("[", "a name stands bare or in double quotes; a list takes parentheses"),
    (".", "a number has a digit before its point, and a column no table's name"),
];

/// Splits a text; the first piece that is none of the language ends it.
pub(super) fn lexemes(text: &str) -> Result<Vec<Placed>, ExpressionMistake> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (lexeme, length) = match c {
            '\'' => quoted(rest, '\'').map(|(inside, length)| (Lexeme::Text(inside), length)),
            '"' => quoted(rest, '"').map(|(inside, length)| (Lexeme::Quoted(inside), length)),
            c if c.is_ascii_digit() || (c == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                number(rest)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
                Ok((Lexeme::Word(rest[..end].to_owned()), end))
            }
            _ => symbol(rest, c),
        }
        .map_err(|message| ExpressionMistake { at, message })?;
        found.push((lexeme, at..at + length));
        at += length;
    }
    Ok(found)
}

/// What stands between two marks, of which a doubled one is one of the text; and the length with the marks.
fn quoted(rest: &str, mark: char) -> Result<(String, usize), String> {
    let mut inside = String::new();
    let mut characters = rest.char_indices().skip(1).peekable();
    while let Some((at, c)) = characters.next() {
        if c != mark {
            inside.push(c);
        } else if characters.next_if(|(_, next)| *next == mark).is_some() {
            inside.push(mark);
        } else {
            return Ok((inside, at + 1));
        }
    }
    let what = if mark == '\'' { "text" } else { "name" };
    Err(format!("the {what} has no quotation mark at its end; close it with `{mark}`"))
}

fn number(rest: &str) -> Result<(Lexeme, usize), String> {
    let digits = |from: usize| from + rest[from..].bytes().take_while(u8::is_ascii_digit).count();
    let mut end = digits(0);
    if rest[end..].starts_with('.') {
        end = digits(end + 1);
    }
    if rest[end..].starts_with(['e', 'E']) {
        let sign = usize::from(rest[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + sign);
        if exponent > end + 1 + sign {
            end = exponent;
        }
    }
    if rest[end..].starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.') {
        let whole = rest.find(|c: char| !c.is_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        return Err(format!(
            "`{}` is neither a number nor a name; write digits with a decimal point, without unit and separators",
            &rest[..whole]
        ));
    }
    let value = rest[..end].parse().ok().filter(|x: &f64| x.is_finite());
    let value = value.ok_or_else(|| format!("`{}` is too large for a number; write a smaller one", &rest[..end]))?;
    Ok((Lexeme::Number(value), end))
}

fn symbol(rest: &str, c: char) -> Result<(Lexeme, usize), String> {
    // `!=` and `<=` begin as foreign signs do, `=<` and `--` as our own
    let foreign = FOREIGN.iter().filter(|(sign, _)| rest.starts_with(sign)).max_by_key(|(sign, _)| sign.len());
    let own = SYMBOLS.iter().find(|(sign, _)| rest.starts_with(sign));
    match (foreign, own) {
        (Some((sign, advice)), own) if own.is_none_or(|(own, _)| sign.len() > own.len()) => {
            Err(format!("`{sign}` is not part of the language; {advice}"))
        }
        (_, Some((sign, meaning))) => Ok((Lexeme::Symbol(meaning), sign.len())),
        _ => Err(format!(
            "`{c}` is not part of the language; an expression has names, numbers, levels in single quotes and operators"
        )),
    }
}
