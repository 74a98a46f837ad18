//! What was bought, in terms of the catalog.

use std::cmp::Reverse;

use crate::index::View;
use crate::index::format::{NONE, NameKind, ProductRecord};
use crate::index::search::RowSet;
use crate::limits::{ASKING_LINES_MAX, CATEGORY_DEPTH_MAX, LINES_MAX};
use crate::policy::CompiledPolicy;
use crate::transaction::LineItem;
use crate::vocabulary::{Role, SensitiveClass};

/// A bought line, resolved. Index fields are [`NONE`] where the catalog does not know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line {
    /// Index in the transaction.
    pub(crate) number: u16,
    pub(crate) product: u32,
    /// Product whose IN vector asks for the line: itself, or its category's stand-in.
    pub(crate) asks_as: u32,
    pub(crate) kind: u32,
    pub(crate) category: u32,
    pub(crate) brand: u32,
    pub(crate) group: u32,
    pub(crate) role: Role,
    pub(crate) sensitive: bool,
    /// Quantity times unit price, or 0 where the price is not known.
    pub(crate) value: i64,
}

/// All lines, and sets of what they are, in memory that was set aside once.
#[derive(Debug)]
pub(crate) struct Bought {
    /// All lines that were read, in order.
    pub(crate) lines: Vec<Line>,
    /// Lines that ask for complements, in order.
    pub(crate) asking: Vec<Line>,
    /// Types of all lines.
    pub(crate) types: RowSet,
    /// There are lines that were not read.
    pub(crate) unread: bool,
    /// Categories of all lines with all above them, and brands. Made only where the catalog has partners who may ask.
    categories: RowSet,
    brands: RowSet,
    all_categories_known: bool,
    all_brands_known: bool,
}

impl Bought {
    pub(crate) fn new() -> Self {
        Self {
            lines: Vec::with_capacity(LINES_MAX),
            asking: Vec::with_capacity(LINES_MAX),
            types: RowSet::with_capacity(LINES_MAX),
            unread: false,
            categories: RowSet::with_capacity(LINES_MAX * CATEGORY_DEPTH_MAX),
            brands: RowSet::with_capacity(LINES_MAX),
            all_categories_known: false,
            all_brands_known: false,
        }
    }

    /// Resolves the lines of a transaction.
    pub(crate) fn fill(&mut self, view: &View<'_>, policy: &CompiledPolicy, bought: &[LineItem<'_>]) {
        self.lines.clear();
        view.foresee_products(bought.iter().map(|line| line.item_id));
        for (number, item) in bought.iter().take(LINES_MAX).enumerate() {
            self.lines.push(resolve_line(view, policy, number as u16, item));
        }
        self.unread = bought.len() > self.lines.len();
        self.types.fill(self.lines.iter().map(|line| line.kind));
        choose_asking(&self.lines, &mut self.asking);
        self.asking.iter().for_each(|line| view.foresee_lists(line.asks_as, line.kind));
        if !view.partners.is_empty() {
            let lines = self.lines.iter();
            self.categories.fill(lines.clone().flat_map(|line| view.ancestors(line.category)));
            self.brands.fill(lines.clone().map(|line| line.brand));
            self.all_categories_known = !self.unread && lines.clone().all(|line| line.category != NONE);
            self.all_brands_known = !self.unread && lines.clone().all(|line| line.brand != NONE);
        }
    }

    /// Whether a line is, or could be, in the subtree of a category. Only where the catalog has partners.
    #[inline]
    pub(crate) fn may_be_in(&self, category: u32) -> bool {
        !self.all_categories_known || self.categories.contains(category)
    }

    /// Whether a line is, or could be, of a brand. Only where the catalog has partners.
    #[inline]
    pub(crate) fn may_be_of(&self, brand: u32) -> bool {
        !self.all_brands_known || self.brands.contains(brand)
    }
}

fn resolve_line(view: &View<'_>, policy: &CompiledPolicy, number: u16, item: &LineItem<'_>) -> Line {
    let product = view.find(NameKind::Product, item.item_id.as_bytes()).unwrap_or(NONE);
    let record = view.product(product);
    let own = |known: Option<u32>, kind, name: &str| {
        known.filter(|ix| *ix != NONE).or_else(|| view.find(kind, name.as_bytes())).unwrap_or(NONE)
    };
    let category = own(record.map(|r| r.category.get()), NameKind::Category, item.category);
    let brand = own(record.map(|r| r.brand.get()), NameKind::Brand, item.brand);
    let below = view.category(category);
    let kind = match record {
        Some(_) => view.type_of(product),
        None => view.nearest_type(category, item.category),
    };
    let sensitive = item.sensitive != SensitiveClass::None || is_sensitive(policy, record, category);
    let role = record.and_then(|r| Role::from_code(r.role)).unwrap_or_default();
    let value = item.unit_price.unwrap_or(0).saturating_mul(i64::from(item.quantity)).max(0);
    Line {
        number,
        product,
        asks_as: if record.is_some() { product } else { below.map_or(NONE, |c| c.stand_in.get()) },
        kind,
        category,
        brand,
        group: record.map_or(NONE, |r| r.group.get()),
        role: if item.role == Role::Unknown { role } else { item.role },
        sensitive,
        value,
    }
}

/// Whether catalog or policy give a product a sensitive class. A code that nobody knows is one.
pub(crate) fn is_sensitive(policy: &CompiledPolicy, record: Option<&ProductRecord>, category: u32) -> bool {
    let none = SensitiveClass::None;
    record.is_some_and(|record| record.sensitive != none.code()) || policy.mark_of(category).0 != none
}

/// The lines whose complements are looked for: not sensitive, known, the dearest ones where there are too many.
fn choose_asking(lines: &[Line], asking: &mut Vec<Line>) {
    asking.clear();
    asking.extend(lines.iter().filter(|line| !line.sensitive && line.asks_as != NONE));
    if asking.len() > ASKING_LINES_MAX {
        asking.sort_unstable_by_key(|line| (Reverse(line.value), line.number));
        asking.truncate(ASKING_LINES_MAX);
        asking.sort_unstable_by_key(|line| line.number);
    }
}
