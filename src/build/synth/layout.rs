//! Which variants there are, where they are sold and under which row: arithmetic only, no tables per variant.

use super::{SynthOptions, draw, unit};

/// Pack sizes: the word in the title, and the price in thousandths of the real one.
pub(super) const SIZES: [(&str, i64); 3] = [("single", 1000), ("2-pack", 1900), ("6-pack", 5400)];

/// Names of the editions of one product; the first is the real one. Later ones are numbered.
const EDITIONS: [&str; 8] = ["classic", "blue", "green", "red", "white", "gold", "black", "silver"];

/// What distinguishes one variant of a real product from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Variant {
    pub(super) shop: usize,
    pub(super) size: usize,
    pub(super) edition: usize,
}

/// Spreads the rows over the real products, and a product's rows over shops, sizes and editions.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) options: SynthOptions,
    real: usize,
    /// `weights[n]` = 1 + 1/2 + ... + 1/n, for Zipf draws.
    weights: Vec<f64>,
}

impl Layout {
    pub(super) fn new(real: usize, options: &SynthOptions) -> Self {
        let longest = (options.products / real + 1).max(options.shops);
        let mut weights = vec![0.0];
        for n in 1..=longest {
            weights.push(weights[n - 1] + 1.0 / n as f64);
        }
        Self { options: *options, real, weights }
    }

    /// Row of the first variant of a real product; that of `product + 1` is the end.
    pub(super) fn first_row(&self, product: usize) -> usize {
        // In 128 bits so that no sizes overflow.
        (product as u128 * self.options.products as u128 / self.real as u128) as usize
    }

    /// How many variants a real product has.
    pub(super) fn variants(&self, product: usize) -> usize {
        self.first_row(product + 1) - self.first_row(product)
    }

    /// Shops take turns, starting elsewhere for each product; then come the sizes, then the next edition.
    pub(super) fn variant(&self, product: usize, number: usize) -> Variant {
        let round = number / self.options.shops;
        Variant {
            shop: (number + product) % self.options.shops,
            size: round % SIZES.len(),
            edition: round / SIZES.len(),
        }
    }

    /// How many editions a real product has: its item groups.
    pub(super) fn editions(&self, product: usize) -> usize {
        self.variants(product).div_ceil(self.options.shops * SIZES.len())
    }

    /// How many variants of a product a shop carries.
    pub(super) fn carried(&self, product: usize, shop: usize) -> usize {
        let all = self.variants(product);
        all.saturating_sub(self.first_in(product, shop)).div_ceil(self.options.shops)
    }

    fn first_in(&self, product: usize, shop: usize) -> usize {
        let shops = self.options.shops;
        (shop + shops - product % shops) % shops
    }

    /// The row a customer of `shop` takes of a product that it carries. Which variant is the favourite differs from
    /// product to product and from shop to shop.
    pub(super) fn pick(&self, product: usize, shop: usize, drawn: u64) -> usize {
        let carried = self.carried(product, shop);
        let favourite = draw(self.options.seed, [1, product as u64, shop as u64]) % carried as u64;
        let turn = (self.zipf(carried, drawn) + favourite as usize) % carried;
        self.first_row(product) + self.first_in(product, shop) + turn * self.options.shops
    }

    /// A number below `n`; k comes up with weight 1/(k+1).
    pub(super) fn zipf(&self, n: usize, drawn: u64) -> usize {
        let weights = &self.weights[1..=n];
        weights.partition_point(|&w| w <= unit(drawn) * weights[n - 1]).min(n - 1)
    }

    /// Price of a variant in minor units, ending in 9 as in a shop. Integers only, so that it is the same everywhere.
    pub(super) fn price(&self, product: usize, real: i64, variant: Variant) -> i64 {
        let edition = match variant.edition {
            0 => 1000,
            n => 700 + (draw(self.options.seed, [2, product as u64, n as u64]) % 900) as i64,
        };
        let shop = 920 + (draw(self.options.seed, [3, variant.shop as u64, 0]) % 160) as i64;
        let scaled =
            i128::from(real) * i128::from(SIZES[variant.size].1) * i128::from(edition) * i128::from(shop);
        let minor = i64::try_from(scaled / 1_000_000_000).unwrap_or(i64::MAX / 16);
        minor / 10 * 10 + 9
    }
}

/// Name of an edition.
pub(super) fn edition_name(edition: usize) -> String {
    EDITIONS.get(edition).map_or_else(|| format!("edition {edition}"), |name| (*name).to_owned())
}

/// Id of a variant. It is short and unique whatever the real id looks like; that one is in `source_id`.
pub(super) fn variant_id(product: usize, number: usize) -> String {
    format!("syn-{product}-{number}")
}
