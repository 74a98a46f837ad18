//! The binary interface of the library as it ships: symbols, soname, layouts, statuses. `AFTERCART_BLESS=1` rewrites
//! `ffi/abi/`, from the header, which its own test rewrites first; once the ABI is frozen, only additions may.

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
