//! The answers that are missing, asked on a terminal.

use std::io::{BufRead, Write};
use std::str::FromStr;

use super::answers::Answers;
use super::columns::Columns;
use super::complete::{binary, find_treatment};
use super::error::DraftError;

/// Asks for everything that was not given. An empty line leaves it as it is; the end of the input ends the questions.
pub fn ask(
    answers: &mut Answers,
    columns: Option<&Columns>,
    input: &mut impl BufRead,
    output: &mut impl Write,
) -> Result<(), DraftError> {
    let mut terminal = Terminal { input, output };
    if let Some(columns) = columns {
        let names: Vec<&str> = columns.guesses.iter().map(|guess| guess.name.as_str()).collect();
        terminal.tell(&format!("Columns that can be used: {}", names.join(", ")))?;
    }
    terminal.tell("An empty line takes what stands in brackets, or leaves it out.")?;
    let patient = columns.map_or(Some("patient"), |columns| columns.patient.as_deref()).unwrap_or_default();
    terminal.one(&mut answers.id, "Short name (lower-case letters, digits, hyphens)", "new-study")?;
    terminal.one(&mut answers.title, "Title", "treated versus control")?;
    terminal.one(&mut answers.patient, "Column that identifies a patient", patient)?;
    let guessed = columns.and_then(|columns| find_treatment(&columns.guesses)).unwrap_or_default();
    terminal.one(&mut answers.treatment, "Column of the treatment", &guessed)?;
    let treatment = answers.treatment.clone().unwrap_or(guessed);
    let levels = columns.and_then(|columns| columns.guesses.iter().find(|guess| guess.name == treatment));
    if let Some(levels) = levels.filter(|_| answers.control.is_none() || answers.treated.is_none()) {
        terminal.tell(&format!("Levels of {treatment}, those of most rows first: {}", levels.by_size.join(", ")))?;
    }
    let open = if columns.is_some() { "to be confirmed in the draft" } else { "" };
    terminal.one(&mut answers.control, "Its level in the control arm", open)?;
    terminal.one(&mut answers.treated, "Its level in the treated arm", open)?;
    let covariate = if columns.is_some() {
        "Covariate, one on a line [all that are left and known at time zero]"
    } else {
        "Covariate, one on a line: NAME:binary, NAME:continuous:LOW:HIGH:STEP or NAME:categorical:A,B,C"
    };
    terminal.several(&mut answers.covariates, covariate)?;
    if let Some(columns) = columns.filter(|_| answers.outcomes.is_empty()) {
        let binary = binary(&columns.guesses, Some(&treatment), &[]);
        terminal.tell(&format!("Binary columns: {}", binary.join(", ")))?;
    }
    let outcome = "Outcome, one on a line: NAME:binary or NAME:time:DAYS:EVENT:HORIZON";
    terminal.several(&mut answers.outcomes, outcome)?;
    terminal.one(&mut answers.grid_days, "Days of a cell of time", "30.4375")
}

struct Terminal<'t, I, O> {
    input: &'t mut I,
    output: &'t mut O,
}

impl<I: BufRead, O: Write> Terminal<'_, I, O> {
    fn tell(&mut self, text: &str) -> Result<(), DraftError> {
        writeln!(self.output, "{text}").map_err(|e| DraftError::Terminal(e.kind()))
    }

    /// One line; none when it is empty or the input has ended.
    fn line(&mut self, prompt: &str) -> Result<Option<String>, DraftError> {
        let failed = |e: std::io::Error| DraftError::Terminal(e.kind());
        write!(self.output, "{prompt}: ").and_then(|()| self.output.flush()).map_err(failed)?;
        let mut line = String::new();
        self.input.read_line(&mut line).map_err(failed)?;
        let line = line.trim();
        Ok((!line.is_empty()).then(|| line.to_owned()))
    }

    /// Asks until the line can be read, unless the answer is there.
    fn one<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        answer: &mut Option<T>,
        question: &str,
        default: &str,
    ) -> Result<(), DraftError> {
        let prompt = if default.is_empty() { question.to_owned() } else { format!("{question} [{default}]") };
        while answer.is_none() {
            let Some(line) = self.line(&prompt)? else { return Ok(()) };
            match line.parse() {
                Ok(value) => *answer = Some(value),
                Err(why) => self.tell(&why.to_string())?,
            }
        }
        Ok(())
    }

    /// Asks until an empty line, unless there are answers.
    fn several<T: FromStr<Err: std::fmt::Display>>(
        &mut self,
        answers: &mut Vec<T>,
        question: &str,
    ) -> Result<(), DraftError> {
        if !answers.is_empty() {
            return Ok(());
        }
        while let Some(line) = self.line(question)? {
            match line.parse() {
                Ok(value) => answers.push(value),
                Err(why) => self.tell(&why.to_string())?,
            }
        }
        Ok(())
    }
}
