//! The picture: p50 and p99 against the size of the catalog, both logarithmic, as SVG.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use crate::draw::{AREA, Area, Drawn, GREY, GRID, INK, OURS, SIZE, line, steps, thousands, write};
use crate::report::{Report, Size};

const GUIDE: RGBColor = RGBColor(170, 170, 170);

/// Where sizes and times lie.
struct Axes {
    sizes: (f64, f64),
    times: (f64, f64),
}

impl Axes {
    fn x(&self, products: f64) -> f64 {
        AREA.0 + share(products, self.sizes) * (AREA.2 - AREA.0)
    }

    fn y(&self, us: f64) -> f64 {
        AREA.3 - share(us, self.times) * (AREA.3 - AREA.1)
    }
}

fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    (value / low).ln() / (high / low).ln()
}

/// Draws a run of two sizes or more.
pub(crate) fn draw(report: &Report) -> Result<String, String> {
    let [first, .., last] = &report.sizes[..] else {
        return Err("nothing to draw: give two sizes or more".to_owned());
    };
    let times = || report.sizes.iter().flat_map(|size| [size.latency.p50, size.latency.p99]);
    let axes = Axes {
        sizes: (first.products as f64 / 1.3, last.products as f64 * 1.3),
        times: (times().fold(f64::MAX, f64::min) / 2.0, times().fold(0.0, f64::max) * 1.5),
    };
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(|e| e.to_string())?;
        write_frame(&area, &axes, report)?;
        draw_root(&area, &axes, first, last)?;
        draw_curve(&area, &axes, report, ("p99", GREY, 2), |size| size.latency.p99)?;
        draw_curve(&area, &axes, report, ("p50", OURS, 4), |size| size.latency.p50)?;
        area.present().map_err(|e| e.to_string())?;
    }
    Ok(svg)
}

fn write_frame(area: &Area<'_>, axes: &Axes, report: &Report) -> Drawn {
    let (left, top, right, bottom) = AREA;
    for size in &report.sizes {
        let x = axes.x(size.products as f64);
        line(area, (x, top), (x, bottom), GRID)?;
        write(area, &thousands(size.products), (x, bottom + 8.0), 14, GREY, HPos::Center, VPos::Top)?;
    }
    for us in steps(axes.times.0, axes.times.1) {
        let y = axes.y(us);
        line(area, (left, y), (right, y), GRID)?;
        write(area, &format!("{us}"), (left - 10.0, y), 14, GREY, HPos::Right, VPos::Center)?;
    }
    line(area, (left, bottom), (right, bottom), INK)?;
    line(area, (left, top), (left, bottom), INK)?;
    let (data, cpu) = (&report.data, &report.machine.cpu);
    write(area, "Search: latency against catalog size", (24.0, 18.0), 21, INK, HPos::Left, VPos::Top)?;
    let about = format!(
        "vectors of {} dimensions, recall@{} of {} over {} queries, warm, one core of {cpu}",
        data.dim, data.k, data.recall, data.queries
    );
    write(area, &about, (24.0, 46.0), 14, GREY, HPos::Left, VPos::Top)?;
    write(area, "µs", (24.0, 66.0), 14, GREY, HPos::Left, VPos::Top)?;
    let rows = thousands(data.rows);
    let made = if report.sizes.iter().any(|size| size.made) {
        format!("products; hollow: made from the {rows} vectors of the data")
    } else {
        "products".to_owned()
    };
    write(area, &made, ((left + right) / 2.0, bottom + 34.0), 14, GREY, HPos::Center, VPos::Top)
}

/// For comparison: what grows with the square root of the size.
fn draw_root(area: &Area<'_>, axes: &Axes, first: &Size, last: &Size) -> Drawn {
    let (from, to) = (first.products as f64, last.products as f64);
    let end = first.latency.p50 * (to / from).sqrt();
    let inside = end.min(axes.times.1);
    let stop = from * (inside / first.latency.p50).powi(2);
    line(area, (axes.x(from), axes.y(first.latency.p50)), (axes.x(stop), axes.y(inside)), GUIDE)?;
    let at = (axes.x(stop) + 6.0, axes.y(inside));
    write(area, "square root", at, 13, GREY, HPos::Left, VPos::Center)
}

fn draw_curve(
    area: &Area<'_>,
    axes: &Axes,
    report: &Report,
    (name, colour, width): (&str, RGBColor, u32),
    time: impl Fn(&Size) -> f64,
) -> Drawn {
    let place = |size: &Size| {
        let (x, y) = (axes.x(size.products as f64), axes.y(time(size)));
        (x.round() as i32, y.round() as i32)
    };
    let path: Vec<(i32, i32)> = report.sizes.iter().map(place).collect();
    area.draw(&PathElement::new(path, colour.stroke_width(width))).map_err(|e| e.to_string())?;
    for size in &report.sizes {
        let (x, y) = place(size);
        let radius = width + 2;
        area.draw(&Circle::new((x, y), radius, colour.filled())).map_err(|e| e.to_string())?;
        if size.made {
            area.draw(&Circle::new((x, y), radius - 2, WHITE.filled())).map_err(|e| e.to_string())?;
        }
        let label = format!("{:.0}", time(size));
        write(area, &label, (f64::from(x), f64::from(y) - 16.0), 14, colour, HPos::Center, VPos::Center)?;
    }
    if let Some(last) = report.sizes.last() {
        let y = f64::from(place(last).1);
        write(area, name, (AREA.2 + 24.0, y), 18, colour, HPos::Left, VPos::Center)?;
    }
    Ok(())
}
