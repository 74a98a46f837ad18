//! What every language must answer: `tests/conformance` has a shop, requests and, written by the engine itself, the offers
//! that must come back. C and all bindings read the same files and compare every byte.
//!
//! `AFTERCART_BLESS=1 cargo test --features build,token --test conformance` builds the shop's catalog anew and records the answers:
//! after a change of the format or of what is decided. Look at the difference before you commit it.
#![cfg(all(feature = "build", feature = "token"))]

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Once};

use aftercart::build::feed::{self, ColumnMap};
use aftercart::build::progress::Silent;
use aftercart::build::{BuildOptions, Inputs, build};
use aftercart::follow_up::{ProgrammeTable, Programmes};
use aftercart::live::{Change, LiveKind, Pacing};
use aftercart::record::ring;
use aftercart::{
    Catalog, DecideError, Decider, Engine, Explanation, Item, Lease, LeaseError, Live, LiveError, Offer,
    OfferIx, Offers, OpenOptions, ProductIx, Status,
};
use cases::{Case, cases};
use sha2::{Digest, Sha256};

#[path = "conformance/cases.rs"]
mod cases;
#[path = "conformance/moments.rs"]
mod moments;

#[test]
fn the_engine_answers_as_recorded() {
    let engine = Engine::open(shop(), OpenOptions::default()).expect("the catalog opens");
    let mut decider = Decider::new(Arc::new(engine));
    let requests = fs::read_to_string(path("requests.txt")).expect("the requests are there");
    let answers: String = cases(&requests).iter().map(|case| answer(case, &mut decider)).collect();
    compare("offers.txt", &answers);
}

/// What every language's decider must leave in its ring: `records.sha256` has the sum of the file.
#[test]
fn the_ring_has_what_is_recorded() {
    let engine = Engine::open(shop(), OpenOptions::default()).expect("the catalog opens");
    let mut decider = Decider::new(Arc::new(engine));
    let log = tempfile::tempdir().expect("a folder");
    decider.record_to(Some(ring::create_in(log.path(), "rust", 128).expect("a ring")));
    let requests = fs::read_to_string(path("requests.txt")).expect("the requests are there");
    for case in cases(&requests).iter().filter(|case| case.refused().is_none()) {
        let _offers = case.with(|transaction, profile| decider.decide(transaction, profile));
    }
    let bytes = fs::read(log.path().join("rings/rust.ring")).expect("it is there");
    let sum = Sha256::digest(bytes).iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    compare("records.sha256", &format!("{sum}\n"));
}

/// What every language must answer about the live overlay, and when it is asked why.
#[test]
fn the_overlay_answers_as_recorded() {
    let catalog = Catalog::open(shop(), OpenOptions::default()).expect("the catalog opens");
    let folder = tempfile::tempdir().expect("a folder");
    let live = Live::create(folder.path().join("shop.live"), &catalog, None).expect("an overlay");
    let engine = Engine::new(Arc::new(catalog)).map(|engine| engine.with_live(Arc::new(live)));
    let mut steps = Steps {
        decider: Decider::new(Arc::new(engine.expect("a policy").expect("bound"))),
        slate: Vec::new(),
        leases: HashMap::new(),
    };
    let requests = fs::read_to_string(path("live.txt")).expect("the requests are there");
    let mut answers = String::new();
    for case in cases(&requests) {
        let _ = writeln!(answers, "case\t{}", case.name);
        for step in &case.steps {
            answers += &steps.take(&case, step);
        }
        answers.push('\n');
    }
    compare("live-answers.txt", &answers);
}

/// What every language must answer at the other moments of a purchase.
#[test]
fn the_other_moments_answer_as_recorded() {
    let engine = Arc::new(Engine::open(shop(), OpenOptions::default()).expect("the catalog opens"));
    if std::env::var_os("AFTERCART_BLESS").is_some() {
        fs::write(path("model.bin"), moments::model()).expect("it writes");
    }
    let model = aftercart::Model::open(path("model.bin")).expect("a model");
    let programmes = fs::read_to_string(path("programmes.toml")).expect("the programmes are there");
    let table = ProgrammeTable::from_toml(&programmes).expect("programmes");
    let programmes = Programmes::new(&table, &engine).expect("they name what is there");
    let mut steps = moments::Steps::new(engine, Arc::new(model), programmes);
    let requests = fs::read_to_string(path("moments.txt")).expect("the requests are there");
    let answers: String = cases(&requests).iter().map(|case| steps.all(case)).collect();
    compare("moments-answers.txt", &answers);
}

fn compare(record: &str, answers: &str) {
    if std::env::var_os("AFTERCART_BLESS").is_some() {
        fs::write(path(record), answers).expect("it writes");
    }
    let recorded = fs::read_to_string(path(record)).expect("the record is there");
    for (number, (now, then)) in answers.lines().zip(recorded.lines()).enumerate() {
        assert_eq!(now, then, "line {} of {record}", number + 1);
    }
    assert_eq!(answers, recorded);
}

/// What live.txt asks for, one after the other, on one overlay.
struct Steps {
    decider: Decider,
    slate: Vec<Offer>,
    leases: HashMap<String, Lease>,
}

impl Steps {
    fn take(&mut self, case: &Case<'_>, step: &[&str]) -> String {
        let field = |at: usize| step.get(at).copied().unwrap_or("");
        let engine = Arc::clone(self.decider.engine());
        let live = engine.live().expect("it has one");
        let moment = |at: usize| number(field(at));
        match step[0] {
            "decide" => {
                let decided = case.with(|transaction, profile| self.decider.decide(transaction, profile));
                let offers = decided.expect("a request within the limits");
                self.slate = offers.slate().to_vec();
                told(&engine, &offers)
            }
            "set" => {
                let change = change(field(3), field(4));
                let set = live.edit().expect("a lock").set(kind(field(1)), field(2), &change, moment(5));
                format!("set\t{}\n", set.map_or_else(|error| live_status(&error), |_| "OK"))
            }
            "look" => format!("look\t{}\n", look(live, kind(field(1)), field(2), moment(3))),
            "reserve" => {
                let shown = self.slate.iter().find(|offer| engine.id(offer.item) == field(2));
                let shown = shown.unwrap_or_else(|| panic!("{}: {} is not on the page", case.name, field(2)));
                let reserved = engine.reserve(shown, moment(3), moment(4));
                let status = reserved.map(|lease| self.leases.insert(field(1).into(), lease));
                format!("reserve\t{}\n", status.map_or_else(|error| lease_status(&error), |_| "OK"))
            }
            word @ ("activate" | "release") => {
                let lease = &self.leases[field(1)];
                let settle = if word == "activate" { Live::activate } else { Live::release };
                let status = settle(live, lease, moment(2));
                format!("{word}\t{}\n", status.map_or_else(|error| lease_status(&error), |()| "OK"))
            }
            _ => {
                let item = engine.find_product(field(1)).map(Item::Product);
                let Some(item) = item.or_else(|| engine.find_offer(field(1)).map(Item::Offer)) else {
                    return "explain\tUNKNOWN_ID\n".into();
                };
                let explained =
                    case.with(|transaction, profile| self.decider.explain(transaction, profile, item));
                why(&explained.expect("a request within the limits"))
            }
        }
    }
}

fn number(text: &str) -> i64 {
    text.parse().unwrap_or_else(|_| panic!("{text} is no number"))
}

fn kind(code: &str) -> Option<LiveKind> {
    [None, Some(LiveKind::Product), Some(LiveKind::Offer), Some(LiveKind::Partner)][number(code) as usize]
}

/// A change of one field; without a value the overlay forgets it.
fn change(field: &str, value: &str) -> Change {
    let given = Some(value).filter(|value| !value.is_empty());
    let yes = Some(value == "1");
    let mut change = Change::default();
    match field {
        "stock" => change.stock = Some(given.map(|units| number(units) as u32)),
        "price" => {
            let (price, at) = value.split_once(' ').unwrap_or(("", "0"));
            change.price = Some(Some(price).filter(|price| !price.is_empty()).map(number));
            change.priced_at_ms = number(at);
        }
        "bid" => change.bid = Some(given.map(number)),
        "daily" => change.daily = Some(given.map(|limit| number(limit) as u64)),
        "total" => change.total = Some(given.map(|limit| number(limit) as u64)),
        "pacing" => change.pacing = Some(given.map(pacing)),
        "paused" => change.paused = yes,
        "killed" => change.killed = yes,
        "money" => change.money = yes,
        "utc_offset" => change.utc_offset_minutes = Some(number(value) as i16),
        _ => panic!("{field}: no such field"),
    }
    change
}

fn pacing(text: &str) -> Pacing {
    let weights = || text.split(',').map(|weight| number(weight) as u32).collect();
    if text == "even" { Pacing::even() } else { Pacing { weights: weights() } }
}

fn look(live: &Live, kind: Option<LiveKind>, id: &str, now_ms: i64) -> String {
    let of_kind = match live.kind_of(kind, id) {
        Ok(kind) => kind,
        Err(error) => return live_status(&error).into(),
    };
    if of_kind == LiveKind::Product {
        let state = live.product(id).expect("it is known");
        let stock = state.stock.map_or(-1, i64::from);
        let (paused, killed) = (u8::from(state.paused), u8::from(state.killed));
        let (price, at) = (state.price.unwrap_or(-1), state.priced_at_ms);
        return format!(
            "OK\t1\t{paused}\t{killed}\t{stock}\t0\t0\t0\t0\t0\t{price}\t{at}\t-1\t-1\t-1\t0\t0\t0"
        );
    }
    let state = live.account_of(of_kind, id, now_ms).expect("it is known");
    let limit = |limit: Option<u64>| limit.map_or(-1, u64::cast_signed);
    format!(
        "OK\t{}\t{}\t{}\t-1\t{}\t{}\t{}\t{}\t{}\t-1\t0\t{}\t{}\t{}\t{}\t{}\t{}",
        if of_kind == LiveKind::Offer { 2 } else { 3 },
        u8::from(state.paused),
        u8::from(state.killed),
        state.utc_offset_minutes,
        u8::from(state.money),
        u8::from(state.paced),
        state.throttle_ppm,
        state.outstanding,
        state.bid.unwrap_or(-1),
        limit(state.daily),
        limit(state.total),
        state.spent_today,
        state.spent,
        state.reserved
    )
}

fn why(explained: &Explanation) -> String {
    let reasons: Vec<String> = explained.reasons.iter().map(|reason| reason.code().to_string()).collect();
    let because = explained.because;
    let mut text = format!(
        "explain\tOK\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
        explained.position.map_or(-1, i32::from),
        because.map_or(0, |because| because.relation as u8),
        because.and_then(|because| because.line).map_or(-1, i32::from),
        explained.relevance,
        explained.p_accept_ppm,
        explained.ev_micros,
        reasons.join(",")
    );
    for rule in &explained.rules {
        let _ = writeln!(text, "rule\t{rule}");
    }
    for each in &explained.contributions {
        let _ = writeln!(text, "feature\t{}\t{}\t{}", each.feature, each.value, each.weight);
    }
    text
}

fn lease_status(error: &LeaseError) -> &'static str {
    match error {
        LeaseError::Empty => "BUDGET_EMPTY",
        LeaseError::AllOut => "LEASES_OUT",
        LeaseError::Paused => "PAUSED",
        LeaseError::Gone => "LEASE_GONE",
        LeaseError::Foreign => "LEASE_FOREIGN",
        _ => "BAD_VALUE",
    }
}

fn live_status(error: &LiveError) -> &'static str {
    match error {
        LiveError::UnknownId { .. } => "UNKNOWN_ID",
        LiveError::Ambiguous { .. } | LiveError::Value { .. } => "BAD_VALUE",
        other => panic!("{other}"),
    }
}

fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/conformance").join(name)
}

/// The shop's catalog, built anew where answers are recorded anew.
fn shop() -> PathBuf {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        if std::env::var_os("AFTERCART_BLESS").is_some() {
            fs::write(path("shop.aftercart"), catalog()).expect("it writes");
        }
    });
    path("shop.aftercart")
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
            "offer\t{}\t{item_kind}\t{item_row}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}",
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
            offer.price.unwrap_or(-1),
            offer.accept.code(),
            engine.title(offer.item),
            engine.category(offer.item),
            engine.partner(offer.item),
        );
    }
    text
}
