//! The crate `usearch`, over C++, with f32 or i8 vectors.

use std::path::Path;

use rayon::prelude::*;
use usearch::{Index, IndexOptions, MetricKind, ScalarKind, new_index};

use crate::contender::{Searcher, Setting};
use crate::data::{Data, K, Masks, SharedMasks};

const LINKS: usize = 16;
const BUILD_EF: usize = 200;

fn empty(name: &str, dim: usize) -> Result<Index, String> {
    // Rows that were rounded to i8 are no longer of unit length.
    let (metric, quantization) = match name {
        "usearch-i8" => (MetricKind::Cos, ScalarKind::I8),
        _ => (MetricKind::IP, ScalarKind::F32),
    };
    let options = IndexOptions {
        dimensions: dim,
        metric,
        quantization,
        connectivity: LINKS,
        expansion_add: BUILD_EF,
        expansion_search: 64,
        multi: false,
    };
    new_index(&options).map_err(|e| e.to_string())
}

fn file(folder: &Path) -> Result<String, String> {
    folder.join("index").into_os_string().into_string().map_err(|_| "a path that is not UTF-8".to_owned())
}

pub(crate) fn build(name: &str, data: &Data, folder: &Path) -> Result<(), String> {
    let (base, index) = (data.base()?, empty(name, data.dim)?);
    index.reserve_capacity_and_threads(data.rows, rayon::current_num_threads()).map_err(|e| e.to_string())?;
    let rows = base.par_chunks_exact(data.dim).enumerate();
    rows.try_for_each(|(id, row)| index.add(id as u64, row)).map_err(|e| e.to_string())?;
    index.save(&file(folder)?).map_err(|e| e.to_string())
}

pub(crate) struct Usearch {
    index: Index,
    vectors: &'static str,
    masks: Option<SharedMasks>,
}

impl Usearch {
    pub(crate) fn open(name: &str, data: &Data, folder: &Path) -> Result<Self, String> {
        let index = empty(name, data.dim)?;
        index.load(&file(folder)?).map_err(|e| e.to_string())?;
        let vectors = if name == "usearch-i8" { "i8, cosine" } else { "f32, inner product" };
        Ok(Self { index, vectors, masks: None })
    }
}

impl Searcher for Usearch {
    fn how(&self) -> String {
        let kernels = self.index.hardware_acceleration();
        format!("M {LINKS}, ef at build {BUILD_EF}, {}, kernels {kernels}", self.vectors)
    }

    fn settings(&self, _: bool) -> Vec<Setting> {
        Setting::each("ef", &[10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512])
    }

    fn prepare(&mut self, masks: &SharedMasks) {
        self.masks = Some(SharedMasks::clone(masks));
    }

    fn search(&mut self, setting: &Setting, query: &[f32], filter: Option<usize>, out: &mut Vec<u32>) {
        self.index.change_expansion_search(setting.values[0] as usize);
        let found = match (filter, &self.masks) {
            (Some(number), Some(masks)) => {
                let bits = &masks.bits[number];
                self.index.filtered_search(query, K, |row| Masks::allows(bits, row as usize))
            }
            _ => self.index.search(query, K),
        };
        // A search that fails has found nothing.
        out.extend(found.iter().flat_map(|hits| &hits.keys).map(|key| *key as u32));
    }
}
