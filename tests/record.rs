//! What a decision was is in its record; and every decision is in the ring, drained, or counted.
#![cfg(feature = "build")]

mod common;

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aftercart::experiment::{Holdout, Shows};
use aftercart::record::DecisionRecord;
use aftercart::record::ring::{self, RingReader};
use aftercart::{Decider, Item, Offers, Reason, Transaction};
use common::{Request, Rng, World};

/// What waits in a ring, all of it readable.
fn all(reader: &RingReader) -> Vec<DecisionRecord> {
    reader.read().into_iter().map(|record| record.expect("readable")).collect()
}

/// Everything that a record and a result both have.
fn assert_says(record: &DecisionRecord, offers: &Offers, transaction: &Transaction<'_>) {
    assert_eq!((record.decision_id, record.group_id), (offers.decision_id, offers.group_id));
    assert_eq!((record.at_ms, record.generations), (transaction.created_at_ms, offers.generations));
    assert_eq!((record.assignment, record.status), (offers.assignment, offers.status));
    assert_eq!((record.degraded, usize::from(record.lines)), (offers.degraded, transaction.lines.len()));
    let counters = &offers.counters;
    assert_eq!(record.counts.map(u32::from), [counters.retrieved, counters.eligible, counters.rejected]);
    let slate = if offers.slate().is_empty() { offers.ghost() } else { offers.slate() };
    assert_eq!(usize::from(record.shown), slate.len());
    for ((offer, slot), candidate) in slate.iter().zip(&record.slate).zip(&record.candidates) {
        assert_eq!((slot.position, slot.p_select_ppm), (offer.position, offer.p_select_ppm));
        assert_eq!(slot.relation, offer.because.relation);
        assert_eq!(slot.line.map(u16::from), offer.because.line.filter(|line| *line < 31));
        assert_eq!((candidate.item, candidate.relevance), (offer.item, offer.relevance));
        assert_eq!((candidate.p_accept_ppm, i64::from(candidate.value)), (offer.p_accept_ppm, offer.value));
    }
    let logged = &record.candidates[..usize::from(record.candidate_count)];
    assert_eq!(
        logged.len(),
        (counters.eligible as usize).clamp(slate.len(), 32),
        "the others that were eligible"
    );
    assert!(logged.iter().enumerate().all(|(at, c)| logged[..at].iter().all(|other| other.item != c.item)));
    let counted: u32 = record.reasons.iter().map(|(_, count)| u32::from(*count)).sum();
    assert!(counted as usize <= offers.rejected().len());
    for (code, count) in record.reasons.iter().filter(|(code, _)| *code != 0) {
        let of_reason = |reason: Reason| reason.code() == *code;
        assert_eq!(offers.rejected().iter().filter(|r| of_reason(r.reason)).count(), usize::from(*count));
    }
}

#[test]
fn a_record_says_what_the_result_says() {
    let (mut shown, mut held, mut of_offers, mut explored) = (0, 0, 0, 0);
    for seed in 0..12 {
        let world = World::new(700 + seed, 200);
        let mut rng = Rng::new(seed);
        for _ in 0..4 {
            let mut policy = common::policy(&mut rng, &world);
            common::explored(&mut rng, &mut policy);
            policy.holdout = Holdout { buckets: 3_000, salt: seed.to_string(), shows: Shows::Earlier };
            let mut decider = Decider::new(world.under(&policy));
            let (writer, mut reader) = ring::in_memory(64);
            decider.record_to(Some(writer));
            for _ in 0..40 {
                common::request(&mut rng, &world).with(|transaction, profile| {
                    let offers = decider.decide(transaction, profile).expect("within the limits");
                    let records = all(&reader);
                    assert_eq!(records.len(), 1);
                    assert_says(&records[0], &offers, transaction);
                    reader.drained_to(1, 0);
                    shown += offers.slate().len();
                    held += offers.ghost().len();
                    let offer = |c: &aftercart::record::CandidateRecord| matches!(c.item, Item::Offer(_));
                    of_offers += records[0].candidates.iter().filter(|c| offer(c)).count();
                    explored +=
                        records[0].slate.iter().filter(|s| (1..1_000_000).contains(&s.p_select_ppm)).count();
                    let replayed = decider.replay(
                        transaction,
                        profile,
                        offers.degraded,
                        decider.live_facts().to_vec().as_slice(),
                    );
                    assert_eq!(replayed.as_ref(), Ok(&offers));
                    assert!(reader.read().is_empty(), "replays are not recorded");
                });
            }
        }
    }
    assert!(
        shown > 500 && held > 200 && of_offers > 200 && explored > 100,
        "{shown} {held} {of_offers} {explored}"
    );
}

#[test]
fn a_record_has_its_group_and_how_long_it_took() {
    static NOW: AtomicU64 = AtomicU64::new(7);
    let world = World::new(719, 60);
    let (writer, reader) = ring::in_memory(8);
    let mut decider = Decider::new(Arc::clone(&world.engine));
    decider.time_with(Some(|| NOW.fetch_add(1_500, Ordering::Relaxed)));
    let decide = |decider: &mut Decider, request: Request| {
        request.with(|t, p| decider.decide(t, p).expect("within the limits"));
    };
    decide(&mut decider, Request::of(&["p1"]));
    assert_eq!(NOW.load(Ordering::Relaxed), 7, "what is not recorded is not timed");
    decider.record_to(Some(writer));
    decide(&mut decider, Request::of(&["p1"]));
    let answers = vec!["gift".to_owned()];
    decide(&mut decider, Request { answers, ..Request::of(&["p1"]) });
    decider.time_with(Some(|| u64::MAX - NOW.fetch_add(u64::MAX / 4, Ordering::Relaxed)));
    decide(&mut decider, Request::of(&["p1"]));
    decider.time_with(Some(|| NOW.fetch_add(u64::MAX / 8, Ordering::Relaxed)));
    decide(&mut decider, Request::of(&["p1"]));
    decider.time_with(None);
    decide(&mut decider, Request::of(&["p1"]));
    let records = all(&reader);
    let took: Vec<Option<u32>> = records.iter().map(|r| r.took_ns.map(NonZeroU32::get)).collect();
    assert_eq!(took, [Some(1_500), Some(1_500), Some(1), Some(u32::MAX), None]);
    assert_eq!(records[0].group_id, records[0].decision_id, "nothing was answered");
    assert_eq!(records[1].group_id, records[0].group_id);
    assert_ne!(records[1].decision_id, records[0].decision_id);
}

#[test]
fn a_full_ring_drops_and_counts_and_goes_on() {
    let world = World::new(720, 60);
    let (writer, mut reader) = ring::in_memory(8);
    let mut decider = Decider::new(Arc::clone(&world.engine));
    decider.record_to(Some(writer));
    let mut seen = Vec::new();
    for number in 1..=200u64 {
        Request::of(&["p1"]).with(|t, p| decider.decide(t, p).expect("within the limits"));
        if number % 30 == 0 {
            let records = all(&reader);
            seen.extend(records.iter().map(|record| record.number));
            reader.drained_to(records.len() as u64, 0);
        }
    }
    let counts = reader.counts();
    assert_eq!((counts.made(), counts.drained, counts.written), (200, 48, 56));
    assert_eq!(seen, (0..6).flat_map(|round| (1..=8).map(move |n| round * 30 + n)).collect::<Vec<u64>>());
}

#[test]
fn two_threads_share_a_ring_and_lose_nothing() {
    let world = World::new(721, 60);
    let (writer, mut reader) = ring::in_memory(32);
    let mut decider = Decider::new(Arc::clone(&world.engine));
    decider.record_to(Some(writer));
    const DECISIONS: u64 = 20_000;
    let drain = std::thread::spawn(move || {
        let (mut last, mut seen) = (0, 0);
        while reader.counts().made() < DECISIONS || reader.counts().written > reader.counts().drained {
            let records = all(&reader);
            for record in &records {
                assert!(record.number > last, "in order, each once");
                assert_eq!(record.order_value, Some(record.at_ms), "of one decision, whole");
                last = record.number;
            }
            seen += records.len() as u64;
            reader.drained_to(records.len() as u64, 0);
        }
        (seen, reader.counts())
    });
    for number in 0..DECISIONS as i64 {
        let request = Request { created_at_ms: number, value: Some(number), ..Request::of(&["p1"]) };
        request.with(|t, p| decider.decide(t, p).expect("within the limits"));
    }
    let (seen, counts) = drain.join().expect("the drain ended");
    assert_eq!((seen + counts.dropped, counts.made()), (DECISIONS, DECISIONS));
    println!("{} of {DECISIONS} dropped", counts.dropped);
}

#[test]
fn a_file_outlives_its_process_and_damage_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("one.ring");
    let world = World::new(722, 60);
    let (writer, reader) = ring::create(&path, 16).expect("it is made");
    let mut decider = Decider::new(Arc::clone(&world.engine));
    decider.record_to(Some(writer));
    for _ in 0..5 {
        Request::of(&["p1"]).with(|t, p| decider.decide(t, p).expect("within the limits"));
    }
    assert!(ring::create(&path, 16).is_err(), "the name is taken");
    assert!(RingReader::adopt(&path).expect("a ring").is_none(), "its owner lives");
    drop((reader, decider));
    let mut adopted = RingReader::adopt(&path).expect("a ring").expect("its owner is gone");
    assert_eq!((all(&adopted).len(), adopted.counts().made()), (5, 5));
    adopted.drained_to(2, 0);
    drop(adopted);
    let again = RingReader::adopt(&path).expect("a ring").expect("free");
    assert_eq!(all(&again).iter().map(|record| record.number).collect::<Vec<_>>(), [3, 4, 5]);
    drop(again);
    let whole = std::fs::read(&path).expect("read");
    let mut refused = 0;
    for at in 0..64.min(whole.len()) {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x5A;
        std::fs::write(&path, &damaged).expect("written");
        match RingReader::adopt(&path) {
            Err(_) => refused += 1,
            Ok(Some(reader)) => {
                assert!(reader.read().len() <= 16, "byte {at}: bounded whatever the counters say")
            }
            Ok(None) => panic!("nobody has it"),
        }
    }
    assert!(refused >= 24, "magic, version and capacity: {refused}");
    for length in [0, 1, 63, 64, 100, whole.len() - 1] {
        std::fs::write(&path, &whole[..length]).expect("written");
        assert!(RingReader::adopt(&path).is_err(), "{length} bytes");
    }
    // A damaged record is told, and no other is lost.
    let mut damaged = whole.clone();
    damaged[8 * 8 + 3 * 103 * 8 + 4] = 0xFF; // the stage of the fourth
    std::fs::write(&path, &damaged).expect("written");
    let reader = RingReader::adopt(&path).expect("a ring").expect("free");
    let numbers: Vec<_> = reader.read().iter().map(|record| record.as_ref().map(|r| r.number)).collect();
    assert_eq!(numbers, [Some(3), None, Some(5)]);
}
