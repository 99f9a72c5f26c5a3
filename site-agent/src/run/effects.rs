//! What a site's machine may do at an agent: its ledger, random bytes, threads, the clock.

use getrandom::SysRng;
use getrandom::rand_core::TryRng;
use jiff::Timestamp;
use rayon::prelude::*;
use secagg::Digest;
use study::evaluate::{EvaluateError, Evaluator};
use study::machine::site::{SiteContext, SiteRecord};
use study::message::FromSite;
use study::view::Asked;

use super::journal::Journal;

/// What a machine wants done.
pub(super) struct Effects<'a> {
    /// Gets the records.
    pub(super) journal: &'a mut Journal,
    /// To be sent once the records are durable.
    pub(super) messages: Vec<FromSite>,
    /// Are there rows enough to answer questions on several threads?
    pub(super) parallel: bool,
}

impl SiteContext for Effects<'_> {
    fn persist(&mut self, record: SiteRecord) {
        self.journal.push(self.now(), &record);
    }

    fn send(&mut self, message: FromSite) {
        self.messages.push(message);
    }

    fn random(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).expect("the operating system gives random bytes once it has started");
        bytes
    }

    fn answer(&self, evaluator: &Evaluator<'_>, questions: &[Asked]) -> Result<Vec<i128>, EvaluateError> {
        let answers: Result<Vec<Vec<i128>>, EvaluateError> = if self.parallel {
            questions.par_iter().map(|q| evaluator.answer(q)).collect()
        } else {
            questions.iter().map(|q| evaluator.answer(q)).collect()
        };
        Ok(answers?.concat())
    }

    fn now(&self) -> u64 {
        Timestamp::now().as_second().max(0).cast_unsigned()
    }

    fn head(&self) -> Digest {
        self.journal.durable_head()
    }

    fn holds(&self, head: &Digest) -> bool {
        self.journal.holds(head)
    }
}
