//! The made-up shop that the gate asks. Every row is a function of its number, in arithmetic that is the same on every
//! machine, so that a request needs no feed.

use aftercart::build::feed::{OrderLine, Orders, Partner, PartnerOffer, Partners, Product};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, Rotation, Vectors, build};
use aftercart::vocabulary::{Availability, OfferKind, Role};

use crate::common::{DAY, NOW, Rng};

pub(crate) const PRODUCTS: u32 = 30_000;
pub(crate) const LEAVES: u32 = 256;
pub(crate) const ROOTS: u32 = 16;
const BRANDS: u32 = 60;
const PARTNERS: u32 = 4;
const OFFERS: u32 = 24;
const CUSTOMERS: u32 = 1_000;
/// Orders of one customer, a month apart.
const MONTHS: u32 = 8;
const DIM: usize = 64;
const SEED: u64 = 1;

/// A stream of its own for each thing of a kind.
pub(crate) fn stream(kind: u64, number: u32) -> Rng {
    Rng::new(kind << 32 | u64::from(number))
}

/// A number below `n`; low ones come up more often.
fn low(rng: &mut Rng, n: u32) -> u32 {
    rng.below(n as usize).min(rng.below(n as usize)) as u32
}

pub(crate) fn id(product: u32) -> String {
    format!("p{product}")
}

pub(crate) fn brand(number: u32) -> String {
    format!("Brand {}", number % BRANDS)
}

pub(crate) fn root(number: u32) -> String {
    format!("Root {}", number % ROOTS)
}

/// Path of a leaf category.
pub(crate) fn path(leaf: u32) -> String {
    format!("{} > Leaf {leaf}", root(leaf))
}

/// Some leaves hold more than others, none holds nothing.
fn leaf_of(product: u32) -> u32 {
    if product < LEAVES { product } else { low(&mut stream(1, product), LEAVES) }
}

/// What is bought with things of a leaf.
fn goes_with(leaf: u32) -> u32 {
    (leaf * 5 + 7) % LEAVES
}

/// Every third leaf holds what is used up.
fn used_up(leaf: u32) -> bool {
    leaf.is_multiple_of(3)
}

/// A product for each draw: often bought ones have low numbers.
pub(crate) fn bought(rng: &mut Rng) -> u32 {
    low(rng, PRODUCTS)
}

/// A direction made of random ones, each with its weight.
fn mix(parts: [(Rng, f32); 3]) -> [f32; DIM] {
    let mut row = [0.0; DIM];
    for (mut rng, weight) in parts {
        row.iter_mut().for_each(|value| *value += weight * (rng.below(255) as f32 - 127.0));
    }
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    row.map(|value| value / length)
}

/// OUT: near its leaf, nearer to its style within that.
fn out_row(product: u32) -> [f32; DIM] {
    let leaf = leaf_of(product);
    let style = leaf * 8 + product % 8;
    mix([(stream(2, leaf), 1.0), (stream(3, style), 0.7), (stream(4, product), 0.7)])
}

/// IN: between its leaf and what goes with it.
fn in_row(product: u32) -> [f32; DIM] {
    let leaf = leaf_of(product);
    mix([(stream(2, goes_with(leaf)), 0.7), (stream(2, leaf), 0.5), (stream(5, product), 0.8)])
}

/// What a bought product asks, in the coordinates of the catalog.
pub(crate) fn query(product: u32) -> Vec<i16> {
    let mut query = Vec::new();
    Rotation::new(DIM, SEED).query(&in_row(product), &mut query);
    query
}

/// The bytes of the catalog.
pub(crate) fn catalog() -> Vec<u8> {
    let rows = |row: fn(u32) -> [f32; DIM]| (0..PRODUCTS).flat_map(row).collect::<Vec<f32>>();
    let inputs = Inputs {
        products: (0..PRODUCTS).map(product).collect(),
        orders: orders(),
        partners: partners(),
        // Given, since learning them rounds as the CPU does.
        vectors: Some(Vectors { dim: DIM, out_rows: rows(out_row), in_rows: Some(rows(in_row)) }),
        ..Inputs::default()
    };
    let options = BuildOptions { calibrate: false, seed: SEED, ..BuildOptions::default() };
    build(&inputs, &options, &Silent).expect("the inputs fit together")
}

fn product(number: u32) -> Product {
    let leaf = leaf_of(number);
    let mut rng = stream(6, number);
    Product {
        id: id(number),
        title: format!("Thing {number}"),
        category_path: path(leaf),
        brand: brand(number),
        price: Some(100 + rng.below(9_900) as i64),
        availability: if rng.chance(8) { Availability::OutOfStock } else { Availability::InStock },
        item_group_id: if rng.chance(30) { format!("g{}", number / 3) } else { String::new() },
        role: if used_up(leaf) { Role::Consumable } else { Role::Unknown },
        seller: if rng.chance(10) { format!("partner-{}", number % PARTNERS) } else { String::new() },
        ..Product::default()
    }
}

/// Each order: something, something that goes with it, and what this customer uses up.
fn orders() -> Orders {
    let mut of_leaf = vec![Vec::new(); LEAVES as usize];
    (0..PRODUCTS).for_each(|product| of_leaf[leaf_of(product) as usize].push(product));
    let mut lines = Vec::new();
    let start = NOW - i64::from(MONTHS + 1) * 30 * DAY;
    for basket in 0..MONTHS * CUSTOMERS {
        let (day, customer) = (basket / (CUSTOMERS / 30), basket % CUSTOMERS);
        let mut rng = stream(7, basket);
        let first = bought(&mut rng);
        let second = *rng.pick(&of_leaf[goes_with(leaf_of(first)) as usize]);
        let staple = *stream(8, customer).pick(&of_leaf[(customer * 3 % 255) as usize]);
        lines.extend([first, second, staple].map(|product| OrderLine {
            basket,
            customer,
            at_ms: start + i64::from(day) * DAY,
            product,
            quantity: 1,
            unit_price: None,
        }));
    }
    Orders { lines, baskets: MONTHS * CUSTOMERS, customers: CUSTOMERS }
}

fn partners() -> Partners {
    let partner = |n| Partner {
        id: format!("partner-{n}"),
        active: true,
        blocked_brands: vec![brand(n)],
        blocked_categories: vec![path(n)],
        ..Partner::default()
    };
    let offer = |n: u32| PartnerOffer {
        id: format!("offer-{n}"),
        kind: OfferKind::ALL[n as usize % OfferKind::ALL.len()],
        partner: if n.is_multiple_of(3) { String::new() } else { format!("partner-{}", n % PARTNERS) },
        title: format!("Offer {n}"),
        payout: 50 + i64::from(n) * 10,
        accept_rate_ppm: 4_000 + n * 500,
        trigger_any: n.is_multiple_of(6),
        trigger_categories: vec![root(n), path(n * 7)],
        trigger_brands: vec![brand(n * 11)],
        house: n.is_multiple_of(6),
        ..PartnerOffer::default()
    };
    Partners { partners: (0..PARTNERS).map(partner).collect(), offers: (0..OFFERS).map(offer).collect() }
}
