//! What takes part: a searcher in this process, or a peer behind a pipe.

use std::rc::Rc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::cache::Built;
use crate::data::{Data, K, SharedMasks};
use crate::machine;
pub(crate) use crate::measure::NONE;

/// One point of a searcher's sweep.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Setting {
    pub(crate) label: String,
    /// The searcher's own effort parameters.
    pub(crate) values: Vec<u32>,
}

impl Setting {
    /// A setting for each value of one parameter.
    pub(crate) fn each(parameter: &str, values: &[u32]) -> Vec<Self> {
        values.iter().map(|v| Self { label: format!("{parameter} {v}"), values: vec![*v] }).collect()
    }
}

/// An index in this process that answers one query at a time. This is what to implement for a new searcher.
pub(crate) trait Searcher {
    /// What it is built with, in a line.
    fn how(&self) -> String;

    /// Settings to try, cheapest first; empty where it cannot filter.
    fn settings(&self, filtered: bool) -> Vec<Setting>;

    /// Readies what filtered queries need, untimed; forgets the scenario before.
    fn prepare(&mut self, masks: &SharedMasks);

    /// Writes the best [`K`] rows or fewer into `out`, which is empty. `filter` is the number of the query whose
    /// prepared mask holds. All of this is timed.
    fn search(&mut self, setting: &Setting, query: &[f32], filter: Option<usize>, out: &mut Vec<u32>);
}

/// What stands about a searcher beside its timings.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Facts {
    pub(crate) name: String,
    pub(crate) how: String,
    pub(crate) python: bool,
    pub(crate) build_seconds: f64,
    /// The most memory that building took.
    pub(crate) build_peak_mb: f64,
    /// Bytes of its files.
    pub(crate) file_mb: f64,
    pub(crate) load_seconds: f64,
    /// Growth of resident memory from before loading, after a scenario was searched.
    pub(crate) resident_mb: f64,
    /// A call of nothing, in Python.
    pub(crate) empty_call_us: Option<f64>,
    /// A call of the same library on 16 vectors: a bound on what the call costs. Not subtracted anywhere.
    pub(crate) small_call_us: Option<f64>,
}

impl Facts {
    pub(crate) fn of(name: &str, how: String, built: &Built) -> Self {
        let (build_seconds, build_peak_mb, file_mb) = (built.seconds, built.peak_mb, built.file_mb);
        Self { name: name.to_owned(), how, build_seconds, build_peak_mb, file_mb, ..Self::default() }
    }
}

/// Answers and times of one warm-up pass and one timed pass over the queries.
#[derive(Deserialize)]
pub(crate) struct Run {
    /// [`K`] rows a query, [`NONE`]-padded, from the warm-up.
    pub(crate) ids: Vec<i32>,
    /// Nanoseconds of each query of the timed pass.
    pub(crate) nanos: Vec<u32>,
    /// Whether both passes came to their ends within the limit.
    pub(crate) finished: bool,
    /// Bytes of the searcher's process in memory afterwards.
    #[serde(default)]
    pub(crate) resident: u64,
}

/// Passes that were asked for: a setting over the first queries, filtered or not, within a limit.
pub(crate) struct Task<'a> {
    pub(crate) setting: &'a Setting,
    pub(crate) kept: Option<&'a str>,
    pub(crate) queries: usize,
    pub(crate) limit: Duration,
}

/// What the rounds drive.
pub(crate) trait Contender {
    fn facts(&self) -> &Facts;
    fn settings(&self, filtered: bool) -> Vec<Setting>;
    fn prepare(&mut self, masks: &SharedMasks) -> Result<(), String>;
    fn run(&mut self, task: &Task<'_>) -> Result<Run, String>;
}

/// A [`Searcher`] with what it takes to time it.
pub(crate) struct InProcess {
    facts: Facts,
    searcher: Box<dyn Searcher>,
    data: Rc<Data>,
    /// Scenarios whose first run has been added to the resident memory.
    grown: bool,
}

impl InProcess {
    /// Opens a searcher and notes how long that took and how much memory it took.
    pub(crate) fn open<S: Searcher + 'static>(
        name: &str,
        data: &Rc<Data>,
        built: &Built,
        open: impl FnOnce() -> Result<S, String>,
    ) -> Result<Box<dyn Contender>, String> {
        let (before, start) = (machine::resident(), Instant::now());
        let searcher = Box::new(open()?);
        let mut facts = Facts::of(name, searcher.how(), built);
        facts.load_seconds = start.elapsed().as_secs_f64();
        facts.resident_mb = machine::resident().saturating_sub(before) as f64 / 1e6;
        Ok(Box::new(Self { facts, searcher, data: Rc::clone(data), grown: false }))
    }

    fn pass(&mut self, task: &Task<'_>, end: Instant, mut note: impl FnMut(&[u32], Duration)) -> bool {
        let mut out = Vec::with_capacity(2 * K);
        for number in 0..task.queries {
            out.clear();
            let filter = task.kept.map(|_| number);
            let start = Instant::now();
            self.searcher.search(task.setting, self.data.query(number), filter, &mut out);
            let stop = Instant::now();
            note(&out, stop - start);
            if stop > end {
                return false;
            }
        }
        true
    }
}

impl Contender for InProcess {
    fn facts(&self) -> &Facts {
        &self.facts
    }

    fn settings(&self, filtered: bool) -> Vec<Setting> {
        self.searcher.settings(filtered)
    }

    fn prepare(&mut self, masks: &SharedMasks) -> Result<(), String> {
        self.searcher.prepare(masks);
        Ok(())
    }

    fn run(&mut self, task: &Task<'_>) -> Result<Run, String> {
        let (before, end) = (machine::resident(), Instant::now() + task.limit);
        let (mut ids, mut nanos) = (Vec::new(), Vec::new());
        ids.reserve(task.queries * K);
        nanos.reserve(task.queries);
        let warm = self.pass(task, end, |found, _| {
            let rows = found.iter().map(|row| *row as i32).chain(std::iter::repeat(NONE));
            ids.extend(rows.take(K));
        });
        let finished = warm && self.pass(task, end, |_, spent| nanos.push(spent.as_nanos() as u32));
        if !self.grown {
            self.grown = true;
            self.facts.resident_mb += machine::resident().saturating_sub(before) as f64 / 1e6;
        }
        Ok(Run { ids, nanos, finished, resident: machine::resident() })
    }
}
