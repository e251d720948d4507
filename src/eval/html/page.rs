//! What stands around the pictures: the head, tables, charts.

use std::fmt::Write;

use super::table::Table;
use super::{About, decibels, escape, section_id};
use crate::chart::{Mark, Panel, Scale, inline};
use crate::eval::Row;
use crate::eval::published::{self, Published};

/// From the beginning to the first set. The page may load nothing: its policy says so to the browser.
pub fn head(tables: &[Table<'_>], about: &About) -> String {
    let mut models: Vec<&str> = tables
        .iter()
        .flat_map(|table| match table.networks.as_slice() {
            [] => vec!["bicubic interpolation"],
            [one] => vec![one.model.as_str()],
            several => several.iter().map(|network| network.name.as_str()).collect(),
        })
        .collect();
    // In the order of their first sets.
    let mut seen = std::collections::HashSet::new();
    models.retain(|&model| seen.insert(model));
    let models = models.join(", ");
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{0}: evaluation</title>\n<style>\n{1}</style>\n</head>\n<body>\n<h1>Evaluation of {0}</h1>\n<dl>\n",
        escape(&models),
        include_str!("style.css")
    );
    let mut item = |name: &str, text: &str| {
        // Writing to a string cannot fail, here and below.
        let _ = writeln!(html, "<dt>{name}</dt><dd>{}</dd>", escape(text));
    };
    if let Some(table) = tables.first() {
        item(
            "Protocol",
            &format!(
                "{}: luminance (of networks of RGB, all three colors) as uint8, cut to multiples of the scale, degraded \
                 by {}, enlarged by MATLAB's bicubic with nothing rounded in between, results as uint8",
                table.baseline.protocol, table.baseline.degradation
            ),
        );
    }
    item("Adapter", &about.adapter);
    item("Made by", concat!("srcnn-gpu ", env!("CARGO_PKG_VERSION")));
    html.push_str(
        "</dl>\n<noscript><p>The sliders need scripts; without, they show the left half of one picture \
                   and the right half of another.</p></noscript>\n",
    );
    if tables.len() > 1 {
        html.push_str("<nav aria-label=\"Sets\"><ul>\n");
        for (i, table) in tables.iter().enumerate() {
            let averages = table.networks.iter().filter_map(|network| network.average.as_ref());
            let averages: Vec<String> = averages.map(|row| decibels(row.score.psnr, 2)).collect();
            let (name, averages) = (escape(&table.title()), averages.join(", "));
            let _ = writeln!(
                html,
                "<li><a href=\"#{}\">{name}</a> <small>{averages}</small></li>",
                section_id(i)
            );
        }
        html.push_str("</ul></nav>\n");
    }
    html
}

/// From the last picture to the end.
pub fn tail() -> String {
    format!("<script>\n{}</script>\n</body>\n</html>\n", include_str!("script.js"))
}

/// The beginning of a set: title, table, charts.
pub fn set(number: usize, table: &Table<'_>, about: &About) -> String {
    let set = table.baseline;
    let mut html = format!("<section id=\"{}\">\n<h2>{}</h2>\n", section_id(number), escape(&table.title()));
    for network in &table.networks {
        let description = escape(&network.description());
        let _ = match table.networks.len() {
            1 if network.padding.is_some() => writeln!(html, "<p>Network {description}</p>"),
            1 => writeln!(html, "<p>{description}</p>"),
            _ => writeln!(html, "<p><strong>{}</strong>: {description}</p>", escape(&network.name)),
        };
    }
    html.push_str(&table.html());
    let published = set.images.iter().filter_map(|row| row.image.as_deref());
    let is_theirs = set.average.as_ref().is_some_and(|average| average.published.is_some());
    let times = published::times(published, set.scale).filter(|_| is_theirs);
    let charts = [averages(table, times.as_ref()), pictures(table)];
    html.push_str("<h3>PSNR against time</h3>\n");
    for (i, panel) in charts.iter().enumerate().filter(|(_, panel)| !panel.marks.is_empty()) {
        let chart = inline(panel, 2 * number + i);
        let name = escape(&panel.title);
        let _ = write!(
            html,
            "<div class=\"wide\" role=\"region\" aria-label=\"{name}\" tabindex=\"0\">\n{chart}</div>\n"
        );
    }
    let _ = write!(
        html,
        "<p class=\"note\">Filled: this run, from call to return without compilation; networks on {}, bicubic \
         interpolation on the CPU in 64 bits.",
        escape(&about.adapter)
    );
    if let Some(times) = times {
        let _ = write!(
            html,
            " Rings: published averages (Dong et al., ECCV 2014), times on the authors' machine ({}): another one \
             than this, so only orders of magnitude compare.",
            times.machine
        );
    }
    html.push_str(
        "</p>\n<h3>Pictures</h3>\n<p class=\"note\">Drag, or use the arrow keys. The red square is where the \
                   networks gain most; it is shown enlarged, each pixel a square.</p>\n",
    );
    html
}

/// Figure 4: the averages, beside those of other methods where they are published for these pictures.
fn averages(table: &Table<'_>, times: Option<&published::Times>) -> Panel {
    let mut marks = Vec::new();
    if let Some(Row { score, published, .. }) = &table.baseline.average {
        let (x, y) = (score.bicubic_ms / 1e3, score.psnr_bicubic);
        marks.push(Mark { name: "bicubic".into(), x, y, color: Some(1) });
        for (number, network) in table.networks.iter().enumerate() {
            let Some(Row { score, .. }) = &network.average else { continue };
            let name = match (table.networks.len(), &network.architecture) {
                (1, Some(architecture)) if network.padding.is_some() => format!("network {architecture}"),
                _ => network.name.clone(),
            };
            marks.push(Mark { name, x: score.wall_ms / 1e3, y: score.psnr, color: Some(color(number)) });
        }
        for (published, times) in published.iter().zip(times) {
            let figures = published.figures().into_iter().zip(times.seconds);
            for (name, figure) in Published::METHODS.into_iter().zip(figures) {
                if let (Some(y), Some(x)) = figure {
                    marks.push(Mark { name: name.into(), x, y, color: None });
                }
            }
        }
    }
    panel(format!("{}, averages", table.title()), marks)
}

/// The color of a network; 1 is that of the baseline.
fn color(number: usize) -> usize {
    if number == 0 { 0 } else { number + 1 }
}

/// Each picture of a set of several.
fn pictures(table: &Table<'_>) -> Panel {
    let rows = &table.baseline.images;
    // More names than these would hide each other.
    let names = rows.len() <= 20;
    let mut marks = Vec::new();
    for (i, row) in rows.iter().enumerate().filter(|_| rows.len() > 1) {
        let small =
            |x: f64, y: f64, color: usize| Mark { name: String::new(), x: x / 1e3, y, color: Some(color) };
        marks.push(small(row.score.bicubic_ms, row.score.psnr_bicubic, 1));
        for (number, network) in table.networks.iter().enumerate() {
            let Some(Row { image, score, .. }) = network.images.get(i) else { continue };
            let mark = small(score.wall_ms, score.psnr, color(number));
            let name = image.clone().filter(|_| names && number == 0).unwrap_or_default();
            marks.push(Mark { name, ..mark });
        }
    }
    let large = match table.networks.as_slice() {
        [_] => "network",
        [first, ..] => &first.name,
        [] => "",
    };
    let legend = if large.is_empty() { String::new() } else { format!(": bicubic small, {large} large") };
    panel(format!("{}, each picture{legend}", table.title()), marks)
}

fn panel(title: String, marks: Vec<Mark>) -> Panel {
    Panel {
        title,
        y_label: "PSNR (dB)".into(),
        x_label: "slower ← seconds a picture → faster".into(),
        marks,
        scale: Scale::LogarithmicToTheLeft,
        ..Panel::default()
    }
}
