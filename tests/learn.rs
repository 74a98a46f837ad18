//! What people accept, learnt from the log: worth more than a guess and better as weeks go by, refused where it is worse; the same
//! numbers in a decision, in its record and in a shadow's; and no allocation for it.
#![cfg(feature = "cli")]

mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/logged.rs"]
mod logged;

use std::sync::Arc;

use aftercart::experiment::Explore;
use aftercart::learn::{LearnError, Learnt, Options, learn};
use aftercart::log::Log;
use aftercart::{Decider, Engine, Item, Model, ModelError, Offer, Policy};
use common::{DAY, NOW, Request, World};
use logged::{each_time, log_of, seen};

fn exploring() -> Policy {
    Policy { explore: Explore { best: 6, temperature: 1.0, epsilon: 0.1, seed: 5 }, ..Policy::default() }
}

/// How people like an offer in some week, beside what the catalog says: known here, and drifting.
fn taste(item: Item, week: u32) -> f64 {
    let row = match item {
        Item::Product(ix) => ix.0,
        Item::Offer(ix) => ix.0 + 5,
    };
    let angle = f64::from(row % 11) + 0.15 * f64::from(week);
    (1.2 * angle.sin()).exp()
}

fn chance(offer: &Offer, week: u32) -> f64 {
    (0.12 * taste(offer.item, week) / (1.0 + f64::from(offer.position))).min(0.9)
}

struct Shop {
    _world: World,
    engine: Arc<Engine>,
    requests: Vec<Request>,
    folder: tempfile::TempDir,
}

impl Shop {
    fn new(seed: u64) -> Self {
        let world = World::new(seed, 120);
        let engine = world.under(&exploring());
        let ids = world.inputs.products.iter().map(|product| product.id.clone());
        let requests = ids.map(|id| Request::of(&[id.as_str()])).collect();
        Self { engine, requests, folder: tempfile::tempdir().expect("a folder"), _world: world }
    }

    fn log(&self, name: &str) -> Log {
        Log::open(&self.folder.path().join(name)).expect("a log")
    }

    fn week(&self, week: u32) -> Vec<Request> {
        let created_at_ms = NOW + i64::from(week) * 7 * DAY;
        self.requests.iter().map(|request| Request { created_at_ms, ..request.clone() }).collect()
    }

    /// What an engine's pages are worth in a week, in truth.
    fn worth(&self, engine: &Arc<Engine>, week: u32) -> f64 {
        let (mut decider, mut worth) = (Decider::new(Arc::clone(engine)), 0.0);
        each_time(&self.week(week), 20, "worth", |request| {
            let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
            worth += offers.slate().iter().map(|o| chance(o, week) * o.value as f64).sum::<f64>();
        });
        worth / 20.0 / self.requests.len() as f64
    }

    fn learn(&self, log: &Log) -> Learnt {
        learn(&log.read().expect("read"), &self.engine, &Options::default()).expect("enough")
    }
}

fn reread(learnt: &Learnt, shop: &Shop) -> Arc<Model> {
    let path = shop.folder.path().join("shop.model");
    std::fs::write(&path, learnt.model.to_bytes()).expect("written");
    Arc::new(Model::open(&path).expect("whole"))
}

#[test]
fn pages_earn_more_as_weeks_go_by() {
    let shop = Shop::new(31);
    let log = shop.log("weeks");
    let mut engine = Arc::clone(&shop.engine);
    let (mut fixed, mut learning) = (Vec::new(), Vec::new());
    for week in 0..5 {
        fixed.push(shop.worth(&shop.engine, week));
        learning.push(shop.worth(&engine, week));
        log_of(&log, &format!("week{week}"), &engine, &shop.week(week), 12, |offer| chance(offer, week));
        let learnt = shop.learn(&log);
        println!("week {week}: {:.2} fixed, {:.2} learning", fixed[week as usize], learning[week as usize]);
        println!("  {:?} decided, {:?} scaled, {:?} learnt", learnt.decided, learnt.scaled, learnt.learnt);
        if learnt.is_better() {
            engine = Arc::new(shop.engine.with_model(reread(&learnt, &shop), false));
        }
    }
    let sum = |worth: &[f64]| worth[1..].iter().sum::<f64>();
    let (first, last) = (learning[1] / fixed[1], learning[4] / fixed[4]);
    println!("{first:.3} of the fixed prior in the second week, {last:.3} in the fifth");
    assert!(sum(&learning) > 1.05 * sum(&fixed), "{learning:?} and {fixed:?}");
    assert!(last > first, "{first} and {last}");
}

#[test]
fn a_shadow_decides_nothing_and_both_numbers_are_recorded() {
    let shop = Shop::new(32);
    let log = shop.log("first");
    log_of(&log, "one", &shop.engine, &shop.week(0), 15, |offer| chance(offer, 0));
    let learnt = shop.learn(&log);
    assert!(learnt.is_better(), "{learnt:?}");
    let model = reread(&learnt, &shop);
    let shadow = Arc::new(shop.engine.with_model(Arc::clone(&model), true));
    let live = Arc::new(shop.engine.with_model(Arc::clone(&model), false));
    let mut deciders = [&shop.engine, &shadow, &live].map(|engine| Decider::new(Arc::clone(engine)));
    let mut changed = 0;
    for request in shop.week(1) {
        let [plain, shaded, learnt] = deciders.each_mut().map(|decider| {
            let (offers, taken, given) = request.with(|t, p| counting::counted(|| decider.decide(t, p)));
            assert_eq!((taken, given), (0, 0), "no allocation");
            offers.expect("within the limits")
        });
        assert_eq!(plain.slate(), shaded.slate());
        assert_eq!((shaded.generations.model, plain.generations.model), (model.generation(), 0));
        changed += u32::from(plain.slate() != learnt.slate());
        for offer in learnt.slate() {
            let why = request.with(|t, p| deciders[2].explain(t, p, offer.item)).expect("within the limits");
            assert_eq!(why.p_accept_ppm, offer.p_accept_ppm, "explained as decided");
        }
    }
    assert!(changed > 20, "{changed}");
    // The same pages, logged by each: what the shadow said is what the other decided by.
    let logs = [shop.log("shadow"), shop.log("live")];
    for (log, engine) in logs.iter().zip([&shadow, &live]) {
        log_of(log, "one", engine, &shop.week(1), 1, |_| 0.5);
    }
    let [shadow, live] = logs.map(|log| log.read().expect("read"));
    let mut compared = 0;
    for (one, other) in shadow.decisions.iter().zip(&live.decisions) {
        assert_eq!(one.decision_id, other.decision_id);
        for candidate in &one.candidates {
            let name = &shadow.names[candidate.name as usize];
            let mut there = other.candidates.iter();
            let Some(twin) = there.find(|twin| live.names[twin.name as usize] == *name) else { continue };
            assert_eq!(candidate.p_catalog_ppm, twin.p_catalog_ppm);
            assert_eq!(candidate.p_model_ppm, Some(twin.p_accept_ppm));
            assert_eq!(candidate.p_accept_ppm, candidate.p_catalog_ppm);
            compared += 1;
        }
    }
    assert!(compared > 500, "{compared}");
}

#[test]
fn a_model_that_is_worse_is_told() {
    let shop = Shop::new(33);
    let log = shop.log("turned");
    // What was liked for four weeks is not in the fifth, the newest: older pages mislead.
    for week in 0..5 {
        let liked = |offer: &Offer| if week == 4 { 0.02 / taste(offer.item, 0) } else { chance(offer, 0) };
        log_of(&log, &format!("week{week}"), &shop.engine, &shop.week(week), 10, liked);
    }
    let learnt = shop.learn(&log);
    assert!(!learnt.is_better(), "{:?} {:?} {:?}", learnt.decided, learnt.scaled, learnt.learnt);
    // And the tenths tell where: more is expected than comes.
    assert_eq!(learnt.reliability.len(), 10);
    assert!(learnt.learnt.expected > 1.5, "{:?}", learnt.learnt);
}

/// A page that an answer replaced was seen, and nothing of it accepted: that is no word against its offers.
#[test]
fn pages_that_an_answer_replaced_teach_nothing() {
    let shop = Shop::new(37);
    let [plain, asked] = ["plain", "asked"].map(|name| {
        let log = shop.log(name);
        let told = |request: &Request| Request { answers: vec!["gift".to_owned()], ..request.clone() };
        let week: Vec<Request> = shop.week(0).iter().map(told).collect();
        log_of(&log, "answered", &shop.engine, &week, 12, |offer| chance(offer, 0));
        log
    });
    // The same orders before the answer: all seen, none accepted.
    let before: Vec<Request> = shop
        .week(0)
        .into_iter()
        .enumerate()
        .map(|(number, request)| Request { order_id: format!("answered-0-{number}"), ..request })
        .collect();
    seen(&asked, &shop.engine, &before);
    let decisions = |log: &Log| log.read().expect("read").decisions.len();
    assert_eq!(decisions(&asked), decisions(&plain) + before.len());
    let [plain, asked] = [&plain, &asked].map(|log| shop.learn(log));
    assert_eq!((plain.judged, plain.learnt), (asked.judged, asked.learnt));
    assert_eq!(plain.model.to_bytes(), asked.model.to_bytes());
}

#[test]
fn little_teaches_nothing_and_damage_is_told() {
    let shop = Shop::new(34);
    let log = shop.log("little");
    log_of(&log, "one", &shop.engine, &shop.week(0), 1, |_| 0.01);
    let data = log.read().expect("read");
    assert!(matches!(learn(&data, &shop.engine, &Options::default()), Err(LearnError::TooLittle { .. })));
    let path = shop.folder.path().join("cut.model");
    std::fs::write(&path, b"\x89aftmdl\n").expect("written");
    assert!(matches!(Model::open(&path), Err(ModelError::Damaged { .. })));
    assert!(matches!(Model::open(shop.folder.path().join("none")), Err(ModelError::Io { .. })));
}

#[test]
fn the_same_log_gives_the_same_bytes() {
    let shop = Shop::new(35);
    let log = shop.log("same");
    log_of(&log, "one", &shop.engine, &shop.week(0), 8, |offer| chance(offer, 0));
    assert_eq!(shop.learn(&log).model.to_bytes(), shop.learn(&log).model.to_bytes());
}

/// Writes the same stream for Vowpal Wabbit (`tests/learn/vowpal.py`), one choice a page, with what each candidate is worth in truth; and
/// says the regret of this library's loop: decide, log, learn once a week.
#[test]
#[ignore = "needs AFTERCART_STREAM, a file to write; read by tests/learn/vowpal.py"]
fn a_stream_for_another_learner() {
    let path = std::env::var("AFTERCART_STREAM").expect("AFTERCART_STREAM names the file to write");
    let mut shop = Shop::new(36);
    let mut policy = exploring();
    policy.placement.slots = 1;
    policy.explore.temperature = 0.1;
    shop.engine = shop._world.under(&policy);
    let mut lines = String::new();
    let mut engine = Arc::clone(&shop.engine);
    for week in 0..8u32 {
        let logs = [("fixed", &shop.engine), ("learning", &engine)];
        let logs = logs.map(|(name, engine)| {
            let log = shop.log(name);
            log_of(&log, &format!("week{week}"), engine, &shop.week(week), 12, |offer| chance(offer, week));
            log
        });
        let [fixed, learning] = logs.each_ref().map(|log| log.read().expect("read"));
        let worth = |data: &aftercart::log::LogData, at: usize, of: usize| {
            let candidate = data.decisions[at].candidates[of];
            let id = &data.names[candidate.name as usize];
            let item = shop.engine.find_product(id).map(Item::Product);
            let item = item.or(shop.engine.find_offer(id).map(Item::Offer)).expect("it is there");
            (id.clone(), 0.12 * taste(item, week), f64::from(candidate.value))
        };
        let this_week = |at: &usize| learning.decisions[*at].at_ms == NOW + i64::from(week) * 7 * DAY;
        for at in (0..learning.decisions.len()).filter(this_week) {
            let decision = &learning.decisions[at];
            if decision.slate.is_empty() {
                continue;
            }
            let actions: Vec<_> = (0..decision.candidates.len()).map(|of| worth(&learning, at, of)).collect();
            let (_, chance, value) = worth(&fixed, at, 0);
            let line = serde_json::json!({
                "week": week, "types": decision.line_types, "actions": actions,
                "learning": actions[0].1 * actions[0].2, "fixed": chance * value,
            });
            lines.push_str(&format!("{line}\n"));
        }
        let learnt = shop.learn(&logs[1]);
        if learnt.is_better() {
            engine = Arc::new(shop.engine.with_model(reread(&learnt, &shop), false));
        }
    }
    std::fs::write(path, lines).expect("written");
}
