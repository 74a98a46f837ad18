//! Puts a file in place so that a reader sees the old one or the new one, whole.

use std::io::Write;
use std::path::Path;

/// Who may read a file, before the process's umask takes away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Readers {
    /// All: other users' workers open it.
    #[cfg_attr(not(feature = "build"), allow(dead_code, reason = "models and catalogs are made with it"))]
    All,
    /// Its owner: it tells of people.
    #[cfg_attr(not(feature = "log"), allow(dead_code, reason = "logs are made with it"))]
    Owner,
}

/// Writes `bytes` beside `path`, syncs, lets `check` look at the copy, renames it over `path`, syncs the folder. `refused` makes
/// an error of what was tried and what the system said. Where it fails before the rename, what was at `path` is untouched and no
/// temporary file stays; only where the last step fails is the new file in place, and may be lost in a power cut.
pub(crate) fn replace<E>(
    path: &Path,
    bytes: &[u8],
    readers: Readers,
    refused: impl Fn(&'static str, std::io::Error) -> E,
    check: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut options = tempfile::Builder::new();
    options.prefix(".aftercart-").suffix(".tmp");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = if readers == Readers::All { 0o666 } else { 0o600 };
        options.permissions(std::fs::Permissions::from_mode(mode));
    }
    #[cfg(not(unix))]
    let _ = readers;
    let file = options.tempfile_in(folder);
    let mut file = file.map_err(|e| refused("create a temporary file beside", e))?;
    file.write_all(bytes).map_err(|e| refused("write", e))?;
    file.as_file().sync_all().map_err(|e| refused("sync", e))?;
    check(file.path())?;
    file.persist(path).map_err(|e| refused("rename", e.error))?;
    let synced = std::fs::File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|e| refused("sync the folder of", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_pass_leaves_the_old_file_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let put = |bytes: &[u8], ok: bool| {
            let check = |_: &Path| if ok { Ok(()) } else { Err("no".to_owned()) };
            replace(&path, bytes, Readers::All, |action, error| format!("{action}: {error}"), check)
        };
        put(b"old", true).unwrap();
        assert_eq!(put(b"new", false), Err("no".to_owned()));
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        put(b"new", true).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
    }

    #[cfg(unix)]
    #[test]
    fn others_read_what_is_for_all_as_far_as_the_umask_lets_them() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let usual = folder.path().join("usual");
        std::fs::write(&usual, b"").unwrap();
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        for (readers, want) in [(Readers::All, mode(&usual)), (Readers::Owner, mode(&usual) & 0o700)] {
            let path = folder.path().join("file");
            replace(&path, b"", readers, |_, error| error, |_| Ok(())).unwrap();
            assert_eq!(mode(&path), want, "{readers:?}");
        }
    }
}
