//! Finds the products whose OUT vectors lie nearest to the query vectors, within a fixed visit budget.
//!
//! The centroid graph names the nearest cells; their products are scanned in sequence. What a policy suppresses is skipped
//! before it is read: a whole cell where nothing in it is allowed, a product where its bit is off.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::format::NONE;
use super::view::View;
use crate::distance::Kernel;
use crate::limits::{GRAPH_BEAM, GRAPH_VISITS_MAX, QUERIES_MAX, SEARCH_HITS_MAX};

/// Score and index in one comparable number: higher score first, then lower index.
#[inline]
pub(crate) fn key(score: i32, ix: u32) -> i64 {
    (i64::from(score) << 32) | i64::from(u32::MAX - ix)
}

/// The index of a [`key`].
#[inline]
pub(crate) fn key_ix(key: i64) -> u32 {
    u32::MAX - (key & 0xFFFF_FFFF) as u32
}

/// The best `limit` keys seen, in memory that was set aside once.
#[derive(Debug)]
pub(crate) struct Best {
    heap: BinaryHeap<Reverse<i64>>,
    limit: usize,
}

impl Best {
    pub(crate) fn new(limit: usize) -> Self {
        Self { heap: BinaryHeap::with_capacity(limit), limit }
    }

    pub(crate) fn clear(&mut self) {
        self.heap.clear();
    }

    /// Keeps `key` if it is among the best; says whether it did.
    #[inline]
    pub(crate) fn offer(&mut self, key: i64) -> bool {
        if self.heap.len() < self.limit {
            self.heap.push(Reverse(key));
            return true;
        }
        match self.heap.peek_mut() {
            Some(mut worst) if worst.0 < key => {
                *worst = Reverse(key);
                true
            }
            _ => false,
        }
    }

    /// The worst key kept, once full.
    #[inline]
    fn bar(&self) -> Option<i64> {
        (self.heap.len() == self.limit).then(|| self.heap.peek().map_or(i64::MIN, |worst| worst.0))
    }

    /// The keys kept, in no particular order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = i64> + '_ {
        self.heap.iter().map(|key| key.0)
    }
}

/// What a search may look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// One bit per product.
    pub(crate) allowed: &'a [u64],
    /// Allowed products per cell.
    pub(crate) cell_allowed: &'a [u32],
    /// Allowed products in all.
    pub(crate) allowed_total: u32,
    /// Types that may not come back.
    pub(crate) types: &'a TypeSet,
}

impl Filter<'_> {
    fn cell_has_any(&self, cell: u32) -> bool {
        self.cell_allowed.get(cell as usize).is_some_and(|count| *count > 0)
    }
}

/// A small set of types with a quick "surely not".
#[derive(Debug)]
pub(crate) struct TypeSet {
    bloom: [u64; 16],
    sorted: Vec<u32>,
}

impl TypeSet {
    pub(crate) fn with_capacity(types: usize) -> Self {
        Self { bloom: [0; 16], sorted: Vec::with_capacity(types) }
    }

    /// Replaces the content; what exceeds the capacity is the caller's to prevent.
    pub(crate) fn fill(&mut self, types: impl Iterator<Item = u32>) {
        self.sorted.clear();
        self.bloom = [0; 16];
        for kind in types.filter(|kind| *kind != NONE).take(self.sorted.capacity()) {
            self.sorted.push(kind);
            let (word, bit) = Self::place(kind);
            if let Some(word) = self.bloom.get_mut(word) {
                *word |= bit;
            }
        }
        self.sorted.sort_unstable();
        self.sorted.dedup();
    }

    fn place(kind: u32) -> (usize, u64) {
        let hash = kind.wrapping_mul(0x9E37_79B1) >> 22; // 10 bits
        ((hash >> 6) as usize, 1 << (hash & 63))
    }

    #[inline]
    pub(crate) fn contains(&self, kind: u32) -> bool {
        let (word, bit) = Self::place(kind);
        self.bloom.get(word).is_some_and(|w| w & bit != 0) && self.sorted.binary_search(&kind).is_ok()
    }
}

/// Memory of a search, set aside once.
#[derive(Debug)]
pub(crate) struct SearchScratch {
    visited: Vec<u64>,
    open: BinaryHeap<i64>,
    beam: Best,
    probes: Vec<i64>,
    /// The products found.
    pub(crate) hits: Best,
}

impl SearchScratch {
    pub(crate) fn new(cells: usize) -> Self {
        Self {
            visited: vec![0; cells.div_ceil(64)],
            open: BinaryHeap::with_capacity(GRAPH_VISITS_MAX + 1),
            beam: Best::new(GRAPH_BEAM),
            probes: Vec::with_capacity(GRAPH_BEAM * QUERIES_MAX),
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
    /// Products compared.
    pub products: u32,
}

impl SearchCounters {
    pub(crate) fn add(&mut self, other: Self) {
        self.centroids += other.centroids;
        self.cells += other.cells;
        self.products += other.products;
    }
}

/// Fills `scratch.hits` with the best products by the greatest dot product over `queries`.
/// Compares at most `budget` products; all allowed ones where the budget covers them.
pub(crate) fn search(
    view: &View<'_>,
    kernel: Kernel,
    queries: &[&[i8]],
    filter: Filter<'_>,
    budget: u32,
    scratch: &mut SearchScratch,
) -> SearchCounters {
    scratch.hits.clear();
    let mut counters = SearchCounters::default();
    if queries.is_empty() {
        return counters;
    }
    if filter.allowed_total <= budget {
        // Few enough to look at every one: exact.
        for cell in (0..view.cells.len() as u32).filter(|cell| filter.cell_has_any(*cell)) {
            scan(view, kernel, queries, filter, budget, cell, &mut scratch.hits, &mut counters);
        }
        return counters;
    }
    scratch.probes.clear();
    for query in queries.iter().take(QUERIES_MAX) {
        nearest_cells(view, kernel, query, filter, scratch, &mut counters);
        scratch.probes.extend(scratch.beam.keys());
    }
    scratch.probes.sort_unstable_by_key(|probe| Reverse(*probe));
    scratch.visited.fill(0);
    for probe in &scratch.probes {
        if counters.products >= budget {
            break;
        }
        let cell = key_ix(*probe);
        if mark(&mut scratch.visited, cell) {
            scan(view, kernel, queries, filter, budget, cell, &mut scratch.hits, &mut counters);
        }
    }
    counters
}

/// Sets the bit of `cell`; says whether it was off.
#[inline]
fn mark(visited: &mut [u64], cell: u32) -> bool {
    let Some(word) = visited.get_mut(cell as usize / 64) else {
        return false;
    };
    let bit = 1 << (cell % 64);
    let fresh = *word & bit == 0;
    *word |= bit;
    fresh
}

/// Beam search over the centroid graph (Malkov and Yashunin 2018, algorithms 2 and 5): the nearest cells that hold
/// anything allowed land in `scratch.beam`. Cells without are walked through, not kept.
fn nearest_cells(
    view: &View<'_>,
    kernel: Kernel,
    query: &[i8],
    filter: Filter<'_>,
    scratch: &mut SearchScratch,
    counters: &mut SearchCounters,
) {
    let score = |cell: u32| view.centroid(cell).map(|row| kernel.dot(query, row));
    let SearchScratch { visited, open, beam, .. } = scratch;
    visited.fill(0);
    open.clear();
    beam.clear();
    let Some(entry_score) = score(view.entry_cell) else {
        return;
    };
    let mut best = key(entry_score, view.entry_cell);
    let mut compared = 1usize;
    for layer in (1..=view.max_layer).rev() {
        best = descend(view, layer, best, &score, &mut compared);
    }
    open.push(best);
    mark(visited, key_ix(best));
    if filter.cell_has_any(key_ix(best)) {
        beam.offer(best);
    }
    while let Some(here) = open.pop() {
        if beam.bar().is_some_and(|bar| here < bar) || compared >= GRAPH_VISITS_MAX {
            break;
        }
        let Some(links) = view.graph_ground.get(key_ix(here) as usize) else {
            continue;
        };
        for cell in links.iter().map(|link| link.get()).take_while(|cell| *cell != NONE) {
            if !mark(visited, cell) || compared >= GRAPH_VISITS_MAX {
                continue;
            }
            let Some(near) = score(cell).map(|score| key(score, cell)) else {
                continue;
            };
            compared += 1;
            if beam.bar().is_none_or(|bar| near > bar) {
                open.push(near); // at most GRAPH_VISITS_MAX pushes: within capacity
                if filter.cell_has_any(cell) {
                    beam.offer(near);
                }
            }
        }
    }
    counters.centroids = counters.centroids.saturating_add(compared as u32);
}

/// Greedy walk on one upper layer.
fn descend(
    view: &View<'_>,
    layer: u32,
    mut best: i64,
    score: &impl Fn(u32) -> Option<i32>,
    compared: &mut usize,
) -> i64 {
    loop {
        let here = key_ix(best);
        let row = view.cells.get(here as usize).filter(|cell| cell.upper_layers.get() >= layer);
        let row = row.map(|cell| cell.upper_start.get().saturating_add(layer - 1));
        let Some(links) = row.and_then(|row| view.graph_upper.get(row as usize)) else {
            return best;
        };
        for cell in links.iter().map(|link| link.get()).take_while(|cell| *cell != NONE) {
            *compared += 1;
            best = best.max(score(cell).map_or(i64::MIN, |score| key(score, cell)));
        }
        if key_ix(best) == here || *compared >= GRAPH_VISITS_MAX {
            return best;
        }
    }
}

/// Compares the allowed products of one cell.
#[expect(
    clippy::too_many_arguments,
    reason = "the inner loop takes what it needs, nothing is bundled for show"
)]
fn scan(
    view: &View<'_>,
    kernel: Kernel,
    queries: &[&[i8]],
    filter: Filter<'_>,
    budget: u32,
    cell: u32,
    hits: &mut Best,
    counters: &mut SearchCounters,
) {
    let Some(record) = view.cells.get(cell as usize) else {
        return;
    };
    counters.cells += 1;
    let start = record.start.get().min(view.product_count());
    let end = start.saturating_add(record.count.get()).min(view.product_count());
    let mut product = start;
    while product < end {
        // Whole words of what is not allowed cost one step.
        let word = filter.allowed.get(product as usize / 64).copied().unwrap_or(0) >> (product % 64);
        if word & 1 == 0 {
            product += if word == 0 { 64 - product % 64 } else { word.trailing_zeros() };
            continue;
        }
        let here = product;
        product += 1;
        if filter.types.contains(view.type_of(here)) {
            continue;
        }
        if counters.products >= budget {
            return;
        }
        counters.products += 1;
        let Some(row) = view.out_vector(here) else {
            return;
        };
        let score = queries.iter().map(|query| kernel.dot(query, row)).max().unwrap_or(i32::MIN);
        hits.offer(key(score, here));
    }
}
