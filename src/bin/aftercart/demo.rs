//! `aftercart demo`: the whole path on the bundled real orders.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use aftercart::build::feed::ColumnMap;
use aftercart::build::{self, BuildOptions};
use aftercart::{Decider, OpenOptions, Placement};

use crate::bars::Bars;
use crate::build::{Files, read};
use crate::print;
use crate::request::Basket;
use crate::serve;
use crate::{Failure, open};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Folder with products.csv.gz, orders.csv.gz, partners.toml, content.csv, policy.toml and baskets.jsonl
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Catalog file to write
    #[arg(long, value_name = "FILE", default_value = "demo.aftercart")]
    out: PathBuf,
    /// Write JSON instead of text
    #[arg(long, conflicts_with = "serve")]
    json: bool,
    /// Open a small shop in the browser over the catalog, which is built only where --out is not there yet
    #[arg(long)]
    serve: bool,
    /// Port of the shop on localhost; 0 = any that is free
    #[arg(long, default_value_t = serve::PORT, requires = "serve")]
    port: u16,
}

/// The bundled data: below the current folder, else where this program was compiled.
pub(crate) fn data_folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(folder) = given {
        return Ok(folder.to_owned());
    }
    let places =
        [Path::new("examples/data"), Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data"))];
    let found = places.iter().find(|place| place.join("products.csv.gz").is_file());
    let found =
        found.ok_or("the bundled data is not here: run from a clone of aftercart, or name a folder")?;
    Ok(found.to_path_buf())
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let data = data_folder(args.data.as_deref())?;
    if args.serve {
        if args.out.is_file() {
            println!("{} was built before; delete it to build it anew", args.out.display());
        } else {
            println!("building {}, which takes some minutes", args.out.display());
            make(args, &data)?;
        }
        return serve::run(&serve::Args {
            catalog: args.out.clone(),
            policy: Some(data.join("policy.toml")),
            baskets: Some(data.join("baskets.jsonl")),
            programmes: Some(data.join("follow_ups.toml")),
            port: args.port,
        });
    }
    let mut out = BufWriter::new(std::io::stdout().lock());
    let since = Instant::now();
    make(args, &data)?;
    let engine = Arc::new(open::engine(&args.out, OpenOptions::default())?);
    let mut decider = Decider::new(Arc::clone(&engine));
    let requests = std::fs::read_to_string(data.join("baskets.jsonl"))?;
    let built = since.elapsed();
    let (mut baskets, mut shown, mut nanos) = (0usize, 0usize, Vec::new());
    for (number, line) in requests.lines().enumerate() {
        let basket = Basket::parse(line, 0).map_err(|e| format!("baskets.jsonl:{}: {e}", number + 1))?;
        let offers = basket.with(Placement::default(), |transaction, profile| {
            let _warm = decider.decide(transaction, profile);
            let begun = Instant::now();
            let offers = decider.decide(transaction, profile);
            nanos.push(begun.elapsed().as_nanos());
            offers
        })?;
        baskets += 1;
        shown += offers.slate().len();
        if args.json {
            writeln!(out, "{}", print::object(&engine, &basket, &offers, false))?;
        } else {
            writeln!(out, "--- {}", basket.case_id.as_str().unwrap_or(""))?;
            writeln!(out, "{}", print::pretty(&engine, &basket, &offers))?;
        }
    }
    nanos.sort_unstable();
    if !args.json {
        let middle = nanos.get(nanos.len() / 2).copied().unwrap_or(0) as f64 / 1000.0;
        writeln!(
            out,
            "{baskets} baskets, {shown} offers; built in {:.1} s, decided in {middle:.0} us each (median, warm)",
            built.as_secs_f64()
        )?;
        writeln!(
            out,
            "\nNext:\n  aftercart inspect {0}\n  aftercart decide --catalog {0} PRODUCT_ID ...\n  aftercart explain --catalog {0} --offer PRODUCT_ID BOUGHT_ID ...",
            args.out.display()
        )?;
    }
    Ok(())
}

/// Builds and publishes the bundled catalog.
fn make(args: &Args, data: &Path) -> Result<(), Failure> {
    let bars = Bars::new(args.json);
    let files = Files {
        products: &[data.join("products.csv.gz")],
        orders: &[data.join("orders.csv.gz")],
        partners: Some(&data.join("partners.toml")),
        content: &[data.join("content.csv")],
        policy: Some(&data.join("policy.toml")),
        embeddings: None,
    };
    let inputs = read(&files, &ColumnMap::default(), &bars, args.json)?;
    let bytes = build::build(&inputs, &BuildOptions::default(), &bars)?;
    build::publish(&bytes, &args.out)?;
    Ok(())
}
