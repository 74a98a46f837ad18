//! Randomised singular value decomposition of an operator that is only ever multiplied with.
//!
//! Halko, Martinsson, Tropp, "Finding structure with randomness", SIAM Review 53(2), 2011, algorithms 4.4
//! (subspace iteration) and 5.1. Tall matrices are row-major `f32`, their small Gram matrices `f64`. Sums run over
//! fixed chunks in a fixed order, so the result has the same bytes for any number of threads.

use nalgebra::{DMatrix, SymmetricEigen};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::cooccurrence::CHUNK;

/// Columns beyond the wanted ones (Halko et al., section 4.2).
const OVERSAMPLE: usize = 16;
/// Directions with less than this share of the largest squared length are rounding, not signal.
const RANK_TOLERANCE: f64 = 1e-10;

/// Left and right factors, row-major n × dim: `left · rightᵀ` approximates the operator when `power` is 0.5.
pub(super) struct Factors {
    pub(super) left: Vec<f32>,
    pub(super) right: Vec<f32>,
}

/// Factors an n × n operator. `apply(v, k, transpose)` multiplies it, or its transpose, with an n × k matrix.
/// Columns are scaled with singular value^`power`; columns beyond the rank are zero.
pub(super) fn factorise(
    n: usize,
    dim: usize,
    power: f64,
    iterations: usize,
    seed: u64,
    apply: impl Fn(&[f32], usize, bool) -> Vec<f32>,
) -> Factors {
    let k = dim + OVERSAMPLE;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let start: Vec<f32> = (0..n * k).map(|_| rng.random_range(-1.0..1.0)).collect();
    let mut q = orthonormal(apply(&start, k, false), k);
    drop(start); // as large as all vectors
    for _ in 0..iterations {
        let z = orthonormal(apply(&q, k, true), k);
        q = orthonormal(apply(&z, k, false), k);
    }
    // S ≈ Q Bᵀ with B = SᵀQ = V Σ Wᵀ, so U = Q W.
    let b = apply(&q, k, true);
    let (values, vectors) = eigen(&gram(&b, k));
    let top = values[0].max(0.0);
    let kept = |c: usize| values[c] > RANK_TOLERANCE * top;
    let column = |c: usize, exponent: f64| {
        if kept(c) { values[c].powf(exponent) } else { 0.0 }
    };
    let left = DMatrix::from_fn(k, dim, |r, c| vectors[(r, c)] * column(c, power / 2.0));
    let right = DMatrix::from_fn(k, dim, |r, c| vectors[(r, c)] * column(c, (power - 1.0) / 2.0));
    Factors { left: multiply(&q, &left), right: multiply(&b, &right) }
}

/// An orthonormal basis of the column space; columns beyond the rank are zero. Twice, since the first pass
/// loses the square of the condition number.
pub(super) fn orthonormal(mut y: Vec<f32>, k: usize) -> Vec<f32> {
    for _ in 0..2 {
        let (values, vectors) = eigen(&gram(&y, k));
        let top = values[0];
        let whiten = DMatrix::from_fn(k, k, |r, c| {
            if values[c] > RANK_TOLERANCE * top { vectors[(r, c)] / values[c].sqrt() } else { 0.0 }
        });
        y = multiply(&y, &whiten);
    }
    y
}

/// Eigenvalues, largest first, and their vectors as columns.
fn eigen(m: &DMatrix<f64>) -> (Vec<f64>, DMatrix<f64>) {
    let e = SymmetricEigen::new(m.clone());
    let mut order: Vec<usize> = (0..m.nrows()).collect();
    order.sort_by(|&a, &b| e.eigenvalues[b].total_cmp(&e.eigenvalues[a]).then(a.cmp(&b)));
    let values = order.iter().map(|&i| e.eigenvalues[i]).collect();
    (values, e.eigenvectors.select_columns(&order))
}

/// `yᵀ y` of a row-major matrix with `k` columns.
fn gram(y: &[f32], k: usize) -> DMatrix<f64> {
    cross(y, k, y, k)
}

/// `aᵀ b` of two row-major matrices with as many rows.
pub(super) fn cross(a: &[f32], ka: usize, b: &[f32], kb: usize) -> DMatrix<f64> {
    // At most 64 parts, so that the partial sums stay small; their size depends on the input alone.
    let rows = (a.len() / ka).div_ceil(64).max(CHUNK);
    let parts: Vec<Vec<f64>> = a
        .par_chunks(rows * ka)
        .zip(b.par_chunks(rows * kb))
        .map(|(a, b)| {
            let mut sum = vec![0.0f64; ka * kb];
            for (a, b) in a.chunks_exact(ka).zip(b.chunks_exact(kb)) {
                for (x, row) in a.iter().zip(sum.chunks_exact_mut(kb)) {
                    let x = f64::from(*x);
                    row.iter_mut().zip(b).for_each(|(s, y)| *s += x * f64::from(*y));
                }
            }
            sum
        })
        .collect();
    let mut total = vec![0.0f64; ka * kb];
    for part in parts {
        total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
    }
    DMatrix::from_row_slice(ka, kb, &total)
}

/// `y m` of a row-major matrix with as many columns as `m` has rows.
pub(super) fn multiply(y: &[f32], m: &DMatrix<f64>) -> Vec<f32> {
    let (from, to) = m.shape();
    let m: Vec<f32> = m.transpose().iter().map(|&x| x as f32).collect(); // row-major
    let mut out = vec![0.0f32; y.len() / from * to];
    out.par_chunks_mut(CHUNK * to).zip(y.par_chunks(CHUNK * from)).for_each(|(out, y)| {
        for (row, y) in out.chunks_exact_mut(to).zip(y.chunks_exact(from)) {
            for (x, m) in y.iter().zip(m.chunks_exact(to)) {
                super::cooccurrence::add(row, *x, m);
            }
        }
    });
    out
}
