//! The order lines.

use std::path::PathBuf;

use rayon::slice::ParallelSliceMut;

use super::products::money;
use super::source::{Field, Meter, Table};
use super::{
    BuildError, ColumnMap, Map, NONE, OrderLine, Orders, Product, file_error, map, parse_timestamp, shown,
};
use crate::build::progress::Progress;
use crate::vocabulary::Currency;

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
    for path in paths {
        let mut table = Table::open(path, FIELDS, &columns.orders, &meter)?;
        while table.next()? {
            report.lines += 1;
            let Some(mut line) = order_line(&table, &rows, &mut report)? else {
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
    meter.finish(&format!("{} order lines in {} baskets", lines.len(), baskets.count()));
    let orders = Orders { lines, baskets: baskets.count(), customers: customers.count() };
    Ok((orders, report))
}

/// The row as a line, its basket and customer still to be numbered; `None` where it is left out.
fn order_line(
    table: &Table<'_>,
    products: &Map<&str, u32>,
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
