//! What the host knows of the customer, all of it optional. There is no field for a name, an e-mail address, a phone number
//! or a street.

use crate::vocabulary::{AgeBand, CustomerKind, Exposure, Purpose};

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
    /// What the customer was asked for consent to, and what they granted. A policy's `[consent]` says what that is worth.
    pub consent: Consent,
    /// The customer wants nothing from third parties.
    pub opt_out_third_party: bool,
    /// Category subtrees whose products the customer does not want to see, by path as the catalog writes it, case included. (Other
    /// offers have no category.) Beside one that the catalog does not have, no product appears: nobody knows what it meant.
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
    /// Questions that the customer was asked, in this order and before; all are read.
    pub asked: &'a [Asked<'a>],
}

/// Answers to a consent banner. `Default`: nobody asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consent {
    /// Purposes that the customer was asked about.
    pub asked: Purposes,
    /// Those of them that the customer granted: the others are refused. What nobody asked about is not granted.
    pub granted: Purposes,
    /// The browser sends Global Privacy Control: [`Purpose::SaleOfData`] is refused, whatever else was said.
    pub gpc: bool,
}

impl Consent {
    /// The answer to one purpose; `None` = nobody asked.
    #[must_use]
    pub const fn answer(&self, purpose: Purpose) -> Option<bool> {
        match purpose {
            Purpose::SaleOfData if self.gpc => Some(false),
            _ if self.asked.has(purpose) => Some(self.granted.has(purpose)),
            _ => None,
        }
    }
}

/// A set of purposes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Purposes(u8);

impl Purposes {
    /// All of them.
    pub const ALL: Self = Self((1 << Purpose::ALL.len()) - 1);

    /// A set.
    #[must_use]
    pub fn of(purposes: &[Purpose]) -> Self {
        Self(purposes.iter().fold(0, |bits, purpose| bits | 1 << purpose.code()))
    }

    /// The set with one more.
    #[must_use]
    pub const fn with(self, purpose: Purpose) -> Self {
        Self(self.0 | 1 << purpose.code())
    }

    /// The set whose bit `code` stands for the purpose of that code; `None` where other bits are set.
    #[must_use]
    pub const fn from_bits(bits: u32) -> Option<Self> {
        if bits & !(Self::ALL.0 as u32) == 0 { Some(Self(bits as u8)) } else { None }
    }

    /// A bit per purpose, by its code.
    #[must_use]
    pub const fn bits(self) -> u32 {
        self.0 as u32
    }

    /// The purposes of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of another set are in this one.
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether a purpose is in the set.
    #[must_use]
    pub const fn has(self, purpose: Purpose) -> bool {
        self.0 >> purpose.code() & 1 == 1
    }
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

/// A question that was on a page, answered or not.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked<'a> {
    /// The question's id.
    pub question: &'a str,
    /// When, Unix milliseconds; 0 = not known, which counts as recent.
    pub at_ms: i64,
}

/// The tag of "this is a gift".
pub const GIFT: &str = "gift";
