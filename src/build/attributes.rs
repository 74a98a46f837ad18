//! What rules may name of products beside category and brand: distinct values, distinct sets of them, and each product's set.

use std::collections::{BTreeMap, HashMap};

use zerocopy::little_endian::U32;

use super::catalogue::Layout;
use super::feed::Product;
use crate::index::format::{AttributeRecord, SectionKind as S};
use crate::vocabulary::Attribute;

/// Puts the sections, where any product has an attribute.
pub(crate) fn put(layout: &mut Layout<'_>) {
    let products = || layout.placed.row_of.iter().map(|row| &layout.inputs.products[*row as usize]);
    let mut values: BTreeMap<(Attribute, &str), u32> = products().flat_map(named).map(|of| (of, 0)).collect();
    if values.is_empty() {
        return;
    }
    values.values_mut().zip(0..).for_each(|(row, number)| *row = number);
    let mut known: HashMap<Vec<u32>, u32> = HashMap::from([(Vec::new(), 0)]);
    let (mut starts, mut sets) = (vec![U32::ZERO; 2], Vec::new());
    let mut set_of = Vec::with_capacity(layout.placed.row_of.len());
    for product in products() {
        let mut set: Vec<u32> = named(product).map(|of| values[&of]).collect();
        set.sort_unstable();
        set.dedup();
        let number = *known.entry(set).or_insert_with_key(|set| {
            sets.extend(set.iter().copied().map(U32::new));
            starts.push(U32::new(sets.len() as u32));
            starts.len() as u32 - 2
        });
        set_of.push(U32::new(number));
    }
    let record = |(attribute, value): &(Attribute, &str)| AttributeRecord {
        attribute: U32::new(attribute.code().into()),
        value: layout.strings.add(value),
    };
    let records: Vec<AttributeRecord> = values.keys().map(record).collect();
    layout.writer.put(S::AttributeValues, &records);
    layout.writer.put(S::AttributeSetStarts, &starts);
    layout.writer.put(S::AttributeSets, &sets);
    layout.writer.put(S::ProductAttributes, &set_of);
}

fn named(product: &Product) -> impl Iterator<Item = (Attribute, &str)> {
    product.attributes.iter().map(|(attribute, value)| (*attribute, value.as_str()))
}
