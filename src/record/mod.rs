//! What a decision was, kept for the log: a record of fixed size, written by [`crate::Decider`] into a bounded [`ring`].
//!
//! A record holds nothing of a person: no name, no address, no id of an order or of a product that was bought. Two fields
//! follow from such things, and each field of [`DecisionRecord`] says so, by its class:
//!
//! | class | meaning |
//! | --- | --- |
//! | *public* | about the catalog, the policy or the machine |
//! | *order* | about one order, not about who placed it |
//! | *pseudonym* | the same number for the same customer: erase or replace it where the log leaves your house |

mod layout;
pub mod ring;

use std::num::NonZeroU32;

use crate::context::order_value;
use crate::engine::Engine;
use crate::experiment::{Assignment, Shows};
use crate::index::format::NONE;
use crate::limits::{ANSWERS_MAX, SLOTS_MAX};
use crate::offer::{Degraded, Generations, Item, OfferIx, Offers, ProductIx, Reason, Relation, Status};
use crate::profile::Answer;
use crate::scratch::{Candidate, Scratch};
use crate::transaction::Transaction;
use crate::vocabulary::{Currency, Stage};

pub use ring::{RingCounts, RingReader, RingWriter};

/// Candidates of a record: those of the slate first, then the best of the others.
pub const CANDIDATES_LOGGED: usize = 32;
/// Reasons of a record, commonest first.
pub const REASONS_LOGGED: usize = 12;
/// Types of bought lines in a record, in the order of the lines.
pub const TYPES_LOGGED: usize = 8;
/// Longest id of a placement in a record, in bytes; a longer one is cut.
pub const PLACEMENT_BYTES: usize = 24;

/// One decision. `Copy`, without anything on the heap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecisionRecord {
    /// Number of the decision in its ring, from 1; numbers that are missing were dropped. *Public.*
    pub number: u64,
    /// Joins events to it. Follows from the order's id, time and lines; only who has them can tell which order it was. *Order.*
    pub decision_id: u128,
    /// Shared by the decisions of one order under several answers; the same as the id where nothing was answered. *Order.*
    pub group_id: u128,
    /// Unix milliseconds as the host gave them; 0 = not known. *Order.*
    pub at_ms: i64,
    /// Catalog, policy and overlay. *Public.*
    pub generations: Generations,
    /// Seed of exploration, 0 without. *Public.*
    pub seed: u64,
    /// Unit, bucket and arm. `unit_hash`: *pseudonym* where the unit is a customer or session, else *order*.
    pub assignment: Assignment,
    /// The stage. *Public.*
    pub stage: Stage,
    /// Whether offers were decided on and shown. *Public.*
    pub status: Status,
    /// What was left out for a deadline. *Public.*
    pub degraded: Degraded,
    /// Nanoseconds that it took, by the clock of [`crate::Decider::time_with`]: 1 to `u32::MAX`, which also stands for more.
    /// `None` = there was no clock. *Public.*
    pub took_ns: Option<NonZeroU32>,
    /// Slots to fill. *Public.*
    pub slots: u8,
    /// Bought lines. *Order.*
    pub lines: u16,
    /// Minor units; `None` = not known. *Order.*
    pub order_value: Option<i64>,
    /// The model of [`Self::generations`] decided nothing. *Public.*
    pub shadow: bool,
    /// Of the values. *Public.*
    pub currency: Currency,
    /// Candidates retrieved, those that passed every rule and floor, and those refused; 65,535 = that or more. *Public.*
    pub counts: [u16; 3],
    /// Id of the placement in the policy, zero-padded; empty for the default one. *Public.*
    pub placement: [u8; PLACEMENT_BYTES],
    /// Reason codes and how many candidates each refused, commonest first; 0 = none. Of refusals that the result keeps. *Public.*
    pub reasons: [(u16, u16); REASONS_LOGGED],
    /// Types of the first bought lines in the catalog; `u32::MAX` = not known or none. Not of sensitive lines. *Order.*
    pub types: [u32; TYPES_LOGGED],
    /// Slots filled, or that would have been (the ghost slate). *Public.*
    pub shown: u8,
    /// Of the first [`Self::shown`] candidates: where each stands. *Public.*
    pub slate: [SlotRecord; SLOTS_MAX],
    /// Candidates in the record. *Public.*
    pub candidate_count: u8,
    /// The slate, then the best of what else was eligible. *Public.*
    pub candidates: [CandidateRecord; CANDIDATES_LOGGED],
}

/// A filled slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotRecord {
    /// Position on the page, from 0.
    pub position: u8,
    /// Probability of the choice given the slots before, parts per million, 1 to 1,000,000.
    pub p_select_ppm: u32,
    /// How it follows from the order.
    pub relation: Relation,
    /// The bought line behind it, where there is one below 31.
    pub line: Option<u8>,
}

/// A candidate that passed every rule and floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CandidateRecord {
    /// What, as a row of the catalog of [`DecisionRecord::generations`]. Rows of offers below 2^31.
    pub item: Item,
    /// Thousandths, at most 1,023.
    pub relevance: u16,
    /// Parts per million.
    pub p_accept_ppm: u32,
    /// Minor units, 0 to 2^32 - 1. Expected contribution is `p_accept_ppm * value` millionths.
    pub value: u32,
    /// What the other one of catalog and model says, parts per million: the catalog where the model decided, the model where it was a
    /// shadow. Without a model the same as `p_accept_ppm`.
    pub p_other_ppm: u32,
    /// The customer bought it before: slates have a limit for such.
    pub refill: bool,
}

impl SlotRecord {
    const NONE: Self = Self { position: 0, p_select_ppm: 0, relation: Relation::House, line: None };
}

impl CandidateRecord {
    const NONE: Self = Self {
        item: Item::Product(ProductIx(0)),
        relevance: 0,
        p_accept_ppm: 0,
        p_other_ppm: 0,
        value: 0,
        refill: false,
    };
}

impl DecisionRecord {
    /// What a decision leaves behind: of the memory it was made in, the lines and the candidates that passed everything, the best
    /// of them first.
    pub(crate) fn new(
        engine: &Engine,
        scratch: &Scratch,
        transaction: &Transaction<'_>,
        offers: &Offers,
        took_ns: Option<NonZeroU32>,
    ) -> Self {
        let list = &scratch.work.candidates.list;
        let eligible = list.get(..offers.counters.eligible as usize).unwrap_or(&[]);
        let mut record = Self {
            number: 0,
            decision_id: offers.decision_id,
            group_id: offers.group_id,
            took_ns,
            at_ms: transaction.created_at_ms,
            generations: offers.generations,
            seed: engine.policy().experiments.mix(&offers.assignment).map_or(0, |mix| mix.seed),
            assignment: offers.assignment,
            stage: transaction.placement.stage,
            status: offers.status,
            degraded: offers.degraded,
            shadow: engine.model().is_some_and(|model| model.shadow),
            slots: engine.policy().slots(&transaction.placement),
            lines: transaction.lines.len() as u16,
            order_value: order_value(transaction),
            currency: transaction.currency.unwrap_or(scratch.context.currency),
            counts: [offers.counters.retrieved, offers.counters.eligible, offers.counters.rejected]
                .map(|count| u16::try_from(count).unwrap_or(u16::MAX)),
            placement: placement(engine, transaction),
            reasons: reasons(offers),
            types: [NONE; TYPES_LOGGED],
            shown: 0,
            slate: [SlotRecord::NONE; SLOTS_MAX],
            candidate_count: 0,
            candidates: [CandidateRecord::NONE; CANDIDATES_LOGGED],
        };
        for (kind, line) in record.types.iter_mut().zip(&scratch.context.bought.lines) {
            *kind = if line.sensitive { NONE } else { line.kind };
        }
        record.take_slate(eligible, offers);
        record.take_others(eligible, offers);
        record
    }

    fn take_slate(&mut self, eligible: &[Candidate], offers: &Offers) {
        let learnt = self.generations.model != 0;
        let other = |item| eligible.iter().find(|own| learnt && own.item == item).map(|own| own.p_other_ppm);
        for ((offer, slot), candidate) in
            offers.decided().iter().zip(&mut self.slate).zip(&mut self.candidates)
        {
            *slot = SlotRecord {
                position: offer.position,
                p_select_ppm: offer.p_select_ppm,
                relation: offer.because.relation,
                line: offer.because.line.and_then(|line| u8::try_from(line).ok()).filter(|line| *line < 31),
            };
            *candidate = CandidateRecord {
                item: offer.item,
                relevance: offer.relevance.min(1023),
                p_accept_ppm: offer.p_accept_ppm,
                p_other_ppm: other(offer.item).unwrap_or(offer.p_accept_ppm),
                value: clamp(offer.value),
                refill: offer.because.relation == Relation::Refill,
            };
            self.shown += 1;
        }
        self.candidate_count = self.shown;
    }

    fn take_others(&mut self, eligible: &[Candidate], offers: &Offers) {
        let (slate, learnt) = (offers.decided(), self.generations.model != 0);
        // A bit for each row of the slate, modulo 64, says "surely not there" of most candidates.
        let bit = |item: Item| match item {
            Item::Product(ProductIx(row)) | Item::Offer(OfferIx(row)) => 1u64 << (row % 64),
        };
        let there = slate.iter().fold(0, |bits, offer| bits | bit(offer.item));
        let is_there = |item| there & bit(item) != 0 && slate.iter().any(|offer| offer.item == item);
        let others = eligible.iter().filter(|candidate| !is_there(candidate.item));
        let room = self.candidates.iter_mut().skip(usize::from(self.shown));
        for (candidate, place) in others.zip(room) {
            *place = CandidateRecord {
                item: candidate.item,
                relevance: candidate.relevance.min(1023),
                p_accept_ppm: candidate.p_accept_ppm,
                p_other_ppm: if learnt { candidate.p_other_ppm } else { candidate.p_accept_ppm },
                value: clamp(candidate.value),
                refill: candidate.relation == Relation::Refill,
            };
            self.candidate_count += 1;
        }
    }

    /// Id of the placement; empty for the default one.
    #[must_use]
    pub fn placement_id(&self) -> &str {
        let end = self.placement.iter().position(|byte| *byte == 0).unwrap_or(PLACEMENT_BYTES);
        std::str::from_utf8(self.placement.get(..end).unwrap_or(&[])).unwrap_or("")
    }

    /// Whether the slate was on the page, as far as the decision went.
    #[must_use]
    pub fn is_ghost(&self) -> bool {
        self.assignment.shows != Shows::Offers
    }
}

fn clamp(value: i64) -> u32 {
    value.clamp(0, u32::MAX.into()) as u32
}

/// The id, where the policy has it: a request may name anything.
pub(crate) fn placement(engine: &Engine, transaction: &Transaction<'_>) -> [u8; PLACEMENT_BYTES] {
    let mut bytes = [0; PLACEMENT_BYTES];
    let id = transaction.placement.id;
    let known = engine.policy().placement(&transaction.placement).is_some_and(|placed| placed.id.is_some());
    if known {
        let end = (0..=id.len().min(PLACEMENT_BYTES)).rev().find(|end| id.is_char_boundary(*end));
        let text = id.as_bytes().get(..end.unwrap_or(0)).unwrap_or(&[]);
        bytes.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
    }
    bytes
}

/// Counts the refusals by reason.
fn reasons(offers: &Offers) -> [(u16, u16); REASONS_LOGGED] {
    let mut counts = [(0u16, 0u16); 64];
    let mut seen = 0;
    // Refusals for one reason come in runs.
    for run in offers.rejected().chunk_by(|one, next| one.reason == next.reason) {
        let code = run.first().map_or(0, |rejected| rejected.reason.code());
        let at = counts.iter().take(seen).position(|(known, _)| *known == code).unwrap_or(seen);
        if let Some(count) = counts.get_mut(at) {
            *count = (code, count.1 + run.len() as u16);
            seen = seen.max(at + 1);
        }
    }
    let seen = counts.get_mut(..seen).unwrap_or(&mut []);
    seen.sort_unstable_by_key(|(code, count)| (std::cmp::Reverse(*count), *code));
    let mut kept = [(0, 0); REASONS_LOGGED];
    kept.iter_mut().zip(seen).for_each(|(to, from)| *to = *from);
    kept
}

// All reasons have a place while they are counted.
const _: () = assert!(Reason::ALL.len() <= 64);

/// Names a decision within its group: the group itself, unless the customer answered something.
pub(crate) fn decision_id(group_id: u128, answers: &[Answer<'_>]) -> u128 {
    if answers.is_empty() {
        return group_id;
    }
    let mut seed = xxhash_rust::xxh3::Xxh3Default::new();
    seed.update(&group_id.to_le_bytes());
    for text in answers.iter().take(ANSWERS_MAX).flat_map(|answer| [answer.question, answer.tag]) {
        seed.update(&(text.len() as u64).to_le_bytes());
        seed.update(text.as_bytes());
    }
    seed.digest128()
}

/// Names a group of decisions: equal for equal order id, time, product ids, catalog and policy.
pub(crate) fn group_id(generations: Generations, transaction: &Transaction<'_>) -> u128 {
    let mut seed = xxhash_rust::xxh3::Xxh3Default::new();
    seed.update(&generations.index.to_le_bytes());
    seed.update(&generations.policy.to_le_bytes());
    seed.update(&transaction.created_at_ms.to_le_bytes());
    seed.update(transaction.order_id.as_bytes());
    for line in transaction.lines {
        seed.update(&(line.item_id.len() as u64).to_le_bytes());
        seed.update(line.item_id.as_bytes());
    }
    seed.digest128()
}
