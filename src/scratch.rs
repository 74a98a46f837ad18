//! All memory of a decision, set aside once per [`crate::Decider`].

use std::cmp::Reverse;

use crate::context::ContextScratch;
use crate::index::search::{Query, SearchScratch};
use crate::limits::{CANDIDATES_MAX, DIM_MAX, POOLED_TYPES_MAX, QUERIES_MAX};
use crate::offer::{Item, OfferIx, ProductIx, Relation};

/// Something that might be offered, on its way through the pipeline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) item: Item,
    pub(crate) relation: Relation,
    /// Bought line behind it, or [`NO_LINE`].
    pub(crate) line: u16,
    pub(crate) relevance: u16,
    /// What orders products among each other: thousandths of a nat of the odds of acceptance.
    pub(crate) score: i32,
    pub(crate) p_accept_ppm: u32,
    pub(crate) value: i64,
    pub(crate) ev_micros: i64,
    /// May only fill what is left over.
    pub(crate) house: bool,
}

/// "No bought line" in [`Candidate::line`].
pub(crate) const NO_LINE: u16 = u16::MAX;

impl Candidate {
    pub(crate) fn new(item: Item, relation: Relation, line: u16) -> Self {
        Self {
            item,
            relation,
            line,
            relevance: 0,
            score: 0,
            p_accept_ppm: 0,
            value: 0,
            ev_micros: 0,
            house: false,
        }
    }
}

/// A type that goes with what was bought, pooled over the basket.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PooledType {
    pub(crate) to: u32,
    /// Greatest lift over the lines, in 1/256.
    pub(crate) lift_q8: u32,
    /// Probability that any of the lines brings it, parts per million.
    pub(crate) probability_ppm: u32,
    /// Line of the greatest lift.
    pub(crate) line: u16,
}

/// The candidates of one decision, each item once.
#[derive(Debug)]
pub(crate) struct Candidates {
    pub(crate) list: Vec<Candidate>,
    table: Vec<u16>,
}

const TABLE: usize = 2048;
const FREE: u16 = u16::MAX;
const _: () = assert!(TABLE.is_power_of_two() && TABLE >= 2 * CANDIDATES_MAX);

impl Candidates {
    fn new() -> Self {
        Self { list: Vec::with_capacity(CANDIDATES_MAX), table: vec![FREE; TABLE] }
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.table.fill(FREE);
    }

    /// Adds a candidate unless its item is there or no room is left; says whether it did.
    pub(crate) fn add(&mut self, candidate: Candidate) -> bool {
        let mixed = match candidate.item {
            Item::Product(ProductIx(ix)) => ix.wrapping_mul(0x9E37_79B1),
            Item::Offer(OfferIx(ix)) => !ix.wrapping_mul(0x85EB_CA6B),
        };
        let mut slot = (mixed >> 16) as usize & (TABLE - 1);
        for _ in 0..TABLE {
            match self.table.get_mut(slot) {
                Some(entry) if *entry == FREE => {
                    let room = self.list.len() < CANDIDATES_MAX;
                    if room {
                        *entry = self.list.len() as u16;
                        self.list.push(candidate);
                    }
                    return room;
                }
                Some(entry) => {
                    if self.list.get(usize::from(*entry)).is_some_and(|c| c.item == candidate.item) {
                        return false;
                    }
                }
                None => return false,
            }
            slot = (slot + 1) & (TABLE - 1);
        }
        false
    }
}

/// Everything that a decision writes to before it returns.
#[derive(Debug)]
pub(crate) struct Scratch {
    pub(crate) context: ContextScratch,
    pub(crate) work: Work,
}

/// What retrieval, scoring and arbitration write to.
#[derive(Debug)]
pub(crate) struct Work {
    pub(crate) search: SearchScratch,
    pub(crate) queries: Vec<Query>,
    /// Direction of the customer's earlier purchases, where `has_taste`.
    pub(crate) taste: Vec<i8>,
    pub(crate) has_taste: bool,
    pub(crate) pooled: Vec<PooledType>,
    /// Worth of and index into `pooled`, best first.
    pub(crate) pooled_order: Vec<(Reverse<u64>, u16)>,
    pub(crate) candidates: Candidates,
    pub(crate) hits: Vec<i64>,
}

/// What retrieval found out about the request as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Learnt<'a> {
    pub(crate) pooled: &'a [PooledType],
    pub(crate) taste: Option<&'a [i8]>,
}

impl Work {
    /// What retrieval found out about the request as a whole.
    pub(crate) fn learnt(&self, dim: usize) -> Learnt<'_> {
        Learnt { pooled: &self.pooled, taste: self.taste.get(..dim).filter(|_| self.has_taste) }
    }
}

impl Scratch {
    pub(crate) fn new() -> Self {
        Self {
            context: ContextScratch::new(),
            work: Work {
                search: SearchScratch::new(),
                queries: vec![Query::new(); QUERIES_MAX],
                taste: vec![0; DIM_MAX],
                has_taste: false,
                pooled: Vec::with_capacity(POOLED_TYPES_MAX),
                pooled_order: Vec::with_capacity(POOLED_TYPES_MAX),
                candidates: Candidates::new(),
                hits: Vec::with_capacity(crate::limits::SEARCH_HITS_MAX),
            },
        }
    }
}
