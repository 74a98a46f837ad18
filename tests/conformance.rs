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
use aftercart::vocabulary::{AgeBand, Country, Currency, CustomerKind, Role, SensitiveClass, Stage};
use aftercart::{
    Answer, DecideError, Decider, Decline, Engine, Item, LineItem, OfferIx, Offers, OpenOptions, ProductIx,
    Profile, Purchase, Repeat, Status, Transaction,
};

#[test]
fn the_engine_answers_as_recorded() {
    let bless = std::env::var_os("AFTERCART_BLESS").is_some();
    if bless {
        fs::write(path("shop.aftercart"), catalog()).expect("it writes");
    }
    let engine = Engine::open(path("shop.aftercart"), OpenOptions::default()).expect("the catalog opens");
    let mut decider = Decider::new(Arc::new(engine));
    let requests = fs::read_to_string(path("requests.txt")).expect("the requests are there");
    let answers: String = cases(&requests).iter().map(|case| case.answer(&mut decider)).collect();
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

/// A request of the file: its lines, each split into word and fields.
struct Case<'a> {
    name: &'a str,
    lines: Vec<Vec<&'a str>>,
}

fn cases(text: &str) -> Vec<Case<'_>> {
    let mut cases: Vec<Case<'_>> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let fields: Vec<&str> = line.split('\t').collect();
        match (fields[0], cases.last_mut()) {
            ("case", _) => cases.push(Case { name: fields[1], lines: Vec::new() }),
            (_, Some(case)) => case.lines.push(fields),
            (_, None) => panic!("{line}: before the first case"),
        }
    }
    cases
}

/// The texts of numbered items, which a request borrows.
fn numbered(count: &str, item: &str) -> Vec<String> {
    (1..=number::<usize>(count)).map(|n| format!("{item}-{n}")).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> T {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn key(low: &str, high: &str) -> Option<[u8; 16]> {
    Some((u128::from(number::<u64>(high)) << 64 | u128::from(number::<u64>(low))).to_le_bytes())
}

/// The lists of a request.
#[derive(Default)]
struct Lists<'a> {
    lines: Vec<LineItem<'a>>,
    purchases: Vec<Purchase<'a>>,
    declines: Vec<Decline<'a>>,
    answers: Vec<Answer<'a>>,
    opt_outs: Vec<&'a str>,
    removed: Vec<&'a str>,
}

impl Case<'_> {
    fn answer(&self, decider: &mut Decider) -> String {
        let expected = self.lines.iter().find(|line| line[0] == "expect").map(|line| line[1]);
        let answer = match expected {
            Some(status) => format!("status\t{status}\n"),
            None => self.decide(decider),
        };
        format!("case\t{}\n{answer}\n", self.name)
    }

    fn decide(&self, decider: &mut Decider) -> String {
        let texts: Vec<Vec<String>> = self
            .lines
            .iter()
            .map(|line| match line[0] {
                "lines" | "purchases" => numbered(line[1], line[2]),
                _ => Vec::new(),
            })
            .collect();
        let (mut lists, mut transaction, mut profile) =
            (Lists::default(), Transaction::default(), Profile::default());
        for (line, texts) in self.lines.iter().zip(&texts) {
            let field = |at: usize| line.get(at).copied().unwrap_or("");
            if !lists.add(line[0], field, texts) {
                set(&mut transaction, &mut profile, line[0], field);
            }
        }
        transaction.lines = &lists.lines;
        profile.purchases = &lists.purchases;
        profile.declines = &lists.declines;
        profile.answers = &lists.answers;
        profile.opt_out_categories = &lists.opt_outs;
        profile.session.cart_removed = &lists.removed;
        match decider.decide(&transaction, &profile) {
            Ok(offers) => told(decider.engine(), &offers),
            Err(DecideError::TooManyLines) => "status\tTOO_MANY_LINES\n".into(),
            Err(DecideError::TooManySlots) => "status\tTOO_MANY_SLOTS\n".into(),
            Err(other) => panic!("{}: {other}", self.name),
        }
    }
}

impl<'a> Lists<'a> {
    /// Adds what is an element of a list.
    fn add(&mut self, word: &str, field: impl Fn(usize) -> &'a str, texts: &'a [String]) -> bool {
        let code = |at| if field(at).is_empty() { 0 } else { number::<u8>(field(at)) };
        match word {
            "line" => self.lines.push(LineItem {
                item_id: field(1),
                category: field(2),
                brand: field(3),
                quantity: if field(4).is_empty() { 1 } else { number(field(4)) },
                unit_price: Some(field(5)).filter(|text| !text.is_empty()).map(number),
                role: Role::from_code(code(6)).expect("a role"),
                sensitive: SensitiveClass::from_code(code(7)).expect("a class"),
            }),
            "lines" => self.lines.extend(texts.iter().map(|text| LineItem::of(text))),
            "purchase" => self.purchases.push(Purchase { item_id: field(1), at_ms: number(field(2)) }),
            "purchases" => {
                self.purchases.extend(texts.iter().map(|text| Purchase { item_id: text, at_ms: 0 }));
            }
            "decline" => self.declines.push(Decline { id: field(1), at_ms: number(field(2)) }),
            "answer" => self.answers.push(Answer { question: field(1), tag: field(2) }),
            "opt_out_category" => self.opt_outs.push(field(1)),
            "cart_removed" => self.removed.push(field(1)),
            _ => return false,
        }
        true
    }
}

/// Sets what is a field.
fn set<'a>(
    transaction: &mut Transaction<'a>,
    profile: &mut Profile<'a>,
    word: &str,
    field: impl Fn(usize) -> &'a str,
) {
    let known = |text: &str| [None, Some(false), Some(true)][number::<usize>(text)];
    match word {
        "order_id" => transaction.order_id = field(1),
        "created_at_ms" => transaction.created_at_ms = number(field(1)),
        "value" => transaction.value = Some(number(field(1))),
        "currency" => transaction.currency = Some(Currency::parse(field(1)).expect("a currency")),
        "country" => transaction.country = Some(Country::parse(field(1)).expect("a country")),
        "stage" => transaction.placement.stage = Stage::from_code(number(field(1))).expect("a stage"),
        "slots" => transaction.placement.slots = number(field(1)),
        "min_relevance" => transaction.placement.min_relevance = Some(number(field(1))),
        "is_gift" => transaction.is_gift = true,
        "is_test" => transaction.is_test = true,
        "first_purchases" => transaction.placement.repeat = Repeat::Never,
        "customer" => profile.customer = CustomerKind::from_code(number(field(1))).expect("a customer"),
        "age_band" => profile.age_band = AgeBand::from_code(number(field(1))).expect("an age"),
        "loyalty_member" => profile.loyalty_member = known(field(1)),
        "has_app" => profile.has_app = known(field(1)),
        "opt_out_third_party" => profile.opt_out_third_party = true,
        "unit_key" => profile.unit_key = key(field(1), field(2)),
        "session_key" => profile.session.session_key = key(field(1), field(2)),
        _ => panic!("{word}: no such word"),
    }
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
