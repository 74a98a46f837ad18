//! What content holds for what. Of each kind the nearest holds: a product's own before its model's, that before its category's, that
//! before those of the categories above. All of it is resolved here, so that a decision looks up a list and walks no tree. Only
//! products with content of their own or of their model have entries; all others have those of their category.

use std::collections::HashMap;

use super::catalogue::Layout;
use super::error::BuildError;
use super::feed::NONE;
use super::offers::Names;
use crate::index::format::trigger;
use crate::vocabulary::ContentKind;

/// Offers by kind of content.
type Held = [Vec<u32>; ContentKind::ALL.len()];

/// Kind, key and offer of each trigger.
pub(super) fn triggers(layout: &Layout<'_>, names: &Names<'_>) -> Result<Vec<(u32, u32, u32)>, BuildError> {
    let (products, groups, mut categories) = stated(layout, names)?;
    let mut all = Vec::new();
    let mut put = |kind: u32, key: u32, offers: &[u32]| all.extend(offers.iter().map(|of| (kind, key, *of)));
    // Parents have lower numbers.
    for (category, parent) in (0..).zip(&layout.dictionary.taxonomy.parents) {
        let above = categories.get(parent).cloned();
        let held = nearest(categories.remove(&category), above);
        if let Some(held) = held {
            held.iter().for_each(|offers| put(trigger::CONTENT_CATEGORY, category, offers));
            categories.insert(category, held);
        }
    }
    for (row, product) in layout.inputs.products.iter().enumerate() {
        let ix = layout.placed.ix_of[row];
        let model = groups.get(product.item_group_id.as_str()).cloned();
        let Some(own) = nearest(products.get(&ix).cloned(), model) else { continue };
        let category = categories.get(&layout.dictionary.taxonomy.category_of[row]);
        for (kind, offers) in own.iter().enumerate() {
            put(trigger::CONTENT_OWN, ix, offers);
            if let Some(category) = category.filter(|_| offers.is_empty()) {
                put(trigger::CONTENT_KEPT, ix, &category[kind]);
            }
        }
    }
    Ok(all)
}

/// What the nearer says of each kind, else what the farther does.
fn nearest(near: Option<Held>, far: Option<Held>) -> Option<Held> {
    match (near, far) {
        (Some(near), Some(far)) => {
            let mut far = far.into_iter();
            Some(near.map(|near| far.next().filter(|_| near.is_empty()).unwrap_or(near)))
        }
        (near, far) => near.or(far),
    }
}

type Stated<'a> = (HashMap<u32, Held>, HashMap<&'a str, Held>, HashMap<u32, Held>);

/// What was stated of products, models and categories.
fn stated<'a>(layout: &Layout<'a>, names: &Names<'_>) -> Result<Stated<'a>, BuildError> {
    let (mut products, mut groups, mut categories) = Stated::default();
    for (ix, offer) in (0..).zip(&layout.inputs.partners.offers) {
        let Some(holds) = &offer.content else { continue };
        let kind = usize::from(holds.kind.code()) - 1;
        for id in &holds.products {
            let product = names.product(id, "content.products", &offer.id)?;
            products.entry(product).or_insert_with(Held::default)[kind].push(ix);
        }
        for id in &holds.groups {
            groups.entry(id.as_str()).or_insert_with(Held::default)[kind].push(ix);
        }
        for path in &holds.categories {
            let category = names.category(path, "content.categories", &offer.id)?;
            categories.entry(category).or_insert_with(Held::default)[kind].push(ix);
        }
    }
    groups.remove("");
    categories.remove(&NONE);
    Ok((products, groups, categories))
}
