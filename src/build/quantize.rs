//! From unit vectors to int8 rows: one random rotation for all, so that every component carries alike, then one scale.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::limits::DIM_MAX;

/// Components beyond this many standard deviations are clipped.
const CLIP_SIGMAS: f32 = 4.0;
/// Rounds of the rotation: three let every component depend on every other one; the fourth evens out.
const ROUNDS: usize = 4;
/// Components that one transform mixes.
const MIXED: usize = 8;

/// int8 rows.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) dim: usize,
    pub(crate) values: Vec<i8>,
}

impl Rows {
    pub(crate) fn row(&self, ix: usize) -> &[i8] {
        &self.values[ix * self.dim..(ix + 1) * self.dim]
    }

    pub(crate) fn len(&self) -> usize {
        self.values.len() / self.dim
    }
}

/// Component value of one standard deviation of a unit vector.
fn scale(dim: usize) -> f32 {
    127.0 / CLIP_SIGMAS * (dim as f32).sqrt()
}

/// Dot product of two rows of similarity 1.
pub(crate) fn unit_dot(dim: usize) -> u32 {
    (scale(dim) * scale(dim)).round() as u32
}

/// A seeded random rotation: rounds of random signs, Walsh-Hadamard transforms and a shuffle (Ailon and Chazelle, SIAM J.
/// Computing 2009, the preconditioner of section 3, in steps that vectorise).
#[derive(Debug, Clone)]
pub struct Rotation {
    dim: usize,
    /// 1 or -1, times what keeps lengths.
    signs: Vec<f32>,
    /// Where each component comes from, round by round.
    shuffles: Vec<u16>,
}

impl Rotation {
    /// The rotation of a catalog built with this seed. `dim` is a multiple of 64, at most 512.
    #[must_use]
    pub fn new(dim: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let unit = 1.0 / (MIXED as f32).sqrt();
        let (mut signs, mut shuffles) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            signs.extend((0..dim).map(|_| if rng.random::<bool>() { unit } else { -unit }));
            let mut shuffle: Vec<u16> = (0..dim as u16).collect();
            shuffle.shuffle(&mut rng);
            shuffles.extend(shuffle);
        }
        Self { dim, signs, shuffles }
    }

    /// Rotates a vector in place.
    fn turn(&self, row: &mut [f32]) {
        let mut other = [0.0f32; DIM_MAX];
        let rounds = self.signs.chunks_exact(self.dim).zip(self.shuffles.chunks_exact(self.dim));
        for (signs, shuffle) in rounds {
            for ((slot, from), sign) in other.iter_mut().zip(shuffle).zip(signs) {
                *slot = row[usize::from(*from)] * sign;
            }
            row.copy_from_slice(&other[..self.dim]);
            row.as_chunks_mut::<64>().0.iter_mut().for_each(mix);
        }
    }

    /// A query for rows of this rotation: rotated, and scaled so that the greatest component is 2047.
    ///
    /// `vector` has at most as many components as the rotation; `out` is replaced.
    pub fn query(&self, vector: &[f32], out: &mut Vec<i16>) {
        let mut row = [0.0f32; DIM_MAX];
        let row = &mut row[..self.dim];
        row.iter_mut().zip(vector).for_each(|(slot, value)| *slot = *value);
        self.turn(row);
        let most = row.iter().fold(f32::MIN_POSITIVE, |most, value| most.max(value.abs()));
        out.clear();
        // Added to 1.5 * 2^23, a small number leaves itself, rounded, in the low bits: no call, unlike `round`.
        const MAGIC: f32 = 12_582_912.0;
        out.extend(row.iter().map(|value| (value * (2047.0 / most) + MAGIC).to_bits() as i16));
    }
}

/// Transforms each eight components that lie eight apart.
fn mix(values: &mut [f32; 64]) {
    for half in [8, 16, 32] {
        for pair in values.chunks_exact_mut(2 * half) {
            let (low, high) = pair.split_at_mut(half);
            for (a, b) in low.as_chunks_mut::<8>().0.iter_mut().zip(high.as_chunks_mut::<8>().0) {
                for lane in 0..8 {
                    (a[lane], b[lane]) = (a[lane] + b[lane], a[lane] - b[lane]);
                }
            }
        }
    }
}

/// Rotates unit vectors and rounds them.
pub(crate) fn quantize(vectors: &[f32], rotation: &Rotation) -> Rows {
    quantize_fine(vectors, rotation, false).0
}

/// As [`quantize`], with four more bits a component in the form of the file's fine rows, where `fine`.
pub(crate) fn quantize_fine(vectors: &[f32], rotation: &Rotation, fine: bool) -> (Rows, Vec<u8>) {
    let dim = rotation.dim;
    let scale = 16.0 * scale(dim);
    let mut values = vec![0i8; vectors.len()];
    let mut more = vec![0u8; if fine { vectors.len() / 2 } else { 0 }];
    let rows = values.par_chunks_mut(dim).zip(vectors.par_chunks(dim));
    let round = |out: &mut [i8], vector: &[f32], more: &mut [u8]| {
        let mut row = [0.0f32; DIM_MAX];
        let row = &mut row[..dim];
        row.copy_from_slice(vector);
        rotation.turn(row);
        for (at, (slot, value)) in out.iter_mut().zip(row.iter()).enumerate() {
            let exact = (value * scale).round().clamp(-2032.0, 2039.0) as i32;
            let coarse = (exact + 8) >> 4;
            *slot = coarse as i8;
            if let Some(byte) = more.get_mut(at % (dim / 2)) {
                *byte |= ((exact - 16 * coarse + 8) as u8) << (at / (dim / 2) * 4);
            }
        }
    };
    if fine {
        let rows = rows.zip(more.par_chunks_mut(dim / 2));
        rows.for_each(|((out, vector), more)| round(out, vector, more));
    } else {
        rows.for_each(|(out, vector)| round(out, vector, &mut []));
    }
    (Rows { dim, values }, more)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(dim: usize, at: &[(usize, f32)]) -> Vec<f32> {
        let mut row = vec![0.0; dim];
        at.iter().for_each(|(at, value)| row[*at] = *value);
        row
    }

    #[test]
    fn similarities_survive_rotation_and_rounding() {
        for dim in [64, 128, 384] {
            let turn = Rotation::new(dim, 7);
            // One hot: the worst case without a rotation.
            let rows = [unit(dim, &[(3, 1.0)]), unit(dim, &[(3, 0.6), (dim - 9, 0.8)])].concat();
            let (rows, fine) = quantize_fine(&rows, &turn, true);
            let dot = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(p, q)| p * q).sum::<f64>();
            let coarse = |ix: usize| rows.row(ix).iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            let unit = f64::from(unit_dot(dim));
            assert!((dot(&coarse(0), &coarse(0)) / unit - 1.0).abs() < 0.04);
            assert!((dot(&coarse(0), &coarse(1)) / unit - 0.6).abs() < 0.04);
            let exact = |ix: usize| {
                let bits = &fine[ix * dim / 2..(ix + 1) * dim / 2];
                let nibble = |at: usize| bits[at % (dim / 2)] >> (at / (dim / 2) * 4) & 15;
                let row = rows.row(ix).iter().enumerate();
                row.map(|(at, v)| f64::from(*v) + (f64::from(nibble(at)) - 8.0) / 16.0).collect::<Vec<_>>()
            };
            assert!((dot(&exact(0), &exact(1)) / unit - 0.6).abs() < 0.005, "{dim}");
        }
    }

    #[test]
    fn no_component_of_a_rotated_axis_stands_out() {
        for dim in [64, 128, 384] {
            let turn = Rotation::new(dim, 1);
            for axis in 0..dim {
                let mut row = unit(dim, &[(axis, 1.0)]);
                turn.turn(&mut row);
                let most = row.iter().fold(0.0f32, |most, v| most.max(v.abs())) * (dim as f32).sqrt();
                assert!(most < 5.0, "axis {axis} of {dim}: {most} standard deviations");
            }
        }
    }
}
