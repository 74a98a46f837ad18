//! What each position of a placement takes.

use crate::limits::SLOTS_MAX;
use crate::transaction::Placement;
use crate::vocabulary::{Party, Stage};

/// One position of a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Slot {
    /// Thousandths.
    pub(crate) min_relevance: u16,
    pub(crate) reserve_micros: i64,
    /// Bit per [`crate::vocabulary::OfferKind`] code.
    pub(crate) kinds: u32,
    /// Bit per [`Party`] code.
    pub(crate) parties: u8,
}

impl Slot {
    /// Takes everything.
    pub(crate) const OPEN: Self =
        Self { min_relevance: 0, reserve_micros: 0, kinds: u32::MAX, parties: u8::MAX };
}

/// A placement, compiled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// Hash of its id; the default placement has none.
    pub(crate) id: Option<u64>,
    pub(crate) stage: Option<Stage>,
    pub(crate) slots: u8,
    pub(crate) positions: [Slot; SLOTS_MAX],
    /// Rungs of the fallback ladder in order: whether it is content.
    pub(crate) fallback: [Option<bool>; 2],
}

impl Default for Placed {
    fn default() -> Self {
        Self {
            id: None,
            stage: None,
            slots: 1,
            positions: [Slot::OPEN; SLOTS_MAX],
            fallback: [Some(false), Some(true)],
        }
    }
}

impl Placed {
    /// What a position takes.
    pub(crate) fn slot(&self, position: usize) -> Slot {
        self.positions.get(position).or(self.positions.last()).copied().unwrap_or(Slot::OPEN)
    }

    /// Whether all positions take the same.
    pub(crate) fn is_uniform(&self) -> bool {
        self.positions.iter().all(|slot| *slot == self.positions[0])
    }

    /// Least relevance of the first positions.
    pub(crate) fn least_relevance(&self, slots: usize) -> u16 {
        self.positions.iter().take(slots.max(1)).map(|slot| slot.min_relevance).min().unwrap_or(u16::MAX)
    }

    /// Least reserve of the first positions.
    pub(crate) fn least_reserve(&self, slots: usize) -> i64 {
        self.positions.iter().take(slots.max(1)).map(|slot| slot.reserve_micros).min().unwrap_or(i64::MAX)
    }
}

/// Slots of a request: as it says, or as its placement does.
pub(crate) fn slots_of(asked: &Placement<'_>, placed: Option<&Placed>) -> u8 {
    if asked.slots > 0 { asked.slots } else { placed.map_or(0, |placed| placed.slots) }
}

/// A fallback ladder as a stored setting has it: two bits a rung, 1 house, 2 content.
pub(super) fn ladder_code(ladder: [Option<bool>; 2]) -> i64 {
    ladder.iter().rev().fold(0, |code, rung| code << 2 | rung.map_or(0, |content| 1 + i64::from(content)))
}

/// `None` where it is no ladder.
pub(super) fn ladder_of(code: i64) -> Option<[Option<bool>; 2]> {
    let all = [None, Some(false), Some(true)];
    let mut ladders = all.iter().flat_map(|first| all.iter().map(|second| [*first, *second]));
    ladders.find(|ladder| ladder_code(*ladder) == code)
}

/// Before payment nothing of a third party is shown, unless a placement says so.
pub(crate) fn is_before_payment(stage: Stage) -> bool {
    matches!(stage, Stage::Cart | Stage::Checkout | Stage::Payment)
}

/// The bit of a party.
pub(crate) fn party_bit(third: bool) -> u8 {
    1 << if third { Party::Third.code() } else { Party::First.code() }
}

/// The placement of a request: by id, else by stage, else the default one, which comes first. `None` = the policy names
/// placements, and not this one.
pub(crate) fn find(placements: &[Placed], id: Option<u64>, stage: Stage) -> Option<&Placed> {
    match id {
        Some(id) if placements.len() > 1 => placements.iter().find(|placed| placed.id == Some(id)),
        _ => placements.iter().find(|placed| placed.stage == Some(stage)).or(placements.first()),
    }
}
