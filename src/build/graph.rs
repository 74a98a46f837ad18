//! The HNSW graph over cell centroids. The only user of `hnsw_rs`.

use hnsw_rs::prelude::{Distance, Hnsw};

use super::quantize::Rows;
use crate::distance::Kernel;
use crate::limits::DIM_MAX;

/// Links of a centroid on layers above the ground; twice as many there.
const LINKS: usize = 16;
/// Layers that `hnsw_rs` allows.
const LAYERS: usize = 16;
/// Candidates that insertion keeps in sight.
const CONSTRUCTION_BEAM: usize = 100;

/// How far a dot product lies below the largest possible one: exact in `f32`.
struct BelowLargest {
    kernel: Kernel,
    largest: i32,
}

impl Distance<i8> for BelowLargest {
    fn eval(&self, a: &[i8], b: &[i8]) -> f32 {
        (self.largest - self.kernel.dot(a, b)) as f32
    }
}

// An `f32` holds every distance exactly, and none is negative, which `hnsw_rs` would refuse.
const _: () = assert!(2 * 128 * 128 * DIM_MAX <= 1 << 24);

/// The neighbours of each centroid on the ground layer: near ones in every direction. By serial insertion, which is
/// reproducible.
pub(crate) fn neighbours(centroids: &Rows) -> Vec<Vec<u32>> {
    let count = centroids.len();
    if count < 2 {
        return vec![Vec::new(); count];
    }
    let distance = BelowLargest { kernel: Kernel::detect(), largest: 128 * 128 * centroids.dim as i32 };
    let hnsw = Hnsw::new(LINKS, count.max(1), LAYERS, CONSTRUCTION_BEAM, distance);
    for cell in 0..count {
        hnsw.insert((centroids.row(cell), cell));
    }
    let mut near = vec![Vec::new(); count];
    for point in hnsw.get_point_indexation() {
        let cell = point.get_origin_id();
        let ground = point.get_neighborhood_id().into_iter().next().unwrap_or_default();
        near[cell] = ground.iter().map(|link| link.d_id as u32).filter(|id| *id != cell as u32).collect();
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_near_and_reproducible() {
        let dim = 64;
        let row = |at: usize| {
            (0..dim).map(move |c| if c == at / 8 { 100 } else { ((at * 31 + c * 17) % 5) as i8 - 2 })
        };
        let centroids = Rows { dim, values: (0..400).flat_map(row).collect() };
        let near = neighbours(&centroids);
        assert_eq!(near, neighbours(&centroids));
        let alike =
            |(cell, near): (usize, &Vec<u32>)| near.iter().any(|other| *other as usize / 8 == cell / 8);
        let found = near.iter().enumerate().filter(|pair| alike(*pair)).count();
        assert!(found > 390, "{found} of 400 are linked with one of their kind");
        assert!(neighbours(&Rows { dim, values: Vec::new() }).is_empty());
    }
}
