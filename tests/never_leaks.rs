//! No forbidden product or offer ever reaches a page: random policies, requests and catalogs against rules that are read
//! by name. A second run shows that the property would fail if any one rule were missing.
#![cfg(feature = "build")]

mod common;
#[path = "oracle/conditions.rs"]
mod conditions;
#[path = "oracle/exhaustive.rs"]
mod exhaustive;
#[path = "oracle/rules.rs"]
mod rules;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use aftercart::{Decider, Item, Reason};
use common::{Rng, World};
use conditions::Called;
use exhaustive::Rows;
use rules::{Case, Shop};

/// Rules that a candidate can meet. The rest: `PartnerContext` and all below are here; a product that a policy refuses for
/// every basket is seldom a candidate at all, and is counted by the second test.
const EXPECTED: &[Reason] = &[
    Reason::BelowReserve,
    Reason::LostToHigher,
    Reason::PartnerExcluded,
    Reason::ProductExcluded,
    Reason::KindExcluded,
    Reason::OptedOut,
    Reason::ConsentMissing,
    Reason::AlreadyMember,
    Reason::SameGroup,
    Reason::Owned,
    Reason::Declined,
    Reason::LeaseEmpty,
    Reason::Paused,
    Reason::OutOfStock,
    Reason::PriceUnknown,
    Reason::Region,
    Reason::Age,
    Reason::SensitiveContext,
    Reason::PartnerContext,
    Reason::OrderValue,
    Reason::OutsideFlight,
    Reason::CustomerKind,
    Reason::TypeQuota,
    Reason::BrandQuota,
    Reason::PartnerQuota,
    Reason::ThirdPartyQuota,
    Reason::RefillQuota,
    Reason::BelowRelevance,
    Reason::BelowAcceptance,
    Reason::PriceTooHigh,
    Reason::GiftSuppressesRefill,
];

/// Every second time an engine with a live overlay that was told something random.
fn live_in_half(
    rng: &mut Rng,
    world: &World,
    policy: &mut aftercart::Policy,
    folder: &tempfile::TempDir,
) -> (Arc<aftercart::Engine>, Option<common::Told>) {
    if rng.chance(50) {
        return (world.under(policy), None);
    }
    policy.live.price_max_age_minutes = *rng.pick(&[0, 0, 150]);
    let (engine, told) = common::told(rng, world, policy, folder);
    (engine, Some(told))
}

/// Cases of the property: what a test command has time for.
const CASES: usize = 100_000;
/// Policies of one catalog, and requests of one policy.
const POLICIES: usize = 20;
const REQUESTS: usize = 100;

/// What was seen while cases ran.
#[derive(Default)]
struct Seen {
    cases: usize,
    shown: usize,
    compared: usize,
    refused: BTreeMap<Reason, usize>,
}

/// All cases of one catalog. A rule that is broken is a failure in each; in every second policy searches are exact, and then
/// every tenth answer is compared with the oracle's, offer by offer.
fn run(seed: u64, folder: &tempfile::TempDir, seen: &mut Seen) {
    let world = World::new(seed, [40, 120, 400][seed as usize % 3]);
    let shop = Shop::new(&world);
    let rows = Rows::new(&shop);
    let mut rng = Rng::new(seed ^ 0xBAD);
    for number in 0..POLICIES {
        let mut policy = common::policy(&mut rng, &world);
        let exact = number % 2 == 0;
        if !exact {
            common::explored(&mut rng, &mut policy);
        }
        let (mut engine, told) = live_in_half(&mut rng, &world, &mut policy, folder);
        if exact {
            engine = Arc::new((*engine).clone().with_visit_budget(u32::MAX));
        }
        let mut decider = Decider::new(Arc::clone(&engine));
        for number in 0..REQUESTS {
            let request = common::request(&mut rng, &world);
            request.with(|transaction, profile| {
                let mut case = Case::new(&shop, &policy, transaction, profile);
                case.live = told.as_ref();
                let offers = decider.decide(transaction, profile).expect("within the limits");
                let context = || format!("seed {seed}, request {number}: {request:?}\npolicy {policy:?}");
                if let Some(breach) = rules::breach(&case, &engine, &offers) {
                    panic!("{breach}, {}", context());
                }
                // What pacing lets through is chance, of which the oracle knows nothing.
                if exact && number % 10 == 0 && offers.rejected().iter().all(|r| r.reason != Reason::Paced) {
                    let expected = exhaustive::decide(&case, &engine, &rows);
                    exhaustive::assert_same(&engine, &expected, &offers, &context());
                    seen.compared += 1;
                }
                for rejected in offers.rejected() {
                    *seen.refused.entry(rejected.reason).or_default() += 1;
                }
                seen.cases += 1;
                seen.shown += offers.slate().len();
            });
        }
    }
}

/// `AFTERCART_CASES=1000000 cargo test --profile fast --features build --test never_leaks nothing_forbidden` runs a million.
#[test]
fn nothing_forbidden_is_shown() {
    let wanted = std::env::var("AFTERCART_CASES").ok().map_or(CASES, |n| n.parse().expect("a number"));
    let seeds = wanted.div_ceil(POLICIES * REQUESTS) as u64;
    let (next, all) = (AtomicU64::new(0), Mutex::new(Seen::default()));
    let work = || {
        let folder = tempfile::tempdir().expect("a folder");
        let mut seen = Seen::default();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds {
                break;
            }
            run(1_000 + seed, &folder, &mut seen);
        }
        let mut all = all.lock().expect("nobody failed");
        (all.cases, all.shown) = (all.cases + seen.cases, all.shown + seen.shown);
        all.compared += seen.compared;
        seen.refused.into_iter().for_each(|(reason, n)| *all.refused.entry(reason).or_default() += n);
    };
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(work);
        }
    });
    let Seen { cases, shown, compared, refused } = all.into_inner().expect("nobody failed");
    println!("{cases} cases, {compared} of them compared in all, {shown} offers shown, refused: {refused:?}");
    assert!(cases >= wanted && shown > cases, "the cases are too poor to show anything");
    for reason in EXPECTED {
        assert!(refused.contains_key(reason), "no case met {reason:?}: {refused:?}");
    }
    assert!(!refused.contains_key(&Reason::VerifierDropped), "gate and verifier disagree");
}

/// The rules whose absence must be noticed: each one alone keeps something off some page.
const RULES: &[Reason] = &[
    Reason::BelowReserve,
    Reason::PartnerExcluded,
    Reason::CategoryExcluded,
    Reason::BrandExcluded,
    Reason::AttributeExcluded,
    Reason::ProductExcluded,
    Reason::KindExcluded,
    Reason::OptedOut,
    Reason::ConsentMissing,
    Reason::AlreadyMember,
    Reason::SameGroup,
    Reason::Owned,
    Reason::Declined,
    Reason::LeaseEmpty,
    Reason::Paused,
    Reason::OutOfStock,
    Reason::PriceUnknown,
    Reason::Region,
    Reason::Age,
    Reason::SensitiveContext,
    Reason::PartnerContext,
    Reason::OrderValue,
    Reason::OutsideFlight,
    Reason::CustomerKind,
    Reason::FrequencyCap,
    Reason::OfferCondition,
    Reason::UnknownCategory,
    Reason::CompetitiveSeparation,
    Reason::PositionExcluded,
    Reason::TypeQuota,
    Reason::BrandQuota,
    Reason::PartnerQuota,
    Reason::ThirdPartyQuota,
    Reason::RefillQuota,
    Reason::BelowRelevance,
    Reason::BelowAcceptance,
    Reason::PriceTooHigh,
    Reason::GiftSuppressesRefill,
];

/// The oracle equals the engine (`tests/oracle.rs`). So an oracle without one rule is an engine without that rule, and where
/// its page differs, the property above would have failed. `SameItem` and `SameType` are not listed: what was bought is also
/// kept out of retrieval by its type, in both.
#[test]
fn the_property_would_notice_if_any_one_rule_were_missing() {
    let mut unnoticed: Vec<Reason> = RULES.to_vec();
    let folder = tempfile::tempdir().expect("a folder");
    for seed in 2_000..2_400 {
        let world = World::new(seed, 150);
        let shop = Shop::new(&world);
        let rows = Rows::new(&shop);
        let mut rng = Rng::new(seed ^ 0xD00);
        for _ in 0..40 {
            let mut policy = common::policy(&mut rng, &world);
            let (engine, told) = live_in_half(&mut rng, &world, &mut policy, &folder);
            let request = common::request(&mut rng, &world);
            request.with(|transaction, profile| {
                unnoticed.retain(|reason| {
                    let mut case = Case::new(&shop, &policy, transaction, profile);
                    case.live = told.as_ref();
                    case.without = Some(*reason);
                    let answer = exhaustive::decide(&case, &engine, &rows);
                    case.without = None;
                    !leaks(&case, &answer, *reason)
                });
            });
            if unnoticed.is_empty() {
                println!("all noticed by seed {seed}");
                return;
            }
        }
    }
    panic!("no case would notice the loss of {unnoticed:?}");
}

/// Whether a page holds what only `reason` forbids.
fn leaks(case: &Case<'_>, answer: &exhaustive::Answer, reason: Reason) -> bool {
    let case = &Case { group_id: answer.group_id, ..case.clone() };
    let mut before = Vec::new();
    answer.slate.iter().any(|entry| {
        let refill = entry.relation == aftercart::Relation::Refill;
        let mut wrong = match entry.item {
            Item::Product(ix) => case.product(case.shop.row_of[&ix], refill),
            Item::Offer(_) => case.offer(case.shop.offers[case.shop.world.engine.id(entry.item)]),
        };
        let traits = case.traits(entry.item, refill);
        wrong.extend(case.over(&before, &traits));
        before.push(traits);
        if !entry.house && entry.relevance < case.floor() {
            wrong.push(Reason::BelowRelevance);
        }
        if !entry.house && entry.p_accept_ppm < case.least_p_accept_ppm() {
            wrong.push(Reason::BelowAcceptance);
        }
        if !entry.house && entry.ev_micros < case.reserve() {
            wrong.push(Reason::BelowReserve);
        }
        let called = Called::item(case, entry.item);
        let clash = |other: &exhaustive::Entry| {
            other.item != entry.item && conditions::apart(case, &called, &Called::item(case, other.item))
        };
        if answer.slate.iter().any(clash) {
            wrong.push(Reason::CompetitiveSeparation);
        }
        if !conditions::positions(case)[usize::from(entry.position)].takes(&called) {
            wrong.push(Reason::PositionExcluded);
        }
        wrong.contains(&reason)
    })
}

/// For any product and any offer, candidate or not, the engine knows exactly the reasons that the rules by name give.
#[test]
fn an_explanation_names_every_rule_that_refuses_and_no_other() {
    let soft = [
        Reason::BelowRelevance,
        Reason::BelowAcceptance,
        Reason::BelowReserve,
        Reason::LostToHigher,
        Reason::NotRetrieved,
        Reason::KillSwitch,
        Reason::NothingToAsk,
        Reason::TypeQuota,
        Reason::BrandQuota,
        Reason::PartnerQuota,
        Reason::ThirdPartyQuota,
        Reason::RefillQuota,
        Reason::ShareOwed,
        Reason::CompetitiveSeparation,
        Reason::PositionExcluded,
        Reason::UnknownPlacement,
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let mut seen: BTreeMap<Reason, usize> = BTreeMap::new();
    for seed in 3_000..3_030 {
        let world = World::new(seed, 100);
        let shop = Shop::new(&world);
        let mut rng = Rng::new(seed ^ 0xE1);
        for _ in 0..6 {
            let mut policy = common::policy(&mut rng, &world);
            let (engine, told) = live_in_half(&mut rng, &world, &mut policy, &folder);
            let mut decider = Decider::new(Arc::clone(&engine));
            let request = common::request(&mut rng, &world);
            let offers = world.inputs.partners.offers.len();
            let mut items: Vec<Item> = (0..25).map(|_| Item::Product(*rng.pick(&shop.ix))).collect();
            let offer =
                |n: usize| engine.find_offer(&world.inputs.partners.offers[n].id).expect("it is there");
            items.extend((0..10).map(|_| Item::Offer(offer(rng.below(offers)))));
            let bought = request.lines.iter().filter_map(|l| engine.find_product(&l.item_id));
            items.extend(bought.map(Item::Product).take(3));
            request.with(|transaction, profile| {
                let mut case = Case::new(&shop, &policy, transaction, profile);
                case.live = told.as_ref();
                for item in items {
                    let explained = decider.explain(transaction, profile, item).expect("within the limits");
                    let refill = explained.because.is_some_and(|b| b.relation == aftercart::Relation::Refill);
                    let mut expected = match item {
                        Item::Product(ix) => case.product(shop.row_of[&ix], refill),
                        Item::Offer(_) => case.offer(shop.offers[engine.id(item)]),
                    };
                    let mut found: Vec<Reason> =
                        explained.reasons.iter().copied().filter(|r| !soft.contains(r)).collect();
                    for list in [&mut found, &mut expected] {
                        list.sort();
                        list.dedup();
                    }
                    let id = engine.id(item);
                    assert_eq!(found, expected, "{id}, seed {seed}: {request:?}\npolicy {policy:?}");
                    assert!(
                        explained.position.is_none() || explained.reasons.is_empty(),
                        "{id}: {explained:?}"
                    );
                    for reason in found {
                        *seen.entry(reason).or_default() += 1;
                    }
                }
            });
        }
    }
    println!("{seen:?}");
    let hard = RULES.iter().chain(&[Reason::SameItem, Reason::SameType, Reason::Currency]);
    for reason in hard.filter(|reason| !soft.contains(reason)) {
        assert!(seen.contains_key(reason), "no case met {reason:?}: {seen:?}");
    }
}

/// What retrieval makes of a history is what it makes of the same history without its sensitive part. (Owned things stay away
/// all the same, and the merchant's own refills come back: `tests/oracle.rs`.)
#[test]
fn sensitive_purchases_ask_for_nothing() {
    let mut told_apart = 0;
    for seed in 4_000..4_012 {
        let world = World::new(seed, 150);
        let shop = Shop::new(&world);
        let mut rng = Rng::new(seed);
        for _ in 0..20 {
            let policy = common::policy(&mut rng, &world);
            let engine = world.under(&policy);
            let mut request = common::request(&mut rng, &world);
            request.purchases.truncate(aftercart::limits::PURCHASES_MAX);
            let learnt = |request: &common::Request| {
                request.with(|t, p| {
                    let learnt = aftercart::testing::learnt(&engine, t, p);
                    (learnt.linked, learnt.taste, learnt.past_types)
                })
            };
            let whole = learnt(&request);
            let (sensitive, harmless) = request.with(|transaction, profile| {
                let case = Case::new(&shop, &policy, transaction, profile);
                let is_sensitive = |id: &String| case.is_sensitive(shop.products[id.as_str()]);
                request.purchases.iter().cloned().partition::<Vec<_>, _>(|(id, _)| is_sensitive(id))
            });
            request.purchases = harmless;
            assert_eq!(learnt(&request), whole, "seed {seed}: {request:?}\npolicy {policy:?}");
            request.purchases = sensitive;
            let (_, taste, types) = learnt(&request);
            assert!(taste.is_none() && types.is_empty(), "seed {seed}: {request:?}");
            told_apart += usize::from(!request.purchases.is_empty());
        }
    }
    assert!(told_apart > 30, "only {told_apart} histories had a sensitive part");
}

#[test]
fn a_kill_switch_and_another_currency_show_nothing() {
    let world = World::new(5, 60);
    let mut rng = Rng::new(6);
    let policy = aftercart::Policy { kill_switch: true, ..aftercart::Policy::default() };
    let mut dead = Decider::new(world.under(&policy));
    let mut live = Decider::new(Arc::clone(&world.engine));
    for _ in 0..50 {
        let mut request = common::request(&mut rng, &world);
        request.currency = None;
        let status = request.with(|t, p| dead.decide(t, p).expect("within the limits").status);
        assert_eq!(status, aftercart::Status::NoOffer(Reason::KillSwitch));
        request.currency = Some(aftercart::vocabulary::Currency(*b"EUR"));
        let status = request.with(|t, p| live.decide(t, p).expect("within the limits").status);
        assert_eq!(status, aftercart::Status::NoOffer(Reason::Currency));
    }
}

/// A feed's own class does not lift a product out of the class that the policy gives its category.
#[test]
fn a_product_is_of_its_own_class_and_of_its_categorys() {
    use aftercart::build::feed::Product;
    use aftercart::policy::SensitiveRule;
    use aftercart::vocabulary::{AgeBand, SensitiveClass};
    let product = |id: &str, category: &str, sensitive| Product {
        id: id.into(),
        category_path: category.into(),
        sensitive,
        ..Product::default()
    };
    let inputs = aftercart::build::Inputs {
        products: vec![
            product("glass", "Home > Glasses", SensitiveClass::None),
            product("tonic", "Drinks > Wine", SensitiveClass::Health),
        ],
        ..Default::default()
    };
    let world =
        World::of(1, inputs, aftercart::build::BuildOptions { calibrate: false, ..Default::default() });
    let mut policy = aftercart::Policy {
        taxonomy: Some("merchant".into()),
        sensitive: vec![SensitiveRule {
            category: "Drinks".into(),
            class: SensitiveClass::Alcohol,
            age_min: 0,
        }],
        allow_sensitive: vec![SensitiveClass::Health],
        ..aftercart::Policy::default()
    };
    policy.placement.min_relevance = 0.0;
    let shown = |policy: &aftercart::Policy, age_band| {
        let mut decider = Decider::new(world.under(policy));
        let request = common::Request { age_band, ..common::Request::of(&["glass"]) };
        request.with(|t, p| decider.decide(t, p).expect("within the limits").slate().len())
    };
    assert_eq!(shown(&policy, AgeBand::Adult), 0, "alcohol is not allowed");
    policy.allow_sensitive.push(SensitiveClass::Alcohol);
    assert_eq!(shown(&policy, AgeBand::Adult), 1, "now both are");
    assert_eq!(shown(&policy, AgeBand::Unknown), 0, "alcohol needs an adult");
}
