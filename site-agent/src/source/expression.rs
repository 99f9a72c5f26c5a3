//! Eligibility criteria: one `SQLite` expression each, over the dictionary's columns and a few deterministic functions.
//!
//! Two lines of defence. First the text is split into words: every word must be a declared column, an allowed function
//! or an operator of expressions; no comment, no statement separator, no parameter, parentheses closed. Then `SQLite`
//! prepares it under an authorizer that knows nothing of the words and denies everything but one SELECT that reads the
//! dictionary's columns and calls the allowed functions. The patient's key and the row number cannot be read.

use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, Authorization};
use rusqlite::{Connection, ErrorCode};
use study::dictionary::Dictionary;

use super::table::{ROW, TABLE, Table};
use super::words::{self, FUNCTIONS};

/// Time that one criterion may take over all rows; the whole load of a million rows takes about four seconds.
const TIME_LIMIT: Duration = Duration::from_mins(1);

/// Steps of `SQLite`'s virtual machine between two looks at the clock.
const STEPS: i32 = 10_000;

/// A criterion that cannot be used. The protocol is to blame.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("criterion `{label}` {refusal}")]
pub struct ExpressionError {
    /// Label of the criterion.
    pub label: String,
    /// Why.
    pub refusal: Refusal,
}

/// Why a criterion is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// It holds a comment.
    Comment,
    /// It holds a semicolon: more than one statement.
    Statements,
    /// Its parentheses or quotation marks do not close.
    Unbalanced,
    /// It holds a parameter or another character that expressions do not have.
    Character,
    /// It reads a column that the dictionary does not declare; perhaps the second was meant.
    Column(String, Option<String>),
    /// It calls a function that is not allowed.
    Function(String),
    /// It holds a query of its own.
    Subquery,
    /// It reads what is not the dictionary's, or does something else than reading.
    Denied,
    /// It is not one expression that a row can be tested by.
    Syntax,
    /// It took more than its time.
    TimeLimit,
    /// It failed on a row, for example by an overflow.
    Failed,
}

impl Refusal {
    /// Stable code for logs and for the coordinator.
    pub fn code(&self) -> &'static str {
        match self {
            Refusal::Comment => "criterion.comment",
            Refusal::Statements => "criterion.statements",
            Refusal::Unbalanced => "criterion.unbalanced",
            Refusal::Character => "criterion.character",
            Refusal::Column(..) => "criterion.column",
            Refusal::Function(_) => "criterion.function",
            Refusal::Subquery => "criterion.subquery",
            Refusal::Denied => "criterion.denied",
            Refusal::Syntax => "criterion.syntax",
            Refusal::TimeLimit => "criterion.time_limit",
            Refusal::Failed => "criterion.failed",
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Refusal::Comment => f.write_str("holds a comment; write comments outside of the expression"),
            Refusal::Statements => f.write_str("holds a semicolon; write one expression"),
            Refusal::Unbalanced => f.write_str("has a parenthesis or quotation mark that does not close"),
            Refusal::Character => {
                f.write_str("holds a parameter or a character that expressions do not have (texts take single quotes)")
            }
            Refusal::Column(name, nearest) => {
                write!(f, "reads `{name}`, which is no declared [[variable]]")?;
                match nearest {
                    Some(nearest) => write!(f, "; did you mean `{nearest}`?"),
                    None => f.write_str(" (texts take single quotes)"),
                }
            }
            Refusal::Function(name) => {
                write!(f, "calls `{name}`, which is not allowed; allowed are {}", FUNCTIONS.join(", "))
            }
            Refusal::Subquery => f.write_str("holds a query of its own; it may read the row's columns only"),
            Refusal::Denied => f.write_str("was denied: it may only read the dictionary's columns"),
            Refusal::Syntax => f.write_str("is not one SQLite expression that is true or false for a row"),
            Refusal::TimeLimit => write!(f, "took more than {} seconds; simplify it", TIME_LIMIT.as_secs()),
            Refusal::Failed => f.write_str("failed on a row, for example by an overflow; guard it with CASE"),
        }
    }
}

/// Checks that an expression can be used, without reading a row.
pub(super) fn check(table: &mut Table, dictionary: &Dictionary, expression: &str) -> Result<(), Refusal> {
    words::check(dictionary, expression)?;
    Guarded::new(&mut table.connection, dictionary)?.prepare(expression)
}

/// For each of the table's rows in the order of the file: is the expression true? (NULL is not.)
pub(super) fn evaluate(
    table: &mut Table,
    dictionary: &Dictionary,
    expression: &str,
    rows: usize,
) -> Result<Vec<bool>, Refusal> {
    words::check(dictionary, expression)?;
    let guarded = Guarded::new(&mut table.connection, dictionary)?;
    guarded.prepare(expression)?;
    guarded.run(expression, rows, TIME_LIMIT)
}

/// The table's connection while the authorizer stands guard over it.
struct Guarded<'c> {
    connection: &'c mut Connection,
    state: Arc<Mutex<State>>,
}

/// What the authorizer knows and what it saw.
struct State {
    columns: Vec<String>,
    row_readable: bool,
    selects: u32,
    denied: Option<Refusal>,
}

impl State {
    fn decide(&mut self, action: AuthAction<'_>) -> Authorization {
        let refusal = match action {
            AuthAction::Select => {
                self.selects += 1;
                (self.selects > 1).then_some(Refusal::Subquery)
            }
            // An empty name stands for a table of which no column is read.
            AuthAction::Read { table_name: TABLE, column_name } => {
                let readable = column_name.is_empty()
                    || (self.row_readable && column_name == ROW)
                    || self.columns.iter().any(|c| c == column_name);
                (!readable).then_some(Refusal::Denied)
            }
            AuthAction::Function { function_name } => {
                (!FUNCTIONS.contains(&function_name)).then(|| Refusal::Function(function_name.to_owned()))
            }
            _ => Some(Refusal::Denied),
        };
        match refusal {
            None => Authorization::Allow,
            Some(refusal) => {
                self.denied.get_or_insert(refusal);
                Authorization::Deny
            }
        }
    }
}

impl<'c> Guarded<'c> {
    fn new(connection: &'c mut Connection, dictionary: &Dictionary) -> Result<Guarded<'c>, Refusal> {
        let columns = dictionary.variables().iter().map(|v| v.name.clone()).collect();
        let state = Arc::new(Mutex::new(State { columns, row_readable: false, selects: 0, denied: None }));
        let shared = Arc::clone(&state);
        let hook = move |context: rusqlite::hooks::AuthContext<'_>| match shared.lock() {
            Ok(mut state) => state.decide(context.action),
            Err(_) => Authorization::Deny,
        };
        connection.authorizer(Some(hook)).map_err(|_| Refusal::Failed)?;
        Ok(Guarded { connection, state })
    }

    fn expect(&self, row_readable: bool) {
        if let Ok(mut state) = self.state.lock() {
            (state.row_readable, state.selects, state.denied) = (row_readable, 0, None);
        }
    }

    /// What the authorizer denied during the last preparation, or else what `SQLite` could not read.
    fn refusal(&self) -> Refusal {
        let denied = self.state.lock().ok().and_then(|mut state| state.denied.take());
        denied.unwrap_or(Refusal::Syntax)
    }

    /// Prepares the expression as the only column and as the condition of a query that may not even read row numbers.
    fn prepare(&self, expression: &str) -> Result<(), Refusal> {
        for query in
            [format!("SELECT ({expression}) FROM {TABLE}"), format!("SELECT 1 FROM {TABLE} WHERE ({expression})")]
        {
            self.expect(false);
            let statement = self.connection.prepare(&query).map_err(|_| self.refusal())?;
            if statement.column_count() != 1 || statement.parameter_count() != 0 || !statement.readonly() {
                return Err(Refusal::Syntax);
            }
        }
        Ok(())
    }

    /// Runs an expression that was prepared before. Only this query may read the row number, and the expression, which
    /// passed without it, does not.
    fn run(self, expression: &str, rows: usize, limit: Duration) -> Result<Vec<bool>, Refusal> {
        self.expect(true);
        let end = Instant::now() + limit;
        let late = move || Instant::now() > end;
        self.connection.progress_handler(STEPS, Some(late)).map_err(|_| Refusal::Failed)?;
        let query = format!("SELECT {ROW} FROM {TABLE} WHERE ({expression})");
        let mut statement = self.connection.prepare(&query).map_err(|_| self.refusal())?;
        let mut met = vec![false; rows];
        let mut found = statement.query([]).map_err(|e| failure(&e))?;
        while let Some(row) = found.next().map_err(|e| failure(&e))? {
            let at: i64 = row.get(0).map_err(|e| failure(&e))?;
            *met.get_mut(at as usize).ok_or(Refusal::Failed)? = true;
        }
        Ok(met)
    }
}

impl Drop for Guarded<'_> {
    fn drop(&mut self) {
        // Setting nothing cannot fail in a way that matters: the hooks only ever forbid.
        let _ = self.connection.progress_handler(0, None::<fn() -> bool>);
        let _ = self.connection.authorizer(None::<fn(rusqlite::hooks::AuthContext<'_>) -> Authorization>);
    }
}

fn failure(error: &rusqlite::Error) -> Refusal {
    match error.sqlite_error_code() {
        Some(ErrorCode::OperationInterrupted) => Refusal::TimeLimit,
        _ => Refusal::Failed,
    }
}

#[cfg(test)]
mod tests {
    use super::super::value::Value;
    use super::*;
    use study::protocol::Protocol;

    fn dictionary() -> Dictionary {
        let text = r#"
            [study]
            id = "t"
            title = "t"
            patient = "patient"
            [[variable]]
            name = "arm"
            kind = "binary"
            [[variable]]
            name = "y"
            kind = "binary"
            [[variable]]
            name = "age"
            kind = "continuous"
            range = [0, 120]
            [[variable]]
            name = "fish"
            kind = "categorical"
            levels = ["standard", "high"]
            [[variable]]
            name = "order"
            kind = "days"
            max = 100
            [treatment]
            variable = "arm"
            treated = "1"
            control = "0"
            [[outcome]]
            name = "y"
            kind = "binary"
            variable = "y"
            [[analysis]]
            kind = "logistic"
            outcome = "y"
            models = ["unadjusted"]
        "#;
        Protocol::parse(text).unwrap_or_else(|m| panic!("{:?}", m.0)).dictionary
    }

    fn table(dictionary: &Dictionary, rows: usize) -> Table {
        let table = Table::create(dictionary).unwrap();
        let mut fill = table.fill(dictionary).unwrap();
        for i in 0..rows {
            let fish = if i % 2 == 0 { Value::Missing } else { Value::Level("high") };
            let values = [Value::Whole(1), Value::Whole(0), Value::Number(i as f64), fish, Value::Whole(3)];
            fill.push(&format!("key{i}"), &values).unwrap();
        }
        fill.finish().unwrap();
        table
    }

    #[test]
    fn rows_stay_when_true_and_null_is_not_true() {
        let dictionary = dictionary();
        let mut table = table(&dictionary, 4);
        let mut met = |e: &str| evaluate(&mut table, &dictionary, e, 4).unwrap();
        assert_eq!(met("fish IS NOT NULL"), [false, true, false, true]);
        assert_eq!(met("fish = 'high' AND age >= 2.5e+0"), [false, false, false, true]);
        assert_eq!(met("fish <> 'standard'"), [false, true, false, true]);
        assert_eq!(met("NULL"), [false; 4]);
        assert_eq!(met("arm"), [true; 4]);
        assert_eq!(met("arm = 1 AND arm = '1' AND NOT y"), [true; 4]);
        assert_eq!(met("\"order\" = 3 AND \"AGE\" IN (0, 1)"), [true, true, false, false]);
        assert_eq!(
            met("CASE WHEN age > 1 THEN coalesce(fish, 'it''s; -- fine') = 'high' ELSE true END"),
            [true, true, false, true]
        );
        assert_eq!(met("fish LIKE 'HI%' OR cast(age AS integer) % 2 = 0"), [true; 4]);
        assert_eq!(met("max(age, 1) = 1"), [true, true, false, false]);
    }

    #[test]
    fn words_are_refused_by_class() {
        let dictionary = dictionary();
        let mut table = table(&dictionary, 0);
        let mut code = |e: &str| check(&mut table, &dictionary, e).unwrap_err().code();
        for (expression, expected) in [
            ("age > 1 -- all", "criterion.comment"),
            ("age > 1 /* all */", "criterion.comment"),
            ("1; DROP TABLE _patient", "criterion.statements"),
            ("1) OR (1", "criterion.unbalanced"),
            ("(age > 1", "criterion.unbalanced"),
            ("fish = 'high", "criterion.unbalanced"),
            ("age > ?1", "criterion.character"),
            ("age > :limit", "criterion.character"),
            ("age > @limit", "criterion.character"),
            ("[age] > 1", "criterion.character"),
            ("`age` > 1", "criterion.character"),
            ("aeg > 1", "criterion.column"),
            ("fish = \"high\"", "criterion.column"),
            ("_key = 'x'", "criterion.column"),
            ("patient = 'x'", "criterion.column"),
            ("rowid = 1", "criterion.column"),
            ("CURRENT_TIMESTAMP > 'x'", "criterion.column"),
            ("_patient._key = 'x'", "criterion.column"),
            ("age IN sqlite_schema", "criterion.column"),
            ("random() > 0", "criterion.function"),
            ("datetime ('now') > 'x'", "criterion.function"),
            ("load_extension('x')", "criterion.function"),
            ("count(*) > 1", "criterion.function"),
            ("(SELECT 1)", "criterion.subquery"),
            ("EXISTS (VALUES (1))", "criterion.subquery"),
            ("age > 1 UNION age", "criterion.column"),
            ("", "criterion.syntax"),
            ("age >", "criterion.syntax"),
            ("age > 1, fish", "criterion.syntax"),
            ("max(age) > 1", "criterion.syntax"),
            ("fish -> 'x'", "criterion.function"),
        ] {
            assert_eq!(code(expression), expected, "{expression}");
        }
    }

    #[test]
    fn a_misspelt_column_is_named_with_its_neighbour() {
        let dictionary = dictionary();
        let mut table = table(&dictionary, 0);
        let refusal = check(&mut table, &dictionary, "fihs IS NOT NULL").unwrap_err();
        let error = ExpressionError { label: "FISH available".into(), refusal };
        assert_eq!(
            error.to_string(),
            "criterion `FISH available` reads `fihs`, which is no declared [[variable]]; did you mean `fish`?"
        );
    }

    /// The authorizer must hold alone, whatever passes the words.
    #[test]
    fn the_authorizer_denies_without_the_words() {
        let dictionary = dictionary();
        let mut table = table(&dictionary, 2);
        let guarded = Guarded::new(&mut table.connection, &dictionary).unwrap();
        for (expression, expected) in [
            ("_key = 'key1'", Refusal::Denied),
            ("_row = 1", Refusal::Denied),
            ("rowid = 1", Refusal::Denied),
            ("(SELECT age FROM _patient)", Refusal::Subquery),
            ("(SELECT 1)", Refusal::Subquery),
            ("EXISTS (SELECT 1 FROM sqlite_schema)", Refusal::Subquery),
            (
                "age IN (WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c)",
                Refusal::Subquery,
            ),
            ("random() > 0", Refusal::Function("random".into())),
            ("load_extension('x')", Refusal::Function("load_extension".into())),
            ("datetime('now') > 'x'", Refusal::Function("datetime".into())),
            ("CURRENT_TIMESTAMP > 'x'", Refusal::Function("current_timestamp".into())),
            ("randomblob(1000000000) IS NULL", Refusal::Function("randomblob".into())),
            ("sum(age) > 1", Refusal::Function("sum".into())),
            ("fish = \"high\"", Refusal::Syntax),
            ("age > ?1", Refusal::Syntax),
            ("1), (2", Refusal::Syntax),
            ("1); DELETE FROM _patient; SELECT (1", Refusal::Denied),
            ("1); PRAGMA temp_store = FILE; SELECT (1", Refusal::Denied),
            ("1); ATTACH 'x' AS x; SELECT (1", Refusal::Denied),
        ] {
            assert_eq!(guarded.prepare(expression), Err(expected), "{expression}");
        }
        assert_eq!(guarded.prepare("age > 1"), Ok(()));
        drop(guarded);
        assert_eq!(evaluate(&mut table, &dictionary, "1", 2).unwrap(), [true, true], "nothing was deleted");
    }

    #[test]
    fn running_time_is_bounded() {
        let dictionary = dictionary();
        let mut table = table(&dictionary, 20_000);
        let guarded = Guarded::new(&mut table.connection, &dictionary).unwrap();
        assert_eq!(guarded.run("age * age > 1", 20_000, Duration::ZERO), Err(Refusal::TimeLimit));
        assert_eq!(evaluate(&mut table, &dictionary, "age >= 0", 20_000).unwrap().len(), 20_000);
    }

    #[test]
    fn a_failure_on_a_row_says_so() {
        let dictionary = dictionary();
        let mut table = table(&dictionary, 2);
        let overflow = "abs(-9223372036854775807 - arm) > 0";
        assert_eq!(evaluate(&mut table, &dictionary, overflow, 2), Err(Refusal::Failed));
    }
}
