//! Built indexes, kept below the data folder, each built in a process of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::data::Data;
use crate::peers;

/// How an index came to be; kept beside it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Built {
    /// Of the data it was built from.
    stamp: String,
    /// Reading the vectors and writing the index included.
    pub(crate) seconds: f64,
    pub(crate) peak_mb: f64,
    pub(crate) file_mb: f64,
}

/// The last line that a building process prints.
#[derive(Deserialize)]
struct Peak {
    peak: u64,
}

/// Where a searcher's files are.
pub(crate) fn folder(data: &Data, name: &str) -> PathBuf {
    data.folder.join("peers-cache").join(name)
}

/// Builds an index if it is not there yet.
pub(crate) fn ensure(data: &Data, name: &str, rebuild: bool) -> Result<Built, String> {
    peers::available(name)?;
    let folder = folder(data, name);
    let note = folder.join("built.json");
    let kept = fs::read_to_string(&note).ok().and_then(|text| serde_json::from_str::<Built>(&text).ok());
    if let Some(built) = kept.filter(|built| !rebuild && built.stamp == data.stamp()) {
        eprintln!("{name}: built before, in {:.1} s", built.seconds);
        return Ok(built);
    }
    let wrong = |e: std::io::Error| format!("{}: {e}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(wrong)?;
    }
    fs::create_dir_all(&folder).map_err(wrong)?;
    eprintln!("{name}: building");
    let start = Instant::now();
    let output = peers::builder(name, data, &folder)?
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("cannot start its builder: {e}"))?;
    let seconds = start.elapsed().as_secs_f64();
    if !output.status.success() {
        return Err(format!("building failed: {}; see above", output.status));
    }
    let last = String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned();
    let peak =
        serde_json::from_str::<Peak>(&last).map_err(|e| format!("its builder said {last:?}: {e}"))?.peak;
    let (peak_mb, file_mb) = (peak as f64 / 1e6, size(&folder) as f64 / 1e6);
    let built = Built { stamp: data.stamp(), seconds, peak_mb, file_mb };
    fs::write(&note, serde_json::to_string(&built).map_err(|e| e.to_string())?).map_err(wrong)?;
    eprintln!("{name}: built in {seconds:.1} s");
    Ok(built)
}

/// The command that builds one index by this very program.
pub(crate) fn own_builder(name: &str, data: &Data) -> Result<Command, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.arg("--data").arg(&data.folder).args(["--build-only", name]);
    Ok(command)
}

/// Bytes of all files below a folder.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|e| e.metadata().map_or(0, |m| if m.is_dir() { size(&e.path()) } else { m.len() })).sum()
}
