//! Stage 8: the slate is checked once more, by other code than the gate's, so that one mistake is not enough for a leak.
//!
//! The gate reads the compiled bitmap, and sets of what was bought; this walks the category tree upwards, or compares
//! index ranges where the gate walked, and reads the rules' own lists. It repeats the rules whose breach would harm:
//! suppression, consent, contract, stock, look-alikes; not the limits of a slate.

use crate::context::Context;
use crate::index::format::NONE;
use crate::offer::{Item, OfferIx, ProductIx};
use crate::partner::block;
use crate::policy::{By, Member};
use crate::vocabulary::{AgeBand, Attribute, Availability, OfferKind, Party, Purpose, SensitiveClass};

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
        && Seen::of(context, Item::Product(ProductIx(product))).is_some_and(|seen| rules_ok(context, &seen))
        && category_ok
        && named_ok
        && stock_ok
        && fresh
        && class_ok(context, sensitive, record.age_min)
        && mark_ok(context, category)
        && party_ok(context, record.partner.get())
        && consent_ok(context, OfferKind::Product.code(), record.partner.get())
        && view.region_allows(record.region_set.get(), context.country())
        && !context.opted_out(category)
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
        && Seen::of(context, Item::Offer(OfferIx(offer))).is_some_and(|seen| rules_ok(context, &seen))
        && !context.policy.suppressed_offers.contains(&offer)
        && class_ok(context, sensitive, record.age_min)
        && party_ok(context, record.partner.get())
        && consent_ok(context, record.kind, record.partner.get())
        && context.policy.contracts.offer_refusals(offer, context.seen()) == [None; 2]
        && context.view.region_allows(record.region_set.get(), context.country())
        && !context.declined_offer(offer)
        && within(record.order_value_min.get(), record.order_value_max.get(), -1, context.order_value)
        && within(record.starts_at_ms.get(), record.ends_at_ms.get(), 0, context.now_ms())
}

/// Whether an item may stand on one page with others: pair by pair, name by name.
pub(crate) fn may_stand_beside(
    context: &Context<'_>,
    item: Item,
    mut others: impl Iterator<Item = Item>,
) -> bool {
    let Some(seen) = Seen::of(context, item) else { return false };
    let opposite = across(sides(context, &seen));
    others.all(|other| {
        Seen::of(context, other).is_some_and(|other| {
            opposite & sides(context, &other) == 0
                && !in_one_group(context, &seen, &other)
                && !refuses_beside(context, &seen, &other)
                && !refuses_beside(context, &other, &seen)
        })
    })
}

/// The sides of the pairs that may not meet on which an item is, a bit each: `these` of a pair beside its `those`.
fn sides(context: &Context<'_>, seen: &Seen) -> u128 {
    let on = |member: &&Member| seen.is_unknown(member) || seen.is(context, member) == Some(true);
    context.policy.apart_members.iter().filter(on).fold(0, |sides, member| sides | 1 << (member.bit % 128))
}

/// The other side of each.
fn across(sides: u128) -> u128 {
    const THESE: u128 = u128::MAX / 3; // every second bit, from the lowest
    (sides & THESE) << 1 | (sides >> 1) & THESE
}

/// Whether two offers are in one exclusive group.
fn in_one_group(context: &Context<'_>, one: &Seen, other: &Seen) -> bool {
    let group = |seen: &Seen| context.view.offer(seen.offer).map_or(0, |record| record.exclusive_group.get());
    group(one) != 0 && group(one) == group(other)
}

/// Whether the partner of an item refuses to stand beside another, by the category tree upwards.
fn refuses_beside(context: &Context<'_>, own: &Seen, other: &Seen) -> bool {
    let view = &context.view;
    let blocks = view.partners.get(own.partner as usize).map_or(&[][..], |record| view.blocks_of(record));
    let is_product = other.product != NONE;
    blocks.iter().any(|refused| {
        let key = refused.key.get();
        match refused.kind.get() {
            block::BESIDE_CATEGORY => {
                is_product && (other.category == NONE || view.ancestors(other.category).any(|c| c == key))
            }
            block::BESIDE_BRAND => is_product && (other.brand == NONE || other.brand == key),
            block::BESIDE_PARTNER => other.partner == key,
            _ => false,
        }
    })
}

/// What rules name of an item; [`NONE`] where it has none.
struct Seen {
    product: u32,
    offer: u32,
    category: u32,
    brand: u32,
    partner: u32,
    kind: u8,
}

impl Seen {
    fn of(context: &Context<'_>, item: Item) -> Option<Self> {
        match item {
            Item::Product(ProductIx(product)) => {
                let record = context.view.product(product)?;
                let (category, brand) = (record.category.get(), record.brand.get());
                let partner = record.partner.get();
                Some(Self { product, offer: NONE, category, brand, partner, kind: OfferKind::Product.code() })
            }
            Item::Offer(OfferIx(offer)) => {
                let record = context.view.offer(offer)?;
                let partner = record.partner.get();
                Some(Self { product: NONE, offer, category: NONE, brand: NONE, partner, kind: record.kind })
            }
        }
    }

    /// Whether a name of a rule is a name of this; `None` = the name is of another sort of thing.
    fn is(&self, context: &Context<'_>, member: &Member) -> Option<bool> {
        let of_product = self.product != NONE;
        let same = |own: u32| own == member.row;
        match member.by {
            By::Category => of_product.then(|| context.view.ancestors(self.category).any(same)),
            By::Brand => of_product.then(|| same(self.brand)),
            By::Product => of_product.then(|| same(self.product)),
            By::Offer => (!of_product).then(|| same(self.offer)),
            By::Partner => (self.partner != NONE).then(|| same(self.partner)),
            By::Kind => Some(same(self.kind.into())),
            By::Party => Some(same(u32::from(self.partner != NONE))),
            By::Attribute => {
                let own = context.view.attributes_in(context.view.attribute_set_of(self.product));
                of_product.then(|| own.iter().any(|value| same(value.get())))
            }
        }
    }

    /// The list of a rule to which a name belongs: attributes have one each.
    fn list_of(context: &Context<'_>, member: &Member) -> usize {
        let attribute = context.view.attribute_values.get(member.row as usize);
        match member.by {
            By::Attribute => By::ALL.len() + attribute.map_or(0, |value| value.attribute.get() as usize),
            by => usize::from(by.code()),
        }
    }

    /// A rule names things of a sort of which it is not known which this is.
    fn is_unknown(&self, member: &Member) -> bool {
        self.product != NONE
            && ((member.by == By::Category && self.category == NONE)
                || (member.by == By::Brand && self.brand == NONE))
    }
}

/// Lists that a rule may have.
const RULE_LISTS: usize = By::ALL.len() + Attribute::ALL.len();

/// Whether no rule that holds refuses an item: name by name, without the rules' bits.
fn rules_ok(context: &Context<'_>, seen: &Seen) -> bool {
    let rules = &context.policy.rules;
    for (at, word) in context.holding.refusing.iter().enumerate() {
        let mut rest = *word; // most decisions have none: bit by bit, this was a seventh of a decision
        while rest != 0 {
            let bit = rest.trailing_zeros() as usize;
            rest &= rest - 1;
            let members = rules.members(64 * at + bit);
            let suppressed =
                |m: &Member| seen.is(context, m).is_some_and(|is| (is && !m.only) || seen.is_unknown(m));
            let allows_only = members.iter().any(|member| member.only);
            if members.iter().any(suppressed) || (allows_only && !is_listed(context, members, seen)) {
                return false;
            }
        }
    }
    true
}

/// Whether each list of an "allow only" has something that an item is.
fn is_listed(context: &Context<'_>, members: &[Member], seen: &Seen) -> bool {
    let (mut listed, mut found) = ([false; RULE_LISTS], [false; RULE_LISTS]);
    for member in members.iter().filter(|member| member.only) {
        let Some(is) = seen.is(context, member) else { continue };
        let list = Seen::list_of(context, member);
        if let (Some(listed), Some(found)) = (listed.get_mut(list), found.get_mut(list)) {
            *listed = true;
            *found |= is;
        }
    }
    listed.iter().zip(&found).all(|(listed, found)| !listed || *found)
}

/// Whether a value lies within bounds, of which `open` stands for none. An unknown value lies within no bound.
fn within(least: i64, greatest: i64, open: i64, value: Option<i64>) -> bool {
    match value {
        None => least <= open && greatest <= open,
        Some(value) => value >= least && (greatest <= open || value <= greatest),
    }
}

/// The nearest mark on the way up.
fn mark_ok(context: &Context<'_>, category: u32) -> bool {
    let marks = &context.policy.marks;
    let mark = context.view.ancestors(category).find_map(|c| marks.iter().find(|mark| mark.0 == c));
    mark.is_none_or(|(_, class, age_min)| class_ok(context, Some(*class), *age_min))
}

/// Every purpose that its party or kind needs, one by one.
fn consent_ok(context: &Context<'_>, kind: u8, partner: u32) -> bool {
    let (rules, said) = (&context.policy.consent, &context.profile.consent);
    let party = if partner == NONE { Party::First } else { Party::Third };
    rules.needs.iter().all(|(by, code, purpose)| {
        let concerned = if *by == By::Party { *code == party.code() } else { *code == kind };
        let refused = said.gpc && *purpose == Purpose::SaleOfData;
        let granted =
            if said.asked.has(*purpose) { said.granted.has(*purpose) } else { rules.allow_not_asked };
        !concerned || (granted && !refused)
    })
}

fn class_ok(context: &Context<'_>, class: Option<SensitiveClass>, age_min: u8) -> bool {
    let allowed_classes = context.policy.allowed_sensitive | context.holding.allow_sensitive;
    let allowed = class.is_some_and(|c| c == SensitiveClass::None || allowed_classes & 1 << c.code() != 0);
    let anyone =
        matches!(class, Some(SensitiveClass::None | SensitiveClass::Health | SensitiveClass::Insurance));
    allowed && ((anyone && age_min == 0) || context.profile.age_band == AgeBand::Adult)
}

fn party_ok(context: &Context<'_>, partner: u32) -> bool {
    if partner == NONE {
        return true;
    }
    let view = &context.view;
    let Some(record) = view.partners.get(partner as usize) else {
        return false;
    };
    let welcome = view.blocks_of(record).iter().all(|refused| {
        let key = refused.key.get();
        context.lines.iter().all(|line| match refused.kind.get() {
            block::CATEGORY => line.category != NONE && !view.in_subtree(key, line.category),
            block::BESIDE_CATEGORY | block::BESIDE_BRAND | block::BESIDE_PARTNER => true,
            _ => line.brand != NONE && line.brand != key,
        })
    });
    let readable = view.blocks_of(record).len() == record.blocks_count.get() as usize;
    record.active == 1
        && readable
        && welcome
        && view.region_allows(record.region_set.get(), context.country())
        && !context.policy.suppressed_partners.contains(&partner)
        && context.policy.contracts.partner_refusals(partner, context.seen()) == [None; 2]
        && !context.profile.opt_out_third_party
        && context.profile.age_band != AgeBand::Minor
}
