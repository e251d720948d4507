//! Diagrams as plain SVG 1.1, without scripts or embedded fonts: curves with horizontal lines to compare with, like the
//! paper's figures 1 and 6, and named marks, like its figure 4.

mod axis;
mod marks;

use std::fmt::Write;

use axis::Axis;
pub use axis::Scale;
pub use marks::Mark;

/// One diagram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// Above the diagram.
    pub title: String,
    /// What the y axis shows.
    pub y_label: String,
    /// What the x axis shows.
    pub x_label: String,
    /// Curves: name, and points of x and y. Points that are not finite are left out.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
    /// Single points; those that are not finite are left out.
    pub marks: Vec<Mark>,
    /// Horizontal lines: name and value.
    pub lines: Vec<(String, f64)>,
    /// How x goes along its axis.
    pub scale: Scale,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 440.0;
const TEXT: &str = "font-family=\"sans-serif\" font-size=\"13\" fill=\"currentColor\"";
const GRID: &str = "stroke=\"currentColor\" stroke-opacity=\"0.12\"";
/// The diagram inside its panel: left, top, right, bottom; the legend is to its right.
const PLOT: [f64; 4] = [70.0, 40.0, 640.0, 380.0];
/// The diagram's right edge without a legend.
const ALONE: f64 = 830.0;
/// Curves and lines; the lines' dashes tell them apart in print too.
const CURVES: [&str; 4] = ["#c0392b", "#8e44ad", "#d35400", "#7f5539"];
const LINES: [&str; 4] = ["#2c3e50", "#2980b9", "#27ae60", "#7f8c8d"];
const DASHES: [&str; 4] = ["8 4", "2 3", "10 3 2 3", "5 5"];

/// The panels, one below the other, as an SVG document.
#[cfg(any(test, feature = "train"))]
pub fn render(panels: &[Panel]) -> String {
    let height = HEIGHT * panels.len().max(1) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" {TEXT} color=\"#222\">\n\
         <rect width=\"{WIDTH}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    for (i, panel) in panels.iter().enumerate() {
        let _ = writeln!(svg, "<g transform=\"translate(0 {})\">", HEIGHT * i as f64);
        Drawing::new(panel, i).draw(&mut svg);
        svg.push_str("</g>\n");
    }
    svg.push_str("</svg>\n");
    svg
}

/// A panel as an element of an HTML page, in the page's text color and as wide as there is room. `number` is unique in the
/// page.
pub fn inline(panel: &Panel, number: usize) -> String {
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" aria-label=\"{}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" {TEXT}>\n",
        escape(&panel.title)
    );
    Drawing::new(panel, number).draw(&mut svg);
    svg.push_str("</svg>\n");
    svg
}

struct Drawing<'a> {
    panel: &'a Panel,
    number: usize,
    plot: [f64; 4],
    x: Axis,
    y: Axis,
}

impl<'a> Drawing<'a> {
    fn new(panel: &'a Panel, number: usize) -> Self {
        let [left, top, right, bottom] = PLOT;
        let right = if panel.curves.is_empty() && panel.lines.is_empty() { ALONE } else { right };
        let curves = panel.curves.iter().flat_map(|(_, points)| points.iter().copied());
        let points =
            || curves.clone().chain(panel.marks.iter().map(|mark| (mark.x, mark.y))).filter(is_finite);
        let lines = || panel.lines.iter().map(|line| line.1).filter(|y| y.is_finite());
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        // Training starts far below everything else: the diagram begins a little below the lines, and below where each curve
        // gets to.
        let most = |points: &Vec<(f64, f64)>| {
            points
                .iter()
                .filter(|point| is_finite(point))
                .map(|point| point.1)
                .fold(f64::NEG_INFINITY, f64::max)
        };
        let tops = panel.curves.iter().map(|(_, points)| most(points)).filter(|top| top.is_finite());
        let floor = least(&mut lines().chain(tops)) - 1.0;
        let mut low = least(&mut points().map(|p| p.1).chain(lines()));
        if lines().next().is_some() {
            low = low.max(floor);
        }
        let mut high = points().map(|p| p.1).chain(lines()).fold(f64::NEG_INFINITY, f64::max);
        if !(low.is_finite() && high.is_finite()) {
            (low, high) = (0.0, 1.0);
        }
        let margin = ((high - low) * 0.06).max(high.abs().max(1.0) * 1e-3);
        Self {
            panel,
            number,
            plot: [left, top, right, bottom],
            x: Axis::along(panel.scale, points().map(|p| p.0), (left, right)),
            y: Axis { low: low - margin, high: high + margin, from: bottom, to: top, logarithmic: false },
        }
    }

    /// Writing to a string cannot fail, so results are dropped here and below.
    fn draw(&self, svg: &mut String) {
        let [left, top, right, bottom] = self.plot;
        let (width, height) = (right - left, bottom - top);
        let clip = format!("plot{}", self.number);
        let _ = writeln!(
            svg,
            "<clipPath id=\"{clip}\"><rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/></clipPath>\n\
             <text x=\"{}\" y=\"25\" text-anchor=\"middle\" font-size=\"15\">{}</text>",
            (left + right) / 2.0,
            escape(&self.panel.title)
        );
        self.draw_axes(svg);
        let _ = writeln!(svg, "<g clip-path=\"url(#{clip})\" fill=\"none\">");
        for (i, (_, y)) in self.panel.lines.iter().enumerate().filter(|(_, line)| line.1.is_finite()) {
            let y = self.y.at(*y);
            let _ = writeln!(svg, "<path d=\"M{left} {y:.2}H{right}\" {}/>", line_style(i));
        }
        for (i, (_, points)) in self.panel.curves.iter().enumerate() {
            let place = |p: &(f64, f64)| format!("{:.2},{:.2}", self.x.at(p.0), self.y.at(p.1));
            let places: Vec<String> = points.iter().filter(|p| is_finite(p)).map(place).collect();
            match places.as_slice() {
                [] => {}
                // A line of a single point would be invisible.
                [one] => {
                    let (x, y) = one.split_once(',').unwrap_or_default();
                    let _ = writeln!(
                        svg,
                        "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{}\"/>",
                        color(&CURVES, i)
                    );
                }
                all => {
                    let _ = writeln!(svg, "<polyline points=\"{}\" {}/>", all.join(" "), curve_style(i));
                }
            }
        }
        let _ = writeln!(
            svg,
            "</g>\n<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"currentColor\"/>"
        );
        marks::draw(&self.panel.marks, &self.x, &self.y, self.plot, svg);
        self.draw_legend(svg);
    }

    fn draw_axes(&self, svg: &mut String) {
        let [left, top, right, bottom] = self.plot;
        let unit = self.x.unit();
        let in_units = self.x.in_units(unit.0);
        let (ticks, decimals) = in_units.ticks();
        for tick in ticks {
            let x = in_units.at(tick);
            let label = in_units.label(tick, decimals);
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.2} {top}V{bottom}\" {GRID}/>\
                 <text x=\"{x:.2}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                bottom + 18.0
            );
        }
        let (ticks, decimals) = self.y.ticks();
        for tick in ticks {
            let y = self.y.at(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {y:.2}H{right}\" {GRID}/>\
                 <text x=\"{}\" y=\"{:.2}\" text-anchor=\"end\">{tick:.decimals$}</text>",
                left - 8.0,
                y + 4.5
            );
        }
        let (middle, center) = ((left + right) / 2.0, (top + bottom) / 2.0);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}{}</text>\
             <text transform=\"translate(18 {center}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            bottom + 42.0,
            escape(&self.panel.x_label),
            unit.1,
            escape(&self.panel.y_label)
        );
    }

    /// Curves first, then lines from highest to lowest, as in the diagram.
    fn draw_legend(&self, svg: &mut String) {
        let curves = self.panel.curves.iter().enumerate().map(|(i, (name, points))| {
            let last = points.iter().rev().find(|p| is_finite(p)).map(|p| p.1);
            (name, last, curve_style(i))
        });
        let mut lines: Vec<_> = self.panel.lines.iter().enumerate().collect();
        lines.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
        let lines = lines.into_iter().map(|(i, (name, y))| (name, Some(*y), line_style(i)));
        let [_, top, right, _] = self.plot;
        for (row, (name, value, style)) in curves.chain(lines).enumerate() {
            let y = top + 10.0 + 22.0 * row as f64;
            let value = value.filter(|v| v.is_finite()).map(|v| format!(" {v:.2}")).unwrap_or_default();
            let _ = writeln!(
                svg,
                "<path d=\"M{} {y}h32\" fill=\"none\" {style}/><text x=\"{}\" y=\"{}\">{}{value}</text>",
                right + 14.0,
                right + 54.0,
                y + 4.5,
                escape(name)
            );
        }
    }
}

fn is_finite(point: &(f64, f64)) -> bool {
    point.0.is_finite() && point.1.is_finite()
}

fn color(palette: &[&'static str; 4], i: usize) -> &'static str {
    palette[i % palette.len()]
}

fn curve_style(i: usize) -> String {
    format!("stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"", color(&CURVES, i))
}

fn line_style(i: usize) -> String {
    format!("stroke=\"{}\" stroke-width=\"1.5\" stroke-dasharray=\"{}\"", color(&LINES, i), color(&DASHES, i))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn panel() -> Panel {
        let curve = (1..=200).map(|i| (f64::from(i) * 4e6, 32.4 - 3.0 / f64::from(i).sqrt()));
        let mut points: Vec<_> = curve.collect();
        points[0].1 = 5.0;
        points.insert(7, (3e7, f64::NAN));
        Panel {
            title: "Set5 x3 <mean>".into(),
            y_label: "PSNR (dB)".into(),
            curves: vec![("this run".into(), points)],
            lines: vec![("bicubic".into(), 30.39), ("SC".into(), 31.42), ("SRCNN".into(), 32.39)],
            x_label: "backprops".into(),
            ..Panel::default()
        }
    }

    /// Written out for a look at it when `SRCNN_CHART` names a file.
    #[test]
    fn draws_the_papers_figure() {
        let svg = render(&[panel(), Panel { scale: Scale::LogarithmicToTheLeft, ..panel() }]);
        if let Some(path) = std::env::var_os("SRCNN_CHART") {
            std::fs::write(path, &svg).unwrap();
        }
        assert!(svg.contains("Set5 x3 &lt;mean&gt;") && svg.contains("backprops (millions)"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
        assert_eq!(svg.matches("<polyline").count(), 2);
        assert_eq!(svg.matches("stroke-dasharray").count(), 2 * 2 * 3);
        assert!(svg.contains("bicubic 30.39") && svg.contains("this run 32.19"));
        assert_eq!(svg.matches("<g ").count(), svg.matches("</g>").count());
    }

    /// A run that is still far below the published averages.
    #[test]
    fn the_end_of_each_curve_is_in_sight() {
        let curves = vec![
            ("near".into(), vec![(1.0, 20.0), (2.0, 31.0)]),
            ("far".into(), vec![(1.0, 3.0), (2.0, 22.0)]),
        ];
        let drawing = Panel { curves, lines: vec![("published".into(), 32.5)], ..Panel::default() };
        let y = Drawing::new(&drawing, 0).y;
        assert!(y.low < 22.0 && y.low > 19.0, "{}", y.low);
    }

    #[test]
    fn nothing_to_draw_is_drawn() {
        for panel in [
            Panel::default(),
            Panel { curves: vec![("c".into(), vec![(f64::NAN, 1.0)])], ..Panel::default() },
            Panel { curves: vec![("c".into(), vec![(10.0, 1.0)])], ..Panel::default() },
            Panel { lines: vec![("l".into(), 3.0), ("m".into(), f64::INFINITY)], ..Panel::default() },
        ] {
            let svg = render(&[panel]);
            assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"), "{svg}");
        }
    }
}
