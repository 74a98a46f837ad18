//! Puts a finished catalog in place so that a reader sees the old file or the new one, whole.

use std::path::Path;

use super::error::BuildError;
use crate::index::{Catalog, OpenOptions, Prefault};
use crate::replace::{Readers, replace};

/// Writes `bytes` beside `path`, syncs, opens and verifies the copy in full, renames it over `path`, syncs the directory.
///
/// # Errors
/// [`BuildError::Io`] where the system refuses, [`BuildError::File`] where the written file does not verify. The file that
/// was at `path` is untouched then, and no temporary file stays; only where the last step, syncing the folder, fails, the new
/// file is in place and may be lost in a power cut.
pub fn publish(bytes: &[u8], path: &Path) -> Result<(), BuildError> {
    let refused = |action, source| BuildError::Io { path: path.to_owned(), action, source };
    replace(path, bytes, Readers::All, refused, |written| {
        let options = OpenOptions { prefault: Prefault::None, ..OpenOptions::default() };
        Catalog::open(written, options).map(drop).map_err(|error| BuildError::File {
            path: path.to_owned(),
            problem: format!("the written file does not verify: {error}"),
            way_out: "check the disk, then build again".into(),
        })
    })
}
