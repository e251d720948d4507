//! A picture of the report: the slider, and the crops below it.

use std::fmt::Write;

use super::gain::{Window, greatest};
use super::views::{NAMES, Views};
use super::{decibels, escape};
use crate::error::Result;
use crate::eval::published::Published;
use crate::metrics::psnr;

/// Pixels of a picture that the slider shows at most; of larger pictures it shows a part.
const LARGEST: (usize, usize) = (1200, 900);
/// Pictures smaller than this are shown with each pixel as a square of several.
const SMALLEST: usize = 600;
/// About how wide an enlarged crop is on the page.
const CROP: usize = 240;
/// Titles of the views, in the order of [`NAMES`].
const TITLES: [&str; 3] = ["Bicubic", "Network", "Original"];
/// Which views the slider can show beside each other, by their indices; the first pair is what it begins with.
const PAIRS: [[usize; 2]; 3] = [[0, 1], [1, 2], [0, 2]];

/// What is said about a picture.
pub struct Caption<'a> {
    /// Tells it apart from all others of the page: letters, digits and `-`.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// PSNR of bicubic interpolation and of the network over the whole picture, in dB.
    pub psnr: [f64; 2],
    /// The paper's figures.
    pub published: Option<Published>,
}

/// The HTML of one picture.
///
/// # Errors
/// As [`Views::show`].
pub fn figure(views: &Views, caption: &Caption) -> Result<String> {
    let (width, height) = views.size();
    let [bicubic, network, truth] = &views.luminance;
    let side = (width.min(height) / 6).clamp(16, 48);
    let crop = greatest(truth, bicubic, network, views.border, side);
    let shown = crop.around(LARGEST, (width, height));
    let mut html = format!("<article class=\"picture\" id=\"{}\">\n", caption.id);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        html,
        "<h4>{}</h4>\n<p>{}</p>",
        escape(caption.name),
        summary(caption, &shown, (width, height))
    );
    html.push_str("<div class=\"views\">\n");
    html.push_str(&slider(views, caption, &crop, &shown)?);
    html.push_str(&crops(views, caption, &crop)?);
    html.push_str("</div>\n</article>\n");
    Ok(html)
}

fn summary(caption: &Caption, shown: &Window, (width, height): (usize, usize)) -> String {
    let [bicubic, network] = caption.psnr;
    let mut text = format!(
        "{width} × {height} pixels. Bicubic {}, network {}",
        decibels(bicubic, 2),
        decibels(network, 2)
    );
    let gain = network - bicubic;
    if gain.is_finite() {
        let _ = write!(text, " (<strong>{gain:+.2} dB</strong>)");
    }
    if let Some(published) = caption.published {
        let _ = write!(text, "; published SRCNN {:.2} dB", published.srcnn);
    }
    text.push('.');
    if (shown.width, shown.height) != (width, height) {
        let _ = write!(
            text,
            " Shown is a part of {} × {} pixels, from column {} and row {} on.",
            shown.width,
            shown.height,
            shown.left + 1,
            shown.top + 1
        );
    }
    text
}

fn slider(views: &Views, caption: &Caption, crop: &Window, shown: &Window) -> Result<String> {
    let zoom = (SMALLEST / shown.width.max(shown.height)).max(1);
    let (width, height) = (shown.width, shown.height);
    let [left, right] = PAIRS[0];
    let mut html = format!(
        "<div class=\"slider\" data-left=\"{}\" data-right=\"{}\" style=\"width:{}px\">\n\
         <div class=\"stage\" style=\"aspect-ratio:{width}/{height}\">\n",
        NAMES[left],
        NAMES[right],
        width * zoom
    );
    for (view, pixels) in views.show(shown)?.iter().enumerate() {
        let _ = writeln!(
            html,
            "<img class=\"{}\" width=\"{width}\" height=\"{height}\" alt=\"{}: {}\" src=\"{}\">",
            NAMES[view],
            escape(caption.name),
            TITLES[view],
            pixels.data_uri()?
        );
    }
    let percent = |part: usize, all: usize| 100.0 * part as f64 / all as f64;
    let mark = crop.within(shown);
    let _ = writeln!(
        html,
        "<span class=\"mark\" style=\"left:{:.3}%;top:{:.3}%;width:{:.3}%;height:{:.3}%\"></span>\
         <span class=\"line\"></span>\
         <span class=\"tag left\">{}</span><span class=\"tag right\">{}</span>\n\
         <input type=\"range\" min=\"0\" max=\"100\" value=\"50\" autocomplete=\"off\" \
         aria-label=\"{}: where the left picture ends\">\n</div>",
        percent(mark.left, width),
        percent(mark.top, height),
        percent(mark.width, width),
        percent(mark.height, height),
        TITLES[left],
        TITLES[right],
        escape(caption.name)
    );
    html.push_str("<fieldset><legend>Left | right</legend>\n");
    for (i, [left, right]) in PAIRS.into_iter().enumerate() {
        let _ = writeln!(
            html,
            "<label><input type=\"radio\" name=\"{}\" value=\"{} {}\" autocomplete=\"off\"{}> {} | {}</label>",
            caption.id,
            NAMES[left],
            NAMES[right],
            if i == 0 { " checked" } else { "" },
            TITLES[left],
            TITLES[right]
        );
    }
    html.push_str("</fieldset>\n</div>\n");
    Ok(html)
}

/// The original first, as in the paper's figures, each picture with its PSNR below.
fn crops(views: &Views, caption: &Caption, crop: &Window) -> Result<String> {
    let zoom = (CROP / crop.width.max(crop.height)).max(1);
    let part = |view: usize| crop.cut(&views.luminance[view].data, views.luminance[view].width);
    let truth = part(2);
    let pixels = views.show(crop)?;
    let mut html = String::from("<div class=\"crops\">\n");
    for view in [2, 0, 1] {
        let figures = match caption.psnr.get(view) {
            Some(&whole) => format!(
                "{}<br><small>here {}</small>",
                decibels(whole, 2),
                decibels(psnr(&truth, &part(view)), 2)
            ),
            None => format!("PSNR<br><small>of {} × {} pixels</small>", crop.width, crop.height),
        };
        let _ = writeln!(
            html,
            "<figure><img width=\"{}\" height=\"{}\" alt=\"{}: {} enlarged\" src=\"{}\">\
             <figcaption><strong>{}</strong> / {figures}</figcaption></figure>",
            crop.width * zoom,
            crop.height * zoom,
            escape(caption.name),
            TITLES[view],
            pixels[view].data_uri()?,
            TITLES[view]
        );
    }
    html.push_str("</div>\n");
    Ok(html)
}
