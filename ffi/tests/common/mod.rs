//! What the tests share: the artifact that ships, and files that are checked in and compared.
#![allow(dead_code, unreachable_pub, reason = "each test uses some of it")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The workspace.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("ffi/ is in the workspace")
}

/// The folder of `libaftercart.so` and `libaftercart.a` as they ship.
///
/// Built by a cargo of its own: tests bring the feature `build` into their own invocation, and cargo unifies features
/// within one.
pub fn artifact() -> &'static Path {
    static ARTIFACT: OnceLock<PathBuf> = OnceLock::new();
    ARTIFACT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("artifact");
        let mut cargo = Command::new(env!("CARGO"));
        cargo.current_dir(root()).args(["build", "-p", "aftercart-ffi", "--release", "--locked", "--quiet"]);
        run(cargo.arg("--target-dir").arg(&target));
        let folder = target.join("release");
        // The loader looks for the soname.
        let link = folder.join("libaftercart.so.1");
        if !link.exists() {
            std::os::unix::fs::symlink("libaftercart.so", link).expect("the target folder can be written");
        }
        folder
    })
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", told(&output));
    String::from_utf8(output.stdout).expect("output is UTF-8")
}

/// Everything that a command printed, and how it ended.
pub fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
}

/// Compares a file that is checked in with what it must be; rewrites it where `AFTERCART_BLESS=1`.
pub fn compare(path: &str, expected: &str) {
    let file = root().join(path);
    if std::env::var_os("AFTERCART_BLESS").is_some_and(|bless| bless == "1") {
        std::fs::write(&file, expected).expect("the file can be written");
    }
    let found = std::fs::read_to_string(&file).unwrap_or_default();
    let differs = || {
        let line = found.lines().zip(expected.lines()).position(|(a, b)| a != b);
        let line = line.unwrap_or_else(|| found.lines().count().min(expected.lines().count()));
        let at = |text: &str| text.lines().nth(line).unwrap_or("(end)").to_owned();
        format!("line {}\n  there:    {}\n  expected: {}", line + 1, at(&found), at(expected))
    };
    assert!(
        found == expected,
        "{path} is not what the source says; AFTERCART_BLESS=1 rewrites it: {}",
        differs()
    );
}

/// A C compiler with all warnings as errors. For C++ the same sources are compiled as C++17.
pub fn compiler(language: &str) -> Command {
    let (program, standard) = if language == "c++" { ("g++", "c++17") } else { ("gcc", "c11") };
    let mut compiler = Command::new(program);
    compiler.args([
        "-x",
        language,
        &format!("-std={standard}"),
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        "-O1",
        "-g",
    ]);
    compiler.arg("-I").arg(root().join("include"));
    compiler
}
