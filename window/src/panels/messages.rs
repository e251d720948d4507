//! The list of messages.

use eframe::egui::{Align2, Context, ScrollArea, Window, vec2};
use log::Level;

use crate::messages::Messages;

/// Shows the messages in a window of their own, the newest first.
pub fn messages(context: &Context, open: &mut bool, all: &Messages) {
    let mut clear = false;
    let window = Window::new("Messages").open(open).default_width(460.0).default_height(160.0);
    window.anchor(Align2::RIGHT_BOTTOM, vec2(-12.0, -36.0)).show(context, |ui| {
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
