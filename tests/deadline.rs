//! A late decision leaves out work, never a rule, says what it left out, and can be made again.
#![cfg(feature = "build")]

mod common;

use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercart::limits::LATE_CANDIDATES_MAX;
use aftercart::{Checkpoint, Decider, Degraded, Offers, SearchCounters};
use common::{Request, Rng, World};

/// Decides each request four ways: in time, late before the searches, late before the scores, always late.
fn ways(decider: &mut Decider, request: &Request) -> [Offers; 4] {
    let late: [fn(Checkpoint) -> bool; 4] = [
        |_| false,
        |checkpoint| checkpoint == Checkpoint::Search,
        |checkpoint| checkpoint == Checkpoint::Candidates,
        |_| true,
    ];
    late.map(|late| {
        request.with(|transaction, profile| {
            decider.decide_until(transaction, profile, late).expect("within the limits")
        })
    })
}

fn requests() -> (World, Vec<Request>) {
    let world = World::without_near_lists(31, 3_000);
    let mut rng = Rng::new(32);
    let requests = (0..150).map(|_| common::request(&mut rng, &world)).collect();
    (world, requests)
}

#[test]
fn what_is_left_out_is_said_and_nothing_else_changes() {
    let (world, requests) = requests();
    let mut decider = Decider::new(Arc::clone(&world.engine));
    let (mut shortened, mut differed, mut shown) = (0, 0, 0);
    for request in &requests {
        let [in_time, no_search, few, always] = ways(&mut decider, request);
        let plain = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        assert_eq!(in_time, plain);
        assert_eq!(in_time.degraded, Degraded::default());
        if in_time.counters.retrieved == 0 {
            continue; // refused before anything is looked for
        }
        for late in [&no_search, &always] {
            assert!(late.degraded.search && late.counters.search == SearchCounters::default());
        }
        assert!(!few.degraded.search);
        for late in [&few, &always] {
            assert!(late.counters.retrieved as usize <= LATE_CANDIDATES_MAX);
        }
        let more = in_time.counters.retrieved as usize > LATE_CANDIDATES_MAX;
        assert_eq!(few.degraded.candidates, more, "said where, and only where, something was left out");
        shortened += usize::from(more);
        differed += usize::from(no_search.slate() != in_time.slate());
        shown += always.slate().len();
    }
    assert!(shortened > 20 && differed > 5 && shown > 20, "{shortened} {differed} {shown}: poor requests");
}

#[test]
fn a_late_decision_can_be_made_again() {
    let (world, requests) = requests();
    let mut decider = Decider::new(Arc::clone(&world.engine));
    for request in &requests {
        for offers in ways(&mut decider, request) {
            let Degraded { search, candidates } = offers.degraded;
            let again = request.with(|transaction, profile| {
                let was_late = |checkpoint| match checkpoint {
                    Checkpoint::Search => search,
                    Checkpoint::Candidates => candidates,
                };
                decider.decide_until(transaction, profile, was_late).expect("within the limits")
            });
            assert_eq!(again, offers);
        }
    }
}

#[test]
fn a_clock_decides_as_its_answers_do() {
    let (world, requests) = requests();
    let mut decider = Decider::new(Arc::clone(&world.engine));
    let now = Instant::now();
    for request in requests.iter().take(40) {
        let [in_time, .., always] = ways(&mut decider, request);
        let mut by = |at| request.with(|t, p| decider.decide_by(t, p, at).expect("within the limits"));
        assert_eq!(by(now), always);
        assert_eq!(by(now + Duration::from_secs(3600)), in_time);
    }
}
