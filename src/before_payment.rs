//! Before payment: in which order to show what the host permits, and what to fill in. Options are only put in order, never added
//! or taken away; what is filled in is named by its place in the host's store, since no value ever comes here.
//!
//! All of it is arithmetic over what the host passes: no allocation, no lock, no clock, no panic, whole numbers, and the same
//! order for the same input. A unit in the policy's holdout keeps the host's order. Uses fade: one counts 1000 x 2^(-days / 90)
//! thousandths, and fully where either time is not known.

use smallvec::SmallVec;

use crate::days;
use crate::engine::Engine;
use crate::experiment::Shows;
use crate::limits::{METHOD_COUNTS_MAX, OPTIONS_MAX, USES_MAX};
use crate::profile::Profile;
use crate::transaction::Transaction;
use crate::vocabulary::{Country, vocabulary};

/// One recent use.
const USE: u64 = days::WHOLE as u64;
/// Days after which a use counts half.
const USE_DAYS: u32 = 90;
/// What the shop's own customers do counts as two recent uses of this one.
const PRIOR: u64 = 2 * USE;
/// Orders of which a narrower group needs about as many to speak for itself.
const GROUP: u64 = 50;

vocabulary! {
    /// Where the customer sits, as far as the host knows.
    Device {
        /// Not known.
        #[default] Unknown = 0, "unknown";
        /// A phone.
        Phone = 1, "phone";
        /// A tablet.
        Tablet = 2, "tablet";
        /// A desk or lap.
        Desktop = 3, "desktop";
    }
}

vocabulary! {
    /// Why an option stands where it does.
    Because {
        /// Nothing speaks for another place.
        #[default] HostOrder = 0, "host_order";
        /// The customer's latest.
        LastUsed = 1, "last_used";
        /// The customer uses it.
        OftenUsed = 2, "often_used";
        /// It is set up on the device.
        ReadyOnDevice = 3, "ready_on_device";
        /// Customers in this country, on such a device, with such an amount use it.
        UsualHere = 4, "usual_here";
        /// A cheaper one that is as fast comes first.
        CheaperFirst = 5, "cheaper_first";
        /// Held out: as the host had it.
        Holdout = 6, "holdout";
    }
}

/// A way to pay that the host permits for this order.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaymentOption<'a> {
    /// The host's name for it.
    pub id: &'a str,
    /// The device says that it is set up, as wallets do: counts as one recent use.
    pub ready: bool,
}

/// An earlier use by the customer, of a way to pay or to ship.
#[derive(Debug, Clone, Copy, Default)]
pub struct Use<'a> {
    /// The host's name for it.
    pub id: &'a str,
    /// When, Unix milliseconds; 0 = not known.
    pub at_ms: i64,
    /// It did not work out: declined, or given up.
    pub failed: bool,
}

/// How often the shop's customers use a way to pay, in one group of orders.
#[derive(Debug, Clone, Copy)]
pub struct MethodCount<'a> {
    /// The host's name for it.
    pub id: &'a str,
    /// Orders of this country.
    pub country: Country,
    /// On such devices.
    pub device: Device,
    /// Of at least this amount, minor units, and below the next greater one that occurs.
    pub amount_from: i64,
    /// So many.
    pub orders: u32,
}

/// What is known of ways to pay. `Default`: nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct PaymentFacts<'a> {
    /// The customer's own uses; the last [`USES_MAX`] are read.
    pub uses: &'a [Use<'a>],
    /// The shop's; the first [`METHOD_COUNTS_MAX`] are read.
    pub counts: &'a [MethodCount<'a>],
    /// Where the customer sits.
    pub device: Device,
}

/// A way to ship that the host permits for this order.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShippingOption<'a> {
    /// The host's name for it.
    pub id: &'a str,
    /// Minor units.
    pub price: i64,
    /// The last moment of the promised window, Unix milliseconds; 0 = none was promised.
    pub arrives_by_ms: i64,
}

/// Where an option goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ranked {
    /// Index into the options.
    pub option: u8,
    /// Why.
    pub because: Because,
}

/// All options, each once, first to last. Inline: nothing is on the heap.
pub type Ranking = SmallVec<[Ranked; OPTIONS_MAX]>;

/// More options than can be put in order: [`OPTIONS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than 32 options")]
pub struct TooManyOptions;

/// Something in the host's store that may be filled in.
#[derive(Debug, Clone, Copy, Default)]
pub struct StoredField {
    /// What it is, by a number of the host's: an address, a phone number, a card. At most one of each is suggested.
    pub field: u8,
    /// Its place in the host's store.
    pub slot: u16,
    /// Country of an address; `None` where it has none.
    pub country: Option<Country>,
    /// When it was used last, Unix milliseconds; 0 = not known.
    pub last_used_ms: i64,
    /// How often it was used.
    pub uses: u32,
}

/// What to fill in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefill {
    /// Of what.
    pub field: u8,
    /// From where.
    pub slot: u16,
    /// How sure, parts per million: the share of the faded uses of this field that are the slot's, where one use more of
    /// something unknown is counted.
    pub confidence_ppm: u32,
    /// The latest, or the commonest.
    pub because: Because,
}

impl Engine {
    /// Puts ways to pay in order, best first: by the customer's own use, shrunk to what customers of the country, on such a device
    /// and with such an amount use, and that to the shop as a whole. Failures count against what failed. Ties stay as the host
    /// has them.
    ///
    /// # Errors
    /// [`TooManyOptions`].
    pub fn rank_payment_methods(
        &self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        facts: &PaymentFacts<'_>,
        options: &[PaymentOption<'_>],
    ) -> Result<Ranking, TooManyOptions> {
        if self.held_out(transaction, profile) {
            return as_is(options.len(), Because::Holdout);
        }
        let mut scores = as_is(options.len(), Because::HostOrder)?;
        let now = transaction.created_at_ms;
        let all = all_uses(facts.uses, now) + options.iter().filter(|o| o.ready).count() as u64 * USE;
        let score = |at: usize| {
            let Some(option) = options.get(at) else { return (0, Because::HostOrder) };
            let own = own_use(facts.uses, option.id, now);
            let ready = if option.ready { USE } else { 0 };
            let usual = usual_ppm(facts, option.id, transaction);
            let share = ((own.used + ready) * 1_000_000 + PRIOR * usual) / (all + PRIOR);
            let works = (own.used + 4 * USE) * 1000 / (own.used + own.failed + 4 * USE);
            let because = match (own.last, own.used, option.ready, usual) {
                (true, ..) => Because::LastUsed,
                (_, 1.., ..) => Because::OftenUsed,
                (_, _, true, _) => Because::ReadyOnDevice,
                (.., 1..) => Because::UsualHere,
                _ => Because::HostOrder,
            };
            (share * works / 1000, because)
        };
        sort(&mut scores, score, |_, _| false);
        Ok(scores)
    }

    /// Puts ways to ship in order, best first: by the customer's own use. A dearer option never stands above one that is cheaper
    /// and promised as early or earlier. Ties stay as the host has them.
    ///
    /// # Errors
    /// [`TooManyOptions`].
    pub fn rank_shipping_options(
        &self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        uses: &[Use<'_>],
        options: &[ShippingOption<'_>],
    ) -> Result<Ranking, TooManyOptions> {
        if self.held_out(transaction, profile) {
            return as_is(options.len(), Because::Holdout);
        }
        let mut scores = as_is(options.len(), Because::HostOrder)?;
        let now = transaction.created_at_ms;
        let score = |at: usize| {
            let own = options.get(at).map_or(Own::default(), |option| own_use(uses, option.id, now));
            let because = match own {
                Own { last: true, .. } => Because::LastUsed,
                Own { used: 1.., .. } => Because::OftenUsed,
                _ => Because::HostOrder,
            };
            (own.used, because)
        };
        let yields = |dearer: usize, cheaper: usize| {
            let (Some(a), Some(b)) = (options.get(dearer), options.get(cheaper)) else { return false };
            let promised = a.arrives_by_ms > 0 && b.arrives_by_ms > 0;
            promised && b.price < a.price && b.arrives_by_ms <= a.arrives_by_ms
        };
        sort(&mut scores, score, yields);
        Ok(scores)
    }

    fn held_out(&self, transaction: &Transaction<'_>, profile: &Profile<'_>) -> bool {
        self.policy().experiments.assign(transaction, profile).shows != Shows::Offers
    }
}

/// Which stored thing to fill in for each field, where more than half of the faded uses are one slot's. An address of another
/// country than the order's is left out, and for a gift every address is: it goes to somebody else.
#[must_use]
pub fn prefill(transaction: &Transaction<'_>, stored: &[StoredField]) -> SmallVec<[Prefill; OPTIONS_MAX]> {
    let mut filled: SmallVec<[Prefill; OPTIONS_MAX]> = SmallVec::new();
    let now = transaction.created_at_ms;
    let stored = stored.get(..stored.len().min(USES_MAX)).unwrap_or(&[]);
    let here = |of: &&StoredField| match (of.country, transaction.country) {
        (None, _) => true,
        (Some(_), None) => !transaction.is_gift,
        (Some(own), Some(country)) => own == country && !transaction.is_gift,
    };
    let weight = |of: &StoredField| u64::from(of.uses.min(1000)) * faded(of.last_used_ms, now);
    for of in stored.iter().filter(here) {
        let alike = || stored.iter().filter(here).filter(|other| other.field == of.field);
        let all: u64 = alike().map(weight).sum();
        let confidence_ppm = (weight(of) * 1_000_000 / (all + USE)) as u32;
        let known = filled.iter().any(|other| other.field == of.field);
        if confidence_ppm > 500_000 && !known && filled.len() < OPTIONS_MAX {
            let latest = alike().all(|other| other.last_used_ms <= of.last_used_ms);
            let because = if latest { Because::LastUsed } else { Because::OftenUsed };
            filled.push(Prefill { field: of.field, slot: of.slot, confidence_ppm, because });
        }
    }
    filled
}

/// The host's own order.
fn as_is(options: usize, because: Because) -> Result<Ranking, TooManyOptions> {
    if options > OPTIONS_MAX {
        return Err(TooManyOptions);
    }
    Ok((0..options as u8).map(|option| Ranked { option, because }).collect())
}

/// Puts the best of what is left next, among what yields to none of the others that are left. `yields` is a strict partial
/// order, so there always is one.
fn sort(
    ranking: &mut Ranking,
    score: impl Fn(usize) -> (u64, Because),
    yields: impl Fn(usize, usize) -> bool,
) {
    let scores: [(u64, Because); OPTIONS_MAX] =
        std::array::from_fn(|at| if at < ranking.len() { score(at) } else { (0, Because::HostOrder) });
    let index = |ranked: &Ranked| usize::from(ranked.option);
    let worth = |ranked: &&Ranked| {
        (scores.get(index(ranked)).map_or(0, |score| score.0), std::cmp::Reverse(ranked.option))
    };
    for place in 0..ranking.len() {
        let left = ranking.get(place..).unwrap_or(&[]);
        let free = |ranked: &&Ranked| !left.iter().any(|other| yields(index(ranked), index(other)));
        let Some(next) = left.iter().filter(free).max_by_key(worth).copied() else { return };
        let passed = left.iter().max_by_key(worth).is_some_and(|best| best.option != next.option);
        let own = scores.get(index(&next)).map_or(Because::HostOrder, |score| score.1);
        let because = if passed { Because::CheaperFirst } else { own };
        ranking.retain(|ranked| ranked.option != next.option);
        ranking.insert(place, Ranked { because, ..next });
    }
}

/// What a customer did with one option.
#[derive(Debug, Clone, Copy, Default)]
struct Own {
    used: u64,
    failed: u64,
    /// Their latest success was this.
    last: bool,
}

fn own_use(uses: &[Use<'_>], id: &str, now: i64) -> Own {
    let uses = newest(uses);
    let mut own = Own::default();
    for of in uses.iter().filter(|of| of.id == id) {
        let weight = faded(of.at_ms, now);
        if of.failed {
            own.failed += weight;
        } else {
            own.used += weight;
        }
    }
    let latest = uses.iter().filter(|of| !of.failed).max_by_key(|of| of.at_ms);
    own.last = latest.is_some_and(|of| of.id == id);
    own
}

fn all_uses(uses: &[Use<'_>], now: i64) -> u64 {
    newest(uses).iter().filter(|of| !of.failed).map(|of| faded(of.at_ms, now)).sum()
}

fn newest<'u, 'a>(uses: &'u [Use<'a>]) -> &'u [Use<'a>] {
    uses.get(uses.len().saturating_sub(USES_MAX)..).unwrap_or(&[])
}

/// How much a use counts; whole where a time is not known.
fn faded(at_ms: i64, now_ms: i64) -> u64 {
    days::faded(at_ms, now_ms, USE_DAYS).map_or(USE, u64::from)
}

/// Share of a way to pay among the shop's orders: of all, shrunk step by step to those of the country, of the device there, and
/// of the amount there, each group speaking as far as it has orders. Parts per million.
fn usual_ppm(facts: &PaymentFacts<'_>, id: &str, transaction: &Transaction<'_>) -> u64 {
    let counts = facts.counts.get(..facts.counts.len().min(METHOD_COUNTS_MAX)).unwrap_or(&[]);
    let amount = crate::context::order_value(transaction);
    let band = |of: &MethodCount<'_>| amount.is_some_and(|amount| of.amount_from <= amount);
    let from = counts.iter().filter(|of| band(of)).map(|of| of.amount_from).max();
    let here = |of: &&MethodCount<'_>| transaction.country == Some(of.country);
    let device = |of: &&MethodCount<'_>| of.device == facts.device;
    let like = |of: &&MethodCount<'_>| Some(of.amount_from) == from;
    let shrunk = |before: u64, (own, all): (u64, u64)| (own * 1_000_000 + GROUP * before) / (all + GROUP);
    let sums = |narrow: &dyn Fn(&&MethodCount<'_>) -> bool| {
        counts.iter().filter(narrow).fold((0u64, 0u64), |(own, all), of| {
            let orders = u64::from(of.orders);
            (own + if of.id == id { orders } else { 0 }, all + orders)
        })
    };
    let mut share = shrunk(0, sums(&|_| true));
    for group in
        [sums(&here), sums(&|of| here(of) && device(of)), sums(&|of| here(of) && device(of) && like(of))]
    {
        share = shrunk(share, group);
    }
    share
}
