//! C and C++ programs against the library as it ships, on a small catalog. They need gcc and g++.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use engine::build::feed::{OrderLine, Orders, PartnerOffer, Partners, Product};
use engine::build::progress::Silent;
use engine::build::{BuildOptions, Inputs, build};
use engine::event::EventKind;
use engine::record::RingReader;
use engine::vocabulary::{Availability, OfferKind};
use sha2::{Digest, Sha256};

mod common;

#[test]
fn the_example_finds_what_goes_with_a_coffee_maker() {
    let shop = Shop::new();
    let pods = "goes with maker-1";
    let shared = shop.run(&shop.link("c", "examples/c/checkout.c", Link::Shared), &["maker-1"]);
    assert!(shared.contains("pods-") && shared.contains(pods), "{shared}");
    let linked_whole = shop.run(&shop.link("c", "examples/c/checkout.c", Link::Static), &["maker-1"]);
    assert_eq!(shared, linked_whole);
    let cpp = shop.run(&shop.link("c++", "examples/c/checkout.c", Link::Shared), &["maker-1"]);
    assert_eq!(shared, cpp);

    let log = shop.folder.path().join("log");
    let mut command = Command::new(shop.folder.path().join("program"));
    command.arg(shop.folder.path().join("shop.aftercart")).arg("maker-1").env("AFTERCART_LOG", &log);
    for _ in 0..2 {
        assert_eq!(common::run(&mut command), shared);
    }
    let rings = std::fs::read_dir(log.join("rings")).expect("it is there").flatten();
    let made: Vec<_> = rings.map(|ring| RingReader::peek(&ring.path()).expect("a ring").made()).collect();
    let events = std::fs::read_to_string(log.join("incoming/events.jsonl")).expect("events");
    let events: Vec<_> = events.lines().filter(|line| line.contains("\"activated\"")).collect();
    assert_eq!((made, events.len()), (vec![1, 1], 2), "what was decided, and that it was shown");
}

#[test]
fn c_answers_what_every_language_must() {
    let shop = Shop::new();
    let program = shop.link("c", "ffi/tests/c/conformance.c", Link::Static);
    let folder = common::root().join("tests/conformance");
    let overlay = shop.folder.path().join("conformance.live");
    let model = folder.join("model.bin");
    let (programmes, log) = (folder.join("programmes.toml"), shop.folder.path().join("log"));
    let modes: [(&str, &str, &[&std::ffi::OsStr]); 3] = [
        ("requests.txt", "offers.txt", &["log".as_ref(), log.as_ref()]),
        ("live.txt", "live-answers.txt", &["live".as_ref(), overlay.as_ref()]),
        ("moments.txt", "moments-answers.txt", &["moments".as_ref(), model.as_ref(), programmes.as_ref()]),
    ];
    for (requests, record, mode) in modes {
        let mut command = Command::new(&program);
        command.arg(folder.join("shop.aftercart")).arg(folder.join(requests)).args(mode);
        let told = common::run(&mut command);
        let recorded = std::fs::read_to_string(folder.join(record)).expect("the record is there");
        for (number, (here, there)) in told.lines().zip(recorded.lines()).enumerate() {
            assert_eq!(here, there, "line {} of {record}", number + 1);
        }
        assert_eq!(told, recorded);
    }
    let rings: Vec<_> = std::fs::read_dir(log.join("rings")).expect("it is there").flatten().collect();
    let sum = Sha256::digest(std::fs::read(rings[0].path()).expect("a ring"));
    let sum = sum.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    let recorded = std::fs::read_to_string(folder.join("records.sha256")).expect("the record is there");
    assert_eq!((rings.len(), sum), (1, recorded.trim().to_owned()), "what Rust leaves in its ring");
    let events = std::fs::read_to_string(log.join("incoming/events.jsonl")).expect("events");
    let kind = |line: &str| {
        EventKind::ALL.iter().find(|kind| line.contains(&format!("\"event\":\"{kind}\""))).copied()
    };
    let kinds: Vec<_> = events.lines().filter_map(kind).collect();
    assert_eq!(kinds, EventKind::ALL, "one of each, in order");
}

#[test]
fn every_misuse_has_an_answer() {
    let shop = Shop::new();
    assert_eq!(shop.run(&shop.link("c", "ffi/tests/c/misuse.c", Link::Shared), &[]), "ok\n");
    assert_eq!(shop.run(&shop.link("c++", "ffi/tests/c/misuse.c", Link::Static), &[]), "ok\n");
}

#[test]
fn a_decision_allocates_nothing() {
    let shop = Shop::new();
    let curious = common::root().join("tests/conformance/shop.aftercart");
    let program = shop.link("c", "ffi/tests/c/zero_alloc.c", Link::Shared);
    let programmes = common::root().join("tests/conformance/programmes.toml");
    let log = shop.folder.path().join("log");
    let arguments = [&curious, &programmes, &log].map(|path| path.to_str().expect("UTF-8"));
    let told = shop.run(&program, &arguments);
    assert_eq!(told, "0 allocations in 3000 decisions, 1000 questions, rankings, tokens, plans and events\n");
}

#[test]
fn arbitrary_calls_have_answers() {
    let shop = Shop::new();
    for (from, to) in [("shop.aftercart", "shop.aftercart"), ("model.bin", "shop.aftercart.model")] {
        let from = common::root().join("tests/conformance").join(from);
        std::fs::copy(from, shop.folder.path().join(to)).expect("it is copied");
    }
    let told = shop.run(&shop.link("c", "ffi/tests/c/sequence.c", Link::Sanitized), &["2000"]);
    let mut counts = told.split(' ').filter_map(|word| word.parse::<u32>().ok());
    assert!(counts.next() > Some(4000) && counts.next() > Some(4000), "{told}");
}

#[test]
fn misuse_neither_leaks_nor_corrupts() {
    let shop = Shop::new();
    assert_eq!(shop.run(&shop.link("c", "ffi/tests/c/misuse.c", Link::Sanitized), &[]), "ok\n");
}

#[test]
fn unloading_does_nothing() {
    let shop = Shop::new();
    let program = shop.link("c", "ffi/tests/c/loading.c", Link::None);
    let library = common::artifact().join("libaftercart.so");
    assert_eq!(shop.run(&program, &[library.to_str().expect("UTF-8")]), "ok\n");
}

#[test]
fn without_memory_a_call_fails_or_aborts() {
    let shop = Shop::new();
    let told = shop.run(&shop.link("c", "ffi/tests/c/no_memory.c", Link::Shared), &[]);
    let calls: Vec<&str> = told.lines().collect();
    assert_eq!(calls.len(), 13, "{told}");
    assert_eq!(calls.last(), Some(&"decide: 0 times out of memory, 0 times aborted"));
    assert!(
        told.lines().any(|call| call.starts_with("decider: ") && !call.contains(": 0 times out")),
        "{told}"
    );
}

#[test]
fn an_overlay_and_its_leases() {
    use engine::live::{Change, LiveKind};
    for (language, link) in [("c", Link::Shared), ("c++", Link::Static)] {
        let shop = Shop::new();
        let catalog = engine::Catalog::open(shop.folder.path().join("shop.aftercart"), Default::default());
        let overlay = shop.folder.path().join("shop.live");
        let live = engine::Live::create(&overlay, &catalog.expect("it opens"), None).expect("it is made");
        let twice = Change { daily: Some(Some(2)), ..Change::default() };
        live.edit().expect("a lock").set(Some(LiveKind::Offer), "guide", &twice, 1).expect("it is known");
        let program = shop.link(language, "ffi/tests/c/live.c", link);
        assert_eq!(shop.run(&program, &[overlay.to_str().expect("UTF-8")]), "ok\n");
    }
}

#[test]
fn a_log_keeps_what_was_made_and_what_came_of_it() {
    for (language, link) in [("c", Link::Shared), ("c++", Link::Static), ("c", Link::Sanitized)] {
        let shop = Shop::new();
        let log = shop.folder.path().join("log");
        let program = shop.link(language, "ffi/tests/c/log.c", link);
        assert_eq!(shop.run(&program, &[log.to_str().expect("UTF-8")]), "ok\n");
        let rings = std::fs::read_dir(log.join("rings")).expect("it is there").flatten();
        let written = rings.map(|ring| RingReader::peek(&ring.path()).expect("a ring").made());
        assert_eq!(written.collect::<BTreeSet<_>>(), [3, 10].into(), "parent and child, each its own");
        let events = std::fs::read_to_string(log.join("incoming/events.jsonl")).expect("events");
        let ids: BTreeSet<_> = events.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(ids.len(), 2_001);
        assert!(ids.iter().all(|line| line.starts_with("{\"event_id\":\"") && line.ends_with('}')));
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Link {
    Shared,
    Static,
    /// As shared, with the compiler's checks of addresses, leaks and undefined behaviour, of all memory that goes through the heap.
    Sanitized,
    None,
}

/// A folder with a catalog, and the programs that open it.
struct Shop {
    folder: tempfile::TempDir,
}

impl Shop {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("there is room for temporary files");
        let options = BuildOptions { calibrate: false, ..BuildOptions::default() };
        let catalog = build(&inputs(), &options, &Silent).expect("the inputs fit together");
        std::fs::write(folder.path().join("shop.aftercart"), catalog).expect("the catalog can be written");
        Self { folder }
    }

    fn link(&self, language: &str, source: &str, link: Link) -> PathBuf {
        let binary = self.folder.path().join("program");
        let mut compiler = common::compiler(language);
        compiler.arg("-DSEQUENCE_MAIN").arg(common::root().join(source)).arg("-o").arg(&binary);
        let folder = common::artifact();
        compiler.args(["-x", "none"]);
        match link {
            Link::None => {
                compiler.arg("-ldl");
            }
            Link::Shared | Link::Sanitized => {
                if link == Link::Sanitized {
                    compiler.args(["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]);
                }
                compiler.arg(folder.join("libaftercart.so"));
                compiler.arg(format!("-Wl,-rpath,{}", folder.display())).arg("-lpthread");
            }
            Link::Static => {
                let template = include_str!("../aftercart.pc.in");
                let libraries = template.lines().find_map(|line| line.strip_prefix("Libs.private: "));
                compiler.arg(folder.join("libaftercart.a"));
                compiler.args(libraries.expect("it has the line").split(' '));
            }
        }
        common::run(&mut compiler);
        binary
    }

    /// Runs a program on the catalog. It must end well and write nothing to standard error.
    fn run(&self, program: &Path, arguments: &[&str]) -> String {
        let mut command = Command::new(program);
        let output = command.arg(self.folder.path().join("shop.aftercart")).args(arguments).output();
        let output = output.expect("the program starts");
        assert!(output.status.success() && output.stderr.is_empty(), "{}", common::told(&output));
        String::from_utf8(output.stdout).expect("output is UTF-8")
    }
}

/// Four types of product. Makers are bought with pods, cups with plates; one house offer, which an answer triggers.
fn inputs() -> Inputs {
    let types = [
        ("maker", "Kitchen > Makers"),
        ("pods", "Grocery > Pods"),
        ("cups", "Table > Cups"),
        ("plates", "Table > Plates"),
    ];
    let product = |row: usize| Product {
        id: format!("{}-{}", types[row % 4].0, row / 4),
        title: format!("The {} no. {}", types[row % 4].0, row / 4),
        category_path: types[row % 4].1.into(),
        brand: format!("Brand {}", row % 7),
        price: Some(500 + 100 * row as i64),
        availability: Availability::InStock,
        ..Product::default()
    };
    let mut lines = Vec::new();
    for basket in 0..2000u32 {
        let pair = if basket % 2 == 0 { [0, 1] } else { [2, 3] };
        for (slot, kind) in pair.into_iter().enumerate() {
            let number = (basket / 2 + slot as u32 * (basket / 20)) % 10;
            lines.push(OrderLine {
                basket,
                customer: basket % 500,
                at_ms: 1_600_000_000_000 + i64::from(basket) * 3_600_000,
                product: number * 4 + kind,
                quantity: 1,
                unit_price: None,
            });
        }
    }
    let guide = PartnerOffer {
        id: "guide".into(),
        kind: OfferKind::Content,
        title: "How to brew".into(),
        trigger_answers: vec!["brewing".into()],
        house: true,
        ..PartnerOffer::default()
    };
    Inputs {
        products: (0..40).map(product).collect(),
        orders: Orders { lines, baskets: 2000, customers: 500 },
        partners: Partners { partners: Vec::new(), offers: vec![guide] },
        ..Inputs::default()
    }
}
