//! The parts of the page that compare: a holdout or an experiment, arm beside arm.

use std::fmt::{self, Write};

use super::page::{count, counted, percent, table};
use super::stats::{self, Estimate, Sums};
use super::{
    ADDED, ADDED_NET, Arm, CONTRIBUTION, Comparison, HOLDOUT, LATER, MEASURES, NET, ORDERED, Report, charts,
    cohorts, lift, more,
};
use crate::Failure;
use crate::relevance::report::escaped;

/// Of [`MEASURES`]: what is drawn, in this order.
const CHARTED: [usize; 4] = [NET, ADDED_NET, LATER, CONTRIBUTION];
/// Beyond so many days a line has a point a week.
const DAYS_MAX: usize = 35;
const DASH: &str = "\u{2013}";

/// An interval in words, as the page has them everywhere.
pub(super) fn range(estimate: &Estimate, text: impl Fn(f64) -> String) -> String {
    format!("{} to {}", text(estimate.low), text(estimate.high))
}

fn signed(amount: f64) -> String {
    format!("{amount:+.3}")
}

fn points(share: f64) -> String {
    format!("{:+.2}", 100.0 * share)
}

/// A count with its sign.
fn gained(amount: f64) -> String {
    format!("{}{}", if amount < -0.5 { "" } else { "+" }, count(amount))
}

pub(super) fn write(
    out: &mut String,
    report: &Report,
    comparison: &Comparison,
    money: &str,
) -> Result<(), Failure> {
    match comparison.name.as_str() {
        HOLDOUT => out.push_str("<h2>Against the customers who are held out</h2>\n"),
        name => writeln!(out, "<h2>Experiment \u{201c}{}\u{201d}</h2>", escaped(name))?,
    }
    if let Some(why) = &comparison.refused {
        writeln!(out, "<p class=\"answer no\">No lift is stated: {}.</p>", escaped(why))?;
        arms(out, report, comparison, money)?;
        return Ok(cohorts::write(out, comparison, money)?);
    }
    for arm in comparison.arms.iter().skip(1) {
        answer(out, report, comparison, arm, money)?;
        order_value(out, comparison, arm, money)?;
    }
    let mut offers = comparison.beside.iter().filter(|arm| arm.shows == "offers");
    offers.try_for_each(|arm| answer(out, report, comparison, arm, money))?;
    arms(out, report, comparison, money)?;
    lifts(out, comparison, money)?;
    out.push_str("<div class=\"figures\">\n");
    chart(out, comparison, money)?;
    days(out, report, comparison, money)?;
    out.push_str("</div>\n");
    against_each_other(out, comparison, money)?;
    everybody(out, comparison, money)?;
    cohorts::write(out, comparison, money)?;
    Ok(power(out, report, comparison)?)
}

/// What an arm shows, where a sentence is about it.
fn shown(arm: &Arm) -> String {
    match arm.shows.as_str() {
        "nothing" => "showing nothing".to_owned(),
        "earlier" => "the page as it was".to_owned(),
        _ => format!("\u{201c}{}\u{201d}", arm.name),
    }
}

/// The one sentence, and what it is made of.
fn answer(out: &mut String, report: &Report, comparison: &Comparison, arm: &Arm, money: &str) -> fmt::Result {
    let control = escaped(&shown(&comparison.arms[0]));
    let lifts = [NET, ADDED_NET, LATER].map(|at| lift(comparison, arm, at));
    let [Some(net), Some(added), Some(later)] = lifts else {
        return writeln!(
            out,
            "<p class=\"answer no\">\u{201c}{}\u{201d} has too few customers beside {control} to say anything: at least {} in each arm.</p>",
            escaped(&arm.name),
            stats::UNITS_MIN
        );
    };
    let made_up = report.all_simulated();
    let verdict = match (net.low > 0.0, net.high < 0.0) {
        (true, _) if made_up => "would have brought more than",
        (_, true) if made_up => "would have brought less than",
        (true, _) => "brought more than",
        (_, true) => "brought less than",
        _ => "cannot be told from",
    };
    let share = arm.unshown / arm.sums[NET].n;
    let saw = if arm.shows == "offers" && arm.unshown > 0.0 {
        format!(" ({} of whose transactions saw no offers of ours, but the page as it was)", percent(share))
    } else {
        String::new()
    };
    writeln!(
        out,
        "<p class=\"answer\">{}\u{201c}{}\u{201d}{saw} {verdict} {control}: <b>{} {money}</b> a transaction net of returns (95 %: {}). Of it \
         {} ({}) was added to the order by the page, and {} ({}) came in later orders.</p>",
        if made_up { "In this simulation, " } else { "" },
        escaped(&arm.name),
        signed(net.value),
        range(&net, signed),
        signed(added.value),
        range(&added, signed),
        signed(later.value),
        range(&later, signed),
    )
}

/// What the page did to the average order.
fn order_value(out: &mut String, comparison: &Comparison, arm: &Arm, money: &str) -> fmt::Result {
    let (Some(gross), Some(net)) = (lift(comparison, arm, ADDED), lift(comparison, arm, ADDED_NET)) else {
        return Ok(());
    };
    let Some(paid) = arm.order_value.filter(|paid| *paid > 0.0) else { return Ok(()) };
    writeln!(
        out,
        "<p>Added to the order by the page: <b>{} {money}</b> ({}) before returns, {} ({}) after them; that is {:+.2} % and {:+.2} % of the \
         {paid:.2} that an order had when it was paid, before the page.</p>",
        signed(gross.value),
        range(&gross, signed),
        signed(net.value),
        range(&net, signed),
        100.0 * gross.value / paid,
        100.0 * net.value / paid,
    )
}

/// The means of each arm.
fn arms(out: &mut String, report: &Report, comparison: &Comparison, money: &str) -> fmt::Result {
    let all: f64 = comparison.arms.iter().map(|arm| arm.share[0]).sum();
    let row = |arm: &Arm| {
        let mut row = vec![arm.name.clone()];
        row.extend(CHARTED.map(|at| format!("{:.3}", arm.sums[at].ratio())));
        row.push(percent(arm.sums[ORDERED].ratio()));
        row.push(format!("{:.2}", arm.sums[NET].n / arm.sums[NET].units));
        row.extend([arm.sums[NET].units, arm.sums[NET].n].map(count));
        row.push(if all > 0.0 { percent(arm.share[0]) } else { DASH.to_owned() });
        row.push(match arm.shows.as_str() {
            "earlier" => "page as it was".to_owned(),
            "offers" if arm.unshown > 0.0 => "offers, to some the page as it was".to_owned(),
            shows => shows.to_owned(),
        });
        row
    };
    let head = [
        "arm",
        "net of returns",
        "added by page",
        "later orders",
        "margin, payouts",
        "ordered later",
        "transactions each",
        "customers",
        "transactions",
        "share meant",
        "shows",
    ];
    let rows: Vec<Vec<String>> = comparison.arms.iter().map(row).collect();
    table(out, &format!("Each arm: {money} per transaction"), &head, &rows)?;
    if comparison.name == report.comparisons[0].name {
        meaning(out, report)?;
    }
    match comparison.ratio_p {
        Some(p) => writeln!(
            out,
            "<p class=\"note\">Do the arms have the customers that their shares say? p = {p:.3}; below {} no lift is stated.</p>",
            stats::RATIO_P_MIN
        ),
        None => Ok(()),
    }
}

/// What the columns mean, said once.
fn meaning(out: &mut String, report: &Report) -> fmt::Result {
    let totals = report.answer("totals");
    let returned = |part: &str, whole: &str| {
        let (part, whole) = (totals.number(0, part), totals.number(0, whole));
        if part > 0.0 { percent(part / whole) } else { "nothing".to_owned() }
    };
    writeln!(
        out,
        "<p class=\"note\">Net of returns = added by the page + later orders, each less the returns that were reported: {} of what pages added, \
         {} of later orders. <b>Ordered later</b>, here and below: after so many of the transactions a later order was reported, as an \
         <code>ordered</code> event that names the transaction before it. The customers\u{2019} other transactions in this log are not \
         among those; they are counted as transactions each. Returns, margins and later orders of the last days may still be on their way.</p>",
        returned("page_returned", "page_gross"),
        returned("later_returned", "later"),
    )
}

/// The lift of an arm, where it can differ: where neither side shows anything of ours, nothing is added.
fn told(comparison: &Comparison, arm: &Arm, measure: usize) -> Option<Estimate> {
    lift(comparison, arm, measure).filter(|lift| lift.error > 0.0)
}

/// Every lift as numbers.
fn lifts(out: &mut String, comparison: &Comparison, money: &str) -> fmt::Result {
    let control = &comparison.arms[0];
    let mut rows = Vec::new();
    for arm in comparison.measured() {
        for at in CHARTED.into_iter().chain([ORDERED]) {
            let Some(lift) = told(comparison, arm, at) else { continue };
            let text = if at == ORDERED { points } else { signed };
            // Adding zero takes the sign from a rounded zero.
            let of_control = (100.0 * lift.value / control.sums[at].ratio()).round() + 0.0;
            let name = if at == ORDERED { "ordered later, points" } else { MEASURES[at].1 };
            rows.push(vec![
                format!("{}: {name}", arm.name),
                text(lift.value),
                range(&lift, text),
                if of_control.is_finite() { format!("{of_control:+.0}") } else { DASH.to_owned() },
            ]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let caption = format!("More than {}: {money} per transaction", shown(control));
    table(out, &caption, &["arm: measure", "more", "95 %", "in %"], &rows)?;
    if !comparison.beside.is_empty() {
        out.push_str(
            "<p class=\"note\">An arm of an experiment is beside who is held out: customers of both were drawn by chance, one draw apart from the \
             other, and every customer who is not held out is in the experiment. So this is what the arm does against showing nothing.</p>\n",
        );
    }
    Ok(())
}

fn chart(out: &mut String, comparison: &Comparison, money: &str) -> Result<(), Failure> {
    let group = |at: usize| {
        let rows = comparison.measured().filter_map(|arm| Some((arm.ink, told(comparison, arm, at)?)));
        (MEASURES[at].1, rows.collect::<Vec<_>>())
    };
    let groups: Vec<_> = CHARTED.map(group).into_iter().filter(|(_, rows)| !rows.is_empty()).collect();
    if groups.is_empty() {
        return Ok(());
    }
    let what =
        format!("More than {}, per transaction, {money}, with 95 % intervals", shown(&comparison.arms[0]));
    let svg = charts::intervals(&what, &groups)?;
    writeln!(out, "<figure><figcaption>{}</figcaption>\n{svg}", escaped(&what))?;
    keys(out, comparison.measured())?;
    out.push_str("</figure>\n");
    Ok(())
}

fn keys<'a>(out: &mut String, arms: impl Iterator<Item = &'a Arm>) -> fmt::Result {
    out.push_str("<ul class=\"keys\">");
    for arm in arms {
        let ink = charts::ink(arm.ink).0;
        write!(out, "<li><i style=\"background:var(--{ink})\"></i>{}</li>", escaped(&arm.name))?;
    }
    out.push_str("</ul>\n");
    Ok(())
}

/// Arms that show offers, each against each.
fn against_each_other(out: &mut String, comparison: &Comparison, money: &str) -> fmt::Result {
    let mut rows = Vec::new();
    for (arm, other) in comparison.pairs() {
        for at in [NET, ADDED_NET, LATER] {
            let Some(more) = more(comparison, arm, other, at) else { continue };
            let name = format!("{} against {}: {}", arm.name, other.name, MEASURES[at].1);
            rows.push(vec![name, signed(more.value), range(&more, signed)]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    table(
        out,
        &format!("Arms against each other: {money} per transaction"),
        &["arms: measure", "more", "95 %"],
        &rows,
    )
}

/// What the log's days would have brought, had everybody seen one arm.
fn everybody(out: &mut String, comparison: &Comparison, money: &str) -> fmt::Result {
    let all: Vec<&Arm> = comparison.arms.iter().chain(&comparison.held_out).collect();
    let (mut n, mut brought) = (0.0, 0.0);
    all.iter().for_each(|arm| (n, brought) = (n + arm.sums[NET].n, brought + arm.sums[NET].y));
    let mut rows = Vec::new();
    for (at, arm) in all.iter().enumerate() {
        let others: Vec<&Sums> = all
            .iter()
            .enumerate()
            .filter(|(other, _)| *other != at)
            .map(|(_, other)| &other.sums[NET])
            .collect();
        let own = &arm.sums[NET];
        let (Some(mean), Some(more)) = (own.mean(), own.instead_of(&others)) else { continue };
        let total = mean.times(n);
        rows.push(vec![
            arm.name.clone(),
            gained(more.value),
            range(&more, gained),
            count(total.value),
            range(&total, count),
        ]);
    }
    let caption = format!(
        "Had everybody seen it: net revenue of all {} transactions, {money}. As they were shown, they brought {}",
        count(n),
        count(brought)
    );
    table(out, &caption, &["arm", "more than was brought", "95 %", "in all", "95 %"], &rows)
}

fn days(out: &mut String, report: &Report, comparison: &Comparison, money: &str) -> Result<(), Failure> {
    let answer = report.answer("days");
    let own = |row: &usize| answer.text(*row, "comparison") == comparison.name;
    let mut names: Vec<&str> =
        (0..answer.rows.len()).filter(own).map(|row| answer.text(row, "day")).collect();
    names.sort_unstable();
    names.dedup();
    let (of_each, each) = if names.len() > DAYS_MAX { (7, "week") } else { (1, "day") };
    // A point of fewer days would jump about for that alone.
    let over = names.len() % of_each;
    names.truncate(names.len() - over);
    let (Some(first), Some(last)) = (names.first(), names.last()) else { return Ok(()) };
    let line = |arm: &Arm| {
        let mut sums = vec![(0.0, 0.0); names.len() / of_each];
        for row in (0..answer.rows.len()).filter(own).filter(|row| answer.text(*row, "arm") == arm.name) {
            if let Ok(day) = names.binary_search(&answer.text(row, "day")) {
                sums[day / of_each].0 += answer.number(row, "net") / 100.0;
                sums[day / of_each].1 += answer.number(row, "n");
            }
        }
        sums.into_iter().map(|(net, n)| (n > 0.0).then_some(net / n)).collect()
    };
    let lines: Vec<(usize, Vec<Option<f64>>)> =
        comparison.arms.iter().map(|arm| (arm.ink, line(arm))).collect();
    let what = format!("Revenue net of returns per transaction by {each}");
    let svg = charts::days(&format!("{what}, {first} to {last}"), &lines, first, last)?;
    writeln!(out, "<figure><figcaption>{what}, {money}</figcaption>\n{svg}")?;
    keys(out, comparison.arms.iter())?;
    if over > 0 {
        writeln!(
            out,
            "<p class=\"note\">The last {}, less than a week, {} left out.</p>",
            counted(over as f64, "day"),
            if over == 1 { "is" } else { "are" }
        )?;
    }
    out.push_str("</figure>\n");
    Ok(())
}

/// What this traffic can tell, and what it would take to tell more.
fn power(out: &mut String, report: &Report, comparison: &Comparison) -> fmt::Result {
    let (control, Some(arm)) = (&comparison.arms[0], comparison.arms.get(1)) else { return Ok(()) };
    let own = |measure: usize| [control, arm].map(|arm| arm.sums[measure]);
    let per_day = comparison.transactions() / report.answer("totals").number(0, "days").max(1.0);
    let each = control.sums[NET].n / control.sums[NET].units;
    let mut rows = Vec::new();
    for at in [NET, LATER, CONTRIBUTION] {
        let Some(lift) = lift(comparison, arm, at) else { continue };
        let mean = control.sums[at].ratio();
        let deviation = own(at).map(|sums| sums.deviation()).into_iter().fold(0.0, f64::max);
        for share in [0.05, 0.10].into_iter().filter(|_| mean > 0.0) {
            let n = stats::decisions_for(share * mean, deviation).max(stats::UNITS_MIN);
            rows.push(vec![
                format!("{}: {:.0} % = {:.3}", MEASURES[at].1, 100.0 * share, share * mean),
                count((2.0 * n / per_day).ceil()),
                count(n / each),
                count(n),
                format!("{:.3}", stats::resolvable(lift.error)),
            ]);
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let caption = format!(
        "What it takes to find a difference of 5 or 10 % of \u{201c}{}\u{201d} four times in five, in two equal arms that share this traffic ({} transactions a day)",
        control.name,
        count(per_day)
    );
    let head =
        ["difference", "days", "customers in each arm", "transactions in each arm", "found by now from"];
    table(out, &caption, &head, &rows)?;
    writeln!(
        out,
        "<p class=\"note\">Found by now: the least difference between \u{201c}{}\u{201d} and \u{201c}{}\u{201d} that these days show four times in \
         five. Customers: at {each:.1} transactions each, as in this log.</p>",
        escaped(&arm.name),
        escaped(&control.name)
    )
}
