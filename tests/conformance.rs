//! What every language must answer: `tests/conformance` has a shop, requests and, written by the engine itself, the offers
//! that must come back. C and all bindings read the same files and compare every byte.
//!
//! `AFTERCART_BLESS=1 cargo test --features build --test conformance` builds the shop's catalog anew and records the answers:
//! after a change of the format or of what is decided. Look at the difference before you commit it.
#![cfg(feature = "build")]

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use aftercart::build::feed::{self, ColumnMap};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, build};
use aftercart::{DecideError, Decider, Engine, Item, OfferIx, Offers, OpenOptions, ProductIx, Status};
use cases::{Case, cases};

#[path = "conformance/cases.rs"]
mod cases;

#[test]
fn the_engine_answers_as_recorded() {
    let bless = std::env::var_os("AFTERCART_BLESS").is_some();
    if bless {
        fs::write(path("shop.aftercart"), catalog()).expect("it writes");
    }
    let engine = Engine::open(path("shop.aftercart"), OpenOptions::default()).expect("the catalog opens");
    let mut decider = Decider::new(Arc::new(engine));
    let requests = fs::read_to_string(path("requests.txt")).expect("the requests are there");
    let answers: String = cases(&requests).iter().map(|case| answer(case, &mut decider)).collect();
    if bless {
        fs::write(path("offers.txt"), &answers).expect("it writes");
    }
    let recorded = fs::read_to_string(path("offers.txt")).expect("the record is there");
    for (number, (now, then)) in answers.lines().zip(recorded.lines()).enumerate() {
        assert_eq!(now, then, "line {} of offers.txt", number + 1);
    }
    assert_eq!(answers, recorded);
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(name)
}

fn catalog() -> Vec<u8> {
    let (shop, columns) = (path("shop"), ColumnMap::default());
    let read = "the feeds are right";
    let (products, currency) =
        feed::read_products(&[shop.join("products.csv")], &columns, &Silent).expect(read);
    let (orders, _) =
        feed::read_orders(&[shop.join("orders.csv")], &columns, &products, &Silent).expect(read);
    let inputs = Inputs {
        products,
        currency,
        orders,
        partners: feed::read_partners(&shop.join("partners.toml")).expect(read),
        policy: Some(feed::read_policy(&shop.join("policy.toml")).expect(read)),
        embeddings: None,
        vectors: None,
    };
    build(&inputs, &BuildOptions::default(), &Silent).expect("the shop builds")
}

fn answer(case: &Case<'_>, decider: &mut Decider) -> String {
    let decided = match case.refused() {
        Some(status) => format!("status\t{status}\n"),
        None => match case.with(|transaction, profile| decider.decide(transaction, profile)) {
            Ok(offers) => told(decider.engine(), &offers),
            Err(DecideError::TooManyLines) => "status\tTOO_MANY_LINES\n".into(),
            Err(DecideError::TooManySlots) => "status\tTOO_MANY_SLOTS\n".into(),
            Err(other) => panic!("{}: {other}", case.name),
        },
    };
    format!("case\t{}\n{decided}\n", case.name)
}

/// A decision in the words and numbers of the C header.
fn told(engine: &Engine, offers: &Offers) -> String {
    let (name, reason) = match offers.status {
        Status::NoOffer(reason) => ("NO_OFFERS", reason.code()),
        _ => ("OK", 0),
    };
    let (generations, counters) = (offers.generations, &offers.counters);
    let mut text = format!(
        "status\t{name}\t{reason}\t{:032x}\t{:016x}\t{:016x}\t{}\t{}\t{}\t{}\t{}\t{}\n",
        offers.decision_id,
        generations.index,
        generations.policy,
        counters.retrieved,
        counters.eligible,
        counters.rejected,
        counters.search.centroids,
        counters.search.cells,
        counters.search.products,
    );
    for offer in offers.slate() {
        let (item_kind, item_row) = match offer.item {
            Item::Product(ProductIx(row)) => (1, row),
            Item::Offer(OfferIx(row)) => (2, row),
        };
        let because = offer.because;
        let _ = writeln!(
            text,
            "offer\t{}\t{item_kind}\t{item_row}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
            engine.id(offer.item),
            offer.kind.code(),
            offer.position,
            u8::from(offer.third_party),
            because.relation as u8,
            because.line.map_or(-1, i32::from),
            offer.relevance,
            offer.p_accept_ppm,
            offer.p_select_ppm,
            offer.value,
            offer.ev_micros,
            engine.price(offer.item).unwrap_or(-1),
            engine.title(offer.item),
            engine.category(offer.item),
            engine.partner(offer.item),
        );
    }
    text
}
