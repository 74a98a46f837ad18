//! The order of measuring: setting by setting, round-robin between searchers, so that noise meets all alike.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::args::Args;
use crate::contender::{Contender, Setting, Task};
use crate::data::{Data, MASKED_QUERIES, SharedMasks};
use crate::measure::{self, Latency, Recall};

/// Recalls that a setting is looked for.
pub(crate) const TARGETS: [f64; 3] = [0.90, 0.95, 0.99];
/// A sweep that came this far goes no further.
const ENOUGH: f64 = 0.997;
const QUICK_QUERIES: usize = 500;

/// Queries with their exact answers, over the whole catalog or a share of it.
pub(crate) struct Scenario {
    pub(crate) name: String,
    masks: Option<SharedMasks>,
    pub(crate) queries: usize,
    truth: Vec<i32>,
}

/// One setting in one scenario.
#[derive(Serialize)]
pub(crate) struct Point {
    pub(crate) setting: Setting,
    pub(crate) recall: Recall,
    pub(crate) latency: Latency,
}

/// The cheapest setting that reaches a target, measured anew.
#[derive(Serialize)]
pub(crate) struct Chosen {
    pub(crate) target: f64,
    pub(crate) setting: Setting,
    pub(crate) recall: Recall,
    pub(crate) latency: Latency,
    /// Timed passes that it is pooled from; 0 where there was time only for that of the sweep.
    pub(crate) rounds: usize,
}

/// How a searcher did in a scenario.
#[derive(Serialize)]
pub(crate) struct Outcome {
    pub(crate) searcher: String,
    pub(crate) scenario: String,
    pub(crate) points: Vec<Point>,
    /// One for each target that was reached.
    pub(crate) chosen: Vec<Chosen>,
    /// Why the sweep is not whole.
    pub(crate) note: Option<String>,
}

/// The whole catalog, then the filters asked for.
pub(crate) fn scenarios(data: &Data, args: &Args) -> Result<Vec<Scenario>, String> {
    let queries = if args.quick { QUICK_QUERIES } else { data.queries() };
    let whole = Scenario { name: "all".to_owned(), masks: None, queries, truth: data.truth.clone() };
    let filtered = args.filters.iter().map(|kept| {
        let masks = data.masks(kept)?;
        let (name, truth) = (format!("{kept} %"), masks.truth.clone());
        Ok(Scenario { name, masks: Some(SharedMasks::new(masks)), queries: MASKED_QUERIES, truth })
    });
    std::iter::once(Ok(whole)).chain(filtered).collect()
}

/// Measures every searcher in every scenario.
pub(crate) fn play(
    contenders: &mut [Box<dyn Contender>],
    scenarios: &[Scenario],
    args: &Args,
) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    for scenario in scenarios {
        let mut players: Vec<Player<'_>> =
            contenders.iter_mut().map(|c| Player::enter(c.as_mut(), scenario, args)).collect();
        while players.iter().any(Player::sweeping) {
            players.iter_mut().for_each(|player| player.sweep(scenario));
        }
        players.iter_mut().for_each(|player| player.choose(args.budget));
        for _ in 0..args.rounds {
            players.iter_mut().for_each(|player| player.repeat(scenario));
        }
        outcomes.extend(players.into_iter().map(|player| player.leave(scenario)));
    }
    outcomes
}

/// A searcher within one scenario.
struct Player<'a> {
    contender: &'a mut dyn Contender,
    /// Settings still to try, the next one last.
    open: Vec<Setting>,
    /// Time left.
    left: Duration,
    points: Vec<Point>,
    /// Points chosen for the targets, with the times of their rounds.
    picks: Vec<(f64, usize, Vec<u32>, usize)>,
    note: Option<String>,
}

impl<'a> Player<'a> {
    fn enter(contender: &'a mut dyn Contender, scenario: &Scenario, args: &Args) -> Self {
        let mut open = contender.settings(scenario.masks.is_some());
        let mut note = open.is_empty().then(|| "does not filter".to_owned());
        if let (false, Some(masks)) = (open.is_empty(), &scenario.masks) {
            note = contender.prepare(masks).err();
        }
        if note.is_some() {
            open.clear();
        }
        if args.quick {
            open = open.into_iter().step_by(2).collect();
        }
        open.reverse();
        Self { contender, open, left: args.budget, points: Vec::new(), picks: Vec::new(), note }
    }

    fn sweeping(&self) -> bool {
        !self.open.is_empty()
    }

    /// Runs a setting; notes what went wrong.
    fn run(&mut self, setting: &Setting, scenario: &Scenario) -> Option<(Recall, Vec<u32>)> {
        let kept = scenario.masks.as_ref().map(|masks| masks.kept.as_str());
        let task = Task { setting, kept, queries: scenario.queries, limit: self.left };
        let start = Instant::now();
        let run = self.contender.run(&task);
        self.left = self.left.saturating_sub(start.elapsed());
        match run {
            Ok(run) if run.finished => Some((measure::recall(&run.ids, &scenario.truth), run.nanos)),
            Ok(run) => {
                let (answered, of) = ((run.ids.len() / crate::data::K), scenario.queries);
                self.note = Some(format!(
                    "not finished: out of time at {} ({answered} of {of} queries warm, {} timed)",
                    setting.label,
                    run.nanos.len()
                ));
                None
            }
            Err(reason) => {
                self.note = Some(format!("failed at {}: {reason}", setting.label));
                None
            }
        }
    }

    /// Tries the next setting, if there is one.
    fn sweep(&mut self, scenario: &Scenario) {
        let Some(setting) = self.open.pop() else { return };
        let Some((recall, nanos)) = self.run(&setting, scenario) else {
            self.open.clear();
            return;
        };
        let Some(latency) = measure::latency(nanos) else { return };
        eprintln!(
            "{:>5}  {:<14} {:<24} recall {:.4}  p50 {:>9.1} us",
            scenario.name,
            self.contender.facts().name,
            setting.label,
            recall.all,
            latency.p50
        );
        self.points.push(Point { setting, recall, latency });
        if recall.all >= ENOUGH {
            self.open.clear();
        }
    }

    /// Picks the cheapest point for each target.
    fn choose(&mut self, budget: Duration) {
        for target in TARGETS {
            let reached = self.points.iter().enumerate().filter(|(_, point)| point.recall.all >= target);
            let cheapest = reached.min_by(|(_, a), (_, b)| a.latency.p50.total_cmp(&b.latency.p50));
            self.picks.extend(cheapest.map(|(index, _)| (target, index, Vec::new(), 0)));
        }
        self.left = budget;
    }

    /// One more round of the points picked; a point picked twice is run once.
    fn repeat(&mut self, scenario: &Scenario) {
        for pick in 0..self.picks.len() {
            let index = self.picks[pick].1;
            let measured = match pick.checked_sub(1).map(|before| &self.picks[before]) {
                Some((_, same, nanos, rounds)) if *same == index => Some((nanos.clone(), *rounds)),
                _ => None,
            };
            if let Some((nanos, rounds)) = measured {
                (self.picks[pick].2, self.picks[pick].3) = (nanos, rounds);
            } else if !self.left.is_zero() {
                let setting = self.points[index].setting.clone();
                if let Some((_, nanos)) = self.run(&setting, scenario) {
                    self.picks[pick].2.extend(nanos);
                    self.picks[pick].3 += 1;
                }
            }
        }
    }

    fn leave(self, scenario: &Scenario) -> Outcome {
        let chosen = self.picks.into_iter().map(|(target, index, nanos, rounds)| {
            let point = &self.points[index];
            Chosen {
                target,
                setting: point.setting.clone(),
                recall: point.recall,
                latency: measure::latency(nanos).unwrap_or(point.latency),
                rounds,
            }
        });
        Outcome {
            searcher: self.contender.facts().name.clone(),
            scenario: scenario.name.clone(),
            chosen: chosen.collect(),
            points: self.points,
            note: self.note,
        }
    }
}
