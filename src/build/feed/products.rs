//! The product feed.

use std::path::PathBuf;

use super::source::{Field, Meter, Table};
use super::{
    BuildError, ColumnMap, Map, NONE, Product, file_error, id_problem, listed, map, parse_price, shown,
};
use crate::build::progress::Progress;
use crate::vocabulary::{Availability, Country, Currency, Role, SensitiveClass};

const ID: usize = 0;
const TITLE: usize = 1;
const CATEGORY_PATH: usize = 2;
const PRODUCT_TYPE: usize = 3;
const GOOGLE_PRODUCT_CATEGORY: usize = 4;
const BRAND: usize = 5;
const PRICE: usize = 6;
const SALE_PRICE: usize = 7;
const COST: usize = 8;
const AVAILABILITY: usize = 9;
const ITEM_GROUP_ID: usize = 10;
const GTIN: usize = 11;
const ADULT: usize = 12;
const AGE_MIN: usize = 13;
const SENSITIVE: usize = 14;
const ROLE: usize = 15;
const SELLER: usize = 16;
const REGION: usize = 17;

/// In the order of the numbers above.
pub(super) const FIELDS: &[Field] = &[
    Field { name: "id", columns: &["id", "product_id"], joint: "", required: true },
    text("title", &["title"]),
    list("category_path", &["category_path"], " > "),
    list("product_type", &["product_type"], " > "),
    list("google_product_category", &["google_product_category"], " > "),
    text("brand", &["brand"]),
    text("price", &["price"]),
    text("sale_price", &["sale_price"]),
    text("cost_of_goods_sold", &["cost_of_goods_sold"]),
    text("availability", &["availability"]),
    text("item_group_id", &["item_group_id"]),
    text("gtin", &["gtin"]),
    text("adult", &["adult"]),
    text("age_min", &["age_min"]),
    text("sensitive_class", &["sensitive_class"]),
    text("role", &["role"]),
    text("seller", &["seller", "external_seller_id"]),
    list("eligible_region", &["eligible_region"], ","),
];

const fn text(name: &'static str, columns: &'static [&'static str]) -> Field {
    Field { name, columns, joint: "", required: false }
}

const fn list(name: &'static str, columns: &'static [&'static str], joint: &'static str) -> Field {
    Field { name, columns, joint, required: false }
}

/// Reads product feeds, one after the other, as one feed, and the currency if any price states one.
///
/// Columns have the attribute names of Google Merchant; only `id` (or `product_id`) must be there, columns
/// that are not in [`Product`] are ignored, and an empty field means that the feed does not say. Prices are
/// hundredths; `category_path` wins over `product_type`, that over `google_product_category`. `age_group` is
/// about sizes, not about leave to buy, so it is not read: `age_min` and `adult` are.
///
/// # Errors
/// [`BuildError::Io`] and [`BuildError::File`] for files that cannot be read, are cut short, of an unknown
/// format, or lack a column; [`BuildError::Field`] for a field that is not what it must be, an id that
/// comes twice, or a second currency.
pub fn read_products(
    paths: &[PathBuf],
    columns: &ColumnMap,
    progress: &dyn Progress,
) -> Result<(Vec<Product>, Option<Currency>), BuildError> {
    let meter = Meter::start("products", paths, progress)?;
    let mut products = Vec::new();
    let mut currency = None;
    let mut places = Vec::new();
    for (file, path) in paths.iter().enumerate() {
        let mut table = Table::open(path, FIELDS, &columns.products, &meter)?;
        while table.next()? {
            if products.len() >= NONE as usize {
                return Err(file_error(path, "there are more than 4294967295 products", "split the catalog"));
            }
            products.push(product(&table, &mut currency)?);
            places.push((file, table.line()));
        }
    }
    check_unique(paths, &products, &places)?;
    meter.finish(&format!("{} products", products.len()));
    Ok((products, currency))
}

/// Reports the first id that comes twice, with both places.
fn check_unique(paths: &[PathBuf], products: &[Product], places: &[(usize, u64)]) -> Result<(), BuildError> {
    let mut rows: Map<&str, usize> = map();
    rows.reserve(products.len());
    for (row, product) in products.iter().enumerate() {
        if let Some(first) = rows.insert(&product.id, row) {
            let ((file, line), (first_file, first_line)) = (places[row], places[first]);
            return Err(super::field_error(
                &paths[file],
                line,
                "id",
                format!("{} was already in {}:{first_line}", shown(&product.id), paths[first_file].display()),
                "give every product an id of its own; variants share `item_group_id` instead",
            ));
        }
    }
    Ok(())
}

fn product(table: &Table<'_>, currency: &mut Option<Currency>) -> Result<Product, BuildError> {
    let id = table.get(ID);
    if let Some(problem) = id_problem(id) {
        return Err(table.error(ID, problem, "give every product an id of 1 to 64 bytes"));
    }
    let list_price = money(table, PRICE, currency)?;
    let price = money(table, SALE_PRICE, currency)?.or(list_price);
    let cost = money(table, COST, currency)?;
    let adult = yes(table, ADULT)?;
    let sensitive =
        named(table, SENSITIVE, SensitiveClass::from_name, SensitiveClass::ALL, SensitiveClass::name)?;
    let text = |field| table.get(field).to_owned();
    Ok(Product {
        id: id.to_owned(),
        title: text(TITLE),
        category_path: category(table),
        brand: text(BRAND),
        price,
        margin_bps: margin(price, cost),
        availability: availability(table)?,
        item_group_id: text(ITEM_GROUP_ID),
        gtin: text(GTIN),
        age_min: age(table)?.max(if adult { 18 } else { 0 }),
        sensitive: match sensitive {
            None if adult => SensitiveClass::Adult,
            stated => stated.unwrap_or_default(),
        },
        role: named(table, ROLE, Role::from_name, Role::ALL, Role::name)?.unwrap_or_default(),
        seller: text(SELLER),
        eligible_regions: regions(table)?,
    })
}

/// The first of the category fields that says something, with levels joined alike.
fn category(table: &Table<'_>) -> String {
    let stated = [CATEGORY_PATH, PRODUCT_TYPE, GOOGLE_PRODUCT_CATEGORY].map(|field| table.get(field));
    let path = stated.into_iter().find(|path| !path.is_empty()).unwrap_or("");
    let mut joined = String::with_capacity(path.len());
    for level in path.split('>').map(str::trim).filter(|level| !level.is_empty()) {
        if !joined.is_empty() {
            joined.push_str(" > ");
        }
        joined.push_str(level);
    }
    joined
}

/// A price of the row in hundredths; all prices of one feed must be in one currency.
pub(super) fn money(
    table: &Table<'_>,
    field: usize,
    feed: &mut Option<Currency>,
) -> Result<Option<i64>, BuildError> {
    let text = table.get(field);
    if text.is_empty() {
        return Ok(None);
    }
    let (minor, currency) = parse_price(text).map_err(|problem| {
        table.error(
            field,
            format!("{} {problem}", shown(text)),
            "write it like `12.99` or `12.99 USD`, or leave it empty",
        )
    })?;
    match (currency, *feed) {
        (Some(here), Some(feed)) if here != feed => Err(table.error(
            field,
            format!("{} is not in {}, as the prices before it are", shown(text), feed.as_str()),
            "build one catalog per currency",
        )),
        (here, _) => {
            *feed = feed.or(here);
            Ok(Some(minor))
        }
    }
}

/// What is left of the price after the cost, in basis points; nothing below zero.
fn margin(price: Option<i64>, cost: Option<i64>) -> Option<u16> {
    let (price, cost) = (price.filter(|price| *price > 0)?, cost?);
    let bps = (price - cost).max(0) * 10_000 / price;
    u16::try_from(bps).ok()
}

fn availability(table: &Table<'_>) -> Result<Availability, BuildError> {
    let parse = |text: &str| Availability::from_name(&text.replace([' ', '-'], "_"));
    Ok(named(table, AVAILABILITY, parse, Availability::ALL, Availability::name)?.unwrap_or_default())
}

/// A value of a closed vocabulary; `None` where the field is empty.
fn named<T: Copy>(
    table: &Table<'_>,
    field: usize,
    parse: impl Fn(&str) -> Option<T>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Result<Option<T>, BuildError> {
    let text = table.get(field);
    if text.is_empty() {
        return Ok(None);
    }
    parse(text).map(Some).ok_or_else(|| {
        table.error(
            field,
            format!("{} is not a known value", shown(text)),
            format!("use one of: {}, or leave it empty", listed(all.iter().map(|value| name(*value)))),
        )
    })
}

fn yes(table: &Table<'_>, field: usize) -> Result<bool, BuildError> {
    match table.get(field).to_ascii_lowercase().as_str() {
        "" | "no" | "false" | "0" => Ok(false),
        "yes" | "true" | "1" => Ok(true),
        other => {
            Err(table.error(field, format!("{} is neither yes nor no", shown(other)), "write yes or no"))
        }
    }
}

fn age(table: &Table<'_>) -> Result<u8, BuildError> {
    match table.get(AGE_MIN) {
        "" => Ok(0),
        text => text.parse().ok().filter(|age| *age <= 120).ok_or_else(|| {
            table.error(
                AGE_MIN,
                format!("{} is not an age", shown(text)),
                "write whole years from 0 to 120, or leave it empty",
            )
        }),
    }
}

/// Countries separated by commas, semicolons, bars or blanks; sorted, each once.
fn regions(table: &Table<'_>) -> Result<Vec<Country>, BuildError> {
    let mut regions = Vec::new();
    for code in table.get(REGION).split([',', ';', '|', ' ']).filter(|code| !code.is_empty()) {
        regions.push(Country::parse(code).ok_or_else(|| {
            table.error(
                REGION,
                format!("{} is not a country code", shown(code)),
                "write ISO 3166-1 codes of two letters, like `US,CA`; leave it empty for everywhere",
            )
        })?);
    }
    regions.sort_unstable();
    regions.dedup();
    Ok(regions)
}
