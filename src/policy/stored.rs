//! Rules with conditions, placements and the time zone as a file stores them: a flat list of records, both ways.
//!
//! A rule is a [`rule::RULE`] record with what belongs to it behind it, up to the next one; a pair and a placement likewise.

use zerocopy::little_endian::{I64, U32};

use super::condition::{Comparison, Fact, FlagFact, ListFact, NumberFact, TextFact};
use super::contracts::{self, Cap};
use super::placements::{Placed, Slot};
use super::rules::{Draft, Op, is_sound};
use super::selectors::By;
use super::zone::{Shift, Zone};
use crate::index::View;
use crate::index::format::{PolicyRecord, rule};
use crate::limits::{
    APART_MAX, CAPS_MAX, CONDITION_OPS_MAX, CONDITION_STACK_MAX, PLACEMENTS_MAX, RULES_MAX, SLOTS_MAX,
    ZONE_SHIFTS_MAX,
};
use crate::vocabulary::{Exposure, OfferKind, Party, SensitiveClass, Stage};

/// What the names in a [`rule::NAMED`] record are for: bits 8 to 15 of its value; bits 0 to 7 are [`By`].
pub(super) mod role {
    pub(in crate::policy) const SUPPRESS: u8 = 0;
    pub(in crate::policy) const ALLOW_ONLY: u8 = 1;
    pub(in crate::policy) const BOUGHT: u8 = 2;
    pub(in crate::policy) const THESE: u8 = 3;
    pub(in crate::policy) const THOSE: u8 = 4;
    /// The key is a class, not a name.
    pub(in crate::policy) const ALLOW_SENSITIVE: u8 = 5;
}

/// What a [`rule::PLACEMENT_SETTING`] sets: bits 0 to 7 of its key; bits 8 to 15 are the position.
mod placement {
    pub(super) const SLOTS: u32 = 0;
    pub(super) const FALLBACK: u32 = 1;
    pub(super) const MIN_RELEVANCE: u32 = 2;
    pub(super) const RESERVE_MICROS: u32 = 3;
    pub(super) const KINDS: u32 = 4;
    pub(super) const PARTIES: u32 = 5;
}

/// Steps of a condition: bits 0 to 7 of a [`rule::CONDITION`]'s key; bits 8 to 15 are the fact, above it the comparison or the
/// number of operands.
mod step {
    pub(super) const NUMBER: u32 = 0;
    pub(super) const TEXT: u32 = 1;
    pub(super) const HAS: u32 = 2;
    pub(super) const FLAG: u32 = 3;
    pub(super) const KNOWN_NUMBER: u32 = 4;
    pub(super) const KNOWN_TEXT: u32 = 5;
    pub(super) const KNOWN_FLAG: u32 = 6;
    pub(super) const ALL: u32 = 7;
    pub(super) const ANY: u32 = 8;
    pub(super) const NOT: u32 = 9;
}

pub(super) fn record(kind: u32, key: u32, value: i64) -> PolicyRecord {
    PolicyRecord { kind: U32::new(kind), key: U32::new(key), value: I64::new(value) }
}

/// Begins a rule or a pair, with its name.
pub(super) fn write_name(kind: u32, name: &str, to: &mut Vec<PolicyRecord>) {
    to.push(record(kind, name.len() as u32, 0));
    for chunk in name.as_bytes().chunks(8) {
        let mut bytes = [0; 8];
        bytes[..chunk.len()].copy_from_slice(chunk);
        to.push(record(rule::TEXT, chunk.len() as u32, i64::from_le_bytes(bytes)));
    }
}

pub(super) fn write_named(by: By, role: u8, row: u32, to: &mut Vec<PolicyRecord>) {
    to.push(record(rule::NAMED, row, i64::from(by.code()) | i64::from(role) << 8));
}

/// Key and value of a step of a condition.
pub(super) fn op_key_value(op: Op) -> (u32, i64) {
    let fact = |code: u8| u32::from(code) << 8;
    match op {
        Op::Number { fact: of, is, value } => {
            (step::NUMBER | fact(of.code()) | u32::from(is.code()) << 16, value)
        }
        Op::Text { fact: of, hash } => (step::TEXT | fact(of.code()), hash.cast_signed()),
        Op::Has { list, hash } => (step::HAS | fact(list.code()), hash.cast_signed()),
        Op::Flag(of) => (step::FLAG | fact(of.code()), 0),
        Op::Known(Fact::Number(of)) => (step::KNOWN_NUMBER | fact(of.code()), 0),
        Op::Known(Fact::Text(of)) => (step::KNOWN_TEXT | fact(of.code()), 0),
        Op::Known(Fact::Flag(of)) => (step::KNOWN_FLAG | fact(of.code()), 0),
        Op::All(count) => (step::ALL | u32::from(count) << 16, 0),
        Op::Any(count) => (step::ANY | u32::from(count) << 16, 0),
        Op::Not => (step::NOT, 0),
    }
}

pub(super) fn write_op(op: Op, to: &mut Vec<PolicyRecord>) {
    let (key, value) = op_key_value(op);
    to.push(record(rule::CONDITION, key, value));
}

pub(super) fn write_placement(placed: &Placed, to: &mut Vec<PolicyRecord>) {
    let stage = placed.stage.map_or(0, |stage| u32::from(stage.code()) + 1);
    to.push(record(rule::PLACEMENT, stage, placed.id.unwrap_or(0).cast_signed()));
    let mut set = |what, position: usize, value| {
        to.push(record(rule::PLACEMENT_SETTING, what | (position as u32) << 8, value));
    };
    set(placement::SLOTS, 0, placed.slots.into());
    let rung = |rung: Option<bool>| rung.map_or(0, |content| 1 + i64::from(content));
    set(placement::FALLBACK, 0, rung(placed.fallback[0]) | rung(placed.fallback[1]) << 2);
    for (position, slot) in placed.positions.iter().enumerate() {
        set(placement::MIN_RELEVANCE, position, slot.min_relevance.into());
        set(placement::RESERVE_MICROS, position, slot.reserve_micros);
        set(placement::KINDS, position, slot.kinds.into());
        set(placement::PARTIES, position, slot.parties.into());
    }
}

/// Writes what a partner or an offer asks, where it asks anything.
#[cfg(feature = "build")]
pub(crate) fn write_contract(draft: &contracts::Draft, to: &mut Vec<PolicyRecord>) {
    if draft.ops.is_empty() && draft.caps.is_empty() {
        return;
    }
    to.push(record(rule::CONTRACT, draft.row, draft.of_offer.into()));
    draft.ops.iter().for_each(|op| write_op(*op, to));
    let cap = |cap: &Cap| record(rule::CAP, u32::from(cap.event.code()) | cap.most << 8, cap.window_ms);
    to.extend(draft.caps.iter().map(cap));
}

/// The contracts among the rules of a catalog: they come last.
pub(crate) fn contracts_of(rules: &[PolicyRecord]) -> &[PolicyRecord] {
    let start = rules.iter().position(|record| record.kind.get() == rule::CONTRACT);
    start.and_then(|start| rules.get(start..)).unwrap_or(&[])
}

/// The catalog's marks of sensitive categories that a policy says nothing of: they stay in force under every policy.
pub(crate) fn other_marks(catalog: &[PolicyRecord], policy: &[PolicyRecord]) -> Vec<PolicyRecord> {
    let is_mark = |record: &&PolicyRecord| record.kind.get() == rule::MARK_SENSITIVE;
    let own: Vec<u32> = policy.iter().filter(is_mark).map(|record| record.key.get()).collect();
    catalog.iter().filter(is_mark).filter(|record| !own.contains(&record.key.get())).copied().collect()
}

pub(super) fn write_zone(zone: &Zone, to: &mut Vec<PolicyRecord>) {
    let shifts = zone.shifts.iter();
    to.extend(shifts.map(|s| record(rule::ZONE, s.offset_s.cast_unsigned(), s.from_s)));
}

/// Two sets that may not meet, as they are read.
#[derive(Debug, Clone, Default)]
pub(super) struct DraftPair {
    pub(super) name: Vec<u8>,
    pub(super) these: Vec<(By, u32)>,
    pub(super) those: Vec<(By, u32)>,
}

/// Takes records one by one. Whatever makes no sense is `None`: a rule that cannot be understood is never ignored.
#[derive(Debug, Default)]
pub(super) struct Reader {
    pub(super) rules: Vec<Draft>,
    pub(super) pairs: Vec<DraftPair>,
    pub(super) placements: Vec<Placed>,
    pub(super) zone: Zone,
    /// What names belong to: a rule, or else a pair.
    in_pair: bool,
    /// Bytes of its name that are still to come.
    name_rest: usize,
    ops: usize,
    pub(super) contracts: Vec<contracts::Draft>,
    caps: usize,
}

impl Reader {
    pub(super) fn take(&mut self, record: &PolicyRecord, view: &View<'_>) -> Option<()> {
        let (kind, key, value) = (record.kind.get(), record.key.get(), record.value.get());
        if kind != rule::TEXT && self.name_rest > 0 {
            return None;
        }
        match kind {
            rule::RULE => {
                (self.in_pair, self.name_rest) = (false, key as usize);
                self.rules.push(Draft::default());
                (self.rules.len() <= RULES_MAX).then_some(())
            }
            rule::APART => {
                (self.in_pair, self.name_rest) = (true, key as usize);
                self.pairs.push(DraftPair::default());
                (self.pairs.len() <= APART_MAX).then_some(())
            }
            rule::TEXT => self.take_name(key as usize, value),
            rule::CONDITION => {
                self.ops += 1;
                let op = read_op(key, value)?;
                if let Some(contract) = self.contracts.last_mut() {
                    contract.ops.push(op);
                    return (contract.ops.len() <= CONDITION_STACK_MAX).then_some(());
                }
                self.rules.last_mut().filter(|_| !self.in_pair)?.ops.push(op);
                (self.ops <= CONDITION_OPS_MAX).then_some(())
            }
            rule::CONTRACT => {
                let rows = if value == 1 { view.offers.len() } else { view.partners.len() };
                self.contracts.push(contracts::Draft {
                    row: key,
                    of_offer: value == 1,
                    ..Default::default()
                });
                ((key as usize) < rows && (0..=1).contains(&value)).then_some(())
            }
            rule::CAP => {
                self.caps += 1;
                let event = Exposure::from_code((key & 0xFF) as u8)?;
                let cap = Cap { event, most: key >> 8, window_ms: value };
                self.contracts.last_mut()?.caps.push(cap);
                (self.caps <= CAPS_MAX).then_some(())
            }
            rule::NAMED => self.take_named(key, value, view),
            rule::PLACEMENT => self.take_placement(key, value),
            rule::PLACEMENT_SETTING => self.take_setting(key, value),
            rule::ZONE => {
                let shift = Shift { from_s: value, offset_s: key.cast_signed() };
                let later = self.zone.shifts.last().is_none_or(|last| last.from_s < value);
                self.zone.shifts.push(shift);
                (later && self.zone.shifts.len() <= ZONE_SHIFTS_MAX).then_some(())
            }
            _ => None,
        }
    }

    /// Whether what was read is whole.
    pub(super) fn finish(self) -> Option<Self> {
        let mut rules = self.rules.iter().map(|draft| &draft.ops);
        let mut asked = self.contracts.iter().map(|draft| &draft.ops).filter(|ops| !ops.is_empty());
        if !rules.all(|ops| is_sound(ops)) || !asked.all(|ops| is_sound(ops)) {
            return None;
        }
        (self.name_rest == 0).then_some(self)
    }

    fn take_name(&mut self, length: usize, value: i64) -> Option<()> {
        self.name_rest = self.name_rest.checked_sub(length)?;
        let bytes = value.to_le_bytes();
        let bytes = bytes.get(..length)?;
        let name =
            if self.in_pair { &mut self.pairs.last_mut()?.name } else { &mut self.rules.last_mut()?.name };
        name.extend(bytes);
        Some(())
    }

    fn take_named(&mut self, row: u32, value: i64, view: &View<'_>) -> Option<()> {
        let role = u8::try_from(value >> 8).ok()?;
        if role == role::ALLOW_SENSITIVE {
            let class = SensitiveClass::from_code(u8::try_from(row).ok()?)?;
            self.rules.last_mut().filter(|_| !self.in_pair)?.allow_sensitive |= 1 << class.code();
            return Some(());
        }
        let by = By::from_code((value & 0xFF) as u8)?;
        let rows = match by {
            By::Category => view.categories.len(),
            By::Brand => view.brands.len(),
            By::Partner => view.partners.len(),
            By::Product => view.products.len(),
            By::Offer => view.offers.len(),
            By::Kind => OfferKind::ALL.len(),
            By::Party => Party::ALL.len(),
            By::Attribute => view.attribute_values.len(),
        };
        let list = match (role, self.in_pair) {
            (role::SUPPRESS, false) => &mut self.rules.last_mut()?.suppress,
            (role::ALLOW_ONLY, false) => &mut self.rules.last_mut()?.allow_only,
            (role::BOUGHT, false) => &mut self.rules.last_mut()?.bought,
            (role::THESE, true) => &mut self.pairs.last_mut()?.these,
            (role::THOSE, true) => &mut self.pairs.last_mut()?.those,
            _ => return None,
        };
        list.push((by, row));
        ((row as usize) < rows).then_some(())
    }

    fn take_placement(&mut self, stage: u32, id: i64) -> Option<()> {
        let stage = match stage {
            0 => None,
            code => Some(Stage::from_code(u8::try_from(code - 1).ok()?)?),
        };
        self.placements.push(Placed { id: Some(id.cast_unsigned()), stage, ..Placed::default() });
        (self.placements.len() <= PLACEMENTS_MAX).then_some(())
    }

    fn take_setting(&mut self, key: u32, value: i64) -> Option<()> {
        let placed = self.placements.last_mut()?;
        let slot: &mut Slot = placed.positions.get_mut((key >> 8) as usize)?;
        match key & 0xFF {
            placement::SLOTS => {
                placed.slots = u8::try_from(value).ok().filter(|n| (1..=SLOTS_MAX as u8).contains(n))?;
            }
            placement::FALLBACK => {
                let rung = |code: i64| [None, Some(false), Some(true)].get(code as usize & 3).copied();
                let rungs = [rung(value)?, rung(value >> 2)?];
                placed.fallback = Some(rungs).filter(|[a, b]| a.is_none() || a != b)?;
            }
            placement::MIN_RELEVANCE => slot.min_relevance = u16::try_from(value).ok()?,
            placement::RESERVE_MICROS => slot.reserve_micros = value,
            placement::KINDS => slot.kinds = u32::try_from(value).ok()?,
            placement::PARTIES => slot.parties = u8::try_from(value).ok()?,
            _ => return None,
        }
        Some(())
    }
}

pub(super) fn read_op(key: u32, value: i64) -> Option<Op> {
    let fact = (key >> 8 & 0xFF) as u8;
    let rest = key >> 16;
    let hash = value.cast_unsigned();
    Some(match key & 0xFF {
        step::NUMBER => Op::Number {
            fact: NumberFact::from_code(fact)?,
            is: Comparison::from_code(u8::try_from(rest).ok()?)?,
            value,
        },
        step::TEXT => Op::Text { fact: TextFact::from_code(fact)?, hash },
        step::HAS => Op::Has { list: ListFact::from_code(fact)?, hash },
        step::FLAG => Op::Flag(FlagFact::from_code(fact)?),
        step::KNOWN_NUMBER => Op::Known(Fact::Number(NumberFact::from_code(fact)?)),
        step::KNOWN_TEXT => Op::Known(Fact::Text(TextFact::from_code(fact)?)),
        step::KNOWN_FLAG => Op::Known(Fact::Flag(FlagFact::from_code(fact)?)),
        step::ALL => Op::All(u16::try_from(rest).ok()?),
        step::ANY => Op::Any(u16::try_from(rest).ok()?),
        step::NOT => Op::Not,
        _ => return None,
    })
}
