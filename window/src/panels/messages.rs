//! The list of messages.

use eframe::egui::{Context, ScrollArea, Window};
use log::Level;

use crate::messages::Messages;

/// Shows the messages in a window of their own, the newest first.
pub fn messages(context: &Context, open: &mut bool, all: &Messages) {
    let mut clear = false;
    Window::new("Messages").open(open).default_width(460.0).default_height(220.0).show(context, |ui| {
        clear = ui.button("Clear").clicked();
        ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
            for message in all.newest() {
                let color = match message.level {
                    Level::Error => ui.visuals().error_fg_color,
                    _ => ui.visuals().warn_fg_color,
                };
                ui.colored_label(color, message.text);
            }
        });
    });
    if clear {
        all.clear();
    }
}
