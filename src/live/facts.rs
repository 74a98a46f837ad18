//! What a decision reads of an overlay, and what follows from it: pauses, stock, prices, budgets, pacing.

use xxhash_rust::xxh3::xxh3_64;

use super::format::{ProductState, account};
use super::{Bound, Live};
use crate::context::Context;
use crate::index::format::NONE;
use crate::offer::{Item, OfferIx, ProductIx, Reason};
use crate::policy::CompiledPolicy;

/// What a decision read of the overlay about one candidate. Enough to make the decision again: see
/// [`crate::Decider::replay`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LiveFact {
    /// Of what.
    pub item: Item,
    /// A product: its word, as [`ProductState::unpack`] reads it. An offer: [`Self::PAUSED`] and so on.
    pub own: u64,
    /// Of its partner: [`Self::PAUSED`] and so on.
    pub partner: u64,
    /// What an offer earns, minor units; negative = as the catalog says.
    pub bid: i64,
}

impl LiveFact {
    /// Paused or killed.
    pub const PAUSED: u64 = 1;
    /// Nothing left to reserve, or nobody knows.
    pub const EMPTY: u64 = 2;
    /// From this bit on: decisions that pacing turns away, parts per million.
    pub const THROTTLE_SHIFT: u32 = 8;

    const fn none(item: Item) -> Self {
        Self { item, own: 0, partner: 0, bid: -1 }
    }

    /// Whether the overlay says nothing of it: most candidates.
    #[inline]
    pub(crate) fn is_silent(&self) -> bool {
        self.own == 0 && self.partner == 0 && self.bid < 0
    }
}

/// Where facts come from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Nowhere: there is no overlay.
    None,
    /// The overlay.
    Shared(&'a Bound),
    /// An earlier decision.
    Recorded(&'a [LiveFact]),
}

/// The overlay during one decision.
#[derive(Debug)]
pub(crate) struct Reading<'a> {
    source: Source<'a>,
    /// Seeds what chance decides.
    decision_id: u128,
    now_ms: Option<i64>,
}

impl<'a> Reading<'a> {
    pub(crate) fn new(source: Source<'a>, decision_id: u128, now_ms: Option<i64>) -> Self {
        Self { source, decision_id, now_ms }
    }

    /// Whether decisions may rest on it. An overlay that was taken away is never ignored.
    pub(crate) fn is_usable(&self, policy: &CompiledPolicy) -> bool {
        match self.source {
            Source::None => !policy.live.required,
            Source::Shared(bound) => bound.is_current(),
            Source::Recorded(_) => true,
        }
    }

    /// Whether there is no overlay.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self.source, Source::None)
    }

    pub(crate) fn bound(&self) -> Option<&'a Bound> {
        match self.source {
            Source::Shared(bound) => Some(bound),
            Source::None | Source::Recorded(_) => None,
        }
    }

    /// Reads what is known of a candidate, each word once; keeps it in `read` where it says anything.
    pub(crate) fn look(&self, item: Item, partner: u32, read: &mut Vec<LiveFact>) -> LiveFact {
        let fact = match self.source {
            Source::None => return LiveFact::none(item),
            Source::Shared(bound) => self.ask(bound, item, partner),
            Source::Recorded(facts) => {
                facts.iter().find(|fact| fact.item == item).copied().unwrap_or(LiveFact::none(item))
            }
        };
        if !fact.is_silent() && read.len() < read.capacity() {
            read.push(fact);
        }
        fact
    }

    fn ask(&self, bound: &Bound, item: Item, partner: u32) -> LiveFact {
        let live = bound.live();
        let of_account = |account: Option<u32>| match account {
            Some(account) => live.standing(account, self.now_ms),
            None => LiveFact::PAUSED, // not of this catalog, so nothing is known
        };
        let mut fact = LiveFact::none(item);
        match item {
            Item::Product(ProductIx(row)) => fact.own = bound.product(row),
            Item::Offer(OfferIx(row)) => {
                let account = bound.offer_account(row);
                fact.own = of_account(account);
                let bid = account.and_then(|at| live.account(at, account::BID).checked_sub(1));
                fact.bid = bid.map_or(-1, |bid| bid.min(i64::MAX as u64 / 1_000_000) as i64);
            }
        }
        if partner != NONE {
            fact.partner = of_account(bound.partner_account(partner));
        }
        fact
    }

    /// Every rule that a candidate breaks.
    #[inline]
    pub(crate) fn refusals(
        &self,
        policy: &CompiledPolicy,
        fact: &LiveFact,
        partner: u32,
        sink: &mut impl FnMut(Reason) -> bool,
    ) {
        if !fact.is_silent() || policy.live.price_max_age_ms > 0 {
            self.rules(policy, fact, partner, sink);
        }
    }

    /// In order: first the merchant's word, then stock and price, then budgets and their pace.
    fn rules(
        &self,
        policy: &CompiledPolicy,
        fact: &LiveFact,
        partner: u32,
        sink: &mut impl FnMut(Reason) -> bool,
    ) {
        let (own, row) = match fact.item {
            Item::Product(ProductIx(row)) => (0, row),
            Item::Offer(OfferIx(row)) => (fact.own, row),
        };
        let state = match fact.item {
            Item::Product(_) => ProductState::unpack(fact.own),
            Item::Offer(_) => ProductState { paused: own & LiveFact::PAUSED != 0, ..ProductState::default() },
        };
        let stale = matches!(fact.item, Item::Product(_)) && self.is_stale(policy, &state);
        let empty = (own | fact.partner) & LiveFact::EMPTY != 0;
        let paced =
            self.is_throttled(own, "offer", row) || self.is_throttled(fact.partner, "partner", partner);
        let rules = [
            (state.paused || state.killed, Reason::Paused),
            (fact.partner & LiveFact::PAUSED != 0, Reason::PartnerExcluded),
            (state.stock == Some(0), Reason::OutOfStock),
            (stale, Reason::PriceUnknown),
            (empty, Reason::LeaseEmpty),
            (paced, Reason::Paced),
        ];
        for (refused, reason) in rules {
            if refused && sink(reason) {
                return;
            }
        }
    }

    fn is_stale(&self, policy: &CompiledPolicy, state: &ProductState) -> bool {
        let age = self.now_ms.filter(|_| state.priced_at_ms > 0).map(|now| now - state.priced_at_ms);
        policy.live.price_max_age_ms > 0 && age.is_none_or(|age| age > policy.live.price_max_age_ms)
    }

    /// Chance decides, the same for the same decision: of a million decisions, as many as the throttle says are turned away. One
    /// draw for each account, so a partner's offers of one decision are turned away together.
    fn is_throttled(&self, standing: u64, stream: &str, row: u32) -> bool {
        let throttle = throttle_ppm(standing);
        throttle > 0 && draw_ppm(self.decision_id, stream, row) < throttle
    }
}

pub(crate) fn throttle_ppm(standing: u64) -> u64 {
    (standing >> LiveFact::THROTTLE_SHIFT).min(1_000_000)
}

impl LiveFact {
    /// Probability that pacing let this candidate through, parts per million.
    pub(crate) fn pass_ppm(&self) -> u32 {
        let own = if matches!(self.item, Item::Offer(_)) { throttle_ppm(self.own) } else { 0 };
        ((1_000_000 - own) * (1_000_000 - throttle_ppm(self.partner)) / 1_000_000) as u32
    }

    /// Live price of a product.
    pub(crate) fn price(&self) -> Option<i64> {
        match self.item {
            Item::Product(_) => ProductState::unpack(self.own).price,
            Item::Offer(_) => None,
        }
    }
}

/// A number below a million out of a decision, a stream and a row.
pub(crate) fn draw_ppm(decision_id: u128, stream: &str, row: u32) -> u64 {
    let mut seed = [0u8; 32];
    let parts = decision_id.to_le_bytes().into_iter().chain(row.to_le_bytes()).chain(stream.bytes());
    seed.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
    ((u128::from(xxh3_64(&seed)) * 1_000_000) >> 64) as u64
}

impl Live {
    /// What stands against an account at a moment; 0 = nothing.
    fn standing(&self, at: u32, now_ms: Option<i64>) -> u64 {
        let config = self.config(at);
        let mut standing = if config.paused || config.killed { LiveFact::PAUSED } else { 0 };
        if self.is_limited(at) {
            let closed_until_ms = (self.account(at, account::CLOSED) & ((1 << 48) - 1)).saturating_mul(1000);
            match now_ms {
                Some(now_ms) if now_ms.cast_unsigned() >= closed_until_ms => {
                    standing |= self.throttle(at, &config, now_ms) << LiveFact::THROTTLE_SHIFT;
                }
                _ => standing |= LiveFact::EMPTY,
            }
        }
        standing
    }
}

/// The final check, by other code than [`Reading::refusals`]: on the words that were read, bit by bit.
pub(crate) fn may_show(context: &Context<'_>, facts: &[LiveFact], item: Item) -> bool {
    let Some(fact) = facts.iter().find(|fact| fact.item == item) else {
        return true_without_facts(context, item);
    };
    let partner_ok = fact.partner & (LiveFact::PAUSED | LiveFact::EMPTY) == 0;
    let own_ok = match item {
        Item::Offer(_) => fact.own & (LiveFact::PAUSED | LiveFact::EMPTY) == 0,
        Item::Product(_) => fact.own >> 62 == 0 && fact.own >> 56 != 1 && is_fresh(context, fact.own),
    };
    partner_ok && own_ok
}

/// Nothing is known: right, unless a rule wants to know the price's age.
fn true_without_facts(context: &Context<'_>, item: Item) -> bool {
    matches!(item, Item::Offer(_)) || context.policy.live.price_max_age_ms == 0
}

fn is_fresh(context: &Context<'_>, word: u64) -> bool {
    let minutes = |ms: i64| (ms - 1_735_689_600_000) as f64 / 60_000.0;
    let stated = (word << 8 >> 40) as f64;
    let most = context.policy.live.price_max_age_ms as f64 / 60_000.0;
    most == 0.0 || stated > 0.0 && context.now_ms().is_some_and(|now| minutes(now) <= stated + most)
}
