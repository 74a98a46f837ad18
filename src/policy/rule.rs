//! Rules with conditions, pairs that may not meet, and placements: their plain form.

use std::collections::BTreeMap;

use super::condition::Condition;
use crate::vocabulary::{Attribute, OfferKind, Party, SensitiveClass, Stage};

/// Names of products and offers. Several names are alternatives: whatever carries any of them is meant.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Names {
    /// Category paths; each with its subtree.
    pub categories: Vec<String>,
    /// Brands.
    pub brands: Vec<String>,
    /// Values of attributes. To be suppressed, one of them is enough. "Allow only" is asked attribute by attribute: each that is
    /// named here, a product must have with one of its values; where the feed does not say, it has none.
    pub attributes: BTreeMap<Attribute, Vec<String>>,
    /// Partner ids.
    pub partners: Vec<String>,
    /// Product ids.
    pub products: Vec<String>,
    /// Offer ids.
    pub offers: Vec<String>,
    /// Kinds of offer.
    pub kinds: Vec<OfferKind>,
    /// Whose offers.
    pub parties: Vec<Party>,
}

impl Names {
    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What holds under a condition.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Rule {
    /// Its name in explanations, 1 to 64 bytes, its own.
    pub name: String,
    /// When it holds. Where the request does not say what the condition asks about, `suppress` and `allow_only` hold and
    /// `allow_sensitive` does not.
    #[cfg_attr(feature = "policy", serde(deserialize_with = "super::cel::deserialize"))]
    pub when: Condition,
    /// Only where a bought line is one of these (categories, brands, products); empty = whatever was bought.
    pub bought: Names,
    /// What may not appear.
    pub suppress: Names,
    /// What alone may appear, list by list: of categories, brands and products only those, of partners' offers only those
    /// partners', and so on. A list that is empty allows all.
    pub allow_only: Names,
    /// Sensitive classes that may appear.
    pub allow_sensitive: Vec<SensitiveClass>,
}

/// Two sets of offers that may not stand on one page: competitive separation.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct Apart {
    /// Its name in explanations, 1 to 64 bytes, its own.
    pub name: String,
    /// One side.
    pub these: Names,
    /// The other side; empty = the same as `these`: at most one of them appears.
    pub those: Names,
    /// What was bought counts as standing on the page, so that kinds which the shop keeps under several names are one kind.
    /// Then `these` and `those` may name categories, brands and products only.
    pub bought: bool,
}

impl Apart {
    /// The other side.
    pub(crate) fn other(&self) -> &Names {
        if self.those.is_empty() { &self.these } else { &self.those }
    }

    /// What stands for it before the page is filled: one side was bought, so the other may not appear.
    pub(crate) fn rules(&self) -> impl Iterator<Item = Rule> {
        let ways = [(&self.these, self.other()), (self.other(), &self.these)];
        let ways = ways.into_iter().take(if self.those.is_empty() { 1 } else { 2 }).filter(|_| self.bought);
        ways.map(|(bought, suppress)| Rule {
            name: self.name.clone(),
            bought: bought.clone(),
            suppress: suppress.clone(),
            ..Rule::default()
        })
    }
}

/// A placement of its own. What it leaves out is as `[placement]` says.
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct NamedPlacement {
    /// Its id in requests, 1 to 64 bytes, its own.
    pub id: String,
    /// The stage whose requests it serves where they name no placement.
    pub stage: Option<Stage>,
    /// Slots, 1 to 16.
    pub slots: Option<u8>,
    /// Least relevance by position, 0 to 1; the last one holds for all further ones.
    pub min_relevance: Vec<f64>,
    /// Least expected contribution by position, in major units; likewise.
    pub reserve: Vec<f64>,
    /// Kinds of offer that each position takes; likewise. None = all.
    pub kinds: Vec<Vec<OfferKind>>,
    /// Whose offers each position takes; likewise. None = all after payment, the merchant's own before.
    pub parties: Vec<Vec<Party>>,
    /// What fills slots that nothing else deserves, in this order; `None` = house offers, then content.
    pub fallback: Option<Vec<Rung>>,
}

/// A rung of the fallback ladder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(rename_all = "snake_case"))]
pub enum Rung {
    /// House offers that are not content.
    House,
    /// House offers that are content.
    Content,
}
