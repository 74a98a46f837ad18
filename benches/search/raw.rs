//! Files of raw numbers, little-endian.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zerocopy::{FromBytes, IntoBytes};

/// All numbers of a file.
pub(crate) fn read<T: FromBytes + IntoBytes + Clone>(path: &Path) -> Result<Vec<T>, String> {
    let wrong = |e: std::io::Error| format!("{}: {e}", path.display());
    let mut file = File::open(path).map_err(wrong)?;
    let length = file.metadata().map_err(wrong)?.len() as usize;
    if !length.is_multiple_of(size_of::<T>()) {
        return Err(format!(
            "{}: {length} bytes are not whole numbers of {} bytes",
            path.display(),
            size_of::<T>()
        ));
    }
    let mut values = vec![T::new_zeroed(); length / size_of::<T>()];
    file.read_exact(values.as_mut_slice().as_mut_bytes()).map_err(wrong)?;
    Ok(values)
}
