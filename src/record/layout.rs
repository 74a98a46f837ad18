//! A [`DecisionRecord`] as words, both ways: what a ring holds.
//!
//! | word | bits | |
//! | --- | --- | --- |
//! | 0 | 8, 8, 16, 8, 8, 8, 8 | status, slots, reason, stage, degraded (1 search, 2 candidates), shown, candidates |
//! | 1 | 8, 8, 24, 16 | unit, shows, currency, lines |
//! | 2, 3 | 64 | decision id, lower half first |
//! | 4 | 64 | time |
//! | 5, 6, 7 | 64 | generations: index, policy, overlay |
//! | 8, 9, 10 | 64 | seed, unit hash, number in the ring |
//! | 11 | 16 | bucket of the holdout (65,535 = none), retrieved, eligible, rejected |
//! | 12 | 16 | buckets of the layers (65,535 = none) |
//! | 13 | 8, 8, 8, 8, 31, 1 | arms of the layers; model, whether it is a shadow |
//! | 14 | 64 | order value plus 1, 0 = not known |
//! | 15 to 17 | 8 | placement |
//! | 18 to 23 | 16, 16 | reasons: code, count |
//! | 24 to 27 | 32 | types of lines |
//! | 28 to 35 | 20, 4, 3, 5 | slots: p_select, position, relation, line (31 = none) |
//! | 36 to 67 | 32, 20, 10, 1 | candidates: row (top bit: an offer's), p_accept, relevance, refill |
//! | 68 to 83 | 32 | their values |
//! | 84 to 99 | 32 | what the other one of catalog and model says of them |
//! | 100, 101 | 64 | group id, lower half first |
//! | 102 | 32 | nanoseconds, 0 = not timed |

use std::num::NonZeroU32;

use super::{
    CANDIDATES_LOGGED, CandidateRecord, DecisionRecord, PLACEMENT_BYTES, REASONS_LOGGED, SlotRecord,
    TYPES_LOGGED,
};
use crate::experiment::{Assigned, Assignment, Shows, Unit};
use crate::limits::{LAYERS_MAX, SLOTS_MAX};
use crate::offer::{Degraded, Generations, Item, OfferIx, ProductIx, Reason, Relation, Status};
use crate::vocabulary::{Currency, Stage};

/// Words of a record.
pub(super) const RECORD_WORDS: usize = 103;

const OFFER: u32 = 1 << 31;
const NO_BUCKET: u16 = u16::MAX;

const _: () = assert!(SLOTS_MAX == 16 && CANDIDATES_LOGGED == 32 && LAYERS_MAX == 4);
const _: () = assert!(REASONS_LOGGED == 12 && TYPES_LOGGED == 8 && PLACEMENT_BYTES == 24);

/// Joins parts into a word, lowest first.
fn join<const N: usize>(parts: [(u64, u32); N]) -> u64 {
    let mut at = 0;
    parts.iter().fold(0, |word, (part, bits)| {
        let own = part << at;
        at += bits;
        word | own
    })
}

fn status(status: Status) -> (u64, u64) {
    match status {
        Status::Ok => (0, 0),
        Status::NoOffer(reason) => (1, reason.code().into()),
        Status::Holdout(_) => (2, 0),
    }
}

impl DecisionRecord {
    /// As words.
    pub(super) fn as_words(&self) -> [u64; RECORD_WORDS] {
        let mut words = [0; RECORD_WORDS];
        let (own, learnt) = (self.head(), self.generations.model != 0);
        words.iter_mut().zip(own).for_each(|(to, from)| *to = from);
        let mut put = |at: usize, word: u64| {
            if let Some(to) = words.get_mut(at) {
                *to |= word;
            }
        };
        put(100, self.group_id as u64);
        put(101, (self.group_id >> 64) as u64);
        put(102, self.took_ns.map_or(0, |took| took.get().into()));
        for (at, bytes) in self.placement.as_chunks().0.iter().enumerate() {
            put(15 + at, u64::from_le_bytes(*bytes));
        }
        for (at, (code, count)) in self.reasons.iter().enumerate() {
            put(18 + at / 2, join([((*code).into(), 16), ((*count).into(), 16)]) << (32 * (at % 2)));
        }
        for (at, kind) in self.types.iter().enumerate() {
            put(24 + at / 2, u64::from(*kind) << (32 * (at % 2)));
        }
        for (at, slot) in self.slate.iter().take(usize::from(self.shown)).enumerate() {
            let line = slot.line.unwrap_or(31);
            let slot = join([
                (slot.p_select_ppm.into(), 20),
                (slot.position.into(), 4),
                (slot.relation as u64, 3),
                (line.into(), 5),
            ]);
            put(28 + at / 2, slot << (32 * (at % 2)));
        }
        for (at, candidate) in self.candidates.iter().take(usize::from(self.candidate_count)).enumerate() {
            let row = match candidate.item {
                Item::Product(ProductIx(row)) => row,
                Item::Offer(OfferIx(row)) => row | OFFER,
            };
            let (likely, fits) = (candidate.p_accept_ppm.min((1 << 20) - 1), candidate.relevance);
            let refill = u64::from(candidate.refill);
            put(36 + at, join([(row.into(), 32), (likely.into(), 20), (fits.into(), 10), (refill, 1)]));
            put(68 + at / 2, u64::from(candidate.value) << (32 * (at % 2)));
            if learnt {
                put(84 + at / 2, u64::from(candidate.p_other_ppm) << (32 * (at % 2)));
            }
        }
        words
    }

    fn head(&self) -> [u64; 15] {
        let (status, reason) = status(self.status);
        let degraded = u64::from(self.degraded.search) | u64::from(self.degraded.candidates) << 1;
        let [c0, c1, c2] = self.currency.0.map(u64::from);
        let [retrieved, eligible, rejected] = self.counts.map(u64::from);
        let of_layer = |layer: usize| self.assignment.layers.get(layer).copied().flatten();
        let bucket = |layer| (u64::from(of_layer(layer).map_or(NO_BUCKET, |a| a.bucket)), 16);
        let arm = |layer| (u64::from(of_layer(layer).map_or(0, |a| a.arm)), 8);
        let held = u64::from(self.assignment.holdout_bucket.unwrap_or(NO_BUCKET));
        [
            join([
                (status, 8),
                (self.slots.into(), 8),
                (reason, 16),
                (self.stage.code().into(), 8),
                (degraded, 8),
                (self.shown.into(), 8),
                (self.candidate_count.into(), 8),
            ]),
            join([
                (self.assignment.unit as u64, 8),
                (self.assignment.shows as u64, 8),
                (c0 | c1 << 8 | c2 << 16, 24),
                (self.lines.into(), 16),
            ]),
            self.decision_id as u64,
            (self.decision_id >> 64) as u64,
            self.at_ms.cast_unsigned(),
            self.generations.index,
            self.generations.policy,
            self.generations.overlay,
            self.seed,
            self.assignment.unit_hash,
            self.number,
            join([(held, 16), (retrieved, 16), (eligible, 16), (rejected, 16)]),
            join([bucket(0), bucket(1), bucket(2), bucket(3)]),
            join([
                arm(0),
                arm(1),
                arm(2),
                arm(3),
                (self.generations.model.into(), 31),
                (self.shadow.into(), 1),
            ]),
            self.order_value.map_or(0, |value| value.max(0).cast_unsigned() + 1),
        ]
    }

    /// From words; `None` where they are no record.
    pub(super) fn from_words(words: &[u64; RECORD_WORDS]) -> Option<Self> {
        let words = Words(words);
        let (shown, count) = (words.part(0, 48, 8), words.part(0, 56, 8));
        if shown > count || shown > SLOTS_MAX as u64 || count > CANDIDATES_LOGGED as u64 {
            return None;
        }
        let assignment = words.assignment()?;
        let mut record = Self {
            number: words.whole(10),
            decision_id: u128::from(words.whole(2)) | u128::from(words.whole(3)) << 64,
            group_id: u128::from(words.whole(100)) | u128::from(words.whole(101)) << 64,
            at_ms: words.whole(4).cast_signed(),
            generations: Generations {
                index: words.whole(5),
                policy: words.whole(6),
                overlay: words.whole(7),
                model: words.part(13, 32, 31) as u32,
            },
            seed: words.whole(8),
            assignment,
            stage: Stage::from_code(words.part(0, 32, 8) as u8)?,
            status: words.status(assignment.shows)?,
            degraded: Degraded { search: words.part(0, 40, 1) == 1, candidates: words.part(0, 41, 1) == 1 },
            shadow: words.part(13, 63, 1) == 1,
            took_ns: NonZeroU32::new(words.part(102, 0, 32) as u32),
            slots: words.part(0, 8, 8) as u8,
            lines: words.part(1, 40, 16) as u16,
            order_value: words.whole(14).checked_sub(1).and_then(|value| i64::try_from(value).ok()),
            currency: Currency([0, 8, 16].map(|at| words.part(1, 16 + at, 8) as u8)),
            counts: [16, 32, 48].map(|at| words.part(11, at, 16) as u16),
            placement: std::array::from_fn(|at| words.part(15 + at / 8, 8 * (at as u32 % 8), 8) as u8),
            reasons: std::array::from_fn(|at| (words.half(18, at) as u16, (words.half(18, at) >> 16) as u16)),
            types: std::array::from_fn(|at| words.half(24, at)),
            shown: shown as u8,
            slate: [SlotRecord::NONE; SLOTS_MAX],
            candidate_count: count as u8,
            candidates: [CandidateRecord::NONE; CANDIDATES_LOGGED],
        };
        for (at, slot) in record.slate.iter_mut().take(shown as usize).enumerate() {
            *slot = words.slot(at)?;
        }
        for (at, candidate) in record.candidates.iter_mut().take(count as usize).enumerate() {
            *candidate = words.candidate(at);
        }
        Some(record)
    }
}

/// Words of a record, being read.
struct Words<'a>(&'a [u64; RECORD_WORDS]);

impl Words<'_> {
    fn whole(&self, word: usize) -> u64 {
        self.0.get(word).copied().unwrap_or(0)
    }

    fn part(&self, word: usize, from: u32, bits: u32) -> u64 {
        self.whole(word) >> from & ((1 << bits) - 1)
    }

    /// The 32 bits at a place, counted from a word on.
    fn half(&self, first: usize, at: usize) -> u32 {
        self.part(first + at / 2, 32 * (at as u32 % 2), 32) as u32
    }

    fn assignment(&self) -> Option<Assignment> {
        let bucket = |word, at| Some(self.part(word, at, 16) as u16).filter(|bucket| *bucket != NO_BUCKET);
        let of_layer = |layer: u32| {
            Some(Assigned { bucket: bucket(12, 16 * layer)?, arm: self.part(13, 8 * layer, 8) as u8 })
        };
        Some(Assignment {
            unit: Unit::from_code(self.part(1, 0, 8) as u8)?,
            unit_hash: self.whole(9),
            shows: Shows::from_code(self.part(1, 8, 8) as u8)?,
            holdout_bucket: bucket(11, 0),
            layers: [0, 1, 2, 3].map(of_layer),
        })
    }

    fn status(&self, shows: Shows) -> Option<Status> {
        let code = self.part(0, 16, 16) as u16;
        match self.part(0, 0, 8) {
            0 => Some(Status::Ok),
            1 => Some(Status::NoOffer(*Reason::ALL.iter().find(|reason| reason.code() == code)?)),
            2 => Some(Status::Holdout(shows)),
            _ => None,
        }
    }

    fn slot(&self, at: usize) -> Option<SlotRecord> {
        let bits = self.half(28, at);
        Some(SlotRecord {
            position: (bits >> 20 & 15) as u8,
            p_select_ppm: bits & 0xF_FFFF,
            relation: Relation::from_code((bits >> 24 & 7) as u8)?,
            line: Some((bits >> 27) as u8).filter(|line| *line < 31),
        })
    }

    fn candidate(&self, at: usize) -> CandidateRecord {
        let row = self.part(36 + at, 0, 32) as u32;
        let item =
            if row & OFFER == 0 { Item::Product(ProductIx(row)) } else { Item::Offer(OfferIx(row & !OFFER)) };
        let p_accept_ppm = self.part(36 + at, 32, 20) as u32;
        let learnt = self.part(13, 32, 31) != 0;
        CandidateRecord {
            item,
            relevance: self.part(36 + at, 52, 10) as u16,
            p_accept_ppm,
            value: self.half(68, at),
            p_other_ppm: if learnt { self.half(84, at) } else { p_accept_ppm },
            refill: self.part(36 + at, 62, 1) == 1,
        }
    }
}
