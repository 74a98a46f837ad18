//! Finds the products whose OUT vectors lie nearest to the query vectors, within a fixed visit budget.
//!
//! The nearest cells are chosen through areas, which are groups of cells; the codes of their products are scanned in
//! sequence; the best of those are compared again by their whole rows. What a policy suppresses is skipped before it is
//! read: a whole cell where nothing in it is allowed, a block of 16 products where none of them is.

mod allow;
mod cells;
mod heap;
mod query;
mod scan;

use zerocopy::little_endian::U32;

use self::cells::CellScratch;
use self::scan::{Coded, Pool, Range};
use super::view::View;
use crate::distance::{BLOCK, Kernel, prefetch};
use crate::limits::{PROBES_MAX, QUERIES_MAX, RERANK_MAX, SEARCH_HITS_MAX};

pub use allow::AllowList;
pub(crate) use allow::{Filter, RefusedClasses};
pub(crate) use heap::{Best, key, key_ix, key_score};
pub(crate) use query::Query;

/// How hard a search tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Allowed products that a search compares by their codes, all its queries together.
    pub visits: u32,
    /// Of those, the best ones for each query that are compared again by their whole rows; at most 512. Where no more are
    /// allowed in all, or their rows take no more than 64 KiB, every one is compared by its whole row at once.
    pub rerank: u32,
}

impl Effort {
    /// Compares every allowed product by its whole row: exact, and as slow as that is.
    pub const EXACT: Self = Self { visits: u32::MAX, rerank: u32::MAX };

    /// So many parts of so many of its visits; all where it is exact.
    pub(crate) fn share(self, parts: usize, of: usize) -> Self {
        let share = u64::from(self.visits) * parts as u64 / of.max(1) as u64;
        let exact = self.visits == u32::MAX;
        Self { visits: if exact { u32::MAX } else { share.min(u32::MAX.into()) as u32 }, ..self }
    }
}

/// A small set of rows, of types or categories for example, with a quick "surely not".
#[derive(Debug)]
pub(crate) struct RowSet {
    bloom: [u64; 16],
    sorted: Vec<u32>,
}

impl RowSet {
    pub(crate) fn with_capacity(rows: usize) -> Self {
        Self { bloom: [0; 16], sorted: Vec::with_capacity(rows) }
    }

    /// Replaces the content; what exceeds the capacity is the caller's to prevent.
    pub(crate) fn fill(&mut self, rows: impl Iterator<Item = u32>) {
        self.sorted.clear();
        self.bloom = [0; 16];
        for row in rows.filter(|row| *row != super::format::NONE).take(self.sorted.capacity()) {
            self.sorted.push(row);
            let (word, bit) = Self::place(row);
            if let Some(word) = self.bloom.get_mut(word) {
                *word |= bit;
            }
        }
        self.sorted.sort_unstable();
        self.sorted.dedup();
    }

    fn place(row: u32) -> (usize, u64) {
        let hash = row.wrapping_mul(0x9E37_79B1) >> 22; // 10 bits
        ((hash >> 6) as usize, 1 << (hash & 63))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sorted.is_empty()
    }

    #[inline]
    pub(crate) fn contains(&self, row: u32) -> bool {
        let (word, bit) = Self::place(row);
        self.bloom.get(word).is_some_and(|w| w & bit != 0) && self.sorted.binary_search(&row).is_ok()
    }
}

/// Rows of so many bytes in all are compared faster than cells are chosen for them.
const EXACT_BYTES: u64 = 1 << 16;
/// Products of whose blocks few are allowed are scored with them: at most so many for each that was asked for.
const SCORED_PER_VISIT: u32 = 4;
/// Products whose rows are asked for at once where all are compared.
const AT_ONCE: usize = 64;
/// Cells that are fetched from memory before it is their turn.
const AHEAD: usize = 2;

/// Memory of a search, set aside once.
#[derive(Debug)]
pub(crate) struct SearchScratch {
    cells: CellScratch,
    /// Keys of the cells that each query chose, nearest first.
    chosen: [Vec<i64>; QUERIES_MAX],
    pool: Pool,
    /// Products to be compared by their whole rows.
    found: Vec<u32>,
    /// The products found.
    pub(crate) hits: Best,
}

impl SearchScratch {
    pub(crate) fn new() -> Self {
        Self {
            cells: CellScratch::new(),
            chosen: std::array::from_fn(|_| Vec::with_capacity(2 * PROBES_MAX)),
            pool: Pool::new(RERANK_MAX),
            found: Vec::with_capacity(RERANK_MAX * QUERIES_MAX),
            hits: Best::new(SEARCH_HITS_MAX),
        }
    }
}

/// What a search did; equal on every machine.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SearchCounters {
    /// Centroids compared.
    pub centroids: u32,
    /// Cells scanned.
    pub cells: u32,
    /// Products compared, by their codes or, in an exact search, by their rows.
    pub products: u32,
    /// Products compared again by their rows.
    pub reranked: u32,
}

impl SearchCounters {
    pub(crate) fn add(&mut self, other: Self) {
        self.centroids += other.centroids;
        self.cells += other.cells;
        self.products += other.products;
        self.reranked += other.reranked;
    }
}

/// Fills `scratch.hits` with the best products by the greatest dot product over `queries`.
pub(crate) fn search(
    view: &View<'_>,
    kernel: Kernel,
    queries: &[Query],
    filter: Filter<'_>,
    effort: Effort,
    scratch: &mut SearchScratch,
) -> SearchCounters {
    scratch.hits.clear();
    scratch.found.clear();
    let mut counters = SearchCounters::default();
    let queries = queries.get(..QUERIES_MAX).unwrap_or(queries);
    if queries.is_empty() {
        return counters;
    }
    let few = u64::from(filter.allowed.total()) * view.out_row_bytes() as u64 <= EXACT_BYTES;
    if few || filter.allowed.total() <= effort.rerank {
        compare_all(view, kernel, queries, filter, scratch, &mut counters);
        return counters;
    }
    // A basket of many lines is worth no more work than one of a single line.
    let effort = Effort { visits: (effort.visits / queries.len() as u32).max(1), ..effort };
    // First all choose and then all scan: what one will scan is on its way while the next one chooses.
    for (at, query) in queries.iter().enumerate() {
        cells::choose(view, kernel, query, filter.allowed, effort.visits, &mut scratch.cells, &mut counters);
        filter.foresee(view, scratch.cells.probes.iter().map(|probe| key_ix(*probe)));
        scratch.cells.probes.iter().take(AHEAD).for_each(|probe| foresee_cell(view, filter, *probe));
        if let Some(chosen) = scratch.chosen.get_mut(at) {
            std::mem::swap(chosen, &mut scratch.cells.probes);
        }
    }
    for (at, query) in queries.iter().enumerate() {
        scan_cells(view, kernel, (query, at), filter, effort, scratch, &mut counters);
    }
    compare_found(view, kernel, queries, scratch, &mut counters);
    counters
}

/// Few enough to look at every one: exact.
fn compare_all(
    view: &View<'_>,
    kernel: Kernel,
    queries: &[Query],
    filter: Filter<'_>,
    scratch: &mut SearchScratch,
    counters: &mut SearchCounters,
) {
    let SearchScratch { found, hits, .. } = scratch;
    counters.cells += filter.allowed.open.len() as u32;
    filter.foresee(view, filter.allowed.open.iter().copied());
    for record in filter.allowed.open.iter().filter_map(|cell| view.cells.get(*cell as usize)) {
        let start = record.start.get();
        let end = start.saturating_add(record.count.get()).min(view.product_count());
        filter.products.each(start..end, |product| {
            if !filter.types.contains(view.type_of(product)) {
                found.push(product); // within capacity: it is emptied long before
            }
            if found.len() == AT_ONCE {
                counters.products += AT_ONCE as u32;
                compare_rows(view, kernel, queries, found, hits);
                found.clear();
            }
        });
    }
    counters.products += found.len() as u32;
    compare_rows(view, kernel, queries, found, hits);
}

/// Greatest dot product over the queries.
#[inline]
pub(crate) fn exact(view: &View<'_>, kernel: Kernel, queries: &[Query], product: u32) -> i32 {
    let Some((row, fine)) = view.out_row(product) else { return i32::MIN };
    queries.iter().map(|query| query.exact(kernel, row, fine)).max().unwrap_or(i32::MIN)
}

fn products_of<'a>(view: &View<'a>) -> Coded<'a> {
    Coded { codes: view.out_codes, steps: view.out_steps, dim: view.dim }
}

/// The products of the cell behind a key.
fn cell_range(view: &View<'_>, probe: i64) -> Option<Range> {
    view.cells.get(key_ix(probe) as usize).map(Range::of)
}

/// Asks for what a scan of the cell behind a key will read.
fn foresee_cell(view: &View<'_>, filter: Filter<'_>, probe: i64) {
    let Some(range) = cell_range(view, probe) else { return };
    // Fewer than one for each block: asking for all of them costs more than looking which ones are open.
    if filter.allowed.of_cell(key_ix(probe)).saturating_mul(BLOCK as u32) < range.count {
        products_of(view).prefetch_open(range, &filter.products);
    } else {
        products_of(view).prefetch(range);
    }
    if !filter.types.is_empty() {
        prefetch(types_of(view, range));
    }
}

fn types_of<'a>(view: &View<'a>, range: Range) -> &'a [U32] {
    let (start, count) = (range.start as usize, range.count as usize);
    view.type_of.get(start..start.saturating_add(count)).unwrap_or(&[])
}

/// How many of the chosen cells, nearest first, hold as many allowed products as the budget says.
fn within(budget: u32, allowed: &AllowList, probes: &[i64]) -> usize {
    let mut seen = 0u32;
    let is_within = |probe: &&i64| {
        let before = seen;
        seen = seen.saturating_add(allowed.of_cell(key_ix(**probe)));
        before < budget
    };
    probes.iter().take_while(is_within).count()
}

/// Scans the chosen cells, nearest first, until as many allowed products were seen as the budget says; the best join `found`.
fn scan_cells(
    view: &View<'_>,
    kernel: Kernel,
    (query, at): (&Query, usize),
    filter: Filter<'_>,
    effort: Effort,
    scratch: &mut SearchScratch,
    counters: &mut SearchCounters,
) {
    let SearchScratch { chosen, pool, found, .. } = scratch;
    let probes = chosen.get(at).map_or(&[][..], Vec::as_slice);
    let coded = products_of(view);
    if view.is_cold() {
        for range in probes.iter().filter_map(|probe| cell_range(view, *probe)) {
            coded.want(view, range);
            view.want(types_of(view, range));
        }
    }
    pool.clear((effort.rerank as usize).min(RERANK_MAX));
    let probes = probes.get(..within(effort.visits, filter.allowed, probes)).unwrap_or(probes);
    let mut scored = 0;
    for (at, probe) in probes.iter().enumerate() {
        if scored >= effort.visits.saturating_mul(SCORED_PER_VISIT) {
            break;
        }
        // Cells to come are fetched from memory while this one is scanned.
        let ahead = if at == 0 { 1..=AHEAD } else { AHEAD..=AHEAD };
        for next in ahead.filter_map(|ahead| probes.get(at + ahead)) {
            foresee_cell(view, filter, *next);
        }
        let cell = key_ix(*probe);
        let Some(range) = cell_range(view, *probe) else { continue };
        counters.cells += 1;
        let bits = (&filter.products, filter.is_whole(cell, range.count));
        let any_type = filter.types.is_empty();
        let free = |product: u32| any_type || !filter.types.contains(view.type_of(product));
        scored += pool.scan(kernel, query, coded, range, key_score(*probe), bits, free);
    }
    counters.products += scored;
    found.extend(pool.settle().iter().map(|key| key_ix(*key)));
}

/// Compares what the scans found by whole rows, each product once.
fn compare_found(
    view: &View<'_>,
    kernel: Kernel,
    queries: &[Query],
    scratch: &mut SearchScratch,
    counters: &mut SearchCounters,
) {
    let SearchScratch { found, hits, .. } = scratch;
    if queries.len() > 1 {
        found.sort_unstable();
        found.dedup();
    }
    if view.is_cold() {
        found.iter().filter_map(|product| view.out_row(*product)).for_each(|(row, _)| view.want(row));
    }
    counters.reranked += found.len() as u32;
    compare_rows(view, kernel, queries, found, hits);
}

/// Compares products by whole rows, all of which are asked for before the first one is read.
fn compare_rows(view: &View<'_>, kernel: Kernel, queries: &[Query], products: &[u32], hits: &mut Best) {
    for (row, fine) in products.iter().filter_map(|product| view.out_row(*product)) {
        prefetch(row);
        prefetch(fine);
    }
    for product in products {
        hits.offer(key(exact(view, kernel, queries, *product), *product));
    }
}
