//! How well a candidate fits what was bought, how likely it is accepted, and what that is worth. All integers.

use crate::context::{Context, Line, Past};
use crate::distance::Kernel;
use crate::index::View;
use crate::index::format::{CALIBRATION_STEPS, OfferRecord, ProductRecord, trigger};
use crate::limits::DIM_MAX;
use crate::offer::{Item, ProductIx, Relation};
use crate::scratch::{Candidate, Learnt, NO_LINE, PooledType};

/// What is known of a product candidate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Features {
    /// Similarity of the basket's IN vectors and the product's OUT vector, thousandths: fourth root of the sum of fourth
    /// powers over the lines, between their maximum and their sum.
    pub(crate) basket_cosine: i32,
    /// log2 of the greatest type lift, in 1/256; 0 where the type does not go with anything bought.
    pub(crate) type_lift_log_q8: i32,
    /// Probability that any of the lines brings the type, thousandths.
    pub(crate) type_probability: i32,
    /// log2(1 + customers), in 1/256.
    pub(crate) popularity_log_q8: i32,
    /// log2(1 + earlier purchases of the type), in 1/256.
    pub(crate) type_history_log_q8: i32,
    /// Similarity to the direction of the earlier purchases, thousandths; may be negative.
    pub(crate) taste_cosine: i32,
    /// [`bought_before`]; 0 where never.
    pub(crate) bought_before: i32,
    /// Whether any orders stand behind the similarity: else it is mere likeness of category, brand or text.
    pub(crate) ordered: bool,
    /// Whether the customer has a history.
    pub(crate) known_customer: bool,
}

impl Features {
    /// Name and value of each, for people.
    pub(crate) fn named(&self) -> Vec<(&'static str, i32)> {
        vec![
            ("basket_cosine", self.basket_cosine),
            ("type_lift_log_q8", self.type_lift_log_q8),
            ("type_probability", self.type_probability),
            ("popularity_log_q8", self.popularity_log_q8),
            ("type_history_log_q8", self.type_history_log_q8),
            ("taste_cosine", self.taste_cosine),
            ("bought_before", self.bought_before),
            ("ordered", self.ordered.into()),
        ]
    }

    /// How much the basket speaks for the product.
    fn basket(&self) -> i32 {
        self.fit() + self.type_probability / 2
    }

    /// How well the product fits the basket: what is common anyway does not count.
    fn fit(&self) -> i32 {
        5 * self.basket_cosine + 2 * self.type_lift_log_q8
    }
}

/// Thousandths of a nat: how much likelier this product is than another one. The weights were chosen on held-out orders of a
/// grocer. A customer with a history is known better by it than by one basket, so the basket weighs less then.
pub(crate) fn score(f: &Features) -> i32 {
    let score = if f.known_customer {
        f.basket() / 2
            + 3 * f.popularity_log_q8 / 4
            + f.type_history_log_q8
            + 2 * f.taste_cosine
            + f.bought_before
    } else {
        f.basket() + 3 * f.popularity_log_q8 / 8
    };
    score.clamp(0, SCORE_MAX)
}

/// Greatest score.
pub(crate) const SCORE_MAX: i32 = CALIBRATION_STEPS as i32 * SCORE_STEP - 1;
/// Score that one step of the calibration table spans.
pub(crate) const SCORE_STEP: i32 = 256;

/// Fit in thousandths: what the floor looks at. Popularity and taste do not count; a refill fits by its rhythm. Vectors that
/// no type speaks for may be a few households' habit, so they count for less.
fn relevance(f: &Features) -> u16 {
    let fit = match (f.type_lift_log_q8 > 0, f.ordered) {
        (true, _) => f.fit(),
        (false, true) => f.fit() * 4 / 5,
        (false, false) => 0,
    };
    (fit.max(f.bought_before) / 8).clamp(0, 1000) as u16
}

/// Weight of earlier purchases of a product: how often and how lately.
pub(crate) fn bought_before(past: &Past) -> i32 {
    2000 + 8 * log2_q8((past.times.min(1 << 20) + 1) << 8) + past.recency.min(20_000) as i32
}

/// What makes a type worth asking for products.
pub(crate) fn type_worth(kind: &PooledType) -> u64 {
    log2_q8(kind.lift_q8) as u64 * f64::from(kind.probability_ppm).sqrt() as u64
}

/// log2 of a number in 1/256, in 1/256; 0 for 1 and below. Linear between powers of two.
pub(crate) fn log2_q8(value_q8: u32) -> i32 {
    if value_q8 <= 256 {
        return 0;
    }
    let whole = value_q8.ilog2();
    let fraction = (u64::from(value_q8) << 8 >> whole) as i32 - 256;
    (whole as i32 - 8) * 256 + fraction
}

/// Scores a product and finds the line behind it.
pub(crate) fn score_product(
    context: &Context<'_>,
    kernel: Kernel,
    learnt: Learnt<'_>,
    record: &ProductRecord,
    candidate: &mut Candidate,
) {
    let Item::Product(ProductIx(product)) = candidate.item else {
        return;
    };
    let (features, line, relation) = product_features(context, kernel, learnt, product, record);
    (candidate.relation, candidate.line) = (relation, line);
    candidate.relevance = relevance(&features);
    candidate.score = score(&features);
    candidate.p_accept_ppm = p_accept_ppm(&context.view, features.known_customer, candidate.score);
    candidate.value = product_value(context, record);
    candidate.ev_micros = expected(candidate.p_accept_ppm, candidate.value);
}

/// The features of a product, the bought line that leads to it most, and how.
pub(crate) fn product_features(
    context: &Context<'_>,
    kernel: Kernel,
    work: Learnt<'_>,
    product: u32,
    record: &ProductRecord,
) -> (Features, u16, Relation) {
    let view = &context.view;
    let row = view.out_vector(product).unwrap_or(&[]);
    let unit = i64::from(view.unit_dot);
    let similarity = |asked: &[i8]| i64::from(kernel.dot(asked, row)) * 1000 / unit;
    let (mut best, mut best_line, mut sum) = (0i64, NO_LINE, 0u64);
    for line in context.asking {
        let near = similarity(view.in_vector(line.asks_as).unwrap_or(&[])).clamp(0, 1000);
        sum += (near as u64).pow(4);
        if near > best || best_line == NO_LINE {
            (best, best_line) = (near, line.number);
        }
    }
    let kind = record.type_ix.get();
    let pooled = work.pooled;
    let goes_with = pooled.binary_search_by_key(&kind, |p| p.to).ok().and_then(|at| pooled.get(at));
    let past = context.past_of(product);
    let features = Features {
        basket_cosine: fourth_root(sum),
        type_lift_log_q8: goes_with.map_or(0, |p| log2_q8(p.lift_q8)),
        type_probability: goes_with.map_or(0, |p| (p.probability_ppm.min(1_000_000) / 1000) as i32),
        popularity_log_q8: record.popularity_log_q8.get().into(),
        type_history_log_q8: log2_q8((context.past_of_type(kind) as u32 + 1) << 8),
        taste_cosine: work.taste.map_or(0, |taste| similarity(taste).clamp(-1000, 1000) as i32),
        bought_before: past.map_or(0, bought_before),
        ordered: context.asking_ordered && view.was_bought(kind),
        known_customer: !context.past.is_empty(),
    };
    let (line, relation) = match (past, goes_with) {
        (Some(_), _) => (NO_LINE, Relation::Refill),
        (None, Some(pooled)) => (pooled.line, Relation::GoesWithType),
        (None, None) => (best_line, Relation::BoughtTogether),
    };
    (features, line, relation)
}

/// Whole part of the fourth root of a sum of at most 512 fourth powers of thousandths. IEEE 754 wants square roots rounded
/// correctly, and the sums are below 2^52: the same on every machine, in a fraction of the time of integer roots.
fn fourth_root(sum: u64) -> i32 {
    (sum as f64).sqrt().floor().sqrt() as i32
}

/// Scores an offer that is not a product: its relevance is how closely it names what was bought.
pub(crate) fn score_offer(record: &OfferRecord, trigger_kind: u32, candidate: &mut Candidate) {
    candidate.relevance = match trigger_kind {
        trigger::PRODUCT => 1000,
        trigger::ANSWER => 900,
        trigger::CATEGORY => 700,
        trigger::BRAND => 600,
        _ => 300,
    };
    candidate.house = record.house == 1;
    candidate.p_accept_ppm = record.accept_rate_ppm.get().min(1_000_000);
    candidate.value = record.payout.get().clamp(0, i64::MAX / 1_000_000);
    candidate.ev_micros = expected(candidate.p_accept_ppm, candidate.value);
}

/// Probability of acceptance behind a score: between the steps of the catalog's table, linear. Customers with a history
/// have their own table, since their scores mean something else.
fn p_accept_ppm(view: &View<'_>, known_customer: bool, score: i32) -> u32 {
    let start = if known_customer { CALIBRATION_STEPS } else { 0 };
    let table = view.calibration.get(start..).unwrap_or(&[]);
    let at = score.clamp(0, SCORE_MAX);
    let (step, within) = ((at / SCORE_STEP) as usize, i64::from(at % SCORE_STEP));
    let value = |step: usize| {
        table.get(step).filter(|_| step < CALIBRATION_STEPS).map(|p| i64::from(p.get().min(1_000_000)))
    };
    let here = value(step).unwrap_or(0);
    let next = value(step + 1).unwrap_or(here).max(here);
    (here + (next - here) * within / i64::from(SCORE_STEP)) as u32
}

/// What an accepted product earns, minor units.
fn product_value(context: &Context<'_>, record: &ProductRecord) -> i64 {
    let view = &context.view;
    let typical = view.typical_contribution;
    let price = record.price.get();
    if !context.policy.value_by_margin || price < 0 {
        return typical.clamp(0, i64::MAX / 1_000_000);
    }
    let own = record.margin_bps.get();
    let bps = if own == u16::MAX { view.margin_bps } else { own.into() };
    (price / 10_000)
        .saturating_mul(bps.into())
        .saturating_add(price % 10_000 * i64::from(bps) / 10_000)
        .clamp(0, i64::MAX / 1_000_000)
}

/// `p * value`, in millionths of a minor unit.
fn expected(p_ppm: u32, value: i64) -> i64 {
    value.saturating_mul(p_ppm.into())
}

/// The direction of a basket as a whole, written to `out`.
pub(crate) fn mean_row(view: &View<'_>, lines: &[Line], out: &mut [i8]) {
    let mut sum = [0i32; DIM_MAX];
    for line in lines {
        add_row(&mut sum, view.in_vector(line.asks_as), 1);
    }
    write_direction(view, &sum, out);
}

/// The direction of the earlier purchases, each product once with the logarithm of its number; `false` where there are none.
pub(crate) fn taste_row(context: &Context<'_>, out: &mut [i8]) -> bool {
    let mut sum = [0i32; DIM_MAX];
    for past in context.past {
        // At most 1,024 products, 8 bits of weight, 8 of value: 26 bits.
        let weight = (log2_q8((past.times.min(255) + 1) << 8) / 16).min(255);
        add_row(&mut sum, context.view.in_vector(past.product), weight);
    }
    write_direction(&context.view, &sum, out);
    sum.iter().any(|value| *value != 0)
}

fn add_row(sum: &mut [i32; DIM_MAX], row: Option<&[i8]>, weight: i32) {
    for (total, value) in sum.iter_mut().zip(row.unwrap_or(&[])) {
        *total += i32::from(*value) * weight;
    }
}

/// Scales a sum of rows to the length of one row.
fn write_direction(view: &View<'_>, sum: &[i32; DIM_MAX], out: &mut [i8]) {
    let squares: u64 = sum.iter().map(|v| u64::from(v.unsigned_abs()).pow(2)).sum();
    let (length, unit) = (squares.isqrt().max(1) as i64, u64::from(view.unit_dot).isqrt() as i64);
    for (value, total) in out.iter_mut().zip(sum) {
        *value = (i64::from(*total) * unit / length).clamp(-127, 127) as i8;
    }
}
