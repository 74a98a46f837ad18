//! The C library of aftercart. `include/aftercart.h` is its manual; it is generated from these files.
//!
//! - [`types`] has the structs that cross, [`status`] the codes that come back.
//! - [`engine`], [`decider`], [`explain`], [`question`], [`token`], [`before_payment`], [`follow_up`], [`live`], [`edit`], [`log`],
//!   [`event`], [`resident`] and [`selftest`] have the functions.
//! - [`request`] turns the structs into what the engine asks for, without copying text.
//! - [`boundary`] is the one place where a pointer from C is believed, and where a panic ends;
//!   [`handle`] the one place where an object is given to C and taken back; [`fork`] hears of forks.

#![deny(unsafe_code)]
#![allow(
    clippy::missing_safety_doc,
    reason = "what a caller must keep is in the header, once for all functions"
)]
#![allow(clippy::too_many_arguments, reason = "C has no slices, and structs that cross hold no pointers")]

pub mod before_payment;
mod boundary;
pub mod decider;
pub mod edit;
pub mod engine;
pub mod event;
pub mod explain;
pub mod follow_up;
mod fork;
mod handle;
pub mod live;
pub mod log;
pub mod question;
mod request;
pub mod resident;
pub mod selftest;
mod status;
pub mod token;
pub mod types;
