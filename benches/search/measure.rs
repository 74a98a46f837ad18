//! Recall and percentiles of what was run.

use serde::Serialize;

/// Answers looked at.
pub(crate) const K: usize = 10;
/// Stands where a searcher found fewer than [`K`].
pub(crate) const NONE: i32 = -1;

/// Shares of the exact answers that were found.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Recall {
    pub(crate) all: f64,
    /// Even queries: single products.
    pub(crate) single: f64,
    /// Odd queries: baskets.
    pub(crate) basket: f64,
}

/// Percentiles over queries, in microseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(crate) struct Latency {
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    pub(crate) p999: f64,
    /// Times they are taken from.
    pub(crate) samples: usize,
}

/// Compares [`K`] answers of each query that was answered with the exact ones.
pub(crate) fn recall(ids: &[i32], truth: &[i32]) -> Recall {
    let (mut found, mut there) = ([0usize; 2], [0usize; 2]);
    for (number, (ids, truth)) in ids.chunks_exact(K).zip(truth.chunks_exact(K)).enumerate() {
        let exact = truth.iter().filter(|id| **id != NONE);
        there[number % 2] += exact.clone().count();
        found[number % 2] += exact.filter(|id| ids.contains(id)).count();
    }
    let share = |found: usize, there: usize| found as f64 / there.max(1) as f64;
    Recall {
        all: share(found[0] + found[1], there[0] + there[1]),
        single: share(found[0], there[0]),
        basket: share(found[1], there[1]),
    }
}

/// Percentiles of all times together; none where there are no times.
pub(crate) fn latency(mut nanos: Vec<u32>) -> Option<Latency> {
    nanos.sort_unstable();
    let last = nanos.len().checked_sub(1)?;
    let at = |share: f64| f64::from(nanos[(share * last as f64).round() as usize]) / 1000.0;
    Some(Latency { p50: at(0.5), p99: at(0.99), p999: at(0.999), samples: nanos.len() })
}
