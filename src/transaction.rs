//! What was just bought. Everything is borrowed: a decision copies nothing.

use crate::vocabulary::{Country, Currency, PaymentType, Role, SensitiveClass, Stage};

/// A paid order, or a basket before payment. `Default` is an empty one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Transaction<'a> {
    /// The host's order id. Only hashed into the decision id.
    pub order_id: &'a str,
    /// When, Unix milliseconds. 0 = not known: offers that depend on time are not shown.
    pub created_at_ms: i64,
    /// Total in minor units. `None` = the sum of the lines where all prices are known.
    pub value: Option<i64>,
    /// Currency of `value` and the lines. `None` = the catalog's.
    pub currency: Option<Currency>,
    /// Where the order goes. `None` = not known: offers bound to a region are not shown.
    pub country: Option<Country>,
    /// The host says that this is a gift.
    pub is_gift: bool,
    /// A test order: decided as any other.
    pub is_test: bool,
    /// How it was paid.
    pub payment: PaymentType,
    /// Whether that payment can be charged again without asking the customer for it once more. `None` = not known.
    pub rechargeable: Option<bool>,
    /// The host's own words for this order, which a policy's conditions may ask for; the first
    /// [`crate::limits::TAGS_MAX`] are read.
    pub tags: &'a [&'a str],
    /// What was bought; at most [`crate::limits::LINES_MAX`].
    pub lines: &'a [LineItem<'a>],
    /// Where the offers go.
    pub placement: Placement<'a>,
}

/// One bought line.
#[derive(Debug, Clone, Copy)]
pub struct LineItem<'a> {
    /// The product's id in the feed. May be one that the catalog does not know.
    pub item_id: &'a str,
    /// Full category path, levels joined by ` > `: stands in where the catalog does not know the id.
    pub category: &'a str,
    /// Brand: likewise.
    pub brand: &'a str,
    /// Units.
    pub quantity: u32,
    /// Price of one unit in minor units, `None` = not known.
    pub unit_price: Option<i64>,
    /// What kind of purchase it is; `Unknown` = as the catalog says.
    pub role: Role,
    /// The host's own mark: such a line is not asked about. `None` = as catalog and policy say.
    pub sensitive: SensitiveClass,
}

impl Default for LineItem<'_> {
    fn default() -> Self {
        Self {
            item_id: "",
            category: "",
            brand: "",
            quantity: 1,
            unit_price: None,
            role: Role::Unknown,
            sensitive: SensitiveClass::None,
        }
    }
}

impl<'a> LineItem<'a> {
    /// One unit of a product of the feed.
    #[must_use]
    pub fn of(item_id: &'a str) -> Self {
        Self { item_id, ..Self::default() }
    }
}

/// Where offers appear, and how much of the policy's placement the call overrides.
#[derive(Debug, Clone, Copy, Default)]
pub struct Placement<'a> {
    /// Its id in the policy; empty = whichever placement the policy has for the stage. An id that the policy does not have
    /// shows nothing, where it has placements at all.
    pub id: &'a str,
    /// The moment in the purchase.
    pub stage: Stage,
    /// Slots to fill, at most [`crate::limits::SLOTS_MAX`]; 0 = as the policy says.
    pub slots: u8,
    /// Least relevance in thousandths; `None` = as the policy says.
    pub min_relevance: Option<u16>,
    /// Whether products that the customer bought before may come back.
    pub repeat: Repeat,
}

/// Whether products that the customer bought before may be offered.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Repeat {
    /// Where they are used up and due again.
    #[default]
    Allowed,
    /// Never: the placement is there to open something new.
    Never,
}
