//! Rows as the Open Bandit Pipeline (Saito et al. 2021) has them: one choice each, with its true probability.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use aftercart::evaluate::{Choice, Page};

use crate::Failure;

/// One choice.
#[derive(Debug, Clone, serde::Deserialize)]
pub(super) struct Row {
    #[serde(rename = "item_id")]
    item: u32,
    position: u32,
    #[serde(rename = "click")]
    pub(super) reward: f64,
    #[serde(rename = "propensity_score")]
    logged: f64,
}

pub(super) fn read(path: &Path) -> Result<Vec<Row>, Failure> {
    let failed = |problem: &dyn std::fmt::Display| format!("{}: {problem}", path.display());
    let file = File::open(path).map_err(|e| failed(&e))?;
    let plain: Box<dyn Read> = if path.extension().is_some_and(|extension| extension == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    };
    let rows: Result<Vec<Row>, _> = csv::Reader::from_reader(plain).deserialize().collect();
    let rows = rows.map_err(|e| failed(&e))?;
    match rows.iter().position(|row| !(row.logged > 0.0 && row.logged <= 1.0)) {
        Some(at) => Err(failed(&format!("row {}: propensity_score: above 0, at most 1", at + 1)).into()),
        None => Ok(rows),
    }
}

/// Clicks and rows.
type Counts = HashMap<(u32, u32), (f64, f64)>;

/// Each row as a page of one choice. The target shows each item as often at each position as `other` did, or all alike.
pub(super) fn pages(rows: &[Row], other: Option<&[Row]>) -> Result<Vec<Page>, Failure> {
    let items = rows.iter().chain(other.unwrap_or(&[])).map(|row| row.item + 1).max().unwrap_or(0);
    let target = match other {
        Some(other) => shares(other),
        None => HashMap::new(),
    };
    let chance = |item: u32, position: u32| match other {
        Some(_) => target.get(&(item, position)).copied().unwrap_or(0.0),
        None => 1.0 / f64::from(items),
    };
    let mut counts = [Counts::new(), Counts::new()];
    for (at, row) in rows.iter().enumerate() {
        let own = counts[at % 2].entry((row.item, row.position)).or_default();
        *own = (own.0 + row.reward, own.1 + 1.0);
    }
    let level = rows.iter().map(|row| row.reward).sum::<f64>() / (rows.len() as f64).max(1.0);
    let page = |(at, row): (usize, &Row)| {
        // Each half of the rows is asked what it expects of the other; few rows are drawn towards the mean of all.
        let expected = |item: u32| {
            let (clicks, n) = counts[1 - at % 2].get(&(item, row.position)).copied().unwrap_or((0.0, 0.0));
            (clicks + PRIOR_ROWS * level) / (n + PRIOR_ROWS)
        };
        let choice = Choice {
            logged: row.logged,
            target: chance(row.item, row.position),
            alone: Some([row.logged, chance(row.item, row.position)]),
            reward: row.reward,
            expected: expected(row.item),
            expected_target: (0..items).map(|item| chance(item, row.position) * expected(item)).sum(),
            supported: 1.0,
        };
        Page { unit: at as u64, choices: vec![choice] }
    };
    if rows.is_empty() {
        return Err("there is no row".into());
    }
    Ok(rows.iter().enumerate().map(page).collect())
}

/// Rows that the mean of all stands for.
const PRIOR_ROWS: f64 = 100.0;

/// How often each item was shown at each position, of all rows of the position.
fn shares(rows: &[Row]) -> HashMap<(u32, u32), f64> {
    let (mut each, mut all) = (HashMap::new(), HashMap::<u32, f64>::new());
    for row in rows {
        *each.entry((row.item, row.position)).or_insert(0.0) += 1.0;
        *all.entry(row.position).or_default() += 1.0;
    }
    each.into_iter().map(|((item, position), n)| ((item, position), n / all[&position])).collect()
}
