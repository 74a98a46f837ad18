//! What a decision costs from each language, beside Rust, on the same catalog and requests, in one run:
//!
//! ```sh
//! aftercart demo
//! cargo bench --profile fast --features build --bench bindings -- demo.aftercart examples/data/baskets.jsonl
//! ```
//!
//! Rust makes the lists of a request anew for each decision, from rows with texts of their own, and reads out what others read, as a host
//! does. Of 100 batches of 10 decisions every program tells the tenth fastest for each request (others disturb), what is packed and
//! unpacked included; the programs take turns, and the median of the turns counts. Needs what `bindings/test` needs: gcc, Go, PHP, a JDK of 22 or later
//! in `JAVA_HOME`, Python and Node.
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use aftercart::build::feed::parse_timestamp;
use aftercart::{AcceptPlan, Decider, Engine, LineItem, OpenOptions, Profile, Purchase, Transaction};
use cases::{Case, cases};

#[path = "../tests/conformance/cases.rs"]
mod cases;

const TURNS: usize = 5;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [catalog, baskets] = arguments.as_slice() else {
        eprintln!(
            "usage: cargo bench --profile fast --features build --bench bindings -- CATALOG BASKETS.jsonl"
        );
        std::process::exit(2);
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let catalog = Path::new(catalog).canonicalize().expect("the catalog is there");
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let requests = scratch.join("bench-requests.txt");
    let text = requests_of(&std::fs::read_to_string(baskets).expect("the baskets are there"));
    std::fs::write(&requests, &text).expect("the target folder can be written");
    let cases = cases(&text);

    let programs = programs(root, scratch);
    run(Command::new(root.join("ffi/install")).arg(root.join("target/native")).arg("fast"));
    let mut times: Vec<Vec<Vec<f64>>> = vec![Vec::new(); programs.len() + 1];
    for turn in 0..TURNS {
        eprintln!("turn {} of {TURNS}", turn + 1);
        times[0].push(rust(&catalog, &cases));
        for (program, times) in programs.iter().zip(&mut times[1..]) {
            times.push(foreign(program, root, &catalog, &requests, cases.len()));
        }
    }
    let rust = medians(&times[0]);
    println!("{} requests; microseconds a decision", cases.len());
    println!("{:8} {:>8} {:>10} {:>8} {:>18}", "", "median", "more", "percent", "more: least, most");
    for (name, times) in ["Rust"].into_iter().chain(programs.iter().map(|p| p.0)).zip(&times) {
        let own = medians(times);
        let mut more: Vec<f64> = own.iter().zip(&rust).map(|(own, rust)| own - rust).collect();
        let percent = 100.0 * (own.iter().sum::<f64>() / rust.iter().sum::<f64>() - 1.0);
        more.sort_by(f64::total_cmp);
        println!(
            "{name:8} {:8.1} {:+10.2} {percent:+8.1} {:+9.2} {:+8.2}",
            median(own),
            more[more.len() / 2],
            more[0],
            more[more.len() - 1]
        );
    }
}

/// The baskets in the grammar of tests/conformance/requests.txt.
fn requests_of(baskets: &str) -> String {
    let mut text = String::new();
    for basket in baskets.lines() {
        let basket: serde_json::Value = serde_json::from_str(basket).expect("a basket a line");
        let word = |value: &serde_json::Value| value.as_str().expect("a text").to_owned();
        let at = |value: &serde_json::Value| parse_timestamp(&word(value)).expect("a time");
        let _ = writeln!(text, "case\t{}\ncreated_at_ms\t{}", word(&basket["case_id"]), at(&basket["at"]));
        for line in basket["lines"].as_array().expect("lines") {
            let price = (line["unit_price"].as_f64().expect("a price") * 100.0).round();
            let _ = writeln!(text, "line\t{}\t\t\t{}\t{price}", word(&line["product_id"]), line["quantity"]);
        }
        for event in basket["history"].as_array().expect("a history") {
            let _ = writeln!(text, "purchase\t{}\t{}", word(&event["product_id"]), at(&event["at"]));
        }
        text.push('\n');
    }
    text
}

/// Every language with its command. They get a catalog and requests, and print a number of nanoseconds a request.
fn programs(root: &Path, scratch: &Path) -> Vec<(&'static str, PathBuf, Vec<String>)> {
    // Also compiles what times.js loads.
    run(Command::new(root.join("bindings/test")).arg("node"));
    let native = root.join("target/native");
    let c = scratch.join("bench-c");
    let mut compiler = Command::new("gcc");
    compiler.args(["-std=c11", "-O2"]).arg("-I").arg(native.join("include"));
    compiler.arg(root.join("ffi/tests/c/conformance.c")).arg("-o").arg(&c);
    run(compiler.arg("-L").arg(native.join("lib")).arg("-laftercart"));
    let go = scratch.join("bench-go");
    let mut compiler = Command::new("go");
    compiler.current_dir(root.join("bindings/go")).args(["test", "-c", "-o"]).arg(&go);
    run(compiler.env("PKG_CONFIG_PATH", native.join("lib/pkgconfig")));
    let classes = scratch.join("bench-java");
    let jdk = PathBuf::from(std::env::var_os("JAVA_HOME").expect("JAVA_HOME names a JDK of 22 or later"));
    let mut compiler = Command::new(jdk.join("bin/javac"));
    compiler.arg("--release").arg("22").arg("-d").arg(&classes);
    for folder in ["main", "test"] {
        let folder = root.join("bindings/java/src").join(folder).join("java/aftercart");
        for file in std::fs::read_dir(folder).expect("the sources are there") {
            compiler.arg(file.expect("a file").path());
        }
    }
    run(&mut compiler);
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let classes = classes.display().to_string();
    vec![
        ("C", c, words(&["CATALOG", "REQUESTS", "time"])),
        ("Go", go, words(&["-test.run", "^TestTimes$", "-times", "CATALOG,REQUESTS"])),
        (
            "Java",
            jdk.join("bin/java"),
            words(&[
                "--enable-native-access=ALL-UNNAMED",
                "-cp",
                &classes,
                "aftercart.Times",
                "CATALOG",
                "REQUESTS",
            ]),
        ),
        ("PHP", "php".into(), words(&["bindings/php/tests/times.php", "CATALOG", "REQUESTS"])),
        ("Python", "python3".into(), words(&["bindings/python/tests/times.py", "CATALOG", "REQUESTS"])),
        ("Node", "node".into(), words(&["bindings/node/test/times.js", "CATALOG", "REQUESTS"])),
    ]
}

fn rust(catalog: &Path, cases: &[Case<'_>]) -> Vec<f64> {
    let engine = Arc::new(Engine::open(catalog, OpenOptions::default()).expect("the catalog opens"));
    let mut decider = Decider::new(Arc::clone(&engine));
    let mut measure = |case: &Case<'_>| {
        case.with(|transaction, profile| {
            let bought: Vec<(String, LineItem<'_>)> =
                transaction.lines.iter().map(|line| (line.item_id.to_owned(), *line)).collect();
            let earlier: Vec<(String, i64)> =
                profile.purchases.iter().map(|bought| (bought.item_id.to_owned(), bought.at_ms)).collect();
            let mut batches: Vec<f64> = (0..100)
                .map(|_| {
                    let since = Instant::now();
                    for _ in 0..10 {
                        let lines: Vec<LineItem<'_>> = black_box(&bought)
                            .iter()
                            .map(|(id, line)| LineItem { item_id: id, ..*line })
                            .collect();
                        let purchases: Vec<Purchase<'_>> = black_box(&earlier)
                            .iter()
                            .map(|(id, at)| Purchase { item_id: id, at_ms: *at })
                            .collect();
                        let transaction = Transaction { lines: &lines, ..*transaction };
                        let profile = Profile { purchases: &purchases, ..*profile };
                        let offers = decider.decide(&transaction, &profile).expect("within limits");
                        for offer in offers.slate() {
                            black_box((
                                engine.id(offer.item),
                                offer.price,
                                AcceptPlan::of(offer, &transaction),
                            ));
                        }
                    }
                    since.elapsed().as_secs_f64() * 1e6 / 10.0
                })
                .collect();
            batches.sort_by(f64::total_cmp);
            batches[9]
        })
    };
    cases.iter().map(&mut measure).collect()
}

fn foreign(
    (name, program, words): &(&str, PathBuf, Vec<String>),
    root: &Path,
    catalog: &Path,
    requests: &Path,
    count: usize,
) -> Vec<f64> {
    let mut command = Command::new(program);
    command.current_dir(root).env("LD_LIBRARY_PATH", root.join("target/native/lib"));
    command.env("PYTHONPATH", root.join("bindings/python/src"));
    command.env("AFTERCART_ADDON", root.join("target/node/aftercart.node"));
    for word in words {
        let word = word.replace("CATALOG", &catalog.display().to_string());
        command.arg(word.replace("REQUESTS", &requests.display().to_string()));
    }
    let told = run(&mut command);
    let times: Vec<f64> =
        told.lines().filter_map(|line| line.parse::<f64>().ok()).map(|ns| ns / 1e3).collect();
    assert_eq!(times.len(), count, "{name}: {told}");
    times
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// For each request the median of the turns.
fn medians(turns: &[Vec<f64>]) -> Vec<f64> {
    (0..turns[0].len()).map(|case| median(turns.iter().map(|turn| turn[case]).collect())).collect()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
