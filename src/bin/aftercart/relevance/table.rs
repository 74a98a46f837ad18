//! The tables as text and as CSV.

use std::io::{BufWriter, Write};
use std::path::Path;

use super::Task;
use super::ask::{FLOOR_STEP, LIKELY};
use super::metrics::{Row, Shown};
use crate::Failure;

/// What is best in a column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Best {
    Most,
    Least,
    None,
}

/// A number of each row.
pub(super) struct Column {
    pub(super) name: &'static str,
    digits: usize,
    value: fn(&Row) -> f64,
    best: Best,
}

const fn column(name: &'static str, digits: usize, best: Best, value: fn(&Row) -> f64) -> Column {
    Column { name, digits, value, best }
}

pub(super) const COLUMNS: [Column; 8] = [
    column("hit@10", 4, Best::Most, |row| row.hit),
    column("+-", 4, Best::None, |row| row.margin),
    column("ndcg@10", 4, Best::Most, |row| row.ndcg),
    column("upop@10", 5, Best::Most, |row| row.upop),
    column("type@10", 4, Best::Most, |row| row.type_hit),
    column("same%", 2, Best::Least, |row| row.same_percent),
    column("fill", 1, Best::Most, |row| row.fill),
    column("distinct", 0, Best::Most, |row| row.distinct as f64),
];

/// The cells of a task's rows in a column, and whether each is the best: as printed, and only where rows differ.
pub(super) fn cells(rows: &[Row], column: &Column) -> Vec<(String, bool)> {
    let sign = if column.best == Best::Least { -1.0 } else { 1.0 };
    let most = rows.iter().map(|row| sign * (column.value)(row)).fold(f64::MIN, f64::max);
    let shown = |value: f64| format!("{value:.*}", column.digits);
    let all: Vec<String> = rows.iter().map(|row| shown((column.value)(row))).collect();
    let differ = column.best != Best::None && all.iter().any(|cell| *cell != all[0]);
    // 0 and -0 print unlike.
    let best = shown(if most == 0.0 { 0.0 } else { sign * most });
    all.into_iter().map(|cell| (cell.clone(), differ && cell == best)).collect()
}

/// What pages show: the catalog's own floor first, then floors a tenth apart.
pub(super) fn floors(task: &Task) -> Vec<(String, Shown)> {
    let tenth = 100 / usize::from(FLOOR_STEP);
    let each = task.pages.floors.iter().step_by(tenth).enumerate();
    let each = each.map(|(tenths, shown)| (format!("{:.1}", tenths as f64 / 10.0), *shown));
    std::iter::once(("own".to_owned(), task.pages.own)).chain(each).collect()
}

/// A share for people, "-" where there is none.
pub(super) fn share(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

/// Who is asked for, for people.
pub(super) fn customers(is_known: bool) -> &'static str {
    if is_known { "known" } else { "anonymous" }
}

/// A line for each floor of a task.
fn write_pages(
    out: &mut impl Write,
    name: &str,
    wide: usize,
    floors: impl IntoIterator<Item = (String, Shown)>,
) -> std::io::Result<()> {
    floors.into_iter().try_for_each(|(floor, shown)| {
        let (precision, hits) = (share(shown.precision()), share(shown.hit_rate()));
        let (coverage, fill) = (shown.coverage(), shown.fill());
        writeln!(out, "{name:<wide$}  {floor:>5} {coverage:>9.4} {fill:>8.2} {precision:>10} {hits:>9}")
    })
}

/// Prints all tables.
pub(super) fn print(tasks: &[Task]) -> Result<(), Failure> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let names = |of: &dyn Fn(&Row) -> &str| {
        tasks.iter().flat_map(|task| &task.rows).map(|row| of(row).chars().count()).max().unwrap_or(0)
    };
    let (wide, wider) = (names(&|row| &row.task).max(10), names(&|row| &row.method));
    write!(out, "{:<wide$}  {:<wider$} {:>6}", "task", "method", "n")?;
    COLUMNS.iter().try_for_each(|column| write!(out, " {:>8} ", column.name))?;
    writeln!(out)?;
    for task in tasks {
        let columns: Vec<_> = COLUMNS.iter().map(|column| cells(&task.rows, column)).collect();
        for (at, row) in task.rows.iter().enumerate() {
            write!(out, "{:<wide$}  {:<wider$} {:>6}", row.task, row.method, row.n)?;
            for cells in &columns {
                let (cell, is_best) = &cells[at];
                write!(out, " {cell:>8}{}", if *is_best { '*' } else { ' ' })?;
            }
            writeln!(out)?;
        }
    }
    writeln!(out, "  * best of its task; +- is 1.96 standard errors of hit@10")?;
    writeln!(
        out,
        "\nWhat a page shows, with the catalog's own slots\n{:<wide$}  {:>5} {:>9} {:>8} {:>10} {:>9}",
        "task", "floor", "coverage", "offers", "precision", "hit rate"
    )?;
    tasks.iter().try_for_each(|task| write_pages(&mut out, &task.name, wide, floors(task)))?;
    writeln!(out, "  coverage: cases with an offer; hit rate: of these, the ones with a relevant offer")?;
    writeln!(
        out,
        "\nWhat is left of the catalog's own pages where an offer needs a p_accept\n{:<wide$}  {:>5} {:>9} {:>8} {:>10} {:>9}",
        "task", "least", "coverage", "offers", "precision", "hit rate"
    )?;
    for task in tasks {
        let least = LIKELY.map(|least| least.to_string());
        write_pages(&mut out, &task.name, wide, least.into_iter().zip(task.pages.likely))?;
    }
    writeln!(
        out,
        "\np_accept of the ten offers, and the share that was relevant\n{:<wide$}  {:<9} {:>7} {:>10} {:>10}",
        "task", "customers", "offers", "predicted", "observed"
    )?;
    for task in tasks {
        for (is_known, bin) in
            task.reliability.iter().flat_map(|(known, bins)| bins.iter().map(move |b| (*known, b)))
        {
            let (name, who) = (&task.name, customers(is_known));
            writeln!(
                out,
                "{name:<wide$}  {who:<9} {:>7} {:>10.5} {:>10.5}",
                bin.n, bin.predicted, bin.observed
            )?;
        }
    }
    out.flush()?;
    Ok(())
}

/// Writes the first table with all digits.
pub(super) fn write_csv(tasks: &[Task], path: &Path) -> Result<(), Failure> {
    let failed = |error: csv::Error| format!("{}: write failed: {error}", path.display());
    let mut out = csv::Writer::from_path(path).map_err(failed)?;
    let head = ["task", "method", "n"].into_iter().chain(COLUMNS.iter().map(|column| column.name));
    out.write_record(head).map_err(failed)?;
    for row in tasks.iter().flat_map(|task| &task.rows) {
        let cells = COLUMNS.iter().map(|column| (column.value)(row).to_string());
        let record = [row.task.clone(), row.method.clone(), row.n.to_string()].into_iter().chain(cells);
        out.write_record(record).map_err(failed)?;
    }
    out.flush().map_err(|error| failed(error.into()))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_of_a_column_is_marked_where_rows_differ() {
        let row = |hit, same_percent| Row { hit, same_percent, fill: 10.0, ..Row::default() };
        let rows = [row(0.10004, 0.0), row(0.1, 2.0), row(0.05, 0.0)];
        let marks = |name: &str| -> Vec<bool> {
            let column = COLUMNS.iter().find(|column| column.name == name).unwrap();
            cells(&rows, column).into_iter().map(|(_, is_best)| is_best).collect()
        };
        assert_eq!(marks("hit@10"), [true, true, false], "equal as printed");
        assert_eq!(marks("same%"), [true, false, true], "less is better");
        assert_eq!(marks("fill"), [false; 3], "nothing to tell apart");
        assert_eq!(marks("+-"), [false; 3]);
    }
}
