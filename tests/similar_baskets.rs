//! The earlier baskets most like the one at hand, against the same by other code: counted from the orders, without lists of
//! baskets, tables or limits.
#![cfg(feature = "build")]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aftercart::build::feed::{OrderLine, Orders, Product};
use aftercart::build::{BuildOptions, Inputs};
use aftercart::{Decider, LineItem, ProductIx, Profile, Transaction, testing};
use common::{Rng, World};

const PRODUCTS: u32 = 30;
const DAY_MS: i64 = 86_400_000;

/// Day, customer, products.
type Basket = (i64, u32, BTreeSet<u32>);

/// Eighty baskets of forty customers: few enough that all of them are looked at. Product 29 is bought by four customers only.
fn baskets(rng: &mut Rng) -> Vec<Basket> {
    let basket = |at: usize, rng: &mut Rng| {
        let mut own: BTreeSet<u32> =
            (0..1 + rng.below(7)).map(|_| (rng.below(29) * rng.below(29) / 28) as u32).collect();
        if at.is_multiple_of(20) {
            own.insert(29);
        }
        (20_000 + rng.below(300) as i64, (at % 40) as u32, own)
    };
    (0..80).map(|at| basket(at, rng)).collect()
}

fn world(baskets: &[Basket], keep: bool) -> World {
    let product = |n: u32| Product {
        id: format!("p{n}"),
        title: format!("product {n}"),
        category_path: format!("Shelf {n}"),
        price: Some(100),
        ..Product::default()
    };
    let lines = (0..).zip(baskets).flat_map(|(basket, (day, customer, own))| {
        own.iter().map(move |product| OrderLine {
            basket,
            customer: *customer,
            at_ms: day * DAY_MS + 1,
            product: *product,
            quantity: 1,
            unit_price: None,
        })
    });
    let orders = Orders { baskets: 80, customers: 40, lines: lines.collect() };
    let inputs = Inputs { products: (0..PRODUCTS).map(product).collect(), orders, ..Inputs::default() };
    let options = BuildOptions { calibrate: false, baskets: keep, ..BuildOptions::default() };
    World::of(1, inputs, options)
}

/// Share and number of the similar baskets that held each product.
fn counted(baskets: &[Basket], bought: &[u32]) -> BTreeMap<u32, (u64, u32)> {
    let customers = |product: u32| {
        let own = baskets.iter().filter(|(.., own)| own.contains(&product));
        own.map(|(_, customer, _)| *customer).collect::<BTreeSet<u32>>().len()
    };
    let rarity = |product: &u32| {
        let own = baskets.iter().filter(|(.., own)| own.contains(product)).count() as f32;
        ((baskets.len() as f32 / (own + 1.0)).log2().max(0.0) * 256.0).round() as u64
    };
    let last = baskets.iter().map(|(day, ..)| *day).max().expect("baskets");
    let mut alike = Vec::new();
    for (day, _, own) in baskets {
        let own: Vec<u32> = own.iter().copied().filter(|product| customers(*product) >= 5).collect();
        let age = (last - day) as f32;
        let weight =
            (255.0 * (-age / 360.0).exp2() * (4.0 / (own.len() as f32 + 3.0)).sqrt()).round().max(1.0);
        let shared: u64 = bought.iter().filter(|product| own.contains(product)).map(rarity).sum();
        if own.len() >= 2 && bought.iter().any(|product| own.contains(product)) {
            alike.push((shared * weight as u64, own));
        }
    }
    let most = alike.iter().map(|(likeness, _)| *likeness).max().unwrap_or(0).max(1);
    let weight = |likeness: u64| (likeness * 1023 / most).pow(3);
    let all = alike.iter().map(|(likeness, _)| weight(*likeness)).sum::<u64>().max(1);
    let mut found: BTreeMap<u32, (u64, u32)> = BTreeMap::new();
    for (likeness, own) in alike {
        for product in own {
            let entry = found.entry(product).or_default();
            *entry = (entry.0 + (weight(likeness) << 16) / all, entry.1 + 1);
        }
    }
    found
}

#[test]
fn they_are_those_that_counting_finds() {
    let mut seen = 0;
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let baskets = baskets(&mut rng);
        let world = world(&baskets, true);
        for _ in 0..30 {
            let bought: BTreeSet<u32> =
                (0..1 + rng.below(4)).map(|_| rng.below(PRODUCTS as usize) as u32).collect();
            let bought: Vec<u32> = bought.into_iter().collect();
            let ids: Vec<String> = bought.iter().map(|product| format!("p{product}")).collect();
            let lines: Vec<LineItem<'_>> = ids.iter().map(|id| LineItem::of(id)).collect();
            let found =
                testing::similar(&world.engine, &Transaction { lines: &lines, ..Transaction::default() });
            let number = |ix: ProductIx| {
                world.engine.id(aftercart::Item::Product(ix))[1..].parse().expect("p and a number")
            };
            let found: BTreeMap<u32, (u64, u32)> =
                found.into_iter().map(|(ix, share, held)| (number(ix), (u64::from(share), held))).collect();
            assert_eq!(found, counted(&baskets, &bought), "seed {seed}, bought {bought:?}");
            assert!(!found.contains_key(&29), "bought by four customers: theirs, not the shop's");
            seen += found.len();
        }
    }
    assert!(seen > 5_000, "{seen}");
}

#[test]
fn what_one_basket_alone_held_counts_for_nothing() {
    let (mut one, mut more) = (0, 0);
    for seed in 0..20 {
        let mut rng = Rng::new(seed);
        let world = world(&baskets(&mut rng), true);
        let mut decider = Decider::new(Arc::clone(&world.engine));
        let id = format!("p{}", rng.below(29));
        let lines = [LineItem::of(&id)];
        let transaction = Transaction { lines: &lines, ..Transaction::default() };
        for (ix, share, held) in testing::similar(&world.engine, &transaction) {
            let told = decider
                .explain(&transaction, &Profile::default(), aftercart::Item::Product(ix))
                .expect("explained");
            let said = told.contributions.iter().find(|said| said.feature == "similar_baskets");
            let value = said.map_or(0, |said| said.value as u32); // what adds nothing is not named
            assert_eq!(value, if held < 2 { 0 } else { share }, "seed {seed}");
            *(if held < 2 { &mut one } else { &mut more }) += 1;
        }
    }
    assert!(one > 20 && more > 20, "{one} {more}");
}

#[test]
fn a_file_without_them_decides_too() {
    let baskets = baskets(&mut Rng::new(3));
    let world = world(&baskets, false);
    let lines = [LineItem::of("p1"), LineItem::of("p2")];
    let transaction = Transaction { lines: &lines, ..Transaction::default() };
    assert!(testing::similar(&world.engine, &transaction).is_empty());
    let offers = Decider::new(Arc::clone(&world.engine)).decide(&transaction, &Profile::default());
    assert!(offers.expect("a decision").counters.retrieved > 0);
}
