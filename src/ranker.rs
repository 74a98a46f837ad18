//! The catalog's ranker, laid out for the decision: an additive model (Hastie and Tibshirani 1986) of step functions, one table for
//! each feature. Made when a catalog is opened; read only.

use crate::distance::{Kernel, Steps};
use crate::features::{FEATURES, Features};
use crate::index::format::{FeatureRecord, Head};

/// The weights of all heads.
#[derive(Debug)]
pub(crate) struct Ranker {
    heads: [Vec<Steps>; Head::ALL.len()],
}

impl Ranker {
    /// Leaves out tables that add nothing; those that add the same to every product stay, since probabilities need them.
    pub(crate) fn new(records: &[FeatureRecord]) -> Self {
        let head = |head: Head| {
            let own = records.iter().skip(head as usize * FEATURES).take(FEATURES).enumerate();
            own.map(|(feature, record)| table_of(feature, record))
                .filter(|table| !table.says_nothing())
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
    pub(crate) fn sum(&self, kernel: Kernel, head: Head, features: &Features) -> i64 {
        kernel.steps(self.tables(head), features.values())
    }

    /// What each feature that adds anything adds: its number and thousandths of a nat.
    pub(crate) fn weights<'a>(
        &'a self,
        head: Head,
        features: &'a Features,
    ) -> impl Iterator<Item = (usize, i32)> + 'a {
        self.tables(head).iter().map(|table| (table.of(), table.weight(features.values())))
    }

    fn tables(&self, head: Head) -> &[Steps] {
        self.heads.get(head as usize).map_or(&[], Vec::as_slice)
    }
}

/// What a feature adds.
pub(crate) fn table_of(feature: usize, record: &FeatureRecord) -> Steps {
    let thresholds = record.thresholds.iter().map(|threshold| threshold.get());
    Steps::new(feature, thresholds, record.weights.map(|weight| weight.get()))
}
