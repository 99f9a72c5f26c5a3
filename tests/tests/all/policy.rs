//! Site policies against whole studies: what each rule refuses, and that the examples' policies say what they loosen.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use entente_tests::federation::{Federation, loosest, plain};
use rehearsal::StudyDir;
use study::cohort::Cohort;
use study::forecast::Forecast;
use study::machine::coordinator::Waiting;
use study::machine::site::SiteRecord;
use study::message::FromSite;
use study::plan::Plan;
use study::policy::{Policy, Rule};
use study::protocol::Protocol;

use crate::small;

/// Folder and protocol of every example.
const EXAMPLES: [(&str, &str); 8] = [
    ("relapsed-myeloma", "protocol.toml"),
    ("relapsed-myeloma", "protocol-competing.toml"),
    ("relapsed-myeloma", "protocol-month.toml"),
    ("rotterdam", "protocol.toml"),
    ("rotterdam", "protocol-month.toml"),
    ("rotterdam", "protocol-quarter.toml"),
    ("lung", "protocol.toml"),
    ("lung", "protocol-cox.toml"),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// An example's protocol, its sites' rows and the policy of every site.
fn example(name: &str, file: &str) -> (Arc<Protocol>, Vec<Cohort>, Policy) {
    let study = StudyDir::read(&root().join("examples").join(name), file).unwrap();
    let protocol = Arc::new(Protocol::parse(&study.protocol).unwrap());
    let load = |path: &PathBuf| {
        site_agent::source::csv::load(path, &protocol, study::policy::BadValues::Refuse).unwrap().cohort
    };
    let cohorts = study.sites.iter().map(|(_, path)| load(path)).collect();
    (protocol, cohorts, Policy::parse(&study.policy).unwrap())
}

/// A plan after its first round.
fn after_first_round(protocol: &Arc<Protocol>, cohorts: &[Cohort]) -> Plan {
    let mut plan = Plan::new(Arc::clone(protocol));
    let mut sums = vec![0_i128; plan.words()];
    for (i, cohort) in cohorts.iter().enumerate() {
        let site = study::evaluate::Evaluator::new(protocol, cohort, cohorts.len(), i == 0);
        let answer = plan.ask().iter().flat_map(|asked| site.answer(asked).unwrap());
        sums.iter_mut().zip(answer).for_each(|(sum, word)| *sum += word);
    }
    plan.tell(&study::word::read(&sums, cohorts.len()));
    plan
}

/// What a policy says of the counts of a plan: rule and message.
fn refused(policy: &Policy, plan: &Plan) -> Option<(&'static str, String)> {
    policy.check_opened(plan).err().map(|refusal| (refusal.rule(), refusal.to_string()))
}

#[test]
fn every_example_is_allowed_by_its_own_policy_to_the_end() {
    for (name, file) in EXAMPLES {
        let (protocol, cohorts, policy) = example(name, file);
        let plan = plain(&protocol, &cohorts).unwrap();
        assert_eq!(refused(&policy, &plan), None, "{name}/{file}");
        // one more in what its policy loosens, and it would be refused
        let strict = Policy::default();
        let tight = ["protocol-month.toml", "protocol-cox.toml"].contains(&file);
        if policy.minimum_cell < strict.minimum_cell && tight {
            let stricter = Policy { minimum_cell: policy.minimum_cell + 1, ..policy.clone() };
            assert_eq!(refused(&stricter, &plan).map(|r| r.0), Some("policy.minimum_cell"), "{name}/{file}");
        }
        if policy.events_per_parameter < strict.events_per_parameter && tight {
            let stricter = Policy { events_per_parameter: policy.events_per_parameter + 1, ..policy };
            assert_eq!(refused(&stricter, &plan).map(|r| r.0), Some("policy.events_per_parameter"), "{name}/{file}");
        }
    }
}

#[test]
fn every_rule_of_the_counts_is_tripped_and_says_by_what() {
    let (protocol, cohorts, _) = example("relapsed-myeloma", "protocol-month.toml");
    let plan = after_first_round(&protocol, &cohorts);
    assert_eq!(refused(&loosest(), &plan), None);
    let of = |policy: Policy| refused(&policy, &plan).expect("refused");
    let (rule, says) = of(Policy { minimum_patients: 278, ..loosest() });
    assert_eq!(rule, Rule::MinimumPatients.id());
    assert_eq!(says, "fewer analysed patients over all sites than this site's policy asks for (278)");
    let (rule, says) = of(Policy { minimum_cell: 4, ..loosest() });
    assert_eq!(rule, Rule::MinimumCell.id());
    assert!(says.starts_with("`disc_ae` = 1, treated arm: a count"), "{says}");
    let (rule, says) = of(Policy { minimum_pair: 19, ..loosest() });
    assert_eq!(rule, Rule::MinimumPair.id());
    assert!(says.contains(" = ") && says.contains(" and `"), "{says}");
    let (rule, says) = of(Policy { rows_per_parameter: 24, ..loosest() });
    assert_eq!(rule, Rule::RowsPerParameter.id());
    assert!(says.ends_with("this site's policy asks for 24 analysed patients for each"), "{says}");
    let (rule, says) = of(Policy { events_per_parameter: 5, ..loosest() });
    assert_eq!(rule, Rule::EventsPerParameter.id());
    assert!(says.starts_with("the model `unadjusted` of `disc_ae` has 2 parameters"), "{says}");
}

/// A scenario that leaves out three patients gives their sums by subtraction.
#[test]
fn analyses_of_one_run_must_not_differ_by_a_few_patients() {
    let rows = small::rows(240);
    let mut ages: Vec<f64> = (0..240).map(|i| rows.get(i, "age").parse().unwrap()).collect();
    ages.sort_by(f64::total_cmp);
    // so many are left out, where no two have the same age at the bound
    let apart = |from: usize| (from..240).find(|n| ages[239 - n] < ages[240 - n]).unwrap();
    let scenario = |left_out: usize| {
        let below = f64::midpoint(ages[239 - left_out], ages[240 - left_out]);
        let models = "[[analysis]]\nkind = \"logistic\"\noutcome = \"response\"\nmodels = [\"unadjusted\"]\n";
        let other = format!("[[scenario]]\nname = \"younger\"\nrequire = \"age < {below}\"\n");
        let protocol = small::protocol_with(&format!("{models}{other}"));
        let cohorts = small::three_sites(&protocol, &rows);
        after_first_round(&protocol, &cohorts)
    };
    let policy = Policy { allow_differencing: false, minimum_cell: 5, ..loosest() };
    let (few, many) = (scenario(apart(2)), scenario(apart(100)));
    // those few are a small step of the scenario's flow chart as well, which the release hides
    assert_eq!(policy.check_opened(&few).map_err(|r| r.rule()), Err(Rule::Differencing.id()));
    assert_eq!(policy.check_differences(&few).map_err(|r| r.rule()), Err(Rule::Differencing.id()));
    assert_eq!(Policy { allow_differencing: true, ..policy.clone() }.check_differences(&few), Ok(()));
    assert_eq!(policy.check_differences(&many), Ok(()));
}

/// Two models count events on the same days up to two horizons: the difference counts those who have one in between.
#[test]
fn models_of_one_run_must_not_differ_by_a_few_events() {
    let rows = small::rows(240);
    let events = |horizon: u32| {
        let of =
            |i: &usize| rows.get(*i, "pfs_event") == "1" && rows.get(*i, "pfs_days").parse::<u32>().unwrap() <= horizon;
        let of_arm = |arm: &str| (0..240).filter(|i| rows.get(*i, "regimen") == arm).filter(of).count();
        [of_arm("EloPd"), of_arm("IsaPd")]
    };
    let apart = |horizon: u32| [0, 1].map(|arm| events(1500)[arm] - events(horizon)[arm]);
    let few = |n: usize| (1..5).contains(&n);
    let horizons = || (1..50).rev().map(|cells| 30 * cells);
    let near = horizons().find(|horizon| apart(*horizon).into_iter().any(few)).unwrap();
    let far = horizons().find(|horizon| apart(*horizon).into_iter().all(|n| n > 5)).unwrap();
    let plan = |horizon: u32| {
        let outcome = format!(
            "[[outcome]]\nname = \"early\"\nkind = \"time_to_event\"\ntime = \"pfs_days\"\nevent = \"pfs_event\"\n\
             grid_days = 30\nhorizon_days = {horizon}\n"
        );
        let models = "[[analysis]]\nkind = \"cox\"\noutcomes = [\"pfs\", \"early\"]\nmodels = [\"unadjusted\"]\n";
        let protocol = small::protocol_with(&format!("{outcome}{models}"));
        after_first_round(&protocol, &small::three_sites(&protocol, &rows))
    };
    let policy = Policy { allow_differencing: false, minimum_cell: 5, ..loosest() };
    let refusal = policy.check_differences(&plan(near)).unwrap_err();
    assert_eq!(refusal.rule(), Rule::Differencing.id());
    let says = "`early` and `pfs` differ by fewer events of an arm than this site's policy asks for (5), and by more than none";
    assert_eq!(refusal.to_string(), says);
    assert_eq!(Policy { allow_differencing: true, ..policy.clone() }.check_differences(&plan(near)), Ok(()));
    assert_eq!(policy.check_differences(&plan(far)), Ok(()), "{far}");
}

#[test]
fn a_site_that_refuses_keeps_the_others_waiting_and_other_studies_go_on() {
    // the study hides counts below 60, which is what one site asks for; a model would tell of fewer
    let protocol = small::protocol_with(&format!("{}\n[release]\nminimum_cell = 60\n", small::MODELS));
    let cohorts = small::three_sites(&protocol, &small::rows(120));
    let strict = Policy { minimum_cell: 60, ..loosest() };
    let mut run =
        Federation::with_policies(Arc::clone(&protocol), cohorts.clone(), vec![loosest(), strict, loosest()], 3);
    run.run();
    let refusals: Vec<_> = run.refusals.iter().map(|(site, refusal)| (*site, refusal.rule())).collect();
    assert_eq!(refusals, [(1, "policy.minimum_cell")]);
    assert!(!run.finished());
    assert_eq!(run.coordinator().waiting(), Waiting::Message(vec![1]));
    assert!(matches!(run.site_journal(1).last(), Some(SiteRecord::Refused { rule }) if rule == "policy.minimum_cell"));
    let answered = |site: u16| {
        let answers =
            run.sent().iter().filter(|(from, message)| *from == site && matches!(message, FromSite::Answer(_)));
        answers.count()
    };
    assert_eq!((answered(0), answered(1), answered(2)), (2, 1, 2), "nothing left site 1 after the first round");

    let mut other = Federation::new(protocol, cohorts, 4);
    other.run();
    assert!(other.finished(), "{:?}", other.refusals);
}

#[test]
fn a_withdrawn_approval_stops_the_site_for_good() {
    let protocol = small::protocol();
    let cohorts = small::three_sites(&protocol, &small::rows(120));
    let mut run = Federation::new(protocol, cohorts, 3).withdraw(2, 3);
    run.run();
    let refusals: Vec<_> = run.refusals.iter().map(|(site, refusal)| (*site, refusal.rule())).collect();
    assert_eq!(refusals, [(2, "run.withdrawn")]);
    assert!(run.site_journal(2).contains(&SiteRecord::Withdrawn));
    let of_round_3 = |(site, message): &&(u16, FromSite)| {
        *site == 2 && matches!(message, FromSite::Answer(answer) if answer.round == 3)
    };
    assert_eq!(run.sent().iter().filter(of_round_3).count(), 0);
    assert_eq!(run.restart(2, run.site_journal(2)), Ok(()), "the journal of a withdrawn run replays");

    // the coordinator is told with a signature, and waits for an approval that does not come
    assert_eq!(run.take_back(2, 1), Err(study::machine::coordinator::Fault::Signature), "site 1 signs for site 2");
    assert_eq!(run.take_back(2, 2), Ok(()));
    assert_eq!(run.coordinator().waiting(), Waiting::Approval(vec![2]));
}

#[test]
fn an_approval_ends_with_its_days() {
    let protocol = small::protocol();
    let cohorts = small::three_sites(&protocol, &small::rows(60));
    let short = Policy { approval_days: 0, ..loosest() };
    let mut run = Federation::with_policies(protocol, cohorts, vec![loosest(), loosest(), short], 3).at(1_001);
    run.run();
    let refusals: Vec<_> = run.refusals.iter().map(|(site, refusal)| (*site, refusal.rule())).collect();
    assert_eq!(refusals, [(2, "policy.approval_days")]);
}

#[test]
fn a_forecast_names_every_kind_of_question_that_is_asked() {
    for (name, file) in EXAMPLES {
        let (protocol, cohorts, _) = example(name, file);
        let forecast = Forecast::of(&protocol);
        let foreseen: BTreeSet<&str> = forecast.kinds.iter().map(|kind| kind.kind).collect();
        let mut plan = Plan::new(Arc::clone(&protocol));
        while !plan.done() {
            let mut sums = vec![0_i128; plan.words()];
            for (i, cohort) in cohorts.iter().enumerate() {
                let site = study::evaluate::Evaluator::new(&protocol, cohort, cohorts.len(), i == 0);
                let answer = plan.ask().iter().flat_map(|asked| site.answer(asked).unwrap());
                sums.iter_mut().zip(answer).for_each(|(sum, word)| *sum += word);
            }
            for asked in plan.ask().iter() {
                assert!(foreseen.contains(asked.question.kind()), "{name}/{file}: {}", asked.question.kind());
            }
            plan.tell(&study::word::read(&sums, cohorts.len()));
        }
    }
}

#[test]
fn the_operator_guide_has_every_rule_and_its_sentence() {
    let guide = std::fs::read_to_string(root().join("docs/operator-guide.md")).unwrap();
    for rule in Rule::ALL {
        let row = guide.lines().find(|line| line.starts_with(&format!("| `{}` |", rule.id())));
        let row = row.unwrap_or_else(|| panic!("{} is not in docs/operator-guide.md", rule.id()));
        assert!(row.contains(rule.sentence()), "{}: {}", rule.id(), rule.sentence());
    }
}
