//! A report as one HTML page that needs nothing else: tables, charts of PSNR against time, and for each picture a
//! slider between bicubic interpolation, the network and the original, with the part where the network gains most.
//!
//! Pictures are written to a temporary file as they are measured, so memory does not grow with their number.

mod data_uri;
mod figure;
mod gain;
mod page;
mod views;

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::dataset::Picture;
use super::protocol::{Measured, Protocol};
use super::{Report, published};
use crate::atomic::{explained, write_atomically};
use crate::error::{Error, Result};
use figure::{Caption, figure};
use views::Views;

/// What the page says about the run besides its figures.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The adapter that the network ran on.
    pub adapter: String,
}

/// A page under way.
#[derive(Debug)]
pub struct Page {
    /// The pictures' HTML, one set after another.
    pictures: File,
    /// How long each set's is.
    sets: Vec<u64>,
    count: usize,
}

impl Page {
    /// An empty page. What it holds goes to the system's folder for temporary files.
    ///
    /// # Errors
    /// [`Error::Output`] when that folder does not take a file.
    pub fn new() -> Result<Self> {
        let pictures = tempfile::tempfile().map_err(temporary)?;
        Ok(Self { pictures, sets: Vec::new(), count: 0 })
    }

    /// Begins the next set of the report.
    pub fn begin_set(&mut self) {
        self.sets.push(0);
    }

    /// Adds a picture of that name to the last set.
    ///
    /// # Errors
    /// [`Error::Output`] when there is no room for it.
    pub fn add(
        &mut self,
        name: &str,
        picture: &Picture,
        protocol: &Protocol,
        measured: Measured,
    ) -> Result<()> {
        let psnr = [measured.score.psnr_bicubic, measured.score.psnr];
        self.count += 1;
        let caption = Caption {
            id: &format!("picture-{}", self.count),
            name,
            psnr,
            published: published::image(name, protocol.scale).copied(),
        };
        let html = figure(&Views::new(picture, protocol, measured), &caption)?;
        self.pictures.write_all(html.as_bytes()).map_err(temporary)?;
        if self.sets.is_empty() {
            self.begin_set();
        }
        if let Some(length) = self.sets.last_mut() {
            *length += html.len() as u64;
        }
        Ok(())
    }

    /// Writes the page for a report whose sets are those that were begun.
    ///
    /// # Errors
    /// [`Error::Output`]; a file that was there before stays.
    pub fn write(mut self, path: &Path, report: &Report, about: &About) -> Result<()> {
        self.pictures.seek(SeekFrom::Start(0)).map_err(temporary)?;
        write_atomically(path, |file| {
            let mut file = io::BufWriter::new(file);
            file.write_all(page::head(report, about).as_bytes())?;
            for (number, set) in report.sets.iter().enumerate() {
                file.write_all(page::set(number, set, about).as_bytes())?;
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
    Error::Output { path: std::env::temp_dir(), reason: explained(error) }
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
