//! Ratios of sums with intervals, sample-ratio checks, and what traffic can resolve.

use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

/// Fewer units than this in an arm say nothing.
pub(super) const UNITS_MIN: f64 = 30.0;
/// A sample ratio that is less likely than this by chance is a mistake somewhere.
pub(super) const RATIO_P_MIN: f64 = 0.001;

/// Sums over the units of an arm: of what is counted (n: its decisions) and of what it brought (y).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    pub(super) units: f64,
    pub(super) n: f64,
    pub(super) nn: f64,
    pub(super) y: f64,
    pub(super) yy: f64,
    pub(super) yn: f64,
}

/// An estimate with its standard error and 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Estimate {
    pub(super) value: f64,
    pub(super) error: f64,
    pub(super) low: f64,
    pub(super) high: f64,
}

impl Sums {
    /// y per n.
    pub(super) fn ratio(&self) -> f64 {
        self.y / self.n
    }

    /// Variance of the ratio by the delta method, units being independent and their decisions not.
    fn variance(&self) -> f64 {
        let r = self.ratio();
        let squares = (self.yy - 2.0 * r * self.yn + r * r * self.nn).max(0.0);
        squares * self.units / (self.units - 1.0) / (self.n * self.n)
    }

    /// Standard deviation of one decision's y, as if each were a unit: what planning needs.
    pub(super) fn deviation(&self) -> f64 {
        (self.variance() * self.n).sqrt()
    }

    /// The ratio itself; `None` where there are too few units.
    pub(super) fn mean(&self) -> Option<Estimate> {
        let error = self.variance().sqrt();
        (self.units >= UNITS_MIN).then(|| interval(self.ratio(), error, self.units - 1.0))
    }

    /// How much more would have come in all, had each decision of the others brought what these bring; `None` where there are too
    /// few units.
    pub(super) fn instead_of(&self, others: &[&Self]) -> Option<Estimate> {
        let units = others.iter().fold(self.units, |least, other| least.min(other.units));
        let n: f64 = others.iter().map(|other| other.n).sum();
        let more = n * self.ratio() - others.iter().map(|other| other.y).sum::<f64>();
        let theirs: f64 = others.iter().map(|other| other.variance() * other.n * other.n).sum();
        let error = (self.variance() * n * n + theirs).sqrt();
        (units >= UNITS_MIN).then(|| interval(more, error, units - 1.0))
    }

    /// How much more the ratio is than in a control arm; `None` where an arm has too few units.
    pub(super) fn lift_over(&self, control: &Self) -> Option<Estimate> {
        if self.units.min(control.units) < UNITS_MIN {
            return None;
        }
        let (own, other) = (self.variance(), control.variance());
        let freedom = (own + other).powi(2)
            / (own.powi(2) / (self.units - 1.0) + other.powi(2) / (control.units - 1.0))
                .max(f64::MIN_POSITIVE);
        Some(interval(self.ratio() - control.ratio(), (own + other).sqrt(), freedom.max(1.0)))
    }
}

impl Estimate {
    /// Of so many.
    pub(super) fn times(self, n: f64) -> Self {
        let Self { value, error, low, high } = self;
        Self { value: value * n, error: error * n, low: low * n, high: high * n }
    }
}

fn interval(value: f64, error: f64, freedom: f64) -> Estimate {
    let t = StudentsT::new(0.0, 1.0, freedom).map_or(1.96, |t| t.inverse_cdf(0.975));
    Estimate { value, error, low: value - t * error, high: value + t * error }
}

/// Probability of counts at least as far from the shares by chance: Pearson's chi-square. `None` where there is nothing to test.
pub(super) fn sample_ratio(units: &[f64], shares: &[f64]) -> Option<f64> {
    let all: f64 = units.iter().sum();
    let total: f64 = shares.iter().sum();
    if units.len() < 2 || all == 0.0 || shares.iter().any(|share| *share <= 0.0) {
        return None;
    }
    let parts = units.iter().zip(shares).map(|(own, share)| {
        let want = all * share / total;
        (own - want).powi(2) / want
    });
    let freedom = ChiSquared::new((units.len() - 1) as f64).ok()?;
    Some(freedom.sf(parts.sum()))
}

/// z for two-sided 5 % and 80 % power.
fn power_z() -> f64 {
    Normal::standard().inverse_cdf(0.975) + Normal::standard().inverse_cdf(0.8)
}

/// Least difference that is found four times in five, given its standard error.
pub(super) fn resolvable(error: f64) -> f64 {
    power_z() * error
}

/// Decisions in each of two equal arms that find a difference four times in five.
pub(super) fn decisions_for(effect: f64, deviation: f64) -> f64 {
    2.0 * (power_z() * deviation / effect).powi(2)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn sums(units: &[(f64, f64)]) -> Sums {
        let sum = |of: fn(&(f64, f64)) -> f64| units.iter().map(of).sum();
        Sums {
            units: units.len() as f64,
            n: sum(|u| u.0),
            nn: sum(|u| u.0 * u.0),
            y: sum(|u| u.1),
            yy: sum(|u| u.1 * u.1),
            yn: sum(|u| u.0 * u.1),
        }
    }

    /// Customers of some orders each; their spending differs, so their orders are not independent.
    fn arm(rng: &mut ChaCha8Rng, units: usize, lift: f64) -> Sums {
        let unit = |rng: &mut ChaCha8Rng| {
            let (orders, own) = (rng.random_range(1..5), rng.random::<f64>() * 4.0);
            let spent = (0..orders).map(|_| if rng.random::<f64>() < 0.1 { own * 10.0 } else { 0.0 } + lift);
            (f64::from(orders), spent.sum())
        };
        sums(&(0..units).map(|_| unit(rng)).collect::<Vec<_>>())
    }

    #[test]
    fn one_interval_in_twenty_misses() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut held = 0;
        for _ in 0..2_000 {
            let (with, without) = (arm(&mut rng, 400, 0.25), arm(&mut rng, 300, 0.0));
            let lift = with.lift_over(&without).expect("enough units");
            held += u32::from(lift.low <= 0.25 && 0.25 <= lift.high);
        }
        assert!((1_870..=1_930).contains(&held), "{held} of 2,000 intervals hold the truth");
    }

    #[test]
    fn a_unit_of_one_decision_is_a_mean() {
        let values = [1.0, 2.0, 4.0, 9.0].map(|y| (1.0, y)).repeat(20);
        let own = sums(&values);
        let variance = values.iter().map(|(_, y)| (y - 4.0f64).powi(2)).sum::<f64>() / 79.0;
        assert!((own.ratio() - 4.0).abs() < 1e-12 && (own.variance() - variance / 80.0).abs() < 1e-12);
        assert!((own.deviation() - variance.sqrt()).abs() < 1e-12);
        assert!(sums(&values[..29]).lift_over(&own).is_none());
    }

    #[test]
    fn what_others_would_have_brought_follows_from_the_difference() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let arms = [400, 300, 500].map(|units| arm(&mut rng, units, units as f64 / 1e3));
        let [own, one, two] = &arms;
        let (each, all) = (own.lift_over(one).expect("enough"), own.instead_of(&[one]).expect("enough"));
        assert!(
            (all.value - one.n * each.value).abs() < 1e-9 && (all.error - one.n * each.error).abs() < 1e-9
        );
        let both = own.instead_of(&[one, two]).expect("enough").value;
        let parts = [one, two].map(|other| own.instead_of(&[other]).expect("enough").value);
        assert!((both - parts[0] - parts[1]).abs() < 1e-9);
        let (mean, few) = (own.mean().expect("enough").times(2.0), Sums { units: 29.0, ..*own });
        assert!(
            (mean.value - 2.0 * own.ratio()).abs() < 1e-12 && mean.low < mean.value && mean.value < mean.high
        );
        assert!(few.mean().is_none() && own.instead_of(&[&few]).is_none());
    }

    #[test]
    fn uneven_samples_are_noticed() {
        // Published: 821,588 and 815,482 of an even split have p = 1.8e-6.
        let p = sample_ratio(&[821_588.0, 815_482.0], &[0.5, 0.5]).expect("two arms");
        assert!((1.7e-6..1.9e-6).contains(&p), "{p}");
        assert!(sample_ratio(&[500.0, 9_500.0], &[0.05, 0.95]).expect("two arms") > 0.99);
        assert_eq!(sample_ratio(&[5.0], &[1.0]), None);
        // Two-sided 5 %, 80 % power: 2 * (1.96 + 0.8416)^2 = 15.698.
        assert!((decisions_for(0.30, 50.0) - 15.6978 * (50.0f64 / 0.30).powi(2)).abs() < 20.0);
    }
}
