//! Lays out the earlier baskets.

use zerocopy::little_endian::{U16, U32};

use super::affinity::Baskets;
use super::catalogue::Layout;
use crate::index::format::{PostingsRecord, SectionKind as S, posting};

/// Lays out the baskets in the order of what is in them, which says nothing of who bought or when, and keeps those side by
/// side that are alike.
pub(super) fn put(layout: &mut Layout<'_>) {
    let Baskets { lines, weights, postings, rarity } = &layout.affinity.baskets;
    if lines.is_empty() {
        return;
    }
    let in_order = |own: &Vec<u32>| {
        let mut own: Vec<u32> = own.iter().map(|row| layout.placed.ix_of[*row as usize]).collect();
        own.sort_unstable();
        own
    };
    let mut baskets: Vec<(Vec<u32>, u32)> = lines.iter().map(in_order).zip(0..).collect();
    baskets.sort_unstable();
    let mut number_of = vec![0; baskets.len()];
    let (mut starts, mut products) = (vec![U32::new(0)], Vec::new());
    for (number, (own, old)) in baskets.iter().enumerate() {
        number_of[*old as usize] = number as u32;
        products.extend(own.iter().map(|product| U32::new(*product)));
        starts.push(U32::new(products.len() as u32));
    }
    let (mut records, mut entries) = (Vec::new(), Vec::new());
    for row in &layout.placed.row_of {
        let own = &postings[*row as usize];
        records.push(PostingsRecord {
            start: U32::new(entries.len() as u32),
            count: U16::new(own.len() as u16),
            rarity: U16::new(rarity[*row as usize]),
        });
        let mut own: Vec<u32> =
            own.iter().map(|old| posting(number_of[*old as usize], weights[*old as usize])).collect();
        // What is read of a long list is what counts most.
        own.sort_unstable_by(|a, b| b.cmp(a));
        entries.extend(own.into_iter().map(U32::new));
    }
    layout.writer.put(S::BasketsOf, &records);
    layout.writer.put(S::Postings, &entries);
    layout.writer.put(S::BasketStarts, &starts);
    layout.writer.put(S::BasketProducts, &products);
}
