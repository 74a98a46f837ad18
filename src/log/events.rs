//! What came of decisions: late, out of order and twice, all of which is welcome.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufRead, Read as _};
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, TimestampMillisecondArray};
use serde::Deserialize;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::decisions::{batch, hex_id, long, texts};
use super::{Log, LogError, Table, io, read_batches};
use crate::event::{self, Event, EventKind};

/// A line that was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct LineProblem {
    /// From 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}

/// What an import did.
#[derive(Debug, Default)]
pub struct Imported {
    /// Events that are new.
    pub new: u64,
    /// Events whose id was there already.
    pub repeated: u64,
    /// Lines that were not taken.
    pub problems: Vec<LineProblem>,
}

/// An event as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    event_id: String,
    decision_id: String,
    at: At,
    event: EventKind,
    #[serde(default, alias = "product_id", alias = "offer_id")]
    item_id: String,
    value: Option<f64>,
    margin: Option<f64>,
    payout: Option<f64>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    question: String,
    #[serde(default)]
    answer: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum At {
    Ms(i64),
    Text(String),
}

impl Event {
    /// Reads one JSON object: see the README. Amounts are in major units there.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn parse(json: &str) -> Result<Self, String> {
        let line: Line = serde_json::from_str(json).map_err(|error| error.to_string())?;
        let digits = line.decision_id.len() == 32 && line.decision_id.bytes().all(|b| b.is_ascii_hexdigit());
        let decision_id = u128::from_str_radix(&line.decision_id, 16)
            .ok()
            .filter(|_| digits)
            .ok_or("decision_id: 32 hexadecimal digits, as the decision says")?;
        let at_ms = match &line.at {
            At::Ms(at_ms) => *at_ms,
            At::Text(text) => {
                let at: jiff::Timestamp =
                    text.parse().map_err(|_| format!("at: \"{text}\" is not like 2026-11-22T10:00:00Z"))?;
                at.as_millisecond()
            }
        };
        let amount = |field: &str, of: Option<f64>| of.map(|amount| minor(field, amount)).transpose();
        let [value, margin, payout] =
            [amount("value", line.value)?, amount("margin", line.margin)?, amount("payout", line.payout)?];
        let event = Self {
            event_id: line.event_id,
            decision_id,
            at_ms,
            kind: line.event,
            item_id: line.item_id,
            value,
            margin,
            payout,
            code: line.code,
            question: line.question,
            answer: line.answer,
        };
        event.check().map_err(|problem| problem.to_string())?;
        Ok(event)
    }
}

fn minor(field: &str, major: f64) -> Result<i64, String> {
    let minor = (major * 100.0).round();
    if (minor - major * 100.0).abs() > 1e-6 * major.abs().max(1.0) {
        return Err(format!("{field}: {major} is not an amount with at most two decimals"));
    }
    Ok(minor as i64)
}

impl Log {
    /// Adds events. Those whose id is in the log already are left out, however often they come.
    ///
    /// # Errors
    /// [`LogError`]: none was added.
    pub fn add_events(&self, events: &[Event]) -> Result<Imported, LogError> {
        let mut known = self.event_ids()?;
        let fresh: Vec<&Event> = events.iter().filter(|e| known.insert(id_hash(&e.event_id))).collect();
        if !fresh.is_empty() {
            let mut name = Xxh3Default::new();
            fresh.iter().for_each(|event| name.update(&id_hash(&event.event_id).to_le_bytes()));
            self.publish(Table::Events, &format!("{:032x}", name.digest128()), &rows(&fresh)?)?;
        }
        let new = fresh.len() as u64;
        Ok(Imported { new, repeated: events.len() as u64 - new, problems: Vec::new() })
    }

    /// Adds events from JSON Lines; lines that cannot be read are told and left out.
    ///
    /// # Errors
    /// [`LogError`]: none was added.
    pub fn import_events(&self, from: &mut dyn BufRead, path: &Path) -> Result<Imported, LogError> {
        let (mut events, mut problems) = (Vec::new(), Vec::new());
        for (line, text) in (1..).zip(from.split(b'\n')) {
            let text = text.map_err(io(path, "read"))?;
            if text.trim_ascii().is_empty() {
                continue;
            }
            let parsed = std::str::from_utf8(&text).map_err(|error| error.to_string()).and_then(Event::parse);
            match parsed {
                Ok(event) => events.push(event),
                Err(problem) => problems.push(LineProblem { line, problem }),
            }
        }
        Ok(Imported { problems, ..self.add_events(&events)? })
    }

    /// Takes in what [`event::append`] left, and throws its files away. A file with lines that were not taken stays beside them as
    /// `refused-N.jsonl`, for a person: import it again when it is corrected. Waits for others that do the same.
    ///
    /// # Errors
    /// [`LogError`]: what was not taken in yet waits.
    pub fn take_events(&self) -> Result<Imported, LogError> {
        let _alone = self.alone()?;
        let waiting = event::path_in(&self.folder);
        if !waiting.parent().is_some_and(Path::exists) {
            return Ok(Imported::default());
        }
        // Renamed first: from now on events go to another file, and only those who had this one open still write to it.
        let named = |state: &str, number: usize| waiting.with_file_name(format!("{state}-{number}.jsonl"));
        let free = |state: &str| (0..).map(|number| named(state, number)).find(|path| !path.exists());
        if waiting.exists() {
            let taken = free("taken").unwrap_or_else(|| waiting.clone());
            std::fs::rename(&waiting, &taken).map_err(io(&waiting, "rename"))?;
        }
        let mut all = Imported::default();
        for path in self.list("incoming", "jsonl")?.iter().filter(|path| is_taken(path)) {
            let mut file = File::options().read(true).write(true).open(path).map_err(io(path, "open"))?;
            file.lock().map_err(io(path, "lock"))?; // until they have written
            let mut text = Vec::new();
            file.read_to_end(&mut text).map_err(io(path, "read"))?;
            let imported = self.import_events(&mut text.as_slice(), path)?;
            match free("refused").filter(|_| !imported.problems.is_empty()) {
                Some(refused) => std::fs::rename(path, &refused).map_err(io(path, "rename"))?,
                None => std::fs::remove_file(path).map_err(io(path, "remove"))?,
            }
            all.new += imported.new;
            all.repeated += imported.repeated;
            all.problems.extend(imported.problems);
        }
        Ok(all)
    }

    /// The ids of all events in whole files, as hashes.
    fn event_ids(&self) -> Result<HashSet<u128>, LogError> {
        let mut ids = HashSet::new();
        for path in self.files(Table::Events)?.whole {
            let bytes = std::fs::read(&path).map_err(io(&path, "read"))?;
            let batches = read_batches(bytes.into())
                .map_err(|problem| LogError::Parquet { path: path.clone(), problem })?;
            for batch in batches {
                if let Some(column) = batch.column_by_name("event_id").and_then(|c| c.as_string_opt::<i32>())
                {
                    ids.extend((0..column.len()).map(|row| id_hash(column.value(row))));
                }
            }
        }
        Ok(ids)
    }
}

fn is_taken(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("taken-"))
}

pub(super) fn id_hash(event_id: &str) -> u128 {
    xxh3_128(event_id.as_bytes())
}

pub(super) fn rows(events: &[&Event]) -> Result<RecordBatch, LogError> {
    batch(Table::Events, |name| {
        let events = || events.iter();
        Some(match name {
            "event_id" => texts(events().map(|e| &e.event_id)),
            "decision_id" => texts(events().map(|e| hex_id(e.decision_id))),
            "at_utc" => Arc::new(TimestampMillisecondArray::from_iter_values(events().map(|e| e.at_ms))),
            "event" => texts(events().map(|e| e.kind.name())),
            "item_id" => texts(events().map(|e| &e.item_id)),
            "value" => long(events().map(|e| e.value)),
            "margin" => long(events().map(|e| e.margin)),
            "payout" => long(events().map(|e| e.payout)),
            "code" => texts(events().map(|e| &e.code)),
            "question" => texts(events().map(|e| &e.question)),
            "answer" => texts(events().map(|e| &e.answer)),
            _ => return None,
        })
    })
}
