//! Numbers for all names of the inputs.

use std::collections::HashMap;

use super::affinity::{TypePrior, Words};
use super::catalogue::{BuildOptions, Inputs};
use super::error::BuildError;
use super::feed::{NONE, OrderLine, Orders, Product};
use super::prior;
use super::taxonomy::Taxonomy;

/// Numbers for all names of the inputs. Row = position in the feed.
#[derive(Debug)]
pub(crate) struct Dictionary<'a> {
    pub(crate) taxonomy: Taxonomy,
    pub(crate) brands: Vec<&'a str>,
    pub(crate) brand_of: Vec<u32>,
    pub(crate) group_of: Vec<u32>,
    pub(crate) partner_of: Vec<u32>,
    pub(crate) price_of: Vec<Option<i64>>,
    /// Of titles and brands.
    pub(super) words: Words,
    /// Per type, or empty.
    pub(super) prior: Vec<TypePrior>,
}

impl<'a> Dictionary<'a> {
    pub(super) fn new(inputs: &'a Inputs, options: &BuildOptions) -> Result<Self, BuildError> {
        let mut brands = Vec::new();
        let mut brand_ix: HashMap<String, u32> = HashMap::new(); // "ACME" is "Acme": a rule must not miss one
        let brand_of = inputs.products.iter().map(|p| match p.brand.trim() {
            "" => NONE,
            name => *brand_ix.entry(name.to_lowercase()).or_insert_with(|| {
                brands.push(name);
                brands.len() as u32 - 1
            }),
        });
        let brand_of = brand_of.collect();
        let group_of = groups(&inputs.products);
        let partner_ix: HashMap<&str, u32> =
            inputs.partners.partners.iter().zip(0..).map(|(p, ix)| (p.id.as_str(), ix)).collect();
        let partner_of = inputs.products.iter().map(|p| match p.seller.as_str() {
            "" => Ok(NONE),
            seller => partner_ix.get(seller).copied().ok_or_else(|| BuildError::Input {
                problem: format!(
                    "product \"{}\" is sold by \"{seller}\", who is not in the partners file",
                    p.id
                ),
                way_out: "add the partner, or leave the seller empty for your own products".into(),
            }),
        });
        let taxonomy = Taxonomy::new(&inputs.products);
        let prior = if options.prior { prior::of_types(&inputs.products, &taxonomy)? } else { Vec::new() };
        Ok(Self {
            taxonomy,
            prior,
            words: Words::new(inputs.products.iter().map(|p| [p.title.as_str(), p.brand.as_str()])),
            brands,
            brand_of,
            group_of,
            partner_of: partner_of.collect::<Result<_, _>>()?,
            price_of: prices(&inputs.products, &inputs.orders),
        })
    }
}

/// One number for all that share a group or a GTIN, directly or through others.
fn groups(products: &[Product]) -> Vec<u32> {
    let mut first: HashMap<(bool, &str), usize> = HashMap::new();
    let mut above: Vec<usize> = (0..products.len()).collect();
    fn root(above: &mut [usize], mut row: usize) -> usize {
        while above[row] != row {
            above[row] = above[above[row]];
            row = above[row];
        }
        row
    }
    for (row, p) in products.iter().enumerate() {
        for key in [(false, p.item_group_id.as_str()), (true, p.gtin.as_str())] {
            if !key.1.is_empty() {
                let other = *first.entry(key).or_insert(row);
                let (a, b) = (root(&mut above, row), root(&mut above, other));
                above[a.max(b)] = a.min(b);
            }
        }
    }
    let alone = |p: &Product| p.item_group_id.is_empty() && p.gtin.is_empty();
    (0..products.len())
        .map(|row| if alone(&products[row]) { NONE } else { root(&mut above, row) as u32 })
        .collect()
}

/// The feed's price, else the median that was paid.
fn prices(products: &[Product], orders: &Orders) -> Vec<Option<i64>> {
    let mut paid: HashMap<u32, Vec<i64>> = HashMap::new();
    let unpriced = |line: &&OrderLine| products.get(line.product as usize).is_some_and(|p| p.price.is_none());
    for line in orders.lines.iter().filter(unpriced) {
        paid.entry(line.product).or_default().extend(line.unit_price);
    }
    let median = |row: u32| {
        let mut seen = paid.get(&row)?.clone();
        seen.sort_unstable();
        seen.get(seen.len() / 2).copied()
    };
    products.iter().zip(0..).map(|(p, row)| p.price.or_else(|| median(row))).collect()
}
