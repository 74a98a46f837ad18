//! Scans ranges of coded rows, of products or of cells, and keeps the best.

use super::allow::Blocks;
use super::heap::{key, key_score};
use super::query::Query;
use crate::distance::{BLOCK, Kernel, Run, prefetch};
use crate::index::format::{CellRecord, code_block_bytes};
use crate::index::view::View;

/// Blocks that are scored at once.
const RUN: usize = 32;

/// Coded rows: a file has them of its products, relative to cells, and of its cells, relative to areas.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coded<'a> {
    pub(super) codes: &'a [u8],
    pub(super) steps: &'a [[u8; BLOCK]],
    pub(super) dim: usize,
}

impl<'a> Coded<'a> {
    /// `count` blocks from `start`; `None` where they are not all there.
    fn blocks(&self, start: u32, count: u32) -> Option<(&'a [u8], &'a [[u8; BLOCK]])> {
        let (start, end) = (start as usize, start.checked_add(count)? as usize);
        let bytes = code_block_bytes(self.dim);
        Some((self.codes.get(start * bytes..end * bytes)?, self.steps.get(start..end)?))
    }

    /// Asks for a range that will be scanned soon.
    #[inline]
    pub(super) fn prefetch(&self, range: Range) {
        let blocks = range.count.div_ceil(BLOCK as u32).min(RUN as u32);
        if let Some((codes, steps)) = self.blocks(range.block_start, blocks) {
            prefetch(codes);
            prefetch(steps);
        }
    }

    /// Asks for those blocks of a range that will be scanned soon.
    #[inline]
    pub(super) fn prefetch_open(&self, range: Range, bits: &impl Blocks) {
        let blocks = range.count.div_ceil(BLOCK as u32).min(RUN as u32);
        for block in
            (0..blocks).filter(|block| bits.may_open(range.start.saturating_add(block * BLOCK as u32)))
        {
            if let Some((codes, steps)) = self.blocks(range.block_start.saturating_add(block), 1) {
                prefetch(codes);
                prefetch(steps);
            }
        }
    }

    /// Notes that a range will be scanned soon.
    pub(super) fn want(&self, view: &View<'_>, range: Range) {
        if let Some((codes, steps)) = self.blocks(range.block_start, range.count.div_ceil(BLOCK as u32)) {
            view.want(codes);
            view.want(steps);
        }
    }
}

/// Rows `start..start + count`, whose codes begin at a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) start: u32,
    pub(super) count: u32,
    pub(super) block_start: u32,
}

impl Range {
    /// The products of a cell.
    pub(super) fn of(cell: &CellRecord) -> Self {
        Self { start: cell.start.get(), count: cell.count.get(), block_start: cell.block_start.get() }
    }
}

/// The best of what was scanned so far.
#[derive(Debug)]
pub(super) struct Pool {
    keys: Vec<i64>,
    keep: usize,
    /// Nothing at or below this score can still be among the best.
    bar: i32,
    scores: Box<[[i32; BLOCK]; RUN]>,
}

impl Pool {
    /// A pool that keeps up to `most`.
    pub(super) fn new(most: usize) -> Self {
        // Room for twice of what is kept, and for what one run may add.
        let keys = Vec::with_capacity(2 * most + RUN * BLOCK);
        Self { keys, keep: most, bar: i32::MIN, scores: Box::new([[0; BLOCK]; RUN]) }
    }

    /// Empties it, to keep the best `keep`, at least one.
    pub(super) fn clear(&mut self, keep: usize) {
        self.keys.clear();
        self.keep = keep.max(1);
        self.bar = i32::MIN;
    }

    /// Drops all but the best, raises the bar, and shows what is left, in no order.
    pub(super) fn settle(&mut self) -> &mut Vec<i64> {
        if self.keys.len() > self.keep {
            let (_, worst, _) = self.keys.select_nth_unstable_by(self.keep - 1, |a, b| b.cmp(a));
            self.bar = key_score(*worst);
            self.keys.truncate(self.keep);
        }
        &mut self.keys
    }

    /// Keeps a key if it may be among the best. Many at a time are put in order, which is cheaper than a heap that is always in
    /// order.
    #[inline]
    pub(super) fn offer(&mut self, key: i64) {
        if key_score(key) > self.bar {
            self.keys.push(key); // within capacity: see `new`
            if self.keys.len() >= 2 * self.keep {
                self.settle();
            }
        }
    }

    /// Scores a range of rows whose common part scores `base`. What is better than the bar, has its bit, and is `wanted`
    /// joins. `whole` says that all bits of the range are set. Returns the rows scored.
    #[expect(
        clippy::too_many_arguments,
        reason = "the inner loop takes what it needs, nothing is bundled for show"
    )]
    #[inline]
    pub(super) fn scan(
        &mut self,
        kernel: Kernel,
        query: &Query,
        coded: Coded<'_>,
        range: Range,
        base: i32,
        (bits, whole): (&impl Blocks, bool),
        wanted: impl Fn(u32) -> bool,
    ) -> u32 {
        let blocks = range.count.div_ceil(BLOCK as u32);
        let first_of = |block: u32| range.start.saturating_add(block.saturating_mul(BLOCK as u32));
        let (mut block, mut scored) = (0, 0);
        while block < blocks {
            let open = |block: u32| block < blocks && (whole || bits.may_open(first_of(block)));
            let run = (0..RUN as u32).take_while(|ahead| open(block + ahead)).count() as u32;
            let Some((codes, steps)) = coded.blocks(range.block_start.saturating_add(block), run) else {
                break;
            };
            let (scores, mut better) = (&mut self.scores[..run as usize], [0; RUN]);
            let run_of = Run { codes, steps, base: base.wrapping_mul(8), bar: self.bar };
            kernel.scan(&query.codes, run_of, scores, &mut better);
            for (at, (lanes, scores)) in
                better.iter().zip(scores).enumerate().filter(|(_, (lanes, _))| **lanes != 0)
            {
                let at = block + at as u32;
                let first = first_of(at);
                let there = u16::MAX >> (BLOCK as u32).saturating_sub(range.count - BLOCK as u32 * at);
                let mut lanes = bits.keep(first, lanes & there);
                while lanes != 0 {
                    let lane = lanes.trailing_zeros();
                    lanes &= lanes - 1;
                    let (row, score) = (first.saturating_add(lane), scores[lane as usize % BLOCK]);
                    if wanted(row) {
                        self.keys.push(key(score, row)); // within capacity: see `new`
                    }
                }
            }
            if self.keys.len() >= 2 * self.keep {
                self.settle();
            }
            scored += (run * BLOCK as u32).min(range.count - block * BLOCK as u32);
            block += run.max(1);
        }
        scored
    }
}
