//! The log, read back: each decision with what came of it. What evaluation and learning start from.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int32Type, Int64Type, TimestampMillisecondType};
use arrow_array::{Array, ArrayRef, RecordBatch};

use super::events::id_hash;
use super::{Log, LogError, Table, io, read_batches};
use crate::event::EventKind;
use crate::limits::LAYERS_MAX;
use crate::vocabulary::Stage;

/// A decision as the log has it.
#[derive(Debug, Clone, Default)]
pub struct Logged {
    /// Joins what came of it.
    pub decision_id: u128,
    /// Shared by the pages of one order under several answers.
    pub group_id: u128,
    /// The order had a page before, which an answer of the customer replaced by this one.
    pub decided_again: bool,
    /// Unix milliseconds; 0 = not known.
    pub at_ms: i64,
    /// Generation of the catalog.
    pub index: u64,
    /// Generation of the policy.
    pub policy: u64,
    /// Id of the placement; empty = the default one.
    pub placement: String,
    /// The stage.
    pub stage: Stage,
    /// Stands for the unit.
    pub unit_hash: u64,
    /// Whether its slate was on the page, as far as the decision went.
    pub shown: bool,
    /// Bucket of the unit in each layer.
    pub buckets: [Option<u16>; LAYERS_MAX],
    /// Slots to fill.
    pub slots: u8,
    /// Candidates that passed every rule and floor, also those that the log has no room for.
    pub eligible: u16,
    /// Minor units; `None` = not known.
    pub order_value: Option<i64>,
    /// Types of bought lines, as rows of the catalog of [`Self::index`].
    pub line_types: Vec<u32>,
    /// Those of the slate first.
    pub candidates: Vec<LoggedCandidate>,
    /// In the order of positions.
    pub slate: Vec<LoggedSlot>,
    /// The page was seen. Without it nothing that came of it counts.
    pub activated: bool,
}

/// A candidate that passed every rule and floor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoggedCandidate {
    /// Number of its id in [`LogData::names`].
    pub name: u32,
    /// Thousandths.
    pub relevance: u16,
    /// Parts per million.
    pub p_accept_ppm: u32,
    /// The catalog's own, which a model may have replaced.
    pub p_catalog_ppm: u32,
    /// The model's, where there was one: it decided, or was a shadow.
    pub p_model_ppm: Option<u32>,
    /// Minor units.
    pub value: u32,
    /// Bought before.
    pub refill: bool,
}

/// A slot of a slate with what came of it. Amounts are minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LoggedSlot {
    /// From 0.
    pub position: u8,
    /// Probability of the choice given the slots before, parts per million.
    pub p_select_ppm: u32,
    /// Accepted, and not failed.
    pub accepted: bool,
    /// Converted less returned.
    pub revenue: i64,
    /// The merchant's part of it, and what partners paid, less what came back.
    pub margin: i64,
}

/// What a log holds.
#[derive(Debug, Default)]
pub struct LogData {
    /// By time, then by id.
    pub decisions: Vec<Logged>,
    /// Ids of products and offers.
    pub names: Vec<String>,
    /// Files that are damaged, and why: nothing of them is in here.
    pub skipped: Vec<(PathBuf, String)>,
}

/// Texts, each once.
#[derive(Default)]
struct Names {
    texts: Vec<String>,
    known: HashMap<String, u32>,
}

impl Names {
    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.known.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.known.insert(text.to_owned(), number);
        number
    }
}

/// What happened to one item of a decision, or to its page.
struct Happened {
    decision_id: u128,
    name: u32,
    kind: EventKind,
    amounts: [i64; 3],
}

impl Log {
    /// Reads all decisions with what came of them. A decision or event that is there twice counts once.
    ///
    /// # Errors
    /// [`LogError`]; what is damaged is left out and told in [`LogData::skipped`].
    pub fn read(&self) -> Result<LogData, LogError> {
        let (mut data, mut names) = (LogData::default(), Names::default());
        let mut at = HashMap::new();
        self.each_batch(Table::Decisions, &mut data.skipped, |batch| {
            for row in 0..batch.num_rows() {
                let decision = Row(batch, row).decision(&mut names);
                at.entry(decision.decision_id).or_insert_with(|| {
                    data.decisions.push(decision);
                    data.decisions.len() - 1
                });
            }
        })?;
        mark_decided_again(&mut data.decisions);
        let mut slots: HashSet<(u128, i32)> = HashSet::new();
        self.each_batch(Table::Offers, &mut data.skipped, |batch| {
            for row in (0..batch.num_rows()).map(|row| Row(batch, row)) {
                let (id, position) = (row.id("decision_id"), row.int("position").unwrap_or(0));
                let decision = at.get(&id).and_then(|at| data.decisions.get_mut(*at));
                if let Some(decision) = decision.filter(|_| slots.insert((id, position))) {
                    let p_select_ppm = (row.double("p_select") * 1e6).round() as u32;
                    let slot = LoggedSlot { position: position as u8, p_select_ppm, ..LoggedSlot::default() };
                    decision.slate.push(slot);
                }
            }
        })?;
        let (mut seen, mut happened) = (HashSet::new(), Vec::new());
        self.each_batch(Table::Events, &mut data.skipped, |batch| {
            for row in (0..batch.num_rows()).map(|row| Row(batch, row)) {
                let kind = EventKind::ALL.iter().find(|kind| kind.name() == row.text("event"));
                if let Some(kind) = kind.filter(|_| seen.insert(id_hash(row.text("event_id")))) {
                    let amounts = ["value", "margin", "payout"].map(|name| row.long(name).unwrap_or(0));
                    let name = names.number(row.text("item_id"));
                    happened.push(Happened {
                        decision_id: row.id("decision_id"),
                        name,
                        kind: *kind,
                        amounts,
                    });
                }
            }
        })?;
        // What failed came after it was accepted, in whichever order the two arrived.
        happened.sort_by_key(|one| one.kind == EventKind::AcceptFailed);
        for one in &happened {
            if let Some(decision) = at.get(&one.decision_id).and_then(|at| data.decisions.get_mut(*at)) {
                decision.live_on(one);
            }
        }
        data.decisions.sort_by_key(|decision| (decision.at_ms, decision.decision_id));
        data.names = names.texts;
        Ok(data)
    }

    fn each_batch(
        &self,
        table: Table,
        skipped: &mut Vec<(PathBuf, String)>,
        mut each: impl FnMut(&RecordBatch),
    ) -> Result<(), LogError> {
        let files = self.files(table)?;
        skipped.extend(files.skipped);
        for path in files.whole {
            let bytes = std::fs::read(&path).map_err(io(&path, "read"))?;
            let batches = read_batches(bytes.into())
                .map_err(|problem| LogError::Parquet { path: path.clone(), problem })?;
            batches.iter().for_each(&mut each);
        }
        Ok(())
    }
}

/// In a group the page without an answer came first; without one, that which was logged first.
fn mark_decided_again(decisions: &mut [Logged]) {
    let mut first = HashMap::new();
    for decision in &*decisions {
        let id = first.entry(decision.group_id).or_insert(decision.decision_id);
        if decision.decision_id == decision.group_id {
            *id = decision.decision_id;
        }
    }
    for decision in decisions {
        decision.decided_again = first.get(&decision.group_id) != Some(&decision.decision_id);
    }
}

impl Logged {
    fn live_on(&mut self, one: &Happened) {
        self.activated |= one.kind == EventKind::Activated;
        let at = self.candidates.iter().take(self.slate.len()).position(|c| c.name == one.name);
        let Some(slot) = at.and_then(|at| self.slate.get_mut(at)) else { return };
        let [value, margin, payout] = one.amounts;
        match one.kind {
            EventKind::Accepted => slot.accepted = true,
            EventKind::AcceptFailed => slot.accepted = false,
            EventKind::Converted => {
                slot.revenue += value;
                slot.margin += margin + payout;
            }
            EventKind::Returned => {
                slot.revenue -= value;
                slot.margin -= margin + payout;
            }
            _ => {}
        }
    }
}

/// A row of a table. What is missing reads as nothing: whole files have all columns.
struct Row<'a>(&'a RecordBatch, usize);

impl<'a> Row<'a> {
    fn column(&self, name: &str) -> Option<&'a ArrayRef> {
        self.0.column_by_name(name).filter(|column| column.is_valid(self.1))
    }

    fn text(&self, name: &str) -> &'a str {
        self.column(name).and_then(|c| c.as_string_opt::<i32>()).map_or("", |texts| texts.value(self.1))
    }

    fn int(&self, name: &str) -> Option<i32> {
        Some(self.column(name)?.as_primitive_opt::<Int32Type>()?.value(self.1))
    }

    fn long(&self, name: &str) -> Option<i64> {
        Some(self.column(name)?.as_primitive_opt::<Int64Type>()?.value(self.1))
    }

    fn double(&self, name: &str) -> f64 {
        let doubles = self.column(name).and_then(|c| c.as_primitive_opt::<Float64Type>());
        doubles.map_or(0.0, |doubles| doubles.value(self.1))
    }

    fn list(&self, name: &str) -> Option<ArrayRef> {
        Some(self.column(name)?.as_list_opt::<i32>()?.value(self.1))
    }

    fn doubles(&self, name: &str) -> Vec<f64> {
        let list = self.list(name);
        let own = list.as_ref().and_then(|list| list.as_primitive_opt::<Float64Type>());
        own.map_or_else(Vec::new, |own| own.values().to_vec())
    }

    fn id(&self, name: &str) -> u128 {
        u128::from_str_radix(self.text(name), 16).unwrap_or(0)
    }

    fn hex(&self, name: &str) -> u64 {
        u64::from_str_radix(self.text(name), 16).unwrap_or(0)
    }

    fn decision(&self, names: &mut Names) -> Logged {
        let at = self.column("at_utc").and_then(|c| c.as_primitive_opt::<TimestampMillisecondType>());
        let types = self.list("line_types");
        let types = types.as_ref().and_then(|list| list.as_primitive_opt::<Int32Type>());
        let bucket = |layer: usize| Some(self.int(&format!("bucket_{}", layer + 1))? as u16);
        Logged {
            decision_id: self.id("decision_id"),
            group_id: self.id("group_id"),
            decided_again: false,
            at_ms: at.map_or(0, |at| at.value(self.1)),
            index: self.hex("index_generation"),
            policy: self.hex("policy_generation"),
            placement: self.text("placement").to_owned(),
            stage: Stage::from_name(self.text("stage")).unwrap_or_default(),
            unit_hash: self.hex("unit_hash"),
            shown: self.text("shows") == "offers",
            buckets: std::array::from_fn(bucket),
            slots: self.int("slots").unwrap_or(0) as u8,
            eligible: self.int("eligible").unwrap_or(0) as u16,
            order_value: self.long("order_value"),
            line_types: types
                .map_or_else(Vec::new, |t| t.values().iter().map(|t| t.cast_unsigned()).collect()),
            candidates: self.candidates(names),
            slate: Vec::new(),
            activated: false,
        }
    }

    fn candidates(&self, names: &mut Names) -> Vec<LoggedCandidate> {
        let (Some(ids), Some(refills)) = (self.list("candidate_ids"), self.list("candidate_refill")) else {
            return Vec::new();
        };
        let (Some(ids), Some(refills)) = (ids.as_string_opt::<i32>(), refills.as_boolean_opt()) else {
            return Vec::new();
        };
        let [likely, catalog, models, fits, values] = [
            "candidate_p_accept",
            "candidate_p_catalog",
            "candidate_p_model",
            "candidate_relevance",
            "candidate_value",
        ]
        .map(|name| self.doubles(name));
        let learnt = !self.text("model_generation").is_empty();
        let number = |list: &[f64], at: usize| list.get(at).copied().unwrap_or(0.0);
        let ppm = |list: &[f64], at: usize| (number(list, at) * 1e6).round() as u32;
        let candidate = |at: usize| LoggedCandidate {
            name: names.number(ids.value(at)),
            relevance: (number(&fits, at) * 1e3).round() as u16,
            p_accept_ppm: ppm(&likely, at),
            p_catalog_ppm: ppm(&catalog, at),
            p_model_ppm: learnt.then(|| ppm(&models, at)),
            value: number(&values, at) as u32,
            refill: at < refills.len() && refills.value(at),
        };
        (0..ids.len()).map(candidate).collect()
    }
}
