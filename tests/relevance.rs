//! `aftercart relevance` as its users type it, on the bundled orders: cut, build, judge.
#![cfg(feature = "cli")]

#[path = "common/command.rs"]
mod command;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use command::{aftercart, says, text};
use serde_json::{Value, json};

fn bundled(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/data").join(name);
    path.to_str().expect("UTF-8").to_owned()
}

fn json_lines(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("it is there");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

const JUDGE: [&str; 9] = [
    "relevance",
    "--catalog",
    "shop.aftercart",
    "--cases",
    "cases.jsonl",
    "--truth",
    "truth.jsonl",
    "--train",
    "train.csv.gz",
];

/// Cases of the bundled orders, forty a task, and a catalog of the orders before them.
fn cut_and_built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let (products, orders) = (bundled("products.csv.gz"), bundled("orders.csv.gz"));
    let mut cut = vec!["relevance", "--products", &products, "--orders", &orders, "--cut", "2017-10-01"];
    cut.extend(["--write-cases", ".", "--per-task", "40", "--quiet"]);
    let said = says(&cut, folder.path());
    assert!(said.contains("40 completion, 40 next14, 40 new14"), "{said}");
    let mut build = vec!["build", "--products", &products, "--orders", "train.csv.gz"];
    build.extend(["--out", "shop.aftercart", "--no-calibration", "--dim", "64", "--quiet"]);
    says(&build, folder.path());
    folder
}

/// Ten right offers to each case of one task, and none to another.
fn write_peers(folder: &Path) {
    let mut perfect = String::new();
    for line in json_lines(&folder.join("truth.jsonl")) {
        let of = |task: &str| line["case_id"].as_str().is_some_and(|id| id.starts_with(task));
        if of("completion") {
            perfect += &format!("{}\n", json!({ "case_id": line["case_id"], "offers": line["relevant"] }));
        } else if of("next14") {
            perfect += &format!("{}\n", json!({ "case_id": line["case_id"], "offers": [] }));
        }
    }
    fs::write(folder.join("recs-<perfect>.jsonl"), perfect).expect("written");
}

/// What `decide --jsonl` answers to the cases.
fn decided(folder: &Path, how: &[&str]) -> String {
    let cases = fs::File::open(folder.join("cases.jsonl")).expect("it is there");
    let mut command = Command::new(env!("CARGO_BIN_EXE_aftercart"));
    command.args(["decide", "--catalog", "shop.aftercart", "--jsonl"]).args(how);
    text(&command.current_dir(folder).stdin(cases).output().expect("it ends").stdout)
}

/// Coverage and offers per case of a task at a floor, as the command is to print them.
fn shown(folder: &Path, task: &str, floor: &str, how: &[&str]) -> String {
    let answers = decided(folder, how);
    let answers = answers.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let offers: Vec<usize> = answers
        .filter(|answer| answer["case_id"].as_str().is_some_and(|id| id.starts_with(task)))
        .map(|answer| answer["offers"].as_array().expect("a list").len())
        .collect();
    let share = |count: usize| count as f64 / offers.len() as f64;
    let coverage = share(offers.iter().filter(|offers| **offers > 0).count());
    format!("{task:<10}  {floor:>5} {coverage:>9.4} {:>8.2} ", share(offers.iter().sum()))
}

#[test]
fn a_catalog_is_judged_beside_its_peers() {
    let folder = cut_and_built();
    let folder = folder.path();
    write_peers(folder);
    let slates = decided(folder, &["--slots", "10", "--floor", "0"]);
    fs::write(folder.join("recs-decided.jsonl"), slates).expect("written");
    let peers = ["--peers", "recs-<perfect>.jsonl", "recs-decided.jsonl"];
    let out = ["--csv", "table.csv", "--out", "report.html", "--examples", "7", "--quiet"];
    let said = says(&[&JUDGE[..], &peers, &out].concat(), folder);
    for part in ["completion  <perfect>", "1.0000*", "coverage", "predicted"] {
        assert!(said.contains(part), "\"{part}\" is missing in:\n{said}");
    }
    for (task, floor) in [("completion", "0.5"), ("completion", "0.7"), ("new14", "0.8")] {
        let line = shown(folder, task, floor, &["--floor", floor]);
        assert!(said.contains(&line), "no \"{line}\" in:\n{said}");
    }
    for (task, least) in [("completion", "0.02"), ("next14", "0.02")] {
        let policy = format!("version = 1\n[placement]\nmin_p_accept = {least}\n");
        fs::write(folder.join("likely.toml"), policy).expect("written");
        let line = shown(folder, task, least, &["--policy", "likely.toml"]);
        assert!(said.contains(&line), "no \"{line}\" in:\n{said}");
    }
    let table = fs::read_to_string(folder.join("table.csv")).expect("written");
    let rows: Vec<Vec<&str>> = table.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let row = |task: &str, method: &str| {
        rows.iter().find(|row| row[0] == task && row[1] == method).map(|row| row[2..].to_vec())
    };
    assert_eq!(row("completion", "<perfect>").unwrap()[..7], ["40", "1", "0", "1", "1", "1", "0"]);
    assert_eq!(row("next14", "<perfect>").unwrap()[..7], ["40", "0", "0", "0", "0", "0", "0"]);
    assert_eq!(row("new14", "<perfect>"), None, "it did not take part");
    for task in ["completion", "next14", "new14"] {
        let ours = row(task, "this catalog").unwrap();
        assert_eq!(Some(&ours), row(task, "decided").as_ref(), "the path of `decide`");
        assert_eq!(ours[6], "0", "look-alikes");
    }
}

#[test]
fn the_page_is_whole_escaped_and_alike_each_time() {
    let folder = cut_and_built();
    let folder = folder.path();
    write_peers(folder);
    let peers = ["--peers", "recs-<perfect>.jsonl", "--quiet", "--examples", "7"];
    for name in ["one.html", "two.html"] {
        says(&[&JUDGE[..], &peers, &["--out", name]].concat(), folder);
    }
    let page = fs::read_to_string(folder.join("one.html")).expect("written");
    assert_eq!(page, fs::read_to_string(folder.join("two.html")).expect("written"));
    assert_eq!(page.matches("<article>").count(), 7);
    assert_eq!(page.matches("<svg ").count(), 9);
    assert!(page.contains("&lt;perfect&gt;") && !page.contains("<perfect>"));
    for outside in ["<script", "src=", "href=", "url(", "@import"] {
        assert!(!page.contains(outside), "{outside}");
    }
    for tag in ["table", "figure", "svg", "article", "ul", "ol", "li", "details", "div", "tr", "td"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}

#[test]
fn errors_name_file_line_field_and_way_out() {
    let folder = cut_and_built();
    let folder = folder.path();
    let whole = |name: &str| fs::read_to_string(folder.join(name)).expect("it is there");
    let (cases, truth) = (whole("cases.jsonl"), whole("truth.jsonl"));
    let lines = |text: &str, at: usize, with: &str| {
        let mut lines: Vec<&str> = text.lines().collect();
        lines[at] = with;
        lines.join("\n")
    };
    let first = truth.lines().next().expect("a line");
    for (name, content, parts) in [
        ("truth.jsonl", lines(&truth, 1, r#"{"case_id":"x"}"#), ["truth.jsonl:2", "relevant", "way out"]),
        ("truth.jsonl", lines(&truth, 2, first), ["truth.jsonl:3", "case_id", "twice"]),
        ("cases.jsonl", lines(&cases, 3, "nonsense"), ["cases.jsonl:4", "column 2", "way out"]),
        (
            "cases.jsonl",
            lines(&cases, 4, r#"{"case_id":"x","task":"a"}"#),
            ["cases.jsonl:5", "\"x\"", "truth"],
        ),
        ("cases.jsonl", String::new(), ["cases.jsonl", "no case", "--write-cases"]),
        (
            "recs.jsonl",
            r#"{"case_id":"x","offers":["a","a"]}"#.to_owned(),
            ["recs.jsonl:1", "offers", "\"a\""],
        ),
    ] {
        fs::write(folder.join("cases.jsonl"), &cases).expect("written");
        fs::write(folder.join("truth.jsonl"), &truth).expect("written");
        fs::write(folder.join("recs.jsonl"), "").expect("written");
        fs::write(folder.join(name), content).expect("written");
        let output = aftercart(&[&JUDGE[..], &["--peers", "recs.jsonl", "--quiet"]].concat(), folder, "");
        let said = text(&output.stderr);
        assert!(!output.status.success());
        for part in parts {
            assert!(said.contains(part), "\"{part}\" is missing in: {said}");
        }
    }
    let cut = ["relevance", "--products", &bundled("products.csv.gz"), "--orders", "train.csv.gz", "--quiet"];
    let output =
        aftercart(&[&cut[..], &["--cut", "2030-01-01", "--write-cases", "none"]].concat(), folder, "");
    let said = text(&output.stderr);
    assert!(
        said.contains("--cut") && said.contains("after 2030-01-01") && said.contains("way out"),
        "{said}"
    );
    assert!(!folder.join("none").exists());
}
