//! The offline side: feeds in, one catalog file out.
//!
//! Data flows through the rooms in this order: [`feed`] reads products, orders, partners, a policy and
//! embeddings; [`affinity`] learns from the orders what goes with what; the catalogue rooms lay
//! everything out, and publication puts the file in place atomically.
//! Nothing here runs in a checkout: it allocates, takes seconds, and fails with prose.

pub mod affinity;
mod associates;
mod attributes;
mod baskets;
mod catalogue;
mod cells;
mod codes;
mod content;
mod dictionary;
pub mod error;
pub mod feed;
mod graph;
mod names;
mod near;
mod offers;
mod placement;
mod prior;
pub mod progress;
mod provenance;
mod publish;
mod quantize;
mod ranker;
mod rehearse;
pub mod synth;
mod taxonomy;
mod tune;
mod write;

pub use catalogue::{BuildOptions, Inputs, Vectors, build};
pub use provenance::Provenance;
pub use publish::publish;
pub use quantize::Rotation;
