//! Lays out the item-item lists.

use zerocopy::little_endian::U32;

use super::catalogue::Layout;
use crate::index::format::{AssociateRecord, SectionKind as S};

/// Best sellers that the file keeps: some of them are refused for any basket.
const BEST_SELLERS: usize = 128;

/// Lays out which products were bought with which, and which sell best.
pub(super) fn put(layout: &mut Layout<'_>) {
    let (mut starts, mut records) = (vec![U32::new(0)], Vec::new());
    let code = |strength: f32| (strength.max(0.0).sqrt() * 255.0).round() as u8;
    for row in &layout.placed.row_of {
        records.extend(layout.affinity.associates[*row as usize].iter().map(|a| AssociateRecord {
            product: U32::new(layout.placed.ix_of[a.product as usize]),
            together: code(a.together),
            direct: code(a.direct),
            customers: code(a.customers),
            words: code(a.words),
        }));
        starts.push(U32::new(records.len() as u32));
    }
    let lately = |row: &u32| {
        let (popularity, facts) =
            (layout.affinity.popularity[*row as usize], &layout.affinity.facts[*row as usize]);
        (popularity as f32 * facts.trend.exp2()).round() as u32
    };
    let mut best: Vec<u32> = (0..layout.placed.row_of.len() as u32)
        .filter(|row| layout.affinity.popularity[*row as usize] > 0)
        .collect();
    best.sort_by_key(|row| (std::cmp::Reverse(lately(row)), *row));
    best.truncate(BEST_SELLERS);
    let best: Vec<U32> = best.iter().map(|row| U32::new(layout.placed.ix_of[*row as usize])).collect();
    layout.writer.put(S::BestSellers, &best);
    layout.writer.put(S::AssociateStarts, &starts);
    layout.writer.put(S::Associates, &records);
}
