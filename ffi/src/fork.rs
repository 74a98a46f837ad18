//! Whether this process was forked: what it writes alone must not be written by its child too.
#![allow(unsafe_code)]

use std::sync::atomic::{AtomicU32, Ordering};

use crate::status::Status;

static FORKS: AtomicU32 = AtomicU32::new(0);

/// How many forks lie between this process and the one that called [`watch`] first. One load.
pub(crate) fn count() -> u32 {
    FORKS.load(Ordering::Relaxed)
}

/// Lets [`count`] hear of forks from now on.
#[cfg(unix)]
pub(crate) fn watch() -> Result<(), Status> {
    use std::sync::OnceLock;

    type Handler = Option<extern "C" fn()>;
    unsafe extern "C" {
        // Of POSIX, and in every C library that `std` links.
        fn pthread_atfork(prepare: Handler, parent: Handler, child: Handler) -> i32;
    }
    extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }
    static WATCHED: OnceLock<bool> = OnceLock::new();
    // SAFETY: the handler is never unloaded (`build.rs`), and only adds to an atomic, which is allowed after a fork.
    let watched = *WATCHED.get_or_init(|| unsafe { pthread_atfork(None, None, Some(forked)) } == 0);
    if watched { Ok(()) } else { Err(Status::OutOfMemory) }
}

/// There is no fork.
#[cfg(not(unix))]
pub(crate) fn watch() -> Result<(), Status> {
    Ok(())
}
