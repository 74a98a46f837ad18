//! Learns to rank: which of the candidates of held-out orders were bought, by their features; and how likely that is.
//!
//! The newest tenth of the baskets is put aside and a catalog is built from the rest. It is asked about each basket twice: with one
//! line hidden, knowing nothing of the customer, where the hidden line is the answer; and whole, with the customer's history,
//! where the answer is what they bought in the next fourteen days. What people bought of their own accord stands for what they
//! accept when shown, which only logged decisions can tell.

mod additive;
mod cases;

use std::sync::Arc;

use zerocopy::FromZeros;
use zerocopy::little_endian::I32;

use self::additive::{Fitted, Pace, Rows, Tables};
use self::cases::Cases;
use super::catalogue::{BuildOptions, Dictionary, Inputs, assemble, finish};
use super::error::BuildError;
use super::progress::{Progress, Unit};
use crate::distance::Steps;
use crate::features::{FEATURES, Feature};
use crate::index::format::{CALIBRATION_STEPS, CALIBRATION_VALUES, FEATURE_STEPS, FeatureRecord, Head};
use crate::index::{Catalog, Verify};
use crate::policy::{Policy, SlatePolicy};
use crate::ranker::table_of;
use crate::ranking::{SCORE_MAX, SCORE_STEP, SCORE_ZERO};
use crate::{Decider, Engine};

/// Fewer bought candidates than this teach a head nothing worth having.
const BOUGHT_MIN: usize = 200;
/// Weight of the overall mean in each step of the calibration, in candidates.
const PRIOR: f64 = 20.0;

/// How scores come about and what they mean.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Ranker {
    /// One table for each head and feature.
    pub(crate) tables: Vec<FeatureRecord>,
    /// One table for each head.
    pub(crate) calibration: [u32; CALIBRATION_VALUES],
    /// Whether any orders were asked.
    pub(crate) measured: bool,
}

impl Default for Ranker {
    /// Where nothing was measured: every feature by hand, `p_accept` from 0.1 % at score 0 to 5 % at the greatest.
    fn default() -> Self {
        let ppm =
            |at: usize| 1_000 + 49_000 * (at % CALIBRATION_STEPS) as u32 / (CALIBRATION_STEPS as u32 - 1);
        Self {
            tables: Head::ALL.iter().flat_map(|head| by_hand(*head)).collect(),
            calibration: std::array::from_fn(ppm),
            measured: false,
        }
    }
}

/// Greatest value and weight in thousandths of a nat of the features that count where nothing was measured; in between, the
/// weight grows evenly. Judged, not measured.
const BY_HAND: [(Feature, i32, i32); 11] = [
    (Feature::Together, 6_000, 1_500),
    (Feature::Direct, 6_000, 1_500),
    (Feature::SimilarBaskets, 16_000, 1_000),
    (Feature::Words, 39_000, 1_400),
    (Feature::BasketCosine, 1_000, 1_500),
    (Feature::TypeLift, 1_500, 2_500),
    (Feature::TypeProbability, 400, 2_000),
    (Feature::Popularity, 3_000, 1_000),
    (Feature::Times, 16, 4_000),
    (Feature::TypeTimes, 32, 1_500),
    (Feature::TasteCosine, 1_000, 1_000),
];

fn by_hand(head: Head) -> [FeatureRecord; FEATURES] {
    let mut tables = [FeatureRecord::new_zeroed(); FEATURES];
    tables.iter_mut().for_each(|table| table.thresholds = [I32::new(i32::MAX); FEATURE_STEPS - 1]);
    for (feature, most, weight) in BY_HAND {
        let history = matches!(feature, Feature::Times | Feature::TypeTimes | Feature::TasteCosine);
        if history && head == Head::Anonymous {
            continue;
        }
        let table = &mut tables[feature as usize];
        let steps = table.weights.len() as i32 - 1;
        for (at, slot) in (0..).zip(&mut table.thresholds) {
            *slot = I32::new(most * at / steps);
        }
        for (at, slot) in (0..).zip(&mut table.weights) {
            *slot = I32::new(weight * at / steps);
        }
    }
    tables
}

/// Learns all heads; those that the orders say too little of stay as they are by hand.
pub(crate) fn learn(
    inputs: &Inputs,
    dictionary: &Dictionary<'_>,
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<Ranker, BuildError> {
    let cases = Cases::new(inputs, &dictionary.taxonomy.type_of);
    let mut ranker = Ranker::default();
    if cases.is_empty() {
        return Ok(ranker);
    }
    let writer = assemble(inputs, dictionary, &cases.earlier, options, &ranker, progress)?;
    let without_lists = BuildOptions { near_lists: false, ..options.clone() };
    let bytes = finish(writer, Some(&without_limits()), &[], &without_lists, progress)?;
    let defect = |problem: String| BuildError::Input {
        problem,
        way_out: "this is a defect of aftercart: report it".into(),
    };
    let catalog = Catalog::from_bytes(bytes, Verify::Structure).map_err(|e| defect(e.to_string()))?;
    let engine = Engine::new(Arc::new(catalog)).map_err(|e| defect(e.to_string()))?;
    let mut decider = Decider::new(Arc::new(engine));
    decider.parts().1.work.wide = true;
    let rows = cases.ask(&mut decider, inputs, progress);
    progress.start("learn to rank", Head::ALL.len() as u64, Unit::Items);
    let mut said = Vec::new();
    for (head, rows) in Head::ALL.into_iter().zip(&rows) {
        let bought = rows.bought.iter().filter(|bought| **bought).count();
        if bought >= BOUGHT_MIN {
            let fitted = additive::fit(rows, pace(head));
            let start = head as usize * CALIBRATION_STEPS;
            let table = calibrate(rows, &fitted);
            ranker.calibration[start..start + CALIBRATION_STEPS].copy_from_slice(&table);
            let start = head as usize * FEATURES;
            ranker.tables[start..start + FEATURES].copy_from_slice(&fitted.tables);
            ranker.measured = true;
            let most = f64::from(table[CALIBRATION_STEPS - 1]) / 10_000.0;
            let rounds = fitted.rounds;
            said.push(format!(
                "{head:?} from {bought} purchases, {rounds} rounds, p_accept up to {most:.1} %"
            ));
        }
        progress.at(head as u64 + 1);
    }
    let said = if said.is_empty() { "too few purchases: weights by hand".into() } else { said.join("; ") };
    progress.finish(&said);
    Ok(ranker)
}

/// Customers that were not seen bought in the same weeks, so what rounds still gain with them is in part the fashion of those
/// weeks: where later purchases are asked for, rounds end earlier than for what lies in one basket.
fn pace(head: Head) -> Pace {
    match head {
        Head::Anonymous => Pace { rate: 0.2, rounds_each: 25, gain_least: 0.0002 },
        Head::Known => Pace { rate: 0.2, rounds_each: 25, gain_least: 0.0005 },
        // What is new to people changes from month to month: only the first rounds hold for later ones, and small steps share them
        // out among the features.
        Head::FirstTime => Pace { rate: 0.05, rounds_each: 200, gain_least: f64::INFINITY },
    }
}

/// Share bought at each step of the score, of rows whose customers the weights behind the score have not seen.
fn calibrate(rows: &Rows, fitted: &Fitted) -> [u32; CALIBRATION_STEPS] {
    let tables = |records: &Tables| -> Vec<Steps> {
        (0..).zip(records).map(|(at, record)| table_of(at, record)).collect()
    };
    let by_others = [tables(&fitted.by_others[0]), tables(&fitted.by_others[1])];
    let mut counts = [(0, 0); CALIBRATION_STEPS];
    for at in 0..rows.features.len() {
        let tables = &by_others[usize::from(rows.half[at])];
        let of = if rows.bought[at] { 1 } else { rows.weight[at] as u64 };
        let sum: i32 = tables.iter().map(|table| table.weight(&rows.features[at])).sum();
        let count = &mut counts[((SCORE_ZERO + sum).clamp(0, SCORE_MAX) / SCORE_STEP) as usize];
        count.0 += of;
        count.1 += u64::from(rows.bought[at]);
    }
    isotonic(&counts)
}

fn without_limits() -> Policy {
    let slate =
        SlatePolicy { max_per_type: 0, max_per_partner: 0, max_third_party: 0, ..SlatePolicy::default() };
    Policy { slate, ..Policy::default() }
}

/// Pools adjacent violators (Barlow et al. 1972), so that a greater score never means less acceptance.
fn isotonic(counts: &[(u64, u64); CALIBRATION_STEPS]) -> [u32; CALIBRATION_STEPS] {
    let total: (u64, u64) = counts.iter().fold((0, 0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
    let overall = total.1 as f64 / total.0.max(1) as f64;
    // Each block: weight, mean, steps. A step without candidates leans on its neighbours through the pooling.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (seen, hits) in counts {
        let weight = *seen as f64 + PRIOR;
        blocks.push((weight, (*hits as f64 + PRIOR * overall) / weight, 1));
        while let [.., (w1, m1, n1), (w2, m2, n2)] = blocks[..] {
            if m1 <= m2 {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push((w1 + w2, (w1 * m1 + w2 * m2) / (w1 + w2), n1 + n2));
        }
    }
    let steps = blocks.iter().flat_map(|(_, mean, n)| std::iter::repeat_n((mean * 1e6).round() as u32, *n));
    let mut table = [0; CALIBRATION_STEPS];
    table.iter_mut().zip(steps).for_each(|(slot, ppm)| *slot = ppm.min(1_000_000));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_relevance_never_means_less_acceptance() {
        let mut counts = [(1000, 1); CALIBRATION_STEPS];
        counts[40] = (1000, 90);
        counts[50] = (1000, 30);
        counts[63] = (100_000, 20_000);
        let table = isotonic(&counts);
        assert!(table.is_sorted(), "{table:?}");
        assert!(table[0] < 5_000 && (150_000..250_000).contains(&table[63]), "{table:?}");
    }
}
