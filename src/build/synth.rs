//! Multiplies a real feed and its orders into large ones, to try out sizes that no public data has.
//!
//! Every real product becomes many variants: in each shop, in some sizes and editions. Every real basket is replayed
//! by several made-up customers, each loyal to one shop. What goes with what stays as real as the source; the
//! variants are labelled as made up in every row. The same seed gives the same bytes.

mod layout;
mod orders;
mod products;
#[cfg(test)]
mod tests;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::NamedTempFile;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::error::BuildError;
use super::feed::{Orders, Product};
use super::progress::Progress;
use layout::Layout;

/// The real data that is multiplied.
#[derive(Debug, Clone, Copy)]
pub struct SynthSource<'a> {
    /// The real products.
    pub products: &'a [Product],
    /// The real orders of these products.
    pub orders: &'a Orders,
}

/// How much to make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SynthOptions {
    /// Product rows to write, exactly.
    pub products: usize,
    /// Distinct brands among them, exactly.
    pub brands: usize,
    /// Order lines to write, exactly; the last basket is cut short for it.
    pub order_lines: usize,
    /// Shops that carry the products.
    pub shops: usize,
    /// The same seed gives the same bytes.
    pub seed: u64,
}

impl Default for SynthOptions {
    fn default() -> Self {
        Self { products: 1_200_000, brands: 4_600, order_lines: 4_000_000, shops: 8, seed: 1 }
    }
}

/// What was written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SynthReport {
    /// Product rows.
    pub products: usize,
    /// Distinct brands.
    pub brands: usize,
    /// Distinct values of `item_group_id`.
    pub item_groups: usize,
    /// Rows without a category.
    pub without_category: usize,
    /// Rows out of stock.
    pub out_of_stock: usize,
    /// Rows without a price.
    pub without_price: usize,
    /// Rows that occur in the orders.
    pub sold: usize,
    /// Order lines.
    pub order_lines: usize,
    /// Baskets.
    pub baskets: usize,
    /// Customers with a number.
    pub customers: usize,
}

/// Writes `products.csv.gz`, `orders.csv.gz` and `README.md` into the directory `out`, which is made if need be.
/// The files get their names at the very end; an error before that leaves nothing behind.
///
/// # Errors
/// [`BuildError::Input`] where the options ask for what the source cannot give, [`BuildError::Io`] where writing fails.
pub fn synthesize(
    source: &SynthSource<'_>,
    options: &SynthOptions,
    out: &Path,
    progress: &dyn Progress,
) -> Result<SynthReport, BuildError> {
    check(source, options)?;
    let layout = Layout::new(source.products.len(), options);
    fs::create_dir_all(out).map_err(|e| io_error(out, "create", e))?;

    let mut report = SynthReport::default();
    let mut products = Output::new(out, "products.csv.gz")?;
    let prices = products::write(source.products, &layout, &mut products, progress, &mut report)?;
    let mut orders = Output::new(out, "orders.csv.gz")?;
    orders::write(source, &layout, &prices, &mut orders, progress, &mut report)?;
    let readme = temporary(out)?;
    fs::write(readme.path(), readme_text(options, &report))
        .map_err(|e| io_error(readme.path(), "write", e))?;

    products.publish()?;
    orders.publish()?;
    rename(readme, out.join("README.md"))?;
    Ok(report)
}

fn check(source: &SynthSource<'_>, options: &SynthOptions) -> Result<(), BuildError> {
    let refuse = |problem: &str, way_out: &str| {
        Err(BuildError::Input { problem: problem.to_owned(), way_out: way_out.to_owned() })
    };
    if source.products.is_empty() {
        return refuse("there are no products to multiply", "give a product feed with at least one row");
    }
    if options.order_lines > 0 && source.orders.lines.is_empty() {
        return refuse("there are no orders to replay", "give orders, or ask for 0 order lines");
    }
    if source.orders.lines.iter().any(|l| l.product as usize >= source.products.len()) {
        return refuse(
            "an order line names a product that is not in the feed",
            "read the orders with this feed",
        );
    }
    if options.shops == 0 || options.brands == 0 || options.products < options.brands {
        return refuse(
            "the numbers of shops and brands must be at least 1, and there cannot be more brands than products",
            "ask for more products or fewer brands",
        );
    }
    if u32::try_from(options.products).is_err() || u32::try_from(options.order_lines).is_err() {
        return refuse("more than 4,294,967,295 products or order lines", "ask for fewer");
    }
    Ok(())
}

/// A number that depends on the seed and these words only: a draw that needs no memory and no order.
fn draw(seed: u64, words: [u64; 3]) -> u64 {
    let mut bytes = [0; 24];
    for (to, word) in bytes.chunks_exact_mut(8).zip(words) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    xxh3_64_with_seed(&bytes, seed)
}

/// `draw` as a number in `0.0..1.0`.
fn unit(drawn: u64) -> f64 {
    (drawn >> 11) as f64 / (1_u64 << 53) as f64
}

/// Minor units as a decimal number.
fn money(minor: i64) -> String {
    format!("{}.{:02}", minor / 100, minor % 100)
}

/// A compressed CSV file under a temporary name, which goes away unless it is published.
struct Output {
    csv: csv::Writer<GzEncoder<BufWriter<NamedTempFile>>>,
    path: PathBuf,
}

impl Output {
    fn new(dir: &Path, name: &str) -> Result<Self, BuildError> {
        // No name and no time in the gzip header: the bytes depend on the rows alone.
        let packed = GzEncoder::new(BufWriter::with_capacity(1 << 16, temporary(dir)?), Compression::fast());
        Ok(Self { csv: csv::Writer::from_writer(packed), path: dir.join(name) })
    }

    fn row<const N: usize>(&mut self, fields: [&str; N]) -> Result<(), BuildError> {
        self.csv.write_record(fields).map_err(|e| io_error(&self.path, "write", e.into()))
    }

    fn publish(self) -> Result<(), BuildError> {
        let failed = |e| io_error(&self.path, "write", e);
        let packed = self.csv.into_inner().map_err(|e| failed(e.into_error()))?;
        let file = packed.finish().and_then(|b| b.into_inner().map_err(io::IntoInnerError::into_error));
        rename(file.map_err(failed)?, self.path)
    }
}

/// A new file in `dir` with the usual permissions, removed when dropped.
fn temporary(dir: &Path) -> Result<NamedTempFile, BuildError> {
    tempfile::Builder::new()
        .prefix(".synth-")
        .make_in(dir, |path| File::create_new(path))
        .map_err(|e| io_error(dir, "create", e))
}

fn rename(mut file: NamedTempFile, path: PathBuf) -> Result<(), BuildError> {
    file.flush().map_err(|e| io_error(&path, "write", e))?;
    file.persist(&path).map_err(|e| io_error(&path, "rename", e.error))?;
    Ok(())
}

fn io_error(path: &Path, action: &'static str, source: io::Error) -> BuildError {
    BuildError::Io { path: path.to_owned(), action, source }
}

fn readme_text(options: &SynthOptions, report: &SynthReport) -> String {
    format!(
        "# Synthetic data

None of these products exists and nobody placed these orders. They were made by multiplying real ones with
`aftercart synth` {version}, {options:?}.

- `products.csv.gz`: {products} rows, every one with `synthetic=1` and in `source_id` the id of the real product.
  Each real product appears in several shops, sizes and editions, as the end of the title says. Variants of one
  edition share `item_group_id` and brand. There are {brands} brands: the commonest real ones, and numbered made-up
  ones where the source has too few; first editions keep the real brand but for these, later ones carry any.
  Prices are the real ones scaled by size, shop and edition. Category paths are the real ones.
  Item groups: {item_groups}. Rows without category: {without_category}, out of stock: {out_of_stock},
  without price: {without_price}.
- `orders.csv.gz`: {order_lines} lines in {baskets} baskets of {customers} customers. Every basket is a real one,
  replayed by a made-up customer up to a week earlier or later, with each product replaced by a variant of it in
  that customer's shop. Of all products, {sold} were sold.

What goes with what is therefore no truer than the source: use this to measure size and speed, not relevance.
",
        version = env!("CARGO_PKG_VERSION"),
        products = report.products,
        brands = report.brands,
        item_groups = report.item_groups,
        without_category = report.without_category,
        out_of_stock = report.out_of_stock,
        without_price = report.without_price,
        order_lines = report.order_lines,
        baskets = report.baskets,
        customers = report.customers,
        sold = report.sold,
    )
}
