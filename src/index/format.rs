//! The catalog file, byte for byte. Version 7.
//!
//! ```text
//! 0        Header, 128 bytes
//! 128      section table: `section_count` entries of 64 bytes, ascending by offset
//! …        sections, each at a multiple of its alignment; bytes between them are zero
//! ```
//! Little-endian throughout; nothing is read before its bounds are known. Product `i` is row `i` of every
//! product section; products lie contiguous in their cells, so a cell is a range.

#![allow(missing_debug_implementations, reason = "zerocopy's derives make hidden helper types")]

use zerocopy::little_endian::{I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// First eight bytes. The high byte and the line ends catch text-mode damage, as PNG's do.
pub const MAGIC: [u8; 8] = [0x89, b'A', b'C', b'A', b'R', b'T', 0x0D, 0x0A];
/// Reads differently on a file written in the wrong byte order.
pub const ENDIAN: u32 = 0x0102_0304;
/// Readers refuse another major version.
pub const MAJOR: u16 = 7;
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

mod records;

pub use self::records::*;

/// Declares the sections: number, element size rule, alignment.
macro_rules! sections {
    ($($(#[$meta:meta])* $name:ident = $kind:literal, $element:expr, $align:literal;)+) => {
        /// The sections of version 7, in the order in which a decision reads them. All are required but
        /// [`SectionKind::Provenance`] and those of attributes, refills, baskets and what lies near.
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
                matches!(
                    self,
                    Self::Provenance
                        | Self::AttributeValues
                        | Self::AttributeSetStarts
                        | Self::AttributeSets
                        | Self::ProductAttributes
                        | Self::NearOf
                        | Self::Near
                        | Self::BasketsOf
                        | Self::Postings
                        | Self::BasketStarts
                        | Self::BasketProducts
                        | Self::RefillDays
                        | Self::RefillWeights
                )
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
    /// Products that were bought with a product, grouped by product, strongest first; then those whose titles are like its own.
    Associates = 32, |_| size_of::<AssociateRecord>(), 4096;
    /// List in [`Self::Near`] of each product of which orders say little, or [`NONE`]. The two are there together or not at all.
    NearOf = 40, |_| 4, 4096;
    /// Lists of products of other types whose OUT rows lie nearest to an IN row, best first; [`NONE`] fills them up.
    Near = 41, |_| 4 * NEAR, 4096;
    /// Where the earlier baskets of each product are listed. This and the next three are there together or not at all.
    BasketsOf = 42, |_| size_of::<PostingsRecord>(), 4096;
    /// Earlier baskets that held a product, as [`posting`]s, grouped by product, those that count most first.
    Postings = 43, |_| 4, 4096;
    /// First product of each earlier basket, and the number of all at the end.
    BasketStarts = 44, |_| 4, 4096;
    /// Products of earlier baskets, basket by basket, ascending.
    BasketProducts = 45, |_| 4, 4096;
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
    /// Codes of what each cell's centroid has beyond its area's, as [`Self::OutCodes`] are.
    CellCodes = 19, code_block_bytes, 4096;
    /// Step of each cell of a block.
    CellSteps = 20, |_| 16, 64;
    /// Cells.
    Cells = 21, |_| size_of::<CellRecord>(), 64;
    /// int8 centroid of each cell.
    Centroids = 22, |dim| dim, 4096;
    /// Codes of what each OUT row has beyond its cell's centroid, of B = [`code_bits`] bits a component, in blocks of 16 products,
    /// cell by cell; the last block of a cell is filled up. In a block, 64 bytes for each 32 / B components; in those, 4 bytes a
    /// product, whose B bits from bit B * t of byte b are component 4t + b. A code c stands for (2c + 1 - 2^B) * step / 8.
    OutCodes = 23, code_block_bytes, 4096;
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
    /// Values of attributes, sorted by attribute, then value. This and the next three are there where the feed has attributes.
    AttributeValues = 34, |_| size_of::<AttributeRecord>(), 64;
    /// First value of each set of values, and the number of all at the end. Set 0 is empty.
    AttributeSetStarts = 35, |_| 4, 64;
    /// Rows of the values, set by set, ascending.
    AttributeSets = 36, |_| 4, 64;
    /// Set of each product, apart from its record because only policies that name attributes read it.
    ProductAttributes = 37, |_| 4, 4096;
    /// Usual days to a customer's purchase of each product, 1 to 65,535. This and the next are there where orders say when things
    /// are bought again; without them, what is used up is due by its type's rhythm.
    RefillDays = 38, |_| 2, 4096;
    /// Four weights of the log odds that something is bought within 14 days: of 1, log2 of the purchases, log2 of the days since the first
    /// and the usual days, log2 of 1 and the days since the last; and the least of what is due. In 1/65,536 of a nat.
    RefillWeights = 39, |_| 4, 64;
    /// How the file was made; opaque to the engine.
    Provenance = 29, |_| 1, 64;
}

/// Sections that version 7 knows.
pub const SECTIONS: usize = SectionKind::ALL.len();
/// Products of one list of [`SectionKind::Near`].
pub const NEAR: usize = 48;
/// Bits of a code for each component of a row: 2, or 1 where there are more than 256. Errors of many components cancel out, and
/// half as many bytes are read: of 1.2 million rows of 384, 99 % of the neighbours are found in a fifth less time.
#[must_use]
pub const fn code_bits(dim: usize) -> usize {
    if dim > 256 { 1 } else { 2 }
}
/// Bytes of the codes of a block of 16 rows.
#[must_use]
pub const fn code_block_bytes(dim: usize) -> usize {
    16 * dim * code_bits(dim) / 8
}
/// An earlier basket in the list of a product: how much it counts (1 to 255) above its number in 24 bits.
#[must_use]
pub const fn posting(basket: u32, weight: u8) -> u32 {
    (weight as u32) << 24 | basket & 0x00FF_FFFF
}
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
    /// A rule with a condition begins; its name has `key` bytes.
    pub const RULE: u32 = 11;
    /// The next `key` bytes of the name, in `value`.
    pub const TEXT: u32 = 12;
    /// The next step of its condition, operands first.
    pub const CONDITION: u32 = 13;
    /// It names row `key`; `value` says as what.
    pub const NAMED: u32 = 14;
    /// Two sets that may not meet begin; their name has `key` bytes.
    pub const APART: u32 = 15;
    /// A placement begins; `key` is its stage plus 1 or 0, `value` the hash of its id.
    pub const PLACEMENT: u32 = 16;
    /// It has setting `key & 0xFF`, at position `key >> 8`, set to `value`.
    pub const PLACEMENT_SETTING: u32 = 17;
    /// From Unix second `value` on the policy's clock is `key` seconds ahead of UTC.
    pub const ZONE: u32 = 18;
    /// A contract begins: of partner `key` (`value` 0) or of offer `key` (`value` 1). Conditions and caps follow. Contracts come
    /// last, and belong to the catalog: another policy leaves them in place.
    pub const CONTRACT: u32 = 19;
    /// At most `key >> 8` events of sort `key & 0xFF` in `value` milliseconds.
    pub const CAP: u32 = 20;
    /// Offers of party or kind `key >> 8` (`key & 0xFF` says which) need the purposes `value`, a bit each.
    pub const CONSENT: u32 = 21;
    /// The first `value & 0xFFFF` buckets are held out and see [`crate::experiment::Shows`] `value >> 16`; the salt has `key` bytes.
    pub const HOLDOUT: u32 = 31;
    /// A layer of experiments begins; its id has `key & 0xFFFF` bytes, its salt `key >> 16`.
    pub const LAYER: u32 = 32;
    /// Its next arm, which ends before bucket `value & 0xFFFF` and shows `value >> 16`; the experiment's id has `key & 0xFFFF`
    /// bytes, the arm's name `key >> 16`.
    pub const ARM: u32 = 33;
    /// The next `key` bytes of these texts, in `value`.
    pub const EXPERIMENT_TEXT: u32 = 34;
    /// Exploration of the policy (`key >> 8` is 0) or of the last arm (1): among the best `key & 0xFF`, temperature and epsilon in
    /// millionths in the upper and lower half of `value`.
    pub const EXPLORE: u32 = 35;
    /// Its seed.
    pub const EXPLORE_SEED: u32 = 36;
    /// A question begins: its id has `key & 0xFFFF` bytes, its text `key >> 16`; it rests for `value` days.
    pub const QUESTION: u32 = 40;
    /// The next `key` bytes of the texts of a question or answer, in `value`.
    pub const QUESTION_TEXT: u32 = 41;
    /// The least gain that it is asked for, millionths of a minor unit.
    pub const QUESTION_GAIN: u32 = 42;
    /// A placement that asks it has an id with hash `value`.
    pub const QUESTION_PLACEMENT: u32 = 43;
    /// Its next answer: the text has `key & 0xFFFF` bytes, the tag `key >> 16`; the prior is `value`, parts per million.
    pub const QUESTION_ANSWER: u32 = 44;
    /// The next step of the condition under which it is asked, or of its last sign, as [`CONDITION`].
    pub const QUESTION_CONDITION: u32 = 45;
    /// A sign begins: a condition and a prior for each answer.
    pub const QUESTION_SIGN: u32 = 46;
    /// The next of these priors, parts per million.
    pub const QUESTION_PRIOR: u32 = 47;
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
