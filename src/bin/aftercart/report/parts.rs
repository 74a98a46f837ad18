//! The parts of the page that compare nothing: what was shown and done, whether p_accept is right, how long it took, why not more.

use std::fmt::{self, Write};

use aftercart::Reason;

use super::Report;
use super::page::{count, percent, table};
use super::query::Answer;
use crate::Failure;
use crate::relevance::charts::predicted;
use crate::relevance::metrics::Bin;
use crate::relevance::report::escaped;

/// Rows of a table that are shown; the CSV has all.
const ROWS: usize = 15;
/// Offers of a placement below which no reliability is drawn.
const DRAWN_MIN: f64 = 200.0;
/// Conversions below which a mean says nothing.
const CONVERTED_MIN: f64 = 30.0;
/// A tenth is like the whole where its factor is no further from the whole's, as a share of that.
const ALIKE: f64 = 0.2;
const DASH: &str = "\u{2013}";

pub(super) fn write(out: &mut String, report: &Report, money: &str) -> Result<(), Failure> {
    whole(out, report, money)?;
    by_parts(out, report, money)?;
    reliability(out, report.answer("reliability"))?;
    latency(out, report.answer("latency"))?;
    reasons(out, report)?;
    Ok(words(out)?)
}

/// What became of the pages, each number with what it is a share of.
fn whole(out: &mut String, report: &Report, money: &str) -> fmt::Result {
    let (totals, coverage) = (report.answer("totals"), report.answer("coverage"));
    let of = |name: &str| totals.number(0, name);
    let (pages, due) = (of("pages"), of("decisions") - of("held_out"));
    let again = of("decisions") - of("transactions");
    let (shown, of_ten) = (coverage.number(0, "shown"), coverage.number(0, "shown_of_ten"));
    let rows = [
        ("transactions", of("transactions"), None),
        ("asked, and decided again after the answer", again, Some((of("transactions"), "transactions"))),
        ("held out, or shown the page as it was", of("held_out"), Some((of("decisions"), "decisions"))),
        ("with an offer", of("with_offers"), Some((due, "decisions that were to show some"))),
        ("without an offer", of("without_offer"), Some((due, "decisions that were to show some"))),
        ("slots filled", of("slots_filled"), Some((of("slots"), "slots of these decisions"))),
        ("pages seen", pages, Some((of("with_offers"), "decisions with an offer"))),
        ("engaged with", of("engaged"), Some((pages, "pages seen"))),
        ("with an offer accepted", of("accepted"), Some((pages, "pages seen"))),
        ("with one converted (paid)", of("converted"), Some((pages, "pages seen"))),
        ("dismissed", of("dismissed"), Some((pages, "pages seen"))),
        ("offers accepted", of("acceptances"), Some((of("slots_filled"), "slots filled"))),
        ("acceptances that failed", of("failed"), Some((of("acceptances"), "offers accepted"))),
        ("distinct items shown", coverage.number(0, "items"), None),
        ("slots of the ten commonest items", of_ten, Some((shown, "slots filled"))),
        ("decided in part, as time ran out", of("degraded"), Some((of("decisions"), "decisions"))),
    ];
    let row = |(name, number, whole): (&str, f64, Option<(f64, &str)>)| {
        let share = whole.filter(|(whole, _)| *whole > 0.0).map(|(whole, _)| percent(number / whole));
        let of = whole.map_or_else(String::new, |(_, of)| format!(", of {of}"));
        vec![format!("{name}{of}"), count(number), share.unwrap_or_else(|| DASH.to_owned())]
    };
    out.push_str("<h2>The page</h2>\n");
    table(out, "All arms together", &["", "number", "share"], &rows.map(row))?;
    if pages > 0.0 {
        writeln!(
            out,
            "<p class=\"note\">A page that was seen brought {:.3} {money}, net of returns {:.3}. Some of it the customers would have bought \
             anyway: what the page added is in the comparisons above.</p>",
            of("gross") / 100.0 / pages,
            (of("gross") - of("returned")) / 100.0 / pages
        )?;
    }
    Ok(())
}

/// How an offer followed, in words.
fn in_words<'a>(what: &str, name: &'a str) -> &'a str {
    match (what, name) {
        ("relation", "bought_together") => "bought together with it",
        ("relation", "goes_with_type") => "goes with that type of product",
        ("relation", "alike") => "like it in title, text or category",
        ("relation", "refill") => "due again for this customer",
        ("relation", "triggered") => "named by a partner\u{2019}s or your own rule",
        ("relation", "house") => "house offer: nothing better was left",
        (_, name) => name,
    }
}

fn by_parts(out: &mut String, report: &Report, money: &str) -> fmt::Result {
    let answer = report.answer("by");
    let earns = (0..answer.rows.len()).any(|row| answer.number(row, "contribution") != 0.0);
    writeln!(
        out,
        "<h2>By parts</h2>\n<p>Offers on pages that were seen, and what came of them: without anybody to compare with, so no lift. What \
         brought most comes first. Per offer shown = net of returns over all offers shown, taken or not; below {CONVERTED_MIN} conversions it \
         says too little to be printed. Net is what customers paid, to a partner or to you; margin and payout what you keep of it, as \
         events reported it. Expected = <code>p_accept</code>, averaged.</p>"
    )?;
    for what in ["placement", "kind", "partner", "category", "position", "relation"] {
        let rows: Vec<usize> =
            (0..answer.rows.len()).filter(|row| answer.text(*row, "by_what") == what).collect();
        let cells = |row: &usize| {
            let of = |name: &str| answer.number(*row, name);
            let share = |name: &str| percent(of(name) / of("shown"));
            let each = |amount: f64| match of("converted") < CONVERTED_MIN {
                true => "too few".to_owned(),
                false => format!("{:.3}", amount / 100.0 / of("shown")),
            };
            let net = of("gross") - of("returned");
            let mut cells =
                vec![in_words(what, answer.text(*row, "name")).to_owned(), count(net / 100.0), each(net)];
            if earns {
                cells.extend([count(of("contribution") / 100.0), each(of("contribution"))]);
            }
            cells.extend([count(of("shown")), share("accepted"), percent(of("p_accept"))]);
            cells.extend([share("converted"), share("engaged")]);
            cells
        };
        let shown: Vec<Vec<String>> = rows.iter().take(ROWS).map(cells).collect();
        let net = format!("net, {money}");
        let mut head = vec![what, net.as_str(), "per offer shown"];
        if earns {
            head.extend(["margin, payout", "per offer shown"]);
        }
        head.extend(["shown", "accepted", "expected", "converted", "engaged"]);
        if shown.len() > 1 || what == "kind" {
            let more = if rows.len() > ROWS {
                format!("By {what}: {ROWS} of {}, those that brought most", rows.len())
            } else {
                format!("By {what}")
            };
            table(out, &more, &head, &shown)?;
        }
    }
    Ok(())
}

/// Offers seen, expected and accepted, by tenths of what was expected.
struct Tenths {
    bins: Vec<Bin>,
    shown: f64,
    expected: f64,
    accepted: f64,
}

impl Tenths {
    fn of(answer: &Answer, placement: &str) -> Self {
        let mut own = Self { bins: Vec::new(), shown: 0.0, expected: 0.0, accepted: 0.0 };
        for row in (0..answer.rows.len()).filter(|row| answer.text(*row, "placement") == placement) {
            let [n, predicted, accepted] =
                ["shown", "expected", "accepted"].map(|name| answer.number(row, name));
            own.bins.push(Bin { n: n as usize, predicted, observed: accepted / n });
            own.shown += n;
            own.expected += n * predicted;
            own.accepted += accepted;
        }
        own
    }

    /// Whether level, shape and order are right, and what follows.
    fn judged(&self) -> String {
        let factor = self.accepted / self.expected;
        // Two standard errors of a count, and what nobody would mind.
        let is_level =
            (self.accepted - self.expected).abs() <= (2.0 * self.expected.sqrt()).max(0.1 * self.expected);
        let factors =
            || self.bins.iter().filter(|bin| bin.predicted > 0.0).map(|bin| bin.observed / bin.predicted);
        let (least, most) = (factors().fold(f64::MAX, f64::min), factors().fold(0.0, f64::max));
        let falls = self.bins.windows(2).any(|pair| {
            let error = |bin: &Bin| bin.observed * (1.0 - bin.observed) / bin.n as f64;
            pair[0].observed - pair[1].observed > 2.0 * (error(&pair[0]) + error(&pair[1])).sqrt()
        });
        let level = if is_level {
            "As many accepted as was expected".to_owned()
        } else {
            format!("{factor:.1} times as many accepted as was expected")
        };
        let is_alike = |bin: &Bin| {
            let expected = factor * bin.predicted * bin.n as f64;
            // Three standard errors of a count: of ten tenths, hardly one is further off by chance.
            (bin.observed * bin.n as f64 - expected).abs() <= (3.0 * expected.sqrt()).max(ALIKE * expected)
        };
        let tenths =
            if self.bins.iter().all(is_alike) { "alike in every tenth" } else { "not alike in every tenth" };
        let order = if falls { "the order is not right everywhere" } else { "the order is right" };
        let joined = if is_level == falls { "but" } else { "and" };
        let verdict = format!(
            "{level}, {tenths} ({least:.1} to {most:.1} times): {order}, {joined} the level is {}.",
            if is_level { "too" } else { "not" }
        );
        let verdict =
            if falls && !is_level { verdict.replace("level is not", "level is not either") } else { verdict };
        let verdict = if falls && is_level { verdict.replace("level is too", "level is") } else { verdict };
        if is_level {
            return verdict;
        }
        format!(
            "{verdict} So a floor <code>min_p_accept</code> of 1 % means offers that {} accept, and a <code>reserve</code>, which is compared with \
             <code>p_accept</code> times value, keeps {} away than it says. The floor <code>min_relevance</code> does not use it. \
             <code>aftercart learn</code> learns the level from this log.",
            percent(factor / 100.0),
            if factor > 1.0 { "more" } else { "less" }
        )
    }
}

/// What was expected beside what came of it.
fn reliability(out: &mut String, answer: &Answer) -> Result<(), Failure> {
    out.push_str("<h2>Is p_accept right?</h2>\n");
    let mut placements: Vec<&str> = (0..answer.rows.len()).map(|row| answer.text(row, "placement")).collect();
    placements.dedup();
    let mut figures = String::new();
    for placement in placements {
        let tenths = Tenths::of(answer, placement);
        let told = format!(
            "{} offers seen, {} accepted where {} were expected",
            count(tenths.shown),
            count(tenths.accepted),
            count(tenths.expected)
        );
        if tenths.shown < DRAWN_MIN || tenths.accepted == 0.0 {
            writeln!(out, "<p>{}: {told}; too little to draw.</p>", escaped(placement))?;
            continue;
        }
        writeln!(out, "<p class=\"answer\">Placement {}: {}</p>", escaped(placement), tenths.judged())?;
        let label = format!("Share accepted against p_accept, placement {placement}");
        let svg = predicted(label, "accepted", &[(false, &tenths.bins)])?;
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
        "<p>Offers that were seen, in tenths by <code>p_accept</code>; expected is its sum over the offers that were seen. On the grey line as \
         many accept as was expected; above it more do. Bars are 95 %. Both axes are logarithmic: each step to the next mark is a \
         factor.</p>\n<div class=\"figures\">\n{figures}</div>\n"
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
        "Microseconds in the host\u{2019}s process, from the call to the offers; half (p50), 95 and 99 of 100 decisions took at most so long",
        &head,
        &rows,
    )
}

/// Why there was not more. Reasons are short for those who know the pipeline; those that stand out are told at length.
fn reasons(out: &mut String, report: &Report) -> fmt::Result {
    let (answer, totals) = (report.answer("reasons"), report.answer("totals"));
    let of = |name: &str| totals.number(0, name);
    let due = of("decisions") - of("held_out");
    let share = if due > 0.0 { percent(of("without_offer") / due) } else { DASH.to_owned() };
    out.push_str("<h2>Why not more</h2>\n");
    for (what, caption, unit) in [
        (
            "pages",
            format!(
                "{} pages without an offer: {share} of the {} decisions that were to show some",
                count(of("without_offer")),
                count(due)
            ),
            "pages",
        ),
        (
            "candidates",
            format!(
                "Candidates that were refused, by the first rule that did: over all {} decisions, also those of customers who are held out",
                count(of("decisions"))
            ),
            "candidates",
        ),
    ] {
        let rows = (0..answer.rows.len()).filter(|row| answer.text(*row, "what") == what).take(ROWS);
        let cells: Vec<Vec<String>> = rows
            .map(|row| {
                let code = answer.number(row, "code") as u16;
                let reason = Reason::ALL.iter().find(|reason| reason.code() == code);
                let text = match reason {
                    None => "unknown to this version",
                    Some(Reason::BelowRelevance) if what == "pages" => "most of what goes with it was below the relevance floor (min_relevance)",
                    Some(Reason::NothingToAsk) => {
                        "nothing bought leads to offers: only products of sensitive classes, or that the catalog does not have, or that you marked"
                    }
                    Some(reason) => reason.text(),
                };
                vec![text.to_owned(), count(answer.number(row, "count")), code.to_string()]
            })
            .collect();
        if !cells.is_empty() {
            table(out, &caption, &["reason", unit, "code"], &cells)?;
        }
    }
    Ok(())
}

/// What a reader cannot know who did not build it.
fn words(out: &mut String) -> fmt::Result {
    out.push_str("<h2>Words</h2>\n<ul>\n");
    for (word, meaning) in [
        (
            "Transaction",
            "an order, with the page after it; a page that an answer replaced counts with its successor.",
        ),
        ("Slot", "a place on the page for one offer. All that were filled on one page are its slate."),
        (
            "Relevance floor",
            "min_relevance: an offer appears only if it makes that much sense beside what was bought.",
        ),
        ("Reserve", "the least that an offer must be expected to bring, p_accept times its value."),
        ("Engaged", "looked at more closely, as your page reports it."),
        (
            "Accepted, converted",
            "the customer said yes; the offer was paid. Between the two, charging may fail.",
        ),
        ("Margin, payout", "what is left to you of your own sale; what a partner pays you for theirs."),
    ] {
        writeln!(out, "<li><b>{word}</b>: {meaning}</li>")?;
    }
    out.push_str("</ul>\n");
    Ok(())
}
