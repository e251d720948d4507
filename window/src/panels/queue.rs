//! The list of pictures, and the buttons that work on it.

use std::path::PathBuf;

use eframe::egui::{self, Align, Layout, ProgressBar, ScrollArea, Sense, Ui, vec2};

use super::wide_button;
use crate::queue::{Entry, Queue, State};

/// Height of a line of the list, in points.
const LINE: f32 = 20.0;

/// What the user wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Start,
    Pause(bool),
    Cancel,
    Again,
    Clear,
    /// Look at this picture.
    Show(PathBuf),
    /// Take this place out of the list.
    Remove(usize),
}

/// The queue; `shown` is the picture in the view.
pub fn queue(ui: &mut Ui, queue: &Queue, shown: Option<&PathBuf>) -> Option<Action> {
    let mut action = buttons(ui, queue);
    let entries = queue.entries();
    let text = match (entries.len(), queue.is_searching()) {
        (_, true) => "searching …".into(),
        (0, false) => "Drop pictures, folders or lists here".into(),
        (1, false) => "1 picture".into(),
        (count, false) => format!("{count} pictures, {} to do", queue.waiting()),
    };
    ui.label(text);
    ScrollArea::vertical().auto_shrink(false).show_rows(ui, LINE, entries.len(), |ui, lines| {
        for place in lines {
            let entry = &entries[place];
            action = line(ui, place, entry, shown == Some(&entry.path), queue.is_running()).or(action.take());
        }
    });
    action
}

fn buttons(ui: &mut Ui, queue: &Queue) -> Option<Action> {
    let mut action = None;
    if queue.is_running() {
        ui.add(ProgressBar::new(queue.share()).show_percentage());
        ui.columns(2, |columns| {
            let paused = queue.is_paused();
            if wide_button(&mut columns[0], true, if paused { "Go on" } else { "Pause" }) {
                action = Some(Action::Pause(!paused));
            }
            if wide_button(&mut columns[1], true, "Cancel") {
                action = Some(Action::Cancel);
            }
        });
        return action;
    }
    let waiting = queue.waiting();
    let text = match waiting {
        0 => "Save".into(),
        1 => "Save 1 picture".into(),
        count => format!("Save {count} pictures"),
    };
    if wide_button(ui, waiting > 0, &text) {
        action = Some(Action::Start);
    }
    ui.columns(2, |columns| {
        let any = !queue.entries().is_empty();
        if wide_button(&mut columns[0], any && waiting < queue.entries().len(), "Again") {
            action = Some(Action::Again);
        }
        if wide_button(&mut columns[1], any, "Clear") {
            action = Some(Action::Clear);
        }
    });
    action
}

/// A picture of the list.
fn line(ui: &mut Ui, place: usize, entry: &Entry, is_shown: bool, running: bool) -> Option<Action> {
    let mut action = None;
    let (mark, more) = match &entry.state {
        State::Waiting => ("waits".to_owned(), "waits".to_owned()),
        State::Computing(share) => (format!("{:.0}%", 100.0 * share), "is being enlarged".into()),
        State::Done(output, (width, height)) => {
            ("saved".into(), format!("{width}x{height}: {}", output.display()))
        }
        State::Kept(why) => ("kept".into(), (*why).into()),
        State::Failed(error) => ("error".into(), error.clone()),
        State::Cancelled => ("ended".into(), "cancelled".into()),
    };
    let hover = format!("{}\n{more}", entry.path.display());
    ui.horizontal(|ui| {
        ui.set_height(LINE);
        let color = match entry.state {
            State::Failed(_) => ui.visuals().error_fg_color,
            State::Done(..) => ui.visuals().hyperlink_color,
            _ => ui.visuals().text_color(),
        };
        ui.add_sized(vec2(40.0, LINE), egui::Label::new(egui::RichText::new(mark).color(color)))
            .on_hover_text(&hover);
        let room = vec2((ui.available_width() - 24.0).max(20.0), LINE);
        let left = Layout::left_to_right(Align::Center).with_main_justify(true).with_main_align(Align::Min);
        let name = egui::Button::selectable(is_shown, &entry.name).truncate().sense(Sense::click());
        if ui.allocate_ui_with_layout(room, left, |ui| ui.add(name)).inner.on_hover_text(hover).clicked() {
            action = Some(Action::Show(entry.path.clone()));
        }
        if ui.add_enabled(!running, egui::Button::new("x").frame(false)).on_hover_text("Remove").clicked() {
            action = Some(Action::Remove(place));
        }
    });
    action
}
