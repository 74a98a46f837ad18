//! From rings to files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::decisions::{self, Row};
use super::{Log, LogError, Table, io, put};
use crate::engine::Engine;
use crate::record::{DecisionRecord, RingCounts, RingReader, RingWriter, ring};

/// Empties one ring into files. Belongs to a thread of the host's choice, or to whoever comes after a process that died.
#[derive(Debug)]
pub struct Drain {
    log: Log,
    name: String,
    reader: RingReader,
    /// Records that were damaged.
    unreadable: u64,
}

/// What one emptying did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Drained {
    /// Decisions written to files.
    pub decisions: u64,
    /// Of those, the ones whose catalog was not at hand, so that items have no ids.
    pub unnamed: u64,
    /// Records that were damaged, and are lost.
    pub unreadable: u64,
}

/// What was found in a ring whose process is gone, or why it could not be read.
#[derive(Debug)]
pub struct Recovered {
    /// Its name.
    pub ring: String,
    /// What was drained, or why nothing.
    pub drained: Result<Drained, LogError>,
}

/// What became of a ring, for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
struct Done {
    written: u64,
    dropped: u64,
    unreadable: u64,
}

impl Log {
    /// Makes a ring in this log for so many records of 824 bytes, and the drain that empties it. Its name is its own for ever: a
    /// machine, a process and a time.
    ///
    /// # Errors
    /// [`LogError::Name`]; [`LogError::Io`], also where the name is taken.
    pub fn ring(&self, name: &str, capacity: usize) -> Result<(RingWriter, Drain), LogError> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if !(1..=64).contains(&name.len()) || !name.bytes().all(allowed) {
            return Err(LogError::Name { name: name.to_owned() });
        }
        let done = self.ring_path(name, "done");
        if done.exists() {
            return Err(io(&done, "make a ring of this name")(std::io::ErrorKind::AlreadyExists.into()));
        }
        let path = self.ring_path(name, "ring");
        let (writer, reader) = ring::create(&path, capacity).map_err(io(&path, "make a ring"))?;
        Ok((writer, Drain { log: self.clone(), name: name.to_owned(), reader, unreadable: 0 }))
    }

    fn ring_path(&self, name: &str, extension: &str) -> PathBuf {
        self.folder.join("rings").join(format!("{name}.{extension}"))
    }

    /// Empties and puts away the rings whose processes are gone. `engines` name items and arms: any that match are used.
    ///
    /// # Errors
    /// [`LogError::Io`] where the rings cannot be listed. What is wrong with one ring is said of that ring.
    pub fn recover(&self, engines: &[Arc<Engine>]) -> Result<Vec<Recovered>, LogError> {
        let mut recovered = Vec::new();
        for path in self.list("rings", "ring")? {
            let ring = stem(&path);
            let drained = match RingReader::adopt(&path) {
                Ok(None) => continue,
                Ok(Some(reader)) => {
                    let mut drain = Drain { log: self.clone(), name: ring.clone(), reader, unreadable: 0 };
                    drain.empty(engines).and_then(|drained| drain.finish().map(|()| drained))
                }
                Err(source) => Err(io(&path, "read the ring")(source)),
            };
            recovered.push(Recovered { ring, drained });
        }
        Ok(recovered)
    }

    /// What became of all decisions of this log, as far as its rings say: those that are put away, and those that live or wait.
    ///
    /// # Errors
    /// [`LogError::Io`] where the rings cannot be listed or read.
    pub fn counts(&self) -> Result<RingCounts, LogError> {
        let mut sum = RingCounts::default();
        for path in self.list("rings", "done")? {
            let text = std::fs::read(&path).map_err(io(&path, "read"))?;
            let done: Done =
                serde_json::from_slice(&text).map_err(|error| io(&path, "read")(error.into()))?;
            sum.written += done.written;
            sum.drained += done.written;
            sum.dropped += done.dropped;
        }
        for path in self.list("rings", "ring")? {
            let counts = RingReader::peek(&path).map_err(io(&path, "read the ring"))?;
            sum.written += counts.written;
            sum.drained += counts.drained;
            sum.dropped += counts.dropped;
        }
        Ok(sum)
    }
}

fn stem(path: &Path) -> String {
    path.file_stem().map_or_else(String::new, |stem| stem.to_string_lossy().into_owned())
}

impl Drain {
    /// Writes what is in the ring to files, and only then frees it. Killed in between, the next one writes the same files again,
    /// so nothing is lost or there twice. Call it now and then, and well before the ring is full.
    ///
    /// # Errors
    /// [`LogError`]: nothing was freed.
    pub fn empty(&mut self, engines: &[Arc<Engine>]) -> Result<Drained, LogError> {
        let first = self.reader.counts().drained;
        let (records, unreadable) = self.reader.read();
        let rows: Vec<Row<'_>> = records.iter().map(|record| row(record, engines)).collect();
        if !rows.is_empty() {
            let name = format!("{}-{first:012}", self.name);
            self.log.publish(Table::Offers, &name, &decisions::offers(&rows)?)?;
            self.log.publish(Table::Decisions, &name, &decisions::decisions(&self.name, &rows)?)?;
        }
        let unnamed = rows.iter().filter(|row| row.catalog.is_none()).count() as u64;
        let decisions = rows.len() as u64;
        self.reader.drained_to(decisions + unreadable);
        self.unreadable += unreadable;
        Ok(Drained { decisions, unnamed, unreadable })
    }

    /// What became of the decisions so far.
    #[must_use]
    pub fn counts(&self) -> RingCounts {
        self.reader.counts()
    }

    /// Whether the ring is half full or more.
    #[must_use]
    pub fn is_due(&self) -> bool {
        let counts = self.counts();
        (counts.written - counts.drained) * 2 >= self.reader.capacity()
    }

    /// Puts an emptied ring away: keeps its counts, removes its file. Its writer must be gone.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn finish(self) -> Result<(), LogError> {
        let RingCounts { written, dropped, .. } = self.counts();
        let done = Done { written, dropped, unreadable: self.unreadable };
        let path = self.log.ring_path(&self.name, "done");
        let text = serde_json::to_vec(&done).map_err(|error| io(&path, "write")(error.into()))?;
        put(&path, &text)?;
        let path = self.log.ring_path(&self.name, "ring");
        std::fs::remove_file(&path).map_err(io(&path, "remove the ring"))
    }
}

fn row<'a>(record: &'a DecisionRecord, engines: &'a [Arc<Engine>]) -> Row<'a> {
    let find = |same: &dyn Fn(&Engine) -> bool| engines.iter().map(AsRef::as_ref).find(|engine| same(engine));
    Row {
        record,
        catalog: find(&|engine| engine.generations().index == record.generations.index),
        policy: find(&|engine| engine.generations().policy == record.generations.policy),
    }
}
