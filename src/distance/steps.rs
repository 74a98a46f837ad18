//! Step functions: tables that turn a value into a weight.

use crate::index::format::FEATURE_STEPS;

/// What a value adds: `weights[s]`, where `s` is how many of `thresholds` it exceeds.
#[derive(Debug, Clone)]
pub(crate) struct Steps {
    /// Which value the table looks at.
    pub(super) of: usize,
    /// Ascending. The last one is never exceeded: sixteen are compared as fast as fifteen.
    pub(super) thresholds: [i32; FEATURE_STEPS],
    pub(super) weights: [i32; FEATURE_STEPS],
}

impl Steps {
    /// For the value with this number. Thresholds are put in order: a damaged file must mean the same to every CPU.
    pub(crate) fn new(of: usize, given: impl Iterator<Item = i32>, weights: [i32; FEATURE_STEPS]) -> Self {
        let mut thresholds = [i32::MAX; FEATURE_STEPS];
        thresholds.iter_mut().take(FEATURE_STEPS - 1).zip(given).for_each(|(slot, value)| *slot = value);
        thresholds.sort_unstable();
        Self { of, thresholds, weights }
    }

    /// Which value it looks at.
    pub(crate) fn of(&self) -> usize {
        self.of
    }

    /// Whether it ever adds anything.
    pub(crate) fn says_nothing(&self) -> bool {
        self.weights.iter().all(|weight| *weight == 0)
    }

    /// What it adds. A value that is not there is 0.
    #[inline]
    pub(crate) fn weight(&self, values: &[i32]) -> i32 {
        let value = values.get(self.of).copied().unwrap_or(0);
        // Halving, without a branch.
        let mut step = 0;
        for half in [8, 4, 2, 1] {
            let above = self.thresholds.get((step + half - 1) & (FEATURE_STEPS - 1));
            step += half * usize::from(above.is_some_and(|threshold| value > *threshold));
        }
        self.weight_at(step)
    }

    /// What it adds where so many thresholds are exceeded.
    #[inline]
    pub(super) fn weight_at(&self, step: usize) -> i32 {
        self.weights.get(step & (FEATURE_STEPS - 1)).copied().unwrap_or(0)
    }
}

const _: () = assert!(FEATURE_STEPS == 16);

#[cfg(test)]
mod tests {
    use super::Steps;
    use crate::distance::Kernel;

    #[test]
    fn every_kernel_counts_the_thresholds_below_a_value() {
        let noise = |at: i32| at.wrapping_mul(-1_640_531_527) >> 8;
        let values = [i32::MIN, i32::MAX, 0, -1, 1, 5, 1000, -70_000, noise(3)];
        let given = [
            vec![],
            vec![i32::MIN, -5, 0, 0, 5, i32::MAX],
            vec![9, 3, -7, 12, 0],
            (0..15).map(noise).collect(),
            (0..20).map(|at| at * 100).collect(),
        ];
        let weights: [i32; 16] = std::array::from_fn(|at| noise(at as i32 + 50));
        // One beyond the values, too.
        let table = |given: &Vec<i32>, of| Steps::new(of, given.iter().copied(), weights);
        let tables: Vec<Steps> =
            given.iter().flat_map(|given| (0..=values.len()).map(move |of| table(given, of))).collect();
        for table in &tables {
            let value = values.get(table.of).copied().unwrap_or(0);
            let exceeded = table.thresholds.iter().filter(|threshold| value > **threshold).count();
            let want = i64::from(weights[exceeded]);
            for kernel in Kernel::available() {
                let found = kernel.steps(std::slice::from_ref(table), &values);
                assert_eq!(found, want, "{}, {value} among {:?}", kernel.name(), table.thresholds);
            }
        }
        let all: i64 = tables.iter().map(|table| i64::from(table.weight(&values))).sum();
        for kernel in Kernel::available() {
            assert_eq!(kernel.steps(&tables, &values), all, "{}", kernel.name());
        }
    }
}
