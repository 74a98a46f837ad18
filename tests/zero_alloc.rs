//! A decision touches the heap neither to take nor to give back. Own binary: the allocator is counted for one thread.
#![cfg(feature = "build")]

mod common;
#[path = "common/counting.rs"]
mod counting;
#[path = "common/damage.rs"]
mod damage;

use std::sync::Arc;

use aftercart::experiment::{Holdout, Shows};
use aftercart::index::format::SectionKind;
use aftercart::policy::{PossibleAnswer, Question};
use aftercart::record::ring;
use aftercart::{Catalog, Decider, Engine, Policy, Reason, Status, Verify};
use common::{Request, Rng, World};
use counting::counted;

#[test]
fn the_counter_counts() {
    let ((), taken, given) = counted(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(100))));
    assert_eq!((taken, given), (1, 1));
}

#[test]
fn choosing_a_question_does_not_touch_the_heap() {
    let answer = |tag: &str| PossibleAnswer { text: tag.into(), tag: tag.into(), prior: 0.5 };
    let question = |tag: &str| Question {
        id: tag.into(),
        text: tag.into(),
        answers: vec![answer(tag), answer("neither")],
        ..Question::default()
    };
    let world = World::new(5, 400);
    let mut rng = Rng::new(5);
    let policy = Policy { questions: vec![question("gift"), question("pets")], ..Policy::default() };
    let mut decider = Decider::new(world.under(&policy));
    let mut asked = 0;
    for _ in 0..60 {
        let request = Request { answers: Vec::new(), ..common::request(&mut rng, &world) };
        request.with(|transaction, profile| {
            let (next, taken, given) = counted(|| decider.next_question(transaction, profile));
            assert_eq!((taken, given), (0, 0), "{request:?}");
            asked += usize::from(next.expect("within the limits").is_some());
        });
    }
    assert!(asked > 5, "{asked} questions");
}

/// Decides, drops the result, and says how it ended.
fn decide(decider: &mut Decider, request: &Request, context: &str) -> Status {
    request.with(|transaction, profile| {
        let (status, taken, given) = counted(|| {
            let offers = decider.decide(transaction, profile).expect("within the limits");
            std::hint::black_box(&offers).status
        });
        assert_eq!((taken, given), (0, 0), "allocations and deallocations, {context}: {request:?}");
        status
    })
}

#[test]
fn no_decision_touches_the_heap() {
    let (mut shown, mut held, mut none) = (0, 0, Vec::new());
    for (seed, products, budget) in [(1, 60, u32::MAX), (2, 400, 8192), (3, 3_000, 300)] {
        let world = World::new(seed, products);
        let mut rng = Rng::new(seed);
        for round in 0..8 {
            let mut policy = common::policy(&mut rng, &world);
            policy.kill_switch |= round == 0;
            common::explored(&mut rng, &mut policy);
            policy.holdout = Holdout { buckets: 2_000, shows: Shows::Nothing, ..Holdout::default() };
            let engine = world.engine.with_policy(&policy).expect("it names what is there");
            let mut decider = Decider::new(Arc::new(engine.with_visit_budget(budget)));
            let (writer, reader) = ring::in_memory(100);
            decider.record_to(Some(writer));
            for number in 0..120 {
                let request = match number {
                    0 => largest(&mut rng, &world),
                    _ => common::request(&mut rng, &world),
                };
                match decide(&mut decider, &request, &format!("seed {seed}, request {number}")) {
                    Status::Ok => shown += 1,
                    Status::NoOffer(reason) => none.push(reason),
                    Status::Holdout(_) => held += 1,
                }
            }
            let counts = reader.counts();
            assert_eq!((counts.written, counts.dropped), (100, 20), "recorded, and dropped once it was full");
        }
    }
    assert!(shown > 500 && none.len() > 100, "{shown} with offers, {} without", none.len());
    assert!(held > 200, "{held} held out");
    for reason in [Reason::Currency, Reason::KillSwitch, Reason::OptedOut, Reason::NothingToAsk] {
        assert!(none.contains(&reason), "no decision ended with {reason:?}");
    }
}

/// All limits at once.
fn largest(rng: &mut Rng, world: &World) -> Request {
    let mut request = Request { answers: vec!["gift".into(); 20], ..common::request(rng, world) };
    let ids: Vec<String> = world.inputs.products.iter().map(|p| p.id.clone()).collect();
    request.currency = None;
    request.lines = (0..512)
        .map(|n| common::OwnedLine {
            item_id: ids[n * 7 % ids.len()].clone(),
            quantity: 1,
            unit_price: Some(n as i64),
            ..Default::default()
        })
        .collect();
    request.purchases = (0..1_100).map(|n| (ids[n * 3 % ids.len()].clone(), n as i64)).collect();
    request.declines = (0..300).map(|n| (ids[n * 5 % ids.len()].clone(), n as i64)).collect();
    request.opt_out_categories = world.categories.iter().cycle().take(40).cloned().collect();
    request.placement.slots = 16;
    request
}

/// With a live overlay, also while it changes; and what a page asks of it.
#[test]
fn nor_does_one_with_a_live_overlay() {
    let folder = tempfile::tempdir().expect("a folder");
    let (mut facts, mut leases) = (0, 0);
    for (seed, products) in [(11, 60), (12, 400)] {
        let world = World::new(seed, products);
        let path = folder.path().join(seed.to_string());
        let live = Arc::new(aftercart::Live::create(path, world.engine.catalog(), None).expect("it is made"));
        let mut rng = Rng::new(seed);
        for round in 0..6 {
            let mut policy = common::policy(&mut rng, &world);
            policy.live.price_max_age_minutes = [0, 180][round % 2];
            let engine = world.engine.with_policy(&policy).expect("it names what is there");
            let engine = Arc::new(engine.with_live(Arc::clone(&live)).expect("it is bound"));
            let mut decider = Decider::new(Arc::clone(&engine));
            for number in 0..80 {
                common::scramble(&mut rng, &world, &live, &mut common::Told::default());
                let request = common::request(&mut rng, &world);
                decide(&mut decider, &request, &format!("seed {seed}, request {number}, with an overlay"));
                facts += decider.live_facts().len();
                let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
                for offer in offers.slate() {
                    let (reserved, taken, given) = counted(|| engine.reserve(offer, common::NOW, 1_000));
                    assert_eq!((taken, given), (0, 0), "to reserve");
                    let Ok(lease) = reserved else { continue };
                    let (done, taken, given) = counted(|| live.activate(&lease, common::NOW));
                    assert_eq!((done, taken, given), (Ok(()), 0, 0), "to activate");
                    leases += 1;
                }
                let other = Arc::clone(&engine);
                let (_old, taken, given) = counted(|| decider.swap_engine(other));
                assert_eq!((taken, given), (0, 0), "to swap");
            }
        }
    }
    assert!(facts > 5_000 && leases > 200, "{facts} facts, {leases} leases");
}

#[test]
fn too_large_requests_are_refused_without_the_heap() {
    let world = World::new(4, 50);
    let mut decider = Decider::new(Arc::clone(&world.engine));
    let mut request = Request::of(&["p1"; 513]);
    for _ in 0..2 {
        request.with(|transaction, profile| {
            let (failed, taken, given) = counted(|| decider.decide(transaction, profile).is_err());
            assert_eq!((failed, taken, given), (true, 0, 0));
        });
        request = Request::of(&["p1"]);
        request.placement.slots = 17;
    }
}

#[test]
fn nor_does_a_decision_on_a_damaged_catalog() {
    let world = World::new(5, 40);
    let mut rng = Rng::new(6);
    let sections: Vec<_> = SectionKind::ALL
        .iter()
        .map(|kind| damage::section(&world.bytes, *kind))
        .filter(|section| !section.is_empty())
        .collect();
    let mut decided = 0;
    for round in 0..600 {
        let mut bytes = world.bytes.clone();
        for _ in 0..6 {
            let range = rng.pick(&sections).clone();
            if !range.is_empty() {
                bytes[range.start + rng.below(range.len())] = rng.next() as u8;
            }
        }
        damage::repair(&mut bytes);
        let engine = Catalog::from_bytes(bytes, Verify::Structure).and_then(|c| Engine::new(Arc::new(c)));
        if let Ok(engine) = engine {
            let mut decider = Decider::new(Arc::new(engine));
            for _ in 0..3 {
                decide(&mut decider, &common::request(&mut rng, &world), &format!("round {round}"));
                decided += 1;
            }
        }
    }
    assert!(decided > 500, "only {decided} damaged files opened");
}
