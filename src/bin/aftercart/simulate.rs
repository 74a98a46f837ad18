//! `aftercart simulate`: a log of made-up customers over real baskets, with a lift that is known.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aftercart::build::feed::parse_timestamp;
use aftercart::log::{Event, EventKind, Log};
use aftercart::{Answer, DecideError, Decider, Engine, Item, Offer, Offers, Placement, Profile, Transaction};
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
    /// Chance that a customer who saw a page with offers orders something later for it
    #[arg(long, value_name = "CHANCE", default_value_t = 0.0)]
    comes_back: f64,
    /// Share of customers who answer where the page has a question, and are shown another page then. Who sees nothing is not asked,
    /// so what is printed as known leaves out what answers bring
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    answers: f64,
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
const DAY_MS: i64 = 86_400_000;
/// When later orders and returns come.
const LATER_MS: i64 = 9 * DAY_MS;
const RETURNED_MS: i64 = 6 * DAY_MS;
/// Of the logarithm of a later order's minor units: mean and deviation.
const LATER_VALUE: (f64, f64) = (6.0, 0.6);
/// Days after which customers are compared.
const WINDOWS: [i64; 2] = [30, 90];

/// What showing the slates was worth, on average over all decisions, seen or held back.
#[derive(Default)]
struct Truth {
    decisions: u64,
    held: u64,
    gross: f64,
    net: f64,
}

/// What one customer would do within each of [`WINDOWS`] of their first order, shown all slates or none.
#[derive(Clone, Copy)]
struct Followed {
    entered_ms: i64,
    /// Chance that there is no later order: shown none, shown all.
    not_again: [[f64; 2]; WINDOWS.len()],
    /// More net revenue, shown all.
    gained: [f64; WINDOWS.len()],
}

struct World {
    rng: ChaCha8Rng,
    events: Vec<Event>,
    truth: Truth,
    followed: BTreeMap<u128, Followed>,
    comes_back: f64,
}

/// Who decides, and who knows what customers like.
struct Shop<'a> {
    args: &'a Args,
    engine: &'a Engine,
    decider: Decider,
    /// Customers do not know the model: their chances follow from the catalog's p_accept.
    teller: Option<Decider>,
}

/// A decision, and how likely each of its offers is accepted.
struct Page {
    offers: Offers,
    chances: Vec<f64>,
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
    let teller = args.model.is_some().then(|| Decider::new(Arc::clone(&plain)));
    let mut recording = Recording::start(&args.log, &mut decider)?;
    let mut shop = Shop { args, engine: &engine, decider, teller };
    let mut world = World {
        rng: ChaCha8Rng::seed_from_u64(args.seed),
        events: Vec::new(),
        truth: Truth::default(),
        followed: BTreeMap::new(),
        comes_back: args.comes_back,
    };
    let mut newest_ms = start_ms;
    for day in 0..args.days {
        let mut times: Vec<i64> = (0..args.per_day).map(|_| world.rng.random_range(0..DAY_MS)).collect();
        times.sort_unstable();
        for (number, time) in times.into_iter().enumerate() {
            let order = format!("sim-{}-{day}-{number}", args.seed);
            newest_ms = start_ms + i64::from(day) * DAY_MS + time;
            let customer = u128::from(world.rng.random_range(0..args.customers)) + 1;
            let basket = &baskets[world.rng.random_range(0..baskets.len())];
            let page: Result<Page, DecideError> =
                basket.with(Placement::default(), |transaction, profile| {
                    let transaction =
                        Transaction { order_id: &order, created_at_ms: newest_ms, ..*transaction };
                    let profile = Profile { unit_key: Some(customer.to_le_bytes()), ..*profile };
                    let page = shop.page(&transaction, &profile)?;
                    let Some((question, tag)) = shop.answer(&mut world, &transaction, &profile)? else {
                        return Ok(page);
                    };
                    world.answers(&page.offers, newest_ms, &question, &tag);
                    let answers = [Answer { question: &question, tag: &tag }];
                    shop.page(&transaction, &Profile { answers: &answers, ..profile })
                });
            world.live_on(&engine, &page?, customer, newest_ms);
            recording.go_on()?;
        }
        log.add_events(&world.events)?;
        world.events.clear();
    }
    recording.end(&mut shop.decider)?;
    let Truth { decisions, held, gross, net } = world.truth;
    let each = |sum: f64| sum / decisions.max(1) as f64 / 100.0;
    let truth = json!({
        "decisions": decisions, "held_back": held,
        "lift_per_transaction": { "gross": each(gross), "net": each(net) },
        "lift_per_customer": world.after(newest_ms),
    });
    println!("{truth}");
    Ok(())
}

impl Shop<'_> {
    /// Decides, and asks how likely each offer, shown or held back, is accepted.
    fn page(&mut self, transaction: &Transaction<'_>, profile: &Profile<'_>) -> Result<Page, DecideError> {
        let offers = self.decider.decide(transaction, profile)?;
        let first = transaction.lines.first().and_then(|line| self.engine.find_product(line.item_id));
        let beside = first.map_or("", |ix| self.engine.category(Item::Product(ix)));
        let mut chance = |offer: &Offer| {
            let known = match &mut self.teller {
                Some(teller) => teller.explain(transaction, profile, offer.item)?.p_accept_ppm,
                None => offer.p_accept_ppm,
            };
            Ok(self.args.likely(self.engine, offer.item, known, beside, transaction.created_at_ms))
        };
        let slate = if offers.ghost().is_empty() { offers.slate() } else { offers.ghost() };
        let chances = slate.iter().map(&mut chance).collect::<Result<Vec<f64>, DecideError>>()?;
        Ok(Page { offers, chances })
    }

    /// What the customer answers, where the page asks and they do.
    fn answer(
        &mut self,
        world: &mut World,
        transaction: &Transaction<'_>,
        profile: &Profile<'_>,
    ) -> Result<Option<(String, String)>, DecideError> {
        if self.args.answers <= 0.0 || !world.chance(self.args.answers) {
            return Ok(None);
        }
        let Some(next) = self.decider.next_question(transaction, profile)? else { return Ok(None) };
        let tags: Vec<&str> = self.engine.question_answers(next.question).map(|(_, tag)| tag).collect();
        let tag = tags[world.rng.random_range(0..tags.len())];
        Ok(self.engine.question(next.question).map(|(id, _)| (id.to_owned(), tag.to_owned())))
    }
}

impl Args {
    /// How likely a customer accepts an item that they are shown beside a category.
    fn likely(&self, engine: &Engine, item: Item, known_ppm: u32, beside: &str, at_ms: i64) -> f64 {
        let category = engine.category(item);
        let name = if category.is_empty() { engine.id(item) } else { category };
        let angle = std::f64::consts::PI * at_ms as f64 / DAY_MS as f64 / self.drift;
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

    /// A page is seen and its question answered; what comes of it comes of the page that replaces it.
    fn answers(&mut self, offers: &Offers, at_ms: i64, question: &str, tag: &str) {
        self.happens(EventKind::Activated, offers, at_ms, "", None);
        self.happens(EventKind::SurveyAnswered, offers, at_ms + 500, "", None);
        if let Some(event) = self.events.last_mut() {
            (event.question, event.answer) = (question.to_owned(), tag.to_owned());
        }
    }

    /// What becomes of one decision.
    fn live_on(&mut self, engine: &Engine, page: &Page, customer: u128, at_ms: i64) {
        let Page { offers, chances } = page;
        let (slate, held) =
            if offers.ghost().is_empty() { (offers.slate(), false) } else { (offers.ghost(), true) };
        self.truth.decisions += 1;
        self.truth.held += u64::from(held);
        let worth = |(offer, chance): (&Offer, &f64)| {
            SEES_PAGE * chance * (1.0 - CANNOT_BE_CHARGED) * price(offer) as f64
        };
        let worth: f64 = slate.iter().zip(chances).map(worth).sum();
        let returns = if slate.is_empty() { 0.0 } else { SEES_PAGE * self.comes_back };
        let later_value = (LATER_VALUE.0 + LATER_VALUE.1 * LATER_VALUE.1 / 2.0).exp();
        let later = (1.0 - ORDERS_LATER) * returns * later_value;
        self.truth.gross += worth + later;
        self.truth.net += worth * (1.0 - RETURNS) + later;
        self.follow(customer, at_ms, (worth, later), 1.0 - returns);
        let mut again = self.chance(ORDERS_LATER);
        let sees = self.chance(SEES_PAGE);
        if self.comes_back > 0.0 && sees && !offers.slate().is_empty() {
            again |= self.chance(self.comes_back);
        }
        if again {
            let value = (LATER_VALUE.0 + LATER_VALUE.1 * bell(&mut self.rng)).exp() as i64;
            self.happens(EventKind::Ordered, offers, at_ms + LATER_MS, "", Some(value));
        }
        if sees {
            self.happens(EventKind::Activated, offers, at_ms + 1_000, "", None);
            for (offer, chance) in offers.slate().iter().zip(chances) {
                self.meets(engine, offers, offer, *chance, at_ms);
            }
        }
    }

    /// Adds a decision to what its customer would do, shown all slates or none: what its offers and a later order for them
    /// are worth, and the chance that there is no such order.
    fn follow(&mut self, customer: u128, at_ms: i64, (worth, later): (f64, f64), stays: f64) {
        let new = Followed { entered_ms: at_ms, not_again: [[1.0; 2]; 2], gained: [0.0; 2] };
        let own = self.followed.entry(customer).or_insert(new);
        for ((days, not_again), gained) in WINDOWS.iter().zip(&mut own.not_again).zip(&mut own.gained) {
            let until = own.entered_ms + days * DAY_MS;
            if at_ms + LATER_MS <= until {
                not_again[0] *= 1.0 - ORDERS_LATER;
                not_again[1] *= (1.0 - ORDERS_LATER) * stays;
                *gained += later;
            }
            if at_ms <= until {
                let back = if at_ms + RETURNED_MS <= until { RETURNS } else { 0.0 };
                *gained += worth * (1.0 - back);
            }
        }
    }

    /// By how much showing the slates changes customers whose days are over; windows that are over for nobody are left out.
    fn after(&self, newest_ms: i64) -> serde_json::Value {
        let window = |(at, days): (usize, &i64)| {
            let over = || self.followed.values().filter(|own| own.entered_ms + days * DAY_MS <= newest_ms);
            let mean =
                |of: &dyn Fn(&Followed) -> f64| over().map(of).sum::<f64>() / over().count().max(1) as f64;
            let lift = json!({
                "customers": over().count(),
                "ordered_later": mean(&|own| own.not_again[at][0] - own.not_again[at][1]),
                "customer_value": mean(&|own| own.gained[at]) / 100.0,
            });
            (over().count() > 0).then(|| (format!("{days}_days"), lift))
        };
        WINDOWS.iter().enumerate().filter_map(window).collect::<serde_json::Map<_, _>>().into()
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
                self.happens(EventKind::Returned, offers, at_ms + RETURNED_MS, item, value);
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
