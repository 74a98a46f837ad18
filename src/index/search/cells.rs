//! Chooses the cells that a query scans: the nearest ones that hold anything allowed.
//!
//! The centroids of all areas are compared; the codes of the cells of the nearest areas are scanned; the best of those are
//! compared by their centroids. A graph over the cells, built by `hnsw_rs`, found fewer of the right cells in more time:
//! queries lie between clusters, where a walk gets stuck.

use super::SearchCounters;
use super::allow::AllowList;
use super::heap::{key, key_ix};
use super::query::Query;
use super::scan::{Coded, Pool, Range};
use crate::distance::{Kernel, prefetch, prefetch_at};
use crate::index::view::View;
use crate::limits::{AREAS_MAX, PROBES_MAX};

/// Memory of the choice.
#[derive(Debug)]
pub(super) struct CellScratch {
    areas: Vec<i64>,
    /// Dot product with each area's centroid.
    dots: Box<[i32; AREAS_MAX as usize]>,
    pool: Pool,
    /// Keys of the chosen cells, nearest first.
    pub(super) probes: Vec<i64>,
}

impl CellScratch {
    pub(super) fn new() -> Self {
        Self {
            areas: Vec::with_capacity(AREAS_MAX as usize),
            dots: Box::new([0; AREAS_MAX as usize]),
            pool: Pool::new(2 * PROBES_MAX),
            probes: Vec::with_capacity(2 * PROBES_MAX),
        }
    }
}

/// Areas whose cells are scanned in any case.
const AREAS_MIN: u64 = 12;
/// Cells to be found for which one more area is scanned.
const CELLS_PER_AREA: u64 = 3;
/// Cells whose codes can be scanned in the time in which one is compared by its centroid.
const SCANNED_PER_COMPARED: u64 = 3;

/// Centroids that are fetched from memory before it is their turn.
const FETCH: usize = 12;

/// Fills `scratch.probes` with enough cells to see `visits` allowed products.
pub(super) fn choose(
    view: &View<'_>,
    kernel: Kernel,
    query: &Query,
    allowed: &AllowList,
    visits: u32,
    scratch: &mut CellScratch,
    counters: &mut SearchCounters,
) {
    let (cells, areas) = (view.cells.len() as u64, (view.areas.len() as u64).max(1));
    let (open, total) = ((allowed.open.len() as u64).max(1), u64::from(allowed.total()).max(1));
    // Cells differ in size: a quarter more than the mean asks for.
    let wanted = (u64::from(visits) * open * 5 / (total * 4) + 2).min(PROBES_MAX as u64) as usize;
    // Where few cells are open, the nearest open ones lie as far away as so many of all.
    let near_areas =
        (AREAS_MIN + wanted as u64 * cells / open / CELLS_PER_AREA * areas / cells.isqrt()).min(areas);
    scratch.probes.clear();
    if open * SCANNED_PER_COMPARED <= near_areas * cells / areas {
        compare_open(view, kernel, query, allowed, wanted, scratch);
        counters.centroids += allowed.open.len() as u32;
    } else {
        nearest_areas(view, kernel, query, allowed, near_areas as usize, scratch);
        counters.centroids += view.areas.len() as u32;
        scan_areas(view, kernel, query, allowed, wanted, scratch, counters);
    }
    scratch.probes.sort_unstable_by(|a, b| b.cmp(a));
    scratch.probes.truncate(wanted);
}

/// Compares the centroid of every cell that holds anything allowed.
fn compare_open(
    view: &View<'_>,
    kernel: Kernel,
    query: &Query,
    allowed: &AllowList,
    wanted: usize,
    scratch: &mut CellScratch,
) {
    let CellScratch { pool, probes, .. } = scratch;
    pool.clear(wanted);
    let ask = |at: usize| prefetch(allowed.open.get(at).and_then(|cell| view.centroid(*cell)).unwrap_or(&[]));
    (0..FETCH).for_each(ask);
    for (at, cell) in allowed.open.iter().enumerate() {
        ask(at + FETCH);
        let Some(row) = view.centroid(*cell) else { continue };
        pool.offer(key(kernel.dot_wide(query.wide(), row), *cell));
    }
    probes.extend(pool.settle().iter());
}

/// The nearest areas with anything allowed, nearest first.
fn nearest_areas(
    view: &View<'_>,
    kernel: Kernel,
    query: &Query,
    allowed: &AllowList,
    wanted: usize,
    scratch: &mut CellScratch,
) {
    let CellScratch { areas, dots, .. } = scratch;
    areas.clear();
    let dots = dots.get_mut(..view.areas.len().min(AREAS_MAX as usize)).unwrap_or(&mut []);
    query.roughly(kernel, view.area_centroids, dots);
    let open = (0..).zip(dots).filter(|(area, _)| allowed.of_area(*area) > 0);
    areas.extend(open.map(|(area, dot)| key(*dot, area)));
    if wanted < areas.len() {
        areas.select_nth_unstable_by(wanted, |a, b| b.cmp(a));
        areas.truncate(wanted);
    }
    areas.sort_unstable_by(|a, b| b.cmp(a));
}

/// Scans the codes of the areas' cells, and compares the best by their centroids.
fn scan_areas(
    view: &View<'_>,
    kernel: Kernel,
    query: &Query,
    allowed: &AllowList,
    wanted: usize,
    scratch: &mut CellScratch,
    counters: &mut SearchCounters,
) {
    let CellScratch { areas, pool, probes, .. } = scratch;
    let coded = Coded { codes: view.cell_codes, steps: view.cell_steps, dim: view.dim };
    let range_of = |area: u32| {
        let area = view.areas.get(area as usize)?;
        Some(Range { start: area.start.get(), count: area.count.get(), block_start: area.block_start.get() })
    };
    // Codes are rough: half as many again are compared by their centroids.
    pool.clear(wanted + wanted / 2 + 8);
    for (at, near) in areas.iter().enumerate() {
        if let Some(next) = areas.get(at + 1).and_then(|next| range_of(key_ix(*next))) {
            coded.prefetch(next);
        }
        let area = key_ix(*near);
        let Some(range) = range_of(area) else { continue };
        let bits = (&allowed.cells, allowed.of_area(area) == range.count);
        let base = super::heap::key_score(*near);
        counters.centroids += pool.scan(kernel, query, coded, range, base, bits, |_| true);
    }
    let found = pool.settle();
    for cell in found.iter().map(|cell| key_ix(*cell)) {
        prefetch(view.centroid(cell).unwrap_or(&[]));
        prefetch_at(view.cells, cell as usize);
    }
    for cell in found.iter().map(|cell| key_ix(*cell)) {
        let Some(row) = view.centroid(cell) else { continue };
        probes.push(key(kernel.dot_wide(query.wide(), row), cell));
    }
}
