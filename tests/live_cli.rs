//! `aftercart live` as a merchandiser and a stock feed use it.
#![cfg(all(feature = "cli", unix))]

#[path = "common/command.rs"]
mod command;
mod common;

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use command::{aftercart, fails, says};
use common::World;
use serde_json::Value;

/// A folder with a catalog and an overlay of it.
fn shop() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("shop.aftercart"), &World::new(3, 120).bytes).expect("written");
    let said = says(&["live", "bind", "--live", "shop.live", "--catalog", "shop.aftercart"], folder.path());
    assert!(said.starts_with("shop.live: fits "), "{said}");
    folder
}

fn status(folder: &Path) -> Value {
    serde_json::from_str(&says(&["live", "status", "--live", "shop.live", "--json"], folder)).expect("JSON")
}

/// Products that a decision shows, with the overlay.
fn shown(folder: &Path) -> Vec<String> {
    let request = r#"{"at":"2027-02-05T10:00:00Z","age_band":"adult","country":"US","value":50,"lines":[{"product_id":"p1"},{"product_id":"p9"}]}"#;
    let arguments = ["decide", "--catalog", "shop.aftercart", "--live", "shop.live", "--jsonl"];
    let output =
        aftercart(&[arguments.as_slice(), &["--slots", "16", "--floor", "0"]].concat(), folder, request);
    let answer: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let offers = answer["offers"].as_array().expect("a list").iter();
    offers.filter_map(|offer| Some(offer["product_id"].as_str()?.to_owned())).collect()
}

#[test]
fn what_is_paused_at_two_is_gone_at_a_second_past() {
    let folder = shop();
    let folder = folder.path();
    let before = shown(folder);
    assert!(before.len() >= 4, "{before:?}");
    let (paused, sold_out) = (&before[0], &before[1]);
    let said = says(&["live", "set", "--live", "shop.live", paused, "--paused", "true"], folder);
    assert_eq!(said, format!("product {paused} changed\n"));
    says(&["live", "set", "--live", "shop.live", sold_out, "--stock", "out_of_stock"], folder);
    let after = shown(folder);
    assert!(!after.contains(paused) && !after.contains(sold_out), "{after:?}");
    let why = says(
        &["explain", "--catalog", "shop.aftercart", "--live", "shop.live", "--offer", paused, "p1", "p9"],
        folder,
    );
    assert!(why.contains("1014 paused or killed"), "{why}");
    let status = status(folder);
    assert_eq!(status["products"]["stopped"], 1);
    assert_eq!(status["products"]["out_of_stock"], 1);
    says(
        &["live", "set", "--live", "shop.live", paused, sold_out, "--paused", "false", "--stock", "none"],
        folder,
    );
    assert_eq!(shown(folder), before);
}

#[test]
fn files_are_loaded_and_what_is_wrong_in_them_is_told() {
    let folder = shop();
    let folder = folder.path();
    let csv = "id,stock,price,bid,paused,daily_budget,pacing,utc_offset\n\
        p1,0,,,,,,\np2,14,12.99,,,,,\np3,none,none,,true,,,\nnobody,1,,,,,,\n\
        offer-1,,,1.50,,,,\npartner-0,,,,,2000,even,+02:00\n";
    fs::write(folder.join("changes.csv"), csv).expect("written");
    let said = says(&["live", "load", "--live", "shop.live", "changes.csv"], folder);
    assert_eq!(
        said,
        "6 rows: 3 products, 1 offers, 1 partners; 1 left out, since no catalog has them (\"nobody\")\n"
    );
    let text = says(&["live", "status", "--live", "shop.live"], folder);
    for line in [
        "products: 1 paused or killed, 1 out of stock, 1 with a live price",
        "offer offer-1, bid 1.50",
        "partner partner-0",
        "  today     0 spent of 2000",
        "  ever      0 spent of no limit",
        "  reserved  0 in 0 outstanding leases",
        "  overspend at most 0",
        "  pacing    turns 0.0 % away now",
    ] {
        assert!(text.lines().any(|l| l == line), "no \"{line}\" in\n{text}");
    }
    for (name, rows, wants) in [
        ("a.csv", "id,stock\np1,few\n", "a.csv:2: stock: `few` is not understood"),
        ("b.csv", "id,bid\np1,1\n", "b.csv:2: bid: bid of `p1`: a product has none"),
        ("c.csv", "sku,stock\np1,1\n", "c.csv: no column holds `id`"),
        ("d.csv", "id,stok\np1,1\n", "d.csv:1: stok: is not a field"),
        ("h.csv", "id,stock\np1,\n", "h.csv:2: id: changes nothing: none of stock,"),
        ("i.jsonl", "{\"id\":\"p1\",\"paused\":true,\"stok\":0}\n", "`stok` is not a field"),
        (
            "e.jsonl",
            "{\"id\":\"p1\",\"paused\":1}\n{\"id\":\"p1\",\"killed\":[true,false]}\n",
            "e.jsonl:2: killed",
        ),
        ("f.jsonl", "{\"id\":\"p1\",\"stock\":3\n", "f.jsonl:1"),
        ("g.csv", "id,pacing\noffer-1,\"1,2,3\"\n", "g.csv:2: pacing: pacing of `offer-1`: 24 or 96"),
    ] {
        fs::write(folder.join(name), rows).expect("written");
        let error = fails(&["live", "load", "--live", "shop.live", name], folder);
        assert!(error.contains(wants), "{error}");
    }
}

#[test]
fn a_growing_file_is_followed_and_a_pipe_read_to_its_end() {
    let folder = shop();
    let folder = folder.path();
    let lines = "{\"id\":\"p1\",\"stock\":0}\nnot json\n{\"id\":\"p2\",\"stock\":0,\"paused\":true}\n";
    let output = aftercart(&["live", "watch", "--live", "shop.live"], folder, lines);
    let (said, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.starts_with("2 rows: 2 products"), "{said}");
    assert!(errors.contains("standard input:2:") && errors.contains("1 lines could not"), "{errors}");
    assert!(!output.status.success());
    assert_eq!(status(folder)["products"]["out_of_stock"], 2);
    fs::write(folder.join("changes.jsonl"), "").expect("written");
    let mut watching = Command::new(env!("CARGO_BIN_EXE_aftercart"))
        .args(["live", "watch", "--live", "shop.live", "changes.jsonl"])
        .current_dir(folder)
        .spawn()
        .expect("it starts");
    let mut file = OpenOptions::new().append(true).open(folder.join("changes.jsonl")).expect("it opens");
    for (stock, left) in [(5, 1), (0, 2)] {
        // In two halves: a line counts when it is whole.
        write!(file, "{{\"id\":\"p2\",").expect("written");
        std::thread::sleep(Duration::from_millis(120));
        writeln!(file, "\"stock\":{stock}}}").expect("written");
        let seen = (0..200).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            status(folder)["products"]["out_of_stock"] == left
        });
        assert!(seen, "p2 with {stock} left was not seen");
    }
    watching.kill().expect("it runs");
    watching.wait().expect("it ends");
}

#[test]
fn the_wrong_files_are_refused_with_a_way_out() {
    let folder = shop();
    let folder = folder.path();
    fs::write(folder.join("other.aftercart"), &World::new(4, 60).bytes).expect("written");
    let decide = ["decide", "--catalog", "other.aftercart", "--live", "shop.live", "p1"];
    let error = fails(&decide, folder);
    assert!(error.contains("aftercart live bind --live shop.live --catalog FILE"), "{error}");
    says(&["live", "bind", "--live", "shop.live", "--catalog", "other.aftercart"], folder);
    says(&decide, folder);
    assert_eq!(status(folder)["catalogs"].as_array().map(Vec::len), Some(2));
    let error = fails(&["live", "set", "--live", "shop.aftercart", "p1", "--stock", "1"], folder);
    assert!(error.contains("not a usable overlay: magic"), "{error}");
    let error = fails(&["live", "set", "--live", "shop.live", "nobody", "--stock", "1"], folder);
    assert!(error.contains("\"nobody\""), "{error}");
    let error = fails(&["live", "set", "--live", "shop.live", "p1"], folder);
    assert!(error.contains("changes nothing"), "{error}");
    let error = fails(&["live", "status", "--live", "none.live"], folder);
    assert!(error.contains("none.live: open failed"), "{error}");
}

/// What decided at ten is decided again at noon, whatever the overlay says by then; and another answer is noticed.
#[test]
fn a_recorded_decision_is_made_again_with_every_reason() {
    let folder = shop();
    let folder = folder.path();
    let request = r#"{"case_id":7,"at":"2027-02-05T10:00:00Z","age_band":"adult","country":"US","value":50,"lines":[{"product_id":"p1"},{"product_id":"p9"}]}"#;
    let before = shown(folder);
    says(&["live", "set", "--live", "shop.live", &before[0], "--paused", "true"], folder);
    says(&["live", "set", "--live", "shop.live", &before[1], "--price", "3.21"], folder);
    let decide = ["decide", "--catalog", "shop.aftercart", "--live", "shop.live", "--jsonl", "--slots", "16"];
    let record = ["--floor", "0", "--visit-budget", "100000", "--record", "page.jsonl"];
    let output =
        aftercart(&[decide.as_slice(), &record].concat(), folder, &format!("{request}\n{request}\n"));
    assert!(output.status.success());
    says(&["live", "set", "--live", "shop.live", &before[0], "--paused", "false"], folder);
    says(&["live", "set", "--live", "shop.live", &before[1], &before[2], "--killed", "true"], folder);
    let replay = ["replay", "--catalog", "shop.aftercart", "page.jsonl"];
    assert_eq!(says(&replay, folder), "2 decisions made again, equal to the byte; 0 others\n");
    let why = says(&[replay.as_slice(), &["--why"]].concat(), folder);
    let paused = why.lines().find(|line| line.contains(&format!("#{}:", before[0]))).expect("it was refused");
    assert!(paused.contains("paused"), "{paused}");
    assert!(why.contains("3.21"), "the price of then: {why}");
    // Another answer, another policy, another catalog.
    let written = fs::read_to_string(folder.join("page.jsonl")).expect("written");
    fs::write(folder.join("bent.jsonl"), written.replacen(r#""position":0"#, r#""position":9"#, 1))
        .expect("written");
    let bent = fails(&["replay", "--catalog", "shop.aftercart", "bent.jsonl"], folder);
    assert!(bent.contains("1 decisions came out otherwise"), "{bent}");
    fs::write(folder.join("other.toml"), "[placement]\nslots = 2\n").expect("written");
    let other = fails(&[replay.as_slice(), &["--policy", "other.toml"]].concat(), folder);
    assert!(other.contains("page.jsonl:1") && other.contains("policy of generation"), "{other}");
    fs::write(folder.join("other.aftercart"), &World::new(4, 120).bytes).expect("written");
    let other = fails(&["replay", "--catalog", "other.aftercart", "page.jsonl"], folder);
    assert!(other.contains("catalog of generation"), "{other}");
    fs::write(folder.join("page.jsonl"), "{}\n").expect("written");
    assert!(fails(&replay, folder).contains("decide --record"));
}
