//! The regression gate: compares what searches and decisions cost, in counts, with what `benches/gate.csv` says they cost.
//!
//!     cargo bench --profile fast --features build --bench gate                     # compares; part of ./test
//!     AFTERCART_BLESS=1 cargo bench --profile fast --features build --bench gate   # records anew
//!
//! Seconds differ from run to run; counts do not. Every scenario asks 64 different requests of a made-up shop of 30,000
//! products (`shop.rs`); a column is the mean of one request:
//!
//! - `instructions` of the call and nothing around it. The gate runs itself once more for each scenario under valgrind's
//!   callgrind, which knows AVX2 and no more: the same code runs on every machine that has AVX2.
//! - `centroids`, `cells`, `products`, `reranked`: what the library counts of its searches, vectors all of them.
//! - `bytes` of the catalog that the searches read: those counters times what the file has of each, see [`Sizes`].
//! - `allocations`: calls of the heap, to take or to give back.
//! - `recall`: share of the true ten nearest that a search found, `offers`: offers shown by a decision.
//!
//! More than 2 % above the record, a recall more than 0.01 below it, 2 % fewer offers, or any allocation is a failure. Less
//! work than recorded is none, but asks to be recorded, since it hides the next loss. What was counted stays in
//! `target/tmp/gate/`: `callgrind_annotate` on a file there shows which function it was.
//!
//! Instructions depend on the compiler. With another one than the record names they are shown and not judged, until they are
//! recorded anew; everything else is judged as ever.

mod callgrind;
mod record;
mod scenarios;
mod shop;

#[path = "../../tests/common/mod.rs"]
mod common;
#[path = "../../tests/common/counting.rs"]
mod counting;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use aftercart::Catalog;
use record::{Origin, Record, Row};
use scenarios::{Bench, REQUESTS, SCENARIOS, Totals};

const COMMAND: &str = "cargo bench --profile fast --features build --bench gate";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [_, "--run", scenario, catalog] => run_counted(scenario, Path::new(catalog)),
        _ => gate(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("\ngate: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// What runs under callgrind. Prints the kernel that it used.
fn run_counted(name: &str, catalog: &Path) -> Result<(), String> {
    let (_, _, run) = SCENARIOS.iter().find(|(known, ..)| *known == name).ok_or("no such scenario")?;
    let bench = Bench::open(catalog, false);
    run(&bench);
    println!("{}", bench.engine.kernel_name());
    Ok(())
}

fn gate() -> Result<(), String> {
    check_profile()?;
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("gate");
    std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let catalog = folder.join("gate.aftercart");
    std::fs::write(&catalog, shop::catalog()).map_err(|e| format!("{}: {e}", catalog.display()))?;
    let bench = Bench::open(&catalog, true);
    let sizes = Sizes::of(bench.engine.catalog());
    let (mut rows, mut kernel) = (Vec::new(), String::new());
    for (name, allocations, run) in SCENARIOS {
        let totals = run(&bench);
        let counted = callgrind::count(name, &catalog, &folder)?;
        if totals.allocations != allocations * REQUESTS {
            return Err(format!(
                "{name}: {} calls of the heap in {REQUESTS} requests, where {allocations} each belong",
                totals.allocations
            ));
        }
        rows.push(row(name, &totals, &counted, &sizes));
        kernel = counted.kernel;
    }
    logging_is_cheap(&rows)?;
    let origin = Origin::here(&kernel, bench.engine.catalog().build_id())?;
    record::judge(Record { origin, rows })
}

/// With logging on a decision takes at most 3 % more instructions.
fn logging_is_cheap(rows: &[Row]) -> Result<(), String> {
    let instructions = |name: &str| rows.iter().find(|row| row.name == name).and_then(|row| row.values[0]);
    for (off, on) in [("decide-1-line", "decide-1-logged"), ("decide-3-lines", "decide-logged")] {
        let (Some(off), Some(on)) = (instructions(off), instructions(on)) else {
            return Err(format!("{on} was not counted"));
        };
        println!("logging: {:.2} % more instructions than {off:.0}", 100.0 * (on / off - 1.0));
        if on > 1.03 * off {
            return Err(format!(
                "logging takes {on:.0} instructions where {off:.0} are without: more than 3 %"
            ));
        }
    }
    Ok(())
}

/// The means of one request.
fn row(name: &str, totals: &Totals, counted: &callgrind::Counted, sizes: &Sizes) -> Row {
    let mean = |total: u64| Some(total as f64 / REQUESTS as f64);
    let [centroids, cells, products, reranked] = totals.search;
    let found = totals.wanted.map(|wanted| totals.found as f64 / wanted as f64);
    let values = [
        mean(counted.instructions),
        mean(centroids),
        mean(cells),
        mean(products),
        mean(reranked),
        mean(sizes.bytes(totals.search)),
        mean(totals.allocations),
        found,
        totals.offers.and_then(mean),
    ];
    Row { name: name.to_owned(), values }
}

/// Bytes that the file has of what the counters count: a change of the format shows even where the counters stay.
struct Sizes {
    /// Code and step of a cell. A few centroids are compared whole instead: not told apart.
    centroid: f64,
    /// Code, step and type of a product.
    product: f64,
    /// The whole row of a product.
    row: f64,
}

impl Sizes {
    fn of(catalog: &Catalog) -> Self {
        let bytes = |names: &[&str]| {
            let own = catalog.sections().filter(|(name, ..)| names.contains(name));
            own.map(|(_, _, bytes, _)| bytes as f64).sum::<f64>()
        };
        let cells = catalog.sections().find(|(name, ..)| *name == "Cells").map_or(1.0, |s| s.3 as f64);
        let products = f64::from(shop::PRODUCTS);
        Self {
            centroid: bytes(&["CellCodes", "CellSteps"]) / cells,
            product: bytes(&["OutCodes", "OutSteps", "TypeOf"]) / products,
            row: bytes(&["OutVectors"]) / products,
        }
    }

    fn bytes(&self, [centroids, _, products, reranked]: [u64; 4]) -> u64 {
        // An exact search compares no centroids, and whole rows only.
        let product = if centroids == 0 { self.row } else { self.product };
        let sum = centroids as f64 * self.centroid + products as f64 * product + reranked as f64 * self.row;
        sum.round() as u64
    }
}

/// Other settings of the compiler give other counts.
fn check_profile() -> Result<(), String> {
    let exe = std::env::current_exe().map_err(|e| e.to_string())?;
    if !exe.ancestors().any(|folder| folder.ends_with("fast")) {
        return Err(format!("built with another profile than `fast`; run {COMMAND}"));
    }
    if cfg!(target_feature = "sse3") {
        return Err(format!("built for one kind of CPU; unset RUSTFLAGS and run {COMMAND}"));
    }
    Ok(())
}
