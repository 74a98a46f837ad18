//! The vectors of each size: a sample of the folder's, or all of them and more made from them.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aftercart::index::Effort;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use zerocopy::IntoBytes;

use crate::measure::K;
use crate::raw;
use crate::vectors::{self, Opened};

/// Seed of samples and of made rows.
const SEED: u64 = 1;
/// Queries of every folder.
const QUERIES: usize = 2000;
/// Made rows are drawn in blocks, each with a random stream of its own, so that threads do not matter.
const BLOCK: usize = 1 << 14;

/// The folder's vectors.
pub(crate) struct Source {
    pub(crate) folder: PathBuf,
    pub(crate) dim: usize,
    /// Rows taken of the folder.
    pub(crate) rows: usize,
    queries: Vec<f32>,
}

impl Source {
    /// Reads the queries; `first` rows only, if given.
    pub(crate) fn open(folder: &Path, first: Option<usize>, queries: usize) -> Result<Self, String> {
        let mut all: Vec<f32> = raw::read(&folder.join("queries.f32"))?;
        let dim = all.len() / QUERIES;
        let path = folder.join("base.f32");
        let length = std::fs::metadata(&path).map_err(|e| format!("{}: {e}", path.display()))?.len() as usize;
        if dim == 0 || all.len() != QUERIES * dim || !length.is_multiple_of(4 * dim) || length == 0 {
            return Err(format!("{}: base.f32 and queries.f32 do not fit together", folder.display()));
        }
        all.truncate(queries * dim);
        let rows = length / (4 * dim);
        Ok(Self { folder: folder.to_owned(), dim, rows: first.map_or(rows, |n| n.min(rows)), queries: all })
    }

    pub(crate) fn queries(&self) -> impl ExactSizeIterator<Item = &[f32]> {
        self.queries.chunks_exact(self.dim)
    }

    /// Changes whenever the rows do.
    pub(crate) fn stamp(&self) -> String {
        let modified = std::fs::metadata(self.folder.join("base.f32")).and_then(|m| m.modified()).ok();
        let seconds =
            modified.and_then(|m| m.duration_since(std::time::UNIX_EPOCH).ok()).map_or(0, |d| d.as_secs());
        format!("{} x {} of {seconds}", self.rows, self.dim)
    }

    fn base(&self) -> Result<Vec<f32>, String> {
        let mut base = raw::read(&self.folder.join("base.f32"))?;
        base.truncate(self.rows * self.dim);
        Ok(base)
    }

    /// Writes a seeded sample of the rows, in their order.
    pub(crate) fn write_sample(&self, size: usize, path: &Path) -> Result<(), String> {
        let base = self.base()?;
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        let mut picked = rand::seq::index::sample(&mut rng, self.rows, size).into_vec();
        picked.sort_unstable();
        let mut out = Out::create(path)?;
        picked.iter().try_for_each(|row| out.put(&base[row * self.dim..(row + 1) * self.dim]))?;
        out.close()
    }

    /// Writes all rows and as many made ones as are missing. `whole` is the catalog of all rows: it knows who is near whom.
    ///
    /// A made row is a row moved halfway to the mean of its nearest, and from there along random combinations of what these
    /// lie beyond their mean: a draw from the smoothed rows that spreads no wider than they do (Silverman, Density
    /// Estimation, 1986, section 6.4.2, with the local covariance).
    pub(crate) fn write_more(&self, size: usize, whole: &Path, path: &Path) -> Result<(), String> {
        let base = self.base()?;
        let near = self.near(&base, whole)?;
        let mut out = Out::create(path)?;
        out.put(&base)?;
        let blocks: Vec<usize> = (self.rows..size).step_by(BLOCK).collect();
        for (at, some) in blocks.chunks(16).enumerate() {
            if at.is_multiple_of(8) {
                eprintln!("  made {} of {} rows", some[0] - self.rows, size - self.rows);
            }
            let made: Vec<Vec<f32>> = some
                .par_iter()
                .map(|first| self.block(&base, &near, *first, BLOCK.min(size - first)))
                .collect();
            made.iter().try_for_each(|rows| out.put(rows))?;
        }
        out.close()
    }

    /// The nearest of each row, itself among them as a rule.
    fn near(&self, base: &[f32], whole: &Path) -> Result<Vec<[u32; K]>, String> {
        eprintln!("  neighbours of {} rows", self.rows);
        let whole = vectors::open(whole)?;
        let share = self.rows.div_ceil(rayon::current_num_threads());
        let mut near = vec![[0; K]; self.rows];
        near.par_chunks_mut(share).zip(base.par_chunks(share * self.dim)).try_for_each(|(near, rows)| {
            let mut opened = Opened::of(Arc::clone(&whole), self.dim)?;
            let mut out = Vec::with_capacity(K);
            for (slot, row) in near.iter_mut().zip(rows.chunks_exact(self.dim)) {
                out.clear();
                opened.search(row, None, Effort { visits: 600, rerank: 24 }, &mut out);
                slot.iter_mut().zip(&out).for_each(|(slot, found)| *slot = *found);
            }
            Ok::<(), String>(())
        })?;
        Ok(near)
    }

    fn block(&self, base: &[f32], near: &[[u32; K]], first: usize, count: usize) -> Vec<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(SEED);
        rng.set_stream(first as u64);
        let row = |ix: u32| &base[ix as usize * self.dim..(ix as usize + 1) * self.dim];
        let (mut made, mut mean) = (Vec::with_capacity(count * self.dim), vec![0.0f32; self.dim]);
        for _ in 0..count {
            let from = rng.random_range(0..self.rows as u32);
            let near = near[from as usize];
            mean.fill(0.0);
            near.iter().for_each(|ix| mean.iter_mut().zip(row(*ix)).for_each(|(m, v)| *m += v / K as f32));
            let mut new: Vec<f32> = row(from).iter().zip(&mean).map(|(v, m)| m + KEPT * (v - m)).collect();
            for ix in near {
                let by = WIDTH * normal(&mut rng) / (K as f32).sqrt();
                new.iter_mut().zip(row(ix)).zip(&mean).for_each(|((new, v), mean)| *new += by * (v - mean));
            }
            let length = new.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
            made.extend(new.iter().map(|v| v / length));
        }
        made
    }
}

/// What a made row keeps of what its row lies beyond the mean of the nearest.
const KEPT: f32 = 0.5;
/// Standard deviation of the random part beside that of the nearest: with what is kept, about theirs again.
const WIDTH: f32 = 0.85;

/// About normal: the sum of twelve evenly distributed numbers.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    (0..12).map(|_| rng.random::<f32>()).sum::<f32>() - 6.0
}

/// A file of rows under construction.
struct Out<'a> {
    path: &'a Path,
    file: BufWriter<File>,
}

impl<'a> Out<'a> {
    fn create(path: &'a Path) -> Result<Self, String> {
        let file = File::create(path).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(Self { path, file: BufWriter::with_capacity(1 << 20, file) })
    }

    fn put(&mut self, rows: &[f32]) -> Result<(), String> {
        self.file.write_all(rows.as_bytes()).map_err(|e| format!("{}: {e}", self.path.display()))
    }

    fn close(mut self) -> Result<(), String> {
        self.file.flush().map_err(|e| format!("{}: {e}", self.path.display()))
    }
}
