//! The system's dialogs for files and folders, on threads of their own, so that the window goes on.

use std::path::PathBuf;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use eframe::egui;

/// What is to be chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Pictures to enlarge.
    Pictures,
    /// A folder of pictures.
    PictureFolder,
    /// Where results go.
    Folder,
    /// A weight file.
    Network,
    /// A weight file to compare with.
    Second,
}

/// The dialogs.
pub struct Dialogs {
    sender: Sender<(Purpose, Vec<PathBuf>)>,
    receiver: Receiver<(Purpose, Vec<PathBuf>)>,
    context: egui::Context,
    /// One is open.
    open: bool,
}

impl Dialogs {
    pub fn new(context: &egui::Context) -> Self {
        let (sender, receiver) = channel();
        Self { sender, receiver, context: context.clone(), open: false }
    }

    /// Opens a dialog, unless one is open.
    pub fn ask(&mut self, purpose: Purpose) {
        if std::mem::replace(&mut self.open, true) {
            return;
        }
        let (sender, context) = (self.sender.clone(), self.context.clone());
        thread::spawn(move || {
            // Nobody listens when the window has been closed.
            let _ = sender.send((purpose, choose(purpose)));
            context.request_repaint();
        });
    }

    /// What has been chosen: nothing, if a dialog was cancelled or this system has none.
    pub fn take(&mut self) -> Option<(Purpose, Vec<PathBuf>)> {
        let chosen = self.receiver.try_recv().ok()?;
        self.open = false;
        Some(chosen)
    }
}

fn choose(purpose: Purpose) -> Vec<PathBuf> {
    let dialog = rfd::FileDialog::new();
    let chosen = match purpose {
        Purpose::Pictures => dialog.set_title("Pictures").pick_files(),
        Purpose::PictureFolder => dialog.set_title("Folder of pictures").pick_folder().map(|path| vec![path]),
        Purpose::Folder => dialog.set_title("Folder for results").pick_folder().map(|path| vec![path]),
        Purpose::Network | Purpose::Second => dialog
            .set_title("Weight file")
            .add_filter("Weights", &["safetensors", "onnx", "pth", "pt", "mat"])
            .pick_file()
            .map(|path| vec![path]),
    };
    chosen.unwrap_or_default()
}
