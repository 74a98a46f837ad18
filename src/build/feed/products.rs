//! The product feed.

use std::path::PathBuf;

use super::source::{Field, Meter, Table};
use super::{
    BuildError, ColumnMap, Map, NONE, Product, file_error, id_problem, listed, map, parse_price, shown,
};
use crate::build::progress::Progress;
use crate::build::taxonomy::joined;
use crate::vocabulary::{Attribute, Availability, Country, Currency, Role, SensitiveClass};

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
const STANDARD_CATEGORY: usize = 18;
/// The first attribute; the others follow in the order of their codes.
const ATTRIBUTES: usize = 19;

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
    list("product_category", &["product_category", "shopify_category"], " > "),
    list("color", &["color"], "/"),
    text("size", &["size"]),
    list("material", &["material"], "/"),
    text("pattern", &["pattern"]),
    text("gender", &["gender"]),
    text("age_group", &["age_group"]),
    text("condition", &["condition"]),
    text("energy_efficiency_class", &["energy_efficiency_class"]),
    text("custom_label_0", &["custom_label_0"]),
    text("custom_label_1", &["custom_label_1"]),
    text("custom_label_2", &["custom_label_2"]),
    text("custom_label_3", &["custom_label_3"]),
    text("custom_label_4", &["custom_label_4"]),
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
/// about sizes, not about leave to buy: that is `age_min` and `adult`.
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
        category_path: category(
            table,
            &[CATEGORY_PATH, PRODUCT_TYPE, GOOGLE_PRODUCT_CATEGORY, STANDARD_CATEGORY],
        ),
        standard_category: category(table, &[STANDARD_CATEGORY, GOOGLE_PRODUCT_CATEGORY]),
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
        attributes: attributes(table),
    })
}

/// What rules may name of the row, each value once.
fn attributes(table: &Table<'_>) -> Vec<(Attribute, String)> {
    let each = |attribute: &Attribute| {
        let attribute = *attribute;
        let text = table.get(ATTRIBUTES + usize::from(attribute.code()));
        attribute.values(text).map(move |value| (attribute, value)).collect::<Vec<_>>()
    };
    let mut attributes: Vec<_> = Attribute::ALL.iter().flat_map(each).collect();
    attributes.sort_unstable();
    attributes.dedup();
    attributes
}

/// The first of some category fields that says something, with levels joined alike.
fn category(table: &Table<'_>, fields: &[usize]) -> String {
    let path = fields.iter().map(|field| table.get(*field)).find(|path| !path.is_empty()).unwrap_or("");
    joined(path)
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
pub(super) fn named<T: Copy>(
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

pub(super) fn yes(table: &Table<'_>, field: usize) -> Result<bool, BuildError> {
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{Files, Told, gzip};
    use super::*;
    use crate::build::progress::Silent;

    fn read(name: &str, bytes: impl AsRef<[u8]>) -> Result<(Vec<Product>, Option<Currency>), String> {
        let files = Files::new();
        let path = files.add(name, bytes);
        read_products(&[path], &ColumnMap::default(), &Silent).map_err(|e| files.text(&e))
    }

    fn fails(name: &str, bytes: impl AsRef<[u8]>) -> String {
        read(name, bytes).expect_err("must be refused")
    }

    #[test]
    fn a_google_feed_reads_as_it_is() {
        let feed = "\u{feff}ID,g:title,Google Product Category,product_type,brand,price,sale price,\
            cost_of_goods_sold,availability,item-group-id,gtin,adult,age_group,link\r\n\
            a1,\"Gin, \"\"dry\"\"\",Drinks,Spirits>Gin >, Acme ,20.00 USD,15.00 USD,9 USD,In Stock,g1,0123,yes,adult,x\r\n\
            \r\n\
            a2,,Drinks,,,,,,out_of_stock,,,,,\r\n";
        let (rows, currency) = read("feed.csv", feed).unwrap();
        let gin = Product {
            id: "a1".into(),
            title: "Gin, \"dry\"".into(),
            category_path: "Spirits > Gin".into(),
            standard_category: "Drinks".into(),
            brand: "Acme".into(),
            price: Some(1500),
            margin_bps: Some(4000),
            availability: Availability::InStock,
            item_group_id: "g1".into(),
            gtin: "0123".into(),
            age_min: 18,
            sensitive: SensitiveClass::Adult,
            attributes: vec![(Attribute::AgeGroup, "adult".into())],
            ..Product::default()
        };
        let bare = Product {
            id: "a2".into(),
            category_path: "Drinks".into(),
            standard_category: "Drinks".into(),
            availability: Availability::OutOfStock,
            ..Product::default()
        };
        assert_eq!(rows, [gin, bare]);
        assert_eq!(currency, Some(Currency::USD));
    }

    #[test]
    fn attributes_are_read_in_lower_case_and_taken_apart() {
        let feed = "id,color,size,material,condition,custom_label_2\n\
            a,Red / navy blue/red,8/10,Cotton/Wool, New ,A/B\nb,,,,,\n";
        let (rows, _) = read("feed.csv", feed).unwrap();
        let want = [
            (Attribute::Color, "navy blue"),
            (Attribute::Color, "red"),
            (Attribute::Size, "8/10"),
            (Attribute::Material, "cotton"),
            (Attribute::Material, "wool"),
            (Attribute::Condition, "new"),
            (Attribute::CustomLabel2, "a/b"),
        ];
        assert_eq!(rows[0].attributes, want.map(|(attribute, value)| (attribute, value.to_owned())));
        assert_eq!(rows[1].attributes, []);
    }

    #[test]
    fn json_lines_read_as_csv_does() {
        let csv = "product_id,title,category_path,price,eligible_region,age_min,sensitive_class,role,seller\n\
            7,\"Gin é\",A > B,12.99,\"US,CA\",21,alcohol,consumable,acme\n8,,,,,,,,\n";
        let tsv = "product_id\ttitle\tcategory_path\tprice\teligible_region\tage_min\tsensitive_class\trole\tseller\n\
            7\tGin é\tA>B\t12.99\tCA;US CA\t21\tALCOHOL\tconsumable\tacme\n8\t\t\t\t\t\t\t\t";
        let json = "{\"product_id\":7,\"title\":\"Gin \\u00e9\",\"category_path\":[\"A\",\"B\"],\
            \"price\":12.99,\"eligible_region\":[\"US\",\"CA\"],\"age_min\":21,\"sensitive_class\":\"alcohol\",\
            \"role\":\"consumable\",\"seller\":\"acme\",\"more\":{\"deep\":[1]}}\n\n\
            {\"title\":null,\"product_id\":\"8\"}";
        let want = read("feed.csv", csv).unwrap();
        assert_eq!(want.0[0].price, Some(1299));
        assert_eq!(want.0[0].eligible_regions, [Country(*b"CA"), Country(*b"US")]);
        for (name, text) in [
            ("feed.csv.gz", csv),
            ("feed.CSV.ZST", csv),
            ("feed.csv.zst", csv),
            ("feed.tsv", tsv),
            ("feed.tsv.gz", tsv),
            ("feed.jsonl", json),
            ("feed.ndjson.gz", json),
            ("feed.jsonl.zst", json),
        ] {
            if name.ends_with("ZST") {
                let files = Files::new();
                let path = files.add_raw(name, &zstd::encode_all(text.as_bytes(), 1).unwrap());
                assert_eq!(read_products(&[path], &ColumnMap::default(), &Silent).unwrap(), want);
            } else {
                assert_eq!(read(name, text).unwrap(), want, "{name}");
            }
        }
    }

    #[test]
    fn several_gzip_members_and_files_are_one_feed() {
        let files = Files::new();
        let mut members = gzip(b"id,price\na,1");
        members.extend(gzip(b".50\nb,2\n"));
        let first = files.add_raw("one.csv.gz", &members);
        let second = files.add("two.jsonl", "{\"id\":\"c\"}\n");
        let told = Told::default();
        let (rows, _) = read_products(&[first, second], &ColumnMap::default(), &told).unwrap();
        let ids: Vec<&str> = rows.iter().map(|row| row.id.as_str()).collect();
        assert_eq!((ids, rows[0].price), (vec!["a", "b", "c"], Some(150)));
        let told = told.0.into_inner().unwrap();
        let total = members.len() + 11;
        assert_eq!(told[0], format!("start products {total} Bytes"));
        assert_eq!(told[told.len() - 2], format!("at {total}"));
        assert_eq!(told[told.len() - 1], "finish 3 products");
    }

    #[test]
    fn files_that_are_no_feed_are_refused() {
        for (name, bytes, want) in [
            (
                "feed.xml",
                "",
                "feed.xml: the name `feed.xml` does not say which format this is\n  \
                 way out: end it in .csv, .tsv, .jsonl or .ndjson, each also with .gz or .zst",
            ),
            (
                "feed.gz",
                "id\n",
                "feed.gz: the name `feed.gz` does not say which format this is\n  \
                 way out: end it in .csv, .tsv, .jsonl or .ndjson, each also with .gz or .zst",
            ),
            (
                "feed.csv",
                "\u{feff}\n",
                "feed.csv: is empty\n  way out: give a file whose first line names the columns",
            ),
            (
                "feed.csv",
                "sku,name\na,b\n",
                "feed.csv: no column holds `id` (looked for: id, product_id); there are: sku, name\n  \
                 way out: rename the column, or map it with `[products] id = \"your column\"`",
            ),
            (
                "feed.jsonl",
                "{\"sku\":1}\n",
                "feed.jsonl: no column holds `id` (looked for: id, product_id); there are: sku\n  \
                 way out: rename the column, or map it with `[products] id = \"your column\"`",
            ),
            (
                "feed.csv",
                "id,Price,g:price\n",
                "feed.csv:1: Price: stands twice, as column 2 and 3\n  way out: keep one of the two",
            ),
        ] {
            assert_eq!(fails(name, bytes), want);
        }
    }

    #[test]
    fn rows_that_do_not_parse_are_refused_with_their_line() {
        for (name, bytes, want) in [
            (
                "feed.csv",
                &b"id,title\r\na,\"x\r\ny\"\r\n\r\nb,c,d\r\n"[..],
                "feed.csv:5: row: has 3 fields, the header has 2\n  \
                 way out: put text that holds the separator or a quote in quotes, with inner quotes doubled",
            ),
            (
                "feed.csv",
                b"id,title\na,\"x\nb,y\n",
                "feed.csv:2: row: a quote that opens here is not closed before the end of the file\n  \
                 way out: close it, or double the quote where it is part of the text",
            ),
            ("feed.csv", b"id\na\n\0\0end\nb\n", "feed.csv:3: row: holds NUL bytes\n  way out: remove them"),
            (
                "feed.csv",
                b"id,title\na,b\nb,x\xffy\n",
                "feed.csv:3: title: is not UTF-8 from its byte 2 on\n  way out: save the file as UTF-8",
            ),
            (
                "feed.csv",
                b"\xff\xfei\0d\0\n",
                "feed.csv:1: header: is not UTF-8 from its byte 1 on\n  way out: save the file as UTF-8",
            ),
            (
                "feed.jsonl",
                b"{\"id\":1}\n{\"id\":2,}\n",
                "feed.jsonl:2: row: is not the JSON expected: trailing comma, at byte 9\n  \
                 way out: write one flat JSON object per line",
            ),
            (
                "feed.jsonl",
                b"[1]\n",
                "feed.jsonl:1: row: is not the JSON expected: invalid type: sequence, expected an object\n  \
                 way out: write one flat JSON object per line",
            ),
            (
                "feed.jsonl",
                b"{\"id\":1,\"price\":{\"value\":\"1\"}}\n",
                "feed.jsonl:1: row: is not the JSON expected: invalid type: map, expected a single value in `price`, \
                 at byte 17\n  way out: write one flat JSON object per line",
            ),
            (
                "feed.jsonl",
                b"{\"id\":1,\"price\":[1]}\n",
                "feed.jsonl:1: row: is not the JSON expected: `price` holds a list, one value is expected, at byte 17\n  \
                 way out: write one flat JSON object per line",
            ),
        ] {
            assert_eq!(fails(name, bytes), want);
        }
        let long = format!("id\n{}\n", "x".repeat(1 << 21));
        assert_eq!(
            fails("feed.csv", &long),
            "feed.csv:2: row: is longer than 1048576 bytes\n  \
             way out: look for a quote that is not closed in this line",
        );
        assert_eq!(
            fails("feed.jsonl", &long[3..]),
            "feed.jsonl:1: row: is longer than 1048576 bytes\n  way out: write one JSON object per line",
        );
    }

    #[test]
    fn fields_that_are_wrong_are_refused() {
        for (header, row, want) in [
            ("id,title", ",x", "id: is empty\n  way out: give every product an id of 1 to 64 bytes"),
            (
                "id",
                "\"a\nb\"",
                "id: `a\\nb` holds a control character\n  way out: give every product an id of 1 to 64 bytes",
            ),
            (
                "product_id,x",
                "0123456789012345678901234567890123456789012345678901234567890123456,",
                "product_id: `012345678901234567890123456789012345678901234567890123456789...` has 67 bytes, \
                 at most 64 are possible\n  way out: give every product an id of 1 to 64 bytes",
            ),
            (
                "id,price",
                "a,\"12,99\"",
                "price: `12,99` is not a decimal number\n  \
                 way out: write it like `12.99` or `12.99 USD`, or leave it empty",
            ),
            (
                "id,g:sale price",
                "a,-1",
                "g:sale price: `-1` is negative\n  \
                 way out: write it like `12.99` or `12.99 USD`, or leave it empty",
            ),
            (
                "id,price,cost_of_goods_sold",
                "a,1 USD,1 EUR",
                "cost_of_goods_sold: `1 EUR` is not in USD, as the prices before it are\n  \
                 way out: build one catalog per currency",
            ),
            (
                "id,availability",
                "a,maybe",
                "availability: `maybe` is not a known value\n  way out: use one of: unknown, in_stock, \
                 out_of_stock, preorder, backorder, or leave it empty",
            ),
            (
                "id,role",
                "a,toy",
                "role: `toy` is not a known value\n  way out: use one of: unknown, durable, consumable, service, \
                 digital, gift_card, or leave it empty",
            ),
            (
                "id,sensitive_class",
                "a,x",
                "sensitive_class: `x` is not a known value\n  way out: use one of: none, alcohol, tobacco, health, \
                 adult, weapons, gambling, credit, insurance, or leave it empty",
            ),
            ("id,adult", "a,maybe", "adult: `maybe` is neither yes nor no\n  way out: write yes or no"),
            (
                "id,age_min",
                "a,121",
                "age_min: `121` is not an age\n  way out: write whole years from 0 to 120, or leave it empty",
            ),
            (
                "id,eligible_region",
                "a,US USA",
                "eligible_region: `USA` is not a country code\n  way out: write ISO 3166-1 codes of two letters, \
                 like `US,CA`; leave it empty for everywhere",
            ),
        ] {
            assert_eq!(fails("feed.csv", format!("{header}\n{row}\n")), format!("feed.csv:2: {want}"));
        }
        assert_eq!(
            fails("feed.csv", "id\na\nb\n\na\n"),
            "feed.csv:5: id: `a` was already in feed.csv:2\n  \
             way out: give every product an id of its own; variants share `item_group_id` instead",
        );
    }

    #[test]
    fn compressed_files_cut_short_are_refused() {
        let text: String = (0..5000).map(|i| format!("{i},{}\n", i * 7919 % 1000)).collect();
        let text = format!("id,price\n{text}");
        for (name, whole) in [
            ("feed.csv.gz", gzip(text.as_bytes())),
            ("feed.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap()),
        ] {
            let files = Files::new();
            for length in [0, 1, 5, whole.len() / 2, whole.len() - 5, whole.len() - 1] {
                let path = files.add_raw(name, &whole[..length]);
                let error = read_products(&[path], &ColumnMap::default(), &Silent).unwrap_err();
                let text = files.text(&error);
                let cut = "\n  way out: the file is cut short: copy or export it again";
                assert!(
                    text.ends_with(cut) || (length == 0 && text.contains("is empty")),
                    "{name} {length}: {text}"
                );
            }
        }
        let files = Files::new();
        let path = files.add_raw("feed.csv.gz", b"id,title\na,not packed\n");
        let error = read_products(&[path], &ColumnMap::default(), &Silent).unwrap_err();
        assert_eq!(
            files.text(&error),
            "feed.csv.gz: the compressed data is damaged after line 0: invalid gzip header\n  \
             way out: copy or export the file again, and name it after what it is (.gz, .zst, or neither)",
        );
        let missing =
            read_products(&["nowhere/feed.csv".into()], &ColumnMap::default(), &Silent).unwrap_err();
        assert!(missing.to_string().starts_with("nowhere/feed.csv: open failed: "), "{missing}");
    }

    #[test]
    fn margins_stay_between_nothing_and_all() {
        for (price, cost, want) in [
            (Some(1000), Some(600), Some(4000)),
            (Some(1000), Some(0), Some(10_000)),
            (Some(1000), Some(1200), Some(0)),
            (Some(0), Some(100), None),
            (None, Some(100), None),
            (Some(100), None, None),
            (Some(100_000_000_000_000), Some(0), Some(10_000)),
        ] {
            assert_eq!(margin(price, cost), want);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]

        #[test]
        fn any_bytes_are_survived(
            bytes in proptest::collection::vec(prop_oneof![any::<u8>(), prop::sample::select(&b"\"\n\r,\t{}[]:\0id1"[..])], 0..200),
            name in prop::sample::select(&["f.csv", "f.tsv", "f.jsonl", "f.csv.gz", "f.jsonl.zst"][..]),
            headed in any::<bool>(),
        ) {
            let head: &[u8] = if headed { b"id,price,title\n" } else { b"" };
            let bytes = [head, &bytes].concat();
            let files = Files::new();
            let raw = files.add_raw(name, &bytes);
            let _ = read_products(&[raw], &ColumnMap::default(), &Silent);
            let packed = files.add(name, &bytes);
            let _ = read_products(&[packed], &ColumnMap::default(), &Silent);
        }

        #[test]
        fn any_titles_come_back(titles in proptest::collection::vec("[^\0]{0,20}", 1..20)) {
            let mut csv = csv::Writer::from_writer(Vec::new());
            csv.write_record(["id", "title"]).unwrap();
            let mut json = String::new();
            for (id, title) in titles.iter().enumerate() {
                csv.write_record([&id.to_string(), title]).unwrap();
                json.push_str(&format!("{}\n", serde_json::json!({"id": id, "title": title})));
            }
            for (name, bytes) in [("f.csv.gz", csv.into_inner().unwrap()), ("f.jsonl", json.into_bytes())] {
                let (rows, _) = read(name, bytes).unwrap();
                let found: Vec<&str> = rows.iter().map(|row| row.title.as_str()).collect();
                let want: Vec<&str> = titles.iter().map(|title| title.trim()).collect();
                prop_assert_eq!(found, want);
            }
        }
    }
}
