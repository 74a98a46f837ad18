//! The system's allocator, which counts what one thread asks of it. Whoever includes this file has it for the whole binary.
#![allow(
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "shared by tests and benches"
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

thread_local! {
    /// Allocations, deallocations, and whether they are counted. Needs no heap itself.
    static COUNTS: Cell<(u64, u64, bool)> = const { Cell::new((0, 0, false)) };
}

struct Counting;

fn count(taken: u64, given: u64) {
    let (a, d, on) = COUNTS.get();
    if on {
        COUNTS.set((a + taken, d + given, on));
    }
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(1, 0);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        count(0, 1);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(1, 1);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and deallocations of `work`.
pub fn counted<R>(work: impl FnOnce() -> R) -> (R, u64, u64) {
    COUNTS.set((0, 0, true));
    let result = work();
    let (taken, given, _) = COUNTS.replace((0, 0, false));
    (result, taken, given)
}
