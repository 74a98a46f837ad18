//! The chances of what was chosen, worked out again from the log by the code that decides: limits of the slate, positions and
//! exploration are `decide`'s own. What a record does not have (lines, history) no longer matters there: its candidates
//! passed every rule that asks for it.

use std::cmp::Reverse;

use super::{Choice, Page};
use crate::context::{self, Context, ContextScratch};
use crate::decide::{below_floor, position_for, show};
use crate::engine::Engine;
use crate::experiment::{Assigned, Assignment, TICKETS};
use crate::limits::EXPLORE_MAX;
use crate::log::{Logged, LoggedSlot};
use crate::offer::{Item, Offer, Offers, Relation};
use crate::policy::Policy;
use crate::profile::Profile;
use crate::ranking;
use crate::record::CANDIDATES_LOGGED;
use crate::scratch::{Candidate, NO_LINE};
use crate::transaction::{Placement, Transaction};

/// Why a page cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Mismatch {
    /// Decided with another catalog: what it retrieved then, nobody knows now.
    Catalog,
    /// Decided under another policy than the one that was given for it.
    Policy,
    /// Held out: its offers were not on the page.
    NotShown,
    /// The page was not seen.
    NotActivated,
    /// It replaced a page of the same order after an answer. Who answered had seen that page, and the same draws made both, so the
    /// chances of this one alone are not those that it was chosen with.
    DecidedAgain,
    /// Nothing was left to chance: its unit's arm does not explore.
    NotExplored,
    /// An item of it is not in the catalog, or its slate is not whole.
    Incomplete,
    /// Its chances do not come out as they were logged: pacing, shares of partners, floors or limits of the request itself.
    Chances,
}

/// Most orders of a page that marginals are summed over.
const ORDERS_MAX: usize = 1_024;
/// Rounding of tickets: the first candidate has what is left over.
const ROUNDING_PPM: u32 = 64;

/// A policy that can be asked what it would have chosen.
#[derive(Debug)]
pub struct Replayer {
    engine: Engine,
    scratch: ContextScratch,
}

impl Replayer {
    /// Of an engine: a catalog and a policy. Its overlay is not asked.
    #[must_use]
    pub fn new(engine: &Engine) -> Self {
        Self { engine: engine.without_live(), scratch: ContextScratch::new(engine) }
    }

    /// Works on the choices of one decision.
    fn with<T>(&mut self, logged: &Logged, f: impl FnOnce(&Engine, &Context<'_>, Assignment) -> T) -> T {
        let Self { engine, scratch } = self;
        let placement = Placement {
            id: &logged.placement,
            stage: logged.stage,
            slots: logged.slots,
            ..Placement::default()
        };
        let transaction = Transaction { created_at_ms: logged.at_ms, placement, ..Transaction::default() };
        let (policy, profile) = (engine.policy(), Profile::default());
        let mut context = context::resolve(engine.view(), policy, &transaction, &profile, scratch);
        context.group_id = logged.group_id;
        let mut assignment = Assignment::default();
        let layers = policy.experiments.layers.iter().zip(&logged.buckets).zip(&mut assignment.layers);
        for ((layer, bucket), place) in layers {
            let arm = |bucket: u16| layer.arms.partition_point(|arm| arm.until <= bucket) as u8;
            *place = bucket.map(|bucket| Assigned { bucket, arm: arm(bucket) });
        }
        f(engine, &context, assignment)
    }
}

/// One policy's way through one decision.
struct Walk<'a, 'c> {
    context: &'a Context<'c>,
    mix: Option<&'a crate::experiment::Mix>,
    /// Those that reach the floors, best first, with their numbers in the log.
    ranked: Vec<(usize, Candidate)>,
    /// Eligible candidates are missing from the log.
    cut: bool,
    shown: Offers,
}

/// What comes next: candidates by their number in the log, each with its tickets. Empty = the page ends.
type Next = Vec<(usize, u64)>;

impl<'a, 'c> Walk<'a, 'c> {
    fn new(
        context: &'a Context<'c>,
        assignment: &'a Assignment,
        engine: &Engine,
        logged: &Logged,
        items: &[Item],
    ) -> Self {
        let least_reserve = context.least_reserve();
        let candidate = |(at, item): (usize, &Item)| {
            let own = logged.candidates.get(at)?;
            let relation = if own.refill { Relation::Refill } else { Relation::BoughtTogether };
            let house = match item {
                Item::Offer(ix) => engine.view().offer(ix.0).is_some_and(|record| record.house == 1),
                Item::Product(_) => false,
            };
            let value = i64::from(own.value);
            let candidate = Candidate {
                relevance: own.relevance,
                p_accept_ppm: own.p_accept_ppm,
                value,
                ev_micros: ranking::expected(own.p_accept_ppm, value),
                house,
                ..Candidate::new(*item, relation, NO_LINE)
            };
            let fit = below_floor(context, least_reserve, &candidate).next().is_none();
            fit.then_some((at, candidate))
        };
        let mut ranked: Vec<_> = items.iter().enumerate().filter_map(candidate).collect();
        // The log does not have what parts equals. Its own order, slate first, must not: it knows what was chosen.
        ranked.sort_by_key(|(_, candidate)| (candidate.house, Reverse(candidate.ev_micros), candidate.item));
        Self {
            context,
            mix: context.policy.experiments.mix(assignment),
            ranked,
            cut: usize::from(logged.eligible) > logged.candidates.len()
                && logged.candidates.len() == CANDIDATES_LOGGED,
            shown: Offers::new(logged.decision_id, logged.group_id, engine.generations()),
        }
    }

    fn is_open(&self, candidate: &Candidate) -> bool {
        let there = self.shown.decided().iter().any(|offer| offer.item == candidate.item);
        !there && position_for(self.context, self.shown.decided(), candidate).is_ok()
    }

    /// What comes after what is shown; `None` where that depends on candidates that the log has no room for.
    fn next(&self) -> Option<Next> {
        if let Some(mix) = self.mix {
            let best = usize::from(mix.best).min(EXPLORE_MAX);
            let pool = self.ranked.iter().take(best).take_while(|(_, candidate)| !candidate.house);
            let open: Vec<_> = pool.filter(|(_, candidate)| self.is_open(candidate)).copied().collect();
            if !open.is_empty() {
                let pool: Vec<Candidate> = open.iter().map(|(_, candidate)| *candidate).collect();
                let tickets = mix.tickets(&pool);
                return Some(open.iter().zip(tickets).map(|((at, _), own)| (*at, own)).collect());
            }
        }
        let first = self.ranked.iter().find(|(_, candidate)| self.is_open(candidate));
        let full = self.shown.decided().len() >= self.context.slots;
        match first {
            Some((at, candidate)) if !(candidate.house && self.cut) => Some(vec![(*at, TICKETS)]),
            None if full || !self.cut => Some(Next::new()),
            _ => None,
        }
    }

    fn candidate(&self, at: usize) -> Option<Candidate> {
        self.ranked.iter().find(|(own, _)| *own == at).map(|(_, candidate)| *candidate)
    }

    /// Shows a candidate, chosen with so many tickets; `None` where no position takes it.
    fn show(&mut self, at: usize, tickets: u64) -> Option<Offer> {
        let mut candidate = self.candidate(at)?;
        candidate.pass_ppm = tickets.max(1) as u32;
        let position = position_for(self.context, self.shown.decided(), &candidate).ok()?;
        show(self.context, &candidate, position, &mut self.shown);
        self.shown.decided().last().copied()
    }

    /// Probability of each candidate at each position, whatever stands before it, summed over the orders that lead there.
    fn marginals(&mut self, candidates: usize, slots: usize) -> Option<Vec<f64>> {
        let mut table = vec![0.0; candidates * slots];
        let mut left = ORDERS_MAX;
        self.descend(1.0, candidates, &mut table, &mut left)?;
        Some(table)
    }

    fn descend(&mut self, chance: f64, candidates: usize, table: &mut [f64], left: &mut usize) -> Option<()> {
        *left = left.checked_sub(1)?;
        for (at, tickets) in self.next()?.into_iter().filter(|(_, tickets)| *tickets > 0) {
            let chance = chance * tickets as f64 / TICKETS as f64;
            let offer = self.show(at, tickets)?;
            if let Some(cell) = table.get_mut(usize::from(offer.position) * candidates + at) {
                *cell += chance;
            }
            self.descend(chance, candidates, table, left)?;
            self.shown.slate.pop();
        }
        Some(())
    }
}

/// Probability of a candidate among what comes next; an end is number `None`.
fn chance_of(next: &Next, at: Option<usize>) -> f64 {
    match at {
        Some(at) => next.iter().filter(|(own, _)| *own == at).map(|(_, t)| *t as f64 / TICKETS as f64).sum(),
        None => f64::from(u8::from(next.is_empty())),
    }
}

/// Makes a page of a decision: what it earned by `reward`, and the chances of its choices under the policy that made it and the
/// one that is evaluated. `names` are [`crate::log::LogData::names`]; `expected` says what a model expects of a candidate at the nth
/// choice, and must not look at what was chosen.
///
/// # Errors
/// Why it cannot be used.
pub fn page_of(
    logged: &Logged,
    names: &[String],
    by: &mut Replayer,
    target: &mut Replayer,
    reward: impl Fn(&LoggedSlot) -> f64,
    expected: impl Fn(usize, usize) -> f64,
) -> Result<Page, Mismatch> {
    if logged.index != by.engine.generations().index {
        return Err(Mismatch::Catalog);
    }
    if logged.policy != by.engine.generations().policy {
        return Err(Mismatch::Policy);
    }
    if !logged.shown {
        return Err(Mismatch::NotShown);
    }
    if !logged.activated {
        return Err(Mismatch::NotActivated);
    }
    if logged.decided_again {
        return Err(Mismatch::DecidedAgain);
    }
    let item = |name: u32| {
        let id = names.get(name as usize)?;
        by.engine.find_product(id).map(Item::Product).or(by.engine.find_offer(id).map(Item::Offer))
    };
    let items: Option<Vec<Item>> = logged.candidates.iter().map(|candidate| item(candidate.name)).collect();
    let items = items.filter(|items| items.len() >= logged.slate.len()).ok_or(Mismatch::Incomplete)?;
    by.with(logged, |engine, context, assignment| {
        let mut own = Walk::new(context, &assignment, engine, logged, &items);
        if own.mix.is_none() {
            return Err(Mismatch::NotExplored);
        }
        target.with(logged, |engine, context, assignment| {
            let mut other = Walk::new(context, &assignment, engine, logged, &items);
            follow(logged, &mut own, &mut other, reward, expected)
        })
    })
}

/// Follows a slate choice by choice under both policies.
fn follow(
    logged: &Logged,
    own: &mut Walk<'_, '_>,
    other: &mut Walk<'_, '_>,
    reward: impl Fn(&LoggedSlot) -> f64,
    expected: impl Fn(usize, usize) -> f64,
) -> Result<Page, Mismatch> {
    let (slots, count) = (usize::from(logged.slots), logged.candidates.len());
    let tables = own.marginals(count, slots).zip(other.marginals(count, slots));
    let mut page = Page { unit: logged.unit_hash, choices: Vec::with_capacity(logged.slate.len() + 1) };
    // Once the target cannot follow, the page has no weight, and neither have its choices from there on.
    let mut follows = true;
    for at in 0..=logged.slate.len() {
        let slot = logged.slate.get(at);
        let chosen = slot.map(|_| at);
        let own_next = own.next().ok_or(Mismatch::Chances)?;
        let other_next = if follows { other.next().ok_or(Mismatch::Incomplete)? } else { Next::new() };
        let logged_chance = chance_of(&own_next, chosen);
        let mut choice = Choice {
            logged: logged_chance,
            target: if follows { chance_of(&other_next, chosen) } else { 0.0 },
            ..Choice::default()
        };
        choice.supported = if other_next.is_empty() {
            chance_of(&own_next, None)
        } else {
            let may = |(at, _): &&(usize, u64)| chance_of(&own_next, Some(*at)) > 0.0;
            other_next.iter().filter(may).map(|(_, t)| *t as f64 / TICKETS as f64).sum()
        };
        choice.expected_target =
            other_next.iter().map(|(own, t)| *t as f64 / TICKETS as f64 * expected(*own, at)).sum();
        if logged_chance <= 0.0 {
            return Err(Mismatch::Chances);
        }
        if let Some(slot) = slot {
            let tickets = own_next.iter().find(|(own, _)| *own == at).map_or(0, |(_, tickets)| *tickets);
            let offer = own.show(at, tickets).ok_or(Mismatch::Chances)?;
            let off = offer.p_select_ppm.abs_diff(slot.p_select_ppm);
            if off > ROUNDING_PPM || offer.position != slot.position {
                return Err(Mismatch::Chances);
            }
            follows &= choice.target > 0.0 && other.show(at, TICKETS).is_some();
            choice.reward = reward(slot);
            choice.expected = expected(at, at);
            let cell = usize::from(slot.position) * count + at;
            choice.alone =
                tables.as_ref().and_then(|(own, other)| Some([*own.get(cell)?, *other.get(cell)?]));
        } else if logged.slate.len() == slots {
            // A full page has no end to choose.
            break;
        }
        page.choices.push(choice);
    }
    Ok(page)
}

/// What in a policy the log cannot answer for; `None` where `new` differs from `old` only in what can be worked out again from
/// logged candidates: exploration and experiments, limits of the slate, and floors that are no lower than before.
#[must_use]
pub fn beyond_the_log(old: &Policy, new: &Policy) -> Option<&'static str> {
    let plain = |policy: &Policy| {
        let mut plain = Policy {
            slate: Default::default(),
            holdout: Default::default(),
            experiments: Vec::new(),
            explore: Default::default(),
            ..policy.clone()
        };
        (plain.placement.min_relevance, plain.placement.min_p_accept, plain.placement.reserve) =
            (0.0, 0.0, 0.0);
        for placement in &mut plain.placements {
            (placement.min_relevance, placement.reserve) = (Vec::new(), Vec::new());
        }
        plain
    };
    if plain(old) != plain(new) {
        return Some(
            "it differs in rules, consent, kinds, values or slots: what those newly let through was never shown",
        );
    }
    let floors = |policy: &Policy| {
        let own = &policy.placement;
        let mut floors = vec![own.min_p_accept];
        for at in 0..crate::limits::SLOTS_MAX {
            let last = |list: &[f64], default: f64| list.get(at).or(list.last()).copied().unwrap_or(default);
            floors.extend([own.min_relevance, own.reserve]);
            for placement in &policy.placements {
                floors.push(last(&placement.min_relevance, own.min_relevance));
                floors.push(last(&placement.reserve, own.reserve));
            }
        }
        floors
    };
    let lower = floors(old).iter().zip(floors(new)).any(|(old, new)| new < *old);
    lower.then_some("it has a lower floor: what fell below the old one is not in the log")
}
