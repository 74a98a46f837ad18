//! What partners allow and refuse, and what is refused of them.

use crate::context::Context;
use crate::index::View;
use crate::index::format::NONE;
use crate::limits::PARTNER_BLOCKS_MAX;
use crate::policy::CompiledPolicy;

/// Kinds of [`crate::index::format::BlockRecord`].
pub(crate) mod block {
    /// A category subtree.
    pub(crate) const CATEGORY: u32 = 1;
    /// A brand.
    pub(crate) const BRAND: u32 = 2;
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
    // Lines beyond those that were read are not known either.
    let unread = context.transaction.lines.len() > context.lines.len();
    blocks.iter().any(|refused| {
        let key = refused.key.get();
        unread
            || context.lines.iter().any(|line| match refused.kind.get() {
                block::CATEGORY => line.category == NONE || view.in_subtree(key, line.category),
                block::BRAND => line.brand == NONE || line.brand == key,
                _ => true,
            })
    })
}
