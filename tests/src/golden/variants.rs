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
        let rows: Vec<BalanceRow> = variables(more).into_iter().filter(|row| row.test == Some(test)).collect();
        assert_eq!(rows.len(), count, "{more}");
        for row in rows {
            let expected = golden["baseline"][&row.variable][entry].as_f64().unwrap();
            let got = row.p_value.unwrap();
            assert!((got / expected - 1.0).abs() < 1e-8, "{} {entry}: {got:e} {expected:e}", row.variable);
        }
    }
}
