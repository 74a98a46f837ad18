//! The page: one HTML file that needs nothing from anywhere.

use std::fmt::{self, Write};

use super::query::Answer;
use super::{MEASURES, Report, compared, parts};
use crate::Failure;
use crate::relevance::charts::INKS;
use crate::relevance::report::escaped;

/// Writes the page.
pub(super) fn page(report: &Report) -> Result<String, Failure> {
    let mut out = String::new();
    let totals = report.answer("totals");
    head(&mut out, totals)?;
    let money = match totals.text(0, "currency") {
        "" => "no currency",
        money => money,
    };
    opening(&mut out, report, money)?;
    complaints(&mut out, report)?;
    if report.comparisons.is_empty() {
        out.push_str(
            "<h2>Against what?</h2>\n<p>No holdout and no experiment is in this log, so nothing here says what would have happened \
             without the page. Add <code>[holdout]</code> to the policy, and wait.</p>\n",
        );
    }
    for comparison in &report.comparisons {
        compared::write(&mut out, report, comparison, money)?;
    }
    parts::write(&mut out, report, money)?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

/// What this is about, and how it is to be read.
fn opening(out: &mut String, report: &Report, money: &str) -> fmt::Result {
    let totals = report.answer("totals");
    let of = |name: &str| totals.number(0, name);
    let catalog = match of("catalogs") {
        1.0 => format!("catalog {}", escaped(totals.text(0, "catalog"))),
        catalogs => counted(catalogs, "catalog"),
    };
    writeln!(
        out,
        "<h1>What did it bring? {}, {} to {}{}</h1>\n<p>{} of {} in {}; log {}; {catalog}; amounts in {money}.</p>",
        counted(of("days"), "day"),
        escaped(totals.text(0, "first_day")),
        escaped(totals.text(0, "last_day")),
        if report.all_simulated() { " (simulated)" } else { "" },
        counted(of("transactions"), "transaction"),
        counted(of("customers"), "customer"),
        counted(of("days"), "day"),
        escaped(&report.logs.join(", ")),
    )?;
    if report.comparisons.is_empty() {
        return Ok(());
    }
    let arms = report.comparisons.iter().map(|own| own.measured().count() + own.pairs().len());
    writeln!(
        out,
        "<p>Behind each difference stands where it lies with 95 % certainty. Customers were assigned by chance, so what differs between two \
         arms beyond that comes from what they were shown. Of twenty such intervals one misses, and this report compares {} pairs of arms in {} \
         measures: one interval among them that barely leaves zero out proves little; choose what decides before you look.</p>",
        arms.sum::<usize>(),
        MEASURES.len()
    )
}

fn head(out: &mut String, totals: &Answer) -> fmt::Result {
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>What did it bring? {} to {}</title>\n<style>\n{}",
        escaped(totals.text(0, "first_day")),
        escaped(totals.text(0, "last_day")),
        include_str!("../relevance/report.css")
    )?;
    for (name, ink) in INKS {
        let hex = format!("#{:02X}{:02X}{:02X}", ink.0, ink.1, ink.2);
        writeln!(out, "svg [fill=\"{hex}\"] {{ fill: var(--{name}) }}")?;
        writeln!(out, "svg [stroke=\"{hex}\"] {{ stroke: var(--{name}) }}")?;
    }
    out.push_str(
        ".answer { font-size: 1.15rem; border-left: 4px solid var(--c0); padding-left: 12px }\n.no { border-color: var(--ours) }\n\
         td:first-child { text-align: left }\n.figures { margin-top: 12px }\n\
         th:first-child { white-space: normal; min-width: 8rem; max-width: min(24rem, 45vw) }\n\
         table { border-collapse: separate; border-spacing: 0 }\nthead th { white-space: normal; vertical-align: bottom }\n</style>\n</head>\n<body>\n<main>\n",
    );
    Ok(())
}

/// What is missing of the log.
fn complaints(out: &mut String, report: &Report) -> fmt::Result {
    let [made, waiting, dropped] = report.counts;
    if waiting + dropped > 0 {
        writeln!(
            out,
            "<p class=\"answer no\">Of {} decisions made, {} were dropped because a ring was full and {} wait in rings (<code>aftercart log</code>). They are in no number below.</p>",
            count(made as f64),
            count(dropped as f64),
            count(waiting as f64)
        )?;
    }
    let of = |name: &str| report.answer("totals").number(0, name);
    if report.all_simulated() {
        writeln!(
            out,
            "<p class=\"answer no\">All {} are of <code>aftercart simulate</code>: what they did is made up, and nothing here says what real ones would do.</p>",
            counted(of("customers"), "customer")
        )?;
    } else if of("simulated") > 0.0 {
        writeln!(
            out,
            "<p class=\"answer no\">Customers of <code>aftercart simulate</code> are in this log, with {} of its events: what they did is made up.</p>",
            percent(of("simulated") / of("events"))
        )?;
    }
    let currencies = report.answer("totals").number(0, "currencies");
    if currencies > 1.0 {
        writeln!(
            out,
            "<p class=\"answer no\">{currencies:.0} currencies are in this log, and their amounts are added up as if they were one: report on \
             the log of each shop alone.</p>"
        )?;
    }
    if !report.skipped.is_empty() {
        writeln!(out, "<p class=\"answer no\">Damaged files were left out; all others count.</p>\n<ul>")?;
        report.skipped.iter().try_for_each(|file| writeln!(out, "<li>{}</li>", escaped(file)))?;
        out.push_str("</ul>\n");
    }
    Ok(())
}

pub(super) fn table(out: &mut String, caption: &str, head: &[&str], rows: &[Vec<String>]) -> fmt::Result {
    writeln!(out, "<div class=\"wide\"><table>\n<caption>{}</caption>", escaped(caption))?;
    if head.iter().any(|name| !name.is_empty()) {
        out.push_str("<thead><tr>");
        head.iter().try_for_each(|name| write!(out, "<th scope=\"col\">{}</th>", escaped(name)))?;
        out.push_str("</tr></thead>\n");
    }
    out.push_str("<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (at, cell) in row.iter().enumerate() {
            let (open, close) = if at == 0 { ("<th scope=\"row\">", "</th>") } else { ("<td>", "</td>") };
            // Long names of categories break behind a stroke, and never within a word.
            write!(out, "{open}{}{close}", escaped(cell).replace('/', "/<wbr>"))?;
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    Ok(())
}

/// A whole number with its thousands apart.
pub(super) fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at) % 3 == 0 {
            out.push(',');
        }
        out.push(digit);
    }
    if number < -0.5 { format!("-{out}") } else { out }
}

/// So many things, in the singular where it is one.
pub(super) fn counted(number: f64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1.0 { "" } else { "s" })
}

pub(super) fn percent(share: f64) -> String {
    let digits = if share.abs() < 0.0995 { 2 } else { 1 };
    format!("{:.digits$} %", 100.0 * share)
}
