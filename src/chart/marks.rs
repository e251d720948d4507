//! Single points of a diagram, with their names beside them where there is room.

use std::fmt::Write;

use super::axis::Axis;
use super::{CURVES, color, escape};

/// A single point.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Name beside it; a point without a name is small.
    pub name: String,
    /// Where on the x axis.
    pub x: f64,
    /// Where on the y axis.
    pub y: f64,
    /// Which of the curves' colors; `None` is a ring in the color of text, for figures from elsewhere.
    pub color: Option<usize>,
}

/// A rectangle: left, top, right, bottom.
type Rectangle = [f64; 4];

const RADIUS: f64 = 6.0;
/// Approximate width of a letter, and height, of the diagram's text.
const LETTER: (f64, f64) = (7.6, 13.0);

/// Draws the points and their names, small points first so that they do not hide the others. Points that are not finite are
/// skipped.
pub fn draw(marks: &[Mark], x: &Axis, y: &Axis, plot: Rectangle, svg: &mut String) {
    let finite = || marks.iter().filter(|mark| mark.x.is_finite() && mark.y.is_finite());
    let position = |mark: &Mark| (x.at(mark.x), y.at(mark.y));
    for mark in finite().filter(|mark| mark.name.is_empty()) {
        let (x, y) = position(mark);
        let _ = writeln!(
            svg,
            "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"4\" fill-opacity=\"0.7\" fill=\"{}\"/>",
            mark.fill()
        );
    }
    let named: Vec<&Mark> = finite().filter(|mark| !mark.name.is_empty()).collect();
    let around = |mark: &&Mark| {
        let (x, y) = position(mark);
        [x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS]
    };
    let mut taken: Vec<Rectangle> = named.iter().map(around).collect();
    for mark in &named {
        let (x, y) = position(mark);
        let style = match mark.color {
            Some(_) => format!("fill=\"{}\"", mark.fill()),
            None => "fill=\"none\" stroke=\"currentColor\" stroke-width=\"2\"".into(),
        };
        let _ = writeln!(svg, "<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{RADIUS}\" {style}/>");
        let (text, anchor) = free_position((x, y), &mark.name, &taken, plot);
        taken.push(text);
        let x = match anchor {
            "start" => text[0],
            "end" => text[2],
            _ => (text[0] + text[2]) / 2.0,
        };
        let _ = writeln!(
            svg,
            "<text x=\"{x:.2}\" y=\"{:.2}\" text-anchor=\"{anchor}\">{}</text>",
            text[3] - 3.0,
            escape(&mark.name)
        );
    }
}

impl Mark {
    fn fill(&self) -> &'static str {
        self.color.map_or("currentColor", |i| color(&CURVES, i))
    }
}

/// The first free position for a name around a point inside the diagram, and which end of the name is at the point.
fn free_position(
    (x, y): (f64, f64),
    name: &str,
    taken: &[Rectangle],
    plot: Rectangle,
) -> (Rectangle, &'static str) {
    let (width, height) = (name.chars().count() as f64 * LETTER.0, LETTER.1);
    let gap = RADIUS + 4.0;
    let at = |anchor: &'static str, top: f64| {
        let left = match anchor {
            "start" => x + gap,
            "end" => x - gap - width,
            _ => x - width / 2.0,
        };
        ([left, top, left + width, top + height], anchor)
    };
    let beside = y - height / 2.0;
    // Corners are one line further away, so that they do not touch names above and below.
    let (above, below) = (y - gap - height, y + gap);
    let candidates = [
        at("start", beside),
        at("end", beside),
        at("middle", above),
        at("middle", below),
        at("start", above - height),
        at("start", below + height),
        at("end", above - height),
        at("end", below + height),
    ];
    let inside = |r: &Rectangle| r[0] >= plot[0] && r[1] >= plot[1] && r[2] <= plot[2] && r[3] <= plot[3];
    let free =
        |r: &Rectangle| !taken.iter().any(|t| r[0] < t[2] && t[0] < r[2] && r[1] < t[3] && t[1] < r[3]);
    let found = candidates.iter().find(|(r, _)| inside(r) && free(r));
    *found.or_else(|| candidates.iter().find(|(r, _)| inside(r))).unwrap_or(&candidates[0])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::{PLOT, Panel, Scale, inline};

    fn mark(name: &str, x: f64, y: f64, color: Option<usize>) -> Mark {
        Mark { name: name.into(), x, y, color }
    }

    /// Figure 4; written out for a look at it when `SRCNN_CHART_MARKS` names a file.
    #[test]
    fn draws_the_papers_figure() {
        let marks = vec![
            mark("", 0.03, 28.7, Some(0)),
            mark("network <9-1-5>", 0.021, 28.95, Some(0)),
            mark("SRCNN", 0.39, 29.0, None),
            mark("ANR", 0.97, 28.65, None),
            mark("K-SVD", 2.95, 28.67, None),
            mark("NE+LLE", 5.35, 28.60, None),
            mark("gone", f64::NAN, 28.0, None),
        ];
        let scale = Scale::LogarithmicToTheLeft;
        let panel = Panel { title: "Set14 x3".into(), marks, scale, ..Panel::default() };
        let svg = inline(&panel, 3);
        if let Some(path) = std::env::var_os("SRCNN_CHART_MARKS") {
            std::fs::write(path, &svg).unwrap();
        }
        assert_eq!((svg.matches("<circle").count(), svg.matches("fill-opacity").count()), (6, 1));
        assert!(
            svg.contains("network &lt;9-1-5&gt;</text>") && !svg.contains("gone") && !svg.contains("NaN")
        );
        assert!(svg.contains("id=\"plot3\"") && svg.contains("aria-label=\"Set14 x3\""));
    }

    #[test]
    fn names_do_not_lie_on_each_other() {
        let mut taken = vec![[294.0, 194.0, 306.0, 206.0]];
        for _ in 0..8 {
            let position = free_position((300.0, 200.0), "NE+NNLS", &taken, PLOT).0;
            let apart = |t: &Rectangle| {
                position[0] >= t[2] || t[0] >= position[2] || position[1] >= t[3] || t[1] >= position[3]
            };
            assert!(taken.iter().all(apart), "{position:?} {taken:?}");
            taken.push(position);
        }
        // At the right edge, the name is on the left.
        assert!(free_position((PLOT[2] - 2.0, 200.0), "ANR", &[], PLOT).0[2] < PLOT[2] - RADIUS);
    }
}
