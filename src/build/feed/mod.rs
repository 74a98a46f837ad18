//! Reading what a merchant has: products, orders, partners and offers, a policy, embeddings.
//!
//! Every reader streams, reports progress, and fails with file, line, field and the way out.

mod columns;
mod content;
mod embeddings;
mod live;
mod orders;
mod partners;
mod policy;
mod products;
mod source;
mod values;

use std::path::Path;

use super::error::BuildError;
use crate::policy::Condition;
use crate::vocabulary::{
    Attribute, Availability, ContentKind, Country, CustomerKind, Exposure, OfferKind, Role, SensitiveClass,
};

pub use columns::ColumnMap;
pub use content::read_content;
pub use embeddings::{read_embeddings, write_embeddings};
pub use live::{LiveFieldError, LiveReport, load_live, read_change, watch_live};
pub use orders::{OrdersReport, read_orders};
pub use partners::read_partners;
pub use policy::{apply_policy, at_its_place, read_policy};
pub use products::read_products;
pub use values::{PriceError, TimeError, parse_price, parse_timestamp};

/// "Not there" in the `u32` index fields below.
pub const NONE: u32 = u32::MAX;

/// One row of a product feed. Text fields are empty where the feed does not say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Product {
    /// `id` (or `product_id`): unique, 1 to 64 bytes.
    pub id: String,
    /// `title`.
    pub title: String,
    /// `category_path` / `product_type` / `google_product_category`, levels joined by ` > `.
    pub category_path: String,
    /// Category in Shopify's (id or path) or Google's (path) taxonomy: `product_category` / `shopify_category` /
    /// `google_product_category`.
    pub standard_category: String,
    /// `brand`.
    pub brand: String,
    /// `price` in minor units; `None` where the feed does not say. `sale_price` replaces it where given.
    pub price: Option<i64>,
    /// Contribution margin in basis points of the price, from `cost_of_goods_sold`; `None` where not given.
    pub margin_bps: Option<u16>,
    /// `availability`.
    pub availability: Availability,
    /// `item_group_id`: variants of one product share it.
    pub item_group_id: String,
    /// `gtin`.
    pub gtin: String,
    /// Least age to be offered this; 0 = none. `adult=yes` means 18.
    pub age_min: u8,
    /// `sensitive_class`, or derived from `adult`.
    pub sensitive: SensitiveClass,
    /// `role`; `Unknown` lets the orders decide.
    pub role: Role,
    /// `seller`: the partner id of a third-party product; empty = the merchant's own.
    pub seller: String,
    /// `eligible_region`, countries where it may be offered; empty = everywhere.
    pub eligible_regions: Vec<Country>,
    /// `color`, `size`, ... `custom_label_4`: what rules may name, each value in lower case.
    pub attributes: Vec<(Attribute, String)>,
}

/// The orders as parallel rows, sorted by time, then basket.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Orders {
    /// The lines.
    pub lines: Vec<OrderLine>,
    /// Number of distinct baskets; `OrderLine::basket` is below it.
    pub baskets: u32,
    /// Number of distinct customers; `OrderLine::customer` is below it or [`NONE`].
    pub customers: u32,
}

/// One bought line.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrderLine {
    /// Dense basket number.
    pub basket: u32,
    /// Dense customer number, or [`NONE`] where the order names none.
    pub customer: u32,
    /// Unix time in milliseconds (a timestamp without zone is read as UTC).
    pub at_ms: i64,
    /// Row of the product in the product feed.
    pub product: u32,
    /// Units bought, at least 1.
    pub quantity: u32,
    /// Price of one unit in minor units; `None` where the order does not say.
    pub unit_price: Option<i64>,
}

/// The partners file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Partners {
    /// The partners.
    pub partners: Vec<Partner>,
    /// The offers that are not catalog products.
    pub offers: Vec<PartnerOffer>,
}

/// A third party that pays for offers, and what it refuses.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Partner {
    /// Unique id.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// `false` = paused: nothing of it is offered.
    pub active: bool,
    /// Category subtrees beside which it may not appear (bought lines).
    pub blocked_categories: Vec<String>,
    /// Brands beside which it may not appear (bought lines).
    pub blocked_brands: Vec<String>,
    /// Countries where it may appear; empty = everywhere.
    pub regions: Vec<Country>,
    /// Most offers of this partner in one slate; 0 = as the policy says.
    pub max_per_slate: u8,
    /// `min_share`, least share of a placement's slots in basis points, of what passes every rule and floor; 0 = none.
    pub min_share_bps: u16,
    /// `max_share`, greatest share of them; 0 = as great as may be.
    pub max_share_bps: u16,
    /// Its web domains, by which others may name it.
    pub domains: Vec<String>,
    /// What it does not stand beside on a page.
    pub not_beside: NotBeside,
    /// When it may appear at all; where the request does not say, it does not.
    pub when: Condition,
    /// How often it may meet one customer.
    pub caps: Vec<FrequencyCap>,
}

/// What a partner does not stand beside on a page.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct NotBeside {
    /// Products of these category subtrees.
    pub categories: Vec<String>,
    /// Products of these brands.
    pub brands: Vec<String>,
    /// Anything of these partners.
    pub partners: Vec<String>,
    /// Anything of partners with these domains or below them.
    pub domains: Vec<String>,
    /// Anything of any other partner: a roadblock.
    pub other_partners: bool,
}

/// At most so many events within so many days, counted in what the host knows of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FrequencyCap {
    /// What is counted.
    pub event: Exposure,
    /// At most so many.
    pub most: u32,
    /// Within so many days.
    pub days: u32,
}

/// An offer that is not a catalog product: a service, a subscription, a loyalty prompt, content.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PartnerOffer {
    /// Unique id, not shared with a product.
    pub id: String,
    /// What it is.
    pub kind: OfferKind,
    /// Partner id; empty = the merchant's own.
    pub partner: String,
    /// Title for people.
    pub title: String,
    /// What the merchant earns when it is accepted, minor units.
    pub payout: i64,
    /// Prior probability of acceptance where it is triggered, parts per million.
    pub accept_rate_ppm: u32,
    /// Price to the customer, minor units; `None` = free.
    pub price: Option<i64>,
    /// Triggered by any purchase.
    pub trigger_any: bool,
    /// Triggered by a bought line in one of these category subtrees.
    pub trigger_categories: Vec<String>,
    /// Triggered by one of these bought products.
    pub trigger_products: Vec<String>,
    /// Triggered by one of these bought brands.
    pub trigger_brands: Vec<String>,
    /// Triggered by one of these answer tags, for example `gift`.
    pub trigger_answers: Vec<String>,
    /// Order value bounds, minor units.
    pub order_value_min: Option<i64>,
    /// Upper order value bound, minor units.
    pub order_value_max: Option<i64>,
    /// Countries where it may be shown; empty = everywhere.
    pub regions: Vec<Country>,
    /// New or returning customers only.
    pub customers: CustomerKind,
    /// Least age; 0 = none.
    pub age_min: u8,
    /// Class that needs the policy's leave.
    pub sensitive: SensitiveClass,
    /// First moment, Unix ms; 0 = always.
    pub starts_at_ms: i64,
    /// Last moment, Unix ms; 0 = for ever.
    pub ends_at_ms: i64,
    /// Shown when nothing better is left (house offer).
    pub house: bool,
    /// Of offers with one name here, one page shows at most one; empty = none.
    pub exclusive_group: String,
    /// When it may appear; where the request does not say, it does not.
    pub when: Condition,
    /// How often it may meet one customer.
    pub caps: Vec<FrequencyCap>,
    /// Of content that is inherited: what for; `None` = only what the triggers above say.
    pub content: Option<HoldsFor>,
}

/// What content holds for. Of each kind the nearest holds: a product's own before its model's, that before its category's, that
/// before those of the categories above.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HoldsFor {
    /// What it is for.
    pub kind: ContentKind,
    /// Product ids.
    pub products: Vec<String>,
    /// Models, by `item_group_id`.
    pub groups: Vec<String>,
    /// Category paths, each with its subtree.
    pub categories: Vec<String>,
}

/// Product embeddings, row i for product i of the feed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Embeddings {
    /// Values per row.
    pub dim: usize,
    /// Row-major values, finite.
    pub values: Vec<f32>,
}

/// Most bytes of an id.
pub(crate) const ID_MAX: usize = 64;

/// An ahash map with fixed seeds, so that two builds of the same input do the same.
pub(crate) type Map<K, V> = std::collections::HashMap<K, V, ahash::RandomState>;

pub(crate) fn map<K, V>() -> Map<K, V> {
    Map::with_hasher(ahash::RandomState::with_seeds(1, 2, 3, 4))
}

fn field_error(
    path: &Path,
    line: u64,
    field: &str,
    problem: impl Into<String>,
    way_out: impl Into<String>,
) -> BuildError {
    BuildError::Field {
        path: path.to_owned(),
        line,
        field: field.to_owned(),
        problem: problem.into(),
        way_out: way_out.into(),
    }
}

fn file_error(path: &Path, problem: impl Into<String>, way_out: impl Into<String>) -> BuildError {
    BuildError::File { path: path.to_owned(), problem: problem.into(), way_out: way_out.into() }
}

fn io_error(path: &Path, action: &'static str, source: std::io::Error) -> BuildError {
    BuildError::Io { path: path.to_owned(), action, source }
}

/// A found value for an error message: quoted, control characters escaped, clipped.
fn shown(text: &str) -> String {
    const CLIP: usize = 60;
    let mut clipped: String = text.chars().take(CLIP).flat_map(char::escape_debug).collect();
    if text.chars().nth(CLIP).is_some() {
        clipped.push_str("...");
    }
    format!("`{clipped}`")
}

/// What the reader of TOML calls by the types of this program, as people call it.
fn in_words(problem: &str) -> String {
    let ranges = [("u8", "255"), ("u16", "65535"), ("u32", "4294967295")];
    ranges.iter().fold(problem.to_owned(), |text, (name, most)| {
        text.replace(&format!("expected {name}"), &format!("expected a whole number from 0 to {most}"))
    })
}

/// Names for an error message, comma separated, clipped after the first forty.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const CLIP: usize = 40;
    let mut names: Vec<String> =
        names.into_iter().take(CLIP + 1).map(|n| n.escape_debug().to_string()).collect();
    if names.len() > CLIP {
        names[CLIP] = "...".to_owned();
    }
    names.join(", ")
}

/// What is wrong with an id, if anything.
fn id_problem(id: &str) -> Option<String> {
    if id.is_empty() {
        Some("is empty".to_owned())
    } else if id.len() > ID_MAX {
        Some(format!("{} has {} bytes, at most {ID_MAX} are possible", shown(id), id.len()))
    } else if id.chars().any(char::is_control) {
        Some(format!("{} holds a control character", shown(id)))
    } else {
        None
    }
}

#[cfg(test)]
mod testing {
    use std::io::Write;
    use std::path::PathBuf;
    use std::sync::Mutex;

    use super::BuildError;
    use crate::build::progress::{Progress, Unit};

    /// A directory of test files that is gone afterwards.
    pub(super) struct Files(tempfile::TempDir);

    impl Files {
        pub(super) fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        /// Writes a file, compressed if its name says so.
        pub(super) fn add(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
            let bytes = match name.rsplit_once('.') {
                Some((_, "gz")) => gzip(bytes.as_ref()),
                Some((_, "zst")) => zstd::encode_all(bytes.as_ref(), 1).unwrap(),
                _ => bytes.as_ref().to_vec(),
            };
            self.add_raw(name, &bytes)
        }

        pub(super) fn add_raw(&self, name: &str, bytes: &[u8]) -> PathBuf {
            let path = self.0.path().join(name);
            std::fs::write(&path, bytes).unwrap();
            path
        }

        /// The whole text of an error, without the name of the directory.
        pub(super) fn text(&self, error: &BuildError) -> String {
            error.to_string().replace(&format!("{}/", self.0.path().display()), "")
        }
    }

    pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    }

    /// Keeps what it is told.
    #[derive(Default)]
    pub(super) struct Told(pub(super) Mutex<Vec<String>>);

    impl Progress for Told {
        fn start(&self, step: &str, total: u64, unit: Unit) {
            self.0.lock().unwrap().push(format!("start {step} {total} {unit:?}"));
        }
        fn at(&self, done: u64) {
            self.0.lock().unwrap().push(format!("at {done}"));
        }
        fn finish(&self, summary: &str) {
            self.0.lock().unwrap().push(format!("finish {summary}"));
        }
    }
}
