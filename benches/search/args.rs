//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use crate::words::{list, number};
use crate::{ours, peers};

/// What `--help` prints.
const HELP: &str = "\
cargo bench --features peers --bench search -- --data DIR [options]

  --data DIR         vectors, queries, exact answers, categories and masks (base.f32, queries.f32, truth.i32, ...)
  --peers a,b|none   peers to measure beside aftercart, by name or its beginning (all)
  --filters a,b|none shares of the catalog to filter to, in per cent (50,10,1,0.1)
  --quick            the first 500 queries, every other setting, one round, short budgets: for a look
  --budget SECONDS   time for one searcher in one scenario's sweep, and again for its final rounds (120; quick 15)
  --rounds N         timed passes of the settings reported (3; quick 1)
  --rebuild          build indexes again instead of taking those of DIR/peers-cache
  --pin N|no         core to search on (the last one)
  --seed N           seed that the data was made with, for the record
  --json             print one JSON document instead of tables
  --record FILE      write the JSON document
  --picture FILE     draw recall against latency as SVG";

/// What was asked for.
pub(crate) struct Args {
    pub(crate) data: PathBuf,
    /// Searchers in the order of the output, ours first.
    pub(crate) names: Vec<String>,
    pub(crate) filters: Vec<String>,
    pub(crate) quick: bool,
    pub(crate) budget: Duration,
    pub(crate) rounds: usize,
    pub(crate) rebuild: bool,
    pub(crate) pin: Option<usize>,
    pub(crate) seed: Option<u64>,
    pub(crate) json: bool,
    pub(crate) record: Option<PathBuf>,
    pub(crate) picture: Option<PathBuf>,
    /// Only build this searcher's index: how the bench starts itself.
    pub(crate) build_only: Option<String>,
}

impl Args {
    /// Reads the command line of this process; prints help and leaves where that is asked for.
    pub(crate) fn read() -> Result<Self, String> {
        let mut args = Self::unasked();
        let (mut budget, mut rounds) = (None, None);
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--data" => args.data = value()?.into(),
                "--peers" => args.names = names(&value()?)?,
                "--filters" => args.filters = list(&value()?),
                "--budget" => budget = Some(Duration::from_secs_f64(number(&value()?)?)),
                "--rounds" => rounds = Some(number(&value()?)?),
                "--pin" => args.pin = Some(value()?).filter(|v| v != "no").map(|v| number(&v)).transpose()?,
                "--seed" => args.seed = Some(number(&value()?)?),
                "--record" => args.record = Some(value()?.into()),
                "--picture" => args.picture = Some(value()?.into()),
                "--build-only" => args.build_only = Some(value()?),
                "--quick" => args.quick = true,
                "--rebuild" => args.rebuild = true,
                "--json" => args.json = true,
                "--bench" => {} // cargo's own
                "--help" => {
                    println!("{HELP}");
                    std::process::exit(0);
                }
                other => return Err(format!("unknown option {other}\n\n{HELP}")),
            }
        }
        if args.data.as_os_str().is_empty() {
            return Err(format!("--data is missing\n\n{HELP}"));
        }
        args.budget = budget.unwrap_or(Duration::from_secs(if args.quick { 15 } else { 120 }));
        args.rounds = rounds.unwrap_or(if args.quick { 1 } else { 3 });
        Ok(args)
    }

    fn unasked() -> Self {
        Self {
            data: PathBuf::new(),
            names: all().map(str::to_owned).collect(),
            filters: list("50,10,1,0.1"),
            quick: false,
            budget: Duration::ZERO,
            rounds: 0,
            rebuild: false,
            pin: std::thread::available_parallelism().ok().map(|n| n.get() - 1),
            seed: None,
            json: false,
            record: None,
            picture: None,
            build_only: None,
        }
    }
}

fn all() -> impl Iterator<Item = &'static str> {
    std::iter::once(ours::NAME).chain(peers::NAMES)
}

/// The names that were asked for, by their beginnings.
fn names(asked: &str) -> Result<Vec<String>, String> {
    let asked = list(asked);
    if let Some(unknown) = asked.iter().find(|a| !all().any(|name| name.starts_with(a.as_str()))) {
        return Err(format!(
            "no searcher is called {unknown}: there are {}",
            all().collect::<Vec<_>>().join(", ")
        ));
    }
    let wanted = |name: &&str| *name == ours::NAME || asked.iter().any(|a| name.starts_with(a.as_str()));
    Ok(all().filter(wanted).map(str::to_owned).collect())
}
