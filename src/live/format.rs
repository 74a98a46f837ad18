//! The overlay file, word by word. All words are 64-bit little-endian; the file never changes its size.
//!
//! ```text
//! header    512 words        what the file is (checked by a sum), counts, and the catalogs it is bound to
//! accounts  16 words each    an offer or a partner, by id: pause, bid, limits
//! budgets   96 + 2 * leases  for each account with a limit: its traffic shape and its leases
//! areas     2 words a product, three times: a state for each row of a bound catalog, then the hash of each row's id
//! ```
//!
//! Every fact that a decision relies on is one word, so it is never read half-written, and whoever dies while writing leaves
//! the old word or the new one.

use crate::days::DAY_MS;
use crate::index::format::{NameKind, name_hash};
use crate::limits::{ID_BYTES_MAX, PRODUCTS_MAX};

/// First word of an overlay.
pub(super) const MAGIC: u64 = u64::from_le_bytes(*b"ac-live\n");
/// The layout that this library reads and writes.
pub(super) const VERSION: u64 = 2;
/// Catalogs that one overlay serves at a time: yesterday's, today's, tonight's.
pub(super) const AREAS: usize = 3;
/// Quarters of an hour in a day.
pub(super) const QUARTERS: usize = 96;

pub(super) const HEADER_WORDS: usize = 512;
pub(super) const ACCOUNT_WORDS: usize = 16;

/// Words of the header.
pub(super) mod header {
    /// Words under the sum, which follows them.
    pub(in crate::live) const FIXED: usize = 9;
    /// Counts every change by a writer.
    pub(in crate::live) const GENERATION: usize = 16;
    pub(in crate::live) const ACCOUNTS: usize = 17;
    pub(in crate::live) const BUDGETS: usize = 18;
    /// Counts every change of a binding.
    pub(in crate::live) const BINDINGS_CHANGED: usize = 19;
    /// Of each area: the catalog's build id (0 = none), its products, when it was bound, a sum of these.
    pub(in crate::live) const BINDINGS: usize = 24;
}

/// Words of an account.
pub(super) mod account {
    /// Hash of kind and id; 0 = free.
    pub(in crate::live) const KEY: usize = 0;
    /// [`super::Config`].
    pub(in crate::live) const CONFIG: usize = 1;
    /// Minor units plus 1; 0 = as the catalog says.
    pub(in crate::live) const BID: usize = 2;
    /// [`super::pack_limit`].
    pub(in crate::live) const DAILY: usize = 3;
    pub(in crate::live) const TOTAL: usize = 4;
    /// Day of the daily limit (20 bits), spent before it (44 bits).
    pub(in crate::live) const DAY: usize = 5;
    /// Version (16 bits), second until which nothing can be reserved (48 bits).
    pub(in crate::live) const CLOSED: usize = 6;
    /// Day (20 bits), spent on it (44 bits), as last seen.
    pub(in crate::live) const SPENT: usize = 7;
    pub(in crate::live) const ID: usize = 8;
}

/// How much an overlay has room for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveCapacity {
    /// Products of one catalog.
    pub products: u32,
    /// Offers and partners, of all catalogs that it will ever be bound to.
    pub accounts: u32,
    /// Of those, the ones with a limit.
    pub budgets: u32,
    /// Leases of one limit that are out at a time.
    pub leases: u32,
}

impl LiveCapacity {
    /// Room for a catalog to grow by a quarter, and its offers and partners fourfold.
    #[must_use]
    pub fn for_catalog(products: u32, offers: u32, partners: u32) -> Self {
        let accounts = offers.saturating_add(partners).saturating_mul(4);
        Self { products: products.saturating_add(products / 4), accounts, budgets: 64, leases: 1024 }
            .rounded()
    }

    /// Whole pages, and no less than is useful.
    pub(super) fn rounded(self) -> Self {
        Self {
            products: self.products.max(1).saturating_add(511) & !511,
            accounts: self.accounts.max(256).saturating_add(31) & !31,
            budgets: self.budgets.max(1),
            leases: self.leases.max(1),
        }
    }

    /// Whether a file of this capacity can be: [`Layout`] then fits its numbers.
    pub(super) fn is_sane(&self) -> bool {
        self.products <= PRODUCTS_MAX
            && self.accounts <= 1 << 20
            && self.budgets <= 4096
            && self.leases <= 1 << 16
            && *self == self.rounded()
    }
}

/// Where things stand, in words.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub(super) capacity: LiveCapacity,
}

impl Layout {
    pub(super) fn account(&self, at: u32) -> usize {
        HEADER_WORDS + at as usize * ACCOUNT_WORDS
    }

    pub(super) fn budget_words(&self) -> usize {
        QUARTERS + 2 * self.capacity.leases as usize
    }

    pub(super) fn budget(&self, at: u32) -> usize {
        self.account(self.capacity.accounts) + at as usize * self.budget_words()
    }

    /// States of an area; the hashes follow.
    pub(super) fn area(&self, at: usize) -> usize {
        let start = self.budget(self.capacity.budgets).next_multiple_of(HEADER_WORDS);
        start + at * 2 * self.capacity.products as usize
    }

    pub(super) fn words(&self) -> usize {
        self.area(AREAS)
    }
}

/// What a key names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum LiveKind {
    /// A product of the catalog.
    Product = 0,
    /// Any other offer.
    Offer = 1,
    /// A partner.
    Partner = 2,
}

impl LiveKind {
    /// The name that files and commands use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Offer => "offer",
            Self::Partner => "partner",
        }
    }
}

/// The key of an id. Never 0, which stands for "free".
pub(super) fn key(kind: LiveKind, id: &str) -> u64 {
    let kind = match kind {
        LiveKind::Product => NameKind::Product,
        LiveKind::Offer => NameKind::Offer,
        LiveKind::Partner => NameKind::Partner,
    };
    name_hash(kind, id.as_bytes()).max(1)
}

/// Prices older than this moment have no minute: 2025-01-01.
const EPOCH_MS: i64 = 1_735_689_600_000;
const MINUTE_MS: i64 = 60_000;
const PRICE_MAX: i64 = u32::MAX as i64 - 1;
/// Units of stock that are told apart.
pub(super) const STOCK_MAX: u32 = 62;

/// What is known live of a product. One word: all of it is read at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ProductState {
    /// Minor units; `None` = as the catalog says.
    pub price: Option<i64>,
    /// When the price was stated, Unix milliseconds, to the minute below; 0 = not known.
    pub priced_at_ms: i64,
    /// Units in stock, of which 62 stands for more; `None` = as the catalog says.
    pub stock: Option<u32>,
    /// Not to be shown for now.
    pub paused: bool,
    /// Not to be shown any more, whatever a feed says.
    pub killed: bool,
}

impl ProductState {
    pub(super) fn pack(&self) -> u64 {
        let price = self.price.map_or(0, |price| price.clamp(0, PRICE_MAX) as u64 + 1);
        let minutes = (self.priced_at_ms - EPOCH_MS) / MINUTE_MS;
        let minutes = if self.priced_at_ms < EPOCH_MS { 0 } else { minutes.clamp(1, (1 << 24) - 1) as u64 };
        let stock = self.stock.map_or(0, |stock| u64::from(stock.min(STOCK_MAX)) + 1);
        price | minutes << 32 | stock << 56 | u64::from(self.paused) << 62 | u64::from(self.killed) << 63
    }

    /// What a word says. Every word says something.
    #[must_use]
    pub fn unpack(word: u64) -> Self {
        let minutes = (word >> 32 & 0xFF_FFFF) as i64;
        Self {
            price: (word & 0xFFFF_FFFF).checked_sub(1).map(|price| price as i64),
            priced_at_ms: if minutes == 0 { 0 } else { EPOCH_MS + minutes * MINUTE_MS },
            stock: (word >> 56 & 0x3F).checked_sub(1).map(|stock| stock as u32),
            paused: word >> 62 & 1 == 1,
            killed: word >> 63 == 1,
        }
    }
}

/// The settings of an account, packed into one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Config {
    pub(super) paused: bool,
    pub(super) killed: bool,
    pub(super) paced: bool,
    /// Limits count minor units of what is earned; else accepted offers.
    pub(super) money: bool,
    /// Limits are grants of a pool.
    pub(super) pooled: bool,
    pub(super) kind: u8,
    pub(super) id_length: u8,
    /// The budget, once there was a limit.
    pub(super) budget: Option<u16>,
    /// Of the account's day, minutes east of UTC.
    pub(super) utc_offset: i16,
}

impl Config {
    pub(super) fn pack(&self) -> u64 {
        let flags = [self.paused, self.killed, self.paced, self.money, self.pooled];
        let flags = flags.iter().rev().fold(0, |bits, flag| bits << 1 | u64::from(*flag));
        let budget = self.budget.map_or(0, |budget| u64::from(budget) + 1);
        flags
            | u64::from(self.kind) << 8
            | u64::from(self.id_length) << 16
            | budget << 24
            | u64::from(self.utc_offset.cast_unsigned()) << 40
    }

    pub(super) fn unpack(word: u64) -> Self {
        let flag = |bit: u32| word >> bit & 1 == 1;
        Self {
            paused: flag(0),
            killed: flag(1),
            paced: flag(2),
            money: flag(3),
            pooled: flag(4),
            kind: (word >> 8) as u8,
            id_length: ((word >> 16) as u8).min(ID_BYTES_MAX as u8),
            budget: ((word >> 24 & 0xFFFF) as u16).checked_sub(1),
            utc_offset: ((word >> 40) as u16).cast_signed(),
        }
    }
}

const LOW_44: u64 = (1 << 44) - 1;

/// A day and an amount in one word.
pub(super) fn pack_day(day: u32, amount: u64) -> u64 {
    u64::from(day) << 44 | amount.min(LOW_44)
}

pub(super) fn unpack_day(word: u64) -> (u32, u64) {
    ((word >> 44) as u32, word & LOW_44)
}

/// Largest limit.
pub(super) const LIMIT_MAX: u64 = LOW_44;

/// A limit: units plus 1 (45 bits; 0 = none), and the only day on which they may be spent (19 bits; 0 = any).
pub(super) fn pack_limit(limit: Option<u64>, day: u32) -> u64 {
    limit.map_or(0, |limit| u64::from(day) << 45 | (limit.min(LIMIT_MAX) + 1))
}

/// The limit that a word is on a day: 0 on another day than its own.
pub(super) fn unpack_limit(word: u64, day: u32) -> Option<u64> {
    let (own, limit) = ((word >> 45) as u32, (word & ((1 << 45) - 1)).checked_sub(1)?);
    Some(if own == 0 || own == day { limit } else { 0 })
}

/// Day of a moment, in the account's own time, and the milliseconds since it began.
pub(super) fn local_day(now_ms: i64, utc_offset: i16) -> (u32, i64) {
    let local = now_ms.saturating_add(i64::from(utc_offset) * MINUTE_MS);
    (local.div_euclid(DAY_MS).clamp(0, (1 << 19) - 1) as u32, local.rem_euclid(DAY_MS))
}

/// The moment at which a day of an account begins.
pub(super) fn day_starts_ms(day: u32, utc_offset: i16) -> i64 {
    i64::from(day) * DAY_MS - i64::from(utc_offset) * MINUTE_MS
}

const _: () = assert!(ID_BYTES_MAX <= (ACCOUNT_WORDS - account::ID) * 8);
const _: () = assert!(header::BINDINGS + AREAS * 4 <= HEADER_WORDS);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_word_keeps_what_it_is_given() {
        let at = EPOCH_MS + 7 * MINUTE_MS;
        for price in [None, Some(0), Some(1999), Some(PRICE_MAX)] {
            for stock in [None, Some(0), Some(1), Some(STOCK_MAX)] {
                for (paused, killed) in [(false, false), (true, false), (false, true), (true, true)] {
                    let state = ProductState { price, priced_at_ms: at, stock, paused, killed };
                    assert_eq!(ProductState::unpack(state.pack()), state);
                }
            }
        }
        assert_eq!(ProductState::default().pack(), 0);
        assert_eq!(ProductState { stock: Some(5000), ..Default::default() }.pack() >> 56, 63);
        let late = ProductState { priced_at_ms: at + 59_999, ..Default::default() };
        assert_eq!(ProductState::unpack(late.pack()).priced_at_ms, at, "rounded down: sooner stale");
    }

    #[test]
    fn settings_keep_what_they_are_given() {
        for utc_offset in [-720, 0, 60, 840] {
            let config = Config {
                paused: true,
                killed: false,
                paced: true,
                money: false,
                pooled: true,
                kind: 2,
                id_length: 64,
                budget: Some(4095),
                utc_offset,
            };
            assert_eq!(Config::unpack(config.pack()), config);
        }
    }

    #[test]
    fn a_grant_is_of_its_day() {
        for limit in [None, Some(0), Some(7), Some(LIMIT_MAX)] {
            assert_eq!(unpack_limit(pack_limit(limit, 0), 20_000), limit);
            assert_eq!(unpack_limit(pack_limit(limit, 20_000), 20_000), limit);
            assert_eq!(unpack_limit(pack_limit(limit, 20_000), 20_001), limit.map(|_| 0));
        }
    }

    #[test]
    fn days_begin_at_local_midnight() {
        let noon_utc = 1_767_225_600_000 + 43_200_000;
        for utc_offset in [-720, -300, 0, 330, 840] {
            let (day, since) = local_day(noon_utc, utc_offset);
            assert_eq!(day_starts_ms(day, utc_offset) + since, noon_utc);
        }
    }
}
