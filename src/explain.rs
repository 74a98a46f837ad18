//! Why a given product or offer is, or is not, on the page. Not for the hot path: it allocates.

use crate::context::{self, Context};
use crate::decide::{DecideError, Decider, below_floor, partner_of, position_for, take_live};
use crate::distance::Kernel;
use crate::features::{self, Learnt};
use crate::index::format::trigger;
use crate::live::{LiveFact, Reading, Source};
use crate::offer::{Because, Degraded, Item, OfferIx, Offers, ProductIx, Reason, Relation, Status};
use crate::profile::Profile;
use crate::ranking;
use crate::record;
use crate::retrieve;
use crate::scratch::{Candidate, NO_LINE, Scratch};
use crate::suppression;
use crate::transaction::Transaction;

/// Everything that speaks for and against one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// Position in the slate, where it is shown.
    pub position: Option<u8>,
    /// All rules that refuse it, and the limit or competitor that it lost to. Empty where it is shown.
    pub reasons: Vec<Reason>,
    /// Names of the policy's rules and pairs with conditions that refuse it.
    pub rules: Vec<String>,
    /// What leads from the basket to it; `None` where nothing does.
    pub because: Option<Because>,
    /// How well it fits, in thousandths.
    pub relevance: u16,
    /// Probability of acceptance, parts per million.
    pub p_accept_ppm: u32,
    /// Expected contribution, millionths of a minor unit.
    pub ev_micros: i64,
    /// What each feature adds to the score, for products.
    pub contributions: Vec<Contribution>,
}

/// What one feature adds to the score of a product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contribution {
    /// Name of the feature.
    pub feature: &'static str,
    /// Its value, in its own unit.
    pub value: i32,
    /// Thousandths of a nat: how much likelier it makes the product.
    pub weight: i32,
}

impl Decider {
    /// Explains one item for one request: runs the decision, then every rule on the item.
    ///
    /// # Errors
    /// [`DecideError`], as [`Decider::decide`].
    pub fn explain(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        item: Item,
    ) -> Result<Explanation, DecideError> {
        let offers = self.staged(transaction, profile, &mut |_| false, &mut |_| (), None)?;
        Ok(self.explain_after(transaction, profile, item, &offers, None))
    }

    /// Explains one item of a recorded decision, as [`Decider::replay`] makes it again.
    ///
    /// # Errors
    /// [`DecideError`], as [`Decider::decide`].
    pub fn explain_replayed(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        degraded: Degraded,
        facts: &[LiveFact],
        item: Item,
    ) -> Result<Explanation, DecideError> {
        let offers = self.replay(transaction, profile, degraded, facts)?;
        Ok(self.explain_after(transaction, profile, item, &offers, Some(facts)))
    }

    fn explain_after(
        &mut self,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
        item: Item,
        offers: &Offers,
        recorded: Option<&[LiveFact]>,
    ) -> Explanation {
        let (engine, scratch) = self.parts();
        let Scratch { context, work } = scratch;
        let mut context = context::resolve(engine.view(), engine.policy(), transaction, profile, context);
        context.group_id = offers.group_id;
        context.model =
            engine.model().map(|model| model.ask(&context, &record::placement(engine, transaction)));
        let source = recorded.map_or(engine.source(), Source::Recorded);
        let overlay = Reading::new(source, offers.group_id, context.now_ms());
        let fact = overlay.look(item, partner_of(&context, item), &mut Vec::new());
        let mut counters = crate::Counters::default();
        retrieve::from_lists(&context, engine.effort(), work);
        retrieve::by_search(&context, engine.kernel(), engine.effort(), work, &mut counters);
        let learnt = work.learnt();
        let found = work.candidates.list.iter().find(|c| c.item == item).copied();
        let (candidate, mut reasons, contributions) =
            judge(&context, engine.kernel(), learnt, &fact, found, item);
        overlay.refusals(context.policy, &fact, partner_of(&context, item), &mut |reason| {
            reasons.push(reason);
            false
        });
        let position = offers.decided().iter().find(|offer| offer.item == item).map(|offer| offer.position);
        reasons.extend(found.is_none().then_some(Reason::NotRetrieved));
        if !overlay.is_usable(context.policy) {
            reasons.insert(0, Reason::NoLive);
        }
        add_outcome(&context, offers, &candidate, position, &mut reasons);
        Explanation {
            position,
            reasons,
            rules: refusing_rules(&context, offers, item),
            because: found.map(|_| because(&candidate)),
            relevance: candidate.relevance,
            p_accept_ppm: candidate.p_accept_ppm,
            ev_micros: candidate.ev_micros,
            contributions,
        }
    }
}

/// Every rule on the item itself, what it is worth, and what each feature adds.
fn judge(
    context: &Context<'_>,
    kernel: Kernel,
    learnt: Learnt<'_>,
    fact: &LiveFact,
    found: Option<Candidate>,
    item: Item,
) -> (Candidate, Vec<Reason>, Vec<Contribution>) {
    let mut candidate = found.unwrap_or_else(|| Candidate::new(item, Relation::BoughtTogether, NO_LINE));
    let mut reasons = Vec::new();
    let mut contributions = Vec::new();
    let mut sink = |reason| {
        reasons.push(reason);
        false
    };
    match item {
        Item::Product(ProductIx(ix)) => match context.view.product(ix) {
            None => reasons.push(Reason::BadRecord),
            Some(record) => {
                let price = take_live(&mut candidate, fact).unwrap_or(record.price.get());
                suppression::product_rules(context, ix, record, candidate.relation, price, &mut sink);
                ranking::score_product(context, kernel, learnt, record, &mut candidate);
                let (of, ..) = features::of_product(context, kernel, learnt, ix, record);
                let weights = context.view.ranker.weights(ranking::head(context), &of);
                contributions = weights.filter_map(|(at, weight)| named(&of, at, weight)).collect();
            }
        },
        Item::Offer(OfferIx(ix)) => match context.view.offer(ix) {
            None => reasons.push(Reason::BadRecord),
            Some(record) => {
                if found.is_none() {
                    ranking::score_offer(record, trigger::ANY, &mut candidate);
                }
                take_live(&mut candidate, fact);
                suppression::offer_rules(context, ix, record, &mut sink);
            }
        },
    }
    if let Some(model) = &context.model {
        model.weigh(&context.view, &mut candidate);
    }
    (candidate, reasons, contributions)
}

fn because(candidate: &Candidate) -> Because {
    let line = (candidate.line != NO_LINE).then_some(candidate.line);
    Because { line, relation: candidate.relation }
}

/// The rules that refuse an item, and the pairs that keep it from the offers that are shown.
fn refusing_rules(context: &Context<'_>, offers: &Offers, item: Item) -> Vec<String> {
    let (policy, view) = (context.policy, &context.view);
    let mut names = policy.refusing_rules(view, &context.holding, item);
    let shown = offers.decided().iter().map(|offer| offer.item).filter(|other| *other != item);
    names.extend(policy.clashing_pairs(view, shown, item));
    names
}

fn named(of: &features::Features, at: usize, weight: i32) -> Option<Contribution> {
    Some(Contribution { feature: features::NAMES.get(at)?, value: *of.values().get(at)?, weight })
}

/// Adds what stands against an item beside the rules: the switch, the floor, the reserve, the slate.
fn add_outcome(
    context: &Context<'_>,
    offers: &Offers,
    candidate: &Candidate,
    position: Option<u8>,
    reasons: &mut Vec<Reason>,
) {
    if context.policy.kill_switch {
        reasons.insert(0, Reason::KillSwitch);
    }
    if context.placed.is_none() {
        reasons.insert(0, Reason::UnknownPlacement);
    }
    reasons.extend(offers.status.reason().filter(|_| matches!(offers.status, Status::Holdout(_))));
    reasons.extend(below_floor(context, context.least_reserve(), candidate));
    if reasons.is_empty() && position.is_none() {
        // A decision keeps only so many rejections; the limits of its slate can be asked again.
        let kept = offers.rejected().iter().find(|r| r.item == candidate.item).map(|r| r.reason);
        let limit = || position_for(context, offers.decided(), candidate).err();
        reasons.push(kept.or_else(limit).unwrap_or(Reason::LostToHigher));
    }
}
