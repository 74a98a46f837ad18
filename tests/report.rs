//! A month of made-up customers over real baskets: the report finds the lift that is known, a second engine gives the same
//! numbers from the same SQL, and what is damaged is said.
#![cfg(feature = "report")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use serde_json::Value;

fn aftercart(arguments: &[&str], folder: &Path) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_aftercart")).args(arguments).current_dir(folder).output();
    output.expect("the command starts")
}

fn succeed(arguments: &[&str], folder: &Path) -> String {
    let output = aftercart(arguments, folder);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn bundled(name: &str) -> String {
    format!("{}/examples/data/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// A catalog, a month of its log, and the report. Made once.
struct Month {
    folder: tempfile::TempDir,
    truth: Value,
}

fn month() -> &'static Month {
    static MONTH: OnceLock<Month> = OnceLock::new();
    MONTH.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let at = folder.path();
        let (products, orders) = (bundled("products.csv.gz"), bundled("orders.csv.gz"));
        let policy = fs::read_to_string(bundled("policy.toml")).expect("bundled");
        fs::write(
            at.join("policy.toml"),
            policy + &fs::read_to_string(bundled("experiment.toml")).expect("bundled"),
        )
        .expect("written");
        let partners = bundled("partners.toml");
        let build = [
            "build",
            "--products",
            &products,
            "--orders",
            &orders,
            "--partners",
            &partners,
            "--policy",
            "policy.toml",
            "--out",
            "shop.aftercart",
        ];
        succeed(&build, at);
        let simulate = [
            "simulate",
            "--catalog",
            "shop.aftercart",
            "--orders",
            &orders,
            "--log",
            "log",
            "--per-day",
            "700",
        ];
        let truth = succeed(&simulate, at);
        succeed(&["report", "--log", "log", "--out", "report.html", "--csv", "csv"], at);
        Month { truth: serde_json::from_str(&truth).expect("JSON"), folder }
    })
}

fn rows(path: PathBuf) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().has_headers(false).from_path(path).expect("a file");
    reader.records().map(|row| row.expect("a row").iter().map(str::to_owned).collect()).collect()
}

#[test]
fn intervals_hold_the_known_lift() {
    let month = month();
    let lifts = rows(month.folder.path().join("csv/lift.csv"));
    let known = |measure: &str| month.truth["lift_per_transaction"][measure].as_f64().expect("known");
    let mut judged = 0;
    for row in &lifts[1..] {
        let number = |at: usize| row[at].parse::<f64>().expect("a lift was stated");
        let (arm, measure, low, high) = (&row[1], &row[3], number(8), number(9));
        let truth = match (row[0].as_str(), arm.as_str(), measure.as_str()) {
            // Of all others, three tenths see the page as it was, and nothing of ours.
            ("global holdout", "all others", "gross" | "net") => known(measure) * 0.7,
            ("page", "best first", "gross" | "net") => known(measure),
            // Later orders have nothing to do with the page.
            (_, _, "ordered") => 0.0,
            _ => continue,
        };
        println!("{} {arm} {measure}: {truth:.3} in {low:.3} to {high:.3}", row[0]);
        // Exploration shows a little less than the best: the known lift is the mean of both.
        let slack = 0.1 * truth;
        assert!(low - slack <= truth && truth <= high + slack, "{row:?}: the truth is {truth}");
        assert!(measure == "ordered" || low > 0.0 || row[0] == "global holdout", "{row:?}: it is found");
        judged += 1;
    }
    assert_eq!(judged, 7, "{lifts:?}");
}

/// Asks DuckDB the same questions.
const DUCK: &str = r#"
import json, pathlib, sys
import duckdb
sql, log = pathlib.Path(sys.argv[1]), sys.argv[2]
db = duckdb.connect()
for table in ("decisions", "offers", "events"):
    db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{log}/{table}/*.parquet')")
db.execute((sql / "base.sql").read_text())
answers = {}
for name in ("arms", "totals", "by", "days", "reasons", "coverage"):
    found = db.execute((sql / f"{name}.sql").read_text())
    columns = [column[0] for column in found.description]
    answers[name] = [columns] + [["" if v is None else str(v) for v in row] for row in found.fetchall()]
json.dump(answers, sys.stdout)
"#;

#[test]
fn duckdb_answers_the_same_sql_with_the_same_numbers() {
    let month = month();
    let sql = format!("{}/src/bin/aftercart/report/sql", env!("CARGO_MANIFEST_DIR"));
    let log = month.folder.path().join("log");
    let output = Command::new("python3").args(["-c", DUCK, &sql]).arg(&log).output().expect("python3");
    assert!(
        output.status.success(),
        "needs `pip install duckdb`:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let answers: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut compared = 0;
    for (name, theirs) in answers.as_object().expect("an object") {
        let ours = rows(month.folder.path().join(format!("csv/{name}.csv")));
        let theirs = theirs.as_array().expect("rows");
        assert_eq!(ours.len(), theirs.len(), "{name}: rows");
        for (own, other) in ours.iter().zip(theirs) {
            for (own, other) in own.iter().zip(other.as_array().expect("a row")) {
                let other = other.as_str().expect("text");
                let same = match (own.parse::<f64>(), other.parse::<f64>()) {
                    (Ok(a), Ok(b)) => (a - b).abs() <= 1e-9 * a.abs().max(b.abs()),
                    _ => own == other,
                };
                assert!(same, "{name}: {own} here, {other} there");
                compared += 1;
            }
        }
    }
    assert!(compared > 2_000, "{compared} values");
}

#[test]
fn damage_is_said_and_the_rest_counts() {
    let month = month();
    let folder = tempfile::tempdir().expect("a folder");
    let copy = |from: &Path, to: &Path| {
        fs::create_dir_all(to).expect("made");
        for entry in fs::read_dir(from).expect("listed") {
            let path = entry.expect("an entry").path();
            fs::copy(&path, to.join(path.file_name().expect("a name"))).expect("copied");
        }
    };
    for table in ["decisions", "offers", "events", "rings"] {
        copy(&month.folder.path().join("log").join(table), &folder.path().join("log").join(table));
    }
    let whole = rows(month.folder.path().join("csv/totals.csv"))[1][0].parse::<u64>().expect("a number");
    let mut files: Vec<PathBuf> = fs::read_dir(folder.path().join("log/decisions"))
        .expect("listed")
        .map(|e| e.expect("an entry").path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "parquet"));
    files.sort();
    let bytes = fs::read(&files[0]).expect("read");
    fs::write(&files[0], &bytes[..bytes.len() / 2]).expect("written");
    let output = aftercart(&["report", "--log", "log", "--csv", "csv"], folder.path());
    assert!(output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        told.contains(&files[0].display().to_string().rsplit('/').next().expect("a name").to_owned()),
        "{told}"
    );
    let left = rows(folder.path().join("csv/totals.csv"))[1][0].parse::<u64>().expect("a number");
    assert!(left < whole && left > whole / 2, "{left} of {whole}");
    assert!(
        fs::read_to_string(folder.path().join("report.html"))
            .expect("a page")
            .contains("Damaged files were left out")
    );
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let page = fs::read_to_string(month().folder.path().join("report.html")).expect("a page");
    for word in ["<script", "http://", "https://", "src=", "@import", "url("] {
        let allowed = page.matches("xmlns=\"http://").count();
        let found = page.matches(word).count() - if word == "http://" { allowed } else { 0 };
        assert_eq!(found, 0, "{word}");
    }
    for part in
        ["width=device-width", "prefers-color-scheme: dark", "<svg", "95 %", "What it takes", "Why not more"]
    {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(aftercart(&["report", "--log", "nowhere"], month().folder.path()).status.code(), Some(1));
}
