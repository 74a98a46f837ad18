//! Everyone who takes part, by name.

mod hnsw_rs;
mod python;
#[cfg(feature = "peers")]
mod usearch;

use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use crate::cache::{self, Built};
use crate::contender::{Contender, InProcess};
use crate::data::Data;
use crate::ours;

/// Peers in the order of the output. The last four are driven by Python.
pub(crate) const NAMES: [&str; 7] =
    ["hnsw_rs", "usearch-f32", "usearch-i8", "hnswlib", "faiss-ivf-sq8", "scann", "rabitq-ivf"];

#[cfg(not(feature = "peers"))]
const NO_USEARCH: &str = "compiled without it: add `--features peers`";

fn in_python(name: &str) -> bool {
    NAMES[3..].contains(&name)
}

/// Whether a searcher can be built here; may install it.
pub(crate) fn available(name: &str) -> Result<(), String> {
    match name {
        #[cfg(not(feature = "peers"))]
        "usearch-f32" | "usearch-i8" => Err(NO_USEARCH.to_owned()),
        _ if in_python(name) => python::available(name),
        _ => Ok(()),
    }
}

/// The command that builds an index and prints its peak memory.
pub(crate) fn builder(name: &str, data: &Data, folder: &Path) -> Result<Command, String> {
    if in_python(name) {
        python::command("build", name, data, folder)
    } else {
        cache::own_builder(name, data)
    }
}

/// Builds an index in this process, which the bench starts for that.
pub(crate) fn build(name: &str, data: &Data, folder: &Path) -> Result<(), String> {
    match name {
        ours::NAME => ours::build(data, folder),
        "hnsw_rs" => hnsw_rs::build(data, folder),
        #[cfg(feature = "peers")]
        "usearch-f32" | "usearch-i8" => usearch::build(name, data, folder),
        _ => Err(format!("{name} is not built here")),
    }
}

/// Opens what was built.
pub(crate) fn open(name: &str, data: &Rc<Data>, built: &Built) -> Result<Box<dyn Contender>, String> {
    let folder = cache::folder(data, name);
    match name {
        ours::NAME => ours::open(data, &folder, built),
        "hnsw_rs" => InProcess::open(name, data, built, || hnsw_rs::HnswRs::open(&folder)),
        #[cfg(feature = "peers")]
        "usearch-f32" | "usearch-i8" => {
            InProcess::open(name, data, built, || usearch::Usearch::open(name, data, &folder))
        }
        _ => python::Child::open(name, data, built, &folder),
    }
}
