//! Which column of a file holds which field, where the names differ from ours.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use super::partners::Document;
use super::source::Field;
use super::{BuildError, content, listed, orders, products, shown};

/// Names of columns for files that call the fields differently, read from a small TOML file:
///
/// ```toml
/// [products]
/// id = "sku"
///
/// [orders]
/// basket_id = "order"
///
/// [content]
/// id = "page"
/// ```
///
/// Left is the name of our field, right the column to the letter. Fields that are not named keep their usual
/// columns. The default maps nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct ColumnMap {
    pub(super) products: Mapping,
    pub(super) orders: Mapping,
    pub(super) content: Mapping,
}

impl Default for ColumnMap {
    fn default() -> Self {
        let empty = |section| Mapping { section, columns: BTreeMap::new(), strict: false };
        Self { products: empty("products"), orders: empty("orders"), content: empty("content") }
    }
}

impl ColumnMap {
    /// Reads the file.
    ///
    /// # Errors
    /// [`BuildError::Io`] where it cannot be read; [`BuildError::Field`] with the line where it is not TOML
    /// or names a section or field that does not exist.
    pub fn read(path: &Path) -> Result<Self, BuildError> {
        Self::of(&Document::read(path)?)
    }

    fn of(document: &Document<'_>) -> Result<Self, BuildError> {
        let raw: RawColumns = document.parse()?;
        Ok(Self {
            products: Mapping::of(document, "products", products::FIELDS, raw.products)?,
            orders: Mapping::of(document, "orders", orders::FIELDS, raw.orders)?,
            content: Mapping::of(document, "content", content::FIELDS, raw.content)?,
        })
    }
}

type RawMapping = BTreeMap<Spanned<String>, Spanned<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawColumns {
    #[serde(default)]
    products: RawMapping,
    #[serde(default)]
    orders: RawMapping,
    #[serde(default)]
    content: RawMapping,
}

/// The columns of one kind of file.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Mapping {
    section: &'static str,
    columns: BTreeMap<String, String>,
    /// A column that is no field is an error: for files that people write to change something.
    strict: bool,
}

impl Mapping {
    fn of(
        document: &Document<'_>,
        section: &'static str,
        fields: &[Field],
        raw: RawMapping,
    ) -> Result<Self, BuildError> {
        let mut columns = BTreeMap::new();
        for (field, column) in raw {
            if !fields.iter().any(|known| known.name == field.get_ref()) {
                return Err(document.error(
                    &field.span(),
                    section,
                    format!("{} is not a field", shown(field.get_ref())),
                    format!("use one of: {}", listed(fields.iter().map(|known| known.name))),
                ));
            }
            if column.get_ref().trim().is_empty() {
                return Err(document.error(
                    &column.span(),
                    field.get_ref(),
                    "names no column",
                    "name a column of the file, or drop the line",
                ));
            }
            columns.insert(field.into_inner(), column.into_inner().trim().to_owned());
        }
        Ok(Self { section, columns, strict: false })
    }

    /// The column that the user names for a field.
    pub(super) fn get(&self, field: &str) -> Option<&str> {
        self.columns.get(field).map(String::as_str)
    }

    /// For a file of which every column must be a field.
    pub(super) fn strict() -> Self {
        Self { section: "live", columns: BTreeMap::new(), strict: true }
    }

    pub(super) fn is_strict(&self) -> bool {
        self.strict
    }

    /// The section of the file it comes from.
    pub(super) fn section(&self) -> &'static str {
        self.section
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Files;
    use super::*;
    use crate::build::feed::read_products;
    use crate::build::progress::Silent;

    fn read(columns: &str, name: &str, feed: &str) -> Result<Vec<String>, String> {
        let files = Files::new();
        let path = files.add("columns.toml", columns);
        let map = ColumnMap::read(&path).map_err(|e| files.text(&e))?;
        let feed = files.add(name, feed);
        let (rows, _) = read_products(&[feed], &map, &Silent).map_err(|e| files.text(&e))?;
        Ok(rows.into_iter().map(|row| format!("{} {}", row.id, row.title)).collect())
    }

    #[test]
    fn mapped_columns_are_read_to_the_letter() {
        let columns = "[products]\nid = \"SKU No\"\ntitle = 'name'\n";
        let want = Ok(vec!["a b".to_owned()]);
        assert_eq!(read(columns, "f.csv", "id,SKU No,title,name\n1,a,x,b\n"), want);
        assert_eq!(read(columns, "f.jsonl", r#"{"id":1,"SKU No":"a","title":"x","name":"b"}"#), want);
        assert_eq!(read("", "f.csv", "id,title\na,b\n"), want);
        assert_eq!(
            read(columns, "f.csv", "id,SKU No\n1,\n"),
            Err("f.csv: `title` is mapped to the column `name`, which is not there\n  \
                 way out: map it to one of: id, SKU No"
                .to_owned()),
        );
        assert_eq!(
            read(columns, "f.jsonl", r#"{"id":1,"SKU No":"a"}"#),
            Err("f.jsonl: `title` is mapped to the column `name`, which is not there\n  \
                 way out: map it to one of: SKU No, id"
                .to_owned()),
        );
        assert_eq!(
            read(columns, "f.csv", "SKU No,name\n,x\n"),
            Err("f.csv:2: SKU No: is empty\n  way out: give every product an id of 1 to 64 bytes".to_owned()),
        );
    }

    #[test]
    fn wrong_maps_are_refused_with_their_line() {
        for (columns, want) in [
            (
                "[orders]\nbasket_id = 'a'\nbasket = 'b'\n",
                "columns.toml:3: orders: `basket` is not a field\n  way out: use one of: basket_id, customer_id, \
                 timestamp, product_id, quantity, unit_price",
            ),
            (
                "[order]\n",
                "columns.toml:1: [order]: unknown field `order`, expected one of `products`, `orders`, `content`\n  \
                 way out: correct the line",
            ),
            (
                "\n[products]\nid = 3\n",
                "columns.toml:3: id: invalid type: integer `3`, expected a string\n  way out: correct the line",
            ),
            (
                "[products]\nid = ' '\n",
                "columns.toml:2: id: names no column\n  way out: name a column of the file, or drop the line",
            ),
        ] {
            assert_eq!(read(columns, "f.csv", "id\n"), Err(want.to_owned()));
        }
    }
}
