//! Off-policy evaluation: what another policy would have earned on pages that this one chose with known chances.
//!
//! A page is a sequence of choices. Of each the probability under both policies is known, given the choices before; their ratio
//! weighs what came of it. Estimators, and where they are valid:
//!
//! | | page i contributes | right where |
//! | --- | --- | --- |
//! | standard IPS | `W_i(all) * sum_k r_ik` | always; its variance explodes with the slots (Horvitz and Thompson 1952; Li et al. 2015, section 2) |
//! | RIPS | `sum_k W_i(1..k) * r_ik` | a slot's reward does not depend on the slots after it: cascade (McInerney et al. 2020, section 3) |
//! | IIPS | `sum_k m_ik * r_ik`, m the ratio of the marginals of this offer at this position | nor on those before it: item-position model (Li et al. 2018, section 4) |
//! | DR | `sum_k W_i(1..k) * (r_ik - q_ik) + W_i(1..k-1) * E_target[q_ik]` | as RIPS; the better the model q, the narrower (Dudik et al. 2014, section 3; Kiyohara et al. 2022, section 4) |
//!
//! where `W(1..k)` is the product of the ratios up to slot k. Self-normalised forms (Swaminathan and Joachims 2015, section 3) divide
//! the weights of a slot by their mean: a little bias, much less variance. With one slot a page these are IPS, SNIPS and DR.
//!
//! Intervals are normal, over units: the pages of one customer are not independent. Pure functions, no state.

mod selection;

pub use selection::{Mismatch, Replayer, beyond_the_log, page_of};

/// One choice of a page, from the first slot on. A page that ended early has its end as a last choice, of reward 0.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Choice {
    /// Probability under the policy that chose, given the choices before; above 0.
    pub logged: f64,
    /// The same under the policy that is evaluated.
    pub target: f64,
    /// Probability of this offer at this position, whatever stands before it: logged, target. `None` = not worked out.
    pub alone: Option<[f64; 2]>,
    /// What came of it.
    pub reward: f64,
    /// What a model expects of what was chosen.
    pub expected: f64,
    /// What it expects of the target's choice, given the choices before.
    pub expected_target: f64,
    /// Probability that the target, given the choices before, chooses something that the log could have shown.
    pub supported: f64,
}

/// What was chosen for one page.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Pages of one unit are not independent.
    pub unit: u64,
    /// In the order in which they were made.
    pub choices: Vec<Choice>,
}

/// How pages are weighed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimator {
    /// Standard IPS of whole pages.
    Standard,
    /// Reward interaction IPS.
    Cascade,
    /// Item-position IPS.
    Independent,
    /// Doubly robust, cascade.
    DoublyRobust,
}

/// An estimate per page, with its standard error and 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// Per page.
    pub value: f64,
    /// Over units.
    pub error: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How much of the target policy the log can speak for.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Support {
    /// Pages.
    pub pages: usize,
    /// Units.
    pub units: usize,
    /// Share of pages on which the logging policy left anything to chance.
    pub explored: f64,
    /// Share of the target's pages that the log could have shown.
    pub covered: f64,
    /// Pages of the target that these are worth: `(sum W)^2 / sum W^2` of whole pages.
    pub ess: f64,
    /// Mean weight of whole pages: 1 where all is covered, but for chance.
    pub mean_weight: f64,
    /// Greatest weight of a whole page.
    pub max_weight: f64,
    /// Pages with a weight that was clipped.
    pub clipped: usize,
}

/// Normal quantile of a 95 % interval.
const Z: f64 = 1.959_963_984_540_054;

/// Products of ratios up to each choice, each at most `clip`; the last one is the page's.
fn weights(page: &Page, clip: f64) -> impl Iterator<Item = (f64, f64, &Choice)> {
    let mut weight = 1.0;
    page.choices.iter().map(move |choice| {
        let before = f64::min(weight, clip);
        weight *= choice.target / choice.logged;
        (before, weight.min(clip), choice)
    })
}

fn whole(page: &Page, clip: f64) -> f64 {
    page.choices.iter().map(|choice| choice.target / choice.logged).product::<f64>().min(clip)
}

/// What the pages support. Weights beyond `clip` are cut to it; `f64::INFINITY` = none is.
#[must_use]
pub fn support(pages: &[Page], clip: f64) -> Support {
    let mut support = Support { pages: pages.len(), units: by_unit(pages).len(), ..Support::default() };
    let (mut sum, mut squares, mut covered) = (0.0, 0.0, 0.0);
    for page in pages {
        let weight = whole(page, clip);
        sum += weight;
        squares += weight * weight;
        support.max_weight = support.max_weight.max(weight);
        support.clipped += usize::from(whole(page, f64::INFINITY) > clip);
        support.explored += f64::from(u8::from(page.choices.iter().any(|choice| choice.logged < 1.0)));
        // A page that the target makes is lost at its first choice that the log could not have shown.
        covered += 1.0 - weights(page, f64::INFINITY).map(|(w, _, c)| w * (1.0 - c.supported)).sum::<f64>();
    }
    let n = (pages.len() as f64).max(1.0);
    support.explored /= n;
    support.covered = (covered / n).clamp(0.0, 1.0);
    support.mean_weight = sum / n;
    support.ess = if squares > 0.0 { sum * sum / squares } else { 0.0 };
    support
}

/// What a page would have brought under the target policy. `None` where there is no page, or where an estimator needs
/// marginals that were not worked out.
#[must_use]
pub fn estimate(pages: &[Page], estimator: Estimator, clip: f64) -> Option<Estimate> {
    let terms: Option<Vec<f64>> = pages.iter().map(|page| term(page, estimator, clip)).collect();
    let terms = terms.filter(|terms| !terms.is_empty())?;
    let value = terms.iter().sum::<f64>() / terms.len() as f64;
    let off = terms.iter().map(|term| term - value);
    Some(interval(value, pages, off))
}

fn term(page: &Page, estimator: Estimator, clip: f64) -> Option<f64> {
    let reward = || page.choices.iter().map(|choice| choice.reward).sum::<f64>();
    Some(match estimator {
        Estimator::Standard => whole(page, clip) * reward(),
        Estimator::Cascade => weights(page, clip).map(|(_, weight, choice)| weight * choice.reward).sum(),
        Estimator::Independent => {
            // What brought nothing adds nothing, whatever its weight.
            let brought = page.choices.iter().filter(|choice| choice.reward != 0.0);
            brought.map(|choice| Some(alone_ratio(choice, clip)? * choice.reward)).sum::<Option<f64>>()?
        }
        Estimator::DoublyRobust => weights(page, clip)
            .map(|(before, weight, c)| weight * (c.reward - c.expected) + before * c.expected_target)
            .sum(),
    })
}

fn alone_ratio(choice: &Choice, clip: f64) -> Option<f64> {
    choice.alone.map(|[logged, target]| (target / logged).min(clip))
}

/// The self-normalised form, slot by slot. `None` as for [`estimate`], for [`Estimator::DoublyRobust`], where all weights of a
/// slot are 0, and for [`Estimator::Independent`] where not all pages have as many slots. The interval is that of a sum of ratios, linearised.
#[must_use]
pub fn self_normalised(pages: &[Page], estimator: Estimator, clip: f64) -> Option<Estimate> {
    let slots = pages.iter().map(|page| page.choices.len()).max().filter(|slots| *slots > 0)?;
    let mut off = vec![0.0; pages.len()];
    let mut value = 0.0;
    for slot in 0..slots {
        let weighed: Option<Vec<(f64, f64)>> =
            pages.iter().map(|page| slot_term(page, slot, estimator, clip)).collect();
        let weighed = weighed?;
        let sum: f64 = weighed.iter().map(|(weight, _)| weight).sum();
        let mean = sum / pages.len() as f64;
        if mean <= 0.0 {
            return None;
        }
        let of_slot = weighed.iter().map(|(weight, reward)| weight * reward).sum::<f64>() / sum;
        value += of_slot;
        for (off, (weight, reward)) in off.iter_mut().zip(weighed) {
            *off += weight * (reward - of_slot) / mean;
        }
    }
    Some(interval(value, pages, off.into_iter()))
}

/// Weight and reward of a slot; a page that ended before it has its last weight and no reward.
fn slot_term(page: &Page, slot: usize, estimator: Estimator, clip: f64) -> Option<(f64, f64)> {
    let reward = page.choices.get(slot).map_or(0.0, |choice| choice.reward);
    let weight = match estimator {
        Estimator::Standard => whole(page, clip),
        Estimator::Cascade => weights(page, clip).take(slot + 1).last().map_or(1.0, |(_, weight, _)| weight),
        Estimator::Independent => alone_ratio(page.choices.get(slot)?, clip)?,
        Estimator::DoublyRobust => return None,
    };
    Some((weight, reward))
}

/// First and last place of each unit's pages, after sorting places by unit.
fn by_unit(pages: &[Page]) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..pages.len()).collect();
    let unit = |at: &usize| pages.get(*at).map_or(0, |page| page.unit);
    order.sort_by_key(unit);
    order.chunk_by(|a, b| unit(a) == unit(b)).map(<[usize]>::to_vec).collect()
}

/// The interval of a mean over pages whose deviations are `off`, units being independent.
fn interval(value: f64, pages: &[Page], off: impl Iterator<Item = f64>) -> Estimate {
    let off: Vec<f64> = off.collect();
    let units = by_unit(pages);
    let of_unit = |places: &Vec<usize>| places.iter().filter_map(|at| off.get(*at)).sum::<f64>().powi(2);
    let (n, u) = (pages.len() as f64, units.len() as f64);
    // One unit says nothing about how units differ.
    let correction = if u > 1.0 { u / (u - 1.0) } else { f64::INFINITY };
    let error = (units.iter().map(of_unit).sum::<f64>() * correction).sqrt() / n;
    Estimate { value, error, low: value - Z * error, high: value + Z * error }
}
