//! The catalog's ranker, laid out for the decision: an additive model (Hastie and Tibshirani 1986) of step functions, one table for
//! each feature. Made when a catalog is opened; read only.

use crate::features::{FEATURES, Features};
use crate::index::format::{FEATURE_STEPS, FeatureRecord, Head};

/// The weights of all heads.
#[derive(Debug)]
pub(crate) struct Ranker {
    heads: [Vec<Table>; Head::ALL.len()],
}

/// What a feature adds: `weights[s]`, where `s` is how many of `thresholds` the value exceeds.
#[derive(Debug)]
pub(crate) struct Table {
    feature: usize,
    /// The last one is never exceeded: sixteen are compared as fast as fifteen.
    thresholds: [i32; FEATURE_STEPS],
    weights: [i32; FEATURE_STEPS],
}

impl Ranker {
    /// Leaves out tables that add nothing; those that add the same to every product stay, since probabilities need them.
    pub(crate) fn new(records: &[FeatureRecord]) -> Self {
        let head = |head: Head| {
            let own = records.iter().skip(head as usize * FEATURES).take(FEATURES).enumerate();
            own.map(|(feature, record)| Table::new(feature, record))
                .filter(|table| table.weights.iter().any(|weight| *weight != 0))
                .collect()
        };
        Self { heads: Head::ALL.map(head) }
    }

    /// One that says nothing.
    pub(crate) const fn none() -> Self {
        Self { heads: [const { Vec::new() }; Head::ALL.len()] }
    }

    /// Adds up what the features of a product say: thousandths of a nat.
    #[inline]
    pub(crate) fn sum(&self, head: Head, features: &Features) -> i64 {
        self.weights(head, features).map(|(_, weight)| i64::from(weight)).sum()
    }

    /// What each feature that adds anything adds: its number and thousandths of a nat.
    #[inline]
    pub(crate) fn weights<'a>(
        &'a self,
        head: Head,
        features: &'a Features,
    ) -> impl Iterator<Item = (usize, i32)> + 'a {
        let value = |table: &Table| features.values().get(table.feature).copied().unwrap_or(0);
        let tables = self.heads.get(head as usize).map_or(&[][..], Vec::as_slice);
        tables.iter().map(move |table| (table.feature, table.weight(value(table))))
    }
}

impl Table {
    pub(crate) fn new(feature: usize, record: &FeatureRecord) -> Self {
        let mut thresholds = [i32::MAX; FEATURE_STEPS];
        thresholds.iter_mut().zip(&record.thresholds).for_each(|(slot, threshold)| *slot = threshold.get());
        let weights = record.weights.map(|weight| weight.get());
        Self { feature, thresholds, weights }
    }

    /// What the feature adds where it has this value.
    #[inline]
    pub(crate) fn weight(&self, value: i32) -> i32 {
        // Halving, without a branch.
        let mut step = 0;
        for half in [8, 4, 2, 1] {
            let above = self.thresholds.get((step + half - 1) & (FEATURE_STEPS - 1));
            step += half * usize::from(above.is_some_and(|threshold| value > *threshold));
        }
        self.weights.get(step & (FEATURE_STEPS - 1)).copied().unwrap_or(0)
    }
}

const _: () = assert!(FEATURE_STEPS.is_power_of_two());
