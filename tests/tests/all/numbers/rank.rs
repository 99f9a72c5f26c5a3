//! Variances of too low rank are none, and say why.

use coordinator::results::print;
use entente_tests::federation::Rows;
use report::models::{Models, preferred, without_e_value};
use study::results::{EstimateRow, Results, Variance, VarianceNote};

use super::{close, estimate, parse, results, sites, text};

const CASE: &str = "09-one-cluster";

#[test]
fn one_hospital_with_all_patients_has_no_variance_between_hospitals() {
    let results = results(&text(CASE, "protocol.toml"), &sites(CASE));
    let clustered: Vec<&EstimateRow> =
        results.estimates.iter().filter(|row| row.variance == Variance::ClusterSite).collect();
    assert!(clustered.len() >= 8, "{}", clustered.len());
    for row in clustered {
        let numbers = [row.std_error, row.statistic, row.p_value, row.conf_low, row.conf_high];
        assert!(numbers.iter().all(|x| x.is_nan()), "{} {}", row.model, row.term);
        assert!(row.estimate.is_finite() && row.e_value.is_none());
        let Some(VarianceNote::TooFewClusters { clusters: 1, .. }) = row.note else { panic!("{:?}", row.note) };
    }
    // what has no number is no result without a word
    let warned: Vec<(&str, &str)> = results
        .warnings
        .iter()
        .filter(|row| row.code == "model.no_variance")
        .map(|row| (row.about.as_ref(), row.text.as_str()))
        .collect();
    let one = "no standard error: one site has patients of this model, and";
    let expected = [
        ("os", format!("cluster_site of iptw, unadjusted: {one} one coefficient needs more than 1")),
        ("os", format!("cluster_site of adjusted: {one} 2 coefficients need more than 2")),
        ("resp", format!("cluster_site of unadjusted: {one} 2 coefficients need more than 2")),
        ("resp", format!("cluster_site of adjusted: {one} 3 coefficients need more than 3")),
    ];
    assert_eq!(warned.len(), expected.len(), "{warned:?}");
    assert!(expected.iter().all(|(about, text)| warned.contains(&(about, text))), "{warned:?}");
    // and the models without an interval stand among the E-values with the reason
    let adjusted = |outcome: &str| -> Vec<&EstimateRow> {
        let rows = results.estimates.iter();
        rows.filter(|row| row.outcome == outcome && row.model == "adjusted" && row.term == "arm:A").collect()
    };
    assert_eq!(without_e_value(preferred(&adjusted("resp")).unwrap()), Some("no confidence limit"));
    assert_eq!(without_e_value(preferred(&adjusted("os")).unwrap()), None);

    let naive = estimate(&results, "unadjusted", "arm:A", Variance::Naive);
    assert_eq!((naive.analysis.as_ref(), naive.note), ("cox", None));
    // R's values are those of its ordinary tolerance
    close(naive.estimate, -0.030_101_122_515_645_3, 1e-7, "estimate");
    close(naive.std_error, 0.316_378_982_105_665, 1e-9, "naive");
    close(
        estimate(&results, "unadjusted", "arm:A", Variance::Robust).std_error,
        0.307_856_262_073_816,
        1e-9,
        "robust by patient",
    );
}

#[test]
fn a_model_without_an_e_value_says_why() {
    let (text, sites) = (text(CASE, "protocol.toml"), sites(CASE));
    let (protocol, results) = (parse(&text), results(&text, &sites));
    let mut page = Vec::new();
    print(&mut page, &results, &protocol, 140).unwrap();
    let page = String::from_utf8(page).unwrap();
    let (_, without) = page.split_once("No E-value\n").unwrap_or_else(|| panic!("{page}"));
    let lines: Vec<&str> = without.lines().skip(1).take_while(|line| !line.is_empty()).collect();
    let of = |outcome: &str| lines.iter().filter(|line| line.trim_start().starts_with(outcome)).count();
    assert_eq!((of("resp"), of("os")), (2, 0), "{lines:?}");
    assert!(lines.iter().filter(|line| line.contains("no confidence limit")).count() == 2, "{lines:?}");
}

/// The variance that was declared stands for a model, not the naive one; one without a number only where no other was.
#[test]
fn what_stands_for_a_model_is_declared() {
    let of = |results: &Results, outcome: &str, model: &str| {
        let rows: Vec<&EstimateRow> = results
            .estimates
            .iter()
            .filter(|row| row.outcome == outcome && row.model == model && row.term == "arm:A")
            .collect();
        preferred(&rows).map(|row| (row.variance, row.std_error.is_finite())).unwrap()
    };
    let one = results(&text(CASE, "protocol.toml"), &sites(CASE));
    // `cluster_site` has none, `robust` is declared beside it
    assert_eq!(of(&one, "os", "unadjusted"), (Variance::Robust, true));
    assert_eq!(of(&one, "os", "iptw"), (Variance::Robust, true));
    assert_eq!(of(&one, "resp", "adjusted"), (Variance::ClusterSite, false));
    let columns = Models::first(&one, "os").unwrap().columns();
    let expected = [Variance::Robust, Variance::ClusterSite, Variance::Robust, Variance::Robust];
    assert_eq!(columns.iter().map(|(_, variance)| *variance).collect::<Vec<_>>(), expected);

    let named = text(CASE, "protocol.toml").replace(r#"["cluster_site"]"#, r#"["naive", "cluster_site"]"#);
    assert_eq!(of(&results(&named, &sites(CASE)), "resp", "adjusted"), (Variance::Naive, true));
}

/// The same patients over so many hospitals.
fn over(hospitals: usize) -> Results {
    let rows = sites(CASE).swap_remove(0);
    let sites: Vec<Rows> = rows.split(hospitals.max(3), |_, row| row % hospitals);
    results(&text(CASE, "protocol.toml"), &sites)
}

#[test]
fn few_hospitals_have_one_with_a_warning_or_none() {
    let of = |results: &Results, model: &str| {
        let mut rows = results.estimates.iter().filter(|row| row.outcome == "os" && row.model == model);
        let row = rows.find(|row| row.term == "arm:A" && row.variance == Variance::ClusterSite).unwrap();
        (row.std_error.is_finite() && row.std_error > 0.0, row.note)
    };
    // one coefficient, and two with age: their sums add up to 0, so that k hospitals have k - 1 dimensions
    let (two, three) = (over(2), over(3));
    assert_eq!(of(&two, "unadjusted"), (true, Some(VarianceNote::FewClusters { clusters: 2 })));
    assert_eq!(of(&two, "adjusted"), (false, Some(VarianceNote::TooFewClusters { clusters: 2, coefficients: 2 })));
    assert_eq!(of(&three, "adjusted"), (true, Some(VarianceNote::FewClusters { clusters: 3 })));
    assert_eq!(of(&over(45), "adjusted"), (true, None));
}
