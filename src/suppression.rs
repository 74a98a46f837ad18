//! Which candidates may not be shown, and why: the hard gate of the pipeline.
//!
//! Rules come in the order of precedence: law and consent, merchant suppression, partner contract, then what makes no sense
//! for this basket. Every rule fails closed: what it needs to know and does not, it takes as a refusal.

use crate::context::{Context, is_due};
use crate::index::View;
use crate::index::format::{NONE, OfferRecord, ProductRecord};
use crate::offer::{Reason, Relation};
use crate::partner;
use crate::policy::{CompiledPolicy, Holding, meets};
use crate::transaction::Repeat;
use crate::vocabulary::{AgeBand, Availability, CustomerKind, OfferKind, Role, SensitiveClass};

/// Takes each reason; returns `true` to hear no more.
pub(crate) trait Sink: FnMut(Reason) -> bool {}
impl<F: FnMut(Reason) -> bool> Sink for F {}

/// Hands `$reason` to the sink where `$refused`, and stops where the sink has heard enough.
macro_rules! refuse_if {
    ($sink:ident, $refused:expr, $reason:expr) => {
        if $refused && $sink($reason) {
            return;
        }
    };
}

/// The first rule that refuses a product for every basket, or `None`. Compiled into the policy's bitmap.
pub(crate) fn standing_refusal(
    policy: &CompiledPolicy,
    view: &View<'_>,
    product: u32,
    record: &ProductRecord,
) -> Option<Reason> {
    let mut first = None;
    standing_rules(policy, view, product, record, &policy.standing(), &mut |reason| {
        first = Some(reason);
        true
    });
    first
}

fn standing_rules(
    policy: &CompiledPolicy,
    view: &View<'_>,
    product: u32,
    record: &ProductRecord,
    holding: &Holding,
    sink: &mut impl Sink,
) {
    let (category, brand, partner) = (record.category.get(), record.brand.get(), record.partner.get());
    let allowed =
        |classes: [SensitiveClass; 2]| classes.iter().all(|c| policy.sensitive_allowed(*c, holding));
    refuse_if!(sink, !classes_of(policy, record).is_some_and(allowed), Reason::SensitiveContext);
    refuse_if!(sink, policy.suppressed_products.binary_search(&product).is_ok(), Reason::ProductExcluded);
    refuse_if!(sink, policy.kind_suppressed(OfferKind::Product), Reason::KindExcluded);
    let unknown = view.category(category).is_none();
    refuse_if!(sink, unknown && policy.has_category_rules(), Reason::UnknownCategory);
    let open = policy.category_open.get(category as usize).copied().unwrap_or(unknown);
    refuse_if!(sink, !open, Reason::CategoryExcluded);
    refuse_if!(sink, policy.suppressed_brands.binary_search(&brand).is_ok(), Reason::BrandExcluded);
    let unknown_brand = brand == NONE && !policy.suppressed_brands.is_empty();
    refuse_if!(sink, unknown_brand, Reason::BrandExcluded);
    refuse_if!(
        sink,
        partner != NONE && partner::standing_refusal(policy, view, partner),
        Reason::PartnerExcluded
    );
    if !policy.rules.is_empty() {
        for (by, row) in policy.rules.refused().of_product(view, product, record) {
            refuse_if!(sink, meets(&holding.refusing, row), by.reason());
        }
    }
    let stock = Availability::from_code(record.availability);
    let in_stock = match stock {
        Some(Availability::InStock) => true,
        Some(Availability::Unknown) => !policy.deny_unknown_availability,
        Some(Availability::OutOfStock | Availability::Preorder | Availability::Backorder) | None => false,
    };
    refuse_if!(sink, !in_stock, Reason::OutOfStock);
    refuse_if!(sink, record.price.get() < 0 && policy.deny_unknown_price, Reason::PriceUnknown);
}

/// Sensitive classes of a product: the feed's and its category's. Both count: a feed must not talk a product out of the
/// class that the merchant gives its category. `None` = a damaged code.
pub(crate) fn classes_of(policy: &CompiledPolicy, record: &ProductRecord) -> Option<[SensitiveClass; 2]> {
    Some([SensitiveClass::from_code(record.sensitive)?, policy.mark_of(record.category.get()).0])
}

/// Whether a class or an age limit needs an adult whom nobody vouched for.
fn too_young(context: &Context<'_>, classes: &[SensitiveClass], age_min: u8) -> bool {
    let for_adults = |class: &SensitiveClass| {
        matches!(
            class,
            SensitiveClass::Alcohol
                | SensitiveClass::Tobacco
                | SensitiveClass::Adult
                | SensitiveClass::Weapons
                | SensitiveClass::Gambling
                | SensitiveClass::Credit
        )
    };
    let restricted = age_min > 0 || classes.iter().any(for_adults);
    restricted && context.age_band() != AgeBand::Adult
}

/// Whether it needs a purpose that the customer did not consent to.
fn lacks_consent(context: &Context<'_>, kind: OfferKind, third_party: bool) -> bool {
    context.policy.consent.lacks(context.consent, kind, third_party)
}

/// All rules for a product of this price.
pub(crate) fn product_rules(
    context: &Context<'_>,
    product: u32,
    record: &ProductRecord,
    relation: Relation,
    price: i64,
    sink: &mut impl Sink,
) {
    let (policy, view) = (context.policy, &context.view);
    let third_party = record.partner.get() != NONE;
    let marked = policy.mark_of(record.category.get());
    let classes = classes_of(policy, record);
    let class_ok =
        classes.is_some_and(|of| of.iter().all(|c| policy.sensitive_allowed(*c, &context.holding)));
    let classes = classes.unwrap_or_default();
    // Law and consent.
    refuse_if!(sink, !context.same_currency, Reason::Currency);
    let minor = third_party && context.age_band() == AgeBand::Minor; // first-party content only
    refuse_if!(sink, minor || too_young(context, &classes, record.age_min.max(marked.1)), Reason::Age);
    refuse_if!(sink, third_party && context.profile.opt_out_third_party, Reason::OptedOut);
    refuse_if!(sink, context.opted_out(record.category.get()), Reason::OptedOut);
    refuse_if!(sink, lacks_consent(context, OfferKind::Product, third_party), Reason::ConsentMissing);
    let here = view.region_allows(record.region_set.get(), context.country());
    refuse_if!(sink, !here, Reason::Region);
    // Merchant suppression, stock and price: the bitmap and the classes of products say whether, the rules themselves why.
    if !class_ok || !context.surely_allowed(product) {
        let mut heard_enough = false;
        standing_rules(policy, view, product, record, &context.holding, &mut |reason| {
            heard_enough = sink(reason);
            heard_enough
        });
        if heard_enough {
            return;
        }
    }
    refuse_if!(
        sink,
        third_party && partner::refuses_basket(context, record.partner.get()),
        Reason::PartnerContext
    );
    if third_party {
        for reason in
            policy.contracts.partner_refusals(record.partner.get(), context.seen()).into_iter().flatten()
        {
            refuse_if!(sink, true, reason);
        }
    }
    // What makes no sense for this basket.
    basket_rules(context, product, record, relation, sink);
    refuse_if!(sink, too_dear(context, price), Reason::PriceTooHigh);
}

fn basket_rules(
    context: &Context<'_>,
    product: u32,
    record: &ProductRecord,
    relation: Relation,
    sink: &mut impl Sink,
) {
    let group = record.group.get();
    let kind = record.type_ix.get();
    refuse_if!(sink, context.lines.iter().any(|line| line.product == product), Reason::SameItem);
    let same_group = group != NONE && context.lines.iter().any(|line| line.group == group);
    refuse_if!(sink, same_group, Reason::SameGroup);
    refuse_if!(sink, kind == NONE || context.types.contains(kind), Reason::SameType);
    refuse_if!(sink, owned_and_not_due(context, product, record), Reason::Owned);
    refuse_if!(sink, context.declined_product(product), Reason::Declined);
    // Retrieval may have found a repeat by another way than as a refill.
    let repeat = context.past_of(product).is_some() || is_refill(context, record, relation);
    refuse_if!(sink, context.gift && repeat, Reason::GiftSuppressesRefill);
}

/// A gift is not used up by the one who pays: neither the buyer's own repeats nor supplies for the bought device belong here.
fn is_refill(context: &Context<'_>, record: &ProductRecord, relation: Relation) -> bool {
    let consumable = Role::from_code(record.role) == Some(Role::Consumable);
    let for_device = context.lines.iter().any(|line| line.role == Role::Durable);
    relation == Relation::Refill || (consumable && for_device)
}

/// Bought before and not due again: the same product; for what is not used up, a variant; for a durable, anything of its type.
fn owned_and_not_due(context: &Context<'_>, product: u32, record: &ProductRecord) -> bool {
    if let Some(past) = context.past_of(product) {
        let never = context.transaction.placement.repeat == Repeat::Never;
        return never || !context.used_up(record, past) || !is_due(context, past);
    }
    let role = Role::from_code(record.role);
    if role == Some(Role::Consumable) {
        return false; // another flavour of what is used up
    }
    let (kind, group) = (record.type_ix.get(), record.group.get());
    if group == NONE {
        return role == Some(Role::Durable) && context.past_of_type(kind).is_some();
    }
    context.past.iter().any(|past| {
        let same_group = context.view.product(past.product).is_some_and(|p| p.group.get() == group);
        same_group || (role == Some(Role::Durable) && past.kind == kind)
    })
}

fn too_dear(context: &Context<'_>, price: i64) -> bool {
    let percent = i64::from(context.policy.max_price_percent);
    if percent == 0 {
        return false;
    }
    let limit = context.order_value.map(|value| value.saturating_mul(percent) / 100);
    price < 0 || limit.is_none_or(|limit| price > limit)
}

/// The rules that look at an offer alone, where `holding` is what the rules with conditions come to.
pub(crate) fn standing_offer_rules(
    policy: &CompiledPolicy,
    view: &View<'_>,
    offer: u32,
    record: &OfferRecord,
    holding: &Holding,
    sink: &mut impl Sink,
) {
    let (kind, class) = (OfferKind::from_code(record.kind), SensitiveClass::from_code(record.sensitive));
    let class_ok = class.is_some_and(|class| policy.sensitive_allowed(class, holding));
    refuse_if!(sink, !class_ok, Reason::SensitiveContext);
    refuse_if!(sink, kind.is_none_or(|kind| policy.kind_suppressed(kind)), Reason::KindExcluded);
    refuse_if!(sink, policy.suppressed_offers.binary_search(&offer).is_ok(), Reason::ProductExcluded);
    if !policy.rules.is_empty() {
        for (by, row) in policy.rules.refused().of_offer(offer, record) {
            refuse_if!(sink, meets(&holding.refusing, row), by.reason());
        }
    }
    let partner = record.partner.get();
    let excluded = partner != NONE && partner::standing_refusal(policy, view, partner);
    refuse_if!(sink, excluded, Reason::PartnerExcluded);
}

/// All rules for an offer that is not a product.
pub(crate) fn offer_rules(context: &Context<'_>, offer: u32, record: &OfferRecord, sink: &mut impl Sink) {
    let (policy, view) = (context.policy, &context.view);
    let partner = record.partner.get();
    let third_party = partner != NONE;
    let class = SensitiveClass::from_code(record.sensitive);
    // Law and consent.
    refuse_if!(sink, !context.same_currency, Reason::Currency);
    let minor = third_party && context.age_band() == AgeBand::Minor;
    refuse_if!(sink, minor || too_young(context, &[class.unwrap_or_default()], record.age_min), Reason::Age);
    refuse_if!(sink, third_party && context.profile.opt_out_third_party, Reason::OptedOut);
    let kind = OfferKind::from_code(record.kind);
    let lacks = kind.is_none_or(|kind| lacks_consent(context, kind, third_party));
    refuse_if!(sink, lacks, Reason::ConsentMissing);
    refuse_if!(sink, !view.region_allows(record.region_set.get(), context.country()), Reason::Region);
    refuse_if!(sink, outside_flight(context, record), Reason::OutsideFlight);
    // What does not depend on the basket: merchant suppression, and what the partner's contract says of all baskets.
    let mut heard_enough = false;
    standing_offer_rules(policy, view, offer, record, &context.holding, &mut |reason| {
        heard_enough = sink(reason);
        heard_enough
    });
    if heard_enough {
        return;
    }
    refuse_if!(sink, third_party && partner::refuses_basket(context, partner), Reason::PartnerContext);
    if !policy.contracts.is_empty() {
        let of_partner = policy.contracts.partner_refusals(partner, context.seen());
        let own = policy.contracts.offer_refusals(offer, context.seen());
        for reason in of_partner.into_iter().chain(own).flatten() {
            refuse_if!(sink, true, reason);
        }
    }
    refuse_if!(sink, outside_order_value(context, record), Reason::OrderValue);
    refuse_if!(sink, for_other_customers(context, record), Reason::CustomerKind);
    // What makes no sense for this basket.
    let kind = kind.unwrap_or_default();
    refuse_if!(sink, context.declined_offer(offer), Reason::Declined);
    refuse_if!(sink, already_has(context, kind), Reason::AlreadyMember);
    let refill = context.gift && kind == OfferKind::Subscription && !third_party;
    refuse_if!(sink, refill, Reason::GiftSuppressesRefill);
}

fn outside_flight(context: &Context<'_>, record: &OfferRecord) -> bool {
    let (starts, ends) = (record.starts_at_ms.get(), record.ends_at_ms.get());
    let bounded = starts != 0 || ends != 0;
    let running = context.now_ms().is_some_and(|now| now >= starts && (ends == 0 || now <= ends));
    bounded && !running
}

fn outside_order_value(context: &Context<'_>, record: &OfferRecord) -> bool {
    let (least, greatest) = (record.order_value_min.get(), record.order_value_max.get());
    let bounded = least >= 0 || greatest >= 0;
    let inside = context.order_value.is_some_and(|v| v >= least && (greatest < 0 || v <= greatest));
    bounded && !inside
}

fn for_other_customers(context: &Context<'_>, record: &OfferRecord) -> bool {
    match CustomerKind::from_code(record.customers) {
        Some(CustomerKind::Any) => false,
        Some(kind) => context.profile.customer != kind,
        None => true,
    }
}

fn already_has(context: &Context<'_>, kind: OfferKind) -> bool {
    match kind {
        OfferKind::Loyalty => context.profile.loyalty_member == Some(true),
        OfferKind::AppPrompt => context.profile.has_app == Some(true),
        _ => false,
    }
}
