//! Measures decisions on a catalog of any size.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercart::policy::Policy;
use aftercart::{Decider, Engine, OpenMode, OpenOptions, Placement, Prefault, Profile, Transaction, Verify};
use serde_json::{Value, json};

use crate::cold;
use crate::request::Basket;

pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Decisions of one scenario.
const DECISIONS: usize = 10_000;
/// Distinct baskets that are taken in turn.
const BASKETS: usize = 2_000;

pub(crate) fn run(path: &Path, requests: Option<&Path>, json: bool) -> Result<()> {
    let options =
        OpenOptions { verify: Verify::Structure, prefault: Prefault::Whole, ..OpenOptions::default() };
    // Before anything maps the file: what is mapped cannot be dropped from the page cache.
    let asked = baskets(&Engine::open(path, options)?, 3);
    let cold = cold::rows(path, &asked)?;
    let engine = Arc::new(Engine::open(path, options)?);
    let mut rows = Vec::new();
    let mut note = |row: Value| {
        if !json {
            println!("{}", line_of(&row));
        }
        rows.push(row);
    };
    let typical = Arc::new(engine.with_policy(&suppressing(&engine, 20, 1.0))?);
    match requests {
        Some(requests) => {
            let text = std::fs::read_to_string(requests)?;
            let baskets = text
                .lines()
                .map(|line| Basket::parse(line, 0))
                .collect::<std::result::Result<Vec<_>, _>>()?;
            note(warm(&engine, &baskets, "requests")?);
            stages(&engine, &baskets).into_iter().for_each(&mut note);
        }
        None => {
            let three = baskets(&engine, 3);
            note(warm(&typical, &three, "basket of 3, 20 rules")?);
            stages(&typical, &three).into_iter().for_each(&mut note);
            for lines in [1, 10, 30] {
                note(warm(&typical, &baskets(&engine, lines), &format!("basket of {lines}, 20 rules"))?);
            }
            for rules in [0, 200] {
                let engine = Arc::new(engine.with_policy(&suppressing(&engine, rules, 1.0))?);
                note(warm(&engine, &three, &format!("basket of 3, {rules} rules"))?);
            }
            for share in [0.5, 0.1, 0.01] {
                let engine = Arc::new(engine.with_policy(&suppressing(&engine, usize::MAX, share))?);
                let name = format!("basket of 3, {} % of the catalog allowed", share * 100.0);
                note(warm(&engine, &three, &name)?);
            }
            note(threads(&typical, &three));
            let huge = Engine::open(path, OpenOptions { mode: OpenMode::CopyHuge, ..options })?;
            let huge = Arc::new(huge.with_policy(&suppressing(&huge, 20, 1.0))?);
            note(warm(&huge, &three, "basket of 3, 20 rules, copied into huge pages")?);
        }
    }
    cold.into_iter().for_each(&mut note);
    if json {
        let file = json!({"path": path.display().to_string(), "bytes": engine.catalog().file_bytes()});
        println!("{}", json!({"catalog": file, "kernel": engine.kernel_name(), "rows": rows}));
    }
    Ok(())
}

/// Baskets of products spread over the catalog's most bought, another one each time.
fn baskets(engine: &Engine, lines: usize) -> Vec<Basket> {
    let ids: Vec<&str> = engine.catalog().product_ids().collect();
    let id = |n: usize| ids[n.wrapping_mul(7919).wrapping_add(n / 3) % ids.len()].to_owned();
    let basket = |at: usize| (0..lines).map(|line| id(at * 31 + line * 104_729)).collect::<Vec<_>>();
    (0..BASKETS).map(|at| Basket::of(&basket(at), 1_700_000_000_000)).collect()
}

/// A policy that suppresses `rules` small categories; or so many that only a share of the products is left.
fn suppressing(engine: &Engine, rules: usize, share: f64) -> Policy {
    let all = engine.catalog().view().product_count();
    let mut leaves: Vec<(&str, u32)> = engine.catalog().categories().collect();
    let is_leaf =
        |path: &str| !engine.catalog().categories().any(|(p, _)| p.starts_with(&format!("{path} > ")));
    leaves.retain(|(path, products)| *products > 0 && is_leaf(path));
    leaves.sort_by_key(|(path, products)| (*products, xxhash_rust::xxh3::xxh3_64(path.as_bytes())));
    let taxonomy = Some(engine.catalog().taxonomy().to_owned());
    let mut policy = Policy { taxonomy, ..Policy::default() };
    if share >= 1.0 {
        policy.suppress.categories = leaves.iter().take(rules).map(|(path, _)| (*path).to_owned()).collect();
        return policy;
    }
    leaves.sort_by_key(|(path, _)| xxhash_rust::xxh3::xxh3_64(path.as_bytes()));
    let mut left = (f64::from(all) * share) as i64;
    for (path, products) in leaves {
        if left > 0 {
            policy.allow_only.categories.push(path.to_owned());
            left -= i64::from(products);
        }
    }
    policy
}

/// One decision on three slots, and how long it took. The clock does not see the texts being lent.
pub(crate) fn timed(decider: &mut Decider, basket: &Basket) -> (Duration, usize) {
    let placement = Placement { slots: 3, ..Placement::default() };
    basket.with(placement, |transaction: &Transaction<'_>, profile: &Profile<'_>| {
        let since = Instant::now();
        let offers = decider.decide(transaction, profile);
        (since.elapsed(), offers.map_or(0, |offers| offers.slate().len()))
    })
}

fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

/// A percentile of sorted times, in microseconds.
pub(crate) fn percentile(sorted: &[Duration], share: f64) -> f64 {
    let at = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(at).map_or(0.0, |time| microseconds(*time))
}

/// One pass to warm up, then as many decisions as it takes.
fn warm(engine: &Arc<Engine>, baskets: &[Basket], name: &str) -> Result<Value> {
    if baskets.is_empty() {
        return Err("no requests".into());
    }
    let mut decider = Decider::new(Arc::clone(engine));
    let offers: usize = baskets.iter().map(|basket| timed(&mut decider, basket).1).sum();
    let mut times: Vec<Duration> =
        baskets.iter().cycle().take(DECISIONS).map(|basket| timed(&mut decider, basket).0).collect();
    times.sort_unstable();
    Ok(json!({
        "scenario": name,
        "p50_us": percentile(&times, 0.5),
        "p99_us": percentile(&times, 0.99),
        "p999_us": percentile(&times, 0.999),
        "offers_per_decision": offers as f64 / baskets.len() as f64,
    }))
}

/// Time of each stage: the median of all decisions, and the mean of the slowest in a hundred.
pub(crate) fn stages(engine: &Arc<Engine>, baskets: &[Basket]) -> [Value; 2] {
    let mut decider = Decider::new(Arc::clone(engine));
    let mut decisions: Vec<Vec<(&'static str, Duration)>> = Vec::with_capacity(DECISIONS);
    for basket in baskets.iter().cycle().take(DECISIONS) {
        let placement = Placement { slots: 3, ..Placement::default() };
        let mut stages = Vec::with_capacity(8);
        basket.with(placement, |transaction, profile| {
            let mut last = Instant::now();
            let stage_done = |stage| {
                stages.push((stage, last.elapsed()));
                last = Instant::now();
            };
            let _ = decider.decide_observed(transaction, profile, |_| false, stage_done);
        });
        decisions.push(stages);
    }
    let whole = |stages: &Vec<(_, Duration)>| stages.iter().map(|(_, time)| *time).sum::<Duration>();
    decisions.sort_by_cached_key(whole);
    let names: Vec<&str> = decisions.last().into_iter().flatten().map(|(name, _)| *name).collect();
    let by_stage = |name: &str, of: &dyn Fn(usize) -> f64| {
        let times = names.iter().enumerate().map(|(at, stage)| ((*stage).to_owned(), json!(of(at))));
        json!({"scenario": name, "stages_us": times.collect::<serde_json::Map<_, _>>()})
    };
    let times = |of: &[Vec<(_, Duration)>], at: usize| -> Vec<Duration> {
        of.iter().filter_map(|stages| Some(stages.get(at)?.1)).collect()
    };
    let slowest = &decisions[decisions.len() - decisions.len().div_ceil(100)..];
    let median = |at| {
        let mut times = times(&decisions, at);
        times.sort_unstable();
        percentile(&times, 0.5)
    };
    let mean = |at| microseconds(times(slowest, at).iter().sum::<Duration>()) / slowest.len().max(1) as f64;
    [by_stage("stages, p50", &median), by_stage("stages, mean of the slowest in a hundred", &mean)]
}

/// Decisions a second on one thread and on two.
fn threads(engine: &Arc<Engine>, baskets: &[Basket]) -> Value {
    let rate = |threads: usize| {
        let since = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let mut decider = Decider::new(Arc::clone(engine));
                    let turns = baskets.iter().cycle().take(2 * DECISIONS);
                    turns.map(|basket| timed(&mut decider, basket).1).sum::<usize>()
                });
            }
        });
        (threads * 2 * DECISIONS) as f64 / since.elapsed().as_secs_f64()
    };
    let (one, two) = (rate(1), rate(2));
    json!({"scenario": "threads", "one_per_s": one, "two_per_s": two, "ratio": two / one})
}

/// A row for people.
pub(crate) fn line_of(row: &Value) -> String {
    let number = |value: &Value| value.as_f64().map_or_else(|| value.to_string(), |v| format!("{v:.3}"));
    let mut line = format!("{:<42}", row["scenario"].as_str().unwrap_or_default());
    let fields = row.as_object().into_iter().flatten().filter(|(name, _)| *name != "scenario");
    for (name, value) in fields {
        match value.as_object() {
            Some(stages) => {
                stages.iter().for_each(|(n, v)| line += &format!("\n      {name} {n} {}", number(v)))
            }
            None => line += &format!("  {name} {}", number(value)),
        }
    }
    line
}
