//! Memory that processes share: a file mapped read-write, seen as atomic words and nothing else.
#![allow(unsafe_code)]

use std::fs::File;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

/// A 64-bit little-endian word that other processes may change at any moment.
#[derive(Debug)]
#[repr(transparent)]
pub(crate) struct Word(AtomicU64);

impl Word {
    pub(crate) const fn new(value: u64) -> Self {
        Self(AtomicU64::new(value.to_le()))
    }

    /// Puts a value there that no other process looks at until another word tells it to.
    #[inline]
    pub(crate) fn lay(&self, value: u64) {
        self.0.store(value.to_le(), Ordering::Relaxed);
    }

    /// Its value, and all that was written before it.
    #[inline]
    pub(crate) fn get(&self) -> u64 {
        u64::from_le(self.0.load(Ordering::Acquire))
    }

    pub(crate) fn set(&self, value: u64) {
        self.0.store(value.to_le(), Ordering::SeqCst);
    }

    /// Puts `new` in place of `old`; says whether `old` was still there.
    pub(crate) fn swap(&self, old: u64, new: u64) -> bool {
        self.0.compare_exchange(old.to_le(), new.to_le(), Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    /// Its value, in one order with all swaps of all processes.
    pub(crate) fn get_in_order(&self) -> u64 {
        u64::from_le(self.0.load(Ordering::SeqCst))
    }
}

/// A mapped file of words.
#[derive(Debug)]
pub(crate) struct Words {
    map: memmap2::MmapRaw,
    count: usize,
}

impl Words {
    /// Maps the first `count` words of a file, which must have them.
    pub(crate) fn map(file: &File, count: usize) -> io::Result<Self> {
        let bytes = count.checked_mul(size_of::<Word>()).ok_or(io::ErrorKind::OutOfMemory)?;
        let map = memmap2::MmapOptions::new().len(bytes).map_raw(file)?;
        Ok(Self { map, count })
    }

    #[inline]
    pub(crate) fn all(&self) -> &[Word] {
        // A file that somebody truncates raises SIGBUS here as in any mapping: the README's limits say who must not.
        //
        // SAFETY: the mapping starts at a page, has `count` words (`map`), and lives as long as `self`. Any bits are a valid
        // word, and every process reads and writes them as words, atomically; nobody makes another reference to them.
        unsafe { std::slice::from_raw_parts(self.map.as_ptr().cast::<Word>(), self.count) }
    }

    /// Asks the system to write what changed to the disk, and waits for it.
    pub(crate) fn flush(&self) -> io::Result<()> {
        self.map.flush()
    }
}
