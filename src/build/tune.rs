//! Measures how hard a search must try: asks the catalog for the neighbours of products and compares with the exact answer.

use rayon::prelude::*;

use super::progress::{Progress, Unit};
use crate::distance::Kernel;
use crate::index::search::{
    self, AllowList, Best, Effort, Filter, Query, SearchScratch, TypeSet, key, key_ix,
};
use crate::index::{Catalog, View};
use crate::limits::{RERANK, RERANK_MAX, VISIT_BUDGET};

/// Products whose IN vectors ask.
const QUERIES: usize = 512;
/// Neighbours that are to be found.
const NEIGHBOURS: usize = 10;

/// What was chosen, and the recall that was measured with it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tuned {
    pub(crate) effort: Effort,
    pub(crate) recall_ppm: u32,
}

/// One query and its exact answer.
struct Case {
    query: Query,
    truth: Vec<u32>,
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
const RERANKS: [u32; 14] = [16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 192, 256, 384, RERANK_MAX as u32];

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

/// Bought products (all where none was), spread evenly over the catalog, with the exact answers.
fn cases(view: &View<'_>) -> Vec<Case> {
    let kernel = Kernel::detect();
    let bought = |ix: &u32| view.product(*ix).is_some_and(|record| record.popularity.get() > 0);
    let mut asked: Vec<u32> = (0..view.product_count()).filter(bought).collect();
    if asked.is_empty() {
        asked = (0..view.product_count()).collect();
    }
    let picked: Vec<u32> = asked.iter().copied().step_by(asked.len().div_ceil(QUERIES).max(1)).collect();
    picked
        .into_par_iter()
        .filter_map(|product| {
            let row = view.in_vector(product).filter(|row| row.iter().any(|value| *value != 0))?;
            let mut query = Query::new();
            query.set_row(row);
            let mut best = Best::new(NEIGHBOURS);
            let mut bar = i64::MIN;
            for other in 0..view.product_count() {
                let (row, fine) = view.out_row(other)?;
                let near = key(query.exact(kernel, row, fine), other);
                if near > bar && best.offer(near) {
                    bar = best.bar().unwrap_or(i64::MIN);
                }
            }
            Some(Case { query, truth: best.keys().map(key_ix).collect() })
        })
        .collect()
}

fn recall(view: &View<'_>, allowed: &AllowList, cases: &[Case], effort: Effort) -> f64 {
    let types = TypeSet::with_capacity(0);
    let found = cases.par_iter().map_init(
        || SearchScratch::new(),
        |scratch, case| {
            let (queries, filter) = (std::slice::from_ref(&case.query), Filter { allowed, types: &types });
            search::search(view, Kernel::detect(), queries, filter, effort, scratch);
            let mut found: Vec<i64> = scratch.hits.keys().collect();
            found.sort_unstable_by(|a, b| b.cmp(a));
            found.truncate(NEIGHBOURS);
            found.iter().filter(|key| case.truth.contains(&key_ix(**key))).count()
        },
    );
    let found: usize = found.sum();
    found as f64 / cases.iter().map(|case| case.truth.len()).sum::<usize>().max(1) as f64
}
