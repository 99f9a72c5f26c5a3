//! Two logistic models for which R's standard errors are not those of its coefficients.
//!
//! R's `glm` takes the covariance from the weights before its last step. It stops when the deviance no longer moves,
//! which is quadratic in the step: for these two models the last step still moved the standard errors by 0.9e-8 and
//! 1.7e-8 relative, more than the tolerance. One step more gives the numbers below. They come from iteratively
//! reweighted least squares in 45-digit decimal arithmetic on the rows of `relapsed-myeloma-596.csv`: its 4th iteration
//! has R's standard errors to 3e-15, from the 5th on they stay as they are here.

/// How far R's printed standard errors, and the tests and limits made from them, may be from exact ones. The limit of
/// an interval can be close to 0, so that little is lost absolutely and much relatively.
pub(super) const LIMIT: f64 = 1e-6;

/// Exact standard errors of the model at a JSON pointer, when R's are not.
pub(super) fn std_errors(at: &str) -> Option<&'static [f64]> {
    match at {
        "/binary/response/adjusted" => Some(&ADJUSTED),
        "/binary/response/interaction" => Some(&INTERACTION),
        _ => None,
    }
}

const ADJUSTED: [f64; 11] = [
    1.611_097_410_249_068,
    0.329_461_815_179_818_7,
    0.018_970_822_266_877_095,
    0.276_925_582_744_957_1,
    0.006_806_290_149_131_242,
    0.318_804_501_152_946_34,
    0.391_979_195_482_769,
    0.328_097_854_698_909_45,
    0.326_881_449_094_076_4,
    0.304_828_326_027_189_23,
    0.282_310_027_863_578_34,
];

const INTERACTION: [f64; 12] = [
    1.663_860_980_341_872_5,
    0.452_363_014_588_034,
    0.019_400_722_197_000_935,
    0.278_409_225_372_569_96,
    0.006_887_777_555_947_425,
    0.320_700_067_736_818_6,
    0.394_343_746_262_021,
    0.332_999_608_252_014_2,
    0.447_447_898_481_638_74,
    0.309_170_961_847_751_17,
    0.283_490_711_465_013_1,
    0.653_694_396_887_709_7,
];
