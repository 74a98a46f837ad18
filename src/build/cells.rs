//! Spherical k-means over OUT rows: which cell each product lies in. Integer sums, so the same on every machine.

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::progress::{Progress, Unit};
use super::quantize::{Rows, unit_dot};
use crate::distance::Kernel;
use crate::limits::CELLS_MAX;

/// Products that a cell holds on average.
const PRODUCTS_PER_CELL: usize = 256;
/// Sampled products per cell in training.
const SAMPLE_PER_CELL: usize = 48;
/// Rounds of training.
const ROUNDS: usize = 8;

/// Centroids, and the cell of each product row.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) centroids: Rows,
    pub(crate) cell_of: Vec<u32>,
}

/// Groups rows into cells.
pub(crate) fn group(rows: &Rows, seed: u64, progress: &dyn Progress) -> Cells {
    let (n, dim) = (rows.len(), rows.dim);
    let count = n.div_ceil(PRODUCTS_PER_CELL).clamp(1, CELLS_MAX as usize).min(n.max(1));
    progress.start("group products into cells", (ROUNDS + 1) as u64, Unit::Items);
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut picked = sample(&mut rng, n, (count * SAMPLE_PER_CELL).min(n)).into_vec();
    let mut centroids = Rows { dim, values: Vec::with_capacity(count * dim) };
    for ix in picked.iter().take(count) {
        centroids.values.extend_from_slice(rows.row(*ix));
    }
    picked.sort_unstable();
    let kernel = Kernel::detect();
    for round in 0..ROUNDS {
        let nearest: Vec<u32> =
            picked.par_iter().map(|ix| nearest(kernel, &centroids, rows.row(*ix))).collect();
        move_centroids(rows, &picked, &nearest, &mut centroids);
        progress.at(round as u64 + 1);
    }
    let cell_of = (0..n).into_par_iter().map(|ix| nearest(kernel, &centroids, rows.row(ix))).collect();
    progress.finish(&format!("{} cells", centroids.len()));
    Cells { centroids, cell_of }
}

fn nearest(kernel: Kernel, centroids: &Rows, row: &[i8]) -> u32 {
    let mut best = (i32::MIN, 0);
    for (cell, centroid) in centroids.values.chunks_exact(centroids.dim).enumerate() {
        let score = kernel.dot(centroid, row);
        if score > best.0 {
            best = (score, cell as u32);
        }
    }
    best.1
}

/// Each centroid becomes the direction of its rows' sum; one without rows stays.
fn move_centroids(rows: &Rows, picked: &[usize], nearest: &[u32], centroids: &mut Rows) {
    let dim = rows.dim;
    let mut sums = vec![0i64; centroids.values.len()];
    for (ix, cell) in picked.iter().zip(nearest) {
        let sum = &mut sums[*cell as usize * dim..(*cell as usize + 1) * dim];
        for (total, value) in sum.iter_mut().zip(rows.row(*ix)) {
            *total += i64::from(*value);
        }
    }
    let unit = i64::from(unit_dot(dim)).isqrt();
    for (centroid, sum) in centroids.values.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)) {
        let length = sum.iter().map(|v| v * v).sum::<i64>().isqrt();
        if length > 0 {
            for (value, total) in centroid.iter_mut().zip(sum) {
                *value = (total * unit / length).clamp(-127, 127) as i8;
            }
        }
    }
}
