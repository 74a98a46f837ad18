//! `aftercart simulate`: a log of made-up customers over real baskets, with a lift that is known.

use std::path::PathBuf;
use std::sync::Arc;

use aftercart::build::feed::parse_timestamp;
use aftercart::log::{Event, EventKind, Log};
use aftercart::{DecideError, Decider, Engine, Item, Offer, Offers, Placement, Profile, Transaction};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::json;
use xxhash_rust::xxh3::xxh3_64;

use crate::Failure;
use crate::log::Recording;
use crate::open;

#[derive(clap::Args)]
#[command(
    after_help = "Baskets, offers, arms and draws are real; what customers do is made up, and the log says so in each event id (\"sim-...\"). The lift is known, and printed: what the report finds can be compared with it."
)]
pub(crate) struct Args {
    /// Catalog file
    #[arg(long, value_name = "FILE")]
    catalog: PathBuf,
    /// A policy instead of the catalog's own: with a holdout or an experiment, or there is nothing to compare
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Orders whose newest baskets are drawn from
    #[arg(long, value_name = "FILE")]
    orders: PathBuf,
    /// How many of them
    #[arg(long, default_value_t = 2000)]
    baskets: usize,
    /// Folder of the log
    #[arg(long, value_name = "DIR")]
    log: PathBuf,
    /// First day
    #[arg(long, value_name = "DATE", default_value = "2026-10-01")]
    start: String,
    /// Days
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Transactions a day
    #[arg(long, default_value_t = 1000)]
    per_day: u32,
    /// Customers that they are of
    #[arg(long, default_value_t = 8000)]
    customers: u32,
    /// How much likelier customers accept what they are shown than they bought it anyway (p_accept)
    #[arg(long, default_value_t = 4.0)]
    accept: f64,
    /// A model that decides, as of `aftercart learn`
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,
    /// How far what customers like is from what the catalog knows: the deviation of the logarithm of each chance, by what is offered
    /// and beside what. 0 = not at all
    #[arg(long, default_value_t = 0.0)]
    taste: f64,
    /// Days after which tastes are the opposite of what they were
    #[arg(long, value_name = "DAYS", default_value_t = 180.0)]
    drift: f64,
    /// Other customers
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// How customers behave: made up.
const SEES_PAGE: f64 = 0.9;
const LOOKS_CLOSER: f64 = 0.08;
const CANNOT_BE_CHARGED: f64 = 0.02;
const RETURNS: f64 = 0.1;
const DISMISSES: f64 = 0.01;
const ORDERS_LATER: f64 = 0.06;

/// What showing the slates was worth, on average over all decisions, seen or held back.
#[derive(Default)]
struct Truth {
    decisions: u64,
    held: u64,
    gross: f64,
    net: f64,
}

struct World {
    rng: ChaCha8Rng,
    events: Vec<Event>,
    truth: Truth,
}

pub(crate) fn run(args: &Args) -> Result<(), Failure> {
    let start_ms = parse_timestamp(&args.start).map_err(|error| format!("--start: {error}"))?;
    let plain = Arc::new(open::engine_under(&args.catalog, open::structure(), args.policy.as_deref())?);
    let engine = Arc::new(open::with_model((*plain).clone(), args.model.as_deref(), false)?);
    let baskets = crate::decide::newest(&args.orders, &engine, args.baskets)?;
    if baskets.is_empty() || args.customers == 0 {
        return Err("no baskets to draw from, or no customers".into());
    }
    let log = Log::open(&args.log)?;
    let mut decider = Decider::new(Arc::clone(&engine));
    // Customers do not know the model: their chances follow from the catalog's p_accept.
    let mut teller = args.model.is_some().then(|| Decider::new(Arc::clone(&plain)));
    let mut recording = Recording::start(&args.log, &mut decider)?;
    let rng = ChaCha8Rng::seed_from_u64(args.seed);
    let mut world = World { rng, events: Vec::new(), truth: Truth::default() };
    for day in 0..args.days {
        let mut times: Vec<i64> = (0..args.per_day).map(|_| world.rng.random_range(0..86_400_000)).collect();
        times.sort_unstable();
        for (number, time) in times.into_iter().enumerate() {
            let (order, at_ms) =
                (format!("sim-{}-{day}-{number}", args.seed), start_ms + i64::from(day) * 86_400_000 + time);
            let customer = u128::from(world.rng.random_range(0..args.customers)) + 1;
            let basket = &baskets[world.rng.random_range(0..baskets.len())];
            let (offers, chances) = basket.with(Placement::default(), |transaction, profile| {
                let transaction = Transaction { order_id: &order, created_at_ms: at_ms, ..*transaction };
                let profile = Profile { unit_key: Some(customer.to_le_bytes()), ..*profile };
                let offers = decider.decide(&transaction, &profile)?;
                let first = transaction.lines.first().and_then(|line| engine.find_product(line.item_id));
                let beside = first.map_or("", |ix| engine.category(Item::Product(ix)));
                let mut chance = |offer: &Offer| {
                    let known = match &mut teller {
                        Some(teller) => teller.explain(&transaction, &profile, offer.item)?.p_accept_ppm,
                        None => offer.p_accept_ppm,
                    };
                    Ok(args.likely(&engine, offer.item, known, beside, at_ms))
                };
                let slate = if offers.ghost().is_empty() { offers.slate() } else { offers.ghost() };
                let chances = slate.iter().map(&mut chance).collect::<Result<Vec<f64>, _>>()?;
                Ok::<_, DecideError>((offers, chances))
            })?;
            world.live_on(&engine, &offers, &chances, at_ms);
            recording.go_on()?;
        }
        log.add_events(&world.events)?;
        world.events.clear();
    }
    recording.end(&mut decider)?;
    let Truth { decisions, held, gross, net } = world.truth;
    let each = |sum: f64| sum / decisions.max(1) as f64 / 100.0;
    let truth = json!({ "decisions": decisions, "held_back": held, "lift_per_transaction": { "gross": each(gross), "net": each(net) } });
    println!("{truth}");
    Ok(())
}

impl Args {
    /// How likely a customer accepts an item that they are shown beside a category.
    fn likely(&self, engine: &Engine, item: Item, known_ppm: u32, beside: &str, at_ms: i64) -> f64 {
        let category = engine.category(item);
        let name = if category.is_empty() { engine.id(item) } else { category };
        let angle = std::f64::consts::PI * at_ms as f64 / 86_400_000.0 / self.drift;
        // Two of each, in a slow turn from the one to the other: normal at any time, and the opposite after `drift` days.
        let liking = |of: &str| {
            let one = |part: &str| {
                bell(&mut ChaCha8Rng::seed_from_u64(xxh3_64(format!("{part}\0{of}").as_bytes())))
            };
            angle.cos() * one("then") + angle.sin() * one("later")
        };
        let both = (liking(name) + liking(&format!("{name}\0{beside}"))) / std::f64::consts::SQRT_2;
        let factor = (self.taste * both - self.taste * self.taste / 2.0).exp();
        (self.accept * factor * f64::from(known_ppm) / 1e6).min(0.9)
    }
}

/// Normally distributed, by Box and Muller.
fn bell(rng: &mut ChaCha8Rng) -> f64 {
    let (a, b) = (1.0 - rng.random::<f64>(), rng.random::<f64>());
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

impl World {
    fn chance(&mut self, share: f64) -> bool {
        self.rng.random::<f64>() < share
    }

    fn happens(&mut self, kind: EventKind, offers: &Offers, at_ms: i64, item: &str, value: Option<i64>) {
        let event_id = format!("sim-{:032x}-{}-{item}", offers.decision_id, kind.name());
        let margin = value.map(|value| value * 3 / 10);
        self.events.push(Event {
            event_id,
            decision_id: offers.decision_id,
            at_ms,
            kind,
            item_id: item.to_owned(),
            value,
            margin,
            payout: None,
            code: String::new(),
            question: String::new(),
            answer: String::new(),
        });
    }

    /// What becomes of one decision.
    fn live_on(&mut self, engine: &Engine, offers: &Offers, chances: &[f64], at_ms: i64) {
        let (slate, held) =
            if offers.ghost().is_empty() { (offers.slate(), false) } else { (offers.ghost(), true) };
        self.truth.decisions += 1;
        self.truth.held += u64::from(held);
        for (offer, chance) in slate.iter().zip(chances) {
            let worth = SEES_PAGE * chance * (1.0 - CANNOT_BE_CHARGED) * price(offer) as f64;
            self.truth.gross += worth;
            self.truth.net += worth * (1.0 - RETURNS);
        }
        // Later orders have nothing to do with the page.
        if self.chance(ORDERS_LATER) {
            let value = (6.0 + 0.6 * bell(&mut self.rng)).exp() as i64;
            self.happens(EventKind::Ordered, offers, at_ms + 9 * 86_400_000, "", Some(value));
        }
        if self.chance(SEES_PAGE) {
            self.happens(EventKind::Activated, offers, at_ms + 1_000, "", None);
            for (offer, chance) in offers.slate().iter().zip(chances) {
                self.meets(engine, offers, offer, *chance, at_ms);
            }
        }
    }

    fn meets(&mut self, engine: &Engine, offers: &Offers, offer: &Offer, likely: f64, at_ms: i64) {
        let (item, value) = (engine.id(offer.item), Some(price(offer)));
        if self.chance(likely) {
            self.happens(EventKind::Engaged, offers, at_ms + 20_000, item, None);
            self.happens(EventKind::Accepted, offers, at_ms + 30_000, item, None);
            if self.chance(CANNOT_BE_CHARGED) {
                self.happens(EventKind::AcceptFailed, offers, at_ms + 31_000, item, None);
                return;
            }
            self.happens(EventKind::Converted, offers, at_ms + 32_000, item, value);
            if self.chance(RETURNS) {
                self.happens(EventKind::Returned, offers, at_ms + 6 * 86_400_000, item, value);
            }
        } else if self.chance(LOOKS_CLOSER) {
            self.happens(EventKind::Engaged, offers, at_ms + 20_000, item, None);
        } else if self.chance(DISMISSES) {
            self.happens(EventKind::Dismissed, offers, at_ms + 20_000, item, None);
        }
    }
}

/// What an accepted offer brings in.
fn price(offer: &Offer) -> i64 {
    offer.price.unwrap_or(offer.value)
}
