//! aftercart decides which few offers belong on a receipt page, or that none does.
//!
//! ```no_run
//! use std::sync::Arc;
//! use aftercart::{Decider, Engine, LineItem, OpenOptions, Profile, Transaction};
//!
//! let engine = Arc::new(Engine::open("shop.aftercart", OpenOptions::default())?); // once per process
//! let mut decider = Decider::new(Arc::clone(&engine)); // once per worker
//! let lines = [LineItem::of("SKU1"), LineItem::of("SKU2")];
//! let transaction = Transaction { lines: &lines, ..Transaction::default() };
//! let offers = decider.decide(&transaction, &Profile::default())?;
//! for offer in offers.slate() {
//!     println!("{} because {:?}", engine.id(offer.item), offer.because);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Engine`] is an opened [`Catalog`] with a compiled [`Policy`]: immutable, shared by any number of threads.
//! [`Decider`] makes decisions, one at a time, and owns all memory that they need; it may move between threads.
//! [`Offers`] is the result, inline: nothing is allocated, locked, logged or asked of the system, and nothing panics.
//! Amounts are `i64` minor units, times Unix milliseconds given by the host, probabilities parts per million.
//!
//! To read the code, start at `decide.rs` and follow the data; `ARCHITECTURE.md` is the map. The feature `build` adds
//! the module `build`, which makes catalog files; `cli` adds the command.

#![deny(unsafe_code)]

mod accept;
pub mod before_payment;
mod bought;
mod context;
mod days;
mod deadline;
mod decide;
mod distance;
mod engine;
#[cfg(feature = "log")]
pub mod evaluate;
pub mod event;
pub mod experiment;
mod explain;
mod features;
pub mod follow_up;
pub mod index;
#[cfg(feature = "log")]
pub mod learn;
pub mod limits;
pub mod live;
#[cfg(feature = "log")]
pub mod log;
pub mod model;
mod narrowed;
mod observe;
mod offer;
mod partner;
pub mod policy;
mod profile;
mod question;
mod ranker;
mod ranking;
pub mod record;
mod refill;
#[cfg(any(feature = "build", feature = "log"))]
mod replace;
mod retrieve;
mod scratch;
mod share;
mod similar;
mod suppression;
#[cfg(feature = "token")]
pub mod token;
mod transaction;
mod verify;
pub mod vocabulary;

#[cfg(feature = "build")]
pub mod build;
#[cfg(feature = "build")]
#[doc(hidden)]
pub mod testing;

pub use accept::{AcceptPlan, AcceptReason};
pub use decide::{Checkpoint, DecideError, Decider};
pub use engine::Engine;
pub use explain::{Contribution, Explanation};
pub use index::search::SearchCounters;
pub use index::{Catalog, OpenError, OpenMode, OpenOptions, Prefault, Verify};
pub use live::{Lease, LeaseError, Live, LiveError, LiveFact};
pub use model::{Model, ModelError};
pub use observe::STAGES;
pub use offer::{
    Because, Counters, Degraded, Generations, Item, Offer, OfferIx, Offers, ProductIx, Reason, Rejected,
    Relation, Status,
};
pub use policy::{Policy, PolicyError};
pub use profile::{
    Answer, Answers, Asked, Consent, Decline, Exposed, GIFT, Profile, Purchase, Purposes, Session,
};
pub use question::{NextQuestion, QuestionIx};
pub use transaction::{LineItem, Placement, Repeat, Transaction};

/// Runs the README's Rust example as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
