//! Records as rows.

use std::sync::Arc;

use arrow_array::builder::{BooleanBuilder, ListBuilder, StringBuilder};
use arrow_array::types::{Float64Type, Int32Type};
use arrow_array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int32Array, Int64Array, ListArray, RecordBatch,
    StringArray, TimestampMillisecondArray,
};

use super::columns;
use super::{LogError, Table};
use crate::days::DAY_MS;
use crate::engine::Engine;
use crate::experiment::Shows;
use crate::index::format::NONE;
use crate::limits::LAYERS_MAX;
use crate::offer::{Item, OfferIx};
use crate::record::{CandidateRecord, DecisionRecord};
use crate::vocabulary::OfferKind;

/// A record with who knows its names.
pub(super) struct Row<'a> {
    pub(super) record: &'a DecisionRecord,
    /// Of the same catalog; `None` where the drain has none.
    pub(super) catalog: Option<&'a Engine>,
    /// Of the same policy.
    pub(super) policy: Option<&'a Engine>,
}

impl Row<'_> {
    fn id(&self, item: Item) -> &str {
        self.catalog.map_or("", |engine| engine.id(item))
    }

    /// Experiment, arm, its share (not known without the policy), bucket.
    fn arm(&self, layer: usize) -> Option<(&str, &str, Option<f64>, u16)> {
        let assigned = self.record.assignment.layers.get(layer).copied().flatten()?;
        let known = self.policy.and_then(|engine| engine.arm_in(layer, assigned.arm));
        let (experiment, arm, share) = known.map_or(("", "", None), |(e, a, share)| (e, a, Some(share)));
        Some((experiment, arm, share, assigned.bucket))
    }

    fn candidates(&self) -> &[CandidateRecord] {
        self.record.candidates.get(..usize::from(self.record.candidate_count)).unwrap_or(&[])
    }

    fn kind(&self, item: Item) -> &'static str {
        match (item, self.catalog) {
            (Item::Product(_), _) => OfferKind::Product.name(),
            (Item::Offer(OfferIx(ix)), Some(engine)) => {
                let kind = engine.view().offer(ix).and_then(|record| OfferKind::from_code(record.kind));
                kind.map_or("", OfferKind::name)
            }
            (Item::Offer(_), None) => "",
        }
    }
}

pub(super) fn hex_id(decision_id: u128) -> String {
    format!("{decision_id:032x}")
}

fn hex(number: u64) -> String {
    format!("{number:016x}")
}

fn ppm(parts: u32) -> f64 {
    f64::from(parts) / 1e6
}

/// Makes the columns that a table lists, each by its name.
pub(super) fn batch(
    table: Table,
    mut column: impl FnMut(&str) -> Option<ArrayRef>,
) -> Result<RecordBatch, LogError> {
    let failed = |problem: String| LogError::Parquet { path: table.name().into(), problem };
    let mut made = Vec::new();
    for (name, ..) in columns::of(table) {
        let array = column(name).ok_or_else(|| failed(format!("nothing makes column \"{name}\"")))?;
        // Whether nulls may occur is a matter of the column, not of today's rows.
        let nullable = !matches!(*name, "decision_id" | "group_id" | "event_id" | "ring" | "number");
        made.push((*name, array, nullable));
    }
    RecordBatch::try_from_iter_with_nullable(made).map_err(|error| failed(error.to_string()))
}

/// A row per record.
pub(super) fn decisions(ring: &str, rows: &[Row<'_>]) -> Result<RecordBatch, LogError> {
    batch(Table::Decisions, |name| {
        identity(name, ring, rows).or_else(|| assignment(name, rows)).or_else(|| outcome(name, rows))
    })
}

fn identity(name: &str, ring: &str, rows: &[Row<'_>]) -> Option<ArrayRef> {
    let records = || rows.iter().map(|row| row.record);
    let known = |at: i64| Some(at).filter(|at| *at != 0);
    Some(match name {
        "decision_id" => texts(records().map(|r| hex_id(r.decision_id))),
        "group_id" => texts(records().map(|r| hex_id(r.group_id))),
        "ring" => texts(records().map(|_| ring)),
        "number" => Arc::new(Int64Array::from_iter_values(records().map(|r| r.number.cast_signed()))),
        "at_utc" => Arc::new(TimestampMillisecondArray::from_iter(records().map(|r| known(r.at_ms)))),
        "day" => Arc::new(Date32Array::from_iter(records().map(|r| known(r.at_ms).map(day)))),
        "index_generation" => texts(records().map(|r| hex(r.generations.index))),
        "policy_generation" => texts(records().map(|r| hex(r.generations.policy))),
        "overlay_generation" => long(records().map(|r| Some(r.generations.overlay.cast_signed()))),
        "model_generation" => {
            let model = |r: &DecisionRecord| Some(r.generations.model).filter(|model| *model != 0);
            Arc::new(StringArray::from_iter(records().map(|r| model(r).map(|model| format!("{model:08x}")))))
        }
        "model_shadow" => Arc::new(BooleanArray::from_iter(records().map(|r| Some(r.shadow)))),
        "seed" => long(records().map(|r| Some(r.seed.cast_signed()))),
        "placement" => texts(records().map(|r| r.placement_id())),
        "stage" => texts(records().map(|r| r.stage.name())),
        "lines" => int(records().map(|r| Some(r.lines.into()))),
        "order_value" => long(records().map(|r| r.order_value)),
        "currency" => texts(records().map(|r| r.currency.as_str().to_owned())),
        "line_types" => {
            let types = |r: &DecisionRecord| r.types.into_iter().filter(|t| *t != NONE).collect::<Vec<_>>();
            ints(records().map(|r| types(r).into_iter().map(u32::cast_signed).collect()))
        }
        _ => return None,
    })
}

fn assignment(name: &str, rows: &[Row<'_>]) -> Option<ArrayRef> {
    let own = || rows.iter().map(|row| &row.record.assignment);
    if let Some((what, layer)) = name.rsplit_once('_')
        && let Ok(number @ 1..=LAYERS_MAX) = layer.parse::<usize>()
    {
        let arms = || rows.iter().map(|row| row.arm(number - 1));
        return Some(match what {
            "experiment" => Arc::new(StringArray::from_iter(arms().map(|arm| Some(arm?.0)))),
            "arm" => Arc::new(StringArray::from_iter(arms().map(|arm| Some(arm?.1)))),
            "share" => Arc::new(Float64Array::from_iter(arms().map(|arm| arm?.2))),
            "bucket" => int(arms().map(|arm| Some(arm?.3.into()))),
            _ => return None,
        });
    }
    Some(match name {
        "unit" => texts(own().map(|a| a.unit.name())),
        "unit_hash" => texts(own().map(|a| hex(a.unit_hash))),
        "shows" => texts(own().map(|a| a.shows.name())),
        "holdout_share" => Arc::new(Float64Array::from_iter(
            rows.iter().map(|row| row.record.assignment.holdout_bucket.and(row.policy?.holdout_share())),
        )),
        "holdout_bucket" => int(own().map(|a| a.holdout_bucket.map(i32::from))),
        "held_out" => Arc::new(BooleanArray::from_iter(own().map(|a| {
            let kept = a.holdout_bucket.is_some() && a.layers.iter().all(Option::is_none);
            Some(kept && a.shows != Shows::Offers)
        }))),
        _ => return None,
    })
}

fn outcome(name: &str, rows: &[Row<'_>]) -> Option<ArrayRef> {
    let records = || rows.iter().map(|row| row.record);
    let candidates = |of: fn(&CandidateRecord) -> f64| {
        let lists =
            rows.iter().map(|row| Some(row.candidates().iter().map(|c| Some(of(c))).collect::<Vec<_>>()));
        Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(lists))
    };
    let reasons = |r: &DecisionRecord| r.reasons.into_iter().filter(|(code, _)| *code != 0);
    Some(match name {
        "status" => texts(records().map(|r| r.status.name())),
        "reason" => int(records().map(|r| r.status.reason().map(|reason| reason.code().into()))),
        "degraded_search" => Arc::new(BooleanArray::from_iter(records().map(|r| Some(r.degraded.search)))),
        "degraded_candidates" => {
            Arc::new(BooleanArray::from_iter(records().map(|r| Some(r.degraded.candidates))))
        }
        "took_us" => Arc::new(Float64Array::from_iter(
            records().map(|r| r.took_ns.map(|took| f64::from(took.get()) / 1e3)),
        )),
        "slots" => int(records().map(|r| Some(r.slots.into()))),
        "shown" => int(records().map(|r| Some(r.shown.into()))),
        "retrieved" => int(records().map(|r| Some(r.counts[0].into()))),
        "eligible" => int(records().map(|r| Some(r.counts[1].into()))),
        "rejected" => int(records().map(|r| Some(r.counts[2].into()))),
        "slate_p_select" => {
            let slate = |r: &DecisionRecord| r.slate.into_iter().take(usize::from(r.shown));
            let product = |r| slate(r).map(|slot| ppm(slot.p_select_ppm)).product::<f64>();
            double(records().map(product))
        }
        "reason_codes" => ints(records().map(|r| reasons(r).map(|(code, _)| code.into()).collect())),
        "reason_counts" => ints(records().map(|r| reasons(r).map(|(_, count)| count.into()).collect())),
        "candidate_ids" => {
            let mut lists = ListBuilder::new(StringBuilder::new());
            for row in rows {
                row.candidates().iter().for_each(|c| lists.values().append_value(row.id(c.item)));
                lists.append(true);
            }
            Arc::new(lists.finish())
        }
        "candidate_p_accept" => candidates(|c| ppm(c.p_accept_ppm)),
        "candidate_p_catalog" => {
            both(rows, |r, c| Some(if r.shadow { c.p_accept_ppm } else { c.p_other_ppm }))
        }
        "candidate_p_model" => both(rows, |r, c| {
            let known = r.generations.model != 0;
            known.then_some(if r.shadow { c.p_other_ppm } else { c.p_accept_ppm })
        }),
        "candidate_relevance" => candidates(|c| f64::from(c.relevance) / 1000.0),
        "candidate_value" => candidates(|c| c.value.into()),
        "candidate_ev" => candidates(|c| ppm(c.p_accept_ppm) * f64::from(c.value)),
        "candidate_refill" => {
            let mut lists = ListBuilder::new(BooleanBuilder::new());
            for row in rows {
                row.candidates().iter().for_each(|c| lists.values().append_value(c.refill));
                lists.append(true);
            }
            Arc::new(lists.finish())
        }
        _ => return None,
    })
}

/// One of the two probabilities of each candidate, where there is one.
fn both(rows: &[Row<'_>], of: fn(&DecisionRecord, &CandidateRecord) -> Option<u32>) -> ArrayRef {
    let list =
        |row: &Row<'_>| Some(row.candidates().iter().map(|c| of(row.record, c).map(ppm)).collect::<Vec<_>>());
    Arc::new(ListArray::from_iter_primitive::<Float64Type, _, _>(rows.iter().map(list)))
}

/// A row per slot of each record.
pub(super) fn offers(rows: &[Row<'_>]) -> Result<RecordBatch, LogError> {
    let slots = || {
        rows.iter().flat_map(|row| {
            let slate = row.record.slate.iter().take(usize::from(row.record.shown));
            slate.zip(&row.record.candidates).map(move |(slot, candidate)| (row, slot, candidate))
        })
    };
    batch(Table::Offers, |name| {
        let of_catalog = |get: fn(&Engine, Item) -> &str| {
            texts(slots().map(|(row, _, c)| row.catalog.map_or("", |engine| get(engine, c.item)).to_owned()))
        };
        Some(match name {
            "decision_id" => texts(slots().map(|(row, ..)| hex_id(row.record.decision_id))),
            "position" => int(slots().map(|(_, slot, _)| Some(slot.position.into()))),
            "item_id" => of_catalog(Engine::id),
            "kind" => texts(slots().map(|(row, _, c)| row.kind(c.item))),
            "partner" => of_catalog(Engine::partner),
            "category" => of_catalog(Engine::category),
            "relation" => texts(slots().map(|(_, slot, _)| slot.relation.name())),
            "line" => int(slots().map(|(_, slot, _)| slot.line.map(i32::from))),
            "relevance" => double(slots().map(|(_, _, c)| f64::from(c.relevance) / 1000.0)),
            "p_accept" => double(slots().map(|(_, _, c)| ppm(c.p_accept_ppm))),
            "p_select" => double(slots().map(|(_, slot, _)| ppm(slot.p_select_ppm))),
            "value" => long(slots().map(|(_, _, c)| Some(c.value.into()))),
            "ev" => double(slots().map(|(_, _, c)| ppm(c.p_accept_ppm) * f64::from(c.value))),
            "ghost" => {
                let ghosts: Vec<bool> = slots().map(|(row, ..)| row.record.is_ghost()).collect();
                Arc::new(BooleanArray::from(ghosts))
            }
            _ => return None,
        })
    })
}

/// Days since 1970-01-01, UTC.
fn day(at_ms: i64) -> i32 {
    at_ms.div_euclid(DAY_MS) as i32
}

pub(super) fn texts(values: impl Iterator<Item = impl AsRef<str>>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<StringArray>())
}

fn int(values: impl Iterator<Item = Option<i32>>) -> ArrayRef {
    Arc::new(values.collect::<Int32Array>())
}

pub(super) fn long(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(values.collect::<Int64Array>())
}

fn double(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(values.map(Some).collect::<Float64Array>())
}

fn ints(lists: impl Iterator<Item = Vec<i32>>) -> ArrayRef {
    let lists = lists.map(|list| Some(list.into_iter().map(Some).collect::<Vec<_>>()));
    Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        assert_eq!([day(0), day(86_399_999), day(86_400_000), day(-1)], [0, 0, 1, -1]);
    }
}
