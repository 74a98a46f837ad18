//! The HNSW graph over cell centroids. The only user of `hnsw_rs`: it builds, our own searcher walks.

use std::collections::VecDeque;

use hnsw_rs::prelude::{DistL2, Hnsw};

use super::feed::NONE;
use super::quantize::Rows;
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
    graph.repaired = repair(&mut graph);
    graph
}

fn fill(row: &mut [u32], ids: impl Iterator<Item = u32>) {
    for (slot, id) in row.iter_mut().zip(ids) {
        *slot = id;
    }
}

/// `hnsw_rs` drops the farthest link on overflow, which may cut a cell off. Each unreached cell is linked from the
/// last slot of a cell that is reached.
fn repair(graph: &mut Graph) -> u32 {
    let count = graph.ground.len();
    let mut repaired = 0;
    loop {
        let reached = reachable(graph);
        let Some(orphan) = reached.iter().position(|r| !r) else { return repaired };
        let neighbours = graph.ground[orphan].iter().copied().filter(|n| *n != NONE && reached[*n as usize]);
        let host = neighbours.chain(std::iter::once(graph.entry)).next().unwrap_or(graph.entry) as usize;
        let free = graph.ground[host].iter().position(|n| *n == NONE).unwrap_or(GRAPH_LINKS_GROUND - 1);
        graph.ground[host][free] = orphan as u32;
        repaired += 1;
        if repaired as usize > count {
            return repaired; // a hand-made link displaced another for ever: a walk still reaches almost all
        }
    }
}

fn reachable(graph: &Graph) -> Vec<bool> {
    let mut reached = vec![false; graph.ground.len()];
    let mut queue = VecDeque::from([graph.entry]);
    reached[graph.entry as usize] = true;
    while let Some(cell) = queue.pop_front() {
        for next in graph.ground[cell as usize].iter().filter(|n| **n != NONE) {
            if !std::mem::replace(&mut reached[*next as usize], true) {
                queue.push_back(*next);
            }
        }
    }
    reached
}
