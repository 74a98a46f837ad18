//! Puts a finished catalog in place so that a reader sees the old file or the new one, whole.

use std::io::Write;
use std::path::Path;

use super::error::BuildError;
use crate::index::{Catalog, OpenOptions, Prefault};

/// Writes `bytes` beside `path`, syncs, opens and verifies the copy in full, renames it over `path`, syncs the directory.
///
/// # Errors
/// [`BuildError::Io`] where the system refuses, [`BuildError::File`] where the written file does not verify. The file that
/// was at `path` is untouched then, and no temporary file stays; only where the last step, syncing the folder, fails, the new
/// file is in place and may be lost in a power cut.
pub fn publish(bytes: &[u8], path: &Path) -> Result<(), BuildError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let io = |action| move |source| BuildError::Io { path: path.to_owned(), action, source };
    let mut file = tempfile::Builder::new()
        .prefix(".aftercart-")
        .suffix(".tmp")
        .tempfile_in(folder)
        .map_err(io("create a temporary file beside"))?;
    file.write_all(bytes).map_err(io("write"))?;
    file.as_file().sync_all().map_err(io("sync"))?;
    let options = OpenOptions { prefault: Prefault::None, ..OpenOptions::default() };
    Catalog::open(file.path(), options).map_err(|error| BuildError::File {
        path: path.to_owned(),
        problem: format!("the written file does not verify: {error}"),
        way_out: "check the disk, then build again".into(),
    })?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Temporary files are private; a catalog is read by other users' workers.
        let readable = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(readable).map_err(io("set permissions of"))?;
    }
    file.persist(path).map_err(|error| io("rename")(error.error))?;
    std::fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(io("sync the folder of"))
}
