//! Whole decisions: how long they take, where the time goes, and what it depends on.
//!
//!     cargo bench --features build --bench decide -- --catalog FILE [--requests FILE] [--json]
//!     cargo bench --features build --bench decide -- --catalog FILE --against PLAIN
//!     cargo bench --features build --bench decide -- --catalog FILE --decades
//!     cargo bench --features build --bench decide          # the bundled shop, under criterion
//!
//! With a catalog: warm decisions by size of basket, of policy and share of the catalog that is allowed; by stage; on one and
//! two threads; and cold, with the file dropped from the page cache: opening, and the first decisions at once and later, with
//! how often they waited for the disk and what was read until then. `--requests` takes what `decide --jsonl` reads, and
//! measures those instead of baskets of popular products. `--against` compares decisions under 200 rules on a catalog whose partners
//! have contracts (ids `partner-0`, `partner-1`, ...) with decisions under none on a catalog of the same products. `--decades`
//! compares what a search finds with what an exact one does where rules leave ever fewer products. Times are of one machine on one day: compare ratios.

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
#[path = "decide/rules.rs"]
mod rules;
#[path = "decide/small.rs"]
mod small;

use std::path::PathBuf;

fn main() {
    let mut args = std::env::args().skip(1);
    let (mut catalog, mut requests, mut json) = (None, None, false);
    let (mut against, mut decades) = (None, false);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--catalog" => catalog = args.next().map(PathBuf::from),
            "--requests" => requests = args.next().map(PathBuf::from),
            "--against" => against = args.next().map(PathBuf::from),
            "--decades" => decades = true,
            "--json" => json = true,
            _ => {} // cargo's own, or criterion's
        }
    }
    let Some(catalog) = catalog else { return small::run() };
    let done = match against {
        Some(plain) => rules::against(&catalog, &plain).map(|row| println!("{}", measure::line_of(&row))),
        None if decades => rules::decades(&catalog)
            .map(|rows| rows.iter().for_each(|row| println!("{}", measure::line_of(row)))),
        None => measure::run(&catalog, requests.as_deref(), json),
    };
    if let Err(error) = done {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}
