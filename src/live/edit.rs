//! Changing an overlay: pauses, stock, prices, bids and limits, by id.

use std::collections::HashMap;

use super::format::{self, AREAS, Config, LiveKind, ProductState, STOCK_MAX, account, header};
use super::{Live, LiveError, Lock, Pacing};

/// A value to put in, or to take out so that the catalog's holds again.
pub type Set<T> = Option<Option<T>>;

/// What to change; `None` = stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Change {
    /// Products: units in stock.
    pub stock: Set<u32>,
    /// Products: price in minor units of the catalog's currency.
    pub price: Set<i64>,
    /// Products: when the price was stated, Unix milliseconds. Goes with `price`.
    pub priced_at_ms: i64,
    /// Offers: what the merchant earns when it is accepted, minor units, in place of the catalog's payout.
    pub bid: Set<i64>,
    /// Not to be shown for now.
    pub paused: Option<bool>,
    /// Not to be shown any more.
    pub killed: Option<bool>,
    /// Offers and partners: limit of one day.
    pub daily: Set<u64>,
    /// Offers and partners: limit over all days.
    pub total: Set<u64>,
    /// Limits count minor units of value; else accepted offers. Cannot change once there was a limit.
    pub money: Option<bool>,
    /// Spreads the daily limit over the day.
    pub pacing: Set<Pacing>,
    /// When the day begins: minutes east of UTC, -840 to 840.
    pub utc_offset_minutes: Option<i16>,
}

impl Change {
    fn is_of_account(&self) -> bool {
        self.daily.is_some()
            || self.total.is_some()
            || self.money.is_some()
            || self.pacing.is_some()
            || self.utc_offset_minutes.is_some()
    }
}

/// By the hash of an id.
pub(super) type Map<V> = HashMap<u64, V, ahash::RandomState>;

pub(super) fn new_map<V>() -> Map<V> {
    HashMap::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4))
}

/// Rows and accounts of what is bound.
#[derive(Debug)]
pub(super) struct Index {
    /// `header::BINDINGS_CHANGED` when it was made, plus 1.
    of: u64,
    rows: Map<[u32; AREAS]>,
    accounts: Map<u32>,
}

const NO_ROW: u32 = u32::MAX;

impl Index {
    pub(super) fn none() -> Self {
        Self { of: 0, rows: new_map(), accounts: new_map() }
    }

    pub(super) fn is_of(&self, changed: u64) -> bool {
        self.of == changed + 1
    }

    pub(super) fn clear(&mut self, changed: u64, accounts: Map<u32>) {
        *self = Self { of: changed + 1, rows: new_map(), accounts };
    }

    pub(super) fn add(&mut self, hash: u64, area: usize, row: u32) {
        if let Some(slot) = self.rows.entry(hash).or_insert([NO_ROW; AREAS]).get_mut(area) {
            *slot = row;
        }
    }

    pub(super) fn row(&self, hash: u64, area: usize) -> Option<u32> {
        self.rows.get(&hash)?.get(area).copied().filter(|row| *row != NO_ROW)
    }
}

/// Changes an overlay. While it lives no other process can, so keep it for one batch.
#[derive(Debug)]
pub struct Edit<'a> {
    lock: Lock<'a>,
}

impl Live {
    /// Takes the right to change settings; waits for others who have it. The first time, and after a catalog was bound, this
    /// reads the hashes of all ids: some 0.1 s and 50 MB for a million products.
    ///
    /// # Errors
    /// [`LiveError::Io`] where the system cannot lock the file.
    pub fn edit(&self) -> Result<Edit<'_>, LiveError> {
        let mut lock = self.lock()?;
        lock.refresh();
        Ok(Edit { lock })
    }

    /// What an id names; `kind` where it names several things.
    ///
    /// # Errors
    /// As [`Live::edit`], [`LiveError::UnknownId`] and [`LiveError::Ambiguous`].
    pub fn kind_of(&self, kind: Option<LiveKind>, id: &str) -> Result<LiveKind, LiveError> {
        self.edit()?.kind_of(kind, id)
    }

    /// Reads the state of a product as the newest catalog that has it sees it.
    ///
    /// # Errors
    /// As [`Live::edit`], and [`LiveError::UnknownId`].
    pub fn product(&self, id: &str) -> Result<ProductState, LiveError> {
        let edit = self.edit()?;
        let hash = format::key(LiveKind::Product, id);
        let mut bindings = self.bindings().into_iter();
        let at = bindings
            .find_map(|b| Some(self.layout.area(b.area) + edit.lock.index.row(hash, b.area)? as usize));
        at.map(|at| ProductState::unpack(self.word(at))).ok_or_else(|| LiveError::UnknownId { id: id.into() })
    }
}

fn refuse(wrong: bool, field: &'static str, problem: &'static str) -> Result<(), LiveError> {
    if wrong { Err(LiveError::Value { field, problem }) } else { Ok(()) }
}

impl Edit<'_> {
    /// Changes what is known of one thing; `now_ms` begins the day of a limit. Everything is checked before anything changes.
    ///
    /// # Errors
    /// [`LiveError::UnknownId`], [`LiveError::Ambiguous`] where `kind` is not given and needed, [`LiveError::Value`] for a
    /// setting that such a thing does not have, [`LiveError::TooSmall`] where there is no room for one more limit.
    pub fn set(
        &mut self,
        kind: Option<LiveKind>,
        id: &str,
        change: &Change,
        now_ms: i64,
    ) -> Result<LiveKind, LiveError> {
        let kind = self.kind_of(kind, id)?;
        let live = self.lock.live;
        match kind {
            LiveKind::Product => self.set_product(id, change)?,
            LiveKind::Offer | LiveKind::Partner => self.set_account(kind, id, change, now_ms)?,
        }
        live.put(header::GENERATION, live.word(header::GENERATION) + 1);
        Ok(kind)
    }

    fn kind_of(&self, kind: Option<LiveKind>, id: &str) -> Result<LiveKind, LiveError> {
        let index = &self.lock.index;
        let known = |kind: &LiveKind| {
            let key = format::key(*kind, id);
            match kind {
                LiveKind::Product => index.rows.contains_key(&key),
                LiveKind::Offer | LiveKind::Partner => index.accounts.contains_key(&key),
            }
        };
        let unknown = || LiveError::UnknownId { id: id.into() };
        if let Some(kind) = kind {
            return Some(kind).filter(known).ok_or_else(unknown);
        }
        let mut found = [LiveKind::Product, LiveKind::Offer, LiveKind::Partner].into_iter().filter(known);
        let first = found.next().ok_or_else(unknown)?;
        match found.next() {
            None => Ok(first),
            Some(other) => Err(LiveError::Ambiguous { id: id.into(), a: first.name(), b: other.name() }),
        }
    }

    fn set_product(&mut self, id: &str, change: &Change) -> Result<(), LiveError> {
        refuse(change.bid.is_some(), "bid", "a product has none; set its price, or bid for an offer")?;
        refuse(change.is_of_account(), "limit", "only offers and partners have budgets and pacing")?;
        let price_ok = |price: i64| (0..i64::from(u32::MAX)).contains(&price);
        let bad_price = change.price.flatten().is_some_and(|price| !price_ok(price));
        refuse(bad_price, "price", "0 to 42,949,672.94")?;
        let live = self.lock.live;
        let hash = format::key(LiveKind::Product, id);
        for binding in live.bindings() {
            let Some(row) = self.lock.index.row(hash, binding.area) else { continue };
            let at = live.layout.area(binding.area) + row as usize;
            let mut state = ProductState::unpack(live.word(at));
            if let Some(stock) = change.stock {
                state.stock = stock.map(|units| units.min(STOCK_MAX));
            }
            if let Some(price) = change.price {
                state.price = price;
                state.priced_at_ms = if price.is_some() { change.priced_at_ms } else { 0 };
            }
            state.paused = change.paused.unwrap_or(state.paused);
            state.killed = change.killed.unwrap_or(state.killed);
            live.put(at, state.pack());
        }
        Ok(())
    }

    pub(super) fn live(&self) -> &Live {
        self.lock.live
    }

    /// Where an offer or a partner has its account.
    pub(super) fn account_of(&self, kind: LiveKind, id: &str) -> Result<u32, LiveError> {
        let at = self.lock.index.accounts.get(&format::key(kind, id)).copied();
        at.ok_or_else(|| LiveError::UnknownId { id: id.into() })
    }

    fn set_account(
        &mut self,
        kind: LiveKind,
        id: &str,
        change: &Change,
        now_ms: i64,
    ) -> Result<(), LiveError> {
        let live = self.lock.live;
        let at = self.account_of(kind, id)?;
        let mut config = live.config(at);
        let pooled = config.pooled && change.is_of_account();
        refuse(pooled, "limit", "a pool grants it; change it there: aftercart live pool set")?;
        refuse(change.stock.is_some(), "stock", "only products have stock")?;
        refuse(change.price.is_some(), "price", "only products have a live price; set the offer's bid")?;
        let partner = kind == LiveKind::Partner;
        refuse(change.bid.is_some() && partner, "bid", "a partner has none; set it for its offers")?;
        let bad_bid = change.bid.flatten().is_some_and(|bid| !(0..=i64::MAX / 1_000_000).contains(&bid));
        refuse(bad_bid, "bid", "0 and more")?;
        let least = [change.daily.flatten(), change.total.flatten()];
        let too_large = least.into_iter().flatten().any(|limit| limit > format::LIMIT_MAX);
        refuse(too_large, "limit", "at most 17,592,186,044,415")?;
        let budgeted = config.budget.is_some();
        let other_unit = change.money.is_some_and(|money| money != config.money) && budgeted;
        refuse(other_unit, "unit", "cannot change once there was a limit: what was spent is counted in it")?;
        let shape = match change.pacing.as_ref().and_then(Option::as_ref) {
            None => None,
            Some(pacing) => Some(
                pacing
                    .cumulative()
                    .ok_or(LiveError::Value { field: "pacing", problem: "24 or 96 weights, not all 0" })?,
            ),
        };
        let offset_ok = change.utc_offset_minutes.is_none_or(|offset| (-840..=840).contains(&offset));
        refuse(!offset_ok, "utc_offset", "-840 to 840 minutes")?;
        let daily = change.daily.unwrap_or_else(|| live.limit(at, account::DAILY));
        refuse(shape.is_some() && daily.is_none(), "pacing", "spreads a daily limit; set one")?;
        let needs_budget = least.iter().any(Option::is_some) && !budgeted;
        if needs_budget {
            config.budget = Some(self.new_budget()?);
        }
        config.money = change.money.unwrap_or(config.money);
        config.utc_offset = change.utc_offset_minutes.unwrap_or(config.utc_offset);
        config.paced = change.pacing.as_ref().map_or(config.paced, Option::is_some);
        config.paused = change.paused.unwrap_or(config.paused);
        config.killed = change.killed.unwrap_or(config.killed);
        self.write_account(at, config, change, shape.as_ref().map(<[u64; _]>::as_slice), now_ms);
        Ok(())
    }

    /// The words in an order in which each is true when it is read: a shape before what uses it, a budget before its limit.
    fn write_account(&self, at: u32, config: Config, change: &Change, shape: Option<&[u64]>, now_ms: i64) {
        let live = self.lock.live;
        let start = live.layout.account(at);
        if let (Some(shape), Some(budget)) = (shape, config.budget) {
            for (word, share) in (live.layout.budget(budget.into())..).zip(shape) {
                live.put(word, *share);
            }
        }
        live.put(start + account::CONFIG, config.pack());
        if let Some(daily) = change.daily {
            live.put(start + account::DAILY, format::pack_limit(daily, 0));
        }
        if let Some(total) = change.total {
            live.put(start + account::TOTAL, format::pack_limit(total, 0));
        }
        if let Some(bid) = change.bid {
            live.put(start + account::BID, bid.map_or(0, |bid| bid.cast_unsigned() + 1));
        }
        live.refresh(at, now_ms);
    }

    pub(super) fn new_budget(&self) -> Result<u16, LiveError> {
        let live = self.lock.live;
        let (used, capacity) = (live.word(header::BUDGETS), live.layout.capacity.budgets);
        let budget = u16::try_from(used).ok().filter(|budget| u32::from(*budget) < capacity);
        let budget = budget.ok_or_else(|| LiveError::TooSmall {
            path: live.path.clone(),
            what: "budgets",
            capacity,
            needed: capacity.saturating_add(1),
        })?;
        live.put(header::BUDGETS, used + 1);
        Ok(budget)
    }
}
