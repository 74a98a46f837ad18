//! The shop: an engine under a policy and a live overlay of its own, the ready baskets, and a search box's index.

use std::path::Path;
use std::sync::Arc;

use aftercart::follow_up::Programmes;
use aftercart::token::{MemoryGuard, TokenKey};
use aftercart::{Decider, Engine, Item, Live, OpenOptions, Policy, ProductIx};
use serde_json::{Map, Value, json};

use super::Args;
use crate::follow_ups;
use crate::print::describe;
use crate::request::{Basket, money};
use crate::{Failure, open};

/// What the page works on. One visitor at a time: whoever opens the page is the customer and the merchant.
pub(super) struct Shop {
    pub(super) decider: Decider,
    /// What follows a purchase, where that was given.
    pub(super) programmes: Option<Programmes>,
    /// The policy by name, where it was given: what a file stores is compiled, and cannot be added to.
    pub(super) policy: Option<Policy>,
    /// Categories that the page's switch blocks, beside the policy's own.
    pub(super) blocked: Vec<String>,
    pub(super) out_of_stock: Vec<String>,
    /// Title and category of each product, in small letters.
    words: Vec<(String, ProductIx)>,
    baskets: Vec<(String, Value)>,
    name: String,
    /// Signs what is offered. Drawn anew at every start: yesterday's pages are worth nothing.
    pub(super) key: TokenKey,
    pub(super) guard: MemoryGuard,
    /// Holds the overlay's file until the shop closes.
    _folder: tempfile::TempDir,
}

/// Products that a search shows.
const FOUND_MAX: usize = 24;

impl Shop {
    pub(super) fn open(args: &Args) -> Result<Self, Failure> {
        let catalog = &args.catalog;
        let engine = open::engine(catalog, OpenOptions::default())?;
        let (policy, engine) = match &args.policy {
            Some(path) => {
                let (policy, engine) = open::under(&engine, path)?;
                (Some(policy), engine)
            }
            None => (None, engine),
        };
        let folder = tempfile::tempdir()?;
        let live = Live::create(folder.path().join("shop.live"), engine.catalog(), None)?;
        let engine = Arc::new(engine.with_live(Arc::new(live))?);
        let words = words(&engine);
        let programmes =
            args.programmes.as_deref().map(|path| follow_ups::read(path, &engine)).transpose()?;
        let name = catalog.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        Ok(Self {
            decider: Decider::new(engine),
            programmes,
            policy,
            blocked: Vec::new(),
            out_of_stock: Vec::new(),
            words,
            baskets: args.baskets.as_deref().map(read_baskets).transpose()?.unwrap_or_default(),
            name,
            key: TokenKey::new(&rand::random::<[u8; 32]>())?,
            guard: MemoryGuard::default(),
            _folder: folder,
        })
    }

    pub(super) fn engine(&self) -> &Arc<Engine> {
        self.decider.engine()
    }

    /// The earlier purchases of the customer behind a ready basket, and when they bought that basket.
    pub(super) fn history(&self, basket: &str) -> Option<&Value> {
        self.baskets.iter().find(|(name, _)| name == basket).map(|(_, request)| request)
    }

    /// What the page begins with.
    pub(super) fn about(&self) -> Value {
        let engine = self.engine();
        let baskets = self.baskets.iter().map(|(name, request)| {
            let lines = request["lines"].as_array().map(Vec::as_slice).unwrap_or_default();
            let lines: Vec<Value> = lines.iter().filter_map(|line| self.line(line)).collect();
            let orders = request["history"].as_array().map_or(0, Vec::len);
            json!({ "name": name, "lines": lines, "history": orders })
        });
        json!({
            "name": self.name,
            "currency": engine.currency().as_str(),
            "products": engine.catalog().view().product_count(),
            "kernel": engine.kernel_name(),
            "baskets": baskets.collect::<Vec<_>>(),
            "categories": engine.catalog().categories().map(|(path, _)| path).collect::<Vec<_>>(),
            "switches": self.switches(),
        })
    }

    fn line(&self, line: &Value) -> Option<Value> {
        let ix = self.engine().find_product(line["product_id"].as_str()?)?;
        let mut product = self.product(Item::Product(ix));
        product["quantity"] = line["quantity"].clone();
        Some(product)
    }

    /// A product or offer as the page shows it.
    pub(super) fn product(&self, item: Item) -> Value {
        let engine = self.engine();
        json!({
            "id": engine.id(item),
            "title": engine.title(item),
            "category": engine.category(item),
            "partner": engine.partner(item),
            "price": engine.price(item).map(money),
        })
    }

    /// Products in whose title or category all words begin a word; those that most customers buy first, each name once.
    pub(super) fn search(&self, query: &str) -> Value {
        let query = query.to_lowercase();
        // As the texts are: "x-large" is two words.
        let wanted: Vec<&str> =
            query.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
        if wanted.is_empty() {
            return json!([]);
        }
        let engine = self.engine();
        let fits = |text: &str| {
            let mut words = wanted.iter();
            words.all(|word| text.split(|c: char| !c.is_alphanumeric()).any(|own| own.starts_with(word)))
        };
        let by_id = engine.find_product(query.trim());
        let named = self.words.iter().filter(|(text, _)| fits(text)).map(|(_, ix)| *ix);
        let mut found: Vec<Item> = by_id.into_iter().chain(named).map(Item::Product).collect();
        found.sort_by_key(|item| std::cmp::Reverse(engine.customers(*item)));
        let mut names: Vec<String> = Vec::new();
        found.retain(|item| {
            let name = describe(engine, *item);
            let new = names.len() < FOUND_MAX && !names.contains(&name);
            if new {
                names.push(name);
            }
            new
        });
        found.into_iter().map(|item| self.product(item)).collect()
    }
}

fn words(engine: &Engine) -> Vec<(String, ProductIx)> {
    let all = (0..engine.catalog().view().product_count()).map(ProductIx);
    let text = |ix| {
        let item = Item::Product(ix);
        (format!("{} {}", engine.title(item), engine.category(item)).to_lowercase(), ix)
    };
    all.map(text).collect()
}

fn read_baskets(path: &Path) -> Result<Vec<(String, Value)>, Failure> {
    let text = std::fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
    let mut baskets = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let wrong = |e: String| format!("{}:{number}: {e}", path.display());
        Basket::parse(line, 0).map_err(wrong)?;
        let request: Map<String, Value> = serde_json::from_str(line).map_err(|e| wrong(e.to_string()))?;
        let name = request.get("case_id").and_then(Value::as_str).unwrap_or("basket").to_owned();
        baskets.push((name, Value::Object(request)));
    }
    Ok(baskets)
}
