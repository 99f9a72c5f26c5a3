//! From lexemes to a tree, by descent; the first piece that does not fit ends it.

use std::ops::Range;

use super::ExpressionMistake;
use super::function;
use super::lexer::{Lexeme, Placed};

/// Deepest tree: parentheses, and operators in a row, inside of one another. A person reads far less; the stack holds it.
const DEEPEST: usize = 60;

/// A piece of an expression and where it stands.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) syntax: Syntax,
    pub(super) span: Range<usize>,
    depth: usize,
}

/// What a piece is.
#[derive(Debug)]
pub(super) enum Syntax {
    Number(f64),
    Text(String),
    Truth(bool),
    Missing,
    Column(String),
    Negated(Box<Node>),
    Not(Box<Node>),
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    Compare(Comparison, Box<Node>, Box<Node>),
    /// Two or more joined by `AND`.
    All(Vec<Node>),
    /// Two or more joined by `OR`.
    Any(Vec<Node>),
    Between(Box<[Node; 3]>),
    OneOf(Box<Node>, Vec<Node>),
    IsMissing(Box<Node>),
    IsTruth(bool, Box<Node>),
    /// What is compared with each arm's first, where something is; arms; what else.
    Case(Option<Box<Node>>, Vec<(Node, Node)>, Option<Box<Node>>),
    /// A function by its name.
    Call(String, Vec<Node>),
}

/// The four operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Plus,
    Minus,
    Times,
    By,
}

/// The six comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Comparison {
    const ALL: [Comparison; 6] = [
        Comparison::Equal,
        Comparison::Unequal,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::More,
        Comparison::AtLeast,
    ];

    /// As it is written.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Comparison::Equal => "=",
            Comparison::Unequal => "<>",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::More => ">",
            Comparison::AtLeast => ">=",
        }
    }

    /// Does it ask for an order?
    pub(super) fn orders(self) -> bool {
        !matches!(self, Comparison::Equal | Comparison::Unequal)
    }

    /// Does it hold for two numbers?
    pub(super) fn holds(self, a: f64, b: f64) -> bool {
        #[allow(clippy::float_cmp, reason = "equal means the same number")]
        match self {
            Comparison::Equal => a == b,
            Comparison::Unequal => a != b,
            Comparison::Less => a < b,
            Comparison::AtMost => a <= b,
            Comparison::More => a > b,
            Comparison::AtLeast => a >= b,
        }
    }
}

/// Words with a meaning of their own. A column with such a name stands in double quotes, or bare where nothing else can.
const KEYWORDS: [&str; 17] = [
    "and", "or", "not", "is", "null", "isnull", "notnull", "in", "between", "case", "when", "then", "else", "end",
    "true", "false", "like",
];

/// Operators of texts, which the language has not.
const OF_TEXTS: [&str; 7] = ["like", "ilike", "glob", "regexp", "match", "collate", "escape"];

/// Parses all lexemes of a text as one expression. `declared` knows the names of columns.
pub(super) fn parse(
    text: &str,
    lexemes: &[Placed],
    declared: &dyn Fn(&str) -> bool,
) -> Result<Node, ExpressionMistake> {
    let mut parser = Parser { text, lexemes, at: 0, depth: 0, declared };
    let node = parser.expression()?;
    match parser.peek() {
        None => Ok(node),
        Some(_) => Err(parser.unexpected("the expression has ended here")),
    }
}

struct Parser<'a> {
    text: &'a str,
    lexemes: &'a [Placed],
    at: usize,
    depth: usize,
    declared: &'a dyn Fn(&str) -> bool,
}

type Parsed = Result<Node, ExpressionMistake>;

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a Lexeme> {
        self.lexemes.get(self.at).map(|(lexeme, _)| lexeme)
    }

    /// First byte of what comes next.
    fn start(&self) -> usize {
        self.lexemes.get(self.at).map_or(self.text.len(), |(_, span)| span.start)
    }

    /// Byte after what was taken last.
    fn end(&self) -> usize {
        self.at.checked_sub(1).and_then(|at| self.lexemes.get(at)).map_or(0, |(_, span)| span.end)
    }

    fn mistake(&self, message: impl Into<String>) -> ExpressionMistake {
        ExpressionMistake { at: self.start(), message: message.into() }
    }

    /// What comes next as it is written.
    fn written(&self) -> Option<&'a str> {
        self.lexemes.get(self.at).map(|(_, span)| &self.text[span.clone()])
    }

    fn unexpected(&self, place: &str) -> ExpressionMistake {
        let Some(written) = self.written() else {
            return self.mistake(format!("{place}, and the text ends; complete it"));
        };
        let advice = match written.to_ascii_lowercase().as_str() {
            ")" => "remove the parenthesis, or open one before",
            "," => "a number takes a decimal point, and an expression is one condition",
            "=" | "==" | "<>" | "!=" | "<" | "<=" | ">" | ">=" => "a comparison has one value at each side",
            "and" | "or" => "it joins two conditions; complete the one before it",
            word if OF_TEXTS.contains(&word)
                || (word == "not" && OF_TEXTS.iter().any(|word| self.word_at(self.at + 1, word))) =>
            {
                "levels have no patterns; list those that are meant, `variable IN ('…', '…')`"
            }
            "select" | "from" | "where" | "union" | "values" | "with" | "exists" => {
                "there are no queries; write one condition on the columns of a row"
            }
            _ => "join conditions with `AND` or `OR`; a level takes single quotes; a unit is not written",
        };
        self.mistake(format!("{place}, and `{}` follows; {advice}", shortened(written)))
    }

    fn word_is(&self, word: &str) -> bool {
        self.word_at(self.at, word)
    }

    fn word_at(&self, at: usize, word: &str) -> bool {
        matches!(self.lexemes.get(at), Some((Lexeme::Word(found), _)) if found.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let found = self.word_is(word);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &str, example: &str) -> Result<(), ExpressionMistake> {
        if self.take_word(word) {
            return Ok(());
        }
        let upper = word.to_uppercase();
        Err(self.mistake(format!("`{upper}` is wanted here; write {example}")))
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), Some(Lexeme::Symbol(found)) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn close(&mut self, open: usize) -> Result<(), ExpressionMistake> {
        if self.take(")") {
            return Ok(());
        }
        match self.peek() {
            None => Err(ExpressionMistake {
                at: open,
                message: "the parenthesis is not closed; add `)` where it ends".into(),
            }),
            Some(_) => Err(self.unexpected("the parenthesis could close here")),
        }
    }

    fn node(&self, syntax: Syntax, start: usize) -> Parsed {
        let depth = 1 + children(&syntax).into_iter().map(|node| node.depth).max().unwrap_or(0);
        if depth > DEEPEST {
            return Err(too_deep(start));
        }
        Ok(Node { syntax, span: start..self.end(), depth })
    }

    /// One level deeper, and back.
    fn inside(&mut self, parse: impl FnOnce(&mut Self) -> Parsed) -> Parsed {
        if self.depth >= DEEPEST {
            return Err(too_deep(self.start()));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    fn expression(&mut self) -> Parsed {
        self.inside(|parser| parser.joined("or", Parser::conjunction, Syntax::Any))
    }

    fn conjunction(&mut self) -> Parsed {
        self.joined("and", Parser::negation, Syntax::All)
    }

    fn joined(&mut self, word: &str, part: fn(&mut Self) -> Parsed, join: fn(Vec<Node>) -> Syntax) -> Parsed {
        let start = self.start();
        let first = part(self)?;
        if !self.word_is(word) {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.take_word(word) {
            parts.push(part(self)?);
        }
        self.node(join(parts), start)
    }

    fn negation(&mut self) -> Parsed {
        let start = self.start();
        if !self.word_is("not") || self.names_column("not") {
            return self.comparison();
        }
        self.at += 1;
        let of = self.inside(Parser::negation)?;
        self.node(Syntax::Not(Box::new(of)), start)
    }

    fn comparison(&mut self) -> Parsed {
        let start = self.start();
        let left = self.sum()?;
        let Some(found) = self.test(left, start)? else { return Err(self.unexpected("a value ends here")) };
        if self.tests() {
            let message = "comparisons do not follow one another; write `18 <= age AND age <= 65`, \
                           `age BETWEEN 18 AND 65`, or parentheses";
            return Err(self.mistake(message));
        }
        Ok(found)
    }

    /// Does a comparison or another test follow?
    fn tests(&self) -> bool {
        self.comparing().is_some()
            || ["is", "isnull", "notnull", "in", "between"].iter().any(|word| self.word_is(word))
            || (self.word_is("not") && ["in", "between", "null"].iter().any(|word| self.word_at(self.at + 1, word)))
    }

    fn comparing(&self) -> Option<Comparison> {
        let Some(Lexeme::Symbol(symbol)) = self.peek() else { return None };
        Comparison::ALL.into_iter().find(|comparison| comparison.sign() == *symbol)
    }

    /// The value itself, or the test that follows it; none where something follows that is neither.
    fn test(&mut self, left: Node, start: usize) -> Result<Option<Node>, ExpressionMistake> {
        if let Some(comparison) = self.comparing() {
            self.at += 1;
            let right = self.sum()?;
            return self.node(Syntax::Compare(comparison, Box::new(left), Box::new(right)), start).map(Some);
        }
        if OF_TEXTS.iter().any(|word| self.word_is(word)) {
            return Ok(None);
        }
        let negated = self.word_is("not") && self.tests();
        self.at += usize::from(negated);
        let found = if self.take_word("isnull") || (negated && self.word_is("null")) {
            self.at += usize::from(negated);
            self.node(Syntax::IsMissing(Box::new(left)), start)?
        } else if self.take_word("notnull") {
            let missing = self.node(Syntax::IsMissing(Box::new(left)), start)?;
            self.node(Syntax::Not(Box::new(missing)), start)?
        } else if self.take_word("is") {
            self.is(left, start)?
        } else if self.take_word("between") {
            let low = self.sum()?;
            self.expect_word("and", "`age BETWEEN 18 AND 65`")?;
            let high = self.sum()?;
            self.node(Syntax::Between(Box::new([left, low, high])), start)?
        } else if self.take_word("in") {
            let list = self.list()?;
            self.node(Syntax::OneOf(Box::new(left), list), start)?
        } else {
            return Ok(Some(left));
        };
        if negated { self.node(Syntax::Not(Box::new(found)), start).map(Some) } else { Ok(Some(found)) }
    }

    fn is(&mut self, left: Node, start: usize) -> Parsed {
        let negated = self.take_word("not");
        let left = Box::new(left);
        let syntax = if self.take_word("null") {
            Syntax::IsMissing(left)
        } else if self.take_word("true") {
            Syntax::IsTruth(true, left)
        } else if self.take_word("false") {
            Syntax::IsTruth(false, left)
        } else {
            let message = "`NULL`, `NOT NULL`, `TRUE` or `FALSE` is wanted after `IS`; compare values with `=`";
            return Err(self.mistake(message));
        };
        let found = self.node(syntax, start)?;
        if negated { self.node(Syntax::Not(Box::new(found)), start) } else { Ok(found) }
    }

    fn list(&mut self) -> Result<Vec<Node>, ExpressionMistake> {
        let open = self.start();
        if !self.take("(") {
            return Err(self.mistake("a list in parentheses is wanted after `IN`; write `IN ('I', 'II')`"));
        }
        self.arguments(open)
    }

    /// What stands before the closing parenthesis, at least one.
    fn arguments(&mut self, open: usize) -> Result<Vec<Node>, ExpressionMistake> {
        let mut list = vec![self.expression()?];
        while self.take(",") {
            list.push(self.expression()?);
        }
        self.close(open)?;
        Ok(list)
    }

    fn sum(&mut self) -> Parsed {
        self.operations(Parser::product, [("+", Arithmetic::Plus), ("-", Arithmetic::Minus)])
    }

    fn product(&mut self) -> Parsed {
        self.operations(Parser::signed, [("*", Arithmetic::Times), ("/", Arithmetic::By)])
    }

    fn operations(&mut self, part: fn(&mut Self) -> Parsed, operators: [(&str, Arithmetic); 2]) -> Parsed {
        let start = self.start();
        let mut left = part(self)?;
        while let Some((_, operator)) = operators.iter().find(|(sign, _)| self.take(sign)) {
            let right = part(self)?;
            left = self.node(Syntax::Arithmetic(*operator, Box::new(left), Box::new(right)), start)?;
        }
        Ok(left)
    }

    fn signed(&mut self) -> Parsed {
        let start = self.start();
        if self.take("-") {
            let of = self.inside(Parser::signed)?;
            return self.node(Syntax::Negated(Box::new(of)), start);
        }
        if self.take("+") {
            return self.inside(Parser::signed);
        }
        self.value()
    }

    fn value(&mut self) -> Parsed {
        let start = self.start();
        let syntax = match self.peek() {
            Some(Lexeme::Number(number)) => Syntax::Number(*number),
            Some(Lexeme::Text(text)) => Syntax::Text(text.clone()),
            Some(Lexeme::Quoted(name)) => Syntax::Column(name.clone()),
            Some(Lexeme::Symbol("(")) => {
                self.at += 1;
                let inside = self.expression()?;
                self.close(start)?;
                return Ok(Node { span: start..self.end(), ..inside });
            }
            Some(Lexeme::Word(word)) => return self.word(word, start),
            Some(Lexeme::Symbol(_)) | None => return Err(self.unexpected("a value is wanted here")),
        };
        self.at += 1;
        self.node(syntax, start)
    }

    fn word(&mut self, word: &str, start: usize) -> Parsed {
        let lower = word.to_ascii_lowercase();
        let keyword = KEYWORDS.contains(&lower.as_str());
        if keyword && !self.names_column(&lower) {
            let syntax = match lower.as_str() {
                "null" | "true" | "false" if (self.declared)(word) => {
                    return Err(self.mistake(format!(
                        "`{word}` is a word of the language and a declared column; write \"{word}\" in double quotes for the column"
                    )));
                }
                "null" => Syntax::Missing,
                "true" => Syntax::Truth(true),
                "false" => Syntax::Truth(false),
                "case" => return self.case(start),
                _ => return Err(self.unexpected("a value is wanted here")),
            };
            self.at += 1;
            return self.node(syntax, start);
        }
        self.at += 1;
        let open = self.start();
        if self.take("(") {
            if matches!(self.peek(), Some(Lexeme::Symbol(")" | "*"))) || self.word_is("select") {
                return Err(ExpressionMistake {
                    at: start,
                    message: format!("`{word}` has no arguments that can be read; {}", function::advice(word)),
                });
            }
            let arguments = self.arguments(open).map_err(|mistake| match function::Function::find(word) {
                Some(_) => mistake,
                // what is inside is of another language, too
                None => ExpressionMistake {
                    at: start,
                    message: format!("`{word}` is no function of the language; {}", function::advice(word)),
                },
            })?;
            return self.node(Syntax::Call(word.to_owned(), arguments), start);
        }
        if !(self.declared)(word) && ["select", "values", "with", "exists"].contains(&lower.as_str()) {
            self.at -= 1;
            return Err(self.unexpected("a value is wanted here"));
        }
        self.node(Syntax::Column(word.to_owned()), start)
    }

    /// Does a word of the language stand here for a column of that name? Only where its own meaning cannot be.
    fn names_column(&self, word: &str) -> bool {
        if !(self.declared)(word) {
            return false;
        }
        let next = self.lexemes.get(self.at + 1).map(|(lexeme, _)| lexeme);
        let ended = match next {
            None => true,
            Some(Lexeme::Symbol(symbol)) => !matches!(*symbol, "(" | "-" | "+"),
            Some(Lexeme::Word(word)) => {
                ["is", "in", "between", "and", "or", "isnull", "notnull", "then", "else", "end"]
                    .iter()
                    .any(|follows| word.eq_ignore_ascii_case(follows))
                    || (word.eq_ignore_ascii_case("not")
                        && ["in", "between", "null"].iter().any(|word| self.word_at(self.at + 2, word)))
            }
            Some(_) => false,
        };
        match word {
            "null" | "true" | "false" => false,
            "not" | "case" => ended,
            _ => true,
        }
    }

    fn case(&mut self, start: usize) -> Parsed {
        const EXAMPLE: &str = "`CASE WHEN age > 65 THEN 1 ELSE 0 END`";
        self.at += 1;
        let of = if self.word_is("when") { None } else { Some(Box::new(self.expression()?)) };
        let mut arms = Vec::new();
        self.expect_word("when", EXAMPLE)?;
        loop {
            let when = self.expression()?;
            self.expect_word("then", EXAMPLE)?;
            arms.push((when, self.expression()?));
            if !self.take_word("when") {
                break;
            }
        }
        let otherwise = if self.take_word("else") { Some(Box::new(self.expression()?)) } else { None };
        self.expect_word("end", EXAMPLE)?;
        self.node(Syntax::Case(of, arms, otherwise), start)
    }
}

fn too_deep(at: usize) -> ExpressionMistake {
    let message = format!("more than {DEEPEST} operations stand inside of one another; cut it into several criteria");
    ExpressionMistake { at, message }
}

/// A long piece of text, cut.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 40;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    }
}

fn children(syntax: &Syntax) -> Vec<&Node> {
    match syntax {
        Syntax::Number(_) | Syntax::Text(_) | Syntax::Truth(_) | Syntax::Missing | Syntax::Column(_) => Vec::new(),
        Syntax::Negated(of) | Syntax::Not(of) | Syntax::IsMissing(of) | Syntax::IsTruth(_, of) => vec![of],
        Syntax::Arithmetic(_, a, b) | Syntax::Compare(_, a, b) => vec![a, b],
        Syntax::All(parts) | Syntax::Any(parts) | Syntax::Call(_, parts) => parts.iter().collect(),
        Syntax::Between(parts) => parts.iter().collect(),
        Syntax::OneOf(of, list) => list.iter().chain([&**of]).collect(),
        Syntax::Case(of, arms, otherwise) => {
            let arms = arms.iter().flat_map(|(when, then)| [when, then]);
            arms.chain(of.as_deref()).chain(otherwise.as_deref()).collect()
        }
    }
}
