//! Off-policy evaluation: the published package's numbers, intervals that hold the truth as often as they say, and a log of
//! decisions that speaks for a policy that did not make it.
#![cfg(feature = "cli")]

#[path = "common/command.rs"]
mod command;
mod common;
#[path = "common/logged.rs"]
mod logged;

use std::path::Path;
use std::sync::Arc;

use aftercart::evaluate::{
    Choice, Estimate, Estimator, Mismatch, Page, Replayer, beyond_the_log, estimate, page_of,
    self_normalised, support,
};
use aftercart::experiment::Explore;
use aftercart::log::{Log, LoggedSlot};
use aftercart::{Decider, Engine, Item, Policy};
use common::{Request, Rng, World};
use logged::{each_time, log_of, uniform};
use serde_json::Value;

const ALL: f64 = f64::INFINITY;

fn expected() -> Value {
    serde_json::from_str(include_str!("evaluate/expected.json")).expect("JSON")
}

fn near(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() < 1e-9 * want.abs().max(1.0), "{what}: {got}, not {want}");
}

/// The slates that `make_expected.py` made up.
fn slates() -> Vec<Page> {
    let mut reader = csv::Reader::from_reader(include_bytes!("evaluate/slates.csv").as_slice());
    let mut pages: Vec<Page> = Vec::new();
    let (mut logged, mut target) = (1.0, 1.0);
    for row in reader.deserialize() {
        let row: std::collections::HashMap<String, f64> = row.expect("a row");
        if row["position"] == 0.0 {
            pages.push(Page { unit: row["slate_id"] as u64, choices: Vec::new() });
            (logged, target) = (1.0, 1.0);
        }
        let [own, other] = [row["pscore_cascade"], row["evaluation_policy_pscore_cascade"]];
        let alone = [row["pscore_item_position"], row["evaluation_policy_pscore_item_position"]];
        let choice = Choice {
            logged: own / logged,
            target: other / target,
            alone: Some(alone),
            reward: row["reward"],
            expected: row["expected"],
            expected_target: row["expected_target"],
            supported: 1.0,
        };
        (logged, target) = (own, other);
        pages.last_mut().expect("one").choices.push(choice);
    }
    pages
}

#[test]
fn slates_come_out_as_the_published_package_says() {
    let (pages, want) = (slates(), expected());
    assert_eq!(pages.len(), 40);
    let forms = [
        ("standard", Estimator::Standard),
        ("independent", Estimator::Independent),
        ("cascade", Estimator::Cascade),
    ];
    for (name, estimator) in forms {
        let want = |form: &str| want["slates"][form].as_f64().expect("known");
        near(estimate(&pages, estimator, ALL).expect("an estimate").value, want(name), name);
        let normalised = format!("{name}, normalised");
        let got = self_normalised(&pages, estimator, ALL).expect("an estimate").value;
        near(got, want(&normalised), &normalised);
    }
    let robust = estimate(&pages, Estimator::DoublyRobust, ALL).expect("an estimate").value;
    near(robust, want["slates"]["robust"].as_f64().expect("known"), "robust");
}

#[test]
fn single_choices_come_out_as_the_published_package_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/evaluate");
    let cases = [
        (
            "bandit to other",
            vec!["evaluate", "--json", "--bandit", "bandit.csv", "--target-log", "other.csv"],
        ),
        ("bandit to uniform", vec!["evaluate", "--json", "--bandit", "bandit.csv"]),
    ];
    for (case, arguments) in cases {
        let output = command::aftercart(&arguments, &folder, "");
        assert!(output.status.success(), "{}", command::text(&output.stderr));
        let got: Value = serde_json::from_str(&command::text(&output.stdout)).expect("JSON");
        let wanted = expected();
        for (name, want) in wanted[case].as_object().expect("numbers") {
            near(got["estimates"][name][0].as_f64().expect(name), want.as_f64().expect("a number"), name);
        }
    }
}

/// Weights of five offers, by the context that a page has.
const OFFERS: usize = 5;
const SLOTS: usize = 2;

fn weights(context: usize, sharpness: f64) -> [f64; OFFERS] {
    std::array::from_fn(|offer| (sharpness * ((offer + context) % OFFERS) as f64).exp())
}

/// What an offer brings at a slot, given the one before: cascade, so that all but IIPS are without bias.
fn reward_of(context: usize, slot: usize, offer: usize, before: Option<usize>) -> f64 {
    let own = 0.05 + 0.04 * ((2 * offer + context) % OFFERS) as f64;
    let tired = if before.is_some_and(|before| before.abs_diff(offer) == 1) { 0.5 } else { 1.0 };
    own * tired / (slot + 1) as f64
}

fn chance(weights: &[f64; OFFERS], offer: usize, before: Option<usize>) -> f64 {
    let sum: f64 =
        weights.iter().enumerate().filter(|(other, _)| Some(*other) != before).map(|(_, w)| w).sum();
    if Some(offer) == before { 0.0 } else { weights[offer] / sum }
}

/// What the target earns per page, summed over all contexts and slates.
fn truth(sharpness: f64) -> f64 {
    let mut sum = 0.0;
    for context in 0..3 {
        let weights = weights(context, sharpness);
        for first in 0..OFFERS {
            let p = chance(&weights, first, None);
            sum += p * reward_of(context, 0, first, None);
            for second in 0..OFFERS {
                sum += p * chance(&weights, second, Some(first)) * reward_of(context, 1, second, Some(first));
            }
        }
    }
    sum / 3.0
}

/// Pages of units with one or two each, chosen under one sharpness, with the chances under another.
fn made_up(rng: &mut Rng, pages: usize, logged: f64, target: f64) -> Vec<Page> {
    let page = |unit: usize| {
        let context = rng.below(3);
        let (own, other) = (weights(context, logged), weights(context, target));
        let (mut before, mut choices) = (None, Vec::new());
        for slot in 0..SLOTS {
            let (mut at, mut left) = (0, uniform(rng));
            while at + 1 < OFFERS && left >= chance(&own, at, before) {
                left -= chance(&own, at, before);
                at += 1;
            }
            let brings = reward_of(context, slot, at, before);
            // A poor model, on purpose: half of it is noise of the offer's number.
            let model = |offer: usize| 0.1 + 0.02 * offer as f64 / (slot + 1) as f64;
            choices.push(Choice {
                logged: chance(&own, at, before),
                target: chance(&other, at, before),
                reward: f64::from(u8::from(uniform(rng) < brings)),
                expected: model(at),
                expected_target: (0..OFFERS).map(|offer| chance(&other, offer, before) * model(offer)).sum(),
                supported: 1.0,
                alone: None,
            });
            before = Some(at);
        }
        Page { unit: unit as u64 * 2 / 3, choices }
    };
    (0..pages).map(page).collect()
}

/// 950 of 1,000 and not all: five standard deviations of a count are 34. Normal intervals of skewed sums hold a little less.
#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let (truth, mut rng) = (truth(0.5), Rng::new(11));
    type Form = fn(&[Page]) -> Option<Estimate>;
    let forms: [(&str, Form); 5] = [
        ("standard IPS", |pages| estimate(pages, Estimator::Standard, ALL)),
        ("SNIPS", |pages| self_normalised(pages, Estimator::Standard, ALL)),
        ("RIPS", |pages| estimate(pages, Estimator::Cascade, ALL)),
        ("RIPS, self-normalised", |pages| self_normalised(pages, Estimator::Cascade, ALL)),
        ("DR", |pages| estimate(pages, Estimator::DoublyRobust, ALL)),
    ];
    let mut held = [0; 5];
    let mut mean = [0.0; 5];
    for _ in 0..1_000 {
        let pages = made_up(&mut rng, 1_500, 0.2, 0.5);
        for ((held, mean), (_, form)) in held.iter_mut().zip(&mut mean).zip(&forms) {
            let Estimate { value, low, high, .. } = form(&pages).expect("an estimate");
            *held += u32::from((low..=high).contains(&truth));
            *mean += value / 1_000.0;
        }
    }
    for ((held, mean), (name, _)) in held.iter().zip(mean).zip(&forms) {
        println!("{name}: held {held} of 1,000, mean {mean:.5}, truth {truth:.5}");
        assert!((916..=984).contains(held), "{name}: {held} of 1,000");
        assert!((mean / truth - 1.0).abs() < 0.01, "{name}: {mean}, not {truth}");
    }
}

fn exploring(best: u8, temperature: f64) -> Policy {
    Policy { explore: Explore { best, temperature, epsilon: 0.1, seed: 5 }, ..Policy::default() }
}

/// What an offer brings at a position: made up, and known.
fn brings(item: Item, position: u8) -> f64 {
    let row = match item {
        Item::Product(ix) => ix.0,
        Item::Offer(ix) => ix.0 + 3,
    };
    f64::from(1 + row % 7) / 12.0 / f64::from(1 + position)
}

fn accepted(slot: &LoggedSlot) -> f64 {
    f64::from(u8::from(slot.accepted))
}

/// A world, a log of it, and what was asked.
fn logged_world(seed: u64, times: usize) -> (World, Vec<Request>, Arc<Engine>, tempfile::TempDir, Log) {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(seed, 80);
    let engine = world.under(&exploring(5, 2.0));
    let ids: Vec<String> = world.inputs.products.iter().map(|product| product.id.clone()).collect();
    let requests: Vec<Request> = ids.iter().map(|id| Request::of(&[id.as_str()])).collect();
    let log = Log::open(folder.path()).expect("a log");
    log_of(&log, "one", &engine, &requests, times, |offer| brings(offer.item, offer.position));
    (world, requests, engine, folder, log)
}

#[test]
fn a_log_speaks_for_a_policy_that_did_not_make_it() {
    let (world, requests, engine, _folder, log) = logged_world(77, 60);
    let sharper = exploring(4, 0.5);
    assert_eq!(beyond_the_log(&exploring(5, 2.0), &sharper), None);
    let target = world.under(&sharper);
    // What it earns in truth: decided, many times over.
    let (mut decider, mut earned, mut decisions) = (Decider::new(Arc::clone(&target)), 0.0, 0.0);
    each_time(&requests, 300, "truth", |request| {
        let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        earned += offers.slate().iter().map(|offer| brings(offer.item, offer.position)).sum::<f64>();
        decisions += 1.0;
    });
    let truth = earned / decisions;
    let data = log.read().expect("read");
    assert!(data.skipped.is_empty() && data.decisions.len() == requests.len() * 60);
    let (mut by, mut to) = (Replayer::new(&engine), Replayer::new(&target));
    let page = |decision| page_of(decision, &data.names, &mut by, &mut to, accepted, |_, _| 0.3);
    let pages: Vec<Page> = data.decisions.iter().map(page).filter_map(Result::ok).collect();
    // Ties are what a log does not have: few decisions hang on them.
    assert!(pages.len() * 100 >= data.decisions.len() * 99, "{} of {}", pages.len(), data.decisions.len());
    let support = support(&pages, ALL);
    assert!(support.covered > 0.999 && (support.mean_weight - 1.0).abs() < 0.05, "{support:?}");
    let as_logged = pages.iter().flat_map(|p| &p.choices).map(|c| c.reward).sum::<f64>() / pages.len() as f64;
    for estimator in
        [Estimator::Standard, Estimator::Cascade, Estimator::Independent, Estimator::DoublyRobust]
    {
        let got = estimate(&pages, estimator, ALL).expect("an estimate");
        println!(
            "{estimator:?}: {:.4} +- {:.4}, truth {truth:.4}, logged {as_logged:.4}",
            got.value, got.error
        );
        assert!((got.value - truth).abs() < 4.0 * got.error, "{estimator:?}: {got:?}, not {truth}");
        assert!(got.error < 0.1 * truth);
    }
    assert!((truth / as_logged - 1.0).abs() > 0.01, "the two policies differ: {truth} and {as_logged}");
}

#[test]
fn the_policy_that_decided_has_weights_of_one_and_others_are_told_apart() {
    let (world, _, engine, _folder, log) = logged_world(78, 3);
    let data = log.read().expect("read");
    let (mut by, mut to) = (Replayer::new(&engine), Replayer::new(&engine));
    let mut used = 0;
    for decision in &data.decisions {
        if let Ok(page) = page_of(decision, &data.names, &mut by, &mut to, accepted, |_, _| 0.0) {
            used += 1;
            assert!(page.choices.iter().all(|choice| choice.logged == choice.target && choice.logged > 0.0));
        }
    }
    assert!(used * 100 >= data.decisions.len() * 99, "{used} of {}", data.decisions.len());
    let first = &data.decisions[0];
    let why = |decision, by: &Engine| {
        let (mut by, mut to) = (Replayer::new(by), Replayer::new(&engine));
        page_of(decision, &data.names, &mut by, &mut to, accepted, |_, _| 0.0).expect_err("a mismatch")
    };
    assert_eq!(why(first, &World::new(79, 80).engine), Mismatch::Catalog);
    assert_eq!(why(first, &world.under(&exploring(6, 2.0))), Mismatch::Policy);
    let unseen = aftercart::log::Logged { activated: false, ..first.clone() };
    assert_eq!(why(&unseen, &engine), Mismatch::NotActivated);
    let held = aftercart::log::Logged { shown: false, ..first.clone() };
    assert_eq!(why(&held, &engine), Mismatch::NotShown);
    let mut forged = data.decisions.iter().find(|d| !d.slate.is_empty()).expect("one with offers").clone();
    forged.slate[0].p_select_ppm /= 2;
    assert_eq!(why(&forged, &engine), Mismatch::Chances);
}

#[test]
fn pages_decided_again_after_an_answer_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(80, 80);
    let engine = world.under(&exploring(5, 2.0));
    let log = Log::open(folder.path()).expect("a log");
    let (writer, mut drain) = log.ring("one", 4096).expect("a new name");
    let mut decider = Decider::new(Arc::clone(&engine));
    decider.record_to(Some(writer));
    let (mut replaced, mut events) = (std::collections::HashSet::new(), Vec::new());
    for (number, product) in world.inputs.products.iter().enumerate() {
        let asked = Request { order_id: number.to_string(), ..Request::of(&[product.id.as_str()]) };
        let told = Request { answers: vec!["gift".to_owned()], ..asked.clone() };
        // Some answer before there is a page, some after it, some not at all.
        let pages = [vec![&told], vec![&asked, &told], vec![&asked]][number % 3].clone();
        let made = pages.iter().map(|request| request.with(|t, p| decider.decide(t, p).expect("decided")));
        for (at, offers) in made.enumerate() {
            replaced.extend((at > 0).then_some(offers.decision_id));
            events.push(format!(
                r#"{{"event_id":"{0:032x}","decision_id":"{0:032x}","at":1,"event":"activated"}}"#,
                offers.decision_id
            ));
        }
    }
    drop(decider);
    drain.empty(std::slice::from_ref(&engine)).expect("drained");
    log.import_events(&mut events.join("\n").as_bytes(), "events".as_ref()).expect("imported");
    let data = log.read().expect("read");
    let (mut by, mut to) = (Replayer::new(&engine), Replayer::new(&engine));
    let (mut used, mut after_answer) = (0, 0);
    for decision in &data.decisions {
        let page = page_of(decision, &data.names, &mut by, &mut to, accepted, |_, _| 0.0);
        assert_eq!(
            page.as_ref().err() == Some(&Mismatch::DecidedAgain),
            replaced.contains(&decision.decision_id)
        );
        used += usize::from(page.is_ok());
        after_answer += usize::from(page.is_ok() && decision.decision_id != decision.group_id);
    }
    assert_eq!((replaced.len(), data.decisions.len()), (27, 107));
    assert!(used >= 79 && after_answer >= 26, "{used} used, {after_answer} of them after an answer");
}

#[test]
fn what_the_log_cannot_answer_is_refused() {
    let old = exploring(5, 1.0);
    let differs = |change: fn(&mut Policy)| {
        let mut new = old.clone();
        change(&mut new);
        beyond_the_log(&old, &new).is_some()
    };
    assert!(!differs(|p| p.explore.best = 3) && !differs(|p| p.slate.max_per_type = 1));
    assert!(!differs(|p| p.placement.min_relevance = 0.5) && !differs(|p| p.placement.min_p_accept = 0.01));
    assert!(differs(|p| p.placement.min_relevance = 0.1), "what was below the floor was not logged");
    assert!(differs(|p| p.placement.slots = 4) && differs(|p| p.suppress.brands.push("x".into())));
}

#[test]
fn clipping_cuts_weights_and_is_counted() {
    let pages = slates();
    let (whole, cut) = (support(&pages, ALL), support(&pages, 2.0));
    assert!(whole.max_weight > 2.0 && cut.max_weight == 2.0);
    assert_eq!(whole.clipped, 0);
    assert!(cut.clipped > 0 && cut.ess > whole.ess);
}
