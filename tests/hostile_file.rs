//! Damaged and hostile files: an error, or decisions that neither panic nor run away nor break what can be checked without
//! trusting the file. Overflow checks are on in the test profile, so wrong arithmetic panics here.
#![cfg(feature = "build")]

mod common;
#[path = "common/damage.rs"]
mod damage;

use std::sync::Arc;

use aftercart::build::{BuildOptions, affinity::AffinityOptions};
use aftercart::index::format::{MetaRecord, NONE, SectionKind};
use aftercart::limits::CANDIDATES_MAX;
use aftercart::vocabulary::AgeBand;
use aftercart::{Catalog, Decider, Engine, Item, Verify};
use common::{Request, Rng, World};

const PATTERNS: [fn(u8) -> u8; 3] = [|b| b ^ 1, |b| !b, |_| 0xFF];

fn small() -> World {
    World::new(3, 20)
}

/// Requests that reach all of the pipeline.
fn requests(world: &World) -> Vec<Request> {
    let mut rng = Rng::new(9);
    let mut all = vec![Request::of(&["p1"]), Request::of(&["p2", "p7", "p9", "p11", "p13"])];
    all.push(Request { opt_out_third_party: true, ..Request::of(&["p3", "unknown"]) });
    all.push(Request { age_band: AgeBand::Minor, answers: vec!["gift".into()], ..Request::of(&["p5"]) });
    all.push(Request { opt_out_categories: vec![world.categories[0].clone()], ..Request::of(&["p6"]) });
    for request in &mut all {
        request.placement.slots = 8;
        request.placement.min_relevance = Some(0);
        request.purchases = common::request(&mut rng, world).purchases;
    }
    all
}

/// Opens, and decides where that succeeds. Says whether it did.
fn survives(bytes: Vec<u8>, verify: Verify, requests: &[Request]) -> bool {
    let Ok(catalog) = Catalog::from_bytes(bytes, verify) else { return false };
    let products = catalog.view().product_count();
    let Ok(engine) = Engine::new(Arc::new(catalog)).map(Arc::new) else { return false };
    let mut decider = Decider::new(Arc::clone(&engine));
    for request in requests {
        request.with(|transaction, profile| {
            let offers = decider.decide(transaction, profile).expect("within the limits");
            let slate = offers.slate();
            assert!(slate.len() <= 8, "more offers than slots");
            assert!(offers.counters.retrieved as usize <= CANDIDATES_MAX);
            // One search for the basket, one for the history.
            assert!(offers.counters.search.products <= 2 * products);
            for (position, offer) in slate.iter().enumerate() {
                assert_eq!(usize::from(offer.position), position);
                assert!(offer.relevance <= 1000 && offer.p_accept_ppm <= 1_000_000);
                assert!(slate[..position].iter().all(|other| other.item != offer.item), "shown twice");
                let private = request.opt_out_third_party || request.age_band == AgeBand::Minor;
                assert!(!(private && offer.third_party), "a third party in spite of the customer");
                if let Item::Product(ix) = offer.item {
                    assert!(ix.0 < products, "a product beyond the catalog");
                    let bought = request.lines.iter().filter_map(|l| engine.find_product(&l.item_id));
                    assert!(bought.into_iter().all(|bought| bought != ix), "just bought");
                }
                let _ = (engine.id(offer.item), engine.title(offer.item), engine.category(offer.item));
                let _ = (engine.price(offer.item), engine.partner(offer.item));
            }
        });
    }
    true
}

#[test]
fn the_whole_file_is_fine() {
    let world = small();
    assert!(survives(world.bytes.clone(), Verify::Full, &requests(&world)));
    let mut repaired = world.bytes.clone();
    damage::repair(&mut repaired);
    assert_eq!(repaired, world.bytes, "repairing a whole file changes nothing");
}

#[test]
fn every_truncation_is_an_error() {
    let world = small();
    for length in 0..world.bytes.len() {
        for verify in [Verify::Structure, Verify::Full] {
            let opened = Catalog::from_bytes(world.bytes[..length].to_vec(), verify);
            assert!(opened.is_err(), "{length} bytes open with {verify:?}");
        }
    }
}

#[test]
fn a_longer_file_is_an_error() {
    let mut bytes = small().bytes;
    bytes.push(0);
    assert!(Catalog::from_bytes(bytes, Verify::Structure).is_err());
}

#[test]
fn every_changed_byte_is_an_error_in_full() {
    let world = small();
    for at in 0..world.bytes.len() {
        for (number, pattern) in PATTERNS.iter().enumerate() {
            let mut bytes = world.bytes.clone();
            bytes[at] = pattern(bytes[at]);
            if bytes[at] != world.bytes[at] {
                let opened = Catalog::from_bytes(bytes, Verify::Full);
                assert!(opened.is_err(), "byte {at} changed by pattern {number} goes unnoticed");
            }
        }
    }
}

#[test]
fn every_changed_byte_is_an_error_or_a_safe_decision_in_structure() {
    let world = small();
    let requests = requests(&world);
    let table = 128 + damage::entries(&world.bytes).len() * 64;
    let (mut opened, mut refused) = (0, 0);
    for at in 0..world.bytes.len() {
        for pattern in PATTERNS {
            let mut bytes = world.bytes.clone();
            bytes[at] = pattern(bytes[at]);
            if bytes[at] == world.bytes[at] {
                continue;
            }
            if at < table {
                damage::repair(&mut bytes);
            }
            *(if survives(bytes, Verify::Structure, &requests) { &mut opened } else { &mut refused }) += 1;
        }
    }
    println!("{opened} changes opened, {refused} refused, {} bytes", world.bytes.len());
    assert!(opened > 10_000 && refused > 1_000, "too few of either");
}

#[test]
fn random_damage_behind_good_checksums_is_an_error_or_a_safe_decision() {
    let world = small();
    let requests = requests(&world);
    let sections: Vec<_> = SectionKind::ALL
        .iter()
        .map(|kind| damage::section(&world.bytes, *kind))
        .filter(|r| !r.is_empty())
        .collect();
    let (mut opened, mut in_full) = (0, 0);
    for seed in 0..6_000 {
        let mut rng = Rng::new(seed);
        let mut bytes = world.bytes.clone();
        for _ in 0..1 + rng.below(8) {
            let range = rng.pick(&sections).clone();
            let at = range.start + rng.below(range.len()) / 4 * 4;
            let value = match rng.below(5) {
                0 => NONE,
                1 => rng.below(64) as u32,
                2 => 1 << rng.below(32),
                3 => i32::MAX as u32,
                _ => rng.next() as u32,
            };
            let end = (at + 4).min(range.end);
            bytes[at..end].copy_from_slice(&value.to_le_bytes()[..end - at]);
        }
        damage::repair(&mut bytes);
        opened += usize::from(survives(bytes.clone(), Verify::Structure, &requests));
        in_full += usize::from(survives(bytes, Verify::Full, &requests));
    }
    println!("{opened} of 6000 opened in structure, {in_full} in full");
    assert!(opened > 1_000 && in_full > 300 && in_full < opened, "too few: {opened}, {in_full}");
}

/// Header fields and table entries at their extremes, behind good checksums.
#[test]
fn absurd_headers_and_tables_are_refused_or_safe() {
    let world = small();
    let requests = requests(&world);
    let table = 128 + damage::entries(&world.bytes).len() * 64;
    for at in (0..table - 8).step_by(4) {
        for value in [0u64, 1, 63, 64, 4096, u64::from(u32::MAX), u64::MAX, 1 << 63, u64::MAX - 63, 1 << 40] {
            for width in [4, 8] {
                let mut bytes = world.bytes.clone();
                bytes[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
                damage::repair(&mut bytes);
                survives(bytes, Verify::Structure, &requests);
            }
        }
    }
}

/// Links, cells and trees that lead round in circles, to themselves, or out of the catalog.
#[test]
fn cyclic_structures_end() {
    let world = World::new(4, 1_500); // some twenty cells in a few areas
    let requests = requests(&world);
    use SectionKind as S;
    for kind in
        [S::Areas, S::Cells, S::OutSteps, S::Categories, S::Types, S::Transitions, S::TypeProducts, S::TypeOf]
    {
        for value in [0u32, 1, 5, 6, 0x7FFF_FFFF, NONE - 1, NONE] {
            let mut bytes = world.bytes.clone();
            let range = damage::section(&bytes, kind);
            for word in bytes[range].chunks_exact_mut(4) {
                word.copy_from_slice(&value.to_le_bytes());
            }
            // A small budget: cells are chosen instead of scanning all.
            let meta = damage::section(&bytes, S::Meta);
            let at = meta.start + std::mem::offset_of!(MetaRecord, visit_budget);
            bytes[at..at + 4].copy_from_slice(&100u32.to_le_bytes());
            damage::repair(&mut bytes);
            survives(bytes, Verify::Structure, &requests);
        }
    }
}

/// The longest rows, all components at their greatest, and a scale of 1: similarities beyond 32 bits.
#[test]
fn absurd_vectors_do_not_overflow() {
    let mut rng = Rng::new(11);
    let inputs = common::inputs(&mut rng, 30);
    let options = BuildOptions {
        calibrate: false,
        affinity: AffinityOptions { dim: 512, ..AffinityOptions::default() },
        ..BuildOptions::default()
    };
    let world = World::of(11, inputs, options);
    let requests = requests(&world);
    for value in [0x7Fu8, 0x80] {
        for (unit, margin) in [(1u32, u32::MAX), (0, 0), (u32::MAX, 1)] {
            let mut bytes = world.bytes.clone();
            for kind in [SectionKind::InVectors, SectionKind::OutVectors, SectionKind::Centroids] {
                let range = damage::section(&bytes, kind);
                bytes[range].fill(value);
            }
            let meta = damage::section(&bytes, SectionKind::Meta).start;
            let unit_at = meta + std::mem::offset_of!(MetaRecord, unit_dot);
            bytes[unit_at..unit_at + 4].copy_from_slice(&unit.to_le_bytes());
            let margin_at = meta + std::mem::offset_of!(MetaRecord, margin_bps);
            bytes[margin_at..margin_at + 4].copy_from_slice(&margin.to_le_bytes());
            damage::repair(&mut bytes);
            assert!(survives(bytes, Verify::Full, &requests));
        }
    }
}
