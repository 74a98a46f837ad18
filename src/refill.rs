//! When something that is used up is due again: where it is likely enough that the customer buys it within two weeks.
//!
//! A customer's purchases of a product are taken as a Poisson process whose rate has a Gamma prior of shape 1 that is the product's
//! own, drawn towards its type's (the Poisson-Gamma of Bhagat et al., KDD 2018, section 4.1): after k purchases in t days, the rate is
//! k / (t + days), where `days` is the usual time to a purchase. What that does not know, that people stop buying and that
//! habits are firmer than chance, three weights add: the log odds of a purchase within 14 days are
//! `w0 + w1 log2 k + w2 log2(t + days) + w3 log2(1 + days since the last one)`. All integers, the same on every machine.

use zerocopy::little_endian::I32;

use crate::features::log2_q8;

/// Weights and the least log odds of what is due; see [`crate::index::format::SectionKind::RefillWeights`].
pub(crate) const WEIGHTS: usize = 5;

/// A customer's purchases of a product until now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Habit {
    /// From 1.
    pub(crate) times: u32,
    /// Days since the first.
    pub(crate) age_days: u32,
    /// Days since the last.
    pub(crate) since_days: u32,
    /// Usual days to a purchase, of the product.
    pub(crate) usual_days: u16,
}

impl Habit {
    /// What the weights weigh, in 1/256: 1, log2 of the purchases, of the days behind the rate, of the days of silence.
    pub(crate) fn features(self) -> [i32; WEIGHTS - 1] {
        let log2 = |whole: u32| log2_q8(whole.clamp(1, (1 << 24) - 1) << 8);
        [
            256,
            log2(self.times),
            log2(self.age_days.saturating_add(self.usual_days.into())),
            log2(self.since_days.saturating_add(1)),
        ]
    }

    /// Log odds that it is bought within 14 days, less the least that is due: in 1/2^24 of a nat. `None` where the catalog has not
    /// learnt it.
    pub(crate) fn beyond_due(self, weights: &[I32]) -> Option<i64> {
        let (least, weights) = weights.split_last().filter(|(_, weights)| weights.len() == WEIGHTS - 1)?;
        let sum: i64 = weights
            .iter()
            .zip(self.features())
            .map(|(weight, x)| i64::from(weight.get()) * i64::from(x))
            .sum();
        Some(sum - 256 * i64::from(least.get()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_weight_and_no_history_overflows() {
        let most = Habit { times: u32::MAX, age_days: u32::MAX, since_days: u32::MAX, usual_days: u16::MAX };
        for weight in [i32::MIN, i32::MAX] {
            let weights = [I32::new(weight); WEIGHTS];
            assert!(most.beyond_due(&weights).is_some_and(|beyond| beyond.unsigned_abs() < 1 << 48));
        }
        assert_eq!(most.beyond_due(&[I32::new(1); WEIGHTS - 1]), None);
        assert_eq!(most.beyond_due(&[]), None);
    }
}
