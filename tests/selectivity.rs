//! However little of a catalog rules leave, a search finds the best of it, and does not look at all of it: from all products down
//! to one in a hundred thousand, under rules that always hold and under rules with conditions, against a scan of all rows.
#![cfg(feature = "build")]

mod common;

use std::sync::Arc;

use aftercart::build::feed::Product;
use aftercart::build::{BuildOptions, Inputs, Vectors};
use aftercart::policy::condition::{Comparison, Condition, NumberFact};
use aftercart::policy::{Policy, Rule};
use aftercart::vocabulary::{Attribute, Availability};
use aftercart::{Engine, ProductIx, testing};
use common::{Request, Rng, World};

const PRODUCTS: usize = 40_000;
const DIM: usize = 64;
const GROUPS: usize = 400;
/// Shares of the catalog that carry each label, one in so many.
const ONE_IN: [usize; 5] = [10, 100, 1_000, 10_000, 100_000];
const LABELS: [Attribute; 5] = [
    Attribute::CustomLabel0,
    Attribute::CustomLabel1,
    Attribute::CustomLabel2,
    Attribute::CustomLabel3,
    Attribute::CustomLabel4,
];

/// Products around the middles of their groups, each with the labels that chance gives it; every label is somewhere.
fn shop(rng: &mut Rng) -> World {
    let part = |rng: &mut Rng| rng.below(2_001) as f32 / 1_000.0 - 1.0;
    let middles: Vec<f32> = (0..GROUPS * DIM).map(|_| part(rng)).collect();
    let (mut products, mut out_rows) = (Vec::new(), Vec::new());
    for row in 0..PRODUCTS {
        let group = rng.below(GROUPS);
        let values: Vec<f32> =
            middles[group * DIM..(group + 1) * DIM].iter().map(|m| m + 0.6 * part(rng)).collect();
        let length = values.iter().map(|v| v * v).sum::<f32>().sqrt();
        out_rows.extend(values.iter().map(|v| v / length));
        let labels = LABELS.iter().zip(ONE_IN);
        products.push(Product {
            id: format!("p{row}"),
            title: format!("Thing {row}"),
            category_path: format!("Group {group} > Kind {}", row % 7),
            availability: Availability::InStock,
            attributes: labels
                .filter(|(_, one_in)| row == 17 || rng.below(*one_in) == 0)
                .map(|(label, _)| (*label, "in".to_owned()))
                .collect(),
            ..Product::default()
        });
    }
    let vectors = Some(Vectors { dim: DIM, out_rows, in_rows: None });
    let options = BuildOptions { calibrate: false, recall: 0.95, prior: false, ..BuildOptions::default() };
    World::of(7, Inputs { products, vectors, ..Inputs::default() }, options)
}

fn policy(label: Option<Attribute>, conditional: bool) -> Policy {
    let mut policy = Policy::default();
    let names = label.map(|label| (label, vec!["in".to_owned()])).into_iter().collect();
    if conditional {
        let mut rule = Rule { name: "only".into(), ..Rule::default() };
        rule.when = Condition::Number { fact: NumberFact::OrderLines, is: Comparison::AtLeast, value: 1 };
        rule.allow_only.attributes = names;
        policy.rules.extend(label.map(|_| rule));
    } else {
        policy.allow_only.attributes = names;
    }
    policy
}

/// The ten products nearest to any line, by looking at all that carry the label and are of no line's kind.
fn nearest(
    world: &World,
    rows: &[Vec<i8>],
    ix: &[ProductIx],
    basket: &[usize],
    label: Option<Attribute>,
) -> Vec<ProductIx> {
    let products = &world.inputs.products;
    let allowed = |row: &usize| {
        label.is_none_or(|label| products[*row].attributes.iter().any(|(own, _)| *own == label))
            && basket.iter().all(|line| products[*line].category_path != products[*row].category_path)
    };
    let dot = |a: &[i8], b: &[i8]| a.iter().zip(b).map(|(x, y)| i64::from(*x) * i64::from(*y)).sum::<i64>();
    let best = |row: usize| basket.iter().map(|line| dot(&rows[*line], &rows[row])).max();
    let mut scored: Vec<_> = (0..PRODUCTS).filter(allowed).map(|row| (best(row), ix[row])).collect();
    scored.sort_by_key(|(score, ix)| (std::cmp::Reverse(*score), *ix));
    scored.into_iter().take(10).map(|(_, ix)| ix).collect()
}

#[test]
fn the_ten_best_are_found_at_every_decade_of_selectivity() {
    let mut rng = Rng::new(99);
    let world = shop(&mut rng);
    let engine: &Engine = &world.engine;
    let ix: Vec<ProductIx> =
        world.inputs.products.iter().map(|p| engine.find_product(&p.id).expect("it is there")).collect();
    let rows: Vec<Vec<i8>> = ix.iter().map(|ix| testing::rows(engine, *ix).1).collect();
    let mut wrong = Vec::new();
    for conditional in [false, true] {
        for label in std::iter::once(None).chain(LABELS.map(Some)) {
            let engine = Arc::new(world.under(&policy(label, conditional)));
            let (mut hits, mut of, mut most) = (0, 0, 0);
            for _ in 0..40 {
                let basket: Vec<usize> = (0..1 + rng.below(3)).map(|_| rng.below(PRODUCTS)).collect();
                let ids: Vec<String> = basket.iter().map(|row| format!("p{row}")).collect();
                let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
                let (found, counters) = Request::of(&ids).with(|t, p| testing::searched(&engine, t, p));
                let truth = nearest(&world, &rows, &ix, &basket, label);
                let found: Vec<ProductIx> = found.iter().take(10).map(|(_, ix)| *ix).collect();
                of += truth.len();
                hits += truth.iter().filter(|ix| found.contains(ix)).count();
                most = most.max(counters.products);
            }
            println!(
                "conditional {conditional}, {label:?}: {hits} of {of}, at most {most} products compared"
            );
            if hits * 100 < of * 95 || most as usize > PRODUCTS / 4 {
                wrong.push((conditional, label, hits, of, most));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
}
