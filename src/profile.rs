//! What the host knows of the customer, all of it optional. There is no field for a name, an e-mail address, a phone number
//! or a street.

use crate::vocabulary::{AgeBand, CustomerKind, Exposure};

/// A customer as the host describes them for this call. `Default` is an anonymous one.
#[derive(Debug, Clone, Copy, Default)]
pub struct Profile<'a> {
    /// A key of the host's choice, already hashed; only for assigning to experiments.
    pub unit_key: Option<[u8; 16]>,
    /// New or returning; `Any` = not known.
    pub customer: CustomerKind,
    /// Whether the customer is in the loyalty programme.
    pub loyalty_member: Option<bool>,
    /// The host's name of the customer's loyalty tier; empty = not known.
    pub loyalty_tier: &'a str,
    /// Orders before this one. `None` = not known.
    pub orders: Option<u32>,
    /// The host's own words for this customer, which a policy's conditions may ask for; the first
    /// [`crate::limits::SEGMENTS_MAX`] are read.
    pub segments: &'a [&'a str],
    /// Whether the customer has the merchant's app.
    pub has_app: Option<bool>,
    /// Age, as far as known.
    pub age_band: AgeBand,
    /// The customer wants nothing from third parties.
    pub opt_out_third_party: bool,
    /// Category subtrees whose products the customer does not want to see. (Other offers have no category.)
    pub opt_out_categories: &'a [&'a str],
    /// Earlier purchases, oldest first; the last [`crate::limits::PURCHASES_MAX`] are read.
    pub purchases: &'a [Purchase<'a>],
    /// Offers that the customer declined; the last [`crate::limits::DECLINES_MAX`] are read.
    pub declines: &'a [Decline<'a>],
    /// Offers that were on earlier pages, for frequency caps; the last [`crate::limits::EXPOSURES_MAX`] are read.
    pub exposures: &'a [Exposed<'a>],
    /// What happened in this session.
    pub session: Session<'a>,
    /// Answers to micro-surveys in this session.
    pub answers: Answers<'a>,
}

/// An earlier purchase.
#[derive(Debug, Clone, Copy, Default)]
pub struct Purchase<'a> {
    /// The product's id in the feed.
    pub item_id: &'a str,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// An offer that was shown and refused.
#[derive(Debug, Clone, Copy, Default)]
pub struct Decline<'a> {
    /// Product id or offer id.
    pub id: &'a str,
    /// When, Unix milliseconds.
    pub at_ms: i64,
}

/// An offer that was on an earlier page.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exposed<'a> {
    /// Product id or offer id.
    pub id: &'a str,
    /// What happened to it.
    pub event: Exposure,
    /// When, Unix milliseconds; 0 = not known, which counts as recent.
    pub at_ms: i64,
}

/// The session, with identifiers that end with it.
#[derive(Debug, Clone, Copy, Default)]
pub struct Session<'a> {
    /// A key of the host's choice.
    pub session_key: Option<[u8; 16]>,
    /// Products put back from the cart: candidates like any other, under the same rules and floor. The first
    /// [`crate::limits::CART_REMOVED_MAX`] are read.
    pub cart_removed: &'a [&'a str],
}

/// Answers, in the order given; the first [`crate::limits::ANSWERS_MAX`] are read.
pub type Answers<'a> = &'a [Answer<'a>];

/// One answer of a micro-survey.
#[derive(Debug, Clone, Copy, Default)]
pub struct Answer<'a> {
    /// The question's id.
    pub question: &'a str,
    /// The tag that the answer stands for. `gift` suppresses refills; any tag may trigger offers.
    pub tag: &'a str,
}

/// The tag of "this is a gift".
pub const GIFT: &str = "gift";
