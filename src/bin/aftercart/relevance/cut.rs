//! Cuts a merchant's orders into training orders and held-out cases.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use aftercart::build::feed::{self, ColumnMap, NONE, OrderLine, Orders, Product, parse_timestamp};
use flate2::Compression;
use flate2::write::GzEncoder;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::{Value, json};

use crate::Failure;
use crate::bars::Bars;
use crate::request::money;

/// How long after a basket what is bought counts.
const AFTER_MS: i64 = 14 * 24 * 3600 * 1000;
/// Newest earlier lines of a customer that a case tells.
const HISTORY_MAX: usize = 500;
/// Fewest lines of a basket of which one is hidden.
const COMPLETION_MIN: usize = 3;
const TASKS: [&str; 3] = ["completion", "next14", "new14"];

#[derive(clap::Args)]
#[command(next_help_heading = "Cutting cases from orders")]
pub(super) struct Cut {
    /// Folder for train.csv.gz (orders before the cut), cases.jsonl and truth.jsonl. Tasks: completion (one line of a
    /// later basket is hidden), next14 (what the customer buys within 14 days after it), new14 (of that, what is new to them);
    /// a product of a basket line's type is never right. train.csv.gz has the usual column names, whatever --columns says
    #[arg(long, value_name = "DIR", requires_all = ["products", "orders", "cut"], conflicts_with_all = ["catalog", "cases", "truth", "train", "peers", "out", "csv"])]
    write_cases: Option<PathBuf>,
    /// Product feed, as for `build`
    #[arg(long, value_name = "FILE", requires = "write_cases")]
    products: Vec<PathBuf>,
    /// Orders, as for `build`
    #[arg(long, value_name = "FILE", requires = "write_cases")]
    orders: Vec<PathBuf>,
    /// Where training ends and cases begin
    #[arg(long, value_name = "DATE", requires = "write_cases")]
    cut: Option<String>,
    /// Most cases of a task
    #[arg(long, default_value_t = 3000, value_name = "N", requires = "write_cases")]
    per_task: usize,
    /// Seed of the choice of cases
    #[arg(long, default_value_t = 1, requires = "write_cases")]
    seed: u64,
}

pub(super) fn run(args: &Cut, columns: &ColumnMap, bars: &Bars) -> Result<(), Failure> {
    // The command line does not let it be absent.
    let (Some(folder), Some(cut)) = (&args.write_cases, &args.cut) else { return Ok(()) };
    let cut_ms = parse_timestamp(cut).map_err(|problem| {
        format!("--cut: \"{cut}\" {problem}\n  way out: write it like 2026-09-01 or 2026-09-01T00:00:00Z")
    })?;
    let (products, _) = feed::read_products(&args.products, columns, bars)?;
    let (orders, _) = feed::read_orders(&args.orders, columns, &products, bars)?;
    let shop = Shop::new(&products, &orders, cut_ms);
    if shop.train.is_empty() || shop.later.is_empty() {
        let side = if shop.train.is_empty() { "before" } else { "after" };
        return Err(format!(
            "--cut: no order line {side} {cut}\n  way out: cut where both sides have orders"
        )
        .into());
    }
    let cases = shop.cases(args.per_task, args.seed);
    std::fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    write_train(&products, &shop.train, &folder.join("train.csv.gz"))?;
    write_lines(&folder.join("cases.jsonl"), cases.iter().map(|case| shop.request(case)))?;
    write_lines(
        &folder.join("truth.jsonl"),
        cases.iter().map(|case| {
            let relevant: Vec<&str> = case.relevant.iter().map(|product| shop.id(*product)).collect();
            json!({ "case_id": case.id(), "relevant": relevant })
        }),
    )?;
    let counted = TASKS.map(|task| (task, cases.iter().filter(|case| case.task == task).count()));
    let counted: Vec<String> = counted.iter().map(|(task, count)| format!("{count} {task}")).collect();
    println!(
        "{}: {} order lines to train on; cases: {}\n\nNext:\n  aftercart build --products {} --orders {dir}/train.csv.gz --out {dir}/shop.aftercart\n  aftercart relevance --catalog {dir}/shop.aftercart --cases {dir}/cases.jsonl --truth {dir}/truth.jsonl --train {dir}/train.csv.gz --out report.html",
        folder.display(),
        shop.train.len(),
        counted.join(", "),
        args.products.iter().map(|p| p.display().to_string()).collect::<Vec<_>>().join(" --products "),
        dir = folder.display()
    );
    Ok(())
}

/// A basket after the cut, each product once.
struct Later {
    number: u32,
    customer: u32,
    at_ms: i64,
    lines: Vec<OrderLine>,
}

/// What a case asks, and what is right.
struct Case<'a> {
    task: &'static str,
    basket: &'a Later,
    /// The product taken out of the basket.
    hidden: Option<u32>,
    relevant: BTreeSet<u32>,
}

impl Case<'_> {
    fn id(&self) -> String {
        format!("{}-{}", self.task, self.basket.number)
    }
}

struct Shop<'a> {
    products: &'a [Product],
    train: Vec<OrderLine>,
    /// Products in the training orders.
    known: HashSet<u32>,
    /// Training lines of each named customer, oldest first.
    histories: HashMap<u32, Vec<OrderLine>>,
    later: Vec<Later>,
    /// Places in `later` of each named customer.
    of_customer: HashMap<u32, Vec<usize>>,
}

impl<'a> Shop<'a> {
    fn new(products: &'a [Product], orders: &Orders, cut_ms: i64) -> Self {
        let (train, after): (Vec<OrderLine>, Vec<OrderLine>) =
            orders.lines.iter().partition(|line| line.at_ms < cut_ms);
        let mut histories: HashMap<u32, Vec<OrderLine>> = HashMap::new();
        for line in train.iter().filter(|line| line.customer != NONE) {
            histories.entry(line.customer).or_default().push(*line);
        }
        let (mut later, mut places): (Vec<Later>, HashMap<u32, usize>) = (Vec::new(), HashMap::new());
        for line in after {
            let place = *places.entry(line.basket).or_insert_with(|| {
                let OrderLine { basket: number, customer, at_ms, .. } = line;
                later.push(Later { number, customer, at_ms, lines: Vec::new() });
                later.len() - 1
            });
            let lines = &mut later[place].lines;
            if lines.iter().all(|other| other.product != line.product) {
                lines.push(line);
            }
        }
        let mut of_customer: HashMap<u32, Vec<usize>> = HashMap::new();
        for (place, basket) in later.iter().enumerate().filter(|(_, basket)| basket.customer != NONE) {
            of_customer.entry(basket.customer).or_default().push(place);
        }
        let known = train.iter().map(|line| line.product).collect();
        Self { products, train, known, histories, later, of_customer }
    }

    fn id(&self, product: u32) -> &'a str {
        &self.products[product as usize].id
    }

    /// Category path, else title; a product without both has no type and is never right.
    fn kind(&self, product: u32) -> Option<&'a str> {
        let product = &self.products[product as usize];
        [&product.category_path, &product.title].into_iter().map(String::as_str).find(|kind| !kind.is_empty())
    }

    /// Whether finding a product beside these lines would be no look-alike.
    fn may_be_right(&self, product: u32, lines: &[OrderLine]) -> bool {
        let kind = self.kind(product);
        let alike = |line: &OrderLine| self.kind(line.product) == kind;
        kind.is_some() && self.known.contains(&product) && !lines.iter().any(alike)
    }

    fn cases(&self, per_task: usize, seed: u64) -> Vec<Case<'_>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut order: Vec<usize> = (0..self.later.len()).collect();
        order.shuffle(&mut rng);
        let mut cases: Vec<Case<'_>> = Vec::new();
        let mut counts = [0usize; TASKS.len()];
        for place in order {
            let basket = &self.later[place];
            let seen: Vec<&OrderLine> =
                basket.lines.iter().filter(|line| self.known.contains(&line.product)).collect();
            // What a decision refuses is no case.
            if seen.is_empty() || basket.lines.len() > aftercart::limits::LINES_MAX {
                continue;
            }
            let mut found: [(Option<u32>, BTreeSet<u32>); TASKS.len()] = Default::default();
            if seen.len() >= COMPLETION_MIN {
                let hidden = seen[rng.random_range(0..seen.len())].product;
                let rest: Vec<OrderLine> =
                    basket.lines.iter().filter(|line| line.product != hidden).copied().collect();
                if self.may_be_right(hidden, &rest) {
                    found[0] = (Some(hidden), BTreeSet::from([hidden]));
                }
            }
            if self.histories.contains_key(&basket.customer) {
                let (next, owned) = self.afterwards(basket);
                found[2].1 = next.difference(&owned).copied().collect();
                found[1].1 = next;
            }
            for (at, (hidden, relevant)) in found.into_iter().enumerate() {
                if !relevant.is_empty() && counts[at] < per_task {
                    counts[at] += 1;
                    cases.push(Case { task: TASKS[at], basket, hidden, relevant });
                }
            }
            if counts.iter().all(|count| *count >= per_task) {
                break;
            }
        }
        cases
    }

    /// What the customer buys soon after a basket, and everything bought until then.
    fn afterwards(&self, basket: &Later) -> (BTreeSet<u32>, BTreeSet<u32>) {
        let places = self.of_customer.get(&basket.customer).map_or(&[][..], Vec::as_slice);
        let products = |is_wanted: &dyn Fn(i64) -> bool| -> BTreeSet<u32> {
            let baskets = places.iter().map(|place| &self.later[*place]);
            baskets.filter(|b| is_wanted(b.at_ms)).flat_map(|b| &b.lines).map(|line| line.product).collect()
        };
        let mut next = products(&|at_ms| at_ms > basket.at_ms && at_ms <= basket.at_ms + AFTER_MS);
        next.retain(|product| self.may_be_right(*product, &basket.lines));
        let mut owned = products(&|at_ms| at_ms <= basket.at_ms);
        owned.extend(self.histories[&basket.customer].iter().map(|line| line.product));
        (next, owned)
    }

    fn request(&self, case: &Case<'_>) -> Value {
        let lines = case.basket.lines.iter().filter(|line| Some(line.product) != case.hidden);
        let lines: Vec<Value> = lines
            .map(|line| json!({ "product_id": self.id(line.product), "quantity": line.quantity, "unit_price": line.unit_price.map(money) }))
            .collect();
        // A hidden line is asked for as of an unknown customer.
        let history = self.histories.get(&case.basket.customer).filter(|_| case.hidden.is_none());
        let history = history.map_or(&[][..], |lines| &lines[lines.len().saturating_sub(HISTORY_MAX)..]);
        let history: Vec<Value> = history
            .iter()
            .map(|line| json!({ "product_id": self.id(line.product), "at": line.at_ms }))
            .collect();
        json!({ "case_id": case.id(), "task": case.task, "at": case.basket.at_ms, "lines": lines, "history": history })
    }
}

fn failed(path: &Path, error: impl std::fmt::Display) -> Failure {
    format!("{}: write failed: {error}", path.display()).into()
}

fn write_lines(path: &Path, values: impl Iterator<Item = Value>) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::fs::File::create(path).map_err(|e| failed(path, e))?);
    for value in values {
        writeln!(out, "{value}").map_err(|e| failed(path, e))?;
    }
    out.flush().map_err(|e| failed(path, e))
}

/// Writes orders that `build` reads. Names of baskets and customers are numbers: the catalog keeps neither.
fn write_train(products: &[Product], lines: &[OrderLine], path: &Path) -> Result<(), Failure> {
    let file = std::fs::File::create(path).map_err(|e| failed(path, e))?;
    let mut out = csv::Writer::from_writer(GzEncoder::new(BufWriter::new(file), Compression::fast()));
    out.write_record(["basket_id", "customer_id", "timestamp", "product_id", "quantity", "unit_price"])
        .map_err(|e| failed(path, e))?;
    for line in lines {
        let customer = Some(line.customer).filter(|c| *c != NONE).map_or_else(String::new, |c| c.to_string());
        let price = line.unit_price.map_or_else(String::new, money);
        let (basket, at, quantity) =
            (line.basket.to_string(), line.at_ms.to_string(), line.quantity.to_string());
        let id = &products[line.product as usize].id;
        out.write_record([&basket, &customer, &at, id, &quantity, &price]).map_err(|e| failed(path, e))?;
    }
    let packed = out.into_inner().map_err(|e| failed(path, e.error()))?;
    packed.finish().and_then(|mut file| file.flush()).map_err(|e| failed(path, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 24 * 3600 * 1000;

    /// Products a0, a1, ..., e1: the letter is the type.
    fn products() -> Vec<Product> {
        let ids = ["a", "b", "c", "d", "e"].into_iter().flat_map(|kind| [0, 1].map(|n| (kind, n)));
        ids.map(|(kind, n)| Product {
            id: format!("{kind}{n}"),
            category_path: kind.to_owned(),
            ..Product::default()
        })
        .collect()
    }

    /// Baskets of (customer, day, products).
    fn orders(products: &[Product], baskets: &[(u32, i64, &[&str])]) -> Orders {
        let row = |id: &str| products.iter().position(|product| product.id == id).unwrap() as u32;
        let mut lines = Vec::new();
        for (basket, (customer, day, ids)) in (0..).zip(baskets) {
            lines.extend(ids.iter().map(|id| OrderLine {
                basket,
                customer: *customer,
                at_ms: day * DAY,
                product: row(id),
                quantity: 1,
                unit_price: Some(250),
            }));
        }
        Orders { lines, baskets: baskets.len() as u32, customers: 2 }
    }

    #[test]
    fn cases_hold_what_came_later_and_no_look_alike() {
        let products = products();
        let orders = orders(
            &products,
            &[
                (0, 1, &["a0", "b0", "c0", "d0"]),
                (NONE, 2, &["d1"]),
                // After the cut: e1 was never sold before it, a1 is of a bought type, c0 is known to the customer.
                (0, 10, &["a0", "b0"]),
                (0, 20, &["c0", "d1", "a1", "e1"]),
                (0, 40, &["d0"]),
            ],
        );
        let shop = Shop::new(&products, &orders, 5 * DAY);
        let cases = shop.cases(100, 1);
        let names = |task: &str, basket: u32| -> Vec<&str> {
            let case = cases.iter().find(|case| case.task == task && case.basket.number == basket);
            case.map_or(Vec::new(), |case| case.relevant.iter().map(|product| shop.id(*product)).collect())
        };
        assert_eq!(names("next14", 2), ["c0", "d1"]);
        assert_eq!(names("new14", 2), ["d1"]);
        assert!(names("next14", 3).is_empty(), "20 days later is too late");
        assert!(
            cases.iter().all(|case| case.task != "completion"),
            "no basket with three products known before"
        );
        let request = shop.request(cases.iter().find(|case| case.task == "next14").unwrap());
        assert_eq!(request["lines"][1], json!({ "product_id": "b0", "quantity": 1, "unit_price": "2.50" }));
        assert_eq!(request["history"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn a_completion_hides_one_line_and_the_customer() {
        let products = products();
        let sold: &[&str] = &["a0", "b0", "c0"];
        let orders = orders(&products, &[(0, 1, sold), (0, 10, sold)]);
        let shop = Shop::new(&products, &orders, 5 * DAY);
        let cases = shop.cases(100, 1);
        assert_eq!((cases.len(), cases[0].task), (1, "completion"));
        let request = shop.request(&cases[0]);
        assert_eq!(request["lines"].as_array().unwrap().len(), 2);
        assert_eq!(request["history"], json!([]));
        let hidden = shop.id(*cases[0].relevant.first().unwrap());
        assert!(!request["lines"].to_string().contains(hidden));
    }
}
