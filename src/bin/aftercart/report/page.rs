//! The page: one HTML file that needs nothing from anywhere.

use std::fmt::{self, Write};

use aftercart::Reason;

use super::query::Answer;
use super::stats::{self, Estimate};
use super::{Arm, Comparison, MEASURES, Report, charts, lift};
use crate::Failure;
use crate::relevance::charts::INKS;
use crate::relevance::report::escaped;

/// Rows of a table that are shown; the CSV has all.
const ROWS: usize = 15;

/// Writes the page.
pub(super) fn page(report: &Report) -> Result<String, Failure> {
    let mut out = String::new();
    head(&mut out)?;
    let totals = report.answer("totals");
    let money = totals.text(0, "currency").to_owned();
    writeln!(
        out,
        "<h1>What did it bring?</h1>\n<p>{} transactions from {} to {}, amounts in {}.</p>",
        count(totals.number(0, "decisions")),
        escaped(totals.text(0, "first_day")),
        escaped(totals.text(0, "last_day")),
        if money.is_empty() { "no currency" } else { &money }
    )?;
    complaints(&mut out, report)?;
    if report.comparisons.is_empty() {
        out.push_str(
            "<h2>Against what?</h2>\n<p>No holdout and no experiment is in this log, so nothing here says what would have happened \
             without the page. Add <code>[holdout]</code> to the policy, and wait.</p>\n",
        );
    }
    for comparison in &report.comparisons {
        compared(&mut out, report, comparison, &money)?;
    }
    whole(&mut out, report)?;
    parts(&mut out, report)?;
    reasons(&mut out, report.answer("reasons"))?;
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

fn head(out: &mut String) -> fmt::Result {
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>What did it bring?</title>\n<style>\n{}",
        include_str!("../relevance/report.css")
    )?;
    for (name, ink) in INKS {
        let hex = format!("#{:02X}{:02X}{:02X}", ink.0, ink.1, ink.2);
        writeln!(out, "svg [fill=\"{hex}\"] {{ fill: var(--{name}) }}")?;
        writeln!(out, "svg [stroke=\"{hex}\"] {{ stroke: var(--{name}) }}")?;
    }
    out.push_str(
        ".answer { font-size: 1.15rem; border-left: 4px solid var(--c0); padding-left: 12px }\n.no { border-color: var(--ours) }\n\
         td:first-child { text-align: left }\n</style>\n</head>\n<body>\n<main>\n",
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
    if !report.skipped.is_empty() {
        writeln!(out, "<p class=\"answer no\">Damaged files were left out; all others count.</p>\n<ul>")?;
        report.skipped.iter().try_for_each(|file| writeln!(out, "<li>{}</li>", escaped(file)))?;
        out.push_str("</ul>\n");
    }
    Ok(())
}

fn compared(out: &mut String, report: &Report, comparison: &Comparison, money: &str) -> Result<(), Failure> {
    writeln!(out, "<h2>{}</h2>", escaped(&comparison.name))?;
    let control = &comparison.arms[0];
    if let Some(why) = &comparison.refused {
        writeln!(out, "<p class=\"answer no\">No lift is stated: {}.</p>", escaped(why))?;
    }
    for arm in comparison.arms.iter().skip(1).filter(|_| comparison.refused.is_none()) {
        answer(out, comparison, arm, control, money)?;
    }
    arms(out, comparison)?;
    if comparison.refused.is_none() {
        out.push_str("<div class=\"figures\">\n");
        for arm in comparison.arms.iter().skip(1) {
            let rows: Vec<(String, Estimate)> = (0..3)
                .filter_map(|at| {
                    Some((format!("{}, {}", arm.name, MEASURES[at].1), lift(comparison, arm, at)?))
                })
                .collect();
            let label = format!("Lift of {} per transaction with 95 % intervals", arm.name);
            if !rows.is_empty() {
                let svg = charts::intervals(&label, &rows)?;
                writeln!(
                    out,
                    "<figure><figcaption>Lift per transaction, {money}</figcaption>\n{svg}</figure>"
                )?;
            }
        }
        days(out, report, comparison, money)?;
        out.push_str("</div>\n");
        power(out, comparison, money)?;
    }
    Ok(())
}

/// The one sentence.
fn answer(out: &mut String, comparison: &Comparison, arm: &Arm, control: &Arm, money: &str) -> fmt::Result {
    let shown = match control.shows.as_str() {
        "nothing" => "showing nothing".to_owned(),
        "earlier" => "the page as it was".to_owned(),
        _ => format!("\u{201c}{}\u{201d}", escaped(&control.name)),
    };
    let Some(net) = lift(comparison, arm, 1) else {
        return writeln!(
            out,
            "<p class=\"answer no\">\u{201c}{}\u{201d} has too few customers beside {shown} to say anything: at least {} in each arm.</p>",
            escaped(&arm.name),
            stats::UNITS_MIN
        );
    };
    let verdict = if net.low > 0.0 {
        "brought more than"
    } else if net.high < 0.0 {
        "brought less than"
    } else {
        "cannot be told from"
    };
    writeln!(
        out,
        "<p class=\"answer\">\u{201c}{}\u{201d} {verdict} {shown}: <b>{:+.3} {money}</b> a transaction net of returns (95 %: {:+.3} to {:+.3}), {:+.0} {money} over its {} transactions.</p>",
        escaped(&arm.name),
        net.value,
        net.low,
        net.high,
        net.value * arm.sums[1].n,
        count(arm.sums[1].n)
    )
}

fn arms(out: &mut String, comparison: &Comparison) -> fmt::Result {
    let mut rows = Vec::new();
    for arm in &comparison.arms {
        let mut row =
            vec![arm.name.clone(), arm.shows.clone(), count(arm.sums[0].units), count(arm.sums[0].n)];
        row.extend(arm.sums.iter().enumerate().map(|(at, sums)| match MEASURES[at].0 {
            "ordered" => percent(sums.ratio()),
            _ => format!("{:.3}", sums.ratio()),
        }));
        rows.push(row);
    }
    let head = [
        "arm",
        "shows",
        "customers",
        "transactions",
        "revenue",
        "less returns",
        "margin, payouts",
        "ordered later",
    ];
    table(out, "Per transaction", &head, &rows)?;
    match comparison.ratio_p {
        Some(p) => writeln!(
            out,
            "<p class=\"note\">Sample ratio: p = {p:.3} (below {} no lift is stated).</p>",
            stats::RATIO_P_MIN
        ),
        None => Ok(()),
    }
}

fn days(out: &mut String, report: &Report, comparison: &Comparison, money: &str) -> Result<(), Failure> {
    let answer = report.answer("days");
    let own = |row: &usize| answer.text(*row, "comparison") == comparison.name;
    let mut names: Vec<&str> =
        (0..answer.rows.len()).filter(own).map(|row| answer.text(row, "day")).collect();
    names.sort_unstable();
    names.dedup();
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return Ok(()) };
    let line = |arm: &Arm| {
        let rows = (0..answer.rows.len()).filter(own).filter(|row| answer.text(*row, "arm") == arm.name);
        rows.map(|row| answer.number(row, "net") / answer.number(row, "n") / 100.0).collect()
    };
    let lines: Vec<(String, Vec<f64>)> =
        comparison.arms.iter().map(|arm| (arm.name.clone(), line(arm))).collect();
    let label = format!("Revenue less returns per transaction by day, {} to {}", first, last);
    let svg = charts::days(&label, &lines, first, last)?;
    writeln!(
        out,
        "<figure><figcaption>Revenue less returns per transaction by day, {money}</figcaption>\n{svg}<ul class=\"keys\">"
    )?;
    for (at, (name, _)) in lines.iter().enumerate() {
        writeln!(out, "<li><i style=\"background:var(--{})\"></i>{}</li>", charts::ink(at).0, escaped(name))?;
    }
    out.push_str("</ul></figure>\n");
    Ok(())
}

/// What this traffic can tell, and what it would take to tell more.
fn power(out: &mut String, comparison: &Comparison, money: &str) -> fmt::Result {
    let (control, Some(arm)) = (&comparison.arms[0], comparison.arms.get(1)) else { return Ok(()) };
    let mut rows = Vec::new();
    for at in 0..3 {
        let Some(lift) = lift(comparison, arm, at) else { continue };
        let deviation = control.sums[at].deviation().max(arm.sums[at].deviation());
        let needed = [0.05, 0.10, 0.30, 1.0].map(|effect| count(stats::decisions_for(effect, deviation)));
        let mut row = vec![
            MEASURES[at].1.to_owned(),
            format!("{deviation:.2}"),
            format!("{:.3}", stats::resolvable(lift.error)),
        ];
        row.extend(needed);
        rows.push(row);
    }
    let head = ["measure", "deviation", "resolvable now", "for 0.05", "for 0.10", "for 0.30", "for 1.00"];
    let caption = format!(
        "What it takes: transactions in each of two equal arms to find a difference of so many {money} four times in five"
    );
    table(out, &caption, &head, &rows)
}

fn whole(out: &mut String, report: &Report) -> fmt::Result {
    let totals = report.answer("totals");
    let of = |name: &str| totals.number(0, name);
    let (pages, decided) = (of("pages"), of("decisions") - of("held_out"));
    let coverage = report.answer("coverage");
    let share =
        |part: f64, whole: f64| if whole > 0.0 { percent(part / whole) } else { "\u{2013}".to_owned() };
    let per_page = |amount: f64| {
        if pages > 0.0 { format!("{:.3}", amount / 100.0 / pages) } else { "\u{2013}".to_owned() }
    };
    let rows = [
        ("transactions", count(of("decisions")), String::new()),
        ("held out", count(of("held_out")), share(of("held_out"), of("decisions"))),
        ("with an offer", count(of("with_offers")), share(of("with_offers"), decided)),
        ("slots filled", count(of("slots_filled")), share(of("slots_filled"), of("slots"))),
        ("pages with offers that were seen", count(pages), share(pages, of("with_offers"))),
        ("of those, engaged with", count(of("engaged")), share(of("engaged"), pages)),
        ("an offer accepted", count(of("accepted")), share(of("accepted"), pages)),
        ("converted", count(of("converted")), share(of("converted"), pages)),
        ("acceptances that failed", count(of("failed")), share(of("failed"), of("accepted"))),
        ("dismissed", count(of("dismissed")), share(of("dismissed"), pages)),
        ("revenue per seen page", per_page(of("gross")), String::new()),
        ("the same less returns", per_page(of("gross") - of("returned")), String::new()),
        ("distinct items shown", count(coverage.number(0, "items")), String::new()),
        (
            "of all slots, those of the ten commonest",
            count(coverage.number(0, "shown_of_ten")),
            share(coverage.number(0, "shown_of_ten"), coverage.number(0, "shown")),
        ),
        ("decided late, in part", count(of("degraded")), share(of("degraded"), of("decisions"))),
    ];
    out.push_str("<h2>The page</h2>\n");
    let rows: Vec<Vec<String>> =
        rows.into_iter().map(|(name, number, share)| vec![name.to_owned(), number, share]).collect();
    table(
        out,
        "All arms together; revenue here is what came through the page, not what it added",
        &["", "", ""],
        &rows,
    )
}

fn parts(out: &mut String, report: &Report) -> fmt::Result {
    let answer = report.answer("by");
    out.push_str("<h2>By parts</h2>\n<p>Offers on pages that were seen.</p>\n");
    for what in ["placement", "kind", "partner", "category", "position", "relation", "day"] {
        let rows: Vec<usize> =
            (0..answer.rows.len()).filter(|row| answer.text(*row, "by_what") == what).collect();
        let cells: Vec<Vec<String>> = rows
            .iter()
            .take(if what == "day" { 0 } else { ROWS })
            .map(|row| {
                let of = |name: &str| answer.number(*row, name);
                let share = |name: &str| percent(of(name) / of("shown"));
                let value = |amount: f64| format!("{:.3}", amount / 100.0 / of("shown"));
                vec![
                    answer.text(*row, "name").to_owned(),
                    count(of("shown")),
                    share("engaged"),
                    share("accepted"),
                    percent(of("p_accept")),
                    share("converted"),
                    value(of("gross")),
                    value(of("gross") - of("returned")),
                ]
            })
            .collect();
        let head =
            [what, "shown", "engaged", "accepted", "p_accept", "converted", "revenue each", "less returns"];
        if cells.len() > 1 || what == "kind" {
            let more = if rows.len() > ROWS {
                format!("By {what}: the {ROWS} commonest of {}", rows.len())
            } else {
                format!("By {what}")
            };
            table(out, &more, &head, &cells)?;
        }
    }
    Ok(())
}

fn reasons(out: &mut String, answer: &Answer) -> fmt::Result {
    out.push_str("<h2>Why not more</h2>\n");
    for (what, caption, unit) in [
        ("pages", "Pages without an offer", "pages"),
        ("candidates", "Candidates that were refused, by the first rule that did", "candidates"),
    ] {
        let rows = (0..answer.rows.len()).filter(|row| answer.text(*row, "what") == what).take(ROWS);
        let cells: Vec<Vec<String>> = rows
            .map(|row| {
                let code = answer.number(row, "code") as u16;
                let reason = Reason::ALL.iter().find(|reason| reason.code() == code);
                let text = reason.map_or("unknown to this version", |reason| reason.text());
                vec![text.to_owned(), code.to_string(), count(answer.number(row, "count"))]
            })
            .collect();
        if !cells.is_empty() {
            table(out, caption, &["reason", "code", unit], &cells)?;
        }
    }
    Ok(())
}

fn table(out: &mut String, caption: &str, head: &[&str], rows: &[Vec<String>]) -> fmt::Result {
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
            write!(out, "{open}{}{close}", escaped(cell))?;
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    Ok(())
}

/// A whole number with its thousands apart.
fn count(number: f64) -> String {
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

fn percent(share: f64) -> String {
    let digits = if share.abs() < 0.0995 { 2 } else { 1 };
    format!("{:.digits$} %", 100.0 * share)
}
