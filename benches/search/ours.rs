//! Our own searcher: a catalog file made from the vectors, opened as any host would, and searched through the library.

use std::path::Path;
use std::rc::Rc;

use aftercart::build::BuildOptions;
use aftercart::build::progress::Silent;
use aftercart::index::{AllowList, Effort};

use crate::cache::Built;
use crate::contender::{Contender, InProcess, Searcher, Setting};
use crate::data::{Data, SharedMasks};
use crate::vectors::{self, Opened};

/// Ratios are computed against the searcher of this name.
pub(crate) const NAME: &str = "aftercart";

const FILE: &str = "vectors.aftercart";

/// Builds a catalog whose products are the rows and whose IN vectors equal their OUT vectors.
pub(crate) fn build(data: &Data, folder: &Path) -> Result<(), String> {
    let category = |row: usize| data.category[row];
    let recall = BuildOptions::default().recall;
    vectors::build(data.base()?, data.dim, category, recall, &Silent, &folder.join(FILE))
}

/// Opens what was built.
pub(crate) fn open(data: &Rc<Data>, folder: &Path, built: &Built) -> Result<Box<dyn Contender>, String> {
    InProcess::open(NAME, data, built, || {
        let opened = Opened::of(vectors::open(&folder.join(FILE))?, data.dim)?;
        Ok(Ours { opened, allowed: Vec::new() })
    })
}

struct Ours {
    opened: Opened,
    /// By query.
    allowed: Vec<AllowList>,
}

impl Searcher for Ours {
    fn how(&self) -> String {
        let pages = if vectors::in_huge_pages() { "huge pages" } else { "mapped" };
        format!(
            "cells in areas, codes of 2 bits a component (1 beyond 256), 12-bit rows, {pages}; rotating the f32 query is timed"
        )
    }

    fn settings(&self, filtered: bool) -> Vec<Setting> {
        let pairs: &[[u32; 2]] = if filtered {
            &[
                [400, 40],
                [500, 40],
                [600, 24],
                [600, 40],
                [620, 36],
                [700, 32],
                [800, 32],
                [900, 32],
                [1000, 40],
                [1200, 40],
                [1500, 40],
                [2000, 40],
                [3000, 48],
                [4000, 48],
                [8000, 64],
            ]
        } else {
            &[
                [300, 16],
                [400, 20],
                [500, 24],
                [550, 28],
                [600, 24],
                [700, 28],
                [900, 32],
                [1500, 40],
                [2500, 40],
                [3500, 40],
                [3500, 56],
                [3900, 48],
                [4000, 48],
                [4000, 64],
                [4500, 40],
                [4500, 48],
                [5500, 48],
                [5500, 80],
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
        let rows = &self.opened.row_of;
        let bits_of = |mask: &Vec<u64>| {
            let mut bits = vec![0u64; rows.len().div_ceil(64)];
            for (product, row) in rows.iter().enumerate() {
                bits[product / 64] |= (mask[*row as usize / 64] >> (row % 64) & 1) << (product % 64);
            }
            self.opened.search.allow(bits)
        };
        self.allowed = masks.bits.iter().map(bits_of).collect();
    }

    fn search(&mut self, setting: &Setting, query: &[f32], filter: Option<usize>, out: &mut Vec<u32>) {
        let effort = Effort { visits: setting.values[0], rerank: setting.values[1] };
        self.opened.search(query, filter.map(|number| &self.allowed[number]), effort, out);
    }
}
