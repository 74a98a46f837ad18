//! Runs a scenario under valgrind's callgrind and reads what it counted.

use std::path::Path;
use std::process::Command;

/// What callgrind saw of a scenario.
pub(crate) struct Counted {
    /// Over all its requests.
    pub(crate) instructions: u64,
    /// The kernel that the CPU, as valgrind shows it, was given.
    pub(crate) kernel: String,
}

/// Counting goes on and off with this function: found by its name, so it holds no closure of its own.
#[inline(never)]
pub(crate) fn counted_region<R>(work: impl FnOnce() -> R) -> R {
    std::hint::black_box(work())
}

/// Runs this program once more, for one scenario.
pub(crate) fn count(scenario: &str, catalog: &Path, folder: &Path) -> Result<Counted, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let out = folder.join(format!("{scenario}.callgrind"));
    // Without an environment, which lies on the stack and moves what lies below.
    let mut command = Command::new("valgrind");
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.args(["-q", "--tool=callgrind", "--collect-atstart=no", "--toggle-collect=*counted_region*"]);
    command.arg(format!("--callgrind-out-file={}", out.display()));
    command.arg(program).args(["--run", scenario]).arg(catalog);
    let ran = command
        .output()
        .map_err(|e| format!("valgrind does not start ({e}); install it: apt-get install valgrind"))?;
    if !ran.status.success() {
        return Err(format!("{scenario} under valgrind: {}", String::from_utf8_lossy(&ran.stderr)));
    }
    let profile = std::fs::read_to_string(&out).map_err(|e| format!("{}: {e}", out.display()))?;
    let instructions = profile.lines().find_map(|line| line.strip_prefix("totals: ")?.trim().parse().ok());
    Ok(Counted {
        instructions: instructions.ok_or_else(|| format!("{}: no totals", out.display()))?,
        kernel: String::from_utf8_lossy(&ran.stdout).trim().to_owned(),
    })
}
