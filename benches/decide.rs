//! Whole decisions: how long they take, where the time goes, and what it depends on.
//!
//!     cargo bench --features build --bench decide -- --catalog FILE [--requests FILE] [--json]
//!     cargo bench --features build --bench decide          # the bundled shop, under criterion
//!
//! With a catalog: warm decisions by size of basket, of policy and share of the catalog that is allowed; by stage; on one and
//! two threads; and cold, with the file dropped from the page cache: opening, and the first decisions at once and later, with
//! how often they waited for the disk and what was read until then. `--requests` takes what `decide --jsonl` reads, and
//! measures those instead of baskets of popular products. Times are of one machine on one day: compare ratios.

#[path = "decide/cold.rs"]
mod cold;
#[path = "decide/measure.rs"]
mod measure;
#[path = "../src/bin/aftercart/print.rs"]
#[allow(dead_code, missing_docs)]
mod print;
#[path = "../src/bin/aftercart/request.rs"]
#[allow(dead_code, missing_docs)]
mod request;
#[path = "decide/small.rs"]
mod small;

use std::path::PathBuf;

fn main() {
    let mut args = std::env::args().skip(1);
    let (mut catalog, mut requests, mut json) = (None, None, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--catalog" => catalog = args.next().map(PathBuf::from),
            "--requests" => requests = args.next().map(PathBuf::from),
            "--json" => json = true,
            _ => {} // cargo's own, or criterion's
        }
    }
    let Some(catalog) = catalog else { return small::run() };
    if let Err(error) = measure::run(&catalog, requests.as_deref(), json) {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}
