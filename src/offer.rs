//! What a decision returns: offers with their reasons, and for what was refused, why.

use smallvec::SmallVec;

use crate::experiment::{Assignment, Shows};
use crate::index::search::SearchCounters;
use crate::limits::{REJECTED_MAX, SLOTS_MAX};
use crate::vocabulary::{AcceptMode, OfferKind};

/// Declares the reason codes: number, what it says.
macro_rules! reasons {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $text:literal;)+) => {
        /// Why something was not offered. Numbers below 1000 are OpenRTB's loss reasons; none is ever reused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        #[non_exhaustive]
        pub enum Reason { $($(#[$meta])* #[doc = $text] $name = $code,)+ }

        impl Reason {
            /// All codes.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// The number.
            #[must_use]
            pub const fn code(self) -> u16 { self as u16 }

            /// One line for people.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }

        impl core::fmt::Display for Reason {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                write!(f, "{} {}", self.code(), self.text())
            }
        }
    };
}

reasons! {
    BelowReserve = 100, "expected contribution below the reserve";
    LostToHigher = 102, "lost to an offer of higher expected contribution";
    PartnerExcluded = 205, "partner suppressed, paused or unknown";
    CategoryExcluded = 209, "category suppressed";
    BrandExcluded = 210, "brand suppressed";
    ProductExcluded = 211, "product or offer suppressed by name";
    KindExcluded = 212, "kind of offer suppressed";
    OptedOut = 213, "the customer opted out";
    AlreadyMember = 214, "the customer already has it";
    AttributeExcluded = 215, "attribute suppressed, or not one of those allowed";
    SameItem = 1001, "the same product was just bought";
    SameGroup = 1002, "a variant of it was just bought";
    SameType = 1003, "the same type of product was just bought";
    Owned = 1004, "the customer has it, and it is not due again";
    Declined = 1005, "the customer declined it recently";
    FrequencyCap = 1010, "shown or taken often enough lately";
    LeaseEmpty = 1012, "nothing is left to reserve of its budget or its partner's";
    Paced = 1013, "held back, so that the day's budget lasts";
    Paused = 1014, "paused or killed in the live overlay";
    OutOfStock = 1020, "not in stock";
    PriceUnknown = 1021, "no usable price, or a stale one";
    Region = 1022, "not for this region";
    Age = 1023, "not for this age, or the age is not known";
    ConsentMissing = 1024, "the customer did not consent to a purpose that it needs";
    SensitiveContext = 1025, "sensitive class that the policy does not allow";
    PartnerContext = 1026, "the partner refuses this basket";
    OrderValue = 1027, "order value outside the offer's bounds, or not known";
    OutsideFlight = 1028, "outside the offer's dates, or the time is not known";
    CustomerKind = 1029, "for other customers";
    UnknownCategory = 1030, "category not known, and a rule depends on it";
    Currency = 1032, "the transaction is in another currency";
    CompetitiveSeparation = 1040, "may not stand beside another offer of the slate";
    TypeQuota = 1041, "enough offers of this type in the slate";
    BrandQuota = 1042, "enough offers of this brand in the slate";
    PartnerQuota = 1043, "enough offers of this partner in the slate";
    ThirdPartyQuota = 1044, "enough third-party offers in the slate";
    RefillQuota = 1045, "enough refills in the slate";
    OfferCondition = 1048, "the offer's own condition does not hold, or is not known to";
    PositionExcluded = 1046, "no free position takes its kind or party";
    UnknownPlacement = 1047, "the policy has placements, and not this one";
    ShareOwed = 1049, "its place went to a partner who is owed a share of the slots";
    BelowRelevance = 1060, "below the relevance floor";
    PriceTooHigh = 1061, "too dear beside the order";
    BelowAcceptance = 1062, "below the floor on p_accept";
    GiftSuppressesRefill = 1070, "a gift needs no refill";
    Holdout = 1080, "held out: show nothing";
    HoldoutEarlier = 1081, "held out: show the page as it was before";
    NotRetrieved = 1100, "nothing bought leads to it";
    VerifierDropped = 1101, "the final check disagreed with the gate";
    KillSwitch = 1102, "the policy switches all offers off";
    NothingToAsk = 1103, "no bought line can be asked about";
    BadRecord = 1104, "damaged catalog entry";
    NoLive = 1110, "no live overlay that fits the catalog, and the policy demands one";
}

/// How an offer follows from what was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Relation {
    /// Customers who bought the line's product also buy this one (IN and OUT vectors).
    BoughtTogether = 1,
    /// Things of the line's type go with things of this type (type transitions).
    GoesWithType = 2,
    /// The customer bought it before, and it is due again.
    Refill = 3,
    /// The line, an answer or the order triggers the offer.
    Triggered = 4,
    /// Nothing better was left.
    House = 5,
    /// It is like the line's product in its title's words, its text, category or brand; no orders say that the two go together.
    Alike = 6,
}

impl Relation {
    /// From its number.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::BoughtTogether),
            2 => Some(Self::GoesWithType),
            3 => Some(Self::Refill),
            4 => Some(Self::Triggered),
            5 => Some(Self::House),
            6 => Some(Self::Alike),
            _ => None,
        }
    }

    /// The name that output and logs use.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::BoughtTogether => "bought_together",
            Self::GoesWithType => "goes_with_type",
            Self::Refill => "refill",
            Self::Triggered => "triggered",
            Self::House => "house",
            Self::Alike => "alike",
        }
    }
}

/// The bought line behind an offer, and how it leads there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Because {
    /// Index into `Transaction::lines`; `None` where no single line is behind it (a refill, a house offer).
    pub line: Option<u16>,
    /// How.
    pub relation: Relation,
}

/// A product's row in the catalog. Only valid with the catalog that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProductIx(pub u32);

/// An offer's row in the catalog. Only valid with the catalog that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OfferIx(pub u32);

/// What is offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Item {
    /// A product of the catalog.
    Product(ProductIx),
    /// Any other offer.
    Offer(OfferIx),
}

/// One offer of a slate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    /// What.
    pub item: Item,
    /// Which kind.
    pub kind: OfferKind,
    /// Position on the page, from 0.
    pub position: u8,
    /// Sold or made by a third party.
    pub third_party: bool,
    /// How it may be accepted.
    pub accept: AcceptMode,
    /// How well it fits what was bought, in thousandths.
    pub relevance: u16,
    /// Probability that the customer accepts it, parts per million.
    pub p_accept_ppm: u32,
    /// Probability that the policy shows it in this slot, given what else was let through, parts per million: what pacing lets
    /// pass of it, times what partners' shares of the slots do, times the share of draws in which exploration chooses it among what
    /// still fitted, given the slots before. Certain as long as nothing is explored, paced or shared.
    pub p_select_ppm: u32,
    /// What the merchant earns when it is accepted, minor units.
    pub value: i64,
    /// Price it was decided with, minor units: the overlay's where it has one, else the catalog's; `None` = not known.
    pub price: Option<i64>,
    /// Expected contribution: `p_accept * value`, in millionths of a minor unit.
    pub ev_micros: i64,
    /// Why it is here.
    pub because: Because,
}

/// A candidate that did not make it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rejected {
    /// What.
    pub item: Item,
    /// The first rule that failed.
    pub reason: Reason,
}

/// How a decision ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// At least one offer.
    Ok,
    /// No offer, and that is right: the commonest reason.
    NoOffer(Reason),
    /// The unit is held out: show this instead. [`Offers::ghost`] has what it would have seen.
    Holdout(Shows),
}

impl Status {
    /// `OK`, `NO_OFFER` or `HOLDOUT`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::NoOffer(_) => "NO_OFFER",
            Self::Holdout(_) => "HOLDOUT",
        }
    }

    /// Why there is no offer, where there is none.
    #[must_use]
    pub const fn reason(self) -> Option<Reason> {
        match self {
            Self::Ok => None,
            Self::NoOffer(reason) => Some(reason),
            Self::Holdout(Shows::Earlier) => Some(Reason::HoldoutEarlier),
            Self::Holdout(_) => Some(Reason::Holdout),
        }
    }
}

/// What the decision was made with: enough to make it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Generations {
    /// Content of the catalog.
    pub index: u64,
    /// Content of the policy.
    pub policy: u64,
    /// Changes of the overlay's settings before the decision; 0 without an overlay. What was read of it:
    /// [`crate::Decider::live_facts`].
    pub overlay: u64,
    /// Content of the model, [`crate::Model::generation`]; 0 without one.
    pub model: u32,
}

/// How much work a decision was; equal on every machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// The vector search.
    pub search: SearchCounters,
    /// Candidates retrieved.
    pub retrieved: u32,
    /// Candidates that passed every rule.
    pub eligible: u32,
    /// Candidates refused.
    pub rejected: u32,
}

/// What a decision left out because its host's deadline had come. Part of what a replay needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Degraded {
    /// The vector searches: candidates come from triggers, refills and types alone.
    pub search: bool,
    /// All candidates but the first [`crate::limits::LATE_CANDIDATES_MAX`], in the order of their sources.
    pub candidates: bool,
}

/// The result of a decision: a slate, or none with a reason. Lives where the caller puts it; nothing is on the heap.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    /// Equal for equal order id, time, product ids, answers, catalog and policy. Without answers, the group's.
    pub decision_id: u128,
    /// Equal for all decisions of one order under one catalog and policy, whatever the customer answered. Chance is drawn from it.
    pub group_id: u128,
    /// How it ended.
    pub status: Status,
    /// With what it was made.
    pub generations: Generations,
    /// How much work it was.
    pub counters: Counters,
    /// What was left out for a deadline.
    pub degraded: Degraded,
    /// Where its unit stands in the policy's experiments; [`crate::Engine::arms`] names them.
    pub assignment: Assignment,
    pub(crate) slate: SmallVec<[Offer; SLOTS_MAX]>,
    pub(crate) rejected: SmallVec<[Rejected; REJECTED_MAX]>,
}

impl Offers {
    pub(crate) fn new(decision_id: u128, group_id: u128, generations: Generations) -> Self {
        Self {
            decision_id,
            group_id,
            status: Status::NoOffer(Reason::NotRetrieved),
            generations,
            counters: Counters::default(),
            degraded: Degraded::default(),
            assignment: Assignment::default(),
            slate: SmallVec::new(),
            rejected: SmallVec::new(),
        }
    }

    /// The offers, best first. Empty where nothing belongs on the page, or the unit is held out.
    #[must_use]
    pub fn slate(&self) -> &[Offer] {
        if matches!(self.status, Status::Holdout(_)) { &[] } else { &self.slate }
    }

    /// What a held-out unit would have seen: for the log, never for the page. Empty for all others.
    #[must_use]
    pub fn ghost(&self) -> &[Offer] {
        if matches!(self.status, Status::Holdout(_)) { &self.slate } else { &[] }
    }

    /// The offers, whoever sees them.
    pub(crate) fn decided(&self) -> &[Offer] {
        &self.slate
    }

    /// The refused candidates, at most [`REJECTED_MAX`]; `counters.rejected` counts all.
    #[must_use]
    pub fn rejected(&self) -> &[Rejected] {
        &self.rejected
    }

    /// Keeps a rejection where there is room, and counts it. Never spills to the heap.
    pub(crate) fn reject(&mut self, item: Item, reason: Reason) {
        self.counters.rejected += 1;
        if self.rejected.len() < REJECTED_MAX {
            self.rejected.push(Rejected { item, reason });
        }
    }

    /// An item that was refused is shown after all, in place of another.
    pub(crate) fn replace_rejected(&mut self, shown: Item, instead: Item, reason: Reason) {
        let entry = self.rejected.iter_mut().find(|rejected| rejected.item == shown);
        if let Some(entry) = entry {
            *entry = Rejected { item: instead, reason };
        }
    }

    /// Adds an offer where a slot is left. Never spills to the heap.
    pub(crate) fn show(&mut self, offer: Offer) {
        if self.slate.len() < SLOTS_MAX {
            self.slate.push(offer);
        }
    }
}
