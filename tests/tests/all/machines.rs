//! Crashes and lies: the machines of both ends without processes.

use std::sync::Arc;

use entente_tests::federation::{Crash, Federation, Lies, Moment, Tamper, bits, loosest, plain};
use secagg::{Digest, SigningIdentity};
use study::cohort::Cohort;
use study::layout::{Layout, Segment};
use study::machine::coordinator::{CoordinatorRecord, Fault};
use study::machine::site::{Refusal, SiteRecord};
use study::manifest::Approval;
use study::message::{Answer, Finished, FromSite, Next, RoundOpen, RoundResult, ToSite, Witness};
use study::policy::Policy;
use study::protocol::Protocol;

use crate::small;

fn study() -> (Arc<Protocol>, Vec<Cohort>) {
    let protocol = small::protocol();
    let cohorts = small::three_sites(&protocol, &small::rows(60));
    (protocol, cohorts)
}

fn expected() -> Digest {
    let (protocol, cohorts) = study();
    bits(&plain(&protocol, &cohorts).unwrap())
}

#[test]
fn a_crash_at_any_journal_point_does_not_change_a_bit() {
    let (protocol, cohorts) = study();
    let expected = expected();
    let mut undisturbed = Federation::new(Arc::clone(&protocol), cohorts.clone(), 0);
    undisturbed.run();
    assert_eq!(undisturbed.bits(), expected);
    let points = undisturbed.journal_points();
    assert!(points > 60, "{points} journal points");
    let mut reopened = 0;
    for point in 1..=points {
        for (i, moment) in Moment::ALL.into_iter().enumerate() {
            let crash = Crash { point, moment };
            let seed = (10 * point + i) as u64;
            let mut run = Federation::new(Arc::clone(&protocol), cohorts.clone(), seed).crash(crash);
            run.run();
            assert_undisturbed(&run, expected, &format!("{crash:?}"));
            let opened = run.coordinator_journal().iter().filter(|r| matches!(r, CoordinatorRecord::Opened { .. }));
            reopened += answers(&run).saturating_sub(3 * opened.count());
        }
    }
    assert!(reopened > points, "rounds were asked again: {reopened} answers");
}

#[test]
fn many_crashes_of_everybody_do_not_change_a_bit() {
    let (protocol, cohorts) = study();
    let expected = expected();
    let mut epochs = 0;
    for seed in 0..20 {
        let mut run = Federation::new(Arc::clone(&protocol), cohorts.clone(), seed).crash_every(10, 12);
        run.run();
        assert_undisturbed(&run, expected, &format!("seed {seed}"));
        epochs += run.coordinator_journal().iter().filter(|r| matches!(r, CoordinatorRecord::Epoch { .. })).count();
    }
    assert!(epochs > 100, "{epochs} epochs");
}

/// The run ended with the same bits, nobody refused anything and nothing stopped the coordinator.
fn assert_undisturbed(run: &Federation, expected: Digest, what: &str) {
    assert!(run.finished(), "{what}: {:?} {:?}", run.refusals, run.faults);
    assert!(run.refusals.is_empty(), "{what}: {:?}", run.refusals);
    assert!(run.faults.iter().all(|(_, fault)| !fault.stops()), "{what}: {:?}", run.faults);
    assert_eq!(run.bits(), expected, "{what}");
}

/// Answers in the journals of all sites.
fn answers(run: &Federation) -> usize {
    let answered = |r: &&SiteRecord| matches!(r, SiteRecord::Answered { .. });
    (0..3).map(|site| run.site_journal(site).iter().filter(answered).count()).sum()
}

/// A run in which the coordinator lies to site 1: what `lie` makes of the messages that it gets.
fn lied_to(lie: impl FnMut(ToSite, &Lies<'_>) -> Vec<ToSite> + 'static) -> Federation {
    let (protocol, cohorts) = study();
    let mut lie = lie;
    let tamper: Tamper =
        Box::new(move |site, message, lies| if site == 1 { lie(message, lies) } else { vec![message] });
    let mut run = Federation::new(protocol, cohorts, 5).tamper(tamper);
    run.run();
    run
}

/// A request as a lying coordinator signs it.
fn signed(open: RoundOpen, lies: &Lies<'_>) -> RoundOpen {
    open.signed(lies.identity, &lies.manifest)
}

/// Changes the request of round 3.
fn request(change: impl Fn(&RoundOpen, &Lies<'_>) -> RoundOpen + 'static) -> Federation {
    lied_to(move |message, lies| match message {
        ToSite::RoundOpen(open) if open.round == 3 => vec![ToSite::RoundOpen(change(&open, lies))],
        other => vec![other],
    })
}

/// Changes the result of round 3; the coordinator signs what it changed.
fn result(change: impl Fn(&mut RoundResult) + 'static) -> Federation {
    lied_to(move |message, lies| match message {
        ToSite::RoundResult(mut result) if result.round == 3 => {
            change(&mut result);
            let RoundResult { epoch, round, q, sum, answers, .. } = result;
            vec![ToSite::RoundResult(RoundResult::sign(lies.identity, epoch, round, q, sum, answers))]
        }
        other => vec![other],
    })
}

/// The one refusal of site 1: recorded, told by its rule, and the run does not go on.
fn assert_refused(run: &Federation, rule: &str) {
    assert_eq!(run.refusals.iter().map(|(site, r)| (*site, r.rule())).collect::<Vec<_>>(), [(1, rule)]);
    let recorded = SiteRecord::Refused { rule: rule.into() };
    assert_eq!(run.site_journal(1).iter().filter(|r| **r == recorded).count(), 1);
    assert_eq!(run.faults, [(1, Fault::Refused { code: rule.into() })]);
    assert!(!run.finished());
}

#[test]
fn a_request_that_the_plan_does_not_derive_is_refused() {
    let other = |open: &RoundOpen, lies: &Lies<'_>| {
        signed(RoundOpen { q0: Digest::of(b"another question"), ..open.clone() }, lies)
    };
    assert_refused(&request(other), "run.not_the_plan");
    let ahead = |open: &RoundOpen, lies: &Lies<'_>| signed(RoundOpen { round: open.round + 1, ..open.clone() }, lies);
    assert_refused(&request(ahead), "run.not_the_plan");
}

#[test]
fn a_request_with_another_layout_is_refused() {
    let unsealed = |open: &RoundOpen, lies: &Lies<'_>| {
        let opened =
            open.layout.segments().iter().cloned().map(|segment| Segment { sealed: !segment.sealed, ..segment });
        signed(RoundOpen { layout: Layout::new(opened.collect()), ..open.clone() }, lies)
    };
    assert_refused(&request(unsealed), "run.not_the_plan");
}

#[test]
fn a_request_that_shows_another_past_is_refused() {
    let witness = |change: fn(&mut Witness)| {
        move |open: &RoundOpen, lies: &Lies<'_>| {
            let mut open = open.clone();
            open.witnesses.iter_mut().flatten().for_each(change);
            signed(open, lies)
        }
    };
    assert_refused(&request(witness(|w| w.head = Digest::of(b"another ledger"))), "run.witness");
    assert_refused(&request(witness(|w| w.witnessed = Digest::of(b"another request"))), "run.witness");
    let missing = |open: &RoundOpen, lies: &Lies<'_>| {
        let mut open = open.clone();
        open.witnesses.pop();
        signed(open, lies)
    };
    assert_refused(&request(missing), "run.witness");
    let silenced = |open: &RoundOpen, lies: &Lies<'_>| {
        let mut open = open.clone();
        open.witnesses[0] = None;
        signed(open, lies)
    };
    assert_refused(&request(silenced), "run.witness");
    // another request to one site: its masks are bound to it, and the round has no sum
    let run = lied_to(|message, lies| match message {
        ToSite::RoundOpen(open) if open.round == 2 => {
            vec![ToSite::RoundOpen(signed(RoundOpen { head: Digest::of(b"another ledger"), ..open }, lies))]
        }
        other => vec![other],
    });
    assert!(run.faults.iter().any(|(_, fault)| *fault == Fault::OtherPlan { round: 2 }), "{:?}", run.faults);
    assert!(!run.finished());
}

#[test]
fn a_request_of_an_older_epoch_is_refused() {
    let stale = |open: &RoundOpen, lies: &Lies<'_>| signed(RoundOpen { epoch: open.epoch - 1, ..open.clone() }, lies);
    assert_refused(&request(stale), "run.stale_epoch");
    let again = lied_to(|message, lies| match message {
        ToSite::RoundOpen(open) if open.round == 3 => {
            vec![ToSite::EpochOpen { epoch: open.epoch, known: lies.manifest }]
        }
        other => vec![other],
    });
    assert_refused(&again, "run.stale_epoch");
}

#[test]
fn a_request_that_somebody_else_signed_is_refused() {
    let stranger = |open: &RoundOpen, lies: &Lies<'_>| {
        let identity = SigningIdentity::from_bytes(&[9; 32]);
        open.clone().signed(&identity, &lies.manifest)
    };
    assert_refused(&request(stranger), "run.signature");
    let other_run = |open: &RoundOpen, lies: &Lies<'_>| open.clone().signed(lies.identity, &Digest([1; 32]));
    assert_refused(&request(other_run), "run.signature");
}

#[test]
fn a_round_that_is_over_is_not_opened_again_but_answered_with_the_stored_bytes() {
    let mut first = None;
    let run = lied_to(move |message, _| match message {
        ToSite::RoundOpen(open) if open.round == 1 => {
            first = Some(open.clone());
            vec![ToSite::RoundOpen(open)]
        }
        ToSite::RoundOpen(open) if open.round == 3 => vec![ToSite::RoundOpen(first.clone().unwrap())],
        other => vec![other],
    });
    assert_refused(&run, "run.not_the_plan");

    // Twice the same request is twice the same answer: the second is superfluous, not another mask over other words.
    let twice = lied_to(|message, _| match message {
        ToSite::RoundOpen(open) => vec![ToSite::RoundOpen(open.clone()), ToSite::RoundOpen(open)],
        other => vec![other],
    });
    assert_eq!(twice.bits(), expected());
    assert!(twice.refusals.is_empty());
    assert!(twice.faults.iter().all(|fault| *fault == (1, Fault::Unexpected)));
}

#[test]
fn a_result_is_taken_once() {
    let run = lied_to(|message, _| match message {
        ToSite::RoundResult(result) if result.round == 3 => {
            vec![ToSite::RoundResult(result.clone()), ToSite::RoundResult(result)]
        }
        other => vec![other],
    });
    assert_eq!(run.refusals, [(1, Refusal::Unexpected)]);
    let accepted = |r: &&SiteRecord| matches!(r, SiteRecord::Accepted { proof, .. } if proof.round == 3);
    assert_eq!(run.site_journal(1).iter().filter(accepted).count(), 1);
    assert_eq!(run.bits(), expected(), "the study goes on");
}

#[test]
fn a_changed_sum_is_refused() {
    assert_refused(&result(|r| r.sum.words[0] = r.sum.words[0].wrapping_add(1)), "run.sum");
    assert_refused(&result(|r| *r.sum.words.last_mut().unwrap() ^= 1 << 127), "run.sum");
    assert_refused(&result(|r| r.sum.salt ^= 1), "run.sum");
    assert_refused(&result(|r| r.sum.check[3] ^= 1 << 63), "run.sum");
}

#[test]
fn a_sum_of_another_length_is_refused() {
    assert_refused(&result(|r| r.sum.words.truncate(1)), "run.sum");
    assert_refused(&result(|r| r.sum.words.clear()), "run.sum");
    assert_refused(&result(|r| r.sum.words.push(0)), "run.sum");
}

#[test]
fn a_result_with_another_answer_of_this_site_is_refused() {
    assert_refused(&result(|r| r.answers[1].0 = Digest::of(b"other words")), "run.not_my_answer");
    assert_refused(&result(|r| r.answers.swap(0, 1)), "run.not_my_answer");
    assert_refused(&result(|r| r.answers.truncate(2)), "run.not_my_answer");
}

#[test]
fn a_result_of_another_request_is_refused() {
    let run = result(|r| r.q = Digest::of(b"another request"));
    assert_refused(&run, "run.unexpected");
    assert_refused(&result(|r| r.round = 2), "run.unexpected");
}

#[test]
fn a_result_that_somebody_else_signed_is_refused() {
    let run = lied_to(|message, _| match message {
        ToSite::RoundResult(mut result) if result.round == 3 => {
            result.signature.0[5] ^= 1;
            vec![ToSite::RoundResult(result)]
        }
        other => vec![other],
    });
    assert_refused(&run, "run.signature");
}

/// Changes the bundle of announcements or of boxes.
fn agreement(change: impl Fn(&mut ToSite) + 'static) -> Federation {
    lied_to(move |mut message, _| {
        change(&mut message);
        vec![message]
    })
}

#[test]
fn a_key_agreement_that_differs_from_the_roster_is_refused() {
    let bundles: [fn(&mut Vec<secagg::Announcement>); 5] = [
        |all| all.truncate(2),
        |all| all.push(all[0].clone()),
        |all| all.swap(0, 2),
        |all| all[0] = all[2].clone(),
        |all| all[2].public[0] ^= 1,
    ];
    for change in bundles {
        let run = agreement(move |message| {
            if let ToSite::Bundle { announcements } = message {
                change(announcements);
            }
        });
        assert_refused(&run, "run.epoch");
    }
    let boxes = agreement(|message| {
        if let ToSite::Boxes { boxes } = message {
            boxes.truncate(5);
        }
    });
    assert_refused(&boxes, "run.epoch");
    let confirmations = agreement(|message| {
        if let ToSite::Confirmations { confirmations } = message {
            confirmations.swap(0, 2);
        }
    });
    assert_refused(&confirmations, "run.epoch");
}

/// A run in which site 2 sends what `change` makes of its messages.
fn betrayed(change: impl FnMut(FromSite, &SigningIdentity) -> FromSite + 'static) -> Federation {
    let (protocol, cohorts) = study();
    let mut change = change;
    let traitor =
        Box::new(move |site, message, key: &SigningIdentity| if site == 2 { change(message, key) } else { message });
    let mut run = Federation::new(protocol, cohorts, 5).traitor(traitor);
    run.run();
    assert!(!run.finished());
    run
}

/// Changes the answer of round 3, which the site signs.
fn answered(change: impl Fn(&mut Answer) + 'static) -> Federation {
    betrayed(move |message, key| match message {
        FromSite::Answer(mut answer) if answer.round == 3 => {
            change(&mut answer);
            let Answer { epoch, round, q, masked, .. } = answer;
            FromSite::Answer(Answer::sign(key, epoch, round, q, masked).0)
        }
        other => other,
    })
}

#[test]
fn an_answer_of_another_length_is_not_added() {
    for change in [|a: &mut Answer| a.masked.words.push(0), |a: &mut Answer| a.masked.words.truncate(3)] {
        let run = answered(change);
        let [(2, Fault::Length { expected, got })] = run.faults.as_slice() else { panic!("{:?}", run.faults) };
        assert_ne!(expected, got);
        assert!(run.refusals.is_empty(), "the round stays open, no wrong sum is sent: {:?}", run.refusals);
        let opened = |r: &&CoordinatorRecord| matches!(r, CoordinatorRecord::Opened { .. });
        assert_eq!(run.coordinator_journal().iter().filter(opened).count(), 2);
    }
}

#[test]
fn an_answer_to_another_request_or_with_another_signature_is_not_added() {
    let run = answered(|a| a.q = Digest::of(b"another request"));
    assert!(run.faults.iter().any(|(_, fault)| *fault == Fault::OtherPlan { round: 3 }));
    let run = betrayed(|message, _| match message {
        FromSite::Answer(mut answer) if answer.round == 3 => {
            answer.masked.words[0] ^= 1;
            FromSite::Answer(answer)
        }
        other => other,
    });
    assert_eq!(run.faults, [(2, Fault::Signature)]);
}

#[test]
fn words_that_are_not_the_sites_sums_stop_every_honest_site_and_panic_nobody() {
    for shift in [0, 64, 100, 127] {
        for round in 1..6 {
            let run = betrayed(move |message, key| match message {
                FromSite::Answer(mut answer) if answer.round == round => {
                    for (i, word) in answer.masked.words.iter_mut().enumerate() {
                        *word ^= (i as u128 % 7) << shift;
                    }
                    let Answer { epoch, round, q, masked, .. } = answer;
                    FromSite::Answer(Answer::sign(key, epoch, round, q, masked).0)
                }
                other => other,
            });
            // Site 2 sees that its own answer was changed on the way; the others see a sum that does not verify.
            let mut rules: Vec<_> = run.refusals.iter().map(|(site, r)| (*site, r.rule())).collect();
            rules.sort_unstable();
            assert_eq!(rules, [(0, "run.sum"), (1, "run.sum"), (2, "run.not_my_answer")]);
        }
    }
}

#[test]
fn a_site_that_derives_another_request_or_other_results_is_named() {
    let run = betrayed(|message, key| match message {
        FromSite::Next(next) if next.round == 3 => {
            let other = Next { q0: Digest::of(b"another question"), ..next };
            FromSite::Next(other.signed(key, &manifest()))
        }
        other => other,
    });
    assert!(matches!(run.faults.as_slice(), [(_, Fault::OtherPlan { round: 3 })]), "{:?}", run.faults);
    let run = betrayed(|message, key| match message {
        FromSite::Finished(finished) => {
            let other = Finished { results: Digest::of(b"other results"), ..finished };
            FromSite::Finished(other.signed(key, &manifest()))
        }
        other => other,
    });
    assert!(matches!(run.faults.as_slice(), [(_, Fault::OtherResults)]), "{:?}", run.faults);
    let run = betrayed(|message, key| match message {
        FromSite::Finished(finished) => FromSite::Finished(finished.signed(key, &Digest([1; 32]))),
        other => other,
    });
    assert_eq!(run.faults, [(2, Fault::Signature)]);
}

/// The manifest of every run with seed 5.
fn manifest() -> Digest {
    let (protocol, cohorts) = study();
    Federation::new(protocol, cohorts, 5).manifest().digest()
}

#[test]
fn a_site_that_stopped_stays_stopped() {
    let mut stored = Vec::new();
    let run = lied_to(move |message, lies| match message {
        ToSite::RoundResult(mut result) if result.round == 3 => {
            stored.push(ToSite::RoundResult(result.clone()));
            result.sum.words[0] ^= 1;
            let RoundResult { epoch, round, q, sum, answers, .. } = result;
            let forged = RoundResult::sign(lies.identity, epoch, round, q, sum, answers);
            vec![ToSite::RoundResult(forged), stored[0].clone(), ToSite::EpochOpen { epoch: 99, known: lies.manifest }]
        }
        other => vec![other],
    });
    let rules: Vec<_> = run.refusals.iter().map(|(_, r)| r.rule()).collect();
    assert_eq!(rules, ["run.sum", "run.unexpected", "run.unexpected"]);
}

#[test]
fn a_site_whose_ledger_lacks_what_it_signed_is_behind() {
    let run = lied_to(|message, _| match message {
        ToSite::EpochOpen { epoch, .. } => vec![ToSite::EpochOpen { epoch, known: Digest::of(b"signed by a copy") }],
        other => vec![other],
    });
    assert_refused(&run, "run.behind");
}

#[test]
fn an_expired_manifest_is_not_answered() {
    let (protocol, cohorts) = study();
    let mut run = Federation::new(protocol, cohorts, 5).at(u64::MAX);
    run.run();
    assert!(run.refusals.iter().all(|(_, r)| *r == Refusal::Expired) && run.refusals.len() == 3);
    assert!(!run.finished());
}

#[test]
fn another_sites_approval_is_refused() {
    let (protocol, cohorts) = study();
    let mut run = Federation::new(protocol, cohorts, 5);
    let mut borrowed = run.approval(2).clone();
    borrowed.site = 1;
    assert_eq!(run.join(borrowed), Err(Fault::Signature));
    let mut nobody = run.approval(2).clone();
    nobody.site = 7;
    assert_eq!(run.join(nobody), Err(Fault::Signature));
    let stranger = SigningIdentity::from_bytes(&[9; 32]);
    let digest = run.manifest().digest();
    let forged = Approval::sign(&stranger, 1, digest, Digest([0; 32]), Digest([0; 32]));
    assert_eq!(run.join(forged), Err(Fault::Signature));
    run.run();
    assert_eq!(run.bits(), expected(), "none of them is remembered");
}

#[test]
fn a_message_of_another_time_does_not_move_the_coordinator() {
    let (protocol, cohorts) = study();
    let mut run = Federation::new(protocol, cohorts, 5);
    run.run();
    let bits = run.bits();
    let sent: Vec<(u16, FromSite)> = run.sent().to_vec();
    assert!(sent.len() > 60);
    let (protocol, cohorts) = study();
    let mut fresh = Federation::new(protocol, cohorts, 5);
    for (site, message) in &sent {
        assert_eq!(fresh.say(*site, message.clone()), Err(Fault::Unexpected), "before anybody has joined");
        assert_eq!(run.say(*site, message.clone()), Err(Fault::Unexpected), "after the end");
    }
    assert_eq!(run.bits(), bits);
    fresh.run();
    assert_eq!(fresh.bits(), bits);
}

#[test]
fn journals_that_do_not_lead_where_the_plan_leads_are_refused() {
    let (protocol, cohorts) = study();
    let mut run = Federation::new(protocol, cohorts, 5);
    run.run();
    let journal = run.site_journal(1).to_vec();
    assert_eq!(run.restart(1, &journal), Ok(()));
    let at = journal.iter().position(|r| matches!(r, SiteRecord::Accepted { proof, .. } if proof.round == 2)).unwrap();
    let mut dropped = journal.clone();
    dropped.remove(at);
    assert_eq!(run.restart(1, &dropped), Err(Refusal::NotThePlan { round: 3 }));
    let mut changed = journal.clone();
    let SiteRecord::Accepted { opened, .. } = &mut changed[at] else { unreachable!() };
    opened.words[0] += 1;
    assert_eq!(run.restart(1, &changed), Err(Refusal::NotThePlan { round: 3 }), "round 3 chains the sum of round 2");
    let mut shorter = journal;
    let SiteRecord::Accepted { opened, .. } = &mut shorter[at] else { unreachable!() };
    opened.words.pop();
    assert_eq!(run.restart(1, &shorter), Err(Refusal::OtherSum));
}

#[test]
fn policies_stop_a_run_with_their_rule() {
    let refusals = |policy: &str| {
        let (protocol, cohorts) = study();
        let policy = Policy::parse(&format!("opening = \"totals\"\n{policy}")).unwrap();
        let policies = vec![loosest(), policy, loosest()];
        let mut run = Federation::with_policies(protocol, cohorts, policies, 5);
        run.run();
        assert!(!run.finished());
        run.refusals.iter().map(|(site, r)| (*site, r.rule(), r.stops())).collect::<Vec<_>>()
    };
    let counts = "\nminimum_cell = 0\nminimum_pair = 0\nrows_per_parameter = 0\nevents_per_parameter = 0";
    let rest = format!("\nminimum_patients = 0\nfinest_grid_days = 1{counts}");
    assert_eq!(refusals(&format!("minimum_sites = 4{rest}")), [(1, "policy.minimum_sites", true)]);
    assert_eq!(
        refusals(&format!("minimum_sites = 3\nfinest_grid_days = 1{counts}")),
        [(1, "policy.minimum_patients", true)]
    );
    assert_eq!(
        refusals("minimum_sites = 3\nminimum_patients = 0\nfinest_grid_days = 31"),
        [(1, "policy.finest_grid_days", true)]
    );
    assert_eq!(
        refusals(&format!("minimum_sites = 3\nvariables = [\"regimen\", \"age\"]{rest}")),
        [(1, "policy.variables", true)]
    );
    assert_eq!(refusals(&format!("minimum_sites = 3\nmaximum_rounds = 2{rest}")), [(1, "policy.maximum_rounds", true)]);
}
