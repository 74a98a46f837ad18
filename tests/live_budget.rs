//! Budgets hold, whoever dies when: many processes, kill -9, clocks, days, and the pace of a day.
#![cfg(all(feature = "build", unix))]

mod common;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use aftercart::live::{Change, LiveKind, Pacing};
use aftercart::{Engine, Lease, LeaseError, Live};
use common::deal::{Shop, daily, set, shop, shown, status};
use common::{DAY, NOW, Rng};

#[test]
fn a_lease_holds_until_it_is_used_given_back_or_expired() {
    let Shop { engine, live, deal, folder: _folder, .. } = shop(16);
    let unlimited = engine.reserve(&deal, NOW, 1_000).expect("no limit");
    assert_eq!(unlimited.expires_at_ms(), 0);
    live.activate(&unlimited, NOW).expect("nothing to count");
    set(&live, LiveKind::Partner, "acme", &daily(3));
    set(&live, LiveKind::Offer, "deal", &Change { total: Some(Some(5)), ..Change::default() });
    let reserve = |now_ms| engine.reserve(&deal, now_ms, 60_000);
    let leases: Vec<Lease> = (0..3).map(|_| reserve(NOW).expect("three are left")).collect();
    assert_eq!(reserve(NOW), Err(LeaseError::Empty));
    assert_eq!(shown(&engine, NOW, "full"), None, "and the gate knows");
    assert!(shown(&engine, NOW + 61_000, "later").is_some(), "what is out may come back");
    live.activate(&leases[0], NOW).expect("it holds");
    assert_eq!(live.activate(&leases[0], NOW), Err(LeaseError::Gone), "twice");
    assert_eq!(live.release(&leases[0], NOW), Err(LeaseError::Gone));
    live.release(&leases[1], NOW).expect("it holds");
    let partner = status(&live, LiveKind::Partner, NOW);
    assert_eq!((partner.spent, partner.reserved, partner.outstanding, partner.overspend_bound), (1, 1, 1, 0));
    // The third expires: its process never comes back, or too late.
    let late = NOW + 60_000;
    assert_eq!(live.activate(&leases[2], late), Err(LeaseError::Gone));
    let again = [reserve(late).expect("given back"), reserve(late).expect("given back")];
    assert_eq!(reserve(late), Err(LeaseError::Empty));
    assert_eq!(live.activate(&leases[2], NOW), Err(LeaseError::Gone), "its place has another turn");
    // A lease survives as bytes; those of another overlay do not fit.
    let kept = Lease::from_bytes(again[0].to_bytes());
    live.activate(&kept, late).expect("it holds");
    assert_eq!(shop(4).live.activate(&kept, late), Err(LeaseError::Foreign));
    // Raising the limit makes room at once; the total then ends it for good.
    set(&live, LiveKind::Partner, "acme", &daily(100));
    live.activate(&again[1], late).expect("it holds");
    for _ in 0..2 {
        live.activate(&reserve(late).expect("five in all"), late).expect("it holds");
    }
    assert_eq!(reserve(late), Err(LeaseError::Empty));
    assert_eq!(reserve(late + 10 * DAY), Err(LeaseError::Empty));
    assert_eq!(shown(&engine, late + 10 * DAY, "over"), None);
    let (partner, offer) = (status(&live, LiveKind::Partner, late), status(&live, LiveKind::Offer, late));
    assert_eq!((partner.spent, partner.reserved, offer.spent, offer.reserved), (5, 0, 5, 0));
}

#[test]
fn a_day_begins_at_the_partners_midnight() {
    let Shop { engine, live, deal, folder: _folder, .. } = shop(16);
    let tokyo = Change { utc_offset_minutes: Some(540), ..daily(2) };
    set(&live, LiveKind::Partner, "acme", &tokyo);
    // NOW is midnight in UTC, so 9 in the morning there; the day ends 15 hours later.
    for _ in 0..2 {
        live.activate(&engine.reserve(&deal, NOW, 1_000).expect("two"), NOW).expect("it holds");
    }
    let midnight = NOW + 15 * 3_600_000;
    assert_eq!(engine.reserve(&deal, midnight - 1, 1_000), Err(LeaseError::Empty));
    assert_eq!(shown(&engine, midnight - 1_000, "today"), None);
    assert!(shown(&engine, midnight, "tomorrow").is_some());
    let lease = engine.reserve(&deal, midnight, 1_000).expect("a new day");
    live.activate(&lease, midnight).expect("it holds");
    let partner = status(&live, LiveKind::Partner, midnight);
    assert_eq!((partner.spent_today, partner.spent), (1, 3));
}

#[test]
fn money_is_counted_by_the_offers_value_and_lowering_a_limit_shows_the_bound() {
    let Shop { engine, live, deal, folder: _folder, .. } = shop(16);
    let limit = Change { money: Some(true), ..daily(1_200) };
    set(&live, LiveKind::Partner, "acme", &limit);
    let first = engine.reserve(&deal, NOW, 1_000).expect("5.00 of 12.00");
    engine.reserve(&deal, NOW, 1_000).expect("10.00 of 12.00");
    assert_eq!(engine.reserve(&deal, NOW, 1_000), Err(LeaseError::Empty));
    live.activate(&first, NOW).expect("it holds");
    assert_eq!(status(&live, LiveKind::Partner, NOW).overspend_bound, 0);
    set(&live, LiveKind::Partner, "acme", &daily(700));
    let partner = status(&live, LiveKind::Partner, NOW);
    assert_eq!((partner.spent, partner.reserved, partner.overspend_bound), (500, 500, 300));
    set(&live, LiveKind::Partner, "acme", &Change { paused: Some(true), ..Change::default() });
    assert_eq!(engine.reserve(&deal, NOW, 1_000), Err(LeaseError::Paused));
    assert_eq!(engine.reserve(&deal, 0, 1_000), Err(LeaseError::NoTime));
}

#[test]
fn as_many_leases_are_out_as_there_is_room_for() {
    let Shop { engine, live, deal, folder: _folder, .. } = shop(8);
    set(&live, LiveKind::Offer, "deal", &daily(100));
    for _ in 0..8 {
        engine.reserve(&deal, NOW, 1_000).expect("room");
    }
    assert_eq!(engine.reserve(&deal, NOW, 1_000), Err(LeaseError::AllOut));
    engine.reserve(&deal, NOW + 1_000, 1_000).expect("expired");
}

/// Threads of one process, all at the limit at once: it is met exactly, once nobody is in another's way.
#[test]
fn many_threads_meet_a_limit_exactly() {
    let Shop { engine, live, deal, folder: _folder, .. } = shop(64);
    set(&live, LiveKind::Partner, "acme", &daily(5_000));
    set(&live, LiveKind::Offer, "deal", &daily(7_000));
    let spent: u64 = std::thread::scope(|scope| {
        let work = || {
            let mut spent = 0;
            let mut refused = 0;
            while refused < 100 {
                match engine.reserve(&deal, NOW, 60_000) {
                    Ok(lease) => {
                        live.activate(&lease, NOW).expect("it holds");
                        spent += 1;
                    }
                    Err(error) => {
                        assert_eq!(error, LeaseError::Empty);
                        refused += 1;
                    }
                }
            }
            spent
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(work)).collect();
        threads.into_iter().map(|thread| thread.join().expect("no panic")).sum()
    });
    let (partner, offer) = (status(&live, LiveKind::Partner, NOW), status(&live, LiveKind::Offer, NOW));
    assert_eq!((spent, partner.spent, offer.spent), (5_000, 5_000, 5_000));
    assert_eq!((partner.reserved, offer.reserved), (0, 0));
}

const LIMIT: u64 = 8_000;

/// What a worker process does until it is killed: at random it activates, gives back, or forgets. A byte in `acks` for each
/// activation that it knows of.
#[test]
#[ignore = "the child of the test below"]
fn worker() {
    let Ok(folder) = std::env::var("AFTERCART_LIVE_FOLDER") else { return };
    let folder = Path::new(&folder);
    let live = Arc::new(Live::open(folder.join("shop.live")).expect("it opens"));
    let catalog =
        aftercart::Catalog::open(folder.join("shop.aftercart"), Default::default()).expect("it opens");
    let engine =
        Engine::new(Arc::new(catalog)).expect("it opens").with_live(Arc::clone(&live)).expect("bound");
    let engine = Arc::new(engine);
    let now = || std::fs::read_to_string(folder.join("now")).ok()?.parse::<i64>().ok();
    let deal = shown(&Arc::new(engine.without_live()), NOW, "first").expect("the deal");
    let append = |file| OpenOptions::new().append(true).open(folder.join(file)).expect("it opens");
    let (mut acks, mut gone) = (append("acks"), append("gone"));
    let mut rng = Rng::new(u64::from(std::process::id()));
    loop {
        let Some(now_ms) = now() else { continue }; // just being written
        match engine.reserve(&deal, now_ms, 10_000) {
            Ok(lease) => match rng.below(10) {
                0 => {} // forgotten
                1 => drop(live.release(&lease, now_ms)),
                _ => match live.activate(&lease, now_ms) {
                    Ok(()) => acks.write_all(b"+").expect("it writes"),
                    // Time passed at this very moment: the lease is another one's.
                    Err(_) => gone.write_all(b"-").expect("it writes"),
                },
            },
            Err(LeaseError::Empty | LeaseError::AllOut) => std::thread::sleep(Duration::from_millis(1)),
            Err(other) => panic!("{other}"),
        }
    }
}

fn start(folder: &Path) -> Child {
    Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "worker", "--ignored", "--nocapture"])
        .env("AFTERCART_LIVE_FOLDER", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .expect("it starts")
}

/// Processes that are killed at any instruction: what they activated is counted once, nothing that they held is lost, and the
/// limit is never exceeded while they run.
#[test]
fn processes_that_are_killed_neither_overspend_nor_lose_budget() {
    let Shop { world, engine, live, deal, folder } = shop(256);
    std::fs::write(folder.path().join("shop.aftercart"), &world.bytes).expect("written");
    for file in ["acks", "gone"] {
        std::fs::write(folder.path().join(file), "").expect("written");
    }
    let mut now_ms = NOW;
    set(&live, LiveKind::Partner, "acme", &daily(LIMIT));
    set(&live, LiveKind::Offer, "deal", &Change { total: Some(Some(LIMIT + 7)), ..Change::default() });
    let (mut rng, mut kills) = (Rng::new(11), 0u64);
    let write_now =
        |now_ms: i64| std::fs::write(folder.path().join("now"), now_ms.to_string()).expect("written");
    let check = |now_ms: i64| {
        for kind in [LiveKind::Partner, LiveKind::Offer] {
            let account = status(&live, kind, now_ms);
            let limit = if kind == LiveKind::Partner { LIMIT } else { LIMIT + 7 };
            assert!(account.spent <= limit, "overspent: {account:?}");
            assert!(account.overspend_bound <= account.reserved, "{account:?}");
        }
    };
    write_now(now_ms);
    let mut running: Vec<Child> = (0..12).map(|_| start(folder.path())).collect();
    for round in 0..60 {
        std::thread::sleep(Duration::from_millis(5 + rng.below(40) as u64));
        check(now_ms);
        let mut victim = running.swap_remove(rng.below(running.len()));
        victim.kill().expect("kill -9");
        victim.wait().expect("it is dead");
        kills += 1;
        if round % 10 == 9 {
            // Time passes, and what the dead held comes back.
            now_ms += 11_000;
            write_now(now_ms);
        }
        running.push(start(folder.path()));
    }
    for mut child in running {
        child.kill().expect("kill -9");
        child.wait().expect("it is dead");
        kills += 1;
    }
    check(now_ms);
    let length = |file| std::fs::metadata(folder.path().join(file)).expect("it is there").len();
    let (acks, gone) = (length("acks"), length("gone"));
    let spent = [LiveKind::Partner, LiveKind::Offer].map(|kind| status(&live, kind, now_ms).spent);
    println!("{kills} killed, {acks} known activations, {gone} too late, spent {spent:?}");
    assert!(gone <= kills, "{gone} leases expired under their holders");
    assert!(acks > 5_000 && kills > 60, "{acks} activations are too few to show anything");
    for spent in spent {
        assert!(
            spent >= acks && spent <= acks + kills + gone,
            "{spent} counted, {acks} known, {kills} killed"
        );
    }
    assert!(spent[0] >= spent[1], "the partner is counted first: {spent:?}");
    // All that was held comes back: what is left can be spent to the last one. One minute, for those who had no time to say
    // when their lease ends.
    check(now_ms);
    now_ms += 61_000;
    let partner = status(&live, LiveKind::Partner, now_ms);
    assert_eq!((partner.reserved, partner.outstanding), (0, 0), "nothing is lost");
    let mut more = 0;
    while let Ok(lease) = engine.reserve(&deal, now_ms, 1_000) {
        live.activate(&lease, now_ms).expect("it holds");
        more += 1;
    }
    let partner = status(&live, LiveKind::Partner, now_ms);
    assert_eq!((partner.spent, more), (LIMIT, LIMIT - spent[0]), "to the last one");
}

/// Traffic of a shop's day, five times as much as the budget: what is spent follows the traffic, not the clock, and all of it
/// is spent.
#[test]
fn a_paced_budget_lasts_the_day() {
    let Shop { engine, live, deal, folder: _folder, .. } = shop(64);
    let weights: Vec<u32> =
        (0..24).map(|hour| if (8..23).contains(&hour) { 2 + hour % 5 } else { 0 }).collect();
    let pacing = Some(Some(Pacing { weights: weights.clone() }));
    set(&live, LiveKind::Offer, "deal", &Change { pacing, ..daily(1_000) });
    let traffic: u32 = weights.iter().sum();
    let (mut spent, mut deserved, mut worst) = (0u32, 0.0, 0.0f64);
    for (hour, weight) in weights.iter().enumerate() {
        let orders = 5_000 * weight / traffic;
        for order in 0..orders {
            let now_ms = NOW + hour as i64 * 3_600_000 + i64::from(order) * 3_600_000 / i64::from(orders);
            if shown(&engine, now_ms, &format!("{hour} {order}")).is_some() {
                let lease = engine.reserve(&deal, now_ms, 1_000).expect("the gate let it through");
                live.activate(&lease, now_ms).expect("it holds");
                spent += 1;
            }
            deserved += 1_000.0 * f64::from(*weight) / f64::from(traffic) / f64::from(orders);
            worst = worst.max((f64::from(spent) - deserved).abs());
        }
    }
    println!("{spent} of 1,000 spent; at most {worst:.0} away from the traffic's share");
    assert!((990..=1_000).contains(&spent), "{spent}");
    assert!(worst <= 32.0, "{worst} away: more than a 32nd of the budget");
}
