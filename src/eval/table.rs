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
    let tables = report.tables.iter().filter(|table| !table.is_empty());
    tables.map(|table| render_table(table, layout)).collect::<Vec<_>>().join("\n")
}

/// The methods of a table that are not the baseline, which all tables show.
fn networks(table: &[SetReport]) -> Vec<&SetReport> {
    table.iter().filter(|report| report.is_network()).collect()
}

fn render_table(table: &[SetReport], layout: Layout) -> String {
    let networks = networks(table);
    let first = &table[0];
    let protocol = format!("protocol {} ({}, shave {})", first.protocol, first.samples, first.shave);
    let place = format!("{} x{}{}", first.set, first.scale, first.remark());
    let (title, list) = match networks.as_slice() {
        [] => (format!("{place}: {}, {protocol}", first.description()), Vec::new()),
        [one] => (format!("{place}: {}, {protocol}", one.title()), Vec::new()),
        several => {
            let line = |report: &&SetReport| format!("{}: {}", report.name, report.description());
            (format!("{place}: {protocol}"), several.iter().map(line).collect())
        }
    };
    let rows = first.images.len();
    let lines = (0..rows).map(|i| table.iter().map(|report| report.images.get(i)).collect::<Vec<_>>());
    let average =
        first.average.is_some().then(|| table.iter().map(|report| report.average.as_ref()).collect());
    let lines: Vec<Vec<Option<&Row>>> = lines.chain(average).collect();
    let with_published = lines.iter().any(|line| line[0].is_some_and(|row| row.published.is_some()));
    let mut cells = vec![header(first.baseline(), &networks, with_published)];
    cells.extend(lines.iter().map(|rows| line(table, rows, with_published)));
    let mut text = match layout {
        Layout::Markdown => {
            let list: String = list.iter().map(|line| format!("- {line}\n")).collect();
            let list = if list.is_empty() { list } else { format!("{list}\n") };
            format!("**{title}**\n\n{list}{}", layout.lay_out(&cells))
        }
        _ => {
            let list: String = list.iter().map(|line| format!("  {line}\n")).collect();
            format!("{title}\n{list}{}", layout.lay_out(&cells))
        }
    };
    let mut notes = Vec::new();
    if with_published {
        notes.push(
            "[1] published PSNR, Dong et al., ECCV 2014, tables 1 and 2 (SRCNN: 9-1-5 64-32)".to_string(),
        );
    }
    for network in networks.iter().flat_map(|report| &report.published_networks) {
        let note = format!(
            "Published average for {} {} trained on ImageNet: {:.2} dB ({})",
            network.sizes, network.filters, network.psnr, network.source
        );
        // Several columns may be of one architecture.
        if !notes.contains(&note) {
            notes.push(note);
        }
    }
    for note in notes {
        let gap = if layout == Layout::Markdown { "\n" } else { "" };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{gap}{note}");
    }
    text
}

/// The pictures of all sets and scales. Where a table has several networks, each network of the report has columns of its
/// own, which are empty in tables without it.
fn measured(report: &Report) -> Vec<Vec<String>> {
    let figure = |value: f64| Layout::Csv.number(value, 0);
    let several = report.tables.iter().any(|table| networks(table).len() > 1);
    let mut names: Vec<&str> = Vec::new();
    for report in report.tables.iter().flat_map(|table| networks(table)) {
        if !names.contains(&report.name.as_str()) {
            names.push(&report.name);
        }
    }
    let mut header: Vec<String> =
        "set,scale,image,psnr_bicubic,ssim_bicubic".split(',').map(String::from).collect();
    if several {
        let figures = ["psnr", "ssim", "gpu_ms", "wall_ms"];
        header.extend(names.iter().flat_map(|name| figures.map(|figure| format!("{figure}_{name}"))));
        header.push("samples".into());
    } else {
        header.extend("psnr,ssim,gpu_ms,wall_ms,model,samples".split(',').map(String::from));
    }
    let mut cells = vec![header];
    for table in report.tables.iter().filter(|table| !table.is_empty()) {
        let first = &table[0];
        for (i, row) in first.images.iter().enumerate() {
            let mut line =
                vec![first.set.clone(), first.scale.to_string(), row.image.clone().unwrap_or_default()];
            line.extend([row.score.psnr_bicubic, row.score.ssim_bicubic].map(figure));
            let figures = |report: &SetReport| {
                let score = report.images.get(i).map(|row| row.score);
                score.map(|s| [s.psnr, s.ssim, s.gpu_ms, s.wall_ms].map(figure)).unwrap_or_default()
            };
            if several {
                for name in &names {
                    let network = table.iter().find(|report| report.is_network() && report.name == *name);
                    line.extend(network.map(figures).unwrap_or_default());
                }
            } else {
                let report = networks(table).first().copied().unwrap_or(first);
                line.extend(figures(report));
                line.push(report.model.clone());
            }
            line.push(first.samples.to_string());
            cells.push(line);
        }
    }
    cells
}

fn header(baseline: &str, networks: &[&SetReport], with_published: bool) -> Vec<String> {
    let mut names: Vec<&str> = vec!["image", baseline, "SSIM"];
    match networks {
        [] => {}
        [_] => names.extend(["network", "SSIM", "gain", "GPU ms", "wall ms"]),
        several => {
            names.extend(several.iter().flat_map(|report| [report.name.as_str(), "SSIM", "gain", "ms"]));
        }
    }
    let published =
        Published::METHODS.iter().filter(|_| with_published).map(|method| format!("{method} [1]"));
    names.into_iter().map(String::from).chain(published).collect()
}

/// A line of the table: the rows of all methods for one picture, or their averages.
fn line(table: &[SetReport], rows: &[Option<&Row>], with_published: bool) -> Vec<String> {
    let missing = Score::missing();
    let score = |row: &Option<&Row>| row.map_or(missing, |row| row.score);
    let baseline = score(&rows[0]);
    let mut cells = vec![
        rows[0].and_then(|row| row.image.clone()).unwrap_or_else(|| "average".into()),
        number(baseline.psnr_bicubic, 2),
        number(baseline.ssim_bicubic, 4),
    ];
    let networks: Vec<Score> =
        table.iter().zip(rows).filter(|(report, _)| report.is_network()).map(|(_, row)| score(row)).collect();
    for one in &networks {
        cells.extend([number(one.psnr, 2), number(one.ssim, 4), number(one.psnr - one.psnr_bicubic, 2)]);
        if networks.len() == 1 {
            cells.push(number(one.gpu_ms, 1));
        }
        cells.push(number(one.wall_ms, 1));
    }
    if with_published {
        let published = rows[0].and_then(|row| row.published);
        let figures = published.map_or([None; 7], |published| published.figures());
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
            psnr_bicubic: 33.5,
            psnr,
            ssim_bicubic: f64::NAN,
            ssim: 0.91239,
            bicubic_ms: 0.5,
            gpu_ms: 1.0,
            wall_ms: 2.25,
        };
        for (name, psnr) in [(stem, 34.956), ("bird", f64::INFINITY)] {
            let output = Planes { width: 0, height: 0, channels: 1, data: Vec::new() };
            let measured = Measured {
                score: score(psnr),
                border: 8,
                bicubic: empty.clone(),
                network: empty.clone(),
                colors: None,
                output,
            };
            set.add(name, &measured);
        }
        set.finish(Some(&architecture));
        Report { tables: vec![vec![set]] }
    }

    #[test]
    fn plain_table() {
        let text = render(&report("baby_GT"), Layout::Plain);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains("padding valid") && lines[0].contains("shave 8"), "{text}");
        let cells = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>();
        let measured = ["baby_GT", "33.50", "-", "34.96", "0.9124", "1.46", "1.0", "2.2"];
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
        assert!(text.contains("\n| mine | 33.50 | - | 34.96 |"), "{text}");
        let text = render(&report("a|b"), Layout::Markdown);
        assert!(text.contains("| a\\|b | 33.50 |"), "{text}");
    }

    #[test]
    fn comma_separated_values() {
        let text = render(&report("a,\"b\""), Layout::Csv);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].starts_with("set,scale,image,psnr_bicubic,"), "{text}");
        assert_eq!(lines[1], "Set5,3,\"a,\"\"b\"\"\",33.5,,34.956,0.91239,1,2.25,m.mat,luminance");
        assert_eq!(lines[2], "Set5,3,bird,33.5,,inf,0.91239,1,2.25,m.mat,luminance");
        assert_eq!(lines.len(), 3);
    }

    /// Two networks, and the baseline named among them, which has its column anyway.
    fn several() -> Report {
        let [mut first] = <[Vec<SetReport>; 1]>::try_from(report("baby").tables).unwrap();
        let mut second = first[0].clone().named("b", "b.mat");
        second.images.iter_mut().for_each(|row| row.score.psnr = 32.0);
        let protocol = Protocol::new(3.0, None, Channels::Y).unwrap();
        let mut bicubic = SetReport::bicubic("Set5", &protocol);
        bicubic.images = first[0].images.clone();
        first[0] = first[0].clone().named("a", "a.mat");
        Report { tables: vec![vec![bicubic, first.remove(0), second]] }
    }

    #[test]
    fn a_column_for_each_network() {
        let text = render(&several(), Layout::Plain);
        let lines: Vec<&str> = text.lines().collect();
        let cells = |line: usize| lines[line].split_whitespace().collect::<Vec<_>>();
        assert_eq!(lines[1], "  a: a.mat, 9-5-5 64-32, padding valid");
        let header = ["image", "bicubic", "SSIM", "a", "SSIM", "gain", "ms", "b", "SSIM", "gain", "ms"];
        assert_eq!(cells(3)[..11], header);
        let baby =
            ["baby", "33.50", "-", "34.96", "0.9124", "1.46", "2.2", "32.00", "0.9124", "-1.50", "2.2"];
        assert_eq!(cells(4)[..11], baby);
        let text = render(&several(), Layout::Csv);
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[0].contains(",psnr_a,ssim_a,gpu_ms_a,wall_ms_a,psnr_b,"), "{text}");
        assert_eq!(lines[1], "Set5,3,baby,33.5,,34.956,0.91239,1,2.25,32,0.91239,1,2.25,luminance");
        let text = render(&several(), Layout::Markdown);
        assert!(
            text.contains("\n- b: b.mat, 9-5-5") && text.contains("| baby | 33.50 | - | 34.96 |"),
            "{text}"
        );
        let json = serde_json::to_value(several()).unwrap();
        let models: Vec<_> = json["sets"].as_array().unwrap().iter().map(|set| &set["model"]).collect();
        assert_eq!(models, ["bicubic", "a.mat", "b.mat"]);
    }

    #[test]
    fn json_object() {
        let json = serde_json::to_value(report("baby")).unwrap();
        let set = &json["sets"][0];
        assert_eq!((&set["set"], &set["scale"], &set["shave"]), (&"Set5".into(), &3.into(), &8.into()));
        assert_eq!(set["padding"], "valid");
        assert_eq!(set["images"][0]["image"], "baby");
        assert_eq!(set["images"][0]["psnr"], 34.956);
        assert_eq!(set["images"][0]["published"]["ne_nnls"], 34.77);
        assert!(set["images"][1]["psnr"].is_null() && set["images"][1]["ssim_bicubic"].is_null());
        assert!(set["average"]["psnr"].is_null() && set["average"].get("image").is_none());
    }
}
