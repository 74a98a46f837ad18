//! Measures how the cost of a search grows with the catalog: the same vectors and queries at several sizes, in one run.
//!
//!     cargo bench --profile fast --features build --bench growth -- --data DIR [--sizes 100000,1200000,10000000]
//!
//! The other options, what a folder holds and what the columns say are told by `--help`. Each catalog is built in a process
//! of its own, so that its peak of memory is its own; the exact answers come from comparing every vector.

#[path = "growth/args.rs"]
mod args;
#[path = "search/draw.rs"]
mod draw;
#[path = "growth/efforts.rs"]
mod efforts;
#[path = "growth/exact.rs"]
mod exact;
#[expect(dead_code, reason = "only `search` watches memory while it searches")]
#[path = "search/machine.rs"]
mod machine;
#[path = "growth/made.rs"]
mod made;
#[path = "search/measure.rs"]
mod measure;
#[path = "growth/picture.rs"]
mod picture;
#[path = "search/raw.rs"]
mod raw;
#[path = "growth/report.rs"]
mod report;
#[path = "growth/rows.rs"]
mod rows;
#[path = "search/vectors.rs"]
mod vectors;
#[path = "search/words.rs"]
mod words;

use std::process::ExitCode;

use args::Args;
use efforts::Searched;
use report::{DataFacts, Report};
use rows::Source;

fn main() -> ExitCode {
    match Args::read().and_then(|args| run(&args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("growth: {reason}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<(), String> {
    let source = Source::open(&args.data, args.source, args.queries)?;
    if let Some((rows, file)) = &args.build {
        return made::build(rows, source.dim, args.source.unwrap_or(source.rows), args.recall, file);
    }
    let made = args.sizes.iter().map(|size| made::ensure(&source, *size, args));
    let made = made.collect::<Result<Vec<_>, _>>()?;
    machine::pin(args.pin);
    let searched = made.into_iter().map(|made| Searched::open(&source, made));
    let mut searched = searched.collect::<Result<Vec<_>, _>>()?;
    for one in &mut searched {
        one.choose(&source, args.recall)?;
    }
    // Round-robin, so that noise meets all sizes alike.
    for round in 0..args.rounds {
        eprintln!("timing: round {} of {}", round + 1, args.rounds);
        searched.iter_mut().for_each(|one| one.repeat(&source));
    }
    let report = Report {
        machine: machine::describe(args.pin),
        data: DataFacts::of(&source, args, vectors::in_huge_pages()),
        sizes: searched.into_iter().map(|one| one.outcome(&source)).collect(),
    };
    let json = serde_json::to_string_pretty(&report).map_err(|e| e.to_string())?;
    if let Some(path) = &args.record {
        write(path, &json)?;
    }
    if let Some(path) = &args.picture {
        write(path, &picture::draw(&report)?)?;
    }
    if args.json {
        println!("{json}");
    } else {
        print!("{}", report.table());
    }
    Ok(())
}

fn write(path: &std::path::Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))
}
