//! Codes of what each OUT row has beyond its cell's centroid: what a scan reads instead of the rows.

use rayon::prelude::*;

use super::quantize::Rows;
use crate::distance::BLOCK;
use crate::index::format::{code_bits, code_block_bytes};

/// Codes and steps in the layout of the file's `OutCodes` and `OutSteps`.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    pub(crate) codes: Vec<u8>,
    pub(crate) steps: Vec<[u8; BLOCK]>,
}

/// Encodes rows that already lie in cell order; `cells` are first rows and counts.
pub(crate) fn encode(rows: &Rows, centroids: &Rows, cells: &[(u32, u32)]) -> Codes {
    let block_bytes = code_block_bytes(rows.dim);
    let blocks: Vec<(usize, usize, usize)> = cells
        .iter()
        .enumerate()
        .flat_map(|(cell, (start, count))| {
            let (start, end) = (*start as usize, (start + count) as usize);
            (start..end).step_by(BLOCK).map(move |first| (cell, first, end.min(first + BLOCK)))
        })
        .collect();
    let mut codes = vec![0; blocks.len() * block_bytes];
    let mut steps = vec![[0; BLOCK]; blocks.len()];
    codes.par_chunks_exact_mut(block_bytes).zip(&mut steps).zip(&blocks).for_each(
        |((codes, steps), (cell, first, end))| {
            for (lane, product) in (*first..*end).enumerate() {
                steps[lane] = encode_row(rows.row(product), centroids.row(*cell), lane, codes);
            }
        },
    );
    Codes { codes, steps }
}

/// Weight of an error along the row beside one across it, in squares: a query that finds a row points about where the row
/// does (cosine 0.8 of 128 components), so that an error along it counts most (Guo et al., ICML 2020, section 3).
const ALONG: f32 = 226.0;
/// Standard deviations between levels, by the bits of a code. Four levels lie best about one apart (Max, IRE Transactions 1960,
/// table II). Two lie so that a code's dot product with what it stands for is that one's squared length (Gao and Long, SIGMOD
/// 2024, section 3.2): 1.6 apart, where the error itself is least, found 10 % fewer neighbours.
const APART: [f64; 3] = [0.0, 2.5, 1.0];
/// Components whose level may be moved for that.
const MOVES: usize = 24;

/// Writes one row's codes into its lane and returns its step, in eighths of a row's unit for one half.
fn encode_row(row: &[i8], centroid: &[i8], lane: usize, codes: &mut [u8]) -> u8 {
    let beyond: Vec<i32> = row.iter().zip(centroid).map(|(x, c)| i32::from(*x) - i32::from(*c)).collect();
    let bits = code_bits(row.len());
    let squares: i32 = beyond.iter().map(|v| v * v).sum();
    let deviation = (f64::from(squares) / row.len() as f64).sqrt();
    let step = (4.0 * APART[bits] * deviation).round().clamp(1.0, 255.0) as i32;
    let half = 1 << bits >> 1;
    let level = |beyond: &i32| (4 * beyond).div_euclid(step).clamp(-half, half - 1) + half;
    let mut levels: Vec<i32> = beyond.iter().map(level).collect();
    settle_along(row, &beyond, step, 2 * half, &mut levels);
    let group = 32 / bits;
    for (at, level) in levels.into_iter().enumerate() {
        let (plane, byte) = (at % group / 4, at % 4);
        codes[64 * (at / group) + 4 * lane + byte] |= (level as u8) << (bits * plane);
    }
    step as u8
}

/// Moves levels, of which there are `count`, one by one, the most profitable first, while that lessens the weighted error.
fn settle_along(row: &[i8], beyond: &[i32], step: i32, count: i32, levels: &mut [i32]) {
    let length: f32 = row.iter().map(|x| f32::from(*x) * f32::from(*x)).sum();
    let weight = ALONG / length.max(1.0);
    let apart = step as f32 / 4.0;
    let error = |level: i32, beyond: i32| (2 * level + 1 - count) as f32 / 2.0 * apart - beyond as f32;
    let each = levels.iter().zip(beyond).zip(row);
    let mut along: f32 = each.map(|((level, beyond), x)| error(*level, *beyond) * f32::from(*x)).sum();
    for _ in 0..MOVES {
        let mut best = (0.0, 0, 0);
        for (at, ((level, beyond), x)) in levels.iter().zip(beyond).zip(row).enumerate() {
            // The move that takes the sum towards zero.
            let up = (along > 0.0) == (*x < 0);
            let to = if up { level + 1 } else { level - 1 };
            if !(0..count).contains(&to) {
                continue;
            }
            let (old, new) = (error(*level, *beyond), error(to, *beyond));
            let after = along + (new - old) * f32::from(*x);
            let gain = old * old - new * new + weight * (along * along - after * after);
            if gain > best.0 {
                best = (gain, at, to);
            }
        }
        let (gain, at, to) = best;
        if gain <= 0.0 {
            return;
        }
        along += (error(to, beyond[at]) - error(levels[at], beyond[at])) * f32::from(row[at]);
        levels[at] = to;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::distance::{Kernel, Run};
    use crate::index::search::Query;

    #[test]
    fn a_code_says_about_what_its_row_says() {
        for dim in [128, 384] {
            let noise = |at: usize, spread: i32| {
                let sum: i32 = (0..4)
                    .map(|i| (xxhash_rust::xxh3::xxh3_64(&[at as u8, (at >> 8) as u8, i]) % 256) as i32)
                    .sum();
                (sum - 510) * spread / 512
            };
            let centroid: Vec<i8> = (0..dim).map(|at| noise(at, 80) as i8).collect();
            let rows: Vec<i8> =
                (0..20 * dim).map(|at| (i32::from(centroid[at % dim]) + noise(at + dim, 60)) as i8).collect();
            let (rows, centroids) = (Rows { dim, values: rows }, Rows { dim, values: centroid });
            let coded = encode(&rows, &centroids, &[(0, 20)]);
            for asked in 0..20 {
                let mut query = Query::new();
                query.set_row(rows.row(asked));
                let base = Kernel::Scalar.dot(rows.row(asked), centroids.row(0));
                let run = Run { codes: &coded.codes, steps: &coded.steps, base: 8 * base, bar: i32::MIN };
                let (mut scores, mut better) = ([[0; BLOCK]; 2], [0; 2]);
                Kernel::Scalar.scan(&query.codes, run, &mut scores, &mut better);
                for row in 0..20 {
                    let (found, exact) = (
                        scores[row / BLOCK][row % BLOCK] / 8,
                        Kernel::Scalar.dot(rows.row(asked), rows.row(row)),
                    );
                    let length = Kernel::Scalar.dot(rows.row(row), rows.row(row));
                    let error = f64::from(found - exact) / f64::from(length);
                    // What is asked with its own row is what a search is after: there the error is least.
                    assert!(
                        error.abs() < if row == asked { 0.02 } else { 0.15 },
                        "{dim}: {asked} {row} {error}"
                    );
                }
            }
        }
    }
}
