//! What is known of a product beside one basket and one customer: the numbers that the ranker weighs.

use crate::context::{Context, Past};
use crate::days::{DAY_MS, WHOLE, faded};
use crate::distance::{Kernel, Rows};
use crate::index::format::{NONE, ProductRecord};
use crate::limits::{ASKED_MAX, ASKING_LINES_MAX};
use crate::offer::Relation;
use crate::scratch::{Link, LinkBest, Links, NO_LINE, PooledTypes};

/// Declares the features: name for people, meaning.
macro_rules! features {
    ($($(#[$meta:meta])* $name:ident = $text:literal,)+) => {
        /// A number that the ranker weighs.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(usize)]
        pub(crate) enum Feature { $($(#[$meta])* $name,)+ }

        /// Names for people, by number.
        pub(crate) const NAMES: &[&str] = &[$($text),+];
    };
}

features! {
    /// Sum over the lines of the cosine of line and product over baskets, in 1/65,025.
    Together = "together",
    /// The greatest of them.
    TogetherMost = "together_most",
    /// Sum over the lines of what each alone says of the product, in 1/65,025.
    Direct = "direct",
    /// Sum over the lines of the cosine of line and product over customers, in 1/65,025.
    Customers = "customers",
    /// Share of the earlier baskets most like this one that held it, each by how like it is, in 1/65,536; 0 where only one did.
    SimilarBaskets = "similar_baskets",
    /// `Together`, in thousandths of the greatest among the candidates.
    TogetherOfBest = "together_of_best",
    /// `SimilarBaskets`, likewise.
    SimilarOfBest = "similar_of_best",
    /// As `Together`, over the earlier purchases, weighed by how often and how lately.
    PastTogether = "past_together",
    /// As `Direct`, likewise.
    PastDirect = "past_direct",
    /// As `Customers`, likewise.
    PastCustomers = "past_customers",
    /// Sum over the lines of how alike the words of their titles are, in 1/65,025; only of lines that orders say little of.
    Words = "words",
    /// Similarity of the basket's IN vectors and the product's OUT vector, thousandths: fourth root of the sum of fourth
    /// powers over the lines, between their maximum and their sum.
    BasketCosine = "basket_cosine",
    /// Similarity to the direction of the earlier purchases, thousandths; may be negative.
    TasteCosine = "taste_cosine",
    /// log2 of the greatest type lift, in 1/256; 0 where the type does not go with anything bought.
    TypeLift = "type_lift",
    /// Probability that any of the lines brings the type, thousandths.
    TypeProbability = "type_probability",
    /// Sum over the bought types of what each alone says of the type, in 1/65,536.
    TypeDirect = "type_direct",
    /// As `TypeDirect`, over the types of the earlier purchases, by the square root of their number.
    PastTypeDirect = "past_type_direct",
    /// log2(1 + customers), in 1/256.
    Popularity = "popularity",
    /// log2 of how much more it was bought lately than before, in 1/256; half of it for every fourteen days since then.
    Trend = "trend",
    /// log2 of its share of what customers of its type bought, in 1/16, plus 255.
    ShareOfType = "share_of_type",
    /// Share of its customers who came back for it, in 1/255.
    CameBack = "came_back",
    /// Earlier purchases of the product.
    Times = "times",
    /// Tenths of a day since the last one; -1 = never, or not known.
    DaysSince = "days_since",
    /// That, in 1/256 of the usual time between two.
    Due = "due",
    /// Share of the customer's trips that brought it, thousandths.
    TripShare = "trip_share",
    /// Earlier purchases of its type.
    TypeTimes = "type_times",
    /// Tenths of a day since the last one; -1 = never, or not known.
    TypeDaysSince = "type_days_since",
    /// Share of the customer's trips that brought the type, thousandths.
    TypeShare = "type_share",
    /// Earlier purchases of its brand.
    BrandTimes = "brand_times",
    /// log2 of its price against the median price of the lines, in 1/256; 0 where either is not known.
    PriceRatio = "price_ratio",
    /// Lines that ask.
    Lines = "lines",
    /// The customer's trips.
    Trips = "trips",
}

/// Days in which a trend loses half of its meaning.
const TREND_HALF_LIFE: u32 = 14;

/// Number of features.
pub(crate) const FEATURES: usize = NAMES.len();

/// The features of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Features {
    values: [i32; FEATURES],
    /// Whether any orders stand behind the similarity: else it is mere likeness of category, brand or text.
    pub(crate) ordered: bool,
    /// [`bought_before`]; 0 where never.
    pub(crate) bought_before: i32,
}

impl Features {
    /// The value of a feature.
    pub(crate) fn get(&self, feature: Feature) -> i32 {
        self.values.get(feature as usize).copied().unwrap_or(0)
    }

    /// All values, by number.
    pub(crate) fn values(&self) -> &[i32; FEATURES] {
        &self.values
    }

    fn set(&mut self, feature: Feature, value: i32) {
        if let Some(slot) = self.values.get_mut(feature as usize) {
            *slot = value;
        }
    }
}

/// What retrieval found out about the request as a whole.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Learnt<'a> {
    pub(crate) pooled: &'a PooledTypes,
    /// IN vectors of the lines that ask, and the customer's taste where there is one.
    pub(crate) asked: &'a Rows,
    pub(crate) links: &'a Links,
    /// The greatest of each kind among the products of `links` that may come.
    pub(crate) link_best: LinkBest,
    /// What the types of the earlier purchases say of other types.
    pub(crate) past_kinds: &'a Links,
    /// [`median_price`] of the lines.
    pub(crate) price: i64,
    /// [`freshness`] of the file.
    pub(crate) fresh: i32,
}

/// How near a product's OUT vector lies to what was bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Near {
    /// [`Feature::BasketCosine`].
    basket: i32,
    /// [`Feature::TasteCosine`].
    taste: i32,
    /// The line that is nearest, or [`NO_LINE`].
    line: u16,
}

/// The features of a product, the bought line that leads to it most, and how.
pub(crate) fn of_product(
    context: &Context<'_>,
    kernel: Kernel,
    learnt: Learnt<'_>,
    product: u32,
    record: &ProductRecord,
) -> (Features, u16, Relation) {
    let near = near(context, kernel, learnt.asked, product);
    of_near(context, learnt, near, product, record)
}

/// As [`of_product`], where it is known how near it is.
#[inline(always)]
pub(crate) fn of_near(
    context: &Context<'_>,
    learnt: Learnt<'_>,
    near: Near,
    product: u32,
    record: &ProductRecord,
) -> (Features, u16, Relation) {
    let kind = record.type_ix.get();
    let mut features = Features {
        values: [0; FEATURES],
        ordered: context.asking_ordered && context.view.was_bought(kind),
        bought_before: 0,
    };
    features.set(Feature::BasketCosine, near.basket);
    features.set(Feature::TasteCosine, near.taste);
    let link = learnt.links.find(product);
    if let Some(link) = link {
        add_link(&mut features, link, learnt.link_best);
    }
    let goes_with = learnt.pooled.find(kind);
    if let Some(past) = learnt.past_kinds.find(kind) {
        features.set(Feature::PastTypeDirect, past.direct.min(1 << 24) as i32);
    }
    if let Some(pooled) = goes_with {
        features.set(Feature::TypeLift, log2_q8(pooled.lift_q8));
        features.set(Feature::TypeProbability, (pooled.probability_ppm.min(1_000_000) / 1000) as i32);
        features.set(Feature::TypeDirect, pooled.direct_q16.min(1 << 24) as i32);
    }
    features.set(Feature::Popularity, record.popularity_log_q8.get().into());
    features.set(Feature::Trend, (i32::from(record.trend) - 128) * 16 * learnt.fresh / WHOLE as i32);
    features.set(Feature::ShareOfType, record.share_of_type.into());
    features.set(Feature::CameBack, record.came_back.into());
    features.set(Feature::PriceRatio, price_ratio(record.price.get(), learnt.price));
    features.set(Feature::Lines, context.asking.len() as i32);
    // A partner's product does not come back for what was sensitive.
    let of_partner = record.partner.get() != NONE;
    let past = context.past_of(product).filter(|past| !(past.sensitive && of_partner));
    if !context.past.is_empty() {
        add_history(&mut features, context, record, past);
    }
    let linked = link.filter(|link| link.line != NO_LINE);
    let (line, relation) = match (past, goes_with) {
        (Some(_), _) => (NO_LINE, Relation::Refill),
        (None, Some(pooled)) => (pooled.line, Relation::GoesWithType),
        (None, None) => match linked {
            Some(link) if link.is_of_words() => (link.line, Relation::Alike),
            Some(link) => (link.line, Relation::BoughtTogether),
            None if features.ordered => (near.line, Relation::BoughtTogether),
            None => (near.line, Relation::Alike),
        },
    };
    (features, line, relation)
}

/// Similarities to the basket and to the customer's taste. Apart from the other features, since this waits for whole rows and
/// for long sums: the CPU overlaps those of several products.
#[inline]
pub(crate) fn near(context: &Context<'_>, kernel: Kernel, asked: &Rows, product: u32) -> Near {
    let view = &context.view;
    let mut dots = [0; ASKED_MAX];
    kernel.dots(view.out_vector(product).unwrap_or(&[]), asked, &mut dots);
    let (mut best, mut best_line, mut sum) = (0, NO_LINE, 0u64);
    for (line, dot) in context.asking.iter().zip(&dots) {
        let near = view.thousandths(*dot).clamp(0, 1000);
        sum += u64::from(near as u32).pow(4);
        if near > best || best_line == NO_LINE {
            (best, best_line) = (near, line.number);
        }
    }
    let taste = dots.get(context.asking.len()).map_or(0, |dot| view.thousandths(*dot).clamp(-1000, 1000));
    Near { basket: fourth_root(sum), taste, line: best_line }
}

fn add_link(features: &mut Features, link: &Link, best: LinkBest) {
    let of_best = |own: u32, best: u32| (u64::from(own) * 1000 / u64::from(best.max(1))).min(1000) as i32;
    features.set(Feature::TogetherOfBest, of_best(link.together, best.together));
    features.set(Feature::SimilarOfBest, of_best(link.similar(), best.similar));
    features.set(Feature::Together, link.together as i32);
    features.set(Feature::TogetherMost, link.together_most as i32);
    features.set(Feature::Direct, link.direct as i32);
    features.set(Feature::Customers, link.customers as i32);
    features.set(Feature::SimilarBaskets, link.similar() as i32);
    features.set(Feature::Words, link.words as i32);
    features.set(Feature::PastTogether, link.past_together as i32);
    features.set(Feature::PastDirect, link.past_direct as i32);
    features.set(Feature::PastCustomers, link.past_customers as i32);
}

fn add_history(features: &mut Features, context: &Context<'_>, record: &ProductRecord, past: Option<&Past>) {
    let trips = context.trips.max(1);
    let share = |times: u32| (u64::from(times) * 1000 / u64::from(trips)).min(100_000) as i32;
    let since = |last: Option<i64>| last.and_then(|last| context.tenths_since(last)).unwrap_or(-1);
    features.set(Feature::Trips, trips.min(1 << 20) as i32);
    features.set(Feature::DaysSince, since(past.map(|past| past.last_at_ms)));
    if let Some(past) = past {
        features.bought_before = bought_before(past);
        features.set(Feature::Times, past.times.min(1 << 20) as i32);
        features.set(Feature::TripShare, share(past.times));
        features.set(Feature::Due, due(past, record.gap_days.get(), features.get(Feature::DaysSince)));
    }
    let kind = context.past_of_type(record.type_ix.get());
    features.set(Feature::TypeTimes, kind.map_or(0, |kind| kind.times.min(1 << 20) as i32));
    features.set(Feature::TypeShare, kind.map_or(0, |kind| share(kind.times)));
    features.set(Feature::TypeDaysSince, since(kind.map(|kind| kind.last_at_ms)));
    let brand = Some(record.brand.get()).filter(|brand| *brand != NONE);
    let times = brand.and_then(|brand| context.past_of_brand(brand)).map_or(0, |brand| brand.times);
    features.set(Feature::BrandTimes, times.min(1 << 20) as i32);
}

/// Time since the last purchase in 1/256 of the usual time between two: the customer's own, drawn towards what is usual for
/// the product by two pseudo-intervals.
fn due(past: &Past, gap_days: u16, tenths_since: i32) -> i32 {
    let intervals = i64::from(past.times.clamp(1, 1 << 20)) - 1;
    let span = past.last_at_ms.saturating_sub(past.first_at_ms).clamp(0, 10_000 * DAY_MS) / (DAY_MS / 10);
    let usual = if gap_days == 0 { 30 } else { i64::from(gap_days) };
    let interval = (span + 20 * usual) / (intervals + 2);
    (i64::from(tenths_since.max(0)) * 256 / interval.max(1)).min(1 << 20) as i32
}

/// How much of a trend is left, in thousandths of it: what was bought lately when a file was built says less of the weeks after.
pub(crate) fn freshness(context: &Context<'_>) -> i32 {
    let now = context.now_ms().unwrap_or(0);
    faded(context.view.newest_ms, now, TREND_HALF_LIFE).unwrap_or(WHOLE) as i32
}

/// Median unit price of the lines that ask, the lower one of two; 0 where none is known.
pub(crate) fn median_price(context: &Context<'_>) -> i64 {
    let mut prices = [0i64; ASKING_LINES_MAX];
    let mut count = 0;
    for line in context.asking {
        let paid = context.transaction.lines.get(usize::from(line.number)).and_then(|l| l.unit_price);
        let listed = || context.view.product(line.product).map(|r| r.price.get());
        let price = paid.or_else(listed).filter(|price| *price > 0);
        if let (Some(price), Some(slot)) = (price, prices.get_mut(count)) {
            *slot = price;
            count += 1;
        }
    }
    let known = prices.get_mut(..count).unwrap_or(&mut []);
    known.sort_unstable();
    known.get(count.saturating_sub(1) / 2).copied().unwrap_or(0)
}

fn price_ratio(price: i64, median: i64) -> i32 {
    if price <= 0 || median <= 0 {
        return 0;
    }
    // No price comes near where this saturates.
    let log = |over: i64, under: i64| {
        log2_q8(((over as u64).saturating_mul(256) / under as u64).min(u32::MAX.into()) as u32)
    };
    if price > median { log(price, median) } else { -log(median, price) }
}

/// Weight of earlier purchases of a product: how often and how lately.
pub(crate) fn bought_before(past: &Past) -> i32 {
    2000 + 8 * log2_q8((past.times.min(1 << 20) + 1) << 8) + past.recency.min(20_000) as i32
}

/// How often a product was bought before: log2(1 + times), in 1/256; more than 255 times are as 255.
pub(crate) fn often(past: &Past) -> i32 {
    log2_q8((past.times.min(255) + 1) << 8)
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

/// Whole part of the fourth root of a sum of at most 512 fourth powers of thousandths. IEEE 754 wants square roots rounded
/// correctly, and below 2^52 two of them round to no root that is too great: the same on every machine, in a fraction of the time
/// of integer roots.
fn fourth_root(sum: u64) -> i32 {
    (sum as i64 as f64).sqrt().sqrt() as i32
}

#[cfg(test)]
mod tests {
    use super::fourth_root;

    #[test]
    fn fourth_roots_are_whole_parts() {
        for root in 0..=4757u64 {
            let power = root.pow(4);
            assert_eq!(fourth_root(power), root as i32);
            assert_eq!(fourth_root(power.saturating_sub(1)), root.saturating_sub(1) as i32, "below {power}");
        }
    }
}
