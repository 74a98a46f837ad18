//! From rings to files.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
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

/// What was found in a ring whose process is gone, or leaves it to others, or why it could not be read.
#[derive(Debug)]
pub struct Recovered {
    /// Its name.
    pub ring: String,
    /// Whether its process goes on: then the ring stays.
    pub lives: bool,
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
        let path = ring::path_in(&self.folder, name);
        let (writer, reader) = ring::create(&path, capacity).map_err(io(&path, "make a ring"))?;
        Ok((writer, Drain { log: self.clone(), name: name.to_owned(), reader }))
    }

    /// Empties the rings whose processes are gone, and puts them away; and those that live and are left to others
    /// ([`ring::create_in`]), where there are engines. `engines` name items and arms: any that match are used. In a ring that
    /// lives, a decision that none of them names waits for one that does, until the ring is half full. Waits for others
    /// that do the same.
    ///
    /// # Errors
    /// [`LogError::Io`] where the rings cannot be listed. What is wrong with one ring is said of that ring.
    pub fn recover(&self, engines: &[Arc<Engine>]) -> Result<Vec<Recovered>, LogError> {
        let _alone = self.alone()?;
        let mut recovered = Vec::new();
        for path in self.list("rings", "ring")? {
            let ring = stem(&path);
            let reader = match RingReader::adopt(&path) {
                Ok(Some(reader)) if !reader.lives() || !engines.is_empty() => reader,
                Ok(_) => continue,
                Err(source) => {
                    let drained = Err(io(&path, "read the ring")(source));
                    recovered.push(Recovered { ring, lives: false, drained });
                    continue;
                }
            };
            let lives = reader.lives();
            let mut drain = Drain { log: self.clone(), name: ring.clone(), reader };
            let drained = drain.empty(engines).and_then(|drained| match lives {
                true => Ok(drained),
                false => drain.finish().map(|()| drained),
            });
            recovered.push(Recovered { ring, lives, drained });
        }
        Ok(recovered)
    }

    /// A lock on what only one process at a time may do to a log: it ends with what is returned, or with the process.
    pub(super) fn alone(&self) -> Result<File, LogError> {
        let path = self.folder.join("rings").join("lock");
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let file = file.map_err(io(&path, "open"))?;
        file.lock().map_err(io(&path, "lock"))?;
        Ok(file)
    }

    /// What became of all decisions of this log, as far as its rings say: those that are put away, and those that live or wait.
    ///
    /// # Errors
    /// [`LogError::Io`] where the rings cannot be listed or read.
    pub fn counts(&self) -> Result<RingCounts, LogError> {
        let mut all = BTreeMap::new();
        for path in self.list("rings", "ring")? {
            match RingReader::peek(&path) {
                Ok(counts) => drop(all.insert(stem(&path), counts)),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {} // put away by now
                Err(error) => return Err(io(&path, "read the ring")(error)),
            }
        }
        // What was put away in between has both files for a moment.
        for path in self.list("rings", "done")? {
            let text = std::fs::read(&path).map_err(io(&path, "read"))?;
            let Done { written, dropped, unreadable } =
                serde_json::from_slice(&text).map_err(|error| io(&path, "read")(error.into()))?;
            all.insert(stem(&path), RingCounts { written, drained: written, dropped, unreadable });
        }
        Ok(all.values().fold(RingCounts::default(), |sum, one| RingCounts {
            written: sum.written.saturating_add(one.written),
            drained: sum.drained.saturating_add(one.drained),
            dropped: sum.dropped.saturating_add(one.dropped),
            unreadable: sum.unreadable.saturating_add(one.unreadable),
        }))
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
        let waits = self.reader.lives() && !self.is_due();
        let (read, mut rows, mut drained) = (self.reader.read(), Vec::new(), Drained::default());
        for record in &read {
            match record.as_ref().map(|record| row(record, engines)) {
                Some(row) if waits && row.catalog.is_none() => break,
                Some(row) => {
                    drained.decisions += 1;
                    drained.unnamed += u64::from(row.catalog.is_none());
                    rows.push(row);
                }
                None => drained.unreadable += 1,
            }
        }
        if !rows.is_empty() {
            let name = format!("{}-{first:012}", self.name);
            self.log.publish(Table::Offers, &name, &decisions::offers(&rows)?)?;
            self.log.publish(Table::Decisions, &name, &decisions::decisions(&self.name, &rows)?)?;
        }
        self.reader.drained_to(drained.decisions + drained.unreadable, drained.unreadable);
        Ok(drained)
    }

    /// What became of the decisions so far.
    #[must_use]
    pub fn counts(&self) -> RingCounts {
        self.reader.counts()
    }

    /// Whether the ring is half full or more.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.counts().waiting() >= self.reader.capacity().div_ceil(2)
    }

    /// Puts an emptied ring away: keeps its counts, removes its file. Its writer must be gone.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn finish(self) -> Result<(), LogError> {
        let RingCounts { written, dropped, unreadable, .. } = self.counts();
        let done = Done { written, dropped, unreadable };
        let ring = ring::path_in(&self.log.folder, &self.name);
        let path = ring.with_extension("done");
        let text = serde_json::to_vec(&done).map_err(|error| io(&path, "write")(error.into()))?;
        put(&path, &text)?;
        std::fs::remove_file(&ring).map_err(io(&ring, "remove the ring"))
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
