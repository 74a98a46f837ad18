//! The files of one data folder: vectors, queries, exact answers, categories, masks. Raw and little-endian.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub(crate) use crate::measure::K;
use crate::raw::read;

/// Exact answers kept for a query without a filter.
const TRUTH_WIDTH: usize = 100;
/// Queries that have a mask.
pub(crate) const MASKED_QUERIES: usize = 500;
/// Categories, the width of a mask.
const CATEGORIES: usize = 1000;
/// Queries of every folder.
const QUERIES: usize = 2000;

/// One folder, without the base vectors, which only builders read.
pub(crate) struct Data {
    pub(crate) folder: PathBuf,
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    queries: Vec<f32>,
    /// `K` exact answers a query.
    pub(crate) truth: Vec<i32>,
    pub(crate) category: Vec<i32>,
}

/// What one filter scenario allows to each query.
pub(crate) struct Masks {
    /// The share that is kept, in per cent, as the file names it.
    pub(crate) kept: String,
    /// A bit for each row of the base, for each query.
    pub(crate) bits: Vec<Vec<u64>>,
    /// `K` exact answers a query, -1 where there are fewer.
    pub(crate) truth: Vec<i32>,
}

impl Data {
    /// Reads the small files and checks that all sizes fit together.
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        let queries: Vec<f32> = read(&folder.join("queries.f32"))?;
        let dim = queries.len() / QUERIES;
        if dim == 0 || dim * QUERIES != queries.len() {
            return Err(format!("{}: not {QUERIES} vectors", folder.join("queries.f32").display()));
        }
        let category: Vec<i32> = read(&folder.join("category.i32"))?;
        let (rows, base) = (category.len(), folder.join("base.f32"));
        let length = fs::metadata(&base).map_err(|e| format!("{}: {e}", base.display()))?.len();
        if length != (rows * dim * 4) as u64 {
            return Err(format!("{}: {length} bytes are not {rows} vectors of {dim}", base.display()));
        }
        let truth: Vec<i32> = read(&folder.join("truth.i32"))?;
        if truth.len() != QUERIES * TRUTH_WIDTH {
            return Err(format!("truth.i32: {} answers are not {QUERIES} x {TRUTH_WIDTH}", truth.len()));
        }
        if category.iter().any(|c| !(0..CATEGORIES as i32).contains(c)) {
            return Err(format!("category.i32: a category outside 0..{CATEGORIES}"));
        }
        let truth = truth.chunks(TRUTH_WIDTH).flat_map(|row| row[..K].to_vec()).collect();
        Ok(Self { folder: folder.to_owned(), rows, dim, queries, truth, category })
    }

    /// All base vectors, row by row.
    pub(crate) fn base(&self) -> Result<Vec<f32>, String> {
        read(&self.folder.join("base.f32"))
    }

    pub(crate) fn query(&self, number: usize) -> &[f32] {
        &self.queries[number * self.dim..][..self.dim]
    }

    pub(crate) fn queries(&self) -> usize {
        QUERIES
    }

    /// The masks that keep this share of the catalog, spread over the rows.
    pub(crate) fn masks(&self, kept: &str) -> Result<Masks, String> {
        let allowed: Vec<u8> = read(&self.folder.join(format!("mask-{kept}.u8")))?;
        let truth: Vec<i32> = read(&self.folder.join(format!("truth-{kept}.i32")))?;
        if allowed.len() != MASKED_QUERIES * CATEGORIES || truth.len() != MASKED_QUERIES * K {
            return Err(format!("mask-{kept}.u8 and truth-{kept}.i32 are not of {MASKED_QUERIES} queries"));
        }
        let spread = |mask: &[u8]| {
            let bit = |(i, c): (usize, &i32)| u64::from(mask[*c as usize] > 0) << i;
            self.category.chunks(64).map(|block| block.iter().enumerate().map(bit).sum()).collect()
        };
        Ok(Masks { kept: kept.to_owned(), bits: allowed.chunks(CATEGORIES).map(spread).collect(), truth })
    }

    /// Changes whenever the base vectors do.
    pub(crate) fn stamp(&self) -> String {
        let modified = fs::metadata(self.folder.join("base.f32")).and_then(|m| m.modified()).ok();
        let seconds =
            modified.and_then(|m| m.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs());
        format!("{} x {} of {seconds}", self.rows, self.dim)
    }
}

impl Masks {
    /// Whether a query may find a row.
    pub(crate) fn allows(bits: &[u64], row: usize) -> bool {
        bits[row / 64] >> (row % 64) & 1 != 0
    }
}

/// Masks are shared by all searchers of a scenario.
pub(crate) type SharedMasks = Arc<Masks>;
