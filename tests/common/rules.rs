//! Random rules with conditions, pairs that may not meet, and placements.

use std::collections::BTreeMap;

use aftercart::build::feed::FrequencyCap;
use aftercart::policy::condition::{Comparison, Condition, Fact, FlagFact, ListFact, NumberFact, TextFact};
use aftercart::policy::{Apart, ConsentPolicy, NamedPlacement, Names, Policy, Rule, Rung, Unknown};
use aftercart::vocabulary::{
    Attribute, Exposure, OfferKind, Party, PaymentType, Purpose, SensitiveClass, Stage,
};

use super::{ATTRIBUTES, NOW, Rng, World};

/// What requests call their orders and customers.
pub const WORDS: [&str; 4] = ["vip", "staff", "express", "campaign"];
pub const TIERS: [&str; 3] = ["", "silver", "gold"];
pub const PLACEMENTS: &[&str] = &["", "thank-you", "never-heard-of"];

/// Adds some to a policy.
pub fn add(rng: &mut Rng, world: &World, policy: &mut Policy) {
    if rng.chance(50) {
        return;
    }
    policy.time_zone = Some((*rng.pick(&["Europe/Berlin", "America/New_York", "Asia/Kolkata"])).into());
    policy.suppress.parties = if rng.chance(5) { vec![Party::Third] } else { Vec::new() };
    if rng.chance(10) {
        policy.allow_only.brands = rng.some(&world.brands, 6);
    }
    if rng.chance(15) {
        policy.suppress.attributes = attributes(rng, 2);
    }
    if rng.chance(5) {
        policy.allow_only.attributes = attributes(rng, 4);
    }
    let count = *rng.pick(&[0, 1, 2, 5, 70]);
    policy.rules = (0..count).map(|n| rule(rng, world, n)).collect();
    policy.apart =
        (0..rng.below(3)).map(|n| pair(rng, world, n)).filter(|pair| !pair.these.is_empty()).collect();
    if rng.chance(40) {
        policy.placements = vec![placement(rng, "thank-you", Some(Stage::Confirmation))];
    }
    if rng.chance(20) {
        policy.placements.push(placement(rng, "cart", Some(Stage::Cart)));
    }
}

fn pair(rng: &mut Rng, world: &World, number: usize) -> Apart {
    let mut pair = Apart {
        name: format!("pair {number}"),
        these: some_names(rng, world, 3),
        those: names(rng, world),
        bought: rng.chance(30),
    };
    if pair.bought {
        (pair.these, pair.those) = (of_lines(pair.these), of_lines(pair.those));
    }
    pair
}

/// The names by which bought lines are known.
fn of_lines(Names { categories, brands, products, .. }: Names) -> Names {
    Names { categories, brands, products, ..Names::default() }
}

fn rule(rng: &mut Rng, world: &World, number: usize) -> Rule {
    let bought = of_lines(names(rng, world));
    let mut rule = Rule {
        name: format!("rule {number}"),
        when: if rng.chance(25) { Condition::Always } else { condition(rng, 3) },
        bought: if rng.chance(30) { bought } else { Names::default() },
        ..Rule::default()
    };
    match rng.below(8) {
        0 => rule.allow_only = some_names(rng, world, 12),
        1 => rule.allow_sensitive = rng.some(SensitiveClass::ALL, 4),
        _ => rule.suppress = some_names(rng, world, 2),
    }
    if rule.allow_only.is_empty() && rule.suppress.is_empty() {
        rule.allow_sensitive.push(SensitiveClass::Alcohol);
    }
    rule
}

fn names(rng: &mut Rng, world: &World) -> Names {
    if rng.chance(30) { Names::default() } else { some_names(rng, world, 2) }
}

/// At most so many names of one or two sorts.
fn some_names(rng: &mut Rng, world: &World, most: usize) -> Names {
    let (inputs, mut names) = (&world.inputs, Names::default());
    let ids = |rng: &mut Rng, all: Vec<String>| if all.is_empty() { all } else { rng.some(&all, most) };
    for _ in 0..1 + rng.below(2) {
        match rng.below(10) {
            9 => names.attributes = attributes(rng, most),
            0..3 => names.categories = ids(rng, world.categories.clone()),
            3 => names.brands = ids(rng, world.brands.clone()),
            4 => names.partners = ids(rng, inputs.partners.partners.iter().map(|p| p.id.clone()).collect()),
            5 => names.products = ids(rng, inputs.products.iter().map(|p| p.id.clone()).collect()),
            6 => names.offers = ids(rng, inputs.partners.offers.iter().map(|o| o.id.clone()).collect()),
            7 => names.kinds = rng.some(OfferKind::ALL, most),
            _ => names.parties = rng.some(Party::ALL, 1),
        }
    }
    names
}

fn attributes(rng: &mut Rng, most: usize) -> BTreeMap<Attribute, Vec<String>> {
    let mut named: BTreeMap<_, Vec<String>> = BTreeMap::new();
    for (attribute, value) in rng.some(&ATTRIBUTES, most) {
        let spelled = if rng.chance(50) { value.to_uppercase() } else { value.to_owned() };
        named.entry(attribute).or_default().push(spelled);
    }
    named
}

pub fn condition(rng: &mut Rng, depth: usize) -> Condition {
    let parts = |rng: &mut Rng| (0..rng.below(4)).map(|_| condition(rng, depth - 1)).collect();
    match rng.below(if depth == 0 { 7 } else { 11 }) {
        0 => Condition::Flag(*rng.pick(FlagFact::ALL)),
        1 | 2 => number(rng),
        3 | 4 => text(rng),
        5 => Condition::Has { list: *rng.pick(ListFact::ALL), value: (*rng.pick(&WORDS)).into() },
        6 => Condition::Known(match rng.below(3) {
            0 => Fact::Number(*rng.pick(NumberFact::ALL)),
            1 => Fact::Text(*rng.pick(TextFact::ALL)),
            _ => Fact::Flag(*rng.pick(FlagFact::ALL)),
        }),
        7 | 8 => Condition::All(parts(rng)),
        9 => Condition::Any(parts(rng)),
        _ => Condition::Not(Box::new(condition(rng, depth - 1))),
    }
}

fn number(rng: &mut Rng) -> Condition {
    let fact = *rng.pick(NumberFact::ALL);
    let value = match fact {
        NumberFact::OrderValue => rng.below(30_000) as i64,
        NumberFact::TimeNow => NOW + rng.below(3) as i64 - 1,
        NumberFact::TimeHour => rng.below(24) as i64,
        _ => rng.below(8) as i64,
    };
    Condition::Number { fact, is: *rng.pick(Comparison::ALL), value }
}

fn text(rng: &mut Rng) -> Condition {
    let fact = *rng.pick(TextFact::ALL);
    let value = match fact {
        TextFact::OrderCountry => *rng.pick(&["US", "DE", "ZZ"]),
        TextFact::OrderPayment => rng.pick(PaymentType::ALL).name(),
        TextFact::CustomerKind => *rng.pick(&["new", "returning"]),
        TextFact::CustomerAge => *rng.pick(&["minor", "adult"]),
        TextFact::CustomerTier => *rng.pick(&TIERS),
        TextFact::TimeWeekday => *rng.pick(&["thursday", "friday", "saturday"]),
        TextFact::PlacementId => *rng.pick(PLACEMENTS),
        TextFact::PlacementStage => rng.pick(Stage::ALL).name(),
    };
    Condition::Text { fact, value: value.into() }
}

/// Some purposes for some parties and kinds.
pub fn consent(rng: &mut Rng) -> ConsentPolicy {
    ConsentPolicy {
        parties: rng
            .some(Party::ALL, 2)
            .into_iter()
            .map(|party| (party, rng.some(Purpose::ALL, 2)))
            .collect(),
        kinds: rng
            .some(OfferKind::ALL, 3)
            .into_iter()
            .map(|kind| (kind, rng.some(Purpose::ALL, 2)))
            .collect(),
        not_asked: *rng.pick(&[Unknown::Allow, Unknown::Deny]),
    }
}

/// At most one cap.
pub fn caps(rng: &mut Rng, percent: usize) -> Vec<FrequencyCap> {
    let cap = |rng: &mut Rng| FrequencyCap {
        event: *rng.pick(Exposure::ALL),
        most: rng.below(4) as u32,
        days: 1 + rng.below(300) as u32,
    };
    (0..usize::from(rng.chance(percent))).map(|_| cap(rng)).collect()
}

fn placement(rng: &mut Rng, id: &str, stage: Option<Stage>) -> NamedPlacement {
    let maybe = |rng: &mut Rng, percent| rng.chance(percent);
    NamedPlacement {
        id: id.into(),
        stage: stage.filter(|_| rng.chance(50)),
        slots: maybe(rng, 50).then(|| 1 + rng.below(16) as u8),
        min_relevance: (0..rng.below(4)).map(|_| *rng.pick(&[0.0, 0.1, 0.4, 0.7])).collect(),
        reserve: (0..rng.below(3)).map(|_| *rng.pick(&[0.0, 0.05, 1.0])).collect(),
        kinds: (0..rng.below(4))
            .map(|_| [rng.some(OfferKind::ALL, 6), vec![OfferKind::Product]].concat())
            .collect(),
        parties: (0..rng.below(3))
            .map(|_| [rng.some(Party::ALL, 1), vec![*rng.pick(Party::ALL)]].concat())
            .collect(),
        fallback: maybe(rng, 30).then(|| ladder(rng)),
    }
}

pub fn ladder(rng: &mut Rng) -> Vec<Rung> {
    match rng.below(4) {
        0 => vec![Rung::Content, Rung::House],
        1 => vec![Rung::House],
        2 => vec![Rung::Content],
        _ => Vec::new(),
    }
}
