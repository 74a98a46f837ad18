//! When a rule applies: a condition over what a request says, and what it comes to.
//!
//! A condition knows three answers: yes, no, and not known, where the request does not say what it asks about. `and`, `or`
//! and `not` treat "not known" as Kleene's strong logic does: `no and unknown` is no, `yes or unknown` is yes.

use crate::vocabulary::vocabulary;

vocabulary! {
    /// A number that a condition may compare.
    NumberFact {
        /// Order value, minor units of the catalog's currency.
        #[default] OrderValue = 0, "order.value";
        /// Lines of the order.
        OrderLines = 1, "order.lines";
        /// Units of all lines.
        OrderUnits = 2, "order.units";
        /// Orders of the customer before this one.
        CustomerOrders = 3, "customer.orders";
        /// Hour of the day, 0 to 23, in the policy's time zone.
        TimeHour = 4, "time.hour";
        /// Minute of the hour, 0 to 59, in the policy's time zone.
        TimeMinute = 5, "time.minute";
        /// Moment of the order, Unix milliseconds.
        TimeNow = 6, "time.now";
        /// Slots of the placement.
        PlacementSlots = 7, "placement.slots";
    }
}

vocabulary! {
    /// A text that a condition may compare.
    TextFact {
        /// Where the order goes, ISO 3166-1 alpha-2.
        #[default] OrderCountry = 0, "order.country";
        /// How it was paid, as [`crate::vocabulary::PaymentType`].
        OrderPayment = 1, "order.payment";
        /// `new` or `returning`.
        CustomerKind = 2, "customer.kind";
        /// `minor` or `adult`.
        CustomerAge = 3, "customer.age";
        /// The host's name of the loyalty tier.
        CustomerTier = 4, "customer.tier";
        /// Day of the week in the policy's time zone, `monday` to `sunday`.
        TimeWeekday = 5, "time.weekday";
        /// The placement's id.
        PlacementId = 6, "placement.id";
        /// The placement's stage, as [`crate::vocabulary::Stage`].
        PlacementStage = 7, "placement.stage";
    }
}

vocabulary! {
    /// Something that a condition may ask yes or no.
    FlagFact {
        /// The order is a gift: the host says so, or an answer does.
        #[default] OrderGift = 0, "order.gift";
        /// A test order.
        OrderTest = 1, "order.test";
        /// The payment can be charged again without asking for it once more.
        OrderRechargeable = 2, "order.rechargeable";
        /// The customer is in the loyalty programme.
        CustomerLoyalty = 3, "customer.loyalty";
        /// The customer has the merchant's app.
        CustomerHasApp = 4, "customer.has_app";
        /// The customer granted the purpose; not known where nobody asked.
        ConsentPreferences = 5, "consent.preferences";
        /// Likewise.
        ConsentAnalytics = 6, "consent.analytics";
        /// Likewise.
        ConsentMarketing = 7, "consent.marketing";
        /// Likewise; Global Privacy Control refuses it.
        ConsentSaleOfData = 8, "consent.sale_of_data";
        /// The browser sends Global Privacy Control.
        ConsentGpc = 9, "consent.gpc";
    }
}

vocabulary! {
    /// A list in which a condition may look for a text.
    ListFact {
        /// The host's tags of the order.
        #[default] OrderTags = 0, "order.tags";
        /// The host's segments of the customer.
        CustomerSegments = 1, "customer.segments";
        /// Tags of the answers given.
        Answers = 2, "answers";
        /// Ids of the products that were put back from the cart in this session.
        CartRemoved = 3, "session.cart_removed";
    }
}

vocabulary! {
    /// How two numbers compare.
    Comparison {
        /// Equal.
        #[default] Equal = 0, "==";
        /// Less.
        Less = 1, "<";
        /// Less or equal.
        AtMost = 2, "<=";
        /// Greater.
        Greater = 3, ">";
        /// Greater or equal.
        AtLeast = 4, ">=";
    }
}

impl Comparison {
    /// Whether `left` compares so with `right`.
    #[must_use]
    pub fn holds(self, left: i64, right: i64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// Any fact, for asking whether it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fact {
    /// A number.
    Number(NumberFact),
    /// A text.
    Text(TextFact),
    /// A flag.
    Flag(FlagFact),
}

/// When a rule applies. In a policy file it is an expression of CEL, the Common Expression Language; in Rust it is this.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Condition {
    /// Always.
    #[default]
    Always,
    /// All of them; of none: always.
    All(Vec<Condition>),
    /// Any of them; of none: never.
    Any(Vec<Condition>),
    /// Where it is not so.
    Not(Box<Condition>),
    /// A number compares so with `value`, in the unit of the fact.
    Number {
        /// What is compared.
        fact: NumberFact,
        /// How.
        is: Comparison,
        /// With what.
        value: i64,
    },
    /// A text equals `value`; case counts.
    Text {
        /// What is compared.
        fact: TextFact,
        /// With what.
        value: String,
    },
    /// A list holds `value`; case counts.
    Has {
        /// Where to look.
        list: ListFact,
        /// For what.
        value: String,
    },
    /// A flag is set.
    Flag(FlagFact),
    /// The request says something of a fact. Never "not known" itself.
    Known(Fact),
}

impl Condition {
    /// Whether `is` is true of any part that asks for a fact.
    pub(super) fn has(&self, is: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.has(is)),
            Self::Not(part) => part.has(is),
            part => is(part),
        }
    }
}

/// `Some(false)` if any is, else `None` if any is, else `Some(true)`.
pub(crate) fn all(answers: &[Option<bool>]) -> Option<bool> {
    not(any_of(answers.iter().map(|answer| not(*answer))))
}

/// `Some(true)` if any is, else `None` if any is, else `Some(false)`.
pub(crate) fn any(answers: &[Option<bool>]) -> Option<bool> {
    any_of(answers.iter().copied())
}

fn any_of(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut result = Some(false);
    for answer in answers {
        match answer {
            Some(true) => return Some(true),
            None => result = None,
            Some(false) => {}
        }
    }
    result
}

pub(crate) fn not(answer: Option<bool>) -> Option<bool> {
    answer.map(|yes| !yes)
}
