//! Which products a search may find.

use super::RowSet;
use crate::distance::{BLOCK, prefetch_at};
use crate::index::format::CellRecord;
use crate::index::view::View;

/// One bit for each of many.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bits(Vec<u64>);

impl Bits {
    #[inline]
    fn word(&self, word: u32) -> u64 {
        self.0.get(word as usize).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn contains(&self, ix: u32) -> bool {
        self.word(ix / 64) >> (ix % 64) & 1 == 1
    }

    /// The bits of a block from `ix`.
    #[inline]
    pub(super) fn block(&self, ix: u32) -> u16 {
        const _: () = assert!(BLOCK == 16);
        let (word, shift) = (ix / 64, ix % 64);
        let low = self.word(word) >> shift;
        let high = if shift > 48 { self.word(word + 1) << (64 - shift) } else { 0 };
        (low | high) as u16
    }

    /// Set bits of `count` from `start`.
    fn count(&self, start: u32, count: u32) -> u32 {
        let end = start.saturating_add(count).min(64 * self.0.len() as u32);
        let mut total = 0;
        for word in start / 64..end.div_ceil(64) {
            let above = if word == start / 64 { u64::MAX << (start % 64) } else { u64::MAX };
            let below = if word == end / 64 { (1 << (end % 64)) - 1 } else { u64::MAX };
            total += (self.word(word) & above & below).count_ones();
        }
        total
    }
}

/// Something that has a bit for each of many rows, read a block at a time.
pub(super) trait Blocks {
    /// Whether a block from `ix` may have bits: where it says no, there are none.
    fn may_open(&self, ix: u32) -> bool;
    /// Those of some lanes of a block from `ix` that have their bit.
    fn keep(&self, ix: u32, lanes: u16) -> u16;
}

impl Blocks for Bits {
    #[inline]
    fn may_open(&self, ix: u32) -> bool {
        self.block(ix) != 0
    }

    #[inline]
    fn keep(&self, ix: u32, lanes: u16) -> u16 {
        self.block(ix) & lanes
    }
}

/// Classes of products that a request refuses beyond what is known beforehand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RefusedClasses<'a> {
    /// Class of each product.
    pub(crate) of: &'a [u16],
    /// Bit per class.
    pub(crate) refused: &'a [u64],
    /// Products that are allowed beforehand, by cell and class: those of cell c are at `starts[c]..starts[c + 1]`.
    pub(crate) starts: &'a [u32],
    pub(crate) by_cell: &'a [(u16, u32)],
}

impl RefusedClasses<'_> {
    #[inline]
    fn is_refused(&self, class: u16) -> bool {
        self.refused.get(usize::from(class) / 64).is_none_or(|word| word >> (class % 64) & 1 == 1)
    }

    /// Whether a product is of a refused class.
    #[inline]
    pub(crate) fn refuses(&self, product: u32) -> bool {
        self.of.get(product as usize).is_none_or(|class| self.is_refused(*class))
    }

    /// Asks for the class of a product that will be looked at soon.
    #[inline]
    pub(crate) fn prefetch(&self, product: u32) {
        prefetch_at(self.of, product as usize);
    }

    /// What is left of a cell's allowed products.
    fn left(&self, cell: usize) -> u32 {
        let range = self.starts.get(cell).zip(self.starts.get(cell + 1));
        let counts = range.and_then(|(start, end)| self.by_cell.get(*start as usize..*end as usize));
        counts
            .unwrap_or(&[])
            .iter()
            .filter(|(class, _)| !self.is_refused(*class))
            .map(|(_, count)| count)
            .sum()
    }
}

/// Products that may be found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Products<'a> {
    bits: &'a Bits,
    classes: Option<RefusedClasses<'a>>,
    /// Classes refuse so much that looking at them saves blocks.
    narrow: bool,
}

impl Products<'_> {
    /// Shows those of a range, a word of bits at a time.
    #[inline]
    pub(super) fn each(&self, range: std::ops::Range<u32>, mut show: impl FnMut(u32)) {
        let mut first = range.start;
        while first < range.end {
            let mut bits = self.bits.word(first / 64) >> (first % 64);
            while bits != 0 {
                let product = first + bits.trailing_zeros();
                if product >= range.end {
                    return;
                }
                bits &= bits - 1;
                if !self.classes.is_some_and(|classes| classes.refuses(product)) {
                    show(product);
                }
            }
            first = (first / 64 + 1).saturating_mul(64);
        }
    }
}

impl Blocks for Products<'_> {
    #[inline]
    fn may_open(&self, ix: u32) -> bool {
        if self.narrow { self.keep(ix, u16::MAX) != 0 } else { self.bits.may_open(ix) }
    }

    #[inline]
    fn keep(&self, ix: u32, lanes: u16) -> u16 {
        let mut bits = self.bits.keep(ix, lanes);
        if let Some(classes) = &self.classes {
            let mut rest = bits;
            while rest != 0 {
                let lane = rest.trailing_zeros();
                rest &= rest - 1;
                bits &= !(u16::from(classes.refuses(ix + lane)) << lane);
            }
        }
        bits
    }
}

/// What a search may find.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filter<'a> {
    /// Counts, and what is allowed beforehand.
    pub(super) allowed: &'a AllowList,
    /// Types that may not come back.
    pub(super) types: &'a RowSet,
    pub(super) products: Products<'a>,
}

impl<'a> Filter<'a> {
    /// What a list allows, but for some types.
    pub(crate) fn new(allowed: &'a AllowList, types: &'a RowSet) -> Self {
        Self { allowed, types, products: Products { bits: &allowed.products, classes: None, narrow: false } }
    }

    /// The same without classes that a request refuses; `counts` are those of [`AllowList::narrow`], where it was worth it.
    pub(crate) fn without(self, classes: RefusedClasses<'a>, counts: Option<&'a AllowList>) -> Self {
        let products = Products { classes: Some(classes), narrow: counts.is_some(), ..self.products };
        Self { products, allowed: counts.unwrap_or(self.allowed), ..self }
    }

    /// Asks for what says which products of some cells may be found: a list that is used for the first time in a while is
    /// not in any cache.
    pub(super) fn foresee(&self, view: &View<'_>, cells: impl Iterator<Item = u32> + Clone) {
        if self.allowed.total == view.product_count() {
            return;
        }
        for cell in cells.clone() {
            prefetch_at(view.cells, cell as usize);
            prefetch_at(&self.allowed.by_cell, cell as usize);
        }
        for record in cells.filter_map(|cell| view.cells.get(cell as usize)) {
            let start = record.start.get();
            for word in [start / 64, start.saturating_add(record.count.get()) / 64] {
                prefetch_at(&self.products.bits.0, word as usize);
            }
        }
    }

    /// Whether every product of a cell may be found, its types aside.
    pub(super) fn is_whole(&self, cell: u32, count: u32) -> bool {
        self.products.classes.is_none() && self.allowed.of_cell(cell) == count
    }
}

/// Products that may be found, with what a search must know before it reads: counts by cell and area. Made once for many
/// searches: making it reads a bit per product, and allocates.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowList {
    pub(super) products: Bits,
    /// Allowed products by cell.
    by_cell: Vec<u32>,
    /// Cells with any, as bits and as a list.
    pub(super) cells: Bits,
    pub(super) open: Vec<u32>,
    /// Cells with any by area.
    by_area: Vec<u32>,
    total: u32,
}

impl AllowList {
    /// Counts what `bits` allows. Bits of products that are not there do not count.
    pub(crate) fn new(view: &View<'_>, mut bits: Vec<u64>) -> Self {
        let products = view.product_count();
        bits.resize(products.div_ceil(64) as usize, 0);
        if let Some(last) = bits.last_mut().filter(|_| !products.is_multiple_of(64)) {
            *last &= (1 << (products % 64)) - 1;
        }
        let (products, mut list) = (Bits(bits), Self::default());
        list.tally(view, |_, cell| products.count(cell.start.get(), cell.count.get()));
        Self { products, ..list }
    }

    /// Counts by cell and area what `of` says of each cell. Allocates nothing where there is room.
    fn tally(&mut self, view: &View<'_>, of: impl Fn(usize, &CellRecord) -> u32) {
        self.by_cell.clear();
        self.open.clear();
        self.by_area.clear();
        self.cells.0.clear();
        self.cells.0.resize(view.cells.len().div_ceil(64), 0);
        self.total = 0;
        for (cell, record) in view.cells.iter().enumerate() {
            let count = of(cell, record);
            self.by_cell.push(count);
            self.total += count;
            if let Some(word) = self.cells.0.get_mut(cell / 64).filter(|_| count > 0) {
                *word |= 1 << (cell % 64);
                self.open.push(cell as u32);
            }
        }
        for area in view.areas {
            self.by_area.push(self.cells.count(area.start.get(), area.count.get()));
        }
    }

    /// Room for the counts of a catalog, so that [`AllowList::narrow`] allocates nothing.
    pub(crate) fn make_room(&mut self, view: &View<'_>) {
        let cells = view.cells.len();
        let room = |list: &mut Vec<u32>, count: usize| list.reserve(count.saturating_sub(list.len()));
        room(&mut self.by_cell, cells);
        room(&mut self.open, cells);
        room(&mut self.by_area, view.areas.len());
        let words = cells.div_ceil(64);
        self.cells.0.reserve(words.saturating_sub(self.cells.0.len()));
    }

    /// Counts what is left of what `self` allows without some classes. The products' own bits are not copied.
    pub(crate) fn narrow(&self, classes: RefusedClasses<'_>, view: &View<'_>, into: &mut Self) {
        into.tally(view, |cell, _| classes.left(cell));
    }

    /// Whether a product is allowed.
    #[inline]
    pub(crate) fn contains(&self, product: u32) -> bool {
        self.products.contains(product)
    }

    /// Asks for the bit of a product that will be looked at soon.
    #[inline]
    pub(crate) fn prefetch(&self, product: u32) {
        prefetch_at(&self.products.0, product as usize / 64);
    }

    /// Allowed products of a cell.
    #[inline]
    pub(super) fn of_cell(&self, cell: u32) -> u32 {
        self.by_cell.get(cell as usize).copied().unwrap_or(0)
    }

    /// Cells of an area that hold any.
    #[inline]
    pub(super) fn of_area(&self, area: u32) -> u32 {
        self.by_area.get(area as usize).copied().unwrap_or(0)
    }

    /// Allowed products in all.
    #[must_use]
    pub fn total(&self) -> u32 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_counted_and_cut_at_any_place() {
        let bits = Bits(vec![0xF0F0_1234_5678_9ABC, 0x0FED_CBA9_8765_4321, u64::MAX]);
        let one = |ix: u32| u32::from(bits.contains(ix));
        for start in 0..192 {
            let block = (0..16).fold(0u16, |sum, at| sum | (one(start + at) as u16) << at);
            assert_eq!(bits.block(start), block, "from {start}");
            for count in [0, 1, 5, 63, 64, 65, 130, 200] {
                let plain = (start..start + count).map(one).sum::<u32>();
                assert_eq!(bits.count(start, count), plain, "{count} from {start}");
            }
        }
    }
}
