//! The order log as sparse rows, and the co-purchase operator over it that is never formed.

use rayon::prelude::*;

use super::{AffinityInput, AffinityOptions};
use crate::build::feed::NONE;
use crate::days::DAY_MS;

/// Rows handled by one task. Fixed, so that results do not depend on the number of threads.
pub(super) const CHUNK: usize = 1024;

/// The orders, regrouped: baskets of one customer stand together in order of time, each with its distinct
/// products sorted by type. A "unit" is a customer, or a basket where the order names no customer.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// First line of each basket, and the number of lines at the end.
    pub(super) start: Vec<u32>,
    /// Unit of each basket, ascending.
    pub(super) unit: Vec<u32>,
    /// Day of each basket since 1970.
    pub(super) day: Vec<i32>,
    /// Product of each line.
    pub(super) product: Vec<u32>,
    /// Basket of each line.
    pub(super) basket: Vec<u32>,
    /// Lines by product: the lines of product `p` are `by_product[product_start[p]..product_start[p + 1]]`.
    pub(super) product_start: Vec<u32>,
    /// See `product_start`.
    pub(super) by_product: Vec<u32>,
}

impl Log {
    pub(super) fn new(input: &AffinityInput<'_>) -> Self {
        let (order, unit_of) = basket_order(input);
        let mut place = vec![NONE; unit_of.len()];
        let mut log = Self::default();
        for (new, &old) in order.iter().enumerate() {
            place[old as usize] = new as u32;
            log.unit.push(unit_of[old as usize].0);
            log.day.push(unit_of[old as usize].1.div_euclid(DAY_MS) as i32);
        }
        let lines = &input.orders.lines;
        let (start, at) = group(order.len(), lines.len(), |l| place[lines[l].basket as usize]);
        log.start.push(0);
        let mut products = Vec::new();
        for b in 0..order.len() {
            products.clear();
            let rows = &at[start[b] as usize..start[b + 1] as usize];
            products.extend(rows.iter().map(|&l| lines[l as usize].product));
            products.sort_unstable_by_key(|&p| (input.type_of[p as usize], p));
            products.dedup();
            log.product.extend_from_slice(&products);
            log.basket.resize(log.product.len(), b as u32);
            log.start.push(log.product.len() as u32);
        }
        (log.product_start, log.by_product) = group(input.products, log.product.len(), |l| log.product[l]);
        log
    }

    /// Number of baskets.
    pub(super) fn baskets(&self) -> usize {
        self.unit.len()
    }

    /// Lines of a basket.
    pub(super) fn lines(&self, basket: usize) -> std::ops::Range<usize> {
        self.start[basket] as usize..self.start[basket + 1] as usize
    }

    /// Lines of a product, in order of unit and time.
    pub(super) fn lines_of(&self, product: usize) -> &[u32] {
        &self.by_product[self.product_start[product] as usize..self.product_start[product + 1] as usize]
    }

    /// Number of products.
    pub(super) fn products(&self) -> usize {
        self.product_start.len().saturating_sub(1)
    }

    /// Products of the basket of a line.
    pub(super) fn products_beside(&self, line: u32) -> &[u32] {
        &self.product[self.lines(self.basket[line as usize] as usize)]
    }

    /// Distinct units who bought a product, ascending.
    pub(super) fn customers_of(&self, product: usize) -> Vec<u32> {
        let mut units: Vec<u32> = self.lines_of(product).iter().map(|l| self.unit_of_line(*l)).collect();
        units.dedup();
        units
    }

    fn unit_of_line(&self, line: u32) -> u32 {
        self.unit[self.basket[line as usize] as usize]
    }

    /// Distinct units who bought each product.
    pub(super) fn popularity(&self) -> Vec<u32> {
        (0..self.product_start.len().saturating_sub(1))
            .into_par_iter()
            .map(|p| {
                self.lines_of(p).chunk_by(|&a, &b| self.unit_of_line(a) == self.unit_of_line(b)).count()
                    as u32
            })
            .collect()
    }
}

/// Baskets that hold lines, sorted by unit and time, and (unit, first ms) by old basket number.
fn basket_order(input: &AffinityInput<'_>) -> (Vec<u32>, Vec<(u32, i64)>) {
    let orders = input.orders;
    let mut of = vec![(NONE, i64::MAX); orders.baskets as usize];
    for line in &orders.lines {
        let known = &mut of[line.basket as usize];
        known.0 = known.0.min(line.customer);
        known.1 = known.1.min(line.at_ms);
    }
    let mut next_unit = orders.customers;
    let mut order = Vec::with_capacity(of.len());
    for (b, known) in of.iter_mut().enumerate() {
        if known.1 == i64::MAX {
            continue;
        }
        if known.0 == NONE {
            known.0 = next_unit;
            next_unit += 1;
        }
        order.push(b as u32);
    }
    order.par_sort_unstable_by_key(|&b| (of[b as usize], b));
    (order, of)
}

/// Counting sort: the rows of key `k` are `rows[start[k]..start[k + 1]]`, ascending.
pub(super) fn group(keys: usize, rows: usize, key: impl Fn(usize) -> u32) -> (Vec<u32>, Vec<u32>) {
    let mut start = vec![0u32; keys + 1];
    for row in 0..rows {
        start[key(row) as usize + 1] += 1;
    }
    for k in 0..keys {
        start[k + 1] += start[k];
    }
    let mut fill = start.clone();
    let mut out = vec![0u32; rows];
    for row in 0..rows {
        let slot = &mut fill[key(row) as usize];
        out[*slot as usize] = row as u32;
        *slot += 1;
    }
    (start, out)
}

/// The matrix `S = D (XᵀWX + a XᵀNX − own types) D` of who is bought with whom.
///
/// Row = bought, column = offered. `X` is baskets × products; an entry is n^-0.5 where the customer bought the
/// product in n baskets, so that a habit of one customer counts like one customer. `W` gives a basket of up to
/// `large_basket` lines weight 1 and a larger one as much as that size has in total. `N` leads from a basket to
/// the customer's next one. `D` is (customers of the product + shrinkage)^-0.5. Pairs of one type, the diagonal
/// among them, are left out: they are look-alikes.
pub(super) struct Operator<'a> {
    log: &'a Log,
    type_of: &'a [u32],
    line_weight: Vec<f32>,
    basket_weight: Vec<f32>,
    next_weight: f32,
    next_days: i32,
}

impl<'a> Operator<'a> {
    pub(super) fn new(log: &'a Log, input: &AffinityInput<'a>, options: &AffinityOptions) -> Self {
        // D is folded into the entries of X: every use of X has it on the product side.
        let mut line_weight = vec![0.0; log.product.len()];
        for p in 0..input.products {
            let mut degree = 0.0;
            for own in log.lines_of(p).chunk_by(|&a, &b| log.unit_of_line(a) == log.unit_of_line(b)) {
                let weight = (own.len() as f32).powf(-options.repeat_power);
                degree += own.len() as f32 * weight * weight;
                own.iter().for_each(|&l| line_weight[l as usize] = weight);
            }
            let scale = (degree + options.shrinkage).powf(-options.popularity_power);
            for &l in log.lines_of(p) {
                line_weight[l as usize] *= scale;
            }
        }
        let large = options.large_basket as f32;
        let basket_weight = (0..log.baskets())
            .map(|b| {
                let size = log.lines(b).len() as f32;
                (large / size).min(1.0).powi(2) * size.powf(-options.basket_power)
            })
            .collect();
        Self {
            log,
            type_of: input.type_of,
            line_weight,
            basket_weight,
            next_weight: options.next_weight,
            next_days: i32::from(options.next_days),
        }
    }

    /// `S v`, or `Sᵀ v`, for a row-major products × k matrix.
    pub(super) fn apply(&self, v: &[f32], k: usize, transpose: bool) -> Vec<f32> {
        let mut sums = vec![0.0f32; self.log.baskets() * k];
        sums.par_chunks_mut(CHUNK * k).enumerate().for_each(|(chunk, rows)| {
            for (i, row) in rows.chunks_exact_mut(k).enumerate() {
                for l in self.log.lines(chunk * CHUNK + i) {
                    add(row, self.line_weight[l], row_of(v, self.log.product[l], k));
                }
            }
        });
        let mut out = vec![0.0f32; v.len()];
        out.par_chunks_mut(CHUNK * k).enumerate().for_each(|(chunk, rows)| {
            for (i, row) in rows.chunks_exact_mut(k).enumerate() {
                for &l in self.log.lines_of(chunk * CHUNK + i) {
                    self.add_line(row, l as usize, v, &sums, transpose);
                }
            }
        });
        out
    }

    /// Adds what one line of a product has beside it.
    fn add_line(&self, row: &mut [f32], line: usize, v: &[f32], sums: &[f32], transpose: bool) {
        let basket = self.log.basket[line] as usize;
        let weight = self.line_weight[line] * self.basket_weight[basket];
        self.add_others(row, weight, line, basket, v, sums);
        if self.next_weight == 0.0 {
            return;
        }
        let other = if transpose { basket.wrapping_sub(1) } else { basket + 1 };
        if other < self.log.baskets()
            && self.log.unit[other] == self.log.unit[basket]
            && (self.log.day[other] - self.log.day[basket]).abs() <= self.next_days
        {
            let both = (self.basket_weight[basket] * self.basket_weight[other]).sqrt();
            let weight = self.line_weight[line] * both * self.next_weight;
            self.add_others(row, weight, line, other, v, sums);
        }
    }

    /// Adds the sum of a basket without the products of this line's type.
    fn add_others(&self, row: &mut [f32], weight: f32, line: usize, basket: usize, v: &[f32], sums: &[f32]) {
        add(row, weight, row_of(sums, basket as u32, row.len()));
        let own = self.type_of[self.log.product[line] as usize];
        let lines = self.log.lines(basket);
        let products = &self.log.product[lines.clone()];
        let first = products.partition_point(|&p| self.type_of[p as usize] < own);
        for (l, &p) in lines.zip(products).skip(first) {
            if self.type_of[p as usize] != own {
                break;
            }
            add(row, -weight * self.line_weight[l], row_of(v, p, row.len()));
        }
    }
}

/// Row `i` of a row-major matrix with `k` columns.
pub(super) fn row_of(m: &[f32], i: u32, k: usize) -> &[f32] {
    &m[i as usize * k..(i as usize + 1) * k]
}

/// `row += weight * other`.
pub(super) fn add(row: &mut [f32], weight: f32, other: &[f32]) {
    for (a, b) in row.iter_mut().zip(other) {
        *a += weight * b;
    }
}
