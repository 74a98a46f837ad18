//! A bounded ring of records between one decider and one drain: in memory, or in a file that outlives its process.
//!
//! The writer neither waits nor allocates: where the ring is full it counts and drops. The reader may be in another process.
//! A file is locked by who made it as long as they live; what a killed process left in it is read by [`RingReader::adopt`].
//! So of the decisions that were made, each is in the ring, drained, or counted as dropped, at every instant.
//!
//! A maker that does not drain says so in the file ([`create_in`]): then another process drains it while it lives.
//!
//! The file is words of 64 bits, little-endian: magic, version and words per record, capacity, written, drained, dropped, 1 where
//! another process drains, records that were unreadable; then the records, round and round.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
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
    pub(super) const FOR_ANOTHER: usize = 6;
    pub(super) const UNREADABLE: usize = 7;
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
    /// Of those drained, the ones that were damaged: lost.
    pub unreadable: u64,
}

impl RingCounts {
    /// Decisions made.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.written.saturating_add(self.dropped)
    }

    /// Written and not yet drained.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.written.saturating_sub(self.drained)
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
        let [dropped, unreadable] = [header::DROPPED, header::UNREADABLE].map(|at| self.header(at));
        RingCounts { written, drained, dropped, unreadable }
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
    lives: bool,
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
    make(path, capacity, false).map(ends)
}

/// Likewise in a log's folder, which is made where it is not there, for a process that does not drain it: the command
/// `aftercart log` does, or `Log::recover` of any other process, while this one lives and afterwards.
///
/// # Errors
/// As [`create`]: `AlreadyExists` where a ring of this name is or was there.
pub fn create_in(log: &Path, name: &str, capacity: usize) -> io::Result<RingWriter> {
    let path = path_in(log, name);
    std::fs::create_dir_all(path.parent().unwrap_or(log))?;
    Ok(RingWriter { ring: Arc::new(make(&path, capacity, true)?) })
}

/// Where a ring lies in a log.
pub(crate) fn path_in(log: &Path, name: &str) -> PathBuf {
    log.join("rings").join(format!("{name}.ring"))
}

/// A name for a ring that no other has: this machine, this process, and a time of the host's clock.
#[must_use]
pub fn name(since_epoch: std::time::Duration) -> String {
    let machine = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let machine: String = machine.chars().filter(char::is_ascii_alphanumeric).take(24).collect();
    let machine = if machine.is_empty() { "here" } else { &machine };
    format!("{machine}-{}-{}", std::process::id(), since_epoch.as_nanos())
}

fn make(path: &Path, capacity: usize, for_another: bool) -> io::Result<Ring> {
    let capacity = capacity.clamp(1, CAPACITY_MAX);
    if path.with_extension("done").exists() {
        return Err(io::ErrorKind::AlreadyExists.into()); // a name is used once
    }
    // Written beside, and linked into place when it is whole: nobody looks at half of it.
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&beside)?;
    let filled = fill(&mut file, capacity, for_another).and_then(|()| std::fs::hard_link(&beside, path));
    let _ = std::fs::remove_file(&beside); // what stays of it is never opened
    filled?;
    let words = Words::map(&file, HEADER_WORDS + capacity * RECORD_WORDS)?;
    Ok(Ring { memory: Memory::File(words, file), capacity: capacity as u64 })
}

fn fill(file: &mut File, capacity: usize, for_another: bool) -> io::Result<()> {
    file.lock()?;
    let mut head = [0; HEADER_WORDS];
    (head[header::MAGIC], head[header::VERSION], head[header::CAPACITY]) = (MAGIC, VERSION, capacity as u64);
    head[header::FOR_ANOTHER] = for_another.into();
    file.write_all(&head.map(u64::to_le_bytes).concat())?;
    for _ in 0..capacity {
        file.write_all(&[0; 8 * RECORD_WORDS])?;
    }
    Ok(())
}

fn ends(ring: Ring) -> (RingWriter, RingReader) {
    let ring = Arc::new(ring);
    (RingWriter { ring: Arc::clone(&ring) }, RingReader { ring, lives: false })
}

impl RingWriter {
    /// Writes a record, or counts it as dropped where the reader is a whole ring behind. No allocation, no lock, no system call.
    pub(crate) fn write(&mut self, record: &mut DecisionRecord) {
        let ring = &*self.ring;
        let [written, drained] = [header::WRITTEN, header::DRAINED].map(|at| ring.header(at));
        let dropped = ring.header(header::DROPPED);
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
    /// Takes over a file whose process is gone, or that its process leaves to others ([`create_in`]); `None` where it lives and
    /// drains it itself. Of a file that lives only one reader at a time may drain: `Log::recover` sees to it.
    ///
    /// # Errors
    /// The file cannot be read, locked or mapped, or is no ring of this version (`InvalidData`).
    pub fn adopt(path: &Path) -> io::Result<Option<Self>> {
        let file = OpenOptions::new().read(true).write(true).open(path)?;
        let lives = match file.try_lock() {
            Ok(()) => false,
            Err(std::fs::TryLockError::WouldBlock) => true,
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        };
        let ring = Ring::open(file)?;
        let mine = !lives || ring.header(header::FOR_ANOTHER) == 1;
        Ok(mine.then(|| Self { ring: Arc::new(ring), lives }))
    }

    /// Whether its writer was there in another process when this was made.
    #[must_use]
    pub fn lives(&self) -> bool {
        self.lives
    }

    /// What became of the decisions of a file, whoever has it.
    ///
    /// # Errors
    /// As [`Self::adopt`].
    pub fn peek(path: &Path) -> io::Result<RingCounts> {
        Ok(Ring::open(File::options().read(true).write(true).open(path)?)?.counts())
    }

    /// Records that are there and were not yet drained, oldest first; `None` = not readable (a damaged file).
    /// They stay until [`Self::drained_to`] says that they are safe elsewhere.
    #[must_use]
    pub fn read(&self) -> Vec<Option<DecisionRecord>> {
        let counts = self.ring.counts();
        let from = counts.drained.max(counts.written.saturating_sub(self.ring.capacity));
        let record = |number| {
            let mut words = [0; RECORD_WORDS];
            words.iter_mut().zip(self.ring.place(number)).for_each(|(to, from)| *to = from.get());
            DecisionRecord::from_words(&words)
        };
        (from..counts.written).map(record).collect()
    }

    /// Frees the first so many of what [`Self::read`] gave, of which so many were not readable.
    pub fn drained_to(&mut self, count: u64, unreadable: u64) {
        let counts = self.ring.counts();
        let drained = counts.drained.saturating_add(count).min(counts.written);
        self.ring.set_header(header::UNREADABLE, counts.unreadable.saturating_add(unreadable));
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
