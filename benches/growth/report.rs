//! What is written down: a table for people, one JSON document for programs.

use std::fmt::Write;

use serde::Serialize;

use crate::args::Args;
use crate::draw::thousands;
use crate::machine::Machine;
use crate::measure::{K, Latency, Recall};
use crate::rows::Source;

/// Everything of one run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) data: DataFacts,
    pub(crate) sizes: Vec<Size>,
}

/// What was asked of what.
#[derive(Serialize)]
pub(crate) struct DataFacts {
    /// Rows of the folder: smaller sizes are samples of them, larger ones are made from them.
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    pub(crate) queries: usize,
    pub(crate) k: usize,
    /// The recall that efforts were chosen for.
    pub(crate) recall: f64,
    pub(crate) rounds: usize,
    pub(crate) seed: Option<u64>,
    /// A copy in huge pages was searched, instead of a mapped file.
    pub(crate) huge_pages: bool,
}

impl DataFacts {
    pub(crate) fn of(source: &Source, args: &Args, huge_pages: bool) -> Self {
        Self {
            rows: source.rows,
            dim: source.dim,
            queries: source.queries().len(),
            k: K,
            recall: args.recall,
            rounds: args.rounds,
            seed: args.seed,
            huge_pages,
        }
    }
}

/// One size.
#[derive(Serialize)]
pub(crate) struct Size {
    pub(crate) products: usize,
    /// Rows beyond those of the folder were made from them.
    pub(crate) made: bool,
    /// Mean cosine of the nearest product.
    pub(crate) nearest: f64,
    /// Local dimension around the queries.
    pub(crate) spread: f64,
    pub(crate) build_seconds: f64,
    pub(crate) build_peak_mb: f64,
    pub(crate) bytes_per_product: f64,
    pub(crate) areas: u64,
    pub(crate) cells: u64,
    /// What the builder chose, the recall that it measured by asking its own products, and that of the queries asked here.
    pub(crate) builder_visits: u32,
    pub(crate) builder_rerank: u32,
    pub(crate) builder_recall: f64,
    pub(crate) recall_with_it: Recall,
    /// The cheapest effort that reaches the recall for the queries asked.
    pub(crate) visits: u32,
    pub(crate) rerank: u32,
    pub(crate) recall: Recall,
    pub(crate) latency: Latency,
    pub(crate) compared: Compared,
}

/// What one search compares, in the mean.
#[derive(Serialize)]
pub(crate) struct Compared {
    pub(crate) areas: f64,
    pub(crate) cells_by_code: f64,
    /// Cells whose products were scanned.
    pub(crate) cells: f64,
    /// By codes.
    pub(crate) products: f64,
    pub(crate) rows: f64,
    /// What all that reads.
    pub(crate) kilobytes: f64,
}

impl Report {
    /// The table as text.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (machine, data) = (&self.machine, &self.data);
        let seed = data.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        writeln!(
            out,
            "{} x {}{seed}: recall@{} of {}, {} queries",
            data.rows, data.dim, data.k, data.recall, data.queries
        )?;
        let pages = if data.huge_pages { "huge pages" } else { "mapped" };
        writeln!(
            out,
            "{}, {} cores, searching on one, {pages}; {}",
            machine.cpu, machine.cores, machine.date
        )?;
        writeln!(
            out,
            "\n{:>11} {:>5} {:>7} {:>6} {:>8} {:>8} {:>7} {:>5} {:>7} {:>13} {:>7}",
            "products",
            "made",
            "nearest",
            "spread",
            "build s",
            "peak MB",
            "bytes",
            "areas",
            "cells",
            "builder's",
            "recall"
        )?;
        for size in &self.sizes {
            let made = if size.made { "yes" } else { "" };
            let theirs = format!("{} / {}", size.builder_visits, size.builder_rerank);
            writeln!(
                out,
                "{:>11} {made:>5} {:>7.3} {:>6.1} {:>8.1} {:>8.0} {:>7.0} {:>5} {:>7} {theirs:>13} {:>7.4}",
                thousands(size.products),
                size.nearest,
                size.spread,
                size.build_seconds,
                size.build_peak_mb,
                size.bytes_per_product,
                size.areas,
                size.cells,
                size.recall_with_it.all
            )?;
        }
        writeln!(
            out,
            "\n{:>11} {:>13} {:>7} {:>7} {:>7} {:>7} {:>7} {:>7} {:>6} {:>6} {:>5} {:>8} {:>4} {:>6}",
            "products",
            "visits",
            "recall",
            "single",
            "basket",
            "p50 us",
            "p99 us",
            "p99.9",
            "areas",
            "codes",
            "cells",
            "products",
            "rows",
            "kB"
        )?;
        self.sizes.iter().try_for_each(|size| write_cost(out, size))
    }
}

fn write_cost(out: &mut String, size: &Size) -> std::fmt::Result {
    let (recall, latency, compared) = (&size.recall, &size.latency, &size.compared);
    let effort = format!("{} / {}", size.visits, size.rerank);
    writeln!(
        out,
        "{:>11} {effort:>13} {:>7.4} {:>7.4} {:>7.4} {:>7.1} {:>7.1} {:>7.1} {:>6.0} {:>6.0} {:>5.1} {:>8.0} {:>4.0} {:>6.1}",
        thousands(size.products),
        recall.all,
        recall.single,
        recall.basket,
        latency.p50,
        latency.p99,
        latency.p999,
        compared.areas,
        compared.cells_by_code,
        compared.cells,
        compared.products,
        compared.rows,
        compared.kilobytes
    )
}
