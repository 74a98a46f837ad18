//! Budgets that machines share. A pool grants each machine a part of a budget; the part is the limit of the machine's own
//! overlay, so decisions and leases never ask the pool.
//!
//! A machine first lowers its limit to what it still wants to keep, then tells the pool, which may then give the rest to others;
//! what the pool grants counts as given from then on, and the machine raises its limit last. So the limits of all machines never
//! exceed the pool's, whichever of them dies, or hears nothing, at whichever step. Without the pool a machine goes on with what
//! it was granted. A grant of the day is worth nothing on the next day.
//!
//! Asks of a machine have turns: one that comes late, after the machine asked anew, changes nothing.

use std::collections::BTreeMap;
use std::fs::File;
use std::sync::Arc;

use super::edit::Edit;
use super::format::{self, LiveKind, account};
use super::{Live, LiveError, Pacing};

/// A budget of a pool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PooledBudget {
    /// Offer or partner.
    pub kind: LiveKind,
    /// Its id.
    pub id: String,
    /// Limits count minor units of value; else accepted offers.
    pub money: bool,
    /// When the day begins, minutes east of UTC.
    pub utc_offset_minutes: i16,
    /// Spreads the daily limit over the day.
    pub pacing: Option<Pacing>,
}

/// What a machine tells the pool of a budget. `kept` is what it keeps of its grant; the rest is given back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Offer or partner.
    pub kind: LiveKind,
    /// Its id.
    pub id: String,
    /// The machine: its overlay.
    pub machine: u64,
    /// What the pool said last; another number means that the pool heard of something that this machine did not.
    pub turn: u64,
    /// The day, in the budget's own time, in days since 1970.
    pub day: u32,
    /// Share of the daily limit that pacing lets all machines have by now, parts per million.
    pub open_ppm: u32,
    /// Spent and held on that day.
    pub used_today: u64,
    /// Spent and held ever.
    pub used: u64,
    /// Kept of the day's grant, at least `used_today`.
    pub kept_today: u64,
    /// Kept of all grants, at least `used`.
    pub kept: u64,
}

/// What the pool answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The next turn. Where it is not one more than the ask's, nothing was granted: ask again.
    pub turn: u64,
    /// The machine's limit of the day; `None` = the budget has none.
    pub daily: Option<u64>,
    /// The machine's limit over all days; `None` = the budget has none.
    pub total: Option<u64>,
    /// What the machine should have in hand beyond what it used.
    pub spare: u64,
}

/// Where grants come from, such as a server that all machines reach. Called by the control plane only; it must answer or fail in
/// bounded time.
pub trait LeaseSource {
    /// Why it did not answer.
    type Error: std::error::Error + 'static;

    /// The budgets that the pool has.
    ///
    /// # Errors
    /// The source did not answer.
    fn budgets(&mut self) -> Result<Vec<PooledBudget>, Self::Error>;

    /// Takes back what a machine does not keep, and grants. `None` = the pool has no such budget.
    ///
    /// Must be one step as others see it, and must grant all machines together no more than the limit, or what they keep where
    /// that is more.
    ///
    /// # Errors
    /// The source did not answer; it may have granted nevertheless.
    fn exchange(&mut self, ask: &Ask) -> Result<Option<Grant>, Self::Error>;
}

/// Why an overlay was not refilled. What was granted before holds.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefillError<E: std::error::Error + 'static> {
    /// The pool did not answer.
    #[error("the pool does not answer: {0}; what was granted holds until the day ends")]
    Source(#[source] E),
    /// The overlay cannot be changed.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// Two that refill one overlay would each tell the pool half.
    #[error("another process refills {0}; one is enough for a machine")]
    Busy(String),
}

/// What a refill did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refilled {
    /// Budgets with a grant.
    pub budgets: u32,
    /// Budgets of the pool whose offer or partner no bound catalog has.
    pub unknown: u32,
    /// Budgets that could not be taken, with the reason: no room, or another unit was counted before.
    pub refused: Vec<(String, String)>,
}

/// Keeps an overlay's part of pooled budgets filled. One for each overlay; control plane only.
#[derive(Debug)]
pub struct Refill<S> {
    live: Arc<Live>,
    source: S,
    /// What the pool said last of each budget.
    known: BTreeMap<(LiveKind, String), (u64, u64)>,
    /// Locked while this lives.
    _lock: File,
}

impl<S: LeaseSource> Refill<S> {
    /// Takes over the refilling of an overlay: a lock on a file beside it says so to others.
    ///
    /// # Errors
    /// [`RefillError::Busy`] while another one does it, [`RefillError::Live`] where the lock's file cannot be made.
    pub fn new(live: Arc<Live>, source: S) -> Result<Self, RefillError<S::Error>> {
        let mut name = live.path().as_os_str().to_owned();
        name.push(".refill");
        let options = File::options().create(true).write(true).truncate(false).open(&name);
        let lock = options.map_err(|source| live.io("open the lock of the refill", source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { live, source, known: BTreeMap::new(), _lock: lock }),
            Err(std::fs::TryLockError::WouldBlock) => {
                Err(RefillError::Busy(live.path().display().to_string()))
            }
            Err(std::fs::TryLockError::Error(source)) => Err(live.io("lock the refill", source).into()),
        }
    }

    /// Gives back what is not needed and asks for more, once for each budget of the pool. Call it each second or so.
    ///
    /// # Errors
    /// [`RefillError`]; budgets before the one that failed are refilled, the others keep what they have.
    pub fn refill(&mut self, now_ms: i64) -> Result<Refilled, RefillError<S::Error>> {
        let mut done = Refilled::default();
        for budget in self.source.budgets().map_err(RefillError::Source)? {
            let account = self.live.edit()?.pool(&budget, now_ms);
            match account {
                Ok(at) => {
                    self.refill_one(at, &budget, now_ms)?;
                    done.budgets += 1;
                }
                Err(LiveError::UnknownId { .. }) => done.unknown += 1,
                Err(error) => {
                    done.refused.push((format!("{} {}", budget.kind.name(), budget.id), error.to_string()));
                }
            }
        }
        Ok(done)
    }

    fn refill_one(
        &mut self,
        at: u32,
        budget: &PooledBudget,
        now_ms: i64,
    ) -> Result<(), RefillError<S::Error>> {
        let key = (budget.kind, budget.id.clone());
        // Twice, since the first may only learn the turn.
        for _ in 0..2 {
            let (turn, spare) = self.known.get(&key).copied().unwrap_or((0, u64::MAX));
            let mut ask = self.live.edit()?.keep(at, spare, now_ms);
            (ask.kind, ask.id, ask.turn) = (budget.kind, budget.id.clone(), turn);
            ask.open_ppm = open_ppm(budget, now_ms);
            let Some(grant) = self.source.exchange(&ask).map_err(RefillError::Source)? else {
                return Ok(()); // taken out of the pool meanwhile: what was granted holds
            };
            let granted = grant.turn == turn + 1 && (grant.daily.is_some() || grant.total.is_some());
            self.known.insert(key.clone(), (grant.turn, if granted { grant.spare } else { spare }));
            if granted {
                self.live.edit()?.grant(at, &ask, &grant, now_ms);
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Share of a day's limit that pacing gives all machines by a moment: what the traffic deserves, and a 32nd ahead.
fn open_ppm(budget: &PooledBudget, now_ms: i64) -> u32 {
    let Some(shape) = budget.pacing.as_ref().and_then(Pacing::cumulative) else { return 1_000_000 };
    let (_, since_ms) = format::local_day(now_ms, budget.utc_offset_minutes);
    let deserved = super::pacing::deserved_ppm(since_ms, |quarter| shape.get(quarter).copied().unwrap_or(0));
    (deserved + 1_000_000 / super::pacing::AHEAD).min(1_000_000) as u32
}

impl Edit<'_> {
    /// Makes the limits of an offer or partner the pool's: nothing may be spent before a grant. Changes nothing where they are.
    fn pool(&mut self, budget: &PooledBudget, now_ms: i64) -> Result<u32, LiveError> {
        let at = self.account_of(budget.kind, &budget.id)?;
        let live = self.live();
        let mut config = live.config(at);
        if config.budget.is_some() && config.money != budget.money {
            let problem = "the pool counts it otherwise than this overlay did; make a new overlay";
            return Err(LiveError::Value { field: "unit", problem });
        }
        let wanted = format::Config {
            budget: Some(config.budget.map_or_else(|| self.new_budget(), Ok)?),
            money: budget.money,
            utc_offset: budget.utc_offset_minutes,
            paced: false, // the pool paces what it grants
            pooled: true,
            ..config
        };
        if config != wanted {
            if !config.pooled {
                for limit in [account::DAILY, account::TOTAL] {
                    live.put(live.layout.account(at) + limit, format::pack_limit(Some(0), 0));
                }
            }
            config = wanted;
            live.put(live.layout.account(at) + account::CONFIG, config.pack());
            live.refresh(at, now_ms);
        }
        Ok(at)
    }

    /// Lowers the limits to what is used and `spare`, and says what is kept. A lease that is put in later sees the lower limit; one
    /// that was put in before is seen here.
    fn keep(&mut self, at: u32, spare: u64, now_ms: i64) -> Ask {
        let live = self.live();
        let config = live.config(at);
        live.roll_day(at, &config, now_ms);
        let day = live.day_of(at);
        let start = live.layout.account(at);
        let limits = || {
            let daily = format::unpack_limit(live.account(at, account::DAILY), day);
            let total = format::unpack_limit(live.account(at, account::TOTAL), day);
            (daily.unwrap_or(0), total.unwrap_or(0))
        };
        let used = || {
            let (today, sums) = live.sums_of(at, now_ms);
            (today + sums.held, sums.spent + sums.held)
        };
        let ((daily, total), (used_today, used_ever)) = (limits(), used());
        let too_much = |limit: u64, used: u64| limit.saturating_sub(used) > spare.saturating_mul(2);
        if too_much(daily, used_today) {
            live.put(start + account::DAILY, format::pack_limit(Some(used_today + spare), day));
        }
        if too_much(total, used_ever) {
            live.put(start + account::TOTAL, format::pack_limit(Some(used_ever + spare), 0));
        }
        let ((daily, total), (used_today, used)) = (limits(), used());
        Ask {
            kind: LiveKind::Partner,
            id: String::new(),
            machine: live.identity,
            turn: 0,
            day,
            open_ppm: 1_000_000,
            used_today,
            used,
            kept_today: daily.max(used_today),
            kept: total.max(used),
        }
    }

    /// Makes a grant the limits.
    fn grant(&mut self, at: u32, ask: &Ask, grant: &Grant, now_ms: i64) {
        let live = self.live();
        let start = live.layout.account(at);
        live.put(start + account::DAILY, format::pack_limit(grant.daily, ask.day));
        live.put(start + account::TOTAL, format::pack_limit(grant.total, 0));
        live.refresh(at, now_ms);
    }
}
