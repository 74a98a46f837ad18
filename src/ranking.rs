//! How well a candidate fits what was bought, how likely it is accepted, and what that is worth. All integers.

use crate::bought::Line;
use crate::context::Context;
use crate::distance::Kernel;
use crate::features::{self, Feature, Features, Learnt, log2_q8};
use crate::index::View;
use crate::index::format::{CALIBRATION_STEPS, Head, OfferRecord, ProductRecord, trigger};
use crate::limits::DIM_MAX;
use crate::offer::{Item, ProductIx};
use crate::scratch::{Candidate, PooledType};
use crate::transaction::Repeat;

/// Who is asked about what.
pub(crate) fn head(context: &Context<'_>) -> Head {
    match (context.past.is_empty(), context.transaction.placement.repeat) {
        (true, _) => Head::Anonymous,
        (false, Repeat::Allowed) => Head::Known,
        (false, Repeat::Never) => Head::FirstTime,
    }
}

/// Greatest score, in thousandths of a nat: how much likelier a product is than another one.
pub(crate) const SCORE_MAX: i32 = CALIBRATION_STEPS as i32 * SCORE_STEP - 1;
/// Score that one step of the calibration table spans.
pub(crate) const SCORE_STEP: i32 = 256;

/// Score of a product of which nothing speaks for or against.
pub(crate) const SCORE_ZERO: i32 = SCORE_MAX / 2;

/// Fit in thousandths: what the floor looks at. Popularity and taste do not count: what is common anyway is no complement. A
/// refill fits by its rhythm. Vectors that no type speaks for may be a few households' habit, so they count for less.
fn relevance(f: &Features) -> u16 {
    let fit = 5 * f.get(Feature::BasketCosine) + 2 * f.get(Feature::TypeLift);
    let fit = match (f.get(Feature::TypeLift) > 0, f.ordered) {
        (true, _) => fit,
        (false, true) => fit * 4 / 5,
        (false, false) => 0,
    };
    (fit.max(f.bought_before) / 8).clamp(0, 1000) as u16
}

/// What makes a type worth asking for products.
pub(crate) fn type_worth(kind: &PooledType) -> u64 {
    log2_q8(kind.lift_q8) as u64 * f64::from(kind.probability_ppm).sqrt() as u64
}

/// Scores a product and finds the line behind it.
pub(crate) fn score_product(
    context: &Context<'_>,
    kernel: Kernel,
    learnt: Learnt<'_>,
    record: &ProductRecord,
    candidate: &mut Candidate,
) {
    if let Item::Product(ProductIx(product)) = candidate.item {
        candidate.near = features::near(context, kernel, learnt.asked, product);
        score_near(context, kernel, learnt, record, candidate);
    }
}

/// As [`score_product`], where `candidate.near` is known.
#[inline]
pub(crate) fn score_near(
    context: &Context<'_>,
    kernel: Kernel,
    learnt: Learnt<'_>,
    record: &ProductRecord,
    candidate: &mut Candidate,
) {
    let Item::Product(ProductIx(product)) = candidate.item else {
        return;
    };
    let (features, line, relation) = features::of_near(context, learnt, candidate.near, product, record);
    (candidate.relation, candidate.line) = (relation, line);
    let head = head(context);
    candidate.relevance = relevance(&features);
    let sum = context.view.ranker.sum(kernel, head, &features);
    candidate.score = (i64::from(SCORE_ZERO) + sum).clamp(0, SCORE_MAX.into()) as i32;
    candidate.p_accept_ppm = p_accept_ppm(&context.view, head, candidate.score);
    candidate.value = product_value(context, record, candidate.price.unwrap_or(record.price.get()));
    candidate.ev_micros = expected(candidate.p_accept_ppm, candidate.value);
}

/// Thousandths: how closely what triggers an offer names what was bought.
pub(crate) fn relevance_of(trigger_kind: u32) -> u16 {
    match trigger_kind {
        trigger::PRODUCT | trigger::CONTENT_OWN => 1000,
        trigger::ANSWER => 900,
        trigger::CATEGORY | trigger::CONTENT_KEPT | trigger::CONTENT_CATEGORY => 700,
        trigger::BRAND => 600,
        _ => 300,
    }
}

/// Scores an offer that is not a product: its relevance is how closely it names what was bought.
pub(crate) fn score_offer(record: &OfferRecord, trigger_kind: u32, candidate: &mut Candidate) {
    candidate.relevance = relevance_of(trigger_kind);
    candidate.house = record.house == 1;
    candidate.p_accept_ppm = record.accept_rate_ppm.get().min(1_000_000);
    candidate.value = record.payout.get().clamp(0, i64::MAX / 1_000_000);
    candidate.ev_micros = expected(candidate.p_accept_ppm, candidate.value);
}

/// Probability of acceptance behind a score: between the steps of the head's table, linear.
fn p_accept_ppm(view: &View<'_>, head: Head, score: i32) -> u32 {
    let start = head as usize * CALIBRATION_STEPS;
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
fn product_value(context: &Context<'_>, record: &ProductRecord, price: i64) -> i64 {
    let view = &context.view;
    let typical = view.typical_contribution;
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
pub(crate) fn expected(p_ppm: u32, value: i64) -> i64 {
    value.saturating_mul(p_ppm.into())
}

/// The direction of some lines as a whole, written to `out`.
pub(crate) fn mean_row<'a>(view: &View<'_>, lines: impl Iterator<Item = &'a Line>, out: &mut [i8]) {
    let mut sum = [0i32; DIM_MAX];
    for line in lines {
        add_row(&mut sum, view.in_vector(line.asks_as), 1);
    }
    write_direction(view, &sum, out);
}

/// The direction of the earlier purchases, each product once with the logarithm of its number; `false` where there are none.
pub(crate) fn taste_row(context: &Context<'_>, out: &mut [i8]) -> bool {
    if context.past.is_empty() {
        return false;
    }
    let mut sum = [0i32; DIM_MAX];
    for past in context.past.iter().filter(|past| !past.sensitive) {
        // At most 1,024 products, 8 bits of weight, 8 of value: 26 bits.
        let weight = (features::often(past) / 16).min(255);
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
