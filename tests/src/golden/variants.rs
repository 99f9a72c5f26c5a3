//! Tests of the baseline table that the example's protocol does not ask for.

use study::results::BalanceRow;

use super::pooled;

/// The example with more keys in its baseline table: the rows of its variables as a whole.
fn variables(more: &str) -> Vec<BalanceRow> {
    let text = std::fs::read_to_string(pooled::path("examples/relapsed-myeloma/protocol.toml")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let protocol = dir.path().join("protocol.toml");
    let kind = "kind = \"baseline\"";
    assert_eq!(text.matches(kind).count(), 1);
    std::fs::write(&protocol, text.replace(kind, &format!("{kind}\n{more}\n"))).unwrap();
    let rows = "tests/reference/relapsed-myeloma-596.csv";
    let (_, results, _) = pooled::results(protocol.to_str().unwrap(), rows, Some("fish"));
    results.balance.into_iter().filter(|row| row.level.is_none() && !row.weighted).collect()
}

#[test]
fn corrections_and_exact_tests_are_those_of_r() {
    let text = std::fs::read_to_string(pooled::path("tests/reference/golden/relapsed-myeloma.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    for (more, test, entry, count) in [
        ("continuity = true", "mann_whitney", "mann_whitney_p_continuity", 3),
        ("yates = true", "chi_square_yates", "chi_square_p_yates", 7),
        ("fisher = true", "fisher", "fisher_p", 7),
    ] {
        let all = variables(more);
        let named = |row: &BalanceRow, name: &str| row.test.as_deref() == Some(name);
        // R corrects tables of two by two alone
        let is_of = |row: &BalanceRow| named(row, test) || test == "chi_square_yates" && named(row, "chi_square");
        let corrected = ["sex", "ldh_high", "dara_refr", "asct"];
        for row in all.iter().filter(|row| test == "chi_square_yates" && corrected.contains(&&*row.variable)) {
            assert!(named(row, test), "{}", row.variable);
        }
        let rows: Vec<BalanceRow> = all.into_iter().filter(is_of).collect();
        assert_eq!(rows.len(), count, "{more}");
        assert!(
            test != "chi_square_yates"
                || rows.iter().any(|row| named(row, "chi_square") && row.variable == "iss_stage")
        );
        for row in rows {
            let expected = golden["baseline"][&row.variable][entry].as_f64().unwrap();
            let got = row.p_value.unwrap();
            assert!((got / expected - 1.0).abs() < 1e-8, "{} {entry}: {got:e} {expected:e}", row.variable);
        }
    }
}

/// `golden/checking.json` has every transform of rotterdam's models by quarter.
#[test]
fn every_transform_of_time_is_that_of_r() {
    let text = std::fs::read_to_string(pooled::path("tests/reference/golden/checking.json")).unwrap();
    let golden: serde_json::Value = serde_json::from_str(&text).unwrap();
    let (_, results, _) =
        pooled::results("examples/rotterdam/protocol-quarter.toml", "tests/reference/rotterdam.csv", None);
    let mut worst: f64 = 0.0;
    let mut compared = 0;
    for (name, model, ties) in [
        ("efron", "adjusted", "efron"),
        ("breslow", "adjusted", "breslow"),
        ("efron_weighted", "iptw_adjusted", "efron"),
        ("breslow_weighted", "iptw_adjusted", "breslow"),
        ("stratified_by_site", "stratified", "efron"),
    ] {
        for transform in ["km", "rank", "identity", "log"] {
            let expected = &golden["quarter"][name][transform];
            let test = format!("zph_{transform}");
            let of_model = results
                .tests
                .iter()
                .filter(|t| (&*t.name, &*t.model, t.ties.as_deref()) == (&*test, model, Some(ties)));
            let rows: Vec<_> = of_model.collect();
            assert_eq!(rows.len(), expected["term"].as_array().unwrap().len(), "{name} {test}");
            for (i, row) in rows.iter().enumerate() {
                assert_eq!(expected["df"][i].as_u64().unwrap() as usize, row.test.df);
                for (key, got) in [("chisq", row.test.statistic), ("p", row.test.p_value)] {
                    let difference = (got / expected[key][i].as_f64().unwrap() - 1.0).abs();
                    assert!(difference < 1e-8, "{name} {test} {} {key}: {difference:e}", row.term);
                    worst = worst.max(difference);
                    compared += 1;
                }
            }
        }
    }
    println!("{compared} numbers of tests of proportional hazards, largest relative difference {worst:.1e}");
}
