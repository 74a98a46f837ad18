//! The crate `hnsw_rs`: a graph over all products.

use std::path::Path;

use hnsw_rs::prelude::{AnnT, Distance, Hnsw, HnswIo};

use crate::contender::{Searcher, Setting};
use crate::data::{Data, K, Masks, SharedMasks};

const LINKS: usize = 16;
const LAYERS: usize = 16;
const BUILD_EF: usize = 200;

/// One minus the inner product, never below 0, where rounding may take it and the crate panics. The crate's own is scalar unless a feature is on that would also change our build.
#[derive(Clone, Copy, Default)]
pub(crate) struct Dot;

impl Distance<f32> for Dot {
    fn eval(&self, a: &[f32], b: &[f32]) -> f32 {
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            // SAFETY: the processor has what the function is compiled for.
            return unsafe { with_avx2(a, b) }.max(0.0);
        }
        (1.0 - dot(a, b)).max(0.0)
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn with_avx2(a: &[f32], b: &[f32]) -> f32 {
    1.0 - dot(a, b)
}

/// In 32 sums, which compilers turn into vectors.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; 32];
    for (a, b) in a.chunks_exact(32).zip(b.chunks_exact(32)) {
        for lane in 0..32 {
            sums[lane] = a[lane].mul_add(b[lane], sums[lane]);
        }
    }
    let (a, b) = (a.chunks_exact(32).remainder(), b.chunks_exact(32).remainder());
    sums.iter().sum::<f32>() + a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>()
}

pub(crate) fn build(data: &Data, folder: &Path) -> Result<(), String> {
    let base = data.base()?;
    let graph = Hnsw::<f32, Dot>::new(LINKS, data.rows, LAYERS, BUILD_EF, Dot);
    let rows: Vec<(&[f32], usize)> = base.chunks(data.dim).enumerate().map(|(id, row)| (row, id)).collect();
    graph.parallel_insert_slice(&rows);
    graph.file_dump(folder, "index").map(drop).map_err(|e| e.to_string())
}

pub(crate) struct HnswRs {
    graph: Hnsw<'static, f32, Dot>,
    masks: Option<SharedMasks>,
}

impl HnswRs {
    pub(crate) fn open(folder: &Path) -> Result<Self, String> {
        // The graph borrows from its reader: both live as long as the bench.
        let reader: &'static HnswIo = Box::leak(Box::new(HnswIo::new(folder, "index")));
        let mut graph = reader.load_hnsw_with_dist(Dot).map_err(|e| e.to_string())?;
        graph.set_searching_mode(true);
        Ok(Self { graph, masks: None })
    }
}

impl Searcher for HnswRs {
    fn how(&self) -> String {
        format!("M {LINKS}, ef at build {BUILD_EF}, f32, inner product in AVX2")
    }

    fn settings(&self, _: bool) -> Vec<Setting> {
        Setting::each("ef", &[10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512])
    }

    fn prepare(&mut self, masks: &SharedMasks) {
        self.masks = Some(SharedMasks::clone(masks));
    }

    fn search(&mut self, setting: &Setting, query: &[f32], filter: Option<usize>, out: &mut Vec<u32>) {
        let ef = setting.values[0] as usize;
        let found = match (filter, &self.masks) {
            (Some(number), Some(masks)) => {
                let bits = &masks.bits[number];
                self.graph.search_filter(query, K, ef, Some(&|row: &usize| Masks::allows(bits, *row)))
            }
            _ => self.graph.search(query, K, ef),
        };
        out.extend(found.iter().map(|hit| hit.d_id as u32));
    }
}
