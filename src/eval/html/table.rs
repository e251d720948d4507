//! The figures of a set at a scale as a table of the page.

use std::fmt::Write;

use super::escape;
use crate::eval::published::Published;
use crate::eval::{Row, Score, SetReport};

/// A table of the report.
pub struct Table<'a> {
    /// What all methods have in common, and the baseline's figures.
    pub baseline: &'a SetReport,
    /// The methods other than the baseline.
    pub networks: Vec<&'a SetReport>,
}

impl<'a> Table<'a> {
    /// The methods of one set and scale; `None` without any.
    pub fn new(methods: &'a [SetReport]) -> Option<Self> {
        let networks = methods.iter().filter(|method| method.is_network()).collect();
        Some(Self { baseline: methods.first()?, networks })
    }

    /// What a network is called: its short name if there are others.
    pub fn name(&self, network: &'a SetReport) -> &'a str {
        if self.networks.len() == 1 { "Network" } else { &network.name }
    }

    /// The set with its scale.
    pub fn title(&self) -> String {
        format!("{} ×{}{}", self.baseline.set, self.baseline.scale, self.baseline.remark())
    }

    /// The HTML.
    pub fn html(&self) -> String {
        let set = self.baseline;
        let rows = || set.images.iter().chain(&set.average);
        let published = rows().any(|row| row.published.is_some());
        let columns = 4 * self.networks.len();
        let mut html = format!(
            "<div class=\"wide\" role=\"region\" aria-label=\"Figures\" tabindex=\"0\">\n<table>\n\
             <caption>PSNR in dB and SSIM of {} without {} pixels on each side; times in milliseconds, without \
             compilation</caption>\n\
             <thead>\n<tr><th></th><th colspan=\"3\" class=\"first\">{}</th>",
            set.samples,
            set.shave,
            if set.scale == 1 { "Input" } else { "Bicubic" }
        );
        for network in &self.networks {
            let _ = write!(html, "<th colspan=\"4\" class=\"first\">{}</th>", escape(self.name(network)));
        }
        if published {
            html.push_str("<th colspan=\"7\" class=\"first\">Published PSNR, ECCV 2014</th>");
        }
        html.push_str("</tr>\n<tr><th scope=\"col\">Picture</th>");
        let measured = ["PSNR", "SSIM", "ms"].into_iter();
        let networks = ["PSNR", "SSIM", "Gain", "ms"].into_iter().cycle().take(columns);
        let methods = Published::METHODS.into_iter().filter(|_| published);
        for (i, name) in measured.chain(networks).chain(methods).enumerate() {
            let _ = write!(html, "<th scope=\"col\"{}>{name}</th>", first(i, columns));
        }
        html.push_str("</tr>\n</thead>\n<tbody>\n");
        for (i, row) in set.images.iter().enumerate() {
            let networks = self.networks.iter().map(|network| network.images.get(i));
            html.push_str(&line(row, networks, published));
        }
        html.push_str("</tbody>\n");
        if let Some(average) = &set.average {
            let networks = self.networks.iter().map(|network| network.average.as_ref());
            let _ = write!(html, "<tfoot>\n{}</tfoot>\n", line(average, networks, published));
        }
        html.push_str("</table>\n</div>\n");
        let mut notes: Vec<String> = Vec::new();
        for network in self.networks.iter().flat_map(|network| &network.published_networks) {
            let note = format!(
                "<p class=\"note\">Published average for {} {} trained on ImageNet: {:.2} dB ({}).</p>\n",
                network.sizes, network.filters, network.psnr, network.source
            );
            // Several columns may be of one architecture.
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
        html + &notes.concat()
    }
}

/// Where a group of columns begins: the baseline's three, each network's four, the published ones.
fn first(column: usize, networks: usize) -> &'static str {
    let begins = match column.checked_sub(3) {
        None => column == 0,
        Some(after) if after < networks => after % 4 == 0,
        Some(after) => after == networks,
    };
    if begins { " class=\"first\"" } else { "" }
}

fn line<'a>(row: &Row, networks: impl Iterator<Item = Option<&'a Row>>, with_published: bool) -> String {
    let score = &row.score;
    let mut figures = vec![(score.psnr_bicubic, 2), (score.ssim_bicubic, 4), (score.bicubic_ms, 1)];
    for network in networks {
        let score = network.map_or(Score::missing(), |row| row.score);
        let gain = score.psnr - score.psnr_bicubic;
        figures.extend([(score.psnr, 2), (score.ssim, 4), (gain, 2), (score.wall_ms, 1)]);
    }
    let columns = figures.len() - 3;
    if with_published {
        let published = row.published.map_or([None; 7], |published| published.figures());
        figures.extend(published.map(|figure| (figure.unwrap_or(f64::NAN), 2)));
    }
    let name = row.image.as_deref().unwrap_or("average");
    let mut html = format!("<tr><th scope=\"row\">{}</th>", escape(name));
    for (i, (figure, decimals)) in figures.into_iter().enumerate() {
        let text = if figure.is_nan() { "–".into() } else { format!("{figure:.decimals$}") };
        let _ = write!(html, "<td{}>{text}</td>", first(i, columns));
    }
    html.push_str("</tr>\n");
    html
}
