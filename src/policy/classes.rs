//! Products that the rules with conditions treat alike, so that one answer serves them all.
//!
//! Rules can refuse most of a catalog in one request and nothing in the next, so they have no bitmap that a search could
//! read. Instead each product knows its class: those that the same rules refuse. A request asks the rules once per class, and a
//! search asks its products for their class.

use std::collections::HashMap;

use super::bits;
use super::rules::{RuleBits, Rules, meets};
use crate::index::{AllowList, RefusedClasses, View};
use crate::limits::RULE_CLASSES_MAX;

/// Classes of products; `Default` = no rule with a condition refuses products.
#[derive(Debug, Clone, Default)]
pub(crate) struct Classes {
    /// Class of each product.
    of: Vec<u16>,
    /// What refuses each class: words of the rules' bits.
    refusals: Vec<u64>,
    words: usize,
    /// Products of each class that nothing refuses beforehand.
    sizes: Vec<u32>,
    /// Such products by cell and class: `by_cell[starts[c]..starts[c + 1]]`.
    starts: Vec<u32>,
    by_cell: Vec<(u16, u32)>,
    /// There were more than are kept: some products count as refused by nothing.
    overflowed: bool,
}

impl Classes {
    /// Reads every product once. Where there are more classes than are kept, the rest is left to the gate.
    pub(crate) fn new(rules: &Rules, allowed: &AllowList, view: &View<'_>) -> Self {
        let (conditional, words) = (rules.conditional(), rules.refused().words);
        if words == 0 || conditional.iter().all(|word| *word == 0) {
            return Self::default();
        }
        let mut classes = Self { words, refusals: vec![0; words], sizes: vec![0], ..Self::default() };
        let mut known = HashMap::from([(vec![0; words], 0u16)]);
        let mut row = vec![0; words];
        for (product, record) in view.products.iter().enumerate() {
            row.fill(0);
            for (_, set) in rules.refused().of_product(view, product as u32, record) {
                row.iter_mut().zip(set).zip(&conditional).for_each(|((to, word), may)| *to |= word & may);
            }
            let class = known.get(&row).copied().unwrap_or_else(|| {
                if classes.sizes.len() == RULE_CLASSES_MAX {
                    classes.overflowed = true;
                    return 0; // refused by none of them as far as a search knows
                }
                let class = classes.sizes.len() as u16;
                classes.refusals.extend(&row);
                classes.sizes.push(0);
                known.insert(row.clone(), class);
                class
            });
            classes.of.push(class);
            if let Some(size) = classes.sizes.get_mut(usize::from(class)) {
                *size += u32::from(allowed.contains(product as u32));
            }
        }
        if classes.sizes.len() == 1 {
            return Self::default();
        }
        classes.count_cells(allowed, view);
        classes
    }

    fn count_cells(&mut self, allowed: &AllowList, view: &View<'_>) {
        let mut counts = vec![0u32; self.sizes.len()];
        self.starts.push(0);
        for cell in view.cells {
            let (start, count) = (cell.start.get(), cell.count.get());
            let products = (start..start.saturating_add(count).min(view.product_count())).map(|p| p as usize);
            let classes = products.filter(|p| allowed.contains(*p as u32)).filter_map(|p| self.of.get(p));
            let mut there: Vec<u16> = Vec::new();
            for class in classes {
                let seen = &mut counts[usize::from(*class)];
                if *seen == 0 {
                    there.push(*class);
                }
                *seen += 1;
            }
            for class in there {
                self.by_cell.push((class, std::mem::take(&mut counts[usize::from(class)])));
            }
            self.starts.push(self.by_cell.len() as u32);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// Whether what is not of a refused class is refused by none of the rules.
    pub(crate) fn know_all(&self) -> bool {
        !self.overflowed
    }

    /// Classes that rules refuse, as bits in `refused`, and the number of products that are left. `None` where no class is.
    pub(crate) fn refused<'a>(
        &'a self,
        refusing: &RuleBits,
        refused: &'a mut Vec<u64>,
    ) -> Option<(RefusedClasses<'a>, u32)> {
        let mut left = 0;
        refused.clear();
        refused.resize(self.sizes.len().div_ceil(64), 0); // within capacity: see `RULE_CLASSES_MAX`
        for (class, row) in self.refusals.chunks_exact(self.words.max(1)).enumerate() {
            if meets(refusing, row) {
                bits::set(refused, class);
            } else {
                left += self.sizes.get(class).copied().unwrap_or(0);
            }
        }
        let any = refused.iter().any(|word| *word != 0);
        any.then_some((
            RefusedClasses { of: &self.of, refused, starts: &self.starts, by_cell: &self.by_cell },
            left,
        ))
    }
}
