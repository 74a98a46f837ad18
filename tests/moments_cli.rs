//! The other moments as users of the command meet them: the question over JSON Lines, content files, and the days after as events.
#![cfg(feature = "cli")]

#[path = "common/command.rs"]
mod command;

use std::fs;
use std::path::Path;

use command::{aftercart, fails, says, text};
use serde_json::{Value, json};

const POLICY: &str = r#"
taxonomy = "merchant"
[slate]
max_refill_percent = 0
[[question]]
id = "gift"
text = "Is this a gift?"
answer = [{ text = "Yes", tag = "gift", prior = 0.3 }, { text = "No", tag = "not-gift", prior = 0.7 }]
[[question]]
id = "idle"
text = "Do you like blue?"
answer = [{ text = "Yes", tag = "blue", prior = 0.5 }, { text = "No", tag = "other", prior = 0.5 }]
[[question]]
id = "never"
text = "Never?"
ask_if = 'order.lines > 5 && order.lines < 3'
answer = [{ text = "Yes", tag = "gift", prior = 0.5 }, { text = "No", tag = "not-gift", prior = 0.5 }]
"#;

const PARTNERS: &str = r#"
[[offer]]
id = "wrap"
kind = "add_on"
payout = 2.0
accept_rate = 0.2
trigger_answers = ["gift"]
"#;

const CONTENT: &str = "id,kind,title,product_id,item_group_id,category\n\
    makers,usage,How to brew,,,Kitchen > Coffee Makers\nred-care,care,Red stays red,red,,\n\
    m1,usage,This model,,m1,\nkitchen,care,Kitchen care,,,Kitchen\n";

fn built() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("written");
    write(
        "products.csv",
        "product_id,title,category_path,price,item_group_id,role\nred,Red maker,Kitchen > Coffee Makers,50,m1,durable\n\
         blue,Blue maker,Kitchen > Coffee Makers,50,,durable\nbeans,Beans,Food > Beans,9,,consumable\n",
    );
    let mut orders = String::from("basket_id,customer_id,timestamp,product_id\n");
    // Everybody has a rhythm of their own, 10 or 40 days.
    for customer in 0..40 {
        let every = if customer % 2 == 0 { 10 } else { 40 };
        for time in 0..(300 / every) {
            let day = time * every;
            orders += &format!("b{customer}-{time},c{customer},{},beans\n", 1_700_000_000 + day * 86_400);
        }
    }
    write("orders.csv", &orders);
    write("policy.toml", POLICY);
    write("partners.toml", PARTNERS);
    write("content.csv", CONTENT);
    build(folder.path());
    folder
}

const BUILD: [&str; 13] = [
    "build",
    "--products",
    "products.csv",
    "--orders",
    "orders.csv",
    "--partners",
    "partners.toml",
    "--content",
    "content.csv",
    "--policy",
    "policy.toml",
    "--out",
    "shop.aftercart",
];

fn build(folder: &Path) {
    says(&BUILD, folder);
}

fn decided(folder: &Path, requests: &[Value]) -> Vec<Value> {
    let lines: String = requests.iter().map(|request| format!("{request}\n")).collect();
    let output =
        aftercart(&["decide", "--catalog", "shop.aftercart", "--jsonl", "--question"], folder, &lines);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["offers"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|offer| offer["offer_id"].as_str())
        .collect()
}

#[test]
fn a_question_comes_with_its_answers_and_they_go_back_in_the_next_request() {
    let folder = built();
    let order = json!({ "case_id": 1, "order_id": "A", "at": "2026-01-01T10:00:00Z", "lines": [{ "product_id": "red" }] });
    let with = |more: Value| {
        let mut order = order.clone();
        order.as_object_mut().expect("it is one").extend(more.as_object().expect("it is one").clone());
        order
    };
    let asked = json!([{ "question": "gift", "at": "2026-01-01T10:00:00Z" }]);
    let answers = decided(
        folder.path(),
        &[
            order.clone(),
            with(json!({ "asked": asked, "answers": [{ "question": "gift", "tag": "gift" }] })),
            with(json!({ "asked": asked })),
        ],
    );
    let question = &answers[0]["question"];
    assert_eq!((&question["id"], &question["text"]), (&json!("gift"), &json!("Is this a gift?")));
    assert_eq!(
        question["answers"],
        json!([{ "text": "Yes", "tag": "gift" }, { "text": "No", "tag": "not-gift" }])
    );
    // The wrap is worth 0.2 times 2 where it is a gift, which three in ten are.
    assert!((question["gain"].as_f64().expect("a number") - 0.12).abs() < 1e-9, "{question}");
    assert!(!ids(&answers[0]).contains(&"wrap") && ids(&answers[1]).contains(&"wrap"), "{answers:?}");
    assert_eq!(answers[0]["group_id"], answers[1]["group_id"]);
    assert_ne!(answers[0]["decision_id"], answers[1]["decision_id"]);
    assert_eq!(
        (&answers[1]["question"], &answers[2]["question"]),
        (&Value::Null, &Value::Null),
        "one an order"
    );
    // Only where it is asked for.
    let output =
        aftercart(&["decide", "--catalog", "shop.aftercart", "--jsonl"], folder.path(), &order.to_string());
    assert!(!text(&output.stdout).contains("question"));
    let page = says(
        &["decide", "--catalog", "shop.aftercart", "--at", "2026-01-01", "--question", "red"],
        folder.path(),
    );
    assert!(page.contains("Is this a gift?"), "{page}");
    // And two of the three can go.
    let said = says(&["policy", "check", "policy.toml", "--catalog", "shop.aftercart"], folder.path());
    assert!(said.contains("question \"idle\" can never change a page: its tags trigger no offer"), "{said}");
    assert!(said.contains("question \"never\" is never asked: its ask_if contradicts itself"), "{said}");
    assert!(!said.contains("question \"gift\""), "{said}");
}

#[test]
fn content_comes_from_a_file_and_goes_with_offers_and_messages() {
    let folder = built();
    let order = |product: &str| json!({ "order_id": product, "at": "2026-01-01", "lines": [{ "product_id": product }] });
    let answers = decided(folder.path(), &[order("red"), order("blue"), order("beans")]);
    assert_eq!(ids(&answers[0]), ["red-care", "m1"]);
    assert_eq!(ids(&answers[1]), ["makers", "kitchen"]);
    assert_eq!(ids(&answers[2]), [""; 0]);
    assert_eq!(answers[0]["offers"][0]["content"], "care");
    // Guidance that names none carries that of the line.
    let programmes = "delivery_days = 2\n[[programme]]\nid = \"k\"\ncategories = [\"Kitchen\"]\n\
        step = [{ template = \"use-it\", kind = \"guidance\", after = \"delivery\" }]\n";
    fs::write(folder.path().join("follow_ups.toml"), programmes).expect("written");
    let orders = format!("{}\n{}\n", order("red"), order("blue"));
    let output = aftercart(
        &["follow-ups", "--catalog", "shop.aftercart", "--programmes", "follow_ups.toml"],
        folder.path(),
        &orders,
    );
    let events: Vec<Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let carried: Vec<&str> = events.iter().filter_map(|event| event["content_id"].as_str()).collect();
    assert_eq!(carried, ["m1", "makers"], "{}", text(&output.stderr));
    // A file that is wrong ends the build, with its place.
    fs::write(folder.path().join("content.csv"), CONTENT.replace(",m1,\n", ",m2,\n")).expect("written");
    let said = fails(&BUILD, folder.path());
    assert!(said.contains("content.csv:4: item_group_id: the product feed does not have `m2`"), "{said}");
}

#[test]
fn every_field_of_a_message_is_in_the_readmes_map_and_no_other() {
    let folder = built();
    let programmes = "[contact]\nnot_asked = \"allow\"\n[[programme]]\nid = \"all\"\ncategories = [\"Food\"]\n\
        step = [{ template = \"again\", kind = \"refill\", after = \"due\" }]\n";
    fs::write(folder.path().join("follow_ups.toml"), programmes).expect("written");
    let order = json!({ "order_id": "A", "at": "2026-01-01", "lines": [{ "product_id": "beans" }] });
    let arguments = ["follow-ups", "--catalog", "shop.aftercart", "--programmes", "follow_ups.toml"];
    let output = aftercart(&arguments, folder.path(), &order.to_string());
    let event: Value = serde_json::from_str(text(&output.stdout).trim()).expect("one message");
    let mut fields: Vec<&str> = event.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    let readme = include_str!("../README.md");
    let header = "| field | | GA4 event parameter | Shopify | e-mail service's event |\n";
    let table = readme.split(header).nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the table");
    let mut rows: Vec<&str> = table
        .lines()
        .skip(1)
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split(','))
        .collect();
    for row in &mut rows {
        *row = row.trim().trim_matches('`');
    }
    rows.sort_unstable();
    assert_eq!(fields, rows);
    // GA4 takes names of small letters, digits and underscores, up to 40, each once; those of items stand in the list of items.
    let ga4 = table.lines().skip(1).filter_map(|row| row.split('|').nth(3)).flat_map(|cell| cell.split(','));
    let ga4: Vec<&str> =
        ga4.map(|name| name.trim()).filter_map(|name| name.strip_prefix('`')?.strip_suffix('`')).collect();
    for (at, name) in ga4.iter().enumerate() {
        let own = name.strip_prefix("items[].").unwrap_or(name);
        let allowed = own.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        assert!(allowed && (1..=40).contains(&own.len()) && !ga4[..at].contains(name), "{name}");
    }
    assert!(ga4.contains(&"transaction_id") && ga4.contains(&"items[].item_id"), "{ga4:?}");
    assert_eq!(event["event_id"], "A:all:again");
    assert_eq!((&event["decide_stage"], &event["kind"]), (&json!("email"), &json!("refill")));
}

#[test]
fn planned_dates_are_nearer_to_what_came_than_fixed_intervals() {
    let folder = built();
    let arguments = [
        "follow-ups",
        "--catalog",
        "shop.aftercart",
        "--judge",
        "orders.csv",
        "--from",
        "2024-05-01",
        "--within",
        "60",
    ];
    let said = says(&arguments, folder.path());
    let mean = |name: &str| -> f64 {
        let row = said.lines().find(|line| line.starts_with(name)).expect(name);
        row[name.len()..].split_whitespace().next().and_then(|text| text.parse().ok()).expect("a number")
    };
    // Half come after 10 days and half after 40, but those of 10 four times as often.
    assert!((mean("fixed, 30 days") - 18.0).abs() < 2.0, "{said}");
    assert!(mean("planned") < 0.6 * mean("fixed, the category's median"), "{said}");
}
