//! The catalog file, byte for byte. Version 3.
//!
//! ```text
//! 0        Header, 128 bytes
//! 128      section table: `section_count` entries of 64 bytes, ascending by offset
//! …        sections, each at a multiple of its alignment; bytes between them are zero
//! ```
//! Little-endian throughout; nothing is read before its bounds are known. Product `i` is row `i` of every
//! product section; products lie contiguous in their cells, so a cell is a range.

#![allow(missing_debug_implementations, reason = "zerocopy's derives make hidden helper types")]

use zerocopy::little_endian::{I32, I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// First eight bytes. The high byte and the line ends catch text-mode damage, as PNG's do.
pub const MAGIC: [u8; 8] = [0x89, b'A', b'C', b'A', b'R', b'T', 0x0D, 0x0A];
/// Reads differently on a file written in the wrong byte order.
pub const ENDIAN: u32 = 0x0102_0304;
/// Readers refuse another major version.
pub const MAJOR: u16 = 3;
/// Readers accept any minor version of their major.
pub const MINOR: u16 = 0;
/// "Not there" in any index field.
pub const NONE: u32 = u32::MAX;
/// Flag of a section table entry: a reader that does not know the section refuses the file.
pub const SECTION_REQUIRED: u16 = 1;

/// OUT rows are int8.
pub const INT8: u8 = 1;
/// An int8 OUT row is followed by four more bits for each component: what is added to 16 times the row, plus 8. Low nibbles
/// are the first half of the components, high ones the second.
pub const INT12: u8 = 2;

/// Lets zerocopy check that a record has no padding and any alignment will do.
macro_rules! record {
    ($(#[$meta:meta])* $name:ident, $size:literal { $($(#[$fmeta:meta])* $field:ident: $ty:ty,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
        #[repr(C)]
        pub struct $name { $($(#[$fmeta])* pub $field: $ty,)+ }
        const _: () = assert!(size_of::<$name>() == $size);
    };
}

record! {
    /// The first 128 bytes.
    Header, 128 {
        /// [`MAGIC`].
        magic: [u8; 8],
        /// [`ENDIAN`].
        endian: U32,
        /// [`MAJOR`].
        major: U16,
        /// [`MINOR`] of the writer.
        minor: U16,
        /// 128.
        header_size: U32,
        /// Entries of the section table.
        section_count: U32,
        /// Length of the whole file.
        file_size: U64,
        /// Bits that a reader must know; none is defined.
        required_flags: U32,
        /// Bits that a reader may ignore; none is defined.
        optional_flags: U32,
        /// Components of a vector row, a multiple of 64.
        dimension: U32,
        /// Products.
        product_count: U32,
        /// Cells.
        cell_count: U32,
        /// Areas: groups of cells.
        area_count: U32,
        /// Zero.
        reserved32: U32,
        /// Kind of OUT component: [`INT8`] or [`INT12`]. IN components are int8 always.
        scalar_kind: u8,
        /// Kind of similarity: 1 = dot product of rows of equal length.
        metric: u8,
        /// Zero.
        reserved16: U16,
        /// Hash of all section checksums: names this content.
        build_id: U64,
        /// Unix milliseconds, given by the builder.
        created_at_ms: I64,
        /// xxh3-64 of the section table.
        table_checksum: U64,
        /// Zero.
        reserved: [u8; 32],
        /// xxh3-64 of the bytes before this field.
        header_checksum: U64,
    }
}

record! {
    /// Where a section lies.
    SectionEntry, 64 {
        /// [`SectionKind`].
        kind: U32,
        /// Version of the section's content, 1.
        version: U16,
        /// [`SECTION_REQUIRED`].
        flags: U16,
        /// From the start of the file.
        offset: U64,
        /// In bytes.
        length: U64,
        /// Bytes of one element.
        element_size: U32,
        /// `offset` is a multiple of it.
        alignment: U32,
        /// Elements; `element_size * count == length`.
        count: U64,
        /// xxh3-64 of the section's bytes.
        checksum: U64,
        /// Zero.
        reserved: [u8; 16],
    }
}

/// Declares the sections: number, element size rule, alignment.
macro_rules! sections {
    ($($(#[$meta:meta])* $name:ident = $kind:literal, $element:expr, $align:literal;)+) => {
        /// The sections of version 3, in the order in which a decision reads them. All are required but
        /// [`SectionKind::Provenance`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u32)]
        pub enum SectionKind { $($(#[$meta])* $name = $kind,)+ }

        impl SectionKind {
            /// All, in the order in which the writer lays them out.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The section with this number.
            #[must_use]
            pub const fn from_u32(kind: u32) -> Option<Self> {
                match kind { $($kind => Some(Self::$name),)+ _ => None }
            }

            /// Bytes of one element in a catalog whose rows have `dim` components, of a kind of OUT component.
            #[must_use]
            pub fn element_size(self, dim: usize, scalar_kind: u8) -> usize {
                let size: fn(usize) -> usize = match self { $(Self::$name => $element,)+ };
                let fine = self == Self::OutVectors && scalar_kind == INT12;
                size(dim) + if fine { dim / 2 } else { 0 }
            }

            /// Whether a file may lack it.
            #[must_use]
            pub const fn is_optional(self) -> bool {
                matches!(self, Self::Provenance)
            }

            /// Alignment of the section's start.
            #[must_use]
            pub const fn alignment(self) -> usize {
                match self { $(Self::$name => $align,)+ }
            }

            /// The name that errors and `inspect` print.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => stringify!($name),)+ }
            }
        }
    };
}

sections! {
    /// One [`MetaRecord`].
    Meta = 1, |_| size_of::<MetaRecord>(), 64;
    /// Rules of the policy that was given to the builder.
    Policy = 2, |_| size_of::<PolicyRecord>(), 64;
    /// One bit per product, in words of 64: set where no rule of that policy refuses it for every basket.
    PolicyAllowed = 3, |_| 8, 64;
    /// Score in 64 steps to `p_accept` in parts per million, one table for each [`Head`].
    Calibration = 4, |_| 4, 64;
    /// What each feature adds to the score, one table for each [`Head`] and feature.
    Ranker = 30, |_| size_of::<FeatureRecord>(), 64;
    /// Sets of countries, 676 bits in 88 bytes; set 0 is "everywhere".
    RegionSets = 5, |_| REGION_SET_BYTES, 64;
    /// Categories in depth-first order: a subtree is a range.
    Categories = 6, |_| size_of::<CategoryRecord>(), 64;
    /// Brands.
    Brands = 7, |_| size_of::<NameRecord>(), 64;
    /// Partners.
    Partners = 8, |_| size_of::<PartnerRecord>(), 64;
    /// What partners refuse, grouped by partner.
    PartnerBlocks = 9, |_| size_of::<BlockRecord>(), 64;
    /// Offers that are not products.
    Offers = 10, |_| size_of::<OfferRecord>(), 64;
    /// What triggers them, sorted by kind, then key, then offer.
    Triggers = 11, |_| size_of::<TriggerRecord>(), 64;
    /// Hash table from names to indices.
    Names = 12, |_| size_of::<NameSlot>(), 4096;
    /// Products that most customers bought lately, best first; at most 128.
    BestSellers = 33, |_| 4, 64;
    /// First associate of each product, and the number of all at the end.
    AssociateStarts = 31, |_| 4, 4096;
    /// Products that were bought with a product, grouped by product, strongest first.
    Associates = 32, |_| size_of::<AssociateRecord>(), 4096;
    /// int8 IN (as bought) rows.
    InVectors = 13, |dim| dim, 4096;
    /// Product types.
    Types = 14, |_| size_of::<TypeRecord>(), 64;
    /// What goes with a type, grouped by type, best first.
    Transitions = 15, |_| size_of::<TransitionRecord>(), 64;
    /// Products of a type, grouped by type, most bought first.
    TypeProducts = 16, |_| 4, 64;
    /// Areas.
    Areas = 17, |_| size_of::<AreaRecord>(), 64;
    /// int8 centroid of each area.
    AreaCentroids = 18, |dim| dim, 4096;
    /// 2-bit codes of what each cell's centroid has beyond its area's, as [`Self::OutCodes`] are.
    CellCodes = 19, |dim| 4 * dim, 4096;
    /// Step of each cell of a block.
    CellSteps = 20, |_| 16, 64;
    /// Cells.
    Cells = 21, |_| size_of::<CellRecord>(), 64;
    /// int8 centroid of each cell.
    Centroids = 22, |dim| dim, 4096;
    /// 2-bit codes of what each OUT row has beyond its cell's centroid, in blocks of 16 products, cell by cell; the last block
    /// of a cell is filled up. In a block, 64 bytes for each 16 components; in those, 4 bytes a product, whose bits 2t and
    /// 2t + 1 of byte b are component 4t + b. A code c stands for (2c - 3) * step / 8.
    OutCodes = 23, |dim| 4 * dim, 4096;
    /// Step of each product of a block.
    OutSteps = 24, |_| 16, 4096;
    /// Type of each product, apart from its record because the scan reads it in sequence.
    TypeOf = 25, |_| 4, 4096;
    /// OUT (as offered) rows.
    OutVectors = 26, |dim| dim, 4096;
    /// Product records.
    Products = 27, |_| size_of::<ProductRecord>(), 4096;
    /// UTF-8 of all names.
    Strings = 28, |_| 1, 4096;
    /// How the file was made; opaque to the engine.
    Provenance = 29, |_| 1, 64;
}

/// Sections that version 3 knows.
pub const SECTIONS: usize = SectionKind::ALL.len();
/// Bytes of a region set: 676 bits, rounded up.
pub const REGION_SET_BYTES: usize = 88;
/// Steps of one calibration table.
pub const CALIBRATION_STEPS: usize = 64;
/// Values of all calibration tables.
pub const CALIBRATION_VALUES: usize = Head::ALL.len() * CALIBRATION_STEPS;
/// Steps of a feature's table.
pub const FEATURE_STEPS: usize = 16;

/// Who is asked about what: each has its own weights and its own probabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum Head {
    /// A customer of whom nothing is known: what else is in the basket.
    Anonymous = 0,
    /// A customer with a history: what they buy in the next fourteen days.
    Known = 1,
    /// The same customer: what they buy for the first time.
    FirstTime = 2,
}

impl Head {
    /// All, by number.
    pub const ALL: [Self; 3] = [Self::Anonymous, Self::Known, Self::FirstTime];
}

record! {
    /// Facts of the whole catalog.
    MetaRecord, 128 {
        /// ISO 4217 letters of every price.
        currency: [u8; 3],
        /// Zero.
        reserved8: u8,
        /// Name and version of the category vocabulary.
        taxonomy: StrRef,
        /// Typical contribution of one accepted product, minor units: the common value of first-party products.
        typical_contribution: I64,
        /// Contribution margin in basis points where the feed gives no cost.
        margin_bps: U32,
        /// Dot product of two rows of similarity 1.
        unit_dot: U32,
        /// Products that a search compares by their codes.
        visit_budget: U32,
        /// Of those, the best ones for each query that are compared again by their whole rows.
        rerank: U32,
        /// Share of the true ten nearest products that a search finds with these two numbers, parts per million; 0 = not
        /// measured.
        recall_ppm: U32,
        /// Customers (baskets where anonymous) behind the affinities.
        customers: U32,
        /// Baskets behind the affinities.
        baskets: U64,
        /// Zero.
        reserved: [u8; 76],
    }
}

record! {
    /// A string of the string section.
    StrRef, 8 {
        /// First byte.
        offset: U32,
        /// Bytes.
        length: U32,
    }
}

record! {
    /// A category. Index order is depth-first, so its subtree is `self..subtree_end`.
    CategoryRecord, 40 {
        /// Full path, levels joined by ` > `.
        path: StrRef,
        /// The category above, or [`NONE`].
        parent: U32,
        /// First category after the subtree.
        subtree_end: U32,
        /// The type whose products have exactly this category, or [`NONE`].
        type_ix: U32,
        /// Most bought product of the subtree, which stands in for an unknown product of it, or [`NONE`].
        stand_in: U32,
        /// Products in the subtree.
        products: U32,
        /// Zero.
        reserved: [u8; 12],
    }
}

record! {
    /// A brand.
    NameRecord, 8 {
        /// Name as the feed writes it first.
        name: StrRef,
    }
}

record! {
    /// A partner.
    PartnerRecord, 40 {
        /// Id.
        id: StrRef,
        /// Name for people.
        name: StrRef,
        /// First of its blocks.
        blocks_start: U32,
        /// Number of its blocks.
        blocks_count: U32,
        /// Where it may appear.
        region_set: U16,
        /// 1 = active, anything else = paused.
        active: u8,
        /// Most offers in one slate; 0 = as the policy says.
        max_per_slate: u8,
        /// Zero.
        reserved: [u8; 12],
    }
}

record! {
    /// Something beside which a partner may not appear.
    BlockRecord, 8 {
        /// 1 = category subtree, 2 = brand.
        kind: U32,
        /// Index of that kind.
        key: U32,
    }
}

record! {
    /// An offer that is not a product of the catalog.
    OfferRecord, 112 {
        /// Id.
        id: StrRef,
        /// Title for people.
        title: StrRef,
        /// Partner, or [`NONE`] for the merchant's own.
        partner: U32,
        /// Prior probability of acceptance, parts per million.
        accept_rate_ppm: U32,
        /// What the merchant earns, minor units.
        payout: I64,
        /// Price to the customer, minor units; negative = not stated.
        price: I64,
        /// Least order value; negative = none.
        order_value_min: I64,
        /// Greatest order value; negative = none.
        order_value_max: I64,
        /// First moment, Unix ms; 0 = always.
        starts_at_ms: I64,
        /// Last moment, Unix ms; 0 = for ever.
        ends_at_ms: I64,
        /// Where it may be shown.
        region_set: U16,
        /// [`crate::vocabulary::OfferKind`].
        kind: u8,
        /// [`crate::vocabulary::CustomerKind`].
        customers: u8,
        /// Least age.
        age_min: u8,
        /// [`crate::vocabulary::SensitiveClass`].
        sensitive: u8,
        /// 1 = house offer.
        house: u8,
        /// Zero.
        reserved: [u8; 33],
    }
}

/// What a [`TriggerRecord`] key means.
pub mod trigger {
    /// Any purchase; key 0.
    pub const ANY: u32 = 0;
    /// A category and its subtree.
    pub const CATEGORY: u32 = 1;
    /// A product.
    pub const PRODUCT: u32 = 2;
    /// A brand.
    pub const BRAND: u32 = 3;
    /// The low 32 bits of the answer tag's xxh3-64.
    pub const ANSWER: u32 = 4;
}

record! {
    /// Something that makes an offer a candidate.
    TriggerRecord, 12 {
        /// [`trigger`].
        kind: U32,
        /// Index or hash.
        key: U32,
        /// Offer.
        offer: U32,
    }
}

record! {
    /// A product type: the last level of the category path, or the title where there is no category.
    TypeRecord, 32 {
        /// Category, or [`NONE`] for a type made from a title.
        category: U32,
        /// First of its products.
        products_start: U32,
        /// Number of its products.
        products_count: U32,
        /// First of its transitions.
        transitions_start: U32,
        /// Number of its transitions.
        transitions_count: U16,
        /// Days between purchases by one customer: lower quartile, median, upper quartile; 0 = unknown.
        replenish_days: [U16; 3],
        /// [`crate::vocabulary::Role`].
        role: u8,
        /// 1 = something of it was bought.
        bought: u8,
        /// Zero.
        reserved: [u8; 6],
    }
}

record! {
    /// Who buys one type also buys `to`.
    TransitionRecord, 16 {
        /// The type offered.
        to: U32,
        /// Times likelier than by chance, in 1/256.
        lift_q8: U32,
        /// Probability, parts per million.
        probability_ppm: U32,
        /// Customers behind it; 65,535 = at least so many.
        support: U16,
        /// How much the one type alone says of the other, all other types of the basket being known, in 1/65,536.
        direct_q16: U16,
    }
}

record! {
    /// A product that was bought with another one. Strengths are squares: a code c stands for (c / 255)^2.
    AssociateRecord, 8 {
        /// The product.
        product: U32,
        /// Cosine of the two over baskets.
        together: u8,
        /// How much the one alone says of the other, all other products of the basket being known.
        direct: u8,
        /// Cosine of the two over customers.
        customers: u8,
        /// Zero.
        reserved: u8,
    }
}

record! {
    /// What a feature adds to a score: `weights[s]`, where `s` is how many of `thresholds` the value exceeds.
    FeatureRecord, 128 {
        /// Ascending; those that are not used are the greatest value there is.
        thresholds: [I32; FEATURE_STEPS - 1],
        /// Thousandths of a nat.
        weights: [I32; FEATURE_STEPS],
        /// Zero.
        reserved: [u8; 4],
    }
}

record! {
    /// A cell: products `start..start + count`.
    CellRecord, 12 {
        /// First product.
        start: U32,
        /// Products.
        count: U32,
        /// First of its blocks of codes.
        block_start: U32,
    }
}

record! {
    /// An area: cells `start..start + count`.
    AreaRecord, 12 {
        /// First cell.
        start: U32,
        /// Cells.
        count: U32,
        /// First of its blocks of codes.
        block_start: U32,
    }
}

record! {
    /// A product.
    ProductRecord, 64 {
        /// Id.
        id: StrRef,
        /// Title.
        title: StrRef,
        /// Price in minor units; negative = not known.
        price: I64,
        /// Category, or [`NONE`].
        category: U32,
        /// Brand, or [`NONE`].
        brand: U32,
        /// Item group, or [`NONE`].
        group: U32,
        /// Partner who sells it, or [`NONE`] for the merchant.
        partner: U32,
        /// Distinct customers who bought it.
        popularity: U32,
        /// Contribution margin in basis points; 65,535 = not stated.
        margin_bps: U16,
        /// Where it may be offered.
        region_set: U16,
        /// `log2(1 + popularity)` in 1/256.
        popularity_log_q8: U16,
        /// [`crate::vocabulary::Availability`].
        availability: u8,
        /// [`crate::vocabulary::Role`].
        role: u8,
        /// [`crate::vocabulary::SensitiveClass`].
        sensitive: u8,
        /// Least age.
        age_min: u8,
        /// 1 = vectors learnt from its own orders, 0 = borrowed from type, category, brand or embedding.
        learnt: u8,
        /// Share of its customers who came back for it, in 1/255.
        came_back: u8,
        /// Type, as in [`SectionKind::TypeOf`]: beside what is read with it.
        type_ix: U32,
        /// log2 of how much more it was bought lately than before, in 1/16, plus 128.
        trend: u8,
        /// Zero.
        reserved: u8,
        /// Typical days between two purchases by one customer; 0 = not known.
        gap_days: U16,
    }
}

/// What a [`NameSlot`] points at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum NameKind {
    /// Product id.
    Product = 0,
    /// Category path.
    Category = 1,
    /// Brand name.
    Brand = 2,
    /// Partner id.
    Partner = 3,
    /// Offer id.
    Offer = 4,
}

record! {
    /// One slot of the open-addressed name table; a whole slot of ones is free.
    NameSlot, 8 {
        /// High 32 bits of the name's hash.
        fingerprint: U32,
        /// Kind in the top 4 bits, index below.
        target: U32,
    }
}

impl NameSlot {
    /// A free slot.
    pub const FREE: Self =
        Self { fingerprint: U32::from_bytes([0xFF; 4]), target: U32::from_bytes([0xFF; 4]) };
}

/// Hash of a name: its low bits are the first slot, its high 32 bits the fingerprint.
#[must_use]
pub fn name_hash(kind: NameKind, name: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64_with_seed(name, kind as u64)
}

/// Key of an answer tag in the trigger table.
#[must_use]
pub fn answer_key(tag: &[u8]) -> u32 {
    (xxhash_rust::xxh3::xxh3_64(tag) & 0xFFFF_FFFF) as u32
}

/// Rules of a compiled policy. Numbers are never reused.
pub mod rule {
    /// Suppress the category subtree `key`.
    pub const SUPPRESS_CATEGORY: u32 = 1;
    /// Allow only category subtrees so named.
    pub const ALLOW_CATEGORY: u32 = 2;
    /// Suppress brand `key`.
    pub const SUPPRESS_BRAND: u32 = 3;
    /// Suppress partner `key`.
    pub const SUPPRESS_PARTNER: u32 = 4;
    /// Suppress product `key`.
    pub const SUPPRESS_PRODUCT: u32 = 5;
    /// Suppress offer kind `key`.
    pub const SUPPRESS_KIND: u32 = 6;
    /// Suppress offer `key`.
    pub const SUPPRESS_OFFER: u32 = 7;
    /// Category subtree `key` is of sensitive class `value & 0xFF`, least age `value >> 8`.
    pub const MARK_SENSITIVE: u32 = 8;
    /// Sensitive class `key` may be shown.
    pub const ALLOW_SENSITIVE: u32 = 9;
    /// Setting number `key` has `value`.
    pub const SETTING: u32 = 10;
}

record! {
    /// One rule of a compiled policy.
    PolicyRecord, 16 {
        /// [`rule`].
        kind: U32,
        /// Index or number.
        key: U32,
        /// Value.
        value: I64,
    }
}
