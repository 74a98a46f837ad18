//! Opening and the first decisions, when nothing of the file is in memory.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aftercart::{Decider, Engine, OpenOptions, Prefault, Verify};
use serde_json::{Value, json};

use crate::measure::{Result, percentile, timed};
use crate::request::Basket;

/// Openings of one scenario, each with other baskets.
const ROUNDS: usize = 15;
/// Decisions after the first one.
const LATER: usize = 20;

/// First decisions at once and a while after opening, with and without the file being read ahead.
pub(crate) fn rows(path: &Path, baskets: &[Basket]) -> Result<Vec<Value>> {
    let scenarios = [
        ("cold, at once", Prefault::Background, 0),
        ("cold, 50 ms after open", Prefault::Background, 50),
        ("cold, 500 ms after open", Prefault::Background, 500),
        ("cold, nothing read ahead", Prefault::None, 0),
        ("cold, whole file read at open", Prefault::Whole, 0),
    ];
    scenarios.into_iter().map(|(name, prefault, wait)| row(path, baskets, name, prefault, wait)).collect()
}

fn row(path: &Path, baskets: &[Basket], name: &str, prefault: Prefault, wait_ms: u64) -> Result<Value> {
    let (mut open, mut first, mut later) = (Vec::new(), Vec::new(), Vec::new());
    let (mut faults, mut bytes) = (Vec::new(), Vec::new());
    let mut baskets = baskets.iter().cycle();
    for _ in 0..ROUNDS {
        drop_from_page_cache(path)?;
        let read = read_from_disk();
        let since = Instant::now();
        let options = OpenOptions { verify: Verify::Structure, prefault, ..OpenOptions::default() };
        let engine = Arc::new(Engine::open(path, options)?);
        open.push(since.elapsed());
        let mut decider = Decider::new(engine);
        std::thread::sleep(Duration::from_millis(wait_ms));
        let waited = major_faults();
        first.extend(baskets.by_ref().take(1).map(|basket| timed(&mut decider, basket).0));
        faults.extend(major_faults().zip(waited).map(|(after, before)| after - before));
        bytes.extend(read_from_disk().zip(read).map(|(after, before)| after - before));
        later.extend(baskets.by_ref().take(LATER).map(|basket| timed(&mut decider, basket).0));
    }
    for times in [&mut open, &mut first, &mut later] {
        times.sort_unstable();
    }
    Ok(json!({
        "scenario": name,
        "open_us": percentile(&open, 0.5),
        "open_max_us": percentile(&open, 1.0),
        "first_decision_us": percentile(&first, 0.5),
        "first_decision_min_us": percentile(&first, 0.0),
        "first_decision_max_us": percentile(&first, 1.0),
        "first_decision_waits_for_disk": median(&mut faults),
        "read_until_then_mb": median(&mut bytes).map(|bytes| bytes as f64 / 1e6),
        "next_20_p50_us": percentile(&later, 0.5),
        "next_20_p99_us": percentile(&later, 0.99),
    }))
}

fn drop_from_page_cache(path: &Path) -> Result<()> {
    // What is mapped stays: the thread that read ahead for the last round must have noticed that nobody waits for it.
    std::thread::sleep(Duration::from_millis(50));
    let file = File::open(path)?;
    file.sync_all()?;
    Ok(rustix::fs::fadvise(&file, 0, None, rustix::fs::Advice::DontNeed)?)
}

fn median(values: &mut [u64]) -> Option<u64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}

/// Times that this thread waited for a page from disk. Linux only, as the next one.
fn major_faults() -> Option<u64> {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").ok()?;
    stat.rsplit(')').next()?.split_whitespace().nth(9)?.parse().ok()
}

/// Bytes that this process had read from disk.
fn read_from_disk() -> Option<u64> {
    let io = std::fs::read_to_string("/proc/self/io").ok()?;
    io.lines().find_map(|line| line.strip_prefix("read_bytes: "))?.parse().ok()
}
