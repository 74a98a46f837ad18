//! Rules with conditions, compiled: which of them hold for a request, and what those refuse.

use std::ops::Range;

use super::bits;
use super::condition::{self, Comparison, Condition, Fact, FlagFact, ListFact, NumberFact, TextFact};
use super::facts::{Facts, text_hash};
use super::selectors::{By, Member, Selectors};
use crate::index::View;
use crate::limits::{CONDITION_STACK_MAX, RULES_MAX};

/// Words of [`RuleBits`].
pub(crate) const RULE_WORDS: usize = RULES_MAX / 64;
/// A bit per rule.
pub(crate) type RuleBits = [u64; RULE_WORDS];

/// One step of a condition, operands first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Number { fact: NumberFact, is: Comparison, value: i64 },
    Text { fact: TextFact, hash: u64 },
    Has { list: ListFact, hash: u64 },
    Flag(FlagFact),
    Known(Fact),
    All(u16),
    Any(u16),
    Not,
}

impl Op {
    /// Writes a condition, operands first.
    pub(crate) fn write(condition: &Condition, ops: &mut Vec<Self>) {
        let mut each = |parts: &[Condition]| {
            parts.iter().for_each(|part| Self::write(part, ops));
            parts.len().min(usize::from(u16::MAX)) as u16
        };
        match condition {
            Condition::Always => ops.push(Self::All(0)),
            Condition::All(parts) => {
                let count = each(parts);
                ops.push(Self::All(count));
            }
            Condition::Any(parts) => {
                let count = each(parts);
                ops.push(Self::Any(count));
            }
            Condition::Not(part) => {
                Self::write(part, ops);
                ops.push(Self::Not);
            }
            Condition::Number { fact, is, value } => {
                ops.push(Self::Number { fact: *fact, is: *is, value: *value });
            }
            Condition::Text { fact, value } => ops.push(Self::Text { fact: *fact, hash: text_hash(value) }),
            Condition::Has { list, value } => ops.push(Self::Has { list: *list, hash: text_hash(value) }),
            Condition::Flag(fact) => ops.push(Self::Flag(*fact)),
            Condition::Known(fact) => ops.push(Self::Known(*fact)),
        }
    }

    /// Results that it takes from those before it.
    fn takes(self) -> usize {
        match self {
            Self::All(count) | Self::Any(count) => usize::from(count),
            Self::Not => 1,
            _ => 0,
        }
    }

    fn answer(self, of: &[Option<bool>], facts: &Facts) -> Option<bool> {
        match self {
            Self::Number { fact, is, value } => facts.number(fact).map(|number| is.holds(number, value)),
            Self::Text { fact, hash } => facts.text(fact).map(|text| text == hash),
            Self::Has { list, hash } => facts.has(list, hash),
            Self::Flag(fact) => facts.flag(fact),
            Self::Known(Fact::Number(fact)) => Some(facts.number(fact).is_some()),
            Self::Known(Fact::Text(fact)) => Some(facts.text(fact).is_some()),
            Self::Known(Fact::Flag(fact)) => Some(facts.flag(fact).is_some()),
            Self::All(_) => condition::all(of),
            Self::Any(_) => condition::any(of),
            Self::Not => of.first().copied().and_then(condition::not),
        }
    }
}

/// Whether a condition leaves one result and never needs more room than there is.
pub(crate) fn is_sound(ops: &[Op]) -> bool {
    let mut height = 0usize;
    for op in ops {
        let Some(rest) = height.checked_sub(op.takes()) else { return false };
        height = rest + 1;
        if height > CONDITION_STACK_MAX {
            return false;
        }
    }
    height == 1
}

/// The answer of a sound condition; `None` = the request does not say enough.
pub(super) fn answer(ops: &[Op], facts: &Facts) -> Option<bool> {
    if let [op] = ops {
        return op.answer(&[], facts); // most conditions
    }
    let mut stack = [None; CONDITION_STACK_MAX];
    let mut height = 0usize;
    for op in ops {
        let start = height.checked_sub(op.takes())?;
        let answer = op.answer(stack.get(start..height)?, facts);
        *stack.get_mut(start)? = answer;
        height = start + 1;
    }
    stack[0]
}

/// A rule as it is read, before it is compiled.
#[derive(Debug, Clone, Default)]
pub(crate) struct Draft {
    pub(crate) name: Vec<u8>,
    pub(crate) ops: Vec<Op>,
    pub(crate) bought: Vec<(By, u32)>,
    pub(crate) suppress: Vec<(By, u32)>,
    pub(crate) allow_only: Vec<(By, u32)>,
    /// Bit per class.
    pub(crate) allow_sensitive: u32,
}

/// A rule with a condition.
#[derive(Debug, Clone)]
struct Rule {
    name: Box<str>,
    ops: Range<usize>,
    has_bought: bool,
    allow_sensitive: u32,
    /// In [`Rules::members`].
    members: Range<usize>,
}

/// All rules that have conditions, compiled. `Default` = none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    list: Vec<Rule>,
    ops: Vec<Op>,
    /// What each refuses.
    refused: Selectors,
    /// Of the rules that look at what was bought: what they look for.
    bought: Selectors,
    /// Rules that hold for every request.
    standing: RuleBits,
    /// The names of the rules once more, plainly, for the final check.
    members: Vec<Member>,
}

/// What the rules say of one request.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Holding {
    /// Rules that refuse.
    pub(crate) refusing: RuleBits,
    /// Sensitive classes that rules allow, a bit each.
    pub(crate) allow_sensitive: u32,
}

impl Rules {
    /// Compiles at most [`RULES_MAX`] drafts with sound conditions.
    pub(crate) fn new(drafts: &[Draft], view: &View<'_>) -> Self {
        let mut rules = Self::default();
        let mut bought = Vec::new();
        for (bit, draft) in (0..).zip(drafts) {
            let always = draft.bought.is_empty() && draft.ops == [Op::All(0)];
            if always {
                bits::set(&mut rules.standing, bit as usize);
            }
            let (ops, members) = (rules.ops.len(), rules.members.len());
            rules.ops.extend(&draft.ops);
            let member = |only| move |(by, row): &(By, u32)| Member { bit, by: *by, row: *row, only };
            rules.members.extend(draft.suppress.iter().map(member(false)));
            rules.members.extend(draft.allow_only.iter().map(member(true)));
            bought.extend(draft.bought.iter().map(member(false)));
            rules.list.push(Rule {
                name: String::from_utf8_lossy(&draft.name).into(),
                ops: ops..rules.ops.len(),
                has_bought: !draft.bought.is_empty(),
                allow_sensitive: draft.allow_sensitive,
                members: members..rules.members.len(),
            });
        }
        rules.refused = Selectors::new(rules.list.len(), &rules.members, view);
        rules.bought = Selectors::new(if bought.is_empty() { 0 } else { rules.list.len() }, &bought, view);
        rules
    }

    /// No rule at all: nothing needs to be asked.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(crate) fn count(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn name(&self, rule: usize) -> &str {
        self.list.get(rule).map_or("", |rule| &rule.name)
    }

    /// Which rules hold. `lines` are product, category and brand of each bought line.
    pub(crate) fn holding(
        &self,
        facts: &Facts,
        lines: impl Iterator<Item = (u32, u32, u32)> + Clone,
        unread: bool,
    ) -> Holding {
        let (mut sure, mut maybe) = ([0u64; RULE_WORDS], [0u64; RULE_WORDS]);
        for (product, category, brand) in lines {
            for (row, known) in self.bought.of_line(product, category, brand).into_iter().zip([
                true,
                category != crate::index::format::NONE,
                brand != crate::index::format::NONE,
            ]) {
                for ((sure, maybe), word) in sure.iter_mut().zip(&mut maybe).zip(row) {
                    *maybe |= word;
                    *sure |= if known { *word } else { 0 };
                }
            }
        }
        let mut holding = Holding { refusing: [0; RULE_WORDS], allow_sensitive: 0 };
        for (at, rule) in self.list.iter().enumerate() {
            let (surely, perhaps) = match rule.has_bought {
                true => (bits::has(&sure, at), unread || bits::has(&maybe, at)),
                false => (true, true),
            };
            let answer = answer(self.ops.get(rule.ops.clone()).unwrap_or(&[]), facts);
            if perhaps && answer != Some(false) {
                bits::set(&mut holding.refusing, at);
            }
            if surely && answer == Some(true) {
                holding.allow_sensitive |= rule.allow_sensitive;
            }
        }
        holding
    }

    /// What holds whatever the request is, and which classes some request may see.
    pub(crate) fn standing(&self) -> Holding {
        let any = self.list.iter().fold(0, |bits, rule| bits | rule.allow_sensitive);
        Holding { refusing: self.standing, allow_sensitive: any }
    }

    /// Rules that hold for some requests only.
    pub(crate) fn conditional(&self) -> RuleBits {
        let mut bits = [0; RULE_WORDS];
        (0..self.list.len()).for_each(|at| bits::set(&mut bits, at));
        bits.iter_mut().zip(self.standing).for_each(|(bits, standing)| *bits &= !standing);
        bits
    }

    /// The names that rules refuse.
    pub(crate) fn refused(&self) -> &Selectors {
        &self.refused
    }

    /// The names in a rule's `suppress` and `allow_only`.
    pub(crate) fn members(&self, rule: usize) -> &[Member] {
        let range = self.list.get(rule).map_or(0..0, |rule| rule.members.clone());
        self.members.get(range).unwrap_or(&[])
    }
}

/// Whether rules that hold are among those of a row of bits.
#[inline]
pub(crate) fn meets(refusing: &RuleBits, row: &[u64]) -> bool {
    refusing.iter().zip(row).any(|(a, b)| a & b != 0)
}

/// All rules that hold and refuse something that is in `sets`.
pub(crate) fn all_refusals<'s>(
    refusing: &'s RuleBits,
    sets: &'s [(By, &'s [u64])],
) -> impl Iterator<Item = usize> + 's {
    let hit = |at: &usize| bits::has(refusing, *at) && sets.iter().any(|(_, row)| bits::has(row, *at));
    (0..RULE_WORDS * 64).filter(hit)
}
