//! How people and programs write numbers that are none to a parser, so that a message can say what to change.

use super::value::decimal;

/// A number that is there but written otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// With a character that nobody sees.
    Invisible,
    /// With quotation marks.
    Quotes,
    /// With a comma: either the decimal sign or a separator of thousands; which one cannot be told from the field.
    Comma,
    /// With another separator of thousands.
    Thousands,
    /// With digits or a minus sign of another script.
    Script,
    /// With a sign of comparison.
    Limit,
    /// With a unit.
    Unit,
}

/// What is odd about a text that is no decimal number but holds one.
pub(super) fn odd_number(text: &str) -> Option<Odd> {
    let is = |text: &str| decimal(text).is_some() || (text.contains(',') && decimal(&text.replace(',', "")).is_some());
    if is(text) {
        return Some(Odd::Comma);
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    if visible.len() < text.len() {
        return Some(Odd::Invisible).filter(|_| is(visible.trim()));
    }
    if unquoted(text).is_some_and(is) {
        return Some(Odd::Quotes);
    }
    if is(&without_thousands(text)) {
        return Some(Odd::Thousands);
    }
    let ascii: String = text.chars().map(ascii).collect();
    if ascii != text {
        return Some(Odd::Script).filter(|_| is(&ascii));
    }
    let limit = text.trim_start_matches(['<', '>', '\u{2264}', '\u{2265}', '=', '~', '\u{2248}']);
    if limit.len() < text.len() && is(limit.trim_start()) {
        return Some(Odd::Limit);
    }
    let amount = text.trim_start_matches(['$', '\u{20ac}', '\u{a3}', '\u{a5}']).trim_start();
    let digits = amount.find(|c: char| !c.is_ascii_digit() && !"+-.,".contains(c)).unwrap_or(amount.len());
    let (number, unit) = amount.split_at(digits);
    (is(number) && (is_unit(unit.trim_start()) || amount.len() < text.len())).then_some(Odd::Unit)
}

/// Something such as years, %, mg/dL or kg/m2; `d2` behind a number is an exponent of old, `x10` is hexadecimal.
fn is_unit(text: &str) -> bool {
    let begins = text.starts_with(|c: char| c.is_alphabetic() || matches!(c, '%' | '\u{2030}' | '\u{b0}'));
    let power = |(at, c): (usize, char)| c.is_numeric() && !text[..at].ends_with(['m', '^']);
    begins && !text.char_indices().any(power)
}

/// The text without blanks, apostrophes and underscores between two digits.
fn without_thousands(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let separates = |i: usize| {
        let between = i > 0 && chars[i - 1].is_ascii_digit() && chars.get(i + 1).is_some_and(char::is_ascii_digit);
        between && (chars[i].is_whitespace() || matches!(chars[i], '\'' | '\u{2019}' | '_'))
    };
    (0..chars.len()).filter(|i| !separates(*i)).map(|i| chars[i]).collect()
}

/// The ASCII character that a digit or minus sign of another script stands for.
fn ascii(c: char) -> char {
    const ZEROS: [u32; 5] = [0x0660, 0x06f0, 0x0966, 0x0e50, 0xff10];
    match c {
        '\u{2010}'..='\u{2014}' | '\u{2212}' | '\u{fe63}' | '\u{ff0d}' => '-',
        '\u{066b}' | '\u{ff0e}' => '.',
        _ => {
            let digit = ZEROS.iter().find_map(|zero| u32::from(c).checked_sub(*zero).filter(|digit| *digit < 10));
            digit.and_then(|digit| char::from_digit(digit, 10)).unwrap_or(c)
        }
    }
}

/// What stands between quotation marks that are part of the text, or behind the sign of a formula.
pub(super) fn unquoted(text: &str) -> Option<&str> {
    let mark = |c: char| matches!(c, '"' | '\'' | '`' | '\u{2018}'..='\u{201f}' | '\u{ab}' | '\u{bb}');
    let inside = text.strip_prefix('=').unwrap_or(text).trim_matches(mark);
    (inside.len() < text.len() && text.contains(mark)).then_some(inside)
}

/// A control character inside a text, or one without width.
pub(super) fn is_invisible(c: char) -> bool {
    (c.is_control() && !c.is_whitespace())
        || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}')
}

/// Three groups of digits, with a time behind them or not, or a month between two.
pub(super) fn is_date(text: &str) -> bool {
    let day = text.split([' ', 'T']).next().unwrap_or_default();
    let parts: Vec<&str> = day.split(['-', '/', '.']).collect();
    let digits = |part: &str| !part.is_empty() && part.len() <= 4 && part.bytes().all(|b| b.is_ascii_digit());
    if parts.len() == 3 && digits(parts[0]) && digits(parts[2]) {
        return digits(parts[1]) || is_month(parts[1]);
    }
    // 31JAN2020, as SAS writes it
    let month = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
    matches!((text.get(..month), text.get(month..month + 3), text.get(month + 3..)),
        (Some(day), Some(name), Some(year)) if digits(day) && is_month(name) && digits(year))
}

fn is_month(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|b| b.is_ascii_alphabetic())
}
