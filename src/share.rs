//! A partner's least and greatest share of a placement's slots, as its contract states them.
//!
//! A decision keeps no count of the pages before it, so shares are kept by chance: of a share that comes to 0.3 slots of a page, the
//! whole slots (none) are kept on each page, and one more on 30 % of them, drawn from the decision's id. The greatest share is a
//! limit like others of a slate. The least is soft: what passed every rule, floor and reserve may take the place of a
//! worse offer, and nothing else is moved for it.

use std::cmp::Reverse;

use crate::context::Context;
use crate::decide::{partner_of, position_for, show};
use crate::index::format::{NONE, PartnerRecord};
use crate::limits::SLOTS_MAX;
use crate::live::draw_ppm;
use crate::offer::{Offer, Offers, Reason};
use crate::scratch::Candidate;

/// Offers that one decision tries to give a place.
const TURNS: usize = 2 * SLOTS_MAX;

/// Slots of a page that a share comes to.
#[derive(Debug, Clone, Copy)]
struct Slots {
    /// On each page.
    whole: usize,
    /// Parts per million of the pages that have one more.
    more_ppm: u32,
    /// This page has one more.
    more: bool,
}

impl Slots {
    fn of(context: &Context<'_>, partner: u32, stream: &str, share_bps: u16) -> Self {
        let slots = context.slots as u64 * u64::from(share_bps);
        let more_ppm = (slots % 10_000 * 100) as u32;
        let more = draw_ppm(context.group_id, stream, partner) < u64::from(more_ppm);
        Self { whole: (slots / 10_000) as usize, more_ppm, more }
    }

    fn least(context: &Context<'_>, partner: u32) -> Option<Self> {
        let share = record(context, partner)?.min_share_bps.get();
        (share > 0).then(|| Self::of(context, partner, "least", share))
    }

    fn greatest(context: &Context<'_>, partner: u32) -> Option<Self> {
        let share = record(context, partner)?.max_share_bps.get();
        (share > 0).then(|| Self::of(context, partner, "greatest", share))
    }
}

fn record<'a>(context: &Context<'a>, partner: u32) -> Option<&'a PartnerRecord> {
    context.view.partners.get(partner as usize)
}

/// Offers of a partner on a page.
fn shown(context: &Context<'_>, slate: &[Offer], partner: u32) -> usize {
    slate.iter().filter(|offer| partner_of(context, offer.item) == partner).count()
}

/// Whether one more offer of a partner would exceed its greatest share.
pub(crate) fn is_exhausted(context: &Context<'_>, slate: &[Offer], partner: u32) -> bool {
    Slots::greatest(context, partner)
        .is_some_and(|most| shown(context, slate, partner) >= most.whole + usize::from(most.more))
}

/// Probability that one more offer of a partner is let through, parts per million, where pacing lets `pass_ppm` through.
pub(crate) fn p_select_ppm(context: &Context<'_>, slate: &[Offer], partner: u32, pass_ppm: u32) -> u32 {
    match Slots::greatest(context, partner) {
        Some(most) if shown(context, slate, partner) >= most.whole => scale(pass_ppm, most.more_ppm),
        _ => pass_ppm,
    }
}

/// Gives partners that are owed more of the page the place of a worse offer, the best candidates first.
pub(crate) fn give_what_is_owed(context: &Context<'_>, candidates: &[Candidate], offers: &mut Offers) {
    if !context.policy.has_least_shares {
        return;
    }
    let mut done = [NONE; TURNS];
    for turn in 0..TURNS {
        let waits = |candidate: &&Candidate| {
            let partner = partner_of(context, candidate.item);
            let there = offers.slate().iter().any(|offer| offer.item == candidate.item);
            partner != NONE && !candidate.house && !there && !done.contains(&partner)
        };
        let owed = |candidate: &&Candidate| {
            let partner = partner_of(context, candidate.item);
            let shown = shown(context, offers.slate(), partner);
            Slots::least(context, partner).is_some_and(|l| shown < l.whole + usize::from(l.more_ppm > 0))
        };
        let rank = |c: &&Candidate| (Reverse(c.ev_micros), Reverse(c.score), c.item);
        let Some(candidate) = candidates.iter().filter(waits).filter(owed).min_by_key(rank) else { return };
        if !displace(context, candidate, offers)
            && let Some(done) = done.get_mut(turn)
        {
            *done = partner_of(context, candidate.item);
        }
    }
}

/// Gives a candidate the place of the worst offer that makes room for it, where this page is one of those that owe it;
/// `false` where nothing changed.
fn displace(context: &Context<'_>, candidate: &Candidate, offers: &mut Offers) -> bool {
    let partner = partner_of(context, candidate.item);
    let Some(least) = Slots::least(context, partner) else { return false };
    let sure = shown(context, offers.slate(), partner) < least.whole;
    let mut tried = [false; SLOTS_MAX];
    loop {
        let mut places = offers.slate().iter().enumerate().zip(&tried).filter(|(_, tried)| !**tried);
        let worst = places.by_ref().min_by_key(|((_, offer), _)| (offer.ev_micros, Reverse(offer.item)));
        let Some(((at, _), _)) = worst else { return false };
        if let Some(tried) = tried.get_mut(at) {
            *tried = true;
        }
        let Some(mut victim) = offers.slate().get(at).copied() else { return false };
        let owed = Slots::least(context, partner_of(context, victim.item)).is_some();
        if owed {
            continue; // nobody pays another's debt
        }
        offers.slate.remove(at);
        match position_for(context, offers.slate(), candidate) {
            Ok(position) if sure || least.more => {
                let mut given = *candidate;
                if !sure {
                    given.pass_ppm = scale(given.pass_ppm, least.more_ppm);
                }
                show(context, &given, position, offers);
                offers.replace_rejected(candidate.item, victim.item, Reason::ShareOwed);
                return true;
            }
            Ok(_) => {
                // Not on this page; on the others, this offer would have made room.
                victim.p_select_ppm = scale(victim.p_select_ppm, 1_000_000 - least.more_ppm);
                offers.slate.insert(at, victim);
                return false;
            }
            Err(_) => offers.slate.insert(at, victim),
        }
    }
}

fn scale(ppm: u32, by_ppm: u32) -> u32 {
    (u64::from(ppm) * u64::from(by_ppm) / 1_000_000) as u32
}
