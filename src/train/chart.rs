//! `curve.svg`: test curves over backprops with horizontal lines to compare with, as figures 1 and 6 of the
//! paper. Plain SVG 1.1 without scripts or fonts of its own.

use std::fmt::Write;

/// One diagram.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Panel {
    /// Above the diagram.
    pub title: String,
    /// What the y axis shows.
    pub y_label: String,
    /// Curves: name, and points of backprops and value. Points that are not finite are left out.
    pub curves: Vec<(String, Vec<(f64, f64)>)>,
    /// Horizontal lines: name and value.
    pub lines: Vec<(String, f64)>,
    /// Whether backprops are on a logarithmic axis.
    pub logarithmic: bool,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 440.0;
/// The diagram inside of its panel: left, top, right, bottom. The legend is to the right of it.
const PLOT: [f64; 4] = [70.0, 40.0, 640.0, 380.0];
/// Curves and lines, told apart in print by the lines' dashes as well.
const CURVES: [&str; 4] = ["#c0392b", "#8e44ad", "#d35400", "#7f5539"];
const LINES: [&str; 4] = ["#2c3e50", "#2980b9", "#27ae60", "#7f8c8d"];
const DASHES: [&str; 4] = ["8 4", "2 3", "10 3 2 3", "5 5"];

/// The panels below each other as an SVG document.
pub fn render(panels: &[Panel]) -> String {
    let height = HEIGHT * panels.len().max(1) as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
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

/// An axis: values from `low` to `high` go to places from `from` to `to`.
struct Axis {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    logarithmic: bool,
}

impl Axis {
    fn at(&self, value: f64) -> f64 {
        let scaled = |v: f64| if self.logarithmic { v.max(1.0).log10() } else { v };
        let part = (scaled(value) - scaled(self.low)) / (scaled(self.high) - scaled(self.low));
        self.from + part * (self.to - self.from)
    }

    /// Round values inside of the axis, and how many decimals they need.
    fn ticks(&self) -> (Vec<f64>, usize) {
        if self.logarithmic {
            let decades = (self.low.max(1.0).log10().ceil() as i32)..=(self.high.log10().floor() as i32);
            return (decades.map(|power| 10f64.powi(power)).collect(), 0);
        }
        let rough = (self.high - self.low) / 7.0;
        let decade = 10f64.powf(rough.log10().floor());
        let step =
            [1.0, 2.0, 5.0, 10.0].map(|f| f * decade).into_iter().find(|&s| s >= rough).unwrap_or(rough);
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        ((first..=last).map(|i| i as f64 * step).collect(), decimals)
    }
}

struct Drawing<'a> {
    panel: &'a Panel,
    number: usize,
    x: Axis,
    y: Axis,
}

impl<'a> Drawing<'a> {
    fn new(panel: &'a Panel, number: usize) -> Self {
        let [left, top, right, bottom] = PLOT;
        let points = || panel.curves.iter().flat_map(|(_, points)| points).filter(|p| is_finite(p));
        let last = points().map(|p| p.0).fold(1.0, f64::max);
        let first =
            if panel.logarithmic { points().map(|p| p.0).fold(last / 10.0, f64::min).max(1.0) } else { 0.0 };
        let lines = || panel.lines.iter().map(|line| line.1).filter(|y| y.is_finite());
        let least = |values: &mut dyn Iterator<Item = f64>| values.fold(f64::INFINITY, f64::min);
        // The first moments of training are far below everything: the diagram begins a little under the lines.
        let floor = least(&mut lines()) - 1.0;
        let mut low = least(&mut points().map(|p| p.1).chain(lines()));
        if floor.is_finite() {
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
            x: Axis { low: first, high: last, from: left, to: right, logarithmic: panel.logarithmic },
            y: Axis { low: low - margin, high: high + margin, from: bottom, to: top, logarithmic: false },
        }
    }

    /// Writing to a string does not fail, so results are dropped here and below.
    fn draw(&self, svg: &mut String) {
        let [left, top, right, bottom] = PLOT;
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
                // A single point would not show as a line.
                [one] => {
                    let (x, y) = one.split_once(',').unwrap_or_default();
                    let _ = writeln!(
                        svg,
                        "<circle cx=\"{x}\" cy=\"{y}\" r=\"3\" fill=\"{}\"/>",
                        colour(&CURVES, i)
                    );
                }
                all => {
                    let _ = writeln!(svg, "<polyline points=\"{}\" {}/>", all.join(" "), curve_style(i));
                }
            }
        }
        let _ = writeln!(
            svg,
            "</g>\n<rect x=\"{left}\" y=\"{top}\" width=\"{width}\" height=\"{height}\" fill=\"none\" stroke=\"#222\"/>"
        );
        self.draw_legend(svg);
    }

    fn draw_axes(&self, svg: &mut String) {
        let [left, top, right, bottom] = PLOT;
        let (unit, name) = match self.x.high {
            _ if self.panel.logarithmic => (1.0, "backprops"),
            high if high >= 2e6 => (1e6, "backprops (millions)"),
            high if high >= 2e3 => (1e3, "backprops (thousands)"),
            _ => (1.0, "backprops"),
        };
        let in_units = Axis { low: self.x.low / unit, high: self.x.high / unit, ..self.x };
        let (ticks, decimals) = in_units.ticks();
        for tick in ticks {
            let x = in_units.at(tick);
            let label = match self.panel.logarithmic {
                true => format!("10<tspan dy=\"-5\" font-size=\"9\">{}</tspan>", tick.log10().round()),
                false => format!("{tick:.decimals$}"),
            };
            let _ = writeln!(
                svg,
                "<path d=\"M{x:.2} {top}V{bottom}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{x:.2}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                bottom + 18.0
            );
        }
        let (ticks, decimals) = self.y.ticks();
        for tick in ticks {
            let y = self.y.at(tick);
            let _ = writeln!(
                svg,
                "<path d=\"M{left} {y:.2}H{right}\" stroke=\"#e4e4e4\"/>\
                 <text x=\"{}\" y=\"{:.2}\" text-anchor=\"end\">{tick:.decimals$}</text>",
                left - 8.0,
                y + 4.5
            );
        }
        let (middle, centre) = ((left + right) / 2.0, (top + bottom) / 2.0);
        let _ = writeln!(
            svg,
            "<text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{name}</text>\
             <text transform=\"translate(18 {centre}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            bottom + 42.0,
            escape(&self.panel.y_label)
        );
    }

    /// Curves first, then lines from the highest to the lowest, as they are in the diagram.
    fn draw_legend(&self, svg: &mut String) {
        let curves = self.panel.curves.iter().enumerate().map(|(i, (name, points))| {
            let last = points.iter().rev().find(|p| is_finite(p)).map(|p| p.1);
            (name, last, curve_style(i))
        });
        let mut lines: Vec<_> = self.panel.lines.iter().enumerate().collect();
        lines.sort_by(|a, b| b.1.1.total_cmp(&a.1.1));
        let lines = lines.into_iter().map(|(i, (name, y))| (name, Some(*y), line_style(i)));
        let [_, top, right, _] = PLOT;
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

fn colour(palette: &[&'static str; 4], i: usize) -> &'static str {
    palette[i % palette.len()]
}

fn curve_style(i: usize) -> String {
    format!("stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"", colour(&CURVES, i))
}

fn line_style(i: usize) -> String {
    format!(
        "stroke=\"{}\" stroke-width=\"1.5\" stroke-dasharray=\"{}\"",
        colour(&LINES, i),
        colour(&DASHES, i)
    )
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
            logarithmic: false,
        }
    }

    /// Written out for a look at it when `SRCNN_CHART` names a file.
    #[test]
    fn draws_the_papers_figure() {
        let svg = render(&[panel(), Panel { logarithmic: true, ..panel() }]);
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

    #[test]
    fn axes() {
        let axis = |low, high| Axis { low, high, from: 0.0, to: 100.0, logarithmic: false };
        assert_eq!(axis(0.0, 800.0).ticks(), (vec![0.0, 200.0, 400.0, 600.0, 800.0], 0));
        let (ticks, decimals) = axis(29.3, 32.5).ticks();
        assert_eq!((ticks.len(), decimals), (7, 1));
        assert_eq!(axis(10.0, 20.0).at(15.0), 50.0);
        let log = Axis { logarithmic: true, ..axis(1e3, 1e7) };
        assert_eq!((log.ticks().0.len(), log.at(1e5)), (5, 50.0));
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
