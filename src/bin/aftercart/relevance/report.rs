//! The page: one HTML file that needs nothing from anywhere.

use std::fmt::{self, Write};
use std::path::Path;

use aftercart::{Engine, Item};
use xxhash_rust::xxh3::xxh3_64;

use super::Task;
use super::ask::{Asked, Offered};
use super::cases::Line;
use super::charts::{self, INKS};
use super::table::{self, COLUMNS};
use crate::{Failure, print};

/// Lines and relevant products of an example that are shown unasked.
const SHOWN: usize = 12;

/// Text as HTML shows it.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // HTML knows no other control characters.
            c if c.is_control() && c != '\n' && c != '\t' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Writes the page.
pub(super) fn page(
    engine: &Engine,
    catalog: &Path,
    tasks: &[Task],
    asked: &[Asked],
    examples: usize,
) -> Result<String, Failure> {
    let mut out = String::new();
    let file = catalog.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let file = escaped(&file);
    head(&mut out, &file)?;
    writeln!(
        out,
        "<h1>Relevance of {file}</h1>\n<p>Build {:016x}, {} products; {} held-out cases, ten slots and no floor unless it says otherwise.</p>",
        engine.catalog().build_id(),
        engine.catalog().product_ids().count(),
        asked.len()
    )?;
    methods(&mut out, tasks)?;
    pages(&mut out, tasks)?;
    reliability(&mut out, tasks)?;
    sizes(&mut out, tasks)?;
    let chosen = choose(tasks, asked, examples);
    if !chosen.is_empty() {
        writeln!(out, "<h2>Examples</h2>\n<p>Taken by a hash of their ids, not by how good they are.</p>")?;
    }
    for asked in chosen {
        example(&mut out, engine, asked)?;
    }
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

fn head(out: &mut String, file: &str) -> fmt::Result {
    write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light dark\">\n<title>Relevance of {file}</title>\n<style>\n{}",
        include_str!("report.css")
    )?;
    // Charts carry plain colours; the style sheet's replace them, which differ in light and dark.
    for (name, ink) in INKS {
        let hex = format!("#{:02X}{:02X}{:02X}", ink.0, ink.1, ink.2);
        writeln!(out, "svg [fill=\"{hex}\"] {{ fill: var(--{name}) }}")?;
        writeln!(out, "svg [stroke=\"{hex}\"] {{ stroke: var(--{name}) }}")?;
    }
    out.push_str("</style>\n</head>\n<body>\n<main>\n");
    Ok(())
}

/// The table of each task, the best of each column marked.
fn methods(out: &mut String, tasks: &[Task]) -> fmt::Result {
    out.push_str("<h2>Beside others</h2>\n");
    for task in tasks {
        let name = escaped(&task.name);
        let n = task.rows.first().map_or(0, |row| row.n);
        writeln!(
            out,
            "<div class=\"wide\"><table>\n<caption>{name}, {n} cases</caption>\n<thead><tr><th scope=\"col\">method</th>"
        )?;
        for column in COLUMNS {
            writeln!(out, "<th scope=\"col\">{}</th>", column.name.replace("+-", "\u{b1}"))?;
        }
        out.push_str("</tr></thead>\n<tbody>\n");
        let columns: Vec<_> = COLUMNS.iter().map(|column| table::cells(&task.rows, column)).collect();
        for (at, row) in task.rows.iter().enumerate() {
            let (ours, method) = (if at == 0 { " class=\"ours\"" } else { "" }, escaped(&row.method));
            write!(out, "<tr{ours}><th scope=\"row\">{method}</th>")?;
            for cells in &columns {
                let (cell, is_best) = &cells[at];
                let (open, close) = if *is_best { ("<b>", "</b>") } else { ("", "") };
                write!(out, "<td>{open}{cell}{close}</td>")?;
            }
            out.push_str("</tr>\n");
        }
        out.push_str("</tbody></table></div>\n");
    }
    out.push_str(
        "<p class=\"note\">Bold: the best of its column. hit@10: cases with a relevant product among ten, \u{b1} 1.96 standard errors. ndcg@10: hits, \
         later ones counting less. upop@10: share of all relevant products found, popular ones counting little. type@10: cases with a \
         product of a relevant type. same%: look-alikes, offers of a bought line\u{2019}s type. fill: offers per case. distinct: distinct products \
         offered.</p>\n",
    );
    Ok(())
}

/// A figure for each task, side by side where there is room.
fn figures(
    out: &mut String,
    tasks: &[Task],
    draw: impl Fn(&Task) -> Result<String, String>,
) -> Result<(), Failure> {
    out.push_str("<div class=\"figures\">\n");
    for task in tasks {
        writeln!(out, "<figure><figcaption>{}</figcaption>\n{}</figure>", escaped(&task.name), draw(task)?)?;
    }
    out.push_str("</div>\n");
    Ok(())
}

fn key(out: &mut String, ink: &str, name: &str) -> fmt::Result {
    writeln!(out, "<li><i style=\"background:var(--{ink})\"></i>{}</li>", escaped(name))
}

fn pages(out: &mut String, tasks: &[Task]) -> Result<(), Failure> {
    out.push_str("<h2>What a page shows</h2>\n<p>With the catalog\u{2019}s own slots, for floors from 0 to 1: the higher the floor, the fewer cases get an offer. The dot is the catalog\u{2019}s own floor.</p>\n<ul class=\"keys\">\n");
    key(out, "ours", "precision: offers that are relevant, with the floor")?;
    key(out, "c0", "hit rate: cases with an offer that have a relevant one")?;
    out.push_str("</ul>\n");
    figures(out, tasks, charts::coverage)?;
    out.push_str("<details><summary>As a table</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">task</th><th scope=\"col\">floor</th><th scope=\"col\">coverage</th><th scope=\"col\">offers</th><th scope=\"col\">precision</th><th scope=\"col\">hit rate</th></tr></thead>\n<tbody>\n");
    for task in tasks {
        for (floor, shown) in table::floors(task) {
            writeln!(
                out,
                "<tr><th scope=\"row\">{}</th><td>{floor}</td><td>{:.4}</td><td>{:.2}</td><td>{}</td><td>{}</td></tr>",
                escaped(&task.name),
                shown.coverage(),
                shown.fill(),
                table::share(shown.precision()),
                table::share(shown.hit_rate())
            )?;
        }
    }
    out.push_str("</tbody></table></div></details>\n");
    Ok(())
}

fn reliability(out: &mut String, tasks: &[Task]) -> Result<(), Failure> {
    out.push_str("<h2>Is p_accept right?</h2>\n<p>Offers in groups of like p_accept, and the share of each group that was relevant. On the grey line both are equal; a group without anything relevant lies at the bottom. p_accept was measured on the lines of one basket: where a case counts what was bought in days after it, more is relevant than predicted.</p>\n<ul class=\"keys\">\n");
    key(out, "c0", "anonymous customers")?;
    key(out, "ours", "known customers")?;
    out.push_str("</ul>\n");
    figures(out, tasks, charts::reliability)?;
    out.push_str("<details><summary>As a table</summary>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">task</th><th scope=\"col\">customers</th><th scope=\"col\">offers</th><th scope=\"col\">predicted</th><th scope=\"col\">observed</th></tr></thead>\n<tbody>\n");
    for task in tasks {
        for (is_known, bins) in &task.reliability {
            for bin in bins {
                let (name, who) = (escaped(&task.name), table::customers(*is_known));
                writeln!(
                    out,
                    "<tr><th scope=\"row\">{name}</th><td>{who}</td><td>{}</td><td>{:.5}</td><td>{:.5}</td></tr>",
                    bin.n, bin.predicted, bin.observed
                )?;
            }
        }
    }
    out.push_str("</tbody></table></div></details>\n");
    Ok(())
}

fn sizes(out: &mut String, tasks: &[Task]) -> Result<(), Failure> {
    out.push_str("<h2>By basket size</h2>\n");
    // Not every method takes part in every task.
    figures(out, tasks, |task| {
        let mut drawn = charts::sizes(task)?;
        drawn.push_str("<ul class=\"keys\">\n");
        for method in &task.sizes {
            key(&mut drawn, charts::method_ink(method.place).0, &method.method).map_err(|e| e.to_string())?;
        }
        drawn.push_str("</ul>\n");
        Ok(drawn)
    })
}

/// As many cases of each task as go in, by a hash of their ids.
fn choose<'a>(tasks: &[Task], asked: &'a [Asked], count: usize) -> Vec<&'a Asked> {
    let mut chosen = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        let mut own: Vec<&Asked> = asked.iter().filter(|asked| asked.case.task == task.name).collect();
        own.sort_by_cached_key(|asked| (xxh3_64(asked.case.id.as_bytes()), asked.case.id.clone()));
        let share = count / tasks.len() + usize::from(at < count % tasks.len());
        chosen.extend(own.into_iter().take(share));
    }
    chosen
}

fn described(engine: &Engine, id: &str, category: &str) -> String {
    let known = engine.find_product(id).map(|ix| print::describe(engine, Item::Product(ix)));
    escaped(&known.unwrap_or_else(|| format!("{id} {category} (not in the catalog)")))
}

/// A list of which the first part is shown, the rest on demand.
fn list(out: &mut String, items: &[String], class: &str) -> fmt::Result {
    let (first, rest) = items.split_at(items.len().min(SHOWN));
    writeln!(out, "<ul class=\"{class}\">{}</ul>", first.concat())?;
    if !rest.is_empty() {
        writeln!(
            out,
            "<details><summary>{} more</summary><ul class=\"{class}\">{}</ul></details>",
            rest.len(),
            rest.concat()
        )?;
    }
    Ok(())
}

fn example(out: &mut String, engine: &Engine, asked: &Asked) -> fmt::Result {
    let case = &asked.case;
    let is_hit = |id: &String| case.relevant.contains(id);
    let hits = asked.ids.iter().filter(|id| is_hit(id)).count();
    writeln!(
        out,
        "<article>\n<h3>{}</h3>\n<p class=\"note\">{}, {} customer, {hits} of {} offers relevant</p>\n<div class=\"sides\">\n<div>\n<h4>Bought</h4>",
        escaped(&case.id),
        escaped(&case.task),
        table::customers(case.is_known),
        asked.ids.len()
    )?;
    let bought = |line: &Line| format!("<li>{}</li>\n", described(engine, &line.id, &line.category));
    list(out, &case.lines.iter().map(bought).collect::<Vec<_>>(), "lines")?;
    out.push_str("<h4>Wanted</h4>\n");
    let wanted = |id: &String| {
        let mark = if asked.ids.contains(id) { " class=\"hit\"" } else { "" };
        format!("<li{mark}>{}</li>\n", described(engine, id, ""))
    };
    list(out, &case.relevant.iter().map(wanted).collect::<Vec<_>>(), "lines")?;
    out.push_str("</div>\n<div>\n<h4>Offered</h4>\n");
    if asked.offers.is_empty() {
        out.push_str("<p>nothing</p>\n");
    } else {
        out.push_str("<ol>\n");
        for (offer, id) in asked.offers.iter().zip(&asked.ids) {
            offered(out, engine, asked, offer, is_hit(id))?;
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</div>\n</div>\n</article>\n");
    Ok(())
}

fn offered(out: &mut String, engine: &Engine, asked: &Asked, offer: &Offered, is_hit: bool) -> fmt::Result {
    let line = offer.because.line.and_then(|line| asked.case.lines.get(usize::from(line)));
    let bought = line.map(|line| described(engine, &line.id, &line.category));
    let (class, mark) =
        if is_hit { (" class=\"hit\"", " <strong>\u{2713} wanted</strong>") } else { ("", "") };
    writeln!(
        out,
        "<li{class}>{}{mark}<br><span class=\"why\">{}; relevance {:.2}, p_accept {:.2}&nbsp;%</span></li>",
        escaped(&print::describe(engine, offer.item)),
        print::because(offer.because.relation, bought),
        f64::from(offer.relevance) / 1000.0,
        offer.p_accept * 100.0
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_title_is_markup() {
        let title = "<script>\"a\" & 'b'</script>\u{0}";
        assert_eq!(escaped(title), "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;\u{fffd}");
    }
}
