//! Rules with conditions, pairs and placements once more, by name, with obvious code.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test binary uses its own part")]

use aftercart::limits::{ANSWERS_MAX, CART_REMOVED_MAX, SEGMENTS_MAX, TAGS_MAX};
use aftercart::policy::condition::{Condition, Fact, FlagFact, ListFact, NumberFact, TextFact};
use aftercart::policy::{Apart, NamedPlacement, Names, Policy, Rule, Rung};
use aftercart::vocabulary::{
    AgeBand, Attribute, CustomerKind, OfferKind, Party, PaymentType, Purpose, SensitiveClass, Stage,
};
use aftercart::{Item, Reason};

use super::rules::{Case, below, path};

/// `None` = not known.
pub fn answer(case: &Case<'_>, condition: &Condition) -> Option<bool> {
    match condition {
        Condition::Always => Some(true),
        Condition::All(parts) => {
            let answers: Vec<_> = parts.iter().map(|part| answer(case, part)).collect();
            if answers.contains(&Some(false)) {
                Some(false)
            } else if answers.contains(&None) {
                None
            } else {
                Some(true)
            }
        }
        Condition::Any(parts) => {
            let answers: Vec<_> = parts.iter().map(|part| answer(case, part)).collect();
            if answers.contains(&Some(true)) {
                Some(true)
            } else if answers.contains(&None) {
                None
            } else {
                Some(false)
            }
        }
        Condition::Not(part) => answer(case, part).map(|yes| !yes),
        Condition::Number { fact, is, value } => number(case, *fact).map(|n| is.holds(n, *value)),
        Condition::Text { fact, value } => text(case, *fact).map(|t| t == *value),
        Condition::Has { list, value } => has(case, *list, value),
        Condition::Flag(fact) => flag(case, *fact),
        Condition::Known(Fact::Number(fact)) => Some(number(case, *fact).is_some()),
        Condition::Known(Fact::Text(fact)) => Some(text(case, *fact).is_some()),
        Condition::Known(Fact::Flag(fact)) => Some(flag(case, *fact).is_some()),
    }
}

fn number(case: &Case<'_>, fact: NumberFact) -> Option<i64> {
    let lines = case.transaction.lines;
    let local = local(case);
    match fact {
        NumberFact::OrderValue => case.order_value,
        NumberFact::OrderLines => Some(lines.len() as i64),
        NumberFact::OrderUnits => Some(lines.iter().map(|l| i64::from(l.quantity)).sum()),
        NumberFact::CustomerOrders => case.profile.orders.map(i64::from),
        NumberFact::TimeHour => local.map(|at| at.hour().into()),
        NumberFact::TimeMinute => local.map(|at| at.minute().into()),
        NumberFact::TimeNow => case.now,
        NumberFact::PlacementSlots => Some(case.slots() as i64),
    }
}

fn local(case: &Case<'_>) -> Option<jiff::Zoned> {
    let zone = case.policy.time_zone.as_ref()?;
    let at = jiff::Timestamp::from_millisecond(case.now?).ok()?;
    Some(at.to_zoned(jiff::tz::TimeZone::get(zone).expect("a zone")))
}

fn text(case: &Case<'_>, fact: TextFact) -> Option<String> {
    let (transaction, profile) = (case.transaction, case.profile);
    let said = |known: bool, name: &str| known.then(|| name.to_owned());
    let filled = |name: &str| said(!name.is_empty(), name);
    match fact {
        TextFact::OrderCountry => transaction.country.map(|c| c.as_str().to_owned()),
        TextFact::OrderPayment => {
            said(transaction.payment != PaymentType::Unknown, transaction.payment.name())
        }
        TextFact::CustomerKind => said(profile.customer != CustomerKind::Any, profile.customer.name()),
        TextFact::CustomerAge => said(profile.age_band != AgeBand::Unknown, profile.age_band.name()),
        TextFact::CustomerTier => filled(profile.loyalty_tier),
        TextFact::TimeWeekday => local(case).map(|at| at.strftime("%A").to_string().to_lowercase()),
        TextFact::PlacementId => filled(transaction.placement.id),
        TextFact::PlacementStage => Some(transaction.placement.stage.name().into()),
    }
}

fn flag(case: &Case<'_>, fact: FlagFact) -> Option<bool> {
    match fact {
        FlagFact::OrderGift => Some(case.gift),
        FlagFact::OrderTest => Some(case.transaction.is_test),
        FlagFact::OrderRechargeable => case.transaction.rechargeable,
        FlagFact::CustomerLoyalty => case.profile.loyalty_member,
        FlagFact::CustomerHasApp => case.profile.has_app,
        FlagFact::ConsentPreferences => said(case, Purpose::Preferences),
        FlagFact::ConsentAnalytics => said(case, Purpose::Analytics),
        FlagFact::ConsentMarketing => said(case, Purpose::Marketing),
        FlagFact::ConsentSaleOfData if case.profile.consent.gpc => Some(false),
        FlagFact::ConsentSaleOfData => said(case, Purpose::SaleOfData),
        FlagFact::ConsentGpc => Some(case.profile.consent.gpc),
    }
}

/// The answer to one purpose.
fn said(case: &Case<'_>, purpose: Purpose) -> Option<bool> {
    let consent = case.profile.consent;
    consent.asked.has(purpose).then(|| consent.granted.has(purpose))
}

fn has(case: &Case<'_>, list: ListFact, word: &str) -> Option<bool> {
    let answers: Vec<&str> = case.profile.answers.iter().map(|a| a.tag).collect();
    let (words, read) = match list {
        ListFact::OrderTags => (case.transaction.tags.to_vec(), TAGS_MAX),
        ListFact::CustomerSegments => (case.profile.segments.to_vec(), SEGMENTS_MAX),
        ListFact::Answers => (answers, ANSWERS_MAX),
        ListFact::CartRemoved => (case.profile.session.cart_removed.to_vec(), CART_REMOVED_MAX),
    };
    if words.iter().take(read).any(|known| *known == word) {
        return Some(true);
    }
    (words.len() <= read).then_some(false)
}

/// Whether something bought is one of the names; `None` = it might be.
fn bought(case: &Case<'_>, names: &Names) -> Option<bool> {
    let mut result = Some(false);
    for (line, item) in case.lines.iter().zip(case.transaction.lines) {
        let category =
            names.categories.iter().any(|c| line.category.as_ref().is_some_and(|own| below(&path(c), own)));
        let brand = names.brands.iter().any(|b| line.brand.as_ref() == Some(b));
        let product = line.row.is_some() && names.products.iter().any(|p| p == item.item_id);
        if category || brand || product {
            return Some(true);
        }
        let unknown = (!names.categories.is_empty() && line.category.is_none())
            || (!names.brands.is_empty() && line.brand.is_none());
        if unknown {
            result = None;
        }
    }
    result
}

/// Whether a rule holds; `None` = it might.
fn holds(case: &Case<'_>, rule: &Rule) -> Option<bool> {
    let bought = if rule.bought == Names::default() { Some(true) } else { bought(case, &rule.bought) };
    match (answer(case, &rule.when), bought) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Classes that rules allow in this request; of `any` request where that is asked.
pub fn classes(case: &Case<'_>, any: bool) -> Vec<SensitiveClass> {
    let rules = case.policy.rules.iter().filter(|rule| any || holds(case, rule) == Some(true));
    rules.flat_map(|rule| rule.allow_sensitive.clone()).collect()
}

/// What a thing is called.
pub struct Called<'a> {
    pub product: Option<&'a str>,
    pub offer: Option<&'a str>,
    pub category: Option<&'a [String]>,
    pub brand: Option<&'a str>,
    pub attributes: &'a [(Attribute, String)],
    pub partner: &'a str,
    pub kind: OfferKind,
}

impl<'a> Called<'a> {
    pub fn product(case: &Case<'a>, row: usize) -> Self {
        let product = &case.shop.world.inputs.products[row];
        Self {
            product: Some(&product.id),
            offer: None,
            category: case.shop.category[row].as_deref(),
            brand: case.shop.brand[row].as_deref(),
            attributes: &product.attributes,
            partner: &product.seller,
            kind: OfferKind::Product,
        }
    }

    pub fn offer(case: &Case<'a>, number: usize) -> Self {
        let offer = &case.shop.world.inputs.partners.offers[number];
        let (product, category, brand) = (None, None, None);
        let (partner, kind) = (&offer.partner, offer.kind);
        Self { product, offer: Some(&offer.id), category, brand, attributes: &[], partner, kind }
    }

    pub fn item(case: &Case<'a>, item: Item) -> Self {
        match item {
            Item::Product(ix) => Self::product(case, case.shop.row_of[&ix]),
            Item::Offer(_) => Self::offer(case, case.shop.offers[case.shop.world.engine.id(item)]),
        }
    }

    fn party(&self) -> Party {
        if self.partner.is_empty() { Party::First } else { Party::Third }
    }

    fn in_category(&self, names: &Names) -> bool {
        let own = self.category.map(<[String]>::to_vec);
        own.is_some_and(|own| names.categories.iter().any(|c| below(&path(c), &own)))
    }

    fn has_one_of(&self, attribute: Attribute, values: &[String]) -> bool {
        let own = self.attributes.iter().filter(|(own, _)| *own == attribute);
        own.into_iter().any(|(_, own)| values.iter().any(|value| value.to_lowercase() == *own))
    }

    /// Each sort of name that suppresses it. What is not known is suppressed where any name of its sort is.
    fn suppressed(&self, names: &Names) -> Vec<Reason> {
        let is_product = self.product.is_some();
        let has = |list: &[String], name: &str| list.iter().any(|other| other == name);
        let unknown_category = is_product && self.category.is_none() && !names.categories.is_empty();
        let unknown_brand = is_product && self.brand.is_none() && !names.brands.is_empty();
        [
            (self.in_category(names) || unknown_category, Reason::CategoryExcluded),
            (self.brand.is_some_and(|b| has(&names.brands, b)) || unknown_brand, Reason::BrandExcluded),
            (
                names.attributes.iter().any(|(attribute, values)| self.has_one_of(*attribute, values)),
                Reason::AttributeExcluded,
            ),
            (self.product.is_some_and(|id| has(&names.products, id)), Reason::ProductExcluded),
            (self.offer.is_some_and(|id| has(&names.offers, id)), Reason::ProductExcluded),
            (!self.partner.is_empty() && has(&names.partners, self.partner), Reason::PartnerExcluded),
            (names.parties.contains(&self.party()), Reason::PartnerExcluded),
            (names.kinds.contains(&self.kind), Reason::KindExcluded),
        ]
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, reason)| reason)
        .collect()
    }

    /// Each sort of name that would have to name it and does not.
    fn left_out(&self, names: &Names) -> Vec<Reason> {
        let is_product = self.product.is_some();
        let lacks = |list: &[String], name: Option<&str>| {
            !list.is_empty() && !name.is_some_and(|name| list.iter().any(|other| other == name))
        };
        [
            (
                is_product && !names.categories.is_empty() && !self.in_category(names),
                Reason::CategoryExcluded,
            ),
            (is_product && lacks(&names.brands, self.brand), Reason::BrandExcluded),
            (
                is_product
                    && names
                        .attributes
                        .iter()
                        .any(|(attribute, values)| !self.has_one_of(*attribute, values)),
                Reason::AttributeExcluded,
            ),
            (is_product && lacks(&names.products, self.product), Reason::ProductExcluded),
            (!is_product && lacks(&names.offers, self.offer), Reason::ProductExcluded),
            (!self.partner.is_empty() && lacks(&names.partners, Some(self.partner)), Reason::PartnerExcluded),
            (!names.parties.is_empty() && !names.parties.contains(&self.party()), Reason::PartnerExcluded),
            (!names.kinds.is_empty() && !names.kinds.contains(&self.kind), Reason::KindExcluded),
        ]
        .into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, reason)| reason)
        .collect()
    }

    fn is_in(&self, names: &Names) -> bool {
        !self.suppressed(names).is_empty()
    }
}

/// All that rules with conditions say against it, and what `[suppress]` and `[allow_only]` say beyond the older lists.
pub fn refusals(case: &Case<'_>, called: &Called<'_>) -> Vec<Reason> {
    let policy = case.policy;
    let suppress = &policy.suppress;
    let parties = Names {
        parties: suppress.parties.clone(),
        attributes: suppress.attributes.clone(),
        ..Names::default()
    };
    let only = Names { categories: Vec::new(), ..policy.allow_only.clone() };
    let mut reasons = called.suppressed(&parties);
    reasons.extend(called.left_out(&only));
    for rule in policy.rules.iter().filter(|rule| holds(case, rule) != Some(false)) {
        reasons.extend(called.suppressed(&rule.suppress));
        reasons.extend(called.left_out(&rule.allow_only));
    }
    for pair in policy.apart.iter().filter(|pair| pair.bought) {
        let those = other_side(pair);
        for (side, other) in [(&pair.these, those), (those, &pair.these)] {
            if bought(case, side) != Some(false) {
                reasons.extend(called.suppressed(other));
            }
        }
    }
    reasons
}

/// Whether two may not stand on one page: by the policy, by a partner of either, or by their exclusive group.
pub fn apart(case: &Case<'_>, one: &Called<'_>, other: &Called<'_>) -> bool {
    let group = |called: &Called<'_>| {
        let number = called.offer.map(|id| case.shop.offers[id]);
        let name = number.map(|n| case.shop.world.inputs.partners.offers[n].exclusive_group.clone());
        name.filter(|name| !name.is_empty())
    };
    let exclusive = group(one).is_some() && group(one) == group(other);
    exclusive || refuses(case, one, other) || refuses(case, other, one) || by_policy(case.policy, one, other)
}

fn refuses(case: &Case<'_>, one: &Called<'_>, other: &Called<'_>) -> bool {
    let Some(partner) = case.shop.partners.get(one.partner) else { return false };
    let not = &partner.not_beside;
    let names = Names { categories: not.categories.clone(), brands: not.brands.clone(), ..Names::default() };
    let by_domain = |other: &aftercart::build::feed::Partner| {
        let under = |own: &String| not.domains.iter().any(|d| own == d || own.ends_with(&format!(".{d}")));
        other.domains.iter().any(under)
    };
    let theirs = case.shop.partners.get(other.partner).filter(|_| other.partner != one.partner);
    (other.product.is_some() && other.is_in(&names))
        || (not.other_partners && theirs.is_some())
        || theirs.is_some_and(|theirs| not.partners.contains(&theirs.id) || by_domain(theirs))
}

fn other_side(pair: &Apart) -> &Names {
    if pair.those == Names::default() { &pair.these } else { &pair.those }
}

fn by_policy(policy: &Policy, one: &Called<'_>, other: &Called<'_>) -> bool {
    policy.apart.iter().any(|pair| {
        let (these, those) = (&pair.these, other_side(pair));
        (one.is_in(these) && other.is_in(those)) || (one.is_in(those) && other.is_in(these))
    })
}

/// A position of the page.
#[derive(Debug, Clone)]
pub struct Position {
    pub floor: u16,
    pub reserve: i64,
    pub kinds: Option<Vec<OfferKind>>,
    pub parties: Option<Vec<Party>>,
}

/// The placement of a request; `None` = the policy has others, and not this one.
pub fn named<'a>(policy: &'a Policy, case: &Case<'_>) -> Option<Option<&'a NamedPlacement>> {
    let asked = case.transaction.placement;
    if !asked.id.is_empty() && !policy.placements.is_empty() {
        return policy.placements.iter().find(|p| p.id == asked.id).map(Some);
    }
    Some(policy.placements.iter().find(|p| p.stage == Some(asked.stage)))
}

/// What each position of the page takes.
pub fn positions(case: &Case<'_>) -> Vec<Position> {
    let (policy, asked) = (case.policy, case.transaction.placement);
    let named = named(policy, case).flatten();
    let last = |list: &[f64], at: usize, or: f64| *list.get(at).or(list.last()).unwrap_or(&or);
    let empty = NamedPlacement::default();
    let own = named.unwrap_or(&empty);
    (0..case.slots())
        .map(|at| {
            let floor = last(&own.min_relevance, at, policy.placement.min_relevance);
            let mut parties = own.parties.get(at).or(own.parties.last()).cloned();
            if parties.is_none() && own.stage.is_some_and(before_payment) {
                parties = Some(vec![Party::First]);
            }
            if before_payment(asked.stage) && own.stage != Some(asked.stage) {
                let mut own = parties.unwrap_or(Party::ALL.to_vec());
                own.retain(|party| *party == Party::First);
                parties = Some(own);
            }
            Position {
                floor: asked.min_relevance.unwrap_or((floor * 1000.0).round() as u16),
                reserve: (last(&own.reserve, at, policy.placement.reserve) * 1e8).round() as i64,
                kinds: own.kinds.get(at).or(own.kinds.last()).cloned(),
                parties,
            }
        })
        .collect()
}

fn before_payment(stage: Stage) -> bool {
    matches!(stage, Stage::Cart | Stage::Checkout | Stage::Payment)
}

impl Position {
    pub fn takes(&self, called: &Called<'_>) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&called.kind))
            && self.parties.as_ref().is_none_or(|parties| parties.contains(&called.party()))
    }
}

/// Rungs of the fallback ladder: whether each is content.
pub fn ladder(case: &Case<'_>) -> Vec<bool> {
    let named = named(case.policy, case).flatten();
    let own = named.and_then(|placement| placement.fallback.as_ref());
    match own.or(case.policy.placement.fallback.as_ref()) {
        Some(rungs) => rungs.iter().take(2).map(|rung| *rung == Rung::Content).collect(),
        None => vec![false, true],
    }
}
