//! A month of made-up customers over real baskets: the report finds the lift that is known, a second engine gives the same
//! numbers from the same SQL, and what is damaged is said.
#![cfg(feature = "report")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use parquet::file::reader::{FileReader, SerializedFileReader};
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

/// A log with its report.
struct Month {
    folder: tempfile::TempDir,
    truth: Value,
}

/// The bundled catalog under an experiment. Made once.
fn shop() -> &'static Path {
    static SHOP: OnceLock<tempfile::TempDir> = OnceLock::new();
    let made = || {
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
        folder
    };
    SHOP.get_or_init(made).path()
}

/// Simulates customers of the shop, and reports on them.
fn simulated(more: &[&str]) -> Month {
    let folder = tempfile::tempdir().expect("a folder");
    let (catalog, orders) = (shop().join("shop.aftercart"), bundled("orders.csv.gz"));
    let catalog = catalog.to_str().expect("a name");
    let simulate = ["simulate", "--catalog", catalog, "--orders", &orders, "--log", "log"];
    let truth = succeed(&[&simulate, more].concat(), folder.path());
    succeed(&["report", "--log", "log", "--out", "report.html", "--csv", "csv"], folder.path());
    Month { truth: serde_json::from_str(&truth).expect("JSON"), folder }
}

/// A month. Made once.
fn month() -> &'static Month {
    static MONTH: OnceLock<Month> = OnceLock::new();
    MONTH.get_or_init(|| simulated(&["--per-day", "700"]))
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
        let truth = match (row[0].as_str(), arm.as_str(), row[2].as_str(), measure.as_str()) {
            // Of all others, three tenths see the page as it was, and nothing of ours.
            (_, "all others", _, "gross" | "net") => known(measure) * 0.7,
            ("page", "best first", "as it was", "gross" | "net") => known(measure),
            // The orders were paid before, so what is added to them is what the page brings.
            ("page", "best first", "as it was", "added") => known("gross"),
            ("page", "best first", "as it was", "added_net") => known("net"),
            // Arms that chance fills apart from the holdout compare with it, too.
            ("global holdout", "page: best first", "held out", "net" | "added_net") => known("net"),
            // Later orders have nothing to do with the page.
            (_, "all others", _, "ordered") | ("page", _, "as it was", "ordered") => 0.0,
            _ => continue,
        };
        println!("{} {arm} {measure}: {truth:.3} in {low:.3} to {high:.3}", row[0]);
        // Exploration shows a little less than the best: the known lift is the mean of both.
        let slack = 0.1 * truth;
        assert!(low - slack <= truth && truth <= high + slack, "{row:?}: the truth is {truth}");
        assert!(measure == "ordered" || low > 0.0 || row[0] == "global holdout", "{row:?}: it is found");
        judged += 1;
    }
    assert_eq!(judged, 11, "{lifts:?}");
}

#[test]
fn parts_sum_to_the_whole_and_arms_compare_with_each_other() {
    let lifts = rows(month().folder.path().join("csv/lift.csv"));
    let of = |arm: &str, control: &str, measure: &str| {
        let row = lifts.iter().find(|row| row[1] == arm && row[2] == control && row[3] == measure);
        [6, 7].map(|at| row.expect("a row")[at].parse::<f64>().expect("a number"))
    };
    let arms = [("all others", "held out"), ("best first", "as it was"), ("best first", "explored")];
    for (arm, control) in arms {
        let [net, added, later] = ["net", "added_net", "later"].map(|measure| of(arm, control, measure)[0]);
        assert!(
            (net - added - later).abs() < 1e-9 && added != 0.0 && later != 0.0,
            "{arm}: {net} = {added} + {later}"
        );
    }
    let [between, error] = of("best first", "explored", "net");
    let sides = ["best first", "explored"].map(|arm| of(arm, "as it was", "net"));
    assert!((between - (sides[0][0] - sides[1][0])).abs() < 1e-9);
    assert!(error > 0.0 && error < sides[0][1] + sides[1][1], "{error}");
}

#[test]
fn customers_come_back_as_often_as_is_known() {
    let more = ["--days", "120", "--per-day", "150", "--customers", "2000", "--comes-back", "0.1"];
    let quarter = simulated(&more);
    let mut judged = 0;
    for row in &rows(quarter.folder.path().join("csv/lift.csv"))[1..] {
        if let ("page", "best first", "as it was", "net") = (&*row[0], &*row[1], &*row[2], &*row[3]) {
            let known = quarter.truth["lift_per_transaction"]["net"].as_f64().expect("known");
            let [low, high] = [8, 9].map(|at| row[at].parse::<f64>().expect("a lift was stated"));
            println!("a transaction: {known:.3} in {low:.3} to {high:.3}");
            assert!(0.0 < low && low <= 1.1 * known && 0.9 * known <= high, "{row:?}: the truth is {known}");
            judged += 1;
        }
        let Some((measure, days)) = ["ordered_later_", "customer_value_"]
            .iter()
            .find_map(|name| Some((name.trim_end_matches('_'), row[3].strip_prefix(name)?)))
        else {
            continue;
        };
        let known = quarter.truth["lift_per_customer"][days][measure].as_f64().expect("known");
        let truth = match (row[0].as_str(), row[1].as_str()) {
            ("global holdout", "all others") => known * 0.7,
            ("page", "best first") => known,
            _ => continue,
        };
        let number = |at: usize| row[at].parse::<f64>().expect("a lift was stated");
        let (low, high, slack) = (number(8), number(9), 0.1 * truth);
        println!("{} {} {}: {truth:.3} in {low:.3} to {high:.3}", row[0], row[1], row[3]);
        assert!(
            truth > 0.0 && low - slack <= truth && truth <= high + slack,
            "{row:?}: the truth is {truth}"
        );
        assert!(low > 0.0 || row[0] == "global holdout", "{row:?}: it is found");
        judged += 1;
    }
    assert_eq!(judged, 9);
}

#[test]
fn a_page_that_an_answer_replaced_and_its_successor_are_one_transaction() {
    let asked = simulated(&["--days", "10", "--per-day", "300", "--answers", "0.5"]);
    let totals = rows(asked.folder.path().join("csv/totals.csv"));
    let of = |table: &[Vec<String>], row: usize, name: &str| {
        let column = table[0].iter().position(|own| own == name).expect("a column");
        table[row][column].parse::<f64>().expect("a number")
    };
    let log = aftercart::log::Log::open(&asked.folder.path().join("log")).expect("a log");
    let pages = log.read().expect("read").decisions;
    let again = pages.iter().filter(|page| page.decided_again).count();
    assert!(again > 200, "{again}");
    assert_eq!(of(&totals, 1, "transactions"), asked.truth["decisions"].as_f64().expect("known"));
    let decisions = of(&totals, 1, "decisions") as usize;
    assert_eq!((decisions, of(&totals, 1, "transactions") as usize + again), (pages.len(), pages.len()));
    let arms = rows(asked.folder.path().join("csv/arms.csv"));
    let n: f64 = (1..arms.len()).filter(|row| arms[*row][0] == "page").map(|row| of(&arms, row, "n")).sum();
    let held = asked.truth["decisions"].as_f64().expect("known") - n;
    assert!(
        (0.05..0.15).contains(&(held / n)),
        "{held} transactions of the tenth that is held out, {n} others"
    );
}

#[test]
fn p_accept_is_drawn_beside_what_came_of_it() {
    let month = month();
    let table = rows(month.folder.path().join("csv/reliability.csv"));
    assert_eq!(table.len(), 11, "one placement in tenths");
    let (mut before, mut all) = (0.0, [0.0; 2]);
    for row in &table[1..] {
        let [shown, expected, accepted] = [2, 3, 4].map(|at| row[at].parse::<f64>().expect("a number"));
        assert!(expected > before, "{table:?}");
        before = expected;
        // Simulated customers accept four times as often as the catalog expects, at most nine times in ten.
        let truth = shown * (4.0 * expected).min(0.9);
        assert!((accepted - truth).abs() <= 4.0 * truth.sqrt(), "{row:?}: {truth:.0} were to come");
        all = [all[0] + accepted, all[1] + truth];
    }
    assert!((all[0] - all[1]).abs() <= 4.0 * all[1].sqrt(), "{all:?}");
}

/// Asks DuckDB the same questions.
const DUCK: &str = r#"
import json, pathlib, sys
import duckdb
sql, log = pathlib.Path(sys.argv[1]), sys.argv[2]
db = duckdb.connect()
db.execute("SET enable_progress_bar = false")  # slow queries would write among the answers
for table in ("decisions", "offers", "events"):
    db.execute(f"CREATE VIEW {table} AS SELECT * FROM read_parquet('{log}/{table}/*.parquet')")
db.execute((sql / "base.sql").read_text())
answers = {}
for name in sorted(file.stem for file in sql.glob("*.sql") if file.stem != "base"):
    found = db.execute((sql / f"{name}.sql").read_text())
    columns = [column[0] for column in found.description]
    answers[name] = [columns] + [["" if v is None else str(v) for v in row] for row in found.fetchall()]
took = sorted(us for (us,) in db.execute("SELECT took_us FROM decisions_once").fetchall())
rank = [took[-(-len(took) * percent // 100) - 1] for percent in (50, 95, 99, 100)]
assert answers["latency"][1:] == [["(default)", answers["latency"][1][1], str(len(took))] + [str(us) for us in rank]], (answers["latency"], rank)
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
    let told = String::from_utf8_lossy(&output.stdout);
    let answers: Value = serde_json::from_str(&told).unwrap_or_else(|error| panic!("{error}: {told:.200}"));
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
    let totals = |folder: &Path| rows(folder.join("csv/totals.csv"));
    let whole = totals(month.folder.path())[1][0].parse::<u64>().expect("a number");
    // Of each table the first file, with its rows: cut in half, with a byte changed, or of no length.
    let mut damaged = Vec::new();
    for (table, damage) in [
        ("decisions", &(|bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2)) as &dyn Fn(&mut Vec<u8>)),
        ("offers", &|bytes| {
            let at = bytes.len() / 3;
            bytes[at] ^= 0x10;
        }),
        ("events", &|bytes| bytes.clear()),
    ] {
        let entries = fs::read_dir(folder.path().join("log").join(table)).expect("listed");
        let mut files: Vec<PathBuf> = entries.map(|e| e.expect("an entry").path()).collect();
        files.retain(|path| path.extension().is_some_and(|e| e == "parquet"));
        files.sort();
        let mut bytes = fs::read(&files[0]).expect("read");
        let lost = SerializedFileReader::new(bytes::Bytes::from(bytes.clone())).expect("Parquet");
        let lost = lost.metadata().file_metadata().num_rows() as u64;
        damage(&mut bytes);
        fs::write(&files[0], &bytes).expect("written");
        damaged.push((files[0].file_name().expect("a name").to_string_lossy().into_owned(), lost));
    }
    let output = aftercart(&["report", "--log", "log", "--csv", "csv"], folder.path());
    assert!(output.status.success());
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    let page = fs::read_to_string(folder.path().join("report.html")).expect("a page");
    assert!(page.contains("Damaged files were left out"));
    for (name, lost) in &damaged {
        assert!(
            *lost > 0 && told.matches(name.as_str()).count() >= 1 && page.contains(name.as_str()),
            "{told}"
        );
    }
    assert_eq!(told.matches("left out: ").count(), 3, "each is told, once: {told}");
    let left = totals(folder.path())[1][0].parse::<u64>().expect("a number");
    assert_eq!(left, whole - damaged[0].1, "no other decision is missing");
}

#[test]
fn the_page_needs_nothing_from_anywhere() {
    let page = fs::read_to_string(month().folder.path().join("report.html")).expect("a page");
    for word in ["<script", "http://", "https://", "src=", "@import", "url("] {
        let allowed = page.matches("xmlns=\"http://").count();
        let found = page.matches(word).count() - if word == "http://" { allowed } else { 0 };
        assert_eq!(found, 0, "{word}");
    }
    for part in [
        "made up",
        "Added to the order by the page",
        "In this simulation",
        "Had everybody seen it",
        "Arms against each other",
        "times as many accepted as was expected, alike in every tenth",
        "Is p_accept right?",
        "How long did it take?",
        "width=device-width",
        "prefers-color-scheme: dark",
        "<svg",
        "95 %",
        "What it takes",
        "Why not more",
    ] {
        assert!(page.contains(part), "{part}");
    }
    assert_eq!(aftercart(&["report", "--log", "nowhere"], month().folder.path()).status.code(), Some(1));
}

#[test]
fn the_page_fits_phones_and_desktops() {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/page/report.mjs");
    let mut command = Command::new("node");
    command.arg(script).arg(month().folder.path().join("report.html"));
    // To look at: PICTURES=folder cargo test ...
    command.args(std::env::var_os("PICTURES"));
    let output = command.output().expect("node");
    assert!(
        output.status.success(),
        "needs Chromium and `npm --prefix tests/page ci`:\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
}
