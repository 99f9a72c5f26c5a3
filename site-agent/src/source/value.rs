//! One field of text as the data dictionary declares it.

use study::coding;
use study::dictionary::Kind;

use super::written::{Odd, is_date, is_invisible, odd_number, unquoted};

/// A parsed field.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Value<'l> {
    Missing,
    Number(f64),
    Whole(u32),
    Level(&'l str),
}

/// Class of a mistake in a field; it says nothing about the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Not UTF-8.
    NotUtf8,
    /// Right but for blanks around it, or nothing but blanks.
    Blanks,
    /// A text such as NA or NULL where the field should be empty.
    MissingMarker,
    /// A character that nobody sees: a control character, or one without width.
    Invisible,
    /// Right but for quotation marks that are part of the value.
    Quotes,
    /// A number with a comma.
    DecimalComma,
    /// A number with a blank, an apostrophe or the like between its digits.
    Thousands,
    /// A number in digits or with a minus sign that are not ASCII.
    Script,
    /// A limit, such as <5.
    Limit,
    /// A number with its unit.
    Unit,
    /// A date.
    Date,
    /// No number at all.
    NotANumber,
    /// A number with a fraction, or a decimal point, where whole days are wanted.
    NotWhole,
    /// A number outside the declared range.
    OutOfRange,
    /// A declared level but for case or blanks.
    LevelSpelling,
    /// A declared level written as a decimal number, such as 1.0 for 1.
    LevelDecimal,
    /// A code of a binary variable as another program writes it, such as TRUE.
    OtherCode,
    /// None of the declared levels.
    UnknownLevel,
}

impl Fault {
    /// Stable code for logs and for the coordinator.
    pub fn code(self) -> &'static str {
        match self {
            Fault::NotUtf8 => "source.not_utf8",
            Fault::Blanks => "source.blanks",
            Fault::MissingMarker => "source.missing_marker",
            Fault::Invisible => "source.invisible",
            Fault::Quotes => "source.quotes",
            Fault::DecimalComma => "source.decimal_comma",
            Fault::Thousands => "source.thousands",
            Fault::Script => "source.script",
            Fault::Limit => "source.limit",
            Fault::Unit => "source.unit",
            Fault::Date => "source.date",
            Fault::NotANumber => "source.not_a_number",
            Fault::NotWhole => "source.not_whole",
            Fault::OutOfRange => "source.out_of_range",
            Fault::LevelSpelling => "source.level_spelling",
            Fault::LevelDecimal => "source.level_decimal",
            Fault::OtherCode => "source.other_code",
            Fault::UnknownLevel => "source.unknown_level",
        }
    }
}

/// Parses a field. Empty is missing for every kind.
pub(super) fn parse<'l>(text: &str, kind: &'l Kind) -> Result<Value<'l>, Fault> {
    if text.is_empty() {
        return Ok(Value::Missing);
    }
    if text.trim().is_empty() {
        return Err(Fault::Blanks);
    }
    match kind {
        Kind::Categorical { levels, binary, .. } => level(text, levels, *binary),
        Kind::Continuous { .. } | Kind::Days { .. } => {
            let value = numeric(text.trim(), kind)?;
            if text.trim().len() == text.len() { Ok(value) } else { Err(Fault::Blanks) }
        }
    }
}

/// The number of a field that is outside of its range, as criteria read it.
pub(super) fn outside<'l>(text: &str) -> Option<Value<'l>> {
    decimal(text.trim()).map(|number| Value::Number(number + 0.0))
}

fn numeric<'l>(text: &str, kind: &Kind) -> Result<Value<'l>, Fault> {
    if is_missing_marker(text) {
        return Err(Fault::MissingMarker);
    }
    let Some(number) = decimal(text) else {
        return Err(match odd_number(text) {
            Some(Odd::Invisible) => Fault::Invisible,
            Some(Odd::Quotes) => Fault::Quotes,
            Some(Odd::Comma) => Fault::DecimalComma,
            Some(Odd::Thousands) => Fault::Thousands,
            Some(Odd::Script) => Fault::Script,
            Some(Odd::Limit) => Fault::Limit,
            Some(Odd::Unit) => Fault::Unit,
            None if is_date(text) => Fault::Date,
            None => Fault::NotANumber,
        });
    };
    match kind {
        Kind::Days { high } => {
            if !(0.0..=f64::from(*high)).contains(&number) {
                return Err(Fault::OutOfRange);
            }
            let whole = text.bytes().all(|b| b.is_ascii_digit());
            text.parse().ok().filter(|_| whole).map(Value::Whole).ok_or(Fault::NotWhole)
        }
        Kind::Continuous { low, high, .. } => {
            // Adding zero makes -0 into 0: the same rows have the same bytes.
            let inside = (*low..=*high).contains(&number);
            if inside { Ok(Value::Number(number + 0.0)) } else { Err(Fault::OutOfRange) }
        }
        Kind::Categorical { .. } => Err(Fault::NotANumber),
    }
}

/// A finite decimal number with a point; an exponent is accepted because R and Python write one.
pub(super) fn decimal(text: &str) -> Option<f64> {
    let sign_digits_point = |b: u8| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E');
    if !text.bytes().all(sign_digits_point) {
        return None; // Rust's parser would take "inf" and "nan"
    }
    text.parse().ok().filter(|x: &f64| x.is_finite())
}

fn level<'l>(text: &str, levels: &'l [String], binary: bool) -> Result<Value<'l>, Fault> {
    if let Some(index) = levels.iter().position(|l| l == text) {
        return Ok(if binary { Value::Whole(index as u32) } else { Value::Level(&levels[index]) });
    }
    let text = text.trim();
    if is_missing_marker(text) {
        return Err(Fault::MissingMarker);
    }
    let declared = |text: &str| levels.iter().any(|l| l.to_lowercase() == text.to_lowercase());
    // An accent may be a character of its own, or part of its letter: such levels only look equal.
    let accented = text.chars().any(|c| ('\u{300}'..='\u{36f}').contains(&c));
    if declared(text) || accented {
        return Err(Fault::LevelSpelling);
    }
    let visible: String = text.chars().filter(|c| !is_invisible(*c)).collect();
    if visible.len() < text.len() && declared(&visible) {
        return Err(Fault::Invisible);
    }
    if unquoted(text).is_some_and(declared) || text.contains('"') {
        return Err(Fault::Quotes);
    }
    let number = decimal(text);
    if number.is_some() && levels.iter().any(|l| decimal(l) == number) {
        return Err(Fault::LevelDecimal);
    }
    Err(if binary && coding::is_known(text) { Fault::OtherCode } else { Fault::UnknownLevel })
}

/// What R, Python, SAS, Excel and SQL exports write for a missing value, or for a formula that failed.
fn is_missing_marker(text: &str) -> bool {
    const MARKERS: [&str; 24] = [
        "na", "n/a", "n.a.", "#n/a", "<na>", "nan", "nat", "null", "(null)", "<null>", "\\n", "none", "nil", "nd", ".",
        "-", "?", "missing", "#null!", "#div/0!", "#value!", "#ref!", "#name?", "#num!",
    ];
    MARKERS.iter().any(|m| m.eq_ignore_ascii_case(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str, kind: &Kind) -> Option<Fault> {
        parse(text, kind).err()
    }

    #[test]
    fn continuous() {
        let kind = Kind::Continuous { unit: "years".into(), low: -1.0, high: 110.0, resolution: None, rounded: false };
        let number = |text: &str| match parse(text, &kind) {
            Ok(Value::Number(x)) => Some(x),
            _ => None,
        };
        assert_eq!(number("63.5"), Some(63.5));
        assert_eq!(number("+7"), Some(7.0));
        assert_eq!(number(".5"), Some(0.5));
        assert_eq!(number("1e+02"), Some(100.0));
        assert_eq!(number("-0").map(f64::to_bits), Some(0));
        assert_eq!(number("110"), Some(110.0));
        assert!(matches!(parse("", &kind), Ok(Value::Missing)));
        assert_eq!(fault(" 63.5", &kind), Some(Fault::Blanks));
        assert_eq!(fault("  ", &kind), Some(Fault::Blanks));
        assert_eq!(fault("63,5", &kind), Some(Fault::DecimalComma));
        assert_eq!(fault("1.063,5", &kind), Some(Fault::DecimalComma));
        assert_eq!(fault("110.1", &kind), Some(Fault::OutOfRange));
        for marker in ["NA", "n/a", ".", "NULL", "NaN", "-", " NA "] {
            assert_eq!(fault(marker, &kind), Some(Fault::MissingMarker), "{marker}");
        }
        for text in ["inf", "Infinity", "0x10", "1d2", "e", "--1", "M", ",", "1e999", "TRUE", "5-10", "(7)", "1 / 2"] {
            assert_eq!(fault(text, &kind), Some(Fault::NotANumber), "{text}");
        }
        for (text, expected) in [
            ("1 200", Fault::Thousands),
            ("1\u{a0}200", Fault::Thousands),
            ("1\u{202f}200,5", Fault::Thousands),
            ("1'200", Fault::Thousands),
            ("1_200.5", Fault::Thousands),
            ("\u{a0}63.5", Fault::Blanks),
            ("\u{b}63.5", Fault::Blanks),
            ("63\u{200b}.5", Fault::Invisible),
            ("6\u{0}3.5", Fault::Invisible),
            ("\u{2212}0.5", Fault::Script),
            ("\u{0666}\u{0663}", Fault::Script),
            ("=\"63.5\"", Fault::Quotes),
            (" \"63.5\"", Fault::Quotes),
            ("'63.5'", Fault::Quotes),
            ("<5", Fault::Limit),
            ("\u{2265} 90", Fault::Limit),
            ("63.5 y", Fault::Unit),
            ("63,5 kg/m2", Fault::Unit),
            ("50%", Fault::Unit),
            ("\u{20ac}12", Fault::Unit),
            ("2020-01-31", Fault::Date),
            ("31.01.2020", Fault::Date),
            ("2020-01-31T00:00:00Z", Fault::Date),
            ("31JAN2020", Fault::Date),
            ("#DIV/0!", Fault::MissingMarker),
            ("\\N", Fault::MissingMarker),
        ] {
            assert_eq!(fault(text, &kind), Some(expected), "{text}");
        }
    }

    #[test]
    fn days() {
        let kind = Kind::Days { high: 100 };
        assert!(matches!(parse("0", &kind), Ok(Value::Whole(0))));
        assert!(matches!(parse("100", &kind), Ok(Value::Whole(100))));
        assert_eq!(fault("101", &kind), Some(Fault::OutOfRange));
        assert_eq!(fault("-1", &kind), Some(Fault::OutOfRange));
        assert_eq!(fault("99999999999", &kind), Some(Fault::OutOfRange));
        assert_eq!(fault("12.0", &kind), Some(Fault::NotWhole));
        assert_eq!(fault("+12", &kind), Some(Fault::NotWhole));
        assert_eq!(fault("2020-01-01", &kind), Some(Fault::Date));
        assert_eq!(fault("12 days", &kind), Some(Fault::Unit));
    }

    #[test]
    fn levels() {
        let levels = vec!["M".to_owned(), "0".into(), "NA".into()];
        let kind = Kind::Categorical { labels: levels.clone(), levels, binary: false };
        assert!(matches!(parse("NA", &kind), Ok(Value::Level("NA"))), "a declared level is no marker");
        assert_eq!(fault("m", &kind), Some(Fault::LevelSpelling));
        assert_eq!(fault("M ", &kind), Some(Fault::LevelSpelling));
        assert_eq!(fault("0.0", &kind), Some(Fault::LevelDecimal));
        assert_eq!(fault("F", &kind), Some(Fault::UnknownLevel));
        assert_eq!(fault("NULL", &kind), Some(Fault::MissingMarker));
        assert_eq!(fault(" ", &kind), Some(Fault::Blanks));
        assert_eq!(fault("M\u{200b}", &kind), Some(Fault::Invisible));
        for text in ["\u{201c}M\u{201d}", "'M'", "M\"", " \"M\""] {
            assert_eq!(fault(text, &kind), Some(Fault::Quotes), "{text}");
        }
        assert_eq!(fault("TRUE", &kind), Some(Fault::UnknownLevel));
    }

    #[test]
    fn codes_of_a_binary_variable() {
        let kind = |codes: [&str; 2]| {
            let levels: Vec<String> = codes.map(str::to_owned).into();
            Kind::Categorical { labels: levels.clone(), levels, binary: true }
        };
        let (usual, declared) = (kind(["0", "1"]), kind(["No", "Yes"]));
        assert!(matches!(parse("1", &usual), Ok(Value::Whole(1))));
        assert!(matches!(parse("No", &declared), Ok(Value::Whole(0))));
        assert!(matches!(parse("Yes", &declared), Ok(Value::Whole(1))));
        for text in ["TRUE", "False", "Yes", "2", "-1"] {
            assert_eq!(fault(text, &usual), Some(Fault::OtherCode), "{text}");
        }
        assert_eq!(fault("1.0", &usual), Some(Fault::LevelDecimal));
        assert_eq!(fault("3", &usual), Some(Fault::UnknownLevel));
        assert_eq!(fault("yes", &declared), Some(Fault::LevelSpelling));
        assert_eq!(fault("1", &declared), Some(Fault::OtherCode));
    }
}
