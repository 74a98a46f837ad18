//! The product rows.

use std::collections::HashMap;

use rand::{RngCore, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::layout::{Layout, SIZES, Variant, edition_name, variant_id};
use super::{BuildError, Output, SynthReport, draw, money, unit};
use crate::build::feed::Product;
use crate::build::progress::{Progress, Unit};
use crate::vocabulary::Availability;

const COLUMNS: [&str; 9] = [
    "product_id",
    "title",
    "category_path",
    "brand",
    "price",
    "availability",
    "item_group_id",
    "synthetic",
    "source_id",
];

/// Writes every product row; returns the price of each row, 0 where it has none.
pub(super) fn write(
    real: &[Product],
    layout: &Layout,
    out: &mut Output,
    progress: &dyn Progress,
    report: &mut SynthReport,
) -> Result<Vec<i64>, BuildError> {
    let total = layout.options.products;
    progress.start("making products", total as u64, Unit::Items);
    let mut brands = Brands::new(real, layout)?;
    let mut rng = ChaCha8Rng::seed_from_u64(layout.options.seed);
    let mut prices = Vec::with_capacity(total);
    out.row(COLUMNS)?;
    for (product, source) in real.iter().enumerate() {
        let of_editions: Vec<_> =
            (0..layout.editions(product)).map(|e| brands.next(source, product, e)).collect();
        report.item_groups += of_editions.len();
        for number in 0..layout.variants(product) {
            let variant = layout.variant(product, number);
            // `% 1000` and not a range of rand: its way of making one may change between versions.
            let mut in_thousand = || rng.next_u32() % 1000;
            let no_category = source.category_path.is_empty() || in_thousand() < 10;
            let sold_out = in_thousand() < 30 || source.availability == Availability::OutOfStock;
            let no_price = in_thousand() < 5;
            let price = source.price.filter(|_| !no_price).map(|p| layout.price(product, p, variant));
            report.without_category += usize::from(no_category);
            report.out_of_stock += usize::from(sold_out);
            report.without_price += usize::from(price.is_none());
            out.row([
                &variant_id(product, number),
                &title(source, variant),
                if no_category { "" } else { &source.category_path },
                &brands.pool[of_editions[variant.edition]],
                &price.map(money).unwrap_or_default(),
                if sold_out { "out_of_stock" } else { "in_stock" },
                &format!("syn-{product}-e{}", variant.edition),
                "1",
                &source.id,
            ])?;
            prices.push(price.unwrap_or(0));
            if prices.len().is_multiple_of(8192) {
                progress.at(prices.len() as u64);
            }
        }
    }
    report.products = prices.len();
    report.brands = brands.pool.len();
    progress.finish(&format!("{} products in {} item groups", report.products, report.item_groups));
    Ok(prices)
}

fn title(source: &Product, variant: Variant) -> String {
    let Variant { shop, size, edition } = variant;
    format!("{} ({}, {}, shop {})", source.title, SIZES[size].0, edition_name(edition), shop + 1)
}

/// Hands out exactly as many brands as asked for: the commonest real ones, then made-up ones.
struct Brands {
    pool: Vec<String>,
    /// Real brands at the start of `pool`.
    real: HashMap<String, usize>,
    /// Which of these have occurred.
    met: Vec<bool>,
    /// Item groups besides the first of each real brand: in all, and seen so far.
    free: usize,
    seen: usize,
    seed: u64,
}

impl Brands {
    fn new(real: &[Product], layout: &Layout) -> Result<Self, BuildError> {
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for (product, source) in real.iter().enumerate() {
            if !source.brand.is_empty() && layout.variants(product) > 0 {
                *counts.entry(&source.brand).or_default() += 1;
            }
        }
        let mut ranked: Vec<_> = counts.iter().map(|(&brand, &n)| (n, brand)).collect();
        ranked.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(b.1)));
        ranked.truncate(layout.options.brands);

        let groups: usize = (0..real.len()).map(|p| layout.editions(p)).sum();
        if layout.options.brands > groups {
            return Err(BuildError::Input {
                problem: format!(
                    "{} brands asked for, but there are only {groups} item groups",
                    layout.options.brands
                ),
                way_out: "ask for fewer brands, more products or fewer shops".to_owned(),
            });
        }
        let mut pool: Vec<_> = ranked.iter().map(|&(_, brand)| brand.to_owned()).collect();
        let made_up = (1..).map(|n| format!("synthetic brand {n}"));
        let missing = layout.options.brands - ranked.len();
        pool.extend(made_up.filter(|b| !counts.contains_key(b.as_str())).take(missing));
        let kept = ranked.iter().enumerate().map(|(i, &(_, brand))| (brand.to_owned(), i)).collect();
        let met = vec![false; ranked.len()];
        Ok(Self { pool, real: kept, met, free: groups - ranked.len(), seen: 0, seed: layout.options.seed })
    }

    /// The brand of the next item group, as a place in the pool.
    fn next(&mut self, source: &Product, product: usize, edition: usize) -> usize {
        let real = self.real.get(&source.brand).copied().filter(|_| edition == 0);
        if let Some(first) = real.filter(|&r| !self.met[r]) {
            self.met[first] = true;
            return first;
        }
        // The made-up brands are spread evenly over the other groups, so that every one occurs.
        let made_up = self.pool.len() - self.met.len();
        let due = self.seen * made_up / self.free;
        self.seen += 1;
        if self.seen * made_up / self.free > due {
            return self.met.len() + due;
        }
        // Later editions take any brand, a common one more often.
        let u = unit(draw(self.seed, [4, product as u64, edition as u64]));
        real.unwrap_or((u * u * self.pool.len() as f64) as usize)
    }
}
