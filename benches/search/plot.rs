//! The picture: recall against median latency, one line a searcher, as SVG.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::draw::{AREA, Area, Drawn, GREY, GRID, INK, OURS, SIZE, line, steps, thousands, write};
use crate::ours;
use crate::report::Report;
use crate::rounds::Outcome;

/// Least distance between two names.
const LINE: f64 = 19.0;
/// Recalls at the ends of the axis, and those that are marked.
const RECALLS: (f64, f64) = (0.80, 0.999);
const RECALL_MARKS: [f64; 6] = [0.80, 0.90, 0.95, 0.98, 0.99, 0.995];
/// Told apart also by those who see few colours, after Okabe and Ito.
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(140, 100, 50),
    RGBColor(90, 90, 90),
];

/// One searcher's best points, cheapest first, as recall and microseconds.
struct Curve<'a> {
    name: &'a str,
    colour: RGBColor,
    points: Vec<(f64, f64)>,
}

/// Where recalls and latencies lie.
struct Axes {
    low: f64,
    high: f64,
}

impl Axes {
    /// Each step towards 1 takes as much room as the one before, by the share that is missed.
    fn x(recall: f64) -> f64 {
        let stretch = |recall: f64| -(1.0 - recall).log10();
        let (from, to) = (stretch(RECALLS.0), stretch(RECALLS.1));
        AREA.0 + (stretch(recall) - from) / (to - from) * (AREA.2 - AREA.0)
    }

    fn y(&self, us: f64) -> f64 {
        AREA.3 - (us / self.low).log10() / (self.high / self.low).log10() * (AREA.3 - AREA.1)
    }

    fn pixel(&self, point: (f64, f64)) -> (i32, i32) {
        (Self::x(point.0).round() as i32, self.y(point.1).round() as i32)
    }
}

/// Draws the searches without a filter.
pub(crate) fn picture(report: &Report) -> Result<String, String> {
    let whole = report.outcomes.iter().filter(|outcome| outcome.scenario == "all");
    let mut curves: Vec<Curve<'_>> =
        whole.enumerate().map(|(place, outcome)| curve(place, outcome)).collect();
    curves.retain(|curve| !curve.points.is_empty());
    let times = || curves.iter().flat_map(|curve| curve.points.iter().map(|point| point.1));
    let (low, high) = (times().fold(f64::MAX, f64::min), times().fold(0.0, f64::max));
    if curves.is_empty() {
        return Err("nothing to draw: no searcher reached the recalls of the picture".to_owned());
    }
    let axes = Axes { low: low / 1.3, high: high * 1.3 };
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(|e| e.to_string())?;
        write_frame(&area, &axes, report)?;
        for curve in &curves {
            draw_curve(&area, &axes, curve)?;
        }
        write_names(&area, &axes, &curves)?;
        area.present().map_err(|e| e.to_string())?;
    }
    Ok(svg)
}

/// Keeps the points that no cheaper one beats, within the axis.
fn curve(place: usize, outcome: &Outcome) -> Curve<'_> {
    let mut all: Vec<(f64, f64)> = outcome.points.iter().map(|p| (p.recall.all, p.latency.p50)).collect();
    all.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut points: Vec<(f64, f64)> = Vec::new();
    for point in all.into_iter().filter(|point| (RECALLS.0..=RECALLS.1).contains(&point.0)) {
        let best = points.last().map_or(0.0, |last| last.0);
        if point.0 > best {
            points.push(point);
        }
    }
    let ours = outcome.searcher == ours::NAME;
    let colour = if ours { OURS } else { COLOURS[place % COLOURS.len()] };
    Curve { name: &outcome.searcher, colour, points }
}

fn write_frame(area: &Area<'_>, axes: &Axes, report: &Report) -> Drawn {
    let (left, top, right, bottom) = AREA;
    for recall in RECALL_MARKS {
        let x = Axes::x(recall);
        line(area, (x, top), (x, bottom), GRID)?;
        write(area, &format!("{recall}"), (x, bottom + 8.0), 14, GREY, HPos::Center, VPos::Top)?;
    }
    for us in steps(axes.low, axes.high) {
        let y = axes.y(us);
        line(area, (left, y), (right, y), GRID)?;
        write(area, &format!("{us}"), (left - 10.0, y), 14, GREY, HPos::Right, VPos::Center)?;
    }
    line(area, (left, bottom), (right, bottom), INK)?;
    line(area, (left, top), (left, bottom), INK)?;
    let (data, cpu) = (&report.data, &report.machine.cpu);
    let rows = thousands(data.rows);
    write(area, "Search: recall against latency", (24.0, 18.0), 21, INK, HPos::Left, VPos::Top)?;
    let about = format!(
        "{rows} vectors of {} dimensions, {} queries, warm, one core of {cpu}; right and low is better",
        data.dim, data.queries
    );
    write(area, &about, (24.0, 46.0), 14, GREY, HPos::Left, VPos::Top)?;
    write(area, "µs, median of queries", (24.0, 66.0), 14, GREY, HPos::Left, VPos::Top)?;
    let below = ((left + right) / 2.0, bottom + 34.0);
    write(area, &format!("recall@{}, stretched towards 1", data.k), below, 14, GREY, HPos::Center, VPos::Top)
}

fn draw_curve(area: &Area<'_>, axes: &Axes, curve: &Curve<'_>) -> Drawn {
    let width = if curve.name == ours::NAME { 4 } else { 2 };
    let pixels: Vec<(i32, i32)> = curve.points.iter().map(|point| axes.pixel(*point)).collect();
    let style = curve.colour.stroke_width(width);
    area.draw(&PathElement::new(pixels.clone(), style)).map_err(|e| e.to_string())?;
    for pixel in pixels {
        area.draw(&Circle::new(pixel, width + 1, curve.colour.filled())).map_err(|e| e.to_string())?;
    }
    Ok(())
}

/// Names stand right of the plot, each at the height of its line's end as far as there is room.
fn write_names(area: &Area<'_>, axes: &Axes, curves: &[Curve<'_>]) -> Drawn {
    let end = |curve: &Curve<'_>| curve.points.last().map_or((0, 0), |point| axes.pixel(*point));
    let mut order: Vec<&Curve<'_>> = curves.iter().collect();
    order.sort_by_key(|curve| end(curve).1);
    let mut heights: Vec<f64> = order.iter().map(|curve| f64::from(end(curve).1)).collect();
    for place in 1..heights.len() {
        heights[place] = heights[place].max(heights[place - 1] + LINE);
    }
    // What was pushed below the plot moves up again.
    let mut floor = AREA.3;
    for height in heights.iter_mut().rev() {
        *height = height.min(floor);
        floor = *height - LINE;
    }
    for (curve, height) in order.iter().zip(heights) {
        let (from, elbow) = (end(curve), (AREA.2 as i32 + 8, height.round() as i32));
        let leader = PathElement::new(vec![from, elbow, (elbow.0 + 10, elbow.1)], curve.colour.mix(0.45));
        area.draw(&leader).map_err(|e| e.to_string())?;
        let (at, size) = ((AREA.2 + 24.0, height), if curve.name == ours::NAME { 18 } else { 15 });
        write(area, curve.name, at, size, curve.colour, HPos::Left, VPos::Center)?;
    }
    Ok(())
}
