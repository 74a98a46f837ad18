//! Peers behind Python: an environment of their own, and one child process each, driven line by line.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};
use std::rc::Rc;
use std::sync::OnceLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::cache::Built;
use crate::contender::{Contender, Facts, Run, Setting, Task};
use crate::data::{Data, SharedMasks};

const REQUIREMENTS: &str = include_str!("../requirements.txt");
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/search/peers.py");

/// The environment, below `target`.
fn environment() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("peers-venv")
}

fn interpreter() -> PathBuf {
    environment().join("bin/python")
}

/// Whether a peer's modules can be imported; installs all of them at the first call.
pub(crate) fn available(name: &str) -> Result<(), String> {
    static INSTALLED: OnceLock<Result<(), String>> = OnceLock::new();
    INSTALLED.get_or_init(install).clone()?;
    let modules = match name {
        "faiss-ivf-sq8" => "import faiss",
        "rabitq-ivf" => "import rabitqlib, faiss",
        "scann" => "import scann",
        _ => "import hnswlib",
    };
    let tried = Command::new(interpreter()).args(["-c", modules]).output().map_err(|e| e.to_string())?;
    let said = String::from_utf8_lossy(&tried.stderr);
    let last = said.lines().last().unwrap_or("no reason given");
    if tried.status.success() { Ok(()) } else { Err(format!("`{modules}` failed: {last}")) }
}

/// Makes the environment where it is missing or was made for other versions.
fn install() -> Result<(), String> {
    let (folder, done) = (environment(), environment().join("installed.txt"));
    if fs::read_to_string(&done).is_ok_and(|text| text == REQUIREMENTS) {
        return Ok(());
    }
    eprintln!("making a Python environment for the peers in {}", folder.display());
    let python = ["python3.11", "python3.12", "python3.13", "python3"];
    let works = |name: &&str| Command::new(name).arg("--version").output().is_ok_and(|o| o.status.success());
    let python = python.iter().find(|name| works(name)).ok_or("no Python 3 on this machine")?;
    if !interpreter().exists() {
        say(Command::new(python).args(["-m", "venv"]).arg(&folder))?;
    }
    let mut whole = true;
    // One by one: what cannot be installed here must not keep out the others.
    for line in REQUIREMENTS.lines().filter(|line| !line.starts_with('#')) {
        let mut pip = Command::new(interpreter());
        if let Err(reason) = say(pip.args(["-m", "pip", "install", "--quiet", line])) {
            eprintln!("search: {line}: {reason}");
            whole = false;
        }
    }
    if whole { fs::write(done, REQUIREMENTS).map_err(|e| e.to_string()) } else { Ok(()) }
}

fn say(command: &mut Command) -> Result<(), String> {
    eprintln!("  {command:?}");
    let status = command.stdout(Stdio::null()).status().map_err(|e| e.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("{status}")) }
}

/// The script with a task for one peer.
pub(crate) fn command(task: &str, name: &str, data: &Data, folder: &Path) -> Result<Command, String> {
    let mut command = Command::new(interpreter());
    command.arg(SCRIPT).args([task, name]).arg(&data.folder).arg(folder);
    Ok(command)
}

/// One peer in a process of its own.
pub(crate) struct Child {
    facts: Facts,
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    hello: Hello,
}

/// What the child says when it has loaded its index.
#[derive(Default, Deserialize)]
struct Hello {
    how: String,
    settings: Vec<Setting>,
    filtered: Option<Vec<Setting>>,
    /// Resident bytes before loading.
    before: u64,
    resident: u64,
    load_seconds: f64,
    empty_call_us: Option<f64>,
    small_call_us: Option<f64>,
}

impl Child {
    pub(crate) fn open(
        name: &str,
        data: &Rc<Data>,
        built: &Built,
        folder: &Path,
    ) -> Result<Box<dyn Contender>, String> {
        let mut command = command("serve", name, data, folder)?;
        let mut process = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|e| format!("cannot start Python: {e}"))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            return Err("no pipes".to_owned());
        };
        let facts = Facts::of(name, String::new(), built);
        let output = BufReader::new(output);
        let mut child = Self { facts, process, input, output, hello: Hello::default() };
        child.hello = child.hear()?;
        let (facts, hello) = (&mut child.facts, &child.hello);
        facts.python = true;
        facts.how.clone_from(&hello.how);
        facts.load_seconds = hello.load_seconds;
        facts.resident_mb = hello.resident.saturating_sub(hello.before) as f64 / 1e6;
        facts.empty_call_us = hello.empty_call_us;
        facts.small_call_us = hello.small_call_us;
        Ok(Box::new(child))
    }

    fn hear<T: DeserializeOwned>(&mut self) -> Result<T, String> {
        let mut line = String::new();
        self.output.read_line(&mut line).map_err(|e| e.to_string())?;
        if line.is_empty() {
            let end = self.process.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
            return Err(format!("its process ended: {end}; see above"));
        }
        let value: serde_json::Value = serde_json::from_str(&line).map_err(|e| e.to_string())?;
        if let Some(error) = value.get("error") {
            return Err(error.to_string());
        }
        serde_json::from_value(value).map_err(|e| e.to_string())
    }

    fn ask<T: DeserializeOwned>(&mut self, command: &serde_json::Value) -> Result<T, String> {
        writeln!(self.input, "{command}").map_err(|e| format!("its process is gone: {e}"))?;
        self.hear()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Only this bench's own child, when the bench is done with it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Contender for Child {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn settings(&self, filtered: bool) -> Vec<Setting> {
        if filtered { self.hello.filtered.clone().unwrap_or_default() } else { self.hello.settings.clone() }
    }

    fn prepare(&mut self, masks: &SharedMasks) -> Result<(), String> {
        self.ask::<serde_json::Value>(&json!({"do": "prepare", "kept": masks.kept})).map(drop)
    }

    fn run(&mut self, task: &Task<'_>) -> Result<Run, String> {
        let run: Run = self.ask(&json!({
            "do": "run",
            "values": task.setting.values,
            "kept": task.kept,
            "queries": task.queries,
            "limit": task.limit.as_secs_f64(),
        }))?;
        if task.kept.is_none() {
            let grown = run.resident.saturating_sub(self.hello.before) as f64 / 1e6;
            self.facts.resident_mb = self.facts.resident_mb.max(grown);
        }
        Ok(run)
    }
}
