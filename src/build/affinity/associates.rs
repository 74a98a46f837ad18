//! Which products were bought with which: the item-item lists, and what the orders say of a product alone.

use rayon::prelude::*;

use super::cooccurrence::Log;
use super::direct::Direct;
use super::{AffinityInput, AffinityOptions};

/// A product that was bought with another one. Strengths from 0 to 1.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Associate {
    /// The product.
    pub product: u32,
    /// Cosine over baskets.
    pub together: f32,
    /// How much the one alone says of the other (EASE).
    pub direct: f32,
    /// Cosine over named customers.
    pub customers: f32,
    /// How alike their titles' words are, where orders say little.
    pub words: f32,
}

/// What the orders say of a product alone.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ProductFacts {
    /// log2 of how much more it was bought in the last four weeks than on average.
    pub trend: f32,
    /// Share of its named customers who came back for it, drawn towards a quarter.
    pub came_back: f32,
    /// Typical days between two purchases by one customer, drawn towards the median of all; 0 = not known.
    pub gap_days: f32,
}

/// Baskets and customers of one product that are counted: an even sample of more.
const COUNTED_MAX: usize = 4000;
/// Entries of each kind that enter a list.
const BY_TOGETHER: usize = 32;
const BY_DIRECT: usize = 24;
const BY_CUSTOMERS: usize = 24;
/// Entries of all lists: with more products bought, lists get shorter.
const ENTRIES_MAX: usize = 24_000_000;
/// A product of fewer customers has no cosine over customers, and is in no basket that is kept: that would be theirs, not the
/// product's.
pub(super) const CUSTOMERS_LEAST: u32 = 5;
/// Pseudo-customers of that cosine.
const CUSTOMERS_SHRINK: f32 = 10.0;
/// Most bought products among which EASE is solved: the matrix takes 4 bytes for each pair.
const DIRECT_MAX: usize = 10_000;
/// Baskets that a product needs for that.
const DIRECT_LEAST: u32 = 5;

/// Numbers per product, emptied after each use.
struct Scratch {
    together: Vec<f32>,
    customers: Vec<f32>,
    direct: Vec<f32>,
    touched: Vec<u32>,
    found: Vec<Associate>,
}

/// Everything the lists are made of.
struct Source<'a> {
    log: &'a Log,
    type_of: &'a [u32],
    options: &'a AffinityOptions,
    popularity: &'a [u32],
    /// Baskets of each product.
    baskets: Vec<u32>,
    /// Distinct products of each named customer, end to end.
    owned: Vec<u32>,
    owned_start: Vec<usize>,
    direct: Direct,
}

/// The list of each product, strongest first.
pub(super) fn learn(
    log: &Log,
    popularity: &[u32],
    input: &AffinityInput<'_>,
    options: &AffinityOptions,
) -> Vec<Vec<Associate>> {
    let baskets: Vec<u32> = (0..input.products).map(|p| log.lines_of(p).len() as u32).collect();
    let (owned, owned_start) = owned(log, input.orders.customers);
    let direct = Direct::new(&baskets, DIRECT_MAX, DIRECT_LEAST, ridge(log.baskets()), |product, add| {
        for line in log.lines_of(product as usize) {
            log.products_beside(*line).iter().for_each(|other| add(*other));
        }
    });
    let bought = baskets.iter().filter(|count| **count > 0).count();
    let most = (ENTRIES_MAX / bought.max(1)).clamp(8, crate::limits::ASSOCIATES_MAX);
    let source =
        Source { log, type_of: input.type_of, options, popularity, baskets, owned, owned_start, direct };
    (0..input.products as u32)
        .into_par_iter()
        .with_min_len(8192) // each part sets aside numbers for every product
        .map_init(
            || Scratch {
                together: vec![0.0; input.products],
                customers: vec![0.0; input.products],
                direct: vec![0.0; input.products],
                touched: Vec::new(),
                found: Vec::new(),
            },
            |scratch, product| source.list(product, most, scratch),
        )
        .collect()
}

/// Ridge of EASE: as strong against the counts at any number of baskets.
pub(super) fn ridge(baskets: usize) -> f32 {
    (baskets as f32 / 400.0).clamp(5.0, 500.0)
}

/// Distinct products of each named customer, and where each one's begin.
fn owned(log: &Log, named: u32) -> (Vec<u32>, Vec<usize>) {
    let (mut owned, mut start) = (Vec::new(), vec![0; named as usize + 1]);
    let mut basket = 0;
    for run in log.unit.chunk_by(|a, b| a == b) {
        let lines = log.lines(basket).start..log.lines(basket + run.len() - 1).end;
        basket += run.len();
        if run[0] >= named {
            break; // units are ascending, the named ones first
        }
        let mut products = log.product[lines].to_vec();
        products.sort_unstable();
        products.dedup();
        start[run[0] as usize + 1] = products.len();
        owned.extend(products);
    }
    for at in 1..start.len() {
        start[at] += start[at - 1];
    }
    (owned, start)
}

impl Source<'_> {
    fn list(&self, product: u32, most: usize, scratch: &mut Scratch) -> Vec<Associate> {
        let own = self.type_of[product as usize];
        self.count_baskets(product, scratch);
        self.count_customers(product, scratch);
        for (other, weight) in self.direct.from(product) {
            scratch.touched.push(other);
            scratch.direct[other as usize] = weight;
        }
        scratch.touched.sort_unstable();
        scratch.touched.dedup();
        scratch.found.clear();
        for other in scratch.touched.drain(..) {
            let at = other as usize;
            let take = |values: &mut Vec<f32>| std::mem::take(&mut values[at]);
            let entry = Associate {
                product: other,
                together: take(&mut scratch.together).min(1.0),
                direct: take(&mut scratch.direct).min(1.0),
                customers: take(&mut scratch.customers).min(1.0),
                words: 0.0,
            };
            if self.type_of[at] != own {
                scratch.found.push(entry);
            }
        }
        choose(&scratch.found, most)
    }

    fn count_baskets(&self, product: u32, scratch: &mut Scratch) {
        let lines = self.log.lines_of(product as usize);
        let every = lines.len().div_ceil(COUNTED_MAX).max(1);
        for line in lines.iter().step_by(every) {
            let beside = self.log.products_beside(*line);
            if beside.len() > self.options.large_basket as usize {
                continue;
            }
            for other in beside {
                if scratch.together[*other as usize] == 0.0 {
                    scratch.touched.push(*other);
                }
                scratch.together[*other as usize] += every as f32;
            }
        }
        let degree = |p: u32| self.baskets[p as usize] as f32 + self.options.shrinkage;
        let own = degree(product);
        for other in &scratch.touched {
            scratch.together[*other as usize] /= (own * degree(*other)).sqrt();
        }
    }

    fn count_customers(&self, product: u32, scratch: &mut Scratch) {
        let enough = |p: u32| self.popularity[p as usize] >= CUSTOMERS_LEAST;
        if !enough(product) {
            return;
        }
        let customers = self.log.customers_of(product as usize);
        let every = customers.len().div_ceil(COUNTED_MAX).max(1);
        let before = scratch.touched.len();
        for customer in customers.iter().step_by(every) {
            let Some(range) = self.owned_start.get(*customer as usize..*customer as usize + 2) else { break };
            for other in self.owned[range[0]..range[1]].iter().filter(|other| enough(**other)) {
                if scratch.customers[*other as usize] == 0.0 {
                    scratch.touched.push(*other);
                }
                scratch.customers[*other as usize] += every as f32;
            }
        }
        let degree = |p: u32| self.popularity[p as usize] as f32 + CUSTOMERS_SHRINK;
        let own = degree(product);
        for other in &scratch.touched[before..] {
            scratch.customers[*other as usize] /= (own * degree(*other)).sqrt();
        }
    }
}

/// The best of each kind, the best of all first. Many times more are found than are kept, so the list is a memory of its own.
fn choose(found: &[Associate], most: usize) -> Vec<Associate> {
    let mut kept = vec![false; found.len()];
    let mut keep = |number: usize, strength: &dyn Fn(&Associate) -> f32| {
        let mut order: Vec<u32> =
            (0..found.len() as u32).filter(|at| strength(&found[*at as usize]) > 0.0).collect();
        let by = |a: &u32, b: &u32| {
            let (a, b) = (&found[*a as usize], &found[*b as usize]);
            strength(b).total_cmp(&strength(a)).then(a.product.cmp(&b.product))
        };
        if order.len() > number {
            order.select_nth_unstable_by(number, by);
            order.truncate(number);
        }
        order.iter().for_each(|at| kept[*at as usize] = true);
    };
    keep(BY_TOGETHER, &|a| a.together);
    keep(BY_DIRECT, &|a| a.direct);
    keep(BY_CUSTOMERS, &|a| a.customers);
    let mut list: Vec<Associate> = found.iter().zip(kept).filter(|(_, kept)| *kept).map(|x| *x.0).collect();
    // In units of the greatest of each kind: the kinds differ in size.
    let greatest = |strength: &dyn Fn(&Associate) -> f32| list.iter().map(strength).fold(1e-9, f32::max);
    let (t, d, c) = (greatest(&|a| a.together), greatest(&|a| a.direct), greatest(&|a| a.customers));
    let worth = |a: &Associate| a.together / t + a.direct / d + a.customers / c;
    list.sort_by(|a, b| worth(b).total_cmp(&worth(a)).then(a.product.cmp(&b.product)));
    list.truncate(most);
    list.shrink_to_fit();
    list
}

/// Days that count as lately.
const LATELY: i32 = 28;

/// What the orders say of each product alone.
pub(super) fn facts(log: &Log, named: u32) -> Vec<ProductFacts> {
    let (first, last) = (log.day.iter().min().copied(), log.day.iter().max().copied());
    let (Some(first), Some(last)) = (first, last) else {
        return vec![ProductFacts::default(); log.products()];
    };
    let lately = LATELY as f32 / (last - first + 1).max(LATELY) as f32;
    let gaps: Vec<Gaps> = (0..log.products()).into_par_iter().map(|p| Gaps::of(log, p, named)).collect();
    let mut all: Vec<f32> = gaps.iter().filter(|gaps| gaps.count > 0).map(|gaps| gaps.median).collect();
    all.sort_by(f32::total_cmp);
    let usual = all.get(all.len() / 2).copied().unwrap_or(0.0);
    let fact = |p: usize| {
        let (lines, gaps) = (log.lines_of(p), &gaps[p]);
        let new = lines.iter().filter(|l| log.day[log.basket[**l as usize] as usize] > last - LATELY).count();
        ProductFacts {
            trend: ((new as f32 + 2.0) / (lines.len() as f32 * lately + 2.0)).log2(),
            came_back: (gaps.came_back as f32 + 1.0) / (gaps.customers as f32 + 4.0),
            gap_days: (gaps.median * gaps.count as f32 + usual * 3.0) / (gaps.count as f32 + 3.0),
        }
    };
    (0..log.products()).into_par_iter().map(fact).collect()
}

/// How the named customers of a product came back for it.
struct Gaps {
    customers: u32,
    came_back: u32,
    median: f32,
    count: u32,
}

impl Gaps {
    fn of(log: &Log, product: usize, named: u32) -> Self {
        let unit = |line: &u32| log.unit[log.basket[*line as usize] as usize];
        let day = |line: &u32| log.day[log.basket[*line as usize] as usize];
        let mut gaps: Vec<i32> = Vec::new();
        let (mut customers, mut came_back) = (0, 0);
        for own in log.lines_of(product).chunk_by(|a, b| unit(a) == unit(b)).filter(|o| unit(&o[0]) < named) {
            let before = gaps.len();
            gaps.extend(own.windows(2).map(|pair| day(&pair[1]) - day(&pair[0])).filter(|gap| *gap > 0));
            customers += 1;
            came_back += u32::from(gaps.len() > before);
        }
        gaps.sort_unstable();
        let median = gaps.get(gaps.len() / 2).map_or(0.0, |days| *days as f32);
        Self { customers, came_back, median, count: gaps.len() as u32 }
    }
}
