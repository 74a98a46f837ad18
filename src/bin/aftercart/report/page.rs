//! The page: one HTML file that needs nothing from anywhere.

use std::fmt::{self, Write};

use aftercart::Reason;

use super::query::Answer;
use super::stats::{self, Estimate};
use super::{Arm, Comparison, MEASURES, Report, charts, cohorts, lift};
use crate::Failure;
use crate::relevance::charts::{INKS, predicted};
use crate::relevance::metrics::Bin;
use crate::relevance::report::escaped;

/// Rows of a table that are shown; the CSV has all.
const ROWS: usize = 15;
/// The comparison that is no experiment.
const HOLDOUT: &str = "global holdout";
/// Of [`MEASURES`]: what was added to the order on the page.
const ADDED: usize = 3;
/// Of [`MEASURES`]: what is drawn.
const CHARTED: [usize; 4] = [0, 1, 2, ADDED];
/// Beyond so many days a line has a point a week.
const DAYS_MAX: usize = 35;
/// Offers of a placement below which no reliability is drawn.
const DRAWN_MIN: f64 = 200.0;

/// Writes the page.
pub(super) fn page(report: &Report) -> Result<String, Failure> {
    let mut out = String::new();
    head(&mut out)?;
    let totals = report.answer("totals");
    let money = totals.text(0, "currency").to_owned();
    writeln!(
        out,
        "<h1>What did it bring?</h1>\n<p>{} transactions from {} to {}, amounts in {}. Behind each difference stands, in parentheses, where it \
         lies with 95 % certainty: of twenty such intervals one misses. Customers were assigned by chance, so what differs between \
         two arms beyond that comes from what they were shown.</p>",
        count(totals.number(0, "transactions")),
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
    reliability(&mut out, report.answer("reliability"))?;
    latency(&mut out, report.answer("latency"))?;
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
         td:first-child { text-align: left }\n.figures { margin-top: 12px }\n\
         th:first-child { white-space: normal; min-width: 8rem; max-width: min(24rem, 45vw); overflow-wrap: anywhere }\n</style>\n</head>\n<body>\n<main>\n",
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
    if report.answer("totals").number(0, "simulated") > 0.0 {
        out.push_str("<p class=\"answer no\">Customers of <code>aftercart simulate</code> are in this log: what they did is made up.</p>\n");
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

fn compared(out: &mut String, report: &Report, comparison: &Comparison, money: &str) -> Result<(), Failure> {
    match comparison.name.as_str() {
        HOLDOUT => out.push_str("<h2>Against the customers who are held out</h2>\n"),
        name => writeln!(out, "<h2>Experiment \u{201c}{}\u{201d}</h2>", escaped(name))?,
    }
    let control = &comparison.arms[0];
    if let Some(why) = &comparison.refused {
        writeln!(out, "<p class=\"answer no\">No lift is stated: {}.</p>", escaped(why))?;
    }
    for arm in comparison.arms.iter().skip(1).filter(|_| comparison.refused.is_none()) {
        answer(out, comparison, arm, control, money)?;
    }
    arms(out, comparison, money)?;
    if comparison.refused.is_none() {
        out.push_str("<div class=\"figures\">\n");
        for arm in comparison.arms.iter().skip(1) {
            let rows: Vec<(String, Estimate)> = CHARTED
                .into_iter()
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
    cohorts::write(out, comparison, money)?;
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
        "<p class=\"answer\">\u{201c}{}\u{201d} {verdict} {shown}: <b>{:+.3} {money}</b> a transaction net of returns (95 %: {:+.3} to {:+.3}). Over its {} transactions that is {} {money} ({} to {}).</p>",
        escaped(&arm.name),
        net.value,
        net.low,
        net.high,
        count(arm.sums[1].n),
        count(net.value * arm.sums[1].n),
        count(net.low * arm.sums[1].n),
        count(net.high * arm.sums[1].n)
    )?;
    order_value(out, comparison, arm, money)
}

/// What the page did to the average order.
fn order_value(out: &mut String, comparison: &Comparison, arm: &Arm, money: &str) -> fmt::Result {
    let (Some(lift), Some(paid)) = (lift(comparison, arm, ADDED), arm.order_value) else { return Ok(()) };
    writeln!(
        out,
        "<p>Average order value: <b>{:+.3} {money}</b> (95 %: {:+.3} to {:+.3}), which is {:+.2} % of the {paid:.2} that orders had \
         when they were paid. That was before the page, so what differs in it between arms is chance and not counted here.</p>",
        lift.value,
        lift.low,
        lift.high,
        if paid > 0.0 { 100.0 * lift.value / paid } else { 0.0 }
    )
}

/// What an arm shows, in words.
fn shows(arm: &Arm) -> &str {
    match arm.shows.as_str() {
        "earlier" => "page as it was",
        shows => shows,
    }
}

fn arms(out: &mut String, comparison: &Comparison, money: &str) -> fmt::Result {
    let mut rows = Vec::new();
    for arm in &comparison.arms {
        let mut row =
            vec![arm.name.clone(), shows(arm).to_owned(), count(arm.sums[0].units), count(arm.sums[0].n)];
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
        "net of returns",
        "margin, payouts",
        "added to order",
        "ordered later",
    ];
    table(out, &format!("Per transaction, {money}"), &head, &rows)?;
    let others = if comparison.name == HOLDOUT {
        " \u{201c}All others\u{201d} are all who are not held out, in whichever arm of an experiment, also in those that show the page as it was."
    } else {
        ""
    };
    writeln!(
        out,
        "<p class=\"note\">Revenue: what offers of the page converted to, and later orders as they were reported; who sees no page has \
         such, too. Returns, margins and later orders of the last days may still be on their way.{others}</p>"
    )?;
    match comparison.ratio_p {
        Some(p) => writeln!(
            out,
            "<p class=\"note\">Do the arms have the customers that their shares say? p = {p:.3}; below {} no lift is stated.</p>",
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
    let (of_each, each) = if names.len() > DAYS_MAX { (7, "week") } else { (1, "day") };
    let line = |arm: &Arm| {
        let mut sums = vec![(0.0, 0.0); names.len().div_ceil(of_each)];
        for row in (0..answer.rows.len()).filter(own).filter(|row| answer.text(*row, "arm") == arm.name) {
            if let Ok(day) = names.binary_search(&answer.text(row, "day")) {
                sums[day / of_each].0 += answer.number(row, "net") / 100.0;
                sums[day / of_each].1 += answer.number(row, "n");
            }
        }
        sums.into_iter().map(|(net, n)| (n > 0.0).then_some(net / n)).collect()
    };
    let lines: Vec<(String, Vec<Option<f64>>)> =
        comparison.arms.iter().map(|arm| (arm.name.clone(), line(arm))).collect();
    let what = format!("Revenue net of returns per transaction by {each}");
    let svg = charts::days(&format!("{what}, {first} to {last}"), &lines, first, last)?;
    writeln!(out, "<figure><figcaption>{what}, {money}</figcaption>\n{svg}<ul class=\"keys\">")?;
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
    for at in CHARTED {
        let Some(lift) = lift(comparison, arm, at) else { continue };
        let deviation = control.sums[at].deviation().max(arm.sums[at].deviation());
        let needed = |effect| count(stats::decisions_for(effect, deviation).max(stats::UNITS_MIN));
        let needed = [0.05, 0.10, 0.30, 1.0].map(needed);
        let mut row = vec![
            MEASURES[at].1.to_owned(),
            format!("{deviation:.2}"),
            format!("{:.3}", stats::resolvable(lift.error)),
        ];
        row.extend(needed);
        rows.push(row);
    }
    let head =
        ["measure", "standard deviation", "shown now from", "for 0.05", "for 0.10", "for 0.30", "for 1.00"];
    let caption = format!(
        "What it takes. Now: the least difference that these customers show four times in five. For: transactions in each of two equal arms to show one of so many {money}"
    );
    table(out, &caption, &head, &rows)
}

fn whole(out: &mut String, report: &Report) -> fmt::Result {
    let totals = report.answer("totals");
    let of = |name: &str| totals.number(0, name);
    let (pages, decided) = (of("pages"), of("decisions") - of("held_out"));
    let again = of("decisions") - of("transactions");
    let coverage = report.answer("coverage");
    let share =
        |part: f64, whole: f64| if whole > 0.0 { percent(part / whole) } else { "\u{2013}".to_owned() };
    let per_page = |amount: f64| {
        if pages > 0.0 { format!("{:.3}", amount / 100.0 / pages) } else { "\u{2013}".to_owned() }
    };
    let rows = [
        ("transactions", count(of("transactions")), String::new()),
        ("asked, and decided again after the answer", count(again), share(again, of("transactions"))),
        (
            "shown no offers: held out, or the page as it was",
            count(of("held_out")),
            share(of("held_out"), of("decisions")),
        ),
        ("with an offer, of the others", count(of("with_offers")), share(of("with_offers"), decided)),
        ("slots filled, of those to fill", count(of("slots_filled")), share(of("slots_filled"), of("slots"))),
        ("pages seen, of those with an offer", count(pages), share(pages, of("with_offers"))),
        ("engaged with, of pages seen", count(of("engaged")), share(of("engaged"), pages)),
        ("with an offer accepted", count(of("accepted")), share(of("accepted"), pages)),
        ("with one converted", count(of("converted")), share(of("converted"), pages)),
        ("acceptances that failed", count(of("failed")), share(of("failed"), of("accepted"))),
        ("dismissed", count(of("dismissed")), share(of("dismissed"), pages)),
        ("revenue through the page, per page seen", per_page(of("gross")), String::new()),
        ("the same, net of returns", per_page(of("gross") - of("returned")), String::new()),
        ("distinct items shown", count(coverage.number(0, "items")), String::new()),
        (
            "slots of the ten commonest items",
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
        "All arms together. What came through the page, some of it in place of a later order: what it added is above",
        &["", "number", "share"],
        &rows,
    )
}

fn parts(out: &mut String, report: &Report) -> fmt::Result {
    let answer = report.answer("by");
    out.push_str("<h2>By parts</h2>\n<p>Offers on pages that were seen, and what came of them: without anybody to compare with, so no lift.</p>\n");
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
            [what, "shown", "engaged", "accepted", "expected", "converted", "revenue each", "net of returns"];
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

/// What was expected beside what came of it.
fn reliability(out: &mut String, answer: &Answer) -> Result<(), Failure> {
    out.push_str("<h2>Is p_accept right?</h2>\n");
    let mut placements: Vec<&str> = (0..answer.rows.len()).map(|row| answer.text(row, "placement")).collect();
    placements.dedup();
    let mut figures = String::new();
    for placement in placements {
        let rows: Vec<usize> =
            (0..answer.rows.len()).filter(|row| answer.text(*row, "placement") == placement).collect();
        let sum = |of: &dyn Fn(usize) -> f64| rows.iter().map(|row| of(*row)).sum::<f64>();
        let shown = sum(&|row| answer.number(row, "shown"));
        let accepted = sum(&|row| answer.number(row, "accepted"));
        let expected = sum(&|row| answer.number(row, "shown") * answer.number(row, "expected"));
        let of_tenth = |row: &usize| {
            let n = answer.number(*row, "shown");
            Bin {
                n: n as usize,
                predicted: answer.number(*row, "expected"),
                observed: answer.number(*row, "accepted") / n,
            }
        };
        let bins: Vec<Bin> = rows.iter().map(of_tenth).collect();
        let told = format!(
            "{} offers seen, {} accepted where {} were expected",
            count(shown),
            count(accepted),
            count(expected)
        );
        if shown < DRAWN_MIN || accepted == 0.0 {
            writeln!(out, "<p>{}: {told}; too little to draw.</p>", escaped(placement))?;
            continue;
        }
        let label = format!("Share accepted against p_accept, placement {placement}");
        let svg = predicted(label, "accepted", &[(false, &bins)])?;
        writeln!(
            figures,
            "<figure><figcaption>Placement {}</figcaption>\n{svg}<p class=\"note\">{told}.</p></figure>",
            escaped(placement)
        )?;
    }
    if figures.is_empty() {
        out.push_str("<p>No offers were seen often enough to tell.</p>\n");
        return Ok(());
    }
    write!(
        out,
        "<p>Offers that were seen, in tenths by their expected probability (<code>p_accept</code>). On the grey line as many accept as was \
         expected; above it more do. Bars are 95 %. Far from the line, floors and reserves do not mean what they say; where the \
         points are not in order, neither are the offers. <code>aftercart learn</code> learns from this log.</p>\n\
         <div class=\"figures\">\n{figures}</div>\n"
    )?;
    Ok(())
}

fn latency(out: &mut String, answer: &Answer) -> fmt::Result {
    out.push_str("<h2>How long did it take?</h2>\n");
    if answer.rows.is_empty() {
        out.push_str("<p>Nobody timed these decisions (<code>Decider::time_with</code>).</p>\n");
        return Ok(());
    }
    let row = |row: usize| {
        let time = |name: &str| count(answer.number(row, name));
        let of = |name: &str| answer.text(row, name).to_owned();
        let mut cells = vec![of("placement"), of("index_generation"), time("decisions")];
        cells.extend(["p50", "p95", "p99", "slowest"].map(time));
        cells
    };
    let rows: Vec<Vec<String>> = (0..answer.rows.len().min(ROWS)).map(row).collect();
    let head = ["placement", "catalog", "decisions", "p50", "p95", "p99", "slowest"];
    table(
        out,
        "Microseconds in the host\u{2019}s process, from the call to the slate; half, 95 and 99 of 100 decisions took at most so long",
        &head,
        &rows,
    )
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
            write!(out, "{open}{}{close}", escaped(cell))?;
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

pub(super) fn percent(share: f64) -> String {
    let digits = if share.abs() < 0.0995 { 2 } else { 1 };
    format!("{:.digits$} %", 100.0 * share)
}
