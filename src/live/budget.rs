//! Budgets as leases: who shows an offer takes a lease on its budgets, and gives it back as spent or as unused.
//!
//! A lease is one word of the budget: `spent (32 bits) | held (20) | turn (12)`. What was spent through it and what it holds
//! change together, in one step, so that a process may die between any two instructions: what it had spent is counted once,
//! and what it held comes back when the lease expires. What a budget has spent is the sum over its leases; nothing is written
//! down twice.
//!
//! Who reserves puts its lease in first and then adds up everything. Of two at a time, the later to add up sees both, so
//! `spent + held <= limit` holds whenever a reservation succeeds; near the limit both may be refused, and one asks again.

use super::Live;
use super::format::{self, Config, QUARTERS, account};
use super::words::Word;
use crate::days::DAY_MS;

/// Why nothing could be reserved, activated or released. Small and `Copy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// The limit is spent or held by other leases.
    #[error("nothing is left of the budget")]
    Empty,
    /// As many leases are out as the overlay has room for.
    #[error("all leases of the budget are out; wait, or make the overlay with more")]
    AllOut,
    /// Paused or killed since the decision.
    #[error("paused or killed")]
    Paused,
    /// The lease expired and was given to others, or was used before. Nothing was counted.
    #[error("the lease expired, or was activated or released before")]
    Gone,
    /// The lease is of another overlay, or the item of another catalog.
    #[error("the lease or the item is not of this overlay")]
    Foreign,
    /// More than a lease can hold: 1,048,575 minor units.
    #[error("a lease holds at most 1,048,575 minor units")]
    TooLarge,
    /// Without the time no lease could expire.
    #[error("the time is not known")]
    NoTime,
}

/// The right to spend from the budgets of one offer, until it expires. Plain data: a host may keep it in the customer's
/// session, and any process of the machine may use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lease {
    overlay: u64,
    /// When it expires, Unix milliseconds; 0 = it holds nothing, since the offer has no limit.
    expires_at_ms: i64,
    partner: Option<Part>,
    item: Option<Part>,
}

/// A lease on one budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Part {
    account: u32,
    lease: u32,
    turn: u16,
}

impl Part {
    const NONE: u64 = u64::MAX;

    fn pack(part: Option<Self>) -> u64 {
        part.map_or(Self::NONE, |p| u64::from(p.account) << 32 | u64::from(p.lease) << 12 | u64::from(p.turn))
    }

    fn unpack(word: u64) -> Option<Self> {
        let (account, lease) = ((word >> 32) as u32, (word >> 12 & 0xF_FFFF) as u32);
        (word != Self::NONE).then_some(Self { account, lease, turn: (word & 0xFFF) as u16 })
    }
}

impl Lease {
    /// A lease that holds nothing.
    pub(crate) const fn nothing() -> Self {
        Self { overlay: 0, expires_at_ms: 0, partner: None, item: None }
    }

    /// When it expires, Unix milliseconds; 0 where it holds nothing.
    #[must_use]
    pub fn expires_at_ms(&self) -> i64 {
        self.expires_at_ms
    }

    /// As 32 bytes, to keep.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let words = [
            self.overlay,
            self.expires_at_ms.cast_unsigned(),
            Part::pack(self.partner),
            Part::pack(self.item),
        ];
        for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
            to.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// Back from bytes. Any bytes are a lease; a wrong one is refused where it is used.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let mut words = bytes.chunks_exact(8).map(|b| b.iter().rev().fold(0, |w, b| w << 8 | u64::from(*b)));
        let mut next = || words.next().unwrap_or(0);
        let (overlay, expires_at_ms) = (next(), next().cast_signed());
        let (partner, item) = (Part::unpack(next()), Part::unpack(next()));
        Self { overlay, expires_at_ms, partner, item }
    }
}

/// A lease word, taken apart.
#[derive(Debug, Clone, Copy)]
struct Slot {
    spent: u32,
    held: u32,
    turn: u16,
}

const HELD_MAX: u32 = (1 << 20) - 1;
const TURN_MASK: u16 = 0xFFF;

impl Slot {
    fn unpack(word: u64) -> Self {
        let held = (word >> 12) as u32 & HELD_MAX;
        Self { spent: (word >> 32) as u32, held, turn: word as u16 & TURN_MASK }
    }

    fn pack(self) -> u64 {
        u64::from(self.spent) << 32 | u64::from(self.held) << 12 | u64::from(self.turn)
    }
}

/// When a lease ends: `milliseconds (52 bits) | turn (12)`, which says of which lease it speaks.
fn pack_expiry(at_ms: i64, turn: u16) -> u64 {
    (at_ms.clamp(0, (1 << 51) - 1) as u64) << 12 | u64::from(turn)
}

/// What a budget amounts to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) spent: u64,
    pub(super) held: u64,
    pub(super) leases: u32,
    /// When the first lease that is out expires.
    pub(super) next_expiry_ms: i64,
}

/// Longest lease: a day.
const LEASE_MS_MAX: i64 = DAY_MS;
/// How long a lease lives of which its process has not said when it ends: that takes nanoseconds, so it may have died.
const UNSAID_MS: i64 = 60_000;
/// Times that a refused reservation looks again, for others that withdraw at the same moment.
const TRIES: usize = 3;

impl Live {
    /// Takes leases on the budgets of a partner and of what it offers; one that has no limit holds nothing.
    pub(crate) fn reserve(
        &self,
        partner: Option<u32>,
        item: Option<u32>,
        value: i64,
        now_ms: i64,
        for_ms: i64,
    ) -> Result<Lease, LeaseError> {
        if now_ms <= 0 {
            return Err(LeaseError::NoTime);
        }
        let expires_at_ms = now_ms.saturating_add(for_ms.clamp(1, LEASE_MS_MAX));
        let (overlay, expiry) = (self.identity, expires_at_ms);
        let mut lease = Lease { overlay, expires_at_ms: 0, partner: None, item: None };
        if let Some(account) = partner {
            lease.partner = self.reserve_one(account, value, now_ms, expiry)?;
        }
        if let Some(account) = item {
            match self.reserve_one(account, value, now_ms, expiry) {
                Ok(part) => lease.item = part,
                Err(error) => {
                    self.release(&Lease { expires_at_ms, ..lease }, now_ms)?;
                    return Err(error);
                }
            }
        }
        if lease.partner.is_some() || lease.item.is_some() {
            lease.expires_at_ms = expires_at_ms;
        }
        Ok(lease)
    }

    /// Counts what was reserved as spent. Call it where your contract counts: when the offer was shown, or accepted.
    ///
    /// # Errors
    /// [`LeaseError::Gone`]: it expired, or was used before; nothing is counted then (at most, where it expires at this very
    /// moment, at the partner alone), so do not honour the offer on it, or reserve anew. [`LeaseError::Foreign`].
    pub fn activate(&self, lease: &Lease, now_ms: i64) -> Result<(), LeaseError> {
        self.settle(lease, now_ms, true)
    }

    /// Gives back what was reserved: the customer declined, or left.
    ///
    /// # Errors
    /// As [`Live::activate`].
    pub fn release(&self, lease: &Lease, now_ms: i64) -> Result<(), LeaseError> {
        self.settle(lease, now_ms, false)
    }

    fn settle(&self, lease: &Lease, now_ms: i64, spend: bool) -> Result<(), LeaseError> {
        let parts = [lease.partner, lease.item];
        if parts == [None, None] {
            return Ok(());
        }
        if lease.overlay != self.identity {
            return Err(LeaseError::Foreign);
        }
        if now_ms >= lease.expires_at_ms {
            return Err(LeaseError::Gone);
        }
        for part in parts.into_iter().flatten() {
            self.settle_one(part, now_ms, spend)?;
        }
        Ok(())
    }

    fn settle_one(&self, part: Part, now_ms: i64, spend: bool) -> Result<(), LeaseError> {
        let config = self.config(part.account);
        let word = self.leases(&config).and_then(|leases| leases.get(part.lease as usize * 2));
        let word = word.ok_or(LeaseError::Foreign)?;
        let old = word.get_in_order();
        let slot = Slot::unpack(old);
        if slot.held == 0 || slot.turn != part.turn {
            return Err(LeaseError::Gone);
        }
        if spend {
            self.roll_day(part.account, &config, now_ms);
        }
        let spent = if spend { slot.spent.saturating_add(slot.held) } else { slot.spent };
        if !word.swap(old, Slot { spent, held: 0, turn: slot.turn }.pack()) {
            return Err(LeaseError::Gone); // another one was faster: it expired, or was used twice at a time
        }
        self.refresh(part.account, now_ms);
        Ok(())
    }

    fn reserve_one(
        &self,
        at: u32,
        value: i64,
        now_ms: i64,
        expires_at_ms: i64,
    ) -> Result<Option<Part>, LeaseError> {
        let config = self.config(at);
        if config.paused || config.killed {
            return Err(LeaseError::Paused);
        }
        if !self.is_limited(at) {
            return Ok(None);
        }
        let leases = self.leases(&config).ok_or(LeaseError::Empty)?;
        let amount = if config.money { value.max(1) } else { 1 };
        let amount = u32::try_from(amount).ok().filter(|a| *a <= HELD_MAX).ok_or(LeaseError::TooLarge)?;
        self.roll_day(at, &config, now_ms);
        let mut refused = LeaseError::Empty;
        for _ in 0..TRIES {
            let Some(part) = claim(leases, at, amount, now_ms, expires_at_ms) else {
                refused = LeaseError::AllOut;
                break;
            };
            if self.is_within(at, leases) {
                self.refresh(at, now_ms);
                return Ok(Some(part));
            }
            // Whatever became of it meanwhile, it holds nothing now.
            let _ = withdraw(leases, part);
            if !expire(leases, now_ms) && sums(leases).held == 0 {
                break; // nobody else is in the way
            }
        }
        self.refresh(at, now_ms);
        Err(refused)
    }

    /// Whether an account has any limit.
    pub(super) fn is_limited(&self, at: u32) -> bool {
        self.account(at, account::DAILY) != 0 || self.account(at, account::TOTAL) != 0
    }

    /// The leases of a budget: word and expiry of each.
    fn leases(&self, config: &Config) -> Option<&[Word]> {
        let budget = config.budget.filter(|budget| u32::from(*budget) < self.layout.capacity.budgets)?;
        let start = self.layout.budget(budget.into()) + QUARTERS;
        self.words.all().get(start..start + 2 * self.layout.capacity.leases as usize)
    }

    /// Whether what is spent and held is within the limits.
    fn is_within(&self, at: u32, leases: &[Word]) -> bool {
        // Before the leases are added up: a day that begins meanwhile then counts too much, never too little.
        let (_, before) = format::unpack_day(self.account(at, account::DAY));
        let sums = sums(leases);
        let within =
            |limit: Option<u64>, spent: u64| limit.is_none_or(|l| spent.saturating_add(sums.held) <= l);
        within(self.limit(at, account::DAILY), sums.spent.saturating_sub(before))
            && within(self.limit(at, account::TOTAL), sums.spent)
    }

    /// A limit as it is on the account's day, in one order with all leases.
    pub(super) fn limit(&self, at: u32, word: usize) -> Option<u64> {
        let word = self.at(self.layout.account(at) + word).map_or(0, Word::get_in_order);
        format::unpack_limit(word, self.day_of(at))
    }

    /// The day that an account counts.
    pub(super) fn day_of(&self, at: u32) -> u32 {
        format::unpack_day(self.account(at, account::DAY)).0
    }

    /// Begins a new day where one has begun. Activations of the moment may count into the new day; none is lost.
    pub(super) fn roll_day(&self, at: u32, config: &Config, now_ms: i64) {
        let (today, _) = format::local_day(now_ms, config.utc_offset);
        let Some(word) = self.at(self.layout.account(at) + account::DAY) else { return };
        let old = word.get_in_order();
        if format::unpack_day(old).0 < today {
            let spent = self.leases(config).map_or(0, |leases| sums(leases).spent);
            let _ = word.swap(old, format::pack_day(today, spent)); // else another one began it
        }
    }

    /// What an account has spent today and ever, and what is out.
    pub(super) fn sums_of(&self, at: u32, now_ms: i64) -> (u64, Sums) {
        let config = self.config(at);
        let Some(leases) = self.leases(&config) else { return (0, Sums::default()) };
        let (day, before) = format::unpack_day(self.account(at, account::DAY));
        let sums = sums(leases);
        let is_today = day >= format::local_day(now_ms, config.utc_offset).0;
        (if is_today { sums.spent.saturating_sub(before) } else { 0 }, sums)
    }

    /// Gives back expired leases, and writes down for the gate what there is: until when nothing can be reserved, and what was
    /// spent today. Both are hints that decisions read; budgets do not rest on them.
    pub(super) fn refresh(&self, at: u32, now_ms: i64) {
        let config = self.config(at);
        let start = self.layout.account(at);
        let closed_and_spent = (self.at(start + account::CLOSED), self.at(start + account::SPENT));
        let (Some(closed), Some(spent_word)) = closed_and_spent else { return };
        let Some(leases) = self.leases(&config) else { return };
        expire(leases, now_ms);
        for _ in 0..TRIES {
            let old = closed.get_in_order();
            let (spent_today, sums) = self.sums_of(at, now_ms);
            let until_ms = self.closed_until(at, &config, now_ms, spent_today, &sums);
            spent_word.set(format::pack_day(format::local_day(now_ms, config.utc_offset).0, spent_today));
            // The version tells others that what they found out may be old.
            let version = (old >> 48).wrapping_add(1) << 48;
            if closed.swap(old, version | until_ms.div_euclid(1000).clamp(0, (1 << 48) - 1) as u64) {
                return;
            }
        }
    }

    fn closed_until(&self, at: u32, config: &Config, now_ms: i64, spent_today: u64, sums: &Sums) -> i64 {
        let room =
            |limit: Option<u64>, spent: u64| limit.map_or(u64::MAX, |limit| limit.saturating_sub(spent));
        let total = room(self.limit(at, account::TOTAL), sums.spent);
        let daily = room(self.limit(at, account::DAILY), spent_today);
        if config.pooled && daily.min(total) == 0 {
            return i64::MAX; // until a grant says otherwise
        }
        if total == 0 {
            return i64::MAX;
        }
        if daily == 0 {
            return format::day_starts_ms(
                format::local_day(now_ms, config.utc_offset).0 + 1,
                config.utc_offset,
            );
        }
        // Held by others: the first of them may come back unused. Rounded to the second after.
        if sums.held >= daily.min(total) { sums.next_expiry_ms.saturating_add(999) } else { 0 }
    }
}

/// Puts a lease into a free place.
fn claim(leases: &[Word], account: u32, amount: u32, now_ms: i64, expires_at_ms: i64) -> Option<Part> {
    let count = leases.len() / 2;
    // Processes begin at different places, so that they seldom meet.
    let start = (std::process::id() as usize).wrapping_mul(31) % count.max(1);
    for step in 0..count {
        let lease = (start + step) % count;
        let (word, expiry) = (leases.get(lease * 2)?, leases.get(lease * 2 + 1)?);
        expire_one(word, expiry, now_ms);
        let old = word.get_in_order();
        let slot = Slot::unpack(old);
        if slot.held != 0 || slot.spent.checked_add(amount).is_none() {
            continue;
        }
        let turn = (slot.turn + 1) & TURN_MASK;
        if word.swap(old, Slot { spent: slot.spent, held: amount, turn }.pack()) {
            expiry.set(pack_expiry(expires_at_ms, turn));
            return Some(Part { account, lease: lease as u32, turn });
        }
    }
    None
}

/// Takes a lease back that was just put in.
fn withdraw(leases: &[Word], part: Part) -> Option<()> {
    let word = leases.get(part.lease as usize * 2)?;
    let old = word.get_in_order();
    let slot = Slot::unpack(old);
    (slot.turn == part.turn && word.swap(old, Slot { held: 0, ..slot }.pack())).then_some(())
}

/// Ends a lease whose time is over; says whether it did.
fn expire_one(word: &Word, expiry: &Word, now_ms: i64) -> bool {
    let old = word.get_in_order();
    let slot = Slot::unpack(old);
    if slot.held == 0 {
        return false;
    }
    let ends = expiry.get_in_order();
    if ends as u16 & TURN_MASK != slot.turn {
        let _ = expiry.swap(ends, pack_expiry(now_ms.saturating_add(UNSAID_MS), slot.turn));
        return false;
    }
    (ends >> 12) as i64 <= now_ms && word.swap(old, Slot { held: 0, ..slot }.pack())
}

/// Ends all leases whose time is over; says whether there were any.
fn expire(leases: &[Word], now_ms: i64) -> bool {
    let mut any = false;
    for pair in leases.chunks_exact(2) {
        if let [word, expiry] = pair {
            any |= expire_one(word, expiry, now_ms);
        }
    }
    any
}

fn sums(leases: &[Word]) -> Sums {
    let mut sums = Sums { next_expiry_ms: i64::MAX, ..Sums::default() };
    for pair in leases.chunks_exact(2) {
        let [word, expiry] = pair else { continue };
        let slot = Slot::unpack(word.get_in_order());
        sums.spent += u64::from(slot.spent);
        sums.held += u64::from(slot.held);
        if slot.held != 0 {
            sums.leases += 1;
            sums.next_expiry_ms = sums.next_expiry_ms.min((expiry.get() >> 12) as i64);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leases_survive_as_bytes() {
        let part = Part { account: 7, lease: 65_535, turn: 4_095 };
        let lease = Lease { overlay: 9, expires_at_ms: 1_767_225_600_000, partner: Some(part), item: None };
        assert_eq!(Lease::from_bytes(lease.to_bytes()), lease);
        let slot = Slot { spent: u32::MAX, held: HELD_MAX, turn: TURN_MASK };
        assert_eq!(Slot::unpack(slot.pack()).pack(), u64::MAX);
    }
}
