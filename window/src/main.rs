//! Opens the window.
//!
//! `srcnn-window [PICTURE|FOLDER|LIST]..`

use std::path::PathBuf;
use std::process::ExitCode;

use srcnn_window::{App, options};

fn main() -> ExitCode {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let run = eframe::run_native(
        "srcnn-gpu",
        options(),
        Box::new(|creation| {
            Ok(Box::new(App::new(&creation.egui_ctx, creation.wgpu_render_state.as_ref(), paths)))
        }),
    );
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: the window cannot be opened: {error}");
            ExitCode::FAILURE
        }
    }
}
