//! Changes for a live overlay: files of rows, a stream of lines, or options of the command.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::columns::Mapping;
use super::source::{Field, Meter, Table};
use super::{BuildError, parse_price, parse_timestamp, shown};
use crate::build::progress::Progress;
use crate::live::{Change, Edit, Live, LiveError, LiveKind, Pacing};

const ID: usize = 0;
const KIND: usize = 1;
const STOCK: usize = 2;
const PRICE: usize = 3;
const PRICED_AT: usize = 4;
const BID: usize = 5;
const PAUSED: usize = 6;
const KILLED: usize = 7;
const DAILY: usize = 8;
const TOTAL: usize = 9;
const UNIT: usize = 10;
const PACING: usize = 11;
const UTC_OFFSET: usize = 12;

/// In the order of the numbers above.
const FIELDS: &[Field] = &[
    field("id", &["id", "product_id", "offer_id", "partner_id"], true),
    field("kind", &["kind"], false),
    field("stock", &["stock", "availability"], false),
    field("price", &["price"], false),
    field("priced_at", &["priced_at"], false),
    field("bid", &["bid"], false),
    field("paused", &["paused"], false),
    field("killed", &["killed"], false),
    field("daily_budget", &["daily_budget"], false),
    field("total_budget", &["total_budget"], false),
    field("budget_unit", &["budget_unit"], false),
    field("pacing", &["pacing"], false),
    field("utc_offset", &["utc_offset"], false),
];

const fn field(name: &'static str, columns: &'static [&'static str], required: bool) -> Field {
    Field { name, columns, joint: ",", required }
}

/// Rows that are changed before others may change something.
const BATCH: u64 = 1_000;

/// What was changed, and what was left out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveReport {
    /// Rows read.
    pub rows: u64,
    /// Rows that changed something: products, offers, partners.
    pub changed: [u64; 3],
    /// Rows left out because no bound catalog has their id.
    pub unknown: u64,
    /// One such id, to look for the cause.
    pub unknown_example: Option<String>,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}\n  way out: {way_out}")]
pub struct LiveFieldError {
    at: usize,
    field: &'static str,
    problem: String,
    way_out: &'static str,
}

/// Reads the fields of one change: `kind`, `stock`, `price` and so on, as `get` gives them; empty = stays as it is, `none` =
/// as the catalog says.
///
/// # Errors
/// [`LiveFieldError`]: the first field that cannot be understood.
pub fn read_change<'a>(
    get: impl Fn(&'static str) -> &'a str,
    now_ms: i64,
) -> Result<(Option<LiveKind>, Change), LiveFieldError> {
    let fields = Fields { get: |at: usize| FIELDS.get(at).map_or("", |field| get(field.name)) };
    fields.change(now_ms)
}

/// Changes an overlay by the rows of files: CSV, TSV or JSON Lines, plain or compressed.
///
/// Columns: `id` must be there; `kind` (product, offer, partner), `stock` (or `availability`), `price`, `priced_at` (else
/// `now_ms`), `bid`, `paused`, `killed`, `daily_budget`, `total_budget`, `budget_unit` (accepts, money), `pacing`,
/// `utc_offset` may. A column that is none of these is an error, since it might be a misspelt one; rows whose id no bound catalog has are left out and counted.
///
/// # Errors
/// [`BuildError`] with file, line, field and the way out. Rows before it are changed already; loading again changes nothing
/// twice.
pub fn load_live(
    live: &Live,
    paths: &[PathBuf],
    now_ms: i64,
    progress: &dyn Progress,
) -> Result<LiveReport, BuildError> {
    let (meter, columns) = (Meter::start("live", paths, progress)?, Mapping::strict());
    let mut report = LiveReport::default();
    for path in paths {
        let mut table = Table::open(path, FIELDS, &columns, &meter)?;
        let mut more = true;
        while more {
            let mut edit = live.edit().map_err(system)?;
            for _ in 0..BATCH {
                more = table.next()?;
                if !more {
                    break;
                }
                change_row(&table, &mut edit, now_ms, &mut report)?;
            }
        }
    }
    meter.finish(&format!("{} rows", report.rows));
    Ok(report)
}

/// Changes an overlay by lines of JSON as they come, each as soon as it is there; `told` hears of each, and of what is wrong
/// with it.
///
/// # Errors
/// [`BuildError`] where the input itself can no longer be read.
pub fn watch_live(
    live: &Live,
    name: &Path,
    input: Box<dyn Read + '_>,
    now_ms: impl Fn() -> i64,
    told: &mut dyn FnMut(Result<&LiveReport, BuildError>),
) -> Result<LiveReport, BuildError> {
    let columns = Mapping::strict();
    let mut table = Table::of_lines(name, FIELDS, &columns, input);
    let mut report = LiveReport::default();
    loop {
        let changed = match table.next() {
            Ok(false) => return Ok(report),
            Ok(true) => live
                .edit()
                .map_err(system)
                .and_then(|mut edit| change_row(&table, &mut edit, now_ms(), &mut report)),
            Err(error @ BuildError::Field { .. }) => Err(error),
            Err(error) => return Err(error),
        };
        told(changed.map(|()| &report));
    }
}

fn change_row(
    table: &Table<'_>,
    edit: &mut Edit<'_>,
    now_ms: i64,
    report: &mut LiveReport,
) -> Result<(), BuildError> {
    report.rows += 1;
    let id = table.get(ID);
    if id.is_empty() {
        return Err(table.error(ID, "is empty", "name what the row changes"));
    }
    let fields = Fields { get: |at| table.get(at) };
    let (kind, change) = fields.change(now_ms).map_err(|e| table.error(e.at, e.problem, e.way_out))?;
    match edit.set(kind, id, &change, now_ms) {
        Ok(kind) => {
            if let Some(count) = report.changed.get_mut(kind as usize) {
                *count += 1;
            }
            Ok(())
        }
        Err(LiveError::UnknownId { .. }) => {
            report.unknown += 1;
            report.unknown_example.get_or_insert_with(|| id.to_owned());
            Ok(())
        }
        Err(LiveError::Ambiguous { a, b, .. }) => {
            let problem = format!("{} is both {a} and {b}", shown(id));
            Err(table.error(KIND, problem, "say which: product, offer or partner"))
        }
        Err(LiveError::Value { field, problem }) => {
            let at = FIELDS.iter().position(|known| known.name == field).unwrap_or(ID);
            Err(table.error(
                at,
                format!("{} of {}: {problem}", field, shown(id)),
                "correct the row, or leave the field empty",
            ))
        }
        Err(other) => Err(system(other)),
    }
}

fn system(error: LiveError) -> BuildError {
    let way_out = "see what the overlay's error says, then load again: nothing is changed twice";
    BuildError::Input { problem: error.to_string(), way_out: way_out.into() }
}

/// The fields of one change.
struct Fields<F> {
    get: F,
}

impl<'a, F: Fn(usize) -> &'a str> Fields<F> {
    fn change(&self, now_ms: i64) -> Result<(Option<LiveKind>, Change), LiveFieldError> {
        let change =
            Change {
                stock: self.set(STOCK, "a whole number, `in_stock`, `out_of_stock`, or `none`", |text| {
                    match text {
                        "in_stock" | "in stock" => Some(1),
                        "out_of_stock" | "out of stock" => Some(0),
                        _ => text.parse().ok(),
                    }
                })?,
                price: self.set(PRICE, "a price like `12.99`, or `none`", amount)?,
                priced_at_ms: self
                    .one(PRICED_AT, "a time like `2026-11-22T14:00:00Z`", |t| parse_timestamp(t).ok())?
                    .unwrap_or(now_ms),
                bid: self.set(BID, "an amount like `1.50`, or `none`", amount)?,
                paused: self.one(PAUSED, YES_OR_NO, yes_or_no)?,
                killed: self.one(KILLED, YES_OR_NO, yes_or_no)?,
                daily: None,
                total: None,
                money: self.one(UNIT, "`accepts` or `money`", |text| match text {
                    "money" => Some(true),
                    "accepts" => Some(false),
                    _ => None,
                })?,
                pacing: self.set(PACING, "`even`, 24 or 96 weights like `1,1,2,3`, or `none`", pacing)?,
                utc_offset_minutes: self.one(UTC_OFFSET, "like `+02:00`", utc_offset)?,
            };
        // Money is written as money is, a count as a number.
        let limit = |text: &str| match change.money {
            Some(true) => amount(text).map(i64::cast_unsigned),
            _ => text.parse().ok(),
        };
        let wants = "a whole number (with `budget_unit` money: an amount), or `none`";
        let (daily, total) = (self.set(DAILY, wants, limit)?, self.set(TOTAL, wants, limit)?);
        let change = Change { daily, total, ..change };
        let kind = self.one(KIND, "`product`, `offer` or `partner`", |text| {
            [LiveKind::Product, LiveKind::Offer, LiveKind::Partner]
                .into_iter()
                .find(|kind| kind.name() == text)
        })?;
        if (Change { priced_at_ms: 0, ..change.clone() }) == Change::default() {
            let names: Vec<&str> = FIELDS.iter().skip(STOCK).map(|field| field.name).collect();
            let problem = format!("changes nothing: none of {} is there", names.join(", "));
            return Err(LiveFieldError { at: ID, field: "id", problem, way_out: "say what to change" });
        }
        Ok((kind, change))
    }

    fn one<T>(
        &self,
        at: usize,
        way_out: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, LiveFieldError> {
        match (self.get)(at).trim() {
            "" => Ok(None),
            text => match read(text) {
                Some(value) => Ok(Some(value)),
                None => {
                    let field = FIELDS.get(at).map_or("", |field| field.name);
                    let problem = format!("{} is not understood", shown(text));
                    Err(LiveFieldError { at, field, problem, way_out })
                }
            },
        }
    }

    fn set<T>(
        &self,
        at: usize,
        way_out: &'static str,
        read: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<Option<T>>, LiveFieldError> {
        self.one(at, way_out, |text| if text == "none" { Some(None) } else { read(text).map(Some) })
    }
}

const YES_OR_NO: &str = "`true` or `false` (or `none`, which is `false`: no catalog pauses anything)";

fn yes_or_no(text: &str) -> Option<bool> {
    match text {
        "true" | "yes" | "1" => Some(true),
        "false" | "no" | "0" | "none" => Some(false),
        _ => None,
    }
}

fn amount(text: &str) -> Option<i64> {
    parse_price(text).ok().map(|(minor, _)| minor)
}

fn pacing(text: &str) -> Option<Pacing> {
    if text == "even" {
        return Some(Pacing::even());
    }
    let weights = text.split(',').map(|weight| weight.trim().parse().ok());
    weights.collect::<Option<Vec<u32>>>().map(|weights| Pacing { weights })
}

/// `+02:00`, `-05:30`, `Z`, or minutes.
fn utc_offset(text: &str) -> Option<i16> {
    if text == "Z" {
        return Some(0);
    }
    let Some((hours, minutes)) = text.split_once(':') else { return text.parse().ok() };
    let (sign, hours) = hours.strip_prefix('-').map_or((1, hours.trim_start_matches('+')), |h| (-1, h));
    let (hours, minutes): (i16, i16) = (hours.parse().ok()?, minutes.parse().ok()?);
    ((0..=14).contains(&hours) && (0..60).contains(&minutes)).then_some(sign * (hours * 60 + minutes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[(&'static str, &'static str)]) -> Result<(Option<LiveKind>, Change), String> {
        let get = |name| fields.iter().find(|field| field.0 == name).map_or("", |field| field.1);
        read_change(get, 7).map_err(|error| error.to_string())
    }

    #[test]
    fn fields_are_read_as_people_write_them() {
        let all = [("stock", "3"), ("price", "12.99 USD"), ("paused", "no"), ("kind", "product")];
        let want = Change {
            stock: Some(Some(3)),
            price: Some(Some(1299)),
            priced_at_ms: 7,
            paused: Some(false),
            ..Change::default()
        };
        assert_eq!(read(&all), Ok((Some(LiveKind::Product), want)));
        let (_, change) = read(&[("stock", "out_of_stock"), ("price", "none")]).expect("understood");
        assert_eq!((change.stock, change.price), (Some(Some(0)), Some(None)));
        let money = [("daily_budget", "100.50"), ("budget_unit", "money"), ("utc_offset", "-05:30")];
        let (_, change) = read(&money).expect("understood");
        assert_eq!((change.daily, change.utc_offset_minutes), (Some(Some(10_050)), Some(-330)));
        let (_, change) = read(&[("paused", "none")]).expect("understood");
        assert_eq!(change.paused, Some(false));
        let (_, change) = read(&[("daily_budget", "2000"), ("pacing", "even")]).expect("understood");
        assert_eq!((change.daily, change.pacing), (Some(Some(2_000)), Some(Some(Pacing::even()))));
        assert_eq!(
            [utc_offset("+02:00"), utc_offset("Z"), utc_offset("90"), utc_offset("+15:00")],
            [Some(120), Some(0), Some(90), None]
        );
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (fields, want) in [
            ([("stock", "few"), ("kind", "")], "stock: `few` is not understood\n  way out: a whole number"),
            ([("paused", "maybe"), ("kind", "")], "paused: `maybe` is not understood\n  way out: `true` or"),
            ([("stock", "1"), ("kind", "brand")], "kind: `brand` is not understood\n  way out: `product`"),
            ([("kind", "offer"), ("price", "")], "id: changes nothing: none of stock, price"),
        ] {
            let error = read(&fields).expect_err(want);
            assert!(error.starts_with(want), "{error}");
        }
    }
}
