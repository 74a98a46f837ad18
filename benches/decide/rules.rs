//! What rules and contracts cost, and what a search finds under them.

use std::sync::Arc;

use aftercart::policy::condition::{Comparison, Condition, FlagFact, ListFact, NumberFact, TextFact};
use aftercart::policy::{Policy, Rule};
use aftercart::vocabulary::OfferKind;
use aftercart::{Decider, Engine, OpenOptions, Placement, Prefault, Verify, testing};
use serde_json::{Value, json};

use crate::measure::{Result, percentile, stages, timed};
use crate::request::Basket;

/// Decisions of each engine.
const DECISIONS: usize = 20_000;
/// Rules of the policy.
const RULES: usize = 200;

/// Baskets of the catalog's products with what shops know of an order.
fn baskets(engine: &Engine, count: usize) -> Result<Vec<Basket>> {
    let ids: Vec<&str> = engine.catalog().product_ids().collect();
    let id = |n: usize| ids[n.wrapping_mul(7919).wrapping_add(n / 3) % ids.len()];
    let basket = |at: usize| {
        let line = |n: usize| json!({"product_id": id(at * 31 + n * 104_729), "unit_price": 4.99});
        let request = json!({
            "at": "2026-11-22T10:00:00Z", "order_id": format!("order {at}"), "country": "US", "payment": "card",
            "customer": "returning", "age_band": "adult", "orders": at % 9, "segments": ["vip"], "tags": ["express"],
            "lines": [line(0), line(1), line(2)],
            "exposures": [{"id": format!("offer-{}", at % 4_600), "event": "shown", "at": "2026-11-20"}],
        });
        Basket::parse(&request.to_string(), 0)
    };
    Ok((0..count).map(basket).collect::<std::result::Result<_, _>>()?)
}

/// As many rules, of which most hold: by country, value, segment, time and so on, against small categories, brands and products.
fn ruled(engine: &Engine) -> Policy {
    let taxonomy = Some(engine.catalog().taxonomy().to_owned());
    let mut leaves: Vec<(&str, u32)> = engine.catalog().categories().filter(|(_, n)| *n > 0).collect();
    leaves.sort_by_key(|(path, products)| (*products, xxhash_rust::xxh3::xxh3_64(path.as_bytes())));
    let ids: Vec<&str> = engine.catalog().product_ids().collect();
    let number = |fact, is, value| Condition::Number { fact, is, value };
    let rule = |n: usize| {
        let when = match n % 6 {
            0 => number(NumberFact::OrderValue, Comparison::AtLeast, n as i64),
            1 => Condition::Text { fact: TextFact::OrderCountry, value: "US".into() },
            2 => Condition::Has { list: ListFact::CustomerSegments, value: "vip".into() },
            3 => Condition::Not(Box::new(Condition::Flag(FlagFact::OrderGift))),
            4 => Condition::All(vec![
                number(NumberFact::TimeHour, Comparison::AtLeast, 2),
                number(NumberFact::OrderLines, Comparison::Less, 60),
            ]),
            _ => number(NumberFact::CustomerOrders, Comparison::Greater, 4),
        };
        let mut rule = Rule { name: format!("rule {n}"), when, ..Rule::default() };
        match n % 3 {
            0 => rule.suppress.categories = vec![leaves[n % leaves.len()].0.to_owned()],
            1 => rule.suppress.partners = vec![format!("partner-{n}")],
            _ => rule.suppress.products = vec![ids[n * 977 % ids.len()].to_owned()],
        }
        rule
    };
    let mut policy = Policy { taxonomy, time_zone: Some("America/New_York".into()), ..Policy::default() };
    policy.rules = (0..RULES).map(rule).collect();
    policy.slate.max_third_party = 3;
    policy
}

/// Decisions under 200 rules on a catalog whose partners have contracts, beside the same products without any: by turns, so that
/// whatever else the machine does meets both.
pub(crate) fn against(path: &std::path::Path, plain: &std::path::Path) -> Result<Value> {
    let options =
        OpenOptions { verify: Verify::Structure, prefault: Prefault::Whole, ..OpenOptions::default() };
    let rich = Engine::open(path, options)?;
    let rich = Arc::new(rich.with_policy(&ruled(&rich))?);
    let plain = Arc::new(Engine::open(plain, options)?.with_policy(&Policy::default())?);
    let baskets = baskets(&rich, 2_000)?;
    let mut deciders = [Decider::new(Arc::clone(&rich)), Decider::new(Arc::clone(&plain))];
    let mut times = [Vec::new(), Vec::new()];
    let mut offers = [0, 0];
    for turn in 0..DECISIONS + baskets.len() {
        let basket = &baskets[turn % baskets.len()];
        for at in [turn % 2, 1 - turn % 2] {
            let (time, shown) = timed(&mut deciders[at], basket);
            if turn >= baskets.len() {
                times[at].push(time);
                offers[at] += shown;
            }
        }
    }
    times.iter_mut().for_each(|times| times.sort_unstable());
    let p = |at: usize, share| percentile(&times[at], share);
    Ok(json!({
        "scenario": "200 rules and contracts against none",
        "p50_us": p(0, 0.5), "plain_p50_us": p(1, 0.5), "p50_ratio": p(0, 0.5) / p(1, 0.5),
        "p99_us": p(0, 0.99), "plain_p99_us": p(1, 0.99), "p99_ratio": p(0, 0.99) / p(1, 0.99),
        "offers_per_decision": f64::from(offers[0] as u32) / DECISIONS as f64,
        "plain_offers_per_decision": f64::from(offers[1] as u32) / DECISIONS as f64,
        "searched": searched(&mut deciders[0], &baskets),
        "stages_us": stages(&rich, &baskets)[0]["stages_us"],
        "plain_stages_us": stages(&plain, &baskets)[0]["stages_us"],
    }))
}

/// The ten best allowed products of a search against those of an exact one, where rules leave ever fewer products: one in ten, one in
/// a hundred, ... drawn at random.
pub(crate) fn decades(path: &std::path::Path) -> Result<Vec<Value>> {
    let options =
        OpenOptions { verify: Verify::Structure, prefault: Prefault::Whole, ..OpenOptions::default() };
    let engine = Engine::open(path, options)?;
    let baskets = baskets(&engine, 200)?;
    let left = |one_in: u64| -> Vec<String> {
        let ids = engine.catalog().product_ids().filter(|id| {
            one_in > 1 && xxhash_rust::xxh3::xxh3_64_with_seed(id.as_bytes(), one_in).is_multiple_of(one_in)
        });
        ids.map(str::to_owned).collect()
    };
    let mut rows = Vec::new();
    for conditional in [false, true] {
        for one_in in [1, 10, 100, 1_000, 10_000, 100_000] {
            let mut policy = Policy::default();
            if conditional {
                let when =
                    Condition::Number { fact: NumberFact::OrderLines, is: Comparison::AtLeast, value: 1 };
                policy.rules.push(Rule { name: "only".into(), when, ..Rule::default() });
                policy.rules[0].allow_only.products = left(one_in);
                policy.rules[0].suppress.kinds = vec![OfferKind::Content];
            } else {
                policy.allow_only.products = left(one_in);
            }
            rows.push(recall(
                &engine.with_policy(&policy)?,
                &baskets,
                &format!("one in {one_in}, {}", if conditional { "by condition" } else { "standing" }),
            ));
        }
    }
    Ok(rows)
}

/// Share of decisions whose lists were not enough.
fn searched(decider: &mut Decider, baskets: &[Basket]) -> f64 {
    let searches = baskets.iter().filter(|basket| {
        basket.with(Placement::default(), |transaction, profile| {
            decider.decide(transaction, profile).is_ok_and(|offers| offers.counters.search.products > 0)
        })
    });
    searches.count() as f64 / baskets.len() as f64
}

fn recall(engine: &Engine, baskets: &[Basket], name: &str) -> Value {
    let exact = engine.clone().with_visit_budget(u32::MAX);
    let (mut hits, mut same, mut of, mut compared) = (0, 0, 0, 0);
    for basket in baskets {
        basket.with(Placement::default(), |transaction, profile| {
            let (found, counters) = testing::searched(engine, transaction, profile);
            let (truth, _) = testing::searched(&exact, transaction, profile);
            let truth = &truth[..truth.len().min(10)];
            of += truth.len();
            same += truth.iter().filter(|hit| found.iter().take(10).any(|one| one == *hit)).count();
            // One that scores no less is as good: many products that were never sold have one vector.
            let least = truth.last().map_or(i32::MAX, |(score, _)| *score);
            hits += found.iter().take(10).filter(|(score, _)| *score >= least).count();
            compared += u64::from(counters.products);
        });
    }
    json!({
        "scenario": name,
        "recall_at_10": hits as f64 / (of as f64).max(1.0),
        "the_same_ten": same as f64 / (of as f64).max(1.0),
        "of": of,
        "products_compared": compared / baskets.len() as u64,
    })
}
