//! What a command that succeeded has to say.

use std::fmt::{Display, Write};

use serde::Serialize;
use serde_json::Value;

/// The same answer twice: as text and as data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// For standard output when a person reads.
    pub text: String,
    /// For standard error beside the text: what to do with it.
    pub aside: String,
    /// For programs.
    pub data: Value,
}

impl Answer {
    /// An answer whose data are this value; text is added line by line.
    pub fn of(data: impl Serialize) -> Answer {
        // What commands pass is made of texts, numbers and lists, which all have a JSON form.
        let data = serde_json::to_value(data).unwrap_or(Value::Null);
        Answer { text: String::new(), aside: String::new(), data }
    }

    /// The answer with this text in front.
    #[must_use]
    pub fn text(mut self, text: &str) -> Answer {
        self.text.insert_str(0, text);
        self
    }

    /// The answer with one more line of text.
    #[must_use]
    pub fn line(mut self, line: impl Display) -> Answer {
        writeln!(self.text, "{line}").expect("a text grows");
        self
    }

    /// The answer with one more line beside the text.
    #[must_use]
    pub fn beside(mut self, line: impl Display) -> Answer {
        writeln!(self.aside, "{line}").expect("a text grows");
        self
    }
}
