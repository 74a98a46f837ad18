//! What a synthetic feed must keep to, on a small source made by hand.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;

use flate2::read::GzDecoder;
use tempfile::TempDir;

use super::{SynthOptions, SynthReport, SynthSource, synthesize};
use crate::build::error::BuildError;
use crate::build::feed::{NONE, OrderLine, Orders, Product};
use crate::build::progress::Silent;

type Row = BTreeMap<String, String>;

const SMALL: SynthOptions =
    SynthOptions { products: 6_000, brands: 50, order_lines: 9_001, shops: 4, seed: 7 };

fn products() -> Vec<Product> {
    (0..60)
        .map(|i| Product {
            // One id of the greatest length allowed.
            id: if i == 3 { "x".repeat(64) } else { format!("real{i}") },
            title: format!("THING, \"{i}\" 12 OZ"),
            category_path: format!("GROCERY > AISLE {} > THING {i}", i % 5),
            brand: if i == 9 { String::new() } else { format!("M{}", i % 20) },
            price: (i != 11).then_some(99 + 37 * i),
            ..Product::default()
        })
        .collect()
}

fn orders() -> Orders {
    let mut lines = Vec::new();
    for basket in 0..200_u32 {
        for line in 0..2 + basket % 4 {
            let product = (basket * 7 + line * 13) % 60;
            lines.push(OrderLine {
                basket,
                customer: if basket % 10 == 0 { NONE } else { basket % 23 },
                at_ms: 1_483_273_590_000 + i64::from(basket) * 3_600_000,
                product,
                quantity: 1 + basket % 2,
                unit_price: Some(90 + 37 * i64::from(product)),
            });
        }
    }
    Orders { lines, baskets: 200, customers: 23 }
}

fn run(options: &SynthOptions, out: &Path) -> Result<SynthReport, BuildError> {
    synthesize(&SynthSource { products: &products(), orders: &orders() }, options, out, &Silent)
}

fn rows(path: &Path) -> Vec<Row> {
    let file = fs::File::open(path).unwrap();
    csv::Reader::from_reader(GzDecoder::new(file)).deserialize().map(Result::unwrap).collect()
}

/// Both files of a run as rows, with its report.
fn made(options: &SynthOptions) -> (Vec<Row>, Vec<Row>, SynthReport) {
    let dir = TempDir::new().unwrap();
    let report = run(options, dir.path()).unwrap();
    let mut names: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|e| e.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["README.md", "orders.csv.gz", "products.csv.gz"]);
    (rows(&dir.path().join("products.csv.gz")), rows(&dir.path().join("orders.csv.gz")), report)
}

fn distinct<'a>(rows: &'a [Row], column: &str) -> BTreeSet<&'a str> {
    rows.iter().map(|r| r[column].as_str()).collect()
}

#[test]
fn the_seed_decides_the_bytes() {
    let bytes = |seed| {
        let dir = TempDir::new().unwrap();
        run(&SynthOptions { seed, ..SMALL }, dir.path()).unwrap();
        ["products.csv.gz", "orders.csv.gz", "README.md"].map(|name| fs::read(dir.path().join(name)).unwrap())
    };
    let first = bytes(7);
    assert_eq!(first, bytes(7));
    let other = bytes(8);
    assert!(first.iter().zip(&other).all(|(a, b)| a != b));
}

#[test]
fn counts_are_exact() {
    // More brands than the source has, as many, fewer; a number of rows that divides by nothing.
    for (products, brands) in [(6_000, 50), (6_001, 20), (6_007, 3), (701, 40), (600, 60)] {
        let (feed, orders, report) = made(&SynthOptions { products, brands, ..SMALL });
        assert_eq!((feed.len(), report.products), (products, products));
        assert_eq!((distinct(&feed, "brand").len(), report.brands), (brands, brands));
        assert_eq!((orders.len(), report.order_lines), (9_001, 9_001));
        assert_eq!(report.item_groups, distinct(&feed, "item_group_id").len());
        assert_eq!(report.baskets, distinct(&orders, "basket_id").len());
        assert_eq!(report.sold, distinct(&orders, "product_id").len());
        let count = |column: &str, value: &str| feed.iter().filter(|r| r[column] == value).count();
        assert_eq!(report.without_category, count("category_path", ""));
        assert_eq!(report.out_of_stock, count("availability", "out_of_stock"));
        assert_eq!(report.without_price, count("price", ""));
        assert!((products / 200..products / 50).contains(&report.without_category));
        assert!((products / 60..products / 20).contains(&report.out_of_stock));
    }
}

#[test]
fn every_row_is_labelled_and_has_its_own_short_id() {
    let (feed, _, _) = made(&SMALL);
    let real = products();
    let known: BTreeMap<_, _> = real.iter().map(|p| (p.id.as_str(), p)).collect();
    assert_eq!(distinct(&feed, "product_id").len(), feed.len());
    for row in &feed {
        assert!(row["product_id"].len() <= 64 && row["product_id"].starts_with("syn-"));
        assert_eq!(row["synthetic"], "1");
        let source = known[row["source_id"].as_str()];
        assert!(row["title"].starts_with(&source.title) && row["title"].contains(", shop "));
        assert!(row["category_path"].is_empty() || row["category_path"] == source.category_path);
    }
    assert_eq!(distinct(&feed, "title").len(), feed.len());
}

#[test]
fn variants_of_a_group_share_source_and_brand() {
    let (feed, _, _) = made(&SMALL);
    let mut groups: BTreeMap<&str, Vec<&Row>> = BTreeMap::new();
    for row in &feed {
        groups.entry(&row["item_group_id"]).or_default().push(row);
    }
    for rows in groups.values() {
        assert!(
            rows.iter().all(|r| r["source_id"] == rows[0]["source_id"] && r["brand"] == rows[0]["brand"])
        );
    }
    assert!(groups.values().any(|rows| rows.len() > 1));
}

#[test]
fn a_basket_stays_within_one_shop() {
    // With 150 rows for 60 products no shop carries everything.
    for products in [6_000, 150] {
        let (feed, orders, _) = made(&SynthOptions { products, brands: 5, ..SMALL });
        let shop_of: BTreeMap<_, _> = feed
            .iter()
            .map(|r| (r["product_id"].as_str(), r["title"].rsplit_once(", shop ").unwrap().1))
            .collect();
        let mut shops: BTreeMap<&str, HashSet<&str>> = BTreeMap::new();
        for line in &orders {
            shops.entry(&line["basket_id"]).or_default().insert(shop_of[line["product_id"].as_str()]);
        }
        assert!(shops.values().all(|s| s.len() == 1));
        assert!(shops.values().flatten().collect::<HashSet<_>>().len() > 1);
        assert!(orders.is_sorted_by_key(|l| &l["timestamp"]));
    }
}

#[test]
fn some_variants_are_popular_and_many_are_never_sold() {
    let (feed, orders, report) = made(&SMALL);
    let mut sales: BTreeMap<&str, usize> = BTreeMap::new();
    for line in &orders {
        *sales.entry(&line["product_id"]).or_default() += 1;
    }
    let best = *sales.values().max().unwrap();
    assert!(best * report.sold > 5 * orders.len(), "best seller {best}");
    assert!(report.sold < feed.len() * 3 / 4, "{} sold", report.sold);
    assert!(orders.iter().any(|l| l["customer_id"].is_empty()));
}

#[test]
fn what_the_source_cannot_give_is_refused_and_nothing_is_left_behind() {
    let dir = TempDir::new().unwrap();
    for options in [
        SynthOptions { products: 10, brands: 11, ..SMALL },
        SynthOptions { shops: 0, ..SMALL },
        // 60 products in 4 shops and 3 sizes have but one item group each.
        SynthOptions { products: 600, brands: 61, ..SMALL },
        // A single product that nobody bought.
        SynthOptions { products: 1, brands: 1, order_lines: 5, ..SMALL },
    ] {
        let only_unsold = options.products == 1;
        let mut orders = orders();
        orders.lines.retain(|l| !only_unsold || l.product != 59);
        let source = SynthSource { products: &products(), orders: &orders };
        let refused = synthesize(&source, &options, dir.path(), &Silent);
        assert!(matches!(refused, Err(BuildError::Input { .. })), "{options:?}: {refused:?}");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
