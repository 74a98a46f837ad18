//! What the merchant wants and refuses: a plain [`Policy`], resolved against a catalog into rules, compiled into bitmaps.

mod bits;
#[cfg(feature = "policy")]
pub mod cel;
mod classes;
mod compiled;
pub mod condition;
mod consent;
mod contracts;
mod doubts;
mod facts;
mod idle;
pub(crate) mod names;
mod placements;
mod questions;
mod resolve;
mod review;
mod rule;
mod rules;
mod selectors;
mod stored;
mod zone;

pub(crate) use compiled::CompiledPolicy;
pub use condition::Condition;
pub use consent::ConsentPolicy;
#[cfg(feature = "build")]
pub(crate) use contracts::{Cap, Draft as ContractDraft};
pub(crate) use facts::Facts;
pub(crate) use placements::{Placed, is_before_payment, party_bit, slots_of};
pub(crate) use questions::Ready as ReadyQuestion;
pub use questions::{PossibleAnswer, Question, Sign};
pub use review::{Review, RuleReach};
pub use rule::{Apart, NamedPlacement, Names, Rule, Rung};
#[cfg(feature = "build")]
pub(crate) use rules::Op;
pub(crate) use rules::{Holding, meets};
pub(crate) use selectors::{By, Member};
#[cfg(feature = "build")]
pub(crate) use stored::write_contract;
pub(crate) use stored::{contracts_of, other_marks};

use crate::experiment::{Experiment, Explore, Holdout};
use crate::live::LivePolicy;
use crate::vocabulary::SensitiveClass;

/// The merchant's rules, by name. In a file it is TOML (see the README); in Rust it is this.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Policy {
    /// Version of this vocabulary: 1.
    pub version: u32,
    /// Name of the category vocabulary; must equal the catalog's. Needed where any rule names a category.
    pub taxonomy: Option<String>,
    /// IANA name of the zone in which conditions read the clock, like `Europe/Berlin`. Needed where any condition does.
    pub time_zone: Option<String>,
    /// Switches every offer off.
    pub kill_switch: bool,
    /// What may never appear.
    pub suppress: Names,
    /// What alone may appear, list by list; a list that is empty allows all. See [`Rule::allow_only`].
    pub allow_only: Names,
    /// Rules with conditions.
    #[cfg_attr(feature = "policy", serde(rename = "rule"))]
    pub rules: Vec<Rule>,
    /// Offers that may not stand on one page.
    pub apart: Vec<Apart>,
    /// Category subtrees of a sensitive class. Those that the catalog's own policy names stay sensitive under every other, unless
    /// it says otherwise of the same category ([`SensitiveClass::None`] lifts a mark).
    pub sensitive: Vec<SensitiveRule>,
    /// Sensitive classes that may appear nevertheless, to customers of the right age.
    pub allow_sensitive: Vec<SensitiveClass>,
    /// To which purposes a customer must have consented.
    pub consent: ConsentPolicy,
    /// The placement of requests that no other placement serves.
    pub placement: PlacementPolicy,
    /// Placements of their own.
    pub placements: Vec<NamedPlacement>,
    /// Limits within one slate.
    pub slate: SlatePolicy,
    /// How offers are valued.
    pub value: ValuePolicy,
    /// What to do where the feed does not say.
    pub unknown: UnknownPolicy,
    /// What is asked of the live overlay.
    pub live: LivePolicy,
    /// Units that are in no experiment and see no offers.
    pub holdout: Holdout,
    /// Arms that units are divided among.
    #[cfg_attr(
        feature = "policy",
        serde(rename = "experiment", deserialize_with = "crate::experiment::deserialize")
    )]
    pub experiments: Vec<Experiment>,
    /// Exploration, where no arm says otherwise.
    pub explore: Explore,
    /// Questions that a page may ask.
    #[cfg_attr(feature = "policy", serde(rename = "question"))]
    pub questions: Vec<Question>,
}

/// Marks a category subtree as sensitive.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields))]
pub struct SensitiveRule {
    /// Category path.
    pub category: String,
    /// Its class.
    pub class: SensitiveClass,
    /// Above 0: for adults only. The number itself is not compared, since the host only says whether a customer is of age.
    #[cfg_attr(feature = "policy", serde(default))]
    pub age_min: u8,
}

/// The placement's part of a policy.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct PlacementPolicy {
    /// Slots, 1 to 16.
    pub slots: u8,
    /// Least relevance, 0 to 1: whether an offer makes sense beside the basket.
    pub min_relevance: f64,
    /// Least `p_accept`, 0 to 1: whether an offer is likely enough, in every placement. 0 (the default) = no such floor, since
    /// what is likely differs from shop to shop; `aftercart relevance` prints what each floor costs.
    pub min_p_accept: f64,
    /// Least expected contribution of an offer, in major units of the catalog's currency.
    pub reserve: f64,
    /// What fills slots that nothing else deserves, in this order; `None` = house offers, then content.
    pub fallback: Option<Vec<Rung>>,
}

/// Limits within one slate.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct SlatePolicy {
    /// Products of one type; 0 = no limit, 255 (the default) = one, three where there are more than eight slots, and one alone where
    /// the placement asks for first purchases ([`crate::Repeat::Never`]).
    pub max_per_type: u8,
    /// Products of one brand; 0 = no limit.
    pub max_per_brand: u8,
    /// Offers of one partner, where it states no limit of its own; 0 = no limit.
    pub max_per_partner: u8,
    /// Offers of all third parties together; 0 = none.
    pub max_third_party: u8,
    /// Refills, as a share of the slots in percent, but at least one; 0 = none.
    pub max_refill_percent: u8,
}

/// How first-party products are valued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(rename_all = "snake_case"))]
pub enum FirstPartyValue {
    /// All alike, at the catalog's typical contribution: relevance alone orders them.
    #[default]
    Typical,
    /// Each at its own price and margin.
    Margin,
}

/// The value part of a policy.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct ValuePolicy {
    /// How first-party products are valued.
    pub first_party: FirstPartyValue,
    /// Dearest product, in percent of the order value; 0 = no limit.
    pub max_price_percent: u32,
}

/// `allow` or `deny`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "programmes", derive(serde::Deserialize))]
#[cfg_attr(feature = "programmes", serde(rename_all = "snake_case"))]
pub enum Unknown {
    /// Offer it.
    #[default]
    Allow,
    /// Do not.
    Deny,
}

/// What to do where the feed does not say. An unknown category under a category rule is always denied.
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct UnknownPolicy {
    /// Availability.
    pub availability: Unknown,
    /// Price.
    pub price: Unknown,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            version: 1,
            taxonomy: None,
            time_zone: None,
            kill_switch: false,
            suppress: Names::default(),
            allow_only: Names::default(),
            rules: Vec::new(),
            apart: Vec::new(),
            sensitive: Vec::new(),
            allow_sensitive: Vec::new(),
            consent: ConsentPolicy::default(),
            placement: PlacementPolicy::default(),
            placements: Vec::new(),
            slate: SlatePolicy::default(),
            value: ValuePolicy::default(),
            unknown: UnknownPolicy::default(),
            live: LivePolicy::default(),
            holdout: Holdout::default(),
            experiments: Vec::new(),
            explore: Explore::default(),
            questions: Vec::new(),
        }
    }
}

impl Default for PlacementPolicy {
    fn default() -> Self {
        Self { slots: 3, min_relevance: 0.2, min_p_accept: 0.0, reserve: 0.0, fallback: None }
    }
}

impl Default for SlatePolicy {
    fn default() -> Self {
        Self {
            max_per_type: u8::MAX,
            max_per_brand: 0,
            max_per_partner: 1,
            max_third_party: 1,
            max_refill_percent: 100,
        }
    }
}

/// Why a policy cannot be used. A rule that cannot be understood is never ignored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A name that the catalog does not have.
    #[error(
        "{}{field}: the catalog has no {what} \"{name}\"; {}, or drop it",
        of_rule(.rule.as_deref()),
        way_out(what, .like)
    )]
    UnknownName {
        /// Where in the policy.
        field: &'static str,
        /// Name of the rule or pair that has it, where it is one's.
        rule: Option<String>,
        /// Kind of thing.
        what: &'static str,
        /// The name.
        name: String,
        /// Names that it may have meant, at most three, likeliest first. Needs the feature `policy`.
        like: Vec<String>,
    },
    /// Another vocabulary of categories.
    #[error(
        "taxonomy: the policy speaks of \"{policy}\", the catalog of \"{catalog}\"; write rules for the catalog's"
    )]
    Taxonomy {
        /// The policy's.
        policy: String,
        /// The catalog's.
        catalog: String,
    },
    /// Rules about categories, and no word on whose.
    #[error(
        "taxonomy: rules name categories; say whose they are: taxonomy = \"{catalog}\" is this catalog's"
    )]
    NoTaxonomy {
        /// The catalog's.
        catalog: String,
    },
    /// A time zone that nobody knows.
    #[error(
        "time_zone: there is no zone \"{name}\" here; use a name of the IANA database, like \"America/New_York\""
    )]
    Zone {
        /// The name.
        name: String,
    },
    /// A rule that says too little, too much, or what cannot be.
    #[error("{field} \"{name}\": {problem}")]
    Rule {
        /// `rule`, `apart` or `placements`.
        field: &'static str,
        /// Name of the rule.
        name: String,
        /// What is wrong, and the way out.
        problem: String,
    },
    /// A number outside its range.
    #[error("{field}: must be {allowed}")]
    OutOfRange {
        /// Where in the policy.
        field: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A stored rule that this version does not know, or a damaged one.
    #[error("stored policy: rule {row} is not one that this version knows; build the catalog again")]
    BadRecord {
        /// Row of the policy section.
        row: usize,
    },
}

fn of_rule(rule: Option<&str>) -> String {
    rule.map_or_else(String::new, |rule| format!("\"{rule}\": "))
}

fn way_out(what: &str, like: &[String]) -> String {
    match (did_you_mean(like), what) {
        (Some(question), _) => format!("{question} Correct the name"),
        (None, "category") => "correct the name (`aftercart inspect FILE --categories` lists them)".into(),
        (None, "partner" | "offer") => "correct the name (the partners file has them)".into(),
        (None, _) => "correct the name (the product feed has them)".into(),
    }
}

/// Asks whether one of these names was meant, where there are any.
pub(crate) fn did_you_mean(like: &[String]) -> Option<String> {
    let quoted: Vec<String> = like.iter().map(|name| format!("\"{name}\"")).collect();
    (!quoted.is_empty()).then(|| format!("did you mean {}?", quoted.join(" or ")))
}
