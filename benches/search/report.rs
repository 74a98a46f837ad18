//! What is written down: tables for people, one JSON document for programs.

use std::fmt::Write;

use serde::Serialize;

use crate::contender::Facts;
use crate::data::{Data, K};
use crate::machine::Machine;
use crate::ours;
use crate::rounds::{Chosen, Outcome, TARGETS};

/// Everything of one run.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    pub(crate) data: DataFacts,
    pub(crate) missing: Vec<Missing>,
    pub(crate) searchers: Vec<Facts>,
    pub(crate) outcomes: Vec<Outcome>,
}

/// What the vectors are.
#[derive(Serialize)]
pub(crate) struct DataFacts {
    pub(crate) rows: usize,
    pub(crate) dim: usize,
    /// Queries without a filter.
    pub(crate) queries: usize,
    /// Answers asked for.
    pub(crate) k: usize,
    pub(crate) seed: Option<u64>,
}

/// A searcher that did not take part.
#[derive(Serialize)]
pub(crate) struct Missing {
    pub(crate) name: String,
    pub(crate) reason: String,
}

pub(crate) fn describe(data: &Data, queries: usize, seed: Option<u64>) -> DataFacts {
    DataFacts { rows: data.rows, dim: data.dim, queries, k: K, seed }
}

impl Report {
    /// Tables as text.
    pub(crate) fn table(&self) -> String {
        let mut text = String::new();
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        let (machine, data) = (&self.machine, &self.data);
        let seed = data.seed.map_or(String::new(), |seed| format!(", seed {seed}"));
        writeln!(out, "{} x {}{seed}: recall@{} over {} queries", data.rows, data.dim, data.k, data.queries)?;
        writeln!(out, "{}, {} cores, searching on one; {}", machine.cpu, machine.cores, machine.date)?;
        for missing in &self.missing {
            writeln!(out, "\nMISSING {}: {}", missing.name, missing.reason)?;
        }
        self.write_searchers(out)?;
        let mut scenarios: Vec<&str> = self.outcomes.iter().map(|o| o.scenario.as_str()).collect();
        scenarios.dedup();
        scenarios.iter().try_for_each(|scenario| self.write_scenario(out, scenario))
    }

    fn write_searchers(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\n{:<14} {:>9} {:>12} built with", "searcher", "load s", "peak MB")?;
        for facts in &self.searchers {
            let Facts { name, how, load_seconds, build_peak_mb, .. } = facts;
            write!(out, "{name:<14} {load_seconds:>9.2} {build_peak_mb:>12.0} {how}")?;
            if let Some(empty) = facts.empty_call_us {
                let small = facts.small_call_us.map_or("?".to_owned(), |us| format!("{us:.1}"));
                write!(
                    out,
                    "; Python: {empty:.2} us for an empty call, {small} us for one on 16 vectors, included"
                )?;
            }
            writeln!(out)?;
        }
        Ok(())
    }

    fn write_scenario(&self, out: &mut String, scenario: &str) -> std::fmt::Result {
        let what = if scenario == "all" { "no filter" } else { "of the catalog allowed" };
        writeln!(out, "\n{scenario}: {what}")?;
        writeln!(
            out,
            "{:<14} {:>6} {:>7} {:>7} {:>7} {:>10} {:>10} {:>10} {:>8} {:>8} {:>8} {:>8}  setting",
            "searcher",
            "recall",
            "all",
            "single",
            "basket",
            "p50 us",
            "p99 us",
            "p99.9 us",
            "x ours",
            "build s",
            "file MB",
            "RSS MB"
        )?;
        let of = |outcome: &&Outcome| outcome.scenario == scenario;
        for outcome in self.outcomes.iter().filter(of) {
            for target in TARGETS {
                match outcome.chosen.iter().find(|chosen| chosen.target == target) {
                    Some(chosen) => self.write_chosen(out, outcome, chosen)?,
                    None if outcome.points.is_empty() => {}
                    None => {
                        let best = outcome.points.iter().map(|p| p.recall.all).fold(0.0, f64::max);
                        writeln!(
                            out,
                            "{:<14} {target:>6.2} not reached: {best:.4} at most",
                            outcome.searcher
                        )?;
                    }
                }
            }
            if let Some(note) = &outcome.note {
                writeln!(out, "{:<14}        {note}", outcome.searcher)?;
            }
        }
        Ok(())
    }

    fn write_chosen(&self, out: &mut String, outcome: &Outcome, chosen: &Chosen) -> std::fmt::Result {
        let Chosen { target, setting, recall, latency, rounds } = chosen;
        let ours = self.outcomes.iter().find(|o| o.searcher == ours::NAME && o.scenario == outcome.scenario);
        let ours = ours.and_then(|o| o.chosen.iter().find(|c| c.target == *target));
        let ratio = ours.map_or("-".to_owned(), |ours| format!("{:.2}", latency.p50 / ours.latency.p50));
        write!(
            out,
            "{:<14} {target:>6.2} {:>7.4} {:>7.4} {:>7.4} {:>10.1} {:>10.1} {:>10.1} {ratio:>8}",
            outcome.searcher,
            recall.all,
            recall.single,
            recall.basket,
            latency.p50,
            latency.p99,
            latency.p999
        )?;
        if let Some(facts) = self.searchers.iter().find(|facts| facts.name == outcome.searcher) {
            write!(out, " {:>8.1} {:>8.0} {:>8.0}", facts.build_seconds, facts.file_mb, facts.resident_mb)?;
        }
        let one = if *rounds == 0 { " (timed once)" } else { "" };
        writeln!(out, "  {}{one}", setting.label)
    }
}
