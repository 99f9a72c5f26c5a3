//! The same plan without keys, masks and messages, for studies that are run many times over.

use std::sync::Arc;

use study::cohort::Cohort;
use study::evaluate::{EvaluateError, Evaluator};
use study::plan::Plan;
use study::protocol::Protocol;
use study::word;

use super::party::draw_key;

/// Runs a plan to its end on plain sums of one cohort per site. Masks cancel exactly, so a federation ends in the same
/// bits (a test holds that).
pub fn plain(protocol: &Arc<Protocol>, cohorts: &[Cohort]) -> Result<Plan, EvaluateError> {
    let mut plan = Plan::new(Arc::clone(protocol));
    while !plan.done() {
        let mut words = vec![0_i128; plan.words()];
        let questions = plan.ask();
        for (i, cohort) in cohorts.iter().enumerate() {
            let key = draw_key(i as u16);
            let site = Evaluator::new(protocol, cohort, cohorts.len(), i == 0).drawing(&key, questions);
            let mut at = 0;
            for question in questions.iter() {
                for word in site.answer(question)? {
                    words[at] = words[at].wrapping_add(word);
                    at += 1;
                }
            }
        }
        plan.tell(&word::read(&words, cohorts.len()));
    }
    Ok(plan)
}
