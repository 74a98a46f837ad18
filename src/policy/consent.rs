//! To which purposes a customer must have consented before an offer may appear.

use std::collections::BTreeMap;

use super::Unknown;
use super::stored::record;
use crate::index::format::{PolicyRecord, rule};
use crate::profile::{Consent, Purposes};
use crate::vocabulary::{By, OfferKind, Party, Purpose};

/// Which purposes offers need: an offer appears where the customer granted all that its party and its kind need.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "policy", derive(serde::Deserialize))]
#[cfg_attr(feature = "policy", serde(deny_unknown_fields, default))]
pub struct ConsentPolicy {
    /// By whose offer it is.
    pub parties: BTreeMap<Party, Vec<Purpose>>,
    /// By the kind of offer.
    pub kinds: BTreeMap<OfferKind, Vec<Purpose>>,
    /// Whether a purpose that nobody asked about is as good as granted: `Allow` is for countries where the law lets customers
    /// opt out.
    pub not_asked: Unknown,
}

impl Default for ConsentPolicy {
    fn default() -> Self {
        Self { parties: BTreeMap::new(), kinds: BTreeMap::new(), not_asked: Unknown::Deny }
    }
}

impl ConsentPolicy {
    /// What is needed, as stored: nothing where nothing is, so that such a policy stays the policy that it was.
    pub(super) fn records(&self) -> impl Iterator<Item = PolicyRecord> {
        let need = |by: By, code: u8, purposes: &[Purpose]| {
            let bits = Purposes::of(purposes).bits();
            record(rule::CONSENT, u32::from(by.code()) | u32::from(code) << 8, bits.into())
        };
        let parties = self.parties.iter().map(move |(party, list)| need(By::Party, party.code(), list));
        parties.chain(self.kinds.iter().map(move |(kind, list)| need(By::Kind, kind.code(), list)))
    }
}

/// The same, ready for decisions.
#[derive(Debug, Clone, Default)]
pub(crate) struct ConsentRules {
    by_party: [Purposes; Party::ALL.len()],
    by_kind: [Purposes; OfferKind::ALL.len()],
    /// A purpose that nobody asked about is as good as granted.
    pub(crate) allow_not_asked: bool,
    /// What is needed once more, plainly, for the final check: by party or kind, which, and the purpose.
    pub(crate) needs: Vec<(By, u8, Purpose)>,
}

impl ConsentRules {
    /// Takes a stored record; `None` where it makes no sense.
    pub(super) fn take(&mut self, key: u32, value: i64) -> Option<()> {
        let (by, code) = (By::from_code((key & 0xFF) as u8)?, u8::try_from(key >> 8).ok()?);
        let purposes = Purposes::from_bits(u32::try_from(value).ok()?)?;
        let needed = match by {
            By::Party => self.by_party.get_mut(usize::from(code))?,
            By::Kind => self.by_kind.get_mut(usize::from(code))?,
            _ => return None,
        };
        *needed = needed.union(purposes);
        let each = Purpose::ALL.iter().filter(|purpose| purposes.has(**purpose));
        self.needs.extend(each.map(|purpose| (by, code, *purpose)));
        Some(())
    }

    /// The purposes that a request's customer consented to, as far as this policy is concerned.
    pub(crate) fn given(&self, consent: &Consent) -> Purposes {
        let given = |purpose: &&Purpose| consent.answer(**purpose).unwrap_or(self.allow_not_asked);
        Purpose::ALL.iter().filter(given).fold(Purposes::default(), |set, purpose| set.with(*purpose))
    }

    /// Whether an offer needs more than was given.
    pub(crate) fn lacks(&self, given: Purposes, kind: OfferKind, third_party: bool) -> bool {
        let party = self.by_party.get(usize::from(third_party)).copied().unwrap_or(Purposes::ALL);
        let kind = self.by_kind.get(usize::from(kind.code())).copied().unwrap_or(Purposes::ALL);
        !given.contains(party.union(kind))
    }
}
