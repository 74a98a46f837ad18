//! The content file: which guide belongs to which product, model or category.

use std::collections::HashSet;
use std::path::PathBuf;

use super::products::{money, named, yes};
use super::source::{Field, Meter, Table};
use super::{BuildError, ColumnMap, HoldsFor, Map, PartnerOffer, Partners, Product, id_problem, map, shown};
use crate::build::progress::Progress;
use crate::build::taxonomy::joined;
use crate::vocabulary::{ContentKind, Currency, OfferKind};

const ID: usize = 0;
const KIND: usize = 1;
const TITLE: usize = 2;
const PRODUCT_ID: usize = 3;
const ITEM_GROUP_ID: usize = 4;
const CATEGORY: usize = 5;
const PAYOUT: usize = 6;
const ACCEPT_RATE: usize = 7;
const HOUSE: usize = 8;

/// In the order of the numbers above.
pub(super) const FIELDS: &[Field] = &[
    field("id", &["id", "content_id"], true),
    field("kind", &["kind", "content_kind"], true),
    field("title", &["title"], false),
    field("product_id", &["product_id"], false),
    field("item_group_id", &["item_group_id"], false),
    Field { name: "category", columns: &["category", "category_path"], joint: " > ", required: false },
    field("payout", &["payout"], false),
    field("accept_rate", &["accept_rate"], false),
    field("house", &["house"], false),
];

const fn field(name: &'static str, columns: &'static [&'static str], required: bool) -> Field {
    Field { name, columns, joint: "", required }
}

/// Reads content files, one after the other, as one, into offers of kind `content`.
///
/// A row says that the content `id` of some `kind` (guide, usage, care, pairing) holds for one `product_id`, one `item_group_id`
/// or one `category`; content that holds for several has a row for each. `title`, `payout` (0), `accept_rate` (0) and `house` (yes)
/// are as in the partners file; where rows of one id say them twice, they say the same.
///
/// # Errors
/// As [`read_products`](super::read_products); also [`BuildError::Field`] for a row that names no product, group or category, or
/// two of them, or one that the feed does not have, for an id that a product or another offer has, and for rows that differ.
pub fn read_content(
    paths: &[PathBuf],
    columns: &ColumnMap,
    (products, partners): (&[Product], &Partners),
    currency: Option<Currency>,
    progress: &dyn Progress,
) -> Result<Vec<PartnerOffer>, BuildError> {
    if paths.is_empty() {
        return Ok(Vec::new());
    }
    let meter = Meter::start("content", paths, progress)?;
    let known = Known::new(products, partners);
    let mut offers: Vec<PartnerOffer> = Vec::new();
    let mut places: Vec<(usize, u64)> = Vec::new();
    let mut rows: Map<String, usize> = map();
    for (file, path) in paths.iter().enumerate() {
        let mut table = Table::open(path, FIELDS, &columns.content, &meter)?;
        while table.next()? {
            let row = row(&table, &known, currency)?;
            let at = *rows.entry(row.id.clone()).or_insert_with(|| {
                offers.push(PartnerOffer { content: None, ..row.clone() });
                places.push((file, table.line()));
                offers.len() - 1
            });
            let first = || format!("{}:{}", paths[places[at].0].display(), places[at].1);
            add(&table, &mut offers[at], row, &first)?;
        }
    }
    meter.finish(&format!("{} pieces of content", offers.len()));
    Ok(offers)
}

/// What a row may name.
struct Known<'a> {
    products: HashSet<&'a str>,
    groups: HashSet<&'a str>,
    /// In lower case, those above included.
    categories: HashSet<String>,
    offers: HashSet<&'a str>,
}

impl<'a> Known<'a> {
    fn new(products: &'a [Product], partners: &'a Partners) -> Self {
        let mut categories = HashSet::new();
        for product in products {
            let path = joined(&product.category_path).to_lowercase();
            let mut end = path.len();
            while end > 0 && categories.insert(path[..end].to_owned()) {
                end = path[..end].rfind(" > ").unwrap_or(0);
            }
        }
        Self {
            products: products.iter().map(|product| product.id.as_str()).collect(),
            groups: products.iter().map(|product| product.item_group_id.as_str()).collect(),
            categories,
            offers: partners.offers.iter().map(|offer| offer.id.as_str()).collect(),
        }
    }
}

fn row(
    table: &Table<'_>,
    known: &Known<'_>,
    mut currency: Option<Currency>,
) -> Result<PartnerOffer, BuildError> {
    let id = table.get(ID);
    if let Some(problem) = id_problem(id) {
        return Err(table.error(ID, problem, "give each piece of content an id of 1 to 64 bytes"));
    }
    if known.products.contains(id) || known.offers.contains(id) {
        let problem = format!("{} is the id of a product or of an offer", shown(id));
        return Err(table.error(ID, problem, "give content an id of its own"));
    }
    let kind = named(table, KIND, ContentKind::from_name, ContentKind::ALL, ContentKind::name)?;
    let Some(kind) = kind else {
        return Err(table.error(KIND, "is empty", "use one of: guide, usage, care, pairing"));
    };
    let rate = match table.get(ACCEPT_RATE) {
        "" => 0.0,
        text => text.parse::<f64>().ok().filter(|rate| (0.0..=1.0).contains(rate)).ok_or_else(|| {
            let problem = format!("{} is not a probability", shown(text));
            table.error(ACCEPT_RATE, problem, "write a number from 0 to 1, like 0.031, or leave it empty")
        })?,
    };
    Ok(PartnerOffer {
        id: id.to_owned(),
        kind: OfferKind::Content,
        title: table.get(TITLE).to_owned(),
        payout: money(table, PAYOUT, &mut currency)?.unwrap_or(0),
        accept_rate_ppm: (rate * 1e6).round() as u32,
        house: table.get(HOUSE).is_empty() || yes(table, HOUSE)?,
        content: Some(holds_for(table, known, kind)?),
        ..PartnerOffer::default()
    })
}

/// The one thing that a row names.
fn holds_for(table: &Table<'_>, known: &Known<'_>, kind: ContentKind) -> Result<HoldsFor, BuildError> {
    let stated = [PRODUCT_ID, ITEM_GROUP_ID, CATEGORY].map(|field| (field, table.get(field)));
    let mut stated = stated.into_iter().filter(|(_, text)| !text.is_empty());
    let Some((field, text)) = stated.next() else {
        let problem = format!("the content {} holds for nothing", shown(table.get(ID)));
        return Err(table.error(PRODUCT_ID, problem, "name a product_id, an item_group_id or a category"));
    };
    if let Some((second, _)) = stated.next() {
        let way_out =
            "name one of product_id, item_group_id and category, and give each further one a row of its own";
        return Err(table.error(second, "the row names two things", way_out));
    }
    let mut holds = HoldsFor { kind, ..HoldsFor::default() };
    let (name, is_known, list) = match field {
        PRODUCT_ID => (text.to_owned(), known.products.contains(text), &mut holds.products),
        ITEM_GROUP_ID => (text.to_owned(), known.groups.contains(text), &mut holds.groups),
        _ => {
            let path = joined(text);
            let is_known = known.categories.contains(&path.to_lowercase());
            (path, is_known, &mut holds.categories)
        }
    };
    if !is_known {
        let problem = format!("the product feed does not have {}", shown(text));
        return Err(table.error(field, problem, "correct the name, or drop the row: it would never apply"));
    }
    list.push(name);
    Ok(holds)
}

/// Adds a row to what was said before of the same content.
fn add(
    table: &Table<'_>,
    offer: &mut PartnerOffer,
    row: PartnerOffer,
    first: &dyn Fn() -> String,
) -> Result<(), BuildError> {
    let differs = |field: usize| {
        let problem = format!("differs from what {} says of {}", first(), shown(&row.id));
        Err(table.error(field, problem, "say the same in every row, or give it another id"))
    };
    let more = row.content.clone().unwrap_or_default();
    let Some(holds) = &mut offer.content else {
        offer.content = Some(more);
        return Ok(());
    };
    let said = |field: usize| !table.get(field).is_empty();
    if holds.kind != more.kind {
        return differs(KIND);
    }
    let same = [
        (TITLE, offer.title == row.title),
        (PAYOUT, offer.payout == row.payout),
        (ACCEPT_RATE, offer.accept_rate_ppm == row.accept_rate_ppm),
        (HOUSE, offer.house == row.house),
    ];
    if let Some((field, _)) = same.into_iter().find(|(field, same)| said(*field) && !same) {
        return differs(field);
    }
    holds.products.extend(more.products);
    holds.groups.extend(more.groups);
    holds.categories.extend(more.categories);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::testing::Files;
    use super::*;
    use crate::build::progress::Silent;

    fn read(name: &str, text: &str) -> Result<Vec<PartnerOffer>, String> {
        let files = Files::new();
        let product = |id: &str, group: &str, path: &str| Product {
            id: id.into(),
            item_group_id: group.into(),
            category_path: path.into(),
            ..Product::default()
        };
        let products = [product("p1", "g1", "Coffee > Makers"), product("p2", "", "Coffee>Beans")];
        let partners = Partners {
            offers: vec![PartnerOffer { id: "plan".into(), ..PartnerOffer::default() }],
            ..Partners::default()
        };
        let path = files.add(name, text);
        let of = (products.as_slice(), &partners);
        read_content(&[path], &ColumnMap::default(), of, Some(Currency::USD), &Silent)
            .map_err(|error| files.text(&error))
    }

    #[test]
    fn rows_of_one_id_are_one_piece_of_content() {
        let csv = "content_id,kind,title,product_id,item_group_id,category,payout,accept_rate,house\n\
            care-1,Care,Descale it,p1,,,0.05,0.06,no\ncare-1,care,,,g1,,,,\ncare-1,care,,,,coffee >  makers,,,\n\
            all,guide,,,,Coffee,,,\n";
        let offers = read("content.csv", csv).expect("reads");
        let care = &offers[0];
        assert_eq!((care.title.as_str(), care.payout, care.accept_rate_ppm), ("Descale it", 5, 60_000));
        assert_eq!((care.kind, care.house, offers[1].house), (OfferKind::Content, false, true));
        let holds = care.content.as_ref().expect("it is inherited");
        assert_eq!(holds.kind, ContentKind::Care);
        let named = [&holds.products, &holds.groups, &holds.categories];
        assert_eq!(named.map(|names| names.join("; ")), ["p1", "g1", "coffee > makers"]);
        assert_eq!(offers.len(), 2);
        let json = read("content.jsonl", r#"{"id":"c","kind":"usage","category":["Coffee","Beans"]}"#)
            .expect("reads");
        assert_eq!(json[0].content.as_ref().expect("inherited").categories, ["Coffee > Beans"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_file_line_and_field() {
        let known = "guide, usage, care, pairing";
        for (row, want) in [
            ("c,care,,,", "product_id: the content `c` holds for nothing\n  way out: name a product_id, an item_group_id or a category".to_owned()),
            ("c,care,p1,,Coffee", "category: the row names two things\n  way out: name one of product_id, item_group_id and category, and give each further one a row of its own".into()),
            ("c,care,p3,,", "product_id: the product feed does not have `p3`\n  way out: correct the name, or drop the row: it would never apply".into()),
            ("c,care,,g2,", "item_group_id: the product feed does not have `g2`\n  way out: correct the name, or drop the row: it would never apply".into()),
            ("c,care,,,Tea", "category: the product feed does not have `Tea`\n  way out: correct the name, or drop the row: it would never apply".into()),
            ("c,film,p1,,", format!("kind: `film` is not a known value\n  way out: use one of: {known}, or leave it empty")),
            ("c,,p1,,", format!("kind: is empty\n  way out: use one of: {known}")),
            ("p2,care,p1,,", "id: `p2` is the id of a product or of an offer\n  way out: give content an id of its own".into()),
            ("plan,care,p1,,", "id: `plan` is the id of a product or of an offer\n  way out: give content an id of its own".into()),
            ("a,usage,p2,,", "kind: differs from what content.csv:2 says of `a`\n  way out: say the same in every row, or give it another id".into()),
        ] {
            let text = format!("id,kind,product_id,item_group_id,category\na,care,p1,,\n{row}\n");
            assert_eq!(read("content.csv", &text).expect_err("refused"), format!("content.csv:3: {want}"));
        }
        let rate = read("content.csv", "id,kind,product_id,accept_rate\na,care,p1,7\n").expect_err("refused");
        assert!(rate.starts_with("content.csv:2: accept_rate: `7` is not a probability"), "{rate}");
    }
}
