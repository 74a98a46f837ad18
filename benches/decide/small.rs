//! The bundled shop under criterion: relative, on a quiet machine.

use std::path::PathBuf;
use std::sync::Arc;

use aftercart::build::feed::{self, ColumnMap};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, build};
use aftercart::{Catalog, Decider, Engine, LineItem, Profile, Transaction, Verify};
use criterion::Criterion;

fn engine() -> Arc<Engine> {
    let data = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/data"));
    let columns = ColumnMap::default();
    let (products, currency) =
        feed::read_products(&[data.join("products.csv.gz")], &columns, &Silent).expect("the bundled feed");
    let (orders, _) = feed::read_orders(&[data.join("orders.csv.gz")], &columns, &products, &Silent)
        .expect("the bundled orders");
    let inputs = Inputs { products, currency, orders, ..Inputs::default() };
    let options = BuildOptions { calibrate: false, ..BuildOptions::default() };
    let bytes = build(&inputs, &options, &Silent).expect("a catalog");
    let catalog = Catalog::from_bytes(bytes, Verify::Structure).expect("a usable one");
    Arc::new(Engine::new(Arc::new(catalog)).expect("an engine"))
}

fn decide(criterion: &mut Criterion) {
    let engine = engine();
    let ids: Vec<String> = engine.catalog().product_ids().map(str::to_owned).collect();
    let mut decider = Decider::new(Arc::clone(&engine));
    let mut group = criterion.benchmark_group("decide");
    for lines in [1usize, 3, 10] {
        let mut turn = 0usize;
        group.bench_function(format!("{lines} lines"), |bencher| {
            bencher.iter(|| {
                // Another basket each time: a repeated one would measure the cache.
                turn = turn.wrapping_add(7919);
                let line = |n: usize| LineItem::of(&ids[turn.wrapping_add(n * 104_729) % ids.len()]);
                let basket: [LineItem<'_>; 10] = std::array::from_fn(line);
                let transaction = Transaction { lines: &basket[..lines], ..Transaction::default() };
                decider.decide(&transaction, &Profile::default()).expect("a decision").slate().len()
            });
        });
    }
    group.finish();
}

/// Runs the benches, with criterion's own arguments.
pub(crate) fn run() {
    let mut criterion = Criterion::default().configure_from_args();
    decide(&mut criterion);
    criterion.final_summary();
}
