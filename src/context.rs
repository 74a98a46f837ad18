//! Stage 1 of a decision: what the request means in terms of the catalog.

use crate::bought::{Bought, Line, is_sensitive};
use crate::days::{self, DAY_MS};
use crate::engine::Engine;
use crate::index::format::{NONE, NameKind, ProductRecord};
use crate::index::search::{Effort, Filter, RowSet};
use crate::index::{AllowList, RefusedClasses, View};
use crate::limits::{
    ANSWERS_MAX, DECLINES_MAX, EXPOSURES_MAX, FORESEEN, OPT_OUTS_MAX, PURCHASES_MAX, RULE_CLASSES_MAX,
    SLOTS_MAX,
};
use crate::model::Asking;
use crate::narrowed::{MUCH, NarrowedLists};
use crate::policy::{CompiledPolicy, Facts, Holding, Placed, is_before_payment, party_bit, slots_of};
use crate::profile::{GIFT, Profile, Purposes};
use crate::refill::Habit;
use crate::transaction::Transaction;
use crate::vocabulary::{AgeBand, Country, Currency, Exposure, Role, Stage};

/// An earlier purchase, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Past {
    pub(crate) product: u32,
    pub(crate) kind: u32,
    pub(crate) times: u32,
    pub(crate) first_at_ms: i64,
    pub(crate) last_at_ms: i64,
    /// Sum over the purchases of 1000 x 2^(-days / 30): half as much a month later.
    pub(crate) recency: u32,
    /// Of a sensitive class: keeps what is owned away, but does not ask for more, and no partner's offer rests on it.
    pub(crate) sensitive: bool,
}

/// Earlier purchases of one type or brand. Of the sensitive ones only that there are any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PastGroup {
    /// Number of the type or brand.
    pub(crate) key: u32,
    pub(crate) times: u32,
    pub(crate) last_at_ms: i64,
}

/// An earlier exposure, resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Exposed {
    /// [`NONE`] where it was a product.
    pub(crate) offer: u32,
    /// [`NONE`] where it was the merchant's own.
    pub(crate) partner: u32,
    pub(crate) event: Exposure,
    pub(crate) at_ms: i64,
}

/// What contracts look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) exposures: &'a [Exposed],
    /// 0 = not known.
    pub(crate) now_ms: i64,
}

/// Memory of the context, set aside once.
#[derive(Debug)]
pub(crate) struct ContextScratch {
    pub(crate) bought: Bought,
    /// Distinct earlier purchases, sorted by product.
    pub(crate) past: Vec<Past>,
    /// The catalog's.
    pub(crate) currency: Currency,
    /// Earlier purchases by type, sorted.
    past_types: Vec<PastGroup>,
    /// Earlier purchases by brand, sorted.
    past_brands: Vec<PastGroup>,
    trips: u32,
    /// Declined products and offers, sorted.
    declined_products: Vec<u32>,
    declined_offers: Vec<u32>,
    opted_out: Vec<u32>,
    /// What conditions ask for; only made where any does.
    facts: Facts,
    exposures: Vec<Exposed>,
    /// Bit per class of products that the rules with conditions refuse.
    refused: Vec<u64>,
    narrowed: NarrowedLists,
}

impl ContextScratch {
    pub(crate) fn new(engine: &Engine) -> Self {
        Self {
            bought: Bought::new(),
            past: Vec::with_capacity(PURCHASES_MAX),
            currency: engine.view().currency,
            past_types: Vec::with_capacity(PURCHASES_MAX),
            past_brands: Vec::with_capacity(PURCHASES_MAX),
            trips: 0,
            declined_products: Vec::with_capacity(DECLINES_MAX),
            declined_offers: Vec::with_capacity(DECLINES_MAX),
            opted_out: Vec::with_capacity(OPT_OUTS_MAX),
            facts: Facts::default(),
            exposures: Vec::with_capacity(EXPOSURES_MAX),
            refused: Vec::with_capacity(RULE_CLASSES_MAX.div_ceil(64)),
            narrowed: NarrowedLists::new(engine),
        }
    }

    /// Makes it ready for another engine.
    pub(crate) fn fit(&mut self, engine: &Engine) {
        self.narrowed.fit(engine);
        self.currency = engine.view().currency;
    }
}

/// The request, resolved. Everything the rules look at.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Context<'a> {
    pub(crate) view: View<'a>,
    pub(crate) policy: &'a CompiledPolicy,
    pub(crate) transaction: &'a Transaction<'a>,
    pub(crate) profile: &'a Profile<'a>,
    /// What chance is drawn from; whoever decides sets it.
    pub(crate) group_id: u128,
    /// Likewise: what says how likely offers are accepted, where it is not the catalog.
    pub(crate) model: Option<Asking<'a>>,
    pub(crate) bought: &'a Bought,
    pub(crate) lines: &'a [Line],
    pub(crate) asking: &'a [Line],
    /// Whether any orders stand behind what the asking lines ask for.
    pub(crate) asking_ordered: bool,
    pub(crate) types: &'a RowSet,
    pub(crate) past: &'a [Past],
    pub(crate) past_types: &'a [PastGroup],
    past_brands: &'a [PastGroup],
    /// Times at which the customer bought.
    pub(crate) trips: u32,
    declined_products: &'a [u32],
    declined_offers: &'a [u32],
    opted_out: &'a [u32],
    /// An opted-out category that the catalog does not know: nothing can be shown to respect it.
    opt_out_unknown: bool,
    /// Minor units; `None` where not known.
    pub(crate) order_value: Option<i64>,
    pub(crate) same_currency: bool,
    /// What the customer consented to.
    pub(crate) consent: Purposes,
    pub(crate) gift: bool,
    /// `None` = the policy does not have the placement that was asked for.
    pub(crate) placed: Option<&'a Placed>,
    /// Whose offers it may show at all, a bit each.
    pub(crate) parties: u8,
    /// Least relevance that any position asks for.
    pub(crate) min_relevance: u16,
    pub(crate) slots: usize,
    /// What the rules with conditions say of this request.
    pub(crate) holding: Holding,
    facts: &'a Facts,
    exposures: &'a [Exposed],
    /// Products that they refuse, where they refuse any.
    refused: Option<RefusedClasses<'a>>,
    /// Counts of what is left, where that is much less.
    narrowed: Option<&'a AllowList>,
    /// Products that are left.
    left: u32,
}

/// Allowed products at which a search looks at least.
const VISITS_LEAST: u64 = 2560;

/// Days that a decline is respected.
const DECLINE_DAYS: i64 = 90;
/// Days after which a purchase is half as recent.
const RECENT_DAYS: u32 = 30;

/// Resolves a request into `scratch` and borrows it from there.
pub(crate) fn resolve<'a>(
    view: View<'a>,
    policy: &'a CompiledPolicy,
    transaction: &'a Transaction<'a>,
    profile: &'a Profile<'a>,
    scratch: &'a mut ContextScratch,
) -> Context<'a> {
    scratch.bought.fill(&view, policy, transaction.lines);
    resolve_past(&view, policy, transaction.created_at_ms, profile, scratch);
    resolve_declines(&view, transaction, profile, scratch);
    let opt_out_unknown = resolve_opt_outs(&view, profile, scratch);
    let placement = &transaction.placement;
    let placed = policy.placement(placement);
    let slots = usize::from(slots_of(placement, placed)).min(SLOTS_MAX);
    let least_relevance = placed.map_or(u16::MAX, |p| p.least_relevance(slots));
    let order_value = order_value(transaction);
    let gift = transaction.is_gift || profile.answers.iter().take(ANSWERS_MAX).any(|a| a.tag == GIFT);
    let holding = if policy.asks() {
        scratch.facts = Facts::new(transaction, profile, &policy.zone, order_value, gift, slots);
        resolve_exposures(&view, profile, &mut scratch.exposures);
        what_holds(policy, scratch)
    } else {
        Holding::default()
    };
    let (refused, narrowed, left) = match policy.classes.refused(&holding.refusing, &mut scratch.refused) {
        Some((classes, left)) => (Some(classes), scratch.narrowed.of(policy, &view, classes, left), left),
        None => (None, None, policy.allowed.total()),
    };
    Context {
        view,
        policy,
        transaction,
        profile,
        group_id: 0,
        model: None,
        bought: &scratch.bought,
        lines: &scratch.bought.lines,
        asking: &scratch.bought.asking,
        asking_ordered: scratch.bought.asking.iter().any(|line| view.was_bought(line.kind)),
        types: &scratch.bought.types,
        past: &scratch.past,
        past_types: &scratch.past_types,
        past_brands: &scratch.past_brands,
        trips: scratch.trips,
        declined_products: &scratch.declined_products,
        declined_offers: &scratch.declined_offers,
        opted_out: &scratch.opted_out,
        opt_out_unknown,
        order_value,
        same_currency: transaction.currency.is_none_or(|currency| currency == view.currency),
        consent: policy.consent.given(&profile.consent),
        gift,
        placed,
        parties: parties(placement.stage, placed),
        min_relevance: placement.min_relevance.unwrap_or(least_relevance),
        slots,
        holding,
        facts: &scratch.facts,
        exposures: &scratch.exposures,
        refused,
        narrowed,
        left,
    }
}

/// Whose offers a page may show: before payment a placement of that stage must say that others' may.
fn parties(stage: Stage, placed: Option<&Placed>) -> u8 {
    let own_only = is_before_payment(stage) && placed.is_some_and(|placed| placed.stage != Some(stage));
    if own_only { party_bit(false) } else { u8::MAX }
}

/// Which rules with conditions hold.
fn what_holds(policy: &CompiledPolicy, scratch: &ContextScratch) -> Holding {
    let lines = scratch.bought.lines.iter().map(|line| (line.product, line.category, line.brand));
    policy.rules.holding(&scratch.facts, lines, scratch.bought.unread)
}

/// Collapses the newest purchases into one entry per product.
fn resolve_past(
    view: &View<'_>,
    policy: &CompiledPolicy,
    now_ms: i64,
    profile: &Profile<'_>,
    scratch: &mut ContextScratch,
) {
    let ContextScratch { past, past_types, past_brands, trips, .. } = scratch;
    past.clear();
    past_types.clear();
    past_brands.clear();
    *trips = 0;
    let mut last_trip = None;
    let older = profile.purchases.len().saturating_sub(PURCHASES_MAX);
    for run in profile.purchases.get(older..).unwrap_or(&[]).rchunks(FORESEEN) {
        view.foresee_products(run.iter().map(|purchase| purchase.item_id));
        for purchase in run.iter().rev() {
            let Some(product) = view.find(NameKind::Product, purchase.item_id.as_bytes()) else { continue };
            let kind = view.type_of(product);
            let at_ms = purchase.at_ms;
            let recency = days::faded(at_ms, now_ms, RECENT_DAYS).unwrap_or(0);
            let record = view.product(product);
            let sensitive = is_sensitive(policy, record, record.map_or(NONE, |r| r.category.get()));
            let past_one =
                Past { product, kind, times: 1, first_at_ms: at_ms, last_at_ms: at_ms, recency, sensitive };
            past.push(past_one);
            let (times, last_at_ms) = if sensitive { (0, 0) } else { (1, at_ms) };
            past_types.push(PastGroup { key: kind, times, last_at_ms });
            let brand = record.map_or(NONE, |record| record.brand.get());
            past_brands.push(PastGroup { key: brand, times, last_at_ms });
            *trips += u32::from(last_trip.replace(at_ms) != Some(at_ms));
        }
    }
    fold(past_types);
    fold(past_brands);
    past.sort_unstable_by_key(|entry| (entry.product, entry.last_at_ms, entry.recency));
    past.dedup_by(|next, kept| {
        let same = next.product == kept.product;
        if same {
            kept.times = kept.times.saturating_add(1);
            kept.first_at_ms = kept.first_at_ms.min(next.first_at_ms);
            kept.last_at_ms = kept.last_at_ms.max(next.last_at_ms);
            kept.recency = kept.recency.saturating_add(next.recency);
        }
        same
    });
}

/// Sorts purchases by their type or brand, and adds up those of one.
fn fold(groups: &mut Vec<PastGroup>) {
    groups.sort_unstable_by_key(|group| (group.key, group.last_at_ms));
    groups.dedup_by(|next, kept| {
        let same = next.key == kept.key;
        if same {
            kept.times = kept.times.saturating_add(next.times);
            kept.last_at_ms = kept.last_at_ms.max(next.last_at_ms);
        }
        same
    });
}

fn resolve_declines(
    view: &View<'_>,
    transaction: &Transaction<'_>,
    profile: &Profile<'_>,
    scratch: &mut ContextScratch,
) {
    scratch.declined_products.clear();
    scratch.declined_offers.clear();
    for decline in profile.declines.iter().rev().take(DECLINES_MAX) {
        let age_ms = transaction.created_at_ms.saturating_sub(decline.at_ms);
        // Where either time is not known the decline counts.
        let old = transaction.created_at_ms > 0 && decline.at_ms > 0 && age_ms > DECLINE_DAYS * DAY_MS;
        if old {
            continue;
        }
        let id = decline.id.as_bytes();
        scratch.declined_products.extend(view.find(NameKind::Product, id));
        scratch.declined_offers.extend(view.find(NameKind::Offer, id));
    }
    scratch.declined_products.sort_unstable();
    scratch.declined_offers.sort_unstable();
}

fn resolve_exposures(view: &View<'_>, profile: &Profile<'_>, exposures: &mut Vec<Exposed>) {
    exposures.clear();
    for exposed in profile.exposures.iter().rev().take(EXPOSURES_MAX) {
        let (id, event, at_ms) = (exposed.id.as_bytes(), exposed.event, exposed.at_ms);
        if let Some(offer) = view.find(NameKind::Offer, id) {
            let partner = view.offer(offer).map_or(NONE, |record| record.partner.get());
            exposures.push(Exposed { offer, partner, event, at_ms });
        } else if let Some(record) = view.find(NameKind::Product, id).and_then(|ix| view.product(ix)) {
            exposures.push(Exposed { offer: NONE, partner: record.partner.get(), event, at_ms });
        }
    }
}

fn resolve_opt_outs(view: &View<'_>, profile: &Profile<'_>, scratch: &mut ContextScratch) -> bool {
    scratch.opted_out.clear();
    let mut unknown = profile.opt_out_categories.len() > OPT_OUTS_MAX;
    for path in profile.opt_out_categories.iter().take(OPT_OUTS_MAX) {
        match view.find(NameKind::Category, path.as_bytes()) {
            Some(category) => scratch.opted_out.push(category),
            None => unknown = true,
        }
    }
    unknown
}

pub(crate) fn order_value(transaction: &Transaction<'_>) -> Option<i64> {
    transaction.value.or_else(|| {
        transaction.lines.iter().try_fold(0i64, |sum, line| {
            sum.checked_add(line.unit_price?.checked_mul(i64::from(line.quantity))?)
        })
    })
}

/// Days until something comes back whose type's rhythm is not known.
const UNKNOWN_RHYTHM_DAYS: u16 = 7;

/// What is used up is due where it is likely enough to be bought soon ([`crate::refill`]), from the next day on. Where the catalog has
/// not learnt that: once the lower quartile of its type's intervals has passed. Unknown times are not due.
pub(crate) fn is_due(context: &Context<'_>, past: &Past) -> bool {
    let Some(now) = context.now_ms().filter(|_| past.last_at_ms > 0) else { return false };
    let days_since = |at_ms: i64| (now.saturating_sub(at_ms) / DAY_MS).clamp(-1, u32::MAX.into());
    let since = days_since(past.last_at_ms);
    if let Some(usual) = context.view.refill_days.get(past.product as usize) {
        let habit = Habit {
            times: past.times,
            age_days: days_since(past.first_at_ms).max(0) as u32,
            since_days: since.max(0) as u32,
            usual_days: usual.get(),
        };
        if let Some(beyond) = habit.beyond_due(context.view.refill_weights) {
            return since >= 1 && beyond >= 0;
        }
    }
    let rhythm = context.view.types.get(past.kind as usize).map(|t| t.replenish_days[0].get());
    since >= i64::from(rhythm.filter(|days| *days > 0).unwrap_or(UNKNOWN_RHYTHM_DAYS))
}

impl Context<'_> {
    /// Unix milliseconds; `None` = not known.
    pub(crate) fn now_ms(&self) -> Option<i64> {
        Some(self.transaction.created_at_ms).filter(|at| *at > 0)
    }

    /// What contracts look at.
    pub(crate) fn seen(&self) -> Seen<'_> {
        Seen { facts: self.facts, exposures: self.exposures, now_ms: self.now_ms().unwrap_or(0) }
    }

    /// Least reserve that any position asks for.
    pub(crate) fn least_reserve(&self) -> i64 {
        self.placed.map_or(i64::MAX, |placed| placed.least_reserve(self.slots))
    }

    pub(crate) fn country(&self) -> Option<Country> {
        self.transaction.country
    }

    pub(crate) fn age_band(&self) -> AgeBand {
        self.profile.age_band
    }

    /// Whether no rule that looks at the product alone refuses it.
    pub(crate) fn is_allowed(&self, product: u32) -> bool {
        self.policy.is_allowed(product) && !self.refused.is_some_and(|classes| classes.refuses(product))
    }

    /// Whether it is known, without asking the rules, that none that looks at the product alone refuses it. Classes of sensitive
    /// goods aside: whether those are allowed depends on the request.
    pub(crate) fn surely_allowed(&self, product: u32) -> bool {
        self.policy.classes.know_all() && self.is_allowed(product)
    }

    /// Asks for what [`Context::is_allowed`] will read.
    pub(crate) fn foresee_allowed(&self, product: u32) {
        self.policy.allowed.prefetch(product);
        if let Some(classes) = &self.refused {
            classes.prefetch(product);
        }
    }

    /// How hard a search must try. What was tuned is how far to look where everything is allowed; it looks as far where less is,
    /// so at fewer products, but at no fewer than [`VISITS_LEAST`] that may be found.
    pub(crate) fn effort(&self, effort: Effort) -> Effort {
        if effort == Effort::EXACT {
            return effort;
        }
        let (left, before) = (u64::from(self.left).max(1), u64::from(self.policy.allowed.total()));
        // Where nothing was counted anew, a search counts what rules with conditions refuse.
        let anew = self.refused.is_none() || self.narrowed.is_some();
        let (counted, open) = if anew { (left, left) } else { (before, left.max(before / MUCH).max(1)) };
        let as_far = u64::from(effort.visits) * counted / u64::from(self.view.product_count()).max(1);
        let least = VISITS_LEAST * counted / open;
        let visits = as_far.max(least).min(u64::from(effort.visits));
        Effort { visits: visits as u32, ..effort }
    }

    /// What a search may find.
    pub(crate) fn filter(&self) -> Filter<'_> {
        let filter = Filter::new(&self.policy.allowed, self.types);
        self.refused.map_or(filter, |classes| filter.without(classes, self.narrowed))
    }

    pub(crate) fn declined_product(&self, product: u32) -> bool {
        self.declined_products.binary_search(&product).is_ok()
    }

    pub(crate) fn declined_offer(&self, offer: u32) -> bool {
        self.declined_offers.binary_search(&offer).is_ok()
    }

    /// Whether the customer opted out of a category; of everything where their wish cannot be understood.
    pub(crate) fn opted_out(&self, category: u32) -> bool {
        let wishes = self.opt_out_unknown || !self.opted_out.is_empty();
        let unclear = self.opt_out_unknown || category == NONE;
        wishes && (unclear || self.opted_out.iter().any(|root| self.view.in_subtree(*root, category)))
    }

    /// The earlier purchases of a type.
    pub(crate) fn past_of_type(&self, kind: u32) -> Option<&PastGroup> {
        let at = self.past_types.binary_search_by_key(&kind, |group| group.key).ok()?;
        self.past_types.get(at)
    }

    /// The earlier purchases of a brand.
    pub(crate) fn past_of_brand(&self, brand: u32) -> Option<&PastGroup> {
        let at = self.past_brands.binary_search_by_key(&brand, |group| group.key).ok()?;
        self.past_brands.get(at)
    }

    /// Tenths of a day since a moment; `None` where either time is not known.
    pub(crate) fn tenths_since(&self, at_ms: i64) -> Option<i32> {
        let now = self.now_ms().filter(|_| at_ms > 0)?;
        Some((now.saturating_sub(at_ms) / (DAY_MS / 10)).clamp(0, 1 << 24) as i32)
    }

    /// Whether a product is one that this customer uses up: its type is, or they came back for it themselves.
    pub(crate) fn used_up(&self, record: &ProductRecord, past: &Past) -> bool {
        match Role::from_code(record.role) {
            Some(Role::Consumable) => true,
            Some(Role::Unknown) => past.times >= 2,
            _ => false,
        }
    }

    /// The earlier purchases of a product.
    pub(crate) fn past_of(&self, product: u32) -> Option<&Past> {
        let at = self.past.binary_search_by_key(&product, |past| past.product).ok()?;
        self.past.get(at)
    }
}
