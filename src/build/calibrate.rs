//! Turns scores into the probability of acceptance, by asking held-out orders.
//!
//! The newest tenth of the baskets is put aside; a catalog is built from the rest, and asked about each basket with one line
//! hidden. Of all candidates at a score, the share that was the hidden line is the estimate: what people bought of their
//! own accord, not what they accept when shown, which only logged decisions can tell.

use std::collections::HashMap;
use std::sync::Arc;

use super::catalogue::{BuildOptions, Dictionary, Inputs, assemble, finish};
use super::error::BuildError;
use super::feed::{NONE, OrderLine, Orders};
use super::progress::{Progress, Unit};
use crate::index::format::{CALIBRATION_STEPS, CALIBRATION_VALUES};
use crate::index::{Catalog, Verify};
use crate::offer::{Item, ProductIx};
use crate::policy::{Policy, SlatePolicy};
use crate::ranking::SCORE_STEP;
use crate::{Decider, Engine, LineItem, Placement, Profile, Purchase, Transaction};

/// Held-out baskets that are asked.
const CASES_MAX: usize = 3000;
/// Fewer than this give no table worth having.
const CASES_MIN: usize = 200;
/// Earlier lines of a customer that a case knows.
const HISTORY_MAX: usize = 300;
/// Weight of the overall mean in each step, in candidates.
const PRIOR: f64 = 20.0;

/// The table where nothing was measured: from 0.1 % at score 0 to 5 % at the greatest.
pub(crate) fn cautious() -> [u32; CALIBRATION_VALUES] {
    let ppm =
        |step: usize| 1_000 + 49_000 * (step % CALIBRATION_STEPS) as u32 / (CALIBRATION_STEPS as u32 - 1);
    std::array::from_fn(ppm)
}

/// Measures the tables; `None` where there are too few orders.
pub(crate) fn learn(
    inputs: &Inputs,
    dictionary: &Dictionary<'_>,
    options: &BuildOptions,
    progress: &dyn Progress,
) -> Result<Option<[u32; CALIBRATION_VALUES]>, BuildError> {
    let (earlier, cases) = split(&inputs.orders);
    if cases.len() < CASES_MIN {
        return Ok(None);
    }
    let writer = assemble(inputs, dictionary, &earlier, options, None, progress)?;
    let bytes = finish(writer, Some(&without_limits()), options.recall, progress)?;
    let defect = |problem: String| BuildError::Input {
        problem,
        way_out: "this is a defect of aftercart: report it".into(),
    };
    let catalog = Catalog::from_bytes(bytes, Verify::Structure).map_err(|e| defect(e.to_string()))?;
    let engine = Engine::new(Arc::new(catalog)).map_err(|e| defect(e.to_string()))?;
    let mut decider = Decider::new(Arc::new(engine));
    let histories = histories(&earlier);
    let mut counts = [[(0u64, 0u64); CALIBRATION_STEPS]; 2];
    progress.start("calibrate on held-out orders", cases.len() as u64, Unit::Items);
    for (done, case) in cases.iter().enumerate() {
        let history = histories.get(&case[0].customer).map_or(&[][..], Vec::as_slice);
        let [anonymous, known] = &mut counts;
        ask(&mut decider, inputs, case, &[], anonymous);
        if !history.is_empty() {
            ask(&mut decider, inputs, case, history, known);
        }
        progress.at(done as u64 + 1);
    }
    let tables = counts.map(|counts| isotonic(&counts));
    let percent = |ppm: u32| f64::from(ppm) / 10_000.0;
    progress.finish(&format!(
        "{} baskets; p_accept up to {:.2} % anonymous, {:.2} % with a history",
        cases.len(),
        percent(tables[0][CALIBRATION_STEPS - 1]),
        percent(tables[1][CALIBRATION_STEPS - 1])
    ));
    let mut values = [0; CALIBRATION_VALUES];
    values.iter_mut().zip(tables.as_flattened()).for_each(|(value, ppm)| *value = *ppm);
    Ok(Some(values))
}

fn without_limits() -> Policy {
    let slate =
        SlatePolicy { max_per_type: 0, max_per_partner: 0, max_third_party: 0, ..SlatePolicy::default() };
    Policy { slate, ..Policy::default() }
}

/// The older nine tenths of the baskets as orders, and an even sample of the rest as cases of two lines or more.
fn split(orders: &Orders) -> (Orders, Vec<Vec<OrderLine>>) {
    let mut first_at: Vec<i64> = vec![i64::MAX; orders.baskets as usize];
    for line in &orders.lines {
        let at = &mut first_at[line.basket as usize];
        *at = line.at_ms.min(*at);
    }
    let mut times = first_at.clone();
    times.sort_unstable();
    let cut = times.get(times.len() * 9 / 10).copied().unwrap_or(i64::MAX);
    let old = |line: &&OrderLine| first_at[line.basket as usize] < cut;
    let earlier = Orders { lines: orders.lines.iter().filter(old).copied().collect(), ..orders.clone() };
    let mut later: Vec<OrderLine> = orders.lines.iter().filter(|line| !old(line)).copied().collect();
    later.sort_by_key(|line| line.basket);
    let baskets: Vec<&[OrderLine]> =
        later.chunk_by(|a, b| a.basket == b.basket).filter(|b| b.len() >= 2).collect();
    let every = baskets.len().div_ceil(CASES_MAX).max(1);
    (earlier, baskets.into_iter().step_by(every).map(<[OrderLine]>::to_vec).collect())
}

/// The newest lines of each named customer, oldest first.
fn histories(orders: &Orders) -> HashMap<u32, Vec<OrderLine>> {
    let mut histories: HashMap<u32, Vec<OrderLine>> = HashMap::new();
    for line in orders.lines.iter().filter(|line| line.customer != NONE) {
        histories.entry(line.customer).or_default().push(*line);
    }
    for lines in histories.values_mut() {
        lines.drain(..lines.len().saturating_sub(HISTORY_MAX));
    }
    histories
}

/// Hides one line, asks for the others, and counts candidates and hits per step of the score.
fn ask(
    decider: &mut Decider,
    inputs: &Inputs,
    case: &[OrderLine],
    history: &[OrderLine],
    counts: &mut [(u64, u64); CALIBRATION_STEPS],
) {
    let hidden = case[case[0].basket as usize % case.len()].product;
    let id = |product: u32| inputs.products[product as usize].id.as_str();
    let shown = case.iter().filter(|line| line.product != hidden).take(crate::limits::LINES_MAX);
    let lines: Vec<LineItem<'_>> = shown
        .map(|l| LineItem { quantity: l.quantity, unit_price: l.unit_price, ..LineItem::of(id(l.product)) })
        .collect();
    let purchases: Vec<Purchase<'_>> =
        history.iter().map(|l| Purchase { item_id: id(l.product), at_ms: l.at_ms }).collect();
    let transaction = Transaction {
        created_at_ms: case[0].at_ms,
        lines: &lines,
        placement: Placement { min_relevance: Some(0), ..Placement::default() },
        ..Transaction::default()
    };
    let profile = Profile { purchases: &purchases, ..Profile::default() };
    if decider.decide(&transaction, &profile).is_err() {
        return;
    }
    let wanted = decider.engine().find_product(id(hidden));
    let (_, scratch) = decider.parts();
    for candidate in &scratch.work.candidates.list {
        let Item::Product(ProductIx(product)) = candidate.item else { continue };
        let step = (candidate.score / SCORE_STEP) as usize;
        counts[step].0 += 1;
        counts[step].1 += u64::from(wanted == Some(ProductIx(product)));
    }
}

/// Pools adjacent violators (Barlow et al. 1972), so that a greater score never means less acceptance.
fn isotonic(counts: &[(u64, u64); CALIBRATION_STEPS]) -> [u32; CALIBRATION_STEPS] {
    let total: (u64, u64) = counts.iter().fold((0, 0), |sum, c| (sum.0 + c.0, sum.1 + c.1));
    let overall = total.1 as f64 / total.0.max(1) as f64;
    // Each block: weight, mean, steps. A step without candidates leans on its neighbours through the pooling.
    let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
    for (seen, hits) in counts {
        let weight = *seen as f64 + PRIOR;
        blocks.push((weight, (*hits as f64 + PRIOR * overall) / weight, 1));
        while let [.., (w1, m1, n1), (w2, m2, n2)] = blocks[..] {
            if m1 <= m2 {
                break;
            }
            blocks.truncate(blocks.len() - 2);
            blocks.push((w1 + w2, (w1 * m1 + w2 * m2) / (w1 + w2), n1 + n2));
        }
    }
    let steps = blocks.iter().flat_map(|(_, mean, n)| std::iter::repeat_n((mean * 1e6).round() as u32, *n));
    let mut table = [0; CALIBRATION_STEPS];
    table.iter_mut().zip(steps).for_each(|(slot, ppm)| *slot = ppm.min(1_000_000));
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_relevance_never_means_less_acceptance() {
        let mut counts = [(1000, 1); CALIBRATION_STEPS];
        counts[40] = (1000, 90);
        counts[50] = (1000, 30);
        counts[63] = (100_000, 20_000);
        let table = isotonic(&counts);
        assert!(table.is_sorted(), "{table:?}");
        assert!(table[0] < 5_000 && (150_000..250_000).contains(&table[63]), "{table:?}");
    }
}
