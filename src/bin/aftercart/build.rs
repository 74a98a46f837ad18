//! `aftercart build`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use aftercart::build::error::BuildError;
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
    /// Orders; may be given several times. Without orders, a built-in list of what usually goes with what speaks
    #[arg(long, value_name = "FILE")]
    orders: Vec<PathBuf>,
    /// Partners and their offers (TOML)
    #[arg(long, value_name = "FILE")]
    partners: Option<PathBuf>,
    /// Guides, and how to use, care for and pair what is sold: by product, model or category; may be given several times
    #[arg(long, value_name = "FILE")]
    content: Vec<PathBuf>,
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
    /// Share of the true ten nearest products that a search is to find: more is slower
    #[arg(long, default_value_t = BuildOptions::default().recall, value_name = "0.5-0.999")]
    recall: f64,
    /// Leave out the lists of what lies near products without orders: a smaller file, slower decisions
    #[arg(long)]
    no_near_lists: bool,
    /// Keep no earlier baskets in the file: a smaller file, less fitting offers
    #[arg(long)]
    no_baskets: bool,
    /// Skip measuring the probability of acceptance on held-out orders: halves the time. A reserve or `min_p_accept` then means
    /// little, since p_accept is a guess
    #[arg(long)]
    no_calibration: bool,
    /// Go by orders alone: without the built-in list of what usually goes with what
    #[arg(long)]
    no_prior: bool,
    /// No progress
    #[arg(long, short)]
    quiet: bool,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let since = Instant::now();
    check_out(args)?;
    let bars = Bars::new(args.quiet);
    let columns = args.columns.as_deref().map_or_else(|| Ok(ColumnMap::default()), ColumnMap::read)?;
    let files = Files {
        products: &args.products,
        orders: &args.orders,
        partners: args.partners.as_deref(),
        content: &args.content,
        policy: args.policy.as_deref(),
        embeddings: args.embeddings.as_deref(),
    };
    let inputs = read(&files, &columns, &bars, args.quiet)?;
    let mut options = BuildOptions {
        seed: args.seed,
        taxonomy: args.taxonomy.clone(),
        margin_bps: args.margin_percent * 100,
        calibrate: !args.no_calibration,
        prior: !args.no_prior,
        recall: args.recall,
        near_lists: !args.no_near_lists,
        baskets: !args.no_baskets,
        ..BuildOptions::default()
    };
    options.affinity.dim = args.dim;
    let bytes = build::build(&inputs, &options, &bars).map_err(|error| match (error, &args.policy) {
        (BuildError::Policy(error), Some(path)) => feed::at_its_place(path, &error),
        (error, _) => error,
    })?;
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

/// Finds out before the work whether its result can be put where it should go.
fn check_out(args: &Args) -> Result<(), Failure> {
    let out = args.out.display();
    let folder = args.out.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(format!(
            "--out {out}: there is no folder {}\n  way out: make it first",
            folder.display()
        )
        .into());
    }
    if args.out.is_dir() {
        return Err(format!("--out {out} is a folder\n  way out: name a file in it").into());
    }
    let one = |path: &Option<PathBuf>| path.clone();
    let single = [&args.partners, &args.policy, &args.embeddings, &args.columns].into_iter().filter_map(one);
    let inputs = args.products.iter().chain(&args.orders).chain(&args.content).cloned().chain(single);
    let same =
        |path: &PathBuf| path.canonicalize().is_ok_and(|p| args.out.canonicalize().is_ok_and(|o| o == p));
    match inputs.into_iter().find(same) {
        None => Ok(()),
        Some(_) => Err(format!("--out {out} is one of the inputs\n  way out: name another file").into()),
    }
}

/// Where the inputs lie.
pub(crate) struct Files<'a> {
    pub(crate) products: &'a [PathBuf],
    pub(crate) orders: &'a [PathBuf],
    pub(crate) partners: Option<&'a Path>,
    pub(crate) content: &'a [PathBuf],
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
    if products.is_empty() {
        return Err("the product feed has no products\n  way out: give a feed with at least one row".into());
    }
    if !quiet && products.iter().all(|product| product.title.is_empty() && product.category_path.is_empty()) {
        eprintln!(
            "  no product has a title or a category: only orders can say what goes together, if this is the product feed"
        );
    }
    let (orders, report) = feed::read_orders(files.orders, columns, &products, bars)?;
    if !quiet && report.unknown_products + report.returns > 0 {
        eprintln!(
            "  left out: {} lines of products that the feed does not have, {} returns and voids",
            report.unknown_products, report.returns
        );
    }
    if orders.lines.is_empty() && !files.orders.is_empty() {
        let example = report.unknown_example.map_or(String::new(), |id| format!(", for example \"{id}\""));
        let way_out = match (report.lines, report.unknown_products) {
            (0, _) => "give a file with at least one row",
            (_, 0) => "give orders whose quantities are above 0",
            _ => "check that orders name products by the feed's ids",
        };
        return Err(format!(
            "no order line is of use: {} lines read, {} of products that the feed does not have{example}, {} returns and voids\n  way out: {way_out}, or leave out --orders",
            report.lines, report.unknown_products, report.returns
        )
        .into());
    }
    if let (Some(feed), Some(orders)) = (currency, report.currency)
        && feed != orders
    {
        return Err(format!(
            "the feed is in {}, the orders in {}\n  way out: convert one of them",
            feed.as_str(),
            orders.as_str()
        )
        .into());
    }
    let currency = currency.or(report.currency);
    let mut partners = files.partners.map(feed::read_partners).transpose()?.unwrap_or_default();
    let content = feed::read_content(files.content, columns, (&products, &partners), currency, bars)?;
    partners.offers.extend(content);
    Ok(Inputs {
        partners,
        policy: files.policy.map(feed::read_policy).transpose()?,
        embeddings: files.embeddings.map(|path| feed::read_embeddings(path, &products)).transpose()?,
        vectors: None,
        products,
        currency,
        orders,
    })
}
