//! Typed access to the bytes of a catalog. Every index from the file is checked where it is followed,
//! so that a damaged file gives a poor answer, never a fault.

use zerocopy::little_endian::{I32, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, KnownLayout, Unaligned};

use super::format::{
    AreaRecord, AssociateRecord, AttributeRecord, BlockRecord, CategoryRecord, CellRecord, FeatureRecord,
    NEAR, NONE, NameKind, NameRecord, NameSlot, OfferRecord, PartnerRecord, PolicyRecord, PostingsRecord,
    ProductRecord, REGION_SET_BYTES, SectionKind, StrRef, TransitionRecord, TriggerRecord, TypeRecord,
    name_hash,
};
use super::read_ahead::Wanted;
use super::search::Effort;
use super::validate::Layout;
use crate::distance::{BLOCK, prefetch};
use crate::limits::{
    ASSOCIATES_MAX, BASKET_LINES_MAX, CATEGORY_DEPTH_MAX, FORESEEN, LISTED, NAME_PROBES_MAX, POSTINGS_MAX,
};
use crate::ranker::Ranker;
use crate::vocabulary::{Attribute, Country, Currency};

/// A borrowed view of a whole catalog. Cheap to make: it only slices.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    pub(crate) dim: usize,
    pub(crate) currency: Currency,
    pub(crate) typical_contribution: i64,
    pub(crate) margin_bps: u32,
    /// Unix milliseconds of the newest order.
    pub(crate) newest_ms: i64,
    pub(crate) unit_dot: u32,
    /// 1000 / `unit_dot`, in 1/2^32, rounded up.
    per_unit_q32: i64,
    pub(crate) effort: Effort,
    pub(crate) taxonomy: StrRef,
    /// Bytes of an OUT row.
    out_stride: usize,
    pub(crate) policy: &'a [PolicyRecord],
    pub(crate) policy_allowed: &'a [U64],
    pub(crate) calibration: &'a [U32],
    pub(crate) ranker_records: &'a [FeatureRecord],
    /// Those, as decisions read them.
    pub(crate) ranker: &'a Ranker,
    pub(crate) best_sellers: &'a [U32],
    pub(crate) associate_starts: &'a [U32],
    pub(crate) associates: &'a [AssociateRecord],
    pub(crate) baskets_of: &'a [PostingsRecord],
    pub(crate) postings: &'a [U32],
    pub(crate) basket_starts: &'a [U32],
    pub(crate) basket_products: &'a [U32],
    pub(crate) near_of: &'a [U32],
    pub(crate) near: &'a [[U32; NEAR]],
    pub(crate) region_sets: &'a [[u8; REGION_SET_BYTES]],
    pub(crate) categories: &'a [CategoryRecord],
    pub(crate) brands: &'a [NameRecord],
    pub(crate) partners: &'a [PartnerRecord],
    pub(crate) partner_blocks: &'a [BlockRecord],
    pub(crate) offers: &'a [OfferRecord],
    pub(crate) triggers: &'a [TriggerRecord],
    pub(crate) types: &'a [TypeRecord],
    pub(crate) transitions: &'a [TransitionRecord],
    pub(crate) type_products: &'a [U32],
    pub(crate) cells: &'a [CellRecord],
    pub(crate) centroids: &'a [i8],
    pub(crate) areas: &'a [AreaRecord],
    pub(crate) area_centroids: &'a [i8],
    pub(crate) cell_codes: &'a [u8],
    pub(crate) cell_steps: &'a [[u8; BLOCK]],
    pub(crate) out_codes: &'a [u8],
    pub(crate) out_steps: &'a [[u8; BLOCK]],
    pub(crate) type_of: &'a [U32],
    out_rows: &'a [u8],
    pub(crate) in_vectors: &'a [i8],
    pub(crate) products: &'a [ProductRecord],
    pub(crate) names: &'a [NameSlot],
    pub(crate) strings: &'a [u8],
    pub(crate) attribute_values: &'a [AttributeRecord],
    pub(crate) attribute_set_starts: &'a [U32],
    pub(crate) attribute_sets: &'a [U32],
    pub(crate) product_attributes: &'a [U32],
    pub(crate) refill_days: &'a [U16],
    pub(crate) refill_weights: &'a [I32],
    pub(crate) provenance: &'a [u8],
    /// The whole file.
    bytes: &'a [u8],
    /// Takes notes of what will be read, where much of the file is still on disk.
    pub(super) wanted: Option<&'a Wanted>,
}

/// Of a view of bytes that no catalog was made of yet.
static NO_RANKER: Ranker = Ranker::none();

fn rows<T: FromBytes + Immutable + KnownLayout + Unaligned>(bytes: &[u8]) -> &[T] {
    // Lengths were validated at open; a mismatch reads as "no rows", which no caller can follow out of bounds.
    <[T]>::ref_from_bytes(bytes).unwrap_or(&[])
}

impl<'a> View<'a> {
    pub(crate) fn new(bytes: &'a [u8], layout: &Layout) -> Self {
        use SectionKind as S;
        let section = |kind: S| layout.section(bytes, kind);
        let meta = &layout.meta;
        Self {
            dim: layout.dim,
            currency: Currency(meta.currency),
            typical_contribution: meta.typical_contribution.get(),
            margin_bps: meta.margin_bps.get(),
            newest_ms: layout.created_at_ms,
            unit_dot: meta.unit_dot.get().max(1),
            per_unit_q32: (1000i64 << 32) / i64::from(meta.unit_dot.get().max(1)) + 1,
            effort: Effort { visits: meta.visit_budget.get(), rerank: meta.rerank.get() },
            taxonomy: meta.taxonomy,
            out_stride: S::OutVectors.element_size(layout.dim, layout.scalar_kind),
            policy: rows(section(S::Policy)),
            policy_allowed: rows(section(S::PolicyAllowed)),
            calibration: rows(section(S::Calibration)),
            ranker_records: rows(section(S::Ranker)),
            ranker: &NO_RANKER,
            best_sellers: rows(section(S::BestSellers)),
            associate_starts: rows(section(S::AssociateStarts)),
            associates: rows(section(S::Associates)),
            baskets_of: rows(section(S::BasketsOf)),
            postings: rows(section(S::Postings)),
            basket_starts: rows(section(S::BasketStarts)),
            basket_products: rows(section(S::BasketProducts)),
            near_of: rows(section(S::NearOf)),
            near: rows(section(S::Near)),
            region_sets: rows(section(S::RegionSets)),
            categories: rows(section(S::Categories)),
            brands: rows(section(S::Brands)),
            partners: rows(section(S::Partners)),
            partner_blocks: rows(section(S::PartnerBlocks)),
            offers: rows(section(S::Offers)),
            triggers: rows(section(S::Triggers)),
            types: rows(section(S::Types)),
            transitions: rows(section(S::Transitions)),
            type_products: rows(section(S::TypeProducts)),
            cells: rows(section(S::Cells)),
            centroids: rows(section(S::Centroids)),
            areas: rows(section(S::Areas)),
            area_centroids: rows(section(S::AreaCentroids)),
            cell_codes: section(S::CellCodes),
            cell_steps: rows(section(S::CellSteps)),
            out_codes: section(S::OutCodes),
            out_steps: rows(section(S::OutSteps)),
            type_of: rows(section(S::TypeOf)),
            out_rows: section(S::OutVectors),
            in_vectors: rows(section(S::InVectors)),
            products: rows(section(S::Products)),
            names: rows(section(S::Names)),
            strings: section(S::Strings),
            attribute_values: rows(section(S::AttributeValues)),
            attribute_set_starts: rows(section(S::AttributeSetStarts)),
            attribute_sets: rows(section(S::AttributeSets)),
            product_attributes: rows(section(S::ProductAttributes)),
            refill_days: rows(section(S::RefillDays)),
            refill_weights: rows(section(S::RefillWeights)),
            provenance: section(S::Provenance),
            bytes,
            wanted: None,
        }
    }

    /// Products in the catalog.
    #[must_use]
    pub fn product_count(&self) -> u32 {
        self.products.len() as u32 // at most PRODUCTS_MAX, validated
    }

    /// How the file was made, as its builder noted it; opaque here. Empty where the file does not say.
    #[must_use]
    pub fn provenance(&self) -> &'a [u8] {
        self.provenance
    }

    /// The string behind a reference; empty where it points nowhere or is not UTF-8.
    #[must_use]
    pub fn str(&self, at: StrRef) -> &'a str {
        self.str_bytes(at).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or("")
    }

    fn str_bytes(&self, at: StrRef) -> Option<&'a [u8]> {
        let start = at.offset.get() as usize;
        self.strings.get(start..start.checked_add(at.length.get() as usize)?)
    }

    /// Whether it is of use to [`Self::want`] anything.
    pub(crate) fn is_cold(&self) -> bool {
        self.wanted.is_some()
    }

    /// Notes that a part of the file will be read soon. No system call; nothing where the file is in memory.
    pub(crate) fn want<T>(&self, part: &[T]) {
        if let Some(wanted) = self.wanted {
            let start = part.as_ptr().addr().wrapping_sub(self.bytes.as_ptr().addr());
            if start < self.bytes.len() {
                wanted.note(start..start + size_of_val(part));
            }
        }
    }

    /// Distinct sets of attribute values; 0 where the feed had no attributes.
    pub(crate) fn attribute_set_count(&self) -> usize {
        self.attribute_set_starts.len().saturating_sub(1)
    }

    /// The set of a product's attribute values. Set 0 is empty: nothing is known.
    pub(crate) fn attribute_set_of(&self, product: u32) -> u32 {
        self.product_attributes.get(product as usize).map_or(0, |set| set.get())
    }

    /// Rows of the values of a set, ascending.
    pub(crate) fn attributes_in(&self, set: u32) -> &'a [U32] {
        let bound = |at: usize| self.attribute_set_starts.get(at).map(|start| start.get() as usize);
        let range = bound(set as usize).zip(bound((set as usize).saturating_add(1)));
        range.and_then(|(start, end)| self.attribute_sets.get(start..end)).unwrap_or(&[])
    }

    /// The row of an attribute's value, as [`Attribute::values`] writes it.
    pub(crate) fn find_attribute(&self, attribute: Attribute, value: &str) -> Option<u32> {
        let key = |record: &AttributeRecord| (record.attribute.get(), self.str(record.value));
        let wanted = (u32::from(attribute.code()), value);
        self.attribute_values.binary_search_by(|record| key(record).cmp(&wanted)).ok().map(|row| row as u32)
    }

    pub(crate) fn row<T>(rows: &'a [T], dim: usize, ix: u32) -> Option<&'a [T]> {
        let start = (ix as usize).checked_mul(dim)?;
        rows.get(start..start.checked_add(dim)?)
    }

    pub(crate) fn in_vector(&self, product: u32) -> Option<&'a [i8]> {
        Self::row(self.in_vectors, self.dim, product)
    }

    pub(crate) fn out_vector(&self, product: u32) -> Option<&'a [i8]> {
        Some(self.out_row(product)?.0)
    }

    /// Bytes of an OUT row.
    pub(crate) fn out_row_bytes(&self) -> usize {
        self.out_stride
    }

    /// An OUT row, and four more bits of each component; none of those in catalogs of int8 rows.
    #[inline]
    pub(crate) fn out_row(&self, product: u32) -> Option<(&'a [i8], &'a [u8])> {
        let (row, fine) = Self::row(self.out_rows, self.out_stride, product)?.split_at_checked(self.dim)?;
        Some((<[i8]>::ref_from_bytes(row).ok()?, fine))
    }

    /// A dot product of two rows as similarity in thousandths. Multiplies: this is asked several times of each candidate.
    #[inline]
    pub(crate) fn thousandths(&self, dot: i32) -> i32 {
        (i64::from(dot).wrapping_mul(self.per_unit_q32) >> 32) as i32
    }

    pub(crate) fn centroid(&self, cell: u32) -> Option<&'a [i8]> {
        Self::row(self.centroids, self.dim, cell)
    }

    pub(crate) fn product(&self, ix: u32) -> Option<&'a ProductRecord> {
        self.products.get(ix as usize)
    }

    pub(crate) fn offer(&self, ix: u32) -> Option<&'a OfferRecord> {
        self.offers.get(ix as usize)
    }

    pub(crate) fn category(&self, ix: u32) -> Option<&'a CategoryRecord> {
        self.categories.get(ix as usize)
    }

    /// Type of a category; of the nearest known one above a path that the catalog does not know.
    pub(crate) fn nearest_type(&self, category: u32, path: &str) -> u32 {
        let mut path = path;
        let mut found = self.category(category);
        for _ in 0..CATEGORY_DEPTH_MAX {
            let Some((above, _)) = path.rsplit_once(" > ").filter(|_| found.is_none()) else { break };
            path = above;
            found = self.find(NameKind::Category, path.as_bytes()).and_then(|ix| self.category(ix));
        }
        found.map_or(NONE, |c| c.type_ix.get())
    }

    pub(crate) fn type_of(&self, product: u32) -> u32 {
        self.type_of.get(product as usize).map_or(NONE, |t| t.get())
    }

    pub(crate) fn products_of_type(&self, kind: &TypeRecord) -> &'a [U32] {
        slice(self.type_products, kind.products_start.get(), kind.products_count.get())
    }

    /// Products that were bought with a product, strongest first; at most [`ASSOCIATES_MAX`].
    pub(crate) fn associates_of(&self, product: u32) -> &'a [AssociateRecord] {
        let start = |ix: u32| self.associate_starts.get(ix as usize).map_or(0, |start| start.get());
        let (start, end) = (start(product), start(product.saturating_add(1)));
        slice(self.associates, start, end.saturating_sub(start).min(ASSOCIATES_MAX as u32))
    }

    /// Whether orders say too little of a product for its list to speak for it.
    pub(crate) fn is_unlisted(&self, product: u32) -> bool {
        self.associates_of(product).get(LISTED - 1).is_none_or(AssociateRecord::of_words_alone)
    }

    /// Earlier baskets that held a product as [`super::format::posting`]s, those that count most first, and how rare it is, in 1/256.
    pub(crate) fn baskets_of(&self, product: u32) -> (&'a [U32], u32) {
        let Some(list) = self.baskets_of.get(product as usize) else { return (&[], 0) };
        let count = u32::from(list.count.get()).min(POSTINGS_MAX as u32);
        (slice(self.postings, list.start.get(), count), list.rarity.get().into())
    }

    /// Products of an earlier basket, at most [`BASKET_LINES_MAX`].
    pub(crate) fn basket(&self, basket: u32) -> &'a [U32] {
        let start = |at: u32| self.basket_starts.get(at as usize).map_or(0, |start| start.get());
        let (start, end) = (start(basket), start(basket.saturating_add(1)));
        slice(self.basket_products, start, end.saturating_sub(start).min(BASKET_LINES_MAX as u32))
    }

    /// Products of other types that lie near one of which orders say little, best first, and whether there are no more than these.
    pub(crate) fn near_to(&self, product: u32) -> Option<(&'a [U32], bool)> {
        let list = self.near_of.get(product as usize)?.get();
        let list = self.near.get(list as usize)?;
        let count = list.iter().take_while(|near| near.get() != NONE).count();
        Some((list.get(..count)?, count < NEAR))
    }

    /// Whether anything of a type was ever bought.
    pub(crate) fn was_bought(&self, kind: u32) -> bool {
        self.types.get(kind as usize).is_some_and(|t| t.bought == 1)
    }

    pub(crate) fn transitions_of(&self, kind: &TypeRecord) -> &'a [TransitionRecord] {
        slice(self.transitions, kind.transitions_start.get(), kind.transitions_count.get().into())
    }

    pub(crate) fn blocks_of(&self, partner: &PartnerRecord) -> &'a [BlockRecord] {
        slice(self.partner_blocks, partner.blocks_start.get(), partner.blocks_count.get())
    }

    /// Offers behind a trigger, in ascending order of their index.
    pub(crate) fn triggered(&self, kind: u32, key: u32) -> &'a [TriggerRecord] {
        let at = |t: &TriggerRecord| (t.kind.get(), t.key.get());
        let start = self.triggers.partition_point(|t| at(t) < (kind, key));
        let end = self.triggers.partition_point(|t| at(t) <= (kind, key));
        self.triggers.get(start..end).unwrap_or(&[])
    }

    /// Whether a region set holds a country. Set 0 holds all; an unknown country is in no other set.
    pub(crate) fn region_allows(&self, set: u16, country: Option<Country>) -> bool {
        if set == 0 {
            return true;
        }
        let Some(bit) = country.and_then(Country::bit) else {
            return false;
        };
        let byte = self.region_sets.get(set as usize).and_then(|s| s.get(bit as usize / 8));
        byte.is_some_and(|byte| byte >> (bit % 8) & 1 == 1)
    }

    /// Whether `category` lies in the subtree of `root`, by index range.
    pub(crate) fn in_subtree(&self, root: u32, category: u32) -> bool {
        self.category(root).is_some_and(|r| (root..r.subtree_end.get()).contains(&category))
    }

    /// The category and those above it, at most [`CATEGORY_DEPTH_MAX`].
    pub(crate) fn ancestors(self, category: u32) -> impl Iterator<Item = u32> + 'a {
        let mut next = category;
        (0..CATEGORY_DEPTH_MAX).map_while(move |_| {
            let here = next;
            next = self.category(here)?.parent.get();
            Some(here)
        })
    }

    /// The index behind a name, or `None` where the catalog does not know it. Reads at most 64 slots.
    #[must_use]
    pub fn find(&self, kind: NameKind, name: &[u8]) -> Option<u32> {
        if name.is_empty() {
            return None;
        }
        let hash = name_hash(kind, name);
        let mask = self.names.len().checked_sub(1)?;
        for probe in 0..NAME_PROBES_MAX {
            let slot = self.names.get((hash as usize).wrapping_add(probe) & mask)?;
            if *slot == NameSlot::FREE {
                return None;
            }
            let target = slot.target.get();
            if slot.fingerprint.get() == (hash >> 32) as u32 && target >> 28 == kind as u32 {
                let ix = target & 0x0FFF_FFFF;
                if self.str_bytes(self.name_of(kind, ix)?) == Some(name) {
                    return Some(ix);
                }
            }
        }
        None
    }

    /// Asks for all that is read of the products with these ids: of the first [`FORESEEN`] of them. Each is looked up through places far
    /// apart, of which one says where the next one is, so all take each step before any takes the next one.
    pub(crate) fn foresee_products<'i>(&self, ids: impl Iterator<Item = &'i str>) {
        let (mut hashes, mut products, mut count) = ([0; FORESEEN], [NONE; FORESEEN], 0);
        for (hash, id) in hashes.iter_mut().zip(ids) {
            *hash = name_hash(NameKind::Product, id.as_bytes());
            count += 1;
            if let Some(at) = self.first_slot(*hash) {
                self.foresee_at(self.names, at);
            }
        }
        for (hash, product) in hashes.iter().take(count).zip(&mut products) {
            let slot = self.first_slot(*hash).and_then(|at| self.names.get(at));
            let Some(slot) = slot.filter(|slot| slot.fingerprint.get() == (hash >> 32) as u32) else {
                continue;
            };
            *product = slot.target.get() & 0x0FFF_FFFF;
            let at = *product as usize;
            self.foresee_at(self.products, at);
            self.foresee_at(self.type_of, at);
            self.foresee_at(self.near_of, at);
            self.foresee_at(self.baskets_of, at);
            self.foresee(self.associate_starts.get(at..=at + 1).unwrap_or(&[]));
            self.foresee(self.in_vector(*product).unwrap_or(&[]));
        }
        for record in products.iter().take(count).filter_map(|product| self.product(*product)) {
            self.foresee(self.str_bytes(record.id).unwrap_or(&[]));
        }
    }

    /// Asks for the lists of a product, and of its type. Reads what [`Self::foresee_products`] asked for.
    pub(crate) fn foresee_lists(&self, product: u32, kind: u32) {
        let associates = self.associates_of(product);
        self.foresee(associates);
        let (postings, _) = self.baskets_of(product);
        self.foresee(postings.get(..FORESEEN_POSTINGS).unwrap_or(postings));
        if let Some(list) = self.near_of.get(product as usize).filter(|list| list.get() != NONE) {
            self.foresee_at(self.near, list.get() as usize);
        }
        self.foresee_at(self.types, kind as usize);
    }

    /// Asks for what will be read soon: from memory, and where the file may still be there, from disk.
    #[inline]
    pub(crate) fn foresee<T>(&self, part: &[T]) {
        prefetch(part);
        if self.is_cold() {
            self.want(part);
        }
    }

    /// As [`Self::foresee`], one element, where there is one.
    #[inline]
    pub(crate) fn foresee_at<T>(&self, all: &[T], at: usize) {
        self.foresee(all.get(at..=at).unwrap_or(&[]));
    }

    fn first_slot(&self, hash: u64) -> Option<usize> {
        Some(hash as usize & self.names.len().checked_sub(1)?)
    }

    fn name_of(&self, kind: NameKind, ix: u32) -> Option<StrRef> {
        match kind {
            NameKind::Product => self.product(ix).map(|r| r.id),
            NameKind::Category => self.category(ix).map(|r| r.path),
            NameKind::Brand => self.brands.get(ix as usize).map(|r| r.name),
            NameKind::Partner => self.partners.get(ix as usize).map(|r| r.id),
            NameKind::Offer => self.offer(ix).map(|r| r.id),
        }
    }
}

/// Entries of a list of baskets that are asked for before it is read: the rest is read in sequence.
const FORESEEN_POSTINGS: usize = 64;

fn slice<T>(all: &[T], start: u32, count: u32) -> &[T] {
    let start = start as usize;
    all.get(start..start.saturating_add(count as usize)).unwrap_or(&[])
}
