//! The log: decisions and what came of them, as Parquet files in one folder. Control plane: it allocates, and asks the system.
//!
//! ```text
//! LOG/rings/NAME.ring             what deciders have written and nobody has drained yet
//! LOG/rings/NAME.done             what became of a ring that is drained: counts, as JSON
//! LOG/decisions/NAME-FIRST.parquet    a row per decision
//! LOG/offers/NAME-FIRST.parquet       a row per offer of a slate, ghosts too
//! LOG/events/....parquet          what came of them
//! LOG/incoming/events.jsonl       what came of them and nobody has taken in yet
//! ```
//!
//! Files appear whole, by renaming, and never change; folders of several machines may be copied into one. Beside each file lies
//! its XXH3 sum (`.xxh3`), so that [`Log::files`] can leave out what is damaged. [`columns`] lists every column.

pub mod columns;
mod decisions;
mod drain;
mod events;
mod read;

use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use xxhash_rust::xxh3::xxh3_64;

use crate::replace::{Readers, replace};

pub use crate::event::{Event, EventKind};
pub use drain::{Drain, Drained, Recovered};
pub use events::{Imported, LineProblem};
pub use read::{LogData, Logged, LoggedCandidate, LoggedSlot};

/// Why the log cannot be written or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// The system refused.
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What was tried.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// Rows that do not make a Parquet file.
    #[error("{}: {problem}", path.display())]
    Parquet {
        /// The file.
        path: PathBuf,
        /// What the writer or reader said.
        problem: String,
    },
    /// A name that does not name a file in every system.
    #[error("\"{name}\": a ring's name is 1 to 64 of the characters a-z, A-Z, 0-9, - and _")]
    Name {
        /// The name.
        name: String,
    },
}

fn io(path: &Path, action: &'static str) -> impl FnOnce(std::io::Error) -> LogError {
    let path = path.to_owned();
    move |source| LogError::Io { path, action, source }
}

/// The tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    /// A row per decision.
    Decisions,
    /// A row per offer of a slate.
    Offers,
    /// A row per event.
    Events,
}

impl Table {
    /// All.
    pub const ALL: [Self; 3] = [Self::Decisions, Self::Offers, Self::Events];

    /// Name of its folder, and in SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Offers => "offers",
            Self::Events => "events",
        }
    }

    /// Its columns, without a row.
    ///
    /// # Errors
    /// None, as long as each listed column is made.
    pub fn empty(self) -> Result<RecordBatch, LogError> {
        match self {
            Self::Decisions => decisions::decisions("", &[]),
            Self::Offers => decisions::offers(&[]),
            Self::Events => events::rows(&[]),
        }
    }
}

/// A folder of the log.
#[derive(Debug, Clone)]
pub struct Log {
    folder: PathBuf,
}

/// The files of a table.
#[derive(Debug, Default)]
pub struct Files {
    /// Whole ones, by name.
    pub whole: Vec<PathBuf>,
    /// Damaged ones, and why.
    pub skipped: Vec<(PathBuf, String)>,
}

impl Log {
    /// Opens a log, and makes its folders where they are not there.
    ///
    /// # Errors
    /// [`LogError::Io`].
    pub fn open(folder: &Path) -> Result<Self, LogError> {
        for name in Table::ALL.map(Table::name).into_iter().chain(["rings"]) {
            let folder = folder.join(name);
            std::fs::create_dir_all(&folder).map_err(io(&folder, "make the folder"))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The files of a table: those that are whole, and those that are not. Reads each of them.
    ///
    /// # Errors
    /// [`LogError::Io`] where the folder cannot be listed.
    pub fn files(&self, table: Table) -> Result<Files, LogError> {
        let mut files = Files::default();
        for path in self.list(table.name(), "parquet")? {
            match damage(&path, table) {
                None => files.whole.push(path),
                Some(problem) => files.skipped.push((path, problem)),
            }
        }
        Ok(files)
    }

    /// Files of a folder by name.
    fn list(&self, name: &str, extension: &str) -> Result<Vec<PathBuf>, LogError> {
        let folder = self.folder.join(name);
        let entries = std::fs::read_dir(&folder).map_err(io(&folder, "list the folder"))?;
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<Result<Vec<_>, _>>().map_err(io(&folder, "list the folder"))?;
        paths.retain(|path| path.extension().is_some_and(|own| own == extension));
        paths.sort();
        Ok(paths)
    }

    /// Writes rows to a file, which appears whole or not at all.
    fn publish(&self, table: Table, name: &str, rows: &RecordBatch) -> Result<PathBuf, LogError> {
        let path = self.folder.join(table.name()).join(format!("{name}.parquet"));
        let failed = |problem: parquet::errors::ParquetError| LogError::Parquet {
            path: path.clone(),
            problem: problem.to_string(),
        };
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let mut bytes = Vec::new();
        let mut writer = ArrowWriter::try_new(&mut bytes, rows.schema(), Some(properties)).map_err(failed)?;
        writer.write(rows).map_err(failed)?;
        writer.close().map_err(failed)?;
        let sum = sum_of(&path);
        match std::fs::remove_file(&sum) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(io(&sum, "remove the sum")(error));
            }
            _ => {}
        }
        put(&path, &bytes)?;
        put(&sum, format!("{:016x}\n", xxh3_64(&bytes)).as_bytes())?;
        Ok(path)
    }
}

/// Where the sum of a file lies.
fn sum_of(path: &Path) -> PathBuf {
    path.with_extension("parquet.xxh3")
}

/// Puts a file in place, whole, under a name that may be taken.
fn put(path: &Path, bytes: &[u8]) -> Result<(), LogError> {
    let refused = |action, source| LogError::Io { path: path.to_owned(), action, source };
    replace(path, bytes, Readers::Owner, refused, |_| Ok(()))
}

/// What is wrong with a file. One without a sum (its writer was killed between the two) is read whole instead.
fn damage(path: &Path, table: Table) -> Option<String> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return Some(error.to_string()),
    };
    match std::fs::read_to_string(sum_of(path)) {
        Ok(sum) if sum.trim() == format!("{:016x}", xxh3_64(&bytes)) => {}
        Ok(_) => return Some("its bytes are not those that were written".into()),
        Err(_) => {
            if let Err(problem) = read_batches(bytes.into()) {
                return Some(problem);
            }
        }
    }
    let found = columns_of(path).unwrap_or_default();
    let missing = columns::of(table).iter().find(|(name, ..)| !found.iter().any(|own| own == name));
    missing.map(|(name, ..)| format!("it has no column \"{name}\": of another version"))
}

fn columns_of(path: &Path) -> Option<Vec<String>> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(path).ok()?).ok()?;
    Some(builder.schema().fields().iter().map(|field| field.name().clone()).collect())
}

/// All rows of a file.
fn read_batches(bytes: bytes::Bytes) -> Result<Vec<RecordBatch>, String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).and_then(|builder| builder.build());
    reader.map_err(|e| e.to_string())?.collect::<Result<_, _>>().map_err(|e| e.to_string())
}
