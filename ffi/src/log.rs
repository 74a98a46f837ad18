//! Decisions that are kept: a decider writes them into a log's folder, and another process puts them into files.
#![allow(unsafe_code, reason = "exported functions: each is one `call`, whose SAFETY line is the header")]
#![allow(non_camel_case_types, reason = "these are the names that C sees")]

use std::ffi::c_char;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Instant, SystemTime};

use engine::Decider;
use engine::record::{RingWriter, ring};
use zerocopy::{FromBytes, FromZeros, Immutable, IntoBytes};

use crate::boundary::{Caller, call};
use crate::decider::lock;
use crate::engine::{Failure, path_of, reported};
use crate::fork;
use crate::handle;
use crate::request::flags;
use crate::status::Status;
use crate::types::*;

/// `aftercart_log_to`: also keep how long each decision took, by the system's monotonic clock.
pub const AFTERCART_LOG_TIMED: u32 = 1;
/// Records of a ring whose capacity nobody states: 3.4 MB.
const RECORDS: usize = 4096;

/// What became of the decisions of a decider since it logs. All zero where it does not.
#[repr(C)]
#[derive(Debug, Clone, Copy, FromBytes, IntoBytes, Immutable)]
pub struct aftercart_logged {
    /// `sizeof(aftercart_logged)`.
    pub struct_size: u32,
    /// 1 = it logs.
    pub logs: u32,
    /// Decisions made: logged and dropped.
    pub made: u64,
    /// Logged: in the ring, or in files.
    pub logged: u64,
    /// Lost, since the ring was full: drain it more often, or make it larger.
    pub dropped: u64,
    /// Of those logged, the ones that were put into files.
    pub drained: u64,
}

/// Lets a decider keep every decision from now on: in a ring, a file of its own in the folder of a log, which is made where it is not
/// there. Another process puts what is there into Parquet files, while this one lives and after it was killed:
/// `aftercart log --log FOLDER --catalog FILE --every 5`, run by a user who may write there.
///
/// `folder` has `folder_length` bytes and needs no zero byte; with none, the decider stops. A decider that logs there already goes on.
/// `capacity`: decisions that the ring holds until they are drained, of 824 bytes each on disk; 0 = 4096, at most 1048576. `flags`:
/// `AFTERCART_LOG_TIMED` or 0. `error` may be null. Writing a record is not waited for, allocates nothing and is no system call;
/// where the ring is full the decision is counted as dropped. What is kept says nothing of who the customer is.
///
/// After fork() the ring is the parent's: the child, of which the library hears by pthread_atfork(), does not log until it calls
/// this itself.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_log_to(
    decider: *mut aftercart_decider,
    folder: *const c_char,
    folder_length: usize,
    capacity: usize,
    flags: u32,
    error: *mut aftercart_error,
) -> i32 {
    let start = |caller: &Caller| {
        let folder = path_of(caller.bytes(folder.cast(), folder_length)?)?;
        let [timed] = self::flags(flags, [AFTERCART_LOG_TIMED])?;
        if capacity > ring::CAPACITY_MAX {
            return Err(Status::BadValue.into());
        }
        let capacity = if capacity == 0 { RECORDS } else { capacity };
        lock(handle::borrow(caller, decider.cast_const())?)?.log_to(folder, capacity, timed)
    };
    // SAFETY: the contract of the header.
    unsafe { call(|caller| reported(caller, error, start)) }
}

/// Says what became of the decisions of a decider. Set `logged->struct_size` before. No allocation.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn aftercart_log_counts(
    decider: *mut aftercart_decider,
    logged: *mut aftercart_logged,
) -> i32 {
    let count = |caller: &Caller| {
        let room = caller.room(logged)?;
        let counts = lock(handle::borrow(caller, decider.cast_const())?)?.logged();
        room.fill(&counts);
        Ok(Status::Ok)
    };
    // SAFETY: the contract of the header.
    unsafe { call(count) }
}

/// Where a decider logs.
#[derive(Debug, Default)]
pub(crate) struct Logging {
    folder: Option<PathBuf>,
    /// Forks before it began.
    forks: u32,
}

impl Logging {
    /// Goes on in a folder; an empty one ends it.
    pub(crate) fn go_to(
        &mut self,
        decider: &mut Decider,
        folder: &Path,
        capacity: usize,
        timed: bool,
    ) -> Result<(), Failure> {
        self.check(decider);
        if folder.as_os_str().is_empty() {
            self.end(decider);
        } else if self.folder.as_deref() != Some(folder) {
            fork::watch()?;
            let ring = new_ring(folder, capacity).map_err(|error| Failure::system(folder, &error))?;
            drop(decider.record_to(Some(ring)));
            *self = Self { folder: Some(folder.to_owned()), forks: fork::count() };
        }
        decider.time_with(timed.then_some(now_ns));
        Ok(())
    }

    /// Lets go of what is another process's.
    pub(crate) fn check(&mut self, decider: &mut Decider) {
        if self.folder.is_some() && self.forks != fork::count() {
            self.end(decider);
        }
    }

    pub(crate) fn counts(&self, decider: &Decider) -> aftercart_logged {
        let mut logged = aftercart_logged::new_zeroed();
        if let Some(counts) = decider.recorded() {
            logged.logs = 1;
            (logged.made, logged.logged) = (counts.made(), counts.written);
            (logged.dropped, logged.drained) = (counts.dropped, counts.drained);
        }
        logged
    }

    fn end(&mut self, decider: &mut Decider) {
        drop(decider.record_to(None));
        self.folder = None;
    }
}

/// A ring under a name that nobody has: two deciders may be made at the same instant.
fn new_ring(folder: &Path, capacity: usize) -> io::Result<RingWriter> {
    let mut tries = 0;
    loop {
        let name = ring::name(SystemTime::UNIX_EPOCH.elapsed().unwrap_or_default());
        match ring::create_in(folder, &name, capacity) {
            Err(taken) if taken.kind() == io::ErrorKind::AlreadyExists && tries < 100 => tries += 1,
            done => return done,
        }
    }
}

/// Nanoseconds since the first call.
fn now_ns() -> u64 {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}
