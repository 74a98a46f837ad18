//! Spherical k-means over OUT rows: which cell each product lies in. Integer sums, so the same on every machine.
//!
//! No step compares all products with all centroids: coarse groups first, cells inside them, then rounds over all products
//! in which one compares only cells near its own.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rand::SeedableRng;
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::graph;
use super::progress::{Progress, Unit};
use super::quantize::{Rows, unit_dot};
use crate::distance::Kernel;
use crate::limits::CELLS_MAX;

/// Products that a cell holds on average.
const PRODUCTS_PER_CELL: usize = 72;
/// Most products of a cell, since a search reads a cell to its end. More only where [`CELLS_MAX`] leaves no choice.
const CELL_PRODUCTS_MAX: usize = 320;
/// Most cells to train: an eighth of the limit stays free for splits.
const CELLS_TRAINED_MAX: usize = CELLS_MAX as usize / 8 * 7;
/// Sampled products per coarse group in training.
const SAMPLE_PER_GROUP: usize = 256;
/// Sampled products per cell in training.
const SAMPLE_PER_CELL: usize = 128;
/// Rounds of training coarse groups, and cells inside a group.
const TRAINING_ROUNDS: usize = 6;
/// Rounds over all products.
const ROUNDS: usize = 8;
/// Rounds that walk on one graph: cells move little.
const ROUNDS_PER_GRAPH: usize = 4;

/// Centroids, and the cell of each product row. No cell is empty; neighbours in number lie near each other.
#[derive(Debug)]
pub(crate) struct Cells {
    pub(crate) centroids: Rows,
    pub(crate) cell_of: Vec<u32>,
    /// First cell and count of each area: a group of cells that lie near each other.
    pub(crate) areas: Vec<(u32, u32)>,
    pub(crate) area_centroids: Rows,
}

/// Groups rows into cells.
pub(crate) fn group(rows: &Rows, seed: u64, progress: &dyn Progress) -> Cells {
    // In passes over all products, roughly.
    let (trained, reassigned) = (TRAINING_ROUNDS + 1, TRAINING_ROUNDS + 1 + ROUNDS);
    progress.start("group products into cells", reassigned as u64 + 2, Unit::Items);
    let work = Work { rows, kernel: Kernel::detect(), seed };
    let count = rows.len().div_ceil(PRODUCTS_PER_CELL).min(CELLS_TRAINED_MAX);
    let coarse = work.coarse((2 * count.isqrt()).min(count));
    progress.at(1);
    let mut cells = work.cells_in_groups(&coarse, count);
    let mut near = Vec::new();
    for round in 0..ROUNDS {
        progress.at((trained + round) as u64);
        if round % ROUNDS_PER_GRAPH == 0 {
            near = graph::neighbours(&cells.centroids);
        }
        work.reassign(&near, &mut cells);
        work.move_centroids(&mut cells);
    }
    progress.at(reassigned as u64);
    work.reassign(&near, &mut cells);
    progress.at(reassigned as u64 + 1);
    let members = work.split(Members::new(&cells.cell_of, cells.centroids.len()));
    let cells = work.in_order(&coarse, members);
    progress.finish(&format!("{} cells", cells.centroids.len()));
    cells
}

/// What every step reads.
struct Work<'a> {
    rows: &'a Rows,
    kernel: Kernel,
    seed: u64,
}

impl Work<'_> {
    fn row(&self, row: u32) -> &[i8] {
        self.rows.row(row as usize)
    }

    /// Centroids of coarse groups, from a sample of all products.
    fn coarse(&self, count: usize) -> Rows {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let all: Vec<u32> = (0..self.rows.len() as u32).collect();
        let picked = pick(&mut rng, &all, count * SAMPLE_PER_GROUP);
        self.train(&picked, count, &mut rng)
    }

    /// Cells inside each coarse group, in proportion to its products, and for each product the nearest in its group.
    fn cells_in_groups(&self, coarse: &Rows, count: usize) -> Cells {
        let n = self.rows.len();
        let all = 0..n as u32;
        let mut cell_of =
            all.into_par_iter().map(|row| self.nearest(coarse, self.row(row))).collect::<Vec<_>>();
        let groups = Members::new(&cell_of, coarse.len());
        let inside = |group: usize| {
            let own = groups.of(group);
            let share = (own.len() * count / n).max(1);
            let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
            rng.set_stream(group as u64 + 1);
            let picked = pick(&mut rng, own, share * SAMPLE_PER_CELL);
            let centroids = self.train(&picked, share, &mut rng);
            let nearest: Vec<u32> =
                own.par_iter().map(|row| self.nearest(&centroids, self.row(*row))).collect();
            (group, centroids, nearest)
        };
        let used: Vec<usize> = (0..coarse.len()).filter(|group| !groups.of(*group).is_empty()).collect();
        let trained: Vec<(usize, Rows, Vec<u32>)> = used.into_par_iter().map(inside).collect();
        let mut centroids = Rows { dim: coarse.dim, values: Vec::new() };
        for (group, own, nearest) in trained {
            let first = centroids.len() as u32;
            for (row, cell) in groups.of(group).iter().zip(nearest) {
                cell_of[*row as usize] = first + cell;
            }
            centroids.values.extend(own.values);
        }
        Cells {
            centroids,
            cell_of,
            areas: Vec::new(),
            area_centroids: Rows { dim: coarse.dim, values: Vec::new() },
        }
    }

    /// Plain k-means over a few rows. A centroid without rows stays.
    fn train(&self, picked: &[u32], count: usize, rng: &mut ChaCha8Rng) -> Rows {
        let mut centroids = Rows { dim: self.rows.dim, values: Vec::with_capacity(count * self.rows.dim) };
        for ix in sample(rng, picked.len(), count.min(picked.len())) {
            centroids.values.extend_from_slice(self.row(picked[ix]));
        }
        for _ in 0..TRAINING_ROUNDS {
            let nearest: Vec<u32> =
                picked.par_iter().map(|row| self.nearest(&centroids, self.row(*row))).collect();
            let members = Members::new(&nearest, centroids.len());
            centroids.values.par_chunks_exact_mut(centroids.dim).enumerate().for_each(|(cell, centroid)| {
                self.centre(members.of(cell).iter().map(|at| picked[*at as usize]), centroid);
            });
        }
        centroids
    }

    fn nearest(&self, centroids: &Rows, row: &[i8]) -> u32 {
        let mut best = (i32::MIN, 0);
        for (cell, centroid) in centroids.values.chunks_exact(centroids.dim).enumerate() {
            let score = self.kernel.dot(centroid, row);
            if score > best.0 {
                best = (score, cell as u32);
            }
        }
        best.1
    }

    /// Each product moves to the nearest cell that neighbours of cells lead to.
    fn reassign(&self, near: &[Vec<u32>], cells: &mut Cells) {
        // By cell, so that the centroids compared stay in cache.
        let members = Members::new(&cells.cell_of, cells.centroids.len());
        let dot = |cell: u32, row: &[i8]| self.kernel.dot(cells.centroids.row(cell as usize), row);
        let walk = |row: &u32| {
            let (mut here, row) = (cells.cell_of[*row as usize], self.row(*row));
            let mut best = (dot(here, row), here);
            loop {
                for cell in &near[here as usize] {
                    let score = dot(*cell, row);
                    if score > best.0 {
                        best = (score, *cell);
                    }
                }
                if best.1 == here {
                    return here;
                }
                here = best.1;
            }
        };
        let moved: Vec<u32> = members.rows.par_iter().map(walk).collect();
        for (row, cell) in members.rows.iter().zip(moved) {
            cells.cell_of[*row as usize] = cell;
        }
    }

    /// A cell without products stays where it is.
    fn move_centroids(&self, cells: &mut Cells) {
        let members = Members::new(&cells.cell_of, cells.centroids.len());
        cells.centroids.values.par_chunks_exact_mut(self.rows.dim).enumerate().for_each(
            |(cell, centroid)| {
                self.centre(members.of(cell).iter().copied(), centroid);
            },
        );
    }

    /// The direction of the sum of rows; unchanged if that is nothing.
    fn centre(&self, of: impl Iterator<Item = u32>, centroid: &mut [i8]) {
        centre_of(of.map(|row| self.row(row)), centroid);
    }

    /// The products of each cell: empty cells dropped, the largest halved until none exceeds the cap.
    fn split(&self, members: Members) -> Vec<Vec<u32>> {
        let (mut done, mut large) = (Vec::new(), BinaryHeap::new());
        for cell in 0..members.starts.len() - 1 {
            let own = members.of(cell).to_vec();
            match own.len() {
                0 => {}
                1..=CELL_PRODUCTS_MAX => done.push(own),
                len => large.push((len, Reverse(cell), own)),
            }
        }
        let mut next = members.starts.len();
        while done.len() + large.len() < CELLS_MAX as usize {
            let Some((_, _, own)) = large.pop() else { break };
            for half in self.halves(own) {
                match half.len() {
                    ..=CELL_PRODUCTS_MAX => done.push(half),
                    len => large.push((len, Reverse(next), half)),
                }
                next += 1;
            }
        }
        done.extend(large.into_iter().map(|(_, _, own)| own));
        done
    }

    /// 2-means of the products of a cell. Neither half is smaller than a quarter, so that equal rows are split too.
    fn halves(&self, own: Vec<u32>) -> [Vec<u32>; 2] {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let centroids = self.train(&own, 2, &mut rng);
        let dot = |cell: usize, row: u32| self.kernel.dot(centroids.row(cell), self.row(row));
        let mut by_side: Vec<(i32, u32)> =
            own.iter().map(|row| (dot(1, *row) - dot(0, *row), *row)).collect();
        by_side.sort_unstable();
        let cut = by_side.partition_point(|(side, _)| *side <= 0).clamp(own.len() / 4, own.len() * 3 / 4);
        let (left, right) = by_side.split_at(cut);
        [left, right].map(|half| {
            let mut half: Vec<u32> = half.iter().map(|(_, row)| *row).collect();
            half.sort_unstable();
            half
        })
    }

    /// Numbers cells so that neighbours in number are near: by coarse group, and along a chain within each.
    fn in_order(&self, coarse: &Rows, members: Vec<Vec<u32>>) -> Cells {
        let (dim, count) = (self.rows.dim, members.len());
        let mut centroids = Rows { dim, values: vec![0; count * dim] };
        centroids.values.par_chunks_exact_mut(dim).zip(&members).for_each(|(centroid, own)| {
            self.centre(own.iter().copied(), centroid);
        });
        let group_of: Vec<u32> =
            (0..count).into_par_iter().map(|cell| self.nearest(coarse, centroids.row(cell))).collect();
        let groups = Members::new(&group_of, coarse.len());
        let all: Vec<u32> = (0..coarse.len() as u32).collect();
        let chains: Vec<Vec<u32>> = self
            .chain(coarse, &all)
            .par_iter()
            .map(|group| self.chain(&centroids, groups.of(*group as usize)))
            .filter(|chain| !chain.is_empty())
            .collect();
        let mut cells = Cells {
            centroids: Rows { dim, values: Vec::with_capacity(count * dim) },
            cell_of: vec![0; self.rows.len()],
            areas: Vec::with_capacity(chains.len()),
            area_centroids: Rows { dim, values: vec![0; chains.len() * dim] },
        };
        let mut next = 0;
        for (chain, centroid) in chains.iter().zip(cells.area_centroids.values.chunks_exact_mut(dim)) {
            centre_of(chain.iter().map(|cell| centroids.row(*cell as usize)), centroid);
            cells.areas.push((next, chain.len() as u32));
            for old in chain {
                cells.centroids.values.extend_from_slice(centroids.row(*old as usize));
                members[*old as usize].iter().for_each(|row| cells.cell_of[*row as usize] = next);
                next += 1;
            }
        }
        cells
    }

    /// From the first, always on to the nearest of those left.
    fn chain(&self, rows: &Rows, of: &[u32]) -> Vec<u32> {
        let (mut left, mut order) = (of.to_vec(), Vec::with_capacity(of.len()));
        let mut next = 0;
        while next < left.len() {
            let here = left.swap_remove(next);
            order.push(here);
            let near = |ix: u32| self.kernel.dot(rows.row(ix as usize), rows.row(here as usize));
            let nearest = left.iter().enumerate().max_by_key(|(_, ix)| (near(**ix), Reverse(**ix)));
            next = nearest.map_or(0, |(at, _)| at);
        }
        order
    }
}

/// The direction of the sum of rows; unchanged if that is nothing.
fn centre_of<'a>(rows: impl Iterator<Item = &'a [i8]>, centroid: &mut [i8]) {
    let dim = centroid.len();
    let mut sum = vec![0i64; dim];
    for row in rows {
        for (total, value) in sum.iter_mut().zip(row) {
            *total += i64::from(*value);
        }
    }
    let length = sum.iter().map(|v| i128::from(*v).pow(2)).sum::<i128>().isqrt() as i64;
    if length > 0 {
        let unit = i64::from(unit_dot(dim)).isqrt();
        for (value, total) in centroid.iter_mut().zip(sum) {
            *value = (2 * total * unit + length).div_euclid(2 * length).clamp(-127, 127) as i8;
        }
    }
}

/// Some of the rows, in order.
fn pick(rng: &mut ChaCha8Rng, rows: &[u32], count: usize) -> Vec<u32> {
    let mut picked: Vec<u32> =
        sample(rng, rows.len(), count.min(rows.len())).iter().map(|ix| rows[ix]).collect();
    picked.sort_unstable();
    picked
}

/// Row numbers by cell, ascending within each.
struct Members {
    /// First position of each cell in `rows`, and the end of the last.
    starts: Vec<u32>,
    rows: Vec<u32>,
}

impl Members {
    /// A counting sort.
    fn new(cell_of: &[u32], cells: usize) -> Self {
        let mut starts = vec![0u32; cells + 1];
        for cell in cell_of {
            starts[*cell as usize + 1] += 1;
        }
        for cell in 0..cells {
            starts[cell + 1] += starts[cell];
        }
        let (mut next, mut rows) = (starts.clone(), vec![0; cell_of.len()]);
        for (row, cell) in cell_of.iter().enumerate() {
            rows[next[*cell as usize] as usize] = row as u32;
            next[*cell as usize] += 1;
        }
        Self { starts, rows }
    }

    fn of(&self, cell: usize) -> &[u32] {
        &self.rows[self.starts[cell] as usize..self.starts[cell + 1] as usize]
    }
}

#[cfg(test)]
mod tests {
    use rand::Rng;

    use super::*;
    use crate::build::progress::Silent;

    const DIM: usize = 64;

    /// Rows around random centres, some centres far more popular than others.
    fn clustered(n: usize) -> Rows {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let centres: Vec<i8> = (0..40 * DIM).map(|_| rng.random_range(-40..=40)).collect();
        let mut values = Vec::with_capacity(n * DIM);
        for _ in 0..n {
            let centre = rng.random_range(0..40usize) * rng.random_range(0..40usize) / 40;
            values.extend(
                centres[centre * DIM..][..DIM].iter().map(|value| value + rng.random_range(-12..=12i8)),
            );
        }
        Rows { dim: DIM, values }
    }

    /// Groups rows and checks what must hold for any.
    fn grouped(rows: &Rows) -> (Cells, Vec<usize>) {
        let cells = group(rows, 1, &Silent);
        assert_eq!(cells.cell_of.len(), rows.len());
        let mut sizes = vec![0; cells.centroids.len()];
        cells.cell_of.iter().for_each(|cell| sizes[*cell as usize] += 1);
        assert!(sizes.iter().all(|size| (1..=CELL_PRODUCTS_MAX).contains(size)), "{sizes:?}");
        (cells, sizes)
    }

    #[test]
    fn small_inputs_are_grouped() {
        for (n, cells) in [(0, 0..=0), (1, 1..=1), (10, 1..=1), (100, 1..=2), (1000, 8..=16)] {
            let (_, sizes) = grouped(&clustered(n));
            assert!(cells.contains(&sizes.len()), "{n} products in {} cells", sizes.len());
        }
    }

    #[test]
    fn equal_rows_and_rows_of_nothing_are_split_by_number() {
        for value in [0i8, 30] {
            let (_, sizes) = grouped(&Rows { dim: DIM, values: vec![value; 3000 * DIM] });
            assert!((10..=40).contains(&sizes.len()), "{sizes:?}");
        }
    }

    #[test]
    fn a_dense_spot_does_not_make_a_large_cell() {
        let mut rows = clustered(4000);
        let spot = rows.row(0).to_vec();
        rows.values[..2000 * DIM].chunks_exact_mut(DIM).for_each(|row| row.copy_from_slice(&spot));
        grouped(&rows);
    }

    #[test]
    fn products_lie_near_their_centroid_and_cells_near_the_next() {
        let rows = clustered(20_000);
        let (cells, _) = grouped(&rows);
        let kernel = Kernel::detect();
        let unit = |row: &[i8]| f64::from(kernel.dot(row, row)).sqrt();
        let cosine = |a: &[i8], b: &[i8]| f64::from(kernel.dot(a, b)) / unit(a) / unit(b);
        let own = |ix: usize| cosine(rows.row(ix), cells.centroids.row(cells.cell_of[ix] as usize));
        let mean = (0..rows.len()).map(own).sum::<f64>() / rows.len() as f64;
        assert!(mean > 0.95, "{mean}");
        let count = cells.centroids.len();
        let next = |ix: usize| cosine(cells.centroids.row(ix), cells.centroids.row(ix - 1));
        let mean = (1..count).map(next).sum::<f64>() / count as f64;
        assert!(mean > 0.7, "{mean}");
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let rows = clustered(20_000);
        let on = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
            pool.install(|| group(&rows, 3, &Silent))
        };
        let one = on(1);
        for other in [on(2), on(5)] {
            assert_eq!(one.cell_of, other.cell_of);
            assert_eq!(one.centroids.values, other.centroids.values);
        }
    }
}
