//! The HNSW graph over cell centroids. The only user of `hnsw_rs`: it builds, our own searcher walks.

use std::cmp::Reverse;

use hnsw_rs::prelude::{DistL2, Hnsw};

use super::feed::NONE;
use super::quantize::Rows;
use crate::distance::Kernel;
use crate::limits::{GRAPH_LAYERS_MAX, GRAPH_LINKS_GROUND, GRAPH_LINKS_UPPER};

/// Candidates that insertion keeps in sight.
const CONSTRUCTION_BEAM: usize = 200;

/// A flattened graph.
#[derive(Debug, Default)]
pub(crate) struct Graph {
    /// Links on the ground layer, [`NONE`]-padded.
    pub(crate) ground: Vec<[u32; GRAPH_LINKS_GROUND]>,
    /// Links on upper layers, grouped by cell, layer 1 first.
    pub(crate) upper: Vec<[u32; GRAPH_LINKS_UPPER]>,
    /// Layers above the ground, per cell.
    pub(crate) upper_layers: Vec<u32>,
    pub(crate) entry: u32,
    pub(crate) max_layer: u32,
    /// Cells that no walk reached and that were linked by hand.
    pub(crate) repaired: u32,
}

/// Builds the graph by serial insertion, which is reproducible.
pub(crate) fn build(centroids: &Rows) -> Graph {
    let count = centroids.len();
    let mut graph = Graph {
        ground: vec![[NONE; GRAPH_LINKS_GROUND]; count],
        upper_layers: vec![0; count],
        ..Graph::default()
    };
    if count < 2 {
        return graph;
    }
    let floats: Vec<Vec<f32>> =
        (0..count).map(|c| centroids.row(c).iter().map(|v| f32::from(*v)).collect()).collect();
    let layers = GRAPH_LAYERS_MAX as usize;
    let hnsw = Hnsw::new(GRAPH_LINKS_UPPER, count, layers, CONSTRUCTION_BEAM, DistL2 {});
    for (cell, row) in floats.iter().enumerate() {
        hnsw.insert((row.as_slice(), cell));
    }
    let mut upper: Vec<Vec<[u32; GRAPH_LINKS_UPPER]>> = vec![Vec::new(); count];
    for point in hnsw.get_point_indexation() {
        let cell = point.get_origin_id();
        let own_layer = usize::from(point.get_point_id().0);
        let links = point.get_neighborhood_id();
        // A point also carries links above its own layer, a by-product of descent: dropped.
        for (layer, links) in links.iter().enumerate().take(own_layer + 1) {
            let ids = links.iter().map(|link| link.d_id as u32).filter(|id| *id != cell as u32);
            if layer == 0 {
                fill(&mut graph.ground[cell], ids);
            } else {
                let mut row = [NONE; GRAPH_LINKS_UPPER];
                fill(&mut row, ids);
                upper[cell].push(row);
            }
        }
        graph.upper_layers[cell] = own_layer as u32;
        if own_layer as u32 > graph.max_layer
            || (own_layer as u32 == graph.max_layer && (cell as u32) < graph.entry)
        {
            graph.max_layer = own_layer as u32;
            graph.entry = cell as u32;
        }
    }
    graph.upper = upper.into_iter().flatten().collect();
    graph.repaired = repair(&mut graph, centroids);
    graph
}

fn fill(row: &mut [u32], ids: impl Iterator<Item = u32>) {
    for (slot, id) in row.iter_mut().zip(ids) {
        *slot = id;
    }
}

/// `hnsw_rs` drops the farthest link on overflow, and many equal centroids make islands: some cells cannot be reached.
/// Each is linked both ways with the nearest cell that is reached and has a free slot.
fn repair(graph: &mut Graph, centroids: &Rows) -> u32 {
    let kernel = Kernel::detect();
    let mut repaired = 0;
    let mut reached = vec![false; graph.ground.len()];
    spread(graph, &mut reached, graph.entry);
    for orphan in 0..graph.ground.len() as u32 {
        if reached[orphan as usize] {
            continue;
        }
        let open = |cell: &u32| reached[*cell as usize] && graph.ground[*cell as usize].contains(&NONE);
        let near = |cell: &u32| kernel.dot(centroids.row(orphan as usize), centroids.row(*cell as usize));
        let host =
            (0..graph.ground.len() as u32).filter(open).max_by_key(|cell| (near(cell), Reverse(*cell)));
        let Some(host) = host else { return repaired }; // every slot is taken: what is left is not walked to
        for (from, to) in [(host, orphan), (orphan, host)] {
            if let Some(slot) = graph.ground[from as usize].iter_mut().find(|link| **link == NONE) {
                *slot = to;
            }
        }
        repaired += 1;
        spread(graph, &mut reached, orphan);
    }
    repaired
}

/// Marks what a walk on the ground layer reaches from a cell.
fn spread(graph: &Graph, reached: &mut [bool], from: u32) {
    let mut queue = vec![from];
    reached[from as usize] = true;
    while let Some(cell) = queue.pop() {
        for next in graph.ground[cell as usize].iter().filter(|link| **link != NONE) {
            if !std::mem::replace(&mut reached[*next as usize], true) {
                queue.push(*next);
            }
        }
    }
}
