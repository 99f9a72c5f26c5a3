//! Which rows a question is about: those of the main analysis, or of a scenario of the protocol.

use std::sync::Arc;

use secagg::Canonical;

use crate::protocol::Protocol;
use crate::question::Question;

/// The rows that a question is about.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct View {
    /// Index of the scenario in [`Protocol::scenarios`]; none is the main analysis.
    pub scenario: Option<usize>,
}

impl View {
    /// The protocol that says what is done with these rows.
    pub fn protocol<'p>(&self, protocol: &'p Protocol) -> &'p Protocol {
        self.scenario.map_or(protocol, |index| &protocol.scenarios[index].protocol)
    }

    fn write(&self, out: Canonical) -> Canonical {
        out.option(self.scenario, |out, index| out.u32(index as u32))
    }
}

/// A question and the rows it is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Asked {
    /// The rows; one allocation is shared by all questions about the same rows in a round.
    pub view: Arc<View>,
    /// What is asked.
    pub question: Question,
}

impl From<Question> for Asked {
    /// About the rows of the main analysis.
    fn from(question: Question) -> Asked {
        Asked { view: Arc::default(), question }
    }
}

impl Asked {
    /// Number of words of its answer.
    pub fn words(&self, protocol: &Protocol) -> usize {
        self.question.words(self.view.protocol(protocol))
    }

    /// Canonical encoding into a request digest.
    pub fn write(&self, out: Canonical) -> Canonical {
        self.question.write(self.view.write(out))
    }
}
