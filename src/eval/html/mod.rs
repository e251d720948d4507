//! A report as one HTML page that needs nothing else: tables, charts of PSNR against time, and for each picture a
//! slider between bicubic interpolation, the networks and the original, with the part where the networks gain most.
//!
//! Small pages hold exact pictures. Where that would make a page larger than some 10 MB, the large views are JPEG, of a
//! quality that keeps it below; the enlarged parts stay exact. Pictures are written to a temporary file as they are measured, so memory does not grow with their number.

mod data_uri;
mod figure;
mod gain;
mod page;
mod table;
mod views;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::Report;
use super::dataset::Picture;
use super::protocol::{Compared, Measured, Protocol};
use super::published::{self, Published};
use crate::atomic::{explained, write_atomically};
use crate::error::{Error, Result};
use data_uri::Room;
use figure::{Caption, figure};
use gain::Window;
use table::Table;
use views::Views;

/// What the page says about the run besides its figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The adapter that the network ran on.
    pub adapter: String,
}

/// A method's result for a picture, to be shown.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The method's short name.
    pub title: &'a str,
    /// What it is called where it is the only one.
    pub alone: &'a str,
    /// How it was measured.
    pub protocol: &'a Protocol,
    /// Its result.
    pub measured: Measured,
    /// Whether this is a network, and not the baseline alone.
    pub is_network: bool,
}

/// Pixels of a picture that the slider shows at most; of larger pictures it shows a part.
const LARGEST: (usize, usize) = (1200, 900);

/// How many pixels of a picture the page shows in each view.
pub fn shown_pixels((width, height): (u32, u32)) -> u64 {
    let side = |length: u32, most: usize| u64::from(length).min(most as u64);
    side(width, LARGEST.0) * side(height, LARGEST.1)
}

/// A page under way.
#[derive(Debug)]
pub struct Page {
    /// The pictures' HTML, one set after another.
    pictures: File,
    /// How long each set's is.
    sets: Vec<u64>,
    count: usize,
    room: Room,
    crop: Option<Window>,
}

impl Page {
    /// An empty page, which will show about so many pixels: [`shown_pixels`] of each picture in each view. What it holds
    /// goes to the system's folder for temporary files.
    ///
    /// # Errors
    /// [`Error::Output`] when that folder does not take a file.
    pub fn new(pixels: u64) -> Result<Self> {
        let pictures = tempfile::tempfile().map_err(temporary)?;
        Ok(Self { pictures, sets: Vec::new(), count: 0, room: Room::new(pixels), crop: None })
    }

    /// Shows this part of each picture enlarged, as far as it is inside, instead of where the methods gain most: column and row
    /// of its upper left corner, columns and rows.
    #[must_use]
    pub fn with_crop(self, crop: Option<[usize; 4]>) -> Self {
        Self { crop: crop.map(|[left, top, width, height]| Window { left, top, width, height }), ..self }
    }

    /// Begins the next set of the report.
    pub fn begin_set(&mut self) {
        self.sets.push(0);
    }

    /// Adds a picture of that name to the last set, with the results of one method at least.
    ///
    /// # Errors
    /// [`Error::Output`] when there is no room for it.
    pub fn add(&mut self, name: &str, picture: &Picture, results: Vec<Shown<'_>>) -> Result<()> {
        self.count += 1;
        let psnr_bicubic = results.first().map(|shown| shown.measured.score.psnr_bicubic);
        let views = Views::new(picture, results);
        let is_same = |row: &&Published| psnr_bicubic.is_some_and(|psnr| row.fits(psnr));
        let published = published::image(name, views.scale).filter(is_same).copied();
        let caption = Caption {
            id: &format!("picture-{}", self.count),
            name,
            crop: self.crop,
            published: published.filter(|_| views.compared == Compared::Luminance),
        };
        let html = figure(&views, &caption, &mut self.room)?;
        self.pictures.write_all(html.as_bytes()).map_err(temporary)?;
        if self.sets.is_empty() {
            self.begin_set();
        }
        if let Some(length) = self.sets.last_mut() {
            *length += html.len() as u64;
        }
        Ok(())
    }

    /// Writes the page for a report whose tables are the sets that were begun.
    ///
    /// # Errors
    /// [`Error::Output`]; a file that was there before stays.
    pub fn write(mut self, path: &Path, report: &Report, about: &About) -> Result<()> {
        self.pictures.seek(SeekFrom::Start(0)).map_err(temporary)?;
        let tables: Vec<Table<'_>> = report.tables.iter().filter_map(|table| Table::new(table)).collect();
        write_atomically(path, |file| {
            let mut file = io::BufWriter::new(file);
            file.write_all(page::head(&tables, about).as_bytes())?;
            for (number, table) in tables.iter().enumerate() {
                file.write_all(page::set(number, table, about).as_bytes())?;
                let length = self.sets.get(number).copied().unwrap_or(0);
                io::copy(&mut (&mut self.pictures).take(length), &mut file)?;
                file.write_all(b"</section>\n")?;
            }
            file.write_all(page::tail().as_bytes())?;
            file.flush()
        })
    }
}

fn temporary(error: io::Error) -> Error {
    Error::Output { path: "temporary files".into(), reason: explained(error) }
}

/// The address of a set's section in the page.
fn section_id(number: usize) -> String {
    format!("set-{}", number + 1)
}

/// A PSNR with its unit.
fn decibels(psnr: f64, decimals: usize) -> String {
    match psnr {
        v if v.is_nan() => "–".into(),
        v if v.is_infinite() => "∞ dB".into(),
        v => format!("{v:.decimals$} dB"),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
