//! Where a catalog's bytes live. The only file that maps memory.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use super::OpenError;

/// A catalog's bytes: mapped from a file, or owned.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// Shared with every process that maps the same file.
    Mapped(memmap2::Mmap),
    /// This process's own copy.
    Owned(Vec<u8>),
    /// This process's own copy, in huge pages where the system has them.
    Huge(memmap2::Mmap),
}

impl Bytes {
    /// Maps a regular file read-only.
    pub(crate) fn map(path: &Path) -> Result<Self, OpenError> {
        let file = open_regular(path)?;
        // Should the contract below be broken, every number is bounds-checked where it is used, so a changed byte can
        // mislead a decision but not memory; a truncated file raises SIGBUS, for which `OpenMode::Copy` is the answer.
        //
        // SAFETY: the mapping is read-only. Its bytes must not change while it lives; the deployment upholds this by
        // publishing with rename and never writing in place (the README's limits).
        let map = unsafe { memmap2::Mmap::map(&file) };
        map.map(Self::Mapped).map_err(|source| io(path, "map", source))
    }

    /// Reads a regular file into memory of this process.
    pub(crate) fn copy(path: &Path) -> Result<Self, OpenError> {
        let mut file = open_regular(path)?;
        let mut bytes = Vec::new();
        let length = file.metadata().map_err(|source| io(path, "inspect", source))?.len();
        let length = usize::try_from(length).map_err(|_| OpenError::OutOfMemory { bytes: length })?;
        bytes.try_reserve_exact(length).map_err(|_| OpenError::OutOfMemory { bytes: length as u64 })?;
        file.read_to_end(&mut bytes).map_err(|source| io(path, "read", source))?;
        Ok(Self::Owned(bytes))
    }

    /// Reads a regular file into anonymous memory for which the system was asked to use huge pages.
    pub(crate) fn copy_huge(path: &Path) -> Result<Self, OpenError> {
        let mut file = open_regular(path)?;
        let length = file.metadata().map_err(|source| io(path, "inspect", source))?.len();
        let length = usize::try_from(length).map_err(|_| OpenError::OutOfMemory { bytes: length })?;
        let memory = memmap2::MmapMut::map_anon(length.max(1));
        let mut memory = memory.map_err(|_| OpenError::OutOfMemory { bytes: length as u64 })?;
        #[cfg(target_os = "linux")]
        let _ = memory.advise(memmap2::Advice::HugePage); // advice only: without huge pages it is a plain copy
        let bytes = memory.get_mut(..length).unwrap_or(&mut []);
        file.read_exact(bytes).map_err(|source| io(path, "read", source))?;
        memory.make_read_only().map(Self::Huge).map_err(|source| io(path, "protect", source))
    }

    /// The bytes.
    pub(crate) fn as_slice(&self) -> &[u8] {
        match self {
            Self::Mapped(map) | Self::Huge(map) => map,
            Self::Owned(bytes) => bytes,
        }
    }

    /// Tells the system that reads of the mapped file will jump about: it then reads the page that is missed and not those
    /// around it, which can be megabytes for each miss.
    pub(crate) fn expect_jumps(&self) {
        #[cfg(unix)]
        if let Self::Mapped(map) = self {
            let _ = map.advise(memmap2::Advice::Random); // advice only: a refusal costs speed, not correctness
        }
    }

    /// Asks the system for the part of a range that is there, and does not wait for the disk.
    pub(crate) fn ask(&self, range: Range<usize>) {
        #[cfg(unix)]
        if let Self::Mapped(map) = self {
            let end = range.end.min(map.len());
            for start in (range.start..end).step_by(ASKED_AT_ONCE) {
                let _ = map.advise_range(memmap2::Advice::WillNeed, start, ASKED_AT_ONCE.min(end - start));
            }
        }
        #[cfg(not(unix))]
        let _ = range;
    }

    /// Reads a byte of each page of a mapped range: waits for the disk where a page is not in memory.
    pub(crate) fn touch(&self, range: Range<usize>) {
        if let Self::Mapped(map) = self {
            let range = range.start.min(map.len())..range.end.min(map.len());
            let pages = map.get(range).unwrap_or(&[]).chunks(PAGE);
            let sum = pages.fold(0u8, |sum, page| sum.wrapping_add(page.first().copied().unwrap_or(0)));
            std::hint::black_box(sum);
        }
    }
}

/// The least that Linux reads for one advice; of more it may silently drop the rest.
#[cfg(unix)]
const ASKED_AT_ONCE: usize = 128 << 10;

/// The smallest page.
pub(crate) const PAGE: usize = 4096;

fn open_regular(path: &Path) -> Result<File, OpenError> {
    // Asked by path first, since opening a pipe would wait for a writer; then of what was really opened.
    let named = std::fs::metadata(path).map_err(|source| io(path, "open", source))?;
    if !named.is_file() {
        return Err(io(path, "open", std::io::Error::other("not a regular file")));
    }
    let file = File::open(path).map_err(|source| io(path, "open", source))?;
    let metadata = file.metadata().map_err(|source| io(path, "inspect", source))?;
    if metadata.is_file() {
        Ok(file)
    } else {
        Err(io(path, "open", std::io::Error::other("not a regular file")))
    }
}

fn io(path: &Path, action: &'static str, source: std::io::Error) -> OpenError {
    OpenError::Io { path: path.to_owned(), action, source }
}
