//! The pictures to enlarge, and what has become of each.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use eframe::egui;
use log::Level;
use srcnn_gpu::enlarge::Model;
use srcnn_gpu::jobs::{Plan, Request};
use srcnn_gpu::{Result, guard};

use crate::messages::Messages;
use crate::settings::Settings;
use worker::{Order, Worker};

mod worker;

pub use worker::Event;

/// What has become of a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    Waiting,
    /// The share that is done.
    Computing(f32),
    /// Where the result is, its width and height.
    Done(PathBuf, (u32, u32)),
    /// Why there was nothing to do.
    Kept(&'static str),
    Failed(String),
    Cancelled,
}

impl State {
    /// Whether there is nothing left to do.
    pub fn is_over(&self) -> bool {
        !matches!(self, Self::Waiting | Self::Computing(_))
    }
}

/// A picture of the queue.
#[derive(Debug, Clone)]
pub struct Entry {
    pub path: PathBuf,
    pub name: String,
    pub state: State,
}

/// The queue, and the thread that works on it.
pub struct Queue {
    entries: Vec<Entry>,
    /// The place of each in the list.
    places: HashMap<PathBuf, usize>,
    /// What was dropped or opened: pictures, folders, `@` and a list.
    roots: Vec<PathBuf>,
    found: (Sender<Found>, Receiver<Found>),
    /// Searches under way.
    searches: usize,
    worker: Worker,
    context: egui::Context,
    messages: Messages,
    running: bool,
}

/// What a search has found: pictures, and why others are none.
struct Found {
    root: PathBuf,
    pictures: Vec<Result<PathBuf>>,
}

impl Queue {
    pub fn new(context: &egui::Context, messages: Messages) -> Self {
        Self {
            entries: Vec::new(),
            places: HashMap::new(),
            roots: Vec::new(),
            found: channel(),
            searches: 0,
            worker: Worker::new(context.clone()),
            context: context.clone(),
            messages,
            running: false,
        }
    }

    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether pictures are being searched for.
    pub fn is_searching(&self) -> bool {
        self.searches > 0
    }

    pub fn is_running(&self) -> bool {
        self.running
    }

    pub fn is_paused(&self) -> bool {
        self.worker.is_paused()
    }

    /// Pictures that wait.
    pub fn waiting(&self) -> usize {
        self.entries.iter().filter(|entry| entry.state == State::Waiting).count()
    }

    /// The share of all pictures that is done.
    pub fn share(&self) -> f32 {
        let done = self.entries.iter().map(|entry| match entry.state {
            State::Waiting => 0.0,
            State::Computing(share) => share,
            _ => 1.0,
        });
        done.sum::<f32>() / self.entries.len().max(1) as f32
    }

    /// Adds pictures, folders of them, or files with a list of them. Searching takes a thread of its own.
    pub fn add(&mut self, paths: impl IntoIterator<Item = PathBuf>, recursive: bool) {
        for path in paths {
            let root = if is_list(&path) { at(&path) } else { path };
            self.searches += 1;
            let (sender, context) = (self.found.0.clone(), self.context.clone());
            thread::spawn(move || {
                let pictures = search(&root, recursive);
                let _ = sender.send(Found { root, pictures });
                context.request_repaint();
            });
        }
    }

    /// Takes what searches and the worker have to tell. Returns the first new picture.
    pub fn update(&mut self) -> Option<PathBuf> {
        let mut first = None;
        while let Ok(Found { root, pictures }) = self.found.1.try_recv() {
            self.searches = self.searches.saturating_sub(1);
            if pictures.is_empty() {
                self.messages.add(Level::Error, format!("{}: no pictures are in it", root.display()));
            }
            let mut any = false;
            for picture in pictures {
                match picture {
                    Ok(path) => {
                        any = true;
                        if self.insert(&path) {
                            first.get_or_insert(path);
                        }
                    }
                    Err(error) => self.messages.add(Level::Error, error.to_string()),
                }
            }
            if any && !self.roots.contains(&root) {
                self.roots.push(root);
            }
        }
        while let Some(event) = self.worker.take() {
            match event {
                Event::Of(path, state) => {
                    if let State::Failed(error) = &state {
                        self.messages.add(Level::Error, error.clone());
                    }
                    if let Some(&place) = self.places.get(&path) {
                        self.entries[place].state = state;
                    }
                }
                Event::Problem(text) => self.messages.add(Level::Error, text),
                Event::End => {
                    self.running = false;
                    for entry in &mut self.entries {
                        if matches!(entry.state, State::Computing(_)) {
                            entry.state = State::Cancelled;
                        }
                    }
                }
            }
        }
        first
    }

    /// Adds one picture, unless it is there.
    fn insert(&mut self, path: &Path) -> bool {
        if self.places.contains_key(path) {
            return false;
        }
        self.places.insert(path.into(), self.entries.len());
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        self.entries.push(Entry { path: path.into(), name, state: State::Waiting });
        true
    }

    /// Begins to enlarge all pictures that wait.
    ///
    /// # Errors
    /// [`srcnn_gpu::Error::InvalidArgument`] for settings out of range.
    pub fn start(&mut self, settings: &Settings, models: Arc<[Model]>) -> Result<()> {
        let arguments = settings.arguments()?;
        let waits = |entry: &&Entry| entry.state == State::Waiting;
        let wanted: HashSet<PathBuf> =
            self.entries.iter().filter(waits).map(|entry| entry.path.clone()).collect();
        if self.running || wanted.is_empty() {
            return Ok(());
        }
        self.running = true;
        self.worker.run(Order {
            roots: self.roots.clone(),
            wanted,
            arguments,
            models,
            folder: settings.folder.clone(),
            existing: settings.existing,
            recursive: settings.recursive,
        });
        Ok(())
    }

    /// Pauses after the step that is being computed, or goes on.
    pub fn pause(&mut self, paused: bool) {
        self.worker.pause(paused && self.running);
    }

    /// Ends the work; what is done stays.
    pub fn cancel(&mut self) {
        self.worker.cancel();
    }

    /// Lets pictures wait again that are over, to make them once more.
    pub fn again(&mut self) {
        if !self.running {
            self.entries.iter_mut().for_each(|entry| entry.state = State::Waiting);
        }
    }

    /// Removes a picture that is not being worked on.
    pub fn remove(&mut self, place: usize) {
        if self.running || place >= self.entries.len() {
            return;
        }
        self.entries.remove(place);
        self.places =
            self.entries.iter().enumerate().map(|(place, entry)| (entry.path.clone(), place)).collect();
        if self.entries.is_empty() {
            self.roots.clear();
        }
    }

    /// Removes all pictures.
    pub fn clear(&mut self) {
        if !self.running {
            (self.entries, self.places, self.roots) = (Vec::new(), HashMap::new(), Vec::new());
        }
    }
}

/// Whether a file is a list of paths, by its name.
fn is_list(path: &Path) -> bool {
    path.extension()
        .is_some_and(|extension| ["txt", "lst"].iter().any(|list| extension.eq_ignore_ascii_case(list)))
}

/// How the program's arguments name a list.
fn at(path: &Path) -> PathBuf {
    let mut name = std::ffi::OsString::from("@");
    name.push(path);
    name.into()
}

/// The pictures that a path stands for, as `upscale` finds them.
fn search(root: &Path, recursive: bool) -> Vec<Result<PathBuf>> {
    let inputs = [root.to_path_buf()];
    let request = Request { inputs: &inputs, recursive, ..Request::default() };
    let found = guard::picture(root, || Plan::new(&request));
    match found {
        Ok(plan) => plan.jobs.into_iter().map(|job| job.map(|job| job.input)).collect(),
        Err(error) => vec![Err(error)],
    }
}
