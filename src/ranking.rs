//! How well a candidate fits what was bought, how likely it is accepted, and what that is worth. All integers.

use crate::context::{Context, DAY_MS, Line, Past};
use crate::distance::Kernel;
use crate::index::View;
use crate::index::format::{OfferRecord, ProductRecord, trigger};
use crate::limits::DIM_MAX;
use crate::offer::{Item, ProductIx, Relation};
use crate::scratch::{Candidate, NO_LINE, PooledType};

/// What is known of a product candidate, per feature.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Features {
    /// Greatest similarity of a bought line's IN vector and the product's OUT vector, thousandths, not below 0.
    pub(crate) vector_max: i32,
    /// Mean of the similarities over the lines, thousandths, not below 0.
    pub(crate) vector_mean: i32,
    /// log2 of the pooled type lift, in 1/256; 0 where the type does not go with anything bought.
    pub(crate) type_lift_log_q8: i32,
    /// Pooled probability of the type, parts per million.
    pub(crate) type_probability_ppm: i32,
    /// log2(1 + customers), in 1/256.
    pub(crate) popularity_log_q8: i32,
    /// Times the customer bought it before.
    pub(crate) past_times: i32,
    /// Days since the last time.
    pub(crate) past_days: i32,
}

impl Features {
    /// Name and value of each, for people.
    pub(crate) fn named(&self) -> Vec<(&'static str, i32)> {
        vec![
            ("vector_max", self.vector_max),
            ("vector_mean", self.vector_mean),
            ("type_lift_log_q8", self.type_lift_log_q8),
            ("type_probability_ppm", self.type_probability_ppm),
            ("popularity_log_q8", self.popularity_log_q8),
            ("past_times", self.past_times),
            ("past_days", self.past_days),
        ]
    }
}

/// Relevance in thousandths.
pub(crate) fn relevance(f: &Features) -> u16 {
    let vector = 500 * f.vector_max.min(1000) / 1000 + 200 * f.vector_mean.min(1000) / 1000;
    let kind = (f.type_lift_log_q8 * 60 / 256).min(250);
    let popularity = f.popularity_log_q8 * 12 / 256;
    let past = if f.past_times > 0 { 200 + 60 * f.past_times.min(8) - f.past_days.min(200) } else { 0 };
    (vector + kind + popularity + past).clamp(0, 1000) as u16
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
    pooled: &[PooledType],
    record: &ProductRecord,
    candidate: &mut Candidate,
) {
    let Item::Product(ProductIx(product)) = candidate.item else {
        return;
    };
    let (features, line, relation) = product_features(context, kernel, pooled, product, record);
    if candidate.relation != Relation::Refill {
        candidate.relation = relation;
        candidate.line = line;
    }
    candidate.relevance = relevance(&features);
    candidate.p_accept_ppm = p_accept_ppm(&context.view, candidate.relevance);
    candidate.value = product_value(context, record);
    candidate.ev_micros = expected(candidate.p_accept_ppm, candidate.value);
}

/// The features of a product, the bought line that leads to it most, and how.
pub(crate) fn product_features(
    context: &Context<'_>,
    kernel: Kernel,
    pooled: &[PooledType],
    product: u32,
    record: &ProductRecord,
) -> (Features, u16, Relation) {
    let view = &context.view;
    let row = view.out_vector(product).unwrap_or(&[]);
    let unit = i64::from(view.unit_dot);
    let (mut best, mut best_line, mut sum) = (0i64, NO_LINE, 0i64);
    for line in context.asking {
        let asked = view.in_vector(line.asks_as).unwrap_or(&[]);
        // A damaged file may name any scale: what is absurd is cut, so that the sums below fit their types.
        let similarity = (i64::from(kernel.dot(asked, row)) * 1000 / unit).clamp(0, 100_000);
        sum += similarity;
        if similarity > best || best_line == NO_LINE {
            (best, best_line) = (similarity, line.number);
        }
    }
    let kind = view.type_of(product);
    let goes_with = pooled.binary_search_by_key(&kind, |p| p.to).ok().and_then(|at| pooled.get(at));
    let past = context.past_of(product);
    let features = Features {
        vector_max: best as i32,
        vector_mean: (sum / context.asking.len().max(1) as i64) as i32,
        type_lift_log_q8: goes_with.map_or(0, |p| log2_q8(p.lift_q8)),
        type_probability_ppm: goes_with.map_or(0, |p| p.probability_ppm.min(1_000_000) as i32),
        popularity_log_q8: record.popularity_log_q8.get().into(),
        past_times: past.map_or(0, |p| p.times.min(1000) as i32),
        past_days: past.map_or(0, |p| days_since(context, p)),
    };
    match goes_with {
        Some(pooled) => (features, pooled.line, Relation::GoesWithType),
        None => (features, best_line, Relation::BoughtTogether),
    }
}

fn days_since(context: &Context<'_>, past: &Past) -> i32 {
    let since = context.now_ms().map_or(0, |now| now.saturating_sub(past.last_at_ms));
    (since / DAY_MS).clamp(0, 10_000) as i32
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

/// Probability of acceptance behind a relevance, from the catalog's table.
pub(crate) fn p_accept_ppm(view: &View<'_>, relevance: u16) -> u32 {
    let step = usize::from(relevance) * view.calibration.len() / 1001;
    view.calibration.get(step).map_or(0, |p| p.get().min(1_000_000))
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

/// The sum of rows, scaled back to the length of one row, written to `out`.
pub(crate) fn mean_row(view: &View<'_>, lines: &[Line], out: &mut [i8]) {
    let mut sum = [0i32; DIM_MAX];
    for line in lines {
        let row = view.in_vector(line.asks_as).unwrap_or(&[]);
        for (total, value) in sum.iter_mut().zip(row) {
            *total += i32::from(*value);
        }
    }
    let squares: u64 = sum.iter().map(|v| u64::from(v.unsigned_abs()).pow(2)).sum();
    let (length, unit) = (squares.isqrt().max(1) as i64, u64::from(view.unit_dot).isqrt() as i64);
    for (value, total) in out.iter_mut().zip(sum) {
        *value = (i64::from(total) * unit / length).clamp(-127, 127) as i8;
    }
}
