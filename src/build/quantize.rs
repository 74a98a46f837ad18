//! From unit vectors to int8 rows: one random rotation for all, so that every component carries alike, then one scale.

use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Components beyond this many standard deviations are clipped.
const CLIP_SIGMAS: f32 = 4.0;

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

/// A seeded random rotation (QR of a Gaussian matrix).
pub(crate) fn rotation(dim: usize, seed: u64) -> DMatrix<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let gaussian = DMatrix::from_fn(dim, dim, |_, _| standard_normal(&mut rng));
    gaussian.qr().q().map(|v| v as f32)
}

/// Irwin-Hall approximation of a normal variate: enough for a direction.
fn standard_normal(rng: &mut ChaCha8Rng) -> f64 {
    use rand::Rng;
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// Rotates unit rows and rounds them.
pub(crate) fn quantize(vectors: &[f32], dim: usize, rotation: &DMatrix<f32>) -> Rows {
    let (scale, columns) = (scale(dim), rotation.as_slice());
    let mut values = vec![0i8; vectors.len()];
    values.par_chunks_mut(dim).zip(vectors.par_chunks(dim)).for_each(|(out, row)| {
        for (slot, column) in out.iter_mut().zip(columns.chunks(dim)) {
            let dot: f32 = column.iter().zip(row).map(|(a, b)| a * b).sum();
            *slot = (dot * scale).round().clamp(-127.0, 127.0) as i8;
        }
    });
    Rows { dim, values }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn similarities_survive_rotation_and_rounding() {
        let dim = 64;
        let turn = rotation(dim, 7);
        let mut a = vec![0.0f32; dim];
        let mut b = vec![0.0f32; dim];
        a[3] = 1.0; // one hot: the worst case without a rotation
        b[3] = 0.6;
        b[9] = 0.8;
        let rows = quantize(&[a, b].concat(), dim, &turn);
        let dot =
            |x: &[i8], y: &[i8]| x.iter().zip(y).map(|(p, q)| f64::from(*p) * f64::from(*q)).sum::<f64>();
        let unit = f64::from(unit_dot(dim));
        assert!((dot(rows.row(0), rows.row(0)) / unit - 1.0).abs() < 0.03);
        assert!((dot(rows.row(0), rows.row(1)) / unit - 0.6).abs() < 0.03);
    }
}
