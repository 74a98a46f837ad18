//! Compares nearest neighbour searchers, ours and others', on the vectors of one folder in one run.
//!
//!     cargo bench --features peers --bench search -- --data DIR [--peers NAMES|none] [--quick] [--json]
//!
//! The other options are listed by `--help`. Peers that only Python can drive get an environment of their own below
//! `target`, made at the first run. A peer that is missing is named in the output.

#[path = "search/args.rs"]
mod args;
#[path = "search/cache.rs"]
mod cache;
#[path = "search/contender.rs"]
mod contender;
#[path = "search/data.rs"]
mod data;
#[path = "search/draw.rs"]
mod draw;
#[path = "search/machine.rs"]
mod machine;
#[path = "search/measure.rs"]
mod measure;
#[path = "search/ours.rs"]
mod ours;
#[path = "search/peers/mod.rs"]
mod peers;
#[path = "search/plot.rs"]
mod plot;
#[path = "search/raw.rs"]
mod raw;
#[path = "search/report.rs"]
mod report;
#[path = "search/rounds.rs"]
mod rounds;
#[path = "search/vectors.rs"]
mod vectors;
#[path = "search/words.rs"]
mod words;

use std::process::ExitCode;
use std::rc::Rc;

use args::Args;
use contender::Contender;
use data::Data;
use report::{Missing, Report};

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("search: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let data = Rc::new(Data::open(&args.data)?);
    if let Some(name) = &args.build_only {
        peers::build(name, &data, &cache::folder(&data, name))?;
        println!("{{\"peak\": {}}}", machine::peak());
        return Ok(());
    }
    let (mut contenders, missing) = gather(args, &data);
    let scenarios = rounds::scenarios(&data, args)?;
    let outcomes = rounds::play(&mut contenders, &scenarios, args);
    let report = Report {
        machine: machine::describe(args.pin),
        data: report::describe(&data, scenarios[0].queries, args.seed),
        missing,
        searchers: contenders.iter().map(|c| c.facts().clone()).collect(),
        outcomes,
    };
    let json = serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?;
    let write = |path, text: &str| std::fs::write(path, text).map_err(|e| format!("{path:?}: {e}"));
    if let Some(path) = &args.record {
        write(path, &json)?;
    }
    if let Some(path) = &args.picture {
        write(path, &plot::picture(&report)?)?;
    }
    if args.json {
        println!("{json}");
    } else {
        print!("{}", report.table());
    }
    Ok(())
}

/// Builds what is not built, on all cores; then opens every searcher on one core.
fn gather(args: &Args, data: &Rc<Data>) -> (Vec<Box<dyn Contender>>, Vec<Missing>) {
    let (mut ready, mut missing) = (Vec::new(), Vec::new());
    let mut lost = |name: &str, reason: String| {
        eprintln!("MISSING {name}: {reason}");
        missing.push(Missing { name: name.to_owned(), reason });
    };
    for name in &args.names {
        match cache::ensure(data, name, args.rebuild) {
            Ok(built) => ready.push((name, built)),
            Err(reason) => lost(name, reason),
        }
    }
    machine::pin(args.pin);
    let mut contenders = Vec::new();
    for (name, built) in ready {
        eprintln!("opening {name}");
        match peers::open(name, data, &built) {
            Ok(contender) => contenders.push(contender),
            Err(reason) => lost(name, reason),
        }
    }
    (contenders, missing)
}
