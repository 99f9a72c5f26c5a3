//! Whatever a protocol declares can be looked at before anybody approves it: all examples, and a generated set.

use std::fs;
use std::path::Path;

use proto::Offer;
use secagg::SigningIdentity;
use site_agent::run::{Approver, Inspection};
use study::forecast::Forecast;
use study::manifest::Manifest;
use study::plan::PLAN_VERSION;
use study::policy::Policy;
use study::protocol::Protocol;
use study::roster::{Member, Roster};

/// Columns and outcomes of every generated protocol.
const BASE: &str = r#"
[study]
id = "generated"
title = "A generated study"
patient = "patient"

[[variable]]
name = "arm"
kind = "categorical"
levels = ["old", "new"]
[[variable]]
name = "age"
kind = "continuous"
range = [18, 90]
resolution = 1
[[variable]]
name = "stage"
kind = "categorical"
levels = ["I", "II", "III"]
[[variable]]
name = "smoker"
kind = "binary"
[[variable]]
name = "response"
kind = "binary"
[[variable]]
name = "os_days"
kind = "days"
max = 1500
[[variable]]
name = "death"
kind = "binary"
[[variable]]
name = "status"
kind = "categorical"
levels = ["alive", "relapse", "died"]

[[eligibility]]
label = "Stage known"
require = "stage IS NOT NULL"

[treatment]
variable = "arm"
treated = "new"
control = "old"

[[outcome]]
name = "response"
kind = "binary"
variable = "response"
[[outcome]]
name = "os"
kind = "time_to_event"
time = "os_days"
event = "death"
grid_days = 30
horizon_days = 1500
[[outcome]]
name = "relapse"
kind = "competing"
time = "os_days"
status = "status"
censored = "alive"
causes = ["relapse", "died"]
grid_days = 30
horizon_days = 1500

[propensity]
covariates = ["age", "stage", "smoker"]
"#;

/// Each is there or not. The first two have the models that the others vary.
const PARTS: [&str; 10] = [
    "[[analysis]]\nkind = \"logistic\"\noutcome = \"response\"\nmodels = [\"unadjusted\", \"iptw\", \"adjusted\"]\n\
     variance = [\"robust\", \"m_estimation\"]\nmarginal = [\"g_formula\", \"aipw\"]\n",
    "[[analysis]]\nkind = \"cox\"\noutcome = \"os\"\nmodels = [\"unadjusted\", \"iptw\", \"adjusted\", \"stratified\"]\n\
     variance = [\"robust\", \"m_estimation\"]\nzph = [\"km\"]\nconcordance = 0.1\nstandardise_days = [360]\n",
    "[[analysis]]\nkind = \"logistic\"\noutcome = \"response\"\nmodels = [\"iptw_att\", \"iptw_overlap\", \"firth\"]\n",
    "[[analysis]]\nkind = \"fine_gray\"\noutcome = \"relapse\"\ncause = \"relapse\"\nmodels = [\"unadjusted\", \"adjusted\"]\n",
    "[[analysis]]\nkind = \"kaplan_meier\"\noutcome = \"os\"\nweighted = [false, true]\ntimes_days = [360, 720]\n",
    "[[analysis]]\nkind = \"cumulative_incidence\"\noutcome = \"relapse\"\ntimes_days = [360]\n",
    "[[analysis]]\nkind = \"baseline\"\nvariables = [\"age\", \"stage\", \"smoker\"]\n",
    "[bootstrap]\nreplicates = 60\nseed = 3\nmodels = [\"unadjusted\", \"iptw\"]\n",
    "[[scenario]]\nname = \"imputed\"\nwithout = [\"Stage known\"]\nimpute = [\"stage\", \"age\"]\ndraws = 7\n\
     models = [\"iptw\", \"adjusted\"]\noutcomes = [\"response\", \"os\"]\n",
    "[[scenario]]\nname = \"trimmed\"\ntrim = [0.1, 0.9]\nmodels = [\"iptw\"]\n\n\
     [[scenario]]\nname = \"level\"\nwithout = [\"Stage known\"]\nmissing_as_level = [\"stage\"]\nmodels = [\"iptw\"]\n",
];
const BOOTSTRAP: usize = 7;
const IMPUTED: usize = 8;

/// The page that a reviewer of a site with this policy would read.
fn page(text: &str) -> String {
    let protocol = Protocol::parse(text).unwrap_or_else(|mistakes| panic!("{:#?}\n{text}", mistakes.0));
    let key = |n: u8| SigningIdentity::from_bytes(&[n; 32]);
    let members =
        (1..=3).map(|n| Member { id: format!("S{n}"), legal_name: format!("Hospital {n}"), identity: key(n).public() });
    let coordinator = key(9);
    let manifest = Manifest {
        study: protocol.id.clone(),
        run: [1; 16],
        protocol: protocol.digest,
        plan_version: PLAN_VERSION,
        roster: Roster::new(members.collect()).unwrap(),
        coordinator: coordinator.public(),
        created: 0,
        expires: u64::MAX,
    };
    let offer = Offer { signature: manifest.sign(&coordinator), manifest, protocol: text.to_owned() };
    let (folder, identity, policy) = (tempfile::tempdir().unwrap(), key(1), Policy::default());
    let inspection = Inspection {
        approver: Approver { state_dir: folder.path(), identity: &identity, coordinator: coordinator.public() },
        offer: &offer,
        protocol: &protocol,
        policy: &policy,
        people: Vec::new(),
        preview: None,
    };
    inspection.page().unwrap()
}

fn shows_all(page: &str) {
    for part in ["Round 1 asks", "Later rounds ask", "the largest round is round", "MB from each site under masks"] {
        assert!(page.contains(part), "`{part}` is not in\n{page}");
    }
    assert!(!page.contains("fits no number"), "{page}");
}

#[test]
fn every_example_can_be_inspected() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let mut seen = 0;
    for folder in fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.starts_with("protocol") {
                shows_all(&page(&fs::read_to_string(path).unwrap()));
                seen += 1;
            }
        }
    }
    assert!(seen >= 9, "{seen}");
}

/// Every pair of parts beside the two analyses with models, and everything together.
#[test]
fn every_generated_protocol_can_be_inspected() {
    let mut sets: Vec<Vec<usize>> = Vec::new();
    for i in 2..PARTS.len() {
        sets.push(vec![0, 1, i]);
        sets.extend((i + 1..PARTS.len()).map(|j| vec![0, 1, i, j]));
    }
    sets.extend([vec![0], vec![1], vec![0, 1], (0..PARTS.len()).collect()]);
    for set in sets {
        let text = set.iter().fold(BASE.to_owned(), |text, part| text + "\n" + PARTS[*part]);
        let page = page(&text);
        shows_all(&page);
        let drawn = "60 bootstrap replicates, whose case weights are drawn here and stay here";
        assert_eq!(page.contains(drawn), set.contains(&BOOTSTRAP), "{page}");
        let drawn = "7 imputations of stage, age, which are drawn here and stay here";
        assert_eq!(page.contains(drawn), set.contains(&IMPUTED), "{page}");
    }
}

/// Two replicates are run and stand for all: the forecast grows with the declared number.
#[test]
fn a_forecast_counts_every_replicate() {
    let forecast = |replicates: u32| {
        let bootstrap = PARTS[BOOTSTRAP].replace("60", &replicates.to_string());
        Forecast::of(&Protocol::parse(&format!("{BASE}\n{}\n{}\n{bootstrap}", PARTS[0], PARTS[1])).unwrap())
    };
    let (few, many) = (forecast(20), forecast(2000));
    assert_eq!(few.rounds, many.rounds);
    assert_eq!(many.numbers() - many.drawn, few.numbers() - few.drawn, "the main analysis is the same");
    let ratio = many.drawn as f64 / few.drawn as f64;
    assert!((ratio - 100.0).abs() < 5.0, "{ratio}");
    assert!(many.largest.1 > 50 * few.largest.1, "{:?} {:?}", many.largest, few.largest);
}
