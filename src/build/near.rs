//! For products of which orders say little: what lies near them, found once here instead of in every decision.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};

use rayon::prelude::*;
use zerocopy::little_endian::U32;

use super::progress::{Progress, Unit};
use crate::distance::Kernel;
use crate::index::format::{NEAR, NONE};
use crate::index::search::{self, AllowList, Effort, Filter, Query, RowSet, SearchScratch, key_ix};
use crate::index::{Catalog, View};
use crate::limits::RERANK_MAX;
use crate::vocabulary::Availability;

/// Some twenty times what a decision would do: there is time.
const EFFORT: Effort = Effort { visits: 16_384, rerank: RERANK_MAX as u32 };
/// Lists after which progress is shown.
const STEP: u64 = 1 << 12;

/// The number of each product's list, and the lists. Products that ask alike share one.
pub(crate) fn lists(catalog: &Catalog, progress: &dyn Progress) -> (Vec<U32>, Vec<[U32; NEAR]>) {
    let view = catalog.view();
    let (numbers, asking) = distinct(&view);
    progress.start("list what lies near products without orders", asking.len() as u64, Unit::Items);
    // What is out of stock today is refused under every policy.
    let mut open = vec![0u64; view.products.len().div_ceil(64)];
    for (product, record) in view.products.iter().enumerate() {
        let stock = Availability::from_code(record.availability);
        let may_show = matches!(stock, Some(Availability::InStock | Availability::Unknown));
        open[product / 64] |= u64::from(may_show) << (product % 64);
    }
    let open = AllowList::new(&view, open);
    let done = AtomicU64::new(0);
    let lists = asking.par_iter().map_init(Scratch::new, |scratch, product| {
        let count = done.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(STEP) {
            progress.at(count);
        }
        list(&view, &open, *product, scratch)
    });
    let lists: Vec<[U32; NEAR]> = lists.collect();
    progress.finish(&format!("{} lists of {NEAR}", lists.len()));
    (numbers, lists)
}

/// The number of the list of each product, and for each list the first product that asks for it.
fn distinct(view: &View<'_>) -> (Vec<U32>, Vec<u32>) {
    let mut asking = Vec::new();
    let mut known: HashMap<(&[i8], u32), u32> = HashMap::new();
    let numbers = (0..view.product_count()).map(|product| {
        let row = view.in_vector(product).filter(|row| row.iter().any(|value| *value != 0));
        let Some(row) = row.filter(|_| view.is_unlisted(product)) else {
            return U32::new(NONE);
        };
        let number = *known.entry((row, view.type_of(product))).or_insert_with(|| {
            asking.push(product);
            asking.len() as u32 - 1
        });
        U32::new(number)
    });
    let numbers = numbers.collect();
    (numbers, asking)
}

struct Scratch {
    search: SearchScratch,
    query: Query,
    kind: RowSet,
}

impl Scratch {
    fn new() -> Self {
        Self { search: SearchScratch::new(), query: Query::new(), kind: RowSet::with_capacity(1) }
    }
}

/// The products of other types that lie nearest, best first.
fn list(view: &View<'_>, open: &AllowList, product: u32, scratch: &mut Scratch) -> [U32; NEAR] {
    let Scratch { search, query, kind } = scratch;
    kind.fill(std::iter::once(view.type_of(product)));
    query.set_row(view.in_vector(product).unwrap_or(&[]));
    let queries = std::slice::from_ref(query);
    search::search(view, Kernel::detect(), queries, Filter::new(open, kind), EFFORT, search);
    let mut keys: Vec<i64> = search.hits.keys().collect();
    keys.sort_unstable_by(|a, b| b.cmp(a));
    let mut list = [U32::new(NONE); NEAR];
    list.iter_mut().zip(keys).for_each(|(place, key)| *place = U32::new(key_ix(key)));
    list
}
