//! The window: what is where, and what happens when.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use eframe::egui::{
    self, CentralPanel, Context, Frame, Panel, ScrollArea, Ui, UserAttentionType, ViewportCommand,
};
use eframe::egui_wgpu::RenderState;
use log::Level;
use srcnn_gpu::enlarge::Model;
use srcnn_gpu::{Enlargement, Result};

use crate::dialogs::{Dialogs, Purpose};
use crate::keys::{Wish, wishes};
use crate::messages::Messages;
use crate::panels::{self, Action, Status};
use crate::picture::Loader;
use crate::queue::Queue;
use crate::settings::{Network, Settings};
use crate::view::{Method, View, method};

/// Width of the panel, in points.
const PANEL: f32 = 250.0;

/// The window's state.
pub struct App {
    /// What the user has chosen.
    pub settings: Settings,
    /// The pictures to enlarge.
    pub queue: Queue,
    /// `None` without a device to draw on, which only tests do.
    pub view: Option<View>,
    messages: Messages,
    loader: Loader,
    dialogs: Dialogs,
    /// The settings and the picture that the view was made for.
    shown: Option<(Settings, PathBuf)>,
    /// The networks of the settings, to be loaded once.
    models: Option<(Network, Option<f64>, Arc<[Model]>)>,
    panel: bool,
    help: bool,
    told: bool,
    was_running: bool,
}

impl App {
    /// On the device that egui draws with, and with pictures to begin with.
    pub fn new(context: &Context, state: Option<&RenderState>, paths: Vec<PathBuf>) -> Self {
        let messages = Messages::of_log();
        let view = state.map(|state| View::new(state, context));
        if view.is_none() {
            messages.add(Level::Error, "no device to draw on, so no pictures are shown");
        }
        let mut queue = Queue::new(context, messages.clone());
        let settings = Settings::default();
        queue.add(paths, settings.recursive);
        Self {
            settings,
            queue,
            view,
            messages,
            loader: Loader::default(),
            dialogs: Dialogs::new(context),
            shown: None,
            models: None,
            panel: true,
            help: false,
            told: false,
            was_running: false,
        }
    }

    /// What the program and the library have said.
    pub fn messages(&self) -> &Messages {
        &self.messages
    }

    /// Whether a picture is being read, searched for, shown or enlarged.
    pub fn is_busy(&self) -> bool {
        self.loader.loading.is_some()
            || self.queue.is_searching()
            || (self.queue.is_running() && !self.queue.is_paused())
            || self.view.as_ref().is_some_and(View::is_busy)
    }

    /// Shows an error, in words.
    fn tell(&mut self, error: impl std::fmt::Display) {
        self.messages.add(Level::Error, error.to_string());
        self.told = true;
    }

    fn show_picture(&mut self, path: &Path, context: &Context) {
        self.loader.ask(path, context);
    }

    /// The networks of a choice, which are kept for as long as it stays.
    fn models(&mut self) -> Result<Arc<[Model]>> {
        let (network, factor) = (self.settings.network.clone(), self.settings.factor());
        if let Some((known, of, models)) = &self.models
            && (known, *of) == (&network, factor)
        {
            return Ok(models.clone());
        }
        let models = network.load(factor)?;
        self.models = Some((network, factor, models.clone()));
        Ok(models)
    }

    /// Enlarges and saves all pictures that wait.
    pub fn save(&mut self) {
        let models = self.models();
        let started = models.and_then(|models| self.queue.start(&self.settings, models));
        if let Err(error) = started {
            self.tell(error);
        }
    }

    /// Brings the view up to date with the picture and the settings.
    fn compare(&mut self) {
        let Some(picture) = self.view.as_ref().and_then(|view| view.picture().cloned()) else { return };
        let now = (self.settings.clone(), picture.path.clone());
        if self.shown.as_ref().is_some_and(|(settings, path)| {
            // What only concerns files changes nothing on the screen.
            let seen = |settings: &Settings| {
                (
                    settings.network.clone(),
                    settings.second.clone(),
                    settings.by,
                    settings.factor,
                    settings.side,
                )
            };
            seen(settings) == seen(&now.0) && *path == now.1
        }) {
            return;
        }
        self.shown = Some(now);
        let enlargement =
            self.settings.arguments().and_then(|arguments| arguments.size.enlargement(picture.size()));
        let enlargement = match enlargement {
            Ok(enlargement) => enlargement,
            Err(error) => {
                self.tell(format!("{}: {error}", picture.path.display()));
                Enlargement::Size(picture.size().0, picture.size().1)
            }
        };
        let factor = self.settings.factor();
        let first = self.models();
        let second = self.settings.second.as_ref().map(|second| (second.name(), second.load(factor)));
        let mut methods =
            vec![Method { name: "bicubic".into(), weights: method::bicubic().map_err(in_words) }];
        let all = [Some((self.settings.network.name(), first)), second];
        for (name, models) in all.into_iter().flatten() {
            let network = models.and_then(|models| method::network(&models, &picture, enlargement));
            methods.push(match network {
                Ok((weights, name, more)) => {
                    let name = if more { format!("{name}, in one step (saved in several)") } else { name };
                    Method { name, weights: Ok(weights) }
                }
                Err(error) => Method { name, weights: Err(in_words(error)) },
            });
        }
        let compared = self.view.as_mut().map_or(Ok(()), |view| view.compare(methods, enlargement));
        if let Err(error) = compared {
            self.tell(error);
        }
    }

    /// Takes what threads have ready, and what was dropped.
    pub fn update(&mut self, context: &Context) {
        let dropped = context.input(|input| input.raw.dropped_files.clone());
        let paths: Vec<PathBuf> = dropped.iter().map(|file| file.path().to_path_buf()).collect();
        if !paths.is_empty() {
            self.queue.add(paths, self.settings.recursive);
        }
        let before = self.messages.len();
        if let Some(first) = self.queue.update() {
            self.show_picture(&first, context);
        }
        if let Some((path, picture)) = self.loader.take() {
            match picture {
                Ok(picture) => {
                    if let Some(view) = &mut self.view {
                        view.open(Some(picture));
                    }
                    self.shown = None;
                }
                Err(error) => self.tell(error_of(&path, &error)),
            }
        }
        if self.messages.len() > before {
            self.told = true;
        }
        match self.dialogs.take() {
            Some((Purpose::Pictures | Purpose::PictureFolder, paths)) => {
                self.queue.add(paths, self.settings.recursive);
            }
            Some((Purpose::Folder, paths)) => {
                self.settings.folder = paths.into_iter().next().or(self.settings.folder.take());
            }
            Some((Purpose::Network, paths)) => {
                self.settings.network =
                    paths.into_iter().next().map_or(self.settings.network.clone(), Network::File);
            }
            Some((Purpose::Second, paths)) => {
                self.settings.second =
                    paths.into_iter().next().map(Network::File).or(self.settings.second.take());
            }
            None => {}
        }
        if std::mem::replace(&mut self.was_running, self.queue.is_running()) && !self.queue.is_running() {
            context
                .send_viewport_cmd(ViewportCommand::RequestUserAttention(UserAttentionType::Informational));
        }
    }

    fn obey(&mut self, wish: Wish, context: &Context) {
        match wish {
            Wish::Open => self.dialogs.ask(Purpose::Pictures),
            Wish::Save => self.save(),
            Wish::Pause => self.queue.pause(!self.queue.is_paused()),
            Wish::Cancel if self.told || self.help => (self.told, self.help) = (false, false),
            Wish::Cancel => self.queue.cancel(),
            Wish::Turn(by) => self.turn(by, context),
            Wish::Panel => self.panel = !self.panel,
            Wish::Help => self.help = !self.help,
            Wish::Theme => context.set_theme(match context.theme() {
                egui::Theme::Dark => egui::Theme::Light,
                egui::Theme::Light => egui::Theme::Dark,
            }),
            of_view => {
                let Some(view) = &mut self.view else { return };
                match of_view {
                    Wish::Zoom(factor) => view.zoom_by(factor),
                    Wish::Fit => view.fit(),
                    Wish::Pixels => view.zoom_to_pixels(),
                    Wish::Pan(by) => view.pan_by(by),
                    Wish::Divide(number, by) => view.move_divider(number, by),
                    _ => {}
                }
            }
        }
    }

    /// Shows a picture further down in the list, or up.
    fn turn(&mut self, by: isize, context: &Context) {
        let entries = self.queue.entries();
        let shown = self.view.as_ref().and_then(View::picture).map(|picture| &picture.path);
        let place = entries.iter().position(|entry| Some(&entry.path) == shown);
        let next = place.map_or(Some(0), |place| place.checked_add_signed(by));
        if let Some(entry) = next.and_then(|next| entries.get(next)) {
            let path = entry.path.clone();
            self.show_picture(&path, context);
        }
    }

    fn act(&mut self, action: Action, context: &Context) {
        match action {
            Action::Start => self.save(),
            Action::Pause(paused) => self.queue.pause(paused),
            Action::Cancel => self.queue.cancel(),
            Action::Again => self.queue.again(),
            Action::Clear => {
                self.queue.clear();
                if let Some(view) = &mut self.view {
                    view.open(None);
                }
            }
            Action::Show(path) => self.show_picture(&path, context),
            Action::Remove(place) => self.queue.remove(place),
        }
    }

    fn status(&self) -> Status {
        let name = |path: &Path| path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
        let mut status = Status {
            loading: self.loader.loading.as_deref().map(name),
            messages: self.messages.len(),
            ..Status::default()
        };
        let Some(view) = &self.view else { return status };
        let progress = view.progress();
        status.device_bytes = view.device_bytes();
        if let Some(picture) = view.picture() {
            let ((width, height), (large, high)) = (picture.size(), view.result_size());
            let frames = picture.frames.map_or(String::new(), |count| format!(", frame 1 of {count}"));
            let name = name(&picture.path);
            status.picture = Some(format!("{name}{frames}: {width}x{height} to {large}x{high}"));
            status.zoom = view.zoom();
            status.progress = (!progress.is_complete()).then_some((progress.done, progress.all));
        }
        status
    }

    fn side(&mut self, ui: &mut Ui) -> Option<Action> {
        let shown = self.view.as_ref().and_then(View::picture).map(|picture| picture.path.clone());
        ui.add_space(4.0);
        ui.horizontal(|ui| {
            if ui.button("Open …").on_hover_text("Pictures (Ctrl O)").clicked() {
                self.dialogs.ask(Purpose::Pictures);
            }
            if ui.button("Folder …").on_hover_text("All pictures of a folder").clicked() {
                self.dialogs.ask(Purpose::PictureFolder);
            }
            let other = if ui.visuals().dark_mode { "Light" } else { "Dark" };
            if ui.button(other).on_hover_text("F10").clicked() {
                self.obey(Wish::Theme, &ui.ctx().clone());
            }
        });
        ui.separator();
        ScrollArea::vertical().id_salt("settings").max_height(ui.available_height() * 0.6).show(ui, |ui| {
            panels::settings(ui, &mut self.settings, &mut self.dialogs);
        });
        ui.separator();
        panels::queue(ui, &self.queue, shown.as_ref())
    }

    /// Draws the window.
    pub fn show(&mut self, ui: &mut Ui) {
        let context = ui.ctx().clone();
        for wish in wishes(&context) {
            self.obey(wish, &context);
        }
        let status = self.status();
        let (messages, help) = Panel::bottom("status").show(ui, |ui| panels::status(ui, &status)).inner;
        self.told ^= messages;
        self.help ^= help;
        let mut action = None;
        let mut open = self.panel;
        Panel::left("side").default_size(PANEL).size_range(200.0..=420.0).show_collapsible(
            ui,
            &mut open,
            |ui| {
                action = self.side(ui);
            },
        );
        self.panel = open;
        if let Some(action) = action {
            self.act(action, &context);
        }
        self.compare();
        CentralPanel::default().frame(Frame::NONE).show(ui, |ui| {
            if let Some(view) = &mut self.view {
                view.show(ui);
            }
            let empty = self.view.as_ref().is_none_or(|view| view.picture().is_none());
            let hovering = context.input(|input| !input.raw.hovered_files.is_empty());
            if empty || hovering {
                let area = ui.max_rect();
                let text =
                    if hovering { "Let go to add them" } else { "Drop pictures, folders or lists here" };
                let font = egui::FontId::proportional(20.0);
                let color = ui.visuals().strong_text_color();
                ui.painter().text(area.center(), egui::Align2::CENTER_CENTER, text, font, color);
            }
        });
        panels::messages(&context, &mut self.told, &self.messages);
        panels::help(&context, &mut self.help);
    }
}

impl eframe::App for App {
    fn logic(&mut self, context: &Context, _: &mut eframe::Frame) {
        self.update(context);
    }

    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        self.show(ui);
    }
}

fn in_words(error: srcnn_gpu::Error) -> String {
    error.to_string()
}

/// An error with its file, which it may name itself.
fn error_of(path: &Path, error: &srcnn_gpu::Error) -> String {
    let (text, path) = (error.to_string(), path.display().to_string());
    if text.contains(&path) { text } else { format!("{path}: {text}") }
}
