//! aftercart decides which few offers belong on a receipt page, or that none does.

#![deny(unsafe_code)]

mod context;
mod decide;
mod distance;
mod engine;
mod explain;
pub mod index;
pub mod limits;
mod offer;
mod partner;
pub mod policy;
mod profile;
mod ranking;
mod retrieve;
mod scratch;
mod suppression;
mod transaction;
mod verify;
pub mod vocabulary;

#[cfg(feature = "build")]
pub mod build;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod testing;

pub use decide::{DecideError, Decider};
pub use engine::Engine;
pub use explain::Explanation;
pub use index::search::SearchCounters;
pub use index::{Catalog, OpenError, OpenMode, OpenOptions, Verify};
pub use offer::{
    Because, Counters, Generations, Item, Offer, OfferIx, Offers, ProductIx, Reason, Rejected, Relation,
    Status,
};
pub use policy::{Policy, PolicyError};
pub use profile::{Answer, Answers, Decline, GIFT, Profile, Purchase, Session};
pub use transaction::{LineItem, Placement, Transaction};
