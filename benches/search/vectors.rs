//! A catalog file made from vectors, opened as any host would, and searched through the library.

use std::path::Path;
use std::sync::Arc;

use aftercart::build::feed::Product;
use aftercart::build::progress::Progress;
use aftercart::build::{BuildOptions, Inputs, Rotation, Vectors, build as build_catalog, publish};
use aftercart::index::{AllowList, Effort, Nearest};
use aftercart::{Catalog, OpenMode, OpenOptions, Prefault, Verify};

use crate::measure::K;

const SEED: u64 = 1;

/// Builds a catalog whose products are the rows and whose IN vectors equal their OUT vectors.
pub(crate) fn build(
    rows: Vec<f32>,
    dim: usize,
    category: impl Fn(usize) -> i32,
    recall: f64,
    progress: &dyn Progress,
    file: &Path,
) -> Result<(), String> {
    let product = |row: usize| Product {
        id: row.to_string(),
        title: row.to_string(),
        category_path: format!("c{}", category(row)),
        ..Product::default()
    };
    let products = (0..rows.len() / dim).map(product).collect();
    let vectors = Vectors { dim, out_rows: rows, in_rows: None };
    let inputs = Inputs { products, vectors: Some(vectors), ..Inputs::default() };
    let options = BuildOptions {
        seed: SEED,
        calibrate: false,
        fine_rows: true,
        recall,
        near_lists: false, // the search alone
        ..BuildOptions::default()
    };
    let bytes = build_catalog(&inputs, &options, progress).map_err(|e| e.to_string())?;
    drop(inputs);
    publish(&bytes, file).map_err(|e| e.to_string())
}

/// Whether catalogs are searched as copies in huge pages: the environment variable `AFTERCART_OPEN` is `huge`.
pub(crate) fn in_huge_pages() -> bool {
    std::env::var("AFTERCART_OPEN").is_ok_and(|how| how == "huge")
}

/// Opens a catalog as any host would.
pub(crate) fn open(file: &Path) -> Result<Arc<Catalog>, String> {
    let mode = if in_huge_pages() { OpenMode::CopyHuge } else { OpenMode::Map };
    let options = OpenOptions { mode, verify: Verify::Structure, prefault: Prefault::Whole };
    Ok(Arc::new(Catalog::open(file, options).map_err(|e| format!("{}: {e}", file.display()))?))
}

/// A catalog that is searched.
pub(crate) struct Opened {
    pub(crate) search: Nearest,
    rotation: Rotation,
    /// Row of the data of each product.
    pub(crate) row_of: Vec<u32>,
    everything: AllowList,
    query: Vec<i16>,
}

impl Opened {
    pub(crate) fn of(catalog: Arc<Catalog>, dim: usize) -> Result<Self, String> {
        let row_of = catalog.product_ids().map(str::parse).collect::<Result<Vec<u32>, _>>();
        let row_of = row_of.map_err(|e| e.to_string())?;
        let search = Nearest::new(catalog);
        let everything = search.allow(vec![u64::MAX; row_of.len().div_ceil(64)]);
        Ok(Self { search, rotation: Rotation::new(dim, SEED), row_of, everything, query: Vec::new() })
    }

    /// Appends the rows of the best [`K`], best first.
    pub(crate) fn search(
        &mut self,
        query: &[f32],
        allowed: Option<&AllowList>,
        effort: Effort,
        out: &mut Vec<u32>,
    ) {
        self.rotation.query(query, &mut self.query);
        let found = self.search.find(&self.query, allowed.unwrap_or(&self.everything), effort, K);
        out.extend(found.map(|product| self.row_of[product.0 as usize]));
    }
}
