//! The command as its users type it: the contract of `build` and `decide --jsonl`, and the errors that they meet.
#![cfg(feature = "cli")]

#[path = "common/command.rs"]
mod command;

use std::fs;
use std::path::Path;

use command::{aftercart, text};
use serde_json::Value;

/// A shop where pods go with coffee makers, filters with ground coffee, and soap with nothing.
fn shop(folder: &Path) {
    let mut products = String::from("product_id,title,category_path,brand,price\n");
    for (kind, path) in [
        ("maker", "Kitchen > Coffee Makers"),
        ("pods", "Food > Coffee Pods"),
        ("ground", "Food > Ground Coffee"),
        ("filters", "Kitchen > Filters"),
        ("soap", "Care > Soap"),
        ("pens", "Office > Pens"),
    ] {
        for n in 0..6 {
            products.push_str(&format!("{kind}-{n},{kind} number {n},{path},brand-{n},{}.99\n", n + 3));
        }
    }
    fs::write(folder.join("products.csv"), products).expect("written");
    let mut orders = String::from("basket_id,customer_id,timestamp,product_id,quantity,unit_price\n");
    for basket in 0..400 {
        let (a, b) =
            [("maker", "pods"), ("ground", "filters"), ("soap", "soap"), ("pens", "pens")][basket % 4];
        let day = 1 + basket / 20;
        let time = format!("2026-01-{day:02}T10:00:00");
        for (kind, n) in [(a, basket / 4 % 3), (b, basket / 12 % 3)] {
            orders.push_str(&format!("b{basket},c{},{time},{kind}-{n},1,{n}.99\n", basket % 97));
        }
    }
    fs::write(folder.join("orders.csv"), orders).expect("written");
}

fn built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path());
    let arguments =
        ["build", "--products", "products.csv", "--orders", "orders.csv", "--out", "shop.aftercart"];
    let output = aftercart(&arguments, folder.path(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

#[test]
fn a_coffee_maker_brings_pods_and_never_another_coffee_maker() {
    let folder = built();
    let requests = concat!(
        r#"{"case_id":"one","at":"2026-02-01T10:00:00","lines":[{"product_id":"maker-1","quantity":"1","unit_price":""}],"history":[]}"#,
        "\n",
        r#"{"case_id":2,"lines":[{"product_id":"ground-0"}],"history":[{"product_id":"maker-0","at":"2026-01-01"}]}"#,
        "\n",
        r#"{"lines":[{"product_id":"nobody-knows-this"}]}"#,
        "\n"
    );
    let arguments = ["decide", "--catalog", "shop.aftercart", "--jsonl", "--slots", "10", "--floor", "0"];
    let output = aftercart(&arguments, folder.path(), requests);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answers: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 3);
    assert_eq!((&answers[0]["case_id"], &answers[1]["case_id"]), (&Value::from("one"), &Value::from(2)));
    assert_eq!(answers[2]["case_id"], Value::Null);
    let ids = |answer: &Value| -> Vec<String> {
        let offers = answer["offers"].as_array().expect("a list");
        offers.iter().map(|offer| offer["product_id"].as_str().expect("an id").to_owned()).collect()
    };
    assert!(ids(&answers[0])[0].starts_with("pods"), "{}", answers[0]);
    assert!(ids(&answers[1])[0].starts_with("filters"), "{}", answers[1]);
    assert!(ids(&answers[0]).iter().all(|id| !id.starts_with("maker")), "{}", answers[0]);
    assert!(ids(&answers[1]).iter().all(|id| id != "maker-0"), "owned, and no consumable: {}", answers[1]);
    assert_eq!(answers[2]["status"], "NO_OFFER");
    assert_eq!(answers[2]["offers"], Value::Array(Vec::new()));
}

#[test]
fn a_bad_request_is_answered_in_its_place_and_the_exit_code_says_so() {
    let folder = built();
    let requests = "{\"case_id\":1,\"lines\":[{\"product_id\":\"maker-1\"}]}\n{\"lines\":[{\"produkt\":1}]}\n{\"lines\":[]}\n";
    let output = aftercart(&["decide", "--catalog", "shop.aftercart", "--jsonl"], folder.path(), requests);
    assert!(!output.status.success());
    let answers: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 3);
    assert_eq!(answers[1]["status"], "ERROR");
    let problem = answers[1]["error"].as_str().expect("text");
    assert!(problem.contains("standard input:2") && problem.contains("produkt"), "{problem}");
    assert_eq!(answers[2]["status"], "NO_OFFER");
    for (fields, part) in [
        (
            r#"{"product_id":"maker-1"}],"country":"Germany""#,
            r#"country: "Germany" is no code: write it like "DE""#,
        ),
        (r#"{"product_id":"maker-1"}],"currency":"euros""#, r#"write it like "EUR""#),
        (
            r#"{"product_id":"maker-1"}],"payment":"visa""#,
            "payment: unknown \"visa\": expected one of unknown, card",
        ),
        (r#"{"product_id":"maker-1"}],"at":"yesterday""#, "write it like 2026"),
        (
            r#"{"product_id":"maker-1","unit_price":"1e308"}]"#,
            r#"is not a decimal number: write it like "12.50""#,
        ),
        (r#"{"product_id":"maker-1","quantity":1e308}]"#, "lines.quantity: 1e308 is above 4294967295"),
        (r#"{"quantity":1}]"#, "no product_id: give it, or a category"),
    ] {
        let request = format!("{{\"lines\":[{fields}}}\n");
        let output =
            aftercart(&["decide", "--catalog", "shop.aftercart", "--jsonl"], folder.path(), &request);
        let answer: Value = serde_json::from_str(&text(&output.stdout)).expect("JSON");
        let problem = answer["error"].as_str().unwrap_or_default();
        assert!(problem.contains(part), "\"{part}\" is missing in: {problem}");
    }
}

#[test]
fn errors_name_file_line_field_and_way_out_and_leave_nothing_behind() {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path());
    let orders = fs::read_to_string(folder.path().join("orders.csv")).expect("read");
    fs::write(folder.path().join("orders.csv"), orders.replacen("2026-01-01T10:00:00", "yesterday", 1))
        .expect("written");
    let arguments =
        ["build", "--products", "products.csv", "--orders", "orders.csv", "--out", "shop.aftercart"];
    let output = aftercart(&arguments, folder.path(), "");
    let said = text(&output.stderr);
    assert!(!output.status.success());
    for part in ["orders.csv:2", "timestamp", "yesterday", "way out"] {
        assert!(said.contains(part), "\"{part}\" is missing in: {said}");
    }
    let left: Vec<_> =
        fs::read_dir(folder.path()).expect("read").map(|e| e.expect("entry").file_name()).collect();
    assert_eq!(left.len(), 2, "only the inputs: {left:?}");
}

#[test]
fn what_is_not_there_is_named_once_and_not_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let fails = |arguments: &[&str]| {
        let output = aftercart(arguments, folder.path(), "");
        assert!(!output.status.success(), "{arguments:?}");
        text(&output.stderr)
    };
    let said = fails(&["decide", "--catalog", "nope.aftercart", "X"]);
    assert_eq!(said.matches("nope.aftercart").count(), 1, "{said}");
    assert!(said.contains("way out"), "{said}");
    for arguments in [&["log", "--log", "nolog"][..], &["events", "import", "--log", "nolog", "-"]] {
        let said = fails(arguments);
        assert!(said.contains("nolog: there is no log") && said.contains("way out"), "{said}");
    }
    if cfg!(not(feature = "report")) {
        let said = fails(&["report", "--log", "nolog"]);
        assert!(said.contains("--features report"), "{said}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("read").count(), 0, "nothing was made");
}

#[test]
fn slips_are_told_apart() {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path());
    let build = |more: &[&str]| {
        let arguments = [&["build", "--products", "products.csv", "--out", "x.aftercart"], more].concat();
        text(&aftercart(&arguments, folder.path(), "").stderr)
    };
    let with = |option: &str, file: &str, holds: &str| {
        fs::write(folder.path().join(file), holds).expect("written");
        build(&[option, file])
    };
    let offer = "[[offer]]\nid = 'o'\nkind = 'warranty'\npartner = 'p'\ntrigger_any = true\n";
    let blocked = "[[partner]]\nid = 'p'\nblocked_categories = ['Fod > Coffee Pods']\n";
    let returns = "basket_id,timestamp,product_id,quantity\nb,2026-01-01,pods-1,-1\n";
    for (said, part) in [
        (
            with("--partners", "p.toml", offer),
            "p.toml:4: partner: `p` is not a partner of this file\n  \
             way out: add a [[partner]] with this id; the file has none so far",
        ),
        (with("--partners", "p.toml", blocked), "did you mean \"Food > Coffee Pods\"?"),
        (with("--policy", "p.toml", "[placement]\nslots = 1000\n"), "a whole number from 0 to 255"),
        (with("--orders", "o.csv", returns), "1 returns and voids\n  way out: give orders whose quantities"),
        (with("--orders", "o.csv", "basket_id,timestamp,product_id\n"), "0 lines read, 0 of products"),
        (with("--products", "p.jsonl", "{\"id\": 1"), "p.jsonl:1: row: is not the JSON expected: EOF"),
    ] {
        assert!(said.contains(part), "\"{part}\" is missing in: {said}");
        assert!(!said.contains("at byte 0"), "{said}");
    }
    fs::write(folder.path().join("none.csv"), "product_id,title\n").expect("written");
    let arguments = ["build", "--products", "none.csv", "--orders", "orders.csv", "--out", "x.aftercart"];
    let said = text(&aftercart(&arguments, folder.path(), "").stderr);
    assert!(said.contains("the product feed has no products\n  way out: give a feed"), "{said}");
    assert!(!folder.path().join("x.aftercart").exists());
    let said = build(&["--orders", "orders.csv"]);
    assert!(said.contains("800 order lines in 400 baskets, 2026-01-01 to 2026-01-20"), "{said}");
    let bought = ["decide", "--catalog", "x.aftercart", "\u{1b}[2Jmaker"];
    let shown = text(&aftercart(&bought, folder.path(), "").stdout);
    assert!(shown.contains("\u{fffd}[2Jmaker") && !shown.contains('\u{1b}'), "{shown}");
    let titled = "product_id,title,prise\na,One,1\nb,\u{1b}[2JTwo,2\n";
    let said = with("--products", "q.csv", titled);
    assert!(said.contains("x.aftercart: ") && said.contains("columns not used: prise"), "{said}");
    let explained = ["explain", "--catalog", "x.aftercart", "--offer", "b", "a"];
    let shown = text(&aftercart(&explained, folder.path(), "").stdout);
    assert!(shown.contains("\u{fffd}[2JTwo") && !shown.contains('\u{1b}'), "{shown}");
}

#[test]
fn a_policy_with_an_unknown_name_stops_the_build() {
    let folder = tempfile::tempdir().expect("a folder");
    shop(folder.path());
    fs::write(
        folder.path().join("policy.toml"),
        "taxonomy = \"merchant\"\n[suppress]\ncategories = [\"Fod\"]\n",
    )
    .expect("written");
    let arguments = [
        "build",
        "--products",
        "products.csv",
        "--orders",
        "orders.csv",
        "--policy",
        "policy.toml",
        "--out",
        "x",
    ];
    let output = aftercart(&arguments, folder.path(), "");
    assert!(!output.status.success());
    let said = text(&output.stderr);
    for part in ["policy.toml:3:15", "no category \"Fod\"", "did you mean"] {
        assert!(said.contains(part), "\"{part}\" is missing in: {said}");
    }
}

#[test]
fn explain_names_every_failing_rule() {
    let folder = built();
    fs::write(
        folder.path().join("policy.toml"),
        "taxonomy = \"merchant\"\n[suppress]\ncategories = [\"Kitchen\"]\nbrands = [\"brand-2\"]\n",
    )
    .expect("written");
    let arguments = [
        "explain",
        "--catalog",
        "shop.aftercart",
        "--policy",
        "policy.toml",
        "--offer",
        "maker-2",
        "--json",
        "maker-1",
    ];
    let output = aftercart(&arguments, folder.path(), "");
    let answer: Value = serde_json::from_str(&text(&output.stdout)).expect("JSON");
    let codes: Vec<u64> = answer["reasons"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|r| r["code"].as_u64().expect("a code"))
        .collect();
    assert_eq!(codes[..3], [209, 210, 1003], "{answer}");
    assert_eq!(answer["shown"], false);
}

#[test]
fn verify_accepts_a_whole_file_and_names_the_rule_that_a_damaged_one_breaks() {
    let folder = built();
    let file = folder.path().join("shop.aftercart");
    assert!(aftercart(&["verify", "shop.aftercart"], folder.path(), "").status.success());
    let mut bytes = fs::read(&file).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&file, bytes).expect("written");
    let output = aftercart(&["verify", "shop.aftercart"], folder.path(), "");
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("(rule "), "{}", text(&output.stderr));
}

#[test]
fn the_demo_runs_on_the_bundled_orders() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = aftercart(&["demo", "--json"], folder.path(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let answers: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(answers.len(), 20);
    let shown = answers.iter().filter(|answer| answer["status"] == "OK").count();
    assert!(shown >= 15, "only {shown} of 20 baskets have an offer");
}

/// What the demo prints of one basket, by its name.
fn baskets_of(printed: &str) -> Vec<(&str, &str)> {
    let parts = printed.split("--- ").skip(1).map(str::trim_end);
    parts.map(|part| (part.lines().next().unwrap_or(""), part)).collect()
}

#[test]
fn the_demo_prints_what_the_readme_shows() {
    let folder = tempfile::tempdir().expect("a folder");
    let output = aftercart(&["demo"], folder.path(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let (printed, _) = printed.split_once("\n20 baskets, ").expect("a summary");
    let demo = baskets_of(printed);
    assert_eq!(demo.len(), 20);
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = fs::read_to_string(&path).expect("the README");
    let mut now = readme.clone();
    let blocks = readme.split("```").filter(|block| block.starts_with("text\n--- "));
    for (name, part) in blocks.flat_map(baskets_of) {
        let (_, prints) = demo.iter().find(|(own, _)| *own == name).expect(name);
        now = now.replace(part, prints);
    }
    if std::env::var_os("AFTERCART_BLESS").is_some() {
        fs::write(&path, &now).expect("written");
    }
    let same = readme == now;
    assert!(same, "README.md shows other offers than the demo prints: AFTERCART_BLESS=1 rewrites them");
}

#[test]
fn synth_makes_a_labelled_shop_that_builds() {
    let folder = tempfile::tempdir().expect("a folder");
    let arguments = [
        "synth",
        "--products",
        "40000",
        "--brands",
        "500",
        "--order-lines",
        "30000",
        "--seed",
        "1",
        "--out",
        "synth",
    ];
    let output = aftercart(&arguments, folder.path(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let arguments = [
        "build",
        "--products",
        "synth/products.csv.gz",
        "--orders",
        "synth/orders.csv.gz",
        "--no-calibration",
        "--out",
        "synth.aftercart",
    ];
    let output = aftercart(&arguments, folder.path(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    let arguments = [
        "decide",
        "--catalog",
        "synth.aftercart",
        "--orders",
        "synth/orders.csv.gz",
        "--last",
        "50",
        "--json",
    ];
    let output = aftercart(&arguments, folder.path(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).lines().count(), 50);
}

#[test]
fn the_days_after_are_events_and_a_bad_table_says_where() {
    let folder = built();
    let table = "delivery_days = 2.0\n[[programme]]\nid = \"kitchen\"\ncategories = [\"Kitchen\"]\nstep = [\n  \
        { template = \"how\", kind = \"guidance\", after = \"delivery\", days = 1 },\n  \
        { template = \"next\", kind = \"suggestion\", after = \"delivery\" },\n]\n";
    fs::write(folder.path().join("after.toml"), table).expect("written");
    let order = concat!(
        r#"{"order_id":"A-1","at":"2026-02-01T10:00:00","lines":[{"product_id":"maker-1"},{"product_id":"soap-1"}]}"#,
        "\n"
    );
    let arguments = ["follow-ups", "--catalog", "shop.aftercart", "--programmes", "after.toml", "--withheld"];
    let output = aftercart(&arguments, folder.path(), order);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let events: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.len(), 2, "{events:?}");
    assert_eq!(events[0]["event"], "follow_up_planned");
    assert_eq!(events[0]["event_id"], "A-1:kitchen:how");
    assert_eq!(events[0]["item_id"], "maker-1");
    let day = 86_400_000i64;
    assert_eq!(events[0]["send_at_ms"], 1_769_940_000_000 + 3 * day);
    assert_eq!(events[1]["event"], "follow_up_withheld", "nobody asked for consent");
    assert_eq!(events[1]["decide_stage"], "email");

    fs::write(folder.path().join("after.toml"), table.replace("guidance", "guidence")).expect("written");
    let output = aftercart(&arguments, folder.path(), "");
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("line 6"), "{}", text(&output.stderr));
}
