//! House rules of the source, checked as text.

use std::fs;
use std::path::{Path, PathBuf};

/// Rust files below a folder of this crate, with their text.
fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (mut open, mut found) = (vec![root.join(folder)], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder of this crate") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).expect("UTF-8");
                found.push((path.strip_prefix(root).expect("inside").to_owned(), text));
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no source in {}", root.display());
    found
}

/// The part of a file that is not its unit tests.
fn without_tests(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod ").next().unwrap_or(text)
}

fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or("")
}

fn is_data_plane(path: &Path) -> bool {
    // `deadline.rs` is where a host asks for a clock.
    !path.starts_with("src/build") && !path.starts_with("src/bin") && path != Path::new("src/deadline.rs")
}

#[test]
fn the_data_plane_neither_prints_nor_asks_the_process_or_the_clock() {
    let forbidden = [
        "println!",
        "print!(",
        "eprintln!",
        "eprint!(",
        "dbg!",
        "thread_local!",
        "std::env",
        "SystemTime",
        "Instant",
        "process::exit",
        "todo!",
        "unimplemented!",
    ];
    for (path, text) in sources("src").iter().filter(|(path, _)| is_data_plane(path)) {
        for (number, line) in without_tests(text).lines().enumerate() {
            let found = forbidden.iter().find(|word| code_of(line).contains(**word));
            assert_eq!(found, None, "{}:{}: not in the data plane", path.display(), number + 1);
        }
    }
}

#[test]
fn the_data_plane_does_not_panic_on_purpose() {
    for (path, text) in sources("src").iter().filter(|(path, _)| is_data_plane(path)) {
        for (number, line) in without_tests(text).lines().enumerate() {
            for word in [".unwrap()", ".expect(", "panic!(", "unreachable!(", " assert!(", "get_unchecked"] {
                let compile_time = code_of(line).trim_start().starts_with("const _: () =");
                assert!(
                    compile_time || !code_of(line).contains(word),
                    "{}:{}: {word} in the data plane",
                    path.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn unsafe_code_stays_in_five_files_and_says_why_it_is_sound() {
    let allowed =
        ["index/map.rs", "live/words.rs", "distance/avx2.rs", "distance/avx512.rs", "distance/neon.rs"];
    let allowed = allowed.map(|path| Path::new("src").join(path));
    for (path, text) in &sources("src") {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = code_of(line);
            let word = |word: &str| code.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w == word);
            if word("unsafe") || code.contains("allow(unsafe_code)") {
                assert!(allowed.contains(path), "{}:{}: unsafe", path.display(), number + 1);
            }
            if word("unsafe") {
                let before = lines[number.saturating_sub(6)..number].iter().rev();
                let mut comments = before.take_while(|l| l.trim_start().starts_with("//"));
                assert!(
                    comments.any(|l| l.contains("SAFETY:")),
                    "{}:{}: no SAFETY",
                    path.display(),
                    number + 1
                );
            }
        }
    }
    let lib =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).expect("it is there");
    assert!(lib.contains("#![deny(unsafe_code)]"));
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for (path, text) in &sources("src") {
        let lines: Vec<&str> = without_tests(text).lines().collect();
        if lines.len() > 600 {
            long.push(format!("{}: {} lines", path.display(), lines.len()));
        }
        for (start, line) in lines.iter().enumerate().filter(|(_, l)| is_function(l)) {
            // rustfmt closes a function at the indentation of its first line.
            let indent = line.len() - line.trim_start().len();
            let end = lines[start..].iter().position(|l| {
                l.len() - l.trim_start().len() == indent && (l.trim() == "}" || l.ends_with(" {}"))
            });
            let length = end.map_or(0, |end| end + 1);
            if length > 70 {
                long.push(format!("{}:{}: a function of {length} lines", path.display(), start + 1));
            }
        }
    }
    assert!(long.is_empty(), "too long:\n{}", long.join("\n"));
}

fn is_function(line: &str) -> bool {
    let mut words = line.split_whitespace().skip_while(|word| {
        ["pub", "pub(crate)", "pub(super)", "const", "unsafe", "extern", "\"C\""].contains(word)
    });
    words.next() == Some("fn")
}

#[test]
fn the_checks_see_what_they_look_for() {
    assert!(is_function("    pub(crate) const fn x() {") && !is_function("let x = fn_like();"));
    assert_eq!(code_of("let a = 1; // println!"), "let a = 1; ");
    assert_eq!(without_tests("a\n#[cfg(test)]\nmod tests {"), "a\n");
}
