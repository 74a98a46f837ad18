//! Spreading a day's budget over the day: a throttle that follows the traffic's shape.

use super::Live;
use super::format::{self, Config, QUARTERS, account};

/// When in a day the traffic comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pacing {
    /// 24 weights of hours or 96 of quarters of an hour, from local midnight on; not all 0.
    pub weights: Vec<u32>,
}

impl Pacing {
    /// The same traffic all day.
    #[must_use]
    pub fn even() -> Self {
        Self { weights: vec![1; 24] }
    }

    /// Share of the day's traffic at the end of each quarter of an hour, parts per million; `None` where the weights are
    /// neither 24 nor 96 or all 0.
    pub(super) fn cumulative(&self) -> Option<[u64; QUARTERS]> {
        let per_weight = match self.weights.len() {
            24 => 4,
            96 => 1,
            _ => return None,
        };
        let weight = |quarter: usize| self.weights.get(quarter / per_weight).map_or(0, |w| u64::from(*w));
        let total: u64 = (0..QUARTERS).map(weight).sum();
        let mut sum = 0;
        let mut share = [0; QUARTERS];
        for (quarter, share) in share.iter_mut().enumerate() {
            sum += weight(quarter);
            *share = (sum * 1_000_000).checked_div(total)?;
        }
        Some(share)
    }
}

/// Of the day's budget, the part by which spending may run ahead of the traffic before nothing passes any more.
pub(super) const AHEAD: u64 = 32;

/// Share of a day's traffic that came by a moment, parts per million; `shape` has the share at the end of each quarter of an hour.
pub(super) fn deserved_ppm(since_ms: i64, shape: impl Fn(usize) -> u64) -> u64 {
    let (quarter, within) = ((since_ms / 900_000) as usize, (since_ms % 900_000) as u64);
    let end = shape(quarter).min(1_000_000);
    let begin = if quarter == 0 { 0 } else { shape(quarter - 1).min(end) };
    begin + (end - begin) * within / 900_000
}

impl Live {
    /// Share of decisions that pacing turns away at a moment, parts per million: 0 while no more was spent than the traffic so
    /// far deserves, growing evenly to all of them where spending is a 32nd of the day's budget ahead.
    pub(super) fn throttle(&self, at: u32, config: &Config, now_ms: i64) -> u64 {
        let Some(daily) = self.limit(at, account::DAILY).filter(|_| config.paced) else {
            return 0;
        };
        let Some(budget) = config.budget.filter(|budget| u32::from(*budget) < self.layout.capacity.budgets)
        else {
            return 0;
        };
        let (day, since_ms) = format::local_day(now_ms, config.utc_offset);
        let (spent_on, spent) = format::unpack_day(self.account(at, account::SPENT));
        let spent = if spent_on == day { spent } else { 0 };
        let shape = self.layout.budget(budget.into());
        let deserved_ppm = deserved_ppm(since_ms, |quarter| self.word(shape + quarter));
        let ahead = i128::from(spent) * 1_000_000 - i128::from(daily) * i128::from(deserved_ppm);
        (ahead / i128::from((daily / AHEAD).max(1))).clamp(0, 1_000_000) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_grow_to_the_whole() {
        let even = Pacing::even().cumulative().expect("24 weights");
        assert_eq!((even[0], even[47], even[95]), (10_416, 500_000, 1_000_000));
        let mut evening = Pacing { weights: vec![0; 24] };
        assert_eq!(evening.cumulative(), None, "all zero");
        evening.weights[20] = 5;
        let evening = evening.cumulative().expect("24 weights");
        assert_eq!((evening[79], evening[81], evening[83]), (0, 500_000, 1_000_000));
        assert_eq!(Pacing { weights: vec![1; 23] }.cumulative(), None);
    }
}
