//! The records that sections are made of.

use zerocopy::little_endian::{I32, I64, U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use super::FEATURE_STEPS;
#[allow(unused_imports, reason = "links of the documentation")]
use super::{NONE, SectionKind};

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
    /// A value that an attribute has.
    AttributeRecord, 12 {
        /// [`crate::vocabulary::Attribute`].
        attribute: U32,
        /// The value, in lower case.
        value: StrRef,
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
        /// Least share of a placement's slots, in basis points; 0 = none.
        min_share_bps: U16,
        /// Greatest share of them; 0 = as great as may be.
        max_share_bps: U16,
        /// Zero.
        reserved: [u8; 8],
    }
}

record! {
    /// Something beside which a partner may not appear.
    BlockRecord, 8 {
        /// 1 = bought category subtree, 2 = bought brand; beside it on the page: 3 = category subtree, 4 = brand, 5 = partner.
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
        /// Of offers with one number, not 0, one page shows at most one.
        exclusive_group: U32,
        /// [`crate::vocabulary::ContentKind`] of inherited content; 0 = none.
        content: u8,
        /// Zero.
        reserved: [u8; 28],
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
    /// A product that has content of its own or of its model: that content.
    pub const CONTENT_OWN: u32 = 5;
    /// The same product: content of other kinds that it has from its category.
    pub const CONTENT_KEPT: u32 = 6;
    /// A category, for products without content of their own: what it has itself or from those above it.
    pub const CONTENT_CATEGORY: u32 = 7;
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
        /// How alike the words of their titles are; only where orders say little of the product that has the list.
        words: u8,
    }
}

impl AssociateRecord {
    /// Whether the two were never bought together.
    #[must_use]
    pub const fn of_words_alone(&self) -> bool {
        self.together == 0 && self.direct == 0 && self.customers == 0
    }
}

record! {
    /// Where the earlier baskets of a product are listed.
    PostingsRecord, 8 {
        /// First entry.
        start: U32,
        /// Entries.
        count: U16,
        /// How rare the product is: log2 of all baskets over its own, in 1/256.
        rarity: U16,
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
        /// log2 of its share of what customers of its type bought, in 1/16, plus 255.
        share_of_type: u8,
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
