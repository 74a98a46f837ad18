//! Which earlier baskets are kept, so that a decision can look for the ones most like its own.

use super::associates::CUSTOMERS_LEAST;
use super::cooccurrence::Log;
use crate::limits::{BASKET_LINES_MAX, BASKETS_MAX, POSTINGS_MAX};

/// Earlier baskets: what was bought together, without who bought it; of when, only what the weights say.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Baskets {
    /// Products of each basket, at least two.
    pub lines: Vec<Vec<u32>>,
    /// How much each basket counts, 1 to 255: newer and smaller ones more.
    pub weights: Vec<u8>,
    /// Per product: its newest baskets, by number.
    pub postings: Vec<Vec<u32>>,
    /// Per product: how rare it is, log2 of all baskets over its own, in 1/256.
    pub rarity: Vec<u16>,
}

/// Lines of all baskets: of a longer log the newest.
const LINES_MAX: usize = 4_000_000;
/// Days after which a basket counts half.
const HALF_LIFE: f32 = 360.0;
/// A basket of n lines counts by (n + this)^-0.5.
const LINES_SHRINK: f32 = 3.0;

/// Keeps the newest baskets of each product.
pub(super) fn keep(log: &Log, popularity: &[u32]) -> Baskets {
    let all = log.baskets() as f32;
    let rarity = (0..log.products()).map(|product| {
        let own = log.lines_of(product).len() as f32;
        ((all.max(1.0) / (own + 1.0)).log2().max(0.0) * 256.0).round() as u16
    });
    let rarity: Vec<u16> = rarity.collect();
    let mut newest: Vec<u32> = (0..log.baskets() as u32).collect();
    newest.sort_by_key(|basket| (std::cmp::Reverse(log.day[*basket as usize]), *basket));
    let last = newest.first().map_or(0, |basket| log.day[*basket as usize]);
    let mut kept = Baskets { postings: vec![Vec::new(); log.products()], rarity, ..Baskets::default() };
    let mut lines = 0;
    for basket in newest {
        let bought = &log.product[log.lines(basket as usize)];
        let mut own: Vec<u32> =
            bought.iter().copied().filter(|p| popularity[*p as usize] >= CUSTOMERS_LEAST).collect();
        own.sort_by_key(|product| (std::cmp::Reverse(kept.rarity[*product as usize]), *product));
        own.truncate(BASKET_LINES_MAX);
        let is_found = own.iter().any(|product| kept.postings[*product as usize].len() < POSTINGS_MAX);
        if own.len() < 2 || !is_found {
            continue;
        }
        lines += own.len();
        if lines > LINES_MAX || kept.lines.len() >= BASKETS_MAX {
            break;
        }
        let age = (last - log.day[basket as usize]) as f32;
        // 1 for today's basket of one line.
        let weight =
            (-age / HALF_LIFE).exp2() * ((1.0 + LINES_SHRINK) / (own.len() as f32 + LINES_SHRINK)).sqrt();
        kept.weights.push((weight * 255.0).round().clamp(1.0, 255.0) as u8);
        for product in &own {
            let postings = &mut kept.postings[*product as usize];
            if postings.len() < POSTINGS_MAX {
                postings.push(kept.lines.len() as u32);
            }
        }
        kept.lines.push(own);
    }
    kept
}
