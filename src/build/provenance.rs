//! How a catalog was made, for people who ask later. Opaque to the engine.

use bincode::Options;
use serde::{Deserialize, Serialize};

use super::affinity::Affinity;
use super::catalogue::{BuildOptions, Inputs};
use super::error::BuildError;

/// What `inspect` prints of a catalog's making.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// Version of aftercart.
    pub aftercart: String,
    /// Rows of the product feed.
    pub products: u64,
    /// Order lines.
    pub order_lines: u64,
    /// Baskets.
    pub baskets: u64,
    /// Named customers.
    pub customers: u64,
    /// Partners.
    pub partners: u64,
    /// Offers that are not products.
    pub offers: u64,
    /// Whether embeddings were given.
    pub embeddings: bool,
    /// Seed.
    pub seed: u64,
    /// Components per vector.
    pub dimension: u64,
    /// Products whose vectors come from their own orders, parts per million.
    pub learnt_ppm: u64,
    /// Types.
    pub types: u64,
    /// Types whose complements lean on the prior more than on orders.
    pub prior_types: u64,
    /// Whether acceptance was calibrated on held-out orders.
    pub calibrated: bool,
    /// Recall that the search was tuned for, parts per million.
    pub recall_asked_ppm: u64,
}

/// Longest section that is read.
const BYTES_MAX: u64 = 1 << 20;

fn format() -> impl Options {
    bincode::DefaultOptions::new()
        .with_fixint_encoding()
        .with_little_endian()
        .with_limit(BYTES_MAX)
        .reject_trailing_bytes()
}

impl Provenance {
    pub(crate) fn new(
        inputs: &Inputs,
        options: &BuildOptions,
        affinity: &Affinity,
        calibrated: bool,
    ) -> Self {
        Self {
            aftercart: env!("CARGO_PKG_VERSION").into(),
            products: inputs.products.len() as u64,
            order_lines: inputs.orders.lines.len() as u64,
            baskets: inputs.orders.baskets.into(),
            customers: inputs.orders.customers.into(),
            partners: inputs.partners.partners.len() as u64,
            offers: inputs.partners.offers.len() as u64,
            embeddings: inputs.embeddings.is_some(),
            seed: options.seed,
            dimension: affinity.dim as u64,
            learnt_ppm: affinity.learnt_ppm.into(),
            types: affinity.transitions.len() as u64,
            prior_types: affinity.prior_types.into(),
            calibrated,
            recall_asked_ppm: (options.recall * 1e6).round() as u64,
        }
    }

    pub(crate) fn encode(&self) -> Result<Vec<u8>, BuildError> {
        format().serialize(self).map_err(|error| BuildError::Input {
            problem: format!("provenance: {error}"),
            way_out: "this is a defect of aftercart: report it".into(),
        })
    }

    /// Reads the section of a catalog; `None` where it has none or another version wrote it.
    #[must_use]
    pub fn read(catalog: &crate::Catalog) -> Option<Self> {
        format().deserialize(catalog.view().provenance()).ok()
    }
}
