//! Fits an additive model of step functions to cases: what each feature adds to the odds.
//!
//! Gradient boosting with stumps (Friedman 2001): each round parts the one feature that explains most of what is still
//! unexplained at one of its steps, and adds a part of a Newton step of the logistic loss on either side. Stumps of one feature
//! add up to its table. Rounds end when customers that they have not seen gain little more: what fits after that is the fashion
//! of a few weeks. Newton steps of whole tables in turns were tried first, and fitted just that.

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
    /// What a model should say of it, from 0 to 1: 1 where it was bought.
    pub(super) worth: Vec<f32>,
    /// How much a row counts.
    pub(super) weight: Vec<f32>,
    /// Half of the customers that the row is of, 0 or 1: purchases of one customer teach nothing about themselves.
    pub(super) half: Vec<u8>,
}

/// The tables of all features, in thousandths of a nat.
pub(super) type Tables = [FeatureRecord; FEATURES];

/// What rows teach.
#[derive(Debug)]
pub(super) struct Fitted {
    /// By all rows.
    pub(super) tables: Tables,
    /// What the rows of the other half teach, for each half: to judge rows by tables that have not seen their customers.
    pub(super) by_others: [Tables; 2],
    /// Rounds that it took.
    pub(super) rounds: usize,
}

/// How a model is approached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Share of a Newton step that is taken.
    pub(super) rate: f64,
    /// Rounds between two looks at the customers that were not seen.
    pub(super) rounds_each: usize,
    /// Rounds go on while they lower the loss of those by this share of it.
    pub(super) gain_least: f64,
}

/// Most rounds.
const ROUNDS_MAX: usize = 500;
/// Pseudo-curvature that draws a step towards zero, and the least curvature of one side of a stump.
const RIDGE: f64 = 1.0;
/// Rows of one task. Fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 1 << 14;

/// The tables that fit the rows best.
pub(super) fn fit(rows: &Rows, pace: Pace) -> Fitted {
    let thresholds: Vec<[i32; FEATURE_STEPS - 1]> =
        (0..FEATURES).into_par_iter().map(|feature| thresholds(rows, feature)).collect();
    let binned: Vec<Binned> = (0..rows.features.len())
        .into_par_iter()
        .map(|at| {
            let of = |f: usize| thresholds[f].iter().filter(|t| rows.features[at][f] > **t).count() as u8;
            Binned { steps: std::array::from_fn(of), worth: rows.worth[at], weight: rows.weight[at] }
        })
        .collect();
    let of_half = |half: u8| -> Vec<Binned> {
        binned.iter().zip(&rows.half).filter(|(_, h)| **h == half).map(|(row, _)| *row).collect()
    };
    let halves = [of_half(0), of_half(1)];
    let mut by_others = [1, 0].map(|other: usize| Boost::new(&halves[other], pace.rate));
    let unseen = |by_others: &[Boost<'_>; 2]| -> f64 {
        by_others.iter().zip(&halves).map(|(boost, rows)| boost.loss(rows)).sum()
    };
    let (mut rounds, mut loss) = (0, unseen(&by_others));
    while rounds < ROUNDS_MAX {
        by_others.iter_mut().for_each(|boost| (0..pace.rounds_each).for_each(|_| boost.round()));
        rounds += pace.rounds_each;
        let now = unseen(&by_others);
        if loss - now < pace.gain_least * loss {
            break;
        }
        loss = now;
    }
    let mut all = Boost::new(&binned, pace.rate);
    (0..rounds).for_each(|_| all.round());
    let records = |boost: &Boost<'_>| boost.records(&thresholds, &binned);
    let by_others = [records(&by_others[0]), records(&by_others[1])];
    Fitted { tables: records(&all), by_others, rounds }
}

/// A row by the steps that its values fall on.
#[derive(Debug, Clone, Copy)]
struct Binned {
    steps: [u8; FEATURES],
    /// As [`Rows::worth`].
    worth: f32,
    weight: f32,
}

/// Gradient and curvature of the loss, for each feature and step.
type Sums = [[(f64, f64); FEATURE_STEPS]; FEATURES];

/// A model on its way.
struct Boost<'a> {
    rows: &'a [Binned],
    rate: f64,
    /// Log-odds of each row so far.
    scores: Vec<f32>,
    intercept: f32,
    tables: [[f64; FEATURE_STEPS]; FEATURES],
}

impl<'a> Boost<'a> {
    fn new(rows: &'a [Binned], rate: f64) -> Self {
        let sum = |of: &dyn Fn(&Binned) -> f32| rows.iter().map(|row| f64::from(of(row))).sum::<f64>();
        let share = (sum(&|row| row.weight * row.worth) + 1.0) / (sum(&|row| row.weight) + 2.0);
        let intercept = (share / (1.0 - share)).ln() as f32;
        Self {
            rows,
            rate,
            scores: vec![intercept; rows.len()],
            intercept,
            tables: [[0.0; FEATURE_STEPS]; FEATURES],
        }
    }

    /// Adds the stump that gains most.
    fn round(&mut self) {
        let sums = self.sums();
        let best = |feature: usize| best_stump(&sums[feature]).map(|(gain, stump)| (gain, feature, stump));
        let best = (0..FEATURES).filter_map(best).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
        let Some((_, feature, (last, [low, high]))) = best else { return };
        let change: [f64; FEATURE_STEPS] =
            std::array::from_fn(|step| self.rate * if step <= last { low } else { high });
        self.tables[feature].iter_mut().zip(change).for_each(|(weight, c)| *weight += c);
        let add =
            |(score, row): (&mut f32, &Binned)| *score += change[usize::from(row.steps[feature])] as f32;
        self.scores.par_iter_mut().zip(self.rows).with_min_len(CHUNK).for_each(add);
    }

    fn sums(&self) -> Box<Sums> {
        let chunks: Vec<Box<Sums>> = (self.rows.par_chunks(CHUNK).zip(self.scores.par_chunks(CHUNK)))
            .map(|(rows, scores)| {
                let mut sums = Box::new([[(0.0, 0.0); FEATURE_STEPS]; FEATURES]);
                for (row, score) in rows.iter().zip(scores) {
                    let p = 1.0 / (1.0 + (-score).exp());
                    let gradient = f64::from(row.weight * (row.worth - p));
                    let curvature = f64::from(row.weight * p * (1.0 - p));
                    for (sums, step) in sums.iter_mut().zip(row.steps) {
                        let sum = &mut sums[usize::from(step) % FEATURE_STEPS];
                        *sum = (sum.0 + gradient, sum.1 + curvature);
                    }
                }
                sums
            })
            .collect();
        let mut all = Box::new([[(0.0, 0.0); FEATURE_STEPS]; FEATURES]);
        for chunk in &chunks {
            for (sum, part) in all.iter_mut().flatten().zip(chunk.iter().flatten()) {
                *sum = (sum.0 + part.0, sum.1 + part.1);
            }
        }
        all
    }

    /// Logistic loss of these rows.
    fn loss(&self, rows: &[Binned]) -> f64 {
        let of = |row: &Binned| {
            let weight = |(table, step): (&[f64; FEATURE_STEPS], u8)| table[usize::from(step)];
            let score =
                f64::from(self.intercept) + self.tables.iter().zip(row.steps).map(weight).sum::<f64>();
            f64::from(row.weight) * (score.exp().ln_1p() - f64::from(row.worth) * score)
        };
        let chunks: Vec<f64> = rows.par_chunks(CHUNK).map(|rows| rows.iter().map(of).sum()).collect();
        chunks.iter().sum()
    }

    /// As the file keeps it. Each feature adds nothing on average: what all rows have in common ranks nothing.
    fn records(&self, thresholds: &[[i32; FEATURE_STEPS - 1]], all: &[Binned]) -> Tables {
        std::array::from_fn(|feature| {
            let table = &self.tables[feature];
            let total: f64 = all.iter().map(|row| f64::from(row.weight)).sum();
            let added = |row: &Binned| f64::from(row.weight) * table[usize::from(row.steps[feature])];
            let mean = all.iter().map(added).sum::<f64>() / total.max(1.0);
            FeatureRecord {
                thresholds: thresholds[feature].map(I32::new),
                weights: table.map(|weight| I32::new(((weight - mean) * 1000.0).round() as i32)),
                reserved: [0; 4],
            }
        })
    }
}

/// The parting of a feature's steps that lowers the loss most: by how much, the last step of the lower side, and the Newton
/// steps of both sides.
fn best_stump(sums: &[(f64, f64); FEATURE_STEPS]) -> Option<(f64, (usize, [f64; 2]))> {
    let add = |a: (f64, f64), b: &(f64, f64)| (a.0 + b.0, a.1 + b.1);
    let all = sums.iter().fold((0.0, 0.0), add);
    let gain = |(gradient, curvature): (f64, f64)| gradient * gradient / (curvature + RIDGE);
    let step = |(gradient, curvature): (f64, f64)| gradient / (curvature + RIDGE);
    let mut low = (0.0, 0.0);
    let mut best: Option<(f64, (usize, [f64; 2]))> = None;
    for (last, sum) in sums.iter().enumerate() {
        low = add(low, sum);
        let high = (all.0 - low.0, all.1 - low.1);
        let gained = gain(low) + gain(high) - gain(all);
        if low.1 > RIDGE && high.1 > RIDGE && best.as_ref().is_none_or(|best| gained > best.0) {
            best = Some((gained, (last, [step(low), step(high)])));
        }
    }
    best
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
    use crate::ranker::table_of;

    const PACE: Pace = Pace { rate: 0.2, rounds_each: 25, gain_least: 0.0002 };

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
            rows.half.push((at / 8 % 2) as u8);
        }
        rows.worth = as_bought(&rows);
        let tables = fit(&rows, PACE).tables;
        let lift = |feature: usize| {
            let table = table_of(0, &tables[feature]);
            f64::from(table.weight(&[1]) - table.weight(&[0])) / 1000.0
        };
        assert!((lift(0) - 8f64.ln()).abs() < 0.15, "{}", lift(0));
        assert!((lift(1) - 2f64.ln()).abs() < 0.15, "{}", lift(1));
        assert!(tables[2].weights.iter().all(|w| w.get() == 0), "a constant feature ranks nothing");
    }

    fn as_bought(rows: &Rows) -> Vec<f32> {
        rows.bought.iter().map(|bought| f32::from(u8::from(*bought))).collect()
    }

    #[test]
    fn what_nobody_bought_counts_by_what_it_is_worth() {
        let mut rows = Rows::default();
        for at in 0..20_000u32 {
            let mut features = [0; FEATURES];
            features[0] = (at % 2) as i32;
            rows.features.push(features);
            rows.bought.push(false);
            rows.worth.push(if at % 2 == 1 { 0.5 } else { 0.1 });
            rows.weight.push(1.0);
            rows.half.push((at / 2 % 2) as u8);
        }
        let table = table_of(0, &fit(&rows, PACE).tables[0]);
        let lift = f64::from(table.weight(&[1]) - table.weight(&[0])) / 1000.0;
        assert!((lift - 9f64.ln()).abs() < 0.05, "odds of 1 against odds of 1/9: {lift}");
    }

    #[test]
    fn rounds_end_where_unseen_customers_gain_nothing() {
        // Each half buys by a feature of its own, the other way round in the other half.
        let mut rows = Rows::default();
        for at in 0..20_000u32 {
            let (value, half) = (at % 2, at / 2 % 2);
            let mut features = [0; FEATURES];
            features[0] = value as i32;
            rows.features.push(features);
            let mostly = (at.wrapping_mul(2_654_435_761) >> 8) % 10 > 1;
            rows.bought.push((value == half) == mostly);
            rows.weight.push(1.0);
            rows.half.push(half as u8);
        }
        rows.worth = as_bought(&rows);
        assert_eq!(fit(&rows, PACE).rounds, PACE.rounds_each);
        rows.half.iter_mut().zip(0u32..).for_each(|(half, at)| *half = (at / 4 % 2) as u8);
        let turned = rows.features.iter_mut().zip(0u32..).filter(|(_, at)| at / 2 % 2 == 0);
        turned.for_each(|(features, _)| features[0] = 1 - features[0]);
        assert!(fit(&rows, PACE).rounds > PACE.rounds_each, "now both halves buy alike");
    }
}
