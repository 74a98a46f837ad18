//! The vector search by itself: for measuring it, and for what is not a decision.

use std::sync::Arc;

use super::Catalog;
use super::search::{self, AllowList, Effort, Filter, Query, RowSet, SearchCounters, SearchScratch};
use crate::distance::Kernel;
use crate::offer::ProductIx;

/// Finds the products whose OUT vectors lie nearest to a query vector. Owns all memory that a search needs, so searching does
/// not allocate; one caller at a time, may move between threads.
#[derive(Debug)]
pub struct Nearest {
    catalog: Arc<Catalog>,
    kernel: Kernel,
    query: Query,
    types: RowSet,
    scratch: SearchScratch,
    found: Vec<i64>,
    counters: SearchCounters,
}

impl Nearest {
    /// Sets aside the memory.
    #[must_use]
    pub fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            kernel: Kernel::detect(),
            query: Query::new(),
            types: RowSet::with_capacity(0),
            scratch: SearchScratch::new(),
            found: Vec::with_capacity(crate::limits::SEARCH_HITS_MAX),
            counters: SearchCounters::default(),
        }
    }

    /// A list that allows the products whose bits are set; those beyond the end of `bits` are not.
    #[must_use]
    pub fn allow(&self, bits: Vec<u64>) -> AllowList {
        AllowList::new(&self.catalog.view(), bits)
    }

    /// What the last search did.
    #[must_use]
    pub fn counters(&self) -> SearchCounters {
        self.counters
    }

    /// The products of the catalog that lie nearest, best first; at most `most` of them, and never more than 160.
    ///
    /// `query` is in the coordinates of the file's rows (the builder's rotation makes it so), of up to 12 bits a component.
    pub fn find(
        &mut self,
        query: &[i16],
        allowed: &AllowList,
        effort: Effort,
        most: usize,
    ) -> impl Iterator<Item = ProductIx> + '_ {
        self.query.set(query.iter().copied());
        let filter = Filter::new(allowed, &self.types);
        let view = self.catalog.view();
        let queries = std::slice::from_ref(&self.query);
        self.counters = search::search(&view, self.kernel, queries, filter, effort, &mut self.scratch);
        self.found.clear();
        self.found.extend(self.scratch.hits.keys());
        self.found.sort_unstable_by(|a, b| b.cmp(a));
        self.found.iter().take(most).map(|key| ProductIx(search::key_ix(*key)))
    }
}
