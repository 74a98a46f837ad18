//! What a policy does to a catalog, told before it does it: for `aftercart policy check` and `diff`. Control plane.

use std::collections::{BTreeSet, HashMap};

use super::bits;
use super::condition::{Comparison, Condition, NumberFact, TextFact};
use super::rules::RULE_WORDS;
use super::selectors::By;
use super::{CompiledPolicy, Holding, Policy, doubts, idle};
use crate::engine::Engine;
use crate::index::View;
use crate::offer::{Item, OfferIx, ProductIx, Reason};
use crate::ranking;
use crate::suppression;
use crate::vocabulary::{OfferKind, SensitiveClass};

/// What a policy does to a catalog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Review {
    /// Products of the catalog.
    pub products: u32,
    /// Of those, the ones that no rule without a condition refuses.
    pub products_allowed: u32,
    /// Offers that are no products.
    pub offers: u32,
    /// Of those, the ones that may appear in some request.
    pub offers_allowed: u32,
    /// Each rule with a condition.
    pub rules: Vec<RuleReach>,
    /// What is probably not meant.
    pub warnings: Vec<String>,
}

/// What a rule refuses where it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleReach {
    /// Its name.
    pub name: String,
    /// Products, of those that nothing refuses beforehand or the rule itself alone does.
    pub products: u32,
    /// Offers that are no products.
    pub offers: u32,
    /// Products of sensitive classes that it lets in.
    pub allows: u32,
}

impl Engine {
    /// What refuses an item in every request; `None` = some request may see it.
    #[must_use]
    pub fn always_refused(&self, item: Item) -> Option<Reason> {
        always_refused(self.policy(), &self.view(), item)
    }

    /// Looks at the policy that this engine has, `policy`, for what is probably not meant. Reads every product.
    #[must_use]
    pub fn review(&self, policy: &Policy) -> Review {
        let (compiled, view) = (self.policy(), self.view());
        let offers = || (0..view.offers.len() as u32).map(|ix| Item::Offer(OfferIx(ix)));
        let (refused, open): (Vec<_>, Vec<_>) =
            offers().map(|item| (item, self.always_refused(item))).partition(|(_, reason)| reason.is_some());
        let mut warnings = Vec::new();
        let products_allowed = if compiled.kill_switch { 0 } else { compiled.allowed.total() };
        if compiled.allowed.total() == 0 && !view.products.is_empty() {
            warnings
                .push("no product may ever appear: the lists without conditions refuse all of them".into());
        }
        let never = |item: Item, why: &str| format!("offer \"{}\" can never appear: {why}", self.id(item));
        let refused = refused.iter().filter(|_| !compiled.kill_switch);
        warnings.extend(refused.filter_map(|(item, reason)| Some(never(*item, (*reason)?.text()))));
        let relevance = most_relevance(&view);
        let unworthy: Vec<String> = open
            .iter()
            .filter_map(|(item, _)| Some(never(*item, &self.unworthy(*item, &relevance)?)))
            .collect();
        let offers_allowed = (open.len() - unworthy.len()) as u32;
        warnings.extend(unworthy);
        let mut rules = reach(compiled, &view);
        for reach in &mut rules {
            let rule = policy.rules.iter().find(|rule| rule.name == reach.name);
            reach.allows = rule.map_or(0, |rule| lets_in(&rule.allow_sensitive, compiled, &view));
            let refuses = rule.is_some_and(|r| !r.suppress.is_empty() || !r.allow_only.is_empty());
            if refuses && reach.products == 0 && reach.offers == 0 {
                warnings.push(format!(
                    "rule \"{}\" changes nothing: all that it refuses is refused already",
                    reach.name
                ));
            }
        }
        warnings.extend(
            policy
                .rules
                .iter()
                .filter(|rule| !can_hold(&rule.when))
                .map(|rule| format!("rule \"{}\" never holds: its condition contradicts itself, or asks for a number that cannot be", rule.name)),
        );
        warnings.extend(unknown_placements(policy));
        warnings.extend(idle::idle_questions(policy, compiled, &view));
        warnings.extend(doubts::doubts(policy, compiled, &view));
        Review {
            products: view.product_count(),
            products_allowed,
            offers: view.offers.len() as u32,
            offers_allowed,
            rules,
            warnings,
        }
    }

    /// Why no position of any placement takes an offer.
    fn unworthy(&self, item: Item, relevance: &[u16]) -> Option<String> {
        let Item::Offer(OfferIx(ix)) = item else { return None };
        let (compiled, view) = (self.policy(), self.view());
        let record = view.offer(ix)?;
        let third = record.partner.get() != crate::index::format::NONE;
        let party = super::party_bit(third);
        let kind = OfferKind::from_code(record.kind)?;
        let slots = || compiled.placements.iter().flat_map(|p| p.positions.iter().take(usize::from(p.slots)));
        let mut taking =
            slots().filter(|s| s.kinds >> kind.code() & 1 == 1 && s.parties & party != 0).peekable();
        if taking.peek().is_none() {
            return Some("no position of any placement takes its kind or party".into());
        }
        if record.house == 1 {
            let content = kind == OfferKind::Content;
            let has_rung = compiled.placements.iter().any(|placed| placed.fallback.contains(&Some(content)));
            return (!has_rung).then(|| "no placement's fallback has a rung for it".into());
        }
        let worth = record.payout.get().saturating_mul(record.accept_rate_ppm.get().into());
        if taking.clone().all(|slot| worth < slot.reserve_micros) {
            return Some("its payout times its accept_rate is below every reserve".into());
        }
        let most = *relevance.get(ix as usize)?;
        taking.all(|slot| most < slot.min_relevance).then(|| {
            let most = f64::from(most) / 1000.0;
            format!("its relevance, {most:.1} by what triggers it, is below every min_relevance")
        })
    }
}

/// Of each offer, by what triggers it.
fn most_relevance(view: &View<'_>) -> Vec<u16> {
    let mut most = vec![0; view.offers.len()];
    for trigger in view.triggers {
        if let Some(most) = most.get_mut(trigger.offer.get() as usize) {
            *most = ranking::relevance_of(trigger.kind.get()).max(*most);
        }
    }
    most
}

fn always_refused(policy: &CompiledPolicy, view: &View<'_>, item: Item) -> Option<Reason> {
    let standing = policy.standing();
    match item {
        Item::Product(ProductIx(ix)) => suppression::standing_refusal(policy, view, ix, view.product(ix)?),
        Item::Offer(OfferIx(ix)) if policy.kill_switch => view.offer(ix).map(|_| Reason::KillSwitch),
        Item::Offer(OfferIx(ix)) => {
            let record = view.offer(ix)?;
            let mut first = None;
            suppression::standing_offer_rules(policy, view, ix, record, &standing, &mut |reason| {
                first = Some(reason);
                true
            });
            let third = record.partner.get() != crate::index::format::NONE;
            first.or((third && policy.max_third_party == 0).then_some(Reason::ThirdPartyQuota))
        }
    }
}

/// What each rule refuses of what the lists and rules without conditions leave; of those themselves, all.
fn reach(policy: &CompiledPolicy, view: &View<'_>) -> Vec<RuleReach> {
    let (refused, standing) = (policy.rules.refused(), policy.standing().refusing);
    let mut rows: HashMap<(Vec<u64>, bool), (u32, u32)> = HashMap::new();
    let mut add = |sets: &[(By, &[u64])], allowed: bool, is_product: bool| {
        let mut row = vec![0u64; RULE_WORDS];
        for (_, set) in sets {
            row.iter_mut().zip(*set).for_each(|(to, word)| *to |= word);
        }
        let count = rows.entry((row, allowed)).or_default();
        *(if is_product { &mut count.0 } else { &mut count.1 }) += 1;
    };
    for (ix, record) in (0..).zip(view.products) {
        add(&refused.of_product(view, ix, record), policy.is_allowed(ix), true);
    }
    for (ix, record) in (0..).zip(view.offers) {
        let allowed = always_refused(policy, view, Item::Offer(OfferIx(ix))).is_none();
        add(&refused.of_offer(ix, record), allowed, false);
    }
    (0..policy.rules.count())
        .map(|at| {
            let counted = rows
                .iter()
                .filter(|((row, allowed), _)| bits::has(row, at) && (*allowed || bits::has(&standing, at)));
            let (products, offers) =
                counted.fold((0, 0), |sum, (_, count)| (sum.0 + count.0, sum.1 + count.1));
            RuleReach { name: policy.rules.name(at).to_owned(), products, offers, allows: 0 }
        })
        .collect()
}

/// Products that may appear, and only where a rule allows their sensitive class: those of which these are the classes.
fn lets_in(classes: &[SensitiveClass], policy: &CompiledPolicy, view: &View<'_>) -> u32 {
    let closed = |class: &SensitiveClass| !policy.sensitive_allowed(*class, &Holding::default());
    let needs = |record| {
        let own = suppression::classes_of(policy, record).unwrap_or_default();
        let mut closed = own.iter().filter(|class| closed(class)).peekable();
        closed.peek().is_some() && closed.all(|class| classes.contains(class))
    };
    let products = (0..).zip(view.products).filter(|(_, record)| needs(record));
    products.filter(|(ix, record)| suppression::standing_refusal(policy, view, *ix, record).is_none()).count()
        as u32
}

/// `false` where a condition asks at once for what excludes itself.
pub(super) fn can_hold(condition: &Condition) -> bool {
    match condition {
        Condition::Any(parts) => parts.iter().any(can_hold),
        Condition::All(parts) => {
            let mut flat = Vec::new();
            flatten(parts, &mut flat);
            flat.iter().all(|part| can_hold(part)) && !contradict(&flat)
        }
        part => !contradict(&[part]),
    }
}

/// What a number can be at all.
fn range_of(fact: NumberFact) -> (i64, i64) {
    match fact {
        NumberFact::TimeHour => (0, 23),
        NumberFact::TimeMinute => (0, 59),
        NumberFact::PlacementSlots => (1, 16),
        NumberFact::OrderLines
        | NumberFact::OrderUnits
        | NumberFact::CustomerOrders
        | NumberFact::OrderValue => (0, i64::MAX),
        NumberFact::TimeNow => (i64::MIN, i64::MAX),
    }
}

fn flatten<'c>(parts: &'c [Condition], flat: &mut Vec<&'c Condition>) {
    for part in parts {
        match part {
            Condition::All(parts) => flatten(parts, flat),
            other => flat.push(other),
        }
    }
}

/// Two texts for one fact, a range without numbers, or something and its opposite.
fn contradict(parts: &[&Condition]) -> bool {
    let mut ranges: HashMap<u8, (i64, i64)> = HashMap::new();
    for part in parts {
        if let Condition::Number { fact, is, value } = part {
            let (low, high) = ranges.entry(fact.code()).or_insert(range_of(*fact));
            match is {
                Comparison::Equal => (*low, *high) = ((*low).max(*value), (*high).min(*value)),
                Comparison::Less => *high = (*high).min(value.saturating_sub(1)),
                Comparison::AtMost => *high = (*high).min(*value),
                Comparison::Greater => *low = (*low).max(value.saturating_add(1)),
                Comparison::AtLeast => *low = (*low).max(*value),
            }
        }
    }
    let opposite = |a: &Condition, b: &Condition| match (a, b) {
        (Condition::Text { fact: a, value: x }, Condition::Text { fact: b, value: y }) => a == b && x != y,
        (a, Condition::Not(b)) => **b == *a,
        _ => false,
    };
    ranges.values().any(|(low, high)| low > high)
        || parts.iter().any(|a| parts.iter().any(|b| opposite(a, b)))
}

/// Conditions that ask for a placement that the policy does not have.
fn unknown_placements(policy: &Policy) -> Vec<String> {
    let mut warnings = Vec::new();
    for rule in &policy.rules {
        let mut ids = BTreeSet::new();
        rule.when.has(&mut |part| {
            if let Condition::Text { fact: TextFact::PlacementId, value } = part {
                ids.insert(value.clone());
            }
            false // all of them
        });
        let unknown = ids.into_iter().filter(|id| policy.placements.iter().all(|p| p.id != *id));
        warnings.extend(unknown.map(|id| {
            format!("rule \"{}\" asks for placement \"{id}\", which the policy does not have", rule.name)
        }));
    }
    warnings
}
