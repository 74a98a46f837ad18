//! Fits an additive model of step functions to cases: what each feature adds to the odds.
//!
//! Features take turns; each moves its steps by one Newton step of the logistic loss, damped and drawn towards zero: backfitting
//! (Hastie and Tibshirani 1986), cyclic as in Lou, Caruana and Gehrke (KDD 2012).

use rayon::prelude::*;

use crate::features::FEATURES;
use crate::index::format::{FEATURE_STEPS, FeatureRecord};
use zerocopy::little_endian::I32;

/// Values, labels and weights of candidates, one row each.
#[derive(Debug, Default)]
pub(super) struct Rows {
    pub(super) features: Vec<[i32; FEATURES]>,
    /// Whether it was bought.
    pub(super) bought: Vec<bool>,
    /// How much a row counts.
    pub(super) weight: Vec<f32>,
    /// Case of each row.
    pub(super) case: Vec<u32>,
}

impl Rows {
    /// The rows of every second case, from `first`.
    pub(super) fn half(&self, first: u32) -> Self {
        let mut half = Self::default();
        for at in (0..self.case.len()).filter(|at| self.case[*at] % 2 == first) {
            half.features.push(self.features[at]);
            half.bought.push(self.bought[at]);
            half.weight.push(self.weight[at]);
            half.case.push(self.case[at]);
        }
        half
    }
}

/// Turns of each feature.
const TURNS: usize = 60;
/// Share of a Newton step that is taken.
const RATE: f32 = 0.6;
/// Pseudo-curvature that draws a step towards zero.
const RIDGE: f32 = 2.0;
/// Rows of one task. Fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 1 << 15;

/// The tables that fit the rows best, in thousandths of a nat.
pub(super) fn fit(rows: &Rows) -> [FeatureRecord; FEATURES] {
    let thresholds: Vec<[i32; FEATURE_STEPS - 1]> =
        (0..FEATURES).into_par_iter().map(|feature| thresholds(rows, feature)).collect();
    let steps: Vec<Vec<u8>> = (0..FEATURES)
        .into_par_iter()
        .map(|feature| {
            let of = |value: i32| thresholds[feature].iter().filter(|t| value > **t).count() as u8;
            rows.features.iter().map(|row| of(row[feature])).collect()
        })
        .collect();
    let counts: Vec<[f32; FEATURE_STEPS]> = steps
        .iter()
        .map(|steps| {
            let mut count = [0.0; FEATURE_STEPS];
            steps.iter().zip(&rows.weight).for_each(|(step, weight)| count[usize::from(*step)] += weight);
            count
        })
        .collect();
    let mut tables = [[0f32; FEATURE_STEPS]; FEATURES];
    let all: f64 = rows.weight.iter().map(|w| f64::from(*w)).sum();
    let bought: f64 =
        rows.bought.iter().zip(&rows.weight).filter(|(b, _)| **b).map(|(_, w)| f64::from(*w)).sum();
    let share = (bought + 1.0) / (all + 2.0);
    let mut scores = vec![(share / (1.0 - share)).ln() as f32; rows.bought.len()];
    for _ in 0..TURNS {
        for (feature, steps) in steps.iter().enumerate() {
            let mut change = newton(rows, steps, &scores);
            // What all rows have in common is the intercept's, which ranks nothing.
            let count = &counts[feature];
            let mean = change.iter().zip(count).map(|(c, n)| c * n).sum::<f32>() / all.max(1.0) as f32;
            change.iter_mut().zip(count).filter(|(_, n)| **n > 0.0).for_each(|(c, _)| *c -= mean);
            tables[feature].iter_mut().zip(&change).for_each(|(weight, c)| *weight += c);
            scores.par_iter_mut().zip(steps).for_each(|(score, step)| *score += change[usize::from(*step)]);
        }
    }
    std::array::from_fn(|feature| FeatureRecord {
        thresholds: thresholds[feature].map(I32::new),
        weights: tables[feature].map(|weight| I32::new((weight * 1000.0).round() as i32)),
        reserved: [0; 4],
    })
}

/// One damped Newton step for each step of one feature.
fn newton(rows: &Rows, steps: &[u8], scores: &[f32]) -> [f32; FEATURE_STEPS] {
    let sums: Vec<[(f64, f64); FEATURE_STEPS]> = (0..steps.len().div_ceil(CHUNK))
        .into_par_iter()
        .map(|chunk| {
            let mut sums = [(0.0, 0.0); FEATURE_STEPS];
            for at in chunk * CHUNK..(chunk * CHUNK + CHUNK).min(steps.len()) {
                let p = 1.0 / (1.0 + (-scores[at]).exp());
                let (target, weight) = (f32::from(u8::from(rows.bought[at])), rows.weight[at]);
                let sum = &mut sums[usize::from(steps[at])];
                sum.0 += f64::from(weight * (target - p));
                sum.1 += f64::from(weight * p * (1.0 - p));
            }
            sums
        })
        .collect();
    let mut change = [0.0; FEATURE_STEPS];
    for (step, change) in change.iter_mut().enumerate() {
        let gradient: f64 = sums.iter().map(|sum| sum[step].0).sum();
        let curvature: f64 = sums.iter().map(|sum| sum[step].1).sum();
        *change = (RATE * (gradient / (curvature + f64::from(RIDGE))) as f32).clamp(-1.0, 1.0);
    }
    change
}

/// Values that part the rows evenly: half of them by all rows, half by the bought ones, since those are few and decide.
fn thresholds(rows: &Rows, feature: usize) -> [i32; FEATURE_STEPS - 1] {
    let of = |wanted: bool| {
        let kept = rows.features.iter().zip(&rows.bought).filter(move |(_, bought)| !wanted || **bought);
        let mut values: Vec<i32> = kept.map(|(row, _)| row[feature]).collect();
        values.sort_unstable();
        values
    };
    let (all, bought) = (of(false), of(true));
    let mut cuts: Vec<i32> = Vec::new();
    for (values, parts) in [(&bought, FEATURE_STEPS / 2), (&all, FEATURE_STEPS / 2 + 1)] {
        cuts.extend((1..parts).filter_map(|part| values.get(values.len() * part / parts)));
    }
    let (least, most) = (all.first(), all.last());
    cuts.sort_unstable();
    cuts.dedup();
    // A cut at the greatest value parts nothing; one just above the least parts what is there from what is not.
    cuts.retain(|cut| Some(cut) != most);
    if let Some(least) = least.filter(|least| cuts.first() != Some(*least) && Some(**least) != most.copied())
    {
        cuts.insert(0, *least);
    }
    cuts.truncate(FEATURE_STEPS - 1);
    let mut thresholds = [i32::MAX; FEATURE_STEPS - 1];
    thresholds.iter_mut().zip(cuts).for_each(|(slot, cut)| *slot = cut);
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ranker::Table;

    #[test]
    fn finds_the_log_odds_of_two_features_that_go_together() {
        // Odds: feature 0 at 1 multiplies by 8, feature 1 at 1 by 2; they come together three times out of four.
        let mut rows = Rows::default();
        for at in 0..40_000u32 {
            let (a, b) = (at % 2, if at / 2 % 4 == 0 { 1 - at % 2 } else { at % 2 });
            let odds = 0.05 * if a == 1 { 8.0 } else { 1.0 } * if b == 1 { 2.0 } else { 1.0 };
            let p: f64 = odds / (1.0 + odds);
            let mut features = [0; FEATURES];
            (features[0], features[1]) = (a as i32, b as i32);
            rows.features.push(features);
            rows.bought.push(f64::from(at.wrapping_mul(2_654_435_761) >> 8) / f64::from(1u32 << 24) < p);
            rows.weight.push(1.0);
            rows.case.push(at);
        }
        let tables = fit(&rows);
        let lift = |feature: usize| {
            let table = Table::new(feature, &tables[feature]);
            f64::from(table.weight(1) - table.weight(0)) / 1000.0
        };
        assert!((lift(0) - 8f64.ln()).abs() < 0.15, "{}", lift(0));
        assert!((lift(1) - 2f64.ln()).abs() < 0.15, "{}", lift(1));
        assert!(tables[2].weights.iter().all(|w| w.get() == 0), "a constant feature ranks nothing");
    }
}
