//! The same plan without keys, masks and messages, for studies that are run many times over.

use std::sync::Arc;

use study::cohort::Cohort;
use study::evaluate::{EvaluateError, Evaluator};
use study::layout::{Layout, Segment};
use study::plan::Plan;
use study::protocol::{Protocol, ReleaseOpening};
use study::refit::Refits;
use study::release::Release;
use study::view::OfModel;
use study::word;

use super::party::draw_key;

/// Runs a plan to its end on plain sums of one cohort per site. Masks cancel exactly, so a federation ends in the same
/// bits (a test holds that).
///
/// # Panics
/// When a coordinator that opens the sums of the fits would have other fits.
pub fn plain(protocol: &Arc<Protocol>, cohorts: &[Cohort]) -> Result<Plan, EvaluateError> {
    let (plan, refits) = followed(protocol, cohorts)?;
    if let Err(differs) = refits.compare(Release::of(&plan).results()) {
        panic!("a coordinator would refuse the release: {differs}");
    }
    Ok(plan)
}

/// The same, with the fits of a coordinator that opens their sums, whatever the protocol says.
///
/// # Panics
/// Never: with this opening there are fits.
pub fn followed(protocol: &Arc<Protocol>, cohorts: &[Cohort]) -> Result<(Plan, Refits), EvaluateError> {
    followed_as(protocol, cohorts, |of| of)
}

/// The same, where all sites sign other labels.
///
/// # Panics
/// Never: with this opening there are fits.
pub fn followed_as(
    protocol: &Arc<Protocol>,
    cohorts: &[Cohort],
    label: impl Fn(OfModel) -> OfModel,
) -> Result<(Plan, Refits), EvaluateError> {
    let mut open = Protocol::clone(protocol);
    open.release.opening = ReleaseOpening::Totals;
    let open = Arc::new(open);
    let (mut plan, mut labelled) = (Plan::new(Arc::clone(protocol)), Plan::new(Arc::clone(&open)));
    let mut refits = Refits::new(&open, cohorts.len()).expect("fits of the sums");
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
        let layout = Layout::of(&labelled).segments().to_vec();
        let layout = layout.into_iter().map(|segment| Segment { of: segment.of.map(&label), ..segment });
        let layout = Layout::new(layout.collect());
        let seen = layout.ranges().flat_map(|(segment, range)| {
            // what is sealed is noise to the coordinator
            words[range].iter().map(|word| if segment.sealed { u128::MAX / 3 } else { word.cast_unsigned() })
        });
        refits.round(&layout, &seen.collect::<Vec<u128>>());
        let sums = word::read(&words, cohorts.len());
        plan.tell(&sums);
        labelled.tell(&sums);
    }
    Ok((plan, refits))
}
