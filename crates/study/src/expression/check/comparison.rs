//! Two sides that are compared: numbers with numbers, levels with levels of their own column.

use std::ops::Range as Span;
use std::rc::Rc;

use super::decided::between_steps;
use super::{Checker, Type, Typed};
use crate::dictionary::Kind;
use crate::expression::bounds;
use crate::expression::levels::{Levels, quoted};
use crate::expression::range::Range;
use crate::expression::syntax::{Comparison, Node};
use crate::expression::term::Term;

impl Checker<'_> {
    /// Checks two pieces that are compared; a text is the place of its level then, and takes the place of its term.
    pub(super) fn compared(
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

    pub(super) fn no_order(
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

    pub(super) fn level_and_number(
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

    pub(super) fn number_and_text(&mut self, number: &Typed, text: &str, span: &Span<usize>) {
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

    pub(super) fn between(&mut self, parts: &[Node; 3], turned: bool, span: &Span<usize>) -> Term {
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
        self.turned = turned;
        // one bound outside of what the column can have leaves the other one
        let open = |comparison, bound: &Typed| match (&first.kind, &bound.kind) {
            (Type::Number(of), Type::Number(bound)) => of.decides(comparison, *bound) == Some(true),
            _ => false,
        };
        let [below, above] = [open(Comparison::AtLeast, &low_type), open(Comparison::AtMost, &high_type)];
        let low = if below && !above {
            low_type.term
        } else {
            self.compared(Comparison::AtLeast, &first, &low_type, span).1.unwrap_or(low_type.term)
        };
        // what is wrong with the value itself is said once
        let high = if reversed || above || self.mistakes.len() > before {
            high_type.term
        } else {
            self.compared(Comparison::AtMost, &first, &high_type, span).1.unwrap_or(high_type.term)
        };
        Term::Between(Box::new([first.term, low, high]))
    }

    pub(super) fn between_levels(&mut self, levels: &Levels, low: &Typed, high: &Typed, span: &Span<usize>) {
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

    pub(super) fn one_of(&mut self, of: &Node, list: &[Node], turned: bool, span: &Span<usize>) -> Term {
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
        self.turned = turned;
        if let (Some(all), Term::OneOf(_, items)) = (all, &term)
            && self.mistakes.len() == before
            && all.iter().all(|x| items.contains(&Term::Constant(*x)))
        {
            self.always(&term, span);
        }
        term
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
