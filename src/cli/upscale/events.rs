//! Events as lines of JSON, for programs. README.md describes them.

use serde::Serialize;

/// An event as it is printed; `i` is the input's number, from 1.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event<'a> {
    Start {
        version: &'a str,
        model: &'a str,
        total: usize,
        dry_run: bool,
    },
    Gpu {
        name: &'a str,
        r#type: &'a str,
        backend: &'a str,
        driver: &'a str,
    },
    Prepare {
        what: &'a str,
    },
    File {
        i: usize,
        r#in: &'a str,
        out: &'a str,
        w: u32,
        h: u32,
        ow: u32,
        oh: u32,
        network: &'a str,
        /// Of JPEG files, an estimate.
        #[serde(skip_serializing_if = "Option::is_none")]
        jpeg_quality: Option<u8>,
    },
    /// The picture's pixels call for another network than its header.
    Network {
        i: usize,
        network: &'a str,
        why: &'a str,
    },
    /// Of the tiles of a picture, or of the frames of a video.
    Progress {
        i: usize,
        done: u64,
        /// Unknown for videos that do not tell.
        total: Option<u64>,
        eta_s: Option<f64>,
        mpix_s: f64,
        /// Frames per second, for videos.
        #[serde(skip_serializing_if = "Option::is_none")]
        fps: Option<f64>,
    },
    Done {
        i: usize,
        out: &'a str,
        ms: Milliseconds,
    },
    Skip {
        i: usize,
        r#in: &'a str,
        out: &'a str,
        why: &'a str,
    },
    Error {
        i: usize,
        r#in: Option<&'a str>,
        code: u8,
        msg: &'a str,
    },
    End {
        ok: usize,
        skipped: usize,
        failed: usize,
        left: usize,
        secs: f64,
        code: u8,
    },
}

/// Times of one picture.
#[derive(Serialize)]
pub struct Milliseconds {
    pub decode: f64,
    pub gpu: f64,
    pub encode: f64,
}
