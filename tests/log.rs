//! The log: every decision is in a file, in a ring or counted, whoever is killed when; events count once; damage is told.
#![cfg(all(feature = "build", feature = "log"))]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use aftercart::event;
use aftercart::experiment::{Arm, Experiment, Explore, Holdout, Shows};
use aftercart::log::{Event, EventKind, Log, LogError, Table, columns};
use aftercart::record::ring;
use aftercart::{Decider, Engine, Offers, OpenOptions, Policy};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use common::{Request, Rng, World};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

fn rows(files: &[PathBuf]) -> Vec<RecordBatch> {
    let read = |path: &PathBuf| {
        let file = fs::File::open(path).expect("it is there");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).and_then(|b| b.build()).expect("Parquet");
        reader.map(|batch| batch.expect("rows")).collect::<Vec<_>>()
    };
    files.iter().flat_map(read).collect()
}

fn text<'a>(batch: &'a RecordBatch, column: &str, row: usize) -> &'a str {
    batch.column_by_name(column).expect(column).as_string::<i32>().value(row)
}

fn whole(log: &Log, table: Table) -> Vec<PathBuf> {
    let files = log.files(table).expect("listed");
    assert!(files.skipped.is_empty(), "{:?}", files.skipped);
    files.whole
}

/// What the processes of `eight_processes_and_kills` do: decide, and say so; now and then empty the ring, mostly in time.
#[test]
#[ignore = "run by `eight_processes_and_kills`"]
fn a_process_that_decides() {
    let folder = PathBuf::from(std::env::var("LOG_FOLDER").expect("set by the other test"));
    let name = std::env::var("LOG_RING").expect("set by the other test");
    let engine = Engine::open(folder.join("shop.aftercart"), OpenOptions::default()).expect("a catalog");
    let engine = Arc::new(engine);
    let mut decider = Decider::new(Arc::clone(&engine));
    let (writer, mut drain) = Log::open(&folder).expect("a log").ring(&name, 64).expect("a new name");
    decider.record_to(Some(writer));
    let mut out = std::io::stdout().lock();
    for number in 1..=3_000u32 {
        let request = Request { order_id: format!("{name}-{number}"), ..Request::of(&["p1", "p2"]) };
        request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        writeln!(out, "made {number}").and_then(|()| out.flush()).expect("somebody listens");
        // Every fifth time too late: then the ring was full for a while.
        if number % 50 == 0 && number % 250 != 0 {
            drain.empty(std::slice::from_ref(&engine)).expect("drained");
        }
    }
    drop(decider);
    drain.empty(std::slice::from_ref(&engine)).expect("drained");
    drain.finish().expect("put away");
}

/// What the processes of `others_drain_what_lives_and_are_killed_too` do, but for the draining one: decide, and say so.
#[test]
#[ignore = "run by `others_drain_what_lives_and_are_killed_too`"]
fn a_process_that_leaves_its_ring_to_others() {
    let folder = PathBuf::from(std::env::var("LOG_FOLDER").expect("set by the other test"));
    let name = std::env::var("LOG_RING").expect("set by the other test");
    let engine = Engine::open(folder.join("shop.aftercart"), OpenOptions::default()).expect("a catalog");
    let mut decider = Decider::new(Arc::new(engine));
    decider.record_to(Some(ring::create_in(&folder, &name, 512).expect("a new name")));
    let mut out = std::io::stdout().lock();
    for number in 1..=3_000u32 {
        let request = Request { order_id: format!("{name}-{number}"), ..Request::of(&["p1", "p2"]) };
        request.with(|t, p| decider.decide(t, p).expect("within the limits"));
        let event = format!("{name}-{number}");
        let event = Event { event_id: event.as_str(), ..seen(7) };
        event::append(&folder, &event).expect("appended");
        if number % 8 == 0 {
            std::thread::sleep(std::time::Duration::from_millis(1)); // customers do not come as fast as that
        }
        writeln!(out, "made {number}").and_then(|()| out.flush()).expect("somebody listens");
    }
}

fn seen(decision_id: u128) -> Event<&'static str> {
    Event {
        event_id: "",
        decision_id,
        at_ms: 1,
        kind: EventKind::Activated,
        item_id: "",
        value: None,
        margin: None,
        payout: None,
        code: "",
        question: "",
        answer: "",
    }
}

#[test]
#[ignore = "run by `others_drain_what_lives_and_are_killed_too`"]
fn a_process_that_drains_what_others_leave() {
    let folder = PathBuf::from(std::env::var("LOG_FOLDER").expect("set by the other test"));
    let engine = Engine::open(folder.join("shop.aftercart"), OpenOptions::default()).expect("a catalog");
    let (engine, log) = (Arc::new(engine), Log::open(&folder).expect("a log"));
    loop {
        for ring in log.recover(std::slice::from_ref(&engine)).expect("listed") {
            ring.drained.expect("a ring");
        }
        assert_eq!(log.take_events().expect("taken").problems, []);
    }
}

fn run(test: &str, folder: &Path, ring: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command
        .args(["--exact", test, "--ignored", "--nocapture"])
        .env("LOG_FOLDER", folder)
        .env("LOG_RING", ring);
    command.stdout(Stdio::piped());
    command
}

#[test]
fn others_drain_what_lives_and_are_killed_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(804, 60);
    fs::write(folder.path().join("shop.aftercart"), &world.bytes).expect("written");
    let log = Log::open(folder.path()).expect("a log");
    let hosts: Vec<_> = (0..4u64)
        .map(|host| {
            let mut child =
                run("a_process_that_leaves_its_ring_to_others", folder.path(), &format!("till-{host}"))
                    .spawn()
                    .expect("it runs");
            std::thread::spawn(move || {
                let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
                let (mut last, until) = (0, if host < 2 { u64::MAX } else { 700 + 900 * (host - 2) });
                while let Some(Ok(line)) = lines.next() {
                    let Some(number) = line.split("made ").nth(1) else { continue };
                    last = number.parse().expect("a number");
                    if last == until {
                        child.kill().expect("killed");
                    }
                }
                let _ended = child.wait();
                last
            })
        })
        .collect();
    // Drains come and are killed at no chosen instruction, while the hosts live.
    let mut drains = 0;
    while hosts.iter().any(|host| !host.is_finished()) {
        let mut drain =
            run("a_process_that_drains_what_others_leave", folder.path(), "").spawn().expect("it runs");
        std::thread::sleep(std::time::Duration::from_millis(150 + 37 * drains % 100));
        drain.kill().expect("killed");
        drain.wait().expect("ended");
        drains += 1;
    }
    let said: Vec<u64> = hosts.into_iter().map(|thread| thread.join().expect("it was listened to")).collect();
    let while_alive = log.counts().expect("counted").drained;
    for ring in log.recover(std::slice::from_ref(&world.engine)).expect("listed") {
        assert!(!ring.lives && ring.drained.is_ok(), "{ring:?}");
    }
    log.take_events().expect("taken");
    let counts = log.counts().expect("counted");
    assert_eq!((counts.waiting(), counts.unreadable), (0, 0));
    let mut ids = BTreeSet::new();
    for batch in rows(&whole(&log, Table::Decisions)) {
        for row in 0..batch.num_rows() {
            assert!(ids.insert(text(&batch, "decision_id", row).to_owned()), "there once");
        }
    }
    assert_eq!(ids.len() as u64 + counts.dropped, counts.made());
    let said_in_all: u64 = said.iter().sum();
    assert!((said_in_all..=said_in_all + 2).contains(&counts.made()), "{counts:?} {said:?}");
    let events: usize = rows(&whole(&log, Table::Events)).iter().map(RecordBatch::num_rows).sum();
    assert!((said_in_all as usize..=said_in_all as usize + 2).contains(&events), "{events} {said:?}");
    assert!(while_alive > 0 && drains > 1, "{while_alive} drained by {drains}");
    assert_eq!(fs::read_dir(folder.path().join("incoming")).expect("listed").count(), 0);
    println!(
        "{} made by 4 processes, 2 killed, {drains} drains killed: {} logged ({while_alive} while they lived), {} dropped, {events} events",
        counts.made(),
        ids.len(),
        counts.dropped
    );
}

#[test]
fn a_ring_that_lives_waits_for_its_catalog_until_it_is_half_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let (world, other) = (World::new(805, 60), World::new(806, 60));
    let log = Log::open(folder.path()).expect("a log");
    let mut decider = Decider::new(Arc::clone(&world.engine));
    decider.record_to(Some(ring::create_in(folder.path(), "one", 8).expect("a new name")));
    assert!(matches!(log.ring("one", 8), Err(LogError::Io { .. })), "the name is taken");
    let mut decide = |times| {
        for _ in 0..times {
            Request::of(&["p1"]).with(|t, p| decider.decide(t, p).expect("within the limits"));
        }
    };
    let drained = |engines: &[Arc<Engine>]| {
        let mut recovered = log.recover(engines).expect("listed");
        recovered.pop().map(|ring| ring.drained.expect("a ring"))
    };
    decide(3);
    assert_eq!(drained(&[]), None, "without a catalog it is left alone");
    let own = [Arc::clone(&other.engine), Arc::clone(&world.engine)];
    assert_eq!(drained(&own[..1]).map(|of| of.decisions), Some(0), "it waits");
    assert_eq!(drained(&own).map(|of| (of.decisions, of.unnamed)), Some((3, 0)));
    decide(4);
    assert_eq!(
        drained(&own[..1]).map(|of| (of.decisions, of.unnamed)),
        Some((4, 4)),
        "rather than be dropped"
    );
    decide(9);
    assert_eq!(drained(&own).map(|of| (of.decisions, of.unnamed)), Some((8, 0)));
    drop(decider);
    assert_eq!(drained(&own).map(|of| of.decisions), Some(0));
    let counts = log.counts().expect("counted");
    assert_eq!((counts.made(), counts.drained, counts.dropped), (16, 15, 1));
    assert_eq!(
        fs::read_dir(folder.path().join("rings")).expect("listed").count(),
        2,
        "what became of it, and the lock"
    );
}

#[test]
fn events_that_were_left_count_once() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(folder.path()).expect("a log");
    let taken =
        || log.take_events().map(|taken| (taken.new, taken.repeated, taken.problems.len())).expect("taken");
    assert_eq!(taken(), (0, 0, 0), "nothing was left");
    let append = |id: &str| {
        event::append(folder.path(), &Event { event_id: id, ..seen(7) }).expect("appended");
    };
    append("a");
    append("b");
    append("a");
    assert_eq!(taken(), (2, 1, 0));
    append("b");
    append("c");
    let incoming = folder.path().join("incoming");
    // Half a line, as a full disk leaves it; and the next event.
    let mut file = fs::OpenOptions::new().append(true).open(incoming.join("events.jsonl")).expect("there");
    file.write_all(b"\n{\"event_id\":\"torn").expect("written");
    append("d");
    // As if a drain had died before it threw the file away.
    fs::copy(incoming.join("events.jsonl"), incoming.join("taken-7.jsonl")).expect("copied");
    assert_eq!(taken(), (2, 4, 2), "c and d are new");
    let left = fs::read_dir(&incoming).expect("listed").map(|file| file.expect("a file").file_name());
    let left: BTreeSet<_> = left.map(|name| name.into_string().expect("UTF-8")).collect();
    assert_eq!(left, ["refused-0.jsonl", "refused-1.jsonl"].map(String::from).into(), "for a person");
    assert_eq!(taken(), (0, 0, 0));
}

#[test]
fn eight_processes_and_kills() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(800, 60);
    fs::write(folder.path().join("shop.aftercart"), &world.bytes).expect("written");
    let processes: Vec<_> = (0..8)
        .map(|process| {
            let mut child = Command::new(std::env::current_exe().expect("this test"))
                .args(["--exact", "a_process_that_decides", "--ignored", "--nocapture"])
                .env("LOG_FOLDER", folder.path())
                .env("LOG_RING", format!("till-{process}"))
                .stdout(Stdio::piped())
                .spawn()
                .expect("it runs");
            std::thread::spawn(move || {
                let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
                let mut last = 0;
                // The first two end by themselves; the others are killed somewhere on the way, at no chosen instruction.
                let until = if process < 2 { u64::MAX } else { 100 + 389 * process };
                while let Some(Ok(line)) = lines.next() {
                    let Some(number) = line.split("made ").nth(1) else { continue };
                    last = number.parse().expect("a number");
                    if last == until {
                        child.kill().expect("killed");
                    }
                }
                let _ended = child.wait();
                last
            })
        })
        .collect();
    let said: Vec<u64> =
        processes.into_iter().map(|thread| thread.join().expect("it was listened to")).collect();
    let log = Log::open(folder.path()).expect("a log");
    let before = log.counts().expect("counted");
    let recovered = log.recover(std::slice::from_ref(&world.engine)).expect("listed");
    assert_eq!(recovered.len(), 6, "the killed ones left their rings");
    assert!(recovered.iter().all(|ring| ring.drained.is_ok()), "{recovered:?}");
    let counts = log.counts().expect("counted");
    assert_eq!(
        (counts.made(), counts.dropped),
        (before.made(), before.dropped),
        "recovering changes no count"
    );
    assert_eq!(counts.written, counts.drained);
    // Logged + dropped = made; and made is what was said, but for a decision that was made and not yet said.
    let (mut logged, mut ids) = (BTreeMap::<String, BTreeSet<i64>>::new(), BTreeSet::new());
    for batch in rows(&whole(&log, Table::Decisions)) {
        let numbers = batch.column_by_name("number").expect("number").as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let ring = text(&batch, "ring", row).to_owned();
            assert!(logged.entry(ring).or_default().insert(numbers.value(row)), "there once");
            assert!(ids.insert(text(&batch, "decision_id", row).to_owned()), "there once");
        }
    }
    assert_eq!(ids.len() as u64 + counts.dropped, counts.made());
    let said_in_all: u64 = said.iter().sum();
    assert!(
        (said_in_all..=said_in_all + 6).contains(&counts.made()),
        "{} made, {said:?} said",
        counts.made()
    );
    assert!(counts.dropped > 100 && said[..2] == [3_000, 3_000], "{counts:?} {said:?}");
    for (process, said) in said.iter().enumerate() {
        let numbers = &logged[&format!("till-{process}")];
        assert!(numbers.iter().all(|number| (1..=*said as i64 + 1).contains(number)));
    }
    println!(
        "{} made by 8 processes, 6 killed: {} logged, {} dropped",
        counts.made(),
        ids.len(),
        counts.dropped
    );
}

/// An experiment, a holdout and exploration, so that every column has something to say.
fn busy() -> Policy {
    let arm = |name: &str, range, shows| Arm { name: name.into(), range, shows, explore: None };
    Policy {
        holdout: Holdout { buckets: 1_000, salt: String::new(), shows: Shows::Nothing },
        explore: Explore { best: 8, temperature: 1.0, epsilon: 0.2, seed: 3 },
        experiments: vec![Experiment {
            id: "page".into(),
            arms: vec![arm("before", [0, 3_000], Shows::Earlier), arm("now", [3_000, 10_000], Shows::Offers)],
            ..Experiment::default()
        }],
        ..Policy::default()
    }
}

/// Makes a log of so many decisions, and gives back what was decided.
fn recorded(folder: &Path, engine: &Arc<Engine>, world: &World, decisions: usize) -> (Log, Vec<Offers>) {
    let log = Log::open(folder).expect("a log");
    let (writer, mut drain) = log.ring("one", 64).expect("a new name");
    let mut decider = Decider::new(Arc::clone(engine));
    decider.record_to(Some(writer));
    let (mut rng, mut made) = (Rng::new(9), Vec::new());
    for number in 0..decisions {
        let request = Request { order_id: number.to_string(), ..common::request(&mut rng, world) };
        made.push(request.with(|t, p| decider.decide(t, p).expect("within the limits")));
        if drain.is_due() {
            drain.empty(std::slice::from_ref(engine)).expect("drained");
        }
    }
    drop(decider);
    drain.empty(std::slice::from_ref(engine)).expect("drained");
    drain.finish().expect("put away");
    (log, made)
}

#[test]
fn files_say_what_was_decided() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(801, 300);
    let engine = world.under(&busy());
    let (log, made) = recorded(folder.path(), &engine, &world, 300);
    for table in [Table::Decisions, Table::Offers] {
        let batches = rows(&whole(&log, table));
        let names: Vec<&str> = columns::of(table).iter().map(|(name, ..)| *name).collect();
        let found: Vec<String> = batches[0].schema().fields().iter().map(|f| f.name().clone()).collect();
        assert_eq!(found, names, "the documented columns, in order");
    }
    let slate = |offers: &Offers| [offers.slate(), offers.ghost()].concat();
    let mut at = 0;
    for batch in rows(&whole(&log, Table::Decisions)) {
        for row in 0..batch.num_rows() {
            let offers = &made[at];
            let int =
                |column| batch.column_by_name(column).expect("column").as_primitive::<Int32Type>().value(row);
            assert_eq!(text(&batch, "decision_id", row), format!("{:032x}", offers.decision_id));
            assert_eq!(text(&batch, "status", row), offers.status.name());
            assert_eq!(text(&batch, "shows", row), offers.assignment.shows.name());
            assert_eq!(int("shown") as usize, slate(offers).len());
            let arms = batch.column_by_name("arm_1").expect("arm_1").as_string::<i32>();
            let arm = engine.arms(&offers.assignment).next().map(|(_, arm)| arm);
            assert_eq!(arms.is_valid(row).then(|| arms.value(row)), arm);
            let ids = batch.column_by_name("candidate_ids").expect("ids").as_list::<i32>().value(row);
            let ids = ids.as_string::<i32>();
            let first: Vec<&str> = (0..slate(offers).len()).map(|at| ids.value(at)).collect();
            assert_eq!(first, slate(offers).iter().map(|o| engine.id(o.item)).collect::<Vec<_>>());
            let p =
                batch.column_by_name("slate_p_select").expect("p").as_primitive::<Float64Type>().value(row);
            let want: f64 = slate(offers).iter().map(|o| f64::from(o.p_select_ppm) / 1e6).product();
            assert!((p - want).abs() < 1e-12);
            at += 1;
        }
    }
    assert_eq!(at, made.len());
    let mut offers = made.iter().flat_map(|o| slate(o).into_iter().map(move |offer| (o, offer)));
    for batch in rows(&whole(&log, Table::Offers)) {
        for row in 0..batch.num_rows() {
            let (decision, offer) = offers.next().expect("as many as were decided");
            assert_eq!(text(&batch, "decision_id", row), format!("{:032x}", decision.decision_id));
            assert_eq!(text(&batch, "item_id", row), engine.id(offer.item));
            assert_eq!(
                (text(&batch, "kind", row), text(&batch, "partner", row)),
                (offer.kind.name(), engine.partner(offer.item))
            );
            let ghost = batch.column_by_name("ghost").expect("ghost").as_boolean().value(row);
            assert_eq!(ghost, decision.slate().is_empty());
        }
    }
    assert!(offers.next().is_none());
    assert!(made.iter().any(|o| !o.ghost().is_empty()) && made.iter().any(|o| !o.slate().is_empty()));
}

#[test]
fn a_drain_that_dies_between_files_and_ring_writes_them_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(802, 60);
    let log = Log::open(folder.path()).expect("a log");
    let (writer, mut drain) = log.ring("one", 64).expect("a new name");
    let mut decider = Decider::new(Arc::clone(&world.engine));
    decider.record_to(Some(writer));
    let engines = std::slice::from_ref(&world.engine);
    let ring = folder.path().join("rings/one.ring");
    Request::of(&["p1"]).with(|t, p| decider.decide(t, p).expect("within the limits"));
    let before = fs::read(&ring).expect("read");
    drain.empty(engines).expect("drained");
    drop((decider, drain));
    fs::write(&ring, before).expect("as if it had died before it freed the ring");
    let recovered = log.recover(engines).expect("listed");
    assert_eq!(recovered[0].drained.as_ref().expect("drained").decisions, 1);
    let rows: usize = rows(&whole(&log, Table::Decisions)).iter().map(RecordBatch::num_rows).sum();
    assert_eq!((rows, log.counts().expect("counted").made()), (1, 1), "there once");
    assert!(matches!(log.ring("one", 8), Err(LogError::Io { .. })), "a name is used once");
    assert!(matches!(log.ring("../one", 8), Err(LogError::Name { .. })));
}

fn event(id: &str, kind: &str, more: &str) -> String {
    format!(
        r#"{{"event_id":"{id}","decision_id":"{:032x}","at":"2026-11-22T10:00:00Z","event":"{kind}"{more}}}"#,
        7
    )
}

#[test]
fn events_count_once_and_bad_lines_are_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = Log::open(folder.path()).expect("a log");
    let lines = [
        event("a", "activated", ""),
        event("b", "converted", r#","item_id":"SKU1","value":12.99,"margin":-0.5,"payout":0"#),
        String::new(),
        "not JSON".into(),
        event("c", "converted", ""),
        event("d", "sneezed", ""),
        event("e", "returned", r#","value":-1"#),
        event("f", "ordered", r#","value":1.234"#),
        event("a", "dismissed", ""),
        event("g", "survey_answered", r#","question":"why","answer":"gift","color":"red""#),
        event("", "activated", ""),
        event("h", "activated", "").replace("0007", "07"),
        event("i", "activated", "").replace("2026-11-22", "22.11."),
    ];
    let import = |lines: &[String]| {
        log.import_events(&mut lines.join("\n").as_bytes(), Path::new("events.jsonl")).expect("imported")
    };
    let first = import(&lines);
    assert_eq!((first.new, first.repeated), (2, 1));
    let at: Vec<u64> = first.problems.iter().map(|problem| problem.line).collect();
    assert_eq!(at, [4, 5, 6, 7, 8, 10, 11, 12, 13], "{:?}", first.problems);
    let again = import(&lines[..2]);
    assert_eq!((again.new, again.repeated, again.problems.len()), (0, 2, 0));
    let late = import(&[event("z", "returned", r#","value":12.99"#), event("b", "accepted", "")]);
    assert_eq!((late.new, late.repeated), (1, 1));
    let batches = rows(&whole(&log, Table::Events));
    let mut found: Vec<(String, String, Option<i64>)> = Vec::new();
    for batch in &batches {
        let values = batch.column_by_name("value").expect("value").as_primitive::<Int64Type>();
        for row in 0..batch.num_rows() {
            let value = values.is_valid(row).then(|| values.value(row));
            found.push((text(batch, "event_id", row).into(), text(batch, "event", row).into(), value));
        }
    }
    found.sort();
    let want = [("a", "activated", None), ("b", "converted", Some(1299)), ("z", "returned", Some(1299))];
    assert_eq!(found, want.map(|(id, kind, value)| (id.to_owned(), kind.to_owned(), value)));
    for kind in EventKind::ALL {
        let parsed = Event::parse(&event("x", kind.name(), r#","value":0.01"#)).expect("every kind reads");
        assert_eq!((parsed.kind, parsed.value, parsed.at_ms), (*kind, Some(1), 1_795_341_600_000));
    }
}

#[test]
fn damage_is_told_and_loses_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let world = World::new(803, 60);
    let (log, _) = recorded(folder.path(), &world.engine, &world, 100);
    let files = whole(&log, Table::Decisions);
    assert!(files.len() > 2);
    let (victim, bytes) = (&files[1], fs::read(&files[1]).expect("read"));
    let sum = victim.with_extension("parquet.xxh3");
    let stated = fs::read(&sum).expect("a sum");
    let assert_skipped = |what: &str| {
        let found = log.files(Table::Decisions).expect("listed");
        assert_eq!(found.skipped.iter().map(|(path, _)| path).collect::<Vec<_>>(), [victim], "{what}");
        assert_eq!(found.whole.len(), files.len() - 1, "{what}");
    };
    for at in (0..bytes.len()).step_by(bytes.len() / 150) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        fs::write(victim, &damaged).expect("written");
        assert_skipped(&format!("byte {at}"));
    }
    fs::remove_file(&sum).expect("removed");
    for length in (0..bytes.len()).step_by(bytes.len() / 60) {
        fs::write(victim, &bytes[..length]).expect("written");
        assert_skipped(&format!("{length} bytes, without a sum"));
    }
    fs::write(victim, &bytes).expect("written");
    assert_eq!(whole(&log, Table::Decisions), files, "without a sum, but whole");
    fs::write(&sum, stated).expect("written");
    assert_eq!(whole(&log, Table::Decisions), files);
    // A ring that is no ring stays where it is, and the others are drained.
    fs::write(folder.path().join("rings/odd.ring"), b"nonsense").expect("written");
    let recovered = log.recover(&[]).expect("listed");
    assert!(matches!(&recovered[..], [one] if one.ring == "odd" && one.drained.is_err()), "{recovered:?}");
}
