//! Reports as text: aligned columns for a terminal, Markdown, or comma-separated values.

use std::fmt::Write;

use super::published::Published;
use super::{Report, Row, Score, SetReport};

/// How a report is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// Columns aligned with spaces.
    Plain,
    /// Tables of GitHub's Markdown.
    Markdown,
    /// Comma-separated values as in RFC 4180, figures with all their digits.
    Csv,
}

impl Layout {
    /// A table from rows of cells, the first row being the header; all rows have as many cells as that.
    pub fn lay_out(self, cells: &[Vec<String>]) -> String {
        match self {
            Self::Plain => plain(cells),
            Self::Markdown => markdown(cells),
            Self::Csv => csv(cells),
        }
    }

    /// A figure as a cell; `-` for one that is not there, nothing in comma-separated values.
    pub fn number(self, value: f64, decimals: usize) -> String {
        match self {
            Self::Csv if value.is_nan() => String::new(),
            Self::Csv => value.to_string(),
            _ => number(value, decimals),
        }
    }
}

/// The whole report: for each set and scale what was measured, a table, and where published figures are
/// from. PSNR in dB with two decimals, SSIM with four, times in milliseconds.
/// Comma-separated values are one table of what was measured, with a line for each picture.
pub fn render(report: &Report, layout: Layout) -> String {
    if layout == Layout::Csv {
        return csv(&measured(report));
    }
    report.sets.iter().map(|set| render_set(set, layout)).collect::<Vec<_>>().join("\n")
}

fn render_set(set: &SetReport, layout: Layout) -> String {
    let title = format!(
        "{} x{}: {} (network {}, padding {}), protocol {} (luminance, shave {})",
        set.set, set.scale, set.model, set.architecture, set.padding, set.protocol, set.shave
    );
    let rows = || set.images.iter().chain(&set.average);
    let with_published = rows().any(|row| row.published.is_some());
    let mut cells = vec![header(with_published)];
    cells.extend(rows().map(|row| line(row, with_published)));
    let mut text = match layout {
        Layout::Markdown => format!("**{title}**\n\n{}", layout.lay_out(&cells)),
        _ => format!("{title}\n{}", layout.lay_out(&cells)),
    };
    let mut notes = Vec::new();
    if with_published {
        notes.push(
            "[1] published PSNR, Dong et al., ECCV 2014, tables 1 and 2 (SRCNN: 9-1-5 64-32)".to_string(),
        );
    }
    notes.extend(set.published_networks.iter().map(|network| {
        format!(
            "Published average for {} {} trained on ImageNet: {:.2} dB ({})",
            network.sizes, network.filters, network.psnr, network.source
        )
    }));
    for note in notes {
        let gap = if layout == Layout::Markdown { "\n" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{gap}{note}");
    }
    text
}

/// The pictures of all sets and scales.
fn measured(report: &Report) -> Vec<Vec<String>> {
    let names = "set,scale,image,psnr_bicubic,ssim_bicubic,psnr,ssim,gpu_ms,wall_ms";
    let mut cells = vec![names.split(',').map(String::from).collect()];
    for (set, row) in report.sets.iter().flat_map(|set| set.images.iter().map(move |row| (set, row))) {
        let Score { psnr_bicubic, psnr, ssim_bicubic, ssim, gpu_ms, wall_ms, .. } = row.score;
        let figures = [psnr_bicubic, ssim_bicubic, psnr, ssim, gpu_ms, wall_ms];
        let names = [set.set.clone(), set.scale.to_string(), row.image.clone().unwrap_or_default()];
        cells.push(names.into_iter().chain(figures.map(|figure| Layout::Csv.number(figure, 0))).collect());
    }
    cells
}

fn header(with_published: bool) -> Vec<String> {
    let measured = ["image", "bicubic", "SSIM", "network", "SSIM", "gain", "GPU ms", "wall ms"];
    let published =
        Published::METHODS.iter().filter(|_| with_published).map(|method| format!("{method} [1]"));
    measured.into_iter().map(String::from).chain(published).collect()
}

fn line(row: &Row, with_published: bool) -> Vec<String> {
    let score = &row.score;
    let mut cells = vec![
        row.image.clone().unwrap_or_else(|| "average".into()),
        number(score.psnr_bicubic, 2),
        number(score.ssim_bicubic, 4),
        number(score.psnr, 2),
        number(score.ssim, 4),
        number(score.psnr - score.psnr_bicubic, 2),
        number(score.gpu_ms, 1),
        number(score.wall_ms, 1),
    ];
    if with_published {
        let figures = row.published.map_or([None; 7], |published| published.figures());
        cells.extend(figures.map(|figure| figure.map_or_else(|| "-".into(), |psnr| number(psnr, 2))));
    }
    cells
}

fn number(value: f64, decimals: usize) -> String {
    if value.is_nan() { "-".into() } else { format!("{value:.decimals$}") }
}

/// Names to the left, figures to the right.
fn plain(cells: &[Vec<String>]) -> String {
    let columns = cells.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| cells.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in cells {
        for (column, (cell, &width)) in row.iter().zip(&widths).enumerate() {
            let _ = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
        }
        text.push('\n');
    }
    text
}

fn markdown(cells: &[Vec<String>]) -> String {
    let line = |row: &[String]| format!("| {} |\n", row.join(" | "));
    let mut rows =
        cells.iter().map(|row| row.iter().map(|cell| cell.replace('|', "\\|")).collect::<Vec<_>>());
    let header = rows.next().unwrap_or_default();
    let rule = format!("|---|{}\n", "---:|".repeat(header.len().saturating_sub(1)));
    let body: String = rows.map(|row| line(&row)).collect();
    line(&header) + &rule + &body
}

/// Cells with separators, quotes or line ends are quoted.
fn csv(cells: &[Vec<String>]) -> String {
    let cell = |text: &String| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.clone(),
    };
    cells.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(",") + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::protocol::{Luminance, Measured, Protocol};
    use crate::network::{Architecture, Channels, Padding};
    use crate::planes::Planes;

    fn report(stem: &str) -> Report {
        let architecture = Architecture::parse("9-5-5", "64-32", 1).unwrap();
        let protocol = Protocol::new(3.0, None, Channels::Y).unwrap();
        let mut set = SetReport::new("Set5", &protocol, "m.mat", &architecture, Padding::Valid);
        let empty = Luminance { width: 0, height: 0, data: Vec::new() };
        let score = |psnr| Score {
            psnr_bicubic: 30.0,
            psnr,
            ssim_bicubic: f64::NAN,
            ssim: 0.91239,
            bicubic_ms: 0.5,
            gpu_ms: 1.0,
            wall_ms: 2.25,
        };
        for (name, psnr) in [(stem, 31.456), ("bird", f64::INFINITY)] {
            let output = Planes { width: 0, height: 0, channels: 1, data: Vec::new() };
            let measured = Measured {
                score: score(psnr),
                border: 8,
                bicubic: empty.clone(),
                network: empty.clone(),
                output,
            };
            set.add(name, &measured);
        }
        set.finish(&architecture);
        Report { sets: vec![set] }
    }

    #[test]
    fn plain_table() {
        let text = render(&report("baby_GT"), Layout::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("padding valid") && lines[0].contains("shave 8"), "{text}");
        let cells = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>();
        let measured = ["baby_GT", "30.00", "-", "31.46", "0.9124", "1.46", "1.0", "2.2"];
        assert_eq!(cells(2)[..8], measured);
        assert_eq!(cells(2)[8..], ["33.91", "34.29", "35.08", "34.77", "35.06", "35.13", "35.01"]);
        // Two pictures are not the whole of Set5: no published averages.
        assert_eq!(cells(4)[8..], ["-"; 7]);
        assert!(cells(4)[0] == "average" && cells(4)[3] == "inf");
        assert!(lines[1..5].iter().all(|line| line.len() == lines[1].len()));
    }

    #[test]
    fn markdown_table() {
        let text = render(&report("mine"), Layout::Markdown);
        assert!(text.contains("\n| mine | 30.00 | - | 31.46 |"), "{text}");
        let text = render(&report("a|b"), Layout::Markdown);
        assert!(text.contains("| a\\|b | 30.00 |"), "{text}");
    }

    #[test]
    fn comma_separated_values() {
        let text = render(&report("a,\"b\""), Layout::Csv);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("set,scale,image,psnr_bicubic,"), "{text}");
        assert_eq!(lines[1], "Set5,3,\"a,\"\"b\"\"\",30,,31.456,0.91239,1,2.25");
        assert_eq!(lines[2], "Set5,3,bird,30,,inf,0.91239,1,2.25");
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn json_object() {
        let json = serde_json::to_value(report("baby")).unwrap();
        let set = &json["sets"][0];
        assert_eq!((&set["set"], &set["scale"], &set["shave"]), (&"Set5".into(), &3.into(), &8.into()));
        assert_eq!(set["padding"], "valid");
        assert_eq!(set["images"][0]["image"], "baby");
        assert_eq!(set["images"][0]["psnr"], 31.456);
        assert_eq!(set["images"][0]["published"]["ne_nnls"], 34.77);
        assert!(set["images"][1]["psnr"].is_null() && set["images"][1]["ssim_bicubic"].is_null());
        assert!(set["average"]["psnr"].is_null() && set["average"].get("image").is_none());
    }
}
