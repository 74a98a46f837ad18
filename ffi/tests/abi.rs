//! The binary interface of the library as it ships: symbols, soname, layouts, statuses. `AFTERCART_BLESS=1` rewrites
//! `ffi/abi/`, from the header, which its own test rewrites first. What ABI 1 promised is in `ffi/abi/promised.txt`, to which
//! it only adds: a promise is broken with another ABI number and a file of its own.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

mod common;
#[path = "../src/status.rs"]
#[allow(dead_code, unreachable_pub)]
mod status;

#[test]
fn exactly_the_functions_of_the_header_are_exported() {
    let library = common::artifact().join("libaftercart.so");
    let table = common::run(Command::new("nm").args(["-D", "--defined-only"]).arg(library));
    let mut exported: Vec<&str> = table.lines().filter_map(|line| line.split_whitespace().last()).collect();
    exported.sort_unstable();
    let header = header();
    let mut declared: Vec<&str> = header
        .lines()
        .filter(|line| !line.starts_with("//") && !line.starts_with(' '))
        .filter_map(|line| line.split_once('(')?.0.rsplit([' ', '*']).next())
        .filter(|name| name.starts_with("aftercart_"))
        .collect();
    declared.sort_unstable();
    assert_eq!(exported, declared, "exported, and declared in the header");
    common::compare("ffi/abi/symbols.txt", &(exported.join("\n") + "\n"));
}

#[test]
fn the_soname_has_the_abi_number_of_the_header() {
    let library = common::artifact().join("libaftercart.so");
    let dynamic = common::run(Command::new("readelf").arg("-d").arg(library));
    let abi = header()
        .lines()
        .find_map(|line| line.strip_prefix("#define AFTERCART_ABI_VERSION ").map(str::to_owned));
    let soname = format!("soname: [libaftercart.so.{}]", abi.expect("the header has the ABI number"));
    assert!(dynamic.contains(&soname), "no {soname} in\n{dynamic}");
}

#[test]
fn sizes_and_offsets_are_those_of_the_table() {
    let mut program = String::from("#include <stdio.h>\n#include \"aftercart.h\"\nint main(void) {\n");
    for (name, fields) in structs(&header()) {
        writeln!(program, "printf(\"{name} size %zu align %zu\\n\", sizeof({name}), _Alignof({name}));")
            .unwrap();
        for field in fields {
            let size = format!("sizeof((({name} *)0)->{field})");
            writeln!(program, "printf(\"{name}.{field} %zu %zu\\n\", offsetof({name}, {field}), {size});")
                .unwrap();
        }
    }
    program.push_str("return 0; }\n");
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (source, binary) = (folder.join("layout.c"), folder.join("layout"));
    std::fs::write(&source, program).expect("the target folder can be written");
    common::run(common::compiler("c").arg(source).arg("-o").arg(&binary));
    let table = common::run(&mut Command::new(binary));
    for line in table.lines().filter(|line| line.contains(" align ") && !line.starts_with("aftercart_text "))
    {
        assert!(line.ends_with(" align 8"), "every struct that a pointer leads to is aligned alike: {line}");
    }
    for (name, bytes) in gaps(&table) {
        assert_eq!(bytes, 0, "{name} has padding, whose bytes would be undefined");
    }
    common::compare("ffi/abi/layout.txt", &table);
}

#[test]
fn statuses_are_those_of_the_list() {
    let list = status::Status::ALL.iter().map(|s| format!("{} {}\n", s.code(), s.name().to_str().unwrap()));
    common::compare("ffi/abi/status.txt", &list.collect::<String>());
}

#[test]
fn the_pkg_config_file_lists_what_a_static_link_needs() {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(common::root()).args([
        "rustc",
        "-p",
        "aftercart-ffi",
        "--release",
        "--locked",
        "--lib",
    ]);
    cargo.arg("--target-dir").arg(common::artifact().parent().expect("it is target/release"));
    // The crate type keeps cargo from taking the finished library for an answer.
    let output = cargo.args(["--crate-type", "staticlib", "--", "--print", "native-static-libs"]).output();
    let told = common::told(&output.expect("cargo runs"));
    let needed =
        told.lines().find_map(|line| line.split_once("native-static-libs: ")).expect("rustc lists them").1;
    let template = include_str!("../aftercart.pc.in");
    let listed =
        template.lines().find_map(|line| line.strip_prefix("Libs.private: ")).expect("it has the line");
    assert_eq!(listed, needed.trim());
}

#[test]
fn what_was_promised_is_kept() {
    let now = promise(&header());
    let kept = std::fs::read_to_string(common::root().join("ffi/abi/promised.txt")).expect("it is there");
    assert_eq!(broken(&kept, &now), Vec::<String>::new(), "a program that was compiled before would not run");
    common::compare("ffi/abi/promised.txt", &now);
}

#[test]
fn a_broken_promise_is_found() {
    let then = "aftercart_a size 16 align 8\naftercart_a.x 0 8\naftercart_a.y 8 8\naftercart_text size 8 align 4\n\
                #define AFTERCART_B 1\nint32_t aftercart_f(int32_t a);\n";
    assert!(broken(then, then).is_empty());
    let kept = |from: &str, to: &str| broken(then, &then.replace(from, to)).is_empty();
    assert!(kept("a size 16", "a size 24") && kept("#define", "#define AFTERCART_C 2\n#define"));
    assert!(kept("aftercart_text", "aftercart_a.z 16 8\naftercart_text"));
    for (from, to) in [
        ("a size 16", "a size 8"),
        ("a size 16 align 8", "a size 16 align 16"),
        ("aftercart_a.y 8 8", "aftercart_a.y 12 8"),
        ("aftercart_a.y 8 8", "aftercart_a.y 8 4"),
        ("aftercart_a.y 8 8\n", ""),
        ("text size 8", "text size 16"),
        ("AFTERCART_B 1", "AFTERCART_B 2"),
        ("int32_t a", "int64_t a"),
    ] {
        assert!(!kept(from, to), "{from} to {to}");
    }
}

/// Places of fields, numbers and signatures: what a compiled program rests on. Reserved fields may get a name.
fn promise(header: &str) -> String {
    let layout = std::fs::read_to_string(common::root().join("ffi/abi/layout.txt")).expect("it is there");
    let mut lines: Vec<String> =
        layout.lines().filter(|line| !line.contains(".reserved ")).map(str::to_owned).collect();
    let release = |line: &&str| line.starts_with("#define AFTERCART_VERSION_");
    let numbers = header.lines().filter(|line| line.starts_with("#define AFTERCART_") && !release(line));
    let numbers = numbers.map(|line| line.split(" //").next().unwrap_or("").to_owned());
    lines.extend(numbers.filter(|line| line.split(' ').count() > 2)); // not the guard
    let code: Vec<&str> = header.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let functions = code.join(" ");
    let functions = functions.split(';').filter_map(|part| {
        let start = part.find("int32_t aftercart_").or_else(|| part.find("uint32_t aftercart_"));
        let start = start.or_else(|| part.find("const char *aftercart_"))?;
        part.contains('(').then(|| part[start..].split_whitespace().collect::<Vec<_>>().join(" ") + ";")
    });
    lines.extend(functions);
    lines.iter().fold(String::new(), |text, line| text + line + "\n")
}

/// The promises that no longer hold. A struct may have grown, but not one that lies within others or is kept by the host.
fn broken(then: &str, now: &str) -> Vec<String> {
    let size = |line: &str| -> Option<(String, u64)> {
        let mut words = line.split(' ');
        let (name, is_size, bytes) = (words.next()?, words.next()? == "size", words.next()?.parse().ok()?);
        is_size.then(|| (format!("{name} {}", words.next_back().unwrap_or("")), bytes))
    };
    let sizes: Vec<_> = now.lines().filter_map(size).collect();
    let grown = |line: &str| match size(line) {
        Some((of, _))
            if ["aftercart_text ", "aftercart_lease "].iter().any(|fixed| of.starts_with(fixed)) =>
        {
            false
        }
        Some((of, bytes)) => sizes.iter().any(|(name, now)| *name == of && *now >= bytes),
        None => false,
    };
    let same = |line: &str| now.lines().any(|other| other == line);
    then.lines().filter(|line| !same(line) && !grown(line)).map(str::to_owned).collect()
}

fn header() -> String {
    std::fs::read_to_string(common::root().join("include/aftercart.h")).expect("the header is there")
}

/// The structs of the header with their fields.
fn structs(header: &str) -> Vec<(String, Vec<String>)> {
    let (mut all, mut fields) = (Vec::new(), Vec::new());
    for line in header.lines() {
        if let Some(name) = line.strip_prefix("} ").and_then(|rest| rest.strip_suffix(';')) {
            all.push((name.to_owned(), std::mem::take(&mut fields)));
        } else if let Some(field) = line.strip_prefix("  ").and_then(|rest| rest.strip_suffix(';')) {
            let name = field.rsplit(' ').next().unwrap_or("").split('[').next().unwrap_or("");
            if !field.starts_with([' ', '/']) && !field.contains(')') {
                fields.push(name.to_owned());
            }
        }
    }
    all
}

/// Bytes of each struct that no field covers.
fn gaps(table: &str) -> Vec<(String, i64)> {
    let mut gaps: Vec<(String, i64)> = Vec::new();
    for line in table.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let number = |at: usize| words[at].parse::<i64>().expect("a number");
        if words[1] == "size" {
            gaps.push((words[0].to_owned(), number(2)));
        } else if let Some((_, gap)) = gaps.last_mut() {
            *gap -= number(2);
        }
    }
    gaps
}
