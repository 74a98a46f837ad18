//! Reads a policy file.

use std::path::Path;

use crate::build::error::BuildError;
use crate::policy::Policy;

/// Reads a TOML policy. Names are checked later, against a catalog.
///
/// # Errors
/// [`BuildError`]: the file cannot be read, or is not a policy; the message shows line and column.
pub fn read_policy(path: &Path) -> Result<Policy, BuildError> {
    let text = std::fs::read_to_string(path).map_err(|source| BuildError::Io {
        path: path.to_owned(),
        action: "read",
        source,
    })?;
    toml::from_str(&text).map_err(|error| BuildError::File {
        path: path.to_owned(),
        problem: error.to_string().trim_end().to_owned(),
        way_out: "the README's chapter on the policy lists what may stand where".into(),
    })
}
