//! What is measured. Each scenario asks [`REQUESTS`] different requests, always the same ones.

use std::path::Path;
use std::sync::Arc;

use aftercart::experiment::{Arm, Experiment, Explore, Holdout, Shows};
use aftercart::index::{AllowList, Effort, Nearest};
use aftercart::live::{Change, LiveKind, Pacing};
use aftercart::policy::{Names, SensitiveRule};
use aftercart::record::ring;
use aftercart::vocabulary::{OfferKind, SensitiveClass};
use aftercart::{Decider, Engine, Live, OpenOptions, Placement, Policy, Prefault, SearchCounters, Verify};

use crate::callgrind::counted_region;
use crate::common::{DAY, NOW, OwnedLine, Request, Rng};
use crate::counting::counted;
use crate::shop;

/// Requests of a scenario.
pub(crate) const REQUESTS: u64 = 64;
/// Neighbours that a search is to find.
const NEIGHBOURS: usize = 10;

/// The catalog, opened.
pub(crate) struct Bench {
    pub(crate) engine: Arc<Engine>,
    /// Whether to compare searches with the truth, which takes longer than they do.
    truth: bool,
}

impl Bench {
    pub(crate) fn open(catalog: &Path, truth: bool) -> Self {
        // Read whole: what decisions note for the thread that reads ahead would be counted or not, as the thread is quick.
        let options =
            OpenOptions { verify: Verify::Structure, prefault: Prefault::Whole, ..OpenOptions::default() };
        let engine = Arc::new(Engine::open(catalog, options).expect("it was just written"));
        Self { engine, truth }
    }
}

/// Sums over the requests of a scenario.
#[derive(Default)]
pub(crate) struct Totals {
    /// Centroids, cells, products, reranked.
    pub(crate) search: [u64; 4],
    /// True neighbours found, and how many there were; `None` where nothing is to be found.
    pub(crate) found: u64,
    pub(crate) wanted: Option<u64>,
    /// Calls of the heap.
    pub(crate) allocations: u64,
    /// Offers shown; `None` where nothing is to be shown.
    pub(crate) offers: Option<u64>,
}

impl Totals {
    /// Does the work that counts.
    fn count<R>(&mut self, work: impl FnOnce() -> R) -> R {
        let (result, taken, given) = counted(|| counted_region(work));
        self.allocations += taken + given;
        result
    }

    fn add(&mut self, done: SearchCounters) {
        let done = [done.centroids, done.cells, done.products, done.reranked];
        self.search.iter_mut().zip(done).for_each(|(total, more)| *total += u64::from(more));
    }
}

/// Name, calls of the heap that belong to a request, and the work.
pub(crate) type Scenario = (&'static str, u64, fn(&Bench) -> Totals);

/// All scenarios, in the order of the record.
pub(crate) const SCENARIOS: &[Scenario] = &[
    // Takes memory and gives it back: shows that calls of the heap are seen at all.
    ("control", 2, |_| control()),
    ("search-tuned", 0, |bench| search(bench, bench.engine.effort(), 100)),
    ("search", 0, |bench| search(bench, PLAIN, 100)),
    ("search-hard", 0, |bench| search(bench, HARD, 100)),
    ("search-half", 0, |bench| search(bench, PLAIN, 50)),
    ("search-tenth", 0, |bench| search(bench, PLAIN, 10)),
    ("search-hundredth", 0, |bench| search(bench, PLAIN, 1)),
    ("search-exact", 0, |bench| search(bench, Effort::EXACT, 100)),
    ("decide-1-line", 0, |bench| decide(bench, &Policy::default(), |rng| basket(rng, 1))),
    ("decide-3-lines", 0, |bench| decide(bench, &Policy::default(), |rng| basket(rng, 3))),
    ("decide-10-lines", 0, |bench| decide(bench, &Policy::default(), |rng| basket(rng, 10))),
    ("decide-20-rules", 0, |bench| decide(bench, &twenty_rules(), |rng| basket(rng, 3))),
    ("decide-few-allowed", 0, |bench| decide(bench, &few_allowed(), |rng| basket(rng, 3))),
    ("decide-history", 0, |bench| decide(bench, &Policy::default(), with_history)),
    ("decide-gift", 0, |bench| decide(bench, &Policy::default(), gift)),
    ("decide-live", 0, decide_live),
    ("decide-logged", 0, |bench| decide_logged(bench, 3)),
    ("decide-1-logged", 0, |bench| decide_logged(bench, 1)),
    ("decide-explored", 0, |bench| decide(bench, &explored(), |rng| basket(rng, 3))),
    ("decide-unknown", 0, |bench| decide(bench, &Policy::default(), unknown)),
];

/// As usual. Fixed, since the builder tunes: it makes up for a search that finds less by one that costs more.
const PLAIN: Effort = Effort { visits: 1024, rerank: 48 };
/// Far more than the builder found necessary.
const HARD: Effort = Effort { visits: 8192, rerank: 512 };

fn control() -> Totals {
    let mut totals = Totals::default();
    for _ in 0..REQUESTS {
        totals.count(|| drop(std::hint::black_box(Vec::<u8>::with_capacity(100))));
    }
    totals
}

/// The vector search by itself, where so many percent of the products are allowed, scattered.
fn search(bench: &Bench, effort: Effort, percent: usize) -> Totals {
    let mut nearest = Nearest::new(Arc::clone(bench.engine.catalog()));
    let mut bits = vec![0u64; shop::PRODUCTS.div_ceil(64) as usize];
    for ix in (0..shop::PRODUCTS).filter(|ix| shop::stream(20, *ix).chance(percent)) {
        bits[ix as usize / 64] |= 1 << (ix % 64);
    }
    let allowed = nearest.allow(bits);
    let mut totals = Totals { wanted: bench.truth.then_some(0), ..Totals::default() };
    for number in 0..REQUESTS as u32 {
        let query = shop::query(shop::bought(&mut shop::stream(21, number)));
        let mut found = [None; NEIGHBOURS];
        totals.count(|| {
            let hits = nearest.find(&query, &allowed, effort, NEIGHBOURS);
            found.iter_mut().zip(hits).for_each(|(slot, hit)| *slot = Some(hit));
        });
        totals.add(nearest.counters());
        if let Some(wanted) = &mut totals.wanted {
            let truth: Vec<_> = exact(&mut nearest, &query, &allowed);
            *wanted += truth.len() as u64;
            totals.found += truth.iter().filter(|hit| found.contains(&Some(**hit))).count() as u64;
        }
    }
    totals
}

fn exact(nearest: &mut Nearest, query: &[i16], allowed: &AllowList) -> Vec<aftercart::ProductIx> {
    nearest.find(query, allowed, Effort::EXACT, NEIGHBOURS).collect()
}

/// Whole decisions.
fn decide(bench: &Bench, policy: &Policy, request: impl Fn(&mut Rng) -> Request) -> Totals {
    let engine = bench.engine.with_policy(policy).expect("it names what is there");
    decide_with(engine, request)
}

/// With an overlay that says something of every product and offer, a tenth of it against them.
fn decide_live(bench: &Bench) -> Totals {
    let folder = tempfile::tempdir().expect("a folder");
    let catalog = bench.engine.catalog();
    let live = Live::create(folder.path().join("live"), catalog, None).expect("it is made");
    let mut edit = live.edit().expect("a lock");
    for product in 0..shop::PRODUCTS {
        let mut rng = shop::stream(23, product);
        let stock = Some(Some(u32::from(!rng.chance(10))));
        let price = Some(Some(100 + rng.below(9_900) as i64));
        let change = Change { stock, price, priced_at_ms: NOW, ..Change::default() };
        edit.set(Some(LiveKind::Product), &shop::id(product), &change, NOW).expect("known");
    }
    for (number, account) in live.status(NOW).iter().enumerate() {
        let daily = Some(Some(if number % 10 == 0 { 0 } else { 1_000 }));
        let change = Change { daily, pacing: Some(Some(Pacing::even())), ..Change::default() };
        edit.set(Some(account.kind), &account.id, &change, NOW).expect("known");
    }
    drop(edit);
    let mut policy = Policy::default();
    policy.live.price_max_age_minutes = 60;
    let engine = bench.engine.with_policy(&policy).expect("it names what is there");
    decide_with(engine.with_live(Arc::new(live)).expect("it is bound"), |rng| basket(rng, 3))
}

/// With a record of each decision in a ring, and the policy's work for it.
fn decide_logged(bench: &Bench, lines: usize) -> Totals {
    let (writer, _reader) = ring::in_memory(REQUESTS as usize);
    let mut decider = Decider::new(Arc::new(bench.engine.with_policy(&Policy::default()).expect("no names")));
    decider.record_to(Some(writer));
    decide_by(&mut decider, |rng| basket(rng, lines))
}

/// In two experiments beside a holdout, with slates that are drawn.
fn explored() -> Policy {
    let arm = |name: &str, range| Arm { name: name.into(), range, ..Arm::default() };
    let halves = || vec![arm("a", [0, 5_000]), arm("b", [5_000, 10_000])];
    let experiment = |id: &str| Experiment { id: id.into(), arms: halves(), ..Experiment::default() };
    Policy {
        holdout: Holdout { buckets: 100, shows: Shows::Nothing, ..Holdout::default() },
        experiments: vec![experiment("one"), experiment("two")],
        explore: Explore { best: 24, temperature: 1.0, epsilon: 0.1, seed: 1 },
        ..Policy::default()
    }
}

fn decide_with(engine: Engine, request: impl Fn(&mut Rng) -> Request) -> Totals {
    decide_by(&mut Decider::new(Arc::new(engine)), request)
}

fn decide_by(decider: &mut Decider, request: impl Fn(&mut Rng) -> Request) -> Totals {
    let (mut totals, mut shown) = (Totals::default(), 0);
    for number in 0..REQUESTS as u32 {
        request(&mut shop::stream(22, number)).with(|transaction, profile| {
            let offers = totals.count(|| decider.decide(transaction, profile));
            let offers = offers.expect("within the limits");
            totals.add(offers.counters.search);
            shown += offers.slate().len() as u64;
        });
    }
    Totals { offers: Some(shown), ..totals }
}

/// Some units of so many products.
fn basket(rng: &mut Rng, lines: usize) -> Request {
    let line = |rng: &mut Rng| OwnedLine {
        item_id: shop::id(shop::bought(rng)),
        quantity: 1 + rng.below(2) as u32,
        unit_price: Some(100 + rng.below(9_900) as i64),
        ..OwnedLine::default()
    };
    let lines = (0..lines).map(|_| line(rng)).collect();
    Request { lines, placement: Placement { slots: 12, ..Placement::default() }, ..Request::of(&[]) }
}

/// A customer with 50 past purchases, some products more than once, and some declines.
fn with_history(rng: &mut Rng) -> Request {
    let known: Vec<u32> = (0..15).map(|_| shop::bought(rng)).collect();
    let purchases = (0..50).map(|at| (shop::id(*rng.pick(&known)), NOW - (250 - 5 * at) * DAY)).collect();
    let declines = (0..5).map(|day| (shop::id(shop::bought(rng)), NOW - day * DAY)).collect();
    Request { purchases, declines, ..basket(rng, 3) }
}

fn gift(rng: &mut Rng) -> Request {
    Request { is_gift: true, ..basket(rng, 3) }
}

/// Products that the catalog does not know, of categories that it knows.
fn unknown(rng: &mut Rng) -> Request {
    let mut request = basket(rng, 3);
    for line in &mut request.lines {
        line.item_id.insert_str(0, "unknown-");
        line.category = shop::path(rng.below(shop::LEAVES as usize) as u32);
    }
    request
}

/// What a merchant with opinions writes: 20 rules that leave most products.
fn twenty_rules() -> Policy {
    let marked = |n: u32| SensitiveRule {
        category: shop::path(100 + n),
        class: SensitiveClass::ALL[1 + n as usize],
        age_min: if n == 0 { 18 } else { 0 },
    };
    Policy {
        suppress: Names {
            categories: [shop::root(3), shop::path(20), shop::path(37), shop::path(54)].into(),
            brands: (7..11).map(shop::brand).collect(),
            partners: vec!["partner-1".into()],
            products: (0..5).map(|n| shop::id(n * 40)).collect(),
            offers: vec!["offer-5".into(), "offer-12".into()],
            kinds: vec![OfferKind::Warranty],
            ..Names::default()
        },
        taxonomy: Some("merchant".into()),
        sensitive: (0..3).map(marked).collect(),
        ..Policy::default()
    }
}

/// About one product in a hundred, in a few leaves.
fn few_allowed() -> Policy {
    Policy {
        allow_only: Names { categories: [40, 90, 150].map(shop::path).into(), ..Names::default() },
        taxonomy: Some("merchant".into()),
        ..Policy::default()
    }
}
