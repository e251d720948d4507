//! What stands around the pictures: the head, tables, charts.

use std::fmt::Write;

use super::{About, decibels, escape, section_id};
use crate::chart::{Mark, Panel, Scale, inline};
use crate::eval::published::{self, Published};
use crate::eval::{Report, Row, SetReport};

/// From the beginning to the first set. The page may load nothing: its policy says so to the browser.
pub fn head(report: &Report, about: &About) -> String {
    let mut models: Vec<&str> = report.sets.iter().map(|set| set.model.as_str()).collect();
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
    if let Some(set) = report.sets.first() {
        item(
            "Protocol",
            &format!(
                "{}: luminance as uint8, cut to multiples of the scale, shrunk and enlarged by MATLAB's bicubic \
                 with nothing rounded in between, results as uint8",
                set.protocol
            ),
        );
    }
    item("Adapter", &about.adapter);
    item("Made by", concat!("srcnn-gpu ", env!("CARGO_PKG_VERSION")));
    html.push_str(
        "</dl>\n<noscript><p>The sliders need scripts; without, they show the left half of one picture \
                   and the right half of another.</p></noscript>\n",
    );
    if report.sets.len() > 1 {
        html.push_str("<nav aria-label=\"Sets\"><ul>\n");
        for (i, set) in report.sets.iter().enumerate() {
            let average = set.average.as_ref().map(|row| decibels(row.score.psnr, 2)).unwrap_or_default();
            let name = escape(&set.set);
            let _ = writeln!(
                html,
                "<li><a href=\"#{}\">{name} ×{}</a> <small>{average}</small></li>",
                section_id(i),
                set.scale
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
pub fn set(number: usize, set: &SetReport, about: &About) -> String {
    let name = escape(&set.set);
    let mut html = format!(
        "<section id=\"{}\">\n<h2>{name} ×{}</h2>\n<p>Network {}: {}, padding {}</p>\n{}",
        section_id(number),
        set.scale,
        escape(&set.model),
        set.architecture,
        set.padding,
        table(set)
    );
    let published = set.images.iter().filter_map(|row| row.image.as_deref());
    let times = published::times(published, set.scale);
    let charts = [averages(set, times.as_ref()), pictures(set)];
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
        "<p class=\"note\">Filled: this run, from call to return; the network on {}, bicubic interpolation on the \
         CPU in 64 bits.",
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
                   network gains most; it is shown enlarged, each pixel a square.</p>\n",
    );
    html
}

fn table(set: &SetReport) -> String {
    let rows = || set.images.iter().chain(&set.average);
    let published = rows().any(|row| row.published.is_some());
    let mut html = format!(
        "<div class=\"wide\" role=\"region\" aria-label=\"Figures\" tabindex=\"0\">\n<table>\n\
         <caption>PSNR in dB and SSIM of luminance without {} pixels on each side; times in milliseconds</caption>\n\
         <thead>\n<tr><th></th><th colspan=\"3\" class=\"first\">Bicubic</th>\
         <th colspan=\"4\" class=\"first\">Network</th>{}</tr>\n<tr><th scope=\"col\">Picture</th>",
        set.shave,
        match published {
            true => "<th colspan=\"7\" class=\"first\">Published PSNR, ECCV 2014</th>",
            false => "",
        }
    );
    let measured = ["PSNR", "SSIM", "ms", "PSNR", "SSIM", "Gain", "ms"];
    let names = measured.into_iter().chain(Published::METHODS.into_iter().filter(|_| published));
    for (i, name) in names.enumerate() {
        let _ = write!(html, "<th scope=\"col\"{}>{name}</th>", first(i));
    }
    html.push_str("</tr>\n</thead>\n<tbody>\n");
    for row in &set.images {
        html.push_str(&line(row, published));
    }
    html.push_str("</tbody>\n");
    if let Some(average) = &set.average {
        let _ = write!(html, "<tfoot>\n{}</tfoot>\n", line(average, published));
    }
    html.push_str("</table>\n</div>\n");
    for network in &set.published_networks {
        let _ = writeln!(
            html,
            "<p class=\"note\">Published average for {} {} trained on ImageNet: {:.2} dB ({}).</p>",
            network.sizes, network.filters, network.psnr, network.source
        );
    }
    html
}

/// Where a group of columns begins.
fn first(column: usize) -> &'static str {
    if [0, 3, 7].contains(&column) { " class=\"first\"" } else { "" }
}

fn line(row: &Row, with_published: bool) -> String {
    let score = &row.score;
    let measured = [
        (score.psnr_bicubic, 2),
        (score.ssim_bicubic, 4),
        (score.bicubic_ms, 1),
        (score.psnr, 2),
        (score.ssim, 4),
        (score.psnr - score.psnr_bicubic, 2),
        (score.wall_ms, 1),
    ];
    let published = row.published.map_or([None; 7], |published| published.figures());
    let published = published.into_iter().filter(|_| with_published);
    let figures = measured.into_iter().chain(published.map(|figure| (figure.unwrap_or(f64::NAN), 2)));
    let name = row.image.as_deref().unwrap_or("average");
    let mut html = format!("<tr><th scope=\"row\">{}</th>", escape(name));
    for (i, (figure, decimals)) in figures.enumerate() {
        let text = if figure.is_nan() { "–".into() } else { format!("{figure:.decimals$}") };
        let _ = write!(html, "<td{}>{text}</td>", first(i));
    }
    html.push_str("</tr>\n");
    html
}

/// Figure 4: the averages, beside those of other methods where they are published for these pictures.
fn averages(set: &SetReport, times: Option<&published::Times>) -> Panel {
    let mut marks = Vec::new();
    if let Some(Row { score, published, .. }) = &set.average {
        for (name, ms, y, color) in [
            ("bicubic".to_string(), score.bicubic_ms, score.psnr_bicubic, 1),
            (format!("network {}", set.architecture), score.wall_ms, score.psnr, 0),
        ] {
            marks.push(Mark { name, x: ms / 1e3, y, color: Some(color) });
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
    panel(format!("{} ×{}, averages", set.set, set.scale), marks)
}

/// Each picture of a set of several.
fn pictures(set: &SetReport) -> Panel {
    // More names than these would hide each other.
    let names = set.images.len() <= 20;
    let mut marks = Vec::new();
    for row in set.images.iter().filter(|_| set.images.len() > 1) {
        let Row { image, score, .. } = row;
        let name = image.clone().filter(|_| names).unwrap_or_default();
        marks.push(Mark {
            name: String::new(),
            x: score.bicubic_ms / 1e3,
            y: score.psnr_bicubic,
            color: Some(1),
        });
        marks.push(Mark { name, x: score.wall_ms / 1e3, y: score.psnr, color: Some(0) });
    }
    panel(format!("{} ×{}, each picture: bicubic small, network large", set.set, set.scale), marks)
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
