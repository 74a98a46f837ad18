//! What all pictures of the benches share: size, colours, lines and text.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

pub(crate) const SIZE: (u32, u32) = (960, 560);
/// The plot's own area: left, top, right, bottom.
pub(crate) const AREA: (f64, f64, f64, f64) = (76.0, 84.0, 760.0, 486.0);
pub(crate) const INK: RGBColor = RGBColor(38, 38, 38);
pub(crate) const GREY: RGBColor = RGBColor(110, 110, 110);
pub(crate) const GRID: RGBColor = RGBColor(228, 228, 228);
pub(crate) const OURS: RGBColor = RGBColor(200, 30, 30);

pub(crate) type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
pub(crate) type Drawn = Result<(), String>;

/// A straight line.
pub(crate) fn line(area: &Area<'_>, from: (f64, f64), to: (f64, f64), colour: RGBColor) -> Drawn {
    let ends =
        vec![(from.0.round() as i32, from.1.round() as i32), (to.0.round() as i32, to.1.round() as i32)];
    area.draw(&PathElement::new(ends, colour)).map_err(|e| e.to_string())
}

/// 1, 2, 5, 10, 20, ... between two values: where a logarithmic axis is marked.
pub(crate) fn steps(low: f64, high: f64) -> impl Iterator<Item = f64> {
    let decades = (-1..10).flat_map(|power| [1.0, 2.0, 5.0].map(|m| m * 10f64.powi(power)));
    decades.filter(move |value| (low..=high).contains(value))
}

/// Text at a place.
pub(crate) fn write(
    area: &Area<'_>,
    text: &str,
    at: (f64, f64),
    size: i32,
    ink: RGBColor,
    h: HPos,
    v: VPos,
) -> Drawn {
    let style = TextStyle::from(("sans-serif", size).into_font()).color(&ink).pos(Pos::new(h, v));
    let at = (at.0.round() as i32, at.1.round() as i32);
    area.draw(&Text::new(text.to_owned(), at, style)).map_err(|e| e.to_string())
}

/// A number with commas.
pub(crate) fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|g| std::str::from_utf8(g).unwrap_or_default()).collect();
    groups.join(",")
}
