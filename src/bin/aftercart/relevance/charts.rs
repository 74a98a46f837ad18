//! Charts as SVG, small enough to be read on a phone; the page's style gives them its colours.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::metrics::{Bin, SIZES, Shown, margin};
use super::{BySize, Task};

const SIZE: (u32, u32) = (400, 300);
/// The plot's own area: left, top, right, bottom.
const AREA: [f64; 4] = [52.0, 34.0, 376.0, 248.0];
/// Fewer offers than this say nothing about precision.
const OFFERS_MIN: usize = 30;
/// The least share that is drawn.
const SHARE_MIN: f64 = 1e-5;

/// What is drawn with it, in light and dark: name for the style sheet, colour for readers that know no style.
pub(crate) const INKS: [(&str, RGBColor); 12] = [
    ("ink", RGBColor(38, 38, 39)),
    ("grey", RGBColor(110, 110, 111)),
    ("grid", RGBColor(228, 228, 229)),
    ("ours", RGBColor(200, 30, 30)),
    // Told apart also by those who see few colours, after Okabe and Ito.
    ("c0", RGBColor(0, 114, 178)),
    ("c1", RGBColor(230, 159, 0)),
    ("c2", RGBColor(0, 158, 115)),
    ("c3", RGBColor(204, 121, 167)),
    ("c4", RGBColor(86, 180, 233)),
    ("c5", RGBColor(140, 100, 50)),
    ("c6", RGBColor(90, 90, 91)),
    ("c7", RGBColor(120, 94, 240)),
];
const INK: RGBColor = INKS[0].1;
const GREY: RGBColor = INKS[1].1;
const GRID: RGBColor = INKS[2].1;
const RED: RGBColor = INKS[3].1;
const BLUE: RGBColor = INKS[4].1;

/// The ink of the method at a place.
pub(super) fn method_ink(place: usize) -> (&'static str, RGBColor) {
    if place == 0 { INKS[3] } else { INKS[4 + (place - 1) % (INKS.len() - 4)] }
}

/// Values between two ends, and those that are marked.
struct Axis {
    from: f64,
    to: f64,
    is_log: bool,
    marks: Vec<(f64, String)>,
}

fn percent(value: f64) -> String {
    // Rounds away what binary fractions leave behind.
    format!("{}%", (value * 1e8).round() / 1e6)
}

impl Axis {
    /// From 0 to at least `most`, marked in steps of 1, 2 or 5.
    fn linear(most: f64) -> Self {
        let most = most.max(1e-4);
        let decade = 10f64.powf((most / 4.0).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * decade).into_iter().find(|step| most / step <= 5.0);
        let step = step.unwrap_or(decade * 10.0);
        let count = (most / step - 1e-9).ceil().max(1.0) as usize;
        let marks = (0..=count).map(|n| (n as f64 * step, percent(n as f64 * step))).collect();
        Self { from: 0.0, to: count as f64 * step, is_log: false, marks }
    }

    /// From a tenth at or below `least` to 1.
    fn up_to_all(least: f64) -> Self {
        let tenths = (least * 10.0 + 1e-9).floor().clamp(0.0, 9.0);
        let step = if tenths < 5.0 { 2.0 } else { 1.0 };
        let (from, count) = (10.0 - ((10.0 - tenths) / step).ceil() * step, ((10.0 - tenths) / step).ceil());
        let marks = (0..=count as usize).map(|n| (from + step * n as f64) / 10.0);
        Self { from: from / 10.0, to: 1.0, is_log: false, marks: marks.map(|v| (v, percent(v))).collect() }
    }

    /// Between two shares above 0, each step of ten as long as the next.
    fn log(least: f64, most: f64) -> Self {
        let (from, to) = (least / 1.3, most * 1.3);
        let multiples: &[f64] = if to / from < 300.0 { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let all = (-7..1).flat_map(|power| multiples.iter().map(move |m| m * 10f64.powi(power)));
        let marks = all.filter(|v| (from..=to).contains(v)).map(|v| (v, percent(v))).collect();
        Self { from, to, is_log: true, marks }
    }

    /// Where a value lies between the ends, 0 to 1.
    fn place(&self, value: f64) -> f64 {
        let scaled = |value: f64| if self.is_log { value.max(self.from).log10() } else { value };
        (scaled(value) - scaled(self.from)) / (scaled(self.to) - scaled(self.from))
    }
}

/// A line of a chart.
struct Line {
    points: Vec<(f64, f64)>,
    ink: RGBColor,
    width: u32,
    /// Radius of its points; 0 for none.
    dots: u32,
    /// Height of the error bars, where it has any.
    margins: Vec<f64>,
    notes: Vec<((f64, f64), String)>,
}

impl Line {
    fn new(points: Vec<(f64, f64)>, ink: RGBColor, width: u32, dots: u32) -> Self {
        Self { points, ink, width, dots, margins: Vec::new(), notes: Vec::new() }
    }
}

struct Chart<'a> {
    /// What a reader hears who does not see it.
    label: String,
    x: Axis,
    y: Axis,
    x_title: &'a str,
    y_title: &'a str,
    lines: Vec<Line>,
}

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), String>;

impl Chart<'_> {
    fn pixel(&self, (x, y): (f64, f64)) -> (i32, i32) {
        let [left, top, right, bottom] = AREA;
        let at = (left + self.x.place(x) * (right - left), bottom - self.y.place(y) * (bottom - top));
        (at.0.round() as i32, at.1.round() as i32)
    }

    fn svg(&self) -> Result<String, String> {
        let mut svg = String::new();
        {
            let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
            self.frame(&area)?;
            self.lines.iter().try_for_each(|line| self.line(&area, line))?;
            area.present().map_err(|e| e.to_string())?;
        }
        let open = format!("<svg role=\"img\" aria-label=\"{}\" ", super::report::escaped(&self.label));
        Ok(svg.replacen("<svg ", &open, 1))
    }

    fn frame(&self, area: &Area<'_>) -> Drawn {
        let [left, top, right, bottom] = AREA.map(|edge| edge as i32);
        for (value, name) in &self.y.marks {
            let y = self.pixel((self.x.from, *value)).1;
            path(area, vec![(left, y), (right, y)], GRID, 1)?;
            write(area, name, (left - 7, y), GREY, HPos::Right, VPos::Center)?;
        }
        let mut free_from = 0;
        for (value, name) in &self.x.marks {
            let x = self.pixel((*value, self.y.from)).0;
            path(area, vec![(x, top), (x, bottom)], GRID, 1)?;
            // Names that would touch are left out.
            let half = name.len() as i32 * 4;
            if x - half >= free_from {
                write(area, name, (x, bottom + 7), GREY, HPos::Center, VPos::Top)?;
                free_from = x + half;
            }
        }
        path(area, vec![(left, top), (left, bottom), (right, bottom)], INK, 1)?;
        write(area, self.y_title, (4, 8), GREY, HPos::Left, VPos::Top)?;
        write(area, self.x_title, ((left + right) / 2, bottom + 28), GREY, HPos::Center, VPos::Top)
    }

    fn line(&self, area: &Area<'_>, line: &Line) -> Drawn {
        let pixels: Vec<(i32, i32)> = line.points.iter().map(|point| self.pixel(*point)).collect();
        for (point, margin) in line.points.iter().zip(&line.margins) {
            let ends = [point.1 - margin, point.1 + margin]
                .map(|y| self.pixel((point.0, y.clamp(self.y.from, self.y.to))));
            path(area, ends.to_vec(), line.ink, 1)?;
        }
        for pixel in pixels.iter().filter(|_| line.dots > 0) {
            area.draw(&Circle::new(*pixel, line.dots, line.ink.filled())).map_err(|e| e.to_string())?;
        }
        if line.width > 0 && pixels.len() > 1 {
            path(area, pixels, line.ink, line.width)?;
        }
        let mut last: Option<(i32, i32)> = None;
        for (point, note) in &line.notes {
            let (x, y) = self.pixel(*point);
            if last.is_none_or(|(lx, ly)| (x - lx).abs() > 28 || (y - ly).abs() > 20) {
                write(area, note, (x, y - 6), line.ink, HPos::Center, VPos::Bottom)?;
                last = Some((x, y));
            }
        }
        Ok(())
    }
}

fn path(area: &Area<'_>, pixels: Vec<(i32, i32)>, ink: RGBColor, width: u32) -> Drawn {
    area.draw(&PathElement::new(pixels, ink.stroke_width(width))).map_err(|e| e.to_string())
}

fn write(area: &Area<'_>, text: &str, at: (i32, i32), ink: RGBColor, h: HPos, v: VPos) -> Drawn {
    let style = TextStyle::from(("sans-serif", 16).into_font()).color(&ink).pos(Pos::new(h, v));
    area.draw(&Text::new(text.to_owned(), at, style)).map_err(|e| e.to_string())
}

/// Precision and hit rate against coverage, a point for each floor.
pub(super) fn coverage(task: &Task) -> Result<String, String> {
    let enough = |shown: &&Shown| shown.offers >= OFFERS_MIN;
    let points = |value: fn(&Shown) -> Option<f64>| -> Vec<(f64, f64)> {
        let floors = task.pages.floors.iter().filter(enough);
        floors.filter_map(|shown| Some((shown.coverage(), value(shown)?))).collect()
    };
    let own = |value: fn(&Shown) -> Option<f64>| -> Vec<(f64, f64)> {
        let shown = &task.pages.own;
        value(shown).map(|value| (shown.coverage(), value)).into_iter().collect()
    };
    let notes = super::table::floors(task).into_iter().skip(1).filter(|(_, shown)| enough(&shown));
    let notes = notes.filter_map(|(floor, shown)| Some(((shown.coverage(), shown.precision()?), floor)));
    let precision = Line { notes: notes.collect(), ..Line::new(points(Shown::precision), RED, 3, 0) };
    let lines = vec![
        Line::new(points(Shown::hit_rate), BLUE, 2, 0),
        Line::new(own(Shown::hit_rate), BLUE, 0, 5),
        precision,
        Line::new(own(Shown::precision), RED, 0, 5),
    ];
    let points = || lines.iter().flat_map(|line| &line.points);
    let most = points().map(|point| point.1).fold(0.0, f64::max);
    let least = points().map(|point| point.0).fold(1.0, f64::min);
    Chart {
        label: format!("{}: precision and hit rate against coverage", task.name),
        x: Axis::up_to_all(least),
        y: Axis::linear(most * 1.08),
        x_title: "cases with an offer",
        y_title: "relevant",
        lines,
    }
    .svg()
}

/// Predicted against observed shares.
pub(super) fn reliability(task: &Task) -> Result<String, String> {
    let label = format!("{}: share that was relevant against p_accept", task.name);
    let lines: Vec<_> =
        task.reliability.iter().map(|(is_known, bins)| (*is_known, bins.as_slice())).collect();
    predicted(label, "relevant", &lines)
}

/// Predicted against observed shares: of what is known, and of others.
pub(crate) fn predicted(label: String, y_title: &str, told: &[(bool, &[Bin])]) -> Result<String, String> {
    let all = || told.iter().flat_map(|(_, bins)| *bins);
    let shares = || all().flat_map(|bin| [bin.predicted, bin.observed]).filter(|share| *share > 0.0);
    let (least, most) = (shares().fold(1.0, f64::min), shares().fold(SHARE_MIN, f64::max));
    let axis = || Axis::log(least.min(most), most);
    let line = |(is_known, bins): &(bool, &[Bin])| {
        let points = bins.iter().map(|bin| (bin.predicted, bin.observed)).collect();
        let margins = bins.iter().map(|bin| margin(bin.observed, bin.n)).collect();
        Line { margins, ..Line::new(points, if *is_known { RED } else { BLUE }, 2, 4) }
    };
    let (from, to) = (axis().from, axis().to);
    let equal = Line::new(vec![(from, from), (to, to)], GREY, 1, 0);
    Chart {
        label,
        x: axis(),
        y: axis(),
        x_title: "p_accept (both axes logarithmic)",
        y_title,
        lines: std::iter::once(equal).chain(told.iter().map(line)).collect(),
    }
    .svg()
}

/// Hit rate by the number of basket lines, ours and the peers'.
pub(super) fn sizes(task: &Task) -> Result<String, String> {
    let sizes: Vec<usize> =
        (0..SIZES.len()).filter(|at| task.sizes.iter().any(|method| method.counts[*at].0 > 0)).collect();
    let mut lines: Vec<Line> = Vec::new();
    for BySize { place, counts, .. } in &task.sizes {
        let share = |at: usize| counts[at].1 as f64 / counts[at].0.max(1) as f64;
        let points = sizes.iter().enumerate().map(|(x, at)| (x as f64, share(*at))).collect();
        let is_ours = *place == 0;
        let (width, dots) = if is_ours { (3, 4) } else { (1, 2) };
        let mut line = Line::new(points, method_ink(*place).1, width, dots);
        if is_ours {
            line.margins = sizes.iter().map(|at| margin(share(*at), counts[*at].0)).collect();
        }
        lines.push(line);
    }
    // Ours lies on top.
    lines.reverse();
    let most = lines.iter().flat_map(|line| &line.points).map(|point| point.1).fold(0.0, f64::max);
    let marks = sizes.iter().enumerate().map(|(x, at)| (x as f64, size_name(SIZES[*at])));
    Chart {
        label: format!("{}: hit rate by basket size", task.name),
        x: Axis { from: -0.4, to: sizes.len() as f64 - 0.6, is_log: false, marks: marks.collect() },
        y: Axis::linear(most * 1.1),
        x_title: "lines in the basket",
        y_title: "hit@10",
        lines,
    }
    .svg()
}

fn size_name((low, high): (usize, usize)) -> String {
    match (low, high) {
        (low, usize::MAX) => format!("{low}+"),
        (low, high) if low == high || high == 1 => high.to_string(),
        (low, high) => format!("{low}-{high}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_are_marked_with_round_numbers() {
        let names = |axis: Axis| -> Vec<String> { axis.marks.into_iter().map(|(_, name)| name).collect() };
        assert_eq!(names(Axis::linear(1.0)), ["0%", "20%", "40%", "60%", "80%", "100%"]);
        assert_eq!(names(Axis::linear(0.0103)), ["0%", "0.5%", "1%", "1.5%"]);
        assert_eq!(names(Axis::up_to_all(0.05)), ["0%", "20%", "40%", "60%", "80%", "100%"]);
        assert_eq!(names(Axis::up_to_all(0.87)), ["80%", "90%", "100%"]);
        assert_eq!(names(Axis::log(0.001, 0.01)), ["0.1%", "0.2%", "0.5%", "1%"]);
        assert_eq!(names(Axis::log(0.0001, 0.1)), ["0.01%", "0.1%", "1%", "10%"]);
    }

    #[test]
    fn values_lie_between_the_ends() {
        let axis = Axis::log(0.0013, 0.1 / 1.3);
        assert!((axis.place(0.01) - 0.5).abs() < 1e-9 && axis.place(0.0) == 0.0);
        assert!((Axis::linear(1.0).place(0.25) - 0.25).abs() < 1e-9);
    }
}
