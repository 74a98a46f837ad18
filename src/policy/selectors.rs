//! Which of many named sets a product, an offer or a bought line belongs to: a bit per set.
//!
//! A rule names categories, brands, partners and so on. Asking two hundred rules about three hundred candidates one name at a
//! time would cost more than the rest of a decision, so each category, brand, partner, ... knows the sets that it is in, as a
//! row of bits, and equal rows are kept once. A candidate's sets are then the union of a few rows.

use std::collections::{BTreeMap, HashMap};

use super::bits;
use crate::index::View;
use crate::index::format::{NONE, OfferRecord, ProductRecord};
use crate::offer::Reason;
pub(crate) use crate::vocabulary::By;
use crate::vocabulary::{OfferKind, Party};

impl By {
    /// What a refusal by such a name is called.
    pub(crate) const fn reason(self) -> Reason {
        match self {
            Self::Category => Reason::CategoryExcluded,
            Self::Brand => Reason::BrandExcluded,
            Self::Partner | Self::Party => Reason::PartnerExcluded,
            Self::Product | Self::Offer => Reason::ProductExcluded,
            Self::Kind => Reason::KindExcluded,
            Self::Attribute => Reason::AttributeExcluded,
        }
    }
}

/// One name of a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Member {
    /// The set's bit.
    pub(crate) bit: u32,
    pub(crate) by: By,
    /// Row or code.
    pub(crate) row: u32,
    /// The set holds everything of this kind of name but the ones named: "allow only".
    pub(crate) only: bool,
}

/// Rows of bits of one kind of name.
#[derive(Debug, Clone, Default)]
struct Table {
    /// Number of the row of bits, by row of the catalog.
    sets: Vec<u32>,
    /// That of a thing that is not in the catalog: in every set that names things of this kind at all.
    unknown: u32,
}

impl Table {
    fn of(&self, row: u32) -> u32 {
        self.sets.get(row as usize).copied().unwrap_or(self.unknown)
    }
}

/// As [`Table`], for names of which few have sets of their own.
#[derive(Debug, Clone, Default)]
struct Sparse {
    /// Sorted by row.
    named: Vec<(u32, u32)>,
    /// All others.
    rest: u32,
}

impl Sparse {
    fn of(&self, row: u32) -> u32 {
        match self.named.binary_search_by_key(&row, |named| named.0) {
            Ok(at) => self.named.get(at).map_or(self.rest, |named| named.1),
            Err(_) => self.rest,
        }
    }
}

/// See the module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selectors {
    /// Words of one row of bits.
    pub(crate) words: usize,
    /// Distinct rows of bits.
    rows: Vec<u64>,
    categories: Table,
    brands: Table,
    partners: Table,
    kinds: Table,
    parties: Table,
    products: Sparse,
    offers: Sparse,
    /// By set of attribute values; empty where no name is one.
    attributes: Table,
}

impl Selectors {
    /// Compiles sets `0..count`.
    pub(crate) fn new(count: usize, members: &[Member], view: &View<'_>) -> Self {
        if count == 0 {
            return Self::default();
        }
        let mut make = Maker { words: count.div_ceil(64), members, rows: Vec::new(), known: HashMap::new() };
        let parents = |ix: usize| view.categories.get(ix).map_or(NONE, |c| c.parent.get());
        Self {
            words: make.words,
            categories: make.table(By::Category, view.categories.len(), parents),
            brands: make.table(By::Brand, view.brands.len(), |_| NONE),
            partners: make.table(By::Partner, view.partners.len(), |_| NONE),
            kinds: make.table(By::Kind, OfferKind::ALL.len(), |_| NONE),
            parties: make.table(By::Party, Party::ALL.len(), |_| NONE),
            products: make.sparse(By::Product),
            offers: make.sparse(By::Offer),
            attributes: make.attributes(view),
            rows: make.rows,
        }
    }

    fn row(&self, number: u32) -> &[u64] {
        let start = number as usize * self.words;
        self.rows.get(start..start + self.words).unwrap_or(&[])
    }

    /// The sets of a product, by what puts it there.
    #[inline]
    pub(crate) fn of_product(
        &self,
        view: &View<'_>,
        product: u32,
        record: &ProductRecord,
    ) -> [(By, &[u64]); 7] {
        let partner = record.partner.get();
        // Far from the record: read only where some name is an attribute.
        let attributes = &self.attributes;
        let set = if attributes.sets.is_empty() { 0 } else { view.attribute_set_of(product) };
        [
            (By::Product, self.row(self.products.of(product))),
            (By::Kind, self.row(self.kinds.of(OfferKind::Product.code().into()))),
            (By::Category, self.row(self.categories.of(record.category.get()))),
            (By::Brand, self.row(self.brands.of(record.brand.get()))),
            (By::Partner, if partner == NONE { &[] } else { self.row(self.partners.of(partner)) }),
            (By::Party, self.row(self.parties.of(u32::from(partner != NONE)))),
            (By::Attribute, if attributes.sets.is_empty() { &[] } else { self.row(attributes.of(set)) }),
        ]
    }

    /// The sets of an offer that is not a product.
    #[inline]
    pub(crate) fn of_offer(&self, offer: u32, record: &OfferRecord) -> [(By, &[u64]); 4] {
        let partner = record.partner.get();
        [
            (By::Offer, self.row(self.offers.of(offer))),
            (By::Kind, self.row(self.kinds.of(record.kind.into()))),
            (By::Partner, if partner == NONE { &[] } else { self.row(self.partners.of(partner)) }),
            (By::Party, self.row(self.parties.of(u32::from(partner != NONE)))),
        ]
    }

    /// The sets that a bought line may be in. One whose category or brand is not known may be in any that names some.
    pub(crate) fn of_line(&self, product: u32, category: u32, brand: u32) -> [&[u64]; 3] {
        [
            self.row(self.products.of(product)),
            self.row(self.categories.of(category)),
            self.row(self.brands.of(brand)),
        ]
    }
}

struct Maker<'m> {
    words: usize,
    members: &'m [Member],
    rows: Vec<u64>,
    known: HashMap<Vec<u64>, u32>,
}

impl Maker<'_> {
    /// The number of a row of bits.
    fn number(&mut self, bits: &[u64]) -> u32 {
        if let Some(number) = self.known.get(bits) {
            return *number;
        }
        let number = (self.rows.len() / self.words) as u32;
        self.rows.extend(bits);
        self.known.insert(bits.to_vec(), number);
        number
    }

    fn bits(&self, wanted: impl Fn(&Member) -> bool) -> Vec<u64> {
        let mut bits = vec![0; self.words];
        for member in self.members.iter().filter(|member| wanted(member)) {
            bits::set(&mut bits, member.bit as usize);
        }
        bits
    }

    /// Rows `0..count`; a row is also in the sets of its parent, which comes before it.
    fn table(&mut self, by: By, count: usize, parent: impl Fn(usize) -> u32) -> Table {
        let unknown = self.bits(|m| m.by == by);
        if unknown.iter().all(|word| *word == 0) {
            let none = self.number(&unknown);
            return Table { sets: vec![none; count], unknown: none };
        }
        let only = self.bits(|m| m.by == by && m.only);
        let mut named: HashMap<u32, Vec<(u32, bool)>> = HashMap::default();
        for member in self.members.iter().filter(|m| m.by == by) {
            named.entry(member.row).or_default().push((member.bit, member.only));
        }
        let (mut sets, mut listed) = (Vec::with_capacity(count), Vec::with_capacity(count));
        let mut alike: HashMap<(u32, u32), u32> = HashMap::default();
        for ix in 0..count {
            let above = listed.get(parent(ix) as usize).copied().unwrap_or(NONE);
            let names = named.get(&(ix as u32));
            let key = (above, if names.is_some() { ix as u32 } else { NONE });
            if let Some(same) = alike.get(&key).copied() {
                listed.push(same);
                sets.push(sets.get(same as usize).copied().unwrap_or(0));
                continue;
            }
            // "Allow only" refuses what neither it nor anything above it names.
            let mut bits = only.clone();
            for wanted_only in [true, false] {
                let mut at = ix;
                for _ in 0..=crate::limits::CATEGORY_DEPTH_MAX {
                    for (bit, _) in
                        named.get(&(at as u32)).into_iter().flatten().filter(|n| n.1 == wanted_only)
                    {
                        if wanted_only {
                            bits::clear(&mut bits, *bit as usize)
                        } else {
                            bits::set(&mut bits, *bit as usize)
                        }
                    }
                    at = parent(at) as usize;
                }
            }
            sets.push(self.number(&bits));
            listed.push(ix as u32);
            alike.insert(key, ix as u32);
        }
        Table { sets, unknown: self.number(&unknown) }
    }

    /// A row for each set of values; none where no name is a value.
    fn attributes(&mut self, view: &View<'_>) -> Table {
        let of_value = |row: u32| view.attribute_values.get(row as usize).map(|v| v.attribute.get());
        let mut suppressed: HashMap<u32, Vec<u32>> = HashMap::new();
        // Which values a set may have of each attribute.
        let mut only: BTreeMap<(u32, Option<u32>), Vec<u32>> = BTreeMap::new();
        for member in self.members.iter().filter(|member| member.by == By::Attribute) {
            if member.only {
                only.entry((member.bit, of_value(member.row))).or_default().push(member.row);
            } else {
                suppressed.entry(member.row).or_default().push(member.bit);
            }
        }
        if suppressed.is_empty() && only.is_empty() {
            return Table::default();
        }
        let mut unknown = vec![0; self.words];
        only.keys().for_each(|(bit, _)| bits::set(&mut unknown, *bit as usize));
        let mut sets = Vec::with_capacity(view.attribute_set_count().max(1));
        for set in 0..view.attribute_set_count().max(1) as u32 {
            let values = view.attributes_in(set);
            let mut bits = vec![0; self.words];
            for value in values {
                let by = suppressed.get(&value.get()).into_iter().flatten();
                by.for_each(|bit| bits::set(&mut bits, *bit as usize));
            }
            for ((bit, _), allowed) in &only {
                if !values.iter().any(|value| allowed.contains(&value.get())) {
                    bits::set(&mut bits, *bit as usize);
                }
            }
            sets.push(self.number(&bits));
        }
        Table { sets, unknown: self.number(&unknown) }
    }

    fn sparse(&mut self, by: By) -> Sparse {
        let only = self.bits(|m| m.by == by && m.only);
        let mut members: Vec<&Member> = self.members.iter().filter(|m| m.by == by).collect();
        members.sort_unstable_by_key(|member| member.row);
        let mut named = Vec::new();
        for group in members.chunk_by(|a, b| a.row == b.row) {
            let mut bits = only.clone();
            for member in group.iter().filter(|m| m.only) {
                bits::clear(&mut bits, member.bit as usize);
            }
            for member in group.iter().filter(|m| !m.only) {
                bits::set(&mut bits, member.bit as usize);
            }
            named.extend(group.first().map(|member| (member.row, self.number(&bits))));
        }
        Sparse { named, rest: self.number(&only) }
    }
}
