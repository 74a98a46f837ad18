//! The command line.

use std::path::PathBuf;

use crate::words::{list, number};

/// What `--help` prints.
const HELP: &str = "\
cargo bench --profile fast --features build --bench growth -- --data DIR [options]

  --data DIR      base.f32 (rows of unit length, one after another) and queries.f32 (2000 rows of the same length: even
                  ones single products, odd ones baskets), raw and little-endian
  --sizes a,b     catalog sizes in products (100000,300000,1200000,4800000,10000000)
  --recall R      share of the true ten nearest that a search must find, of the queries asked (0.95)
  --queries N     ask the first N queries; every size compares all its vectors with them once, for the exact answers (1000)
  --rounds N      timed passes of each size, round-robin (5)
  --source N      take the first N rows for all there are: shows how well made rows stand for real ones
  --rebuild       build catalogs again instead of taking those of DIR/growth-cache
  --pin N|no      core to search on (the last one)
  --seed N        seed that the data was made with, for the record
  --json          print one JSON document instead of a table
  --record FILE   write the JSON document
  --picture FILE  draw p50 and p99 against size as SVG

Sizes below that of base.f32 are a seeded sample of its rows. Sizes above it are made: all its rows, and further ones drawn
from where a row and its ten nearest lie, spread no wider than these. The output calls such sizes made; compare
`nearest`, the mean cosine of the nearest product, and `spread`, the local dimension around queries, with those of the real
sizes: made rows stand for real ones as far as these go on as they did.

The columns: seconds and peak memory of building (input vectors included), bytes of the file a product, areas and cells, the
effort that the builder chose for this recall by asking its own products, and the cheapest effort that reaches it for the
queries asked; recall and times are those of the latter, warm, on one core. Compared are centroids of areas and cells, products
by codes, and rows; kB is what that reads. AFTERCART_OPEN=huge searches a copy in huge pages: what it saves is address
translation.

Takes some 20 minutes on two cores up to 10,000,000 x 128, 20 GB of memory and 12 GB of disk below DIR; 2 minutes up to
1,200,000. A second run finds its catalogs built.";

/// What was asked for.
#[derive(Clone)]
pub(crate) struct Args {
    pub(crate) data: PathBuf,
    pub(crate) sizes: Vec<usize>,
    pub(crate) recall: f64,
    pub(crate) queries: usize,
    pub(crate) rounds: usize,
    pub(crate) source: Option<usize>,
    pub(crate) rebuild: bool,
    pub(crate) pin: Option<usize>,
    pub(crate) seed: Option<u64>,
    pub(crate) json: bool,
    pub(crate) record: Option<PathBuf>,
    pub(crate) picture: Option<PathBuf>,
    /// Only build a catalog: rows and the file to write. How the bench starts itself.
    pub(crate) build: Option<(PathBuf, PathBuf)>,
}

impl Args {
    /// Reads the command line of this process; prints help and leaves where that is asked for.
    pub(crate) fn read() -> Result<Self, String> {
        let mut args = Self::unasked();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--data" => args.data = value()?.into(),
                "--sizes" => {
                    args.sizes = list(&value()?).iter().map(|size| number(size)).collect::<Result<_, _>>()?;
                }
                "--recall" => args.recall = number(&value()?)?,
                "--queries" => args.queries = number(&value()?)?,
                "--rounds" => args.rounds = number(&value()?)?,
                "--source" => args.source = Some(number(&value()?)?),
                "--pin" => args.pin = Some(value()?).filter(|v| v != "no").map(|v| number(&v)).transpose()?,
                "--seed" => args.seed = Some(number(&value()?)?),
                "--record" => args.record = Some(value()?.into()),
                "--picture" => args.picture = Some(value()?.into()),
                "--build" => args.build = Some((value()?.into(), value()?.into())),
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
        args.checked()
    }

    fn checked(mut self) -> Result<Self, String> {
        if self.data.as_os_str().is_empty() {
            return Err(format!("--data is missing\n\n{HELP}"));
        }
        if !(0.5..=0.999).contains(&self.recall) || self.queries == 0 || self.rounds == 0 {
            return Err("recall lies between 0.5 and 0.999; queries and rounds are at least one".to_owned());
        }
        self.sizes.sort_unstable();
        self.sizes.dedup();
        match self.sizes.first() {
            Some(least) if *least >= 1000 => Ok(self),
            _ => Err("give sizes of at least 1000 products".to_owned()),
        }
    }

    fn unasked() -> Self {
        Self {
            data: PathBuf::new(),
            sizes: vec![100_000, 300_000, 1_200_000, 4_800_000, 10_000_000],
            recall: 0.95,
            queries: 1000,
            rounds: 5,
            source: None,
            rebuild: false,
            pin: std::thread::available_parallelism().ok().map(|n| n.get() - 1),
            seed: None,
            json: false,
            record: None,
            picture: None,
            build: None,
        }
    }
}
