//! Learns when things are bought again: usual days to a purchase for each product, and what [`crate::refill`] weighs.
//!
//! The newest 14 days of orders are the answer, what came before is the question. Few pairs of customer and product come back in them, so
//! products are drawn towards their type, and types towards all.

use nalgebra::{Matrix4, Vector4};
use rayon::prelude::*;

use super::cooccurrence::Log;
use crate::refill::{Habit, WEIGHTS};

/// Days within which something is bought again, or not.
const WITHIN_DAYS: i32 = 14;
/// Fewer pairs that come back than this teach nothing worth having.
const BACK_MIN: usize = 200;
/// Purchases that a type stands for in its products, and all in a type.
const PRIOR: f64 = 5.0;
/// Share of what is bought again that is to be due: what a rule by type's rhythm finds, of twice as much.
const FOUND: f64 = 0.8;

/// When things are bought again.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Refill {
    /// Usual days to a purchase, of each product.
    pub(crate) days: Vec<u16>,
    /// In 1/65,536 of a nat; the last one is the least of what is due.
    pub(crate) weights: [i32; WEIGHTS],
    /// Share of the pairs that are due, and of those that came back.
    pub(crate) due: [f64; 2],
}

/// One customer and one product, up to a day.
#[derive(Debug, Clone, Copy)]
struct Pair {
    times: u32,
    age: u32,
    since: u32,
    back: bool,
}

/// Pairs of a product up to a day, and whether they came back in the 14 days after it.
fn pairs(log: &Log, product: usize, named: u32, until: i32) -> Vec<Pair> {
    let unit = |line: &u32| log.unit[log.basket[*line as usize] as usize];
    let day = |line: &u32| log.day[log.basket[*line as usize] as usize];
    let pair = |own: &[u32]| {
        let mut days: Vec<i32> = own.iter().map(day).collect();
        days.dedup();
        let before = days.partition_point(|day| *day <= until);
        let (first, last) = (*days[..before].first()?, *days[..before].last()?);
        let back = days.get(before).is_some_and(|next| *next <= until + WITHIN_DAYS);
        Some(Pair { times: before as u32, age: (until - first) as u32, since: (until - last) as u32, back })
    };
    let units = log.lines_of(product).chunk_by(|a, b| unit(a) == unit(b));
    units.filter(|own| unit(&own[0]) < named).filter_map(pair).collect()
}

/// Usual days to a purchase of each product, as seen up to a day: exposure over purchases that came back.
fn usual_days(log: &Log, types: &[u32], kinds: usize, named: u32, until: i32) -> Vec<u16> {
    let seen = |product| {
        let own = pairs(log, product, named, until);
        own.iter()
            .fold((0.0, 0.0), |(n, days), pair| (n + f64::from(pair.times - 1), days + f64::from(pair.age)))
    };
    let products: Vec<(f64, f64)> = (0..log.products()).into_par_iter().map(seen).collect();
    let mut of_types = vec![(0.0, 0.0); kinds];
    let mut all = (1.0, 365.0);
    for ((n, days), kind) in products.iter().zip(types) {
        let own = &mut of_types[*kind as usize];
        *own = (own.0 + n, own.1 + days);
        all = (all.0 + n, all.1 + days);
    }
    let drawn = |(n, days): (f64, f64), prior: f64| (days + PRIOR * prior) / (n + PRIOR);
    let level = all.1 / all.0;
    let of_type = |kind: u32| drawn(of_types[kind as usize], level);
    let days =
        |(own, kind): (&(f64, f64), &u32)| drawn(*own, of_type(*kind)).round().clamp(1.0, 65_535.0) as u16;
    products.iter().zip(types).map(days).collect()
}

/// Learns from orders; `None` where too little comes back.
pub(super) fn learn(log: &Log, types: &[u32], kinds: usize, named: u32) -> Option<Refill> {
    let last = *log.day.iter().max()?;
    let until = last - WITHIN_DAYS;
    let before = usual_days(log, types, kinds, named, until);
    let asked = |product: usize| {
        let of = |pair: Pair| {
            let Pair { times, age, since, back } = pair;
            let usual_days = before[product];
            (Habit { times, age_days: age, since_days: since, usual_days }.features(), back)
        };
        pairs(log, product, named, until).into_iter().map(of).collect::<Vec<_>>()
    };
    let asked: Vec<([i32; 4], bool)> = (0..log.products()).into_par_iter().flat_map_iter(asked).collect();
    let back = asked.iter().filter(|(_, back)| *back).count();
    if back < BACK_MIN || back == asked.len() {
        return None;
    }
    let exact = fit(&asked)?;
    let weights = exact.map(|weight| (weight * 65_536.0).round().clamp(-1e9, 1e9) as i32);
    let score =
        |x: &[i32; 4]| x.iter().zip(&weights).map(|(x, w)| i64::from(*x) * i64::from(*w)).sum::<i64>() / 256;
    let mut found: Vec<i64> = asked.iter().filter(|(_, back)| *back).map(|(x, _)| score(x)).collect();
    found.sort_unstable();
    let least = found[((1.0 - FOUND) * found.len() as f64) as usize];
    let due = |pairs: &mut dyn Iterator<Item = &([i32; 4], bool)>| {
        let (due, all) =
            pairs.fold((0u32, 0u32), |(n, all), (x, _)| (n + u32::from(score(x) >= least), all + 1));
        f64::from(due) / f64::from(all.max(1))
    };
    Some(Refill {
        days: usual_days(log, types, kinds, named, last),
        weights: [
            weights[0],
            weights[1],
            weights[2],
            weights[3],
            least.clamp(-1_000_000_000, 1_000_000_000) as i32,
        ],
        due: [due(&mut asked.iter()), due(&mut asked.iter().filter(|(_, back)| *back))],
    })
}

/// Logistic regression by Newton's method, with a ridge that keeps it finite. Sums are in order: the same bytes each time.
fn fit(asked: &[([i32; 4], bool)]) -> Option<[f64; 4]> {
    const RIDGE: f64 = 1e-3;
    let mut weights = Vector4::zeros();
    for _ in 0..12 {
        let (mut slope, mut curve) = (-RIDGE * weights, Matrix4::identity() * RIDGE);
        for (x, back) in asked {
            let x = Vector4::from_fn(|at, _| f64::from(x[at]) / 256.0);
            let p = 1.0 / (1.0 + (-weights.dot(&x)).exp());
            slope += x * (f64::from(u8::from(*back)) - p);
            curve += x * x.transpose() * (p * (1.0 - p));
        }
        weights += curve.cholesky()?.solve(&slope);
    }
    weights.iter().all(|weight: &f64| weight.is_finite()).then(|| weights.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::affinity::AffinityInput;
    use crate::build::feed::{NONE, OrderLine, Orders};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Customers with rates of their own buy four products of two types for 300 days.
    fn orders() -> Orders {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let mut lines = Vec::new();
        for customer in 0..800u32 {
            for product in 0..4u32 {
                // Exponential rates: Gamma of shape 1. The first product is bought four times as often as the last.
                let mean_days = [20.0, 30.0, 60.0, 80.0][product as usize];
                let rate = -(1.0 - rng.random::<f64>()).ln() / mean_days;
                for day in 0..300 {
                    if rng.random::<f64>() < rate {
                        let at_ms = (20_000 + day) * 86_400_000;
                        let basket = lines.len() as u32;
                        let (quantity, unit_price) = (1, None);
                        lines.push(OrderLine { basket, customer, product, at_ms, quantity, unit_price });
                    }
                }
            }
        }
        Orders { baskets: lines.len() as u32, customers: 800, lines }
    }

    fn log(orders: &Orders) -> Log {
        Log::new(&AffinityInput {
            products: 4,
            type_of: &[0, 0, 1, 1],
            types: 2,
            category_parent: &[],
            category_of: &[NONE; 4],
            brand_of: &[NONE; 4],
            embeddings: None,
            words: None,
            orders,
            vectors_given: false,
            prior: &[],
        })
    }

    #[test]
    fn rates_are_found_and_odds_hold() {
        let orders = orders();
        let log = log(&orders);
        let refill = learn(&log, &[0, 0, 1, 1], 2, 800).expect("enough comes back");
        println!("{refill:?}");
        assert!(refill.days.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", refill.days);
        assert!(refill.due[0] < refill.due[1] && (refill.due[1] - FOUND).abs() < 0.01, "{:?}", refill.due);
        // More purchases, fewer days of silence: likelier.
        assert!(refill.weights[1] > 0 && refill.weights[2] < 0, "{:?}", refill.weights);
        // Two weeks that it did not learn from: as many come back as it says.
        let until = *log.day.iter().max().expect("days") - 2 * WITHIN_DAYS;
        let (mut expected, mut back, mut loss, mut flat) = (0.0, 0.0, 0.0, 0.0);
        let every: Vec<(usize, Pair)> =
            (0..4).flat_map(|p| pairs(&log, p, 800, until).into_iter().map(move |pair| (p, pair))).collect();
        let share = every.iter().filter(|(_, pair)| pair.back).count() as f64 / every.len() as f64;
        for (product, Pair { times, age, since, back: came }) in every {
            let usual_days = refill.days[product];
            let x = Habit { times, age_days: age, since_days: since, usual_days }.features();
            let z: f64 = x.iter().zip(refill.weights).map(|(x, w)| f64::from(*x) * f64::from(w)).sum::<f64>()
                / 2f64.powi(24);
            let p = 1.0 / (1.0 + (-z).exp());
            expected += p;
            back += f64::from(u8::from(came));
            loss -= if came { p.ln() } else { (1.0 - p).ln() };
            flat -= if came { share.ln() } else { (1.0 - share).ln() };
        }
        println!("expected {expected:.1} of {back}, log loss {:.3} of {:.3}", loss, flat);
        assert!((expected / back - 1.0).abs() < 0.1, "{expected} and {back}");
        assert!(loss < 0.9 * flat, "{loss} and {flat}");
    }

    #[test]
    fn little_teaches_nothing() {
        let few = Orders { lines: orders().lines.into_iter().take(100).collect(), ..orders() };
        assert_eq!(learn(&log(&few), &[0, 0, 1, 1], 2, 800), None);
    }
}
