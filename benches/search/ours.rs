//! Our own searcher: a catalog file made from the vectors, opened as any host would, and searched through the library.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use aftercart::build::feed::Product;
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, Rotation, Vectors, build as build_catalog, publish};
use aftercart::index::{AllowList, Effort, Nearest};
use aftercart::{Catalog, OpenMode, OpenOptions, Prefault, Verify};

use crate::cache::Built;
use crate::contender::{Contender, InProcess, Searcher, Setting};
use crate::data::{Data, K, SharedMasks};

/// Ratios are computed against the searcher of this name.
pub(crate) const NAME: &str = "aftercart";

const FILE: &str = "vectors.aftercart";
const SEED: u64 = 1;

/// Builds a catalog whose products are the rows and whose IN vectors equal their OUT vectors.
pub(crate) fn build(data: &Data, folder: &Path) -> Result<(), String> {
    let product = |(row, category): (usize, &i32)| Product {
        id: row.to_string(),
        title: row.to_string(),
        category_path: format!("c{category}"),
        ..Product::default()
    };
    let vectors = Vectors { dim: data.dim, out_rows: data.base()?, in_rows: None };
    let products = data.category.iter().enumerate().map(product).collect();
    let inputs = Inputs { products, vectors: Some(vectors), ..Inputs::default() };
    let options = BuildOptions { seed: SEED, calibrate: false, fine_rows: true, ..BuildOptions::default() };
    let bytes = build_catalog(&inputs, &options, &Silent).map_err(|e| e.to_string())?;
    publish(&bytes, &folder.join(FILE)).map_err(|e| e.to_string())
}

/// Opens what was built. The environment variable `AFTERCART_OPEN=huge` copies it into huge pages.
pub(crate) fn open(data: &Rc<Data>, folder: &Path, built: &Built) -> Result<Box<dyn Contender>, String> {
    InProcess::open(NAME, data, built, || Ours::open(data, &folder.join(FILE)))
}

struct Ours {
    search: Nearest,
    rotation: Rotation,
    /// Row of the data of each product.
    row_of: Vec<u32>,
    everything: AllowList,
    /// By query.
    allowed: Vec<AllowList>,
    query: Vec<i16>,
    huge: bool,
}

impl Ours {
    fn open(data: &Data, file: &Path) -> Result<Self, String> {
        let huge = std::env::var("AFTERCART_OPEN").is_ok_and(|how| how == "huge");
        let mode = if huge { OpenMode::CopyHuge } else { OpenMode::Map };
        let options = OpenOptions { mode, verify: Verify::Structure, prefault: Prefault::Whole };
        let catalog = Arc::new(Catalog::open(file, options).map_err(|e| e.to_string())?);
        let row_of = catalog.product_ids().map(str::parse).collect::<Result<Vec<u32>, _>>();
        let search = Nearest::new(catalog);
        let everything = search.allow(vec![u64::MAX; data.rows.div_ceil(64)]);
        Ok(Self {
            search,
            rotation: Rotation::new(data.dim, SEED),
            row_of: row_of.map_err(|e| e.to_string())?,
            everything,
            allowed: Vec::new(),
            query: Vec::new(),
            huge,
        })
    }
}

impl Searcher for Ours {
    fn how(&self) -> String {
        let pages = if self.huge { "huge pages" } else { "mapped" };
        format!("cells in areas, 2-bit codes, 12-bit rows, {pages}; rotating the f32 query is timed")
    }

    fn settings(&self, filtered: bool) -> Vec<Setting> {
        let pairs: &[[u32; 2]] = if filtered {
            &[[600, 24], [900, 32], [1200, 40], [1500, 40], [2000, 40], [3000, 48], [4000, 48], [8000, 64]]
        } else {
            &[
                [300, 16],
                [400, 20],
                [500, 24],
                [600, 24],
                [700, 28],
                [900, 32],
                [1500, 40],
                [2500, 40],
                [3500, 40],
                [4500, 40],
                [5500, 48],
                [7000, 64],
                [10_000, 96],
            ]
        };
        let setting = |[visits, rerank]: &[u32; 2]| Setting {
            label: format!("visits {visits} rerank {rerank}"),
            values: vec![*visits, *rerank],
        };
        pairs.iter().map(setting).collect()
    }

    fn prepare(&mut self, masks: &SharedMasks) {
        let bits_of = |mask: &Vec<u64>| {
            let mut bits = vec![0u64; self.row_of.len().div_ceil(64)];
            for (product, row) in self.row_of.iter().enumerate() {
                bits[product / 64] |= (mask[*row as usize / 64] >> (row % 64) & 1) << (product % 64);
            }
            self.search.allow(bits)
        };
        self.allowed = masks.bits.iter().map(bits_of).collect();
    }

    fn search(&mut self, setting: &Setting, query: &[f32], filter: Option<usize>, out: &mut Vec<u32>) {
        let allowed = filter.map_or(&self.everything, |number| &self.allowed[number]);
        let effort = Effort { visits: setting.values[0], rerank: setting.values[1] };
        self.rotation.query(query, &mut self.query);
        let found = self.search.find(&self.query, allowed, effort, K);
        out.extend(found.map(|product| self.row_of[product.0 as usize]));
    }
}
