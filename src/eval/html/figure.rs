//! A picture of the report: the slider, and the crops beside it.

use std::fmt::Write;

use super::data_uri::{Format, Room};
use super::gain::{Window, greatest};
use super::views::{View, Views};
use super::{LARGEST, decibels, escape};
use crate::error::Result;
use crate::eval::protocol::Compared;
use crate::eval::published::Published;
use crate::metrics::psnr;

/// Pictures smaller than this are shown with each pixel as a square of several.
const SMALLEST: usize = 600;
/// About how wide an enlarged crop is on the page.
const CROP: usize = 240;

/// Of a wide page, in pixels: the inside of a card, the gap between its parts, the lines below a picture, the widest crop, and
/// the least space that crops go into.
const CARD: usize = 1340;
const GAP: usize = 14;
const LINES: usize = 62;
const WIDEST: usize = 352;
const NARROWEST: usize = 200;

/// What is said about a picture.
pub struct Caption<'a> {
    /// Tells it apart from all others of the page: letters, digits and `-`.
    pub id: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The part of the picture to show enlarged, if it was asked for.
    pub crop: Option<Window>,
    /// The paper's figures.
    pub published: Option<Published>,
}

/// The HTML of one picture. Its large views take of `room` what is there for them.
///
/// # Errors
/// As [`Views::show`].
pub fn figure(views: &Views, caption: &Caption, room: &mut Room) -> Result<String> {
    let (width, height) = views.size();
    let networks = views.luminance.len() - 2;
    let (bicubic, truth) = (&views.luminance[0], &views.luminance[networks + 1]);
    let side = (width.min(height) / 6).clamp(16, 48);
    let crop = caption
        .crop
        .and_then(|crop| views.inside(&crop))
        .unwrap_or_else(|| greatest(truth, bicubic, &views.luminance[1..=networks], views.border, side));
    let shown = crop.around(LARGEST, (width, height));
    let (format, large) = room.encode(&views.show(&shown)?)?;
    let mut html = format!("<article class=\"picture\" id=\"{}\">\n", caption.id);
    // Writing to a string cannot fail, here and below.
    let _ = writeln!(
        html,
        "<h4>{}</h4>\n<p>{}</p>",
        escape(caption.name),
        summary(views, caption, &shown, format)
    );
    html.push_str("<div class=\"views\">\n");
    html.push_str(&slider(views, caption, &crop, &shown, &large));
    let zoom = zoom(&shown);
    let columns = columns((shown.width * zoom, shown.height * zoom), views.views.len());
    html.push_str(&crops(views, caption, &crop, columns)?);
    html.push_str("</div>\n</article>\n");
    Ok(html)
}

fn summary(views: &Views, caption: &Caption, shown: &Window, format: Format) -> String {
    let (width, height) = views.size();
    let bicubic = views.views[0].psnr.unwrap_or(f64::NAN);
    let mut text = format!("{width} × {height} pixels. Bicubic {}", decibels(bicubic, 2));
    for View { class, title, psnr } in &views.views[1..] {
        let Some(psnr) = *psnr else { continue };
        let name = if class == "network" { "network".into() } else { escape(title) };
        let _ = write!(text, ", {name} {}", decibels(psnr, 2));
        let gain = psnr - bicubic;
        if gain.is_finite() {
            let _ = write!(text, " (<strong>{gain:+.2} dB</strong>)");
        }
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
    if let Format::Jpeg(quality) = format {
        let _ = write!(text, " Large views as JPEG of quality {quality}, enlarged parts exact.");
    }
    text
}

/// Which two views the slider can show beside each other, by their indices: bicubic beside the networks first, and the first
/// of all is what it begins with; the originals come last.
fn pairs(views: usize) -> Vec<[usize; 2]> {
    let truth = views - 1;
    let networks = 1..truth;
    let mut pairs: Vec<[usize; 2]> = networks.clone().map(|network| [0, network]).collect();
    pairs.extend(networks.clone().flat_map(|a| (a + 1..truth).map(move |b| [a, b])));
    pairs.extend(networks.map(|network| [network, truth]));
    pairs.push([0, truth]);
    pairs
}

fn slider(views: &Views, caption: &Caption, crop: &Window, shown: &Window, large: &[String]) -> String {
    let (width, height, zoom) = (shown.width, shown.height, zoom(shown));
    let pairs = pairs(views.views.len());
    let [left, right] = pairs[0];
    let mut html = format!(
        "<div class=\"slider\" style=\"width:{}px\">\n\
         <div class=\"stage\" style=\"aspect-ratio:{width}/{height}\">\n",
        width * zoom
    );
    for (i, (View { class, title, .. }, address)) in views.views.iter().zip(large).enumerate() {
        let side = if i == left { " data-side=\"left\"" } else { "" };
        let side = if i == right { " data-side=\"right\"" } else { side };
        let _ = writeln!(
            html,
            "<img class=\"{class}\" width=\"{width}\" height=\"{height}\" alt=\"{}: {title}\" \
             data-title=\"{title}\"{side} src=\"{address}\">",
            escape(caption.name),
            title = escape(title),
        );
    }
    let percent = |part: usize, all: usize| 100.0 * part as f64 / all as f64;
    let mark = crop.within(shown);
    let title = |view: usize| escape(&views.views[view].title);
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
        title(left),
        title(right),
        escape(caption.name)
    );
    html.push_str("<fieldset><legend>Left | right</legend>\n");
    for (i, [left, right]) in pairs.into_iter().enumerate() {
        let _ = writeln!(
            html,
            "<label><input type=\"radio\" name=\"{}\" value=\"{} {}\" autocomplete=\"off\"{}> {} | {}</label>",
            caption.id,
            views.views[left].class,
            views.views[right].class,
            if i == 0 { " checked" } else { "" },
            title(left),
            title(right)
        );
    }
    html.push_str("</fieldset>\n</div>\n");
    html
}

/// Pixels of the page on each side of a picture's pixel, in the slider.
fn zoom(shown: &Window) -> usize {
    (SMALLEST / shown.width.max(shown.height)).max(1)
}

/// In how many columns the crops fill the space beside a slider of this size best, or below it if there is none.
fn columns((width, height): (usize, usize), count: usize) -> usize {
    let beside = CARD.saturating_sub(width + GAP);
    if beside < NARROWEST {
        return count;
    }
    let blank = |columns: &usize| {
        let crop = (beside / columns).saturating_sub(GAP).min(WIDEST);
        let rows = count.div_ceil(*columns);
        let all = (height + LINES).max(rows * (crop + LINES));
        // What is not covered by pictures.
        all * CARD - width * height - count * crop * crop
    };
    (1..=count).min_by_key(blank).unwrap_or(1)
}

/// The original first, as in the paper's figures, each picture with its PSNR below.
fn crops(views: &Views, caption: &Caption, crop: &Window, columns: usize) -> Result<String> {
    let zoom = (CROP / crop.width.max(crop.height)).max(1);
    let pixels = views.show(crop)?;
    let truth = views.views.len() - 1;
    // What is compared: luminance, or the colors that are seen.
    let samples = |view: usize| match views.compared {
        Compared::Luminance => crop.cut(&views.luminance[view].data, views.luminance[view].width),
        Compared::Rgb => pixels[view].samples.clone(),
    };
    let mut html = format!("<div class=\"crops\" style=\"--columns:{columns}\">\n");
    for view in std::iter::once(truth).chain(0..truth) {
        let View { title, psnr: whole, .. } = &views.views[view];
        let figures = match whole {
            Some(whole) => format!(
                "{}<br><small>here {}</small>",
                decibels(*whole, 2),
                decibels(psnr(&samples(truth), &samples(view)), 2)
            ),
            None => format!("PSNR<br><small>of {} × {} pixels</small>", crop.width, crop.height),
        };
        let _ = writeln!(
            html,
            "<figure><img width=\"{}\" height=\"{}\" alt=\"{}: {title} enlarged\" src=\"{}\">\
             <figcaption><strong>{title}</strong> / {figures}</figcaption></figure>",
            crop.width * zoom,
            crop.height * zoom,
            escape(caption.name),
            pixels[view].png()?,
            title = escape(title),
        );
    }
    html.push_str("</div>\n");
    Ok(html)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crops_fill_the_card() {
        // A square, a landscape and a small picture; one as wide as the card, whose crops go below.
        for (slider, count, expected) in [
            ((512, 512), 3, 3),
            ((768, 512), 3, 2),
            ((512, 512), 4, 3),
            ((1200, 900), 3, 3),
            ((1200, 900), 5, 5),
        ] {
            assert_eq!(columns(slider, count), expected, "{slider:?} {count}");
        }
    }

    #[test]
    fn every_pair_once() {
        assert_eq!(pairs(2), [[0, 1]]);
        assert_eq!(pairs(3), [[0, 1], [1, 2], [0, 2]]);
        assert_eq!(pairs(4), [[0, 1], [0, 2], [1, 2], [1, 3], [2, 3], [0, 3]]);
    }
}
