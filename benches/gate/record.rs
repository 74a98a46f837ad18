//! The record, `benches/gate.csv`: written, read and compared.

use std::fmt::Write as _;
use std::fs;
use std::process::Command;

use crate::COMMAND;

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/gate.csv");

/// What a column may do.
#[derive(Clone, Copy, PartialEq)]
enum Rule {
    /// At most 2 % more than recorded.
    Cost,
    /// As [`Self::Cost`], where the compiler is the one of the record.
    Instructions,
    /// At most 0.01 less.
    Recall,
    /// At most 2 % less.
    Yield,
}

const COLUMNS: [(&str, Rule); 9] = [
    ("instructions", Rule::Instructions),
    ("centroids", Rule::Cost),
    ("cells", Rule::Cost),
    ("products", Rule::Cost),
    ("reranked", Rule::Cost),
    ("bytes", Rule::Cost),
    ("allocations", Rule::Cost),
    ("recall", Rule::Recall),
    ("offers", Rule::Yield),
];

/// Share by which a cost or a yield may differ.
const SHARE: f64 = 0.02;
/// By how much a recall may fall.
const RECALL: f64 = 0.01;
/// What rounding in the file may do.
const ROUNDED: f64 = 0.006;

/// A scenario's means of one request; `None` where a column does not apply.
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) values: [Option<f64>; COLUMNS.len()],
}

/// What counts were made with.
#[derive(PartialEq)]
pub(crate) struct Origin {
    /// Compiler and kernel: instructions depend on them.
    compiler: String,
    /// Content of the catalog: everything depends on it.
    catalog: String,
}

impl Origin {
    pub(crate) fn here(kernel: &str, build_id: u64) -> Result<Self, String> {
        let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
        let version = Command::new(rustc).arg("-V").output().map_err(|e| format!("rustc -V: {e}"))?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        Ok(Self { compiler: format!("{version}; kernel {kernel}"), catalog: format!("{build_id:016x}") })
    }
}

/// All counts of a run.
pub(crate) struct Record {
    pub(crate) origin: Origin,
    pub(crate) rows: Vec<Row>,
}

impl Record {
    fn write(&self) -> String {
        let Origin { compiler, catalog } = &self.origin;
        let mut text =
            format!("# AFTERCART_BLESS=1 {COMMAND}\n# compiler: {compiler}\n# catalog: {catalog}\nscenario");
        COLUMNS.iter().for_each(|(name, _)| write!(text, ",{name}").expect("a string"));
        for row in &self.rows {
            write!(text, "\n{}", row.name).expect("a string");
            row.values.iter().for_each(|value| write!(text, ",{}", shown(*value)).expect("a string"));
        }
        text + "\n"
    }

    fn read(text: &str) -> Option<Self> {
        let fact = |name| text.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let origin = Origin { compiler: fact("# compiler: ")?, catalog: fact("# catalog: ")? };
        let rows = text.lines().filter(|line| !line.starts_with('#')).skip(1).map(|line| {
            let (name, values) = line.split_once(',')?;
            let values: Vec<Option<f64>> = values.split(',').map(|value| value.parse().ok()).collect();
            Some(Row { name: name.to_owned(), values: values.try_into().ok()? })
        });
        Some(Self { origin, rows: rows.collect::<Option<_>>()? })
    }

    fn of(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }
}

/// Three decimals below ten, two below a thousand, else none; none of a whole number.
fn shown(value: Option<f64>) -> String {
    value.map_or(String::new(), |value| match value {
        _ if value.fract() == 0.0 => format!("{value}"),
        ..10.0 => format!("{value:.3}"),
        ..1000.0 => format!("{value:.2}"),
        _ => format!("{value:.0}"),
    })
}

/// Compares a run with the record, or records it.
pub(crate) fn judge(now: Record) -> Result<(), String> {
    let recorded = fs::read_to_string(PATH).ok().and_then(|text| Record::read(&text));
    print_table(&now, recorded.as_ref());
    if std::env::var_os("AFTERCART_BLESS").is_some_and(|bless| bless == "1") {
        println!("recorded in {PATH}");
        return fs::write(PATH, now.write()).map_err(|e| format!("{PATH}: {e}"));
    }
    let again = format!("record anew, and say why in the commit: AFTERCART_BLESS=1 {COMMAND}");
    let then = recorded.ok_or_else(|| format!("{PATH} is not there or not readable; {again}"))?;
    let same_compiler = now.origin.compiler == then.origin.compiler;
    if !same_compiler {
        println!("\nINSTRUCTIONS ARE NOT JUDGED: recorded with {},", then.origin.compiler);
        println!("this is {}; {again}", now.origin.compiler);
    }
    if now.origin.catalog != then.origin.catalog {
        println!(
            "\nThe builder makes another catalog of the same shop than when this was recorded: a reason for other counts."
        );
    }
    let (worse, better) = differences(&now, &then, same_compiler);
    if !better.is_empty() {
        println!("\nBETTER THAN RECORDED, {again}\n{}", better.join("\n"));
    }
    if worse.is_empty() {
        println!("\ngate: all {} scenarios cost what they did", now.rows.len());
        return Ok(());
    }
    let worse = worse.join("\n");
    let where_to = "callgrind_annotate target/tmp/gate/SCENARIO.callgrind shows where the instructions go";
    Err(format!("worse than recorded:\n{worse}\n\n{where_to}.\nIf the change is worth it, {again}"))
}

/// What is worse than recorded beyond the tolerance, and what is better beyond it.
fn differences(now: &Record, then: &Record, same_compiler: bool) -> (Vec<String>, Vec<String>) {
    let (mut worse, mut better) = (Vec::new(), Vec::new());
    let gone = then.rows.iter().filter(|row| now.of(&row.name).is_none());
    worse.extend(gone.map(|row| format!("  {}: recorded, but no scenario any more", row.name)));
    for row in &now.rows {
        let Some(old) = then.of(&row.name) else {
            worse.push(format!("  {}: not recorded", row.name));
            continue;
        };
        for ((column, rule), (new, old)) in COLUMNS.iter().zip(row.values.into_iter().zip(old.values)) {
            let change = percent(new, old);
            let text = format!("  {}: {column} {}, recorded {} ({change})", row.name, shown(new), shown(old));
            match (new, old) {
                (None, None) => {}
                (Some(_), Some(_)) if *rule == Rule::Instructions && !same_compiler => {}
                (Some(new), Some(old)) => match rule.loss(new, old) {
                    loss if loss > 1.0 => worse.push(text),
                    loss if loss < -1.0 => better.push(text),
                    _ => {}
                },
                _ => worse.push(text),
            }
        }
    }
    (worse, better)
}

impl Rule {
    /// How much worse, where 1 is as much as is tolerated; negative where better.
    fn loss(self, new: f64, old: f64) -> f64 {
        match self {
            Self::Cost | Self::Instructions => (new - old) / (SHARE * old + ROUNDED),
            Self::Yield => (old - new) / (SHARE * old + ROUNDED),
            Self::Recall => (old - new) / RECALL,
        }
    }
}

/// By how much a value changed.
fn percent(new: Option<f64>, old: Option<f64>) -> String {
    let change = new.zip(old).filter(|(_, old)| *old != 0.0).map(|(new, old)| 100.0 * (new / old - 1.0));
    change.map_or("-".to_owned(), |percent| format!("{percent:+.2} %"))
}

fn print_table(now: &Record, then: Option<&Record>) {
    print!("{:20}", "scenario");
    COLUMNS.iter().for_each(|(name, _)| print!("{name:>13}"));
    println!("{:>15}", "instructions");
    for row in &now.rows {
        print!("{:20}", row.name);
        row.values.iter().for_each(|value| print!("{:>13}", shown(*value)));
        let old = then.and_then(|then| then.of(&row.name)?.values[0]);
        println!("{:>15}", percent(row.values[0], old));
    }
}
