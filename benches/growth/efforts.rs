//! Searches of one size: the cheapest effort that reaches the recall, and what it costs.

use std::time::Instant;

use aftercart::Catalog;
use aftercart::index::Effort;

use crate::exact::Exact;
use crate::made::{Built, Made};
use crate::measure::{self, K, NONE, Recall};
use crate::report::{Compared, Size};
use crate::rows::Source;
use crate::vectors::{self, Opened};

/// Candidates tried for the comparison by rows.
const RERANKS: [u32; 12] = [12, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192];
/// Fewest products by codes, most, and the step between, in per cent.
const VISITS: (u32, u32, u32) = (150, 200_000, 5);
/// Passes over the queries by which efforts are compared.
const PASSES: usize = 3;

/// An opened catalog with what was found of it.
pub(crate) struct Searched {
    size: usize,
    opened: Opened,
    built: Built,
    exact: Exact,
    facts: Facts,
    effort: Effort,
    nanos: Vec<u32>,
}

/// What the file says.
struct Facts {
    bytes: usize,
    cells: u64,
    areas: u64,
    tuned: (Effort, f64),
}

impl Searched {
    pub(crate) fn open(source: &Source, made: Made) -> Result<Self, String> {
        let Made { size, catalog, built, exact } = made;
        eprintln!("{size}: opening");
        let catalog = vectors::open(&catalog)?;
        let facts = facts(&catalog);
        let opened = Opened::of(catalog, source.dim)?;
        let effort = facts.tuned.0;
        Ok(Self { size, opened, built, exact, facts, effort, nanos: Vec::new() })
    }

    fn answers(&mut self, source: &Source, effort: Effort) -> Vec<i32> {
        let (mut ids, mut out) = (Vec::with_capacity(source.queries().len() * K), Vec::with_capacity(K));
        for query in source.queries() {
            out.clear();
            self.opened.search(query, None, effort, &mut out);
            ids.extend(out.iter().map(|row| *row as i32).chain(std::iter::repeat(NONE)).take(K));
        }
        ids
    }

    fn recall(&mut self, source: &Source, effort: Effort) -> Recall {
        measure::recall(&self.answers(source, effort), &self.exact.ids)
    }

    /// One timed pass.
    fn time(&mut self, source: &Source, effort: Effort) -> Vec<u32> {
        let mut out = Vec::with_capacity(K);
        let each = source.queries().map(|query| {
            out.clear();
            let start = Instant::now();
            self.opened.search(query, None, effort, &mut out);
            start.elapsed().as_nanos() as u32
        });
        each.collect()
    }

    /// The fewest visits for each rerank that reach the recall, and of those the fastest.
    pub(crate) fn choose(&mut self, source: &Source, recall: f64) -> Result<(), String> {
        let visits = std::iter::successors(Some(VISITS.0), |visits| Some(visits + visits * VISITS.2 / 100));
        let visits: Vec<u32> = visits.take_while(|visits| *visits <= VISITS.1).collect();
        let mut efforts = Vec::new();
        for rerank in RERANKS {
            let at = visits.partition_point(|visits| {
                self.recall(source, Effort { visits: *visits, rerank }).all < recall
            });
            efforts.extend(visits.get(at).map(|visits| Effort { visits: *visits, rerank }));
        }
        let mut best = None;
        for effort in efforts {
            let nanos = (0..PASSES).flat_map(|_| self.time(source, effort)).collect();
            let p50 = measure::latency(nanos).map_or(f64::MAX, |latency| latency.p50);
            eprintln!("{}: visits {} rerank {}: p50 {p50:.1} us", self.size, effort.visits, effort.rerank);
            if best.is_none_or(|(least, _)| p50 < least) {
                best = Some((p50, effort));
            }
        }
        self.effort = best.ok_or_else(|| format!("{}: no effort reaches a recall of {recall}", self.size))?.1;
        Ok(())
    }

    /// One round: a pass to warm up, and a timed one.
    pub(crate) fn repeat(&mut self, source: &Source) {
        let effort = self.effort;
        self.time(source, effort);
        let nanos = self.time(source, effort);
        self.nanos.extend(nanos);
    }

    pub(crate) fn outcome(mut self, source: &Source) -> Size {
        let (effort, tuned) = (self.effort, self.facts.tuned);
        let compared = self.compared(source);
        Size {
            products: self.size,
            made: self.size > source.rows,
            nearest: self.exact.nearest(),
            spread: self.exact.spread(),
            build_seconds: self.built.seconds,
            build_peak_mb: self.built.peak_mb,
            bytes_per_product: self.facts.bytes as f64 / self.size as f64,
            areas: self.facts.areas,
            cells: self.facts.cells,
            builder_visits: tuned.0.visits,
            builder_rerank: tuned.0.rerank,
            builder_recall: tuned.1,
            recall_with_it: self.recall(source, tuned.0),
            visits: effort.visits,
            rerank: effort.rerank,
            recall: self.recall(source, effort),
            latency: measure::latency(std::mem::take(&mut self.nanos)).unwrap_or_default(),
            compared,
        }
    }

    /// Means of one search.
    fn compared(&mut self, source: &Source) -> Compared {
        let (mut sum, mut out) = ([0u64; 4], Vec::with_capacity(K));
        for query in source.queries() {
            out.clear();
            self.opened.search(query, None, self.effort, &mut out);
            let own = self.opened.search.counters();
            let own = [own.centroids, own.cells, own.products, own.reranked];
            sum.iter_mut().zip(own).for_each(|(sum, own)| *sum += u64::from(own));
        }
        let mean = sum.map(|sum| sum as f64 / source.queries().len() as f64);
        let (row, code) = (source.dim as f64, source.dim as f64 / 4.0 + 1.0);
        let (areas, coded) = (self.facts.areas as f64, mean[0] - self.facts.areas as f64);
        // Half as many cells again as are scanned are compared by their centroids.
        let read = areas * row + coded * code + 1.5 * mean[1] * row + mean[2] * code + mean[3] * 1.5 * row;
        Compared {
            areas,
            cells_by_code: coded,
            cells: mean[1],
            products: mean[2],
            rows: mean[3],
            kilobytes: read / 1e3,
        }
    }
}

fn facts(catalog: &Catalog) -> Facts {
    let count = |name: &str| catalog.sections().find(|s| s.0 == name).map_or(0, |s| s.3);
    Facts {
        bytes: catalog.file_bytes(),
        cells: count("Cells"),
        areas: count("Areas"),
        tuned: catalog.tuned(),
    }
}
