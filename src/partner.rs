//! What partners allow and refuse, and what is refused of them.

use crate::context::Context;
use crate::index::View;
use crate::index::format::NONE;
use crate::limits::PARTNER_BLOCKS_MAX;
use crate::offer::{Item, OfferIx, ProductIx};
use crate::policy::CompiledPolicy;

/// Kinds of [`crate::index::format::BlockRecord`].
pub(crate) mod block {
    /// A category subtree.
    pub(crate) const CATEGORY: u32 = 1;
    /// A brand.
    pub(crate) const BRAND: u32 = 2;
    /// A category subtree, of a product beside it on the page.
    pub(crate) const BESIDE_CATEGORY: u32 = 3;
    /// A brand, likewise.
    pub(crate) const BESIDE_BRAND: u32 = 4;
    /// Another partner, likewise.
    pub(crate) const BESIDE_PARTNER: u32 = 5;
    /// Every other partner: a roadblock. Its key is 0.
    pub(crate) const BESIDE_OTHERS: u32 = 6;

    /// Kinds that look at the page, not at what was bought.
    pub(crate) const BESIDE: core::ops::RangeInclusive<u32> = BESIDE_CATEGORY..=BESIDE_OTHERS;
}

/// Whether a partner is refused for every basket: suppressed, paused or not in the catalog.
pub(crate) fn standing_refusal(policy: &CompiledPolicy, view: &View<'_>, partner: u32) -> bool {
    let active = view.partners.get(partner as usize).is_some_and(|record| record.active == 1);
    !active || policy.suppressed_partners.binary_search(&partner).is_ok()
}

/// Whether a partner refuses to appear in this country or beside what was bought. A line whose category or brand is
/// not known could be anything, so a partner with blocks of that kind refuses it.
pub(crate) fn refuses_basket(context: &Context<'_>, partner: u32) -> bool {
    let view = &context.view;
    let Some(record) = view.partners.get(partner as usize) else {
        return true;
    };
    if !view.region_allows(record.region_set.get(), context.country()) {
        return true;
    }
    let blocks = view.blocks_of(record);
    if blocks.len() != record.blocks_count.get() as usize || blocks.len() > PARTNER_BLOCKS_MAX {
        return true; // damaged: what it refuses cannot be read
    }
    blocks.iter().any(|refused| {
        let key = refused.key.get();
        match refused.kind.get() {
            block::CATEGORY => context.bought.may_be_in(key),
            block::BRAND => context.bought.may_be_of(key),
            kind => !block::BESIDE.contains(&kind),
        }
    })
}

/// Whether the partner of `one` or of `other` refuses to stand beside the other, or both are of one exclusive group.
pub(crate) fn refuse_each_other(view: &View<'_>, one: Item, other: Item) -> bool {
    let (a, b) = (Neighbour::of(view, one), Neighbour::of(view, other));
    let exclusive = a.exclusive_group != 0 && a.exclusive_group == b.exclusive_group;
    exclusive || a.refuses(view, &b) || b.refuses(view, &a)
}

/// What a partner looks at in what stands beside its offer. [`NONE`] where there is none.
struct Neighbour {
    is_product: bool,
    category: u32,
    brand: u32,
    partner: u32,
    exclusive_group: u32,
}

impl Neighbour {
    fn of(view: &View<'_>, item: Item) -> Self {
        let mut of =
            Self { is_product: false, category: NONE, brand: NONE, partner: NONE, exclusive_group: 0 };
        match item {
            Item::Product(ProductIx(ix)) => {
                of.is_product = true;
                if let Some(record) = view.product(ix) {
                    of.category = record.category.get();
                    of.brand = record.brand.get();
                    of.partner = record.partner.get();
                }
            }
            Item::Offer(OfferIx(ix)) => {
                if let Some(record) = view.offer(ix) {
                    of.partner = record.partner.get();
                    of.exclusive_group = record.exclusive_group.get();
                }
            }
        }
        of
    }

    /// A product whose category or brand is not known could be of any.
    fn refuses(&self, view: &View<'_>, other: &Self) -> bool {
        let Some(record) = view.partners.get(self.partner as usize) else { return false };
        view.blocks_of(record).iter().any(|refused| {
            let key = refused.key.get();
            match refused.kind.get() {
                block::BESIDE_CATEGORY => {
                    other.is_product && (other.category == NONE || view.in_subtree(key, other.category))
                }
                block::BESIDE_BRAND => other.is_product && (other.brand == NONE || other.brand == key),
                block::BESIDE_PARTNER => other.partner == key,
                block::BESIDE_OTHERS => other.partner != NONE && other.partner != self.partner,
                _ => false,
            }
        })
    }
}
