//! What partners and their offers ask of a request: conditions and frequency caps. They come with the catalog, not with the
//! merchant's policy, and hold under every policy.

use std::ops::Range;

use super::condition::{FlagFact, ListFact};
use super::facts::text_hash;
use super::rules::{self, Op};
use crate::context::{Exposed, Seen};
use crate::distance::prefetch_at;
use crate::index::format::NONE;
use crate::offer::Reason;
use crate::vocabulary::Exposure;

/// At most so many events in a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cap {
    pub(crate) event: Exposure,
    pub(crate) most: u32,
    pub(crate) window_ms: i64,
}

/// What is asked, as it is read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Draft {
    /// Row of a partner, or of an offer.
    pub(crate) row: u32,
    pub(crate) of_offer: bool,
    pub(crate) ops: Vec<Op>,
    pub(crate) caps: Vec<Cap>,
}

#[derive(Debug, Clone, Default)]
struct Contract {
    ops: Range<u32>,
    caps: Range<u32>,
}

/// All of them; `Default` = none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Contracts {
    /// By row; what asks for nothing is empty.
    partners: Vec<Contract>,
    offers: Vec<Contract>,
    ops: Vec<Op>,
    caps: Vec<Cap>,
}

impl Contracts {
    /// Of several for one row the last holds; a builder writes one. Rows are those of the catalog's partners and offers.
    pub(crate) fn new(drafts: &[Draft]) -> Self {
        let mut contracts = Self::default();
        for draft in drafts {
            let (ops, caps) = (contracts.ops.len() as u32, contracts.caps.len() as u32);
            contracts.ops.extend(&draft.ops);
            contracts.caps.extend(&draft.caps);
            let (ops, caps) = (ops..contracts.ops.len() as u32, caps..contracts.caps.len() as u32);
            let list = if draft.of_offer { &mut contracts.offers } else { &mut contracts.partners };
            let row = draft.row as usize;
            if list.len() <= row {
                list.resize(row + 1, Contract::default());
            }
            list[row] = Contract { ops, caps };
        }
        contracts
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.partners.is_empty() && self.offers.is_empty()
    }

    /// Whether any condition of a contract looks at an answer with this tag, or at whether the order is a gift.
    pub(super) fn ask_for(&self, tag: &str, gift: bool) -> bool {
        let asks = |op: &Op| match op {
            Op::Has { list: ListFact::Answers, hash } => *hash == text_hash(tag),
            Op::Flag(FlagFact::OrderGift) => gift,
            _ => false,
        };
        self.ops.iter().any(asks)
    }

    /// Asks for a partner's contract, which will be read soon.
    pub(crate) fn prefetch(&self, partner: u32) {
        prefetch_at(&self.partners, partner as usize);
    }

    /// What a partner's contract says against anything of it.
    pub(crate) fn partner_refusals(&self, partner: u32, seen: Seen<'_>) -> [Option<Reason>; 2] {
        let of = |exposed: &Exposed| exposed.partner == partner && partner != NONE;
        self.refusals(&self.partners, partner, seen, of, Reason::PartnerContext)
    }

    /// What an offer's own contract says against it.
    pub(crate) fn offer_refusals(&self, offer: u32, seen: Seen<'_>) -> [Option<Reason>; 2] {
        self.refusals(&self.offers, offer, seen, |exposed| exposed.offer == offer, Reason::OfferCondition)
    }

    fn refusals(
        &self,
        list: &[Contract],
        row: u32,
        seen: Seen<'_>,
        counts: impl Fn(&Exposed) -> bool,
        condition: Reason,
    ) -> [Option<Reason>; 2] {
        let Some(contract) = list.get(row as usize) else { return [None; 2] };
        let ops = self.ops.get(contract.ops.start as usize..contract.ops.end as usize).unwrap_or(&[]);
        let unmet = !ops.is_empty() && rules::answer(ops, seen.facts) != Some(true);
        let caps = self.caps.get(contract.caps.start as usize..contract.caps.end as usize).unwrap_or(&[]);
        let full = |cap: &Cap| {
            // Where either time is not known, the event counts.
            let recent = |at_ms: i64| {
                seen.now_ms <= 0 || at_ms <= 0 || seen.now_ms.saturating_sub(at_ms) < cap.window_ms
            };
            let counted =
                seen.exposures.iter().filter(|e| e.event == cap.event && counts(e) && recent(e.at_ms));
            counted.count() >= cap.most as usize
        };
        [unmet.then_some(condition), caps.iter().any(full).then_some(Reason::FrequencyCap)]
    }
}
