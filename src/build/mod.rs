//! The offline side: feeds in, one catalog file out.
//!
//! Data flows through the rooms in this order: [`feed`] reads products, orders, partners, a policy and
//! embeddings; [`affinity`] learns from the orders what goes with what; the catalogue rooms lay
//! everything out, and publication puts the file in place atomically.
//! Nothing here runs in a checkout: it allocates, takes seconds, and fails with prose.

pub mod affinity;
pub mod error;
pub mod feed;
pub mod progress;
pub mod synth;
