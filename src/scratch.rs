//! All memory of a decision, set aside once per [`crate::Decider`].

use std::cmp::Reverse;

use crate::context::ContextScratch;
use crate::distance::Rows;
use crate::engine::Engine;
use crate::features::{Learnt, Near};
use crate::index::search::{Query, SearchScratch};
use crate::limits::{
    ASKED_MAX, CANDIDATES_MAX, DIM_MAX, LINKS_MAX, POOLED_TYPES_MAX, POSTINGS_READ_MAX, PURCHASES_MAX,
    QUERIES_MAX,
};
use crate::live::LiveFact;
use crate::offer::{Item, OfferIx, ProductIx, Relation};

/// Something that might be offered, on its way through the pipeline.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate {
    pub(crate) item: Item,
    pub(crate) relation: Relation,
    /// Bought line behind it, or [`NO_LINE`].
    pub(crate) line: u16,
    pub(crate) near: Near,
    pub(crate) relevance: u16,
    /// What orders products among each other: thousandths of a nat of the odds of acceptance.
    pub(crate) score: i32,
    pub(crate) p_accept_ppm: u32,
    /// What the other one of catalog and model says, where there is a model.
    pub(crate) p_other_ppm: u32,
    pub(crate) value: i64,
    pub(crate) ev_micros: i64,
    /// Live price of a product, where the overlay has one.
    pub(crate) price: Option<i64>,
    /// What pacing lets pass of it, parts per million.
    pub(crate) pass_ppm: u32,
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
            near: Near::default(),
            relevance: 0,
            score: 0,
            p_accept_ppm: 0,
            p_other_ppm: 0,
            value: 0,
            ev_micros: 0,
            price: None,
            pass_ppm: 1_000_000,
            house: false,
        }
    }
}

/// A type that goes with what was bought, pooled over the basket.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct PooledType {
    pub(crate) to: u32,
    /// Greatest lift over the lines, in 1/256.
    pub(crate) lift_q8: u32,
    /// Probability that any of the lines brings it, parts per million.
    pub(crate) probability_ppm: u32,
    /// Sum over the bought types of what each alone says of it, in 1/65,536.
    pub(crate) direct_q16: u32,
    /// Line of the greatest lift.
    pub(crate) line: u16,
}

/// What the item-item lists of the basket and of the earlier purchases say of one product; units of
/// [`crate::index::format::AssociateRecord`] squared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) product: u32,
    pub(crate) together: u32,
    pub(crate) together_most: u32,
    pub(crate) direct: u32,
    pub(crate) customers: u32,
    pub(crate) words: u32,
    pub(crate) past_together: u32,
    pub(crate) past_direct: u32,
    pub(crate) past_customers: u32,
    /// Share of the baskets most like this one that held it, each by how like it is, in 1/65,536; and how many held it.
    pub(crate) similar: (u32, u32),
    /// Line of the greatest `together`, or [`NO_LINE`].
    pub(crate) line: u16,
}

impl Link {
    /// Whether only titles speak for it, no orders.
    pub(crate) fn is_of_words(&self) -> bool {
        self.words > 0 && self.together == 0 && self.direct == 0 && self.customers == 0 && self.similar.1 == 0
    }

    /// What the baskets most like this one say of the product. What only one of them held is its buyer's affair.
    pub(crate) fn similar(&self) -> u32 {
        if self.similar.1 < 2 { 0 } else { self.similar.0 }
    }
}

/// The greatest of some [`Link`]s.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinkBest {
    pub(crate) together: u32,
    pub(crate) similar: u32,
}

impl LinkBest {
    pub(crate) fn see(&mut self, link: &Link) {
        self.together = self.together.max(link.together);
        self.similar = self.similar.max(link.similar());
    }
}

/// What is found by a number.
pub(crate) trait Numbered {
    fn number(&self) -> u32;
    /// The first of a number, as yet without content.
    fn first(number: u32) -> Self;
}

impl Numbered for Link {
    fn number(&self) -> u32 {
        self.product
    }

    fn first(product: u32) -> Self {
        Self { product, line: NO_LINE, ..Self::default() }
    }
}

/// An earlier basket that shares products with the one at hand.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SimilarBasket {
    pub(crate) number: u32,
    /// How rare what they share is, times how much that basket counts.
    pub(crate) likeness: u32,
}

impl Numbered for SimilarBasket {
    fn number(&self) -> u32 {
        self.number
    }

    fn first(number: u32) -> Self {
        Self { number, likeness: 0 }
    }
}

impl Numbered for PooledType {
    fn number(&self) -> u32 {
        self.to
    }

    fn first(to: u32) -> Self {
        Self { to, line: NO_LINE, ..Self::default() }
    }
}

/// Entries, each number once, in the order in which they came.
#[derive(Debug)]
pub(crate) struct Table<T> {
    pub(crate) list: Vec<T>,
    slots: Slots,
    most: usize,
}

/// The products of all lists that were read.
pub(crate) type Links = Table<Link>;
/// The earlier baskets that share products with the one at hand.
pub(crate) type SimilarBaskets = Table<SimilarBasket>;
/// The types that go with what was bought.
pub(crate) type PooledTypes = Table<PooledType>;

/// Where an entry of a list stands, by what it is about: open addressing over at least twice as many slots as entries.
#[derive(Debug)]
struct Slots {
    entries: Vec<u16>,
}

const FREE: u16 = u16::MAX;

impl Slots {
    /// `slots` is a power of two.
    fn new(slots: usize) -> Self {
        Self { entries: vec![FREE; slots] }
    }

    fn clear(&mut self) {
        self.entries.fill(FREE);
    }

    /// The slot that holds the entry of which `is_it` is true, or the free one where it would stand.
    #[inline]
    fn find(&self, hash: u32, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mask = self.entries.len().wrapping_sub(1);
        let mut slot = (hash >> 16) as usize & mask;
        for _ in 0..self.entries.len() {
            let entry = *self.entries.get(slot)?;
            if entry == FREE || is_it(usize::from(entry)) {
                return Some(slot);
            }
            slot = (slot + 1) & mask;
        }
        None
    }
}

impl<T: Numbered> Table<T> {
    /// For at most so many entries.
    fn new(most: usize) -> Self {
        Self { list: Vec::with_capacity(most), slots: Slots::new((2 * most).next_power_of_two()), most }
    }

    pub(crate) fn clear(&mut self) {
        // Without a history nothing was put in.
        if !self.list.is_empty() {
            self.slots.clear();
        }
        self.list.clear();
    }

    /// Slot that holds a number, or would.
    fn slot(&self, number: u32) -> Option<usize> {
        let is_it = |entry: usize| self.list.get(entry).is_some_and(|own| own.number() == number);
        self.slots.find(number.wrapping_mul(0x9E37_79B1), is_it)
    }

    pub(crate) fn find(&self, number: u32) -> Option<&T> {
        let entry = *self.slots.entries.get(self.slot(number)?)?;
        self.list.get(usize::from(entry))
    }

    /// The entry of a number, made where there is none; `None` where there is no room for another one.
    pub(crate) fn entry(&mut self, number: u32) -> Option<&mut T> {
        let slot = self.slot(number)?;
        let entry = self.slots.entries.get_mut(slot)?;
        if *entry == FREE {
            if self.list.len() >= self.most {
                return None;
            }
            *entry = self.list.len() as u16;
            self.list.push(T::first(number));
        }
        self.list.get_mut(usize::from(*entry))
    }
}

// Entries are numbered by 16 bits.
const _: () = assert!(LINKS_MAX < FREE as usize);
const _: () = assert!(POOLED_TYPES_MAX < FREE as usize);
const _: () = assert!(POSTINGS_READ_MAX < FREE as usize);

/// The candidates of one decision, each item once.
#[derive(Debug)]
pub(crate) struct Candidates {
    pub(crate) list: Vec<Candidate>,
    slots: Slots,
}

const CANDIDATE_SLOTS: usize = 2048;
const _: () = assert!(CANDIDATE_SLOTS.is_power_of_two() && CANDIDATE_SLOTS >= 2 * CANDIDATES_MAX);

impl Candidates {
    fn new() -> Self {
        Self { list: Vec::with_capacity(CANDIDATES_MAX), slots: Slots::new(CANDIDATE_SLOTS) }
    }

    pub(crate) fn clear(&mut self) {
        self.list.clear();
        self.slots.clear();
    }

    /// Adds a candidate unless its item is there or no room is left; says whether it did.
    pub(crate) fn add(&mut self, candidate: Candidate) -> bool {
        let hash = match candidate.item {
            Item::Product(ProductIx(ix)) => ix.wrapping_mul(0x9E37_79B1),
            Item::Offer(OfferIx(ix)) => !ix.wrapping_mul(0x85EB_CA6B),
        };
        let is_it = |entry: usize| self.list.get(entry).is_some_and(|c| c.item == candidate.item);
        let slot = self.slots.find(hash, is_it);
        let entry = slot.and_then(|slot| self.slots.entries.get_mut(slot));
        match entry.filter(|entry| **entry == FREE && self.list.len() < CANDIDATES_MAX) {
            Some(entry) => {
                *entry = self.list.len() as u16;
                self.list.push(candidate);
                true
            }
            None => false,
        }
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
    /// Every line asks the vectors: who learns to rank sees what decisions can do without.
    pub(crate) wide: bool,
    /// Asking lines for which a list of what lies near spoke, a bit each.
    pub(crate) answered: u32,
    /// Direction of the customer's earlier purchases, where `has_taste`.
    pub(crate) taste: Vec<i8>,
    pub(crate) has_taste: bool,
    /// What products are compared with: [`Learnt::asked`].
    pub(crate) asked: Rows,
    pub(crate) pooled: PooledTypes,
    /// Worth and number of those types that are asked for products, best first.
    pub(crate) pooled_order: Vec<(Reverse<u64>, u32)>,
    pub(crate) similar: SimilarBaskets,
    /// Keys of those that are most like it, best first.
    pub(crate) similar_order: Vec<i64>,
    pub(crate) links: Links,
    pub(crate) link_best: LinkBest,
    /// The same of types: what those of the earlier purchases say of others.
    pub(crate) past_kinds: Links,
    /// Weight of and index into the earlier purchases, greatest first.
    pub(crate) past_order: Vec<(Reverse<u32>, u16)>,
    /// Median price of the lines; 0 = not known.
    pub(crate) price: i64,
    /// How much of a trend is left, in thousandths of it.
    pub(crate) fresh: i32,
    pub(crate) candidates: Candidates,
    pub(crate) hits: Vec<i64>,
    /// What was read of the live overlay.
    pub(crate) facts: Vec<LiveFact>,
}

impl Work {
    /// What retrieval found out about the request as a whole.
    pub(crate) fn learnt(&self) -> Learnt<'_> {
        Learnt {
            pooled: &self.pooled,
            asked: &self.asked,
            links: &self.links,
            link_best: self.link_best,
            past_kinds: &self.past_kinds,
            price: self.price,
            fresh: self.fresh,
        }
    }
}

impl Scratch {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            context: ContextScratch::new(engine),
            work: Work {
                search: SearchScratch::new(),
                queries: vec![Query::new(); QUERIES_MAX],
                wide: false,
                answered: 0,
                taste: vec![0; DIM_MAX],
                has_taste: false,
                asked: Rows::with_capacity(ASKED_MAX),
                pooled: PooledTypes::new(POOLED_TYPES_MAX),
                pooled_order: Vec::with_capacity(POOLED_TYPES_MAX),
                similar: SimilarBaskets::new(POSTINGS_READ_MAX),
                similar_order: Vec::with_capacity(POSTINGS_READ_MAX),
                links: Links::new(LINKS_MAX),
                link_best: LinkBest::default(),
                past_kinds: Links::new(LINKS_MAX),
                past_order: Vec::with_capacity(PURCHASES_MAX),
                price: 0,
                fresh: 0,
                candidates: Candidates::new(),
                hits: Vec::with_capacity(crate::limits::SEARCH_HITS_MAX),
                facts: Vec::with_capacity(CANDIDATES_MAX),
            },
        }
    }
}
