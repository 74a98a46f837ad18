//! What came of decisions: late, out of order and twice, all of which is welcome.

use std::collections::HashSet;
use std::io::BufRead;
use std::path::Path;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, RecordBatch, TimestampMillisecondArray};
use serde::Deserialize;
use xxhash_rust::xxh3::{Xxh3Default, xxh3_128};

use super::decisions::{batch, hex_id, long, texts};
use super::{Log, LogError, Table, io, read_batches};

/// Declares the kinds of event.
macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $text:literal,)+) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum EventKind { $($(#[$doc])* $name,)+ }

        impl EventKind {
            /// All.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The name that logs use.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }
    };
}

kinds! {
    /// The page with its offers was seen. Without it nothing counts as shown; of a held-out unit: the page without them was.
    Activated = "activated",
    /// An offer was looked at more closely.
    Engaged = "engaged",
    /// An offer was accepted.
    Accepted = "accepted",
    /// It was, and could not be carried out; `code` says why.
    AcceptFailed = "accept_failed",
    /// An accepted offer earned `value`, of which `margin` and `payout` are the merchant's.
    Converted = "converted",
    /// Of that, `value`, `margin` and `payout` came back.
    Returned = "returned",
    /// An offer or the page was waved away.
    Dismissed = "dismissed",
    /// `question` was answered with tag `answer`.
    SurveyAnswered = "survey_answered",
    /// The unit ordered something afterwards, by an offer or not, for `value`: for every arm alike.
    Ordered = "ordered",
}

/// One event. Amounts are minor units of the currency of its decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its own, 1 to 128 bytes: of several with the same id only one counts.
    pub event_id: String,
    /// Of which decision.
    pub decision_id: u128,
    /// When, Unix milliseconds.
    pub at_ms: i64,
    /// What.
    pub kind: EventKind,
    /// Id of the product or offer; empty = the whole page.
    pub item_id: String,
    /// 0 or more.
    pub value: Option<i64>,
    /// May be negative.
    pub margin: Option<i64>,
    /// From the partner; 0 or more.
    pub payout: Option<i64>,
    /// The host's own word.
    pub code: String,
    /// Of a survey.
    pub question: String,
    /// Its tag.
    pub answer: String,
}

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
        if !(1..=128).contains(&line.event_id.len()) {
            return Err("event_id: 1 to 128 bytes".into());
        }
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
        if value < Some(0) && value.is_some() || payout < Some(0) && payout.is_some() {
            return Err("value and payout are 0 or more; what came back is a \"returned\"".into());
        }
        if matches!(line.event, EventKind::Converted | EventKind::Ordered | EventKind::Returned)
            && value.is_none()
        {
            return Err(format!("value: \"{}\" has one", line.event.name()));
        }
        Ok(Self {
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
        })
    }
}

fn minor(field: &str, major: f64) -> Result<i64, String> {
    let minor = (major * 100.0).round();
    if minor.abs() > 1e15 || (minor - major * 100.0).abs() > 1e-6 * major.abs().max(1.0) {
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
