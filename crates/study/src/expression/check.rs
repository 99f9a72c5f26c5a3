//! Types: numbers meet numbers, levels meet levels of their own column, and nothing is decided before a row is read.

use std::ops::Range as Span;
use std::rc::Rc;

use super::bounds;
use super::constant::{self, Possible};
use super::function::{self, Function};
use super::levels::{Levels, quoted};
use super::range::Range;
use super::syntax::{Arithmetic, Comparison, Node, Syntax, shortened};
use super::term::Term;
use super::{ExpressionMistake, column};
use crate::dictionary::{Dictionary, Kind, Variable};
use crate::document::suggestion;

/// What a piece gives.
#[derive(Debug, Clone)]
enum Type {
    /// A number between two others; truth is 0 and 1.
    Number(Range),
    /// One of these levels.
    Levels(Rc<Levels>),
    /// A text that has not met the levels of which it is one.
    Text(String),
    /// `NULL`.
    Missing,
    /// Something is wrong with it already.
    Unknown,
}

/// A piece with its type.
struct Typed {
    term: Term,
    kind: Type,
    span: Span<usize>,
}

/// Checks a whole criterion; all mistakes come out together.
pub(super) fn criterion(
    text: &str,
    node: &Node,
    dictionary: &Dictionary,
    excused: &dyn Fn(&str) -> bool,
) -> Result<Term, Vec<ExpressionMistake>> {
    let mut checker = Checker { text, dictionary, excused, mistakes: Vec::new(), unknown: false };
    let term = checker.truth(node);
    if checker.mistakes.is_empty() && !checker.unknown {
        checker.decided(node, &term);
    }
    if checker.mistakes.is_empty() { Ok(term) } else { Err(checker.mistakes) }
}

struct Checker<'a> {
    text: &'a str,
    dictionary: &'a Dictionary,
    excused: &'a dyn Fn(&str) -> bool,
    mistakes: Vec<ExpressionMistake>,
    /// Was something of an unknown type met? Then nothing is said of the whole.
    unknown: bool,
}

impl Checker<'_> {
    fn piece(&self, span: &Span<usize>) -> String {
        format!("`{}`", shortened(&self.text[span.clone()]))
    }

    fn mistake(&mut self, span: &Span<usize>, message: impl Into<String>) {
        self.mistakes.push(ExpressionMistake { at: span.start, message: message.into() });
    }

    /// Something is wrong, so that no more is said of what it is part of.
    fn wrong(&mut self, span: &Span<usize>, message: impl Into<String>) -> Typed {
        self.mistake(span, message);
        Typed { term: Term::Constant(f64::NAN), kind: Type::Unknown, span: span.clone() }
    }

    fn typed(&mut self, node: &Node) -> Typed {
        let before = self.mistakes.len();
        let typed = self.piece_by_piece(node);
        let calculates =
            matches!(node.syntax, Syntax::Negated(_) | Syntax::Arithmetic(..) | Syntax::Call(..) | Syntax::Case(..));
        // what is made of something wrong is not held against anything else
        if calculates && self.mistakes.len() > before { Typed { kind: Type::Unknown, ..typed } } else { typed }
    }

    fn piece_by_piece(&mut self, node: &Node) -> Typed {
        let span = node.span.clone();
        let number = |term, range| Typed { term, kind: Type::Number(range), span: span.clone() };
        match &node.syntax {
            Syntax::Number(x) => number(Term::Constant(*x), Range::of(*x)),
            Syntax::Truth(holds) => {
                let value = super::term::truth(*holds);
                number(Term::Constant(value), Range::of(value))
            }
            Syntax::Text(text) => Typed { term: Term::Constant(f64::NAN), kind: Type::Text(text.clone()), span },
            Syntax::Missing => Typed { term: Term::Constant(f64::NAN), kind: Type::Missing, span },
            Syntax::Column(name) => self.column(name, &span),
            Syntax::Negated(of) => {
                let (of, range) = self.number(of);
                match (&of, range.constant()) {
                    (Term::Constant(x), Some(_)) => number(Term::Constant(-x), range.negated()),
                    _ => number(Term::Negated(Box::new(of)), range.negated()),
                }
            }
            Syntax::Arithmetic(operator, a, b) => {
                let ((left, _), (right, of_right)) = (self.number(a), self.number(b));
                if *operator == Arithmetic::By && of_right.constant() == Some(0.0) {
                    return self
                        .wrong(&b.span, "divides by zero, which is missing for every row; write another divisor");
                }
                let term = Term::Arithmetic(*operator, Box::new(left), Box::new(right));
                let range = bounds::of(&term, self.dictionary);
                number(term, range)
            }
            Syntax::Not(of) => number(Term::Not(Box::new(self.truth(of))), Range::TRUTH),
            Syntax::IsTruth(holds, of) => {
                number(Term::Is(super::term::truth(*holds), Box::new(self.truth(of))), Range::TRUTH)
            }
            Syntax::All(parts) => number(self.joined(node, parts, true), Range::TRUTH),
            Syntax::Any(parts) => number(self.joined(node, parts, false), Range::TRUTH),
            Syntax::IsMissing(of) => number(self.is_missing(of), Range::TRUTH),
            Syntax::Compare(comparison, a, b) => {
                let before = self.mistakes.len();
                let (a, b) = (self.typed(a), self.typed(b));
                let (left, right) = self.compared(*comparison, &a, &b, &span);
                let (left, right) = (left.unwrap_or(a.term), right.unwrap_or(b.term));
                let term = Term::Compare(*comparison, Box::new(left), Box::new(right));
                self.asks_something(&term, &span, before);
                number(term, Range::TRUTH)
            }
            Syntax::Between(parts) => {
                let before = self.mistakes.len();
                let term = self.between(parts, &span);
                self.asks_something(&term, &span, before);
                number(term, Range::TRUTH)
            }
            Syntax::OneOf(of, list) => {
                let before = self.mistakes.len();
                let term = self.one_of(of, list, &span);
                self.asks_something(&term, &span, before);
                number(term, Range::TRUTH)
            }
            Syntax::Case(of, arms, otherwise) => self.case(of.as_deref(), arms, otherwise.as_deref(), &span),
            Syntax::Call(name, arguments) => self.call(name, arguments, &span),
        }
    }

    fn column(&mut self, name: &str, span: &Span<usize>) -> Typed {
        if let Some(id) = column(self.dictionary, name) {
            let variable = self.dictionary.variable(id);
            let kind = match Levels::of_column(variable) {
                Some(levels) => Type::Levels(levels),
                None => Type::Number(Range::of_kind(&variable.kind)),
            };
            return Typed { term: Term::Column(id), kind, span: span.clone() };
        }
        if (self.excused)(name) {
            self.unknown = true;
            return Typed { term: Term::Constant(f64::NAN), kind: Type::Unknown, span: span.clone() };
        }
        let variables = self.dictionary.variables();
        let has_level = |v: &&Variable| v.levels().iter().any(|level| level == name);
        let advice = match variables.iter().find(has_level) {
            Some(variable) => format!("the level of `{}` is written {} in single quotes", variable.name, quoted(name)),
            None => suggestion(name, variables.iter().map(|v| v.name.as_str())),
        };
        self.wrong(span, format!("`{name}` is not a declared [[variable]]; {advice}"))
    }

    /// A piece that has to be true or false.
    fn truth(&mut self, node: &Node) -> Term {
        let typed = self.typed(node);
        let piece = self.piece(&typed.span);
        match typed.kind {
            Type::Unknown => {}
            Type::Number(range) if range.is_truth() => {}
            Type::Number(_) => {
                self.mistake(
                    &typed.span,
                    format!(
                        "{piece} is a number and neither true nor false; compare it, such as `{} > 0`",
                        piece.trim_matches('`')
                    ),
                );
            }
            Type::Levels(levels) => {
                let first = levels.levels.first().map_or_else(String::new, |level| quoted(level));
                self.mistake(
                    &typed.span,
                    format!(
                        "{piece} is a level and neither true nor false; compare it, such as `{} = {first}`",
                        levels.of
                    ),
                );
            }
            Type::Text(_) => {
                self.mistake(
                    &typed.span,
                    format!("{piece} is a text and neither true nor false; compare a column with it"),
                );
            }
            Type::Missing => {
                self.mistake(&typed.span, "`NULL` is neither true nor false; write `x IS NULL` or `x IS NOT NULL`");
            }
        }
        typed.term
    }

    /// A piece that has to be a number.
    fn number(&mut self, node: &Node) -> (Term, Range) {
        let typed = self.typed(node);
        let piece = self.piece(&typed.span);
        match typed.kind {
            Type::Number(range) => return (typed.term, range),
            Type::Unknown => self.unknown = true,
            Type::Levels(levels) => {
                let advice = if levels.numeric() {
                    "declare it with kind = \"continuous\" and a `range`"
                } else {
                    "compare its levels, or turn them into numbers by `CASE`"
                };
                self.mistake(&typed.span, format!("{piece} is a level, with which nothing is calculated; {advice}"));
            }
            Type::Text(text) => {
                let advice = match text.trim().parse::<f64>() {
                    Ok(number) if number.is_finite() => format!("write `{number}` without quotation marks"),
                    _ => "write a number or a column of numbers".into(),
                };
                self.mistake(&typed.span, format!("{piece} is a text where a number is wanted; {advice}"));
            }
            Type::Missing => {
                self.mistake(&typed.span, "`NULL` makes all that is calculated with it missing; leave it out");
            }
        }
        let any = Range { low: f64::NEG_INFINITY, high: f64::INFINITY, whole: false };
        (typed.term, any)
    }

    fn is_missing(&mut self, of: &Node) -> Term {
        let typed = self.typed(of);
        if matches!(typed.kind, Type::Text(_) | Type::Missing)
            || matches!((&typed.term, &typed.kind), (Term::Constant(_), Type::Number(_)))
        {
            let piece = self.piece(&typed.span);
            self.mistake(&typed.span, format!("{piece} is the same for every row; name a column before `IS`"));
        }
        self.unknown |= matches!(typed.kind, Type::Unknown);
        Term::IsMissing(Box::new(typed.term))
    }

    /// Checks two pieces that are compared; a text is the place of its level then, and takes the place of its term.
    fn compared(
        &mut self,
        comparison: Comparison,
        a: &Typed,
        b: &Typed,
        span: &Span<usize>,
    ) -> (Option<Term>, Option<Term>) {
        let same = a.term == b.term && !matches!(a.term, Term::Constant(_));
        let orders = comparison.orders();
        match (&a.kind, &b.kind) {
            (Type::Unknown, _) | (_, Type::Unknown) => self.unknown = true,
            (Type::Missing, other) | (other, Type::Missing) => {
                let of = if matches!(other, Type::Missing) {
                    "x".to_owned()
                } else {
                    let of = if matches!(a.kind, Type::Missing) { &b.span } else { &a.span };
                    self.piece(of).trim_matches('`').to_owned()
                };
                let is = if comparison == Comparison::Unequal { "IS NOT NULL" } else { "IS NULL" };
                self.mistake(span, format!("a comparison with `NULL` is never true; write `{of} {is}`"));
            }
            _ if same => {
                let piece = self.piece(span);
                self.mistake(span, format!("{piece} has the same at both sides; compare two different values"));
            }
            (Type::Number(left), Type::Number(right)) => {
                let decided = left.decides(comparison, *right);
                let decided = decided.or_else(|| bounds::decides(&a.term, comparison, &b.term, self.dictionary));
                let beside = |of: &Typed, other: &Range| {
                    let Term::Column(id) = of.term else { return false };
                    other.constant().is_some_and(|x| between_steps(&self.dictionary.variable(id).kind, x))
                };
                let decided = decided.or_else(|| {
                    let never_equal = !orders && (beside(a, right) || beside(b, left));
                    never_equal.then_some(comparison == Comparison::Unequal)
                });
                if let Some(holds) = decided {
                    self.decided_comparison(holds, [&a.term, &b.term], span);
                }
            }
            (Type::Text(_), Type::Text(_)) => {
                self.mistake(
                    span,
                    "two texts are compared, which is the same for every row; name a column at one side",
                );
            }
            (Type::Levels(levels), Type::Text(text)) | (Type::Text(text), Type::Levels(levels)) => {
                let turned = if matches!(a.kind, Type::Levels(_)) { comparison } else { turned(comparison) };
                if orders {
                    self.no_order(levels, turned, None, Some(text), span);
                } else {
                    match levels.find(text) {
                        Ok(level) if matches!(a.kind, Type::Levels(_)) => return (None, Some(Term::Constant(level))),
                        Ok(level) => return (Some(Term::Constant(level)), None),
                        Err(message) => {
                            let of = if matches!(a.kind, Type::Text(_)) { &a.span } else { &b.span };
                            self.mistake(of, message);
                        }
                    }
                }
            }
            (Type::Levels(left), Type::Levels(right)) => {
                if orders {
                    self.no_order(left, comparison, None, None, span);
                } else if left.levels != right.levels {
                    self.mistake(
                        span,
                        format!(
                            "`{}` and `{}` have different levels, so that their texts cannot be held against each other; \
                             declare the same `levels` in the same order, or compare each with its own",
                            left.of, right.of
                        ),
                    );
                }
            }
            (Type::Levels(levels), Type::Number(range)) => {
                self.level_and_number(levels, comparison, range.constant(), b, span);
            }
            (Type::Number(range), Type::Levels(levels)) => {
                self.level_and_number(levels, turned(comparison), range.constant(), a, span);
            }
            (Type::Number(_), Type::Text(text)) => self.number_and_text(a, text, &b.span),
            (Type::Text(text), Type::Number(_)) => self.number_and_text(b, text, &a.span),
        }
        (None, None)
    }

    fn no_order(
        &mut self,
        levels: &Levels,
        comparison: Comparison,
        number: Option<f64>,
        text: Option<&str>,
        span: &Span<usize>,
    ) {
        let list = levels.in_place_of(comparison, number, text);
        let continuous = if levels.numeric() { ", or declare it with kind = \"continuous\" and a `range`" } else { "" };
        self.mistake(
            span,
            format!(
                "`{}` is categorical, and its levels are texts without an order, so that `{}` means nothing; \
                 list the levels that are meant, such as {list}{continuous}",
                levels.of,
                comparison.sign()
            ),
        );
    }

    fn level_and_number(
        &mut self,
        levels: &Levels,
        comparison: Comparison,
        constant: Option<f64>,
        number: &Typed,
        span: &Span<usize>,
    ) {
        if comparison.orders() {
            return self.no_order(levels, comparison, constant, None, span);
        }
        let of = &levels.of;
        let piece = self.piece(&number.span);
        let level = constant.and_then(|x| levels.levels.iter().find(|level| level.parse().ok() == Some(x)));
        let advice = match level {
            Some(level) => format!("write the level, `{of} {} {}`", comparison.sign(), quoted(level)),
            None => format!(
                "its levels are {}",
                levels.levels.iter().take(12).map(|l| quoted(l)).collect::<Vec<_>>().join(", ")
            ),
        };
        self.mistake(span, format!("`{of}` is categorical, its levels are texts, and {piece} is a number; {advice}"));
    }

    fn number_and_text(&mut self, number: &Typed, text: &str, span: &Span<usize>) {
        let piece = self.piece(&number.span);
        let variable = if let Term::Column(id) = number.term { Some(self.dictionary.variable(id)) } else { None };
        let advice = match variable.map(|v| &v.kind) {
            Some(Kind::Categorical { levels, labels, .. }) => {
                let at = [levels, labels]
                    .into_iter()
                    .find_map(|names| names.iter().position(|name| name.eq_ignore_ascii_case(text.trim())));
                match at {
                    Some(at) => format!("it is binary; write `{}` for {}", at, quoted(text)),
                    None => format!("it is binary, 0 for {}", labels.join(", 1 for ")),
                }
            }
            _ => match text.trim().parse::<f64>() {
                Ok(x) if x.is_finite() => format!("write `{x}` without quotation marks"),
                _ => "write a number, or declare the column with kind = \"categorical\"".into(),
            },
        };
        self.mistake(span, format!("{piece} is a number and {} a text; {advice}", quoted(text)));
    }

    fn decided_comparison(&mut self, holds: bool, sides: [&Term; 2], span: &Span<usize>) {
        let what = if holds { "always true unless something is missing" } else { "never true" };
        let columns = columns(&sides, self.dictionary);
        let ranges: Vec<String> = columns.iter().map(|v| format!("`{}` {}", v.name, extent(&v.kind))).collect();
        let why = if ranges.is_empty() { String::new() } else { format!(" ({})", ranges.join(", ")) };
        let steps = columns.iter().any(|v| step(&v.kind).is_some());
        let declared = if steps { "`range` and `resolution`" } else { "the `range`" };
        let presence = if holds { asks_presence(&columns) } else { String::new() };
        let piece = self.piece(span);
        self.mistake(span, format!("{piece} is {what}{why}; mend the number, or {declared} of the column{presence}"));
    }

    /// Is a comparison the same for all rows, but for what is missing?
    fn asks_something(&mut self, term: &Term, span: &Span<usize>, before: usize) {
        if self.mistakes.len() > before || self.unknown {
            return;
        }
        let Some(possible) = constant::possible_inside(term, self.dictionary) else { return };
        let piece = self.piece(span);
        if !possible.holds_beyond {
            self.mistake(span, format!("{piece} is never true, whatever a row holds; mend it, or leave it out"));
        } else if possible.asks_nothing() {
            self.always(term, span);
        }
    }

    fn always(&mut self, term: &Term, span: &Span<usize>) {
        let columns = columns(&[term], self.dictionary);
        let piece = self.piece(span);
        let presence = asks_presence(&columns);
        self.mistake(
            span,
            format!("{piece} is always true unless something is missing; mend it, or leave it out{presence}"),
        );
    }

    fn between(&mut self, parts: &[Node; 3], span: &Span<usize>) -> Term {
        let [of, low, high] = parts;
        let (low_type, high_type) = (self.typed(low), self.typed(high));
        let reversed = match (&low_type.kind, &high_type.kind) {
            (Type::Number(low), Type::Number(high)) => high.high < low.low,
            _ => false,
        };
        if reversed {
            self.mistake(span, "the second bound is below the first, so that nothing lies between; exchange them");
        }
        let first = self.typed(of);
        if let Type::Levels(levels) = &first.kind {
            self.between_levels(&Rc::clone(levels), &low_type, &high_type, span);
            return Term::Constant(f64::NAN);
        }
        let before = self.mistakes.len();
        let low = self.compared(Comparison::AtLeast, &first, &low_type, span).1.unwrap_or(low_type.term);
        let high = if reversed || self.mistakes.len() > before {
            high_type.term // what is wrong with the value itself is said once
        } else {
            self.compared(Comparison::AtMost, &first, &high_type, span).1.unwrap_or(high_type.term)
        };
        Term::Between(Box::new([first.term, low, high]))
    }

    fn between_levels(&mut self, levels: &Levels, low: &Typed, high: &Typed, span: &Span<usize>) {
        let end = |typed: &Typed| match &typed.kind {
            Type::Number(range) => range.constant(),
            Type::Text(text) => text.parse().ok(),
            _ => None,
        };
        let list = match (end(low), end(high)) {
            (Some(low), Some(high)) => {
                let inside = |level: &&String| level.parse::<f64>().is_ok_and(|x| low <= x && x <= high);
                levels.levels.iter().filter(inside).map(|level| quoted(level)).collect::<Vec<_>>().join(", ")
            }
            _ => String::new(),
        };
        let list = if list.is_empty() { "'…', '…'" } else { &list };
        self.mistake(
            span,
            format!(
                "`{of}` is categorical, and its levels are texts without an order, so that nothing lies between two; list the \
                 levels that are meant, such as `{of} IN ({list})`",
                of = levels.of
            ),
        );
    }

    fn one_of(&mut self, of: &Node, list: &[Node], span: &Span<usize>) -> Term {
        let before = self.mistakes.len();
        let value = self.typed(of);
        let mut items: Vec<Term> = Vec::new();
        for item in list {
            let item_type = self.typed(item);
            let term = self.compared(Comparison::Equal, &value, &item_type, &item.span).1.unwrap_or(item_type.term);
            if matches!(term, Term::Constant(x) if !x.is_nan()) && items.contains(&term) {
                let piece = self.piece(&item.span);
                self.mistake(&item.span, format!("{piece} stands twice in the list; name it once"));
            }
            items.push(term);
        }
        let all = if let Type::Number(range) = value.kind { range.wholes(list.len()) } else { None };
        let term = Term::OneOf(Box::new(value.term), items);
        if let (Some(all), Term::OneOf(_, items)) = (all, &term)
            && self.mistakes.len() == before
            && all.iter().all(|x| items.contains(&Term::Constant(*x)))
        {
            self.always(&term, span);
        }
        term
    }

    fn case(
        &mut self,
        of: Option<&Node>,
        arms: &[(Node, Node)],
        otherwise: Option<&Node>,
        span: &Span<usize>,
    ) -> Typed {
        let value = of.map(|of| self.typed(of));
        let mut whens = Vec::new();
        for (when, _) in arms {
            whens.push(match &value {
                None => self.truth(when),
                Some(value) => {
                    let right = self.typed(when);
                    self.compared(Comparison::Equal, value, &right, &when.span).1.unwrap_or(right.term)
                }
            });
        }
        let mut values: Vec<Typed> = arms.iter().map(|(_, then)| self.typed(then)).collect();
        values.extend(otherwise.map(|otherwise| self.typed(otherwise)));
        let (mut terms, kind) = self.unified(values, span);
        let rest = if otherwise.is_some() { terms.pop() } else { None };
        let arms = whens.into_iter().zip(terms).collect();
        let rest = Box::new(rest.unwrap_or(Term::Constant(f64::NAN)));
        Typed { term: Term::Case(value.map(|value| Box::new(value.term)), arms, rest), kind, span: span.clone() }
    }

    /// Values of which one is taken, as terms of one type.
    fn unified(&mut self, values: Vec<Typed>, span: &Span<usize>) -> (Vec<Term>, Type) {
        let unknown = values.iter().any(|value| matches!(value.kind, Type::Unknown));
        let ranges: Vec<Range> =
            values.iter().filter_map(|v| if let Type::Number(range) = v.kind { Some(range) } else { None }).collect();
        let of_levels: Vec<Rc<Levels>> = values
            .iter()
            .filter_map(|v| if let Type::Levels(levels) = &v.kind { Some(Rc::clone(levels)) } else { None })
            .collect();
        let texts: Vec<&str> = values
            .iter()
            .filter_map(|v| if let Type::Text(text) = &v.kind { Some(text.as_str()) } else { None })
            .collect();
        let levels = of_levels.first().cloned();
        let levels = levels.or_else(|| {
            (!texts.is_empty()).then(|| Levels::made_up(texts.into_iter(), &self.piece(span).replace('`', "")))
        });
        let mixed = !ranges.is_empty() && levels.is_some();
        let different = of_levels.iter().any(|other| levels.as_ref().is_some_and(|l| l.levels != other.levels));
        let message = match () {
            () if unknown => None,
            () if mixed => Some("gives a number for some rows and a text for others; give one of the two"),
            () if different => Some("gives levels of different columns; declare the same `levels` in the same order"),
            () if ranges.is_empty() && levels.is_none() => Some("is missing for every row; give a value"),
            () => None,
        };
        if let Some(message) = message {
            let piece = self.piece(span);
            self.mistake(span, format!("{piece} {message}"));
        }
        if unknown || message.is_some() {
            self.unknown = true;
            return (values.into_iter().map(|value| value.term).collect(), Type::Unknown);
        }
        let mut terms = Vec::new();
        for value in values {
            terms.push(match (&value.kind, &levels) {
                (Type::Text(text), Some(levels)) => match levels.find(text) {
                    Ok(level) => Term::Constant(level),
                    Err(message) => self.wrong(&value.span, message).term,
                },
                _ => value.term,
            });
        }
        let kind = match levels {
            Some(levels) => Type::Levels(levels),
            None => Type::Number(ranges.iter().copied().reduce(Range::or).unwrap_or(Range::TRUTH)),
        };
        (terms, kind)
    }

    fn call(&mut self, name: &str, arguments: &[Node], span: &Span<usize>) -> Typed {
        let Some(function) = Function::find(name) else {
            return self.wrong(span, format!("`{name}` is no function of the language; {}", function::advice(name)));
        };
        let (count, words) = function.arguments();
        if !count.contains(&arguments.len()) {
            return self
                .wrong(span, format!("`{name}` takes {words}, and {} stand here; mend the call", arguments.len()));
        }
        match (function, arguments) {
            (Function::Iif, [condition, yes, no]) => {
                let condition = self.truth(condition);
                let values = vec![self.typed(yes), self.typed(no)];
                let (mut terms, kind) = self.unified(values, span);
                terms.insert(0, condition);
                Typed { term: Term::Call(function, terms), kind, span: span.clone() }
            }
            (Function::Nullif, [a, b]) => {
                let (left, right) = (self.typed(a), self.typed(b));
                let kind = left.kind.clone();
                let (replaced, other) = self.compared(Comparison::Equal, &left, &right, span);
                let terms = vec![replaced.unwrap_or(left.term), other.unwrap_or(right.term)];
                Typed { term: Term::Call(function, terms), kind, span: span.clone() }
            }
            (Function::Coalesce, arguments) => {
                let values: Vec<Typed> = arguments.iter().map(|argument| self.typed(argument)).collect();
                if let Some(value) = values.iter().find(|value| matches!(value.kind, Type::Missing)) {
                    let span = value.span.clone();
                    self.mistake(&span, "`NULL` stands for no value; leave it out");
                }
                let (terms, kind) = self.unified(values, span);
                Typed { term: Term::Call(function, terms), kind, span: span.clone() }
            }
            (function, arguments) => {
                let (terms, ranges): (Vec<Term>, Vec<Range>) =
                    arguments.iter().map(|argument| self.number(argument)).unzip();
                if let (Function::Round, Some(decimals), Some(node)) = (function, terms.get(1), arguments.get(1))
                    && !matches!(decimals, Term::Constant(x) if x.fract() == 0.0 && (0.0..=9.0).contains(x))
                {
                    return self.wrong(
                        &node.span,
                        "the decimals of `round` are a whole number from 0 to 9; such as `round(x, 1)`",
                    );
                }
                let range = Range::call(function, &ranges);
                Typed { term: Term::Call(function, terms), kind: Type::Number(range), span: span.clone() }
            }
        }
    }

    /// Conditions joined by `AND` or `OR`, which must not decide one another.
    fn joined(&mut self, node: &Node, parts: &[Node], all: bool) -> Term {
        let before = self.mistakes.len();
        let terms: Vec<Term> = parts.iter().map(|part| self.truth(part)).collect();
        let joined = if all { Term::All(terms) } else { Term::Any(terms) };
        if self.mistakes.len() > before || self.unknown {
            return joined;
        }
        let of = |term: &Term| constant::possible(term, self.dictionary);
        let alone: Option<Vec<Possible>> = joined.children().into_iter().map(of).collect();
        let (Some(whole), Some(alone)) = (of(&joined), alone) else { return joined };
        let span = node.span.clone();
        let piece = self.piece(&span);
        if all && !whole.holds && alone.iter().all(|part| part.holds) {
            self.mistake(&span, format!("{piece} is never true, as its parts exclude each other; was `OR` meant?"));
        }
        if !all && !whole.fails && alone.iter().all(|part| part.fails) {
            self.mistake(
                &span,
                format!("{piece} is never false, as one of its parts always holds; was `AND` meant? (`x IS NOT NULL` asks whether x is known)"),
            );
        }
        joined
    }

    /// Is the whole the same for every row?
    fn decided(&mut self, node: &Node, term: &Term) {
        let Some(possible) = constant::possible(term, self.dictionary) else { return };
        let span = node.span.clone();
        let piece = self.piece(&span);
        if !possible.holds {
            let message = "is true for no row within the declared ranges and levels, so that nobody stays; mend it";
            self.mistake(&span, format!("{piece} {message}"));
        } else if !possible.fails && !possible.missing {
            self.mistake(
                &span,
                format!("{piece} is true for every row and leaves nobody out; mend it, or leave it out"),
            );
        } else if possible.asks_nothing() {
            self.always(term, &span);
        }
    }
}

/// The comparison that says the same with its sides exchanged.
fn turned(comparison: Comparison) -> Comparison {
    match comparison {
        Comparison::Equal | Comparison::Unequal => comparison,
        Comparison::Less => Comparison::More,
        Comparison::AtMost => Comparison::AtLeast,
        Comparison::More => Comparison::Less,
        Comparison::AtLeast => Comparison::AtMost,
    }
}

/// The columns that terms read, each once.
fn columns<'d>(terms: &[&Term], dictionary: &'d Dictionary) -> Vec<&'d Variable> {
    let mut found = Vec::new();
    for term in terms {
        term.visit_columns(&mut |id| found.push(id));
    }
    found.sort_unstable();
    found.dedup();
    found.into_iter().map(|id| dictionary.variable(id)).collect()
}

/// The step of a grid that holds all values of a column.
fn step(kind: &Kind) -> Option<f64> {
    if let Kind::Continuous { resolution, rounded: false, .. } = kind { *resolution } else { None }
}

/// Is a number none that the column can have, as it lies between two steps of its grid?
fn between_steps(kind: &Kind, x: f64) -> bool {
    step(kind).is_some_and(|step| {
        let steps = x / step;
        (steps - steps.round()).abs() > 1e-3
    })
}

/// What asks for presence alone, where that may be meant.
fn asks_presence(columns: &[&Variable]) -> String {
    match columns {
        [one] => format!("; `{} IS NOT NULL` asks whether there is a value", one.name),
        [] => String::new(),
        _ => "; `x IS NOT NULL` asks whether x has a value".into(),
    }
}

/// What a column holds, in words.
fn extent(kind: &Kind) -> String {
    match kind {
        Kind::Continuous { low, high, .. } => {
            let steps = step(kind).map_or_else(String::new, |step| format!(" in steps of {step}"));
            format!("goes from {low} to {high}{steps}")
        }
        Kind::Days { high } => format!("has whole days from 0 to {high}"),
        Kind::Categorical { .. } => "is 0 or 1".into(),
    }
}
