//! Stage 6: chance has a say among the best of what passed every rule and floor.
//!
//! Slots are filled one after the other, without replacement. For each, a million tickets are divided among the candidates
//! that a position still takes, in integers, and one ticket is drawn: so the probability in the result is the one drawn with,
//! on every machine. Draws are numbers of their own stream: XXH3-64 of `"explore\0" seed group_id draw`, 8, 8, 16 and 8
//! bytes, little-endian. A decision made again draws the same.

use xxhash_rust::xxh3::xxh3_64;

use crate::context::Context;
use crate::decide::{position_for, show};
use crate::limits::{EXPLORE_MAX, SLOTS_MAX};
use crate::offer::Offers;
use crate::scratch::Candidate;

/// How much chance has a say, compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mix {
    /// Draws among so many of the best; below 2: no exploration.
    pub(crate) best: u8,
    /// 65,536 / temperature; `None` = all for the best one.
    sharpness_q16: Option<u64>,
    /// Tickets that all share alike, parts per million.
    pub(crate) epsilon_ppm: u32,
    pub(crate) seed: u64,
}

/// Tickets of one draw.
pub(crate) const TICKETS: u64 = 1_000_000;

impl Mix {
    /// Temperature and epsilon in millionths.
    pub(crate) fn new(best: u8, temperature: u32, epsilon_ppm: u32) -> Self {
        Self {
            best,
            sharpness_q16: (65_536 * 1_000_000u64).checked_div(temperature.into()),
            epsilon_ppm,
            seed: 0,
        }
    }

    /// Divides the tickets among candidates, best first. The first one has what rounding leaves.
    pub(crate) fn tickets(&self, pool: &[Candidate]) -> [u64; EXPLORE_MAX] {
        let (mut tickets, mut weights) = ([0; EXPLORE_MAX], [0; EXPLORE_MAX]);
        let count = pool.len().min(EXPLORE_MAX) as u64;
        let Some(alike) = u64::from(self.epsilon_ppm).checked_div(count) else { return tickets };
        let most = pool.iter().map(|c| log2_q16(c.ev_micros)).max().unwrap_or(0);
        for (weight, candidate) in weights.iter_mut().zip(pool) {
            let below = (most - log2_q16(candidate.ev_micros)).unsigned_abs();
            *weight = match self.sharpness_q16 {
                // 2^-40 of the best one's is nothing: no need to multiply out of range.
                Some(sharp) => half_to_the(below.saturating_mul(sharp) >> 16),
                None => 0,
            };
        }
        let sum: u64 = weights.iter().sum();
        let soft = TICKETS - alike * count;
        for (ticket, weight) in tickets.iter_mut().zip(weights).take(count as usize) {
            *ticket = alike + (weight * soft).checked_div(sum).unwrap_or(0);
        }
        let rest = TICKETS - tickets.iter().sum::<u64>();
        if let Some(first) = tickets.first_mut() {
            *first += rest;
        }
        tickets
    }
}

/// Fills positions by draws among the best candidates, and gives back those that are to be placed without one. `part` is in
/// order, best first.
pub(crate) fn fill<'c>(
    context: &Context<'_>,
    mix: &Mix,
    part: &'c mut [Candidate],
    offers: &mut Offers,
) -> &'c [Candidate] {
    let drawn_from =
        part.iter().take(usize::from(mix.best).min(EXPLORE_MAX)).take_while(|c| !c.house).count();
    let (pool, rest) = part.split_at_mut(drawn_from);
    let mut left = pool.len();
    for draw in 0..=SLOTS_MAX as u64 {
        left = keep_fitting(context, pool.get_mut(..left).unwrap_or(&mut []), offers);
        let Some(open) = pool.get_mut(..left).filter(|open| !open.is_empty()) else { break };
        let tickets = mix.tickets(open);
        let drawn = drawn(&tickets, ticket(mix.seed, offers.group_id, draw)).min(left - 1);
        if let (Some(candidate), Some(tickets)) = (open.get_mut(drawn), tickets.get(drawn)) {
            // Of what pacing let through, this was drawn.
            candidate.pass_ppm = (u64::from(candidate.pass_ppm) * tickets / TICKETS).max(1) as u32;
            if let Ok(position) = position_for(context, offers.decided(), candidate) {
                show(context, candidate, position, offers);
            }
        }
        open.get_mut(drawn..).unwrap_or(&mut []).rotate_left(1);
        left -= 1;
    }
    rest
}

/// Moves those that a position takes to the front, in order, and refuses the others. What no position takes now, none will.
fn keep_fitting(context: &Context<'_>, pool: &mut [Candidate], offers: &mut Offers) -> usize {
    let mut kept = 0;
    for at in 0..pool.len() {
        let Some(candidate) = pool.get(at).copied() else { break };
        match position_for(context, offers.decided(), &candidate) {
            Ok(_) => {
                pool.swap(kept, at);
                kept += 1;
            }
            Err(reason) => offers.reject(candidate.item, reason),
        }
    }
    kept
}

/// The candidate that holds a ticket.
fn drawn(tickets: &[u64; EXPLORE_MAX], ticket: u64) -> usize {
    let mut before = 0;
    let holds = |own: &u64| {
        before += own;
        ticket < before
    };
    tickets.iter().position(holds).unwrap_or(0)
}

/// A ticket, below [`TICKETS`].
fn ticket(seed: u64, group_id: u128, draw: u64) -> u64 {
    let mut bytes = [0u8; 40];
    let parts = [&b"explore\0"[..], &seed.to_le_bytes(), &group_id.to_le_bytes(), &draw.to_le_bytes()];
    bytes.iter_mut().zip(parts.into_iter().flatten()).for_each(|(to, from)| *to = *from);
    ((u128::from(xxh3_64(&bytes)) * u128::from(TICKETS)) >> 64) as u64
}

/// log2 in 1/65,536, rounded down; 0 for 1 and below.
pub(crate) fn log2_q16(value: i64) -> i64 {
    let value = value.max(1).unsigned_abs();
    let whole = value.ilog2();
    let (mut mantissa, mut fraction) = (value << (63 - whole), 0);
    for _ in 0..16 {
        let square = (u128::from(mantissa) * u128::from(mantissa)) >> 63;
        let doubled = square >> 64 != 0;
        mantissa = if doubled { square >> 1 } else { square } as u64;
        fraction = fraction << 1 | i64::from(doubled);
    }
    i64::from(whole) << 16 | fraction
}

/// 2^-(n/65,536) in 1/2^40.
pub(crate) fn half_to_the(n_q16: u64) -> u64 {
    /// 2^-(1/2), 2^-(1/4), ... in 1/2^63.
    const ROOTS: [u64; 16] = [
        6521908912666391106,
        7755900482342532474,
        8457869449776733335,
        8832331321595618838,
        9025734193507008925,
        9124017994966720698,
        9173560510430823462,
        9198432556164277331,
        9210893855724328809,
        9217130834664616070,
        9220250907674776491,
        9221811340221203999,
        9222591655524303666,
        9222981837935769002,
        9223176935331786073,
        9223274485577403901,
    ];
    let whole = n_q16 >> 16;
    if whole >= 40 {
        return 0;
    }
    let mut power = 1u64 << 63;
    for (at, root) in ROOTS.iter().enumerate() {
        if n_q16 >> (15 - at) & 1 == 1 {
            power = ((u128::from(power) * u128::from(*root)) >> 63) as u64;
        }
    }
    power >> (23 + whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offer::{Item, ProductIx, Relation};
    use crate::scratch::NO_LINE;

    fn pool(ev: &[i64]) -> Vec<Candidate> {
        let of = |(ix, ev): (usize, &i64)| {
            let candidate = Candidate::new(Item::Product(ProductIx(ix as u32)), Relation::Refill, NO_LINE);
            Candidate { ev_micros: *ev, ..candidate }
        };
        ev.iter().enumerate().map(of).collect()
    }

    #[test]
    fn logarithms_and_powers_are_those_of_the_reals() {
        for value in [1i64, 2, 3, 10, 999, 65_536, 1_234_567_890, i64::MAX] {
            let (got, want) = (log2_q16(value) as f64 / 65_536.0, (value as f64).log2());
            assert!((got - want).abs() < 2.0 / 65_536.0, "log2 {value}: {got}, {want}");
        }
        for n in [0u64, 1, 77, 32_768, 65_535, 65_536, 200_000, 2_000_000] {
            let (got, want) = (half_to_the(n) as f64, (-(n as f64) / 65_536.0).exp2() * (1u64 << 40) as f64);
            assert!((got - want).abs() <= 1.0 + want * 1e-9, "2^-{n}: {got}, {want}");
        }
        assert_eq!((half_to_the(0), half_to_the(u64::MAX)), (1 << 40, 0));
    }

    /// Softmax of ln(ev) / temperature with the mix, as a textbook writes it.
    #[test]
    fn tickets_are_the_textbooks_probabilities() {
        let ev = [900_000i64, 500_000, 90_000, 1_000, 0];
        for (temperature, epsilon) in [(1.0, 0.0), (0.3, 0.1), (5.0, 0.02), (0.0, 0.2), (0.0, 0.0)] {
            let mix = Mix::new(32, (temperature * 1e6) as u32, (epsilon * 1e6) as u32);
            let tickets = mix.tickets(&pool(&ev));
            assert_eq!(tickets.iter().sum::<u64>(), TICKETS);
            let power = |ev: i64| match temperature {
                0.0 => f64::from(u8::from(ev == 900_000)),
                t => (ev.max(1) as f64).powf(1.0 / t),
            };
            let sum: f64 = ev.iter().map(|ev| power(*ev)).sum();
            for (ev, tickets) in ev.iter().zip(tickets) {
                let want = epsilon / 5.0 + (1.0 - epsilon) * power(*ev) / sum;
                assert!(
                    (tickets as f64 / 1e6 - want).abs() < 1e-4,
                    "{temperature} {epsilon} {ev}: {tickets}, {want}"
                );
            }
        }
        assert_eq!(Mix::new(32, 1_000_000, 0).tickets(&[]), [0; EXPLORE_MAX]);
    }

    #[test]
    fn a_million_draws_are_as_frequent_as_their_tickets() {
        let tickets = Mix::new(32, 1_000_000, 100_000).tickets(&pool(&[800, 400, 200, 100]));
        let mut counts = [0u64; 4];
        for id in 0..1_000_000u128 {
            counts[drawn(&tickets, ticket(7, id, 0))] += 1;
        }
        for (count, tickets) in counts.iter().zip(tickets) {
            let sigma = (tickets as f64 * (1.0 - tickets as f64 / 1e6)).sqrt();
            assert!((*count as f64 - tickets as f64).abs() < 5.0 * sigma, "{count} of {tickets}");
        }
    }
}
