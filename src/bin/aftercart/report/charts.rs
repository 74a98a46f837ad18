//! Charts as SVG; the page's style gives them its colours.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::stats::Estimate;
use crate::relevance::charts::INKS;
use crate::relevance::report::escaped;

const INK: RGBColor = INKS[0].1;
const GREY: RGBColor = INKS[1].1;
const GRID: RGBColor = INKS[2].1;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), String>;

fn path(area: &Area<'_>, points: &[(f64, f64)], ink: RGBColor, width: u32) -> Drawn {
    let pixels: Vec<_> = points.iter().map(|(x, y)| (x.round() as i32, y.round() as i32)).collect();
    area.draw(&PathElement::new(pixels, ink.stroke_width(width))).map_err(|e| e.to_string())
}

fn text(area: &Area<'_>, text: &str, (x, y): (f64, f64), ink: RGBColor, h: HPos) -> Drawn {
    let style = TextStyle::from(("sans-serif", 18).into_font()).color(&ink).pos(Pos::new(h, VPos::Center));
    area.draw(&Text::new(text.to_owned(), (x as i32, y as i32), style)).map_err(|e| e.to_string())
}

fn drawn(label: &str, size: (u32, u32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, String> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        draw(&area)?;
        area.present().map_err(|e| e.to_string())?;
    }
    Ok(svg.replacen("<svg ", &format!("<svg role=\"img\" aria-label=\"{}\" ", escaped(label)), 1))
}

/// Steps of 1, 2 or 5 between two ends, four or so.
fn marks(low: f64, high: f64) -> Vec<f64> {
    let span = (high - low).max(1e-9);
    let decade = 10f64.powf((span / 4.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|step| span / step <= 5.0);
    let step = step.unwrap_or(decade * 10.0);
    let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
    (first..=last).map(|n| n as f64 * step).collect()
}

fn amount(value: f64) -> String {
    let digits = if value.abs() >= 100.0 { 0 } else { 2 };
    format!("{value:.digits$}")
}

/// Estimates with their intervals, beside zero: groups under a name, each row in its arm's ink, all on one axis.
pub(super) fn intervals(label: &str, groups: &[(&str, Vec<(usize, Estimate)>)]) -> Result<String, String> {
    let all = || groups.iter().flat_map(|(_, rows)| rows);
    let (low, high) = all().fold((0.0f64, 0.0f64), |(l, h), (_, e)| (l.min(e.low), h.max(e.high)));
    let margin = (high - low).max(1e-6) * 0.06;
    let (low, high) = (low - margin, high + margin);
    let place = |value: f64| 14.0 + (value - low) / (high - low) * 372.0;
    let bottom = groups.iter().map(|(_, rows)| 30.0 + 18.0 * rows.len() as f64).sum::<f64>() + 4.0;
    drawn(label, (400, bottom as u32 + 26), |area| {
        for mark in marks(low, high) {
            text(area, &amount(mark), (place(mark), bottom + 13.0), GREY, HPos::Center)?;
        }
        let mut top = 0.0;
        for (name, rows) in groups {
            text(area, name, (14.0, top + 14.0), GREY, HPos::Left)?;
            // Lines end below the names, so that none is crossed out.
            let end = top + 28.0 + 18.0 * rows.len() as f64;
            for mark in marks(low, high) {
                path(area, &[(place(mark), top + 26.0), (place(mark), end)], GRID, 1)?;
            }
            path(area, &[(place(0.0), top + 26.0), (place(0.0), end)], INK, 2)?;
            for (at, (arm, estimate)) in rows.iter().enumerate() {
                let (y, ink) = (top + 36.0 + 18.0 * at as f64, ink(*arm).1);
                let ends = [estimate.low, estimate.high].map(place);
                path(area, &[(ends[0], y), (ends[1], y)], ink, 3)?;
                // Ends stand out beyond the dot, so that an interval is seen that is narrower than it.
                for end in ends {
                    path(area, &[(end, y - 7.0), (end, y + 7.0)], ink, 2)?;
                }
                let dot = Circle::new((place(estimate.value).round() as i32, y as i32), 3, ink.filled());
                area.draw(&dot).map_err(|e| e.to_string())?;
            }
            top += 30.0 + 18.0 * rows.len() as f64;
        }
        Ok(())
    })
}

/// A line for each arm, by its ink, day by day; it has gaps where there was nothing.
pub(super) fn days(
    label: &str,
    lines: &[(usize, Vec<Option<f64>>)],
    first: &str,
    last: &str,
) -> Result<String, String> {
    let most = lines
        .iter()
        .flat_map(|(_, line)| line.iter().flatten())
        .fold(0.0f64, |most, value| most.max(*value))
        .max(0.01)
        * 1.05;
    let count = lines.iter().map(|(_, line)| line.len()).max().unwrap_or(0);
    let (left, right, top, bottom) = (48.0, 388.0, 10.0, 220.0);
    let x = |day: usize| left + day as f64 / count.saturating_sub(1).max(1) as f64 * (right - left);
    let y = |value: f64| bottom - value / most * (bottom - top);
    drawn(label, (400, 250), |area| {
        for mark in marks(0.0, most) {
            path(area, &[(left, y(mark)), (right, y(mark))], GRID, 1)?;
            text(area, &amount(mark), (left - 6.0, y(mark)), GREY, HPos::Right)?;
        }
        text(area, first, (left, bottom + 16.0), GREY, HPos::Left)?;
        text(area, last, (right, bottom + 16.0), GREY, HPos::Right)?;
        for (arm, line) in lines {
            let days: Vec<_> = line.iter().enumerate().collect();
            for run in days.split(|(_, value)| value.is_none()).filter(|run| !run.is_empty()) {
                let points = run.iter().filter_map(|(day, value)| Some((x(*day), y((**value)?))));
                path(area, &points.collect::<Vec<_>>(), ink(*arm).1, 2)?;
            }
        }
        Ok(())
    })
}

/// The ink of an arm.
pub(super) fn ink(arm: usize) -> (&'static str, RGBColor) {
    INKS[4 + arm % 8]
}
