//! `aftercart synth`.

use std::path::PathBuf;

use aftercart::build::feed::{self, ColumnMap};
use aftercart::build::synth::{SynthOptions, SynthSource, synthesize};

use crate::Failure;
use crate::bars::Bars;
use crate::demo;

#[derive(clap::Args)]
#[command(
    after_help = "Example, then build it and measure:\n  aftercart synth --products 1200000 --brands 4600 --seed 1 --out synth\n  aftercart build --products synth/products.csv.gz --orders synth/orders.csv.gz --out synth.aftercart\n  aftercart decide --catalog synth.aftercart --orders synth/orders.csv.gz --last 10000 --time"
)]
pub(crate) struct Args {
    /// Product rows to make
    #[arg(long, default_value_t = 1_200_000)]
    products: usize,
    /// Distinct brands among them
    #[arg(long, default_value_t = 4_600)]
    brands: usize,
    /// Order lines to make
    #[arg(long, default_value_t = 4_000_000)]
    order_lines: usize,
    /// Seed: the same one gives the same files
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Folder to write to
    #[arg(long, value_name = "DIR", default_value = "synth")]
    out: PathBuf,
    /// Real product feed to multiply; the bundled one where not given
    #[arg(long, value_name = "FILE", requires = "from_orders")]
    from_products: Option<PathBuf>,
    /// Real orders of that feed
    #[arg(long, value_name = "FILE", requires = "from_products")]
    from_orders: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let bars = Bars::new(false);
    let (feed_file, orders_file) = match (&args.from_products, &args.from_orders) {
        (Some(products), Some(orders)) => (products.clone(), orders.clone()),
        _ => {
            let data = demo::data_folder(None)?;
            (data.join("products.csv.gz"), data.join("orders.csv.gz"))
        }
    };
    let columns = ColumnMap::default();
    let (products, _) = feed::read_products(&[feed_file], &columns, &bars)?;
    let (orders, _) = feed::read_orders(&[orders_file], &columns, &products, &bars)?;
    let options = SynthOptions {
        products: args.products,
        brands: args.brands,
        order_lines: args.order_lines,
        seed: args.seed,
        ..SynthOptions::default()
    };
    let report =
        synthesize(&SynthSource { products: &products, orders: &orders }, &options, &args.out, &bars)?;
    eprintln!(
        "{}: {} products of {} brands, {} order lines; all labelled synthetic",
        args.out.display(),
        report.products,
        report.brands,
        args.order_lines
    );
    Ok(())
}
