//! The `aftercart` command, as people run it.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "each test binary uses its own part")]

use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs it in a folder, with `input` on its standard input.
pub fn aftercart(arguments: &[&str], folder: &Path, input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_aftercart"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("it reads");
    child.wait_with_output().expect("it ends")
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What it prints where it succeeds, as it must.
pub fn says(arguments: &[&str], folder: &Path) -> String {
    let output = aftercart(arguments, folder, "");
    assert!(output.status.success(), "{arguments:?}: {}", text(&output.stderr));
    text(&output.stdout)
}

/// What it complains of where it fails, as it must.
pub fn fails(arguments: &[&str], folder: &Path) -> String {
    let output = aftercart(arguments, folder, "");
    assert!(!output.status.success(), "{arguments:?} did not fail");
    text(&output.stderr)
}
