//! The keys.

use eframe::egui::{Align2, Context, Grid, Vec2, Window};

/// What the keys do.
const KEYS: [(&str, &str); 14] = [
    ("Ctrl O", "open pictures"),
    ("Ctrl S", "enlarge and save all pictures of the list"),
    ("Space", "pause, go on"),
    ("Escape", "cancel; close messages and help"),
    ("Page up, Page down", "the picture before, the next"),
    ("+  -  wheel", "zoom"),
    ("0", "the whole picture"),
    ("1", "each pixel of the result as one of the screen"),
    ("Arrows, dragging", "move"),
    ("[  ]", "move the first divider"),
    ("Shift [  ]", "move the second divider"),
    ("Tab", "go to the next button; Space presses it"),
    ("F9", "hide the panel, show it"),
    ("F10", "light, dark"),
];

/// Shows the keys in a window of their own.
pub fn help(context: &Context, open: &mut bool) {
    Window::new("Keys").open(open).resizable(false).anchor(Align2::CENTER_CENTER, Vec2::ZERO).show(
        context,
        |ui| {
            Grid::new("keys").num_columns(2).striped(true).show(ui, |ui| {
                for (key, what) in KEYS {
                    ui.monospace(key);
                    ui.label(what);
                    ui.end_row();
                }
            });
        },
    );
}
