//! The decision, top to bottom: admit, context, retrieve, gate, score, arbitrate, explore, fallback, verify, emit.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::accept::Acceptance;
use crate::context::{self, Context};
use crate::distance::Kernel;
use crate::engine::Engine;
use crate::experiment::{self, Shows};
use crate::features::{self, Learnt};
use crate::index::format::NONE;
use crate::limits::{LATE_CANDIDATES_MAX, LINES_MAX, REJECTED_MAX, SLOTS_MAX};
use crate::live::{self, LiveFact, Reading, Source};
use crate::observe::STAGES;
use crate::offer::{Because, Degraded, Item, Offer, OfferIx, Offers, ProductIx, Reason, Relation, Status};
use crate::partner;
use crate::policy::{Placed, party_bit};
use crate::profile::Profile;
use crate::ranking;
use crate::record::{self, RingWriter};
use crate::retrieve;
use crate::scratch::{Candidate, NO_LINE, Scratch, Work};
use crate::share;
use crate::suppression;
use crate::transaction::{Repeat, Transaction};
use crate::verify;
use crate::vocabulary::OfferKind;

/// Why there was no decision at all. Small and `Copy`: nothing is formatted on the hot path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecideError {
    /// More lines than are read: rules could not be checked against all of them.
    #[error("more than 512 lines in one transaction")]
    TooManyLines,
    /// More slots than a slate has.
    #[error("more than 16 slots")]
    TooManySlots,
}

/// Where a decision asks whether it is late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checkpoint {
    /// Before the vector searches.
    Search,
    /// Before candidates are judged and scored.
    Candidates,
}

/// Makes decisions, one at a time. Owns all memory that a decision needs; may move between threads.
#[derive(Debug)]
pub struct Decider {
    pub(crate) engine: Arc<Engine>,
    pub(crate) scratch: Scratch,
    pub(crate) log: Option<RingWriter>,
    pub(crate) clock: Option<fn() -> u64>,
}

impl Decider {
    /// Sets aside the memory: the only allocation in a decider's life.
    #[must_use]
    pub fn new(engine: Arc<Engine>) -> Self {
        let scratch = Scratch::new(&engine);
        Self { engine, scratch, log: None, clock: None }
    }

    /// Writes each decision from now on to a ring, and gives back the one before. Replays are not written.
    pub fn record_to(&mut self, ring: Option<RingWriter>) -> Option<RingWriter> {
        std::mem::replace(&mut self.log, ring)
    }

    /// The engine.
    #[must_use]
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(crate) fn parts(&mut self) -> (&Engine, &mut Scratch) {
        (&self.engine, &mut self.scratch)
    }

    /// Decides what belongs on the page. No heap allocation, no lock, no system call, no panic; work bounded by
    /// [`crate::limits`]; the same input gives the same offers on every machine.
    ///
    /// # Errors
    /// [`DecideError`] where the request exceeds a limit. "Nothing belongs there" is not an error but
    /// [`Status::NoOffer`].
    pub fn decide(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
    ) -> Result<Offers, DecideError> {
        self.decide_until(transaction, profile, |_| false)
    }

    /// As [`Decider::decide`], and leaves out the rest of a stage when the host says that it is late: the searches, where it
    /// is late before them, and most candidates, where it is late before they are scored. Rules are never left out.
    ///
    /// `is_late` is asked at most twice, so a host compares its clock there, as [`Decider::decide_by`] does; to make a
    /// recorded decision again it answers with what [`Offers::degraded`] says.
    ///
    /// # Errors
    /// As [`Decider::decide`].
    pub fn decide_until(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        is_late: impl FnMut(Checkpoint) -> bool,
    ) -> Result<Offers, DecideError> {
        self.decide_observed(transaction, profile, is_late, |_| ())
    }

    /// What the last decision read of the live overlay: one entry for each candidate of which the overlay said anything.
    /// With it, the request, [`Offers::degraded`] and the catalog and policy of [`Offers::generations`], the decision can be
    /// made again.
    #[must_use]
    pub fn live_facts(&self) -> &[LiveFact] {
        &self.scratch.work.facts
    }

    /// Makes a recorded decision again: reads `facts` in place of the overlay, and leaves out what was left out.
    ///
    /// # Errors
    /// As [`Decider::decide`].
    pub fn replay(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        degraded: Degraded,
        facts: &[LiveFact],
    ) -> Result<Offers, DecideError> {
        let mut is_late = |at| match at {
            Checkpoint::Search => degraded.search,
            Checkpoint::Candidates => degraded.candidates,
        };
        self.staged(transaction, profile, &mut is_late, &mut |_| (), Some(facts))
    }

    /// Goes on with another engine (another catalog, policy or overlay) from the next decision on, and gives the old one back,
    /// so that the caller chooses where it is let go. Allocates only where rules with conditions need more room than before.
    pub fn swap_engine(&mut self, engine: Arc<Engine>) -> Arc<Engine> {
        self.scratch.context.fit(&engine);
        std::mem::replace(&mut self.engine, engine)
    }

    /// The pipeline. `stage_done` hears of each stage of [`STAGES`].
    pub(crate) fn staged(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        is_late: &mut impl FnMut(Checkpoint) -> bool,
        stage_done: &mut impl FnMut(&'static str),
        recorded: Option<&[LiveFact]>,
    ) -> Result<Offers, DecideError> {
        let engine = &*self.engine;
        let kernel = engine.kernel();
        let Scratch { context, work } = &mut self.scratch;
        work.facts.clear();
        admit(transaction)?;
        let group_id = record::group_id(engine.generations(), transaction);
        let decision_id = record::decision_id(group_id, profile.answers);
        let mut offers = Offers::new(decision_id, group_id, engine.generations());
        offers.assignment = engine.policy().experiments.assign(transaction, profile);
        let mut context = context::resolve(engine.view(), engine.policy(), transaction, profile, context);
        context.group_id = group_id;
        context.model =
            engine.model().map(|model| model.ask(&context, &record::placement(engine, transaction)));
        let source = recorded.map_or(engine.source(), Source::Recorded);
        let overlay = Reading::new(source, group_id, context.now_ms());
        if let Some(reason) = switched_off(&context, &overlay) {
            offers.status = Status::NoOffer(reason);
            return Ok(offers);
        }
        stage_done(STAGES[0]);
        retrieve::from_lists(&context, engine.effort(), work);
        retrieve::fetch(&context, &overlay, &work.candidates.list);
        stage_done(STAGES[1]);
        offers.degraded.search = is_late(Checkpoint::Search);
        if !offers.degraded.search {
            let known = work.candidates.list.len();
            retrieve::by_search(&context, kernel, engine.effort(), work, &mut offers.counters);
            retrieve::fetch(&context, &overlay, work.candidates.list.get(known..).unwrap_or(&[]));
        }
        stage_done(STAGES[2]);
        if is_late(Checkpoint::Candidates) {
            offers.degraded.candidates = work.candidates.list.len() > LATE_CANDIDATES_MAX;
            work.candidates.list.truncate(LATE_CANDIDATES_MAX);
        }
        gate_and_score(&context, kernel, &overlay, work, &mut offers);
        stage_done(STAGES[3]);
        arbitrate(&context, work, &mut offers);
        fall_back(&context, work, &mut offers);
        check_again(&context, &overlay, &work.facts, &mut offers);
        offers.slate.sort_unstable_by_key(|offer| offer.position);
        emit(context.asking.is_empty() && context.past.is_empty(), &mut offers);
        stage_done(STAGES[4]);
        if offers.assignment.shows != Shows::Offers {
            offers.status = Status::Holdout(offers.assignment.shows);
        }
        Ok(offers)
    }
}

/// Stage 0: requests beyond the limits are refused whole, since a rule could not be checked against all of them.
fn admit(transaction: &Transaction<'_>) -> Result<(), DecideError> {
    if transaction.lines.len() > LINES_MAX {
        return Err(DecideError::TooManyLines);
    }
    if usize::from(transaction.placement.slots) > SLOTS_MAX {
        return Err(DecideError::TooManySlots);
    }
    Ok(())
}

fn switched_off(context: &Context<'_>, overlay: &Reading<'_>) -> Option<Reason> {
    if context.policy.kill_switch {
        return Some(Reason::KillSwitch);
    }
    if context.placed.is_none() {
        return Some(Reason::UnknownPlacement);
    }
    if !overlay.is_usable(context.policy) {
        return Some(Reason::NoLive);
    }
    (!context.same_currency).then_some(Reason::Currency)
}

/// Stages 3 and 4: refuses what may not be shown, scores what may. Survivors stay in the list. Three short loops and not one
/// long one: the CPU looks some hundred instructions ahead, so it overlaps what several candidates wait for.
fn gate_and_score(
    context: &Context<'_>,
    kernel: Kernel,
    overlay: &Reading<'_>,
    work: &mut Work,
    offers: &mut Offers,
) {
    let Work { candidates, pooled, asked, links, link_best, past_kinds, price, fresh, facts, .. } = work;
    let learnt =
        Learnt { pooled, asked, links, link_best: *link_best, past_kinds, price: *price, fresh: *fresh };
    let list = &mut candidates.list;
    offers.counters.retrieved = list.len() as u32;
    retrieve::fetch_partners(context, list);
    keep(list, offers, |candidate| gate(context, overlay, facts, candidate));
    for candidate in list.iter_mut() {
        if let Item::Product(ProductIx(ix)) = candidate.item {
            candidate.near = features::near(context, kernel, asked, ix);
        }
    }
    let least_reserve = context.least_reserve();
    keep(list, offers, |candidate| score(context, kernel, learnt, least_reserve, candidate));
    offers.counters.eligible = list.len() as u32;
}

/// Keeps the candidates against which there is no reason.
fn keep(
    list: &mut Vec<Candidate>,
    offers: &mut Offers,
    mut against: impl FnMut(&mut Candidate) -> Option<Reason>,
) {
    list.retain_mut(|candidate| match against(candidate) {
        Some(reason) => {
            offers.reject(candidate.item, reason);
            false
        }
        None => true,
    });
}

/// The first rule that refuses a candidate.
fn gate(
    context: &Context<'_>,
    overlay: &Reading<'_>,
    facts: &mut Vec<LiveFact>,
    candidate: &mut Candidate,
) -> Option<Reason> {
    let mut first = None;
    let mut sink = |reason| {
        first = Some(reason);
        true
    };
    let (fact, partner) = match candidate.item {
        Item::Product(ProductIx(ix)) => {
            let Some(record) = context.view.product(ix) else {
                return Some(Reason::BadRecord);
            };
            let fact = overlay.look(candidate.item, record.partner.get(), facts);
            let price = take_live(candidate, &fact).unwrap_or(record.price.get());
            suppression::product_rules(context, ix, record, candidate.relation, price, &mut sink);
            (fact, record.partner.get())
        }
        Item::Offer(OfferIx(ix)) => {
            let Some(record) = context.view.offer(ix) else {
                return Some(Reason::BadRecord);
            };
            let fact = overlay.look(candidate.item, record.partner.get(), facts);
            take_live(candidate, &fact);
            suppression::offer_rules(context, ix, record, &mut sink);
            (fact, record.partner.get())
        }
    };
    if first.is_none() {
        overlay.refusals(context.policy, &fact, partner, &mut |reason| {
            first = Some(reason);
            true
        });
    }
    first
}

/// Scores a candidate that passed the gate; says whether it is worth too little.
fn score(
    context: &Context<'_>,
    kernel: Kernel,
    learnt: Learnt<'_>,
    least_reserve: i64,
    candidate: &mut Candidate,
) -> Option<Reason> {
    if let Item::Product(ProductIx(ix)) = candidate.item
        && let Some(record) = context.view.product(ix)
    {
        ranking::score_near(context, kernel, learnt, record, candidate);
    }
    if let Some(model) = &context.model {
        model.weigh(&context.view, candidate);
    }
    below_floor(context, least_reserve, candidate).next()
}

/// The floors that a candidate does not reach, in order. House offers have none: they take what is left over.
pub(crate) fn below_floor(
    context: &Context<'_>,
    least_reserve: i64,
    candidate: &Candidate,
) -> impl Iterator<Item = Reason> {
    let floors = [
        (candidate.relevance < context.min_relevance, Reason::BelowRelevance),
        (candidate.p_accept_ppm < context.policy.min_p_accept_ppm, Reason::BelowAcceptance),
        (candidate.ev_micros < least_reserve, Reason::BelowReserve),
    ];
    let house = candidate.house;
    floors.into_iter().filter(move |(below, _)| *below && !house).map(|(_, reason)| reason)
}

/// Puts what the overlay says in place of what the catalog says; the live price of a product, where there is one.
pub(crate) fn take_live(candidate: &mut Candidate, fact: &LiveFact) -> Option<i64> {
    if fact.is_silent() {
        return None;
    }
    candidate.price = fact.price();
    candidate.pass_ppm = fact.pass_ppm();
    if fact.bid >= 0 {
        candidate.value = fact.bid;
        candidate.ev_micros = ranking::expected(candidate.p_accept_ppm, candidate.value);
    }
    candidate.price
}

/// Candidates that are put in order first: most slates need no more.
const FIRST: usize = 32;

/// Stage 5: the best of what is left, within the limits of a slate. Ties go to the lower row.
fn arbitrate(context: &Context<'_>, work: &mut Work, offers: &mut Offers) {
    let rank = |c: &Candidate| (c.house, Reverse(c.ev_micros), Reverse(c.score), c.item);
    let list = work.candidates.list.as_mut_slice();
    if list.len() > FIRST {
        list.select_nth_unstable_by_key(FIRST, rank);
    }
    let (first, rest) = list.split_at_mut(list.len().min(FIRST));
    let mut mix = context.policy.experiments.mix(&offers.assignment);
    for part in [first, rest] {
        // What comes after a full slate is refused in any order.
        if offers.slate().len() < context.slots {
            part.sort_unstable_by_key(rank);
        }
        let part = match mix.take() {
            Some(mix) => experiment::fill(context, mix, part, offers), // stage 6
            None => part,
        };
        for candidate in part.iter().filter(|c| !c.house) {
            place(context, candidate, offers);
        }
    }
    share::give_what_is_owed(context, list, offers);
}

/// Gives a candidate the first free position that takes it, or the reason why not.
fn place(context: &Context<'_>, candidate: &Candidate, offers: &mut Offers) {
    match position_for(context, offers.slate(), candidate) {
        Err(reason) => offers.reject(candidate.item, reason),
        Ok(position) => show(context, candidate, position, offers),
    }
}

/// The first free position that takes a candidate, or what stands against it.
pub(crate) fn position_for(
    context: &Context<'_>,
    slate: &[Offer],
    candidate: &Candidate,
) -> Result<u8, Reason> {
    let Some(placed) = context.placed.filter(|_| slate.len() < context.slots) else {
        return Err(Reason::LostToHigher);
    };
    if let Some(reason) = over_quota(context, slate, candidate) {
        return Err(reason);
    }
    if context.policy.clash(&context.view, slate.iter().map(|offer| offer.item), candidate.item) {
        return Err(Reason::CompetitiveSeparation);
    }
    if slate.iter().any(|offer| partner::refuse_each_other(&context.view, offer.item, candidate.item)) {
        return Err(Reason::CompetitiveSeparation);
    }
    let kind = 1 << kind_of(context, candidate.item).code();
    let party = party_bit(partner_of(context, candidate.item) != NONE) & context.parties;
    let mut reason = Reason::PositionExcluded;
    for position in 0..context.slots as u8 {
        if slate.iter().any(|offer| offer.position == position) {
            continue;
        }
        let slot = placed.slot(position.into());
        if slot.kinds & kind == 0 || slot.parties & party == 0 {
            continue;
        }
        let least = context.transaction.placement.min_relevance.unwrap_or(slot.min_relevance);
        if candidate.house || (candidate.relevance >= least && candidate.ev_micros >= slot.reserve_micros) {
            return Ok(position);
        }
        reason = if candidate.relevance < least { Reason::BelowRelevance } else { Reason::BelowReserve };
    }
    Err(reason)
}

fn kind_of(context: &Context<'_>, item: Item) -> OfferKind {
    match item {
        Item::Product(_) => OfferKind::Product,
        Item::Offer(OfferIx(ix)) => {
            context.view.offer(ix).and_then(|r| OfferKind::from_code(r.kind)).unwrap_or_default()
        }
    }
}

/// The first limit of the slate that a candidate would exceed.
pub(crate) fn over_quota(context: &Context<'_>, slate: &[Offer], candidate: &Candidate) -> Option<Reason> {
    let (policy, view) = (context.policy, &context.view);
    let over = |limit: u8, alike: &dyn Fn(&Offer) -> bool| {
        limit > 0 && slate.iter().filter(|offer| alike(offer)).count() >= usize::from(limit)
    };
    let brand_of = |item: Item| match item {
        Item::Product(ProductIx(ix)) => view.product(ix).map_or(NONE, |r| r.brand.get()),
        Item::Offer(_) => NONE,
    };
    let type_of = |item: Item| match item {
        Item::Product(ProductIx(ix)) => view.product(ix).map_or(NONE, |r| r.type_ix.get()),
        Item::Offer(_) => NONE,
    };
    let (kind, brand, partner) =
        (type_of(candidate.item), brand_of(candidate.item), partner_of(context, candidate.item));
    let per_type = match policy.max_per_type {
        // What opens something new shows each kind once.
        u8::MAX if context.transaction.placement.repeat == Repeat::Never => 1,
        // A page shows each kind once, a long list some of a kind.
        u8::MAX if context.slots <= 8 => 1,
        u8::MAX => 3,
        limit => limit,
    };
    if kind != NONE && over(per_type, &|o| type_of(o.item) == kind) {
        return Some(Reason::TypeQuota);
    }
    if brand != NONE && over(policy.max_per_brand, &|o| brand_of(o.item) == brand) {
        return Some(Reason::BrandQuota);
    }
    if partner != NONE {
        let own = view.partners.get(partner as usize).map_or(1, |p| p.max_per_slate);
        let limit = if own == 0 { policy.max_per_partner } else { own };
        if over(limit, &|o| partner_of(context, o.item) == partner)
            || share::is_exhausted(context, slate, partner)
        {
            return Some(Reason::PartnerQuota);
        }
        if slate.iter().filter(|o| o.third_party).count() >= usize::from(policy.max_third_party) {
            return Some(Reason::ThirdPartyQuota);
        }
    }
    let share = context.slots * usize::from(policy.max_refill_percent) / 100;
    let refills = share.max(usize::from(policy.max_refill_percent > 0));
    let is_refill = candidate.relation == Relation::Refill;
    let shown = slate.iter().filter(|o| o.because.relation == Relation::Refill).count();
    (is_refill && shown >= refills).then_some(Reason::RefillQuota)
}

pub(crate) fn partner_of(context: &Context<'_>, item: Item) -> u32 {
    match item {
        Item::Product(ProductIx(ix)) => context.view.product(ix).map_or(NONE, |r| r.partner.get()),
        Item::Offer(OfferIx(ix)) => context.view.offer(ix).map_or(NONE, |r| r.partner.get()),
    }
}

pub(crate) fn show(context: &Context<'_>, candidate: &Candidate, position: u8, offers: &mut Offers) {
    let listed = match candidate.item {
        Item::Product(ProductIx(ix)) => context.view.product(ix).map(|record| record.price.get()),
        Item::Offer(OfferIx(ix)) => context.view.offer(ix).map(|record| record.price.get()),
    };
    let (kind, partner) = (kind_of(context, candidate.item), partner_of(context, candidate.item));
    let third_party = partner != NONE;
    let p_select_ppm = share::p_select_ppm(context, offers.slate(), partner, candidate.pass_ppm);
    offers.show(Offer {
        item: candidate.item,
        kind,
        position,
        third_party,
        accept: Acceptance {
            kind,
            third_party,
            stage: context.transaction.placement.stage,
            payment: context.transaction.payment,
            rechargeable: context.transaction.rechargeable,
        }
        .mode(),
        relevance: candidate.relevance,
        p_accept_ppm: candidate.p_accept_ppm,
        p_select_ppm,
        value: candidate.value,
        price: candidate.price.or(listed.filter(|price| *price >= 0)),
        ev_micros: candidate.ev_micros,
        because: Because {
            line: (candidate.line != NO_LINE).then_some(candidate.line),
            relation: candidate.relation,
        },
    });
}

/// Stage 7: house offers fill what is left, in the order of the placement's ladder. No rule and no limit is relaxed for them.
fn fall_back(context: &Context<'_>, work: &mut Work, offers: &mut Offers) {
    let is_content = |candidate: &Candidate| kind_of(context, candidate.item) == OfferKind::Content;
    for content in context.placed.into_iter().flat_map(|placed| placed.fallback).flatten() {
        let rung = work.candidates.list.iter().filter(|c| c.house && is_content(c) == content);
        for candidate in rung {
            place(context, candidate, offers);
        }
    }
    let ladder = context.placed.map_or([None; 2], |placed| placed.fallback);
    for candidate in work.candidates.list.iter().filter(|c| c.house && !ladder.contains(&Some(is_content(c))))
    {
        offers.reject(candidate.item, Reason::PositionExcluded);
    }
}

/// Stage 8: what the independent check refuses is dropped, and the positions close up.
fn check_again(context: &Context<'_>, overlay: &Reading<'_>, facts: &[LiveFact], offers: &mut Offers) {
    // Given to another catalog meanwhile: what was read may be of other products.
    let usable = overlay.is_usable(context.policy);
    let live_ok = |item| usable && (overlay.is_none() || live::may_show(context, facts, item));
    let mut dropped = 0;
    for at in (0..offers.slate.len()).rev() {
        let Some(offer) = offers.slate.get(at).copied() else {
            continue;
        };
        let others = offers.slate.iter().map(|other| other.item).filter(|item| *item != offer.item);
        let beside = verify::may_stand_beside(context, offer.item, others);
        if !verify::may_show(context, offer.item) || !beside || !live_ok(offer.item) {
            offers.slate.remove(at);
            offers.reject(offer.item, Reason::VerifierDropped);
            dropped += 1;
        }
    }
    if dropped > 0 && context.placed.is_some_and(Placed::is_uniform) {
        for (position, offer) in offers.slate.iter_mut().enumerate() {
            offer.position = position as u8;
        }
    }
}

/// Stage 9: the status. Without an offer, the reason that refused most of the candidates kept.
fn emit(nothing_to_ask: bool, offers: &mut Offers) {
    debug_assert!(!offers.slate.spilled() && !offers.rejected.spilled());
    if !offers.slate.is_empty() {
        offers.status = Status::Ok;
        return;
    }
    let mut best: Option<(usize, Reason)> = None;
    for rejected in offers.rejected.iter().take(REJECTED_MAX) {
        let count = offers.rejected.iter().filter(|other| other.reason == rejected.reason).count();
        if best.is_none_or(|(most, reason)| (count, Reverse(rejected.reason)) > (most, Reverse(reason))) {
            best = Some((count, rejected.reason));
        }
    }
    if nothing_to_ask {
        offers.status = Status::NoOffer(Reason::NothingToAsk);
    } else if let Some((_, reason)) = best {
        offers.status = Status::NoOffer(reason);
    }
}
