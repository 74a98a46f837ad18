//! Stage 8: the slate is checked once more, by other code than the gate's, so that one mistake is not enough for a leak.
//!
//! The gate compares index ranges and reads the compiled bitmap; this walks the category tree upwards and reads the rules' own
//! lists. It repeats only the rules whose breach would harm: suppression, consent, stock, look-alikes.

use crate::context::Context;
use crate::index::format::NONE;
use crate::offer::{Item, OfferIx, ProductIx};
use crate::vocabulary::{AgeBand, Availability, OfferKind, SensitiveClass};

/// Whether an item may be on the page.
pub(crate) fn may_show(context: &Context<'_>, item: Item) -> bool {
    match item {
        Item::Product(ProductIx(product)) => product_may_show(context, product),
        Item::Offer(OfferIx(offer)) => offer_may_show(context, offer),
    }
}

fn product_may_show(context: &Context<'_>, product: u32) -> bool {
    let (policy, view) = (context.policy, &context.view);
    let Some(record) = view.product(product) else {
        return false;
    };
    let category = record.category.get();
    let above = |roots: &[u32]| view.ancestors(category).any(|c| roots.contains(&c));
    let category_ok = if policy.has_category_rules() {
        view.category(category).is_some()
            && !above(&policy.suppressed_categories)
            && (policy.allowed_categories.is_empty() || above(&policy.allowed_categories))
    } else {
        true
    };
    let named_ok = !policy.suppressed_products.contains(&product)
        && !policy.suppressed_brands.contains(&record.brand.get())
        && (record.brand.get() != NONE || policy.suppressed_brands.is_empty())
        && policy.suppressed_kinds & 1 << OfferKind::Product.code() == 0;
    let stock_ok = Availability::from_code(record.availability)
        .is_some_and(|a| matches!(a, Availability::InStock | Availability::Unknown));
    let kind = view.type_of(product);
    let fresh = context.lines.iter().all(|line| {
        line.product != product
            && line.kind != kind
            && (line.group == NONE || line.group != record.group.get())
    });
    let sensitive = SensitiveClass::from_code(record.sensitive);
    policy.is_allowed(product)
        && category_ok
        && named_ok
        && stock_ok
        && fresh
        && class_ok(context, sensitive, record.age_min)
        && party_ok(context, record.partner.get())
        && view.region_allows(record.region_set.get(), context.country())
        && !context.declined_product(product)
}

fn offer_may_show(context: &Context<'_>, offer: u32) -> bool {
    let Some(record) = context.view.offer(offer) else {
        return false;
    };
    let sensitive = SensitiveClass::from_code(record.sensitive);
    let kind_ok = OfferKind::from_code(record.kind)
        .is_some_and(|kind| context.policy.suppressed_kinds & 1 << kind.code() == 0);
    kind_ok
        && !context.policy.suppressed_offers.contains(&offer)
        && class_ok(context, sensitive, record.age_min)
        && party_ok(context, record.partner.get())
        && context.view.region_allows(record.region_set.get(), context.country())
        && !context.declined_offer(offer)
}

fn class_ok(context: &Context<'_>, class: Option<SensitiveClass>, age_min: u8) -> bool {
    let allowed = class
        .is_some_and(|c| c == SensitiveClass::None || context.policy.allowed_sensitive & 1 << c.code() != 0);
    allowed && (age_min == 0 || context.profile.age_band == AgeBand::Adult)
}

fn party_ok(context: &Context<'_>, partner: u32) -> bool {
    if partner == NONE {
        return true;
    }
    let active = context.view.partners.get(partner as usize).is_some_and(|p| p.active == 1);
    active
        && !context.policy.suppressed_partners.contains(&partner)
        && !context.profile.opt_out_third_party
        && context.profile.age_band != AgeBand::Minor
}
