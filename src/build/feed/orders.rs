//! The order lines.

use std::path::PathBuf;

use rayon::slice::ParallelSliceMut;

use super::products::money;
use super::source::{Field, Meter, Table};
use super::{
    BuildError, ColumnMap, Map, NONE, OrderLine, Orders, Product, file_error, map, parse_timestamp, shown,
};
use crate::build::progress::Progress;
use crate::days::DAY_MS;
use crate::vocabulary::Currency;

/// 2025-01-01: no clock that somebody set is before it.
const CLOCK_SET_MS: i64 = 1_735_689_600_000;

const BASKET_ID: usize = 0;
const CUSTOMER_ID: usize = 1;
const TIMESTAMP: usize = 2;
const PRODUCT_ID: usize = 3;
const QUANTITY: usize = 4;
const UNIT_PRICE: usize = 5;

/// In the order of the numbers above.
pub(super) const FIELDS: &[Field] = &[
    field("basket_id", &["basket_id", "order_id", "transaction_id"], true),
    field("customer_id", &["customer_id", "user_id"], false),
    field("timestamp", &["timestamp", "created_at"], true),
    field("product_id", &["product_id", "item_id", "id"], true),
    field("quantity", &["quantity"], false),
    field("unit_price", &["unit_price", "price"], false),
];

const fn field(name: &'static str, columns: &'static [&'static str], required: bool) -> Field {
    Field { name, columns, joint: "", required }
}

/// What was read, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrdersReport {
    /// Lines read, including those left out.
    pub lines: u64,
    /// Lines left out because their product is not in the feed.
    pub unknown_products: u64,
    /// One such product id, to look for the cause.
    pub unknown_example: Option<String>,
    /// Lines of known products left out because their quantity is zero or less: returns or voids.
    pub returns: u64,
    /// First moment of a kept line, Unix milliseconds.
    pub first_at_ms: Option<i64>,
    /// Last moment of a kept line, Unix milliseconds.
    pub last_at_ms: Option<i64>,
    /// The currency, if any unit price states one.
    pub currency: Option<Currency>,
}

/// Reads order files, one after the other, as one history, sorted by time, then basket.
///
/// Columns: `basket_id` (or `order_id`, `transaction_id`), `timestamp` and `product_id` (or `item_id`, `id`)
/// must be there; `customer_id`, `quantity` (else 1; fractions are rounded up) and `unit_price` may.
/// Further columns are ignored. Lines of unknown products and lines with a quantity of zero or less are left
/// out and counted.
///
/// # Errors
/// As [`read_products`](super::read_products).
pub fn read_orders(
    paths: &[PathBuf],
    columns: &ColumnMap,
    products: &[Product],
    progress: &dyn Progress,
) -> Result<(Orders, OrdersReport), BuildError> {
    let meter = Meter::start("orders", paths, progress)?;
    let mut rows: Map<&str, u32> = map();
    rows.extend(products.iter().map(|product| product.id.as_str()).zip(0..NONE));
    let mut baskets = Names::new();
    let mut customers = Names::new();
    let mut lines = Vec::new();
    let mut report = OrdersReport::default();
    let latest_ms = latest_ms();
    for path in paths {
        let mut table = Table::open(path, FIELDS, &columns.orders, &meter)?;
        while table.next()? {
            report.lines += 1;
            let Some(mut line) = order_line(&table, &rows, latest_ms, &mut report)? else {
                continue;
            };
            let full = || file_error(path, "there are more than 4294967295 baskets", "give fewer orders");
            line.basket = baskets.number(table.get(BASKET_ID)).ok_or_else(full)?;
            if !table.get(CUSTOMER_ID).is_empty() {
                line.customer = customers.number(table.get(CUSTOMER_ID)).ok_or_else(full)?;
            }
            lines.push(line);
        }
    }
    let sort_key = |l: &OrderLine| (l.at_ms, l.basket, l.product, l.customer, l.quantity, l.unit_price);
    if !lines.is_sorted_by_key(sort_key) {
        lines.par_sort_unstable_by_key(sort_key);
    }
    report.first_at_ms = lines.first().map(|line| line.at_ms);
    report.last_at_ms = lines.last().map(|line| line.at_ms);
    let ends = lines.first().zip(lines.last());
    let span = ends.map_or_else(String::new, |(a, b)| format!(", {} to {}", day(a.at_ms), day(b.at_ms)));
    meter.finish(&format!("{} order lines in {} baskets{span}", lines.len(), baskets.count()));
    let orders = Orders { lines, baskets: baskets.count(), customers: customers.count() };
    Ok((orders, report))
}

/// The end of tomorrow, wherever the shop is; no end where this machine's clock was never set.
fn latest_ms() -> i64 {
    let now = std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(0, |since| since.as_millis() as i64);
    if now < CLOCK_SET_MS { i64::MAX } else { now + 2 * DAY_MS }
}

/// The date of a time, UTC; a dash where no calendar has it.
fn day(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms)
        .map_or_else(|_| "-".into(), |at| at.strftime("%Y-%m-%d").to_string())
}

/// The row as a line, its basket and customer still to be numbered; `None` where it is left out.
fn order_line(
    table: &Table<'_>,
    products: &Map<&str, u32>,
    latest_ms: i64,
    report: &mut OrdersReport,
) -> Result<Option<OrderLine>, BuildError> {
    for (field, what) in [(BASKET_ID, "order"), (PRODUCT_ID, "product")] {
        if table.get(field).is_empty() {
            return Err(table.error(field, "is empty", format!("name the {what} in every line")));
        }
    }
    let time = table.get(TIMESTAMP);
    let at_ms = parse_timestamp(time).map_err(|problem| {
        table.error(
            TIMESTAMP,
            format!("{} {problem}", shown(time)),
            "write it like `2017-01-01T12:26:30Z`, or as Unix seconds or milliseconds",
        )
    })?;
    if at_ms > latest_ms {
        return Err(table.error(
            TIMESTAMP,
            format!("{} is in the future", shown(time)),
            "give the time of the purchase: how lately things were bought is counted from the newest order",
        ));
    }
    let quantity = quantity(table)?;
    let Some(product) = products.get(table.get(PRODUCT_ID)) else {
        report.unknown_products += 1;
        report.unknown_example.get_or_insert_with(|| table.get(PRODUCT_ID).to_owned());
        return Ok(None);
    };
    if quantity == 0 {
        report.returns += 1;
        return Ok(None);
    }
    let unit_price = money(table, UNIT_PRICE, &mut report.currency)?;
    Ok(Some(OrderLine { basket: NONE, customer: NONE, at_ms, product: *product, quantity, unit_price }))
}

/// Units bought, fractions rounded up; 0 for a return.
fn quantity(table: &Table<'_>) -> Result<u32, BuildError> {
    let text = table.get(QUANTITY);
    if text.is_empty() {
        return Ok(1);
    }
    if let Ok(whole) = text.parse() {
        return Ok(whole);
    }
    let units = text.parse::<f64>().ok().filter(|units| units.is_finite()).map(f64::ceil);
    match units {
        Some(units) if units <= 0.0 => Ok(0),
        Some(units) if units <= f64::from(u32::MAX) => Ok(units as u32),
        _ => Err(table.error(
            QUANTITY,
            format!("{} is not a number of units", shown(text)),
            "write a number below 4294967296, or leave it empty for 1",
        )),
    }
}

/// Numbers names densely in the order in which they come.
struct Names {
    numbers: Map<Box<str>, u32>,
    /// The last name: lines of one basket stand together.
    last: (String, u32),
}

impl Names {
    fn new() -> Self {
        Self { numbers: map(), last: (String::new(), NONE) }
    }

    /// `None` once the numbers are used up.
    fn number(&mut self, name: &str) -> Option<u32> {
        if self.last.1 != NONE && self.last.0 == name {
            return Some(self.last.1);
        }
        let number = match self.numbers.get(name) {
            Some(number) => *number,
            None => {
                let number = u32::try_from(self.numbers.len()).ok().filter(|n| *n != NONE)?;
                self.numbers.insert(name.into(), number);
                number
            }
        };
        self.last.0.clear();
        self.last.0.push_str(name);
        self.last.1 = number;
        Some(number)
    }

    fn count(&self) -> u32 {
        self.numbers.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Files;
    use super::*;
    use crate::build::progress::Silent;

    fn feed() -> Vec<Product> {
        ["p0", "p1", "p2"].map(|id| Product { id: id.into(), ..Product::default() }).into()
    }

    fn read(name: &str, text: &str) -> Result<(Orders, OrdersReport), String> {
        let files = Files::new();
        let path = files.add(name, text);
        read_orders(&[path], &ColumnMap::default(), &feed(), &Silent).map_err(|e| files.text(&e))
    }

    #[test]
    fn lines_come_sorted_and_what_is_left_out_is_counted() {
        let text = "basket_id,customer_id,timestamp,product_id,quantity,unit_price,store_id\n\
            b,c1,2017-01-02T00:00:00,p2,1.2,2.50 EUR,9\n\
            a,,2017-01-01 00:00:01,p1,,,9\n\
            a,,2017-01-01 00:00:01,p0,3,0,9\n\
            c,c2,1483228800,gone,1,,9\n\
            c,c2,1483228800,gone too,0,,9\n\
            c,c2,1483228800,p0,0,,9\n\
            c,c2,1483228800,p0,-2,-5.00,9\n\
            d,c1,2017-01-02T01:00:00+01:00,p1,0.01,,9\n";
        let (orders, report) = read("orders.csv.gz", text).unwrap();
        let line = |basket, customer, at_ms, product, quantity, unit_price| OrderLine {
            basket,
            customer,
            at_ms,
            product,
            quantity,
            unit_price,
        };
        let (first, last) = (1_483_228_801_000, 1_483_315_200_000);
        let want = [
            line(1, NONE, first, 0, 3, Some(0)),
            line(1, NONE, first, 1, 1, None),
            line(0, 0, last, 2, 2, Some(250)),
            line(2, 0, last, 1, 1, None),
        ];
        assert_eq!(orders, Orders { lines: want.into(), baskets: 3, customers: 1 });
        let want = OrdersReport {
            lines: 8,
            unknown_products: 2,
            unknown_example: Some("gone".into()),
            returns: 2,
            first_at_ms: Some(first),
            last_at_ms: Some(last),
            currency: Currency::parse("EUR"),
        };
        assert_eq!(report, want);
    }

    #[test]
    fn other_names_of_columns_are_known() {
        let json = "{\"transaction_id\":1,\"item_id\":\"p1\",\"created_at\":1483228800,\"id\":77}\n";
        let tsv = "id\torder_id\ttimestamp\np1\t1\t2017-01-01\n";
        let (want, _) = read("o.tsv", tsv).unwrap();
        assert_eq!((want.lines.len(), want.lines[0].product), (1, 1));
        assert_eq!(read("o.jsonl", json).unwrap().0, want);
        let (none, report) = read("o.tsv", "id\torder_id\ttimestamp\n").unwrap();
        assert_eq!((none, report), (Orders::default(), OrdersReport::default()));
    }

    #[test]
    fn wrong_lines_are_refused() {
        for (row, want) in [
            (",2017-01-01,p0,1,1", "basket_id: is empty\n  way out: name the order in every line"),
            ("a,2017-01-01,,1,1", "product_id: is empty\n  way out: name the product in every line"),
            (
                "a,2017-02-30,p0,1,1",
                "timestamp: `2017-02-30` names a day or time that does not exist\n  \
                 way out: write it like `2017-01-01T12:26:30Z`, or as Unix seconds or milliseconds",
            ),
            (
                "a,9999-01-01,p0,1,1",
                "timestamp: `9999-01-01` is in the future\n  \
                 way out: give the time of the purchase: how lately things were bought is counted from the newest order",
            ),
            (
                "a,,p0,1,1",
                "timestamp: `` is not a date or time\n  \
                 way out: write it like `2017-01-01T12:26:30Z`, or as Unix seconds or milliseconds",
            ),
            (
                "a,2017-01-01,p0,two,1",
                "quantity: `two` is not a number of units\n  \
                 way out: write a number below 4294967296, or leave it empty for 1",
            ),
            (
                "a,2017-01-01,p0,4294967296,1",
                "quantity: `4294967296` is not a number of units\n  \
                 way out: write a number below 4294967296, or leave it empty for 1",
            ),
            (
                "a,2017-01-01,p0,nan,1",
                "quantity: `nan` is not a number of units\n  \
                 way out: write a number below 4294967296, or leave it empty for 1",
            ),
            (
                "a,2017-01-01,p0,1,-1",
                "unit_price: `-1` is negative\n  way out: write it like `12.99` or `12.99 USD`, or leave it empty",
            ),
        ] {
            let text = format!("basket_id,timestamp,product_id,quantity,unit_price\n{row}\n");
            assert_eq!(read("o.csv", &text), Err(format!("o.csv:2: {want}")));
        }
        assert_eq!(
            read("o.csv", "order_id;item_id;timestamp\n"),
            Err("o.csv: the first line is one column: order_id;item_id;timestamp\n  \
                 way out: separate the fields with commas, or with tabs in a .tsv file"
                .to_owned()),
        );
        assert_eq!(
            read("o.csv", "order_id,item_id,when\n"),
            Err("o.csv: no column holds `timestamp` (looked for: timestamp, created_at); \
                 there are: order_id, item_id, when\n  \
                 way out: rename the column, or map it with `[orders] timestamp = \"your column\"`"
                .to_owned()),
        );
    }
}
