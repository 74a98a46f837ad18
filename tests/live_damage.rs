//! Damaged overlays: a typed error, or words that are believed and followed nowhere.
#![cfg(feature = "build")]

mod common;

use std::path::Path;
use std::sync::Arc;

use aftercart::live::LiveCapacity;
use aftercart::{Decider, Live, LiveError};
use common::{NOW, Rng, World};

fn made(world: &World, path: &Path) -> Vec<u8> {
    let capacity = LiveCapacity { products: 1, accounts: 1, budgets: 4, leases: 16 };
    let live = Live::create(path, world.engine.catalog(), Some(capacity)).expect("it is made");
    common::scramble(&mut Rng::new(1), world, &live, &mut common::Told::default());
    drop(live);
    std::fs::read(path).expect("it reads")
}

fn small() -> World {
    let mut world = World::new(1, 40);
    world.inputs.partners.offers.truncate(1);
    world
}

#[test]
fn every_length_but_the_right_one_is_refused() {
    let (world, folder) = (small(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("shop.live");
    let whole = made(&world, &path);
    let refused = |path: &Path| match Live::open(path) {
        Err(error @ LiveError::Damaged { .. }) => error.to_string(),
        other => panic!("{other:?}"),
    };
    let cut = folder.path().join("cut");
    for length in (0..5_000).chain((5_000..whole.len()).step_by(997)).chain([whole.len() - 1]) {
        std::fs::write(&cut, &whole[..length]).expect("written");
        assert!(refused(&cut).contains("size"), "{length}");
    }
    std::fs::write(&cut, [whole.as_slice(), &[0]].concat()).expect("written");
    assert!(refused(&cut).contains("size"));
    assert!(matches!(Live::open(folder.path()), Err(LiveError::Io { .. })), "a folder");
    assert!(matches!(Live::open(folder.path().join("none")), Err(LiveError::Io { .. })));
}

/// What the header says is under a sum; every other word may say anything, and is checked where it is followed.
#[test]
fn every_changed_byte_is_refused_or_harmless() {
    let (world, folder) = (small(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("shop.live");
    let whole = made(&world, &path);
    let bad = folder.path().join("bad");
    std::fs::write(&bad, &whole).expect("written");
    let file = std::fs::OpenOptions::new().write(true).open(&bad).expect("it opens");
    let put = |at: usize, bytes: &[u8]| {
        use std::io::{Seek, SeekFrom, Write};
        (&file).seek(SeekFrom::Start(at as u64)).and_then(|_| (&file).write_all(bytes)).expect("written");
    };
    let mut rng = Rng::new(5);
    let (mut refused, mut unbound, mut used) = (0, 0, 0);
    // Everything that is in use, then one in some hundred bytes of what is mostly zero.
    let places = (0..16_384).chain((16_384..whole.len()).step_by(89));
    for at in places {
        let pattern = *rng.pick(&[1, 0x80, 0xFF]);
        put(at, &[whole[at] ^ pattern]);
        match Live::open(&bad) {
            Err(LiveError::Damaged { .. } | LiveError::Version { .. }) => refused += 1,
            Err(other) => panic!("byte {at}: {other}"),
            Ok(live) => use_it(&world, Arc::new(live), &mut rng, &mut unbound, &mut used),
        }
        assert!(at >= 80 || refused == at + 1, "byte {at} of the header went unnoticed");
        put(at, &[whole[at]]);
        // What using it changed.
        if at % 64 == 0 {
            put(0, &whole);
        }
    }
    println!("{refused} refused, {unbound} not bound, {used} used");
    assert!(refused >= 80 && unbound >= 20 && used > 1_000);
}

/// Random words everywhere but in the header: nothing panics, hangs or reads beyond.
#[test]
fn arbitrary_words_are_followed_nowhere() {
    let (world, folder) = (small(), tempfile::tempdir().expect("a folder"));
    let path = folder.path().join("shop.live");
    let whole = made(&world, &path);
    let mut rng = Rng::new(6);
    let (mut unbound, mut used) = (0, 0);
    let bad = folder.path().join("bad");
    for round in 0..150 {
        let mut bytes = whole.clone();
        // In two of three rounds the header and the accounts' keys stay, so that decisions go through the rest.
        let all = round % 3 == 0;
        for (at, word) in bytes.chunks_exact_mut(8).enumerate().skip(16) {
            let key = at < 512 || (at < 512 + 256 * 16 && at % 16 == 0);
            if rng.chance(30) && (all || !key) {
                word.copy_from_slice(&rng.next().to_le_bytes());
            }
        }
        std::fs::write(&bad, &bytes).expect("written");
        let live = Live::open(&bad).expect("the header is whole");
        use_it(&world, Arc::new(live), &mut rng, &mut unbound, &mut used);
    }
    println!("{unbound} not bound, {used} used");
    assert!(unbound > 20 && used == 100);
}

fn use_it(world: &World, live: Arc<Live>, rng: &mut Rng, unbound: &mut usize, used: &mut usize) {
    std::hint::black_box(live.status(NOW));
    let Ok(engine) = world.engine.with_live(Arc::clone(&live)) else {
        *unbound += 1;
        return;
    };
    let engine = Arc::new(engine);
    let mut decider = Decider::new(Arc::clone(&engine));
    for _ in 0..2 {
        let request = common::request(rng, world);
        let offers = request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        for offer in offers.slate() {
            if let Ok(lease) = engine.reserve(offer, NOW, 1_000) {
                let _ = live.activate(&lease, NOW);
            }
        }
    }
    *used += 1;
}
