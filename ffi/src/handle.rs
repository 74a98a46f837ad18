//! Objects that C holds: given out as opaque pointers, and taken back.
//!
//! Every object starts with a tag, which freeing overwrites, so a foreign pointer is answered with `BAD_HANDLE`, and a stale
//! one usually is. Memory of a stale one may be in use again: the tag finds mistakes, it does not license them.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU64, Ordering};

use crate::boundary::Caller;
use crate::status::Status;

/// What a handle type of the header stands for.
pub(crate) trait Opaque {
    /// Bytes that the object starts with.
    const TAG: u64;
    /// The object.
    type Inside: Send + Sync;
}

#[repr(C)] // the tag comes first
struct Tagged<T> {
    tag: AtomicU64,
    inside: T,
}

const FREED: u64 = u64::from_le_bytes(*b"freed\0\0\0");

/// Gives an object to C.
pub(crate) fn create<O: Opaque>(inside: O::Inside) -> Result<*mut O, Status> {
    // A box that may fail: a vector of one.
    let mut object = Vec::new();
    object.try_reserve_exact(1).map_err(|_| Status::OutOfMemory)?;
    object.push(Tagged { tag: AtomicU64::new(O::TAG), inside });
    Ok(Box::into_raw(object.into_boxed_slice()).cast())
}

/// The object behind a handle, for the time of the call.
pub(crate) fn borrow<O: Opaque>(_: &Caller, handle: *const O) -> Result<&O::Inside, Status> {
    check(handle)?;
    // SAFETY: the tag is that of this type, and only `create` writes it. That the object is not freed during the
    // call is in the contract that `Caller` stands for.
    Ok(unsafe { &(*handle.cast::<Tagged<O::Inside>>()).inside })
}

/// Takes an object back and drops it.
pub(crate) fn destroy<O: Opaque>(_: &Caller, handle: *mut O) -> Result<(), Status> {
    check(handle.cast_const())?;
    let object = handle.cast::<Tagged<O::Inside>>();
    // SAFETY: as in `borrow`.
    let tag = unsafe { &(*object).tag };
    if tag.swap(FREED, Ordering::AcqRel) != O::TAG {
        return Err(Status::BadHandle); // another thread was faster
    }
    // SAFETY: `create` made this slice of one, and the swap lets nobody but us come here.
    drop(unsafe { Box::from_raw(std::ptr::slice_from_raw_parts_mut(object, 1)) });
    Ok(())
}

fn check<O: Opaque>(handle: *const O) -> Result<(), Status> {
    let object = handle.cast::<Tagged<O::Inside>>();
    if object.is_null() {
        return Err(Status::NullPointer);
    }
    if !object.is_aligned() {
        return Err(Status::BadHandle);
    }
    // SAFETY: aligned and not null; the header asks for a handle of this library, which starts with a tag. For a stale one
    // this is a read of whatever is there now, which the header names as a mistake.
    let tag = unsafe { (*object.cast::<AtomicU64>()).load(Ordering::Acquire) };
    if tag == O::TAG { Ok(()) } else { Err(Status::BadHandle) }
}
