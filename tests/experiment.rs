//! Who sees what: published buckets, arms that tile, holdouts with their ghosts, and exploration with exact probabilities.
#![cfg(feature = "build")]

mod common;

use std::collections::HashMap;
use std::sync::Arc;

use aftercart::experiment::{Arm, BUCKETS, Experiment, Explore, Holdout, Shows, Unit, bucket};
use aftercart::{Decider, Engine, Item, Offers, Policy, Relation, Status};
use common::{Request, Rng, World};

#[test]
fn buckets_are_the_published_ones() {
    let text = include_str!("assignment/vectors.tsv");
    let bytes = |hex: &str| -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex")).collect()
    };
    let string = |hex: &str| String::from_utf8(bytes(hex)).expect("UTF-8");
    let mut seen = 0;
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let got = bucket(&string(fields[0]), &string(fields[1]), &bytes(fields[2]));
        assert_eq!(got.to_string(), fields[4], "{line}");
        seen += 1;
    }
    assert_eq!(seen, 2_000);
}

fn arm(name: &str, range: [u16; 2], shows: Shows) -> Arm {
    Arm { name: name.into(), range, shows, explore: None }
}

fn experiment(id: &str, layer: &str, arms: Vec<Arm>) -> Experiment {
    Experiment { id: id.into(), layer: layer.into(), arms, ..Experiment::default() }
}

fn keyed(request: &Request, unit: u128, engine: &Engine) -> Offers {
    let mut decider = Decider::new(Arc::new(engine.clone()));
    decide_as(&mut decider, request, unit)
}

fn decide_as(decider: &mut Decider, request: &Request, unit: u128) -> Offers {
    request.with(|transaction, profile| {
        let profile = aftercart::Profile { unit_key: Some(unit.to_le_bytes()), ..*profile };
        decider.decide(transaction, &profile).expect("within the limits")
    })
}

fn items(offers: &[aftercart::Offer]) -> Vec<Item> {
    offers.iter().map(|offer| offer.item).collect()
}

/// Requests that get offers.
fn fruitful(world: &World, engine: &Engine, wanted: usize) -> Vec<Request> {
    let mut decider = Decider::new(Arc::new(engine.clone()));
    let ids = world.inputs.products.iter().map(|product| product.id.as_str());
    let requests = ids.map(|id| Request::of(&[id]));
    // House offers fill what draws leave, and are not drawn.
    let full = |request: &Request| {
        let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        offers.slate().iter().filter(|offer| offer.because.relation != Relation::House).count() == 3
    };
    let found: Vec<Request> = requests.filter(full).take(wanted).collect();
    assert_eq!(found.len(), wanted);
    found
}

#[test]
fn units_keep_their_arms_and_arms_their_shares() {
    let world = World::new(31, 60);
    let policy = Policy {
        holdout: Holdout { buckets: 500, salt: "q4".into(), shows: Shows::Nothing },
        experiments: vec![
            experiment(
                "page",
                "",
                vec![
                    arm("as it was", [0, 2_000], Shows::Earlier),
                    arm("new", [2_000, 10_000], Shows::Offers),
                ],
            ),
            experiment("first half", "text", vec![arm("a", [0, 5_000], Shows::Offers)]),
            experiment(
                "second half",
                "text",
                vec![arm("c", [7_500, 10_000], Shows::Offers), arm("b", [5_000, 7_500], Shows::Offers)],
            ),
        ],
        ..Policy::default()
    };
    let engine = world.under(&policy);
    let mut decider = Decider::new(Arc::clone(&engine));
    let request = Request::of(&["p1"]);
    let (mut shows, mut cells) = ([0u32; 3], HashMap::<Vec<String>, u32>::new());
    const UNITS: u32 = 40_000;
    for unit in 0..UNITS {
        let offers = decide_as(&mut decider, &request, unit.into());
        assert_eq!(offers.assignment.unit, Unit::Customer);
        shows[offers.assignment.shows as usize] += 1;
        let arms = engine.arms(&offers.assignment).map(|(experiment, arm)| format!("{experiment}/{arm}"));
        *cells.entry(arms.collect()).or_default() += 1;
    }
    // Five standard deviations of a count.
    let near = |count: u32, share: f64, what: &str| {
        let (want, sigma) = (f64::from(UNITS) * share, (f64::from(UNITS) * share * (1.0 - share)).sqrt());
        assert!((f64::from(count) - want).abs() < 5.0 * sigma, "{what}: {count}, not {want}");
    };
    near(shows[Shows::Nothing as usize], 0.05, "held out of everything");
    near(shows[Shows::Earlier as usize], 0.95 * 0.2, "the earlier page");
    assert_eq!(
        cells.get(&vec![]).copied(),
        Some(shows[Shows::Nothing as usize]),
        "no experiment has the held out"
    );
    for (page, page_share) in [("page/as it was", 0.2), ("page/new", 0.8)] {
        for (text, text_share) in [("first half/a", 0.5), ("second half/b", 0.25), ("second half/c", 0.25)] {
            let count = cells.get(&vec![page.to_owned(), text.to_owned()]).copied().unwrap_or(0);
            near(count, 0.95 * page_share * text_share, &format!("{page} and {text}: layers cross"));
        }
    }
}

#[test]
fn the_unit_is_the_customer_else_the_session_else_the_order() {
    let world = World::new(32, 60);
    let mut decider = Decider::new(Arc::clone(&world.engine));
    let request = Request::of(&["p1"]);
    let mut ask = |unit_key, session_key, order_id: &str| {
        request.with(|transaction, profile| {
            let transaction = aftercart::Transaction { order_id, ..*transaction };
            let session = aftercart::Session { session_key, ..profile.session };
            let profile = aftercart::Profile { unit_key, session, ..*profile };
            decider.decide(&transaction, &profile).expect("within the limits").assignment
        })
    };
    let (customer, session) = (Some([1; 16]), Some([2; 16]));
    assert_eq!(ask(customer, session, "A-1").unit, Unit::Customer);
    assert_eq!(ask(None, session, "A-1").unit, Unit::Session);
    assert_eq!(ask(None, None, "A-1").unit, Unit::Order);
    assert_eq!(ask(None, None, ""), Default::default());
    assert_eq!(ask(customer, None, "A-1").unit_hash, ask(customer, session, "A-2").unit_hash);
    assert_ne!(ask(None, None, "A-1").unit_hash, ask(None, None, "A-2").unit_hash);
}

#[test]
fn a_holdout_has_the_slate_that_it_does_not_see() {
    let world = World::new(33, 400);
    let requests = fruitful(&world, &world.engine, 20);
    for shows in [Shows::Nothing, Shows::Earlier] {
        let all = Holdout { buckets: BUCKETS, salt: String::new(), shows };
        let held = world.under(&Policy { holdout: all, ..Policy::default() });
        for request in &requests {
            let (seen, kept) =
                (keyed(request, 7, &world.under(&Policy::default())), keyed(request, 7, &held));
            assert_eq!((seen.status, kept.status), (Status::Ok, Status::Holdout(shows)));
            assert_eq!((items(seen.slate()), seen.ghost().len()), (items(kept.ghost()), 0));
            assert!(kept.slate().is_empty() && kept.counters == seen.counters, "the whole pipeline ran");
        }
    }
}

/// TOML, and what the error must say.
const BAD: [(&str, &str); 9] = [
    (
        "[[experiment]]\nid='a'\narms=[{name='x',range=[0,5000]},{name='y',range=[5001,10000]}]",
        "nobody has the buckets [5000, 5001)",
    ),
    (
        "[[experiment]]\nid='a'\narms=[{name='x',range=[0,5001]},{name='y',range=[5000,10000]}]",
        "two arms have the buckets [5000, 5001)",
    ),
    ("[[experiment]]\nid='a'\narms=[{name='x',range=[0,9999]}]", "nobody has the buckets [9999, 10000)"),
    ("[[experiment]]\nid='a'\narms=[{name='x',range=[1,10000]}]", "nobody has the buckets [0, 1)"),
    ("[[experiment]]\nid='a'\narms=[{name='x',range=[0,10001]}]", "end at 10,000"),
    (
        "[[experiment]]\nid='a'\narms=[{name='x',range=[0,10000]},{name='x',range=[0,10000]}]",
        "a name of its own",
    ),
    ("[[experiment]]\nid='a'\nlayer='holdout'\narms=[{name='x',range=[0,10000]}]", "the global one"),
    (
        "[[experiment]]\nid='a'\nlayer='l'\nsalt='1'\narms=[{name='x',range=[0,5000]}]\n\
         [[experiment]]\nid='b'\nlayer='l'\nsalt='2'\narms=[{name='x',range=[5000,10000]}]",
        "one salt",
    ),
    (
        "[[experiment]]\nid='a'\narms=[{name='x',range=[0,10000],explore={best=4,epsilon=0.1}}]\n\
         [[experiment]]\nid='b'\narms=[{name='x',range=[0,10000],explore={best=5,epsilon=0.1}}]",
        "another layer says too",
    ),
];

#[test]
fn arms_that_do_not_tile_are_refused_with_line_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    for (at, (toml, problem)) in BAD.iter().enumerate() {
        let path = folder.path().join(format!("{at}.toml"));
        std::fs::write(&path, format!("version = 1\n\n{toml}\n")).expect("written");
        let error = aftercart::build::feed::read_policy(&path).expect_err(toml).to_string();
        assert!(error.contains(problem) && error.contains("line 3, column"), "{toml}:\n{error}");
    }
    let world = World::new(34, 40);
    let arms = vec![arm("x", [0, 9_999], Shows::Offers)];
    let policy = Policy { experiments: vec![experiment("in Rust", "", arms)], ..Policy::default() };
    let error = world.engine.with_policy(&policy).expect_err("it does not tile").to_string();
    assert!(error.contains("nobody has the buckets [9999, 10000)"), "{error}");
    for explore in [
        Explore { best: 33, ..Explore::default() },
        Explore { epsilon: 1.1, ..Explore::default() },
        Explore { temperature: f64::NAN, ..Explore::default() },
    ] {
        assert!(world.engine.with_policy(&Policy { explore, ..Policy::default() }).is_err());
    }
}

#[test]
fn what_is_built_into_a_catalog_is_what_a_policy_says() {
    let mut rng = Rng::new(35);
    let mut inputs = common::inputs(&mut rng, 60);
    let policy = Policy {
        holdout: Holdout { buckets: 300, salt: "salz".into(), shows: Shows::Earlier },
        explore: Explore { best: 5, temperature: 0.5, epsilon: 0.125, seed: 9 },
        experiments: vec![experiment(
            "naïve 🛒",
            "a layer with a long name",
            vec![
                arm("x", [0, 1], Shows::Nothing),
                Arm {
                    explore: Some(Explore { best: 32, temperature: 2.0, epsilon: 1.0, seed: u64::MAX }),
                    ..arm("ÿ", [1, 10_000], Shows::Offers)
                },
            ],
        )],
        ..Policy::default()
    };
    inputs.policy = Some(policy.clone());
    let options = aftercart::build::BuildOptions { calibrate: false, ..Default::default() };
    let world = World::of(35, inputs, options);
    let again = world.under(&policy);
    assert_eq!(world.engine.generations(), again.generations());
    for unit in 0..500u32 {
        let request = Request::of(&["p1", "p2"]);
        let (built, set) =
            (keyed(&request, unit.into(), &world.engine), keyed(&request, unit.into(), &again));
        assert_eq!(built, set);
        assert_eq!(
            world.engine.arms(&built.assignment).count(),
            usize::from(built.assignment.holdout_bucket >= Some(300))
        );
    }
}

fn explored(world: &World, explore: Explore) -> Arc<Engine> {
    world.under(&Policy { explore, ..Policy::default() })
}

#[test]
fn probabilities_are_those_of_the_draws() {
    // Without partners' shares, which have draws of their own and may keep a position for one.
    let mut inputs = common::inputs(&mut Rng::new(36), 600);
    inputs.partners.partners.iter_mut().for_each(|p| (p.min_share_bps, p.max_share_bps) = (0, 0));
    let options = aftercart::build::BuildOptions { calibrate: false, seed: 36, ..Default::default() };
    let world = World::of(36, inputs, options);
    let plain = world.under(&Policy::default());
    let requests = fruitful(&world, &plain, 4);
    for explore in [
        Explore { best: 6, temperature: 0.0, epsilon: 0.3, seed: 1 },
        Explore { best: 8, temperature: 1.0, epsilon: 0.1, seed: 2 },
        Explore { best: 32, temperature: 3.0, epsilon: 0.0, seed: 3 },
    ] {
        let mut decider = Decider::new(explored(&world, explore.clone()));
        for request in &requests {
            let (mut frequency, mut second) =
                (HashMap::<Item, (u32, u32)>::new(), HashMap::<[Item; 2], (u32, u32)>::new());
            const DRAWS: u32 = 20_000;
            for order in 0..DRAWS {
                let own = Request { order_id: order.to_string(), ..request.clone() };
                let offers = own.with(|t, p| decider.decide(t, p).expect("within the limits"));
                let [first, next] = [offers.slate()[0], offers.slate()[1]];
                let entry = frequency.entry(first.item).or_insert((0, first.p_select_ppm));
                assert_eq!(entry.1, first.p_select_ppm, "the same choice has the same probability");
                entry.0 += 1;
                let entry = second.entry([first.item, next.item]).or_insert((0, next.p_select_ppm));
                assert_eq!(entry.1, next.p_select_ppm, "the same choice after the same one too");
                entry.0 += 1;
            }
            let near = |count: u32, of: u32, ppm: u32| {
                let (want, p) = (f64::from(of) * f64::from(ppm) / 1e6, f64::from(ppm) / 1e6);
                let sigma = (want * (1.0 - p)).sqrt().max(1.0);
                assert!((f64::from(count) - want).abs() < 5.0 * sigma, "{explore:?}: {count} of {want}");
            };
            assert!(frequency.len() > 1, "more than one is ever first");
            frequency.values().for_each(|(count, ppm)| near(*count, DRAWS, *ppm));
            for ([first, _], (count, ppm)) in &second {
                near(*count, frequency[first].0, *ppm);
            }
            let sum: u64 = frequency.values().map(|(_, ppm)| u64::from(*ppm)).sum();
            assert!((999_000..=1_000_000).contains(&sum), "what was never drawn is rare: {sum}");
        }
    }
}

#[test]
fn exploration_repeats_itself_and_is_off_unless_asked_for() {
    let world = World::new(37, 600);
    let plain = world.under(&Policy::default());
    let requests = fruitful(&world, &plain, 40);
    let wild = Explore { best: 32, temperature: 2.0, epsilon: 0.2, seed: 5 };
    let (mut one, mut two) =
        (Decider::new(explored(&world, wild.clone())), Decider::new(explored(&world, wild)));
    let mut off = Decider::new(explored(&world, Explore { best: 1, epsilon: 1.0, ..Explore::default() }));
    let mut usual = Decider::new(Arc::clone(&plain));
    let (mut moved, mut alike) = (0, 0);
    for request in &requests {
        let [a, b, off, usual] = [&mut one, &mut two, &mut off, &mut usual]
            .map(|decider| request.with(|t, p| decider.decide(t, p).expect("within the limits")));
        assert_eq!(a, b);
        let again = request.with(|t, p| one.replay(t, p, a.degraded, &[]).expect("within the limits"));
        assert_eq!(a, again);
        // Shares of partners are drawn too, from what the policy's generation is part of.
        let drawn = |offers: &Offers| offers.slate().iter().any(|offer| offer.p_select_ppm < 1_000_000);
        if !drawn(&off) && !drawn(&usual) {
            assert_eq!(off.slate(), usual.slate());
            alike += 1;
        }
        moved += u32::from(items(a.slate()) != items(usual.slate()));
    }
    assert!(moved > 10, "it explores: {moved} of {}", requests.len());
    assert!(alike > 20, "most pages draw nothing: {alike} of {}", requests.len());
}
