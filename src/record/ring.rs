//! A bounded ring of records between one decider and one drain: in memory, or in a file that outlives its process.
//!
//! The writer neither waits nor allocates: where the ring is full it counts and drops. The reader may be in another process.
//! A file is locked by who made it as long as they live; what a killed process left in it is read by [`RingReader::adopt`].
//! So of the decisions that were made, each is in the ring, drained, or counted as dropped, at every instant.
//!
//! The file is words of 64 bits, little-endian: magic, version and words per record, capacity, written, drained, dropped, two
//! zeros; then the records, round and round.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

use super::DecisionRecord;
use super::layout::RECORD_WORDS;
use crate::live::words::{Word, Words};

const MAGIC: u64 = u64::from_le_bytes(*b"\x89aftring");
const VERSION: u64 = 1 << 32 | RECORD_WORDS as u64;
const HEADER_WORDS: usize = 8;

/// Places of the header.
mod header {
    pub(super) const MAGIC: usize = 0;
    pub(super) const VERSION: usize = 1;
    pub(super) const CAPACITY: usize = 2;
    pub(super) const WRITTEN: usize = 3;
    pub(super) const DRAINED: usize = 4;
    pub(super) const DROPPED: usize = 5;
}

/// Most records of a ring: 864 MB.
pub const CAPACITY_MAX: usize = 1 << 20;

/// What became of the decisions of a ring.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RingCounts {
    /// Written, drained or not.
    pub written: u64,
    /// Of those, drained.
    pub drained: u64,
    /// Made while the ring was full: lost.
    pub dropped: u64,
}

impl RingCounts {
    /// Decisions made.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.written + self.dropped
    }
}

#[derive(Debug)]
enum Memory {
    Own(Box<[Word]>),
    /// The file is kept for its lock.
    File(Words, #[expect(dead_code, reason = "holds the lock")] File),
}

#[derive(Debug)]
struct Ring {
    memory: Memory,
    capacity: u64,
}

impl Ring {
    fn open(file: File) -> io::Result<Self> {
        let bytes = file.metadata()?.len();
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("not a ring: {what}"));
        if bytes < 8 * HEADER_WORDS as u64 {
            return Err(bad("shorter than its header"));
        }
        let words = Words::map(&file, HEADER_WORDS)?;
        let head = |at: usize| words.all().get(at).map_or(0, Word::get);
        let capacity = head(header::CAPACITY);
        if head(header::MAGIC) != MAGIC || head(header::VERSION) != VERSION {
            return Err(bad("of another kind or version"));
        }
        let all = HEADER_WORDS as u64 + capacity.min(CAPACITY_MAX as u64) * RECORD_WORDS as u64;
        if !(1..=CAPACITY_MAX as u64).contains(&capacity) || bytes != 8 * all {
            return Err(bad("its size is not what its header says"));
        }
        let words = Words::map(&file, all as usize)?;
        Ok(Self { memory: Memory::File(words, file), capacity })
    }

    #[inline]
    fn words(&self) -> &[Word] {
        match &self.memory {
            Memory::Own(words) => words,
            Memory::File(words, _) => words.all(),
        }
    }

    #[inline]
    fn header(&self, at: usize) -> u64 {
        self.words().get(at).map_or(0, Word::get)
    }

    fn set_header(&self, at: usize, value: u64) {
        if let Some(word) = self.words().get(at) {
            word.set(value);
        }
    }

    fn place(&self, number: u64) -> &[Word] {
        let at = HEADER_WORDS + (number % self.capacity.max(1)) as usize * RECORD_WORDS;
        self.words().get(at..at + RECORD_WORDS).unwrap_or(&[])
    }

    fn counts(&self) -> RingCounts {
        // In this order, so that no more is drained than written.
        let drained = self.header(header::DRAINED);
        let written = self.header(header::WRITTEN);
        RingCounts { written, drained, dropped: self.header(header::DROPPED) }
    }
}

/// The end of a ring that a decider writes to: see [`crate::Decider::record_to`]. One to a ring.
#[derive(Debug)]
pub struct RingWriter {
    ring: Arc<Ring>,
}

/// The end of a ring that a drain reads. One to a ring.
#[derive(Debug)]
pub struct RingReader {
    ring: Arc<Ring>,
}

/// A ring in memory for so many records (1 to [`CAPACITY_MAX`]; others are taken as the nearest). What is in it is lost with its
/// process.
#[must_use]
pub fn in_memory(capacity: usize) -> (RingWriter, RingReader) {
    let capacity = capacity.clamp(1, CAPACITY_MAX);
    let words = (0..HEADER_WORDS + capacity * RECORD_WORDS).map(|_| Word::new(0)).collect();
    ends(Ring { memory: Memory::Own(words), capacity: capacity as u64 })
}

/// A ring in a new file, for so many records of 824 bytes. What was decided is in it as soon as the decision returns, and stays
/// when the process is killed. It is written whole here, so that no later write waits for room on the disk. Mapped: who
/// truncates it kills the processes that use it (SIGBUS).
///
/// # Errors
/// The file exists, or the system refuses to make, fill, lock or map it.
pub fn create(path: &Path, capacity: usize) -> io::Result<(RingWriter, RingReader)> {
    let capacity = capacity.clamp(1, CAPACITY_MAX);
    let mut file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.lock()?;
    let mut head = [0; HEADER_WORDS];
    (head[header::MAGIC], head[header::VERSION], head[header::CAPACITY]) = (MAGIC, VERSION, capacity as u64);
    file.write_all(&head.map(u64::to_le_bytes).concat())?;
    for _ in 0..capacity {
        file.write_all(&[0; 8 * RECORD_WORDS])?;
    }
    let words = Words::map(&file, HEADER_WORDS + capacity * RECORD_WORDS)?;
    Ok(ends(Ring { memory: Memory::File(words, file), capacity: capacity as u64 }))
}

fn ends(ring: Ring) -> (RingWriter, RingReader) {
    let ring = Arc::new(ring);
    (RingWriter { ring: Arc::clone(&ring) }, RingReader { ring })
}

impl RingWriter {
    /// Writes a record, or counts it as dropped where the reader is a whole ring behind. No allocation, no lock, no system call.
    pub(crate) fn write(&mut self, record: &mut DecisionRecord) {
        let ring = &*self.ring;
        let RingCounts { written, drained, dropped } = ring.counts();
        if written.wrapping_sub(drained) >= ring.capacity {
            ring.set_header(header::DROPPED, dropped + 1);
            return;
        }
        record.number = written + dropped + 1;
        for (word, value) in ring.place(written).iter().zip(record.as_words()) {
            word.lay(value);
        }
        ring.set_header(header::WRITTEN, written + 1); // from here on a reader sees it
    }

    /// What became of its decisions.
    #[must_use]
    pub fn counts(&self) -> RingCounts {
        self.ring.counts()
    }
}

impl RingReader {
    /// Takes over a file whose process is gone; `None` where it lives and drains it itself.
    ///
    /// # Errors
    /// The file cannot be read, locked or mapped, or is no ring of this version (`InvalidData`).
    pub fn adopt(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        Ok(Some(Self { ring: Arc::new(Ring::open(file)?) }))
    }

    /// What became of the decisions of a file, whoever has it.
    ///
    /// # Errors
    /// As [`Self::adopt`].
    pub fn peek(path: &Path) -> io::Result<RingCounts> {
        Ok(Ring::open(File::options().read(true).write(true).open(path)?)?.counts())
    }

    /// Records that are there and were not yet drained, oldest first, with how many were not readable (a damaged file).
    /// They stay until [`Self::drained_to`] says that they are safe elsewhere.
    #[must_use]
    pub fn read(&self) -> (Vec<DecisionRecord>, u64) {
        let counts = self.ring.counts();
        let from = counts.drained.max(counts.written.saturating_sub(self.ring.capacity));
        let (mut records, mut unreadable) = (Vec::new(), 0);
        for number in from..counts.written {
            let mut words = [0; RECORD_WORDS];
            words.iter_mut().zip(self.ring.place(number)).for_each(|(to, from)| *to = from.get());
            match DecisionRecord::from_words(&words) {
                Some(record) => records.push(record),
                None => unreadable += 1,
            }
        }
        (records, unreadable)
    }

    /// Frees the first so many of what [`Self::read`] gave, readable or not.
    pub fn drained_to(&mut self, count: u64) {
        let counts = self.ring.counts();
        let drained = counts.drained.saturating_add(count).min(counts.written);
        self.ring.set_header(header::DRAINED, drained);
    }

    /// What became of the decisions.
    #[must_use]
    pub fn counts(&self) -> RingCounts {
        self.ring.counts()
    }

    /// Records it has room for.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.ring.capacity
    }
}
