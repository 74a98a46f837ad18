//! What an overlay holds, for people who watch it.

use super::format::{self, LiveKind, account};
use super::{Live, LiveError};

/// An offer or partner of which an overlay knows something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountStatus {
    /// Offer or partner.
    pub kind: LiveKind,
    /// Its id.
    pub id: String,
    /// Not to be shown for now.
    pub paused: bool,
    /// Not to be shown any more.
    pub killed: bool,
    /// What is earned when it is accepted, minor units; `None` = as the catalog says.
    pub bid: Option<i64>,
    /// Limit of one day.
    pub daily: Option<u64>,
    /// Limit over all days.
    pub total: Option<u64>,
    /// Limits count minor units; else accepted offers.
    pub money: bool,
    /// Whether the daily limit is spread over the day.
    pub paced: bool,
    /// Whether the limits are this machine's grants of a pool.
    pub pooled: bool,
    /// Decisions that pacing turns away now, parts per million.
    pub throttle_ppm: u32,
    /// When the day begins, minutes east of UTC.
    pub utc_offset_minutes: i16,
    /// Activated today, and ever.
    pub spent_today: u64,
    /// Activated ever.
    pub spent: u64,
    /// Held by leases that are out.
    pub reserved: u64,
    /// Leases that are out.
    pub outstanding: u32,
    /// By how much the limits can be exceeded at most, if all that is out is activated: 0, unless a limit was lowered below
    /// what was spent and held.
    pub overspend_bound: u64,
}

impl AccountStatus {
    /// Whether the overlay says anything of it.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        !(self.paused || self.killed || self.bid.is_some() || self.daily.is_some() || self.total.is_some())
            && self.spent == 0
    }
}

impl Live {
    /// Every offer and partner with what is spent, held and left. Gives expired leases back first.
    #[must_use]
    pub fn status(&self, now_ms: i64) -> Vec<AccountStatus> {
        (0..self.accounts()).filter_map(|at| self.status_at(at, now_ms)).collect()
    }

    /// One of them.
    ///
    /// # Errors
    /// As [`Live::edit`], and [`LiveError::UnknownId`].
    pub fn account_of(&self, kind: LiveKind, id: &str, now_ms: i64) -> Result<AccountStatus, LiveError> {
        let at = self.edit()?.account_of(kind, id).ok();
        let status = at.and_then(|at| self.status_at(at, now_ms));
        status.ok_or_else(|| LiveError::UnknownId { id: id.into() })
    }

    fn status_at(&self, at: u32, now_ms: i64) -> Option<AccountStatus> {
        let config = self.config(at);
        let kind = match config.kind {
            1 => LiveKind::Offer,
            2 => LiveKind::Partner,
            _ => return None, // damaged
        };
        self.refresh(at, now_ms);
        let (spent_today, sums) = self.sums_of(at, now_ms);
        let (daily, total) = (self.limit(at, account::DAILY), self.limit(at, account::TOTAL));
        let over = |limit: Option<u64>, spent: u64| {
            limit.map_or(0, |limit| (spent + sums.held).saturating_sub(limit))
        };
        Some(AccountStatus {
            kind,
            id: self.account_id(at),
            paused: config.paused,
            killed: config.killed,
            bid: self.account(at, account::BID).checked_sub(1).map(u64::cast_signed),
            daily,
            total,
            money: config.money,
            paced: config.paced,
            pooled: config.pooled,
            throttle_ppm: self.throttle(at, &config, now_ms) as u32,
            utc_offset_minutes: config.utc_offset,
            spent_today,
            spent: sums.spent,
            reserved: sums.held,
            outstanding: sums.leases,
            overspend_bound: over(daily, spent_today).max(over(total, sums.spent)),
        })
    }

    /// Of the products of the newest catalog: paused or killed, out of stock, with a live price.
    ///
    /// # Errors
    /// [`LiveError::Damaged`] where the overlay is bound to no catalog.
    pub fn product_counts(&self) -> Result<[u32; 3], LiveError> {
        let newest = self.bindings().into_iter().next();
        let newest = newest.ok_or_else(|| LiveError::Damaged {
            path: self.path.clone(),
            part: "bindings",
            expected: "a catalog".into(),
            found: "none".into(),
        })?;
        let start = self.layout.area(newest.area);
        let mut counts = [0; 3];
        for row in 0..newest.products as usize {
            let state = format::ProductState::unpack(self.word(start + row));
            let facts = [state.paused || state.killed, state.stock == Some(0), state.price.is_some()];
            for (count, fact) in counts.iter_mut().zip(facts) {
                *count += u32::from(fact);
            }
        }
        Ok(counts)
    }
}
