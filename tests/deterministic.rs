//! The same input gives the same bytes: of a build on any number of threads and in any process, and of a decision by any
//! decider, on any thread, after whatever it decided before.
#![cfg(feature = "build")]

mod common;

use std::process::Command;
use std::sync::Arc;

use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, build};
use aftercart::{Decider, Engine, Offers};
use common::{Request, Rng, World};
use xxhash_rust::xxh3::xxh3_64;

/// Enough cells for a graph, with everything that a build learns.
fn feeds() -> (Inputs, BuildOptions) {
    let mut rng = Rng::new(21);
    (common::inputs(&mut rng, 4_000), BuildOptions::default())
}

fn bytes_on(threads: usize, inputs: &Inputs, options: &BuildOptions) -> Vec<u8> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("a pool");
    pool.install(|| build(inputs, options, &Silent)).expect("it builds")
}

#[test]
fn a_build_gives_the_same_bytes_on_any_number_of_threads() {
    let (inputs, options) = feeds();
    let one = bytes_on(1, &inputs, &options);
    for threads in [1, 2, 5] {
        let again = bytes_on(threads, &inputs, &options);
        let differs = one.iter().zip(&again).position(|(a, b)| a != b);
        assert!(one == again, "{threads} threads: first difference at byte {differs:?}");
    }
    let other = build(&inputs, &BuildOptions { seed: 2, ..options }, &Silent).expect("it builds");
    assert!(other != one, "another seed gives another catalog");
}

/// Not a test by itself: what the next one runs in processes of their own, with hash maps seeded anew.
#[test]
#[ignore = "run by `a_build_gives_the_same_bytes_in_another_process`"]
fn print_the_hash_of_a_build() {
    let (inputs, options) = feeds();
    println!("hash={:016x}", xxh3_64(&build(&inputs, &options, &Silent).expect("it builds")));
}

#[test]
fn a_build_gives_the_same_bytes_in_another_process() {
    let (inputs, options) = feeds();
    let here = format!("hash={:016x}", xxh3_64(&build(&inputs, &options, &Silent).expect("it builds")));
    for threads in ["1", "2"] {
        let output = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", "print_the_hash_of_a_build", "--ignored", "--nocapture"])
            .env("RAYON_NUM_THREADS", threads)
            .output()
            .expect("it runs");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(text.contains(&here), "{threads} threads: {here} expected, found {text}");
    }
}

fn decide(decider: &mut Decider, request: &Request) -> Offers {
    request.with(|transaction, profile| decider.decide(transaction, profile).expect("within the limits"))
}

#[test]
fn a_decision_depends_on_nothing_but_its_input() {
    let world = World::new(22, 2_000);
    let mut rng = Rng::new(27);
    let policy = common::policy(&mut rng, &world);
    let engine =
        Arc::new(world.engine.with_policy(&policy).expect("it names what is there").with_visit_budget(400));
    let requests: Vec<Request> = (0..200).map(|_| common::request(&mut rng, &world)).collect();
    let fresh: Vec<Offers> =
        requests.iter().map(|request| decide(&mut Decider::new(Arc::clone(&engine)), request)).collect();
    assert!(fresh.iter().filter(|offers| !offers.slate().is_empty()).count() > 20, "poor requests");

    let mut worn = Decider::new(Arc::clone(&engine));
    for _ in 0..1_500 {
        let at = rng.below(requests.len());
        assert_eq!(decide(&mut worn, &requests[at]), fresh[at], "after others: {:?}", requests[at]);
    }

    let (requests, fresh) = (Arc::new(requests), Arc::new(fresh));
    let mut moving = worn;
    for round in 0..4 {
        let (requests, fresh) = (Arc::clone(&requests), Arc::clone(&fresh));
        let thread = std::thread::spawn(move || {
            for (request, expected) in requests.iter().zip(fresh.iter()).skip(round).step_by(4) {
                assert_eq!(decide(&mut moving, request), *expected, "on another thread");
            }
            moving
        });
        moving = thread.join().expect("no assertion failed");
    }

    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let mut decider = Decider::new(Arc::clone(&engine));
                for (request, expected) in requests.iter().zip(fresh.iter()) {
                    assert_eq!(decide(&mut decider, request), *expected, "beside other threads");
                }
            });
        }
    });
}

#[test]
fn every_instruction_set_decides_alike_to_the_byte() {
    let world = World::new(24, 6_000);
    let mut rng = Rng::new(25);
    let policy = common::policy(&mut rng, &world);
    let requests: Vec<Request> = (0..150).map(|_| common::request(&mut rng, &world)).collect();
    let names = Engine::kernel_names();
    assert_eq!(names.first(), Some(&"scalar"));
    #[cfg(target_arch = "x86_64")]
    for (name, there) in [
        ("avx2", std::arch::is_x86_feature_detected!("avx2")),
        ("avx512", std::arch::is_x86_feature_detected!("avx512vnni")),
    ] {
        assert_eq!(names.contains(&name), there, "{name} must not be skipped unnoticed: {names:?}");
    }
    let decisions = names.iter().map(|name| {
        let engine = world.engine.with_policy(&policy).expect("it names what is there");
        let engine = engine.with_visit_budget(500).with_kernel(name).expect("this CPU has it");
        assert_eq!(engine.kernel_name(), *name);
        let mut decider = Decider::new(Arc::new(engine));
        requests.iter().map(|request| decide(&mut decider, request)).collect::<Vec<_>>()
    });
    let decisions: Vec<Vec<Offers>> = decisions.collect();
    assert!(decisions[0].iter().filter(|offers| !offers.slate().is_empty()).count() > 20, "poor requests");
    for (name, others) in names.iter().zip(&decisions) {
        assert_eq!(others, &decisions[0], "{name} beside scalar");
    }
}
