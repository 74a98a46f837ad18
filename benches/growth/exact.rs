//! Exact answers: every query compared with every row, in f32, in blocks that stay in cache.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use zerocopy::IntoBytes;

use crate::measure::K;
use crate::rows::Source;

/// Rows read at once.
const CHUNK: usize = 4096;
/// Rows whose sums are kept side by side.
const LANES: usize = 16;
/// Queries that are compared with them at once.
const QUERIES: usize = 3;
/// Queries that one thread takes.
const SHARE: usize = 24 * QUERIES;

/// The nearest rows of each query, best first, with their cosines.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Exact {
    pub(crate) ids: Vec<i32>,
    pub(crate) cosines: Vec<f32>,
}

/// Best rows and cosines of one query.
type Top = [(f32, i32); K];

impl Exact {
    /// Compares all.
    pub(crate) fn of(source: &Source, rows: &Path, size: usize) -> Result<Self, String> {
        let wrong = |e: std::io::Error| format!("{}: {e}", rows.display());
        let mut file = File::open(rows).map_err(wrong)?;
        let queries: Vec<&[f32]> = source.queries().collect();
        let mut tops: Vec<Top> = vec![[(f32::MIN, -1); K]; queries.len()];
        let mut chunk = vec![0.0f32; CHUNK * source.dim];
        for first in (0..size).step_by(CHUNK) {
            if (first / CHUNK).is_multiple_of(256) {
                eprintln!("  compared {first} of {size} rows with {} queries", queries.len());
            }
            let count = CHUNK.min(size - first);
            file.read_exact(chunk[..count * source.dim].as_mut_bytes()).map_err(wrong)?;
            let blocks = blocks(&chunk[..count * source.dim], source.dim);
            tops.par_chunks_mut(SHARE).zip(queries.par_chunks(SHARE)).for_each(|(tops, queries)| {
                for (at, block) in blocks.chunks_exact(source.dim).enumerate() {
                    let there = LANES.min(count - at * LANES);
                    for (tops, queries) in tops.chunks_mut(QUERIES).zip(queries.chunks(QUERIES)) {
                        let first = (first + at * LANES) as i32;
                        let sums = compare(block, queries);
                        tops.iter_mut().zip(&sums).for_each(|(top, sums)| offer(top, &sums[..there], first));
                    }
                }
            });
        }
        let each = || tops.iter().flatten();
        Ok(Self {
            ids: each().map(|(_, id)| *id).collect(),
            cosines: each().map(|(cosine, _)| *cosine).collect(),
        })
    }

    /// Mean cosine of the nearest row.
    pub(crate) fn nearest(&self) -> f64 {
        let first = self.cosines.chunks_exact(K).map(|own| f64::from(own[0]));
        first.sum::<f64>() / (self.cosines.len() / K) as f64
    }

    /// Local dimension around the queries, from how distances grow with rank (Levina and Bickel, NIPS 2004, with the mean of
    /// MacKay and Ghahramani).
    pub(crate) fn spread(&self) -> f64 {
        let (mut sum, mut count) = (0.0, 0);
        for own in self.cosines.chunks_exact(K) {
            let distance = |at: usize| f64::from(2.0 - 2.0 * own[at]).max(1e-9).sqrt();
            for at in 0..K - 1 {
                sum += (distance(K - 1) / distance(at)).ln();
                count += 1;
            }
        }
        f64::from(count) / sum
    }
}

/// Rows component by component, `LANES` rows side by side; the last block is filled up with nothing.
fn blocks(rows: &[f32], dim: usize) -> Vec<[f32; LANES]> {
    let count = rows.len() / dim;
    let mut blocks = vec![[0.0; LANES]; count.div_ceil(LANES) * dim];
    for (number, row) in rows.chunks_exact(dim).enumerate() {
        let block = &mut blocks[number / LANES * dim..][..dim];
        block.iter_mut().zip(row).for_each(|(lanes, value)| lanes[number % LANES] = *value);
    }
    blocks
}

/// Dot products of a block with up to `QUERIES` queries.
#[inline]
fn compare(block: &[[f32; LANES]], queries: &[&[f32]]) -> [[f32; LANES]; QUERIES] {
    let mut sums = [[0.0; LANES]; QUERIES];
    let last = queries[queries.len() - 1];
    let query = |at: usize| queries.get(at).copied().unwrap_or(last);
    let (a, b, c) = (query(0), query(1), query(2));
    for (((lanes, a), b), c) in block.iter().zip(a).zip(b).zip(c) {
        for lane in 0..LANES {
            sums[0][lane] += lanes[lane] * a;
            sums[1][lane] += lanes[lane] * b;
            sums[2][lane] += lanes[lane] * c;
        }
    }
    sums
}

/// Takes in what is better than the worst; of equals the first row stays.
#[inline]
fn offer(top: &mut Top, sums: &[f32], first: i32) {
    for (id, sum) in (first..).zip(sums) {
        if *sum > top[K - 1].0 {
            let place = top.partition_point(|(kept, _)| kept >= sum);
            top.copy_within(place..K - 1, place + 1);
            top[place] = (*sum, id);
        }
    }
}
