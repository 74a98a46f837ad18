//! When something is expected to be bought again.
//!
//! Intervals between a customer's purchases of one thing are taken as log-normal, so their logarithms have a mean that a prior of
//! [`PRIOR_INTERVALS`] intervals shrinks, and the date before and after which a purchase is as likely is its exponential: the
//! posterior median, which is also what is wrong by the fewest days on average. With n own intervals x_i and the usual days m it is
//! `exp((3 ln m + sum of ln x_i) / (3 + n))`. m is what the catalog has learnt of those who came back: the geometric mean of the product's
//! usual gap and the median of its type. (Exposure over purchases, by which `refill` says how likely a purchase is, counts those who never come
//! back, and would put the date where hardly anybody still waits.) Logarithms are whole numbers, the same on every machine.

use smallvec::SmallVec;

use crate::bought::Line;
use crate::context::Context;
use crate::days::DAY_MS;
use crate::features::log2_q8;
use crate::limits::PURCHASES_MAX;
use crate::vocabulary::Role;

/// Intervals for which the usual days speak.
const PRIOR_INTERVALS: i32 = 3;
/// Own intervals that count: the newest.
const OWN_MAX: usize = 16;

/// When something is expected to be bought again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Due {
    pub(super) days: u16,
    pub(super) own_intervals: u16,
}

/// See the module's description. Durable things are not bought again; what may be either is from two own intervals on.
pub(super) fn due(context: &Context<'_>, line: &Line) -> Option<Due> {
    let now = context.now_ms()?;
    let (own, sum) = own_intervals(context, line.product, now);
    let usual = usual(context, line).filter(|_| line.role == Role::Consumable);
    let log = match (line.role, usual) {
        (Role::Consumable, Some(usual)) => (PRIOR_INTERVALS * usual + sum) / (PRIOR_INTERVALS + own),
        (Role::Consumable | Role::Unknown, None) if own >= 2 => sum / own,
        _ => return None,
    };
    Some(Due { days: exp2(log), own_intervals: own as u16 })
}

/// log2 of the usual days, in 1/256.
fn usual(context: &Context<'_>, line: &Line) -> Option<i32> {
    let gap = context.view.product(line.product).map_or(0, |record| record.gap_days.get());
    let median = context.view.types.get(line.kind as usize).map_or(0, |kind| kind.replenish_days[1].get());
    match (gap, median) {
        (0, 0) => None,
        (0, days) | (days, 0) => Some(log2(days.into())),
        (gap, median) => Some((log2(gap.into()) + log2(median.into())) / 2),
    }
}

/// Intervals between days on which the customer bought the product, the last one up to now, and the sum of their log2, in 1/256.
fn own_intervals(context: &Context<'_>, product: u32, now: i64) -> (i32, i32) {
    let id = context.view.product(product).map_or("", |record| context.view.str(record.id));
    let older = context.profile.purchases.len().saturating_sub(PURCHASES_MAX);
    let purchases = context.profile.purchases.get(older..).unwrap_or(&[]);
    let mut newest: SmallVec<[i64; OWN_MAX]> = SmallVec::new();
    for past in purchases.iter().filter(|past| !id.is_empty() && past.item_id == id) {
        let place = newest.partition_point(|at| *at > past.at_ms);
        if (1..now).contains(&past.at_ms) && place < OWN_MAX {
            newest.truncate(OWN_MAX - 1);
            newest.insert(place, past.at_ms);
        }
    }
    let (mut later, mut own, mut sum) = (now, 0, 0);
    for at in newest {
        let days = later.saturating_sub(at) / DAY_MS;
        if days > 0 {
            (later, own, sum) = (at, own + 1, sum + log2(days));
        }
    }
    (own, sum)
}

fn log2(days: i64) -> i32 {
    log2_q8((days.clamp(1, u16::MAX.into()) as u32) << 8)
}

/// The inverse of [`log2_q8`], in whole days.
fn exp2(log_q8: i32) -> u16 {
    let log = log_q8.clamp(0, 16 * 256 - 1) as u32;
    let days_q8 = u64::from(256 + log % 256) << (log / 256);
    ((days_q8 + 128) >> 8).clamp(1, u16::MAX.into()) as u16
}

#[cfg(test)]
mod tests {
    use super::{exp2, log2};

    #[test]
    fn days_come_back_from_their_logarithms() {
        for days in 1..=u16::MAX {
            let back = exp2(log2(days.into()));
            assert!(back.abs_diff(days) <= 1 + days / 256, "{days} became {back}");
        }
    }
}
