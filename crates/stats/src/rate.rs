//! Rates of events over person-time. Replicated code: `libm` only.

/// Events by person-time, with the exact 95% interval of a Poisson count (Garwood 1936), R's `poisson.test(events, time)`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// events / time.
    pub rate: f64,
    /// Lower limit, 95%; 0 without events.
    pub low: f64,
    /// Upper limit, 95%.
    pub high: f64,
}

/// The rate of `events` over a positive `time`, in events per unit of that time.
pub fn rate(events: u64, time: f64) -> Rate {
    let x = events as f64;
    let low = if events == 0 { 0.0 } else { gamma_quantile(x, 0.025) };
    Rate { rate: x / time, low: low / time, high: gamma_quantile(x + 1.0, 0.975) / time }
}

/// x with P(a, x) = p of a gamma distribution with shape `a`, by bisection to neighbouring numbers.
fn gamma_quantile(a: f64, p: f64) -> f64 {
    let (mut low, mut high) = (0.0, 2.0 * a + 20.0);
    loop {
        let middle = f64::midpoint(low, high);
        if middle <= low || middle >= high {
            return middle;
        }
        if gamma_lower(a, middle) < p { low = middle } else { high = middle }
    }
}

/// The regularised lower incomplete gamma function P(a, x): its series left of a + 1, right of it 1 less the continued
/// fraction of Q(a, x) by Lentz's rule.
fn gamma_lower(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    let front = libm::exp(a * libm::log(x) - x - libm::lgamma(a));
    // both converge in about sqrt(a) terms near the middle, where the quantiles are
    let terms = 1000 + 20 * libm::sqrt(a) as usize;
    if x < a + 1.0 {
        let (mut sum, mut term, mut order) = (1.0 / a, 1.0 / a, a);
        for _ in 0..terms {
            order += 1.0;
            term *= x / order;
            sum += term;
            if term < sum * f64::EPSILON {
                break;
            }
        }
        return front * sum;
    }
    let tiny = f64::MIN_POSITIVE / f64::EPSILON;
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / tiny;
    let mut d = 1.0 / b;
    let mut fraction = d;
    for i in 1..terms {
        let i = i as f64;
        let step = i * (a - i);
        b += 2.0;
        d = 1.0 / guard(step * d + b, tiny);
        c = guard(b + step / c, tiny);
        fraction *= d * c;
        if (d * c - 1.0).abs() < f64::EPSILON {
            break;
        }
    }
    1.0 - front * fraction
}

/// Away from zero, by which is divided.
fn guard(x: f64, tiny: f64) -> f64 {
    if x.abs() < tiny { tiny } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// R 4.2.2: `poisson.test(x)$conf.int`.
    #[test]
    fn limits_equal_r() {
        let of_r = [
            (0, 0.0, 3.688_879_454_113_935_4),
            (1, 0.025_317_807_984_289_897, 5.571_643_390_938_899),
            (5, 1.623_486_390_118_420_9, 11.668_332_079_322_667),
            (72, 56.335_565_690_188_34, 90.672_084_044_657_94),
            (701, 650.060_749_361_236_4, 754.870_367_107_776_2),
            (20_000, 19_723.767_600_607_054, 20_279.133_627_926_407),
        ];
        for (events, low, high) in of_r {
            let rate = rate(events, 4.0);
            let near = |x: f64, r: f64| (4.0 * x - r).abs() <= 1e-10 * r;
            assert_eq!(rate.rate, events as f64 / 4.0);
            assert!(near(rate.low, low) && near(rate.high, high), "{events}: {rate:?}");
        }
    }
}
