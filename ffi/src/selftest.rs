//! Proof, in the shipped library, that a defect ends at the boundary.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]

use crate::boundary::call;
use crate::decider;
use crate::handle;
use crate::status::Status;
use crate::types::*;

/// Shows on your machine that the library is what it says. For tests, not for checkouts.
///
/// `AFTERCART_SELFTEST_PANIC` runs into a defect while it holds `decider`, which may be null. It returns
/// `AFTERCART_INTERNAL`, writes nothing to standard error, and leaves the decider poisoned: every further call on it
/// returns `AFTERCART_POISONED` until it is freed. Engine and other deciders are as before.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_selftest(decider: *mut aftercart_decider, what: u32) -> i32 {
    // SAFETY: the contract of the header.
    unsafe {
        call(|caller| {
            if what != AFTERCART_SELFTEST_PANIC {
                return Err(Status::BadValue);
            }
            let _held = match decider.is_null() {
                true => None,
                false => Some(decider::lock(handle::borrow(caller, decider.cast_const())?)?),
            };
            panic!("selftest");
        })
    }
}
