//! Measures how hard a search must try: asks the catalog for the neighbours of products and compares with the exact answer.

use rayon::prelude::*;

use super::progress::{Progress, Unit};
use crate::distance::Kernel;
use crate::index::search::{
    self, AllowList, Best, Effort, Filter, Query, RowSet, SearchScratch, key, key_score,
};
use crate::index::{Catalog, View};
use crate::limits::{RERANK, RERANK_MAX, VISIT_BUDGET};

/// Baskets whose IN vectors ask.
const BASKETS: usize = 512;
/// Most lines of one.
const LINES: usize = 3;
/// Baskets that are compared with all products together: rows come from memory once for all of them.
const TOGETHER: usize = 8;
/// Products whose rows stay in cache meanwhile.
const BLOCK: u32 = 1024;
/// Neighbours that are to be found.
const NEIGHBOURS: usize = 10;

/// What was chosen, and the recall that was measured with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuned {
    pub(crate) effort: Effort,
    pub(crate) recall_ppm: u32,
}

/// A basket and how good its exact answer is: a product that scores no less is as good.
struct Case {
    queries: Vec<Query>,
    /// Types of its lines, which may not come back.
    kinds: Vec<u32>,
    /// Score of the tenth.
    least: i32,
    /// Ten, or what there is.
    count: usize,
}

/// The least effort that finds the share `target` of the true neighbours; the greatest where none does.
pub(crate) fn measure(catalog: &Catalog, target: f64, progress: &dyn Progress) -> Tuned {
    let view = catalog.view();
    let all = AllowList::new(&view, vec![u64::MAX; view.products.len().div_ceil(64)]);
    progress.start("tune the search", 0, Unit::Items);
    let cases = cases(&view);
    let recall = |effort: Effort| recall(&view, &all, &cases, effort);
    let most = Effort { visits: u32::MAX, rerank: RERANK };
    let mut tuned = Tuned { effort: Effort { visits: VISIT_BUDGET, rerank: RERANK }, recall_ppm: 0 };
    if cases.is_empty() || all.total() <= VISIT_BUDGET {
        progress.finish("exact: few products");
        return Tuned { effort: Effort { visits: VISIT_BUDGET, ..most }, recall_ppm: 1_000_000 };
    }
    // Enough cells with more than enough candidates first, then as few candidates as will do.
    let spare = target + (1.0 - target) / 4.0;
    let visits = VISITS.iter().copied().map(|visits| Effort { visits, rerank: RERANK_MAX as u32 });
    let visits = visits.take_while(|effort| effort.visits < all.total() / 2);
    let enough = least(visits, spare, &recall, &mut tuned);
    let rerank = RERANKS.iter().copied().map(|rerank| Effort { rerank, ..enough });
    least(rerank, target, &recall, &mut tuned);
    progress.finish(&format!(
        "{} products by code, {} by row: recall {:.3} of {target}",
        tuned.effort.visits,
        tuned.effort.rerank,
        f64::from(tuned.recall_ppm) / 1e6
    ));
    tuned
}

/// Steps of some 20 %.
const VISITS: [u32; 28] = [
    192, 256, 320, 384, 448, 512, 640, 768, 896, 1024, 1280, 1536, 1792, 2048, 2560, 3072, 3584, 4096, 5120,
    6144, 7168, 8192, 10_240, 12_288, 16_384, 24_576, 32_768, 65_536,
];
/// Not fewer than a decision should have to choose from.
const RERANKS: [u32; 11] = [32, 40, 48, 64, 80, 96, 128, 192, 256, 384, RERANK_MAX as u32];

/// The first effort that reaches the target, by bisection; else the last one. Notes it in `tuned`.
fn least(
    efforts: impl Iterator<Item = Effort>,
    target: f64,
    recall: &impl Fn(Effort) -> f64,
    tuned: &mut Tuned,
) -> Effort {
    let efforts: Vec<Effort> = efforts.collect();
    let (mut low, mut high) = (0, efforts.len().saturating_sub(1));
    while low < high {
        let middle = usize::midpoint(low, high);
        if recall(efforts[middle]) >= target {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let effort = efforts.get(low).copied().unwrap_or(tuned.effort);
    *tuned = Tuned { effort, recall_ppm: (recall(effort) * 1e6).round() as u32 };
    effort
}

/// Baskets of one to three products that ask, with their exact answers: those of which orders say little, or any where there are
/// few such. Products are spread evenly over the catalog.
fn cases(view: &View<'_>) -> Vec<Case> {
    let has_row = |ix: &u32| view.in_vector(*ix).is_some_and(|row| row.iter().any(|value| *value != 0));
    let mut asked: Vec<u32> =
        (0..view.product_count()).filter(|ix| view.is_unlisted(*ix)).filter(has_row).collect();
    if asked.len() < BASKETS {
        asked = (0..view.product_count()).filter(has_row).collect();
    }
    let picked: Vec<u32> = asked.iter().copied().step_by(asked.len().div_ceil(BASKETS).max(1)).collect();
    let basket = |at: usize| {
        let lines = (0..=at % LINES).map(|line| picked[(at + line * 7919) % picked.len()]);
        let query = |product| {
            let mut query = Query::new();
            query.set_row(view.in_vector(product).unwrap_or(&[]));
            query
        };
        let kinds = lines.clone().map(|product| view.type_of(product)).collect();
        Case { queries: lines.map(query).collect(), kinds, least: 0, count: 0 }
    };
    let mut cases: Vec<Case> = (0..picked.len()).map(basket).collect();
    cases.par_chunks_mut(TOGETHER).for_each(|cases| answer(view, cases));
    cases.retain(|case| case.count > 0);
    cases
}

/// Compares some baskets with all products.
fn answer(view: &View<'_>, cases: &mut [Case]) {
    let kernel = Kernel::detect();
    let mut best: Vec<(Best, i64)> = cases.iter().map(|_| (Best::new(NEIGHBOURS), i64::MIN)).collect();
    let end = view.product_count();
    for first in (0..end).step_by(BLOCK as usize) {
        for (case, (best, bar)) in cases.iter().zip(&mut best) {
            for product in first..end.min(first + BLOCK) {
                let near = key(search::exact(view, kernel, &case.queries, product), product);
                if near > *bar && !case.kinds.contains(&view.type_of(product)) && best.offer(near) {
                    *bar = best.bar().unwrap_or(i64::MIN);
                }
            }
        }
    }
    for (case, (best, _)) in cases.iter_mut().zip(&best) {
        case.least = best.keys().map(key_score).min().unwrap_or(0);
        case.count = best.keys().count();
    }
}

fn recall(view: &View<'_>, allowed: &AllowList, cases: &[Case], effort: Effort) -> f64 {
    let scratch = || (SearchScratch::new(), RowSet::with_capacity(LINES));
    let found = cases.par_iter().map_init(scratch, |(scratch, kinds), case| {
        kinds.fill(case.kinds.iter().copied());
        let filter = Filter::new(allowed, kinds);
        search::search(view, Kernel::detect(), &case.queries, filter, effort, scratch);
        let mut found: Vec<i64> = scratch.hits.keys().collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.truncate(NEIGHBOURS);
        found.iter().filter(|key| key_score(**key) >= case.least).count()
    });
    let found: usize = found.sum();
    found as f64 / cases.iter().map(|case| case.count).sum::<usize>().max(1) as f64
}
