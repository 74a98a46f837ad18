//! `aftercart inspect` and `aftercart verify`.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::time::Instant;

use aftercart::build::Provenance;
use aftercart::{Catalog, OpenOptions, Prefault, Verify};
use serde_json::json;

use crate::{Failure, open};

#[derive(clap::Args)]
#[command(
    after_help = "Examples:\n  aftercart inspect shop.aftercart\n  aftercart inspect shop.aftercart --categories | grep -i coffee\n  aftercart inspect shop.aftercart --json"
)]
pub(crate) struct Args {
    /// Catalog file
    #[arg(value_name = "FILE")]
    catalog: PathBuf,
    /// List category paths with their number of products: the names that a policy may use
    #[arg(long)]
    categories: bool,
    /// Write JSON instead of text
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let options =
        OpenOptions { verify: Verify::Structure, prefault: Prefault::None, ..OpenOptions::default() };
    let catalog =
        Catalog::open(&args.catalog, options).map_err(|e| format!("{}: {e}", args.catalog.display()))?;
    if args.categories {
        for (path, products) in catalog.categories() {
            writeln!(out, "{products:>9}  {path}")?;
        }
        return Ok(());
    }
    let provenance = Provenance::read(&catalog);
    if args.json {
        let sections: Vec<_> = catalog
            .sections()
            .map(|(name, offset, bytes, count)| json!({ "name": name, "offset": offset, "bytes": bytes, "count": count }))
            .collect();
        writeln!(
            out,
            "{}",
            json!({
                "file": args.catalog, "bytes": catalog.file_bytes(), "build_id": format!("{:016x}", catalog.build_id()),
                "newest_order_ms": catalog.created_at_ms(), "provenance": provenance, "sections": sections,
                "search": { "visits": catalog.tuned().0.visits, "rerank": catalog.tuned().0.rerank, "recall": catalog.tuned().1 },
            })
        )?;
        return Ok(());
    }
    writeln!(
        out,
        "{}: {:.1} MiB, build {:016x}",
        args.catalog.display(),
        catalog.file_bytes() as f64 / f64::from(1 << 20),
        catalog.build_id()
    )?;
    let (effort, recall) = catalog.tuned();
    writeln!(
        out,
        "  a search compares {} products by code and {} by row: recall {recall:.3}",
        effort.visits, effort.rerank
    )?;
    if let Some(provenance) = provenance {
        say(&mut out, &provenance)?;
    }
    writeln!(out, "\n  {:<16} {:>14} {:>14} {:>12}", "section", "offset", "bytes", "count")?;
    for (name, offset, bytes, count) in catalog.sections() {
        writeln!(out, "  {name:<16} {offset:>14} {bytes:>14} {count:>12}")?;
    }
    Ok(())
}

/// How the catalog was made.
fn say(out: &mut impl Write, p: &Provenance) -> Result<(), Failure> {
    writeln!(
        out,
        "  made by aftercart {}, seed {}, {} components per vector, {} embeddings",
        p.aftercart,
        p.seed,
        p.dimension,
        if p.embeddings { "with" } else { "without" }
    )?;
    writeln!(
        out,
        "  from {} products, {} order lines in {} baskets of {} customers, {} offers of {} partners",
        p.products, p.order_lines, p.baskets, p.customers, p.offers, p.partners
    )?;
    writeln!(
        out,
        "  {:.1} % of the products have vectors of their own orders",
        p.learnt_ppm as f64 / 10_000.0
    )?;
    writeln!(out, "  {} of {} types lean on the prior for what goes with them", p.prior_types, p.types)?;
    writeln!(
        out,
        "  p_accept: {}",
        if p.calibrated { "measured on held-out orders" } else { "a cautious table, not measured" }
    )?;
    Ok(())
}

#[derive(clap::Args)]
pub(crate) struct VerifyArgs {
    /// Catalog file
    #[arg(value_name = "FILE")]
    catalog: PathBuf,
}

pub(crate) fn verify(args: &VerifyArgs) -> Result<(), Failure> {
    let mut out = std::io::stdout().lock();
    let since = Instant::now();
    let engine = open::engine(&args.catalog, OpenOptions::default())?;
    writeln!(
        out,
        "{}: all rules hold ({} products, {:.2} s)",
        args.catalog.display(),
        engine.catalog().view().product_count(),
        since.elapsed().as_secs_f64()
    )?;
    Ok(())
}
