//! What can go wrong while a catalog is built, with the place and the way out.

use std::path::PathBuf;

/// Why a catalog could not be built. No variant leaves a half-written file behind.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// A file could not be opened, read or written.
    #[error("{}: {action} failed: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What was tried: `open`, `read`, `write`, `rename`.
        action: &'static str,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row or field of an input file is not what it must be.
    #[error("{}:{line}: {field}: {problem}\n  way out: {way_out}", path.display())]
    Field {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1; the header is line 1.
        line: u64,
        /// The column or key.
        field: String,
        /// What is wrong, with the value found.
        problem: String,
        /// What to change.
        way_out: String,
    },
    /// A file as a whole is not usable: a missing column, an unknown format.
    #[error("{}: {problem}\n  way out: {way_out}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to change.
        way_out: String,
    },
    /// The policy does not fit the catalog.
    #[error("the policy does not fit the catalog: {0}\n  way out: correct the policy, or the feed")]
    Policy(#[from] crate::policy::PolicyError),
    /// The inputs do not fit together, or exceed a limit of the format.
    #[error("{problem}\n  way out: {way_out}")]
    Input {
        /// What is wrong.
        problem: String,
        /// What to change.
        way_out: String,
    },
}
