//! The committed example studies load and give the known counts.

use std::fs;
use std::path::{Path, PathBuf};

use site_agent::source::Warning;
use site_agent::source::csv::load;
use study::cohort::FlowCount;
use study::policy::{BadValues, Policy};
use study::protocol::{OutcomeKind, Protocol};

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name)
}

fn protocol(path: &Path) -> Protocol {
    let text = fs::read_to_string(path).unwrap();
    Protocol::parse(&text).unwrap_or_else(|m| panic!("{}: {:?}", path.display(), m.0))
}

/// Sum of the flow charts of all site files, and the number of files.
fn pooled_flow(folder: &Path, protocol: &Protocol, ignored: usize) -> (usize, Vec<FlowCount>) {
    let mut files: Vec<_> = fs::read_dir(folder.join("sites")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let mut sum = vec![FlowCount::default(); protocol.eligibility.len() + 2];
    for file in &files {
        let loaded = load(file, protocol, BadValues::Refuse).unwrap_or_else(|e| panic!("{e}"));
        assert!(loaded.warnings.contains(&Warning::ColumnsIgnored(ignored)), "{:?}", loaded.warnings);
        for (sum, own) in sum.iter_mut().zip(&loaded.cohort.flow) {
            sum.control += own.control;
            sum.treated += own.treated;
            sum.neither += own.neither;
        }
    }
    (files.len(), sum)
}

#[test]
fn relapsed_myeloma_has_the_published_flow() {
    let folder = example("relapsed-myeloma");
    let (sites, flow) = pooled_flow(&folder, &protocol(&folder.join("protocol.toml")), 5);
    assert_eq!(sites, 45);
    let analysed = FlowCount { control: 130, treated: 147, neither: 0 };
    assert_eq!(flow, [FlowCount { control: 325, treated: 271, neither: 0 }, analysed, analysed]);
}

#[test]
fn rotterdam_is_complete() {
    let folder = example("rotterdam");
    let (sites, flow) = pooled_flow(&folder, &protocol(&folder.join("protocol.toml")), 5);
    assert_eq!(sites, 14);
    assert_eq!(flow[0].control + flow[0].treated, 2982);
    assert_eq!(flow[0], flow[1]);
}

#[test]
fn every_policy_allows_its_studies() {
    for (name, file) in [
        ("relapsed-myeloma", "protocol.toml"),
        ("relapsed-myeloma", "protocol-month.toml"),
        ("relapsed-myeloma", "protocol-competing.toml"),
        ("relapsed-myeloma", "protocol-resampling.toml"),
        ("rotterdam", "protocol.toml"),
        ("rotterdam", "protocol-month.toml"),
        ("rotterdam", "protocol-quarter.toml"),
    ] {
        let text = fs::read_to_string(example(name).join("policy.toml")).unwrap();
        let policy = Policy::parse(&text).unwrap_or_else(|m| panic!("{name}: {:?}", m.0));
        assert_eq!((policy.minimum_sites, policy.minimum_patients), (3, 50));
        assert!(!policy.allow_differencing);
        for outcome in &protocol(&example(name).join(file)).outcomes {
            assert!(outcome.kind.grid().is_none_or(|grid| grid.days >= policy.finest_grid_days));
        }
    }
}

#[test]
fn coarser_grids_change_nothing_but_the_grid() {
    for (name, copy, days) in
        [("relapsed-myeloma", "month", 30.4375), ("rotterdam", "month", 30.4375), ("rotterdam", "quarter", 91.3125)]
    {
        let day = protocol(&example(name).join("protocol.toml"));
        let mut coarse = protocol(&example(name).join(format!("protocol-{copy}.toml")));
        assert_eq!(coarse.id, format!("{name}-{copy}"));
        for outcome in &mut coarse.outcomes {
            if let OutcomeKind::TimeToEvent(time) = &mut outcome.kind {
                assert_eq!(time.grid_days, days);
                time.grid_days = 1.0;
            }
        }
        // Days of a survival curve are moved to the cells that R's months are.
        for (coarse, day) in coarse.curves.iter_mut().zip(&day.curves) {
            assert!(coarse.times_days.iter().zip(&day.times_days).all(|(a, b)| a.abs_diff(*b) <= 4));
            coarse.times_days.clone_from(&day.times_days);
        }
        // The example repeats its main analysis in scenarios on days only.
        coarse.scenarios.clone_from(&day.scenarios);
        // What the coordinator opens is no part of the analysis.
        coarse.release = day.release;
        (coarse.id, coarse.title, coarse.digest) = (day.id.clone(), day.title.clone(), day.digest);
        assert_eq!(coarse, day);
    }
}
