//! `aftercart build`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use aftercart::build::feed::{self, ColumnMap};
use aftercart::build::{self, BuildOptions, Inputs};

use crate::Failure;
use crate::bars::Bars;

#[derive(clap::Args)]
#[command(
    after_help = "Feeds are CSV, TSV or JSON Lines, plain, .gz or .zst, with Google Merchant attribute names (id, title, price, product_type, brand, availability, item_group_id, ...) or product_id, title, category_path, brand, price. Orders have basket_id, customer_id, timestamp, product_id, quantity, unit_price.\n\nExamples:\n  aftercart build --products feed.tsv --orders orders.csv.gz --out shop.aftercart\n  aftercart build --products feed.csv --orders o.csv --columns columns.toml --policy policy.toml --partners partners.toml --out shop.aftercart"
)]
pub(crate) struct Args {
    /// Product feed; may be given several times
    #[arg(long, required = true, value_name = "FILE")]
    products: Vec<PathBuf>,
    /// Orders; may be given several times. Without orders, only categories, brands and embeddings speak
    #[arg(long, value_name = "FILE")]
    orders: Vec<PathBuf>,
    /// Partners and their offers (TOML)
    #[arg(long, value_name = "FILE")]
    partners: Option<PathBuf>,
    /// The merchant's policy (TOML)
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Product embeddings (.npy, f32 or f16), a row per product of the feed
    #[arg(long, value_name = "FILE")]
    embeddings: Option<PathBuf>,
    /// Names of columns in your files (TOML): [products] id = "sku"
    #[arg(long, value_name = "FILE")]
    columns: Option<PathBuf>,
    /// Catalog file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// Components per vector: a multiple of 64
    #[arg(long, default_value_t = BuildOptions::default().affinity.dim)]
    dim: usize,
    /// Seed of everything random
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Name and version of your category vocabulary; a policy that names another one is refused
    #[arg(long, default_value = "merchant")]
    taxonomy: String,
    /// Contribution margin in percent where the feed gives no cost
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u16).range(0..=100))]
    margin_percent: u16,
    /// Skip measuring the probability of acceptance on held-out orders: halves the time
    #[arg(long)]
    no_calibration: bool,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let since = Instant::now();
    let bars = Bars::new(args.quiet);
    let columns = args.columns.as_deref().map_or_else(|| Ok(ColumnMap::default()), ColumnMap::read)?;
    let files = Files {
        products: &args.products,
        orders: &args.orders,
        partners: args.partners.as_deref(),
        policy: args.policy.as_deref(),
        embeddings: args.embeddings.as_deref(),
    };
    let inputs = read(&files, &columns, &bars, args.quiet)?;
    let mut options = BuildOptions {
        seed: args.seed,
        taxonomy: args.taxonomy.clone(),
        margin_bps: args.margin_percent * 100,
        calibrate: !args.no_calibration,
        ..BuildOptions::default()
    };
    options.affinity.dim = args.dim;
    let bytes = build::build(&inputs, &options, &bars)?;
    build::publish(&bytes, &args.out)?;
    if !args.quiet {
        let mib = bytes.len() as f64 / f64::from(1 << 20);
        eprintln!(
            "{}: {} products, {} order lines, {mib:.1} MiB, {:.1} s",
            args.out.display(),
            inputs.products.len(),
            inputs.orders.lines.len(),
            since.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// Where the inputs lie.
pub(crate) struct Files<'a> {
    pub(crate) products: &'a [PathBuf],
    pub(crate) orders: &'a [PathBuf],
    pub(crate) partners: Option<&'a Path>,
    pub(crate) policy: Option<&'a Path>,
    pub(crate) embeddings: Option<&'a Path>,
}

/// Reads all inputs, and says what was left out.
pub(crate) fn read(
    files: &Files<'_>,
    columns: &ColumnMap,
    bars: &Bars,
    quiet: bool,
) -> Result<Inputs, Failure> {
    let (products, currency) = feed::read_products(files.products, columns, bars)?;
    let (orders, report) = feed::read_orders(files.orders, columns, &products, bars)?;
    if !quiet && report.unknown_products + report.returns > 0 {
        eprintln!(
            "  left out: {} lines of products that the feed does not have, {} returns and voids",
            report.unknown_products, report.returns
        );
    }
    Ok(Inputs {
        partners: files.partners.map(feed::read_partners).transpose()?.unwrap_or_default(),
        policy: files.policy.map(feed::read_policy).transpose()?,
        embeddings: files.embeddings.map(|path| feed::read_embeddings(path, &products)).transpose()?,
        products,
        currency,
        orders,
    })
}
