//! Learns from the log what people accept when shown: [`Model`]s, and whether one is better than what decided. Control plane.
//!
//! Rows are offers of pages that were seen and stayed, in the order of time: a page that an answer replaced is left out. A fit goes from coarse to fine, each step on what those before
//! leave unexplained:
//!
//! 1. bias, scale of the catalog's log odds and what each position adds: logistic regression (Platt 1999), coordinate by
//!    coordinate;
//! 2. placement, kind, partner, type and item: accepted over expected, shrunk by [`Options::prior`] accepted on both sides. That is the
//!    Beta-Binomial for rare events, with the level above as its mean (DuMouchel 1999, section 2, the Gamma-Poisson shrinker);
//! 3. crosses of offer and order, by hash: FTRL-proximal (McMahan et al. 2013, algorithm 1);
//! 4. the bias once more, so that as many are accepted as it says.
//!
//! [`learn`] fits the older pages and judges on the newest, by log loss; only a model that is better than the `p_accept` that decided
//! and than step 1 alone is worth having. Then it fits all.

use std::collections::HashMap;

use crate::days::DAY_MS;
use crate::engine::Engine;
use crate::limits::SLOTS_MAX;
use crate::log::{LogData, Logged};
use crate::model::{About, Asked, Keys, Level, Model, NAT, crosses, log_odds, names, probability_ppm};
use crate::offer::Item;

/// How to learn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// log2 of the number of weights, 8 to 20. Default 16: 256 KiB.
    pub bits: u32,
    /// Accepted offers that a level stands for in the one below. Default 8.
    pub prior: f64,
    /// First step of a weight (alpha of the paper). Default 0.1.
    pub step: f64,
    /// How hard weights are drawn to 0 (lambda 2). Default 5.
    pub ridge: f64,
    /// Days after which a page counts half as much: people change. Default 30.
    pub half_life: f64,
    /// Share of the newest pages that judge. Default 0.2.
    pub held_out: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self { bits: 16, prior: 8.0, step: 0.1, ridge: 5.0, half_life: 30.0, held_out: 0.2 }
    }
}

/// How well probabilities fit what was accepted.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Fit {
    /// Nats per offer; smaller is better.
    pub log_loss: f64,
    /// Expected over accepted; 1 is calibrated.
    pub expected: f64,
}

/// What came of learning.
#[derive(Debug, Clone, PartialEq)]
pub struct Learnt {
    /// Fitted to all pages.
    pub model: Model,
    /// Offers that judged, and how many of them were accepted.
    pub judged: [u64; 2],
    /// The `p_accept` that decided, on them.
    pub decided: Fit,
    /// The same scaled by the older pages: step 1 alone.
    pub scaled: Fit,
    /// The model of the older pages.
    pub learnt: Fit,
    /// Tenths of the judging offers by what the model expects, least first: offers, expected, accepted.
    pub reliability: Vec<[f64; 3]>,
}

impl Learnt {
    /// Whether the model is worth having.
    #[must_use]
    pub fn is_better(&self) -> bool {
        self.learnt.log_loss < self.decided.log_loss && self.learnt.log_loss < self.scaled.log_loss
    }
}

/// Why nothing was learnt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LearnError {
    /// Too little to learn from or to judge by.
    #[error(
        "{accepted} accepted of {offers} offers on pages that were seen, decided with this catalog; {ACCEPTED_MIN} accepted are the least, a tenth of them among the newest"
    )]
    TooLittle {
        /// Offers on pages that were seen.
        offers: usize,
        /// Accepted of those.
        accepted: usize,
    },
}

/// Fewer accepted offers teach nothing.
pub const ACCEPTED_MIN: usize = 100;

/// An offer of a page that was seen.
struct Row {
    page: usize,
    at_ms: i64,
    /// How much it counts.
    weight: f64,
    accepted: bool,
    decided_ppm: u32,
    catalog_ppm: u32,
    position: usize,
    about: About,
    asked: Asked,
    /// Keys of its levels.
    keys: [u64; 5],
}

/// Rows of the pages that were decided with a catalog.
fn rows(data: &LogData, engine: &Engine) -> Vec<Row> {
    let (view, keys) = (engine.view(), Keys::new(&engine.view()));
    let mut known: HashMap<u32, Option<Item>> = HashMap::new();
    let mut rows = Vec::new();
    let usable = |d: &&Logged| d.shown && d.activated && d.index == engine.generations().index;
    // An answer replaced the page that was there: nobody had the time to accept from it, which says nothing of its offers.
    let mut last: HashMap<u128, u128> = HashMap::new();
    for decision in data.decisions.iter().filter(usable) {
        let id = last.entry(decision.group_id).or_insert(decision.decision_id);
        if decision.decided_again {
            *id = decision.decision_id;
        }
    }
    let stayed = |d: &&Logged| last.get(&d.group_id) == Some(&d.decision_id);
    for (page, decision) in data.decisions.iter().filter(usable).filter(stayed).enumerate() {
        let types = decision.line_types.iter().filter_map(|kind| keys.of_type(*kind));
        let asked = Asked::new(&decision.placement, decision.order_value, types);
        for (slot, candidate) in decision.slate.iter().zip(&decision.candidates) {
            let id = data.names.get(candidate.name as usize).map_or("", String::as_str);
            let find =
                || engine.find_product(id).map(Item::Product).or(engine.find_offer(id).map(Item::Offer));
            let Some(item) = *known.entry(candidate.name).or_insert_with(find) else { continue };
            let [kind, partner, of_type, own] = names(&view, item).map(|(level, name)| level.key(name));
            rows.push(Row {
                page,
                at_ms: decision.at_ms,
                weight: 1.0,
                accepted: slot.accepted,
                decided_ppm: candidate.p_accept_ppm,
                catalog_ppm: candidate.p_catalog_ppm,
                position: usize::from(slot.position).min(SLOTS_MAX - 1),
                about: About {
                    factor: 0,
                    key: keys.of(&view, item),
                    relevance: candidate.relevance.min(1023),
                    refill: candidate.refill,
                },
                asked,
                keys: [Level::Placement.key(&decision.placement), kind, partner, of_type, own],
            });
        }
    }
    rows
}

fn sigmoid(z: f64) -> f64 {
    1.0 / (1.0 + (-z).exp())
}

/// Natural log odds of the catalog's probability, as decisions read it.
fn base(row: &Row) -> f64 {
    log_odds(row.catalog_ppm) as f64 / NAT
}

/// Step 1: bias, scale, positions.
#[derive(Clone, Copy)]
struct Scaled {
    bias: f64,
    scale: f64,
    positions: [f64; SLOTS_MAX],
}

impl Scaled {
    fn odds(&self, row: &Row) -> f64 {
        self.bias + self.scale * base(row) + self.positions.get(row.position).copied().unwrap_or(0.0)
    }

    /// Newton steps of one coordinate after the other. A ridge holds the scale at 1 and positions at 0 where rows say little.
    fn fit(rows: &[Row]) -> Self {
        let mut own = Self { bias: 0.0, scale: 1.0, positions: [0.0; SLOTS_MAX] };
        // The bias moves against the mean, so that the scale hardly moves it.
        let mean = rows.iter().map(base).sum::<f64>() / rows.len().max(1) as f64;
        for _ in 0..40 {
            let bias = newton(rows, |row| own.odds(row), |_| 1.0, 0.0);
            own.bias += bias;
            let scale = newton(rows, |row| own.odds(row), |row| base(row) - mean, 10.0 * (own.scale - 1.0));
            own.scale += scale;
            own.bias -= scale * mean;
            for position in 1..SLOTS_MAX {
                let Some(held) = own.positions.get(position).copied() else { break };
                let here = |row: &Row| f64::from(u8::from(row.position == position));
                let step = newton(rows, |row| own.odds(row), here, 5.0 * held);
                if let Some(place) = own.positions.get_mut(position) {
                    *place += step;
                }
                if !rows.iter().any(|row| row.position > position) {
                    break;
                }
            }
        }
        own
    }
}

/// One Newton step along `x` of the log likelihood less a ridge whose slope is `drawn`.
fn newton(rows: &[Row], odds: impl Fn(&Row) -> f64, x: impl Fn(&Row) -> f64, drawn: f64) -> f64 {
    let (mut slope, mut curve) = (-drawn, 10.0);
    for row in rows {
        let (p, x) = (sigmoid(odds(row)), x(row));
        slope += row.weight * x * (f64::from(u8::from(row.accepted)) - p);
        curve += row.weight * x * x * p * (1.0 - p);
    }
    (slope / curve).clamp(-2.0, 2.0)
}

/// Step 2: adds what each name of each level makes of what is expected, to `odds` and to the list.
fn hierarchy(rows: &[Row], odds: &mut [f64], prior: f64) -> Vec<(u64, f64)> {
    let mut factors = Vec::new();
    for level in Level::ALL {
        let key = |row: &Row| row.keys.get(level as usize).copied().unwrap_or(0);
        let mut sums: HashMap<u64, (f64, f64)> = HashMap::new();
        for (row, odds) in rows.iter().zip(odds.iter()) {
            let sum = sums.entry(key(row)).or_default();
            let accepted = f64::from(u8::from(row.accepted));
            *sum = (sum.0 + row.weight * accepted, sum.1 + row.weight * sigmoid(*odds));
        }
        let add = |(accepted, expected): &(f64, f64)| ((accepted + prior) / (expected + prior)).ln();
        for (row, odds) in rows.iter().zip(odds.iter_mut()) {
            *odds += sums.get(&key(row)).map_or(0.0, add);
        }
        factors.extend(sums.iter().map(|(key, sum)| (*key, add(sum))));
    }
    factors
}

/// Step 3: FTRL-proximal. Each weight has the sum of its adjusted slopes, and of their squares.
fn ftrl(rows: &[Row], odds: &[f64], options: &Options) -> Vec<f64> {
    const PASSES: usize = 2;
    const BETA: f64 = 1.0;
    let mut sums = vec![(0.0f64, 0.0f64); 1 << options.bits];
    let weight =
        |(slopes, squares): (f64, f64)| -slopes / ((BETA + squares.sqrt()) / options.step + options.ridge);
    for _ in 0..PASSES {
        for (row, odds) in rows.iter().zip(odds) {
            let places = || crosses(options.bits, &row.about, &row.asked);
            let own = |at: usize| sums.get(at).copied().unwrap_or_default();
            let all = odds + places().map(|at| weight(own(at))).sum::<f64>();
            let slope = row.weight * (sigmoid(all) - f64::from(u8::from(row.accepted)));
            for at in places() {
                if let Some(sum) = sums.get_mut(at) {
                    let sigma = ((sum.1 + slope * slope).sqrt() - sum.1.sqrt()) / options.step;
                    *sum = (sum.0 + slope - sigma * weight(*sum), sum.1 + slope * slope);
                }
            }
        }
    }
    sums.into_iter().map(weight).collect()
}

/// All steps.
fn fit(rows: &mut [Row], options: &Options) -> (Model, Scaled) {
    let until_ms = rows.iter().map(|row| row.at_ms).max().unwrap_or(0);
    for row in rows.iter_mut() {
        row.weight = (-((until_ms - row.at_ms) as f64) / DAY_MS as f64 / options.half_life).exp2();
    }
    let rows = &*rows;
    let scaled = Scaled::fit(rows);
    let mut odds: Vec<f64> = rows.iter().map(|row| scaled.odds(row)).collect();
    let factors = hierarchy(rows, &mut odds, options.prior);
    let weights = ftrl(rows, &odds, options);
    for (row, odds) in rows.iter().zip(&mut odds) {
        let own = crosses(options.bits, &row.about, &row.asked);
        *odds += own.map(|at| weights.get(at).copied().unwrap_or(0.0)).sum::<f64>();
    }
    let mut bias = 0.0;
    for _ in 0..20 {
        let (mut slope, mut curve) = (0.0, 1e-9);
        for (row, odds) in rows.iter().zip(&odds) {
            let p = sigmoid(odds + bias);
            slope += row.weight * (f64::from(u8::from(row.accepted)) - p);
            curve += row.weight * p * (1.0 - p);
        }
        bias += (slope / curve).clamp(-2.0, 2.0);
    }
    let units = |nats: f64| (nats * NAT).round().clamp(-1e8, 1e8) as i32;
    let mut model = Model::new(options.bits, scaled.positions.map(units), until_ms);
    model.bias = units(scaled.bias + bias);
    model.scale = (scaled.scale * 65_536.0).round().clamp(-1e8, 1e8) as i32;
    model.factors = factors.into_iter().map(|(key, factor)| (key, units(factor))).collect();
    model.factors.sort_unstable();
    model.factors.dedup_by_key(|(key, _)| *key);
    model.weights = weights.into_iter().map(units).collect();
    (model, scaled)
}

impl Model {
    /// What the model says of a row at its position, as decisions would work it out.
    fn says(&self, row: &Row, positions: &[i32; SLOTS_MAX]) -> f64 {
        let key = |level: Level| row.keys.get(level as usize).copied().unwrap_or(0);
        let factor = |level| {
            let at = self.factors.binary_search_by_key(&key(level), |(own, _)| *own).ok();
            at.and_then(|at| self.factors.get(at)).map_or(0, |(_, factor)| *factor)
        };
        let own = [Level::Kind, Level::Partner, Level::Type, Level::Item].map(factor).iter().sum();
        let about = About { factor: own, ..row.about };
        let odds = self.log_odds(row.catalog_ppm, factor(Level::Placement), &about, &row.asked);
        let position = positions.get(row.position).map_or(0, |position| i64::from(*position));
        f64::from(probability_ppm(odds + position)) / 1e6
    }
}

/// How well `says` fits rows.
fn judge(rows: &[Row], says: impl Fn(&Row) -> f64) -> Fit {
    let (mut loss, mut expected, mut accepted) = (0.0, 0.0, 0.0);
    for row in rows {
        let p = says(row).clamp(1e-6, 1.0 - 1e-6);
        loss -= if row.accepted { p.ln() } else { (1.0 - p).ln() };
        expected += p;
        accepted += f64::from(u8::from(row.accepted));
    }
    Fit { log_loss: loss / rows.len().max(1) as f64, expected: expected / f64::max(accepted, 1.0) }
}

/// Learns a model from the pages of a log that were decided with a catalog, and judges it on the newest of them. The same log
/// gives the same bytes.
///
/// # Errors
/// [`LearnError`].
pub fn learn(data: &LogData, engine: &Engine, options: &Options) -> Result<Learnt, LearnError> {
    let mut rows = rows(data, engine);
    let accepted = |rows: &[Row]| rows.iter().filter(|row| row.accepted).count();
    let too_little = LearnError::TooLittle { offers: rows.len(), accepted: accepted(&rows) };
    let pages = rows.last().map_or(0, |row| row.page + 1);
    let from = (pages as f64 * (1.0 - options.held_out)) as usize;
    let all = accepted(&rows);
    let border = rows.partition_point(|row| row.page < from);
    let (older, newest) = rows.split_at_mut(border);
    if all < ACCEPTED_MIN || accepted(newest) < ACCEPTED_MIN / 10 {
        return Err(too_little);
    }
    let (model, scaled) = fit(older, options);
    let newest = &*newest;
    let says = |row: &Row| model.says(row, &model.positions);
    let learnt = judge(newest, says);
    let mut by: Vec<(f64, bool)> = newest.iter().map(|row| (says(row), row.accepted)).collect();
    by.sort_by(|a, b| a.0.total_cmp(&b.0));
    let tenth = |rows: &[(f64, bool)]| {
        let accepted = rows.iter().filter(|(_, accepted)| *accepted).count() as f64;
        [rows.len() as f64, rows.iter().map(|(p, _)| p).sum(), accepted]
    };
    let judged = [newest.len() as u64, accepted(newest) as u64];
    let (decided, scaled) = (
        judge(newest, |row| f64::from(row.decided_ppm) / 1e6),
        judge(newest, |row| sigmoid(scaled.odds(row))),
    );
    let reliability = by.chunks(by.len().div_ceil(10).max(1)).map(tenth).collect();
    Ok(Learnt { model: fit(&mut rows, options).0, judged, decided, scaled, learnt, reliability })
}
